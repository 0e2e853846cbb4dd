// SPDX-License-Identifier: GPL-2.0-only
#include "lab.h"

#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIM "/sys/kernel/config/dmasim/lab"

#define DEVICE_WAIT_US 5000000
#define DEVICE_POLL_US 5000

/* klogctl()'s actions have no names outside the kernel. */
#define CONSOLE_LEVEL 8
#define LEVEL_UP_TO_INFO 7
#define LEVEL_UP_TO_NOTICE 6

static int log_fd = -1;

static bool read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (fd >= 0) {
		n = read(fd, text, size - 1);
		close(fd);
	}
	if (n < 0)
		return false;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return true;
}

static void write_text(const char *path, const char *text)
{
	int fd;

	ASSERT_OK(fd = open(path, O_WRONLY | O_CLOEXEC));
	ASSERT_OK(write(fd, text, strlen(text)));
	close(fd);
}

static size_t count_files(const char *pattern)
{
	glob_t found;
	size_t n;

	n = glob(pattern, 0, NULL, &found) ? 0 : found.gl_pathc;
	globfree(&found);
	return n;
}

static void run(const char *program, const char *argument)
{
	pid_t pid = fork();

	if (pid == 0) {
		execlp(program, program, argument, NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static bool board_has_channel(void)
{
	const char *board = getenv("BOARD");

	return board && (strcmp(board, "raspi3b") == 0 ||
			 strcmp(board, "smdkc210") == 0);
}

/*
 * Where the controller's driver is a module; there is no udev on the boards. A
 * board without a controller takes a simulated one.
 */
static void load_controller(void)
{
	if (!count_files("/sys/class/dma/*"))
		run("modprobe", board_has_channel() ? "pl330" : "dmasim");
}

void lab_wait_for_device(const struct lab *lab)
{
	int waited;

	for (waited = 0; waited < DEVICE_WAIT_US; waited += DEVICE_POLL_US) {
		if (access(lab->device, F_OK) == 0)
			return;
		usleep(DEVICE_POLL_US);
	}
	ASSERT_OK(access(lab->device, F_OK));
}

void lab_insert(const struct lab *lab, const char *parameters)
{
	char all[256];
	int fd;

	snprintf(all, sizeof(all), "make_device=1 %s", parameters);
	ASSERT_OK(fd = open(lab->file, O_RDONLY | O_CLOEXEC));
	ASSERT_OK(syscall(SYS_finit_module, fd, all, 0));
	close(fd);
}

void lab_load(const struct lab *lab, const char *parameters)
{
	lab_insert(lab, parameters);
	lab_wait_for_device(lab);
}

int lab_try_remove(const struct lab *lab)
{
	return syscall(SYS_delete_module, lab->module, O_NONBLOCK);
}

void lab_unload(const struct lab *lab)
{
	EXPECT_EQ(0, lab_references(lab));
	ASSERT_OK(lab_try_remove(lab));
	EXPECT_ERRNO(ENOENT, access(lab->device, F_OK));
}

void lab_clean_up(const struct lab *lab)
{
	lab_console(true);
	if (lab_try_remove(lab) < 0)
		EXPECT_EQ(ENOENT, errno);
}

static void need_channel(void)
{
	load_controller();
	if (count_files("/sys/class/dma/*"))
		return;
	if (board_has_channel())
		ASSERT_TRUE(!"the board's DMA controller is there");
	SKIP("no DMA channel that copies memory");
}

void lab_start(const struct lab *lab)
{
	need_channel();
	lab_clean_up(lab);
}

int lab_references(const struct lab *lab)
{
	char path[PATH_MAX], text[32];

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", lab->module);
	ASSERT_TRUE(read_text(path, text, sizeof(text)));
	return atoi(text);
}

static int count_holders(const char *in_use_pattern)
{
	char text[32];
	int holders = 0;
	glob_t found;
	size_t i;

	if (glob(in_use_pattern, 0, NULL, &found))
		return 0;
	for (i = 0; i < found.gl_pathc; i++)
		if (read_text(found.gl_pathv[i], text, sizeof(text)))
			holders += atoi(text);
	globfree(&found);
	return holders;
}

int lab_channels_in_use(void)
{
	return count_holders("/sys/class/dma/*/in_use");
}

static void set_sim_option(const char *option, const char *value)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), SIM "/%s", option);
	write_text(path, value);
}

static void remove_sims(void)
{
	rmdir(SIM);
	if (access("/sys/module/dmasim", F_OK) == 0)
		ASSERT_OK(syscall(SYS_delete_module, "dmasim", O_NONBLOCK));
}

void lab_simulate(const char *options)
{
	char text[256], *option, *value, *rest = text;

	if (board_has_channel())
		SKIP("the board has a DMA controller of its own");
	remove_sims();
	ASSERT_EQ(0, system("modprobe dmasim controller=0"));
	ASSERT_OK(mkdir(SIM, 0700));
	snprintf(text, sizeof(text), "%s", options);
	while ((option = strsep(&rest, " "))) {
		value = strchr(option, '=');
		if (!value)
			continue;
		*value = '\0';
		set_sim_option(option, value + 1);
	}
	set_sim_option("live", "1");
}

