/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a system tells of itself in files. All paths begin with "/", and are looked for
 * below the folder that the environment variable DMAFD_ROOT names, if there is one.
 */
#ifndef TOOLS_SYSTEM_H
#define TOOLS_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* It is the system that this program runs on: there is no DMAFD_ROOT. */
bool system_is_here(void);
/* Puts the real path into one of a few static places. */
const char *system_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* All of a file, to be freed; NULL with errno. */
char *system_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Its first line. Returns 0, or -1 with errno and an empty @line. */
int system_line(char *line, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The number that it begins with. Returns 0, or -1 with errno. */
int system_number(uint64_t *number, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
bool system_has(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What a link says. Returns 0, or -1 with errno and an empty @target. */
int system_link(char *target, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The last word of what a link says, or "". */
void system_link_name(char *name, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The names in a folder, numbers in them in their order. */
struct names {
	size_t count;
	char **name;
};

/* Returns 0, or -1 with errno and no names. */
int system_list(struct names *names, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void system_list_free(struct names *names);

/* The word "name" of "some/path/name". */
const char *last_word(const char *path);
/* The number behind a key that begins a line: "KEY: 12 kB", "KEY 12". Returns 0 or -1. */
int number_of_key(const char *text, const char *key, uint64_t *number);

#endif
