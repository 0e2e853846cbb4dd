// SPDX-License-Identifier: GPL-2.0-only
/*
 * Channels, buffers and copies between them.
 */
#include <linux/mm.h>
#include <linux/random.h>

#include "bench.h"

static bool is_of_provider(struct dma_chan *chan, void *data)
{
	const struct bench *b = data;

	return !*b->provider || !strcmp(b->provider, dev_name(chan->device->dev));
}

bool bench_open(struct bench *b, unsigned int most)
{
	struct dma_chan *chan;
	dma_cap_mask_t mask;

	dma_cap_zero(mask);
	dma_cap_set(DMA_MEMCPY, mask);
	while (b->chans < min_t(unsigned int, most, BENCH_CHANNELS)) {
		chan = dma_request_channel(mask, is_of_provider, b);
		if (!chan)
			break;
		b->chan[b->chans++] = chan;
	}
	return KT_EXPECT(b->t, b->chans, "no channel of \"%s\" is free", b->provider);
}

/* All pairs are mapped for the controller that the channels are of. */
static struct device *mapping_dev(struct bench *b)
{
	return dmaengine_get_dma_device(b->chan[0]);
}

static bool map_pair(struct bench *b, struct bench_pair *pair)
{
	struct device *dev = mapping_dev(b);

	pair->src_dma = dma_map_single(dev, pair->src, pair->size, DMA_TO_DEVICE);
	if (dma_mapping_error(dev, pair->src_dma))
		return false;
	pair->dst_dma = dma_map_single(dev, pair->dst, pair->size, DMA_FROM_DEVICE);
	if (!dma_mapping_error(dev, pair->dst_dma))
		return true;
	dma_unmap_single(dev, pair->src_dma, pair->size, DMA_TO_DEVICE);
	return false;
}

static void free_memory(struct bench_pair *pair)
{
	if (pair->src)
		free_pages_exact(pair->src, pair->size);
	if (pair->dst)
		free_pages_exact(pair->dst, pair->size);
}

static bool make_pair(struct bench *b, size_t size)
{
	struct bench_pair *pair = &b->pair[b->pairs];

	pair->size = size;
	pair->src = alloc_pages_exact(size, GFP_KERNEL | __GFP_NOWARN);
	pair->dst = alloc_pages_exact(size, GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
	if (pair->src)
		get_random_bytes(pair->src, size);
	if (!pair->src || !pair->dst || !map_pair(b, pair)) {
		free_memory(pair);
		KT_FAIL(b->t, "%zu bytes can't be had and mapped", size);
		return false;
	}
	b->pairs++;
	return true;
}

bool bench_make_pairs(struct bench *b, unsigned int count, size_t size)
{
	while (b->pairs < count)
		if (!make_pair(b, size))
			return false;
	return true;
}

void bench_to_cpu(struct bench *b)
{
	struct device *dev = mapping_dev(b);
	struct bench_pair *pair;

	for (pair = b->pair; pair < b->pair + b->pairs; pair++) {
		dma_sync_single_for_cpu(dev, pair->src_dma, pair->size, DMA_TO_DEVICE);
		dma_sync_single_for_cpu(dev, pair->dst_dma, pair->size, DMA_FROM_DEVICE);
	}
}

void bench_to_device(struct bench *b)
{
	struct device *dev = mapping_dev(b);
	struct bench_pair *pair;

	for (pair = b->pair; pair < b->pair + b->pairs; pair++) {
		dma_sync_single_for_device(dev, pair->src_dma, pair->size, DMA_TO_DEVICE);
		dma_sync_single_for_device(dev, pair->dst_dma, pair->size, DMA_FROM_DEVICE);
	}
}

static void free_pair(struct bench *b, struct bench_pair *pair)
{
	struct device *dev = mapping_dev(b);

	dma_unmap_single(dev, pair->src_dma, pair->size, DMA_TO_DEVICE);
	dma_unmap_single(dev, pair->dst_dma, pair->size, DMA_FROM_DEVICE);
	free_memory(pair);
}

void bench_close(struct bench *b)
{
	unsigned int i;

	for (i = 0; i < b->chans; i++)
		dmaengine_terminate_sync(b->chan[i]);
	while (b->pairs)
		free_pair(b, &b->pair[--b->pairs]);
	while (b->chans)
		dma_release_channel(b->chan[--b->chans]);
}

dma_cookie_t bench_submit(struct dma_chan *chan, const struct bench_pair *pair, size_t len,
			  dma_async_tx_callback callback, void *param)
{
	unsigned long flags = DMA_CTRL_ACK | (callback ? DMA_PREP_INTERRUPT : 0);
	struct dma_async_tx_descriptor *tx;

	tx = dmaengine_prep_dma_memcpy(chan, pair->dst_dma, pair->src_dma, len, flags);
	if (!tx)
		return -ENOMEM;
	tx->callback = callback;
	tx->callback_param = param;
	return dmaengine_submit(tx);
}

void bench_done(void *param)
{
	complete(param);
}

bool bench_wait(struct bench *b)
{
	unsigned long left;

	left = wait_for_completion_timeout(&b->done, msecs_to_jiffies(b->timeout_ms));
	return KT_EXPECT(b->t, left, "not complete after %u ms", b->timeout_ms);
}

bool bench_copies(struct bench *b, unsigned int count, size_t len)
{
	struct dma_chan *chan = b->chan[0];
	dma_cookie_t cookie;
	unsigned int i;
	bool last;

	reinit_completion(&b->done);
	for (i = 0; i < count; i++) {
		last = i == count - 1;
		cookie = bench_submit(chan, &b->pair[i % b->pairs], len,
				      last ? bench_done : NULL, &b->done);
		if (dma_submit_error(cookie)) {
			KT_FAIL(b->t, "copy %u of %zu bytes is refused", i, len);
			return false;
		}
	}
	dma_async_issue_pending(chan);
	return bench_wait(b);
}
