// SPDX-License-Identifier: GPL-2.0-only
/*
 * dma_consumer - a client of DMA channels: to peripherals, and within memory
 *
 *	# ./peripherals.sh up
 *	# insmod dma_consumer.ko
 *	# cat /dev/dma_consumer
 *	# echo send > /dev/dma_consumer
 *	# dmesg | grep consumer
 *	# rmmod dma_consumer
 *
 * Writing the name of a demonstration runs it. They are in peripheral.c and
 * memory.c; here is how the channels are got: by name, as the device tree or the
 * controller says which is whose, or by what they can do.
 */
#include <linux/dma-mapping.h>
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

#include "consumer.h"

/* Longer than any demonstration's name and a newline. */
#define MAX_NAME	32

struct owner {
	struct kref ref;	/* one for the driver, one for each open file */
	struct miscdevice misc;
	struct device *dev;	/* for the log; valid until gone */
	struct mutex lock;	/* one demonstration at a time; protects all below */
	struct consumer c;
	bool gone;		/* the driver was unbound */
};

static const struct {
	const char *name;
	show_fn *run;
} all[] = {
	{ "caps", show_caps },
	{ "send", show_send },
	{ "cookies", show_cookies },
	{ "cyclic", show_cyclic },
	{ "pause", show_pause },
	{ "terminate", show_terminate },
	{ "copy", show_copy },
	{ "fill", show_fill },
	{ "xor", show_xor },
	{ "interleaved", show_interleaved },
};

static bool make_device;
module_param(make_device, bool, 0444);
MODULE_PARM_DESC(make_device, "make a device if the device tree has none");

static int consumer_find(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		if (sysfs_streq(name, all[i].name))
			return i;
	return -EINVAL;
}

static int consumer_run(struct owner *r, int n)
{
	int ret;

	lockdep_assert_held(&r->lock);
	if (r->gone)
		return -ENODEV;
	if (r->c.stuck)
		return -EIO;
	ret = all[n].run(&r->c);
	if (r->c.stuck) {
		/* The controller may use anything at any time: keep it, for good. */
		kref_get(&r->ref);
		get_device(r->dev);
		__module_get(THIS_MODULE);
	}
	if (ret)
		dev_err(r->dev, "%s: failed: %d\n", all[n].name, ret);
	return ret;
}

/* One write is one demonstration's name. */
static ssize_t consumer_write(struct file *file, const char __user *buf,
			      size_t count, loff_t *ppos)
{
	struct owner *r = file->private_data;
	char name[MAX_NAME];
	int n, ret = -ERESTARTSYS;

	if (!count)
		return 0;
	if (count >= sizeof(name))
		return -EINVAL;
	if (copy_from_user(name, buf, count))
		return -EFAULT;
	name[count] = '\0';
	n = consumer_find(name);
	if (n < 0)
		return n;
	if (!mutex_lock_interruptible(&r->lock)) {
		ret = consumer_run(r, n);
		mutex_unlock(&r->lock);
	}
	return ret ?: count;
}

/* The names of all, one on each line. */
static ssize_t consumer_read(struct file *file, char __user *buf, size_t count, loff_t *ppos)
{
	char text[ARRAY_SIZE(all) * MAX_NAME];
	size_t len = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		len += scnprintf(text + len, sizeof(text) - len, "%s\n", all[i].name);
	return simple_read_from_buffer(buf, count, ppos, text, len);
}

static void owner_free(struct kref *ref)
{
	struct owner *r = container_of(ref, struct owner, ref);

	kfree(r->c.dst);
	kfree(r->c.src);
	kfree(r);
}

/* Until misc_deregister() returns no open can miss the driver's reference. */
static int consumer_open(struct inode *inode, struct file *file)
{
	struct owner *r = container_of(file->private_data, struct owner, misc);

	kref_get(&r->ref);
	file->private_data = r;
	return 0;
}

static int consumer_release(struct inode *inode, struct file *file)
{
	struct owner *r = file->private_data;

	kref_put(&r->ref, owner_free);
	return 0;
}

static const struct file_operations consumer_fops = {
	.owner = THIS_MODULE,	/* no rmmod while a file is open */
	.open = consumer_open,
	.read = consumer_read,
	.write = consumer_write,
	.release = consumer_release,
};

/* If the controller's driver is unbound, ours has to go before it. */
static struct dma_chan *consumer_link(struct owner *r, struct dma_chan *chan)
{
	if (IS_ERR(chan))
		return chan;
	if (!device_link_add(r->dev, chan->device->dev, DL_FLAG_AUTOREMOVE_CONSUMER)) {
		dma_release_channel(chan);
		return ERR_PTR(-EINVAL);
	}
	return chan;
}

/*
 * The name is one of "dma-names" in the device's node; without a node it is the
 * controller that knows which of its channels is meant.
 */
static struct dma_chan *consumer_by_name(struct owner *r, const char *name)
{
	return consumer_link(r, dma_request_chan(r->dev, name));
}

/* Any channel that can do all this: for memory it does not matter which. */
static struct dma_chan *consumer_by_capability(struct owner *r)
{
	dma_cap_mask_t mask;

