/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the subcommands of dmafd share.
 *
 * Functions that return int for an exit status say what is wrong before they return
 * one that is not 0.
 */
#ifndef TOOLS_COMMON_H
#define TOOLS_COMMON_H

#include <dmafd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

enum status {
	STATUS_FINE,
	STATUS_FAILED,
	STATUS_USAGE,
	STATUS_NO_DEVICE,	/* no device, no permission, no channel */
	STATUS_DIFFERS,		/* what was moved is not what it should be */
	STATUS_LOST,		/* a stream was not continuous */
	STATUS_FOUND,		/* the doctor warns, or a driver's bug was reported */
	STATUS_BAD,		/* the doctor found that dmafd cannot be used */
};

/* An option of a command. */
struct tool_option {
	int letter;		/* as -x, and what it is called in set() */
	const char *name;	/* as --name */
	const char *arg;	/* what its value is called, or NULL if it has none */
	const char *help;
};

/* The options that commands have in common; --help is everybody's. */
#define WITH_CHANNEL	0x01	/* -c, --channel */
#define WITH_JSON	0x02	/* -j, --json */
#define WITH_QUIET	0x04	/* -q, --quiet */
#define WITH_VERBOSE	0x08	/* -v, --verbose */

struct command {
	const char *name;
	const char *args;			/* as in "Usage: dmafd NAME [OPTION]... ARGS" */
	const char *summary;			/* one line without a full stop */
	const char *text;			/* a paragraph or more for --help */
	unsigned int with;			/* WITH_... */
	int min_args, max_args;
	const struct tool_option *options;	/* its own, ended by one without a name */
	int (*set)(int letter, const char *value);
	int (*run)(int argc, char **argv);	/* @argv: those that are no options */
};

extern const struct command command_list, command_info, command_copy, command_fill, command_test,
	command_bench, command_record, command_play, command_sim, command_san, command_doctor,
	command_trace, command_top;

/* What the common options were set to. */
struct settings {
	const char *command;
	const char *channel;
	bool json, quiet;
	int verbose;
};

extern struct settings settings;

/* ---- saying things; "dmafd COMMAND: " stands before ---- */

/* "WHAT: " and errno's text. Returns STATUS_FAILED. */
int failed(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Without errno. Returns STATUS_USAGE. */
int misused(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Without errno. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What to do next: a line that is indented, without anything before. */
void advise(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Flushes standard output; it fails if anything that was written there was lost. */
int finish_output(void);

/* ---- reading values of options ---- */

/* 4096, 4K, 2MiB, 1g. */
int parse_size(const char *text, uint64_t *size);
/* Without a unit: seconds. 500ms, 10s, 2m, 1h. */
int parse_duration(const char *text, uint64_t *ms);
int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *number);

/* Puts a size in few characters, such as "1.5 MiB", into one of a few static places. */
const char *human(uint64_t bytes);
/* The same, without a blank, and exact: "64K", "3000". */
const char *short_size(uint64_t bytes);

/* Puts '?' for all but plain ASCII: a terminal may take it for a command. */
void make_plain(char *text);

/* ---- time and signals ---- */

uint64_t clock_ns(void);
/* From here on SIGINT and SIGTERM end no call by themselves; they set this. */
void catch_stop(void);
bool stop_requested(void);
/* Ends the program by the signal that came. */
_Noreturn void die_of_stop(void);

/* ---- the device ---- */

struct dmafd_ctx *open_device(int *status);
/* A channel that can do @caps: the one that was asked for by --channel, or any. */
struct dmafd_chan *open_channel(struct dmafd_ctx *ctx, uint32_t caps, int *status);
struct dmafd_chan *open_channel_with(struct dmafd_ctx *ctx,
				     const struct dmafd_chan_options *options, int *status);
/* What to do if a channel cannot be opened, for errno. Returns an exit status. */
int channel_refused(const char *name, uint32_t caps);
/* "copy,fill". */
const char *caps_text(uint32_t caps);
/* The driver of a channel's controller, or "" if that cannot be told. */
void driver_of(const char *channel, char *driver, size_t size);

/* Memory that channels work on. */
struct memory {
	unsigned char *ptr;
	size_t size;
	struct dmafd_buf *buf;
};

/* Tells why there is none, for errno. Returns STATUS_FAILED. */
int memory_refused(size_t size);
int memory_get(struct memory *memory, struct dmafd_ctx *ctx, size_t size, unsigned int access);
void memory_put(struct memory *memory);

/* ---- data ---- */

/* Random numbers that a seed repeats. */
uint64_t random_next(uint64_t *state);
uint64_t random_below(uint64_t *state, uint64_t limit);
void fill_random(void *ptr, size_t size, uint64_t *state);
/* Where two stretches differ first, or @size. */
size_t first_difference(const void *a, const void *b, size_t size);
/* A checksum that tells damage, not attacks. */
uint64_t checksum(const void *ptr, size_t size);

/* ---- JSON on standard output ---- */

/* @key: NULL in an array and at the top. */
void json_begin(const char *key, char bracket);
void json_end(void);
void json_text(const char *key, const char *value);
void json_number(const char *key, int64_t value);
void json_unsigned(const char *key, uint64_t value);
void json_real(const char *key, double value);
void json_bool(const char *key, bool value);
void json_null(const char *key);
/*
 * What follows goes to @file, in lines of their own down to @deep levels; NULL: to standard
 * output again. To be called between values at the top.
 */
void json_to(FILE *file, int deep);

/* ---- progress on standard error, if that is a terminal ---- */

struct progress {
	uint64_t total;		/* 0: not known */
	uint64_t started, shown;
	bool on, visible;
};

void progress_begin(struct progress *progress, uint64_t total);
void progress_show(struct progress *progress, uint64_t done);
void progress_end(struct progress *progress);

/* ---- a graph ---- */

struct curve {
	const char *name;
	const double *values;
};

/*
 * Draws curves over sizes, both logarithmic, to an SVG file. Values that are not above 0 are left
 * out.
 */
int plot(const char *path, const char *title, const char *unit, const uint64_t *sizes, size_t count,
	 const struct curve *curves, size_t curves_count);

#endif
