// SPDX-License-Identifier: GPL-2.0-only
#include "harness.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A killed process that does not go within this time sits in the kernel. */
#define KILL_WAIT_MS 5000
#define LOG_RECORDS 200

/* Shared by the harness and all processes of the running test. */
struct outcome {
	int failures;		/* atomic */
	bool finished;		/* set by the test's first process alone */
	bool skipped;		/* likewise, like reason */
	char reason[256];
};

static struct harness_test *tests;
static struct harness_test **last = &tests;
static struct outcome *outcome;

/* The test's first process and thread, and where its ASSERT and SKIP go. */
static pid_t test_thread;
static sigjmp_buf test_end;

void harness_register(struct harness_test *test)
{
	*last = test;
	last = &test->next;
}

/* ---- in the test ---- */

static void end_test(void)
{
	fflush(NULL);
	if (gettid() == test_thread)
		siglongjmp(test_end, 1);
	_exit(1);
}

/* Begins the message about a failure; fail_end() ends it. */
static void fail(const struct harness_where *where)
{
	__atomic_add_fetch(&outcome->failures, 1, __ATOMIC_SEQ_CST);
	printf("%s:%d: ", where->file, where->line);
}

static void fail_end(const struct harness_where *where)
{
	putchar('\n');
	fflush(stdout);
	if (where->fatal)
		end_test();
}

static const char *const op_text[] = { "==", "!=", "<", "<=", ">", ">=" };

/* Less than, equal or greater than zero, as for qsort(). */
static int order(struct harness_value a, struct harness_value b)
{
	if (a.negative != b.negative)
		return a.negative ? -1 : 1;
	return (a.bits > b.bits) - (a.bits < b.bits);
}

static bool holds(struct harness_value a, enum harness_op op,
		  struct harness_value b)
{
	int o = order(a, b);

	switch (op) {
	case HARNESS_EQ: return o == 0;
	case HARNESS_NE: return o != 0;
	case HARNESS_LT: return o < 0;
	case HARNESS_LE: return o <= 0;
	case HARNESS_GT: return o > 0;
	case HARNESS_GE: return o >= 0;
	}
	return false;
}

static void print_value(struct harness_value value)
{
	if (value.pointer)
		printf("%#llx", value.bits);
	else if (value.negative)
		printf("%lld", (long long)value.bits);
	else
		printf("%llu", value.bits);
}

void harness_compare(struct harness_where where, enum harness_op op,
		     const char *expected_text, struct harness_value expected,
		     const char *seen_text, struct harness_value seen)
{
	if (holds(expected, op, seen))
		return;
	fail(&where);
	printf("expected %s %s %s, but it is ",
	       expected_text, op_text[op], seen_text);
	print_value(expected);
	printf(" against ");
	print_value(seen);
	fail_end(&where);
}

void harness_true(struct harness_where where, const char *text, bool seen)
{
	if (seen)
		return;
	fail(&where);
	printf("expected %s", text);
	fail_end(&where);
}

void harness_streq(struct harness_where where, const char *text,
		   const char *expected, const char *seen)
{
	if (expected && seen && strcmp(expected, seen) == 0)
		return;
	fail(&where);
	printf("expected %s to be \"%s\", but it is \"%s\"", text,
	       expected ? expected : "(null)", seen ? seen : "(null)");
	fail_end(&where);
}

void harness_memeq(struct harness_where where, const char *text,
		   const void *expected, const void *seen, size_t size)
{
	const unsigned char *a = expected, *b = seen;
	size_t at = 0, wrong = 0, i;

	for (i = size; i-- > 0;)
		if (a[i] != b[i]) {
			at = i;
			wrong++;
		}
	if (wrong == 0)
		return;
	fail(&where);
	printf("%zu of %zu bytes of %s differ; byte %zu should be 0x%02x and is 0x%02x",
	       wrong, size, text, at, a[at], b[at]);
	fail_end(&where);
}

static bool is_minus_one(struct harness_value value)
{
	if (value.pointer)
		return value.bits == UINTPTR_MAX;
	return value.negative && value.bits == -1ULL;
}

void harness_errno(struct harness_where where, const char *text, int expected,
		   struct harness_value seen)
{
	int error = is_minus_one(seen) ? errno : 0;

