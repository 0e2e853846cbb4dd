// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ports: data to a device and from it, once and without end.
 */
#include "common/kit.h"
#include "../uapi/common/bench.h"

#include <poll.h>
#include <unistd.h>

#define PERIOD	256

static const struct bench_plan plan = {
	.view = "noncoherent", .options = "", .loop = "kind=loopback depth=65536",
	.source = "kind=source pattern=counter32 rate=12800 depth=65536",
	.sink = "kind=sink", .width = 4, .burst = 4,
};

FIXTURE(ports) { struct bench bench; struct dmafd_ctx *ctx; };
FIXTURE_SETUP(ports)
{
	bench_up(&self->bench, &plan);
	ASSERT_TRUE(self->ctx = dmafd_open());
}

FIXTURE_TEARDOWN(ports)
{
	dmafd_close(self->ctx);
	bench_down(&self->bench);
}

static struct dmafd_chan *open_port(struct dmafd_ctx *ctx, const char *name, unsigned int flags)
{
	struct dmafd_chan_options options = { .flags = flags };
	struct dmafd_chan *chan = dmafd_chan_open(ctx, name, &options);

	ASSERT_TRUE(chan);
	return chan;
}

TEST_F(ports, listed)
{
	struct dmafd_chan_desc *list;
	unsigned int seen = 0;
	ssize_t n, i;

	ASSERT_OK(n = dmafd_chan_list(self->ctx, &list));
	for (i = 0; i < n; i++)
		if (!strcmp(list[i].name, "source"))
			seen = list[i].flags;
	EXPECT_EQ(DMAFD_DESC_PORT | DMAFD_DESC_RX, seen);
	dmafd_chan_list_free(list);
}

/* What is sent comes back; by either way of submitting. */
static void send_round(struct dmafd_ctx *ctx, unsigned int flags)
{
	struct dmafd_chan *tx = open_port(ctx, "loop:tx", flags);
	struct dmafd_chan *rx = open_port(ctx, "loop:rx", flags);
	unsigned char *from = memory(4096, 1), *to = memory(4096, 2);
	struct dmafd_buf *src = dmafd_buf_register(ctx, from, 4096, DMAFD_READ);
	struct dmafd_buf *dst = dmafd_buf_register(ctx, to, 4096, DMAFD_WRITE);
	struct dmafd_job send, receive;
	struct dmafd_result result;
	struct dmafd_chan_attr attr;
	unsigned int i;

	ASSERT_TRUE(src && dst);
	ASSERT_OK(dmafd_chan_info(tx, &attr));
	EXPECT_EQ(DMAFD_ATTR_TX, attr.flags & (DMAFD_ATTR_TX | DMAFD_ATTR_RX));
	EXPECT_EQ(4, attr.width);
	dmafd_job_to_device(&send, src, 0, 4096);
	dmafd_job_from_device(&receive, dst, 0, 4096);
	for (i = 0; i < 3; i++) {
		pattern(from, 4096, i);
		ASSERT_EQ(1, dmafd_submit(rx, &receive, 1));
		ASSERT_OK(dmafd_run(tx, &send, 1, NULL));
		ASSERT_EQ(1, dmafd_reap(rx, &result, 1, slow_ms(5000)));
		EXPECT_EQ(0, result.status);
		EXPECT_EQ(4096, result.bytes);
		ASSERT_MEMEQ(from, to, 4096);
	}
	EXPECT_ERRNO(EACCES, dmafd_run(tx, &(struct dmafd_job){
			     .opcode = DMAFD_JOB_TO_DEVICE, .src = dst, .length = 4 }, 1, NULL));
	EXPECT_ERRNO(EOPNOTSUPP, dmafd_calibrate(tx, NULL));
	dmafd_chan_close(tx);
	dmafd_chan_close(rx);
}

TEST_F(ports, loop)
{
	send_round(self->ctx, DMAFD_NO_URING);
}

TEST_F(ports, loop_uring)
{
	send_round(self->ctx, 0);
}

static void expect_counter(const unsigned char *data, uint64_t first, size_t len)
{
	uint64_t i;

	for (i = first; i < first + len; i++)
		ASSERT_EQ((unsigned char)(i / 4 >> (i % 4 * 8)), data[i - first]);
}

