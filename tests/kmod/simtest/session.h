/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A session of /dev/simtest, and what its parts know of each other.
 */
#ifndef SESSION_H
#define SESSION_H

#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "simtest.h"

struct buffer {
	void *cpu;
	size_t size;
	bool coherent;
	unsigned int chan;		/* whose device it is mapped for */
	bool mapped;
	dma_addr_t addr;
	size_t off, len;
	enum dma_data_direction dir;
};

/* A transaction stays until the session ends: its callback may come late. */
struct transfer {
	struct list_head node;
	struct session *session;
	struct dma_chan *chan;		/* constant */
	struct dma_async_tx_descriptor *tx;	/* NULL: submitted */
	dma_cookie_t cookie;
	unsigned int number;

	/* Of a cyclic one; constant once it is prepared. */
	const u8 *from;
	u8 *log;
	size_t period, ring, log_size;

	/* The session's lock protects these, which the callback writes. */
	unsigned int calls;
	struct dmaengine_result result;
	enum dma_status first_status;
	unsigned int order;
	u64 first_ns, last_ns;
};

struct session {
	struct mutex mutex;		/* protects all but what the callbacks write */
	struct dma_chan *chan[SIMTEST_CHANS];
	struct buffer buf[SIMTEST_BUFS];
	struct transfer *tx[SIMTEST_TXS];
	struct list_head transfers;
	unsigned int made;

	spinlock_t lock;		/* protects what callbacks write, and the next */
	unsigned int ended;		/* first callbacks */
	wait_queue_head_t wait;
};

/* The device that a name stands for; put_device() it. NULL if there is none. */
struct device *simtest_client(const char *name);

/* Caller holds the mutex for all of these; they return an error code. */
struct dma_chan *session_chan(struct session *s, unsigned int number);
int session_request(struct session *s, struct simtest_request *request);
int session_caps(struct session *s, struct simtest_caps *caps);
int session_config(struct session *s, const struct simtest_config *config);
int session_chan_op(struct session *s, const struct simtest_chan *op);

int session_alloc(struct session *s, struct simtest_alloc *alloc);
int session_map(struct session *s, struct simtest_map *map);
int session_data(struct session *s, const struct simtest_data *data);
/* Whether a buffer is mapped for a channel. */
bool session_is_mapped(struct session *s, unsigned int chan);
/* Unmaps a channel's buffers, or all of them with SIMTEST_NONE. */
void session_unmap(struct session *s, unsigned int chan);
void session_free_buffers(struct session *s);

int session_prep(struct session *s, const struct simtest_prep *prep);
int session_tx(struct session *s, struct simtest_tx *op);
/* The transactions of a channel that is given back have none any more. */
void session_forget_chan(struct session *s, struct dma_chan *chan);
void session_free_transfers(struct session *s);

/* Ends everything on all channels, and gives all back. */
void session_end(struct session *s);

#endif
