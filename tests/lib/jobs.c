// SPDX-License-Identifier: GPL-2.0-only
/*
 * What jobs do, and what comes back, whichever way they go.
 */
#include "common/kit.h"

#include <poll.h>
#include <unistd.h>

KITS("")

#define SIZE	(64 * 1024)

static size_t below(unsigned int *state, size_t limit, size_t step)
{
	*state = *state * 1103515245 + 12345;
	return (*state >> 8) % limit / step * step;
}

TEST_KITS(copies, .timeout = 90)
{
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	unsigned char *model = memory(SIZE, 2);
	unsigned int state = 1, i;
	size_t to, from, len;

	for (i = 0; i < 200; i++) {
		len = below(&state, i % 3 ? 300 : SIZE / 2, kit->step) + kit->step;
		to = below(&state, SIZE - len, kit->step);
		from = below(&state, SIZE - len, kit->step);
		bytes_of(src)[from] ^= i;
		memcpy(model + to, bytes_of(src) + from, len);
		ASSERT_OK(dmafd_copy(kit->chan, dst, to, src, from, len));
		if (i % 10 == 9)
			ASSERT_MEMEQ(model, bytes_of(dst), SIZE);
	}
}

TEST_KITS(fills)
{
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	unsigned char *model = memory(SIZE, 2);
	unsigned int state = 2, i;
	size_t at, len;

	need_caps(kit, DMAFD_CAP_FILL);
	for (i = 0; i < 60; i++) {
		len = below(&state, 5000, 1) + 1;
		at = below(&state, SIZE - len, 1);
		memset(model + at, i, len);
		ASSERT_OK(dmafd_fill(kit->chan, dst, at, len, i));
	}
	EXPECT_MEMEQ(model, bytes_of(dst), SIZE);
}

/* Lists that are cut in different places. */
TEST_KITS(vectors)
{
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	unsigned char *model = memory(SIZE, 2), stream[2000];
	struct dmafd_range from[] = {
		{ src, 0, 100 }, { src, 5000, 700 }, { src, 400, 4 }, { src, 9000, 1196 },
	};
	struct dmafd_range to[] = { { dst, 60000, 1000 }, { dst, 8, 996 }, { dst, 4100, 4 } };
	size_t i, at;

	need_opcode(kit, DMAFD_JOB_COPYV);
	for (i = at = 0; i < 4; at += from[i++].length)
		memcpy(stream + at, bytes_of(src) + from[i].offset, from[i].length);
	for (i = at = 0; i < 3; at += to[i++].length)
		memcpy(model + to[i].offset, stream + at, to[i].length);
	ASSERT_OK(dmafd_copyv(kit->chan, to, 3, from, 4));
	EXPECT_MEMEQ(model, bytes_of(dst), SIZE);
}

TEST_KITS(long_vectors)
{
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	struct dmafd_range from[DMAFD_MAX_RANGES], to[DMAFD_MAX_RANGES];
	unsigned char *model = memory(SIZE, 1);
	unsigned int i, n = DMAFD_MAX_RANGES, len = SIZE / DMAFD_MAX_RANGES;

	need_opcode(kit, DMAFD_JOB_COPYV);
	for (i = 0; i < n; i++) {
		from[i] = (struct dmafd_range){ src, i * len, len };
		to[i] = (struct dmafd_range){ dst, (n - 1 - i) * len, len };
	}
	ASSERT_OK(dmafd_copyv(kit->chan, to, n, from, n));
	for (i = 0; i < n; i++)
		ASSERT_MEMEQ(model + i * len, bytes_of(dst) + (n - 1 - i) * len, len);
}

/* A part of a picture, also upside down, and one row many times. */
TEST_KITS(rows)
{
	static const struct {
		int64_t src_at, src_stride;
	} cases[] = { { 404, 640 }, { 404 + 39 * 640, -640 }, { 404, 0 }, { 404, 4 } };
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	unsigned char *model = memory(SIZE, 2);
	unsigned int i, row;

	need_opcode(kit, DMAFD_JOB_COPY_2D);
	for (i = 0; i < 4; i++) {
		for (row = 0; row < 40; row++)
			memcpy(model + 100 + row * 320,
			       bytes_of(src) + cases[i].src_at + row * cases[i].src_stride, 120);
		ASSERT_OK(dmafd_copy_2d(kit->chan, dst, 100, 320, src, cases[i].src_at,
					cases[i].src_stride, 120, 40));
		ASSERT_MEMEQ(model, bytes_of(dst), SIZE);
	}
}

