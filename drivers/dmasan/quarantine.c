// SPDX-License-Identifier: GPL-2.0-only
/*
 * What was unmapped or freed stays for a while, filled with a pattern and still
 * within the hardware's reach: the device that writes it is late.
 */
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/slab.h>

#include "dmasan.h"

#define AT_ONCE	16	/* are taken with the lock held */

/* Some of the oldest, as long as there are more than @keep bytes. */
static void take_oldest(struct san_device *san, size_t keep, struct list_head *oldest)
{
	struct san_map *map;
	int left = AT_ONCE;

	lockdep_assert_held_write(&san->lock);
	while (san->quarantined > keep && left--) {
		map = list_first_entry(&san->quarantine, struct san_map, quarantine);
		list_move_tail(&map->quarantine, oldest);
		san_tree_del(&san->gone, map);
		san->quarantined -= map->block.size;
	}
}

/* Buffers can't be given back in any context. */
static void hand_over(struct san_device *san, struct san_map *map)
{
	unsigned long flags;

	write_lock_irqsave(&san->lock, flags);
	list_add_tail(&map->quarantine, &san->to_free);
	if (!san->dying)
		schedule_work(&san->free_work);
	write_unlock_irqrestore(&san->lock, flags);
}

static void end_one(struct san_device *san, struct san_map *map)
{
	struct san_findings findings = {};

	if (map->type != SAN_BUFFER)
		san_block_for_cpu(san, map);
	san_block_check_poison(map, &findings);
	san_report_all(san, &findings);
	if (map->type == SAN_BUFFER) {
		hand_over(san, map);
		return;
	}
	san_block_free(san, map);
}

static void end_all(struct san_device *san, struct list_head *oldest)
{
	struct san_map *map, *next;

	list_for_each_entry_safe(map, next, oldest, quarantine) {
		list_del_init(&map->quarantine);
		end_one(san, map);
	}
}

void san_quarantine_trim(struct san_device *san, size_t keep)
{
	unsigned long flags;
	LIST_HEAD(oldest);
	bool more;

	do {
		write_lock_irqsave(&san->lock, flags);
		take_oldest(san, keep, &oldest);
		more = !list_empty(&oldest);
		write_unlock_irqrestore(&san->lock, flags);
		end_all(san, &oldest);
	} while (more);
}

void san_quarantine_add(struct san_device *san, struct san_map *map)
{
	size_t keep = san_bytes(READ_ONCE(san_quarantine_kb));
	unsigned long flags;
	LIST_HEAD(oldest);
	bool more;

	if (!keep && map->type != SAN_BUFFER) {
		san_block_free(san, map);
		return;
	}
	if (READ_ONCE(san_stacks))
		san_trace_here(&map->unmapped);
	san_block_poison(map);
	if (map->type != SAN_BUFFER)
		san_block_for_device(san, map);
	write_lock_irqsave(&san->lock, flags);
	list_add_tail(&map->quarantine, &san->quarantine);
	san_tree_add(&san->gone, map);
	san->quarantined += map->block.size;
	take_oldest(san, keep, &oldest);
	more = san->quarantined > keep;
	write_unlock_irqrestore(&san->lock, flags);
	end_all(san, &oldest);
	if (more)
		san_quarantine_trim(san, keep);
}

static struct san_map *take_to_free(struct san_device *san)
{
	struct san_map *map;
	unsigned long flags;

	write_lock_irqsave(&san->lock, flags);
	map = list_first_entry_or_null(&san->to_free, struct san_map, quarantine);
	if (map)
		list_del(&map->quarantine);
	write_unlock_irqrestore(&san->lock, flags);
	return map;
}

void san_free_buffers(struct work_struct *work)
{
	struct san_device *san = container_of(work, struct san_device, free_work);
	struct san_map *map;

	while ((map = take_to_free(san))) {
		san_buffer_release(san, map);
		san_map_free(map);
	}
}
