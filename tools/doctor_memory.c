// SPDX-License-Identifier: GPL-2.0-only
/* dmafd doctor: the memory that devices work on, and what is set aside for them. */
#include "doctor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A bounce buffer of the kernel. */
#define SLAB_SIZE 2048

/* ---- cache lines ---- */

#define CACHES "/sys/devices/system/cpu/cpu0/cache"

/* The longest line of the first CPU's caches, or 0 if it does not tell. */
static uint64_t cpu_line(void)
{
	uint64_t size, longest = 0;
	struct names names;
	size_t i;

	if (system_list(&names, CACHES))
		return 0;
	for (i = 0; i < names.count; i++)
		if (!system_number(&size, CACHES "/%s/coherency_line_size", names.name[i]) &&
		    size > longest)
			longest = size;
	system_list_free(&names);
	return longest;
}

/* What the kernel aligns memory to, for DMA, or 0 if it cannot be asked. */
static uint64_t dma_line(void)
{
	struct dmafd_ctx *ctx = system_is_here() ? dmafd_open() : NULL;
	uint64_t size = ctx ? dmafd_line_size(ctx) : 0;

	if (ctx)
		dmafd_close(ctx);
	return size;
}

static void check_line(void)
{
	const uint64_t cpu = cpu_line(), dma = dma_line(), best = cpu > dma ? cpu : dma;

	if (!best) {
		found(VERDICT_NOTE, "cache line", NULL, "neither the CPU nor dmafd tells its size");
		hint("buffers for DMA are best aligned to 128");
	} else if (dma > 1 && cpu > dma) {
		found(VERDICT_WARN, "cache line", NULL,
		      "%llu bytes, but the kernel aligns DMA memory to %llu",
		      (unsigned long long)cpu, (unsigned long long)dma);
		hint("buffers of drivers may share cache lines with other data, and spoil it");
	} else {
		found(VERDICT_OK, "cache line", NULL,
		      "buffers for DMA are best aligned to %llu bytes", (unsigned long long)best);
	}
	if (cpu)
		fact_number("cpu", cpu);
	if (dma)
		fact_number("dma_alignment", dma);
}

/* ---- contiguous memory ---- */

/* Sums up a file of all areas; kernels with CONFIG_CMA_SYSFS have them. */
static void fact_areas(const char *key, const char *file)
{
	uint64_t sum = 0, number;
	struct names names;
	size_t i;

	if (system_list(&names, "/sys/kernel/mm/cma"))
		return;
	for (i = 0; i < names.count; i++)
		if (!system_number(&number, "/sys/kernel/mm/cma/%s/%s", names.name[i], file))
			sum += number;
	if (names.count)
		fact_number(key, sum);
	system_list_free(&names);
}

static void judge_cma(uint64_t total, uint64_t available, uint64_t fails)
{
	if (!total) {
		found(VERDICT_NOTE, "cma", NULL, "no memory is set aside for contiguous buffers");
		hint("those above 4 MiB cannot be had; where the kernel has it: boot with cma=64M");
	} else if (fails) {
		found(VERDICT_WARN, "cma", NULL, "%s of %s free, and %llu requests failed",
		      human(available), human(total), (unsigned long long)fails);
		hint("there is too little of it, or in pieces: boot with a larger cma=");
	} else if (available < total / 10) {
		found(VERDICT_WARN, "cma", NULL, "only %s of %s is free", human(available),
		      human(total));
		hint("contiguous buffers will soon be refused: boot with a larger cma=");
	} else {
		found(VERDICT_OK, "cma", NULL, "%s of %s is free", human(available), human(total));
	}
}

static void check_cma(const char *vmstat)
{
	uint64_t total = 0, available = 0, fails = 0, successes = 0;
	char *meminfo = system_text("/proc/meminfo");

	if (!meminfo) {
		not_known("cma", "/proc/meminfo");
		return;
	}
	number_of_key(meminfo, "CmaTotal", &total);
	number_of_key(meminfo, "CmaFree", &available);
	free(meminfo);
	if (vmstat) {
		number_of_key(vmstat, "cma_alloc_fail", &fails);
		number_of_key(vmstat, "cma_alloc_success", &successes);
	}
	judge_cma(total * 1024, available * 1024, fails);
	fact_number("total", total * 1024);
	fact_number("free", available * 1024);
	fact_number("allocations", successes);
	fact_number("failures", fails);
	fact_areas("area_failed_pages", "alloc_pages_fail");
}

