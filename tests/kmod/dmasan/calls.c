// SPDX-License-Identifier: GPL-2.0-only
/* Calls of the DMA API that don't agree. */
#include <linux/log2.h>

#include "cases.h"
#include "rig.h"

static noinline void right_calls(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr = map(t, page, 1000, DMA_BIDIRECTIONAL);

	/* A part, in a direction that the mapping has. */
	dma_sync_single_range_for_cpu(dev, addr, 100, 50, DMA_FROM_DEVICE);
	dma_sync_single_range_for_device(dev, addr, 100, 50, DMA_TO_DEVICE);
	dma_sync_single_for_cpu(dev, addr, 1000, DMA_BIDIRECTIONAL);
	unmap(t, addr, 1000, DMA_BIDIRECTIONAL);
}

static noinline void wrong_double_unmap(struct kt *t)
{
	dma_addr_t addr = raw_map(t, rig_of(t)->page, SIZE, DMA_TO_DEVICE);

	raw_unmap(t, addr, SIZE, DMA_TO_DEVICE);
	raw_unmap(t, addr, SIZE, DMA_TO_DEVICE);
}

void double_unmap(struct kt *t)
{
	RUN_PAIR(t, "double-unmap", wrong_double_unmap, right_calls);
}

static noinline void wrong_address(struct kt *t)
{
	dma_addr_t addr = raw_map(t, rig_of(t)->page, SIZE, DMA_TO_DEVICE);

	raw_unmap(t, addr + 8, SIZE - 8, DMA_TO_DEVICE);
	expect_report(t, "bad-unmap", __func__);
	raw_unmap(t, addr, SIZE, DMA_TO_DEVICE);
	expect_silence(t);
	/* The memory's own address, which the device was never given. */
	raw_unmap(t, virt_to_phys(rig_of(t)->page), SIZE, DMA_TO_DEVICE);
}

void unmap_address(struct kt *t)
{
	RUN_PAIR(t, "bad-unmap", wrong_address, right_calls);
}

static noinline void wrong_size(struct kt *t)
{
	dma_addr_t addr = raw_map(t, rig_of(t)->page, 1000, DMA_TO_DEVICE);

	raw_unmap(t, addr, 999, DMA_TO_DEVICE);
}

void unmap_size(struct kt *t)
{
	RUN_PAIR(t, "wrong-size", wrong_size, right_calls);
}

static noinline void wrong_unmap_direction(struct kt *t)
{
	dma_addr_t addr = raw_map(t, rig_of(t)->page, 1000, DMA_FROM_DEVICE);

	raw_unmap(t, addr, 1000, DMA_BIDIRECTIONAL);
}

void unmap_direction(struct kt *t)
{
	RUN_PAIR(t, "wrong-direction", wrong_unmap_direction, right_calls);
}

/* Of two at the same address, it is the one with that size. */
static noinline void wrong_direction_of_two(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t one = raw_map(t, page, SIZE, DMA_TO_DEVICE);
	dma_addr_t two = raw_map(t, page, 100, DMA_TO_DEVICE);

	raw_unmap(t, one, SIZE, DMA_BIDIRECTIONAL);
	raw_unmap(t, two, 100, DMA_TO_DEVICE);
}

void unmap_direction_of_two(struct kt *t)
{
	/* Without blocks. */
	set_parameter(t, "map_max_kb", "0");
	RUN_PAIR(t, "wrong-direction", wrong_direction_of_two, right_calls);
}

static noinline void wrong_sync_direction(struct kt *t)
{
	dma_addr_t addr = raw_map(t, rig_of(t)->page, 1000, DMA_TO_DEVICE);

	raw_for_cpu(t, addr, 1000, DMA_FROM_DEVICE);
	raw_unmap(t, addr, 1000, DMA_TO_DEVICE);
}

void sync_direction(struct kt *t)
{
	RUN_PAIR(t, "wrong-direction", wrong_sync_direction, right_calls);
}

static noinline void wrong_sync_length(struct kt *t)
{
	dma_addr_t addr = raw_map(t, rig_of(t)->page, 1000, DMA_TO_DEVICE);

	raw_for_cpu(t, addr + 500, 501, DMA_TO_DEVICE);
	raw_unmap(t, addr, 1000, DMA_TO_DEVICE);
}

void sync_length(struct kt *t)
{
	RUN_PAIR(t, "bad-sync", wrong_sync_length, right_calls);
}

static noinline void wrong_late_sync(struct kt *t)
{
	dma_addr_t addr = raw_map(t, rig_of(t)->page, 1000, DMA_TO_DEVICE);

	raw_unmap(t, addr, 1000, DMA_TO_DEVICE);
	raw_for_cpu(t, addr, 1000, DMA_TO_DEVICE);
}

void sync_late(struct kt *t)
{
	RUN_PAIR(t, "bad-sync", wrong_late_sync, right_calls);
}

