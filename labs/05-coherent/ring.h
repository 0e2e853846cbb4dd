/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ring of descriptors that driver and device share, and the device.
 *
 * The ring lies in coherent memory. The driver fills descriptors in their order
 * and gives them to the device; the device works on them in the same order and
 * gives them back. Who has a descriptor stands in the descriptor itself.
 */
#ifndef RING_H
#define RING_H

#include <linux/completion.h>
#include <linux/dmaengine.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#define RING_SIZE	16

/* Bytes of a message that a descriptor carries: a buffer of the pool. */
#define RING_BUF	64

/* Transfers take microseconds: one that takes this long does not end. */
#define DMA_TIMEOUT	msecs_to_jiffies(5000)

/* Who has a descriptor, and what became of it. */
enum ring_state {
	RING_FREE,	/* the driver's */
	RING_GIVEN,	/* the device's */
	RING_DONE,	/* the driver's again: len bytes were moved */
};

/*
 * As the device reads it: the same on every machine, so the byte order is fixed
 * and nothing depends on the compiler. A cache line long, so that no two of
 * them share one.
 */
struct ring_desc {
	__le64 src;
	__le64 dst;
	__le32 len;
	__le32 state;	/* enum ring_state; written last by who gives it away */
	__le64 unused[5];
};

/*
 * A device that knows nothing but its ring. A chip would have the logic of
 * device.c in hardware; this one is a work item. But it reads and writes memory
 * as a chip does, by bus addresses and past the CPU: each access is a transfer
 * of the board's DMA controller.
 */
struct ring_device {
	struct device *dev;	/* for the log */
	struct dma_chan *chan;
	dma_addr_t ring;	/* where its ring is: a register of a chip */
	struct work_struct work;
	void (*irq)(void *data);
	void *irq_data;

	/* Used by the work alone, or by who has stopped it. */
	u32 tail;		/* the descriptor that comes next */
	struct ring_desc *desc;	/* memory inside the device, and where it is */
	dma_addr_t desc_dma;
	struct completion done;

	int error;		/* why it has stopped; written by the work alone */
	bool stuck;		/* a transfer could not be ended; the same */
};

/*
 * Makes a device that has its ring at this bus address, and calls irq() from a
 * context that may not sleep whenever it has given back descriptors, or has
 * stopped with an error.
 */
int ring_device_init(struct ring_device *rd, dma_addr_t ring);

/* It must have been stopped. */
void ring_device_exit(struct ring_device *rd);

/* The doorbell: there are new descriptors. Never sleeps. */
void ring_device_kick(struct ring_device *rd);

/*
 * Returns when the device is at rest, after a few timeouts at the most. Then it
 * neither reads nor writes anything, or it is stuck.
 */
void ring_device_stop(struct ring_device *rd);

/* Starts again with the first descriptor; it has been stopped. */
void ring_device_reset(struct ring_device *rd);

struct dma_pool;

/*
 * Measures what memory for DMA costs, with the device's own calls, and writes a
 * line for each way to buf, which is a page. Returns the length.
 */
ssize_t ring_costs(struct device *dma_dev, struct dma_pool *pool, char *buf);

#endif
