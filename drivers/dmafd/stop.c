// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of jobs that don't end by themselves: because they take too long, or
 * the program wants it so, or somebody goes away.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/module.h>

#include "dmafd.h"

static bool is_at_rest(struct dmafd_chan *chan)
{
	bool rests;

	spin_lock_irq(&chan->lock);
	rests = !chan->pumping;
	spin_unlock_irq(&chan->lock);
	return rests;
}

/* When it returns, the caller owns what who pumps owns. */
static void stop_pump(struct dmafd_chan *chan)
{
	spin_lock_irq(&chan->lock);
	chan->stopping = true;
	spin_unlock_irq(&chan->lock);
	wait_event(chan->rest, is_at_rest(chan));
}

static void start_pump(struct dmafd_chan *chan)
{
	spin_lock_irq(&chan->lock);
	chan->stopping = false;
	spin_unlock_irq(&chan->lock);
	/* Tells the others what was done. */
	dmafd_pump(chan);
}

static struct dmafd_slot *slot_at(struct dmafd_chan *chan, unsigned int nr)
{
	return &chan->run->slot[(chan->first + nr) % DMAFD_WINDOW];
}

/*
 * How far the controller came with a piece, and whether that is its end: it may be
 * done with it before it calls back, and never does so once it was stopped.
 */
static bool is_moved(struct dmafd_chan *chan, const struct dmafd_slot *slot, size_t *moved)
{
	struct dma_tx_state state = {};
	enum dma_status status = dmaengine_tx_status(chan->dma, slot->cookie, &state);

	*moved = 0;
	if (status != DMA_ERROR)
		*moved = slot->len - min_t(size_t, state.residue, slot->len);
	return status == DMA_COMPLETE;
}

/* The first piece that the controller has, and how much of its job is not counted yet. */
static struct dmafd_slot *ask_for_progress(struct dmafd_chan *chan, u64 *moved)
{
	struct dmafd_slot *first = slot_at(chan, 0);
	unsigned int nr = 0;
	bool whole = true;
	size_t len;

	*moved = 0;
	if (!chan->count)
		return NULL;
	if (first->job->period) {
		spin_lock_irq(&chan->lock);
		*moved = dmafd_cyclic_bytes(chan, &first->job->overruns);
		spin_unlock_irq(&chan->lock);
		return first;
	}
	for (; whole && nr < chan->count && slot_at(chan, nr)->job == first->job; nr++) {
		whole = is_moved(chan, slot_at(chan, nr), &len);
		*moved += len;
	}
	return first;
}

/* The controller is about to be stopped: those that it is done with have ended well. */
static void finish_pieces(struct dmafd_chan *chan)
{
	struct dmafd_slot *slot;
	unsigned int nr;
	size_t len;

	for (nr = 0; nr < chan->count; nr++) {
		slot = slot_at(chan, nr);
		if (slot->job->period || !is_moved(chan, slot, &len))
			break;
		spin_lock_irq(&chan->lock);
		if (!slot->done)
			slot->residue = slot->len - len;
		slot->done = true;
		spin_unlock_irq(&chan->lock);
	}
	dmafd_retire(chan);
}

/* What the controller had is not there any more, and it does not call back. */
static void forget_pieces(struct dmafd_chan *chan)
{
	unsigned int i;

	spin_lock_irq(&chan->lock);
	for (i = 0; i < DMAFD_WINDOW; i++)
		dmafd_slot_clear(&chan->run->slot[i]);
	chan->run_nr = (chan->run_nr + 1) % chan->nr_runs;
	chan->run = &chan->runs[chan->run_nr];
	chan->feed = NULL;
	dmafd_cyclic_forget(chan);
	spin_unlock_irq(&chan->lock);
	chan->first = 0;
	chan->count = 0;
	chan->kick = false;
}

