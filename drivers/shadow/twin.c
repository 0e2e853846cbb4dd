// SPDX-License-Identifier: GPL-2.0-only
#include <linux/device.h>
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/kmemleak.h>
#include <linux/slab.h>

#include "twin.h"

#ifdef CONFIG_DMA_OPS_BYPASS
#define OPS_BYPASS	true
#else
#define OPS_BYPASS	false
#endif

/*
 * The bus takes the table of address ranges away before the device is unbound for
 * good, and what is unmapped then needs it: the twin has one of its own.
 */
static int copy_ranges(struct device *twin)
{
	const struct bus_dma_region *range = twin->dma_range_map;
	size_t count = 1;

	if (!range)
		return 0;
	while (range[count - 1].size)
		count++;
	twin->dma_range_map = kmemdup(range, count * sizeof(*range), GFP_KERNEL);
	return twin->dma_range_map ? 0 : -ENOMEM;
}

int shadow_twin_take(struct shadow_twin *twin, struct device *dev,
		     const struct dma_map_ops *ops)
{
	struct compat_dma_marks none = {};

	if (!COMPAT_DEVICE_HAS_DMA_OPS || OPS_BYPASS)
		return -EOPNOTSUPP;
	if (!dev->dma_mask)
		return -EIO;
	twin->dev = kmemdup(dev, sizeof(*dev), GFP_KERNEL);
	if (!twin->dev)
		return -ENOMEM;
	if (copy_ranges(twin->dev)) {
		kfree(twin->dev);
		return -ENOMEM;
	}
	compat_own_bounce_buffers(twin->dev);
	twin->real = dev;
	twin->marks = compat_dma_marks(dev);
	compat_set_dma_marks(dev, none);
	set_dma_ops(dev, ops);
	return 0;
}
EXPORT_SYMBOL_GPL(shadow_twin_take);

void shadow_twin_give(struct shadow_twin *twin, const struct dma_map_ops *ops, bool in_use)
{
	if (compat_device_dma_ops(twin->real) == ops) {
		set_dma_ops(twin->real, compat_device_dma_ops(twin->dev));
		compat_set_dma_marks(twin->real, twin->marks);
	}
	if (in_use) {
		kmemleak_not_leak(twin->dev);
		return;
	}
	kfree(twin->dev->dma_range_map);
	kfree(twin->dev);
}
EXPORT_SYMBOL_GPL(shadow_twin_give);

void shadow_twin_refresh(struct shadow_twin *twin)
{
	WRITE_ONCE(twin->dev->coherent_dma_mask, READ_ONCE(twin->real->coherent_dma_mask));
	WRITE_ONCE(twin->dev->dma_parms, READ_ONCE(twin->real->dma_parms));
	WRITE_ONCE(twin->dev->bus_dma_limit, READ_ONCE(twin->real->bus_dma_limit));
}
EXPORT_SYMBOL_GPL(shadow_twin_refresh);
