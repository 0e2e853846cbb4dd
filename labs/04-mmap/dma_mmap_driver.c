// SPDX-License-Identifier: GPL-2.0-only
/*
 * dma_mmap_driver - a program's own memory, moved by the DMA controller
 *
 *	# insmod dma_mmap_driver.ko
 *	# ./dma_mmap_app
 *	# dmesg | grep dma_mmap
 *	# rmmod dma_mmap_driver
 *
 * A program maps the source and the destination, writes to the one, calls the
 * ioctl of dma_mmap.h, and reads from the other. What to look at: the program,
 * the kernel and the controller each have an address of their own for the same
 * memory, and the driver has to give each its own.
 *
 * By default the buffers are coherent memory. On a board whose controller does
 * not look into the CPU's cache, such as the Pi, that is memory which neither
 * the kernel nor the program caches: always up to date, nothing to sync, and
 * slow to read. With cached=1 the buffers are ordinary memory, cached by both;
 * the ioctl hands them to the controller and back:
 *
 *	dma_mmap_probe()   dma_map_single()              to the controller
 *	                   dma_sync_single_for_cpu()     to the CPU
 *	dma_mmap_ioctl()   dma_sync_single_for_device()  to the controller
 *	                   dma_sync_single_for_cpu()     to the CPU
 *	dma_mmap_remove()  dma_unmap_single()            to the CPU, for good
 */
#include <linux/completion.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "dma_mmap.h"

#define BUF_SIZE	(2 * DMA_MMAP_SIZE)

/* Transfers take microseconds: one that takes this long does not end. */
#define DMA_TIMEOUT	msecs_to_jiffies(5000)

struct dma_mmap {
	struct kref ref;	/* one for the driver, one for each open file */
	struct miscdevice misc;
	struct device *dev;	/* for the log; valid until chan is NULL */
	/* Set by probe, and valid as long as this structure: */
	struct device *dma_dev;	/* the controller */
	struct device_driver *dma_driver;
	bool cached;
	void *buf;		/* source and destination, for the kernel... */
	dma_addr_t src;		/* ...and for the controller */
	dma_addr_t dst;
	struct mutex lock;	/* one transfer at a time; protects all below */
	struct dma_chan *chan;	/* NULL once the driver was unbound */
	bool stuck;		/* a transfer could not be stopped */
	struct completion done;
};

static bool make_device;
module_param(make_device, bool, 0444);
MODULE_PARM_DESC(make_device, "make a device if the device tree has none");

static bool cached;
module_param(cached, bool, 0444);
MODULE_PARM_DESC(cached, "cached memory and syncs in place of coherent memory");

static void dma_mmap_callback(void *data)
{
	struct dma_mmap *dm = data;

	dev_info(dm->dev, "callback: transaction finished\n");
	complete(&dm->done);
}

static int dma_mmap_issue(struct dma_mmap *dm, size_t len)
{
	struct dma_async_tx_descriptor *desc;
	int ret;

	desc = dmaengine_prep_dma_memcpy(dm->chan, dm->dst, dm->src, len,
					 DMA_PREP_INTERRUPT | DMA_CTRL_ACK);
	if (!desc)
		return -ENOMEM;
	reinit_completion(&dm->done);
	desc->callback = dma_mmap_callback;
	desc->callback_param = dm;
	/* Puts it into the channel's queue, where nothing happens yet... */
	ret = dma_submit_error(dmaengine_submit(desc));
	if (ret)
		return ret;
	/* ...and this starts the queue. Forgotten, it is a wait for ever. */
	dma_async_issue_pending(dm->chan);
	return 0;
}

/*
 * No signal ends this wait: the controller writes until it is done or stopped,
 * whatever happens to the caller. The timeout bounds it.
 */
static int dma_mmap_wait(struct dma_mmap *dm)
{
	if (wait_for_completion_timeout(&dm->done, DMA_TIMEOUT))
		return 0;

	dev_err(dm->dev, "ioctl: timeout\n");
	if (dmaengine_terminate_sync(dm->chan)) {
		/*
		 * It cannot be stopped, and may write to the buffer and run the
		 * callback at any time: keep all that it needs, for good.
		 */
		dev_err(dm->dev, "ioctl: the controller does not stop\n");
		dm->stuck = true;
		kref_get(&dm->ref);
		get_device(dm->dev);
		__module_get(THIS_MODULE);
		return -ETIMEDOUT;
	}
	/* The callback does not run any more. Did it, in the last moment? */
	return try_wait_for_completion(&dm->done) ? 0 : -ETIMEDOUT;
}

