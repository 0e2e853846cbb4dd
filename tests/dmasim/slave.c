// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmasim: its peripherals, who gets them, and their pace.
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

#define FIFO(line)	(0xd0000000ULL + (line) * 0x1000)

/* The number behind a word in the line of the only peripheral. */
static long long fifo(const char *key)
{
	return sim_debug_number(SIM, "peripherals", key);
}

/* A controller with this peripheral on line 1, and channel 0, set up for it. */
static void start(const char *peripheral, unsigned int width, unsigned int burst)
{
	printf("%s, %u * %u\n", peripheral, width, burst);
	sim_peripheral(SIM, "p", peripheral);
	ASSERT_OK(sim_set(SIM, "peripherals/p/line", "1"));
	sim_start(SIM, "");
	ASSERT_OK(st_request(0, sim_channel(SIM, 0)));
	ASSERT_OK(st_fifo(0, FIFO(1), width, burst));
}

/* And channel 1, too. */
static void start_pair(const char *peripheral, unsigned int width, unsigned int burst)
{
	start(peripheral, width, burst);
	ASSERT_OK(st_request(1, sim_channel(SIM, 1)));
	ASSERT_OK(st_fifo(1, FIFO(1), width, burst));
}

/* ---- loopback ---- */

static uint64_t loop_back(const char *peripheral, unsigned int width, unsigned int burst,
			  size_t len)
{
	struct simtest_tx end;
	uint64_t src, dst, begin;

	start_pair(peripheral, width, burst);
	src = st_buffer(0, 0, len, TO_DEVICE, 7);
	dst = st_buffer(1, 1, len, FROM_DEVICE, 8);
	ASSERT_OK(st_prep_slave(0, 0, MEM_TO_DEV, src, len));
	ASSERT_OK(st_prep_slave(1, 1, DEV_TO_MEM, dst, len));
	begin = sim_now_ns();
	ASSERT_OK(st_go(1, 1));
	ASSERT_OK(st_go(0, 0));
	ASSERT_OK(st_wait(0, 1, &end));
	EXPECT_EQ(NO_ERROR, end.result);
	ASSERT_OK(st_wait(1, 1, &end));
	EXPECT_EQ(NO_ERROR, end.result);
	EXPECT_EQ(0, end.residue);
	ASSERT_OK(st_unmap(1));
	st_expect(1, len, 7);
	EXPECT_EQ(len, fifo(" in "));
	EXPECT_EQ(len, fifo(" out "));
	EXPECT_EQ(0, fifo(" level "));
	return end.last_ns - begin;
}

TEST_F(dmasim, loopback)
{
	loop_back("depth=4096", 4, 4, 65536);
}

TEST_F(dmasim, loopback_of_one_byte)
{
	loop_back("depth=1", 1, 1, 1000);
}

TEST_F(dmasim, loopback_that_no_burst_divides)
{
	loop_back("depth=1000", 8, 3, 65544);
}

TEST_F(dmasim, loopback_of_one_burst)
{
	loop_back("depth=64", 4, 16, 16384);
}

/* Tiny bursts at 115200 baud; not faster than that. */
TEST_F(dmasim, uart)
{
	uint64_t ns = loop_back("depth=16 rate=11520", 1, 1, 2000);

	EXPECT_GE(ns, (2000ULL - 16) * 1000000000 / 11520 * 9 / 10);
}

/* What is empty asks for nothing; each burst moves one by one. */
TEST_F(dmasim, request_line)
{
	struct simtest_tx now;
	uint64_t src, dst;
	unsigned int i;

	start_pair("depth=64", 4, 4);
	src = st_buffer(0, 0, 4096, TO_DEVICE, 7);
	dst = st_buffer(1, 1, 4096, FROM_DEVICE, 8);
	ASSERT_OK(st_prep_slave(9, 1, DEV_TO_MEM, dst, 64));
	ASSERT_OK(st_go(9, 1));
	for (i = 0; i < 4; i++) {
		EXPECT_ERRNO(ETIME, st_wait_ms(9, 1, sim_ms(50), &now));
		st_status(9, &now);
		EXPECT_EQ(IN_PROGRESS, now.status);
		EXPECT_EQ(64 - 16 * i, now.residue);
		EXPECT_EQ(16 * i, sim_debug_number(SIM, "channel/1", "bytes: "));
		ASSERT_OK(st_prep_slave(i, 0, MEM_TO_DEV, src + 16 * i, 16));
		st_run(i, 0, NO_ERROR, 0);
	}
	ASSERT_OK(st_wait(9, 1, &now));
	EXPECT_EQ(NO_ERROR, now.result);
	ASSERT_OK(st_unmap(1));
	st_expect(1, 64, 7);
}

