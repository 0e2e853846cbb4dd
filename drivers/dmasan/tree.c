// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings by their address. Blocks never overlap; mappings without one may, and
 * may begin at the same address.
 */
#include "dmasan.h"

/* How many mappings without a block are looked at that may have an address. */
#define STEPS	16

static struct san_map *to_map(struct rb_node *node)
{
	return rb_entry_safe(node, struct san_map, node);
}

static bool before(struct rb_node *node, const struct rb_node *other)
{
	return rb_entry(node, struct san_map, node)->addr <
	       rb_entry(other, struct san_map, node)->addr;
}

void san_tree_add(struct rb_root *root, struct san_map *map)
{
	struct rb_node **link = &root->rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = before(&map->node, parent) ? &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&map->node, parent, link);
	rb_insert_color(&map->node, root);
}

void san_tree_del(struct rb_root *root, struct san_map *map)
{
	rb_erase(&map->node, root);
}

/* The last one that begins at @addr or before. */
static struct san_map *last_until(struct rb_root *root, dma_addr_t addr)
{
	struct rb_node *node = root->rb_node;
	struct san_map *last = NULL;

	while (node) {
		struct san_map *map = to_map(node);

		if (map->addr <= addr) {
			last = map;
			node = node->rb_right;
		} else {
			node = node->rb_left;
		}
	}
	return last;
}

struct san_map *san_tree_at(struct rb_root *root, dma_addr_t addr, size_t size,
			    enum dma_data_direction dir)
{
	struct san_map *map = last_until(root, addr), *best = NULL;

	for (; map && map->addr == addr; map = to_map(rb_prev(&map->node))) {
		if (map->size == size && map->dir == dir)
			return map;
		if (!best || map->size == size)
			best = map;
	}
	return best;
}

struct san_map *san_tree_with(struct rb_root *root, dma_addr_t addr)
{
	struct san_map *map = last_until(root, addr);
	int i;

	for (i = 0; map && i < STEPS; i++, map = to_map(rb_prev(&map->node)))
		if (addr - map->addr < map->size)
			return map;
	return NULL;
}
