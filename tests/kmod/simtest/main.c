// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device, the driver of clients in the device tree, and a client without.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "session.h"

/* ---- clients ---- */

static int simtest_probe(struct platform_device *pdev)
{
	dev_info(&pdev->dev, "a client\n");
	return 0;
}

static const struct of_device_id simtest_matches[] = {
	{ .compatible = "dmafd,simtest" },
	{ }
};
MODULE_DEVICE_TABLE(of, simtest_matches);

static struct platform_driver simtest_driver = {
	.driver = {
		.name = "simtest",
		.of_match_table = simtest_matches,
	},
	.probe = simtest_probe,
};

static struct platform_device *simtest_device;

struct device *simtest_client(const char *name)
{
	return driver_find_device_by_name(&simtest_driver.driver, name);
}

/* ---- the file ---- */

static int simtest_open(struct inode *inode, struct file *file)
{
	struct session *s = vzalloc(sizeof(*s));

	if (!s)
		return -ENOMEM;
	mutex_init(&s->mutex);
	spin_lock_init(&s->lock);
	init_waitqueue_head(&s->wait);
	INIT_LIST_HEAD(&s->transfers);
	file->private_data = s;
	return nonseekable_open(inode, file);
}

static int simtest_release(struct inode *inode, struct file *file)
{
	struct session *s = file->private_data;

	session_end(s);
	mutex_destroy(&s->mutex);
	vfree(s);
	return 0;
}

union argument {
	struct simtest_request request;
	struct simtest_caps caps;
	struct simtest_config config;
	struct simtest_chan chan;
	struct simtest_alloc alloc;
	struct simtest_map map;
	struct simtest_data data;
	struct simtest_prep prep;
	struct simtest_tx tx;
};

static int dispatch(struct session *s, unsigned int command, union argument *arg)
{
	switch (command) {
	case SIMTEST_REQUEST:
		return session_request(s, &arg->request);
	case SIMTEST_CAPS:
		return session_caps(s, &arg->caps);
	case SIMTEST_CONFIG:
		return session_config(s, &arg->config);
	case SIMTEST_CHAN:
		return session_chan_op(s, &arg->chan);
	case SIMTEST_ALLOC:
		return session_alloc(s, &arg->alloc);
	case SIMTEST_MAPPING:
		return session_map(s, &arg->map);
	case SIMTEST_DATA:
		return session_data(s, &arg->data);
	case SIMTEST_PREP:
		return session_prep(s, &arg->prep);
	case SIMTEST_TX:
		return session_tx(s, &arg->tx);
	default:
		return -ENOTTY;
	}
}

static long simtest_ioctl(struct file *file, unsigned int command, unsigned long user)
{
	struct session *s = file->private_data;
	void __user *place = (void __user *)user;
	union argument arg;
	int err;

	if (_IOC_SIZE(command) > sizeof(arg))
		return -ENOTTY;
	if (copy_from_user(&arg, place, _IOC_SIZE(command)))
		return -EFAULT;
	if (mutex_lock_interruptible(&s->mutex))
		return -EINTR;
	err = dispatch(s, command, &arg);
	mutex_unlock(&s->mutex);
	if (!err && (_IOC_DIR(command) & _IOC_READ) &&
	    copy_to_user(place, &arg, _IOC_SIZE(command)))
		err = -EFAULT;
	return err;
}

static const struct file_operations simtest_fops = {
	.owner = THIS_MODULE,
	.open = simtest_open,
	.release = simtest_release,
	.unlocked_ioctl = simtest_ioctl,
};

static struct miscdevice simtest_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "simtest",
	.mode = 0600,
	.fops = &simtest_fops,
};

static int __init simtest_init(void)
{
	int err;

	err = platform_driver_register(&simtest_driver);
	if (err)
		return err;
	simtest_device = platform_device_register_simple("simtest", PLATFORM_DEVID_NONE, NULL, 0);
	err = PTR_ERR_OR_ZERO(simtest_device);
	if (err)
		goto undo_driver;
	err = misc_register(&simtest_misc);
	if (err)
		goto undo_device;
	return 0;

undo_device:
	platform_device_unregister(simtest_device);
undo_driver:
	platform_driver_unregister(&simtest_driver);
	return err;
}

static void __exit simtest_exit(void)
{
	misc_deregister(&simtest_misc);
	platform_device_unregister(simtest_device);
	platform_driver_unregister(&simtest_driver);
}

module_init(simtest_init);
module_exit(simtest_exit);

MODULE_DESCRIPTION("A client of the DMA engine, for tests");
MODULE_LICENSE("GPL");
