// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmafd sim: simulated controllers, which are folders in configfs. A key is the path
 * of a file in such a folder; a folder on the way to it is made: peripherals/adc/kind.
 */
#include "sysfile.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT "/sys/kernel/config/dmasim"

/* ---- what to say ---- */

static int no_dmasim(void)
{
	if (errno == EACCES || errno == EPERM) {
		complain("no permission on " ROOT);
		advise("only root makes controllers: sudo dmafd sim ...");
		return STATUS_NO_DEVICE;
	}
	complain("there is no " ROOT);
	advise("load the module: modprobe dmasim; and is configfs mounted?");
	advise("mount -t configfs none /sys/kernel/config");
	return STATUS_NO_DEVICE;
}

/* The kernel log tells what is possible, where it is not forbidden to look at it. */
static void advise_from_log(const char *key)
{
	static char log[65536];
	int length = klogctl(3 /* SYSLOG_ACTION_READ_ALL */, log, sizeof(log) - 1);
	char wanted[128], *at, *last = NULL;

	if (length < 0)
		return;
	log[length] = '\0';
	snprintf(wanted, sizeof(wanted), "option \"%s\": ", key);
	for (at = log; (at = strstr(at, wanted)); at++)
		last = at;
	if (!last)
		return;
	last[strcspn(last, "\n")] = '\0';
	advise("%s", last);
}

static int refused(const char *key, const char *value)
{
	const char *base = strrchr(key, '/');
	int error = errno;

	failed("%s=%s", key, value);
	if (error == ENOENT)
		advise("docs/dmasim.md and dmafd-sim(1) tell which options there are");
	else if (error == EINVAL || error == ERANGE)
		advise_from_log(base ? base + 1 : key);
	return error == EACCES || error == EPERM ? STATUS_NO_DEVICE : STATUS_FAILED;
}

/* ---- create ---- */

static bool is_name(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/') && strlen(name) < NAME_MAX;
}

/* "peripherals/adc/kind": makes peripherals/adc, if it is not there. */
static int make_folder_of(const char *file)
{
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%s", file);
	*strrchr(folder, '/') = '\0';
	return mkdir(folder, 0755) && errno != EEXIST ? -1 : 0;
}

/* @word: KEY=VALUE */
static int set_attribute(const char *folder, const char *word)
{
	char key[PATH_MAX / 2], path[PATH_MAX];
	const char *value = strchr(word, '=');

	if ((size_t)(value - word) >= sizeof(key) || strstr(word, "..")) {
		errno = EINVAL;
		return refused(word, "");
	}
	snprintf(key, sizeof(key), "%.*s", (int)(value - word), word);
	value++;
	if (!join(path, sizeof(path), folder, key)) {
		errno = ENAMETOOLONG;
		return refused(key, value);
	}
	if ((strchr(key, '/') && make_folder_of(path)) || write_text(path, value))
		return refused(key, value);
	return STATUS_FINE;
}

static void remove_peripherals(const char *folder)
{
	char group[PATH_MAX], path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	if (!join(group, sizeof(group), folder, "peripherals"))
		return;
	dir = opendir(group);
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (*entry->d_name != '.' && join(path, sizeof(path), group, entry->d_name))
			rmdir(path);
	closedir(dir);
}

static void show_made(const char *folder, const char *name)
{
	char path[PATH_MAX], dma[64] = "", device[64] = "";

	if (join(path, sizeof(path), folder, "dma"))
		read_text(path, dma, sizeof(dma));
	if (join(path, sizeof(path), folder, "device"))
		read_text(path, device, sizeof(device));
	if (settings.json) {
		json_begin(NULL, '{');
		json_text("name", name);
		json_text("dma", dma);
		json_text("device", device);
		json_end();
	} else if (!settings.quiet) {
		printf("%s: channels %schan0 ..., device %s\n", name, dma, device);
	}
}

static int check_words(int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++)
		if (!strchr(argv[i], '=') || *argv[i] == '=' || *argv[i] == '/')
			return misused("'%s' is no KEY=VALUE", argv[i]);
	return STATUS_FINE;
}

