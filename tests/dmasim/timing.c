// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmasim: simulated time, stopping in the middle of it, and whose turn it is.
 */
#include "common/sim.h"

#include <stdio.h>

FIXTURE_SETUP(dmasim)
{
	sim_setup();
}

FIXTURE_TEARDOWN(dmasim)
{
	sim_teardown();
}

#define LEN	1048576

static uint64_t source, destination;

static void take_channels(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		ASSERT_OK(st_request(i, sim_channel(SIM, i)));
}

static void start(const char *options, unsigned int channels)
{
	sim_start(SIM, options);
	take_channels(channels);
	source = st_buffer(0, 0, LEN, TO_DEVICE, 1);
	ASSERT_OK(st_alloc(1, LEN));
	ASSERT_OK(st_map(1, 0, FROM_DEVICE, 0, LEN, &destination));
}

static void again(const char *option, const char *value)
{
	st_close();
	ASSERT_OK(sim_set(SIM, "live", "0"));
	ASSERT_OK(sim_set(SIM, option, value));
	st_open();
	start("", 1);
}

/* How long so many copies of @len bytes take, one after the other. */
static uint64_t duration(unsigned int count, size_t len)
{
	uint64_t begin = sim_now_ns();
	struct simtest_tx end;
	unsigned int i;

	for (i = 0; i < count; i++) {
		ASSERT_OK(st_prep_copy(i, 0, destination, source, len));
		ASSERT_OK(st_submit(i));
	}
	ASSERT_OK(st_chan(0, SIMTEST_ISSUE));
	ASSERT_OK(st_wait(count - 1, 1, &end));
	EXPECT_EQ(NO_ERROR, end.result);
	printf("%u * %zu bytes: %llu ns\n", count, len,
	       (unsigned long long)(end.last_ns - begin));
	return end.last_ns - begin;
}

TEST_F(dmasim, bandwidth)
{
	uint64_t slow, fast;

	start("bandwidth=1M", 1);
	slow = duration(1, LEN);
	again("bandwidth", "8M");
	fast = duration(1, LEN);
	EXPECT_GE(slow, 980000000ULL);
	EXPECT_GE(fast, 122000000ULL);
	EXPECT_GE(slow, fast * 2);
}

TEST_F(dmasim, latency)
{
	uint64_t slow, fast;

	start("latency_ns=40000000", 1);
	slow = duration(20, 64);
	again("latency_ns", "5000000");
	fast = duration(20, 64);
	EXPECT_GE(slow, 800000000ULL);
	EXPECT_GE(fast, 100000000ULL);
	EXPECT_GE(slow, fast * 2);
}

/* Begins a copy that takes long, and comes back in the middle of it. */
static void begin_long(void)
{
	struct simtest_tx now;
	unsigned int i;

	ASSERT_OK(st_prep_copy(0, 0, destination, source, LEN));
	ASSERT_OK(st_go(0, 0));
	for (i = 0; i < 1000; i++) {
		st_status(0, &now);
		if (now.residue < LEN)
			break;
		sim_sleep_ms(2);
	}
	EXPECT_LT(now.residue, LEN);
	EXPECT_GT(now.residue, 0);
	EXPECT_EQ(IN_PROGRESS, now.status);
}

TEST_F(dmasim, pause)
{
	struct simtest_tx then, now;

	start("bandwidth=1M", 1);
	begin_long();
	ASSERT_OK(st_chan(0, SIMTEST_PAUSE));
	st_status(0, &then);
	EXPECT_EQ(IS_PAUSED, then.status);
	sim_sleep_ms(200);
	st_status(0, &now);
	EXPECT_EQ(IS_PAUSED, now.status);
	EXPECT_EQ(then.residue, now.residue);
	EXPECT_GT(now.residue, 0);
	ASSERT_OK(st_chan(0, SIMTEST_RESUME));
	ASSERT_OK(st_wait(0, 1, &now));
	EXPECT_EQ(NO_ERROR, now.result);
	ASSERT_OK(st_unmap(1));
	st_expect(1, LEN, 1);
}

