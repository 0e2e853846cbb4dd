// SPDX-License-Identifier: GPL-2.0-only
/*
 * Channels as files.
 */
#include <linux/anon_inodes.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "dmafd.h"

/* ---- making one ---- */

static void init_run(struct dmafd_chan *chan, struct dmafd_run *run)
{
	unsigned int i;

	run->chan = chan;
	for (i = 0; i < DMAFD_WINDOW; i++) {
		run->slot[i].run = run;
		run->slot[i].next = &run->slot[(i + 1) % DMAFD_WINDOW];
	}
}

static int alloc_entries(struct dmafd_chan *chan)
{
	if (!chan->port)
		return 0;
	chan->entry = kcalloc(DMAFD_WINDOW, sizeof(*chan->entry), GFP_KERNEL_ACCOUNT);
	if (!chan->entry)
		return -ENOMEM;
	sg_init_table(chan->entry, DMAFD_WINDOW);
	return 0;
}

static int alloc_chan(struct dmafd_chan *chan)
{
	unsigned int i;

	chan->runs = kvcalloc(chan->nr_runs, sizeof(*chan->runs), GFP_KERNEL_ACCOUNT);
	chan->job = kvcalloc(chan->depth, sizeof(*chan->job), GFP_KERNEL_ACCOUNT);
	chan->rows = kzalloc(struct_size(chan->rows, sgl, 1), GFP_KERNEL_ACCOUNT);
	if (!chan->runs || !chan->job || !chan->rows)
		return -ENOMEM;
	for (i = 0; i < chan->nr_runs; i++)
		init_run(chan, &chan->runs[i]);
	for (i = 0; i < chan->depth; i++)
		list_add_tail(&chan->job[i].node, &chan->free);
	chan->run = chan->runs;
	return alloc_entries(chan);
}

static void init_chan(struct dmafd_chan *chan)
{
	kref_init(&chan->ref);
	mutex_init(&chan->mutex);
	mutex_init(&chan->read_lock);
	spin_lock_init(&chan->lock);
	INIT_LIST_HEAD(&chan->node);
	INIT_LIST_HEAD(&chan->found);
	INIT_LIST_HEAD(&chan->free);
	INIT_LIST_HEAD(&chan->queue);
	INIT_LIST_HEAD(&chan->done);
	init_waitqueue_head(&chan->wait);
	init_waitqueue_head(&chan->rest);
	INIT_DELAYED_WORK(&chan->watchdog, dmafd_watchdog);
	INIT_DELAYED_WORK(&chan->uring_watch, dmafd_uring_watch);
	chan->pid = task_tgid_nr(current);
	get_task_comm(chan->comm, current);
}

static void describe(struct dmafd_chan *chan)
{
	struct dma_device *device = chan->dma->device;
	unsigned int align;

	chan->caps = dmafd_caps(chan->dma);
	chan->copy_align = 1U << device->copy_align;
	chan->fill_align = 1U << device->fill_align;
	chan->xor_align = 1U << device->xor_align;
	if (chan->caps & DMAFD_CAP_XOR)
		chan->max_sources = min_t(unsigned int, device->max_xor, DMAFD_MAX_SOURCES);
	align = max3(chan->copy_align, chan->fill_align, chan->xor_align);
	chan->max_segment = max(round_down(dma_get_max_seg_size(chan->ctrl->dev), align), align);
	chan->boundary = dma_get_seg_boundary(chan->ctrl->dev);
	chan->nr_runs = device->device_synchronize ? 1 : DMAFD_RUNS;
	chan->can_pause = device->device_pause && device->device_resume;
	chan->plain_callbacks = !strcmp(dev_driver_string(device->dev), "dma-pl330");
	chan->sync = dma_need_sync(chan->ctrl->dev, 0);
	chan->direction = DMA_MEM_TO_MEM;
	strscpy(chan->name, dma_chan_name(chan->dma), sizeof(chan->name));
}

static void describe_port(struct dmafd_chan *chan)
{
	const struct dmafd_port_config *config = dmafd_port_config(chan->port);

	chan->direction = config->rx ? DMA_DEV_TO_MEM : DMA_MEM_TO_DEV;
	chan->width = config->width;
	strscpy(chan->name, config->name, sizeof(chan->name));
}

static void free_chan(struct dmafd_chan *chan)
{
	kfree(chan->entry);
	kvfree(chan->runs);
	kvfree(chan->job);
	kfree(chan->rows);
	mutex_destroy(&chan->mutex);
	mutex_destroy(&chan->read_lock);
	kfree(chan);
}

/* Takes it off the controller's list: the controller may go without it now. */
static void leave(struct dmafd_chan *chan)
{
	mutex_lock(&chan->ctrl->lock);
	list_del_init(&chan->node);
	mutex_unlock(&chan->ctrl->lock);
}

