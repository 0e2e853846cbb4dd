/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dmafd: DMA channels for programs. What its parts know of each other.
 *
 *	main.c		the module and /dev/dmafd
 *	ctx.c		contexts, and the dispatch of ioctls
 *	account.c	memory that is locked on behalf of users
 *	buf.c		buffers, and what is the same for all of them
 *	pin.c		memory of programs that is pinned
 *	memory.c	memory that is allocated
 *	export.c	the same as a dma-buf
 *	import.c	dma-bufs of others
 *	map.c		buffers as a controller sees them
 *	ctrl.c		controllers that are in use, and their going away
 *	find.c		which channels there are
 *	port.c		places where a channel meets a device's register
 *	configfs.c	ports that root tells of
 *	chan.c		channels as files
 *	request.c	operations taken from programs
 *	op.c		operations checked, and the memory that they name found
 *	submit.c	operations made into jobs
 *	uring.c		the same by io_uring
 *	stream.c	the memory of a job, from its beginning to its end
 *	slave.c		what is particular to a port's jobs
 *	cyclic.c	the ring of a cyclic job
 *	pump.c		jobs fed to the controller, piece by piece
 *	stop.c		the end of jobs that don't end by themselves
 *	complete.c	jobs that are over, and those who wait for them
 *	show.c		what the others tell of themselves
 *	trace.h		tracepoints
 *
 * Who keeps whom: a channel keeps its context and its controller; a context owns
 * its buffers; a buffer owns its mappings, each of which keeps its controller. A
 * job is a part of its channel; it counts in the buffers that it works on, which
 * are not removed as long as there is any. So a buffer's end comes when none of
 * its jobs are left: by DMAFD_BUF_REMOVE, or with the context, which goes after
 * its channels. A channel's end, and that of its controller, stop it first.
 * Memory that is allocated is kept by its buffer and its dma-buf; an imported
 * dma-buf by its buffer.
 *
 * Locks, outermost first:
 *
 *	channel's mutex > context's lock > controller's lock > a dma-buf's
 *		reservation lock > memory's lock
 *	memory's buf_lock > controller's lock
 *	channel's mutex > channel's lock (interrupts off)
 *	read_lock > channel's mutex
 *	a port maker's lock > channel's mutex > ports' lock
 *	list of controllers > what the driver core does to bind our device
 *
 * The driver core holds a device's lock when a controller goes away; then the
 * channel's mutex or the controller's lock are taken.
 */
#ifndef DMAFD_H
#define DMAFD_H

#include <linux/atomic.h>
#include <linux/dma-direction.h>
#include <linux/dmaengine.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/refcount.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <linux/dmafd.h>

#define DMAFD_DRIVER		"dmafd"
#define DMAFD_DEPTH		256
#define DMAFD_MAX_DEPTH		4096
#define DMAFD_TIMEOUT_MS	10000
/* All that are known. */
#define DMAFD_CAPS		(DMAFD_CAP_COPY | DMAFD_CAP_FILL | DMAFD_CAP_XOR |	\
				 DMAFD_CAP_SLAVE | DMAFD_CAP_CYCLIC | DMAFD_CAP_INTERLEAVE)

/* Sources of an xor. */
#define DMAFD_MAX_SOURCES	32

/* The controller is given work after so many operations, if there are more. */
#define DMAFD_BATCH		32

/* Pieces that the controller holds at most. */
#define DMAFD_WINDOW		64
/* See struct dmafd_run. */
#define DMAFD_RUNS		8

struct device;
struct dma_buf;
struct dma_buf_attachment;
struct file;
struct io_comp_batch;
struct io_uring_cmd;
struct mm_struct;
struct vm_area_struct;
struct cred;
struct platform_device;
struct seq_file;

/* ---- ioctls ---- */

/* An ioctl's argument, taken from the caller once; what follows its end is 0. */
struct dmafd_cmd {
	void __user *user;
	u32 user_size;
	u32 size;	/* as this kernel knows it */
	void *arg;
	bool responded;	/* the caller was given the argument, or could not be */
};

struct dmafd_ioctl {
	unsigned int cmd;
	u32 size, min_size;
	int (*handle)(void *object, struct dmafd_cmd *cmd);
};

#define DMAFD_IOCTL(_cmd, _type, _last, _handle) {		\
	.cmd = (_cmd), .size = sizeof(struct _type),		\
	.min_size = offsetofend(struct _type, _last),		\
	.handle = (_handle),					\
}

