// SPDX-License-Identifier: GPL-2.0-only
/* What reports say beside the kind and the place. */
#include "cases.h"
#include "rig.h"

#define RED	0xc9	/* what a device finds around a mapping */
#define POISON	0xe7	/* what it finds in quarantine, and around */

static void expect_bytes(struct kt *t, ssize_t offset, unsigned int bytes, u8 was, u8 is)
{
	const struct san_finding *finding = told(t);

	KT_EXPECT_EQ(t, offset, (ssize_t)finding->offset);
	KT_EXPECT_EQ(t, bytes, finding->bytes);
	KT_EXPECT_EQ(t, was, finding->was[0]);
	KT_EXPECT_EQ(t, is, finding->is[0]);
}

static void expect_mapping(struct kt *t, dma_addr_t addr, size_t size,
			   enum dma_data_direction dir)
{
	const struct san_finding *finding = told(t);

	KT_EXPECT_EQ(t, addr, finding->addr);
	KT_EXPECT_EQ(t, size, finding->size);
	KT_EXPECT_EQ(t, dir, finding->dir);
}

/* The first byte of a few is not the first of its line. */
static noinline void tell_owned(struct kt *t)
{
	u8 *buf = rig_of(t)->page + 10;
	dma_addr_t addr = raw_map(t, buf, 1000, DMA_TO_DEVICE);

	buf[300] = 5;
	raw_unmap(t, addr, 1000, DMA_TO_DEVICE);
	expect_report(t, "cpu-write", __func__);
	expect_mapping(t, addr, 1000, DMA_TO_DEVICE);
	expect_bytes(t, 300, SAN_BYTES, 0, 5);
	addr = raw_map(t, buf, 1000, DMA_TO_DEVICE);
	device_fill(t, addr + 997, 6, 3);
	raw_unmap(t, addr, 1000, DMA_TO_DEVICE);
	expect_report(t, "device-write", __func__);
	expect_bytes(t, 997, 3, 0, 6);
}

static noinline void tell_outside(struct kt *t)
{
	u8 *buf = rig_of(t)->page + 200;
	dma_addr_t addr = raw_map(t, buf, 1000, DMA_FROM_DEVICE);

	KT_EXPECT(t, device_sees(t, addr - 128, RED, 128), "no red zone before it");
	KT_EXPECT(t, device_sees(t, addr + 1000, RED, 128), "no red zone after it");
	device_fill(t, addr + 1003, 7, 2);
	raw_for_cpu(t, addr, 1000, DMA_FROM_DEVICE);
	expect_report(t, "overrun", __func__);
	expect_mapping(t, addr, 1000, DMA_FROM_DEVICE);
	expect_bytes(t, 1003, SAN_BYTES, RED, 7);
	device_fill(t, addr - 3, 8, 1);
	raw_unmap(t, addr, 1000, DMA_FROM_DEVICE);
	expect_report(t, "overrun", __func__);
	expect_bytes(t, -3, 3, RED, 8);
}

/* After it was unmapped; what lies around it is watched, too. */
static noinline void tell_late(struct kt *t)
{
	dma_addr_t addr = raw_map(t, rig_of(t)->page + 200, 1000, DMA_FROM_DEVICE);

	raw_unmap(t, addr, 1000, DMA_FROM_DEVICE);
	KT_EXPECT(t, device_sees(t, addr, POISON, 1000), "it still has the driver's bytes");
	device_fill(t, addr + 20, 9, 1);
	flush_quarantine(t);
	expect_report(t, "write-after-unmap", __func__);
	expect_bytes(t, 20, SAN_BYTES, POISON, 9);
	KT_EXPECT(t, told(t)->unmapped.count, "not where it was unmapped");
	addr = raw_map(t, rig_of(t)->page + 200, 1000, DMA_FROM_DEVICE);
	raw_unmap(t, addr, 1000, DMA_FROM_DEVICE);
	device_fill(t, addr + 1001, 9, 1);
	flush_quarantine(t);
	expect_report(t, "write-after-unmap", __func__);
	expect_bytes(t, 1001, SAN_BYTES, POISON, 9);
}

/* The device writes before the unbound driver's memory leaves quarantine. */
static noinline void tell_late_unbound(struct kt *t)
{
	dma_addr_t addr = raw_map(t, rig_of(t)->page, SIZE, DMA_FROM_DEVICE);

	raw_unmap(t, addr, SIZE, DMA_FROM_DEVICE);
	device_fill(t, addr, 1, 1);
	expect_silence(t);
	unbind(t);
	expect_report(t, "write-after-unmap", __func__);
	bind(t);
}

