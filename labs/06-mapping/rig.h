/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rig: a device that reads and writes memory as it is told, so that there is
 * something to map memory for. It is the board's DMA controller with a box, a
 * piece of memory that takes the place of what is inside of a device.
 *
 * All functions need the driver's lock, which is to say: one recipe at a time.
 */
#ifndef RIG_H
#define RIG_H

#include <linux/completion.h>
#include <linux/dmaengine.h>
#include <linux/types.h>

#define BOX_SIZE	(4 * PAGE_SIZE)

/* So many transfers can be queued at a time. */
#define RIG_MAX		16

struct rig {
	struct device *dev;	/* our own device, in the log */
	struct device *dma_dev;	/* who reads and writes: map memory for this one */
	struct dma_chan *chan;
	u8 *box;
	dma_addr_t box_dma;
	u32 queued;		/* transfers since the last rig_run() */
	dma_cookie_t cookie[RIG_MAX];	/* theirs */
	struct completion done;	/* of one of them */
	bool stuck;		/* the controller could not be stopped */
};

/* Needs dev and chan. */
int rig_init(struct rig *rig);
void rig_exit(struct rig *rig);

/*
 * Queues: the device shall read len bytes at addr into its box, from at on. An
 * error takes back what was queued before.
 */
int rig_read(struct rig *rig, u32 at, dma_addr_t addr, u32 len);

/* The other way: the device shall write len bytes of its box to addr. */
int rig_write(struct rig *rig, u32 at, dma_addr_t addr, u32 len);

/*
 * Starts what was queued and waits until all is done. Afterwards the device is
 * at rest, also after an error, unless rig->stuck says otherwise: then it may
 * read and write for ever, and nothing of it may be unmapped or freed.
 */
int rig_run(struct rig *rig);

/* Both at once, from the box's beginning. */
int rig_reads(struct rig *rig, dma_addr_t addr, u32 len);
int rig_writes(struct rig *rig, dma_addr_t addr, u32 len);

#endif
