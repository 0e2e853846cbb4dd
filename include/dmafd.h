/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libdmafd: DMA channels for programs, on top of the kernel module dmafd.
 *
 * A context holds buffers: memory that a DMA controller may reach. A channel of a
 * controller is given jobs, which name buffers of its context, and tells by a result
 * how each of them ended.
 *
 *	struct dmafd_ctx *ctx = dmafd_open();
 *	struct dmafd_chan *chan = dmafd_chan_open(ctx, NULL, NULL);
 *	struct dmafd_buf *src = dmafd_buf_register(ctx, from, size, DMAFD_READ);
 *	struct dmafd_buf *dst = dmafd_buf_register(ctx, to, size, DMAFD_WRITE);
 *
 *	dmafd_copy(chan, dst, 0, src, 0, size);
 *
 * Unless something else is said, a function returns 0, or -1 with the reason in errno,
 * and one that returns a pointer NULL with the reason in errno. What a function is
 * given as an object must be one: a NULL is not looked for, except by those that
 * close or free.
 *
 * Threads: a context and its buffers may be used by several threads at once. A
 * channel may be used by one thread at a time, and by different ones one after the
 * other; only dmafd_chan_cancel(), dmafd_chan_pause(), dmafd_chan_resume() and
 * dmafd_chan_status() may be called by another one meanwhile. Channels are
 * independent of each other. An object must not be used while or after it is closed,
 * removed or freed.
 *
 * fork(): what was opened belongs to the process that opened it. A child must not
 * use it, nor close it; it opens its own. All file descriptors are closed by execve().
 */
#ifndef DMAFD_H
#define DMAFD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dmafd_ctx;
struct dmafd_buf;
struct dmafd_chan;

/* The library's version, such as "1.0.0". */
const char *dmafd_version(void);

/* ---- contexts ---- */

/*
 * Opens /dev/dmafd, or what the environment variable DMAFD_DEVICE names.
 *
 * ENOENT, ENODEV, ENXIO: the module is not loaded. EACCES: no permission. ENOTTY:
 * it is something else.
 */
struct dmafd_ctx *dmafd_open(void);

/*
 * The same, but without the module or the permission there is a context, too. Its
 * buffers are plain memory, and its only channel is the CPU (dmafd_chan_open_auto()).
 */
struct dmafd_ctx *dmafd_open_auto(void);

/*
 * Closes it. Buffers that are left are removed and freed. Channels that are open
 * keep it, and the buffers, until the last one is closed.
 */
void dmafd_close(struct dmafd_ctx *ctx);

/*
 * On controllers that don't see the CPU's caches, what a job writes should begin and
 * end at multiples of this; the CPU writes the rest.
 */
size_t dmafd_line_size(const struct dmafd_ctx *ctx);

/* ---- buffers ---- */

/* What jobs may do with a buffer. */
#define DMAFD_READ		0x01
#define DMAFD_WRITE		0x02
#define DMAFD_RDWR		(DMAFD_READ | DMAFD_WRITE)
/* Of dmafd_buf_alloc(): in one piece, for controllers that need that. */
#define DMAFD_CONTIGUOUS	0x04

/*
 * Makes memory of the caller a buffer: pins it, and counts it as locked memory. It
 * must stay mapped there until the buffer is removed if the CPU may do jobs, that is,
 * if a channel has a threshold or was opened by dmafd_chan_open_auto().
 *
 * EINVAL: no access, or no length. EOPNOTSUPP: other bits in @access. EOVERFLOW:
 * @addr + @len is none. EFAULT: it is no memory, or not writable. ENOMEM: also, over
 * the limit of locked memory.
 */
struct dmafd_buf *dmafd_buf_register(struct dmafd_ctx *ctx, void *addr, size_t len,
				     unsigned int access);

/*
 * Allocates a buffer of at least @len bytes, whole pages that are zero. It is mapped,
 * and can be passed to others as a dma-buf: dmafd_buf_fd().
 *
 * @access: as above, and DMAFD_CONTIGUOUS
 *
 * Errors as above. ENOTTY: the kernel's dmafd cannot do that.
 */
struct dmafd_buf *dmafd_buf_alloc(struct dmafd_ctx *ctx, size_t len, unsigned int access);

/*
 * Makes a dma-buf of somebody else a buffer. The file descriptor stays the caller's,
 * and may be closed.
 *
 * EBADF, EINVAL: it is no dma-buf. EACCES: DMAFD_WRITE, but it is for reading only.
 * ENOTTY: the kernel's dmafd cannot do that.
 */
struct dmafd_buf *dmafd_buf_import(struct dmafd_ctx *ctx, int fd, unsigned int access);

