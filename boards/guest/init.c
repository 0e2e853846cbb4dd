// SPDX-License-Identifier: GPL-2.0-only
/*
 * init - the first process on a board
 *
 * Runs one command (or a shell) on the control port, then looks at what it
 * left behind, and tells the machine that started the board how it went.
 *
 * What it is told, in files of the initramfs:
 *   /session/token   a word that no output of the command can contain
 *   /session/argv    the command, each word ended by a NUL; no file: a shell
 *   /session/env     environment, each NAME=VALUE ended by a NUL
 *   /session/control the control port's name below /dev
 *   /session/configfs.ko  where the kernel has it as a module
 *
 * What it says on the control port, between the command's output:
 *   NUL token " ready\n"          the command is about to start
 *   NUL token " exit STATUS\n"    it ended, and the board was looked over
 * What it finds wrong goes to the kernel log, where the other reports are.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "guest.h"

#define MAX_WORDS 256
#define CONFIGFS_MODULE "/session/configfs.ko"

static int kmsg = -1;
static int control = -1;
static char token[64];

void klog(const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n < 0 || kmsg < 0)
		return;
	if ((size_t)n >= sizeof(line))
		n = sizeof(line) - 1;
	/* A line that could not be logged can't be reported anywhere else. */
	if (write(kmsg, line, n) < 0)
		return;
}

