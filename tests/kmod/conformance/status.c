// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a channel tells of a transaction, and whether it stands still when it
 * is paused.
 */
#include <linux/delay.h>

#include "conf.h"

#define TRIES 20

static void status_before_issue(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_batch *batch;
	u32 residue;

	if (!conf_need(c, DMA_MEMCPY))
		return;
	batch = conf_batch(c, c->chan, 1, SZ_4K);
	if (!batch)
		return;
	KT_EXPECT_EQ(t, DMA_IN_PROGRESS, conf_status(batch->job[0], &residue));
	/* Many providers count what is issued only. */
	KT_EXPECT(t, residue == 0 || residue == batch->len, "%u", residue);
	dma_async_issue_pending(c->chan);
	conf_batch_finish(c, batch);
}

/*
 * The second one can't have started if the first is not complete afterwards.
 * Returns whether that was seen. With interrupts off it is likelier.
 */
static bool look_at_queued(struct conf *c, struct conf_batch *batch)
{
	enum dma_status status, first;
	unsigned long flags;
	u32 residue;

	local_irq_save(flags);
	dma_async_issue_pending(c->chan);
	status = conf_status(batch->job[1], &residue);
	first = conf_status(batch->job[0], NULL);
	local_irq_restore(flags);
	if (first != DMA_IN_PROGRESS)
		return false;
	KT_EXPECT_EQ(c->t, DMA_IN_PROGRESS, status);
	KT_EXPECT_EQ(c->t, batch->len, residue);
	return true;
}

static void status_queued(struct kt *t)
{
	struct conf *c = to_conf(t);
	size_t len = round_down(c->max_len / 4, c->align);
	struct conf_batch *batch;
	bool seen = false;
	unsigned int i;

	if (!conf_need_order(c))
		return;
	for (i = 0; i < TRIES && !seen && !kt_over(t); i++) {
		batch = conf_batch(c, c->chan, 2, len);
		if (!batch)
			return;
		seen = look_at_queued(c, batch);
		if (!conf_batch_finish(c, batch))
			return;
		conf_give_back(c);
	}
	if (!seen)
		kt_skip(t, "it is too fast: nothing is ever queued");
}

/* Looks again and again until it is complete; returns how many values it saw. */
static unsigned int watch_residue(struct conf *c, struct conf_job *job)
{
	unsigned long end = jiffies + msecs_to_jiffies(c->p.timeout_ms);
	u32 before = job->len, residue;
	unsigned int between = 0;

	while (conf_status(job, &residue) != DMA_COMPLETE) {
		if (!KT_EXPECT(c->t, residue <= before, "it rose from %u to %u", before, residue))
			break;
		between += residue != before && residue;
		before = residue;
		if (!KT_EXPECT(c->t, !time_after(jiffies, end), "it takes for ever"))
			break;
		usleep_range(20, 50);
	}
	return between;
}

static void status_residue_falls(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_batch *batch;
	unsigned int i, values = 0;

	if (!conf_need(c, DMA_MEMCPY))
		return;
	for (i = 0; i < 4 && !kt_over(t); i++) {
		batch = conf_batch(c, c->chan, 1, c->max_len);
		if (!batch)
			return;
		dma_async_issue_pending(c->chan);
		values += watch_residue(c, batch->job[0]);
		if (!conf_batch_finish(c, batch))
			return;
		conf_give_back(c);
	}
	kt_note(t, "%u values were seen between start and end", values);
	if (conf_caps(c->chan).residue_granularity == DMA_RESIDUE_GRANULARITY_DESCRIPTOR)
		KT_EXPECT_EQ(t, 0, values);
}

static void status_complete(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_batch *batch;
	dma_cookie_t last, used;

	if (!conf_need_order(c))
		return;
	batch = conf_batch(c, c->chan, 3, SZ_1K);
	if (!batch)
		return;
	dma_async_issue_pending(c->chan);
	if (!conf_batch_finish(c, batch))
		return;
	KT_EXPECT_EQ(t, DMA_COMPLETE,
		     dma_async_is_tx_complete(c->chan, batch->job[0]->cookie, &last, &used));
	KT_EXPECT_EQ(t, batch->job[2]->cookie, last);
	KT_EXPECT_EQ(t, batch->job[2]->cookie, used);
}

/* A transaction stays complete, whatever comes after it. */
static void status_of_old(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_batch *first, *batch;
	unsigned int i;

	if (!conf_need_order(c))
		return;
	first = conf_batch(c, c->chan, 1, 64);
	if (!first)
		return;
	dma_async_issue_pending(c->chan);
	if (!conf_batch_finish(c, first))
		return;
	for (i = 0; i < 8; i++) {
		batch = conf_batch(c, c->chan, 16, 64);
		if (!batch)
			return;
		dma_async_issue_pending(c->chan);
		KT_EXPECT_EQ(t, DMA_COMPLETE, conf_status(first->job[0], NULL));
		if (!conf_batch_finish(c, batch))
			return;
	}
	KT_EXPECT_EQ(t, DMA_COMPLETE, conf_status(first->job[0], NULL));
}

static void status_without_state(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_batch *batch;
	enum dma_status status;

	if (!conf_need_order(c))
		return;
	batch = conf_batch(c, c->chan, 2, SZ_4K);
	if (!batch)
		return;
	status = dmaengine_tx_status(c->chan, batch->job[0]->cookie, NULL);
	KT_EXPECT_EQ(t, DMA_IN_PROGRESS, status);
	dma_async_issue_pending(c->chan);
	dmaengine_tx_status(c->chan, batch->job[0]->cookie, NULL);
	dmaengine_tx_status(c->chan, batch->job[1]->cookie, NULL);
	if (!conf_batch_finish(c, batch))
		return;
	status = dmaengine_tx_status(c->chan, batch->job[0]->cookie, NULL);
	KT_EXPECT_EQ(t, DMA_COMPLETE, status);
}

