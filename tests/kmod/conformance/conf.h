/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Conformance of a dmaengine provider: what the cases share.
 *
 * A case asks for what it needs with the conf_need_...() functions, which skip
 * it where the provider has not got that. It makes buffers, jobs and the like
 * and just returns, at any point: what it made is given back after it, when
 * its channels have been terminated. All that may fail fails the case by
 * itself and then gives NULL or false.
 *
 * Each buffer has an image of what must be in it. A case that lets the
 * provider write does the same to the image (conf_image_...()), and
 * conf_verify() compares all of it, so that a byte that is missed, moved or
 * written beside the destination is found, in sources as well.
 *
 * A buffer is mapped for the device exactly where a transfer touches it, and
 * not looked at while it is.
 */
#ifndef CONF_H
#define CONF_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>

#include "ktap.h"

/* The cases by area; the table of each ends with one without a name. */
extern const struct kt_case conf_caps_cases[];
extern const struct kt_case conf_first_cases[];
extern const struct kt_case conf_memcpy_cases[];
extern const struct kt_case conf_fill_cases[];
extern const struct kt_case conf_xor_cases[];
extern const struct kt_case conf_interrupt_cases[];
extern const struct kt_case conf_interleave_cases[];
extern const struct kt_case conf_order_cases[];
extern const struct kt_case conf_callback_cases[];
extern const struct kt_case conf_status_cases[];
extern const struct kt_case conf_terminate_cases[];
extern const struct kt_case conf_load_cases[];
extern const struct kt_case conf_slave_cases[];
extern const struct kt_case conf_cyclic_cases[];
extern const struct kt_case conf_last_cases[];

#define CONF_NAME	64
#define CONF_FLAGS	(DMA_PREP_INTERRUPT | DMA_CTRL_ACK)

/* The arguments of a run; README.md describes them. */
struct conf_params {
	char provider[CONF_NAME];
	char chan[CONF_NAME];
	char chan2[CONF_NAME];
	char slave_dev[CONF_NAME];
	char tx[CONF_NAME];
	char rx[CONF_NAME];
	u64 tx_addr;
	u64 rx_addr;
	u64 width;
	u64 fifo_memory;
	u64 align;
	u64 big;
	u64 many;
	u64 timeout_ms;
	u64 quiet_ms;
	u64 no_cyclic;
	u64 no_atomic_prep;
	u64 inherits_callback;
	u64 strict;
};

/*
 * One run. Written by the thread that runs the cases, but for what is said.
 */
struct conf {
	struct kt *t;
	struct conf_params p;
	struct dma_chan *chan;		/* held all the time */
	struct dma_chan *chan2;		/* NULL if there is no second one */
	struct dma_chan *tx, *rx;	/* of the peripheral; NULL, or the same as chan */
	struct device *slave_dev;	/* who asks for them */
	struct platform_device *own_dev;
	size_t align;			/* of addresses and lengths of a copy */
	size_t max_len;			/* of one transfer */
	size_t piece, small;		/* ordinary lengths: 4 KiB and 1 KiB, if it takes that */
	unsigned int pool;		/* so many descriptors there are, if known */
	bool wedged;			/* something could not be stopped */
	struct conf_buf *cell;		/* this case's peripheral, with fifo_memory */

	struct mutex lock;		/* protects the lists */
	struct list_head bufs;
	struct list_head tables;
	struct list_head jobs;
	struct list_head memory;

	atomic_t callbacks;		/* so many there have been in this case */
	atomic_t seed;
};

static inline struct conf *to_conf(struct kt *t)
{
	return t->data;
}

/* ---- what is needed ---- */

bool conf_need(struct conf *c, enum dma_transaction_type type);
bool conf_need_terminate(struct conf *c);
/* Copies that are complete in the order in which they were submitted. */
bool conf_need_order(struct conf *c);
/* Segments of this length, and none aligned to more than 64 bytes. */
bool conf_need_segment(struct conf *c, size_t len);
bool conf_need_chan2(struct conf *c);
/* A peripheral to talk to in this direction; its channel is configured. */
bool conf_need_slave(struct conf *c, enum dma_transfer_direction dir);
/* What goes into the peripheral comes out of it; it is empty, both are configured. */
bool conf_need_loopback(struct conf *c);

/* ---- the provider ---- */

/* Whether transactions end in the order in which they were submitted. */
bool conf_in_order(struct dma_chan *chan);
/* The device to map for. */
struct device *conf_dev(struct dma_chan *chan);
/* What the channel says of itself; for one without slave caps what is known. */
struct dma_slave_caps conf_caps(struct dma_chan *chan);
/* Requests the channels of the parameters. Gives them back on an error. */
int conf_request(struct conf *c);
void conf_release(struct conf *c);
/* One channel, by its name or its provider's, each of which may be empty. */
struct dma_chan *conf_request_chan(const char *name, const char *provider);
/*
 * Ends all that a channel does, and waits until nothing of it is left. If that
 * is not possible, the case fails, and nothing that the channel uses is freed.
 */
bool conf_terminate(struct conf *c, struct dma_chan *chan);
/* Waits until callbacks are over, after they were ended from atomic context. */
void conf_synchronize(struct dma_chan *chan);
/* Rounds up to what the provider can copy. */
size_t conf_round(struct conf *c, size_t len);
/* The lengths that are tried, from short to long; 0 after the last. */
size_t conf_length(struct conf *c, unsigned int index, size_t align, size_t max);
u32 conf_random(struct conf *c, u32 below);

/* Zeroed memory, freed after the case. */
void *conf_alloc(struct conf *c, size_t size);

/* ---- buffers ---- */

struct conf_buf {
	struct list_head node;
	u8 *cpu;
	u8 *image;
	size_t size;

