// SPDX-License-Identifier: GPL-2.0-only
/*
 * Controllers made by mkdir:
 *
 *	/sys/kernel/config/dmasim/NAME/			a controller
 *	/sys/kernel/config/dmasim/NAME/live		1: it exists
 *	/sys/kernel/config/dmasim/NAME/OPTION
 *	/sys/kernel/config/dmasim/NAME/inject		faults, while it lives
 *	/sys/kernel/config/dmasim/NAME/device, dma	what it is known as
 *	/sys/kernel/config/dmasim/NAME/peripherals/NAME/OPTION
 *
 * configfs keeps a directory from going while one of its files is used, but
 * nothing from running at once: a controller's lock protects all of its own.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/configfs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dmasim.h"

struct maker {
	struct config_group group;
	struct config_group peripherals;
	struct mutex lock;			/* protects all below, and the fixtures */
	struct dmasim_config *config;		/* options; peripherals only while live */
	struct dmasim_instance *instance;	/* NULL: not live */
	struct list_head fixtures;
};

/* A peripheral that a controller is to have. */
struct fixture {
	struct config_item item;
	struct maker *maker;
	struct list_head node;
	struct dmasim_peripheral_config config;
};

#define MAX_VALUES	SZ_1M

static struct maker *to_maker(struct config_item *item)
{
	return container_of(to_config_group(item), struct maker, group);
}

static struct fixture *to_fixture(struct config_item *item)
{
	return container_of(item, struct fixture, item);
}

static ssize_t store_option(struct maker *maker, const struct dmasim_option *option,
			    void *config, const char *page, size_t len)
{
	char *copy = kstrndup(page, len, GFP_KERNEL);
	int err;

	if (!copy)
		return -ENOMEM;
	mutex_lock(&maker->lock);
	err = maker->instance ? -EBUSY : dmasim_option_set(option, config, strim(copy));
	mutex_unlock(&maker->lock);
	kfree(copy);
	return err ?: len;
}

static ssize_t show_option(struct maker *maker, const struct dmasim_option *option,
			   const void *config, char *page)
{
	ssize_t len;

	mutex_lock(&maker->lock);
	len = dmasim_option_print(option, config, page);
	mutex_unlock(&maker->lock);
	return len;
}

