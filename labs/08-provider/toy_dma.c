// SPDX-License-Identifier: GPL-2.0-only
/*
 * toy_dma - a DMA controller's driver, in ten steps
 *
 *	# insmod toy_dma.ko steps=1
 *	# insmod toy_client.ko
 *	# dmesg | grep toy
 *	# rmmod toy_client toy_dma
 *
 * The controller has four channels, which copy memory and serve peripherals. In
 * place of the hardware there is a work item for each channel, toy_work(); all
 * the rest is as in a driver for a chip. What to look at: the ten steps, which
 * are marked, and on which list of its channel a descriptor is at which time.
 *
 *	prepared   c->allocated   by .device_prep_...
 *	submitted  c->submitted   by .tx_submit, which gives it its cookie
 *	issued     c->issued      by .device_issue_pending
 *	running    c->active      taken by the work
 *	completed  nobody's       its callback runs, and it is freed
 */
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/highmem.h>
#include <linux/interrupt.h>
#include <linux/list.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_dma.h>
#include <linux/overflow.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#define CHANNELS	4
#define MAX_SEGMENT	SZ_1M

/* Register widths of peripherals, in bytes. */
#define WIDTHS		(BIT(DMA_SLAVE_BUSWIDTH_1_BYTE) | BIT(DMA_SLAVE_BUSWIDTH_2_BYTES) | \
			 BIT(DMA_SLAVE_BUSWIDTH_4_BYTES) | BIT(DMA_SLAVE_BUSWIDTH_8_BYTES))

/* Contiguous on the bus, at both ends. */
struct toy_seg {
	dma_addr_t src;
	dma_addr_t dst;
	u32 len;
};

/* One transaction. But for node and done nothing changes after it was prepared. */
struct toy_desc {
	struct dma_async_tx_descriptor tx;
	struct list_head node;	/* in a list of the channel's; its lock */
	size_t len;
	size_t done;		/* moved so far; written by the work */
	u32 width;		/* of a register, or 0: no end is one */
	bool src_fixed;		/* the source is a register: each word is read there */
	bool dst_fixed;
	u32 n_segs;
	struct toy_seg seg[];
};

struct toy_chan {
	struct dma_chan chan;
	struct toy *toy;
	struct work_struct work;
	struct dma_slave_config config;	/* the client's; it does one thing at a time */
	spinlock_t lock;		/* protects all below, and the chan's cookies */
	struct list_head allocated;
	struct list_head submitted;
	struct list_head issued;
	struct toy_desc *active;	/* set by the work; cleared, it shall stop */
	dma_cookie_t failed;		/* the last one that did not end well */
};

struct toy {
	struct device *dev;
	struct workqueue_struct *wq;
	struct dma_device dma;
	struct toy_chan chan[CHANNELS];
};

static bool make_device;
module_param(make_device, bool, 0444);
MODULE_PARM_DESC(make_device, "make a device if the device tree has none");

static bool steps;
module_param(steps, bool, 0644);
MODULE_PARM_DESC(steps, "log each of the ten steps");

