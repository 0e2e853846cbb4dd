// SPDX-License-Identifier: GPL-2.0-only
/*
 * Jobs that are over, and those who wait for them.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/uaccess.h>

#include "dmafd.h"
#include "trace.h"

/* ---- what the CPU does ---- */

/* Where a stream is in its buffer. */
static size_t place_of(const struct dmafd_stream *stream)
{
	return stream->now.at + stream->in;
}

static void do_bytes(struct dmafd_job *job, size_t len)
{
	struct dmafd_stream *dst = &job->dst, *src;
	unsigned int i;

	if (!job->nr_srcs)
		dmafd_buf_fill(dst->now.buf, place_of(dst), job->value, len);
	for (i = 0; i < job->nr_srcs; i++) {
		src = &job->srcs[i];
		(i ? dmafd_buf_xor : dmafd_buf_copy)(dst->now.buf, place_of(dst), src->now.buf,
						     place_of(src), len);
	}
}

/* Bytes of one stretch of the destination that are not the controller's. */
static void do_edge(struct dmafd_job *job, size_t len)
{
	unsigned int i;
	size_t n;

	for (; len; len -= n) {
		n = len;
		for (i = 0; i < job->nr_srcs; i++)
			n = min(n, job->srcs[i].now.len - job->srcs[i].in);
		do_bytes(job, n);
		dmafd_job_advance(job, n);
		job->bytes += n;
	}
}

/* Bytes are counted from the beginning: after a failure the edges up to there are done. */
static void do_edges(struct dmafd_job *job)
{
	u64 moved = job->status ? job->bytes : job->length;
	struct dmafd_stretch stretch;
	size_t head, tail, n;

	dmafd_job_rewind(job);
	job->bytes = 0;
	while (job->bytes < job->length && (moved || !job->status)) {
		stretch = job->dst.now;
		dmafd_stretch_edges(&stretch, &head, &tail);
		do_edge(job, head);
		n = min_t(u64, tail - head, moved);
		dmafd_job_advance(job, n);
		job->bytes += n;
		moved -= n;
		if (moved || !job->status)
			do_edge(job, stretch.len - tail);
	}
}

static void finish(struct dmafd_chan *chan, struct dmafd_job *job)
{
	if (job->whole && job->started)
		dmafd_map_piece_for_cpu(job->dst.one.map, job->to, job->length);
	if (job->whole || !dmafd_stream_syncs(&job->dst))
		return;
	if (job->started)
		dmafd_stream_for_cpu(&job->dst);
	/* A port's has no edges, and other counts of bytes. */
	if (!chan->width && dmafd_stream_has_edges(&job->dst))
		do_edges(job);
}

/* ---- the end of jobs ---- */

/* So many are completed together. */
#define SOME_JOBS	16

static bool is_over(const struct dmafd_job *job)
{
	return job->fed && !job->pieces;
}

/* Takes those that are over from the queue, if they are the first. */
static void take_over(struct dmafd_chan *chan, struct list_head *over)
{
	struct list_head *last = &chan->queue;
	unsigned int count = 0;
	struct dmafd_job *job;
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	list_for_each_entry(job, &chan->queue, node) {
		if (!is_over(job) || count++ == SOME_JOBS)
			break;
		last = &job->node;
	}
	list_cut_position(over, &chan->queue, last);
	spin_unlock_irqrestore(&chan->lock, flags);
}

static void free_job(struct dmafd_chan *chan, struct dmafd_job *job)
{
	lockdep_assert_held(&chan->lock);

	list_move(&job->node, &chan->free);
	chan->held--;
}

static void count_up(struct dmafd_chan *chan, struct list_head *over)
{
	struct dmafd_job *job, *next;

	lockdep_assert_held(&chan->lock);

	list_for_each_entry_safe(job, next, over, node) {
		chan->completed++;
		chan->failed += !!job->status;
		chan->bytes += job->bytes;
		if (job->cmd || (job->flags & DMAFD_OP_NO_COMPLETION && !job->status))
			free_job(chan, job);
	}
}

