/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The address allocator: hands out device addresses in pages, each range followed
 * by a page that stays free. It begins to look where the last one ended (next
 * fit), so that no address is used again before all others were, and looking
 * costs a step per range that is in the way, which each range is once a round.
 * Ranges are kept in a tree, by which they are found again.
 *
 * Who uses it brings the lock.
 */
#ifndef SHADOW_IOVA_H
#define SHADOW_IOVA_H

#include <linux/rbtree.h>
#include <linux/types.h>

/* Streaming mappings and allocations have different masks, and each its place. */
enum shadow_iova_use { SHADOW_IOVA_STREAMING, SHADOW_IOVA_COHERENT, SHADOW_IOVA_USES };

struct shadow_iova {
	struct rb_root ranges;		/* don't overlap, by start */
	struct shadow_cursor {
		u64 limit;		/* that the next two were made for */
		u64 low, high;		/* first and last byte */
		u64 next;		/* where to look first */
	} cursor[SHADOW_IOVA_USES];
};

struct shadow_range {
	struct rb_node node;
	u64 start;
	u64 last;			/* last byte, that of the free page */
};

void shadow_iova_init(struct shadow_iova *iova);

/* How many bytes a mapping can have whose addresses stay at or below @limit; 0: none. */
u64 shadow_iova_room(u64 limit);

/*
 * Takes @size bytes, whole pages, none of them above @limit. If they fit between
 * two multiples of @boundary + 1, of which that is a power of two and at least a
 * page, they are put there; U64_MAX means there is no boundary. -ENOSPC.
 */
int shadow_iova_take(struct shadow_iova *iova, enum shadow_iova_use use, u64 limit, u64 size,
		     u64 boundary, struct shadow_range *range);
void shadow_iova_give(struct shadow_iova *iova, struct shadow_range *range);

/* The range that @addr is in, its free page included, or NULL. */
struct shadow_range *shadow_iova_find(struct shadow_iova *iova, u64 addr);

#endif
