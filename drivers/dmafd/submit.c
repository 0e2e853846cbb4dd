// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations made into jobs.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "dmafd.h"
#include "trace.h"

/* ---- jobs ---- */

static struct dmafd_job *take_free(struct dmafd_chan *chan)
{
	struct dmafd_job *job;

	spin_lock_irq(&chan->lock);
	job = list_first_entry_or_null(&chan->free, struct dmafd_job, node);
	if (job)
		list_del(&job->node);
	spin_unlock_irq(&chan->lock);
	return job;
}

static void put_back(struct dmafd_chan *chan, struct dmafd_job *job)
{
	spin_lock_irq(&chan->lock);
	list_add(&job->node, &chan->free);
	spin_unlock_irq(&chan->lock);
}

static void fill_in(struct dmafd_chan *chan, struct dmafd_job *job, const struct dmafd_op *op)
{
	job->opcode = op->opcode;
	job->flags = op->flags | (job->period ? DMAFD_OP_FENCE : 0);
	job->user_data = op->user_data;
	job->value = op->value;
	job->timeout = op->timeout_ms ? msecs_to_jiffies(op->timeout_ms) :
		       job->period ? 0 : chan->timeout;
	job->left = job->length;
	job->started = false;
	job->fed = false;
	job->pieces = 0;
	job->bytes = 0;
	job->overruns = 0;
	job->status = 0;
	job->cmd = NULL;
	job->submit_ns = ktime_get_ns();
	dmafd_job_rewind(job);
}

void dmafd_enqueue(struct dmafd_chan *chan, struct dmafd_job *job)
{
	lockdep_assert_held(&chan->mutex);

	spin_lock_irq(&chan->lock);
	job->sequence = chan->submitted++;
	trace_dmafd_submit(chan, job, job->length);
	chan->held++;
	list_add_tail(&job->node, &chan->queue);
	if (list_is_first(&job->node, &chan->queue))
		dmafd_begin_time(chan, job, job->submit_ns);
	if (!chan->feed)
		chan->feed = job;
	spin_unlock_irq(&chan->lock);
}

struct dmafd_job *dmafd_prepare(struct dmafd_chan *chan, const struct dmafd_request *request)
{
	struct dmafd_job *job;
	int err;

	lockdep_assert_held(&chan->mutex);

	if (chan->dead)
		return ERR_PTR(-ENODEV);
	job = take_free(chan);
	if (!job)
		return ERR_PTR(-EAGAIN);
	err = dmafd_op_find(chan, request, job);
	if (err) {
		put_back(chan, job);
		return ERR_PTR(err);
	}
	fill_in(chan, job, &request->op);
	return job;
}

/* ---- many operations ---- */

static int submit_one(struct dmafd_chan *chan, const struct dmafd_request *request)
{
	struct dmafd_job *job;

	mutex_lock(&chan->mutex);
	job = dmafd_prepare(chan, request);
	if (!IS_ERR(job))
		dmafd_enqueue(chan, job);
	mutex_unlock(&chan->mutex);
	return PTR_ERR_OR_ZERO(job);
}

static int fetch_and_submit(struct dmafd_chan *chan, const void __user *user, u32 size)
{
	struct dmafd_request request;
	int err = dmafd_request_fetch(chan, &request, user, size);

	if (err)
		return err;
	err = submit_one(chan, &request);
	dmafd_request_free(&request);
	return err;
}

/*
 * An array may be endless, if its jobs are over as fast: others come between, and who
 * is killed does not go on.
 */
static int give_way(struct dmafd_chan *chan)
{
	dmafd_pump(chan);
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/* How many became jobs, or why not even the first; how many there were before them. */
static int submit_all(struct dmafd_chan *chan, const struct dmafd_submit *arg, u64 *target)
{
	const u8 __user *user = u64_to_user_ptr(arg->ops);
	u32 i, count = min_t(u32, arg->nr_ops, INT_MAX);
	int done = 0, err = 0;

	for (i = 0; i < count && !err; i++, user += arg->op_size) {
		err = fetch_and_submit(chan, user, arg->op_size);
		if (!err && !(++done % DMAFD_BATCH))
			err = give_way(chan);
	}
	dmafd_pump(chan);
	spin_lock_irq(&chan->lock);
	*target = chan->submitted;
	spin_unlock_irq(&chan->lock);
	return done ?: err;
}

static int check_submit(const struct dmafd_submit *arg)
{
	bool wait = arg->flags & DMAFD_SUBMIT_WAIT;

	if (arg->flags & ~DMAFD_SUBMIT_WAIT || arg->__reserved)
		return -EOPNOTSUPP;
	if (!arg->nr_ops || arg->op_size < offsetofend(struct dmafd_op, args))
		return -EINVAL;
	if (arg->op_size > PAGE_SIZE)
		return -E2BIG;
	if (!wait && (arg->completions || arg->nr_completions))
		return -EINVAL;
	return 0;
}

/* What comes after the jobs were made; whatever that is, the caller is told of them. */
static int wait_and_take(struct dmafd_chan *chan, struct dmafd_submit *arg, u64 target)
{
	size_t max = min_t(u32, arg->nr_completions, DMAFD_MAX_DEPTH);
	int n, err;

	err = dmafd_wait(chan, target);
	if (err || !arg->completions || !max)
		return err;
	n = dmafd_take(chan, u64_to_user_ptr(arg->completions), max);
	/* Done again, the system call would make the jobs again. */
	if (n < 0)
		return n == -ERESTARTSYS ? -EINTR : n;
	arg->out_completions = n;
	return 0;
}

int dmafd_submit(void *object, struct dmafd_cmd *cmd)
{
	struct dmafd_submit *arg = cmd->arg;
	struct dmafd_chan *chan = object;
	u64 target;
	int n, err;

	err = check_submit(arg);
	if (err)
		return err;
	arg->out_submitted = 0;
	arg->out_completions = 0;
	n = submit_all(chan, arg, &target);
	if (n < 0)
		return n;
	arg->out_submitted = n;
	if (!(arg->flags & DMAFD_SUBMIT_WAIT))
		return 0;
	err = wait_and_take(chan, arg, target);
	return err ? dmafd_respond(cmd) ?: err : 0;
}
