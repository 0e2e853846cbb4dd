// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations checked, and the memory that they name found.
 */
#include <linux/math64.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "dmafd.h"

/* ---- what needs no memory ---- */

/* What the controller must be able to do. */
static const u32 needs[] = {
	[DMAFD_OP_NOP] = 0,
	[DMAFD_OP_COPY] = DMAFD_CAP_COPY,
	[DMAFD_OP_FILL] = DMAFD_CAP_FILL,
	[DMAFD_OP_COPY_SG] = DMAFD_CAP_COPY,
	[DMAFD_OP_COPY_2D] = DMAFD_CAP_COPY,
	[DMAFD_OP_XOR] = DMAFD_CAP_XOR,
	[DMAFD_OP_TO_DEVICE] = DMAFD_CAP_SLAVE,
	[DMAFD_OP_FROM_DEVICE] = DMAFD_CAP_SLAVE,
	[DMAFD_OP_CYCLIC] = DMAFD_CAP_CYCLIC,
};

u64 dmafd_opcodes(void)
{
	return BIT_ULL(ARRAY_SIZE(needs)) - 1;
}

u32 dmafd_opcodes_of(u32 caps, enum dma_transfer_direction direction)
{
	u32 opcode, opcodes = 0;

	for (opcode = 0; opcode < ARRAY_SIZE(needs); opcode++)
		if (!(needs[opcode] & ~caps) && dmafd_slave_may(direction, opcode))
			opcodes |= BIT(opcode);
	return opcodes;
}

/* Whether all is 0 that is of no use. */
static bool is_lean(const struct dmafd_op *op)
{
	bool src = op->src_buf || op->src_offset, dst = op->dst_buf || op->dst_offset;

	switch (op->opcode) {
	case DMAFD_OP_NOP:
		return !src && !dst && !op->length && !op->value && !op->args;
	case DMAFD_OP_COPY:
		return !op->value && !op->args;
	case DMAFD_OP_FILL:
		return !src && !op->args;
	case DMAFD_OP_COPY_SG:
		return !src && !dst && !op->value;
	case DMAFD_OP_COPY_2D:
		return !op->value;
	case DMAFD_OP_TO_DEVICE:
		return !dst && !op->value && !op->args;
	case DMAFD_OP_FROM_DEVICE:
		return !src && !op->value && !op->args;
	case DMAFD_OP_CYCLIC:
		return !(src && dst) && !op->value;
	default:
		return !src && !op->value;
	}
}

int dmafd_op_check(const struct dmafd_chan *chan, const struct dmafd_op *op)
{
	if (op->flags & ~(DMAFD_OP_FENCE | DMAFD_OP_NO_COMPLETION | DMAFD_OP_NO_SYNC) ||
	    op->opcode >= ARRAY_SIZE(needs) || !(chan->opcodes & BIT(op->opcode)))
		return -EOPNOTSUPP;
	if (!is_lean(op) || op->value > U8_MAX || (op->opcode != DMAFD_OP_NOP && !op->length))
		return -EINVAL;
	return 0;
}

/* ---- one stretch ---- */

/* The buffer is not removed from here on. */
static int find_stretch(struct dmafd_chan *chan, struct dmafd_stretch *stretch, u32 id, u64 at,
			u64 length, u32 access)
{
	struct dmafd_buf *buf = dmafd_buf_find(chan->ctx, id);

	lockdep_assert_held(&chan->ctx->lock);

	if (!buf)
		return -ENOENT;
	if (!(buf->access & access))
		return -EACCES;
	if (at > buf->length || length > buf->length - at)
		return -EINVAL;
	if (buf->dmabuf && dmafd_import_busy(buf, access))
		return -EBUSY;
	stretch->map = dmafd_map_get(buf, chan->ctrl);
	if (IS_ERR(stretch->map))
		return PTR_ERR(stretch->map);
	stretch->buf = buf;
	stretch->at = at;
	stretch->len = length;
	atomic_inc(&buf->jobs);
	return 0;
}

static int find_one(struct dmafd_chan *chan, struct dmafd_stream *stream, u32 id, u64 at,
		    u64 length, u32 access)
{
	int err = find_stretch(chan, &stream->one, id, at, length, access);

	if (err)
		return err;
	stream->count = 1;
	stream->stride = 0;
	return 0;
}

