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
#include <linux/bitmap.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dmasan.h"

#define RED	0xc9
#define POISON	0xe7
#define MAP_GFP	(GFP_ATOMIC | __GFP_NOWARN)

#define SPARE_BYTES	SZ_4M	/* of blocks that are kept */
#define SPARE_TRIES	4	/* of one size that are looked at */

static size_t most_memory(void)
{
	return san_bytes(READ_ONCE(san_memory_kb));
}

bool san_block_charge(struct san_device *san, size_t size, bool must)
{
	size_t most = most_memory();
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
static bool wants_page_before(struct device *dev, phys_addr_t phys, size_t red)
{
	return offset_in_page(phys) < red && dma_get_seg_boundary(dev) >= SZ_16M - 1;
}

static void lay_out(struct san_device *san, struct san_block *block, phys_addr_t phys,
		    size_t size, size_t red)
{
	block->front = offset_in_page(phys);
	if (wants_page_before(san->twin.real, phys, red))
		block->front += PAGE_SIZE;
	block->back = block->front + size;
	block->size = PAGE_ALIGN(block->back + red);
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

/* How the memory lies in its words, the snapshot does. */
static size_t copy_size(phys_addr_t phys, size_t size)
{
	return size + (phys & (sizeof(long) - 1));
}

static size_t lines_of(const struct san_map *map)
{
	return DIV_ROUND_UP(map->size + (map->phys & (SAN_LINE - 1)), SAN_LINE);
}

/* More than is needed, for another mapping to find room there. */
static int make_copy(struct san_map *map)
{
	struct san_block *block = &map->block;

	block->room = max_t(size_t, roundup_pow_of_two(copy_size(map->phys, map->size)), SZ_2K);
	block->copy = kmalloc(block->room, MAP_GFP);
	if (!block->copy)
		return -ENOMEM;
	if (block->room / SAN_LINE + 2 <= SAN_FEW_LINES)
		return 0;
	block->bits = bitmap_alloc(block->room / SAN_LINE + 2, MAP_GFP);
	return block->bits ? 0 : -ENOMEM;
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

/* What is watched: the mapping's bytes with the red zones. */
static size_t first_red(const struct san_map *map)
{
	return map->block.front - min(map->red, map->block.front);
}

static size_t end_of_red(const struct san_map *map)
{
	return map->block.back + min(map->red, map->block.size - map->block.back);
}

void san_block_paint(struct san_map *map)
{
	struct san_block *block = &map->block;

	memset(block->vaddr + first_red(map), RED, block->front - first_red(map));
	memset(block->vaddr + block->back, RED, end_of_red(map) - block->back);
}

static void fill(struct san_map *map)
{
	struct san_block *block = &map->block;
	bool to_cpu = map->attrs & DMA_ATTR_SKIP_CPU_SYNC;

	map->snapshot = block->copy + (map->phys & (sizeof(long) - 1));
	map->in_cpu = block->bits ?: map->few;
	/* What is not synchronized when it is mapped is not the device's yet. */
	memset(map->in_cpu, to_cpu ? 0xff : 0, BITS_TO_LONGS(lines_of(map)) * sizeof(long));
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
	return dma_mapping_error(twin, block->addr) ? -ENOMEM : 0;
}

static void free_memory(struct san_map *map)
{
	struct san_block *block = &map->block;

	if (block->vaddr)
		free_pages_exact(block->vaddr, block->size);
	block->vaddr = NULL;
	bitmap_free(block->bits);
	block->bits = NULL;
	kfree(block->copy);
	block->copy = NULL;
}

static int make_anew(struct san_device *san, struct san_map *map)
{
	map->block.zone = zone(san->twin.real);
	map->block.vaddr = alloc_pages_exact(map->block.size,
					     MAP_GFP | __GFP_NORETRY | map->block.zone);
	if (map->block.vaddr && !make_copy(map)) {
		fill(map);
		if (!give_to_hardware(san, map))
			return 0;
	}
	free_memory(map);
	return -ENOMEM;
}

/* What is kept for others is given up for this one. */
static bool charge(struct san_device *san, size_t size)
{
	if (san_block_charge(san, size, false))
		return true;
	san_block_drop(san);
	return san_block_charge(san, size, false);
}

static bool is_too_long(size_t size)
{
	return size > san_bytes(READ_ONCE(san_map_max_kb));
}

/* It has its block already, and is laid out. */
static void make_again(struct san_device *san, struct san_map *map)
{
	fill(map);
	san_block_for_device(san, map);
	map->addr = map->block.addr + map->block.front;
}

int san_block_make(struct san_device *san, struct san_map *map)
{
	if (map->block.vaddr) {
		make_again(san, map);
		return 0;
	}
	if (is_too_long(map->size))
		return -ENOMEM;
	map->red = san_block_red();
	lay_out(san, &map->block, map->phys, map->size, map->red);
	if (!charge(san, map->block.size))
		return -ENOMEM;
	if (make_anew(san, map)) {
		san_block_uncharge(san, map->block.size);
		return -ENOMEM;
	}
	map->addr = map->block.addr + map->block.front;
	return 0;
}

static void free_block(struct san_device *san, struct san_map *map)
{
	dma_unmap_page_attrs(san->twin.dev, map->block.addr, map->block.size,
			     DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
	free_memory(map);
	san_block_uncharge(san, map->block.size);
	san_map_free(map);
}

/* ---- blocks that are kept ---- */

/* The list for blocks of that size; false if they are too large. */
static bool find_list(size_t size, unsigned int *list)
{
	*list = (size >> PAGE_SHIFT) - 1;
	return *list < SAN_SPARE_PAGES;
}

/* The driver may have set another mask since it was made. */
static bool does_fit(struct san_device *san, const struct san_map *map, size_t copy)
{
	const struct san_block *block = &map->block;

	return block->room >= copy && block->room <= 4 * max_t(size_t, copy, SZ_2K) &&
	       block->zone == zone(san->twin.real) &&
	       block->addr + block->size - 1 <= dma_get_mask(san->twin.real);
}

static struct san_map *take_spare(struct san_device *san, unsigned int list, size_t copy)
{
	struct san_map *map, *found = NULL;
	unsigned long flags;
	int tries = SPARE_TRIES;

	write_lock_irqsave(&san->lock, flags);
	list_for_each_entry(map, &san->spare[list], quarantine) {
		if (does_fit(san, map, copy)) {
			found = map;
			list_del(&map->quarantine);
			san->spared -= map->block.size;
			break;
		}
		if (!--tries)
			break;
	}
	write_unlock_irqrestore(&san->lock, flags);
	return found;
}

/* As if it were new, with what it has of memory. */
static void renew(struct san_map *map, const struct san_block *layout, size_t red)
{
	struct san_block block = map->block;

	block.front = layout->front;
	block.back = layout->back;
	memset(map, 0, sizeof(*map));
	map->block = block;
	map->red = red;
}

struct san_map *san_block_spare(struct san_device *san, phys_addr_t phys, size_t size)
{
	size_t red = san_block_red();
	struct san_block layout;
	struct san_map *map;
	unsigned int list;

	/* What is kept since more was allowed makes room for others. */
	if (is_too_long(size) || READ_ONCE(san->held) > most_memory())
		return NULL;
	lay_out(san, &layout, phys, size, red);
	if (!find_list(layout.size, &list))
		return NULL;
	map = take_spare(san, list, copy_size(phys, size));
	if (map)
		renew(map, &layout, red);
	return map;
}

/* False if there are enough of them. */
static bool keep(struct san_device *san, struct san_map *map)
{
	unsigned long flags;
	unsigned int list;
	bool kept;

	if (!find_list(map->block.size, &list))
		return false;
	write_lock_irqsave(&san->lock, flags);
	kept = !san->dying && san->spared < SPARE_BYTES;
	if (kept) {
		list_add(&map->quarantine, &san->spare[list]);
		san->spared += map->block.size;
	}
	write_unlock_irqrestore(&san->lock, flags);
	return kept;
}

void san_block_free(struct san_device *san, struct san_map *map)
{
	if (!keep(san, map))
		free_block(san, map);
}

static void drop_list(struct san_device *san, unsigned int list)
{
	struct san_map *map, *next;
	unsigned long flags;
	LIST_HEAD(dropped);

	write_lock_irqsave(&san->lock, flags);
	list_splice_init(&san->spare[list], &dropped);
	list_for_each_entry(map, &dropped, quarantine)
		san->spared -= map->block.size;
	write_unlock_irqrestore(&san->lock, flags);
	list_for_each_entry_safe(map, next, &dropped, quarantine)
		free_block(san, map);
}

void san_block_drop(struct san_device *san)
{
	unsigned int i;

	for (i = 0; i < SAN_SPARE_PAGES; i++)
		drop_list(san, i);
}

/* ---- what the hardware sees ---- */

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

	if (san_is_all(zone, value, to - from))
		return;
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
	enum san_kind kind = map->type == SAN_BUFFER ? SAN_BUFFER_OVERRUN : SAN_OVERRUN;

	mend(map, first_red(map), map->block.front, RED, kind, findings);
	mend(map, map->block.back, end_of_red(map), RED, kind, findings);
}

void san_block_poison(struct san_map *map)
{
	size_t from = first_red(map);

	memset(map->block.vaddr + from, POISON, end_of_red(map) - from);
}

void san_block_check_poison(struct san_map *map, struct san_findings *findings)
{
	enum san_kind kind = map->type == SAN_BUFFER ? SAN_USE_AFTER_FREE : SAN_WRITE_AFTER_UNMAP;

	mend(map, first_red(map), end_of_red(map), POISON, kind, findings);
}
