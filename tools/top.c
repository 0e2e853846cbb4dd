// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmafd top: what the open channels do, again and again: on a terminal until a key ends
 * it, elsewhere as one table behind the other.
 */
#include "counters.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* Nobody looks at an empty screen for long. */
#define FIRST_MS 50ULL

static struct {
	uint64_t interval;		/* ms */
	uint64_t rounds;		/* 0: without end */
	bool rounds_are_set, batch;
	char sort;			/* of sort_keys */
} config = { .interval = 1000, .sort = 'b' };

/* A channel beside what it was before. */
struct row {
	struct counters now;
	double jobs, bytes, failed;	/* a second; the last: meanwhile */
};

struct view {
	struct row *row;
	size_t count;
	double jobs, bytes;
	uint64_t failed;
	bool own_only;
};

static int set(int letter, const char *value)
{
	static const char *const names[] = { "bytes", "jobs", "failed", "name" };
	size_t i;

	switch (letter) {
	case 'b':
		config.batch = true;
		return 0;
	case 'd':
		if (parse_duration(value, &config.interval) || config.interval < 50)
			return misused("'%s' is no duration from 50ms on", value);
		return 0;
	case 'n':
		config.rounds_are_set = true;
		if (parse_number(value, 1, UINT32_MAX, &config.rounds))
			return misused("'%s' is no number from 1 on", value);
		return 0;
	}
	for (i = 0; i < ARRAY_SIZE(names) && strcmp(value, names[i]); i++)
		;
	if (i == ARRAY_SIZE(names))
		return misused("'%s' is neither bytes, jobs, failed nor name", value);
	config.sort = *names[i];
	return 0;
}

/* ---- counting ---- */

/* One that was opened anew meanwhile has counted from 0. */
static const struct counters *before_of(const struct counters_list *before,
					const struct counters *now)
{
	const struct counters *was;
	size_t i;

	for (i = 0; i < before->count; i++) {
		was = &before->channel[i];
		if (!strcmp(was->name, now->name) && was->pid == now->pid &&
		    was->submitted <= now->submitted && was->completed <= now->completed &&
		    was->failed <= now->failed && was->bytes <= now->bytes)
			return was;
	}
	return NULL;
}

static void compare(struct row *row, const struct counters *now, const struct counters *was,
		    double seconds)
{
	const struct counters zero = {};

	if (!was)
		was = &zero;
	row->now = *now;
	row->jobs = (now->completed - was->completed) / seconds;
	row->bytes = (now->bytes - was->bytes) / seconds;
	row->failed = now->failed - was->failed;
}

static int order(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	double more = 0;

	if (config.sort == 'b')
		more = y->bytes - x->bytes;
	else if (config.sort == 'j')
		more = y->jobs - x->jobs;
	else if (config.sort == 'f')
		more = (double)y->now.failed - (double)x->now.failed;
	return more > 0 ? 1 : more < 0 ? -1 : strverscmp(x->now.name, y->now.name);
}

static int make_view(struct view *view, const struct counters_list *now,
		     const struct counters_list *before, double seconds)
{
	size_t i;

	*view = (struct view){ .count = now->count, .own_only = now->own_only };
	view->row = calloc(now->count + 1, sizeof(*view->row));
	if (!view->row)
		return failed("list of channels");
	for (i = 0; i < now->count; i++) {
		compare(&view->row[i], &now->channel[i], before_of(before, &now->channel[i]),
			seconds);
		view->jobs += view->row[i].jobs;
		view->bytes += view->row[i].bytes;
		view->failed += view->row[i].now.failed;
	}
	qsort(view->row, view->count, sizeof(*view->row), order);
	return STATUS_FINE;
}

/* ---- showing ---- */

static void print_head(FILE *file, const struct view *view)
{
	char clock[16];
	time_t now = time(NULL);
	struct tm tm;

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&now, &tm));
	fprintf(file, "%s  %zu channel%s open%s, %s/s, %.0f jobs/s, %llu failed\n", clock,
		view->count, view->count == 1 ? "" : "s",
		view->own_only ? " by your processes" : "", human(view->bytes), view->jobs,
		(unsigned long long)view->failed);
	fprintf(file, "%-16s %-6s %6s %6s %10s %12s %8s %10s  %s\n", "CHANNEL", "STATE", "QUEUE",
		"HELD", "JOBS/s", "MOVED/s", "FAILED", "MOVED", "HOLDER");
}

/* In the queue is what the controller has not done, held what the program did not reap. */
static void print_row(FILE *file, const struct row *row)
{
	const struct counters *now = &row->now;

	fprintf(file, "%-16s %-6s %6llu %6llu %10.1f %10s/s %8llu %10s  %s[%ld]\n", now->name,
		now->state, (unsigned long long)(now->submitted - now->completed),
		(unsigned long long)now->held, row->jobs, human(row->bytes),
		(unsigned long long)now->failed, human(now->bytes), now->command, now->pid);
}

static void print_view(FILE *file, const struct view *view, size_t rows)
{
	size_t i;

	print_head(file, view);
	for (i = 0; i < view->count && i < rows; i++)
		print_row(file, &view->row[i]);
}

static void json_row(const struct row *row)
{
	const struct counters *now = &row->now;

	json_begin(NULL, '{');
	json_text("name", now->name);
	json_text("device", now->device);
	json_text("state", now->state);
	json_unsigned("queue", now->submitted - now->completed);
	json_unsigned("held", now->held);
	json_unsigned("depth", now->depth);
	json_real("jobs_per_second", row->jobs);
	json_real("bytes_per_second", row->bytes);
	json_real("failed_meanwhile", row->failed);
	json_unsigned("completed", now->completed);
	json_unsigned("failed", now->failed);
	json_unsigned("bytes", now->bytes);
	json_number("pid", now->pid);
	json_text("command", now->command);
	json_end();
}

