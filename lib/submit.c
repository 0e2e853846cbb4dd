// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Jobs on their way: to the kernel by ioctl() or by io_uring, or to the CPU.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "internal.h"

enum route {
	BY_IOCTL,
	BY_RING,
	BY_CPU,
};

/* Jobs that go the same way together. */
struct batch {
	struct dmafd_op ops[URING_BATCH];
	unsigned int numbers[URING_BATCH];
	unsigned int n;
};

/* ---- which way ---- */

static int check_alignment(void *data, const struct dmafd_range *range, unsigned int access)
{
	uint64_t addr = (uintptr_t)buf_known_addr(range->buf) + range->offset;
	const uint64_t *mask = data;

	(void)access;
	return ((addr | range->length) & *mask) != 0;
}

/* Rows' strides as well: each row begins at its own address. */
static bool is_aligned(const struct dmafd_job *job, uint32_t align)
{
	uint64_t mask = align ? align - 1 : 0;

	if (job->opcode == DMAFD_JOB_COPY_2D &&
	    ((job->src_stride | job->dst_stride | job->length) & mask))
		return false;
	return !job_visit_ranges(job, check_alignment, &mask);
}

static bool controller_can(const struct dmafd_chan *chan, const struct dmafd_job *job)
{
	if (!(ctx_info(chan->ctx)->out_opcodes >> job->opcode & 1))
		return false;
	switch (job->opcode) {
	case DMAFD_JOB_COPY:
	case DMAFD_JOB_COPYV:
	case DMAFD_JOB_COPY_2D:
		return chan->caps & DMAFD_CAP_COPY && is_aligned(job, chan->copy_align);
	case DMAFD_JOB_FILL:
		return chan->caps & DMAFD_CAP_FILL && is_aligned(job, chan->fill_align);
	case DMAFD_JOB_XOR:
		return chan->caps & DMAFD_CAP_XOR && job->nsrc <= chan->max_sources;
	default:
		return true;
	}
}

static int check_used(void *data, const struct dmafd_range *range, unsigned int access)
{
	const struct dmafd_chan *chan = data;

	(void)access;
	return !buf_is_used_by(range->buf, chan->slot);
}

/*
 * The first job on a buffer maps it, for which io_uring would leave it to a worker, while
 * those behind it go ahead.
 */
static bool ring_can(struct dmafd_chan *chan, const struct dmafd_job *job)
{
	return chan->ring && !chan->cyclic && job->opcode != DMAFD_JOB_CYCLIC &&
	       !job_visit_ranges(job, check_used, chan);
}

static bool is_short(const struct dmafd_chan *chan, const struct dmafd_job *job)
{
	return !chan->on_fd && !chan->on_ring && job_length(job) < chan->threshold;
}

static enum route find_route(struct dmafd_chan *chan, const struct dmafd_job *job)
{
	bool controller;

	if (chan->fd < 0)
		return BY_CPU;
	controller = controller_can(chan, job);
	if (cpu_can(job)) {
		if (is_short(chan, job))
			return BY_CPU;
		if (chan->fallback && (chan->gone || !controller))
			return BY_CPU;
	}
	return controller && ring_can(chan, job) ? BY_RING : BY_IOCTL;
}

/* Waited for, a job is best done by one system call. */
static enum route find_way(struct dmafd_chan *chan, const struct dmafd_job *job, bool wait)
{
	enum route route = find_route(chan, job);

	return route == BY_RING && wait ? BY_IOCTL : route;
}

/* ---- the CPU ---- */

static struct slot *prepare(struct dmafd_chan *chan, const struct dmafd_job *job, unsigned int i,
			    unsigned int *number)
{
	struct slot *slot = queue_free_slot(chan->queue, i, number);

	*slot = (struct slot){
		.result = {
			.user_data = job->user_data, .opcode = job->opcode,
			.submit_ns = now_ns(),
		},
	};
	return slot;
}

/* It sees what those before it wrote. */
static int submit_to_cpu(struct dmafd_chan *chan, const struct dmafd_job *job)
{
	unsigned int number;
	struct slot *slot;
	int err;

	if (!cpu_can(job))
		return fail(EOPNOTSUPP);
	if (chan_drain(chan))
		return -1;
	slot = prepare(chan, job, 0, &number);
	err = cpu_do(job);
	if (err)
		return fail(-err);
	slot->result.bytes = job_length(job);
	slot->result.complete_ns = now_ns();
	slot->result.flags = DMAFD_BY_CPU;
	slot_finish(slot);
	queue_push(chan->queue, 1);
	chan->cpu_jobs++;
	return 1;
}

/* ---- the kernel ---- */

static void drop_args(struct dmafd_chan *chan, unsigned int from, unsigned int to)
{
	unsigned int i, number;
	struct slot *slot;

	for (i = from; i < to; i++) {
		slot = queue_free_slot(chan->queue, i, &number);
		free(slot->args);
		slot->args = NULL;
	}
}

static int add(struct dmafd_chan *chan, struct batch *batch, const struct dmafd_job *job,
	       enum route route)
{
	unsigned int *number = &batch->numbers[batch->n];
	struct dmafd_op *op = &batch->ops[batch->n];
	struct slot *slot = prepare(chan, job, batch->n, number);

	if (op_encode(op, job, chan->flags & DMAFD_ATTR_TX, &slot->args))
		return -1;
	slot->by_ring = route == BY_RING;
	op->user_data = slot->by_ring ? 0 : *number;
	batch->n++;
	return 0;
}

