/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cache model: the copy that a mapping has in the non-coherent view, and what
 * is carried between it and the CPU's memory. shadow.h says when, and why.
 *
 * No two calls for the same copy at once, but for shadow_copy_at(): a lock that
 * is needed is the caller's.
 */
#ifndef SHADOW_COPY_H
#define SHADOW_COPY_H

#include <linux/dma-direction.h>
#include <linux/types.h>

struct shadow_copy;

/*
 * A copy for @size bytes at @phys, which have a struct page. Nothing was written
 * back yet. Any context; NULL if there is no memory.
 */
struct shadow_copy *shadow_copy_new(phys_addr_t phys, size_t size, unsigned int line);
void shadow_copy_free(struct shadow_copy *copy);

/*
 * The range of @size bytes at @offset of the mapping goes to the device, or comes
 * back from it. Returns in how many lines bytes of the device were lost.
 */
unsigned int shadow_copy_to_device(struct shadow_copy *copy, size_t offset, size_t size,
				   enum dma_data_direction dir);
unsigned int shadow_copy_to_cpu(struct shadow_copy *copy, size_t offset, size_t size,
				enum dma_data_direction dir);

/* What the device has at @offset of the mapping; *@len is cut to what is in one piece. */
void *shadow_copy_at(struct shadow_copy *copy, size_t offset, size_t *len);

#endif
