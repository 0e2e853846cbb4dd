// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transactions that do nothing but tell that their turn has come.
 */
#include "conf.h"

static struct conf_job *interrupt(struct conf *c)
{
	return conf_job(c, c->chan,
			c->chan->device->device_prep_dma_interrupt(c->chan, CONF_FLAGS));
}

static void interrupt_alone(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_job *job;
	unsigned int i;

	if (!conf_need(c, DMA_INTERRUPT))
		return;
	for (i = 0; i < 10; i++) {
		job = interrupt(c);
		if (!job || !conf_run(job))
			return;
	}
}

/* It comes when all before it is done. */
static void interrupt_in_order(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_batch *batch;
	struct conf_job *job;

	if (!conf_need(c, DMA_INTERRUPT) || !conf_need_order(c))
		return;
	batch = conf_batch(c, c->chan, 4, SZ_16K);
	job = batch ? interrupt(c) : NULL;
	if (!job || !conf_run(job))
		return;
	KT_EXPECT_EQ(t, 4, job->number);
	KT_EXPECT_EQ(t, DMA_COMPLETE, conf_status(batch->job[3], NULL));
	conf_batch_finish(c, batch);
}

const struct kt_case conf_interrupt_cases[] = {
	KT_CASE(interrupt_alone),
	KT_CASE(interrupt_in_order),
	{}
};
