// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dmasan.h"

struct san_device *san_device_take(struct device *dev)
{
	struct san_device *san = kzalloc(sizeof(*san), GFP_KERNEL);
	int err, i;

	if (!san)
		return ERR_PTR(-ENOMEM);
	/* Constant from now on, and only for that reason declared so. */
	memcpy((void *)&san->ops, &san_ops, sizeof(san_ops));
	rwlock_init(&san->lock);
	INIT_LIST_HEAD(&san->list);
	INIT_LIST_HEAD(&san->quarantine);
	INIT_LIST_HEAD(&san->to_free);
	for (i = 0; i < SAN_SPARE_PAGES; i++)
		INIT_LIST_HEAD(&san->spare[i]);
	INIT_WORK(&san->free_work, san_free_buffers);
	strscpy(san->name, dev_name(dev), sizeof(san->name));
	err = shadow_twin_take(&san->twin, dev, &san->ops);
	if (!err)
		return san;
	kfree(san);
	return ERR_PTR(err);
}

static void report_leak(struct san_device *san, struct san_map *map)
{
	struct san_finding finding = {
		.kind = SAN_LEAK, .addr = map->addr, .size = map->size, .dir = map->dir,
		.mapped = map->mapped,
	};

	san_report(san, &finding);
}

/*
 * The device may still use it, so it stays mapped and allocated for good; only the
 * record goes.
 */
static bool leave_leaked(struct san_device *san)
{
	bool any = !RB_EMPTY_ROOT(&san->maps);
	struct san_map *map, *next;

	rbtree_postorder_for_each_entry_safe(map, next, &san->maps, node) {
		report_leak(san, map);
		san_map_free(map);
	}
	return any;
}

/* Nobody uses the device any more, so the trees need no lock. */
void san_device_give(struct san_device *san)
{
	unsigned long flags;

	write_lock_irqsave(&san->lock, flags);
	san->dying = true;
	write_unlock_irqrestore(&san->lock, flags);
	cancel_work_sync(&san->free_work);
	san_quarantine_trim(san, 0);
	san_free_buffers(&san->free_work);
	san_block_drop(san);
	shadow_twin_give(&san->twin, &san->ops, leave_leaked(san));
	kfree(san);
}
