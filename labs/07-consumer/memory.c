// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a controller can do within memory. The source and the destination are
 * mapped by one function for all; each of the others says what is to be done, and
 * looks whether it was.
 */
#include <linux/dma-mapping.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "consumer.h"

#define FLAGS		(DMA_PREP_INTERRUPT | DMA_CTRL_ACK)
#define LEN		4096
#define FILL		0x5a
#define SOURCES		3

/* A picture, and a window of it. */
#define STRIDE		64
#define ROWS		16
#define WIDTH		24

/* Prepares what is to be done. */
struct op {
	struct dma_async_tx_descriptor *(*prep)(struct consumer *c, dma_addr_t dst,
						dma_addr_t src);
};

static int run(struct consumer *c, const struct op *op, dma_addr_t dst, dma_addr_t src)
{
	dma_cookie_t cookie = job_submit(&c->in, op->prep(c, dst, src));

	if (cookie < 0)
		return cookie;
	dma_async_issue_pending(c->mem);
	return job_wait(&c->in);
}

/* src holds numbers; dst holds something else until it is written. */
static void fill_buffers(struct consumer *c)
{
	int i;

	for (i = 0; i < BUF_SIZE; i++)
		c->src[i] = i * 7 + (i >> 8);
	memset(c->dst, 0xff, BUF_SIZE);
}

static int with_buffers(struct consumer *c, const struct op *op)
{
	struct device *dma_dev = c->mem->device->dev;
	dma_addr_t src, dst;
	int ret = -ENOMEM;

	fill_buffers(c);
	src = dma_map_single(dma_dev, c->src, SOURCES * LEN, DMA_TO_DEVICE);
	if (dma_mapping_error(dma_dev, src))
		return ret;
	dst = dma_map_single(dma_dev, c->dst, LEN, DMA_FROM_DEVICE);
	if (dma_mapping_error(dma_dev, dst))
		goto unmap_src;
	ret = run(c, op, dst, src);
	stop_channel(c, c->mem);
	if (c->stuck)
		return ret ?: -EIO;
	dma_unmap_single(dma_dev, dst, LEN, DMA_FROM_DEVICE);
unmap_src:
	dma_unmap_single(dma_dev, src, SOURCES * LEN, DMA_TO_DEVICE);
	return ret;
}

static struct dma_async_tx_descriptor *prep_copy(struct consumer *c, dma_addr_t dst,
						 dma_addr_t src)
{
	return dmaengine_prep_dma_memcpy(c->mem, dst, src, LEN, FLAGS);
}

int show_copy(struct consumer *c)
{
	int ret = with_buffers(c, &(struct op){ prep_copy });

	if (!ret && memcmp(c->dst, c->src, LEN))
		ret = -EIO;
	if (!ret)
		dev_info(c->dev, "copy: %d bytes\n", LEN);
	return ret;
}

static struct dma_async_tx_descriptor *prep_fill(struct consumer *c, dma_addr_t dst,
						 dma_addr_t src)
{
	return dmaengine_prep_dma_memset(c->mem, dst, FILL, LEN, FLAGS);
}

int show_fill(struct consumer *c)
{
	int ret = with_buffers(c, &(struct op){ prep_fill });

	if (!ret && memchr_inv(c->dst, FILL, LEN))
		ret = -EIO;
	if (!ret)
		dev_info(c->dev, "fill: %d bytes\n", LEN);
	return ret;
}

/* The sources lie one behind the other. There is no dmaengine_prep_...() for it. */
static struct dma_async_tx_descriptor *prep_xor(struct consumer *c, dma_addr_t dst,
						dma_addr_t src)
{
	dma_addr_t srcs[SOURCES];
	int i;

	for (i = 0; i < SOURCES; i++)
		srcs[i] = src + i * LEN;
	return c->mem->device->device_prep_dma_xor(c->mem, dst, srcs, SOURCES, LEN, FLAGS);
}

int show_xor(struct consumer *c)
{
	int i, ret = with_buffers(c, &(struct op){ prep_xor });

	for (i = 0; i < LEN && !ret; i++)
		if (c->dst[i] != (c->src[i] ^ c->src[LEN + i] ^ c->src[2 * LEN + i]))
			ret = -EIO;
	if (!ret)
		dev_info(c->dev, "xor: %d bytes of %d sources\n", LEN, SOURCES);
	return ret;
}

/*
 * Rows out of a picture, packed. A frame is a row; after each the source skips
 * what is outside of the window (its icg, the inter-chunk gap), and the
 * destination nothing.
 */
static struct dma_async_tx_descriptor *prep_interleaved(struct consumer *c, dma_addr_t dst,
							dma_addr_t src)
{
	struct dma_async_tx_descriptor *tx;
	struct dma_interleaved_template *xt;

	xt = kzalloc(struct_size(xt, sgl, 1), GFP_KERNEL);
	if (!xt)
		return NULL;
	xt->src_start = src;
	xt->dst_start = dst;
	xt->dir = DMA_MEM_TO_MEM;
	xt->src_inc = true;
	xt->dst_inc = true;
	xt->src_sgl = true;
	xt->numf = ROWS;
	xt->frame_size = 1;
	xt->sgl[0].size = WIDTH;
	xt->sgl[0].icg = STRIDE - WIDTH;
	tx = dmaengine_prep_interleaved_dma(c->mem, xt, FLAGS);
	kfree(xt);
	return tx;
}

int show_interleaved(struct consumer *c)
{
	int row, ret = with_buffers(c, &(struct op){ prep_interleaved });

	for (row = 0; row < ROWS && !ret; row++)
		if (memcmp(c->dst + row * WIDTH, c->src + row * STRIDE, WIDTH))
			ret = -EIO;
	if (!ret)
		dev_info(c->dev, "interleaved: %d rows of %d bytes, out of a picture %d wide\n",
			 ROWS, WIDTH, STRIDE);
	return ret;
}
