// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many transactions, and two clients at once.
 */
#include <linux/kthread.h>

#include "conf.h"

#define PIECE 64

/* So many that prepare gives no more, or all that were asked for. */
struct crowd {
	struct conf_buf *src, *dst;
	unsigned int count;
	struct conf_job **job;
};

static bool make_crowd(struct conf *c, struct crowd *crowd, unsigned int max)
{
	crowd->count = 0;
	crowd->src = conf_buf(c, SZ_64K);
	crowd->dst = conf_buf(c, SZ_64K);
	crowd->job = conf_alloc(c, max * sizeof(*crowd->job));
	return crowd->src && crowd->dst && crowd->job &&
	       conf_map(c, c->chan, crowd->src, 0, SZ_64K, DMA_TO_DEVICE) &&
	       conf_map(c, c->chan, crowd->dst, 0, SZ_64K, DMA_BIDIRECTIONAL);
}

/* No more prepared is an answer, not a failure. */
static bool fill_crowd(struct conf *c, struct crowd *crowd, unsigned int max)
{
	size_t len = max_t(size_t, PIECE, c->align);
	struct dma_async_tx_descriptor *tx;
	struct conf_job *job;
	size_t off;

	for (; crowd->count < max; crowd->count++) {
		off = crowd->count * len % SZ_64K;
		tx = dmaengine_prep_dma_memcpy(c->chan, conf_addr(crowd->dst, off),
					       conf_addr(crowd->src, off), len, CONF_FLAGS);
		if (!tx)
			break;
		job = conf_job(c, c->chan, tx);
		if (!job || !conf_submit(job))
			return false;
		job->len = len;
		conf_image_copy(crowd->dst, off, crowd->src, off, len);
		crowd->job[crowd->count] = job;
	}
	return KT_EXPECT(c->t, crowd->count > 0, "none could be prepared");
}

static bool finish_crowd(struct conf *c, struct crowd *crowd)
{
	bool good, in_order = conf_in_order(c->chan);
	unsigned int i;

	for (i = 0; i < crowd->count; i++) {
		good = conf_finish(crowd->job[i]);
		if (good && in_order)
			good = KT_EXPECT_EQ(c->t, i, crowd->job[i]->number);
		if (!good)
			return KT_FAIL(c->t, "number %u of %u", i, crowd->count);
	}
	return conf_verify(c, crowd->src) && conf_verify(c, crowd->dst);
}

static void load_many(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct crowd crowd;

	if (!conf_need(c, DMA_MEMCPY))
		return;
	if (!make_crowd(c, &crowd, c->p.many) || !fill_crowd(c, &crowd, c->p.many))
		return;
	kt_note(t, "%u of %llu were taken", crowd.count, c->p.many);
	dma_async_issue_pending(c->chan);
	finish_crowd(c, &crowd);
}

/* How many can be prepared at once; 0 if that failed. */
static unsigned int pool_size(struct conf *c)
{
	struct crowd crowd;

	if (!make_crowd(c, &crowd, c->p.many) || !fill_crowd(c, &crowd, c->p.many) ||
	    !conf_terminate(c, c->chan))
		return 0;
	kt_note(c->t, "%u of %llu were taken", crowd.count, c->p.many);
	return crowd.count;
}

static void pool_at_start(struct kt *t)
{
	struct conf *c = to_conf(t);

	if (conf_need(c, DMA_MEMCPY) && conf_need_terminate(c))
		c->pool = pool_size(c);
}

/* Whatever was done meanwhile, nothing of the pool was lost. */
static void pool_at_end(struct kt *t)
{
	struct conf *c = to_conf(t);

	if (!conf_need(c, DMA_MEMCPY) || !conf_need_terminate(c))
		return;
	if (c->pool)
		KT_EXPECT_EQ(t, c->pool, pool_size(c));
	else
		kt_skip(t, "it was not measured at the start");
}

/* What was terminated can be prepared again: nothing is lost. */
static void load_pool_refills(struct kt *t)
{
	struct conf *c = to_conf(t);
	unsigned int first = 0, round;
	struct crowd crowd;

	if (!conf_need(c, DMA_MEMCPY) || !conf_need_terminate(c))
		return;
	for (round = 0; round < 4; round++) {
		if (!make_crowd(c, &crowd, c->p.many) || !fill_crowd(c, &crowd, c->p.many))
			return;
		if (!round)
			first = crowd.count;
		if (!KT_EXPECT_EQ(t, first, crowd.count))
			return;
		if (round % 2)
			dma_async_issue_pending(c->chan);
		if (!conf_terminate(c, c->chan))
			return;
		conf_give_back(c);
	}
}

/* ---- two clients ---- */

struct client {
	struct conf *c;
	struct dma_chan *chan;
	struct completion ended;
};

static bool one_round(struct conf *c, struct dma_chan *chan)
{
	struct conf_batch *batch = conf_batch(c, chan, 8, SZ_4K);
	unsigned int i;

	if (!batch)
		return false;
	dma_async_issue_pending(chan);
	for (i = 0; i < batch->count; i++)
		if (!conf_finish(batch->job[i]))
			return false;
	return conf_verify(c, batch->src) && conf_verify(c, batch->dst);
}

static int client_thread(void *data)
{
	struct client *client = data;
	unsigned int round;

	for (round = 0; round < 25; round++) {
		if (!one_round(client->c, client->chan)) {
			KT_FAIL(client->c->t, "%s, round %u", dma_chan_name(client->chan), round);
			break;
		}
	}
	kthread_complete_and_exit(&client->ended, 0);
}

static bool start_client(struct client *client, struct conf *c, struct dma_chan *chan)
{
	struct task_struct *thread;

	client->c = c;
	client->chan = chan;
	init_completion(&client->ended);
	thread = kthread_run(client_thread, client, "conformance");
	return KT_EXPECT(c->t, !IS_ERR(thread), "%ld", PTR_ERR(thread));
}

static void load_two_channels(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct client *one, *two;

	if (!conf_need(c, DMA_MEMCPY) || !conf_need_chan2(c))
		return;
	one = conf_alloc(c, sizeof(*one));
	two = conf_alloc(c, sizeof(*two));
	if (!one || !two || !start_client(one, c, c->chan))
		return;
	/* Each wait of theirs has an end. */
	if (start_client(two, c, c->chan2))
		wait_for_completion(&two->ended);
	wait_for_completion(&one->ended);
}

const struct kt_case conf_first_cases[] = {
	KT_CASE(pool_at_start),
	{}
};

const struct kt_case conf_load_cases[] = {
	KT_CASE(load_many),
	KT_CASE(load_pool_refills),
	KT_CASE(load_two_channels),
	{}
};

const struct kt_case conf_last_cases[] = {
	KT_CASE(pool_at_end),
	{}
};
