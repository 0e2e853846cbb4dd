// SPDX-License-Identifier: GPL-2.0-only
/*
 * board-runner - start QEMU, pass on what the command in it prints, watch the
 * kernel log, and turn how it ended into an exit status.
 *
 * QEMU's side of the two ports are the sockets CONSOLE_FD (the kernel log) and
 * CONTROL_FD (see boards/guest/init.c for what is said there).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "runner.h"

enum { CONSOLE_FD = 3, CONTROL_FD = 4 };

/* Leaves the interactive shell even when the board is stuck: Ctrl-]. */
#define ESCAPE 0x1d

/* How long the rest of a panic's text may take, and QEMU to end. */
#define PANIC_MS 1500
#define LOG_MS 2000
#define GRACE_MS 2000

struct options {
	const char *name;
	const char *log;
	const char *token;
	bool show_log;
	bool interactive;
	long timeout;		/* seconds; 0: none */
	long boot_timeout;
	char **qemu;
};

struct session {
	const struct options *opt;
	struct klog log;
	struct control ctl;
	int console, control;	/* our ends; -1 when QEMU closed them */
	FILE *errors;		/* what QEMU itself says */
	pid_t pid;
	bool input;		/* the terminal's input goes to the board */
	bool escaped;
	long deadline;		/* in ms of now(); 0: none */
};

/* Signals only set this: the loop ends QEMU in order. */
static volatile sig_atomic_t caught;

static void on_signal(int sig)
{
	caught = sig;
}

static long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void fail(const struct options *opt, const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", opt->name, what, strerror(errno));
	exit(EXIT_NO_BOOT);
}

static void catch_signals(void)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa = { .sa_handler = on_signal };
	size_t i;

	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		sigaction(sigs[i], &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* Whoever kills boards/boot means the board as well. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
}

static void __attribute__((noreturn)) exec_qemu(const struct session *s, int console, int control)
{
	int null = open("/dev/null", O_RDWR);

	/* Not even a runner that is killed leaves it behind. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Ctrl-C is for us. */
	setpgid(0, 0);
	signal(SIGPIPE, SIG_DFL);
	/* Out of the way first: either may have the other's number. */
	console = fcntl(console, F_DUPFD, 10);
	control = fcntl(control, F_DUPFD, 10);
	dup2(null, 0);
	dup2(fileno(s->errors), 1);
	dup2(1, 2);
	dup2(console, CONSOLE_FD);
	dup2(control, CONTROL_FD);
	execvp(s->opt->qemu[0], s->opt->qemu);
	dprintf(2, "%s: %s\n", s->opt->qemu[0], strerror(errno));
	_exit(EXIT_NO_BOOT);
}

static void start_qemu(struct session *s)
{
	int console[2], control[2];

	s->errors = tmpfile();
	if (!s->errors)
		fail(s->opt, "tmpfile");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, console) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control))
		fail(s->opt, "socketpair");
	s->pid = fork();
	if (s->pid < 0)
		fail(s->opt, "fork");
	if (s->pid == 0)
		exec_qemu(s, console[1], control[1]);
	close(console[1]);
	close(control[1]);
	s->console = console[0];
	s->control = control[0];
}

/* By its pid, and with force when it does not go: a stuck device model does
 * not see signals.
 */
static void end_qemu(struct session *s)
{
	long limit = now() + GRACE_MS;

	kill(s->pid, SIGTERM);
	while (waitpid(s->pid, NULL, WNOHANG) == 0) {
		if (now() > limit)
			kill(s->pid, SIGKILL);
		usleep(5000);
	}
}

static void set_deadline(struct session *s, long ms)
{
	s->deadline = ms > 0 ? now() + ms : 0;
}

static void read_console(struct session *s)
{
	char buf[4096];
	bool panicked = s->log.panicked;
	ssize_t n = read(s->console, buf, sizeof(buf));

	if (n <= 0) {
		close(s->console);
		s->console = -1;
		return;
	}
	klog_feed(&s->log, buf, n);
	if (s->log.panicked && !panicked)
		set_deadline(s, PANIC_MS);
}

static void read_control(struct session *s)
{
	char buf[4096];
	bool ready = s->ctl.ready;
	ssize_t n = read(s->control, buf, sizeof(buf));

	if (n <= 0) {
		close(s->control);
		s->control = -1;
		return;
	}
	control_feed(&s->ctl, buf, n);
	if (s->ctl.ready && !ready)
		set_deadline(s, s->opt->timeout * 1000);
	if (s->ctl.done)
		set_deadline(s, LOG_MS);
}

static void read_input(struct session *s)
{
	char buf[256];
	ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));

	if (n <= 0)
		s->input = false;
	else if (memchr(buf, ESCAPE, n))
		s->escaped = true;
	else if (s->control >= 0 && write_all(s->control, buf, n))
		s->input = false;
}

static bool finished(const struct session *s)
{
	if (caught || s->escaped || s->log.stopped)
		return true;
	if (s->console < 0 && s->control < 0)
		return true;
	/* All that the kernel had to say is there when both have spoken. */
	return s->ctl.done && s->log.complete;
}

