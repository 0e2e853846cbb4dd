// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registered memory of every kind, and what is done to it afterwards.
 */
#include "common/uapi.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

VIEWS("")

#define SIZE	(64 * 1024)
#define HUGE	(2UL << 20)
#define READ_WRITE	(DMAFD_BUF_READ | DMAFD_BUF_WRITE)

/* A file without a name in memory, so long, and mapped. */
static unsigned char *shared_file(size_t size, unsigned int flags, int *fd)
{
	void *ptr;

	*fd = memfd_create("dmafd", MFD_CLOEXEC | flags);
	if (*fd < 0)
		return NULL;
	ASSERT_OK(ftruncate(*fd, size));
	ptr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	return ptr == MAP_FAILED ? NULL : ptr;
}

/* From ordinary memory there, and back. */
static void there_and_back(struct rig *rig, unsigned char *ptr, size_t size)
{
	unsigned char *src = memory(size, 11), *dst = memory(size, 12);
	int from, to, buf;
	struct dmafd_op op;

	ASSERT_OK(buf = reg(rig->ctx, ptr, size, READ_WRITE));
	ASSERT_OK(from = reg(rig->ctx, src, size, DMAFD_BUF_READ));
	ASSERT_OK(to = reg(rig->ctx, dst, size, DMAFD_BUF_WRITE));
	op = copy_op(buf, 0, from, 0, size);
	run_well(rig->chan, &op);
	ASSERT_MEMEQ(src, ptr, size);
	pattern(ptr, size, 13);
	op = copy_op(to, 0, buf, 0, size);
	run_well(rig->chan, &op);
	ASSERT_MEMEQ(ptr, dst, size);
	ASSERT_OK(unreg(rig->ctx, buf));
	ASSERT_OK(unreg(rig->ctx, from));
	ASSERT_OK(unreg(rig->ctx, to));
}

TEST_VIEWS(shared_memory)
{
	unsigned char *ptr;
	int fd;

	ASSERT_TRUE(ptr = shared_file(SIZE, 0, &fd));
	there_and_back(rig, ptr, SIZE);
	/* It is the file's. */
	ASSERT_EQ(1, pwrite(fd, "x", 1, 5));
	EXPECT_EQ('x', ptr[5]);
}

TEST_VIEWS(huge_pages, .timeout = 60)
{
	unsigned char *ptr;
	int fd;

	if (access("/proc/sys/vm/nr_hugepages", F_OK))
		SKIP("no huge pages here");
	put_text("/proc/sys/vm/nr_hugepages", "2");
	ptr = shared_file(2 * HUGE, MFD_HUGETLB, &fd);
	if (!ptr || number_in("/proc/meminfo", "HugePages_Free:") < 2)
		SKIP("no huge pages here");
	/* Pages that can't be pinned for long are not there for a first touch by the kernel. */
	memset(ptr, 1, 2 * HUGE);
	there_and_back(rig, ptr, 2 * HUGE);
	/* A part, across two of them. */
	there_and_back(rig, ptr + HUGE - 8192, 16384);
	ASSERT_OK(munmap(ptr, 2 * HUGE));
	close(fd);
	put_text("/proc/sys/vm/nr_hugepages", "0");
	EXPECT_EQ(0, number_in("/proc/meminfo", "HugePages_Total:"));
}

TEST_VIEWS(transparent_huge_pages, .timeout = 60)
{
	unsigned char *ptr = memory(3 * HUGE, 1);

	ptr += HUGE - (uintptr_t)ptr % HUGE;
	madvise(ptr, 2 * HUGE, MADV_HUGEPAGE);
	madvise(ptr, 2 * HUGE, MADV_DONTNEED);
	there_and_back(rig, ptr + 4096, HUGE);
	/* It is split while it is registered. */
	ASSERT_OK(reg(rig->ctx, ptr, HUGE, READ_WRITE));
	ASSERT_OK(mprotect(ptr + 8192, 4096, PROT_READ));
	ASSERT_OK(munmap(ptr + 16384, 4096));
}