/*
 * Removes a buffer, and frees @buf if that succeeds. Memory that it had mapped is
 * unmapped. NULL is no error.
 *
 * EBUSY: a job that is not complete works on it.
 */
int dmafd_buf_remove(struct dmafd_buf *buf);

/*
 * Where it is; what dmafd_buf_import() made is mapped by the first call. NULL if that
 * is not possible.
 */
void *dmafd_buf_addr(struct dmafd_buf *buf);
size_t dmafd_buf_size(const struct dmafd_buf *buf);

/*
 * The dma-buf of an allocated buffer. It belongs to the buffer and is closed with it.
 * EINVAL: the buffer has none.
 */
int dmafd_buf_fd(const struct dmafd_buf *buf);

/* The number by which the kernel knows it, or 0 without the module. */
uint32_t dmafd_buf_id(const struct dmafd_buf *buf);

/*
 * Brackets what the program itself does with a dma-buf, where another device works on
 * it, or jobs with DMAFD_NO_SYNC. Elsewhere, and on registered memory, it does nothing.
 *
 * @access: DMAFD_READ, DMAFD_WRITE or both: what the program does. EINVAL: anything
 * else.
 */
int dmafd_buf_cpu_begin(struct dmafd_buf *buf, unsigned int access);
int dmafd_buf_cpu_end(struct dmafd_buf *buf, unsigned int access);

/* ---- channels ---- */

/* What a channel can do, as bits. */
#define DMAFD_CAP_COPY		0x01
#define DMAFD_CAP_FILL		0x02
#define DMAFD_CAP_XOR		0x04
#define DMAFD_CAP_SLAVE		0x08
#define DMAFD_CAP_CYCLIC	0x10
#define DMAFD_CAP_INTERLEAVE	0x20

#define DMAFD_NAME_MAX		64

/* Of struct dmafd_chan_desc: somebody has it; it is a port, to or from a device. */
#define DMAFD_DESC_BUSY		0x01
#define DMAFD_DESC_PORT		0x02
#define DMAFD_DESC_TX		0x04
#define DMAFD_DESC_RX		0x08

struct dmafd_chan_desc {
	char name[DMAFD_NAME_MAX];	/* to open it by */
	char device[DMAFD_NAME_MAX];	/* its controller */
	uint32_t caps;			/* of a busy one only known if dmafd gave it away */
	uint32_t flags;			/* DMAFD_DESC_... */
	uint64_t reserved[2];
};

/*
 * How many channels and ports there are, and an array of that many, to be freed by
 * dmafd_chan_list_free(). It is NULL if there is none.
 */
ssize_t dmafd_chan_list(struct dmafd_ctx *ctx, struct dmafd_chan_desc **list);
void dmafd_chan_list_free(struct dmafd_chan_desc *list);

/* Of struct dmafd_chan_options: never use io_uring. */
#define DMAFD_NO_URING		0x01
/* Of dmafd_chan_open_auto(): the CPU only does what is below the threshold. */
#define DMAFD_NO_FALLBACK	0x02

/* What is 0 takes its default. */
struct dmafd_chan_options {
	uint32_t caps;		/* what it must be able to do; DMAFD_CAP_COPY without a name */
	uint32_t depth;		/* how many jobs without a reaped result it holds; 256 */
	uint32_t timeout_ms;	/* of jobs that don't tell theirs; 10 seconds */
	uint32_t flags;		/* DMAFD_NO_URING, DMAFD_NO_FALLBACK */
	uint64_t reserved[4];	/* 0 */
};

/*
 * Opens a channel, for the caller alone, and lets nobody but its controller do the
 * jobs, unless dmafd_chan_set_threshold() is called.
 *
 * @name: which channel or port; NULL for any channel
 * @options: NULL for the defaults
 *
 * ENODEV: there is none. EBUSY: it, or all that can do that, are taken. EOPNOTSUPP:
 * it cannot do that; or unknown flags. EINVAL: too long a name, too large a depth.
 */
struct dmafd_chan *dmafd_chan_open(struct dmafd_ctx *ctx, const char *name,
				   const struct dmafd_chan_options *options);

/*
 * Opens any channel, or the one that is named, or else none: the CPU does what is too
 * short to be worth a job, what the controller can't do, and everything if there is
 * no channel (ENODEV, EBUSY, EOPNOTSUPP). Bad jobs have the same errors, and results
 * look the same.
 *
 * With DMAFD_NO_FALLBACK there must be a channel, and the CPU does what is short only.
 */
struct dmafd_chan *dmafd_chan_open_auto(struct dmafd_ctx *ctx, const char *name,
					const struct dmafd_chan_options *options);

