// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists, rows and several sources: what is refused, what goes wrong on the way,
 * and how they are given to the controller.
 */
#include "common/uapi.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

VIEWS("")
FIXTURE_OF(aligned, "flat", "align=16")
FIXTURE_OF(short_segments, "flat", "max_segment=1024")
FIXTURE_OF(copies_only, "flat", "types=memcpy")

#define SIZE	(64 * 1024)
#define PAGE	4096

enum { COUNT = 5 };

/* Buffers that can be read, written, and both; with a job that is all right. */
struct bench {
	int chan, src, dst, both;
	unsigned char *from, *to;
	struct dmafd_segment read[COUNT], written[COUNT];
	struct dmafd_sg_args sg;
	struct dmafd_2d_args rows;
	struct dmafd_op op;
};

static void bench_up(struct bench *bench, struct rig *rig)
{
	unsigned int i;

	*bench = (struct bench){ .chan = rig->chan };
	bench->from = memory(SIZE, 1);
	bench->to = memory(SIZE, 2);
	ASSERT_OK(bench->src = reg(rig->ctx, bench->from, SIZE, DMAFD_BUF_READ));
	ASSERT_OK(bench->dst = reg(rig->ctx, bench->to, SIZE, DMAFD_BUF_WRITE));
	ASSERT_OK(bench->both = reg(rig->ctx, memory(SIZE, 3), SIZE,
				    DMAFD_BUF_READ | DMAFD_BUF_WRITE));
	for (i = 0; i < COUNT; i++) {
		bench->read[i] = (struct dmafd_segment){
			.buf = bench->src, .offset = i * PAGE + 16, .length = 1024,
		};
		bench->written[i] = bench->read[i];
		bench->written[i].buf = bench->dst;
	}
}

/* A list. */
static void lay_list(struct bench *bench)
{
	bench->sg = (struct dmafd_sg_args){
		.size = sizeof(bench->sg), .nr_src = COUNT, .nr_dst = COUNT,
		.src = (uintptr_t)bench->read, .dst = (uintptr_t)bench->written,
	};
	bench->op = (struct dmafd_op){
		.opcode = DMAFD_OP_COPY_SG, .length = COUNT * 1024,
		.args = (uintptr_t)&bench->sg,
	};
}

static void lay_rows(struct bench *bench, size_t offset, size_t row, long stride,
		     unsigned int rows)
{
	bench->rows = (struct dmafd_2d_args){
		.size = sizeof(bench->rows), .rows = rows, .src_stride = stride,
		.dst_stride = stride,
	};
	bench->op = (struct dmafd_op){
		.opcode = DMAFD_OP_COPY_2D, .length = row * rows, .src_buf = bench->src,
		.dst_buf = bench->dst, .src_offset = offset, .dst_offset = offset,
		.args = (uintptr_t)&bench->rows,
	};
}

static void lay_sources(struct bench *bench)
{
	bench->sg = (struct dmafd_sg_args){
		.size = sizeof(bench->sg), .nr_src = COUNT, .src = (uintptr_t)bench->read,
	};
	bench->op = (struct dmafd_op){
		.opcode = DMAFD_OP_XOR, .length = 1024, .dst_buf = bench->dst,
		.args = (uintptr_t)&bench->sg,
	};
}

/* ---- what is refused ---- */

/* Something is set for once, and the job is refused. */
#define BAD(errno_, what, value) do {					\
	__typeof__(what) was_ = (what);					\
									\
	(what) = (value);						\
	EXPECT_ERRNO(errno_, submit_error(bench.chan, &bench.op));	\
	(what) = was_;							\
} while (0)

