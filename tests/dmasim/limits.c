// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmasim: what a channel refuses, by its options; and what it says of its
 * progress.
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

static long long refusals(const char *why)
{
	return sim_debug_number(SIM, "refusals", why);
}

/* One more refusal of that kind than @before, and of the channel's. */
static void expect_refused(const char *why, long long before)
{
	EXPECT_EQ(before + 1, refusals(why));
}

static void refuse_copy(uint64_t dst, uint64_t src, size_t len, const char *why)
{
	long long before = refusals(why);

	printf("%#llx %#llx %zu\n", (unsigned long long)dst, (unsigned long long)src, len);
	EXPECT_ERRNO(EREMOTEIO, st_prep_copy(0, 0, dst, src, len));
	expect_refused(why, before);
}

TEST_F(dmasim, segment)
{
	uint64_t src, dst;

	sim_start(SIM, "max_segment=4096");
	ASSERT_OK(st_request(0, sim_channel(SIM, 0)));
	src = st_buffer(0, 0, 8192, TO_DEVICE, 1);
	dst = st_buffer(1, 0, 8192, FROM_DEVICE, 2);
	refuse_copy(dst, src, 4097, "segment: ");
	refuse_copy(dst, src, 0, "length: ");
	ASSERT_OK(st_prep_copy(0, 0, dst, src, 4096));
	st_run(0, 0, NO_ERROR, 0);
	ASSERT_OK(st_unmap(1));
	st_expect(1, 4096, 1);
	EXPECT_EQ(2, sim_debug_number(SIM, "channel/0", "refused: "));
}

TEST_F(dmasim, alignment)
{
	uint64_t src, dst;

	sim_start(SIM, "align=16");
	ASSERT_OK(st_request(0, sim_channel(SIM, 0)));
	src = st_buffer(0, 0, 4096, TO_DEVICE, 1);
	dst = st_buffer(1, 0, 4096, FROM_DEVICE, 2);
	refuse_copy(dst + 8, src, 64, "alignment: ");
	refuse_copy(dst, src + 1, 64, "alignment: ");
	refuse_copy(dst, src, 72, "alignment: ");
	ASSERT_OK(st_prep_copy(0, 0, dst, src + 16, 48));
	st_run(0, 0, NO_ERROR, 0);
}

TEST_F(dmasim, directions)
{
	struct simtest_config config = { .direction = MEM_TO_DEV };
	uint64_t mem;
	long long before;

	sim_peripheral(SIM, "p", "line=1");
	sim_start(SIM, "directions=dev_to_mem");
	ASSERT_OK(st_request(0, sim_channel(SIM, 0)));
	mem = st_buffer(0, 0, 4096, BIDIRECTIONAL, 1);
	before = refusals("direction: ");
	EXPECT_ERRNO(EINVAL, st_config(&config));
	expect_refused("direction: ", before);
	ASSERT_OK(st_fifo(0, FIFO(1), 4, 4));
	EXPECT_ERRNO(EREMOTEIO, st_prep_slave(0, 0, MEM_TO_DEV, mem, 64));
	expect_refused("direction: ", before + 1);
	EXPECT_ERRNO(EREMOTEIO, st_prep_slave(0, 0, DEV_TO_DEV, mem, 64));
	expect_refused("direction: ", before + 2);
	EXPECT_OK(st_prep_slave(0, 0, DEV_TO_MEM, mem, 64));
}

