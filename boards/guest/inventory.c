// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a command leaves behind on the board: modules, DMA mappings, memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

#define DMA_ENTRIES "/sys/kernel/debug/dma-api/num_free_entries"
#define CONFIGFS "/sys/kernel/config"
#define KMEMLEAK "/sys/kernel/debug/kmemleak"

/* kmemleak reports what it found orphaned in two scans, and only objects that
 * are older than this many seconds.
 */
#define KMEMLEAK_AGE 5

/* A module's users and its mappings may go a moment later than they should (RCU,
 * workqueues).
 */
#define SETTLE_TRIES 40
#define SETTLE_US 50000

struct module {
	char name[MODULE_NAME];
	int ours;	/* not built with the kernel */
};

/* Newest first, which is the order in which they can be removed. */
static int list_modules(struct module *mod, int max)
{
	char line[512], taint[64];
	FILE *f = fopen("/proc/modules", "re");
	int n = 0;

	if (!f)
		return 0;
	while (n < max && fgets(line, sizeof(line), f)) {
		taint[0] = '\0';
		if (sscanf(line, "%63s %*s %*s %*s %*s %*s %63s", mod[n].name, taint) < 1)
			continue;
		mod[n++].ours = !!strchr(taint, 'O');
	}
	fclose(f);
	return n;
}

static long free_dma_entries(void)
{
	char buf[32];

	if (read_file(DMA_ENTRIES, buf, sizeof(buf)) <= 0)
		return -1;
	return strtol(buf, NULL, 10);
}

void take_inventory(struct inventory *inv)
{
	struct module mod[MAX_MODULES];
	int i;

	inv->nr_modules = list_modules(mod, MAX_MODULES);
	for (i = 0; i < inv->nr_modules; i++)
		memcpy(inv->modules[i], mod[i].name, MODULE_NAME);
	inv->dma_entries = free_dma_entries();
}

static int was_there(const struct inventory *inv, const char *name)
{
	int i;

	for (i = 0; i < inv->nr_modules; i++)
		if (!strcmp(inv->modules[i], name))
			return 1;
	return 0;
}

static int remove_link(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type == FTW_SL)
		unlink(path);
	return 0;
}

static int remove_folder(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	if (type == FTW_DP && ftw->level > 0)
		rmdir(path);
	return 0;
}

/* What was made in configfs holds the module that made it. Folders that are the
 * module's own refuse to go, and need not.
 */
static void empty_configfs(void)
{
	nftw(CONFIGFS, remove_link, 16, FTW_PHYS);
	nftw(CONFIGFS, remove_folder, 16, FTW_PHYS | FTW_DEPTH);
}

/* One pass over the new modules; how many could be removed. */
static int remove_new_modules(const struct inventory *before)
{
	struct module mod[MAX_MODULES];
	int n = list_modules(mod, MAX_MODULES);
	int i, removed = 0;

	for (i = 0; i < n; i++)
		if (!was_there(before, mod[i].name) &&
		    !syscall(SYS_delete_module, mod[i].name, O_NONBLOCK))
			removed++;
	return removed;
}

/* Calls a function for each module of ours that is still there; how many are. */
static int visit_left(const struct inventory *before, void (*call)(const char *name))
{
	struct module mod[MAX_MODULES];
	int n = list_modules(mod, MAX_MODULES);
	int i, left = 0;

	for (i = 0; i < n; i++) {
		if (!mod[i].ours || was_there(before, mod[i].name))
			continue;
		left++;
		if (call)
			call(mod[i].name);
	}
	return left;
}

static void report_module(const char *name)
{
	klog("<3>boards: leak: module %s cannot be removed\n", name);
}

/* The kernel's own modules may stay (a driver that can't be unloaded is no
 * fault of the command's); one that was built outside must go. Whoever was just
 * killed may hold it for a moment yet.
 */
static void check_modules(const struct inventory *before)
{
	int i;

	empty_configfs();
	for (i = 0; i < SETTLE_TRIES; i++) {
		while (remove_new_modules(before))
			;
		if (!visit_left(before, NULL))
			return;
		usleep(SETTLE_US);
	}
	visit_left(before, report_module);
}

/* A kernel module of Debian's that had to stay may hold mappings by right. */
static int stock_module_stayed(const struct inventory *before)
{
	struct module mod[MAX_MODULES];
	int n = list_modules(mod, MAX_MODULES);
	int i;

	for (i = 0; i < n; i++)
		if (!mod[i].ours && !was_there(before, mod[i].name))
			return 1;
	return 0;
}

static void check_dma(const struct inventory *before)
{
	long now = -1;
	int i;

	if (before->dma_entries < 0 || stock_module_stayed(before))
		return;
	for (i = 0; i < SETTLE_TRIES; i++) {
		now = free_dma_entries();
		if (now >= before->dma_entries)
			return;
		usleep(SETTLE_US);
	}
	klog("<3>boards: leak: %ld DMA mappings are left\n", before->dma_entries - now);
}

static void log_lines(const char *text)
{
	const char *end;

	for (; *text; text = *end ? end + 1 : end) {
		end = text + strcspn(text, "\n");
		klog("<3>boards: leak: %.*s\n", (int)(end - text), text);
	}
}

static void check_memory(void)
{
	static char found[32768];

	if (access(KMEMLEAK, W_OK))
		return;
	if (write_file(KMEMLEAK, "scan")) {
		klog("<4>boards: kmemleak does not scan: %s\n", strerror(errno));
		return;
	}
	sleep(KMEMLEAK_AGE);
	write_file(KMEMLEAK, "scan");
	if (read_file(KMEMLEAK, found, sizeof(found)) > 0)
		log_lines(found);
}

void check_inventory(const struct inventory *before)
{
	check_modules(before);
	check_dma(before);
	check_memory();
}
