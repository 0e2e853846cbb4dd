// SPDX-License-Identifier: GPL-2.0-only
/* Coherent buffers. */
#include <linux/dmapool.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "cases.h"
#include "rig.h"

#define BUFFER	(2 * SIZE - 100)

static __always_inline u8 *raw_alloc(struct kt *t, size_t size, dma_addr_t *addr)
{
	u8 *vaddr = raw_ops(t)->alloc(rig_of(t)->dev, size, addr, GFP_KERNEL, 0);

	KT_EXPECT(t, vaddr, "no memory");
	return vaddr;
}

static __always_inline void raw_free(struct kt *t, size_t size, void *vaddr, dma_addr_t addr)
{
	raw_ops(t)->free(rig_of(t)->dev, size, vaddr, addr, 0);
	barrier();
}

static noinline void right_buffer(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr;
	u8 *vaddr = dma_alloc_coherent(dev, BUFFER, &addr, GFP_KERNEL);

	if (!KT_EXPECT(t, vaddr, "no memory"))
		return;
	KT_EXPECT(t, all(vaddr, 0, BUFFER), "not zeroed");
	memset(vaddr, 0x11, BUFFER);
	KT_EXPECT(t, device_sees(t, addr, 0x11, BUFFER), "not seen by the device");
	device_fill(t, addr, 0x22, BUFFER);
	KT_EXPECT(t, all(vaddr, 0x22, BUFFER), "not seen by the CPU");
	dma_free_coherent(dev, BUFFER, vaddr, addr);
	flush_quarantine(t);
}

static noinline void wrong_buffer_overrun(struct kt *t)
{
	dma_addr_t addr;
	u8 *vaddr = raw_alloc(t, BUFFER, &addr);

	vaddr[BUFFER] = 1;
	raw_free(t, BUFFER, vaddr, addr);
}

/* Of whole pages. */
static noinline void wrong_page_overrun(struct kt *t)
{
	dma_addr_t addr;
	u8 *vaddr = raw_alloc(t, SIZE, &addr);

	vaddr[SIZE + 127] = 1;
	raw_free(t, SIZE, vaddr, addr);
}

void buffer_overrun(struct kt *t)
{
	RUN_PAIR(t, "buffer-overrun", wrong_buffer_overrun, right_buffer);
	RUN_PAIR(t, "buffer-overrun", wrong_page_overrun, right_buffer);
}

static noinline void wrong_buffer_underrun(struct kt *t)
{
	dma_addr_t addr;
	u8 *vaddr = raw_alloc(t, BUFFER, &addr);

	device_fill(t, addr - 1, 1, 1);
	raw_free(t, BUFFER, vaddr, addr);
}

void buffer_underrun(struct kt *t)
{
	RUN_PAIR(t, "buffer-overrun", wrong_buffer_underrun, right_buffer);
}

static noinline void wrong_use_after_free(struct kt *t)
{
	dma_addr_t addr;
	u8 *vaddr = raw_alloc(t, BUFFER, &addr);

	raw_free(t, BUFFER, vaddr, addr);
	vaddr[10] = 1;
	flush_quarantine(t);
}

void use_after_free(struct kt *t)
{
	RUN_PAIR(t, "use-after-free", wrong_use_after_free, right_buffer);
}

static noinline void wrong_double_free(struct kt *t)
{
	dma_addr_t addr;
	u8 *vaddr = raw_alloc(t, BUFFER, &addr);

	raw_free(t, BUFFER, vaddr, addr);
	raw_free(t, BUFFER, vaddr, addr);
}

void double_free(struct kt *t)
{
	RUN_PAIR(t, "bad-free", wrong_double_free, right_buffer);
}

static noinline void wrong_free_size(struct kt *t)
{
	dma_addr_t addr;
	u8 *vaddr = raw_alloc(t, BUFFER, &addr);

	raw_free(t, SIZE, vaddr, addr);
}

void free_size(struct kt *t)
{
	RUN_PAIR(t, "wrong-size", wrong_free_size, right_buffer);
}

static noinline void wrong_free_pointer(struct kt *t)
{
	dma_addr_t addr;
	u8 *vaddr = raw_alloc(t, BUFFER, &addr);

	raw_free(t, BUFFER, vaddr + 8, addr);
}

void free_pointer(struct kt *t)
{
	RUN_PAIR(t, "bad-free", wrong_free_pointer, right_buffer);
}

static noinline void wrong_free_nothing(struct kt *t)
{
	u8 *page = rig_of(t)->page;

	raw_free(t, SIZE, page, virt_to_phys(page));
}

void free_nothing(struct kt *t)
{
	RUN_PAIR(t, "bad-free", wrong_free_nothing, right_buffer);
}

/* It is no buffer, and stays mapped. */
static noinline void wrong_free_mapping(struct kt *t)
{
	dma_addr_t addr = raw_map(t, rig_of(t)->page, SIZE, DMA_BIDIRECTIONAL);

	raw_free(t, SIZE, rig_of(t)->page, addr);
	expect_report(t, "bad-free", __func__);
	raw_unmap(t, addr, SIZE, DMA_BIDIRECTIONAL);
	expect_silence(t);
	raw_free(t, SIZE, rig_of(t)->page, addr);
}

