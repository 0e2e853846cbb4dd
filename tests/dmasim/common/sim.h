/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of dmasim share: controllers by configfs, and a client of
 * theirs by /dev/simtest (tests/kmod/simtest/simtest.h tells what it does).
 *
 * Functions of type int return 0, or -1 with errno. Those of type void fail
 * the test and end it when they can't do what they should.
 */
#ifndef SIM_H
#define SIM_H

#include "harness.h"

#include <linux/types.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "simtest.h"

#define SIM_ROOT	"/sys/kernel/config/dmasim"
#define SIM_DEBUG	"/sys/kernel/debug/dmasim"
#define SIM		"test"		/* the controller that most tests have */

/* As in linux/dmaengine.h and linux/dma-direction.h, which programs have not. */
enum { MEM_TO_MEM, MEM_TO_DEV, DEV_TO_MEM, DEV_TO_DEV };
enum { BIDIRECTIONAL, TO_DEVICE, FROM_DEVICE };
enum { IS_COMPLETE, IN_PROGRESS, IS_PAUSED, HAS_ERROR };
enum { NO_ERROR, READ_FAILED, WRITE_FAILED, ABORTED };
enum { BY_DESCRIPTOR, BY_SEGMENT, BY_BURST };
enum { CAP_MEMCPY = 0, CAP_XOR = 1, CAP_MEMSET = 5, CAP_MEMSET_SG = 6, CAP_INTERRUPT = 7,
	CAP_PRIVATE = 8, CAP_SLAVE = 10, CAP_CYCLIC = 11, CAP_INTERLEAVE = 12,
	CAP_REPEAT = 14, CAP_LOAD_EOT = 15 };
#define PREP_FLAGS	3		/* DMA_PREP_INTERRUPT | DMA_CTRL_ACK */

/* A tenth of a second and the like, times what a debug kernel is slower. */
unsigned int sim_ms(unsigned int ms);
uint64_t sim_now_ns(void);
void sim_sleep_ms(unsigned int ms);

/* ---- files ---- */

int sim_put(const char *path, const char *text);
/* What stands in a file, without the last newline; free() it. NULL with errno. */
char *sim_read(const char *path);
/* The number behind "KEY" in a text, or -1. */
long long sim_number(const char *text, const char *key);

/* ---- modules ---- */

bool sim_has_module(const char *name);
/* -1 if modprobe or rmmod said no. */
int sim_modprobe(const char *arguments);
int sim_rmmod(const char *name);

/* ---- controllers ---- */

int sim_set(const char *sim, const char *option, const char *value);
/* An attribute's value; overwritten by the next call. Ends the test if there is none. */
const char *sim_get(const char *sim, const char *option);
int sim_make(const char *sim);
/* Takes it away with its peripherals, however it is. */
int sim_drop(const char *sim);
/* Adds a peripheral with "OPTION=VALUE ..."; ends the test if that does not work. */
void sim_peripheral(const char *sim, const char *name, const char *options);
/* Sets "OPTION=VALUE ...", and makes it live; ends the test otherwise. */
void sim_start(const char *sim, const char *options);
/* The name of its channel with that number; overwritten by the next call. */
const char *sim_channel(const char *sim, unsigned int number);
/* A file in its debugfs folder; free() it. Ends the test if there is none. */
char *sim_debug(const char *sim, const char *file);
/* A number in such a file. */
long long sim_debug_number(const char *sim, const char *file, const char *key);
/* Of all controllers in /sys/class/dma. */
unsigned int sim_count_channels(void);

/* The modules are there without a controller, "test" exists, a session is open. */
void sim_setup(void);
/* Nothing of it is left. */
void sim_teardown(void);

FIXTURE(dmasim) { char unused; };

/* ---- the session ---- */

extern int st_fd;

void st_open(void);
void st_close(void);
int st_request(unsigned int chan, const char *name);
int st_request_as(unsigned int chan, const char *device, const char *name);
int st_chan(unsigned int chan, enum simtest_chan_op op);
void st_caps(unsigned int chan, struct simtest_caps *caps);
int st_config(const struct simtest_config *config);
/* FIFO at an address: both sides, width and burst. */
int st_fifo(unsigned int chan, uint64_t addr, unsigned int width, unsigned int burst);

int st_alloc(unsigned int buf, size_t size);
int st_coherent(unsigned int buf, unsigned int chan, size_t size, uint64_t *addr);
int st_map(unsigned int buf, unsigned int chan, unsigned int dir, size_t off, size_t len,
	   uint64_t *addr);
int st_unmap(unsigned int buf);
int st_sync(unsigned int buf, enum simtest_map_op op, size_t off, size_t len);
void st_write(unsigned int buf, size_t off, const void *data, size_t len);
void st_read(unsigned int buf, size_t off, void *data, size_t len);
/* Different for each seed, and nowhere periodic. */
void st_pattern(void *data, size_t len, unsigned int seed);
void st_fill(unsigned int buf, size_t len, unsigned int seed);
void st_expect(unsigned int buf, size_t len, unsigned int seed);
void st_zero(unsigned int buf, size_t off, size_t len);
/* A buffer with a pattern that is mapped; its address. */
uint64_t st_buffer(unsigned int buf, unsigned int chan, size_t size, unsigned int dir,
		   unsigned int seed);

int st_prep(const struct simtest_prep *prep);
int st_prep_copy(unsigned int tx, unsigned int chan, uint64_t dst, uint64_t src, size_t len);
int st_prep_slave(unsigned int tx, unsigned int chan, unsigned int dir, uint64_t mem,
		  size_t len);
int st_prep_cyclic(unsigned int tx, unsigned int chan, unsigned int dir, uint64_t mem,
		   size_t len, size_t period);
int st_submit(unsigned int tx);
/* Submits and issues. */
int st_go(unsigned int tx, unsigned int chan);
/* Waits for so many callbacks. */
int st_wait(unsigned int tx, unsigned int calls, struct simtest_tx *out);
int st_wait_ms(unsigned int tx, unsigned int calls, unsigned int ms, struct simtest_tx *out);
void st_status(unsigned int tx, struct simtest_tx *out);
/* Runs what is prepared, to its end; it must end so, with this residue. */
void st_run(unsigned int tx, unsigned int chan, unsigned int result, unsigned int left);

#endif
