// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmafd san watch: each report as it comes, by the tracepoint, which is enabled in an
 * instance of tracefs of our own. Who traces something else is not disturbed.
 */
#include "san.h"
#include "sysfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX	"dmafd-san."	/* and the process */
#define LOOK_MS	300		/* so often is looked whether the module is still there */
#define EVENT	": dmasan_report: "

struct watch {
	char folder[PATH_MAX];
	int fd;
	char text[16384];	/* what was read of lines that are not complete */
	size_t length;
	uint64_t found;
	char *seen;		/* places that were shown, a line for each */
	size_t seen_size;
};

/* ---- the instance ---- */

static const char *find_tracefs(void)
{
	static const char *const places[] = {
		"/sys/kernel/tracing/instances", "/sys/kernel/debug/tracing/instances",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(places); i++)
		if (!access(places[i], F_OK))
			return places[i];
	return NULL;
}

/* Those of processes that were killed. */
static void remove_old(const char *instances)
{
	DIR *dir = opendir(instances);
	struct dirent *entry;
	char path[PATH_MAX];
	pid_t pid;

	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)))
			continue;
		pid = atoi(entry->d_name + strlen(PREFIX));
		if (pid > 0 && kill(pid, 0) && errno == ESRCH &&
		    join(path, sizeof(path), instances, entry->d_name))
			rmdir(path);
	}
	if (dir)
		closedir(dir);
}

static int set(const struct watch *watch, const char *file, const char *value)
{
	char path[PATH_MAX];

	if (join(path, sizeof(path), watch->folder, file) && !write_text(path, value))
		return STATUS_FINE;
	return failed("%s", file);
}

static int open_pipe(struct watch *watch)
{
	char path[PATH_MAX];

	join(path, sizeof(path), watch->folder, "trace_pipe");
	watch->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return watch->fd < 0 ? failed("trace_pipe") : STATUS_FINE;
}

static int no_tracefs(void)
{
	complain("there is no /sys/kernel/tracing");
	advise("is tracefs mounted? mount -t tracefs none /sys/kernel/tracing");
	return STATUS_NO_DEVICE;
}

static int begin(struct watch *watch)
{
	const char *instances = find_tracefs();
	int status;

	if (!instances)
		return no_tracefs();
	remove_old(instances);
	snprintf(watch->folder, sizeof(watch->folder), "%s/" PREFIX "%d", instances, getpid());
	if (mkdir(watch->folder, 0700)) {
		*watch->folder = '\0';
		return failed("%s", instances);
	}
	/* Reports are rare, and one is to be seen at once. */
	set(watch, "buffer_size_kb", "256");
	set(watch, "buffer_percent", "0");
	status = open_pipe(watch);
	return status ? status : set(watch, "events/dmasan/dmasan_report/enable", "1");
}

static void end(struct watch *watch)
{
	if (watch->fd >= 0)
		close(watch->fd);
	if (*watch->folder)
		rmdir(watch->folder);
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

static void take_line(struct watch *watch, const char *line)
{
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

/* What ends with a newline is a line; the rest waits for more. */
static void take_lines(struct watch *watch)
{
	char *line = watch->text, *end;

	watch->text[watch->length] = '\0';
	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		take_line(watch, line);
		line = end + 1;
	}
	watch->length = strlen(line);
	memmove(watch->text, line, watch->length);
	/* No line of ours is as long as that. */
	if (watch->length == sizeof(watch->text) - 1)
		watch->length = 0;
}

static int read_some(struct watch *watch)
{
	ssize_t n = read(watch->fd, watch->text + watch->length,
			 sizeof(watch->text) - 1 - watch->length);

	if (n > 0) {
		watch->length += n;
		take_lines(watch);
	}
	if (n >= 0 || errno == EAGAIN || errno == EINTR)
		return STATUS_FINE;
	return failed("trace_pipe");
}

static bool is_over(const struct watch *watch, uint64_t started)
{
	return stop_requested() || is_enough(watch) || ferror(stdout) ||
	       (san_config.duration_ms &&
		clock_ns() - started >= san_config.duration_ms * 1000000);
}

static int follow(struct watch *watch)
{
	struct pollfd fd = { .fd = watch->fd, .events = POLLIN };
	uint64_t started = clock_ns();
	int status = STATUS_FINE;

	while (!status && !is_over(watch, started)) {
		if (access(SAN_ROOT, F_OK)) {
			complain("dmasan was unloaded");
			return STATUS_NO_DEVICE;
		}
		poll(&fd, 1, LOOK_MS);
		status = read_some(watch);
	}
	return status;
}

int san_watch(void)
{
	struct watch watch = { .fd = -1 };
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
