/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A simulated controller with devices at its request lines, and ports to them.
 * Functions of type void fail the test and end it when they can't do what they
 * should.
 */
#ifndef BENCH_H
#define BENCH_H

#include "uapi.h"

#define BENCH	"/sys/kernel/config/dmasim/bench"
#define PORTS	"/sys/kernel/config/dmafd"

/* The register of the device on a line. */
#define REGISTER(line)	(0xd0000000ULL + (line) * 0x1000)

struct bench {
	int ctx;
	int chan[8];		/* those that are open, by bench_open() */
	unsigned int chans;
	char dma[32];		/* "dma0" */
	char device[64];
};

/*
 * What it has: the devices "loop" on line 1, "source" on 2, and "sink" on 3, each
 * "OPTION=VALUE ..." or NULL; ports "loop:tx", "loop:rx", "source" and "sink" with a
 * width of @width, whose channels the slave map has.
 */
struct bench_plan {
	const char *view, *options;
	const char *loop, *source, *sink;
	unsigned int width, burst;
};

void bench_up(struct bench *bench, const struct bench_plan *plan);
/* Takes all away, however it is; nothing is pinned any more. */
void bench_down(struct bench *bench);
/* Opens a channel, which is closed at the end if it was not before. */
int bench_open(struct bench *bench, const char *name);
void bench_close(struct bench *bench, int chan);
/* Takes the controller away, whoever has a channel of it. */
void bench_remove_controller(void);
/* The number behind a word in the line of a device. */
long long device_number(const struct bench *bench, const char *device, const char *key);

void port_make(const char *name);
int port_set(const char *name, const char *attribute, const char *value);
/* What stands there, without the newline; overwritten by the next call. */
const char *port_get(const char *name, const char *attribute);
/* Makes one, sets all, and makes it live. */
void port_up(const char *name, const char *channel, const char *direction, uint64_t address,
	     unsigned int width, unsigned int burst);
int port_remove(const char *name);

void chan_info(int chan, struct dmafd_chan_info *info);
void status_of(int chan, struct dmafd_status *status);
int pause_chan(int chan, unsigned int flags);
uint64_t now_ns(void);

#endif
