// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps a channel busy with some jobs at a time, and works on what is done meanwhile:
 * here it adds up the bytes of each block that arrived.
 *
 *	pipeline [CHANNEL]
 */
#include <dmafd.h>
#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK	(64 * 1024)
#define BLOCKS	64
#define AHEAD	8

static void start(struct dmafd_chan *chan, struct dmafd_buf *dst, struct dmafd_buf *src,
		  unsigned int block)
{
	struct dmafd_job job;

	dmafd_job_copy(&job, dst, (uint64_t)block * BLOCK, src, (uint64_t)block * BLOCK, BLOCK);
	job.user_data = block;
	if (dmafd_submit(chan, &job, 1) != 1)
		err(1, "cannot submit block %u", block);
}

static unsigned long add_up(const unsigned char *data)
{
	unsigned long sum = 0;
	unsigned int i;

	for (i = 0; i < BLOCK; i++)
		sum += data[i];
	return sum;
}

/* How many were done; @sum grows by their bytes. */
static unsigned int collect(struct dmafd_chan *chan, const unsigned char *data, unsigned long *sum)
{
	struct pollfd fd = { .fd = dmafd_chan_fd(chan), .events = POLLIN };
	struct dmafd_result results[AHEAD];
	int n, i;

	/* Where an event loop would wait for other things, too. */
	if (poll(&fd, 1, -1) < 0)
		err(1, "cannot poll");
	n = dmafd_reap(chan, results, AHEAD, 0);
	if (n < 0)
		err(1, "cannot reap");
	for (i = 0; i < n; i++) {
		if (results[i].status)
			errx(1, "block %u failed", (unsigned int)results[i].user_data);
		*sum += add_up(data + results[i].user_data * BLOCK);
	}
	return n;
}

int main(int argc, char **argv)
{
	unsigned char *from = malloc(BLOCK * BLOCKS), *to = malloc(BLOCK * BLOCKS);
	unsigned int begun = 0, done = 0, i;
	unsigned long sum = 0, expected = 0;
	struct dmafd_buf *src, *dst;
	struct dmafd_chan *chan;
	struct dmafd_ctx *ctx = dmafd_open();

	if (!ctx || !from || !to)
		err(1, "cannot begin");
	chan = dmafd_chan_open(ctx, argc > 1 ? argv[1] : NULL, NULL);
	src = dmafd_buf_register(ctx, from, BLOCK * BLOCKS, DMAFD_READ);
	dst = dmafd_buf_register(ctx, to, BLOCK * BLOCKS, DMAFD_WRITE);
	if (!chan || !src || !dst)
		err(1, "no channel or no buffers");
	for (i = 0; i < BLOCK * BLOCKS; i++)
		expected += from[i] = i * 7;
	while (done < BLOCKS) {
		while (begun < BLOCKS && begun < done + AHEAD)
			start(chan, dst, src, begun++);
		done += collect(chan, to, &sum);
	}
	printf("%u blocks, sum %lu\n", done, sum);
	dmafd_chan_close(chan);
	dmafd_close(ctx);
	free(from);
	free(to);
	return sum != expected;
}
