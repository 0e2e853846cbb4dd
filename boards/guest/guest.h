/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of init share. */
#ifndef GUEST_H
#define GUEST_H

#include <sys/types.h>

#define MAX_MODULES 256
#define MODULE_NAME 64

/* What there was before the command ran, to compare with what it leaves. */
struct inventory {
	char modules[MAX_MODULES][MODULE_NAME];
	int nr_modules;
	long dma_entries;	/* free ones of the kernel's DMA checker; -1: none */
};

/* Logs a line to the kernel log. Lines that tell of a leak have the form
 * "boards: leak: ...": that is what makes a run fail.
 */
void klog(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Reads a whole small file as a string; the length, or -1. */
ssize_t read_file(const char *path, char *buf, size_t size);

/* 0, or -1 with errno. */
int write_file(const char *path, const char *text);

void take_inventory(struct inventory *inv);

/* Removes the modules that were loaded since, then reports whatever of the
 * command's is still there: modules that can't be removed, DMA mappings,
 * memory.
 */
void check_inventory(const struct inventory *before);

#endif
