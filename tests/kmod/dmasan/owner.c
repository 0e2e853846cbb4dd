// SPDX-License-Identifier: GPL-2.0-only
/* Whose the memory is: writes and synchronization. */
#include "cases.h"
#include "rig.h"

/* ---- the CPU writes what the device owns ---- */

static noinline void wrong_write_to_device(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t addr = raw_map(t, page, SIZE, DMA_TO_DEVICE);

	page[100]++;
	raw_unmap(t, addr, SIZE, DMA_TO_DEVICE);
}

static noinline void right_write_to_device(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr = map(t, page, SIZE, DMA_TO_DEVICE);

	dma_sync_single_for_cpu(dev, addr, SIZE, DMA_TO_DEVICE);
	memset(page, page[0] + 1, SIZE);
	dma_sync_single_for_device(dev, addr, SIZE, DMA_TO_DEVICE);
	KT_EXPECT(t, device_sees(t, addr, page[0], SIZE), "not seen by the device");
	unmap(t, addr, SIZE, DMA_TO_DEVICE);
}

void cpu_writes_to_device(struct kt *t)
{
	RUN_PAIR(t, "cpu-write", wrong_write_to_device, right_write_to_device);
}

static noinline void wrong_write_from_device(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t addr = raw_map(t, page, SIZE, DMA_FROM_DEVICE);

	page[SIZE - 1]++;
	raw_unmap(t, addr, SIZE, DMA_FROM_DEVICE);
}

static noinline void right_write_from_device(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t addr = map(t, page, SIZE, DMA_FROM_DEVICE);

	unmap(t, addr, SIZE, DMA_FROM_DEVICE);
	page[SIZE - 1]++;
}

void cpu_writes_from_device(struct kt *t)
{
	RUN_PAIR(t, "cpu-write", wrong_write_from_device, right_write_from_device);
}

static void write_byte(struct kt *t, size_t at, size_t size, size_t which)
{
	u8 *buf = rig_of(t)->page + at;
	dma_addr_t addr = raw_map(t, buf, size, DMA_TO_DEVICE);

	buf[which]++;
	raw_unmap(t, addr, size, DMA_TO_DEVICE);
	KT_EXPECT(t, take_reports(t) == 1, "byte %zu of %zu at %zu", which, size, at);
}

void cpu_writes_each_byte(struct kt *t)
{
	size_t at, size;

	for (size = 1; size < 150; size = size * 5 / 4 + 1) {
		for (at = 0; at < 9; at++) {
			write_byte(t, at, size, 0);
			write_byte(t, at, size, size / 2);
			write_byte(t, at, size, size - 1);
		}
		cond_resched();
	}
}

/* Found when the CPU is given the memory, long before it is unmapped. */
static noinline void wrong_write_long_mapping(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t addr = raw_map(t, page, SIZE, DMA_BIDIRECTIONAL);

	page[200]++;
	raw_for_cpu(t, addr, SIZE, DMA_BIDIRECTIONAL);
	expect_report(t, "cpu-write", __func__);
	page[201]++;
	raw_for_device(t, addr, SIZE, DMA_BIDIRECTIONAL);
	expect_silence(t);
	page[202]++;
	raw_for_device(t, addr, SIZE, DMA_BIDIRECTIONAL);
	raw_unmap(t, addr, SIZE, DMA_BIDIRECTIONAL);
}

static noinline void right_write_long_mapping(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr = map(t, page, SIZE, DMA_BIDIRECTIONAL);
	int i;

	for (i = 0; i < 3; i++) {
		dma_sync_single_for_cpu(dev, addr, SIZE, DMA_BIDIRECTIONAL);
		page[202]++;
		dma_sync_single_for_device(dev, addr, SIZE, DMA_BIDIRECTIONAL);
	}
	unmap(t, addr, SIZE, DMA_BIDIRECTIONAL);
}

void cpu_writes_long_mapping(struct kt *t)
{
	RUN_PAIR(t, "cpu-write", wrong_write_long_mapping, right_write_long_mapping);
}

/* ---- the CPU takes a part, and writes behind it ---- */

