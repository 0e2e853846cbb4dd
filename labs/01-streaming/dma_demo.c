// SPDX-License-Identifier: GPL-2.0-only
/*
 * dma_demo - streaming DMA: a buffer that is mapped for one transfer
 *
 *	# insmod dma_demo.ko
 *	# echo abc > /dev/sdma_test
 *	# dmesg | grep sdma
 *	# rmmod dma_demo
 *
 * Each write is copied into wbuf, and the board's DMA controller moves it from
 * wbuf to rbuf. What to look at: who owns the two buffers at which moment.
 *
 *	sdma_transfer()     fills wbuf                    the CPU owns both
 *	sdma_map()          dma_map_single()              the controller does
 *	dma_m2m_callback()  dma_unmap_single(), compares  the CPU, again
 *
 * From dma_map_single() to dma_unmap_single() the CPU does not touch the
 * memory: what it writes may stay in its cache, unseen by the controller, and
 * what it reads may be older than what the controller has written.
 */
#include <linux/completion.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

/* The longest message. It is a multiple of any controller's word. */
#define BUF_SIZE	4096

/* So much of a message is shown in the log. */
#define LOG_CHARS	64

/* Transfers take microseconds: one that takes this long does not end. */
#define DMA_TIMEOUT	msecs_to_jiffies(5000)

struct sdma {
	struct kref ref;	/* one for the driver, one for each open file */
	struct miscdevice misc;
	struct device *dev;	/* for the log; valid until chan is NULL */
	struct mutex lock;	/* one transfer at a time; protects all below */
	struct dma_chan *chan;	/* NULL once the driver was unbound */
	bool stuck;		/* a transfer could not be stopped */
	/* Between issue and completion only the callback uses these. */
	char *wbuf;
	char *rbuf;
	size_t len;		/* of the message */
	size_t dma_len;		/* of the transfer */
	dma_addr_t src;		/* wbuf and rbuf as the controller sees them */
	dma_addr_t dst;
	bool passed;
	struct completion done;
};

static bool make_device;
module_param(make_device, bool, 0444);
MODULE_PARM_DESC(make_device, "make a device if the device tree has none");

/* The string in the log: newlines escaped, so that an event is one line. */
static void sdma_log(struct sdma *sdma, const char *what, const char *buf)
{
	dev_info(sdma->dev, "%s '%*pE'\n", what,
		 (int)min_t(size_t, sdma->len, LOG_CHARS), buf);
}

/*
 * The buffers are mapped for the device that reads and writes them, and that
 * is the controller: it may see memory at other addresses than our device, or
 * only through an IOMMU of its own.
 */
static int sdma_map(struct sdma *sdma)
{
	struct device *dma_dev = sdma->chan->device->dev;

	/* Writes back what the cache holds of wbuf: memory is up to date. */
	sdma->src = dma_map_single(dma_dev, sdma->wbuf, sdma->dma_len,
				   DMA_TO_DEVICE);
	if (dma_mapping_error(dma_dev, sdma->src))
		return -ENOMEM;
	dev_info(sdma->dev, "write: src map obtained\n");

	/* Leaves no line of rbuf in the cache that is written back later. */
	sdma->dst = dma_map_single(dma_dev, sdma->rbuf, sdma->dma_len,
				   DMA_FROM_DEVICE);
	if (dma_mapping_error(dma_dev, sdma->dst)) {
		dma_unmap_single(dma_dev, sdma->src, sdma->dma_len,
				 DMA_TO_DEVICE);
		return -ENOMEM;
	}
	dev_info(sdma->dev, "write: dst map obtained\n");
	return 0;
}

/* Same device, address, length and direction as in sdma_map(). */
static void sdma_unmap(struct sdma *sdma)
{
	struct device *dma_dev = sdma->chan->device->dev;

	dma_unmap_single(dma_dev, sdma->dst, sdma->dma_len, DMA_FROM_DEVICE);
	dma_unmap_single(dma_dev, sdma->src, sdma->dma_len, DMA_TO_DEVICE);
}

/*
 * Runs in a tasklet: unmapping is allowed here, sleeping is not. The writer
 * sleeps until complete(), which therefore comes last: no line of the writer
 * can come between the callback's.
 */
