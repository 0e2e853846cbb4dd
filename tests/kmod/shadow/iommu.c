// SPDX-License-Identifier: GPL-2.0-only
#include <linux/highmem.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "cases.h"
#include "rig.h"

void read_by_device(struct kt *t)
{
	u8 *vaddr = rig_pages(t, 3 * PAGE_SIZE), *seen = rig_pages(t, 3 * PAGE_SIZE);
	const size_t at = 1000, size = 2 * PAGE_SIZE;
	dma_addr_t addr;

	if (!vaddr || !seen || !rig_iommu(t, 40))
		goto out;
	pattern_fill(vaddr + at, size, 1);
	addr = rig_map(t, vaddr + at, size, DMA_TO_DEVICE, 0);
	KT_EXPECT_EQ(t, at, offset_in_page(addr));
	KT_EXPECT_EQ(t, size, device_read(t, addr, seen, size));
	KT_EXPECT(t, pattern_is(seen, size, 1), "it reads something else");
	/* What the CPU changes the device sees. */
	pattern_fill(vaddr + at, size, 2);
	KT_EXPECT_EQ(t, size, device_read(t, addr, seen, size));
	KT_EXPECT(t, pattern_is(seen, size, 2), "it reads something old");
	KT_EXPECT_EQ(t, SHADOW_DENIED, device_fault(t, addr, true));
	KT_EXPECT_EQ(t, SHADOW_DENIED, device_fault(t, addr + size - 1, true));
	rig_unmap(t, addr, size, DMA_TO_DEVICE, 0);
	KT_EXPECT_EQ(t, SHADOW_UNMAPPED, device_fault(t, addr, false));
	KT_EXPECT_EQ(t, SHADOW_UNMAPPED, device_fault(t, addr, true));
out:
	rig_free(vaddr, 3 * PAGE_SIZE);
	rig_free(seen, 3 * PAGE_SIZE);
}

void written_by_device(struct kt *t)
{
	u8 *vaddr = rig_pages(t, 2 * PAGE_SIZE);
	const size_t at = PAGE_SIZE - 10, size = 100;
	dma_addr_t addr;

	if (!vaddr || !rig_iommu(t, 32))
		goto out;
	addr = rig_map(t, vaddr + at, size, DMA_FROM_DEVICE, 0);
	device_fill(t, addr, 0x11, size);
	KT_EXPECT(t, all(vaddr + at, 0x11, size), "not all was written");
	KT_EXPECT(t, all(vaddr, 0, at), "it wrote before the mapping");
	KT_EXPECT(t, all(vaddr + at + size, 0, 2 * PAGE_SIZE - at - size), "it wrote after it");
	KT_EXPECT_EQ(t, SHADOW_DENIED, device_fault(t, addr, false));
	rig_unmap(t, addr, size, DMA_FROM_DEVICE, 0);
	KT_EXPECT(t, all(vaddr + at, 0x11, size), "unmapping changed it");
out:
	rig_free(vaddr, 2 * PAGE_SIZE);
}

void both_directions(struct kt *t)
{
	u8 *vaddr = rig_pages(t, PAGE_SIZE);
	dma_addr_t addr;

	if (!vaddr || !rig_iommu(t, 32))
		goto out;
	addr = rig_map(t, vaddr, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);
	device_fill(t, addr, 0x22, PAGE_SIZE);
	KT_EXPECT(t, all(vaddr, 0x22, PAGE_SIZE), "not written");
	KT_EXPECT(t, device_sees(t, addr, 0x22, PAGE_SIZE), "not read");
	rig_unmap(t, addr, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);
out:
	rig_free(vaddr, PAGE_SIZE);
}

static void expect_window(struct kt *t, dma_addr_t addr, size_t want, size_t len,
			  enum shadow_fault fault)
{
	struct shadow_space *space = rig_of(t)->space;
	struct shadow_window w;
	unsigned long flags;

	flags = shadow_lock(space);
	shadow_open(space, addr, want, false, &w);
	shadow_close(&w);
	shadow_unlock(space, flags);
	KT_EXPECT_EQ(t, len, w.len);
	KT_EXPECT_EQ(t, fault, w.fault);
}

