// SPDX-License-Identifier: GPL-2.0-only
/*
 * What dmafd is compared with: /dev/dmarival, see rival.h.
 */
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "client.h"

static int take_channel(struct client *client, void __user *user)
{
	struct rival_open arg;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	if (strnlen(arg.channel, sizeof(arg.channel)) == sizeof(arg.channel))
		return -EINVAL;
	return client_open(client, arg.channel);
}

static int run(struct client *client, void __user *user)
{
	struct rival_run arg;
	u64 start;
	int err;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	if (!arg.length || arg.length > RIVAL_SIZE || RIVAL_SIZE % arg.length ||
	    !arg.batch || arg.batch > RIVAL_MAX_BATCH)
		return -EINVAL;
	start = ktime_get_ns();
	err = client_run(client, &arg);
	arg.out_ns = ktime_get_ns() - start;
	if (err)
		return err;
	return copy_to_user(user, &arg, sizeof(arg)) ? -EFAULT : 0;
}

static int transfer(struct client *client, void __user *user)
{
	struct rival_transfer arg;
	int err;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	if (!arg.length || arg.length > RIVAL_SIZE)
		return -EINVAL;
	if (copy_from_user(client->src, u64_to_user_ptr(arg.src), arg.length))
		return -EFAULT;
	err = client_copy_once(client, arg.length);
	if (err)
		return err;
	return copy_to_user(u64_to_user_ptr(arg.dst), client->dst, arg.length) ? -EFAULT : 0;
}

static long rival_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct client *client = file->private_data;
	void __user *user = (void __user *)arg;
	int err = -ENOTTY;

	mutex_lock(&client->mutex);
	if (cmd == RIVAL_OPEN)
		err = take_channel(client, user);
	else if (!client->chan)
		err = -EBADFD;
	else if (cmd == RIVAL_RUN)
		err = run(client, user);
	else if (cmd == RIVAL_TRANSFER)
		err = transfer(client, user);
	mutex_unlock(&client->mutex);
	return err;
}

static int rival_open(struct inode *inode, struct file *file)
{
	file->private_data = client_new();
	return file->private_data ? 0 : -ENOMEM;
}

static int rival_release(struct inode *inode, struct file *file)
{
	client_free(file->private_data);
	return 0;
}

static const struct file_operations rival_fops = {
	.owner = THIS_MODULE,
	.open = rival_open,
	.release = rival_release,
	.unlocked_ioctl = rival_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice rival = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dmarival",
	.fops = &rival_fops,
	.mode = 0600,
};
module_misc_device(rival);

MODULE_DESCRIPTION("What dmafd is compared with");
MODULE_LICENSE("GPL");
