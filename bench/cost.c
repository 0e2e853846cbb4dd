// SPDX-License-Identifier: GPL-2.0-only
/*
 * What dmafd costs, compared with a driver's own use of the same channel: the module
 * dmarival. What is told are ratios of things that were measured in turn, each the
 * least of some rounds, and lines
 *
 *	cost WHAT LENGTH BATCH NANOSECONDS-OF-ONE
 *
 * On raspi3b with an emulator that counts instructions, they are instructions: the
 * controller's work takes none. Where the controller is a simulated one, the same is
 * measured again with one that takes its time, and told as WHAT-paced.
 */
#include "uapi.h"
#include "ring.h"

#include "../tests/kmod/rival/rival.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS	3
#define SIZE	RIVAL_SIZE
#define MANY	10000

enum way { KERNEL, CPU, BLOCKING, IOCTL, URING, WAYS };

static const char *const names[] = {
	[KERNEL] = "kernel", [CPU] = "cpu", [BLOCKING] = "blocking", [IOCTL] = "ioctl",
	[URING] = "uring",
};

/* Memory to copy, and the buffers that it is. */
struct memory {
	unsigned char *src, *dst;
	unsigned int src_buf, dst_buf;
};

struct bench {
	struct rig rig;
	int rival;
	struct memory memory;
	struct ring ring;
	unsigned int op_flags;
	const char *suffix;	/* of what is told */
};

/* What is measured: so many copies of that length in each of some batches. */
struct load {
	size_t length;
	unsigned int batch, batches;
};

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

/* ---- ways to copy ---- */

static uint64_t run_rival(struct bench *bench, const struct load *load, bool by_cpu)
{
	struct rival_run run = {
		.length = load->length, .batch = load->batch, .batches = load->batches,
		.by_cpu = by_cpu,
	};

	ASSERT_OK(ioctl(bench->rival, RIVAL_RUN, &run));
	return run.out_ns;
}

static uint64_t run_blocking(struct bench *bench, const struct load *load)
{
	struct rival_transfer transfer = {
		.src = (uintptr_t)bench->memory.src, .dst = (uintptr_t)bench->memory.dst,
		.length = load->length,
	};
	unsigned int i, count = load->batch * load->batches;
	uint64_t start = now();

	for (i = 0; i < count; i++)
		ASSERT_OK(ioctl(bench->rival, RIVAL_TRANSFER, &transfer));
	return now() - start;
}

static void make_ops(struct bench *bench, const struct load *load, struct dmafd_op *ops)
{
	unsigned int i;
	size_t at;

	for (i = 0; i < load->batch; i++) {
		at = i * load->length % SIZE;
		ops[i] = copy_op(bench->memory.dst_buf, at, bench->memory.src_buf, at,
				 load->length);
		ops[i].flags = bench->op_flags;
	}
}

static uint64_t run_ioctl(struct bench *bench, const struct load *load)
{
	struct dmafd_completion completions[RIVAL_MAX_BATCH];
	struct dmafd_op ops[RIVAL_MAX_BATCH];
	struct dmafd_submit arg = {
		.size = sizeof(arg), .flags = DMAFD_SUBMIT_WAIT, .ops = (uintptr_t)ops,
		.nr_ops = load->batch, .op_size = sizeof(*ops),
		.completions = (uintptr_t)completions, .nr_completions = load->batch,
	};
	unsigned int i, j;
	uint64_t start;

	make_ops(bench, load, ops);
	start = now();
	for (i = 0; i < load->batches; i++) {
		ASSERT_OK(ioctl(bench->rig.chan, DMAFD_SUBMIT, &arg));
		ASSERT_EQ(load->batch, arg.out_completions);
		for (j = 0; j < load->batch; j++)
			if (completions[j].status)
				ASSERT_EQ(0, completions[j].status);
	}
	return now() - start;
}

static uint64_t run_uring(struct bench *bench, const struct load *load)
{
	struct dmafd_op ops[RIVAL_MAX_BATCH];
	struct reaped reaped;
	unsigned int i, j;
	uint64_t start;

	make_ops(bench, load, ops);
	start = now();
	for (i = 0; i < load->batches; i++) {
		for (j = 0; j < load->batch; j++)
			ring_op(&bench->ring, bench->rig.chan, &ops[j], j);
		ring_submit(&bench->ring, load->batch);
		for (j = 0; j < load->batch; j++) {
			ring_reap(&bench->ring, &reaped);
			if (reaped.res)
				ASSERT_EQ(0, reaped.res);
		}
	}
	return now() - start;
}

static uint64_t run_way(struct bench *bench, enum way way, const struct load *load)
{
	switch (way) {
	case KERNEL:
	case CPU:
		return run_rival(bench, load, way == CPU);
	case BLOCKING:
		return run_blocking(bench, load);
	case IOCTL:
		return run_ioctl(bench, load);
	default:
		return run_uring(bench, load);
	}
}

