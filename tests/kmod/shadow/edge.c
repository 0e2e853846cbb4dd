// SPDX-License-Identifier: GPL-2.0-only
/*
 * The non-coherent view, where a mapping shares its first and last line. Bytes
 * outside of it are 0x11 at first.
 */
#include <linux/slab.h>

#include "cases.h"
#include "rig.h"

#define FROM	(LINE + 16)		/* shares the second line */
#define TO	(3 * LINE + 48)		/* and the fourth */
#define SIZE	(TO - FROM)

static u8 *begin(struct kt *t, enum dma_data_direction dir, unsigned long attrs,
		 dma_addr_t *addr)
{
	u8 *vaddr = rig_pages(t, PAGE_SIZE);

	if (!vaddr)
		return NULL;
	memset(vaddr, 0x11, PAGE_SIZE);
	*addr = 0;
	if (rig_cached(t, LINE, 32))
		*addr = rig_map(t, vaddr + FROM, SIZE, dir, attrs);
	if (*addr)
		return vaddr;
	rig_free(vaddr, PAGE_SIZE);
	return NULL;
}

static void expect_outside(struct kt *t, const u8 *vaddr, u8 before, u8 after)
{
	KT_EXPECT_EQ(t, before, vaddr[FROM - 1]);
	KT_EXPECT_EQ(t, after, vaddr[TO]);
	KT_EXPECT(t, all(vaddr, 0x11, FROM - 1), "before");
	KT_EXPECT(t, all(vaddr + TO + 1, 0x11, PAGE_SIZE - TO - 1), "after");
}

void edge_clean(struct kt *t)
{
	dma_addr_t addr;
	u8 *vaddr = begin(t, DMA_FROM_DEVICE, 0, &addr);

	if (!vaddr)
		return;
	device_fill(t, addr, 0x22, SIZE);
	KT_EXPECT(t, all(vaddr, 0x11, PAGE_SIZE), "without a sync");
	rig_unmap(t, addr, SIZE, DMA_FROM_DEVICE, 0);
	KT_EXPECT(t, all(vaddr + FROM, 0x22, SIZE), "lost");
	expect_outside(t, vaddr, 0x11, 0x11);
	KT_EXPECT_EQ(t, 0, rig_stats(t).shared_lines);
	rig_free(vaddr, PAGE_SIZE);
}

void edge_dirty_outside(struct kt *t)
{
	dma_addr_t addr;
	u8 *vaddr = begin(t, DMA_FROM_DEVICE, 0, &addr);

	if (!vaddr)
		return;
	device_fill(t, addr, 0x22, SIZE);
	vaddr[FROM - 1] = 0x99;
	rig_unmap(t, addr, SIZE, DMA_FROM_DEVICE, 0);
	KT_EXPECT(t, all(vaddr + FROM, 0x11, 2 * LINE - FROM), "the first line was not lost");
	KT_EXPECT(t, all(vaddr + 2 * LINE, 0x22, TO - 2 * LINE), "the others were lost");
	expect_outside(t, vaddr, 0x99, 0x11);
	KT_EXPECT_EQ(t, 1, rig_stats(t).shared_lines);

	addr = rig_map(t, vaddr + FROM, SIZE, DMA_FROM_DEVICE, 0);
	device_fill(t, addr, 0x33, SIZE);
	vaddr[FROM - 1] = 0x9a;
	vaddr[TO] = 0x9b;
	rig_unmap(t, addr, SIZE, DMA_FROM_DEVICE, 0);
	KT_EXPECT(t, all(vaddr + FROM, 0x11, 2 * LINE - FROM), "the first line was not lost");
	KT_EXPECT(t, all(vaddr + 2 * LINE, 0x33, LINE), "the whole line was lost");
	KT_EXPECT(t, all(vaddr + 3 * LINE, 0x22, TO - 3 * LINE), "the last line was not lost");
	expect_outside(t, vaddr, 0x9a, 0x9b);
	KT_EXPECT_EQ(t, 3, rig_stats(t).shared_lines);
	rig_free(vaddr, PAGE_SIZE);
}

