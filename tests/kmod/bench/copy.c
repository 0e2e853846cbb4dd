// SPDX-License-Identifier: GPL-2.0-only
/*
 * Long copies: the controller against memcpy() of the same buffers.
 */
#include "bench.h"

#define DEPTH	32
#define ROUNDS	25

/* What one copy takes, ns; the least of all rounds. */
struct costs {
	u64 cpu, queued, single;
};

static u64 time_cpu(struct bench *b, size_t len)
{
	const struct bench_pair *pair;
	unsigned int i;
	u64 start;

	bench_to_cpu(b);
	start = ktime_get_ns();
	for (i = 0; i < DEPTH; i++) {
		pair = &b->pair[i % b->pairs];
		memcpy(pair->dst, pair->src, len);
		/* It may not be left out because of the next one. */
		barrier_data(pair->dst);
	}
	start = ktime_get_ns() - start;
	bench_to_device(b);
	return div_u64(start, DEPTH);
}

static u64 time_queued(struct bench *b, size_t len)
{
	u64 start = ktime_get_ns();

	bench_copies(b, DEPTH, len);
	return div_u64(ktime_get_ns() - start, DEPTH);
}

static u64 time_single(struct bench *b, size_t len)
{
	u64 start = ktime_get_ns();

	bench_copies(b, 1, len);
	return ktime_get_ns() - start;
}

static bool measure(struct bench *b, size_t len, struct costs *least)
{
	unsigned int i;

	*least = (struct costs){ U64_MAX, U64_MAX, U64_MAX };
	for (i = 0; i < ROUNDS && !kt_over(b->t); i++) {
		least->cpu = min(least->cpu, time_cpu(b, len));
		least->queued = min(least->queued, time_queued(b, len));
		least->single = min(least->single, time_single(b, len));
	}
	return !kt_over(b->t);
}

/* What is measured has to be a copy. */
static void verify(struct bench *b, size_t len)
{
	unsigned int i;

	bench_to_cpu(b);
	for (i = 0; i < b->pairs; i++)
		memset(b->pair[i].dst, 0, len);
	bench_to_device(b);
	if (!bench_copies(b, b->pairs, len))
		return;
	bench_to_cpu(b);
	for (i = 0; i < b->pairs; i++)
		KT_EXPECT(b->t, !memcmp(b->pair[i].dst, b->pair[i].src, len), "pair %u", i);
	bench_to_device(b);
}

static void judge(struct bench *b, const struct costs *least)
{
	u64 queued = bench_permille(least->cpu, least->queued);

	kt_note(b->t, "memcpy %llu ns, depth %u %llu ns (%llu per mille), depth 1 %llu ns (%llu)",
		least->cpu, DEPTH, least->queued, queued, least->single,
		bench_permille(least->cpu, least->single));
	KT_EXPECT(b->t, queued >= 10 * b->min_copy, "below %u %%", b->min_copy);
}

static void copy(struct kt *t, size_t len)
{
	struct bench *b = to_bench(t);
	struct costs least;

	if (!bench_open(b, 1) || !bench_make_pairs(b, BENCH_PAIRS, len))
		return;
	verify(b, len);
	if (measure(b, len, &least))
		judge(b, &least);
}

void copy_64k(struct kt *t)
{
	copy(t, SZ_64K);
}

void copy_256k(struct kt *t)
{
	copy(t, SZ_256K);
}

void copy_1m(struct kt *t)
{
	copy(t, SZ_1M);
}
