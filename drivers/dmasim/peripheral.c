// SPDX-License-Identifier: GPL-2.0-only
/*
 * The peripherals: FIFOs that a slave channel fills and empties, at the pace of
 * the peripheral's own rate. Nothing runs here by itself: what happened since is
 * worked out whenever somebody looks.
 */
#include <linux/crc32.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "dmasim.h"

#define FIRST_ADDRESS	0xd0000000ULL
#define ADDRESS_STEP	0x1000ULL

int dmasim_peripherals_init(struct dmasim *sim)
{
	const struct dmasim_config *config = sim->config;
	struct dmasim_peripheral *p;
	unsigned int i;

	if (!config->peripherals)
		return 0;
	sim->peripheral = kcalloc(config->peripherals, sizeof(*p), GFP_KERNEL);
	if (!sim->peripheral)
		return -ENOMEM;
	for (i = 0; i < config->peripherals; i++) {
		p = &sim->peripheral[i];
		p->config = &config->peripheral[i];
		p->address = p->config->address ?:
			     FIRST_ADDRESS + p->config->line * ADDRESS_STEP;
		spin_lock_init(&p->lock);
		INIT_LIST_HEAD(&p->waiting);
		if (p->config->kind != DMASIM_LOOPBACK)
			continue;
		p->ring = kvmalloc(p->config->depth, GFP_KERNEL);
		if (!p->ring) {
			dmasim_peripherals_exit(sim);
			return -ENOMEM;
		}
	}
	return 0;
}

void dmasim_peripherals_exit(struct dmasim *sim)
{
	unsigned int i;

	for (i = 0; sim->peripheral && i < sim->config->peripherals; i++)
		kvfree(sim->peripheral[i].ring);
	kfree(sim->peripheral);
	sim->peripheral = NULL;
}

struct dmasim_peripheral *dmasim_peripheral_at(struct dmasim *sim, u64 address)
{
	unsigned int i;

	for (i = 0; sim->peripheral && i < sim->config->peripherals; i++)
		if (sim->peripheral[i].address == address)
			return &sim->peripheral[i];
	return NULL;
}

struct dmasim_peripheral *dmasim_peripheral_on(struct dmasim *sim, unsigned int line)
{
	unsigned int i;

	for (i = 0; sim->peripheral && i < sim->config->peripherals; i++)
		if (sim->peripheral[i].config->line == line)
			return &sim->peripheral[i];
	return NULL;
}

/* How many bytes the rate stands for since the last call. */
static u64 elapsed_bytes(struct dmasim_peripheral *p)
{
	u64 passed = ktime_get_ns() - ktime_to_ns(p->then);
	u64 bytes = mul_u64_u64_div_u64(passed, p->config->rate, NSEC_PER_SEC);

	/* Only the time of whole bytes, so that slow rates lose nothing. */
	p->then = ktime_add_ns(p->then, mul_u64_u64_div_u64(bytes, NSEC_PER_SEC,
							    p->config->rate));
	return bytes;
}

static void account_source(struct dmasim_peripheral *p)
{
	u64 level = p->config->depth;

	if (p->config->rate) {
		u64 bytes = elapsed_bytes(p);

		level = p->level + bytes;
		p->produced += bytes;
		if (level > p->config->depth) {
			/* The oldest are gone. */
			p->overruns += level - p->config->depth;
			level = p->config->depth;
		}
	} else {
		p->produced += level - p->level;
	}
	p->level = level;
}

static void account_sink(struct dmasim_peripheral *p)
{
	u64 bytes = p->config->rate ? elapsed_bytes(p) : p->level;

	if (bytes > p->level) {
		p->underruns += bytes - p->level;
		bytes = p->level;
	}
	p->level -= bytes;
}

static void account_loopback(struct dmasim_peripheral *p)
{
	u64 bytes = p->config->rate ? elapsed_bytes(p) : p->level;

	p->ready = min_t(u64, p->level, p->ready + bytes);
}

/* Brings the FIFO up to date, and starts it if it stands still. */
static void account(struct dmasim_peripheral *p)
{
	lockdep_assert_held(&p->lock);

	if (!p->running) {
		p->running = true;
		p->then = ktime_get();
		if (p->config->kind != DMASIM_LOOPBACK) {
			p->level = 0;
			p->produced = 0;
			p->in = 0;
			p->out = 0;
			p->crc = 0;
		}
	}
	switch (p->config->kind) {
	case DMASIM_SOURCE:
		account_source(p);
		break;
	case DMASIM_SINK:
		account_sink(p);
		break;
	default:
		account_loopback(p);
	}
}

/* Bytes that may move now. */
static size_t available(struct dmasim_peripheral *p, bool to_device)
{
	if (to_device)
		return p->config->depth - p->level;
	return p->config->kind == DMASIM_LOOPBACK ? p->ready : p->level;
}

static bool goes_that_way(struct dmasim_peripheral *p, bool to_device)
{
	return p->config->kind == DMASIM_LOOPBACK ||
	       (p->config->kind == DMASIM_SINK) == to_device;
}

/* When there will be @need bytes, if time alone brings them; else 0. */
static u64 time_until(struct dmasim_peripheral *p, size_t need, bool to_device)
{
	size_t have = available(p, to_device);

	if (!p->config->rate || !goes_that_way(p, to_device))
		return 0;
	if (p->config->kind == DMASIM_LOOPBACK && (to_device || p->level < need))
		return 0;
	return mul_u64_u64_div_u64(need - have, NSEC_PER_SEC, p->config->rate) + 1;
}

