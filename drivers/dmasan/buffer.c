// SPDX-License-Identifier: GPL-2.0-only
/*
 * Coherent buffers, with a red zone before and after. Both sides see them all the
 * time, so who has written there can't be told.
 *
 * They are aligned to their size, up to SAN_ALIGNED, and drivers rely on that: so
 * much lies before the buffer.
 */
#include <linux/dma-mapping.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "dmasan.h"

/* What is longer has a red zone after it only. */
#define SAN_ALIGNED	SZ_64K

static size_t front_of(size_t size)
{
	size_t aligned = PAGE_SIZE << get_order(size);

	return aligned <= SAN_ALIGNED ? aligned : 0;
}

static void lay_out(struct san_map *map, unsigned long attrs)
{
	struct san_block *block = &map->block;

	map->red = san_block_red();
	block->front = front_of(map->size);
	block->back = block->front + map->size;
	block->size = PAGE_ALIGN(block->back + map->red);
	/* Nobody but the device has an address of it. */
	if (attrs & DMA_ATTR_NO_KERNEL_MAPPING) {
		block->front = 0;
		block->size = map->size;
	}
}

static bool is_bare(const struct san_map *map)
{
	return map->attrs & DMA_ATTR_NO_KERNEL_MAPPING;
}

static void *get_memory(struct san_device *san, struct san_map *map, gfp_t gfp)
{
	struct san_block *block = &map->block;

	shadow_twin_refresh(&san->twin);
	if (!san_block_charge(san, block->size, false))
		return NULL;
	/* With red zones it may be too much for the allocator, which is no reason to warn. */
	block->vaddr = dma_alloc_attrs(san->twin.dev, block->size, &block->addr,
				       gfp | __GFP_NOWARN, map->attrs);
	if (!block->vaddr) {
		san_block_uncharge(san, block->size);
		return NULL;
	}
	map->addr = block->addr + block->front;
	map->vaddr = block->vaddr + block->front;
	if (!is_bare(map))
		san_block_paint(map);
	return map->vaddr;
}

/* Without red zones there may be enough. */
static void *get_bare(struct san_device *san, struct san_map *map, gfp_t gfp)
{
	struct san_block *block = &map->block;

	map->red = 0;
	block->front = 0;
	block->back = map->size;
	block->size = map->size;
	block->vaddr = dma_alloc_attrs(san->twin.dev, block->size, &block->addr, gfp, map->attrs);
	if (!block->vaddr)
		return NULL;
	san_block_charge(san, block->size, true);
	san_count(san, SAN_COUNT_UNSHADOWED);
	map->addr = block->addr;
	map->vaddr = block->vaddr;
	return map->vaddr;
}

void *san_buffer_alloc(struct san_device *san, size_t size, dma_addr_t *addr, gfp_t gfp,
		       unsigned long attrs)
{
	struct san_map *map;

	if (!size || size > SIZE_MAX / 4 || san_inject(san))
		return NULL;
	/* Whoever must not wait for a disk, or at all, must not here. */
	map = san_map_new(SAN_BUFFER, DMA_BIDIRECTIONAL, gfp & (GFP_KERNEL | GFP_ATOMIC));
	if (!map)
		return NULL;
	map->size = size;
	map->attrs = attrs;
	lay_out(map, attrs);
	if (!get_memory(san, map, gfp) && !get_bare(san, map, gfp)) {
		san_map_free(map);
		return NULL;
	}
	san_count(san, SAN_COUNT_BUFFERS);
	*addr = map->addr;
	san_map_publish(san, map);
	return map->vaddr;
}

void san_buffer_release(struct san_device *san, struct san_map *map)
{
	dma_free_attrs(san->twin.dev, map->block.size, map->block.vaddr, map->block.addr,
		       map->attrs);
	san_block_uncharge(san, map->block.size);
}

