// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmafd: DMA channels for programs. The module and its device.
 */
#include <linux/build_bug.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "dmafd.h"

static_assert(sizeof(struct dmafd_info) == 40);
static_assert(sizeof(struct dmafd_buf_register) == 32);
static_assert(sizeof(struct dmafd_buf_remove) == 8);
static_assert(sizeof(struct dmafd_buf_alloc) == 32);
static_assert(sizeof(struct dmafd_buf_import) == 24);
static_assert(sizeof(struct dmafd_chan_entry) == 136);
static_assert(sizeof(struct dmafd_chan_list) == 32);
static_assert(sizeof(struct dmafd_chan_open) == 88);
static_assert(sizeof(struct dmafd_chan_info) == 208);
static_assert(sizeof(struct dmafd_op) == 64);
static_assert(sizeof(struct dmafd_completion) == 56);
static_assert(sizeof(struct dmafd_segment) == 24);
static_assert(sizeof(struct dmafd_sg_args) == 32);
static_assert(sizeof(struct dmafd_2d_args) == 32);
static_assert(sizeof(struct dmafd_cyclic_args) == 16);
static_assert(sizeof(struct dmafd_submit) == 48);
static_assert(sizeof(struct dmafd_cancel) == 16);
static_assert(sizeof(struct dmafd_status) == 48);
static_assert(sizeof(struct dmafd_pause) == 8);
static_assert(sizeof(struct dmafd_uring_at) == 16);

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dmafd",
	.fops = &dmafd_ctx_fops,
	.mode = 0660,
};

static int __init dmafd_init(void)
{
	int err;

	err = dmafd_ctrl_init();
	if (err)
		return err;
	err = dmafd_memory_init();
	if (err)
		goto undo_ctrl;
	err = dmafd_port_init();
	if (err)
		goto undo_memory;
	err = dmafd_configfs_init();
	if (err)
		goto undo_port;
	err = misc_register(&device);
	if (err)
		goto undo_configfs;
	dmafd_show_init();
	return 0;

undo_configfs:
	dmafd_configfs_exit();
undo_port:
	dmafd_port_exit();
undo_memory:
	dmafd_memory_exit();
undo_ctrl:
	dmafd_ctrl_exit();
	return err;
}

/* No file of ours is open, so no controller is in use, nor any port or memory. */
static void __exit dmafd_exit(void)
{
	dmafd_show_exit();
	misc_deregister(&device);
	dmafd_configfs_exit();
	dmafd_port_exit();
	dmafd_memory_exit();
	dmafd_ctrl_exit();
}

module_init(dmafd_init);
module_exit(dmafd_exit);

MODULE_DESCRIPTION("DMA channels for programs");
MODULE_LICENSE("GPL");
