/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * dmafd: DMA channels for programs.
 */
#ifndef _UAPI_LINUX_DMAFD_H
#define _UAPI_LINUX_DMAFD_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: objects
 *
 * Opening /dev/dmafd makes a *context*. It holds *buffers*: memory of the caller
 * that is pinned, and that controllers may reach. DMAFD_CHAN_OPEN gives a
 * *channel* of a DMA controller as a file descriptor of its own, which can be
 * polled, passed to others, and gives the channel back when it is closed. What
 * it is given to do by DMAFD_SUBMIT are *jobs*, which name buffers of the context
 * that the channel was opened in. When a job is over, read() on the channel
 * returns a *completion* record that tells how it ended.
 *
 * A channel keeps its context: buffers live until they are removed, or the
 * context's and all its channels' file descriptors are closed.
 *
 * Jobs of a channel begin and complete in the order in which they were submitted.
 * The memory that a job reads may be written by the program before the job is
 * submitted, and that which it writes may be read when its completion was read;
 * there are no caches to care for.
 */

/**
 * DOC: extensibility and errors
 *
 * The argument of each ioctl is a structure whose first member is its size, as
 * the caller knows it. The kernel takes a shorter one as if zeros followed, unless
 * it lacks members that were there from the beginning, and a longer one if only
 * zeros follow. It never writes more than the caller's size.
 *
 * These mean the same everywhere:
 *
 *  - ENOTTY: there is no such ioctl.
 *  - E2BIG: something that is not zero stands where this kernel knows of nothing.
 *  - EOPNOTSUPP: a flag is not known, or a reserved member is not zero, or the
 *    controller cannot do that.
 *  - EINVAL: everything is known, but it makes no sense: too small a size, a
 *    range outside of a buffer, a bad combination.
 *  - EFAULT: a pointer leads nowhere.
 *  - ENOENT: there is no buffer with that number.
 *  - ENODEV: there is no such channel, or its controller is gone for good.
 *  - ENOMEM: out of memory, or over the limit of locked memory.
 *
 * Others stand with the ioctl that returns them. An ioctl that fails changes
 * nothing, unless something else is said there.
 */
#define DMAFD_TYPE	0xDA

enum {
	DMAFD_CMD_INFO = 0x00,
	DMAFD_CMD_BUF_REGISTER = 0x10,
	DMAFD_CMD_BUF_REMOVE = 0x11,
	DMAFD_CMD_BUF_ALLOC = 0x12,
	DMAFD_CMD_BUF_IMPORT = 0x13,
	DMAFD_CMD_CHAN_LIST = 0x20,
	DMAFD_CMD_CHAN_OPEN = 0x21,
	DMAFD_CMD_CHAN_INFO = 0x30,
	DMAFD_CMD_SUBMIT = 0x31,
	DMAFD_CMD_CANCEL = 0x32,
	DMAFD_CMD_STATUS = 0x33,
	DMAFD_CMD_PAUSE = 0x34,
};

/* What a channel can do: bits of several members named "caps". */
#define DMAFD_CAP_COPY		0x01
#define DMAFD_CAP_FILL		0x02
#define DMAFD_CAP_XOR		0x04
#define DMAFD_CAP_SLAVE		0x08
#define DMAFD_CAP_CYCLIC	0x10
#define DMAFD_CAP_INTERLEAVE	0x20

#define DMAFD_NAME_MAX		64

/* ---- on a context ---- */

/**
 * struct dmafd_info - ioctl(DMAFD_INFO)
 * @size: sizeof(struct dmafd_info)
 * @flags: must be 0
 * @out_opcodes: the opcodes that this kernel knows, as bits
 * @out_op_flags: the flags of operations that it knows
 * @out_op_size: its sizeof(struct dmafd_op)
 * @out_completion_size: its sizeof(struct dmafd_completion): what read() returns
 *	is a multiple of this
 * @out_max_depth: the most that may be asked for as a channel's depth
 * @out_line: on controllers that don't see the CPU's caches, what a job writes
 *	should begin and end at multiples of this; the CPU writes the rest
 */
struct dmafd_info {
	__u32 size;
	__u32 flags;
	__aligned_u64 out_opcodes;
	__u32 out_op_flags;
	__u32 out_op_size;
	__u32 out_completion_size;
	__u32 out_max_depth;
	__u32 out_line;
	__u32 __reserved;
};