/* Of a copy or a fill, or the first row of one. */
static int find_plain(struct dmafd_chan *chan, const struct dmafd_op *op, struct dmafd_job *job,
		      u64 length)
{
	int err = 0;

	if (op->opcode != DMAFD_OP_FILL) {
		job->nr_srcs = 1;
		err = find_one(chan, &job->src, op->src_buf, op->src_offset, length,
			       DMAFD_BUF_READ);
	}
	return err ?: find_one(chan, &job->dst, op->dst_buf, op->dst_offset, length,
			       DMAFD_BUF_WRITE);
}

/* ---- lists ---- */

static int find_segments(struct dmafd_chan *chan, struct dmafd_stream *stream,
			 const struct dmafd_segment *segment, u32 count, u32 access)
{
	int err = 0;

	for (; stream->count < count && !err; segment++) {
		err = find_stretch(chan, &stream->list[stream->count], segment->buf,
				   segment->offset, segment->length, access);
		if (!err)
			stream->count++;
	}
	return err;
}

static int find_list(struct dmafd_chan *chan, struct dmafd_stream *stream,
		     const struct dmafd_segment *segment, u32 count, u32 access)
{
	stream->list = kmalloc_array(count, sizeof(*stream->list),
				     GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!stream->list)
		return -ENOMEM;
	return find_segments(chan, stream, segment, count, access);
}

static bool adds_up(const struct dmafd_stream *stream, u64 length)
{
	size_t sum = 0;
	unsigned int i;

	for (i = 0; i < stream->count; i++)
		if (check_add_overflow(sum, stream->list[i].len, &sum))
			return false;
	return sum == length;
}

static int find_sg(struct dmafd_chan *chan, const struct dmafd_request *request,
		   struct dmafd_job *job)
{
	const struct dmafd_sg_args *args = &request->sg;
	u64 length = request->op.length;
	int err;

	job->nr_srcs = 1;
	err = find_list(chan, &job->src, request->src, args->nr_src, DMAFD_BUF_READ) ?:
	      find_list(chan, &job->dst, request->dst, args->nr_dst, DMAFD_BUF_WRITE);
	if (err)
		return err;
	return adds_up(&job->src, length) && adds_up(&job->dst, length) ? 0 : -EINVAL;
}

/* ---- rows ---- */

static int set_rows(struct dmafd_stream *stream, u32 rows, s64 stride)
{
	const struct dmafd_stretch *first = &stream->one;
	s64 last;

	if (rows == 1)
		return 0;
	if (check_mul_overflow(stride, (s64)rows - 1, &last) ||
	    check_add_overflow(last, (s64)first->at, &last) ||
	    last < 0 || last > first->buf->length - first->len)
		return -EINVAL;
	stream->count = rows;
	stream->stride = stride;
	return 0;
}

/* Whether the controller may do many at once: it knows no strides back, and no edges. */
static bool may_go_by_rows(const struct dmafd_chan *chan, const struct dmafd_job *job)
{
	const struct dmafd_stretch *dst = &job->dst.one;
	size_t begins = dst->buf->first + dst->at;

	return chan->caps & DMAFD_CAP_INTERLEAVE && job->dst.count > 1 &&
	       chan->dma->device->directions & BIT(DMA_MEM_TO_MEM) &&
	       job->src.stride >= (s64)dst->len && job->dst.stride >= (s64)dst->len &&
	       !((begins | dst->len | (size_t)job->dst.stride) & (dst->map->line - 1));
}

static int find_2d(struct dmafd_chan *chan, const struct dmafd_request *request,
		   struct dmafd_job *job)
{
	const struct dmafd_2d_args *args = &request->rows;
	u64 row;
	u32 rest;
	int err;

	row = div_u64_rem(request->op.length, args->rows, &rest);
	if (rest)
		return -EINVAL;
	err = find_plain(chan, &request->op, job, row);
	if (err)
		return err;
	err = set_rows(&job->src, args->rows, args->src_stride) ?:
	      set_rows(&job->dst, args->rows, args->dst_stride);
	if (err)
		return err;
	if (args->rows > 1 && abs(args->dst_stride) < (s64)row)
		return -EINVAL;
	job->at_once = may_go_by_rows(chan, job);
	return 0;
}

/* ---- several sources ---- */

