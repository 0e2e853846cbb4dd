// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Contexts.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

struct dmafd_ctx {
	int fd;				/* -1 without the module; const */
	struct dmafd_info info;		/* const */
	pthread_mutex_t lock;		/* protects what follows */
	unsigned int refs;		/* of whoever opened it, and its channels */
	struct dmafd_buf *bufs;
	uint64_t slots;			/* those that are taken, as bits */
};

int fail(int err)
{
	errno = err;
	return -1;
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

EXPORT const char *dmafd_version(void)
{
	return DMAFD_VERSION;
}

int ctx_ioctl(struct dmafd_ctx *ctx, unsigned long cmd, void *arg)
{
	return ctx->fd < 0 ? fail(ENOTTY) : ioctl(ctx->fd, cmd, arg);
}

const struct dmafd_info *ctx_info(const struct dmafd_ctx *ctx)
{
	return &ctx->info;
}

bool ctx_has_module(const struct dmafd_ctx *ctx)
{
	return ctx->fd >= 0;
}

/* ---- life ---- */

static const char *device_path(void)
{
	const char *path = secure_getenv("DMAFD_DEVICE");

	return path && *path ? path : "/dev/dmafd";
}

static struct dmafd_ctx *new_ctx(void)
{
	struct dmafd_ctx *ctx = calloc(1, sizeof(*ctx));

	if (!ctx)
		return NULL;
	ctx->fd = -1;
	ctx->refs = 1;
	ctx->info.out_line = 1;
	pthread_mutex_init(&ctx->lock, NULL);
	return ctx;
}

static int open_device(struct dmafd_ctx *ctx)
{
	ctx->fd = open(device_path(), O_RDWR | O_CLOEXEC);
	if (ctx->fd < 0)
		return -1;
	ctx->info = (struct dmafd_info){ .size = sizeof(ctx->info) };
	return ioctl(ctx->fd, DMAFD_INFO, &ctx->info);
}

static void destroy(struct dmafd_ctx *ctx)
{
	int err = errno;

	while (ctx->bufs) {
		struct dmafd_buf *buf = ctx->bufs;

		ctx->bufs = buf_node(buf)->next;
		buf_free(buf);
	}
	if (ctx->fd >= 0)
		close(ctx->fd);
	pthread_mutex_destroy(&ctx->lock);
	free(ctx);
	errno = err;
}

EXPORT struct dmafd_ctx *dmafd_open(void)
{
	struct dmafd_ctx *ctx = new_ctx();

	if (ctx && open_device(ctx)) {
		destroy(ctx);
		return NULL;
	}
	return ctx;
}

static bool is_absence(int err)
{
	return err == ENOENT || err == ENODEV || err == ENXIO || err == EACCES || err == EPERM;
}

EXPORT struct dmafd_ctx *dmafd_open_auto(void)
{
	struct dmafd_ctx *ctx = dmafd_open();

	return ctx || !is_absence(errno) ? ctx : new_ctx();
}

void ctx_get(struct dmafd_ctx *ctx)
{
	pthread_mutex_lock(&ctx->lock);
	ctx->refs++;
	pthread_mutex_unlock(&ctx->lock);
}

void ctx_put(struct dmafd_ctx *ctx)
{
	bool last;

	pthread_mutex_lock(&ctx->lock);
	last = !--ctx->refs;
	pthread_mutex_unlock(&ctx->lock);
	if (last)
		destroy(ctx);
}

EXPORT void dmafd_close(struct dmafd_ctx *ctx)
{
	if (ctx)
		ctx_put(ctx);
}

EXPORT size_t dmafd_line_size(const struct dmafd_ctx *ctx)
{
	return ctx->info.out_line;
}

/* ---- what belongs to it ---- */

void ctx_add_buf(struct dmafd_ctx *ctx, struct dmafd_buf *buf)
{
	pthread_mutex_lock(&ctx->lock);
	buf_node(buf)->next = ctx->bufs;
	if (ctx->bufs)
		buf_node(ctx->bufs)->prev = buf;
	ctx->bufs = buf;
	pthread_mutex_unlock(&ctx->lock);
}

void ctx_del_buf(struct dmafd_ctx *ctx, struct dmafd_buf *buf)
{
	struct buf_node *node = buf_node(buf);

	pthread_mutex_lock(&ctx->lock);
	if (node->prev)
		buf_node(node->prev)->next = node->next;
	else
		ctx->bufs = node->next;
	if (node->next)
		buf_node(node->next)->prev = node->prev;
	pthread_mutex_unlock(&ctx->lock);
}

int ctx_take_slot(struct dmafd_ctx *ctx)
{
	int slot;

	pthread_mutex_lock(&ctx->lock);
	for (slot = 0; slot < 64 && ctx->slots >> slot & 1; slot++)
		;
	if (slot < 64)
		ctx->slots |= 1ull << slot;
	pthread_mutex_unlock(&ctx->lock);
	return slot < 64 ? slot : -1;
}

void ctx_give_slot(struct dmafd_ctx *ctx, int slot)
{
	struct dmafd_buf *buf;

	if (slot < 0)
		return;
	pthread_mutex_lock(&ctx->lock);
	for (buf = ctx->bufs; buf; buf = buf_node(buf)->next)
		buf_set_used(buf, slot, false);
	ctx->slots &= ~(1ull << slot);
	pthread_mutex_unlock(&ctx->lock);
}
