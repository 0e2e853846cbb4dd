// SPDX-License-Identifier: GPL-2.0-only
/*
 * The physical channels. Each has a thread, which asks the arbiter for a virtual
 * channel with work, serves it for a turn, and gives it back. A turn is bounded,
 * so channels of one priority share the physical ones evenly, byte for byte.
 */
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/slab.h>

#include "dmasim.h"

/*
 * A turn ends after exactly so many bytes, if there are as many, or after so many
 * steps: channels have the same share as long as their transactions are of 2 KiB
 * or more.
 */
#define TURN_BYTES		SZ_128K
#define TURN_STEPS		64

/* Callbacks don't wait longer than for these, or for so many steps. */
#define CALLBACK_BYTES		SZ_64K

/* With a given bandwidth, what is moved in one go takes about this long. */
#define PACE_NS			(2 * NSEC_PER_MSEC)
/* Sleeping for less than this takes longer. */
#define SLEEP_NS		(10 * NSEC_PER_USEC)

/* ---- arbiter ---- */

static void make_ready(struct dmasim_arbiter *arbiter, struct dmasim_chan *chan)
{
	lockdep_assert_held(&arbiter->lock);

	chan->sched = DMASIM_SCHED_READY;
	chan->again = false;
	list_add_tail(&chan->ready, &arbiter->ready[chan->priority]);
	WRITE_ONCE(arbiter->levels, arbiter->levels | BIT(chan->priority));
}

/* One sleeping physical channel, if there is one, gets up. */
static void wake_one(struct dmasim_arbiter *arbiter)
{
	struct dmasim_physical *physical;

	lockdep_assert_held(&arbiter->lock);

	physical = list_first_entry_or_null(&arbiter->idle, struct dmasim_physical, idle);
	if (!physical)
		return;
	list_del_init(&physical->idle);
	wake_up_process(physical->thread);
}

void dmasim_chan_kick(struct dmasim_chan *chan)
{
	struct dmasim_arbiter *arbiter = &chan->sim->arbiter;
	unsigned long flags;

	spin_lock_irqsave(&arbiter->lock, flags);
	if (chan->sched == DMASIM_SCHED_RUNNING) {
		chan->again = true;
	} else if (chan->sched == DMASIM_SCHED_IDLE) {
		make_ready(arbiter, chan);
		wake_one(arbiter);
	}
	spin_unlock_irqrestore(&arbiter->lock, flags);
}

/* The next channel to serve; NULL if there is none, and then this thread is idle. */
static struct dmasim_chan *arbiter_take(struct dmasim_arbiter *arbiter,
					struct dmasim_physical *physical)
{
	struct dmasim_chan *chan = NULL;
	unsigned int level;

	spin_lock_irq(&arbiter->lock);
	if (arbiter->levels) {
		level = __fls(arbiter->levels);
		chan = list_first_entry(&arbiter->ready[level], struct dmasim_chan, ready);
		list_del_init(&chan->ready);
		if (list_empty(&arbiter->ready[level]))
			WRITE_ONCE(arbiter->levels, arbiter->levels & ~BIT(level));
		chan->sched = DMASIM_SCHED_RUNNING;
		list_del_init(&physical->idle);
	} else if (list_empty(&physical->idle)) {
		list_add(&physical->idle, &arbiter->idle);
	}
	spin_unlock_irq(&arbiter->lock);
	return chan;
}

static void arbiter_give_back(struct dmasim_arbiter *arbiter, struct dmasim_chan *chan,
			      enum dmasim_step step)
{
	spin_lock_irq(&arbiter->lock);
	if (step == DMASIM_STEP_MORE || chan->again)
		make_ready(arbiter, chan);
	else
		chan->sched = DMASIM_SCHED_IDLE;
	spin_unlock_irq(&arbiter->lock);
}

/* ---- time ---- */

/* The most to move at once: a bandwidth is kept in small steps. */
static size_t piece_of(const struct dmasim_config *config)
{
	u64 piece = DMASIM_PIECE;

	if (config->bandwidth)
		piece = clamp_t(u64, div_u64(config->bandwidth, NSEC_PER_SEC / PACE_NS), 64, piece);
	return piece;
}

/* How long the next step of at most @max bytes takes, by the options. */
static u64 cost_of_next(struct dmasim_chan *chan, size_t max)
{
	const struct dmasim_config *config = chan->sim->config;
	struct dmasim_desc *desc;
	u64 cost = 0;

	spin_lock_irq(&chan->lock);
	desc = dmasim_chan_next(chan);
	if (desc) {
		if (!desc->done && !desc->rounds)
			cost = config->latency_ns;
		if (config->bandwidth)
			cost += div64_u64((u64)dmasim_move_limit(desc, max) * NSEC_PER_SEC,
					  config->bandwidth);
	}
	spin_unlock_irq(&chan->lock);
	return cost;
}

/* Lets that much of simulated time pass. */
static void spend(struct dmasim_physical *physical, u64 cost)
{
	ktime_t now = ktime_get();

	if (ktime_before(physical->free_at, now))
		physical->free_at = now;
	physical->free_at = ktime_add_ns(physical->free_at, cost);
	while (ktime_to_ns(ktime_sub(physical->free_at, ktime_get())) > (s64)SLEEP_NS) {
		ktime_t until = physical->free_at;

		set_current_state(TASK_IDLE);
		if (kthread_should_stop()) {
			__set_current_state(TASK_RUNNING);
			return;
		}
		schedule_hrtimeout_range(&until, 0, HRTIMER_MODE_ABS);
	}
}

