// SPDX-License-Identifier: GPL-2.0-only
/*
 * Puts events together: a track has the jobs of one channel, or the transactions that a
 * simulated controller made of them, and what became of each.
 */
#include "trace.h"

#include <stdlib.h>
#include <string.h>

/* The groups of rows in the timeline. */
enum group { GROUP_JOBS = 1, GROUP_SIMULATED, GROUP_MEMORY, GROUPS };

static const char *const group_names[GROUPS] = {
	[GROUP_JOBS] = "jobs", [GROUP_SIMULATED] = "simulated", [GROUP_MEMORY] = "memory",
};

/* A job or transaction that is not over. */
struct work {
	uint64_t number, bytes;
	unsigned int type;
	uint64_t submitted, issued;	/* us; issued: 0 before */
	uint64_t pieces;
};

struct track {
	enum group group;
	unsigned int row;
	char name[DMAFD_NAME_MAX];
	struct work *work;		/* in the order of submission */
	size_t count, room;
	uint64_t done, failed, bytes, pieces, faults;
	uint64_t unseen;		/* begun, and nobody saw the end */
	uint32_t *latency;		/* us, of each that was seen from its beginning */
	size_t latencies, latency_room;
	uint64_t first, last;		/* when there was something */
	uint64_t busy, busy_since;	/* with something in it */
	uint64_t idle_since;		/* 0: before the first */
	uint64_t gaps, gap_sum, gap_max;
};

static struct track *tracks;
static size_t tracks_used;
static bool group_named[GROUPS];

/* ---- tracks ---- */

static void *grow(void *array, size_t count, size_t *room, size_t size)
{
	void *larger;

	if (count < *room)
		return array;
	larger = realloc(array, (*room * 2 + 16) * size);
	if (larger)
		*room = *room * 2 + 16;
	return larger;
}

static struct track *new_track(enum group group, const char *name)
{
	static size_t room;
	struct track *larger = grow(tracks, tracks_used, &room, sizeof(*tracks));

	if (!larger)
		return NULL;
	tracks = larger;
	tracks[tracks_used] = (struct track){ .group = group, .row = tracks_used + 1 };
	snprintf(tracks[tracks_used].name, sizeof(tracks->name), "%s", name);
	if (!group_named[group])
		timeline_group(group, group_names[group]);
	group_named[group] = true;
	timeline_row(group, tracks_used + 1, name);
	return &tracks[tracks_used++];
}

static struct track *track_of(enum group group, const char *name)
{
	size_t i;

	for (i = 0; i < tracks_used; i++)
		if (tracks[i].group == group && !strcmp(tracks[i].name, name))
			return &tracks[i];
	return new_track(group, name);
}

/* ---- time ---- */

/* Events of several CPUs come in their order, almost. */
static uint64_t since(uint64_t start, uint64_t end)
{
	return end > start ? end - start : 0;
}

static void begins_to_work(struct track *track, uint64_t time)
{
	uint64_t gap = since(track->idle_since, time);

	track->busy_since = time;
	if (!track->first)
		track->first = time;
	if (!track->idle_since)
		return;
	track->gaps++;
	track->gap_sum += gap;
	if (gap > track->gap_max)
		track->gap_max = gap;
}

static void rests(struct track *track, uint64_t time)
{
	track->busy += since(track->busy_since, time);
	track->idle_since = time;
}

static void show_level(const struct track *track, uint64_t time)
{
	char name[DMAFD_NAME_MAX + 16];

	snprintf(name, sizeof(name), "%s queue", track->name);
	timeline_level(track->group, name, time, track->count);
}

/* ---- work ---- */

static struct work *find_work(struct track *track, uint64_t number)
{
	size_t i;

	for (i = 0; i < track->count; i++)
		if (track->work[i].number == number)
			return &track->work[i];
	return NULL;
}

/* Forgets the first @count: all end in their order, so their ends were lost. */
static void forget(struct track *track, size_t count)
{
	const struct work *work;
	size_t i;

	for (i = 0; i < count; i++) {
		work = &track->work[i];
		timeline_moment(track->group, track->row, "not complete", work->submitted);
		timeline_number("number", work->number);
		timeline_number("bytes", work->bytes);
		timeline_done();
	}
	track->unseen += count;
	track->count -= count;
	memmove(track->work, track->work + count, track->count * sizeof(*track->work));
}

