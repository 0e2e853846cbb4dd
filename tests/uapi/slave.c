// SPDX-License-Identifier: GPL-2.0-only
/*
 * Data to devices and from them.
 */
#include "common/bench.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Small segments, and fewer descriptors than there may be pieces in flight. */
#define LIMITS	"max_segment=1024 descriptors=7"

#define BENCH_OF(fixture, _view, _options, _loop, _source, _width)			\
	static const struct bench_plan fixture##_plan = {				\
		.view = _view, .options = _options, .loop = _loop, .source = _source,	\
		.sink = "kind=sink", .width = _width, .burst = 4,			\
	};										\
	FIXTURE(fixture) { struct bench bench; };					\
	FIXTURE_SETUP(fixture) { bench_up(&self->bench, &fixture##_plan); }		\
	FIXTURE_TEARDOWN(fixture) { bench_down(&self->bench); }

#define COUNTER	"kind=source pattern=counter32"

BENCH_OF(flat, "flat", "", "", COUNTER, 4)
BENCH_OF(iommu, "iommu", "", "", COUNTER, 4)
BENCH_OF(noncoherent, "noncoherent", "", "", COUNTER, 4)
BENCH_OF(limited, "iommu", LIMITS, "", COUNTER, 4)
BENCH_OF(bytes, "flat", "", "", "kind=source pattern=counter8", 1)
BENCH_OF(coarse, "flat", "residue=descriptor", "", COUNTER, 4)
/* 100 samples in a second. */
BENCH_OF(slow, "noncoherent", "", "", COUNTER " rate=400", 4)

#define TEST_ALL(test, ...)								\
	static void all_##test(struct bench *bench);					\
	TEST_F(flat, test, __VA_ARGS__) { all_##test(&self->bench); }			\
	TEST_F(iommu, test, __VA_ARGS__) { all_##test(&self->bench); }			\
	TEST_F(noncoherent, test, __VA_ARGS__) { all_##test(&self->bench); }		\
	TEST_F(limited, test, __VA_ARGS__) { all_##test(&self->bench); }		\
	TEST_F(bytes, test, __VA_ARGS__) { all_##test(&self->bench); }			\
	TEST_F(coarse, test, __VA_ARGS__) { all_##test(&self->bench); }			\
	static void all_##test(struct bench *bench)

static struct dmafd_op to_device(int buf, size_t at, size_t len)
{
	return (struct dmafd_op){
		.opcode = DMAFD_OP_TO_DEVICE, .src_buf = buf, .src_offset = at, .length = len,
	};
}

static struct dmafd_op from_device(int buf, size_t at, size_t len)
{
	return (struct dmafd_op){
		.opcode = DMAFD_OP_FROM_DEVICE, .dst_buf = buf, .dst_offset = at, .length = len,
	};
}

static void set_inject(const char *rule)
{
	put_text(BENCH "/inject", rule);
}

/* ---- data ---- */

/* What is sent comes back, in jobs of other lengths and at other places. */
TEST_ALL(loopback, .timeout = 60)
{
	enum { SIZE = 256 * 1024, SENT = 65536, GOT = SIZE / 8 };
	unsigned char *out = memory(SIZE, 1), *in = memory(SIZE + 4096, 2);
	int tx = bench_open(bench, "loop:tx"), rx = bench_open(bench, "loop:rx");
	struct dmafd_completion completions[8];
	int src, dst;

	ASSERT_OK(src = reg(bench->ctx, out, SIZE, DMAFD_BUF_READ));
	ASSERT_OK(dst = reg(bench->ctx, in, SIZE + 4096, DMAFD_BUF_WRITE));
	for (size_t at = 0; at < SIZE; at += GOT) {
		struct dmafd_op op = from_device(dst, 128 + at, GOT);

		ASSERT_EQ(1, submit(rx, &op, 1));
	}
	for (size_t at = 0; at < SIZE; at += SENT) {
		struct dmafd_op op = to_device(src, at, SENT);

		ASSERT_EQ(1, submit(tx, &op, 1));
	}
	take(tx, completions, SIZE / SENT);
	for (size_t i = 0; i < SIZE / SENT; i++) {
		EXPECT_EQ(0, completions[i].status);
		EXPECT_EQ(SENT, completions[i].bytes);
		EXPECT_EQ(DMAFD_OP_TO_DEVICE, completions[i].opcode);
	}
	take(rx, completions, 8);
	for (size_t i = 0; i < 8; i++) {
		EXPECT_EQ(0, completions[i].status);
		EXPECT_EQ(GOT, completions[i].bytes);
	}
	EXPECT_MEMEQ(out, in + 128, SIZE);
	/* What lies around it is as it was. */
	pattern(out, 128, 2);
	EXPECT_MEMEQ(out, in, 128);
}

TEST_ALL(source)
{
	enum { SIZE = 128 * 1024 };
	unsigned char *in = memory(SIZE, 2);
	int rx = bench_open(bench, "source"), dst;
	struct dmafd_op op;
	struct dmafd_chan_info info;

	ASSERT_OK(dst = reg(bench->ctx, in, SIZE, DMAFD_BUF_WRITE));
	chan_info(rx, &info);
	op = from_device(dst, 0, SIZE);
	run_well(rx, &op);
	for (size_t i = 0; i < SIZE; i++)
		ASSERT_EQ(info.out_width == 1 ? (unsigned char)i :
			  (unsigned char)(i / 4 >> (i % 4 * 8)), in[i]);
	EXPECT_EQ(SIZE, device_number(bench, "source", " out "));
}

/* CRC-32 as Ethernet and zip have it. */
static uint32_t crc32(uint32_t crc, const unsigned char *data, size_t len)
{
	crc = ~crc;
	while (len--) {
		crc ^= *data++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

TEST_ALL(sink)
{
	enum { SIZE = 100000 };
	unsigned char *out = memory(SIZE, 3);
	int tx = bench_open(bench, "sink"), src;
	struct dmafd_op op;

	ASSERT_OK(src = reg(bench->ctx, out, SIZE, DMAFD_BUF_READ));
	op = to_device(src, 0, SIZE);
	run_well(tx, &op);
	EXPECT_EQ(SIZE, device_number(bench, "sink", " in "));
	EXPECT_EQ(crc32(0, out, SIZE), device_number(bench, "sink", " crc "));
	/* What was written since is what is sent. */
	pattern(out, SIZE, 4);
	op = to_device(src, 4, 1000);
	run_well(tx, &op);
	EXPECT_EQ(crc32(crc32(0, memory(SIZE, 3), SIZE), out + 4, 1000),
		  device_number(bench, "sink", " crc "));
}

/* ---- what is refused ---- */

TEST_F(flat, arguments)
{
	struct bench *bench = &self->bench;
	int rx = bench_open(bench, "source"), tx = bench_open(bench, "sink"), plain, buf, ro, wo;
	struct dmafd_op op, nop = nop_op(0), good;

	ASSERT_OK(buf = reg(bench->ctx, memory(8192, 1), 8192, DMAFD_BUF_READ | DMAFD_BUF_WRITE));
	ASSERT_OK(ro = reg(bench->ctx, memory(8192, 1), 8192, DMAFD_BUF_READ));
	ASSERT_OK(wo = reg(bench->ctx, memory(8192, 1), 8192, DMAFD_BUF_WRITE));
	run_well(rx, &nop);
	/* Not what the port is for. */
	op = to_device(buf, 0, 64);
	EXPECT_ERRNO(EOPNOTSUPP, submit_error(rx, &op));
	op = from_device(buf, 0, 64);
	EXPECT_ERRNO(EOPNOTSUPP, submit_error(tx, &op));
	op = copy_op(buf, 0, ro, 0, 64);
	EXPECT_ERRNO(EOPNOTSUPP, submit_error(tx, &op));
	op = fill_op(buf, 0, 64, 0);
	EXPECT_ERRNO(EOPNOTSUPP, submit_error(rx, &op));
	plain = bench_open(bench, "");
	op = to_device(buf, 0, 64);
	EXPECT_ERRNO(EOPNOTSUPP, submit_error(plain, &op));
	op = from_device(buf, 0, 64);
	EXPECT_ERRNO(EOPNOTSUPP, submit_error(plain, &op));
	/* Not whole items, or not where they should be. */
	op = from_device(buf, 0, 62);
	EXPECT_ERRNO(EINVAL, submit_error(rx, &op));
	op = from_device(buf, 2, 64);
	EXPECT_ERRNO(EINVAL, submit_error(rx, &op));
	op = to_device(buf, 0, 0);
	EXPECT_ERRNO(EINVAL, submit_error(tx, &op));
	op = to_device(buf, 8192 - 60, 64);
	EXPECT_ERRNO(EINVAL, submit_error(tx, &op));
	op = to_device(wo, 0, 64);
	EXPECT_ERRNO(EACCES, submit_error(tx, &op));
	op = from_device(ro, 0, 64);
	EXPECT_ERRNO(EACCES, submit_error(rx, &op));
	op = from_device(999, 0, 64);
	EXPECT_ERRNO(ENOENT, submit_error(rx, &op));
	/* What is of no use. */
	good = to_device(buf, 0, 64);
#define BAD(member, _value)						\
	op = good;							\
	op.member = (_value);						\
	EXPECT_ERRNO(EINVAL, submit_error(good.src_buf ? tx : rx, &op))
	BAD(dst_buf, buf);
	BAD(dst_offset, 4);
	BAD(value, 1);
	BAD(args, 1);
	/* Whole cache lines everywhere. */
	good = from_device(buf, 0, 128);
	BAD(src_offset, 4);
	BAD(value, 1);
	BAD(args, 1);
	op = good;
	op.src_buf = buf;
	EXPECT_ERRNO(EINVAL, submit_error(rx, &op));
	run_well(rx, &good);
}

/* The edges of what comes from a device can't be left to the CPU. */
TEST_F(noncoherent, cache_lines)
{
	struct dmafd_info info = { .size = sizeof(info) };
	struct bench *bench = &self->bench;
	int rx = bench_open(bench, "source"), tx = bench_open(bench, "sink"), buf;
	struct dmafd_chan_info chan;
	struct dmafd_op op;

	ASSERT_OK(ioctl(bench->ctx, DMAFD_INFO, &info));
	ASSERT_LE(8, info.out_line);
	chan_info(rx, &chan);
	EXPECT_TRUE(chan.out_flags & DMAFD_INFO_SYNC);
	ASSERT_OK(buf = reg(bench->ctx, memory(8192, 1), 8192, DMAFD_BUF_READ | DMAFD_BUF_WRITE));
	op = from_device(buf, 4, 2 * info.out_line - 4);
	EXPECT_ERRNO(EINVAL, submit_error(rx, &op));
	op = from_device(buf, 0, info.out_line + 4);
	EXPECT_ERRNO(EINVAL, submit_error(rx, &op));
	op = from_device(buf, info.out_line, info.out_line);
	run_well(rx, &op);
	op = to_device(buf, 4, 40);
	run_well(tx, &op);
}

/* ---- less than was asked for ---- */

static void expect_counter(const unsigned char *in, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		ASSERT_EQ((unsigned char)(i / 4 >> (i % 4 * 8)), in[i]);
}

/* A slow ADC: when the time is over, it is known to the burst what there is. */
TEST_F(slow, timeout)
{
	struct bench *bench = &self->bench;
	int rx = bench_open(bench, "source"), dst;
	struct dmafd_completion completion;
	unsigned char *in = memory(65536, 2);
	struct dmafd_op op;

	ASSERT_OK(dst = reg(bench->ctx, in, 65536, DMAFD_BUF_WRITE));
	op = from_device(dst, 0, 65536);
	op.timeout_ms = 1000;
	run(rx, &op, &completion);
	EXPECT_EQ(-ETIMEDOUT, completion.status);
	EXPECT_GE(completion.bytes, 200);
	EXPECT_LE(completion.bytes, slow_ms(4000));
	EXPECT_EQ(completion.bytes, device_number(bench, "source", " out "));
	expect_counter(in, completion.bytes);
}

TEST_F(slow, cancel)
{
	struct bench *bench = &self->bench;
	int rx = bench_open(bench, "source"), dst;
	struct dmafd_completion completion;
	unsigned char *in = memory(65536, 2);
	struct dmafd_status status;
	unsigned int canceled;
	struct dmafd_op op;

	ASSERT_OK(dst = reg(bench->ctx, in, 65536, DMAFD_BUF_WRITE));
	op = from_device(dst, 0, 65536);
	ASSERT_EQ(1, submit(rx, &op, 1));
	do
		status_of(rx, &status);
	while (status.out_bytes < 64);
	ASSERT_OK(cancel(rx, &canceled));
	take(rx, &completion, 1);
	EXPECT_EQ(-ECANCELED, completion.status);
	EXPECT_GE(completion.bytes, status.out_bytes);
	EXPECT_EQ(completion.bytes, device_number(bench, "source", " out "));
	expect_counter(in, completion.bytes);
}

/* A device that ends early, and its driver tells so. */
TEST_F(noncoherent, ends_early)
{
	struct bench *bench = &self->bench;
	int rx = bench_open(bench, "source"), tx = bench_open(bench, "sink"), buf;
	struct dmafd_completion completion;
	unsigned char *in = memory(65536, 2);
	struct dmafd_op op;

	ASSERT_OK(buf = reg(bench->ctx, in, 65536, DMAFD_BUF_READ | DMAFD_BUF_WRITE));
	op = from_device(buf, 0, 4096);
	set_inject("short arg=1000");
	run(rx, &op, &completion);
	EXPECT_EQ(0, completion.status);
	EXPECT_EQ(1000, completion.bytes);
	expect_counter(in, 1000);
	/* Of one that takes data that is an error. */
	op = to_device(buf, 0, 4096);
	set_inject("short arg=1000");
	run(tx, &op, &completion);
	EXPECT_EQ(-EIO, completion.status);
	EXPECT_EQ(1000, completion.bytes);
	set_inject("off");
}

TEST_F(iommu, faults)
{
	static const struct {
		const char *rule;
		int status;
	} faults[] = {
		{ "fail", -EIO }, { "abort", -EIO }, { "iommu", -EIO }, { "hang", -ETIMEDOUT },
		{ "refuse count=0", -EREMOTEIO },
	};
	struct bench *bench = &self->bench;
	int rx = bench_open(bench, "source"), dst;
	struct dmafd_completion completion;
	struct dmafd_op op;

	ASSERT_OK(dst = reg(bench->ctx, memory(65536, 2), 65536, DMAFD_BUF_WRITE));
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		op = from_device(dst, 0, 65536);
		op.timeout_ms = slow_ms(300);
		set_inject(faults[i].rule);
		run(rx, &op, &completion);
		EXPECT_EQ(faults[i].status, completion.status);
		EXPECT_LE(completion.bytes, 65535);
		set_inject("off");
		op.timeout_ms = 0;
		run_well(rx, &op);
	}
}

/* ---- the end ---- */

static void wait_forever(struct bench *bench)
{
	int rx = bench_open(bench, "source"), dst;
	struct dmafd_op op;

	ASSERT_OK(dst = reg(bench->ctx, memory(65536, 2), 65536, DMAFD_BUF_WRITE));
	op = from_device(dst, 0, 65536);
	ASSERT_EQ(1, submit(rx, &op, 1));
	pause();
}

TEST_F(slow, killed, .timeout = 60)
{
	pid_t pid;
	int status;

	for (unsigned int i = 0; i < 10; i++) {
		ASSERT_OK(pid = fork());
		if (!pid)
			wait_forever(&self->bench);
		sleep_ms(20 + 10 * i);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		/* It can be had again. */
		bench_close(&self->bench, bench_open(&self->bench, "source"));
	}
}

TEST_F(slow, port_removed)
{
	struct bench *bench = &self->bench;
	int rx = bench_open(bench, "source"), dst;
	struct dmafd_completion completion;
	struct pollfd fd = { .fd = rx, .events = POLLIN };
	struct dmafd_op op;

	ASSERT_OK(dst = reg(bench->ctx, memory(65536, 2), 65536, DMAFD_BUF_WRITE));
	op = from_device(dst, 0, 65536);
	ASSERT_EQ(1, submit(rx, &op, 1));
	ASSERT_OK(port_remove("source"));
	ASSERT_EQ(1, poll(&fd, 1, 0));
	EXPECT_EQ(POLLIN | POLLHUP | POLLERR, fd.revents);
	take(rx, &completion, 1);
	EXPECT_EQ(-ENODEV, completion.status);
	EXPECT_ERRNO(ENODEV, submit(rx, &op, 1));
	EXPECT_OK(unreg(bench->ctx, dst));
}