static noinline void tell_beside(struct kt *t)
{
	u8 *buf = rig_of(t)->page + 200;
	dma_addr_t addr = raw_map(t, buf, 100, DMA_FROM_DEVICE);

	buf[-8] = 3;
	raw_unmap(t, addr, 100, DMA_FROM_DEVICE);
	expect_report(t, "shared-line", __func__);
	expect_bytes(t, -8, SAN_BYTES, 0, 3);
}

void told_bytes(struct kt *t)
{
	tell_owned(t);
	memset(rig_of(t)->page, 0, SIZE);
	tell_outside(t);
	tell_late(t);
	tell_late_unbound(t);
	tell_beside(t);
}

static void expect_numbers(struct kt *t, u64 expected, u64 seen)
{
	KT_EXPECT_EQ(t, expected, told(t)->expected);
	KT_EXPECT_EQ(t, seen, told(t)->seen);
}

static noinline void tell_calls(struct kt *t)
{
	dma_addr_t addr = raw_map(t, rig_of(t)->page, 1000, DMA_FROM_DEVICE);

	raw_for_cpu(t, addr + 600, 500, DMA_FROM_DEVICE);
	expect_report(t, "bad-sync", __func__);
	KT_EXPECT_EQ(t, 600, told(t)->offset);
	expect_numbers(t, 400, 500);
	raw_for_cpu(t, addr, 1000, DMA_TO_DEVICE);
	expect_report(t, "wrong-direction", __func__);
	expect_numbers(t, DMA_FROM_DEVICE, DMA_TO_DEVICE);
	raw_unmap(t, addr, 999, DMA_FROM_DEVICE);
	expect_report(t, "wrong-size", __func__);
	expect_numbers(t, 1000, 999);
	addr = raw_map(t, rig_of(t)->page, 1000, DMA_FROM_DEVICE);
	raw_unmap(t, addr, 1000, DMA_TO_DEVICE);
	expect_report(t, "wrong-direction", __func__);
	expect_numbers(t, DMA_FROM_DEVICE, DMA_TO_DEVICE);
	/* It was there lately. */
	raw_for_cpu(t, addr + 5, 10, DMA_FROM_DEVICE);
	expect_report(t, "bad-sync", __func__);
	KT_EXPECT(t, told(t)->unmapped.count, "not where it was unmapped");
	raw_unmap(t, addr, 1000, DMA_FROM_DEVICE);
	expect_report(t, "double-unmap", __func__);
	KT_EXPECT(t, told(t)->unmapped.count, "not where it was unmapped");
}

/* Both at once, each for itself. */
static noinline void tell_both(struct kt *t)
{
	dma_addr_t addr = raw_map(t, rig_of(t)->page, 1000, DMA_FROM_DEVICE);
	const struct report *report = rig_of(t)->report;

	raw_unmap(t, addr, 1001, DMA_TO_DEVICE);
	KT_EXPECT_EQ(t, 2, take_reports(t));
	KT_EXPECT(t, !strcmp(report[0].kind, "wrong-size"), "%s", report[0].kind);
	KT_EXPECT(t, !strcmp(report[1].kind, "wrong-direction"), "%s", report[1].kind);
}

static noinline void tell_lists(struct kt *t)
{
	const struct dma_map_ops *ops = raw_ops(t);
	struct device *dev = rig_of(t)->dev;
	struct scatterlist sgl[3];
	int i;

	sg_init_table(sgl, ARRAY_SIZE(sgl));
	for (i = 0; i < ARRAY_SIZE(sgl); i++)
		sg_set_buf(&sgl[i], rig_of(t)->page + 600 * i, 600);
	dma_set_max_seg_size(dev, 599);
	KT_EXPECT_EQ(t, 1, ops->map_sg(dev, sgl, 1, DMA_TO_DEVICE, 0));
	expect_report(t, "segment", __func__);
	expect_numbers(t, 599, 600);
	ops->unmap_sg(dev, sgl, 1, DMA_TO_DEVICE, 0);
	dma_set_max_seg_size(dev, SZ_64K);
	dma_set_seg_boundary(dev, 0x3ff);
	KT_EXPECT_EQ(t, 1, ops->map_sg(dev, sgl + 1, 1, DMA_TO_DEVICE, 0));
	expect_report(t, "segment", __func__);
	expect_numbers(t, 0x3ff, sg_dma_address(sgl + 1) + 599);
	ops->unmap_sg(dev, sgl + 1, 1, DMA_TO_DEVICE, 0);
	dma_set_seg_boundary(dev, DMA_BIT_MASK(32));
	KT_EXPECT_EQ(t, 3, ops->map_sg(dev, sgl, 3, DMA_TO_DEVICE, 0));
	ops->unmap_sg(dev, sgl, 2, DMA_TO_DEVICE, 0);
	expect_report(t, "wrong-nents", __func__);
	expect_numbers(t, 3, 2);
	/* All three are unmapped, or the last one was still there. */
	ops->unmap_sg(dev, sgl + 2, 1, DMA_TO_DEVICE, 0);
	expect_report(t, "double-unmap", __func__);
}

