// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of programs that is pinned for as long as controllers may reach it.
 */
#include <linux/backing-dev.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

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

/*
 * Whether a file system writes the page to a disk: it wants to know of each change,
 * and controllers don't tell. Newer kernels don't pin such pages for writing, either.
 * The page may be truncated meanwhile, and then is nobody's.
 */
static bool is_of_a_disk(struct page *page)
{
	struct folio *folio = page_folio(page);
	struct address_space *mapping;
	bool is;

	if (folio_test_anon(folio))
		return false;
	rcu_read_lock();
	mapping = READ_ONCE(folio->mapping);
	is = mapping && mapping->host && mapping_can_writeback(mapping);
	rcu_read_unlock();
	return is;
}

/* What is pinned and only read may be a disk's. */
static int check(const struct dmafd_buf *buf, unsigned long from, unsigned long to)
{
	for (; buf->access & DMAFD_BUF_WRITE && from < to; from++)
		if (is_of_a_disk(buf->pages[from]))
			return -EFAULT;
	return 0;
}

static int pin(struct dmafd_buf *buf)
{
	unsigned long addr = buf->addr - buf->first, done = 0;
	long pinned;
	int err;

	while (done < buf->count) {
		pinned = fatal_signal_pending(current) ? -EINTR :
			 pin_some(addr + done * PAGE_SIZE,
				  min_t(unsigned long, buf->count - done, PIN_AT_ONCE),
				  buf->access, buf->pages + done);
		done += max(pinned, 0L);
		err = pinned < 0 ? pinned : check(buf, done - pinned, done);
		if (err) {
			unpin_user_pages_dirty_lock(buf->pages, done, false);
			return err;
		}
		cond_resched();
	}
	return 0;
}

static void release(struct dmafd_buf *buf)
{
	unpin_user_pages_dirty_lock(buf->pages, buf->count, buf->access & DMAFD_BUF_WRITE);
	dmafd_account_return(&buf->account);
	kvfree(buf->pages);
}

static int fill_in(struct dmafd_buf *buf)
{
	int err;

	buf->pages = kvmalloc_array(buf->count, sizeof(*buf->pages),
				    GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!buf->pages)
		return -ENOMEM;
	err = dmafd_account_charge(&buf->account, buf->count);
	if (err)
		goto undo_pages;
	err = pin(buf);
	if (err)
		goto undo_account;
	/* The account keeps it. */
	buf->space = current->mm;
	buf->release = release;
	return 0;

undo_account:
	dmafd_account_return(&buf->account);
undo_pages:
	kvfree(buf->pages);
	return err;
}

static int check_register(const struct dmafd_buf_register *arg)
{
	u64 end;
	int err = dmafd_buf_check(arg->flags);

	if (arg->__reserved)
		return -EOPNOTSUPP;
	if (err || !arg->length)
		return err ?: -EINVAL;
	if (check_add_overflow(arg->addr, arg->length, &end) || end > ULONG_MAX - PAGE_SIZE)
		return -EOVERFLOW;
	if (arg->length >> PAGE_SHIFT > totalram_pages())
		return -ENOMEM;
	return 0;
}

int dmafd_buf_register(void *object, struct dmafd_cmd *cmd)
{
	struct dmafd_buf_register *arg = cmd->arg;
	struct dmafd_buf *buf;
	int err;

	err = check_register(arg);
	if (err)
		return err;
	buf = dmafd_buf_make(arg->flags, arg->length);
	if (!buf)
		return -ENOMEM;
	buf->addr = arg->addr;
	buf->first = offset_in_page(arg->addr);
	buf->count = PFN_UP((u64)buf->first + arg->length);
	err = fill_in(buf);
	if (!err)
		err = dmafd_buf_publish(object, buf, cmd, &arg->out_buf);
	if (err)
		dmafd_buf_free(buf);
	return err;
}
