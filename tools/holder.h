/* SPDX-License-Identifier: GPL-2.0-only */
/* Who holds a channel, and lists of what channels can do. */
#ifndef TOOLS_HOLDER_H
#define TOOLS_HOLDER_H

#include "common.h"

struct holder {
	long pid;		/* 0: nobody, or not known */
	char command[32];
};

/* Asks debugfs, which may be closed to the caller. */
void holder_of(const char *channel, struct holder *holder);
/* null if there is none. */
void json_holder(const char *key, const struct holder *holder);

/* "copy,fill"; -1 if there is something else in it. */
int parse_caps(const char *text, uint32_t *caps);
void json_caps(const char *key, uint32_t caps);

#endif
