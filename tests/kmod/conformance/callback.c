// SPDX-License-Identifier: GPL-2.0-only
/*
 * Callbacks: which, how often, and what they may do. And transactions that are
 * submitted again after theirs.
 */
#include <linux/delay.h>

#include "conf.h"

/* One transaction that has not been submitted yet. */
static struct conf_job *one_copy(struct conf *c, struct conf_buf **dst)
{
	struct conf_buf *src;

	if (!conf_need(c, DMA_MEMCPY))
		return NULL;
	src = conf_buf(c, c->piece);
	*dst = conf_buf(c, c->piece);
	if (!src || !*dst || !conf_map(c, c->chan, src, 0, c->piece, DMA_TO_DEVICE) ||
	    !conf_map(c, c->chan, *dst, 0, c->piece, DMA_FROM_DEVICE))
		return NULL;
	return conf_copy_job(c, c->chan, *dst, 0, src, 0, c->piece, CONF_FLAGS);
}

static void plain_callback(void *data)
{
	struct conf_job *job = data;

	atomic_inc(&job->calls);
	complete(&job->done);
}

static void must_not_be_called(void *data)
{
	struct conf_job *job = data;

	KT_FAIL(job->c->t, "both callbacks are called");
}

static void callback_result_preferred(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *dst;
	struct conf_job *job = one_copy(c, &dst);

	if (!job)
		return;
	job->tx->callback = must_not_be_called;
	if (conf_run(job))
		conf_no_more_callbacks(c);
}

static void callback_plain(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *dst;
	struct conf_job *job = one_copy(c, &dst);

	if (!job)
		return;
	job->tx->callback_result = NULL;
	job->tx->callback = plain_callback;
	if (conf_run(job))
		conf_verify(c, dst);
}

/* A client that sets none must not get one of somebody before it. */
static void callback_not_inherited(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_batch *batch;
	struct conf_buf *dst;
	struct conf_job *job;
	unsigned int i;

	if (!conf_need(c, DMA_MEMCPY))
		return;
	if (c->p.inherits_callback) {
		kt_skip(t, "inherits_callback: the provider keeps callbacks in its descriptors");
		return;
	}
	for (i = 0; i < 40; i++) {
		batch = conf_batch(c, c->chan, 4, 64);
		if (!batch)
			return;
		dma_async_issue_pending(c->chan);
		if (!conf_batch_finish(c, batch))
			return;
	}
	for (i = 0; i < 40; i++) {
		job = one_copy(c, &dst);
		if (!job || !KT_EXPECT(t, !job->inherited) || !conf_run(job))
			return;
	}
}

static void look_at_status(struct conf_job *job)
{
	KT_EXPECT_EQ(job->c->t, DMA_COMPLETE, conf_status(job, NULL));
}

static void callback_sees_complete(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *dst;
	struct conf_job *job;
	unsigned int i;

	if (!conf_need_order(c))
		return;
	for (i = 0; i < 4; i++) {
		job = one_copy(c, &dst);
		if (!job)
			return;
		job->hook = look_at_status;
		if (!conf_run(job))
			return;
	}
}

static void callback_once(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_batch *batch;
	unsigned int i;

	if (!conf_need(c, DMA_MEMCPY))
		return;
	batch = conf_batch(c, c->chan, 64, 64);
	if (!batch)
		return;
	dma_async_issue_pending(c->chan);
	if (!conf_batch_finish(c, batch) || !conf_no_more_callbacks(c))
		return;
	for (i = 0; i < 64; i++)
		KT_EXPECT_EQ(t, 1, atomic_read(&batch->job[i]->calls));
}

static void start_next(struct conf_job *job)
{
	if (job->data)
		conf_start(job->data);
}

/* Each callback submits and issues what was prepared before. */
static void callback_submits(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_job *job[8];
	struct conf_buf *dst[8];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(job); i++) {
		job[i] = one_copy(c, &dst[i]);
		if (!job[i])
			return;
		job[i]->hook = start_next;
		if (i)
			job[i - 1]->data = job[i];
	}
	if (!conf_start(job[0]))
		return;
	for (i = 0; i < ARRAY_SIZE(job); i++)
		if (!conf_finish(job[i]) || !conf_verify(c, dst[i]))
			return;
}

struct step {
	struct conf_job *next;
	struct conf_buf *dst, *src;
	size_t off;
};

/* In a callback, which must not sleep. */
static void prepare_next(struct conf_job *job)
{
	struct step *step = job->data;
	struct dma_async_tx_descriptor *tx;

	if (!step->next)
		return;
	tx = dmaengine_prep_dma_memcpy(job->chan, conf_addr(step->dst, step->off),
				       conf_addr(step->src, step->off), job->c->small, CONF_FLAGS);
	if (conf_job_attach(step->next, tx))
		conf_start(step->next);
}

static bool make_steps(struct conf *c, struct conf_job **job, unsigned int count,
		       struct conf_buf *dst, struct conf_buf *src)
{
	struct step *step;
	unsigned int i;

