// SPDX-License-Identifier: GPL-2.0-only
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "rig.h"

int rig_make(struct kt *t)
{
	struct platform_device_info info = { .name = "shadow-test", .id = PLATFORM_DEVID_AUTO };
	struct rig *rig = kzalloc(sizeof(*rig), GFP_KERNEL);

	if (!rig)
		return -ENOMEM;
	rig->pdev = platform_device_register_full(&info);
	if (IS_ERR(rig->pdev)) {
		int err = PTR_ERR(rig->pdev);

		kfree(rig);
		return err;
	}
	rig->dev = &rig->pdev->dev;
	t->data = rig;
	return 0;
}

void rig_unmake(struct kt *t)
{
	struct rig *rig = rig_of(t);

	if (!rig)
		return;
	rig_give(t);
	platform_device_unregister(rig->pdev);
	kfree(rig);
	t->data = NULL;
}

bool rig_take(struct kt *t, const struct shadow_params *params)
{
	struct rig *rig = rig_of(t);
	struct shadow_space *space = shadow_install(rig->dev, params);

	if (!KT_EXPECT_EQ(t, 0, PTR_ERR_OR_ZERO(space)))
		return false;
	rig->space = space;
	return KT_EXPECT_EQ(t, 0, dma_set_mask_and_coherent(rig->dev, params->mask));
}

bool rig_iommu(struct kt *t, unsigned int bits)
{
	struct shadow_params params = { .view = SHADOW_IOMMU, .mask = DMA_BIT_MASK(bits) };

	return rig_take(t, &params);
}

bool rig_cached(struct kt *t, unsigned int line, unsigned int bits)
{
	struct shadow_params params = {
		.view = SHADOW_NONCOHERENT, .line = line, .mask = DMA_BIT_MASK(bits),
	};

	return rig_take(t, &params);
}

void rig_give(struct kt *t)
{
	struct rig *rig = rig_of(t);
	struct shadow_stats stats;

	if (!rig->space)
		return;
	stats = rig_stats(t);
	KT_EXPECT_EQ(t, rig->bad_unmaps, stats.bad_unmaps);
	KT_EXPECT_EQ(t, rig->bad_syncs, stats.bad_syncs);
	KT_EXPECT_EQ(t, rig->leaks, stats.live);
	KT_EXPECT_EQ(t, rig->leaks, shadow_remove(rig->space));
	rig->space = NULL;
}

struct shadow_stats rig_stats(struct kt *t)
{
	struct shadow_stats stats;

	shadow_stats(rig_of(t)->space, &stats);
	return stats;
}

void *rig_pages(struct kt *t, size_t size)
{
	void *vaddr = alloc_pages_exact(size, GFP_KERNEL | __GFP_ZERO);

	KT_EXPECT(t, vaddr, "no memory");
	return vaddr;
}

void rig_free(void *vaddr, size_t size)
{
	if (vaddr)
		free_pages_exact(vaddr, size);
}

/* ---- the driver ---- */

dma_addr_t rig_map(struct kt *t, void *vaddr, size_t size, enum dma_data_direction dir,
		   unsigned long attrs)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr = dma_map_single_attrs(dev, vaddr, size, dir, attrs);

	return KT_EXPECT(t, !dma_mapping_error(dev, addr), "%zu bytes", size) ? addr : 0;
}

void rig_unmap(struct kt *t, dma_addr_t addr, size_t size, enum dma_data_direction dir,
	       unsigned long attrs)
{
	if (addr)
		dma_unmap_single_attrs(rig_of(t)->dev, addr, size, dir, attrs);
}

const struct dma_map_ops *raw_ops(struct kt *t)
{
	return get_dma_ops(rig_of(t)->dev);
}

dma_addr_t raw_map(struct kt *t, void *vaddr, size_t size, enum dma_data_direction dir)
{
	dma_addr_t addr = compat_ops_map(raw_ops(t), rig_of(t)->dev, virt_to_phys(vaddr), size,
					 dir, 0);

	return KT_EXPECT(t, addr != DMA_MAPPING_ERROR, "%zu bytes", size) ? addr : 0;
}

