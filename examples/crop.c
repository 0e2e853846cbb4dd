// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cuts a part out of a picture: rows that lie apart come to lie one behind the other.
 *
 *	crop [CHANNEL]
 */
#include <dmafd.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIXEL	4
#define WIDTH	640
#define HEIGHT	480
#define STRIDE	(WIDTH * PIXEL)

/* The part. */
#define LEFT	100
#define TOP	50
#define PART_WIDTH	320
#define PART_HEIGHT	200
#define PART_STRIDE	(PART_WIDTH * PIXEL)

int main(int argc, char **argv)
{
	unsigned char *picture = malloc(STRIDE * HEIGHT), *part = malloc(PART_STRIDE * PART_HEIGHT);
	unsigned int at = TOP * STRIDE + LEFT * PIXEL, i;
	struct dmafd_buf *src, *dst;
	struct dmafd_chan *chan;
	struct dmafd_ctx *ctx = dmafd_open();

	if (!ctx || !picture || !part)
		err(1, "cannot begin");
	for (i = 0; i < STRIDE * HEIGHT; i++)
		picture[i] = i * 13 >> 4;
	chan = dmafd_chan_open(ctx, argc > 1 ? argv[1] : NULL, NULL);
	src = dmafd_buf_register(ctx, picture, STRIDE * HEIGHT, DMAFD_READ);
	dst = dmafd_buf_register(ctx, part, PART_STRIDE * PART_HEIGHT, DMAFD_WRITE);
	if (!chan || !src || !dst)
		err(1, "no channel or no buffers");
	if (dmafd_copy_2d(chan, dst, 0, PART_STRIDE, src, at, STRIDE, PART_STRIDE, PART_HEIGHT))
		err(1, "cannot copy");
	for (i = 0; i < PART_HEIGHT; i++)
		if (memcmp(part + i * PART_STRIDE, picture + at + i * STRIDE, PART_STRIDE))
			errx(1, "row %u differs", i);
	printf("%dx%d cut out of %dx%d\n", PART_WIDTH, PART_HEIGHT, WIDTH, HEIGHT);
	dmafd_chan_close(chan);
	dmafd_close(ctx);
	free(picture);
	free(part);
	return 0;
}