/*
 * Finds the ioctl in a table of @count, and calls it. The argument is given back
 * to the caller when it succeeds, unless it was given already.
 */
long dmafd_dispatch(const struct dmafd_ioctl *table, size_t count, void *object,
		    unsigned int cmd, unsigned long arg);
/*
 * Gives the argument to the caller: 0 or -EFAULT. Whoever publishes something does so
 * before, and cannot fail afterwards.
 */
int dmafd_respond(struct dmafd_cmd *cmd);

/* ---- contexts ---- */

/* Buffers that are found at once, if their numbers are near each other. */
#define DMAFD_RECENT		16

struct dmafd_ctx {
	struct kref ref;
	struct mutex lock;	/* protects all below, and what gets into a buffer's maps */
	struct xarray bufs;
	struct dmafd_buf *recent[DMAFD_RECENT];	/* by the end of their numbers; or NULL */
};

extern const struct file_operations dmafd_ctx_fops;

void dmafd_ctx_get(struct dmafd_ctx *ctx);
/* May sleep, and may be the end of the context. */
void dmafd_ctx_put(struct dmafd_ctx *ctx);

int dmafd_info(void *object, struct dmafd_cmd *cmd);
int dmafd_buf_register(void *object, struct dmafd_cmd *cmd);
int dmafd_buf_remove(void *object, struct dmafd_cmd *cmd);
int dmafd_buf_alloc(void *object, struct dmafd_cmd *cmd);
int dmafd_buf_import(void *object, struct dmafd_cmd *cmd);
int dmafd_chan_list(void *object, struct dmafd_cmd *cmd);
int dmafd_chan_open(void *object, struct dmafd_cmd *cmd);

/* ---- locked memory ---- */

/* Who pays for pages, and how many. */
struct dmafd_account {
	const struct cred *cred;
	struct mm_struct *mm;
	unsigned long pages;
};

/* Charges the current user: 0 or -ENOMEM. */
int dmafd_account_charge(struct dmafd_account *account, unsigned long pages);
void dmafd_account_return(struct dmafd_account *account);

/* ---- memory that is allocated ---- */

struct dmafd_memory {
	struct kref ref;
	size_t size;			/* constant, as all up to the lock */
	unsigned long count, have;	/* pages */
	struct page **pages;
	bool is_reserved;		/* of memory that is kept for DMA, in one piece */
	dma_addr_t reserved;		/* its address for nobody */
	struct dmafd_account account;

	struct mutex buf_lock;		/* protects buf, which exists under it */
	struct dmafd_buf *buf;		/* that it is the memory of; or NULL */

	struct mutex lock;		/* protects all below */
	struct list_head attachments;	/* of devices, to its dma-buf */
	void *vaddr;			/* where the kernel has it mapped; or NULL */
};

int dmafd_memory_init(void);
void dmafd_memory_exit(void);
/* Zeroed, of whole pages, in the caller's account; or an error. May sleep. */
struct dmafd_memory *dmafd_memory_make(size_t size, bool contiguous);
void dmafd_memory_get(struct dmafd_memory *memory);
void dmafd_memory_put(struct dmafd_memory *memory);
/* Into a program's address space, what is_reserved. */
int dmafd_memory_map_reserved(struct dmafd_memory *memory, struct vm_area_struct *vma);

/* Its buffer is about to go. May sleep. */
void dmafd_memory_leave(struct dmafd_memory *memory);

/* A dma-buf that keeps the memory, or an error. */
struct dma_buf *dmafd_export(struct dmafd_memory *memory);
/* The memory, if the dma-buf was made so; or NULL. */
struct dmafd_memory *dmafd_exported(struct dma_buf *dmabuf);

/* ---- buffers ---- */

/* All but the last four are constant. */
struct dmafd_buf {
	u32 access;		/* DMAFD_BUF_READ, DMAFD_BUF_WRITE */
	/* Two bytes with the same address in the same space are the same. */
	const void *space;
	unsigned long addr;
	size_t length;
	size_t first;		/* where it begins in the first page */
	unsigned long count;
	struct page **pages;	/* NULL if it is imported */
	struct dmafd_account account;	/* if it is pinned */
	struct dmafd_memory *memory;	/* if it is allocated */
	struct dma_buf *dmabuf;	/* if it is imported */
	void (*release)(struct dmafd_buf *buf);	/* gives back the memory, if there is any */
	u32 id;
	struct xarray maps;	/* by controller; the context's lock to change it */
	struct dmafd_map *recent;	/* one of them, or NULL; the context's lock */
	atomic_t jobs;		/* going up only under the context's lock */
};