void to_the_byte(struct kt *t)
{
	u8 *vaddr = rig_pages(t, PAGE_SIZE);
	dma_addr_t addr;

	if (!vaddr || !rig_iommu(t, 32))
		goto out;
	addr = rig_map(t, vaddr + 77, 33, DMA_TO_DEVICE, 0);
	expect_window(t, addr, 33, 33, SHADOW_OK);
	expect_window(t, addr, SIZE_MAX, 33, SHADOW_OK);
	expect_window(t, addr + 30, 5, 3, SHADOW_OK);
	expect_window(t, addr + 32, 1, 1, SHADOW_OK);
	expect_window(t, addr + 33, 1, 0, SHADOW_UNMAPPED);
	expect_window(t, addr - 1, 2, 0, SHADOW_UNMAPPED);
	expect_window(t, addr, 0, 0, SHADOW_OK);
	expect_window(t, 0, 1, 0, SHADOW_UNMAPPED);
	expect_window(t, ~(dma_addr_t)0, 1, 0, SHADOW_UNMAPPED);
	expect_window(t, virt_to_phys(vaddr) + 77, 1, 0, SHADOW_UNMAPPED);
	rig_unmap(t, addr, 33, DMA_TO_DEVICE, 0);
out:
	rig_free(vaddr, PAGE_SIZE);
}

void page_between_mappings(struct kt *t)
{
	u8 *vaddr = rig_pages(t, PAGE_SIZE);
	dma_addr_t first, second;

	if (!vaddr || !rig_iommu(t, 32))
		goto out;
	first = rig_map(t, vaddr, PAGE_SIZE, DMA_TO_DEVICE, 0);
	second = rig_map(t, vaddr, PAGE_SIZE, DMA_TO_DEVICE, 0);
	KT_EXPECT(t, second >= first + 2 * PAGE_SIZE || first >= second + 2 * PAGE_SIZE,
		  "%pad, %pad", &first, &second);
	rig_unmap(t, first, PAGE_SIZE, DMA_TO_DEVICE, 0);
	KT_EXPECT_EQ(t, SHADOW_OK, device_fault(t, second, false));
	rig_unmap(t, second, PAGE_SIZE, DMA_TO_DEVICE, 0);
out:
	rig_free(vaddr, PAGE_SIZE);
}

void address_not_used_again(struct kt *t)
{
	u8 *vaddr = rig_pages(t, PAGE_SIZE);
	dma_addr_t first, addr;
	unsigned int i;

	if (!vaddr || !rig_iommu(t, 32))
		goto out;
	first = rig_map(t, vaddr, 64, DMA_TO_DEVICE, 0);
	rig_unmap(t, first, 64, DMA_TO_DEVICE, 0);
	for (i = 0; i < 20000 && !kt_over(t); i++) {
		addr = rig_map(t, vaddr, 64, DMA_TO_DEVICE, 0);
		rig_unmap(t, addr, 64, DMA_TO_DEVICE, 0);
		KT_EXPECT(t, addr != first, "again after %u", i);
	}
	KT_EXPECT_EQ(t, SHADOW_UNMAPPED, device_fault(t, first, false));
out:
	rig_free(vaddr, PAGE_SIZE);
}

static void expect_bits(struct kt *t, u8 *vaddr, unsigned int bits)
{
	dma_addr_t addr;

	if (bits > 8 * sizeof(addr) || !rig_iommu(t, bits))
		return;
	addr = rig_map(t, vaddr, PAGE_SIZE, DMA_TO_DEVICE, 0);
	KT_EXPECT(t, addr + PAGE_SIZE - 1 <= DMA_BIT_MASK(bits), "%pad with %u bits", &addr, bits);
	KT_EXPECT(t, addr >= PAGE_SIZE, "%pad with %u bits", &addr, bits);
	if (bits >= 32)
		KT_EXPECT(t, addr >= 1ULL << (bits - 1), "%pad with %u bits", &addr, bits);
	rig_unmap(t, addr, PAGE_SIZE, DMA_TO_DEVICE, 0);
	rig_give(t);
}

void address_bits(struct kt *t)
{
	u8 *vaddr = rig_pages(t, PAGE_SIZE);
	unsigned int bits;

	for (bits = 16; vaddr && bits <= 64; bits++)
		expect_bits(t, vaddr, bits);
	rig_free(vaddr, PAGE_SIZE);
}

/* Sixteen pages: without the first and the highest, and one between each, seven. */
void narrow_mask_filled(struct kt *t)
{
	const unsigned int most = (SZ_64K / PAGE_SIZE - 1) / 2;
	struct device *dev = rig_of(t)->dev;
	u8 *vaddr = rig_pages(t, PAGE_SIZE);
	dma_addr_t addr[8], none;
	unsigned int i, n = 0;

	if (!vaddr || !rig_iommu(t, 16) || !KT_EXPECT(t, most < ARRAY_SIZE(addr), "large pages"))
		goto out;
	for (; n < most; n++)
		addr[n] = rig_map(t, vaddr, PAGE_SIZE, DMA_TO_DEVICE, 0);
	for (i = 0; i < 3; i++) {
		none = dma_map_single(dev, vaddr, 1, DMA_TO_DEVICE);
		KT_EXPECT(t, dma_mapping_error(dev, none), "one too many at %pad", &none);
	}
	KT_EXPECT_EQ(t, 3, rig_stats(t).failed);
	rig_unmap(t, addr[2], PAGE_SIZE, DMA_TO_DEVICE, 0);
	addr[2] = rig_map(t, vaddr, PAGE_SIZE, DMA_TO_DEVICE, 0);
	for (i = 0; i < n; i++) {
		KT_EXPECT_EQ(t, SHADOW_OK, device_fault(t, addr[i], false));
		rig_unmap(t, addr[i], PAGE_SIZE, DMA_TO_DEVICE, 0);
	}
out:
	rig_free(vaddr, PAGE_SIZE);
}

