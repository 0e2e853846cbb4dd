// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmafd doctor: what devices reach, by which way, and what is mapped for them. Shown are
 * DMA controllers, those behind an IOMMU, and those of PCI; others as a detail, as far as
 * dmafd knows their masks, which the kernel tells nobody.
 */
#include "doctor.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define GROUPS "/sys/kernel/iommu_groups"
#define MASKS "/sys/kernel/debug/dmafd/devices"

struct device {
	char name[DMAFD_NAME_MAX];
	char path[PATH_MAX / 4];	/* below /sys */
	char driver[DMAFD_NAME_MAX];
	uint64_t mask, coherent_mask;	/* bits; 0: not known */
	int coherent;			/* -1: not known */
	char group[16], domain[32];	/* "": none */
	bool is_bridge, is_other;
};

struct devices {
	struct device *device;
	size_t count;
};

/* ---- the devices ---- */

/* @link: "../../devices/platform/soc/3f007000.dma/dma/dma0chan0"; @end: what is cut off. */
static void add_device(struct devices *devices, const char *link, const char *end)
{
	const char *at = strstr(link, "/devices/"), *cut = end ? strstr(link, end) : NULL;
	struct device *larger, device = { .coherent = -1 };
	size_t i;

	if (!at || (end && !cut))
		return;
	snprintf(device.path, sizeof(device.path), "%.*s",
		 cut ? (int)(cut - at) : (int)strlen(at), at);
	snprintf(device.name, sizeof(device.name), "%s", last_word(device.path));
	for (i = 0; i < devices->count; i++)
		if (!strcmp(devices->device[i].path, device.path))
			return;
	larger = realloc(devices->device, (devices->count + 1) * sizeof(device));
	if (!larger)
		return;
	devices->device = larger;
	devices->device[devices->count++] = device;
}

static void add_linked(struct devices *devices, const char *folder, const char *end)
{
	char link[PATH_MAX];
	struct names names;
	size_t i;

	if (system_list(&names, "%s", folder))
		return;
	for (i = 0; i < names.count; i++)
		if (!system_link(link, sizeof(link), "%s/%s", folder, names.name[i]))
			add_device(devices, link, end);
	system_list_free(&names);
}

static void add_grouped(struct devices *devices)
{
	char folder[128];
	struct names names;
	size_t i;

	if (system_list(&names, GROUPS))
		return;
	for (i = 0; i < names.count; i++) {
		snprintf(folder, sizeof(folder), GROUPS "/%s/devices", names.name[i]);
		add_linked(devices, folder, NULL);
	}
	system_list_free(&names);
}

/* ---- what one is like ---- */

/*
 * Whether the device tree says that it sees the CPU's caches: a property of its node, or
 * of one above. Returns -1 if it has no node.
 */
static int coherent_by_tree(const char *path)
{
	char at[PATH_MAX / 4], link[PATH_MAX];
	char *node;

	for (snprintf(at, sizeof(at), "%s", path); *at; *strrchr(at, '/') = '\0')
		if (!system_link(link, sizeof(link), "/sys%s/of_node", at))
			break;
	node = *at ? strstr(link, "/devicetree/base") : NULL;
	if (!node)
		return -1;
	for (; strcmp(node, "/devicetree"); *strrchr(node, '/') = '\0') {
		if (system_has("/sys/firmware%s/dma-noncoherent", node))
			return 0;
		if (system_has("/sys/firmware%s/dma-coherent", node))
			return 1;
	}
	return 0;
}

static bool is_coherent_machine(void)
{
	struct utsname name;
	char machine[128];

	/* Since Linux 6.1. */
	if (system_line(machine, sizeof(machine), "/proc/sys/kernel/arch")) {
		uname(&name);
		snprintf(machine, sizeof(machine), "%s", name.machine);
	}
	return !strcmp(machine, "x86_64") || !strcmp(machine, "i686");
}

/* "NAME dma_mask=32 coherent_mask=32 coherent=0 ...", of those that have a driver. */
static void ask_dmafd(struct device *device, const char *masks)
{
	const size_t length = strlen(device->name);
	unsigned long long mask, coherent_mask;
	const char *line = masks;
	int coherent;

	for (; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, device->name, length) || line[length] != ' ')
			continue;
		if (sscanf(line + length, " dma_mask=%llu coherent_mask=%llu coherent=%d", &mask,
			   &coherent_mask, &coherent) != 3)
			return;
		device->mask = mask;
		device->coherent_mask = coherent_mask;
		device->coherent = coherent;
		return;
	}
}

