// SPDX-License-Identifier: GPL-2.0-only
/* Reads lines of the kernel's trace: "COMM-PID [CPU] FLAGS SECONDS.MICROS: EVENT: TEXT". */
#include "trace.h"

#include <stdlib.h>
#include <string.h>

/* The command stands right-aligned in so many characters, and can be anything. */
#define COMM_WIDTH 16

/* The word that ends a channel's or device's name, which can have blanks. */
static const struct { const char *name, *behind; } kinds[EVENT_KINDS] = {
	[JOB_SUBMIT] = { "dmafd_submit", " sequence=" },
	[JOB_ISSUE] = { "dmafd_issue", " sequence=" },
	[JOB_KICK] = { "dmafd_kick", " pieces=" },
	[JOB_COMPLETE] = { "dmafd_complete", " sequence=" },
	[BUF_MAP] = { "dmafd_map", " bytes=" },
	[BUF_UNMAP] = { "dmafd_unmap", " bytes=" },
	[BUF_SYNC] = { "dmafd_sync", " bytes=" },
	[SIM_START] = { "dmasim_start", " cookie=" },
	[SIM_BURST] = { "dmasim_burst", " cookie=" },
	[SIM_COMPLETE] = { "dmasim_complete", " cookie=" },
	[SIM_FAULT] = { "dmasim_fault", " " },
};

static const char *const job_types[] = {
	"nop", "copy", "fill", "copy_sg", "copy_2d", "xor", "to_device", "from_device", "cyclic",
};

static const char *const sim_types[] = {
	"memcpy", "memset", "memset_sg", "xor", "slave", "cyclic", "interleave", "interrupt",
	"repeat",
};

const char *type_name(enum event_kind kind, unsigned int type)
{
	if (kind >= SIM_START)
		return type < ARRAY_SIZE(sim_types) ? sim_types[type] : "transaction";
	return type < ARRAY_SIZE(job_types) ? job_types[type] : "job";
}

/* "12.345678: " behind the flags. Returns what follows, or NULL. */
static char *parse_time(char *line, uint64_t *time)
{
	char *at = strchr(line, '[');
	unsigned long long seconds, micros;
	int length = 0;

	at = at ? strchr(at, ']') : NULL;
	if (!at || sscanf(at, "] %*s %llu.%6llu: %n", &seconds, &micros, &length) != 2 || !length)
		return NULL;
	*time = seconds * 1000000 + micros;
	return at + length;
}

static enum event_kind kind_of(const char *name, size_t length)
{
	int kind;

	for (kind = 0; kind < EVENT_KINDS; kind++)
		if (strlen(kinds[kind].name) == length && !strncmp(kinds[kind].name, name, length))
			break;
	return kind;
}

/* The number behind " KEY=", or 0. */
static uint64_t number_at(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static int64_t signed_at(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? strtoll(at + strlen(key), NULL, 10) : 0;
}

static void parse_values(const char *values, struct event *event)
{
	const bool is_sim = event->kind >= SIM_START;

	event->number = number_at(values, is_sim ? " cookie=" : " sequence=");
	event->type = number_at(values, is_sim ? " type=" : " opcode=");
	event->bytes = number_at(values, " bytes=");
	event->status = signed_at(values, is_sim ? " result=" : " status=");
	event->pieces = number_at(values, event->kind == JOB_KICK ? " pieces=" : " segments=");
	event->for_device = strstr(values, " for=device");
	if (event->kind == SIM_FAULT)
		snprintf(event->text, sizeof(event->text), "%s", values + 1);
}

int parse_event(char *line, struct event *event)
{
	char *at, *colon, *behind;

	if (strlen(line) <= COMM_WIDTH || *line == '#' || !strncmp(line, "CPU:", 4))
		return 0;
	*event = (struct event){};
	at = parse_time(line + COMM_WIDTH, &event->time);
	colon = at ? strstr(at, ": ") : NULL;
	if (!colon)
		return -1;
	event->kind = kind_of(at, colon - at);
	if (event->kind == EVENT_KINDS)
		return 0;
	at = colon + 2;
	behind = strstr(at, kinds[event->kind].behind);
	if (!behind || behind == at)
		return -1;
	snprintf(event->name, sizeof(event->name), "%.*s", (int)(behind - at), at);
	parse_values(behind, event);
	return 1;
}

uint64_t parse_lost(const char *line)
{
	const char *at = strncmp(line, "CPU:", 4) ? NULL : strstr(line, "[LOST ");

	return at ? strtoull(at + strlen("[LOST "), NULL, 10) : 0;
}
