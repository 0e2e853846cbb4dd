/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A client of one channel.
 */
#ifndef RIVAL_CLIENT_H
#define RIVAL_CLIENT_H

#include <linux/completion.h>
#include <linux/dmaengine.h>
#include <linux/mutex.h>

#include "rival.h"

struct client;

/* A copy on its way. */
struct copy {
	struct client *client;
	size_t at, len;
};

struct client {
	struct mutex mutex;		/* protects all but what callbacks write */
	struct dma_chan *chan;		/* NULL until it is open */
	void *src, *dst;
	dma_addr_t src_dma, dst_dma;	/* of the buffers that are always mapped */
	struct copy copy[RIVAL_MAX_BATCH];
	struct completion done;
	unsigned int left;		/* callbacks: they run one after the other */
};

struct client *client_new(void);
/* Stops the channel, and gives all back. */
void client_free(struct client *client);
/* Takes the channel, and makes buffers. Caller holds the mutex, as below. */
int client_open(struct client *client, const char *name);
/* Runs batches of copies. */
int client_run(struct client *client, const struct rival_run *run);
/* One copy of what is in the first buffer to the second, mapped just for it. */
int client_copy_once(struct client *client, size_t len);

#endif
