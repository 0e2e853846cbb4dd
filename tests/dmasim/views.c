// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmasim: memory as the controller sees it.
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

static void start(const char *options)
{
	sim_start(SIM, options);
	ASSERT_OK(st_request(0, sim_channel(SIM, 0)));
}

static void copy(uint64_t dst, uint64_t src, size_t len, unsigned int result, unsigned int left)
{
	ASSERT_OK(st_prep_copy(0, 0, dst, src, len));
	st_run(0, 0, result, left);
}

/* The latest record in the file "faults" says so. */
static void expect_fault(const char *what, uint64_t addr, const char *why)
{
	char *faults = sim_debug(SIM, "faults"), *last = strrchr(faults, '\n');
	char expected[128];

	snprintf(expected, sizeof(expected), "channel 0 %s %#llx %s", what,
		 (unsigned long long)addr, why);
	last = last ? last + 1 : faults;
	ASSERT_TRUE(strchr(last, ' '));
	EXPECT_STREQ(expected, strchr(last, ' ') + 1);
	free(faults);
}

static long long mappings(const char *key)
{
	return sim_debug_number(SIM, "mappings", key);
}

/* ---- behind an IOMMU ---- */

TEST_F(dmasim, iommu_copy)
{
	uint64_t src, dst;

	start("view=iommu");
	src = st_buffer(0, 0, 70000, TO_DEVICE, 1);
	dst = st_buffer(1, 0, 70000, FROM_DEVICE, 2);
	EXPECT_EQ(2, mappings("live: "));
	EXPECT_EQ(140000, mappings("live_bytes: "));
	copy(dst, src, 70000, NO_ERROR, 0);
	ASSERT_OK(st_unmap(1));
	st_expect(1, 70000, 1);
	EXPECT_EQ(1, mappings("live: "));
	EXPECT_EQ(0, mappings("denied: "));
	EXPECT_EQ(0, mappings("unmapped: "));
}

TEST_F(dmasim, iommu_unmapped)
{
	uint64_t src, dst;

	start("view=iommu");
	src = st_buffer(0, 0, 4096, TO_DEVICE, 1);
	dst = st_buffer(1, 0, 4096, FROM_DEVICE, 2);
	copy(dst, 0x123000, 64, READ_FAILED, 64);
	expect_fault("read", 0x123000, "unmapped");
	copy(0x456000, src, 64, WRITE_FAILED, 64);
	expect_fault("write", 0x456000, "unmapped");
	EXPECT_EQ(2, mappings("unmapped: "));
	EXPECT_EQ(2, sim_debug_number(SIM, "channel/0", "failed: "));
	copy(dst, src, 64, NO_ERROR, 0);
}

TEST_F(dmasim, iommu_after_unmap)
{
	uint64_t src, dst;

	start("view=iommu");
	src = st_buffer(0, 0, 4096, TO_DEVICE, 1);
	dst = st_buffer(1, 0, 4096, FROM_DEVICE, 2);
	copy(dst, src, 4096, NO_ERROR, 0);
	ASSERT_OK(st_unmap(1));
	st_fill(1, 4096, 3);
	copy(dst, src, 4096, WRITE_FAILED, 4096);
	expect_fault("write", dst, "unmapped");
	st_expect(1, 4096, 3);
	ASSERT_OK(st_unmap(0));
	copy(dst, src, 4096, READ_FAILED, 4096);
	expect_fault("read", src, "unmapped");
}

TEST_F(dmasim, iommu_direction)
{
	uint64_t src, dst;

	start("view=iommu");
	src = st_buffer(0, 0, 4096, TO_DEVICE, 1);
	dst = st_buffer(1, 0, 4096, FROM_DEVICE, 2);
	copy(src, src, 64, WRITE_FAILED, 64);
	expect_fault("write", src, "denied");
	copy(dst, dst, 64, READ_FAILED, 64);
	expect_fault("read", dst, "denied");
	EXPECT_EQ(2, mappings("denied: "));
	st_expect(0, 4096, 1);
}

