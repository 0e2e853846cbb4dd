// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes, which are nearly always as they should be: that is found out with as few
 * instructions as possible. Whoever finds a difference looks for it again.
 */
#include <linux/minmax.h>
#include <linux/string.h>

#include "dmasan.h"

#define WORD	sizeof(long)
#define STEP	16	/* words at once */

static size_t head_of(const u8 *from, size_t size)
{
	size_t head = -(unsigned long)from % WORD;

	return min(head, size);
}

static __always_inline unsigned long differ_8(const unsigned long *a, const unsigned long *b)
{
	return (a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) |
	       (a[4] ^ b[4]) | (a[5] ^ b[5]) | (a[6] ^ b[6]) | (a[7] ^ b[7]);
}

static bool same_words(const unsigned long *a, const unsigned long *b, size_t count)
{
	for (; count >= STEP; count -= STEP, a += STEP, b += STEP)
		if (differ_8(a, b) | differ_8(a + 8, b + 8))
			return false;
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

static __always_inline unsigned long sum_8(const unsigned long *at)
{
	return at[0] + at[1] + at[2] + at[3] + at[4] + at[5] + at[6] + at[7];
}

/*
 * Their sum tells: an addition each is all that it takes. Whoever writes other words
 * hardly ever comes to the same.
 */
static bool all_words(const unsigned long *at, unsigned long value, size_t count)
{
	unsigned long sum = count * value;

	for (; count >= STEP; count -= STEP, at += STEP)
		sum -= sum_8(at) + sum_8(at + 8);
	for (; count; count--)
		sum -= *at++;
	return !sum;
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
