// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that dmafd allocates, and dma-bufs that it imports.
 */
#include "common/uapi.h"

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

VIEWS("")

#define SIZE	(64 * 1024)
#define NOBODY	65534
#define READ_WRITE	(DMAFD_BUF_READ | DMAFD_BUF_WRITE)

/* What the limit of locked memory counts. */
static long locked(void)
{
	return number_in("/proc/self/status", "VmPin:");
}

/* A file that was closed goes a little later when another process had it. */
static bool becomes(long (*number)(void), long wanted)
{
	unsigned int waited;

	for (waited = 0; waited < slow_ms(2000) && number() != wanted; waited += 10)
		sleep_ms(10);
	return number() == wanted;
}

/* ---- each error ---- */

static int alloc_error(int ctx, __u64 len, unsigned int flags)
{
	struct dmafd_buf_alloc arg = { .size = sizeof(arg), .flags = flags, .length = len };

	return ioctl(ctx, DMAFD_BUF_ALLOC, &arg);
}

TEST_F(flat, alloc_errors)
{
	struct dmafd_buf_alloc arg = { .size = sizeof(arg) - 4, .flags = 1, .length = 1 };
	int ctx = self->rig.ctx;
	long before = locked();

	EXPECT_ERRNO(EOPNOTSUPP, alloc_error(ctx, SIZE, 8 | DMAFD_BUF_READ));
	EXPECT_ERRNO(EINVAL, alloc_error(ctx, SIZE, 0));
	EXPECT_ERRNO(EINVAL, alloc_error(ctx, SIZE, DMAFD_BUF_CONTIGUOUS));
	EXPECT_ERRNO(EINVAL, alloc_error(ctx, 0, DMAFD_BUF_READ));
	EXPECT_ERRNO(ENOMEM, alloc_error(ctx, UINT64_MAX, DMAFD_BUF_READ));
	EXPECT_ERRNO(ENOMEM, alloc_error(ctx, UINT64_MAX - 4095, DMAFD_BUF_READ));
	EXPECT_ERRNO(ENOMEM, alloc_error(ctx, 1ULL << 42, DMAFD_BUF_READ));
	/* More than any emulated board has in one piece. */
	EXPECT_ERRNO(ENOMEM, alloc_error(ctx, 300 << 20, DMAFD_BUF_READ | DMAFD_BUF_CONTIGUOUS));
	EXPECT_ERRNO(EINVAL, ioctl(ctx, DMAFD_BUF_ALLOC, &arg));
	EXPECT_ERRNO(EFAULT, ioctl(ctx, DMAFD_BUF_ALLOC, NULL));
	EXPECT_EQ(before, locked());
}

/* Neither the buffer nor the dma-buf is there if the answer cannot be given. */
TEST_F(flat, alloc_unwritable_argument)
{
	struct dmafd_buf_alloc *arg = (void *)memory(4096, 1);
	long before = locked();
	int fd, next;

	ASSERT_OK(fd = dup(0));
	close(fd);
	*arg = (struct dmafd_buf_alloc){
		.size = sizeof(*arg), .flags = DMAFD_BUF_READ, .length = SIZE,
	};
	ASSERT_OK(mprotect(arg, 4096, PROT_READ));
	EXPECT_ERRNO(EFAULT, ioctl(self->rig.ctx, DMAFD_BUF_ALLOC, arg));
	EXPECT_EQ(before, locked());
	ASSERT_OK(next = dup(0));
	EXPECT_EQ(fd, next);
	EXPECT_ERRNO(ENOENT, unreg(self->rig.ctx, 1));
}

