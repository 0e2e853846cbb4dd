/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dmasan: finds what drivers do wrong with the DMA API.
 *
 *	main.c		the module and its parameters
 *	attach.c	which devices, and when they are taken over
 *	device.c	a device that is taken over
 *	ops.c		the DMA operations, which only call what follows
 *	map.c		mappings: mapped, synchronized, unmapped
 *	list.c		scatterlists, in terms of map.c
 *	buffer.c	coherent buffers
 *	block.c		the memory that the device sees in place of the driver's
 *	compare.c	bytes
 *	check.c		who wrote what, and who was allowed to
 *	source.c	whether memory is fit to be mapped
 *	quarantine.c	what was unmapped or freed lately
 *	tree.c		mappings by their address
 *	stack.c		who called
 *	gone.c		who called, and is unloaded
 *	report.c	tells what was found
 *	debugfs.c	the files
 *
 * Each streaming mapping gets a block: pages that lie at the same offset in a page
 * as the driver's memory, with red zones around. The device gets the address of
 * the block. The calls of the DMA API carry bytes between the two; a snapshot of
 * what both were when they were the same tells who has written since.
 *
 * Locks, outermost first: attach_lock (attach.c), the device's own,
 * targets_lock (attach.c); san_device.lock, san_map.lock. The last two are taken in
 * any context, and nothing is reported with them held: what prints may want to do
 * DMA. report.c and gone.c have a leaf each.
 */
#ifndef DMASAN_H
#define DMASAN_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/device.h>
#include <linux/dma-direction.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/rbtree.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <compat/dma-ops.h>
#include <shadow/twin.h>

struct scatterlist;
struct sg_table;
struct vm_area_struct;

#define SAN_LINE	64	/* whole lines change hands */
#define SAN_FRAMES	8	/* of a stack trace */
#define SAN_BYTES	8	/* that a report shows */
#define SAN_PLACE	96	/* characters of a symbol */

/* What can be found; the order is that of docs/dmasan.md. */
enum san_kind {
	SAN_CPU_WRITE,
	SAN_SYNC_FOR_CPU,
	SAN_SYNC_FOR_DEVICE,
	SAN_DEVICE_WRITE,
	SAN_OVERRUN,
	SAN_WRITE_AFTER_UNMAP,
	SAN_DOUBLE_UNMAP,
	SAN_BAD_UNMAP,
	SAN_WRONG_SIZE,
	SAN_WRONG_DIRECTION,
	SAN_WRONG_FUNCTION,
	SAN_WRONG_NENTS,
	SAN_BAD_SYNC,
	SAN_LEAK,
	SAN_UNCHECKED_ERROR,
	SAN_ABOVE_MASK,
	SAN_SEGMENT,
	SAN_SHARED_LINE,
	SAN_STACK,
	SAN_NO_MEMORY,
	SAN_FREED_MEMORY,
	SAN_BUFFER_OVERRUN,
	SAN_USE_AFTER_FREE,
	SAN_BAD_FREE,
	SAN_KINDS
};

/* How it was mapped; the first two by dma_map_...() of memory. */
enum san_type {
	SAN_SINGLE,
	SAN_LIST,
	SAN_PAGES,		/* dma_alloc_pages() */
	SAN_RESOURCE,
	SAN_BUFFER,		/* dma_alloc_coherent() */
};

struct san_trace {
	unsigned int count;
	unsigned long frame[SAN_FRAMES];
};

#define SAN_FEW_LINES	128	/* whose bits have their place in the record */
#define SAN_SPARE_PAGES	68	/* of the largest block that is kept for another mapping */

/* What the device sees, @front bytes before the mapping's first byte. */
struct san_block {
	u8 *vaddr;		/* NULL: there is none, the device sees the memory itself */
	dma_addr_t addr;
	size_t size;		/* all of it */
	size_t front;
	size_t back;		/* where the mapping's bytes end */

	gfp_t zone;		/* where it lies */
	u8 *copy;		/* room for the snapshot */
	size_t room;
	unsigned long *bits;	/* for @in_cpu, if it has many lines */
};

/*
 * A mapping or a buffer; constant while it is known, but for what is under @lock, and for
 * what gone.c does to the traces, which is done under the device's lock.
 */
