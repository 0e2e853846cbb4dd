// SPDX-License-Identifier: GPL-2.0-only
/* labs/01-streaming */
#include "common/lab.h"

static const struct lab lab = {
	.file = "labs/01-streaming/dma_demo.ko",
	.module = "dma_demo",
	.driver = "sdma_m2m",
	.device = "/dev/sdma_test",
};

#define LAB_MAX 4096
#define LAB_TOO_LONG EMSGSIZE
#define LAB_LOADS 100
#define LAB_ARRIVED "rbuf string is '%s'"
#include "common/writer.h"
