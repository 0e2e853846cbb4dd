// SPDX-License-Identifier: GPL-2.0-only
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "cases.h"
#include "rig.h"

static void expect_invalid(struct kt *t, enum shadow_view view, unsigned int line, u64 mask)
{
	struct shadow_params params = { .view = view, .line = line, .mask = mask };
	struct shadow_space *space = shadow_install(rig_of(t)->dev, &params);

	if (!KT_EXPECT(t, PTR_ERR_OR_ZERO(space) == -EINVAL, "view %d line %u mask %#llx", view,
		       line, mask) && !IS_ERR(space))
		shadow_remove(space);
}

void wrong_parameters(struct kt *t)
{
	const u64 mask = DMA_BIT_MASK(32);

	expect_invalid(t, SHADOW_NONCOHERENT, 0, mask);
	expect_invalid(t, SHADOW_NONCOHERENT, 2, mask);
	expect_invalid(t, SHADOW_NONCOHERENT, 48, mask);
	expect_invalid(t, SHADOW_NONCOHERENT, 8192, mask);
	expect_invalid(t, SHADOW_NONCOHERENT, 64, 0);
	expect_invalid(t, SHADOW_IOMMU, 0, 0xfffe);
	expect_invalid(t, SHADOW_NONCOHERENT + 1, 64, mask);
	KT_EXPECT(t, !compat_device_dma_ops(rig_of(t)->dev), "operations were left behind");
}

void taken_over_twice(struct kt *t)
{
	struct shadow_params params = { .view = SHADOW_IOMMU, .mask = DMA_BIT_MASK(32) };

	if (rig_iommu(t, 32))
		KT_EXPECT_EQ(t, -EBUSY,
			     PTR_ERR_OR_ZERO(shadow_install(rig_of(t)->dev, &params)));
}

/* Afterwards the device is as it was, and can be taken over in another way. */
void given_back(struct kt *t)
{
	const struct dma_map_ops *before = compat_device_dma_ops(rig_of(t)->dev);
	struct device *dev = rig_of(t)->dev;
	void *vaddr = rig_pages(t, PAGE_SIZE);
	dma_addr_t addr;

	if (!vaddr || !rig_iommu(t, 64))
		goto out;
	KT_EXPECT(t, compat_device_dma_ops(dev) != before, "nothing was taken over");
	rig_give(t);
	KT_EXPECT(t, compat_device_dma_ops(dev) == before, "not as before");
	addr = rig_map(t, vaddr, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);
	KT_EXPECT(t, addr < 1ULL << 63, "an address of ours");
	rig_unmap(t, addr, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);
	rig_cached(t, LINE, 32);
out:
	rig_free(vaddr, PAGE_SIZE);
}

void left_behind(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	void *vaddr = rig_pages(t, PAGE_SIZE);
	struct scatterlist sg;
	dma_addr_t addr;

	if (!vaddr || !rig_cached(t, LINE, 32))
		goto out;
	raw_map(t, vaddr, 100, DMA_TO_DEVICE);
	sg_init_one(&sg, vaddr + 200, 300);
	KT_EXPECT_EQ(t, 1, raw_ops(t)->map_sg(dev, &sg, 1, DMA_FROM_DEVICE, 0));
	KT_EXPECT(t, raw_ops(t)->alloc(dev, 5000, &addr, GFP_KERNEL, 0), "no buffer");
	/* From anywhere, where there is not so much in one piece. */
	KT_EXPECT(t, raw_ops(t)->alloc(dev, SZ_8M, &addr, GFP_KERNEL, 0), "no large buffer");
	rig_of(t)->leaks = 4;
	KT_EXPECT_EQ(t, 100 + 300 + 5000 + SZ_8M, rig_stats(t).live_bytes);
	rig_give(t);
	KT_EXPECT(t, all(vaddr, 0, PAGE_SIZE), "something was carried");
out:
	rig_free(vaddr, PAGE_SIZE);
}

/* ---- refusal ---- */

struct refusal {
	unsigned int asked;
	bool refuse;
};

static bool refuse(void *ctx)
{
	struct refusal *refusal = ctx;

	refusal->asked++;
	return refusal->refuse;
}

