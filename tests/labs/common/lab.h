/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of all labs share. Paths are relative to the board's working
 * directory. Whatever fails in here ends the test.
 */
#ifndef LAB_H
#define LAB_H

#include "harness.h"

struct lab {
	const char *file;	/* the module's */
	const char *module;	/* its name in the kernel */
	const char *driver;	/* its platform driver's */
	const char *device;	/* the device node's path */
};

/*
 * To be called first. On a board without a DMA controller it loads dmasim; where
 * there is none even so, it skips the test, and fails it on the boards that are
 * known to have one. Removes the module if an earlier test, which failed, has
 * left it.
 */
void lab_start(const struct lab *lab);

/*
 * Loads the module, which makes a device where the device tree has none, with
 * more parameters or "", and waits until the device node is there.
 */
void lab_load(const struct lab *lab, const char *parameters);

/* The same without the wait: the device may not come. */
void lab_insert(const struct lab *lab, const char *parameters);
void lab_wait_for_device(const struct lab *lab);

/* Removes the module; it must be there, and be unused. */
void lab_unload(const struct lab *lab);

/* The same, if it is there, whatever may be wrong; for teardowns. */
void lab_clean_up(const struct lab *lab);

/* Asks the kernel to remove the module: 0, or -1 and errno. */
int lab_try_remove(const struct lab *lab);

int lab_references(const struct lab *lab);

/* How many DMA channels somebody holds, counted once for each holder. */
int lab_channels_in_use(void);

/* Takes the driver from its device, or brings the two together again. */
void lab_unbind(const struct lab *lab);
void lab_bind(const struct lab *lab);

/*
 * The same with the driver of the DMA controller that the lab uses, or that was
 * unbound last. Skips the test if others use the controller, too.
 */
void lab_unbind_controller(const struct lab *lab);
void lab_bind_controller(void);

/*
 * Makes a simulated controller the only one, with these of dmasim's options, as
 * "view=iommu align=4"; the module of the lab must not be there. Skips the test
 * on a board that has a controller of its own.
 */
void lab_simulate(const char *options);

/* Gives that controller an error to make, as "hang nth=2". */
void lab_inject(const char *rule);

/* Asks it to end: 0, or -1 and errno. */
int lab_try_stop_sim(void);

/* The number behind "KEY:" in one of its files in debugfs, or -1. */
long lab_sim_number(const char *file, const char *key);

/* Opens the device node, O_CLOEXEC. */
int lab_open(const struct lab *lab, int flags);

/*
 * Whether a line that holds this text came into the kernel log since
 * lab_log_mark().
 */
void lab_log_mark(void);
bool lab_logged(const char *text);

/*
 * Whether what the drivers log goes to the console, which is a slow one.
 * Warnings always do. The teardown of a test that turned it off turns it on.
 */
void lab_console(bool on);

#endif
