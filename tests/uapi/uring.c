// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations submitted by io_uring.
 */
#include "common/ring.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

VIEWS("")

/* So slow that there is time to do something meanwhile. */
FIXTURE_OF(slow, "noncoherent", "bandwidth=1000000")
/* A page takes a fifth of a second. */
FIXTURE_OF(crawling, "noncoherent", "bandwidth=20000")

#define SIZE	(64 * 1024)
#define LARGE	(IORING_SETUP_SQE128 | IORING_SETUP_CQE32)
#define TRACING	"/sys/kernel/tracing/"

static struct dmafd_op whole(struct rig *rig)
{
	int src, dst;

	ASSERT_OK(src = reg(rig->ctx, memory(SIZE, 1), SIZE, DMAFD_BUF_READ));
	ASSERT_OK(dst = reg(rig->ctx, memory(SIZE, 2), SIZE, DMAFD_BUF_WRITE));
	return copy_op(dst, 0, src, 0, SIZE);
}

/* Makes the channel anew, with that depth. */
static void reopen(struct rig *rig, unsigned int depth)
{
	close(rig->chan);
	ASSERT_OK(rig->chan = chan_open(rig->ctx, rig->name, 0, depth));
}

static struct dmafd_chan_info info_of(int chan)
{
	struct dmafd_chan_info info = { .size = sizeof(info) };

	ASSERT_OK(ioctl(chan, DMAFD_CHAN_INFO, &info));
	return info;
}

/* All of @count, numbered from 0, with that result. */
static void expect(struct ring *ring, unsigned int count, int res)
{
	struct reaped reaped[128];
	unsigned int i;

	ring_collect(ring, reaped, count);
	for (i = 0; i < count; i++)
		EXPECT_EQ(res, reaped[i].res);
}

/* ---- what operations do ---- */

static void copies_and_fills(struct rig *rig, unsigned int flags,
			     struct io_uring_sqe *(*add)(struct ring *, int,
							 const struct dmafd_op *, uint64_t))
{
	unsigned char *src = memory(SIZE, 1), *dst = memory(SIZE, 2), *model = memory(SIZE, 2);
	unsigned int count = rig->real ? 2 : 3, i;
	struct dmafd_op copy, fill, nop = nop_op(0);
	struct reaped reaped[3];
	struct ring ring;
	int from, to;

	ring_up(&ring, 8, flags);
	ASSERT_OK(from = reg(rig->ctx, src, SIZE, DMAFD_BUF_READ));
	ASSERT_OK(to = reg(rig->ctx, dst, SIZE, DMAFD_BUF_WRITE));
	copy = copy_op(to, 100, from, 204, 1000);
	fill = fill_op(to, 5001, 777, 0x5a);
	add(&ring, rig->chan, &copy, 0);
	add(&ring, rig->chan, &nop, 1);
	if (count > 2)
		add(&ring, rig->chan, &fill, 2);
	ring_submit(&ring, count);
	ring_collect(&ring, reaped, count);
	for (i = 0; i < count; i++)
		EXPECT_EQ(0, reaped[i].res);
	EXPECT_EQ(flags & IORING_SETUP_CQE32 ? 1000 : 0, reaped[0].bytes);
	EXPECT_EQ(0, reaped[1].bytes);
	memcpy(model + 100, src + 204, 1000);
	if (count > 2)
		memset(model + 5001, 0x5a, 777);
	EXPECT_MEMEQ(model, dst, SIZE);
	/* Nothing is left to be read, and all is free. */
	EXPECT_EQ(0, info_of(rig->chan).out_held);
	ASSERT_OK(fcntl(rig->chan, F_SETFL, O_NONBLOCK));
	EXPECT_ERRNO(EAGAIN, read(rig->chan, &(struct dmafd_completion){},
				  sizeof(struct dmafd_completion)));
	ring_down(&ring);
}

TEST_VIEWS(in_the_entry) { copies_and_fills(rig, LARGE, ring_op); }
TEST_VIEWS(by_pointer) { copies_and_fills(rig, 0, ring_op_at); }
TEST_VIEWS(by_pointer_large) { copies_and_fills(rig, LARGE, ring_op_at); }
TEST_VIEWS(polled_thread) { copies_and_fills(rig, LARGE | IORING_SETUP_SQPOLL, ring_op); }
TEST_VIEWS(polled) { copies_and_fills(rig, LARGE | IORING_SETUP_IOPOLL, ring_op); }

