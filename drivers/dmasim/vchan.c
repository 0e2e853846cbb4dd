// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual channels. A descriptor goes from "allocated" (prepared) by submit to
 * "submitted", by issue_pending to "issued", is the current one while it is worked
 * on, and is "completed" until its callback has run. Cookies are handed out by
 * submit, and descriptors keep that order all the way.
 */
#include <linux/hash.h>
#include <linux/ktime.h>
#include <linux/slab.h>

#include "../compat/hrtimer.h"
#include "dmasim.h"
#include "trace.h"

/* ---- descriptors ---- */

struct dmasim_desc *dmasim_desc_new(struct dmasim_chan *chan, unsigned int segments)
{
	struct dmasim_desc *desc = NULL;

	if (atomic_inc_return(&chan->descs) <= chan->sim->config->descriptors)
		desc = kzalloc(struct_size(desc, seg, segments), GFP_NOWAIT);
	if (!desc) {
		atomic_dec(&chan->descs);
		return dmasim_refuse(chan, DMASIM_REFUSED_POOL);
	}
	desc->segments = segments;
	desc->direction = DMA_MEM_TO_MEM;
	return desc;
}

static void free_desc(struct dmasim_chan *chan, struct dmasim_desc *desc)
{
	atomic_dec(&chan->descs);
	kfree(desc);
}

static void free_list(struct dmasim_chan *chan, struct list_head *list)
{
	struct dmasim_desc *desc, *next;

	lockdep_assert_held(&chan->lock);

	list_for_each_entry_safe(desc, next, list, node) {
		list_del(&desc->node);
		free_desc(chan, desc);
	}
}

/* As new, for a descriptor that is used again. */
static void rewind_desc(struct dmasim_desc *desc)
{
	desc->started = false;
	desc->segment = 0;
	desc->offset = 0;
	desc->done = 0;
	desc->rounds = 0;
	desc->at_src = desc->src;
	desc->at_dst = desc->dst;
	desc->fault = DMASIM_FAULT_NONE;
	desc->limit = 0;
	desc->result.result = DMA_TRANS_NOERROR;
	desc->result.residue = 0;
}

static dma_cookie_t submit(struct dma_async_tx_descriptor *tx)
{
	struct dmasim_chan *chan = to_dmasim_chan(tx->chan);
	struct dmasim_desc *desc = to_dmasim_desc(tx);
	unsigned long flags;
	dma_cookie_t cookie;

	spin_lock_irqsave(&chan->lock, flags);
	cookie = chan->chan.cookie + 1;
	if (cookie < DMA_MIN_COOKIE)
		cookie = DMA_MIN_COOKIE;
	tx->cookie = cookie;
	chan->chan.cookie = cookie;
	rewind_desc(desc);
	list_move_tail(&desc->node, &chan->submitted);
	hlist_add_head(&desc->hash, &chan->by_cookie[cookie & chan->by_cookie_mask]);
	chan->stats.submitted++;
	spin_unlock_irqrestore(&chan->lock, flags);
	return cookie;
}

/* The client's end of a descriptor that is used again and again. */
static int release_desc(struct dma_async_tx_descriptor *tx)
{
	struct dmasim_chan *chan = to_dmasim_chan(tx->chan);
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	list_del(&to_dmasim_desc(tx)->node);
	free_desc(chan, to_dmasim_desc(tx));
	spin_unlock_irqrestore(&chan->lock, flags);
	return 0;
}

struct dma_async_tx_descriptor *dmasim_desc_ready(struct dmasim_chan *chan,
						  struct dmasim_desc *desc,
						  unsigned long tx_flags)
{
	unsigned long flags;

	dma_async_tx_descriptor_init(&desc->tx, &chan->chan);
	desc->tx.flags = tx_flags;
	desc->tx.cookie = -EBUSY;
	desc->tx.tx_submit = submit;
	desc->tx.desc_free = release_desc;
	INIT_HLIST_NODE(&desc->hash);

	spin_lock_irqsave(&chan->lock, flags);
	list_add_tail(&desc->node, &chan->allocated);
	chan->stats.prepared++;
	spin_unlock_irqrestore(&chan->lock, flags);
	return &desc->tx;
}

