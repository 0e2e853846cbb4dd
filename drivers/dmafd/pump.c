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

/* ---- what comes back ---- */

/* Some controllers call back too early, or once too often. */
static bool is_in_progress(struct dmafd_chan *chan, struct dmafd_slot *slot)
{
	dma_cookie_t cookie = READ_ONCE(slot->cookie);

	return cookie > 0 &&
	       dma_async_is_tx_complete(chan->dma, cookie, NULL, NULL) == DMA_IN_PROGRESS;
}

static void piece_done(void *param, const struct dmaengine_result *result)
{
	struct dmafd_slot *slot = param;
	struct dmafd_chan *chan = slot->run->chan;
	unsigned long flags;
	bool news;

	if (is_in_progress(chan, slot))
		return;
	spin_lock_irqsave(&chan->lock, flags);
	news = slot->run == chan->run && !slot->done;
	if (news) {
		slot->done = true;
		slot->residue = min_t(size_t, result->residue, slot->len);
		slot->failed = result->result != DMA_TRANS_NOERROR || slot->residue;
	}
	spin_unlock_irqrestore(&chan->lock, flags);
	if (news)
		dmafd_pump(chan);
}

static struct dmafd_slot *first_done(struct dmafd_chan *chan)
{
	struct dmafd_slot *slot = &chan->run->slot[chan->first];
	unsigned long flags;
	bool done;

	if (!chan->count)
		return NULL;
	spin_lock_irqsave(&chan->lock, flags);
	done = slot->done;
	spin_unlock_irqrestore(&chan->lock, flags);
	return done ? slot : NULL;
}

/* After the first failure nothing is counted: bytes are those from the beginning. */
static void count_in(struct dmafd_slot *slot)
{
	struct dmafd_job *job = slot->job;

	job->pieces--;
	if (job->status)
		return;
	job->bytes += slot->len - slot->residue;
	if (slot->failed)
		job->status = -EIO;
}

static struct dmafd_job *first_over(struct dmafd_chan *chan)
{
	struct dmafd_job *job;
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	job = list_first_entry_or_null(&chan->queue, struct dmafd_job, node);
	spin_unlock_irqrestore(&chan->lock, flags);
	return job && job->fed && !job->pieces ? job : NULL;
}

void dmafd_retire(struct dmafd_chan *chan)
{
	struct dmafd_slot *slot;
	struct dmafd_job *job;

	while ((slot = first_done(chan))) {
		count_in(slot);
		chan->first = (chan->first + 1) % DMAFD_WINDOW;
		chan->count--;
	}
	while ((job = first_over(chan)))
		dmafd_complete(chan, job);
}

/* ---- what goes out ---- */

static struct dmafd_job *next_to_feed(struct dmafd_chan *chan)
{
	struct dmafd_job *job;
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	job = chan->paused ? NULL : chan->feed;
	if (job && job->flags & DMAFD_OP_FENCE && !list_is_first(&job->node, &chan->queue))
		job = NULL;
	spin_unlock_irqrestore(&chan->lock, flags);
	return job;
}

static void feed_next(struct dmafd_chan *chan, struct dmafd_job *job)
{
	unsigned long flags;

	job->fed = true;
	spin_lock_irqsave(&chan->lock, flags);
	chan->feed = list_is_last(&job->node, &chan->queue) ? NULL : list_next_entry(job, node);
	/* Nobody else will tell that it is over. */
	if (!job->pieces)
		chan->again = true;
	spin_unlock_irqrestore(&chan->lock, flags);
}

static void start(struct dmafd_job *job)
{
	job->started = true;
	if (job->src.buf)
		dmafd_map_for_device(job->src.map, job->src.at + job->head, job->left);
	if (job->dst.buf)
		dmafd_map_for_device(job->dst.map, job->dst.at + job->head, job->left);
}