/* Nobody else changes the queue: the caller has the mutex, and the pump. */
static unsigned int end_jobs(struct dmafd_chan *chan, int first, int others)
{
	struct dmafd_job *job;
	unsigned int count = 0;

	lockdep_assert_held(&chan->mutex);

	list_for_each_entry(job, &chan->queue, node) {
		job->left = 0;
		job->pieces = 0;
		job->fed = true;
		if (!job->status)
			job->status = count ? others : first;
		count++;
	}
	chan->over = true;
	dmafd_retire(chan);
	return count;
}

/*
 * The controller goes on, and may write to memory at any time: nothing may be
 * unpinned, for ever. The module stays, too.
 */
static void strand(struct dmafd_chan *chan, int err)
{
	pr_err("%s: cannot be stopped (%d): it keeps its memory until the next boot\n",
	       chan->name, err);
	__module_get(THIS_MODULE);
	chan->stranded = true;
	spin_lock_irq(&chan->lock);
	chan->dead = true;
	wake_up_poll(&chan->wait, EPOLLIN | EPOLLHUP | EPOLLERR);
	spin_unlock_irq(&chan->lock);
	dmafd_uring_strand(chan);
}

/* What follows stop_pump(). */
static unsigned int end_all(struct dmafd_chan *chan, int first, int others)
{
	struct dmafd_slot *slot;
	unsigned int count;
	u64 moved;
	int err;

	/* A device goes on meanwhile, and what it gives would not be counted. */
	if (chan->width && chan->can_pause)
		dmaengine_pause(chan->dma);
	finish_pieces(chan);
	slot = ask_for_progress(chan, &moved);
	err = dmaengine_terminate_sync(chan->dma);
	if (err) {
		strand(chan, err);
		return 0;
	}
	/* What was done by itself has ended well. */
	chan->halted = false;
	dmafd_retire(chan);
	if (chan->count && slot == &chan->run->slot[chan->first] && !slot->job->status)
		slot->job->bytes += moved;
	forget_pieces(chan);
	count = end_jobs(chan, first, others);
	start_pump(chan);
	return count;
}

unsigned int dmafd_stop(struct dmafd_chan *chan, int first, int others)
{
	lockdep_assert_held(&chan->mutex);

	stop_pump(chan);
	return end_all(chan, first, others);
}

/* ---- a pause ---- */

/*
 * Some controllers refuse to pause when there is nothing to do, or no more: the
 * callbacks of the last pieces may just be under way.
 */
static int halt_chan(struct dmafd_chan *chan)
{
	struct dmafd_slot *last;

	if (!chan->count)
		return 0;
	if (!dmaengine_pause(chan->dma)) {
		chan->halted = true;
		return 0;
	}
	last = slot_at(chan, chan->count - 1);
	return dmaengine_tx_status(chan->dma, last->cookie, NULL) == DMA_IN_PROGRESS ? -EIO : 0;
}

static int unhalt_chan(struct dmafd_chan *chan)
{
	if (!chan->halted)
		return 0;
	if (dmaengine_resume(chan->dma))
		return -EIO;
	chan->halted = false;
	return 0;
}

/* The first job's time did not run since the pause, or since it became the first. */
static void shift_deadline(struct dmafd_chan *chan)
{
	struct dmafd_job *job = list_first_entry_or_null(&chan->queue, struct dmafd_job, node);
	unsigned long stood = chan->paused_at, begun;

	lockdep_assert_held(&chan->lock);

	if (!job)
		return;
	begun = job->deadline - job->timeout;
	if (time_after(begun, stood))
		stood = begun;
	job->deadline += jiffies - stood;
}

static void set_paused(struct dmafd_chan *chan, bool pause)
{
	spin_lock_irq(&chan->lock);
	chan->paused = pause;
	if (pause) {
		chan->paused_at = jiffies;
	} else {
		shift_deadline(chan);
		dmafd_watch(chan);
	}
	spin_unlock_irq(&chan->lock);
}