/* Each period is seen, in order; io_uring has no part in it, whatever was before. */
static void capture(struct dmafd_ctx *ctx, unsigned int flags)
{
	struct dmafd_chan *chan = open_port(ctx, "source", flags);
	struct dmafd_buf *ring = dmafd_buf_alloc(ctx, 16 * PERIOD, DMAFD_RDWR | DMAFD_CONTIGUOUS);
	struct pollfd fd = { .fd = dmafd_chan_fd(chan), .events = POLLIN };
	struct dmafd_result result;
	struct dmafd_job jobs[2];
	uint64_t seen = 0;

	ASSERT_TRUE(ring);
	dmafd_job_cyclic(&jobs[0], ring, 0, 16 * PERIOD, PERIOD);
	jobs[0].user_data = 5;
	ASSERT_EQ(1, dmafd_submit(chan, jobs, 1));
	while (seen < 40 * PERIOD) {
		ASSERT_EQ(1, poll(&fd, 1, slow_ms(5000)));
		ASSERT_EQ(1, dmafd_reap(chan, &result, 1, 0));
		EXPECT_EQ(DMAFD_MORE, result.flags);
		EXPECT_EQ(5, result.user_data);
		EXPECT_EQ(0, result.overruns);
		for (; seen < result.bytes; seen += PERIOD)
			expect_counter(bytes_of(ring) + seen % (16 * PERIOD), seen, PERIOD);
	}
	/* Jobs behind it wait; they end with it. */
	dmafd_job_nop(&jobs[1]);
	ASSERT_EQ(1, dmafd_submit(chan, &jobs[1], 1));
	EXPECT_EQ(2, dmafd_chan_cancel(chan));
	do
		ASSERT_EQ(1, dmafd_reap(chan, &result, 1, slow_ms(5000)));
	while (result.flags & DMAFD_MORE);
	EXPECT_EQ(-ECANCELED, result.status);
	EXPECT_EQ(DMAFD_JOB_CYCLIC, result.opcode);
	EXPECT_LE(seen, result.bytes);
	ASSERT_EQ(1, dmafd_reap(chan, &result, 1, slow_ms(5000)));
	EXPECT_EQ(-ECANCELED, result.status);
	EXPECT_EQ(DMAFD_JOB_NOP, result.opcode);
	EXPECT_EQ(0, poll(&fd, 1, 0));
	dmafd_chan_close(chan);
}

TEST_F(ports, capture)
{
	capture(self->ctx, DMAFD_NO_URING);
}

TEST_F(ports, capture_uring)
{
	capture(self->ctx, 0);
}

TEST_F(ports, overruns)
{
	struct dmafd_chan *chan = open_port(self->ctx, "source", 0);
	struct dmafd_buf *ring = dmafd_buf_alloc(self->ctx, 2 * PERIOD,
						 DMAFD_RDWR | DMAFD_CONTIGUOUS);
	struct dmafd_result result;
	struct dmafd_job job;

	ASSERT_TRUE(ring);
	dmafd_job_cyclic(&job, ring, 0, 2 * PERIOD, PERIOD);
	ASSERT_EQ(1, dmafd_submit(chan, &job, 1));
	ASSERT_EQ(1, dmafd_reap(chan, &result, 1, slow_ms(5000)));
	/* Ten periods. */
	sleep_ms(200);
	ASSERT_EQ(1, dmafd_reap(chan, &result, 1, slow_ms(5000)));
	EXPECT_LT(0, result.overruns);
	dmafd_chan_close(chan);
}

TEST_F(ports, bad_rings)
{
	struct dmafd_chan *chan = open_port(self->ctx, "source", 0);
	struct dmafd_buf *ring = dmafd_buf_alloc(self->ctx, 4096, DMAFD_RDWR);
	static const struct {
		uint64_t length, period;
	} cases[] = { { 4096, 0 }, { 4096, 4096 }, { 4096, 1000 }, { 8192, 1024 } };
	struct dmafd_job job;
	unsigned int i;

	ASSERT_TRUE(ring);
	for (i = 0; i < 4; i++) {
		dmafd_job_cyclic(&job, ring, 0, cases[i].length, cases[i].period);
		EXPECT_ERRNO(EINVAL, dmafd_submit(chan, &job, 1));
	}
	dmafd_job_to_device(&job, ring, 0, 64);
	EXPECT_ERRNO(EOPNOTSUPP, dmafd_submit(chan, &job, 1));
	dmafd_chan_close(chan);
}
