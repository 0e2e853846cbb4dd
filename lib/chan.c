// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Channels: their life, and what they tell.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "internal.h"

_Static_assert(DMAFD_ATTR_SYNC == DMAFD_INFO_SYNC, "flags are the kernel's");
_Static_assert(DMAFD_ATTR_TX == DMAFD_INFO_TX, "flags are the kernel's");
_Static_assert(DMAFD_ATTR_RX == DMAFD_INFO_RX, "flags are the kernel's");
_Static_assert(DMAFD_ATTR_PAUSE == DMAFD_INFO_PAUSE, "flags are the kernel's");
_Static_assert(DMAFD_DESC_BUSY == DMAFD_ENTRY_BUSY, "flags are the kernel's");
_Static_assert(DMAFD_DESC_PORT == DMAFD_ENTRY_PORT, "flags are the kernel's");
_Static_assert(DMAFD_DESC_TX == DMAFD_ENTRY_TX, "flags are the kernel's");
_Static_assert(DMAFD_DESC_RX == DMAFD_ENTRY_RX, "flags are the kernel's");

#define AUTO_THRESHOLD	(16 * 1024)
#define DEFAULT_DEPTH	256
#define MAX_CPU_DEPTH	4096
#define CPU_CAPS	(DMAFD_CAP_COPY | DMAFD_CAP_FILL | DMAFD_CAP_XOR | DMAFD_CAP_INTERLEAVE)
/* Until jobs that were canceled are noticed to be over. */
#define CLOSE_MS	1000

/* ---- the list ---- */

static int list_entries(struct dmafd_ctx *ctx, struct dmafd_chan_entry *entries,
			unsigned int capacity, unsigned int *count)
{
	struct dmafd_chan_list arg = {
		.size = sizeof(arg), .entries = (uintptr_t)entries, .capacity = capacity,
		.entry_size = sizeof(*entries),
	};
	int err = ctx_ioctl(ctx, DMAFD_CHAN_LIST, &arg);

	*count = arg.out_count;
	return err;
}

/* There may be more of them each time. */
static struct dmafd_chan_entry *get_entries(struct dmafd_ctx *ctx, unsigned int *count)
{
	struct dmafd_chan_entry *entries = NULL, *more;
	unsigned int capacity = 16;

	for (;;) {
		more = reallocarray(entries, capacity, sizeof(*entries));
		if (!more)
			break;
		entries = more;
		memset(entries, 0, capacity * sizeof(*entries));
		if (!list_entries(ctx, entries, capacity, count))
			return entries;
		if (errno != EMSGSIZE)
			break;
		capacity = *count + 8;
	}
	free(entries);
	return NULL;
}

static void describe(struct dmafd_chan_desc *desc, const struct dmafd_chan_entry *entry)
{
	memcpy(desc->name, entry->name, sizeof(desc->name));
	memcpy(desc->device, entry->device, sizeof(desc->device));
	desc->caps = entry->caps;
	desc->flags = entry->flags;
}

EXPORT ssize_t dmafd_chan_list(struct dmafd_ctx *ctx, struct dmafd_chan_desc **list)
{
	struct dmafd_chan_entry *entries;
	unsigned int count, i;

	*list = NULL;
	if (!ctx_has_module(ctx))
		return 0;
	entries = get_entries(ctx, &count);
	if (!entries)
		return -1;
	*list = count ? calloc(count, sizeof(**list)) : NULL;
	for (i = 0; *list && i < count; i++)
		describe(&(*list)[i], &entries[i]);
	free(entries);
	return count && !*list ? -1 : (ssize_t)count;
}

EXPORT void dmafd_chan_list_free(struct dmafd_chan_desc *list)
{
	free(list);
}

/* ---- opening ---- */

static int check_options(const struct dmafd_ctx *ctx, const char *name,
			 const struct dmafd_chan_options *options)
{
	uint32_t max = ctx_has_module(ctx) ? ctx_info(ctx)->out_max_depth : MAX_CPU_DEPTH;
	unsigned int i;

	if (options->flags & ~(DMAFD_NO_URING | DMAFD_NO_FALLBACK))
		return fail(EOPNOTSUPP);
	for (i = 0; i < ARRAY_SIZE(options->reserved); i++)
		if (options->reserved[i])
			return fail(EOPNOTSUPP);
	if (options->depth > max || (name && strlen(name) >= DMAFD_NAME_MAX))
		return fail(EINVAL);
	return 0;
}

static int read_info(int fd, struct dmafd_chan_info *info)
{
	*info = (struct dmafd_chan_info){ .size = sizeof(*info) };
	return ioctl(fd, DMAFD_CHAN_INFO, info);
}

