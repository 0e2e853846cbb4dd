/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each test of dmashadow works with: a device of its own, whose mapping is
 * taken over. The test is its driver as well as the device.
 */
#ifndef RIG_H
#define RIG_H

#include <linux/dma-mapping.h>
#include <linux/platform_device.h>
#include <linux/types.h>

#include <compat/dma-ops.h>
#include <shadow/shadow.h>

#include "ktap.h"

#define LINE	64

struct rig {
	struct platform_device *pdev;
	struct device *dev;
	struct shadow_space *space;	/* or NULL, if not taken over */

	/* What the test did wrong on purpose; checked in the end. */
	unsigned int bad_unmaps, bad_syncs, leaks;
};

static inline struct rig *rig_of(struct kt *t)
{
	return t->data;
}

/* Called around each test. */
int rig_make(struct kt *t);
void rig_unmake(struct kt *t);

/* Take over, with an address mask of @bits; false if it failed, which is told. */
bool rig_iommu(struct kt *t, unsigned int bits);
bool rig_cached(struct kt *t, unsigned int line, unsigned int bits);
bool rig_take(struct kt *t, const struct shadow_params *params);
/* Gives back what was taken over, and looks at what is left behind. */
void rig_give(struct kt *t);

/* As many contiguous pages as @size takes, zeroed; freed by the second. NULL fails the test. */
void *rig_pages(struct kt *t, size_t size);
void rig_free(void *vaddr, size_t size);

/*
 * The usual calls of a driver. A mapping that is refused is told as a failure, and
 * gives 0, at which there never is one.
 */
dma_addr_t rig_map(struct kt *t, void *vaddr, size_t size, enum dma_data_direction dir,
		   unsigned long attrs);
void rig_unmap(struct kt *t, dma_addr_t addr, size_t size, enum dma_data_direction dir,
	       unsigned long attrs);

/*
 * The same, but past the kernel's own checks of what drivers do (and without its
 * help): for what drivers must not do.
 */
dma_addr_t raw_map(struct kt *t, void *vaddr, size_t size, enum dma_data_direction dir);
void raw_unmap(struct kt *t, dma_addr_t addr, size_t size, enum dma_data_direction dir);
void raw_sync(struct kt *t, dma_addr_t addr, size_t size, enum dma_data_direction dir,
	      bool to_device);
const struct dma_map_ops *raw_ops(struct kt *t);

/* What the device does. Both return how many bytes it reached. */
size_t device_read(struct kt *t, dma_addr_t addr, void *to, size_t size);
size_t device_write(struct kt *t, dma_addr_t addr, const void *from, size_t size);
/* Why it reaches a byte, or not. */
enum shadow_fault device_fault(struct kt *t, dma_addr_t addr, bool write);
/* All bytes of a range; fails the test if it is not reached. */
void device_fill(struct kt *t, dma_addr_t addr, u8 value, size_t size);
/* Whether the device reads nothing but this value. */
bool device_sees(struct kt *t, dma_addr_t addr, u8 value, size_t size);

/* Whether there is nothing but this value. */
bool all(const void *vaddr, u8 value, size_t size);
/* Something that is nowhere the same over some distance. */
void pattern_fill(void *vaddr, size_t size, u32 seed);
bool pattern_is(const void *vaddr, size_t size, u32 seed);

struct shadow_stats rig_stats(struct kt *t);

/* The @nth allocation from now on that may fail does, in this task; 0: none. */
void fail_nth(unsigned int nth);
/* Whether that can be, and then whether it has happened. */
bool can_fail(void);
bool has_failed(void);

#endif