/* In a worker, which may wait, and with a channel that does not like to wait. */
TEST_VIEWS(workers, .timeout = 60)
{
	struct ring ring;
	struct dmafd_op op = whole(rig);
	unsigned int i;

	ring_up(&ring, 32, LARGE);
	for (i = 0; i < 32; i++)
		ring_op(&ring, rig->chan, &op, i)->flags = IOSQE_ASYNC;
	ring_submit(&ring, 32);
	expect(&ring, 32, 0);
	ASSERT_OK(fcntl(rig->chan, F_SETFL, O_NONBLOCK));
	op = whole(rig);
	ring_op(&ring, rig->chan, &op, 0);
	EXPECT_EQ(0, ring_result(&ring));
	ring_down(&ring);
}

/* Each job reads what the one before wrote; the first must have its memory mapped. */
TEST_VIEWS(order)
{
	unsigned char *a = memory(SIZE, 1), *b = memory(SIZE, 2), *model = memory(SIZE, 1);
	struct dmafd_op op;
	struct ring ring;
	unsigned int i;
	int buf[2];

	ASSERT_OK(buf[0] = reg(rig->ctx, a, SIZE, DMAFD_BUF_READ | DMAFD_BUF_WRITE));
	ASSERT_OK(buf[1] = reg(rig->ctx, b, SIZE, DMAFD_BUF_READ | DMAFD_BUF_WRITE));
	ring_up(&ring, 128, LARGE);
	for (i = 0; i < 100; i++) {
		op = copy_op(buf[!(i % 2)], 4 * i + 4, buf[i % 2], 4 * i, SIZE - 4 * i - 4);
		op.flags = DMAFD_OP_FENCE;
		ring_op(&ring, rig->chan, &op, i);
	}
	ring_submit(&ring, 100);
	expect(&ring, 100, 0);
	EXPECT_MEMEQ(model, a + 400, SIZE - 400);
	EXPECT_MEMEQ(model, b + 396, SIZE - 396);
	ring_down(&ring);
}

/* Each begins when the one before is complete; after a failure none does. */
TEST_VIEWS(links)
{
	unsigned char *a = memory(SIZE, 1), *b = memory(SIZE, 2), *c = memory(SIZE, 3);
	struct dmafd_op first, second, bad = { .opcode = 77 };
	struct reaped reaped[3];
	struct ring ring;
	int bufs[3];

	ASSERT_OK(bufs[0] = reg(rig->ctx, a, SIZE, DMAFD_BUF_READ));
	ASSERT_OK(bufs[1] = reg(rig->ctx, b, SIZE, DMAFD_BUF_READ | DMAFD_BUF_WRITE));
	ASSERT_OK(bufs[2] = reg(rig->ctx, c, SIZE, DMAFD_BUF_WRITE));
	first = copy_op(bufs[1], 0, bufs[0], 0, SIZE);
	second = copy_op(bufs[2], 0, bufs[1], 0, SIZE);
	ring_up(&ring, 8, LARGE);
	ring_op(&ring, rig->chan, &first, 0)->flags = IOSQE_IO_LINK;
	ring_op(&ring, rig->chan, &second, 1);
	ring_submit(&ring, 2);
	expect(&ring, 2, 0);
	EXPECT_MEMEQ(a, c, SIZE);
	ring_op(&ring, rig->chan, &first, 0)->flags = IOSQE_IO_LINK;
	ring_op(&ring, rig->chan, &bad, 1)->flags = IOSQE_IO_LINK;
	ring_op(&ring, rig->chan, &second, 2);
	ring_submit(&ring, 3);
	ring_collect(&ring, reaped, 3);
	EXPECT_EQ(0, reaped[0].res);
	EXPECT_EQ(-EOPNOTSUPP, reaped[1].res);
	EXPECT_EQ(-ECANCELED, reaped[2].res);
	EXPECT_EQ(3, info_of(rig->chan).out_submitted);
	ring_down(&ring);
}

