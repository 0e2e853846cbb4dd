// SPDX-License-Identifier: GPL-2.0-only
/* What is counted for each device, and that all memory is given back. */
#include <linux/delay.h>

#include "cases.h"
#include "rig.h"

static void expect_counts(struct kt *t, u64 maps, u64 syncs, u64 buffers, u64 unwatched,
			  u64 injected)
{
	const atomic64_t *count = san_of(t)->count;

	KT_EXPECT_EQ(t, maps, (u64)atomic64_read(&count[SAN_COUNT_MAPS]));
	KT_EXPECT_EQ(t, syncs, (u64)atomic64_read(&count[SAN_COUNT_SYNCS]));
	KT_EXPECT_EQ(t, buffers, (u64)atomic64_read(&count[SAN_COUNT_BUFFERS]));
	KT_EXPECT_EQ(t, unwatched, (u64)atomic64_read(&count[SAN_COUNT_UNSHADOWED]));
	KT_EXPECT_EQ(t, injected, (u64)atomic64_read(&count[SAN_COUNT_INJECTED]));
}

static void use_buffer(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr;
	void *vaddr = dma_alloc_coherent(dev, SIZE, &addr, GFP_KERNEL);

	if (KT_EXPECT(t, vaddr, "no memory"))
		dma_free_coherent(dev, SIZE, vaddr, addr);
}

static void use_mapping(struct kt *t, size_t size)
{
	dma_addr_t addr = map(t, rig_of(t)->page, size, DMA_TO_DEVICE);

	unmap(t, addr, size, DMA_TO_DEVICE);
}

void counters(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr;

	unbind(t);
	bind(t);
	expect_counts(t, 0, 0, 0, 0, 0);
	addr = map(t, rig_of(t)->page, SIZE, DMA_BIDIRECTIONAL);
	/* The rig's raw calls: the kernel may leave out syncs by itself. */
	raw_for_cpu(t, addr, SIZE, DMA_BIDIRECTIONAL);
	raw_for_device(t, addr, SIZE, DMA_BIDIRECTIONAL);
	unmap(t, addr, SIZE, DMA_BIDIRECTIONAL);
	expect_counts(t, 1, 2, 0, 0, 0);
	use_buffer(t);
	expect_counts(t, 1, 2, 1, 0, 0);
	set_parameter(t, "map_max_kb", "0");
	use_mapping(t, SIZE);
	expect_counts(t, 2, 2, 1, 1, 0);
	set_parameter(t, "memory_kb", "0");
	use_buffer(t);
	expect_counts(t, 2, 2, 2, 2, 0);
	set_parameter(t, "fail_every", "1");
	KT_EXPECT(t, !dma_alloc_coherent(dev, SIZE, &addr, GFP_KERNEL), "not refused");
	expect_counts(t, 2, 2, 2, 2, 1);
	expect_silence(t);
}

static void expect_held(struct kt *t, size_t held)
{
	int i;

	/* Buffers are given back by and by. */
	for (i = 0; i < 100 && READ_ONCE(san_of(t)->held) != held; i++)
		msleep(20);
	KT_EXPECT_EQ(t, held, READ_ONCE(san_of(t)->held));
}

void all_given_back(struct kt *t)
{
	int i;

	unbind(t);
	bind(t);
	for (i = 0; i < 50; i++) {
		use_mapping(t, 1 + i * 80);
		use_buffer(t);
	}
	KT_EXPECT(t, san_of(t)->quarantined, "nothing is in quarantine");
	KT_EXPECT(t, READ_ONCE(san_of(t)->held) >= san_of(t)->quarantined, "not counted");
	/* The next one lets go of what is too much, and of what is kept. */
	set_parameter(t, "quarantine_kb", "0");
	set_parameter(t, "memory_kb", "0");
	use_buffer(t);
	use_mapping(t, 1);
	KT_EXPECT_EQ(t, 0, san_of(t)->quarantined);
	expect_held(t, 0);
	expect_silence(t);
}