#define DMAFD_INFO _IO(DMAFD_TYPE, DMAFD_CMD_INFO)

/* What the jobs that name a buffer may do with it. */
#define DMAFD_BUF_READ		0x01
#define DMAFD_BUF_WRITE		0x02

/**
 * struct dmafd_buf_register - ioctl(DMAFD_BUF_REGISTER)
 * @size: sizeof(struct dmafd_buf_register)
 * @flags: DMAFD_BUF_READ, DMAFD_BUF_WRITE or both
 * @addr: where the memory begins, at any byte
 * @length: how many bytes it has
 * @out_buf: the buffer's number, which is never 0
 * @__reserved: must be 0
 *
 * Pins memory of the caller. The pages that are there now are the buffer: it is
 * no matter to it whether the memory is unmapped or moved, or mapped to something
 * else, or the process forks. Memory that is not to be written may be mapped
 * read-only.
 *
 * Its pages are counted as locked memory of the user (RLIMIT_MEMLOCK) until the
 * buffer is removed; a page of two buffers is counted twice. CAP_IPC_LOCK is
 * above the limit.
 *
 * EINVAL: no flag, no length. EOVERFLOW: addr + length is none. EFAULT: a part of
 * it is no memory, or cannot be written or pinned for long, or it is to be written
 * and a shared mapping of a file on a disk.
 */
struct dmafd_buf_register {
	__u32 size;
	__u32 flags;
	__aligned_u64 addr;
	__aligned_u64 length;
	__u32 out_buf;
	__u32 __reserved;
};

#define DMAFD_BUF_REGISTER _IO(DMAFD_TYPE, DMAFD_CMD_BUF_REGISTER)

/**
 * struct dmafd_buf_remove - ioctl(DMAFD_BUF_REMOVE)
 * @size: sizeof(struct dmafd_buf_remove)
 * @buf: the buffer's number
 *
 * EBUSY: a job that is not complete works on it.
 */
struct dmafd_buf_remove {
	__u32 size;
	__u32 buf;
};

#define DMAFD_BUF_REMOVE _IO(DMAFD_TYPE, DMAFD_CMD_BUF_REMOVE)

/* The memory is in one piece, for controllers that need that. */
#define DMAFD_BUF_CONTIGUOUS	0x04

/**
 * struct dmafd_buf_alloc - ioctl(DMAFD_BUF_ALLOC)
 * @size: sizeof(struct dmafd_buf_alloc)
 * @flags: as of DMAFD_BUF_REGISTER, and DMAFD_BUF_CONTIGUOUS
 * @length: how many bytes; rounded up to whole pages
 * @out_length: how many there are
 * @out_buf: the buffer's number
 * @out_fd: the same memory as a dma-buf, closed by execve()
 *
 * Allocates memory that is zero, cached, and counted as locked memory of the user
 * until neither the buffer nor the dma-buf is there any more. The dma-buf can be
 * mapped, passed on, and given to other drivers. A program that uses its mapping
 * while another driver works on it brackets that by DMA_BUF_IOCTL_SYNC; for jobs of
 * dmafd it need not.
 *
 * EINVAL: no flag, no length. ENOMEM: also, not that much in one piece.
 */
struct dmafd_buf_alloc {
	__u32 size;
	__u32 flags;
	__aligned_u64 length;
	__aligned_u64 out_length;
	__u32 out_buf;
	__s32 out_fd;
};

#define DMAFD_BUF_ALLOC _IO(DMAFD_TYPE, DMAFD_CMD_BUF_ALLOC)

/**
 * struct dmafd_buf_import - ioctl(DMAFD_BUF_IMPORT)
 * @size: sizeof(struct dmafd_buf_import)
 * @flags: as of DMAFD_BUF_REGISTER
 * @fd: a dma-buf
 * @out_buf: the buffer's number
 * @out_length: how many bytes it has
 *
 * Makes a dma-buf of another driver, or of another context, a buffer. It is kept
 * until the buffer is removed; nothing is counted, since whoever allocated it was.
 * Whoever exported it keeps caches in order: a program that looks at it brackets
 * that by DMA_BUF_IOCTL_SYNC. It is mapped for a controller by the first job there,
 * which fails with EIO if the exporter or the controller refuses.
 *
 * A job on it fails with EBUSY while others have yet to do with it what they
 * announced; poll() on the dma-buf waits for that. On a controller that does not see
 * the CPU's caches, what is copied from it must begin and end at cache lines of other
 * memory that it is written to, or the job fails with EINVAL.
 *
 * EBADF: @fd is no file. EINVAL: no flag, or @fd is no dma-buf. EACCES:
 * DMAFD_BUF_WRITE, but it was opened for reading only, or the opposite.
 */