/* 0, or what is wrong with a buffer's flags. */
int dmafd_buf_check(u32 flags);
/* One without memory, or NULL. */
struct dmafd_buf *dmafd_buf_make(u32 access, size_t length);
/*
 * Gives it a number and the caller the answer, and then to the context; or an
 * error, and nobody knows of it.
 */
int dmafd_buf_publish(struct dmafd_ctx *ctx, struct dmafd_buf *buf, struct dmafd_cmd *cmd,
		      u32 *out_buf);
/* The buffer with that number, or NULL. Caller holds the context's lock. */
struct dmafd_buf *dmafd_buf_search(struct dmafd_ctx *ctx, u32 id);
static inline struct dmafd_buf *dmafd_buf_find(struct dmafd_ctx *ctx, u32 id)
{
	struct dmafd_buf *buf = ctx->recent[id % DMAFD_RECENT];

	return buf && buf->id == id ? buf : dmafd_buf_search(ctx, id);
}

/*
 * Hands a buffer to all devices that it was used by without being synchronized, or
 * back to the CPU. May sleep.
 */
void dmafd_buf_for_device(struct dmafd_buf *buf);
void dmafd_buf_for_cpu(struct dmafd_buf *buf);
/* Unmaps a buffer that nobody knows of any more, and gives back its memory. */
void dmafd_buf_free(struct dmafd_buf *buf);
/*
 * The CPU copies, sets, or takes the exclusive or of a few bytes, of buffers that
 * are not imported. Any context.
 */
void dmafd_buf_copy(struct dmafd_buf *dst, size_t dst_at, struct dmafd_buf *src, size_t src_at,
		    size_t len);
void dmafd_buf_xor(struct dmafd_buf *dst, size_t dst_at, struct dmafd_buf *src, size_t src_at,
		   size_t len);
void dmafd_buf_fill(struct dmafd_buf *dst, size_t at, int value, size_t len);

/* ---- controllers ---- */

struct dmafd_ctrl {
	struct list_head node;		/* the list of controllers' lock */
	refcount_t users;		/* the same, to find it and for the last one to go */
	struct work_struct end;
	unsigned long id;		/* constant */
	struct device *dev;		/* that memory is mapped for; constant */
	struct device *supplier;	/* whose driver it is; constant */
	struct platform_device *pdev;	/* ours, which goes before it; constant */

	struct mutex lock;		/* protects all below */
	bool gone;
	struct list_head chans;
	struct list_head maps;
};

/* The controller that a channel is of, kept; or an error. May sleep. */
struct dmafd_ctrl *dmafd_ctrl_get(struct dma_chan *dma);
/* Keeps it once more; the caller has it. */
void dmafd_ctrl_hold(struct dmafd_ctrl *ctrl);
/* May sleep; its end, if this is it, comes later. */
void dmafd_ctrl_put(struct dmafd_ctrl *ctrl);
int dmafd_ctrl_init(void);
void dmafd_ctrl_exit(void);

/* ---- mappings ---- */

/* A part of a buffer that is in one piece both for the CPU and for the device. */
struct dmafd_part {
	dma_addr_t addr;
	size_t at;		/* in the buffer */
	size_t len;
};

/* A buffer as one controller sees it. Owned by the buffer. */
struct dmafd_map {
	struct dmafd_ctrl *ctrl;
	struct list_head node;		/* on the controller's list while mapped; its lock */
	bool mapped;			/* the same */
	size_t length;			/* the buffer's */
	struct sg_table sgt;		/* unless it is imported */
	struct dma_buf_attachment *attachment;	/* if it is; the controller's lock */
	struct sg_table *foreign;	/* the same */
	enum dma_data_direction dir;
	bool sync;			/* the device does not see what the CPU sees */
	unsigned int line;		/* what the device writes along with a byte; or 1 */
	unsigned int parts;
	struct dmafd_part *part;
	struct dmafd_map *raw;		/* the same, never synchronized; or NULL. See dmafd_map_raw() */
};

/* A place in a mapping. */
struct dmafd_place {
	unsigned int part;
	size_t at;			/* in that part */
};

/*
 * The mapping of a buffer for a controller, made if there is none yet; or an
 * error. Caller holds the context's lock. It stays until the buffer is freed, or
 * the controller goes, which is after its channels have gone.
 */
