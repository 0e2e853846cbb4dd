// SPDX-License-Identifier: GPL-2.0-only
/* labs/07-consumer */
#include "common/lab.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct lab lab = {
	.file = "labs/07-consumer/dma_consumer.ko",
	.module = "dma_consumer",
	.driver = "dma_consumer",
	.device = "/dev/dma_consumer",
};

static const char *const shows[] = {
	"caps", "send", "cookies", "cyclic", "pause", "terminate", "copy", "fill", "xor",
	"interleaved",
};

#define SHOWS (sizeof(shows) / sizeof(shows[0]))

FIXTURE(loaded) {
	int channels;
	int fd;
};

/* Where the device tree has the peripherals, nothing is injected into them. */
static bool in_device_tree(void)
{
	return access("/proc/device-tree/soc/dma_consumer", F_OK) == 0;
}

static void tidy(void)
{
	lab_clean_up(&lab);
	if (!in_device_tree() && access("/sys/kernel/config/dmasim/lab", F_OK) == 0)
		EXPECT_EQ(0, system("labs/07-consumer/peripherals.sh down"));
}

FIXTURE_SETUP(loaded)
{
	tidy();
	ASSERT_EQ(0, system("labs/07-consumer/peripherals.sh up"));
	self->channels = lab_channels_in_use();
	lab_load(&lab, "");
	EXPECT_EQ(self->channels + 4, lab_channels_in_use());
	self->fd = lab_open(&lab, O_RDWR);
}

FIXTURE_TEARDOWN(loaded)
{
	if (self->fd > 0)
		close(self->fd);
	lab_clean_up(&lab);
	EXPECT_EQ(self->channels, lab_channels_in_use());
	tidy();
}

static ssize_t show(int fd, const char *name)
{
	return write(fd, name, strlen(name));
}

static void show_all(int fd)
{
	size_t i;

	for (i = 0; i < SHOWS; i++)
		EXPECT_EQ(strlen(shows[i]), show(fd, shows[i]));
}

TEST_F(loaded, all)
{
	show_all(self->fd);
}

TEST_F(loaded, in_any_order_and_again, .timeout = 120)
{
	unsigned int seed = 1;
	int i;

	lab_console(false);
	for (i = 0; i < 50; i++)
		ASSERT_TRUE(show(self->fd, shows[rand_r(&seed) % SHOWS]) > 0);
}

TEST_F(loaded, names)
{
	char text[256] = "", wanted[256] = "";
	size_t i;

	for (i = 0; i < SHOWS; i++)
		strcat(strcat(wanted, shows[i]), "\n");
	EXPECT_EQ(strlen(wanted), read(self->fd, text, sizeof(text) - 1));
	EXPECT_STREQ(wanted, text);
}

TEST_F(loaded, wrong_names)
{
	char *volatile nowhere = (char *)8;
	char longer[64];

	memset(longer, 'a', sizeof(longer));
	EXPECT_EQ(0, write(self->fd, "", 0));
	EXPECT_EQ(5, show(self->fd, "copy\n"));
	EXPECT_ERRNO(EINVAL, show(self->fd, "cop"));
	EXPECT_ERRNO(EINVAL, show(self->fd, "copying"));
	EXPECT_ERRNO(EINVAL, write(self->fd, longer, 31));
	EXPECT_ERRNO(EINVAL, write(self->fd, longer, sizeof(longer)));
	EXPECT_ERRNO(EFAULT, write(self->fd, nowhere, 4));
	EXPECT_ERRNO(ENOTTY, ioctl(self->fd, 0, 0));
	EXPECT_ERRNO(ENODEV, mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->fd, 0));
}

TEST_F(loaded, unbound_while_open)
{
	lab_unbind(&lab);
	EXPECT_EQ(self->channels, lab_channels_in_use());
	EXPECT_ERRNO(ENODEV, show(self->fd, "copy"));
	EXPECT_ERRNO(ENOENT, access(lab.device, F_OK));
	EXPECT_ERRNO(EAGAIN, lab_try_remove(&lab));
	lab_bind(&lab);
	EXPECT_ERRNO(ENODEV, show(self->fd, "copy"));
}