/* What each kind of argument has in common; @size and @flags are its members. */
static void bad_args(struct bench *bench, void *args, size_t size)
{
	union { __u32 word[4096]; } longer = {};

	run_well(bench->chan, &bench->op);
	memcpy(&longer, args, size);
	bench->op.args = (uintptr_t)&longer;
	longer.word[0] = size + 8;
	run_well(bench->chan, &bench->op);
	longer.word[size / 4 + 1] = 1;
	EXPECT_ERRNO(E2BIG, submit_error(bench->chan, &bench->op));
	longer.word[size / 4 + 1] = 0;
	longer.word[0] = 4097;
	EXPECT_ERRNO(E2BIG, submit_error(bench->chan, &bench->op));
	longer.word[0] = size - 4;
	EXPECT_ERRNO(EINVAL, submit_error(bench->chan, &bench->op));
	longer.word[0] = 0;
	EXPECT_ERRNO(EINVAL, submit_error(bench->chan, &bench->op));
	longer.word[0] = size;
	longer.word[1] = 1;
	EXPECT_ERRNO(EOPNOTSUPP, submit_error(bench->chan, &bench->op));
	bench->op.args = 0;
	EXPECT_ERRNO(EFAULT, submit_error(bench->chan, &bench->op));
	bench->op.args = 8;
	EXPECT_ERRNO(EFAULT, submit_error(bench->chan, &bench->op));
	bench->op.args = (uintptr_t)args;
	run_well(bench->chan, &bench->op);
}

TEST_F(flat, bad_lists)
{
	struct bench bench;

	bench_up(&bench, &self->rig);
	lay_list(&bench);
	bad_args(&bench, &bench.sg, sizeof(bench.sg));
	BAD(EINVAL, bench.op.length, 0);
	BAD(EINVAL, bench.op.length, COUNT * 1024 - 4);
	BAD(EINVAL, bench.op.value, 1);
	BAD(EINVAL, bench.op.src_buf, bench.src);
	BAD(EINVAL, bench.op.dst_buf, bench.dst);
	BAD(EINVAL, bench.op.src_offset, 4);
	BAD(EINVAL, bench.op.dst_offset, 4);
	BAD(EOPNOTSUPP, bench.op.flags, 0x80);
	BAD(EINVAL, bench.sg.nr_src, 0);
	BAD(EINVAL, bench.sg.nr_dst, 0);
	BAD(EINVAL, bench.sg.nr_src, COUNT - 1);
	BAD(EINVAL, bench.sg.nr_dst, COUNT - 1);
	BAD(EINVAL, bench.sg.nr_src, UINT32_MAX);
	BAD(EINVAL, bench.sg.nr_dst, UINT32_MAX);
	BAD(EFAULT, bench.sg.src, 8);
	BAD(EFAULT, bench.sg.dst, 8);
	run_well(bench.chan, &bench.op);
}

TEST_F(flat, bad_segments)
{
	struct dmafd_segment *read, *written;
	struct bench bench;

	bench_up(&bench, &self->rig);
	lay_list(&bench);
	read = &bench.read[3];
	written = &bench.written[3];
	BAD(EOPNOTSUPP, read->__reserved, 1);
	BAD(EOPNOTSUPP, written->__reserved, 1);
	BAD(ENOENT, read->buf, 0);
	BAD(ENOENT, written->buf, 12345);
	BAD(EACCES, read->buf, bench.dst);
	BAD(EACCES, written->buf, bench.src);
	BAD(EINVAL, read->length, 0);
	BAD(EINVAL, written->length, 0);
	BAD(EINVAL, read->length, 1028);
	BAD(EINVAL, written->length, 1020);
	BAD(EINVAL, read->length, UINT64_MAX);
	BAD(EINVAL, written->length, (__u64)1 << 32 | 1024);
	BAD(EINVAL, read->offset, SIZE - 1020);
	BAD(EINVAL, written->offset, SIZE + 4);
	BAD(EINVAL, read->offset, UINT64_MAX - 1023);
	run_well(bench.chan, &bench.op);
	/* A buffer of a bad job is not in use. */
	EXPECT_OK(unreg(self->rig.ctx, bench.src));
	EXPECT_OK(unreg(self->rig.ctx, bench.dst));
}