/* Each entry of the list becomes a stream. */
static int split_sources(struct dmafd_job *job)
{
	struct dmafd_stream *srcs;
	unsigned int i;

	srcs = kcalloc(job->src.count, sizeof(*srcs), GFP_KERNEL_ACCOUNT);
	if (!srcs)
		return -ENOMEM;
	for (i = 0; i < job->src.count; i++) {
		srcs[i].count = 1;
		srcs[i].one = job->src.list[i];
	}
	job->srcs = srcs;
	job->nr_srcs = job->src.count;
	kfree(job->src.list);
	job->src.list = NULL;
	job->src.count = 0;
	return 0;
}

static int find_sources(struct dmafd_chan *chan, const struct dmafd_request *request,
			struct dmafd_job *job)
{
	unsigned int i;
	int err;

	job->nr_srcs = 1;
	err = find_list(chan, &job->src, request->src, request->sg.nr_src, DMAFD_BUF_READ);
	if (err)
		return err;
	for (i = 0; i < job->src.count; i++)
		if (job->src.list[i].len != request->op.length)
			return -EINVAL;
	return split_sources(job);
}

static int find_xor(struct dmafd_chan *chan, const struct dmafd_request *request,
		    struct dmafd_job *job)
{
	const struct dmafd_op *op = &request->op;

	return find_sources(chan, request, job) ?:
	       find_one(chan, &job->dst, op->dst_buf, op->dst_offset, op->length,
			DMAFD_BUF_WRITE);
}

/* ---- one side ---- */

static int find_side(struct dmafd_chan *chan, const struct dmafd_op *op, struct dmafd_job *job)
{
	int err;

	if (chan->direction == DMA_MEM_TO_DEV) {
		job->nr_srcs = 1;
		err = find_one(chan, &job->src, op->src_buf, op->src_offset, op->length,
			       DMAFD_BUF_READ);
	} else {
		err = find_one(chan, &job->dst, op->dst_buf, op->dst_offset, op->length,
			       DMAFD_BUF_WRITE);
	}
	job->at_once = true;
	return err ?: dmafd_slave_check(chan, job);
}

/* In one piece for the device, which knows no others. */
static bool is_one_piece(const struct dmafd_stretch *stretch)
{
	struct dmafd_place place;

	dmafd_map_seek(stretch->map, stretch->at, &place);
	return dmafd_map_run(stretch->map, &place, stretch->len) == stretch->len;
}

static int find_ring(struct dmafd_chan *chan, const struct dmafd_request *request,
		     struct dmafd_job *job)
{
	const struct dmafd_op *op = &request->op;
	bool tx = chan->direction == DMA_MEM_TO_DEV;
	u64 period = request->ring.period, rest;
	int err;

	if (tx ? op->dst_buf || op->dst_offset : op->src_buf || op->src_offset)
		return -EINVAL;
	if (!period || op->length > U32_MAX || period > op->length / 2)
		return -EINVAL;
	div64_u64_rem(op->length, period, &rest);
	if (rest || (u32)period % chan->width)
		return -EINVAL;
	job->period = period;
	err = find_side(chan, op, job);
	if (err)
		return err;
	return is_one_piece(&dmafd_slave_stream(chan, job)->one) ? 0 : -EINVAL;
}

/* ---- all of it ---- */

static int find(struct dmafd_chan *chan, const struct dmafd_request *request,
		struct dmafd_job *job)
{
	const struct dmafd_op *op = &request->op;

	switch (op->opcode) {
	case DMAFD_OP_NOP:
		return 0;
	case DMAFD_OP_COPY_SG:
		return find_sg(chan, request, job);
	case DMAFD_OP_COPY_2D:
		return find_2d(chan, request, job);
	case DMAFD_OP_XOR:
		return find_xor(chan, request, job);
	case DMAFD_OP_TO_DEVICE:
	case DMAFD_OP_FROM_DEVICE:
		return find_side(chan, op, job);
	case DMAFD_OP_CYCLIC:
		return find_ring(chan, request, job);
	default:
		return find_plain(chan, op, job, op->length);
	}
}

static int go_raw(struct dmafd_stream *stream)
{
	struct dmafd_stretch *stretch = stream->list ?: &stream->one;
	unsigned int i, count = stream->list ? stream->count : !!stream->count;

	for (i = 0; i < count; i++, stretch++) {
		if (!stretch->buf->memory)
			return -EINVAL;
		stretch->map = stretch->map->raw ?: dmafd_map_raw(stretch->buf, stretch->map);
		if (IS_ERR(stretch->map))
			return PTR_ERR(stretch->map);
	}
	return 0;
}

