// SPDX-License-Identifier: GPL-2.0-only
#include "ring.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static size_t sqe_size(const struct ring *ring)
{
	return ring->flags & IORING_SETUP_SQE128 ? 128 : 64;
}

static size_t cqe_size(const struct ring *ring)
{
	return ring->flags & IORING_SETUP_CQE32 ? 32 : 16;
}

static unsigned char *map(struct ring *ring, unsigned int nr, size_t size, off_t offset)
{
	unsigned char *ptr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
				  ring->fd, offset);

	ASSERT_OK((void *)ptr);
	ring->map[nr] = ptr;
	ring->size[nr] = size;
	return ptr;
}

void ring_up(struct ring *ring, unsigned int entries, unsigned int flags)
{
	struct io_uring_params params = { .flags = flags, .sq_thread_idle = 10 };
	unsigned char *sq, *cq;
	unsigned int *array, i;

	*ring = (struct ring){ .flags = flags };
	ring->fd = syscall(__NR_io_uring_setup, entries, &params);
	if (ring->fd < 0 && errno == ENOSYS)
		SKIP("this kernel has no io_uring");
	ASSERT_OK(ring->fd);
	ring->entries = params.sq_entries;
	sq = map(ring, 0, params.sq_off.array + params.sq_entries * sizeof(*array),
		 IORING_OFF_SQ_RING);
	cq = map(ring, 1, params.cq_off.cqes + params.cq_entries * cqe_size(ring),
		 IORING_OFF_CQ_RING);
	ring->sqes = map(ring, 2, params.sq_entries * sqe_size(ring), IORING_OFF_SQES);
	ring->cqes = cq + params.cq_off.cqes;
	ring->sq_head = (void *)(sq + params.sq_off.head);
	ring->sq_tail = (void *)(sq + params.sq_off.tail);
	ring->sq_flags = (void *)(sq + params.sq_off.flags);
	ring->cq_head = (void *)(cq + params.cq_off.head);
	ring->cq_tail = (void *)(cq + params.cq_off.tail);
	ring->sq_mask = params.sq_entries - 1;
	ring->cq_mask = params.cq_entries - 1;
	array = (void *)(sq + params.sq_off.array);
	for (i = 0; i < params.sq_entries; i++)
		array[i] = i;
}

void ring_down(struct ring *ring)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		munmap(ring->map[i], ring->size[i]);
	close(ring->fd);
	ring->fd = -1;
}

struct io_uring_sqe *ring_entry(struct ring *ring, unsigned int opcode, int fd,
				uint64_t user_data)
{
	unsigned int tail = *ring->sq_tail + ring->queued;
	struct io_uring_sqe *sqe = (void *)(ring->sqes + (tail & ring->sq_mask) * sqe_size(ring));

	ASSERT_LT(ring->queued, ring->entries);
	memset(sqe, 0, sqe_size(ring));
	sqe->opcode = opcode;
	sqe->fd = fd;
	sqe->user_data = user_data;
	ring->queued++;
	return sqe;
}

struct io_uring_sqe *ring_op(struct ring *ring, int chan, const struct dmafd_op *op,
			     uint64_t user_data)
{
	struct io_uring_sqe *sqe = ring_entry(ring, IORING_OP_URING_CMD, chan, user_data);

	sqe->cmd_op = DMAFD_URING_OP;
	memcpy(sqe->cmd, op, ring->flags & IORING_SETUP_SQE128 ? sizeof(*op) : 16);
	return sqe;
}

struct io_uring_sqe *ring_op_at(struct ring *ring, int chan, const struct dmafd_op *op,
				uint64_t user_data)
{
	struct io_uring_sqe *sqe = ring_entry(ring, IORING_OP_URING_CMD, chan, user_data);
	struct dmafd_uring_at at = { .op = (uintptr_t)op, .op_size = sizeof(*op) };

	sqe->cmd_op = DMAFD_URING_OP_AT;
	memcpy(sqe->cmd, &at, sizeof(at));
	return sqe;
}

static int enter(struct ring *ring, unsigned int submit, unsigned int wait, unsigned int flags)
{
	int n;

	do {
		n = syscall(__NR_io_uring_enter, ring->fd, submit, wait, flags, NULL, 0);
	} while (n < 0 && errno == EINTR);
	return n;
}

void ring_submit(struct ring *ring, unsigned int wait)
{
	unsigned int flags = wait ? IORING_ENTER_GETEVENTS : 0, queued = ring->queued;

	__atomic_store_n(ring->sq_tail, *ring->sq_tail + queued, __ATOMIC_RELEASE);
	ring->queued = 0;
	if (ring->flags & IORING_SETUP_SQPOLL) {
		/* Whether its thread sleeps is to be looked at after that. */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (__atomic_load_n(ring->sq_flags, __ATOMIC_RELAXED) & IORING_SQ_NEED_WAKEUP)
			ASSERT_OK(enter(ring, 0, 0, IORING_ENTER_SQ_WAKEUP));
		if (wait)
			ASSERT_OK(enter(ring, 0, wait, flags));
		return;
	}
	ASSERT_EQ(queued, enter(ring, queued, wait, flags));
}

unsigned int ring_ready(const struct ring *ring)
{
	return __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) - *ring->cq_head;
}

void ring_reap(struct ring *ring, struct reaped *reaped)
{
	struct io_uring_cqe *cqe;

	while (!ring_ready(ring))
		ASSERT_OK(enter(ring, 0, 1, IORING_ENTER_GETEVENTS));
	cqe = (void *)(ring->cqes + (*ring->cq_head & ring->cq_mask) * cqe_size(ring));
	reaped->user_data = cqe->user_data;
	reaped->res = cqe->res;
	reaped->bytes = ring->flags & IORING_SETUP_CQE32 ? cqe->big_cqe[0] : 0;
	__atomic_store_n(ring->cq_head, *ring->cq_head + 1, __ATOMIC_RELEASE);
}

void ring_collect(struct ring *ring, struct reaped *reaped, unsigned int count)
{
	struct reaped one;
	unsigned int i;

	memset(reaped, 0, count * sizeof(*reaped));
	for (i = 0; i < count; i++) {
		ring_reap(ring, &one);
		ASSERT_LT(one.user_data, count);
		ASSERT_FALSE(reaped[one.user_data].seen);
		reaped[one.user_data] = one;
		reaped[one.user_data].seen = true;
	}
}

int ring_result(struct ring *ring)
{
	struct reaped reaped;

	ring_submit(ring, 1);
	ring_reap(ring, &reaped);
	return reaped.res;
}
