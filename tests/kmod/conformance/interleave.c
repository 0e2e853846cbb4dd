// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interleaved transactions: chunks with gaps between them, in frames.
 */
#include <linux/delay.h>

#include "conf.h"

#define SIZE	SZ_16K
#define START	SZ_1K		/* where both sides begin, behind a guard */

static bool need_interleave(struct conf *c)
{
	if (!conf_need(c, DMA_INTERLEAVE) || !conf_need_segment(c, 512))
		return false;
	if (!c->chan->device->directions || conf_caps(c->chan).directions & BIT(DMA_MEM_TO_MEM))
		return true;
	kt_skip(c->t, "the provider has no DMA_MEM_TO_MEM");
	return false;
}

static struct dma_interleaved_template *template(struct conf *c, size_t frames, size_t chunks)
{
	struct dma_interleaved_template *xt = conf_alloc(c, struct_size(xt, sgl, chunks));

	if (!xt)
		return NULL;
	xt->dir = DMA_MEM_TO_MEM;
	xt->src_inc = true;
	xt->dst_inc = true;
	xt->numf = frames;
	xt->frame_size = chunks;
	return xt;
}

/* Does to the images what the template says. */
static void image_interleaved(struct dma_interleaved_template *xt, struct conf_buf *dst,
			      struct conf_buf *src)
{
	size_t s = START, d = START, frame, i, byte;

	for (frame = 0; frame < xt->numf; frame++) {
		for (i = 0; i < xt->frame_size; i++) {
			struct data_chunk *chunk = &xt->sgl[i];

			for (byte = 0; byte < chunk->size; byte++)
				dst->image[d + (xt->dst_inc ? byte : 0)] =
					src->image[s + (xt->src_inc ? byte : 0)];
			if (xt->src_inc)
				s += chunk->size + dmaengine_get_src_icg(xt, chunk);
			if (xt->dst_inc)
				d += chunk->size + dmaengine_get_dst_icg(xt, chunk);
		}
	}
}

static struct dma_async_tx_descriptor *prep(struct conf *c, struct dma_interleaved_template *xt,
					    struct conf_buf *dst, struct conf_buf *src,
					    unsigned long flags)
{
	xt->src_start = conf_addr(src, START);
	xt->dst_start = conf_addr(dst, START);
	return dmaengine_prep_interleaved_dma(c->chan, xt, flags);
}

static bool map_both(struct conf *c, struct conf_buf *dst, struct conf_buf *src)
{
	return src && dst && conf_map(c, c->chan, src, 0, src->size, DMA_TO_DEVICE) &&
	       conf_map(c, c->chan, dst, 0, dst->size, DMA_BIDIRECTIONAL);
}

static void run(struct conf *c, struct dma_interleaved_template *xt)
{
	struct conf_buf *src = conf_buf(c, SIZE), *dst = conf_buf(c, SIZE);
	struct conf_job *job;

	if (!map_both(c, dst, src))
		return;
	job = conf_job(c, c->chan, prep(c, xt, dst, src, CONF_FLAGS));
	if (!job || !conf_run(job))
		return;
	image_interleaved(xt, dst, src);
	conf_verify(c, src);
	conf_verify(c, dst);
}

static void interleave_one_chunk(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct dma_interleaved_template *xt;

	if (!need_interleave(c))
		return;
	xt = template(c, 1, 1);
	if (!xt)
		return;
	xt->sgl[0].size = c->piece;
	run(c, xt);
}

static void run_rows(struct kt *t, bool src_sgl, bool dst_sgl, struct data_chunk chunk)
{
	struct conf *c = to_conf(t);
	struct dma_interleaved_template *xt;

	if (!need_interleave(c))
		return;
	xt = template(c, 16, 1);
	if (!xt)
		return;
	xt->src_sgl = src_sgl;
	xt->dst_sgl = dst_sgl;
	xt->sgl[0] = chunk;
	run(c, xt);
}

/* Rows of a picture, from one with one line length to one with another. */
static void interleave_frames(struct kt *t)
{
	run_rows(t, true, true, (struct data_chunk){
		.size = 256, .src_icg = 128, .dst_icg = 64,
	});
}

static void interleave_gather(struct kt *t)
{
	run_rows(t, true, false, (struct data_chunk){ .size = 128, .icg = 384 });
}

