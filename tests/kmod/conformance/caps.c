// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the provider says of itself.
 */
#include "conf.h"

static void caps_operations(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct dma_device *dma = c->chan->device;
	const struct {
		enum dma_transaction_type type;
		bool there;
	} ops[] = {
		{ DMA_MEMCPY, dma->device_prep_dma_memcpy },
		{ DMA_XOR, dma->device_prep_dma_xor && (dma->max_xor & 0xffff) >= 2 },
		{ DMA_XOR_VAL, dma->device_prep_dma_xor_val },
		{ DMA_PQ, dma->device_prep_dma_pq },
		{ DMA_PQ_VAL, dma->device_prep_dma_pq_val },
		{ DMA_MEMSET, dma->device_prep_dma_memset },
		{ DMA_MEMSET_SG, dma->device_prep_dma_memset_sg },
		{ DMA_INTERRUPT, dma->device_prep_dma_interrupt },
		{ DMA_CYCLIC, dma->device_prep_dma_cyclic },
		{ DMA_INTERLEAVE, dma->device_prep_interleaved_dma },
		/* They are flags of interleaved transactions. */
		{ DMA_REPEAT, dma->device_prep_interleaved_dma },
		{ DMA_LOAD_EOT, dma->device_prep_interleaved_dma },
		{ DMA_SLAVE, dma->device_prep_slave_sg && dma->device_config },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		KT_EXPECT(t, !dma_has_cap(ops[i].type, dma->cap_mask) || ops[i].there,
			  "capability %d without its operation", ops[i].type);
	KT_EXPECT(t, dma->device_tx_status && dma->device_issue_pending);
	/* Deferred freeing of what is terminated needs an end to wait for. */
	KT_EXPECT(t, !dma->device_synchronize || dma->device_terminate_all);
	KT_EXPECT(t, dma->dev && dma->dev->driver, "no driver for the device");
}

static void check_slave_caps(struct kt *t, const struct dma_slave_caps *caps,
			     const struct dma_device *dma, bool strict)
{
	u32 to_dev = BIT(DMA_MEM_TO_DEV) | BIT(DMA_DEV_TO_DEV);
	u32 from_dev = BIT(DMA_DEV_TO_MEM) | BIT(DMA_DEV_TO_DEV);

	KT_EXPECT(t, !(caps->directions & ~GENMASK(DMA_DEV_TO_DEV, DMA_MEM_TO_MEM)),
		  "%#x", caps->directions);
	KT_EXPECT(t, caps->directions & (to_dev | from_dev), "%#x", caps->directions);
	KT_EXPECT(t, !(caps->directions & to_dev) || caps->dst_addr_widths);
	KT_EXPECT(t, !(caps->directions & from_dev) || caps->src_addr_widths);
	/* Some mean with that bit that a client need not say the width. */
	KT_EXPECT(t, !strict || !((caps->src_addr_widths | caps->dst_addr_widths) & BIT(0)),
		  "a width of no bytes");
	KT_EXPECT(t, !caps->max_burst || caps->min_burst <= caps->max_burst, "%u > %u",
		  caps->min_burst, caps->max_burst);
	KT_EXPECT(t, caps->residue_granularity <= DMA_RESIDUE_GRANULARITY_BURST);
	KT_EXPECT(t, !caps->cmd_pause || dma->device_pause);
	KT_EXPECT(t, !caps->cmd_resume || (dma->device_resume && caps->cmd_pause));
	KT_EXPECT(t, !caps->cmd_terminate || dma->device_terminate_all);
}

static void caps_slave(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct dma_device *dma = c->chan->device;
	struct dma_slave_caps caps = {};
	int err = dma_get_slave_caps(c->chan, &caps);
	bool slave = dma_has_cap(DMA_SLAVE, dma->cap_mask) ||
		     dma_has_cap(DMA_CYCLIC, dma->cap_mask);

	KT_EXPECT_EQ(t, slave ? 0 : -ENXIO, err);
	if (!err)
		check_slave_caps(t, &caps, dma, c->p.strict);
}

/* A channel has one client. */
static void caps_exclusive(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct dma_chan *again;

	again = conf_request_chan(dma_chan_name(c->chan), "");
	if (!KT_EXPECT(t, !again))
		dma_release_channel(again);
	KT_EXPECT_EQ(t, 1, c->chan->client_count);
	KT_EXPECT(t, dma_has_cap(DMA_PRIVATE, c->chan->device->cap_mask));
}

const struct kt_case conf_caps_cases[] = {
	KT_CASE(caps_operations),
	KT_CASE(caps_slave),
	KT_CASE(caps_exclusive),
	{}
};
