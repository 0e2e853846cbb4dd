// SPDX-License-Identifier: GPL-2.0-only
#include <linux/dma-mapping.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#include "dmasan.h"

/* ---- records ---- */

struct san_map *san_map_new(enum san_type type, enum dma_data_direction dir, gfp_t gfp)
{
	struct san_map *map = kzalloc(sizeof(*map), gfp | __GFP_NOWARN);

	if (!map)
		return NULL;
	san_map_begin(map, type, dir);
	return map;
}

void san_map_begin(struct san_map *map, enum san_type type, enum dma_data_direction dir)
{
	map->type = type;
	map->dir = dir;
	spin_lock_init(&map->lock);
	INIT_LIST_HEAD(&map->quarantine);
	if (READ_ONCE(san_stacks))
		san_trace_here(&map->mapped);
}

void san_map_free(struct san_map *map)
{
	if (!map)
		return;
	kfree(map->block.bits);
	kfree(map->block.copy);
	kfree(map);
}

void san_map_publish(struct san_device *san, struct san_map *map)
{
	unsigned long flags;

	write_lock_irqsave(&san->lock, flags);
	san_tree_add(&san->maps, map);
	write_unlock_irqrestore(&san->lock, flags);
}

bool san_inject(struct san_device *san)
{
	unsigned int every = READ_ONCE(san_fail_every);
	struct san_trace here;
	unsigned long flags;

	if (!every || (unsigned int)atomic_inc_return(&san->asked) % every)
		return false;
	san_trace_here(&here);
	write_lock_irqsave(&san->lock, flags);
	san->injected = here;
	write_unlock_irqrestore(&san->lock, flags);
	san_count(san, SAN_COUNT_INJECTED);
	return true;
}

/* ---- what does not agree ---- */

/* Memory of the kernel's goes by the function that it came by; the rest by its kind. */
static bool same_family(enum san_type mapped, enum san_type type)
{
	if (mapped == SAN_SINGLE || mapped == SAN_LIST)
		return type == SAN_SINGLE || type == SAN_LIST;
	return mapped == type;
}

static void compare(const struct san_map *map, size_t size, enum dma_data_direction dir,
		    enum san_type type, struct san_findings *findings)
{
	struct san_finding *finding = NULL;

	if (map->size != size) {
		finding = san_find(findings, SAN_WRONG_SIZE, map);
		if (finding) {
			finding->expected = map->size;
			finding->seen = size;
		}
	}
	if (map->dir != dir) {
		finding = san_find(findings, SAN_WRONG_DIRECTION, map);
		if (finding) {
			finding->expected = map->dir;
			finding->seen = dir;
		}
	}
	if (map->type != type)
		san_find(findings, SAN_WRONG_FUNCTION, map);
}

static void report_injected(struct san_device *san, size_t size, enum dma_data_direction dir)
{
	struct san_finding finding = {
		.kind = SAN_UNCHECKED_ERROR, .addr = DMA_MAPPING_ERROR, .size = size, .dir = dir,
	};
	unsigned long flags;

	read_lock_irqsave(&san->lock, flags);
	finding.mapped = san->injected;
	read_unlock_irqrestore(&san->lock, flags);
	san_report(san, &finding);
}

/* Nothing is mapped there now; perhaps something was. */
static void report_missing(struct san_device *san, dma_addr_t addr, size_t size,
			   enum dma_data_direction dir, enum san_kind kind,
			   enum san_kind was_kind)
{
	struct san_findings findings = {};
	struct san_map *gone;
	unsigned long flags;

	if (addr == DMA_MAPPING_ERROR) {
		report_injected(san, size, dir);
		return;
	}
	read_lock_irqsave(&san->lock, flags);
	/* Addresses are unmapped as they were mapped, and synchronized anywhere. */
	if (kind == SAN_BAD_SYNC)
		gone = san_tree_with(&san->gone, addr);
	else
		gone = san_tree_at(&san->gone, addr, size, dir);
	if (gone)
		san_find(&findings, was_kind, gone);
	read_unlock_irqrestore(&san->lock, flags);
	if (findings.count)
		san_report_all(san, &findings);
	else
		san_report_call(san, kind, addr, size, dir);
}

struct san_map *san_map_take(struct san_device *san, dma_addr_t addr, size_t size,
			     enum dma_data_direction dir, enum san_type type)
{
	struct san_findings findings = {};
	struct san_map *map;
	unsigned long flags;