/* What lies before the end is moved; nothing behind it. */
TEST_F(dmasim, iommu_past_the_end)
{
	uint64_t src, dst;

	start("view=iommu");
	src = st_buffer(0, 0, 8192, TO_DEVICE, 1);
	ASSERT_OK(st_alloc(1, 8192));
	st_zero(1, 0, 8192);
	ASSERT_OK(st_map(1, 0, FROM_DEVICE, 0, 4000, &dst));
	copy(dst, src, 4096, WRITE_FAILED, 96);
	expect_fault("write", dst + 4000, "unmapped");
	ASSERT_OK(st_unmap(1));
	st_expect(1, 4000, 1);
	{
		uint8_t behind[96], zero[96] = { 0 };

		st_read(1, 4000, behind, sizeof(behind));
		EXPECT_MEMEQ(zero, behind, sizeof(behind));
	}
}

/* A slave's memory, too: into memory is a write, out of it a read. */
TEST_F(dmasim, iommu_slave)
{
	uint64_t src;

	sim_peripheral(SIM, "p", "line=1");
	start("view=iommu");
	ASSERT_OK(st_fifo(0, 0xd0001000, 4, 4));
	src = st_buffer(0, 0, 4096, TO_DEVICE, 1);
	ASSERT_OK(st_prep_slave(0, 0, MEM_TO_DEV, src, 64));
	st_run(0, 0, NO_ERROR, 0);
	ASSERT_OK(st_prep_slave(1, 0, DEV_TO_MEM, src, 64));
	st_run(1, 0, WRITE_FAILED, 64);
	expect_fault("write", src, "denied");
	ASSERT_OK(st_prep_slave(2, 0, MEM_TO_DEV, 0x1000, 64));
	st_run(2, 0, READ_FAILED, 64);
	expect_fault("read", 0x1000, "unmapped");
}

TEST_F(dmasim, iommu_map_fails)
{
	uint64_t addr;

	start("view=iommu");
	ASSERT_OK(st_alloc(0, 4096));
	ASSERT_OK(sim_set(SIM, "inject", "map nth=2"));
	ASSERT_OK(st_map(0, 0, TO_DEVICE, 0, 4096, &addr));
	ASSERT_OK(st_unmap(0));
	EXPECT_ERRNO(ENOMEM, st_map(0, 0, TO_DEVICE, 0, 4096, &addr));
	EXPECT_OK(st_map(0, 0, TO_DEVICE, 0, 4096, &addr));
	EXPECT_EQ(1, mappings("refused: "));
}

/* ---- beside a cache ---- */

TEST_F(dmasim, forgotten_sync_for_device)
{
	uint64_t src, dst;

	start("view=noncoherent");
	src = st_buffer(0, 0, 8192, TO_DEVICE, 1);
	ASSERT_OK(st_alloc(1, 8192));
	for (unsigned int i = 2; i < 7; i++) {
		st_fill(0, 8192, i);
		ASSERT_OK(st_map(1, 0, FROM_DEVICE, 0, 8192, &dst));
		copy(dst, src, 8192, NO_ERROR, 0);
		ASSERT_OK(st_unmap(1));
		st_expect(1, 8192, i - 1);
		ASSERT_OK(st_sync(0, SIMTEST_SYNC_DEVICE, 0, 8192));
		ASSERT_OK(st_map(1, 0, FROM_DEVICE, 0, 8192, &dst));
		copy(dst, src, 8192, NO_ERROR, 0);
		ASSERT_OK(st_unmap(1));
		st_expect(1, 8192, i);
	}
}