/* The pages stay the buffer's, though they are the file's no more. */
TEST_VIEWS(truncated_file)
{
	unsigned char *ptr, *dst = memory(SIZE, 2), *model = memory(SIZE, 1);
	struct dmafd_op op;
	int fd, from, to;

	ASSERT_TRUE(ptr = shared_file(SIZE, 0, &fd));
	pattern(ptr, SIZE, 1);
	ASSERT_OK(from = reg(rig->ctx, ptr, SIZE, READ_WRITE));
	ASSERT_OK(to = reg(rig->ctx, dst, SIZE, READ_WRITE));
	ASSERT_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 8192, 4096));
	ASSERT_OK(ftruncate(fd, SIZE / 2));
	op = copy_op(to, 0, from, 0, SIZE);
	run_well(rig->chan, &op);
	EXPECT_MEMEQ(model, dst, SIZE);
	/* What is written there is not the file's. */
	op = copy_op(from, 8192, to, 0, 4096);
	run_well(rig->chan, &op);
	memset(model, 0, 4096);
	EXPECT_MEMEQ(model, ptr + 8192, 4096);
	ASSERT_OK(munmap(ptr, SIZE));
	close(fd);
	run_well(rig->chan, &op);
	ASSERT_OK(unreg(rig->ctx, from));
}

/* A private mapping of a file is the program's own. */
TEST_F(flat, mapped_files)
{
	struct rig *rig = &self->rig;
	unsigned char *ptr, *dst = memory(SIZE, 2);
	const char *path = "/tmp/dmafd-file";
	struct dmafd_op op;
	int fd, from, to;

	ASSERT_OK(fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600));
	pattern(dst, SIZE, 3);
	ASSERT_EQ(SIZE, write(fd, dst, SIZE));
	ASSERT_OK(ptr = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	ASSERT_OK(from = reg(rig->ctx, ptr, SIZE, DMAFD_BUF_READ));
	memset(dst, 0, SIZE);
	ASSERT_OK(to = reg(rig->ctx, dst, SIZE, DMAFD_BUF_WRITE));
	op = copy_op(to, 0, from, 0, SIZE);
	run_well(rig->chan, &op);
	EXPECT_MEMEQ(ptr, dst, SIZE);
	/* Written after it was registered: it is still the same page. */
	ptr[77] ^= 0xff;
	run_well(rig->chan, &op);
	EXPECT_MEMEQ(ptr, dst, SIZE);
	unlink(path);
}

/*
 * A file of a disk is not written to: its file system would not know of it. It may
 * be read.
 */
