// SPDX-License-Identifier: GPL-2.0-only
#include "uapi.h"

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SIM	"/sys/kernel/config/dmasim/uapi"

/* ---- surroundings ---- */

unsigned int slow_ms(unsigned int ms)
{
	const char *slow = getenv("HARNESS_SLOW");

	return ms * (slow && atoi(slow) > 0 ? atoi(slow) : 1);
}

void sleep_ms(unsigned int ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

long number_in(const char *path, const char *key)
{
	char line[256];
	long number = -1;
	FILE *file = fopen(path, "r");

	ASSERT_TRUE(file);
	while (number < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, strlen(key)))
			number = strtol(line + strlen(key), NULL, 0);
	fclose(file);
	return number;
}

/* The kernel counts on each CPU first; this adds it up. */
static void refresh(void)
{
	int fd;

	ASSERT_OK(fd = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC));
	ASSERT_OK(write(fd, "1", 1));
	close(fd);
}

long pins(void)
{
	refresh();
	return number_in("/proc/vmstat", "nr_foll_pin_acquired ") -
	       number_in("/proc/vmstat", "nr_foll_pin_released ");
}

void send_fd(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = {}, byte = 0;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	ASSERT_EQ(1, sendmsg(socket, &message, 0));
}

int receive_fd(int socket)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, byte;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	ASSERT_EQ(1, recvmsg(socket, &message, 0));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

static void load(const char *command, const char *there)
{
	if (access(there, F_OK))
		ASSERT_EQ(0, system(command));
}

void put_text(const char *path, const char *text)
{
	int fd;

	ASSERT_OK(fd = open(path, O_WRONLY | O_CLOEXEC));
	ASSERT_OK(write(fd, text, strlen(text)));
	close(fd);
}

void sim_set(const char *file, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), SIM "/%s", file);
	put_text(path, text);
}

int sim_remove(void)
{
	return rmdir(SIM);
}

/* How many of a controller's channels somebody has. */
static unsigned int count_users(unsigned int dma)
{
	unsigned int users = 0, i;
	char path[64], text[16];
	FILE *file;

	for (i = 0;; i++) {
		snprintf(path, sizeof(path), "/sys/class/dma/dma%uchan%u/in_use", dma, i);
		file = fopen(path, "r");
		if (!file)
			return users;
		users += fgets(text, sizeof(text), file) ? atoi(text) : 0;
		fclose(file);
	}
}

char *take_lone(struct rig *rig)
{
	char name[32], path[64], *driver;
	unsigned int dma;

	if (!rig->real)
		SKIP("a simulated controller is not unbound");
	close(rig->chan);
	rig->chan = -1;
	for (dma = 0; dma < 16 && rig->chan < 0; dma++) {
		snprintf(name, sizeof(name), "dma%uchan0", dma);
		if (!count_users(dma))
			rig->chan = chan_open(rig->ctx, name, DMAFD_CAP_COPY, 0);
	}
	if (rig->chan < 0)
		SKIP("other drivers use each of the controllers");
	snprintf(path, sizeof(path), "/sys/class/dma/%s/device/driver", name);
	ASSERT_TRUE(driver = realpath(path, NULL));
	return driver;
}

/* Sets "OPTION=VALUE ...". */
static void set_all(const char *options)
{
	char *copy = strdup(options), *rest = copy, *word, *value;

	while ((word = strsep(&rest, " "))) {
		if (!*word)
			continue;
		value = strchr(word, '=');
		ASSERT_TRUE(value);
		*value++ = '\0';
		sim_set(word, value);
	}
	free(copy);
}

static void find_sim(struct rig *rig)
{
	char dma[32] = "";
	FILE *file = fopen(SIM "/dma", "r");

	ASSERT_TRUE(file);
	ASSERT_TRUE(fgets(dma, sizeof(dma), file));
	fclose(file);
	dma[strcspn(dma, "\n")] = '\0';
	snprintf(rig->name, sizeof(rig->name), "%schan0", dma);
}

static long pins_before;

void rig_up(struct rig *rig, const char *view, const char *options)
{
	const char *board = getenv("BOARD") ?: "";
	bool bcm2835 = !strcmp(board, "raspi3b"), pl330 = !strcmp(board, "smdkc210");

	rig->ctx = -1;
	rig->chan = -1;
	rig->real = bcm2835 || pl330;
	rig->step = bcm2835 ? 4 : 1;
	if (rig->real && strcmp(view, "flat"))
		SKIP("the board's controller has one view of memory");
	load("modprobe dmafd", "/dev/dmafd");
	if (!rig->real) {
		load("modprobe dmasim controller=0", "/sys/kernel/config/dmasim");
		sim_remove();
		ASSERT_OK(mkdir(SIM, 0755));
		sim_set("view", view);
		set_all(options);
		sim_set("live", "1");
		find_sim(rig);
	}
	pins_before = pins();
	ASSERT_OK(rig->ctx = ctx_open());
	ASSERT_OK(rig->chan = chan_open(rig->ctx, rig->name, 0, 0));
}

void rig_down(struct rig *rig)
{
	unsigned int waited;

	if (rig->chan >= 0)
		close(rig->chan);
	if (rig->ctx >= 0)
		close(rig->ctx);
	/* Files that another process had are closed a little later. */
	for (waited = 0; waited < slow_ms(2000) && pins() != pins_before; waited += 10)
		sleep_ms(10);
	EXPECT_EQ(pins_before, pins());
	if (!rig->real && !access(SIM, F_OK))
		EXPECT_OK(sim_remove());
}

void need_sim(const struct rig *rig)
{
	if (rig->real)
		SKIP("the board's controller does not do that");
}

