// SPDX-License-Identifier: GPL-2.0-only
#include <linux/highmem.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "cases.h"
#include "rig.h"

#define PAGES	8

/* Pages that lie apart, so that nothing merges them but what is tested. */
struct pages {
	struct page *page[PAGES];
	struct scatterlist sgl[PAGES];
};

static bool get_pages(struct kt *t, struct pages *pages)
{
	struct page *block;
	unsigned int i;

	memset(pages, 0, sizeof(*pages));
	block = alloc_pages(GFP_KERNEL | __GFP_ZERO, 4);
	if (!KT_EXPECT(t, block, "no memory"))
		return false;
	split_page(block, 4);
	/* Every other one, from the end. */
	for (i = 0; i < PAGES; i++) {
		pages->page[i] = block + 2 * (PAGES - 1 - i);
		__free_page(block + 2 * i + 1);
	}
	sg_init_table(pages->sgl, PAGES);
	return true;
}

static void put_pages(struct pages *pages)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		if (pages->page[i])
			__free_page(pages->page[i]);
}

static void set(struct pages *pages, unsigned int i, unsigned int offset, unsigned int length)
{
	sg_set_page(&pages->sgl[i], pages->page[i], length, offset);
}

static size_t total(struct pages *pages, unsigned int nents)
{
	size_t sum = 0;
	unsigned int i;

	for (i = 0; i < nents; i++)
		sum += pages->sgl[i].length;
	return sum;
}

static size_t mapped(struct pages *pages, unsigned int count)
{
	size_t sum = 0;
	unsigned int i;

	for (i = 0; i < count; i++)
		sum += sg_dma_len(&pages->sgl[i]);
	return sum;
}

/* The device goes through the ranges and writes; the CPU finds it in the entries. */
static void expect_order(struct kt *t, struct pages *pages, unsigned int nents,
			 unsigned int ranges)
{
	size_t size = total(pages, nents), at = 0;
	u8 *bytes = kvmalloc(size, GFP_KERNEL);
	unsigned int i;

	if (!KT_EXPECT(t, bytes, "no memory"))
		return;
	pattern_fill(bytes, size, ranges);
	for (i = 0; i < ranges; i++) {
		struct scatterlist *sg = &pages->sgl[i];

		KT_EXPECT_EQ(t, sg_dma_len(sg),
			     device_write(t, sg_dma_address(sg), bytes + at, sg_dma_len(sg)));
		at += sg_dma_len(sg);
	}
	KT_EXPECT_EQ(t, size, at);
	dma_sync_sg_for_cpu(rig_of(t)->dev, pages->sgl, nents, DMA_BIDIRECTIONAL);
	memset(bytes, 0, size);
	KT_EXPECT_EQ(t, size, sg_copy_to_buffer(pages->sgl, nents, bytes, size));
	KT_EXPECT(t, pattern_is(bytes, size, ranges), "it wrote elsewhere");
	kvfree(bytes);
}

/* Maps the first @nents entries, which are expected to become @ranges, and unmaps them. */
static void expect_ranges(struct kt *t, struct pages *pages, unsigned int nents,
			  unsigned int ranges)
{
	struct device *dev = rig_of(t)->dev;
	unsigned int count;

	sg_mark_end(&pages->sgl[nents - 1]);
	count = dma_map_sg(dev, pages->sgl, nents, DMA_BIDIRECTIONAL);
	KT_EXPECT_EQ(t, ranges, count);
	KT_EXPECT_EQ(t, total(pages, nents), mapped(pages, count));
	KT_EXPECT_EQ(t, count, rig_stats(t).live);
	if (count) {
		expect_order(t, pages, nents, count);
		dma_unmap_sg(dev, pages->sgl, nents, DMA_BIDIRECTIONAL);
	}
	KT_EXPECT_EQ(t, 0, rig_stats(t).live);
	if (nents < PAGES)
		sg_unmark_end(&pages->sgl[nents - 1]);
}

void list_merged(struct kt *t)
{
	struct pages pages;
	unsigned int i;

	if (!get_pages(t, &pages))
		return;
	set(&pages, 0, 512, PAGE_SIZE - 512);
	for (i = 1; i < 7; i++)
		set(&pages, i, 0, PAGE_SIZE);
	set(&pages, 7, 0, 100);
	if (rig_iommu(t, 32))
		expect_ranges(t, &pages, 8, 1);
	put_pages(&pages);
}

