// SPDX-License-Identifier: GPL-2.0-only
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "core.h"

/* ---- memory ---- */

/*
 * Pages that don't hang together as one large page, so that each can be mapped to
 * user space and live on there. Large amounts may come from anywhere, if the
 * caller can sleep.
 */
static void *get_memory(size_t size, gfp_t gfp, bool one_piece)
{
	bool scatter = !one_piece && gfpflags_allow_blocking(gfp);
	void *vaddr;

	gfp = (gfp & ~(__GFP_COMP | __GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM)) | __GFP_ZERO;
	vaddr = alloc_pages_exact(size, gfp | __GFP_NOWARN | (scatter ? __GFP_NORETRY : 0));
	if (!vaddr && scatter)
		vaddr = __vmalloc(size, gfp | __GFP_NOWARN);
	return vaddr;
}

static void put_memory(void *vaddr, size_t size)
{
	if (is_vmalloc_addr(vaddr))
		vfree(vaddr);
	else
		free_pages_exact(vaddr, size);
}

static struct page *page_of(void *vaddr)
{
	return is_vmalloc_addr(vaddr) ? vmalloc_to_page(vaddr) : virt_to_page(vaddr);
}

void shadow_buffer_release(struct shadow_map *map)
{
	if (map->vaddr)
		put_memory(map->vaddr, PAGE_ALIGN(map->size));
}

/* ---- records ---- */

static struct shadow_map *record(enum shadow_kind kind, enum dma_data_direction dir, void *vaddr,
				 size_t size, gfp_t gfp)
{
	unsigned int extents = is_vmalloc_addr(vaddr) ? PAGE_ALIGN(size) >> PAGE_SHIFT : 1;
	struct shadow_map *map;
	size_t at, some;

	map = shadow_map_new(kind, dir, extents, gfp & ~(__GFP_COMP | __GFP_ZERO));
	if (!map)
		return NULL;
	map->vaddr = vaddr;
	for (at = 0; at < size; at += some) {
		some = extents > 1 ? min_t(size_t, size - at, PAGE_SIZE) : size;
		shadow_map_extend(map, page_to_phys(page_of(vaddr + at)), some);
	}
	return map;
}

static void *allocate(struct shadow_space *space, enum shadow_kind kind,
		      enum dma_data_direction dir, size_t size, dma_addr_t *addr, gfp_t gfp,
		      bool one_piece)
{
	struct shadow_map *map;
	void *vaddr;

	if (shadow_refused(space))
		return NULL;
	if (!size || PAGE_ALIGN(size) < size)
		goto failed;
	vaddr = get_memory(PAGE_ALIGN(size), gfp, one_piece);
	if (!vaddr)
		goto failed;
	map = record(kind, dir, vaddr, size, gfp);
	if (!map)
		goto no_record;
	if (shadow_map_add(space, map, shadow_coherent_limit(space), U64_MAX, 0))
		goto no_room;
	*addr = map->addr;
	return vaddr;

no_room:
	shadow_map_free(map);
no_record:
	put_memory(vaddr, PAGE_ALIGN(size));
failed:
	shadow_count(space, SHADOW_FAILED);
	return NULL;
}

static void give_back(struct shadow_space *space, enum shadow_kind kind,
		      enum dma_data_direction dir, size_t size, void *vaddr, dma_addr_t addr)
{
	struct shadow_map *map = shadow_map_take(space, addr, size, dir, kind);

	if (!map)
		return;
	if (map->vaddr != vaddr) {
		shadow_count(space, SHADOW_BAD_UNMAPS);
		dev_warn_ratelimited(space->dev, "freeing %pad: its memory is elsewhere\n", &addr);
	}
	/* Of memory that is going nobody wants to know what the device wrote. */
	shadow_map_end(space, map, DMA_ATTR_SKIP_CPU_SYNC);
}

void *shadow_buffer_alloc(struct shadow_space *space, size_t size, dma_addr_t *addr, gfp_t gfp,
			  unsigned long attrs)
{
	return allocate(space, SHADOW_BUFFER, DMA_BIDIRECTIONAL, size, addr, gfp,
			attrs & DMA_ATTR_FORCE_CONTIGUOUS);
}

void shadow_buffer_free(struct shadow_space *space, size_t size, void *vaddr, dma_addr_t addr)
{
	give_back(space, SHADOW_BUFFER, DMA_BIDIRECTIONAL, size, vaddr, addr);
}

void *shadow_pages_alloc(struct shadow_space *space, size_t size, dma_addr_t *addr,
			 enum dma_data_direction dir, gfp_t gfp)
{
	return allocate(space, SHADOW_PAGES, dir, size, addr, gfp, true);
}

void shadow_pages_free(struct shadow_space *space, size_t size, void *vaddr, dma_addr_t addr,
		       enum dma_data_direction dir)
{
	give_back(space, SHADOW_PAGES, dir, size, vaddr, addr);
}

/* ---- pages, to be mapped elsewhere ---- */

static int fill_pages(struct shadow_space *space, dma_addr_t addr, struct page **pages,
		      unsigned int count)
{
	struct shadow_map *map;
	unsigned int i;

	lockdep_assert_held(&space->lock);
	map = shadow_map_find(space, addr);
	if (!map || map->kind != SHADOW_BUFFER || map->addr != addr ||
	    count > PAGE_ALIGN(map->size) >> PAGE_SHIFT)
		return -ENXIO;
	for (i = 0; i < count; i++) {
		size_t len = 1;
		phys_addr_t phys = shadow_map_phys(map, (size_t)i << PAGE_SHIFT, &len);

		pages[i] = pfn_to_page(PHYS_PFN(phys));
	}
	return 0;
}

struct page **shadow_buffer_pages(struct shadow_space *space, dma_addr_t addr, size_t size,
				  unsigned int *count)
{
	size_t need = PAGE_ALIGN(size) >> PAGE_SHIFT;
	struct page **pages;
	unsigned long flags;
	int err;

	if (!need || need > INT_MAX)
		return ERR_PTR(-ENXIO);
	pages = kvmalloc_array(need, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return ERR_PTR(-ENOMEM);
	*count = need;
	flags = shadow_lock(space);
	err = fill_pages(space, addr, pages, need);
	shadow_unlock(space, flags);
	if (!err)
		return pages;
	kvfree(pages);
	return ERR_PTR(err);
}