/* ---- what is asked ---- */

int ctx_open(void)
{
	return open("/dev/dmafd", O_RDWR | O_CLOEXEC);
}

int chan_open(int ctx, const char *name, unsigned int caps, unsigned int depth)
{
	struct dmafd_chan_open arg = { .size = sizeof(arg), .caps = caps, .depth = depth };

	snprintf(arg.name, sizeof(arg.name), "%s", name);
	return ioctl(ctx, DMAFD_CHAN_OPEN, &arg) ? -1 : arg.out_fd;
}

int reg(int ctx, const void *ptr, size_t len, unsigned int access)
{
	struct dmafd_buf_register arg = {
		.size = sizeof(arg), .flags = access, .addr = (uintptr_t)ptr, .length = len,
	};

	return ioctl(ctx, DMAFD_BUF_REGISTER, &arg) ? -1 : (int)arg.out_buf;
}

int unreg(int ctx, unsigned int buf)
{
	struct dmafd_buf_remove arg = { .size = sizeof(arg), .buf = buf };

	return ioctl(ctx, DMAFD_BUF_REMOVE, &arg);
}

int alloc(int ctx, size_t len, unsigned int flags, int *fd)
{
	struct dmafd_buf_alloc arg = { .size = sizeof(arg), .flags = flags, .length = len };

	if (ioctl(ctx, DMAFD_BUF_ALLOC, &arg))
		return -1;
	*fd = arg.out_fd;
	return arg.out_buf;
}

int import(int ctx, int fd, unsigned int flags)
{
	struct dmafd_buf_import arg = { .size = sizeof(arg), .flags = flags, .fd = fd };

	return ioctl(ctx, DMAFD_BUF_IMPORT, &arg) ? -1 : (int)arg.out_buf;
}

unsigned char *map_fd(int fd, size_t len)
{
	void *ptr = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	ASSERT_OK(ptr);
	return ptr;
}

static void sync_access(int fd, __u64 flags)
{
	struct dma_buf_sync arg = { .flags = DMA_BUF_SYNC_RW | flags };

	ASSERT_OK(ioctl(fd, DMA_BUF_IOCTL_SYNC, &arg));
}

void begin_access(int fd)
{
	sync_access(fd, DMA_BUF_SYNC_START);
}

void end_access(int fd)
{
	sync_access(fd, DMA_BUF_SYNC_END);
}

void pattern(unsigned char *ptr, size_t len, unsigned int seed)
{
	unsigned int state = seed * 2654435761u + 12345;

	while (len--) {
		state = state * 1664525 + 1013904223;
		*ptr++ = state >> 24;
	}
}

unsigned char *memory(size_t len, unsigned int seed)
{
	unsigned char *ptr = mmap(NULL, len, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_OK((void *)ptr);
	pattern(ptr, len, seed);
	return ptr;
}

struct dmafd_op copy_op(unsigned int dst, size_t dst_at, unsigned int src, size_t src_at,
			size_t len)
{
	return (struct dmafd_op){
		.opcode = DMAFD_OP_COPY, .dst_buf = dst, .dst_offset = dst_at, .src_buf = src,
		.src_offset = src_at, .length = len,
	};
}

struct dmafd_op fill_op(unsigned int dst, size_t at, size_t len, unsigned int value)
{
	return (struct dmafd_op){
		.opcode = DMAFD_OP_FILL, .dst_buf = dst, .dst_offset = at, .length = len,
		.value = value,
	};
}

struct dmafd_op nop_op(unsigned int flags)
{
	return (struct dmafd_op){ .opcode = DMAFD_OP_NOP, .flags = flags };
}

int submit(int chan, const struct dmafd_op *ops, unsigned int count)
{
	struct dmafd_submit arg = {
		.size = sizeof(arg), .ops = (uintptr_t)ops, .nr_ops = count,
		.op_size = sizeof(*ops),
	};

	return ioctl(chan, DMAFD_SUBMIT, &arg) ? -1 : (int)arg.out_submitted;
}

void run(int chan, const struct dmafd_op *op, struct dmafd_completion *completion)
{
	struct dmafd_submit arg = {
		.size = sizeof(arg), .flags = DMAFD_SUBMIT_WAIT, .ops = (uintptr_t)op,
		.nr_ops = 1, .op_size = sizeof(*op), .completions = (uintptr_t)completion,
		.nr_completions = 1,
	};

	ASSERT_OK(ioctl(chan, DMAFD_SUBMIT, &arg));
	ASSERT_EQ(1, arg.out_submitted);
	ASSERT_EQ(1, arg.out_completions);
	EXPECT_EQ(op->user_data, completion->user_data);
	EXPECT_EQ(op->opcode, completion->opcode);
}

void run_well(int chan, const struct dmafd_op *op)
{
	struct dmafd_completion completion = {};

	run(chan, op, &completion);
	ASSERT_EQ(0, completion.status);
	ASSERT_EQ(op->length, completion.bytes);
}

int submit_error(int chan, const struct dmafd_op *op)
{
	return submit(chan, op, 1) == 1 ? 0 : -1;
}

void take(int chan, struct dmafd_completion *completions, unsigned int count)
{
	ssize_t n;

	while (count) {
		ASSERT_OK(n = read(chan, completions, count * sizeof(*completions)));
		ASSERT_EQ(0, n % sizeof(*completions));
		completions += n / sizeof(*completions);
		count -= n / sizeof(*completions);
	}
}

int cancel(int chan, unsigned int *canceled)
{
	struct dmafd_cancel arg = { .size = sizeof(arg) };
	int err = ioctl(chan, DMAFD_CANCEL, &arg);

	*canceled = arg.out_canceled;
	return err;
}
