// SPDX-License-Identifier: GPL-2.0-only
/* dmafd play: a file to a port's device, without a gap. */
#include "file.h"
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

struct play {
	struct stream stream;
	const char *name;
	int source;
	uint64_t filled;	/* where the ring is filled up to, in bytes since the beginning */
	uint64_t skipped;	/* of these, what was not filled in time */
	uint64_t wanted;	/* where the source ends there, when that is known */
	uint64_t late;		/* periods */
	struct progress progress;
};

static int open_source(struct play *play, const char *name)
{
	play->name = strcmp(name, "-") ? name : "standard input";
	play->source = strcmp(name, "-") ? open(name, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	return play->source < 0 ? failed("%s", name) : STATUS_FINE;
}

/* ---- the ring ---- */

static bool has_ended(const struct play *play)
{
	return play->wanted != UINT64_MAX;
}

/* How far it may be filled: up to the period that the device is at, a round later. */
static uint64_t fill_limit(const struct play *play)
{
	return play->stream.bytes - play->stream.bytes % stream_config.period + play->stream.size;
}

static bool is_readable(const struct play *play, int timeout_ms)
{
	struct pollfd fd = { .fd = play->source, .events = POLLIN };

	return poll(&fd, 1, timeout_ms) > 0;
}

/* Reads what is there at once, into one piece of the ring. */
static int read_some(struct play *play, size_t room)
{
	const uint64_t limit = stream_config.bytes, taken = play->filled - play->skipped;
	ssize_t n;

	if (limit && room > limit - taken)
		room = limit - taken;
	n = room ? read(play->source, play->stream.memory + play->filled % play->stream.size, room)
		 : 0;
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? STATUS_FINE : failed("%s", play->name);
	if (!n)
		play->wanted = play->filled;
	play->filled += n;
	return STATUS_FINE;
}

/*
 * Fills what is free, as far as the source has it; behind its end, with zeros. Waits for the source
 * as long as @timeout_ms whenever it has nothing, but not for a source that is slower than the
 * device.
 */
static int fill(struct play *play, int timeout_ms)
{
	const uint64_t end = fill_limit(play), size = play->stream.size;
	int status = STATUS_FINE;
	uint64_t room;

	while (!status && play->filled < end && !stop_requested()) {
		room = size - play->filled % size;
		room = room < end - play->filled ? room : end - play->filled;
		if (has_ended(play)) {
			memset(play->stream.memory + play->filled % size, 0, room);
			play->filled += room;
		} else if (is_readable(play, timeout_ms)) {
			status = read_some(play, room);
		} else if (!timeout_ms) {
			break;
		}
	}
	return status;
}

/*
 * The device is at a period that was not filled, or not all of it: it sends what stood there. What
 * the source has goes to the one behind.
 */
static void skip_late(struct play *play)
{
	const uint64_t period = stream_config.period;
	uint64_t due = (play->stream.position / period + 1) * period;

	if (has_ended(play) || play->filled >= due)
		return;
	play->late += (due - play->filled + period - 1) / period;
	play->skipped += due - play->filled;
	play->filled = due;
}

/*
 * The periods that were played go back to the device by waiting for the next ones. What comes too
 * late for that, of a source that lags, is handed over here.
 */
static int refill(struct play *play)
{
	struct dmafd_buf *ring = play->stream.ring;
	int status;

	if (dmafd_buf_cpu_begin(ring, DMAFD_WRITE))
		return failed("ring");
	status = fill(play, 0);
	if (dmafd_buf_cpu_end(ring, DMAFD_WRITE) && !status)
		status = failed("ring");
	return status;
}

/* ---- playing ---- */

static bool is_done(const struct play *play)
{
	return play->stream.bytes >= play->wanted;
}

static int go_on(struct play *play)
{
	int status = stream_wait(&play->stream);

	progress_show(&play->progress, play->stream.bytes);
	if (status || play->stream.over)
		return status;
	skip_late(play);
	return refill(play);
}

static int play_all(struct play *play)
{
	int status = fill(play, LOOK_MS);

	if (status || stop_requested() || !play->wanted)
		return status;
	status = stream_start(&play->stream);
	if (status)
		return status;
	progress_begin(&play->progress, stream_config.bytes);
	while (!status && !is_done(play) && !stream_is_over(&play->stream))
		status = go_on(play);
	status = stream_stop(&play->stream, status);
	progress_end(&play->progress);
	return status;
}

/* Of the source's bytes, how many went out. */
static uint64_t played(const struct play *play)
{
	uint64_t bytes = play->stream.bytes < play->wanted ? play->stream.bytes : play->wanted;

	return bytes > play->skipped ? bytes - play->skipped : 0;
}

static uint64_t repeated(const struct play *play)
{
	return play->late > play->stream.overruns ? play->late : play->stream.overruns;
}

static void report_result(const struct play *play)
{
	if (settings.json) {
		json_begin(NULL, '{');
		json_text("port", play->stream.attr.name);
		json_text("source", play->name);
		json_unsigned("bytes", played(play));
		json_unsigned("overruns", repeated(play));
		json_end();
	} else if (!settings.quiet) {
		fprintf(stderr, "%s to %s\n", human(played(play)), play->stream.attr.name);
	}
}

static int report(const struct play *play, int status)
{
	if (!played(play)) {
		if (!status)
			complain("nothing was sent: %s", play->wanted ?
				 "it was ended before" : "there is nothing in it");
		return STATUS_FAILED;
	}
	report_result(play);
	if (status || !repeated(play))
		return status;
	complain("%llu periods were sent again, as the next ones did not come in time",
		 (unsigned long long)repeated(play));
	advise("a longer ring helps: --periods, --period; or a faster source");
	return STATUS_LOST;
}

static int run(int argc, char **argv)
{
	struct play play = { .source = -1, .wanted = UINT64_MAX };
	int status;

	(void)argc;
	catch_stop();
	status = stream_open(&play.stream, argv[1], DMAFD_ATTR_TX, DMAFD_READ);
	if (!status)
		status = open_source(&play, argv[0]);
	if (!status)
		status = report(&play, play_all(&play));
	stream_close(&play.stream);
	if (play.source > STDERR_FILENO)
		close(play.source);
	return status;
}

const struct command command_play = {
	.name = "play",
	.args = "FILE PORT",
	.summary = "Give a file to a port's device",
	.text = "The device reads from a ring of memory, round and round, until the file, a\n"
		"time or a number of bytes is over, or Ctrl-C comes. The device gets whole\n"
		"periods: zeros follow the file's end. What was sent again because the next was\n"
		"not there is told, and the exit status is 5 then. It fails if nothing was sent,\n"
		"or if the device takes nothing for 10 s. '-' is standard input.",
	.with = WITH_JSON | WITH_QUIET,
	.min_args = 2,
	.max_args = 2,
	.options = stream_options,
	.set = stream_set,
	.run = run,
};