void list_not_merged(struct kt *t)
{
	struct pages pages;

	if (!get_pages(t, &pages))
		return;
	set(&pages, 0, 0, PAGE_SIZE);
	set(&pages, 1, 4, PAGE_SIZE - 4);	/* doesn't begin at a page's edge */
	set(&pages, 2, 0, PAGE_SIZE - 4);	/* begins, but doesn't end there */
	set(&pages, 3, 0, PAGE_SIZE);
	set(&pages, 4, 8, 8);
	if (rig_iommu(t, 32))
		expect_ranges(t, &pages, 5, 4);
	put_pages(&pages);
}

void list_longest_segment(struct kt *t)
{
	struct pages pages;
	unsigned int i;

	if (!get_pages(t, &pages))
		return;
	for (i = 0; i < 8; i++)
		set(&pages, i, 0, PAGE_SIZE);
	if (rig_iommu(t, 32)) {
		dma_set_max_seg_size(rig_of(t)->dev, 3 * PAGE_SIZE + 100);
		expect_ranges(t, &pages, 8, 3);
		dma_set_max_seg_size(rig_of(t)->dev, PAGE_SIZE);
		expect_ranges(t, &pages, 8, 8);
	}
	put_pages(&pages);
}

static void expect_boundary(struct kt *t, struct pages *pages, unsigned long boundary)
{
	struct device *dev = rig_of(t)->dev;
	unsigned int count, i;
	dma_addr_t first, last;

	count = dma_map_sg(dev, pages->sgl, 8, DMA_TO_DEVICE);
	KT_EXPECT(t, count, "not mapped");
	for (i = 0; i < count; i++) {
		first = sg_dma_address(&pages->sgl[i]);
		last = first + sg_dma_len(&pages->sgl[i]) - 1;
		KT_EXPECT(t, (first & ~(dma_addr_t)boundary) == (last & ~(dma_addr_t)boundary),
			  "%pad to %pad", &first, &last);
	}
	if (count)
		dma_unmap_sg(dev, pages->sgl, 8, DMA_TO_DEVICE);
}

void list_boundary(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	struct pages pages;
	unsigned int i;

	if (!get_pages(t, &pages))
		return;
	set(&pages, 0, 512, PAGE_SIZE - 512);
	for (i = 1; i < 8; i++)
		set(&pages, i, 0, PAGE_SIZE);
	if (rig_iommu(t, 32)) {
		dma_set_seg_boundary(dev, 4 * PAGE_SIZE - 1);
		expect_ranges(t, &pages, 8, 2);
		/* Wherever in the address space they come to lie. */
		for (i = 0; i < 50 && !kt_over(t); i++)
			expect_boundary(t, &pages, 4 * PAGE_SIZE - 1);
		dma_set_seg_boundary(dev, PAGE_SIZE - 1);
		expect_ranges(t, &pages, 8, 8);
	}
	put_pages(&pages);
}

void list_empty_entries(struct kt *t)
{
	struct pages pages;

	if (!get_pages(t, &pages))
		return;
	set(&pages, 0, 0, 0);
	set(&pages, 1, 0, PAGE_SIZE);
	set(&pages, 2, 0, 0);
	set(&pages, 3, 16, 100);
	set(&pages, 4, 0, 0);
	if (rig_iommu(t, 32)) {
		expect_ranges(t, &pages, 5, 2);
		KT_EXPECT_EQ(t, -EINVAL, raw_ops(t)->map_sg(rig_of(t)->dev, pages.sgl, 1,
							    DMA_TO_DEVICE, 0));
	}
	put_pages(&pages);
}

