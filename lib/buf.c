// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Buffers.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

enum kind {
	REGISTERED,
	ALLOCATED,
	IMPORTED,
};

/* All but the last is const. */
struct dmafd_buf {
	struct dmafd_ctx *ctx;
	struct buf_node node;		/* protected by the context's lock */
	enum kind kind;
	unsigned int access;
	uint32_t id;
	int fd;				/* the dma-buf's, or -1 */
	size_t size;
	atomic_uintptr_t addr;		/* 0 until mapped; changes once */
	atomic_ullong used_by;		/* channels' numbers in the context, as bits */
};

struct buf_node *buf_node(struct dmafd_buf *buf)
{
	return &buf->node;
}

struct dmafd_ctx *buf_ctx(const struct dmafd_buf *buf)
{
	return buf->ctx;
}

unsigned int buf_access(const struct dmafd_buf *buf)
{
	return buf->access;
}

bool buf_is_own(const struct dmafd_buf *buf)
{
	return buf->kind == ALLOCATED;
}

void *buf_known_addr(const struct dmafd_buf *buf)
{
	return (void *)atomic_load(&buf->addr);
}

bool buf_is_used_by(const struct dmafd_buf *buf, int slot)
{
	return slot >= 0 && atomic_load(&buf->used_by) >> slot & 1;
}

void buf_set_used(struct dmafd_buf *buf, int slot, bool used)
{
	if (slot < 0)
		return;
	if (used)
		atomic_fetch_or(&buf->used_by, 1ull << slot);
	else
		atomic_fetch_and(&buf->used_by, ~(1ull << slot));
}

/* ---- life ---- */

static struct dmafd_buf *new_buf(struct dmafd_ctx *ctx, enum kind kind, size_t size,
				 unsigned int access)
{
	struct dmafd_buf *buf = calloc(1, sizeof(*buf));

	if (!buf)
		return NULL;
	buf->ctx = ctx;
	buf->kind = kind;
	buf->access = access & DMAFD_RDWR;
	buf->size = size;
	buf->fd = -1;
	return buf;
}

void buf_free(struct dmafd_buf *buf)
{
	void *addr = buf_known_addr(buf);

	if (addr && buf->kind != REGISTERED)
		munmap(addr, buf->size);
	if (buf->fd >= 0)
		close(buf->fd);
	free(buf);
}

static struct dmafd_buf *give_up(struct dmafd_buf *buf)
{
	int err = errno;

	buf_free(buf);
	errno = err;
	return NULL;
}

/* The kernel has it, but not the caller. */
static struct dmafd_buf *remove_again(struct dmafd_buf *buf)
{
	struct dmafd_buf_remove arg = { .size = sizeof(arg), .buf = buf->id };
	int err = errno;

	if (buf->id)
		ctx_ioctl(buf->ctx, DMAFD_BUF_REMOVE, &arg);
	errno = err;
	return give_up(buf);
}

static int check(size_t len, unsigned int access, unsigned int flags)
{
	if (access & ~(DMAFD_RDWR | flags))
		return fail(EOPNOTSUPP);
	return access & DMAFD_RDWR && len ? 0 : fail(EINVAL);
}

EXPORT int dmafd_buf_remove(struct dmafd_buf *buf)
{
	struct dmafd_buf_remove arg = { .size = sizeof(arg) };

	if (!buf)
		return 0;
	arg.buf = buf->id;
	if (buf->id && ctx_ioctl(buf->ctx, DMAFD_BUF_REMOVE, &arg))
		return -1;
	ctx_del_buf(buf->ctx, buf);
	buf_free(buf);
	return 0;
}

/* ---- memory of the caller ---- */

static int register_it(struct dmafd_buf *buf, void *addr)
{
	struct dmafd_buf_register arg = {
		.size = sizeof(arg), .flags = buf->access, .addr = (uintptr_t)addr,
		.length = buf->size,
	};

	if (!ctx_has_module(buf->ctx))
		return 0;
	if (ctx_ioctl(buf->ctx, DMAFD_BUF_REGISTER, &arg))
		return -1;
	buf->id = arg.out_buf;
	return 0;
}

EXPORT struct dmafd_buf *dmafd_buf_register(struct dmafd_ctx *ctx, void *addr, size_t len,
					    unsigned int access)
{
	struct dmafd_buf *buf;

	if (check(len, access, 0))
		return NULL;
	if (len > SIZE_MAX - (uintptr_t)addr) {
		errno = EOVERFLOW;
		return NULL;
	}
	buf = new_buf(ctx, REGISTERED, len, access);
	if (!buf)
		return NULL;
	if (register_it(buf, addr))
		return give_up(buf);
	atomic_store(&buf->addr, (uintptr_t)addr);
	ctx_add_buf(ctx, buf);
	return buf;
}

/* ---- memory of the kernel ---- */

/* Jobs write what the program may only read, but not the other way round. */
static int map(struct dmafd_buf *buf)
{
	int prot = PROT_READ | (buf->kind == ALLOCATED || buf->access & DMAFD_WRITE ?
				PROT_WRITE : 0);
	uintptr_t seen = 0;
	void *addr = mmap(NULL, buf->size, prot, MAP_SHARED, buf->fd, 0);

	if (addr == MAP_FAILED)
		return -1;
	/* Another thread may have done the same. */
	if (!atomic_compare_exchange_strong(&buf->addr, &seen, (uintptr_t)addr))
		munmap(addr, buf->size);
	return 0;
}

