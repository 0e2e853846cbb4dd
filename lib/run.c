// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Jobs that are waited for.
 */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "internal.h"

static bool has_cyclic(const struct dmafd_job *jobs, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (jobs[i].opcode == DMAFD_JOB_CYCLIC)
			return true;
	return false;
}

static int wait_for_youngest(struct dmafd_chan *chan, unsigned int n)
{
	unsigned int i = 0;

	while (i < n) {
		if (queue_youngest(chan->queue, i)->done)
			i++;
		else if (chan_harvest(chan, -1) && errno != EINTR)
			return -1;
	}
	return 0;
}

/* Jobs that were submitted last; the first error among them, or 0. */
static int take_youngest(struct dmafd_chan *chan, unsigned int n, struct dmafd_result *results)
{
	const struct dmafd_result *result;
	unsigned int i;
	int err = 0;

	for (i = 0; i < n; i++) {
		result = &queue_youngest(chan->queue, n - 1 - i)->result;
		if (!err)
			err = -result->status;
		if (results)
			results[i] = *result;
	}
	queue_pop_youngest(chan->queue, n);
	return err;
}

/* Of what was not even submitted. */
static void refuse(const struct dmafd_job *jobs, size_t n, struct dmafd_result *results, int err)
{
	size_t i;

	for (i = 0; results && i < n; i++)
		results[i] = (struct dmafd_result){
			.user_data = jobs[i].user_data, .opcode = jobs[i].opcode,
			.status = i ? -ECANCELED : -err,
		};
}

EXPORT int dmafd_run(struct dmafd_chan *chan, const struct dmafd_job *jobs, size_t n,
		     struct dmafd_result *results)
{
	int err = 0, seen, taken;

	if (!n || has_cyclic(jobs, n))
		return fail(EINVAL);
	while (n) {
		taken = chan_submit(chan, jobs, n, true);
		if (taken < 0 || wait_for_youngest(chan, taken)) {
			refuse(jobs, n, results, errno);
			err = err ?: errno;
			break;
		}
		seen = take_youngest(chan, taken, results);
		err = err ?: seen;
		jobs += taken;
		n -= taken;
		results = results ? results + taken : NULL;
	}
	chan_signal(chan);
	return err ? fail(err) : 0;
}

EXPORT int dmafd_copy(struct dmafd_chan *chan, struct dmafd_buf *dst, uint64_t dst_offset,
		      struct dmafd_buf *src, uint64_t src_offset, uint64_t length)
{
	struct dmafd_job job;

	dmafd_job_copy(&job, dst, dst_offset, src, src_offset, length);
	return dmafd_run(chan, &job, 1, NULL);
}

EXPORT int dmafd_fill(struct dmafd_chan *chan, struct dmafd_buf *dst, uint64_t offset,
		      uint64_t length, unsigned int value)
{
	struct dmafd_job job;

	dmafd_job_fill(&job, dst, offset, length, value);
	return dmafd_run(chan, &job, 1, NULL);
}

EXPORT int dmafd_copy_2d(struct dmafd_chan *chan, struct dmafd_buf *dst, uint64_t dst_offset,
			 int64_t dst_stride, struct dmafd_buf *src, uint64_t src_offset,
			 int64_t src_stride, uint64_t row, uint64_t rows)
{
	struct dmafd_job job;

	dmafd_job_copy_2d(&job, dst, dst_offset, dst_stride, src, src_offset, src_stride, row,
			  rows);
	return dmafd_run(chan, &job, 1, NULL);
}

EXPORT int dmafd_copyv(struct dmafd_chan *chan, const struct dmafd_range *dstv, size_t ndst,
		       const struct dmafd_range *srcv, size_t nsrc)
{
	struct dmafd_job job;

	dmafd_job_copyv(&job, dstv, ndst, srcv, nsrc);
	return dmafd_run(chan, &job, 1, NULL);
}

EXPORT int dmafd_xor(struct dmafd_chan *chan, struct dmafd_buf *dst, uint64_t dst_offset,
		     const struct dmafd_range *srcv, size_t nsrc, uint64_t length)
{
	struct dmafd_job job;

	dmafd_job_xor(&job, dst, dst_offset, srcv, nsrc, length);
	return dmafd_run(chan, &job, 1, NULL);
}

/* ---- any memory ---- */

static int copy_registered(struct dmafd_chan *chan, void *dst, const void *src, size_t length)
{
	struct dmafd_buf *to, *from = dmafd_buf_register(chan->ctx, (void *)src, length,
							 DMAFD_READ);
	int err;

	if (!from)
		return -1;
	to = dmafd_buf_register(chan->ctx, dst, length, DMAFD_WRITE);
	err = to ? dmafd_copy(chan, to, 0, from, 0, length) : -1;
	if (err)
		err = errno;
	/* Only a job that could not be waited for keeps them: then they go with the context. */
	dmafd_buf_remove(to);
	dmafd_buf_remove(from);
	return err ? fail(err) : 0;
}

/* The kernel finds out whether it is memory at all. */
static int copy_carefully(void *dst, const void *src, size_t length)
{
	struct iovec to = { .iov_base = dst, .iov_len = length };
	struct iovec from = { .iov_base = (void *)src, .iov_len = length };
	ssize_t n;

	while (to.iov_len) {
		n = process_vm_readv(getpid(), &to, 1, &from, 1, 0);
		if (n <= 0)
			return fail(EFAULT);
		to.iov_base = (char *)to.iov_base + n;
		from.iov_base = (char *)from.iov_base + n;
		to.iov_len -= n;
		from.iov_len -= n;
	}
	return 0;
}

static int copy_by_cpu(struct dmafd_chan *chan, void *dst, const void *src, size_t length,
		       bool is_doubtful)
{
	int err = chan_drain(chan);

	if (!err && is_doubtful)
		err = copy_carefully(dst, src, length);
	else if (!err)
		memcpy(dst, src, length);
	chan->cpu_jobs += !err;
	chan_signal(chan);
	return err;
}

EXPORT int dmafd_copy_mem(struct dmafd_chan *chan, void *dst, const void *src, size_t length)
{
	uintptr_t to = (uintptr_t)dst, from = (uintptr_t)src;

	if (!length || (to < from ? from - to : to - from) < length)
		return fail(EINVAL);
	if (chan->fd < 0 || length < chan->mem_threshold)
		return copy_by_cpu(chan, dst, src, length, false);
	if (!copy_registered(chan, dst, src, length))
		return 0;
	return chan->fallback ? copy_by_cpu(chan, dst, src, length, errno == EFAULT) : -1;
}
