// SPDX-License-Identifier: GPL-2.0-only
/* dmafd san report: what was found, and what can be done about it. */
#include "san.h"
#include "sysfile.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The order is that of docs/dmasan.md, which tells more. */
static const struct {
	const char *name;
	const char *text;
	const char *fix;
} kinds[] = {
	{ "cpu-write", "the CPU wrote to memory that the device owns",
	  "write before it is mapped, or between dma_sync_*_for_cpu() and ..._for_device()" },
	{ "sync-for-cpu", "the device wrote twice, and the CPU never synchronized",
	  "call dma_sync_*_for_cpu() before the CPU looks at it" },
	{ "sync-for-device", "the memory was not given to the device, which used it",
	  "call dma_sync_*_for_device() before the device goes on" },
	{ "device-write", "the device wrote to memory that was mapped TO_DEVICE",
	  "map it FROM_DEVICE or BIDIRECTIONAL, or look at the device's descriptor" },
	{ "overrun", "the device wrote outside of the mapping",
	  "look at the length and the address that the device is given" },
	{ "write-after-unmap", "the device wrote after the memory was unmapped",
	  "stop the device, and wait until it has, before the memory is unmapped" },
	{ "double-unmap", "what is unmapped was unmapped already",
	  "unmap it once; often a path for errors does it again" },
	{ "bad-unmap", "what is unmapped was never mapped",
	  "unmap the address that dma_map_*() gave, for the device that it was given for" },
	{ "wrong-size", "it was mapped with another size",
	  "unmap with the size that it was mapped with" },
	{ "wrong-direction", "it was mapped in another direction",
	  "unmap and synchronize with the direction that it was mapped with" },
	{ "wrong-function", "it was mapped by another function",
	  "unmap by the function that belongs to the one that mapped" },
	{ "wrong-nents", "the list was mapped with another number of entries",
	  "unmap with the number that dma_map_sg() was given, not what it returned" },
	{ "bad-sync", "what is synchronized is not mapped",
	  "synchronize within the mapping, and before it is unmapped" },
	{ "leak", "the driver is gone, and the mapping is still there",
	  "unmap or free it in the driver's remove(), and where its probe() fails" },
	{ "unchecked-error", "an error was taken for an address",
	  "ask dma_mapping_error() about each address" },
	{ "above-mask", "the address is above the device's mask",
	  "call dma_set_mask() before anything is mapped" },
	{ "segment", "the entry is not what the device said it can do",
	  "make lists by dma_get_max_seg_size(), or set it with dma_set_max_seg_size()" },
	{ "shared-line", "the CPU wrote beside the mapping, in the same cache line",
	  "give the buffer an allocation of its own, or ____cacheline_aligned" },
	{ "stack", "the memory is on a stack", "use kmalloc()" },
	{ "no-memory", "there is no memory to be mapped",
	  "look where the pointer comes from; registers go by dma_map_resource()" },
	{ "freed-memory", "the memory is free", "free it after it is unmapped" },
	{ "buffer-overrun", "something was written outside of the buffer",
	  "look at what writes there, the driver and the device" },
	{ "use-after-free", "something was written to the buffer after it was freed",
	  "stop the device, and wait until it has, before the buffer is freed" },
	{ "bad-free", "there is no such buffer, or not any more",
	  "free once what dma_alloc_*() gave, with the same address and size" },
};

static_assert(ARRAY_SIZE(kinds) <= 32, "a bit for each");

static int find_kind(const char *name)
{
	int i;

	for (i = 0; i < (int)ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return i;
	return -1;
}

int san_parse_kinds(const char *list, uint32_t *wanted)
{
	char *copy = strdup(list), *rest = copy, *word;
	int kind = 0;

	*wanted = 0;
	while (copy && kind >= 0 && (word = strsep(&rest, ","))) {
		kind = find_kind(word);
		if (kind >= 0)
			*wanted |= 1U << kind;
		else
			misused("there is no kind '%s'; docs/dmasan.md and dmafd-san(1) tell them",
				word);
	}
	free(copy);
	return copy && kind >= 0 ? 0 : -1;
}

const char *san_without_bus(const char *name)
{
	const char *colon = strchr(name, ':');
	char path[PATH_MAX];

	if (!colon || strchr(name, '/'))
		return name;
	snprintf(path, sizeof(path), "/sys/bus/%.*s", (int)(colon - name), name);
	return colon > name && !access(path, F_OK) ? colon + 1 : name;
}

/* ---- a line ---- */

/* Takes KEY=VALUE. */
static void take_word(struct san_report *report, const char *key, const char *value)
{
	const struct { const char *key; const char **text; } texts[] = {
		{ "device", &report->device }, { "kind", &report->kind },
		{ "direction", &report->direction }, { "was", &report->was },
		{ "is", &report->is }, { "mapped", &report->mapped },
		{ "detected", &report->detected },
	};
	const struct { const char *key; uint64_t *number; } numbers[] = {
		{ "addr", &report->addr }, { "size", &report->size },
		{ "expected", &report->expected }, { "seen", &report->seen },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(texts); i++)
		if (!strcmp(key, texts[i].key))
			*texts[i].text = strcmp(value, "-") ? value : "";
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!strcmp(key, numbers[i].key))
			*numbers[i].number = strtoull(value, NULL, 0);
	if (!strcmp(key, "offset"))
		report->offset = strtoll(value, NULL, 10);
}

