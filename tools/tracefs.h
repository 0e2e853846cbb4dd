/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's tracing, in an instance of its own: who traces something else is not disturbed. */
#ifndef TOOLS_TRACEFS_H
#define TOOLS_TRACEFS_H

#include "common.h"

struct tracefs {
	char folder[256];	/* the instance; "" if there is none */
	int pipe;
	char line[16384];	/* the beginning of one, as far as it came */
	size_t length;
};

/*
 * Makes one for a purpose, with so many bytes for each CPU, and opens its pipe; all that
 * was left by processes that were killed goes. Returns an exit status; tracefs_end() is
 * to be called in any case.
 */
int tracefs_begin(struct tracefs *tracefs, const char *purpose, uint64_t buffer);
/* Writes to a file of the instance. Returns -1 with errno if that can't be done. */
int tracefs_set(const struct tracefs *tracefs, const char *file, const char *value);
/* Hands over the lines that are there; returns an exit status. */
int tracefs_read(struct tracefs *tracefs, void (*take)(char *line, void *data), void *data);
void tracefs_end(struct tracefs *tracefs);

#endif
