// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a physical channel does with a descriptor, a piece at a time: moves bytes,
 * waits for request lines, ends as planned or otherwise.
 */
#include <linux/highmem.h>
#include <linux/ktime.h>
#include <linux/string.h>

#include "dmasim.h"
#include "trace.h"

/* All but plain copies and fills takes longer, byte for byte: less of it in one go. */
#define SLOW_PIECE	SZ_16K

/* What is worked on in a row; a scratch of that size is on the stack. */
#define XOR_PIECE	256

/* A piece of work could not be done: why and where, for the record. */
struct trouble {
	enum dmasim_reach reach;
	dma_addr_t addr;
	bool write;
};

static size_t note_trouble(struct trouble *trouble, const struct dmasim_window *window,
			   dma_addr_t addr, bool write)
{
	trouble->reach = window->reach;
	trouble->addr = addr;
	trouble->write = write;
	return 0;
}

/* Like a controller that copies upwards, also where the two overlap. */
static void copy_bytes(u8 *dst, const u8 *src, size_t len)
{
	if (dst + len <= src || src + len <= dst)
		memcpy(dst, src, len);
	else
		memmove(dst, src, len);
}

/* One side stands still: every beat of the bus hits the same few bytes. */
static void copy_beats(struct dmasim_desc *desc, u8 *dst, const u8 *src, size_t len)
{
	size_t at = desc->offset, i;

	for (i = 0; i < len; i++)
		dst[desc->dst_beat ? (at + i) % desc->dst_beat : i] =
			src[desc->src_beat ? (at + i) % desc->src_beat : i];
}

static size_t copy_piece(struct dmasim *sim, struct dmasim_desc *desc, dma_addr_t src,
			 dma_addr_t dst, size_t len, struct trouble *trouble)
{
	size_t src_len = desc->src_beat ?: len, dst_len = desc->dst_beat ?: len;
	struct dmasim_window from, to;

	dmasim_window_open(sim, src, src_len, false, &from);
	if (!from.len)
		return note_trouble(trouble, &from, src, false);
	dmasim_window_open(sim, dst, dst_len, true, &to);
	if (!to.len) {
		len = note_trouble(trouble, &to, dst, true);
	} else if (desc->src_beat || desc->dst_beat) {
		/* A beat never crosses the end of what is there: it is aligned. */
		if (!desc->src_beat)
			len = min(len, from.len);
		if (!desc->dst_beat)
			len = min(len, to.len);
		copy_beats(desc, to.ptr, from.ptr, len);
	} else {
		len = min3(len, from.len, to.len);
		copy_bytes(to.ptr, from.ptr, len);
	}
	dmasim_window_close(&to);
	dmasim_window_close(&from);
	return len;
}

static size_t fill_piece(struct dmasim *sim, struct dmasim_desc *desc, dma_addr_t dst,
			 size_t len, struct trouble *trouble)
{
	struct dmasim_window to;

	dmasim_window_open(sim, dst, len, true, &to);
	if (!to.len)
		return note_trouble(trouble, &to, dst, true);
	len = min(len, to.len);
	memset(to.ptr, desc->value, len);
	dmasim_window_close(&to);
	return len;
}

static void xor_bytes(u8 *into, const u8 *from, size_t len)
{
	while (len--)
		*into++ ^= *from++;
}

/* All sources are read before the destination is written: it may be one of them. */
static size_t xor_piece(struct dmasim *sim, struct dmasim_desc *desc, size_t len,
			struct trouble *trouble)
{
	unsigned int sources = desc->segments - 1, i;
	dma_addr_t dst = desc->seg[sources].dst + desc->done;
	u8 scratch[XOR_PIECE] = {};
	struct dmasim_window window;

	len = min_t(size_t, len, sizeof(scratch));
	for (i = 0; i < sources; i++) {
		dma_addr_t src = desc->seg[i].src + desc->done;

		dmasim_window_open(sim, src, len, false, &window);
		if (!window.len)
			return note_trouble(trouble, &window, src, false);
		len = min(len, window.len);
		xor_bytes(scratch, window.ptr, len);
		dmasim_window_close(&window);
	}
	dmasim_window_open(sim, dst, len, true, &window);
	if (!window.len)
		return note_trouble(trouble, &window, dst, true);
	len = min(len, window.len);
	memcpy(window.ptr, scratch, len);
	dmasim_window_close(&window);
	return len;
}