TEST_F(dmasim, forgotten_sync_for_cpu)
{
	uint64_t src, dst;

	start("view=noncoherent");
	src = st_buffer(0, 0, 8192, TO_DEVICE, 1);
	dst = st_buffer(1, 0, 8192, FROM_DEVICE, 2);
	for (unsigned int i = 0; i < 5; i++) {
		copy(dst, src, 8192, NO_ERROR, 0);
		st_expect(1, 8192, 2);
	}
	ASSERT_OK(st_sync(1, SIMTEST_SYNC_CPU, 0, 8192));
	st_expect(1, 8192, 1);
}

/* Only the lines that were named. */
TEST_F(dmasim, partial_sync)
{
	uint8_t old[1024], new[1024], seen[1024];
	uint64_t src, dst;

	start("view=noncoherent");
	src = st_buffer(0, 0, 1024, TO_DEVICE, 1);
	dst = st_buffer(1, 0, 1024, FROM_DEVICE, 2);
	copy(dst, src, 1024, NO_ERROR, 0);
	ASSERT_OK(st_sync(1, SIMTEST_SYNC_CPU, 256, 128));
	st_pattern(old, sizeof(old), 2);
	st_pattern(new, sizeof(new), 1);
	st_read(1, 0, seen, sizeof(seen));
	EXPECT_MEMEQ(old, seen, 256);
	EXPECT_MEMEQ(new + 256, seen + 256, 128);
	EXPECT_MEMEQ(old + 384, seen + 384, 1024 - 384);
}

/*
 * The last line of a mapping is shared with a neighbour, who writes into it.
 * With small enough lines, it is not.
 */
static void share_line(const char *line_size, bool lost)
{
	uint8_t seen[96], expected[96], neighbour = 0x5a;
	char options[64];
	uint64_t src, dst;

	snprintf(options, sizeof(options), "view=noncoherent line_size=%s", line_size);
	start(options);
	src = st_buffer(0, 0, 4096, TO_DEVICE, 1);
	ASSERT_OK(st_alloc(1, 4096));
	st_fill(1, 4096, 2);
	ASSERT_OK(st_map(1, 0, FROM_DEVICE, 0, 96, &dst));
	copy(dst, src, 96, NO_ERROR, 0);
	st_write(1, 100, &neighbour, 1);
	ASSERT_OK(st_unmap(1));
	st_pattern(expected, sizeof(expected), 1);
	st_read(1, 0, seen, sizeof(seen));
	EXPECT_MEMEQ(expected, seen, 64);
	if (lost)
		EXPECT_NE(0, memcmp(expected + 64, seen + 64, 32));
	else
		EXPECT_MEMEQ(expected + 64, seen + 64, 32);
	EXPECT_EQ(lost, mappings("shared_lines: "));
	st_read(1, 100, seen, 1);
	EXPECT_EQ(neighbour, seen[0]);
}

TEST_F(dmasim, shared_line_of_64)
{
	share_line("64", true);
}

TEST_F(dmasim, lines_of_32)
{
	share_line("32", false);
}

TEST_F(dmasim, lines_of_4)
{
	share_line("4", false);
}

TEST_F(dmasim, coherent_memory)
{
	static const char *const views[] = { "flat", "iommu", "noncoherent" };
	uint64_t src, dst;

	for (unsigned int i = 0; i < 3; i++) {
		printf("%s\n", views[i]);
		ASSERT_OK(sim_set(SIM, "live", "0"));
		ASSERT_OK(sim_set(SIM, "view", views[i]));
		start("");
		ASSERT_OK(st_coherent(0, 0, 10000, &src));
		ASSERT_OK(st_coherent(1, 0, 10000, &dst));
		for (unsigned int seed = 1; seed < 4; seed++) {
			st_fill(0, 10000, seed);
			copy(dst, src, 10000, NO_ERROR, 0);
			st_expect(1, 10000, seed);
		}
		ASSERT_OK(st_unmap(0));
		ASSERT_OK(st_unmap(1));
		ASSERT_OK(st_chan(0, SIMTEST_RELEASE));
	}
}
