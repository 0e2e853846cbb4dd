// SPDX-License-Identifier: GPL-2.0-only
#include <linux/dma-mapping.h>

#include "rig.h"

/* Transfers take microseconds: one that takes this long does not end. */
#define DMA_TIMEOUT	msecs_to_jiffies(5000)

static void rig_callback(void *data, const struct dmaengine_result *result)
{
	struct rig *rig = data;

	if (result->result != DMA_TRANS_NOERROR)
		rig->failed = true;
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
	rig->failed = false;
	reinit_completion(&rig->done);
}

static int rig_submit(struct rig *rig, dma_addr_t dst, dma_addr_t src, u32 len)
{
	struct dma_async_tx_descriptor *tx;

	tx = dmaengine_prep_dma_memcpy(rig->chan, dst, src, len,
				       DMA_PREP_INTERRUPT | DMA_CTRL_ACK);
	if (!tx)
		return -ENOMEM;
	tx->callback_result = rig_callback;
	tx->callback_param = rig;
	return dma_submit_error(dmaengine_submit(tx));
}

static int rig_queue(struct rig *rig, dma_addr_t dst, dma_addr_t src, u32 len)
{
	int ret = rig_submit(rig, dst, src, len);

	if (ret)
		rig_stop(rig);
	else
		rig->queued++;
	return ret;
}

int rig_read(struct rig *rig, u32 at, dma_addr_t addr, u32 len)
{
	return rig_queue(rig, rig->box_dma + at, addr, len);
}

int rig_write(struct rig *rig, u32 at, dma_addr_t addr, u32 len)
{
	return rig_queue(rig, addr, rig->box_dma + at, len);
}

int rig_run(struct rig *rig)
{
	int ret = 0;

	dma_async_issue_pending(rig->chan);
	for (; rig->queued && !ret; rig->queued--)
		if (!wait_for_completion_timeout(&rig->done, DMA_TIMEOUT))
			ret = -ETIMEDOUT;
	if (!ret && rig->failed)
		ret = -EIO;
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
