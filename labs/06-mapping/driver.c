// SPDX-License-Identifier: GPL-2.0-only
/*
 * dma_recipes - eight ways to map memory for a device, and what goes with them
 *
 *	# insmod dma_recipes.ko
 *	# cat /dev/dma_recipes
 *	# echo single > /dev/dma_recipes
 *	# dmesg | grep recipes
 *	# rmmod dma_recipes
 *
 * Writing the name of a recipe runs it. What to look at is not here: recipes.c
 * has the eight, more.c the others.
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

#include "recipes.h"

/* Longer than any recipe's name and a newline. */
#define MAX_NAME	32

struct recipes {
	struct kref ref;	/* one for the driver, one for each open file */
	struct miscdevice misc;
	struct device *dev;	/* for the log; valid until rig.chan is NULL */
	struct mutex lock;	/* one recipe at a time; protects the rig */
	struct rig rig;		/* chan is NULL once the driver was unbound */
};

static const struct {
	const char *name;
	recipe_fn *run;
} all[] = {
	{ "single", recipe_single },
	{ "bidirectional", recipe_bidirectional },
	{ "sync", recipe_sync },
	{ "page", recipe_page },
	{ "sg", recipe_sg },
	{ "create", recipe_create },
	{ "iterate", recipe_iterate },
	{ "pages", recipe_pages },
	{ "alignment", recipe_alignment },
	{ "masks", recipe_masks },
	{ "unwind", recipe_unwind },
	{ "bounce", recipe_bounce },
};

static bool make_device;
module_param(make_device, bool, 0444);
MODULE_PARM_DESC(make_device, "make a device if the device tree has none");

static int recipes_find(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		if (sysfs_streq(name, all[i].name))
			return i;
	return -EINVAL;
}

static int recipes_run(struct recipes *r, int n)
{
	int ret;

	lockdep_assert_held(&r->lock);
	if (!r->rig.chan)
		return -ENODEV;
	if (r->rig.stuck)
		return -EIO;
	/* What an earlier recipe left there must not pass for this one's. */
	memset(r->rig.box, 0xff, BOX_SIZE);
	ret = all[n].run(&r->rig);
	if (r->rig.stuck) {
		/* The controller may use anything at any time: keep it, for good. */
		kref_get(&r->ref);
		get_device(r->dev);
		__module_get(THIS_MODULE);
	}
	if (ret)
		dev_err(r->dev, "%s: failed: %d\n", all[n].name, ret);
	return ret;
}

/* One write is one recipe's name. */
static ssize_t recipes_write(struct file *file, const char __user *buf,
			     size_t count, loff_t *ppos)
{
	struct recipes *r = file->private_data;
	char name[MAX_NAME];
	int n, ret = -ERESTARTSYS;

	if (!count)
		return 0;
	if (count >= sizeof(name))
		return -EINVAL;
	if (copy_from_user(name, buf, count))
		return -EFAULT;
	name[count] = '\0';
	n = recipes_find(name);
	if (n < 0)
		return n;
	if (!mutex_lock_interruptible(&r->lock)) {
		ret = recipes_run(r, n);
		mutex_unlock(&r->lock);
	}
	return ret ?: count;
}

/* The names of the recipes, one on each line. */
static ssize_t recipes_read(struct file *file, char __user *buf, size_t count, loff_t *ppos)
{
	char text[ARRAY_SIZE(all) * MAX_NAME];
	size_t len = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		len += scnprintf(text + len, sizeof(text) - len, "%s\n", all[i].name);
	return simple_read_from_buffer(buf, count, ppos, text, len);
}

static ssize_t facts_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct recipes *r = dev_get_drvdata(dev);
	ssize_t ret;

	if (mutex_lock_interruptible(&r->lock))
		return -ERESTARTSYS;
	ret = recipe_facts(&r->rig, buf);
	mutex_unlock(&r->lock);
	return ret;
}
static DEVICE_ATTR_ADMIN_RO(facts);

static struct attribute *recipes_attrs[] = {
	&dev_attr_facts.attr,
	NULL
};
ATTRIBUTE_GROUPS(recipes);

static void recipes_release_ref(struct kref *ref)
{
	kfree(container_of(ref, struct recipes, ref));
}

/* Until misc_deregister() returns no open can miss the driver's reference. */
static int recipes_open(struct inode *inode, struct file *file)
{
	struct recipes *r = container_of(file->private_data, struct recipes, misc);

	kref_get(&r->ref);
	file->private_data = r;
	return 0;
}

