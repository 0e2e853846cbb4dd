// SPDX-License-Identifier: GPL-2.0-only
#include "stream.h"

#include <errno.h>

struct stream_config stream_config = { .period = 4096, .periods = 16 };

const struct tool_option stream_options[] = {
	{ 'd', "duration", "TIME", "end after this time" },
	{ 'n', "bytes", "SIZE", "end after so many bytes" },
	{ 'p', "period", "SIZE", "bytes from one look at the ring to the next (4K)" },
	{ 'P', "periods", "N", "how many periods the ring has (16)" },
	{ 't', "timeout", "TIME", "give up if the device is silent for so long" },
	{}
};

/* How long a wait is at most, in ms: a signal may come just before it begins. */
#define LOOK_MS 200

int stream_set(int letter, const char *value)
{
	struct stream_config *config = &stream_config;

	switch (letter) {
	case 'd':
		return parse_duration(value, &config->duration_ms) || !config->duration_ms ?
		       misused("'%s' is no duration", value) : STATUS_FINE;
	case 'n':
		return parse_size(value, &config->bytes) || !config->bytes ?
		       misused("'%s' is no size", value) : STATUS_FINE;
	case 'p':
		return parse_size(value, &config->period) || !config->period ||
		       config->period > 64 << 20 ?
		       misused("'%s' is no period from 1 to 64M", value) : STATUS_FINE;
	case 'P':
		return parse_number(value, 2, 1024, &config->periods) ?
		       misused("'%s' is no number of periods from 2 to 1024", value) :
		       STATUS_FINE;
	default:
		return parse_duration(value, &config->timeout_ms) ?
		       misused("'%s' is no duration", value) : STATUS_FINE;
	}
}

static int open_port(struct stream *stream, const char *port, uint32_t flag)
{
	const struct dmafd_chan_options options = { .flags = DMAFD_NO_URING };

	stream->chan = dmafd_chan_open(stream->ctx, port, &options);
	if (!stream->chan)
		return channel_refused(port, DMAFD_CAP_CYCLIC);
	if (dmafd_chan_info(stream->chan, &stream->attr))
		return failed("%s", port);
	if (stream->attr.flags & flag)
		return STATUS_FINE;
	if (stream->attr.flags & (DMAFD_ATTR_TX | DMAFD_ATTR_RX))
		complain("port %s is for the other direction", port);
	else
		complain("%s is a channel, but no port", port);
	advise("'dmafd list' shows the ports, docs/ports.md how one is made");
	return STATUS_NO_DEVICE;
}

/* It must be one piece, as the device goes round in it. */
static int open_ring(struct stream *stream, unsigned int access)
{
	stream->size = stream_config.period * stream_config.periods;
	stream->ring = dmafd_buf_alloc(stream->ctx, stream->size, access | DMAFD_CONTIGUOUS);
	if (!stream->ring)
		return failed("a ring of %s in one piece", human(stream->size));
	stream->memory = dmafd_buf_addr(stream->ring);
	return stream->memory ? STATUS_FINE : failed("ring");
}

int stream_open(struct stream *stream, const char *port, uint32_t flag, unsigned int access)
{
	int status = STATUS_FINE;

	*stream = (struct stream){};
	stream->ctx = open_device(&status);
	if (!status)
		status = open_port(stream, port, flag);
	if (!status)
		status = open_ring(stream, access);
	return status;
}

int stream_start(struct stream *stream)
{
	struct dmafd_job job;

	dmafd_job_cyclic(&job, stream->ring, 0, stream->size, stream_config.period);
	job.timeout_ms = stream_config.timeout_ms;
	stream->until = stream_config.duration_ms ?
			clock_ns() + stream_config.duration_ms * 1000000 : UINT64_MAX;
	return dmafd_submit(stream->chan, &job, 1) == 1 ? STATUS_FINE : failed("starting");
}

/* The last result comes without DMAFD_MORE. */
static int take(struct stream *stream, const struct dmafd_result *result)
{
	stream->bytes = result->bytes - result->bytes % stream_config.period;
	stream->overruns = result->overruns;
	if (result->flags & DMAFD_MORE)
		return STATUS_FINE;
	stream->over = true;
	if (!result->status || result->status == -ECANCELED)
		return STATUS_FINE;
	errno = -result->status;
	return failed("%s", stream->attr.name);
}

static int wait_ms(const struct stream *stream)
{
	uint64_t now = clock_ns();
	uint64_t left = stream->until > now ? (stream->until - now) / 1000000 + 1 : 0;

	return left < LOOK_MS ? left : LOOK_MS;
}

int stream_wait(struct stream *stream)
{
	struct dmafd_result result;
	int n = dmafd_reap(stream->chan, &result, 1, wait_ms(stream));

	if (n < 0)
		return errno == EINTR ? STATUS_FINE : failed("%s", stream->attr.name);
	return n ? take(stream, &result) : STATUS_FINE;
}

bool stream_is_over(const struct stream *stream)
{
	return stream->over || stop_requested() || clock_ns() >= stream->until;
}

void stream_stop(struct stream *stream)
{
	struct dmafd_result result;

	if (stream->over || dmafd_chan_cancel(stream->chan) < 0)
		return;
	while (!stream->over && dmafd_reap(stream->chan, &result, 1, 1000) > 0)
		take(stream, &result);
}

void stream_close(struct stream *stream)
{
	dmafd_chan_close(stream->chan);
	dmafd_buf_remove(stream->ring);
	if (stream->ctx)
		dmafd_close(stream->ctx);
}
