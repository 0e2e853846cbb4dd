// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Jobs as values. What is wrong with one is found when it is submitted.
 */
#include "internal.h"

EXPORT void dmafd_job_nop(struct dmafd_job *job)
{
	*job = (struct dmafd_job){ .opcode = DMAFD_JOB_NOP };
}

EXPORT void dmafd_job_copy(struct dmafd_job *job, struct dmafd_buf *dst, uint64_t dst_offset,
			   struct dmafd_buf *src, uint64_t src_offset, uint64_t length)
{
	*job = (struct dmafd_job){
		.opcode = DMAFD_JOB_COPY, .dst = dst, .dst_offset = dst_offset, .src = src,
		.src_offset = src_offset, .length = length,
	};
}

EXPORT void dmafd_job_fill(struct dmafd_job *job, struct dmafd_buf *dst, uint64_t offset,
			   uint64_t length, unsigned int value)
{
	*job = (struct dmafd_job){
		.opcode = DMAFD_JOB_FILL, .dst = dst, .dst_offset = offset, .length = length,
		.value = value,
	};
}

EXPORT void dmafd_job_copy_2d(struct dmafd_job *job, struct dmafd_buf *dst, uint64_t dst_offset,
			      int64_t dst_stride, struct dmafd_buf *src, uint64_t src_offset,
			      int64_t src_stride, uint64_t row, uint64_t rows)
{
	*job = (struct dmafd_job){
		.opcode = DMAFD_JOB_COPY_2D, .dst = dst, .dst_offset = dst_offset,
		.dst_stride = dst_stride, .src = src, .src_offset = src_offset,
		.src_stride = src_stride, .length = row, .rows = rows,
	};
}

EXPORT void dmafd_job_copyv(struct dmafd_job *job, const struct dmafd_range *dstv, size_t ndst,
			    const struct dmafd_range *srcv, size_t nsrc)
{
	*job = (struct dmafd_job){
		.opcode = DMAFD_JOB_COPYV, .dstv = dstv, .ndst = ndst, .srcv = srcv, .nsrc = nsrc,
	};
}

EXPORT void dmafd_job_xor(struct dmafd_job *job, struct dmafd_buf *dst, uint64_t dst_offset,
			  const struct dmafd_range *srcv, size_t nsrc, uint64_t length)
{
	*job = (struct dmafd_job){
		.opcode = DMAFD_JOB_XOR, .dst = dst, .dst_offset = dst_offset, .srcv = srcv,
		.nsrc = nsrc, .length = length,
	};
}

EXPORT void dmafd_job_to_device(struct dmafd_job *job, struct dmafd_buf *src, uint64_t offset,
				uint64_t length)
{
	*job = (struct dmafd_job){
		.opcode = DMAFD_JOB_TO_DEVICE, .src = src, .src_offset = offset, .length = length,
	};
}

EXPORT void dmafd_job_from_device(struct dmafd_job *job, struct dmafd_buf *dst, uint64_t offset,
				  uint64_t length)
{
	*job = (struct dmafd_job){
		.opcode = DMAFD_JOB_FROM_DEVICE, .dst = dst, .dst_offset = offset,
		.length = length,
	};
}

/* Which of both the ring is depends on the port, and is settled by op_encode(). */
EXPORT void dmafd_job_cyclic(struct dmafd_job *job, struct dmafd_buf *ring, uint64_t offset,
			     uint64_t length, uint64_t period)
{
	*job = (struct dmafd_job){
		.opcode = DMAFD_JOB_CYCLIC, .dst = ring, .dst_offset = offset, .length = length,
		.period = period,
	};
}
