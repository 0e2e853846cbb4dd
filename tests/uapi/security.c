// SPDX-License-Identifier: GPL-2.0-only
/*
 * The holes that drivers of this kind had, one by one. Above each test stands which
 * it is.
 */
#include "common/bench.h"
#include "common/ring.h"

#include <ctype.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

VIEWS("")

/* So slow that there is time to do something meanwhile. */
FIXTURE_OF(slow, "flat", "bandwidth=1000000")
FIXTURE_OF(slow_lines, "noncoherent", "bandwidth=1000000")
FIXTURE_OF(slow_iommu, "iommu", "bandwidth=1000000")

#define SIZE	(64 * 1024)
#define PAGE	4096
#define NOBODY	65534

static struct dmafd_op whole(struct rig *rig, unsigned char *dst_memory)
{
	int src, dst;

	ASSERT_OK(src = reg(rig->ctx, memory(SIZE, 1), SIZE, DMAFD_BUF_READ));
	ASSERT_OK(dst = reg(rig->ctx, dst_memory, SIZE, DMAFD_BUF_WRITE));
	return copy_op(dst, 0, src, 0, SIZE);
}

static void reopen(struct rig *rig)
{
	ASSERT_OK(rig->chan = chan_open(rig->ctx, rig->name, 0, 0));
}

/* Ends well, in a child that must not end otherwise. */
static void in_child(void (*function)(void *), void *data)
{
	int status;
	pid_t pid;

	ASSERT_OK(pid = fork());
	if (!pid) {
		function(data);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* ---- 1: an index or a length that is read, checked, and read again ---- */

/*
 * Two pages in a row, of which the second is not there: when the kernel reads on, all
 * that it has read before is changed.
 */
struct trap {
	unsigned char *memory;		/* both pages */
	unsigned char second[PAGE];	/* what will be there */
	int fd;
	unsigned int sprung;
	pthread_t thread;
	struct {
		void *ptr;
		size_t len;
	} spoil[4];
};

static void *spring(void *data)
{
	struct trap *trap = data;
	struct uffd_msg message;
	struct uffdio_copy copy = {
		.dst = (uintptr_t)trap->memory + PAGE, .src = (uintptr_t)trap->second,
		.len = PAGE,
	};
	unsigned int i;

	ASSERT_EQ(sizeof(message), read(trap->fd, &message, sizeof(message)));
	ASSERT_EQ(UFFD_EVENT_PAGEFAULT, message.event);
	for (i = 0; i < 4; i++)
		memset(trap->spoil[i].ptr, 0xff, trap->spoil[i].len);
	trap->sprung++;
	ASSERT_OK(ioctl(trap->fd, UFFDIO_COPY, &copy));
	return NULL;
}

static void trap_make(struct trap *trap)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	/* The same instruction is done again there, with what it had read of the page before. */
	if (sizeof(long) < 8)
		SKIP("this CPU reads several words at once");
	memset(trap, 0, sizeof(*trap));
	trap->fd = syscall(__NR_userfaultfd, O_CLOEXEC);
	if (trap->fd < 0)
		SKIP("this kernel has no userfaultfd");
	ASSERT_OK(ioctl(trap->fd, UFFDIO_API, &api));
	ASSERT_OK(trap->memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	range.range.start = (uintptr_t)trap->memory + PAGE;
	range.range.len = PAGE;
	ASSERT_OK(ioctl(trap->fd, UFFDIO_REGISTER, &range));
}

static void trap_spoil(struct trap *trap, unsigned int nr, void *ptr, size_t len)
{
	trap->spoil[nr].ptr = ptr;
	trap->spoil[nr].len = len;
}

/* Puts something so that its first bytes are there; returns where. */
static void *trap_lay(struct trap *trap, const void *data, size_t len, size_t there)
{
	unsigned char *at = trap->memory + PAGE - there;

	memcpy(at, data, there);
	memcpy(trap->second, (const char *)data + there, len - there);
	return at;
}

static void trap_set(struct trap *trap)
{
	ASSERT_EQ(0, pthread_create(&trap->thread, NULL, spring, trap));
}

static void trap_end(struct trap *trap)
{
	ASSERT_EQ(0, pthread_join(trap->thread, NULL));
	EXPECT_EQ(1, trap->sprung);
	close(trap->fd);
}

enum { SEGMENTS = 20, SEGMENT = 1024 };

/* A list whose arguments and segments change as soon as they were read. */
TEST_VIEWS(changed_list)
{
	unsigned char *src = memory(SIZE, 1), *dst = memory(SIZE, 2);
	struct dmafd_segment from[SEGMENTS], to[SEGMENTS];
	struct dmafd_sg_args args = { .size = sizeof(args), .nr_src = SEGMENTS,
				      .nr_dst = SEGMENTS };
	struct dmafd_completion completion;
	struct trap args_trap, from_trap, to_trap;
	struct dmafd_op op;
	int in, out, i;

	ASSERT_OK(in = reg(rig->ctx, src, SIZE, DMAFD_BUF_READ));
	ASSERT_OK(out = reg(rig->ctx, dst, SIZE, DMAFD_BUF_WRITE));
	for (i = 0; i < SEGMENTS; i++) {
		from[i] = (struct dmafd_segment){ .buf = in, .offset = 2 * i * SEGMENT,
						  .length = SEGMENT };
		to[i] = (struct dmafd_segment){ .buf = out, .offset = i * SEGMENT,
						.length = SEGMENT };
	}
	trap_make(&args_trap);
	trap_make(&from_trap);
	trap_make(&to_trap);
	/* As many as are looked at in one go, and more. */
	args.src = (uintptr_t)trap_lay(&from_trap, from, sizeof(from), 16 * sizeof(*from));
	args.dst = (uintptr_t)trap_lay(&to_trap, to, sizeof(to), 16 * sizeof(*to));
	op = (struct dmafd_op){
		.opcode = DMAFD_OP_COPY_SG, .length = SEGMENTS * SEGMENT,
		.args = (uintptr_t)trap_lay(&args_trap, &args, sizeof(args), 8),
	};
	trap_spoil(&args_trap, 0, &op, sizeof(op));
	trap_spoil(&args_trap, 1, args_trap.memory, PAGE);
	trap_spoil(&from_trap, 0, from_trap.memory, PAGE);
	trap_spoil(&from_trap, 1, args_trap.memory, 2 * PAGE);
	trap_spoil(&to_trap, 0, to_trap.memory, PAGE);
	trap_spoil(&to_trap, 1, from_trap.memory, 2 * PAGE);
	trap_set(&args_trap);
	trap_set(&from_trap);
	trap_set(&to_trap);
	ASSERT_EQ(1, submit(rig->chan, &op, 1));
	take(rig->chan, &completion, 1);
	EXPECT_EQ(0, completion.status);
	EXPECT_EQ(SEGMENTS * SEGMENT, completion.bytes);
	for (i = 0; i < SEGMENTS; i++)
		EXPECT_MEMEQ(src + 2 * i * SEGMENT, dst + i * SEGMENT, SEGMENT);
	trap_end(&args_trap);
	trap_end(&from_trap);
	trap_end(&to_trap);
}

/* The ioctl's own argument, and then the operations of an array. */
TEST_VIEWS(changed_array)
{
	struct dmafd_completion completions[2];
	struct trap arg_trap, ops_trap;
	struct dmafd_submit arg = { .size = sizeof(arg), .nr_ops = 2,
				    .op_size = sizeof(struct dmafd_op) }, *there;
	static const char nothing[64];
	struct dmafd_op ops[2];
	unsigned int i;

	ops[0] = whole(rig, memory(SIZE, 2));
	ops[1] = ops[0];
	ops[1].length = SIZE / 2;
	trap_make(&arg_trap);
	trap_make(&ops_trap);
	arg.ops = (uintptr_t)trap_lay(&ops_trap, ops, sizeof(ops), sizeof(*ops));
	there = trap_lay(&arg_trap, &arg, sizeof(arg), 8);
	trap_spoil(&arg_trap, 0, arg_trap.memory, PAGE);
	/* The response may write all but this. */
	trap_spoil(&ops_trap, 0, ops_trap.memory, PAGE);
	trap_spoil(&ops_trap, 1, there, 36);
	trap_set(&arg_trap);
	trap_set(&ops_trap);
	ASSERT_OK(ioctl(rig->chan, DMAFD_SUBMIT, there));
	EXPECT_EQ(2, there->out_submitted);
	/* What lies behind it is as it was. */
	EXPECT_EQ(0, memcmp(there + 1, nothing, sizeof(nothing)));
	take(rig->chan, completions, 2);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, completions[i].status);
		EXPECT_EQ(SIZE / (i + 1), completions[i].bytes);
	}
	trap_end(&arg_trap);
	trap_end(&ops_trap);
}

