// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is refused, and how: the same errno whichever way a job would have gone.
 */
#include "common/kit.h"

#include <sys/mman.h>
#include <unistd.h>

KITS("")

#define SIZE	(64 * 1024)

/* Neither submitting nor running takes it, and nothing is left on the channel. */
static void expect_refused(struct kit *kit, int err, const struct dmafd_job *job)
{
	struct dmafd_result result = {};

	EXPECT_ERRNO(err, dmafd_submit(kit->chan, job, 1));
	EXPECT_ERRNO(err, dmafd_run(kit->chan, job, 1, &result));
	EXPECT_EQ(-err, result.status);
	EXPECT_EQ(job->user_data, result.user_data);
	EXPECT_EQ(0, dmafd_reap(kit->chan, &result, 1, 0));
}

static struct dmafd_job copy_job(struct dmafd_buf *dst, uint64_t to, struct dmafd_buf *src,
				 uint64_t from, uint64_t len)
{
	struct dmafd_job job;

	dmafd_job_copy(&job, dst, to, src, from, len);
	job.user_data = 77;
	return job;
}

TEST_KITS(bad_copies)
{
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	struct dmafd_buf *both = kit_buf(kit, SIZE, 2, DMAFD_RDWR);
	const struct {
		int err;
		struct dmafd_job job;
	} cases[] = {
		{ EINVAL, copy_job(dst, 0, src, 0, 0) },
		{ EINVAL, copy_job(dst, 0, src, 0, SIZE + 4) },
		{ EINVAL, copy_job(dst, 4, src, 0, SIZE) },
		{ EINVAL, copy_job(dst, 0, src, 4, SIZE) },
		{ EINVAL, copy_job(dst, 0, src, (uint64_t)-4, 8) },
		{ EINVAL, copy_job(dst, (uint64_t)-4, src, 0, 8) },
		{ EINVAL, copy_job(dst, 0, src, 8, (uint64_t)-8) },
		{ EINVAL, copy_job(both, 0, both, 0, 64) },
		{ EINVAL, copy_job(both, 60, both, 0, 64) },
		{ EINVAL, copy_job(both, 0, both, 60, 64) },
		{ EACCES, copy_job(src, 0, both, 0, 64) },
		{ EACCES, copy_job(both, 0, dst, 0, 64) },
		{ ENOENT, copy_job(NULL, 0, src, 0, 64) },
		{ ENOENT, copy_job(dst, 0, NULL, 0, 64) },
	};
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_refused(kit, cases[i].err, &cases[i].job);
	/* Beside each other is all right. */
	EXPECT_OK(dmafd_copy(kit->chan, both, 64, both, 0, 64));
	EXPECT_OK(dmafd_copy(kit->chan, dst, SIZE - 64, src, SIZE - 64, 64));
}

/* Two buffers with the same memory. */
TEST_KITS(overlap_by_address)
{
	unsigned char *mem = memory(SIZE, 1);
	struct dmafd_buf *a = dmafd_buf_register(kit->ctx, mem, SIZE, DMAFD_READ);
	struct dmafd_buf *b = dmafd_buf_register(kit->ctx, mem + 4096, SIZE - 4096, DMAFD_WRITE);
	struct dmafd_job job;

	ASSERT_TRUE(a && b);
	job = copy_job(b, 0, a, 4096 - 64, 128);
	expect_refused(kit, EINVAL, &job);
	EXPECT_OK(dmafd_copy(kit->chan, b, 0, a, 4096 - 64, 64));
}

TEST_KITS(bad_flags)
{
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	struct dmafd_job job = copy_job(dst, 0, src, 0, 64);

	job.flags = 0x80;
	expect_refused(kit, EOPNOTSUPP, &job);
	/* A completion is always told of. */
	job.flags = 0x02;
	expect_refused(kit, EOPNOTSUPP, &job);
	/* Registered memory is always synchronized. */
	job.flags = DMAFD_NO_SYNC;
	expect_refused(kit, EINVAL, &job);
	job.flags = 0;
	job.opcode = 99;
	expect_refused(kit, EOPNOTSUPP, &job);
}

