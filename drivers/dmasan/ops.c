// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA operations: find what we have of the device, and call what does the work.
 */
#include <linux/dma-mapping.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/mm.h>

#include "dmasan.h"

static struct san_device *device_of(struct device *dev)
{
	return container_of(get_dma_ops(dev), struct san_device, ops);
}

static dma_addr_t op_map_resource(struct device *dev, phys_addr_t phys, size_t size,
				  enum dma_data_direction dir, unsigned long attrs)
{
	return san_map_registers(device_of(dev), phys, size, dir, attrs);
}

static dma_addr_t op_map_phys(struct device *dev, phys_addr_t phys, size_t size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	struct san_device *san = device_of(dev);

	if (attrs & DMA_ATTR_MMIO)
		return op_map_resource(dev, phys, size, dir, attrs);
	if (san_inject(san))
		return DMA_MAPPING_ERROR;
	return san_map_memory(san, phys, size, dir, attrs, SAN_SINGLE, 0);
}

static void op_unmap_resource(struct device *dev, dma_addr_t addr, size_t size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	san_unmap_registers(device_of(dev), addr, size, dir, attrs);
}

static void op_unmap_phys(struct device *dev, dma_addr_t addr, size_t size,
			  enum dma_data_direction dir, unsigned long attrs)
{
	if (attrs & DMA_ATTR_MMIO)
		op_unmap_resource(dev, addr, size, dir, attrs);
	else
		san_unmap_memory(device_of(dev), addr, size, dir, attrs, SAN_SINGLE);
}

static int op_map_sg(struct device *dev, struct scatterlist *sgl, int nents,
		     enum dma_data_direction dir, unsigned long attrs)
{
	return san_map_list(device_of(dev), sgl, nents, dir, attrs);
}

static void op_unmap_sg(struct device *dev, struct scatterlist *sgl, int nents,
			enum dma_data_direction dir, unsigned long attrs)
{
	san_unmap_list(device_of(dev), sgl, nents, dir, attrs);
}

static void op_sync_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
			    enum dma_data_direction dir)
{
	san_sync(device_of(dev), addr, size, dir, false);
}

static void op_sync_for_device(struct device *dev, dma_addr_t addr, size_t size,
			       enum dma_data_direction dir)
{
	san_sync(device_of(dev), addr, size, dir, true);
}

static void op_sync_sg_for_cpu(struct device *dev, struct scatterlist *sgl, int nents,
			       enum dma_data_direction dir)
{
	san_sync_list(device_of(dev), sgl, nents, dir, false);
}

static void op_sync_sg_for_device(struct device *dev, struct scatterlist *sgl, int nents,
				  enum dma_data_direction dir)
{
	san_sync_list(device_of(dev), sgl, nents, dir, true);
}

static void *op_alloc(struct device *dev, size_t size, dma_addr_t *addr, gfp_t gfp,
		      unsigned long attrs)
{
	return san_buffer_alloc(device_of(dev), size, addr, gfp, attrs);
}

static void op_free(struct device *dev, size_t size, void *vaddr, dma_addr_t addr,
		    unsigned long attrs)
{
	san_buffer_free(device_of(dev), size, vaddr, addr, attrs);
}

static struct page *op_alloc_pages(struct device *dev, size_t size, dma_addr_t *addr,
				   enum dma_data_direction dir, gfp_t gfp)
{
	void *vaddr = san_pages_alloc(device_of(dev), size, addr, dir, gfp);

	return vaddr ? virt_to_page(vaddr) : NULL;
}

static void op_free_pages(struct device *dev, size_t size, struct page *page, dma_addr_t addr,
			  enum dma_data_direction dir)
{
	san_pages_free(device_of(dev), size, page_address(page), addr, dir);
}

static int op_mmap(struct device *dev, struct vm_area_struct *vma, void *vaddr, dma_addr_t addr,
		   size_t size, unsigned long attrs)
{
	return san_buffer_mmap(device_of(dev), vma, vaddr, addr, size, attrs);
}

static int op_get_sgtable(struct device *dev, struct sg_table *sgt, void *vaddr, dma_addr_t addr,
			  size_t size, unsigned long attrs)
{
	return san_buffer_table(device_of(dev), sgt, vaddr, addr, size, attrs);
}

/* The twin's own coherent mask is the one that nobody else looks at. */
static int op_dma_supported(struct device *dev, u64 mask)
{
	struct san_device *san = device_of(dev);
	struct device *twin = san->twin.dev;
	u64 before = twin->coherent_dma_mask;
	int err = dma_set_coherent_mask(twin, mask);

	twin->coherent_dma_mask = before;
	if (!err)
		san_check_mask(san, mask);
	return !err;
}

static u64 op_get_required_mask(struct device *dev)
{
	return dma_get_required_mask(device_of(dev)->twin.dev);
}

/* What is larger would be mapped all the same, but not be watched. */
static size_t op_max_mapping_size(struct device *dev)
{
	size_t twins = dma_max_mapping_size(device_of(dev)->twin.dev);
	size_t ours = max_t(size_t, san_bytes(READ_ONCE(san_map_max_kb)), SZ_64K);

	if (twins == SIZE_MAX)
		return ours;
	/* The red zones take their part of what the hardware can do. */
	return min(ours, twins > 4 * PAGE_SIZE ? twins - 3 * PAGE_SIZE : twins);
}

COMPAT_DMA_MAP_OPS(op_map_phys)

const struct dma_map_ops san_ops = {
	COMPAT_DMA_MAP_MEMBERS(op_map_phys, op_unmap_phys, op_map_resource),
	COMPAT_DMA_UNMAP_RESOURCE(op_unmap_resource)
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
};
