/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device of our own with dmasan attached. The test is its driver, which does
 * right or wrong, as well as the device, which reads and writes memory by device
 * addresses; and it listens to what dmasan reports.
 */
#ifndef RIG_H
#define RIG_H

#include <linux/dma-mapping.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

#include <compat/dma-ops.h>
#include <dmasan/dmasan.h>

#include "ktap.h"

#define SIZE	((size_t)PAGE_SIZE)

/* Where there is no memory. */
#define NOWHERE	((phys_addr_t)(BIT_ULL(sizeof(phys_addr_t) == 8 ? 45 : 31) * 3 / 2))

/* Room for a few, the first ones. */
#define REPORTS	8

struct report {
	char kind[24];
	char mapped[96];
	char detected[96];
	struct san_finding finding;
};

/* A parameter that the case has changed, and what it was. */
struct parameter {
	const char *name;
	char was[16];
};

#define PARAMETERS	8

struct rig {
	struct platform_device *pdev;
	struct platform_device *without_mask;	/* does no DMA */
	struct device *dev;
	u8 *page;			/* SIZE bytes, zeroed before each case */
	struct parameter changed[PARAMETERS];	/* the case's thread only */
	unsigned int changes;

	spinlock_t lock;		/* protects the following */
	unsigned int count;
	struct report report[REPORTS];
};

static inline struct rig *rig_of(struct kt *t)
{
	return t->data;
}

int rig_init(struct kt *t);
void rig_exit(struct kt *t);
int rig_before(struct kt *t);
void rig_after(struct kt *t);

/*
 * Exactly one report since the last of these calls: of this kind, and mapped or
 * detected in this function.
 */
void expect_report(struct kt *t, const char *kind, const char *function);
void expect_silence(struct kt *t);
/* How many came since the last of these calls; they are done with. */
unsigned int take_reports(struct kt *t);
/* What the report said that was expected last. */
const struct san_finding *told(struct kt *t);
/* At least one of this kind, and no other. */
void expect_only(struct kt *t, const char *kind);

/*
 * A pair of drivers that differ in one mistake, which is reported as @kind. The
 * wrong one is called twice: whoever reports it has not been confused by it.
 */
#define RUN_PAIR(t, kind, wrong, right)	run_pair(t, kind, #wrong, wrong, right)
void run_pair(struct kt *t, const char *kind, const char *name, void (*wrong)(struct kt *t),
	      void (*right)(struct kt *t));

/* A parameter of dmasan's, for the rest of the case. */
void set_parameter(struct kt *t, const char *name, const char *value);

/* What dmasan knows of the device while its driver is bound. */
static inline struct san_device *san_of(struct kt *t)
{
	return container_of(get_dma_ops(rig_of(t)->dev), struct san_device, ops);
}

/* What the device does. */
void device_fill(struct kt *t, dma_addr_t addr, u8 value, size_t size);
bool device_sees(struct kt *t, dma_addr_t addr, u8 value, size_t size);
bool device_has(struct kt *t, dma_addr_t addr, const u8 *bytes, size_t size);

bool all(const void *vaddr, u8 value, size_t size);

/* Maps and unmaps until nothing of before is in quarantine. */
void flush_quarantine(struct kt *t);

/* The driver is unbound, and bound again. */
void unbind(struct kt *t);
void bind(struct kt *t);

/*
 * The calls of a driver that does wrong, past the kernel's own checks. Not functions
 * of their own: reports name the one that calls them.
 */
#define raw_ops(t)	get_dma_ops(rig_of(t)->dev)

static __always_inline dma_addr_t raw_map(struct kt *t, void *vaddr, size_t size,
					  enum dma_data_direction dir)
{
	return compat_ops_map(raw_ops(t), rig_of(t)->dev, virt_to_phys(vaddr), size, dir, 0);
}

static __always_inline void raw_unmap(struct kt *t, dma_addr_t addr, size_t size,
				      enum dma_data_direction dir)
{
	compat_ops_unmap(raw_ops(t), rig_of(t)->dev, addr, size, dir, 0);
	barrier();
}

static __always_inline void raw_for_cpu(struct kt *t, dma_addr_t addr, size_t size,
					enum dma_data_direction dir)
{
	raw_ops(t)->sync_single_for_cpu(rig_of(t)->dev, addr, size, dir);
	barrier();
}

static __always_inline void raw_for_device(struct kt *t, dma_addr_t addr, size_t size,
					   enum dma_data_direction dir)
{
	raw_ops(t)->sync_single_for_device(rig_of(t)->dev, addr, size, dir);
	barrier();
}

/* And of one that does right. */
dma_addr_t map(struct kt *t, void *vaddr, size_t size, enum dma_data_direction dir);
void unmap(struct kt *t, dma_addr_t addr, size_t size, enum dma_data_direction dir);

#endif