/* An entry of io_uring, which the kernel shares with the program. */
TEST_VIEWS(changed_entry)
{
	struct io_uring_sqe *sqe;
	struct reaped reaped;
	struct dmafd_op op;
	struct trap trap;
	struct ring ring;

	ring_up(&ring, 8, IORING_SETUP_CQE32);
	op = whole(rig, memory(SIZE, 2));
	trap_make(&trap);
	sqe = ring_op_at(&ring, rig->chan, trap_lay(&trap, &op, sizeof(op), 8), 0);
	trap_spoil(&trap, 0, sqe, sizeof(*sqe));
	trap_spoil(&trap, 1, trap.memory, PAGE);
	trap_set(&trap);
	ring_submit(&ring, 1);
	ring_reap(&ring, &reaped);
	EXPECT_EQ(0, reaped.res);
	EXPECT_EQ(SIZE, reaped.bytes);
	trap_end(&trap);
	ring_down(&ring);
}

struct flipper {
	volatile struct dmafd_op *op;
	volatile bool ends;
};

static void *flip(void *data)
{
	struct flipper *flipper = data;
	volatile struct dmafd_op *op = flipper->op;
	const struct dmafd_op good = *op;

	while (!flipper->ends) {
		op->length = good.length * 2;
		op->dst_offset = -(uint64_t)PAGE;
		op->src_buf = 0x7fffffff;
		op->opcode = 0xffff;
		op->opcode = good.opcode;
		op->src_buf = good.src_buf;
		op->dst_offset = good.dst_offset;
		op->length = good.length;
	}
	return NULL;
}

/* The same without knowing when to change it. Other memory is not mapped here. */
TEST_F(iommu, raced_operation, .timeout = 60)
{
	struct dmafd_completion completion;
	struct rig *rig = &self->rig;
	struct dmafd_op op = whole(rig, memory(SIZE, 2));
	struct flipper flipper = { .op = &op };
	unsigned int i, good = 0;
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, flip, &flipper));
	for (i = 0; i < 3000; i++) {
		if (submit(rig->chan, &op, 1) < 1) {
			ASSERT_TRUE(errno == EINVAL || errno == EOPNOTSUPP || errno == ENOENT);
			continue;
		}
		take(rig->chan, &completion, 1);
		ASSERT_EQ(0, completion.status);
		ASSERT_EQ(SIZE, completion.bytes);
		good++;
	}
	flipper.ends = true;
	pthread_join(thread, NULL);
	EXPECT_GT(good, 0);
}

/* ---- 2: memory given back while the channel goes on ---- */

/* After close() nothing is written, at whatever point of the transfer it comes. */
TEST_F(slow, nothing_is_written_after_close, .timeout = 60)
{
	unsigned char *dst = memory(SIZE, 2), *then = malloc(SIZE);
	struct rig *rig = &self->rig;
	struct dmafd_op op;
	unsigned int i, amid = 0;

	need_sim(rig);
	op = whole(rig, dst);
	for (i = 0; i < 12; i++) {
		memset(dst, 0xa5, SIZE);
		ASSERT_EQ(1, submit(rig->chan, &op, 1));
		sleep_ms(2 + 5 * i);
		close(rig->chan);
		memcpy(then, dst, SIZE);
		amid += then[0] != 0xa5 && !memcmp(then + SIZE - 64, dst + SIZE - 64, 64);
		sleep_ms(80);
		ASSERT_MEMEQ(then, dst, SIZE);
		reopen(rig);
	}
	EXPECT_GT(amid, 0);
}

/* While it hangs, its memory stays; with the channel's end all of it goes. */
static void hung(struct rig *rig, unsigned int ends)
{
	unsigned char *dst = memory(SIZE, 2);
	long before = pins();
	struct dmafd_op op;

	need_sim(rig);
	op = whole(rig, dst);
	sim_set("inject", "hang count=0");
	op.timeout_ms = 3600 * 1000;
	ASSERT_EQ(1, submit(rig->chan, &op, 1));
	sleep_ms(slow_ms(30));
	EXPECT_ERRNO(EBUSY, unreg(rig->ctx, op.dst_buf));
	EXPECT_EQ(before + 2 * SIZE / PAGE, pins());
	if (ends) {
		close(rig->chan);
		rig->chan = -1;
		EXPECT_OK(unreg(rig->ctx, op.src_buf));
		EXPECT_OK(unreg(rig->ctx, op.dst_buf));
	} else {
		close(rig->ctx);
		rig->ctx = -1;
		EXPECT_EQ(before + 2 * SIZE / PAGE, pins());
		close(rig->chan);
		rig->chan = -1;
	}
	EXPECT_EQ(before, pins());
	sim_set("inject", "off");
}

TEST_VIEWS(close_of_what_hangs) { hung(rig, 1); }
TEST_VIEWS(context_first) { hung(rig, 0); }

/* A process that is killed has the same end: its memory is shared with this one. */
TEST_F(slow, nothing_is_written_after_kill, .timeout = 60)
{
	unsigned char *dst, *then = malloc(SIZE);
	struct rig *rig = &self->rig;
	long before;
	unsigned int i;
	pid_t pid;

	need_sim(rig);
	close(rig->chan);
	close(rig->ctx);
	rig->chan = -1;
	rig->ctx = -1;
	before = pins();
	ASSERT_OK(dst = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			     0));
	for (i = 0; i < 8; i++) {
		memset(dst, 0xa5, SIZE);
		ASSERT_OK(pid = fork());
		if (!pid) {
			struct dmafd_op op;

			ASSERT_OK(rig->ctx = ctx_open());
			reopen(rig);
			op = whole(rig, dst);
			ASSERT_EQ(1, submit(rig->chan, &op, 1));
			pause();
		}
		sleep_ms(5 + 8 * i);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
		ASSERT_EQ(before, pins());
		memcpy(then, dst, SIZE);
		sleep_ms(80);
		ASSERT_MEMEQ(then, dst, SIZE);
	}
}