struct dmafd_buf_import {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 out_buf;
	__aligned_u64 out_length;
};

#define DMAFD_BUF_IMPORT _IO(DMAFD_TYPE, DMAFD_CMD_BUF_IMPORT)

/* Somebody has it. */
#define DMAFD_ENTRY_BUSY	0x01
/* It is a port: a channel at a device that root or the device tree told of. */
#define DMAFD_ENTRY_PORT	0x02
/* What the port's device does: it takes data, or gives it. */
#define DMAFD_ENTRY_TX		0x04
#define DMAFD_ENTRY_RX		0x08

/**
 * struct dmafd_chan_entry - a channel in the list
 * @caps: what it can do; of a busy one only known if dmafd gave it away
 * @flags: DMAFD_ENTRY_BUSY, DMAFD_ENTRY_PORT, DMAFD_ENTRY_TX, DMAFD_ENTRY_RX
 * @name: to open it by, such as "dma0chan3"
 * @device: the controller's name; of a port, that of its channel's, "" if it has
 *	none now
 */
struct dmafd_chan_entry {
	__u32 caps;
	__u32 flags;
	char name[DMAFD_NAME_MAX];
	char device[DMAFD_NAME_MAX];
};

/**
 * struct dmafd_chan_list - ioctl(DMAFD_CHAN_LIST)
 * @size: sizeof(struct dmafd_chan_list)
 * @flags: must be 0
 * @entries: where to put an array of struct dmafd_chan_entry
 * @capacity: of how many
 * @entry_size: sizeof(struct dmafd_chan_entry), as the caller knows it
 * @out_count: how many channels there are
 * @__reserved: must be 0
 *
 * Lists the ports, the channels that are free, and those that dmafd gave away.
 *
 * EMSGSIZE: there is no room for all; @out_count is set, and nothing else written.
 */
struct dmafd_chan_list {
	__u32 size;
	__u32 flags;
	__aligned_u64 entries;
	__u32 capacity;
	__u32 entry_size;
	__u32 out_count;
	__u32 __reserved;
};

#define DMAFD_CHAN_LIST _IO(DMAFD_TYPE, DMAFD_CMD_CHAN_LIST)

/* read() on the channel does not wait. */
#define DMAFD_CHAN_NONBLOCK	0x01

/**
 * struct dmafd_chan_open - ioctl(DMAFD_CHAN_OPEN)
 * @size: sizeof(struct dmafd_chan_open)
 * @flags: DMAFD_CHAN_NONBLOCK
 * @caps: what it must be able to do; 0 stands for DMAFD_CAP_COPY without a name,
 *	and for nothing with one. DMAFD_CAP_SLAVE needs the name of a port
 * @depth: how many jobs it holds at most, those included whose completion was not
 *	read; 0 for 256
 * @timeout_ms: of jobs that don't tell theirs; 0 for 10 seconds
 * @out_fd: the channel, closed by execve()
 * @name: which channel or port; empty for any channel
 *
 * The channel belongs to the caller alone until its file descriptor is closed. One
 * that was opened as a port does only DMAFD_OP_TO_DEVICE or DMAFD_OP_FROM_DEVICE,
 * whichever the port is for, DMAFD_OP_CYCLIC and DMAFD_OP_NOP.
 *
 * EINVAL: the depth is too large, or the name not ended. EBUSY: the channel, or
 * all that can do that, are taken. EOPNOTSUPP: it is free, but cannot do that, or
 * could not be stopped. ENODEV: there is none.
 */
struct dmafd_chan_open {
	__u32 size;
	__u32 flags;
	__u32 caps;
	__u32 depth;
	__u32 timeout_ms;
	__s32 out_fd;
	char name[DMAFD_NAME_MAX];
};

#define DMAFD_CHAN_OPEN _IO(DMAFD_TYPE, DMAFD_CMD_CHAN_OPEN)

