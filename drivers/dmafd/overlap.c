// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether a job writes what it reads, or something twice, as far as addresses tell.
 */
#include <linux/math64.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "dmafd.h"

/* A range of addresses. Those in different spaces have nothing in common. */
struct extent {
	const void *space;
	u64 begin, end;
	bool written;
};

static struct extent extent_of(const struct dmafd_stretch *stretch, bool written)
{
	u64 begin = (u64)stretch->buf->addr + stretch->at;

	return (struct extent){
		.space = stretch->buf->space,
		.begin = begin,
		.end = begin + stretch->len,
		.written = written,
	};
}

static bool overlap(const struct extent *a, const struct extent *b)
{
	return a->space == b->space && a->begin < b->end && b->begin < a->end;
}

/* ---- two stretches ---- */

static bool plain_overlap(const struct dmafd_job *job)
{
	struct extent src, dst;

	if (!job->nr_srcs || !job->dst.count)
		return false;
	src = extent_of(&job->src.one, false);
	dst = extent_of(&job->dst.one, true);
	return overlap(&src, &dst);
}

/* ---- rows ---- */

/* From the beginning of the lowest row to the end of the highest. */
static struct extent area_of(const struct dmafd_stream *stream)
{
	struct extent area = extent_of(&stream->one, false);
	s64 more = stream->stride * (stream->count - 1);

	if (more < 0)
		area.begin += more;
	else
		area.end += more;
	return area;
}

/*
 * Rows of one length that are equally far apart: two of them overlap if those do
 * that are nearest, in one of the places where both have any.
 */
static bool rows_overlap(const struct dmafd_job *job)
{
	struct extent src = area_of(&job->src), dst = area_of(&job->dst);
	s64 stride = abs(job->dst.stride), row = job->dst.one.len;
	s64 count = job->dst.count, apart, nearest, i;

	if (!overlap(&src, &dst))
		return false;
	if (abs(job->src.stride) != stride)
		return true;
	apart = (s64)(src.begin - dst.begin);
	nearest = div64_s64(apart, stride);
	for (i = nearest - 1; i <= nearest + 1; i++)
		if (abs(i) < count && abs(apart - i * stride) < row)
			return true;
	return false;
}

/* ---- lists ---- */

static int compare(const void *a, const void *b)
{
	const struct extent *one = a, *other = b;

	if (one->space != other->space)
		return one->space < other->space ? -1 : 1;
	return one->begin < other->begin ? -1 : one->begin > other->begin;
}

/* Sorted, each can only overlap with what has begun before it and has not ended. */
static bool sorted_overlap(const struct extent *extent, size_t count)
{
	u64 read_end = 0, written_end = 0;
	size_t i;

	for (i = 0; i < count; i++, extent++) {
		if (i && extent->space != extent[-1].space) {
			read_end = 0;
			written_end = 0;
		}
		if (extent->begin < written_end || (extent->written && extent->begin < read_end))
			return true;
		if (extent->written)
			written_end = extent->end;
		else
			read_end = max(read_end, extent->end);
	}
	return false;
}

static size_t add_stream(struct extent *extent, const struct dmafd_stream *stream, bool written)
{
	struct dmafd_stretch stretch;
	unsigned int i;

	for (i = 0; i < stream->count; i++) {
		dmafd_stream_get(stream, i, &stretch);
		extent[i] = extent_of(&stretch, written);
	}
	return stream->count;
}

static int lists_overlap(const struct dmafd_job *job)
{
	size_t count = job->dst.count, n = 0;
	struct extent *extent;
	unsigned int i;
	bool found;

	for (i = 0; i < job->nr_srcs; i++)
		count += job->srcs[i].count;
	extent = kvmalloc_array(count, sizeof(*extent), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!extent)
		return -ENOMEM;
	n = add_stream(extent, &job->dst, true);
	for (i = 0; i < job->nr_srcs; i++)
		n += add_stream(extent + n, &job->srcs[i], false);
	sort(extent, n, sizeof(*extent), compare, NULL);
	found = sorted_overlap(extent, n);
	kvfree(extent);
	return found ? -EINVAL : 0;
}

int dmafd_check_overlap(const struct dmafd_job *job)
{
	if (job->dst.list || job->nr_srcs > 1)
		return lists_overlap(job);
	if (job->dst.count > 1)
		return rows_overlap(job) ? -EINVAL : 0;
	return plain_overlap(job) ? -EINVAL : 0;
}
