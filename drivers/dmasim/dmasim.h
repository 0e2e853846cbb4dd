/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dmasim: a simulated DMA controller. What its parts know of each other.
 *
 *	main.c		the module, its parameters, the controller that comes with it
 *	options.c	the options of a controller: limits, text form, validation
 *	configfs.c	controllers made by mkdir
 *	controller.c	one live controller: what it is registered as, its life
 *	route.c		who gets which channel and which request line
 *	prep.c		requests of clients checked and made into descriptors
 *	vchan.c		virtual channels: lists, cookies, completion, status
 *	engine.c	physical channels: threads, arbiter, time
 *	move.c		what a physical channel does with a descriptor
 *	memory.c	the memory as the controller sees it
 *	peripheral.c	FIFOs behind request lines
 *	fault.c		errors made on purpose
 *	debugfs.c	what can be looked at
 *
 * Locks, outermost first:
 *
 *	channel's lock > memory view's lock > peripheral's lock > arbiter's lock
 *	channel's lock > fault rules' lock, controller's lock
 *
 * All of them are taken with interrupts off. A physical channel moves data
 * with the virtual channel's lock held, a bounded piece at a time. That is what
 * makes dmaengine_terminate_async() and dmaengine_pause() as sharp as a
 * register write is on hardware: when they return, nothing is moved any more.
 */
#ifndef DMASIM_H
#define DMASIM_H

#include <linux/dmaengine.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/list.h>
#include <linux/platform_device.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "../shadow/shadow.h"

#define DMASIM_NAME		"dmasim"
#define DMASIM_MAX_PHYSICAL	64
#define DMASIM_MAX_CHANNELS	1024
#define DMASIM_MAX_PERIPHERALS	64
#define DMASIM_PRIORITIES	8
#define DMASIM_NO_LINE		UINT_MAX

/* What a physical channel moves in one go at most, with the channel's lock held. */
#define DMASIM_PIECE		SZ_64K

struct dentry;
struct dmasim;
struct dmasim_chan;
struct seq_file;

/* ---- options ---- */

enum dmasim_view { DMASIM_FLAT, DMASIM_IOMMU, DMASIM_NONCOHERENT };
enum dmasim_translation { DMASIM_BY_LINE, DMASIM_BY_CHANNEL };
enum dmasim_kind { DMASIM_LOOPBACK, DMASIM_SOURCE, DMASIM_SINK };
enum dmasim_pattern { DMASIM_COUNTER8, DMASIM_COUNTER16, DMASIM_COUNTER32, DMASIM_VALUES };

/* Bits of the option "types". */
enum dmasim_type {
	DMASIM_MEMCPY,
	DMASIM_MEMSET,
	DMASIM_MEMSET_SG,
	DMASIM_XOR,
	DMASIM_SLAVE,
	DMASIM_CYCLIC,
	DMASIM_INTERLEAVE,
	DMASIM_INTERRUPT,
	DMASIM_REPEAT,
};

/* What a user says of a peripheral. docs/dmasim.md describes each option. */
struct dmasim_peripheral_config {
	char name[32];
	u32 kind;
	u32 line;
	u64 address;		/* 0: made from the line */
	u32 depth;
	u64 rate;
	u32 pattern;
	char tx_client[64];
	char rx_client[64];
	void *values;		/* what a source repeats with DMASIM_VALUES */
	size_t values_size;
};

/* What a user says of a controller; constant while the controller lives. */
struct dmasim_config {
	u32 physical;
	u32 channels;
	u64 types;
	u64 directions;		/* BIT(enum dma_transfer_direction) */
	u32 view;
	u32 line_size;
	u32 dma_bits;
	u32 max_segment;
	u32 max_burst;
	u32 max_sg;
	u32 align;
	u64 widths;		/* BIT(bytes), as in struct dma_slave_caps */
	u32 max_xor;
	u32 descriptors;
	u32 residue;
	u32 pause;
	u32 reuse;
	u32 private;
	u64 bandwidth;
	u32 latency_ns;
	u32 translation;
	u8 priority[DMASIM_MAX_CHANNELS];
	u32 peripherals;
	struct dmasim_peripheral_config *peripheral;
};

/*
 * An option is known by its name wherever it is set: a configfs attribute, the
 * module's parameter, a device-tree property. @object is the struct above that
 * it belongs to.
 */
