// SPDX-License-Identifier: GPL-2.0-only
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "core.h"

/* The lock is held for as long as it takes to carry so much. */
#define SYNC_MAX	SZ_64K

/* ---- records ---- */

struct shadow_map *shadow_map_new(enum shadow_kind kind, enum dma_data_direction dir,
				  unsigned int extents, gfp_t gfp)
{
	struct shadow_map *map = NULL;
	size_t size = struct_size(map, extent, extents);

	/* Only who can sleep may get memory that is not in one piece. */
	if (gfpflags_allow_blocking(gfp))
		map = kvzalloc(size, gfp | __GFP_NOWARN);
	else
		map = kzalloc(size, gfp | __GFP_NOWARN);
	if (!map)
		return NULL;
	map->kind = kind;
	map->dir = dir;
	spin_lock_init(&map->copy_lock);
	return map;
}

void shadow_map_extend(struct shadow_map *map, phys_addr_t phys, size_t size)
{
	struct shadow_extent *last = &map->extent[map->count];

	if (!map->count || last[-1].phys + (map->size - last[-1].start) != phys) {
		last->start = map->size;
		last->phys = phys;
		map->count++;
	}
	map->size += size;
}

void shadow_map_free(struct shadow_map *map)
{
	shadow_copy_free(map->copy);
	kvfree(map);
}

phys_addr_t shadow_map_phys(const struct shadow_map *map, size_t offset, size_t *len)
{
	unsigned int low = 0, high = map->count;
	size_t end;

	while (high - low > 1) {
		unsigned int middle = low + (high - low) / 2;

		if (map->extent[middle].start <= offset)
			low = middle;
		else
			high = middle;
	}
	end = low + 1 < map->count ? map->extent[low + 1].start : map->size;
	*len = min(*len, end - offset);
	return map->extent[low].phys + (offset - map->extent[low].start);
}

static bool is_streaming(const struct shadow_map *map)
{
	return map->kind == SHADOW_SINGLE || map->kind == SHADOW_SG;
}

/* ---- the space's mappings ---- */

static void enter(struct shadow_space *space, struct shadow_map *map)
{
	lockdep_assert_held_write(&space->lock);
	if (is_streaming(map))
		space->maps++;
	else
		space->allocs++;
	space->live_bytes += map->size;
}

static void leave(struct shadow_space *space, struct shadow_map *map)
{
	lockdep_assert_held_write(&space->lock);
	shadow_iova_give(&space->iova, &map->range);
	if (is_streaming(map))
		space->unmaps++;
	else
		space->frees++;
	space->live_bytes -= map->size;
}

static int take_addresses(struct shadow_space *space, struct shadow_map *map, u64 limit,
			  u64 boundary)
{
	enum shadow_iova_use use = is_streaming(map) ? SHADOW_IOVA_STREAMING :
						       SHADOW_IOVA_COHERENT;
	size_t offset = offset_in_page(map->extent[0].phys);
	u64 size = round_up((u64)offset + map->size, (u64)PAGE_SIZE);
	unsigned long flags;
	int err;

	write_lock_irqsave(&space->lock, flags);
	err = shadow_iova_take(&space->iova, use, limit, size, boundary, &map->range);
	if (!err) {
		map->addr = map->range.start + offset;
		enter(space, map);
	}
	write_unlock_irqrestore(&space->lock, flags);
	return err;
}

/* Before it is known, so that the device sees nothing half done. */
static int add_copy(struct shadow_space *space, struct shadow_map *map, unsigned long attrs)
{
	map->copy = shadow_copy_new(map->extent[0].phys, map->size, space->params.line);
	if (!map->copy)
		return -ENOMEM;
	if (!(attrs & DMA_ATTR_SKIP_CPU_SYNC))
		shadow_copy_to_device(map->copy, 0, map->size, DMA_BIDIRECTIONAL);
	return 0;
}