/* Cached buffers only: what the program wrote leaves the cache for memory. */
static void dma_mmap_to_device(struct dma_mmap *dm, size_t len)
{
	if (!dm->cached)
		return;
	dma_sync_single_for_device(dm->dma_dev, dm->src, len, DMA_TO_DEVICE);
	dma_sync_single_for_device(dm->dma_dev, dm->dst, len, DMA_FROM_DEVICE);
}

/* Cached buffers only: what the cache knows of the destination is forgotten. */
static void dma_mmap_to_cpu(struct dma_mmap *dm, size_t len)
{
	if (!dm->cached)
		return;
	dma_sync_single_for_cpu(dm->dma_dev, dm->src, len, DMA_TO_DEVICE);
	dma_sync_single_for_cpu(dm->dma_dev, dm->dst, len, DMA_FROM_DEVICE);
}

/*
 * Controllers move words, and not all of them can end within one. So whole
 * words are moved: 4 bytes, or what the controller asks for if that is more. The
 * rest of the last word comes along from the source, which is large enough.
 */
static size_t dma_mmap_pad(struct dma_chan *chan, size_t len)
{
	return ALIGN(len, max(4UL, 1UL << chan->device->copy_align));
}

static int dma_mmap_transfer(struct dma_mmap *dm, size_t len)
{
	int ret;

	lockdep_assert_held(&dm->lock);
	if (!dm->chan)
		return -ENODEV;
	if (dm->stuck)
		return -EIO;

	dev_info(dm->dev, "ioctl: moving %zu bytes\n", len);
	len = dma_mmap_pad(dm->chan, len);
	dma_mmap_to_device(dm, len);
	ret = dma_mmap_issue(dm, len);
	if (!ret)
		ret = dma_mmap_wait(dm);
	if (dm->stuck)
		return ret;
	dma_mmap_to_cpu(dm, len);
	if (!ret)
		dev_info(dm->dev, "ioctl: done\n");
	return ret;
}

static long dma_mmap_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct dma_mmap *dm = file->private_data;
	struct dma_mmap_copy copy;
	int ret;

	if (cmd != DMA_MMAP_COPY)
		return -ENOTTY;
	if (copy_from_user(&copy, (void __user *)arg, sizeof(copy)))
		return -EFAULT;
	if (!copy.len || copy.flags)
		return -EINVAL;
	if (copy.len > DMA_MMAP_SIZE)
		return -EMSGSIZE;

	/* Nothing has been started yet: here a signal may end the wait. */
	if (mutex_lock_interruptible(&dm->lock))
		return -ERESTARTSYS;
	ret = dma_mmap_transfer(dm, copy.len);
	mutex_unlock(&dm->lock);
	return ret;
}

/* Is any page of the mapping, up to the address end, in the destination? */
static bool dma_mmap_has_dst(struct vm_area_struct *vma, unsigned long end)
{
	unsigned long pages = (end - vma->vm_start) >> PAGE_SHIFT;

	return vma->vm_pgoff + pages > DMA_MMAP_DST >> PAGE_SHIFT;
}

static int dma_mmap_mprotect(struct vm_area_struct *vma, unsigned long start,
			     unsigned long end, unsigned long newflags)
{
	return newflags & VM_WRITE && dma_mmap_has_dst(vma, end) ? -EACCES : 0;
}

static const struct vm_operations_struct dma_mmap_vm_ops = {
	.mprotect = dma_mmap_mprotect,
};

/*
 * The program's page tables need physical addresses. dma_mmap_coherent() knows
 * them, and that the memory is not cached. For memory of our own it is the page
 * number, by way of the kernel's address. It is never the controller's address:
 * on the Pi that is another number, and no memory stands behind it.
 */
