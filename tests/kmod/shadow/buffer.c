// SPDX-License-Identifier: GPL-2.0-only
#include <linux/dmapool.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "cases.h"
#include "rig.h"

/* In one piece, on any architecture. */
#define TOO_LARGE	(4 * KMALLOC_MAX_SIZE)

static void use_coherent(struct kt *t, size_t size)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr;
	u8 *vaddr = dma_alloc_coherent(dev, size, &addr, GFP_KERNEL);

	if (!KT_EXPECT(t, vaddr, "%zu bytes", size))
		return;
	KT_EXPECT(t, PAGE_ALIGNED(vaddr) && PAGE_ALIGNED(addr), "%p, %pad", vaddr, &addr);
	KT_EXPECT(t, all(vaddr, 0, PAGE_ALIGN(size)), "not zeroed");
	KT_EXPECT_EQ(t, size, rig_stats(t).live_bytes);
	memset(vaddr, 0x22, size);
	KT_EXPECT(t, device_sees(t, addr, 0x22, size), "not seen by the device");
	device_fill(t, addr, 0x33, size);
	KT_EXPECT(t, all(vaddr, 0x33, size), "not seen by the CPU");
	KT_EXPECT_EQ(t, SHADOW_UNMAPPED, device_fault(t, addr + size, true));
	KT_EXPECT_EQ(t, SHADOW_UNMAPPED, device_fault(t, addr - 1, true));
	dma_free_coherent(dev, size, vaddr, addr);
	KT_EXPECT_EQ(t, SHADOW_UNMAPPED, device_fault(t, addr, false));
	KT_EXPECT_EQ(t, 0, rig_stats(t).live_bytes);
}

void buffer_coherent(struct kt *t)
{
	if (rig_iommu(t, 32))
		use_coherent(t, 2 * PAGE_SIZE);
}

void buffer_cached_view(struct kt *t)
{
	if (rig_cached(t, LINE, 32))
		use_coherent(t, 2 * PAGE_SIZE);
}

void buffer_odd_sizes(struct kt *t)
{
	if (!rig_iommu(t, 32))
		return;
	use_coherent(t, 1);
	use_coherent(t, PAGE_SIZE - 1);
	use_coherent(t, PAGE_SIZE + 1);
	use_coherent(t, 7 * PAGE_SIZE + 13);
}

/* More than there is in one piece, and more than there are addresses. */
void buffer_large(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr;

	if (!rig_iommu(t, 32))
		return;
	use_coherent(t, SZ_8M + 100);
	KT_EXPECT_EQ(t, 0, dma_set_coherent_mask(dev, DMA_BIT_MASK(16)));
	KT_EXPECT(t, !dma_alloc_coherent(dev, SZ_64K, &addr, GFP_KERNEL), "at %pad", &addr);
	KT_EXPECT(t, !raw_ops(t)->alloc(dev, 0, &addr, GFP_KERNEL, 0), "nothing at %pad", &addr);
	KT_EXPECT(t, !raw_ops(t)->alloc(dev, SIZE_MAX, &addr, GFP_KERNEL, 0), "all at %pad",
		  &addr);
	KT_EXPECT_EQ(t, 3, rig_stats(t).failed);
}

void buffer_atomic(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr;
	void *vaddr;

	if (!rig_cached(t, LINE, 32))
		return;
	vaddr = dma_alloc_coherent(dev, PAGE_SIZE, &addr, GFP_ATOMIC);
	if (KT_EXPECT(t, vaddr, "no memory"))
		dma_free_coherent(dev, PAGE_SIZE, vaddr, addr);
	/* It could only come from here and there, for which one has to sleep. */
	vaddr = dma_alloc_coherent(dev, TOO_LARGE, &addr, GFP_ATOMIC);
	if (!KT_EXPECT(t, !vaddr, "too much at once"))
		dma_free_coherent(dev, TOO_LARGE, vaddr, addr);
	vaddr = dma_alloc_attrs(dev, TOO_LARGE, &addr, GFP_KERNEL,
				DMA_ATTR_FORCE_CONTIGUOUS | DMA_ATTR_NO_WARN);
	if (!KT_EXPECT(t, !vaddr, "too much in one piece"))
		dma_free_attrs(dev, TOO_LARGE, vaddr, addr, DMA_ATTR_FORCE_CONTIGUOUS);
}