TEST_F(flat, overlapping_lists)
{
	struct bench bench;
	int other;

	bench_up(&bench, &self->rig);
	lay_list(&bench);
	/* What is read may be read twice, what is written only once. */
	bench.read[4] = bench.read[0];
	run_well(bench.chan, &bench.op);
	BAD(EINVAL, bench.written[4].offset, bench.written[0].offset);
	BAD(EINVAL, bench.written[4].offset, bench.written[1].offset + 1020);
	BAD(EINVAL, bench.written[4].offset, bench.written[2].offset - 1020);
	bench.read[1].buf = bench.both;
	bench.written[3].buf = bench.both;
	run_well(bench.chan, &bench.op);
	BAD(EINVAL, bench.read[1].offset, bench.written[3].offset + 1020);
	BAD(EINVAL, bench.read[1].offset, bench.written[3].offset - 1020);
	bench.read[1].offset = bench.written[3].offset + 1024;
	run_well(bench.chan, &bench.op);
	/* The same memory by another buffer. */
	ASSERT_OK(other = reg(self->rig.ctx, bench.to, SIZE, DMAFD_BUF_READ));
	bench.read[2] = bench.written[2];
	bench.read[2].buf = other;
	EXPECT_ERRNO(EINVAL, submit_error(bench.chan, &bench.op));
	bench.read[2].offset += 1024;
	run_well(bench.chan, &bench.op);
}

TEST_F(flat, bad_rows)
{
	struct bench bench;

	bench_up(&bench, &self->rig);
	lay_rows(&bench, 16, 256, 1024, 4);
	bad_args(&bench, &bench.rows, sizeof(bench.rows));
	BAD(EINVAL, bench.op.length, 0);
	BAD(EINVAL, bench.op.length, 1022);
	BAD(EINVAL, bench.op.length, 4 * (__u64)SIZE);
	BAD(EINVAL, bench.op.length, UINT64_MAX / 4 * 4);
	BAD(EINVAL, bench.op.value, 1);
	BAD(ENOENT, bench.op.src_buf, 0);
	BAD(ENOENT, bench.op.dst_buf, 12345);
	BAD(EACCES, bench.op.src_buf, bench.dst);
	BAD(EACCES, bench.op.dst_buf, bench.src);
	BAD(EINVAL, bench.op.src_offset, SIZE - 3 * 1024 - 252);
	BAD(EINVAL, bench.op.dst_offset, SIZE - 3 * 1024 - 252);
	BAD(EINVAL, bench.op.src_offset, UINT64_MAX);
	BAD(EOPNOTSUPP, bench.rows.__reserved, 1);
	BAD(EINVAL, bench.rows.rows, 0);
	BAD(EINVAL, bench.rows.rows, 3);
	BAD(EINVAL, bench.rows.dst_stride, 0);
	BAD(EINVAL, bench.rows.dst_stride, 252);
	BAD(EINVAL, bench.rows.dst_stride, INT64_MAX);
	BAD(EINVAL, bench.rows.src_stride, INT64_MAX);
	BAD(EINVAL, bench.rows.dst_stride, INT64_MIN);
	BAD(EINVAL, bench.rows.src_stride, INT64_MIN);
	BAD(EINVAL, bench.rows.src_stride, -1024);
	BAD(EINVAL, bench.rows.dst_stride, -1024);
	run_well(bench.chan, &bench.op);
	/* Up from the last row; one row, again and again. */
	bench.op.src_offset += 3 * 1024;
	bench.rows.src_stride = -1024;
	run_well(bench.chan, &bench.op);
	EXPECT_MEMEQ(bench.from + 16 + 3 * 1024, bench.to + 16, 256);
	bench.rows.src_stride = 0;
	run_well(bench.chan, &bench.op);
	EXPECT_MEMEQ(bench.from + 16 + 3 * 1024, bench.to + 16 + 3 * 1024, 256);
	/* Of a single row, strides are of no matter. */
	bench.op.length = 256;
	bench.rows = (struct dmafd_2d_args){
		.size = sizeof(bench.rows), .rows = 1, .src_stride = INT64_MIN,
	};
	run_well(bench.chan, &bench.op);
}

