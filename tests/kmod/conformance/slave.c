// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transfers from and to a peripheral: one whose FIFO gives back what it was
 * given, or, with fifo_memory, a word of memory in its place.
 */
#include <linux/delay.h>

#include "conf.h"

#define DRAIN	SZ_64K

/* ---- set-up ---- */

static u32 widths(struct dma_chan *chan, enum dma_transfer_direction dir)
{
	struct dma_slave_caps caps = conf_caps(chan);

	return dir == DMA_MEM_TO_DEV ? caps.dst_addr_widths : caps.src_addr_widths;
}

unsigned int conf_width(struct conf *c, enum dma_transfer_direction dir)
{
	u32 mask = widths(dir == DMA_MEM_TO_DEV ? c->tx : c->rx, dir);

	if (c->p.width)
		return c->p.width;
	return mask & BIT(4) ? 4 : __ffs(mask | BIT(31));
}

static struct dma_slave_config slave_config(struct conf *c, enum dma_transfer_direction dir,
					    unsigned int width, unsigned int burst)
{
	struct dma_slave_config config = { .direction = dir };

	if (dir == DMA_MEM_TO_DEV) {
		config.dst_addr = c->p.fifo_memory ? c->cell->dma : c->p.tx_addr;
		config.dst_addr_width = width;
		config.dst_maxburst = burst;
	} else {
		config.src_addr = c->p.fifo_memory ? c->cell->dma : c->p.rx_addr;
		config.src_addr_width = width;
		config.src_maxburst = burst;
	}
	return config;
}

static bool configure(struct conf *c, enum dma_transfer_direction dir, unsigned int width,
		      unsigned int burst)
{
	struct dma_slave_config config = slave_config(c, dir, width, burst);
	struct dma_chan *chan = dir == DMA_MEM_TO_DEV ? c->tx : c->rx;

	return KT_EXPECT_EQ(c->t, 0, dmaengine_slave_config(chan, &config));
}

static bool has_direction(struct conf *c, struct dma_chan *chan, enum dma_transfer_direction dir)
{
	if (conf_caps(chan).directions & BIT(dir))
		return true;
	kt_skip(c->t, "the provider has no %s",
		dir == DMA_MEM_TO_DEV ? "DMA_MEM_TO_DEV" : "DMA_DEV_TO_MEM");
	return false;
}

bool conf_need_slave(struct conf *c, enum dma_transfer_direction dir)
{
	struct dma_chan *chan = dir == DMA_MEM_TO_DEV ? c->tx : c->rx;
	u64 addr = dir == DMA_MEM_TO_DEV ? c->p.tx_addr : c->p.rx_addr;

	if (!conf_need(c, DMA_SLAVE))
		return false;
	if (!chan || !(addr || c->p.fifo_memory)) {
		kt_skip(c->t, "no peripheral was named");
		return false;
	}
	if (!has_direction(c, chan, dir))
		return false;
	if (c->p.fifo_memory) {
		c->cell = conf_buf_coherent(c, SZ_4K);
		if (!c->cell)
			return false;
	}
	return configure(c, dir, conf_width(c, dir), 1);
}

static bool need_cell(struct conf *c, enum dma_transfer_direction dir)
{
	if (c->p.fifo_memory)
		return conf_need_slave(c, dir);
	kt_skip(c->t, "not fifo_memory: the peripheral is no memory");
	return false;
}

/* Takes out what an earlier transfer left in the FIFO. */
static bool drain(struct conf *c)
{
	const struct conf_part part = { 0, min_t(size_t, DRAIN, c->max_len) };
	struct conf_table *table;
	struct conf_buf *buf = conf_buf(c, DRAIN);
	struct conf_job *job;
	u32 before, residue = 0;

	table = buf ? conf_table(c, c->rx, buf, &part, 1, DMA_FROM_DEVICE) : NULL;
	if (!table || !configure(c, DMA_DEV_TO_MEM, __ffs(widths(c->rx, DMA_DEV_TO_MEM)), 1))
		return false;
	job = conf_slave_job(c, table, DMA_DEV_TO_MEM, CONF_FLAGS);
	if (!job || !conf_start(job))
		return false;
	do {
		before = residue;
		conf_quiet(c);
		conf_status(job, &residue);
	} while (residue != before && !signal_pending(current));
	if (!conf_terminate(c, c->rx))
		return false;
	conf_give_back(c);
	atomic_set(&c->callbacks, 0);
	return true;
}

