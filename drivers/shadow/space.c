// SPDX-License-Identifier: GPL-2.0-only
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/rbtree.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core.h"

#define MIN_LINE	4
#define MAX_LINE	4096	/* a line never crosses a page */
#define MIN_MASK	0xffff

bool shadow_supported(void)
{
	return COMPAT_DEVICE_HAS_DMA_OPS;
}
EXPORT_SYMBOL_GPL(shadow_supported);

static bool valid(const struct shadow_params *params)
{
	if (params->mask < MIN_MASK || !shadow_iova_room(params->mask))
		return false;
	if (params->view == SHADOW_IOMMU)
		return true;
	return params->view == SHADOW_NONCOHERENT && is_power_of_2(params->line) &&
	       params->line >= MIN_LINE && params->line <= MAX_LINE;
}

static struct shadow_space *new_space(struct device *dev, const struct shadow_params *params)
{
	struct shadow_space *space = kzalloc(sizeof(*space), GFP_KERNEL);

	if (!space)
		return NULL;
	/* Constant from now on, and only for that reason declared so. */
	memcpy((void *)&space->ops, &shadow_ops, sizeof(shadow_ops));
	space->old_ops = compat_device_dma_ops(dev);
	space->dev = dev;
	space->params = *params;
	space->params.mask = min_t(u64, params->mask, (dma_addr_t)~0ULL);
	rwlock_init(&space->lock);
	shadow_iova_init(&space->iova);
	return space;
}

/*
 * A device whose mapping the kernel's own IOMMU code does (dev->dma_iommu, in
 * newer kernels) would not be asked for operations at all. Devices that are
 * simulated have no IOMMU; one that has would need that taken away first.
 */
struct shadow_space *shadow_install(struct device *dev, const struct shadow_params *params)
{
	const struct dma_map_ops *ops = compat_device_dma_ops(dev);
	struct shadow_space *space;

	if (!shadow_supported())
		return ERR_PTR(-EOPNOTSUPP);
	if (!valid(params))
		return ERR_PTR(-EINVAL);
	if (ops && ops->map_sg == shadow_ops.map_sg)
		return ERR_PTR(-EBUSY);
	space = new_space(dev, params);
	if (!space)
		return ERR_PTR(-ENOMEM);
	set_dma_ops(dev, &space->ops);
	compat_dma_need_sync(dev);
	return space;
}
EXPORT_SYMBOL_GPL(shadow_install);

/* Nobody uses the space any more, so nothing needs a lock. */
static unsigned int free_leaked(struct shadow_space *space)
{
	struct shadow_range *range, *next;
	unsigned int leaked = 0;

	rbtree_postorder_for_each_entry_safe(range, next, &space->iova.ranges, node) {
		shadow_map_end(space, container_of(range, struct shadow_map, range),
			       DMA_ATTR_SKIP_CPU_SYNC);
		leaked++;
	}
	return leaked;
}

unsigned int shadow_remove(struct shadow_space *space)
{
	struct shadow_stats stats;
	unsigned int leaked;

	set_dma_ops(space->dev, space->old_ops);
	shadow_stats(space, &stats);
	leaked = free_leaked(space);
	if (leaked)
		dev_warn_ratelimited(space->dev,
				     "clients left %llu mappings and %llu allocations behind, %llu bytes\n",
				     stats.maps - stats.unmaps, stats.allocs - stats.frees,
				     stats.live_bytes);
	kfree(space);
	return leaked;
}
EXPORT_SYMBOL_GPL(shadow_remove);

static u64 counted(struct shadow_space *space, enum shadow_count what)
{
	return atomic64_read(&space->count[what]);
}

void shadow_stats(struct shadow_space *space, struct shadow_stats *stats)
{
	unsigned long flags = shadow_lock(space);

	stats->maps = space->maps;
	stats->unmaps = space->unmaps;
	stats->allocs = space->allocs;
	stats->frees = space->frees;
	stats->live = space->maps - space->unmaps + space->allocs - space->frees;
	stats->live_bytes = space->live_bytes;
	shadow_unlock(space, flags);
	stats->refused = counted(space, SHADOW_REFUSED);
	stats->failed = counted(space, SHADOW_FAILED);
	stats->shared_lines = counted(space, SHADOW_SHARED_LINES);
	stats->bad_unmaps = counted(space, SHADOW_BAD_UNMAPS);
	stats->bad_syncs = counted(space, SHADOW_BAD_SYNCS);
	stats->unmapped = counted(space, SHADOW_COUNT_UNMAPPED);
	stats->denied = counted(space, SHADOW_COUNT_DENIED);
}
EXPORT_SYMBOL_GPL(shadow_stats);

MODULE_DESCRIPTION("DMA mapping of simulated devices");
MODULE_LICENSE("GPL");
