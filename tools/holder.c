// SPDX-License-Identifier: GPL-2.0-only
#include "holder.h"
#include "system.h"

#include <stdlib.h>
#include <string.h>

#define CHANNELS "/sys/kernel/debug/dmafd/channels"

/* "NAME ... pid=1234 ... comm=TEXT", the text to the end of the line. */
static bool is_line_of(const char *line, const char *channel, struct holder *holder)
{
	const char *pid = strstr(line, " pid="), *command = strstr(line, " comm=");
	const size_t length = strlen(channel);

	if (strncmp(line, channel, length) || line[length] != ' ' || !pid || !command)
		return false;
	holder->pid = strtol(pid + strlen(" pid="), NULL, 10);
	snprintf(holder->command, sizeof(holder->command), "%s", command + strlen(" comm="));
	holder->command[strcspn(holder->command, "\n")] = '\0';
	make_plain(holder->command);
	return true;
}

void holder_of(const char *channel, struct holder *holder)
{
	char line[512];
	FILE *file = fopen(system_path(CHANNELS), "re");

	*holder = (struct holder){};
	if (!file)
		return;
	while (fgets(line, sizeof(line), file) && !is_line_of(line, channel, holder))
		;
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