TEST_F(flat, files_of_a_disk)
{
	unsigned char *ptr, *dst = memory(SIZE, 2);
	struct rig *rig = &self->rig;
	struct dmafd_op op;
	int fd, from, to;

	if (system("modprobe brd rd_nr=1 rd_size=4096 2>/dev/null") ||
	    system("mke2fs /dev/ram0 >/dev/null 2>&1") || system("modprobe ext4 2>/dev/null"))
		SKIP("no disk here");
	ASSERT_TRUE(!mkdir("/tmp/disk", 0700) || errno == EEXIST);
	ASSERT_OK(mount("/dev/ram0", "/tmp/disk", "ext2", 0, NULL));
	ASSERT_OK(fd = open("/tmp/disk/file", O_RDWR | O_CREAT, 0600));
	pattern(dst, SIZE, 3);
	ASSERT_EQ(SIZE, write(fd, dst, SIZE));
	ASSERT_OK(ptr = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	EXPECT_ERRNO(EFAULT, reg(rig->ctx, ptr, SIZE, DMAFD_BUF_WRITE));
	EXPECT_ERRNO(EFAULT, reg(rig->ctx, ptr, SIZE, READ_WRITE));
	ASSERT_OK(from = reg(rig->ctx, ptr, SIZE, DMAFD_BUF_READ));
	ASSERT_OK(to = reg(rig->ctx, dst, SIZE, DMAFD_BUF_WRITE));
	memset(dst, 0, SIZE);
	op = copy_op(to, 0, from, 0, SIZE);
	run_well(rig->chan, &op);
	EXPECT_MEMEQ(ptr, dst, SIZE);
	ASSERT_OK(unreg(rig->ctx, from));
	ASSERT_OK(munmap(ptr, SIZE));
	close(fd);
	EXPECT_OK(umount("/tmp/disk"));
}

/* In a read-only mapping there may be pages that are anybody's: they are only read. */
TEST_F(flat, read_only_mapping)
{
	static const unsigned char constant[8192] = { 1, 2, 3 };
	struct rig *rig = &self->rig;
	unsigned char *dst = memory(8192, 2);
	struct dmafd_op op;
	int from, to;

	ASSERT_OK(from = reg(rig->ctx, constant, sizeof(constant), DMAFD_BUF_READ));
	EXPECT_ERRNO(EFAULT, reg(rig->ctx, constant, sizeof(constant), READ_WRITE));
	ASSERT_OK(to = reg(rig->ctx, dst, sizeof(constant), DMAFD_BUF_WRITE));
	op = copy_op(to, 0, from, 0, sizeof(constant));
	run_well(rig->chan, &op);
	EXPECT_MEMEQ(constant, dst, sizeof(constant));
}

/* What is no memory cannot be pinned. */
TEST_F(flat, not_memory)
{
	unsigned char *ptr;
	int fd;

	ASSERT_OK(ptr = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	EXPECT_ERRNO(EFAULT, reg(self->rig.ctx, ptr, SIZE, DMAFD_BUF_READ));
	/* Behind the end of the file. */
	ASSERT_TRUE(ptr = shared_file(SIZE, 0, &fd));
	ASSERT_OK(ftruncate(fd, 4096));
	EXPECT_ERRNO(EFAULT, reg(self->rig.ctx, ptr, SIZE, DMAFD_BUF_READ));
	EXPECT_OK(reg(self->rig.ctx, ptr, 4096, DMAFD_BUF_READ));
	/* A device's registers. */
	fd = open("/dev/mem", O_RDWR);
	if (fd < 0)
		return;
	ptr = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0xb8000);
	if (ptr != MAP_FAILED)
		EXPECT_ERRNO(EFAULT, reg(self->rig.ctx, ptr, 4096, DMAFD_BUF_READ));
}

/* Both the parent and the child write after fork(): the parent has the pages. */
TEST_F(flat, private_after_fork)
{
	unsigned char *src = memory(SIZE, 1), *dst = memory(SIZE, 2);
	struct rig *rig = &self->rig;
	int from, to, status;
	struct dmafd_op op;
	pid_t pid;

	ASSERT_OK(from = reg(rig->ctx, src, SIZE, DMAFD_BUF_READ));
	ASSERT_OK(to = reg(rig->ctx, dst, SIZE, DMAFD_BUF_WRITE));
	ASSERT_OK(pid = fork());
	if (!pid) {
		memset(src, 1, SIZE);
		memset(dst, 1, SIZE);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	src[3] ^= 0xff;
	op = copy_op(to, 0, from, 0, SIZE);
	run_well(rig->chan, &op);
	EXPECT_MEMEQ(src, dst, SIZE);
}

/* The number means the same when the memory was moved and something else is there. */
TEST_F(flat, moved)
{
	unsigned char *src = memory(SIZE, 1), *dst = memory(SIZE, 2), *moved, *other;
	struct rig *rig = &self->rig;
	struct dmafd_op op;
	int from, to;

	ASSERT_OK(from = reg(rig->ctx, src, SIZE, DMAFD_BUF_READ));
	ASSERT_OK(to = reg(rig->ctx, dst, SIZE, DMAFD_BUF_WRITE));
	ASSERT_OK(moved = mremap(src, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
				 memory(SIZE, 0)));
	ASSERT_OK(other = mmap(src, SIZE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	memset(other, 0x11, SIZE);
	op = copy_op(to, 0, from, 0, SIZE);
	run_well(rig->chan, &op);
	EXPECT_MEMEQ(moved, dst, SIZE);
	ASSERT_OK(moved = mremap(moved, SIZE, 2 * SIZE, MREMAP_MAYMOVE));
	pattern(moved, SIZE, 7);
	run_well(rig->chan, &op);
	EXPECT_MEMEQ(moved, dst, SIZE);
}

/*
 * Two mappings of one file: that they overlap is not noticed. What is beside is
 * what it was, and what is written comes from the source.
 */
TEST_VIEWS(two_mappings_of_one_file)
{
	unsigned char *one, *two, *model = memory(SIZE, 1);
	struct dmafd_op op;
	int fd, from, to;

	ASSERT_TRUE(one = shared_file(SIZE, 0, &fd));
	ASSERT_OK(two = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	pattern(one, SIZE, 1);
	ASSERT_OK(from = reg(rig->ctx, one, SIZE, READ_WRITE));
	ASSERT_OK(to = reg(rig->ctx, two, SIZE, READ_WRITE));
	op = copy_op(to, 8192, from, 0, 8192);
	run_well(rig->chan, &op);
	memcpy(model + 8192, model, 8192);
	ASSERT_MEMEQ(model, one, SIZE);
	op = copy_op(to, 4096, from, 0, 8192);
	run_well(rig->chan, &op);
	EXPECT_MEMEQ(model, one, 4096);
	EXPECT_MEMEQ(model + 12288, one + 12288, SIZE - 12288);
}