/* Ends its jobs, if there are any, and gives it back. Their results are lost. */
void dmafd_chan_close(struct dmafd_chan *chan);

/*
 * A file descriptor to be polled: POLLIN, when dmafd_reap() has something to do. It is
 * level-triggered, and good for nothing else.
 */
int dmafd_chan_fd(const struct dmafd_chan *chan);

/* The controller may need its memory to be copied or flushed, which is done. */
#define DMAFD_ATTR_SYNC		0x01
/* It is a port that takes data, or gives it. */
#define DMAFD_ATTR_TX		0x02
#define DMAFD_ATTR_RX		0x04
/* It can be paused, and resumed. */
#define DMAFD_ATTR_PAUSE	0x08
/* There is no controller: the CPU does everything. */
#define DMAFD_ATTR_CPU		0x10000
/* Opened by dmafd_chan_open_auto(). */
#define DMAFD_ATTR_AUTO		0x20000
/* dmafd_submit() uses io_uring. */
#define DMAFD_ATTR_URING	0x40000

struct dmafd_chan_attr {
	char name[DMAFD_NAME_MAX];	/* "cpu" with DMAFD_ATTR_CPU */
	char device[DMAFD_NAME_MAX];	/* its controller; "" with DMAFD_ATTR_CPU */
	uint32_t caps;			/* DMAFD_CAP_... of the controller */
	uint32_t flags;			/* DMAFD_ATTR_... */
	uint32_t copy_align;		/* addresses and lengths of copies */
	uint32_t fill_align;		/* those of fills */
	uint32_t max_segment;		/* moved at once; longer jobs are split */
	uint32_t depth;			/* how many jobs it holds */
	uint32_t held;			/* how many it holds now: their results are not reaped */
	uint32_t residue;		/* bytes are exact to: 0 pieces, 1 segments, 2 bursts */
	uint32_t width;			/* of a port: the bytes of its device's register */
	uint32_t max_sources;		/* of an exclusive or */
	uint64_t submitted;		/* jobs that the controller was given */
	uint64_t completed;		/* of these */
	uint64_t failed;		/* of these */
	uint64_t bytes;			/* moved by the complete ones */
	uint64_t cpu_jobs;		/* that the CPU did instead of it */
	uint64_t reserved[4];
};

int dmafd_chan_info(struct dmafd_chan *chan, struct dmafd_chan_attr *attr);

#define DMAFD_STATE_IDLE	0
#define DMAFD_STATE_BUSY	1
#define DMAFD_STATE_PAUSED	2
#define DMAFD_STATE_GONE	3

struct dmafd_chan_state {
	uint32_t state;		/* DMAFD_STATE_... */
	uint32_t queued;	/* jobs that are not complete */
	uint32_t opcode;	/* of the first of them, DMAFD_JOB_...; as the rest */
	uint32_t overruns;	/* see struct dmafd_result */
	uint64_t bytes;		/* moved so far, as far as the controller tells */
	uint64_t since_ns;	/* when it became the first, on CLOCK_MONOTONIC */
	uint64_t reserved[4];
};

/* What it is doing. ENOTTY: the kernel's dmafd does not tell. */
int dmafd_chan_status(struct dmafd_chan *chan, struct dmafd_chan_state *state);

/*
 * Stops it, and ends all of its jobs, with ECANCELED; the results are to be reaped.
 * When it returns, the controller does not touch any memory for them any more. Returns
 * how many jobs were ended.
 */
int dmafd_chan_cancel(struct dmafd_chan *chan);

/*
 * Nothing goes on until it is resumed, neither does the time of a job. Doing it again
 * is no error. EOPNOTSUPP: the controller, or the CPU, cannot be paused.
 */
int dmafd_chan_pause(struct dmafd_chan *chan);
int dmafd_chan_resume(struct dmafd_chan *chan);

/* ---- jobs ---- */

enum dmafd_job_opcode {
	DMAFD_JOB_NOP,
	DMAFD_JOB_COPY,
	DMAFD_JOB_FILL,
	DMAFD_JOB_COPYV,
	DMAFD_JOB_COPY_2D,
	DMAFD_JOB_XOR,
	DMAFD_JOB_TO_DEVICE,
	DMAFD_JOB_FROM_DEVICE,
	DMAFD_JOB_CYCLIC,
};

/*
 * The job begins when all those before it are complete, and sees what they wrote.
 * Without it, what a job reads or writes must not be written by one that is not
 * complete, or that part of the memory holds anything afterwards.
 */
#define DMAFD_FENCE		0x01
/*
 * The caller cares for caches, by dmafd_buf_cpu_begin() and dmafd_buf_cpu_end(); all of
 * the job's buffers were allocated.
 */
