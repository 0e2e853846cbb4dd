/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dmashadow: takes over the DMA mapping of a device that is simulated, and gives
 * that device its own view of memory.
 *
 * A device whose mapping was taken over has a space: all device addresses that
 * its clients were given by the DMA API, and what lies there. The clients (those
 * who call dma_map_single() and so on with that device) notice nothing. Who
 * simulates the device reads and writes through windows onto device addresses,
 * and can reach only what is mapped, in the mapped direction, to the byte.
 *
 *	flags = shadow_lock(space);
 *	shadow_open(space, addr, want, false, &w);
 *	if (w.len)
 *		memcpy(to, w.ptr, w.len);
 *	else
 *		the access failed, w.fault says why;
 *	shadow_close(&w);
 *	shadow_unlock(space, flags);
 *
 *
 * Addresses
 *
 * Each mapping has pages of device addresses of its own, with a page after them
 * where nothing is ever mapped. The offset within the page is that of the memory.
 * An address is used again as late as possible, so that a device that uses it
 * after it was unmapped hits nothing. With 32 address bits or more, addresses are
 * in the upper half of what the device reaches, where no small machine has RAM;
 * page 0 and the highest page are never used.
 *
 * What a device reaches is the least of shadow_params.mask, of the mask that its
 * driver has set, and of its bus's limit.
 *
 * dma_map_resource() gives the physical address and makes no mapping: registers
 * of other devices are not reached through this, and a window onto them fails.
 *
 *
 * SHADOW_IOMMU: the device is cache coherent and sits behind an IOMMU.
 *
 * It sees the CPU's memory itself. A scatterlist's entries become one range where
 * one ends and the next begins at a page's edge, within the device's longest
 * segment and segment boundary; dma_map_sg() then returns less entries.
 *
 *
 * SHADOW_NONCOHERENT: the CPU has a cache that the device doesn't look into.
 *
 * What the CPU sees stands for the cache's content. What the device sees is a
 * copy that belongs to the mapping and stands for the RAM below; it holds whole
 * cache lines. Only the calls of the DMA API carry data between the two, always
 * by the line: "written back" is from the CPU to the copy, "read again" from the
 * copy to the CPU, after the cache's own line was thrown away.
 *
 *	map			all lines are written back, for each direction
 *	sync_for_device		TO_DEVICE, BIDIRECTIONAL: the range's lines are
 *				written back. FROM_DEVICE: they are thrown away,
 *				so what the CPU wrote there is lost
 *	sync_for_cpu, unmap	FROM_DEVICE, BIDIRECTIONAL: the range's lines are
 *				read again. TO_DEVICE: nothing
 *
 * This is what arm64 does, but for one thing: since Linux 5.19 it writes back in
 * sync_for_device(FROM_DEVICE) as well. 32-bit ARM throws away, as does RISC-V,
 * as did arm64 before; a driver that depends on the former is not portable, so
 * the latter is modelled. No line is written back on its own, whereas hardware
 * may do that whenever it needs room: a driver that is right doesn't notice.
 *
 * A line that is only partly inside of the mapping, at its beginning or end, is
 * shared: throwing it away would lose what belongs to somebody else. Like arm64,
 * which cleans and invalidates such lines, each call above first writes it back
 * if it is dirty: if any byte of it, inside of the mapping or outside, was changed
 * by the CPU since it was last the same on both sides. What the device had written
 * into the line is then lost; stats.shared_lines counts where that happened. If
 * the line was not changed, it is read again. The CPU's bytes outside of the
 * mapping are never written.
 *
 * With DMA_ATTR_SKIP_CPU_SYNC map and unmap carry nothing; after such a map the
 * device sees SHADOW_STALE in each byte until the client synchronizes.
 *
 * Mappings of the same memory, or in the same line, have a copy each, and the
 * last one that is read again wins: what the first one brings to a shared line
 * is a change by the CPU to the other. Don't do that; neither does hardware
 * promise more.
 *
 *
 * In both views coherent buffers (dma_alloc_coherent()) are seen by both sides
 * at once, and dma_alloc_pages() is memory with a streaming mapping.
 *
 *
 * What clients do wrong is warned of (limited in rate, never a kernel warning)
 * and counted, and what is recorded of the mapping is used: size or direction
 * other than mapped, synchronization beyond the mapping. An unknown address does
 * nothing.
 */