/* Without the module it is a file in memory, which can be passed on and mapped as well. */
static int alloc_plain(struct dmafd_buf *buf)
{
	size_t page = sysconf(_SC_PAGESIZE);

	if (buf->size > SIZE_MAX / 2)
		return fail(ENOMEM);
	buf->size = (buf->size + page - 1) / page * page;
	buf->fd = memfd_create("dmafd", MFD_CLOEXEC);
	return buf->fd < 0 ? -1 : ftruncate(buf->fd, buf->size);
}

static int alloc_it(struct dmafd_buf *buf, unsigned int flags)
{
	struct dmafd_buf_alloc arg = {
		.size = sizeof(arg), .flags = flags, .length = buf->size,
	};

	if (!ctx_has_module(buf->ctx))
		return alloc_plain(buf);
	if (ctx_ioctl(buf->ctx, DMAFD_BUF_ALLOC, &arg))
		return -1;
	buf->id = arg.out_buf;
	buf->fd = arg.out_fd;
	buf->size = arg.out_length;
	return 0;
}

EXPORT struct dmafd_buf *dmafd_buf_alloc(struct dmafd_ctx *ctx, size_t len, unsigned int access)
{
	struct dmafd_buf *buf;

	if (check(len, access, DMAFD_CONTIGUOUS))
		return NULL;
	buf = new_buf(ctx, ALLOCATED, len, access);
	if (!buf)
		return NULL;
	if (alloc_it(buf, access) || map(buf))
		return remove_again(buf);
	ctx_add_buf(ctx, buf);
	return buf;
}

/* ---- memory of somebody else ---- */

static int import_plain(struct dmafd_buf *buf)
{
	off_t size = lseek(buf->fd, 0, SEEK_END);

	if (size <= 0)
		return fail(EINVAL);
	buf->size = size;
	return map(buf);
}

static int import_it(struct dmafd_buf *buf)
{
	struct dmafd_buf_import arg = {
		.size = sizeof(arg), .flags = buf->access, .fd = buf->fd,
	};

	if (!ctx_has_module(buf->ctx))
		return import_plain(buf);
	if (ctx_ioctl(buf->ctx, DMAFD_BUF_IMPORT, &arg))
		return -1;
	buf->id = arg.out_buf;
	buf->size = arg.out_length;
	return 0;
}

EXPORT struct dmafd_buf *dmafd_buf_import(struct dmafd_ctx *ctx, int fd, unsigned int access)
{
	struct dmafd_buf *buf;

	if (check(1, access, 0))
		return NULL;
	buf = new_buf(ctx, IMPORTED, 0, access);
	if (!buf)
		return NULL;
	buf->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (buf->fd < 0 || import_it(buf))
		return remove_again(buf);
	ctx_add_buf(ctx, buf);
	return buf;
}

/* ---- looking at it ---- */

EXPORT void *dmafd_buf_addr(struct dmafd_buf *buf)
{
	if (!buf_known_addr(buf) && buf->kind == IMPORTED && map(buf))
		return NULL;
	return buf_known_addr(buf);
}

EXPORT size_t dmafd_buf_size(const struct dmafd_buf *buf)
{
	return buf->size;
}

EXPORT int dmafd_buf_fd(const struct dmafd_buf *buf)
{
	return buf->kind == ALLOCATED ? buf->fd : fail(EINVAL);
}

EXPORT uint32_t dmafd_buf_id(const struct dmafd_buf *buf)
{
	return buf->id;
}

/* ---- keeping caches in order ---- */

static int sync_it(struct dmafd_buf *buf, uint64_t when, unsigned int access)
{
	struct dma_buf_sync arg = { .flags = when };
	int err;

	if (!access || access & ~DMAFD_RDWR)
		return fail(EINVAL);
	if (buf->fd < 0)
		return 0;
	arg.flags |= (access & DMAFD_READ ? DMA_BUF_SYNC_READ : 0) |
		     (access & DMAFD_WRITE ? DMA_BUF_SYNC_WRITE : 0);
	do
		err = ioctl(buf->fd, DMA_BUF_IOCTL_SYNC, &arg);
	while (err && (errno == EINTR || errno == EAGAIN));
	/* What stands for a dma-buf without the module is plain memory. */
	return err && errno == ENOTTY && !buf->id ? 0 : err;
}

EXPORT int dmafd_buf_cpu_begin(struct dmafd_buf *buf, unsigned int access)
{
	return sync_it(buf, DMA_BUF_SYNC_START, access);
}

EXPORT int dmafd_buf_cpu_end(struct dmafd_buf *buf, unsigned int access)
{
	return sync_it(buf, DMA_BUF_SYNC_END, access);
}

/* Own memory is only out of the CPU's hands if the caller gave it away. */
static bool needs_sync(const struct dmafd_buf *buf, uint32_t job_flags)
{
	return buf->kind == IMPORTED || (buf->kind == ALLOCATED && job_flags & DMAFD_NO_SYNC);
}

int buf_job_begin(struct dmafd_buf *buf, unsigned int access, uint32_t job_flags)
{
	return needs_sync(buf, job_flags) ? sync_it(buf, DMA_BUF_SYNC_START, access) : 0;
}

int buf_job_end(struct dmafd_buf *buf, unsigned int access, uint32_t job_flags)
{
	return needs_sync(buf, job_flags) ? sync_it(buf, DMA_BUF_SYNC_END, access) : 0;
}
