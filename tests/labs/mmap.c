// SPDX-License-Identifier: GPL-2.0-only
/* labs/04-mmap: what dma_mmap.h promises */
#include "common/lab.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../labs/04-mmap/dma_mmap.h"

#define SIZE DMA_MMAP_SIZE
#define RW (PROT_READ | PROT_WRITE)

static const struct lab lab = {
	.file = "labs/04-mmap/dma_mmap_driver.ko",
	.module = "dma_mmap_driver",
	.driver = "dma_mmap",
	.device = "/dev/dma_mmap",
};

FIXTURE(dev) {
	int channels;	/* in use before */
	int fd;
	char *src;
	const char *dst;
};

static void map_both(struct dev_fixture *self)
{
	ASSERT_OK(self->src = mmap(NULL, SIZE, RW, MAP_SHARED, self->fd,
				   DMA_MMAP_SRC));
	ASSERT_OK(self->dst = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, self->fd,
				   DMA_MMAP_DST));
}

static void unmap_and_close(struct dev_fixture *self)
{
	if (self->src)
		munmap(self->src, SIZE);
	if (self->dst)
		munmap((void *)self->dst, SIZE);
	if (self->fd > 0)
		close(self->fd);
	self->src = NULL;
	self->dst = NULL;
	self->fd = 0;
}

static void load(struct dev_fixture *self, const char *parameters)
{
	lab_load(&lab, parameters);
	EXPECT_EQ(self->channels + 1, lab_channels_in_use());
	self->fd = lab_open(&lab, O_RDWR);
	map_both(self);
}

FIXTURE_SETUP(dev)
{
	lab_start(&lab);
	self->channels = lab_channels_in_use();
	load(self, "");
}

FIXTURE_TEARDOWN(dev)
{
	unmap_and_close(self);
	lab_clean_up(&lab);
	EXPECT_EQ(self->channels, lab_channels_in_use());
}

/* For the tests that there are twice, once for each kind of memory. */
static void reload_cached(struct dev_fixture *self)
{
	unmap_and_close(self);
	lab_unload(&lab);
	load(self, "cached=1");
}

static int copy(int fd, __u32 len)
{
	struct dma_mmap_copy copy = { .len = len };

	return ioctl(fd, DMA_MMAP_COPY, &copy);
}

static void fill(char *data, size_t size, unsigned int seed)
{
	size_t i;

	for (i = 0; i < size; i++)
		data[i] = rand_r(&seed) >> 7;
}

/* ---- ioctl: each errno ---- */

TEST_F(dev, unknown_ioctl)
{
	EXPECT_ERRNO(ENOTTY, ioctl(self->fd, 0, 0));
	EXPECT_ERRNO(ENOTTY, ioctl(self->fd, DMA_MMAP_COPY + 1, 0));
	EXPECT_ERRNO(ENOTTY, ioctl(self->fd, _IOR(0xDA, 0xF0, struct dma_mmap_copy), 0));
	EXPECT_ERRNO(ENOTTY, ioctl(self->fd, ~0U, 0));
}

TEST_F(dev, faulting_ioctl)
{
	long page = sysconf(_SC_PAGESIZE);
	char *pages;

	ASSERT_OK(pages = mmap(NULL, 2 * page, RW, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0));
	ASSERT_OK(munmap(pages + page, page));
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, DMA_MMAP_COPY, NULL));
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, DMA_MMAP_COPY, pages + page));
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, DMA_MMAP_COPY, pages + page - 4));
}

TEST_F(dev, no_bytes)
{
	EXPECT_ERRNO(EINVAL, copy(self->fd, 0));
}

TEST_F(dev, unknown_flags)
{
	struct dma_mmap_copy copy = { .len = 4, .flags = 1 };

	EXPECT_ERRNO(EINVAL, ioctl(self->fd, DMA_MMAP_COPY, &copy));
	copy.flags = 1U << 31;
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, DMA_MMAP_COPY, &copy));
}

TEST_F(dev, too_many_bytes)
{
	EXPECT_ERRNO(EMSGSIZE, copy(self->fd, SIZE + 1));
	EXPECT_ERRNO(EMSGSIZE, copy(self->fd, UINT32_MAX));
	EXPECT_OK(copy(self->fd, SIZE));
}

