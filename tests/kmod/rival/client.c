// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies as a driver makes them. Buffers that stay are mapped once, and exactly
 * what is copied is synchronized; each copy has a callback.
 */
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "client.h"

#define TIMEOUT		msecs_to_jiffies(60000)

static struct device *mapping_dev(struct client *client)
{
	return dmaengine_get_dma_device(client->chan);
}

/* ---- batches ---- */

static void copied(void *param)
{
	struct copy *copy = param;
	struct client *client = copy->client;

	dma_sync_single_for_cpu(mapping_dev(client), client->dst_dma + copy->at, copy->len,
				DMA_FROM_DEVICE);
	if (!--client->left)
		complete(&client->done);
}

static int submit(struct client *client, dma_addr_t dst, dma_addr_t src, size_t len,
		  dma_async_tx_callback callback, void *param)
{
	struct dma_async_tx_descriptor *tx;

	tx = dmaengine_prep_dma_memcpy(client->chan, dst, src, len,
				       DMA_PREP_INTERRUPT | DMA_CTRL_ACK);
	if (!tx)
		return -EIO;
	tx->callback = callback;
	tx->callback_param = param;
	return dma_submit_error(dmaengine_submit(tx)) ? -EIO : 0;
}

static int submit_copy(struct client *client, unsigned int nr, size_t len)
{
	struct copy *copy = &client->copy[nr];

	*copy = (struct copy){ .client = client, .at = nr * len % RIVAL_SIZE, .len = len };
	dma_sync_single_for_device(mapping_dev(client), client->src_dma + copy->at, len,
				   DMA_TO_DEVICE);
	dma_sync_single_for_device(mapping_dev(client), client->dst_dma + copy->at, len,
				   DMA_FROM_DEVICE);
	return submit(client, client->dst_dma + copy->at, client->src_dma + copy->at, len, copied,
		      copy);
}

static int issue_and_wait(struct client *client)
{
	dma_async_issue_pending(client->chan);
	if (wait_for_completion_timeout(&client->done, TIMEOUT))
		return 0;
	dmaengine_terminate_sync(client->chan);
	return -ETIMEDOUT;
}

static int run_batch(struct client *client, const struct rival_run *run)
{
	unsigned int i;
	int err;

	reinit_completion(&client->done);
	client->left = run->batch;
	for (i = 0; i < run->batch; i++) {
		err = submit_copy(client, i, run->length);
		if (err) {
			dmaengine_terminate_sync(client->chan);
			return err;
		}
	}
	return issue_and_wait(client);
}

static void run_by_cpu(struct client *client, const struct rival_run *run)
{
	unsigned int i;
	size_t at;

	for (i = 0; i < run->batch; i++) {
		at = i * run->length % RIVAL_SIZE;
		memcpy(client->dst + at, client->src + at, run->length);
		/* It may not be left out because of the next one. */
		barrier_data(client->dst);
	}
}

int client_run(struct client *client, const struct rival_run *run)
{
	unsigned int i;
	int err = 0;

	lockdep_assert_held(&client->mutex);

	for (i = 0; i < run->batches && !err; i++) {
		if (run->by_cpu)
			run_by_cpu(client, run);
		else
			err = run_batch(client, run);
	}
	return err;
}

/* ---- one at a time ---- */

static void woken(void *param)
{
	complete(param);
}

int client_copy_once(struct client *client, size_t len)
{
	struct device *dev = mapping_dev(client);
	dma_addr_t src, dst;
	int err = -ENOMEM;

	lockdep_assert_held(&client->mutex);

	reinit_completion(&client->done);
	src = dma_map_single(dev, client->src, len, DMA_TO_DEVICE);
	if (dma_mapping_error(dev, src))
		return err;
	dst = dma_map_single(dev, client->dst, len, DMA_FROM_DEVICE);
	if (dma_mapping_error(dev, dst))
		goto unmap_src;
	err = submit(client, dst, src, len, woken, &client->done) ?: issue_and_wait(client);
	dma_unmap_single(dev, dst, len, DMA_FROM_DEVICE);
unmap_src:
	dma_unmap_single(dev, src, len, DMA_TO_DEVICE);
	return err;
}

/* ---- the beginning and the end ---- */

static bool has_name(struct dma_chan *chan, void *name)
{
	return !strcmp(dma_chan_name(chan), name);
}

static int map_both(struct client *client)
{
	struct device *dev = mapping_dev(client);

	client->src_dma = dma_map_single(dev, client->src, RIVAL_SIZE, DMA_TO_DEVICE);
	if (dma_mapping_error(dev, client->src_dma))
		return -ENOMEM;
	client->dst_dma = dma_map_single(dev, client->dst, RIVAL_SIZE, DMA_FROM_DEVICE);
	if (!dma_mapping_error(dev, client->dst_dma))
		return 0;
	dma_unmap_single(dev, client->src_dma, RIVAL_SIZE, DMA_TO_DEVICE);
	return -ENOMEM;
}

int client_open(struct client *client, const char *name)
{
	dma_cap_mask_t mask;

	lockdep_assert_held(&client->mutex);

	if (client->chan)
		return -EBUSY;
	dma_cap_zero(mask);
	dma_cap_set(DMA_MEMCPY, mask);
	client->chan = dma_request_channel(mask, has_name, (void *)name);
	if (!client->chan)
		return -ENODEV;
	if (!map_both(client))
		return 0;
	dma_release_channel(client->chan);
	client->chan = NULL;
	return -ENOMEM;
}

struct client *client_new(void)
{
	struct client *client = kzalloc(sizeof(*client), GFP_KERNEL);

	if (!client)
		return NULL;
	mutex_init(&client->mutex);
	init_completion(&client->done);
	client->src = alloc_pages_exact(RIVAL_SIZE, GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
	client->dst = alloc_pages_exact(RIVAL_SIZE, GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
	if (client->src && client->dst)
		return client;
	client_free(client);
	return NULL;
}

static void close_channel(struct client *client)
{
	struct device *dev = mapping_dev(client);

	dmaengine_terminate_sync(client->chan);
	dma_unmap_single(dev, client->dst_dma, RIVAL_SIZE, DMA_FROM_DEVICE);
	dma_unmap_single(dev, client->src_dma, RIVAL_SIZE, DMA_TO_DEVICE);
	dma_release_channel(client->chan);
}

void client_free(struct client *client)
{
	if (client->chan)
		close_channel(client);
	if (client->src)
		free_pages_exact(client->src, RIVAL_SIZE);
	if (client->dst)
		free_pages_exact(client->dst, RIVAL_SIZE);
	mutex_destroy(&client->mutex);
	kfree(client);
}
