// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a port's jobs are made of: lists of pieces of memory, which the controller
 * goes through at the device's pace.
 */
#include <linux/log2.h>
#include <linux/sizes.h>

#include "dmafd.h"

/* More is not given to the controller at once: residues have 32 bits. */
#define MOST_AT_ONCE	SZ_1G

bool dmafd_slave_may(enum dma_transfer_direction direction, u32 opcode)
{
	switch (opcode) {
	case DMAFD_OP_NOP:
		return true;
	case DMAFD_OP_TO_DEVICE:
		return direction == DMA_MEM_TO_DEV;
	case DMAFD_OP_FROM_DEVICE:
		return direction == DMA_DEV_TO_MEM;
	case DMAFD_OP_CYCLIC:
		return direction != DMA_MEM_TO_MEM;
	default:
		return direction == DMA_MEM_TO_MEM;
	}
}

struct dmafd_stream *dmafd_slave_stream(const struct dmafd_chan *chan, struct dmafd_job *job)
{
	return chan->direction == DMA_MEM_TO_DEV ? &job->src : &job->dst;
}

int dmafd_slave_check(const struct dmafd_chan *chan, struct dmafd_job *job)
{
	const struct dmafd_stretch *stretch = &dmafd_slave_stream(chan, job)->one;
	u32 align = rounddown_pow_of_two(chan->width);
	size_t unit = max_t(size_t, job->period, 1), begin = stretch->buf->first + stretch->at;
	struct dmafd_place place;

	dmafd_map_seek(stretch->map, stretch->at, &place);
	if (job->length % chan->width || dmafd_map_addr(stretch->map, &place) & (align - 1))
		return -EINVAL;
	/*
	 * What comes from a device can't be left to the CPU where a cache line holds
	 * other bytes, too; nor can periods share one, which change hands apart.
	 */
	if (chan->direction == DMA_DEV_TO_MEM &&
	    (begin | job->length | (unit > 1 ? unit : 0)) & (stretch->map->line - 1))
		return -EINVAL;
	return 0;
}

/* How much from there on goes into one entry. */
static size_t entry_length(const struct dmafd_chan *chan, const struct dmafd_stream *stream,
			   size_t left)
{
	dma_addr_t addr = dmafd_stream_addr(stream);
	size_t len = dmafd_stream_run(stream, min(left, chan->max_segment));

	if (!len)
		return 0;
	len = min_t(u64, len - 1, chan->boundary - (addr & chan->boundary)) + 1;
	return len - len % chan->width;
}

size_t dmafd_slave_fill(struct dmafd_chan *chan, struct dmafd_job *job, size_t max,
			unsigned int *entries)
{
	struct dmafd_stream walk = *dmafd_slave_stream(chan, job);
	size_t left = min_t(size_t, job->left, MOST_AT_ONCE), sum = 0, len;
	struct scatterlist *sg = chan->entry;

	for (*entries = 0; *entries < max && left; (*entries)++, sg++) {
		len = entry_length(chan, &walk, left);
		if (!len)
			break;
		sg_dma_address(sg) = dmafd_stream_addr(&walk);
		sg->length = len;
		sg_dma_len(sg) = len;
		dmafd_stream_advance(&walk, len);
		left -= len;
		sum += len;
	}
	return sum;
}