struct dmafd_map *dmafd_map_search(struct dmafd_buf *buf, struct dmafd_ctrl *ctrl);
static inline struct dmafd_map *dmafd_map_get(struct dmafd_buf *buf, struct dmafd_ctrl *ctrl)
{
	struct dmafd_map *map = buf->recent;

	return map && map->ctrl == ctrl ? map : dmafd_map_search(buf, ctrl);
}

/*
 * The same for jobs that don't synchronize it, which is its "raw" from then on: the
 * program does, by the buffer's dma-buf. Or an error. It stays as long as the other.
 * Caller holds the context's lock.
 */
struct dmafd_map *dmafd_map_raw(struct dmafd_buf *buf, struct dmafd_map *map);
void dmafd_map_free(struct dmafd_map *map);
/* Undoes it for a controller that goes. Caller holds the controller's lock. */
void dmafd_map_undo(struct dmafd_map *map);
const struct dmafd_part *dmafd_map_search_part(const struct dmafd_map *map, size_t at);
/* The part that a byte is in. */
static inline const struct dmafd_part *dmafd_map_part(const struct dmafd_map *map, size_t at)
{
	return map->parts == 1 ? map->part : dmafd_map_search_part(map, at);
}

void dmafd_map_seek(const struct dmafd_map *map, size_t at, struct dmafd_place *place);
static inline dma_addr_t dmafd_map_addr(const struct dmafd_map *map,
					const struct dmafd_place *place)
{
	return map->part[place->part].addr + place->at;
}

/* How many bytes from there are in one piece for the device, of at most @want. */
size_t dmafd_map_run(const struct dmafd_map *map, const struct dmafd_place *place, size_t want);
void dmafd_map_advance(const struct dmafd_map *map, struct dmafd_place *place, size_t len);
/* Hands a range to the device, or back to the CPU, if they need that. Any context. */
void dmafd_map_for_device(const struct dmafd_map *map, size_t at, size_t len);
void dmafd_map_for_cpu(const struct dmafd_map *map, size_t at, size_t len);
/* The same of a range that is in one part, by its address. */
void dmafd_map_piece_for_device(const struct dmafd_map *map, dma_addr_t addr, size_t len);
void dmafd_map_piece_for_cpu(const struct dmafd_map *map, dma_addr_t addr, size_t len);
/* The most that a device takes as one segment, in whole pages. */
unsigned int dmafd_segment_limit(struct device *dev);
/* Maps an imported buffer, or undoes it. Caller holds the controller's lock. */
int dmafd_import_map(struct dmafd_map *map, struct dma_buf *dmabuf);
void dmafd_import_unmap(struct dmafd_map *map);
/* Whether others have not yet done with an imported buffer what they announced. */
bool dmafd_import_busy(const struct dmafd_buf *buf, u32 access);
/* Writes of the device to a part of so many bytes take the rest with them. */
unsigned int dmafd_line(void);

/* ---- ports ---- */

struct dmafd_chan;
struct dmafd_port;

/* What is told of a port. */
struct dmafd_port_config {
	char name[DMAFD_NAME_MAX];
	char channel[2 * DMAFD_NAME_MAX];	/* as the port's device knows it; or, if it has
						 * none, the DMA engine
						 */
	bool rx;		/* from the device to memory; else the other way */
	u64 address;		/* the register's, as the controller is told */
	u32 width;		/* the register's, in bytes */
	u32 burst;		/* in items of that width */
};

bool dmafd_port_is_width(u32 width);
/* 0, or -EINVAL, and the kernel log tells why. */
int dmafd_port_check(const struct dmafd_port_config *config);
/*
 * Makes a port that can be opened. @dev, or NULL, has to stay until it was removed.
 * Errors are -ENOMEM and -EEXIST.
 */
struct dmafd_port *dmafd_port_add(struct device *dev, const struct dmafd_port_config *config);
/* Removes it, and kills the channel that it is open as. May sleep. */
void dmafd_port_remove(struct dmafd_port *port);
/* Removes it, or -EBUSY if somebody has it. */
int dmafd_port_remove_free(struct dmafd_port *port);

