// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shares a buffer with another process: passes it as a dma-buf through a socket. The
 * child has a channel of its own fill it; the parent looks at it.
 *
 *	share
 */
#include <dmafd.h>
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE	(256 * 1024)

/* Room for one file descriptor, as the socket wants it. */
union control {
	char room[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static void send_fd(int sock, int fd)
{
	union control control = {};
	struct iovec iov = { .iov_base = "b", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room,
		.msg_controllen = sizeof(control.room),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	if (sendmsg(sock, &message, 0) != 1)
		err(1, "cannot send");
}

static int receive_fd(int sock)
{
	union control control;
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room,
		.msg_controllen = sizeof(control.room),
	};
	int fd;

	if (recvmsg(sock, &message, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&message))
		err(1, "nothing received");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

/* Fills the buffer with what it has in memory of its own. */
static int child(int sock)
{
	struct dmafd_ctx *ctx = dmafd_open();
	struct dmafd_chan *chan;
	struct dmafd_buf *shared, *own;

	if (!ctx)
		err(1, "cannot open /dev/dmafd");
	chan = dmafd_chan_open(ctx, NULL, NULL);
	shared = dmafd_buf_import(ctx, receive_fd(sock), DMAFD_WRITE);
	own = dmafd_buf_alloc(ctx, SIZE, DMAFD_READ);
	if (!chan || !shared || !own)
		err(1, "no channel or no buffers");
	memset(dmafd_buf_addr(own), 0x77, SIZE);
	if (dmafd_copy(chan, shared, 0, own, 0, SIZE))
		err(1, "cannot copy");
	dmafd_chan_close(chan);
	dmafd_close(ctx);
	return 0;
}

int main(void)
{
	const unsigned char *data;
	struct dmafd_buf *buf;
	struct dmafd_ctx *ctx;
	int socks[2], status;
	unsigned int i;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, socks))
		err(1, "no sockets");
	/* Before anything is opened: what a process opened is its own. */
	pid = fork();
	if (!pid)
		return child(socks[1]);
	ctx = dmafd_open();
	if (!ctx)
		err(1, "cannot open /dev/dmafd");
	buf = dmafd_buf_alloc(ctx, SIZE, DMAFD_RDWR);
	if (!buf)
		err(1, "no buffer");
	send_fd(socks[0], dmafd_buf_fd(buf));
	if (waitpid(pid, &status, 0) != pid || status)
		errx(1, "the other process failed");
	if (dmafd_buf_cpu_begin(buf, DMAFD_READ))
		err(1, "cannot look at it");
	data = dmafd_buf_addr(buf);
	for (i = 0; i < SIZE; i++)
		if (data[i] != 0x77)
			errx(1, "byte %u differs", i);
	dmafd_buf_cpu_end(buf, DMAFD_READ);
	printf("%d bytes shared\n", SIZE);
	dmafd_close(ctx);
	return 0;
}
