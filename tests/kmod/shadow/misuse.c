// SPDX-License-Identifier: GPL-2.0-only
/* What drivers must not do: complained of and counted, and it does no harm. */
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "cases.h"
#include "rig.h"

static u8 *begin(struct kt *t, size_t size, enum dma_data_direction dir, dma_addr_t *addr)
{
	u8 *vaddr = rig_pages(t, 2 * PAGE_SIZE);

	if (!vaddr)
		return NULL;
	*addr = 0;
	if (rig_cached(t, LINE, 32))
		*addr = raw_map(t, vaddr, size, dir);
	if (*addr)
		return vaddr;
	rig_free(vaddr, 2 * PAGE_SIZE);
	return NULL;
}

void misuse_unknown(struct kt *t)
{
	dma_addr_t addr;
	u8 *vaddr = begin(t, 256, DMA_FROM_DEVICE, &addr);

	if (!vaddr)
		return;
	raw_unmap(t, addr + 1, 255, DMA_FROM_DEVICE);
	raw_unmap(t, addr - 1, 256, DMA_FROM_DEVICE);
	raw_unmap(t, addr + PAGE_SIZE, 256, DMA_FROM_DEVICE);
	raw_unmap(t, 0, 256, DMA_FROM_DEVICE);
	raw_unmap(t, DMA_MAPPING_ERROR, 256, DMA_FROM_DEVICE);
	rig_of(t)->bad_unmaps = 5;
	device_fill(t, addr, 0x22, 256);
	raw_unmap(t, addr, 256, DMA_FROM_DEVICE);
	KT_EXPECT(t, all(vaddr, 0x22, 256), "lost");
	rig_free(vaddr, 2 * PAGE_SIZE);
}

void misuse_twice(struct kt *t)
{
	dma_addr_t addr;
	u8 *vaddr = begin(t, 256, DMA_TO_DEVICE, &addr);

	if (!vaddr)
		return;
	raw_unmap(t, addr, 256, DMA_TO_DEVICE);
	raw_unmap(t, addr, 256, DMA_TO_DEVICE);
	rig_of(t)->bad_unmaps = 1;
	KT_EXPECT_EQ(t, 1, rig_stats(t).unmaps);
	rig_free(vaddr, 2 * PAGE_SIZE);
}

void misuse_size(struct kt *t)
{
	dma_addr_t addr;
	u8 *vaddr = begin(t, 256, DMA_FROM_DEVICE, &addr);

	if (!vaddr)
		return;
	device_fill(t, addr, 0x22, 256);
	raw_unmap(t, addr, PAGE_SIZE, DMA_FROM_DEVICE);
	rig_of(t)->bad_unmaps = 1;
	KT_EXPECT(t, all(vaddr, 0x22, 256), "less than was mapped");
	KT_EXPECT(t, all(vaddr + 256, 0, 256), "more than was mapped");
	KT_EXPECT_EQ(t, 0, rig_stats(t).live_bytes);
	rig_free(vaddr, 2 * PAGE_SIZE);
}

void misuse_direction(struct kt *t)
{
	dma_addr_t addr;
	u8 *vaddr = begin(t, 256, DMA_FROM_DEVICE, &addr);

	if (!vaddr)
		return;
	device_fill(t, addr, 0x22, 256);
	raw_unmap(t, addr, 256, DMA_TO_DEVICE);
	KT_EXPECT(t, all(vaddr, 0x22, 256), "not in the mapped direction");
	addr = raw_map(t, vaddr, 256, DMA_TO_DEVICE);
	memset(vaddr, 0x33, 256);
	raw_unmap(t, addr, 256, DMA_BIDIRECTIONAL);
	KT_EXPECT(t, all(vaddr, 0x33, 256), "not in the mapped direction");
	rig_of(t)->bad_unmaps = 2;
	rig_free(vaddr, 2 * PAGE_SIZE);
}

void misuse_kind(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr, coherent, pages;
	u8 *vaddr = begin(t, 256, DMA_BIDIRECTIONAL, &addr), *buffer;
	struct scatterlist sg;
	struct page *page;

	if (!vaddr)
		return;
	/* One streaming function for another's: it is unmapped. */
	sg_init_one(&sg, vaddr + PAGE_SIZE, 256);
	KT_EXPECT_EQ(t, 1, raw_ops(t)->map_sg(dev, &sg, 1, DMA_BIDIRECTIONAL, 0));
	raw_unmap(t, sg_dma_address(&sg), 256, DMA_BIDIRECTIONAL);
	rig_of(t)->bad_unmaps++;
	KT_EXPECT_EQ(t, 1, rig_stats(t).unmaps);
	/* What was allocated stays, and what was not, too. */
	buffer = raw_ops(t)->alloc(dev, PAGE_SIZE, &coherent, GFP_KERNEL, 0);
	page = dma_alloc_pages(dev, PAGE_SIZE, &pages, DMA_BIDIRECTIONAL, GFP_KERNEL);
	if (!KT_EXPECT(t, buffer && page, "no memory"))
		return;
	raw_unmap(t, coherent, PAGE_SIZE, DMA_BIDIRECTIONAL);
	raw_unmap(t, pages, PAGE_SIZE, DMA_BIDIRECTIONAL);
	raw_ops(t)->free(dev, 256, vaddr, addr, 0);
	raw_ops(t)->free(dev, PAGE_SIZE, page_address(page), pages, 0);
	raw_ops(t)->free_pages(dev, PAGE_SIZE, page, coherent, DMA_BIDIRECTIONAL);
	rig_of(t)->bad_unmaps += 5;
	device_fill(t, coherent, 0x22, PAGE_SIZE);
	KT_EXPECT(t, all(buffer, 0x22, PAGE_SIZE), "the buffer");
	device_fill(t, pages, 0x22, PAGE_SIZE);
	raw_unmap(t, addr, 256, DMA_BIDIRECTIONAL);
	raw_ops(t)->free(dev, PAGE_SIZE, buffer, coherent, 0);
	dma_free_pages(dev, PAGE_SIZE, page, pages, DMA_BIDIRECTIONAL);
	rig_free(vaddr, 2 * PAGE_SIZE);
}

