// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists, rows and several sources: random jobs against a model of the memory, in
 * which each byte is compared, on controllers of all kinds. DATA_SEED sets where
 * random numbers begin, DATA_ROUNDS how many jobs there are.
 */
#include "common/uapi.h"

#include <stdio.h>

VIEWS("")
FIXTURE_OF(strict, "noncoherent", "align=16 max_segment=1024 descriptors=3")
FIXTURE_OF(rows_alone, "iommu", "types=memcpy max_segment=4096")

#define ALL_FIXTURES(test, ...)								\
	static void views_##test(struct rig *rig);					\
	TEST_F(flat, test, __VA_ARGS__) { views_##test(&self->rig); }			\
	TEST_F(iommu, test, __VA_ARGS__) { views_##test(&self->rig); }			\
	TEST_F(noncoherent, test, __VA_ARGS__) { views_##test(&self->rig); }		\
	TEST_F(strict, test, __VA_ARGS__) { views_##test(&self->rig); }			\
	TEST_F(rows_alone, test, __VA_ARGS__) { views_##test(&self->rig); }		\
	static void views_##test(struct rig *rig)

enum { ARENA = 96 * 1024, BUFS = 4, MOST = 8192, MAX_SEGMENTS = 48 };

/* Memory with buffers in it, which have gaps of some bytes between each other. */
struct arena {
	struct rig *rig;
	unsigned int step, max_sources, state;
	unsigned char *mem, *model, *used;
	size_t begin[BUFS], len[BUFS];
	int buf[BUFS];
};

enum { FREE, READ, WRITTEN };

/* A list, and where it really is. */
struct list {
	struct dmafd_segment seg[MAX_SEGMENTS];
	size_t at[MAX_SEGMENTS];
	unsigned int count;
	size_t total;
};

/* ---- random numbers ---- */

static unsigned int number_from(const char *name, unsigned int otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 0) : otherwise;
}

static unsigned int next_random(struct arena *arena)
{
	arena->state = arena->state * 1103515245 + 12345;
	return arena->state >> 8;
}

/* A multiple of the step up to @limit, which is one. */
static size_t pick(struct arena *arena, size_t limit)
{
	return next_random(arena) % (limit / arena->step + 1) * arena->step;
}

/* Lengths are short, mostly; never 0, and never more than MOST. */
static size_t pick_length(struct arena *arena, size_t limit)
{
	static const size_t kinds[] = { 1, 70, 300, 5000 };
	size_t len = pick(arena, kinds[next_random(arena) % 4] * arena->step) + arena->step;

	if (len > MOST)
		len = MOST;
	return len < limit ? len : limit;
}

/* ---- the arena ---- */

static void arena_up(struct arena *arena, struct rig *rig)
{
	struct dmafd_chan_info info = { .size = sizeof(info) };
	size_t begin = 0;
	int i;

	ASSERT_OK(ioctl(rig->chan, DMAFD_CHAN_INFO, &info));
	arena->rig = rig;
	arena->max_sources = info.out_max_sources;
	arena->step = info.out_copy_align > rig->step ? info.out_copy_align : rig->step;
	arena->state = number_from("DATA_SEED", 1);
	printf("# seed %u\n", arena->state);
	arena->mem = memory(ARENA, 1);
	arena->model = memory(ARENA, 1);
	arena->used = memory(ARENA, 1);
	for (i = 0; i < BUFS; i++) {
		begin += pick(arena, 200 / arena->step * arena->step);
		arena->begin[i] = begin;
		arena->len[i] = ARENA / BUFS - 400 / arena->step * arena->step;
		begin += arena->len[i];
		ASSERT_OK(arena->buf[i] = reg(rig->ctx, arena->mem + arena->begin[i],
					      arena->len[i], DMAFD_BUF_READ | DMAFD_BUF_WRITE));
	}
}

/* Whether a range is of no use yet that forbids this one; then it has it. */
static bool claim(struct arena *arena, size_t at, size_t len, unsigned char use)
{
	size_t i;

	for (i = at; i < at + len; i++)
		if (arena->used[i] == WRITTEN || (use == WRITTEN && arena->used[i] == READ))
			return false;
	memset(arena->used + at, use, len);
	return true;
}

/* Adds a segment, shorter if there is no room; false if there is none at all. */
static bool add_segment(struct arena *arena, struct list *list, size_t len, unsigned char use)
{
	unsigned int tries, buf;
	size_t offset;

	for (tries = 0; tries < 200; tries++) {
		buf = next_random(arena) % BUFS;
		offset = pick(arena, arena->len[buf] - len);
		if (claim(arena, arena->begin[buf] + offset, len, use))
			break;
		if (tries % 8 == 7 && len > arena->step)
			len = len / 2 / arena->step * arena->step;
	}
	if (tries == 200)
		return false;
	list->at[list->count] = arena->begin[buf] + offset;
	list->seg[list->count++] = (struct dmafd_segment){
		.buf = arena->buf[buf], .offset = offset, .length = len,
	};
	list->total += len;
	return true;
}

/* All that the program wrote meanwhile is seen, and what it wrote beside stays. */
static void scribble(struct arena *arena)
{
	size_t at = next_random(arena) % ARENA, i;

	for (i = at; i < ARENA && i < at + 200; i++) {
		arena->mem[i] ^= 0x5a;
		arena->model[i] ^= 0x5a;
	}
}

static void check(struct arena *arena, unsigned int round)
{
	if (!memcmp(arena->model, arena->mem, ARENA))
		return;
	printf("# round %u\n", round);
	ASSERT_MEMEQ(arena->model, arena->mem, ARENA);
}

static unsigned int rounds(void)
{
	return number_from("DATA_ROUNDS", 300);
}

/* ---- lists ---- */

static bool make_lists(struct arena *arena, struct list *src, struct list *dst)
{
	unsigned int count = next_random(arena) % (MAX_SEGMENTS / 4) + 1;
	size_t len;

	*src = (struct list){};
	*dst = (struct list){};
	memset(arena->used, FREE, ARENA);
	while (dst->count < count)
		if (!add_segment(arena, dst, pick_length(arena, MOST), WRITTEN))
			return false;
	while (src->total < dst->total) {
		len = pick_length(arena, dst->total - src->total);
		if (src->count == MAX_SEGMENTS || !add_segment(arena, src, len, READ))
			return false;
	}
	return true;
}

static void copy_model(struct arena *arena, const struct list *src, const struct list *dst)
{
	unsigned char *data = malloc(src->total);
	unsigned int i;
	size_t done;

	for (i = 0, done = 0; i < src->count; done += src->seg[i++].length)
		memcpy(data + done, arena->model + src->at[i], src->seg[i].length);
	for (i = 0, done = 0; i < dst->count; done += dst->seg[i++].length)
		memcpy(arena->model + dst->at[i], data + done, dst->seg[i].length);
	free(data);
}

static struct dmafd_sg_args sg_args(const struct list *src, const struct list *dst)
{
	return (struct dmafd_sg_args){
		.size = sizeof(struct dmafd_sg_args), .src = (uintptr_t)src->seg,
		.nr_src = src->count, .dst = dst ? (uintptr_t)dst->seg : 0,
		.nr_dst = dst ? dst->count : 0,
	};
}

static struct dmafd_op sg_op(const struct dmafd_sg_args *args, size_t length)
{
	return (struct dmafd_op){
		.opcode = DMAFD_OP_COPY_SG, .length = length, .args = (uintptr_t)args,
	};
}

/* One segment of the source that was fine begins in one that is written. */
static void check_overlap(struct arena *arena, struct list *src, const struct list *dst)
{
	struct dmafd_sg_args args = sg_args(src, dst);
	struct dmafd_op op = sg_op(&args, src->total);
	unsigned int i = next_random(arena) % src->count, k = next_random(arena) % dst->count;
	struct dmafd_segment was = src->seg[i];

	src->seg[i].buf = dst->seg[k].buf;
	src->seg[i].offset = dst->seg[k].offset + dst->seg[k].length - arena->step;
	if (src->seg[i].offset + was.length <= arena->len[0])
		EXPECT_ERRNO(EINVAL, submit_error(arena->rig->chan, &op));
	src->seg[i] = was;
}

ALL_FIXTURES(random_lists, .timeout = 200)
{
	struct list src, dst;
	struct arena arena;
	struct dmafd_sg_args args;
	struct dmafd_op op;
	unsigned int i;

	arena_up(&arena, rig);
	for (i = 0; i < rounds(); i++) {
		scribble(&arena);
		if (!make_lists(&arena, &src, &dst))
			continue;
		if (i % 4 == 0)
			check_overlap(&arena, &src, &dst);
		args = sg_args(&src, &dst);
		op = sg_op(&args, src.total);
		run_well(rig->chan, &op);
		copy_model(&arena, &src, &dst);
		check(&arena, i);
	}
}

/* Jobs at once, of which only some have completions. */
ALL_FIXTURES(lists_in_batches, .timeout = 100)
{
	enum { COUNT = 8 };
	struct dmafd_completion completion[COUNT];
	struct dmafd_sg_args args[COUNT];
	struct list src[COUNT], dst[COUNT];
	struct dmafd_op op[COUNT];
	struct arena arena;
	unsigned int i, k;

	arena_up(&arena, rig);
	for (i = 0; i < rounds() / 10; i++) {
		for (k = 0; k < COUNT; k++) {
			while (!make_lists(&arena, &src[k], &dst[k]))
				;
			args[k] = sg_args(&src[k], &dst[k]);
			op[k] = sg_op(&args[k], src[k].total);
			op[k].flags = DMAFD_OP_FENCE | (k % 2 ? 0 : DMAFD_OP_NO_COMPLETION);
			copy_model(&arena, &src[k], &dst[k]);
		}
		ASSERT_EQ(COUNT, submit(rig->chan, op, COUNT));
		take(rig->chan, completion, COUNT / 2);
		for (k = 0; k < COUNT / 2; k++) {
			EXPECT_EQ(0, completion[k].status);
			EXPECT_EQ(src[k * 2 + 1].total, completion[k].bytes);
		}
		check(&arena, i);
	}
}

/* As many segments as there may be, of a byte or little more each. */
ALL_FIXTURES(longest_lists, .timeout = 100)
{
	static struct dmafd_segment src[DMAFD_MAX_SEGMENTS + 1], dst[DMAFD_MAX_SEGMENTS + 1];
	struct dmafd_sg_args args = {
		.size = sizeof(args), .src = (uintptr_t)src, .dst = (uintptr_t)dst,
		.nr_src = DMAFD_MAX_SEGMENTS, .nr_dst = DMAFD_MAX_SEGMENTS,
	};
	struct arena arena;
	struct dmafd_op op;
	unsigned int i;
	size_t step;

	arena_up(&arena, rig);
	step = arena.step;
	ASSERT_LE((DMAFD_MAX_SEGMENTS + 1) * step, arena.len[0]);
	for (i = 0; i <= DMAFD_MAX_SEGMENTS; i++) {
		src[i] = (struct dmafd_segment){ .buf = arena.buf[0], .length = step };
		dst[i] = (struct dmafd_segment){ .buf = arena.buf[1], .length = step };
		src[i].offset = i * step;
		dst[i].offset = (DMAFD_MAX_SEGMENTS - i) * step;
	}
	for (i = 0; i < DMAFD_MAX_SEGMENTS; i++)
		memcpy(arena.model + arena.begin[1] + dst[i].offset,
		       arena.model + arena.begin[0] + src[i].offset, step);
	op = sg_op(&args, DMAFD_MAX_SEGMENTS * step);
	run_well(rig->chan, &op);
	check(&arena, 0);
	op.length += step;
	args.nr_src++;
	EXPECT_ERRNO(EINVAL, submit_error(rig->chan, &op));
	args.nr_dst++;
	EXPECT_ERRNO(EINVAL, submit_error(rig->chan, &op));
	args.nr_src--;
	EXPECT_ERRNO(EINVAL, submit_error(rig->chan, &op));
}

/* ---- rows ---- */

/* One side of a copy of rows. */
struct side {
	unsigned int buf;
	size_t offset;
	long stride;
};

struct shape {
	struct side src, dst;
	size_t row;
	unsigned int rows;
};

/* Where a row begins in the arena. */
static size_t row_at(const struct arena *arena, const struct side *side, unsigned int i)
{
	return arena->begin[side->buf] + side->offset + (long)i * side->stride;
}

static void pick_side(struct arena *arena, struct side *side, size_t row, unsigned int rows,
		      size_t least)
{
	size_t room = arena->len[0] - row, stride = least, more;

	side->buf = next_random(arena) % BUFS;
	if (rows > 1 && room / (rows - 1) > least) {
		more = (room / (rows - 1) - least) / arena->step * arena->step;
		stride += pick(arena, more < row ? more : row);
	}
	side->offset = pick(arena, room - (rows - 1) * stride);
	side->stride = stride;
	if (next_random(arena) % 3)
		return;
	side->offset += (rows - 1) * stride;
	side->stride = -side->stride;
}

/* With one stride for both sides and some luck, rows lie between each other. */
static void pick_same_stride(struct arena *arena, struct shape *shape)
{
	size_t stride = labs(shape->dst.stride), room;

	shape->src = shape->dst;
	room = arena->len[0] - shape->row - (shape->rows - 1) * stride;
	if (shape->rows > 1 && room >= stride)
		room = stride;
	shape->src.offset = pick(arena, room / arena->step * arena->step);
	if (shape->src.stride < 0)
		shape->src.offset += (shape->rows - 1) * stride;
	if (next_random(arena) % 2)
		return;
	shape->src.offset += (long)(shape->rows - 1) * shape->src.stride;
	shape->src.stride = -shape->src.stride;
}

static struct shape pick_shape(struct arena *arena)
{
	struct shape shape;
	size_t limit;

	shape.row = pick_length(arena, 2048);
	limit = (arena->len[0] - shape.row) / shape.row / 2;
	shape.rows = next_random(arena) % (limit < 50 ? limit : 50) + 1;
	pick_side(arena, &shape.dst, shape.row, shape.rows, shape.row);
	if (next_random(arena) % 2)
		pick_same_stride(arena, &shape);
	else
		pick_side(arena, &shape.src, shape.row, shape.rows, next_random(arena) % 2 ?
			  shape.row : 0);
	return shape;
}

static bool rows_overlap(const struct arena *arena, const struct shape *shape)
{
	unsigned int i;

	memset(arena->used, FREE, ARENA);
	for (i = 0; i < shape->rows; i++)
		memset(arena->used + row_at(arena, &shape->dst, i), WRITTEN, shape->row);
	for (i = 0; i < shape->rows; i++)
		if (memchr(arena->used + row_at(arena, &shape->src, i), WRITTEN, shape->row))
			return true;
	return false;
}

static size_t lowest(const struct arena *arena, const struct side *side, unsigned int rows)
{
	return row_at(arena, side, side->stride < 0 ? rows - 1 : 0);
}

/* Of different strides, the areas may not overlap. */
static bool areas_overlap(const struct arena *arena, const struct shape *shape)
{
	size_t src = lowest(arena, &shape->src, shape->rows);
	size_t dst = lowest(arena, &shape->dst, shape->rows);

	if (shape->rows == 1 || labs(shape->src.stride) == labs(shape->dst.stride))
		return false;
	return src < dst + (shape->rows - 1) * labs(shape->dst.stride) + shape->row &&
	       dst < src + (shape->rows - 1) * labs(shape->src.stride) + shape->row;
}

static struct dmafd_op rows_op(const struct arena *arena, const struct shape *shape,
			       struct dmafd_2d_args *args)
{
	*args = (struct dmafd_2d_args){
		.size = sizeof(*args), .src_stride = shape->src.stride,
		.dst_stride = shape->dst.stride, .rows = shape->rows,
	};
	return (struct dmafd_op){
		.opcode = DMAFD_OP_COPY_2D, .length = shape->rows * shape->row,
		.src_buf = arena->buf[shape->src.buf], .src_offset = shape->src.offset,
		.dst_buf = arena->buf[shape->dst.buf], .dst_offset = shape->dst.offset,
		.args = (uintptr_t)args,
	};
}

ALL_FIXTURES(random_rows, .timeout = 200)
{
	unsigned int i, k, refused = 0, between = 0;
	struct dmafd_2d_args args;
	struct arena arena;
	struct shape shape;
	struct dmafd_op op;

	arena_up(&arena, rig);
	for (i = 0; i < rounds(); i++) {
		scribble(&arena);
		shape = pick_shape(&arena);
		op = rows_op(&arena, &shape, &args);
		if (rows_overlap(&arena, &shape) || areas_overlap(&arena, &shape)) {
			ASSERT_ERRNO(EINVAL, submit_error(rig->chan, &op));
			refused++;
			continue;
		}
		run_well(rig->chan, &op);
		for (k = 0; k < shape.rows; k++)
			memcpy(arena.model + row_at(&arena, &shape.dst, k),
			       arena.model + row_at(&arena, &shape.src, k), shape.row);
		between += shape.rows > 1 && shape.src.buf == shape.dst.buf;
		check(&arena, i);
	}
	/* There was something of each kind. */
	EXPECT_LE(rounds() / 50, refused);
	EXPECT_LE(rounds() / 50, between);
}

/* ---- several sources ---- */

TEST_VIEWS(random_sources, .timeout = 200)
{
	unsigned int i, k, count;
	struct dmafd_sg_args args;
	struct arena arena;
	struct dmafd_op op;
	struct list src, dst;
	size_t len, j;

	arena_up(&arena, rig);
	if (!arena.max_sources)
		SKIP("the controller does not do that");
	for (i = 0; i < rounds(); i++) {
		scribble(&arena);
		memset(arena.used, FREE, ARENA);
		src = (struct list){};
		dst = (struct list){};
		len = pick_length(&arena, 5000);
		if (!add_segment(&arena, &dst, len, WRITTEN))
			continue;
		count = i % (arena.max_sources - 1) + 2;
		for (k = 0; k < count && add_segment(&arena, &src, len, READ); k++)
			;
		if (src.total != count * len)
			continue;
		args = sg_args(&src, NULL);
		op = sg_op(&args, len);
		op.opcode = DMAFD_OP_XOR;
		op.dst_buf = dst.seg[0].buf;
		op.dst_offset = dst.seg[0].offset;
		run_well(rig->chan, &op);
		memset(arena.model + dst.at[0], 0, len);
		for (k = 0; k < count; k++)
			for (j = 0; j < len; j++)
				arena.model[dst.at[0] + j] ^= arena.model[src.at[k] + j];
		check(&arena, i);
	}
}