void mask_of_the_driver(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	u8 *vaddr = rig_pages(t, PAGE_SIZE);
	dma_addr_t addr, coherent;
	void *buffer;

	if (!vaddr || !rig_iommu(t, 48))
		goto out;
	KT_EXPECT_EQ(t, -EIO, dma_set_mask(dev, DMA_BIT_MASK(12)));
	KT_EXPECT_EQ(t, 0, dma_set_mask(dev, DMA_BIT_MASK(24)));
	KT_EXPECT_EQ(t, 0, dma_set_coherent_mask(dev, DMA_BIT_MASK(20)));
	addr = rig_map(t, vaddr, PAGE_SIZE, DMA_TO_DEVICE, 0);
	KT_EXPECT(t, addr + PAGE_SIZE - 1 <= DMA_BIT_MASK(24), "%pad", &addr);
	buffer = dma_alloc_coherent(dev, PAGE_SIZE, &coherent, GFP_KERNEL);
	if (KT_EXPECT(t, buffer, "no buffer")) {
		KT_EXPECT(t, coherent + PAGE_SIZE - 1 <= DMA_BIT_MASK(20), "%pad", &coherent);
		dma_free_coherent(dev, PAGE_SIZE, buffer, coherent);
	}
	rig_unmap(t, addr, PAGE_SIZE, DMA_TO_DEVICE, 0);
	/* More than the device has is no more than it has. */
	KT_EXPECT_EQ(t, 0, dma_set_mask(dev, DMA_BIT_MASK(64)));
	addr = rig_map(t, vaddr, PAGE_SIZE, DMA_TO_DEVICE, 0);
	KT_EXPECT(t, addr + PAGE_SIZE - 1 <= DMA_BIT_MASK(48), "%pad", &addr);
	rig_unmap(t, addr, PAGE_SIZE, DMA_TO_DEVICE, 0);
out:
	rig_free(vaddr, PAGE_SIZE);
}

void limits_of_mapping(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	u8 *vaddr = rig_pages(t, SZ_128K);
	dma_addr_t addr;
	size_t most;

	if (!vaddr || !rig_iommu(t, 16))
		goto out;
	KT_EXPECT_EQ(t, PAGE_SIZE - 1, dma_get_merge_boundary(dev));
	KT_EXPECT_EQ(t, DMA_BIT_MASK(16), dma_get_required_mask(dev));
	most = dma_max_mapping_size(dev);
	addr = rig_map(t, vaddr + PAGE_SIZE - 1, most, DMA_TO_DEVICE, 0);
	rig_unmap(t, addr, most, DMA_TO_DEVICE, 0);
	addr = dma_map_single(dev, vaddr + PAGE_SIZE - 1, most + 2, DMA_TO_DEVICE);
	KT_EXPECT(t, dma_mapping_error(dev, addr), "%zu bytes at %pad", most + 2, &addr);
	addr = compat_ops_map(raw_ops(t), dev, virt_to_phys(vaddr), 0, DMA_TO_DEVICE, 0);
	KT_EXPECT(t, addr == DMA_MAPPING_ERROR, "nothing is mapped at %pad", &addr);
out:
	rig_free(vaddr, SZ_128K);
}

#define MANY	10000

void ten_thousand_mappings(struct kt *t)
{
	dma_addr_t *addr = kvcalloc(MANY, sizeof(*addr), GFP_KERNEL);
	u32 *vaddr = rig_pages(t, PAGE_SIZE), seen;
	unsigned int i, words = PAGE_SIZE / sizeof(u32);
	ktime_t start;

	if (!KT_EXPECT(t, addr, "no memory") || !vaddr || !rig_iommu(t, 32))
		goto out;
	for (i = 0; i < words; i++)
		vaddr[i] = i;
	start = ktime_get();
	for (i = 0; i < MANY && !kt_over(t); i++)
		addr[i] = rig_map(t, &vaddr[i % words], sizeof(u32), DMA_TO_DEVICE, 0);
	kt_note(t, "%lld us for all mappings", ktime_us_delta(ktime_get(), start));
	KT_EXPECT_EQ(t, i, rig_stats(t).live);
	/* In another order than they were made. */
	for (i = 0; i < MANY && !kt_over(t); i++) {
		unsigned int n = (i * 7919) % MANY;

		KT_EXPECT_EQ(t, sizeof(seen), device_read(t, addr[n], &seen, sizeof(seen)));
		KT_EXPECT_EQ(t, n % words, seen);
		KT_EXPECT_EQ(t, SHADOW_UNMAPPED, device_fault(t, addr[n] + sizeof(u32), false));
		rig_unmap(t, addr[n], sizeof(u32), DMA_TO_DEVICE, 0);
		KT_EXPECT_EQ(t, SHADOW_UNMAPPED, device_fault(t, addr[n], false));
	}
	KT_EXPECT_EQ(t, 0, rig_stats(t).live);
out:
	kvfree(addr);
	rig_free(vaddr, PAGE_SIZE);
}