	write_lock_irqsave(&san->lock, flags);
	map = san_tree_at(&san->maps, addr, size, dir);
	if (map && !same_family(map->type, type))
		map = NULL;
	if (map)
		san_tree_del(&san->maps, map);
	write_unlock_irqrestore(&san->lock, flags);

	if (!map) {
		report_missing(san, addr, size, dir,
			       type == SAN_BUFFER ? SAN_BAD_FREE : SAN_BAD_UNMAP,
			       type == SAN_BUFFER ? SAN_BAD_FREE : SAN_DOUBLE_UNMAP);
		return NULL;
	}
	compare(map, size, dir, type, &findings);
	san_report_all(san, &findings);
	return map;
}

/* ---- memory ---- */

/* The device can't reach the last of what is mapped, if it ever could. */
void san_check_mask(struct san_device *san, u64 mask)
{
	struct san_findings findings = {};
	struct san_finding *finding = NULL;
	struct san_map *map;
	unsigned long flags;

	read_lock_irqsave(&san->lock, flags);
	map = rb_entry_safe(rb_last(&san->maps), struct san_map, node);
	if (map && map->addr + map->size - 1 > mask)
		finding = san_find(&findings, SAN_ABOVE_MASK, map);
	if (finding) {
		finding->expected = mask;
		finding->seen = map->addr + map->size - 1;
	}
	read_unlock_irqrestore(&san->lock, flags);
	san_report_all(san, &findings);
}

/* As it would be without us. */
static int map_itself(struct san_device *san, struct san_map *map)
{
	struct device *twin = san->twin.dev;

	map->addr = dma_map_page_attrs(twin, pfn_to_page(PHYS_PFN(map->phys)),
				       offset_in_page(map->phys), map->size, map->dir,
				       map->attrs);
	if (dma_mapping_error(twin, map->addr))
		return -EIO;
	san_count(san, SAN_COUNT_UNSHADOWED);
	return 0;
}

static int map_somehow(struct san_device *san, struct san_map *map)
{
	shadow_twin_refresh(&san->twin);
	if (!san_block_make(san, map))
		return 0;
	return map_itself(san, map);
}

static struct san_map *new_record(struct san_device *san, phys_addr_t phys, size_t size,
				  enum dma_data_direction dir, enum san_type type)
{
	struct san_map *map = san_block_spare(san, phys, size);

	if (!map)
		return san_map_new(type, dir, GFP_ATOMIC);
	san_map_begin(map, type, dir);
	return map;
}

dma_addr_t san_map_memory(struct san_device *san, phys_addr_t phys, size_t size,
			  enum dma_data_direction dir, unsigned long attrs,
			  enum san_type type, int nents)
{
	struct san_map *map;
	dma_addr_t addr;

	if (!san_is_memory(phys, size)) {
		san_report_call(san, SAN_NO_MEMORY, phys, size, dir);
		return DMA_MAPPING_ERROR;
	}
	map = new_record(san, phys, size, dir, type);
	if (!map)
		return DMA_MAPPING_ERROR;
	map->phys = phys;
	map->size = size;
	map->attrs = attrs;
	map->nents = nents;
	if (map_somehow(san, map)) {
		san_map_free(map);
		return DMA_MAPPING_ERROR;
	}
	san_count(san, SAN_COUNT_MAPS);
	san_edges_note(map);
	san_check_source(san, map);
	/* The record is not ours any more when it is known. */
	addr = map->addr;
	san_map_publish(san, map);
	return addr;
}

/* Memory that is free belongs to others: it is not even looked at. */
static void end_content(struct san_device *san, struct san_map *map, bool carry)
{
	struct san_findings findings = {};

	if (!san_check_freed(map, &findings)) {
		san_edges_check(map, &findings);
		if (map->block.vaddr)
			san_check_end(map, carry, &findings);
	}
	san_report_all(san, &findings);
}

static void end_block(struct san_device *san, struct san_map *map)
{
	struct san_findings findings = {};

	san_block_mend(map, &findings);
	san_report_all(san, &findings);
	san_quarantine_add(san, map);
}

void san_unmap_memory(struct san_device *san, dma_addr_t addr, size_t size,
		      enum dma_data_direction dir, unsigned long attrs, enum san_type type)
{
	struct san_map *map = san_map_take(san, addr, size, dir, type);

