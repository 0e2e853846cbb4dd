// SPDX-License-Identifier: GPL-2.0-only
/* Memory that should not be mapped, or not like this. */
#include <linux/mm.h>
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

#define NOWHERE	((phys_addr_t)(BIT_ULL(sizeof(phys_addr_t) == 8 ? 45 : 31) * 3 / 2))

static noinline void wrong_no_memory(struct kt *t)
{
	dma_addr_t addr = compat_ops_map(raw_ops(t), rig_of(t)->dev, NOWHERE, 100,
					 DMA_TO_DEVICE, 0);

	KT_EXPECT(t, addr == DMA_MAPPING_ERROR, "%pad", &addr);
}

void no_memory(struct kt *t)
{
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
