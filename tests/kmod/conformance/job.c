// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transactions with their callbacks, and how they are waited for.
 */
#include <linux/delay.h>

#include "conf.h"

static void called_back(void *data, const struct dmaengine_result *result)
{
	struct conf_job *job = data;

	job->number = atomic_inc_return(&job->c->callbacks) - 1;
	if (result)
		job->result = *result;
	atomic_inc(&job->calls);
	if (job->hook)
		job->hook(job);
	complete(&job->done);
}

struct conf_job *conf_job_empty(struct conf *c, struct dma_chan *chan)
{
	struct conf_job *job = conf_alloc(c, sizeof(*job));

	if (!job)
		return NULL;
	job->c = c;
	job->chan = chan;
	init_completion(&job->done);
	mutex_lock(&c->lock);
	list_add_tail(&job->node, &c->jobs);
	mutex_unlock(&c->lock);
	return job;
}

bool conf_job_attach(struct conf_job *job, struct dma_async_tx_descriptor *tx)
{
	if (!KT_EXPECT(job->c->t, tx, "it is not prepared"))
		return false;
	job->tx = tx;
	job->inherited = tx->callback || tx->callback_result;
	/* Not every provider forgets what its descriptors had before. */
	tx->callback = NULL;
	tx->callback_result = called_back;
	tx->callback_param = job;
	return true;
}

struct conf_job *conf_job(struct conf *c, struct dma_chan *chan,
			  struct dma_async_tx_descriptor *tx)
{
	struct conf_job *job = conf_job_empty(c, chan);

	return job && conf_job_attach(job, tx) ? job : NULL;
}

bool conf_submit(struct conf_job *job)
{
	job->cookie = dmaengine_submit(job->tx);
	return KT_EXPECT(job->c->t, job->cookie >= DMA_MIN_COOKIE, "%d", job->cookie);
}

bool conf_start(struct conf_job *job)
{
	if (!conf_submit(job))
		return false;
	dma_async_issue_pending(job->chan);
	return true;
}

enum dma_status conf_status(struct conf_job *job, u32 *residue)
{
	struct dma_tx_state state = {};
	enum dma_status status = dmaengine_tx_status(job->chan, job->cookie, &state);

	if (residue)
		*residue = state.residue;
	return status;
}

static bool fail_waiting(struct conf_job *job, long left)
{
	enum dma_status status;
	u32 residue;

	if (left < 0)
		return KT_FAIL(job->c->t, "interrupted");
	status = conf_status(job, &residue);
	return KT_FAIL(job->c->t, "no callback in %llu ms; status %d, residue %u",
		       job->c->p.timeout_ms, status, residue);
}

bool conf_wait(struct conf_job *job)
{
	long left = wait_for_completion_interruptible_timeout(&job->done,
				msecs_to_jiffies(job->c->p.timeout_ms));

	return left > 0 ? true : fail_waiting(job, left);
}

bool conf_finish(struct conf_job *job)
{
	struct kt *t = job->c->t;
	enum dma_status status;
	u32 residue;
	bool good;

	if (!conf_wait(job))
		return false;
	status = conf_status(job, &residue);
	good = KT_EXPECT_EQ(t, 1, atomic_read(&job->calls));
	good &= KT_EXPECT_EQ(t, DMA_TRANS_NOERROR, job->result.result);
	good &= KT_EXPECT_EQ(t, 0, job->result.residue);
	/* Without an order, a cookie alone does not tell. */
	if (conf_in_order(job->chan))
		good &= KT_EXPECT_EQ(t, DMA_COMPLETE, status);
	good &= KT_EXPECT_EQ(t, 0, residue);
	return good;
}

bool conf_run(struct conf_job *job)
{
	return conf_start(job) && conf_finish(job);
}

bool conf_wait_callbacks(struct conf *c, int count)
{
	unsigned long end = jiffies + msecs_to_jiffies(c->p.timeout_ms);

	while (atomic_read(&c->callbacks) < count) {
		if (time_after(jiffies, end) || signal_pending(current))
			return KT_FAIL(c->t, "%d callbacks instead of %d",
				       atomic_read(&c->callbacks), count);
		usleep_range(100, 200);
	}
	return true;
}