void edge_dirty_inside(struct kt *t)
{
	dma_addr_t addr;
	u8 *vaddr = begin(t, DMA_BIDIRECTIONAL, 0, &addr);

	if (!vaddr)
		return;
	device_fill(t, addr, 0x22, SIZE);
	vaddr[TO - 1] = 0x99;
	rig_unmap(t, addr, SIZE, DMA_BIDIRECTIONAL, 0);
	KT_EXPECT(t, all(vaddr + FROM, 0x22, 3 * LINE - FROM), "the first lines were lost");
	KT_EXPECT(t, all(vaddr + 3 * LINE, 0x11, TO - 1 - 3 * LINE), "the last was not lost");
	KT_EXPECT_EQ(t, 0x99, vaddr[TO - 1]);
	expect_outside(t, vaddr, 0x11, 0x11);
	KT_EXPECT_EQ(t, 1, rig_stats(t).shared_lines);
	rig_free(vaddr, PAGE_SIZE);
}

/* Both ends of the mapping in the same line: it is lost once. */
void edge_one_line(struct kt *t)
{
	u8 *vaddr = rig_pages(t, PAGE_SIZE);
	dma_addr_t addr;

	if (!vaddr || !rig_cached(t, LINE, 32))
		goto out;
	addr = rig_map(t, vaddr + 10, 20, DMA_FROM_DEVICE, 0);
	device_fill(t, addr, 0x22, 20);
	rig_unmap(t, addr, 20, DMA_FROM_DEVICE, 0);
	KT_EXPECT(t, all(vaddr + 10, 0x22, 20), "lost");

	addr = rig_map(t, vaddr + 10, 20, DMA_FROM_DEVICE, 0);
	device_fill(t, addr, 0x33, 20);
	vaddr[LINE - 1] = 0x99;
	rig_unmap(t, addr, 20, DMA_FROM_DEVICE, 0);
	KT_EXPECT(t, all(vaddr + 10, 0x22, 20), "not lost");
	KT_EXPECT_EQ(t, 0x99, vaddr[LINE - 1]);
	KT_EXPECT_EQ(t, 1, rig_stats(t).shared_lines);
out:
	rig_free(vaddr, PAGE_SIZE);
}

/* A sync makes the line clean again, so that the next change counts. */
void edge_synchronized(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr;
	u8 *vaddr = begin(t, DMA_FROM_DEVICE, 0, &addr);

	if (!vaddr)
		return;
	vaddr[FROM - 1] = 0x99;
	/* Dirty, so it is written back, although FROM_DEVICE throws away. */
	dma_sync_single_for_device(dev, addr, SIZE, DMA_FROM_DEVICE);
	device_fill(t, addr, 0x22, SIZE);
	dma_sync_single_for_cpu(dev, addr, SIZE, DMA_FROM_DEVICE);
	KT_EXPECT(t, all(vaddr + FROM, 0x22, SIZE), "lost");
	expect_outside(t, vaddr, 0x99, 0x11);
	KT_EXPECT_EQ(t, 0, rig_stats(t).shared_lines);

	/* A sync of something else doesn't touch the line. */
	device_fill(t, addr, 0x33, SIZE);
	vaddr[FROM - 1] = 0x9a;
	dma_sync_single_for_cpu(dev, addr + LINE, LINE, DMA_FROM_DEVICE);
	KT_EXPECT_EQ(t, 0, rig_stats(t).shared_lines);
	KT_EXPECT(t, all(vaddr + FROM, 0x22, 2 * LINE - FROM), "the first line");
	KT_EXPECT(t, all(vaddr + 2 * LINE, 0x33, TO - 2 * LINE), "the lines of the sync");

	dma_sync_single_for_device(dev, addr, 1, DMA_FROM_DEVICE);
	KT_EXPECT_EQ(t, 1, rig_stats(t).shared_lines);
	rig_unmap(t, addr, SIZE, DMA_FROM_DEVICE, 0);
	KT_EXPECT(t, all(vaddr + FROM, 0x22, 2 * LINE - FROM), "the first line");
	KT_EXPECT(t, all(vaddr + 2 * LINE, 0x33, TO - 2 * LINE), "the others");
	KT_EXPECT_EQ(t, 1, rig_stats(t).shared_lines);
	rig_free(vaddr, PAGE_SIZE);
}

