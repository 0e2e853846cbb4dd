// SPDX-License-Identifier: GPL-2.0-only
/* Data that is easily made again, and what compares it. */
#include "common.h"

#include <string.h>

/* SplitMix64: any seed will do, and each number is made of the state alone. */
uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint64_t random_below(uint64_t *state, uint64_t limit)
{
	return limit ? random_next(state) % limit : 0;
}

void fill_random(void *ptr, size_t size, uint64_t *state)
{
	unsigned char *at = ptr;
	uint64_t word;

	for (; size >= sizeof(word); size -= sizeof(word), at += sizeof(word)) {
		word = random_next(state);
		memcpy(at, &word, sizeof(word));
	}
	word = random_next(state);
	memcpy(at, &word, size);
}

/* The library's compare is fast, and knows no place. */
size_t first_difference(const void *a, const void *b, size_t size)
{
	const unsigned char *left = a, *right = b;
	size_t step, at = 0;

	while (at < size) {
		step = size - at < 4096 ? size - at : 4096;
		if (memcmp(left + at, right + at, step))
			break;
		at += step;
	}
	while (at < size && left[at] == right[at])
		at++;
	return at;
}

/* Every step can be undone, so that no change of one word is lost on the way. */
uint64_t checksum(const void *ptr, size_t size)
{
	const unsigned char *at = ptr;
	uint64_t sum = size, word;
	size_t step;

	for (; size; size -= step, at += step) {
		step = size < sizeof(word) ? size : sizeof(word);
		word = 0;
		memcpy(&word, at, step);
		sum = (sum ^ word) * 0x9e3779b97f4a7c15;
		sum ^= sum >> 32;
	}
	return sum;
}
