// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that dmafd shares with other drivers of the kernel: a camera, a renderer,
 * pages of a file, a disk.
 */
#include "common/uapi.h"

#include <fcntl.h>
#include <linux/udmabuf.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

FIXTURE_OF(flat, "flat", "")
FIXTURE_OF(iommu, "iommu", "")

#define READ_WRITE	(DMAFD_BUF_READ | DMAFD_BUF_WRITE)
#define FRAMES		3

/* The same test with each view in which exporters that know nothing of it work. */
#define TEST_BOTH(test, ...)							\
	static void both_##test(struct rig *rig);				\
	TEST_F(flat, test, __VA_ARGS__) { both_##test(&self->rig); }		\
	TEST_F(iommu, test, __VA_ARGS__) { both_##test(&self->rig); }		\
	static void both_##test(struct rig *rig)

static void need_module(const char *command)
{
	if (system(command))
		SKIP("%s: not here", command);
}

/* All of an imported or allocated buffer, by DMA, to memory that is returned. */
static unsigned char *fetch(struct rig *rig, int buf, size_t size)
{
	unsigned char *dst = memory(size, 99);
	struct dmafd_op op;
	int to;

	ASSERT_OK(to = reg(rig->ctx, dst, size, DMAFD_BUF_WRITE));
	op = copy_op(to, 0, buf, 0, size);
	run_well(rig->chan, &op);
	ASSERT_OK(unreg(rig->ctx, to));
	return dst;
}

/* ---- a camera ---- */

struct camera {
	int fd;
	size_t size;	/* of a picture */
};

static bool is_camera(int fd)
{
	struct v4l2_capability caps;

	return !ioctl(fd, VIDIOC_QUERYCAP, &caps) && !strcmp((char *)caps.driver, "vivid") &&
	       caps.device_caps & V4L2_CAP_VIDEO_CAPTURE;
}

static void open_camera(struct camera *camera)
{
	struct v4l2_format format = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	char path[32];
	int i;

	need_module("modprobe vivid n_devs=1 node_types=0x1 2>/dev/null");
	camera->fd = -1;
	for (i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "/dev/video%d", i);
		camera->fd = open(path, O_RDWR | O_CLOEXEC);
		if (camera->fd >= 0 && is_camera(camera->fd))
			break;
		close(camera->fd);
	}
	ASSERT_LT(i, 8);
	ASSERT_OK(ioctl(camera->fd, VIDIOC_G_FMT, &format));
	format.fmt.pix.width = 320;
	format.fmt.pix.height = 180;
	format.fmt.pix.pixelformat = V4L2_PIX_FMT_YUYV;
	ASSERT_OK(ioctl(camera->fd, VIDIOC_S_FMT, &format));
	camera->size = format.fmt.pix.sizeimage;
}

static void request(struct camera *camera, enum v4l2_memory kind, unsigned int count)
{
	struct v4l2_requestbuffers arg = {
		.count = count, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = kind,
	};

	ASSERT_OK(ioctl(camera->fd, VIDIOC_REQBUFS, &arg));
	ASSERT_EQ(count, arg.count);
}

static void queue(struct camera *camera, enum v4l2_memory kind, unsigned int nr, int fd,
		  size_t size)
{
	struct v4l2_buffer arg = {
		.index = nr, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = kind, .length = size,
	};

	if (kind == V4L2_MEMORY_DMABUF)
		arg.m.fd = fd;
	ASSERT_OK(ioctl(camera->fd, VIDIOC_QBUF, &arg));
}

static unsigned int dequeue(struct camera *camera, enum v4l2_memory kind)
{
	struct v4l2_buffer arg = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = kind };

	ASSERT_OK(ioctl(camera->fd, VIDIOC_DQBUF, &arg));
	EXPECT_FALSE(arg.flags & V4L2_BUF_FLAG_ERROR);
	return arg.index;
}

static void stream(struct camera *camera, unsigned long on_or_off)
{
	ASSERT_OK(ioctl(camera->fd, on_or_off, &(int){ V4L2_BUF_TYPE_VIDEO_CAPTURE }));
}

static int export_frame(struct camera *camera, unsigned int nr, unsigned int flags)
{
	struct v4l2_exportbuffer arg = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .index = nr, .flags = flags | O_CLOEXEC,
	};

	ASSERT_OK(ioctl(camera->fd, VIDIOC_EXPBUF, &arg));
	return arg.fd;
}