/* Two rings and the ioctl have one channel, and each its own completions. */
TEST_VIEWS(mixed)
{
	struct dmafd_completion completions[20];
	struct dmafd_op op = whole(rig);
	struct ring rings[2];
	unsigned int i;

	op.length = 4096;
	for (i = 0; i < 2; i++)
		ring_up(&rings[i], 32, LARGE);
	for (i = 0; i < 20; i++) {
		ring_op(&rings[0], rig->chan, &op, i);
		ring_op(&rings[1], rig->chan, &op, i);
		ring_submit(&rings[1], 0);
		op.user_data = 200 + i;
		ASSERT_EQ(1, submit(rig->chan, &op, 1));
		op.user_data = 0;
	}
	ring_submit(&rings[0], 20);
	take(rig->chan, completions, 20);
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(200 + i, completions[i].user_data);
		EXPECT_EQ(0, completions[i].status);
	}
	expect(&rings[0], 20, 0);
	expect(&rings[1], 20, 0);
	EXPECT_EQ(60, info_of(rig->chan).out_completed);
	ring_down(&rings[0]);
	ring_down(&rings[1]);
}

/* ---- batches ---- */

static unsigned int count_kicks(void)
{
	static char trace[1 << 20];
	unsigned int count = 0;
	const char *next = trace;
	size_t n;
	FILE *file;

	ASSERT_TRUE(file = fopen(TRACING "trace", "r"));
	n = fread(trace, 1, sizeof(trace) - 1, file);
	trace[n] = '\0';
	fclose(file);
	while ((next = strstr(next, " dmafd_kick: "))) {
		next++;
		count++;
	}
	return count;
}

static unsigned int kicks_of(struct rig *rig, struct ring *ring, const struct dmafd_op *op,
			     unsigned int count)
{
	unsigned int i, kicks, canceled;
	struct reaped reaped[64];

	for (i = 0; i < count; i++)
		ring_op(ring, rig->chan, op, i);
	put_text(TRACING "events/dmafd/dmafd_kick/enable", "1");
	/* Opened so, it is emptied. */
	close(open(TRACING "trace", O_WRONLY | O_TRUNC));
	ring_submit(ring, 0);
	kicks = count_kicks();
	put_text(TRACING "events/dmafd/dmafd_kick/enable", "0");
	ASSERT_OK(cancel(rig->chan, &canceled));
	EXPECT_EQ(count, canceled);
	ring_collect(ring, reaped, count);
	return kicks;
}

/* What is submitted together is begun together, even while it takes long. */
TEST_F(crawling, begun_together)
{
	struct rig *rig = &self->rig;
	struct dmafd_op op;
	struct ring ring;

	need_sim(rig);
	op = whole(rig);
	op.length = 4096;
	run_well(rig->chan, &op);
	ring_up(&ring, 64, LARGE);
	EXPECT_EQ(1, kicks_of(rig, &ring, &op, 1));
	EXPECT_EQ(1, kicks_of(rig, &ring, &op, 32));
	/* More of them are begun by and by. */
	EXPECT_EQ(2, kicks_of(rig, &ring, &op, 64));
	ring_down(&ring);
}

/* One alone is begun before anybody waits for it. */
TEST_VIEWS(not_delayed)
{
	struct dmafd_op op = whole(rig);
	unsigned int waited;
	struct ring ring;

	ring_up(&ring, 8, LARGE);
	run_well(rig->chan, &op);
	ring_op(&ring, rig->chan, &op, 0);
	ring_submit(&ring, 0);
	for (waited = 0; waited < slow_ms(2000) && info_of(rig->chan).out_completed < 2; waited++)
		sleep_ms(1);
	EXPECT_EQ(2, info_of(rig->chan).out_completed);
	expect(&ring, 1, 0);
	ring_down(&ring);
}

/* ---- errors ---- */

static int result_of(struct ring *ring, int chan, const struct dmafd_op *op)
{
	ring_op(ring, chan, op, 0);
	return ring_result(ring);
}

