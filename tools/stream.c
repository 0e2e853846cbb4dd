// SPDX-License-Identifier: GPL-2.0-only
#include "stream.h"

#include <errno.h>

struct stream_config stream_config = {
	.period = 4096, .periods = 16, .timeout_ms = UINT64_MAX,
};

const struct tool_option stream_options[] = {
	{ 'd', "duration", "TIME", "end after this time" },
	{ 'n', "bytes", "SIZE", "end after so many bytes" },
	{ 'p', "period", "SIZE", "bytes from one look at the ring to the next (4K)" },
	{ 'P', "periods", "N", "how many periods the ring has (16)" },
	{ 't', "timeout", "TIME", "give up when the device is silent for so long; 0: never" },
	{}
};

/* Nobody waits for ever for an end that only the device can bring. */
#define SILENT_MS 10000

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

static int port_refused(const char *port)
{
	if (errno != EOPNOTSUPP)
		return channel_refused(port, DMAFD_CAP_CYCLIC);
	complain("the controller of %s cannot do that: cyclic transfers with its width and burst",
		 port);
	advise("docs/ports.md tells what they are; the kernel log may say which it is");
	return STATUS_NO_DEVICE;
}

static int open_port(struct stream *stream, const char *port, uint32_t flag)
{
	const struct dmafd_chan_options options = {
		.caps = DMAFD_CAP_CYCLIC, .flags = DMAFD_NO_URING,
	};

	stream->chan = dmafd_chan_open(stream->ctx, port, &options);
	if (!stream->chan)
		return port_refused(port);
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
	if (stream_config.period % stream->attr.width)
		return misused("%s takes %u bytes at once: --period must be a multiple of that",
			       stream->attr.name, stream->attr.width);
	stream->size = stream_config.period * stream_config.periods;
	stream->ring = dmafd_buf_alloc(stream->ctx, stream->size, access | DMAFD_CONTIGUOUS);
	if (!stream->ring)
		return memory_refused(stream->size);
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
	stream->moved_ns = clock_ns();
	stream->until = stream_config.duration_ms ?
			stream->moved_ns + stream_config.duration_ms * 1000000 : UINT64_MAX;
	if (dmafd_submit(stream->chan, &job, 1) == 1)
		return STATUS_FINE;
	failed("starting %s", stream->attr.name);
	if (errno == EINVAL)
		advise("a --period of whole cache lines helps, such as %s", short_size(4096));
	return STATUS_FAILED;
}

/* The last result comes without DMAFD_MORE. */
static int take(struct stream *stream, const struct dmafd_result *result)
{
	stream->bytes = result->bytes;
	stream->overruns = result->overruns;
	if (result->flags & DMAFD_MORE)
		return STATUS_FINE;
	stream->over = true;
	if (!result->status || result->status == -ECANCELED)
		return STATUS_FINE;
	errno = -result->status;
	return failed("%s", stream->attr.name);
}

/* ---- silence ---- */

/* An end that comes anyway, or that only the user can tell, is waited for. */
static uint64_t silence_ms(const struct stream *stream)
{
	if (stream_config.timeout_ms != UINT64_MAX)
		return stream_config.timeout_ms;
	if (stream_config.duration_ms)
		return 0;
	return stream->attr.flags & DMAFD_ATTR_TX || stream_config.bytes ? SILENT_MS : 0;
}

static void look(struct stream *stream)
{
	struct dmafd_chan_state state;
	uint64_t position = stream->bytes;

	if (!dmafd_chan_status(stream->chan, &state) && state.bytes > position)
		position = state.bytes;
	if (position == stream->position)
		return;
	stream->position = position;
	stream->moved_ns = clock_ns();
}

static int judge_silence(const struct stream *stream)
{
	const uint64_t limit = silence_ms(stream);

	if (!limit || clock_ns() - stream->moved_ns < limit * 1000000)
		return STATUS_FINE;
	complain("%s %s nothing for %.1f s", stream->attr.name,
		 stream->attr.flags & DMAFD_ATTR_TX ? "took" : "gave", limit / 1e3);
	advise("is its device at work? --timeout waits longer, or for ever (0)");
	return STATUS_FAILED;
}

/* ---- going on ---- */

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
	int status;

	if (n < 0)
		return errno == EINTR ? STATUS_FINE : failed("%s", stream->attr.name);
	status = n ? take(stream, &result) : STATUS_FINE;
	look(stream);
	return status || stream->over ? status : judge_silence(stream);
}

bool stream_is_over(const struct stream *stream)
{
	return stream->over || stop_requested() || clock_ns() >= stream->until;
}

int stream_stop(struct stream *stream, int status)
{
	struct dmafd_result result;
	int n = 1, last;

	if (!stream->over && dmafd_chan_cancel(stream->chan) < 0)
		return status ? status : failed("stopping %s", stream->attr.name);
	while (!stream->over && n) {
		n = dmafd_reap(stream->chan, &result, 1, 1000);
		if (n < 0 && errno != EINTR)
			return status ? status : failed("stopping %s", stream->attr.name);
		last = n > 0 ? take(stream, &result) : STATUS_FINE;
		status = status ? status : last;
	}
	return status;
}

void stream_close(struct stream *stream)
{
	dmafd_chan_close(stream->chan);
	dmafd_buf_remove(stream->ring);
	if (stream->ctx)
		dmafd_close(stream->ctx);
}