static void json_view(const struct view *view)
{
	size_t i;

	json_begin(NULL, '{');
	json_real("jobs_per_second", view->jobs);
	json_real("bytes_per_second", view->bytes);
	json_bool("own_only", view->own_only);
	json_begin("channels", '[');
	for (i = 0; i < view->count; i++)
		json_row(&view->row[i]);
	json_end();
	json_end();
}

/* ---- the terminal ---- */

static struct termios saved;
static bool on_terminal;

/* Keys come at once and are not shown; Ctrl-Z would leave the terminal like that. */
static void terminal_begin(void)
{
	struct termios raw;

	on_terminal = !config.batch && !settings.json && isatty(STDIN_FILENO) &&
		      isatty(STDOUT_FILENO) && !tcgetattr(STDIN_FILENO, &saved);
	if (!on_terminal)
		return;
	raw = saved;
	raw.c_lflag &= ~(ICANON | ECHO);
	raw.c_cc[VSUSP] = _POSIX_VDISABLE;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	/* The other screen, and no cursor. */
	fputs("\033[?1049h\033[?25l", stdout);
	fflush(stdout);
}

static void terminal_end(void)
{
	if (!on_terminal)
		return;
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, &saved);
}

/* Lines are cut at the right, so that each takes one, and the rest is cleared. */
static void put_line(const char *line, size_t columns)
{
	printf("%.*s\033[K\n", (int)columns, line);
}

static int show_on_terminal(const struct view *view)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	char *text = NULL, *rest, *line;
	size_t length;
	FILE *file;

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	file = open_memstream(&text, &length);
	if (!file)
		return failed("screen");
	print_view(file, view, size.ws_row > 4 ? size.ws_row - 4 : 1);
	fclose(file);
	fputs("\033[H", stdout);
	for (rest = text; *rest && (line = strsep(&rest, "\n"));)
		put_line(line, size.ws_col);
	put_line("", size.ws_col);
	printf("%.*s\033[J", size.ws_col, "q ends; b, j, f, n sort by bytes, jobs, failed, name");
	fflush(stdout);
	free(text);
	return STATUS_FINE;
}

/* Returns whether it is a key that ends it. */
static bool take_key(void)
{
	char key;

	if (read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q')
		return true;
	if (strchr("bjfn", key))
		config.sort = key;
	return false;
}

/* Waits for the next look at @due. Returns false if there is to be none. */
static bool wait_until(uint64_t due)
{
	struct pollfd keys = { .fd = on_terminal ? STDIN_FILENO : -1, .events = POLLIN };
	uint64_t now;

	while (!stop_requested() && (now = clock_ns()) < due)
		if (poll(&keys, 1, (due - now) / 1000000 + 1) > 0 && take_key())
			return false;
	return !stop_requested();
}

/* ---- rounds ---- */

static int show(const struct view *view, bool first)
{
	if (on_terminal)
		return show_on_terminal(view);
	if (settings.json) {
		json_view(view);
		return STATUS_FINE;
	}
	if (!first)
		putchar('\n');
	print_view(stdout, view, SIZE_MAX);
	return finish_output();
}

static int look(struct counters_list *list)
{
	if (!counters_read(list))
		return STATUS_FINE;
	if (errno != ENOENT)
		return failed("counters");
	complain("there are no counters of channels");
	advise("load the module: modprobe dmafd");
	return STATUS_NO_DEVICE;
}

static int one_round(struct counters_list *before, uint64_t *looked, bool first)
{
	struct counters_list now;
	uint64_t time = clock_ns();
	struct view view;
	int status = look(&now);

	if (status)
		return status;
	status = make_view(&view, &now, before, (time - *looked) / 1e9);
	if (!status)
		status = show(&view, first);
	free(view.row);
	counters_free(before);
	*before = now;
	*looked = time;
	return status;
}

static int watch(struct counters_list *before)
{
	uint64_t looked = clock_ns(), due = looked, round;
	int status = STATUS_FINE;

	for (round = 0; !status && (!config.rounds || round < config.rounds); round++) {
		due += (on_terminal && !round ? FIRST_MS : config.interval) * 1000000;
		if (!wait_until(due))
			break;
		status = one_round(before, &looked, !round);
	}
	return status;
}

static int run(int argc, char **argv)
{
	struct counters_list before;
	int status;

	(void)argc;
	(void)argv;
	status = look(&before);
	if (status)
		return status;
	if (settings.json && !config.rounds_are_set)
		config.rounds = 1;
	catch_stop();
	if (settings.json)
		json_begin(NULL, '[');
	terminal_begin();
	status = watch(&before);
	terminal_end();
	if (settings.json)
		json_end();
	counters_free(&before);
	return status;
}

static const struct tool_option options[] = {
	{ 'b', "batch", NULL, "write one table behind the other, also to a terminal" },
	{ 'd', "delay", "TIME", "look so often; 1s" },
	{ 'n', "rounds", "NUMBER", "look so many times; without end" },
	{ 's', "sort", "KEY", "sort by bytes, jobs, failed or name; bytes" },
	{}
};

const struct command command_top = {
	.name = "top",
	.args = "",
	.summary = "Watch the open channels: rates, queues, errors, holders",
	.text = "Rates are those since the last look. Other users' channels are told to root\n"
		"only. On a terminal q ends it, and b, j, f and n sort by bytes, jobs, failed\n"
		"jobs and name.",
	.with = WITH_JSON,
	.options = options,
	.set = set,
	.run = run,
};
