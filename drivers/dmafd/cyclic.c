// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cyclic job of a port: a ring that the controller goes round and round, and
 * what the program is told of it.
 *
 * How many periods have passed is known from where the controller is in the ring.
 * That tells nothing of whole rounds, so the callbacks are counted, too: there is at
 * most one for each period, but some drivers make one of several.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/uaccess.h>

#include "dmafd.h"

/* ---- how far it is ---- */

/* Where in the ring the controller is; false if it does not tell. */
static bool ask_position(struct dmafd_chan *chan, size_t *position)
{
	const struct dmafd_ring *ring = &chan->ring;
	struct dma_tx_state state = {};
	enum dma_status status;

	lockdep_assert_held(&chan->lock);

	if (ring->cookie <= 0 ||
	    chan->dma->device->residue_granularity == DMA_RESIDUE_GRANULARITY_DESCRIPTOR)
		return false;
	status = dmaengine_tx_status(chan->dma, ring->cookie, &state);
	if (status != DMA_IN_PROGRESS && status != DMA_PAUSED)
		return false;
	/* At its end it is at its beginning. */
	*position = ring->job->length - min_t(size_t, state.residue, ring->job->length);
	if (*position == ring->job->length)
		*position = 0;
	return true;
}

/* The least number of periods that leads to that place, and that is not yet refuted. */
static u64 periods_at(const struct dmafd_ring *ring, size_t position)
{
	u64 least = ring->passed, lag = ring->periods - 1;
	u32 place = position / ring->job->period, rest;

	if (ring->calls > least + lag)
		least = ring->calls - lag;
	div_u64_rem(least, ring->periods, &rest);
	return least + (place + ring->periods - rest) % ring->periods;
}

/*
 * The period that is next after @passed is being written over the one a round before
 * it. That is an overrun if the program is not done with it.
 */
static void count_overruns(struct dmafd_ring *ring, u64 passed)
{
	u64 over = passed + 1 > ring->periods ? passed + 1 - ring->periods : 0;

	if (over <= ring->over)
		return;
	if (!ring->silent && over > max(ring->over, ring->released))
		ring->overruns += over - max(ring->over, ring->released);
	ring->over = over;
}

static void pass(struct dmafd_chan *chan, u64 passed)
{
	struct dmafd_ring *ring = &chan->ring;

	lockdep_assert_held(&chan->lock);

	if (passed == ring->passed)
		return;
	count_overruns(ring, passed);
	ring->passed = passed;
	ring->passed_ns = ktime_get_ns();
	ring->job->deadline = jiffies + ring->job->timeout;
}

/* Looks where the controller is now. */
static void update(struct dmafd_chan *chan)
{
	struct dmafd_ring *ring = &chan->ring;
	size_t position;

	lockdep_assert_held(&chan->lock);

	if (ask_position(chan, &position)) {
		pass(chan, periods_at(ring, position));
		ring->position = position % ring->job->period;
	} else {
		pass(chan, max(ring->passed, ring->calls));
		ring->position = 0;
	}
}

u64 dmafd_cyclic_bytes(struct dmafd_chan *chan, u32 *overruns)
{
	struct dmafd_ring *ring = &chan->ring;

	lockdep_assert_held(&chan->lock);

	update(chan);
	*overruns = min_t(u64, ring->overruns, U32_MAX);
	return ring->passed * ring->job->period + ring->position;
}

/* ---- running ---- */

/* Whether the callback is one of the ring that goes round now. */
static bool is_current(struct dmafd_chan *chan, const struct dmafd_slot *slot)
{
	lockdep_assert_held(&chan->lock);

	return slot->run == chan->run && chan->ring.job && chan->ring.job == slot->job;
}

static void period_passed(void *param, const struct dmaengine_result *result)
{
	struct dmafd_slot *slot = param;
	struct dmafd_chan *chan = slot->run->chan;
	struct dmafd_ring *ring = &chan->ring;
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	if (!is_current(chan, slot)) {
		spin_unlock_irqrestore(&chan->lock, flags);
		return;
	}
	if (result && result->result != DMA_TRANS_NOERROR) {
		/* Nobody knows whether it goes on: that is for the watchdog to end. */
		ring->failed = true;
		ring->job->timeout = 1;
		ring->job->deadline = jiffies;
		dmafd_watch(chan);
	} else {
		ring->calls++;
		update(chan);
		if (dmafd_cyclic_news(chan))
			wake_up_interruptible_poll(&chan->wait, EPOLLIN | EPOLLRDNORM);
	}
	spin_unlock_irqrestore(&chan->lock, flags);
}

static void init_ring(struct dmafd_chan *chan, struct dmafd_job *job)
{
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	chan->ring = (struct dmafd_ring) {
		.job = job,
		.periods = job->length / job->period,
		.silent = job->flags & DMAFD_OP_NO_COMPLETION,
	};
	spin_unlock_irqrestore(&chan->lock, flags);
}

void dmafd_cyclic_forget(struct dmafd_chan *chan)
{
	lockdep_assert_held(&chan->lock);

	chan->ring.job = NULL;
	chan->ring.failed = false;
}

