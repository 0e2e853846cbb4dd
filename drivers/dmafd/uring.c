// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations submitted by io_uring.
 *
 * What is submitted together is given to the controller together: io_uring plugs
 * the submitting task meanwhile, as if it wrote to a disk, and the channel is
 * pumped when the plug is pulled.
 *
 * The order of locks: the ring's lock comes before the channel's mutex. It is held
 * when io_uring calls, but by its workers (IO_URING_F_UNLOCKED).
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../compat/uring.h"
#include "dmafd.h"

/* The whole entry of a ring with large ones has so many bytes for a command. */
#define LARGE_COMMAND	80

/* What is kept of a job in its command, where that has room for a driver's data. */
struct outcome {
	u64 bytes;
	s32 status;
	bool polled;		/* constant while the job is in the queue */
	bool over;		/* of a polled one; all else is written before */
} __packed __aligned(4);

static struct outcome *outcome_of(struct io_uring_cmd *cmd)
{
	static_assert(sizeof(struct outcome) <= sizeof_field(struct io_uring_cmd, pdu));

	return (struct outcome *)cmd->pdu;
}

/* ---- what is asked for ---- */

/* The program may change the entry at any time: it is read once. */
static int fetch_inline(const struct io_uring_cmd *cmd, unsigned int issue_flags,
			struct dmafd_op *op)
{
	u8 command[LARGE_COMMAND] __uninitialized;

	if (!(issue_flags & IO_URING_F_SQE128))
		return -EINVAL;
	memcpy(command, compat_uring_payload(cmd), sizeof(command));
	barrier();
	memcpy(op, command, sizeof(*op));
	return memchr_inv(command + sizeof(*op), 0, sizeof(command) - sizeof(*op)) ? -E2BIG : 0;
}

