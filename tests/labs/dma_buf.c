// SPDX-License-Identifier: GPL-2.0-only
/* labs/09-dma-buf: what dmabuf.h promises */
#include "common/lab.h"

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../labs/09-dma-buf/dmabuf.h"

#define SIZE 65536
#define RW (PROT_READ | PROT_WRITE)

static const struct lab exporter = {
	.file = "labs/09-dma-buf/dmabuf_export.ko",
	.module = "dmabuf_export",
	.device = "/dev/dmabuf_export",
};

static const struct lab importer = {
	.file = "labs/09-dma-buf/dmabuf_import.ko",
	.module = "dmabuf_import",
	.driver = "dmabuf_import",
	.device = "/dev/dmabuf_import",
};

FIXTURE(shared) {
	int channels;
	int export;
	int import;
	int src, dst;		/* dma-bufs... */
	char *from, *to;	/* ...and where they are mapped */
};

static int alloc(int fd, __u32 size, __u32 flags)
{
	struct dmabuf_alloc alloc = { .size = size, .flags = flags };

	return ioctl(fd, DMABUF_ALLOC, &alloc);
}

static int take(int fd, int src, int dst)
{
	struct dmabuf_take take = { .src = src, .dst = dst };

	return ioctl(fd, DMABUF_TAKE, &take);
}

static int copy(int fd, __u32 len)
{
	struct dmabuf_copy copy = { .len = len };

	return ioctl(fd, DMABUF_COPY, &copy);
}

static int sync_buf(int fd, unsigned long long flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	return ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync);
}

static void load_exporter(void)
{
	/* Not by lab_load(): it makes no device, and takes no parameters. */
	ASSERT_EQ(0, system("insmod labs/09-dma-buf/dmabuf_export.ko"));
	lab_wait_for_device(&exporter);
}

static void set_up(struct shared_fixture *self)
{
	load_exporter();
	lab_load(&importer, "");
	self->export = lab_open(&exporter, O_RDWR);
	self->import = lab_open(&importer, O_RDWR);
	ASSERT_OK(self->src = alloc(self->export, SIZE, 0));
	ASSERT_OK(self->dst = alloc(self->export, SIZE, 0));
	ASSERT_OK(self->from = mmap(NULL, SIZE, RW, MAP_SHARED, self->src, 0));
	ASSERT_OK(self->to = mmap(NULL, SIZE, RW, MAP_SHARED, self->dst, 0));
}

static void let_go(struct shared_fixture *self)
{
	int fds[] = { self->import, self->src, self->dst, self->export };
	size_t i;

	for (i = 0; i < 4; i++)
		if (fds[i] > 0)
			close(fds[i]);
	if (self->from)
		munmap(self->from, SIZE);
	if (self->to)
		munmap(self->to, SIZE);
	self->export = 0;
	self->import = 0;
	self->src = 0;
	self->dst = 0;
	self->from = NULL;
	self->to = NULL;
}

FIXTURE_SETUP(shared)
{
	lab_start(&importer);
	lab_clean_up(&exporter);
	self->channels = lab_channels_in_use();
	set_up(self);
}

FIXTURE_TEARDOWN(shared)
{
	let_go(self);
	lab_clean_up(&importer);
	lab_clean_up(&exporter);
}

static void fill(char *data, size_t size, unsigned int seed)
{
	size_t i;

	for (i = 0; i < size; i++)
		data[i] = rand_r(&seed) >> 7;
}