#define DMAFD_NO_SYNC		0x04

/* A stretch of a buffer. */
struct dmafd_range {
	struct dmafd_buf *buf;
	uint64_t offset;
	uint64_t length;
};

/* The most ranges of one list. */
#define DMAFD_MAX_RANGES	1024

/*
 * What is to be done. Made by one of the functions below, which set all of it; then
 * the first three members may be changed. A value without identity: it may be copied,
 * given to several channels, and used again.
 *
 * What a job writes may not overlap with what it reads, nor be written twice by it.
 */
struct dmafd_job {
	uint64_t user_data;	/* comes back with the result */
	uint32_t flags;		/* DMAFD_FENCE, DMAFD_NO_SYNC */
	uint32_t timeout_ms;	/* since it is the first; 0 for the channel's */

	/* For the functions below only. */
	uint32_t opcode;
	uint32_t value;
	struct dmafd_buf *dst, *src;
	uint64_t dst_offset, src_offset;
	uint64_t length;
	int64_t dst_stride, src_stride;
	uint64_t rows;
	uint64_t period;
	const struct dmafd_range *dstv, *srcv;
	size_t ndst, nsrc;
	uint64_t reserved[4];
};

/* Does nothing; it completes after those before it. */
void dmafd_job_nop(struct dmafd_job *job);

void dmafd_job_copy(struct dmafd_job *job, struct dmafd_buf *dst, uint64_t dst_offset,
		    struct dmafd_buf *src, uint64_t src_offset, uint64_t length);

/* Sets bytes to a value from 0 to 255. */
void dmafd_job_fill(struct dmafd_job *job, struct dmafd_buf *dst, uint64_t offset,
		    uint64_t length, unsigned int value);

/* The most rows of one job. */
#define DMAFD_MAX_ROWS		65536

/*
 * Copies rows. When both strides are the same, up or down, rows of both sides may lie
 * between each other; otherwise the areas from the lowest to the highest row may not
 * overlap.
 *
 * @dst_stride: from the beginning of a row to the next one's; at least a row, up or down
 * @src_stride: the same; rows may also overlap each other, or be all the same
 * @row: length of a row in bytes
 * @rows: how many
 */
void dmafd_job_copy_2d(struct dmafd_job *job, struct dmafd_buf *dst, uint64_t dst_offset,
		       int64_t dst_stride, struct dmafd_buf *src, uint64_t src_offset,
		       int64_t src_stride, uint64_t row, uint64_t rows);

/*
 * Copies ranges, one behind the other, to other ranges; both lists have the same length
 * in bytes. The arrays must be there until the job was submitted.
 */
void dmafd_job_copyv(struct dmafd_job *job, const struct dmafd_range *dstv, size_t ndst,
		     const struct dmafd_range *srcv, size_t nsrc);

/* The exclusive or of at least two ranges, each of them @length long. */
void dmafd_job_xor(struct dmafd_job *job, struct dmafd_buf *dst, uint64_t dst_offset,
		   const struct dmafd_range *srcv, size_t nsrc, uint64_t length);

/* On a port: gives memory to its device, or fills it from there. */
void dmafd_job_to_device(struct dmafd_job *job, struct dmafd_buf *src, uint64_t offset,
			 uint64_t length);
void dmafd_job_from_device(struct dmafd_job *job, struct dmafd_buf *dst, uint64_t offset,
			   uint64_t length);

/*
 * On a port: the same, round and round, until it is canceled. The result has
 * DMAFD_MORE whenever periods have passed since the last one was reaped.
 *
 * @length: of the ring; a multiple of @period, and at least two of them
 */
void dmafd_job_cyclic(struct dmafd_job *job, struct dmafd_buf *ring, uint64_t offset,
		      uint64_t length, uint64_t period);

/* ---- asynchronous ---- */

/*
 * Gives jobs to the channel and returns how many were taken: those before the first bad
 * one, or as many as it holds. If there are none, -1. Waits for nothing, except in auto
 * mode, for the jobs before one that only the CPU can do.
 *
 * EAGAIN: it holds as many as it may: reap first. EINVAL: it makes no sense: nothing to
 * do, a range outside of its buffer, an overlap, an alignment, or no job at all.
 * ENOENT: a buffer of another context. EACCES: a buffer may not be read or written.
 * EOPNOTSUPP: unknown flags, or the controller cannot do that. ENODEV: it is gone. EIO:
 * it does not reach a buffer's memory. EBUSY: others work on an imported dma-buf. ENOMEM.
 *
 * The last four, and EINVAL because of an imported dma-buf, may as well be told by the
 * job's result.
 */
