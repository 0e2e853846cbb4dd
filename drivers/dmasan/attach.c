// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices are taken over while they are bound to a driver: after their bus has
 * configured their DMA, and before the driver's probe. They are given back by the
 * last of what was attached to the binding, which is when the driver, and all that
 * it has left to the kernel to free, is gone. That is so when probe fails, too.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/of_dma.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <compat/buses.h>
#include <shadow/shadow.h>

#include "dmasan.h"

struct bus {
	const char *name;
	compat_bus_type *type;
	struct notifier_block notifier;
};

struct target {
	struct list_head list;
	struct bus *bus;
	char name[64];
	struct device *dev;		/* that it was last, with a reference, or NULL */
	struct san_device *san;		/* while it is taken over */
	int err;			/* why it could not be */
	bool leaving;			/* not to be taken over any more */
};

static int bind_notify(struct notifier_block *notifier, unsigned long event, void *data);

#define BUS(bus_name, bus_type) \
	{ .name = (bus_name), .type = (bus_type), .notifier.notifier_call = bind_notify }

static struct bus buses[] = {
	BUS("platform", &platform_bus_type),
	COMPAT_PCI_BUS(BUS)
	COMPAT_AMBA_BUS(BUS)
};

/* One attaches or detaches at a time; held while drivers come and go. */
static DEFINE_MUTEX(attach_lock);

/* Protects the list and what is in it; taken with a device's own lock held. */
static DEFINE_MUTEX(targets_lock);
static LIST_HEAD(targets);

/* ---- targets ---- */

static struct target *find_target(struct bus *bus, const char *name)
{
	struct target *target;

	lockdep_assert_held(&targets_lock);
	list_for_each_entry(target, &targets, list)
		if (target->bus == bus && !strcmp(target->name, name))
			return target;
	return NULL;
}

static void forget_device(struct san_device *san)
{
	struct target *target;

	mutex_lock(&targets_lock);
	list_for_each_entry(target, &targets, list)
		if (target->san == san)
			target->san = NULL;
	mutex_unlock(&targets_lock);
}

static void give_back(void *data)
{
	struct san_device *san = data;

	forget_device(san);
	san_device_give(san);
}

static const char *why(int err)
{
	if (err == -EOPNOTSUPP)
		return "this kernel asks no DMA operations of it, see CONFIG_ARCH_HAS_DMA_OPS";
	if (err == -EIO)
		return "it has no DMA mask, so it does no DMA itself; its parent may";
	return "there is no memory";
}

static int take(struct target *target, struct device *dev)
{
	struct san_device *san = san_device_take(dev);
	int err;

	if (IS_ERR(san))
		return PTR_ERR(san);
	err = devm_add_action(dev, give_back, san);
	if (err) {
		san_device_give(san);
		return err;
	}
	target->san = san;
	get_device(dev);
	put_device(target->dev);
	target->dev = dev;
	return 0;
}

static void on_bind(struct target *target, struct device *dev)
{
	lockdep_assert_held(&targets_lock);
	if (target->san || target->leaving)
		return;
	target->err = take(target, dev);
	if (target->err)
		dev_err(dev, "dmasan: not attached (%d): %s\n", target->err, why(target->err));
	else
		dev_info(dev, "dmasan: attached\n");
}

/*
 * Some drivers of DMA controllers, bcm2835-dma is one, stay known to the device tree's
 * clients when they are gone. The next driver's entry comes after that one, and is never
 * found: clients would get channels of memory that was freed. We unbind drivers, so we
 * take the entry away. Where the driver has done so, nothing is there.
 */
static void forget_channels(struct device *dev)
{
	if (!dev->of_node_reused)
		of_dma_controller_free(dev->of_node);
}

/* The device's lock is held. */
static int bind_notify(struct notifier_block *notifier, unsigned long event, void *data)
{
	struct bus *bus = container_of(notifier, struct bus, notifier);
	struct device *dev = data;
	struct target *target;

	mutex_lock(&targets_lock);
	target = find_target(bus, dev_name(dev));
	if (target && event == BUS_NOTIFY_BIND_DRIVER)
		on_bind(target, dev);
	mutex_unlock(&targets_lock);
	if (target && (event == BUS_NOTIFY_UNBOUND_DRIVER || event == BUS_NOTIFY_DRIVER_NOT_BOUND))
		forget_channels(dev);
	return target ? NOTIFY_OK : NOTIFY_DONE;
}

/* ---- names ---- */

/* Splits BUS:NAME. */
static struct bus *find_bus(const char *name, const char **rest)
{
	const char *colon = strchr(name, ':');
	size_t len = colon ? colon - name : 0;
	int i;

	for (i = 0; len && i < ARRAY_SIZE(buses); i++) {
		if (strlen(buses[i].name) == len && !strncmp(buses[i].name, name, len)) {
			*rest = colon + 1;
			return &buses[i];
		}
	}
	return NULL;
}

