// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reports: to the log once for each place, to the ring behind the file "reports" as
 * well, and to the tracepoint always.
 */
#include <linux/dma-mapping.h>
#include <linux/jhash.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/panic.h>
#include <linux/ratelimit.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dmasan.h"
#include "trace.h"

#define RECORDS		128
#define RECORD_ROOM	512
#define PLACES		256U	/* where something was found already */
#define PLACE_FRAMES	3U	/* by which places differ */
#define LOG_BURST	32

static const struct {
	const char *name;
	const char *text;
} kinds[] = {
	[SAN_CPU_WRITE] = {
		"cpu-write", "the CPU wrote to memory that the device owns" },
	[SAN_SYNC_FOR_CPU] = {
		"sync-for-cpu", "the device wrote twice, and the CPU never synchronized" },
	[SAN_SYNC_FOR_DEVICE] = {
		"sync-for-device", "the memory was not given to the device, which used it" },
	[SAN_DEVICE_WRITE] = {
		"device-write", "the device wrote to memory that was mapped TO_DEVICE" },
	[SAN_OVERRUN] = {
		"overrun", "the device wrote outside of the mapping" },
	[SAN_WRITE_AFTER_UNMAP] = {
		"write-after-unmap", "the device wrote after the memory was unmapped" },
	[SAN_DOUBLE_UNMAP] = {
		"double-unmap", "what is unmapped was unmapped already" },
	[SAN_BAD_UNMAP] = {
		"bad-unmap", "what is unmapped was never mapped" },
	[SAN_WRONG_SIZE] = {
		"wrong-size", "it was mapped with another size" },
	[SAN_WRONG_DIRECTION] = {
		"wrong-direction", "it was mapped in another direction" },
	[SAN_WRONG_FUNCTION] = {
		"wrong-function", "it was mapped by another function" },
	[SAN_WRONG_NENTS] = {
		"wrong-nents", "the list was mapped with another number of entries" },
	[SAN_BAD_SYNC] = {
		"bad-sync", "what is synchronized is not mapped" },
	[SAN_LEAK] = {
		"leak", "the driver is gone, and the mapping is still there" },
	[SAN_UNCHECKED_ERROR] = {
		"unchecked-error", "an error was taken for an address" },
	[SAN_ABOVE_MASK] = {
		"above-mask", "the address is above the device's mask" },
	[SAN_SEGMENT] = {
		"segment", "the entry is not what the device said it can do" },
	[SAN_SHARED_LINE] = {
		"shared-line", "the CPU wrote beside the mapping, in the same cache line" },
	[SAN_STACK] = {
		"stack", "the memory is on a stack" },
	[SAN_NO_MEMORY] = {
		"no-memory", "there is no memory to be mapped" },
	[SAN_FREED_MEMORY] = {
		"freed-memory", "the memory is free" },
	[SAN_BUFFER_OVERRUN] = {
		"buffer-overrun", "something was written outside of the buffer" },
	[SAN_USE_AFTER_FREE] = {
		"use-after-free", "something was written to the buffer after it was freed" },
	[SAN_BAD_FREE] = {
		"bad-free", "there is no such buffer, or not any more" },
};

static_assert(ARRAY_SIZE(kinds) == SAN_KINDS);

static const char * const directions[] = {
	[DMA_BIDIRECTIONAL] = "BIDIRECTIONAL",
	[DMA_TO_DEVICE] = "TO_DEVICE",
	[DMA_FROM_DEVICE] = "FROM_DEVICE",
	[DMA_NONE] = "NONE",
};

static DEFINE_SPINLOCK(reports_lock);	/* protects the following; a leaf */
static char records[RECORDS][RECORD_ROOM];
static unsigned long recorded;		/* all in all; the last RECORDS are there */
static u32 places[PLACES];
static unsigned int known_places;

const char *san_kind_name(enum san_kind kind)
{
	return kinds[kind].name;
}

const char *san_direction_name(enum dma_data_direction dir)
{
	return directions[dir & 3];
}

/* ---- where ---- */

