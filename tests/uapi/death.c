// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ends amid everything: processes that are killed, files that others still have,
 * modules that somebody would like to remove.
 */
#include "common/bench.h"
#include "common/ring.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

VIEWS("")
FIXTURE_OF(slow, "flat", "bandwidth=1000000")

#define SIZE	(64 * 1024)
#define PAGE	4096

enum { OPS = 8 };

/* ---- killed at any time ---- */

/* What is given to the channel: all kinds that it can do. */
struct work {
	struct dmafd_op ops[OPS];
	struct dmafd_segment src[4], dst[4];
	struct dmafd_sg_args list, sources;
	struct dmafd_2d_args rows;
	struct dmafd_cyclic_args cyclic;
	unsigned int count;
};

static void add(struct work *work, struct dmafd_op op)
{
	work->ops[work->count++] = op;
}

static void add_streams(struct work *work, int src, int dst)
{
	struct dmafd_op op = { .opcode = DMAFD_OP_COPY_SG, .length = 4 * 2048 };
	unsigned int i;

	for (i = 0; i < 4; i++) {
		work->src[i] = (struct dmafd_segment){ .buf = src, .offset = i * PAGE,
						       .length = 2048 };
		work->dst[i] = (struct dmafd_segment){ .buf = dst, .offset = i * 2 * PAGE,
						       .length = 2048 };
	}
	work->list = (struct dmafd_sg_args){
		.size = sizeof(work->list), .src = (uintptr_t)work->src,
		.dst = (uintptr_t)work->dst, .nr_src = 4, .nr_dst = 4,
	};
	op.args = (uintptr_t)&work->list;
	add(work, op);
	work->rows = (struct dmafd_2d_args){
		.size = sizeof(work->rows), .rows = 8, .src_stride = 1024, .dst_stride = 4096,
	};
	op = copy_op(dst, 0, src, 0, 8 * 512);
	op.opcode = DMAFD_OP_COPY_2D;
	op.args = (uintptr_t)&work->rows;
	add(work, op);
}

static void add_sources(struct work *work, int dst)
{
	struct dmafd_op op = {
		.opcode = DMAFD_OP_XOR, .dst_buf = dst, .length = 2048,
		.args = (uintptr_t)&work->sources,
	};

	work->sources = (struct dmafd_sg_args){
		.size = sizeof(work->sources), .src = (uintptr_t)work->src, .nr_src = 3,
	};
	add(work, op);
}

static void make_work(struct work *work, const struct rig *rig)
{
	int src, dst;

	*work = (struct work){};
	ASSERT_OK(src = reg(rig->ctx, memory(SIZE, 1), SIZE, DMAFD_BUF_READ));
	ASSERT_OK(dst = reg(rig->ctx, memory(SIZE, 2), SIZE, DMAFD_BUF_WRITE));
	add(work, copy_op(dst, 0, src, 0, SIZE));
	add(work, nop_op(DMAFD_OP_FENCE));
	add_streams(work, src, dst);
	if (rig->real)
		return;
	add(work, fill_op(dst, 3, 5000, 7));
	add_sources(work, dst);
}

/* By the ioctl, waiting or not, or by a ring; until it is killed. */
static void work_on(struct rig *rig, unsigned int how)
{
	struct dmafd_completion completions[64];
	struct work work;
	struct ring ring;
	unsigned int i;

	make_work(&work, rig);
	if (how % 3 == 2)
		ring_up(&ring, 16, IORING_SETUP_SQE128 | IORING_SETUP_CQE32);
	for (;;) {
		if (how % 3 == 2) {
			for (i = 0; i < work.count; i++)
				ring_op(&ring, rig->chan, &work.ops[i], i);
			ring_submit(&ring, work.count);
			for (i = 0; i < work.count; i++)
				ring_reap(&ring, &(struct reaped){});
		} else if (how % 3 == 1) {
			run(rig->chan, &work.ops[how % work.count], completions);
		} else {
			submit(rig->chan, work.ops, work.count);
			if (read(rig->chan, completions, sizeof(completions)) < 0)
				_exit(1);
		}
	}
}

