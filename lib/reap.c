// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Jobs on their way back.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

_Static_assert(DMAFD_MORE == DMAFD_COMPLETION_MORE, "flags are the kernel's");

/* ---- what the kernel tells ---- */

size_t chan_record_size(const struct dmafd_chan *chan)
{
	return ctx_info(chan->ctx)->out_completion_size;
}

static void note_one(struct dmafd_chan *chan, const struct dmafd_completion *record)
{
	struct slot *slot = queue_find(chan->queue, record->user_data);

	if (!slot || slot->done || slot->by_ring)
		return;
	slot->result.bytes = record->bytes;
	slot->result.submit_ns = record->submit_ns;
	slot->result.complete_ns = record->complete_ns;
	slot->result.status = record->status;
	slot->result.flags = record->flags;
	slot->result.overruns = record->overruns;
	if (record->flags & DMAFD_COMPLETION_MORE) {
		slot->more = true;
		return;
	}
	slot_finish(slot);
	chan->on_fd--;
}

/* A kernel that knows less writes shorter ones. */
void chan_note(struct dmafd_chan *chan, const void *records, size_t n)
{
	size_t size = chan_record_size(chan), i;
	struct dmafd_completion record;

	for (i = 0; i < n; i++) {
		memset(&record, 0, sizeof(record));
		memcpy(&record, (const char *)records + i * size,
		       size < sizeof(record) ? size : sizeof(record));
		note_one(chan, &record);
	}
}

static ssize_t read_records(struct dmafd_chan *chan)
{
	uint64_t records[RECORDS_MAX * RECORD_SIZE_MAX / sizeof(uint64_t)];
	size_t size = chan_record_size(chan);
	ssize_t n = read(chan->fd, records, RECORDS_MAX * size);

	if (n > 0)
		chan_note(chan, records, n / size);
	return n;
}

static unsigned int read_ring(struct dmafd_chan *chan)
{
	uint64_t number, bytes;
	unsigned int n = 0;
	struct slot *slot;
	int32_t status;

	for (; uring_next(chan->ring, &number, &status, &bytes); n++) {
		slot = queue_find(chan->queue, number);
		if (!slot || slot->done || !slot->by_ring)
			continue;
		slot->result.status = status < 0 ? status : 0;
		slot->result.bytes = bytes;
		slot->result.complete_ns = now_ns();
		slot_finish(slot);
		chan->on_ring--;
	}
	return n;
}

/* ---- waiting ---- */

static bool is_idle(const struct dmafd_chan *chan)
{
	return !chan->on_fd && !chan->on_ring;
}

/* The controller is gone. What becomes of its jobs is about to be told. */
static void hang_up(struct dmafd_chan *chan)
{
	chan_set_gone(chan);
	if (!is_idle(chan))
		usleep(1000);
}

int chan_harvest(struct dmafd_chan *chan, int timeout_ms)
{
	struct pollfd fds[] = {
		{ .fd = chan->gone && !chan->on_fd ? -1 : chan->fd, .events = POLLIN },
		{ .fd = chan->on_ring ? uring_fd(chan->ring) : -1, .events = POLLIN },
	};

	/* The ring is memory: to look there costs no system call. */
	if (chan->on_ring && read_ring(chan))
		return 0;
	/* It is by reading that periods go back to the device, even if there are no more. */
	if (chan->cyclic && chan->on_fd && read_records(chan) > 0)
		return 0;
	if (poll(fds, ARRAY_SIZE(fds), timeout_ms) < 0)
		return -1;
	if (chan->on_ring)
		read_ring(chan);
	if (fds[0].revents & POLLIN)
		read_records(chan);
	else if (fds[0].revents)
		hang_up(chan);
	return 0;
}

int chan_drain(struct dmafd_chan *chan)
{
	while (!is_idle(chan))
		if (chan_harvest(chan, -1) && errno != EINTR)
			return -1;
	return 0;
}

/* ---- taking results ---- */

static int time_left(uint64_t end)
{
	uint64_t now = now_ns();

	return now < end ? (end - now + 999999) / 1000000 : 0;
}

/* Nothing is under way: nothing will come, unless somebody tells that it is over. */
static int nothing_to_come(struct dmafd_chan *chan, int timeout_ms)
{
	if (chan->fd >= 0 && !chan->gone && chan_harvest(chan, 0))
		return -1;
	if (chan->gone && !chan->fallback)
		return fail(ENODEV);
	return timeout_ms < 0 ? fail(EINVAL) : 0;
}

static int wait_ready(struct dmafd_chan *chan, int timeout_ms)
{
	uint64_t end = now_ns() + (timeout_ms > 0 ? timeout_ms * 1000000ull : 0);
	int left = timeout_ms;

	for (;;) {
		if (is_idle(chan))
			return nothing_to_come(chan, timeout_ms);
		if (chan_harvest(chan, left))
			return -1;
		if (queue_is_ready(chan->queue) || !left)
			return 0;
		if (timeout_ms > 0)
			left = time_left(end);
	}
}

EXPORT int dmafd_reap(struct dmafd_chan *chan, struct dmafd_result *results, size_t max,
		      int timeout_ms)
{
	int n, err;

	if (!max)
		return fail(EINVAL);
	/* A cyclic job's next record is only taken when the last one was delivered. */
	if (!queue_is_ready(chan->queue) && wait_ready(chan, timeout_ms))
		n = -1;
	else
		n = queue_take(chan->queue, results, max < INT_MAX ? max : INT_MAX);
	err = errno;
	chan_signal(chan);
	errno = err;
	return n;
}
