/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of dmafd share: a controller to work with, and what to ask of
 * it. On raspi3b and smdkc210 that is the board's own; elsewhere it is a simulated
 * one.
 *
 * Functions of type int return what the system call does. Those of type void fail
 * the test and end it when they can't do what they should.
 */
#ifndef UAPI_H
#define UAPI_H

#include "harness.h"

#include <linux/dmafd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

/* A context and a channel. */
struct rig {
	int ctx, chan;
	unsigned int step;	/* lengths and addresses must be multiples of this */
	bool real;		/* the controller is no simulated one */
	char name[DMAFD_NAME_MAX];
};

/* @view: the simulated controller's; on a board with a real one all but "flat" skip. */
void rig_up(struct rig *rig, const char *view, const char *options);
/* Nothing is pinned any more afterwards. */
void rig_down(struct rig *rig);
/* Only a simulated controller does what the test is about. */
void need_sim(const struct rig *rig);
void put_text(const char *path, const char *text);
/* Writes to a file of the simulated controller's configfs folder. */
void sim_set(const char *file, const char *text);
int sim_remove(void);
/*
 * Takes a channel of a real controller that no other driver uses, so that its own can
 * be unbound; skips if there is none. Returns that driver's folder, to be freed.
 */
char *take_lone(struct rig *rig);

/* A tenth of a second and the like, times what a debug kernel is slower. */
unsigned int slow_ms(unsigned int ms);
void sleep_ms(unsigned int ms);
void send_fd(int socket, int fd);
int receive_fd(int socket);
/* Pages that are pinned now, on the whole machine. For root. */
long pins(void);
/* A number behind KEY in a file, or -1. */
long number_in(const char *path, const char *key);

int ctx_open(void);
int chan_open(int ctx, const char *name, unsigned int caps, unsigned int depth);
/* The buffer's number, or -1. */
int reg(int ctx, const void *ptr, size_t len, unsigned int access);
int unreg(int ctx, unsigned int buf);
/* Allocates memory: the buffer's number, or -1. The dma-buf goes to *fd. */
int alloc(int ctx, size_t len, unsigned int flags, int *fd);
/* The buffer's number, or -1. */
int import(int ctx, int fd, unsigned int flags);
/* Maps a dma-buf. */
unsigned char *map_fd(int fd, size_t len);
/* DMA_BUF_IOCTL_SYNC, for reading and writing. */
void begin_access(int fd);
void end_access(int fd);
/* Page-aligned memory with a pattern; it is never freed. */
unsigned char *memory(size_t len, unsigned int seed);
void pattern(unsigned char *ptr, size_t len, unsigned int seed);

struct dmafd_op copy_op(unsigned int dst, size_t dst_at, unsigned int src, size_t src_at,
			size_t len);
struct dmafd_op fill_op(unsigned int dst, size_t at, size_t len, unsigned int value);
struct dmafd_op nop_op(unsigned int flags);
/* Returns how many were submitted, or -1. */
int submit(int chan, const struct dmafd_op *ops, unsigned int count);
/* Submits one and waits; the completion must be its. */
void run(int chan, const struct dmafd_op *op, struct dmafd_completion *completion);
/* The same; it must end well, with all bytes moved. */
void run_well(int chan, const struct dmafd_op *op);
int submit_error(int chan, const struct dmafd_op *op);
/* Reads so many completions, however long it takes. */
void take(int chan, struct dmafd_completion *completions, unsigned int count);
int cancel(int chan, unsigned int *canceled);

#define FIXTURE_OF(fixture, view, options)					\
	FIXTURE(fixture) { struct rig rig; };					\
	FIXTURE_SETUP(fixture) { rig_up(&self->rig, view, options); }		\
	FIXTURE_TEARDOWN(fixture) { rig_down(&self->rig); }

/* The same test with each view of memory. */
#define VIEWS(options)				\
	FIXTURE_OF(flat, "flat", options)	\
	FIXTURE_OF(iommu, "iommu", options)	\
	FIXTURE_OF(noncoherent, "noncoherent", options)

#define TEST_VIEWS(test, ...)								\
	static void views_##test(struct rig *rig);					\
	TEST_F(flat, test, __VA_ARGS__) { views_##test(&self->rig); }			\
	TEST_F(iommu, test, __VA_ARGS__) { views_##test(&self->rig); }			\
	TEST_F(noncoherent, test, __VA_ARGS__) { views_##test(&self->rig); }		\
	static void views_##test(struct rig *rig)

#endif