/* ---- on a channel ---- */

/* The controller may need its memory to be copied or flushed, which is done. */
#define DMAFD_INFO_SYNC		0x01
/* It is a port that takes data, or gives it. */
#define DMAFD_INFO_TX		0x02
#define DMAFD_INFO_RX		0x04
/* It can be paused, and resumed. */
#define DMAFD_INFO_PAUSE	0x08

/**
 * struct dmafd_chan_info - ioctl(DMAFD_CHAN_INFO)
 * @size: sizeof(struct dmafd_chan_info)
 * @flags: must be 0
 * @out_caps: what the controller can do
 * @out_flags: DMAFD_INFO_SYNC, DMAFD_INFO_TX, DMAFD_INFO_RX, DMAFD_INFO_PAUSE
 * @out_copy_align: addresses and lengths of copies must be multiples of this
 * @out_fill_align: those of fills
 * @out_max_segment: the most that the controller moves at once; longer jobs are
 *	split
 * @out_depth: how many jobs the channel holds
 * @out_held: how many it holds now
 * @out_residue: what the count of bytes of a job that did not end well is exact to:
 *	0 what it was split into, 1 segments, 2 bursts
 * @out_submitted: jobs since it was opened
 * @out_completed: those of them that are complete
 * @out_failed: those of these that did not end well
 * @out_bytes: how many bytes the complete ones moved
 * @out_width: of a port, the bytes of its device's register; 0 otherwise
 * @out_max_sources: the most sources of a DMAFD_OP_XOR; 0 if it can't do that
 * @out_name: the channel's name
 * @out_device: the controller's name
 */
struct dmafd_chan_info {
	__u32 size;
	__u32 flags;
	__u32 out_caps;
	__u32 out_flags;
	__u32 out_copy_align;
	__u32 out_fill_align;
	__u32 out_max_segment;
	__u32 out_depth;
	__u32 out_held;
	__u32 out_residue;
	__aligned_u64 out_submitted;
	__aligned_u64 out_completed;
	__aligned_u64 out_failed;
	__aligned_u64 out_bytes;
	__u32 out_width;
	__u32 out_max_sources;
	char out_name[DMAFD_NAME_MAX];
	char out_device[DMAFD_NAME_MAX];
};

#define DMAFD_CHAN_INFO _IO(DMAFD_TYPE, DMAFD_CMD_CHAN_INFO)

/**
 * enum dmafd_opcode - what a job does
 * @DMAFD_OP_NOP: nothing; it completes after those before it
 * @DMAFD_OP_COPY: copies @length bytes from the source to the destination
 * @DMAFD_OP_FILL: sets @length bytes of the destination to @value
 * @DMAFD_OP_COPY_SG: copies a list of segments, one behind the other, to another
 *	list; @args is struct dmafd_sg_args, @length all of the bytes
 * @DMAFD_OP_COPY_2D: copies rows; @args is struct dmafd_2d_args, @length all of the
 *	bytes
 * @DMAFD_OP_XOR: sets the destination to the exclusive or of several sources;
 *	@args is struct dmafd_sg_args
 * @DMAFD_OP_TO_DEVICE: gives the source to the port's device
 * @DMAFD_OP_FROM_DEVICE: fills the destination from the port's device, which may end
 *	it early where its driver tells so: @bytes of the completion is less then
 * @DMAFD_OP_CYCLIC: the same, with the source or the destination as a ring, until it
 *	is canceled; @args is struct dmafd_cyclic_args
 *
 * What a job writes may not overlap with anything that it reads, nor be written
 * twice by it: EINVAL.
 */
enum dmafd_opcode {
	DMAFD_OP_NOP,
	DMAFD_OP_COPY,
	DMAFD_OP_FILL,
	DMAFD_OP_COPY_SG,
	DMAFD_OP_COPY_2D,
	DMAFD_OP_XOR,
	DMAFD_OP_TO_DEVICE,
	DMAFD_OP_FROM_DEVICE,
	DMAFD_OP_CYCLIC,
};

/*
 * The job begins when all those before it are complete, and sees what they wrote.
 * Without it, what a job reads or writes must not be written by one that is not
 * complete, or that part of the memory holds anything afterwards.
 */