TEST_F(dev, neither_read_nor_write)
{
	char c = 0;

	EXPECT_ERRNO(EINVAL, read(self->fd, &c, 1));
	EXPECT_ERRNO(EINVAL, write(self->fd, &c, 1));
	EXPECT_ERRNO(ESPIPE, lseek(self->fd, 0, SEEK_SET));
}

/* ---- mmap: each errno ---- */

static void *map(const struct dev_fixture *self, size_t size, int prot, off_t at)
{
	return mmap(NULL, size, prot, MAP_SHARED, self->fd, at);
}

/* A mapping that is left behind would keep the module. */
static void expect_mapped(const struct dev_fixture *self, size_t size, off_t at)
{
	void *got;

	EXPECT_OK(got = map(self, size, PROT_READ, at));
	if (got != MAP_FAILED)
		munmap(got, size);
}

TEST_F(dev, mapping_out_of_bounds)
{
	long page = sysconf(_SC_PAGESIZE);

	EXPECT_ERRNO(ENXIO, map(self, page, PROT_READ, 2 * SIZE));
	EXPECT_ERRNO(ENXIO, map(self, 2 * page, PROT_READ, 2 * SIZE - page));
	EXPECT_ERRNO(ENXIO, map(self, 2 * SIZE + page, PROT_READ, 0));
	EXPECT_ERRNO(ENXIO, map(self, SIZE + 1, PROT_READ, DMA_MMAP_DST));
	EXPECT_ERRNO(ENXIO, map(self, page, PROT_READ, 1L << 30));
	expect_mapped(self, page, 2 * SIZE - page);
	expect_mapped(self, 2 * SIZE, 0);
}

TEST_F(dev, mapping_at_the_largest_offsets)
{
	long page = sysconf(_SC_PAGESIZE);

	EXPECT_ERRNO(ENXIO, map(self, SIZE, PROT_READ, LONG_MAX & -page));
	/* Where offset and length overflow, the kernel itself may refuse. */
	EXPECT_TRUE(map(self, SIZE, PROT_READ, -page) == MAP_FAILED);
	EXPECT_TRUE(map(self, 2 * SIZE, PROT_READ, -SIZE) == MAP_FAILED);
}

TEST_F(dev, writing_to_the_destination)
{
	long page = sysconf(_SC_PAGESIZE);
	void *both;

	EXPECT_ERRNO(EACCES, map(self, SIZE, RW, DMA_MMAP_DST));
	EXPECT_ERRNO(EACCES, map(self, SIZE, PROT_WRITE, DMA_MMAP_DST));
	EXPECT_ERRNO(EACCES, map(self, page, RW, 2 * SIZE - page));
	EXPECT_ERRNO(EACCES, map(self, 2 * page, RW, SIZE - page));
	EXPECT_ERRNO(EACCES, mprotect((void *)self->dst, page, RW));
	ASSERT_OK(both = map(self, 2 * SIZE, PROT_READ, 0));
	EXPECT_ERRNO(EACCES, mprotect(both, 2 * SIZE, RW));
	EXPECT_ERRNO(EACCES, mprotect((char *)both + SIZE - page, 2 * page, RW));
	EXPECT_OK(mprotect(both, SIZE, RW));
	EXPECT_ERRNO(EACCES, mprotect((char *)both + SIZE, page, RW));
	munmap(both, 2 * SIZE);
}

TEST_F(dev, private_mapping)
{
	EXPECT_ERRNO(EINVAL, mmap(NULL, SIZE, RW, MAP_PRIVATE, self->fd, 0));
	EXPECT_ERRNO(EINVAL, mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, self->fd,
				  DMA_MMAP_DST));
}

/* The kernel itself refuses: a file that is not open for both. */
TEST_F(dev, file_opened_one_way)
{
	struct dev_fixture reader = { .fd = lab_open(&lab, O_RDONLY) };
	struct dev_fixture writer = { .fd = lab_open(&lab, O_WRONLY) };

	EXPECT_ERRNO(EACCES, map(&reader, SIZE, RW, DMA_MMAP_SRC));
	EXPECT_ERRNO(EACCES, map(&writer, SIZE, PROT_WRITE, DMA_MMAP_SRC));
	expect_mapped(&reader, SIZE, DMA_MMAP_DST);
	close(reader.fd);
	close(writer.fd);
}

TEST_F(dev, mappings_do_not_grow)
{
	EXPECT_ERRNO(EFAULT, mremap((void *)self->dst, SIZE, 2 * SIZE,
				    MREMAP_MAYMOVE));
}