/* The channel is ready again in so many ns. */
static void wake_in(struct dmasim_chan *chan, u64 ns)
{
	hrtimer_start(&chan->timer, ns_to_ktime(ns), HRTIMER_MODE_REL);
}

/* Between memory and a FIFO; 0 without trouble: the request is down. */
static size_t slave_piece(struct dmasim_chan *chan, struct dmasim_desc *desc, dma_addr_t addr,
			  size_t len, struct trouble *trouble)
{
	bool to_device = desc->direction == DMA_MEM_TO_DEV;
	struct dmasim_window window;
	u64 wait = 0;
	size_t moved;

	chan->drives = desc->peripheral;
	dmasim_window_open(chan->sim, addr, len, !to_device, &window);
	if (!window.len)
		return note_trouble(trouble, &window, addr, !to_device);
	moved = dmasim_peripheral_move(desc->peripheral, chan, window.ptr,
				       min(len, window.len), desc->burst, to_device, &wait);
	dmasim_window_close(&window);
	if (wait)
		wake_in(chan, wait);
	return moved;
}

/* Where the current segment goes on. */
static void find_place(struct dmasim_desc *desc, dma_addr_t *src, dma_addr_t *dst)
{
	const struct dmasim_segment *seg = &desc->seg[desc->segment % desc->segments];
	bool interleaved = desc->type == DMASIM_INTERLEAVE;

	*src = interleaved ? desc->at_src : seg->src;
	*dst = interleaved ? desc->at_dst : seg->dst;
	if (!desc->src_beat)
		*src += desc->offset;
	if (!desc->dst_beat)
		*dst += desc->offset;
}

static void advance(struct dmasim_desc *desc, size_t len)
{
	const struct dmasim_segment *seg = &desc->seg[desc->segment % desc->segments];

	desc->done += len;
	if (desc->type == DMASIM_XOR)
		return;
	desc->offset += len;
	if (desc->offset < seg->len)
		return;
	desc->offset = 0;
	desc->segment++;
	if (!desc->src_beat)
		desc->at_src += seg->len + seg->src;
	if (!desc->dst_beat)
		desc->at_dst += seg->len + seg->dst;
}

size_t dmasim_move_limit(const struct dmasim_desc *desc, size_t max)
{
	size_t left = desc->len - desc->done;

	if (!left)
		return 0;
	if (desc->type == DMASIM_XOR)
		return min3(max, left, (size_t)XOR_PIECE);
	if (desc->type != DMASIM_MEMCPY && desc->type != DMASIM_MEMSET &&
	    desc->type != DMASIM_MEMSET_SG)
		max = min_t(size_t, max, SLOW_PIECE);
	left = desc->seg[desc->segment % desc->segments].len - desc->offset;
	if (desc->period)
		left = min(left, desc->period - desc->done % desc->period);
	return min(max, left);
}

static size_t piece(struct dmasim_chan *chan, struct dmasim_desc *desc, size_t max,
		    struct trouble *trouble)
{
	size_t len = dmasim_move_limit(desc, max);
	dma_addr_t src, dst;

	if (desc->type == DMASIM_XOR)
		return xor_piece(chan->sim, desc, len, trouble);
	find_place(desc, &src, &dst);
	switch (desc->type) {
	case DMASIM_MEMSET:
	case DMASIM_MEMSET_SG:
		return fill_piece(chan->sim, desc, dst, len, trouble);
	case DMASIM_MEMCPY:
		return copy_piece(chan->sim, desc, src, dst, len, trouble);
	default:
		if (desc->direction == DMA_MEM_TO_MEM)
			return copy_piece(chan->sim, desc, src, dst, len, trouble);
		return slave_piece(chan, desc, desc->direction == DMA_MEM_TO_DEV ? src : dst,
				   len, trouble);
	}
}

static void end_with(struct dmasim_chan *chan, enum dmaengine_tx_result result)
{
	struct dmasim_desc *desc = chan->current_desc;

	desc->result.result = result;
	desc->result.residue = desc->len - desc->done;
	dmasim_chan_complete(chan);
}

