// SPDX-License-Identifier: GPL-2.0-only
/*
 * What jobs do to memory, on each view of it.
 */
#include "common/uapi.h"

#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

VIEWS("")

#define SIZE	(64 * 1024)

static unsigned int next_random(unsigned int *state)
{
	*state = *state * 1103515245 + 12345;
	return *state >> 8;
}

static size_t below(unsigned int *state, size_t limit, unsigned int step)
{
	return next_random(state) % limit / step * step;
}

TEST_VIEWS(one_copy)
{
	unsigned char *src = memory(SIZE, 1), *dst = memory(SIZE, 2);
	struct dmafd_op op;
	int from, to;

	ASSERT_OK(from = reg(rig->ctx, src, SIZE, DMAFD_BUF_READ));
	ASSERT_OK(to = reg(rig->ctx, dst, SIZE, DMAFD_BUF_WRITE));
	op = copy_op(to, 0, from, 0, SIZE);
	op.user_data = 0x123456789abcdef0;
	run_well(rig->chan, &op);
	EXPECT_MEMEQ(src, dst, SIZE);
	/* What the program changes meanwhile is seen, each time. */
	pattern(src, SIZE, 3);
	run_well(rig->chan, &op);
	EXPECT_MEMEQ(src, dst, SIZE);
}

/* Offsets and lengths of all kinds; the bytes beside stay what they are. */
TEST_VIEWS(random_copies, .timeout = 120)
{
	unsigned char *src = memory(SIZE, 1), *dst = memory(SIZE, 2), *model = memory(SIZE, 2);
	unsigned int state = 42, i, step = rig->step;
	size_t from_at, to_at, len;
	struct dmafd_op op;
	int from, to;

	ASSERT_OK(from = reg(rig->ctx, src, SIZE, DMAFD_BUF_READ));
	ASSERT_OK(to = reg(rig->ctx, dst, SIZE, DMAFD_BUF_WRITE | DMAFD_BUF_READ));
	for (i = 0; i < 300; i++) {
		len = below(&state, i % 3 ? 300 : SIZE / 2, step) + step;
		from_at = below(&state, SIZE - len, step);
		to_at = below(&state, SIZE - len, step);
		/* The CPU writes beside what is copied, and to the source. */
		src[from_at] ^= i;
		dst[to_at ? to_at - 1 : SIZE - 1] ^= 0x55;
		model[to_at ? to_at - 1 : SIZE - 1] ^= 0x55;
		memcpy(model + to_at, src + from_at, len);
		op = copy_op(to, to_at, from, from_at, len);
		run_well(rig->chan, &op);
		if (i % 10 == 9)
			ASSERT_MEMEQ(model, dst, SIZE);
	}
	ASSERT_MEMEQ(model, dst, SIZE);
}

/* The bytes beside are written while the job is under way. */
TEST_VIEWS(neighbours, .timeout = 60)
{
	unsigned char *src = memory(SIZE, 1), *dst = memory(SIZE, 2);
	unsigned int i, step = rig->step;
	struct dmafd_completion completion;
	size_t at = 400 / step * step, len;
	struct dmafd_op op;
	int from, to;

	ASSERT_OK(from = reg(rig->ctx, src, SIZE, DMAFD_BUF_READ));
	ASSERT_OK(to = reg(rig->ctx, dst, SIZE, DMAFD_BUF_WRITE));
	for (i = 1; i < 100; i++) {
		len = i * 7 * step;
		op = copy_op(to, at, from, 0, len);
		memset(dst, i, SIZE);
		ASSERT_EQ(1, submit(rig->chan, &op, 1));
		dst[at - 1] = ~i;
		dst[at + len] = ~i;
		take(rig->chan, &completion, 1);
		EXPECT_EQ(0, completion.status);
		ASSERT_MEMEQ(src, dst + at, len);
		ASSERT_EQ((unsigned char)~i, dst[at - 1]);
		ASSERT_EQ((unsigned char)~i, dst[at + len]);
	}
}

TEST_VIEWS(fill)
{
	unsigned char *dst = memory(SIZE, 2), *model = memory(SIZE, 2);
	unsigned int state = 7, i;
	struct dmafd_op op;
	size_t at, len;
	int to;

	need_sim(rig);
	ASSERT_OK(to = reg(rig->ctx, dst, SIZE, DMAFD_BUF_WRITE));
	for (i = 0; i < 100; i++) {
		len = below(&state, 9000, 1) + 1;
		at = below(&state, SIZE - len, 1);
		memset(model + at, i, len);
		op = fill_op(to, at, len, i);
		run_well(rig->chan, &op);
	}
	EXPECT_MEMEQ(model, dst, SIZE);
}

/* Each job reads what the one before wrote. */
TEST_VIEWS(chain)
{
	unsigned char *a = memory(SIZE, 1), *b = memory(SIZE, 2), *model = memory(SIZE, 1);
	struct dmafd_completion completions[32];
	struct dmafd_op ops[32];
	int buf[2], i;

	ASSERT_OK(buf[0] = reg(rig->ctx, a, SIZE, DMAFD_BUF_READ | DMAFD_BUF_WRITE));
	ASSERT_OK(buf[1] = reg(rig->ctx, b, SIZE, DMAFD_BUF_READ | DMAFD_BUF_WRITE));
	for (i = 0; i < 32; i++) {
		ops[i] = copy_op(buf[!(i % 2)], 100, buf[i % 2], 100, SIZE - 200);
		ops[i].flags = DMAFD_OP_FENCE;
		ops[i].user_data = i;
	}
	ASSERT_EQ(32, submit(rig->chan, ops, 32));
	take(rig->chan, completions, 32);
	for (i = 0; i < 32; i++) {
		EXPECT_EQ(0, completions[i].status);
		EXPECT_EQ((unsigned int)i, completions[i].user_data);
		EXPECT_EQ((unsigned int)i, completions[i].sequence);
	}
	EXPECT_MEMEQ(model + 100, a + 100, SIZE - 200);
	EXPECT_MEMEQ(model + 100, b + 100, SIZE - 200);
}