static __always_inline void write_behind(struct kt *t, size_t device_wrote, bool give_back)
{
	struct device *dev = rig_of(t)->dev;
	u8 *page = rig_of(t)->page;
	dma_addr_t addr = raw_map(t, page, SIZE, DMA_FROM_DEVICE);
	u8 value = page[0] + 1;

	device_fill(t, addr, value, device_wrote);
	raw_for_cpu(t, addr, SIZE / 2, DMA_FROM_DEVICE);
	page[SIZE - 1] = value + 1;
	if (give_back)
		raw_for_device(t, addr, SIZE, DMA_FROM_DEVICE);
	/* Mapped past the kernel's own checks, it is unmapped past them. */
	compat_ops_unmap(raw_ops(t), dev, addr, SIZE, DMA_FROM_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
	KT_EXPECT(t, page[SIZE - 1] == (u8)(value + 1), "the CPU's byte is gone");
}

static noinline void wrong_write_behind(struct kt *t)
{
	write_behind(t, SIZE, true);
}

static noinline void right_write_behind(struct kt *t)
{
	write_behind(t, SIZE / 2, true);
}

static noinline void wrong_write_behind_and_keep(struct kt *t)
{
	write_behind(t, SIZE, false);
}

static noinline void right_write_behind_and_keep(struct kt *t)
{
	write_behind(t, SIZE / 2, false);
}

void cpu_writes_behind(struct kt *t)
{
	RUN_PAIR(t, "cpu-write", wrong_write_behind, right_write_behind);
	RUN_PAIR(t, "cpu-write", wrong_write_behind_and_keep, right_write_behind_and_keep);
}

/* ---- never looked ---- */

static noinline void wrong_never_looks(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t addr = raw_map(t, page, SIZE, DMA_FROM_DEVICE);
	int i;

	for (i = 1; i < 3; i++) {
		device_fill(t, addr, i, SIZE);
		raw_for_device(t, addr, SIZE, DMA_FROM_DEVICE);
	}
	raw_unmap(t, addr, SIZE, DMA_FROM_DEVICE);
}

static noinline void right_never_looks(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr = map(t, page, SIZE, DMA_FROM_DEVICE);
	int i;

	for (i = 1; i < 5; i++) {
		device_fill(t, addr, i, SIZE);
		/* Once it is something that nobody wants to see. */
		if (i != 2) {
			dma_sync_single_for_cpu(dev, addr, SIZE, DMA_FROM_DEVICE);
			KT_EXPECT(t, all(page, i, SIZE), "round %d", i);
		}
		dma_sync_single_for_device(dev, addr, SIZE, DMA_FROM_DEVICE);
	}
	unmap(t, addr, SIZE, DMA_FROM_DEVICE);
}

void no_sync_for_cpu(struct kt *t)
{
	RUN_PAIR(t, "sync-for-cpu", wrong_never_looks, right_never_looks);
}

/* ---- not given back ---- */

static noinline void wrong_not_given(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t addr = raw_map(t, page, SIZE, DMA_BIDIRECTIONAL);

	raw_for_cpu(t, addr, SIZE, DMA_BIDIRECTIONAL);
	page[7]++;
	device_fill(t, addr, page[0] + 1, SIZE);
	raw_for_cpu(t, addr, SIZE, DMA_BIDIRECTIONAL);
	raw_unmap(t, addr, SIZE, DMA_BIDIRECTIONAL);
}

static noinline void right_not_given(struct kt *t)
{
	u8 *page = rig_of(t)->page, value = page[0] + 1;
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr = map(t, page, SIZE, DMA_BIDIRECTIONAL);

	dma_sync_single_for_cpu(dev, addr, SIZE, DMA_BIDIRECTIONAL);
	dma_sync_single_for_device(dev, addr, SIZE, DMA_BIDIRECTIONAL);
	device_fill(t, addr, value, SIZE);
	dma_sync_single_for_cpu(dev, addr, SIZE, DMA_BIDIRECTIONAL);
	KT_EXPECT(t, all(page, value, SIZE), "not seen by the CPU");
	unmap(t, addr, SIZE, DMA_BIDIRECTIONAL);
}

void no_sync_for_device(struct kt *t)
{
	RUN_PAIR(t, "sync-for-device", wrong_not_given, right_not_given);
}

/* What the CPU wrote may go to memory at any time, over what the device writes. */
static noinline void wrong_written(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t addr = raw_map(t, page, SIZE, DMA_FROM_DEVICE);

	raw_for_cpu(t, addr, SIZE, DMA_FROM_DEVICE);
	page[7] ^= 0xff;
	device_fill(t, addr, page[0] + 1, SIZE);
	raw_for_cpu(t, addr, SIZE, DMA_FROM_DEVICE);
	raw_unmap(t, addr, SIZE, DMA_FROM_DEVICE);
}

/* Who only reads need not give back: many drivers copy small packets like that. */
static noinline void right_read_only(struct kt *t)
{
	u8 *page = rig_of(t)->page, value = page[0];
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr = map(t, page, SIZE, DMA_FROM_DEVICE);
	int i;

	for (i = 0; i < 3; i++) {
		device_fill(t, addr, ++value, SIZE);
		dma_sync_single_for_cpu(dev, addr, SIZE, DMA_FROM_DEVICE);
		KT_EXPECT(t, all(page, value, SIZE), "not seen by the CPU");
	}
	unmap(t, addr, SIZE, DMA_FROM_DEVICE);
}

void only_read(struct kt *t)
{
	RUN_PAIR(t, "sync-for-device", wrong_written, right_read_only);
}

/* What the CPU wrote into its own memory was never given to the device. */
static noinline void wrong_not_written_back(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t addr = raw_map(t, page, SIZE, DMA_TO_DEVICE);

	raw_for_cpu(t, addr, SIZE, DMA_TO_DEVICE);
	page[7]++;
	raw_for_cpu(t, addr, SIZE, DMA_TO_DEVICE);
	page[7]++;
	raw_unmap(t, addr, SIZE, DMA_TO_DEVICE);
}

void not_written_back(struct kt *t)
{
	RUN_PAIR(t, "sync-for-device", wrong_not_written_back, right_write_to_device);
}

/* The device wrote over what the CPU had not given back, and is given it now. */
static noinline void wrong_given_late(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t addr = raw_map(t, page, SIZE, DMA_BIDIRECTIONAL);

	raw_for_cpu(t, addr, SIZE, DMA_BIDIRECTIONAL);
	page[7]++;
	device_fill(t, addr + 8, page[8] + 1, 8);
	raw_for_device(t, addr, SIZE, DMA_BIDIRECTIONAL);
	raw_unmap(t, addr, SIZE, DMA_BIDIRECTIONAL);
}

static noinline void wrong_never_given(struct kt *t)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t addr = raw_map(t, page, SIZE, DMA_BIDIRECTIONAL);

	raw_for_cpu(t, addr, SIZE, DMA_BIDIRECTIONAL);
	page[7]++;
	device_fill(t, addr + 8, page[8] + 1, 8);
	raw_unmap(t, addr, SIZE, DMA_BIDIRECTIONAL);
}

