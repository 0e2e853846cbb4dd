/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct dma_map_ops and what belongs to it, on all supported kernels. The code
 * that includes this is written for the newest: memory is mapped by its physical
 * address. Device registers are there told by DMA_ATTR_MMIO, and had an operation
 * of their own before, so my_map_phys() passes them on to that.
 *
 *	COMPAT_DMA_MAP_OPS(my_map_phys)
 *	static const struct dma_map_ops my_ops = {
 *		COMPAT_DMA_MAP_MEMBERS(my_map_phys, my_unmap_phys, my_map_resource),
 *		COMPAT_DMA_ALLOC_PAGES(my_alloc_pages),
 *		...
 *
 * All three have the arguments of dma_map_phys(), or dma_unmap_phys().
 */
#ifndef COMPAT_DMA_OPS_H
#define COMPAT_DMA_OPS_H

#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>

/* Kernels that don't know an attribute don't set it. */
#ifndef DMA_ATTR_MMIO
#define DMA_ATTR_MMIO			0UL
#endif

#ifndef DMA_ATTR_REQUIRE_COHERENT
#define DMA_ATTR_REQUIRE_COHERENT	0UL
#endif

/*
 * COMPAT_DMA_MAP_OPS() stands before the table and defines what the kernel needs
 * beside the functions; COMPAT_DMA_MAP_MEMBERS() stands in it.
 *
 * compat_ops_...() call the operations themselves, for who wants the kernel's own
 * checks not to know of it.
 */
#ifdef COMPAT_OPS_MAP_PHYS

#define COMPAT_DMA_MAP_OPS(...)

#define COMPAT_DMA_MAP_MEMBERS(map, unmap, ...)				\
	.map_phys = (map),						\
	.unmap_phys = (unmap)

/* Registers are unmapped by their own operation only where it exists. */
#define COMPAT_DMA_UNMAP_RESOURCE(unmap)

static inline dma_addr_t compat_ops_map(const struct dma_map_ops *ops, struct device *dev,
					phys_addr_t phys, size_t size,
					enum dma_data_direction dir, unsigned long attrs)
{
	return ops->map_phys(dev, phys, size, dir, attrs);
}

static inline dma_addr_t compat_ops_map_resource(const struct dma_map_ops *ops,
						 struct device *dev, phys_addr_t phys,
						 size_t size, enum dma_data_direction dir)
{
	return ops->map_phys(dev, phys, size, dir, DMA_ATTR_MMIO);
}

static inline void compat_ops_unmap(const struct dma_map_ops *ops, struct device *dev,
				    dma_addr_t addr, size_t size, enum dma_data_direction dir,
				    unsigned long attrs)
{
	ops->unmap_phys(dev, addr, size, dir, attrs);
}

static inline void compat_ops_unmap_resource(const struct dma_map_ops *ops, struct device *dev,
					     dma_addr_t addr, size_t size,
					     enum dma_data_direction dir)
{
	ops->unmap_phys(dev, addr, size, dir, DMA_ATTR_MMIO);
}

#else

#define COMPAT_DMA_MAP_OPS(map)						\
static dma_addr_t map##_of_page(struct device *dev, struct page *page,	\
				unsigned long offset, size_t size,	\
				enum dma_data_direction dir,		\
				unsigned long attrs)			\
{									\
	return map(dev, page_to_phys(page) + offset, size, dir, attrs);	\
}

#define COMPAT_DMA_MAP_MEMBERS(map, unmap, resource)			\
	.map_page = map##_of_page,					\
	.unmap_page = (unmap),						\
	.map_resource = (resource)

#define COMPAT_DMA_UNMAP_RESOURCE(unmap)	.unmap_resource = (unmap),

static inline dma_addr_t compat_ops_map(const struct dma_map_ops *ops, struct device *dev,
					phys_addr_t phys, size_t size,
					enum dma_data_direction dir, unsigned long attrs)
{
	return ops->map_page(dev, pfn_to_page(PHYS_PFN(phys)), offset_in_page(phys), size, dir,
			     attrs);
}

static inline dma_addr_t compat_ops_map_resource(const struct dma_map_ops *ops,
						 struct device *dev, phys_addr_t phys,
						 size_t size, enum dma_data_direction dir)
{
	return ops->map_resource(dev, phys, size, dir, 0);
}

static inline void compat_ops_unmap(const struct dma_map_ops *ops, struct device *dev,
				    dma_addr_t addr, size_t size, enum dma_data_direction dir,
				    unsigned long attrs)
{
	ops->unmap_page(dev, addr, size, dir, attrs);
}

