// SPDX-License-Identifier: GPL-2.0-only
/*
 * labs/08-provider: loading, clients, and going. What the controller does is
 * tested by tests/kmod/conformance.
 */
#include "common/lab.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each of the two modules makes something else than a device node. */
static const struct lab toy = {
	.file = "labs/08-provider/toy_dma.ko",
	.module = "toy_dma",
	.driver = "toy_dma",
	.device = "/sys/module/toy_dma/drivers/platform:toy_dma",
};

static const struct lab client = {
	.file = "labs/08-provider/toy_client.ko",
	.module = "toy_client",
	.driver = "toy_client",
	.device = "/sys/module/toy_client/drivers/platform:toy_client",
};

FIXTURE(toy) {
	int channels;
};

FIXTURE_SETUP(toy)
{
	lab_clean_up(&client);
	lab_clean_up(&toy);
	self->channels = lab_channels_in_use();
	lab_log_mark();
}

FIXTURE_TEARDOWN(toy)
{
	lab_clean_up(&client);
	lab_clean_up(&toy);
	EXPECT_EQ(self->channels, lab_channels_in_use());
}

static size_t count(const char *pattern)
{
	glob_t found;
	size_t n = glob(pattern, 0, NULL, &found) ? 0 : found.gl_pathc;

	globfree(&found);
	return n;
}

#define CHANNELS "/sys/bus/platform/drivers/toy_dma/*/dma/*"
#define BOUND "/sys/bus/platform/drivers/toy_client/*/modalias"

/* A client that had to wait is bound by a thread of the kernel's. */
static void wait_for_client(void)
{
	bool arrived = false;
	int i;

	for (i = 0; i < 500 && !arrived; i++) {
		arrived = lab_logged("tx: 64 bytes arrived");
		if (!arrived)
			usleep(10000);
	}
	ASSERT_TRUE(arrived);
}

TEST_F(toy, channels_come_and_go)
{
	lab_load(&toy, "");
	EXPECT_EQ(4U, count(CHANNELS));
	lab_unload(&toy);
	EXPECT_EQ(0U, count(CHANNELS));
}

TEST_F(toy, a_client)
{
	lab_load(&toy, "");
	lab_load(&client, "");
	EXPECT_EQ(1U, count(BOUND));
	EXPECT_TRUE(lab_logged("copy: 64 bytes arrived"));
	EXPECT_TRUE(lab_logged("tx: 64 bytes arrived"));
	lab_unload(&client);
	lab_unload(&toy);
}

/* The client waits for its controller. */
TEST_F(toy, the_client_first)
{
	lab_load(&client, "");
	EXPECT_EQ(0U, count(BOUND));
	lab_load(&toy, "");
	wait_for_client();
	EXPECT_EQ(1U, count(BOUND));
}

TEST_F(toy, no_unbinding_by_hand)
{
	lab_load(&toy, "");
	EXPECT_ERRNO(ENOENT, access("/sys/bus/platform/drivers/toy_dma/unbind", F_OK));
}

TEST_F(toy, loaded_again_and_again, .timeout = 60)
{
	int i;

	lab_console(false);
	for (i = 0; i < 30; i++) {
		lab_load(&toy, "");
		lab_load(&client, "");
		wait_for_client();
		lab_unload(&client);
		lab_unload(&toy);
	}
}

/* A lab that copies memory does it with the toy where there is nothing else. */
TEST_F(toy, another_lab)
{
	static const struct lab m2m = {
		.file = "labs/03-m2m/dma_m2m.ko",
		.module = "dma_m2m",
		.driver = "dma_m2m",
		.device = "/dev/dma_m2m_misc_dev",
	};
	int fd;

	lab_load(&toy, "");
	lab_load(&m2m, "");
	ASSERT_OK(fd = open(m2m.device, O_WRONLY | O_CLOEXEC));
	EXPECT_EQ(4, write(fd, "text", 4));
	if (lab_references(&toy))
		EXPECT_ERRNO(EAGAIN, lab_try_remove(&toy));
	close(fd);
	lab_unload(&m2m);
}
