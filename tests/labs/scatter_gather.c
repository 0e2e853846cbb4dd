// SPDX-License-Identifier: GPL-2.0-only
/* labs/02-scatter-gather */
#include "common/lab.h"

static const struct lab lab = {
	.file = "labs/02-scatter-gather/dma_demo.ko",
	.module = "dma_demo",
	.driver = "sdma_m2m",
	.device = "/dev/sdma_test",
};

#define LAB_MAX 16384
#define LAB_TOO_LONG EMSGSIZE
#define LAB_LOADS 30
#define LAB_ARRIVED "the device can read '%s'"
#include "common/writer.h"

/* ---- the module's parameters ---- */

FIXTURE(with) {
	int channels;
};

FIXTURE_SETUP(with)
{
	lab_start(&lab);
	self->channels = lab_channels_in_use();
}

FIXTURE_TEARDOWN(with)
{
	lab_clean_up(&lab);
	EXPECT_EQ(self->channels, lab_channels_in_use());
}

static void write_once(size_t size)
{
	static char data[LAB_MAX];
	int fd = lab_open(&lab, O_WRONLY);

	fill(data, size, size);
	EXPECT_EQ(size, write(fd, data, size));
	close(fd);
}

/* Entries of 0x555 and 0x111 bytes, as in the lab's example. */
TEST_F(with, pieces_by_size_alone)
{
	lab_load(&lab, "entry=0x555 max_seg=0x400 align=1 pad=0");
	lab_log_mark();
	write_once(0x555 + 0x111);
	EXPECT_TRUE(lab_logged("pieces: 3"));
}

TEST_F(with, pieces_by_size_and_alignment)
{
	lab_load(&lab, "entry=0x555 max_seg=0x400 align=4 pad=0");
	lab_log_mark();
	write_once(0x555 + 0x111);
	EXPECT_TRUE(lab_logged("pieces: 5"));
}

static void write_all_sorts(const char *parameters)
{
	size_t length;

	lab_load(&lab, parameters);
	for (length = 1; length < 24; length++)
		write_once(length);
	for (length = 24; length <= 4 * 333; length += 211)
		write_once(length);
	write_once(4 * 333);
	lab_unload(&lab);
}

/* Whatever is cut how: the driver compares what arrived. */
TEST_F(with, any_parameters, .timeout = 120)
{
	static const char *const limits[] = {
		"", "max_seg=64", "max_seg=65 align=8", "align=512 max_seg=512",
		"align=1", "align=3", "max_seg=4294967295",
	};
	char parameters[128];
	size_t i;

	lab_console(false);
	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		snprintf(parameters, sizeof(parameters), "%s entry=333 pad=0",
			 limits[i]);
		write_all_sorts(parameters);
		write_all_sorts(limits[i]);
	}
}

TEST_F(with, more_than_the_entries_hold)
{
	static char data[65];
	int fd;

	lab_load(&lab, "entry=16");
	fd = lab_open(&lab, O_WRONLY);
	EXPECT_EQ(64, write(fd, data, 64));
	EXPECT_ERRNO(EMSGSIZE, write(fd, data, 65));
	close(fd);
}

/* A probe that fails gives back what it has taken. */
TEST_F(with, parameters_out_of_range)
{
	static const char *const wrong[] = {
		"entry=4097", "align=4097", "max_seg=63", "align=2048 max_seg=1024",
	};
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		lab_log_mark();
		lab_insert(&lab, wrong[i]);
		EXPECT_TRUE(lab_logged("limits out of range"));
		EXPECT_ERRNO(ENOENT, access(lab.device, F_OK));
		EXPECT_EQ(self->channels, lab_channels_in_use());
		ASSERT_OK(lab_try_remove(&lab));
	}
}