void raw_unmap(struct kt *t, dma_addr_t addr, size_t size, enum dma_data_direction dir)
{
	compat_ops_unmap(raw_ops(t), rig_of(t)->dev, addr, size, dir, 0);
}

void raw_sync(struct kt *t, dma_addr_t addr, size_t size, enum dma_data_direction dir,
	      bool to_device)
{
	if (to_device)
		raw_ops(t)->sync_single_for_device(rig_of(t)->dev, addr, size, dir);
	else
		raw_ops(t)->sync_single_for_cpu(rig_of(t)->dev, addr, size, dir);
}

/* ---- the device ---- */

/* One window; returns how far it went. */
static size_t access(struct rig *rig, dma_addr_t addr, void *buffer, size_t size, bool write)
{
	struct shadow_window w;
	unsigned long flags;

	flags = shadow_lock(rig->space);
	shadow_open(rig->space, addr, size, write, &w);
	if (w.len)
		memcpy(write ? w.ptr : buffer, write ? buffer : w.ptr, w.len);
	shadow_close(&w);
	shadow_unlock(rig->space, flags);
	return w.len;
}

size_t device_read(struct kt *t, dma_addr_t addr, void *to, size_t size)
{
	size_t done = 0, some;

	do {
		some = access(rig_of(t), addr + done, to + done, size - done, false);
		done += some;
	} while (some && done < size);
	return done;
}

size_t device_write(struct kt *t, dma_addr_t addr, const void *from, size_t size)
{
	size_t done = 0, some;

	do {
		some = access(rig_of(t), addr + done, (void *)from + done, size - done, true);
		done += some;
	} while (some && done < size);
	return done;
}

enum shadow_fault device_fault(struct kt *t, dma_addr_t addr, bool write)
{
	struct rig *rig = rig_of(t);
	struct shadow_window w;
	unsigned long flags;

	flags = shadow_lock(rig->space);
	shadow_open(rig->space, addr, 1, write, &w);
	shadow_close(&w);
	shadow_unlock(rig->space, flags);
	KT_EXPECT_EQ(t, w.fault == SHADOW_OK, w.len);
	return w.fault;
}

void device_fill(struct kt *t, dma_addr_t addr, u8 value, size_t size)
{
	u8 chunk[64];
	size_t some;

	memset(chunk, value, sizeof(chunk));
	for (; size; size -= some, addr += some) {
		some = min(size, sizeof(chunk));
		if (!KT_EXPECT_EQ(t, some, device_write(t, addr, chunk, some)))
			return;
	}
}

bool device_sees(struct kt *t, dma_addr_t addr, u8 value, size_t size)
{
	u8 chunk[64];
	size_t some;

	for (; size; size -= some, addr += some) {
		some = min(size, sizeof(chunk));
		if (device_read(t, addr, chunk, some) != some || !all(chunk, value, some))
			return false;
	}
	return true;
}

/* ---- bytes ---- */

bool all(const void *vaddr, u8 value, size_t size)
{
	return !memchr_inv(vaddr, value, size);
}

static u8 pattern(size_t i, u32 seed)
{
	return (i * 7 + (i >> 8) * 13 + (i >> 16) * 29 + seed * 31) & 0xff;
}

void pattern_fill(void *vaddr, size_t size, u32 seed)
{
	u8 *bytes = vaddr;
	size_t i;

	for (i = 0; i < size; i++)
		bytes[i] = pattern(i, seed);
}

bool pattern_is(const void *vaddr, size_t size, u32 seed)
{
	const u8 *bytes = vaddr;
	size_t i;

	for (i = 0; i < size; i++)
		if (bytes[i] != pattern(i, seed))
			return false;
	return true;
}

/* ---- allocations that fail ---- */

#ifdef CONFIG_FAULT_INJECTION

void fail_nth(unsigned int nth)
{
	WRITE_ONCE(current->fail_nth, nth);
}

bool has_failed(void)
{
	return !READ_ONCE(current->fail_nth);
}

bool can_fail(void)
{
	return IS_ENABLED(CONFIG_FAILSLAB);
}

#else

void fail_nth(unsigned int nth)
{
}

bool has_failed(void)
{
	return false;
}

bool can_fail(void)
{
	return false;
}

#endif