dma_cookie_t dmafd_cyclic_start(struct dmafd_chan *chan, struct dmafd_job *job,
				struct dmafd_slot *slot)
{
	dma_addr_t addr = dmafd_stream_addr(dmafd_slave_stream(chan, job));
	struct dma_async_tx_descriptor *tx;
	unsigned long flags;
	dma_cookie_t cookie;

	tx = dmaengine_prep_dma_cyclic(chan->dma, addr, job->length, job->period,
				       chan->direction, DMA_PREP_INTERRUPT);
	if (!tx)
		return -EREMOTEIO;
	dmafd_call_back(chan, tx, slot, period_passed);
	init_ring(chan, job);
	cookie = dmaengine_submit(tx);
	spin_lock_irqsave(&chan->lock, flags);
	if (dma_submit_error(cookie))
		dmafd_cyclic_forget(chan);
	else
		chan->ring.cookie = cookie;
	spin_unlock_irqrestore(&chan->lock, flags);
	return cookie;
}

/* ---- what the program is told ---- */

bool dmafd_cyclic_news(const struct dmafd_chan *chan)
{
	const struct dmafd_ring *ring = &chan->ring;

	lockdep_assert_held(&chan->lock);

	return ring->job && !ring->silent && ring->passed > ring->told;
}

typedef void (*hand_over)(const struct dmafd_map *map, size_t at, size_t len);

/* The periods from the one up to the other, which are not more than there are. */
static void hand_periods(struct dmafd_chan *chan, struct dmafd_job *job, u64 from, u64 to,
			 hand_over hand)
{
	const struct dmafd_stretch *stretch = &dmafd_slave_stream(chan, job)->one;
	u32 periods = job->length / job->period, place, n;

	lockdep_assert_held(&chan->mutex);

	for (; from < to; from += n) {
		div_u64_rem(from, periods, &place);
		n = min_t(u64, to - from, periods - place);
		hand(stretch->map, stretch->at + place * job->period, n * job->period);
	}
}

static bool is_running(struct dmafd_chan *chan)
{
	bool is;

	spin_lock_irq(&chan->lock);
	is = chan->ring.job;
	spin_unlock_irq(&chan->lock);
	return is;
}

/*
 * Those that were written over meanwhile are not handed back: what the CPU has of
 * them is older than what the device has. The job does not end while the mutex is
 * held, as only who has it stops the controller.
 */
void dmafd_cyclic_return(struct dmafd_chan *chan)
{
	struct dmafd_ring *ring = &chan->ring;
	struct dmafd_job *job;
	u64 from = 0, to = 0;

	if (!is_running(chan))
		return;
	mutex_lock(&chan->mutex);
	spin_lock_irq(&chan->lock);
	job = ring->job;
	if (job && ring->released < ring->told) {
		update(chan);
		from = max(ring->released, ring->over);
		to = ring->told;
		ring->released = to;
	}
	spin_unlock_irq(&chan->lock);
	if (from < to)
		hand_periods(chan, job, from, to, dmafd_map_for_device);
	mutex_unlock(&chan->mutex);
}

static bool find_news(struct dmafd_chan *chan, struct dmafd_completion *completion, u64 *from)
{
	const struct dmafd_ring *ring = &chan->ring;
	const struct dmafd_job *job = ring->job;

	lockdep_assert_held(&chan->lock);

	if (!list_empty(&chan->done) || !dmafd_cyclic_news(chan))
		return false;
	update(chan);
	*from = max(ring->told, ring->over);
	*completion = (struct dmafd_completion) {
		.user_data = job->user_data,
		.sequence = job->sequence,
		.bytes = ring->passed * job->period,
		.submit_ns = job->submit_ns,
		.complete_ns = ring->passed_ns,
		.opcode = job->opcode,
		.flags = DMAFD_COMPLETION_MORE,
		.overruns = min_t(u64, ring->overruns, U32_MAX),
	};
	return true;
}

/* The ring may be over by now. */
static void set_told(struct dmafd_chan *chan, u64 sequence, u64 told)
{
	struct dmafd_ring *ring = &chan->ring;

	spin_lock_irq(&chan->lock);
	if (ring->job && ring->job->sequence == sequence)
		ring->told = told;
	spin_unlock_irq(&chan->lock);
}

/* Finds a record, and lets the CPU see what it tells of. */
static bool fetch_news(struct dmafd_chan *chan, struct dmafd_completion *completion, u64 *to)
{
	u64 from;
	bool news;

	mutex_lock(&chan->mutex);
	spin_lock_irq(&chan->lock);
	news = find_news(chan, completion, &from);
	*to = chan->ring.passed;
	spin_unlock_irq(&chan->lock);
	if (news && chan->direction == DMA_DEV_TO_MEM)
		hand_periods(chan, chan->ring.job, from, *to, dmafd_map_for_cpu);
	mutex_unlock(&chan->mutex);
	return news;
}

int dmafd_cyclic_take(struct dmafd_chan *chan, struct dmafd_completion __user *user)
{
	struct dmafd_completion completion;
	u64 to;

	lockdep_assert_held(&chan->read_lock);

	if (!is_running(chan) || !fetch_news(chan, &completion, &to))
		return 0;
	if (copy_to_user(user, &completion, sizeof(completion)))
		return -EFAULT;
	set_told(chan, completion.sequence, to);
	return 1;
}