/* ---- 3: a timeout, and then a completion ---- */

static void overtaken(struct rig *rig, const char *rule)
{
	struct dmafd_completion completion;
	struct dmafd_op op, other;
	unsigned int i, timeouts = 0;

	need_sim(rig);
	op = whole(rig, memory(SIZE, 2));
	op.timeout_ms = slow_ms(20);
	other = op;
	other.length = 4096;
	other.timeout_ms = 0;
	for (i = 0; i < 10; i++) {
		sim_set("inject", rule);
		op.user_data = i;
		run(rig->chan, &op, &completion);
		EXPECT_TRUE(!completion.status || completion.status == -ETIMEDOUT);
		timeouts += completion.status == -ETIMEDOUT;
		sim_set("inject", "off");
		/* The next one has its own end, and there is no other. */
		other.user_data = 100 + i;
		run_well(rig->chan, &other);
		if (i % 2)
			sleep_ms(slow_ms(30));
		EXPECT_EQ(0, poll(&(struct pollfd){ .fd = rig->chan, .events = POLLIN }, 1, 0));
	}
	EXPECT_GT(timeouts, 0);
	/* One that comes when nobody is there any more. */
	sim_set("inject", rule);
	ASSERT_EQ(1, submit(rig->chan, &op, 1));
	close(rig->chan);
	sleep_ms(slow_ms(60));
	sim_set("inject", "off");
	reopen(rig);
	run_well(rig->chan, &other);
}

/* At the timeout, before and after it. */
TEST_VIEWS(late_completion, .timeout = 60) { overtaken(rig, "late arg=200000"); }
TEST_VIEWS(no_completion, .timeout = 60) { overtaken(rig, "hang"); }

/* It waits in an ioctl with what is on its stack, and goes before the job does. */
TEST_F(slow, left_while_waiting, .timeout = 60)
{
	struct rig *rig = &self->rig;
	unsigned int i;
	pid_t pid;

	need_sim(rig);
	for (i = 0; i < 20; i++) {
		ASSERT_OK(pid = fork());
		if (!pid) {
			struct dmafd_completion completion;
			struct dmafd_op op = whole(rig, memory(SIZE, 2));

			run(rig->chan, &op, &completion);
			_exit(0);
		}
		sleep_ms(1 + 4 * i);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	}
	ASSERT_OK(cancel(rig->chan, &(unsigned int){0}));
}

/* ---- 4: sums that wrap around ---- */

/* An offset and a length whose sum is small. */
static const struct {
	uint64_t offset, length;
} wraps[] = {
	{ -(uint64_t)PAGE, 2 * PAGE },
	{ -(uint64_t)PAGE, PAGE },
	{ PAGE, -(uint64_t)PAGE },
	{ (uint64_t)1 << 63, (uint64_t)1 << 63 },
	{ (uint64_t)1 << 32, PAGE },
	{ PAGE, (uint64_t)1 << 32 },
	{ SIZE, PAGE },
	{ SIZE - PAGE, 2 * PAGE },
	{ ~(uint64_t)0, 4 },
	{ 4, ~(uint64_t)0 - 3 },
};

#define for_each_wrap(i) for (i = 0; i < sizeof(wraps) / sizeof(wraps[0]); i++)

TEST_F(flat, wraps_of_memory)
{
	int ctx = self->rig.ctx, fd;
	unsigned char *ptr = memory(SIZE, 1);
	struct dmafd_buf_register arg = { .size = sizeof(arg), .flags = DMAFD_BUF_READ };
	struct dmafd_chan_list list = {
		.size = sizeof(list), .entries = (uintptr_t)ptr, .capacity = ~0U,
		.entry_size = ~0U,
	};

	arg.addr = (uintptr_t)ptr;
	arg.length = -arg.addr;
	EXPECT_ERRNO(EOVERFLOW, ioctl(ctx, DMAFD_BUF_REGISTER, &arg));
	arg.length = ~0ULL;
	EXPECT_ERRNO(EOVERFLOW, ioctl(ctx, DMAFD_BUF_REGISTER, &arg));
	arg.addr = ~0ULL;
	arg.length = 1;
	EXPECT_ERRNO(EOVERFLOW, ioctl(ctx, DMAFD_BUF_REGISTER, &arg));
	arg.addr = (uintptr_t)ptr;
	arg.length = (uint64_t)1 << 52;
	EXPECT_LT(ioctl(ctx, DMAFD_BUF_REGISTER, &arg), 0);
	EXPECT_TRUE(errno == ENOMEM || errno == EOVERFLOW);
	EXPECT_ERRNO(ENOMEM, alloc(ctx, SIZE_MAX, DMAFD_BUF_READ, &fd));
	EXPECT_ERRNO(ENOMEM, alloc(ctx, SIZE_MAX - PAGE, DMAFD_BUF_READ, &fd));
	EXPECT_ERRNO(E2BIG, ioctl(ctx, DMAFD_CHAN_LIST, &list));
}

static void wraps_of(struct rig *rig, struct dmafd_op op, bool src, bool dst)
{
	struct dmafd_op bad;
	unsigned int i;

	for_each_wrap(i) {
		bad = op;
		bad.length = wraps[i].length;
		if (src) {
			bad.src_offset = wraps[i].offset;
			EXPECT_ERRNO(EINVAL, submit_error(rig->chan, &bad));
			bad.src_offset = 0;
		}
		if (dst) {
			bad.dst_offset = wraps[i].offset;
			EXPECT_ERRNO(EINVAL, submit_error(rig->chan, &bad));
		}
	}
}

TEST_F(flat, wraps_of_copies)
{
	struct rig *rig = &self->rig;
	struct dmafd_op op = whole(rig, memory(SIZE, 2));

	wraps_of(rig, op, true, true);
}

TEST_F(flat, wraps_of_fills)
{
	struct rig *rig = &self->rig;
	struct dmafd_op op = whole(rig, memory(SIZE, 2));

	need_sim(rig);
	wraps_of(rig, fill_op(op.dst_buf, 0, 4, 1), false, true);
}

