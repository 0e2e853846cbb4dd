// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mapping's bytes are there three times: in the driver's memory, in the block
 * that the device sees, and in the snapshot, of when both were the same. By that
 * it is known who has written. What changes hands are whole lines, as in a cache;
 * each is the device's or the CPU's.
 */
#include <linux/bitmap.h>
#include <linux/highmem.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "dmasan.h"

/* The part of one line that the mapping has. */
struct line {
	struct san_map *map;
	struct san_findings *findings;
	bool carry;
	unsigned int bit;
	size_t offset, len;
	u8 *cpu, *device, *snapshot;
	bool cpu_wrote, device_wrote;
};

typedef void (*line_fn)(struct line *line);
/* A longer piece: true if there is nothing to be done with its lines. */
typedef bool (*at_once_fn)(struct line *line, size_t offset, u8 *cpu, size_t len);

static size_t head(const struct san_map *map)
{
	return map->phys & (SAN_LINE - 1);
}

static u8 *device_at(const struct san_map *map, size_t offset)
{
	return map->block.vaddr + map->block.front + offset;
}

static bool in_cpu(const struct line *line)
{
	return test_bit(line->bit, line->map->in_cpu);
}

static void found(struct line *line, enum san_kind kind, const u8 *is)
{
	struct san_finding *finding;
	size_t at = 0;

	finding = san_find(line->findings, kind, line->map);
	if (!finding)
		return;
	while (at + 1 < line->len && is[at] == line->snapshot[at])
		at++;
	san_find_bytes(finding, line->offset + at, line->len - at, line->snapshot + at, is + at);
}

static void one_line(struct line *line, size_t offset, u8 *cpu, size_t len, line_fn fn)
{
	struct san_map *map = line->map;

	line->offset = offset;
	line->len = len;
	line->bit = (head(map) + offset) / SAN_LINE;
	line->cpu = cpu;
	line->device = device_at(map, offset);
	line->snapshot = map->snapshot + offset;
	line->cpu_wrote = memcmp(cpu, line->snapshot, len);
	line->device_wrote = memcmp(line->device, line->snapshot, len);
	fn(line);
}

static void lines_of_page(struct line *line, size_t offset, u8 *cpu, size_t len, line_fn fn)
{
	while (len) {
		size_t left = SAN_LINE - (head(line->map) + offset) % SAN_LINE;
		size_t some = min(left, len);

		one_line(line, offset, cpu, some, fn);
		offset += some;
		cpu += some;
		len -= some;
	}
}

/* Most often nobody has written, which is found out faster at once. */
static bool untouched(struct line *line, size_t offset, u8 *cpu, size_t len)
{
	const struct san_map *map = line->map;
	const u8 *snapshot = map->snapshot + offset;

	return san_same(cpu, snapshot, len) && san_same(device_at(map, offset), snapshot, len);
}

/* That both have written the same is not worth a look at the snapshot. */
static bool agree(struct line *line, size_t offset, u8 *cpu, size_t len)
{
	return san_same(cpu, device_at(line->map, offset), len);
}

/* None is the CPU's, which has not written; so all that there is of new is the device's. */
static bool taken_whole(struct line *line, size_t offset, u8 *cpu, size_t len)
{
	if (!san_same(cpu, line->map->snapshot + offset, len))
		return false;
	if (line->carry)
		memcpy(cpu, device_at(line->map, offset), len);
	return true;
}

/* Calls @fn for each line of the range that somebody has written, unless @at_once does. */
static void written_lines(struct line *line, size_t offset, size_t size, line_fn fn,
			  at_once_fn at_once)
{
	phys_addr_t phys = line->map->phys + offset;

	while (size) {
		size_t len = min_t(size_t, size, PAGE_SIZE - offset_in_page(phys));
		u8 *page = kmap_local_page(pfn_to_page(PHYS_PFN(phys)));
		u8 *cpu = page + offset_in_page(phys);

		if (!at_once(line, offset, cpu, len))
			lines_of_page(line, offset, cpu, len, fn);
		kunmap_local(page);
		offset += len;
		phys += len;
		size -= len;
	}
}

/* Whole lines, as far as they are the mapping's. */
static void widen(const struct san_map *map, size_t *offset, size_t *size)
{
	size_t from = ALIGN_DOWN(head(map) + *offset, SAN_LINE);
	size_t to = ALIGN(head(map) + *offset + *size, SAN_LINE);

	from = from > head(map) ? from - head(map) : 0;
	to = min(to - head(map), map->size);
	*offset = from;
	*size = to - from;
}

