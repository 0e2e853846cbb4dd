// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmafd test: random jobs, and every byte compared with what the CPU makes of the same. Each
 * thread has a channel of its own, and its rounds follow from the seed.
 */
#include "common.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define MAX_THREADS	64
#define MAX_PARTS	8
/* Memory beside what a job writes, which must stay as it is. */
#define MARGIN		256

static struct {
	uint64_t seed, rounds, duration_ms, threads, max_size, align;
	unsigned int kinds;
	bool has_seed;
} config = { .rounds = 1000, .threads = 1, .max_size = 256 << 10 };

struct worker {
	pthread_t thread;
	unsigned int number;
	uint64_t random;
	struct dmafd_chan *chan;
	struct memory src, dst;
	unsigned char *want;	/* what "dst" must be */
	size_t step;		/* addresses and lengths are multiples of it */
	unsigned int kinds;
	uint64_t round, bytes;
	uint64_t jobs[8];	/* by kind */
	int status;
};

static struct dmafd_ctx *ctx;
static atomic_bool all_stop;
static pthread_mutex_t saying = PTHREAD_MUTEX_INITIALIZER;

/* ---- the kinds of jobs ---- */

/* What is done in a round, for messages. */
struct round {
	struct dmafd_job job;
	struct dmafd_range dst[MAX_PARTS], src[MAX_PARTS];
	size_t length, dst_at, src_at;
};

static size_t pick(struct worker *worker, size_t limit)
{
	return random_below(&worker->random, limit / worker->step + 1) * worker->step;
}

static size_t pick_length(struct worker *worker)
{
	size_t limit = config.max_size;

	/* Short ones are as many as long ones. */
	while (limit > 2 * worker->step && random_below(&worker->random, 2))
		limit /= 4;
	if (limit < worker->step)
		limit = worker->step;
	return worker->step + pick(worker, limit - worker->step);
}

static void place(struct worker *worker, struct round *round)
{
	round->length = pick_length(worker);
	round->dst_at = MARGIN + pick(worker, config.max_size - round->length);
	round->src_at = MARGIN + pick(worker, config.max_size - round->length);
}

static void make_copy(struct worker *worker, struct round *round)
{
	dmafd_job_copy(&round->job, worker->dst.buf, round->dst_at, worker->src.buf,
		       round->src_at, round->length);
	memcpy(worker->want + round->dst_at, worker->src.ptr + round->src_at, round->length);
}

static void make_fill(struct worker *worker, struct round *round)
{
	unsigned int value = random_below(&worker->random, 256);

	dmafd_job_fill(&round->job, worker->dst.buf, round->dst_at, round->length, value);
	memset(worker->want + round->dst_at, value, round->length);
}

/* Cuts a stretch into ranges that lie one behind the other. */
static size_t cut(struct worker *worker, struct dmafd_range *ranges, struct dmafd_buf *buf,
		  size_t at, size_t length)
{
	size_t count = 0, part;

	while (length) {
		part = worker->step + pick(worker, length - worker->step);
		if (count == MAX_PARTS - 1)
			part = length;
		ranges[count++] = (struct dmafd_range){ .buf = buf, .offset = at, .length = part };
		at += part;
		length -= part;
	}
	return count;
}

/* The source's ranges come in the opposite order, or it would be one copy. */
static void make_copyv(struct worker *worker, struct round *round)
{
	size_t nsrc = cut(worker, round->src, worker->src.buf, round->src_at, round->length);
	size_t ndst = cut(worker, round->dst, worker->dst.buf, round->dst_at, round->length);
	size_t i, at = round->dst_at;
	struct dmafd_range swap;

	for (i = 0; i < nsrc / 2; i++) {
		swap = round->src[i];
		round->src[i] = round->src[nsrc - 1 - i];
		round->src[nsrc - 1 - i] = swap;
	}
	for (i = 0; i < nsrc; i++) {
		memcpy(worker->want + at, worker->src.ptr + round->src[i].offset,
		       round->src[i].length);
		at += round->src[i].length;
	}
	dmafd_job_copyv(&round->job, round->dst, ndst, round->src, nsrc);
}

