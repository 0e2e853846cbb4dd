// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is wrong with a job. The kernel checks all of this, too; here it is for the CPU,
 * whose jobs the kernel never sees, and for io_uring, which would tell when others were
 * already submitted behind.
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

/* ---- shape ---- */

static int check_sum(const struct dmafd_range *ranges, size_t n, uint64_t *sum)
{
	size_t i;

	for (*sum = 0, i = 0; i < n; i++)
		if (!ranges[i].length || __builtin_add_overflow(*sum, ranges[i].length, sum))
			return -EINVAL;
	return 0;
}

static int check_copyv(const struct dmafd_job *job)
{
	uint64_t src, dst;

	if (!job->nsrc || !job->ndst || job->nsrc > DMAFD_MAX_RANGES ||
	    job->ndst > DMAFD_MAX_RANGES)
		return -EINVAL;
	if (check_sum(job->srcv, job->nsrc, &src) || check_sum(job->dstv, job->ndst, &dst))
		return -EINVAL;
	return src == dst ? 0 : -EINVAL;
}

static uint64_t magnitude(int64_t stride)
{
	return stride < 0 ? -(uint64_t)stride : (uint64_t)stride;
}

static int check_2d(const struct dmafd_job *job)
{
	uint64_t all;

	if (!job->length || !job->rows || job->rows > DMAFD_MAX_ROWS)
		return -EINVAL;
	if (__builtin_mul_overflow(job->length, job->rows, &all))
		return -EINVAL;
	return job->rows > 1 && magnitude(job->dst_stride) < job->length ? -EINVAL : 0;
}

static int check_xor(const struct dmafd_job *job)
{
	size_t i;

	if (job->nsrc < 2 || job->nsrc > DMAFD_MAX_RANGES || !job->length)
		return -EINVAL;
	for (i = 0; i < job->nsrc; i++)
		if (job->srcv[i].length != job->length)
			return -EINVAL;
	return 0;
}

static int check_shape(const struct dmafd_job *job)
{
	if (job->flags & ~(DMAFD_FENCE | DMAFD_NO_SYNC))
		return -EOPNOTSUPP;
	switch (job->opcode) {
	case DMAFD_JOB_NOP:
		return 0;
	case DMAFD_JOB_FILL:
		return !job->length || job->value > UINT8_MAX ? -EINVAL : 0;
	case DMAFD_JOB_COPY:
	case DMAFD_JOB_TO_DEVICE:
	case DMAFD_JOB_FROM_DEVICE:
		return job->length ? 0 : -EINVAL;
	case DMAFD_JOB_COPYV:
		return check_copyv(job);
	case DMAFD_JOB_COPY_2D:
		return check_2d(job);
	case DMAFD_JOB_XOR:
		return check_xor(job);
	case DMAFD_JOB_CYCLIC:
		return !job->period || job->length % job->period ||
		       job->length / job->period < 2 ? -EINVAL : 0;
	default:
		return -EOPNOTSUPP;
	}
}

/* ---- ranges ---- */

static int visit_list(const struct dmafd_range *ranges, size_t n, unsigned int access,
		      job_range_fn *fn, void *data)
{
	size_t i;
	int err;

	for (i = 0; i < n; i++) {
		err = fn(data, &ranges[i], access);
		if (err)
			return err;
	}
	return 0;
}

/* From the first byte of the rows to the last; false if that is nowhere. */
static bool find_box(struct dmafd_range *range, int64_t stride, uint64_t row, uint64_t rows)
{
	int64_t span;

	if (__builtin_mul_overflow(stride, (int64_t)rows - 1, &span))
		return false;
	if (span < 0 && range->offset < magnitude(span))
		return false;
	if (span < 0)
		range->offset += span;
	return !__builtin_add_overflow(magnitude(span), row, &range->length);
}

static int visit_boxes(const struct dmafd_job *job, job_range_fn *fn, void *data)
{
	struct dmafd_range src = { .buf = job->src, .offset = job->src_offset };
	struct dmafd_range dst = { .buf = job->dst, .offset = job->dst_offset };
	int err;

	if (!find_box(&src, job->src_stride, job->length, job->rows) ||
	    !find_box(&dst, job->dst_stride, job->length, job->rows))
		return -EINVAL;
	err = fn(data, &src, DMAFD_READ);
	return err ?: fn(data, &dst, DMAFD_WRITE);
}

int job_visit_ranges(const struct dmafd_job *job, job_range_fn *fn, void *data)
{
	struct dmafd_range src = { job->src, job->src_offset, job->length };
	struct dmafd_range dst = { job->dst, job->dst_offset, job->length };
	int err;

	switch (job->opcode) {
	case DMAFD_JOB_COPY_2D:
		return visit_boxes(job, fn, data);
	case DMAFD_JOB_COPYV:
		err = visit_list(job->srcv, job->nsrc, DMAFD_READ, fn, data);
		return err ?: visit_list(job->dstv, job->ndst, DMAFD_WRITE, fn, data);
	case DMAFD_JOB_XOR:
		err = visit_list(job->srcv, job->nsrc, DMAFD_READ, fn, data);
		return err ?: fn(data, &dst, DMAFD_WRITE);
	case DMAFD_JOB_COPY:
		err = fn(data, &src, DMAFD_READ);
		return err ?: fn(data, &dst, DMAFD_WRITE);
	case DMAFD_JOB_TO_DEVICE:
		return fn(data, &src, DMAFD_READ);
	case DMAFD_JOB_FILL:
	case DMAFD_JOB_FROM_DEVICE:
		return fn(data, &dst, DMAFD_WRITE);
	case DMAFD_JOB_CYCLIC:
		/* The port tells whether it is read or written. */
		return fn(data, &dst, 0);
	default:
		return 0;
	}
}

