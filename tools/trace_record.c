// SPDX-License-Identifier: GPL-2.0-only
/* Records tracepoints in an instance of its own, so that nobody else's tracing is disturbed. */
#include "trace.h"
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "dmafd-trace-"

static const char *const places[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
static const char *const systems[] = { "dmafd", "dmasim" };

static int put(const struct recording *recording, const char *name, const char *text)
{
	char path[512];
	int fd, error;
	ssize_t length;

	snprintf(path, sizeof(path), "%s/%s", recording->folder, name);
	fd = open(path, O_WRONLY | O_CLOEXEC | O_TRUNC);
	if (fd < 0)
		return -1;
	length = write(fd, text, strlen(text));
	error = errno;
	close(fd);
	errno = error;
	return length < 0 ? -1 : 0;
}

/* ---- the instance ---- */

/* What somebody left behind who was killed. */
static void remove_stale(const char *folder)
{
	struct names names;
	char path[512];
	size_t i;
	long pid;

	if (system_list(&names, "%s", folder))
		return;
	for (i = 0; i < names.count; i++) {
		if (strncmp(names.name[i], PREFIX, strlen(PREFIX)))
			continue;
		pid = strtol(names.name[i] + strlen(PREFIX), NULL, 10);
		if (pid <= 0 || system_has("/proc/%ld", pid))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, names.name[i]);
		rmdir(path);
	}
	system_list_free(&names);
}

static int no_tracefs(void)
{
	if (errno == EACCES || errno == EPERM) {
		complain("no permission on %s", places[0]);
		advise("tracing is for root: sudo dmafd trace ...");
	} else {
		complain("there is no %s/instances", places[0]);
		advise("mount -t tracefs none %s", places[0]);
	}
	return STATUS_NO_DEVICE;
}

static int make_instance(struct recording *recording)
{
	char instances[128];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(instances, sizeof(instances), "%s/instances", places[i]);
		if (!access(instances, F_OK) || errno == EACCES)
			break;
	}
	if (i == ARRAY_SIZE(places))
		return no_tracefs();
	remove_stale(instances);
	snprintf(recording->folder, sizeof(recording->folder), "%s/" PREFIX "%ld", instances,
		 (long)getpid());
	if (!mkdir(recording->folder, 0700))
		return STATUS_FINE;
	return errno == EACCES || errno == EPERM ? no_tracefs() : failed("%s", recording->folder);
}

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
		if (!put(recording, name, "1"))
			count++;
		else if (errno != ENOENT)
			return failed("%s/%s", recording->folder, name);
	}
	return count ? STATUS_FINE : no_events();
}

static int set_up(struct recording *recording, uint64_t buffer)
{
	char size[32], path[512];
	uint64_t kb = buffer / 1024;

	snprintf(size, sizeof(size), "%llu", (unsigned long long)(kb ? kb : 1));
	if (put(recording, "buffer_size_kb", size))
		return failed("a buffer of %s for each CPU", human(buffer));
	/* The clock that programs call CLOCK_MONOTONIC. */
	if (put(recording, "trace_clock", "mono"))
		return failed("%s/trace_clock", recording->folder);
	snprintf(path, sizeof(path), "%s/trace_pipe", recording->folder);
	recording->pipe = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (recording->pipe < 0)
		return failed("%s", path);
	return enable_events(recording);
}

int recording_begin(struct recording *recording, uint64_t buffer)
{
	int status;

	*recording = (struct recording){ .pipe = -1 };
	status = make_instance(recording);
	if (status)
		return status;
	recording->open = true;
	status = set_up(recording, buffer);
	if (status)
		recording_end(recording);
	return status;
}

/* ---- reading ---- */

/* A line that is too long for ours is none of ours. */
static void take_bytes(struct recording *recording, const char *bytes, size_t count,
		       void (*take)(char *line))
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (bytes[i] != '\n') {
			if (recording->length < sizeof(recording->line) - 1)
				recording->line[recording->length++] = bytes[i];
			continue;
		}
		recording->line[recording->length] = '\0';
		recording->length = 0;
		take(recording->line);
	}
}

int recording_read(struct recording *recording, void (*take)(char *line))
{
	char bytes[16384];
	ssize_t count;

	while ((count = read(recording->pipe, bytes, sizeof(bytes))) > 0)
		take_bytes(recording, bytes, count, take);
	if (count < 0 && errno != EAGAIN && errno != EINTR)
		return failed("%s/trace_pipe", recording->folder);
	return STATUS_FINE;
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

	if (system_list(&cpus, "%s/per_cpu", recording->folder))
		return 0;
	for (i = 0; i < cpus.count; i++) {
		text = system_text("%s/per_cpu/%s/stats", recording->folder, cpus.name[i]);
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
	put(recording, "tracing_on", "0");
	put(recording, "events/enable", "0");
	recording->lost = lost_events(recording);
}

void recording_end(struct recording *recording)
{
	if (recording->pipe >= 0)
		close(recording->pipe);
	recording->pipe = -1;
	if (recording->open && rmdir(recording->folder))
		failed("%s", recording->folder);
	recording->open = false;
}
