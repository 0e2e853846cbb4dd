// SPDX-License-Identifier: GPL-2.0-only
#include "tracefs.h"
#include "sysfile.h"
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "dmafd-"		/* and PURPOSE-PROCESS */

static const char *const places[] = {
	"/sys/kernel/tracing/instances", "/sys/kernel/debug/tracing/instances",
};

/* ---- the instance ---- */

/* Whether it was made by a process that is not there any more. */
static bool is_stale(const char *name)
{
	const char *process = strrchr(name, '-');
	long pid = process ? strtol(process + 1, NULL, 10) : 0;

	return !strncmp(name, PREFIX, strlen(PREFIX)) && pid > 0 && !system_has("/proc/%ld", pid);
}

static void remove_stale(const char *instances)
{
	struct names names;
	char path[512];
	size_t i;

	if (system_list(&names, "%s", instances))
		return;
	for (i = 0; i < names.count; i++)
		if (is_stale(names.name[i]) && join(path, sizeof(path), instances, names.name[i]))
			rmdir(path);
	system_list_free(&names);
}

static int no_tracefs(void)
{
	if (errno == EACCES || errno == EPERM) {
		complain("no permission on /sys/kernel/tracing");
		advise("tracing is for root: sudo dmafd ...");
	} else {
		complain("there is no %s", places[0]);
		advise("mount -t tracefs none /sys/kernel/tracing");
	}
	return STATUS_NO_DEVICE;
}

static int make_instance(struct tracefs *tracefs, const char *purpose)
{
	const char *instances = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(places) && !instances; i++)
		if (!access(places[i], F_OK) || errno == EACCES)
			instances = places[i];
	if (!instances)
		return no_tracefs();
	remove_stale(instances);
	snprintf(tracefs->folder, sizeof(tracefs->folder), "%s/" PREFIX "%s-%ld", instances,
		 purpose, (long)getpid());
	if (!mkdir(tracefs->folder, 0700))
		return STATUS_FINE;
	*tracefs->folder = '\0';
	return errno == EACCES || errno == EPERM ? no_tracefs() : failed("%s", instances);
}

static int set_up(struct tracefs *tracefs, uint64_t buffer)
{
	uint64_t kb = buffer / 1024;
	char size[32], path[512];

	snprintf(size, sizeof(size), "%llu", (unsigned long long)(kb ? kb : 1));
	if (tracefs_set(tracefs, "buffer_size_kb", size))
		return failed("a buffer of %s for each CPU", human(buffer));
	join(path, sizeof(path), tracefs->folder, "trace_pipe");
	tracefs->pipe = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return tracefs->pipe < 0 ? failed("%s", path) : STATUS_FINE;
}

int tracefs_begin(struct tracefs *tracefs, const char *purpose, uint64_t buffer)
{
	int status;

	tracefs->pipe = -1;
	tracefs->length = 0;
	*tracefs->folder = '\0';
	status = make_instance(tracefs, purpose);
	return status ? status : set_up(tracefs, buffer);
}

int tracefs_set(const struct tracefs *tracefs, const char *file, const char *value)
{
	char path[512];

	if (join(path, sizeof(path), tracefs->folder, file))
		return write_text(path, value);
	errno = ENAMETOOLONG;
	return -1;
}

void tracefs_end(struct tracefs *tracefs)
{
	if (tracefs->pipe >= 0)
		close(tracefs->pipe);
	tracefs->pipe = -1;
	if (*tracefs->folder && rmdir(tracefs->folder))
		failed("%s", tracefs->folder);
	*tracefs->folder = '\0';
}

/* ---- reading ---- */

/* A line that is too long for ours is none of ours. */
static void take_bytes(struct tracefs *tracefs, const char *bytes, size_t count,
		       void (*take)(char *line, void *data), void *data)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (bytes[i] != '\n') {
			if (tracefs->length < sizeof(tracefs->line) - 1)
				tracefs->line[tracefs->length++] = bytes[i];
			continue;
		}
		tracefs->line[tracefs->length] = '\0';
		tracefs->length = 0;
		take(tracefs->line, data);
	}
}

int tracefs_read(struct tracefs *tracefs, void (*take)(char *line, void *data), void *data)
{
	char bytes[16384];
	ssize_t count;

	while ((count = read(tracefs->pipe, bytes, sizeof(bytes))) > 0)
		take_bytes(tracefs, bytes, count, take, data);
	if (count < 0 && errno != EAGAIN && errno != EINTR)
		return failed("%s/trace_pipe", tracefs->folder);
	return STATUS_FINE;
}
