// SPDX-License-Identifier: GPL-2.0-only
/* labs/06-mapping */
#include "common/lab.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define FACTS "/sys/class/misc/dma_recipes/device/facts"

static const struct lab lab = {
	.file = "labs/06-mapping/dma_recipes.ko",
	.module = "dma_recipes",
	.driver = "dma_recipes",
	.device = "/dev/dma_recipes",
};

static const char *const recipes[] = {
	"single", "bidirectional", "sync", "page", "sg", "create", "iterate", "pages",
	"alignment", "masks", "unwind", "bounce",
};

#define RECIPES (sizeof(recipes) / sizeof(recipes[0]))

FIXTURE(loaded) {
	int channels;
	int fd;
};

FIXTURE_SETUP(loaded)
{
	lab_start(&lab);
	self->channels = lab_channels_in_use();
	lab_load(&lab, "");
	self->fd = lab_open(&lab, O_RDWR);
}

FIXTURE_TEARDOWN(loaded)
{
	if (self->fd > 0)
		close(self->fd);
	lab_clean_up(&lab);
	EXPECT_EQ(self->channels, lab_channels_in_use());
}

static ssize_t run(int fd, const char *recipe)
{
	return write(fd, recipe, strlen(recipe));
}

static void run_all(int fd)
{
	size_t i;

	for (i = 0; i < RECIPES; i++)
		EXPECT_EQ(strlen(recipes[i]), run(fd, recipes[i]));
}

TEST_F(loaded, all_recipes)
{
	run_all(self->fd);
}

TEST_F(loaded, in_any_order_and_again, .timeout = 60)
{
	unsigned int seed = 1;
	int i;

	lab_console(false);
	for (i = 0; i < 200; i++)
		ASSERT_TRUE(run(self->fd, recipes[rand_r(&seed) % RECIPES]) > 0);
}

TEST_F(loaded, names)
{
	char text[256] = "", wanted[256] = "";
	size_t i;

	for (i = 0; i < RECIPES; i++)
		strcat(strcat(wanted, recipes[i]), "\n");
	EXPECT_EQ(strlen(wanted), read(self->fd, text, sizeof(text) - 1));
	EXPECT_STREQ(wanted, text);
	EXPECT_EQ(0, read(self->fd, text, sizeof(text)));
	EXPECT_EQ(3, pread(self->fd, text, 3, 1));
	EXPECT_MEMEQ("ing", text, 3);
}

TEST_F(loaded, wrong_names)
{
	char longer[64];

	memset(longer, 'a', sizeof(longer));
	EXPECT_EQ(0, write(self->fd, "", 0));
	EXPECT_EQ(7, run(self->fd, "single\n"));
	EXPECT_ERRNO(EINVAL, run(self->fd, "sing"));
	EXPECT_ERRNO(EINVAL, run(self->fd, "singles"));
	EXPECT_ERRNO(EINVAL, run(self->fd, "\n"));
	EXPECT_ERRNO(EINVAL, write(self->fd, longer, 31));
	EXPECT_ERRNO(EINVAL, write(self->fd, longer, 32));
	EXPECT_ERRNO(EINVAL, write(self->fd, longer, sizeof(longer)));
}

TEST_F(loaded, faulting)
{
	char *volatile nowhere = (char *)8;

	EXPECT_ERRNO(EFAULT, write(self->fd, nowhere, 4));
	EXPECT_ERRNO(EFAULT, read(self->fd, nowhere, 4));
	EXPECT_ERRNO(ENOTTY, ioctl(self->fd, 0, 0));
	EXPECT_ERRNO(ENODEV, mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->fd, 0));
}

static unsigned long long fact(const char *key)
{
	char line[128], value[64] = "";
	FILE *stream;

	ASSERT_TRUE(stream = fopen(FACTS, "re"));
	while (fgets(line, sizeof(line), stream))
		if (strncmp(line, key, strlen(key)) == 0 && line[strlen(key)] == ':')
			snprintf(value, sizeof(value), "%s", line + strlen(key) + 2);
	fclose(stream);
	ASSERT_NE(0, value[0]);
	return strtoull(value, NULL, 0);
}

static bool on_board(const char *name)
{
	const char *board = getenv("BOARD");

	return board && strcmp(board, name) == 0;
}

/* The addresses of one buffer change with each look: each is looked at once. */
TEST_F(loaded, addresses)
{
	if (on_board("raspi3b"))
		EXPECT_EQ(3, fact("bus address") >> 30);
	if (on_board("smdkc210"))
		EXPECT_EQ(fact("physical address") >> 30, fact("bus address") >> 30);
	EXPECT_LT(fact("physical address"), 1ULL << 40);
	EXPECT_NE(0ULL, fact("virtual address"));
	EXPECT_LE(1ULL, fact("cache alignment"));
	EXPECT_LE(65536ULL, fact("longest segment"));
}

TEST_F(loaded, facts_are_for_root)
{
	if (fork() == 0) {
		ASSERT_OK(setuid(65534));
		EXPECT_ERRNO(EACCES, open(FACTS, O_RDONLY));
		_exit(0);
	}
	wait(NULL);
}

TEST_F(loaded, unbound_while_open)
{
	lab_unbind(&lab);
	EXPECT_EQ(self->channels, lab_channels_in_use());
	EXPECT_ERRNO(ENODEV, run(self->fd, "single"));
	EXPECT_ERRNO(ENOENT, access(lab.device, F_OK));
	EXPECT_ERRNO(EAGAIN, lab_try_remove(&lab));
	lab_bind(&lab);
	EXPECT_ERRNO(ENODEV, run(self->fd, "single"));
}