/* The camera's own memory, imported. */
TEST_BOTH(camera_exports, .timeout = 60)
{
	unsigned char *picture, *copy;
	int fd[FRAMES], buf[FRAMES];
	struct camera camera;
	unsigned int i, nr;

	open_camera(&camera);
	request(&camera, V4L2_MEMORY_MMAP, FRAMES);
	for (i = 0; i < FRAMES; i++) {
		fd[i] = export_frame(&camera, i, O_RDWR);
		ASSERT_OK(buf[i] = import(rig->ctx, fd[i], DMAFD_BUF_READ));
		queue(&camera, V4L2_MEMORY_MMAP, i, -1, 0);
	}
	stream(&camera, VIDIOC_STREAMON);
	for (i = 0; i < 2 * FRAMES; i++) {
		nr = dequeue(&camera, V4L2_MEMORY_MMAP);
		picture = map_fd(fd[nr], camera.size);
		copy = fetch(rig, buf[nr], camera.size);
		ASSERT_MEMEQ(picture, copy, camera.size);
		/* It shows something. */
		EXPECT_NE(0, memcmp(picture, picture + camera.size / 2, camera.size / 2));
		ASSERT_OK(munmap(picture, camera.size));
		queue(&camera, V4L2_MEMORY_MMAP, nr, -1, 0);
	}
	stream(&camera, VIDIOC_STREAMOFF);
	for (i = 0; i < FRAMES; i++)
		close(fd[i]);
	/* The import keeps what the camera has given up. */
	close(camera.fd);
	fetch(rig, buf[0], camera.size);
	EXPECT_OK(unreg(rig->ctx, buf[0]));
}

TEST_F(flat, read_only_export)
{
	int ctx = self->rig.ctx, fd;
	struct camera camera;

	open_camera(&camera);
	request(&camera, V4L2_MEMORY_MMAP, FRAMES);
	fd = export_frame(&camera, 0, O_RDONLY);
	EXPECT_ERRNO(EACCES, import(ctx, fd, DMAFD_BUF_WRITE));
	EXPECT_ERRNO(EACCES, import(ctx, fd, READ_WRITE));
	EXPECT_OK(import(ctx, fd, DMAFD_BUF_READ));
	close(fd);
	fd = export_frame(&camera, 0, O_WRONLY);
	EXPECT_ERRNO(EACCES, import(ctx, fd, DMAFD_BUF_READ));
	close(fd);
	close(camera.fd);
}

/* The camera writes into our memory, through the kernel's mapping of it. */
TEST_BOTH(camera_imports, .timeout = 60)
{
	unsigned char *picture[FRAMES], *copy;
	int fd[FRAMES], buf[FRAMES];
	struct camera camera;
	unsigned int i, nr;
	size_t size;

	open_camera(&camera);
	size = (camera.size + 4095) / 4096 * 4096;
	request(&camera, V4L2_MEMORY_DMABUF, FRAMES);
	for (i = 0; i < FRAMES; i++) {
		ASSERT_OK(buf[i] = alloc(rig->ctx, size, READ_WRITE, &fd[i]));
		picture[i] = map_fd(fd[i], size);
		queue(&camera, V4L2_MEMORY_DMABUF, i, fd[i], size);
	}
	stream(&camera, VIDIOC_STREAMON);
	for (i = 0; i < 2 * FRAMES; i++) {
		nr = dequeue(&camera, V4L2_MEMORY_DMABUF);
		begin_access(fd[nr]);
		copy = fetch(rig, buf[nr], camera.size);
		ASSERT_MEMEQ(picture[nr], copy, camera.size);
		EXPECT_NE(0, memcmp(copy, copy + camera.size / 2, camera.size / 2));
		memset(picture[nr], 0, size);
		end_access(fd[nr]);
		queue(&camera, V4L2_MEMORY_DMABUF, nr, fd[nr], size);
	}
	/* The camera keeps what we have given up. */
	for (i = 0; i < FRAMES; i++) {
		close(fd[i]);
		ASSERT_OK(unreg(rig->ctx, buf[i]));
		ASSERT_OK(munmap(picture[i], size));
	}
	dequeue(&camera, V4L2_MEMORY_DMABUF);
	stream(&camera, VIDIOC_STREAMOFF);
	request(&camera, V4L2_MEMORY_DMABUF, 0);
	close(camera.fd);
}