/* What the device didn't write can't be lost. */
void edge_nothing_lost(struct kt *t)
{
	dma_addr_t addr;
	u8 *vaddr = begin(t, DMA_FROM_DEVICE, 0, &addr);

	if (!vaddr)
		return;
	device_fill(t, addr + LINE, 0x22, LINE);
	vaddr[FROM - 1] = 0x99;
	vaddr[FROM] = 0x9a;
	rig_unmap(t, addr, SIZE, DMA_FROM_DEVICE, 0);
	KT_EXPECT_EQ(t, 0x9a, vaddr[FROM]);
	KT_EXPECT_EQ(t, 0, rig_stats(t).shared_lines);
	rig_free(vaddr, PAGE_SIZE);
}

void edge_no_sync(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr;
	u8 *vaddr = begin(t, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC, &addr);

	if (!vaddr)
		return;
	KT_EXPECT(t, device_sees(t, addr, SHADOW_STALE, SIZE), "written back");
	/* Nobody wrote it back before, so this does, changed or not. */
	dma_sync_single_for_device(dev, addr, SIZE, DMA_TO_DEVICE);
	KT_EXPECT(t, device_sees(t, addr, 0x11, SIZE), "not written back");
	rig_unmap(t, addr, SIZE, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);

	addr = rig_map(t, vaddr + FROM, SIZE, DMA_FROM_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
	dma_sync_single_for_device(dev, addr, SIZE, DMA_FROM_DEVICE);
	device_fill(t, addr + 1, 0x22, SIZE - 1);
	dma_sync_single_for_cpu(dev, addr, SIZE, DMA_FROM_DEVICE);
	KT_EXPECT_EQ(t, SHADOW_STALE, vaddr[FROM]);
	KT_EXPECT(t, all(vaddr + FROM + 1, 0x22, SIZE - 1), "lost");
	expect_outside(t, vaddr, 0x11, 0x11);
	rig_unmap(t, addr, SIZE, DMA_FROM_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
	KT_EXPECT_EQ(t, 0, rig_stats(t).shared_lines);
	rig_free(vaddr, PAGE_SIZE);
}

/* Two mappings in a line: what the first brings is a change to the second. */
void edge_neighbours(struct kt *t)
{
	u8 *vaddr = rig_pages(t, PAGE_SIZE);
	dma_addr_t first, second;

	if (!vaddr || !rig_cached(t, LINE, 32))
		goto out;
	first = raw_map(t, vaddr, LINE / 2, DMA_FROM_DEVICE);
	second = raw_map(t, vaddr + LINE / 2, LINE / 2, DMA_FROM_DEVICE);
	device_fill(t, first, 0x22, LINE / 2);
	device_fill(t, second, 0x33, LINE / 2);
	raw_unmap(t, first, LINE / 2, DMA_FROM_DEVICE);
	KT_EXPECT(t, all(vaddr, 0x22, LINE / 2), "the first was lost");
	KT_EXPECT_EQ(t, 0, rig_stats(t).shared_lines);
	raw_unmap(t, second, LINE / 2, DMA_FROM_DEVICE);
	KT_EXPECT(t, all(vaddr, 0x22, LINE / 2), "the first was lost");
	KT_EXPECT(t, all(vaddr + LINE / 2, 0, LINE / 2), "the second was not lost");
	KT_EXPECT_EQ(t, 1, rig_stats(t).shared_lines);
out:
	rig_free(vaddr, PAGE_SIZE);
}

/* The line is looked at, although parts of it are nobody's. */
void edge_small_allocation(struct kt *t)
{
	u8 *vaddr = kmalloc(70, GFP_KERNEL);
	dma_addr_t addr;

	if (!KT_EXPECT(t, vaddr, "no memory") || !rig_cached(t, 4096, 32))
		goto out;
	memset(vaddr, 0x11, 70);
	addr = rig_map(t, vaddr + 1, 68, DMA_BIDIRECTIONAL, 0);
	KT_EXPECT(t, device_sees(t, addr, 0x11, 68), "not written back");
	dma_sync_single_for_cpu(rig_of(t)->dev, addr, 68, DMA_BIDIRECTIONAL);
	dma_sync_single_for_device(rig_of(t)->dev, addr, 68, DMA_BIDIRECTIONAL);
	rig_unmap(t, addr, 68, DMA_BIDIRECTIONAL, 0);
	KT_EXPECT(t, all(vaddr, 0x11, 70), "changed");
out:
	kfree(vaddr);
}
