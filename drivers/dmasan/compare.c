// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes, which are nearly always as they should be: that is found out with as few
 * instructions as possible. Whoever finds a difference looks for it again.
 */
#include <linux/minmax.h>
#include <linux/build_bug.h>
#include <linux/string.h>

#include "dmasan.h"

#define WORD	sizeof(long)
#define STEP	8	/* words at once */

static size_t head_of(const u8 *from, size_t size)
{
	size_t head = -(unsigned long)from % WORD;

	return min(head, size);
}

/* All of @count words, or the first that is not. */
static bool same_words(const unsigned long *a, const unsigned long *b, size_t count)
{
	unsigned long other;

	BUILD_BUG_ON(STEP != 8);
	for (; count >= STEP; count -= STEP, a += STEP, b += STEP) {
		other = (a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) |
			(a[4] ^ b[4]) | (a[5] ^ b[5]) | (a[6] ^ b[6]) | (a[7] ^ b[7]);
		if (other)
			return false;
	}
	for (; count; count--)
		if (*a++ != *b++)
			return false;
	return true;
}

bool san_same(const u8 *a, const u8 *b, size_t size)
{
	size_t head = head_of(a, size), words;

	if (((unsigned long)a ^ (unsigned long)b) % WORD)
		return !memcmp(a, b, size);
	if (head && memcmp(a, b, head))
		return false;
	a += head;
	b += head;
	words = (size - head) / WORD;
	if (!same_words((const unsigned long *)a, (const unsigned long *)b, words))
		return false;
	size = (size - head) % WORD;
	return !size || !memcmp(a + words * WORD, b + words * WORD, size);
}

/* If all have the same bits set and the same bits clear, they are the same. */
static bool all_words(const unsigned long *at, unsigned long value, size_t count)
{
	unsigned long set, clear;

	for (; count >= STEP; count -= STEP, at += STEP) {
		set = at[0] | at[1] | at[2] | at[3] | at[4] | at[5] | at[6] | at[7];
		clear = at[0] & at[1] & at[2] & at[3] & at[4] & at[5] & at[6] & at[7];
		if (set != value || clear != value)
			return false;
	}
	for (; count; count--)
		if (*at++ != value)
			return false;
	return true;
}

bool san_is_all(const u8 *from, u8 value, size_t size)
{
	size_t head = head_of(from, size), words = (size - head) / WORD;

	if (head && memchr_inv(from, value, head))
		return false;
	from += head;
	if (!all_words((const unsigned long *)from, ~0UL / 0xff * value, words))
		return false;
	size = (size - head) % WORD;
	return !size || !memchr_inv(from + words * WORD, value, size);
}
