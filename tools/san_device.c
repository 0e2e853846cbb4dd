// SPDX-License-Identifier: GPL-2.0-only
#include "san.h"
#include "sysfile.h"

#include <dirent.h>
#include <glob.h>
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

static bool lies_on(const char *disk, const struct san_device *device, int levels);

/* Whether one of those that a folder names is the device's. */
static bool any_lies_on(const char *folder, const char *prefix,
			const struct san_device *device, int levels)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[PATH_MAX];
	bool found = false;

	while (dir && !found && (entry = readdir(dir)))
		found = entry->d_type == DT_LNK &&
			!strncmp(entry->d_name, prefix, strlen(prefix)) &&
			join(path, sizeof(path), folder, entry->d_name) &&
			lies_on(path, device, levels - 1);
	if (dir)
		closedir(dir);
	return found;
}

/* The disk of an NVMe subsystem is below that, which names its controllers. */
static bool subsystem_lies_on(char *path, const struct san_device *device, int levels)
{
	static const char parent[] = "/nvme-subsystem/";
	char *name = strstr(path, parent);

	if (!name)
		return false;
	name += strlen(parent);
	name[strcspn(name, "/")] = '\0';
	return any_lies_on(path, "nvme", device, levels);
}

/* Whether a disk is the device's, or made of one that is. */
static bool lies_on(const char *disk, const struct san_device *device, int levels)
{
	const size_t length = strlen(device->folder);
	char path[PATH_MAX], slaves[PATH_MAX];

	if (!realpath(disk, path))
		return false;
	if (!strncmp(path, device->folder, length) && (path[length] == '/' || !path[length]))
		return true;
	if (!levels)
		return false;
	/* A partition's are its disk's. */
	if (join(slaves, sizeof(slaves), path, "slaves") &&
	    any_lies_on(slaves, "", device, levels))
		return true;
	return subsystem_lies_on(path, device, levels);
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

/* ---- a controller's channels ---- */

static bool has_client(const char *path)
{
	char text[16];

	return !read_text(path, text, sizeof(text)) && atoi(text) > 0;
}

/* The name of one that has a client: it would use it on while the controller is gone. */
static bool any_channel(const struct san_device *device, char *name, size_t size)
{
	char path[PATH_MAX], *slash;
	bool any = false;
	glob_t all;
	size_t i;

	if (!join(path, sizeof(path), device->folder, "dma/*/in_use") ||
	    glob(path, GLOB_NOSORT, NULL, &all))
		return false;
	for (i = 0; i < all.gl_pathc && !any; i++) {
		any = has_client(all.gl_pathv[i]);
		slash = strrchr(all.gl_pathv[i], '/');
		*slash = '\0';
		snprintf(name, size, "%s", strrchr(all.gl_pathv[i], '/') + 1);
	}
	globfree(&all);
	return any;
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
	if (any_channel(device, place, sizeof(place))) {
		complain("%s is in use: somebody has its channel %s", device->name, place);
		advise("unload the driver that has it, and load that again afterwards");
		return STATUS_FAILED;
	}
	return STATUS_FINE;
}
