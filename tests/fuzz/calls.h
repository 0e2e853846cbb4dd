/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs of the fuzzer: strings of bytes that say which calls are made, and with
 * what. Any bytes are a program, and where they end, it does.
 */
#ifndef CALLS_H
#define CALLS_H

#include "../uapi/common/bench.h"

#include <stddef.h>

#define PROGRAM_MAX	512

struct program {
	unsigned char byte[PROGRAM_MAX];
	unsigned int len;
};

/* What a program does depends on nothing else; @bench: with all devices. */
void program_run(const struct program *program, const struct bench *bench);

#endif