static size_t complete_segments(const struct dmasim_desc *desc)
{
	return desc->period ? desc->done - desc->done % desc->period :
	       desc->type == DMASIM_XOR ? 0 : desc->done - desc->offset;
}

size_t dmasim_desc_residue(struct dmasim_desc *desc)
{
	struct dmasim_chan *chan = to_dmasim_chan(desc->tx.chan);

	lockdep_assert_held(&chan->lock);

	switch (chan->sim->config->residue) {
	case DMA_RESIDUE_GRANULARITY_BURST:
		return desc->len - desc->done;
	case DMA_RESIDUE_GRANULARITY_SEGMENT:
		return desc->len - complete_segments(desc);
	default:
		return desc->len;
	}
}

/* ---- progress, seen from the engine ---- */

static void arm_fault(struct dmasim_chan *chan, struct dmasim_desc *desc)
{
	const unsigned int kinds = BIT(DMASIM_FAULT_FAIL) | BIT(DMASIM_FAULT_ABORT) |
				   BIT(DMASIM_FAULT_SHORT) | BIT(DMASIM_FAULT_HANG) |
				   BIT(DMASIM_FAULT_LATE) | BIT(DMASIM_FAULT_SPURIOUS) |
				   BIT(DMASIM_FAULT_IOMMU);

	desc->fault = dmasim_fault_hit(chan->sim->faults, kinds, chan->id, &desc->fault_arg);
	if (!desc->fault && dmasim_attr_fail_transfer())
		desc->fault = DMASIM_FAULT_FAIL;
	switch (desc->fault) {
	case DMASIM_FAULT_FAIL:
	case DMASIM_FAULT_SPURIOUS:
		desc->limit = 0;
		break;
	case DMASIM_FAULT_LATE:
		desc->limit = desc->len;
		break;
	case DMASIM_FAULT_SHORT:
		desc->limit = min_t(size_t, desc->fault_arg ?: desc->len / 2, desc->len);
		break;
	default:
		desc->limit = desc->len / 2;
	}
}

struct dmasim_desc *dmasim_chan_next(struct dmasim_chan *chan)
{
	struct dmasim_desc *desc = chan->current_desc;

	lockdep_assert_held(&chan->lock);

	if (chan->paused || chan->hung)
		return NULL;
	if (!desc) {
		desc = list_first_entry_or_null(&chan->issued, struct dmasim_desc, node);
		if (!desc)
			return NULL;
		list_del_init(&desc->node);
		chan->current_desc = desc;
		chan->periods = 0;
	}
	if (!desc->started) {
		desc->started = true;
		arm_fault(chan, desc);
		trace_dmasim_start(chan, desc, desc->len);
	}
	return desc;
}

bool dmasim_chan_replaced(struct dmasim_chan *chan)
{
	struct dmasim_desc *next;

	lockdep_assert_held(&chan->lock);

	next = list_first_entry_or_null(&chan->issued, struct dmasim_desc, node);
	return next && (next->tx.flags & DMA_PREP_LOAD_EOT);
}

static void remember_ending(struct dmasim_chan *chan, dma_cookie_t cookie,
			    const struct dmaengine_result *result)
{
	struct dmasim_ending *ending = &chan->ending[chan->endings++ % DMASIM_ENDINGS];

	ending->cookie = cookie;
	ending->result = *result;
}

