// SPDX-License-Identifier: GPL-2.0-only
/*
 * dma_demo - scatter-gather DMA: many pieces, mapped in one go, one completion
 *
 *	# insmod dma_demo.ko dyndbg=+p
 *	# echo 123 > /dev/sdma_test
 *	# dmesg | grep sdma
 *	# rmmod dma_demo
 *
 * Each write is dealt out over pages that are nowhere side by side in physical
 * memory, and the board's DMA controller moves it into as many other pages.
 * What to look at: an entry of the scatterlist is one thing for the CPU (a
 * page, for_each_sgtable_sg) and another for the controller (an address on its
 * bus and a length, for_each_sgtable_dma_sg), and mapping may join entries. So
 * there are three counts: entries as allocated, entries as mapped, and pieces
 * as the controller can take them.
 *
 *	sdma_fill()      writes to the pages     the CPU owns both buffers
 *	sdma_map()       dma_map_sgtable()       the controller does
 *	sdma_unmap()     dma_unmap_sgtable()     the CPU, again
 *	sdma_finish()    looks at the pages
 *
 * From sdma_free() on it is as in lab 01.
 */
#include <linux/completion.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "sg_split.h"

#define N_PAGES		4
#define BUF_SIZE	(N_PAGES * PAGE_SIZE)
#define MIN_SEG		64

/* So much of a message is shown in the log. */
#define LOG_CHARS	64

/* Transfers take microseconds: one that takes this long does not end. */
#define DMA_TIMEOUT	msecs_to_jiffies(5000)

struct sdma_buf {
	struct page *page[N_PAGES];
	struct sg_table sgt;	/* of the pages in use, during a transfer */
};

/* What is moved by one descriptor, or by the CPU. */
struct sdma_piece {
	struct sg_run run;
	u32 pos;		/* in the scatterlist, as if it were contiguous */
	bool by_cpu;
};

struct sdma {
	struct kref ref;	/* one for the driver, one for each open file */
	struct miscdevice misc;
	struct device *dev;	/* for the log; valid until chan is NULL */
	/* Set by probe: */
	u32 word;		/* the controller moves multiples of this */
	u32 max_seg;
	u32 align;
	struct mutex lock;	/* one transfer at a time; protects all below */
	struct dma_chan *chan;	/* NULL once the driver was unbound */
	bool stuck;		/* a transfer could not be stopped */
	struct sdma_buf src;
	struct sdma_buf dst;
	u32 len;		/* of the message */
	u32 entry;		/* bytes of it in each page but the last one... */
	u32 stride;		/* ...and with the padding */
	struct sdma_piece *piece;	/* room for what max_seg can lead to */
	u32 n_pieces;
	struct completion done;
};

static bool make_device;
module_param(make_device, bool, 0444);
MODULE_PARM_DESC(make_device, "make a device if the device tree has none");

static uint entry;
module_param(entry, uint, 0444);
MODULE_PARM_DESC(entry, "bytes in each page (default: the message in equal parts)");

static uint max_seg;
module_param(max_seg, uint, 0444);
MODULE_PARM_DESC(max_seg, "longest piece (default: what the controller takes)");

static uint align;
module_param(align, uint, 0444);
MODULE_PARM_DESC(align, "pieces are multiples of this (default: the controller's word)");

static bool pad = true;
module_param(pad, bool, 0444);
MODULE_PARM_DESC(pad, "fill entries up to whole words (default: yes)");

/* Byte number pos of a buffer that has so many bytes in each of its pages. */
static char *sdma_byte(struct sdma_buf *buf, u32 per_page, u32 pos)
{
	return page_address(buf->page[pos / per_page]) + pos % per_page;
}

/* The string in the log: newlines escaped, so that an event is one line. */
static void sdma_log(struct sdma *sdma, const char *what, struct sdma_buf *buf)
{
	char text[LOG_CHARS];
	u32 i;

	for (i = 0; i < min_t(u32, sdma->len, LOG_CHARS); i++)
		text[i] = *sdma_byte(buf, sdma->entry, i);
	dev_info(sdma->dev, "%s '%*pE'\n", what, (int)i, text);
}

