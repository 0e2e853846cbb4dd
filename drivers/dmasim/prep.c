// SPDX-License-Identifier: GPL-2.0-only
/*
 * What clients ask for, checked against what the controller says it can do, and
 * made into descriptors. These run in any context, with a client's locks held.
 */
#include <linux/overflow.h>
#include <linux/scatterlist.h>

#include "dmasim.h"

const char * const dmasim_refusal_names[] = {
	[DMASIM_REFUSED_LENGTH] = "length",
	[DMASIM_REFUSED_ALIGNMENT] = "alignment",
	[DMASIM_REFUSED_SEGMENT] = "segment",
	[DMASIM_REFUSED_DIRECTION] = "direction",
	[DMASIM_REFUSED_WIDTH] = "width",
	[DMASIM_REFUSED_BURST] = "burst",
	[DMASIM_REFUSED_CONFIG] = "config",
	[DMASIM_REFUSED_POOL] = "pool",
	[DMASIM_REFUSED_INJECTED] = "injected",
	[DMASIM_REFUSED_GONE] = "gone",
};

/* Whether the controller takes any work now. */
static bool is_open(struct dmasim_chan *chan)
{
	u32 arg;

	if (READ_ONCE(chan->sim->dying)) {
		dmasim_refuse(chan, DMASIM_REFUSED_GONE);
		return false;
	}
	if (dmasim_attr_fail_prep() ||
	    dmasim_fault_hit(chan->sim->faults, BIT(DMASIM_FAULT_REFUSE), chan->id, &arg)) {
		dmasim_refuse(chan, DMASIM_REFUSED_INJECTED);
		return false;
	}
	return true;
}

/* Whether a piece of memory is one that the controller can work on. */
static bool is_fit(struct dmasim_chan *chan, dma_addr_t addr, size_t len)
{
	const struct dmasim_config *config = chan->sim->config;

	if (!len)
		return dmasim_refuse(chan, DMASIM_REFUSED_LENGTH);
	if (len > config->max_segment)
		return dmasim_refuse(chan, DMASIM_REFUSED_SEGMENT);
	if ((addr | len) & (config->align - 1))
		return dmasim_refuse(chan, DMASIM_REFUSED_ALIGNMENT);
	return true;
}

static struct dmasim_desc *new_desc(struct dmasim_chan *chan, enum dmasim_type type,
				    unsigned int segments)
{
	struct dmasim_desc *desc = dmasim_desc_new(chan, segments);

	if (desc)
		desc->type = type;
	return desc;
}

static void set_segment(struct dmasim_desc *desc, unsigned int i, dma_addr_t dst,
			dma_addr_t src, size_t len)
{
	desc->seg[i].dst = dst;
	desc->seg[i].src = src;
	desc->seg[i].len = len;
	desc->len += len;
}

static struct dma_async_tx_descriptor *
prep_memcpy(struct dma_chan *dma_chan, dma_addr_t dst, dma_addr_t src, size_t len,
	    unsigned long flags)
{
	struct dmasim_chan *chan = to_dmasim_chan(dma_chan);
	struct dmasim_desc *desc;

	if (!is_open(chan) || !is_fit(chan, dst, len) || !is_fit(chan, src, len))
		return NULL;
	desc = new_desc(chan, DMASIM_MEMCPY, 1);
	if (!desc)
		return NULL;
	set_segment(desc, 0, dst, src, len);
	return dmasim_desc_ready(chan, desc, flags);
}

static struct dma_async_tx_descriptor *
prep_memset(struct dma_chan *dma_chan, dma_addr_t dst, int value, size_t len,
	    unsigned long flags)
{
	struct dmasim_chan *chan = to_dmasim_chan(dma_chan);
	struct dmasim_desc *desc;

	if (!is_open(chan) || !is_fit(chan, dst, len))
		return NULL;
	desc = new_desc(chan, DMASIM_MEMSET, 1);
	if (!desc)
		return NULL;
	desc->value = value;
	set_segment(desc, 0, dst, 0, len);
	return dmasim_desc_ready(chan, desc, flags);
}