TEST_F(flat, most_rows, .timeout = 100)
{
	struct bench bench;
	int big;

	need_sim(&self->rig);
	bench_up(&bench, &self->rig);
	ASSERT_OK(big = reg(self->rig.ctx, memory(4 * SIZE, 4), 4 * SIZE, DMAFD_BUF_WRITE));
	lay_rows(&bench, 0, 1, 2, DMAFD_MAX_ROWS);
	bench.op.dst_buf = big;
	bench.rows.src_stride = 0;
	bench.op.timeout_ms = slow_ms(20000);
	run_well(bench.chan, &bench.op);
	bench.op.length++;
	bench.rows.rows++;
	EXPECT_ERRNO(EINVAL, submit_error(bench.chan, &bench.op));
}

TEST_F(flat, overlapping_rows)
{
	struct bench bench;

	bench_up(&bench, &self->rig);
	lay_rows(&bench, 4096, 256, 1024, 4);
	bench.op.src_buf = bench.both;
	bench.op.dst_buf = bench.both;
	EXPECT_ERRNO(EINVAL, submit_error(bench.chan, &bench.op));
	/* Between each other. */
	bench.op.src_offset = 4096 + 256;
	run_well(bench.chan, &bench.op);
	bench.op.src_offset = 4096 - 256 - 1024;
	run_well(bench.chan, &bench.op);
	BAD(EINVAL, bench.op.src_offset, 4096 + 252);
	BAD(EINVAL, bench.op.src_offset, 4096 - 252);
	BAD(EINVAL, bench.op.src_offset, 4096 + 3 * 1024 + 252);
	BAD(EINVAL, bench.op.src_offset, 4096 - 3 * 1024 - 252);
	bench.op.src_offset = 4096 + 3 * 1024 + 256;
	run_well(bench.chan, &bench.op);
	/* Of different strides, areas may not. */
	bench.op.src_offset = 4096 + 256;
	BAD(EINVAL, bench.rows.src_stride, 2048);
	bench.op.src_offset = 4096 + 3 * 1024 + 256;
	bench.rows.src_stride = 2048;
	run_well(bench.chan, &bench.op);
}

TEST_F(flat, bad_sources)
{
	struct bench bench;

	need_sim(&self->rig);
	bench_up(&bench, &self->rig);
	lay_sources(&bench);
	bad_args(&bench, &bench.sg, sizeof(bench.sg));
	BAD(EINVAL, bench.op.length, 0);
	BAD(EINVAL, bench.op.length, 1020);
	BAD(EINVAL, bench.op.value, 1);
	BAD(EINVAL, bench.op.src_buf, bench.src);
	BAD(EINVAL, bench.op.src_offset, 4);
	BAD(ENOENT, bench.op.dst_buf, 0);
	BAD(EACCES, bench.op.dst_buf, bench.src);
	BAD(EINVAL, bench.op.dst_offset, SIZE - 1020);
	BAD(EINVAL, bench.sg.nr_src, 0);
	BAD(EINVAL, bench.sg.nr_src, 1);
	BAD(EINVAL, bench.sg.nr_src, 9);
	BAD(EINVAL, bench.sg.nr_dst, 1);
	BAD(EINVAL, bench.sg.dst, (uintptr_t)bench.written);
	BAD(EFAULT, bench.sg.src, 8);
	BAD(EINVAL, bench.read[4].length, 1020);
	BAD(EACCES, bench.read[4].buf, bench.dst);
	BAD(EOPNOTSUPP, bench.read[4].__reserved, 1);
	/* The same source twice is fine, and the destination among them is not. */
	bench.op.dst_buf = bench.both;
	bench.read[1] = bench.read[0];
	bench.read[2].buf = bench.both;
	run_well(bench.chan, &bench.op);
	BAD(EINVAL, bench.op.dst_offset, bench.read[2].offset + 1020);
	EXPECT_OK(unreg(self->rig.ctx, bench.src));
}