static void expect_table(struct kt *t, size_t size)
{
	struct device *dev = rig_of(t)->dev;
	struct sg_table sgt;
	dma_addr_t addr;
	u8 *vaddr = dma_alloc_coherent(dev, size, &addr, GFP_KERNEL), last;

	if (!KT_EXPECT(t, vaddr, "no memory"))
		return;
	vaddr[size - 1] = 0x77;
	if (KT_EXPECT_EQ(t, 0, dma_get_sgtable(dev, &sgt, vaddr, addr, size))) {
		KT_EXPECT_EQ(t, 1, sg_pcopy_to_buffer(sgt.sgl, sgt.orig_nents, &last, 1, size - 1));
		KT_EXPECT_EQ(t, 0x77, last);
		KT_EXPECT_EQ(t, 0, sg_pcopy_to_buffer(sgt.sgl, sgt.orig_nents, &last, 1, size));
		sg_free_table(&sgt);
	}
	KT_EXPECT_EQ(t, -ENXIO, dma_get_sgtable(dev, &sgt, vaddr, addr, size + PAGE_SIZE));
	KT_EXPECT_EQ(t, -ENXIO, dma_get_sgtable(dev, &sgt, vaddr, addr + PAGE_SIZE, PAGE_SIZE));
	KT_EXPECT_EQ(t, -ENXIO, dma_get_sgtable(dev, &sgt, vaddr, addr, 0));
	dma_free_coherent(dev, size, vaddr, addr);
	KT_EXPECT_EQ(t, -ENXIO, dma_get_sgtable(dev, &sgt, vaddr, addr, size));
}

void buffer_table(struct kt *t)
{
	if (!rig_iommu(t, 32))
		return;
	expect_table(t, 3 * PAGE_SIZE - 5);
	expect_table(t, SZ_8M + 3);
}

static void use_pages(struct kt *t, bool cached)
{
	struct device *dev = rig_of(t)->dev;
	const size_t size = 3 * PAGE_SIZE;
	struct page *page;
	dma_addr_t addr;
	u8 *vaddr;

	page = dma_alloc_pages(dev, size, &addr, DMA_FROM_DEVICE, GFP_KERNEL);
	if (!KT_EXPECT(t, page, "no memory"))
		return;
	vaddr = page_address(page);
	KT_EXPECT(t, all(vaddr, 0, size), "not zeroed");
	KT_EXPECT_EQ(t, SHADOW_DENIED, device_fault(t, addr, false));
	device_fill(t, addr, 0x22, size);
	KT_EXPECT(t, all(vaddr, cached ? 0 : 0x22, size), "sooner or later than it should be");
	dma_sync_single_for_cpu(dev, addr, size, DMA_FROM_DEVICE);
	KT_EXPECT(t, all(vaddr, 0x22, size), "not seen by the CPU");
	KT_EXPECT_EQ(t, SHADOW_UNMAPPED, device_fault(t, addr + size, true));
	dma_free_pages(dev, size, page, addr, DMA_FROM_DEVICE);
	KT_EXPECT_EQ(t, SHADOW_UNMAPPED, device_fault(t, addr, true));
}

void buffer_pages(struct kt *t)
{
	if (rig_iommu(t, 32))
		use_pages(t, false);
	rig_give(t);
	if (rig_cached(t, LINE, 32))
		use_pages(t, true);
}

void buffer_noncontiguous(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	const size_t size = 5 * PAGE_SIZE;
	struct sg_table *sgt;
	u8 *vaddr;

	if (!rig_cached(t, LINE, 32))
		return;
	sgt = dma_alloc_noncontiguous(dev, size, DMA_BIDIRECTIONAL, GFP_KERNEL, 0);
	if (!KT_EXPECT(t, sgt, "no memory"))
		return;
	vaddr = dma_vmap_noncontiguous(dev, size, sgt);
	if (KT_EXPECT(t, vaddr, "no addresses")) {
		memset(vaddr, 0x22, size);
		dma_sync_sgtable_for_device(dev, sgt, DMA_BIDIRECTIONAL);
		KT_EXPECT(t, device_sees(t, sg_dma_address(sgt->sgl), 0x22, size), "not seen");
		dma_vunmap_noncontiguous(dev, vaddr);
	}
	dma_free_noncontiguous(dev, size, sgt, DMA_BIDIRECTIONAL);
}

void buffer_pool(struct kt *t)
{
	struct dma_pool *pool;
	dma_addr_t addr;
	void *vaddr;

	if (!rig_cached(t, LINE, 32))
		return;
	pool = dma_pool_create("shadow-test", rig_of(t)->dev, 48, 16, 0);
	if (!KT_EXPECT(t, pool, "no pool"))
		return;
	vaddr = dma_pool_zalloc(pool, GFP_KERNEL, &addr);
	if (KT_EXPECT(t, vaddr, "no memory")) {
		device_fill(t, addr, 0x22, 48);
		KT_EXPECT(t, all(vaddr, 0x22, 48), "not seen");
		dma_pool_free(pool, vaddr, addr);
	}
	dma_pool_destroy(pool);
}