	for (i = 0; i < count; i++) {
		job[i] = conf_job_empty(c, c->chan);
		step = conf_alloc(c, sizeof(*step));
		if (!job[i] || !step)
			return false;
		*step = (struct step){ .dst = dst, .src = src, .off = (i + 1) * c->small };
		job[i]->hook = prepare_next;
		job[i]->data = step;
		if (i)
			((struct step *)job[i - 1]->data)->next = job[i];
	}
	return true;
}

static void callback_prepares(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct dma_async_tx_descriptor *tx;
	struct conf_buf *src, *dst;
	struct conf_job *job[16];
	unsigned int i;

	if (!conf_need(c, DMA_MEMCPY))
		return;
	if (c->p.no_atomic_prep) {
		kt_skip(t, "no_atomic_prep: preparing may sleep");
		return;
	}
	src = conf_buf(c, SZ_16K);
	dst = conf_buf(c, SZ_16K);
	if (!src || !dst || !make_steps(c, job, ARRAY_SIZE(job), dst, src) ||
	    !conf_map(c, c->chan, src, 0, SZ_16K, DMA_TO_DEVICE) ||
	    !conf_map(c, c->chan, dst, 0, SZ_16K, DMA_FROM_DEVICE))
		return;
	conf_image_copy(dst, 0, src, 0, 16 * c->small);
	tx = dmaengine_prep_dma_memcpy(c->chan, conf_addr(dst, 0), conf_addr(src, 0), c->small,
				       CONF_FLAGS);
	if (!conf_job_attach(job[0], tx) || !conf_start(job[0]))
		return;
	for (i = 0; i < ARRAY_SIZE(job); i++)
		if (!conf_finish(job[i]))
			return;
	conf_verify(c, dst);
}

static void terminate_all(struct conf_job *job)
{
	KT_EXPECT_EQ(job->c->t, 0, dmaengine_terminate_async(job->chan));
}

static void callback_terminates(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_batch *batch;

	if (!conf_need(c, DMA_MEMCPY) || !conf_need_terminate(c))
		return;
	batch = conf_batch(c, c->chan, 32, SZ_16K);
	if (!batch)
		return;
	batch->job[0]->hook = terminate_all;
	dma_async_issue_pending(c->chan);
	if (!conf_wait(batch->job[0]))
		return;
	conf_synchronize(c->chan);
	conf_no_more_callbacks(c);
	KT_EXPECT_EQ(t, 1, atomic_read(&batch->job[0]->calls));
	conf_verify_partial(c, batch->dst, batch->old);
	conf_verify_still(c, batch->dst);
	/* And it works as before. */
	batch = conf_batch(c, c->chan, 4, SZ_4K);
	if (!batch)
		return;
	dma_async_issue_pending(c->chan);
	conf_batch_finish(c, batch);
}

/* ---- descriptors that are used again ---- */

static bool run_again(struct conf *c, struct conf_job *job, struct conf_buf *dst,
		      struct conf_buf *src)
{
	dma_cookie_t before = job->cookie;

	atomic_set(&job->calls, 0);
	reinit_completion(&job->done);
	conf_fill(c, src, 0, c->piece);
	conf_image_copy(dst, 0, src, 0, c->piece);
	/* It is not the client's until its callback is over. */
	conf_synchronize(job->chan);
	return conf_run(job) && KT_EXPECT(c->t, job->cookie > before, "%d", job->cookie) &&
	       conf_verify(c, dst);
}

static void reuse_submits_again(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *src, *dst;
	struct conf_job *job;
	unsigned int i;

	if (!conf_need(c, DMA_MEMCPY))
		return;
	if (!conf_caps(c->chan).descriptor_reuse) {
		kt_skip(t, "the provider has no descriptor reuse");
		return;
	}
	src = conf_buf_coherent(c, SZ_4K);
	dst = conf_buf_coherent(c, SZ_4K);
	if (!src || !dst)
		return;
	job = conf_copy_job(c, c->chan, dst, 0, src, 0, c->piece, CONF_FLAGS);
	if (!job || !KT_EXPECT_EQ(t, 0, dmaengine_desc_set_reuse(job->tx)))
		return;
	for (i = 0; i < 10; i++)
		if (!run_again(c, job, dst, src))
			break;
	if (kt_over(t))
		return;
	KT_EXPECT_EQ(t, 0, dmaengine_desc_free(job->tx));
}

static void reuse_not_offered(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *dst;
	struct conf_job *job;

	if (conf_caps(c->chan).descriptor_reuse) {
		kt_skip(t, "the provider has descriptor reuse");
		return;
	}
	job = one_copy(c, &dst);
	if (!job)
		return;
	KT_EXPECT(t, dmaengine_desc_set_reuse(job->tx) < 0);
	conf_run(job);
}

const struct kt_case conf_callback_cases[] = {
	KT_CASE(callback_result_preferred),
	KT_CASE(callback_plain),
	KT_CASE(callback_not_inherited),
	KT_CASE(callback_sees_complete),
	KT_CASE(callback_once),
	KT_CASE(callback_submits),
	KT_CASE(callback_prepares),
	KT_CASE(callback_terminates),
	KT_CASE(reuse_submits_again),
	KT_CASE(reuse_not_offered),
	{}
};
