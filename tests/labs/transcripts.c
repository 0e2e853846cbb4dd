// SPDX-License-Identifier: GPL-2.0-only
/* The labs' transcripts, as their README files show them. */
#include "common/lab.h"
#include "common/transcript.h"

TEST(streaming, .timeout = 60)
{
	run_lab("01-streaming", "");
}

TEST(scatter_gather, .timeout = 60)
{
	run_lab("02-scatter-gather", "");
}

TEST(m2m, .timeout = 60)
{
	run_lab("03-m2m", "");
}

TEST(mmap, .timeout = 60)
{
	run_lab("04-mmap", "");
}

TEST(coherent, .timeout = 60)
{
	run_lab("05-coherent", "");
}

TEST(mapping, .timeout = 60)
{
	run_lab("06-mapping", "");
}

TEST(consumer, .timeout = 60)
{
	run_lab("07-consumer", "");
}

TEST(provider, .timeout = 60)
{
	run_lab("08-provider", "");
}

TEST(dma_buf, .timeout = 60)
{
	run_lab("09-dma-buf", "");
}

/* So that no lab is forgotten here. */
TEST(there_are_no_others)
{
	expect_no_other_labs();
}
