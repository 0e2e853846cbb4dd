// SPDX-License-Identifier: GPL-2.0-only
/*
 * dma_mmap_app - writes a text to one buffer and reads it from another
 *
 *	# ./dma_mmap_app one-two-three
 *
 * No system call carries the text: the program writes it to the source, the DMA
 * controller moves it, and the program reads it from the destination.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dma_mmap.h"

#define DEVICE		"/dev/dma_mmap"
#define DEFAULT_TEXT	"moved by the DMA controller"

static void print_help(void)
{
	puts("Usage: dma_mmap_app [TEXT]\n"
	     "Write TEXT to the source buffer of " DEVICE ", have it moved, and\n"
	     "read it from the destination. The exit status is 0 if it is the same.");
}

static void die(const char *what)
{
	fprintf(stderr, "dma_mmap_app: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static char *map_buffer(int fd, int prot, off_t offset)
{
	char *buf = mmap(NULL, DMA_MMAP_SIZE, prot, MAP_SHARED, fd, offset);

	if (buf == MAP_FAILED)
		die(DEVICE ": mmap");
	return buf;
}

/* Moves the text, with the NUL that ends it; 0 if it came out the same. */
static int move(int fd, const char *text)
{
	struct dma_mmap_copy copy = { .len = strlen(text) + 1 };
	char *src = map_buffer(fd, PROT_READ | PROT_WRITE, DMA_MMAP_SRC);
	const char *dst = map_buffer(fd, PROT_READ, DMA_MMAP_DST);

	memcpy(src, text, copy.len);
	printf("source:      '%s'\n", src);
	printf("destination: '%.*s'\n", DMA_MMAP_SIZE, dst);
	if (ioctl(fd, DMA_MMAP_COPY, &copy))
		die(DEVICE ": ioctl");
	printf("moved %u bytes\n", copy.len);
	printf("destination: '%.*s'\n", DMA_MMAP_SIZE, dst);
	return memcmp(dst, text, copy.len);
}

int main(int argc, char **argv)
{
	const char *text = argc > 1 ? argv[1] : DEFAULT_TEXT;
	int fd;

	if (argc > 2 || !strcmp(text, "--help")) {
		print_help();
		return argc > 2 ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	if (strlen(text) >= DMA_MMAP_SIZE) {
		errno = EMSGSIZE;
		die("TEXT");
	}
	fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die(DEVICE);
	if (move(fd, text)) {
		fflush(stdout);
		fputs("dma_mmap_app: source and destination differ\n", stderr);
		return EXIT_FAILURE;
	}
	puts("source and destination are the same");
	return EXIT_SUCCESS;
}