/* What the DMA API and its helpers are called. */
static bool is_api(const char *symbol)
{
	static const char * const prefix[] = { "dma_", "__dma_", "dmam_" };
	int i;

	if (strchr(symbol, '['))
		return false;
	for (i = 0; i < ARRAY_SIZE(prefix); i++)
		if (!strncmp(symbol, prefix[i], strlen(prefix[i])))
			return true;
	return false;
}

int san_trace_place(const struct san_trace *trace, char *to, size_t size)
{
	unsigned int i;
	char *space;

	strscpy(to, "-", size);
	for (i = 0; i < trace->count; i++) {
		san_place_name(trace->frame[i], to, size);
		if (!is_api(to))
			break;
	}
	/* One word, for those who take a line apart. */
	space = strchr(to, ' ');
	if (space)
		memmove(space, space + 1, strlen(space));
	return i < trace->count ? 0 : -ENOENT;
}

/* ---- what ---- */

struct san_finding *san_find(struct san_findings *findings, enum san_kind kind,
			     const struct san_map *map)
{
	struct san_finding *finding = &findings->finding[findings->count];
	unsigned int i;

	for (i = 0; i < findings->count; i++)
		if (findings->finding[i].kind == kind)
			return NULL;
	if (findings->count == ARRAY_SIZE(findings->finding))
		return NULL;
	findings->count++;
	*finding = (struct san_finding){
		.kind = kind, .addr = map->addr, .size = map->size, .dir = map->dir,
		.mapped = map->mapped, .unmapped = map->unmapped,
	};
	return finding;
}

void san_find_bytes(struct san_finding *finding, size_t offset, size_t size, const u8 *was,
		    const u8 *is)
{
	finding->offset = offset;
	finding->bytes = min_t(size_t, size, SAN_BYTES);
	memcpy(finding->was, was, finding->bytes);
	memcpy(finding->is, is, finding->bytes);
}

/* ---- the log ---- */

static void format_details(const struct san_finding *finding, char *to, size_t size)
{
	size_t n;

	n = scnprintf(to, size, "[device address=%pad] [size=%zu bytes] [mapped %s]",
		      &finding->addr, finding->size, san_direction_name(finding->dir));
	if (finding->kind == SAN_WRONG_DIRECTION)
		n += scnprintf(to + n, size - n, " [now %s]", san_direction_name(finding->seen));
	else if (finding->expected || finding->seen)
		n += scnprintf(to + n, size - n, " [expected=%#llx] [seen=%#llx]",
			       finding->expected, finding->seen);
	if (finding->bytes)
		scnprintf(to + n, size - n, " [offset=%zd] [was=%*phN] [is=%*phN]",
			  (ssize_t)finding->offset, finding->bytes, finding->was,
			  finding->bytes, finding->is);
}

static void log_trace(struct device *dev, const char *what, const struct san_trace *trace)
{
	char place[SAN_PLACE];
	unsigned int i;

	if (!trace->count)
		return;
	dev_warn(dev, "dmasan: %s:\n", what);
	for (i = 0; i < trace->count; i++) {
		san_place_name(trace->frame[i], place, sizeof(place));
		dev_warn(dev, "dmasan:  %s\n", place);
	}
}

static void log_finding(struct san_device *san, const struct san_finding *finding,
			const struct san_trace *here)
{
	static DEFINE_RATELIMIT_STATE(limit, 5 * HZ, LOG_BURST);
	struct device *dev = san->twin.real;
	char details[200];

	if (!__ratelimit(&limit))
		return;
	format_details(finding, details, sizeof(details));
	dev_warn(dev, "dmasan: %s: %s %s\n", kinds[finding->kind].name,
		 kinds[finding->kind].text, details);
	log_trace(dev, finding->kind == SAN_UNCHECKED_ERROR ? "Refused at" : "Mapped at",
		  &finding->mapped);
	log_trace(dev, "Unmapped at", &finding->unmapped);
	log_trace(dev, "Detected at", here);
}

/* ---- the ring ---- */

/* The same mistake comes to us by many ways: the last frames tell them apart. */
static u32 hash_trace(const struct san_trace *trace, u32 hash)
{
	return jhash(trace->frame, min(trace->count, PLACE_FRAMES) * sizeof(long), hash);
}

static u32 place_of(struct san_device *san, const struct san_finding *finding,
		    const struct san_trace *here)
{
	u32 hash = jhash(san->name, strlen(san->name), finding->kind);

	return hash_trace(here, hash_trace(&finding->mapped, hash));
}

