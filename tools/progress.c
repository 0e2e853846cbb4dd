// SPDX-License-Identifier: GPL-2.0-only
#include "common.h"

#include <string.h>
#include <unistd.h>

#define BAR_WIDTH	24
#define INTERVAL_NS	100000000

void progress_begin(struct progress *progress, uint64_t total)
{
	*progress = (struct progress){
		.total = total, .started = clock_ns(),
		.on = !settings.quiet && isatty(STDERR_FILENO),
	};
	/* What is over at once shows nothing. */
	progress->shown = progress->started;
}

static void show_bar(uint64_t done, uint64_t total)
{
	int filled = total ? (double)done / total * BAR_WIDTH : 0;
	char bar[BAR_WIDTH + 1];

	memset(bar, ' ', BAR_WIDTH);
	memset(bar, '#', filled < BAR_WIDTH ? filled : BAR_WIDTH);
	bar[BAR_WIDTH] = '\0';
	fprintf(stderr, "[%s] %3d %%  ", bar, total ? (int)(100.0 * done / total) : 0);
}

void progress_show(struct progress *progress, uint64_t done)
{
	uint64_t now = clock_ns();
	double seconds = (now - progress->started) / 1e9;

	if (!progress->on || now - progress->shown < INTERVAL_NS)
		return;
	progress->shown = now;
	progress->visible = true;
	fputc('\r', stderr);
	if (progress->total)
		show_bar(done, progress->total);
	fprintf(stderr, "%s  %s/s\033[K", human(done), human(seconds > 0 ? done / seconds : 0));
	fflush(stderr);
}

/* Leaves an empty line for what comes. */
void progress_end(struct progress *progress)
{
	if (progress->visible)
		fputs("\r\033[K", stderr);
	progress->visible = false;
	progress->on = false;
}
