/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dmabench: what a dmaengine provider costs, measured by a client in the kernel.
 * What its parts share.
 *
 * A case opens the channels and makes the buffers that it needs, and just
 * returns: after it, the channels are terminated, and all is given back. What
 * is measured is the least of several rounds, and what is asserted is a ratio
 * between things that took turns in these rounds.
 */
#ifndef BENCH_H
#define BENCH_H

#include <linux/completion.h>
#include <linux/dmaengine.h>
#include <linux/dma-mapping.h>
#include <linux/math64.h>
#include <linux/sizes.h>

#include "ktap.h"

#define BENCH_CHANNELS	64
#define BENCH_PAIRS	4
#define BENCH_NAME	64

/* Memory that is copied from and to; both sides are mapped while the case runs. */
struct bench_pair {
	void *src, *dst;
	dma_addr_t src_dma, dst_dma;
	size_t size;
};

/* One run; only the thread that runs the cases writes here. */
struct bench {
	struct kt *t;
	char provider[BENCH_NAME];	/* its device's name; empty: any */
	u32 min_copy;			/* per cent of memcpy()'s speed; 0: only shown */
	u32 timeout_ms;			/* of any wait */
	struct dma_chan *chan[BENCH_CHANNELS];
	unsigned int chans;
	struct bench_pair pair[BENCH_PAIRS];
	unsigned int pairs;
	struct completion done;		/* completed by bench_done() */
};

static inline struct bench *to_bench(struct kt *t)
{
	return t->data;
}

/*
 * Requests up to @most channels of the provider. Fails the case, and gives
 * false, if there is none.
 */
bool bench_open(struct bench *b, unsigned int most);
/* Makes pairs of buffers of that size, filled; fails the case if that is not possible. */
bool bench_make_pairs(struct bench *b, unsigned int count, size_t size);
/* The buffers are the CPU's, or the controller's again. */
void bench_to_cpu(struct bench *b);
void bench_to_device(struct bench *b);
/* Terminates and gives back all. */
void bench_close(struct bench *b);

/*
 * Submits a copy of the first @len bytes of a pair. Without a callback there is
 * none. A cookie, or an error. Any context.
 */
dma_cookie_t bench_submit(struct dma_chan *chan, const struct bench_pair *pair, size_t len,
			  dma_async_tx_callback callback, void *param);
/* A callback whose parameter is the completion. */
void bench_done(void *param);
/* Waits for b->done; fails the case if it takes too long. */
bool bench_wait(struct bench *b);
/*
 * Submits @count copies of @len bytes, the pairs in turn, issues them together
 * and waits for the last.
 */
bool bench_copies(struct bench *b, unsigned int count, size_t len);

/* How many per mille @part is of @whole. */
static inline u64 bench_permille(u64 part, u64 whole)
{
	return whole ? div64_u64(part * 1000, whole) : U64_MAX;
}

/* The cases. */
void copy_64k(struct kt *t);
void copy_256k(struct kt *t);
void copy_1m(struct kt *t);
void batch_of_32(struct kt *t);
void queue_length(struct kt *t);
void fair_same_size(struct kt *t);
void fair_mixed_sizes(struct kt *t);

#endif
