// SPDX-License-Identifier: GPL-2.0-only
/*
 * The transactions of a session.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "session.h"

static void keep_period(struct transfer *x)
{
	size_t at = x->calls * x->period;

	lockdep_assert_held(&x->session->lock);

	if (x->log && at + x->period <= x->log_size)
		memcpy(x->log + at, x->from + at % x->ring, x->period);
}

static void called_back(void *data, const struct dmaengine_result *result)
{
	struct transfer *x = data;
	struct session *s = x->session;
	enum dma_status status = dmaengine_tx_status(x->chan, x->cookie, NULL);
	unsigned long flags;

	spin_lock_irqsave(&s->lock, flags);
	keep_period(x);
	x->last_ns = ktime_get_ns();
	if (!x->calls++) {
		x->first_ns = x->last_ns;
		x->first_status = status;
		x->order = s->ended++;
	}
	if (result)
		x->result = *result;
	wake_up_all(&s->wait);
	spin_unlock_irqrestore(&s->lock, flags);
}

/* ---- preparing ---- */

#define MAX_PIECES	256

static struct dma_async_tx_descriptor *prep_slave(struct dma_chan *chan,
						  const struct simtest_prep *prep)
{
	struct dma_async_tx_descriptor *tx;
	struct scatterlist *sgl, *sg;
	unsigned int i;

	if (!prep->count || prep->count > MAX_PIECES)
		return ERR_PTR(-EINVAL);
	sgl = kcalloc(prep->count, sizeof(*sgl), GFP_KERNEL);
	if (!sgl)
		return ERR_PTR(-ENOMEM);
	sg_init_table(sgl, prep->count);
	for_each_sg(sgl, sg, prep->count, i) {
		sg_dma_address(sg) = (prep->dir == DMA_MEM_TO_DEV ? prep->src : prep->dst) +
				     (u64)i * prep->step;
		sg_dma_len(sg) = prep->len;
	}
	tx = dmaengine_prep_slave_sg(chan, sgl, prep->count, prep->dir, prep->flags);
	kfree(sgl);
	return tx;
}

static struct dma_async_tx_descriptor *prep_tx(struct dma_chan *chan,
					       const struct simtest_prep *prep)
{
	struct dma_device *dma = chan->device;

	switch (prep->kind) {
	case SIMTEST_MEMCPY:
		return dmaengine_prep_dma_memcpy(chan, prep->dst, prep->src, prep->len,
						 prep->flags);
	case SIMTEST_MEMSET:
		return dmaengine_prep_dma_memset(chan, prep->dst, prep->value, prep->len,
						 prep->flags);
	case SIMTEST_INTERRUPT:
		return dma->device_prep_dma_interrupt ?
		       dma->device_prep_dma_interrupt(chan, prep->flags) : NULL;
	case SIMTEST_SLAVE:
		return prep_slave(chan, prep);
	case SIMTEST_CYCLIC:
		return dmaengine_prep_dma_cyclic(chan, prep->dir == DMA_MEM_TO_DEV ? prep->src :
						 prep->dst, prep->len, prep->period, prep->dir,
						 prep->flags);
	default:
		return ERR_PTR(-EINVAL);
	}
}

/* Where the periods of a cyclic one are kept. */
static int set_log(struct session *s, struct transfer *x, const struct simtest_prep *prep)
{
	struct buffer *from, *log;

	lockdep_assert_held(&s->mutex);

	if (prep->log == SIMTEST_NONE)
		return 0;
	if (prep->kind != SIMTEST_CYCLIC || prep->log >= SIMTEST_BUFS ||
	    prep->from >= SIMTEST_BUFS || !prep->period || !prep->len)
		return -EINVAL;
	from = &s->buf[prep->from];
	log = &s->buf[prep->log];
	/* Coherent memory goes with its unmapping, while callbacks may run. */
	if (!from->cpu || !log->cpu || from->coherent || log->coherent ||
	    from->size < prep->len)
		return -EINVAL;
	x->from = from->cpu;
	x->log = log->cpu;
	x->log_size = log->size;
	x->period = prep->period;
	x->ring = prep->len;
	return 0;
}