void free_mapping(struct kt *t)
{
	RUN_PAIR(t, "bad-free", wrong_free_mapping, right_buffer);
}

static noinline void wrong_buffer_sync(struct kt *t)
{
	dma_addr_t addr;
	u8 *vaddr = raw_alloc(t, BUFFER, &addr);

	raw_for_cpu(t, addr, BUFFER, DMA_BIDIRECTIONAL);
	raw_free(t, BUFFER, vaddr, addr);
}

void buffer_sync(struct kt *t)
{
	RUN_PAIR(t, "bad-sync", wrong_buffer_sync, right_buffer);
}

/* ---- what drivers rely on ---- */

/* A program sees the buffer, and nothing of what lies around it. */
void buffer_mmap_bounds(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	struct vm_area_struct vma = { .vm_start = 0, .vm_end = 3 * PAGE_SIZE };
	dma_addr_t addr;
	u8 *vaddr = dma_alloc_coherent(dev, BUFFER, &addr, GFP_KERNEL);

	if (!KT_EXPECT(t, vaddr, "no memory"))
		return;
	KT_EXPECT_EQ(t, -ENXIO, dma_mmap_coherent(dev, &vma, vaddr, addr, BUFFER));
	vma.vm_end = PAGE_SIZE;
	vma.vm_pgoff = 2;
	KT_EXPECT_EQ(t, -ENXIO, dma_mmap_coherent(dev, &vma, vaddr, addr, BUFFER));
	vma.vm_pgoff = 0;
	KT_EXPECT_EQ(t, -ENXIO, dma_mmap_coherent(dev, &vma, vaddr, addr + PAGE_SIZE, SIZE));
	dma_free_coherent(dev, BUFFER, vaddr, addr);
	expect_silence(t);
}

static u8 at_program(struct kt *t, unsigned long at)
{
	u8 byte = 0;

	KT_EXPECT_EQ(t, 0, copy_from_user(&byte, (void __user *)at, 1));
	return byte;
}

static int map_for_program(struct kt *t, unsigned long at, void *vaddr, dma_addr_t addr)
{
	struct vm_area_struct *vma;
	int err = -EFAULT;

	mmap_write_lock(current->mm);
	vma = find_vma(current->mm, at);
	if (vma) {
		err = dma_mmap_coherent(rig_of(t)->dev, vma, vaddr, addr, BUFFER);
		KT_EXPECT_EQ(t, 0, vma->vm_pgoff);
	}
	mmap_write_unlock(current->mm);
	return err;
}

void buffer_mmap(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr;
	u8 *vaddr = dma_alloc_coherent(dev, BUFFER, &addr, GFP_KERNEL);
	unsigned long at;

	if (!KT_EXPECT(t, vaddr, "no memory"))
		return;
	vaddr[0] = 0x12;
	vaddr[BUFFER - 1] = 0x34;
	at = vm_mmap(NULL, 0, 2 * SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, 0);
	if (KT_EXPECT(t, !IS_ERR_VALUE(at), "no room")) {
		if (KT_EXPECT_EQ(t, 0, map_for_program(t, at, vaddr, addr))) {
			KT_EXPECT_EQ(t, 0x12, at_program(t, at));
			KT_EXPECT_EQ(t, 0x34, at_program(t, at + BUFFER - 1));
		}
		vm_munmap(at, 2 * SIZE);
	}
	dma_free_coherent(dev, BUFFER, vaddr, addr);
	expect_silence(t);
}

/* Only the device has an address of it, so there is nothing to be watched. */
void buffer_without_address(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	unsigned long attrs = DMA_ATTR_NO_KERNEL_MAPPING;
	dma_addr_t addr;
	void *cookie = dma_alloc_attrs(dev, BUFFER, &addr, GFP_KERNEL, attrs);

	if (!KT_EXPECT(t, cookie, "no memory"))
		return;
	device_fill(t, addr, 0x55, BUFFER);
	KT_EXPECT(t, device_sees(t, addr, 0x55, BUFFER), "not what was written");
	dma_free_attrs(dev, BUFFER, cookie, addr, attrs);
	flush_quarantine(t);
	expect_silence(t);
}

void buffer_alignment(struct kt *t)
{
	/* Without a red zone before it, a checking kernel takes a buffer for two. */
	size_t most = IS_ENABLED(CONFIG_DMA_API_DEBUG) ? SZ_64K : SZ_512K, size;
	struct device *dev = rig_of(t)->dev;

	for (size = 1; size <= most; size = size * 3 + 1) {
		size_t aligned = PAGE_SIZE << get_order(size);
		dma_addr_t addr;
		void *vaddr = dma_alloc_coherent(dev, size, &addr, GFP_KERNEL);

		if (!KT_EXPECT(t, vaddr, "%zu bytes", size))
			continue;
		KT_EXPECT(t, IS_ALIGNED(addr, min_t(size_t, aligned, SZ_64K)), "%zu bytes at %pad",
			  size, &addr);
		memset(vaddr, 1, size);
		dma_free_coherent(dev, size, vaddr, addr);
	}
	flush_quarantine(t);
	expect_silence(t);
}