/* With the number of ranges instead of entries, which is a common mistake. */
void misuse_list(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	u8 *vaddr = rig_pages(t, 4 * PAGE_SIZE);
	struct scatterlist sgl[4];
	unsigned int i;

	if (!vaddr || !rig_iommu(t, 32))
		goto out;
	sg_init_table(sgl, ARRAY_SIZE(sgl));
	for (i = 0; i < ARRAY_SIZE(sgl); i++)
		sg_set_buf(&sgl[i], vaddr + i * PAGE_SIZE, i < 2 ? PAGE_SIZE : 100);
	KT_EXPECT_EQ(t, 2, raw_ops(t)->map_sg(dev, sgl, 4, DMA_TO_DEVICE, 0));
	KT_EXPECT_EQ(t, 2, rig_stats(t).live);
	raw_ops(t)->unmap_sg(dev, sgl, 1, DMA_TO_DEVICE, 0);
	KT_EXPECT_EQ(t, 0, rig_stats(t).live);
	/* All of them are unknown now. */
	raw_ops(t)->unmap_sg(dev, sgl, 4, DMA_TO_DEVICE, 0);
	rig_of(t)->bad_unmaps = 3;
	raw_ops(t)->sync_sg_for_cpu(dev, sgl, 4, DMA_TO_DEVICE);
	rig_of(t)->bad_syncs = 2;
out:
	rig_free(vaddr, 4 * PAGE_SIZE);
}

void misuse_sync(struct kt *t)
{
	dma_addr_t addr;
	u8 *vaddr = begin(t, 256, DMA_FROM_DEVICE, &addr);

	if (!vaddr)
		return;
	device_fill(t, addr, 0x22, 256);
	raw_sync(t, addr - 1, 1, DMA_FROM_DEVICE, false);
	raw_sync(t, addr + 256, 1, DMA_FROM_DEVICE, false);
	raw_sync(t, 0, 256, DMA_FROM_DEVICE, true);
	rig_of(t)->bad_syncs = 3;
	KT_EXPECT(t, all(vaddr, 0, 256), "something was carried");
	/* Only as much as is mapped. */
	raw_sync(t, addr + 128, 256, DMA_FROM_DEVICE, false);
	rig_of(t)->bad_syncs++;
	KT_EXPECT(t, all(vaddr, 0, 128), "too much was carried");
	KT_EXPECT(t, all(vaddr + 128, 0x22, 128), "too little was carried");
	KT_EXPECT(t, all(vaddr + 256, 0, 256), "what is not mapped was carried");
	/* In the mapped direction. */
	raw_sync(t, addr, 256, DMA_TO_DEVICE, false);
	rig_of(t)->bad_syncs++;
	KT_EXPECT(t, all(vaddr, 0x22, 256), "nothing was carried");
	memset(vaddr, 0x33, 256);
	raw_sync(t, addr, 256, DMA_BIDIRECTIONAL, true);
	rig_of(t)->bad_syncs++;
	raw_unmap(t, addr, 256, DMA_FROM_DEVICE);
	KT_EXPECT(t, all(vaddr, 0x22, 256), "written back");
	rig_free(vaddr, 2 * PAGE_SIZE);
}

void misuse_free(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr;
	void *vaddr;

	if (!rig_iommu(t, 32))
		return;
	vaddr = raw_ops(t)->alloc(dev, SZ_16K, &addr, GFP_KERNEL, 0);
	if (!KT_EXPECT(t, vaddr, "no memory"))
		return;
	raw_sync(t, addr, SZ_16K, DMA_BIDIRECTIONAL, false);
	rig_of(t)->bad_syncs = 1;
	/* Part of it is not freed, and then all of it with the size of a part. */
	raw_ops(t)->free(dev, PAGE_SIZE, vaddr + PAGE_SIZE, addr + PAGE_SIZE, 0);
	KT_EXPECT(t, device_sees(t, addr, 0, SZ_16K), "it is not there");
	raw_ops(t)->free(dev, PAGE_SIZE, vaddr, addr, 0);
	raw_ops(t)->free(dev, PAGE_SIZE, vaddr, addr, 0);
	rig_of(t)->bad_unmaps = 3;
	/* The wrong memory: that of the record is freed. */
	vaddr = raw_ops(t)->alloc(dev, SZ_16K, &addr, GFP_KERNEL, 0);
	if (!KT_EXPECT(t, vaddr, "no memory"))
		return;
	raw_ops(t)->free(dev, SZ_16K, vaddr + 1, addr, 0);
	rig_of(t)->bad_unmaps++;
}
