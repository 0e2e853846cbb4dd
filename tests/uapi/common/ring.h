/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A ring of io_uring, by plain system calls. Functions of type void fail the test
 * and end it when they can't do what they should.
 */
#ifndef RING_H
#define RING_H

#include "uapi.h"

#include <linux/io_uring.h>

struct ring {
	int fd;
	unsigned int flags;	/* IORING_SETUP_... */
	unsigned int entries;
	void *map[3];
	size_t size[3];
	unsigned char *sqes, *cqes;
	unsigned int *sq_head, *sq_tail, *sq_flags;
	unsigned int *cq_head, *cq_tail;
	unsigned int sq_mask, cq_mask;
	unsigned int queued;	/* entries that were filled in and not submitted */
};

/* What was reaped. */
struct reaped {
	uint64_t user_data, bytes;
	int res;
	bool seen;
};

void ring_up(struct ring *ring, unsigned int entries, unsigned int flags);
/* Unmaps its memory, too, which would keep it. */
void ring_down(struct ring *ring);
/* The next entry, filled with zeros but for these. */
struct io_uring_sqe *ring_entry(struct ring *ring, unsigned int opcode, int fd,
				uint64_t user_data);
/* One with an operation: in it, or at @op, whatever the ring is. */
struct io_uring_sqe *ring_op(struct ring *ring, int chan, const struct dmafd_op *op,
			     uint64_t user_data);
struct io_uring_sqe *ring_op_at(struct ring *ring, int chan, const struct dmafd_op *op,
				uint64_t user_data);
/* Submits all, and waits until so many are complete. */
void ring_submit(struct ring *ring, unsigned int wait);
/* The next one; waits for it. */
void ring_reap(struct ring *ring, struct reaped *reaped);
/*
 * So many, in whatever order they come: each goes where its user_data says, which
 * is less than @count.
 */
void ring_collect(struct ring *ring, struct reaped *reaped, unsigned int count);
/* How many are there to be reaped without a system call. */
unsigned int ring_ready(const struct ring *ring);
/* Submits the only entry, and returns its result. */
int ring_result(struct ring *ring);

#endif