bool conf_need_loopback(struct conf *c)
{
	if (c->p.fifo_memory) {
		kt_skip(c->t, "fifo_memory: the peripheral is no FIFO");
		return false;
	}
	return conf_need_slave(c, DMA_MEM_TO_DEV) && conf_need_slave(c, DMA_DEV_TO_MEM) &&
	       conf_need_segment(c, SZ_4K) && conf_need_terminate(c) && drain(c) &&
	       configure(c, DMA_MEM_TO_DEV, conf_width(c, DMA_MEM_TO_DEV), 1) &&
	       configure(c, DMA_DEV_TO_MEM, conf_width(c, DMA_DEV_TO_MEM), 1);
}

struct conf_job *conf_slave_job(struct conf *c, struct conf_table *table,
				enum dma_transfer_direction dir, unsigned long flags)
{
	struct dma_chan *chan = dir == DMA_MEM_TO_DEV ? c->tx : c->rx;

	return conf_job(c, chan, dmaengine_prep_slave_sg(chan, table->sgt.sgl, table->sgt.nents,
							 dir, flags));
}

struct conf_job *conf_slave_part(struct conf *c, struct conf_buf *buf, size_t off, size_t len,
				 enum dma_transfer_direction dir)
{
	struct dma_chan *chan = dir == DMA_MEM_TO_DEV ? c->tx : c->rx;
	const struct conf_part part = { off, len };
	struct conf_table *table;
	struct conf_job *job;

	table = conf_table(c, chan, buf, &part, 1,
			   dir == DMA_MEM_TO_DEV ? DMA_TO_DEVICE : DMA_FROM_DEVICE);
	job = table ? conf_slave_job(c, table, dir, CONF_FLAGS) : NULL;
	if (job)
		job->data = table;
	return job;
}

/* ---- configuration ---- */

static void try_widths(struct conf *c, enum dma_transfer_direction dir)
{
	u32 mask = widths(dir == DMA_MEM_TO_DEV ? c->tx : c->rx, dir);
	unsigned int width;

	for (width = 1; width < 32; width++)
		if (mask & BIT(width) && !configure(c, dir, width, 1))
			return;
}

static void config_good(struct kt *t)
{
	struct conf *c = to_conf(t);

	if (conf_need_slave(c, DMA_MEM_TO_DEV))
		try_widths(c, DMA_MEM_TO_DEV);
	if (!kt_over(t) && conf_need_slave(c, DMA_DEV_TO_MEM))
		try_widths(c, DMA_DEV_TO_MEM);
}

/* What is wrong may be refused at once, or when something is prepared. */
static void refuse_config(struct conf *c, struct conf_table *table, struct dma_slave_config config,
			  const char *what)
{
	struct dma_async_tx_descriptor *tx = NULL;
	int err = dmaengine_slave_config(c->rx, &config);

	if (!err)
		tx = dmaengine_prep_slave_sg(c->rx, table->sgt.sgl, table->sgt.nents,
					     DMA_DEV_TO_MEM, CONF_FLAGS);
	KT_EXPECT(c->t, err || !tx, "%s is taken", what);
}

static void config_bad(struct kt *t)
{
	const struct conf_part part = { 0, SZ_1K };
	struct conf *c = to_conf(t);
	struct dma_slave_config good, bad;
	struct conf_table *table;
	struct conf_buf *buf;

	if (!c->p.strict) {
		kt_skip(t, "not strict: a wrong configuration may be taken");
		return;
	}
	if (!conf_need_slave(c, DMA_DEV_TO_MEM))
		return;
	buf = conf_buf(c, SZ_4K);
	table = buf ? conf_table(c, c->rx, buf, &part, 1, DMA_FROM_DEVICE) : NULL;
	if (!table)
		return;
	good = slave_config(c, DMA_DEV_TO_MEM, conf_width(c, DMA_DEV_TO_MEM), 1);
	bad = good;
	bad.src_addr_width = 3;
	refuse_config(c, table, bad, "a width of 3 bytes");
	bad.src_addr_width = DMA_SLAVE_BUSWIDTH_16_BYTES;
	if (!(widths(c->rx, DMA_DEV_TO_MEM) & BIT(DMA_SLAVE_BUSWIDTH_16_BYTES)))
		refuse_config(c, table, bad, "a width that is not offered");
	bad = good;
	bad.src_addr = 0x13;
	refuse_config(c, table, bad, "an address without a peripheral");
	bad = good;
	bad.src_maxburst = conf_caps(c->rx).max_burst + 1;
	if (conf_caps(c->rx).max_burst)
		refuse_config(c, table, bad, "a burst that is too long");
	KT_EXPECT_EQ(t, 0, dmaengine_slave_config(c->rx, &good));
}