TEST_F(dmasim, slave_lengths)
{
	long long before;
	uint64_t mem;

	sim_peripheral(SIM, "p", "line=1");
	sim_start(SIM, "");
	ASSERT_OK(st_request(0, sim_channel(SIM, 0)));
	mem = st_buffer(0, 0, 4096, BIDIRECTIONAL, 1);
	before = refusals("config: ");
	EXPECT_ERRNO(EREMOTEIO, st_prep_slave(0, 0, MEM_TO_DEV, mem, 64));
	expect_refused("config: ", before);
	ASSERT_OK(st_fifo(0, FIFO(1), 4, 4));
	before = refusals("width: ");
	EXPECT_ERRNO(EREMOTEIO, st_prep_slave(0, 0, MEM_TO_DEV, mem, 66));
	expect_refused("width: ", before);
	EXPECT_ERRNO(EREMOTEIO, st_prep_cyclic(0, 0, MEM_TO_DEV, mem, 132, 66));
	expect_refused("width: ", before + 1);
	before = refusals("length: ");
	EXPECT_ERRNO(EREMOTEIO, st_prep_cyclic(0, 0, MEM_TO_DEV, mem, 100, 64));
	expect_refused("length: ", before);
	EXPECT_OK(st_prep_slave(0, 0, MEM_TO_DEV, mem, 64));
	EXPECT_OK(st_prep_cyclic(1, 0, MEM_TO_DEV, mem, 128, 64));
}

TEST_F(dmasim, descriptors)
{
	long long before;
	uint64_t src, dst;
	unsigned int i;

	sim_start(SIM, "descriptors=4");
	ASSERT_OK(st_request(0, sim_channel(SIM, 0)));
	ASSERT_OK(st_request(1, sim_channel(SIM, 1)));
	src = st_buffer(0, 0, 4096, TO_DEVICE, 1);
	dst = st_buffer(1, 0, 4096, FROM_DEVICE, 2);
	before = refusals("pool: ");
	for (i = 0; i < 4; i++)
		ASSERT_OK(st_prep_copy(i, 0, dst, src, 64));
	EXPECT_ERRNO(EREMOTEIO, st_prep_copy(4, 0, dst, src, 64));
	expect_refused("pool: ", before);
	/* Another channel has its own. */
	EXPECT_OK(st_prep_copy(5, 1, dst, src, 64));
	for (i = 0; i < 4; i++)
		st_run(i, 0, NO_ERROR, 0);
	ASSERT_OK(st_chan(0, SIMTEST_TERMINATE));
	for (i = 0; i < 4; i++)
		EXPECT_OK(st_prep_copy(i, 0, dst, src, 64));
	EXPECT_ERRNO(EREMOTEIO, st_prep_copy(4, 0, dst, src, 64));
}

/* An address above the mask is none that the controller reaches. */
TEST_F(dmasim, dma_bits)
{
	uint64_t dst;
	char *faults;

	sim_start(SIM, "dma_bits=32");
	ASSERT_OK(st_request(0, sim_channel(SIM, 0)));
	dst = st_buffer(1, 0, 4096, FROM_DEVICE, 2);
	ASSERT_OK(st_prep_copy(0, 0, dst, 0x100000000, 64));
	st_run(0, 0, READ_FAILED, 64);
	faults = sim_debug(SIM, "faults");
	EXPECT_TRUE(strstr(faults, "channel 0 read 0x100000000 no-memory"));
	free(faults);
}

/* Memory that a wide controller reaches and a narrow one does not. */
TEST_F(dmasim, narrow)
{
	uint64_t src, dst;
	unsigned int i;

	ASSERT_OK(sim_set(SIM, "dma_bits", "24"));
	if (sim_set(SIM, "live", "1")) {
		EXPECT_EQ(EIO, errno);
		SKIP("24 bits are too few for this kernel");
	}
	ASSERT_OK(sim_make("wide"));
	sim_start("wide", "");
	ASSERT_OK(st_request(0, sim_channel(SIM, 0)));
	ASSERT_OK(st_request(1, sim_channel("wide", 0)));
	dst = st_buffer(0, 1, 4096, BIDIRECTIONAL, 1);
	for (i = 1; i < 32; i++) {
		src = st_buffer(i, 1, 4096, BIDIRECTIONAL, i);
		if (src >> 24 && dst >> 24)
			break;
	}
	ASSERT_LT(i, 32);
	ASSERT_OK(st_prep_copy(0, 1, dst, src, 64));
	st_run(0, 1, NO_ERROR, 0);
	ASSERT_OK(st_prep_copy(1, 0, dst, src, 64));
	st_run(1, 0, READ_FAILED, 64);
	st_close();
	EXPECT_OK(sim_drop("wide"));
}

/* ---- configuration ---- */