static void use_high_memory(struct kt *t, struct page *page, unsigned int pages)
{
	const size_t size = pages * PAGE_SIZE - 200;
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr;
	unsigned int i;
	u8 *vaddr;

	addr = dma_map_page(dev, page, 100, size, DMA_BIDIRECTIONAL);
	if (!KT_EXPECT(t, !dma_mapping_error(dev, addr), "can't be mapped"))
		return;
	device_fill(t, addr, 0x33, size);
	KT_EXPECT(t, device_sees(t, addr, 0x33, size), "it reads something else");
	dma_unmap_page(dev, addr, size, DMA_BIDIRECTIONAL);
	for (i = 0; i < pages; i++) {
		vaddr = kmap_local_page(page + i);
		KT_EXPECT_EQ(t, i ? 0x33 : 0, vaddr[0]);
		KT_EXPECT_EQ(t, 0x33, vaddr[100]);
		KT_EXPECT_EQ(t, i + 1 < pages ? 0x33 : 0, vaddr[PAGE_SIZE - 1]);
		kunmap_local(vaddr);
	}
}

/* Where there is none, it is the same with other memory. */
void high_memory_pages(struct kt *t)
{
	struct page *page = alloc_pages(GFP_HIGHUSER | __GFP_ZERO, 3);

	if (!KT_EXPECT(t, page, "no memory"))
		return;
	kt_note(t, "%s memory", PageHighMem(page) ? "high" : "low");
	if (rig_iommu(t, 32))
		use_high_memory(t, page, 8);
	rig_give(t);
	clear_highpage(page);
	clear_highpage(page + 7);
	if (rig_cached(t, LINE, 32))
		use_high_memory(t, page, 8);
	__free_pages(page, 3);
}

void registers(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr;

	if (!rig_iommu(t, 32))
		return;
	addr = dma_map_resource(dev, 0xfe000010, 8, DMA_TO_DEVICE, 0);
	if (KT_EXPECT(t, !dma_mapping_error(dev, addr), "can't be mapped")) {
		KT_EXPECT_EQ(t, 0xfe000010, addr);
		KT_EXPECT_EQ(t, SHADOW_UNMAPPED, device_fault(t, addr, false));
		KT_EXPECT_EQ(t, 0, rig_stats(t).live);
		dma_unmap_resource(dev, addr, 8, DMA_TO_DEVICE, 0);
	}
	KT_EXPECT_EQ(t, 0, dma_set_mask(dev, DMA_BIT_MASK(28)));
	addr = compat_ops_map_resource(raw_ops(t), dev, 0xffffffc, 8, DMA_TO_DEVICE);
	KT_EXPECT(t, addr == DMA_MAPPING_ERROR, "out of reach, but at %pad", &addr);
}

static void map_with_interrupts_off(struct kt *t, u8 *vaddr, size_t size)
{
	struct device *dev = rig_of(t)->dev;
	unsigned long flags;
	dma_addr_t addr;
	void *buffer;

	local_irq_save(flags);
	addr = rig_map(t, vaddr, size, DMA_BIDIRECTIONAL, 0);
	dma_sync_single_for_cpu(dev, addr, size, DMA_BIDIRECTIONAL);
	dma_sync_single_for_device(dev, addr, size, DMA_BIDIRECTIONAL);
	rig_unmap(t, addr, size, DMA_BIDIRECTIONAL, 0);
	buffer = dma_alloc_coherent(dev, PAGE_SIZE, &addr, GFP_ATOMIC);
	local_irq_restore(flags);
	if (KT_EXPECT(t, buffer, "no buffer"))
		dma_free_coherent(dev, PAGE_SIZE, buffer, addr);
}

void interrupts_off(struct kt *t)
{
	u8 *vaddr = rig_pages(t, SZ_128K);

	if (vaddr && rig_iommu(t, 32))
		map_with_interrupts_off(t, vaddr, SZ_128K);
	rig_give(t);
	if (vaddr && rig_cached(t, LINE, 32))
		map_with_interrupts_off(t, vaddr, SZ_128K);
	rig_free(vaddr, SZ_128K);
}
