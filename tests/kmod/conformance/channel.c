// SPDX-License-Identifier: GPL-2.0-only
/*
 * The channels that are tested: requested, asked, terminated.
 */
#include <linux/delay.h>
#include <linux/platform_device.h>

#include "conf.h"

struct conf_choice {
	const char *name, *provider;
};

static bool choose(struct dma_chan *chan, void *data)
{
	struct conf_choice *choice = data;

	if (*choice->name && strcmp(choice->name, dma_chan_name(chan)))
		return false;
	return !*choice->provider ||
	       !strcmp(choice->provider, dev_name(chan->device->dev));
}

struct dma_chan *conf_request_chan(const char *name, const char *provider)
{
	struct conf_choice choice = { .name = name, .provider = provider };
	dma_cap_mask_t mask;

	dma_cap_zero(mask);
	if (!*name && !*provider)
		dma_cap_set(DMA_MEMCPY, mask);
	return dma_request_channel(mask, choose, &choice);
}

/* The device that asks for slave channels: one that is there, or our own. */
static int find_slave_dev(struct conf *c)
{
	const char *name = c->p.slave_dev;

	c->slave_dev = bus_find_device_by_name(&platform_bus_type, NULL, name);
	if (c->slave_dev)
		return 0;
	c->own_dev = platform_device_register_simple(name, PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(c->own_dev)) {
		int err = PTR_ERR(c->own_dev);

		c->own_dev = NULL;
		return err;
	}
	c->slave_dev = get_device(&c->own_dev->dev);
	return 0;
}

/* A channel of the same provider, by its name if there is one. */
static struct dma_chan *request_beside(struct conf *c, const char *name)
{
	struct dma_chan *chan;

	chan = conf_request_chan(name, dev_name(c->chan->device->dev));
	return chan ?: ERR_PTR(-ENODEV);
}

static int request_slave(struct conf *c, const char *name, u64 addr, struct dma_chan **chan)
{
	if (!addr)
		return 0;
	*chan = c->slave_dev ? dma_request_chan(c->slave_dev, name) : request_beside(c, name);
	if (IS_ERR(*chan)) {
		int err = PTR_ERR(*chan);

		*chan = NULL;
		pr_warn("conformance: no channel \"%s\" for the peripheral: %d\n", name, err);
		return err;
	}
	return 0;
}

static int request_slaves(struct conf *c)
{
	int err = 0;

	if (c->p.fifo_memory) {
		c->tx = c->chan;
		c->rx = c->chan;
		return 0;
	}
	if (*c->p.slave_dev)
		err = find_slave_dev(c);
	if (!err)
		err = request_slave(c, c->p.tx, c->p.tx_addr, &c->tx);
	if (!err)
		err = request_slave(c, c->p.rx, c->p.rx_addr, &c->rx);
	return err;
}

int conf_request(struct conf *c)
{
	const char *provider;
	int err;

	c->chan = conf_request_chan(c->p.chan, c->p.provider);
	if (!c->chan)
		return -ENODEV;
	/* The second one is of the same provider, unless it is named. */
	provider = *c->p.chan2 ? "" : dev_name(c->chan->device->dev);
	c->chan2 = conf_request_chan(c->p.chan2, provider);
	err = request_slaves(c);
	if (!err && *c->p.chan2 && !c->chan2)
		err = -ENODEV;
	if (err)
		conf_release(c);
	return err;
}

static void release(struct conf *c, struct dma_chan **chan)
{
	if (*chan)
		dma_release_channel(*chan);
	*chan = NULL;
}

void conf_release(struct conf *c)
{
	if (c->wedged)
		return;
	if (c->tx == c->chan)
		c->tx = NULL;
	if (c->rx == c->chan)
		c->rx = NULL;
	release(c, &c->rx);
	release(c, &c->tx);
	release(c, &c->chan2);
	release(c, &c->chan);
	put_device(c->slave_dev);
	c->slave_dev = NULL;
	platform_device_unregister(c->own_dev);
	c->own_dev = NULL;
}

struct device *conf_dev(struct dma_chan *chan)
{
	return dmaengine_get_dma_device(chan);
}

struct dma_slave_caps conf_caps(struct dma_chan *chan)
{
	struct dma_slave_caps caps = {};

	if (dma_get_slave_caps(chan, &caps)) {
		caps = (struct dma_slave_caps){
			.residue_granularity = chan->device->residue_granularity,
			.cmd_pause = !!chan->device->device_pause,
			.cmd_resume = !!chan->device->device_resume,
			.cmd_terminate = !!chan->device->device_terminate_all,
		};
	}
	return caps;
}

static const char * const type_names[DMA_TX_TYPE_END] = {
	[DMA_MEMCPY] = "DMA_MEMCPY",
	[DMA_XOR] = "DMA_XOR",
	[DMA_XOR_VAL] = "DMA_XOR_VAL",
	[DMA_MEMSET] = "DMA_MEMSET",
	[DMA_MEMSET_SG] = "DMA_MEMSET_SG",
	[DMA_INTERRUPT] = "DMA_INTERRUPT",
	[DMA_SLAVE] = "DMA_SLAVE",
	[DMA_CYCLIC] = "DMA_CYCLIC",
	[DMA_INTERLEAVE] = "DMA_INTERLEAVE",
	[DMA_REPEAT] = "DMA_REPEAT",
	[DMA_LOAD_EOT] = "DMA_LOAD_EOT",
};