/* ---- data ---- */

static void move_and_compare(struct dev_fixture *self, __u32 len)
{
	fill(self->src, SIZE, len);
	ASSERT_OK(copy(self->fd, len));
	ASSERT_MEMEQ(self->src, self->dst, len);
}

static void move_lengths(struct dev_fixture *self)
{
	static const __u32 lengths[] = {
		1, 2, 3, 4, 5, 7, 8, 31, 32, 33, 63, 64, 65, 127, 128, 129,
		4095, 4096, 4097, 32768, SIZE - 1, SIZE,
	};
	size_t i;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		move_and_compare(self, lengths[i]);
}

TEST_F(dev, lengths)
{
	move_lengths(self);
}

TEST_F(dev, lengths_cached)
{
	reload_cached(self);
	move_lengths(self);
}

/* Read before and after each transfer, so that the cache knows the old data. */
static void move_changing_data(struct dev_fixture *self)
{
	int i;

	for (i = 0; i < 50; i++) {
		memset(self->src, 'a' + i % 26, 4096);
		ASSERT_OK(copy(self->fd, 4096));
		ASSERT_EQ('a' + i % 26, self->dst[0]);
		ASSERT_MEMEQ(self->src, self->dst, 4096);
	}
}

TEST_F(dev, changing_data)
{
	move_changing_data(self);
}

TEST_F(dev, changing_data_cached)
{
	reload_cached(self);
	move_changing_data(self);
}

/* Only the part that was asked for is moved, up to whole words. */
TEST_F(dev, the_rest_stays)
{
	memset(self->src, 1, SIZE);
	ASSERT_OK(copy(self->fd, SIZE));
	memset(self->src, 2, SIZE);
	ASSERT_OK(copy(self->fd, 4096));
	EXPECT_EQ(2, self->dst[4095]);
	EXPECT_EQ(1, self->dst[4096 + 64]);
	EXPECT_EQ(1, self->dst[SIZE - 1]);
}

/* All who map it see the same memory. */
TEST_F(dev, two_mappings)
{
	char *other;

	ASSERT_OK(other = map(self, 2 * SIZE, PROT_READ, 0));
	fill(self->src, SIZE, 7);
	EXPECT_MEMEQ(self->src, other, SIZE);
	ASSERT_OK(copy(self->fd, SIZE));
	EXPECT_MEMEQ(self->dst, other + SIZE, SIZE);
	munmap(other, 2 * SIZE);
}

/* It starts with zeros, and not with what somebody left in memory. */
static void expect_zeros(struct dev_fixture *self)
{
	static const char zeros[SIZE];

	EXPECT_MEMEQ(zeros, self->src, SIZE);
	EXPECT_MEMEQ(zeros, self->dst, SIZE);
}

TEST_F(dev, begins_with_zeros)
{
	expect_zeros(self);
}

TEST_F(dev, begins_with_zeros_cached)
{
	reload_cached(self);
	expect_zeros(self);
}

TEST_F(dev, application)
{
	fflush(stdout);
	EXPECT_EQ(0, system("labs/04-mmap/dma_mmap_app"));
	EXPECT_EQ(0, system("labs/04-mmap/dma_mmap_app hello"));
	EXPECT_NE(0, system("labs/04-mmap/dma_mmap_app one two"));
}

/* ---- many at once ---- */

static void copy_many(void)
{
	int fd = lab_open(&lab, O_RDWR);
	int i;

	for (i = 0; i < 125; i++)
		ASSERT_OK(copy(fd, 1 + i * 32));
	_exit(0);
}

TEST_F(dev, a_thousand_copies_from_eight_processes, .timeout = 120)
{
	int i, status, good = 0;

	lab_console(false);
	for (i = 0; i < 8; i++)
		if (fork() == 0)
			copy_many();
	while (wait(&status) > 0)
		good += WIFEXITED(status) && WEXITSTATUS(status) == 0;
	EXPECT_EQ(8, good);
	move_and_compare(self, SIZE);
}

static pid_t start_endless_copier(void)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	fd = lab_open(&lab, O_RDWR);
	ASSERT_OK(mmap(NULL, 2 * SIZE, PROT_READ, MAP_SHARED, fd, 0));
	for (;;)
		ASSERT_OK(copy(fd, SIZE));
}

