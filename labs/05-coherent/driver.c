// SPDX-License-Identifier: GPL-2.0-only
/*
 * dma_ring - coherent memory: a ring of descriptors, and a pool of small buffers
 *
 *	# insmod dma_ring.ko
 *	# echo one-two-three > /dev/dma_ring
 *	# dmesg | grep ring
 *	# rmmod dma_ring
 *
 * Each write is cut into small buffers, and each of these gets a descriptor in a
 * ring, which a device works on at the same time. What to look at: driver and
 * device use the same memory without asking each other, and nothing is mapped,
 * synced or unmapped. What that takes:
 *
 *	ring_alloc()	dma_alloc_coherent()	the ring
 *			dma_pool_create()	where small buffers come from
 *	ring_post()	dma_wmb()		content first, and then its owner
 *	ring_given()	dma_rmb()		its owner first, and then content
 *
 * The device is in device.c.
 */
#include <linux/dma-mapping.h>
#include <linux/dmapool.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "ring.h"

/* The longest message: as much as the ring carries. */
#define MAX_MESSAGE	(RING_SIZE * RING_BUF)

/* No buffer of the pool crosses a multiple of this, as some devices need it. */
#define RING_BOUNDARY	4096

/* So much of a message is shown in the log. */
#define LOG_CHARS	64

/* What belongs to a descriptor, and the device has no business with. */
struct ring_slot {
	char *src;
	char *dst;
	dma_addr_t src_dma;
	dma_addr_t dst_dma;
};

struct ring {
	struct kref ref;	/* one for the driver, one for each open file */
	struct miscdevice misc;
	struct device *dev;	/* for the log; valid until chan is NULL */
	wait_queue_head_t wait;	/* for the device to give descriptors back */
	struct mutex lock;	/* one message at a time; protects all below */
	struct dma_chan *chan;	/* NULL once the driver was unbound */
	struct dma_pool *pool;
	struct ring_desc *desc;	/* RING_SIZE of them, shared with the device */
	dma_addr_t desc_dma;
	struct ring_slot slot[RING_SIZE];
	u32 head;		/* the descriptor that is posted next */
	struct ring_device device;
};

static bool make_device;
module_param(make_device, bool, 0444);
MODULE_PARM_DESC(make_device, "make a device if the device tree has none");

/* The string in the log: newlines escaped, so that an event is one line. */
static void ring_log(struct ring *ring, const char *what, const char *text, size_t len)
{
	dev_info(ring->dev, "%s '%*pE'\n", what, (int)min_t(size_t, len, LOG_CHARS), text);
}

static void ring_slot_free(struct ring *ring, struct ring_slot *slot)
{
	if (slot->dst)
		dma_pool_free(ring->pool, slot->dst, slot->dst_dma);
	if (slot->src)
		dma_pool_free(ring->pool, slot->src, slot->src_dma);
	memset(slot, 0, sizeof(*slot));
}

/*
 * Two small buffers of coherent memory. dma_alloc_coherent() would give a page
 * for each; the pool cuts its pages into many.
 */
static int ring_slot_fill(struct ring *ring, struct ring_slot *slot,
			  const char *text, size_t len)
{
	slot->src = dma_pool_zalloc(ring->pool, GFP_KERNEL, &slot->src_dma);
	slot->dst = dma_pool_zalloc(ring->pool, GFP_KERNEL, &slot->dst_dma);
	if (!slot->src || !slot->dst) {
		ring_slot_free(ring, slot);
		return -ENOMEM;
	}
	memcpy(slot->src, text, len);
	return 0;
}

/*
 * Gives a descriptor to the device. The device may look at any time, so it must
 * not see the new owner before it sees the new content. The CPU may write in
 * another order than the program does: coherent memory is no help there.
 */
static void ring_post(struct ring *ring, u32 n)
{
	struct ring_desc *desc = &ring->desc[n];

	desc->src = cpu_to_le64(ring->slot[n].src_dma);
	desc->dst = cpu_to_le64(ring->slot[n].dst_dma);
	desc->len = cpu_to_le32(RING_BUF);
	dma_wmb();
	WRITE_ONCE(desc->state, cpu_to_le32(RING_GIVEN));
	ring_device_kick(&ring->device);
}

