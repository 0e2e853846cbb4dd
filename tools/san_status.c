// SPDX-License-Identifier: GPL-2.0-only
/* dmafd san status: what is attached, how much was seen, and how often what was found. */
#include "san.h"
#include "sysfile.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---- the file "devices" ---- */

static void split(struct san_row *row, char *line)
{
	char *rest, *word;

	row->line = line;
	line[strcspn(line, "\n")] = '\0';
	for (word = strtok_r(line, " ", &rest); word && row->count < SAN_WORDS;
	     word = strtok_r(NULL, " ", &rest))
		row->words[row->count++] = word;
}

/* The line is the row's then. */
static int add_row(struct san_rows *rows, char *line)
{
	struct san_row *more = reallocarray(rows->row, rows->count + 1, sizeof(*more));

	if (!more) {
		free(line);
		return failed(SAN_ROOT "/devices");
	}
	rows->row = more;
	more[rows->count] = (struct san_row){};
	split(&more[rows->count++], line);
	return STATUS_FINE;
}

int san_load(struct san_rows *rows)
{
	FILE *file = fopen(SAN_ROOT "/devices", "re");
	int status = STATUS_FINE;
	char *line = NULL;
	size_t room = 0;

	*rows = (struct san_rows){};
	if (!file)
		return failed(SAN_ROOT "/devices");
	while (!status && getline(&line, &room, file) > 1) {
		status = add_row(rows, line);
		line = NULL;
		room = 0;
	}
	free(line);
	if (!status && ferror(file))
		status = failed(SAN_ROOT "/devices");
	fclose(file);
	return status;
}

void san_unload(struct san_rows *rows)
{
	while (rows->count)
		free(rows->row[--rows->count].line);
	free(rows->row);
}

bool san_is_known(const char *name)
{
	struct san_rows rows;
	bool found = false;
	size_t i;

	san_load(&rows);
	for (i = 0; i < rows.count && !found; i++)
		found = !strcmp(rows.row[i].words[0], name);
	san_unload(&rows);
	return found;
}

/* ---- status ---- */

/* The counters that each device has; what else there is are kinds of reports. */
static const char *const counters[] = {
	"memory", "quarantine", "maps", "syncs", "buffers", "unwatched", "injected",
};

static const char *const parameters[] = {
	"redzone", "quarantine_kb", "memory_kb", "map_max_kb", "fail_every", "line",
};

/* The value of the word NAME=VALUE. */
static uint64_t counter(const struct san_row *row, const char *name)
{
	const size_t length = strlen(name);
	int i;

	for (i = 1; i < row->count; i++)
		if (!strncmp(row->words[i], name, length) && row->words[i][length] == '=')
			return strtoull(row->words[i] + length + 1, NULL, 10);
	return 0;
}

/* Of the words behind the device's, "attached" has no value. */
static bool is_kind(const char *word)
{
	const size_t length = strcspn(word, "=");
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counters); i++)
		if (strlen(counters[i]) == length && !strncmp(counters[i], word, length))
			return false;
	return word[length];
}

static bool is_attached(const struct san_row *row)
{
	return row->count > 1 && !strcmp(row->words[1], "attached");
}

/* Writes "KIND=COUNT" as a member. */
static void json_found(const char *word)
{
	char kind[32];
	size_t length = strcspn(word, "=");

	snprintf(kind, sizeof(kind), "%.*s", (int)length, word);
	json_unsigned(kind, strtoull(word + length + 1, NULL, 10));
}

static void json_device(const struct san_row *row)
{
	struct san_device device;
	size_t i;
	int word;

	san_look_up(&device, row->words[0]);
	json_begin(NULL, '{');
	json_text("device", row->words[0]);
	if (*device.driver)
		json_text("driver", device.driver);
	else
		json_null("driver");
	json_bool("attached", is_attached(row));
	for (i = 0; i < ARRAY_SIZE(counters); i++)
		json_unsigned(counters[i], counter(row, counters[i]));
	json_begin("found", '{');
	for (word = 1; word < row->count; word++)
		if (is_kind(row->words[word]))
			json_found(row->words[word]);
	json_end();
	json_end();
}

static void json_parameters(void)
{
	char path[PATH_MAX], value[64];
	size_t i;

	json_begin("parameters", '{');
	for (i = 0; i < ARRAY_SIZE(parameters); i++) {
		join(path, sizeof(path), "/sys/module/dmasan/parameters", parameters[i]);
		if (!read_text(path, value, sizeof(value)))
			json_unsigned(parameters[i], strtoull(value, NULL, 10));
	}
	json_end();
}

static int json_status(const struct san_rows *rows)
{
	size_t i;

	json_begin(NULL, '{');
	json_parameters();
	json_begin("devices", '[');
	for (i = 0; i < rows->count; i++)
		json_device(&rows->row[i]);
	json_end();
	json_end();
	return STATUS_FINE;
}

static void print_found(const struct san_row *row)
{
	const char *between = "";
	int i;

	for (i = 1; i < row->count; i++) {
		if (!is_kind(row->words[i]))
			continue;
		printf("%s%s", between, row->words[i]);
		between = ",";
	}
	puts(*between ? "" : "nothing");
}

static void print_device(const struct san_row *row)
{
	static const char *const columns[] = { "maps", "syncs", "buffers", "unwatched" };
	struct san_device device;
	size_t i;

	san_look_up(&device, row->words[0]);
	printf("%-24s %-12s", row->words[0], *device.driver ? device.driver : "-");
	if (!is_attached(row)) {
		puts(" waits for a driver");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(columns); i++)
		printf(" %9llu", (unsigned long long)counter(row, columns[i]));
	printf(" %10s  ", human(counter(row, "memory")));
	print_found(row);
}

static void print_header(void)
{
	printf("%-24s %-12s %9s %9s %9s %9s %10s  %s\n", "DEVICE", "DRIVER", "MAPS", "SYNCS",
	       "BUFFERS", "UNWATCHED", "MEMORY", "FOUND");
}

static int print_status(const struct san_rows *rows)
{
	size_t i;

	if (!rows->count && !settings.quiet)
		puts("no device is attached: dmafd san attach BUS:DEVICE");
	if (rows->count && !settings.quiet)
		print_header();
	for (i = 0; i < rows->count; i++)
		print_device(&rows->row[i]);
	return STATUS_FINE;
}

int san_status(void)
{
	struct san_rows rows;
	int status = san_load(&rows);

	if (!status)
		status = settings.json ? json_status(&rows) : print_status(&rows);
	san_unload(&rows);
	return status;
}
