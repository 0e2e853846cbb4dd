// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver for QEMU's teaching device, which moves data between its own memory and the
 * machine's by DMA. What is written to /dev/edu goes to the device, and a read
 * fetches it from there. Both ways there is a buffer that stays mapped.
 *
 *	# insmod edu.ko mistake=no-sync-for-cpu
 *
 * A mistake that is asked for is one that drivers make; a PC does not notice most.
 */
#include <linux/dma-mapping.h>
#include <linux/iopoll.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

/* The device has 4 KiB; some emulators give up at a transfer of all that. */
#define ROOM		2048
#define DEVICE_MEMORY	0x40000

#define REG_SOURCE	0x80
#define REG_TARGET	0x88
#define REG_COUNT	0x90
#define REG_COMMAND	0x98
#define COMMAND_RUN	BIT(0)
#define COMMAND_TO_RAM	BIT(1)

static char *mistake = "none";
module_param(mistake, charp, 0444);
MODULE_PARM_DESC(mistake, "no-sync-for-cpu, no-sync-for-device, overrun, leak (default: none)");

struct buffer {
	void *vaddr;
	dma_addr_t addr;
};

struct edu {
	struct device *dev;
	void __iomem *regs;
	struct miscdevice misc;
	struct mutex lock;		/* protects the device and the buffers */
	struct buffer in, out;		/* seen from the device: what it reads, what it writes */
};

static bool does(const char *what)
{
	return !strcmp(mistake, what);
}

/* ---- the device ---- */

static int transfer(struct edu *edu, u32 from, u32 to, size_t size, u32 command)
{
	u32 state;

	lockdep_assert_held(&edu->lock);
	writel(from, edu->regs + REG_SOURCE);
	writel(to, edu->regs + REG_TARGET);
	writel(size, edu->regs + REG_COUNT);
	writel(command | COMMAND_RUN, edu->regs + REG_COMMAND);
	return readl_poll_timeout(edu->regs + REG_COMMAND, state, !(state & COMMAND_RUN), 1000,
				  USEC_PER_SEC);
}

static int to_device(struct edu *edu, const char __user *from, size_t size)
{
	dma_sync_single_for_cpu(edu->dev, edu->in.addr, ROOM, DMA_TO_DEVICE);
	if (copy_from_user(edu->in.vaddr, from, size))
		return -EFAULT;
	if (!does("no-sync-for-device"))
		dma_sync_single_for_device(edu->dev, edu->in.addr, ROOM, DMA_TO_DEVICE);
	return transfer(edu, edu->in.addr, DEVICE_MEMORY, size, 0);
}

static int from_device(struct edu *edu, char __user *to, size_t size)
{
	dma_addr_t at = edu->out.addr + (does("overrun") ? 4 : 0);
	int err = transfer(edu, DEVICE_MEMORY, at, size, COMMAND_TO_RAM);

	if (err)
		return err;
	if (!does("no-sync-for-cpu"))
		dma_sync_single_for_cpu(edu->dev, edu->out.addr, ROOM, DMA_FROM_DEVICE);
	if (copy_to_user(to, edu->out.vaddr, size))
		err = -EFAULT;
	dma_sync_single_for_device(edu->dev, edu->out.addr, ROOM, DMA_FROM_DEVICE);
	return err;
}

/* ---- the file ---- */

static struct edu *edu_of(struct file *file)
{
	return container_of(file->private_data, struct edu, misc);
}

static ssize_t edu_write(struct file *file, const char __user *from, size_t size, loff_t *pos)
{
	struct edu *edu = edu_of(file);
	int err;

	if (!size || size > ROOM)
		return -EINVAL;
	mutex_lock(&edu->lock);
	err = to_device(edu, from, size);
	mutex_unlock(&edu->lock);
	return err ?: size;
}

static ssize_t edu_read(struct file *file, char __user *to, size_t size, loff_t *pos)
{
	struct edu *edu = edu_of(file);
	int err;

	if (!size)
		return 0;
	size = min_t(size_t, size, ROOM);
	mutex_lock(&edu->lock);
	err = from_device(edu, to, size);
	mutex_unlock(&edu->lock);
	return err ?: size;
}

static const struct file_operations edu_fops = {
	.owner = THIS_MODULE,
	.read = edu_read,
	.write = edu_write,
	.llseek = noop_llseek,
};

/* ---- the driver ---- */

static int make_buffer(struct edu *edu, struct buffer *buffer, enum dma_data_direction dir)
{
	/* Twice the room, for a mistake to hurt nobody. */
	buffer->vaddr = kzalloc(2 * ROOM, GFP_KERNEL | GFP_DMA);
	if (!buffer->vaddr)
		return -ENOMEM;
	buffer->addr = dma_map_single(edu->dev, buffer->vaddr, ROOM, dir);
	if (!dma_mapping_error(edu->dev, buffer->addr))
		return 0;
	kfree(buffer->vaddr);
	return -ENOMEM;
}

static void free_buffer(struct edu *edu, struct buffer *buffer, enum dma_data_direction dir)
{
	dma_unmap_single(edu->dev, buffer->addr, ROOM, dir);
	kfree(buffer->vaddr);
}

static int make_buffers(struct edu *edu)
{
	int err = make_buffer(edu, &edu->in, DMA_TO_DEVICE);

	if (err)
		return err;
	err = make_buffer(edu, &edu->out, DMA_FROM_DEVICE);
	if (err)
		free_buffer(edu, &edu->in, DMA_TO_DEVICE);
	return err;
}

static void free_buffers(struct edu *edu)
{
	/* It stays for good, as it would with any driver that forgets it. */
	if (!does("leak"))
		free_buffer(edu, &edu->out, DMA_FROM_DEVICE);
	free_buffer(edu, &edu->in, DMA_TO_DEVICE);
}

static int set_up(struct pci_dev *pdev, struct edu *edu)
{
	int err = pcim_enable_device(pdev);

	if (err)
		return err;
	err = pcim_iomap_regions(pdev, BIT(0), "edu");
	if (err)
		return err;
	edu->regs = pcim_iomap_table(pdev)[0];
	pci_set_master(pdev);
	return dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(28));
}

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu *edu = devm_kzalloc(&pdev->dev, sizeof(*edu), GFP_KERNEL);
	int err;

	if (!edu)
		return -ENOMEM;
	edu->dev = &pdev->dev;
	mutex_init(&edu->lock);
	err = set_up(pdev, edu);
	if (err)
		return err;
	err = make_buffers(edu);
	if (err)
		return err;
	edu->misc = (struct miscdevice){
		.minor = MISC_DYNAMIC_MINOR, .name = "edu", .fops = &edu_fops,
	};
	err = misc_register(&edu->misc);
	if (err)
		free_buffers(edu);
	pci_set_drvdata(pdev, edu);
	return err;
}

/* Whoever has the file open keeps the module, but not the device: don't unbind it then. */
static void edu_remove(struct pci_dev *pdev)
{
	struct edu *edu = pci_get_drvdata(pdev);

	misc_deregister(&edu->misc);
	pci_clear_master(pdev);
	free_buffers(edu);
}

static const struct pci_device_id edu_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, edu_ids);

static struct pci_driver edu_driver = {
	.name = "edu",
	.id_table = edu_ids,
	.probe = edu_probe,
	.remove = edu_remove,
};
module_pci_driver(edu_driver);

MODULE_DESCRIPTION("A driver for QEMU's edu, with mistakes if asked for");
MODULE_LICENSE("GPL");