TEST_F(copies_only, no_sources)
{
	struct bench bench;

	bench_up(&bench, &self->rig);
	lay_sources(&bench);
	EXPECT_ERRNO(EOPNOTSUPP, submit_error(bench.chan, &bench.op));
}

TEST_F(aligned, alignment)
{
	struct bench bench;

	need_sim(&self->rig);
	bench_up(&bench, &self->rig);
	lay_list(&bench);
	run_well(bench.chan, &bench.op);
	BAD(EINVAL, bench.read[2].offset, PAGE + 8);
	BAD(EINVAL, bench.written[2].offset, 2 * PAGE + 24);
	bench.read[1].length += 8;
	bench.read[2].length -= 8;
	EXPECT_ERRNO(EINVAL, submit_error(bench.chan, &bench.op));
	lay_rows(&bench, 16, 256, 1024, 4);
	run_well(bench.chan, &bench.op);
	BAD(EINVAL, bench.op.src_offset, 24);
	BAD(EINVAL, bench.rows.src_stride, 1032);
	BAD(EINVAL, bench.rows.dst_stride, 1032);
	BAD(EINVAL, bench.op.length, 4 * 248);
	bench_up(&bench, &self->rig);
	lay_sources(&bench);
	run_well(bench.chan, &bench.op);
	BAD(EINVAL, bench.read[1].offset, PAGE + 8);
	BAD(EINVAL, bench.op.dst_offset, 8);
}

/* ---- what goes wrong ---- */

/* What is written along with a byte, where the controller does not see the caches. */
static size_t line;

static bool syncs(struct rig *rig)
{
	struct dmafd_chan_info info = { .size = sizeof(info) };
	struct dmafd_info lines = { .size = sizeof(lines) };

	ASSERT_OK(ioctl(rig->chan, DMAFD_CHAN_INFO, &info));
	ASSERT_OK(ioctl(rig->ctx, DMAFD_INFO, &lines));
	line = lines.out_line;
	return info.out_flags & DMAFD_INFO_SYNC;
}

/* The bytes of a stretch at @offset that the controller moves, and those before. */
static size_t middle(bool sync, size_t offset, size_t len, size_t *head)
{
	*head = sync ? -offset % line : 0;
	return sync ? (len - *head) / line * line : len;
}

/*
 * How many bytes are told when of stretches of @len bytes, @stride apart, the
 * controller did so many completely, and @part more.
 */
static size_t told(bool sync, size_t offset, size_t len, size_t stride, unsigned int whole,
		   size_t part)
{
	size_t head, bytes = 0;
	unsigned int i;

	for (i = 0; i < whole; i++)
		bytes = i * len + middle(sync, offset + i * stride, len, &head) + head;
	if (part) {
		middle(sync, offset + i * stride, len, &head);
		bytes = i * len + head + part;
	}
	return bytes;
}

/* The first @bytes are there, and what lies between the stretches is as it was. */
static void look(struct bench *bench, size_t offset, size_t len, size_t stride, size_t bytes)
{
	unsigned char *before = memory(SIZE, 2);
	unsigned int i;
	size_t at, n;

	for (i = 0, at = offset; i < COUNT; i++, at += stride) {
		n = bytes < len ? bytes : len;
		EXPECT_MEMEQ(bench->from + at, bench->to + at, n);
		EXPECT_MEMEQ(before + at + len, bench->to + at + len, stride - len);
		bytes -= n;
	}
	EXPECT_MEMEQ(before, bench->to, offset);
}

