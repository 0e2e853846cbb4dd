// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers, their images, and how they are mapped.
 */
#include <linux/delay.h>
#include <linux/mm.h>

#include "conf.h"

struct conf_memory {
	struct list_head node;
	u8 data[] __aligned(8);
};

void *conf_alloc(struct conf *c, size_t size)
{
	struct conf_memory *memory = kvzalloc(sizeof(*memory) + size, GFP_KERNEL);

	if (!memory) {
		KT_FAIL(c->t, "no memory: %zu bytes", size);
		return NULL;
	}
	mutex_lock(&c->lock);
	list_add(&memory->node, &c->memory);
	mutex_unlock(&c->lock);
	return memory->data;
}

/* Mixes place and seed so that a shifted or swapped piece can't fit. */
static u8 pattern(u32 seed, u32 place)
{
	u32 x = (place + seed) * 0x9e3779b1;

	x ^= x >> 15;
	x *= 0x85ebca6b;
	return x >> 24;
}

void conf_fill(struct conf *c, struct conf_buf *buf, size_t off, size_t len)
{
	u32 seed = conf_random(c, U32_MAX);
	size_t i;

	for (i = off; i < off + len; i++)
		buf->image[i] = pattern(seed, i);
	memcpy(buf->cpu + off, buf->image + off, len);
}

void conf_set(struct conf_buf *buf, u8 value)
{
	memset(buf->image, value, buf->size);
	memset(buf->cpu, value, buf->size);
}

/* The image of a buffer without memory of its own yet. */
static struct conf_buf *new_buf(struct conf *c, size_t size)
{
	struct conf_buf *buf = conf_alloc(c, sizeof(*buf));

	if (!buf)
		return NULL;
	buf->size = size;
	buf->image = conf_alloc(c, size);
	return buf->image ? buf : NULL;
}

static struct conf_buf *keep_buf(struct conf *c, struct conf_buf *buf)
{
	if (!buf->cpu) {
		KT_FAIL(c->t, "no memory for DMA: %zu bytes", buf->size);
		return NULL;
	}
	mutex_lock(&c->lock);
	list_add(&buf->node, &c->bufs);
	mutex_unlock(&c->lock);
	conf_fill(c, buf, 0, buf->size);
	return buf;
}

/* Whole pages: it shares no cache line with anybody. */
struct conf_buf *conf_buf(struct conf *c, size_t size)
{
	struct conf_buf *buf = new_buf(c, size);

	if (!buf)
		return NULL;
	buf->cpu = alloc_pages_exact(size, GFP_KERNEL | __GFP_NOWARN);
	return keep_buf(c, buf);
}

struct conf_buf *conf_buf_coherent(struct conf *c, size_t size)
{
	struct conf_buf *buf = new_buf(c, size);

	if (!buf)
		return NULL;
	buf->coherent = true;
	buf->dev = conf_dev(c->chan);
	buf->len = size;
	buf->cpu = dma_alloc_coherent(buf->dev, size, &buf->dma, GFP_KERNEL);
	return keep_buf(c, buf);
}

bool conf_map(struct conf *c, struct dma_chan *chan, struct conf_buf *buf, size_t off,
	      size_t len, enum dma_data_direction dir)
{
	struct device *dev = conf_dev(chan);

	if (buf->coherent)
		return true;
	conf_unmap(buf);
	buf->dma = dma_map_single(dev, buf->cpu + off, len, dir);
	if (dma_mapping_error(dev, buf->dma)) {
		KT_FAIL(c->t, "%zu bytes can't be mapped", len);
		return false;
	}
	buf->dev = dev;
	buf->off = off;
	buf->len = len;
	buf->dir = dir;
	return true;
}

void conf_unmap(struct conf_buf *buf)
{
	if (buf->coherent || !buf->len)
		return;
	dma_unmap_single(buf->dev, buf->dma, buf->len, buf->dir);
	buf->len = 0;
}

dma_addr_t conf_addr(struct conf_buf *buf, size_t off)
{
	WARN_ON_ONCE(off < buf->off || off >= buf->off + buf->len);
	return buf->dma + (off - buf->off);
}

void conf_image_copy(struct conf_buf *dst, size_t dst_off, struct conf_buf *src,
		     size_t src_off, size_t len)
{
	memcpy(dst->image + dst_off, src->image + src_off, len);
}

