// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmafd doctor: looks at everything that DMA depends on, and says what it means. The
 * checks are in doctor_*.c; here their findings are collected and shown.
 */
#include "doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FACTS 10

struct fact {
	const char *key;
	bool is_number;
	uint64_t number;
	char *text;
};

struct finding {
	enum verdict verdict;
	const char *check;
	char *subject, *text, *hint;	/* NULL: none */
	bool detail;
	size_t facts;
	struct fact fact[MAX_FACTS];
};

static struct finding *findings;
static size_t findings_count;

static const char *const verdict_names[] = { "ok", "note", "warn", "bad" };

/* ---- collecting ---- */

/* Nothing useful can be done without memory for a line of text. */
static void *need(void *memory)
{
	if (memory)
		return memory;
	failed("findings");
	exit(STATUS_FAILED);
}

static char *make_text(const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	return need(text);
}

static struct finding *latest(void)
{
	return &findings[findings_count - 1];
}

void found(enum verdict verdict, const char *check, const char *subject, const char *format, ...)
{
	va_list args;

	findings = need(realloc(findings, (findings_count + 1) * sizeof(*findings)));
	findings_count++;
	*latest() = (struct finding){ .verdict = verdict, .check = check };
	if (subject)
		latest()->subject = need(strdup(subject));
	va_start(args, format);
	latest()->text = make_text(format, args);
	va_end(args);
}

void hint(const char *format, ...)
{
	va_list args;

	free(latest()->hint);
	va_start(args, format);
	latest()->hint = make_text(format, args);
	va_end(args);
}

void is_detail(void)
{
	latest()->detail = true;
}

static struct fact *new_fact(const char *key)
{
	struct finding *finding = latest();

	if (finding->facts == MAX_FACTS)
		abort();
	finding->fact[finding->facts].key = key;
	return &finding->fact[finding->facts++];
}

void fact_number(const char *key, uint64_t value)
{
	struct fact *fact = new_fact(key);

	fact->is_number = true;
	fact->number = value;
}

void fact_text(const char *key, const char *value)
{
	new_fact(key)->text = need(strdup(value));
}

/* ---- what could not be read ---- */

static bool is_mounted(const char *type)
{
	char *mounts = system_text("/proc/mounts"), wanted[64];
	bool is;

	snprintf(wanted, sizeof(wanted), " %s ", type);
	is = !mounts || strstr(mounts, wanted);
	free(mounts);
	return is;
}

void not_known(const char *check, const char *path)
{
	const char *reason = strerror(errno);
	bool forbidden = errno == EACCES || errno == EPERM;

	found(VERDICT_NOTE, check, NULL, "not known: %s: %s", path, reason);
	fact_text("unread", path);
	fact_text("reason", reason);
	if (forbidden)
		hint("root may read it: sudo dmafd doctor");
	else if (!strncmp(path, "/sys/kernel/debug", 17) && !is_mounted("debugfs"))
		hint("mount -t debugfs none /sys/kernel/debug");
	else
		hint("this kernel was built without it");
}

bool has_capability(unsigned int bit)
{
	char *status = system_text("/proc/self/status"), *line;
	uint64_t bits = 0;

	line = status ? strstr(status, "\nCapEff:") : NULL;
	if (line)
		bits = strtoull(line + strlen("\nCapEff:"), NULL, 16);
	free(status);
	return bits >> bit & 1;
}

/* ---- showing ---- */

static bool is_shown(const struct finding *finding)
{
	if (settings.quiet && finding->verdict < VERDICT_WARN)
		return false;
	return settings.verbose || !finding->detail || finding->verdict >= VERDICT_WARN;
}

static void name_of(const struct finding *finding, char *name, size_t size)
{
	snprintf(name, size, "%s%s%s", finding->check, finding->subject ? " " : "",
		 finding->subject ? finding->subject : "");
}

static void print_findings(void)
{
	char name[128];
	int width = 0;
	size_t i;

	for (i = 0; i < findings_count; i++) {
		name_of(&findings[i], name, sizeof(name));
		if (is_shown(&findings[i]) && (int)strlen(name) > width)
			width = strlen(name);
	}
	for (i = 0; i < findings_count; i++) {
		if (!is_shown(&findings[i]))
			continue;
		name_of(&findings[i], name, sizeof(name));
		printf("%-4s  %-*s  %s\n", verdict_names[findings[i].verdict], width, name,
		       findings[i].text);
		if (findings[i].hint)
			printf("%*s    %s\n", width + 6, "", findings[i].hint);
	}
}

static void print_counts(const size_t *counts)
{
	printf("%zu bad, %zu warn, %zu note, %zu ok\n", counts[VERDICT_BAD],
	       counts[VERDICT_WARN], counts[VERDICT_NOTE], counts[VERDICT_OK]);
}

static void json_facts(const struct finding *finding)
{
	const struct fact *fact = finding->fact;

	json_begin("facts", '{');
	for (; fact < finding->fact + finding->facts; fact++) {
		if (fact->is_number)
			json_unsigned(fact->key, fact->number);
		else
			json_text(fact->key, fact->text);
	}
	json_end();
}

static void json_text_or_null(const char *key, const char *text)
{
	if (text)
		json_text(key, text);
	else
		json_null(key);
}

static void json_finding(const struct finding *finding)
{
	json_begin(NULL, '{');
	json_text("check", finding->check);
	json_text_or_null("subject", finding->subject);
	json_text("verdict", verdict_names[finding->verdict]);
	json_text("text", finding->text);
	json_text_or_null("hint", finding->hint);
	json_facts(finding);
	json_end();
}

static void print_json(enum verdict worst, const size_t *counts)
{
	char release[128];
	size_t i;

	system_line(release, sizeof(release), "/proc/sys/kernel/osrelease");
	json_begin(NULL, '{');
	json_text("kernel", release);
	json_text("verdict", verdict_names[worst]);
	json_begin("counts", '{');
	for (i = 0; i < ARRAY_SIZE(verdict_names); i++)
		json_unsigned(verdict_names[i], counts[i]);
	json_end();
	json_begin("findings", '[');
	for (i = 0; i < findings_count; i++)
		json_finding(&findings[i]);
	json_end();
	json_end();
}

static enum verdict count_verdicts(size_t *counts)
{
	enum verdict worst = VERDICT_OK;
	size_t i;

	for (i = 0; i < findings_count; i++) {
		counts[findings[i].verdict]++;
		if (findings[i].verdict > worst)
			worst = findings[i].verdict;
	}
	return worst;
}

static int run(int argc, char **argv)
{
	size_t counts[ARRAY_SIZE(verdict_names)] = {};
	enum verdict worst;

	(void)argc;
	(void)argv;
	check_setup();
	check_channels();
	check_memory();
	check_devices();
	check_log();
	worst = count_verdicts(counts);
	if (settings.json) {
		print_json(worst, counts);
	} else {
		print_findings();
		if (!settings.quiet)
			print_counts(counts);
	}
	return worst == VERDICT_BAD ? STATUS_BAD : worst == VERDICT_WARN ? STATUS_FOUND :
	       STATUS_FINE;
}

const struct command command_doctor = {
	.name = "doctor",
	.args = "",
	.summary = "Look at what DMA depends on, and say what is wrong",
	.text = "Each line has a verdict: ok, note (worth knowing), warn (something went wrong,\n"
		"or will) or bad (dmafd cannot be used), and below it what to do. What is for\n"
		"root is noted as not known. The exit status is 6 after a warning, and 7 if anything\n"
		"is bad.",
	.with = WITH_JSON | WITH_QUIET | WITH_VERBOSE,
	.run = run,
};
