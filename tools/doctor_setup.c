// SPDX-License-Identifier: GPL-2.0-only
/* dmafd doctor: the module, its device, who may use it, and how much memory may be locked. */
#include "doctor.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAP_IPC_LOCK_BIT 14
#define LITTLE_MEMLOCK (1024 * 1024)

/* ---- the module ---- */

/* Whether a list of modules has the line of one: ".../dmafd.ko.xz: ...". */
static bool lists_module(const char *list, const char *name)
{
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "/%s.ko", name);
	return list && strstr(list, wanted);
}

static bool is_installed(const char *release, const char *name)
{
	char *list = system_text("/lib/modules/%s/modules.dep", release);
	bool is = lists_module(list, name);

	free(list);
	return is;
}

static void module_is_missing(void)
{
	char release[128];

	system_line(release, sizeof(release), "/proc/sys/kernel/osrelease");
	if (is_installed(release, "dmafd")) {
		found(VERDICT_BAD, "module", NULL, "dmafd is installed, but not loaded");
		hint("modprobe dmafd; for each boot: echo dmafd > /etc/modules-load.d/dmafd.conf");
		return;
	}
	found(VERDICT_BAD, "module", NULL, "dmafd is not loaded, nor known to depmod for Linux %s",
	      release);
	hint("modprobe dmafd; if that fails, 'make dkms-install' in dmafd's sources, as root");
}

static void check_module(void)
{
	if (!system_has("/sys/module/dmafd"))
		module_is_missing();
	else
		found(VERDICT_OK, "module", NULL, "dmafd is loaded%s",
		      system_has("/sys/module/dmasim") ? ", and dmasim, which simulates" : "");
}

/* A kernel that is locked down takes no module without a signature, and hides debugfs. */
static void check_lockdown(void)
{
	char line[64];

	if (system_line(line, sizeof(line), "/sys/kernel/security/lockdown") ||
	    strstr(line, "[none]"))
		return;
	found(VERDICT_NOTE, "lockdown", NULL, "the kernel is locked down: %s", line);
	hint("it takes only modules that are signed; 'mokutil --disable-validation' ends that");
}

/* ---- the device ---- */

static const char *device_path(void)
{
	const char *path = getenv("DMAFD_DEVICE");

	return path && *path ? path : "/dev/dmafd";
}

/* The line of a group in /etc/group: "dma:x:994:alice,bob". Returns its number, or -1. */
static long group_number(const char *groups, const char *name, char *members, size_t size)
{
	const size_t length = strlen(name);
	const char *line = groups;
	char *end;
	long gid;

	for (; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) || line[length] != ':')
			continue;
		line = strchr(line + length + 1, ':');
		if (!line)
			return -1;
		gid = strtol(line + 1, &end, 10);
		end += *end == ':';
		snprintf(members, size, "%.*s", (int)strcspn(end, "\n"), end);
		return gid;
	}
	return -1;
}

static void group_name(gid_t gid, char *name, size_t size)
{
	char *groups = system_text("/etc/group"), *line = groups, *next, *number;

	snprintf(name, size, "%u", gid);
	for (; line && *line; line = next) {
		next = line + strcspn(line, "\n");
		next += *next == '\n';
		number = memchr(line, ':', next - line);
		number = number ? memchr(number + 1, ':', next - number - 1) : NULL;
		if (!number || strtoul(number + 1, NULL, 10) != gid)
			continue;
		snprintf(name, size, "%.*s", (int)strcspn(line, ":"), line);
		break;
	}
	free(groups);
}

static void device_is_missing(const char *path)
{
	if (errno != ENOENT && errno != ENOTDIR) {
		not_known("device", path);
		return;
	}
	found(VERDICT_BAD, "device", NULL, "there is no %s", path);
	if (system_has("/sys/module/dmafd"))
		hint("the module is there: is devtmpfs mounted at /dev, and udev at work?");
	else
		hint("the module makes it: modprobe dmafd");
}

static void device_is_closed(const struct stat *st, const char *path)
{
	const char *user = getenv("USER");

	found(VERDICT_BAD, "device", NULL, "no permission on %s", path);
	if (!st->st_gid)
		hint("no udev rule gives it to the group dma; 'make install' brings one along");
	else
		hint("usermod -aG dma %s, and log in again", user && *user ? user : "NAME");
}

static void check_device(void)
{
	const char *path = device_path();
	char group[64];
	struct stat st;

	if (stat(system_path("%s", path), &st)) {
		device_is_missing(path);
		return;
	}
	group_name(st.st_gid, group, sizeof(group));
	if (access(system_path("%s", path), R_OK | W_OK)) {
		device_is_closed(&st, path);
	} else if (st.st_mode & 0006) {
		found(VERDICT_WARN, "device", NULL, "everybody may use %s", path);
		hint("who may lock memory for a controller should be few: chmod 660 %s", path);
	} else {
		found(VERDICT_OK, "device", NULL, "%s can be used; it belongs to the group %s",
		      path, group);
	}
	fact_text("path", path);
	fact_text("group", group);
	fact_number("mode", st.st_mode & 07777);
}

/* ---- the group ---- */

