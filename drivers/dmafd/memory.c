// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that dmafd allocates. It belongs to a buffer and to a dma-buf, and goes
 * when the last of them does.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/platform_device.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "dmafd.h"

/* Pieces that are tried for, one after the other, before single pages: 2 MiB, 64 KiB. */
static const unsigned int orders[] = { 21 - PAGE_SHIFT, 16 - PAGE_SHIFT };

/* Reserved memory is given to devices only: this one is there for nothing else. */
static struct platform_device *allocator;

/* ---- pages ---- */

/* Neighbours, each with a count of its own; those that are too many are given back. */
static int take_piece(struct dmafd_memory *memory, unsigned int order, gfp_t gfp)
{
	unsigned long count = min(1UL << order, memory->count - memory->have), i;
	struct page *page = alloc_pages(GFP_HIGHUSER | __GFP_ZERO | __GFP_ACCOUNT | __GFP_NOWARN |
					gfp, order);

	if (!page)
		return -ENOMEM;
	if (order)
		split_page(page, order);
	for (i = 0; i < count; i++)
		memory->pages[memory->have++] = page + i;
	for (; i < 1UL << order; i++)
		__free_page(page + i);
	return 0;
}

/* No large piece is worth waiting for. */
static int take_some(struct dmafd_memory *memory)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(orders); i++)
		if (memory->count - memory->have >= 1UL << orders[i] &&
		    !take_piece(memory, orders[i], __GFP_NORETRY))
			return 0;
	return take_piece(memory, 0, 0);
}

static int take_scattered(struct dmafd_memory *memory)
{
	int err = 0;

	while (!err && memory->have < memory->count) {
		err = fatal_signal_pending(current) ? -EINTR : take_some(memory);
		cond_resched();
	}
	return err;
}

/* From what the machine keeps for large DMA buffers, if it does. */
static int take_reserved(struct dmafd_memory *memory)
{
	struct page *page = dma_alloc_pages(&allocator->dev, memory->size, &memory->reserved,
					    DMA_BIDIRECTIONAL, GFP_KERNEL | __GFP_NOWARN);

	if (!page)
		return -ENOMEM;
	memory->is_reserved = true;
	for (; memory->have < memory->count; memory->have++)
		memory->pages[memory->have] = page + memory->have;
	return 0;
}

static int take_in_one(struct dmafd_memory *memory)
{
	if (memory->count <= MAX_ORDER_NR_PAGES &&
	    !take_piece(memory, get_order(memory->size), __GFP_RETRY_MAYFAIL))
		return 0;
	return take_reserved(memory);
}

static void give_pages(struct dmafd_memory *memory)
{
	if (memory->is_reserved) {
		dma_free_pages(&allocator->dev, memory->size, memory->pages[0], memory->reserved,
			       DMA_BIDIRECTIONAL);
		return;
	}
	/* Somebody may use one for a while still, such as a disk that is read into it. */
	while (memory->have)
		put_page(memory->pages[--memory->have]);
}

int dmafd_memory_map_reserved(struct dmafd_memory *memory, struct vm_area_struct *vma)
{
	return dma_mmap_pages(&allocator->dev, vma, memory->size, memory->pages[0]);
}

int dmafd_memory_init(void)
{
	const struct platform_device_info info = {
		.name = DMAFD_DRIVER "-memory",
		.id = PLATFORM_DEVID_NONE,
		.dma_mask = DMA_BIT_MASK(64),
	};

	allocator = platform_device_register_full(&info);
	return PTR_ERR_OR_ZERO(allocator);
}

void dmafd_memory_exit(void)
{
	platform_device_unregister(allocator);
}

/* ---- memory ---- */

static struct dmafd_memory *empty_memory(size_t size)
{
	struct dmafd_memory *memory = kzalloc(sizeof(*memory), GFP_KERNEL_ACCOUNT);

	if (!memory)
		return NULL;
	memory->size = size;
	memory->count = size >> PAGE_SHIFT;
	memory->pages = kvmalloc_array(memory->count, sizeof(*memory->pages),
				       GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!memory->pages) {
		kfree(memory);
		return NULL;
	}
	kref_init(&memory->ref);
	mutex_init(&memory->buf_lock);
	mutex_init(&memory->lock);
	INIT_LIST_HEAD(&memory->attachments);
	return memory;
}