/* Also segments whose lengths add up to what was said only in 64 or 32 bits. */
TEST_F(flat, wraps_of_lists)
{
	struct rig *rig = &self->rig;
	struct dmafd_op plain = whole(rig, memory(SIZE, 2)), op = { .opcode = DMAFD_OP_COPY_SG };
	struct dmafd_segment src[2] = { { .buf = plain.src_buf, .length = PAGE },
					{ .buf = plain.src_buf, .length = PAGE } };
	struct dmafd_segment dst[2] = { { .buf = plain.dst_buf, .length = PAGE },
					{ .buf = plain.dst_buf, .offset = PAGE, .length = PAGE } };
	struct dmafd_sg_args args = {
		.size = sizeof(args), .src = (uintptr_t)src, .dst = (uintptr_t)dst, .nr_src = 2,
		.nr_dst = 2,
	};
	unsigned int i;

	op.args = (uintptr_t)&args;
	op.length = 2 * PAGE;
	run_well(rig->chan, &op);
	for_each_wrap(i) {
		src[1].offset = wraps[i].offset;
		src[1].length = wraps[i].length;
		op.length = PAGE + wraps[i].length;
		EXPECT_ERRNO(EINVAL, submit_error(rig->chan, &op));
		op.length = 2 * PAGE;
		EXPECT_ERRNO(EINVAL, submit_error(rig->chan, &op));
		src[1] = src[0];
		dst[1].offset = wraps[i].offset;
		dst[1].length = wraps[i].length;
		EXPECT_ERRNO(EINVAL, submit_error(rig->chan, &op));
		dst[1] = dst[0];
		dst[1].offset = PAGE;
	}
	op.length = 2 * PAGE + ((uint64_t)1 << 32);
	EXPECT_ERRNO(EINVAL, submit_error(rig->chan, &op));
	args.nr_src = ~0U;
	op.length = 2 * PAGE;
	EXPECT_ERRNO(EINVAL, submit_error(rig->chan, &op));
}

TEST_F(flat, wraps_of_rows)
{
	static const int64_t strides[] = {
		INT64_MAX, INT64_MIN, INT64_MIN + 1, INT64_MAX / 3, INT64_MIN / 3,
		(int64_t)1 << 32, -((int64_t)1 << 32), (int64_t)1 << 62, SIZE, -1024,
	};
	struct rig *rig = &self->rig;
	struct dmafd_op op = whole(rig, memory(SIZE, 2));
	struct dmafd_2d_args args = { .size = sizeof(args), .rows = 4, .src_stride = 1024,
				      .dst_stride = 1024 };
	unsigned int i;

	op.opcode = DMAFD_OP_COPY_2D;
	op.args = (uintptr_t)&args;
	op.length = 4 * 1024;
	run_well(rig->chan, &op);
	for (i = 0; i < sizeof(strides) / sizeof(strides[0]); i++) {
		args.src_stride = strides[i];
		EXPECT_ERRNO(EINVAL, submit_error(rig->chan, &op));
		args.src_stride = 1024;
		args.dst_stride = strides[i];
		EXPECT_ERRNO(EINVAL, submit_error(rig->chan, &op));
		args.dst_stride = 1024;
	}
	args.rows = 1;
	wraps_of(rig, op, true, true);
	args.rows = 65536;
	op.length = (uint64_t)1 << 48;
	EXPECT_ERRNO(EINVAL, submit_error(rig->chan, &op));
}

TEST_F(flat, wraps_of_sources)
{
	struct rig *rig = &self->rig;
	struct dmafd_op plain = whole(rig, memory(SIZE, 2)), op = { .opcode = DMAFD_OP_XOR };
	struct dmafd_segment src[2] = { { .buf = plain.src_buf, .length = PAGE },
					{ .buf = plain.src_buf, .length = PAGE } };
	struct dmafd_sg_args args = { .size = sizeof(args), .src = (uintptr_t)src, .nr_src = 2 };
	unsigned int i;

	need_sim(rig);
	op.dst_buf = plain.dst_buf;
	op.args = (uintptr_t)&args;
	op.length = PAGE;
	run_well(rig->chan, &op);
	for_each_wrap(i) {
		src[1].offset = wraps[i].offset;
		src[0].length = wraps[i].length;
		src[1].length = wraps[i].length;
		op.length = wraps[i].length;
		EXPECT_ERRNO(EINVAL, submit_error(rig->chan, &op));
	}
	src[0] = (struct dmafd_segment){ .buf = plain.src_buf, .length = PAGE };
	src[1] = src[0];
	op.length = PAGE;
	op.dst_offset = -(uint64_t)PAGE;
	EXPECT_ERRNO(EINVAL, submit_error(rig->chan, &op));
}

/* ---- devices ---- */

#define BENCH_OF(fixture, _view, rate)							\
	static const struct bench_plan fixture##_plan = {				\
		.view = _view, .options = "", .source = "kind=source" rate,		\
		.sink = "kind=sink" rate, .width = 4, .burst = 4,			\
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

BENCH_OF(devices, "noncoherent", "")
BENCH_OF(slow_devices, "noncoherent", " rate=20000")

TEST_F(devices, wraps)
{
	struct bench *bench = &self->bench;
	struct rig tx = { .chan = bench_open(bench, "sink") };
	struct rig rx = { .chan = bench_open(bench, "source") };
	struct dmafd_cyclic_args args = { .size = sizeof(args), .period = PAGE };
	struct dmafd_op op = {};
	int src, dst;

	ASSERT_OK(src = reg(bench->ctx, memory(SIZE, 1), SIZE, DMAFD_BUF_READ));
	ASSERT_OK(dst = reg(bench->ctx, memory(SIZE, 2), SIZE, DMAFD_BUF_WRITE));
	op.opcode = DMAFD_OP_TO_DEVICE;
	op.src_buf = src;
	wraps_of(&tx, op, true, false);
	op = (struct dmafd_op){ .opcode = DMAFD_OP_FROM_DEVICE, .dst_buf = dst };
	wraps_of(&rx, op, false, true);
	op.opcode = DMAFD_OP_CYCLIC;
	op.args = (uintptr_t)&args;
	wraps_of(&rx, op, false, true);
	op.length = 2 * PAGE;
	for (unsigned int i = 1; i < 3; i++) {
		args.period = i == 1 ? -(uint64_t)PAGE : ((uint64_t)1 << 32) + PAGE;
		EXPECT_ERRNO(EINVAL, submit_error(rx.chan, &op));
	}
}

/* ---- 5: a mapping that has fewer segments than the memory has pages ---- */

#define TRACING		"/sys/kernel/tracing/"

/* The number behind a word in the last line of the trace that has it. */
static long last_in_trace(const char *word)
{
	static char text[1 << 18];
	char *next = text, *place;
	long number = -1;
	FILE *file;

	ASSERT_TRUE(file = fopen(TRACING "trace", "r"));
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	while ((place = strstr(next, word))) {
		number = strtol(place + strlen(word), NULL, 10);
		next = place + 1;
	}
	return number;
}

TEST_F(iommu, merged_mapping)
{
	unsigned char *src, *dst, *page;
	struct rig *rig = &self->rig;
	struct dmafd_op op;
	int from, to, i;

	need_sim(rig);
	/* Each page on its own, so that none are beside each other. */
	ASSERT_OK(src = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0));
	ASSERT_OK(dst = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0));
	for (i = SIZE / PAGE - 1; i >= 0; i--) {
		pattern(src + i * PAGE, PAGE, i);
		page = memory(PAGE, 1);
		*page = 1;
		dst[i * PAGE] = 1;
	}
	ASSERT_OK(from = reg(rig->ctx, src + 100, SIZE - 200, DMAFD_BUF_READ));
	ASSERT_OK(to = reg(rig->ctx, dst + 300, SIZE - 1000, DMAFD_BUF_WRITE));
	put_text(TRACING "events/dmafd/dmafd_map/enable", "1");
	op = copy_op(to, 50, from, 3000, SIZE - 5000);
	run_well(rig->chan, &op);
	put_text(TRACING "events/dmafd/dmafd_map/enable", "0");
	EXPECT_MEMEQ(src + 3100, dst + 350, SIZE - 5000);
	/* It was merged indeed. */
	EXPECT_EQ(1, last_in_trace(" segments="));
}