TEST_F(flat, entries)
{
	struct dmafd_op op = nop_op(0);
	struct rig *rig = &self->rig;
	struct iovec page = { .iov_base = memory(4096, 1), .iov_len = 4096 };
	struct io_uring_sqe *sqe;
	struct ring small, large;

	ring_up(&small, 8, 0);
	ring_up(&large, 8, LARGE);
	EXPECT_EQ(-EINVAL, result_of(&small, rig->chan, &op));
	sqe = ring_op(&large, rig->chan, &op, 0);
	sqe->cmd_op = DMAFD_SUBMIT;
	EXPECT_EQ(-ENOTTY, ring_result(&large));
	/* All that follows the operation is zero. */
	sqe = ring_op(&large, rig->chan, &op, 0);
	((unsigned char *)sqe)[48 + sizeof(op)] = 1;
	EXPECT_EQ(-E2BIG, ring_result(&large));
	sqe = ring_op(&large, rig->chan, &op, 0);
	((unsigned char *)sqe)[127] = 1;
	EXPECT_EQ(-E2BIG, ring_result(&large));
	/* io_uring itself looks whether there is such a buffer. */
	ASSERT_OK(syscall(__NR_io_uring_register, large.fd, IORING_REGISTER_BUFFERS, &page, 1));
	ring_op(&large, rig->chan, &op, 0)->uring_cmd_flags = IORING_URING_CMD_FIXED;
	EXPECT_EQ(-EOPNOTSUPP, ring_result(&large));
	EXPECT_EQ(0, result_of(&large, rig->chan, &op));
	/* The context takes none. */
	EXPECT_EQ(-EOPNOTSUPP, result_of(&large, rig->ctx, &op));
	ring_down(&small);
	ring_down(&large);
}

static int at_result(struct ring *ring, int chan, const struct dmafd_uring_at *at)
{
	struct io_uring_sqe *sqe = ring_entry(ring, IORING_OP_URING_CMD, chan, 0);

	sqe->cmd_op = DMAFD_URING_OP_AT;
	memcpy(sqe->cmd, at, sizeof(*at));
	return ring_result(ring);
}

TEST_F(flat, pointers)
{
	struct { struct dmafd_op op; uint64_t more[600]; } longer = { .op = nop_op(0) };
	struct dmafd_uring_at at = { .op = (uintptr_t)&longer, .op_size = sizeof(longer.op) };
	int chan = self->rig.chan;
	struct ring ring;

	ring_up(&ring, 8, 0);
	EXPECT_EQ(0, at_result(&ring, chan, &at));
	at.__reserved = 1;
	EXPECT_EQ(-EOPNOTSUPP, at_result(&ring, chan, &at));
	at.__reserved = 0;
	at.op_size = sizeof(longer.op) - 1;
	EXPECT_EQ(-EINVAL, at_result(&ring, chan, &at));
	at.op_size = sizeof(longer.op) + 8;
	EXPECT_EQ(0, at_result(&ring, chan, &at));
	longer.more[0] = 1;
	EXPECT_EQ(-E2BIG, at_result(&ring, chan, &at));
	longer.more[0] = 0;
	at.op_size = 4097;
	EXPECT_EQ(-E2BIG, at_result(&ring, chan, &at));
	at.op_size = sizeof(longer.op);
	at.op = 8;
	EXPECT_EQ(-EFAULT, at_result(&ring, chan, &at));
	ring_down(&ring);
}

