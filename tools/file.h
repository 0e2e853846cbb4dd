/* SPDX-License-Identifier: GPL-2.0-only */
/* Files that are written as a whole, or not at all. */
#ifndef TOOLS_FILE_H
#define TOOLS_FILE_H

#include "common.h"

#include <limits.h>
#include <sys/stat.h>

struct target {
	int fd;
	bool stream;		/* it can't be read back: standard output, a pipe, a terminal */
	char path[PATH_MAX];	/* as it is to be called */
	char temp[PATH_MAX];	/* as it is called until then; "" if it is written in place */
};

/*
 * Opens what is to be written: a new file beside @path, which takes its place when it is
 * committed; or a device, a pipe, or standard output ("-"), in place.
 *
 * @mode: of a new file. @source: of what it is made, so that it is not itself, or NULL.
 */
int target_open(struct target *target, const char *path, mode_t mode, const struct stat *source);
/* Everything is there: it is written to the disk, and named. */
int target_commit(struct target *target);
/* Closes it; what was not committed is gone. */
void target_close(struct target *target);

/* As the system calls, but all of it; fewer bytes are read at the end of the file only. */
ssize_t read_all(int fd, void *ptr, size_t size);
int write_all(int fd, const void *ptr, size_t size);

#endif
