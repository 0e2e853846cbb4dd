// SPDX-License-Identifier: GPL-2.0-only
/* The labs' transcripts, as their README files show them. */
#include "common/lab.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const names[] = {
	"01-streaming", "02-scatter-gather", "03-m2m", "04-mmap",
};

/* A transcript that went wrong may have left any of them. */
static const struct lab modules[] = {
	{ .module = "dma_demo" },
	{ .module = "dma_m2m" },
	{ .module = "dma_mmap_driver" },
};

static void run_lab(const char *name)
{
	char command[128];
	int status;
	size_t i;

	for (i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
		lab_start(&modules[i]);
	/* Without its node in the device tree a driver makes its device. */
	if (access("/proc/device-tree/soc/sdma_m2m", F_OK) < 0)
		setenv("LAB_ARGS", "make_device=1", 1);
	snprintf(command, sizeof(command), "exec labs/%s/run.sh", name);
	fflush(stdout);
	status = system(command);
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_FALSE(WIFSIGNALED(status));
}

TEST(streaming, .timeout = 60)
{
	run_lab(names[0]);
}

TEST(scatter_gather, .timeout = 60)
{
	run_lab(names[1]);
}

TEST(m2m, .timeout = 60)
{
	run_lab(names[2]);
}

TEST(mmap, .timeout = 60)
{
	run_lab(names[3]);
}

/* So that no lab is forgotten here. */
TEST(there_are_no_others)
{
	glob_t found;

	ASSERT_EQ(0, glob("labs/*/run.sh", 0, NULL, &found));
	EXPECT_EQ(sizeof(names) / sizeof(names[0]), found.gl_pathc);
	globfree(&found);
}
