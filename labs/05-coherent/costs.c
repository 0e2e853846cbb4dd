// SPDX-License-Identifier: GPL-2.0-only
/*
 * What memory for DMA costs: each way to get some, with the way to give it back,
 * and what a look at it costs afterwards. The average of many rounds.
 */
#include <linux/dma-mapping.h>
#include <linux/dmapool.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "ring.h"

#define ROUNDS		64
#define MAPPED		4096
#define LARGE		65536

/* What the ways below work with. */
struct costs {
	struct device *dma_dev;
	struct dma_pool *pool;
	void *cached;		/* MAPPED bytes */
	void *coherent;		/* MAPPED bytes */
};

static int cost_kmalloc(struct costs *c)
{
	void *buf = kmalloc(RING_BUF, GFP_KERNEL);

	/* Otherwise the compiler sees that nobody needs it. */
	OPTIMIZER_HIDE_VAR(buf);
	kfree(buf);
	return buf ? 0 : -ENOMEM;
}

static int cost_pool(struct costs *c)
{
	dma_addr_t dma;
	void *buf = dma_pool_alloc(c->pool, GFP_KERNEL, &dma);

	if (!buf)
		return -ENOMEM;
	dma_pool_free(c->pool, buf, dma);
	return 0;
}

static int cost_coherent(struct costs *c, size_t size)
{
	dma_addr_t dma;
	void *buf = dma_alloc_coherent(c->dma_dev, size, &dma, GFP_KERNEL);

	if (!buf)
		return -ENOMEM;
	dma_free_coherent(c->dma_dev, size, buf, dma);
	return 0;
}

static int cost_coherent_small(struct costs *c)
{
	return cost_coherent(c, RING_BUF);
}

static int cost_coherent_large(struct costs *c)
{
	return cost_coherent(c, LARGE);
}

static int cost_map(struct costs *c)
{
	dma_addr_t dma = dma_map_single(c->dma_dev, c->cached, MAPPED, DMA_TO_DEVICE);

	if (dma_mapping_error(c->dma_dev, dma))
		return -ENOMEM;
	dma_unmap_single(c->dma_dev, dma, MAPPED, DMA_TO_DEVICE);
	return 0;
}

static void look_at(const u32 *buf)
{
	size_t i;

	for (i = 0; i < MAPPED / sizeof(*buf); i++)
		(void)READ_ONCE(buf[i]);
}

static int cost_read_cached(struct costs *c)
{
	look_at(c->cached);
	return 0;
}

static int cost_read_coherent(struct costs *c)
{
	look_at(c->coherent);
	return 0;
}

static const struct {
	const char *name;
	int (*way)(struct costs *c);
} ways[] = {
	{ "kmalloc, 64 bytes", cost_kmalloc },
	{ "dma_pool_alloc, 64 bytes", cost_pool },
	{ "dma_alloc_coherent, 64 bytes", cost_coherent_small },
	{ "dma_alloc_coherent, 64 KiB", cost_coherent_large },
	{ "dma_map_single, 4 KiB", cost_map },
	{ "read 4 KiB, cached", cost_read_cached },
	{ "read 4 KiB, coherent", cost_read_coherent },
};

/* Nanoseconds for one round, or an error. */
static s64 measure(struct costs *c, int (*way)(struct costs *c))
{
	u64 start = ktime_get_ns();
	int i, ret;

	for (i = 0; i < ROUNDS; i++) {
		ret = way(c);
		if (ret)
			return ret;
	}
	return div_u64(ktime_get_ns() - start, ROUNDS);
}

static ssize_t measure_all(struct costs *c, char *buf)
{
	ssize_t len = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		s64 ns = measure(c, ways[i].way);

		if (ns < 0)
			return ns;
		len += sysfs_emit_at(buf, len, "%s: %lld ns\n", ways[i].name, ns);
	}
	return len;
}

ssize_t ring_costs(struct device *dma_dev, struct dma_pool *pool, char *buf)
{
	struct costs c = { .dma_dev = dma_dev, .pool = pool };
	ssize_t ret = -ENOMEM;
	dma_addr_t dma;

	c.cached = kzalloc(MAPPED, GFP_KERNEL);
	if (!c.cached)
		return ret;
	c.coherent = dma_alloc_coherent(dma_dev, MAPPED, &dma, GFP_KERNEL);
	if (c.coherent) {
		ret = measure_all(&c, buf);
		dma_free_coherent(dma_dev, MAPPED, c.coherent, dma);
	}
	kfree(c.cached);
	return ret;
}