#define log_step(toy, fmt, ...)						\
do {									\
	if (steps)							\
		dev_info((toy)->dev, "step " fmt "\n", ##__VA_ARGS__);	\
} while (0)

static struct toy_chan *to_toy_chan(struct dma_chan *chan)
{
	return container_of(chan, struct toy_chan, chan);
}

static struct toy_desc *to_toy_desc(struct dma_async_tx_descriptor *tx)
{
	return container_of(tx, struct toy_desc, tx);
}

/* ---- the "hardware": what a chip does by itself ---- */

/* Where a bus address is in memory; NULL if there is none. */
static struct page *toy_page(struct toy *toy, dma_addr_t addr)
{
	unsigned long pfn = PHYS_PFN(dma_to_phys(toy->dev, addr));

	return pfn_valid(pfn) ? pfn_to_page(pfn) : NULL;
}

/* As many bytes as lie within a page at both ends; with a register, one word. */
static size_t toy_move_some(struct toy *toy, struct toy_desc *desc, dma_addr_t dst,
			    dma_addr_t src, size_t len)
{
	struct page *to = toy_page(toy, dst), *from = toy_page(toy, src);

	if (!to || !from)
		return 0;
	if (desc->width)
		len = desc->width;
	len = min3(len, PAGE_SIZE - offset_in_page(dst), PAGE_SIZE - offset_in_page(src));
	memcpy_page(to, offset_in_page(dst), from, offset_in_page(src), len);
	return len;
}

/* False if it was stopped, or there is no memory at an address. */
static bool toy_move_seg(struct toy_chan *c, struct toy_desc *desc, struct toy_seg *seg)
{
	size_t at = 0, n;

	while (at < seg->len) {
		if (READ_ONCE(c->active) != desc)
			return false;
		n = toy_move_some(c->toy, desc, seg->dst + (desc->dst_fixed ? 0 : at),
				  seg->src + (desc->src_fixed ? 0 : at), seg->len - at);
		if (!n)
			return false;
		at += n;
		WRITE_ONCE(desc->done, desc->done + n);
		cond_resched();
	}
	return true;
}

static bool toy_move(struct toy_chan *c, struct toy_desc *desc)
{
	u32 i;

	for (i = 0; i < desc->n_segs; i++)
		if (!toy_move_seg(c, desc, &desc->seg[i]))
			return false;
	return true;
}

/* ---- cookies: the numbers of transactions ---- */

/* A number counts up, and begins anew when it would become negative: an error. */
static dma_cookie_t toy_next_cookie(struct toy_chan *c)
{
	lockdep_assert_held(&c->lock);
	if (c->chan.cookie == INT_MAX)
		c->chan.cookie = DMA_MIN_COOKIE - 1;
	return ++c->chan.cookie;
}

/* ---- completion ---- */

/* Step 10, its end: tells the client, in a context as a tasklet's. */
static void toy_call_back(struct toy_desc *desc, bool good)
{
	struct dma_async_tx_descriptor *tx = &desc->tx;
	struct dmaengine_result result = {
		.result = good ? DMA_TRANS_NOERROR : DMA_TRANS_ABORTED,
		.residue = desc->len - desc->done,
	};

	dma_descriptor_unmap(tx);
	local_bh_disable();
	if (tx->callback_result)
		tx->callback_result(tx->callback_param, &result);
	else if (tx->callback)
		tx->callback(tx->callback_param);
	local_bh_enable();
	dma_run_dependencies(tx);
}

/* False if the transaction was terminated meanwhile: nobody hears of it. */
static bool toy_complete(struct toy_chan *c, struct toy_desc *desc, bool good)
{
	bool ours;

	spin_lock_irq(&c->lock);
	ours = c->active == desc;
	if (ours) {
		c->active = NULL;
		c->chan.completed_cookie = desc->tx.cookie;
		if (!good)
			c->failed = desc->tx.cookie;
	}
	spin_unlock_irq(&c->lock);
	return ours;
}

static struct toy_desc *toy_start_next(struct toy_chan *c)
{
	struct toy_desc *desc;

	spin_lock_irq(&c->lock);
	desc = list_first_entry_or_null(&c->issued, struct toy_desc, node);
	if (desc)
		list_del_init(&desc->node);
	WRITE_ONCE(c->active, desc);
	spin_unlock_irq(&c->lock);
	return desc;
}

/*
 * Step 10: the transactions that were issued, in their order. A chip does the
 * moving, and its interrupt handler the rest.
 */
static void toy_work(struct work_struct *work)
{
	struct toy_chan *c = container_of(work, struct toy_chan, work);
	struct toy_desc *desc;

	while ((desc = toy_start_next(c))) {
		bool good = toy_move(c, desc);

		if (toy_complete(c, desc, good)) {
			log_step(c->toy, "10: channel %d: %zu bytes moved", c->chan.chan_id,
				 desc->done);
			/* Without the lock: the callback may submit the next one. */
			toy_call_back(desc, good);
		}
		kfree(desc);
	}
}

/* ---- step 3: what dmaengine asks of a channel ---- */

/* Step 5: a client gets the channel. May sleep. */
static int toy_alloc_chan_resources(struct dma_chan *chan)
{
	struct toy_chan *c = to_toy_chan(chan);

	chan->cookie = DMA_MIN_COOKIE;
	chan->completed_cookie = DMA_MIN_COOKIE;
	c->failed = 0;
	memset(&c->config, 0, sizeof(c->config));
	log_step(c->toy, "5: channel %d: taken", chan->chan_id);
	return 0;
}

/* Step 6: what the peripheral is like. It is used when something is prepared. */
static int toy_config(struct dma_chan *chan, struct dma_slave_config *config)
{
	struct toy_chan *c = to_toy_chan(chan);

	c->config = *config;
	log_step(c->toy, "6: channel %d: configured", chan->chan_id);
	return 0;
}

/*
 * Step 8: dmaengine_submit(). The transaction gets its number, and its place in
 * the queue.
 */
static dma_cookie_t toy_tx_submit(struct dma_async_tx_descriptor *tx)
{
	struct toy_chan *c = to_toy_chan(tx->chan);
	unsigned long flags;
	dma_cookie_t cookie;

	spin_lock_irqsave(&c->lock, flags);
	cookie = toy_next_cookie(c);
	tx->cookie = cookie;
	list_move_tail(&to_toy_desc(tx)->node, &c->submitted);
	spin_unlock_irqrestore(&c->lock, flags);
	log_step(c->toy, "8: channel %d: submitted", c->chan.chan_id);
	return cookie;
}

/*
 * Step 7: an empty transaction, for the functions below. It must not sleep: a
 * client may be in a callback. From here on it is the channel's to free.
 */
static struct toy_desc *toy_prep(struct toy_chan *c, u32 n_segs, unsigned long flags)
{
	struct toy_desc *desc = kzalloc(struct_size(desc, seg, n_segs), GFP_NOWAIT);
	unsigned long irq;

	if (!desc)
		return NULL;
	dma_async_tx_descriptor_init(&desc->tx, &c->chan);
	desc->tx.tx_submit = toy_tx_submit;
	desc->tx.flags = flags;
	desc->n_segs = n_segs;
	spin_lock_irqsave(&c->lock, irq);
	list_add_tail(&desc->node, &c->allocated);
	spin_unlock_irqrestore(&c->lock, irq);
	log_step(c->toy, "7: channel %d: prepared", c->chan.chan_id);
	return desc;
}

static struct dma_async_tx_descriptor *toy_prep_memcpy(struct dma_chan *chan, dma_addr_t dst,
						       dma_addr_t src, size_t len,
						       unsigned long flags)
{
	struct toy_desc *desc;

	if (!len || len > U32_MAX)
		return NULL;
	desc = toy_prep(to_toy_chan(chan), 1, flags);
	if (!desc)
		return NULL;
	desc->seg[0] = (struct toy_seg){ .src = src, .dst = dst, .len = len };
	desc->len = len;
	return &desc->tx;
}

/* Whether each entry is of whole words of the register. */
static bool toy_fits(struct scatterlist *sgl, unsigned int n, u32 width)
{
	struct scatterlist *sg;
	unsigned int i;

	if (!n || !is_power_of_2(width) || !(WIDTHS & BIT(width)))
		return false;
	for_each_sg(sgl, sg, n, i)
		if (!sg_dma_len(sg) || (sg_dma_len(sg) | sg_dma_address(sg)) & (width - 1))
			return false;
	return true;
}

static struct dma_async_tx_descriptor *
toy_prep_slave_sg(struct dma_chan *chan, struct scatterlist *sgl, unsigned int n,
		  enum dma_transfer_direction dir, unsigned long flags, void *context)
{
	struct toy_chan *c = to_toy_chan(chan);
	bool out = dir == DMA_MEM_TO_DEV;
	dma_addr_t reg = out ? c->config.dst_addr : c->config.src_addr;
	u32 width = out ? c->config.dst_addr_width : c->config.src_addr_width;
	struct scatterlist *sg;
	struct toy_desc *desc;
	unsigned int i;

	if ((!out && dir != DMA_DEV_TO_MEM) || !toy_page(c->toy, reg) ||
	    !toy_fits(sgl, n, width))
		return NULL;
	desc = toy_prep(c, n, flags);
	if (!desc)
		return NULL;
	desc->width = width;
	desc->src_fixed = !out;
	desc->dst_fixed = out;
	for_each_sg(sgl, sg, n, i) {
		desc->seg[i].src = out ? sg_dma_address(sg) : reg;
		desc->seg[i].dst = out ? reg : sg_dma_address(sg);
		desc->seg[i].len = sg_dma_len(sg);
		desc->len += sg_dma_len(sg);
	}
	return &desc->tx;
}

/* Step 9: dma_async_issue_pending(). What was submitted so far may run. */
static void toy_issue_pending(struct dma_chan *chan)
{
	struct toy_chan *c = to_toy_chan(chan);
	unsigned long flags;

	log_step(c->toy, "9: channel %d: issued", chan->chan_id);
	spin_lock_irqsave(&c->lock, flags);
	list_splice_tail_init(&c->submitted, &c->issued);
	if (!list_empty(&c->issued))
		queue_work(c->toy->wq, &c->work);
	spin_unlock_irqrestore(&c->lock, flags);
}

/* How much of a transaction is still to be moved; 0 if there is no such. */
static u32 toy_residue(struct toy_chan *c, dma_cookie_t cookie)
{
	struct list_head *lists[] = { &c->submitted, &c->issued };
	struct toy_desc *desc;
	int i;

	lockdep_assert_held(&c->lock);
	if (c->active && c->active->tx.cookie == cookie)
		return c->active->len - READ_ONCE(c->active->done);
	for (i = 0; i < ARRAY_SIZE(lists); i++)
		list_for_each_entry(desc, lists[i], node)
			if (desc->tx.cookie == cookie)
				return desc->len;
	return 0;
}

static enum dma_status toy_tx_status(struct dma_chan *chan, dma_cookie_t cookie,
				     struct dma_tx_state *state)
{
	struct toy_chan *c = to_toy_chan(chan);
	enum dma_status status;
	unsigned long flags;
	u32 residue = 0;

	spin_lock_irqsave(&c->lock, flags);
	status = dma_async_is_complete(cookie, chan->completed_cookie, chan->cookie);
	if (status == DMA_IN_PROGRESS)
		residue = toy_residue(c, cookie);
	else if (cookie == c->failed)
		status = DMA_ERROR;
	dma_set_tx_state(state, chan->completed_cookie, chan->cookie, residue);
	spin_unlock_irqrestore(&c->lock, flags);
	return status;
}

/*
 * Ends everything, and may be called from a callback: so it can't wait. What is
 * being moved right now is left to the work, which finds that it is not active
 * any more.
 */
static int toy_terminate_all(struct dma_chan *chan)
{
	struct toy_chan *c = to_toy_chan(chan);
	struct toy_desc *desc, *next;
	unsigned long flags;
	LIST_HEAD(gone);

	spin_lock_irqsave(&c->lock, flags);
	list_splice_tail_init(&c->allocated, &gone);
	list_splice_tail_init(&c->submitted, &gone);
	list_splice_tail_init(&c->issued, &gone);
	WRITE_ONCE(c->active, NULL);
	spin_unlock_irqrestore(&c->lock, flags);
	list_for_each_entry_safe(desc, next, &gone, node)
		kfree(desc);
	return 0;
}

/* Here it is waited: afterwards nothing is moved and no callback runs. */
static void toy_synchronize(struct dma_chan *chan)
{
	flush_work(&to_toy_chan(chan)->work);
}

/* The client gives the channel back. May sleep. */
static void toy_free_chan_resources(struct dma_chan *chan)
{
	toy_terminate_all(chan);
	toy_synchronize(chan);
}

/* ---- the device ---- */

/* Step 2: the channels. */
static void toy_init_channel(struct toy *toy, struct toy_chan *c)
{
	c->toy = toy;
	c->chan.device = &toy->dma;
	INIT_WORK(&c->work, toy_work);
	spin_lock_init(&c->lock);
	INIT_LIST_HEAD(&c->allocated);
	INIT_LIST_HEAD(&c->submitted);
	INIT_LIST_HEAD(&c->issued);
	list_add_tail(&c->chan.device_node, &toy->dma.channels);
}

/* Without a device tree: which device gets which channel by which name. */
static const struct dma_slave_map toy_map[] = {
	{ "toy_client", "copy", (void *)0 },
	{ "toy_client", "tx", (void *)1 },
};

static bool toy_filter(struct dma_chan *chan, void *number)
{
	return chan->chan_id == (unsigned long)number;
}

/* Step 1: what the controller can do, and step 3: how it is asked to do it. */
static void toy_describe(struct toy *toy)
{
	struct dma_device *dma = &toy->dma;

	dma->dev = toy->dev;
	dma_cap_set(DMA_MEMCPY, dma->cap_mask);
	dma_cap_set(DMA_SLAVE, dma->cap_mask);
	/* Only who asks for a channel gets one. */
	dma_cap_set(DMA_PRIVATE, dma->cap_mask);
	dma->directions = BIT(DMA_MEM_TO_MEM) | BIT(DMA_MEM_TO_DEV) | BIT(DMA_DEV_TO_MEM);
	dma->src_addr_widths = WIDTHS;
	dma->dst_addr_widths = WIDTHS;
	dma->residue_granularity = DMA_RESIDUE_GRANULARITY_BURST;
	dma->filter.map = toy_map;
	dma->filter.mapcnt = ARRAY_SIZE(toy_map);
	dma->filter.fn = toy_filter;
	INIT_LIST_HEAD(&dma->channels);

	dma->device_alloc_chan_resources = toy_alloc_chan_resources;
	dma->device_free_chan_resources = toy_free_chan_resources;
	dma->device_config = toy_config;
	dma->device_prep_dma_memcpy = toy_prep_memcpy;
	dma->device_prep_slave_sg = toy_prep_slave_sg;
	dma->device_issue_pending = toy_issue_pending;
	dma->device_tx_status = toy_tx_status;
	dma->device_terminate_all = toy_terminate_all;
	dma->device_synchronize = toy_synchronize;
}

static void toy_free_of(void *dev)
{
	of_dma_controller_free(dev_of_node(dev));
}

/* A client's "dmas" in the device tree names the number of a channel. */
static int toy_register_of(struct toy *toy)
{
	struct device_node *node = dev_of_node(toy->dev);
	int ret;

	if (!node)
		return 0;
	ret = of_dma_controller_register(node, of_dma_xlate_by_chan_id, &toy->dma);
	return ret ?: devm_add_action_or_reset(toy->dev, toy_free_of, toy->dev);
}

/* What devm frees it frees backwards: the channels first, the workqueue last. */
static void toy_free_wq(void *wq)
{
	destroy_workqueue(wq);
}

static int toy_alloc_wq(struct toy *toy)
{
	toy->wq = alloc_workqueue("toy_dma", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!toy->wq)
		return -ENOMEM;
	return devm_add_action_or_reset(toy->dev, toy_free_wq, toy->wq);
}

static int toy_set_masks(struct device *dev)
{
	/* It takes bus addresses apart itself, and knows no IOMMU's tables. */
	if (device_iommu_mapped(dev))
		return dev_err_probe(dev, -EOPNOTSUPP, "can't work behind an IOMMU\n");
	dma_set_max_seg_size(dev, MAX_SEGMENT);
	return dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
}

static int toy_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct toy *toy = devm_kzalloc(dev, sizeof(*toy), GFP_KERNEL);
	int i, ret;

	if (!toy)
		return -ENOMEM;
	toy->dev = dev;
	ret = toy_set_masks(dev);
	if (ret)
		return ret;
	ret = toy_alloc_wq(toy);
	if (ret)
		return ret;
	toy_describe(toy);
	log_step(toy, "1: the controller is described");
	for (i = 0; i < CHANNELS; i++)
		toy_init_channel(toy, &toy->chan[i]);
	log_step(toy, "2: it has %d channels", CHANNELS);
	log_step(toy, "3: and its operations");

	/* Step 4: from here on there are clients. */
	ret = dmaenginem_async_device_register(&toy->dma);
	if (ret)
		return dev_err_probe(dev, ret, "dmaengine does not take it\n");
	log_step(toy, "4: registered");
	return toy_register_of(toy);
}

