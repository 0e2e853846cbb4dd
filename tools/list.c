// SPDX-License-Identifier: GPL-2.0-only
/* dmafd list: channels and ports, and who holds them. */
#include "common.h"
#include "holder.h"

#include <stdlib.h>
#include <string.h>

struct row {
	const struct dmafd_chan_desc *desc;
	struct holder holder;
	char driver[DMAFD_NAME_MAX];
	char state[96];
};

static struct {
	bool free_only;
	uint32_t caps;
} config;

static int set(int letter, const char *value)
{
	if (letter == 'f') {
		config.free_only = true;
		return 0;
	}
	if (parse_caps(value, &config.caps))
		return misused("'%s' is no list of copy,fill,xor,slave,cyclic,interleave", value);
	return 0;
}

static void describe(struct row *row)
{
	const uint32_t flags = row->desc->flags;

	if (row->holder.pid)
		snprintf(row->state, sizeof(row->state), "%s[%ld]", row->holder.command,
			 row->holder.pid);
	else
		snprintf(row->state, sizeof(row->state), "%s",
			 flags & DMAFD_DESC_BUSY ? "busy" : "free");
}

static const char *direction(const struct dmafd_chan_desc *desc)
{
	return !(desc->flags & DMAFD_DESC_PORT) ? "" :
	       desc->flags & DMAFD_DESC_TX ? "to device" : "from device";
}

/* A busy channel of the kernel does not tell what it can do. */
static const char *abilities(const struct dmafd_chan_desc *desc)
{
	if (desc->flags & DMAFD_DESC_PORT)
		return direction(desc);
	return desc->caps ? caps_text(desc->caps) : "?";
}

static void print_json(const struct row *rows, size_t count)
{
	const struct dmafd_chan_desc *desc;
	size_t i;

	json_begin(NULL, '[');
	for (i = 0; i < count; i++) {
		desc = rows[i].desc;
		json_begin(NULL, '{');
		json_text("name", desc->name);
		json_text("kind", desc->flags & DMAFD_DESC_PORT ? "port" : "channel");
		json_text("device", desc->device);
		json_text("driver", rows[i].driver);
		json_caps("capabilities", desc->caps);
		if (desc->flags & DMAFD_DESC_PORT)
			json_text("direction", desc->flags & DMAFD_DESC_TX ? "tx" : "rx");
		json_bool("busy", desc->flags & DMAFD_DESC_BUSY);
		json_holder("holder", &rows[i].holder);
		json_end();
	}
	json_end();
}

static int wider(int width, const char *text)
{
	return (int)strlen(text) > width ? (int)strlen(text) : width;
}

static void print_table(const struct row *rows, size_t count)
{
	int name = strlen("NAME"), can = strlen("CAN"), device = strlen("DEVICE");
	int driver = strlen("DRIVER");
	size_t i;

	for (i = 0; i < count; i++) {
		name = wider(name, rows[i].desc->name);
		can = wider(can, abilities(rows[i].desc));
		device = wider(device, rows[i].desc->device);
		driver = wider(driver, rows[i].driver);
	}
	if (!settings.quiet)
		printf("%-*s  %-*s  %-*s  %-*s  %s\n", name, "NAME", can, "CAN", device, "DEVICE",
		       driver, "DRIVER", "STATE");
	for (i = 0; i < count; i++)
		printf("%-*s  %-*s  %-*s  %-*s  %s\n", name, rows[i].desc->name, can,
		       abilities(rows[i].desc), device, rows[i].desc->device, driver,
		       rows[i].driver, rows[i].state);
}

static bool is_wanted(const struct dmafd_chan_desc *desc)
{
	if (config.free_only && desc->flags & DMAFD_DESC_BUSY)
		return false;
	return (desc->caps & config.caps) == config.caps;
}

static size_t make_rows(struct row *rows, const struct dmafd_chan_desc *list, size_t count)
{
	size_t i, wanted = 0;

	for (i = 0; i < count; i++) {
		if (!is_wanted(&list[i]))
			continue;
		rows[wanted].desc = &list[i];
		holder_of(list[i].name, &rows[wanted].holder);
		driver_of(list[i].name, rows[wanted].driver, sizeof(rows->driver));
		describe(&rows[wanted]);
		wanted++;
	}
	return wanted;
}

static int show(const struct dmafd_chan_desc *list, size_t count)
{
	struct row *rows = calloc(count + 1, sizeof(*rows));
	size_t wanted;

	if (!rows)
		return failed("list");
	wanted = make_rows(rows, list, count);
	if (settings.json)
		print_json(rows, wanted);
	else if (wanted)
		print_table(rows, wanted);
	free(rows);
	if (wanted)
		return STATUS_FINE;
	if (!settings.quiet && !settings.json) {
		complain("there is no such DMA channel");
		advise("'modprobe dmasim' gives simulated ones");
	}
	return STATUS_NO_DEVICE;
}

static int run(int argc, char **argv)
{
	int status = STATUS_FINE;
	struct dmafd_chan_desc *list;
	struct dmafd_ctx *ctx;
	ssize_t count;

	(void)argc;
	(void)argv;
	ctx = open_device(&status);
	if (!ctx)
		return status;
	count = dmafd_chan_list(ctx, &list);
	if (count < 0) {
		status = failed("list of channels");
	} else {
		status = show(list, count);
		dmafd_chan_list_free(list);
	}
	dmafd_close(ctx);
	return status;
}

static const struct tool_option options[] = {
	{ 'C', "can", "CAPS", "only those that can do all of these: copy,fill,..." },
	{ 'f', "free", NULL, "only those that nobody holds" },
	{}
};

const struct command command_list = {
	.name = "list",
	.args = "",
	.summary = "Show the DMA channels, the ports, and who holds them",
	.text = "Channels that the kernel itself holds are not shown. The process that holds a\n"
		"channel is told by debugfs, which is for root; for others it is 'busy'.\n"
		"Without a channel to be shown the exit status is 3.",
	.with = WITH_JSON | WITH_QUIET,
	.options = options,
	.set = set,
	.run = run,
};
