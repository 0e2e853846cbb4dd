// SPDX-License-Identifier: GPL-2.0-only
/*
 * Small copies, one at a time and many at once. What a batch saves is the
 * wake-ups: of the provider's thread, and of who waits for the callback.
 */
#include <linux/sched/signal.h>

#include "bench.h"

#define BATCH	32
#define ROUNDS	100
#define LEN	64

/* How often the provider's threads went to sleep; -1 if it has none. */
static s64 count_sleeps(struct bench *b)
{
	const char *name = dev_name(b->chan[0]->device->dev);
	size_t len = min_t(size_t, strlen(name), TASK_COMM_LEN - 1);
	struct task_struct *task;
	s64 sleeps = -1;

	rcu_read_lock();
	for_each_process(task)
		if ((task->flags & PF_KTHREAD) && !strncmp(task->comm, name, len))
			sleeps = max(sleeps, 0LL) + READ_ONCE(task->nvcsw);
	rcu_read_unlock();
	return sleeps;
}

/*
 * One batch with a callback for each copy. Written by the callbacks, which run
 * one after the other, and read when they have.
 */
struct batch {
	struct bench *b;
	dma_cookie_t last;		/* set before any is issued */
	unsigned int calls;
	unsigned int runs;		/* that found something left to do */
};

static void called(void *param)
{
	struct batch *batch = param;

	/* As long as the last copy is to be done, there will be another run. */
	if (dma_async_is_tx_complete(batch->b->chan[0], batch->last, NULL, NULL) != DMA_COMPLETE)
		batch->runs++;
	if (++batch->calls == BATCH)
		complete(&batch->b->done);
}

static bool run_batch(struct batch *batch)
{
	struct bench *b = batch->b;
	unsigned int i;

	reinit_completion(&b->done);
	batch->calls = 0;
	for (i = 0; i < BATCH; i++) {
		batch->last = bench_submit(b->chan[0], &b->pair[0], LEN, called, batch);
		if (dma_submit_error(batch->last)) {
			KT_FAIL(b->t, "copy %u is refused", i);
			return false;
		}
	}
	dma_async_issue_pending(b->chan[0]);
	return bench_wait(b);
}

/* ns of one copy in batches, on average: a wake-up now and then is part of it. */
static u64 time_batches(struct bench *b, struct batch *batch)
{
	u64 start = ktime_get_ns();
	unsigned int i;

	for (i = 0; i < ROUNDS && run_batch(batch); i++)
		;
	return div_u64(ktime_get_ns() - start, ROUNDS * BATCH);
}

static u64 time_singles(struct bench *b)
{
	u64 start = ktime_get_ns();
	unsigned int i;

	for (i = 0; i < ROUNDS && bench_copies(b, 1, LEN); i++)
		;
	return div_u64(ktime_get_ns() - start, ROUNDS);
}

void batch_of_32(struct kt *t)
{
	/* Not on the stack: the channel is terminated after this function. */
	static struct batch batch;
	struct bench *b = to_bench(t);
	u64 single, batched;
	s64 before, sleeps;

	if (!bench_open(b, 1) || !bench_make_pairs(b, 1, PAGE_SIZE))
		return;
	batch = (struct batch){ .b = b };
	single = time_singles(b);
	before = count_sleeps(b);
	batched = time_batches(b, &batch);
	sleeps = count_sleeps(b) - before;
	if (kt_over(t))
		return;
	kt_note(t, "%u bytes: single %llu ns, %llu/s; in batches of %u %llu ns, %llu/s", LEN,
		single, div64_u64(NSEC_PER_SEC, max(single, 1ULL)), BATCH, batched,
		div64_u64(NSEC_PER_SEC, max(batched, 1ULL)));
	kt_note(t, "%u batches: %lld wake-ups of the provider, %u callbacks before the last copy",
		ROUNDS, sleeps, batch.runs);
	/* A tick of the clock may end a time slice in any of them. */
	KT_EXPECT(t, batch.runs <= ROUNDS * BATCH / 20, "callbacks are run too early");
	KT_EXPECT(t, batched * 2 < single, "batches save nothing");
	if (before < 0)
		kt_note(t, "the provider has no thread of its own");
	else
		KT_EXPECT(t, sleeps <= ROUNDS + ROUNDS / 10, "%lld wake-ups", sleeps);
}