static const struct of_device_id toy_of_match[] = {
	{ .compatible = "dmafd,toy-dma" },
	{ }
};
MODULE_DEVICE_TABLE(of, toy_of_match);

static struct platform_driver toy_driver = {
	.probe = toy_probe,
	.driver = {
		.name = "toy_dma",
		.of_match_table = toy_of_match,
		/* Clients hold the module, but nothing holds a binding. */
		.suppress_bind_attrs = true,
	},
};

/* The device that we have made ourselves, if any. */
static struct platform_device *toy_made;

static int __init toy_make_device(void)
{
	struct device_node *node = of_find_matching_node(NULL, toy_of_match);

	of_node_put(node);
	if (node)
		return 0;
	toy_made = platform_device_register_simple(toy_driver.driver.name,
						   PLATFORM_DEVID_NONE, NULL, 0);
	return PTR_ERR_OR_ZERO(toy_made);
}

static int __init toy_init(void)
{
	int ret = platform_driver_register(&toy_driver);

	if (ret || !make_device)
		return ret;
	ret = toy_make_device();
	if (ret)
		platform_driver_unregister(&toy_driver);
	return ret;
}
module_init(toy_init);

static void __exit toy_exit(void)
{
	platform_device_unregister(toy_made);
	platform_driver_unregister(&toy_driver);
}
module_exit(toy_exit);

MODULE_DESCRIPTION("Lab: a DMA controller's driver in ten steps");
MODULE_LICENSE("GPL");
