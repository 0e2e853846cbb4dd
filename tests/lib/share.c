// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers that are allocated, passed on as a file descriptor, and imported again: the
 * same whichever way jobs go, also without the module.
 */
#include "common/kit.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

KITS("")

#define SIZE	(64 * 1024)

TEST_KITS(allocated)
{
	struct dmafd_buf *src = dmafd_buf_alloc(kit->ctx, SIZE - 100, DMAFD_READ);
	struct dmafd_buf *dst = dmafd_buf_alloc(kit->ctx, SIZE, DMAFD_WRITE | DMAFD_CONTIGUOUS);
	static const unsigned char zero[SIZE];

	ASSERT_TRUE(src && dst);
	EXPECT_EQ(SIZE, dmafd_buf_size(src));
	EXPECT_MEMEQ(zero, bytes_of(src), SIZE);
	pattern(bytes_of(src), SIZE, 1);
	ASSERT_OK(dmafd_copy(kit->chan, dst, 0, src, 0, SIZE));
	EXPECT_MEMEQ(bytes_of(src), bytes_of(dst), SIZE);
	EXPECT_ERRNO(EACCES, dmafd_copy(kit->chan, src, 0, src, 0, 64));
	EXPECT_TRUE(fcntl(dmafd_buf_fd(src), F_GETFD) & FD_CLOEXEC);
	EXPECT_OK(dmafd_buf_remove(src));
	EXPECT_OK(dmafd_buf_remove(dst));
}

/* Jobs and the program take turns; the program says when. */
TEST_KITS(no_sync)
{
	struct dmafd_buf *src = dmafd_buf_alloc(kit->ctx, SIZE, DMAFD_READ);
	struct dmafd_buf *dst = dmafd_buf_alloc(kit->ctx, SIZE, DMAFD_WRITE);
	struct dmafd_job job;
	unsigned int i;

	ASSERT_TRUE(src && dst);
	dmafd_job_copy(&job, dst, 0, src, 0, SIZE);
	job.flags = DMAFD_NO_SYNC;
	for (i = 0; i < 5; i++) {
		ASSERT_OK(dmafd_buf_cpu_begin(src, DMAFD_WRITE));
		pattern(bytes_of(src), SIZE, i);
		ASSERT_OK(dmafd_buf_cpu_end(src, DMAFD_WRITE));
		ASSERT_OK(dmafd_run(kit->chan, &job, 1, NULL));
		ASSERT_OK(dmafd_buf_cpu_begin(dst, DMAFD_READ));
		ASSERT_MEMEQ(bytes_of(src), bytes_of(dst), SIZE);
		ASSERT_OK(dmafd_buf_cpu_end(dst, DMAFD_READ));
	}
}

/* The importer's file descriptor may be closed; another context sees the same memory. */
TEST_KITS(imported)
{
	struct dmafd_ctx *other = dmafd_open_auto();
	struct dmafd_buf *theirs, *buf, *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	int fd;

	ASSERT_TRUE(other);
	ASSERT_TRUE(theirs = dmafd_buf_alloc(other, SIZE, DMAFD_RDWR));
	ASSERT_OK(fd = dup(dmafd_buf_fd(theirs)));
	ASSERT_TRUE(buf = dmafd_buf_import(kit->ctx, fd, DMAFD_RDWR));
	close(fd);
	EXPECT_EQ(SIZE, dmafd_buf_size(buf));
	EXPECT_ERRNO(EINVAL, dmafd_buf_fd(buf));
	ASSERT_OK(dmafd_copy(kit->chan, buf, 0, src, 0, SIZE));
	ASSERT_OK(dmafd_buf_cpu_begin(theirs, DMAFD_READ));
	EXPECT_MEMEQ(bytes_of(src), bytes_of(theirs), SIZE);
	ASSERT_OK(dmafd_buf_cpu_end(theirs, DMAFD_READ));
	/* It may be mapped here as well, and outlives whom it came from. */
	dmafd_close(other);
	ASSERT_TRUE(bytes_of(buf));
	EXPECT_EQ(bytes_of(buf), bytes_of(buf));
	ASSERT_OK(dmafd_buf_cpu_begin(buf, DMAFD_READ));
	EXPECT_MEMEQ(bytes_of(src), bytes_of(buf), SIZE);
	ASSERT_OK(dmafd_buf_cpu_end(buf, DMAFD_READ));
	EXPECT_OK(dmafd_buf_remove(buf));
}

/* What is no dma-buf is refused by the module. */
TEST_KITS(not_imported)
{
	int fd;

	ASSERT_OK(fd = open("/dev/null", O_RDWR));
	EXPECT_ERRNO(EINVAL, dmafd_buf_import(kit->ctx, fd, DMAFD_READ) ? 0 : -1);
	close(fd);
}

/* The CPU's turn on a dma-buf of somebody else. */
TEST_KITS(imported_by_cpu)
{
	struct dmafd_ctx *other = dmafd_open_auto();
	struct dmafd_buf *theirs, *buf, *src = kit_buf(kit, SIZE, 1, DMAFD_READ);

	ASSERT_TRUE(other);
	ASSERT_TRUE(theirs = dmafd_buf_alloc(other, SIZE, DMAFD_RDWR));
	ASSERT_TRUE(buf = dmafd_buf_import(kit->ctx, dmafd_buf_fd(theirs), DMAFD_RDWR));
	dmafd_chan_set_threshold(kit->chan, SIZE_MAX);
	ASSERT_OK(dmafd_copy(kit->chan, buf, 0, src, 0, SIZE));
	EXPECT_MEMEQ(bytes_of(src), bytes_of(theirs), SIZE);
	dmafd_close(other);
}

/* Nothing stays open or mapped. */
TEST_KITS(no_leaks)
{
	unsigned int i, before = count_fds();
	struct dmafd_buf *buf, *again;

	for (i = 0; i < 100; i++) {
		ASSERT_TRUE(buf = dmafd_buf_alloc(kit->ctx, SIZE, DMAFD_RDWR));
		ASSERT_TRUE(again = dmafd_buf_import(kit->ctx, dmafd_buf_fd(buf), DMAFD_RDWR));
		ASSERT_TRUE(dmafd_buf_addr(again));
		ASSERT_OK(dmafd_buf_remove(again));
		ASSERT_OK(dmafd_buf_remove(buf));
		EXPECT_ERRNO(EINVAL, dmafd_buf_import(kit->ctx, 0, 0) ? 0 : -1);
	}
	EXPECT_EQ(before, count_fds());
}