static int fetch_at(const struct io_uring_cmd *cmd, struct dmafd_op *op)
{
	struct dmafd_uring_at at;

	memcpy(&at, compat_uring_payload(cmd), sizeof(at));
	barrier();
	if (at.__reserved)
		return -EOPNOTSUPP;
	if (at.op_size < offsetofend(struct dmafd_op, args))
		return -EINVAL;
	if (at.op_size > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(op, sizeof(*op), u64_to_user_ptr(at.op), at.op_size);
}

static int fetch(const struct io_uring_cmd *cmd, unsigned int issue_flags, struct dmafd_op *op)
{
	int err;

	switch (cmd->cmd_op) {
	case DMAFD_URING_OP:
		err = fetch_inline(cmd, issue_flags, op);
		break;
	case DMAFD_URING_OP_AT:
		err = fetch_at(cmd, op);
		break;
	default:
		return -ENOTTY;
	}
	if (err)
		return err;
	/* The upper 8 bits are the kernel's. */
	if (cmd->flags << 8 || op->flags & DMAFD_OP_NO_COMPLETION || op->opcode == DMAFD_OP_CYCLIC)
		return -EOPNOTSUPP;
	return op->user_data ? -EINVAL : 0;
}

/* ---- the plug ---- */

struct plug {
	struct blk_plug_cb cb;
	struct file *file;	/* the channel's; kept, since its jobs may be complete by then */
	unsigned int count;
};

static void unplug(struct blk_plug_cb *cb, bool from_schedule)
{
	struct plug *plug = container_of(cb, struct plug, cb);

	dmafd_pump(plug->file->private_data);
	fput(plug->file);
	kfree(plug);
}

/* Pumps now if nothing else was submitted along with it. */
static void pump_soon(struct file *file)
{
	struct dmafd_chan *chan = file->private_data;
	struct blk_plug_cb *cb = compat_check_plugged(unplug, chan, sizeof(struct plug));
	struct plug *plug;

	if (!cb) {
		dmafd_pump(chan);
		return;
	}
	plug = container_of(cb, struct plug, cb);
	if (!plug->file)
		plug->file = get_file(file);
	if (!(++plug->count % DMAFD_BATCH))
		dmafd_pump(chan);
}

/* ---- completion ---- */

static void complete_in_task(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	const struct outcome *outcome = outcome_of(cmd);

	compat_uring_done(cmd, outcome->status, outcome->bytes, issue_flags);
}

COMPAT_URING_TASK_WORK(complete_in_task)

void dmafd_uring_note(struct io_uring_cmd *cmd, const struct dmafd_job *job)
{
	struct outcome *outcome = outcome_of(cmd);

	outcome->status = job->status;
	outcome->bytes = job->bytes;
}

void dmafd_uring_done(struct io_uring_cmd *cmd)
{
	struct outcome *outcome = outcome_of(cmd);

	if (outcome->polled)
		/* Pairs with is_over(). */
		smp_store_release(&outcome->over, true);
	else
		compat_uring_in_task(cmd, complete_in_task);
}

/* ---- cancellation ---- */

/* That of @cmd; or of anybody who is gone, if that is NULL. */
static bool has_job(struct dmafd_chan *chan, const struct io_uring_cmd *cmd)
{
	struct dmafd_job *job;
	bool has = false;

	spin_lock_irq(&chan->lock);
	list_for_each_entry(job, &chan->queue, node)
		has |= job->cmd && (cmd ? job->cmd == cmd : compat_uring_is_abandoned(job->cmd));
	spin_unlock_irq(&chan->lock);
	return has;
}

/* There is no way to take a job from the controller but to stop the channel. */
static void cancel(struct dmafd_chan *chan, const struct io_uring_cmd *cmd)
{
	mutex_lock(&chan->mutex);
	if (!chan->dead && has_job(chan, cmd))
		dmafd_stop(chan, -ECANCELED, -ECANCELED);
	mutex_unlock(&chan->mutex);
}

static bool has_any(struct dmafd_chan *chan)
{
	struct dmafd_job *job;
	bool has = false;

	spin_lock_irq(&chan->lock);
	list_for_each_entry(job, &chan->queue, node)
		has |= !!job->cmd;
	spin_unlock_irq(&chan->lock);
	return has;
}

/* Looks from time to time where io_uring does not tell. */
static void watch(struct dmafd_chan *chan)
{
	if (!COMPAT_URING_CANCELS)
		schedule_delayed_work(&chan->uring_watch, HZ / 4);
}

void dmafd_uring_watch(struct work_struct *work)
{
	struct dmafd_chan *chan = container_of(to_delayed_work(work), struct dmafd_chan,
					       uring_watch);

	cancel(chan, NULL);
	if (has_any(chan))
		watch(chan);
}

/* The first command of a job in the queue, which does not have it any more. */
static struct io_uring_cmd *take_cmd(struct dmafd_chan *chan)
{
	struct io_uring_cmd *cmd = NULL;
	struct dmafd_job *job;

	spin_lock_irq(&chan->lock);
	list_for_each_entry(job, &chan->queue, node) {
		cmd = job->cmd;
		job->cmd = NULL;
		if (cmd)
			break;
	}
	spin_unlock_irq(&chan->lock);
	return cmd;
}

void dmafd_uring_strand(struct dmafd_chan *chan)
{
	struct io_uring_cmd *cmd;

	lockdep_assert_held(&chan->mutex);

	while ((cmd = take_cmd(chan))) {
		outcome_of(cmd)->status = -ENODEV;
		dmafd_uring_done(cmd);
	}
}

/* Nobody else polls but who submitted: it is ending, or the ring is. */
static bool is_end(void)
{
	return current->flags & (PF_EXITING | PF_KTHREAD) || fatal_signal_pending(current);
}

static bool is_over(const struct outcome *outcome)
{
	/* Pairs with dmafd_uring_done(). */
	return smp_load_acquire(&outcome->over);
}

int dmafd_uring_iopoll(struct io_uring_cmd *cmd, struct io_comp_batch *batch,
		       unsigned int poll_flags)
{
	struct outcome *outcome = outcome_of(cmd);

	if (!is_over(outcome) && is_end())
		cancel(cmd->file->private_data, cmd);
	if (!is_over(outcome))
		return 0;
	/* The caller, who polls, holds the ring's lock. */
	compat_uring_done(cmd, outcome->status, outcome->bytes, 0);
	return 1;
}

/* ---- submission ---- */

/*
 * A command that can be canceled is on a list of its ring until it is completed.
 * To get there takes the ring's lock, where that is not held.
 */
static int submit(struct io_uring_cmd *cmd, const struct dmafd_request *request,
		  unsigned int issue_flags)
{
	struct dmafd_chan *chan = cmd->file->private_data;
	int n;

	*outcome_of(cmd) = (struct outcome){ .polled = issue_flags & IO_URING_F_IOPOLL };
	compat_uring_mark_cancelable(cmd, issue_flags);
	mutex_lock(&chan->mutex);
	n = dmafd_queue(chan, request, 1, cmd);
	if (n > 0) {
		pump_soon(cmd->file);
		watch(chan);
	}
	mutex_unlock(&chan->mutex);
	return min(n, 0);
}

/*
 * This waits for locks and memory even if io_uring would rather have a worker do
 * that (IO_URING_F_NONBLOCK): what was submitted first would be overtaken then.
 */
static int fetch_and_submit(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct dmafd_request request __uninitialized;
	int err;

	err = fetch(cmd, issue_flags, &request.op) ?:
	      dmafd_request_complete(cmd->file->private_data, &request);
	if (!err) {
		err = submit(cmd, &request, issue_flags);
		dmafd_request_free(&request);
	}
	/* Returned, an EAGAIN would make a worker try again. */
	if (err)
		compat_uring_done(cmd, err, 0, issue_flags);
	return -EIOCBQUEUED;
}

int dmafd_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	if (!(issue_flags & COMPAT_URING_F_CANCEL))
		return fetch_and_submit(cmd, issue_flags);
	cancel(cmd->file->private_data, cmd);
	return 0;
}