static void free_empty_memory(struct dmafd_memory *memory)
{
	mutex_destroy(&memory->lock);
	mutex_destroy(&memory->buf_lock);
	kvfree(memory->pages);
	kfree(memory);
}

struct dmafd_memory *dmafd_memory_make(size_t size, bool contiguous)
{
	struct dmafd_memory *memory = empty_memory(size);
	int err;

	if (!memory)
		return ERR_PTR(-ENOMEM);
	err = dmafd_account_charge(&memory->account, memory->count);
	if (err)
		goto undo_memory;
	err = contiguous ? take_in_one(memory) : take_scattered(memory);
	if (err)
		goto undo_pages;
	return memory;

undo_pages:
	give_pages(memory);
	dmafd_account_return(&memory->account);
undo_memory:
	free_empty_memory(memory);
	return ERR_PTR(err);
}

void dmafd_memory_get(struct dmafd_memory *memory)
{
	kref_get(&memory->ref);
}

static void memory_end(struct kref *ref)
{
	struct dmafd_memory *memory = container_of(ref, struct dmafd_memory, ref);

	give_pages(memory);
	dmafd_account_return(&memory->account);
	free_empty_memory(memory);
}

void dmafd_memory_put(struct dmafd_memory *memory)
{
	kref_put(&memory->ref, memory_end);
}

void dmafd_memory_leave(struct dmafd_memory *memory)
{
	mutex_lock(&memory->buf_lock);
	memory->buf = NULL;
	mutex_unlock(&memory->buf_lock);
}

/* ---- buffers ---- */

static void release(struct dmafd_buf *buf)
{
	dmafd_memory_put(buf->memory);
}

static int check_alloc(const struct dmafd_buf_alloc *arg)
{
	int err = dmafd_buf_check(arg->flags & ~DMAFD_BUF_CONTIGUOUS);

	if (err || !arg->length)
		return err ?: -EINVAL;
	if (arg->length >> PAGE_SHIFT >= totalram_pages())
		return -ENOMEM;
	return 0;
}

/* Takes the memory over. */
static struct dmafd_buf *make_buf(struct dmafd_memory *memory, u32 flags)
{
	struct dmafd_buf *buf = dmafd_buf_make(flags & ~DMAFD_BUF_CONTIGUOUS, memory->size);

	if (!buf) {
		dmafd_memory_put(memory);
		return ERR_PTR(-ENOMEM);
	}
	buf->memory = memory;
	buf->space = memory;
	buf->count = memory->count;
	buf->pages = memory->pages;
	buf->release = release;
	mutex_lock(&memory->buf_lock);
	memory->buf = buf;
	mutex_unlock(&memory->buf_lock);
	return buf;
}

/* Gives the caller both the buffer and the dma-buf, or neither. */
static int publish(struct dmafd_ctx *ctx, struct dmafd_buf *buf, struct dmafd_cmd *cmd)
{
	struct dmafd_buf_alloc *arg = cmd->arg;
	struct dma_buf *dmabuf = dmafd_export(buf->memory);
	int fd, err;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		err = fd;
		goto undo_export;
	}
	arg->out_fd = fd;
	arg->out_length = buf->length;
	err = dmafd_buf_publish(ctx, buf, cmd, &arg->out_buf);
	if (err)
		goto undo_fd;
	fd_install(fd, dmabuf->file);
	return 0;

undo_fd:
	put_unused_fd(fd);
undo_export:
	dma_buf_put(dmabuf);
	return err;
}

int dmafd_buf_alloc(void *object, struct dmafd_cmd *cmd)
{
	struct dmafd_buf_alloc *arg = cmd->arg;
	struct dmafd_memory *memory;
	struct dmafd_buf *buf;
	int err;

	err = check_alloc(arg);
	if (err)
		return err;
	memory = dmafd_memory_make(PAGE_ALIGN(arg->length), arg->flags & DMAFD_BUF_CONTIGUOUS);
	if (IS_ERR(memory))
		return PTR_ERR(memory);
	buf = make_buf(memory, arg->flags);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	err = publish(object, buf, cmd);
	if (err)
		dmafd_buf_free(buf);
	return err;
}
