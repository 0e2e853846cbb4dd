// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scatterlists: each entry is mapped for itself, nothing is merged.
 */
#include <linux/dma-mapping.h>
#include <linux/errno.h>
#include <linux/scatterlist.h>

#include "dmasan.h"

/* What the device's driver has said of the longest segment and of boundaries. */
static void check_segment(struct san_device *san, struct scatterlist *sg,
			  enum dma_data_direction dir)
{
	struct device *dev = san->twin.real;
	u64 boundary = dma_get_seg_boundary(dev);
	u64 first = sg_dma_address(sg), last = first + sg_dma_len(sg) - 1;
	struct san_finding finding = {
		.kind = SAN_SEGMENT, .addr = first, .size = sg->length, .dir = dir,
	};

	if (sg->length > dma_get_max_seg_size(dev)) {
		finding.expected = dma_get_max_seg_size(dev);
		finding.seen = sg->length;
	} else if ((first & ~boundary) != (last & ~boundary)) {
		finding.expected = boundary;
		finding.seen = last;
	} else {
		return;
	}
	san_report(san, &finding);
}

static int map_entry(struct san_device *san, struct scatterlist *sg,
		     enum dma_data_direction dir, unsigned long attrs, int nents)
{
	dma_addr_t addr = san_map_memory(san, sg_phys(sg), sg->length, dir, attrs, SAN_LIST,
					 nents);

	if (addr == DMA_MAPPING_ERROR)
		return -EIO;
	sg_dma_address(sg) = addr;
	sg_dma_len(sg) = sg->length;
	check_segment(san, sg, dir);
	return 0;
}

/* Nobody has used them yet. */
static void unwind(struct san_device *san, struct scatterlist *sgl, int count,
		   enum dma_data_direction dir)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, count, i)
		san_unmap_memory(san, sg_dma_address(sg), sg_dma_len(sg), dir,
				 DMA_ATTR_SKIP_CPU_SYNC, SAN_LIST);
}

int san_map_list(struct san_device *san, struct scatterlist *sgl, int nents,
		 enum dma_data_direction dir, unsigned long attrs)
{
	struct scatterlist *sg;
	int i, err;

	if (san_inject(san))
		return -ENOMEM;
	for_each_sg(sgl, sg, nents, i) {
		err = map_entry(san, sg, dir, attrs, i ? 0 : nents);
		if (err) {
			unwind(san, sgl, i, dir);
			return err;
		}
	}
	return nents;
}

/* How many entries were mapped with this list's first; @nents if that is unknown. */
static int check_nents(struct san_device *san, struct scatterlist *sgl, int nents,
		       enum dma_data_direction dir)
{
	struct san_findings findings = {};
	struct san_finding *finding;
	struct san_map *map;
	unsigned long flags;
	int mapped = nents;

	read_lock_irqsave(&san->lock, flags);
	map = san_tree_at(&san->maps, sg_dma_address(sgl), sg_dma_len(sgl), dir);
	if (map && map->type == SAN_LIST && map->nents)
		mapped = map->nents;
	if (mapped != nents) {
		finding = san_find(&findings, SAN_WRONG_NENTS, map);
		if (finding) {
			finding->expected = mapped;
			finding->seen = nents;
		}
	}
	read_unlock_irqrestore(&san->lock, flags);
	san_report_all(san, &findings);
	return mapped;
}

void san_unmap_list(struct san_device *san, struct scatterlist *sgl, int nents,
		    enum dma_data_direction dir, unsigned long attrs)
{
	int mapped = check_nents(san, sgl, nents, dir), i;
	struct scatterlist *sg = sgl;

	/* It may be another list than was mapped, with the same beginning. */
	for (i = 0; sg && i < mapped; i++, sg = sg_next(sg))
		san_unmap_memory(san, sg_dma_address(sg), sg_dma_len(sg), dir, attrs, SAN_LIST);
}

void san_sync_list(struct san_device *san, struct scatterlist *sgl, int nents,
		   enum dma_data_direction dir, bool to_device)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, nents, i)
		san_sync(san, sg_dma_address(sg), sg_dma_len(sg), dir, to_device);
}
