/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The buses whose devices do DMA, as far as this kernel has them, and what their
 * type is: it became constant.
 */
#ifndef COMPAT_BUSES_H
#define COMPAT_BUSES_H

#include <linux/amba/bus.h>
#include <linux/pci.h>
#include <linux/platform_device.h>

#define compat_bus_type		typeof(platform_bus_type)

/* An initializer, made by @BUS(NAME, TYPE), or nothing. */
#ifdef CONFIG_PCI
#define COMPAT_PCI_BUS(BUS)	BUS("pci", &pci_bus_type),
#else
#define COMPAT_PCI_BUS(BUS)
#endif

#ifdef CONFIG_ARM_AMBA
#define COMPAT_AMBA_BUS(BUS)	BUS("amba", &amba_bustype),
#else
#define COMPAT_AMBA_BUS(BUS)
#endif

/* The node is another device's, such as the parent's; the mark became a function. */
static inline bool compat_of_node_reused(struct device *dev)
{
#ifdef COMPAT_HAS_NODE_FLAG
	return dev_of_node_reused(dev);
#else
	return dev->of_node_reused;
#endif
}

#endif
