/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests for labs whose device is written to, each write being one transfer.
 * To be included once, by a program that has defined
 *
 *	static const struct lab lab = { ... };
 *	#define LAB_MAX ...	the longest write that is taken
 *	#define LAB_TOO_LONG ...	the errno that a longer one gets
 *	#define LAB_LOADS ...	how often it is loaded and unloaded
 *	#define LAB_ARRIVED ...	what is logged of the text that arrived: "...%s..."
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define WRITERS 8
#define WRITES_PER_WRITER 125

FIXTURE(loaded) {
	int channels;	/* in use before */
	int fd;
};

FIXTURE_SETUP(loaded)
{
	lab_start(&lab);
	self->channels = lab_channels_in_use();
	lab_load(&lab, "");
	EXPECT_EQ(self->channels + 1, lab_channels_in_use());
	self->fd = lab_open(&lab, O_WRONLY);
	EXPECT_EQ(1, lab_references(&lab));
}

FIXTURE_TEARDOWN(loaded)
{
	if (self->fd > 0)
		close(self->fd);
	lab_clean_up(&lab);
	EXPECT_EQ(self->channels, lab_channels_in_use());
}

static void fill(char *data, size_t size, unsigned int seed)
{
	size_t i;

	for (i = 0; i < size; i++)
		data[i] = rand_r(&seed) >> 7;
}

/* ---- each errno that is documented ---- */

TEST_F(loaded, empty_write)
{
	EXPECT_EQ(0, write(self->fd, "", 0));
}

TEST_F(loaded, longest_write)
{
	static char data[LAB_MAX];

	fill(data, sizeof(data), 1);
	EXPECT_EQ(LAB_MAX, write(self->fd, data, LAB_MAX));
}

TEST_F(loaded, too_long_a_write)
{
	static char data[LAB_MAX + 1];

	EXPECT_ERRNO(LAB_TOO_LONG, write(self->fd, data, LAB_MAX + 1));
}

TEST_F(loaded, much_too_long_a_write)
{
	size_t size = 256 << 20;
	void *data;

	ASSERT_OK(data = mmap(NULL, size, PROT_READ,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			      -1, 0));
	EXPECT_ERRNO(LAB_TOO_LONG, write(self->fd, data, size));
}

TEST_F(loaded, faulting_write)
{
	long page = sysconf(_SC_PAGESIZE);
	/* The compiler would refuse what it can see to be wrong. */
	char *volatile nowhere = (char *)8;
	char *volatile kernel = (char *)-4096L;
	char *pages;

	ASSERT_OK(pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	ASSERT_OK(munmap(pages + page, page));
	EXPECT_ERRNO(EFAULT, write(self->fd, nowhere, 4));
	EXPECT_ERRNO(EFAULT, write(self->fd, kernel, 4));
	EXPECT_ERRNO(EFAULT, write(self->fd, pages + page, 4));
	EXPECT_ERRNO(EFAULT, write(self->fd, pages + page - 4, 8));
	EXPECT_EQ(4, write(self->fd, pages + page - 4, 4));
}

TEST_F(loaded, reading_is_refused)
{
	int fd = lab_open(&lab, O_RDWR);
	char c;

	EXPECT_ERRNO(EINVAL, read(fd, &c, 1));
	EXPECT_ERRNO(EINVAL, read(fd, &c, 0));
	close(fd);
	EXPECT_ERRNO(EBADF, read(self->fd, &c, 1));
}

TEST_F(loaded, unknown_ioctl)
{
	EXPECT_ERRNO(ENOTTY, ioctl(self->fd, 0, 0));
	EXPECT_ERRNO(ENOTTY, ioctl(self->fd, _IO(0xDA, 0), 0));
	EXPECT_ERRNO(ENOTTY, ioctl(self->fd, ~0U, NULL));
}

TEST_F(loaded, no_seeking_no_mapping)
{
	int fd = lab_open(&lab, O_RDWR);

	EXPECT_ERRNO(ESPIPE, lseek(self->fd, 0, SEEK_SET));
	EXPECT_ERRNO(ESPIPE, pwrite(self->fd, "abc", 3, 1));
	EXPECT_ERRNO(ENODEV, mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0));
	close(fd);
}

/* ---- data: the driver compares what arrived, and answers EIO ---- */

static void write_length(int fd, size_t length)
{
	static char data[LAB_MAX];

	fill(data, length, length);
	EXPECT_EQ(length, write(fd, data, length));
}

TEST_F(loaded, every_short_length)
{
	size_t length;

	for (length = 1; length <= 70; length++)
		write_length(self->fd, length);
}

