/* SPDX-License-Identifier: GPL-2.0-only */
/* What the checks of "dmafd doctor" share: each adds findings to one list. */
#ifndef TOOLS_DOCTOR_H
#define TOOLS_DOCTOR_H

#include "common.h"
#include "system.h"

enum verdict {
	VERDICT_OK,
	VERDICT_NOTE,		/* worth knowing */
	VERDICT_WARN,		/* something went wrong, or will */
	VERDICT_BAD,		/* dmafd cannot be used */
};

/*
 * Begins a finding; what is called below adds to the latest one.
 *
 * @check: what was looked at, in a word or two
 * @subject: which of several, or NULL
 */
void found(enum verdict verdict, const char *check, const char *subject, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* What to do about it, or what it means. */
void hint(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* It is shown by --verbose and --json only. */
void is_detail(void);
/* For --json. */
void fact_number(const char *key, uint64_t value);
void fact_text(const char *key, const char *value);

/*
 * A note that something cannot be told, as the file could not be read.
 *
 * @path: without DMAFD_ROOT; errno tells why
 */
void not_known(const char *check, const char *path);

/* A bit of the effective capabilities of the caller, such as CAP_IPC_LOCK's 14. */
bool has_capability(unsigned int bit);
/* Where the memory that the kernel manages ends, or 0 if that is not known. */
uint64_t memory_end(void);

/* ---- the checks ---- */

/* What must be there to use dmafd. */
void check_setup(void);
void check_channels(void);
void check_memory(void);
void check_devices(void);
void check_log(void);

#endif
