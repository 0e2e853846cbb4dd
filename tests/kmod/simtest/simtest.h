/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/simtest: a client of the DMA engine by remote control. Each open file
 * is a session with channels, buffers and transactions of its own, which are
 * known by numbers that the program chooses. Closing it ends and gives back
 * all of them.
 *
 * Every request is an ioctl that returns 0 or -1 with an errno:
 *
 *	EINVAL		a number out of range, or an argument that makes no sense
 *	ENOENT		there is no such channel, buffer or transaction
 *	EBUSY		there is already one, or it is in use
 *	EREMOTEIO	the controller prepared nothing
 *	ETIME		what was waited for did not come
 *
 * and otherwise what the DMA engine or the mapping said.
 */
#ifndef SIMTEST_H
#define SIMTEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define SIMTEST_CHANS	1040
#define SIMTEST_BUFS	64
#define SIMTEST_TXS	1024
#define SIMTEST_MAKES	65536		/* transactions in a session, all in all */
#define SIMTEST_MAX_BUF	(4 << 20)
#define SIMTEST_NONE	0xffffffffu

/* Takes a channel: by its name, or with a device, as that client's. */
struct simtest_request {
	__u32 chan;
	__u32 type;			/* enum dma_transaction_type, or SIMTEST_NONE */
	char device[64];
	char name[64];
};

struct simtest_caps {
	__u32 chan;
	__u32 id;
	__u32 src_widths, dst_widths, directions;
	__u32 min_burst, max_burst, max_sg_burst;
	__u32 pause, resume, terminate, reuse, residue;
	__u32 copy_align, max_xor, max_segment;
	__u64 types;			/* a bit per enum dma_transaction_type */
	__u64 mask;			/* the device's DMA mask */
	char name[64];			/* the channel's */
};

struct simtest_config {
	__u32 chan;
	__u32 direction;
	__u64 src_addr, dst_addr;
	__u32 src_width, dst_width;
	__u32 src_burst, dst_burst;
	__u32 src_window, dst_window;
	__u32 device_fc;
	__u32 peripheral_size;
};

enum simtest_chan_op {
	SIMTEST_ISSUE,
	SIMTEST_PAUSE,
	SIMTEST_RESUME,
	SIMTEST_TERMINATE,		/* and synchronize */
	SIMTEST_RELEASE,		/* without a word to the controller before */
};

struct simtest_chan {
	__u32 chan;
	__u32 op;
};

/* Ordinary memory, or coherent memory of a channel's device. */
struct simtest_alloc {
	__u32 buf;
	__u32 coherent;
	__u32 chan;
	__u32 size;
	__u64 addr;			/* out: of coherent memory */
};

enum simtest_map_op {
	SIMTEST_MAP,
	SIMTEST_UNMAP,			/* @chan, @dir, @off and @len are not used */
	SIMTEST_SYNC_CPU,
	SIMTEST_SYNC_DEVICE,
};

/* A buffer is mapped for one channel's device at most, once. */
struct simtest_map {
	__u32 buf;
	__u32 op;
	__u32 chan;
	__u32 dir;			/* enum dma_data_direction */
	__u32 off, len;			/* sync: counted from where the buffer begins */
	__u64 addr;			/* out */
};

/* Reads or writes a buffer with the CPU. */
struct simtest_data {
	__u32 buf;
	__u32 write;
	__u32 off, len;
	__u64 data;
};

enum simtest_kind {
	SIMTEST_MEMCPY,
	SIMTEST_MEMSET,
	SIMTEST_INTERRUPT,
	SIMTEST_SLAVE,			/* @count pieces of @len, @step apart */
	SIMTEST_CYCLIC,
};

/* Prepares a transaction; one that has that number is forgotten. */
struct simtest_prep {
	__u32 tx;
	__u32 chan;
	__u32 kind;
	__u32 dir;			/* enum dma_transfer_direction */
	__u64 dst, src;			/* device addresses; of slaves, the one in memory */
	__u32 len;
	__u32 period;
	__u32 count, step;
	__u32 value;
	__u32 flags;			/* enum dma_ctrl_flags */
	/*
	 * Of a cyclic one: each callback copies the period that it stands for
	 * from buffer @from to the end of what there is in buffer @log.
	 */
	__u32 from, log;		/* or SIMTEST_NONE */
};

enum simtest_tx_op {
	SIMTEST_SUBMIT,
	SIMTEST_STATUS,
	SIMTEST_WAIT,			/* for @calls callbacks, @timeout_ms at most */
};

struct simtest_tx {
	__u32 tx;
	__u32 op;
	__u32 timeout_ms;
	__u32 calls;			/* in: to wait for; out: that there were */
	/* out: */
	__s32 cookie;
	__u32 status, residue;		/* what dmaengine_tx_status() says now */
	__u32 result, left;		/* of the latest callback's dmaengine_result */
	__u32 first_status;		/* what the first callback saw */
	__u32 order;			/* how many first callbacks were earlier */
	__u64 first_ns, last_ns;	/* when callbacks ran, CLOCK_MONOTONIC */
};

#define SIMTEST_REQUEST	_IOW('s', 1, struct simtest_request)
#define SIMTEST_CAPS	_IOWR('s', 2, struct simtest_caps)
#define SIMTEST_CONFIG	_IOW('s', 3, struct simtest_config)
#define SIMTEST_CHAN	_IOW('s', 4, struct simtest_chan)
#define SIMTEST_ALLOC	_IOWR('s', 5, struct simtest_alloc)
#define SIMTEST_MAPPING	_IOWR('s', 6, struct simtest_map)
#define SIMTEST_DATA	_IOW('s', 7, struct simtest_data)
#define SIMTEST_PREP	_IOW('s', 8, struct simtest_prep)
#define SIMTEST_TX	_IOWR('s', 9, struct simtest_tx)

#endif