TEST_F(flat, operations)
{
	struct rig *rig = &self->rig;
	struct dmafd_op good = whole(rig), op = good;
	struct ring ring;

	ring_up(&ring, 8, LARGE);
	op.user_data = 1;
	EXPECT_EQ(-EINVAL, result_of(&ring, rig->chan, &op));
	op = good;
	op.flags = DMAFD_OP_NO_COMPLETION;
	EXPECT_EQ(-EOPNOTSUPP, result_of(&ring, rig->chan, &op));
	op.flags = 1U << 31;
	EXPECT_EQ(-EOPNOTSUPP, result_of(&ring, rig->chan, &op));
	op = good;
	op.opcode = 77;
	EXPECT_EQ(-EOPNOTSUPP, result_of(&ring, rig->chan, &op));
	op = good;
	op.src_buf = 99;
	EXPECT_EQ(-ENOENT, result_of(&ring, rig->chan, &op));
	op.src_buf = good.dst_buf;
	EXPECT_EQ(-EACCES, result_of(&ring, rig->chan, &op));
	op = good;
	op.length = SIZE + 4;
	EXPECT_EQ(-EINVAL, result_of(&ring, rig->chan, &op));
	/* Neither did anything; a worker says the same. */
	EXPECT_EQ(0, info_of(rig->chan).out_submitted);
	ring_op(&ring, rig->chan, &op, 0)->flags = IOSQE_ASYNC;
	EXPECT_EQ(-EINVAL, ring_result(&ring));
	EXPECT_EQ(0, result_of(&ring, rig->chan, &good));
	ring_down(&ring);
}

TEST_VIEWS(failure)
{
	struct reaped reaped;
	struct dmafd_op op;
	struct ring ring;

	need_sim(rig);
	op = whole(rig);
	ring_up(&ring, 8, LARGE);
	sim_set("inject", "fail");
	ring_op(&ring, rig->chan, &op, 1);
	ring_submit(&ring, 1);
	ring_reap(&ring, &reaped);
	EXPECT_EQ(-EIO, reaped.res);
	EXPECT_LE(reaped.bytes, SIZE - 1);
	sim_set("inject", "off");
	EXPECT_EQ(0, result_of(&ring, rig->chan, &op));
	EXPECT_EQ(1, info_of(rig->chan).out_failed);
	ring_down(&ring);
}

static void full(struct rig *rig, unsigned int flags)
{
	struct dmafd_op op;
	struct ring ring;
	unsigned int i;

	need_sim(rig);
	reopen(rig, 4);
	ring_up(&ring, 16, flags);
	op = whole(rig);
	run_well(rig->chan, &op);
	sim_set("inject", "hang");
	for (i = 0; i < 4; i++)
		ring_op(&ring, rig->chan, &op, i);
	ring_submit(&ring, 0);
	EXPECT_EQ(4, info_of(rig->chan).out_held);
	ring_op(&ring, rig->chan, &op, 0);
	ring_op(&ring, rig->chan, &op, 1)->flags = IOSQE_ASYNC;
	ring_submit(&ring, 2);
	expect(&ring, 2, -EAGAIN);
	ASSERT_OK(cancel(rig->chan, &(unsigned int){0}));
	sim_set("inject", "off");
	expect(&ring, 4, -ECANCELED);
	EXPECT_EQ(0, result_of(&ring, rig->chan, &op));
	ring_down(&ring);
}

TEST_VIEWS(full_channel) { full(rig, LARGE); }

/* Each slot is free again as soon as its completion was posted. */
TEST_VIEWS(depth_of_one)
{
	struct dmafd_op op = whole(rig);
	struct ring ring;
	unsigned int i;

	reopen(rig, 1);
	ring_up(&ring, 8, LARGE);
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, result_of(&ring, rig->chan, &op));
	ring_down(&ring);
}

/* ---- ends of all kinds ---- */

TEST_VIEWS(timeout)
{
	struct reaped reaped[3];
	struct dmafd_op op;
	struct ring ring;

	need_sim(rig);
	op = whole(rig);
	op.timeout_ms = 200;
	ring_up(&ring, 8, LARGE);
	sim_set("inject", "hang");
	ring_op(&ring, rig->chan, &op, 0);
	ring_op(&ring, rig->chan, &op, 1);
	ring_submit(&ring, 0);
	/* io_uring has no way to cancel it, but does not hang itself, either. */
	ring_entry(&ring, IORING_OP_ASYNC_CANCEL, -1, 2)->addr = 1;
	ring_submit(&ring, 3);
	ring_collect(&ring, reaped, 3);
	EXPECT_EQ(-ETIMEDOUT, reaped[0].res);
	EXPECT_EQ(-ECANCELED, reaped[1].res);
	EXPECT_EQ(-ENOENT, reaped[2].res);
	sim_set("inject", "off");
	EXPECT_EQ(0, result_of(&ring, rig->chan, &op));
	ring_down(&ring);
}

