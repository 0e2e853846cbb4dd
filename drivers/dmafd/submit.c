// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations checked and made into jobs.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/overflow.h>
#include <linux/uaccess.h>

#include "dmafd.h"

/* The controller is given work after so many operations, if there are more. */
#define BATCH	32

/* ---- one operation ---- */

static int check_shape(const struct dmafd_chan *chan, const struct dmafd_op *op)
{
	if (op->flags & ~(DMAFD_OP_FENCE | DMAFD_OP_NO_COMPLETION) || op->__reserved)
		return -EOPNOTSUPP;
	switch (op->opcode) {
	case DMAFD_OP_NOP:
		return op->src_buf || op->dst_buf || op->src_offset || op->dst_offset ||
		       op->length || op->value ? -EINVAL : 0;
	case DMAFD_OP_COPY:
		if (!(chan->caps & DMAFD_CAP_COPY))
			return -EOPNOTSUPP;
		return !op->length || op->value ? -EINVAL : 0;
	case DMAFD_OP_FILL:
		if (!(chan->caps & DMAFD_CAP_FILL))
			return -EOPNOTSUPP;
		return !op->length || op->value > U8_MAX || op->src_buf || op->src_offset ?
		       -EINVAL : 0;
	default:
		return -EOPNOTSUPP;
	}
}

/* Finds a range's buffer and mapping. */
static int find_range(struct dmafd_chan *chan, struct dmafd_range *range, u32 id, u64 at,
		      u64 length, u32 access)
{
	struct dmafd_buf *buf = dmafd_buf_find(chan->ctx, id);

	if (!buf)
		return -ENOENT;
	if (!(buf->access & access))
		return -EACCES;
	if (at > buf->length || length > buf->length - at)
		return -EINVAL;
	range->map = dmafd_map_get(buf, chan->ctrl);
	if (IS_ERR(range->map))
		return PTR_ERR(range->map);
	range->buf = buf;
	range->at = at;
	dmafd_map_seek(range->map, at, &range->place);
	return 0;
}

/* Whether they overlap, as far as addresses tell. */
static bool overlap(const struct dmafd_range *a, const struct dmafd_range *b, size_t length)
{
	unsigned long a_addr = a->buf->addr + a->at, b_addr = b->buf->addr + b->at;

	return a->buf->account.mm == b->buf->account.mm &&
	       a_addr < b_addr + length && b_addr < a_addr + length;
}

/*
 * Where the device does not see the CPU's caches, a line that holds other bytes,
 * too, must not be written by it: what the CPU writes there would be lost. So the
 * CPU does the edges.
 */
static void find_edges(struct dmafd_job *job)
{
	unsigned int line = dmafd_line();
	unsigned long begin = job->dst.buf->first + job->dst.at;

	job->head = 0;
	job->tail = 0;
	if (!job->dst.map->sync)
		return;
	job->head = min_t(size_t, -begin & (line - 1), job->length);
	job->tail = (job->length - job->head) & (line - 1);
}

static bool is_aligned(const struct dmafd_range *range, size_t length, u32 align)
{
	return !((dmafd_map_addr(range->map, &range->place) | length) & (align - 1));
}

static int find_copy(struct dmafd_chan *chan, struct dmafd_job *job, const struct dmafd_op *op)
{
	int err;

	err = find_range(chan, &job->src, op->src_buf, op->src_offset, op->length,
			 DMAFD_BUF_READ);
	if (!err)
		err = find_range(chan, &job->dst, op->dst_buf, op->dst_offset, op->length,
				 DMAFD_BUF_WRITE);
	if (err)
		return err;
	if (overlap(&job->src, &job->dst, op->length) ||
	    !is_aligned(&job->src, op->length, chan->copy_align) ||
	    !is_aligned(&job->dst, op->length, chan->copy_align))
		return -EINVAL;
	return 0;
}

static int find_fill(struct dmafd_chan *chan, struct dmafd_job *job, const struct dmafd_op *op)
{
	int err = find_range(chan, &job->dst, op->dst_buf, op->dst_offset, op->length,
			     DMAFD_BUF_WRITE);

	if (err)
		return err;
	return is_aligned(&job->dst, op->length, chan->fill_align) ? 0 : -EINVAL;
}

