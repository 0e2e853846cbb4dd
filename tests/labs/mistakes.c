// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the labs' README files break, and what dmasan says to it. A kernel with a
 * checker of its own stops at such a driver.
 */
#include "common/lab.h"
#include "common/transcript.h"

#include <unistd.h>

static void run_broken(const char *name)
{
	if (access("/sys/kernel/debug/dma-api", F_OK) == 0)
		SKIP("this kernel has a checker of its own");
	run_lab(name, "--break");
}

TEST(streaming, .timeout = 60)
{
	run_broken("01-streaming");
}

TEST(scatter_gather, .timeout = 60)
{
	run_broken("02-scatter-gather");
}

TEST(m2m, .timeout = 60)
{
	run_broken("03-m2m");
}

TEST(mmap, .timeout = 60)
{
	run_broken("04-mmap");
}

TEST(coherent, .timeout = 60)
{
	run_broken("05-coherent");
}

TEST(mapping, .timeout = 60)
{
	run_broken("06-mapping");
}

TEST(consumer, .timeout = 60)
{
	run_broken("07-consumer");
}

TEST(provider, .timeout = 60)
{
	run_broken("08-provider");
}

TEST(dma_buf, .timeout = 60)
{
	run_broken("09-dma-buf");
}

/* So that no lab is forgotten here. */
TEST(there_are_no_others)
{
	expect_no_other_labs();
}