int dmafd_pause(struct dmafd_chan *chan, bool pause)
{
	int err;

	lockdep_assert_held(&chan->mutex);

	if (chan->paused == pause)
		return 0;
	stop_pump(chan);
	err = pause ? halt_chan(chan) : unhalt_chan(chan);
	if (!err)
		set_paused(chan, pause);
	start_pump(chan);
	return err;
}

/* ---- what it is doing ---- */

static void tell(struct dmafd_chan *chan, const struct dmafd_slot *slot, u64 moved,
		 struct dmafd_status *status)
{
	struct dmafd_job *job = list_first_entry_or_null(&chan->queue, struct dmafd_job, node);

	lockdep_assert_held(&chan->lock);

	status->out_state = chan->paused ? DMAFD_STATE_PAUSED :
			    job ? DMAFD_STATE_BUSY : DMAFD_STATE_IDLE;
	if (!job)
		return;
	status->out_opcode = job->opcode;
	status->out_user_data = job->user_data;
	status->out_bytes = job->bytes + (slot && slot->job == job ? moved : 0);
	status->out_since_ns = job->since_ns;
	status->out_overruns = job->overruns;
	status->out_queued = chan->submitted - chan->completed;
}

void dmafd_status(struct dmafd_chan *chan, struct dmafd_status *status)
{
	struct dmafd_slot *slot;
	u64 moved;

	lockdep_assert_held(&chan->mutex);

	stop_pump(chan);
	dmafd_retire(chan);
	slot = ask_for_progress(chan, &moved);
	spin_lock_irq(&chan->lock);
	tell(chan, slot, moved, status);
	spin_unlock_irq(&chan->lock);
	start_pump(chan);
}

/* ---- the watchdog ---- */

void dmafd_watch(struct dmafd_chan *chan)
{
	struct dmafd_job *job = list_first_entry_or_null(&chan->queue, struct dmafd_job, node);
	unsigned long now = jiffies;

	lockdep_assert_held(&chan->lock);

	if (!job || !job->timeout || chan->paused)
		return;
	if (delayed_work_pending(&chan->watchdog) && !time_before(job->deadline, chan->watch_at))
		return;
	chan->watch_at = job->deadline;
	mod_delayed_work(system_wq, &chan->watchdog,
			 time_after(job->deadline, now) ? job->deadline - now : 0);
}

void dmafd_begin_time(struct dmafd_chan *chan, struct dmafd_job *job, u64 now_ns)
{
	lockdep_assert_held(&chan->lock);

	job->since_ns = now_ns;
	job->deadline = jiffies + job->timeout;
	dmafd_watch(chan);
}

static bool is_overdue(struct dmafd_chan *chan)
{
	struct dmafd_job *job;
	bool overdue;

	spin_lock_irq(&chan->lock);
	job = list_first_entry_or_null(&chan->queue, struct dmafd_job, node);
	overdue = !chan->dead && !chan->paused && job && job->timeout &&
		  time_after_eq(jiffies, job->deadline);
	spin_unlock_irq(&chan->lock);
	return overdue;
}

/* Why the first job is overdue. */
static int overdue_status(struct dmafd_chan *chan)
{
	bool failed;

	spin_lock_irq(&chan->lock);
	failed = chan->ring.failed;
	spin_unlock_irq(&chan->lock);
	return failed ? -EIO : -ETIMEDOUT;
}

void dmafd_watchdog(struct work_struct *work)
{
	struct dmafd_chan *chan = container_of(to_delayed_work(work), struct dmafd_chan, watchdog);

	mutex_lock(&chan->mutex);
	if (is_overdue(chan)) {
		/* It may have completed just now, which is not noticed after that. */
		stop_pump(chan);
		if (is_overdue(chan))
			end_all(chan, overdue_status(chan), -ECANCELED);
		else
			start_pump(chan);
	}
	spin_lock_irq(&chan->lock);
	if (!chan->dead)
		dmafd_watch(chan);
	spin_unlock_irq(&chan->lock);
	mutex_unlock(&chan->mutex);
}