struct dmasim_option {
	const char *name;
	int (*parse)(const struct dmasim_option *option, void *field, const char *text);
	int (*print)(const struct dmasim_option *option, const void *field, char *page);
	size_t offset;
	u64 min, max;
	const char * const *words;
	size_t size;
};

extern const struct dmasim_option dmasim_controller_options[];
extern const struct dmasim_option dmasim_peripheral_options[];

/*
 * The option of that name in a table, or NULL.
 */
const struct dmasim_option *dmasim_option_find(const struct dmasim_option *table,
					       const char *name);
/*
 * Sets one option of a configuration from text; a bad value changes nothing,
 * and is -EINVAL or -ERANGE with a line in the log that says what is allowed.
 */
int dmasim_option_set(const struct dmasim_option *option, void *config, const char *text);
/* Prints one option's value and a newline into a page; the length. */
int dmasim_option_print(const struct dmasim_option *option, const void *config, char *page);

/* A configuration with the defaults in it, or NULL. */
struct dmasim_config *dmasim_config_new(void);
/* Adds a peripheral; NULL when there is no memory or no room. */
struct dmasim_peripheral_config *dmasim_config_add(struct dmasim_config *config);
void dmasim_config_free(struct dmasim_config *config);
/* Whether the options fit each other: -EINVAL, and a line in the log, if not. */
int dmasim_config_check(const struct dmasim_config *config);

/* ---- faults on purpose ---- */

enum dmasim_fault_kind {
	DMASIM_FAULT_NONE,
	DMASIM_FAULT_FAIL,	/* fails before it moves anything */
	DMASIM_FAULT_ABORT,	/* ends half-way */
	DMASIM_FAULT_SHORT,	/* moves less, and says so in the residue */
	DMASIM_FAULT_HANG,	/* moves half, and stands until terminated */
	DMASIM_FAULT_LATE,	/* completes later than its data is there */
	DMASIM_FAULT_SPURIOUS,	/* its callback runs before it is complete, too */
	DMASIM_FAULT_IOMMU,	/* an access is refused */
	DMASIM_FAULT_REFUSE,	/* is not prepared */
	DMASIM_FAULT_MAP,	/* a mapping fails */
	DMASIM_FAULT_KINDS
};

struct dmasim_faults {
	spinlock_t lock;	/* protects rules, and what they count */
	struct list_head rules;
	unsigned int active;	/* rules that may still hit; read without the lock, too */
	unsigned int total;
};

void dmasim_faults_init(struct dmasim_faults *faults);
void dmasim_faults_clear(struct dmasim_faults *faults);
/* Adds the rule that a line of text describes (docs/dmasim.md), or "off". */
int dmasim_faults_write(struct dmasim_faults *faults, const char *text);
int dmasim_faults_print(struct dmasim_faults *faults, char *page);
/*
 * Whether a rule of one of @kinds (a bit mask) hits what happens on this channel
 * now; if so, which kind, and its argument. Any context.
 */
enum dmasim_fault_kind dmasim_fault_hit(struct dmasim_faults *faults, unsigned int kinds,
					unsigned int chan, u32 *arg);

/* The kernel's own fault attributes, where the kernel is built with them. */
void dmasim_attrs_debugfs(struct dentry *parent);
bool dmasim_attr_fail_prep(void);
bool dmasim_attr_fail_transfer(void);
bool dmasim_attr_fail_map(void);

/* ---- memory ---- */

/* Why the controller could not reach an address. */
enum dmasim_reach { DMASIM_REACHED, DMASIM_UNMAPPED, DMASIM_DENIED, DMASIM_NO_MEMORY_THERE };

/* A piece of memory that the controller reaches; used under dmasim_memory_lock(). */
struct dmasim_window {
	struct shadow_window shadow;
	void *ptr;
	size_t len;
	enum dmasim_reach reach;
	bool is_shadow, is_kmap;
};

int dmasim_memory_init(struct dmasim *sim);
void dmasim_memory_exit(struct dmasim *sim);
unsigned long dmasim_memory_lock(struct dmasim *sim);
void dmasim_memory_unlock(struct dmasim *sim, unsigned long flags);
/*
 * Opens what lies at a device address, of at most @want bytes; ->len is how many
 * of them, 0 with the reason in ->reach. Windows are closed in reverse order.
 */
void dmasim_window_open(struct dmasim *sim, dma_addr_t addr, size_t want, bool write,
			struct dmasim_window *window);
void dmasim_window_close(struct dmasim_window *window);