/* The port of that name, for the caller alone and to be given back; NULL; or -EBUSY. */
struct dmafd_port *dmafd_port_take(const char *name);
/* Its channel, ready to be used. */
struct dma_chan *dmafd_port_request(struct dmafd_port *port);
/* From here on the channel ends with the port: 0 or -ENODEV. */
int dmafd_port_join(struct dmafd_port *port, struct dmafd_chan *chan);
/* Its channel was released. The port is not to be used any more. */
void dmafd_port_give_back(struct dmafd_port *port);
/* Its channel never will be; it still has to be given back. */
void dmafd_port_strand(struct dmafd_port *port);
const struct dmafd_port_config *dmafd_port_config(const struct dmafd_port *port);

typedef void (*dmafd_port_function)(const struct dmafd_port_config *config, bool taken,
				    const struct dmafd_chan *chan, void *data);
/* Calls it for each, with the channel that the port is open as, or NULL. */
void dmafd_port_for_each(dmafd_port_function function, void *data);

int dmafd_port_init(void);
void dmafd_port_exit(void);
int dmafd_configfs_init(void);
void dmafd_configfs_exit(void);

/* ---- streams ---- */

/* A part of a buffer that a job works on. */
struct dmafd_stretch {
	struct dmafd_buf *buf;
	struct dmafd_map *map;
	size_t at, len;
};

/*
 * What a job reads, or what it writes: stretches of memory, one behind the other.
 * Either each stands in a list, or all are like the first, @stride bytes apart.
 * Without any, @count is 0. All but the walker's is constant while there is a job.
 */
struct dmafd_stream {
	unsigned int count;
	struct dmafd_stretch *list;	/* owned; or NULL */
	struct dmafd_stretch one;	/* the first, without a list */
	s64 stride;

	/* Where it is, of who walks along it: the pump, and then who completes the job. */
	unsigned int nr;		/* of the stretch */
	struct dmafd_stretch now;	/* that stretch */
	size_t in;			/* how far in it */
	struct dmafd_place place;	/* the same */
};

/* The stretch with that number. */
void dmafd_stream_get(const struct dmafd_stream *stream, unsigned int nr,
		      struct dmafd_stretch *stretch);
/* To the beginning. Any context, as the rest. */
void dmafd_stream_rewind(struct dmafd_stream *stream);
/* Forth by so many bytes, of which there are as many. */
void dmafd_stream_advance(struct dmafd_stream *stream, size_t len);
static inline dma_addr_t dmafd_stream_addr(const struct dmafd_stream *stream)
{
	return dmafd_map_addr(stream->now.map, &stream->place);
}

/* How much of what is left of this stretch is in one piece for the device. */
size_t dmafd_stream_run(const struct dmafd_stream *stream, size_t want);
/*
 * Where the device does not see the CPU's caches, a line that holds other bytes,
 * too, must not be written by it: what the CPU writes there would be lost. So the
 * device writes the middle of a stretch, and the CPU the edges. How long is the
 * one at its beginning, and where the one at its end begins.
 */
void dmafd_stretch_edges(const struct dmafd_stretch *stretch, size_t *head, size_t *tail);
/* Hands it over: what is read completely, what is written without edges. */
void dmafd_stream_for_device(const struct dmafd_stream *stream, bool written);
void dmafd_stream_for_cpu(const struct dmafd_stream *stream);
/* Whether there is anything to be handed over. */
bool dmafd_stream_syncs(const struct dmafd_stream *stream);
/* Whether any stretch has edges, if it is written. */
bool dmafd_stream_has_edges(const struct dmafd_stream *stream);
/* Lets go of its buffers, and frees the list. */
void dmafd_stream_release(struct dmafd_stream *stream);

/* ---- jobs ---- */

/*
 * A job. It is free, or in the queue, or done and to be read, and on the list that
 * says so. What stands under "the pump's" belongs to who pumps; the rest is
 * constant while it is in the queue.
 */
struct dmafd_job {
	struct list_head node;		/* channel's lock */
	u32 opcode;
	u32 flags;
	u64 user_data;
	struct io_uring_cmd *cmd;	/* is done with it, instead of a record; or NULL */
	u64 sequence;
	u64 submit_ns;
	u64 complete_ns;
	struct dmafd_stream dst;
	struct dmafd_stream src;
	struct dmafd_stream *srcs;	/* all that is read: &src, or an array of its own */
	unsigned int nr_srcs;
	size_t length;
	size_t period;			/* of a cyclic job; or 0 */
	u32 align;			/* of addresses and lengths, for the controller */
	/*
	 * The controller does it as one piece, of memory that is in one part and has no
	 * edges: from there to there. Nobody walks along the streams of such a job.
	 */
	bool whole;
	dma_addr_t from, to;
	u8 value;
	unsigned long timeout;		/* jiffies; 0: none. Of a cyclic job, channel's lock */
	unsigned long deadline;		/* channel's lock; while first in the queue */
	u64 since_ns;			/* the same */