bool conf_no_more_callbacks(struct conf *c)
{
	int before = atomic_read(&c->callbacks);

	conf_quiet(c);
	return KT_EXPECT_EQ(c->t, before, atomic_read(&c->callbacks));
}

void conf_quiet(struct conf *c)
{
	msleep(c->p.quiet_ms);
}

/* ---- copies ---- */

struct conf_job *conf_copy_job(struct conf *c, struct dma_chan *chan, struct conf_buf *dst,
			       size_t dst_off, struct conf_buf *src, size_t src_off, size_t len,
			       unsigned long flags)
{
	struct dma_async_tx_descriptor *tx;
	struct conf_job *job;

	tx = dmaengine_prep_dma_memcpy(chan, conf_addr(dst, dst_off), conf_addr(src, src_off),
				       len, flags);
	job = conf_job(c, chan, tx);
	if (!job)
		return NULL;
	job->len = len;
	conf_image_copy(dst, dst_off, src, src_off, len);
	return job;
}

bool conf_copy(struct conf *c, struct conf_buf *dst, size_t dst_off, struct conf_buf *src,
	       size_t src_off, size_t len)
{
	struct conf_job *job;
	bool good;

	if (!conf_map(c, c->chan, src, src_off, len, DMA_TO_DEVICE) ||
	    !conf_map(c, c->chan, dst, dst_off, len, DMA_FROM_DEVICE))
		return false;
	job = conf_copy_job(c, c->chan, dst, dst_off, src, src_off, len, CONF_FLAGS);
	if (!job || !conf_run(job)) {
		KT_FAIL(c->t, "a copy of %zu bytes from offset %zu to %zu", len, src_off, dst_off);
		return false;
	}
	good = conf_verify(c, src);
	good &= conf_verify(c, dst);
	return good || KT_FAIL(c->t, "a copy of %zu bytes from offset %zu to %zu", len,
			       src_off, dst_off);
}

static struct conf_batch *batch_buffers(struct conf *c, struct dma_chan *chan,
					unsigned int count, size_t len)
{
	struct conf_batch *batch = conf_alloc(c, struct_size(batch, job, count));

	if (!batch)
		return NULL;
	batch->count = count;
	batch->len = len;
	batch->src = conf_buf(c, count * len);
	batch->dst = conf_buf(c, count * len);
	batch->old = conf_alloc(c, count * len);
	if (!batch->src || !batch->dst || !batch->old)
		return NULL;
	memcpy(batch->old, batch->dst->cpu, count * len);
	if (!conf_map(c, chan, batch->src, 0, count * len, DMA_TO_DEVICE) ||
	    !conf_map(c, chan, batch->dst, 0, count * len, DMA_BIDIRECTIONAL))
		return NULL;
	return batch;
}

struct conf_batch *conf_batch(struct conf *c, struct dma_chan *chan, unsigned int count,
			      size_t len)
{
	struct conf_batch *batch;
	unsigned int i;

	len = min(conf_round(c, len), c->max_len);
	batch = batch_buffers(c, chan, count, len);
	if (!batch)
		return NULL;
	for (i = 0; i < count; i++) {
		batch->job[i] = conf_copy_job(c, chan, batch->dst, i * len, batch->src, i * len,
					      len, CONF_FLAGS);
		if (!batch->job[i] || !conf_submit(batch->job[i]))
			return NULL;
	}
	return batch;
}

bool conf_batch_finish(struct conf *c, struct conf_batch *batch)
{
	unsigned int i;
	bool good;

	for (i = 0; i < batch->count; i++)
		if (!conf_finish(batch->job[i]))
			return KT_FAIL(c->t, "number %u of %u", i, batch->count);
	for (i = 1; i < batch->count && conf_in_order(batch->job[i]->chan); i++)
		if (!KT_EXPECT(c->t, batch->job[i]->number > batch->job[i - 1]->number))
			return false;
	good = conf_verify(c, batch->src);
	good &= conf_verify(c, batch->dst);
	return good;
}