int session_prep(struct session *s, const struct simtest_prep *prep)
{
	struct dma_chan *chan = session_chan(s, prep->chan);
	struct dma_async_tx_descriptor *tx;
	struct transfer *x;
	int err;

	if (IS_ERR(chan))
		return PTR_ERR(chan);
	if (prep->tx >= SIMTEST_TXS)
		return -EINVAL;
	if (s->made == SIMTEST_MAKES)
		return -ENOSPC;
	x = kzalloc(sizeof(*x), GFP_KERNEL);
	if (!x)
		return -ENOMEM;
	err = set_log(s, x, prep);
	tx = err ? ERR_PTR(err) : prep_tx(chan, prep);
	if (IS_ERR_OR_NULL(tx)) {
		kfree(x);
		return tx ? PTR_ERR(tx) : -EREMOTEIO;
	}
	x->session = s;
	x->chan = chan;
	x->tx = tx;
	x->number = prep->tx;
	tx->callback_result = called_back;
	tx->callback_param = x;
	list_add(&x->node, &s->transfers);
	s->tx[prep->tx] = x;
	s->made++;
	return 0;
}

/* ---- submitting, looking, waiting ---- */

static bool has_calls(struct session *s, struct transfer *x, unsigned int calls)
{
	bool has;

	spin_lock_irq(&s->lock);
	has = x->calls >= calls;
	spin_unlock_irq(&s->lock);
	return has;
}

/* The session's mutex is held all the while; nobody else has the file. */
static int wait_for_calls(struct session *s, struct transfer *x, const struct simtest_tx *op)
{
	long left = wait_event_interruptible_timeout(s->wait, has_calls(s, x, op->calls),
						     msecs_to_jiffies(op->timeout_ms));

	return left < 0 ? -EINTR : left ? 0 : -ETIME;
}

static void report(struct session *s, struct transfer *x, struct simtest_tx *op)
{
	struct dma_tx_state state = {};

	op->status = dmaengine_tx_status(x->chan, x->cookie, &state);
	op->residue = state.residue;
	op->cookie = x->cookie;
	spin_lock_irq(&s->lock);
	op->calls = x->calls;
	op->result = x->result.result;
	op->left = x->result.residue;
	op->first_status = x->first_status;
	op->order = x->order;
	op->first_ns = x->first_ns;
	op->last_ns = x->last_ns;
	spin_unlock_irq(&s->lock);
}

static int submit(struct transfer *x)
{
	struct dma_async_tx_descriptor *tx = x->tx;

	if (!tx)
		return -EBUSY;
	x->tx = NULL;
	x->cookie = dmaengine_submit(tx);
	return dma_submit_error(x->cookie) ? x->cookie : 0;
}

int session_tx(struct session *s, struct simtest_tx *op)
{
	struct transfer *x = op->tx < SIMTEST_TXS ? s->tx[op->tx] : NULL;
	int err = 0;

	lockdep_assert_held(&s->mutex);

	if (!x)
		return -ENOENT;
	if (op->op != SIMTEST_SUBMIT && x->tx)
		return -EINVAL;
	switch (op->op) {
	case SIMTEST_SUBMIT:
		err = submit(x);
		break;
	case SIMTEST_WAIT:
		err = wait_for_calls(s, x, op);
		break;
	case SIMTEST_STATUS:
		break;
	default:
		return -EINVAL;
	}
	if (!err)
		report(s, x, op);
	return err;
}

void session_forget_chan(struct session *s, struct dma_chan *chan)
{
	struct transfer *x;

	lockdep_assert_held(&s->mutex);

	/* Callbacks are over with the channel, so they miss nothing. */
	list_for_each_entry(x, &s->transfers, node) {
		if (x->chan != chan)
			continue;
		if (s->tx[x->number] == x)
			s->tx[x->number] = NULL;
		x->tx = NULL;
	}
}

void session_free_transfers(struct session *s)
{
	struct transfer *x, *next;

	list_for_each_entry_safe(x, next, &s->transfers, node)
		kfree(x);
}