/* A rule for the controller, and what comes of it, of pieces of one stretch each. */
static const struct {
	const char *rule;
	int status;
	unsigned int whole;
	size_t part, divisor;	/* these bytes, or such a part of the piece */
} troubles[] = {
	{ "fail nth=1", -EIO, 0, 0, 0 },
	{ "fail nth=3", -EIO, 2, 0, 0 },
	{ "fail nth=5", -EIO, 4, 0, 0 },
	{ "short nth=1 arg=33", -EIO, 0, 33, 0 },
	{ "short nth=4 arg=100", -EIO, 3, 100, 0 },
	{ "abort nth=2", -EIO, 1, 0, 2 },
	{ "hang nth=1", -ETIMEDOUT, 0, 0, 2 },
	{ "hang nth=4", -ETIMEDOUT, 3, 0, 2 },
};

static void in_trouble(struct rig *rig, bool rows, size_t offset, size_t len, size_t stride)
{
	bool sync = syncs(rig);
	struct dmafd_completion completion;
	size_t head, part, bytes;
	struct bench bench;
	unsigned int i;

	for (i = 0; i < sizeof(troubles) / sizeof(*troubles); i++) {
		printf("# %s\n", troubles[i].rule);
		bench_up(&bench, rig);
		lay_list(&bench);
		if (rows)
			lay_rows(&bench, offset, len, stride, COUNT);
		bench.op.timeout_ms = slow_ms(200);
		sim_set("inject", troubles[i].rule);
		run(rig->chan, &bench.op, &completion);
		sim_set("inject", "off");
		part = troubles[i].part;
		if (troubles[i].divisor)
			part = middle(sync, offset + troubles[i].whole * stride, len, &head) /
			       troubles[i].divisor;
		bytes = told(sync, offset, len, stride, troubles[i].whole, part);
		EXPECT_EQ(troubles[i].status, completion.status);
		EXPECT_EQ(bytes, completion.bytes);
		look(&bench, offset, len, stride, completion.bytes);
		memcpy(bench.to, memory(SIZE, 2), SIZE);
		run_well(rig->chan, &bench.op);
		look(&bench, offset, len, stride, COUNT * len);
	}
}

TEST_VIEWS(lists_in_trouble, .timeout = 60)
{
	need_sim(rig);
	in_trouble(rig, false, 16, 1024, PAGE);
}

FIXTURE_OF(rows_flat, "flat", "types=memcpy")
FIXTURE_OF(rows_noncoherent, "noncoherent", "types=memcpy")

TEST_F(rows_flat, rows_in_trouble, .timeout = 60)
{
	need_sim(&self->rig);
	in_trouble(&self->rig, true, 10, 400, 1000);
}

TEST_F(rows_noncoherent, rows_in_trouble, .timeout = 60)
{
	need_sim(&self->rig);
	in_trouble(&self->rig, true, 10, 400, 1000);
}

/* Of rows that are given at once, too. */
TEST_F(flat, rows_at_once_in_trouble)
{
	struct dmafd_completion completion;
	struct bench bench;

	need_sim(&self->rig);
	bench_up(&bench, &self->rig);
	lay_rows(&bench, 0, 256, 512, COUNT);
	sim_set("inject", "short arg=450");
	run(bench.chan, &bench.op, &completion);
	EXPECT_EQ(-EIO, completion.status);
	EXPECT_EQ(450, completion.bytes);
	look(&bench, 0, 256, 512, 450);
}

