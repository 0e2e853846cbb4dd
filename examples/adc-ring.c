// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receives from a device without end, such as samples of a converter, into a ring of
 * periods, and tells how many bytes came and how many periods were lost.
 *
 *	adc-ring PORT [PERIODS]
 */
#include <dmafd.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#define PERIOD	4096
#define PERIODS	16

/* What a program would do with the samples. */
static unsigned long use(const unsigned char *period)
{
	unsigned long sum = 0;
	unsigned int i;

	for (i = 0; i < PERIOD; i++)
		sum += period[i];
	return sum;
}

static void end_ring(struct dmafd_chan *chan)
{
	struct dmafd_result result;

	if (dmafd_chan_cancel(chan) < 0)
		err(1, "cannot stop");
	do {
		if (dmafd_reap(chan, &result, 1, -1) < 0)
			err(1, "cannot reap");
	} while (result.flags & DMAFD_MORE);
}

int main(int argc, char **argv)
{
	unsigned long wanted = argc > 2 ? strtoul(argv[2], NULL, 0) : 100, done = 0, sum = 0;
	struct dmafd_result result = {};
	struct dmafd_chan *chan;
	struct dmafd_buf *ring;
	struct dmafd_ctx *ctx = dmafd_open();
	struct dmafd_job job;

	if (!ctx || argc < 2)
		err(1, "usage: adc-ring PORT [PERIODS]");
	chan = dmafd_chan_open(ctx, argv[1], NULL);
	if (!chan)
		err(1, "cannot open %s", argv[1]);
	ring = dmafd_buf_alloc(ctx, PERIOD * PERIODS, DMAFD_RDWR | DMAFD_CONTIGUOUS);
	if (!ring)
		err(1, "no ring");
	dmafd_job_cyclic(&job, ring, 0, PERIOD * PERIODS, PERIOD);
	if (dmafd_submit(chan, &job, 1) != 1)
		err(1, "cannot start");
	while (done < wanted) {
		if (dmafd_reap(chan, &result, 1, -1) != 1)
			err(1, "cannot reap");
		if (!(result.flags & DMAFD_MORE))
			errx(1, "it ended: %d", result.status);
		/* Those that were written again are lost. */
		if (result.bytes / PERIOD > done + PERIODS)
			done = result.bytes / PERIOD - PERIODS;
		for (; done < result.bytes / PERIOD; done++)
			sum += use((unsigned char *)dmafd_buf_addr(ring) + done % PERIODS * PERIOD);
	}
	end_ring(chan);
	printf("%lu periods, %u lost, sum %lu\n", done, result.overruns, sum);
	dmafd_chan_close(chan);
	dmafd_close(ctx);
	return 0;
}