/* ---- 6: pins and limits ---- */

static void expect_exact(long before, long locked)
{
	EXPECT_EQ(before, pins());
	EXPECT_EQ(locked, number_in("/proc/self/status", "VmPin:"));
}

enum { MANY = 1300 };	/* pages: more than are pinned at once */

/* A range with a hole, wherever that is, leaves nothing pinned. */
TEST_F(flat, hole_in_the_range, .timeout = 60)
{
	static const int holes[] = { 0, 1, 511, 512, 513, 1024, MANY - 1 };
	struct rig *rig = &self->rig;
	long before = pins(), locked = number_in("/proc/self/status", "VmPin:");
	unsigned int i, access;
	unsigned char *ptr;
	int buf;

	for (i = 0; i < sizeof(holes) / sizeof(holes[0]); i++) {
		ptr = memory(MANY * PAGE, 1);
		for (access = 1; access < 4; access++) {
			ASSERT_OK(buf = reg(rig->ctx, ptr, MANY * PAGE, access));
			EXPECT_EQ(before + MANY, pins());
			ASSERT_OK(unreg(rig->ctx, buf));
			expect_exact(before, locked);
		}
		ASSERT_OK(mprotect(ptr + holes[i] * PAGE, PAGE, PROT_NONE));
		EXPECT_ERRNO(EFAULT, reg(rig->ctx, ptr, MANY * PAGE, DMAFD_BUF_READ));
		expect_exact(before, locked);
		ASSERT_OK(munmap(ptr + holes[i] * PAGE, PAGE));
		for (access = 1; access < 4; access++)
			EXPECT_ERRNO(EFAULT, reg(rig->ctx, ptr, MANY * PAGE, access));
		expect_exact(before, locked);
		munmap(ptr, MANY * PAGE);
	}
}

/* At the limit: what failed has left all of it. */
static void at_the_limit(void *data)
{
	const struct rlimit limit = { .rlim_cur = 16 * PAGE, .rlim_max = 16 * PAGE };
	unsigned char *good = memory(17 * PAGE, 1), *bad = memory(16 * PAGE, 1);
	struct rig *rig = data;
	int i, buf, fd;

	ASSERT_OK(munmap(bad + 9 * PAGE, PAGE));
	ASSERT_OK(setrlimit(RLIMIT_MEMLOCK, &limit));
	ASSERT_OK(rig->ctx = ctx_open());
	ASSERT_OK(setresuid(NOBODY, NOBODY, NOBODY));
	for (i = 0; i < 40; i++) {
		EXPECT_ERRNO(EFAULT, reg(rig->ctx, bad, 16 * PAGE, DMAFD_BUF_READ));
		/* It begins and ends within pages, which count. */
		EXPECT_ERRNO(ENOMEM, reg(rig->ctx, good + 1, 16 * PAGE, DMAFD_BUF_READ));
		EXPECT_ERRNO(ENOMEM, alloc(rig->ctx, 17 * PAGE, DMAFD_BUF_READ, &fd));
		ASSERT_OK(buf = reg(rig->ctx, good, 16 * PAGE, DMAFD_BUF_READ));
		EXPECT_ERRNO(ENOMEM, reg(rig->ctx, good, 1, DMAFD_BUF_READ));
		ASSERT_OK(unreg(rig->ctx, buf));
		ASSERT_OK(buf = alloc(rig->ctx, 16 * PAGE, DMAFD_BUF_READ, &fd));
		EXPECT_ERRNO(ENOMEM, reg(rig->ctx, good, 1, DMAFD_BUF_READ));
		close(fd);
		ASSERT_OK(unreg(rig->ctx, buf));
	}
}

TEST_F(flat, limit_is_exact, .timeout = 60) { in_child(at_the_limit, &self->rig); }

/* ---- 7: addresses that are told ---- */

/* Where the memory is: on a board whose controller sees it all, that is what it gets. */
static uint64_t physical(const unsigned char *ptr)
{
	uint64_t entry;
	int fd;

	ASSERT_OK(fd = open("/proc/self/pagemap", O_RDONLY));
	ASSERT_EQ(8, pread(fd, &entry, 8, (uintptr_t)ptr / PAGE * 8));
	close(fd);
	return (entry & (((uint64_t)1 << 55) - 1)) * PAGE;
}

struct secrets {
	uint64_t pages[2 * SIZE / PAGE];
	unsigned int count;
};

static void keep_secret(struct secrets *secrets, const unsigned char *ptr)
{
	size_t at;

	for (at = 0; at < SIZE; at += PAGE) {
		secrets->pages[secrets->count] = physical(ptr + at);
		ASSERT_GT(secrets->pages[secrets->count], 1 << 20);
		secrets->count++;
	}
}

static bool is_secret(const struct secrets *secrets, uint64_t value)
{
	unsigned int i;

	/* An address of the kernel. */
	if (value >> 48 == 0xffff && ~value >> 16)
		return true;
	/* The Raspberry's controllers see memory elsewhere, too. */
	for (i = 0; i < secrets->count; i++)
		if ((value & 0x3fffffff) / PAGE == (secrets->pages[i] & 0x3fffffff) / PAGE &&
		    value >> 32 == secrets->pages[i] >> 32)
			return true;
	return false;
}

static void expect_no_secret(const struct secrets *secrets, uint64_t value, const char *where)
{
	if (!is_secret(secrets, value))
		return;
	printf("%s tells %#llx\n", where, (unsigned long long)value);
	EXPECT_FALSE("it is an address");
}

/* All numbers of a text: decimal ones, and such as have hexadecimal digits. */
static void scan_text(const struct secrets *secrets, const char *text, const char *where)
{
	size_t digits;

	for (; *text; text += digits ? digits : 1) {
		if (text[0] == '0' && text[1] == 'x')
			text += 2;
		digits = strspn(text, "0123456789abcdefABCDEF");
		if (digits < 6)
			continue;
		expect_no_secret(secrets, strtoull(text, NULL, 16), where);
		if (strspn(text, "0123456789") == digits)
			expect_no_secret(secrets, strtoull(text, NULL, 10), where);
	}
}

static char text[1 << 20];

