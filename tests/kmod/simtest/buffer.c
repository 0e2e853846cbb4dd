// SPDX-License-Identifier: GPL-2.0-only
/*
 * The buffers of a session.
 */
#include <linux/gfp.h>
#include <linux/uaccess.h>

#include "session.h"

static struct device *device_of(struct session *s, unsigned int chan)
{
	return s->chan[chan]->device->dev;
}

static struct buffer *find_buffer(struct session *s, unsigned int number)
{
	lockdep_assert_held(&s->mutex);

	return number < SIMTEST_BUFS && s->buf[number].cpu ? &s->buf[number] : ERR_PTR(-ENOENT);
}

int session_alloc(struct session *s, struct simtest_alloc *alloc)
{
	struct buffer *buf = &s->buf[alloc->buf % SIMTEST_BUFS];
	struct dma_chan *chan;
	dma_addr_t addr = 0;
	void *cpu;

	lockdep_assert_held(&s->mutex);

	if (alloc->buf >= SIMTEST_BUFS || !alloc->size || alloc->size > SIMTEST_MAX_BUF)
		return -EINVAL;
	if (buf->cpu)
		return -EBUSY;
	if (alloc->coherent) {
		chan = session_chan(s, alloc->chan);
		if (IS_ERR(chan))
			return PTR_ERR(chan);
		cpu = dma_alloc_coherent(chan->device->dev, alloc->size, &addr,
					 GFP_KERNEL | __GFP_NOWARN);
	} else {
		cpu = alloc_pages_exact(alloc->size, GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
	}
	if (!cpu)
		return -ENOMEM;
	*buf = (struct buffer){
		.cpu = cpu,
		.size = alloc->size,
		.coherent = alloc->coherent,
		.chan = alloc->chan,
		.mapped = alloc->coherent,
		.addr = addr,
	};
	alloc->addr = addr;
	return 0;
}

static int map_buffer(struct session *s, struct buffer *buf, struct simtest_map *map)
{
	struct dma_chan *chan = session_chan(s, map->chan);
	struct device *dev;

	if (IS_ERR(chan))
		return PTR_ERR(chan);
	if (buf->mapped)
		return -EBUSY;
	if (map->dir > DMA_FROM_DEVICE || !map->len)
		return -EINVAL;
	dev = chan->device->dev;
	buf->addr = dma_map_single(dev, (u8 *)buf->cpu + map->off, map->len, map->dir);
	if (dma_mapping_error(dev, buf->addr))
		return -ENOMEM;
	buf->mapped = true;
	buf->chan = map->chan;
	buf->dir = map->dir;
	buf->off = map->off;
	buf->len = map->len;
	map->addr = buf->addr;
	return 0;
}

static void unmap_buffer(struct session *s, struct buffer *buf)
{
	struct device *dev = device_of(s, buf->chan);

	lockdep_assert_held(&s->mutex);

	buf->mapped = false;
	if (!buf->coherent) {
		dma_unmap_single(dev, buf->addr, buf->len, buf->dir);
		return;
	}
	dma_free_coherent(dev, buf->size, buf->cpu, buf->addr);
	buf->cpu = NULL;
}

static int sync_buffer(struct session *s, struct buffer *buf, const struct simtest_map *map)
{
	struct device *dev = device_of(s, buf->chan);
	dma_addr_t addr = buf->addr + map->off - buf->off;

	if (buf->coherent || map->off < buf->off ||
	    map->off - buf->off + map->len > buf->len)
		return -EINVAL;
	if (map->op == SIMTEST_SYNC_CPU)
		dma_sync_single_for_cpu(dev, addr, map->len, buf->dir);
	else
		dma_sync_single_for_device(dev, addr, map->len, buf->dir);
	return 0;
}

int session_map(struct session *s, struct simtest_map *map)
{
	struct buffer *buf = find_buffer(s, map->buf);

	if (IS_ERR(buf))
		return PTR_ERR(buf);
	if ((u64)map->off + map->len > buf->size)
		return -EINVAL;
	if (map->op == SIMTEST_MAP)
		return map_buffer(s, buf, map);
	if (!buf->mapped)
		return -ENOENT;
	switch (map->op) {
	case SIMTEST_UNMAP:
		unmap_buffer(s, buf);
		return 0;
	case SIMTEST_SYNC_CPU:
	case SIMTEST_SYNC_DEVICE:
		return sync_buffer(s, buf, map);
	default:
		return -EINVAL;
	}
}

int session_data(struct session *s, const struct simtest_data *data)
{
	struct buffer *buf = find_buffer(s, data->buf);
	void __user *user = u64_to_user_ptr(data->data);
	unsigned long left;
	u8 *place;

	if (IS_ERR(buf))
		return PTR_ERR(buf);
	if ((u64)data->off + data->len > buf->size)
		return -EINVAL;
	place = (u8 *)buf->cpu + data->off;
	left = data->write ? copy_from_user(place, user, data->len) :
	       copy_to_user(user, place, data->len);
	return left ? -EFAULT : 0;
}

bool session_is_mapped(struct session *s, unsigned int chan)
{
	unsigned int i;

	for (i = 0; i < SIMTEST_BUFS; i++)
		if (s->buf[i].cpu && s->buf[i].mapped && s->buf[i].chan == chan)
			return true;
	return false;
}

void session_unmap(struct session *s, unsigned int chan)
{
	struct buffer *buf;

	for (buf = s->buf; buf < s->buf + SIMTEST_BUFS; buf++)
		if (buf->cpu && buf->mapped && (chan == SIMTEST_NONE || buf->chan == chan))
			unmap_buffer(s, buf);
}

void session_free_buffers(struct session *s)
{
	struct buffer *buf;

	for (buf = s->buf; buf < s->buf + SIMTEST_BUFS; buf++)
		if (buf->cpu)
			free_pages_exact(buf->cpu, buf->size);
}
