// SPDX-License-Identifier: GPL-2.0-only
/* What good drivers do, and what they get by it. */
#include <linux/highmem.h>

#include "cases.h"
#include "rig.h"

/* The bytes that the device didn't write are still there. */
void partly_written(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t addr;

	memset(page, 0x44, SIZE);
	addr = map(t, page + 10, 1000, DMA_FROM_DEVICE);
	device_fill(t, addr + 100, 0x55, 3);
	unmap(t, addr, 1000, DMA_FROM_DEVICE);
	KT_EXPECT(t, all(page, 0x44, 110) && all(page + 110, 0x55, 3) &&
		  all(page + 113, 0x44, SIZE - 113), "not as it was written");
	expect_silence(t);
}

void to_device(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t addr;
	size_t i;

	for (i = 0; i < SIZE; i++)
		page[i] = i * 7 + i / 251;
	addr = map(t, page, SIZE, DMA_TO_DEVICE);
	KT_EXPECT(t, device_has(t, addr, page, SIZE), "not seen by the device");
	KT_EXPECT_EQ(t, offset_in_page(page), offset_in_page(addr));
	unmap(t, addr, SIZE, DMA_TO_DEVICE);
	expect_silence(t);
}

/*
 * A network driver's page: each half goes to the device and to the stack in turn,
 * which writes what it has got, and keeps it beyond the mapping's end.
 */