/* What is opened once, and left to the processes that are killed. */
static void let_go(struct rig *rig)
{
	close(rig->chan);
	close(rig->ctx);
	rig->chan = -1;
	rig->ctx = -1;
}

static void expect_pins(long expected)
{
	unsigned int waited;

	for (waited = 0; waited < slow_ms(5000) && pins() != expected; waited += 10)
		sleep_ms(10);
	ASSERT_EQ(expected, pins());
}

/* A process of before may still be about to close it. */
static void open_soon(struct rig *rig)
{
	unsigned int waited;

	ASSERT_OK(rig->ctx = ctx_open());
	for (waited = 0; waited < slow_ms(5000); waited++) {
		rig->chan = chan_open(rig->ctx, rig->name, 0, 0);
		if (rig->chan >= 0 || errno != EBUSY)
			break;
		sleep_ms(1);
	}
	ASSERT_OK(rig->chan);
}

static void killed_while_working(struct rig *rig, unsigned int times)
{
	unsigned int i, seed = 12345;
	long before;
	pid_t pid;

	let_go(rig);
	before = pins();
	for (i = 0; i < times; i++) {
		seed = seed * 1664525 + 1013904223;
		ASSERT_OK(pid = fork());
		if (!pid) {
			open_soon(rig);
			work_on(rig, i);
		}
		/* Somewhere from its beginning to many rounds of work. */
		usleep((seed >> 8) % slow_ms(6000));
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
		if (i % 50 == 49)
			expect_pins(before);
	}
	expect_pins(before);
	open_soon(rig);
	make_work(&(struct work){}, rig);
}

TEST_F(flat, killed, .timeout = 120) { killed_while_working(&self->rig, 500); }
TEST_F(iommu, killed, .timeout = 120) { killed_while_working(&self->rig, 250); }
TEST_F(noncoherent, killed, .timeout = 120) { killed_while_working(&self->rig, 250); }

/* ---- devices ---- */