static void interleave_scatter(struct kt *t)
{
	run_rows(t, false, true, (struct data_chunk){ .size = 64, .icg = 512 });
}

static void interleave_common_gap(struct kt *t)
{
	run_rows(t, true, true, (struct data_chunk){ .size = 192, .icg = 64 });
}

/* Chunks of different sizes, each with a gap of its own on either side. */
static void interleave_chunks(struct kt *t)
{
	static const struct data_chunk chunks[] = {
		{ .size = 64, .src_icg = 128, .dst_icg = 64 },
		{ .size = 256, .icg = 64 },
		{ .size = 128, .src_icg = 64, .dst_icg = 192 },
		{ .size = 64 },
	};
	struct conf *c = to_conf(t);
	struct dma_interleaved_template *xt;

	if (!need_interleave(c))
		return;
	xt = template(c, 6, ARRAY_SIZE(chunks));
	if (!xt)
		return;
	xt->src_sgl = true;
	xt->dst_sgl = true;
	memcpy(xt->sgl, chunks, sizeof(chunks));
	run(c, xt);
}

/*
 * How much is moved at once on the side that stands still is not said anywhere,
 * and no capability tells whether a provider can do it: so all bytes there are
 * the same, and it may refuse.
 */
static struct conf_job *fixed_job(struct conf *c, struct dma_interleaved_template *xt,
				  struct conf_buf *dst, struct conf_buf *src)
{
	struct dma_async_tx_descriptor *tx;

	conf_set(src, 0x96);
	if (!map_both(c, dst, src))
		return NULL;
	tx = prep(c, xt, dst, src, CONF_FLAGS);
	if (!tx) {
		kt_skip(c->t, "the provider takes no fixed address here");
		return NULL;
	}
	return conf_job(c, c->chan, tx);
}

static void interleave_fixed_source(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct dma_interleaved_template *xt;
	struct conf_buf *src, *dst;
	struct conf_job *job;

	if (!need_interleave(c))
		return;
	src = conf_buf(c, SIZE);
	dst = conf_buf(c, SIZE);
	xt = template(c, 8, 1);
	if (!src || !dst || !xt)
		return;
	xt->src_inc = false;
	xt->dst_sgl = true;
	xt->sgl[0] = (struct data_chunk){ .size = 512, .icg = 64 };
	job = fixed_job(c, xt, dst, src);
	if (!job || !conf_run(job))
		return;
	image_interleaved(xt, dst, src);
	conf_verify(c, dst);
}

static void interleave_fixed_destination(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct dma_interleaved_template *xt;
	struct conf_buf *src, *dst;
	struct conf_job *job;
	size_t beat;

	if (!need_interleave(c))
		return;
	src = conf_buf(c, SIZE);
	dst = conf_buf(c, SIZE);
	xt = template(c, 4, 1);
	if (!src || !dst || !xt)
		return;
	conf_set(dst, 0);
	xt->dst_inc = false;
	xt->sgl[0].size = 512;
	job = fixed_job(c, xt, dst, src);
	if (!job || !conf_run(job))
		return;
	conf_unmap(dst);
	for (beat = 0; beat < 64 && dst->cpu[START + beat] == 0x96; beat++)
		;
	KT_EXPECT(t, beat > 0 && is_power_of_2(beat), "%zu bytes written", beat);
	memset(dst->image + START, 0x96, beat);
	conf_verify(c, dst);
}

static void interleave_nothing(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *src, *dst;
	struct dma_interleaved_template *xt;

	if (!need_interleave(c))
		return;
	src = conf_buf(c, SIZE);
	dst = conf_buf(c, SIZE);
	xt = template(c, 1, 1);
	if (!xt || !map_both(c, dst, src))
		return;
	KT_EXPECT(t, !prep(c, xt, dst, src, CONF_FLAGS), "a chunk of 0 bytes");
	xt->sgl[0].size = 64;
	xt->numf = 0;
	KT_EXPECT(t, !prep(c, xt, dst, src, CONF_FLAGS), "0 frames");
	xt->numf = 1;
	xt->frame_size = 0;
	KT_EXPECT(t, !prep(c, xt, dst, src, CONF_FLAGS), "0 chunks");
}

/* ---- repeated until something ends it ---- */

struct repeat {
	struct conf_buf *src, *dst;
	struct conf_job *job;
};

