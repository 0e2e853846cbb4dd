// SPDX-License-Identifier: GPL-2.0-only
/* Where and when nothing is mapped. */
#include "cases.h"
#include "rig.h"

static noinline void wrong_overrun(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t addr = raw_map(t, page, SIZE, DMA_FROM_DEVICE);

	device_fill(t, addr, 1, SIZE + 4);
	raw_unmap(t, addr, SIZE, DMA_FROM_DEVICE);
}

static noinline void right_overrun(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t addr = map(t, page, SIZE, DMA_FROM_DEVICE);

	device_fill(t, addr, 1, SIZE);
	unmap(t, addr, SIZE, DMA_FROM_DEVICE);
}

void overrun(struct kt *t)
{
	RUN_PAIR(t, "overrun", wrong_overrun, right_overrun);
}

static noinline void wrong_small_overrun(struct kt *t)
{
	u8 *buf = rig_of(t)->page + 300;
	dma_addr_t addr = raw_map(t, buf, 100, DMA_FROM_DEVICE);

	device_fill(t, addr + 100, 1, 1);
	raw_unmap(t, addr, 100, DMA_FROM_DEVICE);
}

static noinline void right_small_overrun(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t addr = map(t, page + 300, 100, DMA_FROM_DEVICE);

	device_fill(t, addr, 9, 100);
	unmap(t, addr, 100, DMA_FROM_DEVICE);
	KT_EXPECT(t, all(page + 300, 9, 100) && all(page, 0, 300) &&
		  all(page + 400, 0, SIZE - 400), "written elsewhere");
}

void small_overrun(struct kt *t)
{
	RUN_PAIR(t, "overrun", wrong_small_overrun, right_small_overrun);
}

static noinline void wrong_underrun(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t addr = raw_map(t, page, SIZE, DMA_FROM_DEVICE);

	device_fill(t, addr - 2, 1, 2);
	raw_unmap(t, addr, SIZE, DMA_FROM_DEVICE);
}

void underrun(struct kt *t)
{
	RUN_PAIR(t, "overrun", wrong_underrun, right_overrun);
}

/* Found while it is mapped, and only once. */
static noinline void wrong_overrun_long_mapping(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t addr = raw_map(t, page, SIZE, DMA_FROM_DEVICE);

	device_fill(t, addr, 1, SIZE + 4);
	raw_for_cpu(t, addr, SIZE, DMA_FROM_DEVICE);
	raw_for_device(t, addr, SIZE, DMA_FROM_DEVICE);
	raw_unmap(t, addr, SIZE, DMA_FROM_DEVICE);
}

void overrun_long_mapping(struct kt *t)
{
	RUN_PAIR(t, "overrun", wrong_overrun_long_mapping, right_overrun);
}

/* Each byte is looked at, however the mapping lies. */
void every_byte_outside(struct kt *t)
{
	size_t at, zone;
	dma_addr_t addr;

	for (zone = 1; zone <= 128; zone += 3) {
		/* More bits than there were, or less. */
		u8 value = zone % 2 ? 0xff : 1;

		for (at = 200; at < 208; at += 3) {
			addr = raw_map(t, rig_of(t)->page + at, 50, DMA_FROM_DEVICE);
			device_fill(t, addr + 49 + zone, value, 1);
			raw_for_cpu(t, addr, 50, DMA_FROM_DEVICE);
			KT_EXPECT(t, take_reports(t) == 1, "%zu bytes after", zone);
			device_fill(t, addr - zone, value, 1);
			raw_unmap(t, addr, 50, DMA_FROM_DEVICE);
			KT_EXPECT(t, take_reports(t) == 1, "%zu bytes before", zone);
		}
		cond_resched();
	}
}

static noinline void wrong_late_write(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t addr = raw_map(t, page, SIZE, DMA_FROM_DEVICE);

	raw_unmap(t, addr, SIZE, DMA_FROM_DEVICE);
	device_fill(t, addr, 5, 8);
	KT_EXPECT(t, page[0] != 5, "the driver's memory was written");
	flush_quarantine(t);
}

static noinline void right_late_write(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t addr = map(t, page, SIZE, DMA_FROM_DEVICE);

	device_fill(t, addr, 6, 8);
	unmap(t, addr, SIZE, DMA_FROM_DEVICE);
	flush_quarantine(t);
}

void late_write(struct kt *t)
{
	RUN_PAIR(t, "write-after-unmap", wrong_late_write, right_late_write);
}
