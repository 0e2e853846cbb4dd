// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmafd: DMA channels from the command line. The first word is a command; each is
 * described by a struct command, of which its --help is made, too.
 */
#include "common.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const struct command *const commands[] = {
	&command_list, &command_info, &command_copy, &command_fill, &command_test,
	&command_bench, &command_record, &command_play, &command_sim, &command_san, &command_top,
	&command_trace, &command_doctor,
};

/* The common options, and which bit of struct command's "with" asks for each. */
static const struct {
	unsigned int with;
	struct tool_option option;
} common[] = {
	{ WITH_CHANNEL, { 'c', "channel", "NAME", "use this channel, as 'dmafd list' calls it" } },
	{ WITH_JSON, { 'j', "json", NULL, "write JSON to standard output" } },
	{ WITH_QUIET, { 'q', "quiet", NULL, "say nothing but errors" } },
	{ WITH_VERBOSE, { 'v', "verbose", NULL, "say more" } },
	{ 0, { 'h', "help", NULL, "show this text" } },
};

#define MAX_OPTIONS 32

static bool has_common(const struct command *command, size_t i)
{
	return !common[i].with || command->with & common[i].with;
}

/* Its own options, then the common ones. */
static size_t options_of(const struct command *command, const struct tool_option **options)
{
	const struct tool_option *own;
	size_t i, count = 0;

	for (own = command->options; own && own->name; own++)
		options[count++] = own;
	for (i = 0; i < ARRAY_SIZE(common); i++)
		if (has_common(command, i))
			options[count++] = &common[i].option;
	return count;
}

/* ---- help ---- */

static void print_option(const struct tool_option *option)
{
	char text[64];

	snprintf(text, sizeof(text), "-%c, --%s%s%s", option->letter, option->name,
		 option->arg ? " " : "", option->arg ? option->arg : "");
	printf("  %-24s %s\n", text, option->help);
}

static void print_help(const struct command *command)
{
	const struct tool_option *options[MAX_OPTIONS];
	size_t i, count = options_of(command, options);

	printf("Usage: dmafd %s [OPTION]...%s%s\n", command->name, *command->args ? " " : "",
	       command->args);
	printf("%s.\n\n%s\n\nOptions:\n", command->summary, command->text);
	for (i = 0; i < count; i++)
		print_option(options[i]);
}

static void print_main_help(void)
{
	size_t i;

	printf("Usage: dmafd COMMAND [OPTION]... [ARGUMENT]...\n"
	       "Use DMA channels from the command line.\n\n"
	       "Commands:\n");
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-8s %s\n", commands[i]->name, commands[i]->summary);
	printf("\nOptions:\n"
	       "  -h, --help      show this text; behind a command, what it can do\n"
	       "  -V, --version   show the version\n\n"
	       "Exit status:\n"
	       "  0  fine\n"
	       "  1  it failed\n"
	       "  2  wrong command line\n"
	       "  3  no device, no permission, or no channel that is free\n"
	       "  4  data is not what it should be\n"
	       "  5  a stream lost data, or a trace events\n"
	       "  6  the doctor warns, or a driver has a bug\n"
	       "  7  the doctor found that dmafd cannot be used\n\n"
	       "Sizes may end in K, M, G or T (of 1024), durations in ms, s, m or h.\n");
}

/* ---- command line ---- */

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

/* Makes of our options what getopt_long() wants. */
static void make_getopt(const struct command *command, char *letters, struct option *names)
{
	const struct tool_option *options[MAX_OPTIONS];
	size_t i, count = options_of(command, options);

	/* How many colons there are tells errors apart, and keeps getopt() silent. */
	*letters++ = ':';
	for (i = 0; i < count; i++) {
		names[i] = (struct option){
			.name = options[i]->name, .val = options[i]->letter,
			.has_arg = options[i]->arg ? required_argument : no_argument,
		};
		*letters++ = options[i]->letter;
		if (options[i]->arg)
			*letters++ = ':';
	}
	names[count] = (struct option){};
	*letters = '\0';
}

/* Returns STATUS_FINE, STATUS_USAGE, or -1 if the command has to end well now. */
static int take_option(const struct command *command, int letter, char **argv)
{
	switch (letter) {
	case 'h':
		print_help(command);
		return -1;
	case ':':
		return misused("option '%s' needs a value", argv[optind - 1]);
	case '?':
		return misused("unknown option '%s'", argv[optind - 1]);
	case 'c':
		settings.channel = optarg;
		return STATUS_FINE;
	case 'j':
		settings.json = true;
		return STATUS_FINE;
	case 'q':
		settings.quiet = true;
		return STATUS_FINE;
	case 'v':
		settings.verbose++;
		return STATUS_FINE;
	}
	return command->set(letter, optarg) ? STATUS_USAGE : STATUS_FINE;
}

static int parse_options(const struct command *command, int argc, char **argv)
{
	char letters[2 * MAX_OPTIONS + 2];
	struct option names[MAX_OPTIONS + 1];
	int letter, status;

	make_getopt(command, letters, names);
	while ((letter = getopt_long(argc, argv, letters, names, NULL)) != -1) {
		status = take_option(command, letter, argv);
		if (status)
			return status;
	}
	return STATUS_FINE;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	int status, output;

	settings.command = command->name;
	status = parse_options(command, argc, argv);
	if (status)
		return status < 0 ? finish_output() : status;
	argc -= optind;
	argv += optind;
	if (argc < command->min_args)
		return misused("%s is missing", argc ? "an argument" : command->args);
	if (argc > command->max_args)
		return misused("'%s' is too much", argv[command->max_args]);
	status = command->run(argc, argv);
	output = finish_output();
	return status ? status : output;
}

int main(int argc, char **argv)
{
	const struct command *command;
	const char *first = argc > 1 ? argv[1] : "";

	if (!strcmp(first, "--version") || !strcmp(first, "-V")) {
		printf("dmafd %s\n", dmafd_version());
		return finish_output();
	}
	if (!strcmp(first, "--help") || !strcmp(first, "-h") || !strcmp(first, "help")) {
		command = argc > 2 ? find_command(argv[2]) : NULL;
		if (command)
			print_help(command);
		else
			print_main_help();
		return finish_output();
	}
	if (argc < 2)
		return misused("what to do?");
	command = find_command(first);
	if (!command)
		return misused("there is no command '%s'", first);
	return run_command(command, argc - 1, argv + 1);
}
