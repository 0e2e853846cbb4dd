// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes a picture from a camera to a screen, or to a file, without touching a pixel: the
 * camera's memory and the screen's are dma-bufs, and a DMA channel copies from one to the
 * other. Below the whole picture comes a part of it, and beside
 * both the same upside down.
 *
 *	picture CAMERA SCREEN|FILE [CHANNEL]
 *
 *	picture /dev/video0 /dev/dri/card0	shows it until Enter is pressed
 *	picture /dev/video0 picture.bmp
 *
 * To be compiled with the headers of DRM: $(pkg-config --cflags --libs libdmafd libdrm)
 */
#include <dmafd.h>
#include <drm.h>
#include <err.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIXEL	4	/* blue, green, red, nothing: XR24 for both sides */
#define FRAMES	2

/*
 * The part of a picture that is cut out. Its rows may begin anywhere in the camera's
 * memory. Where they go, they must not share a cache line with anything else: the CPU,
 * which writes such edges otherwise, does not look into what was imported. So widths
 * are multiples of 32 pixels, the largest dmafd_line_size().
 */
#define LEFT	100
#define TOP	30
#define PART_WIDTH	128
#define PART_HEIGHT	72

struct image {
	struct dmafd_buf *buf;
	unsigned int width, height, stride;
};

static void control(int fd, unsigned long request, void *arg, const char *what)
{
	if (ioctl(fd, request, arg))
		err(1, "%s", what);
}

/* ---- the camera ---- */

/* What the virtual camera vivid shows: squares in eight colours, and no text. */
#define VIVID_PATTERN	0x00f0f000
#define VIVID_TEXT	0x00f0f001

static void choose_pattern(int fd)
{
	struct v4l2_control pattern = { .id = VIVID_PATTERN, .value = 4 };
	struct v4l2_control text = { .id = VIVID_TEXT, .value = 2 };

	if (ioctl(fd, VIDIOC_S_CTRL, &pattern) || ioctl(fd, VIDIOC_S_CTRL, &text))
		warnx("this camera shows what it sees");
}

static void choose_format(int fd, struct image *image)
{
	struct v4l2_format format = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };

	format.fmt.pix.width = 320;
	format.fmt.pix.height = 180;
	format.fmt.pix.pixelformat = V4L2_PIX_FMT_XBGR32;
	control(fd, VIDIOC_S_FMT, &format, "the camera's format");
	if (format.fmt.pix.pixelformat != V4L2_PIX_FMT_XBGR32)
		errx(1, "the camera has other pixels");
	image->width = format.fmt.pix.width;
	image->height = format.fmt.pix.height;
	image->stride = format.fmt.pix.bytesperline;
}

/* Fills a buffer of the camera's with a picture, and returns that one's number. */
static unsigned int take_frame(int fd)
{
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	struct v4l2_requestbuffers request = {
		.count = FRAMES, .type = type, .memory = V4L2_MEMORY_MMAP,
	};
	struct v4l2_buffer frame = { .type = type, .memory = V4L2_MEMORY_MMAP };

	control(fd, VIDIOC_REQBUFS, &request, "the camera's memory");
	for (frame.index = 0; frame.index < request.count; frame.index++)
		control(fd, VIDIOC_QBUF, &frame, "the camera's queue");
	control(fd, VIDIOC_STREAMON, &type, "to begin with pictures");
	control(fd, VIDIOC_DQBUF, &frame, "a picture");
	if (frame.flags & V4L2_BUF_FLAG_ERROR)
		errx(1, "the picture is spoiled");
	return frame.index;
}

static int open_camera(const char *path, struct dmafd_ctx *ctx, struct image *image)
{
	struct v4l2_exportbuffer export = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .flags = O_CLOEXEC | O_RDWR,
	};
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		err(1, "%s", path);
	choose_pattern(fd);
	choose_format(fd, image);
	export.index = take_frame(fd);
	control(fd, VIDIOC_EXPBUF, &export, "the picture as a dma-buf");
	image->buf = dmafd_buf_import(ctx, export.fd, DMAFD_READ);
	if (!image->buf)
		err(1, "the camera's memory");
	close(export.fd);
	return fd;
}

