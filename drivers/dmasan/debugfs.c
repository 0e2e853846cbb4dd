// SPDX-License-Identifier: GPL-2.0-only
/*
 *	attach, detach	a device's name is written there
 *	devices		what is attached, and how much was seen
 *	reports		what was found, once for each place; writing forgets it
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "dmasan.h"

#define NAME_ROOM	128

static struct dentry *dir;

static ssize_t write_name(const char __user *from, size_t size,
			  int (*act)(const char *name))
{
	char *name;
	int err;

	if (!size || size >= NAME_ROOM)
		return -EINVAL;
	name = memdup_user_nul(from, size);
	if (IS_ERR(name))
		return PTR_ERR(name);
	err = act(strim(name));
	kfree(name);
	return err ?: size;
}

static int attach_present(const char *name)
{
	return san_attach(name, false);
}

static ssize_t write_attach(struct file *file, const char __user *from, size_t size,
			    loff_t *pos)
{
	return write_name(from, size, attach_present);
}

static ssize_t write_detach(struct file *file, const char __user *from, size_t size,
			    loff_t *pos)
{
	return write_name(from, size, san_detach);
}

static const struct file_operations attach_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = write_attach,
	.llseek = noop_llseek,
};

static const struct file_operations detach_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = write_detach,
	.llseek = noop_llseek,
};

static void show_found(struct seq_file *seq, struct san_device *san)
{
	unsigned int kind;
	u64 found;

	for (kind = 0; kind < SAN_KINDS; kind++) {
		found = atomic64_read(&san->found[kind]);
		if (found)
			seq_printf(seq, " %s=%llu", san_kind_name(kind), found);
	}
}

static void show_device(void *seq, const char *name, struct san_device *san)
{
	static const char * const names[] = {
		[SAN_COUNT_MAPS] = "maps", [SAN_COUNT_SYNCS] = "syncs",
		[SAN_COUNT_BUFFERS] = "buffers", [SAN_COUNT_UNSHADOWED] = "unwatched",
		[SAN_COUNT_INJECTED] = "injected",
	};
	size_t held, quarantined;
	unsigned int i;

	if (!san) {
		seq_printf(seq, "%s waits for a driver\n", name);
		return;
	}
	read_lock_irq(&san->lock);
	held = san->held;
	quarantined = san->quarantined;
	read_unlock_irq(&san->lock);
	seq_printf(seq, "%s attached memory=%zu quarantine=%zu", name, held, quarantined);
	for (i = 0; i < SAN_COUNTS; i++)
		seq_printf(seq, " %s=%llu", names[i], (u64)atomic64_read(&san->count[i]));
	show_found(seq, san);
	seq_putc(seq, '\n');
}

static int devices_show(struct seq_file *seq, void *unused)
{
	san_each(seq, show_device);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(devices);

static int reports_show(struct seq_file *seq, void *unused)
{
	san_reports_show(seq);
	return 0;
}

static int open_reports(struct inode *inode, struct file *file)
{
	return single_open(file, reports_show, NULL);
}

static ssize_t write_reports(struct file *file, const char __user *from, size_t size,
			     loff_t *pos)
{
	san_reports_clear();
	return size;
}

static const struct file_operations reports_fops = {
	.owner = THIS_MODULE,
	.open = open_reports,
	.read = seq_read,
	.write = write_reports,
	.llseek = seq_lseek,
	.release = single_release,
};

void san_debugfs_init(void)
{
	dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("attach", 0200, dir, NULL, &attach_fops);
	debugfs_create_file("detach", 0200, dir, NULL, &detach_fops);
	debugfs_create_file("devices", 0400, dir, NULL, &devices_fops);
	debugfs_create_file("reports", 0600, dir, NULL, &reports_fops);
}

void san_debugfs_exit(void)
{
	debugfs_remove(dir);
}
