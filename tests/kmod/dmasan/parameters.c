// SPDX-License-Identifier: GPL-2.0-only
/* What dmasan's parameters change. */
#include "cases.h"
#include "rig.h"

/* ---- strict ---- */

/* The CPU writes before it takes the buffer, and then gives it back. */
static noinline void early_write(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t addr = raw_map(t, page, SIZE, DMA_TO_DEVICE);

	page[9]++;
	raw_for_device(t, addr, SIZE, DMA_TO_DEVICE);
	KT_EXPECT(t, device_has(t, addr, page, SIZE), "not seen by the device");
	raw_unmap(t, addr, SIZE, DMA_TO_DEVICE);
}

void strict_to_device(struct kt *t)
{
	early_write(t);
	expect_silence(t);
	set_parameter(t, "strict", "Y");
	early_write(t);
	expect_report(t, "cpu-write", "early_write");
}

/* The CPU has the buffer, which it only reads, and the device writes it. */
static noinline void kept_by_reader(struct kt *t, bool looks)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t addr = raw_map(t, page, SIZE, DMA_FROM_DEVICE);

	raw_for_cpu(t, addr, SIZE, DMA_FROM_DEVICE);
	device_fill(t, addr, page[0] + 1, SIZE);
	if (looks)
		raw_for_cpu(t, addr, SIZE, DMA_FROM_DEVICE);
	raw_unmap(t, addr, SIZE, DMA_FROM_DEVICE);
}

void strict_read_only(struct kt *t)
{
	kept_by_reader(t, true);
	kept_by_reader(t, false);
	expect_silence(t);
	set_parameter(t, "strict", "Y");
	kept_by_reader(t, true);
	expect_report(t, "sync-for-device", "kept_by_reader");
	kept_by_reader(t, false);
	expect_report(t, "sync-for-device", "kept_by_reader");
}

/* ---- sizes ---- */

static noinline void write_outside(struct kt *t, ssize_t offset)
{
	u8 *buf = rig_of(t)->page + 100;
	dma_addr_t addr = raw_map(t, buf, 100, DMA_FROM_DEVICE);

	device_fill(t, addr + offset, 1, 1);
	raw_unmap(t, addr, 100, DMA_FROM_DEVICE);
}

void redzone(struct kt *t)
{
	static const char * const sizes[] = { "16", "128", "2000", "4096", "1000000" };
	static const int really[] = { 16, 128, 2000, 4096, 4096 };
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		set_parameter(t, "redzone", sizes[i]);
		write_outside(t, 99 + really[i]);
		expect_report(t, "overrun", "write_outside");
		write_outside(t, -really[i]);
		expect_report(t, "overrun", "write_outside");
	}
	/* One byte further nobody looks. */
	set_parameter(t, "redzone", "16");
	write_outside(t, 100 + 16);
	write_outside(t, -17);
	expect_silence(t);
}

void no_redzone(struct kt *t)
{
	set_parameter(t, "redzone", "0");
	write_outside(t, 100);
	expect_silence(t);
	write_outside(t, 99);
	expect_silence(t);
}

static noinline void write_late(struct kt *t)
{
	dma_addr_t addr = raw_map(t, rig_of(t)->page, SIZE, DMA_FROM_DEVICE);

	raw_unmap(t, addr, SIZE, DMA_FROM_DEVICE);
	device_fill(t, addr, 5, 8);
	flush_quarantine(t);
}

void no_quarantine(struct kt *t)
{
	write_late(t);
	expect_report(t, "write-after-unmap", "write_late");
	set_parameter(t, "quarantine_kb", "0");
	flush_quarantine(t);
	write_late(t);
	expect_silence(t);
}

/* So long a mapping is watched, or not: a device that writes what it may not read. */
static noinline bool is_watched(struct kt *t, u8 *buf, size_t size)
{
	dma_addr_t addr = raw_map(t, buf, size, DMA_TO_DEVICE);

	if (!KT_EXPECT(t, addr != DMA_MAPPING_ERROR, "not mapped"))
		return false;
	device_fill(t, addr + size - 1, buf[size - 1] + 1, 1);
	raw_unmap(t, addr, size, DMA_TO_DEVICE);
	return take_reports(t);
}

#define ORDER	5

void map_max(struct kt *t)
{
	u8 *buf = (u8 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, ORDER);
	struct device *dev = rig_of(t)->dev;

	if (!KT_EXPECT(t, buf, "no memory"))
		return;
	KT_EXPECT(t, is_watched(t, buf, SZ_64K + 1), "not watched by default");
	set_parameter(t, "map_max_kb", "64");
	KT_EXPECT(t, is_watched(t, buf, SZ_64K), "not watched");
	KT_EXPECT(t, !is_watched(t, buf, SZ_64K + 1), "watched all the same");
	KT_EXPECT_EQ(t, SZ_64K, dma_max_mapping_size(dev));
	free_pages((unsigned long)buf, ORDER);
}

