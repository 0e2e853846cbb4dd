// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eight ways to map memory for a device. Each is complete in itself: where the
 * memory comes from, whose it is at which moment, and how it is given back.
 *
 * "dma_dev" is the device that reads and writes. In a driver for a device that
 * does its own DMA that is the device itself; here it is the controller.
 */
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "recipes.h"

#define SIZE	PAGE_SIZE
#define HALF	(SIZE / 2)
#define PAGES	3

/* 1. A buffer that the device reads. */
int recipe_single(struct rig *rig)
{
	u8 *buf = kmalloc(SIZE, GFP_KERNEL);
	dma_addr_t dma;
	int ret = -ENOMEM;

	if (!buf)
		return ret;
	fill(buf, SIZE, 1);
	dma = dma_map_single(rig->dma_dev, buf, SIZE, DMA_TO_DEVICE);
	/* An address is no pointer: this is the only way to see an error. */
	if (dma_mapping_error(rig->dma_dev, dma))
		goto free_buf;

	/* From here on the buffer is the device's... */
	ret = rig_reads(rig, dma, SIZE);
	if (rig->stuck)
		return ret;
	dma_unmap_single(rig->dma_dev, dma, SIZE, DMA_TO_DEVICE);
	/* ...and from here on the CPU's again. */
	if (!ret)
		ret = check(rig->box, SIZE, 1);
	dev_info(rig->dev, "single: the device has read %lu bytes\n", SIZE);
free_buf:
	kfree(buf);
	return ret;
}

/* The device exchanges the halves of what is at this address. */
static int exchange_halves(struct rig *rig, dma_addr_t dma)
{
	return rig_reads(rig, dma, SIZE) ?:
	       rig_write(rig, HALF, dma, HALF) ?:
	       rig_write(rig, 0, dma + HALF, HALF) ?:
	       rig_run(rig);
}

/* 2. A buffer that the device reads and writes. */
int recipe_bidirectional(struct rig *rig)
{
	u8 *buf = kmalloc(SIZE, GFP_KERNEL);
	dma_addr_t dma;
	int ret = -ENOMEM;

	if (!buf)
		return ret;
	fill(buf, HALF, 2);
	fill(buf + HALF, HALF, 3);
	/* Costs what both directions cost: only where both are needed. */
	dma = dma_map_single(rig->dma_dev, buf, SIZE, DMA_BIDIRECTIONAL);
	if (dma_mapping_error(rig->dma_dev, dma))
		goto free_buf;
	ret = exchange_halves(rig, dma);
	if (rig->stuck)
		return ret;
	dma_unmap_single(rig->dma_dev, dma, SIZE, DMA_BIDIRECTIONAL);
	if (!ret)
		ret = check(buf, HALF, 3) ?: check(buf + HALF, HALF, 2);
	dev_info(rig->dev, "bidirectional: the device has exchanged the halves\n");
free_buf:
	kfree(buf);
	return ret;
}

/* A look at what has come so far, while the rest is still to come. */
static int write_with_a_look(struct rig *rig, const u8 *buf, dma_addr_t dma)
{
	int ret = rig_writes(rig, dma, HALF);

	if (ret)
		return ret;
	/* The CPU's, for a moment; the same direction as in the mapping. */
	dma_sync_single_for_cpu(rig->dma_dev, dma, HALF, DMA_FROM_DEVICE);
	ret = check(buf, HALF, 4);
	dev_info(rig->dev, "sync: half of it has come\n");
	dma_sync_single_for_device(rig->dma_dev, dma, HALF, DMA_FROM_DEVICE);
	if (ret)
		return ret;
	return rig_write(rig, HALF, dma + HALF, HALF) ?: rig_run(rig);
}

/* 3. A buffer that the device writes, and that the CPU looks at meanwhile. */
int recipe_sync(struct rig *rig)
{
	u8 *buf = kzalloc(SIZE, GFP_KERNEL);
	dma_addr_t dma;
	int ret = -ENOMEM;

	if (!buf)
		return ret;
	fill(rig->box, SIZE, 4);
	dma = dma_map_single(rig->dma_dev, buf, SIZE, DMA_FROM_DEVICE);
	if (dma_mapping_error(rig->dma_dev, dma))
		goto free_buf;
	ret = write_with_a_look(rig, buf, dma);
	if (rig->stuck)
		return ret;
	/* Unmapping is a sync for the CPU, too. */
	dma_unmap_single(rig->dma_dev, dma, SIZE, DMA_FROM_DEVICE);
	if (!ret)
		ret = check(buf, SIZE, 4);
	dev_info(rig->dev, "sync: all of it has come\n");
free_buf:
	kfree(buf);
	return ret;
}