/* ---- a word of memory as peripheral ---- */

static const struct conf_part cell_parts[] = {
	{ 256, 64 }, { SZ_4K, SZ_4K }, { SZ_16K - 512, 256 },
};

static void slave_to_memory_cell(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_table *table;
	struct conf_buf *buf;
	struct conf_job *job;
	unsigned int width;
	size_t end = cell_parts[2].off + cell_parts[2].len;

	if (!need_cell(c, DMA_MEM_TO_DEV))
		return;
	width = conf_width(c, DMA_MEM_TO_DEV);
	buf = conf_buf(c, SZ_16K);
	table = buf ? conf_table(c, c->tx, buf, cell_parts, 3, DMA_TO_DEVICE) : NULL;
	job = table ? conf_slave_job(c, table, DMA_MEM_TO_DEV, CONF_FLAGS) : NULL;
	if (!job || !conf_run(job))
		return;
	conf_table_unmap(table);
	/* The last word has stayed in it. */
	conf_image_copy(c->cell, 0, buf, end - width, width);
	conf_verify(c, c->cell);
	conf_verify(c, buf);
}

static void slave_from_memory_cell(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_table *table;
	struct conf_buf *buf;
	struct conf_job *job;
	unsigned int width, i;
	size_t off;

	if (!need_cell(c, DMA_DEV_TO_MEM))
		return;
	width = conf_width(c, DMA_DEV_TO_MEM);
	buf = conf_buf(c, SZ_16K);
	table = buf ? conf_table(c, c->rx, buf, cell_parts, 3, DMA_FROM_DEVICE) : NULL;
	job = table ? conf_slave_job(c, table, DMA_DEV_TO_MEM, CONF_FLAGS) : NULL;
	if (!job || !conf_run(job))
		return;
	conf_table_unmap(table);
	for (i = 0; i < ARRAY_SIZE(cell_parts); i++)
		for (off = 0; off < cell_parts[i].len; off += width)
			conf_image_copy(buf, cell_parts[i].off + off, c->cell, 0, width);
	conf_verify(c, buf);
	conf_verify(c, c->cell);
}

/* ---- a FIFO that gives back what it is given ---- */

/* Sends and receives; both buffers are looked at. */
static bool loop(struct conf *c, struct conf_buf *dst, struct conf_buf *src, size_t off, size_t len)
{
	struct conf_job *tx, *rx;

	rx = conf_slave_part(c, dst, off, len, DMA_DEV_TO_MEM);
	tx = conf_slave_part(c, src, off, len, DMA_MEM_TO_DEV);
	if (!rx || !tx || !conf_start(rx) || !conf_start(tx) || !conf_finish(tx) ||
	    !conf_finish(rx))
		return false;
	conf_table_unmap(tx->data);
	conf_table_unmap(rx->data);
	conf_image_copy(dst, off, src, off, len);
	return conf_verify(c, src) && conf_verify(c, dst);
}

static void slave_loopback(struct kt *t)
{
	static const size_t lengths[] = { 16, 64, 256, SZ_4K, SZ_32K };
	struct conf *c = to_conf(t);
	struct conf_buf *src, *dst;
	unsigned int i;

	if (!conf_need_loopback(c))
		return;
	src = conf_buf(c, SZ_64K);
	dst = conf_buf(c, SZ_64K);
	for (i = 0; src && dst && i < ARRAY_SIZE(lengths); i++) {
		conf_fill(c, src, 0, SZ_64K);
		if (!loop(c, dst, src, SZ_1K, min(conf_round(c, lengths[i]), c->max_len)))
			return;
	}
}

static bool loop_with(struct conf *c, unsigned int tx_width, unsigned int rx_width,
		      unsigned int burst)
{
	struct conf_buf *src = conf_buf(c, SZ_8K), *dst = conf_buf(c, SZ_8K);

	return src && dst && configure(c, DMA_MEM_TO_DEV, tx_width, burst) &&
	       configure(c, DMA_DEV_TO_MEM, rx_width, burst) &&
	       (loop(c, dst, src, SZ_1K, SZ_2K) ||
		KT_FAIL(c->t, "widths %u and %u, burst %u", tx_width, rx_width, burst));
}

