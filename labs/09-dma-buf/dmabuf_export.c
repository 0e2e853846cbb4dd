// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmabuf_export - memory that several drivers and a program share
 *
 *	# insmod dmabuf_export.ko
 *	# insmod dmabuf_import.ko
 *	# ./dmabuf_app
 *	# dmesg | grep dmabuf
 *	# rmmod dmabuf_import dmabuf_export
 *
 * The exporter owns the memory. It knows who uses it, because everybody comes to
 * it: a driver attaches its device and has the memory mapped for it, a program
 * maps it and says when it looks. What to look at: who calls what.
 *
 *	dma_buf_attach()		export_attach()
 *	dma_buf_map_attachment()	export_map()	for that device
 *	mmap()				export_mmap()	for the program
 *	DMA_BUF_IOCTL_SYNC, start	export_begin()	for the CPU, of all devices
 *	DMA_BUF_IOCTL_SYNC, end		export_end()	for all devices
 *	the last one lets go		export_release()
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "dmabuf.h"

struct export {
	struct mutex lock;	/* protects the list, and what is mapped */
	struct list_head attachments;
	u32 n_pages;
	struct page *pages[];	/* the same as long as this exists */
};

/* A device that uses the memory, with a list of its own: addresses differ. */
struct attachment {
	struct list_head node;
	struct device *dev;
	struct sg_table sgt;
	enum dma_data_direction dir;	/* DMA_NONE while it is not mapped */
};

static struct miscdevice export_misc;

/* As long as there is a buffer the module stays, and its device with it. */
#define export_log(...) dev_info(export_misc.this_device, __VA_ARGS__)

static int export_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct export *export = dmabuf->priv;
	struct attachment *a = kzalloc(sizeof(*a), GFP_KERNEL);
	int ret;

	if (!a)
		return -ENOMEM;
	ret = sg_alloc_table_from_pages(&a->sgt, export->pages, export->n_pages, 0,
					dmabuf->size, GFP_KERNEL);
	if (ret) {
		kfree(a);
		return ret;
	}
	a->dev = attach->dev;
	a->dir = DMA_NONE;
	attach->priv = a;
	mutex_lock(&export->lock);
	list_add(&a->node, &export->attachments);
	mutex_unlock(&export->lock);
	export_log("attached\n");
	return 0;
}

static void export_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct export *export = dmabuf->priv;
	struct attachment *a = attach->priv;

	mutex_lock(&export->lock);
	list_del(&a->node);
	mutex_unlock(&export->lock);
	sg_free_table(&a->sgt);
	kfree(a);
	export_log("detached\n");
}

/* The memory for this device; its driver keeps it mapped as long as it likes. */
static struct sg_table *export_map(struct dma_buf_attachment *attach,
				   enum dma_data_direction dir)
{
	struct export *export = attach->dmabuf->priv;
	struct attachment *a = attach->priv;
	int ret;

	mutex_lock(&export->lock);
	ret = dma_map_sgtable(a->dev, &a->sgt, dir, 0);
	if (!ret)
		a->dir = dir;
	mutex_unlock(&export->lock);
	if (ret)
		return ERR_PTR(ret);
	export_log("mapped %s a device\n", dir == DMA_FROM_DEVICE ? "from" : "to");
	return &a->sgt;
}

static void export_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			 enum dma_data_direction dir)
{
	struct export *export = attach->dmabuf->priv;
	struct attachment *a = attach->priv;

	mutex_lock(&export->lock);
	dma_unmap_sgtable(a->dev, sgt, dir, 0);
	a->dir = DMA_NONE;
	mutex_unlock(&export->lock);
	export_log("unmapped\n");
}

/*
 * The program looks, or is going to write. It knows nothing of the devices that
 * the memory is mapped for; each is synced, as it was mapped.
 */
