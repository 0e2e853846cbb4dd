// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ports made by mkdir:
 *
 *	/sys/kernel/config/dmafd/NAME/		a port
 *	/sys/kernel/config/dmafd/NAME/live	1: it can be opened
 *	/sys/kernel/config/dmafd/NAME/channel	"dma0chan3", or "DEVICE:NAME" as a client
 *						in a controller's slave map
 *	/sys/kernel/config/dmafd/NAME/direction	"tx" or "rx"
 *	/sys/kernel/config/dmafd/NAME/address	the device's register, as the controller
 *						knows it
 *	/sys/kernel/config/dmafd/NAME/width	of the register, in bytes
 *	/sys/kernel/config/dmafd/NAME/burst	so many items at once, at most
 *
 * configfs keeps a directory from going while one of its files is used, but
 * nothing from running at once: a maker's lock protects what it has.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/configfs.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dmafd.h"

struct maker {
	struct config_item item;
	struct mutex lock;			/* protects all below */
	struct dmafd_port_config config;	/* with the whole client as its channel */
	struct dmafd_port *port;		/* NULL: not live */
	struct device *folder;			/* in which its client's device is; or NULL */
	struct device *client;			/* or NULL */
};

static struct maker *to_maker(struct config_item *item)
{
	return container_of(item, struct maker, item);
}

/* ---- the device that a slave map knows ---- */

static void free_client(struct device *dev)
{
	kfree(dev);
}

/*
 * A slave map tells clients by the name of their device. Any number of ports may
 * have the same client: each has it in a folder of its own.
 */
static struct device *make_client(struct device *folder, const char *name, size_t len)
{
	struct device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	int err;

	if (!dev)
		return ERR_PTR(-ENOMEM);
	device_initialize(dev);
	dev->parent = folder;
	dev->release = free_client;
	err = dev_set_name(dev, "%.*s", (int)len, name);
	if (!err)
		err = device_add(dev);
	if (err) {
		put_device(dev);
		return ERR_PTR(err);
	}
	return dev;
}

static void drop_client(struct maker *maker)
{
	if (maker->client)
		device_unregister(maker->client);
	if (maker->folder)
		root_device_unregister(maker->folder);
	maker->client = NULL;
	maker->folder = NULL;
}

static int add_client(struct maker *maker, struct dmafd_port_config *config)
{
	const char *colon = strrchr(maker->config.channel, ':');
	struct device *dev;
	char name[80];

	if (!colon)
		return 0;
	snprintf(name, sizeof(name), "dmafd:%s", config->name);
	dev = root_device_register(name);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	maker->folder = dev;
	dev = make_client(maker->folder, maker->config.channel, colon - maker->config.channel);
	if (IS_ERR(dev)) {
		drop_client(maker);
		return PTR_ERR(dev);
	}
	maker->client = dev;
	strscpy(config->channel, colon + 1, sizeof(config->channel));
	return 0;
}

/* ---- live ---- */

static int start(struct maker *maker)
{
	struct dmafd_port_config config = maker->config;
	struct dmafd_port *port;
	int err;

	lockdep_assert_held(&maker->lock);

	if (maker->port)
		return -EBUSY;
	err = dmafd_port_check(&config) ?: add_client(maker, &config);
	if (err)
		return err;
	port = dmafd_port_add(maker->client, &config);
	if (IS_ERR(port)) {
		drop_client(maker);
		return PTR_ERR(port);
	}
	maker->port = port;
	return 0;
}

static int stop(struct maker *maker)
{
	int err;

	lockdep_assert_held(&maker->lock);

	if (!maker->port)
		return 0;
	err = dmafd_port_remove_free(maker->port);
	if (err)
		return err;
	maker->port = NULL;
	drop_client(maker);
	return 0;
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
	live = maker->port;
	mutex_unlock(&maker->lock);
	return sysfs_emit(page, "%d\n", live);
}

CONFIGFS_ATTR(maker_, live);

/* ---- what it is ---- */

typedef int (*parse_function)(struct maker *maker, const char *text);

static ssize_t store(struct config_item *item, const char *page, size_t len,
		     parse_function parse)
{
	struct maker *maker = to_maker(item);
	char *copy = kstrndup(page, len, GFP_KERNEL);
	int err;

	if (!copy)
		return -ENOMEM;
	mutex_lock(&maker->lock);
	err = maker->port ? -EBUSY : parse(maker, strim(copy));
	if (err == -EINVAL || err == -ERANGE || err == -ENAMETOOLONG)
		pr_warn("port \"%s\": \"%s\" is not possible\n", maker->config.name, copy);
	mutex_unlock(&maker->lock);
	kfree(copy);
	return err ?: len;
}

