// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dma-bufs of others as buffers. Their pages are no business of ours: there are
 * only addresses for the controller.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/slab.h>

#include "dmafd.h"

/* ---- mappings ---- */

/* What it means for a job that an exporter refuses. */
static int job_error(long err)
{
	switch (err) {
	case -ENOMEM:
		return err;
	case -EINTR:
	case -ERESTARTSYS:
		return -EINTR;
	default:
		return -EIO;
	}
}

int dmafd_import_map(struct dmafd_map *map, struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attachment;
	struct sg_table *sgt;

	lockdep_assert_held(&map->ctrl->lock);

	attachment = dma_buf_attach(dmabuf, map->ctrl->dev);
	if (IS_ERR(attachment))
		return job_error(PTR_ERR(attachment));
	sgt = dma_buf_map_attachment_unlocked(attachment, map->dir);
	if (IS_ERR(sgt)) {
		dma_buf_detach(dmabuf, attachment);
		return job_error(PTR_ERR(sgt));
	}
	map->attachment = attachment;
	map->foreign = sgt;
	return 0;
}

void dmafd_import_unmap(struct dmafd_map *map)
{
	struct dma_buf_attachment *attachment = map->attachment;

	lockdep_assert_held(&map->ctrl->lock);

	dma_buf_unmap_attachment_unlocked(attachment, map->foreign, map->dir);
	dma_buf_detach(attachment->dmabuf, attachment);
}

bool dmafd_import_busy(const struct dmafd_buf *buf, u32 access)
{
	return !dma_resv_test_signaled(buf->dmabuf->resv,
				       dma_resv_usage_rw(access & DMAFD_BUF_WRITE));
}

/* ---- buffers ---- */

static void release(struct dmafd_buf *buf)
{
	dma_buf_put(buf->dmabuf);
}

static int check_access(const struct dma_buf *dmabuf, u32 flags)
{
	fmode_t mode = dmabuf->file->f_mode;

	if ((flags & DMAFD_BUF_READ && !(mode & FMODE_READ)) ||
	    (flags & DMAFD_BUF_WRITE && !(mode & FMODE_WRITE)))
		return -EACCES;
	return 0;
}

/* Takes the dma-buf over. */
static struct dmafd_buf *make_buf(struct dma_buf *dmabuf, u32 flags)
{
	int err = check_access(dmabuf, flags);
	struct dmafd_buf *buf = err ? NULL : dmafd_buf_make(flags, dmabuf->size);

	if (!buf) {
		dma_buf_put(dmabuf);
		return ERR_PTR(err ?: -ENOMEM);
	}
	buf->dmabuf = dmabuf;
	buf->space = dmafd_exported(dmabuf) ?: (void *)dmabuf;
	buf->release = release;
	return buf;
}

int dmafd_buf_import(void *object, struct dmafd_cmd *cmd)
{
	struct dmafd_buf_import *arg = cmd->arg;
	struct dma_buf *dmabuf;
	struct dmafd_buf *buf;
	int err;

	err = dmafd_buf_check(arg->flags);
	if (err)
		return err;
	dmabuf = dma_buf_get(arg->fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	buf = make_buf(dmabuf, arg->flags);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	arg->out_length = buf->length;
	err = dmafd_buf_publish(object, buf, cmd, &arg->out_buf);
	if (err)
		dmafd_buf_free(buf);
	return err;
}