static void make_2d(struct worker *worker, struct round *round)
{
	size_t stride = worker->step + pick(worker, round->length - worker->step);
	size_t row = worker->step + pick(worker, stride - worker->step);
	size_t rows = round->length / stride, i;

	for (i = 0; i < rows; i++)
		memcpy(worker->want + round->dst_at + i * stride,
		       worker->src.ptr + round->src_at + i * row, row);
	dmafd_job_copy_2d(&round->job, worker->dst.buf, round->dst_at, stride, worker->src.buf,
			  round->src_at, row, row, rows);
	round->length = row * rows;
}

static void make_xor(struct worker *worker, struct round *round)
{
	const unsigned char *a = worker->src.ptr + round->src_at, *b = worker->src.ptr + MARGIN;
	size_t i;

	round->src[0] = (struct dmafd_range){ worker->src.buf, round->src_at, round->length };
	round->src[1] = (struct dmafd_range){ worker->src.buf, MARGIN, round->length };
	for (i = 0; i < round->length; i++)
		worker->want[round->dst_at + i] = a[i] ^ b[i];
	dmafd_job_xor(&round->job, worker->dst.buf, round->dst_at, round->src, 2, round->length);
}

static const struct kind {
	const char *name;
	uint32_t cap;
	void (*make)(struct worker *worker, struct round *round);
} kinds[] = {
	{ "copy", DMAFD_CAP_COPY, make_copy },
	{ "fill", DMAFD_CAP_FILL, make_fill },
	{ "copyv", DMAFD_CAP_COPY, make_copyv },
	{ "2d", DMAFD_CAP_COPY, make_2d },
	{ "xor", DMAFD_CAP_XOR, make_xor },
};

static int parse_kinds(const char *text)
{
	char *copy = strdup(text), *rest = copy, *word;
	size_t i = 0;

	while (i < ARRAY_SIZE(kinds) && (word = strsep(&rest, ","))) {
		for (i = 0; i < ARRAY_SIZE(kinds) && strcmp(word, kinds[i].name); i++)
			;
		if (i < ARRAY_SIZE(kinds))
			config.kinds |= 1U << i;
	}
	free(copy);
	return i < ARRAY_SIZE(kinds) ? 0 :
	       misused("'%s' are no kinds of jobs: copy,fill,copyv,2d,xor", text);
}

/* ---- a round ---- */

static const struct kind *pick_kind(struct worker *worker)
{
	size_t i;

	do {
		i = random_below(&worker->random, ARRAY_SIZE(kinds));
	} while (!(worker->kinds & 1U << i));
	return &kinds[i];
}

static int tell_difference(struct worker *worker, const struct kind *kind,
			   const struct round *round, size_t at)
{
	pthread_mutex_lock(&saying);
	complain("round %" PRIu64 " of thread %u: %s of %zu bytes from %zu to %zu:",
		 worker->round, worker->number, kind->name, round->length, round->src_at,
		 round->dst_at);
	advise("byte %zu of the destination's memory is %#04x, but must be %#04x", at,
	       worker->dst.ptr[at], worker->want[at]);
	advise("again: dmafd test --seed %" PRIu64 " --threads %" PRIu64 " --size %" PRIu64,
	       config.seed, config.threads, config.max_size);
	pthread_mutex_unlock(&saying);
	return STATUS_DIFFERS;
}

/* What the kernel or the controller can't do is left out from here on, unless asked for. */
static int refused(struct worker *worker, const struct kind *kind)
{
	unsigned int bit = 1U << (kind - kinds);
	int status;

	if ((errno == EOPNOTSUPP || errno == ENOTTY) && !(config.kinds & bit) &&
	    worker->kinds != bit) {
		worker->kinds &= ~bit;
		return STATUS_FINE;
	}
	pthread_mutex_lock(&saying);
	status = failed("round %" PRIu64 " of thread %u: %s", worker->round, worker->number,
			kind->name);
	pthread_mutex_unlock(&saying);
	return status;
}

