/* SPDX-License-Identifier: GPL-2.0-only */
/* What the open channels have counted. */
#ifndef TOOLS_COUNTERS_H
#define TOOLS_COUNTERS_H

#include "common.h"

struct counters {
	char name[DMAFD_NAME_MAX], device[DMAFD_NAME_MAX];
	char state[16];			/* idle, busy, paused, gone */
	long pid;
	char command[32];
	uint64_t depth, held;		/* jobs at most, and without a reaped result */
	uint64_t submitted, completed, failed, bytes;
};

struct counters_list {
	struct counters *channel;
	size_t count;
	bool own_only;			/* debugfs is closed: those of the caller's processes */
};

/* Returns 0, or -1 with errno. */
int counters_read(struct counters_list *list);
void counters_free(struct counters_list *list);

#endif