static int join_ctrl(struct dmafd_chan *chan)
{
	struct dmafd_ctrl *ctrl = chan->ctrl;
	int err = 0;

	mutex_lock(&ctrl->lock);
	if (ctrl->gone)
		err = -ENODEV;
	else
		list_add_tail(&chan->node, &ctrl->chans);
	mutex_unlock(&ctrl->lock);
	return err;
}

/*
 * From here on it ends with its controller, and its port. If that fails it has to be
 * closed: one of them may be at it already.
 */
static int join(struct dmafd_chan *chan)
{
	int err;

	mutex_lock(&chan->mutex);
	err = join_ctrl(chan);
	if (!err && chan->port)
		err = dmafd_port_join(chan->port, chan);
	if (!err)
		dmafd_found_add(chan);
	mutex_unlock(&chan->mutex);
	return err;
}

static struct dmafd_chan *make_chan(struct dmafd_ctx *ctx, struct dma_chan *dma,
				    struct dmafd_port *port, const struct dmafd_chan_open *arg)
{
	struct dmafd_chan *chan = kzalloc(sizeof(*chan), GFP_KERNEL_ACCOUNT);
	int err;

	if (!chan)
		return ERR_PTR(-ENOMEM);
	init_chan(chan);
	chan->dma = dma;
	chan->port = port;
	chan->depth = arg->depth ?: DMAFD_DEPTH;
	chan->timeout = msecs_to_jiffies(arg->timeout_ms ?: DMAFD_TIMEOUT_MS);
	chan->nonblock = arg->flags & DMAFD_CHAN_NONBLOCK;
	chan->ctrl = dmafd_ctrl_get(dma);
	if (IS_ERR(chan->ctrl)) {
		err = PTR_ERR(chan->ctrl);
		goto undo_chan;
	}
	describe(chan);
	if (port)
		describe_port(chan);
	chan->opcodes = dmafd_opcodes_of(chan->caps, chan->direction);
	err = alloc_chan(chan);
	if (err)
		goto undo_ctrl;
	chan->ctx = ctx;
	dmafd_ctx_get(ctx);
	return chan;

undo_ctrl:
	dmafd_ctrl_put(chan->ctrl);
undo_chan:
	free_chan(chan);
	return ERR_PTR(err);
}

/* ---- the end ---- */

/* One that could not be stopped is not given to anybody any more. */
static void give_back(struct dmafd_chan *chan)
{
	if (!chan->stranded)
		dma_release_channel(chan->dma);
	else if (chan->port)
		dmafd_port_strand(chan->port);
	if (chan->port)
		dmafd_port_give_back(chan->port);
}

void dmafd_chan_kill(struct dmafd_chan *chan, int status)
{
	mutex_lock(&chan->mutex);
	if (!chan->gone) {
		if (!chan->dead)
			dmafd_stop(chan, status, status);
		spin_lock_irq(&chan->lock);
		chan->dead = true;
		wake_up_poll(&chan->wait, EPOLLIN | EPOLLHUP | EPOLLERR);
		spin_unlock_irq(&chan->lock);
		dmafd_found_remove(chan);
		give_back(chan);
		chan->gone = true;
		leave(chan);
	}
	mutex_unlock(&chan->mutex);
}

static void chan_end(struct kref *ref)
{
	struct dmafd_chan *chan = container_of(ref, struct dmafd_chan, ref);

	dmafd_ctrl_put(chan->ctrl);
	dmafd_ctx_put(chan->ctx);
	free_chan(chan);
}

void dmafd_chan_put(struct dmafd_chan *chan)
{
	kref_put(&chan->ref, chan_end);
}

/*
 * Whatever the controller may still write to must stay what it is: the buffers,
 * and with them all that keeps them, are left as they are.
 */
static void close_chan(struct dmafd_chan *chan)
{
	dmafd_chan_kill(chan, -ECANCELED);
	cancel_delayed_work_sync(&chan->watchdog);
	cancel_delayed_work_sync(&chan->uring_watch);
	if (!chan->stranded)
		dmafd_chan_put(chan);
}

static int chan_release(struct inode *inode, struct file *file)
{
	close_chan(file->private_data);
	return 0;
}

/* ---- ioctls ---- */

static int check_open(struct dmafd_chan_open *arg)
{
	if (arg->flags & ~DMAFD_CHAN_NONBLOCK || arg->caps & ~DMAFD_CAPS)
		return -EOPNOTSUPP;
	if (arg->depth > DMAFD_MAX_DEPTH || strnlen(arg->name, sizeof(arg->name)) ==
					    sizeof(arg->name))
		return -EINVAL;
	if (*arg->name)
		return 0;
	if (arg->caps & DMAFD_CAP_SLAVE)
		return -EINVAL;
	if (!arg->caps)
		arg->caps = DMAFD_CAP_COPY;
	return 0;
}