static int submit(struct track *track, const struct event *event)
{
	struct work *larger, *same = find_work(track, event->number);

	if (same)
		forget(track, same - track->work + 1);
	larger = grow(track->work, track->count, &track->room, sizeof(*larger));
	if (!larger)
		return failed("jobs");
	track->work = larger;
	if (!track->count)
		begins_to_work(track, event->time);
	track->work[track->count++] = (struct work){
		.number = event->number, .bytes = event->bytes, .type = event->type,
		.submitted = event->time,
	};
	show_level(track, event->time);
	return STATUS_FINE;
}

static void issue(struct track *track, const struct event *event)
{
	struct work *work = find_work(track, event->number);

	track->pieces++;
	if (!work)
		return;
	work->pieces++;
	if (!work->issued)
		work->issued = event->time;
}

static int add_latency(struct track *track, uint64_t latency)
{
	uint32_t *larger = grow(track->latency, track->latencies, &track->latency_room,
				sizeof(*larger));

	if (!larger)
		return failed("latencies");
	track->latency = larger;
	track->latency[track->latencies++] = latency > UINT32_MAX ? UINT32_MAX : latency;
	return STATUS_FINE;
}

/* What was at work before it was over kept it waiting: slices do not overlap. */
static void show_work(const struct track *track, const struct work *work,
		      const struct event *event)
{
	uint64_t start = work->issued ? work->issued : work->submitted;
	uint64_t end = event->time;

	if (start < track->last)
		start = track->last;
	if (start > end)
		start = end;
	timeline_slice(track->group, track->row, type_name(event->kind, work->type), start, end);
	timeline_number("number", work->number);
	timeline_number("bytes", work->bytes);
	timeline_number("pieces", work->pieces);
	timeline_number("waited_us", since(work->submitted, start));
	timeline_signed("status", event->status);
	timeline_done();
}

/* One whose beginning nobody saw is counted, but not measured. */
static int complete(struct track *track, const struct event *event)
{
	struct work *work = find_work(track, event->number);
	int status = STATUS_FINE;

	track->done++;
	track->failed += event->status != 0;
	if (event->kind == JOB_COMPLETE)
		track->bytes += event->bytes;
	if (work) {
		forget(track, work - track->work);
		work = track->work;
		if (event->kind != JOB_COMPLETE && !event->status)
			track->bytes += work->bytes;
		show_work(track, work, event);
		status = add_latency(track, since(work->submitted, event->time));
		track->count--;
		memmove(work, work + 1, track->count * sizeof(*work));
		if (!track->count)
			rests(track, event->time);
		show_level(track, event->time);
	}
	track->last = event->time;
	return status;
}

static void fault(struct track *track, const struct event *event)
{
	track->faults++;
	timeline_moment(track->group, track->row, "fault", event->time);
	timeline_text("what", event->text);
	timeline_done();
}

static void remember(struct track *track, const struct event *event)
{
	static const char *const names[] = {
		[BUF_MAP] = "map", [BUF_UNMAP] = "unmap", [BUF_SYNC] = "sync",
	};

	track->done++;
	track->bytes += event->bytes;
	timeline_moment(track->group, track->row,
			event->kind != BUF_SYNC ? names[event->kind] :
			event->for_device ? "sync for device" : "sync for CPU", event->time);
	timeline_number("bytes", event->bytes);
	if (event->kind != BUF_SYNC)
		timeline_number("segments", event->pieces);
	timeline_done();
}

/* ---- events ---- */

static enum group group_of(enum event_kind kind)
{
	return kind >= SIM_START ? GROUP_SIMULATED : kind >= BUF_MAP ? GROUP_MEMORY : GROUP_JOBS;
}

int tracks_add(const struct event *event)
{
	struct track *track = track_of(group_of(event->kind), event->name);

	if (!track)
		return failed("tracks");
	switch (event->kind) {
	case JOB_SUBMIT:
	case SIM_START:
		return submit(track, event);
	case JOB_ISSUE:
	case SIM_BURST:
		issue(track, event);
		return STATUS_FINE;
	case JOB_COMPLETE:
	case SIM_COMPLETE:
		return complete(track, event);
	case SIM_FAULT:
		fault(track, event);
		return STATUS_FINE;
	case BUF_MAP:
	case BUF_UNMAP:
	case BUF_SYNC:
		remember(track, event);
		return STATUS_FINE;
	default:
		return STATUS_FINE;
	}
}

void tracks_end(void)
{
	size_t i;

	for (i = 0; i < tracks_used; i++)
		forget(&tracks[i], tracks[i].count);
}