static int dma_mmap_insert(struct dma_mmap *dm, struct vm_area_struct *vma)
{
	if (!dm->cached)
		return dma_mmap_coherent(dm->dma_dev, vma, dm->buf, dm->src,
					 BUF_SIZE);
	return remap_pfn_range(vma, vma->vm_start,
			       page_to_pfn(virt_to_page(dm->buf)) + vma->vm_pgoff,
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

/* The mapping holds the file, and the file the buffer: it stays that long. */
static int dma_mmap_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct dma_mmap *dm = file->private_data;
	int ret = -ENODEV;

	if (vma->vm_pgoff >= BUF_SIZE >> PAGE_SHIFT ||
	    vma_pages(vma) > (BUF_SIZE >> PAGE_SHIFT) - vma->vm_pgoff)
		return -ENXIO;
	/* Not VM_SHARED, which a file that was opened O_RDONLY does not get. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	/* What the CPU writes there could end up above what DMA has written. */
	if (vma->vm_flags & VM_WRITE && dma_mmap_has_dst(vma, vma->vm_end))
		return -EACCES;
	vma->vm_ops = &dma_mmap_vm_ops;

	if (mutex_lock_interruptible(&dm->lock))
		return -ERESTARTSYS;
	if (dm->chan) {
		dev_info(dm->dev, "mmap: offset 0x%lx, %lu bytes\n",
			 vma->vm_pgoff << PAGE_SHIFT, vma->vm_end - vma->vm_start);
		ret = dma_mmap_insert(dm, vma);
	}
	mutex_unlock(&dm->lock);
	return ret;
}

static int dma_mmap_alloc(struct dma_mmap *dm)
{
	if (dm->cached)
		dm->buf = alloc_pages_exact(BUF_SIZE, GFP_KERNEL | __GFP_ZERO);
	else
		dm->buf = dma_alloc_coherent(dm->dma_dev, BUF_SIZE, &dm->src,
					     GFP_KERNEL);
	if (!dm->buf)
		return -ENOMEM;
	dm->dst = dm->src + DMA_MMAP_DST;
	return 0;
}

/*
 * Coherent memory goes back to the device that it came from. If that lost its
 * driver while a program still had the memory, its way of addressing is lost,
 * too, and it is safer to keep the memory.
 */
static void dma_mmap_free_coherent(struct dma_mmap *dm)
{
	device_lock(dm->dma_dev);
	if (dm->dma_dev->driver == dm->dma_driver)
		dma_free_coherent(dm->dma_dev, BUF_SIZE, dm->buf, dm->src);
	else
		dev_warn(dm->dma_dev, "unbound before its memory came back\n");
	device_unlock(dm->dma_dev);
}

static void dma_mmap_free(struct kref *ref)
{
	struct dma_mmap *dm = container_of(ref, struct dma_mmap, ref);

	if (dm->buf && dm->cached)
		free_pages_exact(dm->buf, BUF_SIZE);
	else if (dm->buf)
		dma_mmap_free_coherent(dm);
	put_device(dm->dma_dev);
	kfree(dm);
}

/* For the device that reads and writes the memory: that is the controller. */
static int dma_mmap_map(struct dma_mmap *dm)
{
	if (!dm->cached)
		return 0;
	dm->src = dma_map_single(dm->dma_dev, dm->buf + DMA_MMAP_SRC,
				 DMA_MMAP_SIZE, DMA_TO_DEVICE);
	if (dma_mapping_error(dm->dma_dev, dm->src))
		return -ENOMEM;
	dm->dst = dma_map_single(dm->dma_dev, dm->buf + DMA_MMAP_DST,
				 DMA_MMAP_SIZE, DMA_FROM_DEVICE);
	if (dma_mapping_error(dm->dma_dev, dm->dst)) {
		dma_unmap_single(dm->dma_dev, dm->src, DMA_MMAP_SIZE,
				 DMA_TO_DEVICE);
		return -ENOMEM;
	}
	/* Mapping gave it to the controller; programs write at any time but one. */
	dma_mmap_to_cpu(dm, DMA_MMAP_SIZE);
	return 0;
}

static void dma_mmap_unmap(struct dma_mmap *dm)
{
	if (!dm->cached)
		return;
	dma_unmap_single(dm->dma_dev, dm->dst, DMA_MMAP_SIZE, DMA_FROM_DEVICE);
	dma_unmap_single(dm->dma_dev, dm->src, DMA_MMAP_SIZE, DMA_TO_DEVICE);
}

/* Until misc_deregister() returns no open can miss the driver's reference. */
static int dma_mmap_open(struct inode *inode, struct file *file)
{
	struct dma_mmap *dm = container_of(file->private_data, struct dma_mmap, misc);

	kref_get(&dm->ref);
	file->private_data = dm;
	return nonseekable_open(inode, file);
}

static int dma_mmap_release(struct inode *inode, struct file *file)
{
	struct dma_mmap *dm = file->private_data;

	kref_put(&dm->ref, dma_mmap_free);
	return 0;
}

static const struct file_operations dma_mmap_fops = {
	.owner = THIS_MODULE,	/* no rmmod while a file is open, or mapped */
	.open = dma_mmap_open,
	.mmap = dma_mmap_mmap,
	.unlocked_ioctl = dma_mmap_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = dma_mmap_release,
};

static int dma_mmap_request_channel(struct dma_mmap *dm)
{
	struct device *dma_dev;
	dma_cap_mask_t mask;

	dma_cap_zero(mask);
	dma_cap_set(DMA_MEMCPY, mask);
	/* Without any controller yet this is -EPROBE_DEFER: we are asked again. */
	dm->chan = dma_request_chan_by_mask(&mask);
	if (IS_ERR(dm->chan))
		return dev_err_probe(dm->dev, PTR_ERR(dm->chan),
				     "no channel that copies memory\n");

	/* If the controller's driver is unbound, ours has to go before it. */
	dma_dev = dm->chan->device->dev;
	if (!device_link_add(dm->dev, dma_dev, DL_FLAG_AUTOREMOVE_CONSUMER)) {
		dma_release_channel(dm->chan);
		return -EINVAL;
	}
	dm->dma_dev = get_device(dma_dev);
	dm->dma_driver = dma_dev->driver;
	return 0;
}

/*
 * The driver core runs this when the driver is unbound from the device, by
 * rmmod or through sysfs; then files may still be open, and keep dm.
 */
static void dma_mmap_remove(void *data)
{
	struct dma_mmap *dm = data;

	dev_info(dm->dev, "remove: called\n");
	misc_deregister(&dm->misc);
	/* Waits for the transfer that is running, and there is no other. */
	mutex_lock(&dm->lock);
	if (!dm->stuck) {
		dma_mmap_unmap(dm);
		dma_release_channel(dm->chan);
		dm->chan = NULL;
	}
	mutex_unlock(&dm->lock);
	dev_info(dm->dev, "remove: done\n");
	kref_put(&dm->ref, dma_mmap_free);
}

static int dma_mmap_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct dma_mmap *dm;
	int ret;

	dev_info(dev, "probe: called\n");
	dm = kzalloc(sizeof(*dm), GFP_KERNEL);
	if (!dm)
		return -ENOMEM;
	kref_init(&dm->ref);
	mutex_init(&dm->lock);
	init_completion(&dm->done);
	dm->dev = dev;
	dm->cached = cached;

	ret = dma_mmap_request_channel(dm);
	if (ret)
		goto put_dm;
	ret = dma_mmap_alloc(dm);
	if (ret)
		goto release_channel;
	ret = dma_mmap_map(dm);
	if (ret)
		goto release_channel;

	dm->misc.minor = MISC_DYNAMIC_MINOR;
	dm->misc.name = "dma_mmap";
	dm->misc.fops = &dma_mmap_fops;
	dm->misc.parent = dev;
	ret = misc_register(&dm->misc);
	if (ret)
		goto unmap;

	dev_info(dev, "probe: done, %s buffers\n", cached ? "cached" : "coherent");
	/* In place of .remove, whose type is another one since Linux 6.11. */
	return devm_add_action_or_reset(dev, dma_mmap_remove, dm);

unmap:
	dma_mmap_unmap(dm);
release_channel:
	dma_release_channel(dm->chan);
put_dm:
	kref_put(&dm->ref, dma_mmap_free);
	return ret;
}