/* Lays the message out: so much into each page, up to whole words. */
static int sdma_fill(struct sdma *sdma, const char *text, u32 len)
{
	u32 per_page = entry ?: DIV_ROUND_UP(len, N_PAGES);
	u32 i;

	if (len > per_page * N_PAGES)
		return -EMSGSIZE;
	sdma->len = len;
	sdma->entry = per_page;
	sdma->stride = pad ? ALIGN(per_page, sdma->word) : per_page;
	for (i = 0; i < N_PAGES; i++) {
		memset(page_address(sdma->src.page[i]), 0, sdma->stride);
		/* An old copy must not pass for the new one. */
		memset(page_address(sdma->dst.page[i]), '-', sdma->stride);
	}
	for (i = 0; i < len; i += per_page)
		memcpy(sdma_byte(&sdma->src, per_page, i), text + i,
		       min(per_page, len - i));
	return 0;
}

/* One entry for each page that holds a part of the message. */
static int sdma_setup(struct sdma *sdma, struct sdma_buf *buf)
{
	u32 n = DIV_ROUND_UP(sdma->len, sdma->entry);
	u32 last = sdma->len - (n - 1) * sdma->entry;
	struct scatterlist *sg;
	int i, ret;

	ret = sg_alloc_table(&buf->sgt, n, GFP_KERNEL);
	if (ret)
		return ret;
	for_each_sgtable_sg(&buf->sgt, sg, i)
		sg_set_page(sg, buf->page[i], sdma->stride, 0);
	sg = &buf->sgt.sgl[n - 1];
	sg->length = pad ? ALIGN(last, sdma->word) : last;
	return 0;
}

/*
 * Mapped for the controller, which is the device that reads and writes the
 * pages; dma_map_sgtable() keeps both counts in the table.
 */
static int sdma_map(struct sdma *sdma)
{
	struct device *dma_dev = sdma->chan->device->dev;
	int ret;

	ret = dma_map_sgtable(dma_dev, &sdma->src.sgt, DMA_TO_DEVICE, 0);
	if (ret)
		return ret;
	ret = dma_map_sgtable(dma_dev, &sdma->dst.sgt, DMA_FROM_DEVICE, 0);
	if (ret)
		dma_unmap_sgtable(dma_dev, &sdma->src.sgt, DMA_TO_DEVICE, 0);
	return ret;
}

static void sdma_unmap(struct sdma *sdma)
{
	struct device *dma_dev = sdma->chan->device->dev;

	dma_unmap_sgtable(dma_dev, &sdma->dst.sgt, DMA_FROM_DEVICE, 0);
	dma_unmap_sgtable(dma_dev, &sdma->src.sgt, DMA_TO_DEVICE, 0);
}

/*
 * Cuts a run, which starts at pos in the scatterlist, into pieces. A part of a
 * word never reaches the controller: the CPU moves it, after unmapping.
 */
static void sdma_split(struct sdma *sdma, struct sg_run *run, u32 pos)
{
	struct sdma_piece *p = &sdma->piece[sdma->n_pieces];

	for (; sg_split_next(run, sdma->max_seg, sdma->align, &p->run); p++) {
		p->pos = pos;
		p->by_cpu = (p->run.src | p->run.dst | p->run.len) &
			    (sdma->word - 1);
		pos += p->run.len;
		sdma->n_pieces++;
		dev_dbg(sdma->dev, "write: piece %u: entry %u + 0x%03x, length 0x%03x, by the %s\n",
			sdma->n_pieces, p->pos / sdma->stride + 1,
			p->pos % sdma->stride, p->run.len,
			p->by_cpu ? "CPU" : "controller");
	}
}