/*
 * 4. A page: memory that needs no address in the kernel, as highmem and the
 * pages of programs have none.
 */
int recipe_page(struct rig *rig)
{
	struct page *page = alloc_page(GFP_KERNEL);
	dma_addr_t dma;
	int ret = -ENOMEM;

	if (!page)
		return ret;
	fill(page_address(page), PAGE_SIZE, 5);
	dma = dma_map_page(rig->dma_dev, page, 0, PAGE_SIZE, DMA_TO_DEVICE);
	if (dma_mapping_error(rig->dma_dev, dma))
		goto free_page;
	ret = rig_reads(rig, dma, PAGE_SIZE);
	if (rig->stuck)
		return ret;
	dma_unmap_page(rig->dma_dev, dma, PAGE_SIZE, DMA_TO_DEVICE);
	if (!ret)
		ret = check(rig->box, PAGE_SIZE, 5);
	dev_info(rig->dev, "page: the device has read a page\n");
free_page:
	__free_page(page);
	return ret;
}

/*
 * 7. How a device is given a mapped list: entry by entry, by sg_dma_address()
 * and sg_dma_len(). An IOMMU may have joined entries. So there are as many as
 * mapping said, and each is as long as sg_dma_len() says; sg->length and the
 * number that went in are for the CPU.
 */
static int program_sg(struct rig *rig, struct scatterlist *sgl, int mapped)
{
	struct scatterlist *sg;
	u32 at = 0;
	int i, ret;

	for_each_sg(sgl, sg, mapped, i) {
		dev_dbg(rig->dev, "entry %d: %u bytes\n", i, sg_dma_len(sg));
		ret = rig_read(rig, at, sg_dma_address(sg), sg_dma_len(sg));
		if (ret)
			return ret;
		at += sg_dma_len(sg);
	}
	return rig_run(rig);
}

/* 5. Buffers that have nothing to do with each other, in one go. */
static int map_and_read(struct rig *rig, struct scatterlist *sgl, int nents)
{
	int mapped = dma_map_sg(rig->dma_dev, sgl, nents, DMA_TO_DEVICE);
	int ret;

	/* Here it is 0 that tells of an error. */
	if (!mapped)
		return -ENOMEM;
	ret = program_sg(rig, sgl, mapped);
	if (rig->stuck)
		return ret;
	/* As many as were given to dma_map_sg(), not as many as it returned. */
	dma_unmap_sg(rig->dma_dev, sgl, nents, DMA_TO_DEVICE);
	return ret;
}

int recipe_sg(struct rig *rig)
{
	static const u32 len[] = { SIZE, SIZE / 4, SIZE / 2 };
	struct scatterlist sgl[ARRAY_SIZE(len)];
	u8 *buf[ARRAY_SIZE(len)] = { };
	int i, ret = -ENOMEM;
	u32 at;

	sg_init_table(sgl, ARRAY_SIZE(len));
	for (i = 0; i < ARRAY_SIZE(len); i++) {
		buf[i] = kmalloc(len[i], GFP_KERNEL);
		if (!buf[i])
			goto free_buf;
		fill(buf[i], len[i], i);
		sg_set_buf(&sgl[i], buf[i], len[i]);
	}
	ret = map_and_read(rig, sgl, ARRAY_SIZE(len));
	if (rig->stuck)
		return ret;
	for (i = 0, at = 0; i < ARRAY_SIZE(len) && !ret; at += len[i++])
		ret = check(rig->box + at, len[i], i);
	dev_info(rig->dev, "sg: the device has read %zu buffers\n", ARRAY_SIZE(len));
free_buf:
	for (i = 0; i < ARRAY_SIZE(len); i++)
		kfree(buf[i]);
	return ret;
}

/*
 * A list for a buffer, an entry for each page that it touches. Works for what
 * has one address in the kernel and one in memory, as what kmalloc() gives;
 * memory of vmalloc() is to be asked for its pages (recipe 8).
 */
static int create_sg(struct sg_table *sgt, u8 *buf, size_t len)
{
	u32 n = DIV_ROUND_UP(offset_in_page(buf) + len, PAGE_SIZE);
	struct scatterlist *sg;
	int i, ret;

	ret = sg_alloc_table(sgt, n, GFP_KERNEL);
	if (ret)
		return ret;
	for_each_sgtable_sg(sgt, sg, i) {
		size_t part = min_t(size_t, len, PAGE_SIZE - offset_in_page(buf));

		sg_set_buf(sg, buf, part);
		buf += part;
		len -= part;
	}
	return 0;
}