#define DMAFD_OP_FENCE		0x01
/* There is no completion, unless it fails. */
#define DMAFD_OP_NO_COMPLETION	0x02
/*
 * The caller hands the memory over, by DMA_BUF_IOCTL_SYNC, and cares for cache lines
 * at the edges; all of the job's buffers are from DMAFD_BUF_ALLOC.
 */
#define DMAFD_OP_NO_SYNC	0x04

/**
 * struct dmafd_segment - a stretch of memory
 * @buf: number of its buffer
 * @__reserved: must be 0
 * @offset: where it begins in its buffer
 * @length: in bytes, not 0
 */
struct dmafd_segment {
	__u32 buf;
	__u32 __reserved;
	__aligned_u64 offset;
	__aligned_u64 length;
};

/* The most segments of one list. */
#define DMAFD_MAX_SEGMENTS	1024

/**
 * struct dmafd_sg_args - of DMAFD_OP_COPY_SG and DMAFD_OP_XOR
 * @size: sizeof(struct dmafd_sg_args)
 * @flags: must be 0
 * @src: an array of struct dmafd_segment
 * @dst: the same; of DMAFD_OP_XOR, 0
 * @nr_src: the array's length
 * @nr_dst: the same; of DMAFD_OP_XOR, 0
 *
 * Of DMAFD_OP_COPY_SG, the segments of each list add up to the operation's length.
 * Of DMAFD_OP_XOR, each has it, and there are at least 2, and not more than the
 * controller takes.
 */
struct dmafd_sg_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 src;
	__aligned_u64 dst;
	__u32 nr_src;
	__u32 nr_dst;
};

/* The most rows of a copy. */
#define DMAFD_MAX_ROWS		65536

/**
 * struct dmafd_2d_args - of DMAFD_OP_COPY_2D
 * @size: sizeof(struct dmafd_2d_args)
 * @flags: must be 0
 * @src_stride: from the beginning of a row of the source to the next one's; negative
 *	if rows go up from @src_offset, and 0 if all are the same
 * @dst_stride: the same of the destination; a row at least, up or down
 * @rows: how many; divides the operation's length into the length of a row
 * @__reserved: must be 0
 *
 * Of one row, strides are of no matter. Rows of the source may overlap with each
 * other. When both strides are the same, up or down, rows of both sides may lie
 * between each other; otherwise the areas from the lowest to the highest row may
 * not overlap.
 */
struct dmafd_2d_args {
	__u32 size;
	__u32 flags;
	__s64 src_stride;
	__s64 dst_stride;
	__u32 rows;
	__u32 __reserved;
};

/**
 * struct dmafd_cyclic_args - of DMAFD_OP_CYCLIC
 * @size: sizeof(struct dmafd_cyclic_args)
 * @flags: must be 0
 * @period: in bytes; the operation's length is a multiple of it, and at least two
 *
 * The ring has to be in one piece for the controller: memory that was allocated with
 * DMAFD_BUF_CONTIGUOUS, a page, a huge page, or what an IOMMU makes one piece of. It is
 * less than 4 GiB. A job that comes after it waits until it is over.
 */
struct dmafd_cyclic_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 period;
};

/**
 * struct dmafd_op - an operation: what makes a job
 * @opcode: one of enum dmafd_opcode
 * @flags: DMAFD_OP_FENCE, DMAFD_OP_NO_COMPLETION, DMAFD_OP_NO_SYNC
 * @user_data: comes back in the completion
 * @src_buf: number of the source's buffer, which must be readable
 * @dst_buf: number of the destination's buffer, which must be writable
 * @src_offset: where the source begins in its buffer
 * @dst_offset: where the destination begins in its buffer
 * @length: in bytes, not 0
 * @timeout_ms: how long it may take, from when it is the first that is not
 *	complete; 0 for what the channel was opened with. Of DMAFD_OP_CYCLIC, how long
 *	a period may take, and 0 for as long as it likes
 * @value: of DMAFD_OP_FILL: 0 to 255
 * @args: what the opcode needs besides, a pointer; read during the call
 *
 * Members that are of no use for the opcode must be 0.
 */
struct dmafd_op {
	__u32 opcode;
	__u32 flags;
	__aligned_u64 user_data;
	__u32 src_buf;
	__u32 dst_buf;
	__aligned_u64 src_offset;
	__aligned_u64 dst_offset;
	__aligned_u64 length;
	__u32 timeout_ms;
	__u32 value;
	__aligned_u64 args;
};