size_t tracks_count(void)
{
	return tracks_used;
}

/* ---- the summary ---- */

static int compare(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* @percent of them took no longer. */
static uint64_t percentile(const struct track *track, unsigned int percent)
{
	size_t rank = (track->latencies * percent + 99) / 100;

	return track->latencies ? track->latency[rank ? rank - 1 : 0] : 0;
}

/* From its first work to its last. */
static uint64_t span_of(const struct track *track)
{
	return track->first ? since(track->first, track->last) : 0;
}

static unsigned int busy_percent(const struct track *track)
{
	const uint64_t span = span_of(track);

	return span ? track->busy * 100 / span : 0;
}

static void sort_latencies(struct track *track)
{
	if (track->latencies)
		qsort(track->latency, track->latencies, sizeof(*track->latency), compare);
}

static bool has_work(const struct track *track)
{
	return track->group != GROUP_MEMORY;
}

static void print_work(const struct track *track)
{
	char name[DMAFD_NAME_MAX + 16];

	snprintf(name, sizeof(name), "%s%s", track->name,
		 track->group == GROUP_SIMULATED ? " (simulated)" : "");
	printf("%-22s %8llu %6llu %6llu %10s %4u%% %8llu %8llu %8llu %8llu %6llu %9llu\n", name,
	       (unsigned long long)track->done, (unsigned long long)track->failed,
	       (unsigned long long)track->unseen,
	       human(track->bytes), busy_percent(track),
	       (unsigned long long)percentile(track, 50),
	       (unsigned long long)percentile(track, 90),
	       (unsigned long long)percentile(track, 99),
	       (unsigned long long)percentile(track, 100), (unsigned long long)track->gaps,
	       (unsigned long long)track->gap_max);
}

void tracks_print(void)
{
	size_t i;

	printf("%-22s %8s %6s %6s %10s %5s %8s %8s %8s %8s %6s %9s\n", "CHANNEL", "JOBS", "FAILED",
	       "OPEN", "MOVED", "BUSY", "P50 us", "P90 us", "P99 us", "MAX us", "GAPS",
	       "LONGEST us");
	for (i = 0; i < tracks_used; i++) {
		sort_latencies(&tracks[i]);
		if (has_work(&tracks[i]))
			print_work(&tracks[i]);
	}
	for (i = 0; i < tracks_used; i++) {
		if (!has_work(&tracks[i]))
			printf("%s: %llu mappings and syncs, of %s\n", tracks[i].name,
			       (unsigned long long)tracks[i].done, human(tracks[i].bytes));
		else if (tracks[i].faults)
			printf("%s: %llu faults\n", tracks[i].name,
			       (unsigned long long)tracks[i].faults);
	}
}

static void json_latencies(const struct track *track)
{
	json_begin("latency_us", '{');
	json_unsigned("p50", percentile(track, 50));
	json_unsigned("p90", percentile(track, 90));
	json_unsigned("p99", percentile(track, 99));
	json_unsigned("max", percentile(track, 100));
	json_end();
}

static void json_work(struct track *track)
{
	sort_latencies(track);
	json_begin(NULL, '{');
	json_text("name", track->name);
	json_text("kind", track->group == GROUP_JOBS ? "jobs" : "transactions");
	json_unsigned("complete", track->done);
	json_unsigned("failed", track->failed);
	json_unsigned("open", track->unseen);
	json_unsigned("bytes", track->bytes);
	json_unsigned("pieces", track->pieces);
	json_unsigned("faults", track->faults);
	json_unsigned("span_us", span_of(track));
	json_unsigned("busy_us", track->busy);
	json_latencies(track);
	json_begin("gaps", '{');
	json_unsigned("count", track->gaps);
	json_unsigned("total_us", track->gap_sum);
	json_unsigned("longest_us", track->gap_max);
	json_end();
	json_end();
}

void tracks_json(void)
{
	size_t i;

	json_begin("channels", '[');
	for (i = 0; i < tracks_used; i++)
		if (has_work(&tracks[i]))
			json_work(&tracks[i]);
	json_end();
	json_begin("memory", '[');
	for (i = 0; i < tracks_used; i++) {
		if (has_work(&tracks[i]))
			continue;
		json_begin(NULL, '{');
		json_text("device", tracks[i].name);
		json_unsigned("events", tracks[i].done);
		json_unsigned("bytes", tracks[i].bytes);
		json_end();
	}
	json_end();
}