/* Whether the device still has it. If not, its content may be read. */
static bool ring_given(struct ring *ring, u32 n)
{
	if (READ_ONCE(ring->desc[n].state) == cpu_to_le32(RING_GIVEN))
		return true;
	/* What is read from here on is not older than the owner. */
	dma_rmb();
	return false;
}

/* "Interrupt": the device has given something back. */
static void ring_irq(void *data)
{
	struct ring *ring = data;

	wake_up(&ring->wait);
}

/*
 * Waits for the last one: they come back in their order. No signal ends this
 * wait, because until it is done or stopped the device writes to the buffers.
 */
static int ring_wait(struct ring *ring, u32 last)
{
	struct ring_device *rd = &ring->device;

	/* The device has timeouts of its own, one for each of its steps. */
	if (wait_event_timeout(ring->wait, !ring_given(ring, last) || READ_ONCE(rd->error),
			       4 * DMA_TIMEOUT) && !READ_ONCE(rd->error))
		return 0;

	ring_device_stop(rd);
	dev_err(ring->dev, "write: the device has stopped\n");
	if (rd->stuck) {
		/* It may write to the buffers at any time: keep all, for good. */
		kref_get(&ring->ref);
		get_device(ring->dev);
		__module_get(THIS_MODULE);
		return -EIO;
	}
	return rd->error ?: -ETIMEDOUT;
}

/* Nobody uses the ring: back to its beginning. */
static void ring_reset(struct ring *ring)
{
	memset(ring->desc, 0, RING_SIZE * sizeof(*ring->desc));
	ring->head = 0;
	ring_device_reset(&ring->device);
}

static int ring_fill(struct ring *ring, const char *text, size_t len, u32 count)
{
	u32 i;
	int ret;

	for (i = 0; i < count; i++) {
		size_t at = i * RING_BUF;

		ret = ring_slot_fill(ring, &ring->slot[(ring->head + i) % RING_SIZE],
				     text + at, min_t(size_t, len - at, RING_BUF));
		if (ret)
			return ret;
	}
	return 0;
}

/* The text as it arrived; false if it is another one. */
static bool ring_arrived(struct ring *ring, const char *text, size_t len, char *got)
{
	size_t at;

	for (at = 0; at < len; at += RING_BUF)
		memcpy(got + at, ring->slot[(ring->head + at / RING_BUF) % RING_SIZE].dst,
		       min_t(size_t, len - at, RING_BUF));
	return !memcmp(text, got, len);
}

static int ring_move(struct ring *ring, const char *text, size_t len, u32 count, char *got)
{
	u32 last = (ring->head + count - 1) % RING_SIZE;
	u32 i;
	int ret;

	dev_info(ring->dev, "write: descriptors %u to %u\n", ring->head, last);
	for (i = 0; i < count; i++)
		ring_post(ring, (ring->head + i) % RING_SIZE);
	ret = ring_wait(ring, last);
	if (ret)
		return ret;
	if (!ring_arrived(ring, text, len, got)) {
		dev_err(ring->dev, "write: what arrived is not what was sent\n");
		return -EIO;
	}
	ring_log(ring, "write: arrived:", got, len);
	return 0;
}

static int ring_message(struct ring *ring, const char *text, size_t len, char *got)
{
	u32 count = DIV_ROUND_UP(len, RING_BUF);
	u32 i;
	int ret;

	lockdep_assert_held(&ring->lock);
	if (!ring->chan)
		return -ENODEV;
	if (ring->device.stuck)
		return -EIO;

	ret = ring_fill(ring, text, len, count);
	if (!ret) {
		ring_log(ring, "write: sending:", text, len);
		ret = ring_move(ring, text, len, count, got);
	}
	if (ring->device.stuck)
		return ret;
	for (i = 0; i < RING_SIZE; i++)
		ring_slot_free(ring, &ring->slot[i]);
	if (ret)
		ring_reset(ring);
	else
		ring->head = (ring->head + count) % RING_SIZE;
	return ret;
}

