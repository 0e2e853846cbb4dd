// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers as a controller sees them. A buffer is mapped once, without any copying
 * or flushing; that is done for exactly the range that a job uses, before and
 * after it. What the CPU writes beside the range meanwhile is not touched.
 *
 * An imported buffer is mapped by its exporter, and nothing is done before or
 * after a job.
 */
#include <linux/cache.h>
#include <linux/dma-mapping.h>
#include <linux/slab.h>

#include "dmafd.h"
#include "trace.h"

unsigned int dmafd_line(void)
{
	return max_t(unsigned int, dma_get_cache_alignment(), cache_line_size());
}

/* ---- scatterlists ---- */

/* What the controller takes as one segment; not more than can be mapped as one. */
static size_t segment_limit(struct device *dev)
{
	return min_t(size_t, dma_get_max_seg_size(dev), dma_max_mapping_size(dev));
}

/* How long the entry is that begins there. No cache line is in two of them. */
static size_t small_length(const struct dmafd_buf *buf, size_t at, size_t limit)
{
	size_t offset = offset_in_page(buf->first + at), line = dmafd_line();

	if (limit > line)
		limit = round_down(limit, line) - (offset & (line - 1));
	return min3(limit, (size_t)PAGE_SIZE - offset, buf->length - at);
}

unsigned int dmafd_segment_limit(struct device *dev)
{
	size_t limit = min_t(size_t, segment_limit(dev), UINT_MAX);

	return max_t(size_t, limit & PAGE_MASK, PAGE_SIZE);
}

static unsigned long count_small(const struct dmafd_buf *buf, size_t limit)
{
	unsigned long count = 0;
	size_t at;

	for (at = 0; at < buf->length; at += small_length(buf, at, limit))
		count++;
	return count;
}

