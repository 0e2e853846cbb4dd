// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Jobs in the kernel's language.
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

_Static_assert((int)DMAFD_JOB_NOP == (int)DMAFD_OP_NOP, "opcodes are the kernel's");
_Static_assert((int)DMAFD_JOB_COPY == (int)DMAFD_OP_COPY, "opcodes are the kernel's");
_Static_assert((int)DMAFD_JOB_FILL == (int)DMAFD_OP_FILL, "opcodes are the kernel's");
_Static_assert((int)DMAFD_JOB_COPYV == (int)DMAFD_OP_COPY_SG, "opcodes are the kernel's");
_Static_assert((int)DMAFD_JOB_COPY_2D == (int)DMAFD_OP_COPY_2D, "opcodes are the kernel's");
_Static_assert((int)DMAFD_JOB_XOR == (int)DMAFD_OP_XOR, "opcodes are the kernel's");
_Static_assert((int)DMAFD_JOB_TO_DEVICE == (int)DMAFD_OP_TO_DEVICE, "opcodes are the kernel's");
_Static_assert((int)DMAFD_JOB_FROM_DEVICE == (int)DMAFD_OP_FROM_DEVICE,
	       "opcodes are the kernel's");
_Static_assert((int)DMAFD_JOB_CYCLIC == (int)DMAFD_OP_CYCLIC, "opcodes are the kernel's");
_Static_assert(DMAFD_FENCE == DMAFD_OP_FENCE, "flags are the kernel's");
_Static_assert(DMAFD_NO_SYNC == DMAFD_OP_NO_SYNC, "flags are the kernel's");
_Static_assert(DMAFD_MAX_RANGES == DMAFD_MAX_SEGMENTS, "limits are the kernel's");

static uint32_t id_of(const struct dmafd_buf *buf)
{
	return buf ? dmafd_buf_id(buf) : 0;
}

/* The kernel's lists follow the arguments in memory. */
struct lists {
	struct dmafd_sg_args args;
	struct dmafd_segment segments[];
};

static void translate(struct dmafd_segment *segments, const struct dmafd_range *ranges, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		segments[i] = (struct dmafd_segment){
			.buf = dmafd_buf_id(ranges[i].buf), .offset = ranges[i].offset,
			.length = ranges[i].length,
		};
}

static void *make_lists(const struct dmafd_job *job)
{
	struct lists *lists;

	lists = malloc(sizeof(*lists) + (job->nsrc + job->ndst) * sizeof(lists->segments[0]));
	if (!lists)
		return NULL;
	lists->args = (struct dmafd_sg_args){
		.size = sizeof(lists->args),
		.src = (uintptr_t)lists->segments,
		.dst = job->ndst ? (uintptr_t)(lists->segments + job->nsrc) : 0,
		.nr_src = job->nsrc,
		.nr_dst = job->ndst,
	};
	translate(lists->segments, job->srcv, job->nsrc);
	translate(lists->segments + job->nsrc, job->dstv, job->ndst);
	return lists;
}

static void *make_2d(const struct dmafd_job *job)
{
	struct dmafd_2d_args *args = malloc(sizeof(*args));

	if (args)
		*args = (struct dmafd_2d_args){
			.size = sizeof(*args), .src_stride = job->src_stride,
			.dst_stride = job->dst_stride, .rows = job->rows,
		};
	return args;
}

static void *make_cyclic(const struct dmafd_job *job)
{
	struct dmafd_cyclic_args *args = malloc(sizeof(*args));

	if (args)
		*args = (struct dmafd_cyclic_args){
			.size = sizeof(*args), .period = job->period,
		};
	return args;
}

static void *make_args(const struct dmafd_job *job)
{
	switch (job->opcode) {
	case DMAFD_JOB_COPY_2D:
		return make_2d(job);
	case DMAFD_JOB_CYCLIC:
		return make_cyclic(job);
	default:
		return make_lists(job);
	}
}

static bool needs_args(const struct dmafd_job *job)
{
	return job->opcode == DMAFD_JOB_COPYV || job->opcode == DMAFD_JOB_COPY_2D ||
	       job->opcode == DMAFD_JOB_XOR || job->opcode == DMAFD_JOB_CYCLIC;
}

/* What a port sends is its source. */
static void turn_round(struct dmafd_op *op)
{
	op->src_buf = op->dst_buf;
	op->src_offset = op->dst_offset;
	op->dst_buf = 0;
	op->dst_offset = 0;
}

int op_encode(struct dmafd_op *op, const struct dmafd_job *job, bool is_tx, void **args)
{
	*args = NULL;
	*op = (struct dmafd_op){
		.opcode = job->opcode, .flags = job->flags, .src_buf = id_of(job->src),
		.dst_buf = id_of(job->dst), .src_offset = job->src_offset,
		.dst_offset = job->dst_offset, .length = job_length(job),
		.timeout_ms = job->timeout_ms, .value = job->value,
	};
	if (job->opcode == DMAFD_JOB_CYCLIC && is_tx)
		turn_round(op);
	if (!needs_args(job))
		return 0;
	*args = make_args(job);
	op->args = (uintptr_t)*args;
	return *args ? 0 : fail(ENOMEM);
}
