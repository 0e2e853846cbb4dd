// SPDX-License-Identifier: GPL-2.0-only
#include "san.h"
#include "sysfile.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MAX_LEVELS	8	/* of disks that are made of disks */

static int no_bus(const char *name)
{
	static const char *const buses[] = { "pci", "platform", "amba" };
	char path[PATH_MAX];
	size_t i;

	misused("'%s' is no BUS:DEVICE, such as pci:0000:00:02.0", name);
	for (i = 0; i < ARRAY_SIZE(buses) && !strchr(name, '/'); i++) {
		snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s", buses[i], name);
		if (*name && !access(path, F_OK))
			advise("there is %s:%s", buses[i], name);
	}
	return STATUS_USAGE;
}

/* The last part of what a link leads to, or "". */
static void read_link(const char *path, char *name, size_t size)
{
	char link[PATH_MAX];
	ssize_t length = readlink(path, link, sizeof(link) - 1);
	const char *slash;

	link[length < 0 ? 0 : length] = '\0';
	slash = strrchr(link, '/');
	snprintf(name, size, "%.*s", (int)size - 1, slash ? slash + 1 : link);
}

int san_look_up(struct san_device *device, const char *name)
{
	const char *rest = san_without_bus(name);
	char path[PATH_MAX];

	*device = (struct san_device){ .name = name };
	if (rest == name || !*rest || strlen(name) > NAME_MAX)
		return no_bus(name);
	snprintf(path, sizeof(path), "/sys/bus/%.*s/devices/%s", (int)(rest - name - 1), name,
		 rest);
	if (!realpath(path, device->folder)) {
		*device->folder = '\0';
		return STATUS_FINE;
	}
	if (join(path, sizeof(path), device->folder, "driver"))
		read_link(path, device->driver, sizeof(device->driver));
	return STATUS_FINE;
}

/* ---- file systems that would lose their disk ---- */

/* Whether a disk is the device's, or made of one that is. */
static bool lies_on(const char *disk, const struct san_device *device, int levels)
{
	const size_t length = strlen(device->folder);
	char path[PATH_MAX], slaves[PATH_MAX], slave[PATH_MAX];
	struct dirent *entry;
	bool found;
	DIR *dir;

	if (!realpath(disk, path))
		return false;
	if (!strncmp(path, device->folder, length) && path[length] == '/')
		return true;
	if (!levels || !join(slaves, sizeof(slaves), path, "slaves"))
		return false;
	dir = opendir(slaves);
	found = false;
	while (dir && !found && (entry = readdir(dir)))
		found = *entry->d_name != '.' &&
			join(slave, sizeof(slave), slaves, entry->d_name) &&
			lies_on(slave, device, levels - 1);
	if (dir)
		closedir(dir);
	return found;
}

static bool disk_lies_on(dev_t disk, const struct san_device *device)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(disk), minor(disk));
	return lies_on(path, device, MAX_LEVELS);
}

/* The disk that a file lies on, or that it is. */
static dev_t disk_of(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return 0;
	return S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev;
}

/* ID PARENT MAJOR:MINOR ROOT PLACE ... - TYPE SOURCE ...: some types hide their disk. */
static bool is_mount_of(char *line, const struct san_device *device, char *place, size_t size)
{
	unsigned int major_number, minor_number;
	char source[PATH_MAX], *behind, *format = "%*s %*s %u:%u %*s %s";
	char where[PATH_MAX];

	if (strlen(line) >= PATH_MAX ||
	    sscanf(line, format, &major_number, &minor_number, where) != 3)
		return false;
	snprintf(place, size, "%s", where);
	if (major_number)
		return disk_lies_on(makedev(major_number, minor_number), device);
	behind = strstr(line, " - ");
	return behind && sscanf(behind, " - %*s %s", source) == 1 && *source == '/' &&
	       disk_lies_on(disk_of(source), device);
}

static bool is_swap_of(char *line, const struct san_device *device, char *place, size_t size)
{
	line[strcspn(line, " \t\n")] = '\0';
	snprintf(place, size, "%s", line);
	return *line == '/' && disk_lies_on(disk_of(line), device);
}

static bool any_line(const char *path, const struct san_device *device, char *place, size_t size,
		     bool (*is_one)(char *line, const struct san_device *device, char *place,
				    size_t size))
{
	FILE *file = fopen(path, "re");
	bool found = false;
	char *line = NULL;
	size_t room = 0;

	while (file && !found && getline(&line, &room, file) > 0)
		found = is_one(line, device, place, size);
	free(line);
	if (file)
		fclose(file);
	return found;
}

int san_check_use(const struct san_device *device)
{
	char place[256];

	if (any_line("/proc/self/mountinfo", device, place, sizeof(place), is_mount_of)) {
		complain("%s is in use: %s is mounted from it", device->name, place);
		advise("umount that; or for the disk of the system: modprobe dmasan attach=%s",
		       device->name);
		advise("before the driver is loaded");
		return STATUS_FAILED;
	}
	if (any_line("/proc/swaps", device, place, sizeof(place), is_swap_of)) {
		complain("%s is in use: memory is swapped to %s", device->name, place);
		advise("swapoff %s", place);
		return STATUS_FAILED;
	}
	return STATUS_FINE;
}
