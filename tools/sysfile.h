/* SPDX-License-Identifier: GPL-2.0-only */
/* Files of the kernel's: each holds a value, and is written at once. */
#ifndef TOOLS_SYSFILE_H
#define TOOLS_SYSFILE_H

#include "common.h"

/* The first line, without its end; "" and -1 with errno if that can't be read. */
int read_text(const char *path, char *text, size_t size);
/* Returns -1 with errno if it can't be written. */
int write_text(const char *path, const char *text);
/* FOLDER/NAME. Returns false if it is too long. */
bool join(char *path, size_t size, const char *folder, const char *name);

#endif