/* What is under way cannot be removed, and can when it was canceled. */
static void stays_until_canceled(struct rig *rig, struct bench *bench)
{
	struct dmafd_completion completion;
	unsigned int canceled;

	sim_set("inject", "hang");
	ASSERT_EQ(1, submit(rig->chan, &bench->op, 1));
	EXPECT_ERRNO(EBUSY, unreg(rig->ctx, bench->src));
	EXPECT_ERRNO(EBUSY, unreg(rig->ctx, bench->dst));
	ASSERT_OK(cancel(rig->chan, &canceled));
	EXPECT_EQ(1, canceled);
	take(rig->chan, &completion, 1);
	EXPECT_EQ(-ECANCELED, completion.status);
	sim_set("inject", "off");
	EXPECT_OK(unreg(rig->ctx, bench->src));
	EXPECT_OK(unreg(rig->ctx, bench->dst));
}

TEST_VIEWS(canceled)
{
	struct bench bench;

	need_sim(rig);
	bench_up(&bench, rig);
	lay_list(&bench);
	stays_until_canceled(rig, &bench);
	bench_up(&bench, rig);
	lay_rows(&bench, 16, 256, 1024, 4);
	stays_until_canceled(rig, &bench);
	bench_up(&bench, rig);
	lay_sources(&bench);
	stays_until_canceled(rig, &bench);
}

/* The channel is closed with some of each in the queue. */
TEST_VIEWS(closed)
{
	struct dmafd_op op[3];
	struct bench bench[3];
	unsigned int i;

	need_sim(rig);
	for (i = 0; i < 3; i++)
		bench_up(&bench[i], rig);
	lay_list(&bench[0]);
	lay_rows(&bench[1], 16, 256, 1024, 4);
	lay_sources(&bench[2]);
	sim_set("inject", "hang");
	for (i = 0; i < 3; i++)
		op[i] = bench[i].op;
	ASSERT_EQ(3, submit(rig->chan, op, 3));
	ASSERT_EQ(3, submit(rig->chan, op, 3));
	EXPECT_OK(close(rig->chan));
	rig->chan = -1;
	for (i = 0; i < 3; i++)
		EXPECT_OK(unreg(rig->ctx, bench[i].dst));
}

/* ---- how rows are given to the controller ---- */

/* How many descriptors a job takes. */
static long descriptors(struct bench *bench)
{
	char device[64] = "", path[160];
	FILE *file = fopen("/sys/kernel/config/dmasim/uapi/device", "r");
	long before;

	ASSERT_TRUE(file);
	ASSERT_TRUE(fgets(device, sizeof(device), file));
	fclose(file);
	device[strcspn(device, "\n")] = '\0';
	snprintf(path, sizeof(path), "/sys/kernel/debug/dmasim/%s/channel/0", device);
	before = number_in(path, "submitted:");
	run_well(bench->chan, &bench->op);
	return number_in(path, "submitted:") - before;
}

TEST_VIEWS(rows_at_once)
{
	struct bench bench;

	need_sim(rig);
	bench_up(&bench, rig);
	lay_rows(&bench, 128, 256, 512, 6);
	EXPECT_EQ(1, descriptors(&bench));
	bench.rows.src_stride = 448;
	EXPECT_EQ(1, descriptors(&bench));
	/* Not back, and not one row again and again. */
	bench.rows.src_stride = 0;
	EXPECT_EQ(6, descriptors(&bench));
	bench.rows.src_stride = -512;
	bench.op.src_offset = 5 * 512;
	EXPECT_EQ(6, descriptors(&bench));
	/* With edges, each row by itself. */
	lay_rows(&bench, 130, 256, 512, 6);
	EXPECT_EQ(syncs(rig) ? 6 : 1, descriptors(&bench));
	lay_rows(&bench, 128, 200, 512, 6);
	EXPECT_EQ(syncs(rig) ? 6 : 1, descriptors(&bench));
	lay_rows(&bench, 128, 256, 520, 6);
	EXPECT_EQ(syncs(rig) ? 6 : 1, descriptors(&bench));
}

