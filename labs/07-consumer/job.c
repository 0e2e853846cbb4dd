// SPDX-License-Identifier: GPL-2.0-only
/* Running a transaction, from its descriptor to its end; what peripherals want. */
#include <linux/module.h>

#include "consumer.h"

/* The slowest one takes a tenth of a second: this is one that does not end. */
#define DMA_TIMEOUT	msecs_to_jiffies(5000)

/* A driver of hardware has these from the registers in its device's node. */
static ulong echo_fifo = 0xd0001000;
module_param(echo_fifo, ulong, 0444);
MODULE_PARM_DESC(echo_fifo, "address of the FIFO that gives back what it gets");

static ulong source_fifo = 0xd0002000;
module_param(source_fifo, ulong, 0444);
MODULE_PARM_DESC(source_fifo, "address of the FIFO that counts");

/* Runs in a tasklet, or like in one: it must not sleep. */
static void job_callback(void *data, const struct dmaengine_result *result)
{
	struct job *job = data;

	job->result = result->result;
	complete(&job->done);
}

dma_cookie_t job_submit(struct job *job, struct dma_async_tx_descriptor *tx)
{
	dma_cookie_t cookie;
	int ret;

	if (!tx)
		return -ENOMEM;
	reinit_completion(&job->done);
	tx->callback_result = job_callback;
	tx->callback_param = job;
	cookie = dmaengine_submit(tx);
	ret = dma_submit_error(cookie);
	return ret ?: cookie;
}

int job_wait(struct job *job)
{
	if (!wait_for_completion_timeout(&job->done, DMA_TIMEOUT))
		return -ETIMEDOUT;
	return job->result == DMA_TRANS_NOERROR ? 0 : -EIO;
}

void stop_channel(struct consumer *c, struct dma_chan *chan)
{
	if (dmaengine_terminate_sync(chan)) {
		dev_err(c->dev, "the controller does not stop\n");
		c->stuck = true;
	}
}

int config_tx(struct consumer *c)
{
	struct dma_slave_config config = {
		.direction = DMA_MEM_TO_DEV,
		.dst_addr = echo_fifo,
		.dst_addr_width = DMA_SLAVE_BUSWIDTH_4_BYTES,
		.dst_maxburst = 8,
	};

	return dmaengine_slave_config(c->tx, &config);
}

int config_rx(struct consumer *c)
{
	struct dma_slave_config config = {
		.direction = DMA_DEV_TO_MEM,
		.src_addr = echo_fifo,
		.src_addr_width = DMA_SLAVE_BUSWIDTH_4_BYTES,
		.src_maxburst = 8,
	};

	return dmaengine_slave_config(c->rx, &config);
}

int config_source(struct consumer *c)
{
	struct dma_slave_config config = {
		.direction = DMA_DEV_TO_MEM,
		.src_addr = source_fifo,
		.src_addr_width = DMA_SLAVE_BUSWIDTH_2_BYTES,
		.src_maxburst = 4,
	};

	return dmaengine_slave_config(c->source, &config);
}
