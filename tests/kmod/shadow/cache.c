// SPDX-License-Identifier: GPL-2.0-only
/* The non-coherent view, where mappings hold whole lines. */
#include <linux/slab.h>

#include "cases.h"
#include "rig.h"

#define SIZE	(4 * LINE)

/* A page, the view, and @SIZE bytes of it mapped; NULL if any of it fails. */
static u8 *begin(struct kt *t, u8 value, enum dma_data_direction dir, unsigned long attrs,
		 dma_addr_t *addr)
{
	u8 *vaddr = rig_pages(t, PAGE_SIZE);

	if (!vaddr)
		return NULL;
	memset(vaddr, value, PAGE_SIZE);
	*addr = 0;
	if (rig_cached(t, LINE, 32))
		*addr = rig_map(t, vaddr, SIZE, dir, attrs);
	if (*addr)
		return vaddr;
	rig_free(vaddr, PAGE_SIZE);
	return NULL;
}

static void sync_for_device(struct kt *t, dma_addr_t addr, size_t size,
			    enum dma_data_direction dir)
{
	dma_sync_single_for_device(rig_of(t)->dev, addr, size, dir);
}

static void sync_for_cpu(struct kt *t, dma_addr_t addr, size_t size, enum dma_data_direction dir)
{
	dma_sync_single_for_cpu(rig_of(t)->dev, addr, size, dir);
}

void cached_to_device(struct kt *t)
{
	dma_addr_t addr;
	u8 *vaddr = begin(t, 0x11, DMA_TO_DEVICE, 0, &addr);

	if (!vaddr)
		return;
	KT_EXPECT(t, device_sees(t, addr, 0x11, SIZE), "not what was there when it was mapped");
	memset(vaddr, 0x22, SIZE);
	KT_EXPECT(t, device_sees(t, addr, 0x11, SIZE), "written back without a sync");
	sync_for_cpu(t, addr, SIZE, DMA_TO_DEVICE);
	KT_EXPECT(t, all(vaddr, 0x22, SIZE), "read again");
	KT_EXPECT(t, device_sees(t, addr, 0x11, SIZE), "written back by the wrong sync");
	sync_for_device(t, addr, SIZE, DMA_TO_DEVICE);
	KT_EXPECT(t, device_sees(t, addr, 0x22, SIZE), "not written back");
	memset(vaddr, 0x33, SIZE);
	rig_unmap(t, addr, SIZE, DMA_TO_DEVICE, 0);
	KT_EXPECT(t, all(vaddr, 0x33, SIZE), "unmapping changed it");
	rig_free(vaddr, PAGE_SIZE);
}

void cached_from_device(struct kt *t)
{
	dma_addr_t addr;
	u8 *vaddr = begin(t, 0x11, DMA_FROM_DEVICE, 0, &addr);

	if (!vaddr)
		return;
	device_fill(t, addr, 0x22, SIZE / 2);
	KT_EXPECT(t, all(vaddr, 0x11, SIZE), "seen without a sync");
	sync_for_device(t, addr, SIZE, DMA_FROM_DEVICE);
	KT_EXPECT(t, all(vaddr, 0x11, SIZE), "seen by the wrong sync");
	sync_for_cpu(t, addr, SIZE, DMA_FROM_DEVICE);
	KT_EXPECT(t, all(vaddr, 0x22, SIZE / 2), "not seen");
	/* Mapping has written back what the device doesn't write. */
	KT_EXPECT(t, all(vaddr + SIZE / 2, 0x11, SIZE / 2), "lost");
	sync_for_device(t, addr, SIZE, DMA_FROM_DEVICE);
	device_fill(t, addr + LINE, 0x33, SIZE - LINE);
	rig_unmap(t, addr, SIZE, DMA_FROM_DEVICE, 0);
	KT_EXPECT(t, all(vaddr, 0x22, LINE), "lost");
	KT_EXPECT(t, all(vaddr + LINE, 0x33, SIZE - LINE), "not seen after unmapping");
	KT_EXPECT(t, all(vaddr + SIZE, 0x11, PAGE_SIZE - SIZE), "outside was changed");
	KT_EXPECT_EQ(t, 0, rig_stats(t).shared_lines);
	rig_free(vaddr, PAGE_SIZE);
}