static noinline void wrong_error(struct kt *t)
{
	raw_unmap(t, DMA_MAPPING_ERROR, 1000, DMA_TO_DEVICE);
}

void error_unmapped(struct kt *t)
{
	RUN_PAIR(t, "unchecked-error", wrong_error, right_calls);
}

/* ---- lists ---- */

#define ENTRIES	4

static void make_list(struct kt *t, struct scatterlist *sgl)
{
	u8 *page = rig_of(t)->page;
	int i;

	sg_init_table(sgl, ENTRIES);
	for (i = 0; i < ENTRIES; i++)
		sg_set_buf(&sgl[i], page + i * 1000, 500);
}

static noinline void right_list(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	struct scatterlist sgl[ENTRIES];
	u8 *page = rig_of(t)->page;
	int i;

	make_list(t, sgl);
	if (!KT_EXPECT_EQ(t, ENTRIES, dma_map_sg(dev, sgl, ENTRIES, DMA_BIDIRECTIONAL)))
		return;
	for (i = 0; i < ENTRIES; i++)
		device_fill(t, sg_dma_address(&sgl[i]), i + 1, sg_dma_len(&sgl[i]));
	dma_sync_sg_for_cpu(dev, sgl, ENTRIES, DMA_BIDIRECTIONAL);
	for (i = 0; i < ENTRIES; i++)
		KT_EXPECT(t, all(page + i * 1000, i + 1, 500), "entry %d", i);
	memset(page, 0, 500);
	dma_sync_sg_for_device(dev, sgl, ENTRIES, DMA_BIDIRECTIONAL);
	KT_EXPECT(t, device_sees(t, sg_dma_address(sgl), 0, 500), "not seen");
	dma_unmap_sg(dev, sgl, ENTRIES, DMA_BIDIRECTIONAL);
	/* Between the entries. */
	KT_EXPECT(t, all(page + 500, 0, 500), "written elsewhere");
}

static noinline void wrong_nents(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	struct scatterlist sgl[ENTRIES];

	make_list(t, sgl);
	KT_EXPECT_EQ(t, ENTRIES, raw_ops(t)->map_sg(dev, sgl, ENTRIES, DMA_TO_DEVICE, 0));
	raw_ops(t)->unmap_sg(dev, sgl, ENTRIES - 1, DMA_TO_DEVICE, 0);
	barrier();
}

void list_nents(struct kt *t)
{
	RUN_PAIR(t, "wrong-nents", wrong_nents, right_list);
}

/* Another list, which only begins as that did which was mapped. */
static noinline void wrong_list(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	struct scatterlist sgl[ENTRIES], copy;

	make_list(t, sgl);
	KT_EXPECT_EQ(t, ENTRIES, raw_ops(t)->map_sg(dev, sgl, ENTRIES, DMA_TO_DEVICE, 0));
	sg_init_one(&copy, rig_of(t)->page, 500);
	sg_dma_address(&copy) = sg_dma_address(sgl);
	sg_dma_len(&copy) = sg_dma_len(sgl);
	raw_ops(t)->unmap_sg(dev, &copy, 1, DMA_TO_DEVICE, 0);
	raw_ops(t)->unmap_sg(dev, &sgl[1], ENTRIES - 1, DMA_TO_DEVICE, 0);
	barrier();
}

void list_copied(struct kt *t)
{
	RUN_PAIR(t, "wrong-nents", wrong_list, right_list);
}

static noinline void wrong_function(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	struct scatterlist sg;

	sg_init_one(&sg, rig_of(t)->page, 700);
	KT_EXPECT_EQ(t, 1, raw_ops(t)->map_sg(dev, &sg, 1, DMA_TO_DEVICE, 0));
	raw_unmap(t, sg_dma_address(&sg), 700, DMA_TO_DEVICE);
}

void list_as_single(struct kt *t)
{
	RUN_PAIR(t, "wrong-function", wrong_function, right_list);
}

static noinline void wrong_segment(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	struct scatterlist sg;

	sg_init_one(&sg, rig_of(t)->page, 513);
	KT_EXPECT_EQ(t, 1, raw_ops(t)->map_sg(dev, &sg, 1, DMA_TO_DEVICE, 0));
	raw_ops(t)->unmap_sg(dev, &sg, 1, DMA_TO_DEVICE, 0);
	barrier();
}

void list_segment(struct kt *t)
{
	dma_set_max_seg_size(rig_of(t)->dev, 512);
	RUN_PAIR(t, "segment", wrong_segment, right_list);
	dma_set_max_seg_size(rig_of(t)->dev, SZ_64K);
}

