// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmafd bench: what jobs on a channel cost, beside what the CPU takes for the same. Time is that
 * of the clock, from before a job is submitted until its result was taken. CPU time is that of
 * the whole machine, as interrupts and kernel threads are nobody's.
 */
#include "common.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MAX_SIZES	32
#define MAX_DEPTH	1024
#define MAX_SAMPLES	65536

static struct {
	uint64_t sizes[MAX_SIZES];
	size_t sizes_count;
	uint64_t depth, duration_ms;
	const char *plot;
	bool fill, uring_off;
} config = { .depth = 1, .duration_ms = 500 };

static const uint64_t default_sizes[] = { 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20 };

/* What a method took for jobs of a size. */
struct outcome {
	uint64_t jobs, bytes;
	double seconds, process, busy;		/* elapsed; CPU: ours, the whole machine's */
	uint64_t p50, p99, max;			/* ns */
};

struct bench {
	struct dmafd_ctx *ctx;
	struct dmafd_chan *chan;
	struct dmafd_chan_attr attr;
	struct memory src, dst;
	uint64_t *samples;
	size_t samples_count;
	uint64_t until;
	struct outcome dma[MAX_SIZES], cpu[MAX_SIZES];
};

/* ---- CPU time ---- */

static double process_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* All but idle and waiting, which are the fourth and the fifth number. */
static double busy_seconds(void)
{
	unsigned long long ticks[8] = {};
	FILE *file = fopen("/proc/stat", "re");

	if (!file)
		return 0;
	if (fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &ticks[0], &ticks[1],
		   &ticks[2], &ticks[3], &ticks[4], &ticks[5], &ticks[6], &ticks[7]) != 8)
		memset(ticks, 0, sizeof(ticks));
	fclose(file);
	return (double)(ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7]) /
	       sysconf(_SC_CLK_TCK);
}

/* ---- one measurement ---- */

static void begin(struct bench *bench, struct outcome *outcome)
{
	*outcome = (struct outcome){
		.process = -process_seconds(), .busy = -busy_seconds(),
		.seconds = -(double)clock_ns() / 1e9,
	};
	bench->samples_count = 0;
	bench->until = clock_ns() + config.duration_ms * 1000000;
}

/* Once they are full, samples take the places of older ones, so that all of the time counts. */
static void take_sample(struct bench *bench, uint64_t ns)
{
	bench->samples[bench->samples_count++ % MAX_SAMPLES] = ns;
}

