// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmabuf_import - uses memory that is another driver's
 *
 * A program gives it two dma-bufs. It attaches the DMA controller to both and has
 * them mapped; from then on each ioctl moves data from the one to the other. It
 * does not know where the memory is or who allocated it, and never looks at it.
 *
 *	import_get()	dma_buf_get(), dma_buf_attach(), dma_buf_map_attachment()
 *	import_put()	the same backwards
 *	import_submit()	walks the two lists that mapping gave
 */
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/dmaengine.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "dmabuf.h"

/* Transfers take microseconds: one that takes this long does not end. */
#define DMA_TIMEOUT	msecs_to_jiffies(5000)

struct import {
	struct kref ref;	/* one for the driver, one for each open file */
	struct miscdevice misc;
	struct device *dev;	/* for the log; valid until chan is NULL */
	struct mutex lock;	/* one transfer at a time; protects all below */
	struct dma_chan *chan;	/* NULL once the driver was unbound */
	struct list_head files;
	bool stuck;		/* a transfer could not be stopped */
	struct completion done;
};

/* A dma-buf that is attached and mapped. */
struct import_buf {
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	enum dma_data_direction dir;
};

/* An open file: what it has taken. The import's lock protects it. */
struct import_file {
	struct list_head node;
	struct import *import;
	bool taken;
	struct import_buf src;
	struct import_buf dst;
};

static bool make_device;
module_param(make_device, bool, 0444);
MODULE_PARM_DESC(make_device, "make a device if the device tree has none");

/* ---- taking and giving back ---- */

static void import_put(struct import_buf *buf)
{
	dma_buf_unmap_attachment_unlocked(buf->attach, buf->sgt, buf->dir);
	dma_buf_detach(buf->dmabuf, buf->attach);
	dma_buf_put(buf->dmabuf);
}

/* What is attached is the device that will read and write: the controller. */
static int import_get(struct import *import, struct import_buf *buf, int fd,
		      enum dma_data_direction dir)
{
	int ret;

	buf->dir = dir;
	buf->dmabuf = dma_buf_get(fd);
	if (IS_ERR(buf->dmabuf))
		return PTR_ERR(buf->dmabuf);
	ret = -EACCES;
	if (dir == DMA_FROM_DEVICE && !(buf->dmabuf->file->f_mode & FMODE_WRITE))
		goto put_dmabuf;
	buf->attach = dma_buf_attach(buf->dmabuf, import->chan->device->dev);
	if (IS_ERR(buf->attach)) {
		ret = PTR_ERR(buf->attach);
		goto put_dmabuf;
	}
	buf->sgt = dma_buf_map_attachment_unlocked(buf->attach, dir);
	if (IS_ERR(buf->sgt)) {
		ret = PTR_ERR(buf->sgt);
		goto detach;
	}
	return 0;

detach:
	dma_buf_detach(buf->dmabuf, buf->attach);
put_dmabuf:
	dma_buf_put(buf->dmabuf);
	return ret;
}

static void import_give_back(struct import_file *f)
{
	lockdep_assert_held(&f->import->lock);
	if (!f->taken)
		return;
	import_put(&f->dst);
	import_put(&f->src);
	f->taken = false;
}

static int import_take(struct import_file *f, const struct dmabuf_take *take)
{
	struct import *import = f->import;
	int ret;

	lockdep_assert_held(&import->lock);
	if (f->taken)
		return -EBUSY;
	ret = import_get(import, &f->src, take->src, DMA_TO_DEVICE);
	if (ret)
		return ret;
	ret = import_get(import, &f->dst, take->dst, DMA_FROM_DEVICE);
	if (ret)
		goto put_src;
	ret = -EINVAL;
	if (f->src.dmabuf == f->dst.dmabuf)
		goto put_dst;
	f->taken = true;
	dev_info(import->dev, "took two buffers\n");
	return 0;

put_dst:
	import_put(&f->dst);
put_src:
	import_put(&f->src);
	return ret;
}

/* ---- moving ---- */

static void import_callback(void *data)
{
	struct import *import = data;

	complete(&import->done);
}

static dma_cookie_t import_submit_run(struct import *import, dma_addr_t dst, dma_addr_t src,
				      u32 len)
{
	struct dma_async_tx_descriptor *tx;

	tx = dmaengine_prep_dma_memcpy(import->chan, dst, src, len,
				       DMA_PREP_INTERRUPT | DMA_CTRL_ACK);
	if (!tx)
		return -ENOMEM;
	tx->callback = import_callback;
	tx->callback_param = import;
	return dmaengine_submit(tx);
}

/*
 * Walks both lists side by side: their entries are as long as the exporters made
 * them and mapping joined them. Returns how many transfers that were, or an error.
 * Each ends an entry of one of the lists, so there is room for their cookies.
 */
