// SPDX-License-Identifier: GPL-2.0-only
/* Memory that should not be mapped, or not like this. */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include "cases.h"
#include "rig.h"

static noinline void right_memory(struct kt *t)
{
	u8 *buf = kzalloc(100, GFP_KERNEL);
	dma_addr_t addr;

	if (!KT_EXPECT(t, buf, "no memory"))
		return;
	addr = map(t, buf, 100, DMA_TO_DEVICE);
	unmap(t, addr, 100, DMA_TO_DEVICE);
	kfree(buf);
}

static noinline void wrong_stack(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	u8 buf[32] = {};
	phys_addr_t phys;
	dma_addr_t addr;

	if (is_vmalloc_addr(buf))
		phys = page_to_phys(vmalloc_to_page(buf)) + offset_in_page(buf);
	else
		phys = virt_to_phys(buf);
	/* What of it is in one page. */
	addr = compat_ops_map(raw_ops(t), dev, phys, 1, DMA_TO_DEVICE, 0);
	raw_unmap(t, addr, 1, DMA_TO_DEVICE);
}

void stack(struct kt *t)
{
	RUN_PAIR(t, "stack", wrong_stack, right_memory);
}

static noinline void wrong_no_memory(struct kt *t)
{
	dma_addr_t addr = compat_ops_map(raw_ops(t), rig_of(t)->dev, NOWHERE, 100,
					 DMA_TO_DEVICE, 0);

	KT_EXPECT(t, addr == DMA_MAPPING_ERROR, "%pad", &addr);
}

static noinline void wrong_no_size(struct kt *t)
{
	dma_addr_t addr = raw_map(t, rig_of(t)->page, 0, DMA_TO_DEVICE);

	KT_EXPECT(t, addr == DMA_MAPPING_ERROR, "%pad", &addr);
}

void no_memory(struct kt *t)
{
	RUN_PAIR(t, "no-memory", wrong_no_size, right_memory);
	RUN_PAIR(t, "no-memory", wrong_no_memory, right_memory);
}

#define ORDER	6	/* more than a processor keeps for itself */

static noinline void wrong_freed(struct kt *t)
{
	unsigned long pages = __get_free_pages(GFP_KERNEL, ORDER);
	dma_addr_t addr;

	if (!KT_EXPECT(t, pages, "no memory"))
		return;
	addr = raw_map(t, (u8 *)pages + 3 * PAGE_SIZE, 100, DMA_FROM_DEVICE);
	device_fill(t, addr, 1, 100);
	free_pages(pages, ORDER);
	raw_unmap(t, addr, 100, DMA_FROM_DEVICE);
}

static noinline void right_freed(struct kt *t)
{
	unsigned long pages = __get_free_pages(GFP_KERNEL, ORDER);
	dma_addr_t addr;

	if (!KT_EXPECT(t, pages, "no memory"))
		return;
	/* Not its first page: those after it have no count of their own. */
	addr = raw_map(t, (u8 *)pages + 3 * PAGE_SIZE, 100, DMA_FROM_DEVICE);
	raw_unmap(t, addr, 100, DMA_FROM_DEVICE);
	free_pages(pages, ORDER);
}

void freed_memory(struct kt *t)
{
	RUN_PAIR(t, "freed-memory", wrong_freed, right_freed);
}

/* It was free before. The last page is the last one that somebody else gets. */
static noinline void wrong_free_already(struct kt *t)
{
	unsigned long pages = __get_free_pages(GFP_KERNEL, ORDER);
	dma_addr_t addr;

	if (!KT_EXPECT(t, pages, "no memory"))
		return;
	free_pages(pages, ORDER);
	addr = raw_map(t, (u8 *)pages + (PAGE_SIZE << ORDER) - PAGE_SIZE, 100, DMA_TO_DEVICE);
	expect_report(t, "freed-memory", __func__);
	raw_unmap(t, addr, 100, DMA_TO_DEVICE);
}

void free_already(struct kt *t)
{
	RUN_PAIR(t, "freed-memory", wrong_free_already, right_freed);
}

/* Half of it is there. */
static noinline void wrong_end_of_memory(struct kt *t)
{
	size_t size = NOWHERE - virt_to_phys(rig_of(t)->page);
	dma_addr_t addr = raw_map(t, rig_of(t)->page, size, DMA_TO_DEVICE);

	KT_EXPECT(t, addr == DMA_MAPPING_ERROR, "%pad", &addr);
}

