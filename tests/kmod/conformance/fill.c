// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory filled with a byte.
 */
#include "conf.h"

static size_t fill_align(struct conf *c)
{
	return max_t(size_t, c->p.align, 1 << c->chan->device->fill_align);
}

static bool fill(struct conf *c, struct conf_buf *buf, size_t off, int value, size_t len)
{
	struct dma_async_tx_descriptor *tx;
	struct conf_job *job;

	if (!conf_map(c, c->chan, buf, off, len, DMA_FROM_DEVICE))
		return false;
	tx = dmaengine_prep_dma_memset(c->chan, conf_addr(buf, off), value, len, CONF_FLAGS);
	job = conf_job(c, c->chan, tx);
	if (!job || !conf_run(job))
		return KT_FAIL(c->t, "%zu bytes of %#x at %zu", len, value, off);
	memset(buf->image + off, value, len);
	return conf_verify(c, buf);
}

static void memset_lengths(struct kt *t)
{
	struct conf *c = to_conf(t);
	size_t align = fill_align(c), len;
	struct conf_buf *buf;
	unsigned int i;

	if (!conf_need(c, DMA_MEMSET))
		return;
	buf = conf_buf(c, SZ_64K + SZ_8K);
	if (!buf)
		return;
	for (i = 0; (len = conf_length(c, i, align, min_t(size_t, c->max_len, SZ_64K + 1))); i++) {
		conf_fill(c, buf, 0, buf->size);
		if (!fill(c, buf, round_up(1 + i % 64, align), 0x5a, len))
			return;
	}
}

/* The value is a byte, however it is passed. */
static void memset_values(struct kt *t)
{
	static const int values[] = { 0, 1, 0x7f, 0x80, 0xff, -1, 0x1a5, -128 };
	struct conf *c = to_conf(t);
	struct conf_buf *buf;
	unsigned int i;

	if (!conf_need(c, DMA_MEMSET))
		return;
	buf = conf_buf(c, SZ_4K);
	for (i = 0; buf && i < ARRAY_SIZE(values); i++)
		if (!fill(c, buf, SZ_1K, values[i], c->small))
			return;
}

static void memset_scattered(struct kt *t)
{
	static const struct conf_part parts[] = {
		{ SZ_1K, 512 }, { SZ_4K, SZ_4K }, { 3 * SZ_4K + 256, 256 },
	};
	struct conf *c = to_conf(t);
	struct conf_table *table;
	struct conf_job *job;
	struct conf_buf *buf;
	unsigned int i;

	if (!conf_need(c, DMA_MEMSET_SG) || !conf_need_segment(c, SZ_4K))
		return;
	buf = conf_buf(c, 4 * SZ_4K);
	table = buf ? conf_table(c, c->chan, buf, parts, 3, DMA_FROM_DEVICE) : NULL;
	if (!table)
		return;
	job = conf_job(c, c->chan,
		       c->chan->device->device_prep_dma_memset_sg(c->chan, table->sgt.sgl,
				table->sgt.nents, 0xc3, CONF_FLAGS));
	if (!job || !conf_run(job))
		return;
	for (i = 0; i < ARRAY_SIZE(parts); i++)
		memset(buf->image + parts[i].off, 0xc3, parts[i].len);
	conf_table_unmap(table);
	conf_verify(c, buf);
}

static void memset_nothing(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *buf;

	if (!conf_need(c, DMA_MEMSET))
		return;
	buf = conf_buf(c, SZ_4K);
	if (buf && conf_map(c, c->chan, buf, 0, SZ_4K, DMA_FROM_DEVICE))
		KT_EXPECT(t, !dmaengine_prep_dma_memset(c->chan, conf_addr(buf, 0), 1, 0,
							CONF_FLAGS));
}

const struct kt_case conf_fill_cases[] = {
	KT_CASE(memset_lengths),
	KT_CASE(memset_values),
	KT_CASE(memset_scattered),
	KT_CASE(memset_nothing),
	{}
};
