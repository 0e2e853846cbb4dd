// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmafd doctor: DMA channels, what they can do, and who has them. sysfs lists all of
 * them, also those of the kernel's own; dmafd knows what its own can do, and debugfs who
 * holds them.
 */
#include "doctor.h"
#include "holder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CLASS "/sys/class/dma"
#define SUMMARY "/sys/kernel/debug/dmaengine/summary"
#define COUNTERS "/sys/kernel/debug/dmafd/channels"

struct channel {
	const char *name;
	char device[DMAFD_NAME_MAX], driver[DMAFD_NAME_MAX];
	bool taken;
	uint32_t caps;			/* 0: not known */
	char holder[96];		/* "": not known */
};

/* What is asked only once. */
struct sources {
	char *summary;			/* of the DMA engine, or NULL */
	struct dmafd_chan_desc *list;	/* of dmafd, or NULL */
	ssize_t listed;			/* -1: dmafd cannot be asked */
};

/* ---- one channel ---- */

/* " dma0chan15   | 13800000.serial:rx" */
static void consumer_of(const char *summary, const char *name, char *holder, size_t size)
{
	const size_t length = strlen(name);
	const char *line = summary, *text;

	*holder = '\0';
	for (; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (*line != ' ' || strncmp(line + 1, name, length) || line[length + 1] != ' ')
			continue;
		text = line + strcspn(line, "|\n");
		text += strspn(text, "| ");
		snprintf(holder, size, "%.*s", (int)strcspn(text, "\n "), text);
		return;
	}
}

static const struct dmafd_chan_desc *listed_as(const struct sources *sources, const char *name)
{
	ssize_t i;

	for (i = 0; i < sources->listed; i++)
		if (!strcmp(sources->list[i].name, name))
			return &sources->list[i];
	return NULL;
}

static void look_at(struct channel *chan, const char *name, const struct sources *sources)
{
	const struct dmafd_chan_desc *desc = listed_as(sources, name);
	uint64_t clients = 0;
	struct holder holder = {};

	*chan = (struct channel){ .name = name };
	system_link_name(chan->device, sizeof(chan->device), CLASS "/%s/device", name);
	system_link_name(chan->driver, sizeof(chan->driver), CLASS "/%s/device/driver", name);
	system_number(&clients, CLASS "/%s/in_use", name);
	chan->taken = clients || (desc && desc->flags & DMAFD_DESC_BUSY);
	chan->caps = desc ? desc->caps : 0;
	holder_of(name, &holder);
	if (holder.pid)
		snprintf(chan->holder, sizeof(chan->holder), "%s[%ld]", holder.command,
			 holder.pid);
	else
		consumer_of(sources->summary, name, chan->holder, sizeof(chan->holder));
}

static void show_channel(const struct channel *chan)
{
	const char *holder = *chan->holder ? chan->holder : "somebody";

	found(VERDICT_OK, "channel", chan->name, "%s, %s%s%s%s", chan->device,
	      chan->caps ? "can " : "can ?", chan->caps ? caps_text(chan->caps) : "",
	      chan->taken ? ", held by " : ", free", chan->taken ? holder : "");
	if (!chan->taken)
		is_detail();
	fact_text("device", chan->device);
	fact_text("driver", chan->driver);
	fact_text("capabilities", caps_text(chan->caps));
	fact_text("state", chan->taken ? "taken" : "free");
	fact_text("holder", chan->holder);
}

/* ---- controllers, which are neighbours in the list ---- */

static size_t same_device(const struct channel *chans, size_t count)
{
	size_t i;

	for (i = 1; i < count && !strcmp(chans[i].device, chans[0].device); i++)
		;
	return i;
}

static void show_controller(const struct channel *chans, size_t count)
{
	size_t i, taken = 0;
	uint32_t caps = 0;

	for (i = 0; i < count; i++) {
		taken += chans[i].taken;
		caps |= chans[i].caps;
	}
	found(VERDICT_OK, "controller", chans[0].device,
	      "%s, %zu channels from %s on, %zu taken%s%s",
	      *chans[0].driver ? chans[0].driver : "no driver", count, chans[0].name, taken,
	      caps ? ", can " : "", caps_text(caps));
	fact_text("driver", chans[0].driver);
	fact_number("channels", count);
	fact_number("taken", taken);
	fact_text("capabilities", caps_text(caps));
	for (i = 0; i < count; i++)
		show_channel(&chans[i]);
}

/* ---- all of them ---- */