	dma_cap_zero(mask);
	dma_cap_set(DMA_MEMCPY, mask);
	dma_cap_set(DMA_MEMSET, mask);
	dma_cap_set(DMA_XOR, mask);
	dma_cap_set(DMA_INTERLEAVE, mask);
	return consumer_link(r, dma_request_chan_by_mask(&mask));
}

static void consumer_release_channels(struct consumer *c)
{
	struct dma_chan *chans[] = { c->mem, c->source, c->rx, c->tx };
	int i;

	for (i = 0; i < ARRAY_SIZE(chans); i++)
		if (!IS_ERR_OR_NULL(chans[i]))
			dma_release_channel(chans[i]);
}

/* Without a controller yet the error is EPROBE_DEFER: we are asked again. */
static int consumer_request_channels(struct owner *r)
{
	struct consumer *c = &r->c;
	struct {
		struct dma_chan **chan;
		const char *name;
	} named[] = { { &c->tx, "tx" }, { &c->rx, "rx" }, { &c->source, "source" } };
	int i;

	for (i = 0; i < ARRAY_SIZE(named); i++) {
		*named[i].chan = consumer_by_name(r, named[i].name);
		if (IS_ERR(*named[i].chan))
			return dev_err_probe(r->dev, PTR_ERR(*named[i].chan),
					     "no channel \"%s\"\n", named[i].name);
	}
	c->mem = consumer_by_capability(r);
	if (IS_ERR(c->mem))
		return dev_err_probe(r->dev, PTR_ERR(c->mem),
				     "no channel that copies, fills and so on\n");
	return 0;
}

/*
 * The driver core runs this when the driver is unbound from the device, by
 * rmmod or through sysfs; then files may still be open, and keep r.
 */
static void consumer_remove(void *data)
{
	struct owner *r = data;

	dev_info(r->dev, "remove: called\n");
	misc_deregister(&r->misc);
	/* Waits for the demonstration that is running, and there is no other. */
	mutex_lock(&r->lock);
	if (!r->c.stuck)
		consumer_release_channels(&r->c);
	r->gone = true;
	mutex_unlock(&r->lock);
	dev_info(r->dev, "remove: done\n");
	kref_put(&r->ref, owner_free);
}

static struct owner *consumer_alloc(struct device *dev)
{
	struct owner *r = kzalloc(sizeof(*r), GFP_KERNEL);

	if (!r)
		return NULL;
	kref_init(&r->ref);
	mutex_init(&r->lock);
	init_completion(&r->c.out.done);
	init_completion(&r->c.in.done);
	r->dev = dev;
	r->c.dev = dev;
	r->c.src = kzalloc(BUF_SIZE, GFP_KERNEL);
	r->c.dst = kzalloc(BUF_SIZE, GFP_KERNEL);
	if (r->c.src && r->c.dst)
		return r;
	kref_put(&r->ref, owner_free);
	return NULL;
}

static int consumer_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct owner *r;
	int ret;

	dev_info(dev, "probe: called\n");
	r = consumer_alloc(dev);
	if (!r)
		return -ENOMEM;
	ret = consumer_request_channels(r);
	if (ret)
		goto release_channels;

	r->misc.minor = MISC_DYNAMIC_MINOR;
	r->misc.name = "dma_consumer";
	r->misc.fops = &consumer_fops;
	r->misc.parent = dev;
	ret = misc_register(&r->misc);
	if (ret)
		goto release_channels;

	dev_info(dev, "probe: done\n");
	/* In place of .remove, whose type is another one since Linux 6.11. */
	return devm_add_action_or_reset(dev, consumer_remove, r);

release_channels:
	consumer_release_channels(&r->c);
	kref_put(&r->ref, owner_free);
	return ret;
}

static const struct of_device_id consumer_of_match[] = {
	{ .compatible = "dmafd,dma-consumer" },
	{ }
};
MODULE_DEVICE_TABLE(of, consumer_of_match);

static struct platform_driver consumer_driver = {
	.probe = consumer_probe,
	.driver = {
		.name = "dma_consumer",
		.of_match_table = consumer_of_match,
	},
};

/* The device that we have made ourselves, if any. */
static struct platform_device *consumer_made;

static int __init consumer_make_device(void)
{
	struct device_node *node = of_find_matching_node(NULL, consumer_of_match);

	of_node_put(node);
	if (node)
		return 0;
	consumer_made = platform_device_register_simple(consumer_driver.driver.name,
							PLATFORM_DEVID_NONE, NULL, 0);
	return PTR_ERR_OR_ZERO(consumer_made);
}

static int __init consumer_init(void)
{
	int ret = platform_driver_register(&consumer_driver);

	if (ret || !make_device)
		return ret;
	ret = consumer_make_device();
	if (ret)
		platform_driver_unregister(&consumer_driver);
	return ret;
}
module_init(consumer_init);

static void __exit consumer_exit(void)
{
	platform_device_unregister(consumer_made);
	platform_driver_unregister(&consumer_driver);
}
module_exit(consumer_exit);

MODULE_DESCRIPTION("Lab: a client of DMA channels");
MODULE_LICENSE("GPL");