/* Whether every entry of a list is fit, and of whole items of @width bytes. */
static bool is_list_fit(struct dmasim_chan *chan, struct scatterlist *sgl, unsigned int nents,
			unsigned int width)
{
	struct scatterlist *sg;
	unsigned int i;
	size_t len = 0;

	if (!nents)
		return dmasim_refuse(chan, DMASIM_REFUSED_LENGTH);
	for_each_sg(sgl, sg, nents, i) {
		if (!is_fit(chan, sg_dma_address(sg), sg_dma_len(sg)))
			return false;
		if (sg_dma_len(sg) % width)
			return dmasim_refuse(chan, DMASIM_REFUSED_WIDTH);
		if (check_add_overflow(len, (size_t)sg_dma_len(sg), &len) || len > U32_MAX)
			return dmasim_refuse(chan, DMASIM_REFUSED_LENGTH);
	}
	return true;
}

static struct dma_async_tx_descriptor *
prep_memset_sg(struct dma_chan *dma_chan, struct scatterlist *sgl, unsigned int nents,
	       int value, unsigned long flags)
{
	struct dmasim_chan *chan = to_dmasim_chan(dma_chan);
	struct dmasim_desc *desc;
	struct scatterlist *sg;
	unsigned int i;

	if (!is_open(chan) || !is_list_fit(chan, sgl, nents, 1))
		return NULL;
	desc = new_desc(chan, DMASIM_MEMSET_SG, nents);
	if (!desc)
		return NULL;
	desc->value = value;
	for_each_sg(sgl, sg, nents, i)
		set_segment(desc, i, sg_dma_address(sg), 0, sg_dma_len(sg));
	return dmasim_desc_ready(chan, desc, flags);
}

static struct dma_async_tx_descriptor *
prep_xor(struct dma_chan *dma_chan, dma_addr_t dst, dma_addr_t *src, unsigned int sources,
	 size_t len, unsigned long flags)
{
	struct dmasim_chan *chan = to_dmasim_chan(dma_chan);
	struct dmasim_desc *desc;
	unsigned int i;

	if (!is_open(chan) || !is_fit(chan, dst, len))
		return NULL;
	if (!sources || sources > chan->sim->config->max_xor)
		return dmasim_refuse(chan, DMASIM_REFUSED_SEGMENT);
	for (i = 0; i < sources; i++)
		if (!is_fit(chan, src[i], len))
			return NULL;
	desc = new_desc(chan, DMASIM_XOR, sources + 1);
	if (!desc)
		return NULL;
	for (i = 0; i < sources; i++)
		set_segment(desc, i, 0, src[i], 0);
	set_segment(desc, sources, dst, 0, len);
	return dmasim_desc_ready(chan, desc, flags);
}

static struct dma_async_tx_descriptor *
prep_interrupt(struct dma_chan *dma_chan, unsigned long flags)
{
	struct dmasim_chan *chan = to_dmasim_chan(dma_chan);
	struct dmasim_desc *desc;

	if (!is_open(chan))
		return NULL;
	desc = new_desc(chan, DMASIM_INTERRUPT, 0);
	return desc ? dmasim_desc_ready(chan, desc, flags) : NULL;
}

/* ---- slave transfers ---- */

/* The peripheral's side of a transfer. */
struct side {
	struct dmasim_peripheral *peripheral;
	unsigned int width;
	size_t burst;
};

static struct dma_slave_config slave_config(struct dmasim_chan *chan)
{
	struct dma_slave_config config;
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	config = chan->config;
	spin_unlock_irqrestore(&chan->lock, flags);
	return config;
}

static bool find_side(struct dmasim_chan *chan, enum dma_transfer_direction direction,
		      struct side *side)
{
	struct dma_slave_config config = slave_config(chan);
	bool to_device = direction == DMA_MEM_TO_DEV;