static void scan_file(const struct secrets *secrets, const char *path, bool must)
{
	FILE *file = fopen(path, "r");
	size_t n;

	ASSERT_TRUE(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	fclose(file);
	if (must)
		EXPECT_GT(n, 0);
	scan_text(secrets, text, path);
}

/* Without its times of day, which are numbers like others. */
static void scan_trace(const struct secrets *secrets)
{
	FILE *file = fopen(TRACING "trace", "r");
	char line[512], *place;
	unsigned int lines = 0;

	ASSERT_TRUE(file);
	while (fgets(line, sizeof(line), file)) {
		place = strstr(line, ": dmafd_");
		if (!place)
			continue;
		scan_text(secrets, place, "the trace");
		lines++;
	}
	fclose(file);
	EXPECT_GE(lines, 8);
}

static void scan_log(const struct secrets *secrets, int log)
{
	ssize_t n;

	while ((n = read(log, text, sizeof(text) - 1)) > 0) {
		text[n] = '\0';
		if (strchr(text, ';'))
			scan_text(secrets, strchr(text, ';'), "the kernel's log");
	}
}

static void scan_words(const struct secrets *secrets, const void *data, size_t len,
		       const char *where)
{
	uint64_t word;
	size_t at;

	for (at = 0; at + sizeof(word) <= len; at += 4) {
		memcpy(&word, (const char *)data + at, sizeof(word));
		expect_no_secret(secrets, word, where);
		expect_no_secret(secrets, (uint32_t)word, where);
	}
}

static void scan_ioctls(const struct secrets *secrets, struct rig *rig)
{
	static struct dmafd_chan_entry entries[256];
	struct dmafd_chan_list list = {
		.size = sizeof(list), .entries = (uintptr_t)entries, .capacity = 256,
		.entry_size = sizeof(*entries),
	};
	struct dmafd_info info = { .size = sizeof(info) };
	struct dmafd_chan_info chan = { .size = sizeof(chan) };
	struct dmafd_status status;

	ASSERT_OK(ioctl(rig->ctx, DMAFD_INFO, &info));
	scan_words(secrets, &info, sizeof(info), "DMAFD_INFO");
	ASSERT_OK(ioctl(rig->ctx, DMAFD_CHAN_LIST, &list));
	scan_words(secrets, entries, list.out_count * sizeof(*entries), "DMAFD_CHAN_LIST");
	ASSERT_OK(ioctl(rig->chan, DMAFD_CHAN_INFO, &chan));
	scan_words(secrets, &chan, sizeof(chan), "DMAFD_CHAN_INFO");
	status_of(rig->chan, &status);
	status.out_since_ns = 0;
	scan_words(secrets, &status, sizeof(status), "DMAFD_STATUS");
}

TEST_VIEWS(no_addresses)
{
	unsigned char *src = memory(SIZE, 1), *dst = memory(SIZE, 2);
	struct dmafd_completion completion = {};
	struct secrets secrets = {};
	char path[64];
	int log, from, to;
	struct dmafd_op op;

	ASSERT_OK(log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK));
	ASSERT_OK(lseek(log, 0, SEEK_END));
	put_text(TRACING "events/dmafd/enable", "1");
	ASSERT_OK(from = reg(rig->ctx, src, SIZE, DMAFD_BUF_READ));
	ASSERT_OK(to = reg(rig->ctx, dst, SIZE, DMAFD_BUF_WRITE));
	keep_secret(&secrets, src);
	keep_secret(&secrets, dst);
	op = copy_op(to, 0, from, 0, SIZE);
	run(rig->chan, &op, &completion);
	completion.submit_ns = 0;
	completion.complete_ns = 0;
	scan_words(&secrets, &completion, sizeof(completion), "a completion");
	if (!rig->real) {
		sim_set("inject", "fail");
		run(rig->chan, &op, &completion);
		sim_set("inject", "off");
	}
	scan_ioctls(&secrets, rig);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", rig->ctx);
	scan_file(&secrets, path, true);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", rig->chan);
	scan_file(&secrets, path, true);
	scan_file(&secrets, "/sys/kernel/debug/dmafd/channels", true);
	ASSERT_OK(unreg(rig->ctx, from));
	ASSERT_OK(unreg(rig->ctx, to));
	put_text(TRACING "events/dmafd/enable", "0");
	scan_trace(&secrets);
	scan_log(&secrets, log);
}

/* ---- 8: a release that a signal interrupts ---- */

static void do_nothing(int signal)
{
	(void)signal;
}

TEST_VIEWS(close_amid_signals, .timeout = 60)
{
	struct itimerval often = { .it_interval.tv_usec = 300, .it_value.tv_usec = 300 };
	struct sigaction action = { .sa_handler = do_nothing, .sa_flags = SA_RESTART };
	struct dmafd_op op = whole(rig, memory(SIZE, 2));
	unsigned int i;

	sigaction(SIGALRM, &action, NULL);
	ASSERT_OK(setitimer(ITIMER_REAL, &often, NULL));
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(1, submit(rig->chan, &op, 1));
		ASSERT_OK(close(rig->chan));
		reopen(rig);
	}
	memset(&often, 0, sizeof(often));
	ASSERT_OK(setitimer(ITIMER_REAL, &often, NULL));
}

static void be_killed(struct rig *rig)
{
	struct dmafd_op op;

	ASSERT_OK(rig->ctx = ctx_open());
	reopen(rig);
	op = whole(rig, memory(SIZE, 2));
	submit(rig->chan, &op, 1);
	/* It is pending while its files are closed. */
	kill(getpid(), SIGKILL);
}

TEST_VIEWS(killed_by_itself, .timeout = 60)
{
	unsigned int i;
	pid_t pid;

	close(rig->chan);
	rig->chan = -1;
	for (i = 0; i < 30; i++) {
		ASSERT_OK(pid = fork());
		if (!pid)
			be_killed(rig);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
		/* It is free at once. */
		reopen(rig);
		close(rig->chan);
	}
	reopen(rig);
}

/* ---- 9: descriptors that a program makes ---- */

/* There is none: no memory is shared with the driver, and nothing is written to it. */
TEST_F(flat, nothing_passes_through)
{
	struct rig *rig = &self->rig;
	int fds[2] = { rig->ctx, rig->chan };
	struct dmafd_op op;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		EXPECT_ERRNO(ENODEV, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fds[i], 0));
		EXPECT_ERRNO(ENODEV, mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fds[i],
					  0));
		EXPECT_ERRNO(EINVAL, write(fds[i], fds, sizeof(fds)));
	}
	/* Each bit of the opcode and of flags is known, or refused. */
	for (i = 4; i < 32; i++) {
		op = nop_op(0);
		op.opcode = 1U << i;
		EXPECT_ERRNO(EOPNOTSUPP, submit_error(rig->chan, &op));
		op = nop_op(1U << i);
		EXPECT_ERRNO(EOPNOTSUPP, submit_error(rig->chan, &op));
	}
}

/* ---- 10: mappings past the end ---- */

static volatile unsigned char *beyond;

static void look_beyond(void)
{
	int status;
	pid_t pid;

	ASSERT_OK(pid = fork());
	if (!pid) {
		signal(SIGBUS, SIG_DFL);
		signal(SIGSEGV, SIG_DFL);
		*beyond = 1;
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFSIGNALED(status));
	EXPECT_TRUE(WTERMSIG(status) == SIGBUS || WTERMSIG(status) == SIGSEGV);
}