static struct dma_chan *request_port(struct dmafd_port *port, u32 caps)
{
	struct dma_chan *dma = dmafd_port_request(port);

	if (IS_ERR(dma) || (dmafd_caps(dma) & caps) == caps)
		return dma;
	dma_release_channel(dma);
	return ERR_PTR(-EOPNOTSUPP);
}

/* A channel that is no port's is of no use for slave transfers. */
static struct dma_chan *request_plain(const char *name, u32 caps)
{
	struct dma_chan *dma = dmafd_find(name, caps);

	if (IS_ERR(dma) || !(caps & DMAFD_CAP_SLAVE))
		return dma;
	dma_release_channel(dma);
	return ERR_PTR(-EOPNOTSUPP);
}

static struct dmafd_chan *open_chan(struct dmafd_ctx *ctx, const struct dmafd_chan_open *arg)
{
	struct dmafd_port *port = dmafd_port_take(arg->name);
	struct dmafd_chan *chan;
	struct dma_chan *dma;

	if (IS_ERR(port))
		return ERR_CAST(port);
	dma = port ? request_port(port, arg->caps) : request_plain(arg->name, arg->caps);
	if (IS_ERR(dma)) {
		chan = ERR_CAST(dma);
		goto undo_port;
	}
	chan = make_chan(ctx, dma, port, arg);
	if (IS_ERR(chan))
		goto undo_dma;
	return chan;

undo_dma:
	dma_release_channel(dma);
undo_port:
	if (port)
		dmafd_port_give_back(port);
	return chan;
}

/* Gives the caller a file descriptor; when that fails, the channel is closed. */
static int publish(struct dmafd_chan *chan, struct dmafd_cmd *cmd)
{
	struct dmafd_chan_open *arg = cmd->arg;
	struct file *file;
	int fd, err;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		close_chan(chan);
		return fd;
	}
	file = anon_inode_getfile("[dmafd]", &dmafd_chan_fops, chan,
				  O_RDWR | (chan->nonblock ? O_NONBLOCK : 0));
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		close_chan(chan);
		return PTR_ERR(file);
	}
	arg->out_fd = fd;
	err = dmafd_respond(cmd);
	if (err) {
		put_unused_fd(fd);
		fput(file);
		return err;
	}
	fd_install(fd, file);
	return 0;
}

int dmafd_chan_open(void *object, struct dmafd_cmd *cmd)
{
	struct dmafd_chan_open *arg = cmd->arg;
	struct dmafd_chan *chan;
	int err;

	err = check_open(arg);
	if (err)
		return err;
	chan = open_chan(object, arg);
	if (IS_ERR(chan))
		return PTR_ERR(chan);
	err = join(chan);
	if (err) {
		close_chan(chan);
		return err;
	}
	return publish(chan, cmd);
}

static u32 info_flags(const struct dmafd_chan *chan)
{
	return (chan->sync ? DMAFD_INFO_SYNC : 0) |
	       (chan->direction == DMA_MEM_TO_DEV ? DMAFD_INFO_TX : 0) |
	       (chan->direction == DMA_DEV_TO_MEM ? DMAFD_INFO_RX : 0) |
	       (chan->can_pause ? DMAFD_INFO_PAUSE : 0);
}

static int chan_info(void *object, struct dmafd_cmd *cmd)
{
	struct dmafd_chan_info *info = cmd->arg;
	struct dmafd_chan *chan = object;
	int err = -ENODEV;

	if (info->flags)
		return -EOPNOTSUPP;
	mutex_lock(&chan->mutex);
	if (!chan->gone) {
		info->out_residue = chan->dma->device->residue_granularity;
		err = 0;
	}
	mutex_unlock(&chan->mutex);
	if (err)
		return err;
	info->out_caps = chan->caps;
	info->out_flags = info_flags(chan);
	info->out_width = chan->width;
	info->out_copy_align = chan->copy_align;
	info->out_fill_align = chan->fill_align;
	info->out_max_segment = chan->max_segment;
	info->out_depth = chan->depth;
	info->out_max_sources = chan->max_sources;
	spin_lock_irq(&chan->lock);
	info->out_held = chan->held;
	info->out_submitted = chan->submitted;
	info->out_completed = chan->completed;
	info->out_failed = chan->failed;
	info->out_bytes = chan->bytes;
	spin_unlock_irq(&chan->lock);
	strscpy(info->out_name, chan->name, sizeof(info->out_name));
	strscpy(info->out_device, dev_name(chan->ctrl->supplier), sizeof(info->out_device));
	return 0;
}