	if (error == expected && is_minus_one(seen) == !!expected)
		return;
	fail(&where);
	printf("expected %s to %s%s, but it ", text,
	       expected ? "fail with " : "succeed",
	       expected ? strerrorname_np(expected) : "");
	if (is_minus_one(seen)) {
		printf("failed with %s",
		       strerrorname_np(error) ?: "no errno");
	} else {
		printf("returned ");
		print_value(seen);
	}
	fail_end(&where);
}

void harness_skip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(outcome->reason, sizeof(outcome->reason), format, args);
	va_end(args);
	outcome->skipped = true;
	end_test();
	__builtin_unreachable();
}

static void step(void (*function)(void *data), void *data)
{
	if (function && sigsetjmp(test_end, 1) == 0)
		function(data);
}

/* The set-up and the test are left together. */
static void setup_and_run(const struct harness_test *test, void *data)
{
	if (sigsetjmp(test_end, 1))
		return;
	if (test->setup)
		test->setup(data);
	test->run(data);
}

static void run_in_child(const struct harness_test *test, int output)
{
	void *data = calloc(1, test->size + 1);

	if (!data)
		_exit(1);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	close(output);
	setvbuf(stdout, NULL, _IOLBF, 0);
	test_thread = gettid();

	setup_and_run(test, data);
	if (gettid() != test_thread)
		_exit(1);	/* a process that the test started came here */
	step(test->teardown, data);
	outcome->finished = true;
	fflush(NULL);
	_exit(0);
}

/* ---- around the test ---- */

/* Turns what comes in pieces into diagnostic lines. */
struct diagnostics {
	char line[1024];
	size_t used;
};

static void diagnostics_end_line(struct diagnostics *d)
{
	if (d->used)
		printf("# %.*s\n", (int)d->used, d->line);
	d->used = 0;
}

static void diagnostics_add(struct diagnostics *d, const char *data, size_t n)
{
	for (; n > 0; n--, data++) {
		if (*data == '\n' || d->used == sizeof(d->line))
			diagnostics_end_line(d);
		if (*data != '\n' && *data != '\0')
			d->line[d->used++] = *data;
	}
	fflush(stdout);
}

/* Returns false at the end of the stream, or when there is nothing now. */
static bool diagnostics_read(struct diagnostics *d, int fd)
{
	char data[4096];
	ssize_t n = read(fd, data, sizeof(data));

	if (n <= 0)
		return false;
	diagnostics_add(d, data, n);
	return true;
}

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Shows output until the process is gone; false when the time is over. */
static bool watch(pid_t pid, int output, struct diagnostics *d, long long ms)
{
	long long end = now_ms() + ms, left;
	struct pollfd fds[2] = {
		{ .fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN },
		{ .fd = output, .events = POLLIN },
	};

	if (fds[0].fd < 0)
		perror("pidfd_open");
	while ((left = end - now_ms()) > 0) {
		if (poll(fds, 2, left) < 0 && errno != EINTR)
			break;
		/* A negative descriptor is left out by poll(). */
		if (fds[1].revents && !diagnostics_read(d, output))
			fds[1].fd = -1;
		if (fds[0].revents)
			break;
	}
	close(fds[0].fd);
	return left > 0;
}

static void show_file(const char *format, pid_t pid, struct diagnostics *d)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), format, pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return;
	while (diagnostics_read(d, fd))
		;
	close(fd);
}

/* Kills the whole test; false when its first process cannot be killed. */
static bool kill_test(pid_t pid, int output, struct diagnostics *d)
{
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	if (watch(pid, output, d, KILL_WAIT_MS))
		return true;
	printf("# it cannot be killed: it sits in the kernel\n");
	show_file("/proc/%d/stack", pid, d);
	return false;
}

static unsigned int timeout_of(const struct harness_test *test)
{
	const char *slow = getenv("HARNESS_SLOW");
	int factor = slow ? atoi(slow) : 1;

	return (test->timeout ?: HARNESS_TIMEOUT) * (factor > 0 ? factor : 1);
}

/* How a process ended that should have come to the end of its test. */
static void explain_end(int status)
{
	if (WIFSIGNALED(status))
		printf("# killed by signal %d (%s)\n", WTERMSIG(status),
		       strsignal(WTERMSIG(status)));
	else
		printf("# exited with status %d before the end of the test\n",
		       WEXITSTATUS(status));
}

