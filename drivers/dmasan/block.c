// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocks. The mapping's bytes lie at the offset in the page that the driver's
 * memory has, which devices and drivers rely on, with a red zone before and after:
 *
 *	vaddr ... [red zone][ the mapping's bytes ][red zone] ...
 *	                    ^ front                ^ back
 *
 * The hardware may read and write all of the block, whatever the direction is: what
 * it does wrong is to be seen, not prevented.
 */
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dmasan.h"

#define RED	0xc9
#define POISON	0xe7
#define MAP_GFP	(GFP_ATOMIC | __GFP_NOWARN)

bool san_block_charge(struct san_device *san, size_t size, bool must)
{
	size_t most = (size_t)READ_ONCE(san_memory_kb) * SZ_1K;
	unsigned long flags;
	bool fits;

	write_lock_irqsave(&san->lock, flags);
	fits = must || (size <= most && san->held <= most - size);
	if (fits)
		san->held += size;
	write_unlock_irqrestore(&san->lock, flags);
	return fits;
}

void san_block_uncharge(struct san_device *san, size_t size)
{
	unsigned long flags;

	write_lock_irqsave(&san->lock, flags);
	san->held -= size;
	write_unlock_irqrestore(&san->lock, flags);
}

size_t san_block_red(void)
{
	return min_t(size_t, READ_ONCE(san_redzone), PAGE_SIZE);
}

/*
 * Blocks are aligned to their size, so without a page before them nothing crosses a
 * boundary that the driver's memory doesn't cross.
 */
static bool wants_page_before(struct device *dev, const struct san_map *map)
{
	return offset_in_page(map->phys) < map->red && dma_get_seg_boundary(dev) >= SZ_16M - 1;
}

static void lay_out(struct san_device *san, struct san_map *map)
{
	struct san_block *block = &map->block;

	map->red = san_block_red();
	block->front = offset_in_page(map->phys);
	if (wants_page_before(san->twin.real, map))
		block->front += PAGE_SIZE;
	block->back = block->front + map->size;
	block->size = PAGE_ALIGN(block->back + map->red);
}

/* Where the device reaches; the kernel bounces what lies elsewhere, which costs. */
static gfp_t zone(struct device *dev)
{
	u64 limit = min_not_zero(dma_get_mask(dev), dev->bus_dma_limit);

	if (limit < DMA_BIT_MASK(32))
		return GFP_DMA;
	if (limit == DMA_BIT_MASK(32) && IS_ENABLED(CONFIG_ZONE_DMA32))
		return GFP_DMA32;
	return 0;
}

/* Behind the snapshot: one bit per line. */
static int make_snapshot(struct san_map *map)
{
	size_t lines = DIV_ROUND_UP(map->size + (map->phys & (SAN_LINE - 1)), SAN_LINE);
	size_t bits = BITS_TO_LONGS(lines) * sizeof(long);
	size_t room = ALIGN(map->size, sizeof(long));

	map->snapshot = kmalloc(room + bits, MAP_GFP);
	if (!map->snapshot)
		return -ENOMEM;
	map->in_cpu = (unsigned long *)(map->snapshot + room);
	/* What is not synchronized when it is mapped is not the device's yet. */
	memset(map->in_cpu, map->attrs & DMA_ATTR_SKIP_CPU_SYNC ? 0xff : 0, bits);
	return 0;
}

static void read_memory(phys_addr_t phys, u8 *to, size_t size)
{
	while (size) {
		size_t len = min_t(size_t, size, PAGE_SIZE - offset_in_page(phys));
		u8 *from = kmap_local_page(pfn_to_page(PHYS_PFN(phys)));

		memcpy(to, from + offset_in_page(phys), len);
		kunmap_local(from);
		phys += len;
		to += len;
		size -= len;
	}
}

void san_block_paint(struct san_map *map)
{
	struct san_block *block = &map->block;
	size_t before = min(map->red, block->front);

	memset(block->vaddr + block->front - before, RED, before);
	memset(block->vaddr + block->back, RED, min(map->red, block->size - block->back));
}

static void fill(struct san_map *map)
{
	struct san_block *block = &map->block;

	san_block_paint(map);
	read_memory(map->phys, block->vaddr + block->front, map->size);
	memcpy(map->snapshot, block->vaddr + block->front, map->size);
}

static int give_to_hardware(struct san_device *san, struct san_map *map)
{
	struct device *twin = san->twin.dev;
	struct san_block *block = &map->block;

	block->addr = dma_map_page_attrs(twin, virt_to_page(block->vaddr), 0, block->size,
					 DMA_BIDIRECTIONAL, DMA_ATTR_NO_WARN);
	if (dma_mapping_error(twin, block->addr))
		return -ENOMEM;
	map->addr = block->addr + block->front;
	return 0;
}

static void free_memory(struct san_map *map)
{
	if (map->block.vaddr)
		free_pages_exact(map->block.vaddr, map->block.size);
	map->block.vaddr = NULL;
	kfree(map->snapshot);
	map->snapshot = NULL;
}

int san_block_make(struct san_device *san, struct san_map *map)
{
	gfp_t gfp = MAP_GFP | __GFP_NORETRY | zone(san->twin.real);

	if (map->size > (size_t)READ_ONCE(san_map_max_kb) * SZ_1K)
		return -ENOMEM;
	lay_out(san, map);
	if (!san_block_charge(san, map->block.size, false))
		return -ENOMEM;
	map->block.vaddr = alloc_pages_exact(map->block.size, gfp);
	if (map->block.vaddr && !make_snapshot(map)) {
		fill(map);
		if (!give_to_hardware(san, map))
			return 0;
	}
	free_memory(map);
	san_block_uncharge(san, map->block.size);
	return -ENOMEM;
}

void san_block_free(struct san_device *san, struct san_map *map)
{
	dma_unmap_page_attrs(san->twin.dev, map->block.addr, map->block.size,
			     DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
	free_memory(map);
	san_block_uncharge(san, map->block.size);
}

void san_block_for_cpu(struct san_device *san, struct san_map *map)
{
	dma_sync_single_for_cpu(san->twin.dev, map->block.addr, map->block.size,
				DMA_BIDIRECTIONAL);
}

void san_block_for_device(struct san_device *san, struct san_map *map)
{
	dma_sync_single_for_device(san->twin.dev, map->block.addr, map->block.size,
				   DMA_BIDIRECTIONAL);
}

/* Both ends are counted from the mapping's first byte, as the driver does. */
static void mend(struct san_map *map, size_t from, size_t to, u8 value, enum san_kind kind,
		 struct san_findings *findings)
{
	u8 *zone = map->block.vaddr + from, *bad, was[SAN_BYTES];
	struct san_finding *finding;
	size_t offset;

	bad = memchr_inv(zone, value, to - from);
	if (!bad)
		return;
	memset(was, value, sizeof(was));
	finding = san_find(findings, kind, map);
	offset = bad - map->block.vaddr - map->block.front;
	if (finding)
		san_find_bytes(finding, offset,
			       min_t(size_t, map->block.vaddr + to - bad, SAN_BYTES), was, bad);
	memset(zone, value, to - from);
}

void san_block_mend(struct san_map *map, struct san_findings *findings)
{
	struct san_block *block = &map->block;
	enum san_kind kind = map->type == SAN_BUFFER ? SAN_BUFFER_OVERRUN : SAN_OVERRUN;
	size_t before = min(map->red, block->front);
	size_t after = min(map->red, block->size - block->back);

	mend(map, block->front - before, block->front, RED, kind, findings);
	mend(map, block->back, block->back + after, RED, kind, findings);
}

void san_block_poison(struct san_map *map)
{
	memset(map->block.vaddr, POISON, map->block.size);
}

void san_block_check_poison(struct san_map *map, struct san_findings *findings)
{
	enum san_kind kind = map->type == SAN_BUFFER ? SAN_USE_AFTER_FREE : SAN_WRITE_AFTER_UNMAP;

	mend(map, 0, map->block.size, POISON, kind, findings);
}
