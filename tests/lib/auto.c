// SPDX-License-Identifier: GPL-2.0-only
/*
 * The CPU where the controller can't, or where it isn't worth it.
 */
#include "common/kit.h"

#include <sys/wait.h>
#include <unistd.h>

#define SIZE	(64 * 1024)

KIT_OF(plain, "flat", "", BY_IOCTL)
KIT_OF(aligned, "flat", "align=64", BY_IOCTL)
KIT_OF(copies, "flat", "types=memcpy", BY_IOCTL)

static struct dmafd_chan_attr attr_of(struct dmafd_chan *chan)
{
	struct dmafd_chan_attr attr;

	ASSERT_OK(dmafd_chan_info(chan, &attr));
	return attr;
}

/* The kit's channel, opened in auto mode. */
static void use_auto(struct kit *kit, unsigned int flags)
{
	struct dmafd_chan_options options = { .flags = flags };

	dmafd_chan_close(kit->chan);
	kit->chan = dmafd_chan_open_auto(kit->ctx, kit->name, &options);
	ASSERT_TRUE(kit->chan);
	EXPECT_EQ(DMAFD_ATTR_AUTO, attr_of(kit->chan).flags & (DMAFD_ATTR_AUTO | DMAFD_ATTR_CPU));
}

/* How many of the jobs since then the CPU did. */
static unsigned int by_cpu(struct kit *kit, uint64_t *before)
{
	uint64_t now = attr_of(kit->chan).cpu_jobs, n = now - *before;

	*before = now;
	return n;
}

TEST_F(plain, threshold)
{
	struct kit *kit = &self->kit;
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	uint64_t cpu = 0;

	/* Without auto mode there is none. */
	EXPECT_EQ(0, dmafd_chan_threshold(kit->chan));
	ASSERT_OK(dmafd_copy(kit->chan, dst, 0, src, 0, 16));
	EXPECT_EQ(0, by_cpu(kit, &cpu));
	use_auto(kit, 0);
	EXPECT_EQ(16384, dmafd_chan_threshold(kit->chan));
	ASSERT_OK(dmafd_copy(kit->chan, dst, 0, src, 0, 16384 - 4));
	EXPECT_EQ(1, by_cpu(kit, &cpu));
	ASSERT_OK(dmafd_copy(kit->chan, dst, 0, src, 0, 16384));
	EXPECT_EQ(0, by_cpu(kit, &cpu));
	dmafd_chan_set_threshold(kit->chan, SIZE_MAX);
	ASSERT_OK(dmafd_copy(kit->chan, dst, 0, src, 0, SIZE));
	EXPECT_EQ(1, by_cpu(kit, &cpu));
	EXPECT_MEMEQ(bytes_of(src), bytes_of(dst), SIZE);
	dmafd_chan_set_threshold(kit->chan, 0);
	ASSERT_OK(dmafd_copy(kit->chan, dst, 0, src, 0, 16));
	EXPECT_EQ(0, by_cpu(kit, &cpu));
}

/* Long and short ones mixed come back in order, and each sees what those before did. */
TEST_F(plain, order)
{
	struct kit *kit = &self->kit;
	struct dmafd_buf *a = kit_buf(kit, SIZE, 1, DMAFD_RDWR);
	struct dmafd_buf *b = kit_buf(kit, SIZE, 2, DMAFD_RDWR);
	unsigned char *model = memory(SIZE, 1);
	struct dmafd_result results[30];
	struct dmafd_job jobs[30];
	unsigned int i;

	use_auto(kit, 0);
	for (i = 0; i < 30; i++) {
		dmafd_job_copy(&jobs[i], i % 2 ? a : b, 0, i % 2 ? b : a, 0,
			       i % 3 ? 64 : SIZE);
		jobs[i].flags = DMAFD_FENCE;
		jobs[i].user_data = i;
	}
	submit_all(kit, jobs, 30);
	reap_all(kit, results, 30);
	for (i = 0; i < 30; i++) {
		EXPECT_EQ(i, results[i].user_data);
		EXPECT_EQ(i, results[i].sequence);
		EXPECT_EQ(i % 3 ? 64 : SIZE, results[i].bytes);
	}
	EXPECT_MEMEQ(model, bytes_of(a), SIZE);
	EXPECT_MEMEQ(model, bytes_of(b), SIZE);
}

