/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dmafd san: a front for the kernel module dmasan.
 *
 *	san.c		the command line
 *	san_device.c	a device, and who uses it
 *	san_attach.c	attach, detach
 *	san_status.c	status
 *	san_report.c	report, and what a report looks like
 *	san_watch.c	watch
 */
#ifndef TOOLS_SAN_H
#define TOOLS_SAN_H

#include "common.h"

#include <limits.h>

#define SAN_ROOT	"/sys/kernel/debug/dmasan"

struct san_config {
	bool rebind, all, clear;
	const char *device;		/* of which reports are wanted, without its bus, or NULL */
	uint32_t kinds;			/* a bit for each that is wanted, or 0 for all */
	uint64_t count;			/* of reports to wait for, or 0 */
	uint64_t duration_ms;		/* or 0 */
};

extern struct san_config san_config;

/* Whether the module is there and its files can be used; says what to do if not. */
int san_ready(void);

/* ---- san_device.c ---- */

struct san_device {
	const char *name;	/* BUS:DEVICE */
	char folder[PATH_MAX];	/* below /sys/devices, or "" if there is none */
	char driver[64];	/* or "" */
};

/* STATUS_USAGE if @name is none of a device. */
int san_look_up(struct san_device *device, const char *name);
/* Nobody gets it back who has lost the disk of his file system: is there one? */
int san_check_use(const struct san_device *device);

/* ---- san_attach.c ---- */

int san_attach(int argc, char **argv);
int san_detach(int argc, char **argv);

/* ---- san_status.c ---- */

#define SAN_WORDS	48	/* of a line: there are fewer counters and kinds */

/* A line of the file "devices", which begins with BUS:DEVICE. */
struct san_row {
	char *line;
	char *words[SAN_WORDS];
	int count;		/* at least 1 */
};

struct san_rows {
	struct san_row *row;
	size_t count;
};

/* What is attached. To be unloaded, whatever it returns. */
int san_load(struct san_rows *rows);
void san_unload(struct san_rows *rows);
/* Whether it is attached, or waits for that. */
bool san_is_known(const char *name);
int san_status(void);

/* ---- san_report.c ---- */

/* A line of dmasan's: words that lie in @line, "" for what is not there. */
struct san_report {
	char line[1024];
	const char *device, *kind, *direction, *was, *is, *mapped, *detected;
	uint64_t addr, size, expected, seen;
	int64_t offset;
};

/* False if @text is no report. */
bool san_parse(struct san_report *report, const char *text);
/* Whether --device and --kind ask for it. */
bool san_is_wanted(const struct san_report *report);
void san_print(const struct san_report *report);
void san_print_json(const struct san_report *report);
/* Their bits; -1 and a message if there is no such kind. */
int san_parse_kinds(const char *list, uint32_t *kinds);
/* DEVICE of BUS:DEVICE, if there is such a bus. */
const char *san_without_bus(const char *name);
int san_show_reports(void);

/* ---- san_watch.c ---- */

int san_watch(void);

#endif