/* 6. One buffer, its list made for it; the table keeps the two counts apart. */
int recipe_create(struct rig *rig)
{
	size_t len = PAGES * SIZE - 64;
	u8 *buf = kmalloc(len, GFP_KERNEL);
	struct sg_table sgt;
	int ret = -ENOMEM;

	if (!buf)
		return ret;
	fill(buf, len, 6);
	ret = create_sg(&sgt, buf, len);
	if (ret)
		goto free_buf;
	ret = dma_map_sgtable(rig->dma_dev, &sgt, DMA_TO_DEVICE, 0);
	if (ret)
		goto free_table;
	ret = program_sg(rig, sgt.sgl, sgt.nents);
	if (rig->stuck)
		return ret;
	dma_unmap_sgtable(rig->dma_dev, &sgt, DMA_TO_DEVICE, 0);
	if (!ret)
		ret = check(rig->box, len, 6);
	dev_info(rig->dev, "create: the device has read %zu bytes, of %u pages\n",
		 len, sgt.orig_nents);
free_table:
	sg_free_table(&sgt);
free_buf:
	kfree(buf);
	return ret;
}

/* 7. Pages side by side: what an IOMMU, or the mapping, may join. */
int recipe_iterate(struct rig *rig)
{
	u8 *buf = (u8 *)__get_free_pages(GFP_KERNEL, 2);
	struct sg_table sgt;
	int ret = -ENOMEM;

	if (!buf)
		return ret;
	fill(buf, 4 * PAGE_SIZE, 7);
	ret = create_sg(&sgt, buf, 4 * PAGE_SIZE);
	if (ret)
		goto free_buf;
	ret = dma_map_sgtable(rig->dma_dev, &sgt, DMA_TO_DEVICE, 0);
	if (ret)
		goto free_table;
	dev_info(rig->dev, "iterate: %u entries in memory, %u for the device\n",
		 sgt.orig_nents, sgt.nents);
	ret = program_sg(rig, sgt.sgl, sgt.nents);
	if (rig->stuck)
		return ret;
	dma_unmap_sgtable(rig->dma_dev, &sgt, DMA_TO_DEVICE, 0);
	if (!ret)
		ret = check(rig->box, 4 * PAGE_SIZE, 7);
free_table:
	sg_free_table(&sgt);
free_buf:
	free_pages((unsigned long)buf, 2);
	return ret;
}

/* The device reads the pages, and writes them back in reverse order. */
static int reverse_pages(struct rig *rig, struct sg_table *sgt)
{
	u32 at = PAGES * PAGE_SIZE;
	struct scatterlist *sg;
	int i, ret;

	ret = program_sg(rig, sgt->sgl, sgt->nents);
	if (ret)
		return ret;
	/* A page of the box at a time: an entry may be several, joined. */
	for_each_sgtable_dma_sg(sgt, sg, i) {
		u32 done;

		for (done = 0; done < sg_dma_len(sg) && !ret; done += PAGE_SIZE) {
			at -= PAGE_SIZE;
			ret = rig_write(rig, at, sg_dma_address(sg) + done, PAGE_SIZE);
		}
		if (ret)
			return ret;
	}
	return rig_run(rig);
}

static int map_pages(struct rig *rig, struct page **pages)
{
	struct scatterlist *sg;
	struct sg_table sgt;
	int i, ret;

	ret = sg_alloc_table(&sgt, PAGES, GFP_KERNEL);
	if (ret)
		return ret;
	for_each_sgtable_sg(&sgt, sg, i)
		sg_set_page(sg, pages[i], PAGE_SIZE, 0);
	ret = dma_map_sgtable(rig->dma_dev, &sgt, DMA_BIDIRECTIONAL, 0);
	if (ret)
		goto free_table;
	ret = reverse_pages(rig, &sgt);
	if (rig->stuck)
		return ret;
	dma_unmap_sgtable(rig->dma_dev, &sgt, DMA_BIDIRECTIONAL, 0);
free_table:
	sg_free_table(&sgt);
	return ret;
}

/* 8. Pages, wherever they come from: the page cache, or a program. */
int recipe_pages(struct rig *rig)
{
	struct page *pages[PAGES] = { };
	int i, ret = -ENOMEM;

	for (i = 0; i < PAGES; i++) {
		pages[i] = alloc_page(GFP_KERNEL);
		if (!pages[i])
			goto free_pages;
		fill(page_address(pages[i]), PAGE_SIZE, i);
	}
	ret = map_pages(rig, pages);
	if (rig->stuck)
		return ret;
	for (i = 0; i < PAGES && !ret; i++)
		ret = check(page_address(pages[i]), PAGE_SIZE, PAGES - 1 - i);
	dev_info(rig->dev, "pages: the device has reversed %u pages\n", PAGES);
free_pages:
	for (i = 0; i < PAGES; i++)
		if (pages[i])
			__free_page(pages[i]);
	return ret;
}
