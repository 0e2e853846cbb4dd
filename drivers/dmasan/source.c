// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver's memory itself: what kind it is, and what lies beside it.
 */
#include <linux/align.h>
#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/minmax.h>
#include <linux/page-flags.h>
#include <linux/page_ref.h>
#include <linux/sched/task_stack.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "dmasan.h"

/* The largest free piece that the page allocator knows is 2^ORDERS - 1 pages. */
#define ORDERS	11

bool san_is_memory(phys_addr_t phys, size_t size)
{
	phys_addr_t last = phys + size - 1;

	return size && last >= phys && pfn_valid(PHYS_PFN(phys)) && pfn_valid(PHYS_PFN(last));
}

static struct page *page_of(phys_addr_t phys)
{
	return pfn_to_page(PHYS_PFN(phys));
}

/* Stacks are mapped page by page where they are virtual. */
static bool is_on_stack(phys_addr_t phys)
{
	struct vm_struct *area = task_stack_vm_area(current);
	unsigned int i;

	if (!area)
		return !PageHighMem(page_of(phys)) && object_is_on_stack(phys_to_virt(phys));
	for (i = 0; i < area->nr_pages; i++)
		if (area->pages[i] == page_of(phys))
			return true;
	return false;
}

/*
 * Whether the page allocator has it. Somebody else may take or give pages right
 * now, but not these, as long as they are not free.
 */
static bool is_free(phys_addr_t phys)
{
	unsigned long pfn = PHYS_PFN(phys);
	unsigned int order;

	/* Nearly always somebody holds it, or the larger piece that it is of. */
	if (folio_ref_count(page_folio(pfn_to_page(pfn))))
		return false;
	for (order = 0; order < ORDERS; order++) {
		unsigned long first = pfn & ~((1UL << order) - 1);

		if (pfn_valid(first) && PageBuddy(pfn_to_page(first)) &&
		    page_private(pfn_to_page(first)) >= order)
			return true;
	}
	return false;
}

static void report_source(struct san_device *san, struct san_map *map, enum san_kind kind)
{
	struct san_findings findings = {};

	san_find(&findings, kind, map);
	san_report_all(san, &findings);
}

void san_check_source(struct san_device *san, struct san_map *map)
{
	if (is_on_stack(map->phys))
		report_source(san, map, SAN_STACK);
	else if (is_free(map->phys))
		report_source(san, map, SAN_FREED_MEMORY);
}

bool san_check_freed(struct san_map *map, struct san_findings *findings)
{
	if (!is_free(map->phys))
		return false;
	san_find(findings, SAN_FREED_MEMORY, map);
	return true;
}

/* Files' pages and programs' memory are written while a disk reads them. */
bool san_is_users(phys_addr_t phys)
{
	struct folio *folio = page_folio(page_of(phys));

	if (folio_test_slab(folio))
		return false;
	return READ_ONCE(folio->mapping) || folio_mapped(folio);
}

/* ---- cache lines ---- */

/* Up to what is kept of a line. */
static size_t line_size(void)
{
	unsigned int line = READ_ONCE(san_line);

	return is_power_of_2(line) && line <= SAN_LINE ? line : 0;
}

/* What is before the mapping in its first line, and after it in its last. */
static void edge_bounds(const struct san_map *map, size_t line, int end, phys_addr_t *from,
			size_t *len)
{
	phys_addr_t after = map->phys + map->size;

	*from = end ? after : ALIGN_DOWN(map->phys, line);
	*len = end ? ALIGN(after, line) - after : map->phys - *from;
}

/* It is somebody else's, who may write it right now, or nobody's. */
static __no_sanitize_address __no_kcsan void read_others(const u8 *from, size_t len, u8 *to)
{
	size_t i;

	for (i = 0; i < len; i++)
		to[i] = READ_ONCE(from[i]);
}

static void read_edge(phys_addr_t from, size_t len, u8 *to)
{
	u8 *page = kmap_local_page(page_of(from));

	read_others(page + offset_in_page(from), len, to);
	kunmap_local(page);
}

/* The device writes, so a line that is written back spoils what it wrote. */
static size_t watched_line(const struct san_map *map)
{
	return map->dir == DMA_TO_DEVICE ? 0 : map->edge_line;
}

void san_edges_note(struct san_map *map)
{
	phys_addr_t from;
	size_t len;
	int end;

	map->edge_line = line_size();
	for (end = 0; watched_line(map) && end < 2; end++) {
		edge_bounds(map, map->edge_line, end, &from, &len);
		if (len)
			read_edge(from, len, map->edge[end]);
	}
}

static void check_edge(struct san_map *map, int end, struct san_findings *findings)
{
	struct san_finding *finding;
	u8 now[SAN_LINE];
	phys_addr_t from;
	size_t len;

	edge_bounds(map, map->edge_line, end, &from, &len);
	if (!len)
		return;
	read_edge(from, len, now);
	if (!memcmp(now, map->edge[end], len))
		return;
	finding = san_find(findings, SAN_SHARED_LINE, map);
	if (finding)
		san_find_bytes(finding, from - map->phys, len, map->edge[end], now);
}

void san_edges_check(struct san_map *map, struct san_findings *findings)
{
	int end;

	for (end = 0; watched_line(map) && end < 2; end++)
		check_edge(map, end, findings);
}