static bool start_repeat(struct conf *c, struct repeat *r)
{
	struct dma_interleaved_template *xt;

	if (!need_interleave(c) || !conf_need(c, DMA_REPEAT) || !conf_need_terminate(c))
		return false;
	r->src = conf_buf_coherent(c, SIZE);
	r->dst = conf_buf_coherent(c, SIZE);
	xt = template(c, 4, 1);
	if (!r->src || !r->dst || !xt)
		return false;
	xt->sgl[0].size = 256;
	r->job = conf_job(c, c->chan, prep(c, xt, r->dst, r->src, CONF_FLAGS | DMA_PREP_REPEAT));
	if (!r->job)
		return false;
	r->job->endless = true;
	return conf_start(r->job);
}

/* What is in the source now arrives, again and again. */
static bool still_repeats(struct conf *c, struct repeat *r)
{
	unsigned long end = jiffies + msecs_to_jiffies(c->p.timeout_ms);

	conf_fill(c, r->src, START, SZ_1K);
	while (memcmp(r->dst->cpu + START, r->src->image + START, SZ_1K)) {
		if (time_after(jiffies, end) || signal_pending(current))
			return KT_FAIL(c->t, "it is not repeated");
		usleep_range(100, 200);
	}
	return KT_EXPECT_EQ(c->t, DMA_IN_PROGRESS, conf_status(r->job, NULL));
}

static void repeat_until_terminated(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct repeat r;
	unsigned int i;

	if (!start_repeat(c, &r))
		return;
	for (i = 0; i < 5; i++)
		if (!still_repeats(c, &r))
			return;
	if (!conf_terminate(c, c->chan))
		return;
	conf_fill(c, r.src, START, SZ_1K);
	conf_no_more_callbacks(c);
	KT_EXPECT(t, memcmp(r.dst->cpu + START, r.src->image + START, SZ_1K));
}

static struct conf_job *follow(struct conf *c, struct repeat *r, struct conf_buf *dst,
			       unsigned long flags)
{
	struct dma_interleaved_template *xt = template(c, 1, 1);

	if (!xt || !dst)
		return NULL;
	xt->sgl[0].size = 512;
	return conf_job(c, c->chan, prep(c, xt, dst, r->src, CONF_FLAGS | flags));
}

static void repeat_until_replaced(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *dst;
	struct conf_job *job;
	struct repeat r;

	if (!conf_need(c, DMA_LOAD_EOT) || !start_repeat(c, &r) || !still_repeats(c, &r))
		return;
	dst = conf_buf_coherent(c, SIZE);
	job = follow(c, &r, dst, DMA_PREP_LOAD_EOT);
	if (!job || !conf_start(job) || !conf_wait(job))
		return;
	conf_image_copy(dst, START, r.src, START, 512);
	conf_verify(c, dst);
	conf_no_more_callbacks(c);
	conf_fill(c, r.src, START, SZ_1K);
	conf_quiet(c);
	KT_EXPECT(t, memcmp(r.dst->cpu + START, r.src->image + START, SZ_1K), "it goes on");
}

/* Without that flag, what follows waits for ever. */
static void repeat_not_replaced(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *dst;
	struct conf_job *job;
	struct repeat r;

	if (!start_repeat(c, &r) || !still_repeats(c, &r))
		return;
	dst = conf_buf_coherent(c, SIZE);
	job = follow(c, &r, dst, 0);
	if (!job || !conf_start(job))
		return;
	conf_quiet(c);
	still_repeats(c, &r);
	KT_EXPECT_EQ(t, 0, atomic_read(&job->calls));
	KT_EXPECT_EQ(t, DMA_IN_PROGRESS, conf_status(job, NULL));
	conf_verify(c, dst);
}

const struct kt_case conf_interleave_cases[] = {
	KT_CASE(interleave_one_chunk),
	KT_CASE(interleave_frames),
	KT_CASE(interleave_gather),
	KT_CASE(interleave_scatter),
	KT_CASE(interleave_common_gap),
	KT_CASE(interleave_chunks),
	KT_CASE(interleave_fixed_source),
	KT_CASE(interleave_fixed_destination),
	KT_CASE(interleave_nothing),
	KT_CASE(repeat_until_terminated),
	KT_CASE(repeat_until_replaced),
	KT_CASE(repeat_not_replaced),
	{}
};
