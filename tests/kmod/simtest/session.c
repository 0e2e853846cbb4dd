// SPDX-License-Identifier: GPL-2.0-only
/*
 * The channels of a session.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/string.h>

#include "session.h"

struct dma_chan *session_chan(struct session *s, unsigned int number)
{
	lockdep_assert_held(&s->mutex);

	return number < SIMTEST_CHANS && s->chan[number] ? s->chan[number] : ERR_PTR(-ENOENT);
}

static bool has_name(struct dma_chan *chan, void *name)
{
	return !strcmp(dma_chan_name(chan), name);
}

static struct dma_chan *request_by_name(char *name, unsigned int type)
{
	struct dma_chan *chan;
	dma_cap_mask_t mask;

	dma_cap_zero(mask);
	if (type != SIMTEST_NONE)
		dma_cap_set(type, mask);
	chan = dma_request_channel(mask, has_name, name);
	return chan ?: ERR_PTR(-ENODEV);
}

static struct dma_chan *request_as(const char *device, const char *name)
{
	struct device *dev = simtest_client(device);
	struct dma_chan *chan;

	if (!dev)
		return ERR_PTR(-ENOENT);
	chan = dma_request_chan(dev, name);
	put_device(dev);
	return chan;
}

int session_request(struct session *s, struct simtest_request *request)
{
	struct dma_chan *chan;

	lockdep_assert_held(&s->mutex);

	if (request->chan >= SIMTEST_CHANS ||
	    (request->type != SIMTEST_NONE && request->type >= DMA_TX_TYPE_END))
		return -EINVAL;
	if (s->chan[request->chan])
		return -EBUSY;
	request->device[sizeof(request->device) - 1] = '\0';
	request->name[sizeof(request->name) - 1] = '\0';
	chan = *request->device ? request_as(request->device, request->name) :
	       request_by_name(request->name, request->type);
	if (IS_ERR(chan))
		return PTR_ERR(chan);
	s->chan[request->chan] = chan;
	return 0;
}

int session_caps(struct session *s, struct simtest_caps *out)
{
	struct dma_chan *chan = session_chan(s, out->chan);
	struct dma_slave_caps caps;
	struct dma_device *dma;
	int err;

	if (IS_ERR(chan))
		return PTR_ERR(chan);
	memset(&caps, 0, sizeof(caps));
	err = dma_get_slave_caps(chan, &caps);
	if (err)
		return err;
	dma = chan->device;
	*out = (struct simtest_caps){
		.chan = out->chan,
		.id = chan->chan_id,
		.src_widths = caps.src_addr_widths,
		.dst_widths = caps.dst_addr_widths,
		.directions = caps.directions,
		.min_burst = caps.min_burst,
		.max_burst = caps.max_burst,
		.max_sg_burst = caps.max_sg_burst,
		.pause = caps.cmd_pause,
		.resume = caps.cmd_resume,
		.terminate = caps.cmd_terminate,
		.reuse = caps.descriptor_reuse,
		.residue = caps.residue_granularity,
		.copy_align = dma->copy_align,
		.max_xor = dma->max_xor,
		.max_segment = dma_get_max_seg_size(dma->dev),
		.types = *dma->cap_mask.bits,
		.mask = dma_get_mask(dma->dev),
	};
	strscpy(out->name, dma_chan_name(chan), sizeof(out->name));
	return 0;
}

int session_config(struct session *s, const struct simtest_config *in)
{
	struct dma_chan *chan = session_chan(s, in->chan);
	struct dma_slave_config config = {
		.direction = in->direction,
		.src_addr = in->src_addr,
		.dst_addr = in->dst_addr,
		.src_addr_width = in->src_width,
		.dst_addr_width = in->dst_width,
		.src_maxburst = in->src_burst,
		.dst_maxburst = in->dst_burst,
		.src_port_window_size = in->src_window,
		.dst_port_window_size = in->dst_window,
		.device_fc = in->device_fc,
		.peripheral_size = in->peripheral_size,
	};

	return IS_ERR(chan) ? PTR_ERR(chan) : dmaengine_slave_config(chan, &config);
}

static int release_chan(struct session *s, unsigned int number)
{
	struct dma_chan *chan = s->chan[number];

	lockdep_assert_held(&s->mutex);

	/* Its device may be gone with it. */
	if (session_is_mapped(s, number))
		return -EBUSY;
	s->chan[number] = NULL;
	session_forget_chan(s, chan);
	dma_release_channel(chan);
	return 0;
}

int session_chan_op(struct session *s, const struct simtest_chan *op)
{
	struct dma_chan *chan = session_chan(s, op->chan);

	if (IS_ERR(chan))
		return PTR_ERR(chan);
	switch (op->op) {
	case SIMTEST_ISSUE:
		dma_async_issue_pending(chan);
		return 0;
	case SIMTEST_PAUSE:
		return dmaengine_pause(chan);
	case SIMTEST_RESUME:
		return dmaengine_resume(chan);
	case SIMTEST_TERMINATE:
		return dmaengine_terminate_sync(chan);
	case SIMTEST_RELEASE:
		return release_chan(s, op->chan);
	default:
		return -EINVAL;
	}
}

void session_end(struct session *s)
{
	unsigned int i;

	mutex_lock(&s->mutex);
	for (i = 0; i < SIMTEST_CHANS; i++)
		if (s->chan[i])
			dmaengine_terminate_sync(s->chan[i]);
	session_unmap(s, SIMTEST_NONE);
	for (i = 0; i < SIMTEST_CHANS; i++)
		if (s->chan[i])
			release_chan(s, i);
	session_free_transfers(s);
	session_free_buffers(s);
	mutex_unlock(&s->mutex);
}
