// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device behind the ring. It has bus addresses and nothing else: whatever it
 * knows of memory has come by DMA, and goes by DMA.
 */
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>

#include "ring.h"

static void ring_device_dma_done(void *data)
{
	struct ring_device *rd = data;

	complete(&rd->done);
}

/* The callback says that it is over, and not how; that the controller knows. */
static int ring_device_result(struct ring_device *rd, dma_cookie_t cookie)
{
	return dma_async_is_tx_complete(rd->chan, cookie, NULL, NULL) == DMA_ERROR ? -EIO : 0;
}

static int ring_device_wait(struct ring_device *rd, dma_cookie_t cookie)
{
	if (wait_for_completion_timeout(&rd->done, DMA_TIMEOUT))
		return ring_device_result(rd, cookie);
	dev_err(rd->dev, "device: timeout\n");
	if (dmaengine_terminate_sync(rd->chan)) {
		dev_err(rd->dev, "device: the controller does not stop\n");
		rd->stuck = true;
		return -EIO;
	}
	/* The callback does not run any more. Did it, in the last moment? */
	if (try_wait_for_completion(&rd->done))
		return ring_device_result(rd, cookie);
	return -ETIMEDOUT;
}

/* One access to memory: the board's DMA controller is the device's hand. */
static int ring_device_copy(struct ring_device *rd, dma_addr_t dst,
			    dma_addr_t src, size_t len)
{
	struct dma_async_tx_descriptor *tx;
	dma_cookie_t cookie;
	int ret;

	tx = dmaengine_prep_dma_memcpy(rd->chan, dst, src, len,
				       DMA_PREP_INTERRUPT | DMA_CTRL_ACK);
	if (!tx)
		return -ENOMEM;
	reinit_completion(&rd->done);
	tx->callback = ring_device_dma_done;
	tx->callback_param = rd;
	cookie = dmaengine_submit(tx);
	ret = dma_submit_error(cookie);
	if (ret)
		return ret;
	dma_async_issue_pending(rd->chan);
	return ring_device_wait(rd, cookie);
}

/*
 * Takes one descriptor through: 1, or 0 if the next one was not given to the
 * device, or an error.
 */
static int ring_device_step(struct ring_device *rd)
{
	dma_addr_t at = rd->ring + rd->tail * sizeof(*rd->desc);
	u32 len;
	int ret;

	ret = ring_device_copy(rd, rd->desc_dma, at, sizeof(*rd->desc));
	if (ret)
		return ret;
	if (le32_to_cpu(rd->desc->state) != RING_GIVEN)
		return 0;

	len = le32_to_cpu(rd->desc->len);
	ret = ring_device_copy(rd, le64_to_cpu(rd->desc->dst),
			       le64_to_cpu(rd->desc->src), len);
	if (ret)
		return ret;
	dev_info(rd->dev, "device: descriptor %u: %u bytes moved\n", rd->tail, len);

	rd->desc->state = cpu_to_le32(RING_DONE);
	ret = ring_device_copy(rd, at, rd->desc_dma, sizeof(*rd->desc));
	if (ret)
		return ret;
	rd->tail = (rd->tail + 1) % RING_SIZE;
	return 1;
}

static void ring_device_raise_irq(struct ring_device *rd)
{
	local_bh_disable();
	rd->irq(rd->irq_data);
	local_bh_enable();
}

static void ring_device_work(struct work_struct *work)
{
	struct ring_device *rd = container_of(work, struct ring_device, work);
	int ret;

	while (!rd->error) {
		ret = ring_device_step(rd);
		if (!ret)
			return;
		if (ret < 0)
			WRITE_ONCE(rd->error, ret);
		ring_device_raise_irq(rd);
	}
}

void ring_device_kick(struct ring_device *rd)
{
	/* A kick during the last step is not lost: the work runs once more. */
	queue_work(system_long_wq, &rd->work);
}

void ring_device_stop(struct ring_device *rd)
{
	cancel_work_sync(&rd->work);
}

void ring_device_reset(struct ring_device *rd)
{
	rd->tail = 0;
	rd->error = 0;
}

int ring_device_init(struct ring_device *rd, dma_addr_t ring)
{
	INIT_WORK(&rd->work, ring_device_work);
	init_completion(&rd->done);
	rd->ring = ring;
	rd->desc = dma_alloc_coherent(rd->chan->device->dev, sizeof(*rd->desc),
				      &rd->desc_dma, GFP_KERNEL);
	return rd->desc ? 0 : -ENOMEM;
}

void ring_device_exit(struct ring_device *rd)
{
	dma_free_coherent(rd->chan->device->dev, sizeof(*rd->desc), rd->desc,
			  rd->desc_dma);
}