static bool supervise(const struct harness_test *test, pid_t pid, int output)
{
	struct diagnostics d = { .used = 0 };
	unsigned int seconds = timeout_of(test);
	int status = 0;
	bool in_time, gone;

	in_time = watch(pid, output, &d, seconds * 1000LL);
	if (!in_time) {
		diagnostics_end_line(&d);
		printf("# timed out after %u s\n", seconds);
	}
	gone = kill_test(pid, output, &d);
	if (gone)
		waitpid(pid, &status, 0);
	while (diagnostics_read(&d, output))
		;
	diagnostics_end_line(&d);
	if (!in_time || !gone)
		return false;
	if (!outcome->finished)
		explain_end(status);
	return outcome->finished && outcome->failures == 0;
}

static bool run_test(const struct harness_test *test)
{
	bool passed;
	int output[2];
	pid_t pid = -1;

	memset(outcome, 0, sizeof(*outcome));
	fflush(NULL);
	if (pipe2(output, O_CLOEXEC) == 0)
		pid = fork();
	if (pid < 0) {
		printf("# cannot start: %s\n", strerror(errno));
		return false;
	}
	if (pid == 0)
		run_in_child(test, output[1]);
	setpgid(pid, pid);
	close(output[1]);
	fcntl(output[0], F_SETFL, O_NONBLOCK);
	passed = supervise(test, pid, output[0]);
	close(output[0]);
	return passed;
}

/* Records that arrived since log_mark(); the time is in microseconds. */
static void show_log(int kmsg)
{
	char record[8192];
	unsigned long long usec;
	int shown = 0, text;
	ssize_t n;

	while (shown < LOG_RECORDS) {
		n = read(kmsg, record, sizeof(record) - 1);
		if (n < 0 && errno == EPIPE)
			continue;
		if (n <= 0)
			return;
		record[n] = '\0';
		text = 0;
		if (sscanf(record, "%*u,%*u,%llu%*[^;]%n", &usec, &text) < 1 ||
		    record[text] != ';')
			continue;
		printf("# kernel: [%5llu.%06llu] %.*s\n", usec / 1000000,
		       usec % 1000000, (int)strcspn(record + text + 1, "\n"),
		       record + text + 1);
		shown++;
	}
	printf("# kernel: (and more)\n");
}

static void log_mark(int kmsg)
{
	lseek(kmsg, 0, SEEK_END);
}

/* ---- the program ---- */

static bool selected(const struct harness_test *test, const char *pattern)
{
	return !pattern || fnmatch(pattern, test->name, 0) == 0;
}

static int run_tests(const char *pattern)
{
	int kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct harness_test *test;
	int number = 0, failed = 0;

	for (test = tests; test; test = test->next)
		number += selected(test, pattern);
	printf("KTAP version 1\n1..%d\n", number);
	if (number == 0)
		return 1;

	number = 0;
	for (test = tests; test; test = test->next) {
		bool passed;

		if (!selected(test, pattern))
			continue;
		log_mark(kmsg);
		passed = run_test(test);
		if (!passed) {
			failed++;
			show_log(kmsg);
		}
		printf("%sok %d %s", passed ? "" : "not ", ++number,
		       test->name);
		if (passed && outcome->skipped)
			printf(" # SKIP %s", outcome->reason);
		putchar('\n');
		fflush(stdout);
	}
	return failed ? 1 : 0;
}

static void list_tests(void)
{
	struct harness_test *test;

	for (test = tests; test; test = test->next)
		puts(test->name);
}

static void print_help(FILE *to, const char *name)
{
	fprintf(to,
		"Usage: %s [PATTERN]\n"
		"Run the tests whose names match PATTERN (as the shell matches file names),\n"
		"or all of them, and write KTAP.\n"
		"\n"
		"  --list  only tell the tests' names\n"
		"  --help  this text\n", name);
}

int main(int argc, char **argv)
{
	const char *argument = argc > 1 ? argv[1] : NULL;

	if (argument && strcmp(argument, "--help") == 0) {
		print_help(stdout, argv[0]);
		return 0;
	}
	if (argument && strcmp(argument, "--list") == 0) {
		list_tests();
		return 0;
	}
	if (argc > 2 || (argument && argument[0] == '-')) {
		print_help(stderr, argv[0]);
		return 2;
	}
	outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (outcome == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	return run_tests(argument);
}
