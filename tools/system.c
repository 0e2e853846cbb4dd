// SPDX-License-Identifier: GPL-2.0-only
#include "system.h"
#include "common.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Nothing that is read here is that long; a file without an end is not read for ever. */
#define MAX_TEXT (16 << 20)

static const char *root(void)
{
	const char *path = secure_getenv("DMAFD_ROOT");

	return path ? path : "";
}

bool system_is_here(void)
{
	return !*root();
}

/* What is too long for a path is none. */
static const char *make_path(char *path, const char *format, va_list args)
{
	int length = snprintf(path, PATH_MAX, "%s", root());

	if (length < PATH_MAX)
		length += vsnprintf(path + length, PATH_MAX - length, format, args);
	if (length >= PATH_MAX)
		*path = '\0';
	return path;
}

const char *system_path(const char *format, ...)
{
	static char places[4][PATH_MAX];
	static unsigned int next;
	char *path = places[next++ % ARRAY_SIZE(places)];
	va_list args;

	va_start(args, format);
	make_path(path, format, args);
	va_end(args);
	return path;
}

/* ---- reading ---- */

/* Reads until the end, or an error, which is what a file of the kernel may end with. */
static ssize_t read_all(int fd, char **text)
{
	size_t length = 0, size = 4096;
	ssize_t got = 0;
	char *larger;

	*text = NULL;
	do {
		length += got;
		if (!*text || length + 1 >= size) {
			size *= 2;
			larger = realloc(*text, size);
			if (!larger)
				return -1;
			*text = larger;
		}
		got = read(fd, *text + length, size - length - 1);
	} while (got > 0 && length < MAX_TEXT);
	(*text)[length] = '\0';
	return got < 0 && !length ? -1 : (ssize_t)length;
}

static char *text_of(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), error;
	char *text;

	if (fd < 0)
		return NULL;
	if (read_all(fd, &text) < 0) {
		error = errno;
		free(text);
		text = NULL;
		errno = error;
	}
	error = errno;
	close(fd);
	errno = error;
	return text;
}

static int line_of(const char *path, char *line, size_t size)
{
	char *text = text_of(path);

	*line = '\0';
	if (!text)
		return -1;
	snprintf(line, size, "%.*s", (int)strcspn(text, "\n"), text);
	free(text);
	return 0;
}

char *system_text(const char *format, ...)
{
	char path[PATH_MAX];
	va_list args;

	va_start(args, format);
	make_path(path, format, args);
	va_end(args);
	return text_of(path);
}

int system_line(char *line, size_t size, const char *format, ...)
{
	char path[PATH_MAX];
	va_list args;

	va_start(args, format);
	make_path(path, format, args);
	va_end(args);
	return line_of(path, line, size);
}

int system_number(uint64_t *number, const char *format, ...)
{
	char path[PATH_MAX], line[64], *end;
	va_list args;

	va_start(args, format);
	make_path(path, format, args);
	va_end(args);
	if (line_of(path, line, sizeof(line)))
		return -1;
	*number = strtoull(line, &end, 0);
	if (end != line)
		return 0;
	errno = EINVAL;
	return -1;
}

bool system_has(const char *format, ...)
{
	char path[PATH_MAX];
	va_list args;

	va_start(args, format);
	make_path(path, format, args);
	va_end(args);
	return !faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW);
}

/* ---- links ---- */

static int target_of(const char *path, char *target, size_t size)
{
	ssize_t length = readlink(path, target, size - 1);

	target[length < 0 ? 0 : length] = '\0';
	return length < 0 ? -1 : 0;
}

int system_link(char *target, size_t size, const char *format, ...)
{
	char path[PATH_MAX];
	va_list args;

	va_start(args, format);
	make_path(path, format, args);
	va_end(args);
	return target_of(path, target, size);
}

void system_link_name(char *name, size_t size, const char *format, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	va_list args;

	va_start(args, format);
	make_path(path, format, args);
	va_end(args);
	target_of(path, target, sizeof(target));
	snprintf(name, size, "%s", last_word(target));
}

/* ---- folders ---- */

static int is_visible(const struct dirent *entry)
{
	return *entry->d_name != '.';
}

int system_list(struct names *names, const char *format, ...)
{
	struct dirent **entries;
	char path[PATH_MAX];
	va_list args;
	int i, count;

	va_start(args, format);
	make_path(path, format, args);
	va_end(args);
	*names = (struct names){};
	count = scandir(path, &entries, is_visible, versionsort);
	if (count < 0)
		return -1;
	names->name = calloc(count + 1, sizeof(*names->name));
	for (i = 0; i < count; i++) {
		if (names->name)
			names->name[names->count] = strdup(entries[i]->d_name);
		if (names->name && names->name[names->count])
			names->count++;
		free(entries[i]);
	}
	free(entries);
	return 0;
}

void system_list_free(struct names *names)
{
	size_t i;

	for (i = 0; i < names->count; i++)
		free(names->name[i]);
	free(names->name);
	*names = (struct names){};
}

/* ---- words and numbers ---- */

const char *last_word(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int number_of_key(const char *text, const char *key, uint64_t *number)
{
	const size_t length = strlen(key);
	const char *line = text;
	char *end;

	for (; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, length) || !strchr(": \t", line[length]) || !line[length])
			continue;
		line += length + strspn(line + length, ": \t");
		*number = strtoull(line, &end, 10);
		return end == line ? -1 : 0;
	}
	return -1;
}