static int import_submit(struct import *import, struct import_file *f, u32 len,
			 dma_cookie_t *cookie)
{
	struct scatterlist *s = f->src.sgt->sgl, *d = f->dst.sgt->sgl;
	u32 s_at = 0, d_at = 0, n;
	int count;

	for (count = 0; len; count++) {
		/* A list that is shorter than its buffer: an exporter's mistake. */
		if (!s || !d)
			return -EIO;
		n = min3(len, sg_dma_len(s) - s_at, sg_dma_len(d) - d_at);
		cookie[count] = import_submit_run(import, sg_dma_address(d) + d_at,
						  sg_dma_address(s) + s_at, n);
		if (dma_submit_error(cookie[count]))
			return cookie[count];
		len -= n;
		s_at += n;
		d_at += n;
		if (s_at == sg_dma_len(s)) {
			s = sg_next(s);
			s_at = 0;
		}
		if (d_at == sg_dma_len(d)) {
			d = sg_next(d);
			d_at = 0;
		}
	}
	return count;
}

/* When it can't be stopped it may use everything at any time: kept, for good. */
static void import_stop(struct import *import)
{
	if (!dmaengine_terminate_sync(import->chan))
		return;
	dev_err(import->dev, "the controller does not stop\n");
	import->stuck = true;
	kref_get(&import->ref);
	get_device(import->dev);
	__module_get(THIS_MODULE);
}

/* A callback says that a transfer is over, and not how; the controller knows. */
static int import_wait(struct import *import, const dma_cookie_t *cookie, int count)
{
	int i;

	for (i = 0; i < count; i++)
		if (!wait_for_completion_timeout(&import->done, DMA_TIMEOUT))
			return -ETIMEDOUT;
	for (i = 0; i < count; i++)
		if (dma_async_is_tx_complete(import->chan, cookie[i], NULL, NULL) == DMA_ERROR)
			return -EIO;
	return 0;
}

/* No signal ends the wait: until it is done or stopped the controller writes. */
static int import_run(struct import *import, struct import_file *f, u32 len)
{
	dma_cookie_t *cookie;
	int ret;

	cookie = kvmalloc_array(f->src.sgt->nents + f->dst.sgt->nents, sizeof(*cookie),
				GFP_KERNEL);
	if (!cookie)
		return -ENOMEM;
	reinit_completion(&import->done);
	ret = import_submit(import, f, len, cookie);
	if (ret > 0) {
		dma_async_issue_pending(import->chan);
		ret = import_wait(import, cookie, ret);
	}
	if (ret)
		import_stop(import);
	kvfree(cookie);
	return ret;
}

/* Others who work on the buffers have left fences there: they come first. */
static int import_wait_for_others(struct import_file *f)
{
	long left;

	left = dma_resv_wait_timeout(f->src.dmabuf->resv, DMA_RESV_USAGE_WRITE, true,
				     DMA_TIMEOUT);
	if (left > 0)
		left = dma_resv_wait_timeout(f->dst.dmabuf->resv, DMA_RESV_USAGE_READ, true,
					     DMA_TIMEOUT);
	if (left < 0)
		return left;
	return left ? 0 : -ETIMEDOUT;
}

/* Controllers move whole words; a buffer's end is one, as it is a page's. */
static int import_copy(struct import_file *f, u32 len)
{
	struct import *import = f->import;
	u32 word = max(4UL, 1UL << import->chan->device->copy_align);
	int ret;

	lockdep_assert_held(&import->lock);
	if (!f->taken)
		return -ENXIO;
	if (len > min(f->src.dmabuf->size, f->dst.dmabuf->size))
		return -EMSGSIZE;
	ret = import_wait_for_others(f);
	if (ret)
		return ret;
	ret = import_run(import, f, ALIGN(len, word));
	if (!ret)
		dev_info(import->dev, "moved %u bytes\n", len);
	return ret;
}

/* ---- the device file ---- */

static int import_check(struct import *import)
{
	lockdep_assert_held(&import->lock);
	if (!import->chan)
		return -ENODEV;
	return import->stuck ? -EIO : 0;
}

static long import_ioctl_take(struct import_file *f, void __user *arg)
{
	struct dmabuf_take take;
	int ret;

	if (copy_from_user(&take, arg, sizeof(take)))
		return -EFAULT;
	if (take.flags || take.reserved)
		return -EINVAL;
	if (mutex_lock_interruptible(&f->import->lock))
		return -ERESTARTSYS;
	ret = import_check(f->import) ?: import_take(f, &take);
	mutex_unlock(&f->import->lock);
	return ret;
}

static long import_ioctl_copy(struct import_file *f, void __user *arg)
{
	struct dmabuf_copy copy;
	int ret;

	if (copy_from_user(&copy, arg, sizeof(copy)))
		return -EFAULT;
	if (copy.flags || !copy.len)
		return -EINVAL;
	if (mutex_lock_interruptible(&f->import->lock))
		return -ERESTARTSYS;
	ret = import_check(f->import) ?: import_copy(f, copy.len);
	mutex_unlock(&f->import->lock);
	return ret;
}