/* ---- peripherals ---- */

struct dmasim_peripheral {
	const struct dmasim_peripheral_config *config;
	u64 address;
	struct list_head waiting;	/* channels whose request is down; lock */

	spinlock_t lock;		/* protects all below */
	ktime_t then;			/* up to when time was accounted for */
	bool running;
	u8 *ring;			/* what a loopback holds */
	size_t head;			/* where the next byte is taken */
	size_t level;			/* bytes in the FIFO */
	size_t ready;			/* of a loopback: how many rx may take */
	u64 produced;			/* by a source, taken or lost */
	u64 in, out;			/* bytes that DMA put in, and took out */
	u64 overruns, underruns;	/* bytes lost, bytes missing */
	u32 crc;
};

int dmasim_peripherals_init(struct dmasim *sim);
void dmasim_peripherals_exit(struct dmasim *sim);
struct dmasim_peripheral *dmasim_peripheral_at(struct dmasim *sim, u64 address);
struct dmasim_peripheral *dmasim_peripheral_on(struct dmasim *sim, unsigned int line);
/*
 * Moves up to @max bytes in bursts of @burst between memory and the FIFO, as
 * long as the request is up. Returns how many; 0 when the request is down, and
 * then the channel waits for it: on the FIFO's list, or until *@wait ns from now
 * if that is not 0. Caller holds the channel's lock.
 */
size_t dmasim_peripheral_move(struct dmasim_peripheral *peripheral, struct dmasim_chan *chan,
			      void *memory, size_t max, size_t burst, bool to_device,
			      u64 *wait);
/* Whether the request for @need bytes is up; the same return of @wait. */
bool dmasim_peripheral_request(struct dmasim_peripheral *peripheral, struct dmasim_chan *chan,
			       size_t need, bool to_device, u64 *wait);
/* The channel doesn't wait any more, and what it drove stands still. */
void dmasim_peripheral_leave(struct dmasim_peripheral *peripheral, struct dmasim_chan *chan);
void dmasim_peripherals_show(struct seq_file *s, struct dmasim *sim);

/* ---- descriptors and virtual channels ---- */

struct dmasim_segment {
	dma_addr_t src, dst;	/* the peripheral's side is not used; interleaved: the gaps */
	size_t len;
};

/*
 * A transaction. It is on one list of its channel, or is the channel's current
 * one, or is in the hands of the bottom half; all fields are protected by the
 * channel's lock once it is submitted, and constant above "progress".
 */
struct dmasim_desc {
	struct dma_async_tx_descriptor tx;
	struct list_head node;
	struct hlist_node hash;		/* by cookie, while submitted and not complete */
	enum dmasim_type type;
	enum dma_transfer_direction direction;
	size_t len;			/* of all segments; of a cyclic one, the ring */
	size_t period;			/* of a cyclic one */
	size_t burst;			/* bytes that a request stands for */
	struct dmasim_peripheral *peripheral;
	u8 value;			/* of memset */
	size_t src_beat, dst_beat;	/* not 0: that side's address stands still */
	dma_addr_t src, dst;		/* of an interleaved one: where it starts */
	size_t frames;			/* and how often its segments come */
	bool repeat;			/* begins again at its end, for ever */

	/* progress */
	bool started;
	unsigned int segment;
	size_t offset;			/* in that segment */
	size_t done;			/* in this round */
	dma_addr_t at_src, at_dst;	/* of an interleaved one: where the segment starts */
	u64 rounds;
	enum dmasim_fault_kind fault;
	u32 fault_arg;
	size_t limit;			/* where the fault hits */
	struct dmaengine_result result;

	unsigned int segments;
	struct dmasim_segment seg[];	/* xor: the sources, one by one, and the destination */
};

/* How a transaction ended, for those that did not end well. */
struct dmasim_ending {
	dma_cookie_t cookie;
	struct dmaengine_result result;
};

#define DMASIM_ENDINGS		16

enum dmasim_sched { DMASIM_SCHED_IDLE, DMASIM_SCHED_READY, DMASIM_SCHED_RUNNING };

struct dmasim_chan_stats {
	u64 prepared, refused, submitted, completed, failed, terminated;
	u64 bytes, turns, busy_ns, callbacks;
};

struct dmasim_chan {
	struct dma_chan chan;
	struct dmasim *sim;
	unsigned int id;
	unsigned int priority;		/* constant */

