// SPDX-License-Identifier: GPL-2.0-only
/*
 * Controllers, by configfs and debugfs.
 */
#include "sim.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

unsigned int sim_ms(unsigned int ms)
{
	const char *slow = getenv("HARNESS_SLOW");

	return ms * (slow && atoi(slow) > 0 ? atoi(slow) : 1);
}

uint64_t sim_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

void sim_sleep_ms(unsigned int ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

/* ---- files ---- */

int sim_put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC), err = 0;
	size_t len = strlen(text);

	if (fd < 0)
		return -1;
	/* An empty text is written as a line: write() of nothing does nothing. */
	if (write(fd, len ? text : "\n", len ? len : 1) < 0)
		err = errno;
	close(fd);
	errno = err;
	return err ? -1 : 0;
}

char *sim_read(const char *path)
{
	size_t size = 1 << 20, len = 0;
	char *text = malloc(size);
	ssize_t n = -1;
	int fd = open(path, O_RDONLY), err;

	if (fd >= 0 && text)
		while ((n = read(fd, text + len, size - 1 - len)) > 0)
			len += n;
	err = errno;
	if (fd >= 0)
		close(fd);
	if (n < 0) {
		free(text);
		errno = err;
		return NULL;
	}
	text[len] = '\0';
	if (len && text[len - 1] == '\n')
		text[len - 1] = '\0';
	return text;
}

long long sim_number(const char *text, const char *key)
{
	const char *place = strstr(text, key);

	return place ? strtoll(place + strlen(key), NULL, 0) : -1;
}

/* ---- modules ---- */

bool sim_has_module(const char *name)
{
	char *modules = sim_read("/proc/modules"), line[64];
	bool has;

	ASSERT_TRUE(modules);
	snprintf(line, sizeof(line), "%s ", name);
	has = !strncmp(modules, line, strlen(line));
	snprintf(line, sizeof(line), "\n%s ", name);
	has |= !!strstr(modules, line);
	free(modules);
	return has;
}

static int run(const char *format, ...)
{
	char command[256];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return system(command) ? -1 : 0;
}

int sim_modprobe(const char *arguments)
{
	return run("modprobe %s 2>/dev/null", arguments);
}

int sim_rmmod(const char *name)
{
	return run("rmmod %s 2>/dev/null", name);
}

/* ---- controllers ---- */

static void option_path(char *path, size_t size, const char *sim, const char *option)
{
	snprintf(path, size, SIM_ROOT "/%s/%s", sim, option);
}

int sim_set(const char *sim, const char *option, const char *value)
{
	char path[256];

	option_path(path, sizeof(path), sim, option);
	return sim_put(path, value);
}

const char *sim_get(const char *sim, const char *option)
{
	static char value[8192];
	char path[256], *text;

	option_path(path, sizeof(path), sim, option);
	text = sim_read(path);
	if (!text)
		printf("%s: %s\n", path, strerror(errno));
	ASSERT_TRUE(text);
	snprintf(value, sizeof(value), "%s", text);
	free(text);
	return value;
}

int sim_make(const char *sim)
{
	char path[256];

	snprintf(path, sizeof(path), SIM_ROOT "/%s", sim);
	return mkdir(path, 0755);
}

int sim_drop(const char *sim)
{
	char path[256], item[600];
	struct dirent *entry;
	DIR *folder;

	option_path(path, sizeof(path), sim, "peripherals");
	folder = opendir(path);
	while (folder && (entry = readdir(folder))) {
		snprintf(item, sizeof(item), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.')
			rmdir(item);
	}
	if (folder)
		closedir(folder);
	snprintf(path, sizeof(path), SIM_ROOT "/%s", sim);
	return rmdir(path);
}

/* Sets "OPTION=VALUE ..." in a folder of the controller. */
static void set_all(const char *sim, const char *folder, const char *options)
{
	char *copy = strdup(options), *rest = copy, *word, *value, option[128];

	while ((word = strsep(&rest, " "))) {
		if (!*word)
			continue;
		value = strchr(word, '=');
		ASSERT_TRUE(value);
		*value++ = '\0';
		snprintf(option, sizeof(option), "%s%s", folder, word);
		if (sim_set(sim, option, value)) {
			printf("%s=%s: %s\n", option, value, strerror(errno));
			ASSERT_FALSE("the option was refused");
		}
	}
	free(copy);
}

void sim_peripheral(const char *sim, const char *name, const char *options)
{
	char path[256];

	snprintf(path, sizeof(path), SIM_ROOT "/%s/peripherals/%s", sim, name);
	ASSERT_OK(mkdir(path, 0755));
	snprintf(path, sizeof(path), "peripherals/%s/", name);
	set_all(sim, path, options);
}

void sim_start(const char *sim, const char *options)
{
	set_all(sim, "", options);
	ASSERT_OK(sim_set(sim, "live", "1"));
}

const char *sim_channel(const char *sim, unsigned int number)
{
	static char name[64];

	snprintf(name, sizeof(name), "%schan%u", sim_get(sim, "dma"), number);
	return name;
}

char *sim_debug(const char *sim, const char *file)
{
	char path[256], *text;

	snprintf(path, sizeof(path), SIM_DEBUG "/%s/%s", sim_get(sim, "device"), file);
	text = sim_read(path);
	ASSERT_TRUE(text);
	return text;
}

long long sim_debug_number(const char *sim, const char *file, const char *key)
{
	char *text = sim_debug(sim, file);
	long long number = sim_number(text, key);

	free(text);
	return number;
}

unsigned int sim_count_channels(void)
{
	DIR *folder = opendir("/sys/class/dma");
	unsigned int count = 0;
	struct dirent *entry;

	ASSERT_TRUE(folder);
	while ((entry = readdir(folder)))
		count += entry->d_name[0] != '.';
	closedir(folder);
	return count;
}

void sim_setup(void)
{
	if (!sim_has_module("dmasim"))
		ASSERT_OK(sim_modprobe("dmasim controller=0"));
	if (!sim_has_module("simtest"))
		ASSERT_OK(run("insmod tests/kmod/simtest.ko"));
	/* What a test left that crashed. */
	sim_drop(SIM);
	ASSERT_OK(sim_make(SIM));
	st_open();
}

void sim_teardown(void)
{
	st_close();
	EXPECT_OK(sim_drop(SIM));
}