TEST_F(dmasim, config)
{
	static const struct simtest_config bad[] = {
		{ .device_fc = 1 }, { .peripheral_size = 4 },
		{ .direction = DEV_TO_DEV }, { .direction = 77 },
		{ .src_width = 3 }, { .dst_width = 3 }, { .src_width = 8 }, { .dst_width = 64 },
		{ .src_burst = 17 }, { .dst_burst = 17 }, { .src_window = 4097 },
		{ .dst_window = 4097 }, { .src_addr = 0xd0000004 }, { .dst_addr = 0x1000 },
		{ .src_addr = 0xd0001000, .src_width = 4, .src_burst = 9 },
		{ .dst_addr = 0xd0001000, .dst_width = 4, .dst_burst = 9 },
	};
	static const struct simtest_config good[] = {
		{ .direction = MEM_TO_DEV }, { .direction = DEV_TO_MEM },
		{ .src_width = 1, .dst_width = 4 }, { .src_burst = 16, .dst_burst = 16 },
		{ .src_window = 4096 }, { .dst_window = 4096 },
		{ .src_addr = 0xd0001000, .src_width = 4, .src_burst = 8 },
		{ .dst_addr = 0xd0001000, .dst_width = 4, .dst_burst = 8 },
	};
	size_t i;

	sim_peripheral(SIM, "p", "line=1 depth=32");
	sim_start(SIM, "max_burst=16 widths=1,2,4");
	ASSERT_OK(st_request(0, sim_channel(SIM, 0)));
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		printf("good %zu\n", i);
		EXPECT_OK(st_config(&good[i]));
	}
	/* The latest good one stays what it is. */
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		printf("bad %zu\n", i);
		EXPECT_ERRNO(EINVAL, st_config(&bad[i]));
		EXPECT_OK(st_prep_slave(0, 0, MEM_TO_DEV, 0x1000, 64));
		EXPECT_ERRNO(EREMOTEIO, st_prep_slave(0, 0, DEV_TO_MEM, 0x1000, 64));
	}
	EXPECT_EQ(4, refusals("burst: ") - 2);
	EXPECT_EQ(4, refusals("width: "));
	EXPECT_EQ(2, refusals("direction: "));
}

/* ---- progress ---- */

/* A transfer of 4 * 48 bytes into a FIFO that has taken 64 of them. */
static unsigned int stalled_residue(const char *residue)
{
	struct simtest_prep prep = {
		.kind = SIMTEST_SLAVE, .dir = MEM_TO_DEV, .len = 48, .step = 64, .count = 4,
		.flags = PREP_FLAGS, .log = SIMTEST_NONE,
	};
	struct simtest_tx now;
	unsigned int i;

	sim_peripheral(SIM, "p", "line=1 depth=64");
	ASSERT_OK(sim_set(SIM, "residue", residue));
	sim_start(SIM, "");
	ASSERT_OK(st_request(0, sim_channel(SIM, 0)));
	ASSERT_OK(st_fifo(0, FIFO(1), 4, 4));
	prep.src = st_buffer(0, 0, 4096, TO_DEVICE, 1);
	ASSERT_OK(st_prep(&prep));
	ASSERT_OK(st_submit(0));
	st_status(0, &now);
	EXPECT_EQ(192, now.residue);
	ASSERT_OK(st_chan(0, SIMTEST_ISSUE));
	for (i = 0; i < sim_ms(200) && sim_debug_number(SIM, "channel/0", "bytes: ") < 64; i++)
		sim_sleep_ms(10);
	EXPECT_EQ(64, sim_debug_number(SIM, "channel/0", "bytes: "));
	st_status(0, &now);
	EXPECT_EQ(IN_PROGRESS, now.status);
	EXPECT_EQ(0, now.calls);
	return now.residue;
}

TEST_F(dmasim, residue_by_burst)
{
	EXPECT_EQ(192 - 64, stalled_residue("burst"));
}

TEST_F(dmasim, residue_by_segment)
{
	EXPECT_EQ(192 - 48, stalled_residue("segment"));
}

TEST_F(dmasim, residue_by_descriptor)
{
	EXPECT_EQ(192, stalled_residue("descriptor"));
}
