// SPDX-License-Identifier: GPL-2.0-only
/*
 * A list's entries become ranges, which are entered into the list from its
 * beginning; the first entry without a length ends them. Empty entries are part
 * of no range.
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>

#include "core.h"

/* Where an entry's length and its range's are one field, ranges can't differ from entries. */
#define OWN_LENGTH	IS_ENABLED(CONFIG_NEED_SG_DMA_LENGTH)

/* What a range may be like, and where the list is read and written. */
struct walk {
	struct shadow_space *space;
	enum dma_data_direction dir;
	unsigned long attrs;
	u64 limit;
	u64 boundary;
	unsigned int max;

	struct scatterlist *in;
	unsigned int left;		/* entries from @in on */
	struct scatterlist *out;
	int ranges;
};

static void set_bounds(struct walk *walk)
{
	struct device *dev = walk->space->dev;

	walk->limit = shadow_limit(walk->space);
	walk->max = dma_get_max_seg_size(dev);
	walk->boundary = dma_get_seg_boundary(dev);
	/* Nothing that can be kept, or no boundary at all. */
	if (walk->boundary & (walk->boundary + 1))
		walk->boundary = U64_MAX;
}

static bool joins(const struct walk *walk, phys_addr_t first, u64 size, struct scatterlist *prev,
		  struct scatterlist *sg)
{
	u64 sum = size + sg->length;

	if (!OWN_LENGTH || walk->space->params.view != SHADOW_IOMMU)
		return false;
	return PAGE_ALIGNED(sg_phys(prev) + prev->length) && PAGE_ALIGNED(sg_phys(sg)) &&
	       sum <= walk->max && offset_in_page(first) + sum - 1 <= walk->boundary;
}

/* How many entries, from @walk->in on, make one range. */
static unsigned int count_range(const struct walk *walk)
{
	struct scatterlist *prev = walk->in, *sg = sg_next(prev);
	phys_addr_t first = sg_phys(prev);
	u64 size = prev->length;
	unsigned int count;

	for (count = 1; count < walk->left && sg; count++) {
		if (!sg->length || !joins(walk, first, size, prev, sg))
			break;
		size += sg->length;
		prev = sg;
		sg = sg_next(sg);
	}
	return count;
}

static int fill_range(struct walk *walk, struct shadow_map *map, unsigned int count)
{
	while (count--) {
		if (!shadow_is_memory(sg_phys(walk->in), walk->in->length))
			return -EINVAL;
		shadow_map_extend(map, sg_phys(walk->in), walk->in->length);
		walk->in = sg_next(walk->in);
		walk->left--;
	}
	return 0;
}

static void put_range(struct walk *walk, const struct shadow_map *map)
{
	sg_dma_address(walk->out) = map->addr;
	sg_dma_len(walk->out) = map->size;
	walk->out = sg_next(walk->out);
	walk->ranges++;
}

static int map_range(struct walk *walk, unsigned int nents)
{
	unsigned int count = count_range(walk);
	u64 boundary = max_t(u64, walk->boundary, PAGE_SIZE - 1);
	struct shadow_map *map;
	int err;

	map = shadow_map_new(SHADOW_SG, walk->dir, count, GFP_ATOMIC);
	if (!map)
		return -ENOMEM;
	map->nents = walk->ranges ? 0 : nents;
	err = fill_range(walk, map, count);
	if (!err && shadow_map_add(walk->space, map, walk->limit, boundary, walk->attrs))
		err = -ENOMEM;
	if (err)
		shadow_map_free(map);
	else
		put_range(walk, map);
	return err;
}

static int map_ranges(struct walk *walk)
{
	unsigned int nents = walk->left;
	int err = 0;

	while (walk->left && walk->in && !err) {
		if (walk->in->length) {
			err = map_range(walk, nents);
		} else {
			walk->in = sg_next(walk->in);
			walk->left--;
		}
	}
	if (!err && !walk->ranges)
		err = -EINVAL;
	return err;
}

static bool is_range(struct scatterlist *sg)
{
	return sg && sg_dma_len(sg);
}

static void unmap_range(struct shadow_space *space, struct scatterlist *sg,
			enum dma_data_direction dir, unsigned long attrs)
{
	struct shadow_map *map = shadow_map_take(space, sg_dma_address(sg), sg_dma_len(sg), dir,
						 SHADOW_SG);

	if (map)
		shadow_map_end(space, map, attrs);
}

/* Nobody has used the first ranges yet, so nothing is carried back. */
static void unwind(struct walk *walk, struct scatterlist *sgl)
{
	for (; walk->ranges; walk->ranges--, sgl = sg_next(sgl))
		unmap_range(walk->space, sgl, walk->dir, walk->attrs | DMA_ATTR_SKIP_CPU_SYNC);
	walk->out = sgl;
}

int shadow_map_list(struct shadow_space *space, struct scatterlist *sgl, int nents,
		    enum dma_data_direction dir, unsigned long attrs)
{
	struct walk walk = {
		.space = space, .dir = dir, .attrs = attrs,
		.in = sgl, .left = max(nents, 0), .out = sgl,
	};
	int err = -ENOMEM;

	if (shadow_refused(space))
		return err;
	if (space->params.view == SHADOW_NONCOHERENT && (attrs & DMA_ATTR_REQUIRE_COHERENT)) {
		err = -EINVAL;
	} else {
		set_bounds(&walk);
		err = map_ranges(&walk);
	}
	if (err) {
		shadow_count(space, SHADOW_FAILED);
		unwind(&walk, sgl);
		walk.out = sgl;
	}
	/* There is no range in the rest, whatever a former mapping left there. */
	if (OWN_LENGTH && walk.out && (err || walk.ranges < nents))
		sg_dma_len(walk.out) = 0;
	return err ?: walk.ranges;
}

/* How many entries were mapped with this list's first range; @nents if unknown. */
static int recorded_nents(struct shadow_space *space, struct scatterlist *sgl, int nents)
{
	struct shadow_map *map;
	unsigned long flags;

	flags = shadow_lock(space);
	map = shadow_map_find(space, sg_dma_address(sgl));
	if (map && map->kind == SHADOW_SG && map->nents)
		nents = map->nents;
	shadow_unlock(space, flags);
	return nents;
}

void shadow_unmap_list(struct shadow_space *space, struct scatterlist *sgl, int nents,
		       enum dma_data_direction dir, unsigned long attrs)
{
	int recorded = recorded_nents(space, sgl, nents), i;
	dma_addr_t addr = sg_dma_address(sgl);
	struct scatterlist *sg = sgl;

	if (recorded != nents) {
		shadow_count(space, SHADOW_BAD_UNMAPS);
		dev_warn_ratelimited(space->dev,
				     "unmapping %d entries at %pad: %d were mapped\n", nents,
				     &addr, recorded);
	}
	for (i = 0; i < recorded && is_range(sg); i++, sg = sg_next(sg))
		unmap_range(space, sg, dir, attrs);
}

void shadow_sync_list(struct shadow_space *space, struct scatterlist *sgl, int nents,
		      enum dma_data_direction dir, bool to_device)
{
	struct scatterlist *sg = sgl;
	int i;

	for (i = 0; i < nents && is_range(sg); i++, sg = sg_next(sg))
		shadow_sync(space, sg_dma_address(sg), sg_dma_len(sg), dir, to_device);
}