/* Writes, has it moved, and looks, with the syncs around each look. */
static void move_and_compare(struct shared_fixture *self, __u32 len)
{
	EXPECT_OK(sync_buf(self->src, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE));
	fill(self->from, len, len);
	EXPECT_OK(sync_buf(self->src, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE));
	ASSERT_OK(copy(self->import, len));
	EXPECT_OK(sync_buf(self->dst, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	ASSERT_MEMEQ(self->from, self->to, len);
	EXPECT_OK(sync_buf(self->dst, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
}

/* ---- data ---- */

TEST_F(shared, lengths)
{
	static const __u32 lengths[] = { 1, 2, 3, 4, 5, 63, 64, 65, 4095, 4096, 4097, 12345,
					 SIZE - 1, SIZE };
	size_t i;

	ASSERT_OK(take(self->import, self->src, self->dst));
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		move_and_compare(self, lengths[i]);
}

TEST_F(shared, begins_with_zeros)
{
	static const char zeros[SIZE];

	EXPECT_MEMEQ(zeros, self->from, SIZE);
	EXPECT_MEMEQ(zeros, self->to, SIZE);
}

/* The importer holds them; the program has let go of its descriptors. */
TEST_F(shared, descriptors_closed)
{
	ASSERT_OK(take(self->import, self->src, self->dst));
	close(self->src);
	close(self->dst);
	self->src = 0;
	self->dst = 0;
	fill(self->from, SIZE, 3);
	EXPECT_OK(copy(self->import, SIZE));
}

TEST_F(shared, the_largest)
{
	int src, dst;
	char *from, *to;

	EXPECT_ERRNO(EMSGSIZE, alloc(self->export, DMABUF_MAX_SIZE + 1, 0));
	ASSERT_OK(src = alloc(self->export, DMABUF_MAX_SIZE, 0));
	ASSERT_OK(dst = alloc(self->export, DMABUF_MAX_SIZE, 0));
	ASSERT_OK(from = mmap(NULL, DMABUF_MAX_SIZE, RW, MAP_SHARED, src, 0));
	ASSERT_OK(to = mmap(NULL, DMABUF_MAX_SIZE, RW, MAP_SHARED, dst, 0));
	ASSERT_OK(take(self->import, src, dst));
	EXPECT_OK(sync_buf(src, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE));
	fill(from, DMABUF_MAX_SIZE, 4);
	EXPECT_OK(sync_buf(src, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE));
	ASSERT_OK(copy(self->import, DMABUF_MAX_SIZE));
	EXPECT_OK(sync_buf(dst, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	EXPECT_MEMEQ(from, to, DMABUF_MAX_SIZE);
	munmap(from, DMABUF_MAX_SIZE);
	munmap(to, DMABUF_MAX_SIZE);
	close(src);
	close(dst);
}

/* ---- each errno ---- */

TEST_F(shared, wrong_ioctls)
{
	void *volatile nowhere = (void *)8;

	EXPECT_ERRNO(ENOTTY, ioctl(self->export, DMABUF_COPY, nowhere));
	EXPECT_ERRNO(ENOTTY, ioctl(self->import, DMABUF_ALLOC, nowhere));
	EXPECT_ERRNO(ENOTTY, ioctl(self->import, 0, 0));
	EXPECT_ERRNO(EFAULT, ioctl(self->export, DMABUF_ALLOC, nowhere));
	EXPECT_ERRNO(EFAULT, ioctl(self->import, DMABUF_TAKE, nowhere));
	EXPECT_ERRNO(EFAULT, ioctl(self->import, DMABUF_COPY, nowhere));
}

TEST_F(shared, wrong_flags)
{
	struct dmabuf_take taken = { .src = self->src, .dst = self->dst, .flags = 1 };
	struct dmabuf_copy moved = { .len = 4, .flags = 1 };

	EXPECT_ERRNO(EINVAL, alloc(self->export, 4096, 2));
	EXPECT_ERRNO(EINVAL, ioctl(self->import, DMABUF_TAKE, &taken));
	taken.flags = 0;
	taken.reserved = 1;
	EXPECT_ERRNO(EINVAL, ioctl(self->import, DMABUF_TAKE, &taken));
	EXPECT_ERRNO(EINVAL, ioctl(self->import, DMABUF_COPY, &moved));
}

TEST_F(shared, wrong_sizes)
{
	int fd;

	EXPECT_ERRNO(EINVAL, alloc(self->export, 0, 0));
	EXPECT_ERRNO(EMSGSIZE, alloc(self->export, UINT32_MAX, 0));
	ASSERT_OK(fd = alloc(self->export, 1, 0));
	EXPECT_EQ(sysconf(_SC_PAGESIZE), lseek(fd, 0, SEEK_END));
	ASSERT_OK(take(self->import, self->src, fd));
	EXPECT_ERRNO(EINVAL, copy(self->import, 0));
	EXPECT_ERRNO(EMSGSIZE, copy(self->import, sysconf(_SC_PAGESIZE) + 1));
	EXPECT_ERRNO(EMSGSIZE, copy(self->import, UINT32_MAX));
	EXPECT_OK(copy(self->import, sysconf(_SC_PAGESIZE)));
	close(fd);
}

TEST_F(shared, wrong_buffers)
{
	int read_only;

	ASSERT_OK(read_only = alloc(self->export, SIZE, DMABUF_READ_ONLY));
	EXPECT_ERRNO(EBADF, take(self->import, -1, self->dst));
	EXPECT_ERRNO(EBADF, take(self->import, self->src, 1000));
	EXPECT_ERRNO(EINVAL, take(self->import, self->export, self->dst));
	EXPECT_ERRNO(EINVAL, take(self->import, self->src, self->src));
	EXPECT_ERRNO(EACCES, take(self->import, self->src, read_only));
	EXPECT_ERRNO(ENXIO, copy(self->import, 4));
	EXPECT_OK(take(self->import, read_only, self->dst));
	EXPECT_ERRNO(EBUSY, take(self->import, self->src, self->dst));
	EXPECT_OK(copy(self->import, 4));
	close(read_only);
}

static void *map(int fd, size_t size, int prot, int flags, off_t at)
{
	return mmap(NULL, size, prot, flags, fd, at);
}

TEST_F(shared, wrong_mappings)
{
	long page = sysconf(_SC_PAGESIZE);
	int read_only;
	char *got;

	ASSERT_OK(read_only = alloc(self->export, SIZE, DMABUF_READ_ONLY));
	EXPECT_ERRNO(EINVAL, map(self->src, SIZE, RW, MAP_PRIVATE, 0));
	EXPECT_ERRNO(EINVAL, map(self->src, SIZE + page, RW, MAP_SHARED, 0));
	EXPECT_ERRNO(EINVAL, map(self->src, page, RW, MAP_SHARED, SIZE));
	EXPECT_ERRNO(EACCES, map(read_only, SIZE, RW, MAP_SHARED, 0));
	ASSERT_OK(got = map(self->src, page, PROT_READ, MAP_SHARED, SIZE - page));
	self->from[SIZE - 1] = 'x';
	EXPECT_EQ('x', got[page - 1]);
	munmap(got, page);
	close(read_only);
}

/* ---- coming and going ---- */

TEST_F(shared, removal_is_refused)
{
	close(self->export);
	self->export = 0;
	EXPECT_ERRNO(EAGAIN, lab_try_remove(&exporter));
	close(self->src);
	close(self->dst);
	self->src = 0;
	self->dst = 0;
	EXPECT_ERRNO(EAGAIN, lab_try_remove(&exporter));
	EXPECT_ERRNO(EAGAIN, lab_try_remove(&importer));
	let_go(self);
	lab_unload(&importer);
	lab_unload(&exporter);
}

TEST_F(shared, unbound_while_taken)
{
	int import;

	ASSERT_OK(take(self->import, self->src, self->dst));
	move_and_compare(self, SIZE);
	lab_unbind(&importer);
	EXPECT_EQ(self->channels, lab_channels_in_use());
	EXPECT_ERRNO(ENODEV, copy(self->import, 4));
	EXPECT_ERRNO(ENODEV, take(self->import, self->src, self->dst));
	EXPECT_MEMEQ(self->from, self->to, SIZE);
	lab_bind(&importer);
	import = lab_open(&importer, O_RDWR);
	EXPECT_OK(take(import, self->src, self->dst));
	EXPECT_OK(copy(import, SIZE));
	close(import);
}

static pid_t start_endless_copier(struct shared_fixture *self)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	fd = lab_open(&importer, O_RDWR);
	ASSERT_OK(take(fd, self->src, self->dst));
	for (;;)
		if (copy(fd, SIZE))
			_exit(errno != ENODEV);
}

TEST_F(shared, killed_while_copying, .timeout = 120)
{
	unsigned int seed = 1;
	pid_t pids[2];
	int round, i;

	lab_console(false);
	for (round = 0; round < 30; round++) {
		for (i = 0; i < 2; i++)
			pids[i] = start_endless_copier(self);
		usleep(rand_r(&seed) % 20000);
		for (i = 0; i < 2; i++) {
			kill(pids[i], SIGKILL);
			waitpid(pids[i], NULL, 0);
		}
	}
	ASSERT_OK(take(self->import, self->src, self->dst));
	move_and_compare(self, SIZE);
}

TEST_F(shared, application)
{
	fflush(stdout);
	EXPECT_EQ(0, system("labs/09-dma-buf/dmabuf_app"));
	EXPECT_EQ(0, system("labs/09-dma-buf/dmabuf_app hello"));
	EXPECT_NE(0, system("labs/09-dma-buf/dmabuf_app one two"));
}

TEST_F(shared, loaded_again_and_again, .timeout = 120)
{
	int i;

	lab_console(false);
	for (i = 0; i < 20; i++) {
		let_go(self);
		lab_unload(&importer);
		lab_unload(&exporter);
		set_up(self);
		ASSERT_OK(take(self->import, self->src, self->dst));
		move_and_compare(self, 128);
	}
}

/* ---- a simulated controller ---- */

FIXTURE(sim) {
	struct shared_fixture shared;
};

FIXTURE_SETUP(sim)
{
	lab_clean_up(&importer);
	lab_clean_up(&exporter);
}

FIXTURE_TEARDOWN(sim)
{
	let_go(&self->shared);
	lab_clean_up(&importer);
	lab_clean_up(&exporter);
}

static void simulate(struct shared_fixture *self, const char *options)
{
	lab_simulate(options);
	set_up(self);
	ASSERT_OK(take(self->import, self->src, self->dst));
}

static void expect_nothing_mapped(struct shared_fixture *self)
{
	let_go(self);
	lab_unload(&importer);
	lab_unload(&exporter);
	EXPECT_EQ(0, lab_sim_number("mappings", "live"));
	EXPECT_EQ(0, lab_sim_number("mappings", "bad_unmaps"));
	EXPECT_EQ(0, lab_sim_number("mappings", "bad_syncs"));
}

TEST_F(sim, behind_an_iommu)
{
	simulate(&self->shared, "view=iommu");
	move_and_compare(&self->shared, SIZE);
	move_and_compare(&self->shared, 5);
	expect_nothing_mapped(&self->shared);
}

TEST_F(sim, non_coherent)
{
	simulate(&self->shared, "view=noncoherent");
	move_and_compare(&self->shared, SIZE);
	move_and_compare(&self->shared, 5);
	expect_nothing_mapped(&self->shared);
}

/* Each half of the sync is needed: without it the old data is moved, or seen. */
TEST_F(sim, non_coherent_without_syncs)
{
	struct shared_fixture *shared = &self->shared;

	simulate(shared, "view=noncoherent");
	move_and_compare(shared, 4096);
	memset(shared->from, 'n', 4096);
	ASSERT_OK(copy(shared->import, 4096));
	EXPECT_OK(sync_buf(shared->dst, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	EXPECT_FALSE(shared->to[0] == 'n' && shared->to[1] == 'n');
	EXPECT_OK(sync_buf(shared->dst, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
	EXPECT_OK(sync_buf(shared->src, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE));
	ASSERT_OK(copy(shared->import, 4096));
	EXPECT_FALSE(shared->to[0] == 'n' && shared->to[1] == 'n');
	EXPECT_OK(sync_buf(shared->dst, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	EXPECT_TRUE(shared->to[0] == 'n' && shared->to[1] == 'n');
}

TEST_F(sim, transfers_that_fail, .timeout = 60)
{
	struct shared_fixture *shared = &self->shared;

	simulate(shared, "view=iommu");
	lab_inject("fail");
	EXPECT_ERRNO(EIO, copy(shared->import, SIZE));
	move_and_compare(shared, SIZE);
	lab_inject("refuse");
	EXPECT_ERRNO(ENOMEM, copy(shared->import, SIZE));
	move_and_compare(shared, SIZE);
	lab_inject("hang");
	EXPECT_ERRNO(ETIMEDOUT, copy(shared->import, SIZE));
	move_and_compare(shared, SIZE);
	expect_nothing_mapped(shared);
}

TEST_F(sim, mappings_that_fail)
{
	struct shared_fixture *shared = &self->shared;
	int import;

	simulate(shared, "view=iommu");
	import = lab_open(&importer, O_RDWR);
	lab_inject("map");
	EXPECT_ERRNO(ENOMEM, take(import, shared->src, shared->dst));
	lab_inject("off");
	lab_inject("map nth=2");
	EXPECT_ERRNO(ENOMEM, take(import, shared->src, shared->dst));
	lab_inject("off");
	EXPECT_OK(take(import, shared->src, shared->dst));
	close(import);
	expect_nothing_mapped(shared);
}