static long import_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case DMABUF_TAKE:
		return import_ioctl_take(file->private_data, (void __user *)arg);
	case DMABUF_COPY:
		return import_ioctl_copy(file->private_data, (void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static void import_free(struct kref *ref)
{
	kfree(container_of(ref, struct import, ref));
}

/* Until misc_deregister() returns no open can miss the driver's reference. */
static int import_open(struct inode *inode, struct file *file)
{
	struct import *import = container_of(file->private_data, struct import, misc);
	struct import_file *f = kzalloc(sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	kref_get(&import->ref);
	f->import = import;
	mutex_lock(&import->lock);
	list_add(&f->node, &import->files);
	mutex_unlock(&import->lock);
	file->private_data = f;
	return nonseekable_open(inode, file);
}

static int import_release(struct inode *inode, struct file *file)
{
	struct import_file *f = file->private_data;
	struct import *import = f->import;

	mutex_lock(&import->lock);
	list_del(&f->node);
	if (!import->stuck)
		import_give_back(f);
	mutex_unlock(&import->lock);
	kfree(f);
	kref_put(&import->ref, import_free);
	return 0;
}

static const struct file_operations import_fops = {
	.owner = THIS_MODULE,	/* no rmmod while a file is open */
	.open = import_open,
	.unlocked_ioctl = import_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = import_release,
};

static int import_request_channel(struct import *import)
{
	struct device *dma_dev;
	dma_cap_mask_t mask;

	dma_cap_zero(mask);
	dma_cap_set(DMA_MEMCPY, mask);
	/* Without any controller yet this is -EPROBE_DEFER: we are asked again. */
	import->chan = dma_request_chan_by_mask(&mask);
	if (IS_ERR(import->chan))
		return dev_err_probe(import->dev, PTR_ERR(import->chan),
				     "no channel that copies memory\n");

	/* If the controller's driver is unbound, ours has to go before it. */
	dma_dev = import->chan->device->dev;
	if (!device_link_add(import->dev, dma_dev, DL_FLAG_AUTOREMOVE_CONSUMER)) {
		dma_release_channel(import->chan);
		return -EINVAL;
	}
	return 0;
}

/*
 * The driver core runs this when the driver is unbound from the device, by
 * rmmod or through sysfs; then files may still be open, and keep import. What they
 * have taken is mapped for the controller, and goes now.
 */
static void import_remove(void *data)
{
	struct import *import = data;
	struct import_file *f;

	dev_info(import->dev, "remove: called\n");
	misc_deregister(&import->misc);
	/* Waits for the transfer that is running, and there is no other. */
	mutex_lock(&import->lock);
	if (!import->stuck) {
		list_for_each_entry(f, &import->files, node)
			import_give_back(f);
		dma_release_channel(import->chan);
		import->chan = NULL;
	}
	mutex_unlock(&import->lock);
	dev_info(import->dev, "remove: done\n");
	kref_put(&import->ref, import_free);
}

static int import_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct import *import;
	int ret;

	dev_info(dev, "probe: called\n");
	import = kzalloc(sizeof(*import), GFP_KERNEL);
	if (!import)
		return -ENOMEM;
	kref_init(&import->ref);
	mutex_init(&import->lock);
	INIT_LIST_HEAD(&import->files);
	init_completion(&import->done);
	import->dev = dev;

	ret = import_request_channel(import);
	if (ret)
		goto put_import;
	import->misc.minor = MISC_DYNAMIC_MINOR;
	import->misc.name = "dmabuf_import";
	import->misc.fops = &import_fops;
	import->misc.parent = dev;
	ret = misc_register(&import->misc);
	if (ret)
		goto release_channel;

	dev_info(dev, "probe: done\n");
	/* In place of .remove, whose type is another one since Linux 6.11. */
	return devm_add_action_or_reset(dev, import_remove, import);

release_channel:
	dma_release_channel(import->chan);
put_import:
	kref_put(&import->ref, import_free);
	return ret;
}

static const struct of_device_id import_of_match[] = {
	{ .compatible = "dmafd,dmabuf-import" },
	{ }
};
MODULE_DEVICE_TABLE(of, import_of_match);

static struct platform_driver import_driver = {
	.probe = import_probe,
	.driver = {
		.name = "dmabuf_import",
		.of_match_table = import_of_match,
	},
};

/* The device that we have made ourselves, if any. */
static struct platform_device *import_made;

static int __init import_make_device(void)
{
	struct device_node *node = of_find_matching_node(NULL, import_of_match);

	of_node_put(node);
	if (node)
		return 0;
	import_made = platform_device_register_simple(import_driver.driver.name,
						      PLATFORM_DEVID_NONE, NULL, 0);
	return PTR_ERR_OR_ZERO(import_made);
}

static int __init import_init(void)
{
	int ret = platform_driver_register(&import_driver);

	if (ret || !make_device)
		return ret;
	ret = import_make_device();
	if (ret)
		platform_driver_unregister(&import_driver);
	return ret;
}
module_init(import_init);

static void __exit import_exit(void)
{
	platform_device_unregister(import_made);
	platform_driver_unregister(&import_driver);
}
module_exit(import_exit);

/* As MODULE_IMPORT_NS(), whose argument is a string only since Linux 6.13. */
MODULE_INFO(import_ns, "DMA_BUF");
MODULE_DESCRIPTION("Lab: memory that is another driver's, a user");
MODULE_LICENSE("GPL");