/* What is kept in quarantine and for the next mapping counts, too. */
void memory_full(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr;
	void *vaddr;

	unbind(t);
	bind(t);
	set_parameter(t, "quarantine_kb", "0");
	set_parameter(t, "memory_kb", "12");
	KT_EXPECT(t, is_watched(t, rig_of(t)->page, SIZE), "there should be room");
	/* Another size: the block that is kept makes room. */
	KT_EXPECT(t, is_watched(t, rig_of(t)->page + 1000, 100), "there is room no more");
	KT_EXPECT(t, is_watched(t, rig_of(t)->page, SIZE), "there is room no more");
	set_parameter(t, "memory_kb", "4");
	KT_EXPECT(t, !is_watched(t, rig_of(t)->page, SIZE), "watched all the same");
	vaddr = dma_alloc_coherent(dev, SIZE, &addr, GFP_KERNEL);
	if (KT_EXPECT(t, vaddr, "no buffer without a red zone"))
		dma_free_coherent(dev, SIZE, vaddr, addr);
	expect_silence(t);
}

/* ---- errors ---- */

static noinline void count_maps(struct kt *t, unsigned int *failed)
{
	struct device *dev = rig_of(t)->dev;
	int i;

	for (i = 0; i < 8; i++) {
		dma_addr_t addr = dma_map_single(dev, rig_of(t)->page, 100, DMA_TO_DEVICE);

		if (dma_mapping_error(dev, addr))
			++*failed;
		else
			unmap(t, addr, 100, DMA_TO_DEVICE);
	}
}

static void count_lists(struct kt *t, unsigned int *failed)
{
	struct device *dev = rig_of(t)->dev;
	struct scatterlist sg;
	int i;

	for (i = 0; i < 8; i++) {
		sg_init_one(&sg, rig_of(t)->page, 100);
		if (dma_map_sg(dev, &sg, 1, DMA_TO_DEVICE))
			dma_unmap_sg(dev, &sg, 1, DMA_TO_DEVICE);
		else
			++*failed;
	}
}

static void count_buffers(struct kt *t, unsigned int *failed)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr;
	int i;

	for (i = 0; i < 8; i++) {
		void *vaddr = dma_alloc_coherent(dev, 100, &addr, GFP_KERNEL);

		if (vaddr)
			dma_free_coherent(dev, 100, vaddr, addr);
		else
			++*failed;
	}
}

static void count_pages(struct kt *t, unsigned int *failed)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr;
	int i;

	for (i = 0; i < 8; i++) {
		struct page *page = dma_alloc_pages(dev, SIZE, &addr, DMA_TO_DEVICE, GFP_KERNEL);

		if (page)
			dma_free_pages(dev, SIZE, page, addr, DMA_TO_DEVICE);
		else
			++*failed;
	}
}

/* The report names who was refused, not only who took the error for an address. */
static noinline void take_error(struct kt *t)
{
	dma_addr_t addr;

	set_parameter(t, "fail_every", "1");
	addr = raw_map(t, rig_of(t)->page, 100, DMA_TO_DEVICE);
	KT_EXPECT(t, addr == DMA_MAPPING_ERROR, "%pad", &addr);
	raw_for_cpu(t, addr, 100, DMA_TO_DEVICE);
	expect_report(t, "unchecked-error", __func__);
	KT_EXPECT(t, told(t)->mapped.count, "not where it was refused");
}

void every_other_fails(struct kt *t)
{
	void (* const count[])(struct kt *t, unsigned int *failed) = {
		count_maps, count_lists, count_buffers, count_pages,
	};
	unsigned int i, failed;

	set_parameter(t, "fail_every", "2");
	for (i = 0; i < ARRAY_SIZE(count); i++) {
		failed = 0;
		count[i](t, &failed);
		KT_EXPECT(t, failed == 4, "function %u failed %u times of 8", i, failed);
	}
	expect_silence(t);
	take_error(t);
}

/* ---- cache lines ---- */

static noinline void write_beside(struct kt *t, int offset, enum dma_data_direction dir)
{
	u8 *buf = rig_of(t)->page + 512;
	dma_addr_t addr = raw_map(t, buf + 8, 8, dir);

	buf[offset]++;
	raw_unmap(t, addr, 8, dir);
}

void line_of_32(struct kt *t)
{
	set_parameter(t, "line", "32");
	write_beside(t, 0, DMA_FROM_DEVICE);
	expect_report(t, "shared-line", "write_beside");
	write_beside(t, 31, DMA_BIDIRECTIONAL);
	expect_report(t, "shared-line", "write_beside");
	/* Of lines that lie further away, or that the device does not write. */
	write_beside(t, -1, DMA_FROM_DEVICE);
	write_beside(t, 32, DMA_FROM_DEVICE);
	write_beside(t, 31, DMA_TO_DEVICE);
	expect_silence(t);
}

/* There are no other sizes of lines. */
void no_line(struct kt *t)
{
	static const char * const lines[] = { "0", "48", "128", "4294967295" };
	int i;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		set_parameter(t, "line", lines[i]);
		write_beside(t, 0, DMA_FROM_DEVICE);
		write_beside(t, 31, DMA_FROM_DEVICE);
		expect_silence(t);
	}
}

/* ---- stacks ---- */

void no_stacks(struct kt *t)
{
	set_parameter(t, "stacks", "N");
	write_outside(t, 100);
	expect_report(t, "overrun", "write_outside");
	KT_EXPECT_EQ(t, 0, told(t)->mapped.count);
	KT_EXPECT(t, !strcmp(rig_of(t)->report[0].mapped, "-"), "%s", rig_of(t)->report[0].mapped);
}