void told_numbers(struct kt *t)
{
	tell_calls(t);
	tell_both(t);
	tell_lists(t);
	expect_silence(t);
}

/* The driver's own function, though it called the DMA API. */
static noinline void write_by_api(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	u8 *page = rig_of(t)->page;
	struct scatterlist sg;

	/* These do something after they have called us, so they are on the stack. */
	sg_init_one(&sg, page, SIZE);
	KT_EXPECT_EQ(t, 1, dma_map_sg(dev, &sg, 1, DMA_TO_DEVICE));
	page[3]++;
	dma_unmap_sg(dev, &sg, 1, DMA_TO_DEVICE);
	barrier();
}

void told_place(struct kt *t)
{
	const struct report *report = &rig_of(t)->report[0];

	write_by_api(t);
	expect_report(t, "cpu-write", "write_by_api");
	KT_EXPECT(t, strstarts(report->mapped, "write_by_api"), "%s", report->mapped);
	KT_EXPECT(t, strstarts(report->detected, "write_by_api"), "%s", report->detected);
	KT_EXPECT(t, report->finding.mapped.count > 3, "%u frames", report->finding.mapped.count);
	/* One word each. */
	KT_EXPECT(t, strstr(report->mapped, "[dmasan_test]"), "%s", report->mapped);
	KT_EXPECT(t, !strchr(report->mapped, ' '), "%s", report->mapped);
	KT_EXPECT(t, !strchr(report->detected, ' '), "%s", report->detected);
}

/* Two places where it is mapped, one where it is found, and two mistakes. */
static noinline void do_wrong(struct kt *t, bool elsewhere, bool by_cpu)
{
	u8 *page = rig_of(t)->page;
	dma_addr_t addr;

	if (elsewhere)
		addr = raw_map(t, page, 1000, DMA_TO_DEVICE);
	else
		addr = raw_map(t, page, 1001, DMA_TO_DEVICE);
	if (by_cpu)
		page[5]++;
	else
		device_fill(t, addr + 5, page[5] + 1, 1);
	raw_unmap(t, addr, elsewhere ? 1000 : 1001, DMA_TO_DEVICE);
}

/* tests/dmasan/promises.sh looks at how often that is in the log. */
void told_few_places(struct kt *t)
{
	int i;

	for (i = 0; i < 8; i++) {
		do_wrong(t, i & 1, i & 2);
		expect_report(t, i & 2 ? "cpu-write" : "device-write", "do_wrong");
	}
}

#define TIMES_4(call)	do { call; call; call; call; } while (0)
#define TIMES_64(call)	TIMES_4(TIMES_4(TIMES_4(call)))
#define PLACES		192

/* More places than are kept: each call is one. */
static noinline void tell_many(struct kt *t)
{
	const struct dma_map_ops *ops = raw_ops(t);
	struct device *dev = rig_of(t)->dev;
	int size = 1;

	TIMES_64(compat_ops_unmap(ops, dev, DMA_MAPPING_ERROR, size++, DMA_TO_DEVICE, 0));
	TIMES_64(compat_ops_unmap(ops, dev, DMA_MAPPING_ERROR, size++, DMA_TO_DEVICE, 0));
	TIMES_64(compat_ops_unmap(ops, dev, DMA_MAPPING_ERROR, size++, DMA_TO_DEVICE, 0));
	barrier();
}

void told_many_places(struct kt *t)
{
	tell_many(t);
	KT_EXPECT_EQ(t, PLACES, take_reports(t));
}
