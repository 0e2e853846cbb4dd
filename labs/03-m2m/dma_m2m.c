// SPDX-License-Identifier: GPL-2.0-only
/*
 * dma_m2m - memory to memory, with buffers that stay mapped
 *
 *	# insmod dma_m2m.ko
 *	# echo one-two-three > /dev/dma_m2m_misc_dev
 *	# dmesg | grep m2m
 *	# rmmod dma_m2m
 *
 * Each write is copied into write_buf, and the board's DMA controller moves it
 * from write_buf to read_buf. The buffers are mapped when the driver is bound,
 * and unmapped when it is unbound. What to look at: how their owner changes
 * without that.
 *
 *	dma_m2m_probe()  dma_map_single()              to the controller
 *	dma_m2m_fill()   dma_sync_single_for_cpu()     to the CPU, which writes
 *	                 dma_sync_single_for_device()  to the controller
 *	dma_m2m_check()  dma_sync_single_for_cpu()     to the CPU, which reads
 *	                 dma_sync_single_for_device()  to the controller
 *	dma_m2m_remove() dma_unmap_single()            to the CPU, for good
 *
 * Between the transfers everything is the controller's. That costs nothing, and
 * there is one rule: no look at a buffer that is not between two syncs.
 *
 * From dma_m2m_issue() on it is as in lab 01.
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

struct dma_m2m {
	struct kref ref;	/* one for the driver, one for each open file */
	struct miscdevice misc;
	struct device *dev;	/* for the log; valid until chan is NULL */
	struct mutex lock;	/* one transfer at a time; protects all below */
	struct dma_chan *chan;	/* NULL once the driver was unbound */
	bool stuck;		/* a transfer could not be stopped */
	char *write_buf;
	char *read_buf;
	dma_addr_t src;		/* write_buf and read_buf for the controller... */
	dma_addr_t dst;		/* ...mapped as long as chan is not NULL */
	struct completion done;
};

static bool make_device;
module_param(make_device, bool, 0444);
MODULE_PARM_DESC(make_device, "make a device if the device tree has none");

/* The string in the log: newlines escaped, so that an event is one line. */
static void dma_m2m_log(struct dma_m2m *m2m, const char *what, const char *buf,
			size_t len)
{
	dev_info(m2m->dev, "%s '%*pE'\n", what,
		 (int)min_t(size_t, len, LOG_CHARS), buf);
}

/*
 * The buffers are mapped for the device that reads and writes them, and that
 * is the controller: it may see memory at other addresses than our device, or
 * only through an IOMMU of its own.
 */
static int dma_m2m_map(struct dma_m2m *m2m)
{
	struct device *dma_dev = m2m->chan->device->dev;

	m2m->src = dma_map_single(dma_dev, m2m->write_buf, BUF_SIZE,
				  DMA_TO_DEVICE);
	if (dma_mapping_error(dma_dev, m2m->src))
		return -ENOMEM;
	m2m->dst = dma_map_single(dma_dev, m2m->read_buf, BUF_SIZE,
				  DMA_FROM_DEVICE);
	if (dma_mapping_error(dma_dev, m2m->dst)) {
		dma_unmap_single(dma_dev, m2m->src, BUF_SIZE, DMA_TO_DEVICE);
		return -ENOMEM;
	}
	return 0;
}

static void dma_m2m_unmap(struct dma_m2m *m2m)
{
	struct device *dma_dev = m2m->chan->device->dev;

	dma_unmap_single(dma_dev, m2m->dst, BUF_SIZE, DMA_FROM_DEVICE);
	dma_unmap_single(dma_dev, m2m->src, BUF_SIZE, DMA_TO_DEVICE);
}

/*
 * Only the part in use changes hands, and with the direction that the mapping
 * has: that direction, and who gets the buffer, say what to do to the cache.
 */
static void dma_m2m_fill(struct dma_m2m *m2m, const char *text, size_t len,
			 size_t dma_len)
{
	struct device *dma_dev = m2m->chan->device->dev;

	dma_sync_single_for_cpu(dma_dev, m2m->src, dma_len, DMA_TO_DEVICE);
	memcpy(m2m->write_buf, text, len);
	memset(m2m->write_buf + len, 0, dma_len - len);
	dma_m2m_log(m2m, "write: write_buf is", m2m->write_buf, len);
	dma_sync_single_for_device(dma_dev, m2m->src, dma_len, DMA_TO_DEVICE);
}

static int dma_m2m_check(struct dma_m2m *m2m, const char *text, size_t len,
			 size_t dma_len)
{
	struct device *dma_dev = m2m->chan->device->dev;
	bool same;

	/* Without this, on the Pi, the CPU may read what its cache remembers. */
	dma_sync_single_for_cpu(dma_dev, m2m->dst, dma_len, DMA_FROM_DEVICE);
	same = !memcmp(m2m->read_buf, text, len);
	if (same)
		dev_info(m2m->dev, "write: buffer copy successful\n");
	else
		dev_err(m2m->dev, "write: buffer copy failed\n");
	dma_m2m_log(m2m, "write: read_buf is", m2m->read_buf, len);
	/* An old copy must not pass for the next one. */
	memset(m2m->read_buf, '-', dma_len);
	dma_sync_single_for_device(dma_dev, m2m->dst, dma_len, DMA_FROM_DEVICE);
	return same ? 0 : -EIO;
}

