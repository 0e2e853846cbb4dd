// SPDX-License-Identifier: GPL-2.0-only
/*
 * What goes with the eight recipes: memory that may not share a cache line, what
 * a device can address, what to do when the third of four mappings fails, and
 * who copies behind the driver's back.
 */
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/slab.h>

#include "recipes.h"

#define SIZE	256

/*
 * The longest cache line, for DMA, of all machines whose devices do not look
 * into the cache. (What this machine has, dma_get_cache_alignment() tells, but
 * only at run time.)
 */
#define LONGEST_LINE	128

/*
 * A line goes to memory, or is forgotten, as a whole. If the device wrote to one
 * part of it and the CPU to another, one of the two would lose. So what the
 * device writes begins a line, and what comes next begins another. What kmalloc()
 * gives is like that by itself; this is for buffers inside of a structure.
 */
struct line {
	u8 byte[SIZE];
} __aligned(LONGEST_LINE);

struct neighbours {
	u32 before;
	struct line buf;
	struct line after;
};

/* The device writes the buffer while the CPU writes what is beside it. */
int recipe_alignment(struct rig *rig)
{
	struct neighbours *n = kzalloc(sizeof(*n), GFP_KERNEL);
	dma_addr_t dma;
	int ret = -ENOMEM;

	if (!n)
		return ret;
	fill(rig->box, SIZE, 9);
	dma = dma_map_single(rig->dma_dev, n->buf.byte, SIZE, DMA_FROM_DEVICE);
	if (dma_mapping_error(rig->dma_dev, dma))
		goto free_n;
	n->before = 1;
	n->after.byte[0] = 2;
	ret = rig_writes(rig, dma, SIZE);
	if (rig->stuck)
		return ret;
	dma_unmap_single(rig->dma_dev, dma, SIZE, DMA_FROM_DEVICE);
	if (!ret)
		ret = check(n->buf.byte, SIZE, 9);
	if (n->before != 1 || n->after.byte[0] != 2)
		ret = -EIO;
	dev_info(rig->dev, "alignment: buffer at byte %zu of its structure, the next at %zu\n",
		 offsetof(struct neighbours, buf), offsetof(struct neighbours, after));
free_n:
	kfree(n);
	return ret;
}

/*
 * Tells the kernel how many address bits the device has: the first of these
 * numbers that will do. From then on mapping gives no address that has more.
 */
static int set_mask(struct device *dev, const u32 *bits, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!dma_set_mask_and_coherent(dev, DMA_BIT_MASK(bits[i])))
			return bits[i];
	return -EIO;
}

/*
 * This is about our own device, as in its driver's probe. The controller's mask
 * is the business of the controller's driver.
 */
int recipe_masks(struct rig *rig)
{
	static const u32 usual[] = { 64, 32 };
	static const u32 poor[] = { 16 };
	int bits = set_mask(rig->dev, usual, ARRAY_SIZE(usual));

	if (bits < 0)
		return bits;
	dev_info(rig->dev, "masks: %d bits\n", bits);
	/* Nothing to fall back to. The mask stays what it was. */
	bits = set_mask(rig->dev, poor, ARRAY_SIZE(poor));
	if (bits >= 0)
		dev_info(rig->dev, "masks: even %d bits would do\n", bits);
	else
		dev_info(rig->dev, "masks: with %u bits a driver gives up\n", poor[0]);
	return 0;
}

/*
 * A buffer and what unmapping it needs. On machines where unmapping needs
 * nothing, the two fields take no room, and the macros that use them do nothing.
 */
struct mapped {
	u8 *buf;
	dma_addr_t at_device;	/* for the device, until it has read it */
	DEFINE_DMA_UNMAP_ADDR(dma);
	DEFINE_DMA_UNMAP_LEN(len);
};

#define BUFFERS	4

static void unmap_first(struct rig *rig, struct mapped *m, u32 n)
{
	while (n--)
		dma_unmap_single(rig->dma_dev, dma_unmap_addr(&m[n], dma),
				 dma_unmap_len(&m[n], len), DMA_TO_DEVICE);
}

/*
 * Maps all of them or none. The mapping of the number "fails", counted from 1, is
 * taken for failed.
 */