static bool request(struct dmasim_peripheral *p, struct dmasim_chan *chan, size_t need,
		    bool to_device, u64 *wait)
{
	lockdep_assert_held(&p->lock);

	*wait = 0;
	account(p);
	need = min_t(size_t, need, p->config->depth);
	if (goes_that_way(p, to_device) && available(p, to_device) >= need)
		return true;
	*wait = time_until(p, need, to_device);
	if (!*wait && list_empty(&chan->waiting))
		list_add_tail(&chan->waiting, &p->waiting);
	return false;
}

bool dmasim_peripheral_request(struct dmasim_peripheral *p, struct dmasim_chan *chan,
			       size_t need, bool to_device, u64 *wait)
{
	unsigned long flags;
	bool up;

	lockdep_assert_held(&chan->lock);

	spin_lock_irqsave(&p->lock, flags);
	up = request(p, chan, need, to_device, wait);
	spin_unlock_irqrestore(&p->lock, flags);
	return up;
}

static u8 source_byte(const struct dmasim_peripheral *p, u64 position)
{
	switch (p->config->pattern) {
	case DMASIM_COUNTER16:
		return (position / 2) >> (position % 2 * 8);
	case DMASIM_COUNTER32:
		return (position / 4) >> (position % 4 * 8);
	case DMASIM_VALUES: {
		u32 rest;

		div_u64_rem(position, p->config->values_size, &rest);
		return ((const u8 *)p->config->values)[rest];
	}
	default:
		return position;
	}
}

static void take(struct dmasim_peripheral *p, u8 *memory, size_t len)
{
	size_t first = min_t(size_t, len, p->config->depth - p->head), i;

	if (p->config->kind == DMASIM_LOOPBACK) {
		memcpy(memory, p->ring + p->head, first);
		memcpy(memory + first, p->ring, len - first);
		p->head = p->head + len >= p->config->depth ? p->head + len - p->config->depth :
			  p->head + len;
		p->ready -= len;
	} else {
		for (i = 0; i < len; i++)
			memory[i] = source_byte(p, p->produced - p->level + i);
	}
	p->level -= len;
	p->out += len;
}

static void put(struct dmasim_peripheral *p, const u8 *memory, size_t len)
{
	size_t tail = p->head + p->level, first;

	if (p->config->kind == DMASIM_LOOPBACK) {
		if (tail >= p->config->depth)
			tail -= p->config->depth;
		first = min_t(size_t, len, p->config->depth - tail);
		memcpy(p->ring + tail, memory, first);
		memcpy(p->ring, memory + first, len - first);
	} else {
		p->crc = ~crc32_le(~p->crc, memory, len);
	}
	p->level += len;
	p->in += len;
}

/* Something moved: who waits for the FIFO may look again. */
static void wake_waiting(struct dmasim_peripheral *p)
{
	struct dmasim_chan *chan, *next;

	lockdep_assert_held(&p->lock);

	list_for_each_entry_safe(chan, next, &p->waiting, waiting) {
		list_del_init(&chan->waiting);
		dmasim_chan_kick(chan);
	}
}

size_t dmasim_peripheral_move(struct dmasim_peripheral *p, struct dmasim_chan *chan,
			      void *memory, size_t max, size_t burst, bool to_device,
			      u64 *wait)
{
	unsigned long flags;
	size_t len = 0;

	lockdep_assert_held(&chan->lock);

	spin_lock_irqsave(&p->lock, flags);
	if (request(p, chan, min(max, burst), to_device, wait)) {
		list_del_init(&chan->waiting);
		len = min(max, available(p, to_device));
		if (len > burst)
			len -= len % burst;
		if (to_device)
			put(p, memory, len);
		else
			take(p, memory, len);
		wake_waiting(p);
	}
	spin_unlock_irqrestore(&p->lock, flags);
	return len;
}

void dmasim_peripheral_leave(struct dmasim_peripheral *p, struct dmasim_chan *chan)
{
	unsigned long flags;

	spin_lock_irqsave(&p->lock, flags);
	list_del_init(&chan->waiting);
	p->running = false;
	spin_unlock_irqrestore(&p->lock, flags);
}

static void show(struct seq_file *s, struct dmasim_peripheral *p)
{
	static const char * const kinds[] = { "loopback", "source", "sink" };
	unsigned long flags;

	spin_lock_irqsave(&p->lock, flags);
	if (p->running && p->config->kind == DMASIM_SOURCE)
		account(p);
	seq_printf(s, "%s: kind %s line %u address %#llx level %zu depth %u in %llu out %llu overruns %llu underruns %llu crc %08x\n",
		   p->config->name, kinds[p->config->kind], p->config->line, p->address,
		   p->level, p->config->depth, p->in, p->out, p->overruns, p->underruns, p->crc);
	spin_unlock_irqrestore(&p->lock, flags);
}

void dmasim_peripherals_show(struct seq_file *s, struct dmasim *sim)
{
	unsigned int i;

	for (i = 0; sim->peripheral && i < sim->config->peripherals; i++)
		show(s, &sim->peripheral[i]);
}