	if ((direction != DMA_MEM_TO_DEV && direction != DMA_DEV_TO_MEM) ||
	    !(chan->sim->config->directions & BIT(direction)))
		return dmasim_refuse(chan, DMASIM_REFUSED_DIRECTION);
	side->width = to_device ? config.dst_addr_width : config.src_addr_width;
	side->burst = to_device ? config.dst_maxburst : config.src_maxburst;
	side->burst = max_t(size_t, side->burst, 1) * side->width;
	side->peripheral = dmasim_peripheral_at(chan->sim, to_device ? config.dst_addr :
						config.src_addr);
	if (!side->width || !side->peripheral)
		return dmasim_refuse(chan, DMASIM_REFUSED_CONFIG);
	return true;
}

static void set_side(struct dmasim_desc *desc, enum dma_transfer_direction direction,
		     const struct side *side)
{
	desc->direction = direction;
	desc->peripheral = side->peripheral;
	desc->burst = side->burst;
}

static struct dma_async_tx_descriptor *
prep_slave_sg(struct dma_chan *dma_chan, struct scatterlist *sgl, unsigned int nents,
	      enum dma_transfer_direction direction, unsigned long flags, void *context)
{
	struct dmasim_chan *chan = to_dmasim_chan(dma_chan);
	struct dmasim_desc *desc;
	struct scatterlist *sg;
	struct side side;
	unsigned int i;

	if (!is_open(chan) || !find_side(chan, direction, &side) ||
	    !is_list_fit(chan, sgl, nents, side.width))
		return NULL;
	desc = new_desc(chan, DMASIM_SLAVE, nents);
	if (!desc)
		return NULL;
	set_side(desc, direction, &side);
	for_each_sg(sgl, sg, nents, i)
		set_segment(desc, i, sg_dma_address(sg), sg_dma_address(sg), sg_dma_len(sg));
	return dmasim_desc_ready(chan, desc, flags);
}

static struct dma_async_tx_descriptor *
prep_cyclic(struct dma_chan *dma_chan, dma_addr_t addr, size_t len, size_t period,
	    enum dma_transfer_direction direction, unsigned long flags)
{
	struct dmasim_chan *chan = to_dmasim_chan(dma_chan);
	struct dmasim_desc *desc;
	struct side side;

	if (!is_open(chan) || !find_side(chan, direction, &side) || !is_fit(chan, addr, period))
		return NULL;
	if (!len || len % period || len > U32_MAX)
		return dmasim_refuse(chan, DMASIM_REFUSED_LENGTH);
	if (period % side.width)
		return dmasim_refuse(chan, DMASIM_REFUSED_WIDTH);
	desc = new_desc(chan, DMASIM_CYCLIC, 1);
	if (!desc)
		return NULL;
	set_side(desc, direction, &side);
	set_segment(desc, 0, addr, addr, len);
	desc->period = period;
	desc->repeat = true;
	return dmasim_desc_ready(chan, desc, flags);
}

/* ---- interleaved transfers ---- */

static bool is_template_fit(struct dmasim_chan *chan, const struct dma_interleaved_template *xt,
			    unsigned int src_beat, unsigned int dst_beat)
{
	size_t frame = 0, total, i;

	if (!xt->numf || !xt->frame_size || xt->frame_size > U16_MAX)
		return dmasim_refuse(chan, DMASIM_REFUSED_LENGTH);
	for (i = 0; i < xt->frame_size; i++) {
		if (!is_fit(chan, 0, xt->sgl[i].size))
			return false;
		if ((src_beat && xt->sgl[i].size % src_beat) ||
		    (dst_beat && xt->sgl[i].size % dst_beat))
			return dmasim_refuse(chan, DMASIM_REFUSED_WIDTH);
		if (check_add_overflow(frame, xt->sgl[i].size, &frame))
			return dmasim_refuse(chan, DMASIM_REFUSED_LENGTH);
	}
	if (check_mul_overflow(frame, xt->numf, &total) || total > U32_MAX ||
	    check_mul_overflow(xt->frame_size, xt->numf, &total) || total > U32_MAX)
		return dmasim_refuse(chan, DMASIM_REFUSED_LENGTH);
	return true;
}

