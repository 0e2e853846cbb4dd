/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a file's uring_cmd operation needs of io_uring, and of the submitter's plug,
 * on all kernels.
 */
#ifndef COMPAT_URING_H
#define COMPAT_URING_H

#include <linux/blkdev.h>
#include <linux/io_uring.h>
#include <linux/io_uring_types.h>
#include <linux/percpu-refcount.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#ifdef COMPAT_URING_CMD_H
#include <linux/io_uring/cmd.h>
#endif

/* The command in the submission entry, which the program may be changing. */
static inline const void *compat_uring_payload(const struct io_uring_cmd *cmd)
{
#ifdef COMPAT_URING_SQE
	return cmd->sqe->cmd;
#else
	return cmd->cmd;
#endif
}

/* Completes the command; @res2 is for rings whose completion entries are large. */
static inline void compat_uring_done(struct io_uring_cmd *cmd, int res, u64 res2,
				     unsigned int issue_flags)
{
#ifdef COMPAT_URING_DONE32
	io_uring_cmd_done32(cmd, res, res2, issue_flags);
#else
	io_uring_cmd_done(cmd, res, res2, issue_flags);
#endif
}

/*
 * COMPAT_URING_TASK_WORK(my_work) makes of my_work(cmd, issue_flags) what
 * compat_uring_in_task(cmd, my_work) lets the submitter's task call.
 */
#ifdef COMPAT_URING_FROM_TW
#define COMPAT_URING_TASK_WORK(work)						\
static void work##_of_request(struct io_tw_req req, io_tw_token_t token)	\
{										\
	work(io_uring_cmd_from_tw(req), IO_URING_CMD_TASK_WORK_ISSUE_FLAGS);	\
}
#else
#define COMPAT_URING_TASK_WORK(work)						\
static void work##_of_request(struct io_uring_cmd *cmd, unsigned int issue_flags) \
{										\
	work(cmd, issue_flags);							\
}
#endif

#define compat_uring_in_task(cmd, work)	io_uring_cmd_complete_in_task(cmd, work##_of_request)

/*
 * Where COMPAT_URING_CANCELS is true, the operation is called with
 * COMPAT_URING_F_CANCEL about each command that was marked and is not done, when its
 * ring or its task goes away. Elsewhere it has to be looked for that.
 */
#ifdef COMPAT_URING_CANCEL

#define COMPAT_URING_CANCELS	true
#define COMPAT_URING_F_CANCEL	IO_URING_F_CANCEL

static inline void compat_uring_mark_cancelable(struct io_uring_cmd *cmd,
						unsigned int issue_flags)
{
	/* Those that are polled use the same memory for something else. */
	if (!(issue_flags & IO_URING_F_IOPOLL))
		io_uring_cmd_mark_cancelable(cmd, issue_flags);
}

static inline bool compat_uring_is_abandoned(struct io_uring_cmd *cmd)
{
	return false;
}

#else

#define COMPAT_URING_CANCELS	false
#define COMPAT_URING_F_CANCEL	0

static inline void compat_uring_mark_cancelable(struct io_uring_cmd *cmd,
						unsigned int issue_flags)
{
}

/* Whether its task or its ring are about to end, and may be waiting for it. */
static inline bool compat_uring_is_abandoned(struct io_uring_cmd *cmd)
{
	const struct io_kiocb *req = cmd_to_io_kiocb(cmd);

	return percpu_ref_is_dying(&req->ctx->refs) || req->task->flags & PF_EXITING ||
	       req->task->signal->flags & SIGNAL_GROUP_EXIT;
}

#endif

/* There are no plugs in a kernel without block devices. */
#ifdef CONFIG_BLOCK
#define compat_check_plugged	blk_check_plugged
#else
struct blk_plug_cb {
	struct list_head list;
	void (*callback)(struct blk_plug_cb *cb, bool from_schedule);
	void *data;
};

static inline struct blk_plug_cb *
compat_check_plugged(void (*unplug)(struct blk_plug_cb *, bool), void *data, int size)
{
	return NULL;
}
#endif

#endif
