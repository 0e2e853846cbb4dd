// SPDX-License-Identifier: GPL-2.0-only
#include <linux/dma-mapping.h>

#include "rig.h"

/* Transfers take microseconds: one that takes this long does not end. */
#define DMA_TIMEOUT	msecs_to_jiffies(5000)

static void rig_callback(void *data)
{
	struct rig *rig = data;

	complete(&rig->done);
}

/* Forgets what was queued; what was started is stopped. */
static void rig_stop(struct rig *rig)
{
	if (dmaengine_terminate_sync(rig->chan)) {
		dev_err(rig->dev, "the controller does not stop\n");
		rig->stuck = true;
		return;
	}
	rig->queued = 0;
	reinit_completion(&rig->done);
}

static dma_cookie_t rig_submit(struct rig *rig, dma_addr_t dst, dma_addr_t src, u32 len)
{
	struct dma_async_tx_descriptor *tx;

	tx = dmaengine_prep_dma_memcpy(rig->chan, dst, src, len,
				       DMA_PREP_INTERRUPT | DMA_CTRL_ACK);
	if (!tx)
		return -ENOMEM;
	tx->callback = rig_callback;
	tx->callback_param = rig;
	return dmaengine_submit(tx);
}

static int rig_queue(struct rig *rig, dma_addr_t dst, dma_addr_t src, u32 len)
{
	dma_cookie_t cookie = -ENOSPC;

	if (rig->queued < RIG_MAX)
		cookie = rig_submit(rig, dst, src, len);
	if (dma_submit_error(cookie)) {
		rig_stop(rig);
		return cookie;
	}
	rig->cookie[rig->queued++] = cookie;
	return 0;
}

int rig_read(struct rig *rig, u32 at, dma_addr_t addr, u32 len)
{
	return rig_queue(rig, rig->box_dma + at, addr, len);
}

int rig_write(struct rig *rig, u32 at, dma_addr_t addr, u32 len)
{
	return rig_queue(rig, addr, rig->box_dma + at, len);
}

/* A callback says that a transfer is over, and not how; the controller knows. */
static int rig_wait(struct rig *rig)
{
	u32 i;

	for (i = 0; i < rig->queued; i++)
		if (!wait_for_completion_timeout(&rig->done, DMA_TIMEOUT))
			return -ETIMEDOUT;
	for (i = 0; i < rig->queued; i++)
		if (dma_async_is_tx_complete(rig->chan, rig->cookie[i], NULL, NULL) == DMA_ERROR)
			return -EIO;
	rig->queued = 0;
	return 0;
}

int rig_run(struct rig *rig)
{
	int ret;

	dma_async_issue_pending(rig->chan);
	ret = rig_wait(rig);
	if (ret)
		rig_stop(rig);
	return ret;
}

int rig_reads(struct rig *rig, dma_addr_t addr, u32 len)
{
	return rig_read(rig, 0, addr, len) ?: rig_run(rig);
}

int rig_writes(struct rig *rig, dma_addr_t addr, u32 len)
{
	return rig_write(rig, 0, addr, len) ?: rig_run(rig);
}

int rig_init(struct rig *rig)
{
	rig->dma_dev = rig->chan->device->dev;
	init_completion(&rig->done);
	rig->box = dma_alloc_coherent(rig->dma_dev, BOX_SIZE, &rig->box_dma, GFP_KERNEL);
	return rig->box ? 0 : -ENOMEM;
}

void rig_exit(struct rig *rig)
{
	dma_free_coherent(rig->dma_dev, BOX_SIZE, rig->box, rig->box_dma);
}
