// SPDX-License-Identifier: GPL-2.0-only
/* dmafd info: everything about one channel. */
#include "common.h"
#include "holder.h"

#include <stdlib.h>
#include <string.h>

/* What is known about a channel that can be opened, and what about any. */
struct facts {
	struct dmafd_chan_desc desc;
	struct dmafd_chan_attr attr;
	bool open;
	struct holder holder;
	char driver[DMAFD_NAME_MAX];
	size_t line;
};

static const char *const residues[] = { "pieces", "segments", "bursts" };

static const char *residue_text(uint32_t residue)
{
	return residue < ARRAY_SIZE(residues) ? residues[residue] : "unknown";
}

static void print_flags(const struct facts *facts)
{
	const struct dmafd_chan_attr *attr = &facts->attr;

	json_bool("synchronizes_memory", attr->flags & DMAFD_ATTR_SYNC);
	json_bool("can_pause", attr->flags & DMAFD_ATTR_PAUSE);
	json_bool("io_uring", attr->flags & DMAFD_ATTR_URING);
}

static void print_json_attr(const struct facts *facts)
{
	const struct dmafd_chan_attr *attr = &facts->attr;

	print_flags(facts);
	json_unsigned("copy_align", attr->copy_align);
	json_unsigned("fill_align", attr->fill_align);
	json_unsigned("max_segment", attr->max_segment);
	json_unsigned("depth", attr->depth);
	json_text("residue", residue_text(attr->residue));
	json_unsigned("width", attr->width);
	json_unsigned("max_sources", attr->max_sources);
	json_unsigned("line", facts->line);
}

static void print_json(const struct facts *facts)
{
	const uint32_t flags = facts->desc.flags;

	json_begin(NULL, '{');
	json_text("name", facts->desc.name);
	json_text("kind", flags & DMAFD_DESC_PORT ? "port" : "channel");
	json_text("device", facts->desc.device);
	json_text("driver", facts->driver);
	json_caps("capabilities", facts->open ? facts->attr.caps : facts->desc.caps);
	if (flags & DMAFD_DESC_PORT)
		json_text("direction", flags & DMAFD_DESC_TX ? "tx" : "rx");
	json_bool("busy", flags & DMAFD_DESC_BUSY);
	json_holder("holder", &facts->holder);
	if (facts->open)
		print_json_attr(facts);
	json_end();
}

static void line(const char *key, const char *value)
{
	printf("%-20s %s\n", key, value);
}

static void number(const char *key, uint64_t value)
{
	printf("%-20s %llu\n", key, (unsigned long long)value);
}

static void print_attr(const struct facts *facts)
{
	const struct dmafd_chan_attr *attr = &facts->attr;

	line("memory", attr->flags & DMAFD_ATTR_SYNC ? "synchronized for each job" :
	     "coherent: nothing to synchronize");
	line("pause", attr->flags & DMAFD_ATTR_PAUSE ? "yes" : "no");
	line("io_uring", attr->flags & DMAFD_ATTR_URING ? "yes" : "no");
	number("copies aligned to", attr->copy_align);
	number("fills aligned to", attr->fill_align);
	line("moved at once", human(attr->max_segment));
	number("jobs at most", attr->depth);
	line("counts bytes by", residue_text(attr->residue));
	if (attr->width)
		number("register width", attr->width);
	if (attr->max_sources)
		number("sources of an xor", attr->max_sources);
	number("best aligned to", facts->line);
}

static void print_text(const struct facts *facts)
{
	const uint32_t flags = facts->desc.flags;
	const uint32_t caps = facts->open ? facts->attr.caps : facts->desc.caps;

	line(flags & DMAFD_DESC_PORT ? "port" : "channel", facts->desc.name);
	line("device", facts->desc.device);
	line("driver", *facts->driver ? facts->driver : "?");
	line("can", caps ? caps_text(caps) : "?");
	if (flags & DMAFD_DESC_PORT)
		line("direction", flags & DMAFD_DESC_TX ? "to device" : "from device");
	if (facts->holder.pid)
		printf("%-20s %s[%ld]\n", "held by", facts->holder.command, facts->holder.pid);
	else
		line("held by", flags & DMAFD_DESC_BUSY ? "somebody" : "nobody");
	if (facts->open)
		print_attr(facts);
}

static int find(struct dmafd_ctx *ctx, const char *name, struct dmafd_chan_desc *found)
{
	struct dmafd_chan_desc *list;
	ssize_t i, count = dmafd_chan_list(ctx, &list);

	if (count < 0)
		return failed("list of channels");
	for (i = 0; i < count && strcmp(list[i].name, name); i++)
		;
	if (i < count)
		*found = list[i];
	dmafd_chan_list_free(list);
	if (i < count)
		return STATUS_FINE;
	complain("there is no channel %s", name);
	advise("'dmafd list' shows those that are there");
	return STATUS_NO_DEVICE;
}

/* Of one that somebody else has less is known, and that is no error. */
static void ask(struct dmafd_ctx *ctx, struct facts *facts)
{
	struct dmafd_chan *chan = dmafd_chan_open(ctx, facts->desc.name, NULL);

	if (!chan)
		return;
	facts->open = !dmafd_chan_info(chan, &facts->attr);
	dmafd_chan_close(chan);
}

static int run(int argc, char **argv)
{
	struct facts facts = {};
	struct dmafd_ctx *ctx;
	int status;

	(void)argc;
	ctx = open_device(&status);
	if (!ctx)
		return status;
	status = find(ctx, argv[0], &facts.desc);
	if (!status) {
		holder_of(facts.desc.name, &facts.holder);
		driver_of(facts.desc.name, facts.driver, sizeof(facts.driver));
		ask(ctx, &facts);
		facts.line = dmafd_line_size(ctx);
		if (settings.json)
			print_json(&facts);
		else
			print_text(&facts);
	}
	dmafd_close(ctx);
	return status;
}

const struct command command_info = {
	.name = "info",
	.args = "CHANNEL",
	.summary = "Show everything about a channel or port",
	.text = "It is opened for a moment to ask for its limits; of one that somebody else\n"
		"holds they are not known.",
	.with = WITH_JSON,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
