// SPDX-License-Identifier: GPL-2.0-only
#include <linux/device.h>
#include <linux/dma-direct.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "rig.h"
#include "trace.h"

/* More than the quarantine of any test is given. */
#define FLUSH	120

static void hear(void *data, const char *device, const char *kind,
		 const struct san_finding *finding, const char *mapped, const char *detected)
{
	struct rig *rig = data;
	struct report *report;
	unsigned long flags;

	if (strcmp(device, dev_name(rig->dev)))
		return;
	spin_lock_irqsave(&rig->lock, flags);
	if (rig->count < REPORTS) {
		report = &rig->report[rig->count];
		strscpy(report->kind, kind, sizeof(report->kind));
		strscpy(report->mapped, mapped, sizeof(report->mapped));
		strscpy(report->detected, detected, sizeof(report->detected));
	}
	rig->count++;
	spin_unlock_irqrestore(&rig->lock, flags);
}

static int probe(struct platform_device *pdev)
{
	return dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(32));
}

static struct platform_driver driver = {
	.driver.name = "dmasan-test",
	.probe = probe,
};

static int make_device(struct rig *rig)
{
	struct platform_device_info info = {
		.name = "dmasan-test", .id = PLATFORM_DEVID_NONE, .dma_mask = DMA_BIT_MASK(32),
	};

	rig->pdev = platform_device_register_full(&info);
	if (IS_ERR(rig->pdev))
		return PTR_ERR(rig->pdev);
	rig->dev = &rig->pdev->dev;
	return 0;
}

int rig_init(struct kt *t)
{
	struct rig *rig = kzalloc(sizeof(*rig), GFP_KERNEL);
	int err = -ENOMEM;

	if (!rig)
		return -ENOMEM;
	spin_lock_init(&rig->lock);
	rig->page = (u8 *)__get_free_page(GFP_KERNEL);
	if (!rig->page)
		goto free;
	err = make_device(rig);
	if (err)
		goto free_page;
	err = platform_driver_register(&driver);
	if (err)
		goto unregister_device;
	err = register_trace_dmasan_report(hear, rig);
	if (err)
		goto unregister_driver;
	t->data = rig;
	return 0;

unregister_driver:
	platform_driver_unregister(&driver);
unregister_device:
	platform_device_unregister(rig->pdev);
free_page:
	free_page((unsigned long)rig->page);
free:
	kfree(rig);
	return err;
}

void rig_exit(struct kt *t)
{
	struct rig *rig = rig_of(t);

	platform_driver_unregister(&driver);
	platform_device_unregister(rig->pdev);
	unregister_trace_dmasan_report(hear, rig);
	tracepoint_synchronize_unregister();
	free_page((unsigned long)rig->page);
	kfree(rig);
}

static unsigned int take_count(struct rig *rig)
{
	unsigned int count;

	spin_lock_irq(&rig->lock);
	count = rig->count;
	rig->count = 0;
	spin_unlock_irq(&rig->lock);
	return count;
}

int rig_before(struct kt *t)
{
	struct rig *rig = rig_of(t);

	memset(rig->page, 0, SIZE);
	take_count(rig);
	/* Who is not attached would see nothing, and pass half of the tests. */
	return raw_ops(t) ? 0 : -ENODEV;
}

/* ---- reports ---- */

static void note_reports(struct kt *t, unsigned int count)
{
	struct rig *rig = rig_of(t);
	unsigned int i;

	for (i = 0; i < min_t(unsigned int, count, REPORTS); i++)
		kt_note(t, "%s, mapped %s, detected %s", rig->report[i].kind,
			rig->report[i].mapped, rig->report[i].detected);
}

static bool is_in(const char *place, const char *function)
{
	size_t len = strlen(function);

	/* The compiler may have made a part of it, or a copy, with a suffix. */
	return !strncmp(place, function, len) && (place[len] == '+' || place[len] == '.');
}

void expect_report(struct kt *t, const char *kind, const char *function)
{
	struct rig *rig = rig_of(t);
	unsigned int count = take_count(rig);
	const struct report *report = &rig->report[0];
	bool good;

	good = KT_EXPECT_EQ(t, 1, count);
	if (good)
		good = KT_EXPECT(t, !strcmp(kind, report->kind), "expected %s", kind) &&
		       KT_EXPECT(t, is_in(report->mapped, function) ||
				 is_in(report->detected, function), "not in %s", function);
	if (!good) {
		kt_note(t, "of %s in %s", kind, function);
		note_reports(t, count);
	}
}

void expect_silence(struct kt *t)
{
	unsigned int count = take_count(rig_of(t));

	if (!KT_EXPECT_EQ(t, 0, count))
		note_reports(t, count);
}

void expect_only(struct kt *t, const char *kind)
{
	struct rig *rig = rig_of(t);
	unsigned int count = take_count(rig), i;

	KT_EXPECT(t, count, "no %s", kind);
	for (i = 0; i < min_t(unsigned int, count, REPORTS); i++)
		KT_EXPECT(t, !strcmp(kind, rig->report[i].kind), "expected %s", kind);
	note_reports(t, count);
}

void run_pair(struct kt *t, const char *kind, const char *name, void (*wrong)(struct kt *t),
	      void (*right)(struct kt *t))
{
	int i;

	for (i = 0; i < 2; i++) {
		right(t);
		expect_silence(t);
		wrong(t);
		expect_report(t, kind, name);
	}
}

/* ---- the device ---- */

u8 *device_at(struct kt *t, dma_addr_t addr)
{
	return phys_to_virt(dma_to_phys(rig_of(t)->dev, addr));
}

void device_fill(struct kt *t, dma_addr_t addr, u8 value, size_t size)
{
	memset(device_at(t, addr), value, size);
}

bool device_sees(struct kt *t, dma_addr_t addr, u8 value, size_t size)
{
	return all(device_at(t, addr), value, size);
}

bool all(const void *vaddr, u8 value, size_t size)
{
	return !memchr_inv(vaddr, value, size);
}

/* ---- the driver ---- */

dma_addr_t map(struct kt *t, void *vaddr, size_t size, enum dma_data_direction dir)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr = dma_map_single(dev, vaddr, size, dir);

	KT_EXPECT_EQ(t, 0, dma_mapping_error(dev, addr));
	return addr;
}

void unmap(struct kt *t, dma_addr_t addr, size_t size, enum dma_data_direction dir)
{
	dma_unmap_single(rig_of(t)->dev, addr, size, dir);
}

void flush_quarantine(struct kt *t)
{
	void *page = (void *)get_zeroed_page(GFP_KERNEL);
	int i;

	if (!KT_EXPECT(t, page, "no memory"))
		return;
	for (i = 0; i < FLUSH; i++) {
		dma_addr_t addr = raw_map(t, page, SIZE, DMA_TO_DEVICE);

		raw_unmap(t, addr, SIZE, DMA_TO_DEVICE);
	}
	free_page((unsigned long)page);
}

void unbind(struct kt *t)
{
	device_release_driver(rig_of(t)->dev);
}

void bind(struct kt *t)
{
	KT_EXPECT_EQ(t, 1, device_attach(rig_of(t)->dev));
}