/* The job goes on: of DMAFD_OP_CYCLIC, there were periods. */
#define DMAFD_COMPLETION_MORE	0x01

/**
 * struct dmafd_completion - how a job ended; read() on the channel
 * @user_data: of the operation
 * @sequence: the job's number on its channel: 0, 1, 2 ..., also of jobs that have
 *	no completion
 * @bytes: how many bytes were moved, from the beginning, as far as the controller
 *	tells
 * @submit_ns: when it was submitted, on CLOCK_MONOTONIC
 * @complete_ns: when it was complete
 * @status: 0 or a negative error:
 *	EIO, the controller failed;
 *	EREMOTEIO, its driver refused it;
 *	ETIMEDOUT, it took too long, and the channel was stopped;
 *	ECANCELED, the channel was stopped, for that or because of DMAFD_CANCEL;
 *	ENODEV, the controller went away
 * @opcode: of the operation
 * @flags: DMAFD_COMPLETION_MORE
 * @overruns: of DMAFD_OP_CYCLIC: how many periods, since it began, were being written
 *	or sent again before the program had come back to read the next completion
 *
 * Of a job that did not end well, all that it was to write may be changed.
 *
 * DMAFD_OP_CYCLIC has one completion ready, with DMAFD_COMPLETION_MORE, whenever a
 * period has passed since the last one was read; @bytes counts whole periods since
 * it began, however often the ring went round, and @complete_ns is the time of the
 * last of them. Whoever calls read() for the next one, even if there is none yet, is
 * done with those before: the periods up to the last record's @bytes go back to the
 * device then. With DMAFD_OP_NO_COMPLETION there are no such records, and no period
 * is an overrun. The last completion, without the flag, has all bytes, also of a
 * period that was not over.
 */
struct dmafd_completion {
	__aligned_u64 user_data;
	__aligned_u64 sequence;
	__aligned_u64 bytes;
	__aligned_u64 submit_ns;
	__aligned_u64 complete_ns;
	__s32 status;
	__u32 opcode;
	__u32 flags;
	__u32 overruns;
};

/* Returns when the jobs are complete. */
#define DMAFD_SUBMIT_WAIT	0x01

/**
 * struct dmafd_submit - ioctl(DMAFD_SUBMIT)
 * @size: sizeof(struct dmafd_submit)
 * @flags: DMAFD_SUBMIT_WAIT
 * @ops: an array of struct dmafd_op
 * @nr_ops: its length; not 0
 * @op_size: sizeof(struct dmafd_op), as the caller knows it
 * @completions: with DMAFD_SUBMIT_WAIT, where to put completions that can be
 *	read, as read() would; may be 0
 * @nr_completions: how many at most
 * @out_submitted: how many jobs were made of the operations
 * @out_completions: how many completions were put there
 * @__reserved: must be 0
 *
 * Operations are looked at one by one, and those before the first bad one become
 * jobs: the call succeeds if there are any, so that whoever goes on with the rest
 * learns what was wrong. That can be all that is said above, and
 *
 * EACCES: a buffer may not be read or written. EIO: the controller does not reach a
 * buffer's memory. EAGAIN: the channel holds as many jobs as it may. EINTR, with
 * DMAFD_SUBMIT_WAIT: a signal came before the jobs were complete; @out_submitted tells
 * how many there are, and that they go on. EFAULT: @ops, or what it points to, is bad,
 * and no job was made; or @completions is bad, and @out_submitted tells how many were;
 * or this structure cannot be written to, and the jobs were made all the same: then
 * only @out_submitted of DMAFD_CHAN_INFO tells of them.
 */
struct dmafd_submit {
	__u32 size;
	__u32 flags;
	__aligned_u64 ops;
	__u32 nr_ops;
	__u32 op_size;
	__aligned_u64 completions;
	__u32 nr_completions;
	__u32 out_submitted;
	__u32 out_completions;
	__u32 __reserved;
};

#define DMAFD_SUBMIT _IO(DMAFD_TYPE, DMAFD_CMD_SUBMIT)

/**
 * struct dmafd_cancel - ioctl(DMAFD_CANCEL)
 * @size: sizeof(struct dmafd_cancel)
 * @flags: must be 0
 * @out_canceled: how many jobs were ended
 * @__reserved: must be 0
 *
 * Stops the channel and ends all of its jobs. When it returns, the controller does
 * not touch any memory for them any more, and their completions can be read.
 */
