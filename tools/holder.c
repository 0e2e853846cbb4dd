// SPDX-License-Identifier: GPL-2.0-only
#include "holder.h"

#include <stdlib.h>
#include <string.h>

#define CHANNELS "/sys/kernel/debug/dmafd/channels"

/* A line is the channel's name, the process' number and what it runs, and more. */
void holder_of(const char *channel, struct holder *holder)
{
	char line[512], name[128], command[32];
	long pid;
	FILE *file = fopen(CHANNELS, "re");

	*holder = (struct holder){};
	if (!file)
		return;
	while (!holder->pid && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%127s %ld %31s", name, &pid, command) != 3 ||
		    strcmp(name, channel))
			continue;
		holder->pid = pid;
		memcpy(holder->command, command, sizeof(command));
	}
	fclose(file);
}

void json_holder(const char *key, const struct holder *holder)
{
	if (!holder->pid) {
		json_null(key);
		return;
	}
	json_begin(key, '{');
	json_number("pid", holder->pid);
	json_text("command", holder->command);
	json_end();
}

int parse_caps(const char *text, uint32_t *caps)
{
	char *copy = strdup(text), *rest = copy, *word;
	uint32_t cap = 1;

	*caps = 0;
	while (cap && (word = strsep(&rest, ","))) {
		for (cap = *word ? 1 : 0; cap && strcmp(caps_text(cap), word); cap <<= 1)
			;
		*caps |= cap;
	}
	free(copy);
	return cap ? 0 : -1;
}

void json_caps(const char *key, uint32_t caps)
{
	uint32_t cap;

	json_begin(key, '[');
	for (cap = 1; cap; cap <<= 1)
		if (caps & cap && *caps_text(cap))
			json_text(NULL, caps_text(cap));
	json_end();
}