/* ---- a renderer ---- */

/* What is used of DRM, whose headers are not everywhere. */
struct drm_version {
	int major, minor, patch;
	size_t name_len;
	char *name;
	size_t date_len;
	char *date;
	size_t desc_len;
	char *desc;
};

struct drm_dumb {
	__u32 height, width, bpp, flags, handle, pitch;
	__u64 size;
};

struct drm_prime {
	__u32 handle, flags;
	__s32 fd;
};

struct vgem_fence {
	__u32 handle, flags, out_fence, pad;
};

struct vgem_signal {
	__u32 fence, flags;
};

#define DRM_VERSION		_IOWR('d', 0x00, struct drm_version)
#define DRM_PRIME_TO_FD		_IOWR('d', 0x2d, struct drm_prime)
#define DRM_CREATE_DUMB		_IOWR('d', 0xb2, struct drm_dumb)
#define VGEM_FENCE_ATTACH	_IOWR('d', 0x41, struct vgem_fence)
#define VGEM_FENCE_SIGNAL	_IOW('d', 0x42, struct vgem_signal)
#define VGEM_FENCE_WRITE	1

static int open_renderer(void)
{
	char path[32], name[32] = "";
	struct drm_version version = { .name = name, .name_len = sizeof(name) - 1 };
	int i, fd;

	need_module("modprobe vgem 2>/dev/null");
	for (i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0 && !ioctl(fd, DRM_VERSION, &version) && !strcmp(name, "vgem"))
			return fd;
		close(fd);
	}
	ASSERT_TRUE(!"vgem");
	return -1;
}

/* What is announced is waited for with poll(); until then nothing is begun. */
TEST_BOTH(renderer)
{
	struct drm_dumb dumb = { .width = 128, .height = 64, .bpp = 32 };
	struct drm_prime prime = { .flags = O_CLOEXEC | O_RDWR };
	struct vgem_fence fence = { .flags = VGEM_FENCE_WRITE };
	struct vgem_signal signaled = {};
	struct pollfd fd = { .events = POLLIN };
	unsigned char *picture;
	int drm = open_renderer(), buf;
	struct dmafd_op op;

	ASSERT_OK(ioctl(drm, DRM_CREATE_DUMB, &dumb));
	prime.handle = dumb.handle;
	ASSERT_OK(ioctl(drm, DRM_PRIME_TO_FD, &prime));
	ASSERT_OK(buf = import(rig->ctx, prime.fd, READ_WRITE));
	picture = map_fd(prime.fd, dumb.size);
	pattern(picture, dumb.size, 5);
	EXPECT_MEMEQ(picture, fetch(rig, buf, dumb.size), dumb.size);
	/* It is being drawn. */
	fence.handle = dumb.handle;
	ASSERT_OK(ioctl(drm, VGEM_FENCE_ATTACH, &fence));
	op = copy_op(buf, 0, buf, 4096, 4096);
	EXPECT_ERRNO(EBUSY, submit_error(rig->chan, &op));
	fd.fd = prime.fd;
	EXPECT_EQ(0, poll(&fd, 1, 0));
	signaled.fence = fence.out_fence;
	ASSERT_OK(ioctl(drm, VGEM_FENCE_SIGNAL, &signaled));
	EXPECT_EQ(1, poll(&fd, 1, 1000));
	run_well(rig->chan, &op);
	/* It is being read: it may be read, but not written. */
	fence.flags = 0;
	ASSERT_OK(ioctl(drm, VGEM_FENCE_ATTACH, &fence));
	fetch(rig, buf, dumb.size);
	EXPECT_ERRNO(EBUSY, submit_error(rig->chan, &op));
	signaled.fence = fence.out_fence;
	ASSERT_OK(ioctl(drm, VGEM_FENCE_SIGNAL, &signaled));
	run_well(rig->chan, &op);
	EXPECT_MEMEQ(picture + 4096, picture, 4096);
}

/* ---- pages of a file ---- */