static int export_begin(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct export *export = dmabuf->priv;
	struct attachment *a;

	mutex_lock(&export->lock);
	list_for_each_entry(a, &export->attachments, node)
		if (a->dir != DMA_NONE)
			dma_sync_sgtable_for_cpu(a->dev, &a->sgt, a->dir);
	mutex_unlock(&export->lock);
	export_log("for the CPU\n");
	return 0;
}

/* The program is through; the memory is the devices' again. */
static int export_end(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct export *export = dmabuf->priv;
	struct attachment *a;

	mutex_lock(&export->lock);
	list_for_each_entry(a, &export->attachments, node)
		if (a->dir != DMA_NONE)
			dma_sync_sgtable_for_device(a->dev, &a->sgt, a->dir);
	mutex_unlock(&export->lock);
	export_log("for the devices\n");
	return 0;
}

/* All pages at once: a fault later would have to know what to do about the end. */
static int export_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct export *export = dmabuf->priv;

	/* A private copy would see nothing of a transfer. */
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	return vm_map_pages(vma, export->pages, export->n_pages);
}

static void export_free(struct export *export)
{
	u32 i;

	for (i = 0; i < export->n_pages; i++)
		__free_page(export->pages[i]);
	mutex_destroy(&export->lock);
	kvfree(export);
}

/* Nobody has it any more: no driver, no file descriptor, no mapping. */
static void export_release(struct dma_buf *dmabuf)
{
	export_free(dmabuf->priv);
	export_log("released\n");
}

static const struct dma_buf_ops export_ops = {
	.attach = export_attach,
	.detach = export_detach,
	.map_dma_buf = export_map,
	.unmap_dma_buf = export_unmap,
	.begin_cpu_access = export_begin,
	.end_cpu_access = export_end,
	.mmap = export_mmap,
	.release = export_release,
};

/* Charged to the caller, like its own memory. */
static struct export *export_alloc(u32 n_pages)
{
	struct export *export;

	export = kvzalloc(struct_size(export, pages, n_pages), GFP_KERNEL_ACCOUNT);
	if (!export)
		return NULL;
	mutex_init(&export->lock);
	INIT_LIST_HEAD(&export->attachments);
	for (; export->n_pages < n_pages; export->n_pages++) {
		struct page *page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);

		if (!page) {
			export_free(export);
			return NULL;
		}
		export->pages[export->n_pages] = page;
	}
	return export;
}

/* From here on the memory lives as long as somebody has the dma-buf. */
static int export_fd(u32 size, bool read_only)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;
	struct export *export = export_alloc(size >> PAGE_SHIFT);
	int fd;

	if (!export)
		return -ENOMEM;
	info.ops = &export_ops;
	info.size = size;
	info.flags = read_only ? O_RDONLY : O_RDWR;
	info.priv = export;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf)) {
		export_free(export);
		return PTR_ERR(dmabuf);
	}
	export_log("exported %u bytes\n", size);
	/* Last: with the descriptor the program could close it at once. */
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(dmabuf);
	return fd;
}

static long export_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct dmabuf_alloc alloc;

	if (cmd != DMABUF_ALLOC)
		return -ENOTTY;
	if (copy_from_user(&alloc, (void __user *)arg, sizeof(alloc)))
		return -EFAULT;
	if (!alloc.size || alloc.flags & ~DMABUF_READ_ONLY)
		return -EINVAL;
	if (alloc.size > DMABUF_MAX_SIZE)
		return -EMSGSIZE;
	return export_fd(PAGE_ALIGN(alloc.size), alloc.flags & DMABUF_READ_ONLY);
}

static const struct file_operations export_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = export_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice export_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dmabuf_export",
	.fops = &export_fops,
};
module_misc_device(export_misc);

/* As MODULE_IMPORT_NS(), whose argument is a string only since Linux 6.13. */
MODULE_INFO(import_ns, "DMA_BUF");
MODULE_DESCRIPTION("Lab: memory that several drivers share, its owner");
MODULE_LICENSE("GPL");