TEST_KITS(bad_fills)
{
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	struct dmafd_job job;

	need_caps(kit, DMAFD_CAP_FILL);
	dmafd_job_fill(&job, dst, 0, 64, 256);
	expect_refused(kit, EINVAL, &job);
	dmafd_job_fill(&job, dst, 0, 0, 1);
	expect_refused(kit, EINVAL, &job);
	dmafd_job_fill(&job, dst, SIZE, 4, 1);
	expect_refused(kit, EINVAL, &job);
	dmafd_job_fill(&job, src, 0, 64, 1);
	expect_refused(kit, EACCES, &job);
}

TEST_KITS(bad_vectors)
{
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	struct dmafd_range one[] = { { src, 0, 64 } }, two[] = { { dst, 0, 32 }, { dst, 64, 32 } };
	struct dmafd_range twice[] = { { dst, 0, 32 }, { dst, 28, 32 } };
	struct dmafd_range empty[] = { { dst, 0, 64 }, { dst, 128, 0 } };
	struct dmafd_range outside[] = { { dst, SIZE - 32, 64 } };
	struct dmafd_job job;

	need_opcode(kit, DMAFD_JOB_COPYV);
	dmafd_job_copyv(&job, two, 1, one, 1);
	expect_refused(kit, EINVAL, &job);
	dmafd_job_copyv(&job, two, 0, one, 0);
	expect_refused(kit, EINVAL, &job);
	dmafd_job_copyv(&job, twice, 2, one, 1);
	expect_refused(kit, EINVAL, &job);
	dmafd_job_copyv(&job, empty, 2, one, 1);
	expect_refused(kit, EINVAL, &job);
	dmafd_job_copyv(&job, outside, 1, one, 1);
	expect_refused(kit, EINVAL, &job);
	dmafd_job_copyv(&job, two, DMAFD_MAX_RANGES + 1, one, 1);
	expect_refused(kit, EINVAL, &job);
	dmafd_job_copyv(&job, one, 1, one, 1);
	expect_refused(kit, EACCES, &job);
	two[1].buf = NULL;
	dmafd_job_copyv(&job, two, 2, one, 1);
	expect_refused(kit, ENOENT, &job);
}

TEST_KITS(bad_rows)
{
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_RDWR);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	const struct {
		uint64_t to;
		int64_t to_stride;
		uint64_t from;
		int64_t from_stride;
		uint64_t row, rows;
	} cases[] = {
		{ 0, 256, 0, 256, 0, 4 },
		{ 0, 256, 0, 256, 64, 0 },
		{ 0, 60, 0, 256, 64, 4 },
		{ 0, -256, 0, 256, 64, 4 },
		{ 0, 256, 0, -256, 64, 4 },
		{ SIZE - 1024 + 196, 256, 0, 256, 64, 4 },
		{ 0, 256, SIZE - 1024 + 196, 256, 64, 4 },
		{ 0, INT64_MAX, 0, 256, 64, 4 },
		{ 0, 256, 0, INT64_MAX, 64, 4 },
		{ 0, 256, 0, INT64_MIN, 64, 4 },
		{ 0, 1, 0, 0, 1, DMAFD_MAX_ROWS + 1 },
		{ 0, 256, 0, 256, 64, 1ull << 32 },
		{ 0, 256, 0, 256, 1ull << 40, 1ull << 30 },
	};
	struct dmafd_job job;
	unsigned int i;

	need_opcode(kit, DMAFD_JOB_COPY_2D);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		dmafd_job_copy_2d(&job, dst, cases[i].to, cases[i].to_stride, src, cases[i].from,
				  cases[i].from_stride, cases[i].row, cases[i].rows);
		expect_refused(kit, EINVAL, &job);
	}
	/* Rows are not equally far apart, and the areas overlap. */
	dmafd_job_copy_2d(&job, src, 256, 512, src, 0, 1024, 16, 10);
	expect_refused(kit, EINVAL, &job);
	/* A row that is written begins where one that is read has not ended. */
	dmafd_job_copy_2d(&job, src, 252, 512, src, 0, 512, 256, 100);
	expect_refused(kit, EINVAL, &job);
	dmafd_job_copy_2d(&job, src, 512 * 3 + 252, 512, src, 0, 512, 256, 100);
	expect_refused(kit, EINVAL, &job);
}