/*
 * Walks both scatterlists side by side. Their entries started out alike, but
 * mapping may have joined those of one list and not those of the other.
 */
static void sdma_plan(struct sdma *sdma)
{
	struct scatterlist *s, *d = sdma->dst.sgt.sgl;
	u32 pos = 0, d_used = 0;
	int i;

	sdma->n_pieces = 0;
	for_each_sgtable_dma_sg(&sdma->src.sgt, s, i) {
		u32 s_used = 0;

		while (s_used < sg_dma_len(s)) {
			struct sg_run run = {
				.src = sg_dma_address(s) + s_used,
				.dst = sg_dma_address(d) + d_used,
				.len = min(sg_dma_len(s) - s_used,
					   sg_dma_len(d) - d_used),
			};
			u32 len = run.len;

			sdma_split(sdma, &run, pos);
			pos += len;
			s_used += len;
			d_used += len;
			if (d_used == sg_dma_len(d)) {
				d = sg_next(d);
				d_used = 0;
			}
		}
	}
}

static void dma_sg_callback(void *data)
{
	struct sdma *sdma = data;

	dev_info(sdma->dev, "callback: transaction finished\n");
	/* Last: from here on the writer goes on. */
	complete(&sdma->done);
}

/* Descriptors of a channel complete in their order: the last tells of all. */
static int sdma_submit_piece(struct sdma *sdma, struct sdma_piece *p, bool last)
{
	struct dma_async_tx_descriptor *desc;

	desc = dmaengine_prep_dma_memcpy(sdma->chan, p->run.dst, p->run.src,
					 p->run.len,
					 last ? DMA_PREP_INTERRUPT | DMA_CTRL_ACK :
						DMA_CTRL_ACK);
	if (!desc)
		return -ENOMEM;
	if (last) {
		desc->callback = dma_sg_callback;
		desc->callback_param = sdma;
	}
	return dma_submit_error(dmaengine_submit(desc));
}

