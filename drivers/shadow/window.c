// SPDX-License-Identifier: GPL-2.0-only
#include <linux/export.h>
#include <linux/highmem.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mm.h>

#include "core.h"

unsigned long shadow_lock(struct shadow_space *space)
	__acquires(&space->lock)
{
	unsigned long flags;

	read_lock_irqsave(&space->lock, flags);
	return flags;
}
EXPORT_SYMBOL_GPL(shadow_lock);

void shadow_unlock(struct shadow_space *space, unsigned long flags)
	__releases(&space->lock)
{
	read_unlock_irqrestore(&space->lock, flags);
}
EXPORT_SYMBOL_GPL(shadow_unlock);

static bool allows(const struct shadow_map *map, bool write)
{
	return map->dir == DMA_BIDIRECTIONAL ||
	       map->dir == (write ? DMA_FROM_DEVICE : DMA_TO_DEVICE);
}

static void *fail(struct shadow_space *space, struct shadow_window *w, enum shadow_fault fault)
{
	shadow_count(space, fault == SHADOW_DENIED ? SHADOW_COUNT_DENIED : SHADOW_COUNT_UNMAPPED);
	w->fault = fault;
	w->len = 0;
	return NULL;
}

/* Memory that the CPU has no address of is shown page by page. */
static void *open_memory(const struct shadow_map *map, size_t offset, struct shadow_window *w)
{
	phys_addr_t phys = shadow_map_phys(map, offset, &w->len);
	struct page *page = pfn_to_page(PHYS_PFN(phys));

	if (!IS_ENABLED(CONFIG_HIGHMEM))
		return (char *)page_address(page) + offset_in_page(phys);
	w->len = min_t(size_t, w->len, PAGE_SIZE - offset_in_page(phys));
	w->kmap = kmap_local_page(page);
	return (char *)w->kmap + offset_in_page(phys);
}

static void *open_window(struct shadow_space *space, dma_addr_t addr, bool write,
			 struct shadow_window *w)
{
	struct shadow_map *map = shadow_map_find(space, addr);
	size_t offset;

	if (!map)
		return fail(space, w, SHADOW_UNMAPPED);
	if (!allows(map, write))
		return fail(space, w, SHADOW_DENIED);
	offset = addr - map->addr;
	w->len = min(w->len, map->size - offset);
	if (map->copy)
		return shadow_copy_at(map->copy, offset, &w->len);
	return open_memory(map, offset, w);
}

void shadow_open(struct shadow_space *space, dma_addr_t addr, size_t want, bool write,
		 struct shadow_window *w)
{
	lockdep_assert_held(&space->lock);
	*w = (struct shadow_window){ .len = want, .fault = SHADOW_OK };
	if (want)
		w->ptr = open_window(space, addr, write, w);
}
EXPORT_SYMBOL_GPL(shadow_open);

void shadow_close(struct shadow_window *w)
{
	if (w->kmap)
		kunmap_local(w->kmap);
	w->kmap = NULL;
}
EXPORT_SYMBOL_GPL(shadow_close);
