// SPDX-License-Identifier: GPL-2.0-only
#include <linux/align.h>
#include <linux/compiler.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "copy.h"
#include "shadow.h"

/* Up to this size a copy is in one piece, if there is such memory. */
#define FLAT_MAX	SZ_64K

#define MAP_GFP		(GFP_ATOMIC | __GFP_NOWARN)

/* A line that is shared with what lies outside of the mapping. */
struct edge {
	size_t pos;
	size_t from, to;	/* the mapping's part of it */
	u8 *clean;		/* the CPU's line when it was last clean */
	bool stale;		/* since it was mapped, the copy never had that */
};

/*
 * Positions count from the beginning of the first line; lines lie as they do in
 * the CPU's memory. The copy is @flat, or pages that are cut as the CPU's are.
 */
struct shadow_copy {
	phys_addr_t phys;	/* of position 0 */
	size_t head;		/* position of the mapping's first byte */
	size_t size;		/* all lines */
	size_t whole_from;	/* lines that are the mapping's alone */
	size_t whole_to;
	unsigned int line;
	unsigned int edges;
	struct edge edge[2];
	u8 *flat;
	void **page;
	size_t pages;
};

/* ---- memory ---- */

/* A piece of the copy; *@len is cut at the end of a page, where that matters. */
static u8 *piece(struct shadow_copy *copy, size_t pos, size_t *len)
{
	size_t at = pos + offset_in_page(copy->phys);

	if (copy->flat)
		return copy->flat + pos;
	*len = min_t(size_t, *len, PAGE_SIZE - offset_in_page(at));
	return (u8 *)copy->page[at >> PAGE_SHIFT] + offset_in_page(at);
}

/* A line is never cut. */
static u8 *line_at(struct shadow_copy *copy, size_t pos)
{
	size_t len = copy->line;

	return piece(copy, pos, &len);
}

/* The CPU's side, up to the end of a page; closed with kunmap_local(). */
static u8 *open_cpu(struct shadow_copy *copy, size_t pos)
{
	phys_addr_t phys = copy->phys + pos;

	return (u8 *)kmap_local_page(pfn_to_page(PHYS_PFN(phys))) + offset_in_page(phys);
}

static void carry(struct shadow_copy *copy, size_t from, size_t to, bool to_cpu)
{
	while (from < to) {
		size_t left = PAGE_SIZE - offset_in_page(copy->phys + from);
		size_t len = min(left, to - from);
		u8 *ours = piece(copy, from, &len);
		u8 *cpu = open_cpu(copy, from);

		memcpy(to_cpu ? cpu : ours, to_cpu ? ours : cpu, len);
		kunmap_local(cpu);
		from += len;
	}
}

/* ---- shared lines ---- */

/*
 * A shared line's other bytes are somebody else's, who may change them right now,
 * or nobody's: that we look at them is not for KASAN and KCSAN to judge. The
 * volatile access keeps the compiler from making a call of the loop.
 */
static noinline __no_sanitize_address __no_kcsan
bool differs(const u8 *cpu, const u8 *clean, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (READ_ONCE(cpu[i]) != clean[i])
			return true;
	return false;
}

static noinline __no_sanitize_address __no_kcsan
void look(u8 *to, const u8 *cpu, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		to[i] = READ_ONCE(cpu[i]);
}

/* Whether the CPU and the device have something else in the mapping's part. */
static bool apart(struct shadow_copy *copy, const struct edge *edge)
{
	return memcmp(line_at(copy, edge->from), edge->clean + (edge->from - edge->pos),
		      edge->to - edge->from);
}

static bool device_wrote(struct shadow_copy *copy, const struct edge *edge)
{
	if (edge->stale)
		return memchr_inv(line_at(copy, edge->from), SHADOW_STALE, edge->to - edge->from);
	return apart(copy, edge);
}

/* Returns whether bytes of the device were lost. */
static bool write_back(struct shadow_copy *copy, struct edge *edge, const u8 *cpu)
{
	bool lost = device_wrote(copy, edge);

	look(edge->clean, cpu, copy->line);
	memcpy(line_at(copy, edge->pos), edge->clean, copy->line);
	edge->stale = false;
	return lost;
}

/* A stale line is as good as dirty to those who want the device to see it. */
static bool clean_edge(struct shadow_copy *copy, struct edge *edge, enum dma_data_direction dir)
{
	u8 *cpu = open_cpu(copy, edge->pos);
	bool dirty = differs(cpu, edge->clean, copy->line);
	bool lost = false;

	if (dirty || (edge->stale && dir != DMA_FROM_DEVICE))
		lost = write_back(copy, edge, cpu);
	kunmap_local(cpu);
	return lost;
}

/* What is left after dirty bytes won is read again. */
static bool read_edge(struct shadow_copy *copy, struct edge *edge, enum dma_data_direction dir)
{
	bool lost = clean_edge(copy, edge, DMA_FROM_DEVICE);

	if (apart(copy, edge)) {
		carry(copy, edge->from, edge->to, true);
		memcpy(edge->clean + (edge->from - edge->pos), line_at(copy, edge->from),
		       edge->to - edge->from);
	}
	edge->stale = false;
	return lost;
}