static const struct of_device_id dma_mmap_of_match[] = {
	{ .compatible = "dmafd,dma-mmap" },
	{ }
};
MODULE_DEVICE_TABLE(of, dma_mmap_of_match);

static struct platform_driver dma_mmap_driver = {
	.probe = dma_mmap_probe,
	.driver = {
		.name = "dma_mmap",
		.of_match_table = dma_mmap_of_match,
	},
};

/* The device that we have made ourselves, if any. */
static struct platform_device *dma_mmap_made;

static int __init dma_mmap_make_device(void)
{
	struct device_node *node = of_find_matching_node(NULL, dma_mmap_of_match);

	of_node_put(node);
	if (node)
		return 0;
	dma_mmap_made = platform_device_register_simple(dma_mmap_driver.driver.name,
							PLATFORM_DEVID_NONE,
							NULL, 0);
	return PTR_ERR_OR_ZERO(dma_mmap_made);
}

static int __init dma_mmap_init(void)
{
	int ret = platform_driver_register(&dma_mmap_driver);

	if (ret || !make_device)
		return ret;
	ret = dma_mmap_make_device();
	if (ret)
		platform_driver_unregister(&dma_mmap_driver);
	return ret;
}
module_init(dma_mmap_init);

static void __exit dma_mmap_exit(void)
{
	platform_device_unregister(dma_mmap_made);
	platform_driver_unregister(&dma_mmap_driver);
}
module_exit(dma_mmap_exit);

MODULE_DESCRIPTION("Lab: buffers that a program maps, moved by an ioctl");
MODULE_LICENSE("GPL");
