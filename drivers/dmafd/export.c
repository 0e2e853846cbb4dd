// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of dmafd as a dma-buf: mapped by programs, and by other drivers.
 */
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../compat/dma-buf.h"
#include "dmafd.h"

/* A device that it is attached to. */
struct attachment {
	struct list_head node;		/* memory's lock, as all below */
	struct device *dev;		/* constant */
	struct sg_table sgt;
	enum dma_data_direction dir;
	bool mapped;
};

/* ---- for other drivers ---- */

static int attach(struct dma_buf *dmabuf, struct dma_buf_attachment *core)
{
	struct attachment *attachment = kzalloc(sizeof(*attachment), GFP_KERNEL);
	struct dmafd_memory *memory = dmabuf->priv;
	int err;

	if (!attachment)
		return -ENOMEM;
	attachment->dev = core->dev;
	err = sg_alloc_table_from_pages_segment(&attachment->sgt, memory->pages, memory->count, 0,
						memory->size, dmafd_segment_limit(core->dev),
						GFP_KERNEL);
	if (err) {
		kfree(attachment);
		return err;
	}
	core->priv = attachment;
	mutex_lock(&memory->lock);
	list_add(&attachment->node, &memory->attachments);
	mutex_unlock(&memory->lock);
	return 0;
}

static void detach(struct dma_buf *dmabuf, struct dma_buf_attachment *core)
{
	struct dmafd_memory *memory = dmabuf->priv;
	struct attachment *attachment = core->priv;

	mutex_lock(&memory->lock);
	list_del(&attachment->node);
	mutex_unlock(&memory->lock);
	sg_free_table(&attachment->sgt);
	kfree(attachment);
}

/*
 * The memory may be mapped several times, also for jobs. Each mapping leaves caches
 * alone, and they are cared for besides: only then that is allowed.
 */
static struct sg_table *map(struct dma_buf_attachment *core, enum dma_data_direction dir)
{
	struct dmafd_memory *memory = core->dmabuf->priv;
	struct attachment *attachment = core->priv;
	int err = -EBUSY;

	mutex_lock(&memory->lock);
	if (!attachment->mapped)
		err = dma_map_sgtable(core->dev, &attachment->sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	if (!err) {
		dma_sync_sgtable_for_device(core->dev, &attachment->sgt, dir);
		attachment->mapped = true;
		attachment->dir = dir;
	}
	mutex_unlock(&memory->lock);
	return err ? ERR_PTR(err) : &attachment->sgt;
}

static void unmap(struct dma_buf_attachment *core, struct sg_table *sgt,
		  enum dma_data_direction dir)
{
	struct dmafd_memory *memory = core->dmabuf->priv;
	struct attachment *attachment = core->priv;

	mutex_lock(&memory->lock);
	dma_sync_sgtable_for_cpu(core->dev, sgt, dir);
	dma_unmap_sgtable(core->dev, sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	attachment->mapped = false;
	mutex_unlock(&memory->lock);
}

static int map_kernel(struct dma_buf *dmabuf, struct iosys_map *iosys)
{
	struct dmafd_memory *memory = dmabuf->priv;
	void *ptr = vmap(memory->pages, memory->count, VM_MAP, PAGE_KERNEL);

	if (!ptr)
		return -ENOMEM;
	mutex_lock(&memory->lock);
	memory->vaddr = ptr;
	mutex_unlock(&memory->lock);
	iosys_map_set_vaddr(iosys, ptr);
	return 0;
}

static void unmap_kernel(struct dma_buf *dmabuf, struct iosys_map *iosys)
{
	struct dmafd_memory *memory = dmabuf->priv;

	mutex_lock(&memory->lock);
	memory->vaddr = NULL;
	mutex_unlock(&memory->lock);
	vunmap(iosys->vaddr);
}

/* ---- for programs ---- */

/*
 * All that a device wrote comes to the CPU, whatever the program says that it will
 * do: what it does not write must not be lost when the device gets it back.
 */
static int begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct dmafd_memory *memory = dmabuf->priv;
	struct attachment *attachment;

	mutex_lock(&memory->lock);
	if (memory->vaddr)
		invalidate_kernel_vmap_range(memory->vaddr, memory->size);
	list_for_each_entry(attachment, &memory->attachments, node)
		if (attachment->mapped)
			dma_sync_sgtable_for_cpu(attachment->dev, &attachment->sgt,
						 attachment->dir);
	mutex_unlock(&memory->lock);
	mutex_lock(&memory->buf_lock);
	if (memory->buf)
		dmafd_buf_for_cpu(memory->buf);
	mutex_unlock(&memory->buf_lock);
	return 0;
}

static int end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct dmafd_memory *memory = dmabuf->priv;
	struct attachment *attachment;

	mutex_lock(&memory->lock);
	if (memory->vaddr)
		flush_kernel_vmap_range(memory->vaddr, memory->size);
	list_for_each_entry(attachment, &memory->attachments, node)
		if (attachment->mapped)
			dma_sync_sgtable_for_device(attachment->dev, &attachment->sgt,
						    attachment->dir);
	mutex_unlock(&memory->lock);
	mutex_lock(&memory->buf_lock);
	if (memory->buf)
		dmafd_buf_for_device(memory->buf);
	mutex_unlock(&memory->buf_lock);
	return 0;
}

/* Only for pages that the program had the kernel drop. */
static vm_fault_t fault(struct vm_fault *vmf)
{
	struct dmafd_memory *memory = vmf->vma->vm_private_data;

	if (vmf->pgoff >= memory->count)
		return VM_FAULT_SIGBUS;
	vmf->page = memory->pages[vmf->pgoff];
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct vm_ops = {
	.fault = fault,
};

/*
 * Ordinary pages can be read into from a disk, or sent to a network. Those that the
 * kernel keeps for large DMA buffers can't: they must be free when it wants them.
 */
static int map_user(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct dmafd_memory *memory = dmabuf->priv;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	compat_vm_flags_set(vma, VM_DONTEXPAND);
	if (memory->is_reserved)
		return dmafd_memory_map_reserved(memory, vma);
	vma->vm_private_data = memory;
	vma->vm_ops = &vm_ops;
	return vm_map_pages(vma, memory->pages, memory->count);
}

static void release(struct dma_buf *dmabuf)
{
	dmafd_memory_put(dmabuf->priv);
}

static const struct dma_buf_ops ops = {
	.attach = attach,
	.detach = detach,
	.map_dma_buf = map,
	.unmap_dma_buf = unmap,
	.release = release,
	.begin_cpu_access = begin_cpu_access,
	.end_cpu_access = end_cpu_access,
	.mmap = map_user,
	.vmap = map_kernel,
	.vunmap = unmap_kernel,
};

struct dma_buf *dmafd_export(struct dmafd_memory *memory)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	info.ops = &ops;
	info.size = memory->size;
	info.flags = O_RDWR;
	info.priv = memory;
	dmabuf = dma_buf_export(&info);
	if (!IS_ERR(dmabuf))
		dmafd_memory_get(memory);
	return dmabuf;
}

struct dmafd_memory *dmafd_exported(struct dma_buf *dmabuf)
{
	return dmabuf->ops == &ops ? dmabuf->priv : NULL;
}

COMPAT_IMPORT_DMA_BUF;