static int open_kernel(struct dmafd_chan *chan, const char *name,
		       const struct dmafd_chan_options *options)
{
	struct dmafd_chan_open arg = {
		.size = sizeof(arg), .caps = options->caps, .depth = options->depth,
		.timeout_ms = options->timeout_ms,
	};
	struct dmafd_chan_info info;

	if (chan_record_size(chan) > RECORD_SIZE_MAX)
		return fail(ENOTTY);
	snprintf(arg.name, sizeof(arg.name), "%s", name ? name : "");
	if (ctx_ioctl(chan->ctx, DMAFD_CHAN_OPEN, &arg))
		return -1;
	chan->fd = arg.out_fd;
	if (read_info(chan->fd, &info))
		return -1;
	chan->caps = info.out_caps;
	chan->flags = info.out_flags;
	chan->copy_align = info.out_copy_align;
	chan->fill_align = info.out_fill_align;
	chan->max_sources = info.out_max_sources;
	chan->depth = info.out_depth;
	return 0;
}

static void use_cpu(struct dmafd_chan *chan, const struct dmafd_chan_options *options)
{
	chan->caps = CPU_CAPS;
	chan->flags = DMAFD_ATTR_CPU;
	chan->copy_align = 1;
	chan->fill_align = 1;
	chan->max_sources = DMAFD_MAX_RANGES;
	chan->depth = options->depth ?: DEFAULT_DEPTH;
}

/* What can be made up for by the CPU. */
static bool can_replace(const struct dmafd_chan_options *options, int err)
{
	return !(options->caps & ~CPU_CAPS) &&
	       (err == ENODEV || err == EBUSY || err == EOPNOTSUPP || err == ENOTTY);
}

static int open_something(struct dmafd_chan *chan, const char *name,
			  const struct dmafd_chan_options *options)
{
	if (!open_kernel(chan, name, options))
		return 0;
	if (chan->fd >= 0 || !chan->fallback || !can_replace(options, errno))
		return ctx_has_module(chan->ctx) ? -1 : fail(ENODEV);
	use_cpu(chan, options);
	return 0;
}