static pid_t start_endless_runner(void)
{
	pid_t pid = fork();
	unsigned int i;
	int fd;

	if (pid)
		return pid;
	fd = open(lab.device, O_WRONLY | O_CLOEXEC);
	/* On a slow machine the driver may be unbound already. */
	if (fd < 0)
		_exit(errno == ENOENT || errno == ENODEV ? 0 : 1);
	for (i = 0;; i++)
		if (run(fd, recipes[i % RECIPES]) < 0)
			_exit(errno == ENODEV ? 0 : 1);
}

TEST_F(loaded, four_at_a_time_and_killed, .timeout = 60)
{
	pid_t pids[4];
	int i, status;

	lab_console(false);
	for (i = 0; i < 4; i++)
		pids[i] = start_endless_runner();
	run_all(self->fd);
	for (i = 0; i < 4; i++) {
		kill(pids[i], SIGKILL);
		ASSERT_OK(waitpid(pids[i], &status, 0));
		EXPECT_EQ(SIGKILL, WTERMSIG(status));
	}
	run_all(self->fd);
}

TEST_F(loaded, unbound_while_running, .timeout = 60)
{
	int i, status;

	lab_console(false);
	for (i = 0; i < 10; i++) {
		pid_t pid = start_endless_runner();

		usleep(20000);
		lab_unbind(&lab);
		ASSERT_OK(waitpid(pid, &status, 0));
		EXPECT_EQ(0, status);
		lab_bind(&lab);
	}
}

TEST_F(loaded, loaded_again_and_again, .timeout = 120)
{
	int i;

	lab_console(false);
	for (i = 0; i < 20; i++) {
		close(self->fd);
		self->fd = 0;
		lab_unload(&lab);
		lab_load(&lab, "");
		self->fd = lab_open(&lab, O_RDWR);
		EXPECT_EQ(5, run(self->fd, "pages"));
	}
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
	self->fd = lab_open(&lab, O_RDWR);
}

static void expect_nothing_mapped(struct sim_fixture *self)
{
	close(self->fd);
	self->fd = 0;
	lab_unload(&lab);
	EXPECT_EQ(0, lab_sim_number("mappings", "live"));
	EXPECT_EQ(0, lab_sim_number("mappings", "bad_unmaps"));
	EXPECT_EQ(0, lab_sim_number("mappings", "bad_syncs"));
}

TEST_F(sim, behind_an_iommu)
{
	simulate(self, "view=iommu");
	run_all(self->fd);
	EXPECT_NE(fact("physical address") >> 12, fact("bus address") >> 12);
	expect_nothing_mapped(self);
}

TEST_F(sim, non_coherent)
{
	simulate(self, "view=noncoherent");
	run_all(self->fd);
	expect_nothing_mapped(self);
	EXPECT_EQ(0, lab_sim_number("mappings", "shared_lines"));
}

TEST_F(sim, non_coherent_with_long_lines)
{
	simulate(self, "view=noncoherent line_size=128");
	EXPECT_EQ(9, run(self->fd, "alignment"));
	expect_nothing_mapped(self);
	EXPECT_EQ(0, lab_sim_number("mappings", "shared_lines"));
}

/* The n-th mapping of each recipe fails, as far as it has so many. */
TEST_F(sim, mappings_that_fail, .timeout = 60)
{
	char rule[32];
	size_t i, nth, failed = 0;

	simulate(self, "view=iommu");
	lab_console(false);
	for (i = 0; i < RECIPES; i++)
		for (nth = 1; nth <= 5; nth++) {
			snprintf(rule, sizeof(rule), "map nth=%zu", nth);
			lab_inject("off");
			lab_inject(rule);
			if (run(self->fd, recipes[i]) < 0) {
				EXPECT_EQ(ENOMEM, errno);
				failed++;
			}
			lab_inject("off");
			EXPECT_TRUE(run(self->fd, recipes[i]) > 0);
		}
	/* Of the ten that map for the controller, each at least once. */
	EXPECT_LE(10U, failed);
	expect_nothing_mapped(self);
}

static void fail_transfers(struct sim_fixture *self, const char *kind, int error)
{
	char rule[32];
	size_t i;

	simulate(self, "view=iommu");
	lab_console(false);
	for (i = 0; i < RECIPES; i++) {
		bool moves = strcmp(recipes[i], "masks") && strcmp(recipes[i], "bounce");

		snprintf(rule, sizeof(rule), "%s nth=1", kind);
		lab_inject("off");
		lab_inject(rule);
		if (moves)
			EXPECT_ERRNO(error, run(self->fd, recipes[i]));
		else
			EXPECT_TRUE(run(self->fd, recipes[i]) > 0);
		lab_inject("off");
		EXPECT_TRUE(run(self->fd, recipes[i]) > 0);
	}
	expect_nothing_mapped(self);
}

TEST_F(sim, transfers_that_fail, .timeout = 60)
{
	fail_transfers(self, "fail", EIO);
}

TEST_F(sim, transfers_that_end_half_way, .timeout = 60)
{
	fail_transfers(self, "abort", EIO);
}

TEST_F(sim, transfers_that_are_refused, .timeout = 60)
{
	fail_transfers(self, "refuse", ENOMEM);
}

/* Less than it says, without a word: only a look at the data tells. */
TEST_F(sim, transfers_that_are_short, .timeout = 60)
{
	fail_transfers(self, "short", EIO);
}

TEST_F(sim, a_transfer_that_hangs, .timeout = 60)
{
	simulate(self, "view=iommu");
	lab_inject("hang nth=2");
	EXPECT_ERRNO(ETIMEDOUT, run(self->fd, "pages"));
	run_all(self->fd);
	expect_nothing_mapped(self);
}