/* One write is one message: it is moved as a whole or not at all. */
static ssize_t ring_write(struct file *file, const char __user *buf,
			  size_t count, loff_t *ppos)
{
	struct ring *ring = file->private_data;
	char *text, *got;
	int ret;

	if (!count)
		return 0;
	if (count > MAX_MESSAGE)
		return -EMSGSIZE;
	/* Outside the lock: user memory may take its time to appear. */
	text = memdup_user(buf, count);
	if (IS_ERR(text))
		return PTR_ERR(text);
	ret = -ENOMEM;
	got = kmalloc(count, GFP_KERNEL);
	if (!got)
		goto free_text;

	/* Nothing has been started yet: here a signal may end the wait. */
	ret = -ERESTARTSYS;
	if (!mutex_lock_interruptible(&ring->lock)) {
		ret = ring_message(ring, text, count, got);
		mutex_unlock(&ring->lock);
	}
	kfree(got);
free_text:
	kfree(text);
	return ret ?: count;
}

/* It stays with the driver, so that it is there as long as the device is bound. */
static ssize_t costs_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct ring *ring = dev_get_drvdata(dev);
	ssize_t ret;

	if (mutex_lock_interruptible(&ring->lock))
		return -ERESTARTSYS;
	ret = ring_costs(ring->chan->device->dev, ring->pool, buf);
	mutex_unlock(&ring->lock);
	return ret;
}
static DEVICE_ATTR_ADMIN_RO(costs);

static struct attribute *ring_attrs[] = {
	&dev_attr_costs.attr,
	NULL
};
ATTRIBUTE_GROUPS(ring);

static void ring_release_ref(struct kref *ref)
{
	kfree(container_of(ref, struct ring, ref));
}

/* Until misc_deregister() returns no open can miss the driver's reference. */
static int ring_open(struct inode *inode, struct file *file)
{
	struct ring *ring = container_of(file->private_data, struct ring, misc);

	kref_get(&ring->ref);
	file->private_data = ring;
	return nonseekable_open(inode, file);
}

static int ring_release(struct inode *inode, struct file *file)
{
	struct ring *ring = file->private_data;

	kref_put(&ring->ref, ring_release_ref);
	return 0;
}

/* There is no .read: the kernel answers EINVAL by itself. */
static const struct file_operations ring_fops = {
	.owner = THIS_MODULE,	/* no rmmod while a file is open */
	.open = ring_open,
	.write = ring_write,
	.release = ring_release,
};

static int ring_request_channel(struct ring *ring)
{
	struct device *dma_dev;
	dma_cap_mask_t mask;

	dma_cap_zero(mask);
	dma_cap_set(DMA_MEMCPY, mask);
	/* Without any controller yet this is -EPROBE_DEFER: we are asked again. */
	ring->chan = dma_request_chan_by_mask(&mask);
	if (IS_ERR(ring->chan))
		return dev_err_probe(ring->dev, PTR_ERR(ring->chan),
				     "no channel that copies memory\n");

	/* If the controller's driver is unbound, ours has to go before it. */
	dma_dev = ring->chan->device->dev;
	if (!device_link_add(ring->dev, dma_dev, DL_FLAG_AUTOREMOVE_CONSUMER)) {
		dma_release_channel(ring->chan);
		return -EINVAL;
	}
	return 0;
}

static void ring_free(struct ring *ring)
{
	struct device *dma_dev = ring->chan->device->dev;

	dma_pool_destroy(ring->pool);
	dma_free_coherent(dma_dev, RING_SIZE * sizeof(*ring->desc), ring->desc,
			  ring->desc_dma);
}

/*
 * Coherent memory belongs to the device that reads and writes it, and that is
 * the controller. It comes with both its addresses.
 */
static int ring_alloc(struct ring *ring)
{
	struct device *dma_dev = ring->chan->device->dev;

	ring->desc = dma_alloc_coherent(dma_dev, RING_SIZE * sizeof(*ring->desc),
					&ring->desc_dma, GFP_KERNEL);
	if (!ring->desc)
		return -ENOMEM;
	dev_info(ring->dev, "probe: ring of %u descriptors, %zu bytes each\n",
		 RING_SIZE, sizeof(*ring->desc));

	ring->pool = dma_pool_create("ring-buffers", dma_dev, RING_BUF, RING_BUF,
				     RING_BOUNDARY);
	if (!ring->pool) {
		ring_free(ring);
		return -ENOMEM;
	}
	dev_info(ring->dev, "probe: pool of %u-byte buffers, none crosses %u\n",
		 RING_BUF, RING_BOUNDARY);
	return 0;
}