static void set_owner(struct san_map *map, size_t offset, size_t size, bool cpu)
{
	unsigned int first = (head(map) + offset) / SAN_LINE;
	unsigned int count = DIV_ROUND_UP((head(map) + offset) % SAN_LINE + size, SAN_LINE);

	if (cpu)
		bitmap_set(map->in_cpu, first, count);
	else
		bitmap_clear(map->in_cpu, first, count);
}

static bool from_device(const struct san_map *map)
{
	return map->dir != DMA_TO_DEVICE;
}

/*
 * Both sides have what is the CPU's. A program or the device may write right now: what
 * was read once goes everywhere, or that would later look like somebody's mistake.
 */
static void take_cpus(struct line *line)
{
	memcpy(line->snapshot, line->cpu, line->len);
	memcpy(line->device, line->snapshot, line->len);
}

static void take_devices(struct line *line)
{
	memcpy(line->snapshot, line->device, line->len);
	memcpy(line->cpu, line->snapshot, line->len);
}

static void found_cpu_write(struct line *line)
{
	if (!san_is_users(line->map->phys + line->offset))
		found(line, SAN_CPU_WRITE, line->cpu);
}

/*
 * What the device wrote, and should have, or not. Memory that the CPU has only read
 * need not be given back.
 */
static void judge_device(struct line *line)
{
	if (!from_device(line->map))
		found(line, SAN_DEVICE_WRITE, line->device);
	else if (in_cpu(line) && (line->cpu_wrote || READ_ONCE(san_strict)))
		found(line, SAN_SYNC_FOR_DEVICE, line->device);
}

static void line_for_cpu(struct line *line)
{
	if (line->cpu_wrote && !in_cpu(line))
		found_cpu_write(line);
	else if (line->cpu_wrote && line->map->dir != DMA_FROM_DEVICE)
		found(line, SAN_SYNC_FOR_DEVICE, line->cpu);
	if (line->device_wrote)
		judge_device(line);
	if (line->device_wrote && from_device(line->map))
		take_devices(line);
	else
		take_cpus(line);
}

void san_check_for_cpu(struct san_map *map, size_t offset, size_t size,
		       struct san_findings *findings)
{
	struct line line = { .map = map, .findings = findings };

	widen(map, &offset, &size);
	written_lines(&line, offset, size, line_for_cpu, untouched);
	set_owner(map, offset, size, true);
	map->unseen = 0;
}

/*
 * The CPU wrote too early, and its memory is left as it is: with FROM_DEVICE only what
 * the device had written there can be lost. Network drivers take no more than a packet's
 * bytes for the CPU, which then uses the room behind them as well.
 */
static bool lost_nothing(const struct line *line)
{
	return line->map->dir == DMA_FROM_DEVICE && !line->device_wrote &&
	       !READ_ONCE(san_strict);
}

/*
 * What the device wrote before is lost for the CPU, which is not the driver's fault
 * if it did not want to know. But who never looks has forgotten to.
 */
static void line_for_device(struct line *line)
{
	bool early = line->cpu_wrote && !in_cpu(line);

	if (early && (READ_ONCE(san_strict) || from_device(line->map)) && !lost_nothing(line))
		found_cpu_write(line);
	if (line->device_wrote && !from_device(line->map))
		judge_device(line);
	else if (line->device_wrote && !in_cpu(line))
		line->carry = true;
	else if (line->device_wrote)
		judge_device(line);
	if (line->cpu_wrote || !from_device(line->map))
		take_cpus(line);
}

void san_check_for_device(struct san_map *map, size_t offset, size_t size,
			  struct san_findings *findings)
{
	struct line line = { .map = map, .findings = findings };

	widen(map, &offset, &size);
	written_lines(&line, offset, size, line_for_device, untouched);
	set_owner(map, offset, size, false);
	if (line.carry && ++map->unseen > 1)
		san_find(findings, SAN_SYNC_FOR_CPU, map);
}

static void line_at_end(struct line *line)
{
	if (line->cpu_wrote && !in_cpu(line) && (line->carry || !lost_nothing(line)))
		found_cpu_write(line);
	if (line->device_wrote)
		judge_device(line);
	if (line->device_wrote && line->carry && from_device(line->map))
		memcpy(line->cpu, line->device, line->len);
}

static bool any_in_cpu(const struct san_map *map)
{
	unsigned int lines = DIV_ROUND_UP(head(map) + map->size, SAN_LINE);

	return find_first_bit(map->in_cpu, lines) < lines;
}

/* How the end of most mappings is found to be right. */
static at_once_fn usual_end(const struct san_map *map)
{
	if (!from_device(map))
		return agree;
	return any_in_cpu(map) ? untouched : taken_whole;
}

void san_check_end(struct san_map *map, bool carry, struct san_findings *findings)
{
	struct line line = { .map = map, .findings = findings, .carry = carry };

	written_lines(&line, 0, map->size, line_at_end, usual_end(map));
}