/* Jobs from the first on that go the same way, and are all right. */
static int gather(struct dmafd_chan *chan, struct batch *batch, const struct dmafd_job *jobs,
		  size_t n, enum route route, bool wait)
{
	size_t max = queue_room(chan->queue), i;

	batch->n = 0;
	if (max > URING_BATCH)
		max = URING_BATCH;
	for (i = 0; i < n && i < max; i++) {
		if (i && job_check(chan->ctx, &jobs[i]))
			break;
		if (i && find_way(chan, &jobs[i], wait) != route)
			break;
		if (add(chan, batch, &jobs[i], route))
			break;
	}
	return batch->n ? 0 : -1;
}

static int mark_used(void *data, const struct dmafd_range *range, unsigned int access)
{
	const struct dmafd_chan *chan = data;

	(void)access;
	buf_set_used(range->buf, chan->slot, true);
	return 0;
}

/* Its records are read by trying: see chan_harvest(). */
static void begin_cyclic(struct dmafd_chan *chan)
{
	int flags = fcntl(chan->fd, F_GETFL);

	if (flags >= 0)
		fcntl(chan->fd, F_SETFL, flags | O_NONBLOCK);
	chan->cyclic = true;
}

/* The kernel has the first @n. */
static void accept(struct dmafd_chan *chan, const struct dmafd_job *jobs, int n)
{
	int i;

	queue_push(chan->queue, n);
	chan->on_fd += n;
	for (i = 0; i < n; i++) {
		if (jobs[i].opcode == DMAFD_JOB_CYCLIC)
			begin_cyclic(chan);
		else if (chan->ring)
			job_visit_ranges(&jobs[i], mark_used, chan);
	}
}

static int call_submit(struct dmafd_chan *chan, struct dmafd_submit *arg)
{
	int err = ioctl(chan->fd, DMAFD_SUBMIT, arg);

	/* A signal ends the waiting only. */
	if (err && errno == EINTR && arg->out_submitted)
		err = 0;
	return err;
}

static int submit_by_ioctl(struct dmafd_chan *chan, const struct batch *batch,
			   const struct dmafd_job *jobs, bool wait)
{
	uint64_t records[RECORDS_MAX * RECORD_SIZE_MAX / sizeof(uint64_t)];
	struct dmafd_submit arg = {
		.size = sizeof(arg), .ops = (uintptr_t)batch->ops, .nr_ops = batch->n,
		.op_size = sizeof(batch->ops[0]),
	};
	int err;

	if (wait) {
		arg.flags = DMAFD_SUBMIT_WAIT;
		arg.completions = (uintptr_t)records;
		arg.nr_completions = RECORDS_MAX;
	}
	do
		err = call_submit(chan, &arg);
	while (err && errno == EINTR);
	drop_args(chan, 0, batch->n);
	if (err)
		return -1;
	accept(chan, jobs, arg.out_submitted);
	chan_note(chan, records, arg.out_completions);
	return arg.out_submitted;
}

static int submit_by_ring(struct dmafd_chan *chan, const struct batch *batch)
{
	int n = uring_submit(chan->ring, batch->ops, batch->numbers, batch->n);

	drop_args(chan, n < 0 ? 0 : n, batch->n);
	if (n <= 0)
		return fail(ENOMEM);
	queue_push(chan->queue, n);
	chan->on_ring += n;
	return n;
}

static int submit_to_kernel(struct dmafd_chan *chan, const struct dmafd_job *jobs, size_t n,
			    enum route route, bool wait)
{
	struct batch batch;

	if (chan->gone)
		return fail(ENODEV);
	/* Waiting is for the last of them. */
	if (gather(chan, &batch, jobs, n, route, wait))
		return -1;
	if (route == BY_RING)
		return submit_by_ring(chan, &batch);
	return submit_by_ioctl(chan, &batch, jobs, wait && batch.n == n);
}

/* ---- all of them ---- */

static int submit_some(struct dmafd_chan *chan, const struct dmafd_job *jobs, size_t n, bool wait)
{
	int err = job_check(chan->ctx, jobs), done;
	enum route route;

	if (err)
		return fail(-err);
	if (!queue_room(chan->queue))
		return fail(EAGAIN);
	route = find_way(chan, jobs, wait);
	if (route == BY_CPU)
		return submit_to_cpu(chan, jobs);
	done = submit_to_kernel(chan, jobs, n, route, wait);
	if (done >= 0)
		return done;
	if (errno == ENODEV)
		chan_set_gone(chan);
	return chan->fallback && cpu_can(jobs) && errno != EAGAIN ? submit_to_cpu(chan, jobs) : -1;
}

int chan_submit(struct dmafd_chan *chan, const struct dmafd_job *jobs, size_t n, bool wait)
{
	size_t taken = 0;
	int done;

	if (!n)
		return fail(EINVAL);
	if (n > INT_MAX)
		n = INT_MAX;
	while (taken < n) {
		done = submit_some(chan, jobs + taken, n - taken, wait);
		if (done <= 0)
			break;
		taken += done;
	}
	return taken ? (int)taken : -1;
}

EXPORT int dmafd_submit(struct dmafd_chan *chan, const struct dmafd_job *jobs, size_t n)
{
	int taken = chan_submit(chan, jobs, n, false), err = errno;

	chan_signal(chan);
	errno = err;
	return taken;
}