static pid_t start_endless_show(void)
{
	pid_t pid = fork();
	unsigned int i;
	int fd;

	if (pid)
		return pid;
	fd = lab_open(&lab, O_WRONLY);
	for (i = 0;; i++)
		if (show(fd, shows[i % SHOWS]) < 0)
			_exit(errno == ENODEV ? 0 : 1);
}

TEST_F(loaded, three_at_a_time_and_killed, .timeout = 120)
{
	pid_t pids[3];
	int i, status;

	lab_console(false);
	for (i = 0; i < 3; i++)
		pids[i] = start_endless_show();
	show_all(self->fd);
	for (i = 0; i < 3; i++) {
		kill(pids[i], SIGKILL);
		ASSERT_OK(waitpid(pids[i], &status, 0));
		EXPECT_EQ(SIGKILL, WTERMSIG(status));
	}
	show_all(self->fd);
}

TEST_F(loaded, loaded_again_and_again, .timeout = 120)
{
	int i;

	lab_console(false);
	for (i = 0; i < 20; i++) {
		close(self->fd);
		self->fd = 0;
		lab_unload(&lab);
		lab_load(&lab, "");
		self->fd = lab_open(&lab, O_RDWR);
		EXPECT_EQ(4, show(self->fd, "send"));
	}
}

/* The driver waits for its peripherals. */
TEST_F(loaded, the_driver_first)
{
	if (in_device_tree())
		SKIP("the device tree has the peripherals");
	close(self->fd);
	self->fd = 0;
	lab_unload(&lab);
	ASSERT_EQ(0, system("labs/07-consumer/peripherals.sh down"));
	lab_insert(&lab, "");
	EXPECT_ERRNO(ENOENT, access(lab.device, F_OK));
	ASSERT_EQ(0, system("labs/07-consumer/peripherals.sh up"));
	lab_wait_for_device(&lab);
	self->fd = lab_open(&lab, O_RDWR);
	EXPECT_EQ(4, show(self->fd, "send"));
}

/* ---- errors of the peripherals' controller ---- */

static void need_injection(void)
{
	if (in_device_tree())
		SKIP("no errors from a controller of the device tree");
}

TEST_F(loaded, transfers_that_fail, .timeout = 60)
{
	static const char *const victims[] = { "send", "cookies", "cyclic" };
	size_t i;

	need_injection();
	for (i = 0; i < 3; i++) {
		lab_inject("fail");
		EXPECT_ERRNO(EIO, show(self->fd, victims[i]));
		lab_inject("off");
		EXPECT_TRUE(show(self->fd, victims[i]) > 0);
	}
}

TEST_F(loaded, transfers_that_are_refused)
{
	static const char *const victims[] = { "send", "cookies", "cyclic", "pause", "terminate" };
	size_t i;

	need_injection();
	for (i = 0; i < 5; i++) {
		lab_inject("refuse");
		EXPECT_ERRNO(ENOMEM, show(self->fd, victims[i]));
		lab_inject("off");
		EXPECT_TRUE(show(self->fd, victims[i]) > 0);
	}
	lab_inject("refuse nth=2");
	EXPECT_ERRNO(ENOMEM, show(self->fd, "send"));
	lab_inject("off");
	show_all(self->fd);
}

TEST_F(loaded, a_transfer_that_hangs, .timeout = 60)
{
	need_injection();
	lab_inject("hang nth=1");
	EXPECT_ERRNO(ETIMEDOUT, show(self->fd, "cookies"));
	lab_inject("off");
	show_all(self->fd);
}

TEST_F(loaded, the_controller_stays)
{
	need_injection();
	EXPECT_EQ(4, show(self->fd, "send"));
	EXPECT_ERRNO(EBUSY, lab_try_stop_sim());
}