/* What crosses no boundary in the driver's memory crosses none in the device's. */
void list_boundary(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	u8 *buf = (u8 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, get_order(SZ_64K));
	struct scatterlist sg;

	if (!KT_EXPECT(t, buf, "no memory"))
		return;
	dma_set_seg_boundary(dev, SZ_64K - 1);
	sg_init_one(&sg, buf, SZ_64K);
	if (KT_EXPECT_EQ(t, 1, dma_map_sg(dev, &sg, 1, DMA_TO_DEVICE))) {
		KT_EXPECT(t, IS_ALIGNED(sg_dma_address(&sg), SZ_64K), "crosses a boundary");
		dma_unmap_sg(dev, &sg, 1, DMA_TO_DEVICE);
	}
	dma_set_seg_boundary(dev, DMA_BIT_MASK(32));
	free_pages((unsigned long)buf, get_order(SZ_64K));
	expect_silence(t);
}

/* The second entry can't be mapped, so none is, and nothing is left of the first. */
static noinline void wrong_entry(struct kt *t)
{
	struct scatterlist sgl[2];

	sg_init_table(sgl, ARRAY_SIZE(sgl));
	sg_set_buf(&sgl[0], rig_of(t)->page, 500);
	sg_set_page(&sgl[1], pfn_to_page(PHYS_PFN(NOWHERE)), 500, 0);
	KT_EXPECT(t, raw_ops(t)->map_sg(rig_of(t)->dev, sgl, 2, DMA_TO_DEVICE, 0) < 0, "mapped");
	unbind(t);
	bind(t);
}

void list_unwound(struct kt *t)
{
	RUN_PAIR(t, "no-memory", wrong_entry, right_list);
}

/* ---- the end ---- */

static dma_addr_t left;

static noinline void wrong_leak(struct kt *t)
{
	left = raw_map(t, rig_of(t)->page, 256, DMA_TO_DEVICE);
	unbind(t);
	bind(t);
}

static noinline void right_leak(struct kt *t)
{
	dma_addr_t addr = map(t, rig_of(t)->page, 256, DMA_TO_DEVICE);
	struct device *dev = rig_of(t)->dev;

	unmap(t, addr, 256, DMA_TO_DEVICE);
	/* This the kernel gives back, after the driver is gone. */
	KT_EXPECT(t, dmam_alloc_coherent(dev, 100, &addr, GFP_KERNEL), "no memory");
	unbind(t);
	KT_EXPECT(t, !compat_device_dma_ops(dev), "still attached");
	bind(t);
	KT_EXPECT(t, compat_device_dma_ops(dev), "not attached again");
}

void left_mapped(struct kt *t)
{
	if (IS_ENABLED(CONFIG_DMA_API_DEBUG)) {
		kt_skip(t, "what stays mapped is a leak to this kernel");
		return;
	}
	RUN_PAIR(t, "leak", wrong_leak, right_leak);
}

static noinline void wrong_buffer_leak(struct kt *t)
{
	dma_addr_t addr;

	KT_EXPECT(t, raw_ops(t)->alloc(rig_of(t)->dev, 100, &addr, GFP_KERNEL, 0), "no memory");
	unbind(t);
	bind(t);
}

void left_allocated(struct kt *t)
{
	if (IS_ENABLED(CONFIG_DMA_API_DEBUG)) {
		kt_skip(t, "what stays allocated is a leak to this kernel");
		return;
	}
	RUN_PAIR(t, "leak", wrong_buffer_leak, right_leak);
}

/* ---- the mask ---- */

static noinline void wrong_mask(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr = raw_map(t, rig_of(t)->page, 256, DMA_TO_DEVICE);

	KT_EXPECT_EQ(t, 0, dma_set_mask(dev, DMA_BIT_MASK(32)));
	expect_silence(t);
	/* The widest that does not reach it. */
	KT_EXPECT_EQ(t, 0, dma_set_mask(dev, DMA_BIT_MASK(ilog2(addr))));
	raw_unmap(t, addr, 256, DMA_TO_DEVICE);
	dma_set_mask(dev, DMA_BIT_MASK(32));
}

void mask_narrowed(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr = map(t, rig_of(t)->page, 256, DMA_TO_DEVICE);
	int narrowed = 0;

	unmap(t, addr, 256, DMA_TO_DEVICE);
	/* What was kept for the next mapping is out of reach. */
	for (; narrowed < 3 && !dma_set_mask(dev, DMA_BIT_MASK(ilog2(addr))); narrowed++) {
		flush_quarantine(t);
		addr = map(t, rig_of(t)->page, 256, DMA_TO_DEVICE);
		KT_EXPECT(t, addr <= dma_get_mask(dev), "%pad is out of reach", &addr);
		unmap(t, addr, 256, DMA_TO_DEVICE);
	}
	if (!narrowed) {
		kt_skip(t, "there is no memory below that address");
		return;
	}
	dma_set_mask(dev, DMA_BIT_MASK(32));
	RUN_PAIR(t, "above-mask", wrong_mask, right_calls);
	KT_EXPECT_EQ(t, told(t)->addr + 255, told(t)->seen);
	KT_EXPECT_EQ(t, DMA_BIT_MASK(ilog2(told(t)->addr)), told(t)->expected);
}