TEST_F(slow, cancel, .timeout = 60)
{
	unsigned int i, round, canceled, ended;
	struct rig *rig = &self->rig;
	struct reaped reaped[8];
	struct dmafd_op op;
	struct ring ring;

	need_sim(rig);
	op = whole(rig);
	ring_up(&ring, 8, LARGE);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < 8; i++)
			ring_op(&ring, rig->chan, &op, i);
		ring_submit(&ring, 0);
		sleep_ms(round * 7);
		ASSERT_OK(cancel(rig->chan, &canceled));
		ring_collect(&ring, reaped, 8);
		for (i = 0, ended = 0; i < 8; i++) {
			ended += reaped[i].res == -ECANCELED;
			if (!reaped[i].res)
				EXPECT_EQ(SIZE, reaped[i].bytes);
		}
		EXPECT_EQ(canceled, ended);
	}
	ring_down(&ring);
}

static void submit_many(struct rig *rig, struct ring *ring, const struct dmafd_op *op)
{
	unsigned int i;

	for (i = 0; i < 100; i++)
		ring_op(ring, rig->chan, op, i);
	ring_submit(ring, 0);
}

static void closed_in_flight(struct rig *rig, unsigned int flags)
{
	struct dmafd_op op;
	struct dmafd_chan_info info;
	struct ring ring;
	unsigned int i;

	for (i = 0; i < 10; i++) {
		op = whole(rig);
		op.length = 4096;
		ring_up(&ring, 128, flags);
		submit_many(rig, &ring, &op);
		info = info_of(rig->chan);
		sleep_ms(i);
		if (i % 2)
			ring_down(&ring);
		close(rig->chan);
		if (!(i % 2)) {
			/* They go on: the ring has the channel. */
			if (i % 4)
				expect(&ring, 100, 0);
			ring_down(&ring);
		}
		rig->chan = -1;
		for (unsigned int waited = 0; rig->chan < 0 && waited < slow_ms(5000); waited++) {
			rig->chan = chan_open(rig->ctx, info.out_name, 0, 0);
			sleep_ms(1);
		}
		ASSERT_OK(rig->chan);
		/* Nobody works on it any more. */
		ASSERT_OK(unreg(rig->ctx, op.src_buf));
		ASSERT_OK(unreg(rig->ctx, op.dst_buf));
	}
}

TEST_VIEWS(close, .timeout = 60) { closed_in_flight(rig, LARGE); }
TEST_F(slow, close, .timeout = 120)
{
	need_sim(&self->rig);
	closed_in_flight(&self->rig, LARGE);
}

TEST_VIEWS(close_polled, .timeout = 60) { closed_in_flight(rig, LARGE | IORING_SETUP_IOPOLL); }

static void fork_and_submit(struct rig *rig, unsigned int flags, unsigned int round)
{
	struct ring ring;
	struct dmafd_op op;
	struct reaped reaped;

	ASSERT_OK(rig->ctx = ctx_open());
	while ((rig->chan = chan_open(rig->ctx, rig->name, 0, 0)) < 0)
		ASSERT_EQ(EBUSY, errno);
	op = whole(rig);
	ring_up(&ring, 128, flags);
	for (;;) {
		submit_many(rig, &ring, &op);
		if (round % 3 == 2)
			_exit(0);
		if (round % 3 == 1)
			execl("/proc/self/exe", "uring", "--help", NULL);
		for (unsigned int i = 0; i < 100; i++)
			ring_reap(&ring, &reaped);
	}
}

/* By kill -9, exec and exit, with a hundred jobs in flight. */
static void killed_in_flight(struct rig *rig, unsigned int flags, unsigned int times)
{
	unsigned int i;
	pid_t pid;
	long before;

	close(rig->chan);
	close(rig->ctx);
	rig->chan = -1;
	rig->ctx = -1;
	before = pins();
	for (i = 0; i < times; i++) {
		ASSERT_OK(pid = fork());
		if (!pid) {
			/* What the program says that is executed. */
			dup2(open("/dev/null", O_WRONLY), 1);
			fork_and_submit(rig, flags, i);
		}
		sleep_ms(1 + i % 13);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	}
	for (i = 0; i < slow_ms(5000) && pins() != before; i += 10)
		sleep_ms(10);
	EXPECT_EQ(before, pins());
	ASSERT_OK(rig->ctx = ctx_open());
	ASSERT_OK(rig->chan = chan_open(rig->ctx, rig->name, 0, 0));
}

