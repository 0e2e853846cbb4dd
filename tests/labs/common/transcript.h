/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs what the README files of the labs show. Whatever fails ends the test. */
#ifndef TRANSCRIPT_H
#define TRANSCRIPT_H

/* That there is no other lab than those that run_lab() knows. */
void expect_no_other_labs(void);

/*
 * Runs the transcripts of the lab with this name, "01-streaming", as its run.sh does
 * with this option, or "". A driver whose node is not in the device tree makes its
 * device.
 */
void run_lab(const char *name, const char *option);

#endif