int shadow_map_add(struct shadow_space *space, struct shadow_map *map, u64 limit, u64 boundary,
		   unsigned long attrs)
{
	int err = 0;

	if (space->params.view == SHADOW_NONCOHERENT && map->kind != SHADOW_BUFFER)
		err = add_copy(space, map, attrs);
	if (!err)
		err = take_addresses(space, map, limit, boundary);
	return err;
}

struct shadow_map *shadow_map_find(struct shadow_space *space, dma_addr_t addr)
{
	struct shadow_range *range;
	struct shadow_map *map;

	lockdep_assert_held(&space->lock);
	range = shadow_iova_find(&space->iova, addr);
	if (!range)
		return NULL;
	map = container_of(range, struct shadow_map, range);
	return addr >= map->addr && addr - map->addr < map->size ? map : NULL;
}

static void complain_unmap(struct shadow_space *space, dma_addr_t addr, size_t size,
			   const char *what)
{
	shadow_count(space, SHADOW_BAD_UNMAPS);
	dev_warn_ratelimited(space->dev, "unmapping %zu bytes at %pad: %s\n", size, &addr, what);
}

/* Streaming mappings only; memory of ours goes by the function that it came by. */
static bool may_take(const struct shadow_map *map, enum shadow_kind kind)
{
	if (is_streaming(map))
		return kind == SHADOW_SINGLE || kind == SHADOW_SG;
	return kind == map->kind;
}

struct shadow_map *shadow_map_take(struct shadow_space *space, dma_addr_t addr, size_t size,
				   enum dma_data_direction dir, enum shadow_kind kind)
{
	struct shadow_map *map;
	unsigned long flags;

	write_lock_irqsave(&space->lock, flags);
	map = shadow_map_find(space, addr);
	if (map && (map->addr != addr || !may_take(map, kind)))
		map = NULL;
	if (map)
		leave(space, map);
	write_unlock_irqrestore(&space->lock, flags);

	if (!map)
		complain_unmap(space, addr, size, "no such mapping begins there");
	else if (map->size != size)
		complain_unmap(space, addr, size, "it was mapped with another size");
	else if (map->dir != dir)
		complain_unmap(space, addr, size, "it was mapped in another direction");
	else if (map->kind != kind)
		complain_unmap(space, addr, size, "it was mapped by another function");
	return map;
}

void shadow_map_end(struct shadow_space *space, struct shadow_map *map, unsigned long attrs)
{
	unsigned int lost;

	if (map->copy && !(attrs & DMA_ATTR_SKIP_CPU_SYNC)) {
		lost = shadow_copy_to_cpu(map->copy, 0, map->size, map->dir);
		atomic64_add(lost, &space->count[SHADOW_SHARED_LINES]);
	}
	shadow_buffer_release(map);
	shadow_map_free(map);
}

bool shadow_refused(struct shadow_space *space)
{
	if (!space->params.refuse || !space->params.refuse(space->params.ctx))
		return false;
	shadow_count(space, SHADOW_REFUSED);
	return true;
}

static u64 limit_of(struct shadow_space *space, u64 mask)
{
	return min(min_not_zero(mask, space->dev->bus_dma_limit), space->params.mask);
}

u64 shadow_limit(struct shadow_space *space)
{
	return limit_of(space, dma_get_mask(space->dev));
}

u64 shadow_coherent_limit(struct shadow_space *space)
{
	return limit_of(space, space->dev->coherent_dma_mask);
}

/* ---- single mappings ---- */

bool shadow_is_memory(phys_addr_t phys, size_t size)
{
	phys_addr_t last = phys + size - 1;

	return size && last >= phys && pfn_valid(PHYS_PFN(phys)) && pfn_valid(PHYS_PFN(last));
}

/* What can't be cached is not for this view; the kernel asks so on the client's behalf. */
static bool possible(struct shadow_space *space, phys_addr_t phys, size_t size,
		     unsigned long attrs)
{
	if (space->params.view == SHADOW_NONCOHERENT && (attrs & DMA_ATTR_REQUIRE_COHERENT))
		return false;
	return shadow_is_memory(phys, size);
}

