// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Whether the CPU or the controller.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "internal.h"

EXPORT void dmafd_chan_set_threshold(struct dmafd_chan *chan, size_t threshold)
{
	chan->threshold = threshold;
	chan->mem_threshold = threshold;
}

EXPORT size_t dmafd_chan_threshold(const struct dmafd_chan *chan)
{
	return chan->threshold;
}

#define SMALLEST	((size_t)256)
#define LARGEST		((size_t)1 << 20)
/* How long one length is measured in one way, unless a single copy takes longer. */
#define BUDGET_NS	150000
#define ROUNDS_MAX	32

struct bench {
	struct dmafd_chan *chan;
	unsigned char *mem;
	struct dmafd_buf *buf;
	size_t largest;
};

typedef int copy_fn(struct bench *bench, size_t length);

static int by_cpu(struct bench *bench, size_t length)
{
	memcpy(bench->mem + bench->largest, bench->mem, length);
	/* The compiler must not find out that nobody looks at it. */
	__asm__ volatile("" : : "r"(bench->mem) : "memory");
	return 0;
}

static int by_job(struct bench *bench, size_t length)
{
	return dmafd_copy(bench->chan, bench->buf, bench->largest, bench->buf, 0, length);
}

static int by_mem(struct bench *bench, size_t length)
{
	return dmafd_copy_mem(bench->chan, bench->mem + bench->largest, bench->mem, length);
}

/* The shortest time is the one that nothing else disturbed. */
static int measure(struct bench *bench, copy_fn *fn, size_t length, uint64_t *best)
{
	uint64_t begin = now_ns(), before = begin, after;
	unsigned int i;

	*best = UINT64_MAX;
	for (i = 0; i < ROUNDS_MAX && (!i || before - begin < BUDGET_NS); i++, before = after) {
		if (fn(bench, length))
			return -1;
		after = now_ns();
		if (after - before < *best)
			*best = after - before;
	}
	return 0;
}

/* From what length on the controller is faster, and stays it. */
static int find_threshold(struct bench *bench, copy_fn *fn, size_t *threshold)
{
	uint64_t cpu, other;
	size_t length;

	*threshold = SIZE_MAX;
	for (length = bench->largest; length >= SMALLEST; length /= 4) {
		if (measure(bench, by_cpu, length, &cpu) || measure(bench, fn, length, &other))
			return -1;
		if (other >= cpu)
			break;
		*threshold = length > SMALLEST ? length : 0;
	}
	return 0;
}

static int measure_all(struct bench *bench)
{
	struct dmafd_chan *chan = bench->chan;
	size_t threshold = chan->threshold, mem_threshold = chan->mem_threshold;
	bool fallback = chan->fallback;
	int err;

	/* Nothing but the controller, meanwhile. */
	chan->fallback = false;
	dmafd_chan_set_threshold(chan, 0);
	err = find_threshold(bench, by_job, &threshold);
	if (!err)
		err = find_threshold(bench, by_mem, &mem_threshold);
	chan->fallback = fallback;
	chan->threshold = threshold;
	chan->mem_threshold = mem_threshold;
	return err;
}

/* Less, if that is more than the user may lock. */
static struct dmafd_buf *get_buffer(struct bench *bench)
{
	for (; bench->largest >= 16 * SMALLEST; bench->largest /= 4) {
		bench->buf = dmafd_buf_register(bench->chan->ctx, bench->mem, 2 * bench->largest,
						DMAFD_RDWR);
		if (bench->buf || errno != ENOMEM)
			break;
	}
	return bench->buf;
}

static int calibrate(struct dmafd_chan *chan)
{
	struct bench bench = { .chan = chan, .largest = LARGEST };
	int err = -1, seen;

	bench.mem = mmap(NULL, 2 * LARGEST, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	if (bench.mem == MAP_FAILED)
		return -1;
	memset(bench.mem, 1, 2 * LARGEST);
	if (get_buffer(&bench))
		err = measure_all(&bench);
	seen = errno;
	dmafd_buf_remove(bench.buf);
	munmap(bench.mem, 2 * LARGEST);
	errno = seen;
	return err;
}

EXPORT int dmafd_calibrate(struct dmafd_chan *chan, size_t *threshold)
{
	if (queue_held(chan->queue))
		return fail(EBUSY);
	if (!(chan->caps & DMAFD_CAP_COPY) || chan->flags & (DMAFD_ATTR_TX | DMAFD_ATTR_RX))
		return fail(EOPNOTSUPP);
	if (chan->fd < 0 || (chan->gone && chan->fallback))
		dmafd_chan_set_threshold(chan, SIZE_MAX);
	else if (calibrate(chan))
		return -1;
	if (threshold)
		*threshold = chan->threshold;
	return 0;
}
