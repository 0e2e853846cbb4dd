// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmafd copy: a file to a file. The data goes through two stretches of memory: what was read
 * into the first, the controller copies to the second, which is written. Both are made of slots,
 * so that the controller works on some while others are read and written.
 */
#include "common.h"
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOTS		4
#define MAX_CHUNK	(256ULL << 20)
/* What chunks and jobs are multiples of: what any controller and file system wants. */
#define UNIT		4096

static struct {
	uint64_t chunk;
	bool direct, unverified, uring_off;
} config = { .chunk = 1 << 20 };

/* A piece of the file that is under way. */
struct slot {
	uint64_t at;		/* where it belongs in the file */
	size_t length;		/* without what is added to make a whole job of it */
};

/* A piece that was written, for reading it back. */
struct piece {
	uint64_t at;
	uint64_t sum;
	size_t length;
};

struct copy {
	struct dmafd_ctx *ctx;
	struct dmafd_chan *chan;
	struct dmafd_chan_attr attr;
	struct memory from, to;
	const char *source_name;
	int source;
	struct stat source_st;
	struct target target;
	struct slot slots[SLOTS];
	uint64_t submitted, written;	/* slots, ever */
	uint64_t at;			/* of the source, so far */
	uint64_t bytes;			/* written */
	bool at_end;
	struct piece *pieces;
	size_t pieces_count, pieces_room;
	struct progress progress;
	uint64_t started;
};

static int set(int letter, const char *value)
{
	switch (letter) {
	case 'b':
		if (parse_size(value, &config.chunk) || !config.chunk ||
		    config.chunk % UNIT || config.chunk > MAX_CHUNK)
			return misused("'%s' is no block size: multiples of 4K, at most 256M",
				       value);
		return 0;
	case 'd':
		config.direct = true;
		return 0;
	case 'n':
		config.unverified = true;
		return 0;
	default:
		config.uring_off = true;
		return 0;
	}
}

/* ---- opening ---- */

static int open_source(struct copy *copy, const char *name)
{
	copy->source_name = strcmp(name, "-") ? name : "standard input";
	copy->source = strcmp(name, "-") ? open(name, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	if (copy->source < 0 || fstat(copy->source, &copy->source_st))
		return failed("%s", copy->source_name);
	if (S_ISDIR(copy->source_st.st_mode)) {
		errno = EISDIR;
		return failed("%s", name);
	}
	return STATUS_FINE;
}

/* A folder stands for the file of the same name in it. */
static int open_target(struct copy *copy, const char *name)
{
	const char *base = strrchr(copy->source_name, '/');
	char path[PATH_MAX];
	struct stat st;

	if (stat(name, &st) || !S_ISDIR(st.st_mode) || copy->source == STDIN_FILENO)
		return target_open(&copy->target, name, copy->source_st.st_mode,
				   &copy->source_st);
	if (snprintf(path, sizeof(path), "%s/%s", name, base ? base + 1 : copy->source_name) >=
	    (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return failed("%s", name);
	}
	return target_open(&copy->target, path, copy->source_st.st_mode, &copy->source_st);
}

static int set_direct(int fd, const char *name)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_DIRECT))
		return failed("%s: O_DIRECT", name);
	return STATUS_FINE;
}

/* The end of a file is not as aligned as O_DIRECT wants it. */
static void end_direct(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0)
		fcntl(fd, F_SETFL, flags & ~O_DIRECT);
}

static int open_direct(struct copy *copy)
{
	int status;

	if (!config.direct)
		return STATUS_FINE;
	status = set_direct(copy->source, copy->source_name);
	return status ? status : set_direct(copy->target.fd, copy->target.path);
}

static int open_all(struct copy *copy, char **names)
{
	const struct dmafd_chan_options options = {
		.caps = DMAFD_CAP_COPY, .flags = config.uring_off ? DMAFD_NO_URING : 0,
	};
	int status = open_source(copy, names[0]);

	if (!status)
		copy->ctx = open_device(&status);
	if (!status)
		copy->chan = open_channel_with(copy->ctx, &options, &status);
	if (!status && dmafd_chan_info(copy->chan, &copy->attr))
		status = failed("channel");
	if (!status)
		status = memory_get(&copy->from, copy->ctx, SLOTS * config.chunk, DMAFD_READ);
	if (!status)
		status = memory_get(&copy->to, copy->ctx, SLOTS * config.chunk, DMAFD_WRITE);
	if (!status)
		status = open_target(copy, names[1]);
	if (!status)
		status = open_direct(copy);
	return status;
}

static void close_all(struct copy *copy)
{
	dmafd_chan_close(copy->chan);
	memory_put(&copy->from);
	memory_put(&copy->to);
	if (copy->ctx)
		dmafd_close(copy->ctx);
	if (copy->source > STDERR_FILENO)
		close(copy->source);
	if (copy->target.fd >= 0)
		target_close(&copy->target);
	free(copy->pieces);
}

/* ---- one way ---- */