/* What is written last comes first in memory. */
TEST_KITS(rows_upwards)
{
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	unsigned char *model = memory(SIZE, 2);
	unsigned int row;

	need_opcode(kit, DMAFD_JOB_COPY_2D);
	for (row = 0; row < 20; row++)
		memcpy(model + (19 - row) * 256, bytes_of(src) + row * 512, 256);
	ASSERT_OK(dmafd_copy_2d(kit->chan, dst, 19 * 256, -256, src, 0, 512, 256, 20));
	EXPECT_MEMEQ(model, bytes_of(dst), SIZE);
	/* Of one row, strides are of no matter. */
	ASSERT_OK(dmafd_copy_2d(kit->chan, dst, 0, INT64_MIN, src, 0, INT64_MAX, 256, 1));
	EXPECT_MEMEQ(bytes_of(src), bytes_of(dst), 256);
}

/* From the left half of a picture to its right half. */
TEST_KITS(rows_side_by_side)
{
	struct dmafd_buf *buf = kit_buf(kit, SIZE, 1, DMAFD_RDWR);
	unsigned char *model = memory(SIZE, 1);
	unsigned int row;

	need_opcode(kit, DMAFD_JOB_COPY_2D);
	for (row = 0; row < 100; row++)
		memcpy(model + row * 512 + 256, model + row * 512, 256);
	ASSERT_OK(dmafd_copy_2d(kit->chan, buf, 256, 512, buf, 0, 512, 256, 100));
	EXPECT_MEMEQ(model, bytes_of(buf), SIZE);
}

TEST_KITS(xor)
{
	struct dmafd_buf *src[3], *dst = kit_buf(kit, SIZE, 9, DMAFD_WRITE);
	struct dmafd_range from[3];
	unsigned char *model = memory(SIZE, 9);
	unsigned int i, j;

	need_opcode(kit, DMAFD_JOB_XOR);
	need_caps(kit, DMAFD_CAP_XOR);
	for (i = 0; i < 3; i++) {
		src[i] = kit_buf(kit, SIZE, i, DMAFD_READ);
		from[i] = (struct dmafd_range){ src[i], i * 128, 4096 };
	}
	for (j = 0; j < 4096; j++)
		model[64 + j] = bytes_of(src[0])[j] ^ bytes_of(src[1])[128 + j] ^
				bytes_of(src[2])[256 + j];
	ASSERT_OK(dmafd_xor(kit->chan, dst, 64, from, 3, 4096));
	EXPECT_MEMEQ(model, bytes_of(dst), SIZE);
}

/* Each reads what the one before wrote; results come in order, and tell all. */
TEST_KITS(chain)
{
	struct dmafd_buf *buf[2] = {
		kit_buf(kit, SIZE, 1, DMAFD_RDWR), kit_buf(kit, SIZE, 2, DMAFD_RDWR),
	};
	unsigned char *model = memory(SIZE, 1);
	struct dmafd_result results[100];
	struct dmafd_job jobs[100];
	unsigned int round, i;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < 100; i++) {
			dmafd_job_copy(&jobs[i], buf[!(i % 2)], 64, buf[i % 2], 64, 4096);
			jobs[i].flags = DMAFD_FENCE;
			jobs[i].user_data = 0xabcd00000000 + i;
		}
		submit_all(kit, jobs, 100);
		reap_all(kit, results, 100);
		for (i = 0; i < 100; i++) {
			EXPECT_EQ(0, results[i].status);
			EXPECT_EQ(0xabcd00000000 + i, results[i].user_data);
			EXPECT_EQ(round * 100 + i, results[i].sequence);
			EXPECT_EQ(4096, results[i].bytes);
			EXPECT_EQ(DMAFD_JOB_COPY, results[i].opcode);
			EXPECT_EQ(kit->way == BY_CPU ? DMAFD_BY_CPU : 0, results[i].flags);
			EXPECT_LT(0, results[i].submit_ns);
			EXPECT_LE(results[i].submit_ns, results[i].complete_ns);
		}
		EXPECT_MEMEQ(model + 64, bytes_of(buf[0]) + 64, 4096);
		EXPECT_MEMEQ(model + 64, bytes_of(buf[1]) + 64, 4096);
	}
}

