// SPDX-License-Identifier: GPL-2.0-only
#include "lab.h"
#include "transcript.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The labs, and the modules that a transcript which went wrong may have left. */
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
	/* Without its quarantine nothing that went wrong comes up in the next one. */
	syscall(SYS_delete_module, "dmasan", O_NONBLOCK);
}

static size_t find_lab(const char *name)
{
	size_t i;

	for (i = 0; i < LABS && strcmp(all[i].name, name); i++)
		;
	ASSERT_TRUE(i < LABS);
	return i;
}

void run_lab(const char *name, const char *option)
{
	size_t n = find_lab(name);
	char text[128];
	int status;

	clean_up();
	snprintf(text, sizeof(text), "/proc/device-tree/soc/%s", all[n].node);
	if (access(text, F_OK) < 0)
		setenv("LAB_ARGS", "make_device=1", 1);
	snprintf(text, sizeof(text), "exec labs/%s/run.sh %s", name, option);
	fflush(stdout);
	status = system(text);
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_FALSE(WIFSIGNALED(status));
}

void expect_no_other_labs(void)
{
	glob_t found;

	ASSERT_EQ(0, glob("labs/*/run.sh", 0, NULL, &found));
	EXPECT_EQ(LABS, found.gl_pathc);
	globfree(&found);
}
