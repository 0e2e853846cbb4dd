// SPDX-License-Identifier: GPL-2.0-only
#include <linux/device.h>
#include <linux/dma-direct.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
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
		report->finding = *finding;
	}
	rig->count++;
	spin_unlock_irqrestore(&rig->lock, flags);
}

static int probe(struct platform_device *pdev)
{
	if (!pdev->dev.dma_mask)
		return 0;
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

/* Which dmasan refuses to attach to. */
static int make_device_without_mask(struct rig *rig)
{
	struct platform_device *pdev = platform_device_alloc("dmasan-test", 1);
	int err;

	if (!pdev)
		return -ENOMEM;
	pdev->dev.dma_mask = NULL;
	err = platform_device_add(pdev);
	if (err)
		platform_device_put(pdev);
	else
		rig->without_mask = pdev;
	return err;
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
	err = make_device_without_mask(rig);
	if (err)
		goto unregister_device;
	err = platform_driver_register(&driver);
	if (err)
		goto unregister_other;
	err = register_trace_dmasan_report(hear, rig);
	if (err)
		goto unregister_driver;
	t->data = rig;
	return 0;

unregister_driver:
	platform_driver_unregister(&driver);
unregister_other:
	platform_device_unregister(rig->without_mask);
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
	platform_device_unregister(rig->without_mask);
	platform_device_unregister(rig->pdev);
	unregister_trace_dmasan_report(hear, rig);
	tracepoint_synchronize_unregister();
	free_page((unsigned long)rig->page);
	kfree(rig);
}

unsigned int take_reports(struct kt *t)
{
	struct rig *rig = rig_of(t);
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
	take_reports(t);
	/* Who is not attached would see nothing, and pass half of the tests. */
	return raw_ops(t) ? 0 : -ENODEV;
}

/* ---- parameters, by their files ---- */

static struct file *open_parameter(const char *name, int flags)
{
	char path[80];

	scnprintf(path, sizeof(path), "/sys/module/dmasan/parameters/%s", name);
	return filp_open(path, flags, 0);
}

static ssize_t read_parameter(const char *name, char *value, size_t size)
{
	struct file *file = open_parameter(name, O_RDONLY);
	loff_t pos = 0;
	ssize_t n;

	if (IS_ERR(file))
		return PTR_ERR(file);
	n = kernel_read(file, value, size - 1, &pos);
	filp_close(file, NULL);
	if (n >= 0)
		value[n] = '\0';
	return n;
}

static ssize_t write_parameter(const char *name, const char *value)
{
	struct file *file = open_parameter(name, O_WRONLY);
	loff_t pos = 0;
	ssize_t n;

	if (IS_ERR(file))
		return PTR_ERR(file);
	n = kernel_write(file, value, strlen(value), &pos);
	filp_close(file, NULL);
	return n;
}

void set_parameter(struct kt *t, const char *name, const char *value)
{
	struct rig *rig = rig_of(t);
	struct parameter *parameter = &rig->changed[rig->changes];

	if (!KT_EXPECT(t, rig->changes < PARAMETERS, "no room"))
		return;
	if (!KT_EXPECT(t, read_parameter(name, parameter->was, sizeof(parameter->was)) > 0,
		       "%s is not there", name))
		return;
	parameter->name = name;
	rig->changes++;
	KT_EXPECT_EQ(t, strlen(value), write_parameter(name, value));
}

/* Those that were changed twice end as they were before the first time. */
void rig_after(struct kt *t)
{
	struct rig *rig = rig_of(t);
	struct parameter *parameter;

	while (rig->changes) {
		parameter = &rig->changed[--rig->changes];
		KT_EXPECT(t, write_parameter(parameter->name, parameter->was) > 0, "%s stays",
			  parameter->name);
	}
}

/* ---- reports ---- */

const struct san_finding *told(struct kt *t)
{
	return &rig_of(t)->report[0].finding;
}

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
	unsigned int count = take_reports(t);
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
	unsigned int count = take_reports(t);

	if (!KT_EXPECT_EQ(t, 0, count))
		note_reports(t, count);
}

void expect_only(struct kt *t, const char *kind)
{
	struct rig *rig = rig_of(t);
	unsigned int count = take_reports(t), i;

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

/* Up to the end of a page, which may have no address of its own; closed by close_device(). */
static u8 *open_device(struct kt *t, dma_addr_t addr, size_t *len)
{
	phys_addr_t phys = dma_to_phys(rig_of(t)->dev, addr);

	*len = min_t(size_t, *len, PAGE_SIZE - offset_in_page(phys));
	return (u8 *)kmap_local_page(pfn_to_page(PHYS_PFN(phys))) + offset_in_page(phys);
}

static void close_device(u8 *at)
{
	kunmap_local(at);
}

void device_fill(struct kt *t, dma_addr_t addr, u8 value, size_t size)
{
	size_t len;
	u8 *at;

	for (; size; addr += len, size -= len) {
		len = size;
		at = open_device(t, addr, &len);
		memset(at, value, len);
		close_device(at);
	}
}

bool device_sees(struct kt *t, dma_addr_t addr, u8 value, size_t size)
{
	bool good = true;
	size_t len;
	u8 *at;

	for (; good && size; addr += len, size -= len) {
		len = size;
		at = open_device(t, addr, &len);
		good = all(at, value, len);
		close_device(at);
	}
	return good;
}

bool device_has(struct kt *t, dma_addr_t addr, const u8 *bytes, size_t size)
{
	bool good = true;
	size_t len;
	u8 *at;

	for (; good && size; addr += len, bytes += len, size -= len) {
		len = size;
		at = open_device(t, addr, &len);
		good = !memcmp(at, bytes, len);
		close_device(at);
	}
	return good;
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