/* Leaves out whole chunks that are a hole of the source; they become one of the target. */
static void skip_hole(struct copy *copy)
{
	off_t data;

	if (!S_ISREG(copy->source_st.st_mode) || copy->target.stream || !*copy->target.temp)
		return;
	data = lseek(copy->source, copy->at, SEEK_DATA);
	if (data < 0)
		data = errno == ENXIO ? lseek(copy->source, 0, SEEK_END) : (off_t)copy->at;
	copy->at += ((uint64_t)data - copy->at) / config.chunk * config.chunk;
	lseek(copy->source, copy->at, SEEK_SET);
}

static int submit(struct copy *copy, size_t offset, size_t length)
{
	/* The job is whole units, as some controllers can't copy single bytes. */
	size_t padded = (length + 63) / 64 * 64;
	struct dmafd_job job;

	memset(copy->from.ptr + offset + length, 0, padded - length);
	dmafd_job_copy(&job, copy->to.buf, offset, copy->from.buf, offset, padded);
	return dmafd_submit(copy->chan, &job, 1) == 1 ? STATUS_FINE : failed("submitting a copy");
}

static int read_slot(struct copy *copy)
{
	unsigned int number = copy->submitted % SLOTS;
	struct slot *slot = &copy->slots[number];
	size_t offset = number * config.chunk;
	ssize_t length;

	skip_hole(copy);
	if (config.direct && copy->at + config.chunk > (uint64_t)copy->source_st.st_size)
		end_direct(copy->source);
	length = read_all(copy->source, copy->from.ptr + offset, config.chunk);
	if (length < 0)
		return stop_requested() ? STATUS_FAILED : failed("%s", copy->source_name);
	copy->at_end = (size_t)length < config.chunk;
	if (!length)
		return STATUS_FINE;
	*slot = (struct slot){ .at = copy->at, .length = length };
	copy->at += length;
	copy->submitted++;
	return submit(copy, offset, length);
}

static int remember(struct copy *copy, const struct slot *slot, const void *data)
{
	struct piece *pieces;

	if (config.unverified || copy->target.stream)
		return STATUS_FINE;
	if (copy->pieces_count == copy->pieces_room) {
		copy->pieces_room = copy->pieces_room ? 2 * copy->pieces_room : 64;
		pieces = realloc(copy->pieces, copy->pieces_room * sizeof(*pieces));
		if (!pieces)
			return failed("checksums");
		copy->pieces = pieces;
	}
	copy->pieces[copy->pieces_count++] = (struct piece){
		.at = slot->at, .length = slot->length, .sum = checksum(data, slot->length),
	};
	return STATUS_FINE;
}

static int check_slot(struct copy *copy, const struct slot *slot, size_t offset)
{
	const unsigned char *from = copy->from.ptr + offset, *to = copy->to.ptr + offset;
	size_t at;

	if (config.unverified)
		return STATUS_FINE;
	at = first_difference(from, to, slot->length);
	if (at == slot->length)
		return STATUS_FINE;
	complain("DMA copied wrongly: byte %llu is %#04x, but was %#04x",
		 (unsigned long long)(slot->at + at), to[at], from[at]);
	return STATUS_DIFFERS;
}

static int write_slot(struct copy *copy, const struct slot *slot, size_t offset)
{
	const int fd = copy->target.fd;

	if (slot->length % UNIT)
		end_direct(fd);
	if (!copy->target.stream && lseek(fd, slot->at, SEEK_SET) < 0)
		return failed("%s", copy->target.path);
	if (!write_all(fd, copy->to.ptr + offset, slot->length))
		return STATUS_FINE;
	return stop_requested() ? STATUS_FAILED : failed("%s", copy->target.path);
}

static int wait_for_copy(struct copy *copy)
{
	struct dmafd_result result;
	int n = dmafd_reap(copy->chan, &result, 1, -1);

	if (n < 0 && errno == EINTR && stop_requested())
		return STATUS_FAILED;
	if (n < 0)
		return errno == EINTR ? wait_for_copy(copy) : failed("waiting for a copy");
	if (!result.status)
		return STATUS_FINE;
	errno = -result.status;
	return failed("copy of %s by DMA", human(result.bytes));
}

/* The oldest one. */
static int finish_slot(struct copy *copy)
{
	unsigned int number = copy->written % SLOTS;
	const struct slot *slot = &copy->slots[number];
	size_t offset = number * config.chunk;
	int status = wait_for_copy(copy);

	if (!status)
		status = check_slot(copy, slot, offset);
	if (!status)
		status = write_slot(copy, slot, offset);
	if (!status)
		status = remember(copy, slot, copy->to.ptr + offset);
	copy->written++;
	copy->bytes += slot->length;
	progress_show(&copy->progress, slot->at + slot->length);
	return status;
}