/* Names of devices have no "/", and none is empty. */
static int parse_channel(struct maker *maker, const char *text)
{
	const char *colon = strrchr(text, ':');

	if (strlen(text) >= sizeof(maker->config.channel))
		return -ENAMETOOLONG;
	if (!*text || strchr(text, '/') || colon == text || (colon && !colon[1]))
		return -EINVAL;
	strscpy(maker->config.channel, text, sizeof(maker->config.channel));
	return 0;
}

static int parse_direction(struct maker *maker, const char *text)
{
	static const char * const names[] = { "tx", "rx" };
	int i = match_string(names, ARRAY_SIZE(names), text);

	if (i < 0)
		return -EINVAL;
	maker->config.rx = i;
	return 0;
}

static int parse_address(struct maker *maker, const char *text)
{
	u64 address;
	int err = kstrtou64(text, 0, &address);

	if (err)
		return err;
	if (!address)
		return -EINVAL;
	if (address > PHYS_ADDR_MAX)
		return -ERANGE;
	maker->config.address = address;
	return 0;
}

static int parse_width(struct maker *maker, const char *text)
{
	u32 width;
	int err = kstrtou32(text, 0, &width);

	if (err)
		return err;
	if (!dmafd_port_is_width(width))
		return -EINVAL;
	maker->config.width = width;
	return 0;
}

static int parse_burst(struct maker *maker, const char *text)
{
	u32 burst;
	int err = kstrtou32(text, 0, &burst);

	if (err)
		return err;
	if (!burst)
		return -EINVAL;
	maker->config.burst = burst;
	return 0;
}

#define ATTRIBUTE(name, format, value)							\
static ssize_t maker_##name##_show(struct config_item *item, char *page)		\
{											\
	struct maker *maker = to_maker(item);						\
	ssize_t len;									\
											\
	mutex_lock(&maker->lock);							\
	len = sysfs_emit(page, format "\n", value);					\
	mutex_unlock(&maker->lock);							\
	return len;									\
}											\
static ssize_t maker_##name##_store(struct config_item *item, const char *page, size_t len) \
{											\
	return store(item, page, len, parse_##name);					\
}											\
CONFIGFS_ATTR(maker_, name)

ATTRIBUTE(channel, "%s", maker->config.channel);
ATTRIBUTE(direction, "%s", maker->config.rx ? "rx" : "tx");
ATTRIBUTE(address, "%#llx", maker->config.address);
ATTRIBUTE(width, "%u", maker->config.width);
ATTRIBUTE(burst, "%u", maker->config.burst);

static struct configfs_attribute *maker_attrs[] = {
	&maker_attr_live,
	&maker_attr_channel,
	&maker_attr_direction,
	&maker_attr_address,
	&maker_attr_width,
	&maker_attr_burst,
	NULL
};

/* ---- ports ---- */

static void maker_release(struct config_item *item)
{
	struct maker *maker = to_maker(item);

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

static struct config_item *ports_make(struct config_group *group, const char *name)
{
	struct maker *maker = kzalloc(sizeof(*maker), GFP_KERNEL);

	if (!maker)
		return ERR_PTR(-ENOMEM);
	if (strscpy(maker->config.name, name, sizeof(maker->config.name)) < 0) {
		kfree(maker);
		return ERR_PTR(-ENAMETOOLONG);
	}
	maker->config.width = DMA_SLAVE_BUSWIDTH_4_BYTES;
	maker->config.burst = 1;
	mutex_init(&maker->lock);
	config_item_init_type_name(&maker->item, name, &maker_type);
	return &maker->item;
}

/* configfs lets nobody refuse that: who has the port loses it. */
static void ports_drop(struct config_group *group, struct config_item *item)
{
	struct maker *maker = to_maker(item);

	mutex_lock(&maker->lock);
	if (maker->port)
		dmafd_port_remove(maker->port);
	maker->port = NULL;
	drop_client(maker);
	mutex_unlock(&maker->lock);
	config_item_put(item);
}

static struct configfs_group_operations ports_ops = {
	.make_item = ports_make,
	.drop_item = ports_drop,
};

static const struct config_item_type ports_type = {
	.ct_group_ops = &ports_ops,
	.ct_owner = THIS_MODULE,
};

static struct configfs_subsystem subsystem = {
	.su_group = {
		.cg_item = {
			.ci_namebuf = DMAFD_DRIVER,
			.ci_type = &ports_type,
		},
	},
};

int dmafd_configfs_init(void)
{
	config_group_init(&subsystem.su_group);
	mutex_init(&subsystem.su_mutex);
	return configfs_register_subsystem(&subsystem);
}

void dmafd_configfs_exit(void)
{
	configfs_unregister_subsystem(&subsystem);
}
