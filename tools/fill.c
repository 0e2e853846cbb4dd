// SPDX-License-Identifier: GPL-2.0-only
/* dmafd fill: a file full of one value, set in memory by a controller. */
#include "common.h"
#include "file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK 0x100000

static struct {
	uint64_t size;
	bool has_size;
} config;

struct fill {
	struct dmafd_ctx *ctx;
	struct dmafd_chan *chan;
	struct dmafd_chan_attr attr;
	bool by_copying;	/* from "pattern", since it can't fill */
	struct memory pattern, memory;
	struct target target;
	unsigned char value;
};

static int set(int letter, const char *value)
{
	(void)letter;
	if (parse_size(value, &config.size))
		return misused("'%s' is no size", value);
	config.has_size = true;
	return 0;
}

/* One that copies will do if none fills. */
static int open_filler(struct fill *fill)
{
	struct dmafd_chan_options options = { .caps = DMAFD_CAP_FILL };
	int status = STATUS_FINE;

	fill->chan = dmafd_chan_open(fill->ctx, settings.channel, &options);
	if (fill->chan)
		return STATUS_FINE;
	fill->by_copying = true;
	fill->chan = open_channel(fill->ctx, DMAFD_CAP_COPY, &status);
	if (!status)
		status = memory_get(&fill->pattern, fill->ctx, CHUNK, DMAFD_READ);
	if (!status)
		memset(fill->pattern.ptr, fill->value, CHUNK);
	return status;
}

static int find_size(const char *path)
{
	struct stat st;

	if (config.has_size)
		return STATUS_FINE;
	if (!strcmp(path, "-") || stat(path, &st) || !S_ISREG(st.st_mode))
		return misused("%s is no file that has a size: --size is missing", path);
	config.size = st.st_size;
	return STATUS_FINE;
}

static int fill_memory(struct fill *fill, size_t length)
{
	/* Whole units, as some controllers can't set single bytes. */
	size_t at, padded = (length + 63) / 64 * 64;
	int err;

	memset(fill->memory.ptr, ~fill->value, padded);
	if (fill->by_copying)
		err = dmafd_copy(fill->chan, fill->memory.buf, 0, fill->pattern.buf, 0, padded);
	else
		err = dmafd_fill(fill->chan, fill->memory.buf, 0, padded, fill->value);
	if (err)
		return failed("filling by DMA");
	for (at = 0; at < length; at++) {
		if (fill->memory.ptr[at] == fill->value)
			continue;
		complain("DMA filled wrongly: byte %zu is %#04x", at, fill->memory.ptr[at]);
		return STATUS_DIFFERS;
	}
	return STATUS_FINE;
}

static int move(struct fill *fill)
{
	struct progress progress;
	uint64_t done, length;
	int status = STATUS_FINE;

	progress_begin(&progress, config.size);
	for (done = 0; done < config.size && !status; done += length) {
		length = config.size - done < CHUNK ? config.size - done : CHUNK;
		status = stop_requested() ? STATUS_FAILED : fill_memory(fill, length);
		if (!status && write_all(fill->target.fd, fill->memory.ptr, length))
			status = stop_requested() ? STATUS_FAILED :
				 failed("%s", fill->target.path);
		progress_show(&progress, done + length);
	}
	progress_end(&progress);
	return status ? status : target_commit(&fill->target);
}

static void report(const struct fill *fill)
{
	FILE *out = fill->target.fd == STDOUT_FILENO ? stderr : stdout;
	const struct dmafd_chan_attr *attr = &fill->attr;

	if (settings.json) {
		json_begin(NULL, '{');
		json_text("destination", fill->target.path);
		json_unsigned("size", config.size);
		json_unsigned("value", fill->value);
		json_text("channel", attr->name);
		json_text("device", attr->device);
		json_text("method", fill->by_copying ? "copy" : "fill");
		json_end();
	} else if (!settings.quiet) {
		fprintf(out, "%s of %#04x by %s (%s)%s\n", human(config.size), fill->value,
			attr->name, attr->device, fill->by_copying ? ", which copied it" : "");
	}
}

static int run(int argc, char **argv)
{
	struct fill fill = { .target.fd = -1 };
	uint64_t value;
	int status;

	(void)argc;
	if (parse_number(argv[1], 0, 255, &value))
		return misused("'%s' is no value from 0 to 255", argv[1]);
	if (settings.json && !strcmp(argv[0], "-"))
		return misused("--json and '-' both are for standard output");
	fill.value = value;
	status = find_size(argv[0]);
	if (status)
		return status;
	catch_stop();
	fill.ctx = open_device(&status);
	if (!status)
		status = open_filler(&fill);
	if (!status && dmafd_chan_info(fill.chan, &fill.attr))
		status = failed("channel");
	if (!status)
		status = memory_get(&fill.memory, fill.ctx, CHUNK, DMAFD_WRITE);
	if (!status)
		status = target_open(&fill.target, argv[0], 0666, NULL);
	if (!status)
		status = move(&fill);
	if (!status)
		report(&fill);
	dmafd_chan_close(fill.chan);
	memory_put(&fill.memory);
	memory_put(&fill.pattern);
	if (fill.ctx)
		dmafd_close(fill.ctx);
	if (fill.target.fd >= 0)
		target_close(&fill.target);
	if (status && stop_requested())
		die_of_stop();
	return status;
}

static const struct tool_option options[] = {
	{ 's', "size", "SIZE", "how much; without it, the size that FILE has" },
	{}
};

const struct command command_fill = {
	.name = "fill",
	.args = "FILE VALUE",
	.summary = "Fill a file with a value by DMA",
	.text = "VALUE is a byte, such as 0 or 0xff. A controller that can't fill copies it.\n"
		"The file takes its name when all is there. '-' is standard output.",
	.with = WITH_CHANNEL | WITH_JSON | WITH_QUIET,
	.min_args = 2,
	.max_args = 2,
	.options = options,
	.set = set,
	.run = run,
};