bool conf_need(struct conf *c, enum dma_transaction_type type)
{
	if (dma_has_cap(type, c->chan->device->cap_mask))
		return true;
	kt_skip(c->t, "the provider has no %s", type_names[type]);
	return false;
}

bool conf_in_order(struct dma_chan *chan)
{
	return !dma_has_cap(DMA_COMPLETION_NO_ORDER, chan->device->cap_mask);
}

bool conf_need_order(struct conf *c)
{
	if (!conf_need(c, DMA_MEMCPY))
		return false;
	if (conf_in_order(c->chan))
		return true;
	kt_skip(c->t, "the provider has DMA_COMPLETION_NO_ORDER");
	return false;
}

bool conf_need_terminate(struct conf *c)
{
	if (conf_caps(c->chan).cmd_terminate)
		return true;
	kt_skip(c->t, "the provider has no terminate");
	return false;
}

bool conf_need_segment(struct conf *c, size_t len)
{
	if (c->max_len >= len && c->align <= 64)
		return true;
	kt_skip(c->t, "segments of at most %zu bytes, aligned to %zu, are not for this",
		c->max_len, c->align);
	return false;
}

bool conf_need_chan2(struct conf *c)
{
	if (c->chan2)
		return true;
	kt_skip(c->t, "there is no second channel");
	return false;
}

/* Without a way to stop it, it may yet end by itself. */
static bool wait_for_jobs(struct conf *c, struct dma_chan *chan)
{
	unsigned long end = jiffies + msecs_to_jiffies(c->p.timeout_ms);
	struct conf_job *job;

	list_for_each_entry(job, &c->jobs, node) {
		while (job->chan == chan && job->cookie > 0 && !atomic_read(&job->calls)) {
			if (time_after(jiffies, end))
				return false;
			usleep_range(1000, 2000);
		}
	}
	return true;
}

static void wedge(struct conf *c, int err)
{
	KT_FAIL(c->t, "the channel can't be stopped (%d): nothing is freed any more", err);
	if (!c->wedged)
		__module_get(THIS_MODULE);
	c->wedged = true;
}

/* Some of it was not complete, and would call back if it went on. */
static bool had_work(struct conf *c, struct dma_chan *chan)
{
	struct conf_job *job;

	list_for_each_entry(job, &c->jobs, node)
		if (job->chan == chan && job->cookie >= DMA_MIN_COOKIE &&
		    (job->endless || !atomic_read(&job->calls)))
			return true;
	return false;
}

static unsigned int callbacks_of(struct conf *c, struct dma_chan *chan)
{
	unsigned int calls = 0;
	struct conf_job *job;

	list_for_each_entry(job, &c->jobs, node)
		if (job->chan == chan)
			calls += atomic_read(&job->calls);
	return calls;
}

/* A provider that goes on would write to freed memory, and call freed jobs back. */
static bool is_quiet(struct conf *c, struct dma_chan *chan)
{
	unsigned int before = callbacks_of(c, chan);

	if (!had_work(c, chan))
		return true;
	conf_quiet(c);
	return callbacks_of(c, chan) == before;
}

bool conf_terminate(struct conf *c, struct dma_chan *chan)
{
	int err;

	if (!conf_caps(chan).cmd_terminate) {
		if (!wait_for_jobs(c, chan))
			wedge(c, -EOPNOTSUPP);
		return !c->wedged;
	}
	err = dmaengine_terminate_async(chan);
	if (!err) {
		conf_synchronize(chan);
		err = is_quiet(c, chan) ? 0 : -EBUSY;
	}
	if (err)
		wedge(c, err);
	return !err;
}

void conf_synchronize(struct dma_chan *chan)
{
	if (chan->device->device_synchronize)
		dmaengine_synchronize(chan);
	else
		/* Nothing tells when a callback that is on its way is over. */
		msleep(20);
}

size_t conf_round(struct conf *c, size_t len)
{
	return round_up(len, c->align);
}

size_t conf_length(struct conf *c, unsigned int index, size_t align, size_t max)
{
	static const u32 lengths[] = {
		1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 20, 31, 32, 33, 60, 63, 64, 65, 68,
		100, 127, 128, 129, 255, 256, 257, 511, 512, 513, 1000, 1023, 1024, 1025, 2044,
		2047, 2048, 2049, 4092, 4095, 4096, 4097, 4100, 6000, 8191, 8192, 8193, 12288,
		16380, 16383, 16384, 16385, 32767, 32768, 32769, 65532, 65535, 65536, 65537,
	};
	size_t len, before = 0;
	unsigned int i;

	/* Several round up to the same. */
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		len = round_up(lengths[i], align);
		if (len == before || len > max)
			continue;
		if (!index--)
			return len;
		before = len;
	}
	return 0;
}

u32 conf_random(struct conf *c, u32 below)
{
	u32 x = (u32)atomic_add_return(0x3c6ef372, &c->seed) * 0x9e3779b1;

	x ^= x >> 16;
	x *= 0x85ebca6b;
	x ^= x >> 13;
	return ((u64)x * below) >> 32;
}
