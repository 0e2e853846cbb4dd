// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transactions of one channel: when they start, and in which order they end.
 */
#include <linux/delay.h>

#include "conf.h"

static void order_of_submission(struct kt *t)
{
	static const size_t lengths[] = { 64, SZ_4K, SZ_16K };
	struct conf *c = to_conf(t);
	struct conf_batch *batch;
	unsigned int i;

	if (!conf_need_order(c))
		return;
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		batch = conf_batch(c, c->chan, 32, lengths[i]);
		if (!batch)
			return;
		dma_async_issue_pending(c->chan);
		if (!conf_batch_finish(c, batch))
			return;
	}
}

static void order_cookies_increase(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_batch *batch;
	unsigned int i;

	if (!conf_need(c, DMA_MEMCPY))
		return;
	batch = conf_batch(c, c->chan, 16, 64);
	if (!batch)
		return;
	for (i = 1; i < 16; i++)
		KT_EXPECT(t, batch->job[i]->cookie > batch->job[i - 1]->cookie, "%d after %d",
			  batch->job[i]->cookie, batch->job[i - 1]->cookie);
	dma_async_issue_pending(c->chan);
	conf_batch_finish(c, batch);
}

static void order_not_before_issue(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *src, *dst;
	struct conf_job *job;
	u8 *old;

	if (!conf_need(c, DMA_MEMCPY))
		return;
	src = conf_buf_coherent(c, SZ_4K);
	dst = conf_buf_coherent(c, SZ_4K);
	old = conf_alloc(c, SZ_4K);
	if (!src || !dst || !old)
		return;
	memcpy(old, dst->cpu, SZ_4K);
	job = conf_copy_job(c, c->chan, dst, 0, src, 0, c->piece, CONF_FLAGS);
	if (!job || !conf_submit(job))
		return;
	conf_quiet(c);
	KT_EXPECT_EQ(t, 0, atomic_read(&job->calls));
	KT_EXPECT_EQ(t, DMA_IN_PROGRESS, conf_status(job, NULL));
	KT_EXPECT(t, !memcmp(dst->cpu, old, SZ_4K), "it was copied before it was issued");
	dma_async_issue_pending(c->chan);
	if (conf_finish(job))
		conf_verify(c, dst);
}

/* While some run, more are submitted and issued. */
static void order_issued_again(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_batch *batch[8];
	unsigned int i;

	if (!conf_need(c, DMA_MEMCPY))
		return;
	for (i = 0; i < ARRAY_SIZE(batch); i++) {
		batch[i] = conf_batch(c, c->chan, 4, SZ_4K);
		if (!batch[i])
			return;
		dma_async_issue_pending(c->chan);
	}
	for (i = 0; i < ARRAY_SIZE(batch); i++)
		if (!conf_batch_finish(c, batch[i]))
			return;
}

/* Each copies what the one before has written. */
static void copy_along(struct conf *c, unsigned long flags)
{
	size_t len = c->piece, count = 16, i;
	struct conf_job *job = NULL;
	struct conf_buf *buf;

	if (!conf_need_order(c))
		return;
	buf = conf_buf(c, len * (count + 1));
	if (!buf || !conf_map(c, c->chan, buf, 0, buf->size, DMA_BIDIRECTIONAL))
		return;
	for (i = 0; i < count; i++) {
		job = conf_copy_job(c, c->chan, buf, (i + 1) * len, buf, i * len, len,
				    CONF_FLAGS | flags);
		if (!job || !conf_submit(job))
			return;
	}
	dma_async_issue_pending(c->chan);
	if (conf_finish(job))
		conf_verify(c, buf);
}

static void order_dependent(struct kt *t)
{
	copy_along(to_conf(t), 0);
}

static void order_fenced(struct kt *t)
{
	copy_along(to_conf(t), DMA_PREP_FENCE);
}

/* Only the last one is waited for; the others neither interrupt nor call back. */
static void order_without_callback(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct dma_async_tx_descriptor *tx;
	struct conf_buf *src, *dst;
	struct conf_job *job;
	unsigned int i;

	if (!conf_need_order(c))
		return;
	src = conf_buf(c, SZ_16K);
	dst = conf_buf(c, SZ_16K);
	if (!src || !dst || !conf_map(c, c->chan, src, 0, SZ_16K, DMA_TO_DEVICE) ||
	    !conf_map(c, c->chan, dst, 0, SZ_16K, DMA_FROM_DEVICE))
		return;
	for (i = 0; i < 15; i++) {
		tx = dmaengine_prep_dma_memcpy(c->chan, conf_addr(dst, i * c->small),
					       conf_addr(src, i * c->small), c->small,
					       DMA_CTRL_ACK);
		if (!KT_EXPECT(t, tx))
			return;
		tx->callback = NULL;
		tx->callback_result = NULL;
		if (!KT_EXPECT(t, dmaengine_submit(tx) >= DMA_MIN_COOKIE))
			return;
	}
	conf_image_copy(dst, 0, src, 0, 15 * c->small);
	job = conf_copy_job(c, c->chan, dst, 15 * c->small, src, 15 * c->small, c->small,
			    CONF_FLAGS);
	if (job && conf_run(job))
		conf_verify(c, dst);
}

static void issue_nothing(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_batch *batch;
	unsigned int i;

	if (!c->p.strict) {
		kt_skip(t, "not strict: issuing when nothing is submitted may be taken ill");
		return;
	}
	for (i = 0; i < 10; i++)
		dma_async_issue_pending(c->chan);
	batch = conf_batch(c, c->chan, 2, SZ_1K);
	if (!batch)
		return;
	for (i = 0; i < 10; i++)
		dma_async_issue_pending(c->chan);
	conf_batch_finish(c, batch);
}

const struct kt_case conf_order_cases[] = {
	KT_CASE(order_of_submission),
	KT_CASE(order_cookies_increase),
	KT_CASE(order_not_before_issue),
	KT_CASE(order_issued_again),
	KT_CASE(order_dependent),
	KT_CASE(order_fenced),
	KT_CASE(order_without_callback),
	KT_CASE(issue_nothing),
	{}
};