TEST_F(aligned, alignment)
{
	struct kit *kit = &self->kit;
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	uint64_t cpu = 0;

	need_sim(&kit->rig);
	EXPECT_ERRNO(EINVAL, dmafd_copy(kit->chan, dst, 1, src, 0, 32768));
	EXPECT_ERRNO(EINVAL, dmafd_copy_mem(kit->chan, bytes_of(dst) + 1, bytes_of(src), 32768));
	use_auto(kit, 0);
	EXPECT_OK(dmafd_copy(kit->chan, dst, 1, src, 0, 32768));
	EXPECT_EQ(1, by_cpu(kit, &cpu));
	EXPECT_MEMEQ(bytes_of(src), bytes_of(dst) + 1, 32768);
	EXPECT_OK(dmafd_copy(kit->chan, dst, 64, src, 0, 32768));
	EXPECT_EQ(0, by_cpu(kit, &cpu));
	EXPECT_OK(dmafd_copy_mem(kit->chan, bytes_of(dst) + 3, bytes_of(src), 32768));
	EXPECT_MEMEQ(bytes_of(src), bytes_of(dst) + 3, 32768);
	/* Not without being asked for. */
	use_auto(kit, DMAFD_NO_FALLBACK);
	EXPECT_ERRNO(EINVAL, dmafd_copy(kit->chan, dst, 1, src, 0, 32768));
	EXPECT_OK(dmafd_copy(kit->chan, dst, 1, src, 0, 100));
}

TEST_F(copies, missing_capability)
{
	struct kit *kit = &self->kit;
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	struct dmafd_range from[] = { { src, 0, 20000 }, { src, 20000, 20000 } };
	struct dmafd_chan_options fill = { .caps = DMAFD_CAP_FILL };
	uint64_t cpu = 0;

	EXPECT_ERRNO(EOPNOTSUPP, dmafd_fill(kit->chan, dst, 0, 20000, 7));
	EXPECT_ERRNO(EOPNOTSUPP, dmafd_xor(kit->chan, dst, 0, from, 2, 20000));
	use_auto(kit, 0);
	EXPECT_OK(dmafd_fill(kit->chan, dst, 0, 20000, 7));
	EXPECT_EQ(1, by_cpu(kit, &cpu));
	EXPECT_EQ(7, bytes_of(dst)[19999]);
	EXPECT_OK(dmafd_xor(kit->chan, dst, 0, from, 2, 20000));
	EXPECT_EQ(1, by_cpu(kit, &cpu));
	EXPECT_EQ(bytes_of(src)[5] ^ bytes_of(src)[20005], bytes_of(dst)[5]);
	use_auto(kit, DMAFD_NO_FALLBACK);
	EXPECT_ERRNO(EOPNOTSUPP, dmafd_fill(kit->chan, dst, 0, 20000, 7));
	/* There is a channel of that name, but it can't do it. */
	dmafd_chan_close(kit->chan);
	EXPECT_ERRNO(EOPNOTSUPP, dmafd_chan_open(kit->ctx, kit->name, &fill) ? 0 : -1);
	ASSERT_TRUE(kit->chan = dmafd_chan_open_auto(kit->ctx, kit->name, &fill));
	EXPECT_EQ(DMAFD_ATTR_CPU, attr_of(kit->chan).flags & DMAFD_ATTR_CPU);
}

TEST_F(plain, busy)
{
	struct kit *kit = &self->kit;
	struct dmafd_chan *other = dmafd_chan_open_auto(kit->ctx, kit->name, NULL);
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);

	ASSERT_TRUE(other);
	EXPECT_EQ(DMAFD_ATTR_CPU, attr_of(other).flags & DMAFD_ATTR_CPU);
	EXPECT_STREQ("cpu", attr_of(other).name);
	EXPECT_OK(dmafd_copy(other, dst, 0, src, 0, SIZE));
	EXPECT_MEMEQ(bytes_of(src), bytes_of(dst), SIZE);
	EXPECT_ERRNO(EOPNOTSUPP, dmafd_chan_pause(other));
	EXPECT_EQ(0, dmafd_chan_cancel(other));
	dmafd_chan_close(other);
}