void lab_inject(const char *rule)
{
	set_sim_option("inject", rule);
}

int lab_try_stop_sim(void)
{
	int fd, ret;

	ASSERT_OK(fd = open(SIM "/live", O_WRONLY | O_CLOEXEC));
	ret = write(fd, "0", 1) == 1 ? 0 : -1;
	close(fd);
	return ret;
}

long lab_sim_number(const char *file, const char *key)
{
	char path[PATH_MAX], line[256];
	long number = -1;
	FILE *stream;

	ASSERT_TRUE(read_text(SIM "/device", line, sizeof(line)));
	snprintf(path, sizeof(path), "/sys/kernel/debug/dmasim/%s/%s", line, file);
	ASSERT_TRUE(stream = fopen(path, "re"));
	while (fgets(line, sizeof(line), stream))
		if (strncmp(line, key, strlen(key)) == 0)
			sscanf(line + strlen(key), ": %ld", &number);
	fclose(stream);
	return number;
}

/* A platform device appears as a link in the folder of its driver. */
static void find_device(const struct lab *lab, char *name, size_t size)
{
	char pattern[PATH_MAX];
	glob_t found;

	snprintf(pattern, sizeof(pattern),
		 "/sys/bus/platform/drivers/%s/*/modalias", lab->driver);
	ASSERT_EQ(0, glob(pattern, 0, NULL, &found));
	ASSERT_EQ(1U, found.gl_pathc);
	*strrchr(found.gl_pathv[0], '/') = '\0';
	snprintf(name, size, "%s", strrchr(found.gl_pathv[0], '/') + 1);
	globfree(&found);
}

/* The device that was unbound last; one test unbinds one device. */
static char unbound[NAME_MAX];

static void write_driver_file(const struct lab *lab, const char *file)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/bus/platform/drivers/%s/%s",
		 lab->driver, file);
	write_text(path, unbound);
}

void lab_unbind(const struct lab *lab)
{
	find_device(lab, unbound, sizeof(unbound));
	write_driver_file(lab, "unbind");
}

void lab_bind(const struct lab *lab)
{
	write_driver_file(lab, "bind");
	lab_wait_for_device(lab);
}

/* The controller's folder and its driver's. */
static char controller[PATH_MAX];
static char controller_driver[PATH_MAX];

/* The lab's device has a link to it, so that it is unbound first. */
static void find_controller(const struct lab *lab)
{
	char path[PATH_MAX + 16];
	glob_t found;

	snprintf(path, sizeof(path),
		 "/sys/bus/platform/drivers/%s/*/supplier:*/supplier/dma",
		 lab->driver);
	ASSERT_EQ(0, glob(path, 0, NULL, &found));
	ASSERT_TRUE(realpath(found.gl_pathv[0], controller));
	*strrchr(controller, '/') = '\0';
	globfree(&found);
	snprintf(path, sizeof(path), "%s/driver", controller);
	ASSERT_TRUE(realpath(path, controller_driver));
	snprintf(path, sizeof(path), "%s/unbind", controller_driver);
	if (access(path, F_OK) < 0)
		SKIP("this DMA controller's driver can't be unbound");
}

static void write_controller_file(const char *file)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/%s", controller_driver, file);
	write_text(path, strrchr(controller, '/') + 1);
}

void lab_unbind_controller(const struct lab *lab)
{
	char path[PATH_MAX + 16];

	find_controller(lab);
	snprintf(path, sizeof(path), "%s/dma/*/in_use", controller);
	if (count_holders(path) != 1)
		SKIP("others use this DMA controller, too");
	write_controller_file("unbind");
}

void lab_bind_controller(void)
{
	write_controller_file("bind");
}

int lab_open(const struct lab *lab, int flags)
{
	int fd;

	ASSERT_OK(fd = open(lab->device, flags | O_CLOEXEC));
	return fd;
}

void lab_log_mark(void)
{
	if (log_fd < 0)
		ASSERT_OK(log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK |
					O_CLOEXEC));
	ASSERT_OK(lseek(log_fd, 0, SEEK_END));
}

/* What was looked at is behind the mark: each line is looked for in order. */
bool lab_logged(const char *text)
{
	char record[8192];
	ssize_t n;

	while ((n = read(log_fd, record, sizeof(record) - 1)) > 0 ||
	       errno == EPIPE) {
		if (n < 0)
			continue;
		record[n] = '\0';
		if (strstr(record, text))
			return true;
	}
	return false;
}

void lab_console(bool on)
{
	klogctl(CONSOLE_LEVEL, NULL,
		on ? LEVEL_UP_TO_INFO : LEVEL_UP_TO_NOTICE);
}