	spinlock_t lock;		/* protects all down to the arbiter's part */
	atomic_t descs;			/* that exist; by itself */
	struct list_head allocated;	/* prepared, or to be used again */
	struct list_head submitted;
	struct list_head issued;
	struct list_head completed;	/* callback to run */
	struct list_head unacked;	/* done, and async_tx may still hold on to them */
	struct list_head terminated;	/* freed when synchronized */
	struct dmasim_desc *current_desc;
	struct hlist_head *by_cookie;
	unsigned int by_cookie_mask;
	unsigned int periods;		/* of the current one, whose callback is to run */
	bool held;			/* by a client */
	bool paused;
	bool hung;			/* until terminated */
	ktime_t late_until;		/* not 0: the current one only waits for that */
	bool spurious;			/* its callback is to run now */
	struct dma_slave_config config;
	unsigned int line;		/* DMASIM_NO_LINE, or what it was requested for */
	struct dmasim_peripheral *drives;	/* what it has worked with, until terminated */
	struct list_head waiting;	/* for a request of that; the peripheral's lock */
	struct dmasim_ending ending[DMASIM_ENDINGS];
	unsigned int endings;		/* how many there have been */
	struct dmasim_chan_stats stats;

	/* The arbiter's lock protects these. */
	struct list_head ready;
	enum dmasim_sched sched;
	bool again;

	struct tasklet_struct bottom_half;
	struct hrtimer timer;		/* makes the channel ready */
};

static inline struct dmasim_chan *to_dmasim_chan(struct dma_chan *chan)
{
	return container_of(chan, struct dmasim_chan, chan);
}

static inline struct dmasim_desc *to_dmasim_desc(struct dma_async_tx_descriptor *tx)
{
	return container_of(tx, struct dmasim_desc, tx);
}

int dmasim_chan_init(struct dmasim *sim, struct dmasim_chan *chan, unsigned int id);
/* Fills in the operations that virtual channels have. */
void dmasim_vchan_ops(struct dma_device *dma);
/* A descriptor with room for @segments, not on any list yet; NULL if the pool is empty. */
struct dmasim_desc *dmasim_desc_new(struct dmasim_chan *chan, unsigned int segments);
/* Hands a new descriptor to the client. */
struct dma_async_tx_descriptor *dmasim_desc_ready(struct dmasim_chan *chan,
						  struct dmasim_desc *desc,
						  unsigned long flags);
/* The descriptor to work on, begun if need be; NULL if there is none. Caller holds the lock. */
struct dmasim_desc *dmasim_chan_next(struct dmasim_chan *chan);
/* Whether an issued one takes over from the current, repeating one at its end. */
bool dmasim_chan_replaced(struct dmasim_chan *chan);
/* The current descriptor is done, as its result says. Caller holds the lock. */
void dmasim_chan_complete(struct dmasim_chan *chan);
/* Whether callbacks are due. Caller holds the lock. */
bool dmasim_chan_due(struct dmasim_chan *chan);
/* Runs them; not under any lock, from a thread. */
void dmasim_chan_run_callbacks(struct dmasim_chan *chan);
/* Ends everything on a channel of a controller that is going. */
void dmasim_chan_abandon(struct dmasim_chan *chan);
size_t dmasim_desc_residue(struct dmasim_desc *desc);

/* Fills in the preparing operations. */
void dmasim_prep_ops(struct dma_device *dma, const struct dmasim_config *config);
int dmasim_device_config(struct dma_chan *chan, struct dma_slave_config *config);

/* ---- physical channels ---- */

struct dmasim_physical {
	struct dmasim *sim;
	unsigned int id;
	struct task_struct *thread;
	struct list_head idle;		/* arbiter's lock */
	ktime_t free_at;		/* its thread's own: when it is done, simulated */
};

struct dmasim_arbiter {
	spinlock_t lock;		/* protects all here */
	struct list_head ready[DMASIM_PRIORITIES];	/* channels */
	unsigned long levels;		/* bit per list that is not empty; read without, too */
	struct list_head idle;		/* physical channels that sleep */
};

int dmasim_engine_start(struct dmasim *sim);
void dmasim_engine_stop(struct dmasim *sim);
/* There may be work on this channel. Any context. */
void dmasim_chan_kick(struct dmasim_chan *chan);

/* What came of a piece of work. */
enum dmasim_step {
	DMASIM_STEP_MORE,	/* there is more to do */
	DMASIM_STEP_REST,	/* nothing to do until the channel is kicked */
};

