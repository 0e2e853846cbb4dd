// SPDX-License-Identifier: GPL-2.0-only
/* dmafd record: what a port's device gives, without a gap, to a file. */
#include "file.h"
#include "stream.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

struct record {
	struct stream stream;
	struct target target;
	uint64_t seen;		/* of the device's bytes, how many are written or lost */
	uint64_t written, lost;
	struct progress progress;
};

/*
 * Writes a part. A pipe is waited for as long as the recording goes on, and a moment longer; what
 * fits into it at once does not block.
 */
static ssize_t write_some(struct record *record, const void *ptr, size_t length)
{
	struct pollfd fd = { .fd = record->target.fd, .events = POLLOUT };
	int n;

	if (!record->target.stream)
		return write(fd.fd, ptr, length);
	do {
		n = poll(&fd, 1, LOOK_MS);
		if (n < 0 && errno != EINTR)
			return -1;
		if (n <= 0 && stream_is_over(&record->stream)) {
			errno = EINTR;
			return -1;
		}
	} while (n <= 0);
	return write(fd.fd, ptr, length < PIPE_BUF ? length : PIPE_BUF);
}

/* As much of [from, from + length) as is to be written. */
static int write_bytes(struct record *record, uint64_t from, uint64_t length)
{
	const uint64_t limit = stream_config.bytes;
	const uint64_t size = record->stream.size;
	uint64_t step;
	ssize_t n;

	if (limit && length > limit - record->written)
		length = limit - record->written;
	while (length) {
		step = size - from % size < length ? size - from % size : length;
		n = write_some(record, record->stream.memory + from % size, step);
		if (n < 0 && errno != EINTR)
			return failed("%s", record->target.path);
		if (n < 0 && stream_is_over(&record->stream)) {
			record->lost += length;
			return STATUS_FINE;
		}
		if (n < 0)
			continue;
		record->written += n;
		from += n;
		length -= n;
	}
	return STATUS_FINE;
}

/*
 * What came since the last look is in the ring, unless it went round too far: the period that the
 * device writes now is no good either.
 */
static int take_new(struct record *record)
{
	const struct stream *stream = &record->stream;
	const uint64_t kept = stream->size - stream_config.period;
	uint64_t fresh = stream->bytes > record->seen ? stream->bytes - record->seen : 0;
	int status;

	if (fresh > kept) {
		record->lost += fresh - kept;
		record->seen += fresh - kept;
		fresh = kept;
	}
	status = write_bytes(record, record->seen, fresh);
	record->seen += fresh;
	progress_show(&record->progress, record->written);
	return status;
}

static bool is_full(const struct record *record)
{
	return stream_config.bytes && record->written >= stream_config.bytes;
}

/* What is in the ring when it ends belongs to it, whatever ended it. */
static int record_all(struct record *record)
{
	int status = stream_start(&record->stream);

	if (status)
		return status;
	progress_begin(&record->progress, stream_config.bytes);
	while (!status && !is_full(record) && !stream_is_over(&record->stream)) {
		status = stream_wait(&record->stream);
		if (take_new(record))
			status = STATUS_FAILED;
	}
	status = stream_stop(&record->stream, status);
	if (!is_full(record) && take_new(record))
		status = STATUS_FAILED;
	progress_end(&record->progress);
	return status;
}

static void report_json(const struct record *record)
{
	json_begin(NULL, '{');
	json_text("port", record->stream.attr.name);
	json_text("destination", record->target.path);
	json_unsigned("bytes", record->written);
	json_unsigned("lost", record->lost);
	json_unsigned("overruns", record->stream.overruns);
	json_end();
}

static int report(const struct record *record)
{
	const struct stream *stream = &record->stream;

	if (settings.json)
		report_json(record);
	else if (!settings.quiet)
		fprintf(stderr, "%s from %s\n", human(record->written), stream->attr.name);
	if (!stream->overruns && !record->lost)
		return STATUS_FINE;
	if (stream->overruns) {
		complain("%u periods of %s were overwritten before they were read",
			 stream->overruns, short_size(stream_config.period));
		advise("a longer ring helps: --periods, --period; or a faster place to write to");
	} else {
		complain("%s did not take the last %s", record->target.path, human(record->lost));
	}
	return STATUS_LOST;
}

/* What was recorded is kept, also if something went wrong then. */
static int keep(struct record *record, int status)
{
	int kept, told;

	if (!record->written && !status) {
		complain("nothing came from %s", record->stream.attr.name);
		return STATUS_FAILED;
	}
	if (!record->written)
		return status;
	kept = target_commit(&record->target);
	status = status ? status : kept;
	told = report(record);
	return status ? status : told;
}

static int run(int argc, char **argv)
{
	struct record record = { .target.fd = -1 };
	int status;

	(void)argc;
	if (settings.json && !strcmp(argv[1], "-"))
		return misused("--json and '-' both are for standard output");
	catch_stop();
	status = stream_open(&record.stream, argv[0], DMAFD_ATTR_RX, DMAFD_WRITE);
	if (!status)
		status = target_open(&record.target, argv[1], 0666, NULL);
	if (!status)
		status = keep(&record, record_all(&record));
	stream_close(&record.stream);
	if (record.target.fd >= 0)
		target_close(&record.target);
	return status;
}

const struct command command_record = {
	.name = "record",
	.args = "PORT FILE",
	.summary = "Record what a port's device gives",
	.text = "The device writes to a ring of memory, round and round, until Ctrl-C, a time,\n"
		"or a number of bytes ends it; all of these are a good end if anything came. With\n"
		"--bytes alone a device that is silent for 10 s is given up. What it overwrote\n"
		"before it was read is told, and the exit status is 5 then. '-' is standard\n"
		"output.",
	.with = WITH_JSON | WITH_QUIET,
	.min_args = 2,
	.max_args = 2,
	.options = stream_options,
	.set = stream_set,
	.run = run,
};
