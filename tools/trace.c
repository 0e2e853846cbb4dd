// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmafd trace: records what channels do, and writes a timeline and a summary of it. With a
 * command behind it, as long as that runs.
 */
#include "trace.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS 20
/* How long a command may take to end after it was told to. */
#define END_MS 5000

static struct {
	const char *input, *output;
	uint64_t duration;		/* ms; 0: until it is stopped */
	uint64_t buffer;
} config = { .buffer = 4 << 20 };

static uint64_t events, strange;	/* how many; not understood */
static int add_status;

static int set(int letter, const char *value)
{
	switch (letter) {
	case 'i':
		config.input = value;
		return 0;
	case 'o':
		config.output = value;
		return 0;
	case 'd':
		if (parse_duration(value, &config.duration) || !config.duration)
			return misused("'%s' is no duration", value);
		return 0;
	}
	if (parse_size(value, &config.buffer) || config.buffer < 4096 ||
	    config.buffer > 1ULL << 30)
		return misused("'%s' is no size from 4K to 1G", value);
	return 0;
}

/* ---- events ---- */

static void take(char *line, void *unused)
{
	struct event event;
	int result = parse_event(line, &event);

	(void)unused;
	if (result > 0) {
		events++;
		if (!add_status)
			add_status = tracks_add(&event);
	} else if (result < 0) {
		strange++;
	}
}

/* ---- the command that is watched ---- */

static pid_t start_command(char **argv)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	execvp(argv[0], argv);
	failed("%s", argv[0]);
	_exit(127);
}

/* Returns whether it is over. */
static bool is_over(pid_t pid, int *how)
{
	return waitpid(pid, how, WNOHANG) == pid;
}

/* Nobody shall work on after who watches has gone. */
static void end_command(pid_t pid, int *how)
{
	const uint64_t late = clock_ns() + END_MS * 1000000ULL;

	kill(pid, SIGTERM);
	while (!is_over(pid, how)) {
		if (clock_ns() > late)
			kill(pid, SIGKILL);
		poll(NULL, 0, LOOK_MS);
	}
}

static int judge_command(const char *name, int how)
{
	if (WIFEXITED(how) && !WEXITSTATUS(how))
		return STATUS_FINE;
	if (WIFEXITED(how))
		complain("%s: exit status %d", name, WEXITSTATUS(how));
	else
		complain("%s: ended by signal %d", name, WTERMSIG(how));
	return STATUS_FAILED;
}

/* ---- recording ---- */

static bool time_is_over(uint64_t started)
{
	return config.duration && clock_ns() - started >= config.duration * 1000000;
}

/* Reads until @pid is over, if there is one, or the time, or somebody stops it. */
static int watch(struct recording *recording, pid_t pid, const char *name)
{
	const uint64_t started = clock_ns();
	int status = STATUS_FINE, how = 0;
	bool over = false;

	while (!status && !over && !stop_requested() && !time_is_over(started)) {
		poll(NULL, 0, LOOK_MS);
		over = pid && is_over(pid, &how);
		status = recording_read(recording, take);
	}
	recording_stop(recording);
	if (pid && !over)
		end_command(pid, &how);
	if (!status)
		status = recording_read(recording, take);
	/* One that was stopped on purpose has not failed. */
	return status ? status : over ? judge_command(name, how) : STATUS_FINE;
}

static int record(int argc, char **argv, uint64_t *lost)
{
	struct recording recording;
	pid_t pid = 0;
	int status;

	catch_stop();
	status = recording_begin(&recording, config.buffer);
	if (status)
		return status;
	if (argc)
		pid = start_command(argv);
	status = pid < 0 ? failed("fork") : watch(&recording, pid, argc ? argv[0] : "");
	*lost = recording.lost;
	recording_end(&recording);
	return status;
}

/* ---- reading what was recorded elsewhere ---- */

static int replay(uint64_t *lost)
{
	bool is_stdin = !strcmp(config.input, "-");
	FILE *file = is_stdin ? stdin : fopen(config.input, "re");
	size_t size = 0;
	ssize_t length;
	char *line = NULL;
	bool bad;

	if (!file)
		return failed("%s", config.input);
	while ((length = getline(&line, &size, file)) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		*lost += parse_lost(line);
		take(line, NULL);
	}
	bad = ferror(file);
	free(line);
	if (!is_stdin)
		fclose(file);
	return bad ? failed("%s", config.input) : STATUS_FINE;
}

/* ---- the summary ---- */

static void show_json(uint64_t lost)
{
	json_begin(NULL, '{');
	json_unsigned("events", events);
	json_unsigned("not_understood", strange);
	json_unsigned("lost", lost);
	tracks_json();
	json_end();
}

static void show(uint64_t lost)
{
	if (settings.json) {
		show_json(lost);
		return;
	}
	if (settings.quiet)
		return;
	if (tracks_count())
		tracks_print();
	printf("%llu events", (unsigned long long)events);
	if (strange)
		printf(", %llu not understood", (unsigned long long)strange);
	if (config.output)
		printf("; the timeline is in %s", config.output);
	putchar('\n');
}

static int judge_lost(uint64_t lost)
{
	if (!lost)
		return STATUS_FINE;
	complain("%llu events were lost", (unsigned long long)lost);
	advise("a larger --buffer than %s has room for them", short_size(config.buffer));
	return STATUS_LOST;
}

static int run(int argc, char **argv)
{
	uint64_t lost = 0;
	int status, written;

	if (config.input && argc)
		return misused("'%s' is too much with --input", argv[0]);
	if (config.output && timeline_begin(config.output))
		return STATUS_FAILED;
	status = config.input ? replay(&lost) : record(argc, argv, &lost);
	tracks_end();
	written = timeline_end();
	if (status == STATUS_NO_DEVICE)
		return status;
	show(lost);
	if (!status)
		status = add_status ? add_status : written;
	return status ? status : judge_lost(lost);
}

static const struct tool_option options[] = {
	{ 'o', "output", "FILE", "write a timeline there, for Perfetto or chrome://tracing" },
	{ 'd', "duration", "TIME", "record so long; until Ctrl-C, or the command's end" },
	{ 'b', "buffer", "SIZE", "memory for events, on each CPU; 4M" },
	{ 'i', "input", "FILE", "read a trace of the kernel's from there instead of recording" },
	{}
};

const struct command command_trace = {
	.name = "trace",
	.args = "[--] [COMMAND [ARGUMENT]...]",
	.summary = "Record what channels do, as a timeline and a summary",
	.text = "Tracepoints of dmafd and dmasim are recorded while COMMAND runs, or until\n"
		"Ctrl-C, in an instance of tracefs of its own. For each channel the summary\n"
		"tells how many jobs there were, how long they took, and when the channel had\n"
		"nothing to do. Tracing is for root. Lost events are told by exit status 5.",
	.with = WITH_JSON | WITH_QUIET,
	.max_args = INT_MAX,
	.options = options,
	.set = set,
	.run = run,
};