TEST_F(flat, kill_in_flight, .timeout = 120) { killed_in_flight(&self->rig, LARGE, 60); }

TEST_F(flat, kill_polled, .timeout = 120)
{
	killed_in_flight(&self->rig, LARGE | IORING_SETUP_IOPOLL, 30);
}

TEST_F(flat, kill_sqpoll, .timeout = 120)
{
	killed_in_flight(&self->rig, LARGE | IORING_SETUP_SQPOLL, 30);
}

TEST_F(noncoherent, kill_in_flight, .timeout = 120) { killed_in_flight(&self->rig, LARGE, 30); }

TEST_F(slow, kill_in_flight, .timeout = 120)
{
	need_sim(&self->rig);
	killed_in_flight(&self->rig, LARGE, 30);
}

/* A controller that hangs keeps nothing of a process that was killed. */
static void killed_with_hang(struct rig *rig, unsigned int flags)
{
	long before = pins();
	struct dmafd_op op;
	struct ring ring;
	unsigned int i;
	pid_t pid;

	need_sim(rig);
	close(rig->chan);
	close(rig->ctx);
	rig->chan = -1;
	rig->ctx = -1;
	sim_set("inject", "hang count=0");
	ASSERT_OK(pid = fork());
	if (!pid) {
		ASSERT_OK(rig->ctx = ctx_open());
		ASSERT_OK(rig->chan = chan_open(rig->ctx, rig->name, 0, 0));
		op = whole(rig);
		op.timeout_ms = 3600 * 1000;
		ring_up(&ring, 128, flags);
		submit_many(rig, &ring, &op);
		pause();
	}
	sleep_ms(slow_ms(200));
	EXPECT_LE(before + 1, pins());
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	for (i = 0; i < slow_ms(3000) && pins() != before; i += 10)
		sleep_ms(10);
	EXPECT_EQ(before, pins());
	sim_set("inject", "off");
}

TEST_F(flat, kill_with_hang) { killed_with_hang(&self->rig, LARGE); }

TEST_F(flat, kill_sqpoll_with_hang)
{
	killed_with_hang(&self->rig, LARGE | IORING_SETUP_SQPOLL);
}

TEST_F(flat, kill_polled_with_hang)
{
	killed_with_hang(&self->rig, LARGE | IORING_SETUP_IOPOLL);
}

/* The controller goes while jobs are under way. */
TEST_F(slow, controller_removed)
{
	struct rig *rig = &self->rig;
	struct reaped reaped[100];
	struct dmafd_op op;
	struct ring ring;
	unsigned int i;

	need_sim(rig);
	op = whole(rig);
	ring_up(&ring, 128, LARGE);
	submit_many(rig, &ring, &op);
	ASSERT_OK(sim_remove());
	ring_collect(&ring, reaped, 100);
	for (i = 0; i < 100; i++)
		EXPECT_GT(0, reaped[i].res);
	EXPECT_GT(0, result_of(&ring, rig->chan, &op));
	ring_down(&ring);
}

/* The controller's driver is unbound: ENODEV from then on. */
TEST_F(flat, controller_unbound)
{
	char *driver, path[4200];
	struct rig *rig = &self->rig;
	struct dmafd_chan_info info;
	struct dmafd_op op;
	struct ring ring;

	driver = take_lone(rig);
	op = whole(rig);
	ring_up(&ring, 8, LARGE);
	EXPECT_EQ(0, result_of(&ring, rig->chan, &op));
	info = info_of(rig->chan);
	snprintf(path, sizeof(path), "%s/unbind", driver);
	put_text(path, info.out_device);
	EXPECT_EQ(-ENODEV, result_of(&ring, rig->chan, &op));
	snprintf(path, sizeof(path), "%s/bind", driver);
	put_text(path, info.out_device);
	free(driver);
	ring_down(&ring);
}
