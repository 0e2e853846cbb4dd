// SPDX-License-Identifier: GPL-2.0-only
/* Writes JSON, well formed as long as what is begun is ended. */
#include "common.h"

#include <inttypes.h>
#include <math.h>

#define MAX_DEPTH 8

static char closing[MAX_DEPTH];
static bool filled[MAX_DEPTH];
static int depth;

/* Where it goes, and how many levels get lines of their own. */
static FILE *output;
static int lines = MAX_DEPTH;

void json_to(FILE *file, int deep)
{
	output = file;
	lines = file ? deep : MAX_DEPTH;
}

static FILE *out(void)
{
	return output ? output : stdout;
}

/*
 * The length of the UTF-8 character that starts here, or 0 if that is none: names of files can be
 * anything.
 */
static int utf8_length(const unsigned char *text)
{
	int length = text[0] < 0x80 ? 1 : text[0] < 0xc2 ? 0 : text[0] < 0xe0 ? 2 :
		     text[0] < 0xf0 ? 3 : text[0] < 0xf5 ? 4 : 0;
	int i;

	for (i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
	    (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
		return 0;
	return length;
}

static void write_string(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	int length;

	putc('"', out());
	for (; *at; at += length ? length : 1) {
		length = utf8_length(at);
		if (!length)
			fputs("\\ufffd", out());
		else if (*at == '"' || *at == '\\')
			fprintf(out(), "\\%c", *at);
		else if (*at < 0x20)
			fprintf(out(), "\\u%04x", *at);
		else
			fwrite(at, 1, length, out());
	}
	putc('"', out());
}

/* What stands before each value. */
static void begin_value(const char *key)
{
	if (depth) {
		if (filled[depth - 1])
			putc(',', out());
		filled[depth - 1] = true;
		if (depth <= lines)
			fprintf(out(), "\n%*s", depth * 2, "");
	}
	if (key) {
		write_string(key);
		fputs(": ", out());
	}
}

void json_begin(const char *key, char bracket)
{
	begin_value(key);
	putc(bracket, out());
	closing[depth] = bracket == '{' ? '}' : ']';
	filled[depth] = false;
	depth++;
}

void json_end(void)
{
	depth--;
	if (filled[depth] && depth < lines)
		fprintf(out(), "\n%*s", depth * 2, "");
	putc(closing[depth], out());
	if (!depth)
		putc('\n', out());
}

void json_text(const char *key, const char *value)
{
	begin_value(key);
	write_string(value);
}

void json_number(const char *key, int64_t value)
{
	begin_value(key);
	fprintf(out(), "%" PRId64, value);
}

void json_unsigned(const char *key, uint64_t value)
{
	begin_value(key);
	fprintf(out(), "%" PRIu64, value);
}

/* JSON has no word for what is no number. */
void json_real(const char *key, double value)
{
	begin_value(key);
	if (isfinite(value))
		fprintf(out(), "%.6g", value);
	else
		fputs("null", out());
}

void json_bool(const char *key, bool value)
{
	begin_value(key);
	fputs(value ? "true" : "false", out());
}

void json_null(const char *key)
{
	begin_value(key);
	fputs("null", out());
}