/* The controller goes, the program doesn't notice. */
TEST_F(plain, gone)
{
	struct kit *kit = &self->kit;
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	struct dmafd_result result;

	need_real(kit);
	use_auto(kit, 0);
	ASSERT_OK(dmafd_copy(kit->chan, dst, 0, src, 0, SIZE));
	unbind_controller(kit);
	pattern(bytes_of(src), SIZE, 5);
	EXPECT_OK(dmafd_copy(kit->chan, dst, 0, src, 0, SIZE));
	EXPECT_MEMEQ(bytes_of(src), bytes_of(dst), SIZE);
	EXPECT_EQ(0, dmafd_reap(kit->chan, &result, 1, 0));
	EXPECT_OK(dmafd_copy_mem(kit->chan, bytes_of(dst) + 1, bytes_of(src), SIZE - 1));
	bind_controller();
}

/* The limit of locked memory is no limit for the CPU. */
TEST_F(plain, calibrate, .timeout = 60)
{
	struct kit *kit = &self->kit;
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	size_t threshold = 1;

	use_auto(kit, 0);
	ASSERT_OK(dmafd_calibrate(kit->chan, &threshold));
	EXPECT_NE(1, threshold);
	EXPECT_EQ(threshold, dmafd_chan_threshold(kit->chan));
	EXPECT_EQ(0, attr_of(kit->chan).cpu_jobs);
	ASSERT_OK(dmafd_copy(kit->chan, dst, 0, src, 0, SIZE));
	EXPECT_EQ(threshold > SIZE, attr_of(kit->chan).cpu_jobs);
	EXPECT_EQ(0, attr_of(kit->chan).held);
}

/* Where the controller waits two milliseconds before each piece, the CPU is always faster. */
KIT_OF(late, "flat", "latency_ns=2000000", BY_IOCTL)

TEST_F(late, calibrate, .timeout = 60)
{
	size_t threshold;

	need_sim(&self->kit.rig);
	use_auto(&self->kit, 0);
	ASSERT_OK(dmafd_calibrate(self->kit.chan, &threshold));
	EXPECT_EQ(SIZE_MAX, threshold);
}

TEST_F(plain, bad_memory)
{
	struct kit *kit = &self->kit;
	unsigned char *mem = memory(SIZE, 1);

	EXPECT_ERRNO(EFAULT, dmafd_copy_mem(kit->chan, mem, (void *)16, SIZE));
	use_auto(kit, 0);
	EXPECT_ERRNO(EFAULT, dmafd_copy_mem(kit->chan, mem, (void *)16, SIZE));
	EXPECT_ERRNO(EFAULT, dmafd_copy_mem(kit->chan, (void *)16, mem, SIZE));
}

/* One who may not use the module gets the CPU, too. */
TEST(no_permission)
{
	struct dmafd_ctx *ctx;
	struct dmafd_chan *chan;
	char src[64] = "abc", dst[64];

	ASSERT_EQ(0, system("test -e /dev/dmafd || modprobe dmafd"));
	ASSERT_OK(setgid(1234));
	ASSERT_OK(setuid(1234));
	EXPECT_ERRNO(EACCES, dmafd_open() ? 0 : -1);
	ASSERT_TRUE(ctx = dmafd_open_auto());
	EXPECT_EQ(1, dmafd_line_size(ctx));
	EXPECT_ERRNO(ENODEV, dmafd_chan_open(ctx, NULL, NULL) ? 0 : -1);
	ASSERT_TRUE(chan = dmafd_chan_open_auto(ctx, NULL, NULL));
	EXPECT_OK(dmafd_copy_mem(chan, dst, src, sizeof(dst)));
	EXPECT_STREQ("abc", dst);
	dmafd_chan_close(chan);
	dmafd_close(ctx);
}

/* A user's own limit: what does not fit under it is copied by the CPU. */
static void copy_as_user(struct kit *kit)
{
	size_t size = 64 << 20;
	unsigned char *src, *dst;

	ASSERT_OK(setgid(1234));
	ASSERT_OK(setuid(1234));
	src = memory(size, 1);
	dst = memory(size, 2);
	EXPECT_ERRNO(ENOMEM, dmafd_buf_register(kit->ctx, src, size, DMAFD_READ) ? 0 : -1);
	EXPECT_OK(dmafd_copy_mem(kit->chan, dst, src, size));
	EXPECT_MEMEQ(src, dst, size);
}

TEST_F(plain, locked_memory, .timeout = 60)
{
	struct kit *kit = &self->kit;
	pid_t child = fork();

	ASSERT_OK(child);
	if (!child) {
		ASSERT_TRUE(kit->ctx = dmafd_open());
		ASSERT_TRUE(kit->chan = dmafd_chan_open_auto(kit->ctx, NULL, NULL));
		copy_as_user(kit);
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, NULL, 0));
}