TEST_F(dev, killed_while_copying, .timeout = 120)
{
	unsigned int seed = 1;
	int round, i;
	pid_t pids[2];

	lab_console(false);
	for (round = 0; round < 60; round++) {
		for (i = 0; i < 2; i++)
			pids[i] = start_endless_copier();
		usleep(rand_r(&seed) % 20000);
		for (i = 0; i < 2; i++) {
			int status;

			kill(pids[i], SIGKILL);
			ASSERT_OK(waitpid(pids[i], &status, 0));
			ASSERT_EQ(SIGKILL, WTERMSIG(status));
		}
	}
	move_and_compare(self, SIZE);
}

/* ---- coming and going ---- */

/* A mapping keeps the module when the file is closed. */
TEST_F(dev, no_removal_while_open_or_mapped)
{
	EXPECT_ERRNO(EAGAIN, lab_try_remove(&lab));
	close(self->fd);
	self->fd = 0;
	EXPECT_ERRNO(EAGAIN, lab_try_remove(&lab));
	munmap(self->src, SIZE);
	self->src = NULL;
	EXPECT_ERRNO(EAGAIN, lab_try_remove(&lab));
	munmap((void *)self->dst, SIZE);
	self->dst = NULL;
	lab_unload(&lab);
}

/* The memory stays as long as it is mapped, and is nobody else's. */
static void unbind_while_mapped(struct dev_fixture *self)
{
	struct dev_fixture again = { .fd = 0 };

	fill(self->src, SIZE, 5);
	ASSERT_OK(copy(self->fd, SIZE));
	lab_unbind(&lab);
	EXPECT_EQ(self->channels, lab_channels_in_use());
	EXPECT_ERRNO(ENODEV, copy(self->fd, 4));
	EXPECT_ERRNO(ENODEV, map(self, SIZE, PROT_READ, 0));
	EXPECT_MEMEQ(self->src, self->dst, SIZE);

	lab_bind(&lab);
	again.fd = lab_open(&lab, O_RDWR);
	map_both(&again);
	memset(again.src, 0x55, SIZE);
	ASSERT_OK(copy(again.fd, SIZE));
	EXPECT_MEMEQ(again.src, again.dst, SIZE);
	EXPECT_MEMEQ(self->src, self->dst, SIZE);
	EXPECT_NE(0, memcmp(self->src, again.src, SIZE));
	unmap_and_close(&again);
}

TEST_F(dev, unbound_while_mapped)
{
	unbind_while_mapped(self);
}

TEST_F(dev, unbound_while_mapped_cached)
{
	reload_cached(self);
	unbind_while_mapped(self);
}

static void copy_until_gone(void)
{
	int fd = open(lab.device, O_RDWR | O_CLOEXEC);

	while (fd >= 0 && copy(fd, 4096) == 0)
		;
	/* Between the two bindings there is no such device. */
	if (errno != ENODEV && errno != ENXIO && errno != ENOENT)
		ASSERT_EQ(ENODEV, errno);
	if (fd >= 0)
		close(fd);
}

TEST_F(dev, unbound_while_copying, .timeout = 120)
{
	pid_t pids[3];
	int i;

	lab_console(false);
	for (i = 0; i < 3; i++) {
		pids[i] = fork();
		while (pids[i] == 0)
			copy_until_gone();
	}
	for (i = 0; i < 30; i++) {
		usleep(20000);
		lab_unbind(&lab);
		lab_bind(&lab);
	}
	for (i = 0; i < 3; i++) {
		int status = 0;

		kill(pids[i], SIGKILL);
		waitpid(pids[i], &status, 0);
		EXPECT_EQ(SIGKILL, WTERMSIG(status));
	}
}

static void load_many_times(struct dev_fixture *self, int times,
			    const char *parameters)
{
	int i;

	unmap_and_close(self);
	lab_unload(&lab);
	lab_console(false);
	for (i = 0; i < times; i++) {
		load(self, parameters);
		if (i % 10 == 0)
			move_and_compare(self, 128);
		unmap_and_close(self);
		lab_unload(&lab);
	}
	lab_load(&lab, "");
}

TEST_F(dev, loaded_and_unloaded_again_and_again, .timeout = 180)
{
	load_many_times(self, 20, "");
	lab_unload(&lab);
	lab_load(&lab, "");
	load_many_times(self, 20, "cached=1");
}