#define BENCH_OF(fixture, _view)							\
	static const struct bench_plan fixture##_plan = {				\
		.view = _view, .options = "", .loop = "",				\
		.source = "kind=source rate=400000", .sink = "kind=sink rate=400000",	\
		.width = 4, .burst = 4,							\
	};										\
	FIXTURE(fixture) { struct bench bench; };					\
	FIXTURE_SETUP(fixture)								\
	{										\
		const char *board = getenv("BOARD") ?: "";				\
											\
		if (!strcmp(board, "raspi3b") || !strcmp(board, "smdkc210"))		\
			SKIP("the board's controller is not for that");			\
		bench_up(&self->bench, &fixture##_plan);				\
	}										\
	FIXTURE_TEARDOWN(fixture)							\
	{										\
		if (self->bench.device[0])						\
			bench_down(&self->bench);					\
	}

BENCH_OF(devices, "noncoherent")
BENCH_OF(translated_devices, "iommu")

static int open_port(int ctx, const char *name)
{
	int chan;

	while ((chan = chan_open(ctx, name, 0, 0)) < 0)
		ASSERT_EQ(EBUSY, errno);
	return chan;
}

/* One device sends, the other one has a ring, or a job. */
static void work_on_devices(unsigned int how)
{
	struct dmafd_cyclic_args args = { .size = sizeof(args), .period = 1024 };
	struct dmafd_op tx = { .opcode = DMAFD_OP_TO_DEVICE, .length = PAGE };
	struct dmafd_op rx = { .opcode = how & 1 ? DMAFD_OP_CYCLIC : DMAFD_OP_FROM_DEVICE,
			       .length = PAGE };
	struct dmafd_completion completion;
	int ctx, source, sink;

	ASSERT_OK(ctx = ctx_open());
	source = open_port(ctx, "source");
	sink = open_port(ctx, "sink");
	ASSERT_OK(tx.src_buf = reg(ctx, memory(PAGE, 1), PAGE, DMAFD_BUF_READ));
	ASSERT_OK(rx.dst_buf = reg(ctx, memory(PAGE, 2), PAGE, DMAFD_BUF_WRITE));
	rx.args = how & 1 ? (uintptr_t)&args : 0;
	ASSERT_EQ(1, submit(source, &rx, 1));
	for (;;) {
		submit(sink, &tx, 1);
		take(source, &completion, 1);
		if (!(how & 1))
			submit(source, &rx, 1);
	}
}

static void kill_users_of_devices(unsigned int times)
{
	unsigned int i, seed = 99;
	long before = pins();
	pid_t pid;

	for (i = 0; i < times; i++) {
		seed = seed * 1664525 + 1013904223;
		ASSERT_OK(pid = fork());
		if (!pid)
			work_on_devices(i);
		usleep((seed >> 8) % slow_ms(15000));
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	}
	expect_pins(before);
}

TEST_F(devices, killed, .timeout = 60) { kill_users_of_devices(100); }
TEST_F(translated_devices, killed, .timeout = 60) { kill_users_of_devices(100); }

/* ---- killed in the middle of a call ---- */

enum { MAPPED = 2 << 20, TIMES = 256 };

/*
 * An array of operations that takes very long: the same ones again and again, in
 * many mappings of a file. None has a completion, so that the channel is never full.
 */
static void submit_endlessly(struct rig *rig)
{
	struct dmafd_submit arg = { .size = sizeof(arg), .op_size = sizeof(struct dmafd_op) };
	struct dmafd_op *ops;
	char *all;
	size_t i;
	int fd;

	ASSERT_OK(fd = memfd_create("operations", 0));
	ASSERT_OK(ftruncate(fd, MAPPED));
	ASSERT_OK(all = mmap(NULL, (size_t)MAPPED * TIMES, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
	for (i = 0; i < TIMES; i++)
		ASSERT_OK((void *)mmap(all + i * MAPPED, MAPPED, PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_FIXED, fd, 0));
	ops = (struct dmafd_op *)all;
	for (i = 0; i < MAPPED / sizeof(*ops); i++)
		ops[i] = nop_op(DMAFD_OP_NO_COMPLETION);
	arg.ops = (uintptr_t)ops;
	arg.nr_ops = MAPPED / sizeof(*ops) * TIMES;
	ioctl(rig->chan, DMAFD_SUBMIT, &arg);
	_exit(0);
}

TEST_F(flat, killed_while_submitting)
{
	struct rig *rig = &self->rig;
	struct dmafd_chan_info info;
	unsigned int waited = 0;
	int status = 0;
	pid_t pid;

	ASSERT_OK(pid = fork());
	if (!pid)
		submit_endlessly(rig);
	/* Until it has begun. */
	do {
		sleep_ms(10);
		chan_info(rig->chan, &info);
	} while (!info.out_submitted && !waitpid(pid, &status, WNOHANG));
	kill(pid, SIGKILL);
	while (!waitpid(pid, &status, WNOHANG) && waited++ < slow_ms(500))
		sleep_ms(1);
	/* It was killed, which did not take long, and before it was through. */
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_LT(waited, slow_ms(500));
	chan_info(rig->chan, &info);
	EXPECT_LT(info.out_submitted, MAPPED / sizeof(struct dmafd_op) * TIMES);
}

/* ---- files that others have ---- */

struct waiter {
	struct rig *rig;
	struct dmafd_op op;
	int chan, result;
	unsigned int completions;
};

static void *wait_in_ioctl(void *data)
{
	struct dmafd_completion completions[4];
	struct waiter *waiter = data;
	struct dmafd_submit arg = {
		.size = sizeof(arg), .flags = DMAFD_SUBMIT_WAIT,
		.ops = (uintptr_t)&waiter->op, .nr_ops = 1, .op_size = sizeof(waiter->op),
		.completions = (uintptr_t)completions, .nr_completions = 4,
	};

	waiter->result = ioctl(waiter->chan, DMAFD_SUBMIT, &arg);
	waiter->completions = arg.out_completions;
	return NULL;
}

/* The call has the channel until it returns, and the job ends well. */
TEST_F(slow, closed_while_waiting)
{
	struct rig *rig = &self->rig;
	struct waiter waiter = { .rig = rig, .chan = rig->chan };
	unsigned char *dst = memory(SIZE, 2), *src = memory(SIZE, 1);
	pthread_t thread;
	int in, out;

	ASSERT_OK(in = reg(rig->ctx, src, SIZE, DMAFD_BUF_READ));
	ASSERT_OK(out = reg(rig->ctx, dst, SIZE, DMAFD_BUF_WRITE));
	waiter.op = copy_op(out, 0, in, 0, SIZE);
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_in_ioctl, &waiter));
	sleep_ms(slow_ms(20));
	ASSERT_OK(close(rig->chan));
	ASSERT_OK(close(rig->ctx));
	rig->ctx = -1;
	rig->chan = -1;
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, waiter.result);
	EXPECT_EQ(1, waiter.completions);
	EXPECT_MEMEQ(src, dst, SIZE);
}

