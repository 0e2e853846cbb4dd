// SPDX-License-Identifier: GPL-2.0-only
/*
 * Jobs that are over, and those who wait for them.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/uaccess.h>

#include "dmafd.h"

/* The bytes of the destination that are not the controller's. */
static void do_edge(struct dmafd_job *job, size_t at, size_t len)
{
	if (!len)
		return;
	if (job->opcode == DMAFD_OP_FILL)
		dmafd_buf_fill(job->dst.buf, job->dst.at + at, job->value, len);
	else
		dmafd_buf_copy(job->dst.buf, job->dst.at + at, job->src.buf, job->src.at + at,
			       len);
	job->bytes += len;
}

static void finish(struct dmafd_job *job)
{
	if (!job->dst.buf)
		return;
	if (job->started)
		dmafd_map_for_cpu(job->dst.map, job->dst.at + job->head,
				  job->length - job->head - job->tail);
	/* Bytes are counted from the beginning, so that comes first. */
	if (job->bytes || !job->status)
		do_edge(job, 0, job->head);
	if (!job->status)
		do_edge(job, job->length - job->tail, job->tail);
}

/* All that was done to the memory is done before the count goes down. */
static void release_buffers(struct dmafd_job *job)
{
	if (job->src.buf)
		atomic_dec_return_release(&job->src.buf->jobs);
	if (job->dst.buf)
		atomic_dec_return_release(&job->dst.buf->jobs);
}

static void free_job(struct dmafd_chan *chan, struct dmafd_job *job)
{
	lockdep_assert_held(&chan->lock);

	list_move(&job->node, &chan->free);
	chan->held--;
}

void dmafd_complete(struct dmafd_chan *chan, struct dmafd_job *job)
{
	struct dmafd_job *next;
	unsigned long flags;

	finish(job);
	release_buffers(job);
	job->complete_ns = ktime_get_ns();
	spin_lock_irqsave(&chan->lock, flags);
	chan->completed++;
	chan->failed += !!job->status;
	chan->bytes += job->bytes;
	if (job->flags & DMAFD_OP_NO_COMPLETION && !job->status)
		free_job(chan, job);
	else
		list_move_tail(&job->node, &chan->done);
	chan->wake = true;
	next = list_first_entry_or_null(&chan->queue, struct dmafd_job, node);
	if (next)
		dmafd_begin_time(chan, next, job->complete_ns);
	spin_unlock_irqrestore(&chan->lock, flags);
}

/* ---- completions ---- */

static struct dmafd_job *first_to_take(struct dmafd_chan *chan)
{
	struct dmafd_job *job;

	lockdep_assert_held(&chan->read_lock);

	spin_lock_irq(&chan->lock);
	job = list_first_entry_or_null(&chan->done, struct dmafd_job, node);
	spin_unlock_irq(&chan->lock);
	return job;
}

static int give(const struct dmafd_job *job, struct dmafd_completion __user *user)
{
	struct dmafd_completion completion = {
		.user_data = job->user_data,
		.sequence = job->sequence,
		.bytes = job->bytes,
		.submit_ns = job->submit_ns,
		.complete_ns = job->complete_ns,
		.status = job->status,
		.opcode = job->opcode,
	};

	return copy_to_user(user, &completion, sizeof(completion)) ? -EFAULT : 0;
}

static void taken(struct dmafd_chan *chan, struct dmafd_job *job)
{
	spin_lock_irq(&chan->lock);
	/* Somebody may wait for room. */
	if (chan->held == chan->depth)
		wake_up_interruptible_poll(&chan->wait, EPOLLOUT | EPOLLWRNORM);
	free_job(chan, job);
	spin_unlock_irq(&chan->lock);
}

int dmafd_take(struct dmafd_chan *chan, struct dmafd_completion __user *user, size_t max)
{
	struct dmafd_job *job;
	size_t n = 0;
	int err;

	if (mutex_lock_interruptible(&chan->read_lock))
		return -ERESTARTSYS;
	for (err = 0; n < max && (job = first_to_take(chan)); n++) {
		/* One that could not be given stays. */
		err = give(job, &user[n]);
		if (err)
			break;
		taken(chan, job);
	}
	mutex_unlock(&chan->read_lock);
	return n ?: err;
}

static bool is_complete(struct dmafd_chan *chan, u64 completed)
{
	bool is;

	spin_lock_irq(&chan->lock);
	is = chan->completed >= completed || chan->dead;
	spin_unlock_irq(&chan->lock);
	return is;
}

int dmafd_wait(struct dmafd_chan *chan, u64 completed)
{
	return wait_event_interruptible(chan->wait, is_complete(chan, completed)) ? -EINTR : 0;
}