/* The widths of the two sides need not be the same. */
static void slave_widths(struct kt *t)
{
	struct conf *c = to_conf(t);
	unsigned int tx_width, rx_width, burst;

	if (!conf_need_loopback(c))
		return;
	for (tx_width = 1; tx_width <= 16; tx_width *= 2) {
		for (rx_width = 1; rx_width <= 16; rx_width *= 2) {
			if (!(widths(c->tx, DMA_MEM_TO_DEV) & BIT(tx_width)) ||
			    !(widths(c->rx, DMA_DEV_TO_MEM) & BIT(rx_width)))
				continue;
			for (burst = 1; burst <= 8; burst *= 2)
				if (!loop_with(c, tx_width, rx_width, burst))
					return;
		}
	}
}

/* The segments of the two sides need not be the same, either. */
static void slave_segments(struct kt *t)
{
	static const struct conf_part tx_parts[] = {
		{ 0, 64 }, { SZ_4K + 128, SZ_2K }, { SZ_8K, 960 }, { 3 * SZ_4K, SZ_4K },
	};
	static const struct conf_part rx_parts[] = {
		{ 64, SZ_4K }, { SZ_8K + 256, SZ_2K }, { 3 * SZ_4K + 512, SZ_1K },
	};
	struct conf *c = to_conf(t);
	struct conf_table *tx_table, *rx_table;
	struct conf_buf *src, *dst;
	struct conf_job *tx, *rx;
	unsigned int i;
	u8 *line, *at;

	if (!conf_need_loopback(c))
		return;
	src = conf_buf(c, SZ_16K);
	dst = conf_buf(c, SZ_16K);
	line = conf_alloc(c, SZ_16K);
	if (!src || !dst || !line)
		return;
	tx_table = conf_table(c, c->tx, src, tx_parts, 4, DMA_TO_DEVICE);
	rx_table = conf_table(c, c->rx, dst, rx_parts, 3, DMA_FROM_DEVICE);
	if (!tx_table || !rx_table)
		return;
	tx = conf_slave_job(c, tx_table, DMA_MEM_TO_DEV, CONF_FLAGS);
	rx = conf_slave_job(c, rx_table, DMA_DEV_TO_MEM, CONF_FLAGS);
	if (!tx || !rx || !conf_start(rx) || !conf_start(tx) || !conf_finish(tx) ||
	    !conf_finish(rx))
		return;
	conf_table_unmap(tx_table);
	conf_table_unmap(rx_table);
	for (i = 0, at = line; i < ARRAY_SIZE(tx_parts); at += tx_parts[i++].len)
		memcpy(at, src->image + tx_parts[i].off, tx_parts[i].len);
	for (i = 0, at = line; i < ARRAY_SIZE(rx_parts); at += rx_parts[i++].len)
		memcpy(dst->image + rx_parts[i].off, at, rx_parts[i].len);
	conf_verify(c, src);
	conf_verify(c, dst);
}

/* A reception that waits for its data. */
static struct conf_job *waiting(struct conf *c, struct conf_buf **src, struct conf_buf **dst,
				size_t len)
{
	struct conf_job *rx;

	if (!conf_need_loopback(c))
		return NULL;
	*src = conf_buf(c, SZ_16K);
	*dst = conf_buf(c, SZ_16K);
	if (!*src || !*dst)
		return NULL;
	rx = conf_slave_part(c, *dst, 0, len, DMA_DEV_TO_MEM);
	if (!rx || !conf_start(rx))
		return NULL;
	conf_quiet(c);
	KT_EXPECT_EQ(c->t, 0, atomic_read(&rx->calls));
	return KT_EXPECT_EQ(c->t, DMA_IN_PROGRESS, conf_status(rx, NULL)) ? rx : NULL;
}

static bool send(struct conf *c, struct conf_buf *src, size_t off, size_t len)
{
	struct conf_job *tx = conf_slave_part(c, src, off, len, DMA_MEM_TO_DEV);

	if (!tx || !conf_run(tx))
		return false;
	conf_table_unmap(tx->data);
	return true;
}

static void receive(struct conf *c, struct conf_job *rx, struct conf_buf *dst,
		    struct conf_buf *src, size_t len)
{
	if (!conf_finish(rx))
		return;
	conf_table_unmap(rx->data);
	conf_image_copy(dst, 0, src, 0, len);
	conf_verify(c, dst);
}

static void slave_waits_for_data(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *src, *dst;
	struct conf_job *rx = waiting(c, &src, &dst, SZ_1K);

	if (rx && send(c, src, 0, SZ_1K))
		receive(c, rx, dst, src, SZ_1K);
}