void dmasim_chan_complete(struct dmasim_chan *chan)
{
	struct dmasim_desc *desc = chan->current_desc;

	lockdep_assert_held(&chan->lock);

	trace_dmasim_complete(chan, desc);
	chan->current_desc = NULL;
	hlist_del_init(&desc->hash);
	chan->chan.completed_cookie = desc->tx.cookie;
	if (desc->result.result != DMA_TRANS_NOERROR || desc->result.residue)
		remember_ending(chan, desc->tx.cookie, &desc->result);
	if (desc->result.result != DMA_TRANS_NOERROR)
		chan->stats.failed++;
	else
		chan->stats.completed++;
	list_add_tail(&desc->node, &chan->completed);
}

/* ---- bottom half ---- */

/* What a callback needs, once the channel's lock is not held any more. */
struct call {
	dma_async_tx_callback callback;
	dma_async_tx_callback_result callback_result;
	void *param;
	struct dmaengine_result result;
	unsigned int times;
};

static void remember_call(struct call *call, const struct dma_async_tx_descriptor *tx,
			  const struct dmaengine_result *result, unsigned int times)
{
	call->callback = tx->callback;
	call->callback_result = tx->callback_result;
	call->param = tx->callback_param;
	call->result = *result;
	call->times = times;
}

static void make_call(const struct call *call)
{
	if (call->callback_result)
		call->callback_result(call->param, &call->result);
	else if (call->callback)
		call->callback(call->param);
}

/*
 * Clients of public channels (async_tx) may hold on to a transaction until they
 * have acknowledged it. Those of private ones often don't care for the flag.
 */
static bool is_held_on_to(struct dmasim_chan *chan, struct dmasim_desc *desc)
{
	return !chan->sim->config->private && !async_tx_test_ack(&desc->tx);
}

static void reap_acknowledged(struct dmasim_chan *chan)
{
	struct dmasim_desc *desc, *next;

	lockdep_assert_held(&chan->lock);

	list_for_each_entry_safe(desc, next, &chan->unacked, node) {
		if (!async_tx_test_ack(&desc->tx))
			continue;
		list_del(&desc->node);
		free_desc(chan, desc);
	}
}

/* A completed one is out of our hands, unless somebody holds on to it. */
static void retire(struct dmasim_chan *chan, struct dmasim_desc *desc)
{
	lockdep_assert_held(&chan->lock);

	if (is_held_on_to(chan, desc))
		list_add_tail(&desc->node, &chan->unacked);
	else
		free_desc(chan, desc);
}

/*
 * The next callback to run: that of a completed descriptor, which is handed out
 * as @done, or one of the current descriptor's. False if there is none.
 *
 * A descriptor that is used again is the client's before its callback runs: that
 * may submit it, or free it.
 */
static bool next_call(struct dmasim_chan *chan, struct call *call, struct dmasim_desc **done)
{
	const struct dmaengine_result fine = { .result = DMA_TRANS_NOERROR };
	struct dmasim_desc *current_desc = chan->current_desc;

	lockdep_assert_held(&chan->lock);

	*done = list_first_entry_or_null(&chan->completed, struct dmasim_desc, node);
	if (*done) {
		list_del(&(*done)->node);
		remember_call(call, &(*done)->tx, &(*done)->result, 1);
		if (dmaengine_desc_test_reuse(&(*done)->tx)) {
			list_add_tail(&(*done)->node, &chan->allocated);
			*done = NULL;
		}
		return true;
	}
	if (!current_desc || !(chan->periods || chan->spurious))
		return false;
	remember_call(call, &current_desc->tx, &fine, chan->periods + chan->spurious);
	chan->periods = 0;
	chan->spurious = false;
	return true;
}

