// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rings that go round and round.
 */
#include "common/bench.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* A source of 32-bit numbers at 50 periods a second, and a sink at the same pace. */
#define PERIOD	256
#define RATE	"12800"

#define BENCH_OF(fixture, _view, _options, _source, _sink)				\
	static const struct bench_plan fixture##_plan = {				\
		.view = _view, .options = _options, .source = _source, .sink = _sink,	\
		.width = 4, .burst = 4,							\
	};										\
	FIXTURE(fixture) { struct bench bench; };					\
	FIXTURE_SETUP(fixture) { bench_up(&self->bench, &fixture##_plan); }		\
	FIXTURE_TEARDOWN(fixture) { bench_down(&self->bench); }

#define ADC(depth)	"kind=source pattern=counter32 rate=" RATE " depth=" #depth
#define DAC		"kind=sink rate=" RATE " depth=512"

BENCH_OF(flat, "flat", "", ADC(65536), DAC)
BENCH_OF(iommu, "iommu", "", ADC(65536), DAC)
BENCH_OF(noncoherent, "noncoherent", "", ADC(65536), DAC)
BENCH_OF(coarse, "flat", "residue=descriptor", ADC(65536), DAC)
BENCH_OF(plain, "flat", "types=memcpy,slave", ADC(65536), DAC)
/* Four periods a second. */
BENCH_OF(slow, "noncoherent", "", "kind=source pattern=counter32 rate=1024 depth=4096", DAC)
/* As fast as memory. */
BENCH_OF(fast, "flat", "", "kind=source pattern=counter32", "kind=sink")

#define TEST_ALL(test, ...)								\
	static void all_##test(struct bench *bench);					\
	TEST_F(flat, test, __VA_ARGS__) { all_##test(&self->bench); }			\
	TEST_F(iommu, test, __VA_ARGS__) { all_##test(&self->bench); }			\
	TEST_F(noncoherent, test, __VA_ARGS__) { all_##test(&self->bench); }		\
	TEST_F(coarse, test, __VA_ARGS__) { all_##test(&self->bench); }			\
	static void all_##test(struct bench *bench)

/* What a ring of so many periods is submitted by; a page is in one piece. */
struct ring {
	struct dmafd_cyclic_args args;
	struct dmafd_op op;
	unsigned char *memory;
	int buf;
};

static void make_ring(struct bench *bench, struct ring *ring, bool rx, unsigned int periods)
{
	size_t len = periods * PERIOD;

	memset(ring, 0, sizeof(*ring));
	ring->memory = memory(len, 1);
	ASSERT_OK(ring->buf = reg(bench->ctx, ring->memory, len,
				  DMAFD_BUF_READ | DMAFD_BUF_WRITE));
	ring->args.size = sizeof(ring->args);
	ring->args.period = PERIOD;
	ring->op = (struct dmafd_op){
		.opcode = DMAFD_OP_CYCLIC, .user_data = 77, .length = len,
		.src_buf = rx ? 0 : ring->buf, .dst_buf = rx ? ring->buf : 0,
		.args = (uintptr_t)&ring->args,
	};
}

static void expect_counter(const unsigned char *data, uint64_t first, size_t len)
{
	for (uint64_t i = first; i < first + len; i++)
		ASSERT_EQ((unsigned char)(i / 4 >> (i % 4 * 8)), data[i - first]);
}

/* The last record: it was canceled. */
static void end_ring(int chan, struct dmafd_completion *last)
{
	unsigned int canceled;

	ASSERT_OK(cancel(chan, &canceled));
	EXPECT_EQ(1, canceled);
	take(chan, last, 1);
	EXPECT_EQ(-ECANCELED, last->status);
	EXPECT_EQ(0, last->flags);
	EXPECT_EQ(77, last->user_data);
}

/* ---- capture ---- */

/* Whoever keeps up gets each byte. */
static void capture_all(int rx, const struct ring *ring, uint64_t wanted)
{
	struct dmafd_completion now = {}, last;
	uint64_t seen = 0, before = 0;

	ASSERT_EQ(1, submit(rx, &ring->op, 1));
	while (seen < wanted) {
		take(rx, &now, 1);
		ASSERT_EQ(0, now.status);
		ASSERT_EQ(DMAFD_COMPLETION_MORE, now.flags);
		ASSERT_EQ(77, now.user_data);
		ASSERT_EQ(0, now.sequence);
		ASSERT_EQ(DMAFD_OP_CYCLIC, now.opcode);
		ASSERT_EQ(0, now.overruns);
		ASSERT_EQ(0, now.bytes % PERIOD);
		ASSERT_GE(now.bytes, seen + PERIOD);
		ASSERT_GE(now.complete_ns, before);
		before = now.complete_ns;
		for (; seen < now.bytes; seen += PERIOD) {
			unsigned char *period = ring->memory + seen % ring->op.length;

			expect_counter(period, seen, PERIOD);
			/* What is in the caches may not get into what comes next. */
			memset(period, 0xee, PERIOD);
		}
	}
	end_ring(rx, &last);
	EXPECT_GE(last.bytes, seen);
	EXPECT_EQ(0, last.overruns);
}

/* Over many rounds. */
TEST_ALL(capture, .timeout = 60)
{
	int rx = bench_open(bench, "source");
	struct ring ring;

	make_ring(bench, &ring, true, 16);
	capture_all(rx, &ring, 5 * ring.op.length);
}

/* Memory in one piece is a ring of many pages, wherever in it that begins. */
TEST_ALL(contiguous, .timeout = 60)
{
	enum { BEGIN = 3 * PERIOD, PAGES = 3 * 4096 };
	int rx = bench_open(bench, "source"), fd;
	unsigned char beside[BEGIN];
	struct ring ring;

	make_ring(bench, &ring, true, PAGES / PERIOD);
	ASSERT_OK(ring.buf = alloc(bench->ctx, 2 * PAGES, DMAFD_BUF_WRITE | DMAFD_BUF_CONTIGUOUS,
				   &fd));
	ring.memory = map_fd(fd, 2 * PAGES);
	memset(ring.memory, 0x77, 2 * PAGES);
	memset(beside, 0x77, sizeof(beside));
	ring.memory += BEGIN;
	ring.op.dst_buf = ring.buf;
	ring.op.dst_offset = BEGIN;
	capture_all(rx, &ring, PAGES + 2 * PERIOD);
	EXPECT_MEMEQ(beside, ring.memory - BEGIN, BEGIN);
	EXPECT_MEMEQ(beside, ring.memory + PAGES, BEGIN);
	close(fd);
}

/* Two periods are enough for whoever waits in read(). */
TEST_F(slow, two_periods, .timeout = 60)
{
	struct bench *bench = &self->bench;
	int rx = bench_open(bench, "source");
	struct dmafd_completion now = {}, last;
	struct ring ring;
	unsigned int i;

	make_ring(bench, &ring, true, 2);
	ASSERT_EQ(1, submit(rx, &ring.op, 1));
	for (i = 0; i < 6; i++)
		take(rx, &now, 1);
	EXPECT_EQ(0, now.overruns);
	end_ring(rx, &last);
}

/* All that passes while nobody comes back is written over, but for a round less one. */
TEST_ALL(overruns, .timeout = 60)
{
	int rx = bench_open(bench, "source");
	struct dmafd_completion first, second, third, last;
	struct dmafd_status status;
	struct ring ring;

	make_ring(bench, &ring, true, 4);
	ASSERT_EQ(1, submit(rx, &ring.op, 1));
	take(rx, &first, 1);
	EXPECT_EQ(0, first.overruns);
	sleep_ms(400);
	status_of(rx, &status);
	EXPECT_GE(status.out_overruns, 8);
	take(rx, &second, 1);
	/* Nothing of it was given back until now. */
	EXPECT_EQ(second.bytes / PERIOD - 3, second.overruns);
	EXPECT_GE(second.overruns, status.out_overruns);
	take(rx, &third, 1);
	/* None is counted twice. */
	EXPECT_LE(third.overruns, second.overruns + 3);
	end_ring(rx, &last);
	EXPECT_GE(last.overruns, third.overruns);
}

/* The controller goes round faster than anybody could look. */
TEST_F(fast, overruns)
{
	int rx = bench_open(&self->bench, "source");
	struct dmafd_completion now, last;
	struct ring ring;
	unsigned int i;
	uint64_t bytes = 0;

	make_ring(&self->bench, &ring, true, 4);
	ASSERT_EQ(1, submit(rx, &ring.op, 1));
	for (i = 0; i < 100; i++) {
		take(rx, &now, 1);
		ASSERT_GE(now.bytes, bytes + PERIOD);
		bytes = now.bytes;
	}
	end_ring(rx, &last);
	EXPECT_GE(last.bytes, bytes);
	EXPECT_EQ(last.bytes, device_number(&self->bench, "source", " out "));
}

/* One record is ready, however many periods passed. */
TEST_F(flat, one_record)
{
	int rx = bench_open(&self->bench, "source");
	struct dmafd_completion now[4];
	struct pollfd fd = { .fd = rx, .events = POLLIN };
	void *nowhere = memory(4096, 1);
	struct ring ring;

	make_ring(&self->bench, &ring, true, 4);
	ASSERT_OK(munmap(nowhere, 4096));
	EXPECT_EQ(0, poll(&fd, 1, 0));
	ASSERT_EQ(1, submit(rx, &ring.op, 1));
	EXPECT_EQ(1, poll(&fd, 1, slow_ms(5000)));
	EXPECT_EQ(POLLIN, fd.revents);
	sleep_ms(slow_ms(50));
	EXPECT_EQ(sizeof(now[0]), read(rx, now, sizeof(now)));
	EXPECT_LE(2 * PERIOD, now[0].bytes);
	/* A record that could not be given stays. */
	EXPECT_EQ(1, poll(&fd, 1, slow_ms(5000)));
	EXPECT_ERRNO(EFAULT, read(rx, nowhere, sizeof(now)));
	EXPECT_EQ(1, poll(&fd, 1, 0));
	EXPECT_EQ(sizeof(now[0]), read(rx, now, sizeof(now)));
}

/* ---- playback ---- */

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

/* Each period is another one, filled in when the one a round before was played. */
TEST_ALL(playback, .timeout = 60)
{
	enum { PERIODS = 16, ALL = 80 };
	static unsigned char played[ALL * PERIOD];
	int tx = bench_open(bench, "sink");
	struct dmafd_completion now, last;
	uint64_t ready = PERIODS;
	struct ring ring;

	make_ring(bench, &ring, false, PERIODS);
	pattern(played, sizeof(played), 5);
	memcpy(ring.memory, played, PERIODS * PERIOD);
	ASSERT_EQ(1, submit(tx, &ring.op, 1));
	do {
		take(tx, &now, 1);
		ASSERT_EQ(0, now.overruns);
		for (; ready < now.bytes / PERIOD + PERIODS && ready < ALL; ready++)
			memcpy(ring.memory + ready % PERIODS * PERIOD, played + ready * PERIOD,
			       PERIOD);
	} while (now.bytes < (ALL - PERIODS + 1) * PERIOD);
	end_ring(tx, &last);
	ASSERT_GE(last.bytes, (ALL - PERIODS) * PERIOD);
	ASSERT_LE(last.bytes, sizeof(played));
	EXPECT_GE(device_number(bench, "sink", " in "), last.bytes);
	EXPECT_EQ(crc32(0, played, device_number(bench, "sink", " in ")),
		  device_number(bench, "sink", " crc "));
}

/* ---- status and pause ---- */

TEST_F(flat, status)
{
	int rx = bench_open(&self->bench, "source");
	struct dmafd_status status, later;
	struct dmafd_completion last;
	struct ring ring;

	make_ring(&self->bench, &ring, true, 4);
	ASSERT_EQ(1, submit(rx, &ring.op, 1));
	do
		status_of(rx, &status);
	while (status.out_bytes < 6 * PERIOD);
	EXPECT_EQ(DMAFD_STATE_BUSY, status.out_state);
	EXPECT_EQ(DMAFD_OP_CYCLIC, status.out_opcode);
	EXPECT_EQ(77, status.out_user_data);
	EXPECT_EQ(1, status.out_queued);
	ASSERT_OK(pause_chan(rx, 0));
	status_of(rx, &status);
	EXPECT_EQ(DMAFD_STATE_PAUSED, status.out_state);
	EXPECT_EQ(status.out_bytes, device_number(&self->bench, "source", " out "));
	sleep_ms(slow_ms(100));
	status_of(rx, &later);
	EXPECT_EQ(status.out_bytes, later.out_bytes);
	ASSERT_OK(pause_chan(rx, DMAFD_PAUSE_RESUME));
	do
		status_of(rx, &later);
	while (later.out_bytes < status.out_bytes + 6 * PERIOD);
	end_ring(rx, &last);
	/* To the byte. */
	EXPECT_EQ(last.bytes, device_number(&self->bench, "source", " out "));
}

/* ---- alone ---- */

TEST_F(flat, others_wait)
{
	int rx = bench_open(&self->bench, "source");
	struct dmafd_completion completions[3];
	struct dmafd_op nop = nop_op(0);
	struct dmafd_status status;
	unsigned int canceled;
	struct ring ring;

	make_ring(&self->bench, &ring, true, 4);
	ASSERT_EQ(1, submit(rx, &nop, 1));
	ASSERT_EQ(1, submit(rx, &ring.op, 1));
	ASSERT_EQ(1, submit(rx, &nop, 1));
	take(rx, completions, 2);
	EXPECT_EQ(DMAFD_OP_NOP, completions[0].opcode);
	EXPECT_EQ(DMAFD_COMPLETION_MORE, completions[1].flags);
	EXPECT_EQ(1, completions[1].sequence);
	status_of(rx, &status);
	EXPECT_EQ(2, status.out_queued);
	ASSERT_OK(cancel(rx, &canceled));
	EXPECT_EQ(2, canceled);
	take(rx, completions, 2);
	EXPECT_EQ(DMAFD_OP_CYCLIC, completions[0].opcode);
	EXPECT_EQ(DMAFD_OP_NOP, completions[1].opcode);
	EXPECT_EQ(-ECANCELED, completions[1].status);
	/* And again. */
	ASSERT_EQ(1, submit(rx, &ring.op, 1));
	take(rx, completions, 1);
	EXPECT_EQ(3, completions[0].sequence);
	EXPECT_EQ(PERIOD, completions[0].bytes);
}

TEST_F(flat, silent)
{
	int tx = bench_open(&self->bench, "sink");
	struct pollfd fd = { .fd = tx, .events = POLLIN };
	struct dmafd_completion last;
	struct dmafd_status status;
	struct ring ring;

	make_ring(&self->bench, &ring, false, 4);
	ring.op.flags = DMAFD_OP_NO_COMPLETION;
	ASSERT_EQ(1, submit(tx, &ring.op, 1));
	EXPECT_EQ(0, poll(&fd, 1, slow_ms(200)));
	status_of(tx, &status);
	EXPECT_GE(status.out_bytes, 8 * PERIOD);
	EXPECT_EQ(0, status.out_overruns);
	end_ring(tx, &last);
}

/* ---- what is refused ---- */

TEST_F(flat, arguments)
{
	struct bench *bench = &self->bench;
	int rx = bench_open(bench, "source"), tx = bench_open(bench, "sink"), plain;
	struct dmafd_op copy;
	struct ring ring, bad;

	make_ring(bench, &ring, true, 4);
	bad = ring;
#define BAD(error, chan, member, value)				\
	bad.member = (value);					\
	bad.op.args = (uintptr_t)&bad.args;			\
	EXPECT_ERRNO(error, submit_error(chan, &bad.op));	\
	bad = ring
	BAD(EINVAL, rx, args.size, 8);
	BAD(E2BIG, rx, args.size, 1 << 20);
	BAD(EOPNOTSUPP, rx, args.flags, 1);
	BAD(EINVAL, rx, args.period, 0);
	BAD(EINVAL, rx, args.period, 4 * PERIOD);
	BAD(EINVAL, rx, args.period, 3 * PERIOD);
	BAD(EINVAL, rx, args.period, 2);
	BAD(EINVAL, rx, args.period, 1ULL << 63);
	BAD(EINVAL, rx, op.length, 3 * PERIOD + 4);
	BAD(EINVAL, rx, op.length, 8 * PERIOD);
	BAD(EINVAL, rx, op.length, 1ULL << 32);
	BAD(EINVAL, rx, op.dst_offset, PERIOD);
	BAD(EINVAL, rx, op.src_buf, ring.buf);
	BAD(EINVAL, rx, op.value, 1);
	/* The wrong side of a port that takes data. */
	BAD(EINVAL, tx, op.value, 0);
	BAD(ENOENT, rx, op.dst_buf, 999);
	bad.op.args = 8;
	EXPECT_ERRNO(EFAULT, submit_error(rx, &bad.op));
	plain = bench_open(bench, "");
	EXPECT_ERRNO(EOPNOTSUPP, submit_error(plain, &ring.op));
	copy = copy_op(ring.buf, 0, ring.buf, 2048, 64);
	EXPECT_ERRNO(EOPNOTSUPP, submit_error(rx, &copy));
}

/* Pages that lie apart. */
TEST_F(flat, scattered)
{
	struct bench *bench = &self->bench;
	int rx = bench_open(bench, "source"), buf;
	unsigned char *pages = memory(64 * 4096, 1), *last = pages + 63 * 4096;
	struct ring ring;

	make_ring(bench, &ring, true, 4);
	/* The same page at both ends cannot be in one piece. */
	ASSERT_OK(mremap(pages + 4096, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, last));
	ASSERT_OK(mremap(pages + 4 * 4096, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED,
			 pages + 4096));
	ASSERT_OK(mremap(pages + 2 * 4096, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED,
			 pages + 4 * 4096));
	ASSERT_OK(buf = reg(bench->ctx, pages, 2 * 4096, DMAFD_BUF_WRITE));
	ring.op.dst_buf = buf;
	ring.op.length = 2 * 4096;
	if (submit(rx, &ring.op, 1) == 1)
		SKIP("the pages happen to lie side by side");
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(noncoherent, cache_lines)
{
	int rx = bench_open(&self->bench, "source");
	struct ring ring;

	make_ring(&self->bench, &ring, true, 4);
	ring.args.period = 4;
	ring.op.length = 64;
	EXPECT_ERRNO(EINVAL, submit_error(rx, &ring.op));
	ring.args.period = 64;
	ring.op.length = 128;
	ring.op.dst_offset = 32;
	EXPECT_ERRNO(EINVAL, submit_error(rx, &ring.op));
}

TEST_F(plain, not_cyclic)
{
	int rx = bench_open(&self->bench, "source");
	struct ring ring;

	make_ring(&self->bench, &ring, true, 4);
	EXPECT_ERRNO(EOPNOTSUPP, submit_error(rx, &ring.op));
}

/* ---- the end ---- */

static void with_fault(struct bench *bench, const char *rule, int status)
{
	int rx = bench_open(bench, "source");
	struct dmafd_completion now;
	struct ring ring;

	make_ring(bench, &ring, true, 4);
	ring.op.timeout_ms = slow_ms(200);
	put_text(BENCH "/inject", rule);
	ASSERT_EQ(1, submit(rx, &ring.op, 1));
	do
		take(rx, &now, 1);
	while (now.flags);
	EXPECT_EQ(status, now.status);
	EXPECT_LE(now.bytes, 4 * PERIOD);
	put_text(BENCH "/inject", "off");
	/* As long as it takes: the source stood for a while. */
	ASSERT_EQ(1, submit(rx, &ring.op, 1));
	take(rx, &now, 1);
	EXPECT_EQ(DMAFD_COMPLETION_MORE, now.flags);
}

TEST_F(flat, hang) { with_fault(&self->bench, "hang", -ETIMEDOUT); }
TEST_F(flat, fail) { with_fault(&self->bench, "fail", -EIO); }
TEST_F(iommu, abort) { with_fault(&self->bench, "abort", -EIO); }
TEST_F(iommu, refuse) { with_fault(&self->bench, "refuse count=0", -EREMOTEIO); }

/* It may take as long as it likes if nothing else is said. */
TEST_F(flat, no_timeout)
{
	struct dmafd_chan_open arg = { .size = sizeof(arg), .timeout_ms = 50, .name = "source" };
	struct bench *bench = &self->bench;
	struct dmafd_completion now;
	struct ring ring;

	ASSERT_OK(ioctl(bench->ctx, DMAFD_CHAN_OPEN, &arg));
	bench->chan[bench->chans++] = arg.out_fd;
	make_ring(bench, &ring, true, 4);
	put_text(BENCH "/inject", "hang");
	ASSERT_EQ(1, submit(arg.out_fd, &ring.op, 1));
	sleep_ms(slow_ms(400));
	do
		take(arg.out_fd, &now, 1);
	while (now.bytes < PERIOD);
	EXPECT_EQ(DMAFD_COMPLETION_MORE, now.flags);
	end_ring(arg.out_fd, &now);
	put_text(BENCH "/inject", "off");
}

/* It is a period's, and begins anew with each. */
TEST_F(flat, timeout_of_a_period)
{
	struct bench *bench = &self->bench;
	int rx = bench_open(bench, "source");
	struct dmafd_completion now = {}, last;
	uint64_t begin = now_ns();
	struct ring ring;

	make_ring(bench, &ring, true, 16);
	ring.op.timeout_ms = slow_ms(400);
	ASSERT_EQ(1, submit(rx, &ring.op, 1));
	while (now_ns() - begin < slow_ms(1200) * 1000000ULL) {
		take(rx, &now, 1);
		ASSERT_EQ(0, now.status);
	}
	end_ring(rx, &last);
}

static void run_forever(struct bench *bench)
{
	int rx = bench_open(bench, "source");
	struct dmafd_completion now;
	struct ring ring;

	make_ring(bench, &ring, true, 4);
	ASSERT_EQ(1, submit(rx, &ring.op, 1));
	for (;;)
		take(rx, &now, 1);
}

TEST_F(noncoherent, killed, .timeout = 60)
{
	pid_t pid;
	int status;

	for (unsigned int i = 0; i < 20; i++) {
		ASSERT_OK(pid = fork());
		if (!pid)
			run_forever(&self->bench);
		sleep_ms(7 * i);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		bench_close(&self->bench, bench_open(&self->bench, "source"));
	}
}

TEST_F(iommu, port_removed)
{
	int rx = bench_open(&self->bench, "source");
	struct dmafd_completion now;
	struct ring ring;

	make_ring(&self->bench, &ring, true, 4);
	ASSERT_EQ(1, submit(rx, &ring.op, 1));
	take(rx, &now, 1);
	ASSERT_OK(port_remove("source"));
	take(rx, &now, 1);
	EXPECT_EQ(-ENODEV, now.status);
	EXPECT_ERRNO(ENODEV, read(rx, &now, sizeof(now)));
	EXPECT_OK(unreg(self->bench.ctx, ring.buf));
}

/* The controller ends what it does, and takes nothing more. */
TEST_F(iommu, controller_removed)
{
	int rx = bench_open(&self->bench, "source");
	struct dmafd_completion now;
	struct ring ring;

	make_ring(&self->bench, &ring, true, 4);
	ASSERT_EQ(1, submit(rx, &ring.op, 1));
	take(rx, &now, 1);
	bench_remove_controller();
	do
		take(rx, &now, 1);
	while (now.flags);
	EXPECT_EQ(-EIO, now.status);
	ASSERT_EQ(1, submit(rx, &ring.op, 1));
	take(rx, &now, 1);
	EXPECT_EQ(-EREMOTEIO, now.status);
}
