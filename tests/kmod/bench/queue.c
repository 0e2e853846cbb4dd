// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is queued already must not make a transaction, or a question about it,
 * more expensive.
 */
#include "bench.h"

#define LEN	64
#define ASKED	1000
#define ROUNDS	30
/* What is timed are so many copies: short enough to find the machine quiet at times. */
#define WINDOW	128

/* Of one queue length; the least of all rounds, ps for each copy. */
struct costs {
	u64 submit, ask, run;
};

/* A callback: when the first copies are done. */
static void note_time(void *param)
{
	WRITE_ONCE(*(u64 *)param, ktime_get_ns());
}

static dma_cookie_t submit_one(struct bench *b, unsigned int i, unsigned int count,
			       u64 *first_done)
{
	dma_async_tx_callback callback = NULL;
	void *param = NULL;

	if (i == WINDOW - 1) {
		callback = note_time;
		param = first_done;
	} else if (i == count) {
		callback = bench_done;
		param = &b->done;
	}
	return bench_submit(b->chan[0], &b->pair[0], LEN, callback, param);
}

/* @count copies, and one that tells of their end; gives the time of the last ones. */
static u64 fill_queue(struct bench *b, unsigned int count, dma_cookie_t *last, u64 *first_done)
{
	u64 start = 0;
	unsigned int i;

	for (i = 0; i <= count; i++) {
		if (i == count - WINDOW)
			start = ktime_get_ns();
		*last = submit_one(b, i, count, first_done);
		if (dma_submit_error(*last)) {
			KT_FAIL(b->t, "copy %u of %u is refused", i, count);
			return 0;
		}
	}
	return ktime_get_ns() - start;
}

static void ask(struct bench *b, dma_cookie_t cookie)
{
	struct dma_tx_state state;
	unsigned int i, wrong = 0;

	for (i = 0; i < ASKED; i++)
		if (dmaengine_tx_status(b->chan[0], cookie, &state) == DMA_COMPLETE)
			wrong++;
	KT_EXPECT_EQ(b->t, 0, wrong);
	KT_EXPECT_EQ(b->t, LEN, state.residue);
}

/* The channel is paused, so that what is submitted stays in the queue. */
static bool one_round(struct bench *b, unsigned int count, struct costs *least)
{
	/* Not on the stack: the channel is terminated after the case. */
	static u64 first_done;
	dma_cookie_t last = 0;
	u64 submit, start, asked;

	reinit_completion(&b->done);
	if (!KT_EXPECT_EQ(b->t, 0, dmaengine_pause(b->chan[0])))
		return false;
	submit = fill_queue(b, count, &last, &first_done);
	if (!submit)
		return false;
	dma_async_issue_pending(b->chan[0]);
	start = ktime_get_ns();
	ask(b, last);
	asked = ktime_get_ns() - start;
	start = ktime_get_ns();
	if (!KT_EXPECT_EQ(b->t, 0, dmaengine_resume(b->chan[0])) || !bench_wait(b))
		return false;
	least->submit = min(least->submit, div_u64(submit * 1000, WINDOW));
	least->ask = min(least->ask, div_u64(asked * 1000, ASKED));
	least->run = min(least->run, div_u64((READ_ONCE(first_done) - start) * 1000, WINDOW));
	return true;
}

static void expect_same(struct kt *t, const char *what, u64 few, u64 many)
{
	kt_note(t, "%s: a long queue costs %llu per mille of a short one", what,
		bench_permille(many, few));
	/* The descriptors of a long queue are in no cache; with a search it were far more. */
	KT_EXPECT(t, many <= 2 * few, "%s grows from %llu to %llu ps", what, few, many);
}

void queue_length(struct kt *t)
{
	static const unsigned int counts[] = { WINDOW, 1000, 10000 };
	struct costs least[ARRAY_SIZE(counts)];
	struct bench *b = to_bench(t);
	unsigned int i, round;

	if (!bench_open(b, 1) || !bench_make_pairs(b, 1, PAGE_SIZE))
		return;
	if (!b->chan[0]->device->device_pause) {
		kt_skip(t, "the provider has no pause");
		return;
	}
	memset(least, 0xff, sizeof(least));
	for (round = 0; round < ROUNDS; round++)
		for (i = 0; i < ARRAY_SIZE(counts); i++)
			if (!one_round(b, counts[i], &least[i]))
				return;
	for (i = 0; i < ARRAY_SIZE(counts); i++)
		kt_note(t, "%u queued: ps to submit %llu, to ask for the last %llu, to run %llu",
			counts[i], least[i].submit, least[i].ask, least[i].run);
	/* A few descriptors come out of what the allocator has at hand, which is cheaper. */
	expect_same(t, "submit", least[1].submit, least[i - 1].submit);
	expect_same(t, "status", least[0].ask, least[i - 1].ask);
	expect_same(t, "run", least[0].run, least[i - 1].run);
}