int dmafd_submit(struct dmafd_chan *chan, const struct dmafd_job *jobs, size_t n);

/* The job goes on: of a cyclic one, there were periods. */
#define DMAFD_MORE		0x01
/* The CPU did it. */
#define DMAFD_BY_CPU		0x10000

struct dmafd_result {
	uint64_t user_data;	/* of the job */
	uint64_t sequence;	/* the job's number on its channel: 0, 1, 2 ... */
	uint64_t bytes;		/* moved, from the beginning, as far as the controller tells;
				 * of a cyclic one, whole periods since it began
				 */
	uint64_t submit_ns;	/* when it was submitted, on CLOCK_MONOTONIC */
	uint64_t complete_ns;	/* when it was complete; by io_uring, when that was seen */
	int32_t status;		/* 0, or a negative error: see below */
	uint32_t opcode;	/* DMAFD_JOB_... */
	uint32_t flags;		/* DMAFD_MORE, DMAFD_BY_CPU */
	uint32_t overruns;	/* of a cyclic one: periods lost since it began */
	uint64_t reserved[2];
};

/*
 * Takes results, in the order in which the jobs were submitted.
 *
 * @max: how many at most
 * @timeout_ms: how long to wait for the first; 0 not at all, -1 for ever
 *
 * Returns how many, 0 if there was none in time. EINTR: a signal came. EINVAL: no job is
 * on the channel, and it is to be waited for ever.
 *
 * A result's status is 0; -EIO: the controller failed; -EREMOTEIO: its driver refused
 * it; -ETIMEDOUT: it took too long, and the channel was stopped; -ECANCELED: for that, or
 * by dmafd_chan_cancel(); -ENODEV: the controller went away. What a job that failed was
 * to write may be changed.
 */
int dmafd_reap(struct dmafd_chan *chan, struct dmafd_result *results, size_t max,
	       int timeout_ms);

/* ---- synchronous ---- */

/*
 * Does jobs and waits for them; signals don't interrupt that. Their number may be more
 * than the channel's depth. Fails with the first error there is, of submitting a job or
 * in its result; jobs behind one that could not be submitted are not done. Results of
 * jobs that were submitted before stay to be reaped.
 *
 * @results: @n of them, in the jobs' order, or NULL; those of jobs that were not
 *	submitted have the status -ECANCELED, and of the first of these the error
 */
int dmafd_run(struct dmafd_chan *chan, const struct dmafd_job *jobs, size_t n,
	      struct dmafd_result *results);

/* One job each, as above. */
int dmafd_copy(struct dmafd_chan *chan, struct dmafd_buf *dst, uint64_t dst_offset,
	       struct dmafd_buf *src, uint64_t src_offset, uint64_t length);
int dmafd_fill(struct dmafd_chan *chan, struct dmafd_buf *dst, uint64_t offset,
	       uint64_t length, unsigned int value);
int dmafd_copy_2d(struct dmafd_chan *chan, struct dmafd_buf *dst, uint64_t dst_offset,
		  int64_t dst_stride, struct dmafd_buf *src, uint64_t src_offset,
		  int64_t src_stride, uint64_t row, uint64_t rows);
int dmafd_copyv(struct dmafd_chan *chan, const struct dmafd_range *dstv, size_t ndst,
		const struct dmafd_range *srcv, size_t nsrc);
int dmafd_xor(struct dmafd_chan *chan, struct dmafd_buf *dst, uint64_t dst_offset,
	      const struct dmafd_range *srcv, size_t nsrc, uint64_t length);

/*
 * Copies any memory: registers it for the time of the call, which is worth it for large
 * pieces, or lets the CPU do it below the threshold. EINVAL: they overlap.
 */
int dmafd_copy_mem(struct dmafd_chan *chan, void *dst, const void *src, size_t length);

/* ---- policy ---- */

/*
 * Measures for a few milliseconds from what length on the controller copies faster than
 * the CPU, on this machine and channel, and sets the threshold to that; SIZE_MAX if it
 * never does. The channel must not hold a job: EBUSY.
 *
 * @threshold: where to put it, or NULL
 */
int dmafd_calibrate(struct dmafd_chan *chan, size_t *threshold);

/*
 * Jobs with fewer bytes than this are done by the CPU if no job is under way.
 * At first 0, and 16 KiB on a channel that dmafd_chan_open_auto() made.
 */
void dmafd_chan_set_threshold(struct dmafd_chan *chan, size_t threshold);
size_t dmafd_chan_threshold(const struct dmafd_chan *chan);

#ifdef __cplusplus
}
#endif

#endif
