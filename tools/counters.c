// SPDX-License-Identifier: GPL-2.0-only
#include "counters.h"
#include "system.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHANNELS "/sys/kernel/debug/dmafd/channels"

static int add(struct counters_list *list, const struct counters *counters)
{
	struct counters *larger = realloc(list->channel, (list->count + 1) * sizeof(*larger));

	if (!larger)
		return -1;
	list->channel = larger;
	list->channel[list->count++] = *counters;
	return 0;
}

/* ---- debugfs, where all of them are, for root ---- */

static void word_at(const char *text, const char *key, char *word, size_t size)
{
	const char *at = strstr(text, key);

	at = at ? at + strlen(key) : "";
	snprintf(word, size, "%.*s", (int)strcspn(at, " "), at);
}

static uint64_t number_at(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/* "NAME device=... state=... pid=1 depth=... comm=TEXT": the name can have blanks. */
static bool parse_line(const char *line, struct counters *counters)
{
	const char *rest = strstr(line, " device="), *command = strstr(line, " comm=");

	if (!rest || !command)
		return false;
	*counters = (struct counters){
		.pid = number_at(rest, " pid="), .depth = number_at(rest, " depth="),
		.held = number_at(rest, " held="), .submitted = number_at(rest, " submitted="),
		.completed = number_at(rest, " completed="), .failed = number_at(rest, " failed="),
		.bytes = number_at(rest, " bytes="),
	};
	snprintf(counters->name, sizeof(counters->name), "%.*s", (int)(rest - line), line);
	word_at(rest, " device=", counters->device, sizeof(counters->device));
	word_at(rest, " state=", counters->state, sizeof(counters->state));
	snprintf(counters->command, sizeof(counters->command), "%s", command + strlen(" comm="));
	make_plain(counters->command);
	return true;
}

static int read_all(struct counters_list *list)
{
	char *text = system_text(CHANNELS), *rest = text, *line;
	struct counters counters;
	int err = text ? 0 : -1;

	while (!err && (line = strsep(&rest, "\n")))
		if (parse_line(line, &counters))
			err = add(list, &counters);
	free(text);
	return err;
}

/* ---- fdinfo, of processes that the caller may look at ---- */

/* A line "KEY:\tTEXT". */
static void text_of_key(const char *text, const char *key, char *value, size_t size)
{
	const char *at = strstr(text, key);

	at = at ? at + strlen(key) : "";
	at += strspn(at, ":\t");
	snprintf(value, size, "%.*s", (int)strcspn(at, "\n"), at);
}

static bool parse_info(const char *text, struct counters *counters)
{
	if (!strstr(text, "dmafd-channel:"))
		return false;
	*counters = (struct counters){};
	text_of_key(text, "dmafd-channel", counters->name, sizeof(counters->name));
	text_of_key(text, "dmafd-device", counters->device, sizeof(counters->device));
	text_of_key(text, "dmafd-state", counters->state, sizeof(counters->state));
	number_of_key(text, "dmafd-depth", &counters->depth);
	number_of_key(text, "dmafd-held", &counters->held);
	number_of_key(text, "dmafd-submitted", &counters->submitted);
	number_of_key(text, "dmafd-completed", &counters->completed);
	number_of_key(text, "dmafd-failed", &counters->failed);
	number_of_key(text, "dmafd-bytes", &counters->bytes);
	return true;
}

/* Several processes, or file descriptors, can share one. */
static bool is_known(const struct counters_list *list, const char *name)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (!strcmp(list->channel[i].name, name))
			return true;
	return false;
}

static int read_process(struct counters_list *list, const char *pid)
{
	struct counters counters;
	struct names names;
	int err = 0;
	char *text;
	size_t i;

	if (system_list(&names, "/proc/%s/fdinfo", pid))
		return 0;
	for (i = 0; i < names.count && !err; i++) {
		text = system_text("/proc/%s/fdinfo/%s", pid, names.name[i]);
		if (text && parse_info(text, &counters) && !is_known(list, counters.name)) {
			counters.pid = strtol(pid, NULL, 10);
			system_line(counters.command, sizeof(counters.command), "/proc/%s/comm",
				    pid);
			make_plain(counters.command);
			err = add(list, &counters);
		}
		free(text);
	}
	system_list_free(&names);
	return err;
}

static int read_own(struct counters_list *list)
{
	struct names names;
	int err = 0;
	size_t i;

	if (system_list(&names, "/proc"))
		return -1;
	for (i = 0; i < names.count && !err; i++)
		if (names.name[i][0] >= '1' && names.name[i][0] <= '9')
			err = read_process(list, names.name[i]);
	system_list_free(&names);
	return err;
}

/* ---- either ---- */

int counters_read(struct counters_list *list)
{
	int err;

	*list = (struct counters_list){};
	err = read_all(list);
	if (!err || (errno != EACCES && errno != EPERM && errno != ENOENT))
		return err;
	/* Without debugfs there can be channels all the same. */
	if (errno == ENOENT && !system_has("/sys/module/dmafd")) {
		errno = ENOENT;
		return -1;
	}
	list->own_only = true;
	return read_own(list);
}

void counters_free(struct counters_list *list)
{
	free(list->channel);
	*list = (struct counters_list){};
}
