// SPDX-License-Identifier: GPL-2.0-only
/*
 * What devices reach by DMA, in debugfs: of platform devices, and of what is below them,
 * the kernel tells it nowhere else.
 */
#include <linux/bitops.h>
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/platform_device.h>
#include <linux/seq_file.h>

#include "dmafd.h"

/* Many a driver's mask is its own memory, and only there as long as the driver is. */
static void show_masks(struct seq_file *seq, struct device *dev)
{
	device_lock_assert(dev);
	if (!dev->driver || !dev->dma_mask)
		return;
	seq_printf(seq, "%s dma_mask=%u coherent_mask=%u coherent=%d max_segment=%u\n",
		   dev_name(dev), fls64(*dev->dma_mask), fls64(dev->coherent_dma_mask),
		   dev_is_dma_coherent(dev), dma_get_max_seg_size(dev));
}

/* A device that is being bound is left out: that can take for ever. */
static int show_device(struct device *dev, void *data)
{
	if (device_trylock(dev)) {
		show_masks(data, dev);
		device_unlock(dev);
	}
	return device_for_each_child(dev, data, show_device);
}

static int devices_show(struct seq_file *seq, void *unused)
{
	return device_for_each_child(&platform_bus, seq, show_device);
}
DEFINE_SHOW_ATTRIBUTE(devices);

void dmafd_devices_init(struct dentry *folder)
{
	debugfs_create_file("devices", 0400, folder, NULL, &devices_fops);
}