void end_of_memory(struct kt *t)
{
	RUN_PAIR(t, "no-memory", wrong_end_of_memory, right_memory);
}

static noinline void write_while_mapped(struct kt *t, struct page *page)
{
	phys_addr_t phys = page_to_phys(page);
	dma_addr_t addr = compat_ops_map(raw_ops(t), rig_of(t)->dev, phys, 100, DMA_TO_DEVICE, 0);
	u8 *at = kmap_local_page(page);

	at[50]++;
	kunmap_local(at);
	raw_unmap(t, addr, 100, DMA_TO_DEVICE);
}

/* Objects of kmalloc() are not told from others by what their page is used for. */
static noinline void wrong_object_written(struct kt *t)
{
	u8 *buf = kzalloc(100, GFP_KERNEL);
	dma_addr_t addr;

	if (!KT_EXPECT(t, buf, "no memory"))
		return;
	addr = raw_map(t, buf, 100, DMA_TO_DEVICE);
	buf[50]++;
	raw_unmap(t, addr, 100, DMA_TO_DEVICE);
	kfree(buf);
}

void object_written(struct kt *t)
{
	RUN_PAIR(t, "cpu-write", wrong_object_written, right_memory);
}

static int show_to_program(struct page *page, unsigned long at)
{
	struct vm_area_struct *vma;
	int err = -EFAULT;

	mmap_write_lock(current->mm);
	vma = find_vma(current->mm, at);
	if (vma)
		err = vm_insert_page(vma, at, page);
	mmap_write_unlock(current->mm);
	return err;
}

/* Nor does a program that has the driver's memory mapped. */
void page_of_program(struct kt *t)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	unsigned long at;

	if (!KT_EXPECT(t, page, "no memory"))
		return;
	at = vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (KT_EXPECT(t, !IS_ERR_VALUE(at), "no room")) {
		if (KT_EXPECT_EQ(t, 0, show_to_program(page, at)))
			write_while_mapped(t, page);
		expect_silence(t);
		vm_munmap(at, PAGE_SIZE);
	}
	/* Nobody else has it any more. */
	write_while_mapped(t, page);
	expect_report(t, "cpu-write", "write_while_mapped");
	__free_page(page);
}

/* Whoever writes a file does not know that a disk reads it. */
void page_of_file(struct kt *t)
{
	struct file *file = filp_open("/tmp/dmasan-test", O_RDWR | O_CREAT, 0600);
	struct page *page;
	loff_t pos = 0;

	write_while_mapped(t, virt_to_page(rig_of(t)->page));
	expect_report(t, "cpu-write", "write_while_mapped");
	if (!KT_EXPECT(t, !IS_ERR(file), "no file"))
		return;
	KT_EXPECT_EQ(t, 1, kernel_write(file, "x", 1, &pos));
	page = find_get_page(file->f_mapping, 0);
	if (KT_EXPECT(t, page, "no page")) {
		write_while_mapped(t, page);
		put_page(page);
	}
	filp_close(file, NULL);
	expect_silence(t);
}

/* The module is loaded with line=64. */
static noinline void wrong_line(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t addr = raw_map(t, page + 256, 100, DMA_FROM_DEVICE);

	page[256 + 100]++;
	raw_unmap(t, addr, 100, DMA_FROM_DEVICE);
}

static noinline void right_line(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t addr = map(t, page + 256, 100, DMA_FROM_DEVICE);

	page[256 + 128]++;
	page[255]++;
	unmap(t, addr, 100, DMA_FROM_DEVICE);
}

void shared_line(struct kt *t)
{
	RUN_PAIR(t, "shared-line", wrong_line, right_line);
}

/* What is beside it in its lines belongs to nobody, which KASAN would tell of. */
void neighbours(struct kt *t)
{
	u8 *buf = kzalloc(100, GFP_KERNEL);
	dma_addr_t addr;

	if (!KT_EXPECT(t, buf, "no memory"))
		return;
	addr = map(t, buf, 100, DMA_FROM_DEVICE);
	device_fill(t, addr, 5, 100);
	unmap(t, addr, 100, DMA_FROM_DEVICE);
	KT_EXPECT(t, all(buf, 5, 100), "not seen by the CPU");
	kfree(buf);
	expect_silence(t);
}
