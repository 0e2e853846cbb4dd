// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transfers that go round a ring of periods until they are terminated.
 */
#include <linux/delay.h>

#include "conf.h"

#define PERIOD	256
#define RING	(4 * PERIOD)

static bool need_cyclic(struct conf *c)
{
	if (c->p.no_cyclic) {
		kt_skip(c->t, "no_cyclic");
		return false;
	}
	return conf_need(c, DMA_CYCLIC) && conf_need_loopback(c);
}

/* The ring is coherent: both sides use it all the time. */
static struct conf_job *start_cyclic(struct conf *c, struct conf_buf *ring,
				     enum dma_transfer_direction dir)
{
	struct dma_chan *chan = dir == DMA_MEM_TO_DEV ? c->tx : c->rx;
	struct dma_async_tx_descriptor *tx;
	struct conf_job *job;

	tx = dmaengine_prep_dma_cyclic(chan, ring->dma, RING, PERIOD, dir, DMA_PREP_INTERRUPT);
	job = conf_job(c, chan, tx);
	if (!job)
		return NULL;
	job->endless = true;
	return conf_start(job) ? job : NULL;
}

static bool wait_calls(struct conf *c, struct conf_job *job, int count)
{
	unsigned long end = jiffies + msecs_to_jiffies(c->p.timeout_ms);

	/* Several periods may share a callback, unless it is known better. */
	if (!c->p.strict)
		count = 1;
	while (atomic_read(&job->calls) < count) {
		if (time_after(jiffies, end) || signal_pending(current))
			return KT_FAIL(c->t, "%d callbacks instead of %d",
				       atomic_read(&job->calls), count);
		usleep_range(100, 200);
	}
	return KT_EXPECT_EQ(c->t, DMA_IN_PROGRESS, conf_status(job, NULL));
}

static bool send(struct conf *c, struct conf_buf *src, size_t off, size_t len)
{
	struct conf_job *tx = conf_slave_part(c, src, off, len, DMA_MEM_TO_DEV);

	if (!tx || !conf_run(tx))
		return false;
	conf_table_unmap(tx->data);
	return true;
}

static bool end_cyclic(struct conf *c, struct conf_job *job)
{
	int calls;

	if (!conf_terminate(c, job->chan))
		return false;
	calls = atomic_read(&job->calls);
	conf_quiet(c);
	return KT_EXPECT_EQ(c->t, calls, atomic_read(&job->calls));
}

/* Two rounds and a half. */
static void receive_rounds(struct conf *c, struct conf_buf *ring, struct conf_buf *src)
{
	struct conf_job *job = start_cyclic(c, ring, DMA_DEV_TO_MEM);
	u32 residue;

	if (!job || !send(c, src, 0, 10 * PERIOD) || !wait_calls(c, job, 10))
		return;
	conf_status(job, &residue);
	if (conf_caps(c->rx).residue_granularity != DMA_RESIDUE_GRANULARITY_DESCRIPTOR)
		KT_EXPECT_EQ(c->t, RING / 2, residue);
	if (c->p.strict)
		KT_EXPECT_EQ(c->t, 10, atomic_read(&job->calls));
	if (!end_cyclic(c, job))
		return;
	conf_image_copy(ring, 0, src, 2 * RING, RING / 2);
	conf_image_copy(ring, RING / 2, src, RING + RING / 2, RING / 2);
	conf_verify(c, ring);
}

static void cyclic_from_device(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *ring, *src;

	if (!need_cyclic(c))
		return;
	ring = conf_buf_coherent(c, SZ_4K);
	src = conf_buf(c, SZ_4K);
	if (ring && src)
		receive_rounds(c, ring, src);
}

/* Takes @rounds out of the FIFO, which the ring fills. */
static bool take_rounds(struct conf *c, struct conf_buf *dst, struct conf_buf *ring,
			unsigned int rounds)
{
	struct conf_job *rx = conf_slave_part(c, dst, 0, rounds * RING, DMA_DEV_TO_MEM);
	unsigned int i;

	if (!rx || !conf_run(rx))
		return false;
	conf_table_unmap(rx->data);
	for (i = 0; i < rounds; i++)
		conf_image_copy(dst, i * RING, ring, 0, RING);
	return conf_verify(c, dst);
}