static int do_round(struct worker *worker)
{
	const struct kind *kind = pick_kind(worker);
	struct round round = {};
	size_t at;

	place(worker, &round);
	fill_random(worker->dst.ptr, worker->dst.size, &worker->random);
	memcpy(worker->want, worker->dst.ptr, worker->dst.size);
	kind->make(worker, &round);
	if (dmafd_run(worker->chan, &round.job, 1, NULL))
		return refused(worker, kind);
	at = first_difference(worker->dst.ptr, worker->want, worker->dst.size);
	if (at < worker->dst.size)
		return tell_difference(worker, kind, &round, at);
	worker->round++;
	worker->jobs[kind - kinds]++;
	worker->bytes += round.length;
	return STATUS_FINE;
}

/* ---- threads ---- */

static void *work(void *data)
{
	const uint64_t until = clock_ns() + config.duration_ms * 1000000;
	struct worker *worker = data;

	while (!worker->status && !stop_requested() && !atomic_load(&all_stop)) {
		if (config.duration_ms ? clock_ns() >= until : worker->round >= config.rounds)
			return NULL;
		worker->status = do_round(worker);
	}
	if (worker->status)
		atomic_store(&all_stop, true);
	return NULL;
}

static unsigned int kinds_for(uint32_t caps)
{
	unsigned int i, mask = 0;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (caps & kinds[i].cap)
			mask |= 1U << i;
	return mask;
}

static int choose_kinds(struct worker *worker, const struct dmafd_chan_attr *attr)
{
	worker->kinds = kinds_for(attr->caps);
	if (config.kinds & ~worker->kinds) {
		complain("channel %s cannot do all of that: it can %s", attr->name,
			 caps_text(attr->caps));
		return STATUS_NO_DEVICE;
	}
	if (config.kinds)
		worker->kinds = config.kinds;
	return STATUS_FINE;
}

static int open_worker(struct worker *worker)
{
	const size_t size = config.max_size + 2 * MARGIN;
	struct dmafd_chan_attr attr;
	int status = STATUS_FINE;

	worker->chan = open_channel(ctx, DMAFD_CAP_COPY, &status);
	if (!worker->chan)
		return status;
	if (dmafd_chan_info(worker->chan, &attr))
		return failed("channel");
	status = choose_kinds(worker, &attr);
	if (status)
		return status;
	worker->step = attr.copy_align > attr.fill_align ? attr.copy_align : attr.fill_align;
	if (config.align > worker->step)
		worker->step = config.align;
	if (!worker->step)
		worker->step = 1;
	if (config.max_size % worker->step || MARGIN % worker->step)
		return misused("the size must be a multiple of the alignment, which is %zu",
			       worker->step);
	worker->random = config.seed + worker->number * 0x5851f42d4c957f2dULL;
	worker->want = malloc(size);
	if (!worker->want)
		return failed("memory");
	status = memory_get(&worker->src, ctx, size, DMAFD_READ);
	if (!status)
		status = memory_get(&worker->dst, ctx, size, DMAFD_WRITE);
	if (!status)
		fill_random(worker->src.ptr, size, &worker->random);
	return status;
}

static void close_worker(struct worker *worker)
{
	dmafd_chan_close(worker->chan);
	memory_put(&worker->src);
	memory_put(&worker->dst);
	free(worker->want);
}

static int run_threads(struct worker *workers)
{
	unsigned int i, started;
	int status = STATUS_FINE;

	for (i = 0; i < config.threads && !status; i++)
		status = open_worker(&workers[i]);
	for (started = 0; started < config.threads && !status; started++) {
		errno = pthread_create(&workers[started].thread, NULL, work, &workers[started]);
		if (errno) {
			status = failed("thread");
			atomic_store(&all_stop, true);
			break;
		}
	}
	for (i = 0; i < started; i++) {
		pthread_join(workers[i].thread, NULL);
		if (workers[i].status > status)
			status = workers[i].status;
	}
	return status;
}

/* ---- the result ---- */

struct sum {
	uint64_t jobs[ARRAY_SIZE(kinds)];
	uint64_t all, bytes;
};

static void add_up(const struct worker *workers, struct sum *sum)
{
	size_t i, kind;

	for (i = 0; i < config.threads; i++) {
		sum->bytes += workers[i].bytes;
		for (kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
			sum->jobs[kind] += workers[i].jobs[kind];
			sum->all += workers[i].jobs[kind];
		}
	}
}

