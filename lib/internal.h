/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the library's files share. Functions return what those of dmafd.h do, unless
 * something else is said.
 */
#ifndef DMAFD_INTERNAL_H
#define DMAFD_INTERNAL_H

#include <linux/dmafd.h>
#include <stdbool.h>

#include "dmafd.h"

#define EXPORT		__attribute__((visibility("default")))

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Sets errno and returns -1. */
int fail(int err);
/* CLOCK_MONOTONIC */
uint64_t now_ns(void);

/* ---- ctx.c ---- */

/* An ioctl of a context; ENOTTY without the module. */
int ctx_ioctl(struct dmafd_ctx *ctx, unsigned long cmd, void *arg);
/* What the module said of itself; all 0 without it. */
const struct dmafd_info *ctx_info(const struct dmafd_ctx *ctx);
bool ctx_has_module(const struct dmafd_ctx *ctx);
void ctx_get(struct dmafd_ctx *ctx);
void ctx_put(struct dmafd_ctx *ctx);
void ctx_add_buf(struct dmafd_ctx *ctx, struct dmafd_buf *buf);
void ctx_del_buf(struct dmafd_ctx *ctx, struct dmafd_buf *buf);
/* A number below 64 for a channel, or -1 if there is none left. */
int ctx_take_slot(struct dmafd_ctx *ctx);
void ctx_give_slot(struct dmafd_ctx *ctx, int slot);

/* ---- buf.c ---- */

/* The context's list; for ctx.c, under its lock. */
struct buf_node {
	struct dmafd_buf *next, *prev;
};

struct buf_node *buf_node(struct dmafd_buf *buf);
struct dmafd_ctx *buf_ctx(const struct dmafd_buf *buf);
unsigned int buf_access(const struct dmafd_buf *buf);
/* It was allocated by the context. */
bool buf_is_own(const struct dmafd_buf *buf);
/* What is known of its address: NULL as long as it is not mapped. */
void *buf_known_addr(const struct dmafd_buf *buf);
/* Brackets what the CPU does instead of a job with these flags; like cpu_begin. */
int buf_job_begin(struct dmafd_buf *buf, unsigned int access, uint32_t job_flags);
int buf_job_end(struct dmafd_buf *buf, unsigned int access, uint32_t job_flags);
/* The channel with this number has worked on it, so that it is mapped there. */
bool buf_is_used_by(const struct dmafd_buf *buf, int slot);
void buf_set_used(struct dmafd_buf *buf, int slot, bool used);
/* Frees what the library has of it; the kernel forgets it with the context. */
void buf_free(struct dmafd_buf *buf);

/* ---- check.c ---- */

/* 0, or a negative errno: of a job that no channel would take; ports are not looked at. */
int job_check(const struct dmafd_ctx *ctx, const struct dmafd_job *job);
/* How many bytes it is about, once job_check() was content. */
uint64_t job_length(const struct dmafd_job *job);
/* Calls @fn for each buffer's range that it reads or writes, until that is not 0. */
typedef int job_range_fn(void *data, const struct dmafd_range *range, unsigned int access);
int job_visit_ranges(const struct dmafd_job *job, job_range_fn *fn, void *data);

/* ---- op.c ---- */

/*
 * Makes the kernel's operation of a job. @args gets what is to be freed when the kernel
 * has read it, and may be NULL.
 */
int op_encode(struct dmafd_op *op, const struct dmafd_job *job, bool is_tx, void **args);

/* ---- cpu.c ---- */

/* Whether the CPU could do it: all but what is about devices. */
bool cpu_can(const struct dmafd_job *job);
/* Does it. 0, or a negative errno: the memory can't be mapped. */
int cpu_do(const struct dmafd_job *job);

/* ---- queue.c ---- */

/* A job, from its submission until its result is reaped. */
struct slot {
	struct dmafd_result result;
	void *args;		/* freed when the job is done */
	bool done;
	bool more;		/* an interim result waits */
	bool by_ring;		/* io_uring has it, and the channel's records don't */
};