static void bottom_half(struct tasklet_struct *tasklet)
{
	struct dmasim_chan *chan = container_of(tasklet, struct dmasim_chan, bottom_half);
	struct dmasim_desc *done = NULL;
	unsigned long flags;
	struct call call;

	spin_lock_irqsave(&chan->lock, flags);
	reap_acknowledged(chan);
	while (next_call(chan, &call, &done)) {
		chan->stats.callbacks += call.times;
		spin_unlock_irqrestore(&chan->lock, flags);
		for (; call.times; call.times--)
			make_call(&call);
		if (done) {
			dma_descriptor_unmap(&done->tx);
			dma_run_dependencies(&done->tx);
		}
		spin_lock_irqsave(&chan->lock, flags);
		if (done)
			retire(chan, done);
	}
	spin_unlock_irqrestore(&chan->lock, flags);
}

bool dmasim_chan_due(struct dmasim_chan *chan)
{
	lockdep_assert_held(&chan->lock);

	return !list_empty(&chan->completed) ||
	       (chan->current_desc && (chan->periods || chan->spurious));
}

void dmasim_chan_run_callbacks(struct dmasim_chan *chan)
{
	/*
	 * With bottom halves off, the tasklet runs when they go on again: here, at
	 * once. Otherwise another thread would have to be woken for it.
	 */
	local_bh_disable();
	tasklet_schedule(&chan->bottom_half);
	local_bh_enable();
}

/* ---- what clients ask of a channel ---- */

static void issue_pending(struct dma_chan *dma_chan)
{
	struct dmasim_chan *chan = to_dmasim_chan(dma_chan);
	unsigned long flags;
	bool any;

	spin_lock_irqsave(&chan->lock, flags);
	any = !list_empty(&chan->submitted);
	list_splice_tail_init(&chan->submitted, &chan->issued);
	spin_unlock_irqrestore(&chan->lock, flags);
	if (any)
		dmasim_chan_kick(chan);
}

static struct dmasim_desc *find_desc(struct dmasim_chan *chan, dma_cookie_t cookie)
{
	struct dmasim_desc *desc;

	lockdep_assert_held(&chan->lock);

	hlist_for_each_entry(desc, &chan->by_cookie[cookie & chan->by_cookie_mask], hash)
		if (desc->tx.cookie == cookie)
			return desc;
	return NULL;
}

static const struct dmaengine_result *find_ending(struct dmasim_chan *chan,
						  dma_cookie_t cookie)
{
	unsigned int i, known = min_t(unsigned int, chan->endings, DMASIM_ENDINGS);

	lockdep_assert_held(&chan->lock);

	for (i = 0; i < known; i++)
		if (chan->ending[i].cookie == cookie)
			return &chan->ending[i].result;
	return NULL;
}

/* The status of a cookie whose transaction is over. */
static enum dma_status ended_status(struct dmasim_chan *chan, dma_cookie_t cookie, u32 *residue)
{
	const struct dmaengine_result *ending = find_ending(chan, cookie);

	if (!ending)
		return DMA_COMPLETE;
	*residue = ending->residue;
	return ending->result == DMA_TRANS_NOERROR ? DMA_COMPLETE : DMA_ERROR;
}

static enum dma_status tx_status(struct dma_chan *dma_chan, dma_cookie_t cookie,
				 struct dma_tx_state *state)
{
	struct dmasim_chan *chan = to_dmasim_chan(dma_chan);
	struct dmasim_desc *desc;
	enum dma_status status;
	unsigned long flags;
	u32 residue = 0;

	spin_lock_irqsave(&chan->lock, flags);
	status = dma_async_is_complete(cookie, dma_chan->completed_cookie, dma_chan->cookie);
	desc = status == DMA_COMPLETE ? NULL : find_desc(chan, cookie);
	if (desc) {
		residue = dmasim_desc_residue(desc);
		if (chan->paused)
			status = DMA_PAUSED;
	} else if (status == DMA_COMPLETE) {
		status = ended_status(chan, cookie, &residue);
	}
	dma_set_tx_state(state, dma_chan->completed_cookie, dma_chan->cookie, residue);
	if (state)
		state->in_flight_bytes = 0;
	spin_unlock_irqrestore(&chan->lock, flags);
	return status;
}

