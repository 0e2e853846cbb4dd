// SPDX-License-Identifier: GPL-2.0-only
/* dmafd play: a file to a port's device, without a gap. */
#include "file.h"
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct play {
	struct stream stream;
	const char *name;
	int source;
	uint64_t filled;	/* bytes of the ring that were filled, ever */
	uint64_t wanted;	/* bytes that are to be played, when that is known */
	struct progress progress;
};

static int open_source(struct play *play, const char *name)
{
	play->name = strcmp(name, "-") ? name : "standard input";
	play->source = strcmp(name, "-") ? open(name, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	return play->source < 0 ? failed("%s", name) : STATUS_FINE;
}

/* Where the source ends, silence follows. */
static int fill_period(struct play *play)
{
	const uint64_t period = stream_config.period, size = play->stream.size;
	unsigned char *place = play->stream.memory + play->filled % size;
	uint64_t limit = stream_config.bytes;
	uint64_t length = period;
	ssize_t got = 0;

	if (limit && play->filled + length > limit)
		length = limit > play->filled ? limit - play->filled : 0;
	if (play->wanted == UINT64_MAX)
		got = read_all(play->source, place, length);
	if (got < 0)
		return stop_requested() ? STATUS_FINE : failed("%s", play->name);
	memset(place + got, 0, period - got);
	if (play->wanted == UINT64_MAX && (uint64_t)got < period)
		play->wanted = play->filled + got;
	play->filled += period;
	return STATUS_FINE;
}

/* All of the ring but the period that the device is at. */
static int refill(struct play *play)
{
	const uint64_t room = play->stream.size - stream_config.period;
	int status = STATUS_FINE;

	/* What was sent again in the meantime is as old as it gets. */
	if (play->filled < play->stream.bytes)
		play->filled = play->stream.bytes;
	while (!status && play->filled < play->stream.bytes + room && !stop_requested())
		status = fill_period(play);
	return status;
}

static bool is_done(const struct play *play)
{
	return play->wanted != UINT64_MAX && play->stream.bytes >= play->wanted;
}

static int play_all(struct play *play)
{
	int status = refill(play);

	if (!status && !play->wanted)
		return STATUS_FINE;
	if (!status)
		status = stream_start(&play->stream);
	if (status)
		return status;
	progress_begin(&play->progress, stream_config.bytes);
	while (!status && !is_done(play) && !stream_is_over(&play->stream)) {
		status = stream_wait(&play->stream);
		if (!status)
			status = refill(play);
		progress_show(&play->progress, play->stream.bytes);
	}
	stream_stop(&play->stream);
	progress_end(&play->progress);
	return status;
}

static int report(const struct play *play)
{
	const struct stream *stream = &play->stream;
	uint64_t played = stream->bytes < play->wanted ? stream->bytes : play->wanted;

	if (settings.json) {
		json_begin(NULL, '{');
		json_text("port", stream->attr.name);
		json_text("source", play->name);
		json_unsigned("bytes", played);
		json_unsigned("overruns", stream->overruns);
		json_end();
	} else if (!settings.quiet) {
		fprintf(stderr, "%s to %s\n", human(played), stream->attr.name);
	}
	if (!stream->overruns)
		return STATUS_FINE;
	complain("%u periods were sent again, as the next ones did not come in time",
		 stream->overruns);
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
		status = play_all(&play);
	if (!status)
		status = report(&play);
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
		"not there is told, and the exit status is 5 then. '-' is standard input.",
	.with = WITH_JSON | WITH_QUIET,
	.min_args = 2,
	.max_args = 2,
	.options = stream_options,
	.set = stream_set,
	.run = run,
};
