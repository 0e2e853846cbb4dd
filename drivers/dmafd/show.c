// SPDX-License-Identifier: GPL-2.0-only
/*
 * What contexts and channels tell of themselves in /proc/PID/fdinfo, and the list of
 * all channels in debugfs.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/seq_file.h>

#include "dmafd.h"

static struct dentry *folder;

/* ---- fdinfo ---- */

void dmafd_ctx_show(struct seq_file *seq, struct file *file)
{
	struct dmafd_ctx *ctx = file->private_data;
	unsigned long count = 0, pages = 0, id;
	struct dmafd_buf *buf;

	mutex_lock(&ctx->lock);
	xa_for_each(&ctx->bufs, id, buf) {
		count++;
		pages += buf->count;
	}
	mutex_unlock(&ctx->lock);
	seq_printf(seq, "dmafd-buffers:\t%lu\ndmafd-pages:\t%lu\n", count, pages);
}

/* What changes while the channel is open. */
struct counts {
	unsigned int held;
	u64 submitted, completed, failed, bytes;
	const char *state;
};

static void count(struct dmafd_chan *chan, struct counts *counts)
{
	spin_lock_irq(&chan->lock);
	counts->held = chan->held;
	counts->submitted = chan->submitted;
	counts->completed = chan->completed;
	counts->failed = chan->failed;
	counts->bytes = chan->bytes;
	counts->state = chan->dead ? "gone" : chan->paused ? "paused" :
			list_empty(&chan->queue) ? "idle" : "busy";
	spin_unlock_irq(&chan->lock);
}

void dmafd_chan_show(struct seq_file *seq, struct file *file)
{
	struct dmafd_chan *chan = file->private_data;
	struct counts counts;

	count(chan, &counts);
	seq_printf(seq, "dmafd-channel:\t%s\n", chan->name);
	seq_printf(seq, "dmafd-device:\t%s\n", dev_name(chan->ctrl->supplier));
	seq_printf(seq, "dmafd-state:\t%s\n", counts.state);
	seq_printf(seq, "dmafd-depth:\t%u\n", chan->depth);
	seq_printf(seq, "dmafd-held:\t%u\n", counts.held);
	seq_printf(seq, "dmafd-submitted:\t%llu\n", counts.submitted);
	seq_printf(seq, "dmafd-completed:\t%llu\n", counts.completed);
	seq_printf(seq, "dmafd-failed:\t%llu\n", counts.failed);
	seq_printf(seq, "dmafd-bytes:\t%llu\n", counts.bytes);
}

/* ---- debugfs ---- */

static void show_one(struct dmafd_chan *chan, void *param)
{
	struct seq_file *seq = param;
	struct counts counts;

	count(chan, &counts);
	seq_printf(seq, "%s device=%s state=%s pid=%d depth=%u held=%u submitted=%llu ",
		   chan->name, dev_name(chan->ctrl->supplier), counts.state, chan->pid,
		   chan->depth, counts.held, counts.submitted);
	seq_printf(seq, "completed=%llu failed=%llu bytes=%llu comm=", counts.completed,
		   counts.failed, counts.bytes);
	seq_escape(seq, chan->comm, " \t\n\\");
	seq_putc(seq, '\n');
}

static int channels_show(struct seq_file *seq, void *unused)
{
	dmafd_found_each(show_one, seq);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(channels);

void dmafd_show_init(void)
{
	folder = debugfs_create_dir(DMAFD_DRIVER, NULL);
	debugfs_create_file("channels", 0400, folder, NULL, &channels_fops);
	dmafd_devices_init(folder);
}

void dmafd_show_exit(void)
{
	debugfs_remove(folder);
}
