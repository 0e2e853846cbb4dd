// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transfers between memory and peripherals. A channel moves a word whenever the
 * peripheral raises its request line, so these take as long as the peripheral
 * wants: one can look at them meanwhile, pause them, and end them.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/jiffies.h>
#include <linux/scatterlist.h>

#include "consumer.h"

#define FLAGS		(DMA_PREP_INTERRUPT | DMA_CTRL_ACK)

/* How long is looked whether something happens, and whether nothing does. */
#define PATIENCE_MS	5000
#define QUIET_MS	20

#define PERIODS		4
#define PERIOD_BYTES	256
#define RING_BYTES	(PERIODS * PERIOD_BYTES)
#define RING_NUMBERS	(RING_BYTES / sizeof(u16))

/* What a channel can do: a driver asks before it relies on it. */
int show_caps(struct consumer *c)
{
	struct dma_slave_caps caps;
	int ret = dma_get_slave_caps(c->source, &caps);

	if (ret)
		return ret;
	if (!(caps.directions & BIT(DMA_DEV_TO_MEM)) ||
	    !(caps.src_addr_widths & BIT(DMA_SLAVE_BUSWIDTH_2_BYTES)))
		return -EOPNOTSUPP;
	dev_info(c->dev, "caps: from a device, in words of 2 bytes; pause: %s, residue: %s\n",
		 caps.cmd_pause ? "yes" : "no",
		 caps.residue_granularity == DMA_RESIDUE_GRANULARITY_BURST ?
		 "by burst" : "coarse");
	return 0;
}

/* ---- out and in again ---- */

#define PIECES		3
#define PIECE_BYTES	256
#define SEND_BYTES	(PIECES * PIECE_BYTES)

/* The receiver is started first: the FIFO is smaller than some messages. */
static int send_and_receive(struct consumer *c, struct scatterlist *sgl, int mapped,
			    dma_addr_t dst)
{
	int ret;

	ret = job_submit(&c->in, dmaengine_prep_slave_single(c->rx, dst, SEND_BYTES,
							     DMA_DEV_TO_MEM, FLAGS));
	if (ret < 0)
		return ret;
	ret = job_submit(&c->out, dmaengine_prep_slave_sg(c->tx, sgl, mapped,
							  DMA_MEM_TO_DEV, FLAGS));
	if (ret < 0)
		return ret;
	dma_async_issue_pending(c->rx);
	dma_async_issue_pending(c->tx);
	return job_wait(&c->out) ?: job_wait(&c->in);
}

/* Every other piece of the source, so that the list can't become one entry. */
static void fill_pieces(struct consumer *c, struct scatterlist *sgl)
{
	int i;

	for (i = 0; i < BUF_SIZE; i++)
		c->src[i] = i * 7 + (i >> 8);
	sg_init_table(sgl, PIECES);
	for (i = 0; i < PIECES; i++)
		sg_set_buf(&sgl[i], c->src + 2 * i * PIECE_BYTES, PIECE_BYTES);
}

static bool pieces_arrived(struct consumer *c)
{
	int i;

	for (i = 0; i < PIECES; i++)
		if (memcmp(c->dst + i * PIECE_BYTES, c->src + 2 * i * PIECE_BYTES, PIECE_BYTES))
			return false;
	return true;
}

int show_send(struct consumer *c)
{
	struct device *tx_dev = c->tx->device->dev, *rx_dev = c->rx->device->dev;
	struct scatterlist sgl[PIECES];
	dma_addr_t dst;
	int mapped, ret;

	ret = config_tx(c) ?: config_rx(c);
	if (ret)
		return ret;
	fill_pieces(c, sgl);
	mapped = dma_map_sg(tx_dev, sgl, PIECES, DMA_TO_DEVICE);
	if (!mapped)
		return -ENOMEM;
	dst = dma_map_single(rx_dev, c->dst, SEND_BYTES, DMA_FROM_DEVICE);
	ret = -ENOMEM;
	if (dma_mapping_error(rx_dev, dst))
		goto unmap_src;

	ret = send_and_receive(c, sgl, mapped, dst);
	/* Nothing to stop if all went well; something still runs if not. */
	stop_channel(c, c->tx);
	stop_channel(c, c->rx);
	if (c->stuck)
		return ret ?: -EIO;
	dma_unmap_single(rx_dev, dst, SEND_BYTES, DMA_FROM_DEVICE);
	if (!ret && !pieces_arrived(c))
		ret = -EIO;
	if (!ret)
		dev_info(c->dev, "send: %d bytes of %d pieces went out and came back\n",
			 SEND_BYTES, PIECES);
unmap_src:
	dma_unmap_sg(tx_dev, sgl, PIECES, DMA_TO_DEVICE);
	return ret;
}