/* The board is of no use: say why and stop; the other side sees a timeout. */
static void __attribute__((noreturn)) give_up(const char *what)
{
	klog("<2>boards: cannot start: %s: %s\n", what, strerror(errno));
	sync();
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

ssize_t read_file(const char *path, char *buf, size_t size)
{
	size_t done = 0;
	ssize_t n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	while (done < size - 1) {
		n = read(fd, buf + done, size - 1 - done);
		if (n <= 0)
			break;
		done += n;
	}
	close(fd);
	buf[done] = '\0';
	return n < 0 ? -1 : (ssize_t)done;
}

int write_file(const char *path, const char *text)
{
	ssize_t n;
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -1 : 0;
}

/* As on any machine that was started by systemd, it is there from the first. */
static void load_configfs(void)
{
	int fd = open(CONFIGFS_MODULE, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (syscall(SYS_finit_module, fd, "", 0))
		klog("<4>boards: configfs cannot be loaded: %s\n", strerror(errno));
	close(fd);
	unlink(CONFIGFS_MODULE);
}

static void mount_all(void)
{
	static const struct {
		const char *type, *where;
		int must;
	} fs[] = {
		{ "devtmpfs", "/dev", 1 },
		{ "proc", "/proc", 1 },
		{ "sysfs", "/sys", 1 },
		{ "devpts", "/dev/pts", 0 },
		{ "tmpfs", "/dev/shm", 0 },
		{ "tmpfs", "/tmp", 0 },
		{ "debugfs", "/sys/kernel/debug", 0 },
		{ "tracefs", "/sys/kernel/tracing", 0 },
		{ "configfs", "/sys/kernel/config", 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(fs) / sizeof(fs[0]); i++) {
		if (!strcmp(fs[i].type, "configfs"))
			load_configfs();
		mkdir(fs[i].where, 0755);
		if (mount(fs[i].type, fs[i].where, fs[i].type, 0, NULL) && fs[i].must)
			give_up(fs[i].where);
		if (kmsg < 0)
			kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	}
	symlink("/proc/self/fd", "/dev/fd");
}

/* Splits a buffer of NUL-ended words; the vector ends with NULL. */
static int split_words(char *buf, ssize_t len, char **words, int max)
{
	char *p = buf;
	int n = 0;

	while (p < buf + len && n < max - 1) {
		words[n++] = p;
		p += strlen(p) + 1;
	}
	words[n] = NULL;
	return n;
}

static int run_quietly(char *const argv[])
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Opens the port, or opens it again: the shell was its session's leader, and
 * with it went every descriptor of the terminal. Output leaves as it is
 * written: no character of it is translated, but for a person's terminal.
 */
static void open_control(int interactive)
{
	char name[64] = "/dev/";
	struct termios tio;
	int i;

	if (read_file("/session/control", name + 5, sizeof(name) - 5) <= 0)
		give_up("/session/control");
	name[strcspn(name, "\n")] = '\0';
	if (control >= 0)
		close(control);
	control = -1;
	for (i = 0; i < 100 && control < 0; i++) {
		control = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
		if (control < 0)
			usleep(20000);
	}
	if (control < 0)
		give_up(name);
	if (tcgetattr(control, &tio))
		return;
	cfsetspeed(&tio, B115200);
	if (interactive) {
		tio.c_lflag |= ICANON | ECHO | ECHOE | ECHOK | ISIG | IEXTEN;
		tio.c_iflag |= ICRNL;
		tio.c_oflag |= OPOST | ONLCR;
	} else {
		cfmakeraw(&tio);
	}
	tio.c_cflag |= CLOCAL;
	tcsetattr(control, TCSANOW, &tio);
}

static void say(const char *what, int status)
{
	char line[128];
	int n;

	n = snprintf(line, sizeof(line), "%s %s", token, what);
	if (status >= 0)
		n += snprintf(line + n, sizeof(line) - n, " %d", status);
	n += snprintf(line + n, sizeof(line) - n, "\n");
	tcdrain(control);
	if (write(control, "", 1) != 1 || write(control, line, n) != n)
		klog("<3>boards: the control port does not take the verdict\n");
	tcdrain(control);
}

static void __attribute__((noreturn)) exec_command(char **argv, int interactive)
{
	char env[4096], *envp[MAX_WORDS];
	ssize_t len;
	int in;

	setsid();
	if (interactive)
		ioctl(control, TIOCSCTTY, 0);
	in = interactive ? control : open("/dev/null", O_RDONLY);
	dup2(in, 0);
	dup2(control, 1);
	dup2(control, 2);
	len = read_file("/session/env", env, sizeof(env));
	split_words(env, len, envp, MAX_WORDS);
	environ = envp;
	if (chdir("/work"))
		_exit(126);
	execvp(argv[0], argv);
	dprintf(2, "%s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static int run_command(char **argv, int interactive)
{
	int status = 0;
	pid_t pid, got;

	pid = fork();
	if (pid == 0)
		exec_command(argv, interactive);
	if (pid < 0)
		give_up("fork");
	/* Orphans come to us as well; theirs is not the status that counts. */
	do {
		got = wait(&status);
	} while (got != pid && !(got < 0 && errno == ECHILD));
	if (got < 0)
		return 126;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Nothing of the command may run on while the board is looked over. */
static void end_everyone(void)
{
	int i;

	for (i = 0; i < 100; i++) {
		pid_t got;

		kill(-1, SIGKILL);
		do {
			got = waitpid(-1, NULL, WNOHANG);
		} while (got > 0);
		if (got < 0 && errno == ECHILD)
			return;
		usleep(50000);
	}
	klog("<3>boards: leak: a process cannot be killed\n");
}

static void read_token(void)
{
	if (read_file("/session/token", token, sizeof(token)) <= 0)
		give_up("/session/token");
	token[strcspn(token, "\n")] = '\0';
	unlink("/session/token");
}

int main(void)
{
	char buf[16384], *argv[MAX_WORDS] = { "/bin/sh", "-l", NULL };
	char *const install[] = { "/bin/busybox", "--install", "-s", "/bin", NULL };
	struct inventory before;
	ssize_t len;
	int interactive, status;

	mount_all();
	/* Before there is a console, what goes to it goes nowhere. */
	if (open("/dev/console", O_RDWR) < 0)
		open("/dev/null", O_RDWR);
	dup2(0, 1);
	dup2(0, 2);
	read_token();
	len = read_file("/session/argv", buf, sizeof(buf));
	interactive = len <= 0;
	if (!interactive)
		split_words(buf, len, argv, MAX_WORDS);
	run_quietly(install);
	sethostname("board", 5);
	open_control(interactive);

	take_inventory(&before);
	/* In a shell one wants to look around after a warning. */
	if (!interactive)
		write_file("/proc/sys/kernel/panic_on_warn", "1");
	say("ready", -1);
	status = run_command(argv, interactive);
	end_everyone();
	if (interactive)
		open_control(0);
	check_inventory(&before);

	/* The verdict comes last: it waits until this line is out, too. */
	klog("<6>boards: %s\n", token);
	say("exit", status);
	for (;;)
		pause();
}