static int compare_samples(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void end(struct bench *bench, struct outcome *outcome)
{
	size_t count = bench->samples_count < MAX_SAMPLES ? bench->samples_count : MAX_SAMPLES;

	outcome->seconds += clock_ns() / 1e9;
	outcome->process += process_seconds();
	outcome->busy += busy_seconds();
	if (!count)
		return;
	qsort(bench->samples, count, sizeof(*bench->samples), compare_samples);
	outcome->p50 = bench->samples[count / 2];
	outcome->p99 = bench->samples[count * 99 / 100];
	outcome->max = bench->samples[count - 1];
}

/* ---- by DMA ---- */

static int submit(struct bench *bench, uint64_t number, uint64_t size)
{
	uint64_t at = number % config.depth * size;
	struct dmafd_job job;

	if (config.fill)
		dmafd_job_fill(&job, bench->dst.buf, at, size, 0x5a);
	else
		dmafd_job_copy(&job, bench->dst.buf, at, bench->src.buf, at, size);
	job.user_data = clock_ns();
	return dmafd_submit(bench->chan, &job, 1) == 1 ? STATUS_FINE : failed("submitting");
}

static int reap(struct bench *bench, struct outcome *outcome, uint64_t size)
{
	struct dmafd_result results[64];
	int i, n;

	do {
		n = dmafd_reap(bench->chan, results, ARRAY_SIZE(results), -1);
	} while (n < 0 && errno == EINTR && !stop_requested());
	if (n < 0)
		return stop_requested() ? STATUS_FAILED : failed("waiting");
	for (i = 0; i < n; i++) {
		if (results[i].status) {
			errno = -results[i].status;
			return failed("%s by DMA", human(size));
		}
		take_sample(bench, clock_ns() - results[i].user_data);
		outcome->bytes += size;
		outcome->jobs++;
	}
	return STATUS_FINE;
}

/* Keeps the channel full until the time is over, then takes what is left. */
static int measure_dma(struct bench *bench, struct outcome *outcome, uint64_t size)
{
	uint64_t submitted = 0;
	int status = STATUS_FINE;
	bool more = true;

	begin(bench, outcome);
	while (!status && (more || outcome->jobs < submitted)) {
		more = more && (clock_ns() < bench->until || !submitted) && !stop_requested();
		while (!status && more && submitted - outcome->jobs < config.depth)
			status = submit(bench, submitted++, size);
		if (!status && outcome->jobs < submitted)
			status = reap(bench, outcome, size);
	}
	end(bench, outcome);
	return status;
}

/* Nothing that was measured is worth anything if the bytes are not there. */
static int check(const struct bench *bench, const struct outcome *outcome, uint64_t size)
{
	size_t length = size * (outcome->jobs < config.depth ? outcome->jobs : config.depth);
	size_t at;

	if (config.fill)
		for (at = 0; at < length && bench->dst.ptr[at] == 0x5a; at++)
			;
	else
		at = first_difference(bench->src.ptr, bench->dst.ptr, length);
	if (at == length)
		return STATUS_FINE;
	complain("byte %zu is %#04x after a job of %s", at, bench->dst.ptr[at], human(size));
	return STATUS_DIFFERS;
}

/* ---- by the CPU ---- */

static void measure_cpu(struct bench *bench, struct outcome *outcome, uint64_t size)
{
	uint64_t at, start;

	begin(bench, outcome);
	do {
		start = clock_ns();
		at = outcome->jobs % config.depth * size;
		if (config.fill)
			memset(bench->dst.ptr + at, 0x5a, size);
		else
			memcpy(bench->dst.ptr + at, bench->src.ptr + at, size);
		/* Or the compiler may leave out what nobody looks at. */
		__asm__ volatile("" : : "r"(bench->dst.ptr) : "memory");
		take_sample(bench, clock_ns() - start);
		outcome->bytes += size;
		outcome->jobs++;
	} while (clock_ns() < bench->until && !stop_requested());
	end(bench, outcome);
}

/* ---- the results ---- */

static double per_second(const struct outcome *outcome, double amount)
{
	return outcome->seconds > 0 ? amount / outcome->seconds : 0;
}

/* Microseconds of CPU time for each MiB. */
static double cpu_cost(const struct outcome *outcome, double seconds)
{
	return outcome->bytes ? seconds * 1e6 * (1 << 20) / outcome->bytes : 0;
}

static void print_json_outcome(const char *method, uint64_t size, const struct outcome *outcome)
{
	json_begin(NULL, '{');
	json_text("method", method);
	json_text("kind", config.fill ? "fill" : "copy");
	json_unsigned("size", size);
	json_unsigned("depth", !strcmp(method, "dma") ? config.depth : 1);
	json_unsigned("jobs", outcome->jobs);
	json_real("seconds", outcome->seconds);
	json_real("bytes_per_second", per_second(outcome, outcome->bytes));
	json_real("jobs_per_second", per_second(outcome, outcome->jobs));
	json_unsigned("latency_p50_ns", outcome->p50);
	json_unsigned("latency_p99_ns", outcome->p99);
	json_unsigned("latency_max_ns", outcome->max);
	json_real("process_us_per_mib", cpu_cost(outcome, outcome->process));
	json_real("busy_us_per_mib", cpu_cost(outcome, outcome->busy));
	json_end();
}

static void print_json(const struct bench *bench)
{
	size_t i;

	json_begin(NULL, '{');
	json_text("channel", bench->attr.name);
	json_text("device", bench->attr.device);
	json_bool("io_uring", bench->attr.flags & DMAFD_ATTR_URING);
	json_begin("results", '[');
	for (i = 0; i < config.sizes_count; i++) {
		print_json_outcome("dma", config.sizes[i], &bench->dma[i]);
		print_json_outcome("cpu", config.sizes[i], &bench->cpu[i]);
	}
	json_end();
	json_end();
}

static void print_row(const char *method, uint64_t size, const struct outcome *outcome)
{
	printf("%6s  %-6s %12s/s %10.0f %9.1f %9.1f %9.1f %11.1f %11.1f\n", short_size(size),
	       method, human(per_second(outcome, outcome->bytes)),
	       per_second(outcome, outcome->jobs), outcome->p50 / 1e3, outcome->p99 / 1e3,
	       outcome->max / 1e3, cpu_cost(outcome, outcome->process),
	       cpu_cost(outcome, outcome->busy));
}

static void print_table(const struct bench *bench)
{
	size_t i;

	printf("%s on %s (%s), %llu at a time%s\n", config.fill ? "fill" : "copy",
	       bench->attr.name, bench->attr.device, (unsigned long long)config.depth,
	       bench->attr.flags & DMAFD_ATTR_URING ? ", by io_uring" : "");
	printf("%6s  %-6s %14s %10s %9s %9s %9s %11s %11s\n", "", "", "", "", "latency", "",
	       "", "CPU us/MiB", "");
	printf("%6s  %-6s %14s %10s %9s %9s %9s %11s %11s\n", "SIZE", "BY", "THROUGHPUT", "JOBS/S",
	       "P50 us", "P99 us", "MAX us", "PROCESS", "MACHINE");
	for (i = 0; i < config.sizes_count; i++) {
		print_row("dma", config.sizes[i], &bench->dma[i]);
		print_row("cpu", config.sizes[i], &bench->cpu[i]);
	}
}

static int print_plot(const struct bench *bench)
{
	double dma[MAX_SIZES], cpu[MAX_SIZES];
	const struct curve curves[] = { { "DMA", dma }, { "CPU", cpu } };
	char title[128];
	size_t i;

	for (i = 0; i < config.sizes_count; i++) {
		dma[i] = per_second(&bench->dma[i], bench->dma[i].bytes) / (1 << 20);
		cpu[i] = per_second(&bench->cpu[i], bench->cpu[i].bytes) / (1 << 20);
	}
	snprintf(title, sizeof(title), "%s on %s", config.fill ? "fill" : "copy",
		 bench->attr.name);
	return plot(config.plot, title, "MiB/s", config.sizes, config.sizes_count, curves,
		    ARRAY_SIZE(curves));
}

/* ---- all of it ---- */

static uint64_t largest_size(void)
{
	uint64_t largest = 0;
	size_t i;

	for (i = 0; i < config.sizes_count; i++)
		if (config.sizes[i] > largest)
			largest = config.sizes[i];
	return largest;
}

static int open_all(struct bench *bench)
{
	const struct dmafd_chan_options options = {
		.caps = config.fill ? DMAFD_CAP_FILL : DMAFD_CAP_COPY, .depth = config.depth,
		.flags = config.uring_off ? DMAFD_NO_URING : 0,
	};
	const size_t size = largest_size() * config.depth;
	uint64_t random = 1;
	int status = STATUS_FINE;

	bench->ctx = open_device(&status);
	if (!status)
		bench->chan = open_channel_with(bench->ctx, &options, &status);
	if (!status && dmafd_chan_info(bench->chan, &bench->attr))
		status = failed("channel");
	if (!status)
		status = memory_get(&bench->src, bench->ctx, size, DMAFD_READ);
	if (!status)
		status = memory_get(&bench->dst, bench->ctx, size, DMAFD_WRITE);
	if (status)
		return status;
	fill_random(bench->src.ptr, size, &random);
	bench->samples = calloc(MAX_SAMPLES, sizeof(*bench->samples));
	return bench->samples ? STATUS_FINE : failed("samples");
}

static void close_all(struct bench *bench)
{
	dmafd_chan_close(bench->chan);
	memory_put(&bench->src);
	memory_put(&bench->dst);
	if (bench->ctx)
		dmafd_close(bench->ctx);
	free(bench->samples);
}

static int measure(struct bench *bench)
{
	int status = STATUS_FINE;
	size_t i;

	for (i = 0; i < config.sizes_count && !status; i++) {
		memset(bench->dst.ptr, 0, bench->dst.size);
		status = measure_dma(bench, &bench->dma[i], config.sizes[i]);
		if (!status && !stop_requested())
			status = check(bench, &bench->dma[i], config.sizes[i]);
		if (!status)
			measure_cpu(bench, &bench->cpu[i], config.sizes[i]);
		if (stop_requested())
			return STATUS_FAILED;
	}
	return status;
}

static int parse_sizes(const char *text)
{
	char *copy = strdup(text), *rest = copy, *word;
	uint64_t size;
	bool bad = false;

	config.sizes_count = 0;
	while (!bad && (word = strsep(&rest, ","))) {
		bad = config.sizes_count == MAX_SIZES || parse_size(word, &size) || !size ||
		      size > 1 << 30;
		if (!bad)
			config.sizes[config.sizes_count++] = size;
	}
	free(copy);
	return bad ? misused("'%s' is no list of at most 32 sizes up to 1G", text) : 0;
}

static int set(int letter, const char *value)
{
	switch (letter) {
	case 's':
		return parse_sizes(value);
	case 'D':
		return parse_number(value, 1, MAX_DEPTH, &config.depth) ?
		       misused("'%s' is no number of jobs from 1 to 1024", value) : 0;
	case 'd':
		return parse_duration(value, &config.duration_ms) || !config.duration_ms ?
		       misused("'%s' is no duration", value) : 0;
	case 'p':
		config.plot = value;
		return 0;
	case 'f':
		config.fill = true;
		return 0;
	default:
		config.uring_off = true;
		return 0;
	}
}

static int run(int argc, char **argv)
{
	struct bench bench = {};
	int status;

	(void)argc;
	(void)argv;
	if (!config.sizes_count) {
		memcpy(config.sizes, default_sizes, sizeof(default_sizes));
		config.sizes_count = ARRAY_SIZE(default_sizes);
	}
	catch_stop();
	status = open_all(&bench);
	if (!status)
		status = measure(&bench);
	if (!status && settings.json)
		print_json(&bench);
	else if (!status)
		print_table(&bench);
	if (!status && config.plot)
		status = print_plot(&bench);
	close_all(&bench);
	if (status && stop_requested())
		die_of_stop();
	return status;
}

static const struct tool_option options[] = {
	{ 'd', "duration", "TIME", "of each measurement (500ms)" },
	{ 'D', "depth", "N", "so many jobs are on the channel at a time (1)" },
	{ 'f', "fill", NULL, "measure fills instead of copies" },
	{ 'p', "plot", "FILE", "draw the throughput to an SVG file" },
	{ 's', "sizes", "LIST", "of jobs (4K,16K,64K,256K,1M)" },
	{ 'U', "no-uring", NULL, "submit by ioctl, not by io_uring" },
	{}
};

const struct command command_bench = {
	.name = "bench",
	.args = "",
	.summary = "Measure a channel, beside the CPU",
	.text = "For each size, jobs are done for a while by DMA, then the same by the CPU.\n"
		"Shown are throughput, jobs per second, the time from a job's submission to its\n"
		"result, and CPU time for each MiB: of this process, and of the whole machine,\n"
		"which has to be idle otherwise. On an emulated board, times are those of the\n"
		"emulator.",
	.with = WITH_CHANNEL | WITH_JSON,
	.options = options,
	.set = set,
	.run = run,
};