void cached_both_directions(struct kt *t)
{
	dma_addr_t addr;
	u8 *vaddr = begin(t, 0x11, DMA_BIDIRECTIONAL, 0, &addr);

	if (!vaddr)
		return;
	KT_EXPECT(t, device_sees(t, addr, 0x11, SIZE), "not written back");
	device_fill(t, addr, 0x22, SIZE);
	KT_EXPECT(t, device_sees(t, addr, 0x22, SIZE), "the device doesn't see its own");
	KT_EXPECT(t, all(vaddr, 0x11, SIZE), "without a sync");
	sync_for_cpu(t, addr, SIZE, DMA_BIDIRECTIONAL);
	KT_EXPECT(t, all(vaddr, 0x22, SIZE), "not read again");
	memset(vaddr, 0x33, SIZE);
	/* A sync may have one of the directions. */
	sync_for_device(t, addr, SIZE, DMA_TO_DEVICE);
	KT_EXPECT(t, device_sees(t, addr, 0x33, SIZE), "not written back");
	device_fill(t, addr, 0x44, SIZE);
	sync_for_cpu(t, addr, SIZE, DMA_FROM_DEVICE);
	KT_EXPECT(t, all(vaddr, 0x44, SIZE), "not read again");
	device_fill(t, addr, 0x55, SIZE);
	rig_unmap(t, addr, SIZE, DMA_BIDIRECTIONAL, 0);
	KT_EXPECT(t, all(vaddr, 0x55, SIZE), "not read again");
	rig_free(vaddr, PAGE_SIZE);
}

/* By the line, whatever the range. */
void cached_part(struct kt *t)
{
	dma_addr_t addr;
	u8 *vaddr = begin(t, 0x11, DMA_BIDIRECTIONAL, 0, &addr);

	if (!vaddr)
		return;
	memset(vaddr, 0x22, SIZE);
	sync_for_device(t, addr + LINE + 10, LINE, DMA_BIDIRECTIONAL);
	KT_EXPECT(t, device_sees(t, addr, 0x11, LINE), "the line before");
	KT_EXPECT(t, device_sees(t, addr + LINE, 0x22, 2 * LINE), "the lines");
	KT_EXPECT(t, device_sees(t, addr + 3 * LINE, 0x11, LINE), "the line after");
	device_fill(t, addr, 0x33, SIZE);
	sync_for_cpu(t, addr + 2 * LINE - 1, 1, DMA_BIDIRECTIONAL);
	KT_EXPECT(t, all(vaddr, 0x22, LINE), "the line before");
	KT_EXPECT(t, all(vaddr + LINE, 0x33, LINE), "the line");
	KT_EXPECT(t, all(vaddr + 2 * LINE, 0x22, 2 * LINE), "the lines after");
	sync_for_cpu(t, addr + LINE, 0, DMA_BIDIRECTIONAL);
	rig_unmap(t, addr, SIZE, DMA_BIDIRECTIONAL, 0);
	rig_free(vaddr, PAGE_SIZE);
}

/* While the buffer is the device's, which is wrong. */
void cached_written_by_cpu(struct kt *t)
{
	dma_addr_t addr;
	u8 *vaddr = begin(t, 0x11, DMA_FROM_DEVICE, 0, &addr);

	if (!vaddr)
		return;
	device_fill(t, addr, 0x22, LINE);
	memset(vaddr, 0x33, SIZE);
	rig_unmap(t, addr, SIZE, DMA_FROM_DEVICE, 0);
	KT_EXPECT(t, all(vaddr, 0x22, LINE), "the CPU's came first");
	KT_EXPECT(t, all(vaddr + LINE, 0x11, SIZE - LINE), "the CPU's was not thrown away");
	rig_free(vaddr, PAGE_SIZE);
}

/* Between the syncs, which is right, but not with this direction. */
void cached_thrown_away(struct kt *t)
{
	dma_addr_t addr;
	u8 *vaddr = begin(t, 0x11, DMA_FROM_DEVICE, 0, &addr);

	if (!vaddr)
		return;
	device_fill(t, addr, 0x22, SIZE);
	sync_for_cpu(t, addr, SIZE, DMA_FROM_DEVICE);
	memset(vaddr, 0x33, SIZE);
	sync_for_device(t, addr, SIZE, DMA_FROM_DEVICE);
	rig_unmap(t, addr, SIZE, DMA_FROM_DEVICE, 0);
	KT_EXPECT(t, all(vaddr, 0x22, SIZE), "the CPU's was written back");
	rig_free(vaddr, PAGE_SIZE);
}