/*
 * How many of @max bytes the next step on this descriptor moves, if nothing keeps
 * it from that. Caller holds the channel's lock.
 */
size_t dmasim_move_limit(const struct dmasim_desc *desc, size_t max);
/*
 * Works on the channel's current descriptor, at most @max bytes, and says in
 * @moved how many bytes it was. Caller holds the channel's lock.
 */
enum dmasim_step dmasim_move(struct dmasim_chan *chan, size_t max, size_t *moved);

/* ---- controllers ---- */

struct dmasim_fault_record {
	u64 time_ns;
	u64 addr;
	unsigned int chan;
	bool write;
	enum dmasim_reach reach;
};

#define DMASIM_RECORDS		64

/* Why a request was refused; counted. */
enum dmasim_refusal {
	DMASIM_REFUSED_LENGTH,
	DMASIM_REFUSED_ALIGNMENT,
	DMASIM_REFUSED_SEGMENT,
	DMASIM_REFUSED_DIRECTION,
	DMASIM_REFUSED_WIDTH,
	DMASIM_REFUSED_BURST,
	DMASIM_REFUSED_CONFIG,
	DMASIM_REFUSED_POOL,
	DMASIM_REFUSED_INJECTED,
	DMASIM_REFUSED_GONE,
	DMASIM_REFUSALS
};

struct dmasim {
	struct dma_device dma;
	struct platform_device *pdev;
	const struct dmasim_config *config;
	struct dmasim_config *own_config;	/* made from the device tree, or NULL */
	struct shadow_space *space;	/* NULL in the flat view */
	struct dmasim_arbiter arbiter;
	struct dmasim_faults *faults;	/* the instance's, or the next */
	struct dmasim_faults own_faults;
	struct dmasim_peripheral *peripheral;
	struct dma_slave_map *slave_map;
	struct dentry *debugfs;
	atomic64_t refusals[DMASIM_REFUSALS];

	spinlock_t lock;		/* protects the next four */
	bool dying;			/* no client gets a channel any more */
	unsigned int held;		/* channels */
	struct dmasim_fault_record record[DMASIM_RECORDS];
	u64 records;			/* how many there have been */

	unsigned int physicals;
	struct dmasim_physical *physical;
	unsigned int channels;
	struct dmasim_chan *chan;
};

int dmasim_controller_init(void);
void dmasim_controller_exit(void);
/* Counts a refusal, says why in the log if that is asked for; always NULL. */
void *dmasim_refuse(struct dmasim_chan *chan, enum dmasim_refusal why);
void dmasim_record_fault(struct dmasim_chan *chan, u64 addr, bool write,
			 enum dmasim_reach reach);
/* A client takes a channel, or gives it back; taking is refused with -ESHUTDOWN if it goes. */
int dmasim_hold(struct dmasim *sim);
void dmasim_release(struct dmasim *sim);

/*
 * One live controller from the point of view of who made it.
 */
struct dmasim_instance;
/* Takes @config over, if and only if it succeeds; ERR_PTR. Sleeps until it lives. */
struct dmasim_instance *dmasim_instance_new(struct dmasim_config *config);
/* -EBUSY while a client holds a channel; ends it otherwise. */
int dmasim_instance_end(struct dmasim_instance *instance);
/* Ends it at once, or when the last client gives its channel back. */
void dmasim_instance_abandon(struct dmasim_instance *instance);
const char *dmasim_instance_device(struct dmasim_instance *instance);
int dmasim_instance_dma_id(struct dmasim_instance *instance);
struct dmasim_faults *dmasim_instance_faults(struct dmasim_instance *instance);

/* Clients' ways to a channel: slave map and device tree. */
int dmasim_route_init(struct dmasim *sim);
int dmasim_route_publish(struct dmasim *sim);
void dmasim_route_exit(struct dmasim *sim);
struct dmasim_config *dmasim_config_from_of(struct device *dev);

int dmasim_configfs_init(void);
void dmasim_configfs_exit(void);

void dmasim_debugfs_init(void);
void dmasim_debugfs_exit(void);
void dmasim_debugfs_add(struct dmasim *sim);
void dmasim_debugfs_remove(struct dmasim *sim);

extern const char * const dmasim_type_names[];
extern const char * const dmasim_refusal_names[];
extern const char * const dmasim_fault_names[];
extern const char * const dmasim_reach_names[];

#endif