/* A sink has nothing to give. */
TEST_F(dmasim, wrong_way)
{
	struct simtest_tx now;
	uint64_t dst;

	start("kind=sink", 4, 4);
	dst = st_buffer(1, 0, 4096, FROM_DEVICE, 8);
	ASSERT_OK(st_prep_slave(0, 0, DEV_TO_MEM, dst, 64));
	ASSERT_OK(st_go(0, 0));
	EXPECT_ERRNO(ETIME, st_wait_ms(0, 1, sim_ms(100), &now));
	st_status(0, &now);
	EXPECT_EQ(64, now.residue);
	ASSERT_OK(st_chan(0, SIMTEST_TERMINATE));
	ASSERT_OK(st_unmap(1));
	st_expect(1, 4096, 8);
}

/* ---- sources ---- */

/* What the source's next @len bytes are, in @data. */
static void fetch(void *data, size_t len)
{
	uint64_t dst;

	ASSERT_OK(st_alloc(1, len));
	ASSERT_OK(st_map(1, 0, FROM_DEVICE, 0, len, &dst));
	ASSERT_OK(st_prep_slave(0, 0, DEV_TO_MEM, dst, len));
	st_run(0, 0, NO_ERROR, 0);
	ASSERT_OK(st_unmap(1));
	st_read(1, 0, data, len);
}

TEST_F(dmasim, counter8)
{
	static uint8_t data[10000];

	start("kind=source", 1, 8);
	fetch(data, sizeof(data));
	for (size_t i = 0; i < sizeof(data); i++)
		ASSERT_EQ((uint8_t)i, data[i]);
}

TEST_F(dmasim, counter16)
{
	static uint16_t data[70000];

	start("kind=source pattern=counter16 depth=100", 2, 8);
	fetch(data, sizeof(data));
	for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++)
		ASSERT_EQ((uint16_t)i, data[i]);
}

TEST_F(dmasim, counter32)
{
	static uint32_t data[70000];

	start("kind=source pattern=counter32 depth=64", 4, 16);
	fetch(data, sizeof(data));
	for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++)
		ASSERT_EQ(i, data[i]);
}

TEST_F(dmasim, values)
{
	static const char values[] = "seven b";
	static char data[1000];

	sim_peripheral(SIM, "p", "kind=source pattern=values line=1");
	ASSERT_OK(sim_set(SIM, "peripherals/p/values", values));
	EXPECT_STREQ(values, sim_get(SIM, "peripherals/p/values"));
	sim_start(SIM, "");
	EXPECT_STREQ(values, sim_get(SIM, "peripherals/p/values"));
	ASSERT_OK(st_request(0, sim_channel(SIM, 0)));
	ASSERT_OK(st_fifo(0, FIFO(1), 1, 8));
	fetch(data, sizeof(data));
	for (size_t i = 0; i < sizeof(data); i++)
		ASSERT_EQ(values[i % 7], data[i]);
}

/* How long 20000 bytes take. */
static uint64_t pace(const char *rate)
{
	struct simtest_tx end;
	uint64_t begin, dst;

	ASSERT_OK(sim_set(SIM, "live", "0"));
	ASSERT_OK(sim_set(SIM, "peripherals/p/rate", rate));
	sim_start(SIM, "");
	ASSERT_OK(st_request(0, sim_channel(SIM, 0)));
	ASSERT_OK(st_fifo(0, FIFO(1), 1, 8));
	ASSERT_OK(st_map(1, 0, FROM_DEVICE, 0, 20000, &dst));
	ASSERT_OK(st_prep_slave(0, 0, DEV_TO_MEM, dst, 20000));
	begin = sim_now_ns();
	ASSERT_OK(st_go(0, 0));
	ASSERT_OK(st_wait(0, 1, &end));
	ASSERT_OK(st_unmap(1));
	ASSERT_OK(st_chan(0, SIMTEST_RELEASE));
	return end.last_ns - begin;
}