	if (!map)
		return;
	if (map->block.vaddr)
		san_block_for_cpu(san, map);
	end_content(san, map, !(attrs & DMA_ATTR_SKIP_CPU_SYNC));
	if (map->block.vaddr) {
		end_block(san, map);
		return;
	}
	dma_unmap_page_attrs(san->twin.dev, map->addr, map->size, map->dir, attrs);
	san_map_free(map);
}

/* ---- registers of other devices, which nobody watches ---- */

dma_addr_t san_map_registers(struct san_device *san, phys_addr_t phys, size_t size,
			     enum dma_data_direction dir, unsigned long attrs)
{
	struct san_map *map = san_map_new(SAN_RESOURCE, dir, GFP_ATOMIC);
	dma_addr_t addr;

	if (!map)
		return DMA_MAPPING_ERROR;
	addr = dma_map_resource(san->twin.dev, phys, size, dir, attrs);
	if (dma_mapping_error(san->twin.dev, addr)) {
		san_map_free(map);
		return addr;
	}
	map->addr = addr;
	map->phys = phys;
	map->size = size;
	map->attrs = attrs;
	san_map_publish(san, map);
	return addr;
}

void san_unmap_registers(struct san_device *san, dma_addr_t addr, size_t size,
			 enum dma_data_direction dir, unsigned long attrs)
{
	struct san_map *map = san_map_take(san, addr, size, dir, SAN_RESOURCE);

	if (!map)
		return;
	dma_unmap_resource(san->twin.dev, map->addr, map->size, map->dir, attrs);
	san_map_free(map);
}

/* ---- synchronization ---- */

static bool may_sync(const struct san_map *map)
{
	return map->type != SAN_RESOURCE && map->type != SAN_BUFFER;
}

static void compare_sync(const struct san_map *map, dma_addr_t addr, size_t size,
			 enum dma_data_direction dir, struct san_findings *findings)
{
	struct san_finding *finding = NULL;

	if (map->dir != dir && map->dir != DMA_BIDIRECTIONAL) {
		finding = san_find(findings, SAN_WRONG_DIRECTION, map);
		if (finding) {
			finding->expected = map->dir;
			finding->seen = dir;
		}
	}
	if (size > map->size - (addr - map->addr)) {
		finding = san_find(findings, SAN_BAD_SYNC, map);
		if (finding) {
			finding->offset = addr - map->addr;
			finding->expected = map->size - finding->offset;
			finding->seen = size;
		}
	}
}

static void sync_block(struct san_device *san, struct san_map *map, size_t offset, size_t size,
		       bool to_device, struct san_findings *findings)
{
	lockdep_assert_held(&san->lock);
	spin_lock(&map->lock);
	san_block_for_cpu(san, map);
	if (to_device)
		san_check_for_device(map, offset, size, findings);
	else
		san_check_for_cpu(map, offset, size, findings);
	san_block_mend(map, findings);
	san_block_for_device(san, map);
	spin_unlock(&map->lock);
}

static void sync_itself(struct san_device *san, dma_addr_t addr, size_t size,
			enum dma_data_direction dir, bool to_device)
{
	if (to_device)
		dma_sync_single_for_device(san->twin.dev, addr, size, dir);
	else
		dma_sync_single_for_cpu(san->twin.dev, addr, size, dir);
}

/* True if something is mapped there; the lock keeps it there. */
static bool sync_known(struct san_device *san, dma_addr_t addr, size_t size,
		       enum dma_data_direction dir, bool to_device,
		       struct san_findings *findings)
{
	struct san_map *map;
	unsigned long flags;
	bool known;

	read_lock_irqsave(&san->lock, flags);
	map = san_tree_with(&san->maps, addr);
	known = map && may_sync(map);
	if (known) {
		compare_sync(map, addr, size, dir, findings);
		size = min_t(size_t, size, map->size - (addr - map->addr));
		if (size && map->block.vaddr)
			sync_block(san, map, addr - map->addr, size, to_device, findings);
		else if (size)
			sync_itself(san, addr, size, map->dir, to_device);
	}
	read_unlock_irqrestore(&san->lock, flags);
	return known;
}

void san_sync(struct san_device *san, dma_addr_t addr, size_t size,
	      enum dma_data_direction dir, bool to_device)
{
	struct san_findings findings = {};

	san_count(san, SAN_COUNT_SYNCS);
	if (!sync_known(san, addr, size, dir, to_device, &findings))
		report_missing(san, addr, size, dir, SAN_BAD_SYNC, SAN_BAD_SYNC);
	san_report_all(san, &findings);
}
