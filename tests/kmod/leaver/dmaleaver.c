// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps memory for the device of another module, as a client of a DMA controller does,
 * and is unloaded without having unmapped it.
 *
 *	# insmod dmaleaver.ko device=0000:00:01.0
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/pci.h>

static char *device = "";
module_param(device, charp, 0444);
MODULE_PARM_DESC(device, "of the bus pci, which has a driver");

/* The device may use it for good. */
static noinline int map_for_good(struct device *dev)
{
	void *page = (void *)get_zeroed_page(GFP_KERNEL | GFP_DMA);
	dma_addr_t addr;

	if (!page)
		return -ENOMEM;
	addr = dma_map_single(dev, page, 100, DMA_TO_DEVICE);
	if (!dma_mapping_error(dev, addr))
		return 0;
	free_page((unsigned long)page);
	return -EIO;
}

static int __init leaver_init(void)
{
	struct device *dev = bus_find_device_by_name(&pci_bus_type, NULL, device);
	int err;

	if (!dev)
		return -ENODEV;
	err = map_for_good(dev);
	put_device(dev);
	return err;
}

static void __exit leaver_exit(void) { }

module_init(leaver_init);
module_exit(leaver_exit);
MODULE_DESCRIPTION("Maps memory for a device and leaves it so");
MODULE_LICENSE("GPL");
