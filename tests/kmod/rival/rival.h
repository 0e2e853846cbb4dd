/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dmarival: what dmafd is compared with, on the same channel. /dev/dmarival is a
 * driver that copies memory by DMA the way that drivers usually do: for itself, many
 * copies at a time; and for a program, one call and two copies by the CPU for each.
 * What the program "bench/cost" and the module know of each other.
 */
#ifndef RIVAL_H
#define RIVAL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define RIVAL_NAME_MAX	64
/* Copies that are on their way together, at most. */
#define RIVAL_MAX_BATCH	64
/* Of each of its two buffers, which are in one piece. */
#define RIVAL_SIZE	0x100000

/* Takes that channel, until the file is closed. Once for each file. */
struct rival_open {
	char channel[RIVAL_NAME_MAX];
};

/*
 * Copies @length bytes @batch times, waits for all of them, and that @batches times;
 * by DMA, or by the CPU. How long that took, altogether.
 */
struct rival_run {
	__u32 length;
	__u32 batch;
	__u32 batches;
	__u32 by_cpu;
	__aligned_u64 out_ns;
};

/* Copies a program's memory, by way of the two buffers. */
struct rival_transfer {
	__aligned_u64 dst;
	__aligned_u64 src;
	__aligned_u64 length;
};

#define RIVAL_OPEN	_IOW(0xDB, 0, struct rival_open)
#define RIVAL_RUN	_IOWR(0xDB, 1, struct rival_run)
#define RIVAL_TRANSFER	_IOW(0xDB, 2, struct rival_transfer)

#endif
