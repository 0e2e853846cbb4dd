/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of "dmafd trace": lines of the kernel's trace become events, events become
 * tracks, one for each channel and each kind of work, and a timeline.
 */
#ifndef TOOLS_TRACE_H
#define TOOLS_TRACE_H

#include "common.h"
#include "tracefs.h"

/* ---- events ---- */

enum event_kind {
	JOB_SUBMIT,
	JOB_ISSUE,
	JOB_KICK,
	JOB_COMPLETE,
	BUF_MAP,
	BUF_UNMAP,
	BUF_SYNC,
	SIM_START,
	SIM_BURST,
	SIM_COMPLETE,
	SIM_FAULT,
	EVENT_KINDS,
};

/* What a kind of event does not have is 0. */
struct event {
	enum event_kind kind;
	uint64_t time;			/* us */
	char name[DMAFD_NAME_MAX];	/* the channel, or for BUF_... the device */
	uint64_t number;		/* of a job or a transaction */
	unsigned int type;		/* of either */
	uint64_t bytes;
	int64_t status;			/* of what is complete; 0 is well */
	uint64_t pieces;		/* or segments */
	bool for_device;
	char text[64];			/* of a fault */
};

/* Returns 1 for an event, 0 for a line that is none, -1 for one that is not understood. */
int parse_event(char *line, struct event *event);
/* How many events were lost, if the line tells that. */
uint64_t parse_lost(const char *line);
/* What a job or a transaction does, such as "copy". */
const char *type_name(enum event_kind kind, unsigned int type);

/* ---- recording ---- */

struct recording {
	struct tracefs tracefs;
	uint64_t lost;			/* events that there was no room for */
};

/* @buffer: bytes for each CPU. Returns an exit status. */
int recording_begin(struct recording *recording, uint64_t buffer);
/* Hands over the lines that are there. Returns an exit status. */
int recording_read(struct recording *recording, void (*take)(char *line, void *data));
/* No more events come; those that are there can still be read. */
void recording_stop(struct recording *recording);
void recording_end(struct recording *recording);

/* ---- the timeline ---- */

/* For Perfetto and chrome://tracing, as they call it: trace events in JSON. */
int timeline_begin(const char *path);
/* Returns an exit status. */
int timeline_end(void);
/* A row with a name; rows of one group stand together. */
void timeline_row(unsigned int group, unsigned int row, const char *name);
void timeline_group(unsigned int group, const char *name);
/* Something that took from @start to @end; timeline_done() ends what it tells of itself. */
void timeline_slice(unsigned int group, unsigned int row, const char *name, uint64_t start,
		    uint64_t end);
void timeline_moment(unsigned int group, unsigned int row, const char *name, uint64_t time);
void timeline_number(const char *key, uint64_t value);
void timeline_signed(const char *key, int64_t value);
void timeline_text(const char *key, const char *value);
void timeline_done(void);
/* A number that changes. */
void timeline_level(unsigned int group, const char *name, uint64_t time, uint64_t value);

/* ---- tracks ---- */

/* Returns an exit status. */
int tracks_add(const struct event *event);
/* What is left unfinished goes to the timeline. */
void tracks_end(void);
size_t tracks_count(void);
void tracks_print(void);
void tracks_json(void);

#endif
