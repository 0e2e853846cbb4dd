// SPDX-License-Identifier: GPL-2.0-only
/* labs/03-m2m */
#include "common/lab.h"

static const struct lab lab = {
	.file = "labs/03-m2m/dma_m2m.ko",
	.module = "dma_m2m",
	.driver = "dma_m2m",
	.device = "/dev/dma_m2m_misc_dev",
};

#define LAB_MAX 4096
#define LAB_TOO_LONG EMSGSIZE
#define LAB_LOADS 30
#define LAB_ARRIVED "read_buf is '%s'"
#include "common/writer.h"

TEST_F(loaded, misc_class)
{
	EXPECT_OK(access("/sys/class/misc/dma_m2m_misc_dev/dev", R_OK));
	lab_unbind(&lab);
	EXPECT_ERRNO(ENOENT, access("/sys/class/misc/dma_m2m_misc_dev", F_OK));
}
