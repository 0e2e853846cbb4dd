// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies from memory to memory.
 */
#include "conf.h"

#define ROOM	(SZ_64K + 2 * SZ_4K)	/* the longest length between two guards */

static void memcpy_lengths(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *src, *dst;
	unsigned int i;
	size_t len;

	if (!conf_need(c, DMA_MEMCPY))
		return;
	src = conf_buf(c, ROOM);
	dst = conf_buf(c, ROOM);
	if (!src || !dst)
		return;
	for (i = 0; (len = conf_length(c, i, c->align, min_t(size_t, c->max_len, SZ_64K + 1)));
	     i++) {
		conf_fill(c, src, 0, ROOM);
		if (!conf_copy(c, dst, conf_round(c, 64), src, conf_round(c, 128), len))
			return;
	}
}

static bool copy_at_offsets(struct conf *c, struct conf_buf *dst, struct conf_buf *src,
			    size_t dst_off, size_t src_off)
{
	static const u16 lengths[] = { 1, 8, 67, 4097 };
	unsigned int i;
	size_t len;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		len = min(conf_round(c, lengths[i]), c->max_len);
		conf_fill(c, src, src_off, len);
		if (!conf_copy(c, dst, conf_round(c, dst_off), src, conf_round(c, src_off), len))
			return false;
	}
	return true;
}

static void memcpy_offsets(struct kt *t)
{
	static const u16 offsets[] = { 0, 1, 2, 3, 4, 5, 8, 15, 31, 63, 4090, 4095 };
	struct conf *c = to_conf(t);
	struct conf_buf *src, *dst;
	unsigned int i;

	if (!conf_need(c, DMA_MEMCPY))
		return;
	src = conf_buf(c, 4 * SZ_4K);
	dst = conf_buf(c, 4 * SZ_4K);
	if (!src || !dst)
		return;
	for (i = 0; i < ARRAY_SIZE(offsets) * ARRAY_SIZE(offsets); i++)
		if (!copy_at_offsets(c, dst, src, offsets[i / ARRAY_SIZE(offsets)],
				     offsets[i % ARRAY_SIZE(offsets)]))
			return;
}

static void memcpy_big(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *src, *dst;

	if (!conf_need(c, DMA_MEMCPY))
		return;
	src = conf_buf(c, c->max_len);
	dst = conf_buf(c, c->max_len);
	if (src && dst)
		conf_copy(c, dst, 0, src, 0, c->max_len);
}

/* A provider may split what is too long, or leave that to its client. */
static void copy_beyond(struct conf *c, struct conf_buf *dst, struct conf_buf *src, size_t max)
{
	struct dma_async_tx_descriptor *tx;
	struct conf_job *job;

	if (!conf_map(c, c->chan, src, 0, src->size, DMA_TO_DEVICE) ||
	    !conf_map(c, c->chan, dst, 0, dst->size, DMA_FROM_DEVICE))
		return;
	tx = dmaengine_prep_dma_memcpy(c->chan, conf_addr(dst, 0), conf_addr(src, 0), src->size,
				       CONF_FLAGS);
	if (tx) {
		job = conf_job(c, c->chan, tx);
		conf_image_copy(dst, 0, src, 0, src->size);
		if (job && conf_run(job))
			conf_verify(c, dst);
		return;
	}
	kt_note(c->t, "refused: the client splits");
	if (conf_copy(c, dst, 0, src, 0, max))
		conf_copy(c, dst, max, src, max, src->size - max);
}

static void memcpy_beyond_segment(struct kt *t)
{
	struct conf *c = to_conf(t);
	size_t max = dma_get_max_seg_size(conf_dev(c->chan));
	struct conf_buf *src, *dst;

	if (!conf_need(c, DMA_MEMCPY))
		return;
	if (max > SZ_4M - c->align) {
		kt_skip(t, "a segment may have %zu bytes, which is no limit here", max);
		return;
	}
	max = round_down(max, c->align);
	src = conf_buf(c, max + c->align);
	dst = conf_buf(c, max + c->align);
	if (src && dst)
		copy_beyond(c, dst, src, max);
}

static void memcpy_within_buffer(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *buf;
	struct conf_job *job;

	if (!conf_need(c, DMA_MEMCPY))
		return;
	buf = conf_buf(c, SZ_8K);
	if (!buf || !conf_map(c, c->chan, buf, 0, SZ_8K, DMA_BIDIRECTIONAL))
		return;
	job = conf_copy_job(c, c->chan, buf, 0, buf, c->piece, c->small, CONF_FLAGS);
	if (!job || !conf_run(job))
		return;
	/* Side by side, and not overlapping. */
	job = conf_copy_job(c, c->chan, buf, c->small, buf, 0, c->small, CONF_FLAGS);
	if (job && conf_run(job))
		conf_verify(c, buf);
}

/* The CPU writes while it is mapped, as coherent memory allows. */
static void memcpy_coherent(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *src, *dst;
	struct conf_job *job;
	unsigned int i;

	if (!conf_need(c, DMA_MEMCPY))
		return;
	src = conf_buf_coherent(c, SZ_8K);
	dst = conf_buf_coherent(c, SZ_8K);
	if (!src || !dst)
		return;
	for (i = 0; i < 8; i++) {
		conf_fill(c, src, 0, SZ_8K);
		job = conf_copy_job(c, c->chan, dst, conf_round(c, 64), src, conf_round(c, 128),
				    c->piece, CONF_FLAGS);
		if (!job || !conf_run(job) || !conf_verify(c, dst) || !conf_verify(c, src))
			return;
	}
}

