// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exclusive or of several buffers.
 */
#include "conf.h"

#define MAX_SOURCES 32

struct sources {
	struct conf_buf *dst;
	struct conf_buf *src[MAX_SOURCES];
	dma_addr_t addr[MAX_SOURCES];
};

static size_t xor_align(struct conf *c)
{
	return max_t(size_t, c->p.align, 1 << c->chan->device->xor_align);
}

static unsigned int max_sources(struct conf *c)
{
	return min_t(unsigned int, MAX_SOURCES, c->chan->device->max_xor);
}

static struct sources *make_sources(struct conf *c, size_t size)
{
	struct sources *s = conf_alloc(c, sizeof(*s));
	unsigned int i;

	if (!s)
		return NULL;
	s->dst = conf_buf(c, size);
	if (!s->dst)
		return NULL;
	for (i = 0; i < max_sources(c); i++) {
		s->src[i] = conf_buf(c, size);
		if (!s->src[i])
			return NULL;
	}
	return s;
}

static bool map_sources(struct conf *c, struct sources *s, unsigned int count, size_t off,
			size_t len)
{
	unsigned int i;
	size_t j;

	for (i = 0; i < count; i++) {
		if (!conf_map(c, c->chan, s->src[i], off, len, DMA_TO_DEVICE))
			return false;
		s->addr[i] = conf_addr(s->src[i], off);
		for (j = off; j < off + len; j++)
			s->dst->image[j] = (i ? s->dst->image[j] : 0) ^ s->src[i]->image[j];
	}
	return conf_map(c, c->chan, s->dst, off, len, DMA_FROM_DEVICE);
}

static bool run_xor(struct conf *c, struct sources *s, unsigned int count, size_t off, size_t len)
{
	struct dma_async_tx_descriptor *tx;
	struct conf_job *job;
	unsigned int i;

	if (!map_sources(c, s, count, off, len))
		return false;
	tx = c->chan->device->device_prep_dma_xor(c->chan, conf_addr(s->dst, off), s->addr, count,
						  len, CONF_FLAGS);
	job = conf_job(c, c->chan, tx);
	if (!job || !conf_run(job) || !conf_verify(c, s->dst))
		return KT_FAIL(c->t, "%u sources, %zu bytes", count, len);
	for (i = 0; i < count; i++)
		if (!conf_verify(c, s->src[i]))
			return false;
	return true;
}

static void xor_sources(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct sources *s;
	unsigned int count;

	if (!conf_need(c, DMA_XOR))
		return;
	s = make_sources(c, SZ_8K);
	for (count = 2; s && count <= max_sources(c); count++) {
		conf_fill(c, s->dst, 0, s->dst->size);
		if (!run_xor(c, s, count, SZ_1K, c->piece))
			return;
	}
}

static void xor_lengths(struct kt *t)
{
	struct conf *c = to_conf(t);
	size_t len, max = min_t(size_t, c->max_len, SZ_8K + 1);
	struct sources *s;
	unsigned int i;

	if (!conf_need(c, DMA_XOR))
		return;
	s = make_sources(c, 3 * SZ_4K);
	for (i = 0; s && (len = conf_length(c, i, xor_align(c), max)); i++) {
		conf_fill(c, s->src[0], 0, s->src[0]->size);
		if (!run_xor(c, s, 2, round_up(1 + i, xor_align(c)), len))
			return;
	}
}

static void validate(struct conf *c, struct sources *s, bool zero)
{
	enum sum_check_flags result = zero ? SUM_CHECK_P_RESULT : 0;
	struct dma_async_tx_descriptor *tx;
	struct conf_job *job;

	if (!map_sources(c, s, 2, 0, c->piece))
		return;
	tx = c->chan->device->device_prep_dma_xor_val(c->chan, s->addr, 2, c->piece, &result,
						      CONF_FLAGS);
	job = conf_job(c, c->chan, tx);
	if (job && conf_run(job))
		KT_EXPECT_EQ(c->t, zero ? 0 : SUM_CHECK_P_RESULT, result);
	/* It is the address of a variable that is gone. */
	conf_terminate(c, c->chan);
}

static void xor_validation(struct kt *t)
{
	struct conf *c = to_conf(t);
	struct sources *s;

	if (!conf_need(c, DMA_XOR_VAL))
		return;
	s = make_sources(c, SZ_4K);
	if (!s)
		return;
	validate(c, s, false);
	conf_unmap(s->src[1]);
	memcpy(s->src[1]->cpu, s->src[0]->image, SZ_4K);
	memcpy(s->src[1]->image, s->src[0]->image, SZ_4K);
	validate(c, s, true);
}

const struct kt_case conf_xor_cases[] = {
	KT_CASE(xor_sources),
	KT_CASE(xor_lengths),
	KT_CASE(xor_validation),
	{}
};
