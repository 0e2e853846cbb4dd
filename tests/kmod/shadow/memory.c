// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each allocation of a call fails in turn, on kernels where one can ask for that:
 * the call then fails as it should, and nothing is left of it.
 */
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "cases.h"
#include "rig.h"

#define SIZE	SZ_256K
#define MOST	1000

/* Makes one thing and undoes it. Returns whether it could be made. */
typedef bool (*make_fn)(struct kt *t, u8 *vaddr);

/* Allocations that have another way to go fail without harm. */
static void fail_each(struct kt *t, u8 *vaddr, make_fn make)
{
	unsigned int nth, failed = 0;
	bool good, hit;

	for (nth = 1; nth < MOST && !kt_over(t); nth++) {
		fail_nth(nth);
		good = make(t, vaddr);
		hit = has_failed();
		fail_nth(0);
		KT_EXPECT_EQ(t, 0, rig_stats(t).live);
		KT_EXPECT_EQ(t, 0, rig_stats(t).live_bytes);
		if (!hit)
			break;
		failed += !good;
	}
	KT_EXPECT(t, good, "it fails although there is memory");
	KT_EXPECT(t, nth < MOST, "no end");
	KT_EXPECT_EQ(t, failed, rig_stats(t).failed);
	KT_EXPECT(t, failed, "no failure came through");
	kt_note(t, "%u allocations, %u of them needed", nth - 1, failed);
}

static void fail_in_both_views(struct kt *t, make_fn make)
{
	u8 *vaddr;

	if (!can_fail()) {
		kt_skip(t, "this kernel injects no failures");
		return;
	}
	vaddr = rig_pages(t, SIZE);
	if (vaddr && rig_iommu(t, 32))
		fail_each(t, vaddr, make);
	rig_give(t);
	if (vaddr && rig_cached(t, LINE, 32))
		fail_each(t, vaddr, make);
	rig_free(vaddr, SIZE);
}

/* Past the kernel's own checks, whose allocations would be counted, too. */
static bool map_some(struct kt *t, u8 *vaddr, size_t size)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr;

	addr = compat_ops_map(raw_ops(t), dev, virt_to_phys(vaddr), size, DMA_BIDIRECTIONAL, 0);
	if (addr == DMA_MAPPING_ERROR)
		return false;
	compat_ops_unmap(raw_ops(t), dev, addr, size, DMA_BIDIRECTIONAL, 0);
	return true;
}

static bool map_little(struct kt *t, u8 *vaddr)
{
	return map_some(t, vaddr + 10, 1000);
}

static bool map_much(struct kt *t, u8 *vaddr)
{
	return map_some(t, vaddr + 10, SIZE - 20);
}

static bool map_list(struct kt *t, u8 *vaddr)
{
	struct device *dev = rig_of(t)->dev;
	struct scatterlist sgl[4];
	int ranges;

	sg_init_table(sgl, ARRAY_SIZE(sgl));
	sg_set_buf(&sgl[0], vaddr, PAGE_SIZE);
	sg_set_buf(&sgl[1], vaddr + PAGE_SIZE, PAGE_SIZE - 1);
	sg_set_buf(&sgl[2], vaddr + 4 * PAGE_SIZE, 4 * PAGE_SIZE);
	sg_set_buf(&sgl[3], vaddr + 10 * PAGE_SIZE + 30, 100);
	ranges = raw_ops(t)->map_sg(dev, sgl, ARRAY_SIZE(sgl), DMA_BIDIRECTIONAL, 0);
	if (ranges > 0)
		raw_ops(t)->unmap_sg(dev, sgl, ARRAY_SIZE(sgl), DMA_BIDIRECTIONAL, 0);
	else
		KT_EXPECT_EQ(t, -ENOMEM, ranges);
	return ranges > 0;
}

static bool allocate_pages(struct kt *t, u8 *vaddr)
{
	struct device *dev = rig_of(t)->dev;
	struct page *page;
	dma_addr_t addr;

	page = compat_ops_alloc_pages(raw_ops(t), dev, SZ_16K, &addr, DMA_FROM_DEVICE, GFP_ATOMIC);
	if (page)
		raw_ops(t)->free_pages(dev, SZ_16K, page, addr, DMA_FROM_DEVICE);
	return page;
}

void no_memory_single(struct kt *t)
{
	fail_in_both_views(t, map_little);
}

void no_memory_large(struct kt *t)
{
	fail_in_both_views(t, map_much);
}

void no_memory_list(struct kt *t)
{
	fail_in_both_views(t, map_list);
}

void no_memory_pages(struct kt *t)
{
	fail_in_both_views(t, allocate_pages);
}
