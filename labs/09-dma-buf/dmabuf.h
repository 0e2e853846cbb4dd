/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What the two drivers of this lab offer to programs
 *
 * /dev/dmabuf_export gives memory as a dma-buf. A program maps it with MAP_SHARED,
 * and syncs it with DMA_BUF_IOCTL_SYNC of <linux/dma-buf.h>, as any other.
 *
 * /dev/dmabuf_import takes two dma-bufs, wherever they come from, and moves data
 * from the one to the other with a DMA controller.
 *
 * All ioctls fail with ENOTTY if there is no such one, with EFAULT if the
 * structure can't be read, and with EINVAL if a flag is unknown.
 */
#ifndef DMABUF_H
#define DMABUF_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define DMABUF_MAX_SIZE		(16 << 20)

/* Nobody can write to the buffer: it holds zeros. */
#define DMABUF_READ_ONLY	1

/*
 * Returns a file descriptor for size bytes of zeros, rounded up to whole pages.
 *
 *	EINVAL	size is 0
 *	EMSGSIZE	size is more than DMABUF_MAX_SIZE
 *	ENOMEM, EMFILE
 */
struct dmabuf_alloc {
	__u32 size;
	__u32 flags;
};

#define DMABUF_ALLOC	_IOW(0xDA, 0xF1, struct dmabuf_alloc)

/*
 * Takes two dma-bufs: they stay attached and mapped until the file is closed,
 * also when the program closes its own descriptors.
 *
 *	EBADF	no such file descriptor
 *	EINVAL	it is no dma-buf, or both are the same
 *	EACCES	the destination can't be written
 *	EBUSY	this file has taken two already
 *	ENOMEM	no memory, or no mapping
 *	ENODEV	the driver was unbound
 */
struct dmabuf_take {
	__s32 src;
	__s32 dst;
	__u32 flags;	/* 0: none is defined */
	__u32 reserved;	/* 0 */
};

#define DMABUF_TAKE	_IOW(0xDA, 0xF2, struct dmabuf_take)

/*
 * Moves len bytes, and the rest of the last word, from the beginning of the source
 * to that of the destination. The program is not between the two ioctls of a sync
 * meanwhile.
 *
 *	EINVAL	len is 0
 *	ENXIO	this file has taken no dma-bufs
 *	EMSGSIZE	len is more than one of them has
 *	ENOMEM	the controller has no descriptor left
 *	ETIMEDOUT	the controller, or somebody else who uses the buffer, did not finish
 *	EIO	the transfer failed, or after a timeout the controller could not be
 *		stopped
 *	EINTR	a signal came before the transfer had started
 *	ENODEV	the driver was unbound
 */
struct dmabuf_copy {
	__u32 len;
	__u32 flags;	/* 0: none is defined */
};

#define DMABUF_COPY	_IOW(0xDA, 0xF3, struct dmabuf_copy)

#endif
