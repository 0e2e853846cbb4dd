// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers, wherever their memory comes from.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "dmafd.h"

int dmafd_buf_check(u32 flags)
{
	if (flags & ~(DMAFD_BUF_READ | DMAFD_BUF_WRITE))
		return -EOPNOTSUPP;
	return flags ? 0 : -EINVAL;
}

struct dmafd_buf *dmafd_buf_make(u32 access, size_t length)
{
	struct dmafd_buf *buf = kzalloc(sizeof(*buf), GFP_KERNEL_ACCOUNT);

	if (!buf)
		return NULL;
	buf->access = access;
	buf->length = length;
	xa_init(&buf->maps);
	return buf;
}

void dmafd_buf_free(struct dmafd_buf *buf)
{
	struct dmafd_map *map;
	unsigned long id;

	if (buf->memory)
		dmafd_memory_leave(buf->memory);
	xa_for_each(&buf->maps, id, map)
		dmafd_map_free(map);
	xa_destroy(&buf->maps);
	if (buf->release)
		buf->release(buf);
	kfree(buf);
}

int dmafd_buf_publish(struct dmafd_ctx *ctx, struct dmafd_buf *buf, struct dmafd_cmd *cmd,
		      u32 *out_buf)
{
	int err;

	/* The number is taken, but nobody finds the buffer before it is stored. */
	err = xa_alloc(&ctx->bufs, &buf->id, NULL, XA_LIMIT(1, INT_MAX), GFP_KERNEL_ACCOUNT);
	if (err)
		return err;
	*out_buf = buf->id;
	err = dmafd_respond(cmd);
	if (err) {
		xa_release(&ctx->bufs, buf->id);
		return err;
	}
	mutex_lock(&ctx->lock);
	xa_store(&ctx->bufs, buf->id, buf, GFP_KERNEL_ACCOUNT);
	mutex_unlock(&ctx->lock);
	return 0;
}

struct dmafd_buf *dmafd_buf_search(struct dmafd_ctx *ctx, u32 id)
{
	struct dmafd_buf *buf = xa_load(&ctx->bufs, id);

	lockdep_assert_held(&ctx->lock);

	if (buf)
		ctx->recent[id % DMAFD_RECENT] = buf;
	return buf;
}

static void take_away(struct dmafd_ctx *ctx, struct dmafd_buf *buf)
{
	lockdep_assert_held(&ctx->lock);

	xa_erase(&ctx->bufs, buf->id);
	if (ctx->recent[buf->id % DMAFD_RECENT] == buf)
		ctx->recent[buf->id % DMAFD_RECENT] = NULL;
}

int dmafd_buf_remove(void *object, struct dmafd_cmd *cmd)
{
	struct dmafd_buf_remove *arg = cmd->arg;
	struct dmafd_ctx *ctx = object;
	struct dmafd_buf *buf;
	int err = 0;

	mutex_lock(&ctx->lock);
	buf = dmafd_buf_find(ctx, arg->buf);
	if (!buf)
		err = -ENOENT;
	else if (atomic_read_acquire(&buf->jobs))
		err = -EBUSY;
	else
		take_away(ctx, buf);
	mutex_unlock(&ctx->lock);
	if (err)
		return err;
	dmafd_buf_free(buf);
	return 0;
}

/* ---- handing over ---- */

typedef void (*hand_function)(const struct dmafd_map *map, size_t at, size_t len);

static void hand(struct dmafd_buf *buf, hand_function function)
{
	struct dmafd_map *map;
	unsigned long id;

	xa_for_each(&buf->maps, id, map) {
		mutex_lock(&map->ctrl->lock);
		if (map->mapped && map->raw)
			function(map, 0, buf->length);
		mutex_unlock(&map->ctrl->lock);
	}
}

void dmafd_buf_for_device(struct dmafd_buf *buf)
{
	hand(buf, dmafd_map_for_device);
}

void dmafd_buf_for_cpu(struct dmafd_buf *buf)
{
	hand(buf, dmafd_map_for_cpu);
}

/* ---- what the CPU does itself ---- */

/* Up to the end of the page. */
static size_t chunk_of(const struct dmafd_buf *buf, size_t at, struct page **page, size_t *offset)
{
	*page = buf->pages[(buf->first + at) >> PAGE_SHIFT];
	*offset = offset_in_page(buf->first + at);
	return PAGE_SIZE - *offset;
}

void dmafd_buf_copy(struct dmafd_buf *dst, size_t dst_at, struct dmafd_buf *src, size_t src_at,
		    size_t len)
{
	struct page *to, *from;
	size_t to_at, from_at, n;

	for (; len; len -= n, dst_at += n, src_at += n) {
		n = min3(len, chunk_of(dst, dst_at, &to, &to_at),
			 chunk_of(src, src_at, &from, &from_at));
		memcpy_page(to, to_at, from, from_at, n);
		flush_dcache_page(to);
	}
}

static void xor_page(struct page *to, size_t to_at, struct page *from, size_t from_at, size_t len)
{
	const u8 *in = kmap_local_page(from);
	u8 *out = kmap_local_page(to);
	size_t i;

	for (i = 0; i < len; i++)
		out[to_at + i] ^= in[from_at + i];
	flush_dcache_page(to);
	kunmap_local(out);
	kunmap_local(in);
}

void dmafd_buf_xor(struct dmafd_buf *dst, size_t dst_at, struct dmafd_buf *src, size_t src_at,
		   size_t len)
{
	struct page *to, *from;
	size_t to_at, from_at, n;

	for (; len; len -= n, dst_at += n, src_at += n) {
		n = min3(len, chunk_of(dst, dst_at, &to, &to_at),
			 chunk_of(src, src_at, &from, &from_at));
		xor_page(to, to_at, from, from_at, n);
	}
}

void dmafd_buf_fill(struct dmafd_buf *dst, size_t at, int value, size_t len)
{
	struct page *to;
	size_t to_at, n;
	void *ptr;

	for (; len; len -= n, at += n) {
		n = min(len, chunk_of(dst, at, &to, &to_at));
		ptr = kmap_local_page(to);
		memset(ptr + to_at, value, n);
		flush_dcache_page(to);
		kunmap_local(ptr);
	}
}