static int recipes_release(struct inode *inode, struct file *file)
{
	struct recipes *r = file->private_data;

	kref_put(&r->ref, recipes_release_ref);
	return 0;
}

static const struct file_operations recipes_fops = {
	.owner = THIS_MODULE,	/* no rmmod while a file is open */
	.open = recipes_open,
	.read = recipes_read,
	.write = recipes_write,
	.release = recipes_release,
};

static int recipes_request_channel(struct recipes *r)
{
	struct device *dma_dev;
	dma_cap_mask_t mask;

	dma_cap_zero(mask);
	dma_cap_set(DMA_MEMCPY, mask);
	/* Without any controller yet this is -EPROBE_DEFER: we are asked again. */
	r->rig.chan = dma_request_chan_by_mask(&mask);
	if (IS_ERR(r->rig.chan))
		return dev_err_probe(r->dev, PTR_ERR(r->rig.chan),
				     "no channel that copies memory\n");

	/* If the controller's driver is unbound, ours has to go before it. */
	dma_dev = r->rig.chan->device->dev;
	if (!device_link_add(r->dev, dma_dev, DL_FLAG_AUTOREMOVE_CONSUMER)) {
		dma_release_channel(r->rig.chan);
		return -EINVAL;
	}
	return 0;
}

/*
 * The driver core runs this when the driver is unbound from the device, by
 * rmmod or through sysfs; then files may still be open, and keep r.
 */
static void recipes_remove(void *data)
{
	struct recipes *r = data;

	dev_info(r->dev, "remove: called\n");
	misc_deregister(&r->misc);
	/* Waits for the recipe that is running, and there is no other. */
	mutex_lock(&r->lock);
	if (!r->rig.stuck) {
		rig_exit(&r->rig);
		dma_release_channel(r->rig.chan);
		r->rig.chan = NULL;
	}
	mutex_unlock(&r->lock);
	dev_info(r->dev, "remove: done\n");
	kref_put(&r->ref, recipes_release_ref);
}

static int recipes_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct recipes *r;
	int ret;

	dev_info(dev, "probe: called\n");
	r = kzalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		return -ENOMEM;
	kref_init(&r->ref);
	mutex_init(&r->lock);
	r->dev = dev;
	r->rig.dev = dev;
	dev_set_drvdata(dev, r);

	ret = recipes_request_channel(r);
	if (ret)
		goto put_r;
	ret = rig_init(&r->rig);
	if (ret)
		goto release_channel;

	r->misc.minor = MISC_DYNAMIC_MINOR;
	r->misc.name = "dma_recipes";
	r->misc.fops = &recipes_fops;
	r->misc.parent = dev;
	ret = misc_register(&r->misc);
	if (ret)
		goto exit_rig;

	dev_info(dev, "probe: done\n");
	/* In place of .remove, whose type is another one since Linux 6.11. */
	return devm_add_action_or_reset(dev, recipes_remove, r);

exit_rig:
	rig_exit(&r->rig);
release_channel:
	dma_release_channel(r->rig.chan);
put_r:
	kref_put(&r->ref, recipes_release_ref);
	return ret;
}

static const struct of_device_id recipes_of_match[] = {
	{ .compatible = "dmafd,dma-recipes" },
	{ }
};
MODULE_DEVICE_TABLE(of, recipes_of_match);

static struct platform_driver recipes_driver = {
	.probe = recipes_probe,
	.driver = {
		.name = "dma_recipes",
		.of_match_table = recipes_of_match,
		.dev_groups = recipes_groups,
	},
};

/* The device that we have made ourselves, if any. */
static struct platform_device *recipes_made;

static int __init recipes_make_device(void)
{
	struct device_node *node = of_find_matching_node(NULL, recipes_of_match);

	of_node_put(node);
	if (node)
		return 0;
	recipes_made = platform_device_register_simple(recipes_driver.driver.name,
						       PLATFORM_DEVID_NONE, NULL, 0);
	return PTR_ERR_OR_ZERO(recipes_made);
}

static int __init recipes_init(void)
{
	int ret = platform_driver_register(&recipes_driver);

	if (ret || !make_device)
		return ret;
	ret = recipes_make_device();
	if (ret)
		platform_driver_unregister(&recipes_driver);
	return ret;
}
module_init(recipes_init);

static void __exit recipes_exit(void)
{
	platform_device_unregister(recipes_made);
	platform_driver_unregister(&recipes_driver);
}
module_exit(recipes_exit);

MODULE_DESCRIPTION("Lab: eight ways to map memory, and what goes with them");
MODULE_LICENSE("GPL");