bool san_parse(struct san_report *report, const char *text)
{
	char *rest, *word, *value;

	*report = (struct san_report){
		.device = "", .kind = "", .direction = "", .was = "", .is = "", .mapped = "",
		.detected = "",
	};
	snprintf(report->line, sizeof(report->line), "%.*s", (int)strcspn(text, "\n"), text);
	for (word = strtok_r(report->line, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		value = strchr(word, '=');
		if (!value)
			continue;
		*value = '\0';
		take_word(report, word, value + 1);
	}
	return *report->device && *report->kind;
}

bool san_is_wanted(const struct san_report *report)
{
	int kind = find_kind(report->kind);

	if (san_config.device && strcmp(san_config.device, report->device))
		return false;
	return !san_config.kinds || (kind >= 0 && san_config.kinds & 1U << kind);
}

/* ---- for people ---- */

static const char *direction_name(uint64_t direction)
{
	static const char *const names[] = { "BIDIRECTIONAL", "TO_DEVICE", "FROM_DEVICE", "NONE" };

	return names[direction & 3];
}

static void print_line(const char *what, const char *text)
{
	if (*text)
		printf("  %-9s %s\n", what, text);
}

/* Sizes and numbers of entries, or addresses and masks. */
static void print_compared(const struct san_report *report)
{
	static const char *const counted[] = { "wrong-size", "wrong-nents", "bad-sync" };
	bool is_count = false;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counted); i++)
		is_count |= !strcmp(report->kind, counted[i]);
	if (!strcmp(report->kind, "wrong-direction"))
		print_line("now", direction_name(report->seen));
	else if (report->expected || report->seen)
		printf(is_count ? "  %-9s %llu, is %llu\n" : "  %-9s %#llx, is %#llx\n", "expected",
		       (unsigned long long)report->expected, (unsigned long long)report->seen);
}

static void print_details(const struct san_report *report)
{
	printf("  %-9s %llu bytes at %#llx, %s\n", "mapping", (unsigned long long)report->size,
	       (unsigned long long)report->addr, report->direction);
	if (*report->was)
		printf("  %-9s at %lld: was %s, is %s\n", "bytes", (long long)report->offset,
		       report->was, report->is);
	print_compared(report);
}

void san_print(const struct san_report *report)
{
	int kind = find_kind(report->kind);

	printf("%s: %s%s%s\n", report->device, report->kind, kind < 0 ? "" : ": ",
	       kind < 0 ? "" : kinds[kind].text);
	print_details(report);
	print_line("mapped", report->mapped);
	print_line("detected", report->detected);
	print_line("to do", kind < 0 ? "" : kinds[kind].fix);
}

/* ---- for programs ---- */

static void json_maybe(const char *key, const char *text)
{
	if (*text)
		json_text(key, text);
	else
		json_null(key);
}

static void json_compared(const struct san_report *report)
{
	if (!strcmp(report->kind, "wrong-direction")) {
		json_text("expected", direction_name(report->expected));
		json_text("seen", direction_name(report->seen));
	} else if (report->expected || report->seen) {
		json_unsigned("expected", report->expected);
		json_unsigned("seen", report->seen);
	} else {
		json_null("expected");
		json_null("seen");
	}
}

void san_print_json(const struct san_report *report)
{
	json_begin(NULL, '{');
	json_text("device", report->device);
	json_text("kind", report->kind);
	json_unsigned("address", report->addr);
	json_unsigned("size", report->size);
	json_maybe("direction", report->direction);
	json_compared(report);
	if (*report->was)
		json_number("offset", report->offset);
	else
		json_null("offset");
	json_maybe("was", report->was);
	json_maybe("is", report->is);
	json_maybe("mapped", report->mapped);
	json_maybe("detected", report->detected);
	json_end();
}

/* ---- report ---- */

static size_t show_lines(FILE *file)
{
	struct san_report report;
	char *line = NULL;
	size_t count = 0, room = 0;

	while (getline(&line, &room, file) > 0) {
		if (!san_parse(&report, line) || !san_is_wanted(&report))
			continue;
		count++;
		if (settings.json)
			san_print_json(&report);
		else if (!settings.quiet)
			san_print(&report);
	}
	free(line);
	return count;
}

int san_show_reports(void)
{
	FILE *file = fopen(SAN_ROOT "/reports", "re");
	int status = STATUS_FINE;
	size_t count;

	if (!file)
		return failed(SAN_ROOT "/reports");
	if (settings.json)
		json_begin(NULL, '[');
	count = show_lines(file);
	if (settings.json)
		json_end();
	if (ferror(file))
		status = failed(SAN_ROOT "/reports");
	fclose(file);
	if (!count && !settings.json && !settings.quiet)
		puts("nothing was found");
	if (!status && san_config.clear && write_text(SAN_ROOT "/reports", "forget"))
		status = failed(SAN_ROOT "/reports");
	return status ? status : count ? STATUS_FOUND : STATUS_FINE;
}
