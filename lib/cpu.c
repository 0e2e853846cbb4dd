// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The CPU in place of a controller.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

static unsigned char *at(struct dmafd_buf *buf, uint64_t offset)
{
	return (unsigned char *)buf_known_addr(buf) + offset;
}

static void copyv(const struct dmafd_job *job)
{
	const struct dmafd_range *src = job->srcv, *dst = job->dstv;
	uint64_t src_done = 0, dst_done = 0, left = job_length(job), n;

	while (left) {
		n = src->length - src_done;
		if (n > dst->length - dst_done)
			n = dst->length - dst_done;
		memcpy(at(dst->buf, dst->offset + dst_done), at(src->buf, src->offset + src_done),
		       n);
		left -= n;
		src_done += n;
		dst_done += n;
		if (src_done == src->length) {
			src++;
			src_done = 0;
		}
		if (dst_done == dst->length) {
			dst++;
			dst_done = 0;
		}
	}
}

static void copy_2d(const struct dmafd_job *job)
{
	const unsigned char *src = at(job->src, job->src_offset);
	unsigned char *dst = at(job->dst, job->dst_offset);
	uint64_t i;

	for (i = 0; i < job->rows; i++)
		memcpy(dst + (int64_t)i * job->dst_stride, src + (int64_t)i * job->src_stride,
		       job->length);
}

static void xor(const struct dmafd_job *job)
{
	unsigned char *dst = at(job->dst, job->dst_offset);
	const unsigned char *src;
	uint64_t i;
	size_t n;

	memcpy(dst, at(job->srcv[0].buf, job->srcv[0].offset), job->length);
	for (n = 1; n < job->nsrc; n++) {
		src = at(job->srcv[n].buf, job->srcv[n].offset);
		for (i = 0; i < job->length; i++)
			dst[i] ^= src[i];
	}
}

static void do_it(const struct dmafd_job *job)
{
	switch (job->opcode) {
	case DMAFD_JOB_COPY:
		memcpy(at(job->dst, job->dst_offset), at(job->src, job->src_offset), job->length);
		break;
	case DMAFD_JOB_FILL:
		memset(at(job->dst, job->dst_offset), job->value, job->length);
		break;
	case DMAFD_JOB_COPYV:
		copyv(job);
		break;
	case DMAFD_JOB_COPY_2D:
		copy_2d(job);
		break;
	case DMAFD_JOB_XOR:
		xor(job);
		break;
	}
}

/* The data is the job, for its flags. */
static int begin(void *data, const struct dmafd_range *range, unsigned int access)
{
	const struct dmafd_job *job = data;

	if (!dmafd_buf_addr(range->buf))
		return -errno;
	return buf_job_begin(range->buf, access, job->flags) ? -errno : 0;
}

static int end(void *data, const struct dmafd_range *range, unsigned int access)
{
	const struct dmafd_job *job = data;

	return buf_job_end(range->buf, access, job->flags) ? -errno : 0;
}

bool cpu_can(const struct dmafd_job *job)
{
	return job->opcode < DMAFD_JOB_TO_DEVICE;
}

int cpu_do(const struct dmafd_job *job)
{
	int err = job_visit_ranges(job, begin, (void *)job);

	if (err)
		return err;
	do_it(job);
	return job_visit_ranges(job, end, (void *)job);
}