struct dmafd_cancel {
	__u32 size;
	__u32 flags;
	__u32 out_canceled;
	__u32 __reserved;
};

#define DMAFD_CANCEL _IO(DMAFD_TYPE, DMAFD_CMD_CANCEL)

#define DMAFD_STATE_IDLE	0
#define DMAFD_STATE_BUSY	1
#define DMAFD_STATE_PAUSED	2
#define DMAFD_STATE_GONE	3

/**
 * struct dmafd_status - ioctl(DMAFD_STATUS)
 * @size: sizeof(struct dmafd_status)
 * @flags: must be 0
 * @out_state: DMAFD_STATE_...
 * @out_opcode: of the first job that is not complete, as the rest, which is 0 if
 *	there is none
 * @out_user_data: its
 * @out_bytes: how many bytes of it were moved, as far as the controller tells; of
 *	DMAFD_OP_CYCLIC, since it began
 * @out_since_ns: when it became the first, on CLOCK_MONOTONIC
 * @out_queued: how many jobs are not complete
 * @out_overruns: of DMAFD_OP_CYCLIC, as in its completions
 *
 * Tells what the channel is doing. That also works when it is gone.
 */
struct dmafd_status {
	__u32 size;
	__u32 flags;
	__u32 out_state;
	__u32 out_opcode;
	__aligned_u64 out_user_data;
	__aligned_u64 out_bytes;
	__aligned_u64 out_since_ns;
	__u32 out_queued;
	__u32 out_overruns;
};

#define DMAFD_STATUS _IO(DMAFD_TYPE, DMAFD_CMD_STATUS)

/* Goes on, instead of being paused. */
#define DMAFD_PAUSE_RESUME	0x01

/**
 * struct dmafd_pause - ioctl(DMAFD_PAUSE)
 * @size: sizeof(struct dmafd_pause)
 * @flags: DMAFD_PAUSE_RESUME
 *
 * Pauses the channel, or lets it go on. No job's time runs while it is paused.
 * Pausing one that is paused is no error, and neither is the opposite.
 *
 * EOPNOTSUPP: the controller cannot do that. EIO: it failed.
 */
struct dmafd_pause {
	__u32 size;
	__u32 flags;
};

#define DMAFD_PAUSE _IO(DMAFD_TYPE, DMAFD_CMD_PAUSE)

/* ---- io_uring ---- */

/**
 * DOC: io_uring
 *
 * IORING_OP_URING_CMD on a channel takes one operation. Its cmd_op is DMAFD_URING_OP,
 * and the submission entry's command a struct dmafd_op and zeros, which needs a ring
 * with IORING_SETUP_SQE128; or DMAFD_URING_OP_AT, and the command a struct
 * dmafd_uring_at. The operation's user_data must be 0, and the flag
 * DMAFD_OP_NO_COMPLETION is not for it (IOSQE_CQE_SKIP_SUCCESS is); nor is
 * DMAFD_OP_CYCLIC.
 *
 * The completion entry's res is 0 or a negative error: one that DMAFD_SUBMIT
 * returns, or a status of struct dmafd_completion. With IORING_SETUP_CQE32 its first
 * additional word has the bytes that were moved. There is no record to be read.
 *
 * Operations that are submitted together are given to the controller together, and
 * become jobs in that order, unless IOSQE_ASYNC or a link makes them wait. The
 * completion entries of those that are complete may come in any order.
 *
 * When a ring goes away, or the process that submitted, with jobs that are not
 * complete, their channel is stopped as by DMAFD_CANCEL; before Linux 6.7 a little
 * later, and execve() waits for them there. io_uring's own IORING_OP_ASYNC_CANCEL
 * does not find them.
 */
#define DMAFD_URING_OP		_IO(DMAFD_TYPE, 0x40)
#define DMAFD_URING_OP_AT	_IO(DMAFD_TYPE, 0x41)

/**
 * struct dmafd_uring_at - where the operation is
 * @op: a pointer to struct dmafd_op
 * @op_size: its size, as the caller knows it
 * @__reserved: must be 0
 */
struct dmafd_uring_at {
	__aligned_u64 op;
	__u32 op_size;
	__u32 __reserved;
};

#endif
