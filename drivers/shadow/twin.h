/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Takes over the DMA mapping of a real device, and keeps what it had.
 *
 * The kernel exports none of the functions that map for a device. So there is a
 * twin: a copy of the device with its former operations. What dma_map_page() and
 * the like do for the twin, they do for the hardware.
 */
#ifndef SHADOW_TWIN_H
#define SHADOW_TWIN_H

#include <linux/types.h>

#include <compat/dma-ops.h>

struct device;

/* All constant while the device is taken over. */
struct shadow_twin {
	struct device *real;
	struct device *dev;		/* the twin */
	struct compat_dma_marks marks;
};

/*
 * From now on @ops are asked for everything; they lie in the caller's memory, and
 * stay until shadow_twin_give(). To be called while the device is bound to its
 * driver, after its bus has configured its DMA and before the driver's probe. May
 * sleep. -EOPNOTSUPP if this kernel has no operations of a single device, or
 * goes past them for this one, -EIO if the device can't do DMA, -ENOMEM.
 */
int shadow_twin_take(struct shadow_twin *twin, struct device *dev,
		     const struct dma_map_ops *ops);

/*
 * The device is as it was. Operations that somebody else has set meanwhile stay.
 * The twin is gone, unless something that was mapped or allocated for it is still
 * @in_use: then it stays for good.
 */
void shadow_twin_give(struct shadow_twin *twin, const struct dma_map_ops *ops, bool in_use);

/* What the device's driver may change at any time is the same for both then. */
void shadow_twin_refresh(struct shadow_twin *twin);

#endif