static void no_channels(void)
{
	found(VERDICT_WARN, "channels", NULL, "there is no DMA channel");
	if (system_has(CLASS))
		hint("load the controller's driver, or let 'modprobe dmasim' simulate one");
	else
		hint("this kernel was built without the DMA engine (CONFIG_DMADEVICES)");
}

static void judge(const struct channel *chans, size_t count, const struct sources *sources)
{
	size_t i, taken = 0, copying = 0;

	for (i = 0; i < count; i++) {
		taken += chans[i].taken;
		copying += !chans[i].taken && chans[i].caps & DMAFD_CAP_COPY;
	}
	if (taken == count) {
		found(VERDICT_WARN, "channels", NULL, "all %zu are taken", count);
		hint("see below who holds them; 'modprobe dmasim' simulates more");
	} else if (sources->listed >= 0 && !copying) {
		found(VERDICT_WARN, "channels", NULL, "%zu of %zu are free, but none can copy",
		      count - taken, count);
		hint("what serves devices needs a port: docs/ports.md; 'modprobe dmasim' copies");
	} else if (sources->listed >= 0) {
		found(VERDICT_OK, "channels", NULL, "%zu of %zu are free, %zu of them can copy",
		      count - taken, count, copying);
	} else {
		found(VERDICT_OK, "channels", NULL, "%zu of %zu are free", count - taken, count);
		hint("what they can do tells dmafd, if it can be used");
	}
	fact_number("channels", count);
	fact_number("taken", taken);
	if (sources->listed >= 0)
		fact_number("free_that_copy", copying);
}

static void show_all(const struct names *names, const struct sources *sources)
{
	struct channel *chans = calloc(names->count, sizeof(*chans));
	size_t i, n;

	if (!chans)
		return;
	for (i = 0; i < names->count; i++)
		look_at(&chans[i], names->name[i], sources);
	judge(chans, names->count, sources);
	for (i = 0; i < names->count; i += n) {
		n = same_device(chans + i, names->count - i);
		show_controller(chans + i, n);
	}
	free(chans);
}

static void ask_dmafd(struct sources *sources)
{
	struct dmafd_ctx *ctx = system_is_here() ? dmafd_open() : NULL;

	sources->listed = ctx ? dmafd_chan_list(ctx, &sources->list) : -1;
	if (ctx)
		dmafd_close(ctx);
}

static void show_ports(const struct sources *sources)
{
	const struct dmafd_chan_desc *desc = sources->list;
	ssize_t i;

	for (i = 0; i < sources->listed; i++, desc++) {
		if (!(desc->flags & DMAFD_DESC_PORT))
			continue;
		found(VERDICT_OK, "port", desc->name, "%s, %s",
		      desc->flags & DMAFD_DESC_TX ? "to device" : "from device",
		      desc->flags & DMAFD_DESC_BUSY ? "taken" : "free");
	}
}

/* ---- jobs that failed ---- */

/* "NAME ... submitted=5 completed=5 failed=1 bytes=..." */
static void judge_jobs(const char *line)
{
	const char *failed = strstr(line, " failed="), *submitted = strstr(line, " submitted=");
	char name[DMAFD_NAME_MAX] = "";
	unsigned long long fails, jobs;

	if (!failed || !submitted || sscanf(line, "%63s", name) != 1)
		return;
	fails = strtoull(failed + strlen(" failed="), NULL, 10);
	jobs = strtoull(submitted + strlen(" submitted="), NULL, 10);
	if (!fails)
		return;
	found(VERDICT_WARN, "jobs", name, "%llu of %llu failed", fails, jobs);
	hint("their completions tell why; /sys/kernel/tracing/events/dmafd shows it live");
	fact_number("submitted", jobs);
	fact_number("failed", fails);
}

static void check_jobs(void)
{
	char *text = system_text(COUNTERS), *rest = text, *line;

	if (!text) {
		if (system_has("/sys/module/dmafd"))
			not_known("jobs", COUNTERS);
		return;
	}
	while ((line = strsep(&rest, "\n")))
		judge_jobs(line);
	free(text);
}

void check_channels(void)
{
	struct sources sources = { .summary = system_text(SUMMARY) };
	int error = errno;
	struct names names;

	if (system_list(&names, CLASS) || !names.count) {
		no_channels();
	} else {
		ask_dmafd(&sources);
		show_all(&names, &sources);
		show_ports(&sources);
		dmafd_chan_list_free(sources.list);
		errno = error;
		if (!sources.summary)
			not_known("holders", SUMMARY);
	}
	system_list_free(&names);
	check_jobs();
	free(sources.summary);
}
