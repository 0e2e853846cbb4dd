// SPDX-License-Identifier: GPL-2.0-only
/* dmafd san: finds the DMA bugs of a driver, by the kernel module dmasan. */
#include "san.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

struct san_config san_config;

/* The options that were given. */
static char given[16];

static int no_module(void)
{
	complain("dmasan is not loaded");
	advise("modprobe dmasan");
	return STATUS_NO_DEVICE;
}

static int no_permission(void)
{
	if (geteuid()) {
		complain("no permission on " SAN_ROOT);
		advise("that is for root: sudo dmafd san ...");
	} else {
		complain("the kernel refuses " SAN_ROOT);
		advise("is it locked down, as with secure boot? cat /sys/kernel/security/lockdown");
	}
	return STATUS_NO_DEVICE;
}

int san_ready(void)
{
	if (!access(SAN_ROOT "/devices", R_OK))
		return STATUS_FINE;
	if (errno == EACCES || errno == EPERM)
		return access("/sys/module/dmasan", F_OK) ? no_module() : no_permission();
	if (access("/sys/module/dmasan", F_OK))
		return no_module();
	complain("dmasan is loaded, but there is no " SAN_ROOT);
	advise("is debugfs mounted? mount -t debugfs none /sys/kernel/debug");
	return STATUS_NO_DEVICE;
}

/* ---- the command line ---- */

static int status(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return san_status();
}

static int report(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return san_show_reports();
}

static int watch(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return san_watch();
}

static const struct action {
	const char *name;
	const char *options;		/* those of ours that it has */
	bool has_args;
	int (*run)(int argc, char **argv);
} actions[] = {
	{ "attach", "r", true, san_attach },
	{ "detach", "a", true, san_detach },
	{ "status", "j", false, status },
	{ "watch", "jdknt", false, watch },
	{ "report", "jdkC", false, report },
};

static int set(int letter, const char *value)
{
	if (!strchr(given, letter))
		given[strlen(given)] = letter;
	switch (letter) {
	case 'r':
		san_config.rebind = true;
		return 0;
	case 'a':
		san_config.all = true;
		return 0;
	case 'C':
		san_config.clear = true;
		return 0;
	case 'd':
		san_config.device = san_without_bus(value);
		return 0;
	case 'k':
		return san_parse_kinds(value, &san_config.kinds);
	case 'n':
		return parse_number(value, 1, UINT32_MAX, &san_config.count) ?
		       misused("'%s' is no number of reports", value) : 0;
	}
	return parse_duration(value, &san_config.duration_ms) || !san_config.duration_ms ?
	       misused("'%s' is no duration, such as 10s", value) : 0;
}

static const struct action *find_action(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(actions); i++)
		if (!strcmp(actions[i].name, name))
			return &actions[i];
	return NULL;
}

static int check_line(const struct action *action, int argc, char **argv)
{
	size_t other = strspn(given, action->options);

	if (given[other])
		return misused("'%s' has no option -%c", action->name, given[other]);
	if (settings.json && !strchr(action->options, 'j'))
		return misused("'%s' has no option -j", action->name);
	if (!action->has_args && argc > 1)
		return misused("'%s' is too much", argv[1]);
	if (san_config.all ? argc > 1 : action->has_args && argc < 2)
		return misused(argc > 1 ? "a device or --all, not both" : "BUS:DEVICE is missing");
	return STATUS_FINE;
}

static int run(int argc, char **argv)
{
	const struct action *action = find_action(argv[0]);
	int status;

	if (!action)
		return misused("'%s' is neither attach, detach, status, watch nor report", argv[0]);
	status = check_line(action, argc, argv);
	if (!status)
		status = san_ready();
	return status ? status : action->run(argc - 1, argv + 1);
}

static const struct tool_option options[] = {
	{ 'r', "rebind", NULL, "attach: take the device from its driver, and give it back" },
	{ 'a', "all", NULL, "detach: all devices" },
	{ 'd', "device", "DEVICE", "report, watch: only of this device" },
	{ 'k', "kind", "KINDS", "report, watch: only of these kinds: overrun,leak,..." },
	{ 'C', "clear", NULL, "report: forget what is shown, and all else" },
	{ 'n', "count", "N", "watch: end after so many reports" },
	{ 't', "time", "DURATION", "watch: end after that time" },
	{}
};

const struct command command_san = {
	.name = "san",
	.args = "attach|detach|status|watch|report [BUS:DEVICE]...",
	.summary = "Find the DMA bugs of a driver",
	.text = "The kernel module dmasan watches what the driver of a device does with the DMA\n"
		"API. BUS is pci, platform or amba; DEVICE is its name in /sys/bus/BUS/devices.\n"
		"'report' shows each place where something was found, 'watch' each time.\n"
		"If anything was found the exit status of both is 6.",
	.with = WITH_JSON | WITH_QUIET,
	.min_args = 1,
	.max_args = INT_MAX,
	.options = options,
	.set = set,
	.run = run,
};
