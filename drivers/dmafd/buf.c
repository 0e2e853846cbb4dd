// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers: memory of programs that is pinned for as long as controllers may reach
 * it.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "dmafd.h"

/* How many pages are pinned at once: between, a kill is noticed. */
#define PIN_AT_ONCE	512

/*
 * Memory that is only read is also pinned for writing where it is writable: the
 * page that is there now might be replaced otherwise when the program writes to
 * it, and the controller would go on reading the old one.
 */
static long pin_some(unsigned long addr, unsigned long count, u32 access, struct page **pages)
{
	long pinned = pin_user_pages_fast(addr, count, FOLL_LONGTERM | FOLL_WRITE, pages);

	if (pinned == -EFAULT && !(access & DMAFD_BUF_WRITE))
		pinned = pin_user_pages_fast(addr, count, FOLL_LONGTERM, pages);
	/* Memory that is no memory, such as a device's registers. */
	if (pinned == -EOPNOTSUPP || pinned == -EREMOTEIO || !pinned)
		return -EFAULT;
	return pinned;
}

static int pin(struct dmafd_buf *buf)
{
	unsigned long addr = buf->addr - buf->first, done = 0;
	long pinned;

	while (done < buf->count) {
		pinned = fatal_signal_pending(current) ? -EINTR :
			 pin_some(addr + done * PAGE_SIZE,
				  min_t(unsigned long, buf->count - done, PIN_AT_ONCE),
				  buf->access, buf->pages + done);
		if (pinned < 0) {
			unpin_user_pages_dirty_lock(buf->pages, done, false);
			return pinned;
		}
		done += pinned;
		cond_resched();
	}
	return 0;
}

static void unpin(struct dmafd_buf *buf)
{
	unpin_user_pages_dirty_lock(buf->pages, buf->count, buf->access & DMAFD_BUF_WRITE);
}

static struct dmafd_buf *new_buf(const struct dmafd_buf_register *arg)
{
	struct dmafd_buf *buf = kzalloc(sizeof(*buf), GFP_KERNEL_ACCOUNT);

	if (!buf)
		return NULL;
	buf->access = arg->flags;
	buf->addr = arg->addr;
	buf->length = arg->length;
	buf->first = offset_in_page(arg->addr);
	buf->count = PFN_UP((u64)buf->first + arg->length);
	xa_init(&buf->maps);
	buf->pages = kvmalloc_array(buf->count, sizeof(*buf->pages),
				    GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!buf->pages) {
		kfree(buf);
		return NULL;
	}
	return buf;
}

static void free_empty_buf(struct dmafd_buf *buf)
{
	kvfree(buf->pages);
	kfree(buf);
}

static struct dmafd_buf *make_buf(const struct dmafd_buf_register *arg)
{
	struct dmafd_buf *buf = new_buf(arg);
	int err;

	if (!buf)
		return ERR_PTR(-ENOMEM);
	err = dmafd_account_charge(&buf->account, buf->count);
	if (err)
		goto undo_buf;
	err = pin(buf);
	if (err)
		goto undo_account;
	return buf;

undo_account:
	dmafd_account_return(&buf->account);
undo_buf:
	free_empty_buf(buf);
	return ERR_PTR(err);
}

void dmafd_buf_free(struct dmafd_buf *buf)
{
	struct dmafd_map *map;
	unsigned long id;

	xa_for_each(&buf->maps, id, map)
		dmafd_map_free(map);
	xa_destroy(&buf->maps);
	unpin(buf);
	dmafd_account_return(&buf->account);
	free_empty_buf(buf);
}

static int check_register(const struct dmafd_buf_register *arg)
{
	u64 end;

	if (arg->flags & ~(DMAFD_BUF_READ | DMAFD_BUF_WRITE) || arg->__reserved)
		return -EOPNOTSUPP;
	if (!arg->flags || !arg->length)
		return -EINVAL;
	if (check_add_overflow(arg->addr, arg->length, &end) || end > ULONG_MAX - PAGE_SIZE)
		return -EOVERFLOW;
	if (arg->length >> PAGE_SHIFT > totalram_pages())
		return -ENOMEM;
	return 0;
}

int dmafd_buf_register(void *object, struct dmafd_cmd *cmd)
{
	struct dmafd_buf_register *arg = cmd->arg;
	struct dmafd_ctx *ctx = object;
	struct dmafd_buf *buf;
	int err;

	err = check_register(arg);
	if (err)
		return err;
	buf = make_buf(arg);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	/* The number is taken, but nobody finds the buffer before it is stored. */
	err = xa_alloc(&ctx->bufs, &buf->id, NULL, XA_LIMIT(1, INT_MAX), GFP_KERNEL_ACCOUNT);
	if (err)
		goto undo_buf;
	arg->out_buf = buf->id;
	err = dmafd_respond(cmd);
	if (err)
		goto undo_id;
	mutex_lock(&ctx->lock);
	xa_store(&ctx->bufs, buf->id, buf, GFP_KERNEL_ACCOUNT);
	mutex_unlock(&ctx->lock);
	return 0;

undo_id:
	xa_release(&ctx->bufs, buf->id);
undo_buf:
	dmafd_buf_free(buf);
	return err;
}

struct dmafd_buf *dmafd_buf_find(struct dmafd_ctx *ctx, u32 id)
{
	lockdep_assert_held(&ctx->lock);

	return xa_load(&ctx->bufs, id);
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
		xa_erase(&ctx->bufs, arg->buf);
	mutex_unlock(&ctx->lock);
	if (err)
		return err;
	dmafd_buf_free(buf);
	return 0;
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