	/* the pump's */
	bool started, fed;
	bool at_once;			/* many rows or parts in one piece, if the driver likes */
	size_t left;			/* up to the end, edges included */
	unsigned int pieces;		/* that the controller has */
	u64 bytes;			/* that it moved; once complete, edges included */
	u32 overruns;
	int status;
};

/* All that it works on, to its beginning, or forth by so many bytes. */
void dmafd_job_rewind(struct dmafd_job *job);
void dmafd_job_advance(struct dmafd_job *job, size_t len);
/* Lets go of all its memory: nothing is there afterwards. Any context. */
void dmafd_job_release(struct dmafd_job *job);

/* ---- channels ---- */

struct dmafd_run;

/* A piece of a job that the controller has; or nothing, without a job. */
struct dmafd_slot {
	struct dmafd_run *run;		/* constant, as is next: the one that is filled after it */
	struct dmafd_slot *next;
	struct dmafd_job *job;		/* written before the controller has it, as up to call */
	size_t len;
	dma_async_tx_callback_result call;
	dma_cookie_t cookie;		/* 0 until it is known */
	bool done;			/* channel's lock, and the two below */
	bool failed;
	u32 residue;
};

/*
 * What callbacks are called with. A controller without device_synchronize() may
 * call back for a while after it was stopped: each stop begins a new run there,
 * and the memory of the old one is not used again soon.
 */
struct dmafd_run {
	struct dmafd_chan *chan;
	struct dmafd_slot slot[DMAFD_WINDOW];
};

/* The cyclic job that the controller has. Periods are numbered from its beginning. */
struct dmafd_ring {
	struct dmafd_job *job;		/* NULL: none */
	dma_cookie_t cookie;		/* 0 until it is known */
	u32 periods;			/* of a round */
	bool silent;			/* the program is not told */
	bool failed;
	u64 calls;			/* callbacks */
	u64 passed;
	u64 passed_ns;
	size_t position;		/* in the one after those */
	u64 told;			/* up to there the program knows */
	u64 released;			/* and up to there it is done with them */
	u64 over;			/* up to there they are being written over, or were */
	u64 overruns;
};

struct dmafd_chan {
	struct kref ref;
	struct dmafd_ctx *ctx;		/* constant, as all up to the mutex */
	struct dmafd_ctrl *ctrl;
	struct dma_chan *dma;		/* not valid once it was given back */
	struct dmafd_port *port;	/* the same; NULL if it is none */
	enum dma_transfer_direction direction;	/* of a port; else DMA_MEM_TO_MEM */
	u32 width;			/* of a port's register; or 0 */
	bool can_pause;
	bool plain_callbacks;		/* see dmafd_call_back() */
	bool sync;			/* the controller does not see what the CPU sees */
	u32 caps;
	u32 opcodes;			/* that it is for, as bits */
	u32 copy_align, fill_align;	/* bytes */
	u32 xor_align;
	unsigned int max_sources;	/* of an xor */
	size_t max_segment;		/* a multiple of all three */
	unsigned long boundary;		/* that a piece does not cross; a mask */
	unsigned int depth;
	unsigned long timeout;
	bool nonblock;
	char name[DMAFD_NAME_MAX];
	pid_t pid;			/* who opened it */
	char comm[TASK_COMM_LEN];
	struct dmafd_job *job;		/* the array of all */
	struct dmafd_run *runs;
	unsigned int nr_runs;

	struct mutex mutex;		/* who submits, stops or gives back the channel */
	bool gone;			/* given back; mutex */
	struct list_head node;		/* on the controller's list; the controller's lock */
	struct list_head found;		/* on the list of all; find.c's lock */

	struct mutex read_lock;		/* who takes completions away */

	spinlock_t lock;		/* protects all below */
	struct list_head free;
	struct list_head queue;
	struct list_head done;
	unsigned int held;		/* jobs that are not free */
	u64 submitted, completed;
	u64 failed, bytes;		/* of those that are complete */
	bool dead;			/* no jobs any more, ever; mutex to set */
	bool stranded;			/* the controller could not be stopped; mutex to set */
	bool stopping;			/* nobody may begin to pump */
	bool paused;			/* the controller is fed nothing; mutex to set */
	unsigned long paused_at;	/* jiffies; while paused */
	struct dmafd_ring ring;
	bool pumping, again;
	bool wake;			/* somebody is to be woken when the pump rests */
	struct dmafd_run *run;
	struct dmafd_job *feed;		/* the first in the queue that is not fed; or NULL */
	unsigned long watch_at;		/* jiffies */

