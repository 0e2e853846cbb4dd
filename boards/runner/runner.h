/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of board-runner, the program that watches over one QEMU. */
#ifndef RUNNER_H
#define RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* Exit statuses besides the command's own. */
enum {
	EXIT_REPORT = 120,	/* the kernel reported something, or leaked */
	EXIT_TIMEOUT = 124,
	EXIT_NO_BOOT = 125,
};

/*
 * klog: the board's kernel log. Every byte is kept in a file; lines are
 * looked at as they come, for reports and for the end of the kernel.
 */
struct klog {
	FILE *file;
	bool show;		/* copy to stderr as it comes */
	char line[1024];	/* the line that is not complete yet */
	size_t len;
	long line_start;	/* its offset in the file */
	long before_start;	/* that of the line before it */
	long report;		/* offset of the first report; -1: none */
	bool panicked;		/* the kernel is about to stop, or has */
	bool stopped;
	const char *token;	/* of the session; init logs it at the end */
	bool complete;		/* it did: nothing more is to come */
};

int klog_open(struct klog *log, const char *path, const char *token, bool show);
void klog_feed(struct klog *log, const char *data, size_t len);

/* Prints the first report and what follows it, up to a screen or two. */
void klog_print_report(struct klog *log, FILE *out);
void klog_close(struct klog *log);

/*
 * control: the stream on which the command's output and init's messages come
 * together. Output is passed on; messages change the state.
 */
struct control {
	int out;		/* where output goes */
	char mark[80];		/* what begins a message: NUL, token, blank */
	size_t mark_len;
	char held[256];		/* bytes that may be (part of) a message */
	size_t held_len;
	bool ready;		/* the command was started */
	bool done;		/* it ended, and the board was looked over */
	int status;
};

void control_init(struct control *ctl, const char *token, int out);
void control_feed(struct control *ctl, const char *data, size_t len);

/* Passes on what was held back; for when nothing more comes. */
void control_flush(struct control *ctl);

/* Writes all, or fails with -1 and errno. */
int write_all(int fd, const char *data, size_t len);

#endif