/* What is mapped once for many transfers, with parts of it handed over. */
static void memcpy_synced_parts(struct kt *t)
{
	struct conf *c = to_conf(t);
	size_t part = SZ_1K, off;
	struct conf_buf *src, *dst;
	struct conf_job *job;
	struct device *dev = conf_dev(c->chan);

	if (!conf_need(c, DMA_MEMCPY) || !conf_need_segment(c, part))
		return;
	src = conf_buf(c, SZ_8K);
	dst = conf_buf(c, SZ_8K);
	if (!src || !dst || !conf_map(c, c->chan, src, 0, SZ_8K, DMA_TO_DEVICE) ||
	    !conf_map(c, c->chan, dst, 0, SZ_8K, DMA_FROM_DEVICE))
		return;
	for (off = 0; off < SZ_8K; off += part) {
		dma_sync_single_for_cpu(dev, conf_addr(src, off), part, DMA_TO_DEVICE);
		conf_fill(c, src, off, part);
		dma_sync_single_for_device(dev, conf_addr(src, off), part, DMA_TO_DEVICE);
		job = conf_copy_job(c, c->chan, dst, off, src, off, part, CONF_FLAGS);
		if (!job || !conf_run(job))
			return;
		dma_sync_single_for_cpu(dev, conf_addr(dst, off), part, DMA_FROM_DEVICE);
		if (!KT_EXPECT(t, !memcmp(dst->cpu + off, dst->image + off, part),
			       "at %zu", off))
			return;
		dma_sync_single_for_device(dev, conf_addr(dst, off), part, DMA_FROM_DEVICE);
	}
	conf_verify(c, src);
	conf_verify(c, dst);
}

/* Several at once, of any size and place, which do not overlap. */
static bool copy_randomly(struct conf *c, struct conf_buf *dst, struct conf_buf *src)
{
	size_t slot = SZ_4K, off, len, max = min(slot / 2, c->max_len);
	struct conf_job *job[16];
	unsigned int i, count = 1 + conf_random(c, ARRAY_SIZE(job));

	conf_fill(c, src, 0, src->size);
	if (!conf_map(c, c->chan, src, 0, src->size, DMA_TO_DEVICE) ||
	    !conf_map(c, c->chan, dst, 0, dst->size, DMA_BIDIRECTIONAL))
		return false;
	for (i = 0; i < count; i++) {
		off = round_down(conf_random(c, slot / 2), c->align);
		len = round_down(1 + conf_random(c, max), c->align) ?: c->align;
		job[i] = conf_copy_job(c, c->chan, dst, i * slot + off, src,
				       round_down(conf_random(c, src->size - slot), c->align),
				       len, CONF_FLAGS);
		if (!job[i] || !conf_submit(job[i]))
			return false;
		if (i == count - 1 || conf_random(c, 2))
			dma_async_issue_pending(c->chan);
	}
	for (i = 0; i < count; i++)
		if (!conf_finish(job[i]))
			return false;
	return conf_verify(c, src) && conf_verify(c, dst);
}

static void memcpy_random(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *src, *dst;
	unsigned int round;

	if (!conf_need(c, DMA_MEMCPY))
		return;
	src = conf_buf(c, SZ_64K);
	dst = conf_buf(c, SZ_64K);
	if (!src || !dst)
		return;
	for (round = 0; round < 40; round++)
		if (!copy_randomly(c, dst, src)) {
			KT_FAIL(t, "in round %u", round);
			return;
		}
}

/* A client may prepare, submit and issue with interrupts off. */
static void memcpy_atomic(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *src, *dst;
	struct dma_async_tx_descriptor *tx;
	struct conf_job *job;
	unsigned long flags;

	if (!conf_need(c, DMA_MEMCPY))
		return;
	if (c->p.no_atomic_prep) {
		kt_skip(t, "no_atomic_prep: preparing may sleep");
		return;
	}
	src = conf_buf(c, SZ_4K);
	dst = conf_buf(c, SZ_4K);
	job = conf_job_empty(c, c->chan);
	if (!src || !dst || !job || !conf_map(c, c->chan, src, 0, SZ_4K, DMA_TO_DEVICE) ||
	    !conf_map(c, c->chan, dst, 0, SZ_4K, DMA_FROM_DEVICE))
		return;
	local_irq_save(flags);
	tx = dmaengine_prep_dma_memcpy(c->chan, conf_addr(dst, 0), conf_addr(src, 0), c->piece,
				       CONF_FLAGS);
	if (conf_job_attach(job, tx))
		conf_start(job);
	local_irq_restore(flags);
	conf_image_copy(dst, 0, src, 0, c->piece);
	if (tx && conf_finish(job))
		conf_verify(c, dst);
}

static void memcpy_nothing(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *buf;

	if (!conf_need(c, DMA_MEMCPY))
		return;
	buf = conf_buf(c, SZ_4K);
	if (!buf || !conf_map(c, c->chan, buf, 0, SZ_4K, DMA_BIDIRECTIONAL))
		return;
	KT_EXPECT(t, !dmaengine_prep_dma_memcpy(c->chan, conf_addr(buf, 0), conf_addr(buf, SZ_2K),
						0, CONF_FLAGS), "a copy of 0 bytes");
}

const struct kt_case conf_memcpy_cases[] = {
	KT_CASE(memcpy_lengths),
	KT_CASE(memcpy_offsets),
	KT_CASE(memcpy_big),
	KT_CASE(memcpy_beyond_segment),
	KT_CASE(memcpy_within_buffer),
	KT_CASE(memcpy_coherent),
	KT_CASE(memcpy_synced_parts),
	KT_CASE(memcpy_random),
	KT_CASE(memcpy_atomic),
	KT_CASE(memcpy_nothing),
	{}
};