void cached_no_sync(struct kt *t)
{
	dma_addr_t addr;
	u8 *vaddr = begin(t, 0x11, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC, &addr);

	if (!vaddr)
		return;
	KT_EXPECT(t, device_sees(t, addr, SHADOW_STALE, SIZE), "something was written back");
	sync_for_device(t, addr, LINE, DMA_BIDIRECTIONAL);
	KT_EXPECT(t, device_sees(t, addr, 0x11, LINE), "not written back");
	KT_EXPECT(t, device_sees(t, addr + LINE, SHADOW_STALE, SIZE - LINE), "written back");
	device_fill(t, addr, 0x22, SIZE);
	rig_unmap(t, addr, SIZE, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
	KT_EXPECT(t, all(vaddr, 0x11, SIZE), "something was read again");
	rig_free(vaddr, PAGE_SIZE);
}

void cached_faults(struct kt *t)
{
	dma_addr_t addr;
	u8 *vaddr = begin(t, 0x11, DMA_TO_DEVICE, 0, &addr);

	if (!vaddr)
		return;
	KT_EXPECT_EQ(t, SHADOW_OK, device_fault(t, addr + SIZE - 1, false));
	KT_EXPECT_EQ(t, SHADOW_DENIED, device_fault(t, addr, true));
	KT_EXPECT_EQ(t, SHADOW_UNMAPPED, device_fault(t, addr + SIZE, false));
	KT_EXPECT_EQ(t, SHADOW_UNMAPPED, device_fault(t, addr - 1, false));
	rig_unmap(t, addr, SIZE, DMA_TO_DEVICE, 0);
	KT_EXPECT_EQ(t, SHADOW_UNMAPPED, device_fault(t, addr, false));
	rig_free(vaddr, PAGE_SIZE);
}

static void carry_large(struct kt *t, u8 *vaddr, size_t size)
{
	u8 *seen = kvmalloc(size, GFP_KERNEL);
	dma_addr_t addr;

	if (!KT_EXPECT(t, seen, "no memory"))
		return;
	pattern_fill(vaddr, size, 1);
	addr = rig_map(t, vaddr, size, DMA_BIDIRECTIONAL, 0);
	KT_EXPECT_EQ(t, size, device_read(t, addr, seen, size));
	KT_EXPECT(t, pattern_is(seen, size, 1), "mapping");
	pattern_fill(vaddr, size, 2);
	sync_for_device(t, addr, size, DMA_BIDIRECTIONAL);
	KT_EXPECT_EQ(t, size, device_read(t, addr, seen, size));
	KT_EXPECT(t, pattern_is(seen, size, 2), "sync_for_device");
	pattern_fill(seen, size, 3);
	KT_EXPECT_EQ(t, size, device_write(t, addr, seen, size));
	KT_EXPECT(t, pattern_is(vaddr, size, 2), "without a sync");
	sync_for_cpu(t, addr, size, DMA_BIDIRECTIONAL);
	KT_EXPECT(t, pattern_is(vaddr, size, 3), "sync_for_cpu");
	pattern_fill(seen, size, 4);
	KT_EXPECT_EQ(t, size, device_write(t, addr, seen, size));
	rig_unmap(t, addr, size, DMA_BIDIRECTIONAL, 0);
	KT_EXPECT(t, pattern_is(vaddr, size, 4), "unmapping");
	KT_EXPECT_EQ(t, 0, rig_stats(t).shared_lines);
	kvfree(seen);
}

/* More than is carried at once, and than a copy has in one piece, at odd places. */
void cached_large(struct kt *t)
{
	const size_t size = SZ_1M;
	u8 *vaddr = rig_pages(t, size);

	if (vaddr && rig_cached(t, LINE, 32)) {
		carry_large(t, vaddr, size);
		carry_large(t, vaddr + 1001, size - 3000);
		carry_large(t, vaddr + PAGE_SIZE - 1, SZ_64K + 2);
		carry_large(t, vaddr + LINE, SZ_64K);
	}
	rig_free(vaddr, size);
}

void cached_line_sizes(struct kt *t)
{
	u8 *vaddr = rig_pages(t, SZ_32K);
	unsigned int line;

	for (line = 4; vaddr && line <= 4096; line *= 2) {
		if (!rig_cached(t, line, 32))
			break;
		carry_large(t, vaddr + line, line);
		carry_large(t, vaddr, SZ_32K);
		carry_large(t, vaddr + line - 1, 2);
		carry_large(t, vaddr + 1, 3 * line);
		carry_large(t, vaddr + 2, 1);
		rig_give(t);
	}
	rig_free(vaddr, SZ_32K);
}