static int pause(struct dma_chan *dma_chan)
{
	struct dmasim_chan *chan = to_dmasim_chan(dma_chan);
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	chan->paused = true;
	spin_unlock_irqrestore(&chan->lock, flags);
	return 0;
}

static int resume(struct dma_chan *dma_chan)
{
	struct dmasim_chan *chan = to_dmasim_chan(dma_chan);
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	chan->paused = false;
	spin_unlock_irqrestore(&chan->lock, flags);
	dmasim_chan_kick(chan);
	return 0;
}

/* The peripheral that the channel drives stands still, too. */
static void stop_peripheral(struct dmasim_chan *chan)
{
	lockdep_assert_held(&chan->lock);

	if (chan->drives)
		dmasim_peripheral_leave(chan->drives, chan);
	chan->drives = NULL;
}

/* Takes what has not ended off the channel. */
static void take_unfinished(struct dmasim_chan *chan, struct list_head *list)
{
	struct dmasim_desc *desc;

	lockdep_assert_held(&chan->lock);

	stop_peripheral(chan);
	if (chan->current_desc) {
		list_add_tail(&chan->current_desc->node, list);
		chan->current_desc = NULL;
	}
	list_splice_tail_init(&chan->issued, list);
	list_splice_tail_init(&chan->submitted, list);
	list_for_each_entry(desc, list, node)
		hlist_del_init(&desc->hash);
	chan->periods = 0;
	chan->spurious = false;
	chan->paused = false;
	chan->hung = false;
	chan->late_until = 0;
}

static int terminate_all(struct dma_chan *dma_chan)
{
	struct dmasim_chan *chan = to_dmasim_chan(dma_chan);
	const struct dmaengine_result aborted = { .result = DMA_TRANS_ABORTED };
	struct dmasim_desc *desc, *next;
	unsigned long flags;
	LIST_HEAD(list);

	spin_lock_irqsave(&chan->lock, flags);
	take_unfinished(chan, &list);
	list_for_each_entry(desc, &list, node) {
		chan->stats.terminated++;
		remember_ending(chan, desc->tx.cookie, &aborted);
	}
	/* Complete, but its callback is not to run any more. */
	list_splice_tail_init(&chan->completed, &list);
	list_for_each_entry_safe(desc, next, &list, node)
		list_move_tail(&desc->node, dmaengine_desc_test_reuse(&desc->tx) ?
			       &chan->allocated : &chan->terminated);
	/* Nothing of what has a cookie is in progress now. */
	dma_chan->completed_cookie = dma_chan->cookie;
	spin_unlock_irqrestore(&chan->lock, flags);
	return 0;
}

static void synchronize(struct dma_chan *dma_chan)
{
	struct dmasim_chan *chan = to_dmasim_chan(dma_chan);
	unsigned long flags;

	tasklet_kill(&chan->bottom_half);
	spin_lock_irqsave(&chan->lock, flags);
	free_list(chan, &chan->terminated);
	spin_unlock_irqrestore(&chan->lock, flags);
}

static void reset_chan(struct dmasim_chan *chan)
{
	lockdep_assert_held(&chan->lock);

	memset(&chan->config, 0, sizeof(chan->config));
	chan->endings = 0;
	chan->line = chan->sim->config->translation == DMASIM_BY_CHANNEL ? chan->id :
		     DMASIM_NO_LINE;
}

static int alloc_chan_resources(struct dma_chan *dma_chan)
{
	struct dmasim_chan *chan = to_dmasim_chan(dma_chan);
	unsigned int buckets = clamp(chan->sim->config->descriptors / 4, 16U, 4096U);
	struct hlist_head *by_cookie;
	unsigned long flags;
	int err;

	buckets = roundup_pow_of_two(buckets);
	by_cookie = kvcalloc(buckets, sizeof(*by_cookie), GFP_KERNEL);
	if (!by_cookie)
		return -ENOMEM;
	err = dmasim_hold(chan->sim);
	if (err) {
		kvfree(by_cookie);
		return err;
	}
	spin_lock_irqsave(&chan->lock, flags);
	chan->by_cookie = by_cookie;
	chan->by_cookie_mask = buckets - 1;
	chan->held = true;
	dma_chan->cookie = DMA_MIN_COOKIE;
	dma_chan->completed_cookie = DMA_MIN_COOKIE;
	spin_unlock_irqrestore(&chan->lock, flags);
	return 0;
}

