// SPDX-License-Identifier: GPL-2.0-only
#include "common.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct settings settings;

/* ---- saying things ---- */

static void say_name(void)
{
	fflush(stdout);
	if (settings.command)
		fprintf(stderr, "dmafd %s: ", settings.command);
	else
		fputs("dmafd: ", stderr);
}

int failed(const char *format, ...)
{
	int error = errno;
	va_list args;

	say_name();
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, ": %s\n", strerror(error));
	errno = error;
	return STATUS_FAILED;
}

int misused(const char *format, ...)
{
	va_list args;

	say_name();
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, " (dmafd%s%s --help tells more)\n", settings.command ? " " : "",
		settings.command ? settings.command : "");
	return STATUS_USAGE;
}

void complain(const char *format, ...)
{
	va_list args;

	say_name();
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void advise(const char *format, ...)
{
	va_list args;

	fputs("  ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

int finish_output(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return STATUS_FINE;
	/* Whoever reads has gone away on purpose. */
	if (errno == EPIPE)
		return STATUS_FAILED;
	return failed("standard output");
}

/* ---- reading values ---- */

/* What a letter multiplies by, and how many characters the whole unit has. */
static int size_unit(const char *text, unsigned int *shift)
{
	static const char letters[] = "KMGT";
	const char *letter = *text ? strchr(letters, *text & ~0x20) : NULL;

	*shift = 0;
	if (!letter)
		return 0;
	*shift = 10 * (letter - letters + 1);
	return !strcmp(text + 1, "iB") ? 3 : !strcmp(text + 1, "B") ? 2 : 1;
}

/* A number that begins with a digit: strtoull() takes blanks and signs. */
static int parse_digits(const char *text, char **end, uint64_t *number)
{
	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	*number = strtoull(text, end, 10);
	return errno ? -1 : 0;
}

int parse_size(const char *text, uint64_t *size)
{
	unsigned int shift;
	uint64_t number;
	char *end;

	if (parse_digits(text, &end, &number))
		return -1;
	end += size_unit(end, &shift);
	if (*end || number > (uint64_t)INT64_MAX >> shift)
		return -1;
	*size = number << shift;
	return 0;
}

int parse_duration(const char *text, uint64_t *ms)
{
	static const struct { const char *name; uint64_t ms; } units[] = {
		{ "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
	};
	uint64_t number;
	char *end;
	size_t i;

	if (parse_digits(text, &end, &number))
		return -1;
	for (i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].name))
			continue;
		/* Nobody waits longer, and what is made of it fits everywhere. */
		if (number > INT32_MAX / units[i].ms)
			return -1;
		*ms = number * units[i].ms;
		return 0;
	}
	return -1;
}

int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	*number = strtoull(text, &end, 0);
	return errno || *end || *number < min || *number > max ? -1 : 0;
}

static const char unit_letters[] = "KMGTPE";

const char *human(uint64_t bytes)
{
	static char places[4][16];
	static unsigned int next;
	char *place = places[next++ % ARRAY_SIZE(places)];
	double value = bytes;
	int unit = -1;

	for (; value >= 1023.95; unit++)
		value /= 1024;
	if (unit < 0)
		snprintf(place, sizeof(*places), "%u B", (unsigned int)bytes);
	else
		snprintf(place, sizeof(*places), "%.1f %ciB", value, unit_letters[unit]);
	return place;
}

const char *short_size(uint64_t bytes)
{
	static char places[4][24];
	static unsigned int next;
	char *place = places[next++ % ARRAY_SIZE(places)];
	int unit = -1;

	for (; bytes && !(bytes % 1024); unit++)
		bytes /= 1024;
	if (unit < 0)
		snprintf(place, sizeof(*places), "%llu", (unsigned long long)bytes);
	else
		snprintf(place, sizeof(*places), "%llu%c", (unsigned long long)bytes,
			 unit_letters[unit]);
	return place;
}

void make_plain(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

/* ---- time and signals ---- */

uint64_t clock_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

static volatile sig_atomic_t stop_signal;

static void on_stop(int signal)
{
	stop_signal = signal;
}

/* Without SA_RESTART: what waits comes back. */
void catch_stop(void)
{
	struct sigaction action = { .sa_handler = on_stop };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

bool stop_requested(void)
{
	return stop_signal;
}

void die_of_stop(void)
{
	fflush(NULL);
	signal(stop_signal, SIG_DFL);
	raise(stop_signal);
	_exit(STATUS_FAILED);
}