/* The file descriptor is readable as long as there are results, and only then. */
TEST_KITS(events)
{
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	struct pollfd fd = { .fd = dmafd_chan_fd(kit->chan), .events = POLLIN };
	struct dmafd_result result;
	struct dmafd_job jobs[10];
	unsigned int i, round;
	int n;

	for (round = 0; round < 2; round++) {
		EXPECT_EQ(0, poll(&fd, 1, 0));
		for (i = 0; i < 10; i++)
			dmafd_job_copy(&jobs[i], dst, i * 1024, src, i * 1024, 1024);
		submit_all(kit, jobs, 10);
		for (i = 0; i < 10;) {
			ASSERT_EQ(1, poll(&fd, 1, slow_ms(10000)));
			EXPECT_EQ(POLLIN, fd.revents);
			ASSERT_OK(n = dmafd_reap(kit->chan, &result, 1, 0));
			i += n;
		}
		EXPECT_EQ(0, poll(&fd, 1, 0));
		EXPECT_EQ(0, dmafd_reap(kit->chan, &result, 1, 0));
	}
}

/* What is waited for comes in between; the rest stays to be reaped. */
TEST_KITS(run_amid_others)
{
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	struct pollfd fd = { .fd = dmafd_chan_fd(kit->chan), .events = POLLIN };
	struct dmafd_result results[8];
	struct dmafd_job jobs[8];
	unsigned int i;

	for (i = 0; i < 8; i++) {
		dmafd_job_copy(&jobs[i], dst, i * 1024, src, i * 1024, 1024);
		jobs[i].user_data = i;
	}
	submit_all(kit, jobs, 4);
	ASSERT_OK(dmafd_run(kit->chan, jobs + 4, 2, results));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(4 + i, results[i].user_data);
		EXPECT_EQ(0, results[i].status);
	}
	EXPECT_EQ(1, poll(&fd, 1, slow_ms(1000)));
	submit_all(kit, jobs + 6, 2);
	reap_all(kit, results, 6);
	for (i = 0; i < 6; i++)
		EXPECT_EQ(i < 4 ? i : i + 2, results[i].user_data);
	EXPECT_EQ(0, poll(&fd, 1, 0));
	EXPECT_MEMEQ(bytes_of(src), bytes_of(dst), 8 * 1024);
}

/* More than the channel holds at once. */
TEST_KITS(run_many, .timeout = 60)
{
	enum { COUNT = 1000 };
	static struct dmafd_result results[COUNT];
	static struct dmafd_job jobs[COUNT];
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	unsigned int i;

	kit_reopen(kit, (struct dmafd_chan_options){ .depth = 7 });
	for (i = 0; i < COUNT; i++) {
		dmafd_job_copy(&jobs[i], dst, i * 64, src, i * 64, 64);
		jobs[i].user_data = i;
	}
	ASSERT_OK(dmafd_run(kit->chan, jobs, COUNT, results));
	for (i = 0; i < COUNT; i++) {
		EXPECT_EQ(i, results[i].user_data);
		EXPECT_EQ(64, results[i].bytes);
	}
	EXPECT_MEMEQ(bytes_of(src), bytes_of(dst), COUNT * 64);
}

/* It holds as many as was asked for, until results are reaped. */
TEST_KITS(depth)
{
	struct dmafd_result results[5];
	struct dmafd_job jobs[8];
	unsigned int i;

	kit_reopen(kit, (struct dmafd_chan_options){ .depth = 5 });
	for (i = 0; i < 8; i++)
		dmafd_job_nop(&jobs[i]);
	EXPECT_EQ(5, dmafd_submit(kit->chan, jobs, 8));
	EXPECT_ERRNO(EAGAIN, dmafd_submit(kit->chan, jobs, 8));
	EXPECT_ERRNO(EAGAIN, dmafd_run(kit->chan, jobs, 1, NULL));
	reap_all(kit, results, 2);
	EXPECT_EQ(2, dmafd_submit(kit->chan, jobs, 8));
	reap_all(kit, results, 5);
	for (i = 0; i < 5; i++)
		EXPECT_EQ(2 + i, results[i].sequence);
}

TEST_KITS(any_memory)
{
	unsigned char *src = memory(SIZE, 1), *dst = memory(SIZE, 2);

	ASSERT_OK(dmafd_copy_mem(kit->chan, dst, src, SIZE));
	EXPECT_MEMEQ(src, dst, SIZE);
	EXPECT_ERRNO(EINVAL, dmafd_copy_mem(kit->chan, src, src + SIZE / 2, SIZE - SIZE / 4));
	EXPECT_ERRNO(EINVAL, dmafd_copy_mem(kit->chan, dst, src, 0));
}