dma_addr_t shadow_map_single(struct shadow_space *space, phys_addr_t phys, size_t size,
			     enum dma_data_direction dir, unsigned long attrs)
{
	struct shadow_map *map;

	if (shadow_refused(space))
		return DMA_MAPPING_ERROR;
	if (!possible(space, phys, size, attrs))
		goto failed;
	map = shadow_map_new(SHADOW_SINGLE, dir, 1, GFP_ATOMIC);
	if (!map)
		goto failed;
	shadow_map_extend(map, phys, size);
	if (!shadow_map_add(space, map, shadow_limit(space), U64_MAX, attrs))
		return map->addr;
	shadow_map_free(map);
failed:
	shadow_count(space, SHADOW_FAILED);
	return DMA_MAPPING_ERROR;
}

void shadow_unmap_single(struct shadow_space *space, dma_addr_t addr, size_t size,
			 enum dma_data_direction dir, unsigned long attrs)
{
	struct shadow_map *map = shadow_map_take(space, addr, size, dir, SHADOW_SINGLE);

	if (map)
		shadow_map_end(space, map, attrs);
}

dma_addr_t shadow_map_registers(struct shadow_space *space, phys_addr_t phys, size_t size)
{
	phys_addr_t last = phys + size - 1;

	if (shadow_refused(space))
		return DMA_MAPPING_ERROR;
	if (size && last >= phys && last <= shadow_limit(space))
		return phys;
	shadow_count(space, SHADOW_FAILED);
	return DMA_MAPPING_ERROR;
}

/* ---- synchronization ---- */

static void sync_copy(struct shadow_space *space, struct shadow_map *map, size_t offset,
		      size_t size, enum dma_data_direction dir, bool to_device)
{
	unsigned int lost;

	if (!map->copy)
		return;
	spin_lock(&map->copy_lock);
	if (to_device)
		lost = shadow_copy_to_device(map->copy, offset, size, dir);
	else
		lost = shadow_copy_to_cpu(map->copy, offset, size, dir);
	spin_unlock(&map->copy_lock);
	atomic64_add(lost, &space->count[SHADOW_SHARED_LINES]);
}

/*
 * Does the first part of a range, whole lines, and returns its size, 0 if nothing
 * is mapped there. @wrong is set if the direction is.
 */
static size_t sync_some(struct shadow_space *space, dma_addr_t addr, size_t size,
			enum dma_data_direction dir, bool to_device, bool *wrong)
{
	struct shadow_map *map;
	unsigned long flags;
	size_t some = 0;

	flags = shadow_lock(space);
	map = shadow_map_find(space, addr);
	if (map && map->kind != SHADOW_BUFFER) {
		some = min_t(size_t, SYNC_MAX - (addr & (SYNC_MAX - 1)), size);
		some = min_t(size_t, some, map->size - (addr - map->addr));
		if (map->dir != dir && map->dir != DMA_BIDIRECTIONAL) {
			dir = map->dir;
			*wrong = true;
		}
		sync_copy(space, map, addr - map->addr, some, dir, to_device);
	}
	shadow_unlock(space, flags);
	return some;
}

void shadow_sync(struct shadow_space *space, dma_addr_t addr, size_t size,
		 enum dma_data_direction dir, bool to_device)
{
	const char *what = "no streaming mapping is there";
	dma_addr_t at = addr;
	bool wrong = false;
	size_t left, some;

	for (left = size; left; left -= some) {
		some = sync_some(space, at, left, dir, to_device, &wrong);
		if (!some)
			break;
		at += some;
	}
	if (!left && !wrong)
		return;
	if (left && at != addr)
		what = "it goes beyond the mapping";
	else if (!left)
		what = "it was mapped in another direction";
	shadow_count(space, SHADOW_BAD_SYNCS);
	dev_warn_ratelimited(space->dev, "synchronizing %zu bytes at %pad: %s\n", size, &addr,
			     what);
}
