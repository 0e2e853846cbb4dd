// SPDX-License-Identifier: GPL-2.0-only
/* Writes trace events as Perfetto and chrome://tracing read them. Times are in us. */
#include "trace.h"

#include <errno.h>
#include <string.h>

static FILE *file;		/* NULL: no timeline is wanted */
static const char *file_name;

int timeline_begin(const char *path)
{
	file_name = path;
	file = fopen(path, "we");
	if (!file)
		return failed("%s", path);
	json_to(file, 2);
	json_begin(NULL, '{');
	json_text("displayTimeUnit", "ns");
	json_begin("traceEvents", '[');
	return STATUS_FINE;
}

int timeline_end(void)
{
	bool lost;

	if (!file)
		return STATUS_FINE;
	json_end();
	json_end();
	json_to(NULL, 0);
	lost = ferror(file);
	lost |= fclose(file) != 0;
	file = NULL;
	return lost ? failed("%s", file_name) : STATUS_FINE;
}

static void begin(const char *phase, const char *name, unsigned int group, unsigned int row)
{
	json_begin(NULL, '{');
	json_text("ph", phase);
	json_text("name", name);
	json_unsigned("pid", group);
	json_unsigned("tid", row);
}

static void name_it(const char *what, unsigned int group, unsigned int row, const char *name)
{
	if (!file)
		return;
	begin("M", what, group, row);
	json_begin("args", '{');
	json_text("name", name);
	timeline_done();
}

void timeline_group(unsigned int group, const char *name)
{
	name_it("process_name", group, 0, name);
}

void timeline_row(unsigned int group, unsigned int row, const char *name)
{
	name_it("thread_name", group, row, name);
}

void timeline_slice(unsigned int group, unsigned int row, const char *name, uint64_t start,
		    uint64_t end)
{
	if (!file)
		return;
	begin("X", name, group, row);
	json_unsigned("ts", start);
	json_unsigned("dur", end - start);
	json_begin("args", '{');
}

void timeline_moment(unsigned int group, unsigned int row, const char *name, uint64_t time)
{
	if (!file)
		return;
	begin("i", name, group, row);
	json_text("s", "t");
	json_unsigned("ts", time);
	json_begin("args", '{');
}

void timeline_number(const char *key, uint64_t value)
{
	if (file)
		json_unsigned(key, value);
}

void timeline_signed(const char *key, int64_t value)
{
	if (file)
		json_number(key, value);
}

void timeline_text(const char *key, const char *value)
{
	if (file)
		json_text(key, value);
}

void timeline_done(void)
{
	if (!file)
		return;
	json_end();
	json_end();
}

void timeline_level(unsigned int group, const char *name, uint64_t time, uint64_t value)
{
	if (!file)
		return;
	begin("C", name, group, 0);
	json_unsigned("ts", time);
	json_begin("args", '{');
	json_unsigned("jobs", value);
	timeline_done();
}