static int ring_init_device(struct ring *ring)
{
	struct ring_device *rd = &ring->device;

	rd->dev = ring->dev;
	rd->chan = ring->chan;
	rd->irq = ring_irq;
	rd->irq_data = ring;
	return ring_device_init(rd, ring->desc_dma);
}

/*
 * The driver core runs this when the driver is unbound from the device, by
 * rmmod or through sysfs; then files may still be open, and keep ring.
 */
static void ring_remove(void *data)
{
	struct ring *ring = data;

	dev_info(ring->dev, "remove: called\n");
	misc_deregister(&ring->misc);
	/* Waits for the message that is under way, and there is no other. */
	mutex_lock(&ring->lock);
	ring_device_stop(&ring->device);
	if (!ring->device.stuck) {
		ring_device_exit(&ring->device);
		ring_free(ring);
		dma_release_channel(ring->chan);
		ring->chan = NULL;
	}
	mutex_unlock(&ring->lock);
	dev_info(ring->dev, "remove: done\n");
	kref_put(&ring->ref, ring_release_ref);
}

static int ring_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct ring *ring;
	int ret;

	dev_info(dev, "probe: called\n");
	ring = kzalloc(sizeof(*ring), GFP_KERNEL);
	if (!ring)
		return -ENOMEM;
	kref_init(&ring->ref);
	mutex_init(&ring->lock);
	init_waitqueue_head(&ring->wait);
	ring->dev = dev;
	dev_set_drvdata(dev, ring);

	ret = ring_request_channel(ring);
	if (ret)
		goto put_ring;
	ret = ring_alloc(ring);
	if (ret)
		goto release_channel;
	ret = ring_init_device(ring);
	if (ret)
		goto free_ring;

	ring->misc.minor = MISC_DYNAMIC_MINOR;
	ring->misc.name = "dma_ring";
	ring->misc.fops = &ring_fops;
	ring->misc.parent = dev;
	ret = misc_register(&ring->misc);
	if (ret)
		goto exit_device;

	dev_info(dev, "probe: done\n");
	/* In place of .remove, whose type is another one since Linux 6.11. */
	return devm_add_action_or_reset(dev, ring_remove, ring);

exit_device:
	ring_device_exit(&ring->device);
free_ring:
	ring_free(ring);
release_channel:
	dma_release_channel(ring->chan);
put_ring:
	kref_put(&ring->ref, ring_release_ref);
	return ret;
}

static const struct of_device_id ring_of_match[] = {
	{ .compatible = "dmafd,dma-ring" },
	{ }
};
MODULE_DEVICE_TABLE(of, ring_of_match);

static struct platform_driver ring_driver = {
	.probe = ring_probe,
	.driver = {
		.name = "dma_ring",
		.of_match_table = ring_of_match,
		.dev_groups = ring_groups,
	},
};

/* The device that we have made ourselves, if any. */
static struct platform_device *ring_made;

static int __init ring_make_device(void)
{
	struct device_node *node = of_find_matching_node(NULL, ring_of_match);

	of_node_put(node);
	if (node)
		return 0;
	ring_made = platform_device_register_simple(ring_driver.driver.name,
						    PLATFORM_DEVID_NONE, NULL, 0);
	return PTR_ERR_OR_ZERO(ring_made);
}

static int __init ring_init(void)
{
	int ret = platform_driver_register(&ring_driver);

	if (ret || !make_device)
		return ret;
	ret = ring_make_device();
	if (ret)
		platform_driver_unregister(&ring_driver);
	return ret;
}
module_init(ring_init);

static void __exit ring_exit(void)
{
	platform_device_unregister(ring_made);
	platform_driver_unregister(&ring_driver);
}
module_exit(ring_exit);

MODULE_DESCRIPTION("Lab: coherent memory, a ring of descriptors and a pool");
MODULE_LICENSE("GPL");