static void cyclic_to_device(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *ring, *dst;
	struct conf_job *job;
	unsigned int i;

	if (!need_cyclic(c))
		return;
	ring = conf_buf_coherent(c, SZ_4K);
	dst = conf_buf(c, 4 * RING);
	job = ring && dst ? start_cyclic(c, ring, DMA_MEM_TO_DEV) : NULL;
	if (!job)
		return;
	for (i = 1; i <= 3; i++)
		if (!take_rounds(c, dst, ring, 4) || !wait_calls(c, job, i * 4 * RING / PERIOD))
			return;
	end_cyclic(c, job);
}

static void cyclic_pause(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *ring, *src;
	struct conf_job *job;

	if (!need_cyclic(c))
		return;
	if (!conf_caps(c->rx).cmd_pause || !conf_caps(c->rx).cmd_resume) {
		kt_skip(t, "the provider has no pause and resume");
		return;
	}
	ring = conf_buf_coherent(c, SZ_4K);
	src = conf_buf(c, SZ_4K);
	job = ring && src ? start_cyclic(c, ring, DMA_DEV_TO_MEM) : NULL;
	if (!job || !send(c, src, 0, PERIOD) || !wait_calls(c, job, 1) ||
	    !KT_EXPECT_EQ(t, 0, dmaengine_pause(c->rx)) || !send(c, src, PERIOD, PERIOD))
		return;
	KT_EXPECT_EQ(t, DMA_PAUSED, conf_status(job, NULL));
	conf_quiet(c);
	KT_EXPECT_EQ(t, 1, atomic_read(&job->calls));
	conf_image_copy(ring, 0, src, 0, PERIOD);
	conf_verify(c, ring);
	if (!KT_EXPECT_EQ(t, 0, dmaengine_resume(c->rx)) || !wait_calls(c, job, 2))
		return;
	if (c->p.strict) {
		conf_image_copy(ring, PERIOD, src, PERIOD, PERIOD);
		conf_verify(c, ring);
	}
	end_cyclic(c, job);
}

static void cyclic_again(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *ring, *src;
	unsigned int i;

	if (!need_cyclic(c))
		return;
	ring = conf_buf_coherent(c, SZ_4K);
	src = conf_buf(c, SZ_4K);
	for (i = 0; ring && src && i < 10 && !kt_over(t); i++) {
		conf_fill(c, src, 0, SZ_4K);
		receive_rounds(c, ring, src);
	}
}

static void refused(struct conf *c, struct conf_buf *ring, size_t len, size_t period,
		    enum dma_transfer_direction dir)
{
	struct dma_async_tx_descriptor *tx;

	tx = dmaengine_prep_dma_cyclic(c->rx, ring->dma, len, period, dir, DMA_PREP_INTERRUPT);
	KT_EXPECT(c->t, !tx, "%zu bytes in periods of %zu, direction %d", len, period, dir);
}

static void cyclic_bad_arguments(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *ring;

	if (!c->p.strict) {
		kt_skip(t, "not strict: providers divide by a period of 0");
		return;
	}
	if (!need_cyclic(c))
		return;
	ring = conf_buf_coherent(c, SZ_4K);
	if (!ring)
		return;
	refused(c, ring, 0, PERIOD, DMA_DEV_TO_MEM);
	refused(c, ring, RING, 0, DMA_DEV_TO_MEM);
	refused(c, ring, PERIOD, RING, DMA_DEV_TO_MEM);
	refused(c, ring, RING, PERIOD, DMA_MEM_TO_MEM);
	refused(c, ring, RING, PERIOD, DMA_TRANS_NONE);
}

const struct kt_case conf_cyclic_cases[] = {
	KT_CASE(cyclic_from_device),
	KT_CASE(cyclic_to_device),
	KT_CASE(cyclic_pause),
	KT_CASE(cyclic_again),
	KT_CASE(cyclic_bad_arguments),
	{}
};