static int move(struct copy *copy)
{
	int status = STATUS_FINE;

	while (!status && (!copy->at_end || copy->written < copy->submitted)) {
		if (stop_requested())
			return STATUS_FAILED;
		if (!copy->at_end && copy->submitted - copy->written < SLOTS)
			status = read_slot(copy);
		else
			status = finish_slot(copy);
	}
	/* A hole at the end. */
	if (!status && *copy->target.temp && ftruncate(copy->target.fd, copy->at))
		return failed("%s", copy->target.path);
	return status;
}

/* ---- and back ---- */

static int read_back_piece(struct copy *copy, const struct piece *piece)
{
	ssize_t length;

	if (lseek(copy->target.fd, piece->at, SEEK_SET) < 0)
		return failed("%s", copy->target.path);
	length = read_all(copy->target.fd, copy->to.ptr, piece->length);
	if (length < 0)
		return stop_requested() ? STATUS_FAILED : failed("%s", copy->target.path);
	if ((size_t)length == piece->length && checksum(copy->to.ptr, length) == piece->sum)
		return STATUS_FINE;
	complain("%s: bytes %llu to %llu are not as they were written", copy->target.path,
		 (unsigned long long)piece->at,
		 (unsigned long long)(piece->at + piece->length - 1));
	return STATUS_DIFFERS;
}

/* From the disk, if the page cache lets go of it. */
static int read_back(struct copy *copy)
{
	int status = STATUS_FINE;
	size_t i;

	if (!copy->pieces_count)
		return STATUS_FINE;
	if (fdatasync(copy->target.fd))
		return failed("%s", copy->target.path);
	posix_fadvise(copy->target.fd, 0, 0, POSIX_FADV_DONTNEED);
	end_direct(copy->target.fd);
	for (i = 0; i < copy->pieces_count && !status; i++)
		status = stop_requested() ? STATUS_FAILED :
			 read_back_piece(copy, &copy->pieces[i]);
	return status;
}

/* ---- the result ---- */

static void report_json(const struct copy *copy, double seconds)
{
	json_begin(NULL, '{');
	json_text("source", copy->source_name);
	json_text("destination", copy->target.path);
	json_unsigned("size", copy->at);
	json_unsigned("bytes_copied", copy->bytes);
	json_real("seconds", seconds);
	json_text("channel", copy->attr.name);
	json_text("device", copy->attr.device);
	json_text("verified", config.unverified ? "no" : copy->target.stream ? "memory" : "file");
	json_end();
}

static void report(const struct copy *copy)
{
	double seconds = (clock_ns() - copy->started) / 1e9;
	FILE *out = copy->target.fd == STDOUT_FILENO ? stderr : stdout;

	if (settings.json) {
		report_json(copy, seconds);
		return;
	}
	if (settings.quiet)
		return;
	fprintf(out, "%s by %s (%s) in %.2f s%s\n", human(copy->bytes),
		copy->attr.name, copy->attr.device, seconds,
		config.unverified ? ", not verified" : ", verified");
	if (settings.verbose)
		fprintf(out, "%llu jobs of at most %s, %s/s%s\n",
			(unsigned long long)copy->submitted, short_size(config.chunk),
			human(seconds > 0 ? copy->bytes / seconds : 0),
			copy->attr.flags & DMAFD_ATTR_URING ? ", by io_uring" : "");
}

static int run(int argc, char **argv)
{
	struct copy copy = { .source = -1, .target.fd = -1 };
	bool regular;
	int status;

	(void)argc;
	if (settings.json && !strcmp(argv[1], "-"))
		return misused("--json and '-' both are for standard output");
	catch_stop();
	status = open_all(&copy, argv);
	if (!status) {
		regular = S_ISREG(copy.source_st.st_mode);
		progress_begin(&copy.progress, regular ? copy.source_st.st_size : 0);
		copy.started = clock_ns();
		status = move(&copy);
		if (!status)
			status = read_back(&copy);
		if (!status)
			status = target_commit(&copy.target);
		progress_end(&copy.progress);
	}
	if (!status)
		report(&copy);
	close_all(&copy);
	if (status && stop_requested())
		die_of_stop();
	return status;
}

static const struct tool_option options[] = {
	{ 'b', "block", "SIZE", "copy by blocks of this size (1M)" },
	{ 'd', "direct", NULL, "read and write past the page cache (O_DIRECT)" },
	{ 'n', "no-verify", NULL, "compare nothing" },
	{ 'U', "no-uring", NULL, "submit by ioctl, not by io_uring" },
	{}
};

const struct command command_copy = {
	.name = "copy",
	.args = "SOURCE DESTINATION",
	.summary = "Copy a file by DMA, and verify it",
	.text = "Each block is read, copied in memory by the controller, compared, and written;\n"
		"at the end all is read back and compared again. The destination takes its name\n"
		"only then: if anything goes wrong, there is no file, or the one from before.\n"
		"Holes of a source stay holes. '-' is standard input or output; what goes there\n"
		"is compared in memory only.",
	.with = WITH_CHANNEL | WITH_JSON | WITH_QUIET | WITH_VERBOSE,
	.min_args = 2,
	.max_args = 2,
	.options = options,
	.set = set,
	.run = run,
};