/* An address that stands still is hit by items of the width that was configured. */
static unsigned int beat_of(bool increments, enum dma_slave_buswidth width)
{
	return increments ? 0 : max_t(unsigned int, width, 1);
}

static struct dmasim_desc *new_interleaved(struct dmasim_chan *chan,
					   struct dma_interleaved_template *xt,
					   unsigned int src_beat, unsigned int dst_beat)
{
	struct dmasim_desc *desc = new_desc(chan, DMASIM_INTERLEAVE, xt->frame_size);
	size_t i;

	if (!desc)
		return NULL;
	for (i = 0; i < xt->frame_size; i++)
		set_segment(desc, i, dmaengine_get_dst_icg(xt, &xt->sgl[i]),
			    dmaengine_get_src_icg(xt, &xt->sgl[i]), xt->sgl[i].size);
	desc->len *= xt->numf;
	desc->src = xt->src_start;
	desc->dst = xt->dst_start;
	desc->src_beat = src_beat;
	desc->dst_beat = dst_beat;
	return desc;
}

static struct dma_async_tx_descriptor *
prep_interleaved(struct dma_chan *dma_chan, struct dma_interleaved_template *xt,
		 unsigned long flags)
{
	struct dmasim_chan *chan = to_dmasim_chan(dma_chan);
	struct dma_slave_config config = slave_config(chan);
	bool in_memory = xt->dir == DMA_MEM_TO_MEM;
	unsigned int src_beat, dst_beat;
	struct dmasim_desc *desc;
	struct side side = {};

	if (!is_open(chan) || (!in_memory && !find_side(chan, xt->dir, &side)))
		return NULL;
	src_beat = xt->dir == DMA_DEV_TO_MEM ? side.width :
		   beat_of(xt->src_inc, config.src_addr_width);
	dst_beat = xt->dir == DMA_MEM_TO_DEV ? side.width :
		   beat_of(xt->dst_inc, config.dst_addr_width);
	if (!is_template_fit(chan, xt, src_beat, dst_beat))
		return NULL;
	desc = new_interleaved(chan, xt, src_beat, dst_beat);
	if (!desc)
		return NULL;
	if (!in_memory)
		set_side(desc, xt->dir, &side);
	desc->repeat = flags & DMA_PREP_REPEAT;
	return dmasim_desc_ready(chan, desc, flags);
}

/* ---- configuration ---- */

static int check_width(struct dmasim_chan *chan, unsigned int width)
{
	if (width && (width >= 32 || !(chan->sim->config->widths & BIT(width)))) {
		dmasim_refuse(chan, DMASIM_REFUSED_WIDTH);
		return -EINVAL;
	}
	return 0;
}

static int check_burst(struct dmasim_chan *chan, u32 burst, u32 window)
{
	if (burst > chan->sim->config->max_burst || window > SZ_4K) {
		dmasim_refuse(chan, DMASIM_REFUSED_BURST);
		return -EINVAL;
	}
	return 0;
}

/* The FIFO at an address, if there is one, must be on our line and take a burst. */
static int check_address(struct dmasim_chan *chan, phys_addr_t addr, u32 width, u32 burst)
{
	struct dmasim_peripheral *peripheral;
	unsigned long flags;
	unsigned int line;

	if (!addr)
		return 0;
	spin_lock_irqsave(&chan->lock, flags);
	line = chan->line;
	spin_unlock_irqrestore(&chan->lock, flags);
	peripheral = dmasim_peripheral_at(chan->sim, addr);
	if (!peripheral || (line != DMASIM_NO_LINE && peripheral->config->line != line)) {
		dmasim_refuse(chan, DMASIM_REFUSED_CONFIG);
		return -EINVAL;
	}
	if ((u64)max(burst, 1U) * max(width, 1U) > peripheral->config->depth) {
		dmasim_refuse(chan, DMASIM_REFUSED_BURST);
		return -EINVAL;
	}
	return 0;
}

