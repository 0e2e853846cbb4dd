// SPDX-License-Identifier: GPL-2.0-only
/*
 * Jobs fed to the controller, piece by piece.
 *
 * Whoever has something new (operations, a callback) pumps. One does so at a time,
 * without any lock; who comes meanwhile leaves the work to it. That keeps the order
 * of jobs, in whatever context and on whatever CPU callbacks come.
 */
#include <linux/dma-mapping.h>
#include <linux/jiffies.h>

#include "dmafd.h"
#include "trace.h"

/* ---- what comes back ---- */

/* As far as the framework knows, which some drivers don't tell at once. */
static bool is_known_to_be_done(const struct dma_chan *dma, dma_cookie_t cookie)
{
	return dma_async_is_complete(cookie, READ_ONCE(dma->completed_cookie),
				     READ_ONCE(dma->cookie)) == DMA_COMPLETE;
}

/* Some controllers call back too early, or once too often. */
static bool is_in_progress(struct dmafd_chan *chan, struct dmafd_slot *slot)
{
	dma_cookie_t cookie = READ_ONCE(slot->cookie);

	return cookie > 0 && !is_known_to_be_done(chan->dma, cookie) &&
	       dmaengine_tx_status(chan->dma, cookie, NULL) == DMA_IN_PROGRESS;
}

/*
 * Whether the next piece is over, too. Its callback is under way then, and whoever is
 * called last pumps for all.
 */
static bool is_followed(struct dmafd_chan *chan, const struct dmafd_slot *slot)
{
	dma_cookie_t cookie = READ_ONCE(slot->next->cookie);

	lockdep_assert_held(&chan->lock);

	return cookie > 0 && !slot->next->done && is_known_to_be_done(chan->dma, cookie);
}

static void piece_done(void *param, const struct dmaengine_result *result)
{
	struct dmafd_slot *slot = param;
	struct dmafd_chan *chan = slot->run->chan;
	unsigned long flags;
	bool pump;

	if (is_in_progress(chan, slot))
		return;
	spin_lock_irqsave(&chan->lock, flags);
	pump = slot->run == chan->run && READ_ONCE(slot->job) && !slot->done;
	if (pump) {
		slot->done = true;
		slot->residue = min_t(size_t, result->residue, slot->len);
		slot->failed = result->result != DMA_TRANS_NOERROR;
		pump = !is_followed(chan, slot);
	}
	spin_unlock_irqrestore(&chan->lock, flags);
	if (pump)
		dmafd_pump(chan);
}

static void call_plainly(void *param)
{
	struct dmafd_slot *slot = param;
	struct dma_chan *dma = slot->run->chan->dma;
	dma_cookie_t cookie = READ_ONCE(slot->cookie);
	struct dmaengine_result result = { .result = DMA_TRANS_NOERROR };

	if (cookie > 0 && dmaengine_tx_status(dma, cookie, NULL) == DMA_ERROR)
		result.result = DMA_TRANS_ABORTED;
	slot->call(slot, &result);
}

void dmafd_call_back(struct dmafd_chan *chan, struct dma_async_tx_descriptor *tx,
		     struct dmafd_slot *slot, dma_async_tx_callback_result call)
{
	slot->call = call;
	tx->callback_param = slot;
	if (chan->plain_callbacks)
		tx->callback = call_plainly;
	else
		tx->callback_result = call;
}

/* A device may have had less to give than it was asked for, which then is the end. */
static bool may_be_short(const struct dmafd_job *job)
{
	return job->opcode == DMAFD_OP_FROM_DEVICE && job->fed && !job->pieces;
}

/* After the first failure nothing is counted: bytes are those from the beginning. */
static void count_in(struct dmafd_slot *slot)
{
	struct dmafd_job *job = slot->job;

	job->pieces--;
	if (job->status)
		return;
	job->bytes += slot->len - slot->residue;
	if (slot->failed || (slot->residue && !may_be_short(job)))
		job->status = -EIO;
}

void dmafd_slot_clear(struct dmafd_slot *slot)
{
	WRITE_ONCE(slot->job, NULL);
	WRITE_ONCE(slot->cookie, 0);
	slot->done = false;
	slot->failed = false;
	slot->residue = 0;
}

static void count_all_in(struct dmafd_chan *chan)
{
	struct dmafd_slot *slot;
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	for (; chan->count; chan->count--) {
		slot = &chan->run->slot[chan->first];
		if (!slot->done)
			break;
		count_in(slot);
		dmafd_slot_clear(slot);
		chan->over = true;
		chan->first = (chan->first + 1) % DMAFD_WINDOW;
	}
	spin_unlock_irqrestore(&chan->lock, flags);
}

