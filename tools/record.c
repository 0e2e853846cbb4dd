// SPDX-License-Identifier: GPL-2.0-only
/* dmafd record: what a port's device gives, without a gap, to a file. */
#include "file.h"
#include "stream.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct record {
	struct stream stream;
	struct target target;
	uint64_t seen;		/* of the device's bytes, how many are written or lost */
	uint64_t written, lost;
	struct progress progress;
};

/* As much of [from, from + length) as is to be written. */
static int write_bytes(struct record *record, uint64_t from, uint64_t length)
{
	const uint64_t limit = stream_config.bytes;
	const uint64_t size = record->stream.size;
	uint64_t step;

	if (limit && length > limit - record->written)
		length = limit - record->written;
	while (length) {
		step = size - from % size < length ? size - from % size : length;
		if (write_all(record->target.fd, record->stream.memory + from % size, step))
			return stop_requested() && errno == EINTR ? STATUS_FINE :
			       failed("%s", record->target.path);
		record->written += step;
		from += step;
		length -= step;
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
	uint64_t fresh = stream->bytes - record->seen;
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

static int record_all(struct record *record)
{
	int status = stream_start(&record->stream);

	if (status)
		return status;
	progress_begin(&record->progress, stream_config.bytes);
	while (!status && !is_full(record) && !stream_is_over(&record->stream)) {
		status = stream_wait(&record->stream);
		if (take_new(record) && !status)
			status = STATUS_FAILED;
	}
	stream_stop(&record->stream);
	if (!is_full(record) && take_new(record) && !status)
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
	complain("%u periods were overwritten before they were read (%s lost)", stream->overruns,
		 human(record->lost));
	advise("a longer ring helps: --periods, --period; or a faster place to write to");
	return STATUS_LOST;
}

/* What was recorded is kept, also if something went wrong then. */
static int run(int argc, char **argv)
{
	struct record record = { .target.fd = -1 };
	int status, kept;

	(void)argc;
	if (settings.json && !strcmp(argv[1], "-"))
		return misused("--json and '-' both are for standard output");
	catch_stop();
	status = stream_open(&record.stream, argv[0], DMAFD_ATTR_RX, DMAFD_WRITE);
	if (!status)
		status = target_open(&record.target, argv[1], 0666, NULL);
	if (!status) {
		status = record_all(&record);
		if (!status || record.written) {
			kept = target_commit(&record.target);
			status = status ? status : kept;
		}
		if (!status)
			status = report(&record);
	}
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
		"or a number of bytes ends it; all of these are a good end. What it overwrote\n"
		"before it was read is told, and the exit status is 5 then. '-' is standard\n"
		"output.",
	.with = WITH_JSON | WITH_QUIET,
	.min_args = 2,
	.max_args = 2,
	.options = stream_options,
	.set = stream_set,
	.run = run,
};
