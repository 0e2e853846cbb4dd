// SPDX-License-Identifier: GPL-2.0-only
/* Coherent buffers in user space: that of the process that runs the tests. */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/uaccess.h>

#include "cases.h"
#include "rig.h"

struct buffer {
	struct device *dev;
	void *vaddr;
	dma_addr_t addr;
	size_t size;
	struct file *file;
};

static int map_buffer(struct file *file, struct vm_area_struct *vma)
{
	struct buffer *buffer = file->private_data;

	return dma_mmap_coherent(buffer->dev, vma, buffer->vaddr, buffer->addr, buffer->size);
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.mmap = map_buffer,
};

static bool get_buffer(struct kt *t, struct buffer *buffer, size_t size)
{
	buffer->dev = rig_of(t)->dev;
	buffer->size = size;
	buffer->vaddr = dma_alloc_coherent(buffer->dev, size, &buffer->addr, GFP_KERNEL);
	if (!KT_EXPECT(t, buffer->vaddr, "no memory"))
		return false;
	buffer->file = anon_inode_getfile("shadow-test", &fops, buffer, O_RDWR);
	if (KT_EXPECT_EQ(t, 0, PTR_ERR_OR_ZERO(buffer->file)))
		return true;
	dma_free_coherent(buffer->dev, size, buffer->vaddr, buffer->addr);
	return false;
}

static unsigned long map_user(struct buffer *buffer, size_t size, unsigned long pgoff)
{
	return vm_mmap(buffer->file, 0, size, PROT_READ | PROT_WRITE, MAP_SHARED,
		       pgoff << PAGE_SHIFT);
}

static u8 get_byte(struct kt *t, unsigned long at)
{
	u8 byte = 0;

	KT_EXPECT_EQ(t, 0, get_user(byte, (u8 __user *)at));
	return byte;
}

static void use_mapping(struct kt *t, size_t size)
{
	struct buffer buffer;
	unsigned long user;

	if (!get_buffer(t, &buffer, size))
		return;
	user = map_user(&buffer, size, 0);
	if (KT_EXPECT(t, !IS_ERR_VALUE(user), "%ld", (long)user)) {
		device_fill(t, buffer.addr, 0x22, size);
		KT_EXPECT_EQ(t, 0x22, get_byte(t, user));
		KT_EXPECT_EQ(t, 0x22, get_byte(t, user + size - 1));
		KT_EXPECT_EQ(t, 0, put_user(0x33, (u8 __user *)user + size - 1));
		KT_EXPECT(t, device_sees(t, buffer.addr + size - 1, 0x33, 1), "not written");
	}
	/* The pages live on for the user, whoever is given their addresses now. */
	dma_free_coherent(buffer.dev, size, buffer.vaddr, buffer.addr);
	if (!IS_ERR_VALUE(user)) {
		KT_EXPECT_EQ(t, 0x33, get_byte(t, user + size - 1));
		KT_EXPECT_EQ(t, 0, vm_munmap(user, PAGE_ALIGN(size)));
	}
	fput(buffer.file);
}

void user_mapping(struct kt *t)
{
	if (!rig_cached(t, LINE, 32))
		return;
	use_mapping(t, PAGE_SIZE);
	use_mapping(t, 5 * PAGE_SIZE - 1);
	use_mapping(t, SZ_8M + 1);
}

void user_mapping_bounds(struct kt *t)
{
	const size_t size = 4 * PAGE_SIZE;
	struct buffer buffer;
	unsigned long user;

	if (!rig_iommu(t, 32) || !get_buffer(t, &buffer, size))
		return;
	KT_EXPECT_EQ(t, -ENXIO, (long)map_user(&buffer, size + PAGE_SIZE, 0));
	KT_EXPECT_EQ(t, -ENXIO, (long)map_user(&buffer, size, 1));
	KT_EXPECT_EQ(t, -ENXIO, (long)map_user(&buffer, PAGE_SIZE, 4));
	device_fill(t, buffer.addr + 3 * PAGE_SIZE, 0x22, PAGE_SIZE);
	user = map_user(&buffer, PAGE_SIZE, 3);
	if (KT_EXPECT(t, !IS_ERR_VALUE(user), "%ld", (long)user)) {
		KT_EXPECT_EQ(t, 0x22, get_byte(t, user));
		KT_EXPECT_EQ(t, 0, vm_munmap(user, PAGE_SIZE));
	}
	dma_free_coherent(buffer.dev, size, buffer.vaddr, buffer.addr);
	KT_EXPECT_EQ(t, -ENXIO, (long)map_user(&buffer, PAGE_SIZE, 0));
	fput(buffer.file);
}