void dmafd_retire(struct dmafd_chan *chan)
{
	if (chan->count)
		count_all_in(chan);
	while (chan->over)
		chan->over = dmafd_complete_some(chan);
}

/* ---- what goes out ---- */

static void start(struct dmafd_job *job)
{
	unsigned int i;

	job->started = true;
	if (job->whole) {
		if (job->nr_srcs)
			dmafd_map_piece_for_device(job->src.one.map, job->from, job->length);
		dmafd_map_piece_for_device(job->dst.one.map, job->to, job->length);
		return;
	}
	for (i = 0; i < job->nr_srcs; i++)
		dmafd_stream_for_device(&job->srcs[i], false);
	dmafd_stream_for_device(&job->dst, true);
}

/* How much of @len one side can do in one piece, from where it is. */
static size_t side_limit(const struct dmafd_chan *chan, const struct dmafd_stream *side,
			 u32 align, size_t len)
{
	dma_addr_t addr = dmafd_stream_addr(side);

	if (!len || addr & (align - 1))
		return 0;
	return min_t(u64, len - 1, chan->boundary - (addr & chan->boundary)) + 1;
}

/* How many bytes from here on are the CPU's; and if there are none, how many are not. */
static size_t edge_length(const struct dmafd_stream *dst, size_t *middle)
{
	size_t head, tail;

	dmafd_stretch_edges(&dst->now, &head, &tail);
	if (dst->in < head)
		return head - dst->in;
	*middle = tail - min(dst->in, tail);
	return *middle ? 0 : dst->now.len - dst->in;
}

static void skip_edges(struct dmafd_job *job, size_t *middle)
{
	size_t edge;

	*middle = job->left;
	while (job->left && job->dst.count) {
		edge = edge_length(&job->dst, middle);
		if (!edge)
			break;
		job->left -= edge;
		dmafd_job_advance(job, edge);
	}
}

/*
 * What the controller is to do at once: bytes, or so many rows of the same length, or
 * so many entries of the channel's list.
 */
struct piece {
	dma_addr_t dst, src;	/* unless they are entries */
	size_t len;
	size_t rows;
	unsigned int entries;
};

/* 0 if there is no such piece. */
static size_t piece_length(const struct dmafd_chan *chan, const struct dmafd_job *job,
			   size_t middle)
{
	size_t len = min(middle, chan->max_segment);
	unsigned int i;

	for (i = 0; i < job->nr_srcs; i++)
		len = side_limit(chan, &job->srcs[i], job->align,
				 dmafd_stream_run(&job->srcs[i], len));
	len = side_limit(chan, &job->dst, job->align, dmafd_stream_run(&job->dst, len));
	return len & ~((size_t)job->align - 1);
}

/* How many rows of at most @max one side can do at once. */
static size_t side_rows(const struct dmafd_chan *chan, const struct dmafd_job *job,
			const struct dmafd_stream *side, size_t max)
{
	size_t row = side->now.len, stride = side->stride, len;

	if (side->in || !max)
		return 0;
	len = side_limit(chan, side, job->align,
			 dmafd_map_run(side->now.map, &side->place, (max - 1) * stride + row));
	return len < row ? 0 : min(max, (len - row) / stride + 1);
}

static struct piece find_entries(struct dmafd_chan *chan, struct dmafd_job *job)
{
	struct piece piece = {};

	piece.len = dmafd_slave_fill(chan, job, job->at_once ? DMAFD_WINDOW : 1, &piece.entries);
	return piece;
}

static struct piece find_piece(struct dmafd_chan *chan, struct dmafd_job *job, size_t middle)
{
	struct piece piece = { .dst = job->to, .src = job->from, .len = job->length };
	size_t row, rows = 0;

	if (job->whole)
		return piece;
	if (chan->width)
		return find_entries(chan, job);
	piece.dst = dmafd_stream_addr(&job->dst);
	if (job->nr_srcs)
		piece.src = dmafd_stream_addr(job->srcs);
	row = job->dst.now.len;
	if (job->at_once) {
		rows = min_t(size_t, job->dst.count - job->dst.nr, chan->max_segment / row);
		rows = side_rows(chan, job, &job->src, rows);
		rows = side_rows(chan, job, &job->dst, rows);
	}
	piece.rows = rows > 1 ? rows : 0;
	piece.len = rows > 1 ? rows * row : piece_length(chan, job, middle);
	return piece;
}

#define PREP_FLAGS	(DMA_PREP_INTERRUPT | DMA_CTRL_ACK)

