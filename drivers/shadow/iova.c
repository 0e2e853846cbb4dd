// SPDX-License-Identifier: GPL-2.0-only
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "iova.h"

#define GUARD	((u64)PAGE_SIZE)

static struct shadow_range *to_range(struct rb_node *node)
{
	return rb_entry_safe(node, struct shadow_range, node);
}

void shadow_iova_init(struct shadow_iova *iova)
{
	memset(iova, 0, sizeof(*iova));
	iova->ranges = RB_ROOT;
}

/* Small devices can't spare half of their addresses. */
static void set_limit(struct shadow_cursor *cursor, u64 limit)
{
	u64 end = min_t(u64, limit, (dma_addr_t)~0ULL - PAGE_SIZE) + 1;

	cursor->limit = limit;
	cursor->high = round_down(end, GUARD) - 1;
	cursor->low = GUARD;
	if (limit >= U32_MAX)
		cursor->low = max(GUARD, round_down(limit / 2 + 1, GUARD));
	cursor->next = cursor->low;
}

/* All but the page that has to stay free. */
static u64 room(const struct shadow_cursor *cursor)
{
	u64 end = cursor->high + 1;

	return end > cursor->low + GUARD ? end - cursor->low - GUARD : 0;
}

u64 shadow_iova_room(u64 limit)
{
	struct shadow_cursor cursor;

	set_limit(&cursor, limit);
	return room(&cursor);
}

/* The first range that doesn't end before @addr. */
static struct shadow_range *first_at(struct shadow_iova *iova, u64 addr)
{
	struct rb_node *node = iova->ranges.rb_node;
	struct shadow_range *first = NULL;

	while (node) {
		struct shadow_range *range = to_range(node);

		if (range->last >= addr) {
			first = range;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return first;
}

/* The first place for @size bytes at or after @start that crosses no boundary. */
static u64 step_over(u64 start, u64 size, u64 boundary)
{
	if (size - 1 > boundary || (start & boundary) + (size - 1) <= boundary)
		return start;
	return (start | boundary) + 1;
}

/* Where @size bytes and a free page fit between @from and @high; 0 if nowhere. */
static u64 find_gap(struct shadow_iova *iova, u64 from, u64 high, u64 size, u64 boundary)
{
	struct shadow_range *next = first_at(iova, from);
	u64 start = from;

	for (;;) {
		u64 found = step_over(start, size, boundary);

		/* Overflown, or the end. */
		if (found < start || found > high || high - found < size + GUARD - 1)
			return 0;
		while (next && next->last < found)
			next = to_range(rb_next(&next->node));
		if (!next || (next->start > found && next->start - found >= size + GUARD))
			return found;
		start = next->last + 1;
	}
}

static void insert(struct shadow_iova *iova, struct shadow_range *new)
{
	struct rb_node **link = &iova->ranges.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = new->start < to_range(parent)->start ? &parent->rb_left :
							      &parent->rb_right;
	}
	rb_link_node(&new->node, parent, link);
	rb_insert_color(&new->node, &iova->ranges);
}

int shadow_iova_take(struct shadow_iova *iova, enum shadow_iova_use use, u64 limit, u64 size,
		     u64 boundary, struct shadow_range *range)
{
	struct shadow_cursor *cursor = &iova->cursor[use];
	u64 start;

	if (cursor->limit != limit || !cursor->next)
		set_limit(cursor, limit);
	if (!size || size > room(cursor))
		return -ENOSPC;
	start = find_gap(iova, cursor->next, cursor->high, size, boundary);
	if (!start)
		start = find_gap(iova, cursor->low, cursor->high, size, boundary);
	if (!start)
		return -ENOSPC;
	range->start = start;
	range->last = start + size + GUARD - 1;
	cursor->next = range->last + 1;
	insert(iova, range);
	return 0;
}

void shadow_iova_give(struct shadow_iova *iova, struct shadow_range *range)
{
	rb_erase(&range->node, &iova->ranges);
}

struct shadow_range *shadow_iova_find(struct shadow_iova *iova, u64 addr)
{
	struct shadow_range *range = first_at(iova, addr);

	return range && range->start <= addr ? range : NULL;
}