/* A line of /proc/self/status: "Groups:\t4 24 994 ". */
static bool is_among(const char *status, const char *key, long gid)
{
	const char *at = strstr(status, key);
	char *end;
	long number;

	if (!at)
		return false;
	for (at += strlen(key); *at && *at != '\n'; at = end) {
		number = strtol(at, &end, 10);
		if (end == at)
			return false;
		if (number == gid)
			return true;
		end += strspn(end, " \t");
	}
	return false;
}

static bool has_group(long gid)
{
	char *status = system_text("/proc/self/status");
	bool has = status && (is_among(status, "\nGroups:", gid) ||
			      is_among(status, "\nGid:", gid));

	free(status);
	return has;
}

static bool is_root(void)
{
	char *status = system_text("/proc/self/status");
	bool is = status && is_among(status, "\nUid:", 0);

	free(status);
	return is;
}

static void check_group(void)
{
	char *groups = system_text("/etc/group"), members[256] = "";
	long gid = groups ? group_number(groups, "dma", members, sizeof(members)) : -1;

	free(groups);
	if (gid < 0) {
		found(VERDICT_NOTE, "group", NULL, "there is no group dma: only root may use DMA");
		hint("systemd-sysusers, after 'make install'; or groupadd --system dma");
		return;
	}
	if (has_group(gid) || is_root())
		found(VERDICT_OK, "group", NULL, "dma has %s", *members ? members : "no members");
	else
		found(VERDICT_NOTE, "group", NULL, "you are not in the group dma, which has %s",
		      *members ? members : "no members");
	if (!has_group(gid) && !is_root())
		hint("usermod -aG dma NAME as root; it counts from the next login on");
	fact_number("gid", gid);
	fact_text("members", members);
}

/* ---- locked memory ---- */

/* The number behind "Max locked memory"; UINT64_MAX: unlimited. */
static int memlock_limit(uint64_t *limit)
{
	char *limits = system_text("/proc/self/limits"), *at, *end;
	int result = -1;

	at = limits ? strstr(limits, "Max locked memory") : NULL;
	if (at) {
		at += strlen("Max locked memory");
		at += strspn(at, " ");
		*limit = strtoull(at, &end, 10);
		if (!strncmp(at, "unlimited", 9))
			*limit = UINT64_MAX;
		result = end == at && *limit != UINT64_MAX ? -1 : 0;
	}
	free(limits);
	return result;
}

static void check_memlock(void)
{
	uint64_t limit;

	if (memlock_limit(&limit)) {
		not_known("memlock", "/proc/self/limits");
		return;
	}
	if (limit == UINT64_MAX) {
		found(VERDICT_OK, "memlock", NULL, "any amount of memory may be locked");
		return;
	}
	if (has_capability(CAP_IPC_LOCK_BIT)) {
		found(VERDICT_OK, "memlock", NULL, "the limit of %s does not hold for you",
		      human(limit));
	} else if (limit < LITTLE_MEMLOCK) {
		found(VERDICT_WARN, "memlock", NULL, "only %s of memory may be locked",
		      human(limit));
		hint("raise it in /etc/security/limits.conf: @dma - memlock 1048576");
	} else {
		found(VERDICT_OK, "memlock", NULL, "%s of memory may be locked", human(limit));
	}
	fact_number("bytes", limit);
}

/* ---- the rest ---- */

/* Before Linux 6.6 there is no such switch. */
static uint64_t uring_switch(void)
{
	uint64_t number = 0;

	if (!system_number(&number, "/proc/sys/kernel/io_uring_disabled"))
		return number;
	if (system_is_here() && syscall(__NR_io_uring_setup, 0, NULL) < 0 &&
	    (errno == ENOSYS || errno == EPERM))
		return 2;
	return 0;
}

static void check_uring(void)
{
	const uint64_t number = uring_switch();

	if (!number || (number == 1 && is_root())) {
		found(VERDICT_OK, "io_uring", NULL, "it may be used");
		return;
	}
	found(VERDICT_NOTE, "io_uring", NULL, "it is switched off%s",
	      number == 1 ? " for those outside of its group" : "");
	hint("jobs go by ioctl then; sysctl kernel.io_uring_disabled=0 allows it");
}

static const struct { const char *type, *place, *what; } filesystems[] = {
	{ "debugfs", "/sys/kernel/debug", "counters and holders are there" },
	{ "tracefs", "/sys/kernel/tracing", "'dmafd trace' needs it" },
	{ "configfs", "/sys/kernel/config", "ports and simulated controllers are made there" },
};

static void check_filesystems(void)
{
	char *mounts = system_text("/proc/mounts"), wanted[32];
	size_t i, missing = 0;

	for (i = 0; mounts && i < ARRAY_SIZE(filesystems); i++) {
		snprintf(wanted, sizeof(wanted), " %s ", filesystems[i].type);
		if (strstr(mounts, wanted))
			continue;
		missing++;
		found(VERDICT_NOTE, "filesystem", filesystems[i].type, "not mounted: %s",
		      filesystems[i].what);
		hint("mount -t %s none %s", filesystems[i].type, filesystems[i].place);
	}
	if (mounts && !missing) {
		found(VERDICT_OK, "filesystems", NULL, "debugfs, tracefs and configfs are mounted");
		is_detail();
	}
	free(mounts);
}

void check_setup(void)
{
	check_module();
	check_lockdown();
	check_device();
	check_group();
	check_memlock();
	check_uring();
	check_filesystems();
}