/* ---- bounce buffers ---- */

#define SWIOTLB "/sys/kernel/debug/swiotlb"

static void judge_swiotlb(uint64_t slabs, uint64_t used, uint64_t most)
{
	const char *size = human(slabs * SLAB_SIZE);

	if (used >= slabs / 10 * 9) {
		found(VERDICT_BAD, "swiotlb", NULL, "%s of %s bounce buffers in use",
		      human(used * SLAB_SIZE), size);
		hint("transfers begin to fail: boot with a larger swiotlb=, in slabs of 2 KiB");
	} else if (most >= slabs / 10 * 9) {
		found(VERDICT_WARN, "swiotlb", NULL, "%s of %s bounce buffers were in use at once",
		      human(most * SLAB_SIZE), size);
		hint("that was close: boot with a larger swiotlb=, in slabs of 2 KiB");
	} else if (used || most) {
		found(VERDICT_NOTE, "swiotlb", NULL, "%s of %s bounce buffers in use",
		      human(used * SLAB_SIZE), size);
		hint("a device does not reach its memory, and the CPU copies for it");
	} else {
		found(VERDICT_OK, "swiotlb", NULL, "%s of bounce buffers, none in use", size);
	}
}

static void check_swiotlb(void)
{
	uint64_t slabs = 0, used = 0, most = 0;

	if (system_number(&slabs, SWIOTLB "/io_tlb_nslabs") && errno != ENOENT) {
		not_known("swiotlb", SWIOTLB);
		return;
	}
	if (!slabs && !system_has(SWIOTLB)) {
		not_known("swiotlb", SWIOTLB);
		return;
	}
	if (!slabs) {
		found(VERDICT_OK, "swiotlb", NULL, "no bounce buffers, as all memory is in reach");
		return;
	}
	system_number(&used, SWIOTLB "/io_tlb_used");
	/* Since Linux 6.4. */
	system_number(&most, SWIOTLB "/io_tlb_used_hiwater");
	judge_swiotlb(slabs, used, most);
	fact_number("total", slabs * SLAB_SIZE);
	fact_number("used", used * SLAB_SIZE);
	fact_number("used_at_most", (most > used ? most : used) * SLAB_SIZE);
}

/* ---- zones and pools ---- */

/* A zone of /proc/zoneinfo, in pages. */
struct zone {
	char name[16];
	uint64_t free, min, spanned, managed, start;
};

