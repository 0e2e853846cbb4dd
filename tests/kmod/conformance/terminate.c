// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ending what a channel does, in each state; and giving the channel back.
 */
#include <linux/delay.h>

#include "conf.h"

/* It does its work, whatever happened before. */
static bool works(struct conf *c, struct dma_chan *chan)
{
	struct conf_batch *batch = conf_batch(c, chan, 4, SZ_4K);

	if (!batch)
		return false;
	dma_async_issue_pending(chan);
	return conf_batch_finish(c, batch);
}

static bool need_both(struct conf *c)
{
	return conf_need(c, DMA_MEMCPY) && conf_need_terminate(c);
}

/* Terminates a batch, and looks that nothing of it happens any more. */
static bool terminate_batch(struct conf *c, struct conf_batch *batch)
{
	if (!conf_terminate(c, c->chan))
		return false;
	return conf_no_more_callbacks(c) && conf_verify_partial(c, batch->dst, batch->old) &&
	       conf_verify_still(c, batch->dst);
}

static void terminate_idle(struct kt *t)
{
	struct conf *c = to_conf(t);
	unsigned int i;

	if (!need_both(c))
		return;
	for (i = 0; i < 5; i++)
		KT_EXPECT_EQ(t, 0, dmaengine_terminate_sync(c->chan));
	works(c, c->chan);
}

static void terminate_prepared(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *src, *dst;

	if (!need_both(c))
		return;
	src = conf_buf(c, SZ_4K);
	dst = conf_buf(c, SZ_4K);
	if (!src || !dst || !conf_map(c, c->chan, src, 0, SZ_4K, DMA_TO_DEVICE) ||
	    !conf_map(c, c->chan, dst, 0, SZ_4K, DMA_BIDIRECTIONAL))
		return;
	KT_EXPECT(t, dmaengine_prep_dma_memcpy(c->chan, conf_addr(dst, 0), conf_addr(src, 0),
					       c->piece, CONF_FLAGS));
	if (!conf_terminate(c, c->chan))
		return;
	conf_verify_still(c, dst);
	works(c, c->chan);
}

static void terminate_submitted(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_batch *batch;

	if (!need_both(c))
		return;
	batch = conf_batch(c, c->chan, 8, SZ_4K);
	if (!batch || !terminate_batch(c, batch))
		return;
	KT_EXPECT_EQ(t, 0, atomic_read(&c->callbacks));
	KT_EXPECT(t, !memcmp(batch->dst->cpu, batch->old, batch->dst->size));
	works(c, c->chan);
}

static void terminate_issued(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_batch *batch;
	unsigned int round;

	if (!need_both(c))
		return;
	for (round = 0; round < 10; round++) {
		batch = conf_batch(c, c->chan, 64, SZ_4K);
		if (!batch)
			return;
		dma_async_issue_pending(c->chan);
		if (!terminate_batch(c, batch) || !works(c, c->chan))
			return;
		conf_give_back(c);
	}
}

/* At different times after the start. */
static void terminate_running(struct kt *t)
{
	struct conf *c = to_conf(t);
	unsigned int round, running = 0;
	struct conf_batch *batch;

	if (!need_both(c))
		return;
	for (round = 0; round < 10; round++) {
		batch = conf_batch(c, c->chan, 4, round_down(c->max_len / 4, c->align));
		if (!batch)
			return;
		dma_async_issue_pending(c->chan);
		if (round)
			usleep_range(50 << round / 2, 60 << round / 2);
		running += conf_status(batch->job[3], NULL) == DMA_IN_PROGRESS;
		if (!terminate_batch(c, batch))
			return;
		conf_give_back(c);
	}
	kt_note(t, "%u of 10 were running", running);
	works(c, c->chan);
}

static void terminate_paused(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_batch *batch;

	if (!need_both(c))
		return;
	if (!conf_caps(c->chan).cmd_pause) {
		kt_skip(t, "the provider has no pause");
		return;
	}
	batch = conf_batch(c, c->chan, 4, SZ_64K);
	if (!batch)
		return;
	dma_async_issue_pending(c->chan);
	KT_EXPECT_EQ(t, 0, dmaengine_pause(c->chan));
	/* It does not stay paused, either. */
	if (terminate_batch(c, batch))
		works(c, c->chan);
}