TEST_F(loaded, lengths_around_powers_of_two)
{
	size_t power;

	for (power = 128; power <= LAB_MAX; power *= 2) {
		write_length(self->fd, power - 1);
		write_length(self->fd, power);
		if (power < LAB_MAX)
			write_length(self->fd, power + 1);
	}
}

TEST_F(loaded, unaligned_user_memory)
{
	char data[80];
	int offset;

	fill(data, sizeof(data), 3);
	for (offset = 1; offset < 8; offset++)
		EXPECT_EQ(64, write(self->fd, data + offset, 64));
}

TEST_F(loaded, what_arrived_is_what_was_written)
{
	static const char *const texts[] = { "first", "2nd", "the third one" };
	char expected[64];
	size_t i;

	for (i = 0; i < 3; i++) {
		lab_log_mark();
		EXPECT_EQ(strlen(texts[i]),
			  write(self->fd, texts[i], strlen(texts[i])));
		snprintf(expected, sizeof(expected), LAB_ARRIVED, texts[i]);
		if (!lab_logged(expected))
			EXPECT_STREQ(expected, "(not logged)");
	}
}

/* A long message and then a short one: nothing of the old one shows. */
TEST_F(loaded, short_after_long)
{
	char expected[64];

	write_length(self->fd, LAB_MAX);
	lab_log_mark();
	EXPECT_EQ(3, write(self->fd, "end", 3));
	snprintf(expected, sizeof(expected), LAB_ARRIVED, "end");
	EXPECT_TRUE(lab_logged(expected));
}

/* ---- many at once ---- */

static void write_many(int writer)
{
	char data[512];
	int fd = lab_open(&lab, O_WRONLY);
	int i;

	for (i = 0; i < WRITES_PER_WRITER; i++) {
		size_t size = 1 + (writer * 131 + i * 17) % sizeof(data);

		fill(data, size, writer * 1000 + i);
		ASSERT_EQ(size, write(fd, data, size));
	}
	_exit(0);
}

TEST_F(loaded, a_thousand_writes_from_eight_processes, .timeout = 120)
{
	int i, status, good = 0;

	lab_console(false);
	for (i = 0; i < WRITERS; i++)
		if (fork() == 0)
			write_many(i);
	while (wait(&status) > 0)
		good += WIFEXITED(status) && WEXITSTATUS(status) == 0;
	EXPECT_EQ(WRITERS, good);
	EXPECT_EQ(1, lab_references(&lab));
}

/* One open file that two processes share. */
TEST_F(loaded, a_shared_file)
{
	int status = -1;
	pid_t pid = fork();
	int i;

	for (i = 0; i < 50; i++)
		ASSERT_EQ(4, write(self->fd, "both", 4));
	if (pid == 0)
		_exit(0);
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
}

static pid_t start_endless_writer(void)
{
	static char data[LAB_MAX];
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	fd = lab_open(&lab, O_WRONLY);
	for (;;)
		ASSERT_EQ(LAB_MAX, write(fd, data, LAB_MAX));
}

TEST_F(loaded, killed_while_writing, .timeout = 120)
{
	unsigned int seed = 1;
	int round, i;
	pid_t pids[2];

	lab_console(false);
	for (round = 0; round < 60; round++) {
		for (i = 0; i < 2; i++)
			pids[i] = start_endless_writer();
		usleep(rand_r(&seed) % 20000);
		for (i = 0; i < 2; i++)
			kill(pids[i], SIGKILL);
		for (i = 0; i < 2; i++) {
			int status;

			ASSERT_OK(waitpid(pids[i], &status, 0));
			ASSERT_EQ(SIGKILL, WTERMSIG(status));
		}
	}
	EXPECT_EQ(4, write(self->fd, "next", 4));
	EXPECT_EQ(1, lab_references(&lab));
}

static void on_alarm(int signal)
{
	(void)signal;
}

/* Writers who wait for their turn may be interrupted; nobody is refused. */
TEST_F(loaded, interrupted_writers, .timeout = 60)
{
	struct sigaction action = { .sa_handler = on_alarm };
	unsigned int seed = 1;
	pid_t others[4];
	int i, done = 0;

	lab_console(false);
	for (i = 0; i < 4; i++)
		others[i] = start_endless_writer();
	sigaction(SIGALRM, &action, NULL);
	for (i = 0; i < 100; i++) {
		ualarm(50 + rand_r(&seed) % 3000, 0);
		errno = 0;
		if (write(self->fd, "word", 4) == 4)
			done++;
		else
			EXPECT_EQ(EINTR, errno);
		ualarm(0, 0);
	}
	for (i = 0; i < 4; i++)
		kill(others[i], SIGKILL);
	for (i = 0; i < 4; i++)
		waitpid(others[i], NULL, 0);
	printf("%d of 100 writes were not interrupted\n", done);
	EXPECT_EQ(4, write(self->fd, "next", 4));
}