/* ---- ranges ---- */

struct extent {
	size_t from, to;	/* whole lines */
};

static struct extent lines_of(struct shadow_copy *copy, size_t offset, size_t size)
{
	struct extent lines = {
		.from = ALIGN_DOWN(copy->head + offset, copy->line),
		.to = ALIGN(copy->head + offset + size, copy->line),
	};

	return lines;
}

static unsigned int each_edge(struct shadow_copy *copy, const struct extent *lines,
			      enum dma_data_direction dir,
			      bool (*work)(struct shadow_copy *copy, struct edge *edge,
					   enum dma_data_direction dir))
{
	unsigned int lost = 0, i;

	for (i = 0; i < copy->edges; i++) {
		struct edge *edge = &copy->edge[i];

		if (edge->pos >= lines->from && edge->pos < lines->to)
			lost += work(copy, edge, dir);
	}
	return lost;
}

static void carry_whole(struct shadow_copy *copy, const struct extent *lines, bool to_cpu)
{
	carry(copy, max(lines->from, copy->whole_from), min(lines->to, copy->whole_to), to_cpu);
}

unsigned int shadow_copy_to_device(struct shadow_copy *copy, size_t offset, size_t size,
				   enum dma_data_direction dir)
{
	struct extent lines = lines_of(copy, offset, size);

	if (dir != DMA_FROM_DEVICE)
		carry_whole(copy, &lines, false);
	return each_edge(copy, &lines, dir, clean_edge);
}

unsigned int shadow_copy_to_cpu(struct shadow_copy *copy, size_t offset, size_t size,
				enum dma_data_direction dir)
{
	struct extent lines = lines_of(copy, offset, size);

	if (dir == DMA_TO_DEVICE)
		return 0;
	carry_whole(copy, &lines, true);
	return each_edge(copy, &lines, dir, read_edge);
}

void *shadow_copy_at(struct shadow_copy *copy, size_t offset, size_t *len)
{
	return piece(copy, copy->head + offset, len);
}

/* ---- making one ---- */

static int allot_pages(struct shadow_copy *copy)
{
	size_t count = PAGE_ALIGN(offset_in_page(copy->phys) + copy->size) >> PAGE_SHIFT;

	copy->page = kmalloc_array(count, sizeof(*copy->page), MAP_GFP);
	if (!copy->page)
		return -ENOMEM;
	for (; copy->pages < count; copy->pages++) {
		copy->page[copy->pages] = (void *)__get_free_page(MAP_GFP);
		if (!copy->page[copy->pages])
			return -ENOMEM;
		memset(copy->page[copy->pages], SHADOW_STALE, PAGE_SIZE);
	}
	return 0;
}

/* One piece makes larger windows, but it must not be hard to get. */
static int allot_memory(struct shadow_copy *copy)
{
	if (copy->size <= FLAT_MAX)
		copy->flat = kmalloc(copy->size, MAP_GFP | __GFP_NORETRY);
	if (!copy->flat)
		return allot_pages(copy);
	memset(copy->flat, SHADOW_STALE, copy->size);
	return 0;
}

static void add_edge(struct shadow_copy *copy, u8 *room, size_t pos, size_t end)
{
	struct edge *edge = &copy->edge[copy->edges];
	u8 *cpu = open_cpu(copy, pos);

	edge->pos = pos;
	edge->from = max(pos, copy->head);
	edge->to = min(pos + copy->line, end);
	edge->clean = room + copy->edges * copy->line;
	edge->stale = true;
	look(edge->clean, cpu, copy->line);
	kunmap_local(cpu);
	copy->edges++;
}

struct shadow_copy *shadow_copy_new(phys_addr_t phys, size_t size, unsigned int line)
{
	size_t head = phys & (line - 1), end = head + size, lines = ALIGN(end, line);
	struct shadow_copy *copy;
	u8 *room;

	copy = kzalloc(sizeof(*copy) + ARRAY_SIZE(copy->edge) * line, MAP_GFP);
	if (!copy)
		return NULL;
	room = (u8 *)(copy + 1);
	copy->phys = phys - head;
	copy->head = head;
	copy->size = lines;
	copy->line = line;
	copy->whole_from = ALIGN(head, line);
	copy->whole_to = ALIGN_DOWN(end, line);
	if (allot_memory(copy)) {
		shadow_copy_free(copy);
		return NULL;
	}
	if (head)
		add_edge(copy, room, 0, end);
	if (end < lines && (!head || lines > line))
		add_edge(copy, room, lines - line, end);
	return copy;
}

void shadow_copy_free(struct shadow_copy *copy)
{
	if (!copy)
		return;
	while (copy->pages)
		free_page((unsigned long)copy->page[--copy->pages]);
	kfree(copy->page);
	kfree(copy->flat);
	kfree(copy);
}