/* Not where the device, as it says now, does not reach. */
void buffer_within_mask(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr;
	void *vaddr;
	int bits;

	KT_EXPECT(t, dma_get_required_mask(dev) >= DMA_BIT_MASK(24), "it needs no memory?");
	for (bits = 31; bits > 24 && !dma_set_coherent_mask(dev, DMA_BIT_MASK(bits)); bits--) {
		vaddr = dma_alloc_coherent(dev, SIZE, &addr, GFP_KERNEL);
		if (!vaddr)
			break;
		KT_EXPECT(t, addr + SIZE - 1 <= DMA_BIT_MASK(bits), "%d bits: %pad", bits, &addr);
		dma_free_coherent(dev, SIZE, vaddr, addr);
	}
	KT_EXPECT_EQ(t, 0, dma_set_coherent_mask(dev, DMA_BIT_MASK(32)));
	expect_silence(t);
}

/* All that the page allocator gives at once: there is no room for red zones. */
void largest_buffer(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	size_t size = KMALLOC_MAX_SIZE;
	dma_addr_t addr;
	u8 *vaddr;

	if (IS_ENABLED(CONFIG_DMA_API_DEBUG)) {
		kt_skip(t, "without a red zone before it, this kernel takes a buffer for two");
		return;
	}
	vaddr = dma_alloc_coherent(dev, size, &addr, GFP_KERNEL);
	if (!vaddr) {
		kt_skip(t, "there is no memory for %zu bytes", size);
		return;
	}
	device_fill(t, addr, 0x44, size);
	KT_EXPECT(t, all(vaddr, 0x44, size), "not seen by the CPU");
	dma_free_coherent(dev, size, vaddr, addr);
	expect_silence(t);
}

void pool_blocks(struct kt *t)
{
	struct dma_pool *pool = dma_pool_create("dmasan-test", rig_of(t)->dev, 256, 256, 0);
	dma_addr_t addr[40];
	void *vaddr[40];
	int i;

	if (!KT_EXPECT(t, pool, "no pool"))
		return;
	for (i = 0; i < ARRAY_SIZE(vaddr); i++) {
		vaddr[i] = dma_pool_zalloc(pool, GFP_KERNEL, &addr[i]);
		if (KT_EXPECT(t, vaddr[i], "block %d", i))
			device_fill(t, addr[i], i, 256);
	}
	for (i = 0; i < ARRAY_SIZE(vaddr); i++) {
		KT_EXPECT(t, !vaddr[i] || all(vaddr[i], i, 256), "block %d", i);
		if (vaddr[i])
			dma_pool_free(pool, vaddr[i], addr[i]);
	}
	dma_pool_destroy(pool);
	flush_quarantine(t);
	expect_silence(t);
}

void buffer_as_list(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	struct sg_table sgt;
	dma_addr_t addr;
	u8 *vaddr = dma_alloc_coherent(dev, BUFFER, &addr, GFP_KERNEL), last = 0;

	if (!KT_EXPECT(t, vaddr, "no memory"))
		return;
	vaddr[BUFFER - 1] = 0x77;
	if (KT_EXPECT_EQ(t, 0, dma_get_sgtable(dev, &sgt, vaddr, addr, BUFFER))) {
		KT_EXPECT_EQ(t, 1, sg_pcopy_to_buffer(sgt.sgl, sgt.orig_nents, &last, 1,
						      BUFFER - 1));
		KT_EXPECT_EQ(t, 0x77, last);
		sg_free_table(&sgt);
	}
	KT_EXPECT_EQ(t, -ENXIO, dma_get_sgtable(dev, &sgt, vaddr, addr + PAGE_SIZE, SIZE));
	KT_EXPECT_EQ(t, -ENXIO, dma_get_sgtable(dev, &sgt, vaddr, addr, BUFFER + SIZE));
	dma_free_coherent(dev, BUFFER, vaddr, addr);
	expect_silence(t);
}

void allocated_pages(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr;
	struct page *page = dma_alloc_pages(dev, SIZE, &addr, DMA_FROM_DEVICE, GFP_KERNEL);

	if (!KT_EXPECT(t, page, "no memory"))
		return;
	KT_EXPECT(t, all(page_address(page), 0, SIZE), "not zeroed");
	device_fill(t, addr, 0x33, SIZE);
	dma_sync_single_for_cpu(dev, addr, SIZE, DMA_FROM_DEVICE);
	KT_EXPECT(t, all(page_address(page), 0x33, SIZE), "not seen by the CPU");
	dma_free_pages(dev, SIZE, page, addr, DMA_FROM_DEVICE);
	expect_silence(t);
}