TEST_BOTH(pages_of_a_file)
{
	struct udmabuf_create arg = { .offset = 4096, .size = 65536 };
	unsigned char *ptr, *src = memory(65536, 1);
	int device = open("/dev/udmabuf", O_RDWR), fd, buf, from;
	struct dmafd_op op;

	if (device < 0)
		SKIP("no udmabuf here");
	ASSERT_OK(arg.memfd = memfd_create("dmafd", MFD_ALLOW_SEALING));
	ASSERT_OK(ftruncate(arg.memfd, 2 * 65536));
	ASSERT_OK(fcntl(arg.memfd, F_ADD_SEALS, F_SEAL_SHRINK));
	ASSERT_OK(ptr = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, arg.memfd, 4096));
	pattern(ptr, 65536, 7);
	ASSERT_OK(fd = ioctl(device, UDMABUF_CREATE, &arg));
	ASSERT_OK(buf = import(rig->ctx, fd, READ_WRITE));
	EXPECT_MEMEQ(ptr, fetch(rig, buf, 65536), 65536);
	ASSERT_OK(from = reg(rig->ctx, src, 65536, DMAFD_BUF_READ));
	op = copy_op(buf, 0, from, 0, 65536);
	run_well(rig->chan, &op);
	EXPECT_MEMEQ(src, ptr, 65536);
	close(fd);
	close(arg.memfd);
	run_well(rig->chan, &op);
}

/* ---- a disk ---- */

/* From memory to the disk and back into it, past the page cache, with DMA between. */
static void disk(struct rig *rig, const char *path, unsigned char *ptr, int buf, size_t size)
{
	unsigned char *other = memory(size, 2);
	struct dmafd_op op;
	int from, fd;

	ASSERT_OK(fd = open(path, O_RDWR | O_DIRECT | O_CREAT, 0600));
	ASSERT_OK(from = reg(rig->ctx, other, size, DMAFD_BUF_READ));
	op = copy_op(buf, 0, from, 0, size);
	run_well(rig->chan, &op);
	ASSERT_EQ((ssize_t)size, pwrite(fd, ptr, size, 0));
	memset(ptr, 0, size);
	ASSERT_EQ((ssize_t)size, pread(fd, ptr, size, 0));
	ASSERT_MEMEQ(other, ptr, size);
	ASSERT_MEMEQ(other, fetch(rig, buf, size), size);
	/* One half of it is read into the other's place. */
	ASSERT_EQ((ssize_t)size / 2, pread(fd, ptr, size / 2, size / 2));
	ASSERT_MEMEQ(other + size / 2, fetch(rig, buf, size), size / 2);
	close(fd);
}

static void every_kind_of_memory(struct rig *rig, const char *path)
{
	unsigned char *ptr = memory(1 << 20, 1);
	int buf, fd;

	ASSERT_OK(buf = reg(rig->ctx, ptr, 1 << 20, READ_WRITE));
	disk(rig, path, ptr, buf, 1 << 20);
	ASSERT_OK(buf = alloc(rig->ctx, 1 << 20, READ_WRITE, &fd));
	disk(rig, path, map_fd(fd, 1 << 20), buf, 1 << 20);
	ASSERT_OK(buf = alloc(rig->ctx, 1 << 20, READ_WRITE | DMAFD_BUF_CONTIGUOUS, &fd));
	disk(rig, path, map_fd(fd, 1 << 20), buf, 1 << 20);
}

TEST_BOTH(disk)
{
	need_module("modprobe brd rd_nr=1 rd_size=4096 2>/dev/null");
	every_kind_of_memory(rig, "/dev/ram0");
}

/* A file on a disk that does DMA itself. */
TEST_BOTH(file_system)
{
	need_module("modprobe ext4 2>/dev/null");
	need_module("modprobe nvme 2>/dev/null");
	if (access("/dev/nvme0n1", F_OK))
		SKIP("no disk here");
	ASSERT_EQ(0, system("mke2fs /dev/nvme0n1 >/dev/null 2>&1"));
	ASSERT_TRUE(!mkdir("/tmp/nvme", 0700) || errno == EEXIST);
	ASSERT_OK(mount("/dev/nvme0n1", "/tmp/nvme", "ext2", 0, NULL));
	every_kind_of_memory(rig, "/tmp/nvme/file");
	EXPECT_OK(umount("/tmp/nvme"));
}