struct san_map {
	struct rb_node node;		/* device's lock */
	struct list_head quarantine;	/* device's lock; linked if it is not mapped any more */
	dma_addr_t addr;
	size_t size;
	enum dma_data_direction dir;
	enum san_type type;
	unsigned long attrs;
	phys_addr_t phys;
	int nents;			/* of the list that begins here, or 0 */
	size_t red;			/* bytes of a red zone */
	struct san_block block;
	struct san_trace mapped;
	struct san_trace unmapped;	/* before it went into quarantine */
	void *vaddr;			/* the driver's, of a buffer or of pages */
	unsigned int edge_line;		/* 0: the edges are not watched */
	u8 edge[2][SAN_LINE];		/* what is beside it in its cache lines */

	spinlock_t lock;		/* protects the content of the block, and: */
	u8 *snapshot;			/* what both sides had */
	unsigned long *in_cpu;		/* a bit per line that the CPU owns */
	unsigned long few[BITS_TO_LONGS(SAN_FEW_LINES)];
	unsigned int unseen;		/* times the device wrote and nobody looked */
};

/* Something that was found, to be told when no lock is held. */
struct san_finding {
	enum san_kind kind;
	dma_addr_t addr;
	size_t size;
	enum dma_data_direction dir;
	size_t offset;			/* of the bytes, from the mapping's first */
	unsigned int bytes;		/* so many of each, or 0 */
	u8 was[SAN_BYTES], is[SAN_BYTES];
	u64 expected, seen;		/* what did not agree, if it is a number */
	struct san_trace mapped;
	struct san_trace unmapped;
};

/* Each kind once for a call, and no more than there is room for. */
struct san_findings {
	unsigned int count;
	struct san_finding finding[2];
};

enum san_count {
	SAN_COUNT_MAPS,
	SAN_COUNT_SYNCS,
	SAN_COUNT_BUFFERS,
	SAN_COUNT_UNSHADOWED,	/* mappings without a block */
	SAN_COUNT_INJECTED,
	SAN_COUNTS
};

struct san_device {
	const struct dma_map_ops ops;	/* the device's, by which this is found */
	struct shadow_twin twin;
	struct list_head list;		/* attach.c: targets_lock */
	char name[64];

	rwlock_t lock;			/* protects the following */
	struct rb_root maps;
	struct rb_root gone;		/* in quarantine */
	struct list_head quarantine;	/* the oldest first */
	size_t quarantined;		/* bytes there */
	size_t held;			/* bytes of blocks, with those in quarantine */
	struct list_head to_free;	/* buffers, for @free_work */
	struct list_head spare[SAN_SPARE_PAGES];	/* records with a block, by its pages */
	size_t spared;			/* bytes of these blocks */
	bool dying;			/* no more work */
	struct san_trace injected;	/* where a mapping was last made to fail */

	struct work_struct free_work;
	atomic_t asked;			/* calls that may be made to fail */
	atomic64_t count[SAN_COUNTS];
	atomic64_t found[SAN_KINDS];
};

/* ---- main.c: the parameters, which may change at any time ---- */

extern unsigned int san_redzone;
extern unsigned int san_quarantine_kb;
extern unsigned int san_memory_kb;
extern unsigned int san_map_max_kb;
extern unsigned int san_fail_every;
extern unsigned int san_line;
extern unsigned int san_panic;
extern bool san_strict;
extern bool san_stacks;
extern char san_driver[];

/* Of those in KiB the bytes, with room for more to be added. */
static inline size_t san_bytes(unsigned int kb)
{
	return min_t(u64, (u64)kb * SZ_1K, SIZE_MAX / 4);
}

/* ---- attach.c ---- */

/*
 * "BUS:NAME". With @pending it need not be there yet. A device that has a driver
 * is bound to it again. -EINVAL, -ENODEV, -EEXIST, -EOPNOTSUPP, -ENOMEM.
 */
int san_attach(const char *name, bool pending);
/* -ENOENT if it is not attached. */
int san_detach(const char *name);
int san_attach_init(void);
/* Detaches all. */
void san_attach_exit(void);
/* Calls @fn for each device that is taken over, and with NULL for each that is to be. */
void san_each(void *data, void (*fn)(void *data, const char *name, struct san_device *san));

/* ---- device.c ---- */

/* Takes over a device that is being bound. */
struct san_device *san_device_take(struct device *dev);
/* The driver is gone: reports what it left behind, and gives the device back. */
void san_device_give(struct san_device *san);