/* Many jobs at once, read when poll() says so; those without completion are done, too. */
TEST_VIEWS(batches, .timeout = 60)
{
	unsigned char *src = memory(SIZE, 1), *dst = memory(SIZE, 2);
	struct dmafd_completion completion[16];
	struct dmafd_op ops[64];
	struct pollfd fd = { .fd = rig->chan, .events = POLLIN };
	unsigned int i, seen = 0;
	int from, to;
	ssize_t n;

	ASSERT_OK(from = reg(rig->ctx, src, SIZE, DMAFD_BUF_READ));
	ASSERT_OK(to = reg(rig->ctx, dst, SIZE, DMAFD_BUF_WRITE));
	EXPECT_EQ(0, poll(&fd, 1, 0));
	for (i = 0; i < 64; i++) {
		ops[i] = copy_op(to, i * 1024, from, (63 - i) * 1024, 1024);
		ops[i].user_data = i;
		ops[i].flags = i % 4 == 3 ? DMAFD_OP_NO_COMPLETION : 0;
	}
	ASSERT_EQ(64, submit(rig->chan, ops, 64));
	while (seen < 48) {
		ASSERT_EQ(1, poll(&fd, 1, slow_ms(10000)));
		EXPECT_EQ(POLLIN, fd.revents);
		ASSERT_OK(n = read(rig->chan, completion, sizeof(completion)));
		for (i = 0; i < n / sizeof(*completion); i++, seen++) {
			EXPECT_EQ(0, completion[i].status);
			EXPECT_EQ(seen / 3 * 4 + seen % 3, completion[i].user_data);
			EXPECT_EQ(completion[i].user_data, completion[i].sequence);
			EXPECT_LE(completion[i].submit_ns, completion[i].complete_ns);
		}
	}
	/* What has no completion comes before this one's. */
	ops[0] = nop_op(0);
	run_well(rig->chan, &ops[0]);
	for (i = 0; i < 64; i++)
		ASSERT_MEMEQ(src + (63 - i) * 1024, dst + i * 1024, 1024);
}

/* More pieces than the controller holds descriptors. */
TEST_VIEWS(long_job, .timeout = 60)
{
	size_t size = 4 << 20;
	unsigned char *src = memory(size, 1), *dst = memory(size, 2);
	struct dmafd_op op;
	int from, to;

	ASSERT_OK(from = reg(rig->ctx, src, size, DMAFD_BUF_READ));
	ASSERT_OK(to = reg(rig->ctx, dst, size, DMAFD_BUF_WRITE));
	op = copy_op(to, 60, from, 20, size - 100);
	run_well(rig->chan, &op);
	EXPECT_MEMEQ(src + 20, dst + 60, size - 100);
	memset(dst, 0, size);
	op = copy_op(to, 0, from, 0, size);
	run_well(rig->chan, &op);
	EXPECT_MEMEQ(src, dst, size);
}

TEST_VIEWS(many_buffers, .timeout = 120)
{
	enum { COUNT = 10000, LEN = 256 };
	unsigned char *all = memory((size_t)COUNT * LEN, 1);
	static int buf[COUNT];
	struct dmafd_op op;
	unsigned int i;

	for (i = 0; i < COUNT; i++)
		ASSERT_OK(buf[i] = reg(rig->ctx, all + (size_t)i * LEN, LEN,
				       DMAFD_BUF_READ | DMAFD_BUF_WRITE));
	for (i = 0; i < COUNT; i += 97) {
		op = copy_op(buf[COUNT - 1 - i], 0, buf[i], 0, LEN);
		if (COUNT - 1 - i == i)
			continue;
		run_well(rig->chan, &op);
		ASSERT_MEMEQ(all + (size_t)i * LEN, all + (size_t)(COUNT - 1 - i) * LEN, LEN);
	}
	for (i = 0; i < COUNT; i += 2)
		ASSERT_OK(unreg(rig->ctx, buf[i]));
	ASSERT_ERRNO(ENOENT, unreg(rig->ctx, buf[0]));
}

/* Two buffers of the same memory, in different places of it, at once. */
TEST_VIEWS(two_buffers_of_one_page)
{
	unsigned char *page = memory(4096, 1), model[4096];
	struct dmafd_op op;
	int a, b;

	memcpy(model, page, sizeof(model));
	ASSERT_OK(a = reg(rig->ctx, page, 2000, DMAFD_BUF_READ | DMAFD_BUF_WRITE));
	ASSERT_OK(b = reg(rig->ctx, page + 2000, 2096, DMAFD_BUF_READ | DMAFD_BUF_WRITE));
	op = copy_op(b, 0, a, 0, 2000);
	run_well(rig->chan, &op);
	memcpy(model + 2000, model, 2000);
	EXPECT_MEMEQ(model, page, sizeof(model));
	op = copy_op(a, 4, b, 1000, 600);
	run_well(rig->chan, &op);
	memmove(model + 4, model + 3000, 600);
	EXPECT_MEMEQ(model, page, sizeof(model));
}