int dmasim_device_config(struct dma_chan *dma_chan, struct dma_slave_config *config)
{
	struct dmasim_chan *chan = to_dmasim_chan(dma_chan);
	unsigned long flags;

	if (config->device_fc || config->peripheral_config || config->peripheral_size) {
		dmasim_refuse(chan, DMASIM_REFUSED_CONFIG);
		return -EINVAL;
	}
	if (config->direction && (config->direction > DMA_DEV_TO_MEM ||
				  !(chan->sim->config->directions & BIT(config->direction)))) {
		dmasim_refuse(chan, DMASIM_REFUSED_DIRECTION);
		return -EINVAL;
	}
	if (check_width(chan, config->src_addr_width) ||
	    check_width(chan, config->dst_addr_width) ||
	    check_burst(chan, config->src_maxburst, config->src_port_window_size) ||
	    check_burst(chan, config->dst_maxburst, config->dst_port_window_size) ||
	    check_address(chan, config->src_addr, config->src_addr_width, config->src_maxburst) ||
	    check_address(chan, config->dst_addr, config->dst_addr_width, config->dst_maxburst))
		return -EINVAL;
	spin_lock_irqsave(&chan->lock, flags);
	chan->config = *config;
	spin_unlock_irqrestore(&chan->lock, flags);
	return 0;
}

/* ---- the operations of a controller with these options ---- */

static void prep_memory_ops(struct dma_device *dma, u64 types)
{
	if (types & BIT(DMASIM_MEMCPY)) {
		dma_cap_set(DMA_MEMCPY, dma->cap_mask);
		dma->device_prep_dma_memcpy = prep_memcpy;
	}
	if (types & BIT(DMASIM_MEMSET)) {
		dma_cap_set(DMA_MEMSET, dma->cap_mask);
		dma->device_prep_dma_memset = prep_memset;
	}
	if (types & BIT(DMASIM_MEMSET_SG)) {
		dma_cap_set(DMA_MEMSET_SG, dma->cap_mask);
		dma->device_prep_dma_memset_sg = prep_memset_sg;
	}
	if (types & BIT(DMASIM_XOR)) {
		dma_cap_set(DMA_XOR, dma->cap_mask);
		dma->device_prep_dma_xor = prep_xor;
	}
	if (types & BIT(DMASIM_INTERRUPT)) {
		dma_cap_set(DMA_INTERRUPT, dma->cap_mask);
		dma->device_prep_dma_interrupt = prep_interrupt;
	}
}

void dmasim_prep_ops(struct dma_device *dma, const struct dmasim_config *config)
{
	prep_memory_ops(dma, config->types);
	if (config->types & BIT(DMASIM_SLAVE)) {
		dma_cap_set(DMA_SLAVE, dma->cap_mask);
		dma->device_prep_slave_sg = prep_slave_sg;
	}
	if (config->types & BIT(DMASIM_CYCLIC)) {
		dma_cap_set(DMA_CYCLIC, dma->cap_mask);
		dma->device_prep_dma_cyclic = prep_cyclic;
	}
	if (config->types & BIT(DMASIM_INTERLEAVE)) {
		dma_cap_set(DMA_INTERLEAVE, dma->cap_mask);
		dma->device_prep_interleaved_dma = prep_interleaved;
	}
	if (config->types & BIT(DMASIM_REPEAT)) {
		dma_cap_set(DMA_REPEAT, dma->cap_mask);
		dma_cap_set(DMA_LOAD_EOT, dma->cap_mask);
	}
}
