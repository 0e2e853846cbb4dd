// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmafd san watch: each report as it comes, by the tracepoint.
 */
#include "san.h"
#include "tracefs.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENABLE	"events/dmasan/dmasan_report/enable"
#define LOOK_MS	300		/* so often is looked whether the module is still there */
#define EVENT	": dmasan_report: "

struct watch {
	struct tracefs tracefs;
	uint64_t found;
	char *seen;		/* places that were shown, a line for each */
	size_t seen_size;
};

/* ---- the event ---- */

static int begin(struct watch *watch)
{
	/* Reports are rare, and one is to be seen at once. */
	int status = tracefs_begin(&watch->tracefs, "san", 256 * 1024);

	if (status)
		return status;
	tracefs_set(&watch->tracefs, "buffer_percent", "0");
	if (tracefs_set(&watch->tracefs, ENABLE, "1"))
		return failed("%s/" ENABLE, watch->tracefs.folder);
	return STATUS_FINE;
}

static void end(struct watch *watch)
{
	tracefs_end(&watch->tracefs);
	free(watch->seen);
}

/* ---- lines ---- */

/* Whether this place was shown before; notes it. */
static bool is_again(struct watch *watch, const struct san_report *report)
{
	char place[512];
	char *more;
	size_t length;

	length = snprintf(place, sizeof(place), "\n%s %s %s %s\n", report->device, report->kind,
			  report->mapped, report->detected);
	if (watch->seen && strstr(watch->seen, place))
		return true;
	more = realloc(watch->seen, watch->seen_size + length + 1);
	if (!more)
		return false;
	memcpy(more + watch->seen_size, place, length + 1);
	watch->seen = more;
	watch->seen_size += length;
	return false;
}

static void show(struct watch *watch, const struct san_report *report)
{
	if (settings.json)
		san_print_json(report);
	else if (is_again(watch, report))
		printf("%s: %s again, %s\n", report->device, report->kind,
		       *report->detected ? report->detected : report->mapped);
	else
		san_print(report);
	fflush(stdout);
}

static bool is_enough(const struct watch *watch)
{
	return san_config.count && watch->found >= san_config.count;
}

static void take(char *line, void *data)
{
	struct watch *watch = data;
	const char *event = strstr(line, EVENT), *lost = strstr(line, "[LOST ");
	struct san_report report;

	if (lost)
		complain("%lu reports were lost", strtoul(lost + strlen("[LOST "), NULL, 10));
	if (!event || is_enough(watch) || !san_parse(&report, event + strlen(EVENT)) ||
	    !san_is_wanted(&report))
		return;
	watch->found++;
	if (!settings.quiet)
		show(watch, &report);
}

static bool is_over(const struct watch *watch, uint64_t started)
{
	return stop_requested() || is_enough(watch) || ferror(stdout) ||
	       (san_config.duration_ms &&
		clock_ns() - started >= san_config.duration_ms * 1000000);
}

static int follow(struct watch *watch)
{
	struct pollfd fd = { .fd = watch->tracefs.pipe, .events = POLLIN };
	uint64_t started = clock_ns();
	int status = STATUS_FINE;

	while (!status && !is_over(watch, started)) {
		if (access(SAN_ROOT, F_OK)) {
			complain("dmasan was unloaded");
			return STATUS_NO_DEVICE;
		}
		poll(&fd, 1, LOOK_MS);
		status = tracefs_read(&watch->tracefs, take, watch);
	}
	return status;
}

int san_watch(void)
{
	struct watch watch = {};
	int status;

	catch_stop();
	status = begin(&watch);
	if (!status && !settings.quiet && !settings.json)
		fprintf(stderr, "waiting for reports; Ctrl-C ends\n");
	if (!status)
		status = follow(&watch);
	end(&watch);
	return status ? status : watch.found ? STATUS_FOUND : STATUS_FINE;
}