/* ---- what is around ---- */

/* One channel for all: the rival and dmafd have it in turn. */
static void give_to_rival(struct bench *bench)
{
	struct rival_open arg = {};

	ASSERT_OK(close(bench->rig.chan));
	bench->rig.chan = -1;
	snprintf(arg.channel, sizeof(arg.channel), "%s", bench->rig.name);
	ASSERT_OK(bench->rival = open("/dev/dmarival", O_RDWR | O_CLOEXEC));
	ASSERT_OK(ioctl(bench->rival, RIVAL_OPEN, &arg));
}

static void take_back(struct bench *bench)
{
	close(bench->rival);
	bench->rival = -1;
	ASSERT_OK(bench->rig.chan = chan_open(bench->rig.ctx, bench->rig.name, 0, 0));
}

static uint64_t measure(struct bench *bench, enum way way, const struct load *load)
{
	uint64_t least = UINT64_MAX, count = load->batch * load->batches, ns;
	struct load first = { load->length, load->batch, 1 };
	unsigned int i;

	if (way < IOCTL)
		give_to_rival(bench);
	/* The first one maps memory, and fills what allocators keep. */
	run_way(bench, way, &first);
	for (i = 0; i < ROUNDS; i++) {
		ns = run_way(bench, way, load);
		if (ns < least)
			least = ns;
	}
	if (way < IOCTL)
		take_back(bench);
	return least / count;
}

static void tell(const struct bench *bench, const char *what, const struct load *load, uint64_t ns)
{
	printf("cost %s%s %zu %u %llu\n", what, bench->suffix, load->length, load->batch,
	       (unsigned long long)ns);
}

/* ---- memory ---- */

static void use_pages(struct bench *bench)
{
	struct memory *memory_ = &bench->memory;
	int id;

	memory_->src = memory(SIZE, 1);
	memory_->dst = memory(SIZE, 2);
	ASSERT_OK(id = reg(bench->rig.ctx, memory_->src, SIZE, DMAFD_BUF_READ));
	memory_->src_buf = id;
	ASSERT_OK(id = reg(bench->rig.ctx, memory_->dst, SIZE, DMAFD_BUF_WRITE));
	memory_->dst_buf = id;
}

static unsigned int allocate(struct bench *bench, unsigned int flags, unsigned char **ptr)
{
	int id, fd;

	ASSERT_OK(id = alloc(bench->rig.ctx, SIZE, flags | DMAFD_BUF_CONTIGUOUS, &fd));
	*ptr = map_fd(fd, SIZE);
	close(fd);
	return id;
}

static void use_one_piece(struct bench *bench)
{
	bench->memory.src_buf = allocate(bench, DMAFD_BUF_READ, &bench->memory.src);
	bench->memory.dst_buf = allocate(bench, DMAFD_BUF_WRITE, &bench->memory.dst);
	pattern(bench->memory.src, SIZE, 1);
	memset(bench->memory.dst, 0, SIZE);
}

static void set_up(struct bench *bench, const char *options, const char *suffix)
{
	struct dmafd_chan_info info = { .size = sizeof(info) };

	if (strstr("debug kcsan", getenv("KERNEL") ?: "none"))
		SKIP("checks cost more than what is measured");
	bench->suffix = suffix;
	bench->rival = -1;
	if (access("/dev/dmarival", F_OK))
		ASSERT_EQ(0, system("insmod tests/kmod/dmarival.ko"));
	rig_up(&bench->rig, "flat", options);
	ASSERT_OK(ioctl(bench->rig.chan, DMAFD_CHAN_INFO, &info));
	memcpy(bench->rig.name, info.out_name, sizeof(bench->rig.name));
	ring_up(&bench->ring, RIVAL_MAX_BATCH, IORING_SETUP_SQE128);
}

static void tear_down(struct bench *bench)
{
	if (bench->ring.entries)
		ring_down(&bench->ring);
	if (bench->rival >= 0)
		close(bench->rival);
	rig_down(&bench->rig);
	if (!access("/dev/dmarival", F_OK))
		EXPECT_EQ(0, system("rmmod dmarival"));
}

FIXTURE(cost) { struct bench bench; };
FIXTURE_SETUP(cost) { set_up(&self->bench, "physical=1", ""); }
FIXTURE_TEARDOWN(cost) { tear_down(&self->bench); }

/* 500 MB/s, as small boards have it. */
FIXTURE(paced) { struct bench bench; };
FIXTURE_SETUP(paced) { set_up(&self->bench, "physical=1 bandwidth=500000000", "-paced"); }
FIXTURE_TEARDOWN(paced) { tear_down(&self->bench); }