/* ---- what all that receive from the source have in common ---- */

/* Maps dst, lets work() receive there, stops the channel, and unmaps. */
static int receive(struct consumer *c, size_t len, int (*work)(struct consumer *c, dma_addr_t dma))
{
	struct device *dma_dev = c->source->device->dev;
	dma_addr_t dma;
	int ret = config_source(c);

	if (ret)
		return ret;
	dma = dma_map_single(dma_dev, c->dst, len, DMA_FROM_DEVICE);
	if (dma_mapping_error(dma_dev, dma))
		return -ENOMEM;
	ret = work(c, dma);
	stop_channel(c, c->source);
	if (c->stuck)
		return ret ?: -EIO;
	dma_unmap_single(dma_dev, dma, len, DMA_FROM_DEVICE);
	return ret;
}

/* How much is still to come; the status says what that is worth. */
static u32 residue(struct consumer *c, dma_cookie_t cookie)
{
	struct dma_tx_state state;

	dmaengine_tx_status(c->source, cookie, &state);
	return state.residue;
}

/* Until less than that is to come. */
static int wait_for_progress(struct consumer *c, dma_cookie_t cookie, u32 than)
{
	unsigned long end = jiffies + msecs_to_jiffies(PATIENCE_MS);

	while (residue(c, cookie) >= than) {
		if (time_after(jiffies, end))
			return -ETIMEDOUT;
		usleep_range(1000, 2000);
	}
	return 0;
}

static dma_cookie_t submit_receive(struct consumer *c, dma_addr_t dma, size_t len)
{
	return job_submit(&c->in, dmaengine_prep_slave_single(c->source, dma, len,
							      DMA_DEV_TO_MEM, FLAGS));
}

/* So much at once that it takes seconds. */
static dma_cookie_t start_long(struct consumer *c, dma_addr_t dma)
{
	dma_cookie_t cookie;
	int ret;

	cookie = submit_receive(c, dma, BUF_SIZE);
	if (cookie < 0)
		return cookie;
	dma_async_issue_pending(c->source);
	ret = wait_for_progress(c, cookie, BUF_SIZE);
	return ret ?: cookie;
}

/* ---- cookies and what they tell ---- */

#define THREE		3
#define THREE_BYTES	64

static int expect_status(struct consumer *c, dma_cookie_t cookie, enum dma_status status, u32 left)
{
	struct dma_tx_state state;

	if (dmaengine_tx_status(c->source, cookie, &state) != status || state.residue != left)
		return -EIO;
	return 0;
}

static int receive_three(struct consumer *c, dma_addr_t dma)
{
	dma_cookie_t cookie[THREE];
	int i, ret;

	for (i = 0; i < THREE; i++) {
		cookie[i] = submit_receive(c, dma + i * THREE_BYTES, THREE_BYTES);
		if (cookie[i] < 0)
			return cookie[i];
	}
	/* Submitted, not issued: all of it is still to come. */
	for (i = 0; i < THREE; i++)
		if (expect_status(c, cookie[i], DMA_IN_PROGRESS, THREE_BYTES))
			return -EIO;
	dev_info(c->dev, "cookies: %d transfers, %d bytes to come of each\n", THREE, THREE_BYTES);

	dma_async_issue_pending(c->source);
	for (i = 0; i < THREE; i++) {
		ret = job_wait(&c->in);
		if (ret)
			return ret;
		if (expect_status(c, cookie[i], DMA_COMPLETE, 0))
			return -EIO;
	}
	dev_info(c->dev, "cookies: complete, one after the other\n");
	return 0;
}

int show_cookies(struct consumer *c)
{
	return receive(c, THREE * THREE_BYTES, receive_three);
}

/* ---- round and round ---- */

/*
 * The next place to be written is where the oldest number is. From there on each
 * is one more than the one before it, once around.
 */