static void past_the_end(struct rig *rig, unsigned int flags)
{
	const unsigned int rw = PROT_READ | PROT_WRITE;
	unsigned char *ptr, *grown;
	int fd;

	ASSERT_OK(alloc(rig->ctx, 2 * PAGE, DMAFD_BUF_READ | DMAFD_BUF_WRITE | flags, &fd));
	EXPECT_ERRNO(EINVAL, mmap(NULL, 3 * PAGE, rw, MAP_SHARED, fd, 0));
	EXPECT_ERRNO(EINVAL, mmap(NULL, 2 * PAGE, rw, MAP_SHARED, fd, PAGE));
	EXPECT_ERRNO(EINVAL, mmap(NULL, PAGE, rw, MAP_SHARED, fd, 2 * PAGE));
	EXPECT_LT((long)mmap(NULL, PAGE, rw, MAP_SHARED, fd, -(off_t)PAGE), 0);
	EXPECT_LT((long)mmap(NULL, 2 * PAGE, rw, MAP_SHARED, fd, -(off_t)PAGE), 0);
	EXPECT_ERRNO(EINVAL, mmap(NULL, PAGE, rw, MAP_PRIVATE, fd, 0));
	ASSERT_OK(ptr = mmap(NULL, PAGE, rw, MAP_SHARED, fd, PAGE));
	*ptr = 1;
	/* If it may grow at all, there is nothing. */
	grown = mremap(ptr, PAGE, 4 * PAGE, MREMAP_MAYMOVE);
	if (grown != MAP_FAILED) {
		EXPECT_EQ(1, *grown);
		beyond = grown + PAGE;
		look_beyond();
		beyond = grown + 3 * PAGE;
		look_beyond();
	}
	close(fd);
}

TEST_VIEWS(past_the_end_of_a_dma_buf) { past_the_end(rig, 0); }
TEST_VIEWS(past_the_end_of_one_piece) { past_the_end(rig, DMAFD_BUF_CONTIGUOUS); }

/* ---- 11: registers of devices ---- */

static void as_nobody(void *data)
{
	struct bench *bench = data;

	ASSERT_OK(setresgid(NOBODY, NOBODY, NOBODY));
	ASSERT_OK(setresuid(NOBODY, NOBODY, NOBODY));
	EXPECT_ERRNO(EACCES, ctx_open());
	EXPECT_ERRNO(EACCES, mkdir(PORTS "/mine", 0755));
	EXPECT_ERRNO(EACCES, port_set("sink", "address", "0x1000"));
	EXPECT_ERRNO(EACCES, port_set("sink", "live", "0"));
	EXPECT_ERRNO(EACCES, open("/sys/kernel/debug/dmafd/channels", O_RDONLY));
	/* With a context that was opened by root, ports are what they are. */
	EXPECT_OK(chan_open(bench->ctx, "sink", 0, 0));
}

TEST_F(devices, registers_are_told_by_root)
{
	static const char * const attributes[] = {
		"", "address", "burst", "channel", "direction", "live", "width",
	};
	struct bench *bench = &self->bench;
	struct dmafd_op op = { .opcode = DMAFD_OP_TO_DEVICE, .length = PAGE };
	char path[256];
	struct stat stat_of;
	unsigned int i;
	int tx;

	for (i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		snprintf(path, sizeof(path), PORTS "/sink/%s", attributes[i]);
		ASSERT_OK(stat(path, &stat_of));
		EXPECT_EQ(0, stat_of.st_uid);
		EXPECT_EQ(0, stat_of.st_mode & 022);
	}
	in_child(as_nobody, bench);
	/* Live, it stays what it is; nothing of an operation is an address. */
	EXPECT_ERRNO(EBUSY, port_set("sink", "address", "0x1000"));
	tx = bench_open(bench, "sink");
	ASSERT_OK(op.src_buf = reg(bench->ctx, memory(PAGE, 1), PAGE, DMAFD_BUF_READ));
	run_well(tx, &op);
	op.dst_offset = REGISTER(2);
	EXPECT_ERRNO(EINVAL, submit_error(tx, &op));
	op.dst_offset = 0;
	op.args = REGISTER(2);
	EXPECT_ERRNO(EINVAL, submit_error(tx, &op));
	EXPECT_EQ(PAGE, device_number(bench, "sink", " in "));
}

/* ---- 12: what lies in the same cache line ---- */

/*
 * All that is not written by the operation is written by the CPU meanwhile: it
 * survives. @ours tells which bytes are the operation's.
 */
static void beside(int chan, const struct dmafd_op *op, unsigned char *dst, const bool *ours)
{
	struct dmafd_completion completion;
	size_t i;

	ASSERT_EQ(1, submit(chan, op, 1));
	sleep_ms(1);
	for (i = 0; i < SIZE; i++)
		if (!ours[i])
			dst[i] = 0xc3;
	take(chan, &completion, 1);
	ASSERT_EQ(0, completion.status);
	for (i = 0; i < SIZE; i++)
		if (!ours[i])
			ASSERT_EQ(0xc3, dst[i]);
}

TEST_F(slow_lines, neighbours, .timeout = 60)
{
	static const size_t starts[] = { 1, 63, 64, 65, 100, 4090 };
	unsigned char *src = memory(SIZE, 1), *dst = memory(SIZE, 2);
	struct rig *rig = &self->rig;
	struct dmafd_segment segments[2];
	struct dmafd_sg_args sg = { .size = sizeof(sg), .src = (uintptr_t)segments };
	struct dmafd_2d_args rows = { .size = sizeof(rows), .src_stride = 700, .dst_stride = 333,
				      .rows = 5 };
	struct dmafd_segment to[2];
	struct dmafd_op op;
	bool ours[SIZE];
	unsigned int i, j;
	int from, buf;

	need_sim(rig);
	ASSERT_OK(from = reg(rig->ctx, src, SIZE, DMAFD_BUF_READ));
	ASSERT_OK(buf = reg(rig->ctx, dst, SIZE, DMAFD_BUF_WRITE));
	for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		size_t at = starts[i], len = 1000 + i;

		memset(ours, 0, sizeof(ours));
		memset(ours + at, 1, len);
		op = copy_op(buf, at, from, 10, len);
		beside(rig->chan, &op, dst, ours);
		EXPECT_MEMEQ(src + 10, dst + at, len);
		op = fill_op(buf, at, len, 0x11);
		beside(rig->chan, &op, dst, ours);
		segments[0] = (struct dmafd_segment){ .buf = from, .offset = 3, .length = len };
		segments[1] = (struct dmafd_segment){ .buf = from, .offset = 9, .length = len };
		op = (struct dmafd_op){ .opcode = DMAFD_OP_XOR, .dst_buf = buf, .dst_offset = at,
					.length = len, .args = (uintptr_t)&sg };
		sg.nr_src = 2;
		sg.nr_dst = 0;
		sg.dst = 0;
		beside(rig->chan, &op, dst, ours);
		for (j = 0; j < len; j++)
			ASSERT_EQ(src[3 + j] ^ src[9 + j], dst[at + j]);
		/* Two that are close to each other. */
		to[0] = (struct dmafd_segment){ .buf = buf, .offset = at, .length = len };
		to[1] = (struct dmafd_segment){ .buf = buf, .offset = at + len + 3, .length = len };
		memset(ours + at + len + 3, 1, len);
		sg.nr_dst = 2;
		sg.dst = (uintptr_t)to;
		op = (struct dmafd_op){ .opcode = DMAFD_OP_COPY_SG, .length = 2 * len,
					.args = (uintptr_t)&sg };
		beside(rig->chan, &op, dst, ours);
		EXPECT_MEMEQ(src + 9, dst + at + len + 3, len);
		memset(ours, 0, sizeof(ours));
		for (j = 0; j < 5; j++)
			memset(ours + at + j * 333, 1, 300);
		op = copy_op(buf, at, from, 10, 5 * 300);
		op.opcode = DMAFD_OP_COPY_2D;
		op.args = (uintptr_t)&rows;
		beside(rig->chan, &op, dst, ours);
		EXPECT_MEMEQ(src + 10 + 4 * 700, dst + at + 4 * 333, 300);
	}
}

