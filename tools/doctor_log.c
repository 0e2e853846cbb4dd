// SPDX-License-Identifier: GPL-2.0-only
/* dmafd doctor: what the kernel log says about DMA that went wrong. */
#include "doctor.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Words in small letters that a line must have, and others that excuse it. */
struct kind {
	const char *name;
	const char *words[3];		/* all of these, one behind the other */
	const char *hint;
};

/* The first one that fits counts. */
static const struct kind kinds[] = {
	{ "IOMMU fault", { "dmar:", "fault" },
	  "a device used an address that is not mapped for it: look at its driver" },
	{ "IOMMU fault", { "dmar: [dma " },
	  "a device used an address that is not mapped for it: look at its driver" },
	{ "IOMMU fault", { "io_page_fault" },
	  "a device used an address that is not mapped for it: look at its driver" },
	{ "IOMMU fault", { "smmu", "event 0x" },
	  "a device used an address that is not mapped for it: look at its driver" },
	{ "IOMMU fault", { "smmu", "context fault" },
	  "a device used an address that is not mapped for it: look at its driver" },
	{ "IOMMU fault", { "iommu", "page fault" },
	  "a device used an address that is not mapped for it: look at its driver" },
	{ "bounce buffers", { "swiotlb", "full" },
	  "they ran out, and transfers fail: boot with swiotlb=65536, or more" },
	{ "driver", { "dma-api:" },
	  "the kernel's checker found a driver's mistake: the lines below it tell where" },
	{ "driver", { "dmasan:" },
	  "dmasan found a driver's mistake: /sys/kernel/debug/dmasan/reports tells more" },
	{ "out of reach", { "overflow", "dma", "mask" },
	  "memory lies above a device's DMA mask: its driver sets too small a mask, or none" },
	{ "contiguous memory", { "cma", "alloc", "fail" },
	  "there is too little of it, or in pieces: boot with cma=128M, or more" },
	{ "timeout", { "dma", "timeout" },
	  "a transfer did not end: a request line, a clock or an interrupt is wrong" },
	{ "timeout", { "dma", "timed out" },
	  "a transfer did not end: a request line, a clock or an interrupt is wrong" },
	{ "error", { "dma", "error" }, "look at the lines around it: dmesg | grep -i -C 5 dma" },
	{ "error", { "dma", "fail" }, "look at the lines around it: dmesg | grep -i -C 5 dma" },
	{ "error", { "dma", " fault" }, "look at the lines around it: dmesg | grep -i -C 5 dma" },
	{ "error", { "dma", "abort" }, "look at the lines around it: dmesg | grep -i -C 5 dma" },
};

/* What only looks like it. */
static const char *const harmless[] = {
	"dma-api: preallocated", "dma-api: debugging", "module verification failed",
	"no dma platform data", "this is not a bug",
};

/* The lines of one kind: the kinds of one name share what is behind the first of them. */
struct seen {
	unsigned int count;
	char latest[256];
};

static bool has_words(const char *line, const struct kind *kind)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kind->words) && kind->words[i]; i++) {
		line = strstr(line, kind->words[i]);
		if (!line)
			return false;
		line += strlen(kind->words[i]);
	}
	return true;
}

static const struct kind *kind_of(const char *line)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(harmless); i++)
		if (strstr(line, harmless[i]))
			return NULL;
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (has_words(line, &kinds[i]))
			return &kinds[i];
	return NULL;
}

static size_t first_of_name(const struct kind *kind)
{
	size_t i;

	for (i = 0; strcmp(kinds[i].name, kind->name) || strcmp(kinds[i].hint, kind->hint); i++)
		;
	return i;
}

/* "LEVEL,SEQUENCE,TIME,FLAGS;TEXT": the text goes where it is looked at. */
static void look_at(const char *line, struct seen *seen)
{
	const char *text = strchr(line, ';');
	const struct kind *kind;
	char small[1024];
	size_t i;

	/* What begins with a blank tells of the device that the line before is about. */
	if (!text || *line == ' ')
		return;
	for (i = 0; text[i + 1] && i < sizeof(small) - 1; i++)
		small[i] = tolower((unsigned char)text[i + 1]);
	small[i] = '\0';
	kind = kind_of(small);
	if (!kind)
		return;
	seen += first_of_name(kind);
	seen->count++;
	snprintf(seen->latest, sizeof(seen->latest), "%s", text + 1);
}

static void look_at_lines(char *text, struct seen *seen)
{
	char *line;

	while ((line = strsep(&text, "\n")))
		look_at(line, seen);
}

/* Each read gives one record. */
static int read_device(int fd, struct seen *seen)
{
	char record[8192 + 1];
	ssize_t length;

	/* EPIPE: something was overwritten meanwhile, and it goes on behind that. */
	while ((length = read(fd, record, sizeof(record) - 1)) > 0 ||
	       (length < 0 && errno == EPIPE)) {
		record[length < 0 ? 0 : length] = '\0';
		look_at_lines(record, seen);
	}
	return length < 0 && errno != EAGAIN ? -1 : 0;
}

static int read_log(struct seen *seen)
{
	char *text;
	int fd, err;

	if (!system_is_here()) {
		text = system_text("/dev/kmsg");
		if (text)
			look_at_lines(text, seen);
		free(text);
		return text ? 0 : -1;
	}
	fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -1;
	err = read_device(fd, seen);
	close(fd);
	return err;
}

void check_log(void)
{
	struct seen seen[ARRAY_SIZE(kinds)] = {};
	unsigned int total = 0;
	size_t i;

	if (read_log(seen)) {
		not_known("log", "/dev/kmsg");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!seen[i].count)
			continue;
		total += seen[i].count;
		found(VERDICT_WARN, "log", kinds[i].name, "%u line%s, such as: %s", seen[i].count,
		      seen[i].count > 1 ? "s" : "", seen[i].latest);
		hint("%s", kinds[i].hint);
		fact_number("lines", seen[i].count);
		fact_text("latest", seen[i].latest);
	}
	if (!total)
		found(VERDICT_OK, "log", NULL, "the kernel log has no DMA error");
}