static bool in_a_row(const u16 *ring, u32 oldest)
{
	u32 i;

	for (i = 1; i < RING_NUMBERS; i++)
		if (ring[(oldest + i) % RING_NUMBERS] !=
		    (u16)(ring[(oldest + i - 1) % RING_NUMBERS] + 1))
			return false;
	return true;
}

/* Of a cyclic transfer the residue counts down once in each round. */
static int look_at_ring(struct consumer *c, dma_cookie_t cookie, dma_addr_t dma)
{
	u32 oldest = (RING_BYTES - residue(c, cookie)) / sizeof(u16) % RING_NUMBERS;
	struct device *dma_dev = c->source->device->dev;
	bool good;

	dma_sync_single_for_cpu(dma_dev, dma, RING_BYTES, DMA_FROM_DEVICE);
	good = in_a_row((u16 *)c->dst, oldest);
	dma_sync_single_for_device(dma_dev, dma, RING_BYTES, DMA_FROM_DEVICE);
	if (!good)
		return -EIO;
	dev_info(c->dev, "cyclic: the ring holds %zu numbers in a row\n", RING_NUMBERS);
	return 0;
}

static int receive_cyclic(struct consumer *c, dma_addr_t dma)
{
	dma_cookie_t cookie;
	int i, ret;

	/* Never complete, and its callback runs after each period. */
	cookie = job_submit(&c->in, dmaengine_prep_dma_cyclic(c->source, dma, RING_BYTES,
							      PERIOD_BYTES, DMA_DEV_TO_MEM,
							      DMA_PREP_INTERRUPT));
	if (cookie < 0)
		return cookie;
	dma_async_issue_pending(c->source);
	for (i = 0; i < 2 * PERIODS + 1; i++) {
		ret = job_wait(&c->in);
		if (ret)
			return ret;
	}
	dev_info(c->dev, "cyclic: %d periods of %d bytes have come\n", i, PERIOD_BYTES);
	/* An audio driver would not: it takes a period while the next one comes. */
	ret = dmaengine_pause(c->source);
	return ret ?: look_at_ring(c, cookie, dma);
}

int show_cyclic(struct consumer *c)
{
	return receive(c, RING_BYTES, receive_cyclic);
}

/* ---- pausing ---- */

static int receive_paused(struct consumer *c, dma_addr_t dma)
{
	dma_cookie_t cookie = start_long(c, dma);
	u32 left;
	int ret;

	if (cookie < 0)
		return cookie;
	ret = dmaengine_pause(c->source);
	if (ret)
		return ret;
	left = residue(c, cookie);
	msleep(QUIET_MS);
	if (residue(c, cookie) != left)
		return -EIO;
	dev_info(c->dev, "pause: nothing comes\n");

	ret = dmaengine_resume(c->source);
	if (ret)
		return ret;
	ret = wait_for_progress(c, cookie, left);
	if (!ret)
		dev_info(c->dev, "pause: resumed, the rest is coming\n");
	return ret;
}

int show_pause(struct consumer *c)
{
	return receive(c, BUF_SIZE, receive_paused);
}

/* ---- ending ---- */

/* One way to end it; then nothing comes any more, nor does the callback. */
static int end_long(struct consumer *c, dma_addr_t dma, bool sync)
{
	dma_cookie_t cookie = start_long(c, dma);
	int ret;

	if (cookie < 0)
		return cookie;
	if (sync) {
		ret = dmaengine_terminate_sync(c->source);
	} else {
		/* This one may be called where nothing can wait, and does not... */
		ret = dmaengine_terminate_async(c->source);
		/* ...so somebody else has to, before the memory is freed. */
		dmaengine_synchronize(c->source);
	}
	if (ret)
		return ret;
	msleep(QUIET_MS);
	return try_wait_for_completion(&c->in.done) ? -EIO : 0;
}

static int receive_terminated(struct consumer *c, dma_addr_t dma)
{
	int ret = end_long(c, dma, true);

	if (ret)
		return ret;
	dev_info(c->dev, "terminate: ended, and waited for\n");
	ret = end_long(c, dma, false);
	if (!ret)
		dev_info(c->dev, "terminate: ended, and waited for afterwards\n");
	return ret;
}

int show_terminate(struct consumer *c)
{
	return receive(c, BUF_SIZE, receive_terminated);
}