TEST_KITS(bad_xor)
{
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_RDWR);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	struct dmafd_range from[] = { { src, 0, 64 }, { src, 64, 64 } };
	struct dmafd_job job;

	need_opcode(kit, DMAFD_JOB_XOR);
	need_caps(kit, DMAFD_CAP_XOR);
	dmafd_job_xor(&job, dst, 0, from, 1, 64);
	expect_refused(kit, EINVAL, &job);
	dmafd_job_xor(&job, dst, 0, from, 2, 128);
	expect_refused(kit, EINVAL, &job);
	dmafd_job_xor(&job, dst, 0, from, 2, 0);
	expect_refused(kit, EINVAL, &job);
	dmafd_job_xor(&job, src, 100, from, 2, 64);
	expect_refused(kit, EINVAL, &job);
	from[1].buf = dst;
	dmafd_job_xor(&job, src, 256, from, 2, 64);
	expect_refused(kit, EACCES, &job);
}

/* Those before the bad one are taken. */
TEST_KITS(bad_in_between)
{
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	struct dmafd_result results[5];
	struct dmafd_job jobs[5];
	unsigned int i;

	for (i = 0; i < 5; i++)
		jobs[i] = copy_job(dst, i * 64, src, i == 3 ? SIZE : 0, 64);
	EXPECT_EQ(3, dmafd_submit(kit->chan, jobs, 5));
	EXPECT_ERRNO(EINVAL, dmafd_submit(kit->chan, jobs + 3, 2));
	reap_all(kit, results, 3);
	EXPECT_ERRNO(EINVAL, dmafd_run(kit->chan, jobs, 5, results));
	for (i = 0; i < 5; i++)
		EXPECT_EQ(i < 3 ? 0 : i == 3 ? -EINVAL : -ECANCELED, results[i].status);
	EXPECT_EQ(0, dmafd_reap(kit->chan, results, 1, 0));
}

TEST_KITS(other_context)
{
	struct dmafd_ctx *other = dmafd_open_auto();
	struct dmafd_buf *src, *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	struct dmafd_job job;

	ASSERT_TRUE(other);
	ASSERT_TRUE(src = dmafd_buf_register(other, memory(SIZE, 1), SIZE, DMAFD_READ));
	job = copy_job(dst, 0, src, 0, 64);
	expect_refused(kit, ENOENT, &job);
	dmafd_close(other);
}

TEST_KITS(bad_calls)
{
	struct dmafd_result result;
	struct dmafd_job job;

	dmafd_job_nop(&job);
	EXPECT_ERRNO(EINVAL, dmafd_submit(kit->chan, &job, 0));
	EXPECT_ERRNO(EINVAL, dmafd_run(kit->chan, &job, 0, NULL));
	EXPECT_ERRNO(EINVAL, dmafd_reap(kit->chan, &result, 0, 0));
	/* Nothing would ever come. */
	EXPECT_ERRNO(EINVAL, dmafd_reap(kit->chan, &result, 1, -1));
	EXPECT_EQ(0, dmafd_reap(kit->chan, &result, 1, 10));
	/* A ring that is waited for is waited for without end. */
	dmafd_job_cyclic(&job, kit_buf(kit, SIZE, 1, DMAFD_RDWR), 0, SIZE, 4096);
	EXPECT_ERRNO(EINVAL, dmafd_run(kit->chan, &job, 1, NULL));
	EXPECT_ERRNO(EOPNOTSUPP, dmafd_submit(kit->chan, &job, 1));
}

