// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contexts, and the dispatch of ioctls.
 */
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "dmafd.h"

/* ---- dispatch ---- */

/* The largest argument that there is. */
union any_argument {
	struct dmafd_info info;
	struct dmafd_buf_register buf_register;
	struct dmafd_buf_alloc buf_alloc;
	struct dmafd_buf_import buf_import;
	struct dmafd_chan_open chan_open;
	struct dmafd_chan_info chan_info;
	struct dmafd_submit submit;
};

static const struct dmafd_ioctl *find_ioctl(const struct dmafd_ioctl *table, size_t count,
					    unsigned int cmd)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (table[i].cmd == cmd)
			return &table[i];
	return NULL;
}

int dmafd_respond(struct dmafd_cmd *cmd)
{
	cmd->responded = true;
	if (copy_to_user(cmd->user, cmd->arg, min(cmd->user_size, cmd->size)))
		return -EFAULT;
	return 0;
}

long dmafd_dispatch(const struct dmafd_ioctl *table, size_t count, void *object,
		    unsigned int nr, unsigned long arg)
{
	const struct dmafd_ioctl *ioctl = find_ioctl(table, count, nr);
	/* Written up to the end of what the handler knows. */
	union any_argument argument __uninitialized;
	struct dmafd_cmd cmd = {
		.user = (void __user *)arg,
		.arg = &argument,
	};
	int err;

	if (!ioctl)
		return -ENOTTY;
	if (get_user(cmd.user_size, (u32 __user *)cmd.user))
		return -EFAULT;
	if (cmd.user_size < ioctl->min_size)
		return -EINVAL;
	if (cmd.user_size > PAGE_SIZE)
		return -E2BIG;
	cmd.size = ioctl->size;
	err = copy_struct_from_user(&argument, cmd.size, cmd.user, cmd.user_size);
	if (err)
		return err;
	err = ioctl->handle(object, &cmd);
	if (err || cmd.responded)
		return err;
	return dmafd_respond(&cmd);
}

/* ---- contexts ---- */

int dmafd_info(void *object, struct dmafd_cmd *cmd)
{
	struct dmafd_info *info = cmd->arg;

	if (info->flags || info->__reserved)
		return -EOPNOTSUPP;
	info->out_opcodes = dmafd_opcodes();
	info->out_op_flags = DMAFD_OP_FENCE | DMAFD_OP_NO_COMPLETION | DMAFD_OP_NO_SYNC;
	info->out_op_size = sizeof(struct dmafd_op);
	info->out_completion_size = sizeof(struct dmafd_completion);
	info->out_max_depth = DMAFD_MAX_DEPTH;
	info->out_line = dmafd_line();
	return 0;
}

static const struct dmafd_ioctl ioctls[] = {
	DMAFD_IOCTL(DMAFD_INFO, dmafd_info, __reserved, dmafd_info),
	DMAFD_IOCTL(DMAFD_BUF_REGISTER, dmafd_buf_register, __reserved, dmafd_buf_register),
	DMAFD_IOCTL(DMAFD_BUF_REMOVE, dmafd_buf_remove, buf, dmafd_buf_remove),
	DMAFD_IOCTL(DMAFD_BUF_ALLOC, dmafd_buf_alloc, out_fd, dmafd_buf_alloc),
	DMAFD_IOCTL(DMAFD_BUF_IMPORT, dmafd_buf_import, out_length, dmafd_buf_import),
	DMAFD_IOCTL(DMAFD_CHAN_LIST, dmafd_chan_list, __reserved, dmafd_chan_list),
	DMAFD_IOCTL(DMAFD_CHAN_OPEN, dmafd_chan_open, name, dmafd_chan_open),
};

static long ctx_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return dmafd_dispatch(ioctls, ARRAY_SIZE(ioctls), file->private_data, cmd, arg);
}

static void ctx_end(struct kref *ref)
{
	struct dmafd_ctx *ctx = container_of(ref, struct dmafd_ctx, ref);
	struct dmafd_buf *buf;
	unsigned long id;

	xa_for_each(&ctx->bufs, id, buf)
		dmafd_buf_free(buf);
	xa_destroy(&ctx->bufs);
	mutex_destroy(&ctx->lock);
	kfree(ctx);
}

void dmafd_ctx_get(struct dmafd_ctx *ctx)
{
	kref_get(&ctx->ref);
}

void dmafd_ctx_put(struct dmafd_ctx *ctx)
{
	kref_put(&ctx->ref, ctx_end);
}

static int ctx_open(struct inode *inode, struct file *file)
{
	struct dmafd_ctx *ctx = kzalloc(sizeof(*ctx), GFP_KERNEL_ACCOUNT);

	if (!ctx)
		return -ENOMEM;
	kref_init(&ctx->ref);
	mutex_init(&ctx->lock);
	/* No buffer has the number 0. */
	xa_init_flags(&ctx->bufs, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	file->private_data = ctx;
	return 0;
}

static int ctx_release(struct inode *inode, struct file *file)
{
	dmafd_ctx_put(file->private_data);
	return 0;
}

const struct file_operations dmafd_ctx_fops = {
	.owner = THIS_MODULE,
	.open = ctx_open,
	.release = ctx_release,
	.unlocked_ioctl = ctx_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = dmafd_ctx_show,
};
