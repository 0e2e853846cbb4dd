// SPDX-License-Identifier: GPL-2.0-only
/* The board's kernel log: kept, and searched for reports as it comes. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"

#define REPORT_LINES 80

/* How the messages begin that a healthy run does not have. */
static const char *const report_starts[] = {
	"WARNING: ",
	"BUG: ",
	"BUG ",			/* slab: "BUG kmalloc-64 (Tainted: ...)" */
	"kernel BUG at ",
	"Kernel BUG at ",
	"Kernel panic",
	"Oops",
	"Internal error: ",
	"Unable to handle kernel ",
	"general protection fault",
	"divide error: ",
	"invalid opcode: ",
	"list_add corruption",
	"list_del corruption",
	"UBSAN: ",
	"usercopy: ",
	"ODEBUG: ",
	"INFO: task ",
	"INFO: possible ",
	"INFO: trying to register non-static key",
	"INFO: rcu",
	"rcu: INFO: ",
	"watchdog: BUG: ",
	"=====",		/* what stands above lockdep's and KASAN's */
	"------------[ cut here ]",	/* and above a warning's own text */
	"boards: leak: ",
};

int klog_open(struct klog *log, const char *path, const char *token, bool show)
{
	memset(log, 0, sizeof(*log));
	log->report = -1;
	log->token = token;
	log->show = show;
	log->file = fopen(path, "w+e");
	return log->file ? 0 : -1;
}

/* Past "[    1.234567]" and, where the kernel is told to, "[  T12]". */
static const char *message(const char *line)
{
	const char *end;

	while (*line == '[' && (end = strchr(line, ']'))) {
		line = end + 1;
		while (*line == ' ')
			line++;
	}
	return line;
}

static bool is_report(const char *msg)
{
	size_t i;

	for (i = 0; i < sizeof(report_starts) / sizeof(report_starts[0]); i++)
		if (!strncmp(msg, report_starts[i], strlen(report_starts[i])))
			return true;
	return false;
}

static void look_at_line(struct klog *log)
{
	const char *msg;

	log->line[log->len] = '\0';
	msg = message(log->line);
	if (log->report < 0 && is_report(msg))
		log->report = log->line_start;
	if (!strncmp(msg, "Kernel panic", 12))
		log->panicked = true;
	if (strstr(msg, "---[ end Kernel panic") || strstr(msg, "Rebooting in "))
		log->stopped = true;
	if (!strncmp(msg, "boards: ", 8) && !strcmp(msg + 8, log->token))
		log->complete = true;
}

void klog_feed(struct klog *log, const char *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (data[i] == '\r' || data[i] == '\0')
			continue;
		putc(data[i], log->file);
		if (log->show)
			putc(data[i], stderr);
		if (data[i] == '\n') {
			look_at_line(log);
			log->len = 0;
			log->line_start = ftell(log->file);
		} else if (log->len < sizeof(log->line) - 1) {
			log->line[log->len++] = data[i];
		}
	}
	fflush(log->file);
}

void klog_print_report(struct klog *log, FILE *out)
{
	char line[1024];
	int n;

	if (fseek(log->file, log->report, SEEK_SET))
		return;
	for (n = 0; n < REPORT_LINES && fgets(line, sizeof(line), log->file); n++)
		if (!strstr(line, log->token))
			fprintf(out, "  %s", line);
	if (n == REPORT_LINES)
		fprintf(out, "  (and more: see the log)\n");
}

void klog_close(struct klog *log)
{
	fclose(log->file);
}