/* Runs in a tasklet, where nothing may sleep: it wakes the writer, no more. */
static void dma_m2m_callback(void *data)
{
	struct dma_m2m *m2m = data;

	dev_info(m2m->dev, "callback: transaction finished\n");
	complete(&m2m->done);
}

/* Hands the transfer over to the controller. */
static int dma_m2m_issue(struct dma_m2m *m2m, size_t dma_len)
{
	struct dma_async_tx_descriptor *desc;
	int ret;

	desc = dmaengine_prep_dma_memcpy(m2m->chan, m2m->dst, m2m->src, dma_len,
					 DMA_PREP_INTERRUPT | DMA_CTRL_ACK);
	if (!desc)
		return -ENOMEM;
	reinit_completion(&m2m->done);
	desc->callback = dma_m2m_callback;
	desc->callback_param = m2m;
	/* Puts it into the channel's queue, where nothing happens yet... */
	ret = dma_submit_error(dmaengine_submit(desc));
	if (ret)
		return ret;
	/* ...and this starts the queue. Forgotten, it is a wait for ever. */
	dma_async_issue_pending(m2m->chan);
	return 0;
}

/*
 * No signal ends this wait: the controller writes to read_buf until it is done
 * or stopped, whatever happens to the writer. The timeout bounds it.
 */
static int dma_m2m_wait(struct dma_m2m *m2m)
{
	if (wait_for_completion_timeout(&m2m->done, DMA_TIMEOUT))
		return 0;

	dev_err(m2m->dev, "write: timeout\n");
	if (dmaengine_terminate_sync(m2m->chan)) {
		/*
		 * It cannot be stopped, and may write to read_buf and run the
		 * callback at any time: keep all that it needs, for good.
		 */
		dev_err(m2m->dev, "write: the controller does not stop\n");
		m2m->stuck = true;
		kref_get(&m2m->ref);
		get_device(m2m->dev);
		__module_get(THIS_MODULE);
		return -ETIMEDOUT;
	}
	/* The callback does not run any more. Did it, in the last moment? */
	return try_wait_for_completion(&m2m->done) ? 0 : -ETIMEDOUT;
}

/*
 * Controllers move words, and not all of them can end within one. So whole
 * words are moved: 4 bytes, or what the controller asks for if that is more.
 */
static size_t dma_m2m_pad(struct dma_chan *chan, size_t len)
{
	return ALIGN(len, max(4UL, 1UL << chan->device->copy_align));
}

static int dma_m2m_transfer(struct dma_m2m *m2m, const char *text, size_t len)
{
	size_t dma_len;
	int ret;

	lockdep_assert_held(&m2m->lock);
	if (!m2m->chan)
		return -ENODEV;
	if (m2m->stuck)
		return -EIO;

	dma_len = dma_m2m_pad(m2m->chan, len);
	dma_m2m_fill(m2m, text, len, dma_len);
	ret = dma_m2m_issue(m2m, dma_len);
	if (ret)
		return ret;
	ret = dma_m2m_wait(m2m);
	if (ret)
		return ret;
	return dma_m2m_check(m2m, text, len, dma_len);
}

/* One write is one message: it is moved as a whole or not at all. */
static ssize_t dma_m2m_write(struct file *file, const char __user *buf,
			     size_t count, loff_t *ppos)
{
	struct dma_m2m *m2m = file->private_data;
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
	if (!mutex_lock_interruptible(&m2m->lock)) {
		ret = dma_m2m_transfer(m2m, text, count);
		mutex_unlock(&m2m->lock);
	}
	kfree(text);
	return ret ?: count;
}

static void dma_m2m_free(struct kref *ref)
{
	struct dma_m2m *m2m = container_of(ref, struct dma_m2m, ref);

	kfree(m2m->read_buf);
	kfree(m2m->write_buf);
	kfree(m2m);
}

/* Until misc_deregister() returns no open can miss the driver's reference. */
static int dma_m2m_open(struct inode *inode, struct file *file)
{
	struct dma_m2m *m2m = container_of(file->private_data, struct dma_m2m, misc);

	kref_get(&m2m->ref);
	file->private_data = m2m;
	return nonseekable_open(inode, file);
}

static int dma_m2m_release(struct inode *inode, struct file *file)
{
	struct dma_m2m *m2m = file->private_data;

	kref_put(&m2m->ref, dma_m2m_free);
	return 0;
}

/* There is no .read: the kernel answers EINVAL by itself. */
static const struct file_operations dma_m2m_fops = {
	.owner = THIS_MODULE,	/* no rmmod while a file is open */
	.open = dma_m2m_open,
	.write = dma_m2m_write,
	.release = dma_m2m_release,
};