/* ---- the screen ---- */

struct screen {
	int fd;
	__u32 crtc, connector, framebuffer;
	struct drm_mode_modeinfo mode;
};

/* The first connector, and the mode that it likes best. */
static void find_mode(struct screen *screen)
{
	__u32 crtcs[8], connectors[8];
	struct drm_mode_modeinfo modes[64];
	struct drm_mode_card_res res = {
		.crtc_id_ptr = (uintptr_t)crtcs, .count_crtcs = 8,
		.connector_id_ptr = (uintptr_t)connectors, .count_connectors = 8,
	};
	struct drm_mode_get_connector connector = {};

	control(screen->fd, DRM_IOCTL_MODE_GETRESOURCES, &res, "no screen");
	if (!res.count_crtcs || !res.count_connectors)
		errx(1, "there is nothing connected");
	screen->crtc = crtcs[0];
	screen->connector = connectors[0];
	connector.connector_id = screen->connector;
	control(screen->fd, DRM_IOCTL_MODE_GETCONNECTOR, &connector, "the connector");
	if (!connector.count_modes || connector.count_modes > 64)
		errx(1, "the screen is off");
	connector.modes_ptr = (uintptr_t)modes;
	connector.count_props = 0;
	connector.count_encoders = 0;
	control(screen->fd, DRM_IOCTL_MODE_GETCONNECTOR, &connector, "the screen's modes");
	screen->mode = modes[0];
}

/* Memory that the screen can show, as a dma-buf. */
static void open_screen(struct screen *screen, struct dmafd_ctx *ctx, struct image *image)
{
	struct drm_mode_create_dumb dumb = { .bpp = 8 * PIXEL };
	struct drm_mode_fb_cmd framebuffer = { .bpp = 8 * PIXEL, .depth = 24 };
	struct drm_prime_handle export = { .flags = DRM_CLOEXEC | DRM_RDWR };

	find_mode(screen);
	dumb.width = screen->mode.hdisplay;
	dumb.height = screen->mode.vdisplay;
	control(screen->fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb, "the screen's memory");
	framebuffer.width = image->width = dumb.width;
	framebuffer.height = image->height = dumb.height;
	framebuffer.pitch = image->stride = dumb.pitch;
	framebuffer.handle = export.handle = dumb.handle;
	control(screen->fd, DRM_IOCTL_MODE_ADDFB, &framebuffer, "a framebuffer");
	screen->framebuffer = framebuffer.fb_id;
	control(screen->fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &export, "the screen as a dma-buf");
	image->buf = dmafd_buf_import(ctx, export.fd, DMAFD_WRITE);
	if (!image->buf)
		err(1, "the screen's memory");
	close(export.fd);
}

static void show(struct screen *screen)
{
	struct drm_mode_crtc crtc = {
		.crtc_id = screen->crtc, .fb_id = screen->framebuffer,
		.set_connectors_ptr = (uintptr_t)&screen->connector, .count_connectors = 1,
		.mode = screen->mode, .mode_valid = 1,
	};

	control(screen->fd, DRM_IOCTL_MODE_SETCRTC, &crtc, "to show it");
	puts("shown");
	fflush(stdout);
	getchar();
}

/* ---- the file ---- */

static void make_page(struct dmafd_ctx *ctx, struct image *image)
{
	image->width = 640;
	image->height = 360;
	image->stride = image->width * PIXEL;
	image->buf = dmafd_buf_alloc(ctx, image->stride * image->height, DMAFD_RDWR);
	if (!image->buf)
		err(1, "no memory");
}

static void put(unsigned char *at, unsigned int value)
{
	at[0] = value;
	at[1] = value >> 8;
	at[2] = value >> 16;
	at[3] = value >> 24;
}