/* All or nothing. */
static int create(int argc, char **argv)
{
	char folder[PATH_MAX];
	int i, status;

	if (!is_name(argv[0]))
		return misused("'%s' is no name", argv[0]);
	status = check_words(argc - 1, argv + 1);
	if (status)
		return status;
	snprintf(folder, sizeof(folder), ROOT "/%s", argv[0]);
	if (mkdir(folder, 0755)) {
		if (errno != EEXIST)
			return no_dmasim();
		failed("%s", argv[0]);
		advise("'dmafd sim remove %s' removes the one that is there", argv[0]);
		return STATUS_FAILED;
	}
	for (i = 1; i < argc && !status; i++)
		status = set_attribute(folder, argv[i]);
	if (!status)
		status = set_attribute(folder, "live=1");
	if (status) {
		remove_peripherals(folder);
		rmdir(folder);
		return status;
	}
	show_made(folder, argv[0]);
	return STATUS_FINE;
}

/* ---- remove ---- */

static int remove_one(const char *name)
{
	char folder[PATH_MAX], live[PATH_MAX + 8];

	if (!is_name(name))
		return misused("'%s' is no name", name);
	snprintf(folder, sizeof(folder), ROOT "/%s", name);
	if (access(ROOT, F_OK))
		return no_dmasim();
	if (access(folder, F_OK)) {
		complain("there is no controller '%s'", name);
		advise("'dmafd sim list' shows those that are there");
		return STATUS_FAILED;
	}
	snprintf(live, sizeof(live), "%s/live", folder);
	if (write_text(live, "0") && errno == EBUSY) {
		failed("%s", name);
		advise("somebody holds a channel of it: 'dmafd list' shows who");
		return STATUS_FAILED;
	}
	remove_peripherals(folder);
	if (!rmdir(folder))
		return STATUS_FINE;
	return errno == EACCES || errno == EPERM ? no_dmasim() : failed("%s", name);
}

static int remove_all(int argc, char **argv)
{
	int i, status, worst = STATUS_FINE;

	for (i = 0; i < argc; i++) {
		status = remove_one(argv[i]);
		if (status > worst)
			worst = status;
	}
	return worst;
}

/* ---- list ---- */

static void show_one(const char *name)
{
	static const char *const keys[] = { "live", "dma", "device", "view", "channels", "types" };
	char path[PATH_MAX], values[ARRAY_SIZE(keys)][128] = {};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		snprintf(path, sizeof(path), ROOT "/%s/%s", name, keys[i]);
		read_text(path, values[i], sizeof(values[i]));
	}
	if (!settings.json) {
		printf("%-16s %-5s %-8s %-20s %-11s %-8s %s\n", name,
		       *values[0] == '1' ? "yes" : "no", values[1], values[2], values[3],
		       values[4], values[5]);
		return;
	}
	json_begin(NULL, '{');
	json_text("name", name);
	json_bool("live", *values[0] == '1');
	for (i = 1; i < ARRAY_SIZE(keys); i++)
		json_text(keys[i], values[i]);
	json_end();
}

static int list(void)
{
	struct dirent **entries;
	int i, count;

	count = scandir(ROOT, &entries, NULL, alphasort);
	if (count < 0)
		return no_dmasim();
	if (settings.json)
		json_begin(NULL, '[');
	else if (!settings.quiet)
		printf("%-16s %-5s %-8s %-20s %-11s %-8s %s\n", "NAME", "LIVE", "DMA", "DEVICE",
		       "VIEW", "CHANNELS", "TYPES");
	for (i = 0; i < count; i++) {
		if (*entries[i]->d_name != '.')
			show_one(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	if (settings.json)
		json_end();
	return STATUS_FINE;
}

static int run(int argc, char **argv)
{
	if (!strcmp(argv[0], "list"))
		return argc > 1 ? misused("'%s' is too much", argv[1]) : list();
	if (strcmp(argv[0], "create") && strcmp(argv[0], "remove"))
		return misused("'%s' is neither create, list nor remove", argv[0]);
	if (argc < 2)
		return misused("NAME is missing");
	return *argv[0] == 'c' ? create(argc - 1, argv + 1) : remove_all(argc - 1, argv + 1);
}

const struct command command_sim = {
	.name = "sim",
	.args = "create NAME [KEY=VALUE]... | list | remove NAME...",
	.summary = "Make, list and remove simulated controllers",
	.text = "Keys are dmasim's options, such as view=iommu, channels=4 or bandwidth=100M,\n"
		"and those of its peripherals, such as peripherals/adc/kind=source. What is not\n"
		"set keeps its default. If anything is refused, no controller is left.",
	.with = WITH_JSON | WITH_QUIET,
	.min_args = 1,
	.max_args = INT_MAX,
	.run = run,
};