static bool fail_at(struct conf *c, struct conf_buf *buf, size_t at)
{
	size_t i, wrong = 0;

	for (i = at; i < buf->size; i++)
		wrong += buf->cpu[i] != buf->image[i];
	return KT_FAIL(c->t, "byte %zu of %zu is %#x and should be %#x; %zu are wrong, of %zu",
		       at, buf->size, buf->cpu[at], buf->image[at], wrong, buf->size);
}

bool conf_verify(struct conf *c, struct conf_buf *buf)
{
	size_t i;

	conf_unmap(buf);
	if (!memcmp(buf->cpu, buf->image, buf->size))
		return KT_EXPECT(c->t, true);
	for (i = 0; buf->cpu[i] == buf->image[i] && i < buf->size - 1;)
		i++;
	return fail_at(c, buf, i);
}

bool conf_verify_partial(struct conf *c, struct conf_buf *dst, const u8 *old)
{
	size_t i;

	conf_unmap(dst);
	for (i = 0; i < dst->size; i++) {
		if (dst->cpu[i] != dst->image[i] && dst->cpu[i] != old[i])
			return KT_FAIL(c->t, "byte %zu is %#x: neither %#x as before nor %#x",
				       i, dst->cpu[i], old[i], dst->image[i]);
	}
	return KT_EXPECT(c->t, true);
}

bool conf_verify_still(struct conf *c, struct conf_buf *buf)
{
	conf_unmap(buf);
	memcpy(buf->image, buf->cpu, buf->size);
	conf_quiet(c);
	return conf_verify(c, buf);
}

/* ---- scatterlists ---- */

static bool map_table(struct conf *c, struct conf_table *table, struct conf_buf *buf,
		      const struct conf_part *parts, unsigned int count)
{
	struct scatterlist *sg;
	unsigned int i;
	int err;

	for_each_sgtable_sg(&table->sgt, sg, i)
		sg_set_buf(sg, buf->cpu + parts[i].off, parts[i].len);
	err = dma_map_sgtable(table->dev, &table->sgt, table->dir, 0);
	if (err)
		return KT_FAIL(c->t, "%u segments can't be mapped: %d", count, err);
	table->mapped = true;
	return true;
}

struct conf_table *conf_table(struct conf *c, struct dma_chan *chan, struct conf_buf *buf,
			      const struct conf_part *parts, unsigned int count,
			      enum dma_data_direction dir)
{
	struct conf_table *table = conf_alloc(c, sizeof(*table));

	if (!table)
		return NULL;
	table->dev = conf_dev(chan);
	table->dir = dir;
	if (sg_alloc_table(&table->sgt, count, GFP_KERNEL)) {
		KT_FAIL(c->t, "no memory for %u segments", count);
		return NULL;
	}
	mutex_lock(&c->lock);
	list_add(&table->node, &c->tables);
	mutex_unlock(&c->lock);
	return map_table(c, table, buf, parts, count) ? table : NULL;
}

void conf_table_unmap(struct conf_table *table)
{
	if (table->mapped)
		dma_unmap_sgtable(table->dev, &table->sgt, table->dir, 0);
	table->mapped = false;
}

/* ---- giving back ---- */

static void free_buf(struct conf_buf *buf)
{
	conf_unmap(buf);
	if (buf->coherent)
		dma_free_coherent(buf->dev, buf->size, buf->cpu, buf->dma);
	else
		free_pages_exact(buf->cpu, buf->size);
}

static void forget(struct conf *c)
{
	INIT_LIST_HEAD(&c->jobs);
	INIT_LIST_HEAD(&c->tables);
	INIT_LIST_HEAD(&c->bufs);
	INIT_LIST_HEAD(&c->memory);
}

void conf_give_back(struct conf *c)
{
	struct conf_memory *memory, *next;
	struct conf_table *table;
	struct conf_buf *buf;

	if (c->wedged) {
		forget(c);
		return;
	}
	list_for_each_entry(table, &c->tables, node) {
		conf_table_unmap(table);
		sg_free_table(&table->sgt);
	}
	list_for_each_entry(buf, &c->bufs, node)
		free_buf(buf);
	/* They all lie in that. */
	list_for_each_entry_safe(memory, next, &c->memory, node)
		kvfree(memory);
	forget(c);
}