static int sdma_submit(struct sdma *sdma, u32 last)
{
	u32 i;
	int ret;

	for (i = 0; i <= last; i++) {
		if (sdma->piece[i].by_cpu)
			continue;
		ret = sdma_submit_piece(sdma, &sdma->piece[i], i == last);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * Takes back what was submitted. When the controller cannot be stopped, it may
 * write to the pages and run the callback at any time: keep all that it needs,
 * for good.
 */
static int sdma_stop(struct sdma *sdma)
{
	int ret = dmaengine_terminate_sync(sdma->chan);

	if (!ret)
		return 0;
	dev_err(sdma->dev, "write: the controller does not stop\n");
	sdma->stuck = true;
	kref_get(&sdma->ref);
	get_device(sdma->dev);
	__module_get(THIS_MODULE);
	return ret;
}

/*
 * Moves the pieces that are the controller's. No signal ends the wait, because
 * until it is done or stopped the controller writes to the pages, whatever
 * happens to the writer. The timeout bounds it.
 */
static int sdma_run(struct sdma *sdma)
{
	u32 last = sdma->n_pieces;
	int ret;

	while (last && sdma->piece[last - 1].by_cpu)
		last--;
	if (!last)
		return 0;

	dev_info(sdma->dev, "write: init completion\n");
	reinit_completion(&sdma->done);
	dev_info(sdma->dev, "write: submit, pieces: %u\n", sdma->n_pieces);
	ret = sdma_submit(sdma, last - 1);
	if (ret) {
		sdma_stop(sdma);
		return ret;
	}
	dev_info(sdma->dev, "write: issue pending\n");
	dma_async_issue_pending(sdma->chan);
	if (wait_for_completion_timeout(&sdma->done, DMA_TIMEOUT))
		return 0;

	dev_err(sdma->dev, "write: timeout\n");
	/* The callback may have run in the last moment, and then all is well. */
	if (!sdma_stop(sdma) && try_wait_for_completion(&sdma->done))
		return 0;
	return -ETIMEDOUT;
}

static void sdma_copy_by_cpu(struct sdma *sdma, struct sdma_piece *p)
{
	u32 i;

	for (i = p->pos; i < p->pos + p->run.len; i++)
		*sdma_byte(&sdma->dst, sdma->stride, i) =
			*sdma_byte(&sdma->src, sdma->stride, i);
}

static bool sdma_arrived(struct sdma *sdma, const char *text)
{
	u32 i;

	for (i = 0; i < sdma->len; i += sdma->entry)
		if (memcmp(sdma_byte(&sdma->dst, sdma->entry, i), text + i,
			   min(sdma->entry, sdma->len - i)))
			return false;
	return true;
}

/* The pages are the CPU's again: moves its pieces, and looks at the result. */
static int sdma_finish(struct sdma *sdma, const char *text)
{
	u32 i;

	for (i = 0; i < sdma->n_pieces; i++)
		if (sdma->piece[i].by_cpu)
			sdma_copy_by_cpu(sdma, &sdma->piece[i]);

	sdma_log(sdma, "write: the device can read", &sdma->dst);
	if (!sdma_arrived(sdma, text)) {
		dev_err(sdma->dev, "write: buffer sg copy failed\n");
		return -EIO;
	}
	dev_info(sdma->dev, "write: buffer sg copy successful\n");
	sdma_log(sdma, "write: src string is", &sdma->src);
	return 0;
}

/* From mapping to unmapping: the pages are the controller's in between. */
static int sdma_move(struct sdma *sdma)
{
	int ret;

	dev_info(sdma->dev, "write: mapping\n");
	ret = sdma_map(sdma);
	if (ret)
		return ret;
	sdma_plan(sdma);
	ret = sdma_run(sdma);
	if (!sdma->stuck)
		sdma_unmap(sdma);
	return ret;
}

static int sdma_transfer(struct sdma *sdma, const char *text, u32 len)
{
	int ret;

	lockdep_assert_held(&sdma->lock);
	if (!sdma->chan)
		return -ENODEV;
	if (sdma->stuck)
		return -EIO;

	ret = sdma_fill(sdma, text, len);
	if (ret)
		return ret;
	dev_info(sdma->dev, "write: called\n");
	sdma_log(sdma, "write: src string is", &sdma->src);
	ret = sdma_setup(sdma, &sdma->src);
	if (ret)
		return ret;
	ret = sdma_setup(sdma, &sdma->dst);
	if (ret)
		goto free_src;
	dev_info(sdma->dev, "write: scatterlist setup, entries: %u\n",
		 sdma->src.sgt.orig_nents);

	ret = sdma_move(sdma);
	if (sdma->stuck)
		return ret;
	if (!ret)
		ret = sdma_finish(sdma, text);
	sg_free_table(&sdma->dst.sgt);
free_src:
	sg_free_table(&sdma->src.sgt);
	return ret;
}

/* One write is one message: it is moved as a whole or not at all. */
static ssize_t sdma_write(struct file *file, const char __user *buf,
			  size_t count, loff_t *ppos)
{
	struct sdma *sdma = file->private_data;
	char *text;
	int ret;

	if (!count)
		return 0;
	if (count > BUF_SIZE)
		return -EMSGSIZE;
	/* Outside the lock: user memory may take its time to appear. */
	text = memdup_user(buf, count);
	if (IS_ERR(text))
		return PTR_ERR(text);

	/* Nothing has been started yet: here a signal may end the wait. */
	ret = -ERESTARTSYS;
	if (!mutex_lock_interruptible(&sdma->lock)) {
		ret = sdma_transfer(sdma, text, count);
		mutex_unlock(&sdma->lock);
	}
	kfree(text);
	return ret ?: count;
}

static int sdma_compare_pages(const void *a, const void *b)
{
	unsigned long x = page_to_pfn(*(struct page **)a);
	unsigned long y = page_to_pfn(*(struct page **)b);

	return x < y ? -1 : x > y;
}

/*
 * Pages that are really scattered: of twice as many every other one, in the
 * order of their addresses, so that between two of them there is always a gap.
 */
static int sdma_alloc_pages(struct sdma_buf *buf)
{
	struct page *page[2 * N_PAGES];
	int n, i;

	for (n = 0; n < 2 * N_PAGES; n++) {
		page[n] = alloc_page(GFP_KERNEL);
		if (!page[n])
			goto free_pages;
	}
	sort(page, n, sizeof(page[0]), sdma_compare_pages, NULL);
	for (i = 0; i < N_PAGES; i++) {
		buf->page[i] = page[2 * i];
		__free_page(page[2 * i + 1]);
	}
	return 0;

free_pages:
	while (n--)
		__free_page(page[n]);
	return -ENOMEM;
}

static void sdma_free_pages(struct sdma_buf *buf)
{
	int i;

	for (i = 0; i < N_PAGES; i++)
		if (buf->page[i])
			__free_page(buf->page[i]);
}

static void sdma_free(struct kref *ref)
{
	struct sdma *sdma = container_of(ref, struct sdma, ref);

	sdma_free_pages(&sdma->dst);
	sdma_free_pages(&sdma->src);
	kvfree(sdma->piece);
	kfree(sdma);
}

/* Until misc_deregister() returns no open can miss the driver's reference. */
static int sdma_open(struct inode *inode, struct file *file)
{
	struct sdma *sdma = container_of(file->private_data, struct sdma, misc);

	kref_get(&sdma->ref);
	file->private_data = sdma;
	return nonseekable_open(inode, file);
}

static int sdma_release(struct inode *inode, struct file *file)
{
	struct sdma *sdma = file->private_data;

	kref_put(&sdma->ref, sdma_free);
	return 0;
}

/* There is no .read: the kernel answers EINVAL by itself. */
static const struct file_operations sdma_fops = {
	.owner = THIS_MODULE,	/* no rmmod while a file is open */
	.open = sdma_open,
	.write = sdma_write,
	.release = sdma_release,
};

/*
 * What the pieces have to be like: the controller's own limits, where no module
 * parameter sets tighter ones.
 *
 * Controllers move words, and not all of them can end within one: 4 bytes, or
 * what the controller asks for if that is more.
 */
static int sdma_set_limits(struct sdma *sdma)
{
	u32 limit = dma_get_max_seg_size(sdma->chan->device->dev);

	sdma->word = max(4U, 1U << sdma->chan->device->copy_align);
	sdma->align = align ?: sdma->word;
	sdma->max_seg = min(max_seg ?: limit, limit);
	if (entry > PAGE_SIZE || sdma->align > PAGE_SIZE ||
	    sdma->max_seg < max(sdma->align, MIN_SEG))
		return dev_err_probe(sdma->dev, -EINVAL, "limits out of range\n");
	/* Then only the last piece of an entry can be an odd one. */
	sdma->max_seg -= sdma->max_seg % sdma->align;
	return 0;
}

static int sdma_request_channel(struct sdma *sdma)
{
	struct device *dma_dev;
	dma_cap_mask_t mask;

	dma_cap_zero(mask);
	dma_cap_set(DMA_MEMCPY, mask);
	/* Without any controller yet this is -EPROBE_DEFER: we are asked again. */
	sdma->chan = dma_request_chan_by_mask(&mask);
	if (IS_ERR(sdma->chan))
		return dev_err_probe(sdma->dev, PTR_ERR(sdma->chan),
				     "no channel that copies memory\n");

	/* If the controller's driver is unbound, ours has to go before it. */
	dma_dev = sdma->chan->device->dev;
	if (!device_link_add(sdma->dev, dma_dev, DL_FLAG_AUTOREMOVE_CONSUMER)) {
		dma_release_channel(sdma->chan);
		return -EINVAL;
	}
	return 0;
}

/*
 * The driver core runs this when the driver is unbound from the device, by
 * rmmod or through sysfs; then files may still be open, and keep sdma.
 */
static void sdma_remove(void *data)
{
	struct sdma *sdma = data;

	dev_info(sdma->dev, "remove: called\n");
	misc_deregister(&sdma->misc);
	/* Waits for the transfer that is running, and there is no other. */
	mutex_lock(&sdma->lock);
	if (!sdma->stuck) {
		dma_release_channel(sdma->chan);
		sdma->chan = NULL;
	}
	mutex_unlock(&sdma->lock);
	dev_info(sdma->dev, "remove: done\n");
	kref_put(&sdma->ref, sdma_free);
}

static int sdma_alloc_buffers(struct sdma *sdma)
{
	u32 per_page = DIV_ROUND_UP(PAGE_SIZE, sdma->max_seg) + 1;

	sdma->piece = kvcalloc(N_PAGES * per_page, sizeof(*sdma->piece), GFP_KERNEL);
	if (!sdma->piece)
		return -ENOMEM;
	return sdma_alloc_pages(&sdma->src) ?: sdma_alloc_pages(&sdma->dst);
}

static int sdma_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct sdma *sdma;
	int ret;

	dev_info(dev, "probe: called\n");
	sdma = kzalloc(sizeof(*sdma), GFP_KERNEL);
	if (!sdma)
		return -ENOMEM;
	kref_init(&sdma->ref);
	mutex_init(&sdma->lock);
	init_completion(&sdma->done);
	sdma->dev = dev;

	ret = sdma_request_channel(sdma);
	if (ret)
		goto put_sdma;
	ret = sdma_set_limits(sdma);
	if (ret)
		goto release_channel;
	ret = sdma_alloc_buffers(sdma);
	if (ret)
		goto release_channel;

	sdma->misc.minor = MISC_DYNAMIC_MINOR;
	sdma->misc.name = "sdma_test";
	sdma->misc.fops = &sdma_fops;
	sdma->misc.parent = dev;
	ret = misc_register(&sdma->misc);
	if (ret)
		goto release_channel;

	dev_info(dev, "probe: done\n");
	/* In place of .remove, whose type is another one since Linux 6.11. */
	return devm_add_action_or_reset(dev, sdma_remove, sdma);

release_channel:
	dma_release_channel(sdma->chan);
put_sdma:
	kref_put(&sdma->ref, sdma_free);
	return ret;
}

static const struct of_device_id sdma_of_match[] = {
	{ .compatible = "dmafd,sdma-m2m" },
	{ }
};
MODULE_DEVICE_TABLE(of, sdma_of_match);

static struct platform_driver sdma_driver = {
	.probe = sdma_probe,
	.driver = {
		.name = "sdma_m2m",
		.of_match_table = sdma_of_match,
	},
};

/* The device that we have made ourselves, if any. */
static struct platform_device *sdma_made;

static int __init sdma_make_device(void)
{
	struct device_node *node = of_find_matching_node(NULL, sdma_of_match);

	of_node_put(node);
	if (node)
		return 0;
	sdma_made = platform_device_register_simple(sdma_driver.driver.name,
						    PLATFORM_DEVID_NONE, NULL, 0);
	return PTR_ERR_OR_ZERO(sdma_made);
}

static int __init sdma_init(void)
{
	int ret = platform_driver_register(&sdma_driver);

	if (ret || !make_device)
		return ret;
	ret = sdma_make_device();
	if (ret)
		platform_driver_unregister(&sdma_driver);
	return ret;
}
module_init(sdma_init);

static void __exit sdma_exit(void)
{
	platform_device_unregister(sdma_made);
	platform_driver_unregister(&sdma_driver);
}
module_exit(sdma_exit);

MODULE_DESCRIPTION("Lab: a scatterlist, split for the controller");
MODULE_LICENSE("GPL");