TEST_F(flat, alloc_without_file_descriptors)
{
	const struct rlimit none = { .rlim_cur = 3, .rlim_max = 4096 };
	long before = locked();
	struct rlimit limit;
	int fd;

	ASSERT_OK(getrlimit(RLIMIT_NOFILE, &limit));
	ASSERT_OK(setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_ERRNO(EMFILE, alloc(self->rig.ctx, SIZE, DMAFD_BUF_READ, &fd));
	ASSERT_OK(setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(before, locked());
	EXPECT_ERRNO(ENOENT, unreg(self->rig.ctx, 1));
}

TEST_F(flat, import_errors)
{
	struct dmafd_buf_import arg = { .size = sizeof(arg) - 4, .flags = 1 };
	int ctx = self->rig.ctx, fd;

	ASSERT_OK(alloc(ctx, SIZE, READ_WRITE, &fd));
	EXPECT_ERRNO(EBADF, import(ctx, -1, DMAFD_BUF_READ));
	EXPECT_ERRNO(EBADF, import(ctx, 1000, DMAFD_BUF_READ));
	EXPECT_ERRNO(EINVAL, import(ctx, 0, DMAFD_BUF_READ));
	EXPECT_ERRNO(EINVAL, import(ctx, ctx, DMAFD_BUF_READ));
	EXPECT_ERRNO(EINVAL, import(ctx, fd, 0));
	EXPECT_ERRNO(EOPNOTSUPP, import(ctx, fd, DMAFD_BUF_READ | DMAFD_BUF_CONTIGUOUS));
	EXPECT_ERRNO(EOPNOTSUPP, import(ctx, fd, 0x100));
	EXPECT_ERRNO(EINVAL, ioctl(ctx, DMAFD_BUF_IMPORT, &arg));
	EXPECT_ERRNO(EFAULT, ioctl(ctx, DMAFD_BUF_IMPORT, NULL));
}

TEST_F(flat, import_unwritable_argument)
{
	struct dmafd_buf_import *arg = (void *)memory(4096, 1);
	int ctx = self->rig.ctx, fd;
	long before = locked();

	ASSERT_EQ(1, alloc(ctx, SIZE, READ_WRITE, &fd));
	*arg = (struct dmafd_buf_import){
		.size = sizeof(*arg), .flags = DMAFD_BUF_READ, .fd = fd,
	};
	ASSERT_OK(mprotect(arg, 4096, PROT_READ));
	EXPECT_ERRNO(EFAULT, ioctl(ctx, DMAFD_BUF_IMPORT, arg));
	EXPECT_ERRNO(ENOENT, unreg(ctx, 2));
	close(fd);
	ASSERT_OK(unreg(ctx, 1));
	/* Nothing keeps the dma-buf. */
	EXPECT_TRUE(becomes(locked, before));
}

/* ---- data ---- */

/* In both directions, through a mapping that is never synchronized by the program. */
static void allocated(struct rig *rig, size_t size, unsigned int flags)
{
	unsigned char *src = memory(size, 1), *dst = memory(size, 2), *ptr, *zeros;
	int from, to, buf, fd;
	struct dmafd_op op;

	ASSERT_OK(buf = alloc(rig->ctx, size, READ_WRITE | flags, &fd));
	ptr = map_fd(fd, size);
	ASSERT_TRUE(zeros = calloc(1, size));
	ASSERT_MEMEQ(zeros, ptr, size);
	ASSERT_OK(from = reg(rig->ctx, src, size, DMAFD_BUF_READ));
	ASSERT_OK(to = reg(rig->ctx, dst, size, DMAFD_BUF_WRITE));
	op = copy_op(buf, 0, from, 0, size);
	run_well(rig->chan, &op);
	ASSERT_MEMEQ(src, ptr, size);
	pattern(ptr, size, 3);
	op = copy_op(to, 0, buf, 0, size);
	run_well(rig->chan, &op);
	ASSERT_MEMEQ(ptr, dst, size);
	/* In the middle, with edges. */
	op = copy_op(buf, 4, from, 16, 1000);
	run_well(rig->chan, &op);
	memcpy(dst + 4, src + 16, 1000);
	ASSERT_MEMEQ(dst, ptr, size);
	ASSERT_OK(munmap(ptr, size));
	close(fd);
	ASSERT_OK(unreg(rig->ctx, buf));
	free(zeros);
}

TEST_VIEWS(alloc_page) { allocated(rig, 4096, 0); }
TEST_VIEWS(alloc_some, .timeout = 60) { allocated(rig, (2 << 20) + (64 << 10) + 4096, 0); }
TEST_VIEWS(alloc_contiguous, .timeout = 60) { allocated(rig, 3 << 20, DMAFD_BUF_CONTIGUOUS); }

/* More than the page allocator has in one piece: only where memory is kept for that. */
TEST_VIEWS(alloc_large_contiguous, .timeout = 120)
{
	const size_t size = 6 << 20;
	int buf, fd;

	buf = alloc(rig->ctx, size, DMAFD_BUF_READ | DMAFD_BUF_CONTIGUOUS, &fd);
	if (buf < 0) {
		EXPECT_EQ(ENOMEM, errno);
		SKIP("no reserved memory here");
	}
	ASSERT_OK(unreg(rig->ctx, buf));
	close(fd);
	allocated(rig, size, DMAFD_BUF_CONTIGUOUS);
}

TEST_F(flat, length_is_rounded_up)
{
	struct dmafd_buf_alloc arg = {
		.size = sizeof(arg), .flags = DMAFD_BUF_READ, .length = 4097,
	};
	struct dmafd_buf_import other = { .size = sizeof(other), .flags = DMAFD_BUF_READ };
	int ctx = self->rig.ctx;

	ASSERT_OK(ioctl(ctx, DMAFD_BUF_ALLOC, &arg));
	EXPECT_EQ(8192, arg.out_length);
	EXPECT_EQ(8192, lseek(arg.out_fd, 0, SEEK_END));
	EXPECT_EQ(FD_CLOEXEC, fcntl(arg.out_fd, F_GETFD));
	other.fd = arg.out_fd;
	ASSERT_OK(ioctl(ctx, DMAFD_BUF_IMPORT, &other));
	EXPECT_EQ(8192, other.out_length);
	EXPECT_NE(arg.out_buf, other.out_buf);
}

TEST_F(flat, access)
{
	int readable, writable, fd, ctx = self->rig.ctx, chan = self->rig.chan;
	struct dmafd_op op;

	ASSERT_OK(readable = alloc(ctx, SIZE, DMAFD_BUF_READ, &fd));
	ASSERT_OK(writable = import(ctx, fd, DMAFD_BUF_WRITE));
	op = copy_op(readable, 0, readable, 8192, 4096);
	EXPECT_ERRNO(EACCES, submit_error(chan, &op));
	op = copy_op(writable, 0, writable, 8192, 4096);
	EXPECT_ERRNO(EACCES, submit_error(chan, &op));
	op = copy_op(writable, 0, readable, 8192, 4096);
	EXPECT_OK(submit_error(chan, &op));
	/* The same memory, by whatever buffer. */
	op = copy_op(writable, 0, readable, 2048, 4096);
	EXPECT_ERRNO(EINVAL, submit_error(chan, &op));
}

/* The program brackets what it does to the mapping: it is an import, whoever exported it. */
static void imported(struct rig *rig, int ctx, int fd, unsigned char *ptr)
{
	unsigned char *src = memory(SIZE, 4), *dst = memory(SIZE, 5);
	int from, to, buf;
	struct dmafd_op op;

	ASSERT_OK(buf = import(ctx, fd, READ_WRITE));
	ASSERT_OK(from = reg(ctx, src, SIZE, DMAFD_BUF_READ));
	ASSERT_OK(to = reg(ctx, dst, SIZE, DMAFD_BUF_WRITE));
	begin_access(fd);
	pattern(ptr, SIZE, 6);
	end_access(fd);
	op = copy_op(to, 0, buf, 0, SIZE);
	run_well(rig->chan, &op);
	begin_access(fd);
	ASSERT_MEMEQ(ptr, dst, SIZE);
	end_access(fd);
	op = copy_op(buf, 0, from, 0, SIZE);
	run_well(rig->chan, &op);
	begin_access(fd);
	ASSERT_MEMEQ(src, ptr, SIZE);
	/* What it changes in between is seen. */
	ptr[100] ^= 0xff;
	end_access(fd);
	op = copy_op(to, 0, buf, 0, SIZE);
	run_well(rig->chan, &op);
	begin_access(fd);
	EXPECT_MEMEQ(ptr, dst, SIZE);
	end_access(fd);
	EXPECT_OK(unreg(ctx, buf));
}

TEST_VIEWS(import_from_another_context)
{
	int other, fd;

	ASSERT_OK(other = ctx_open());
	ASSERT_OK(alloc(other, SIZE, DMAFD_BUF_READ, &fd));
	/* Its context is not needed. */
	close(other);
	imported(rig, rig->ctx, fd, map_fd(fd, SIZE));
	close(fd);
}

TEST_VIEWS(import_from_the_same_context)
{
	int buf, fd;

	ASSERT_OK(buf = alloc(rig->ctx, SIZE, READ_WRITE, &fd));
	imported(rig, rig->ctx, fd, map_fd(fd, SIZE));
	ASSERT_OK(unreg(rig->ctx, buf));
	imported(rig, rig->ctx, fd, map_fd(fd, SIZE));
}

TEST_VIEWS(import_from_another_process)
{
	int sockets[2], status, fd;
	unsigned char *ptr;
	pid_t pid;

	ASSERT_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets));
	ASSERT_OK(pid = fork());
	if (!pid) {
		int ctx;

		ASSERT_OK(ctx = ctx_open());
		ASSERT_OK(alloc(ctx, SIZE, DMAFD_BUF_READ, &fd));
		memset(map_fd(fd, SIZE), 0x42, SIZE);
		send_fd(sockets[0], fd);
		_exit(0);
	}
	fd = receive_fd(sockets[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	ptr = map_fd(fd, SIZE);
	EXPECT_EQ(0x42, ptr[SIZE - 1]);
	imported(rig, rig->ctx, fd, ptr);
}

/* On a controller that does not see caches, nobody could write the edges. */
TEST_F(noncoherent, no_edges_from_an_import)
{
	struct rig *rig = &self->rig;
	unsigned char *dst = memory(SIZE, 1);
	struct dmafd_op op;
	int from, to, fd;

	ASSERT_OK(alloc(rig->ctx, SIZE, DMAFD_BUF_READ, &fd));
	ASSERT_OK(from = import(rig->ctx, fd, READ_WRITE));
	ASSERT_OK(to = reg(rig->ctx, dst, SIZE, READ_WRITE));
	op = copy_op(to, 4, from, 0, 4096);
	EXPECT_ERRNO(EINVAL, submit_error(rig->chan, &op));
	op = copy_op(to, 0, from, 0, 4100);
	EXPECT_ERRNO(EINVAL, submit_error(rig->chan, &op));
	op = copy_op(to, 4096, from, 4, 4096);
	EXPECT_OK(submit_error(rig->chan, &op));
	/* Into it, anything: it is the program that cares for lines. */
	op = copy_op(from, 12, to, 4, 4100);
	EXPECT_OK(submit_error(rig->chan, &op));
}

/*
 * The program hands the memory over, and nobody else does. A blind controller sees
 * nothing else.
 */
static void no_sync(struct rig *rig, bool blind)
{
	unsigned char *src, *dst, *model = memory(SIZE, 1);
	int from, to, from_fd, to_fd, other;
	struct dmafd_op op;

	ASSERT_OK(from = alloc(rig->ctx, SIZE, DMAFD_BUF_READ, &from_fd));
	ASSERT_OK(to = alloc(rig->ctx, SIZE, DMAFD_BUF_WRITE, &to_fd));
	src = map_fd(from_fd, SIZE);
	dst = map_fd(to_fd, SIZE);
	begin_access(from_fd);
	pattern(src, SIZE, 1);
	end_access(from_fd);
	op = copy_op(to, 0, from, 0, SIZE);
	op.flags = DMAFD_OP_NO_SYNC;
	run_well(rig->chan, &op);
	/* Where the controller sees something else, it is not here before it is fetched. */
	EXPECT_EQ(blind, !!memcmp(dst, model, SIZE));
	begin_access(to_fd);
	EXPECT_MEMEQ(model, dst, SIZE);
	end_access(to_fd);
	/* Nor is it there before it is handed over. */
	memset(src, 0, SIZE);
	run_well(rig->chan, &op);
	begin_access(to_fd);
	EXPECT_EQ(blind, !memcmp(dst, model, SIZE));
	end_access(to_fd);
	end_access(from_fd);
	run_well(rig->chan, &op);
	begin_access(to_fd);
	EXPECT_MEMEQ(src, dst, SIZE);
	/* Without the flag, it is done as ever. */
	op.flags = 0;
	pattern(src, SIZE, 4);
	run_well(rig->chan, &op);
	EXPECT_MEMEQ(src, dst, SIZE);
	op.flags = DMAFD_OP_NO_SYNC;
	ASSERT_OK(other = import(rig->ctx, to_fd, DMAFD_BUF_WRITE));
	op.dst_buf = other;
	EXPECT_ERRNO(EINVAL, submit_error(rig->chan, &op));
	ASSERT_OK(op.src_buf = reg(rig->ctx, src, SIZE, DMAFD_BUF_READ));
	op.dst_buf = to;
	EXPECT_ERRNO(EINVAL, submit_error(rig->chan, &op));
	op = nop_op(DMAFD_OP_NO_SYNC);
	run_well(rig->chan, &op);
}

TEST_F(flat, no_sync) { no_sync(&self->rig, false); }
TEST_F(iommu, no_sync) { no_sync(&self->rig, false); }
TEST_F(noncoherent, no_sync) { no_sync(&self->rig, true); }

/* ---- mappings of the program ---- */

TEST_F(flat, mappings)
{
	unsigned char *ptr, *grown;
	int fd, status;
	pid_t pid;

	ASSERT_OK(alloc(self->rig.ctx, SIZE, READ_WRITE, &fd));
	EXPECT_ERRNO(EINVAL, mmap(NULL, SIZE + 4096, PROT_READ, MAP_SHARED, fd, 0));
	EXPECT_ERRNO(EINVAL, mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, SIZE));
	EXPECT_ERRNO(EINVAL, mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, SIZE - 4096));
	EXPECT_ERRNO(EINVAL, mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	ptr = map_fd(fd, SIZE);
	pattern(ptr, SIZE, 1);
	/* A part of it, at its place. */
	ASSERT_OK(grown = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, SIZE - 4096));
	EXPECT_MEMEQ(ptr + SIZE - 4096, grown, 4096);
	EXPECT_ERRNO(EFAULT, mremap(grown, 4096, 8192, MREMAP_MAYMOVE));
	/* Pages that were dropped come back, with what is in them. */
	ASSERT_OK(madvise(ptr, SIZE, MADV_DONTNEED));
	EXPECT_MEMEQ(ptr + SIZE - 4096, grown, 4096);
	ptr[5] = 77;
	/* A child has the same. */
	ASSERT_OK(pid = fork());
	if (!pid) {
		ptr[6] = ptr[5];
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(77, ptr[6]);
}

/* What is mapped from a dma-buf can be registered, too: that is the same memory. */
TEST_F(flat, registered_mapping)
{
	struct rig *rig = &self->rig;
	unsigned char *ptr, *dst = memory(SIZE, 2);
	int from, to, buf, fd;
	struct dmafd_op op;

	ASSERT_OK(buf = alloc(rig->ctx, SIZE, READ_WRITE, &fd));
	ptr = map_fd(fd, SIZE);
	ASSERT_OK(from = reg(rig->ctx, ptr, SIZE, READ_WRITE));
	ASSERT_OK(to = reg(rig->ctx, dst, SIZE, DMAFD_BUF_WRITE));
	pattern(ptr, SIZE, 3);
	ASSERT_OK(unreg(rig->ctx, buf));
	ASSERT_OK(munmap(ptr, SIZE));
	ptr = map_fd(fd, SIZE);
	close(fd);
	op = copy_op(to, 0, from, 0, SIZE);
	run_well(rig->chan, &op);
	EXPECT_MEMEQ(ptr, dst, SIZE);
	/* Only the pins keep it. */
	ASSERT_OK(munmap(ptr, SIZE));
	run_well(rig->chan, &op);
}

/* ---- the end, in every order ---- */

enum end { BUFFER, DMABUF, MAPPING, IMPORT, CONTEXT, CHANNEL, ENDS };

struct things {
	int ctx, chan, buf, imported, fd;
	unsigned char *ptr;
	bool ended[ENDS];
};

/* What was closed can't be asked to remove anything. */
static void end(struct things *things, enum end what)
{
	switch (what) {
	case BUFFER:
		if (things->ended[CONTEXT])
			return;
		ASSERT_OK(unreg(things->ctx, things->buf));
		break;
	case IMPORT:
		if (things->ended[CONTEXT])
			return;
		ASSERT_OK(unreg(things->ctx, things->imported));
		break;
	case DMABUF:
		close(things->fd);
		break;
	case MAPPING:
		ASSERT_OK(munmap(things->ptr, SIZE));
		break;
	case CONTEXT:
		close(things->ctx);
		break;
	case CHANNEL:
		close(things->chan);
		break;
	case ENDS:
		break;
	}
	things->ended[what] = true;
}

/* Whether anything keeps the memory. */
static bool is_kept(const struct things *things)
{
	bool context = !things->ended[CONTEXT] || !things->ended[CHANNEL];

	return (context && (!things->ended[BUFFER] || !things->ended[IMPORT])) ||
	       !things->ended[DMABUF] || !things->ended[MAPPING];
}

static void in_this_order(struct rig *rig, const unsigned int *order)
{
	struct things things = {};
	long before = locked();
	struct dmafd_op op;
	unsigned int i;

	ASSERT_OK(things.ctx = ctx_open());
	ASSERT_OK(things.chan = chan_open(things.ctx, rig->name, 0, 0));
	ASSERT_OK(things.buf = alloc(things.ctx, SIZE, READ_WRITE, &things.fd));
	ASSERT_OK(things.imported = import(things.ctx, things.fd, READ_WRITE));
	things.ptr = map_fd(things.fd, SIZE);
	op = copy_op(things.buf, 0, things.imported, SIZE / 2, SIZE / 2);
	run_well(things.chan, &op);
	for (i = 0; i < ENDS; i++) {
		if (!things.ended[MAPPING])
			memset(things.ptr, i, SIZE);
		end(&things, order[i]);
		ASSERT_TRUE(becomes(locked, before + (is_kept(&things) ? SIZE / 1024 : 0)));
	}
	EXPECT_EQ(before, locked());
}

/* All orders, one after the other. */
static bool next_order(unsigned int *order)
{
	unsigned int i = ENDS - 1, j = ENDS - 1, k, swap;

	while (i && order[i - 1] > order[i])
		i--;
	if (!i)
		return false;
	while (order[j] < order[i - 1])
		j--;
	swap = order[i - 1];
	order[i - 1] = order[j];
	order[j] = swap;
	for (j = i, k = ENDS - 1; j < k; j++, k--) {
		swap = order[j];
		order[j] = order[k];
		order[k] = swap;
	}
	return true;
}

TEST_VIEWS(every_order, .timeout = 240)
{
	unsigned int order[ENDS] = { BUFFER, DMABUF, MAPPING, IMPORT, CONTEXT, CHANNEL };
	unsigned int count = 0;

	close(rig->chan);
	rig->chan = -1;
	do {
		/* A sample of them is enough where each takes long. */
		if (count++ % (rig->real ? 20 : 3) == 0)
			in_this_order(rig, order);
	} while (next_order(order));
	EXPECT_EQ(720, count);
}

TEST_F(flat, module_is_held)
{
	struct rig *rig = &self->rig;
	long before = locked();
	unsigned char *ptr;
	int fd, other;

	ASSERT_OK(other = ctx_open());
	ASSERT_OK(alloc(other, SIZE, DMAFD_BUF_READ, &fd));
	ptr = map_fd(fd, SIZE);
	close(other);
	close(rig->chan);
	close(rig->ctx);
	rig->chan = -1;
	rig->ctx = -1;
	EXPECT_NE(0, system("rmmod dmafd 2>/dev/null"));
	close(fd);
	EXPECT_NE(0, system("rmmod dmafd 2>/dev/null"));
	ptr[SIZE - 1] = 1;
	ASSERT_OK(munmap(ptr, SIZE));
	EXPECT_TRUE(becomes(locked, before));
	EXPECT_EQ(0, system("rmmod dmafd"));
	EXPECT_EQ(0, system("modprobe dmafd"));
}

/* Both kinds are mapped for a controller that goes; the buffers stay. */
TEST_VIEWS(controller_removed)
{
	struct dmafd_op op;
	int buf, other, fd;

	need_sim(rig);
	ASSERT_OK(buf = alloc(rig->ctx, SIZE, READ_WRITE, &fd));
	ASSERT_OK(other = import(rig->ctx, fd, READ_WRITE));
	op = copy_op(buf, 0, other, SIZE / 2, SIZE / 2);
	run_well(rig->chan, &op);
	ASSERT_OK(sim_remove());
	begin_access(fd);
	end_access(fd);
	close(rig->chan);
	rig->chan = -1;
	begin_access(fd);
	end_access(fd);
	EXPECT_OK(unreg(rig->ctx, other));
	EXPECT_OK(unreg(rig->ctx, buf));
}

/* ---- the account ---- */

static void as_nobody(struct rig *rig)
{
	const struct rlimit limit = { .rlim_cur = 2 * SIZE, .rlim_max = 2 * SIZE };
	int other, buf, fd, imported, second;
	long before;

	ASSERT_OK(setrlimit(RLIMIT_MEMLOCK, &limit));
	ASSERT_OK(other = ctx_open());
	ASSERT_OK(setresuid(NOBODY, NOBODY, NOBODY));
	before = locked();
	EXPECT_ERRNO(ENOMEM, alloc(rig->ctx, 2 * SIZE + 1, DMAFD_BUF_READ, &fd));
	EXPECT_EQ(before, locked());
	ASSERT_OK(buf = alloc(rig->ctx, 2 * SIZE - 4095, DMAFD_BUF_READ, &fd));
	EXPECT_EQ(before + 2 * SIZE / 1024, locked());
	EXPECT_ERRNO(ENOMEM, alloc(other, 1, DMAFD_BUF_READ, &second));
	EXPECT_ERRNO(ENOMEM, reg(other, &second, 1, DMAFD_BUF_READ));
	/* Who imports it does not pay. */
	ASSERT_OK(imported = import(other, fd, DMAFD_BUF_READ));
	EXPECT_EQ(before + 2 * SIZE / 1024, locked());
	ASSERT_OK(unreg(rig->ctx, buf));
	EXPECT_EQ(before + 2 * SIZE / 1024, locked());
	close(fd);
	EXPECT_ERRNO(ENOMEM, alloc(other, 1, DMAFD_BUF_READ, &second));
	ASSERT_OK(unreg(other, imported));
	EXPECT_TRUE(becomes(locked, before));
	ASSERT_OK(alloc(other, 2 * SIZE, DMAFD_BUF_READ, &fd));
	close(fd);
	EXPECT_EQ(before + 2 * SIZE / 1024, locked());
	close(other);
	EXPECT_EQ(before, locked());
}

TEST_F(flat, limit_of_locked_memory)
{
	int status;
	pid_t pid;

	ASSERT_OK(pid = fork());
	if (!pid) {
		as_nobody(&self->rig);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* Not much at once, and some of it is given back. */
static void allocate_for_ever(int ctx)
{
	for (;;) {
		int buf, fd;

		buf = alloc(ctx, 65536, DMAFD_BUF_READ, &fd);
		if (buf < 0)
			_exit(1);
		import(ctx, fd, DMAFD_BUF_READ);
		map_fd(fd, 65536)[4096] = 1;
		if (buf % 3)
			unreg(ctx, buf);
		if (buf % 2)
			close(fd);
	}
}

/* A kill amid: what is left is nothing. */
TEST_F(flat, killed_amid, .timeout = 120)
{
	unsigned int i;
	pid_t pid;

	for (i = 0; i < 30; i++) {
		ASSERT_OK(pid = fork());
		if (!pid)
			allocate_for_ever(ctx_open());
		sleep_ms(i * 3);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	}
}
