// SPDX-License-Identifier: GPL-2.0-only
/*
 * Needs tree_base, comes by several names, and lets folders be made below
 * /sys/kernel/config/tree/, which hold it.
 */
#include <linux/configfs.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include "base.h"

static void folder_release(struct config_item *item)
{
	kfree(to_config_group(item));
}

static struct configfs_item_operations folder_ops = {
	.release = folder_release,
};

static const struct config_item_type folder_type = {
	.ct_item_ops = &folder_ops,
	.ct_owner = THIS_MODULE,
};

static struct config_group *make_folder(struct config_group *parent, const char *name)
{
	struct config_group *folder = kzalloc(sizeof(*folder), GFP_KERNEL);

	if (!folder)
		return ERR_PTR(-ENOMEM);
	config_group_init_type_name(folder, name, &folder_type);
	return folder;
}

static struct configfs_group_operations tree_ops = {
	.make_group = make_folder,
};

static const struct config_item_type tree_type = {
	.ct_group_ops = &tree_ops,
	.ct_owner = THIS_MODULE,
};

static struct configfs_subsystem tree = {
	.su_group.cg_item = { .ci_namebuf = "tree", .ci_type = &tree_type },
};

static const struct of_device_id tree_of_match[] = {
	{ .compatible = "dmafd,test-tree" },
	{}
};
MODULE_DEVICE_TABLE(of, tree_of_match);

static struct platform_driver tree_driver = {
	.driver = {
		.name = "tree-top",
		.of_match_table = tree_of_match,
	},
};

static int __init tree_init(void)
{
	int ret;

	config_group_init(&tree.su_group);
	mutex_init(&tree.su_mutex);
	ret = configfs_register_subsystem(&tree);
	if (ret)
		return ret;
	ret = platform_driver_register(&tree_driver);
	if (ret)
		configfs_unregister_subsystem(&tree);
	else
		pr_info("the answer is %d\n", tree_answer());
	return ret;
}
module_init(tree_init);

static void __exit tree_exit(void)
{
	platform_driver_unregister(&tree_driver);
	configfs_unregister_subsystem(&tree);
	pr_info("goodbye\n");
}
module_exit(tree_exit);

/* async_tx is a module of the stock kernels; one that is nowhere does no harm. */
MODULE_SOFTDEP("pre: async_tx no_such_module");
MODULE_ALIAS("tree-alias-*");
MODULE_DESCRIPTION("Needs another module");
MODULE_LICENSE("GPL");
