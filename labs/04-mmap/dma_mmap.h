/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What dma_mmap_driver offers to programs on /dev/dma_mmap
 *
 * There are two buffers of DMA_MMAP_SIZE bytes. mmap() gives them to a program,
 * with MAP_SHARED, at these offsets:
 *
 *	DMA_MMAP_SRC	the source, to read and write
 *	DMA_MMAP_DST	the destination, to read: only the controller writes it
 *
 * and the ioctl moves bytes from the beginning of the source to the beginning
 * of the destination. It returns when they are there. While it runs, and only
 * then, they are the controller's: a program that writes to the source meanwhile
 * cannot know which bytes are moved.
 *
 * mmap() fails with
 *	EACCES	writing to the destination is asked for (so does mprotect())
 *	EINVAL	MAP_PRIVATE: a private copy would see nothing of a transfer
 *	ENXIO	some of it is behind the end of the destination
 *	ENODEV	the driver was unbound
 *
 * and ioctl() with
 *	EFAULT	the structure cannot be read
 *	EINVAL	len is 0, or flags is not
 *	EMSGSIZE	len is more than DMA_MMAP_SIZE
 *	ETIMEDOUT	the controller did not finish; it was stopped
 *	EIO	after a timeout the controller could not be stopped
 *	ENOMEM	the controller has no descriptor left
 *	EINTR	a signal came before the transfer had started
 *	ENODEV	the driver was unbound
 *	ENOTTY	there is no such ioctl
 */
#ifndef DMA_MMAP_H
#define DMA_MMAP_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* A multiple of every page size. */
#define DMA_MMAP_SIZE	65536

#define DMA_MMAP_SRC	0
#define DMA_MMAP_DST	DMA_MMAP_SIZE

/* The same on 32 and 64 bits. Whole words are moved, see the driver. */
struct dma_mmap_copy {
	__u32 len;
	__u32 flags;	/* 0: none is defined */
};

#define DMA_MMAP_COPY	_IOW(0xDA, 0xF0, struct dma_mmap_copy)

#endif