static void dma_m2m_callback(void *data)
{
	struct sdma *sdma = data;

	dev_info(sdma->dev, "callback: called\n");
	/* Before this, a look at rbuf could show what the cache remembers. */
	sdma_unmap(sdma);
	sdma->passed = !memcmp(sdma->wbuf, sdma->rbuf, sdma->dma_len);
	if (sdma->passed)
		dev_info(sdma->dev, "callback: buffer copy passed\n");
	else
		dev_err(sdma->dev, "callback: buffer copy failed\n");
	sdma_log(sdma, "callback: wbuf is", sdma->wbuf);
	sdma_log(sdma, "callback: rbuf is", sdma->rbuf);
	complete(&sdma->done);
}

/* Hands the transfer over to the controller; the buffers are mapped. */
static int sdma_issue(struct sdma *sdma)
{
	struct dma_async_tx_descriptor *desc;
	int ret;

	desc = dmaengine_prep_dma_memcpy(sdma->chan, sdma->dst, sdma->src,
					 sdma->dma_len,
					 DMA_PREP_INTERRUPT | DMA_CTRL_ACK);
	if (!desc)
		return -ENOMEM;
	dev_info(sdma->dev, "write: descriptor obtained\n");

	reinit_completion(&sdma->done);
	desc->callback = dma_m2m_callback;
	desc->callback_param = sdma;
	/* Puts it into the channel's queue, where nothing happens yet... */
	ret = dma_submit_error(dmaengine_submit(desc));
	if (ret)
		return ret;
	/* ...and this starts the queue. Forgotten, it is a wait for ever. */
	dma_async_issue_pending(sdma->chan);
	return 0;
}

/*
 * No signal ends this wait: the controller writes to rbuf until it is done or
 * stopped, whatever happens to the writer. The timeout bounds it.
 */
static int sdma_wait(struct sdma *sdma)
{
	if (wait_for_completion_timeout(&sdma->done, DMA_TIMEOUT))
		return 0;

	dev_err(sdma->dev, "write: timeout\n");
	if (dmaengine_terminate_sync(sdma->chan)) {
		/*
		 * It cannot be stopped, and may write to rbuf and run the
		 * callback at any time: keep all that it needs, for good.
		 */
		dev_err(sdma->dev, "write: the controller does not stop\n");
		sdma->stuck = true;
		kref_get(&sdma->ref);
		get_device(sdma->dev);
		__module_get(THIS_MODULE);
		return -ETIMEDOUT;
	}
	/* The callback does not run any more. Did it, in the last moment? */
	if (try_wait_for_completion(&sdma->done))
		return 0;
	sdma_unmap(sdma);
	return -ETIMEDOUT;
}

/*
 * Controllers move words, and not all of them can end within one. So whole
 * words are moved: 4 bytes, or what the controller asks for if that is more.
 */
static size_t sdma_pad(struct dma_chan *chan, size_t len)
{
	return ALIGN(len, max(4UL, 1UL << chan->device->copy_align));
}

static int sdma_transfer(struct sdma *sdma, const char *text, size_t len)
{
	int ret;

	lockdep_assert_held(&sdma->lock);
	if (!sdma->chan)
		return -ENODEV;
	if (sdma->stuck)
		return -EIO;

	sdma->len = len;
	sdma->dma_len = sdma_pad(sdma->chan, len);
	memcpy(sdma->wbuf, text, len);
	memset(sdma->wbuf + len, 0, sdma->dma_len - len);
	/* An old copy must not pass for the new one. */
	memset(sdma->rbuf, '-', sdma->dma_len);
	sdma_log(sdma, "write: wbuf string is", sdma->wbuf);

	ret = sdma_map(sdma);
	if (ret)
		return ret;
	ret = sdma_issue(sdma);
	if (ret) {
		sdma_unmap(sdma);
		return ret;
	}
	ret = sdma_wait(sdma);
	if (ret)
		return ret;
	sdma_log(sdma, "write: rbuf string is", sdma->rbuf);
	return sdma->passed ? 0 : -EIO;
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

static void sdma_free(struct kref *ref)
{
	struct sdma *sdma = container_of(ref, struct sdma, ref);

	kfree(sdma->rbuf);
	kfree(sdma->wbuf);
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

	/* kmalloc() memory is contiguous and shares no cache line. */
	ret = -ENOMEM;
	sdma->wbuf = kmalloc(BUF_SIZE, GFP_KERNEL);
	sdma->rbuf = kmalloc(BUF_SIZE, GFP_KERNEL);
	if (!sdma->wbuf || !sdma->rbuf)
		goto put_sdma;
	ret = sdma_request_channel(sdma);
	if (ret)
		goto put_sdma;

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

MODULE_DESCRIPTION("Lab: a streaming DMA mapping for each write");
MODULE_LICENSE("GPL");