	/* Who pumps owns these; who has stopped the pump does. */
	unsigned int first, count;	/* slots in use */
	bool over;			/* the first jobs may be */
	bool kick;			/* some of them were not issued yet */
	unsigned int run_nr;
	bool halted;			/* the controller pauses what it has */
	struct dma_interleaved_template *rows;
	struct scatterlist *entry;	/* of a port: so many as the window has */

	wait_queue_head_t wait;		/* for completions, or room */
	wait_queue_head_t rest;		/* for the pump to rest */
	struct delayed_work watchdog;
	struct delayed_work uring_watch;
};

extern const struct file_operations dmafd_chan_fops;

u32 dmafd_caps(struct dma_chan *dma);
/* Takes a channel with these abilities, and that name unless it is "", or an error. */
struct dma_chan *dmafd_find(const char *name, u32 caps);
/* The channels that dmafd gave away, for lists of all. */
void dmafd_found_add(struct dmafd_chan *chan);
void dmafd_found_remove(struct dmafd_chan *chan);
/* For each of them, which stays meanwhile. */
void dmafd_found_each(void (*call)(struct dmafd_chan *chan, void *param), void *param);

void dmafd_chan_put(struct dmafd_chan *chan);
/*
 * Ends all jobs with that status and gives the channel back, if that was not done
 * already. May sleep.
 */
void dmafd_chan_kill(struct dmafd_chan *chan, int status);

/* What a program asks for, copied and complete. */
struct dmafd_request {
	struct dmafd_op op;
	union {
		struct dmafd_sg_args sg;
		struct dmafd_2d_args rows;
		struct dmafd_cyclic_args ring;
	};
	struct dmafd_segment *src, *dst;	/* owned; or NULL */
};

/*
 * Takes it from the caller's memory, or what belongs to an operation that was taken,
 * and checks all that it names beside memory. May sleep for as long as the caller
 * likes: no lock is held. It is to be freed if that succeeds.
 */
int dmafd_request_fetch(const struct dmafd_chan *chan, struct dmafd_request *request,
			const void __user *user, u32 size);
int dmafd_request_complete(const struct dmafd_chan *chan, struct dmafd_request *request);
void dmafd_request_free(const struct dmafd_request *request);

/* Those that are known, as bits. */
u64 dmafd_opcodes(void);
/* Those that a channel is for, which can do and is what is said. */
u32 dmafd_opcodes_of(u32 caps, enum dma_transfer_direction direction);
/* Whether all that it names beside memory is as it should be: 0 or an error. */
int dmafd_op_check(const struct dmafd_chan *chan, const struct dmafd_op *op);
/*
 * Finds the memory of such an operation for a job that has none; when it fails,
 * the job has none then, either. May sleep. Caller holds the channel's mutex and the
 * context's lock.
 */
int dmafd_op_find(struct dmafd_chan *chan, const struct dmafd_request *request,
		  struct dmafd_job *job);
/* -EINVAL if a job writes what it reads, or something twice, or another error. */
int dmafd_check_overlap(const struct dmafd_job *job);
int dmafd_submit(void *object, struct dmafd_cmd *cmd);
/*
 * Makes jobs of some requests and queues them; how many, or why not even the first.
 * @cmd, of a single one, is to be told when it is over; or NULL. The caller, who
 * holds the channel's mutex, is to pump then or soon.
 */
int dmafd_queue(struct dmafd_chan *chan, const struct dmafd_request *requests,
		unsigned int count, struct io_uring_cmd *cmd);

int dmafd_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags);
int dmafd_uring_iopoll(struct io_uring_cmd *cmd, struct io_comp_batch *batch,
		       unsigned int poll_flags);
void dmafd_uring_watch(struct work_struct *work);
/*
 * Completes the commands of jobs that the controller keeps for ever, or their rings
 * would never end. Caller holds the mutex.
 */
void dmafd_uring_strand(struct dmafd_chan *chan);
/* Keeps a job's outcome, and then completes the command. Any context. */
void dmafd_uring_note(struct io_uring_cmd *cmd, const struct dmafd_job *job);
void dmafd_uring_done(struct io_uring_cmd *cmd);

