// SPDX-License-Identifier: GPL-2.0-only
/*
 * Controllers that are in use, and their going away.
 *
 * The DMA engine lets a controller's driver be unbound while clients hold its
 * channels, and does not tell them. The driver core does: for each controller
 * there is a device of ours which depends on it, and is unbound before it.
 */
#include <linux/platform_device.h>
#include <linux/slab.h>

#include "dmafd.h"

static DEFINE_MUTEX(ctrls_lock);	/* protects ctrls, and who is on it */
static LIST_HEAD(ctrls);
static unsigned long next_id;		/* ctrls_lock */
static struct workqueue_struct *ends;

/* A channel that may still be killed by the controller's end; kept. */
static struct dmafd_chan *first_chan(struct dmafd_ctrl *ctrl)
{
	struct dmafd_chan *chan;

	mutex_lock(&ctrl->lock);
	chan = list_first_entry_or_null(&ctrl->chans, struct dmafd_chan, node);
	if (chan)
		kref_get(&chan->ref);
	mutex_unlock(&ctrl->lock);
	return chan;
}

/* The controller is about to go, or we don't need it any more. */
static void lose(void *data)
{
	struct dmafd_ctrl *ctrl = data;
	struct dmafd_map *map, *next;
	struct dmafd_chan *chan;

	mutex_lock(&ctrl->lock);
	ctrl->gone = true;
	mutex_unlock(&ctrl->lock);
	/* A channel that is killed is off the list. */
	while ((chan = first_chan(ctrl))) {
		dmafd_chan_kill(chan, -ENODEV);
		dmafd_chan_put(chan);
	}
	mutex_lock(&ctrl->lock);
	list_for_each_entry_safe(map, next, &ctrl->maps, node)
		dmafd_map_undo(map);
	mutex_unlock(&ctrl->lock);
}

static int probe(struct platform_device *pdev)
{
	struct dmafd_ctrl *ctrl = *(struct dmafd_ctrl **)dev_get_platdata(&pdev->dev);
	struct device_link *link;
	int err;

	link = device_link_add(&pdev->dev, ctrl->supplier, DL_FLAG_AUTOREMOVE_CONSUMER);
	if (!link || link->status == DL_STATE_SUPPLIER_UNBIND)
		return -ENODEV;
	err = devm_add_action(&pdev->dev, lose, ctrl);
	if (err)
		return err;
	mutex_lock(&ctrl->lock);
	ctrl->gone = false;
	mutex_unlock(&ctrl->lock);
	return 0;
}

static struct platform_driver driver = {
	.driver = {
		.name = DMAFD_DRIVER,
		.suppress_bind_attrs = true,
		.probe_type = PROBE_FORCE_SYNCHRONOUS,
	},
	.probe = probe,
};

static bool is_gone(struct dmafd_ctrl *ctrl)
{
	bool gone;

	mutex_lock(&ctrl->lock);
	gone = ctrl->gone;
	mutex_unlock(&ctrl->lock);
	return gone;
}

static void free_ctrl(struct dmafd_ctrl *ctrl)
{
	put_device(ctrl->supplier);
	put_device(ctrl->dev);
	mutex_destroy(&ctrl->lock);
	kfree(ctrl);
}

/*
 * Its last user may be gone because the controller is: then the driver core is
 * just about to unbind our device, and must not be waited for.
 */
static void end_ctrl(struct work_struct *work)
{
	struct dmafd_ctrl *ctrl = container_of(work, struct dmafd_ctrl, end);

	platform_device_unregister(ctrl->pdev);
	free_ctrl(ctrl);
}

static int publish(struct dmafd_ctrl *ctrl)
{
	struct platform_device_info info = {
		.name = DMAFD_DRIVER,
		.id = PLATFORM_DEVID_AUTO,
		.data = &ctrl,
		.size_data = sizeof(ctrl),
	};

	ctrl->pdev = platform_device_register_full(&info);
	/* Without memory for its name, it is a device that has none. */
	if (ctrl->pdev == ERR_PTR(-EINVAL))
		return -ENOMEM;
	if (IS_ERR(ctrl->pdev))
		return PTR_ERR(ctrl->pdev);
	if (!is_gone(ctrl))
		return 0;
	platform_device_unregister(ctrl->pdev);
	/* The driver core does not tell; with its driver there, only memory can lack. */
	return READ_ONCE(ctrl->supplier->links.status) == DL_DEV_DRIVER_BOUND ? -ENOMEM : -ENODEV;
}

static struct dmafd_ctrl *make_ctrl(struct device *dev, struct device *supplier)
{
	struct dmafd_ctrl *ctrl = kzalloc(sizeof(*ctrl), GFP_KERNEL);
	int err;

	lockdep_assert_held(&ctrls_lock);

	if (!ctrl)
		return ERR_PTR(-ENOMEM);
	ctrl->dev = get_device(dev);
	ctrl->supplier = get_device(supplier);
	ctrl->gone = true;
	ctrl->id = next_id++;
	refcount_set(&ctrl->users, 1);
	INIT_WORK(&ctrl->end, end_ctrl);
	mutex_init(&ctrl->lock);
	INIT_LIST_HEAD(&ctrl->chans);
	INIT_LIST_HEAD(&ctrl->maps);
	err = publish(ctrl);
	if (err) {
		free_ctrl(ctrl);
		return ERR_PTR(err);
	}
	list_add(&ctrl->node, &ctrls);
	return ctrl;
}

/* One that has gone is not found: what comes in its place is another. */
static struct dmafd_ctrl *find_ctrl(struct device *dev, struct device *supplier)
{
	struct dmafd_ctrl *ctrl;

	lockdep_assert_held(&ctrls_lock);

	list_for_each_entry(ctrl, &ctrls, node)
		if (ctrl->dev == dev && ctrl->supplier == supplier && !is_gone(ctrl))
			return ctrl;
	return NULL;
}

struct dmafd_ctrl *dmafd_ctrl_get(struct dma_chan *dma)
{
	struct device *dev = dmaengine_get_dma_device(dma), *supplier = dma->device->dev;
	struct dmafd_ctrl *ctrl;

	mutex_lock(&ctrls_lock);
	ctrl = find_ctrl(dev, supplier);
	if (ctrl)
		refcount_inc(&ctrl->users);
	else
		ctrl = make_ctrl(dev, supplier);
	mutex_unlock(&ctrls_lock);
	return ctrl;
}

void dmafd_ctrl_hold(struct dmafd_ctrl *ctrl)
{
	refcount_inc(&ctrl->users);
}

void dmafd_ctrl_put(struct dmafd_ctrl *ctrl)
{
	if (!refcount_dec_and_mutex_lock(&ctrl->users, &ctrls_lock))
		return;
	list_del(&ctrl->node);
	mutex_unlock(&ctrls_lock);
	queue_work(ends, &ctrl->end);
}

int dmafd_ctrl_init(void)
{
	int err;

	ends = alloc_workqueue(DMAFD_DRIVER, WQ_UNBOUND, 0);
	if (!ends)
		return -ENOMEM;
	err = platform_driver_register(&driver);
	if (err)
		destroy_workqueue(ends);
	return err;
}

void dmafd_ctrl_exit(void)
{
	destroy_workqueue(ends);
	platform_driver_unregister(&driver);
}
