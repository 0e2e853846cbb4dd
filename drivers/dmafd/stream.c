// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of a job, from its beginning to its end.
 */
#include <linux/slab.h>

#include "dmafd.h"

/* ---- walking ---- */

void dmafd_stream_get(const struct dmafd_stream *stream, unsigned int nr,
		      struct dmafd_stretch *stretch)
{
	if (stream->list) {
		*stretch = stream->list[nr];
		return;
	}
	*stretch = stream->one;
	stretch->at += nr * stream->stride;
}

static void enter(struct dmafd_stream *stream)
{
	dmafd_stream_get(stream, stream->nr, &stream->now);
	dmafd_map_seek(stream->now.map, stream->now.at + stream->in, &stream->place);
}

void dmafd_stream_rewind(struct dmafd_stream *stream)
{
	stream->nr = 0;
	stream->in = 0;
	if (stream->count)
		enter(stream);
}

static bool is_behind(const struct dmafd_stream *stream)
{
	return stream->in >= stream->now.len && stream->nr + 1 < stream->count;
}

void dmafd_stream_advance(struct dmafd_stream *stream, size_t len)
{
	stream->in += len;
	if (!is_behind(stream)) {
		dmafd_map_advance(stream->now.map, &stream->place, len);
		return;
	}
	do {
		stream->in -= stream->now.len;
		stream->nr++;
		if (stream->list)
			stream->now = stream->list[stream->nr];
	} while (is_behind(stream));
	enter(stream);
}

size_t dmafd_stream_run(const struct dmafd_stream *stream, size_t want)
{
	return dmafd_map_run(stream->now.map, &stream->place,
			     min(want, stream->now.len - stream->in));
}

void dmafd_job_rewind(struct dmafd_job *job)
{
	unsigned int i;

	for (i = 0; i < job->nr_srcs; i++)
		dmafd_stream_rewind(&job->srcs[i]);
	dmafd_stream_rewind(&job->dst);
}

void dmafd_job_advance(struct dmafd_job *job, size_t len)
{
	unsigned int i;

	for (i = 0; i < job->nr_srcs; i++)
		dmafd_stream_advance(&job->srcs[i], len);
	if (job->dst.count)
		dmafd_stream_advance(&job->dst, len);
}

/* ---- handing over ---- */

void dmafd_stretch_edges(const struct dmafd_stretch *stretch, size_t *head, size_t *tail)
{
	size_t mask = stretch->map->line - 1;

	*head = 0;
	*tail = stretch->len;
	if (!mask)
		return;
	*head = min(-(stretch->buf->first + stretch->at) & mask, stretch->len);
	*tail = stretch->len - ((stretch->len - *head) & mask);
}

bool dmafd_stream_syncs(const struct dmafd_stream *stream)
{
	unsigned int i;

	if (!stream->list)
		return stream->count && stream->one.map->sync;
	for (i = 0; i < stream->count; i++)
		if (stream->list[i].map->sync)
			return true;
	return false;
}

bool dmafd_stream_has_edges(const struct dmafd_stream *stream)
{
	struct dmafd_stretch stretch;
	size_t head, tail;
	unsigned int i;

	if (!dmafd_stream_syncs(stream))
		return false;
	for (i = 0; i < stream->count; i++) {
		dmafd_stream_get(stream, i, &stretch);
		dmafd_stretch_edges(&stretch, &head, &tail);
		if (head || tail < stretch.len)
			return true;
	}
	return false;
}

void dmafd_stream_for_device(const struct dmafd_stream *stream, bool written)
{
	struct dmafd_stretch stretch;
	size_t head, tail;
	unsigned int i;

	if (!dmafd_stream_syncs(stream))
		return;
	for (i = 0; i < stream->count; i++) {
		dmafd_stream_get(stream, i, &stretch);
		head = 0;
		tail = stretch.len;
		if (written)
			dmafd_stretch_edges(&stretch, &head, &tail);
		dmafd_map_for_device(stretch.map, stretch.at + head, tail - head);
	}
}

void dmafd_stream_for_cpu(const struct dmafd_stream *stream)
{
	struct dmafd_stretch stretch;
	size_t head, tail;
	unsigned int i;

	if (!dmafd_stream_syncs(stream))
		return;
	for (i = 0; i < stream->count; i++) {
		dmafd_stream_get(stream, i, &stretch);
		dmafd_stretch_edges(&stretch, &head, &tail);
		dmafd_map_for_cpu(stretch.map, stretch.at + head, tail - head);
	}
}

/* ---- the end ---- */

/* All that was done to the memory is done before the count goes down. */
static void let_go(struct dmafd_buf *buf)
{
	atomic_dec_return_release(&buf->jobs);
}

void dmafd_stream_release(struct dmafd_stream *stream)
{
	unsigned int i;

	/* All without a list are in one buffer, which counts once. */
	if (!stream->list) {
		if (stream->count)
			let_go(stream->one.buf);
		stream->count = 0;
		return;
	}
	for (i = 0; i < stream->count; i++)
		let_go(stream->list[i].buf);
	kfree(stream->list);
	stream->list = NULL;
	stream->count = 0;
}

void dmafd_job_release(struct dmafd_job *job)
{
	unsigned int i;

	/* The way of most jobs, and of those that are the most. */
	if (job->whole) {
		if (job->nr_srcs)
			let_go(job->src.one.buf);
		let_go(job->dst.one.buf);
		job->nr_srcs = 0;
		job->src.count = 0;
		job->dst.count = 0;
		return;
	}
	for (i = 0; i < job->nr_srcs; i++)
		dmafd_stream_release(&job->srcs[i]);
	if (job->srcs != &job->src)
		kfree(job->srcs);
	job->srcs = &job->src;
	job->nr_srcs = 0;
	dmafd_stream_release(&job->dst);
}
