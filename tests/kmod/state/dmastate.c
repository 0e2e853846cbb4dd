// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel knows of each device's DMA, a line for each, in the debugfs file
 * "dmastate": who has changed what, and has it back as it was?
 */
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include <compat/buses.h>
#include <compat/dma-ops.h>

static const struct {
	const char *name;
	compat_bus_type *type;
} buses[] = {
#define BUS(bus_name, bus_type)	{ (bus_name), (bus_type) }
	BUS("platform", &platform_bus_type),
	COMPAT_PCI_BUS(BUS)
	COMPAT_AMBA_BUS(BUS)
};

struct listing {
	struct seq_file *seq;
	const char *bus;
};

/* Its lock is held, so no driver comes or goes. */
static void show_state(struct seq_file *seq, struct device *dev)
{
	struct compat_dma_marks marks = compat_dma_marks(dev);

	seq_printf(seq, "driver=%s ops=%ps iommu=%d skip_sync=%d",
		   dev->driver ? dev->driver->name : "-", compat_device_dma_ops(dev), marks.iommu,
		   marks.skip_sync);
	seq_printf(seq, " mask=%#llx coherent_mask=%#llx limit=%#llx ranges=%d",
		   dma_get_mask(dev), dev->coherent_dma_mask, (u64)dev->bus_dma_limit,
		   !!dev->dma_range_map);
	seq_printf(seq, " parms=%d segment=%u boundary=%#lx align=%#x\n", !!dev->dma_parms,
		   dma_get_max_seg_size(dev), dma_get_seg_boundary(dev),
		   dma_get_min_align_mask(dev));
}

static int show_device(struct device *dev, void *data)
{
	struct listing *listing = data;

	device_lock(dev);
	if (dev->dma_mask) {
		seq_printf(listing->seq, "%s:%s ", listing->bus, dev_name(dev));
		show_state(listing->seq, dev);
	}
	device_unlock(dev);
	return 0;
}

static int state_show(struct seq_file *seq, void *unused)
{
	struct listing listing = { .seq = seq };
	int i;

	for (i = 0; i < ARRAY_SIZE(buses); i++) {
		listing.bus = buses[i].name;
		bus_for_each_dev(buses[i].type, NULL, &listing, show_device);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(state);

static struct dentry *file;

static int __init state_init(void)
{
	file = debugfs_create_file(KBUILD_MODNAME, 0400, NULL, NULL, &state_fops);
	return PTR_ERR_OR_ZERO(file);
}

static void __exit state_exit(void)
{
	debugfs_remove(file);
}

module_init(state_init);
module_exit(state_exit);
MODULE_DESCRIPTION("Shows what the kernel knows of each device's DMA");
MODULE_LICENSE("GPL");
