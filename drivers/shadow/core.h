/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of dmashadow know of each other.
 *
 *	space.c		takes a device over and gives it back
 *	ops.c		the DMA operations, which only call what follows
 *	map.c		mappings: the records, and mapping a piece of memory
 *	sg.c		scatterlists, in terms of map.c
 *	buffer.c	coherent buffers and allocated pages
 *	window.c	the device's side
 *	iova.c		the addresses
 *	copy.c		the cache model
 */
#ifndef SHADOW_CORE_H
#define SHADOW_CORE_H

#include <linux/atomic.h>
#include <linux/dma-direction.h>
#include <linux/gfp.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <compat/dma-ops.h>

#include "copy.h"
#include "iova.h"
#include "shadow.h"

struct scatterlist;

enum shadow_kind {
	SHADOW_SINGLE,		/* dma_map_single(), dma_map_page() */
	SHADOW_SG,		/* a range of a scatterlist */
	SHADOW_BUFFER,		/* dma_alloc_coherent() */
	SHADOW_PAGES,		/* dma_alloc_pages() */
};

/* Physical memory in one piece, @start bytes from the mapping's beginning. */
struct shadow_extent {
	size_t start;
	phys_addr_t phys;
};

/*
 * A mapping. Constant from shadow_map_add() to shadow_map_take(), but for what
 * the copy holds.
 */
struct shadow_map {
	struct shadow_range range;	/* space's lock */
	dma_addr_t addr;
	size_t size;
	enum dma_data_direction dir;
	enum shadow_kind kind;
	unsigned int nents;		/* of the list that begins here, or 0 */
	void *vaddr;			/* what we allocated, or NULL */
	struct shadow_copy *copy;	/* or the device sees the memory itself */
	spinlock_t copy_lock;		/* protects the copy, while the mapping is known */
	unsigned int count;		/* extents: one, if there is a copy */
	struct shadow_extent extent[];
};

/* Counters that are incremented in any context. */
enum shadow_count {
	SHADOW_REFUSED,
	SHADOW_FAILED,
	SHADOW_SHARED_LINES,
	SHADOW_BAD_UNMAPS,
	SHADOW_BAD_SYNCS,
	SHADOW_COUNT_UNMAPPED,
	SHADOW_COUNT_DENIED,
	SHADOW_COUNTS
};

struct shadow_space {
	const struct dma_map_ops ops;	/* the device's, by which the space is found */
	const struct dma_map_ops *old_ops;
	struct device *dev;
	struct shadow_params params;

	rwlock_t lock;			/* protects the two below; a leaf but for copy_lock */
	struct shadow_iova iova;
	u64 maps, unmaps, allocs, frees, live_bytes;

	atomic64_t count[SHADOW_COUNTS];
};

extern const struct dma_map_ops shadow_ops;

static inline void shadow_count(struct shadow_space *space, enum shadow_count what)
{
	atomic64_inc(&space->count[what]);
}

/* ---- map.c ---- */

/* A record, of at most @extents pieces, that nobody else knows; NULL: no memory. */
struct shadow_map *shadow_map_new(enum shadow_kind kind, enum dma_data_direction dir,
				  unsigned int extents, gfp_t gfp);
/* Adds the next piece. */
void shadow_map_extend(struct shadow_map *map, phys_addr_t phys, size_t size);
/* Frees the record and its copy, not the memory. */
void shadow_map_free(struct shadow_map *map);

/*
 * Gives it addresses at or below @limit, within @boundary if that can be, and
 * makes it known. Carries to the device what it is to see, unless @attrs says
 * no. -ENOSPC, -ENOMEM.
 */
int shadow_map_add(struct shadow_space *space, struct shadow_map *map, u64 limit, u64 boundary,
		   unsigned long attrs);

/* The mapping that @addr is in, to the byte, or NULL. Caller holds the lock. */
struct shadow_map *shadow_map_find(struct shadow_space *space, dma_addr_t addr);

/* Where @offset of the mapping lies; *@len is cut to what is in one piece there. */
phys_addr_t shadow_map_phys(const struct shadow_map *map, size_t offset, size_t *len);

/*
 * The mapping that begins at @addr is not known any more, and belongs to the
 * caller. One of another kind, or none, is complained of, and gives NULL; so is
 * another size or direction.
 */
struct shadow_map *shadow_map_take(struct shadow_space *space, dma_addr_t addr, size_t size,
				   enum dma_data_direction dir, enum shadow_kind kind);

/* Ends what was taken: carries to the CPU, unless @attrs says no, and frees it. */
void shadow_map_end(struct shadow_space *space, struct shadow_map *map, unsigned long attrs);

/* A client asks for a mapping: whether it is to fail. */
bool shadow_refused(struct shadow_space *space);

/* Up to where the device reaches. */
u64 shadow_limit(struct shadow_space *space);
u64 shadow_coherent_limit(struct shadow_space *space);

/* Whether there is memory of the kernel's at all these addresses. */
bool shadow_is_memory(phys_addr_t phys, size_t size);

/* ---- what the operations call ---- */

/* DMA_MAPPING_ERROR if it can't be. */
dma_addr_t shadow_map_single(struct shadow_space *space, phys_addr_t phys, size_t size,
			     enum dma_data_direction dir, unsigned long attrs);
void shadow_unmap_single(struct shadow_space *space, dma_addr_t addr, size_t size,
			 enum dma_data_direction dir, unsigned long attrs);
dma_addr_t shadow_map_registers(struct shadow_space *space, phys_addr_t phys, size_t size);
void shadow_sync(struct shadow_space *space, dma_addr_t addr, size_t size,
		 enum dma_data_direction dir, bool to_device);

/* The number of ranges, or an error code that dma_map_sgtable() may give. */
int shadow_map_list(struct shadow_space *space, struct scatterlist *sgl, int nents,
		    enum dma_data_direction dir, unsigned long attrs);
void shadow_unmap_list(struct shadow_space *space, struct scatterlist *sgl, int nents,
		       enum dma_data_direction dir, unsigned long attrs);
void shadow_sync_list(struct shadow_space *space, struct scatterlist *sgl, int nents,
		      enum dma_data_direction dir, bool to_device);

/* Zeroed; NULL if it can't be. */
void *shadow_buffer_alloc(struct shadow_space *space, size_t size, dma_addr_t *addr, gfp_t gfp,
			  unsigned long attrs);
void shadow_buffer_free(struct shadow_space *space, size_t size, void *vaddr, dma_addr_t addr);
void *shadow_pages_alloc(struct shadow_space *space, size_t size, dma_addr_t *addr,
			 enum dma_data_direction dir, gfp_t gfp);
void shadow_pages_free(struct shadow_space *space, size_t size, void *vaddr, dma_addr_t addr,
		       enum dma_data_direction dir);
/*
 * The pages of the buffer at @addr that @size bytes take; an ERR_PTR if there is
 * no such buffer. The array is the caller's, to be freed with kvfree().
 */
struct page **shadow_buffer_pages(struct shadow_space *space, dma_addr_t addr, size_t size,
				  unsigned int *count);
/* Frees the memory of a record that has any. */
void shadow_buffer_release(struct shadow_map *map);

#endif
