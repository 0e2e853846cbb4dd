// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which channels there are. The DMA engine does not tell, but it asks a filter
 * about each that is free when somebody wants one. It holds its lock meanwhile, so
 * that none of them goes away.
 */
#include <linux/device/class.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "dmafd.h"

static DEFINE_MUTEX(found_lock);	/* protects the list */
static LIST_HEAD(found);

/* The class of all channels, from when one was seen; it never goes. */
static typeof_member(struct device, class) chan_class;

void dmafd_found_add(struct dmafd_chan *chan)
{
	mutex_lock(&found_lock);
	list_add_tail(&chan->found, &found);
	mutex_unlock(&found_lock);
}

void dmafd_found_remove(struct dmafd_chan *chan)
{
	mutex_lock(&found_lock);
	list_del_init(&chan->found);
	mutex_unlock(&found_lock);
}

void dmafd_found_each(void (*call)(struct dmafd_chan *chan, void *param), void *param)
{
	struct dmafd_chan *chan;

	mutex_lock(&found_lock);
	list_for_each_entry(chan, &found, found)
		call(chan, param);
	mutex_unlock(&found_lock);
}

u32 dmafd_caps(struct dma_chan *dma)
{
	static const struct {
		enum dma_transaction_type type;
		u32 cap;
	} caps[] = {
		{ DMA_MEMCPY, DMAFD_CAP_COPY },
		{ DMA_MEMSET, DMAFD_CAP_FILL },
		{ DMA_XOR, DMAFD_CAP_XOR },
		{ DMA_SLAVE, DMAFD_CAP_SLAVE },
		{ DMA_CYCLIC, DMAFD_CAP_CYCLIC },
		{ DMA_INTERLEAVE, DMAFD_CAP_INTERLEAVE },
	};
	u32 all = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(caps); i++)
		if (dma_has_cap(caps[i].type, dma->device->cap_mask))
			all |= caps[i].cap;
	return all;
}

/* Asks the filter about each channel that is free; the one that it wants, or NULL. */
static struct dma_chan *ask(dma_filter_fn filter, void *param)
{
	dma_cap_mask_t any;

	dma_cap_zero(any);
	return dma_request_channel(any, filter, param);
}

/* ---- one of them ---- */

struct wish {
	const char *name;
	u32 caps;
	bool unfit;	/* one would have been it, but can't do that */
};

static bool is_wished(struct dma_chan *dma, void *param)
{
	struct wish *wish = param;

	WRITE_ONCE(chan_class, dma->dev->device.class);
	if (*wish->name && strcmp(wish->name, dma_chan_name(dma)))
		return false;
	/* What cannot be stopped cannot be given to programs, which end at any time. */
	if ((dmafd_caps(dma) & wish->caps) == wish->caps && dma->device->device_terminate_all)
		return true;
	wish->unfit = true;
	return false;
}

/* Whether somebody holds what was asked for. */
static bool is_given_away(const struct wish *wish)
{
	struct dmafd_chan *chan;
	bool is_ours = false;

	mutex_lock(&found_lock);
	list_for_each_entry(chan, &found, found)
		is_ours |= *wish->name ? !strcmp(wish->name, chan->name) :
			   (chan->caps & wish->caps) == wish->caps;
	mutex_unlock(&found_lock);
	return is_ours;
}

static bool exists(const char *name)
{
	struct device *dev = NULL;

	if (READ_ONCE(chan_class))
		dev = class_find_device_by_name(READ_ONCE(chan_class), name);
	put_device(dev);
	return dev;
}

struct dma_chan *dmafd_find(const char *name, u32 caps)
{
	struct wish wish = { .name = name, .caps = caps };
	struct dma_chan *dma = ask(is_wished, &wish);

	if (dma)
		return dma;
	if (*name && wish.unfit)
		return ERR_PTR(-EOPNOTSUPP);
	if (is_given_away(&wish) || (*name && exists(name)))
		return ERR_PTR(-EBUSY);
	return ERR_PTR(-ENODEV);
}

/* ---- all of them ---- */

struct collection {
	struct dmafd_chan_entry *entry;
	u32 room, count;
};

static void collect(struct collection *all, const char *name, const char *device, u32 caps,
		    u32 flags)
{
	struct dmafd_chan_entry *entry = &all->entry[all->count];

	if (all->count++ >= all->room)
		return;
	memset(entry, 0, sizeof(*entry));
	entry->caps = caps;
	entry->flags = flags;
	strscpy(entry->name, name, sizeof(entry->name));
	strscpy(entry->device, device, sizeof(entry->device));
}

static bool collect_free(struct dma_chan *dma, void *param)
{
	WRITE_ONCE(chan_class, dma->dev->device.class);
	collect(param, dma_chan_name(dma), dev_name(dma->device->dev), dmafd_caps(dma), 0);
	return false;
}

static void collect_ours(struct collection *all)
{
	struct dmafd_chan *chan;

	mutex_lock(&found_lock);
	list_for_each_entry(chan, &found, found)
		if (!chan->width)
			collect(all, chan->name, dev_name(chan->ctrl->supplier), chan->caps,
				DMAFD_ENTRY_BUSY);
	mutex_unlock(&found_lock);
}

static void collect_port(const struct dmafd_port_config *config, bool taken,
			 const struct dmafd_chan *chan, void *all)
{
	u32 flags = DMAFD_ENTRY_PORT | (config->rx ? DMAFD_ENTRY_RX : DMAFD_ENTRY_TX) |
		    (taken ? DMAFD_ENTRY_BUSY : 0);

	collect(all, config->name, chan ? dev_name(chan->ctrl->supplier) : "",
		chan ? chan->caps : DMAFD_CAP_SLAVE, flags);
}

/* There may be more at the second look than at the first, but not for ever. */
static int collect_all(struct collection *all)
{
	do {
		kvfree(all->entry);
		all->room = all->count + 16;
		all->count = 0;
		all->entry = kvcalloc(all->room, sizeof(*all->entry), GFP_KERNEL_ACCOUNT);
		if (!all->entry)
			return -ENOMEM;
		dmafd_port_for_each(collect_port, all);
		ask(collect_free, all);
		collect_ours(all);
	} while (all->count > all->room);
	return 0;
}

/* A caller that knows of less gets less, and of one that knows more the rest is zero. */
static int give(const struct dmafd_chan_list *arg, const struct collection *all)
{
	u8 __user *to = u64_to_user_ptr(arg->entries);
	size_t known = sizeof(*all->entry), n = min_t(size_t, arg->entry_size, known);
	u32 i;

	for (i = 0; i < all->count; i++, to += arg->entry_size)
		if (copy_to_user(to, &all->entry[i], n) ||
		    clear_user(to + n, arg->entry_size - n))
			return -EFAULT;
	return 0;
}

int dmafd_chan_list(void *object, struct dmafd_cmd *cmd)
{
	struct dmafd_chan_list *arg = cmd->arg;
	struct collection all = {};
	int err;

	if (arg->flags || arg->__reserved)
		return -EOPNOTSUPP;
	if (arg->entry_size < sizeof(struct dmafd_chan_entry))
		return -EINVAL;
	if (arg->entry_size > PAGE_SIZE)
		return -E2BIG;
	err = collect_all(&all);
	if (err)
		return err;
	arg->out_count = all.count;
	if (all.count > arg->capacity)
		err = dmafd_respond(cmd) ?: -EMSGSIZE;
	else
		err = give(arg, &all);
	kvfree(all.entry);
	return err;
}