static int map_all(struct rig *rig, struct mapped *m, u32 fails)
{
	u32 i;

	for (i = 0; i < BUFFERS; i++) {
		dma_addr_t dma = DMA_MAPPING_ERROR;

		if (i + 1 != fails)
			dma = dma_map_single(rig->dma_dev, m[i].buf, SIZE, DMA_TO_DEVICE);
		if (dma_mapping_error(rig->dma_dev, dma)) {
			dev_info(rig->dev, "unwind: buffer %u of %u can't be mapped\n",
				 i + 1, BUFFERS);
			/* Without this, what was mapped is lost. */
			unmap_first(rig, m, i);
			dev_info(rig->dev, "unwind: %u taken back\n", i);
			return -ENOMEM;
		}
		dma_unmap_addr_set(&m[i], dma, dma);
		dma_unmap_len_set(&m[i], len, SIZE);
		m[i].at_device = dma;
	}
	return 0;
}

static int read_all(struct rig *rig, struct mapped *m)
{
	u32 i;
	int ret;

	for (i = 0; i < BUFFERS; i++) {
		ret = rig_read(rig, i * SIZE, m[i].at_device, SIZE);
		if (ret)
			return ret;
	}
	return rig_run(rig);
}

static int map_and_read_all(struct rig *rig, struct mapped *m)
{
	int ret = map_all(rig, m, 0);
	u32 i;

	if (ret)
		return ret;
	ret = read_all(rig, m);
	if (rig->stuck)
		return ret;
	unmap_first(rig, m, BUFFERS);
	for (i = 0; i < BUFFERS && !ret; i++)
		ret = check(rig->box + i * SIZE, SIZE, i);
	dev_info(rig->dev, "unwind: the device has read %u buffers\n", BUFFERS);
	return ret;
}

int recipe_unwind(struct rig *rig)
{
	struct mapped m[BUFFERS] = { };
	int i, ret = -ENOMEM;

	for (i = 0; i < BUFFERS; i++) {
		m[i].buf = kmalloc(SIZE, GFP_KERNEL);
		if (!m[i].buf)
			goto free_buf;
		fill(m[i].buf, SIZE, i);
	}
	/* The first time the third one fails, as if memory were short. */
	if (map_all(rig, m, BUFFERS - 1) == -ENOMEM)
		ret = map_and_read_all(rig, m);
	if (rig->stuck)
		return ret;
free_buf:
	for (i = 0; i < BUFFERS; i++)
		kfree(m[i].buf);
	return ret;
}

/*
 * Memory that a device can't reach is copied to where it can: at mapping time
 * what the device shall read, at unmapping time what it wrote. Nothing in the
 * driver shows it, but here it can be seen: a page that is mapped twice has one
 * address if it is the page's own, and two if somebody has put something in
 * between.
 */
static const char *what_is_between(struct device *dev, dma_addr_t one, dma_addr_t two)
{
	if (one == two)
		return "nothing";
	return device_iommu_mapped(dev) ? "an IOMMU" : "a bounce buffer";
}

/* For our own device, with the 32 address bits that many have. */
int recipe_bounce(struct rig *rig)
{
	struct page *page;
	dma_addr_t one, two;
	int ret;

	ret = dma_set_mask_and_coherent(rig->dev, DMA_BIT_MASK(32));
	if (ret)
		return ret;
	page = alloc_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	ret = -ENOMEM;
	one = dma_map_page(rig->dev, page, 0, SIZE, DMA_TO_DEVICE);
	if (dma_mapping_error(rig->dev, one))
		goto free_page;
	two = dma_map_page(rig->dev, page, 0, SIZE, DMA_TO_DEVICE);
	if (!dma_mapping_error(rig->dev, two)) {
		ret = 0;
		dev_info(rig->dev, "bounce: %s is between memory and a device of 32 bits\n",
			 what_is_between(rig->dev, one, two));
		dma_unmap_page(rig->dev, two, SIZE, DMA_TO_DEVICE);
	}
	dma_unmap_page(rig->dev, one, SIZE, DMA_TO_DEVICE);
free_page:
	__free_page(page);
	return ret;
}