/* The buffers are not removed from here on. */
static void hold_buffers(struct dmafd_job *job)
{
	if (job->src.buf)
		atomic_inc(&job->src.buf->jobs);
	if (job->dst.buf)
		atomic_inc(&job->dst.buf->jobs);
}

static int find_memory(struct dmafd_chan *chan, struct dmafd_job *job, const struct dmafd_op *op)
{
	struct dmafd_ctx *ctx = chan->ctx;
	int err = 0;

	job->length = op->length;
	job->src.buf = NULL;
	job->dst.buf = NULL;
	job->head = 0;
	job->tail = 0;
	if (op->opcode == DMAFD_OP_NOP)
		return 0;
	mutex_lock(&ctx->lock);
	err = op->opcode == DMAFD_OP_COPY ? find_copy(chan, job, op) : find_fill(chan, job, op);
	if (!err)
		hold_buffers(job);
	mutex_unlock(&ctx->lock);
	if (!err)
		find_edges(job);
	return err;
}

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
	size_t skip = job->head;

	job->opcode = op->opcode;
	job->flags = op->flags;
	job->user_data = op->user_data;
	job->value = op->value;
	job->timeout = op->timeout_ms ? msecs_to_jiffies(op->timeout_ms) : chan->timeout;
	job->left = job->length - job->head - job->tail;
	job->started = false;
	job->fed = false;
	job->pieces = 0;
	job->bytes = 0;
	job->status = 0;
	job->submit_ns = ktime_get_ns();
	if (job->src.buf)
		dmafd_map_advance(job->src.map, &job->src.place, skip);
	if (job->dst.buf)
		dmafd_map_advance(job->dst.map, &job->dst.place, skip);
}

static void enqueue(struct dmafd_chan *chan, struct dmafd_job *job)
{
	spin_lock_irq(&chan->lock);
	job->sequence = chan->submitted++;
	chan->held++;
	list_add_tail(&job->node, &chan->queue);
	if (list_is_first(&job->node, &chan->queue))
		dmafd_begin_time(chan, job, job->submit_ns);
	if (!chan->feed)
		chan->feed = job;
	spin_unlock_irq(&chan->lock);
}

static int submit_one(struct dmafd_chan *chan, const struct dmafd_op *op)
{
	struct dmafd_job *job;
	int err;

	err = check_shape(chan, op);
	if (err)
		return err;
	job = take_free(chan);
	if (!job)
		return -EAGAIN;
	err = find_memory(chan, job, op);
	if (err) {
		put_back(chan, job);
		return err;
	}
	fill_in(chan, job, op);
	enqueue(chan, job);
	return 0;
}

/* ---- many operations ---- */

static int fetch_and_submit(struct dmafd_chan *chan, const void __user *user, u32 size)
{
	struct dmafd_op op;
	int err = copy_struct_from_user(&op, sizeof(op), user, size);

	return err ?: submit_one(chan, &op);
}

/* How many became jobs, or why not even the first; how many there were before them. */
static int submit_all(struct dmafd_chan *chan, const struct dmafd_submit *arg, u64 *target)
{
	const u8 __user *user = u64_to_user_ptr(arg->ops);
	int done = 0, err = 0;
	u32 i;

	mutex_lock(&chan->mutex);
	if (chan->dead)
		err = -ENODEV;
	for (i = 0; i < arg->nr_ops && !err; i++, user += arg->op_size) {
		err = fetch_and_submit(chan, user, arg->op_size);
		if (!err && !(++done % BATCH))
			dmafd_pump(chan);
	}
	dmafd_pump(chan);
	spin_lock_irq(&chan->lock);
	*target = chan->submitted;
	spin_unlock_irq(&chan->lock);
	mutex_unlock(&chan->mutex);
	return done ?: err;
}

static int check_submit(const struct dmafd_submit *arg)
{
	bool wait = arg->flags & DMAFD_SUBMIT_WAIT;

	if (arg->flags & ~DMAFD_SUBMIT_WAIT || arg->__reserved)
		return -EOPNOTSUPP;
	if (!arg->nr_ops || arg->op_size < offsetofend(struct dmafd_op, __reserved))
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