/* ---- pause ---- */

static bool need_pause(struct conf *c, bool resume)
{
	struct dma_slave_caps caps = conf_caps(c->chan);

	if (!conf_need(c, DMA_MEMCPY))
		return false;
	if (!caps.cmd_pause)
		kt_skip(c->t, "the provider has no pause");
	else if (resume && !caps.cmd_resume)
		kt_skip(c->t, "the provider has no resume");
	return caps.cmd_pause && (!resume || caps.cmd_resume);
}

/* With interrupts off it can't get far, and clients do it from atomic context. */
static bool issue_and_pause(struct conf *c)
{
	unsigned long flags;
	int err;

	local_irq_save(flags);
	dma_async_issue_pending(c->chan);
	err = dmaengine_pause(c->chan);
	local_irq_restore(flags);
	return KT_EXPECT_EQ(c->t, 0, err);
}

/* A batch that was paused before its last transaction was complete, or NULL. */
static struct conf_batch *paused_batch(struct conf *c)
{
	struct conf_batch *batch;
	unsigned int i;

	for (i = 0; i < TRIES && !kt_over(c->t); i++) {
		batch = conf_batch(c, c->chan, 4, round_down(c->max_len / 4, c->align));
		if (!batch)
			return NULL;
		if (!issue_and_pause(c))
			return NULL;
		if (conf_status(batch->job[3], NULL) != DMA_COMPLETE)
			return batch;
		if (!conf_terminate(c, c->chan))
			return NULL;
		conf_give_back(c);
	}
	if (!kt_over(c->t))
		kt_skip(c->t, "it is too fast to be paused");
	return NULL;
}

static void residues(struct conf_batch *batch, u32 *residue)
{
	unsigned int i;

	for (i = 0; i < batch->count; i++)
		conf_status(batch->job[i], &residue[i]);
}

static bool stands_still(struct conf *c, struct conf_batch *batch)
{
	u32 before[4], later[4];
	unsigned int i;

	/* A burst or a callback may be on its way. */
	conf_quiet(c);
	residues(batch, before);
	if (!conf_no_more_callbacks(c))
		return false;
	residues(batch, later);
	for (i = 0; i < 4; i++)
		if (!KT_EXPECT_EQ(c->t, before[i], later[i]))
			return false;
	return KT_EXPECT(c->t, conf_status(batch->job[3], NULL) != DMA_COMPLETE);
}

static bool shows_paused(struct conf_batch *batch)
{
	unsigned int i;

	for (i = 0; i < batch->count; i++)
		if (conf_status(batch->job[i], NULL) == DMA_PAUSED)
			return true;
	return false;
}

static void pause_stands_still(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_batch *batch;

	if (!need_pause(c, false))
		return;
	batch = paused_batch(c);
	if (!batch || !stands_still(c, batch))
		return;
	if (!shows_paused(batch))
		kt_note(t, "no transaction shows DMA_PAUSED");
	if (!conf_terminate(c, c->chan))
		return;
	conf_verify_partial(c, batch->dst, batch->old);
	conf_verify_still(c, batch->dst);
}

static void pause_resumed(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_batch *batch;
	unsigned int i;

	if (!need_pause(c, true))
		return;
	for (i = 0; i < 3; i++) {
		batch = paused_batch(c);
		if (!batch || !stands_still(c, batch) ||
		    !KT_EXPECT_EQ(t, 0, dmaengine_resume(c->chan)) ||
		    !conf_batch_finish(c, batch))
			return;
		conf_give_back(c);
		atomic_set(&c->callbacks, 0);
	}
}

/* What is issued on a channel that was paused before waits for resume. */
static void pause_idle(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_batch *batch;

	if (!need_pause(c, true))
		return;
	if (!c->p.strict) {
		kt_skip(t, "not strict: pausing an idle channel is not described");
		return;
	}
	KT_EXPECT_EQ(t, 0, dmaengine_pause(c->chan));
	batch = conf_batch(c, c->chan, 4, SZ_4K);
	if (!batch)
		return;
	dma_async_issue_pending(c->chan);
	conf_quiet(c);
	KT_EXPECT_EQ(t, 0, atomic_read(&c->callbacks));
	if (KT_EXPECT_EQ(t, 0, dmaengine_resume(c->chan)))
		conf_batch_finish(c, batch);
}

static void pause_not_offered(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct dma_slave_caps caps = conf_caps(c->chan);

	if (caps.cmd_pause && caps.cmd_resume) {
		kt_skip(t, "the provider has pause and resume");
		return;
	}
	if (!caps.cmd_pause)
		KT_EXPECT(t, dmaengine_pause(c->chan) < 0);
	if (!caps.cmd_resume)
		KT_EXPECT(t, dmaengine_resume(c->chan) < 0);
}

const struct kt_case conf_status_cases[] = {
	KT_CASE(status_before_issue),
	KT_CASE(status_queued),
	KT_CASE(status_residue_falls),
	KT_CASE(status_complete),
	KT_CASE(status_of_old),
	KT_CASE(status_without_state),
	KT_CASE(pause_stands_still),
	KT_CASE(pause_resumed),
	KT_CASE(pause_idle),
	KT_CASE(pause_not_offered),
	{}
};