/* ---- coming and going ---- */

TEST_F(loaded, no_removal_while_open)
{
	/* "rmmod" shows the same refusal as EBUSY or "in use". */
	EXPECT_ERRNO(EAGAIN, lab_try_remove(&lab));
	EXPECT_EQ(4, write(self->fd, "more", 4));
	close(self->fd);
	self->fd = 0;
	lab_unload(&lab);
}

TEST_F(loaded, unbound_while_open)
{
	int again;

	EXPECT_EQ(4, write(self->fd, "with", 4));
	lab_unbind(&lab);
	EXPECT_EQ(self->channels, lab_channels_in_use());
	EXPECT_ERRNO(ENOENT, access(lab.device, F_OK));
	EXPECT_ERRNO(ENODEV, write(self->fd, "none", 4));
	EXPECT_ERRNO(EAGAIN, lab_try_remove(&lab));

	lab_bind(&lab);
	again = lab_open(&lab, O_WRONLY);
	EXPECT_EQ(5, write(again, "again", 5));
	EXPECT_ERRNO(ENODEV, write(self->fd, "none", 4));
	close(again);
}

/* The lab's driver has to go first, and takes nothing for granted then. */
TEST_F(loaded, controller_unbound_while_open)
{
	EXPECT_EQ(4, write(self->fd, "with", 4));
	lab_unbind_controller(&lab);
	EXPECT_ERRNO(ENODEV, write(self->fd, "none", 4));
	EXPECT_ERRNO(ENOENT, access(lab.device, F_OK));
	close(self->fd);
	self->fd = 0;
	ASSERT_OK(lab_try_remove(&lab));

	/* Without a controller it waits for one. */
	lab_insert(&lab, "");
	EXPECT_ERRNO(ENOENT, access(lab.device, F_OK));
	lab_bind_controller();
	lab_wait_for_device(&lab);
	self->fd = lab_open(&lab, O_WRONLY);
	EXPECT_EQ(5, write(self->fd, "again", 5));
}

static void write_until_gone(void)
{
	int fd = open(lab.device, O_WRONLY | O_CLOEXEC);

	while (fd >= 0 && write(fd, "abcd", 4) == 4)
		;
	/* Between the two bindings there is no such device. */
	if (errno != ENODEV && errno != ENXIO && errno != ENOENT)
		ASSERT_EQ(ENODEV, errno);
	if (fd >= 0)
		close(fd);
}

TEST_F(loaded, unbound_while_writing, .timeout = 120)
{
	pid_t pids[3];
	int i;

	lab_console(false);
	for (i = 0; i < 3; i++) {
		pids[i] = fork();
		while (pids[i] == 0)
			write_until_gone();
	}
	for (i = 0; i < 30; i++) {
		usleep(20000);
		lab_unbind(&lab);
		lab_bind(&lab);
	}
	for (i = 0; i < 3; i++) {
		int status = 0;

		kill(pids[i], SIGKILL);
		waitpid(pids[i], &status, 0);
		EXPECT_EQ(SIGKILL, WTERMSIG(status));
	}
}

TEST_F(loaded, removed_while_others_try_to_open, .timeout = 120)
{
	pid_t pid;
	int i;

	lab_console(false);
	close(self->fd);
	self->fd = 0;
	pid = fork();
	while (pid == 0)
		close(open(lab.device, O_WRONLY));
	for (i = 0; i < 10; i++) {
		while (lab_try_remove(&lab) < 0)
			ASSERT_EQ(EAGAIN, errno);
		lab_load(&lab, "");
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

TEST(loaded_and_unloaded_again_and_again, .timeout = 180)
{
	int channels, i;

	lab_start(&lab);
	lab_console(false);
	channels = lab_channels_in_use();
	for (i = 0; i < LAB_LOADS; i++) {
		lab_load(&lab, "");
		if (i % 10 == 0) {
			int fd = lab_open(&lab, O_WRONLY);

			EXPECT_EQ(4, write(fd, "once", 4));
			close(fd);
		}
		lab_unload(&lab);
	}
	lab_console(true);
	EXPECT_EQ(channels, lab_channels_in_use());
}