static void report_json(const struct sum *sum, int status, double seconds)
{
	size_t kind;

	json_begin(NULL, '{');
	json_text("result", status == STATUS_DIFFERS ? "differs" : status ? "failed" : "fine");
	json_unsigned("seed", config.seed);
	json_unsigned("threads", config.threads);
	json_unsigned("jobs", sum->all);
	json_unsigned("bytes", sum->bytes);
	json_real("seconds", seconds);
	json_begin("kinds", '{');
	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++)
		json_unsigned(kinds[kind].name, sum->jobs[kind]);
	json_end();
	json_end();
}

static void report(const struct worker *workers, int status, uint64_t started)
{
	double seconds = (clock_ns() - started) / 1e9;
	struct sum sum = {};
	size_t kind;

	add_up(workers, &sum);
	if (settings.json) {
		report_json(&sum, status, seconds);
		return;
	}
	if (settings.quiet || status)
		return;
	printf("%" PRIu64 " jobs, %s, no difference (seed %" PRIu64 ")\n", sum.all,
	       human(sum.bytes), config.seed);
	for (kind = 0; kind < ARRAY_SIZE(kinds) && settings.verbose; kind++)
		printf("  %-6s %" PRIu64 "\n", kinds[kind].name, sum.jobs[kind]);
}

static int set(int letter, const char *value)
{
	switch (letter) {
	case 's':
		config.has_seed = true;
		return parse_number(value, 0, UINT64_MAX, &config.seed) ?
		       misused("'%s' is no seed", value) : 0;
	case 'n':
		return parse_number(value, 1, UINT64_MAX, &config.rounds) ?
		       misused("'%s' is no number of rounds", value) : 0;
	case 'd':
		return parse_duration(value, &config.duration_ms) || !config.duration_ms ?
		       misused("'%s' is no duration", value) : 0;
	case 't':
		return parse_number(value, 1, MAX_THREADS, &config.threads) ?
		       misused("'%s' is no number of threads from 1 to 64", value) : 0;
	case 'S':
		return parse_size(value, &config.max_size) || config.max_size < 64 ||
		       config.max_size > 1 << 30 ?
		       misused("'%s' is no size from 64 to 1G", value) : 0;
	case 'a':
		return parse_number(value, 1, MARGIN, &config.align) ||
		       config.align & (config.align - 1) ?
		       misused("'%s' is no power of two from 1 to 256", value) : 0;
	default:
		return parse_kinds(value);
	}
}

static int run(int argc, char **argv)
{
	struct worker workers[MAX_THREADS] = {};
	uint64_t started = clock_ns();
	unsigned int i;
	int status;

	(void)argc;
	(void)argv;
	if (settings.channel && config.threads > 1)
		return misused("a channel is for one thread");
	if (!config.has_seed)
		config.seed = started % 1000000007;
	for (i = 0; i < config.threads; i++)
		workers[i].number = i;
	catch_stop();
	ctx = open_device(&status);
	if (!ctx)
		return status;
	status = run_threads(workers);
	report(workers, status, started);
	for (i = 0; i < config.threads; i++)
		close_worker(&workers[i]);
	dmafd_close(ctx);
	return status;
}

static const struct tool_option options[] = {
	{ 'a', "align", "N", "all addresses and lengths are multiples of this" },
	{ 'd', "duration", "TIME", "for so long, instead of a number of rounds" },
	{ 'k', "kinds", "LIST", "of copy,fill,copyv,2d,xor (all that the channel can do)" },
	{ 'n', "rounds", "N", "jobs for each thread (1000)" },
	{ 's', "seed", "N", "repeat the rounds of an earlier run" },
	{ 'S', "size", "SIZE", "the longest job (256K)" },
	{ 't', "threads", "N", "so many threads, each with a channel of its own (1)" },
	{}
};

const struct command command_test = {
	.name = "test",
	.args = "",
	.summary = "Test a channel with random jobs",
	.text = "Lengths, offsets and data are random, and follow from the seed that is\n"
		"printed. All of the destination's memory is compared with what the CPU makes\n"
		"of the same, also what lies beside. The first difference is told, and the exit\n"
		"status is 4 then.",
	.with = WITH_CHANNEL | WITH_JSON | WITH_QUIET | WITH_VERBOSE,
	.options = options,
	.set = set,
	.run = run,
};