static void look_at(struct device *device, const char *masks)
{
	uint64_t class = 0;

	system_link_name(device->driver, sizeof(device->driver), "/sys%s/driver", device->path);
	system_link_name(device->group, sizeof(device->group), "/sys%s/iommu_group", device->path);
	if (*device->group)
		system_line(device->domain, sizeof(device->domain), GROUPS "/%s/type",
			    device->group);
	if (!system_number(&class, "/sys%s/class", device->path))
		device->is_bridge = class >> 16 == 6;
	device->coherent = is_coherent_machine() ? 1 : coherent_by_tree(device->path);
	ask_dmafd(device, masks);
	system_number(&device->mask, "/sys%s/dma_mask_bits", device->path);
	system_number(&device->coherent_mask, "/sys%s/consistent_dma_mask_bits", device->path);
}

/* ---- what is said about it ---- */

static bool is_translated(const struct device *device)
{
	return !strncmp(device->domain, "DMA", 3);
}

/* Memory beyond is copied by the CPU, or refused. */
static bool is_out_of_reach(const struct device *device)
{
	return *device->driver && device->mask && device->mask < 64 && !is_translated(device) &&
	       1ULL << device->mask < memory_end();
}

static const char *coherence_text(const struct device *device)
{
	return device->coherent < 0 ? "coherence not known" :
	       device->coherent ? "coherent" : "not coherent";
}

static void mask_text(const struct device *device, char *text, size_t size)
{
	if (!device->mask)
		snprintf(text, size, "masks not known");
	else if (device->mask == device->coherent_mask)
		snprintf(text, size, "masks of %llu bits", (unsigned long long)device->mask);
	else
		snprintf(text, size, "mask of %llu bits, coherent mask of %llu",
			 (unsigned long long)device->mask,
			 (unsigned long long)device->coherent_mask);
}

static void show_device(const struct device *device)
{
	char masks[64], group[64] = "no IOMMU";

	mask_text(device, masks, sizeof(masks));
	if (*device->group)
		snprintf(group, sizeof(group), "IOMMU group %s (%s)", device->group,
			 *device->domain ? device->domain : "?");
	found(is_out_of_reach(device) ? VERDICT_NOTE : VERDICT_OK, "device", device->name,
	      "%s, %s, %s, %s", *device->driver ? device->driver : "no driver", masks,
	      coherence_text(device), group);
	if (is_out_of_reach(device))
		hint("memory above %s is copied for it by the CPU (swiotlb), or refused",
		     human(1ULL << device->mask));
	if (!*device->driver || device->is_bridge || device->is_other)
		is_detail();
	fact_text("driver", device->driver);
	if (device->mask)
		fact_number("dma_mask_bits", device->mask);
	if (device->coherent_mask)
		fact_number("coherent_dma_mask_bits", device->coherent_mask);
	fact_text("coherent", device->coherent < 0 ? "unknown" : device->coherent ? "yes" : "no");
	fact_text("iommu_group", device->group);
	fact_text("iommu_domain", device->domain);
}

static void show_devices(const struct devices *devices)
{
	char *masks = system_text(MASKS);
	int error = errno;
	bool unknown = false;
	size_t i;

	for (i = 0; i < devices->count; i++) {
		look_at(&devices->device[i], masks);
		if (devices->device[i].mask || !devices->device[i].is_other)
			show_device(&devices->device[i]);
		unknown |= !devices->device[i].mask && !devices->device[i].is_other;
	}
	errno = error;
	if (unknown && !masks)
		not_known("masks", MASKS);
	free(masks);
}

/* ---- the IOMMU ---- */

static void list_domains(const struct names *groups, char *text, size_t size, size_t *identity)
{
	char type[32];
	size_t i, at = 0;

	*text = '\0';
	for (i = 0; i < groups->count; i++) {
		system_line(type, sizeof(type), GROUPS "/%s/type", groups->name[i]);
		*identity += !strcmp(type, "identity");
		if (*type && !strstr(text, type) && at + strlen(type) + 2 < size)
			at += snprintf(text + at, size - at, "%s%s", at ? ", " : "", type);
	}
}

