// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations made into jobs.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "dmafd.h"
#include "trace.h"

/* ---- jobs ---- */

static void fill_in(struct dmafd_chan *chan, struct dmafd_job *job, const struct dmafd_op *op,
		    u64 now_ns)
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
	job->submit_ns = now_ns;
	if (!job->whole)
		dmafd_job_rewind(job);
}

/* The first of a list of jobs, as many as there are of so many, become another list. */
static void cut(struct list_head *first, struct list_head *list, unsigned int count)
{
	struct list_head *last = list;

	while (count-- && !list_is_last(last, list))
		last = last->next;
	list_cut_position(first, list, last);
}

static void take_free(struct dmafd_chan *chan, struct list_head *jobs, unsigned int count)
{
	spin_lock_irq(&chan->lock);
	cut(jobs, &chan->free, count);
	spin_unlock_irq(&chan->lock);
}

/* How many of the jobs have become what is requested, or why not even the first. */
static int make_jobs(struct dmafd_chan *chan, struct list_head *jobs,
		     const struct dmafd_request *request)
{
	u64 now_ns = ktime_get_ns();
	struct dmafd_job *job;
	int count = 0, err = -EAGAIN;

	mutex_lock(&chan->ctx->lock);
	list_for_each_entry(job, jobs, node) {
		err = dmafd_op_find(chan, request, job);
		if (err)
			break;
		fill_in(chan, job, &request->op, now_ns);
		request++;
		count++;
	}
	mutex_unlock(&chan->ctx->lock);
	return count ?: err;
}

static void enqueue(struct dmafd_chan *chan, struct list_head *jobs)
{
	struct dmafd_job *first = list_first_entry(jobs, struct dmafd_job, node), *job;

	lockdep_assert_held(&chan->lock);

	list_for_each_entry(job, jobs, node) {
		job->sequence = chan->submitted++;
		trace_dmafd_submit(chan, job, job->length);
		chan->held++;
	}
	list_splice_tail(jobs, &chan->queue);
	if (list_is_first(&first->node, &chan->queue))
		dmafd_begin_time(chan, first, first->submit_ns);
	if (!chan->feed)
		chan->feed = first;
}

int dmafd_queue(struct dmafd_chan *chan, const struct dmafd_request *requests,
		unsigned int count, struct io_uring_cmd *cmd)
{
	LIST_HEAD(jobs);
	LIST_HEAD(made);
	int n;

	lockdep_assert_held(&chan->mutex);

	if (chan->dead)
		return -ENODEV;
	take_free(chan, &jobs, count);
	n = make_jobs(chan, &jobs, requests);
	cut(&made, &jobs, max(n, 0));
	spin_lock_irq(&chan->lock);
	if (n > 0) {
		list_first_entry(&made, struct dmafd_job, node)->cmd = cmd;
		enqueue(chan, &made);
	}
	list_splice(&jobs, &chan->free);
	spin_unlock_irq(&chan->lock);
	return n;
}

/* ---- many operations ---- */

/* So many become jobs at once: all are on the stack. */
#define SOME_OPS	8

/* How many were fetched, or why not even the first. */
static int fetch_some(struct dmafd_chan *chan, struct dmafd_request *request,
		      const u8 __user *user, u32 op_size, unsigned int max)
{
	unsigned int n;
	int err = 0;

	for (n = 0; n < max; n++, user += op_size) {
		err = dmafd_request_fetch(chan, &request[n], user, op_size);
		if (err)
			break;
	}
	return n ?: err;
}

/* How many became jobs, or why not even the first. */
static int submit_some(struct dmafd_chan *chan, const u8 __user *user, u32 op_size,
		       unsigned int max)
{
	/* Cleared, which many kernels do with what is on the stack, it would cost most of all. */
	struct dmafd_request requests[SOME_OPS] __uninitialized;
	int n, i, fetched;

	fetched = fetch_some(chan, requests, user, op_size, max);
	if (fetched < 0)
		return fetched;
	mutex_lock(&chan->mutex);
	n = dmafd_queue(chan, requests, fetched, NULL);
	mutex_unlock(&chan->mutex);
	for (i = 0; i < fetched; i++)
		dmafd_request_free(&requests[i]);
	return n;
}

/* An array may be endless, if its jobs are over as fast: who is killed does not go on. */
static int give_way(struct dmafd_chan *chan)
{
	dmafd_pump(chan);
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/* How many became jobs, or why not even the first; how many there were before them. */
static int submit_all(struct dmafd_chan *chan, const struct dmafd_submit *arg, u64 *target)
{
	u32 count = min_t(u32, arg->nr_ops, INT_MAX), done = 0, some;
	const u8 __user *user = u64_to_user_ptr(arg->ops);
	int n;

	do {
		some = min_t(u32, count - done, SOME_OPS);
		n = submit_some(chan, user, arg->op_size, some);
		if (n <= 0)
			break;
		done += n;
		user += (size_t)n * arg->op_size;
		if (!(done % DMAFD_BATCH) && give_way(chan))
			break;
	} while (n == some && done < count);
	dmafd_pump(chan);
	spin_lock_irq(&chan->lock);
	*target = chan->submitted;
	spin_unlock_irq(&chan->lock);
	return done ?: n;
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