static int watch(struct dmafd_chan *chan, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return fd < 0 ? 0 : epoll_ctl(chan->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int make_pollable(struct dmafd_chan *chan)
{
	chan->epoll = epoll_create1(EPOLL_CLOEXEC);
	chan->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (chan->epoll < 0 || chan->event < 0)
		return -1;
	if (watch(chan, chan->event) || watch(chan, chan->fd))
		return -1;
	return chan->ring ? watch(chan, uring_fd(chan->ring)) : 0;
}

static void add_ring(struct dmafd_chan *chan, const struct dmafd_chan_options *options)
{
	if (chan->fd < 0 || options->flags & DMAFD_NO_URING)
		return;
	chan->slot = ctx_take_slot(chan->ctx);
	if (chan->slot < 0)
		return;
	chan->ring = uring_open(chan->fd, chan->depth);
	if (chan->ring)
		chan->flags |= DMAFD_ATTR_URING;
}

static int set_up(struct dmafd_chan *chan, const char *name,
		  const struct dmafd_chan_options *options)
{
	if (check_options(chan->ctx, name, options) || open_something(chan, name, options))
		return -1;
	chan->queue = queue_new(chan->depth);
	if (!chan->queue)
		return -1;
	add_ring(chan, options);
	return make_pollable(chan);
}

static void destroy(struct dmafd_chan *chan)
{
	int err = errno;

	uring_close(chan->ring);
	if (chan->fd >= 0)
		close(chan->fd);
	if (chan->epoll >= 0)
		close(chan->epoll);
	if (chan->event >= 0)
		close(chan->event);
	/* What the kernel may still read is rather lost than given to somebody else. */
	if (!chan->on_ring)
		queue_free(chan->queue);
	ctx_give_slot(chan->ctx, chan->slot);
	ctx_put(chan->ctx);
	free(chan);
	errno = err;
}

static struct dmafd_chan *open_chan(struct dmafd_ctx *ctx, const char *name,
				    const struct dmafd_chan_options *options, bool is_auto)
{
	static const struct dmafd_chan_options defaults;
	struct dmafd_chan *chan = calloc(1, sizeof(*chan));

	if (!chan)
		return NULL;
	options = options ?: &defaults;
	ctx_get(ctx);
	chan->ctx = ctx;
	chan->fd = -1;
	chan->epoll = -1;
	chan->event = -1;
	chan->slot = -1;
	chan->fallback = is_auto && !(options->flags & DMAFD_NO_FALLBACK);
	if (is_auto)
		dmafd_chan_set_threshold(chan, AUTO_THRESHOLD);
	if (set_up(chan, name, options)) {
		destroy(chan);
		return NULL;
	}
	chan->flags |= is_auto ? DMAFD_ATTR_AUTO : 0;
	return chan;
}

EXPORT struct dmafd_chan *dmafd_chan_open(struct dmafd_ctx *ctx, const char *name,
					  const struct dmafd_chan_options *options)
{
	return open_chan(ctx, name, options, false);
}

EXPORT struct dmafd_chan *dmafd_chan_open_auto(struct dmafd_ctx *ctx, const char *name,
					       const struct dmafd_chan_options *options)
{
	return open_chan(ctx, name, options, true);
}

/* ---- closing ---- */

/* Requests of the ring hold the channel; they are over when it was told so. */
static void end_jobs(struct dmafd_chan *chan)
{
	uint64_t end = now_ns() + CLOSE_MS * 1000000ull;

	if (chan->on_fd + chan->on_ring)
		dmafd_chan_cancel(chan);
	while (chan->on_ring && now_ns() < end)
		chan_harvest(chan, CLOSE_MS / 10);
}

EXPORT void dmafd_chan_close(struct dmafd_chan *chan)
{
	if (!chan)
		return;
	end_jobs(chan);
	destroy(chan);
}

/* ---- events ---- */

EXPORT int dmafd_chan_fd(const struct dmafd_chan *chan)
{
	return chan->epoll;
}

void chan_signal(struct dmafd_chan *chan)
{
	bool is_ready = queue_is_ready(chan->queue);
	eventfd_t seen;

	if (is_ready == chan->signaled)
		return;
	if (is_ready)
		eventfd_write(chan->event, 1);
	else
		eventfd_read(chan->event, &seen);
	chan->signaled = is_ready;
}

/* When all its jobs were told of, its file descriptor would be readable for ever. */
void chan_set_gone(struct dmafd_chan *chan)
{
	chan->gone = true;
	if (!chan->on_fd && !chan->unwatched)
		chan->unwatched = !epoll_ctl(chan->epoll, EPOLL_CTL_DEL, chan->fd, NULL);
}

/* ---- what it tells ---- */

static void fill_in(struct dmafd_chan_attr *attr, const struct dmafd_chan_info *info)
{
	memcpy(attr->name, info->out_name, sizeof(attr->name));
	memcpy(attr->device, info->out_device, sizeof(attr->device));
	attr->max_segment = info->out_max_segment;
	attr->residue = info->out_residue;
	attr->width = info->out_width;
	attr->submitted = info->out_submitted;
	attr->completed = info->out_completed;
	attr->failed = info->out_failed;
	attr->bytes = info->out_bytes;
}

EXPORT int dmafd_chan_info(struct dmafd_chan *chan, struct dmafd_chan_attr *attr)
{
	struct dmafd_chan_info info;

	if (chan->fd >= 0 && read_info(chan->fd, &info))
		return -1;
	*attr = (struct dmafd_chan_attr){
		.name = "cpu", .caps = chan->caps, .flags = chan->flags,
		.copy_align = chan->copy_align, .fill_align = chan->fill_align,
		.max_segment = UINT32_MAX, .max_sources = chan->max_sources,
		.depth = chan->depth, .held = queue_held(chan->queue),
		.cpu_jobs = chan->cpu_jobs,
	};
	if (chan->fd >= 0)
		fill_in(attr, &info);
	return 0;
}

EXPORT int dmafd_chan_status(struct dmafd_chan *chan, struct dmafd_chan_state *state)
{
	struct dmafd_status arg = { .size = sizeof(arg) };

	if (chan->fd >= 0 && ioctl(chan->fd, DMAFD_STATUS, &arg))
		return -1;
	*state = (struct dmafd_chan_state){
		.state = arg.out_state, .queued = arg.out_queued, .opcode = arg.out_opcode,
		.overruns = arg.out_overruns, .bytes = arg.out_bytes,
		.since_ns = arg.out_since_ns,
	};
	return 0;
}

EXPORT int dmafd_chan_cancel(struct dmafd_chan *chan)
{
	struct dmafd_cancel arg = { .size = sizeof(arg) };

	if (chan->fd >= 0 && ioctl(chan->fd, DMAFD_CANCEL, &arg))
		return -1;
	return arg.out_canceled;
}

static int pause_or_resume(struct dmafd_chan *chan, uint32_t flags)
{
	struct dmafd_pause arg = { .size = sizeof(arg), .flags = flags };

	return chan->fd < 0 ? fail(EOPNOTSUPP) : ioctl(chan->fd, DMAFD_PAUSE, &arg);
}

EXPORT int dmafd_chan_pause(struct dmafd_chan *chan)
{
	return pause_or_resume(chan, 0);
}

EXPORT int dmafd_chan_resume(struct dmafd_chan *chan)
{
	return pause_or_resume(chan, DMAFD_PAUSE_RESUME);
}