TEST_KITS(bad_buffers)
{
	unsigned char *mem = memory(SIZE, 1);
	struct dmafd_buf *buf;

	EXPECT_ERRNO(EINVAL, dmafd_buf_register(kit->ctx, mem, SIZE, 0) ? 0 : -1);
	EXPECT_ERRNO(EINVAL, dmafd_buf_register(kit->ctx, mem, 0, DMAFD_READ) ? 0 : -1);
	EXPECT_ERRNO(EOPNOTSUPP, dmafd_buf_register(kit->ctx, mem, SIZE, 8) ? 0 : -1);
	EXPECT_ERRNO(EOPNOTSUPP, dmafd_buf_register(kit->ctx, mem, SIZE, DMAFD_READ |
						    DMAFD_CONTIGUOUS) ? 0 : -1);
	EXPECT_ERRNO(EOVERFLOW, dmafd_buf_register(kit->ctx, mem, SIZE_MAX, DMAFD_READ) ? 0 : -1);
	EXPECT_ERRNO(EINVAL, dmafd_buf_alloc(kit->ctx, 0, DMAFD_READ) ? 0 : -1);
	EXPECT_ERRNO(EINVAL, dmafd_buf_alloc(kit->ctx, SIZE, 0) ? 0 : -1);
	EXPECT_ERRNO(EOPNOTSUPP, dmafd_buf_alloc(kit->ctx, SIZE, 0x10) ? 0 : -1);
	EXPECT_ERRNO(EBADF, dmafd_buf_import(kit->ctx, -1, DMAFD_READ) ? 0 : -1);
	EXPECT_ERRNO(EINVAL, dmafd_buf_import(kit->ctx, 0, 0) ? 0 : -1);
	ASSERT_TRUE(buf = dmafd_buf_register(kit->ctx, mem, SIZE, DMAFD_READ));
	EXPECT_ERRNO(EINVAL, dmafd_buf_fd(buf));
	EXPECT_ERRNO(EINVAL, dmafd_buf_cpu_begin(buf, 0));
	EXPECT_ERRNO(EINVAL, dmafd_buf_cpu_end(buf, 4));
	EXPECT_OK(dmafd_buf_cpu_begin(buf, DMAFD_READ));
	EXPECT_OK(dmafd_buf_cpu_end(buf, DMAFD_READ));
	EXPECT_EQ(SIZE, dmafd_buf_size(buf));
	EXPECT_EQ(kit->way == BY_CPU, !dmafd_buf_id(buf));
	EXPECT_OK(dmafd_buf_remove(buf));
	EXPECT_OK(dmafd_buf_remove(NULL));
}

TEST_KITS(bad_options)
{
	struct dmafd_chan_options options = { .flags = 0x80 };
	char name[DMAFD_NAME_MAX + 1];

	memset(name, 'x', sizeof(name));
	name[DMAFD_NAME_MAX] = '\0';
	EXPECT_ERRNO(EOPNOTSUPP, dmafd_chan_open_auto(kit->ctx, NULL, &options) ? 0 : -1);
	options = (struct dmafd_chan_options){ .reserved[3] = 1 };
	EXPECT_ERRNO(EOPNOTSUPP, dmafd_chan_open_auto(kit->ctx, NULL, &options) ? 0 : -1);
	options = (struct dmafd_chan_options){ .depth = 1 << 20 };
	EXPECT_ERRNO(EINVAL, dmafd_chan_open_auto(kit->ctx, NULL, &options) ? 0 : -1);
	EXPECT_ERRNO(EINVAL, dmafd_chan_open_auto(kit->ctx, name, NULL) ? 0 : -1);
	EXPECT_ERRNO(ENODEV, dmafd_chan_open(kit->ctx, "nosuch", NULL) ? 0 : -1);
	/* The CPU is no device's. */
	options = (struct dmafd_chan_options){ .caps = DMAFD_CAP_CYCLIC };
	EXPECT_ERRNO(ENODEV, dmafd_chan_open_auto(kit->ctx, "nosuch", &options) ? 0 : -1);
	options = (struct dmafd_chan_options){ .flags = DMAFD_NO_FALLBACK };
	EXPECT_ERRNO(ENODEV, dmafd_chan_open_auto(kit->ctx, "nosuch", &options) ? 0 : -1);
	if (kit->way != BY_CPU)
		EXPECT_ERRNO(EBUSY, dmafd_chan_open(kit->ctx, kit->name, NULL) ? 0 : -1);
}

TEST(device)
{
	setenv("DMAFD_DEVICE", "/dev/none", 1);
	EXPECT_ERRNO(ENOENT, dmafd_open() ? 0 : -1);
	setenv("DMAFD_DEVICE", "/dev/null", 1);
	EXPECT_ERRNO(ENOTTY, dmafd_open() ? 0 : -1);
	EXPECT_ERRNO(ENOTTY, dmafd_open_auto() ? 0 : -1);
	EXPECT_TRUE(*dmafd_version());
}