static struct dma_async_tx_descriptor *prepare_rows(struct dmafd_chan *chan,
						    struct dmafd_job *job,
						    const struct piece *piece)
{
	size_t row = job->dst.now.len;

	*chan->rows = (struct dma_interleaved_template) {
		.src_start = piece->src,
		.dst_start = piece->dst,
		.dir = DMA_MEM_TO_MEM,
		.src_inc = true,
		.dst_inc = true,
		.src_sgl = true,
		.dst_sgl = true,
		.numf = piece->rows,
		.frame_size = 1,
	};
	chan->rows->sgl[0] = (struct data_chunk) {
		.size = row,
		.src_icg = job->src.stride - row,
		.dst_icg = job->dst.stride - row,
	};
	return dmaengine_prep_interleaved_dma(chan->dma, chan->rows, PREP_FLAGS);
}

static struct dma_async_tx_descriptor *prepare_xor(struct dmafd_chan *chan,
						   struct dmafd_job *job,
						   const struct piece *piece)
{
	dma_addr_t src[DMAFD_MAX_SOURCES];
	unsigned int i;

	for (i = 0; i < job->nr_srcs; i++)
		src[i] = dmafd_stream_addr(&job->srcs[i]);
	return chan->dma->device->device_prep_dma_xor(chan->dma, piece->dst, src, job->nr_srcs,
						      piece->len, PREP_FLAGS);
}

static struct dma_async_tx_descriptor *prepare(struct dmafd_chan *chan, struct dmafd_job *job,
					       const struct piece *piece)
{
	if (piece->entries)
		return dmaengine_prep_slave_sg(chan->dma, chan->entry, piece->entries,
					       chan->direction, PREP_FLAGS);
	if (piece->rows)
		return prepare_rows(chan, job, piece);
	switch (job->opcode) {
	case DMAFD_OP_FILL:
		return dmaengine_prep_dma_memset(chan->dma, piece->dst, job->value, piece->len,
						 PREP_FLAGS);
	case DMAFD_OP_XOR:
		return prepare_xor(chan, job, piece);
	default:
		return dmaengine_prep_dma_memcpy(chan->dma, piece->dst, piece->src, piece->len,
						 PREP_FLAGS);
	}
}

/* The slot is empty. The controller gets the piece after that, and its locks are between. */
static struct dmafd_slot *fill_slot(struct dmafd_chan *chan, struct dmafd_job *job, size_t len)
{
	struct dmafd_slot *slot = &chan->run->slot[(chan->first + chan->count) % DMAFD_WINDOW];

	slot->len = len;
	WRITE_ONCE(slot->job, job);
	return slot;
}

static void take_back(struct dmafd_chan *chan, struct dmafd_job *job, struct dmafd_slot *slot)
{
	unsigned long flags;

	chan->count--;
	job->pieces--;
	spin_lock_irqsave(&chan->lock, flags);
	dmafd_slot_clear(slot);
	spin_unlock_irqrestore(&chan->lock, flags);
}

/* False if the controller does not take it. */
static bool feed_piece(struct dmafd_chan *chan, struct dmafd_job *job, const struct piece *piece)
{
	struct dma_async_tx_descriptor *tx = prepare(chan, job, piece);
	struct dmafd_slot *slot;
	dma_cookie_t cookie;

	if (!tx)
		return false;
	slot = fill_slot(chan, job, piece->len);
	dmafd_call_back(chan, tx, slot, piece_done);
	/* It may call back from here on. */
	chan->count++;
	job->pieces++;
	cookie = dmaengine_submit(tx);
	if (dma_submit_error(cookie)) {
		take_back(chan, job, slot);
		return false;
	}
	WRITE_ONCE(slot->cookie, cookie);
	job->left -= piece->len;
	if (!job->whole)
		dmafd_job_advance(job, piece->len);
	chan->kick = true;
	trace_dmafd_issue(chan, job, piece->len);
	return true;
}

static void give_up(struct dmafd_job *job, int status)
{
	job->left = 0;
	if (!job->status)
		job->status = status;
}

/* False if it has to wait until the controller is done with something. */
static bool feed_some(struct dmafd_chan *chan, struct dmafd_job *job, size_t middle)
{
	struct piece piece;

	if (chan->count == DMAFD_WINDOW)
		return false;
	piece = find_piece(chan, job, middle);
	if (!piece.len)
		give_up(job, -EREMOTEIO);
	else if (feed_piece(chan, job, &piece))
		return true;
	/* There may be room for it later. */
	else if (chan->count)
		return false;
	else if (piece.rows || piece.entries > 1)
		job->at_once = false;
	else
		give_up(job, -EREMOTEIO);
	return true;
}