struct queue;

struct queue *queue_new(unsigned int depth);
void queue_free(struct queue *queue);
unsigned int queue_held(const struct queue *queue);
unsigned int queue_room(const struct queue *queue);
/* The @i-th free slot, which must be there; its number is the kernel's user_data. */
struct slot *queue_free_slot(struct queue *queue, unsigned int i, unsigned int *number);
/* Makes the first @n free slots jobs; gives them their sequence numbers. */
void queue_push(struct queue *queue, unsigned int n);
/* Slot of a job by number; NULL if there is no such job. */
struct slot *queue_find(struct queue *queue, uint64_t number);
/* The @i-th job, counted from the youngest. */
struct slot *queue_youngest(struct queue *queue, unsigned int i);
/* Takes back the @n youngest jobs, which must be done. */
void queue_pop_youngest(struct queue *queue, unsigned int n);
/* Takes results from the front; how many. */
unsigned int queue_take(struct queue *queue, struct dmafd_result *results, size_t max);
/* Whether queue_take() has something. */
bool queue_is_ready(const struct queue *queue);
/* The job of a slot is over. */
void slot_finish(struct slot *slot);

/* ---- uring.c ---- */

struct uring;

/* NULL if the kernel or the module can't. @fd: the channel. */
struct uring *uring_open(int fd, unsigned int depth);
void uring_close(struct uring *ring);
int uring_fd(const struct uring *ring);
/* Submits operations, up to URING_BATCH; @numbers come back. How many, or -1. */
#define URING_BATCH	64
int uring_submit(struct uring *ring, const struct dmafd_op *ops, const unsigned int *numbers,
		 unsigned int n);
/* The next completion that is there; false if none. */
bool uring_next(struct uring *ring, uint64_t *number, int32_t *res, uint64_t *bytes);

/* ---- chan.c ---- */

/*
 * Only the thread that uses the channel touches it, but for what is marked: that is set
 * when it is opened.
 */
struct dmafd_chan {
	struct dmafd_ctx *ctx;		/* const */
	int fd;				/* const; the kernel's channel, or -1 */
	int epoll;			/* const; what dmafd_chan_fd() returns */
	int event;			/* const; set as long as the queue is ready */
	struct uring *ring;		/* const; or NULL */
	struct queue *queue;
	size_t threshold, mem_threshold;
	uint64_t cpu_jobs;
	unsigned int on_fd, on_ring;	/* jobs that are not done, of each kind */
	int slot;			/* const; its number in its context */
	uint32_t caps, flags;		/* const; flags are DMAFD_ATTR_... */
	uint32_t copy_align, fill_align;	/* const */
	uint32_t max_sources, depth;	/* const */
	bool fallback;			/* the CPU does what the controller can't */
	bool gone;			/* the controller is */
	bool unwatched;			/* the kernel's channel is not polled any more */
	bool signaled;			/* the event is set */
	bool cyclic;			/* there was a cyclic job: no io_uring from then on */
};

/* Lets the event tell whether the queue is ready. */
void chan_signal(struct dmafd_chan *chan);
/* The controller went away; to be called again when its jobs are over. */
void chan_set_gone(struct dmafd_chan *chan);

/* ---- submit.c, reap.c ---- */

/* As dmafd_submit(); with @wait, the jobs are done, or nearly, when it returns. */
int chan_submit(struct dmafd_chan *chan, const struct dmafd_job *jobs, size_t n, bool wait);
/* The kernel's records become results. */
void chan_note(struct dmafd_chan *chan, const void *records, size_t n);
/* How long a record is that this kernel writes, and the most that are read at once. */
size_t chan_record_size(const struct dmafd_chan *chan);
#define RECORDS_MAX	64
#define RECORD_SIZE_MAX	256
/* Waits for jobs that are under way, and notes what is done; 0 or -1. */
int chan_harvest(struct dmafd_chan *chan, int timeout_ms);
/* Until nothing is under way. */
int chan_drain(struct dmafd_chan *chan);

#endif