/* All the job's memory is synchronized by the program, which has none else in it. */
static int give_up_syncing(struct dmafd_job *job)
{
	unsigned int i;
	int err;

	err = go_raw(&job->dst);
	for (i = 0; i < job->nr_srcs && !err; i++)
		err = go_raw(&job->srcs[i]);
	return err;
}

static u32 align_of(const struct dmafd_chan *chan, u32 opcode)
{
	switch (opcode) {
	case DMAFD_OP_FILL:
		return chan->fill_align;
	case DMAFD_OP_XOR:
		return chan->xor_align;
	case DMAFD_OP_TO_DEVICE:
	case DMAFD_OP_FROM_DEVICE:
	case DMAFD_OP_CYCLIC:
		return 1;
	default:
		return chan->copy_align;
	}
}

static bool is_aligned(const struct dmafd_stream *stream, u32 align)
{
	struct dmafd_stretch stretch;
	struct dmafd_place place;
	unsigned int i;

	for (i = 0; align > 1 && i < stream->count; i++) {
		dmafd_stream_get(stream, i, &stretch);
		dmafd_map_seek(stretch.map, stretch.at, &place);
		if ((dmafd_map_addr(stretch.map, &place) | stretch.len) & (align - 1))
			return false;
	}
	return true;
}

static int check_alignment(const struct dmafd_job *job)
{
	unsigned int i;

	for (i = 0; i < job->nr_srcs; i++)
		if (!is_aligned(&job->srcs[i], job->align))
			return -EINVAL;
	return is_aligned(&job->dst, job->align) ? 0 : -EINVAL;
}

static bool is_imported(const struct dmafd_stream *stream)
{
	unsigned int i;

	if (!stream->list)
		return stream->count && stream->one.buf->dmabuf;
	for (i = 0; i < stream->count; i++)
		if (stream->list[i].buf->dmabuf)
			return true;
	return false;
}

/* What comes out of an imported buffer is nothing for the CPU. */
static int check_edges(const struct dmafd_job *job)
{
	unsigned int i;

	for (i = 0; i < job->nr_srcs; i++)
		if (is_imported(&job->srcs[i]))
			return dmafd_stream_has_edges(&job->dst) ? -EINVAL : 0;
	return 0;
}

/* ---- one piece ---- */

/* Whether the controller can do a side at once, all of it; and where that is then. */
static bool is_whole(const struct dmafd_chan *chan, const struct dmafd_stream *stream, u32 align,
		     dma_addr_t *addr)
{
	const struct dmafd_stretch *stretch = &stream->one;
	const struct dmafd_part *part;
	size_t in;

	if (stream->count != 1 || stream->list)
		return false;
	part = dmafd_map_part(stretch->map, stretch->at);
	in = stretch->at - part->at;
	*addr = part->addr + in;
	return stretch->len <= part->len - in && !((*addr | stretch->len) & (align - 1)) &&
	       stretch->len - 1 <= chan->boundary - (*addr & chan->boundary);
}

static bool is_without_edges(const struct dmafd_stretch *stretch)
{
	size_t begin = stretch->buf->first + stretch->at;

	return !((begin | stretch->len) & (stretch->map->line - 1));
}

static bool goes_as_one(const struct dmafd_chan *chan, struct dmafd_job *job)
{
	return !chan->width && job->nr_srcs <= 1 && job->length <= chan->max_segment &&
	       is_whole(chan, &job->dst, job->align, &job->to) &&
	       (!job->nr_srcs || is_whole(chan, &job->src, job->align, &job->from)) &&
	       is_without_edges(&job->dst.one);
}

int dmafd_op_find(struct dmafd_chan *chan, const struct dmafd_request *request,
		  struct dmafd_job *job)
{
	const struct dmafd_op *op = &request->op;
	int err;

	lockdep_assert_held(&chan->mutex);
	lockdep_assert_held(&chan->ctx->lock);

	job->srcs = &job->src;
	job->nr_srcs = 0;
	job->length = op->length;
	job->align = align_of(chan, op->opcode);
	job->period = 0;
	job->at_once = false;
	err = find(chan, request, job);
	if (!err && op->flags & DMAFD_OP_NO_SYNC)
		err = give_up_syncing(job);
	job->whole = !err && goes_as_one(chan, job);
	if (!job->whole)
		err = err ?: check_alignment(job) ?: check_edges(job);
	err = err ?: dmafd_check_overlap(job);
	if (err)
		dmafd_job_release(job);
	return err;
}
