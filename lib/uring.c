// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * io_uring as a way to submit operations. It is used by its system calls: what we need of
 * it is less than what it would take to have liburing on every architecture.
 *
 * Only the thread that uses the channel touches the rings; the kernel writes the
 * submission ring's head and the completion ring's tail.
 */
#include <errno.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

/* An entry takes the place of two, so that an operation is in it as a whole. */
#define SQE_SIZE	128
#define CQE_SIZE	32

_Static_assert(offsetof(struct io_uring_sqe, cmd) + sizeof(struct dmafd_op) <= SQE_SIZE,
	       "an operation is in a submission entry");

struct uring {
	int fd, chan;
	void *rings, *sqes;
	size_t rings_size, sqes_size;
	uint32_t *sq_tail, *sq_array;
	const uint32_t *cq_tail;
	uint32_t *cq_head;
	const struct io_uring_cqe *cqes;
	uint32_t sq_mask, cq_mask;
};

static int enter(struct uring *ring, unsigned int n, unsigned int flags)
{
	int done;

	do
		done = syscall(__NR_io_uring_enter, ring->fd, n, flags ? 1 : 0, flags, NULL, 0);
	while (done < 0 && errno == EINTR);
	return done;
}

/* ---- life ---- */

static void find_rings(struct uring *ring, const struct io_uring_params *params)
{
	char *base = ring->rings;

	ring->sq_tail = (uint32_t *)(base + params->sq_off.tail);
	ring->sq_array = (uint32_t *)(base + params->sq_off.array);
	ring->sq_mask = *(uint32_t *)(base + params->sq_off.ring_mask);
	ring->cq_head = (uint32_t *)(base + params->cq_off.head);
	ring->cq_tail = (uint32_t *)(base + params->cq_off.tail);
	ring->cq_mask = *(uint32_t *)(base + params->cq_off.ring_mask);
	ring->cqes = (struct io_uring_cqe *)(base + params->cq_off.cqes);
}

static void *map_ring(struct uring *ring, size_t size, off_t offset)
{
	void *addr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd,
			  offset);

	/* A child that writes there would confuse the parent. */
	if (addr != MAP_FAILED)
		madvise(addr, size, MADV_DONTFORK);
	return addr;
}

static int map_rings(struct uring *ring, const struct io_uring_params *params)
{
	size_t sq = params->sq_off.array + params->sq_entries * sizeof(uint32_t);
	size_t cq = params->cq_off.cqes + params->cq_entries * CQE_SIZE;

	if (!(params->features & IORING_FEAT_SINGLE_MMAP) ||
	    !(params->features & IORING_FEAT_NODROP))
		return -1;
	ring->rings_size = sq > cq ? sq : cq;
	ring->sqes_size = params->sq_entries * SQE_SIZE;
	ring->rings = map_ring(ring, ring->rings_size, IORING_OFF_SQ_RING);
	if (ring->rings == MAP_FAILED)
		return -1;
	ring->sqes = map_ring(ring, ring->sqes_size, IORING_OFF_SQES);
	if (ring->sqes == MAP_FAILED)
		return -1;
	find_rings(ring, params);
	return 0;
}

void uring_close(struct uring *ring)
{
	if (!ring)
		return;
	if (ring->sqes != MAP_FAILED)
		munmap(ring->sqes, ring->sqes_size);
	if (ring->rings != MAP_FAILED)
		munmap(ring->rings, ring->rings_size);
	if (ring->fd >= 0)
		close(ring->fd);
	free(ring);
}

/* The module knows our command if what it says of a bad operation is that it is bad. */
static bool is_known(struct uring *ring)
{
	struct dmafd_op bad = { .opcode = DMAFD_OP_NOP, .length = 1 };
	unsigned int number = 0;
	uint64_t seen, bytes;
	int32_t res;

	if (uring_submit(ring, &bad, &number, 1) != 1 || enter(ring, 0, IORING_ENTER_GETEVENTS) < 0)
		return false;
	return uring_next(ring, &seen, &res, &bytes) && res == -EINVAL;
}

static int set_up(struct uring *ring, unsigned int depth)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SQE128 | IORING_SETUP_CQE32 | IORING_SETUP_CQSIZE |
			 IORING_SETUP_SUBMIT_ALL,
		.cq_entries = depth < URING_BATCH ? URING_BATCH : depth,
	};

	ring->fd = syscall(__NR_io_uring_setup, URING_BATCH, &params);
	return ring->fd < 0 ? -1 : map_rings(ring, &params);
}

struct uring *uring_open(int fd, unsigned int depth)
{
	struct uring *ring = calloc(1, sizeof(*ring));

	if (!ring)
		return NULL;
	ring->chan = fd;
	ring->rings = MAP_FAILED;
	ring->sqes = MAP_FAILED;
	if (set_up(ring, depth) || !is_known(ring)) {
		uring_close(ring);
		return NULL;
	}
	return ring;
}

int uring_fd(const struct uring *ring)
{
	return ring->fd;
}

/* ---- work ---- */

static void put(struct uring *ring, uint32_t tail, const struct dmafd_op *op, unsigned int number)
{
	uint32_t index = tail & ring->sq_mask;
	struct io_uring_sqe *sqe = (void *)((char *)ring->sqes + index * SQE_SIZE);

	memset(sqe, 0, SQE_SIZE);
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = ring->chan;
	sqe->cmd_op = DMAFD_URING_OP;
	sqe->user_data = number;
	memcpy(sqe->cmd, op, sizeof(*op));
	ring->sq_array[index] = index;
}

int uring_submit(struct uring *ring, const struct dmafd_op *ops, const unsigned int *numbers,
		 unsigned int n)
{
	uint32_t tail = *ring->sq_tail;
	unsigned int i;
	int done;

	for (i = 0; i < n; i++)
		put(ring, tail + i, &ops[i], numbers[i]);
	__atomic_store_n(ring->sq_tail, tail + n, __ATOMIC_RELEASE);
	done = enter(ring, n, 0);
	/* What the kernel did not take is not left for the next call. */
	__atomic_store_n(ring->sq_tail, tail + (done < 0 ? 0 : done), __ATOMIC_RELEASE);
	return done;
}

bool uring_next(struct uring *ring, uint64_t *number, int32_t *res, uint64_t *bytes)
{
	uint32_t head = *ring->cq_head;
	const struct io_uring_cqe *cqe;

	if (head == __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE))
		return false;
	cqe = (const void *)((const char *)ring->cqes + (head & ring->cq_mask) * CQE_SIZE);
	*number = cqe->user_data;
	*res = cqe->res;
	*bytes = cqe->big_cqe[0];
	__atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
	return true;
}