/* Entries that are less than a page. */
static int small_entries(struct dmafd_map *map, const struct dmafd_buf *buf, size_t limit)
{
	unsigned long count = count_small(buf, limit);
	struct scatterlist *sg;
	size_t at, n;
	int err;

	if (count > INT_MAX)
		return -ENOMEM;
	err = sg_alloc_table(&map->sgt, count, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (err)
		return err;
	for (at = 0, sg = map->sgt.sgl; at < buf->length; at += n, sg = sg_next(sg)) {
		n = small_length(buf, at, limit);
		sg_set_page(sg, buf->pages[(buf->first + at) >> PAGE_SHIFT], n,
			    offset_in_page(buf->first + at));
	}
	return 0;
}

static int make_entries(struct dmafd_map *map, const struct dmafd_buf *buf)
{
	size_t limit = segment_limit(map->ctrl->dev);

	if (!limit)
		return -EIO;
	if (limit < PAGE_SIZE)
		return small_entries(map, buf, limit);
	if (buf->count > INT_MAX)
		return -ENOMEM;
	return sg_alloc_table_from_pages_segment(&map->sgt, buf->pages, buf->count, buf->first,
						 buf->length,
						 dmafd_segment_limit(map->ctrl->dev),
						 GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
}

/* ---- parts ---- */

/* Walks the list of the CPU and that of the device side by side. */
struct walk {
	struct scatterlist *cpu, *device;
	size_t cpu_at, device_at;
};

static size_t step(struct walk *walk, size_t left, dma_addr_t *addr)
{
	size_t n;

	if (walk->cpu_at == walk->cpu->length) {
		walk->cpu = sg_next(walk->cpu);
		walk->cpu_at = 0;
	}
	if (walk->device_at == sg_dma_len(walk->device)) {
		walk->device = sg_next(walk->device);
		walk->device_at = 0;
	}
	n = min3(left, walk->cpu->length - walk->cpu_at,
		 sg_dma_len(walk->device) - walk->device_at);
	*addr = sg_dma_address(walk->device) + walk->device_at;
	walk->cpu_at += n;
	walk->device_at += n;
	return n;
}

/* How many parts there are; and what they are, unless @part is NULL. */
static unsigned int lay_out(const struct dmafd_map *map, size_t length, struct dmafd_part *part)
{
	struct walk walk = { .cpu = map->sgt.sgl, .device = map->sgt.sgl };
	unsigned int count = 0;
	dma_addr_t addr;
	size_t at, n;

	for (at = 0; at < length; at += n, count++) {
		n = step(&walk, length - at, &addr);
		if (part)
			part[count] = (struct dmafd_part){ .addr = addr, .at = at, .len = n };
	}
	return count;
}

/* The same of an imported buffer, of which the CPU's side is not known. */
static unsigned int lay_out_foreign(const struct dmafd_map *map, size_t length,
				    struct dmafd_part *part)
{
	unsigned int count = 0, i;
	struct scatterlist *sg;
	size_t at = 0, n;

	for_each_sgtable_dma_sg(map->foreign, sg, i) {
		n = min_t(size_t, sg_dma_len(sg), length - at);
		if (!n)
			continue;
		if (part)
			part[count] = (struct dmafd_part){
				.addr = sg_dma_address(sg), .at = at, .len = n,
			};
		at += n;
		count++;
	}
	/* Not more than the exporter had said. */
	return at == length ? count : 0;
}

static int make_foreign_parts(struct dmafd_map *map, const struct dmafd_buf *buf)
{
	map->line = 1;
	map->parts = lay_out_foreign(map, buf->length, NULL);
	if (!map->parts)
		return -EIO;
	map->part = kvmalloc_array(map->parts, sizeof(*map->part),
				   GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!map->part)
		return -ENOMEM;
	lay_out_foreign(map, buf->length, map->part);
	return 0;
}

static int make_parts(struct dmafd_map *map, const struct dmafd_buf *buf)
{
	unsigned int i;

	if (buf->dmabuf)
		return make_foreign_parts(map, buf);
	map->parts = lay_out(map, buf->length, NULL);
	map->part = kvmalloc_array(map->parts, sizeof(*map->part),
				   GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!map->part)
		return -ENOMEM;
	lay_out(map, buf->length, map->part);
	for (i = 0; i < map->parts && !map->sync; i++)
		map->sync = dma_need_sync(map->ctrl->dev, map->part[i].addr);
	map->line = map->sync ? dmafd_line() : 1;
	return 0;
}

/* ---- mappings ---- */

/* The device may not write what is only read; it may always read what it writes. */
static enum dma_data_direction direction_of(const struct dmafd_buf *buf)
{
	return buf->access & DMAFD_BUF_WRITE ? DMA_BIDIRECTIONAL : DMA_TO_DEVICE;
}

static int map_entries(struct dmafd_map *map)
{
	int err = dma_map_sgtable(map->ctrl->dev, &map->sgt, map->dir, DMA_ATTR_SKIP_CPU_SYNC);

	/* All others tell that the device does not get there. */
	return !err || err == -ENOMEM ? err : -EIO;
}

static int map_now(struct dmafd_map *map, const struct dmafd_buf *buf)
{
	struct dmafd_ctrl *ctrl = map->ctrl;
	int err = -ENODEV;

	mutex_lock(&ctrl->lock);
	if (!ctrl->gone)
		err = buf->dmabuf ? dmafd_import_map(map, buf->dmabuf) : map_entries(map);
	if (!err) {
		map->mapped = true;
		list_add(&map->node, &ctrl->maps);
		trace_dmafd_map(map);
	}
	mutex_unlock(&ctrl->lock);
	return err;
}

void dmafd_map_undo(struct dmafd_map *map)
{
	lockdep_assert_held(&map->ctrl->lock);

	if (!map->mapped)
		return;
	trace_dmafd_unmap(map);
	if (map->attachment)
		dmafd_import_unmap(map);
	else
		dma_unmap_sgtable(map->ctrl->dev, &map->sgt, map->dir, DMA_ATTR_SKIP_CPU_SYNC);
	map->mapped = false;
	list_del(&map->node);
}

static struct dmafd_map *make_map(struct dmafd_buf *buf, struct dmafd_ctrl *ctrl)
{
	struct dmafd_map *map = kzalloc(sizeof(*map), GFP_KERNEL_ACCOUNT);
	int err = 0;

	if (!map)
		return ERR_PTR(-ENOMEM);
	map->ctrl = ctrl;
	map->length = buf->length;
	map->dir = direction_of(buf);
	dmafd_ctrl_hold(ctrl);
	if (!buf->dmabuf)
		err = make_entries(map, buf);
	if (!err)
		err = map_now(map, buf);
	if (!err)
		err = make_parts(map, buf);
	if (!err)
		err = xa_err(xa_store(&buf->maps, ctrl->id, map, GFP_KERNEL_ACCOUNT));
	if (err) {
		dmafd_map_free(map);
		return ERR_PTR(err);
	}
	return map;
}

void dmafd_map_free(struct dmafd_map *map)
{
	mutex_lock(&map->ctrl->lock);
	dmafd_map_undo(map);
	mutex_unlock(&map->ctrl->lock);
	sg_free_table(&map->sgt);
	kfree(map->raw);
	kvfree(map->part);
	dmafd_ctrl_put(map->ctrl);
	kfree(map);
}

struct dmafd_map *dmafd_map_search(struct dmafd_buf *buf, struct dmafd_ctrl *ctrl)
{
	struct dmafd_map *map = xa_load(&buf->maps, ctrl->id) ?: make_map(buf, ctrl);

	if (!IS_ERR(map))
		buf->recent = map;
	return map;
}

static struct dmafd_map *make_raw(const struct dmafd_map *map)
{
	struct dmafd_map *raw = kzalloc(sizeof(*raw), GFP_KERNEL_ACCOUNT);

	if (!raw)
		return ERR_PTR(-ENOMEM);
	raw->ctrl = map->ctrl;
	raw->dir = map->dir;
	raw->line = 1;
	raw->parts = map->parts;
	raw->part = map->part;
	return raw;
}

struct dmafd_map *dmafd_map_raw(struct dmafd_buf *buf, struct dmafd_map *map)
{
	struct dmafd_map *raw = make_raw(map);

	if (IS_ERR(raw))
		return raw;
	/* What the program handed over before is for this device, too. */
	mutex_lock(&map->ctrl->lock);
	if (map->mapped)
		dmafd_map_for_device(map, 0, buf->length);
	map->raw = raw;
	mutex_unlock(&map->ctrl->lock);
	return raw;
}

/* ---- places ---- */

const struct dmafd_part *dmafd_map_search_part(const struct dmafd_map *map, size_t at)
{
	unsigned int low = 0, high = map->parts - 1, middle;

	/* The last part that does not begin behind it. */
	while (low < high) {
		middle = low + (high - low + 1) / 2;
		if (map->part[middle].at <= at)
			low = middle;
		else
			high = middle - 1;
	}
	return &map->part[low];
}

void dmafd_map_seek(const struct dmafd_map *map, size_t at, struct dmafd_place *place)
{
	const struct dmafd_part *part = dmafd_map_part(map, at);

	place->part = part - map->part;
	place->at = at - part->at;
}

size_t dmafd_map_run(const struct dmafd_map *map, const struct dmafd_place *place, size_t want)
{
	const struct dmafd_part *part = &map->part[place->part];
	const struct dmafd_part *end = &map->part[map->parts];
	size_t run = part->len - place->at;

	for (; run < want && part + 1 < end && part[1].addr == part->addr + part->len; part++)
		run += part[1].len;
	return min(run, want);
}

void dmafd_map_advance(const struct dmafd_map *map, struct dmafd_place *place, size_t len)
{
	place->at += len;
	while (place->part + 1 < map->parts && place->at >= map->part[place->part].len)
		place->at -= map->part[place->part++].len;
}

/* ---- handing over ---- */

typedef void (*sync_function)(struct device *dev, dma_addr_t addr, size_t len,
			      enum dma_data_direction dir);

static void sync_range(const struct dmafd_map *map, size_t at, size_t len, sync_function sync)
{
	struct dmafd_place place;
	size_t n;

	if (!map->sync || !len)
		return;
	dmafd_map_seek(map, at, &place);
	for (; len; len -= n) {
		n = min(len, map->part[place.part].len - place.at);
		sync(map->ctrl->dev, dmafd_map_addr(map, &place), n, map->dir);
		dmafd_map_advance(map, &place, n);
	}
}

static void sync_for_device(struct device *dev, dma_addr_t addr, size_t len,
			    enum dma_data_direction dir)
{
	dma_sync_single_for_device(dev, addr, len, dir);
}

static void sync_for_cpu(struct device *dev, dma_addr_t addr, size_t len,
			 enum dma_data_direction dir)
{
	dma_sync_single_for_cpu(dev, addr, len, dir);
}

void dmafd_map_for_device(const struct dmafd_map *map, size_t at, size_t len)
{
	if (map->sync && len)
		trace_dmafd_sync(map, len, true);
	sync_range(map, at, len, sync_for_device);
}

void dmafd_map_for_cpu(const struct dmafd_map *map, size_t at, size_t len)
{
	if (map->sync && len)
		trace_dmafd_sync(map, len, false);
	sync_range(map, at, len, sync_for_cpu);
}

void dmafd_map_piece_for_device(const struct dmafd_map *map, dma_addr_t addr, size_t len)
{
	if (!map->sync)
		return;
	trace_dmafd_sync(map, len, true);
	dma_sync_single_for_device(map->ctrl->dev, addr, len, map->dir);
}

void dmafd_map_piece_for_cpu(const struct dmafd_map *map, dma_addr_t addr, size_t len)
{
	if (!map->sync)
		return;
	trace_dmafd_sync(map, len, false);
	dma_sync_single_for_cpu(map->ctrl->dev, addr, len, map->dir);
}
