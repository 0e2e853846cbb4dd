// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmabuf_app - two buffers of one driver, used by another one and by this program
 *
 *	# ./dmabuf_app one-two-three
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dmabuf.h"

#define EXPORTER	"/dev/dmabuf_export"
#define IMPORTER	"/dev/dmabuf_import"
#define DEFAULT_TEXT	"shared by two drivers"
#define SIZE		65536

struct buffer {
	int fd;
	char *data;
};

static void print_help(void)
{
	puts("Usage: dmabuf_app [TEXT]\n"
	     "Write TEXT to a dma-buf of " EXPORTER ", have it moved to another one\n"
	     "by " IMPORTER ", and read it there. The exit status is 0 if it is the same.");
}

static void die(const char *what)
{
	fprintf(stderr, "dmabuf_app: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static int open_device(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die(path);
	return fd;
}

static struct buffer export_buffer(int exporter)
{
	struct dmabuf_alloc alloc = { .size = SIZE };
	struct buffer buf;

	buf.fd = ioctl(exporter, DMABUF_ALLOC, &alloc);
	if (buf.fd < 0)
		die(EXPORTER);
	buf.data = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, buf.fd, 0);
	if (buf.data == MAP_FAILED)
		die("mmap");
	return buf;
}

static void close_buffer(struct buffer *buf)
{
	munmap(buf->data, SIZE);
	close(buf->fd);
}

/* Around each look at the data: the memory may be in the hands of a device. */
static void sync_buffer(const struct buffer *buf, unsigned long long flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	if (ioctl(buf->fd, DMA_BUF_IOCTL_SYNC, &sync))
		die("sync");
}

static void write_text(const struct buffer *buf, const char *text)
{
	sync_buffer(buf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	memcpy(buf->data, text, strlen(text) + 1);
	printf("source:      '%s'\n", buf->data);
	sync_buffer(buf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
}

static int read_text(const struct buffer *buf, const char *text)
{
	int differs;

	sync_buffer(buf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	printf("destination: '%.*s'\n", SIZE, buf->data);
	differs = strcmp(buf->data, text);
	sync_buffer(buf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	return differs;
}

static int share(const char *text)
{
	int exporter = open_device(EXPORTER), importer = open_device(IMPORTER);
	struct buffer src = export_buffer(exporter), dst = export_buffer(exporter);
	struct dmabuf_take take = { .src = src.fd, .dst = dst.fd };
	struct dmabuf_copy copy = { .len = strlen(text) + 1 };
	int differs;

	if (ioctl(importer, DMABUF_TAKE, &take))
		die(IMPORTER);
	write_text(&src, text);
	if (ioctl(importer, DMABUF_COPY, &copy))
		die(IMPORTER);
	differs = read_text(&dst, text);
	close(importer);
	close_buffer(&dst);
	close_buffer(&src);
	close(exporter);
	return differs;
}

int main(int argc, char **argv)
{
	const char *text = argc > 1 ? argv[1] : DEFAULT_TEXT;

	if (argc > 2 || !strcmp(text, "--help")) {
		print_help();
		return argc > 2 ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	if (strlen(text) >= SIZE) {
		errno = EMSGSIZE;
		die("TEXT");
	}
	if (share(text)) {
		fflush(stdout);
		fputs("dmabuf_app: source and destination differ\n", stderr);
		return EXIT_FAILURE;
	}
	puts("source and destination are the same");
	return EXIT_SUCCESS;
}
