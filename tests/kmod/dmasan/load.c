// SPDX-License-Identifier: GPL-2.0-only
/* Several drivers' threads at once, some of which do wrong. */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kthread.h>

#include "cases.h"
#include "rig.h"

#define THREADS	4
#define ROUNDS	1000
#define WAIT	(60 * HZ)

struct worker {
	struct kt *t;
	struct completion done;
	unsigned int id;
	bool wrong;
	u8 *page;
};

static void right_round(struct worker *worker, unsigned int round)
{
	size_t at = (round * 37) % 2048, size = 1 + (round * 91) % 2048;
	u8 *buf = worker->page + at, value = worker->id * 50 + round % 50 + 1;
	struct kt *t = worker->t;
	dma_addr_t addr;

	memset(worker->page, 0, SIZE);
	addr = map(t, buf, size, DMA_BIDIRECTIONAL);
	device_fill(t, addr, value, size);
	dma_sync_single_for_cpu(rig_of(t)->dev, addr, size, DMA_BIDIRECTIONAL);
	KT_EXPECT(t, all(buf, value, size), "worker %u", worker->id);
	dma_sync_single_for_device(rig_of(t)->dev, addr, size, DMA_BIDIRECTIONAL);
	unmap(t, addr, size, DMA_BIDIRECTIONAL);
	KT_EXPECT(t, all(worker->page, 0, at), "worker %u wrote before", worker->id);
}

static void wrong_round(struct worker *worker)
{
	struct kt *t = worker->t;
	dma_addr_t addr = raw_map(t, worker->page, SIZE, DMA_FROM_DEVICE);

	device_fill(t, addr, 1, SIZE + 1);
	raw_unmap(t, addr, SIZE, DMA_FROM_DEVICE);
}

static int work(void *data)
{
	struct worker *worker = data;
	unsigned int round;

	for (round = 0; round < ROUNDS; round++) {
		right_round(worker, round);
		if (worker->wrong && round % 10 == 0)
			wrong_round(worker);
		cond_resched();
	}
	complete(&worker->done);
	return 0;
}

static bool start(struct worker *worker)
{
	init_completion(&worker->done);
	worker->page = (u8 *)__get_free_page(GFP_KERNEL);
	return KT_EXPECT(worker->t, worker->page, "no memory") &&
	       KT_EXPECT(worker->t, !IS_ERR(kthread_run(work, worker, "dmasan-test")),
			 "no thread");
}

static void run_threads(struct kt *t, bool wrong)
{
	struct worker *workers = kcalloc(THREADS, sizeof(*workers), GFP_KERNEL);
	unsigned int i, started;

	if (!KT_EXPECT(t, workers, "no memory"))
		return;
	for (started = 0; started < THREADS; started++) {
		workers[started].t = t;
		workers[started].id = started;
		workers[started].wrong = wrong && started % 2;
		if (!start(&workers[started]))
			break;
	}
	for (i = 0; i < started; i++)
		if (!KT_EXPECT(t, wait_for_completion_timeout(&workers[i].done, WAIT),
			       "worker %u doesn't end", i))
			return;
	for (i = 0; i < THREADS; i++)
		free_page((unsigned long)workers[i].page);
	kfree(workers);
}

void threads(struct kt *t)
{
	run_threads(t, false);
	expect_silence(t);
}

void threads_wrong(struct kt *t)
{
	run_threads(t, true);
	expect_only(t, "overrun");
}