/* Its residue becomes that, or stays what it was if it is not known better. */
static bool residue_becomes(struct conf *c, struct conf_job *job, u32 wanted, u32 whole)
{
	unsigned long end = jiffies + msecs_to_jiffies(c->p.timeout_ms);
	u32 residue;

	if (conf_caps(job->chan).residue_granularity != DMA_RESIDUE_GRANULARITY_BURST)
		wanted = whole;
	while (conf_status(job, &residue), residue != wanted) {
		if (time_after(jiffies, end) || signal_pending(current))
			return KT_EXPECT_EQ(c->t, wanted, residue);
		usleep_range(100, 200);
	}
	return KT_EXPECT(c->t, true);
}

static void slave_residue(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *src, *dst;
	struct conf_job *rx = waiting(c, &src, &dst, SZ_4K);
	unsigned int i;

	for (i = 0; rx && i < 4; i++) {
		if (!residue_becomes(c, rx, SZ_4K - i * SZ_1K, SZ_4K) ||
		    !send(c, src, i * SZ_1K, SZ_1K))
			return;
	}
	if (rx)
		receive(c, rx, dst, src, SZ_4K);
}

static void slave_terminate_waiting(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *src, *dst;
	struct conf_job *rx = waiting(c, &src, &dst, SZ_4K);

	if (!rx || !send(c, src, 0, SZ_1K))
		return;
	if (!conf_terminate(c, c->rx))
		return;
	conf_table_unmap(rx->data);
	conf_no_more_callbacks(c);
	conf_verify_still(c, dst);
	KT_EXPECT_EQ(t, 0, atomic_read(&rx->calls));
	if (!drain(c))
		return;
	rx = waiting(c, &src, &dst, SZ_2K);
	if (rx && send(c, src, 0, SZ_2K))
		receive(c, rx, dst, src, SZ_2K);
}

static void slave_pause_waiting(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct conf_buf *src, *dst;
	struct conf_job *rx;
	u32 residue;

	if (!conf_need_loopback(c))
		return;
	if (!conf_caps(c->rx).cmd_pause || !conf_caps(c->rx).cmd_resume) {
		kt_skip(t, "the provider has no pause and resume");
		return;
	}
	rx = waiting(c, &src, &dst, 256);
	if (!rx || !KT_EXPECT_EQ(t, 0, dmaengine_pause(c->rx)))
		return;
	KT_EXPECT_EQ(t, DMA_PAUSED, conf_status(rx, NULL));
	if (!send(c, src, 0, 256))
		return;
	conf_quiet(c);
	KT_EXPECT_EQ(t, DMA_PAUSED, conf_status(rx, &residue));
	KT_EXPECT_EQ(t, 256, residue);
	KT_EXPECT_EQ(t, 0, atomic_read(&rx->calls));
	if (KT_EXPECT_EQ(t, 0, dmaengine_resume(c->rx)))
		receive(c, rx, dst, src, 256);
}

static void slave_bad_arguments(struct kt *t)
{
	const struct conf_part part = { 0, SZ_1K };
	struct conf *c = to_conf(t);
	struct conf_table *table;
	struct conf_buf *buf;

	if (!conf_need_slave(c, DMA_MEM_TO_DEV))
		return;
	buf = conf_buf(c, SZ_4K);
	table = buf ? conf_table(c, c->tx, buf, &part, 1, DMA_TO_DEVICE) : NULL;
	if (!table)
		return;
	KT_EXPECT(t, !dmaengine_prep_slave_sg(c->tx, table->sgt.sgl, 0, DMA_MEM_TO_DEV,
					      CONF_FLAGS), "no segments");
	KT_EXPECT(t, !dmaengine_prep_slave_sg(c->tx, table->sgt.sgl, 1, DMA_MEM_TO_MEM,
					      CONF_FLAGS), "memory to memory");
	KT_EXPECT(t, !dmaengine_prep_slave_sg(c->tx, table->sgt.sgl, 1, DMA_TRANS_NONE,
					      CONF_FLAGS), "no direction");
}

const struct kt_case conf_slave_cases[] = {
	KT_CASE(config_good),
	KT_CASE(config_bad),
	KT_CASE(slave_to_memory_cell),
	KT_CASE(slave_from_memory_cell),
	KT_CASE(slave_loopback),
	KT_CASE(slave_widths),
	KT_CASE(slave_segments),
	KT_CASE(slave_waits_for_data),
	KT_CASE(slave_residue),
	KT_CASE(slave_terminate_waiting),
	KT_CASE(slave_pause_waiting),
	KT_CASE(slave_bad_arguments),
	{}
};