/* ---- attaching ---- */

static struct target *add_target(struct bus *bus, const char *name)
{
	struct target *target = kzalloc(sizeof(*target), GFP_KERNEL);

	if (!target)
		return ERR_PTR(-ENOMEM);
	target->bus = bus;
	strscpy(target->name, name, sizeof(target->name));
	mutex_lock(&targets_lock);
	if (find_target(bus, name)) {
		mutex_unlock(&targets_lock);
		kfree(target);
		return ERR_PTR(-EEXIST);
	}
	list_add_tail(&target->list, &targets);
	mutex_unlock(&targets_lock);
	return target;
}

static void remove_target(struct target *target)
{
	mutex_lock(&targets_lock);
	list_del(&target->list);
	mutex_unlock(&targets_lock);
}

/* Whoever gives it back has ended, since that is done with the device's lock held. */
static void free_target(struct target *target)
{
	if (target->dev) {
		device_lock(target->dev);
		device_unlock(target->dev);
	}
	put_device(target->dev);
	kfree(target);
}

/* A driver that has the device already has to get it anew. */
static int rebind(struct target *target, struct device *dev)
{
	int err;

	lockdep_assert_held(&attach_lock);
	if (!dev->driver)
		return 0;
	err = device_reprobe(dev);
	if (err < 0)
		dev_warn(dev, "dmasan: no driver took it again (%d)\n", err);
	mutex_lock(&targets_lock);
	err = target->err;
	mutex_unlock(&targets_lock);
	return err;
}

static int attach_to(struct bus *bus, const char *name, struct device *dev)
{
	struct target *target = add_target(bus, name);
	int err;

	if (IS_ERR(target))
		return PTR_ERR(target);
	err = dev ? rebind(target, dev) : 0;
	if (!err)
		return 0;
	remove_target(target);
	free_target(target);
	return err;
}

int san_attach(const char *name, bool pending)
{
	const char *rest;
	struct bus *bus = find_bus(name, &rest);
	struct device *dev;
	int err = -ENODEV;

	if (!bus || !*rest || strlen(rest) >= sizeof_field(struct target, name))
		return -EINVAL;
	if (!shadow_supported()) {
		pr_err("dmasan: %s: %s\n", name, why(-EOPNOTSUPP));
		return -EOPNOTSUPP;
	}
	mutex_lock(&attach_lock);
	dev = bus_find_device_by_name(bus->type, NULL, rest);
	if (dev || pending)
		err = attach_to(bus, rest, dev);
	put_device(dev);
	mutex_unlock(&attach_lock);
	return err;
}

/* ---- detaching ---- */

static void detach_target(struct target *target)
{
	struct device *dev = NULL;

	lockdep_assert_held(&attach_lock);
	mutex_lock(&targets_lock);
	target->leaving = true;
	if (target->san)
		dev = get_device(target->dev);
	mutex_unlock(&targets_lock);
	if (dev) {
		if (device_reprobe(dev) < 0)
			dev_warn(dev, "dmasan: no driver took it again\n");
		dev_info(dev, "dmasan: detached\n");
	}
	put_device(dev);
	remove_target(target);
	free_target(target);
}

int san_detach(const char *name)
{
	const char *rest;
	struct bus *bus = find_bus(name, &rest);
	struct target *target;

	if (!bus)
		return -EINVAL;
	mutex_lock(&attach_lock);
	mutex_lock(&targets_lock);
	target = find_target(bus, rest);
	mutex_unlock(&targets_lock);
	if (target)
		detach_target(target);
	mutex_unlock(&attach_lock);
	return target ? 0 : -ENOENT;
}

void san_each(void *data, void (*fn)(void *data, const char *name, struct san_device *san))
{
	struct target *target;
	char name[80];

	mutex_lock(&targets_lock);
	list_for_each_entry(target, &targets, list) {
		scnprintf(name, sizeof(name), "%s:%s", target->bus->name, target->name);
		fn(data, name, target->san);
	}
	mutex_unlock(&targets_lock);
}

int san_attach_init(void)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(buses); i++) {
		err = bus_register_notifier(buses[i].type, &buses[i].notifier);
		if (err)
			goto unregister;
	}
	return 0;

unregister:
	while (i--)
		bus_unregister_notifier(buses[i].type, &buses[i].notifier);
	return err;
}

/* Nobody attaches any more. */
void san_attach_exit(void)
{
	struct target *target, *next;
	int i;

	mutex_lock(&attach_lock);
	list_for_each_entry_safe(target, next, &targets, list)
		detach_target(target);
	mutex_unlock(&attach_lock);
	for (i = 0; i < ARRAY_SIZE(buses); i++)
		bus_unregister_notifier(buses[i].type, &buses[i].notifier);
}