/* A BMP file has the pixels as they are; a negative height says that the first is on top. */
static void save(int fd, struct image *image)
{
	size_t size = image->stride * image->height;
	unsigned char head[54] = { [0] = 'B', [1] = 'M', [26] = 1, [28] = 8 * PIXEL };

	put(head + 2, sizeof(head) + size);
	put(head + 10, sizeof(head));
	put(head + 14, 40);
	put(head + 18, image->width);
	put(head + 22, -image->height);
	put(head + 34, size);
	if (write(fd, head, sizeof(head)) != sizeof(head) ||
	    dmafd_buf_cpu_begin(image->buf, DMAFD_READ) ||
	    write(fd, dmafd_buf_addr(image->buf), size) != (ssize_t)size ||
	    dmafd_buf_cpu_end(image->buf, DMAFD_READ) || close(fd))
		err(1, "the file");
}

/* ---- from one to the other ---- */

static uint64_t at(const struct image *image, unsigned int x, unsigned int y)
{
	return (uint64_t)y * image->stride + x * PIXEL;
}

/* Rows from the last to the first: lists of ranges, one for each row. */
static void flip(struct dmafd_job *job, const struct image *to, unsigned int x, unsigned int y,
		 const struct image *from, struct dmafd_range *rows)
{
	struct dmafd_range *dst = rows, *src = rows + from->height;
	unsigned int i, length = from->width * PIXEL;

	for (i = 0; i < from->height; i++) {
		dst[i] = (struct dmafd_range){ to->buf, at(to, x, y + i), length };
		src[i] = (struct dmafd_range){ from->buf, at(from, 0, from->height - 1 - i), length };
	}
	dmafd_job_copyv(job, dst, from->height, src, from->height);
}

static void copy(struct dmafd_chan *chan, const struct image *to, const struct image *from)
{
	struct dmafd_range *rows = calloc(2 * from->height, sizeof(*rows));
	unsigned int width = from->width, height = from->height;
	/* Where the part goes: into the middle of what is left. */
	unsigned int x = (width - PART_WIDTH) / 2, y = height + (height - PART_HEIGHT) / 2;
	uint64_t part = at(from, LEFT, TOP);
	struct dmafd_job jobs[4];

	if (!rows || width < LEFT + PART_WIDTH || height < TOP + PART_HEIGHT ||
	    to->width < 2 * width || to->height < 2 * height)
		errx(1, "%ux%u is no size for %ux%u", to->width, to->height, width, height);
	dmafd_job_copy_2d(&jobs[0], to->buf, 0, to->stride, from->buf, 0, from->stride,
			  width * PIXEL, height);
	flip(&jobs[1], to, width, 0, from, rows);
	dmafd_job_copy_2d(&jobs[2], to->buf, at(to, x, y), to->stride, from->buf, part,
			  from->stride, PART_WIDTH * PIXEL, PART_HEIGHT);
	/* A part upside down: the destination's rows go up. */
	dmafd_job_copy_2d(&jobs[3], to->buf, at(to, width + x, y + PART_HEIGHT - 1),
			  -(int64_t)to->stride, from->buf, part, from->stride,
			  PART_WIDTH * PIXEL, PART_HEIGHT);
	if (dmafd_run(chan, jobs, 4, NULL))
		err(1, "cannot copy");
	free(rows);
}

int main(int argc, char **argv)
{
	struct dmafd_ctx *ctx = dmafd_open();
	struct image from, to;
	struct dmafd_chan *chan;
	struct screen screen;
	struct stat target;
	int camera;

	if (argc < 3)
		errx(2, "picture CAMERA SCREEN|FILE [CHANNEL]");
	if (!ctx)
		err(1, "/dev/dmafd");
	chan = dmafd_chan_open(ctx, argv[3], NULL);
	if (!chan)
		err(1, "no channel");
	screen.fd = open(argv[2], O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (screen.fd < 0 || fstat(screen.fd, &target))
		err(1, "%s", argv[2]);
	camera = open_camera(argv[1], ctx, &from);
	if (S_ISCHR(target.st_mode))
		open_screen(&screen, ctx, &to);
	else
		make_page(ctx, &to);
	copy(chan, &to, &from);
	if (S_ISCHR(target.st_mode))
		show(&screen);
	else
		save(screen.fd, &to);
	dmafd_chan_close(chan);
	dmafd_close(ctx);
	close(camera);
	return 0;
}