void san_buffer_free(struct san_device *san, size_t size, void *vaddr, dma_addr_t addr,
		     unsigned long attrs)
{
	struct san_map *map = san_map_take(san, addr, size, DMA_BIDIRECTIONAL, SAN_BUFFER);
	struct san_findings findings = {};

	if (!map)
		return;
	if (map->vaddr != vaddr)
		san_find(&findings, SAN_BAD_FREE, map);
	if (is_bare(map)) {
		san_buffer_release(san, map);
		san_map_free(map);
	} else {
		san_block_mend(map, &findings);
		san_quarantine_add(san, map);
	}
	san_report_all(san, &findings);
}

/* ---- to be mapped elsewhere ---- */

/* The block's, of which the buffer is a part; false if there is no such buffer. */
static bool get_block(struct san_device *san, dma_addr_t addr, size_t size,
		      struct san_block *block)
{
	struct san_map *map;
	unsigned long flags;

	read_lock_irqsave(&san->lock, flags);
	map = san_tree_at(&san->maps, addr, size, DMA_BIDIRECTIONAL);
	if (map && (map->type != SAN_BUFFER || PAGE_ALIGN(size) > PAGE_ALIGN(map->size)))
		map = NULL;
	if (map)
		*block = map->block;
	read_unlock_irqrestore(&san->lock, flags);
	return map;
}

int san_buffer_mmap(struct san_device *san, struct vm_area_struct *vma, void *vaddr,
		    dma_addr_t addr, size_t size, unsigned long attrs)
{
	unsigned long pgoff = vma->vm_pgoff;
	struct san_block block;
	size_t pages = PAGE_ALIGN(size) >> PAGE_SHIFT;
	int err;

	if (!get_block(san, addr, size, &block))
		return -ENXIO;
	/* The red zones are not the user's. */
	if (pgoff >= pages || vma_pages(vma) > pages - pgoff)
		return -ENXIO;
	vma->vm_pgoff += block.front >> PAGE_SHIFT;
	err = dma_mmap_attrs(san->twin.dev, vma, block.vaddr, block.addr, block.size, attrs);
	vma->vm_pgoff = pgoff;
	return err;
}

static void fill_pages(struct page **pages, size_t count, u8 *vaddr)
{
	size_t i;

	for (i = 0; i < count; i++, vaddr += PAGE_SIZE)
		pages[i] = is_vmalloc_addr(vaddr) ? vmalloc_to_page(vaddr) : virt_to_page(vaddr);
}

int san_buffer_table(struct san_device *san, struct sg_table *sgt, void *vaddr,
		     dma_addr_t addr, size_t size, unsigned long attrs)
{
	size_t count = PAGE_ALIGN(size) >> PAGE_SHIFT;
	struct san_block block;
	struct page **pages;
	int err;

	if (!get_block(san, addr, size, &block) || !count)
		return -ENXIO;
	if (attrs & DMA_ATTR_NO_KERNEL_MAPPING)
		return dma_get_sgtable_attrs(san->twin.dev, sgt, vaddr, addr, size, attrs);
	pages = kvmalloc_array(count, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;
	fill_pages(pages, count, block.vaddr + block.front);
	err = sg_alloc_table_from_pages(sgt, pages, count, 0, size, GFP_KERNEL);
	kvfree(pages);
	return err;
}

/* ---- pages that are mapped ---- */

void *san_pages_alloc(struct san_device *san, size_t size, dma_addr_t *addr,
		      enum dma_data_direction dir, gfp_t gfp)
{
	void *vaddr;

	if (!size || san_inject(san))
		return NULL;
	vaddr = alloc_pages_exact(size, gfp | __GFP_ZERO);
	if (!vaddr)
		return NULL;
	*addr = san_map_memory(san, virt_to_phys(vaddr), size, dir, 0, SAN_PAGES, 0);
	if (*addr != DMA_MAPPING_ERROR)
		return vaddr;
	free_pages_exact(vaddr, size);
	return NULL;
}

void san_pages_free(struct san_device *san, size_t size, void *vaddr, dma_addr_t addr,
		    enum dma_data_direction dir)
{
	san_unmap_memory(san, addr, size, dir, DMA_ATTR_SKIP_CPU_SYNC, SAN_PAGES);
	free_pages_exact(vaddr, size);
}