TEST_F(short_segments, rows_at_once)
{
	struct bench bench;

	need_sim(&self->rig);
	bench_up(&bench, &self->rig);
	/* As many rows as the controller takes bytes. */
	lay_rows(&bench, 0, 128, 256, 32);
	EXPECT_EQ(4, descriptors(&bench));
	EXPECT_MEMEQ(bench.from + 31 * 256, bench.to + 31 * 256, 128);
	lay_rows(&bench, 0, 600, 2048, 6);
	EXPECT_EQ(6, descriptors(&bench));
}

TEST_F(flat, rows_refused)
{
	struct bench bench;

	need_sim(&self->rig);
	bench_up(&bench, &self->rig);
	lay_rows(&bench, 128, 256, 512, 6);
	sim_set("inject", "refuse");
	EXPECT_EQ(6, descriptors(&bench));
	sim_set("inject", "off");
	EXPECT_EQ(1, descriptors(&bench));
	EXPECT_MEMEQ(bench.from + 128 + 5 * 512, bench.to + 128 + 5 * 512, 256);
}

/* ---- without memory ---- */

/*
 * Submits, and the allocation with that number fails; false if there was none. Until
 * it is told to stop, the kernel lets the test's own calls fail as well.
 */
static bool submit_starved(struct bench *bench, unsigned int nth)
{
	struct dmafd_completion completion;
	struct dmafd_op last = nop_op(0);
	char text[16] = "";
	int fd, submitted, error;
	bool failed;

	ASSERT_OK(fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC));
	snprintf(text, sizeof(text), "%u", nth);
	ASSERT_OK(write(fd, text, strlen(text)));
	submitted = submit(bench->chan, &bench->op, 1);
	error = errno;
	failed = pread(fd, text, sizeof(text) - 1, 0) > 0 && !strtoul(text, NULL, 0);
	while (write(fd, "0", 1) != 1)
		;
	close(fd);
	/* Looking at the program's memory may fail as well. */
	EXPECT_TRUE(submitted == 1 || error == ENOMEM || error == EFAULT);
	/* With EFAULT there is a job if only its number could not be told. */
	ASSERT_EQ(1, submit(bench->chan, &last, 1));
	do {
		take(bench->chan, &completion, 1);
		EXPECT_TRUE(!completion.status || completion.status == -EREMOTEIO);
	} while (completion.opcode != DMAFD_OP_NOP);
	return failed;
}

/*
 * Each allocation fails once: what was done before is undone. The buffers are mapped
 * before that, since the kernel's DMA checker gives up for good when it has no memory
 * to note a mapping.
 */
static void starve(struct rig *rig, void (*lay)(struct bench *bench))
{
	struct bench bench;
	unsigned int nth = 0;
	bool failed;

	do {
		bench_up(&bench, rig);
		lay(&bench);
		run_well(rig->chan, &bench.op);
		failed = submit_starved(&bench, ++nth);
		run_well(rig->chan, &bench.op);
		EXPECT_OK(unreg(rig->ctx, bench.src));
		EXPECT_OK(unreg(rig->ctx, bench.dst));
	} while (failed && nth < 1000);
	EXPECT_LE(4, nth);
	EXPECT_FALSE(failed);
}

static void lay_some_rows(struct bench *bench)
{
	lay_rows(bench, 16, 256, 1024, 4);
}

TEST_VIEWS(without_memory, .timeout = 100)
{
	static const char * const loud[] = {
		"failslab", "fail_page_alloc", "fail_usercopy", "dmasim/fail_map",
		"dmasim/fail_prep", "dmasim/fail_transfer",
	};
	char path[80];
	size_t i;

	need_sim(rig);
	if (access("/sys/kernel/debug/failslab/ignore-gfp-wait", F_OK))
		SKIP("the kernel injects no errors");
	put_text("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	for (i = 0; i < sizeof(loud) / sizeof(*loud); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/verbose", loud[i]);
		if (!access(path, F_OK))
			put_text(path, "0");
	}
	starve(rig, lay_list);
	starve(rig, lay_some_rows);
	starve(rig, lay_sources);
}