/* Whether a channel of that direction is for that: not all that the controller can do is. */
bool dmafd_slave_may(enum dma_transfer_direction direction, u32 opcode);
/* The side of a port's job that is memory. */
struct dmafd_stream *dmafd_slave_stream(const struct dmafd_chan *chan, struct dmafd_job *job);
/* Whether the controller can do a port's job on that memory: 0 or -EINVAL. */
int dmafd_slave_check(const struct dmafd_chan *chan, struct dmafd_job *job);
/*
 * Puts what comes next into the channel's list, in at most so many entries; how
 * many bytes and entries that are, which may be none. Caller owns the pump.
 */
size_t dmafd_slave_fill(struct dmafd_chan *chan, struct dmafd_job *job, size_t max,
			unsigned int *entries);

/* Gives a ring to the controller: its cookie, or an error. Caller owns the pump. */
dma_cookie_t dmafd_cyclic_start(struct dmafd_chan *chan, struct dmafd_job *job,
				struct dmafd_slot *slot);
/* The controller does not have it any more. Caller holds the channel's lock, as below. */
void dmafd_cyclic_forget(struct dmafd_chan *chan);
/* How far the ring came, since it began. There is one. */
u64 dmafd_cyclic_bytes(struct dmafd_chan *chan, u32 *overruns);
/* Whether there is something to tell the program. */
bool dmafd_cyclic_news(const struct dmafd_chan *chan);
/* The program is done with what it was told. May sleep. */
void dmafd_cyclic_return(struct dmafd_chan *chan);
/*
 * Tells the program how far it came: 1, 0 if there is nothing to tell, or -EFAULT.
 * May sleep. Caller holds the read_lock.
 */
int dmafd_cyclic_take(struct dmafd_chan *chan, struct dmafd_completion __user *user);

/* Feeds the controller and completes what is over; any context, without locks. */
void dmafd_pump(struct dmafd_chan *chan);
/*
 * Lets the controller call back with the slot. The driver of the PL330 gives what
 * was asked for callbacks with results to the next client, too, who has not asked
 * for it; there it is a plain one, and the result that which the status tells.
 */
void dmafd_call_back(struct dmafd_chan *chan, struct dma_async_tx_descriptor *tx,
		     struct dmafd_slot *slot, dma_async_tx_callback_result call);
/* Nothing is in it any more. Caller holds the channel's lock. */
void dmafd_slot_clear(struct dmafd_slot *slot);
/*
 * Counts in what the controller is done with, and completes the jobs that are over.
 * Caller owns the pump.
 */
void dmafd_retire(struct dmafd_chan *chan);
/* Sees to it that the watchdog looks at the first job in time. Caller holds the lock. */
void dmafd_watch(struct dmafd_chan *chan);
void dmafd_watchdog(struct work_struct *work);
/*
 * Stops the controller and ends all jobs, the first with @first, the others with
 * @others; returns how many. Caller holds the mutex of a channel that is not dead.
 */
unsigned int dmafd_stop(struct dmafd_chan *chan, int first, int others);
/*
 * Pauses it, or lets it go on; 0 or -EIO. Caller holds the mutex of a channel that
 * is not dead, and can pause.
 */
int dmafd_pause(struct dmafd_chan *chan, bool pause);
/* Tells of the first job. Caller holds the mutex of a channel that is not gone. */
void dmafd_status(struct dmafd_chan *chan, struct dmafd_status *status);
/* The first job's time begins. Caller holds the channel's lock. */
void dmafd_begin_time(struct dmafd_chan *chan, struct dmafd_job *job, u64 now_ns);

/*
 * Completes jobs at the head of the queue that are over; whether there may be more of
 * them. Caller owns the pump.
 */
bool dmafd_complete_some(struct dmafd_chan *chan);
/* Copies up to @max completions to the caller; how many, or an error. */
int dmafd_take(struct dmafd_chan *chan, struct dmafd_completion __user *user, size_t max);
/* Waits until so many jobs are complete: 0 or -EINTR. */
int dmafd_wait(struct dmafd_chan *chan, u64 completed);

/* ---- to be looked at ---- */

void dmafd_ctx_show(struct seq_file *seq, struct file *file);
void dmafd_chan_show(struct seq_file *seq, struct file *file);
/* The folder in debugfs; the module does without if there is none. */
void dmafd_show_init(void);
void dmafd_show_exit(void);
/* Adds a file there that tells what devices reach. */
void dmafd_devices_init(struct dentry *folder);

#endif