static void terminate_complete(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_batch *batch;

	if (!need_both(c))
		return;
	batch = conf_batch(c, c->chan, 4, SZ_4K);
	if (!batch)
		return;
	dma_async_issue_pending(c->chan);
	if (!conf_batch_finish(c, batch))
		return;
	KT_EXPECT_EQ(t, 0, dmaengine_terminate_sync(c->chan));
	KT_EXPECT_EQ(t, 4, atomic_read(&c->callbacks));
	conf_no_more_callbacks(c);
	works(c, c->chan);
}

/* From atomic context, and waited for later. */
static void terminate_async(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_batch *batch;
	unsigned long flags;
	int err;

	if (!need_both(c))
		return;
	batch = conf_batch(c, c->chan, 16, SZ_16K);
	if (!batch)
		return;
	local_irq_save(flags);
	dma_async_issue_pending(c->chan);
	err = dmaengine_terminate_async(c->chan);
	local_irq_restore(flags);
	KT_EXPECT_EQ(t, 0, err);
	conf_synchronize(c->chan);
	if (terminate_batch(c, batch))
		works(c, c->chan);
}

static void terminate_often(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_batch *batch;
	unsigned int round;

	if (!need_both(c))
		return;
	for (round = 0; round < 100; round++) {
		batch = conf_batch(c, c->chan, 1 + round % 5, SZ_1K);
		if (!batch)
			return;
		if (round % 7)
			dma_async_issue_pending(c->chan);
		if (!conf_terminate(c, c->chan) ||
		    !conf_verify_partial(c, batch->dst, batch->old))
			return;
		conf_give_back(c);
	}
	works(c, c->chan);
}

/* The other channels don't notice. */
static void terminate_one_channel(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_batch *batch, *other;
	unsigned int round;

	if (!need_both(c) || !conf_need_chan2(c))
		return;
	for (round = 0; round < 10; round++) {
		batch = conf_batch(c, c->chan, 16, SZ_4K);
		other = conf_batch(c, c->chan2, 16, SZ_4K);
		if (!batch || !other)
			return;
		dma_async_issue_pending(c->chan);
		dma_async_issue_pending(c->chan2);
		if (!conf_terminate(c, c->chan) || !conf_batch_finish(c, other) ||
		    !conf_verify_partial(c, batch->dst, batch->old))
			return;
		conf_give_back(c);
	}
}

/* ---- giving back ---- */

/* Gives the channel back and takes it again; it is gone from *c in between. */
static bool request_again(struct conf *c, const char *name)
{
	struct dma_chan *before = c->chan;

	c->chan = NULL;
	dma_release_channel(before);
	c->chan = conf_request_chan(name, "");
	if (c->tx == before)
		c->tx = c->chan;
	if (c->rx == before)
		c->rx = c->chan;
	return KT_EXPECT(c->t, c->chan, "%s is not given again", name);
}

static void release_and_request(struct kt *t)
{
	struct conf *c = to_conf(t);
	char name[CONF_NAME];
	unsigned int round;

	strscpy(name, dma_chan_name(c->chan), sizeof(name));
	for (round = 0; round < 200; round++)
		if (!request_again(c, name))
			return;
	if (conf_need(c, DMA_MEMCPY))
		works(c, c->chan);
}

static void release_after_work(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_batch *batch;
	char name[CONF_NAME];
	unsigned int round;

	if (!need_both(c))
		return;
	strscpy(name, dma_chan_name(c->chan), sizeof(name));
	for (round = 0; round < 20; round++) {
		if (!works(c, c->chan))
			return;
		/* Some that never run. */
		batch = conf_batch(c, c->chan, 8, SZ_4K);
		if (!batch)
			return;
		if (round % 2)
			dma_async_issue_pending(c->chan);
		if (!conf_terminate(c, c->chan))
			return;
		conf_give_back(c);
		if (!request_again(c, name))
			return;
	}
	works(c, c->chan);
}

const struct kt_case conf_terminate_cases[] = {
	KT_CASE(terminate_idle),
	KT_CASE(terminate_prepared),
	KT_CASE(terminate_submitted),
	KT_CASE(terminate_issued),
	KT_CASE(terminate_running),
	KT_CASE(terminate_paused),
	KT_CASE(terminate_complete),
	KT_CASE(terminate_async),
	KT_CASE(terminate_often),
	KT_CASE(terminate_one_channel),
	KT_CASE(release_and_request),
	KT_CASE(release_after_work),
	{}
};
