// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies memory by a DMA channel, and looks whether it arrived.
 *
 *	copy [CHANNEL]
 */
#include <dmafd.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE	1048576

int main(int argc, char **argv)
{
	unsigned char *from = malloc(SIZE), *to = malloc(SIZE);
	struct dmafd_buf *src, *dst;
	struct dmafd_chan *chan;
	struct dmafd_ctx *ctx;

	if (!from || !to)
		err(1, "no memory");
	memset(from, 0x5a, SIZE);
	ctx = dmafd_open();
	if (!ctx)
		err(1, "cannot open /dev/dmafd");
	chan = dmafd_chan_open(ctx, argc > 1 ? argv[1] : NULL, NULL);
	if (!chan)
		err(1, "no channel");
	src = dmafd_buf_register(ctx, from, SIZE, DMAFD_READ);
	dst = dmafd_buf_register(ctx, to, SIZE, DMAFD_WRITE);
	if (!src || !dst)
		err(1, "cannot register memory");
	if (dmafd_copy(chan, dst, 0, src, 0, SIZE))
		err(1, "cannot copy");
	if (memcmp(from, to, SIZE))
		errx(1, "the data differs");
	printf("%d bytes copied\n", SIZE);
	dmafd_chan_close(chan);
	dmafd_close(ctx);
	free(from);
	free(to);
	return 0;
}