static int dma_m2m_request_channel(struct dma_m2m *m2m)
{
	struct device *dma_dev;
	dma_cap_mask_t mask;

	dma_cap_zero(mask);
	dma_cap_set(DMA_MEMCPY, mask);
	/* Without any controller yet this is -EPROBE_DEFER: we are asked again. */
	m2m->chan = dma_request_chan_by_mask(&mask);
	if (IS_ERR(m2m->chan))
		return dev_err_probe(m2m->dev, PTR_ERR(m2m->chan),
				     "no channel that copies memory\n");

	/* If the controller's driver is unbound, ours has to go before it. */
	dma_dev = m2m->chan->device->dev;
	if (!device_link_add(m2m->dev, dma_dev, DL_FLAG_AUTOREMOVE_CONSUMER)) {
		dma_release_channel(m2m->chan);
		return -EINVAL;
	}
	return 0;
}

/*
 * The driver core runs this when the driver is unbound from the device, by
 * rmmod or through sysfs; then files may still be open, and keep m2m.
 */
static void dma_m2m_remove(void *data)
{
	struct dma_m2m *m2m = data;

	dev_info(m2m->dev, "remove: called\n");
	misc_deregister(&m2m->misc);
	/* Waits for the transfer that is running, and there is no other. */
	mutex_lock(&m2m->lock);
	if (!m2m->stuck) {
		dma_m2m_unmap(m2m);
		dma_release_channel(m2m->chan);
		m2m->chan = NULL;
	}
	mutex_unlock(&m2m->lock);
	dev_info(m2m->dev, "remove: done\n");
	kref_put(&m2m->ref, dma_m2m_free);
}

static int dma_m2m_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct dma_m2m *m2m;
	int ret;

	dev_info(dev, "probe: called\n");
	m2m = kzalloc(sizeof(*m2m), GFP_KERNEL);
	if (!m2m)
		return -ENOMEM;
	kref_init(&m2m->ref);
	mutex_init(&m2m->lock);
	init_completion(&m2m->done);
	m2m->dev = dev;

	/* kmalloc() memory is contiguous and shares no cache line. */
	ret = -ENOMEM;
	m2m->write_buf = kzalloc(BUF_SIZE, GFP_KERNEL);
	m2m->read_buf = kzalloc(BUF_SIZE, GFP_KERNEL);
	if (!m2m->write_buf || !m2m->read_buf)
		goto put_m2m;
	ret = dma_m2m_request_channel(m2m);
	if (ret)
		goto put_m2m;
	ret = dma_m2m_map(m2m);
	if (ret)
		goto release_channel;

	m2m->misc.minor = MISC_DYNAMIC_MINOR;
	m2m->misc.name = "dma_m2m_misc_dev";
	m2m->misc.fops = &dma_m2m_fops;
	m2m->misc.parent = dev;
	ret = misc_register(&m2m->misc);
	if (ret)
		goto unmap;

	dev_info(dev, "probe: done\n");
	/* In place of .remove, whose type is another one since Linux 6.11. */
	return devm_add_action_or_reset(dev, dma_m2m_remove, m2m);

unmap:
	dma_m2m_unmap(m2m);
release_channel:
	dma_release_channel(m2m->chan);
put_m2m:
	kref_put(&m2m->ref, dma_m2m_free);
	return ret;
}

static const struct of_device_id dma_m2m_of_match[] = {
	{ .compatible = "dmafd,dma-m2m" },
	{ }
};
MODULE_DEVICE_TABLE(of, dma_m2m_of_match);

static struct platform_driver dma_m2m_driver = {
	.probe = dma_m2m_probe,
	.driver = {
		.name = "dma_m2m",
		.of_match_table = dma_m2m_of_match,
	},
};

/* The device that we have made ourselves, if any. */
static struct platform_device *dma_m2m_made;

static int __init dma_m2m_make_device(void)
{
	struct device_node *node = of_find_matching_node(NULL, dma_m2m_of_match);

	of_node_put(node);
	if (node)
		return 0;
	dma_m2m_made = platform_device_register_simple(dma_m2m_driver.driver.name,
						       PLATFORM_DEVID_NONE,
						       NULL, 0);
	return PTR_ERR_OR_ZERO(dma_m2m_made);
}

static int __init dma_m2m_init(void)
{
	int ret = platform_driver_register(&dma_m2m_driver);

	if (ret || !make_device)
		return ret;
	ret = dma_m2m_make_device();
	if (ret)
		platform_driver_unregister(&dma_m2m_driver);
	return ret;
}
module_init(dma_m2m_init);

static void __exit dma_m2m_exit(void)
{
	platform_device_unregister(dma_m2m_made);
	platform_driver_unregister(&dma_m2m_driver);
}
module_exit(dma_m2m_exit);

MODULE_DESCRIPTION("Lab: memory to memory, mapped once, synced for each write");
MODULE_LICENSE("GPL");
