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

/*
 * The labs, and the modules that a transcript which went wrong may have left. A
 * driver whose node is not in the device tree makes its device.
 */
static const struct {
	const char *name;
	const char *node;
	const char *modules[2];
} all[] = {
	{ "01-streaming", "sdma_m2m", { "dma_demo" } },
	{ "02-scatter-gather", "sdma_m2m", { "dma_demo" } },
	{ "03-m2m", "dma_m2m", { "dma_m2m" } },
	{ "04-mmap", "dma_mmap", { "dma_mmap_driver" } },
	{ "05-coherent", "dma_ring", { "dma_ring" } },
	{ "06-mapping", "dma_recipes", { "dma_recipes" } },
	{ "07-consumer", "dma_consumer", { "dma_consumer" } },
	{ "08-provider", "toy_dma", { "toy_client", "toy_dma" } },
	{ "09-dma-buf", "dmabuf_import", { "dmabuf_import", "dmabuf_export" } },
};

#define LABS (sizeof(all) / sizeof(all[0]))

static void clean_up(void)
{
	size_t i, j;

	for (i = 0; i < LABS; i++)
		for (j = 0; j < 2 && all[i].modules[j]; j++)
			lab_start(&(struct lab){ .module = all[i].modules[j] });
}

static void run_lab(size_t n)
{
	char text[128];
	int status;

	clean_up();
	snprintf(text, sizeof(text), "/proc/device-tree/soc/%s", all[n].node);
	if (access(text, F_OK) < 0)
		setenv("LAB_ARGS", "make_device=1", 1);
	snprintf(text, sizeof(text), "exec labs/%s/run.sh", all[n].name);
	fflush(stdout);
	status = system(text);
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_FALSE(WIFSIGNALED(status));
}

TEST(streaming, .timeout = 60)
{
	run_lab(0);
}

TEST(scatter_gather, .timeout = 60)
{
	run_lab(1);
}

TEST(m2m, .timeout = 60)
{
	run_lab(2);
}

TEST(mmap, .timeout = 60)
{
	run_lab(3);
}

TEST(coherent, .timeout = 60)
{
	run_lab(4);
}

TEST(mapping, .timeout = 60)
{
	run_lab(5);
}

TEST(consumer, .timeout = 60)
{
	run_lab(6);
}

TEST(provider, .timeout = 60)
{
	run_lab(7);
}

TEST(dma_buf, .timeout = 60)
{
	run_lab(8);
}

/* So that no lab is forgotten here. */
TEST(there_are_no_others)
{
	glob_t found;

	ASSERT_EQ(0, glob("labs/*/run.sh", 0, NULL, &found));
	EXPECT_EQ(LABS, found.gl_pathc);
	globfree(&found);
}
