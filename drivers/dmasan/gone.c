// SPDX-License-Identifier: GPL-2.0-only
/*
 * Places in modules that are gone. Who maps for another's device may be unloaded long
 * before it is known that something was left mapped, and nobody can tell then what an
 * address was. So when a module goes, its places in traces that may still be reported
 * are named, and numbers stand for them, which are no addresses.
 */
#include <linux/build_bug.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "dmasan.h"

#define PLACES	128	/* further ones stay addresses */

static DEFINE_SPINLOCK(gone_lock);	/* protects the following, within a device's */
static unsigned int named;
/* Those that a trace has a number of are constant. */
static char gone[PLACES][SAN_PLACE];

void san_place_name(unsigned long ip, char *to, size_t size)
{
	/* Nothing is called in the first page. */
	BUILD_BUG_ON(PLACES >= SZ_4K);
	if (ip && ip <= PLACES)
		strscpy(to, gone[ip - 1], size);
	else
		scnprintf(to, size, "%pS", (void *)ip);
}

/* Counted from 1; the address itself if there is no room. */
static unsigned long number_of(unsigned long ip)
{
	char name[SAN_PLACE];
	unsigned int i;

	lockdep_assert_held(&gone_lock);
	scnprintf(name, sizeof(name), "%pS", (void *)ip);
	for (i = 0; i < named; i++)
		if (!strcmp(gone[i], name))
			return i + 1;
	if (named == PLACES)
		return ip;
	strscpy(gone[named], name, SAN_PLACE);
	return ++named;
}

static void name_trace(struct san_trace *trace, const struct module *module)
{
	unsigned int i;

	for (i = 0; i < trace->count; i++)
		if (within_module(trace->frame[i], module))
			trace->frame[i] = number_of(trace->frame[i]);
}

static void name_maps(struct rb_root *root, const struct module *module)
{
	struct rb_node *node;

	for (node = rb_first(root); node; node = rb_next(node)) {
		struct san_map *map = rb_entry(node, struct san_map, node);

		name_trace(&map->mapped, module);
		name_trace(&map->unmapped, module);
	}
}

static void name_places(void *module, const char *name, struct san_device *san)
{
	unsigned long flags;

	if (!san)
		return;
	write_lock_irqsave(&san->lock, flags);
	spin_lock(&gone_lock);
	name_maps(&san->maps, module);
	name_maps(&san->gone, module);
	spin_unlock(&gone_lock);
	write_unlock_irqrestore(&san->lock, flags);
}

static int module_notify(struct notifier_block *notifier, unsigned long event, void *module)
{
	if (event == MODULE_STATE_GOING)
		san_each(module, name_places);
	return NOTIFY_OK;
}

static struct notifier_block notifier = { .notifier_call = module_notify };

int san_gone_init(void)
{
	return register_module_notifier(&notifier);
}

void san_gone_exit(void)
{
	unregister_module_notifier(&notifier);
}