#ifndef SHADOW_H
#define SHADOW_H

#include <linux/types.h>

struct device;
struct shadow_space;

/* What the device reads where nothing was ever written back. */
#define SHADOW_STALE	0xd5

enum shadow_view { SHADOW_IOMMU, SHADOW_NONCOHERENT };

struct shadow_params {
	enum shadow_view view;
	unsigned int line;	/* SHADOW_NONCOHERENT: bytes, a power of two, 4..4096 */
	u64 mask;		/* device addresses are at or below; at least 0xffff */
	/*
	 * May be NULL. Called once for each mapping or allocation that a client
	 * asks for, a scatterlist is one, in any context and with no lock of
	 * ours held: true makes it fail.
	 */
	bool (*refuse)(void *ctx);
	void *ctx;
};

/* False where the kernel has no DMA operations of a single device. */
bool shadow_supported(void);

/*
 * Takes over. The device has no mapping yet, and none of its clients calls the
 * DMA API meanwhile: a driver's probe is the place, before dma_set_mask(). The
 * device stays until shadow_remove(). -EOPNOTSUPP where shadow_supported() is
 * false, -EINVAL for wrong parameters, -EBUSY if it was taken over already,
 * -ENOMEM. May sleep.
 */
struct shadow_space *shadow_install(struct device *dev, const struct shadow_params *params);

/*
 * Gives the device its former operations again. No client calls the DMA API for
 * it any more, and nothing of it may be used after: what is still mapped or
 * allocated is freed, with a line in the log, and its number is returned. Each
 * streaming mapping, each range of a scatterlist and each allocation counts as
 * one. May sleep.
 */
unsigned int shadow_remove(struct shadow_space *space);

/*
 * The device's side. Between the two no mapping comes or goes, so what a window
 * shows stays there; the call that unmaps it waits. Any number of readers holds
 * this at once, but none twice. Interrupts are off; nothing in between may call
 * the DMA API for this device. Nobody's lock is taken inside of it.
 */
unsigned long shadow_lock(struct shadow_space *space);
void shadow_unlock(struct shadow_space *space, unsigned long flags);

enum shadow_fault {
	SHADOW_OK,
	SHADOW_UNMAPPED,	/* no mapping has this byte */
	SHADOW_DENIED,		/* the mapping has another direction */
};

struct shadow_window {
	void *ptr;
	size_t len;		/* bytes from ptr, or 0 */
	enum shadow_fault fault;
	void *kmap;		/* private */
};

/*
 * Opens a window onto what the device finds at @addr, to be read, or with @write
 * to be written (reading is then possible, too). ->len is how much of @want bytes
 * is there in one piece, at least 1; the rest takes another window. Or it is 0,
 * and ->fault says why; @want of 0 is SHADOW_OK. Called with the lock held;
 * windows are closed before it is released, in reverse order of opening, those
 * that failed as well.
 */
void shadow_open(struct shadow_space *space, dma_addr_t addr, size_t want, bool write,
		 struct shadow_window *w);
void shadow_close(struct shadow_window *w);

struct shadow_stats {
	u64 maps, unmaps;	/* streaming mappings; each range of a scatterlist is one */
	u64 allocs, frees;	/* coherent buffers, and dma_alloc_pages() */
	u64 live, live_bytes;	/* of both kinds, now */
	u64 refused;		/* by shadow_params.refuse */
	u64 failed;		/* no memory, no room, or not possible in this view */
	u64 shared_lines;	/* lines where bytes of the device were lost */
	u64 bad_unmaps;		/* and frees: nothing there, or mapped otherwise */
	u64 bad_syncs;
	u64 unmapped, denied;	/* windows that failed */
};

/* Any context; not with the lock held. */
void shadow_stats(struct shadow_space *space, struct shadow_stats *stats);

#endif