/* configfs does not tell an attribute's functions which attribute it is. */
#define CONTROLLER_OPTION(name)								\
static ssize_t maker_##name##_show(struct config_item *item, char *page)		\
{											\
	return show_option(to_maker(item),						\
			   dmasim_option_find(dmasim_controller_options, #name),	\
			   to_maker(item)->config, page);				\
}											\
static ssize_t maker_##name##_store(struct config_item *item, const char *page, size_t len) \
{											\
	return store_option(to_maker(item),						\
			    dmasim_option_find(dmasim_controller_options, #name),	\
			    to_maker(item)->config, page, len);				\
}											\
CONFIGFS_ATTR(maker_, name)

CONTROLLER_OPTION(physical);
CONTROLLER_OPTION(channels);
CONTROLLER_OPTION(types);
CONTROLLER_OPTION(directions);
CONTROLLER_OPTION(view);
CONTROLLER_OPTION(line_size);
CONTROLLER_OPTION(dma_bits);
CONTROLLER_OPTION(max_segment);
CONTROLLER_OPTION(max_burst);
CONTROLLER_OPTION(max_sg);
CONTROLLER_OPTION(align);
CONTROLLER_OPTION(widths);
CONTROLLER_OPTION(max_xor);
CONTROLLER_OPTION(descriptors);
CONTROLLER_OPTION(residue);
CONTROLLER_OPTION(pause);
CONTROLLER_OPTION(reuse);
CONTROLLER_OPTION(private);
CONTROLLER_OPTION(bandwidth);
CONTROLLER_OPTION(latency_ns);
CONTROLLER_OPTION(translation);
CONTROLLER_OPTION(priority);

#define PERIPHERAL_OPTION(name)								\
static ssize_t fixture_##name##_show(struct config_item *item, char *page)		\
{											\
	return show_option(to_fixture(item)->maker,					\
			   dmasim_option_find(dmasim_peripheral_options, #name),	\
			   &to_fixture(item)->config, page);				\
}											\
static ssize_t fixture_##name##_store(struct config_item *item, const char *page,	\
				      size_t len)					\
{											\
	return store_option(to_fixture(item)->maker,					\
			    dmasim_option_find(dmasim_peripheral_options, #name),	\
			    &to_fixture(item)->config, page, len);			\
}											\
CONFIGFS_ATTR(fixture_, name)

PERIPHERAL_OPTION(kind);
PERIPHERAL_OPTION(line);
PERIPHERAL_OPTION(address);
PERIPHERAL_OPTION(depth);
PERIPHERAL_OPTION(rate);
PERIPHERAL_OPTION(pattern);
PERIPHERAL_OPTION(tx_client);
PERIPHERAL_OPTION(rx_client);

/* ---- what a source repeats ---- */

static ssize_t fixture_values_read(struct config_item *item, void *buffer, size_t size)
{
	struct fixture *fixture = to_fixture(item);
	ssize_t len;

	mutex_lock(&fixture->maker->lock);
	len = fixture->config.values_size;
	if (buffer)
		memcpy(buffer, fixture->config.values, min_t(size_t, len, size));
	mutex_unlock(&fixture->maker->lock);
	return len;
}

static ssize_t fixture_values_write(struct config_item *item, const void *buffer, size_t size)
{
	struct fixture *fixture = to_fixture(item);
	void *values, *old = NULL;
	int err = 0;

	values = kvmalloc(size ?: 1, GFP_KERNEL);
	if (!values)
		return -ENOMEM;
	memcpy(values, buffer, size);
	mutex_lock(&fixture->maker->lock);
	if (fixture->maker->instance) {
		err = -EBUSY;
		old = values;
	} else {
		old = fixture->config.values;
		fixture->config.values = values;
		fixture->config.values_size = size;
	}
	mutex_unlock(&fixture->maker->lock);
	kvfree(old);
	return err ?: size;
}

CONFIGFS_BIN_ATTR(fixture_, values, NULL, MAX_VALUES);

static struct configfs_attribute *fixture_attrs[] = {
	&fixture_attr_kind,
	&fixture_attr_line,
	&fixture_attr_address,
	&fixture_attr_depth,
	&fixture_attr_rate,
	&fixture_attr_pattern,
	&fixture_attr_tx_client,
	&fixture_attr_rx_client,
	NULL
};

static struct configfs_bin_attribute *fixture_bin_attrs[] = {
	&fixture_attr_values,
	NULL
};

static void fixture_release(struct config_item *item)
{
	struct fixture *fixture = to_fixture(item);
	struct maker *maker = fixture->maker;

	kvfree(fixture->config.values);
	kfree(fixture);
	config_item_put(&maker->group.cg_item);
}

static struct configfs_item_operations fixture_item_ops = {
	.release = fixture_release,
};

static const struct config_item_type fixture_type = {
	.ct_item_ops = &fixture_item_ops,
	.ct_attrs = fixture_attrs,
	.ct_bin_attrs = fixture_bin_attrs,
	.ct_owner = THIS_MODULE,
};

/* ---- the folder with the peripherals ---- */

static struct config_item *peripherals_make(struct config_group *group, const char *name)
{
	struct maker *maker = container_of(group, struct maker, peripherals);
	struct fixture *fixture;
	int err = 0;

	fixture = kzalloc(sizeof(*fixture), GFP_KERNEL);
	if (!fixture)
		return ERR_PTR(-ENOMEM);
	if (strscpy(fixture->config.name, name, sizeof(fixture->config.name)) < 0)
		err = -ENAMETOOLONG;
	fixture->config.depth = SZ_4K;
	fixture->maker = maker;
	mutex_lock(&maker->lock);
	if (maker->instance)
		err = -EBUSY;
	if (!err)
		list_add_tail(&fixture->node, &maker->fixtures);
	mutex_unlock(&maker->lock);
	if (err) {
		kfree(fixture);
		return ERR_PTR(err);
	}
	config_item_get(&maker->group.cg_item);
	config_item_init_type_name(&fixture->item, name, &fixture_type);
	return &fixture->item;
}

/* A live controller has a copy of what was said of the peripheral. */
static void peripherals_drop(struct config_group *group, struct config_item *item)
{
	struct maker *maker = container_of(group, struct maker, peripherals);

	mutex_lock(&maker->lock);
	list_del_init(&to_fixture(item)->node);
	mutex_unlock(&maker->lock);
	config_item_put(item);
}

static struct configfs_group_operations peripherals_ops = {
	.make_item = peripherals_make,
	.drop_item = peripherals_drop,
};

static const struct config_item_type peripherals_type = {
	.ct_group_ops = &peripherals_ops,
	.ct_owner = THIS_MODULE,
};

/* ---- live ---- */

static int copy_fixture(struct dmasim_config *config, const struct fixture *fixture)
{
	struct dmasim_peripheral_config *copy = dmasim_config_add(config);

	if (!copy) {
		pr_warn("more than %u peripherals\n", DMASIM_MAX_PERIPHERALS);
		return -ENOSPC;
	}
	*copy = fixture->config;
	copy->values = NULL;
	if (!fixture->config.values_size)
		return 0;
	copy->values = kvmalloc(fixture->config.values_size, GFP_KERNEL);
	if (!copy->values)
		return -ENOMEM;
	memcpy(copy->values, fixture->config.values, fixture->config.values_size);
	return 0;
}

/* What the controller is made from: a copy of the options and the peripherals. */
static struct dmasim_config *copy_config(struct maker *maker)
{
	struct dmasim_config *copy = dmasim_config_new();
	struct dmasim_peripheral_config *peripheral;
	struct fixture *fixture;
	int err = 0;

	if (!copy)
		return ERR_PTR(-ENOMEM);
	peripheral = copy->peripheral;
	*copy = *maker->config;
	copy->peripheral = peripheral;
	list_for_each_entry(fixture, &maker->fixtures, node)
		if (!err)
			err = copy_fixture(copy, fixture);
	if (err) {
		dmasim_config_free(copy);
		return ERR_PTR(err);
	}
	return copy;
}

static int start(struct maker *maker)
{
	struct dmasim_config *config;

	lockdep_assert_held(&maker->lock);

	if (maker->instance)
		return -EBUSY;
	config = copy_config(maker);
	if (IS_ERR(config))
		return PTR_ERR(config);
	maker->instance = dmasim_instance_new(config);
	if (IS_ERR(maker->instance)) {
		int err = PTR_ERR(maker->instance);

		maker->instance = NULL;
		dmasim_config_free(config);
		return err;
	}
	return 0;
}

static int stop(struct maker *maker)
{
	int err;

	lockdep_assert_held(&maker->lock);

	if (!maker->instance)
		return 0;
	err = dmasim_instance_end(maker->instance);
	if (!err)
		maker->instance = NULL;
	return err;
}

static ssize_t maker_live_store(struct config_item *item, const char *page, size_t len)
{
	struct maker *maker = to_maker(item);
	bool live;
	int err = kstrtobool(page, &live);

	if (err)
		return err;
	mutex_lock(&maker->lock);
	err = live ? start(maker) : stop(maker);
	mutex_unlock(&maker->lock);
	return err ?: len;
}

static ssize_t maker_live_show(struct config_item *item, char *page)
{
	struct maker *maker = to_maker(item);
	bool live;

	mutex_lock(&maker->lock);
	live = maker->instance;
	mutex_unlock(&maker->lock);
	return sysfs_emit(page, "%d\n", live);
}

CONFIGFS_ATTR(maker_, live);

static ssize_t maker_inject_store(struct config_item *item, const char *page, size_t len)
{
	struct maker *maker = to_maker(item);
	char *copy = kstrndup(page, len, GFP_KERNEL);
	int err = -ENODEV;

	if (!copy)
		return -ENOMEM;
	mutex_lock(&maker->lock);
	if (maker->instance)
		err = dmasim_faults_write(dmasim_instance_faults(maker->instance), strim(copy));
	mutex_unlock(&maker->lock);
	kfree(copy);
	return err ?: len;
}

static ssize_t maker_inject_show(struct config_item *item, char *page)
{
	struct maker *maker = to_maker(item);
	ssize_t len = 0;

	mutex_lock(&maker->lock);
	if (maker->instance)
		len = dmasim_faults_print(dmasim_instance_faults(maker->instance), page);
	mutex_unlock(&maker->lock);
	return len;
}

CONFIGFS_ATTR(maker_, inject);

static ssize_t maker_device_show(struct config_item *item, char *page)
{
	struct maker *maker = to_maker(item);
	ssize_t len = 0;

	mutex_lock(&maker->lock);
	if (maker->instance)
		len = sysfs_emit(page, "%s\n", dmasim_instance_device(maker->instance));
	mutex_unlock(&maker->lock);
	return len;
}

CONFIGFS_ATTR_RO(maker_, device);

static ssize_t maker_dma_show(struct config_item *item, char *page)
{
	struct maker *maker = to_maker(item);
	ssize_t len = 0;

	mutex_lock(&maker->lock);
	if (maker->instance)
		len = sysfs_emit(page, "dma%d\n", dmasim_instance_dma_id(maker->instance));
	mutex_unlock(&maker->lock);
	return len;
}

CONFIGFS_ATTR_RO(maker_, dma);

/* ---- controllers ---- */

static struct configfs_attribute *maker_attrs[] = {
	&maker_attr_live,
	&maker_attr_inject,
	&maker_attr_device,
	&maker_attr_dma,
	&maker_attr_physical,
	&maker_attr_channels,
	&maker_attr_types,
	&maker_attr_directions,
	&maker_attr_view,
	&maker_attr_line_size,
	&maker_attr_dma_bits,
	&maker_attr_max_segment,
	&maker_attr_max_burst,
	&maker_attr_max_sg,
	&maker_attr_align,
	&maker_attr_widths,
	&maker_attr_max_xor,
	&maker_attr_descriptors,
	&maker_attr_residue,
	&maker_attr_pause,
	&maker_attr_reuse,
	&maker_attr_private,
	&maker_attr_bandwidth,
	&maker_attr_latency_ns,
	&maker_attr_translation,
	&maker_attr_priority,
	NULL
};

static void maker_release(struct config_item *item)
{
	struct maker *maker = to_maker(item);

	/* Whoever still holds a channel keeps it, in a controller that does nothing. */
	if (maker->instance)
		dmasim_instance_abandon(maker->instance);
	dmasim_config_free(maker->config);
	mutex_destroy(&maker->lock);
	kfree(maker);
}

static struct configfs_item_operations maker_item_ops = {
	.release = maker_release,
};

static const struct config_item_type maker_type = {
	.ct_item_ops = &maker_item_ops,
	.ct_attrs = maker_attrs,
	.ct_owner = THIS_MODULE,
};

static struct config_group *controllers_make(struct config_group *group, const char *name)
{
	struct maker *maker = kzalloc(sizeof(*maker), GFP_KERNEL);

	if (!maker)
		return ERR_PTR(-ENOMEM);
	maker->config = dmasim_config_new();
	if (!maker->config) {
		kfree(maker);
		return ERR_PTR(-ENOMEM);
	}
	mutex_init(&maker->lock);
	INIT_LIST_HEAD(&maker->fixtures);
	config_group_init_type_name(&maker->group, name, &maker_type);
	config_group_init_type_name(&maker->peripherals, "peripherals", &peripherals_type);
	configfs_add_default_group(&maker->peripherals, &maker->group);
	return &maker->group;
}

static struct configfs_group_operations controllers_ops = {
	.make_group = controllers_make,
};

static const struct config_item_type controllers_type = {
	.ct_group_ops = &controllers_ops,
	.ct_owner = THIS_MODULE,
};

static struct configfs_subsystem subsystem = {
	.su_group = {
		.cg_item = {
			.ci_namebuf = DMASIM_NAME,
			.ci_type = &controllers_type,
		},
	},
};

int dmasim_configfs_init(void)
{
	config_group_init(&subsystem.su_group);
	mutex_init(&subsystem.su_mutex);
	return configfs_register_subsystem(&subsystem);
}

void dmasim_configfs_exit(void)
{
	configfs_unregister_subsystem(&subsystem);
}
