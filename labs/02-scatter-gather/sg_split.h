/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sg_split - cuts what is to be moved into pieces that a controller can take
 *
 * Works on addresses alone and uses nothing of the kernel's, so that it also
 * compiles in user space.
 */
#ifndef SG_SPLIT_H
#define SG_SPLIT_H

#include <linux/types.h>

/* A run of bytes, contiguous where they come from and where they go to. */
struct sg_run {
	__u64 src;
	__u64 dst;
	__u32 len;
};

/*
 * Cuts the first piece off a run: at most max_seg bytes, and whole multiples of
 * align while there are any; what is left of one becomes a piece of its own.
 * Neither of the two limits is 0.
 *
 * Returns the piece's length, or 0 when nothing was left to cut.
 */
__u32 sg_split_next(struct sg_run *run, __u32 max_seg, __u32 align,
		    struct sg_run *piece);

#endif