/* From here on others may know of it. */
static void publish(struct dmafd_chan *chan, struct list_head *over, u64 now_ns)
{
	struct dmafd_job *next;
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	count_up(chan, over);
	list_splice_tail(over, &chan->done);
	chan->wake = true;
	next = list_first_entry_or_null(&chan->queue, struct dmafd_job, node);
	if (next)
		dmafd_begin_time(chan, next, now_ns);
	spin_unlock_irqrestore(&chan->lock, flags);
}

bool dmafd_complete_some(struct dmafd_chan *chan)
{
	struct io_uring_cmd *cmds[SOME_JOBS] __uninitialized;
	unsigned int count = 0, nr_cmds = 0, i;
	struct dmafd_job *job;
	LIST_HEAD(over);
	u64 now_ns;

	take_over(chan, &over);
	if (list_empty(&over))
		return false;
	list_for_each_entry(job, &over, node) {
		finish(chan, job);
		dmafd_job_release(job);
		count++;
	}
	now_ns = ktime_get_ns();
	list_for_each_entry(job, &over, node) {
		job->complete_ns = now_ns;
		trace_dmafd_complete(chan, job);
		if (!job->cmd)
			continue;
		dmafd_uring_note(job->cmd, job);
		cmds[nr_cmds++] = job->cmd;
	}
	publish(chan, &over, now_ns);
	/* Who is told finds room for the next one. */
	for (i = 0; i < nr_cmds; i++)
		dmafd_uring_done(cmds[i]);
	return count == SOME_JOBS;
}

/* ---- completions ---- */

/* So many records are given in one go. */
#define SOME_RECORDS	8

static struct dmafd_completion record_of(const struct dmafd_job *job)
{
	return (struct dmafd_completion){
		.user_data = job->user_data,
		.sequence = job->sequence,
		.bytes = job->bytes,
		.submit_ns = job->submit_ns,
		.complete_ns = job->complete_ns,
		.status = job->status,
		.opcode = job->opcode,
		.overruns = job->overruns,
	};
}

/* Records of the jobs that are to be taken first; how many. */
static size_t find_records(struct dmafd_chan *chan, struct dmafd_completion *records, size_t max)
{
	struct dmafd_job *job;
	size_t n = 0;

	spin_lock_irq(&chan->lock);
	list_for_each_entry(job, &chan->done, node) {
		if (n == max)
			break;
		records[n++] = record_of(job);
	}
	spin_unlock_irq(&chan->lock);
	return n;
}

/* The first jobs were given. */
static void taken(struct dmafd_chan *chan, size_t count)
{
	struct list_head *last = &chan->done;
	LIST_HEAD(jobs);

	spin_lock_irq(&chan->lock);
	/* Somebody may wait for room. */
	if (count && chan->held == chan->depth)
		wake_up_interruptible_poll(&chan->wait, EPOLLOUT | EPOLLWRNORM);
	chan->held -= count;
	while (count--)
		last = last->next;
	list_cut_position(&jobs, &chan->done, last);
	list_splice(&jobs, &chan->free);
	spin_unlock_irq(&chan->lock);
}

/* Gives up to @max; how many, or -EFAULT if not even one. What could not be given stays. */
static int give_some(struct dmafd_chan *chan, struct dmafd_completion __user *user, size_t max)
{
	struct dmafd_completion records[SOME_RECORDS] __uninitialized;
	size_t n = find_records(chan, records, min_t(size_t, max, SOME_RECORDS));
	size_t given;

	lockdep_assert_held(&chan->read_lock);

	given = n - DIV_ROUND_UP(copy_to_user(user, records, n * sizeof(*records)),
				 sizeof(*records));
	taken(chan, given);
	return n && !given ? -EFAULT : given;
}

int dmafd_take(struct dmafd_chan *chan, struct dmafd_completion __user *user, size_t max)
{
	size_t n = 0;
	int some;

	if (mutex_lock_interruptible(&chan->read_lock))
		return -ERESTARTSYS;
	dmafd_cyclic_return(chan);
	do {
		some = give_some(chan, &user[n], max - n);
		n += max(some, 0);
	} while (some > 0 && n < max);
	if (!some && n < max) {
		some = dmafd_cyclic_take(chan, &user[n]);
		n += some > 0;
	}
	mutex_unlock(&chan->read_lock);
	return n ?: some;
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