struct range_check {
	const struct dmafd_ctx *ctx;
	uint32_t flags;
};

static int check_range(void *data, const struct dmafd_range *range, unsigned int access)
{
	const struct range_check *check = data;
	uint64_t size;

	if (!range->buf || buf_ctx(range->buf) != check->ctx)
		return -ENOENT;
	if ((buf_access(range->buf) & access) != access)
		return -EACCES;
	size = dmafd_buf_size(range->buf);
	if (range->offset > size || range->length > size - range->offset)
		return -EINVAL;
	return check->flags & DMAFD_NO_SYNC && !buf_is_own(range->buf) ? -EINVAL : 0;
}

/* ---- overlaps ---- */

/* A range's place among all the memory there is. */
struct place {
	const struct dmafd_buf *space;	/* NULL: addresses; otherwise offsets in a buffer */
	uint64_t begin, end;
	bool is_written;
};

static struct place find_place(const struct dmafd_range *range, unsigned int access)
{
	const char *addr = buf_known_addr(range->buf);
	uint64_t begin = addr ? (uintptr_t)addr + range->offset : range->offset;

	return (struct place){
		.space = addr ? NULL : range->buf, .begin = begin, .end = begin + range->length,
		.is_written = access & DMAFD_WRITE,
	};
}

struct place_list {
	struct place *places;
	size_t n;
};

static int add_place(void *data, const struct dmafd_range *range, unsigned int access)
{
	struct place_list *list = data;

	list->places[list->n++] = find_place(range, access);
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct place *one = a, *other = b;

	if (one->space != other->space)
		return (uintptr_t)one->space < (uintptr_t)other->space ? -1 : 1;
	return one->begin < other->begin ? -1 : one->begin > other->begin;
}

/* Whether something that is written overlaps with anything. */
static bool overlap(struct place *places, size_t n)
{
	uint64_t end = 0, written_end = 0;
	size_t i;

	qsort(places, n, sizeof(*places), compare);
	for (i = 0; i < n; i++) {
		const struct place *place = &places[i];

		if (i && place->space != places[i - 1].space) {
			end = 0;
			written_end = 0;
		}
		if (place->begin < (place->is_written ? end : written_end))
			return true;
		if (place->end > end)
			end = place->end;
		if (place->is_written && place->end > written_end)
			written_end = place->end;
	}
	return false;
}

/*
 * Rows that are equally far apart on both sides overlap if those do that are nearest;
 * others may not even lie between each other.
 */
static bool rows_overlap(const struct dmafd_job *job, const struct place *src,
			 const struct place *dst)
{
	int64_t step, row = job->length, apart, nearest, i;

	if (src->space != dst->space || src->begin >= dst->end || dst->begin >= src->end)
		return false;
	if (job->rows == 1 || magnitude(job->src_stride) != magnitude(job->dst_stride))
		return true;
	step = magnitude(job->dst_stride);
	apart = src->begin - dst->begin;
	nearest = apart / step;
	for (i = nearest - 1; i <= nearest + 1; i++)
		if (llabs(i) < (int64_t)job->rows && llabs(apart - i * step) < row)
			return true;
	return false;
}

static int check_overlap(const struct dmafd_job *job)
{
	struct place few[8] = {};
	struct place_list list = { .places = few };
	bool is;

	if (job->nsrc + job->ndst + 2 > ARRAY_SIZE(few))
		list.places = calloc(job->nsrc + job->ndst + 2, sizeof(*list.places));
	if (!list.places)
		return -ENOMEM;
	job_visit_ranges(job, add_place, &list);
	if (job->opcode == DMAFD_JOB_COPY_2D)
		is = rows_overlap(job, &few[0], &few[1]);
	else
		is = overlap(list.places, list.n);
	if (list.places != few)
		free(list.places);
	return is ? -EINVAL : 0;
}

/* ---- all of it ---- */

int job_check(const struct dmafd_ctx *ctx, const struct dmafd_job *job)
{
	struct range_check check = { .ctx = ctx, .flags = job->flags };
	int err = check_shape(job);

	if (!err)
		err = job_visit_ranges(job, check_range, &check);
	return err ?: check_overlap(job);
}

uint64_t job_length(const struct dmafd_job *job)
{
	uint64_t sum = 0;

	switch (job->opcode) {
	case DMAFD_JOB_COPY_2D:
		return job->length * job->rows;
	case DMAFD_JOB_COPYV:
		check_sum(job->srcv, job->nsrc, &sum);
		return sum;
	default:
		return job->length;
	}
}