static inline void compat_ops_unmap_resource(const struct dma_map_ops *ops, struct device *dev,
					     dma_addr_t addr, size_t size,
					     enum dma_data_direction dir)
{
	ops->unmap_resource(dev, addr, size, dir, 0);
}

#endif

#ifdef COMPAT_OPS_ALLOC_PAGES_OP
#define COMPAT_DMA_ALLOC_PAGES_MEMBER	alloc_pages_op
#else
#define COMPAT_DMA_ALLOC_PAGES_MEMBER	alloc_pages
#endif

#define COMPAT_DMA_ALLOC_PAGES(function) .COMPAT_DMA_ALLOC_PAGES_MEMBER = (function)

static inline struct page *compat_ops_alloc_pages(const struct dma_map_ops *ops,
						  struct device *dev, size_t size,
						  dma_addr_t *addr, enum dma_data_direction dir,
						  gfp_t gfp)
{
	return ops->COMPAT_DMA_ALLOC_PAGES_MEMBER(dev, size, addr, dir, gfp);
}

/*
 * Two marks by which newer kernels pass a device's operations by: the kernel's own
 * IOMMU code maps for it, and nothing needs to be synchronized.
 */
struct compat_dma_marks {
	bool iommu;
	bool skip_sync;
};

#ifdef COMPAT_HAS_DEV_FLAGS

static inline struct compat_dma_marks compat_dma_marks(struct device *dev)
{
	return (struct compat_dma_marks){
		.iommu = dev_dma_iommu(dev), .skip_sync = dev_dma_skip_sync(dev),
	};
}

static inline void compat_set_dma_marks(struct device *dev, struct compat_dma_marks marks)
{
	dev_assign_dma_iommu(dev, marks.iommu);
	dev_assign_dma_skip_sync(dev, marks.skip_sync);
}

#else

#if defined(COMPAT_HAS_DMA_IOMMU) && defined(CONFIG_IOMMU_DMA)
static inline bool compat_dma_iommu(struct device *dev)
{
	return dev->dma_iommu;
}

static inline void compat_set_dma_iommu(struct device *dev, bool value)
{
	dev->dma_iommu = value;
}
#else
static inline bool compat_dma_iommu(struct device *dev)
{
	return false;
}

static inline void compat_set_dma_iommu(struct device *dev, bool value) { }
#endif

#if defined(COMPAT_HAS_DMA_SKIP_SYNC) && defined(CONFIG_DMA_NEED_SYNC)
static inline bool compat_dma_skip_sync(struct device *dev)
{
	return dev->dma_skip_sync;
}

static inline void compat_set_dma_skip_sync(struct device *dev, bool value)
{
	dev->dma_skip_sync = value;
}
#else
static inline bool compat_dma_skip_sync(struct device *dev)
{
	return false;
}

static inline void compat_set_dma_skip_sync(struct device *dev, bool value) { }
#endif

static inline struct compat_dma_marks compat_dma_marks(struct device *dev)
{
	return (struct compat_dma_marks){
		.iommu = compat_dma_iommu(dev), .skip_sync = compat_dma_skip_sync(dev),
	};
}

static inline void compat_set_dma_marks(struct device *dev, struct compat_dma_marks marks)
{
	compat_set_dma_iommu(dev, marks.iommu);
	compat_set_dma_skip_sync(dev, marks.skip_sync);
}

#endif

/* The device's own operations, without regard to the architecture's. */
#if defined(CONFIG_DMA_OPS) || defined(CONFIG_ARCH_HAS_DMA_OPS)

#define COMPAT_DEVICE_HAS_DMA_OPS	true

static inline const struct dma_map_ops *compat_device_dma_ops(struct device *dev)
{
	return dev->dma_ops;
}

#else

#define COMPAT_DEVICE_HAS_DMA_OPS	false

static inline const struct dma_map_ops *compat_device_dma_ops(struct device *dev)
{
	return NULL;
}

#endif

/*
 * Where the kernel makes bounce buffers when they are needed, each device has a list of
 * its own, and so has a copy of a device.
 */
static inline void compat_own_bounce_buffers(struct device *copy)
{
#ifdef CONFIG_SWIOTLB_DYNAMIC
	INIT_LIST_HEAD(&copy->dma_io_tlb_pools);
	spin_lock_init(&copy->dma_io_tlb_lock);
	copy->dma_uses_io_tlb = false;
#endif
}

/*
 * A device whose memory needed no synchronization has got a mark that keeps the
 * kernel from calling the operations for it. To be called after new operations
 * were set; dma_set_mask() looks for itself.
 */
static inline void compat_dma_need_sync(struct device *dev)
{
#ifdef CONFIG_DMA_NEED_SYNC
	dma_reset_need_sync(dev);
#endif
}

#endif