static int chan_cancel(void *object, struct dmafd_cmd *cmd)
{
	struct dmafd_cancel *arg = cmd->arg;
	struct dmafd_chan *chan = object;
	int err = 0;

	if (arg->flags || arg->__reserved)
		return -EOPNOTSUPP;
	mutex_lock(&chan->mutex);
	if (chan->dead)
		err = -ENODEV;
	else
		arg->out_canceled = dmafd_stop(chan, -ECANCELED, -ECANCELED);
	mutex_unlock(&chan->mutex);
	return err;
}

static int chan_status(void *object, struct dmafd_cmd *cmd)
{
	struct dmafd_status *arg = cmd->arg;
	struct dmafd_chan *chan = object;

	if (arg->flags)
		return -EOPNOTSUPP;
	*arg = (struct dmafd_status){ .size = arg->size, .out_state = DMAFD_STATE_GONE };
	mutex_lock(&chan->mutex);
	if (!chan->dead)
		dmafd_status(chan, arg);
	mutex_unlock(&chan->mutex);
	return 0;
}

static int chan_pause(void *object, struct dmafd_cmd *cmd)
{
	struct dmafd_pause *arg = cmd->arg;
	struct dmafd_chan *chan = object;
	int err;

	if (arg->flags & ~DMAFD_PAUSE_RESUME || !chan->can_pause)
		return -EOPNOTSUPP;
	mutex_lock(&chan->mutex);
	err = chan->dead ? -ENODEV : dmafd_pause(chan, !(arg->flags & DMAFD_PAUSE_RESUME));
	mutex_unlock(&chan->mutex);
	return err;
}

static const struct dmafd_ioctl ioctls[] = {
	DMAFD_IOCTL(DMAFD_CHAN_INFO, dmafd_chan_info, out_device, chan_info),
	DMAFD_IOCTL(DMAFD_SUBMIT, dmafd_submit, __reserved, dmafd_submit),
	DMAFD_IOCTL(DMAFD_CANCEL, dmafd_cancel, __reserved, chan_cancel),
	DMAFD_IOCTL(DMAFD_STATUS, dmafd_status, out_overruns, chan_status),
	DMAFD_IOCTL(DMAFD_PAUSE, dmafd_pause, flags, chan_pause),
};

static long chan_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return dmafd_dispatch(ioctls, ARRAY_SIZE(ioctls), file->private_data, cmd, arg);
}

/* ---- completions ---- */

static bool may_read(struct dmafd_chan *chan)
{
	bool may;

	spin_lock_irq(&chan->lock);
	may = !list_empty(&chan->done) || dmafd_cyclic_news(chan) || chan->dead;
	spin_unlock_irq(&chan->lock);
	return may;
}

static bool is_dead(struct dmafd_chan *chan)
{
	bool dead;

	spin_lock_irq(&chan->lock);
	dead = chan->dead;
	spin_unlock_irq(&chan->lock);
	return dead;
}

static ssize_t chan_read(struct file *file, char __user *user, size_t size, loff_t *pos)
{
	size_t max = min_t(size_t, size / sizeof(struct dmafd_completion), DMAFD_MAX_DEPTH);
	struct dmafd_chan *chan = file->private_data;
	bool dead;
	int n;

	if (!max)
		return -EINVAL;
	for (;;) {
		/* Before it was looked for completions: the last ones are not missed. */
		dead = is_dead(chan);
		n = dmafd_take(chan, (void __user *)user, max);
		if (n)
			return n < 0 ? n : n * sizeof(struct dmafd_completion);
		if (dead)
			return -ENODEV;
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(chan->wait, may_read(chan)))
			return -ERESTARTSYS;
	}
}

static __poll_t chan_poll(struct file *file, poll_table *table)
{
	struct dmafd_chan *chan = file->private_data;
	__poll_t events = 0;

	poll_wait(file, &chan->wait, table);
	spin_lock_irq(&chan->lock);
	if (!list_empty(&chan->done) || dmafd_cyclic_news(chan))
		events |= EPOLLIN | EPOLLRDNORM;
	if (chan->dead)
		events |= EPOLLHUP | EPOLLERR;
	else if (chan->held < chan->depth)
		events |= EPOLLOUT | EPOLLWRNORM;
	spin_unlock_irq(&chan->lock);
	return events;
}

const struct file_operations dmafd_chan_fops = {
	.owner = THIS_MODULE,
	.release = chan_release,
	.read = chan_read,
	.poll = chan_poll,
	.unlocked_ioctl = chan_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.uring_cmd = dmafd_uring_cmd,
	.uring_cmd_iopoll = dmafd_uring_iopoll,
	.show_fdinfo = dmafd_chan_show,
};