static inline void san_count(struct san_device *san, enum san_count what)
{
	atomic64_inc(&san->count[what]);
}

extern const struct dma_map_ops san_ops;

/* ---- tree.c; the caller holds the device's lock ---- */

void san_tree_add(struct rb_root *root, struct san_map *map);
void san_tree_del(struct rb_root *root, struct san_map *map);
/* That begins at @addr, best with this size and direction. */
struct san_map *san_tree_at(struct rb_root *root, dma_addr_t addr, size_t size,
			    enum dma_data_direction dir);
/* That has the byte at @addr. */
struct san_map *san_tree_with(struct rb_root *root, dma_addr_t addr);

/* ---- block.c ---- */

/*
 * A block that was a former mapping's and fits, with its record; or NULL. Nobody else
 * knows it, and but for the block and @red all is zero.
 */
struct san_map *san_block_spare(struct san_device *san, phys_addr_t phys, size_t size);
/* -ENOMEM: the mapping has to do without. Fills it and gives it to the hardware. */
int san_block_make(struct san_device *san, struct san_map *map);
/* Frees the record with its block, or keeps both for the next mapping. */
void san_block_free(struct san_device *san, struct san_map *map);
/* Frees those that are kept. */
void san_block_drop(struct san_device *san);
/* What the hardware wrote is there for the CPU, and the other way. */
void san_block_for_cpu(struct san_device *san, struct san_map *map);
void san_block_for_device(struct san_device *san, struct san_map *map);
/* How long a red zone is now. */
size_t san_block_red(void);
/* Makes the red zones. */
void san_block_paint(struct san_map *map);
/* Red zones; found where they are not what they were, and then as they were. */
void san_block_mend(struct san_map *map, struct san_findings *findings);
/* Fills the mapping's bytes, and finds what was written after that, there or around. */
void san_block_poison(struct san_map *map);
void san_block_check_poison(struct san_map *map, struct san_findings *findings);
/* So many bytes more; false if that is too much, unless they @must be. */
bool san_block_charge(struct san_device *san, size_t size, bool must);
void san_block_uncharge(struct san_device *san, size_t size);

/* ---- compare.c ---- */

/* Faster than memcmp() and memchr_inv() where there is no difference. */
bool san_same(const u8 *a, const u8 *b, size_t size);
bool san_is_all(const u8 *from, u8 value, size_t size);

/* ---- check.c; the caller holds map->lock, or nobody else knows the mapping ---- */

void san_check_for_cpu(struct san_map *map, size_t offset, size_t size,
		       struct san_findings *findings);
void san_check_for_device(struct san_map *map, size_t offset, size_t size,
			  struct san_findings *findings);
/* Before the end: @carry says that the CPU wants what the device wrote. */
void san_check_end(struct san_map *map, bool carry, struct san_findings *findings);

/* ---- source.c ---- */

/* Memory that can be mapped, at least by the hardware. */
bool san_is_memory(phys_addr_t phys, size_t size);
/* Reports what should not be mapped. */
void san_check_source(struct san_device *san, struct san_map *map);
/* Whether it was freed before it was unmapped. */
bool san_check_freed(struct san_map *map, struct san_findings *findings);
/* Whether a program may write it at any time, which is not the driver's fault. */
bool san_is_users(phys_addr_t phys);
/* Other data in the cache lines at both ends. */
void san_edges_note(struct san_map *map);
void san_edges_check(struct san_map *map, struct san_findings *findings);

/* ---- quarantine.c ---- */

/* The mapping is not known any more; belongs to the quarantine from now on. */
void san_quarantine_add(struct san_device *san, struct san_map *map);
/* Frees the oldest until no more than @keep bytes are there. */
void san_quarantine_trim(struct san_device *san, size_t keep);
void san_free_buffers(struct work_struct *work);

/* ---- map.c ---- */

/* A record that nobody else knows, with where it was called from. */
struct san_map *san_map_new(enum san_type type, enum dma_data_direction dir, gfp_t gfp);
/* The same of one that is zero, but for its block. */
void san_map_begin(struct san_map *map, enum san_type type, enum dma_data_direction dir);
void san_map_free(struct san_map *map);
void san_map_publish(struct san_device *san, struct san_map *map);
/* It is the caller's then; reports what does not agree, and NULL if nothing is there. */
struct san_map *san_map_take(struct san_device *san, dma_addr_t addr, size_t size,
			     enum dma_data_direction dir, enum san_type type);