/* False the first time; the oldest of many are forgotten. */
static bool is_known(u32 place)
{
	unsigned long flags;
	unsigned int i;
	bool known = false;

	spin_lock_irqsave(&reports_lock, flags);
	for (i = 0; i < min(known_places, PLACES) && !known; i++)
		known = places[i] == place;
	if (!known)
		places[known_places++ % PLACES] = place;
	spin_unlock_irqrestore(&reports_lock, flags);
	return known;
}

static void record(struct san_device *san, const struct san_finding *finding,
		   const char *mapped, const char *detected)
{
	unsigned long flags;
	char *to;

	spin_lock_irqsave(&reports_lock, flags);
	to = records[recorded++ % RECORDS];
	scnprintf(to, RECORD_ROOM,
		  "device=%s kind=%s addr=%pad size=%zu direction=%s expected=%#llx seen=%#llx offset=%zd was=%*phN is=%*phN mapped=%s detected=%s\n",
		  san->name, kinds[finding->kind].name, &finding->addr, finding->size,
		  san_direction_name(finding->dir), finding->expected, finding->seen,
		  (ssize_t)finding->offset, finding->bytes, finding->was, finding->bytes,
		  finding->is, mapped, detected);
	spin_unlock_irqrestore(&reports_lock, flags);
}

/* To all who want to know; looking for symbols takes long. */
static void tell(struct san_device *san, const struct san_finding *finding,
		 const struct san_trace *here, bool known)
{
	char mapped[SAN_PLACE], detected[SAN_PLACE];

	san_trace_place(&finding->mapped, mapped, sizeof(mapped));
	san_trace_place(here, detected, sizeof(detected));
	trace_dmasan_report(san->name, kinds[finding->kind].name, finding, mapped, detected);
	if (known)
		return;
	record(san, finding, mapped, detected);
	log_finding(san, finding, here);
}

static bool is_wanted(struct device *dev)
{
	const struct device_driver *driver = READ_ONCE(dev->driver);

	/* While it is changed it may be neither the old name nor the new one. */
	return data_race(!san_driver[0] || (driver && sysfs_streq(san_driver, driver->name)));
}

void san_report(struct san_device *san, const struct san_finding *finding)
{
	struct san_trace here;
	bool known;

	if (!is_wanted(san->twin.real))
		return;
	atomic64_inc(&san->found[finding->kind]);
	san_trace_here(&here);
	known = is_known(place_of(san, finding, &here));
	if (!known || trace_dmasan_report_enabled())
		tell(san, finding, &here, known);
	if (READ_ONCE(san_panic))
		panic("dmasan: %s: %s\n", san->name, kinds[finding->kind].name);
}

void san_report_all(struct san_device *san, const struct san_findings *findings)
{
	unsigned int i;

	for (i = 0; i < findings->count; i++)
		san_report(san, &findings->finding[i]);
}

void san_report_call(struct san_device *san, enum san_kind kind, dma_addr_t addr, size_t size,
		     enum dma_data_direction dir)
{
	struct san_finding finding = { .kind = kind, .addr = addr, .size = size, .dir = dir };

	san_report(san, &finding);
}

/* ---- the file ---- */

/* The next from *@i on that is there, or false; those that are overwritten meanwhile are lost. */
static bool get_record(unsigned long *i, char *line)
{
	bool any;

	spin_lock_irq(&reports_lock);
	if (recorded > RECORDS)
		*i = max(*i, recorded - RECORDS);
	any = *i < recorded;
	if (any)
		strscpy(line, records[(*i)++ % RECORDS], RECORD_ROOM);
	spin_unlock_irq(&reports_lock);
	return any;
}

void san_reports_show(struct seq_file *seq)
{
	char *line = kmalloc(RECORD_ROOM, GFP_KERNEL);
	unsigned long i = 0;

	if (!line)
		return;
	while (get_record(&i, line))
		seq_puts(seq, line);
	kfree(line);
}

void san_reports_clear(void)
{
	spin_lock_irq(&reports_lock);
	recorded = 0;
	known_places = 0;
	spin_unlock_irq(&reports_lock);
}