static void watch(struct session *s)
{
	while (!finished(s)) {
		struct pollfd fds[] = {
			{ .fd = s->console, .events = POLLIN },
			{ .fd = s->control, .events = POLLIN },
			{ .fd = s->input ? STDIN_FILENO : -1, .events = POLLIN },
		};
		long left = s->deadline ? s->deadline - now() : -1;

		if (s->deadline && left <= 0)
			return;
		if (poll(fds, 3, left) < 0)
			continue;
		if (fds[0].revents)
			read_console(s);
		if (fds[1].revents)
			read_control(s);
		if (fds[2].revents)
			read_input(s);
	}
}

/* The reason may stand in QEMU's own words, or in the log's last ones. */
static void explain_no_boot(struct session *s)
{
	char line[512];

	fprintf(stderr, "%s: the board did not boot; its log is in %s\n", s->opt->name,
		s->opt->log);
	rewind(s->errors);
	while (fgets(line, sizeof(line), s->errors))
		if (!strstr(line, "terminating on signal"))
			fprintf(stderr, "  %s", line);
	if (s->log.report >= 0)
		klog_print_report(&s->log, stderr);
}

static int verdict(struct session *s)
{
	const char *name = s->opt->name;

	if (caught)
		return 128 + caught;
	if (s->escaped)
		return 0;
	if (!s->ctl.ready) {
		explain_no_boot(s);
		return EXIT_NO_BOOT;
	}
	if (s->log.report >= 0) {
		fprintf(stderr, "%s: the kernel reported (its log is in %s):\n", name,
			s->opt->log);
		klog_print_report(&s->log, stderr);
		return EXIT_REPORT;
	}
	if (s->ctl.done)
		return s->ctl.status;
	if (s->console < 0) {
		fprintf(stderr, "%s: the board stopped before the command ended\n", name);
		return EXIT_NO_BOOT;
	}
	fprintf(stderr, "%s: timeout after %ld s\n", name, s->opt->timeout);
	return EXIT_TIMEOUT;
}

static int run(const struct options *opt)
{
	struct session s = { .opt = opt, .input = opt->interactive };
	struct termios saved, raw;
	int status;
	bool is_tty = opt->interactive && !tcgetattr(STDIN_FILENO, &saved);

	if (klog_open(&s.log, opt->log, opt->token, opt->show_log))
		fail(opt, opt->log);
	control_init(&s.ctl, opt->token, STDOUT_FILENO);
	catch_signals();
	start_qemu(&s);
	set_deadline(&s, opt->boot_timeout * 1000);
	if (is_tty) {
		raw = saved;
		cfmakeraw(&raw);
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	watch(&s);
	if (is_tty)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	end_qemu(&s);
	control_flush(&s.ctl);
	status = verdict(&s);
	klog_close(&s.log);
	fclose(s.errors);
	return status;
}

static void print_help(void)
{
	puts("Usage: board-runner --token WORD --log FILE [OPTION]... -- QEMU [ARG]...\n"
	     "What boards/boot starts; see there.\n"
	     "\n"
	     "      --name NAME       who speaks in messages\n"
	     "      --log FILE        where the kernel log is kept\n"
	     "      --show-log        and show it on stderr\n"
	     "      --token WORD      begins init's messages\n"
	     "      --interactive     pass on the terminal's input\n"
	     "      --timeout S       for the command; 0: none\n"
	     "      --boot-timeout S  until it starts");
}

static void parse(int argc, char **argv, struct options *opt)
{
	static const struct option longopts[] = {
		{ "name", required_argument, NULL, 'n' },
		{ "log", required_argument, NULL, 'l' },
		{ "show-log", no_argument, NULL, 's' },
		{ "token", required_argument, NULL, 'k' },
		{ "interactive", no_argument, NULL, 'i' },
		{ "timeout", required_argument, NULL, 't' },
		{ "boot-timeout", required_argument, NULL, 'b' },
		{ "help", no_argument, NULL, 'h' },
		{ },
	};
	int c;

	while ((c = getopt_long(argc, argv, "+", longopts, NULL)) != -1) {
		switch (c) {
		case 'n':
			opt->name = optarg;
			break;
		case 'l':
			opt->log = optarg;
			break;
		case 's':
			opt->show_log = true;
			break;
		case 'k':
			opt->token = optarg;
			break;
		case 'i':
			opt->interactive = true;
			break;
		case 't':
			opt->timeout = strtol(optarg, NULL, 10);
			break;
		case 'b':
			opt->boot_timeout = strtol(optarg, NULL, 10);
			break;
		case 'h':
			print_help();
			exit(0);
		default:
			exit(EXIT_NO_BOOT);
		}
	}
	opt->qemu = argv + optind;
	if (!opt->log || !opt->token || strlen(opt->token) > 64 || !opt->qemu[0]) {
		fprintf(stderr, "%s: see --help\n", opt->name);
		exit(EXIT_NO_BOOT);
	}
}

int main(int argc, char **argv)
{
	struct options opt = { .name = "board-runner", .boot_timeout = 120 };

	parse(argc, argv, &opt);
	return run(&opt);
}
