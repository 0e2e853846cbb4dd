/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CONSUMER_H
#define CONSUMER_H

#include <linux/completion.h>
#include <linux/dmaengine.h>
#include <linux/types.h>

#define BUF_SIZE	65536

/* What is known when a transaction is over. Written by its callback. */
struct job {
	struct completion done;
	enum dmaengine_tx_result result;
};

/*
 * All that the demonstrations use. They need the driver's lock: one at a time.
 * Nothing of it is on anybody's stack, because a controller that does not stop
 * may use it at any time.
 */
struct consumer {
	struct device *dev;	/* for the log */
	struct dma_chan *tx;	/* to the FIFO that gives back what it gets */
	struct dma_chan *rx;	/* from there */
	struct dma_chan *source;	/* from the FIFO that counts */
	struct dma_chan *mem;	/* memory to memory */
	struct job out;
	struct job in;
	u8 *src;		/* BUF_SIZE each */
	u8 *dst;
	bool stuck;		/* a controller could not be stopped */
};

/*
 * Each shows one thing, logs what it did and returns 0, or an error: EIO is data
 * that is not what it should be, or a transaction that failed. Then no channel is
 * busy, and nothing is mapped, unless stuck says otherwise.
 */
typedef int show_fn(struct consumer *c);

/* peripheral.c */
show_fn show_caps;
show_fn show_send;
show_fn show_cookies;
show_fn show_cyclic;
show_fn show_pause;
show_fn show_terminate;

/* memory.c */
show_fn show_copy;
show_fn show_fill;
show_fn show_xor;
show_fn show_interleaved;

/* job.c */

/*
 * Submits a transaction that was prepared, and has its end told to the job. It
 * does not run before dma_async_issue_pending(). Returns its cookie, or an error.
 * NULL, what preparing gives when it fails, is ENOMEM.
 */
dma_cookie_t job_submit(struct job *job, struct dma_async_tx_descriptor *tx);

/* Waits for the end: 0, EIO if it was a bad one, ETIMEDOUT. */
int job_wait(struct job *job);

/* Ends whatever a channel does, or says that it is stuck. */
void stop_channel(struct consumer *c, struct dma_chan *chan);

/*
 * Tells the FIFO's address, and the width and the number of the words that it
 * takes at once, to the channel.
 */
int config_tx(struct consumer *c);
int config_rx(struct consumer *c);
int config_source(struct consumer *c);

#endif