TEST_F(slow_devices, neighbours)
{
	unsigned char *dst = memory(SIZE, 2);
	struct bench *bench = &self->bench;
	int rx = bench_open(bench, "source");
	struct dmafd_op op = { .opcode = DMAFD_OP_FROM_DEVICE, .length = 1004 };
	bool ours[SIZE];
	unsigned int i;

	ASSERT_OK(op.dst_buf = reg(bench->ctx, dst, SIZE, DMAFD_BUF_WRITE));
	for (i = 0; i < 4; i++) {
		/* A device's data has no edges that the CPU could write: whole lines. */
		op.dst_offset = 128 * (1 + i);
		op.length = 1024;
		memset(ours, 0, sizeof(ours));
		memset(ours + op.dst_offset, 1, op.length);
		beside(rx, &op, dst, ours);
	}
}

/* ---- 13: the controller goes, in whatever state the channel is ---- */

/* Both return, at the latest when the controller is gone. */
static void *wait_for_job(void *data)
{
	struct rig *rig = data;
	struct dmafd_op op = whole(rig, memory(SIZE, 2));
	struct dmafd_completion completion;

	run(rig->chan, &op, &completion);
	return NULL;
}

static void *wait_for_completions(void *data)
{
	struct dmafd_completion completions[4];
	struct rig *rig = data;

	take(rig->chan, completions, 4);
	EXPECT_NE(0, completions[3].status);
	return NULL;
}

/* Takes the controller away; whatever is asked of the channel then has an end. */
static void without_controller(struct rig *rig)
{
	struct dmafd_completion completions[64];
	struct dmafd_chan_info info = { .size = sizeof(info) };
	struct pollfd fd = { .fd = rig->chan, .events = POLLIN };
	struct dmafd_status status;
	struct dmafd_op op;

	ASSERT_OK(sim_remove());
	op = whole(rig, memory(SIZE, 3));
	while (poll(&fd, 1, 0) == 1 && fd.revents & POLLIN)
		ASSERT_OK(read(rig->chan, completions, sizeof(completions)));
	/* Refused, or ended; paused, it would wait. */
	if (submit(rig->chan, &op, 1) == 1) {
		cancel(rig->chan, &(unsigned int){0});
		ASSERT_EQ(sizeof(*completions), read(rig->chan, completions,
						     sizeof(completions)));
		EXPECT_NE(0, completions[0].status);
	}
	status_of(rig->chan, &status);
	pause_chan(rig->chan, 0);
	pause_chan(rig->chan, DMAFD_PAUSE_RESUME);
	ioctl(rig->chan, DMAFD_CHAN_INFO, &info);
	EXPECT_OK(unreg(rig->ctx, op.src_buf));
}

TEST_VIEWS(removed_while_idle)
{
	struct dmafd_op op;

	need_sim(rig);
	op = whole(rig, memory(SIZE, 2));
	run_well(rig->chan, &op);
	without_controller(rig);
}

TEST_VIEWS(removed_with_unread_completions)
{
	struct dmafd_op op;

	need_sim(rig);
	op = whole(rig, memory(SIZE, 2));
	ASSERT_EQ(1, submit(rig->chan, &op, 1));
	ASSERT_EQ(1, submit(rig->chan, &op, 1));
	poll(&(struct pollfd){ .fd = rig->chan, .events = POLLIN }, 1, 5000);
	without_controller(rig);
}

TEST_VIEWS(removed_while_it_hangs)
{
	struct dmafd_op op;

	need_sim(rig);
	op = whole(rig, memory(SIZE, 2));
	op.timeout_ms = slow_ms(500);
	sim_set("inject", "hang count=0");
	ASSERT_EQ(1, submit(rig->chan, &op, 1));
	sleep_ms(20);
	without_controller(rig);
}

static void removed_amid(struct rig *rig, void *(*function)(void *), bool paused)
{
	struct dmafd_op op;
	pthread_t thread;
	unsigned int i;

	need_sim(rig);
	op = whole(rig, memory(SIZE, 2));
	for (i = 0; i < 4; i++)
		ASSERT_EQ(1, submit(rig->chan, &op, 1));
	sleep_ms(5);
	if (paused)
		ASSERT_OK(pause_chan(rig->chan, 0));
	if (function)
		ASSERT_EQ(0, pthread_create(&thread, NULL, function, rig));
	sleep_ms(slow_ms(10));
	if (function) {
		ASSERT_OK(sim_remove());
		pthread_join(thread, NULL);
	} else {
		without_controller(rig);
	}
}

TEST_F(slow, removed_while_busy) { removed_amid(&self->rig, NULL, false); }
TEST_F(slow_lines, removed_while_busy) { removed_amid(&self->rig, NULL, false); }
TEST_F(slow_iommu, removed_while_busy) { removed_amid(&self->rig, NULL, false); }
TEST_F(slow, removed_while_paused) { removed_amid(&self->rig, NULL, true); }
TEST_F(slow_lines, removed_while_paused) { removed_amid(&self->rig, NULL, true); }
TEST_F(slow_iommu, removed_while_paused) { removed_amid(&self->rig, NULL, true); }
TEST_F(slow, removed_while_read) { removed_amid(&self->rig, wait_for_completions, false); }
TEST_F(slow_iommu, removed_while_waited_for) { removed_amid(&self->rig, wait_for_job, false); }

TEST_F(slow_devices, removed)
{
	struct bench *bench = &self->bench;
	struct dmafd_cyclic_args args = { .size = sizeof(args), .period = 256 };
	struct dmafd_op op = { .opcode = DMAFD_OP_FROM_DEVICE, .length = PAGE };
	struct dmafd_op ring = { .opcode = DMAFD_OP_CYCLIC, .length = PAGE };
	int rx = bench_open(bench, "source"), tx = bench_open(bench, "sink");
	struct dmafd_completion completion;

	ring.args = (uintptr_t)&args;
	ASSERT_OK(op.dst_buf = reg(bench->ctx, memory(PAGE, 2), PAGE, DMAFD_BUF_WRITE));
	ASSERT_OK(ring.src_buf = reg(bench->ctx, memory(PAGE, 2), PAGE, DMAFD_BUF_READ));
	ASSERT_EQ(1, submit(rx, &op, 1));
	ASSERT_EQ(1, submit(tx, &ring, 1));
	sleep_ms(slow_ms(20));
	bench_remove_controller();
	cancel(rx, &(unsigned int){0});
	cancel(tx, &(unsigned int){0});
	take(rx, &completion, 1);
	EXPECT_NE(0, completion.status);
	bench_close(bench, rx);
	bench_close(bench, tx);
	EXPECT_OK(unreg(bench->ctx, op.dst_buf));
	EXPECT_OK(unreg(bench->ctx, ring.src_buf));
}