/* ---- turns ---- */

static bool is_timed(const struct dmasim_config *config)
{
	return config->bandwidth || config->latency_ns;
}

/* With nobody else waiting, a turn goes on and on, until the CPU is wanted. */
static bool is_alone(struct dmasim_arbiter *arbiter)
{
	return !READ_ONCE(arbiter->levels) && !need_resched() && !kthread_should_stop();
}

static enum dmasim_step turn(struct dmasim_physical *physical, struct dmasim_chan *chan)
{
	const struct dmasim_config *config = chan->sim->config;
	size_t piece = piece_of(config), bytes = 0, unseen = 0, max, moved;
	bool is_due, early, timed = is_timed(config);
	unsigned int steps = 0;
	enum dmasim_step step;

	do {
		if (bytes == TURN_BYTES || steps++ == TURN_STEPS) {
			bytes = 0;
			steps = 1;
		}
		max = min(piece, TURN_BYTES - bytes);
		if (timed)
			spend(physical, cost_of_next(chan, max));
		spin_lock_irq(&chan->lock);
		step = dmasim_move(chan, max, &moved);
		/* A spurious callback comes before the transaction is complete. */
		early = chan->spurious;
		is_due = dmasim_chan_due(chan);
		spin_unlock_irq(&chan->lock);
		bytes += moved;
		unseen += moved;
		if (is_due && (unseen >= CALLBACK_BYTES || steps == TURN_STEPS || early || timed)) {
			dmasim_chan_run_callbacks(chan);
			is_due = false;
			unseen = 0;
		}
	} while (step == DMASIM_STEP_MORE &&
		 ((bytes < TURN_BYTES && steps < TURN_STEPS) || is_alone(&chan->sim->arbiter)));
	if (is_due)
		dmasim_chan_run_callbacks(chan);
	return step;
}

static void serve(struct dmasim_physical *physical, struct dmasim_chan *chan)
{
	u64 start = ktime_get_ns();
	enum dmasim_step step = turn(physical, chan);

	spin_lock_irq(&chan->lock);
	chan->stats.turns++;
	chan->stats.busy_ns += ktime_get_ns() - start;
	spin_unlock_irq(&chan->lock);
	arbiter_give_back(&chan->sim->arbiter, chan, step);
}

/*
 * A thread that were preempted with a channel in its hands would keep it from its
 * share, those with the longest turns most often. Simulated time is slept through.
 */
static void serve_at_a_stretch(struct dmasim_physical *physical, struct dmasim_chan *chan)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT) || is_timed(chan->sim->config)) {
		serve(physical, chan);
		return;
	}
	preempt_disable();
	serve(physical, chan);
	preempt_enable();
}

static int physical_thread(void *data)
{
	struct dmasim_physical *physical = data;
	struct dmasim_arbiter *arbiter = &physical->sim->arbiter;
	struct dmasim_chan *chan;

	while (!kthread_should_stop()) {
		set_current_state(TASK_IDLE);
		chan = arbiter_take(arbiter, physical);
		if (!chan) {
			if (!kthread_should_stop())
				schedule();
			continue;
		}
		__set_current_state(TASK_RUNNING);
		serve_at_a_stretch(physical, chan);
		cond_resched();
	}
	__set_current_state(TASK_RUNNING);
	/* Nobody wakes a thread that is gone. */
	spin_lock_irq(&arbiter->lock);
	list_del_init(&physical->idle);
	spin_unlock_irq(&arbiter->lock);
	return 0;
}

static int start_one(struct dmasim *sim, unsigned int id)
{
	struct dmasim_physical *physical = &sim->physical[id];

	physical->sim = sim;
	physical->id = id;
	INIT_LIST_HEAD(&physical->idle);
	physical->thread = kthread_run(physical_thread, physical, "%s/%u",
				       dev_name(&sim->pdev->dev), id);
	return PTR_ERR_OR_ZERO(physical->thread);
}

int dmasim_engine_start(struct dmasim *sim)
{
	unsigned int i;
	int err;

	spin_lock_init(&sim->arbiter.lock);
	INIT_LIST_HEAD(&sim->arbiter.idle);
	for (i = 0; i < DMASIM_PRIORITIES; i++)
		INIT_LIST_HEAD(&sim->arbiter.ready[i]);
	sim->physical = kcalloc(sim->config->physical, sizeof(*sim->physical), GFP_KERNEL);
	if (!sim->physical)
		return -ENOMEM;
	for (i = 0; i < sim->config->physical; i++) {
		err = start_one(sim, i);
		if (err) {
			dmasim_engine_stop(sim);
			return err;
		}
		sim->physicals++;
	}
	return 0;
}

void dmasim_engine_stop(struct dmasim *sim)
{
	while (sim->physicals)
		kthread_stop(sim->physical[--sim->physicals].thread);
	kfree(sim->physical);
	sim->physical = NULL;
}