/* All that was measured has moved what it should. */
static void verify(struct bench *bench)
{
	EXPECT_MEMEQ(bench->memory.src, bench->memory.dst, SIZE);
}

/* Nanoseconds of one copy, all ways. */
static void measure_all(struct bench *bench, const struct load *load, uint64_t *ns)
{
	enum way way;

	for (way = 0; way < WAYS; way++) {
		ns[way] = measure(bench, way, load);
		tell(bench, names[way], load, ns[way]);
	}
}

/* Not more than so many times the time, per mille. */
#define EXPECT_WITHIN(permille, ns, other)	EXPECT_LE((ns) * 1000, (other) * (permille))

/*
 * ---- what is promised ----
 *
 * The bounds are for machines that do other things meanwhile, and emulators that don't
 * count instructions: what is beyond them is no noise. docs/bench.md has the figures.
 */

TEST_F(cost, one_small_copy, .timeout = 120)
{
	const struct load load = { 4096, 1, 2000 };
	struct bench *bench = &self->bench;
	uint64_t ns[WAYS];

	use_one_piece(bench);
	measure_all(bench, &load, ns);
	EXPECT_WITHIN(10000, ns[IOCTL], ns[KERNEL]);
	EXPECT_WITHIN(10000, ns[URING], ns[KERNEL]);
}

TEST_F(cost, many_small_copies, .timeout = 120)
{
	const struct load load = { 4096, 32, 100 };
	struct bench *bench = &self->bench;
	uint64_t ns[WAYS];

	use_one_piece(bench);
	measure_all(bench, &load, ns);
	EXPECT_WITHIN(10000, ns[IOCTL], ns[KERNEL]);
	EXPECT_WITHIN(10000, ns[URING], ns[KERNEL]);
	EXPECT_WITHIN(2000, ns[IOCTL], ns[BLOCKING]);
}

TEST_F(cost, copies_of_64k, .timeout = 120)
{
	const struct load load = { 65536, 16, 8 };
	struct bench *bench = &self->bench;
	uint64_t ns[WAYS];

	use_one_piece(bench);
	measure_all(bench, &load, ns);
	verify(bench);
	EXPECT_WITHIN(10000, ns[IOCTL], ns[KERNEL]);
}

TEST_F(cost, copies_of_1m, .timeout = 120)
{
	const struct load load = { SIZE, 16, 2 };
	struct bench *bench = &self->bench;
	uint64_t ns[WAYS];

	use_one_piece(bench);
	measure_all(bench, &load, ns);
	verify(bench);
	EXPECT_WITHIN(10000, ns[IOCTL], ns[KERNEL]);
	bench->op_flags = DMAFD_OP_NO_SYNC;
	tell(bench, "ioctl-unsynced", &load, measure(bench, IOCTL, &load));
}

TEST_F(cost, pages_of_1m, .timeout = 120)
{
	const struct load load = { SIZE, 16, 2 };
	struct bench *bench = &self->bench;

	use_pages(bench);
	tell(bench, "ioctl-pages", &load, measure(bench, IOCTL, &load));
	verify(bench);
}

TEST_F(cost, other_buffers, .timeout = 120)
{
	const struct load load = { 4096, 32, 100 };
	struct bench *bench = &self->bench;
	uint64_t before, after;
	unsigned char *ptr;
	unsigned int i;

	use_one_piece(bench);
	ptr = memory(4096, 3);
	before = measure(bench, IOCTL, &load);
	for (i = 0; i < MANY; i++)
		ASSERT_OK(reg(bench->rig.ctx, ptr, 4096, DMAFD_BUF_READ));
	after = measure(bench, IOCTL, &load);
	tell(bench, "one-buffer", &load, before);
	tell(bench, "10000-buffers", &load, after);
	EXPECT_WITHIN(5000, after, before);
}

static void measure_paced(struct bench *bench, const struct load *load)
{
	uint64_t ns[WAYS];

	need_sim(&bench->rig);
	use_one_piece(bench);
	measure_all(bench, load, ns);
	EXPECT_WITHIN(10000, ns[IOCTL], ns[KERNEL]);
	EXPECT_WITHIN(10000, ns[URING], ns[KERNEL]);
}

TEST_F(paced, one_small_copy, .timeout = 120)
{
	measure_paced(&self->bench, &(struct load){ 4096, 1, 500 });
}

TEST_F(paced, many_small_copies, .timeout = 120)
{
	measure_paced(&self->bench, &(struct load){ 4096, 32, 30 });
}

TEST_F(paced, copies_of_64k, .timeout = 120)
{
	measure_paced(&self->bench, &(struct load){ 65536, 16, 8 });
}

TEST_F(paced, copies_of_1m, .timeout = 120)
{
	measure_paced(&self->bench, &(struct load){ SIZE, 16, 2 });
}