static void check_iommu(void)
{
	struct names units = {}, groups = {};
	size_t identity = 0;
	char types[128];

	system_list(&units, "/sys/class/iommu");
	system_list(&groups, GROUPS);
	list_domains(&groups, types, sizeof(types), &identity);
	if (!units.count && !groups.count) {
		found(VERDICT_OK, "iommu", NULL,
		      "none: devices reach all memory below their masks");
	} else if (groups.count && identity == groups.count) {
		found(VERDICT_NOTE, "iommu", NULL, "%s, but it lets everything pass",
		      units.count ? units.name[0] : "?");
		hint("a device's mistake can spoil any memory; boot with iommu.passthrough=0");
	} else {
		found(VERDICT_OK, "iommu", NULL, "%s, %zu group%s: %s",
		      units.count ? units.name[0] : "?", groups.count,
		      groups.count == 1 ? "" : "s", *types ? types : "?");
	}
	fact_number("units", units.count);
	fact_number("groups", groups.count);
	fact_number("groups_that_pass", identity);
	fact_text("domains", types);
	system_list_free(&units);
	system_list_free(&groups);
}

/* ---- mappings ---- */

#define CHECKER "/sys/kernel/debug/dma-api"
#define SLABS "/proc/slabinfo"

/* The kernel's own checker counts every mapping, on debug kernels. */
static bool check_debugged(void)
{
	uint64_t total, left, errors = 0;

	if (system_number(&total, CHECKER "/nr_total_entries") ||
	    system_number(&left, CHECKER "/num_free_entries"))
		return false;
	system_number(&errors, CHECKER "/error_count");
	found(errors ? VERDICT_WARN : VERDICT_OK, "mappings", NULL,
	      "%llu, as the kernel's DMA checker counts; errors that it found: %llu",
	      (unsigned long long)(total - left), (unsigned long long)errors);
	if (errors)
		hint("a driver is wrong: dmesg | grep -A 20 DMA-API");
	fact_number("mappings", total - left);
	fact_number("errors", errors);
	return true;
}

/* Each address that an IOMMU translates and no cache of them holds. */
static bool check_addresses(void)
{
	char *text = system_text(SLABS);
	uint64_t count;
	bool known;

	known = text && !number_of_key(text, "iommu_iova", &count);
	free(text);
	if (!known)
		return false;
	found(VERDICT_OK, "mappings", NULL, "%llu ranges of addresses that the IOMMU gave out",
	      (unsigned long long)count);
	fact_number("ranges", count);
	return true;
}

static void judge_view(const char *device, const char *text)
{
	uint64_t live = 0, bytes = 0, unmaps = 0, syncs = 0;

	number_of_key(text, "live", &live);
	number_of_key(text, "live_bytes", &bytes);
	number_of_key(text, "bad_unmaps", &unmaps);
	number_of_key(text, "bad_syncs", &syncs);
	found(unmaps || syncs ? VERDICT_WARN : VERDICT_OK, "mappings", device,
	      "%llu, of %s; %llu were unmapped wrongly, %llu synced wrongly",
	      (unsigned long long)live, human(bytes), (unsigned long long)unmaps,
	      (unsigned long long)syncs);
	if (unmaps || syncs)
		hint("a driver is wrong: docs/dmasim.md, \"Find a missing sync\"");
	fact_number("mappings", live);
	fact_number("bytes", bytes);
	fact_number("bad_unmaps", unmaps);
	fact_number("bad_syncs", syncs);
}

/* Simulated controllers count theirs. */
static void check_views(void)
{
	struct names names;
	char *text;
	size_t i;

	if (system_list(&names, "/sys/kernel/debug/dmasim"))
		return;
	for (i = 0; i < names.count; i++) {
		text = system_text("/sys/kernel/debug/dmasim/%s/mappings", names.name[i]);
		if (text && strstr(text, "live"))
			judge_view(names.name[i], text);
		free(text);
	}
	system_list_free(&names);
}

static void check_mappings(void)
{
	if (!check_debugged() && !check_addresses()) {
		found(VERDICT_OK, "mappings", NULL, "not counted by this kernel, or not for you");
		hint("a debug kernel counts them: CONFIG_DMA_API_DEBUG");
		is_detail();
	}
	check_views();
}

void check_devices(void)
{
	struct devices devices = {};
	size_t i, main_count;

	check_iommu();
	check_mappings();
	add_linked(&devices, "/sys/class/dma", "/dma/dma");
	add_grouped(&devices);
	add_linked(&devices, "/sys/bus/pci/devices", NULL);
	main_count = devices.count;
	add_linked(&devices, "/sys/bus/platform/devices", NULL);
	add_linked(&devices, "/sys/bus/amba/devices", NULL);
	for (i = main_count; i < devices.count; i++)
		devices.device[i].is_other = true;
	show_devices(&devices);
	free(devices.device);
}