TEST_F(dmasim, rate)
{
	uint64_t slow, fast;

	sim_peripheral(SIM, "p", "kind=source line=1 depth=20000");
	ASSERT_OK(st_alloc(1, 20000));
	slow = pace("20000");
	fast = pace("80000");
	printf("%llu ns, %llu ns\n", (unsigned long long)slow, (unsigned long long)fast);
	EXPECT_GE(slow, 990000000ULL);
	EXPECT_GE(fast, 247000000ULL);
	EXPECT_GE(slow, fast * 2);
	EXPECT_LE(slow, 1000000ULL * sim_ms(5000));
}

/* What is not fetched in time is lost, the oldest first, and counted. */
TEST_F(dmasim, overrun)
{
	uint32_t data[32];
	uint64_t dst;

	start("kind=source pattern=counter32 depth=256 rate=10000", 4, 4);
	ASSERT_OK(st_alloc(1, 4096));
	ASSERT_OK(st_map(1, 0, FROM_DEVICE, 0, sizeof(data), &dst));
	ASSERT_OK(st_prep_slave(0, 0, DEV_TO_MEM, dst, 64));
	st_run(0, 0, NO_ERROR, 0);
	sim_sleep_ms(100);
	EXPECT_GE(fifo(" overruns "), 600);
	EXPECT_EQ(256, fifo(" level "));
	ASSERT_OK(st_prep_slave(1, 0, DEV_TO_MEM, dst + 64, 64));
	st_run(1, 0, NO_ERROR, 0);
	ASSERT_OK(st_unmap(1));
	st_read(1, 0, data, sizeof(data));
	EXPECT_EQ(0, data[0]);
	EXPECT_EQ(15, data[15]);
	EXPECT_GE(data[16], 150);
	EXPECT_EQ(128, fifo(" out "));
}

/* ---- sinks ---- */

