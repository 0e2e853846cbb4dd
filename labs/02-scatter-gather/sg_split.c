// SPDX-License-Identifier: GPL-2.0-only
#include "sg_split.h"

__u32 sg_split_next(struct sg_run *run, __u32 max_seg, __u32 align,
		    struct sg_run *piece)
{
	__u32 len = run->len < max_seg ? run->len : max_seg;

	if (!len)
		return 0;
	if (len > align)
		len -= len % align;

	piece->src = run->src;
	piece->dst = run->dst;
	piece->len = len;

	run->src += len;
	run->dst += len;
	run->len -= len;
	return len;
}
