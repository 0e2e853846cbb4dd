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

/* The piece that the controller works on, and how far it came, as long as it knows. */
static struct dmafd_slot *ask_for_progress(struct dmafd_chan *chan, size_t *moved)
{
	struct dmafd_slot *slot = &chan->run->slot[chan->first];
	struct dma_tx_state state = {};
	enum dma_status status;

	*moved = 0;
	if (!chan->count)
		return NULL;
	status = dmaengine_tx_status(chan->dma, slot->cookie, &state);
	if (status == DMA_IN_PROGRESS || status == DMA_PAUSED)
		*moved = slot->len - min_t(size_t, state.residue, slot->len);
	return slot;
}

/* What the controller had is not there any more, and it does not call back. */
static void forget_pieces(struct dmafd_chan *chan)
{
	spin_lock_irq(&chan->lock);
	chan->run_nr = (chan->run_nr + 1) % chan->nr_runs;
	chan->run = &chan->runs[chan->run_nr];
	chan->feed = NULL;
	spin_unlock_irq(&chan->lock);
	chan->first = 0;
	chan->count = 0;
}

static struct dmafd_job *first_job(struct dmafd_chan *chan)
{
	struct dmafd_job *job;

	spin_lock_irq(&chan->lock);
	job = list_first_entry_or_null(&chan->queue, struct dmafd_job, node);
	spin_unlock_irq(&chan->lock);
	return job;
}

static unsigned int end_jobs(struct dmafd_chan *chan, int first, int others)
{
	struct dmafd_job *job;
	unsigned int count = 0;

	while ((job = first_job(chan))) {
		job->left = 0;
		job->pieces = 0;
		if (!job->status)
			job->status = count ? others : first;
		dmafd_complete(chan, job);
		count++;
	}
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
}

/* What follows stop_pump(). */
static unsigned int end_all(struct dmafd_chan *chan, int first, int others)
{
	struct dmafd_slot *slot;
	unsigned int count;
	size_t moved;
	int err;

	slot = ask_for_progress(chan, &moved);
	err = dmaengine_terminate_sync(chan->dma);
	if (err) {
		strand(chan, err);
		return 0;
	}
	/* What was done by itself has ended well. */
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

/* ---- the watchdog ---- */

void dmafd_watch(struct dmafd_chan *chan)
{
	struct dmafd_job *job = list_first_entry_or_null(&chan->queue, struct dmafd_job, node);
	unsigned long now = jiffies;

	lockdep_assert_held(&chan->lock);

	if (!job)
		return;
	if (delayed_work_pending(&chan->watchdog) && !time_before(job->deadline, chan->watch_at))
		return;
	chan->watch_at = job->deadline;
	mod_delayed_work(system_wq, &chan->watchdog,
			 time_after(job->deadline, now) ? job->deadline - now : 0);
}

static bool is_overdue(struct dmafd_chan *chan)
{
	struct dmafd_job *job;
	bool overdue;

	spin_lock_irq(&chan->lock);
	job = list_first_entry_or_null(&chan->queue, struct dmafd_job, node);
	overdue = !chan->dead && job && time_after_eq(jiffies, job->deadline);
	spin_unlock_irq(&chan->lock);
	return overdue;
}

void dmafd_watchdog(struct work_struct *work)
{
	struct dmafd_chan *chan = container_of(to_delayed_work(work), struct dmafd_chan, watchdog);

	mutex_lock(&chan->mutex);
	if (is_overdue(chan)) {
		/* It may have completed just now, which is not noticed after that. */
		stop_pump(chan);
		if (is_overdue(chan))
			end_all(chan, -ETIMEDOUT, -ECANCELED);
		else
			start_pump(chan);
	}
	spin_lock_irq(&chan->lock);
	if (!chan->dead)
		dmafd_watch(chan);
	spin_unlock_irq(&chan->lock);
	mutex_unlock(&chan->mutex);
}