void given_too_late(struct kt *t)
{
	RUN_PAIR(t, "sync-for-device", wrong_given_late, right_not_given);
	RUN_PAIR(t, "sync-for-device", wrong_never_given, right_not_given);
}

/* ---- the device writes what it may only read ---- */

static noinline void wrong_device_writes(struct kt *t)
{
	u8 *page = rig_of(t)->page, value = page[1000];
	dma_addr_t addr = raw_map(t, page, SIZE, DMA_TO_DEVICE);

	device_fill(t, addr + 1000, value + 1, 10);
	raw_unmap(t, addr, SIZE, DMA_TO_DEVICE);
	KT_EXPECT(t, all(page + 1000, value, 10), "the driver's memory was written");
}

static noinline void right_device_writes(struct kt *t)
{
	u8 *page = rig_of(t)->page, value = page[1000] + 1;
	dma_addr_t addr = map(t, page, SIZE, DMA_FROM_DEVICE);

	device_fill(t, addr + 1000, value, 10);
	unmap(t, addr, SIZE, DMA_FROM_DEVICE);
	KT_EXPECT(t, all(page + 1000, value, 10), "not written");
}

void device_writes(struct kt *t)
{
	RUN_PAIR(t, "device-write", wrong_device_writes, right_device_writes);
}

/* Found while it is mapped; the driver's memory stays, and the device gets it again. */
static noinline void wrong_device_writes_on(struct kt *t, bool to_device)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t addr = raw_map(t, page, SIZE, DMA_TO_DEVICE);

	device_fill(t, addr + 1000, page[1000] + 1, 10);
	if (to_device)
		raw_for_device(t, addr, SIZE, DMA_TO_DEVICE);
	else
		raw_for_cpu(t, addr, SIZE, DMA_TO_DEVICE);
	expect_report(t, "device-write", __func__);
	KT_EXPECT(t, all(page, 0, SIZE), "the driver's memory was written");
	KT_EXPECT(t, device_sees(t, addr, 0, SIZE), "the device sees something else");
	raw_unmap(t, addr, SIZE, DMA_TO_DEVICE);
	expect_silence(t);
}

void device_writes_on(struct kt *t)
{
	wrong_device_writes_on(t, false);
	wrong_device_writes_on(t, true);
}
