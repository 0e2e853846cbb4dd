// SPDX-License-Identifier: GPL-2.0-only
/* What a driver can ask about memory and the controller. */
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/slab.h>
#include <linux/sizes.h>
#include <linux/sysfs.h>

#include "recipes.h"

#define SIZE	4096

/*
 * One buffer, and its three addresses. That is nothing to show to everybody:
 * only root can read it.
 */
static ssize_t address_facts(struct rig *rig, char *buf, ssize_t len)
{
	u8 *mem = kmalloc(SIZE, GFP_KERNEL);
	struct device *dev = rig->dma_dev;
	dma_addr_t dma;
	phys_addr_t phys;

	if (!mem)
		return -ENOMEM;
	dma = dma_map_single(dev, mem, SIZE, DMA_BIDIRECTIONAL);
	if (dma_mapping_error(dev, dma)) {
		kfree(mem);
		return -ENOMEM;
	}
	phys = virt_to_phys(mem);
	len += sysfs_emit_at(buf, len, "virtual address: 0x%lx\n", (unsigned long)mem);
	len += sysfs_emit_at(buf, len, "physical address: %pap\n", &phys);
	len += sysfs_emit_at(buf, len, "bus address: %pad\n", &dma);
	len += sysfs_emit_at(buf, len, "syncs do something: %s\n",
			     dma_need_sync(dev, dma) ? "yes" : "no");
	dma_unmap_single(dev, dma, SIZE, DMA_BIDIRECTIONAL);
	kfree(mem);
	return len;
}

static ssize_t limit_facts(struct rig *rig, char *buf, ssize_t len)
{
	struct device *dev = rig->dma_dev;

	len += sysfs_emit_at(buf, len, "address bits: %d\n", fls64(dma_get_mask(dev)));
	len += sysfs_emit_at(buf, len, "behind an IOMMU: %s\n",
			     device_iommu_mapped(dev) ? "yes" : "no");
	len += sysfs_emit_at(buf, len, "longest mapping: %zu\n", dma_max_mapping_size(dev));
	len += sysfs_emit_at(buf, len, "longest segment: %u\n", dma_get_max_seg_size(dev));
	len += sysfs_emit_at(buf, len, "segments do not cross: 0x%lx\n",
			     dma_get_seg_boundary(dev));
	len += sysfs_emit_at(buf, len, "cache alignment: %d\n", dma_get_cache_alignment());
	return len;
}

/*
 * So much in one piece can't come from the page allocator, whose largest block
 * is smaller. It can from CMA, memory that is kept for this purpose and lent to
 * whoever gives it back on request; and an IOMMU can make it of single pages.
 */
static ssize_t contiguous_facts(struct rig *rig, char *buf, ssize_t len)
{
	dma_addr_t dma;
	void *mem = dma_alloc_coherent(rig->dma_dev, SZ_16M, &dma, GFP_KERNEL | __GFP_NOWARN);

	len += sysfs_emit_at(buf, len, "16 MiB in one piece: %s\n", mem ? "yes" : "no");
	if (mem)
		dma_free_coherent(rig->dma_dev, SZ_16M, mem, dma);
	return len;
}

ssize_t recipe_facts(struct rig *rig, char *buf)
{
	ssize_t len = address_facts(rig, buf, 0);

	if (len < 0)
		return len;
	len = limit_facts(rig, buf, len);
	return contiguous_facts(rig, buf, len);
}