static void free_chan_resources(struct dma_chan *dma_chan)
{
	struct dmasim_chan *chan = to_dmasim_chan(dma_chan);
	struct hlist_head *by_cookie;
	unsigned long flags;

	terminate_all(dma_chan);
	hrtimer_cancel(&chan->timer);
	synchronize(dma_chan);
	spin_lock_irqsave(&chan->lock, flags);
	free_list(chan, &chan->allocated);
	free_list(chan, &chan->unacked);
	WARN_ON_ONCE(atomic_read(&chan->descs));
	by_cookie = chan->by_cookie;
	chan->by_cookie = NULL;
	chan->held = false;
	reset_chan(chan);
	spin_unlock_irqrestore(&chan->lock, flags);
	kvfree(by_cookie);
	dmasim_release(chan->sim);
}

/*
 * The controller goes while a client holds the channel. Its transactions end,
 * with callbacks that say so, lest the client waits for ever.
 */
void dmasim_chan_abandon(struct dmasim_chan *chan)
{
	struct dmasim_desc *desc, *next;
	unsigned long flags;
	LIST_HEAD(list);

	spin_lock_irqsave(&chan->lock, flags);
	take_unfinished(chan, &list);
	list_for_each_entry_safe(desc, next, &list, node) {
		list_del(&desc->node);
		desc->result.result = DMA_TRANS_ABORTED;
		desc->result.residue = desc->len - desc->done;
		chan->current_desc = desc;
		dmasim_chan_complete(chan);
	}
	spin_unlock_irqrestore(&chan->lock, flags);
	dmasim_chan_run_callbacks(chan);
}

static enum hrtimer_restart timer_fired(struct hrtimer *timer)
{
	dmasim_chan_kick(container_of(timer, struct dmasim_chan, timer));
	return HRTIMER_NORESTART;
}

int dmasim_chan_init(struct dmasim *sim, struct dmasim_chan *chan, unsigned int id)
{
	chan->sim = sim;
	chan->id = id;
	chan->priority = sim->config->priority[id];
	chan->chan.device = &sim->dma;
	spin_lock_init(&chan->lock);
	INIT_LIST_HEAD(&chan->allocated);
	INIT_LIST_HEAD(&chan->submitted);
	INIT_LIST_HEAD(&chan->issued);
	INIT_LIST_HEAD(&chan->completed);
	INIT_LIST_HEAD(&chan->unacked);
	INIT_LIST_HEAD(&chan->terminated);
	INIT_LIST_HEAD(&chan->waiting);
	INIT_LIST_HEAD(&chan->ready);
	tasklet_setup(&chan->bottom_half, bottom_half);
	compat_hrtimer_setup(&chan->timer, timer_fired, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	spin_lock_irq(&chan->lock);
	reset_chan(chan);
	spin_unlock_irq(&chan->lock);
	list_add_tail(&chan->chan.device_node, &sim->dma.channels);
	return 0;
}

void dmasim_vchan_ops(struct dma_device *dma)
{
	dma->device_alloc_chan_resources = alloc_chan_resources;
	dma->device_free_chan_resources = free_chan_resources;
	dma->device_issue_pending = issue_pending;
	dma->device_tx_status = tx_status;
	dma->device_terminate_all = terminate_all;
	dma->device_synchronize = synchronize;
	dma->device_pause = pause;
	dma->device_resume = resume;
}