/* One is made to fail now and then, and the driver has to notice. */
bool san_inject(struct san_device *san);

/* The driver sets a mask while something is mapped: is it still within reach? */
void san_check_mask(struct san_device *san, u64 mask);

dma_addr_t san_map_memory(struct san_device *san, phys_addr_t phys, size_t size,
			  enum dma_data_direction dir, unsigned long attrs,
			  enum san_type type, int nents);
void san_unmap_memory(struct san_device *san, dma_addr_t addr, size_t size,
		      enum dma_data_direction dir, unsigned long attrs, enum san_type type);
dma_addr_t san_map_registers(struct san_device *san, phys_addr_t phys, size_t size,
			     enum dma_data_direction dir, unsigned long attrs);
void san_unmap_registers(struct san_device *san, dma_addr_t addr, size_t size,
			 enum dma_data_direction dir, unsigned long attrs);
void san_sync(struct san_device *san, dma_addr_t addr, size_t size,
	      enum dma_data_direction dir, bool to_device);

/* ---- list.c ---- */

int san_map_list(struct san_device *san, struct scatterlist *sgl, int nents,
		 enum dma_data_direction dir, unsigned long attrs);
void san_unmap_list(struct san_device *san, struct scatterlist *sgl, int nents,
		    enum dma_data_direction dir, unsigned long attrs);
void san_sync_list(struct san_device *san, struct scatterlist *sgl, int nents,
		   enum dma_data_direction dir, bool to_device);

/* ---- buffer.c ---- */

void *san_buffer_alloc(struct san_device *san, size_t size, dma_addr_t *addr, gfp_t gfp,
		       unsigned long attrs);
void san_buffer_free(struct san_device *san, size_t size, void *vaddr, dma_addr_t addr,
		     unsigned long attrs);
/* Gives a buffer's memory back to the kernel. */
void san_buffer_release(struct san_device *san, struct san_map *map);
int san_buffer_mmap(struct san_device *san, struct vm_area_struct *vma, void *vaddr,
		    dma_addr_t addr, size_t size, unsigned long attrs);
int san_buffer_table(struct san_device *san, struct sg_table *sgt, void *vaddr,
		     dma_addr_t addr, size_t size, unsigned long attrs);
void *san_pages_alloc(struct san_device *san, size_t size, dma_addr_t *addr,
		      enum dma_data_direction dir, gfp_t gfp);
void san_pages_free(struct san_device *san, size_t size, void *vaddr, dma_addr_t addr,
		    enum dma_data_direction dir);

/* ---- stack.c ---- */

/* Who called, without those of this module. Any context but NMI. */
void san_trace_here(struct san_trace *trace);
int san_stack_init(void);
void san_stack_exit(void);

/* ---- gone.c ---- */

/* The symbol at an address of a trace, or what it was before its module was unloaded. */
void san_place_name(unsigned long ip, char *to, size_t size);
int san_gone_init(void);
void san_gone_exit(void);

/* ---- report.c; with no lock held, in any context ---- */

/* Room for another, filled with what is known of the mapping; NULL if there is none. */
struct san_finding *san_find(struct san_findings *findings, enum san_kind kind,
			     const struct san_map *map);
/* Shows the bytes from @offset on, up to @size. */
void san_find_bytes(struct san_finding *finding, size_t offset, size_t size, const u8 *was,
		    const u8 *is);
void san_report(struct san_device *san, const struct san_finding *finding);
void san_report_all(struct san_device *san, const struct san_findings *findings);
/* Of a call that finds nothing where it should. */
void san_report_call(struct san_device *san, enum san_kind kind, dma_addr_t addr, size_t size,
		     enum dma_data_direction dir);
const char *san_kind_name(enum san_kind kind);
const char *san_direction_name(enum dma_data_direction dir);
/* The symbol at which a driver called. */
int san_trace_place(const struct san_trace *trace, char *to, size_t size);
struct seq_file;
void san_reports_show(struct seq_file *seq);
void san_reports_clear(void);

/* ---- debugfs.c ---- */

void san_debugfs_init(void);
void san_debugfs_exit(void);

#endif