void halves_in_turn(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	u8 *page = rig_of(t)->page;
	size_t half = SIZE / 2, use = half - 320, at = 0;
	dma_addr_t addr;
	int i;

	addr = dma_map_single_attrs(dev, page, SIZE, DMA_FROM_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
	KT_EXPECT_EQ(t, 0, dma_mapping_error(dev, addr));
	for (i = 1; i < 9; i++, at ^= half) {
		dma_sync_single_range_for_device(dev, addr, at, use, DMA_FROM_DEVICE);
		/* Nothing of what follows the packet is the device's. */
		memset(page + at + use, i, 320);
		device_fill(t, addr + at, i, 60 + i);
		dma_sync_single_range_for_cpu(dev, addr, at, 60, DMA_FROM_DEVICE);
		KT_EXPECT(t, all(page + at, i, 60), "round %d", i);
		memset(page + at, 0, 60);
	}
	dma_unmap_single_attrs(dev, addr, SIZE, DMA_FROM_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
	KT_EXPECT(t, all(page, 0, 60), "the stack's bytes were written");
	expect_silence(t);
}

/* Lines change hands as a whole, whatever part of them is said. */
void part_of_a_line(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	u8 *page = rig_of(t)->page;
	dma_addr_t addr = map(t, page, SIZE, DMA_BIDIRECTIONAL);

	device_fill(t, addr + SAN_LINE, 1, SAN_LINE);
	dma_sync_single_range_for_cpu(dev, addr, SAN_LINE + 8, 8, DMA_BIDIRECTIONAL);
	KT_EXPECT(t, all(page + SAN_LINE, 1, SAN_LINE), "not seen by the CPU");
	memset(page + SAN_LINE, 2, SAN_LINE);
	dma_sync_single_range_for_device(dev, addr, SAN_LINE + 8, 8, DMA_BIDIRECTIONAL);
	KT_EXPECT(t, device_sees(t, addr + SAN_LINE, 2, SAN_LINE), "not seen by the device");
	unmap(t, addr, SIZE, DMA_BIDIRECTIONAL);
	KT_EXPECT(t, all(page + SAN_LINE, 2, SAN_LINE), "not as it was written");
	expect_silence(t);
}

static void unmap_unwanted(struct kt *t, bool looked)
{
	struct device *dev = rig_of(t)->dev;
	u8 *page = rig_of(t)->page;
	dma_addr_t addr = map(t, page, SIZE, DMA_FROM_DEVICE);

	if (looked)
		dma_sync_single_for_cpu(dev, addr, SAN_LINE, DMA_FROM_DEVICE);
	device_fill(t, addr + 1000, page[1000] + 1, 10);
	dma_unmap_single_attrs(dev, addr, SIZE, DMA_FROM_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
	KT_EXPECT(t, all(page, 0, SIZE), "it came all the same");
}

/* Who does not want to know what the device wrote does not get it. */
void not_wanted(struct kt *t)
{
	unmap_unwanted(t, false);
	unmap_unwanted(t, true);
	expect_silence(t);
}

/* More than is watched, but mapped all the same. */
void large(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	size_t size = SZ_512K;
	u8 *buf = (u8 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, get_order(size));
	dma_addr_t addr;

	if (!KT_EXPECT(t, buf, "no memory"))
		return;
	KT_EXPECT(t, dma_max_mapping_size(dev) <= SZ_256K, "%zu", dma_max_mapping_size(dev));
	addr = raw_map(t, buf, size, DMA_BIDIRECTIONAL);
	KT_EXPECT(t, addr != DMA_MAPPING_ERROR, "not mapped");
	device_fill(t, addr, 0x66, size);
	raw_for_cpu(t, addr, size, DMA_BIDIRECTIONAL);
	KT_EXPECT(t, all(buf, 0x66, size), "not written");
	raw_for_device(t, addr + 100, 100, DMA_BIDIRECTIONAL);
	raw_unmap(t, addr, size, DMA_BIDIRECTIONAL);
	free_pages((unsigned long)buf, get_order(size));
	expect_silence(t);
}

/* Twice at the same time, which is allowed for what the device only reads. */
void mapped_twice(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t one = map(t, page, SIZE, DMA_TO_DEVICE);
	dma_addr_t two = map(t, page, SIZE, DMA_TO_DEVICE);

	unmap(t, one, SIZE, DMA_TO_DEVICE);
	KT_EXPECT(t, device_sees(t, two, 0, SIZE), "gone with the other");
	unmap(t, two, SIZE, DMA_TO_DEVICE);
	expect_silence(t);
}

/* And mapped again, longer or shorter, where one is within the other. */
void mapped_within(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	u8 *page = rig_of(t)->page;
	dma_addr_t one, two, part;
	int i;

	for (i = 0; i < 2; i++) {
		one = map(t, page, SIZE, DMA_TO_DEVICE);
		two = map(t, page, 100, DMA_TO_DEVICE);
		part = map(t, page + 200, 10, DMA_TO_DEVICE);
		dma_sync_single_range_for_cpu(dev, one, 300, 8, DMA_TO_DEVICE);
		dma_sync_single_range_for_device(dev, one, 300, 8, DMA_TO_DEVICE);
		unmap(t, i ? one : two, i ? SIZE : 100, DMA_TO_DEVICE);
		unmap(t, i ? two : one, i ? 100 : SIZE, DMA_TO_DEVICE);
		unmap(t, part, 10, DMA_TO_DEVICE);
		expect_silence(t);
		/* Without blocks, they are at the same address. */
		set_parameter(t, "map_max_kb", "0");
	}
	one = map(t, page, SIZE, DMA_TO_DEVICE);
	two = map(t, page, 100, DMA_TO_DEVICE);
	unmap(t, two, 100, DMA_TO_DEVICE);
	unmap(t, one, SIZE, DMA_TO_DEVICE);
	expect_silence(t);
}

void interrupts_off(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	unsigned long flags;
	dma_addr_t addr;

	local_irq_save(flags);
	addr = map(t, page, SIZE, DMA_FROM_DEVICE);
	device_fill(t, addr, 3, SIZE);
	unmap(t, addr, SIZE, DMA_FROM_DEVICE);
	local_irq_restore(flags);
	KT_EXPECT(t, all(page, 3, SIZE), "not written");
	expect_silence(t);
}

void every_size(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	size_t size, at;

	for (size = 1; size <= SIZE; size = size * 3 / 2 + 1) {
		for (at = 0; at + size <= SIZE; at += 1 + SIZE / 13) {
			dma_addr_t addr;

			memset(page, 0, SIZE);
			addr = map(t, page + at, size, DMA_BIDIRECTIONAL);
			device_fill(t, addr, 9, size);
			unmap(t, addr, size, DMA_BIDIRECTIONAL);
			KT_EXPECT(t, all(page, 0, at) && all(page + at, 9, size) &&
				  all(page + at + size, 0, SIZE - at - size),
				  "%zu bytes at %zu", size, at);
		}
		cond_resched();
	}
	expect_silence(t);
}

/* A page that may have no address of its own; both ways, and the CPU sees it. */
void page_without_address(struct kt *t)
{
	struct page *page = alloc_page(GFP_HIGHUSER);
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr;
	u8 *at;

	if (!KT_EXPECT(t, page, "no memory"))
		return;
	kt_note(t, "%s memory", PageHighMem(page) ? "high" : "low");
	memset_page(page, 0, 3, PAGE_SIZE);
	addr = dma_map_page(dev, page, 100, 3000, DMA_BIDIRECTIONAL);
	if (KT_EXPECT_EQ(t, 0, dma_mapping_error(dev, addr))) {
		KT_EXPECT(t, device_sees(t, addr, 3, 3000), "not seen by the device");
		device_fill(t, addr, 4, 3000);
		dma_unmap_page(dev, addr, 3000, DMA_BIDIRECTIONAL);
	}
	at = kmap_local_page(page);
	KT_EXPECT(t, all(at, 3, 100) && all(at + 100, 4, 3000) &&
		  all(at + 3100, 3, PAGE_SIZE - 3100), "not seen by the CPU");
	kunmap_local(at);
	__free_page(page);
	expect_silence(t);
}
