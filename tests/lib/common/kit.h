/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the library share: a controller, and a channel of it, whose jobs go
 * one of three ways: by ioctl(), by io_uring, or to the CPU, without the module. What is
 * promised is the same for all.
 */
#ifndef KIT_H
#define KIT_H

#include "../../uapi/common/uapi.h"

#include <dmafd.h>

enum way {
	BY_IOCTL,
	BY_URING,
	BY_CPU,
};

struct kit {
	struct rig rig;
	enum way way;
	struct dmafd_ctx *ctx;
	struct dmafd_chan *chan;
	char name[DMAFD_NAME_MAX];	/* the channel's */
	size_t step;		/* lengths and addresses must be multiples of this */
};

/* As rig_up(). Skips io_uring only where kernel or module don't have it. */
void kit_up(struct kit *kit, const char *view, const char *options, enum way way);
void kit_down(struct kit *kit);
/* Closes the channel and opens it again with other options; @options' flags may be 0. */
void kit_reopen(struct kit *kit, struct dmafd_chan_options options);
/* Skips the test where the module's DMAFD_INFO does not name the opcode. */
void need_opcode(const struct kit *kit, unsigned int opcode);
/* Skips the test where the board's own controller does not fill, and the like. */
void need_caps(const struct kit *kit, unsigned int caps);
/* Memory with a pattern, as a buffer. */
struct dmafd_buf *kit_buf(struct kit *kit, size_t len, unsigned int seed, unsigned int access);
unsigned char *bytes_of(struct dmafd_buf *buf);
/* Submits one by one until all are taken; the channel must have room. */
void submit_all(struct kit *kit, const struct dmafd_job *jobs, size_t n);
/* Reaps so many, however long it takes. */
void reap_all(struct kit *kit, struct dmafd_result *results, size_t n);
/* A simulated controller is not taken from its driver. */
void need_real(const struct kit *kit);
/* Takes its driver from the channel's controller, and gives it back. */
void unbind_controller(struct kit *kit);
void bind_controller(void);
/* How many file descriptors the process has. */
unsigned int count_fds(void);

#define KIT_OF(fixture, view, options, way)					\
	FIXTURE(fixture) { struct kit kit; };					\
	FIXTURE_SETUP(fixture) { kit_up(&self->kit, view, options, way); }	\
	FIXTURE_TEARDOWN(fixture) { kit_down(&self->kit); }

/* The same test on each view of memory, and each way. */
#define KITS(options)							\
	KIT_OF(flat, "flat", options, BY_IOCTL)				\
	KIT_OF(flat_uring, "flat", options, BY_URING)			\
	KIT_OF(iommu, "iommu", options, BY_IOCTL)			\
	KIT_OF(iommu_uring, "iommu", options, BY_URING)			\
	KIT_OF(noncoherent, "noncoherent", options, BY_IOCTL)		\
	KIT_OF(noncoherent_uring, "noncoherent", options, BY_URING)	\
	KIT_OF(cpu, "flat", options, BY_CPU)

#define TEST_KITS(test, ...)								\
	static void kits_##test(struct kit *kit);					\
	TEST_F(flat, test, __VA_ARGS__) { kits_##test(&self->kit); }			\
	TEST_F(flat_uring, test, __VA_ARGS__) { kits_##test(&self->kit); }		\
	TEST_F(iommu, test, __VA_ARGS__) { kits_##test(&self->kit); }			\
	TEST_F(iommu_uring, test, __VA_ARGS__) { kits_##test(&self->kit); }		\
	TEST_F(noncoherent, test, __VA_ARGS__) { kits_##test(&self->kit); }		\
	TEST_F(noncoherent_uring, test, __VA_ARGS__) { kits_##test(&self->kit); }	\
	TEST_F(cpu, test, __VA_ARGS__) { kits_##test(&self->kit); }			\
	static void kits_##test(struct kit *kit)

#endif