/* Room for some of the ranges, but not for all. */
void list_unwound(struct kt *t)
{
	struct pages pages;
	struct sg_table sgt;
	unsigned int i;

	if (!get_pages(t, &pages))
		return;
	for (i = 0; i < 8; i++)
		set(&pages, i, 4, 64);
	if (rig_cached(t, LINE, 16)) {
		sgt = (struct sg_table){ .sgl = pages.sgl, .nents = 8, .orig_nents = 8 };
		KT_EXPECT_EQ(t, 0, dma_map_sg(rig_of(t)->dev, pages.sgl, 8, DMA_FROM_DEVICE));
		KT_EXPECT_EQ(t, 0, rig_stats(t).live);
		KT_EXPECT_EQ(t, -ENOMEM,
			     dma_map_sgtable(rig_of(t)->dev, &sgt, DMA_FROM_DEVICE, 0));
		KT_EXPECT_EQ(t, 0, rig_stats(t).live);
		KT_EXPECT_EQ(t, 2, rig_stats(t).failed);
		KT_EXPECT_EQ(t, 0, sg_dma_len(pages.sgl));
		/* And afterwards it goes on. */
		expect_ranges(t, &pages, 4, 4);
	}
	put_pages(&pages);
}

/* No IOMMU, so nothing is merged; and all of it is carried. */
void list_cached(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	struct pages pages;
	unsigned int i;
	u8 *vaddr;

	if (!get_pages(t, &pages))
		return;
	for (i = 0; i < 8; i++)
		set(&pages, i, 0, PAGE_SIZE);
	if (!rig_cached(t, LINE, 32))
		goto out;
	KT_EXPECT_EQ(t, 0, dma_get_merge_boundary(dev));
	expect_ranges(t, &pages, 8, 8);
	if (!KT_EXPECT_EQ(t, 8, dma_map_sg(dev, pages.sgl, 8, DMA_BIDIRECTIONAL)))
		goto out;
	vaddr = page_address(pages.page[7]);
	memset(vaddr, 0x44, PAGE_SIZE);
	KT_EXPECT(t, !device_sees(t, sg_dma_address(&pages.sgl[7]), 0x44, 1), "without a sync");
	dma_sync_sg_for_device(dev, pages.sgl, 8, DMA_BIDIRECTIONAL);
	KT_EXPECT(t, device_sees(t, sg_dma_address(&pages.sgl[7]), 0x44, PAGE_SIZE), "old data");
	device_fill(t, sg_dma_address(&pages.sgl[7]), 0x55, PAGE_SIZE);
	KT_EXPECT(t, all(vaddr, 0x44, PAGE_SIZE), "without a sync");
	dma_unmap_sg(dev, pages.sgl, 8, DMA_BIDIRECTIONAL);
	KT_EXPECT(t, all(vaddr, 0x55, PAGE_SIZE), "not read again");
out:
	put_pages(&pages);
}

/* One range of many pieces, in no order. */
void list_scattered(struct kt *t)
{
	const unsigned int count = 1000;
	struct device *dev = rig_of(t)->dev;
	struct page **page = kvcalloc(count, sizeof(*page), GFP_KERNEL);
	struct sg_table sgt = {};
	unsigned int i;
	u32 seen;

	for (i = 0; page && i < count; i++) {
		page[i] = alloc_page(GFP_HIGHUSER);
		if (!KT_EXPECT(t, page[i], "no memory"))
			goto out;
		memcpy_to_page(page[i], 0, (char *)&i, sizeof(i));
	}
	if (!KT_EXPECT(t, page, "no memory") || !rig_iommu(t, 40))
		goto out;
	dma_set_max_seg_size(dev, UINT_MAX);
	for (i = 0; i < count / 2; i += 2)
		swap(page[i], page[count - 1 - i]);
	if (!KT_EXPECT_EQ(t, 0, sg_alloc_table_from_pages(&sgt, page, count, 0,
							  count * PAGE_SIZE, GFP_KERNEL)))
		goto out;
	if (KT_EXPECT_EQ(t, 0, dma_map_sgtable(dev, &sgt, DMA_TO_DEVICE, 0))) {
		KT_EXPECT_EQ(t, 1, sgt.nents);
		for (i = 0; i < count && !kt_over(t); i++) {
			unsigned int moved = i < count / 2 ? i % 2 == 0 : (count - 1 - i) % 2 == 0;

			device_read(t, sg_dma_address(sgt.sgl) + i * PAGE_SIZE, &seen, 4);
			KT_EXPECT_EQ(t, moved ? count - 1 - i : i, seen);
		}
		dma_unmap_sgtable(dev, &sgt, DMA_TO_DEVICE, 0);
	}
	sg_free_table(&sgt);
out:
	for (i = 0; page && i < count; i++)
		if (page[i])
			__free_page(page[i]);
	kvfree(page);
}
