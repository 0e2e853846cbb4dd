// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA operations: find the space of the device, and call what does the work.
 */
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "core.h"

static struct shadow_space *space_of(struct device *dev)
{
	return container_of(get_dma_ops(dev), struct shadow_space, ops);
}

static dma_addr_t op_map_resource(struct device *dev, phys_addr_t phys, size_t size,
				  enum dma_data_direction dir, unsigned long attrs)
{
	return shadow_map_registers(space_of(dev), phys, size);
}

static dma_addr_t op_map_phys(struct device *dev, phys_addr_t phys, size_t size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	if (attrs & DMA_ATTR_MMIO)
		return op_map_resource(dev, phys, size, dir, attrs);
	return shadow_map_single(space_of(dev), phys, size, dir, attrs);
}

static void op_unmap_phys(struct device *dev, dma_addr_t addr, size_t size,
			  enum dma_data_direction dir, unsigned long attrs)
{
	if (!(attrs & DMA_ATTR_MMIO))
		shadow_unmap_single(space_of(dev), addr, size, dir, attrs);
}

static int op_map_sg(struct device *dev, struct scatterlist *sgl, int nents,
		     enum dma_data_direction dir, unsigned long attrs)
{
	return shadow_map_list(space_of(dev), sgl, nents, dir, attrs);
}

static void op_unmap_sg(struct device *dev, struct scatterlist *sgl, int nents,
			enum dma_data_direction dir, unsigned long attrs)
{
	shadow_unmap_list(space_of(dev), sgl, nents, dir, attrs);
}

static void op_sync_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
			    enum dma_data_direction dir)
{
	shadow_sync(space_of(dev), addr, size, dir, false);
}

static void op_sync_for_device(struct device *dev, dma_addr_t addr, size_t size,
			       enum dma_data_direction dir)
{
	shadow_sync(space_of(dev), addr, size, dir, true);
}

static void op_sync_sg_for_cpu(struct device *dev, struct scatterlist *sgl, int nents,
			       enum dma_data_direction dir)
{
	shadow_sync_list(space_of(dev), sgl, nents, dir, false);
}

static void op_sync_sg_for_device(struct device *dev, struct scatterlist *sgl, int nents,
				  enum dma_data_direction dir)
{
	shadow_sync_list(space_of(dev), sgl, nents, dir, true);
}

static void *op_alloc(struct device *dev, size_t size, dma_addr_t *addr, gfp_t gfp,
		      unsigned long attrs)
{
	return shadow_buffer_alloc(space_of(dev), size, addr, gfp, attrs);
}

static void op_free(struct device *dev, size_t size, void *vaddr, dma_addr_t addr,
		    unsigned long attrs)
{
	shadow_buffer_free(space_of(dev), size, vaddr, addr);
}

static struct page *op_alloc_pages(struct device *dev, size_t size, dma_addr_t *addr,
				   enum dma_data_direction dir, gfp_t gfp)
{
	void *vaddr = shadow_pages_alloc(space_of(dev), size, addr, dir, gfp);

	return vaddr ? virt_to_page(vaddr) : NULL;
}

static void op_free_pages(struct device *dev, size_t size, struct page *page, dma_addr_t addr,
			  enum dma_data_direction dir)
{
	shadow_pages_free(space_of(dev), size, page_address(page), addr, dir);
}

/* The protection stays that of ordinary memory, which it is for the CPU. */
static int op_mmap(struct device *dev, struct vm_area_struct *vma, void *vaddr, dma_addr_t addr,
		   size_t size, unsigned long attrs)
{
	unsigned int count;
	struct page **pages;
	int err;

	pages = shadow_buffer_pages(space_of(dev), addr, size, &count);
	if (IS_ERR(pages))
		return PTR_ERR(pages);
	err = vm_map_pages(vma, pages, count);
	kvfree(pages);
	return err;
}

static int op_get_sgtable(struct device *dev, struct sg_table *sgt, void *vaddr, dma_addr_t addr,
			  size_t size, unsigned long attrs)
{
	unsigned int count;
	struct page **pages;
	int err;

	pages = shadow_buffer_pages(space_of(dev), addr, size, &count);
	if (IS_ERR(pages))
		return PTR_ERR(pages);
	err = sg_alloc_table_from_pages(sgt, pages, count, 0, size, GFP_KERNEL);
	kvfree(pages);
	return err;
}

static int op_dma_supported(struct device *dev, u64 mask)
{
	return shadow_iova_room(min(mask, space_of(dev)->params.mask)) > 0;
}

static u64 op_get_required_mask(struct device *dev)
{
	return min(DMA_BIT_MASK(32), space_of(dev)->params.mask);
}

static size_t op_max_mapping_size(struct device *dev)
{
	u64 room = shadow_iova_room(shadow_limit(space_of(dev)));

	/* Wherever in its first page the memory begins. */
	return min_t(u64, room > PAGE_SIZE ? room - PAGE_SIZE : room, SIZE_MAX);
}

static unsigned long op_get_merge_boundary(struct device *dev)
{
	return space_of(dev)->params.view == SHADOW_IOMMU ? PAGE_SIZE - 1 : 0;
}

COMPAT_DMA_MAP_OPS(op_map_phys)

const struct dma_map_ops shadow_ops = {
	COMPAT_DMA_MAP_MEMBERS(op_map_phys, op_unmap_phys, op_map_resource),
	COMPAT_DMA_ALLOC_PAGES(op_alloc_pages),
	.free_pages = op_free_pages,
	.alloc = op_alloc,
	.free = op_free,
	.mmap = op_mmap,
	.get_sgtable = op_get_sgtable,
	.map_sg = op_map_sg,
	.unmap_sg = op_unmap_sg,
	.sync_single_for_cpu = op_sync_for_cpu,
	.sync_single_for_device = op_sync_for_device,
	.sync_sg_for_cpu = op_sync_sg_for_cpu,
	.sync_sg_for_device = op_sync_sg_for_device,
	.dma_supported = op_dma_supported,
	.get_required_mask = op_get_required_mask,
	.max_mapping_size = op_max_mapping_size,
	.get_merge_boundary = op_get_merge_boundary,
};