/* True if the controller does not take it; otherwise it goes on until it is stopped. */
static bool feed_ring(struct dmafd_chan *chan, struct dmafd_job *job)
{
	struct dmafd_slot *slot;
	dma_cookie_t cookie;

	if (job->started)
		return false;
	start(job);
	slot = fill_slot(chan, job, job->length);
	chan->count++;
	job->pieces++;
	cookie = dmafd_cyclic_start(chan, job, slot);
	if (dma_submit_error(cookie)) {
		take_back(chan, job, slot);
		give_up(job, -EREMOTEIO);
		return true;
	}
	WRITE_ONCE(slot->cookie, cookie);
	chan->kick = true;
	trace_dmafd_issue(chan, job, job->length);
	return false;
}

/* False if the rest has to wait. */
static bool feed_job(struct dmafd_chan *chan, struct dmafd_job *job)
{
	size_t middle = 0;

	if (job->period)
		return feed_ring(chan, job);
	if (!job->started && job->left)
		start(job);
	for (;;) {
		if (job->status)
			give_up(job, job->status);
		if (!job->whole)
			skip_edges(job, &middle);
		if (!job->left)
			return true;
		if (!feed_some(chan, job, middle))
			return false;
	}
}

/* The job whose turn it is, and the last one in the queue; or NULL. */
static struct dmafd_job *begin_to_feed(struct dmafd_chan *chan, struct dmafd_job **last)
{
	struct dmafd_job *job;
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	job = chan->paused ? NULL : chan->feed;
	*last = job ? list_last_entry(&chan->queue, struct dmafd_job, node) : NULL;
	spin_unlock_irqrestore(&chan->lock, flags);
	return job;
}

/* It is that job's turn now; or that of the next one which came meanwhile, after the last. */
static void end_feeding(struct dmafd_chan *chan, struct dmafd_job *job, struct dmafd_job *last,
			bool again)
{
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	if (!job && !list_is_last(&last->node, &chan->queue)) {
		job = list_next_entry(last, node);
		again = true;
	}
	chan->feed = job;
	chan->again |= again;
	spin_unlock_irqrestore(&chan->lock, flags);
}

/* What was fed needs no lock to be passed by: only who pumps takes jobs out of the queue. */
static void feed_all(struct dmafd_chan *chan)
{
	struct dmafd_job *job, *last;
	bool again = false;

	job = begin_to_feed(chan, &last);
	if (!job)
		return;
	while (job) {
		if (job->flags & DMAFD_OP_FENCE && !list_is_first(&job->node, &chan->queue))
			break;
		if (!feed_job(chan, job))
			break;
		job->fed = true;
		/* Nobody else will tell that it is over. */
		again |= !job->pieces;
		chan->over |= !job->pieces;
		job = job == last ? NULL : list_next_entry(job, node);
	}
	end_feeding(chan, job, last, again);
}

static void feed(struct dmafd_chan *chan)
{
	feed_all(chan);
	/* Some controllers would begin with the next piece although they are paused. */
	if (!chan->kick || chan->halted)
		return;
	chan->kick = false;
	trace_dmafd_kick(chan, chan->count);
	dma_async_issue_pending(chan->dma);
}

/* ---- whose turn it is ---- */

static bool begin(struct dmafd_chan *chan)
{
	unsigned long flags;
	bool may;

	spin_lock_irqsave(&chan->lock, flags);
	may = !chan->pumping && !chan->stopping && !chan->dead;
	chan->again = true;
	if (may)
		chan->pumping = true;
	spin_unlock_irqrestore(&chan->lock, flags);
	return may;
}

/* Whether there is something to do, still or again. */
static bool go_on(struct dmafd_chan *chan)
{
	unsigned long flags;
	bool on;

	spin_lock_irqsave(&chan->lock, flags);
	on = chan->again && !chan->stopping;
	chan->again = false;
	if (!on) {
		chan->pumping = false;
		if (chan->stopping)
			wake_up(&chan->rest);
		if (chan->wake)
			wake_up_interruptible_poll(&chan->wait, EPOLLIN | EPOLLRDNORM |
						   EPOLLOUT | EPOLLWRNORM);
		chan->wake = false;
	}
	spin_unlock_irqrestore(&chan->lock, flags);
	return on;
}

void dmafd_pump(struct dmafd_chan *chan)
{
	if (!begin(chan))
		return;
	while (go_on(chan)) {
		dmafd_retire(chan);
		feed(chan);
	}
}