static enum dmasim_step refuse_access(struct dmasim_chan *chan, const struct trouble *trouble)
{
	dmasim_record_fault(chan, trouble->addr, trouble->write, trouble->reach);
	end_with(chan, trouble->write ? DMA_TRANS_WRITE_FAILED : DMA_TRANS_READ_FAILED);
	return DMASIM_STEP_MORE;
}

/* The end of the data, or of a round of it. */
static enum dmasim_step end_of_data(struct dmasim_chan *chan, struct dmasim_desc *desc)
{
	if (!desc->repeat || dmasim_chan_replaced(chan)) {
		end_with(chan, DMA_TRANS_NOERROR);
		return DMASIM_STEP_MORE;
	}
	if (!desc->period)
		chan->periods++;
	desc->rounds++;
	desc->done = 0;
	desc->segment = 0;
	desc->offset = 0;
	desc->at_src = desc->src;
	desc->at_dst = desc->dst;
	return DMASIM_STEP_MORE;
}

static enum dmasim_step be_late(struct dmasim_chan *chan, struct dmasim_desc *desc)
{
	ktime_t now = ktime_get();

	if (!chan->late_until)
		chan->late_until = ktime_add_us(now, desc->fault_arg ?: USEC_PER_MSEC);
	if (ktime_before(now, chan->late_until)) {
		wake_in(chan, ktime_to_ns(ktime_sub(chan->late_until, now)));
		return DMASIM_STEP_REST;
	}
	chan->late_until = 0;
	desc->fault = DMASIM_FAULT_NONE;
	return DMASIM_STEP_MORE;
}

/* The transaction has come to where something goes wrong on purpose. */
static enum dmasim_step go_wrong(struct dmasim_chan *chan, struct dmasim_desc *desc)
{
	struct trouble trouble = { .reach = DMASIM_DENIED };
	dma_addr_t src, dst;

	switch (desc->fault) {
	case DMASIM_FAULT_HANG:
		chan->hung = true;
		return DMASIM_STEP_REST;
	case DMASIM_FAULT_LATE:
		return be_late(chan, desc);
	case DMASIM_FAULT_SPURIOUS:
		chan->spurious = true;
		desc->fault = DMASIM_FAULT_NONE;
		return DMASIM_STEP_MORE;
	case DMASIM_FAULT_IOMMU:
		trouble.write = desc->direction != DMA_MEM_TO_DEV;
		if (desc->type == DMASIM_XOR)
			dst = desc->seg[desc->segments - 1].dst + desc->done;
		else
			find_place(desc, &src, &dst);
		trouble.addr = trouble.write ? dst : src;
		return refuse_access(chan, &trouble);
	case DMASIM_FAULT_SHORT:
		end_with(chan, DMA_TRANS_NOERROR);
		return DMASIM_STEP_MORE;
	case DMASIM_FAULT_ABORT:
		end_with(chan, DMA_TRANS_ABORTED);
		return DMASIM_STEP_MORE;
	default:
		end_with(chan, DMA_TRANS_READ_FAILED);
		return DMASIM_STEP_MORE;
	}
}

enum dmasim_step dmasim_move(struct dmasim_chan *chan, size_t max, size_t *moved)
{
	struct dmasim_desc *desc = dmasim_chan_next(chan);
	struct trouble trouble = { .reach = DMASIM_REACHED };
	unsigned long flags;
	size_t len;

	*moved = 0;
	if (!desc)
		return DMASIM_STEP_REST;
	if (desc->fault && desc->done >= desc->limit)
		return go_wrong(chan, desc);
	if (desc->done == desc->len)
		return end_of_data(chan, desc);
	if (desc->fault)
		max = min(max, desc->limit - desc->done);

	flags = dmasim_memory_lock(chan->sim);
	len = piece(chan, desc, max, &trouble);
	dmasim_memory_unlock(chan->sim, flags);
	if (trouble.reach != DMASIM_REACHED)
		return refuse_access(chan, &trouble);
	if (!len)
		return DMASIM_STEP_REST;

	trace_dmasim_burst(chan, desc, len);
	advance(desc, len);
	chan->stats.bytes += len;
	*moved = len;
	if (desc->period && !(desc->done % desc->period))
		chan->periods++;
	if (desc->done == desc->len && (!desc->fault || desc->limit > desc->done))
		return end_of_data(chan, desc);
	return DMASIM_STEP_MORE;
}
