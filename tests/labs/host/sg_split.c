// SPDX-License-Identifier: GPL-2.0-only
/* What labs/02-scatter-gather splits, without a kernel and without a board. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#include "sg_split.h"

#define MAX_PIECES 64
/* The destination is elsewhere, with another alignment. */
#define DST(src) ((src) + 0x123456789aULL)

struct piece {
	__u64 src;
	__u32 len;
};

static int split(struct piece entry, __u32 max_seg, __u32 align,
		 struct piece *pieces)
{
	struct sg_run run = { entry.src, DST(entry.src), entry.len };
	struct sg_run piece;
	__u32 len;
	int n = 0;

	while ((len = sg_split_next(&run, max_seg, align, &piece))) {
		ASSERT_LT(n, MAX_PIECES);
		EXPECT_EQ(piece.len, len);
		EXPECT_EQ(DST(piece.src), piece.dst);
		pieces[n++] = (struct piece){ piece.src, piece.len };
	}
	EXPECT_EQ(0U, run.len);
	return n;
}

static void expect_pieces(struct piece entry, __u32 max_seg, __u32 align,
			  int n, const struct piece *expected)
{
	struct piece seen[MAX_PIECES];
	int i;

	ASSERT_EQ(n, split(entry, max_seg, align, seen));
	for (i = 0; i < n; i++) {
		EXPECT_EQ(expected[i].src, seen[i].src);
		EXPECT_EQ(expected[i].len, seen[i].len);
	}
}

#define EXPECT_PIECES(src, len, max_seg, align, ...)			\
	expect_pieces((struct piece){ src, len }, max_seg, align,	\
		      sizeof((struct piece[]){ __VA_ARGS__ }) /		\
		      sizeof(struct piece), (struct piece[]){ __VA_ARGS__ })

/* The example that the lab is built on: at most 0x400 bytes a piece. */
TEST(by_size_alone)
{
	EXPECT_PIECES(0xa000, 0x555, 0x400, 1,
		      { 0xa000, 0x400 }, { 0xa400, 0x155 });
	EXPECT_PIECES(0x7000, 0x111, 0x400, 1,
		      { 0x7000, 0x111 });
}

TEST(by_size_and_alignment)
{
	EXPECT_PIECES(0xa000, 0x555, 0x400, 4,
		      { 0xa000, 0x400 }, { 0xa400, 0x154 }, { 0xa554, 1 });
	EXPECT_PIECES(0x7000, 0x111, 0x400, 4,
		      { 0x7000, 0x110 }, { 0x7110, 1 });
}

TEST(nothing_to_split)
{
	struct sg_run run = { 0xa000, 0xb000, 0 }, piece;

	EXPECT_EQ(0U, sg_split_next(&run, 0x400, 4, &piece));
	EXPECT_EQ(0xa000U, run.src);
	EXPECT_EQ(0xb000U, run.dst);
}

TEST(shorter_than_a_word)
{
	EXPECT_PIECES(0xa000, 1, 0x400, 4, { 0xa000, 1 });
	EXPECT_PIECES(0xa000, 3, 0x400, 4, { 0xa000, 3 });
}

TEST(exactly_the_limits)
{
	EXPECT_PIECES(0xa000, 4, 0x400, 4, { 0xa000, 4 });
	EXPECT_PIECES(0xa000, 0x3ff, 0x400, 4, { 0xa000, 0x3fc }, { 0xa3fc, 3 });
	EXPECT_PIECES(0xa000, 0x400, 0x400, 4, { 0xa000, 0x400 });
	EXPECT_PIECES(0xa000, 0x401, 0x400, 4, { 0xa000, 0x400 }, { 0xa400, 1 });
	EXPECT_PIECES(0xa000, 0x800, 0x400, 4,
		      { 0xa000, 0x400 }, { 0xa400, 0x400 });
}

TEST(a_limit_that_is_no_multiple_of_the_alignment)
{
	EXPECT_PIECES(0xa000, 21, 10, 4, { 0xa000, 8 }, { 0xa008, 8 },
		      { 0xa010, 4 }, { 0xa014, 1 });
}

TEST(a_byte_at_a_time)
{
	EXPECT_PIECES(0xa000, 3, 1, 1, { 0xa000, 1 }, { 0xa001, 1 },
		      { 0xa002, 1 });
}

TEST(no_limit)
{
	EXPECT_PIECES(0xa000, UINT32_MAX, UINT32_MAX, 1,
		      { 0xa000, UINT32_MAX });
}

TEST(addresses_above_4_gib)
{
	EXPECT_PIECES(0xfffffff00ULL, 0x200, 0x180, 4,
		      { 0xfffffff00ULL, 0x180 }, { 0x1000000080ULL, 0x80 });
}

/* What holds for any numbers, as long as a piece has room for a word. */
static void check_properties(struct piece entry, __u32 max_seg, __u32 align)
{
	struct piece seen[MAX_PIECES];
	__u64 at = entry.src;
	int n = split(entry, max_seg, align, seen), i;

	for (i = 0; i < n; i++) {
		ASSERT_EQ(at, seen[i].src);
		ASSERT_GE(max_seg, seen[i].len);
		if (seen[i].len % align) {
			/* Only a tail is not whole words, and it is short. */
			ASSERT_EQ(n - 1, i);
			ASSERT_LT(seen[i].len, align);
		}
		at += seen[i].len;
	}
	ASSERT_EQ(entry.src + entry.len, at);
}

TEST(random_numbers)
{
	unsigned int seed = 1;
	int i;

	for (i = 0; i < 200000; i++) {
		__u32 align = 1U << rand_r(&seed) % 8;
		__u32 max_seg = align + rand_r(&seed) % 5000;
		__u32 len = rand_r(&seed) % (max_seg / 2 * 30 + 1);

		check_properties((struct piece){ rand_r(&seed), len },
				 max_seg, align);
	}
}