static uint64_t zone_number(const char *part, const char *key)
{
	const char *at = strstr(part, key);

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/* Reads the next zone. Returns what is behind it, or NULL. */
static const char *next_zone(const char *text, struct zone *zone)
{
	const char *at = strstr(text, ", zone"), *end;
	char *part;

	if (!at)
		return NULL;
	*zone = (struct zone){};
	if (sscanf(at, ", zone %15s", zone->name) != 1)
		return NULL;
	end = strstr(at + 1, "\nNode ");
	part = strndup(at, end ? (size_t)(end - at) : strlen(at));
	if (!part)
		return NULL;
	zone->free = zone_number(part, "pages free ");
	zone->min = zone_number(part, " min ");
	zone->spanned = zone_number(part, " spanned ");
	zone->managed = zone_number(part, " managed ");
	zone->start = zone_number(part, " start_pfn:");
	free(part);
	return end ? end + 1 : at + 1;
}

uint64_t memory_end(void)
{
	char *text = system_text("/proc/zoneinfo");
	const char *at = text;
	uint64_t end = 0;
	struct zone zone;

	while (at && (at = next_zone(at, &zone)))
		if (zone.managed && zone.start + zone.spanned > end)
			end = zone.start + zone.spanned;
	free(text);
	return end * sysconf(_SC_PAGESIZE);
}

/* The zones of memory for devices with few address bits. */
static void check_zones(void)
{
	char *text = system_text("/proc/zoneinfo");
	const uint64_t page = sysconf(_SC_PAGESIZE);
	const char *at = text;
	struct zone zone;

	if (!text)
		not_known("zone", "/proc/zoneinfo");
	while (at && (at = next_zone(at, &zone))) {
		if (strncmp(zone.name, "DMA", 3) || !zone.managed)
			continue;
		found(zone.free < zone.min ? VERDICT_WARN : VERDICT_OK, "zone", zone.name,
		      "%s of %s free", human(zone.free * page), human(zone.managed * page));
		if (zone.free < zone.min)
			hint("devices with few address bits find no memory there soon");
		fact_number("managed", zone.managed * page);
		fact_number("free", zone.free * page);
		fact_number("end", (zone.start + zone.spanned) * page);
	}
	free(text);
}

/* What was allocated in these zones, and who had to wait for it. */
static void check_allocations(const char *vmstat)
{
	static const char *const keys[] = {
		"pgalloc_dma", "pgalloc_dma32", "allocstall_dma", "allocstall_dma32",
		"pgskip_dma", "pgskip_dma32",
	};
	uint64_t number[ARRAY_SIZE(keys)] = {}, stalls;
	size_t i;

	if (!vmstat) {
		not_known("allocations", "/proc/vmstat");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		number_of_key(vmstat, keys[i], &number[i]);
	stalls = number[2] + number[3];
	found(stalls ? VERDICT_NOTE : VERDICT_OK, "allocations", NULL,
	      "%llu pages from the zones for DMA, %llu had to wait",
	      (unsigned long long)(number[0] + number[1]), (unsigned long long)stalls);
	if (stalls)
		hint("memory that devices with few address bits reach was short");
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		fact_number(keys[i], number[i]);
}

#define POOLS "/sys/kernel/debug/dma_pools"

/* What interrupt handlers get coherent memory from. */
static void check_pools(void)
{
	uint64_t sum = 0, number;
	struct names names;
	size_t i;

	if (system_list(&names, POOLS)) {
		/* Not on 32-bit Arm, which has a pool of another kind. */
		if (errno != ENOENT)
			not_known("atomic pools", POOLS);
		return;
	}
	for (i = 0; i < names.count; i++)
		if (!system_number(&number, POOLS "/%s", names.name[i]))
			sum += number;
	system_list_free(&names);
	found(VERDICT_OK, "atomic pools", NULL, "%s of coherent memory for interrupt handlers",
	      human(sum));
	is_detail();
	fact_number("bytes", sum);
}

/* ---- dma-bufs ---- */

#define BUFINFO "/sys/kernel/debug/dma_buf/bufinfo"
#define BUFFERS "/sys/kernel/dmabuf/buffers"

static void show_bufs(uint64_t count, uint64_t bytes)
{
	found(VERDICT_OK, "dma-bufs", NULL, "%llu, of %s", (unsigned long long)count,
	      human(bytes));
	fact_number("count", count);
	fact_number("bytes", bytes);
}

/* For everybody, on kernels with CONFIG_DMABUF_SYSFS_STATS. */
static int sum_up_buffers(uint64_t *count, uint64_t *bytes)
{
	struct names names;
	uint64_t number;
	size_t i;

	if (system_list(&names, BUFFERS))
		return -1;
	for (i = 0; i < names.count; i++)
		if (!system_number(&number, BUFFERS "/%s/size", names.name[i]))
			*bytes += number;
	*count = names.count;
	system_list_free(&names);
	return 0;
}

static void check_bufs(void)
{
	unsigned long long count, bytes;
	uint64_t all = 0, sum = 0;
	char *text, *total;

	if (!sum_up_buffers(&all, &sum)) {
		show_bufs(all, sum);
		return;
	}
	text = system_text(BUFINFO);
	total = text ? strstr(text, "\nTotal ") : NULL;
	if (total && sscanf(total, " Total %llu objects, %llu bytes", &count, &bytes) == 2)
		show_bufs(count, bytes);
	else if (text)
		found(VERDICT_NOTE, "dma-bufs", NULL, "not known: " BUFINFO " has no total");
	else
		not_known("dma-bufs", BUFINFO);
	free(text);
}

void check_memory(void)
{
	char *vmstat = system_text("/proc/vmstat");

	check_line();
	check_cma(vmstat);
	check_swiotlb();
	check_zones();
	check_allocations(vmstat);
	check_pools();
	check_bufs();
	free(vmstat);
}