/* Every call that makes something, once; true if all succeeded, or all failed. */
static void make_one_of_each(struct kt *t, void *vaddr, bool good)
{
	struct device *dev = rig_of(t)->dev;
	struct scatterlist sg;
	struct page *page;
	dma_addr_t addr;
	void *buffer;

	addr = dma_map_single(dev, vaddr, 64, DMA_TO_DEVICE);
	if (KT_EXPECT_EQ(t, good, !dma_mapping_error(dev, addr)) && good)
		dma_unmap_single(dev, addr, 64, DMA_TO_DEVICE);
	sg_init_one(&sg, vaddr, 64);
	if (KT_EXPECT_EQ(t, good, dma_map_sg(dev, &sg, 1, DMA_TO_DEVICE)) && good)
		dma_unmap_sg(dev, &sg, 1, DMA_TO_DEVICE);
	buffer = dma_alloc_coherent(dev, 64, &addr, GFP_KERNEL);
	if (KT_EXPECT_EQ(t, good, !!buffer) && good)
		dma_free_coherent(dev, 64, buffer, addr);
	page = dma_alloc_pages(dev, PAGE_SIZE, &addr, DMA_TO_DEVICE, GFP_KERNEL);
	if (KT_EXPECT_EQ(t, good, !!page) && good)
		dma_free_pages(dev, PAGE_SIZE, page, addr, DMA_TO_DEVICE);
	/* The kernel's own checks would keep a record of one that failed. */
	addr = compat_ops_map_resource(raw_ops(t), dev, SZ_1M, 64, DMA_TO_DEVICE);
	KT_EXPECT_EQ(t, good, addr != DMA_MAPPING_ERROR);
}

void refused(struct kt *t)
{
	struct refusal refusal = {};
	struct shadow_params params = {
		.view = SHADOW_IOMMU, .mask = DMA_BIT_MASK(32), .refuse = refuse, .ctx = &refusal,
	};
	void *vaddr = rig_pages(t, PAGE_SIZE);

	if (vaddr && rig_take(t, &params)) {
		make_one_of_each(t, vaddr, true);
		KT_EXPECT_EQ(t, 5, refusal.asked);
		KT_EXPECT_EQ(t, 0, rig_stats(t).refused);
		refusal.refuse = true;
		make_one_of_each(t, vaddr, false);
		KT_EXPECT_EQ(t, 10, refusal.asked);
		KT_EXPECT_EQ(t, 5, rig_stats(t).refused);
		KT_EXPECT_EQ(t, 0, rig_stats(t).failed);
		rig_give(t);
	}
	rig_free(vaddr, PAGE_SIZE);
}

/* Those that are counted in no other test. */
void statistics(struct kt *t)
{
	void *vaddr = rig_pages(t, PAGE_SIZE);
	struct shadow_stats stats;
	dma_addr_t addr;

	if (!vaddr || !rig_iommu(t, 32))
		goto out;
	addr = rig_map(t, vaddr, 123, DMA_TO_DEVICE, 0);
	device_fault(t, addr, false);
	device_fault(t, addr, true);
	device_fault(t, addr + 123, false);
	device_fault(t, addr + 123, true);
	stats = rig_stats(t);
	KT_EXPECT_EQ(t, 1, stats.maps);
	KT_EXPECT_EQ(t, 0, stats.unmaps);
	KT_EXPECT_EQ(t, 1, stats.live);
	KT_EXPECT_EQ(t, 123, stats.live_bytes);
	KT_EXPECT_EQ(t, 1, stats.denied);
	KT_EXPECT_EQ(t, 2, stats.unmapped);
	rig_unmap(t, addr, 123, DMA_TO_DEVICE, 0);
	stats = rig_stats(t);
	KT_EXPECT_EQ(t, 1, stats.unmaps);
	KT_EXPECT_EQ(t, 0, stats.live);
	KT_EXPECT_EQ(t, 0, stats.live_bytes);
	KT_EXPECT_EQ(t, 0, stats.allocs);
out:
	rig_free(vaddr, PAGE_SIZE);
}