/* Who has the channel goes on when the one that opened it was killed. */
TEST_F(flat, outlived)
{
	struct rig *rig = &self->rig;
	struct dmafd_completion completion;
	unsigned char *shared;
	struct dmafd_op op;
	int sockets[2], i;
	long before;
	pid_t pid;

	let_go(rig);
	before = pins();
	ASSERT_OK(shared = mmap(NULL, 2 * SIZE, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	pattern(shared, SIZE, 9);
	ASSERT_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets));
	for (i = 0; i < 20; i++) {
		ASSERT_OK(pid = fork());
		if (!pid) {
			open_soon(rig);
			ASSERT_EQ(1, reg(rig->ctx, shared, SIZE, DMAFD_BUF_READ));
			ASSERT_EQ(2, reg(rig->ctx, shared + SIZE, SIZE, DMAFD_BUF_WRITE));
			send_fd(sockets[0], rig->chan);
			op = copy_op(2, 0, 1, 0, SIZE);
			ASSERT_EQ(1, submit(rig->chan, &op, 1));
			pause();
		}
		rig->chan = receive_fd(sockets[1]);
		memset(shared + SIZE, 0, SIZE);
		take(rig->chan, &completion, 1);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
		EXPECT_EQ(0, completion.status);
		op = copy_op(2, 0, 1, 0, SIZE);
		run_well(rig->chan, &op);
		EXPECT_MEMEQ(shared, shared + SIZE, SIZE);
		close(rig->chan);
		rig->chan = -1;
		expect_pins(before);
	}
}

/* ---- modules ---- */

static void expect_held(void)
{
	EXPECT_NE(0, system("rmmod dmafd 2>/dev/null"));
	EXPECT_EQ(0, access("/dev/dmafd", F_OK));
}

TEST_F(flat, module_stays)
{
	struct rig *rig = &self->rig;
	struct ring ring;
	int memory_fd, chan;

	/* A context, a channel, a dma-buf, a ring that has a job: each alone holds it. */
	expect_held();
	close(rig->ctx);
	rig->ctx = -1;
	expect_held();
	close(rig->chan);
	ASSERT_OK(rig->ctx = ctx_open());
	rig->chan = -1;
	expect_held();
	ASSERT_OK(alloc(rig->ctx, PAGE, DMAFD_BUF_READ, &memory_fd));
	ASSERT_OK(chan = chan_open(rig->ctx, rig->name, 0, 0));
	close(rig->ctx);
	rig->ctx = -1;
	ring_up(&ring, 8, IORING_SETUP_SQE128 | IORING_SETUP_CQE32);
	ring_entry(&ring, IORING_OP_POLL_ADD, chan, 0)->poll32_events = 1;
	ring_submit(&ring, 0);
	close(chan);
	expect_held();
	ring_down(&ring);
	expect_held();
	close(memory_fd);
}

/* Removed and loaded again, it is as before. */
TEST_F(flat, module_goes)
{
	struct rig *rig = &self->rig;
	unsigned int i, waited;

	let_go(rig);
	for (i = 0; i < 5; i++) {
		for (waited = 0; system("rmmod dmafd 2>/dev/null"); waited += 10) {
			ASSERT_LT(waited, slow_ms(3000));
			sleep_ms(10);
		}
		EXPECT_ERRNO(ENOENT, access("/dev/dmafd", F_OK));
		ASSERT_EQ(0, system("modprobe dmafd"));
		open_soon(rig);
		run_well(rig->chan, &(struct dmafd_op){ .opcode = DMAFD_OP_NOP });
		let_go(rig);
	}
}