	/* What is mapped now, if @len is not 0. */
	struct device *dev;
	dma_addr_t dma;
	size_t off, len;
	enum dma_data_direction dir;
	bool coherent;			/* mapped for all its life, at @dma */
};

/* Filled with a pattern in which no two places look alike. */
struct conf_buf *conf_buf(struct conf *c, size_t size);
struct conf_buf *conf_buf_coherent(struct conf *c, size_t size);
/* A new pattern in a part of it, which is not mapped. */
void conf_fill(struct conf *c, struct conf_buf *buf, size_t off, size_t len);
void conf_set(struct conf_buf *buf, u8 value);
/* Maps a part for @chan; a second call maps another part instead. */
bool conf_map(struct conf *c, struct dma_chan *chan, struct conf_buf *buf, size_t off,
	      size_t len, enum dma_data_direction dir);
void conf_unmap(struct conf_buf *buf);
/* The device address of a place that is mapped. */
dma_addr_t conf_addr(struct conf_buf *buf, size_t off);
void conf_image_copy(struct conf_buf *dst, size_t dst_off, struct conf_buf *src,
		     size_t src_off, size_t len);
/* Unmaps it, and compares all of it with the image. */
bool conf_verify(struct conf *c, struct conf_buf *buf);
/* Unmaps both; each byte of @dst has its old value or that of the image. */
bool conf_verify_partial(struct conf *c, struct conf_buf *dst, const u8 *old);
/* It has not changed any more after a while. */
bool conf_verify_still(struct conf *c, struct conf_buf *buf);

/* A scatterlist over parts of a buffer, mapped. */
struct conf_table {
	struct list_head node;
	struct device *dev;
	struct sg_table sgt;
	enum dma_data_direction dir;
	bool mapped;
};

struct conf_part {
	size_t off, len;
};

struct conf_table *conf_table(struct conf *c, struct dma_chan *chan, struct conf_buf *buf,
			      const struct conf_part *parts, unsigned int count,
			      enum dma_data_direction dir);
void conf_table_unmap(struct conf_table *table);

/* ---- jobs ---- */

struct conf_job {
	struct list_head node;
	struct conf *c;
	struct dma_chan *chan;
	struct dma_async_tx_descriptor *tx;
	size_t len;			/* what its residue begins with; 0: not known */
	dma_cookie_t cookie;
	void (*hook)(struct conf_job *job);	/* called by its callback */
	void *data;				/* the hook's */
	bool endless;			/* it is not over with its callback */
	bool inherited;			/* it had a callback when it was prepared */

	/* Written by the callback only, before it completes @done. */
	struct completion done;
	atomic_t calls;
	int number;			/* how many callbacks there were before */
	struct dmaengine_result result;
};

/* A job without a transaction yet. */
struct conf_job *conf_job_empty(struct conf *c, struct dma_chan *chan);
/* Sets the callback of a transaction that was prepared; fails if there is none. */
bool conf_job_attach(struct conf_job *job, struct dma_async_tx_descriptor *tx);
/* Both together. */
struct conf_job *conf_job(struct conf *c, struct dma_chan *chan,
			  struct dma_async_tx_descriptor *tx);
bool conf_submit(struct conf_job *job);
/* Submits and issues. */
bool conf_start(struct conf_job *job);
/* Waits for its callback; if none comes, the case fails. */
bool conf_wait(struct conf_job *job);
/* Waits, and looks whether it ended well: called once, no error, complete, no residue. */
bool conf_finish(struct conf_job *job);
/* conf_start() and conf_finish(). */
bool conf_run(struct conf_job *job);
enum dma_status conf_status(struct conf_job *job, u32 *residue);
/* Waits for @count callbacks in this case. */
bool conf_wait_callbacks(struct conf *c, int count);
/* No callback has come any more after a while. */
bool conf_no_more_callbacks(struct conf *c);
/* Sleeps so long that what should not happen would have happened. */
void conf_quiet(struct conf *c);

/* ---- transfers with the peripheral ---- */

/* The width of its register that is used where nothing else is said. */
unsigned int conf_width(struct conf *c, enum dma_transfer_direction dir);
struct conf_job *conf_slave_job(struct conf *c, struct conf_table *table,
				enum dma_transfer_direction dir, unsigned long flags);
/* Of one part of a buffer; the job's data is its table. */
struct conf_job *conf_slave_part(struct conf *c, struct conf_buf *buf, size_t off, size_t len,
				 enum dma_transfer_direction dir);

/* ---- copies, with which most is tried ---- */

/* A job that copies between mapped buffers, done in the images as well. */
struct conf_job *conf_copy_job(struct conf *c, struct dma_chan *chan, struct conf_buf *dst,
			       size_t dst_off, struct conf_buf *src, size_t src_off, size_t len,
			       unsigned long flags);
/* Maps, copies, unmaps and verifies. */
bool conf_copy(struct conf *c, struct conf_buf *dst, size_t dst_off, struct conf_buf *src,
	       size_t src_off, size_t len);

/*
 * Copies from @src to @dst that are prepared and submitted but not issued: one
 * after the other, @len bytes each, in buffers that are mapped as a whole.
 */
struct conf_batch {
	struct conf_buf *src, *dst;
	u8 *old;			/* what was in @dst */
	size_t len;
	unsigned int count;
	struct conf_job *job[];
};

struct conf_batch *conf_batch(struct conf *c, struct dma_chan *chan, unsigned int count,
			      size_t len);
/* All ended well, in the order of submission. */
bool conf_batch_finish(struct conf *c, struct conf_batch *batch);

/* Gives back what the case made. Called between cases. */
void conf_give_back(struct conf *c);

#endif