/* How much of @len one side can do in one piece. */
static size_t side_limit(const struct dmafd_chan *chan, const struct dmafd_range *range,
			 u32 align, size_t len)
{
	dma_addr_t addr = dmafd_map_addr(range->map, &range->place);

	len = dmafd_map_run(range->map, &range->place, len);
	if (!len || addr & (align - 1))
		return 0;
	return min_t(u64, len - 1, chan->boundary - (addr & chan->boundary)) + 1;
}

/* 0 if there is no such piece. */
static size_t piece_length(const struct dmafd_chan *chan, const struct dmafd_job *job)
{
	u32 align = job->opcode == DMAFD_OP_COPY ? chan->copy_align : chan->fill_align;
	size_t len = min(job->left, chan->max_segment);

	if (job->src.buf)
		len = side_limit(chan, &job->src, align, len);
	len = side_limit(chan, &job->dst, align, len);
	return len & ~((size_t)align - 1);
}

static struct dma_async_tx_descriptor *prepare(struct dmafd_chan *chan, struct dmafd_job *job,
					       size_t len)
{
	const unsigned long flags = DMA_PREP_INTERRUPT | DMA_CTRL_ACK;
	dma_addr_t dst = dmafd_map_addr(job->dst.map, &job->dst.place);

	if (job->opcode == DMAFD_OP_FILL)
		return dmaengine_prep_dma_memset(chan->dma, dst, job->value, len, flags);
	return dmaengine_prep_dma_memcpy(chan->dma, dst,
					 dmafd_map_addr(job->src.map, &job->src.place), len,
					 flags);
}

static struct dmafd_slot *fill_slot(struct dmafd_chan *chan, struct dmafd_job *job, size_t len)
{
	struct dmafd_slot *slot = &chan->run->slot[(chan->first + chan->count) % DMAFD_WINDOW];
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	slot->job = job;
	slot->len = len;
	slot->done = false;
	slot->failed = false;
	slot->residue = 0;
	WRITE_ONCE(slot->cookie, 0);
	spin_unlock_irqrestore(&chan->lock, flags);
	return slot;
}

static void advance(struct dmafd_job *job, size_t len)
{
	job->left -= len;
	if (job->src.buf)
		dmafd_map_advance(job->src.map, &job->src.place, len);
	dmafd_map_advance(job->dst.map, &job->dst.place, len);
}

/* False if the controller does not take it. */
static bool feed_piece(struct dmafd_chan *chan, struct dmafd_job *job, size_t len)
{
	struct dma_async_tx_descriptor *tx = prepare(chan, job, len);
	struct dmafd_slot *slot;
	dma_cookie_t cookie;

	if (!tx)
		return false;
	slot = fill_slot(chan, job, len);
	tx->callback_result = piece_done;
	tx->callback_param = slot;
	/* It may call back from here on. */
	chan->count++;
	job->pieces++;
	cookie = dmaengine_submit(tx);
	if (dma_submit_error(cookie)) {
		chan->count--;
		job->pieces--;
		return false;
	}
	WRITE_ONCE(slot->cookie, cookie);
	advance(job, len);
	return true;
}

static void give_up(struct dmafd_job *job, int status)
{
	job->left = 0;
	if (!job->status)
		job->status = status;
}

/* False if the rest has to wait until the controller is done with something. */
static bool feed_job(struct dmafd_chan *chan, struct dmafd_job *job)
{
	size_t len;

	if (!job->started && job->left)
		start(job);
	while (job->left) {
		if (job->status) {
			give_up(job, job->status);
			break;
		}
		if (chan->count == DMAFD_WINDOW)
			return false;
		len = piece_length(chan, job);
		if (!len) {
			give_up(job, -EREMOTEIO);
			break;
		}
		if (feed_piece(chan, job, len))
			continue;
		/* There may be room for it later. */
		if (chan->count)
			return false;
		give_up(job, -EREMOTEIO);
	}
	return true;
}

static void feed(struct dmafd_chan *chan)
{
	struct dmafd_job *job;

	while ((job = next_to_feed(chan))) {
		if (!feed_job(chan, job))
			break;
		feed_next(chan, job);
	}
	/* Some controllers would begin with the next piece although they are paused. */
	if (chan->count && !chan->halted)
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
