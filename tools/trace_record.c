// SPDX-License-Identifier: GPL-2.0-only
/* Records tracepoints. */
#include "trace.h"
#include "system.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const systems[] = { "dmafd", "dmasim" };

static int no_events(void)
{
	complain("there are no tracepoints of dmafd and dmasim");
	advise("load the module: modprobe dmafd");
	return STATUS_NO_DEVICE;
}

static int enable_events(struct recording *recording)
{
	char name[64];
	size_t i, count = 0;

	for (i = 0; i < ARRAY_SIZE(systems); i++) {
		snprintf(name, sizeof(name), "events/%s/enable", systems[i]);
		if (!tracefs_set(&recording->tracefs, name, "1"))
			count++;
		else if (errno != ENOENT)
			return failed("%s/%s", recording->tracefs.folder, name);
	}
	return count ? STATUS_FINE : no_events();
}

int recording_begin(struct recording *recording, uint64_t buffer)
{
	int status;

	recording->lost = 0;
	status = tracefs_begin(&recording->tracefs, "trace", buffer);
	/* The clock that programs call CLOCK_MONOTONIC. */
	if (!status && tracefs_set(&recording->tracefs, "trace_clock", "mono"))
		status = failed("%s/trace_clock", recording->tracefs.folder);
	if (!status)
		status = enable_events(recording);
	if (status)
		recording_end(recording);
	return status;
}

int recording_read(struct recording *recording, void (*take)(char *line, void *data))
{
	return tracefs_read(&recording->tracefs, take, NULL);
}

/* ---- the end ---- */

/* What was overwritten before it was read, or never got in. */
static uint64_t lost_events(const struct recording *recording)
{
	static const char *const keys[] = { "overrun", "commit overrun", "dropped events" };
	uint64_t sum = 0, number;
	struct names cpus;
	char *text;
	size_t i, k;

	if (system_list(&cpus, "%s/per_cpu", recording->tracefs.folder))
		return 0;
	for (i = 0; i < cpus.count; i++) {
		text = system_text("%s/per_cpu/%s/stats", recording->tracefs.folder, cpus.name[i]);
		for (k = 0; text && k < ARRAY_SIZE(keys); k++)
			if (!number_of_key(text, keys[k], &number))
				sum += number;
		free(text);
	}
	system_list_free(&cpus);
	return sum;
}

void recording_stop(struct recording *recording)
{
	tracefs_set(&recording->tracefs, "tracing_on", "0");
	tracefs_set(&recording->tracefs, "events/enable", "0");
	recording->lost = lost_events(recording);
}

void recording_end(struct recording *recording)
{
	tracefs_end(&recording->tracefs);
}
