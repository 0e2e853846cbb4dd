// SPDX-License-Identifier: GPL-2.0-only
/* labs/05-coherent */
#include "common/lab.h"

static const struct lab lab = {
	.file = "labs/05-coherent/dma_ring.ko",
	.module = "dma_ring",
	.driver = "dma_ring",
	.device = "/dev/dma_ring",
};

#define LAB_MAX 1024
#define LAB_TOO_LONG EMSGSIZE
#define LAB_LOADS 30
#define LAB_ARRIVED "arrived: '%s'"
#include "common/writer.h"

#define BUF 64
#define RING 16
#define COSTS "/sys/class/misc/dma_ring/device/costs"

/* One buffer more, and one descriptor more. */
TEST_F(loaded, buffers_and_descriptors)
{
	lab_log_mark();
	write_length(self->fd, BUF);
	EXPECT_TRUE(lab_logged("descriptors 0 to 0"));
	write_length(self->fd, BUF + 1);
	EXPECT_TRUE(lab_logged("descriptors 1 to 2"));
	write_length(self->fd, LAB_MAX);
	EXPECT_TRUE(lab_logged("descriptors 3 to 2"));
}

/* Every place in the ring, with messages of every number of buffers. */
TEST_F(loaded, around_the_ring, .timeout = 60)
{
	int i;

	lab_console(false);
	for (i = 0; i < 4 * RING; i++)
		write_length(self->fd, 1 + (i * 5 % RING) * BUF + i % BUF);
}

static int count_lines(const char *path, const char *text)
{
	char line[128];
	FILE *stream;
	int n = 0;

	ASSERT_TRUE(stream = fopen(path, "re"));
	while (fgets(line, sizeof(line), stream))
		n += !!strstr(line, text);
	fclose(stream);
	return n;
}

TEST_F(loaded, costs)
{
	EXPECT_EQ(7, count_lines(COSTS, " ns\n"));
	write_length(self->fd, LAB_MAX);
	lab_unbind(&lab);
	EXPECT_ERRNO(ENOENT, access(COSTS, F_OK));
}

TEST_F(loaded, costs_while_writing, .timeout = 60)
{
	pid_t pid;
	int i;

	lab_console(false);
	pid = start_endless_writer();
	for (i = 0; i < 20; i++)
		EXPECT_EQ(7, count_lines(COSTS, " ns\n"));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* ---- a simulated controller ---- */

FIXTURE(sim) {
	int fd;
};

FIXTURE_SETUP(sim)
{
	lab_clean_up(&lab);
}

FIXTURE_TEARDOWN(sim)
{
	if (self->fd > 0)
		close(self->fd);
	lab_clean_up(&lab);
}

static void simulate(struct sim_fixture *self, const char *options)
{
	lab_simulate(options);
	lab_load(&lab, "");
	self->fd = lab_open(&lab, O_WRONLY);
}

static void use_view(struct sim_fixture *self, const char *options)
{
	simulate(self, options);
	write_length(self->fd, LAB_MAX);
	write_length(self->fd, 1);
	EXPECT_EQ(7, count_lines(COSTS, " ns\n"));
	close(self->fd);
	self->fd = 0;
	lab_unload(&lab);
	EXPECT_TRUE(lab_sim_number("mappings", "live") <= 0);
}

TEST_F(sim, behind_an_iommu)
{
	use_view(self, "view=iommu");
}

TEST_F(sim, non_coherent)
{
	use_view(self, "view=noncoherent");
}

TEST_F(sim, aligned_to_64)
{
	use_view(self, "view=iommu align=64");
}

/* Whichever transfer of a message fails, the next message arrives. */
TEST_F(sim, transfers_that_fail, .timeout = 60)
{
	char rule[32], data[BUF + 1] = "";
	int nth;

	simulate(self, "view=iommu");
	lab_console(false);
	for (nth = 1; nth <= 6; nth++) {
		snprintf(rule, sizeof(rule), "fail nth=%d", nth);
		lab_inject(rule);
		EXPECT_ERRNO(EIO, write(self->fd, data, sizeof(data)));
		write_length(self->fd, 70);
	}
}

TEST_F(sim, a_refused_transfer)
{
	simulate(self, "view=iommu");
	lab_inject("refuse nth=2");
	EXPECT_ERRNO(ENOMEM, write(self->fd, "word", 4));
	write_length(self->fd, 70);
}

TEST_F(sim, a_transfer_that_hangs, .timeout = 60)
{
	simulate(self, "view=iommu");
	lab_inject("hang nth=2");
	EXPECT_ERRNO(ETIMEDOUT, write(self->fd, "word", 4));
	write_length(self->fd, 70);
}

TEST_F(sim, unbound_while_it_hangs, .timeout = 60)
{
	pid_t pid;
	int status;

	simulate(self, "view=iommu");
	lab_inject("hang nth=2");
	pid = fork();
	if (pid == 0)
		_exit(write(self->fd, "word", 4) == -1 && errno == ETIMEDOUT ? 0 : 1);
	usleep(300000);
	lab_unbind(&lab);
	EXPECT_OK(waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_ERRNO(ENODEV, write(self->fd, "word", 4));
}