TEST_F(dmasim, no_pause)
{
	start("pause=0", 1);
	EXPECT_EQ(-1, st_chan(0, SIMTEST_PAUSE));
	EXPECT_STREQ("Function not implemented", strerror(errno));
	EXPECT_EQ(-1, st_chan(0, SIMTEST_RESUME));
	EXPECT_STREQ("Function not implemented", strerror(errno));
}

TEST_F(dmasim, terminate)
{
	static uint8_t then[LEN], now[LEN];
	struct simtest_tx end;
	long long bytes;

	start("bandwidth=1M", 1);
	begin_long();
	ASSERT_OK(st_chan(0, SIMTEST_TERMINATE));
	st_read(1, 0, then, LEN);
	bytes = sim_debug_number(SIM, "channel/0", "bytes: ");
	EXPECT_GT(bytes, 0);
	EXPECT_LT(bytes, LEN);
	sim_sleep_ms(200);
	st_read(1, 0, now, LEN);
	EXPECT_MEMEQ(then, now, LEN);
	EXPECT_EQ(bytes, sim_debug_number(SIM, "channel/0", "bytes: "));
	st_status(0, &end);
	EXPECT_EQ(0, end.calls);
	EXPECT_EQ(1, sim_debug_number(SIM, "channel/0", "terminated: "));
	ASSERT_OK(st_prep_copy(1, 0, destination, source, 4096));
	st_run(1, 0, NO_ERROR, 0);
}

/* ---- whose turn it is ---- */

#define COPY	65536

/* Submits copies to a channel, as transactions @first and so on. */
static void queue(unsigned int chan, unsigned int first, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		ASSERT_OK(st_prep_copy(first + i, chan, destination, source, COPY));
		ASSERT_OK(st_submit(first + i));
	}
}

/* How many transactions had ended before this one. */
static unsigned int place(unsigned int tx)
{
	struct simtest_tx end;

	ASSERT_OK(st_wait(tx, 1, &end));
	EXPECT_EQ(NO_ERROR, end.result);
	return end.order;
}

/* What was issued later overtakes what is of lower priority. */
TEST_F(dmasim, priority)
{
	unsigned int urgent;

	start("physical=1 bandwidth=4M priority=1:7,2:3", 3);
	queue(0, 0, 16);
	queue(2, 16, 4);
	queue(1, 20, 1);
	ASSERT_OK(st_chan(0, SIMTEST_ISSUE));
	sim_sleep_ms(20);
	ASSERT_OK(st_chan(2, SIMTEST_ISSUE));
	ASSERT_OK(st_chan(1, SIMTEST_ISSUE));
	urgent = place(20);
	EXPECT_LT(urgent, 6);
	EXPECT_LT(urgent, place(19));
	EXPECT_LT(place(19), place(15));
	EXPECT_LT(place(19), 12);
	EXPECT_EQ(20, place(15));
}

/* Of equals nobody gets far ahead. */
TEST_F(dmasim, fairness)
{
	enum { CHANNELS = 8, COPIES = 12 };
	unsigned int i, j, lowest, highest;

	start("physical=1 bandwidth=64M", CHANNELS);
	for (i = 0; i < CHANNELS; i++)
		queue(i, i * COPIES, COPIES);
	for (i = 0; i < CHANNELS; i++)
		ASSERT_OK(st_chan(i, SIMTEST_ISSUE));
	for (j = 1; j < COPIES; j++) {
		lowest = UINT32_MAX;
		highest = 0;
		for (i = 0; i < CHANNELS; i++) {
			unsigned int at = place(i * COPIES + j);

			lowest = at < lowest ? at : lowest;
			highest = at > highest ? at : highest;
		}
		/* A turn is two copies: each has had its own between. */
		EXPECT_LE(highest - lowest, CHANNELS * 2 + 6);
	}
}
