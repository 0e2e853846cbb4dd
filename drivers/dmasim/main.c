// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmasim: a simulated DMA controller. The module, and the controller that it
 * brings along unless it is told not to.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dmasim.h"

static bool controller = true;
module_param(controller, bool, 0444);
MODULE_PARM_DESC(controller, "make a controller at once (default: yes)");

static char *options = "";
module_param(options, charp, 0444);
MODULE_PARM_DESC(options, "of that controller: NAME=VALUE, separated by blanks; as in configfs");

static struct dmasim_instance *first;

/* Something to talk to on the lines 1, 2 and 3. */
static int add_peripherals(struct dmasim_config *config)
{
	static const struct {
		const char *name;
		enum dmasim_kind kind;
	} peripherals[] = {
		{ "loopback", DMASIM_LOOPBACK },
		{ "source", DMASIM_SOURCE },
		{ "sink", DMASIM_SINK },
	};
	struct dmasim_peripheral_config *peripheral;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(peripherals); i++) {
		peripheral = dmasim_config_add(config);
		if (!peripheral)
			return -ENOSPC;
		strscpy(peripheral->name, peripherals[i].name, sizeof(peripheral->name));
		peripheral->kind = peripherals[i].kind;
		peripheral->line = i + 1;
	}
	return 0;
}

static int set_option(struct dmasim_config *config, char *word)
{
	const struct dmasim_option *option;
	char *value = word;

	strsep(&value, "=");
	option = dmasim_option_find(dmasim_controller_options, word);
	if (!option || !value) {
		pr_err("\"%s\" is no option, or has no value\n", word);
		return -EINVAL;
	}
	return dmasim_option_set(option, config, value);
}

static int set_options(struct dmasim_config *config)
{
	char *copy = kstrdup(options, GFP_KERNEL), *rest = copy, *word;
	int err = 0;

	if (!copy)
		return -ENOMEM;
	while (!err && (word = strsep(&rest, " ")))
		if (*word)
			err = set_option(config, word);
	kfree(copy);
	return err;
}

static int make_first(void)
{
	struct dmasim_config *config = dmasim_config_new();
	int err;

	if (!config)
		return -ENOMEM;
	err = add_peripherals(config);
	if (!err)
		err = set_options(config);
	if (!err) {
		first = dmasim_instance_new(config);
		err = PTR_ERR_OR_ZERO(first);
	}
	if (err)
		dmasim_config_free(config);
	return err;
}

static int __init dmasim_init(void)
{
	int err;

	dmasim_debugfs_init();
	err = dmasim_controller_init();
	if (err)
		goto undo_debugfs;
	err = dmasim_configfs_init();
	if (err)
		goto undo_controller;
	if (controller) {
		err = make_first();
		if (err)
			goto undo_configfs;
	}
	return 0;

undo_configfs:
	dmasim_configfs_exit();
undo_controller:
	dmasim_controller_exit();
undo_debugfs:
	dmasim_debugfs_exit();
	return err;
}

/* No client holds a channel: the DMA engine counts each as a user of this module. */
static void __exit dmasim_exit(void)
{
	if (controller)
		dmasim_instance_abandon(first);
	dmasim_configfs_exit();
	dmasim_controller_exit();
	dmasim_debugfs_exit();
}

module_init(dmasim_init);
module_exit(dmasim_exit);

MODULE_DESCRIPTION("Simulated DMA controller");
MODULE_LICENSE("GPL");
MODULE_ALIAS("platform:dmasim");