/* CRC-32 as Ethernet and zip have it. */
static uint32_t crc32(uint32_t crc, const uint8_t *data, size_t len)
{
	crc = ~crc;
	while (len--) {
		crc ^= *data++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static uint32_t shown_crc(void)
{
	char *text = sim_debug(SIM, "peripherals"), *place = strstr(text, " crc ");
	uint32_t crc;

	ASSERT_TRUE(place);
	crc = strtoul(place + 5, NULL, 16);
	free(text);
	return crc;
}

TEST_F(dmasim, crc)
{
	static uint8_t data[30000];
	uint64_t src;

	EXPECT_EQ(0xcbf43926, crc32(0, (const uint8_t *)"123456789", 9));
	start("kind=sink depth=300", 1, 7);
	src = st_buffer(0, 0, sizeof(data), TO_DEVICE, 3);
	for (unsigned int i = 0; i < 3; i++) {
		ASSERT_OK(st_prep_slave(i, 0, MEM_TO_DEV, src + i * 10000, 10000));
		st_run(i, 0, NO_ERROR, 0);
	}
	st_pattern(data, sizeof(data), 3);
	EXPECT_EQ(sizeof(data), fifo(" in "));
	EXPECT_EQ(crc32(0, data, sizeof(data)), shown_crc());
}

/* ---- streams ---- */

/* 48 kHz, 16 bit: every sample is there, in its order, and not too early. */
TEST_F(dmasim, adc, .timeout = 60)
{
	enum { PERIOD = 960, RING = 64 * PERIOD, PERIODS = 50 };
	struct simtest_prep prep = {
		.kind = SIMTEST_CYCLIC, .dir = DEV_TO_MEM, .len = RING, .period = PERIOD,
		.flags = PREP_FLAGS, .from = 0, .log = 1,
	};
	static uint16_t samples[PERIODS * PERIOD / 2];
	struct simtest_tx now;
	uint64_t begin;

	start("kind=source pattern=counter16 rate=96000 depth=32768", 2, 8);
	prep.dst = st_buffer(0, 0, RING, FROM_DEVICE, 1);
	ASSERT_OK(st_alloc(1, sizeof(samples)));
	ASSERT_OK(st_prep(&prep));
	begin = sim_now_ns();
	ASSERT_OK(st_go(0, 0));
	ASSERT_OK(st_wait(0, PERIODS, &now));
	EXPECT_GE(now.last_ns - begin, PERIODS * 10000000ULL * 9 / 10);
	EXPECT_EQ(IN_PROGRESS, now.status);
	EXPECT_EQ(0, fifo(" overruns "));
	ASSERT_OK(st_chan(0, SIMTEST_TERMINATE));
	st_read(1, 0, samples, sizeof(samples));
	for (size_t i = 0; i < sizeof(samples) / 2; i++)
		ASSERT_EQ((uint16_t)i, samples[i]);
}

/* A ring that is played; what came out of it is the ring, again and again. */
TEST_F(dmasim, audio, .timeout = 60)
{
	enum { PERIOD = 1920, RING = 8 * PERIOD, PERIODS = 20 };
	static uint8_t ring[RING];
	struct simtest_tx now;
	uint64_t begin, src;
	long long in, at;
	uint32_t crc = 0;

	start("kind=sink rate=192000 depth=4096", 4, 4);
	src = st_buffer(0, 0, RING, TO_DEVICE, 5);
	st_pattern(ring, RING, 5);
	ASSERT_OK(st_prep_cyclic(0, 0, MEM_TO_DEV, src, RING, PERIOD));
	begin = sim_now_ns();
	ASSERT_OK(st_go(0, 0));
	ASSERT_OK(st_wait(0, PERIODS, &now));
	EXPECT_GE(now.last_ns - begin, 150000000ULL);
	ASSERT_OK(st_chan(0, SIMTEST_TERMINATE));
	in = fifo(" in ");
	EXPECT_GE(in, PERIODS * PERIOD);
	for (at = 0; at + RING <= in; at += RING)
		crc = crc32(crc, ring, RING);
	EXPECT_EQ(crc32(crc, ring, in - at), shown_crc());
	sim_sleep_ms(100);
	EXPECT_EQ(in, fifo(" in "));
}

/* ---- who gets them ---- */

TEST_F(dmasim, slave_map)
{
	struct simtest_caps tx, rx;
	char file[64];

	sim_peripheral(SIM, "p", "line=7 tx_client=simtest:tx rx_client=simtest:rx");
	sim_peripheral(SIM, "q", "line=9");
	sim_start(SIM, "");
	ASSERT_OK(st_request_as(0, "simtest", "tx"));
	ASSERT_OK(st_request_as(1, "simtest", "rx"));
	EXPECT_NE(0, st_request_as(2, "simtest", "no"));
	st_caps(0, &tx);
	st_caps(1, &rx);
	EXPECT_NE(tx.id, rx.id);
	snprintf(file, sizeof(file), "channel/%u", tx.id);
	EXPECT_EQ(7, sim_debug_number(SIM, file, "line: "));
	EXPECT_OK(st_fifo(0, FIFO(7), 4, 4));
	EXPECT_ERRNO(EINVAL, st_fifo(0, FIFO(9), 4, 4));
	ASSERT_OK(st_chan(0, SIMTEST_RELEASE));
	EXPECT_EQ(-1, sim_debug_number(SIM, file, "line: "));
	EXPECT_OK(st_request_as(0, "simtest", "tx"));
}

TEST_F(dmasim, by_channel)
{
	struct simtest_caps caps;

	sim_peripheral(SIM, "p", "line=5 tx_client=simtest:tx");
	sim_peripheral(SIM, "q", "line=6 tx_client=simtest:other");
	sim_peripheral(SIM, "r", "line=99 tx_client=simtest:none");
	sim_start(SIM, "translation=channel");
	ASSERT_OK(st_request_as(1, "simtest", "other"));
	ASSERT_OK(st_request_as(0, "simtest", "tx"));
	EXPECT_NE(0, st_request_as(2, "simtest", "none"));
	st_caps(0, &caps);
	EXPECT_EQ(5, caps.id);
	st_caps(1, &caps);
	EXPECT_EQ(6, caps.id);
	EXPECT_OK(st_fifo(0, FIFO(5), 4, 4));
	EXPECT_ERRNO(EINVAL, st_fifo(0, FIFO(6), 4, 4));
}
