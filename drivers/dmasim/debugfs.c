// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be looked at, in /sys/kernel/debug/dmasim/DEVICE/.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "dmasim.h"

static struct dentry *root;

static const char *state_of(const struct dmasim_chan *chan)
{
	if (!chan->held)
		return "free";
	if (chan->hung)
		return "hung";
	if (chan->paused)
		return "paused";
	if (chan->current_desc)
		return chan->current_desc->peripheral ? "slave" : "running";
	return list_empty(&chan->issued) ? "idle" : "ready";
}

static unsigned int length_of(const struct list_head *list)
{
	const struct list_head *entry;
	unsigned int length = 0;

	list_for_each(entry, list)
		length++;
	return length;
}

static int channel_show(struct seq_file *s, void *unused)
{
	struct dmasim_chan *chan = s->private;
	struct dmasim_chan_stats stats;
	unsigned int queued, prepared;
	const char *state;
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	stats = chan->stats;
	state = state_of(chan);
	queued = length_of(&chan->submitted) + length_of(&chan->issued);
	prepared = length_of(&chan->allocated);
	spin_unlock_irqrestore(&chan->lock, flags);
	seq_printf(s, "state: %s\nline: %d\npriority: %u\nallocated: %u\nqueued: %u\n", state,
		   (int)chan->line, chan->priority, prepared, queued);
	seq_printf(s, "prepared: %llu\nrefused: %llu\nsubmitted: %llu\ncompleted: %llu\n",
		   stats.prepared, stats.refused, stats.submitted, stats.completed);
	seq_printf(s, "failed: %llu\nterminated: %llu\ncallbacks: %llu\nbytes: %llu\n",
		   stats.failed, stats.terminated, stats.callbacks, stats.bytes);
	seq_printf(s, "turns: %llu\nbusy_ns: %llu\n", stats.turns, stats.busy_ns);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(channel);

/* The channels that somebody has, a line each. */
static int channels_show(struct seq_file *s, void *unused)
{
	struct dmasim *sim = s->private;
	struct dmasim_chan *chan;
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < sim->channels; i++) {
		chan = &sim->chan[i];
		spin_lock_irqsave(&chan->lock, flags);
		if (chan->held)
			seq_printf(s, "%u %s bytes=%llu completed=%llu failed=%llu\n", i,
				   state_of(chan), chan->stats.bytes, chan->stats.completed,
				   chan->stats.failed);
		spin_unlock_irqrestore(&chan->lock, flags);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(channels);

static int refusals_show(struct seq_file *s, void *unused)
{
	struct dmasim *sim = s->private;
	unsigned int i;

	for (i = 0; i < DMASIM_REFUSALS; i++)
		seq_printf(s, "%s: %lld\n", dmasim_refusal_names[i],
			   (s64)atomic64_read(&sim->refusals[i]));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(refusals);

/* The latest accesses that failed, the oldest first. */
static int faults_show(struct seq_file *s, void *unused)
{
	struct dmasim *sim = s->private;
	struct dmasim_fault_record record;
	unsigned long flags;
	u64 i, end;

	spin_lock_irqsave(&sim->lock, flags);
	end = sim->records;
	spin_unlock_irqrestore(&sim->lock, flags);
	for (i = end > DMASIM_RECORDS ? end - DMASIM_RECORDS : 0; i < end; i++) {
		spin_lock_irqsave(&sim->lock, flags);
		record = sim->record[i % DMASIM_RECORDS];
		spin_unlock_irqrestore(&sim->lock, flags);
		seq_printf(s, "%llu.%09llu channel %u %s %#llx %s\n",
			   div_u64(record.time_ns, NSEC_PER_SEC),
			   record.time_ns - div_u64(record.time_ns, NSEC_PER_SEC) * NSEC_PER_SEC,
			   record.chan, record.write ? "write" : "read", record.addr,
			   dmasim_reach_names[record.reach]);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(faults);

static int peripherals_show(struct seq_file *s, void *unused)
{
	dmasim_peripherals_show(s, s->private);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(peripherals);

static int mappings_show(struct seq_file *s, void *unused)
{
	struct dmasim *sim = s->private;
	struct shadow_stats stats;

	if (!sim->space)
		return 0;
	shadow_stats(sim->space, &stats);
	seq_printf(s, "live: %llu\nlive_bytes: %llu\nmaps: %llu\nunmaps: %llu\n", stats.live,
		   stats.live_bytes, stats.maps, stats.unmaps);
	seq_printf(s, "allocs: %llu\nfrees: %llu\nrefused: %llu\nfailed: %llu\n", stats.allocs,
		   stats.frees, stats.refused, stats.failed);
	seq_printf(s, "shared_lines: %llu\nbad_unmaps: %llu\nbad_syncs: %llu\n",
		   stats.shared_lines, stats.bad_unmaps, stats.bad_syncs);
	seq_printf(s, "unmapped: %llu\ndenied: %llu\n", stats.unmapped, stats.denied);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(mappings);

void dmasim_debugfs_add(struct dmasim *sim)
{
	struct dentry *channels;
	char name[12];
	unsigned int i;

	sim->debugfs = debugfs_create_dir(dev_name(&sim->pdev->dev), root);
	debugfs_create_file("channels", 0444, sim->debugfs, sim, &channels_fops);
	debugfs_create_file("refusals", 0444, sim->debugfs, sim, &refusals_fops);
	debugfs_create_file("faults", 0444, sim->debugfs, sim, &faults_fops);
	debugfs_create_file("peripherals", 0444, sim->debugfs, sim, &peripherals_fops);
	debugfs_create_file("mappings", 0444, sim->debugfs, sim, &mappings_fops);
	channels = debugfs_create_dir("channel", sim->debugfs);
	for (i = 0; i < sim->channels; i++) {
		snprintf(name, sizeof(name), "%u", i);
		debugfs_create_file(name, 0444, channels, &sim->chan[i], &channel_fops);
	}
}

void dmasim_debugfs_remove(struct dmasim *sim)
{
	debugfs_remove(sim->debugfs);
}

void dmasim_debugfs_init(void)
{
	root = debugfs_create_dir(DMASIM_NAME, NULL);
	dmasim_attrs_debugfs(root);
}

void dmasim_debugfs_exit(void)
{
	debugfs_remove(root);
}
