// SPDX-License-Identifier: GPL-2.0-only
#include "calls.h"
#include "../uapi/common/ring.h"

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define AREA		(256 * 1024)
#define PAGE		4096
#define MAX_OPS		6
#define MAX_SEGMENTS	20
/* Longer than any call should take that waits. */
#define PATIENCE_MS	20

/* What calls make, and others use. */
enum { CTX, CHAN, DMABUF, NR_SLOTS = 4 };

struct world {
	const struct bench *bench;
	int fd[3][NR_SLOTS];
	unsigned char *area;
	struct ring ring;
	bool has_ring;
	pid_t child;
};

/* ---- bytes ---- */

struct bytes {
	const unsigned char *at, *end;
};

static unsigned int get(struct bytes *bytes)
{
	return bytes->at < bytes->end ? *bytes->at++ : 0;
}

static uint32_t get32(struct bytes *bytes)
{
	uint32_t value = get(bytes) << 24;

	value |= get(bytes) << 16;
	value |= get(bytes) << 8;
	return value | get(bytes);
}

static uint64_t get_odd(struct bytes *bytes)
{
	static const uint64_t values[] = {
		0, 1, 3, PAGE - 1, PAGE, PAGE + 1, AREA, AREA - 1, 1 << 20, INT32_MAX, UINT32_MAX,
		1ULL << 32, (1ULL << 32) + 64, INT64_MAX, 1ULL << 63, UINT64_MAX, -(uint64_t)PAGE,
		-(uint64_t)64, 1ULL << 52, 0xffff888000000000,
	};

	return values[get(bytes) % (sizeof(values) / sizeof(values[0]))];
}

/* Mostly something that makes sense. */
static uint64_t get_size(struct bytes *bytes)
{
	unsigned int kind = get(bytes);

	switch (kind % 8) {
	case 0:
		return get_odd(bytes);
	case 1:
	case 2:
		return get(bytes);
	case 3:
		return get(bytes) << 8 | get(bytes);
	default:
		return get(bytes) % 32 * 512;
	}
}

/* ---- calls ---- */

enum kind {
	REGISTER, REMOVE, ALLOC, IMPORT, OPEN, LIST, INFO, CHAN_INFO, SUBMIT, CANCEL, STATUS,
	PAUSE, READ, POLL, CLOSE, DUP, UNMAP, MAP, ADVISE, DMABUF_MAP, DMABUF_SYNC, RING,
	RING_CLOSE, RAW, INJECT, RACE, FORK, LOOK, PORT, SLEEP, OPEN_CTX, SUBMIT_MORE, KINDS
};

struct arguments {
	union {
		struct dmafd_sg_args sg;
		struct dmafd_2d_args rows;
		struct dmafd_cyclic_args cyclic;
	};
	struct dmafd_segment src[MAX_SEGMENTS], dst[MAX_SEGMENTS];
};

/* One of them, with all that it points to. */
struct call {
	enum kind kind;
	int slot, other;
	uint64_t at, len;
	unsigned int value;
	union {
		struct dmafd_buf_register reg;
		struct dmafd_buf_remove remove;
		struct dmafd_buf_alloc alloc;
		struct dmafd_buf_import import;
		struct dmafd_chan_open open;
		struct dmafd_chan_list list;
		struct dmafd_info info;
		struct dmafd_chan_info chan_info;
		struct dmafd_submit submit;
		struct dmafd_cancel cancel;
		struct dmafd_status status;
		struct dmafd_pause pause;
		unsigned char raw[512];
	};
	struct dmafd_op ops[MAX_OPS];
	struct arguments args[MAX_OPS];
};

/* Whatever number of completions or entries is asked for, this has room. */
static unsigned char out[1 << 20];

/* Now and then, some of it is something else. */
static void spoil(struct bytes *bytes, void *data, size_t size)
{
	unsigned char *at = data;
	uint64_t value;

	if (get(bytes) % 12 != 11)
		return;
	at += get(bytes) % size & ~3U;
	value = get_odd(bytes);
	memcpy(at, &value, at + 8 <= (unsigned char *)data + size ? 8 : 4);
}

/* ---- operations ---- */

static void get_segments(struct bytes *bytes, struct dmafd_segment *segment, unsigned int count,
			 uint64_t length)
{
	unsigned int i, alike = get(bytes) % 4;

	for (i = 0; i < count; i++) {
		segment[i] = (struct dmafd_segment){
			.buf = 1 + (get(bytes) & 3), .offset = i * 4096 + (get(bytes) & 0xf8),
			.length = alike ? length / count : get_size(bytes),
		};
		spoil(bytes, &segment[i], sizeof(segment[i]));
	}
}

static void get_list(struct bytes *bytes, struct dmafd_op *op, struct arguments *args)
{
	struct dmafd_sg_args *sg = &args->sg;

	*sg = (struct dmafd_sg_args){ .size = sizeof(*sg), .src = (uintptr_t)args->src };
	sg->nr_src = 1 + get(bytes) % (op->opcode == DMAFD_OP_XOR ? 4 : MAX_SEGMENTS);
	get_segments(bytes, args->src, sg->nr_src, op->length);
	if (op->opcode == DMAFD_OP_COPY_SG) {
		sg->nr_dst = 1 + get(bytes) % MAX_SEGMENTS;
		sg->dst = (uintptr_t)args->dst;
		get_segments(bytes, args->dst, sg->nr_dst, op->length);
		op->dst_buf = 0;
		op->dst_offset = 0;
	} else {
		for (unsigned int i = 0; i < sg->nr_src && get(bytes) % 8; i++)
			args->src[i].length = op->length;
	}
	op->src_buf = 0;
	op->src_offset = 0;
	op->value = 0;
	spoil(bytes, sg, sizeof(*sg));
}

static void get_rows(struct bytes *bytes, struct dmafd_op *op, struct arguments *args)
{
	struct dmafd_2d_args *rows = &args->rows;

	*rows = (struct dmafd_2d_args){
		.size = sizeof(*rows), .rows = 1 + get(bytes) % 64,
		.src_stride = (int64_t)get_size(bytes) * (get(bytes) & 1 ? -1 : 1),
		.dst_stride = (int64_t)get_size(bytes) * (get(bytes) & 1 ? -1 : 1),
	};
	if (get(bytes) % 8)
		op->length -= op->length % rows->rows;
	op->value = 0;
	spoil(bytes, rows, sizeof(*rows));
}

static void get_ring(struct bytes *bytes, struct dmafd_op *op, struct arguments *args)
{
	unsigned int periods = 2 + get(bytes) % 8;

	args->cyclic = (struct dmafd_cyclic_args){
		.size = sizeof(args->cyclic), .period = 4 * (1 + get(bytes) % 128),
	};
	if (get(bytes) % 8)
		op->length = periods * args->cyclic.period;
	op->value = 0;
	spoil(bytes, &args->cyclic, sizeof(args->cyclic));
}

/* What is of no use is 0, mostly. */
static void get_args(struct bytes *bytes, struct dmafd_op *op, struct arguments *args)
{
	bool rx = get(bytes) & 1;

	op->args = (uintptr_t)args;
	switch (op->opcode) {
	case DMAFD_OP_COPY_SG:
	case DMAFD_OP_XOR:
		get_list(bytes, op, args);
		return;
	case DMAFD_OP_COPY_2D:
		get_rows(bytes, op, args);
		return;
	case DMAFD_OP_CYCLIC:
		get_ring(bytes, op, args);
		break;
	case DMAFD_OP_FILL:
		op->args = 0;
		op->src_buf = 0;
		op->src_offset = 0;
		return;
	case DMAFD_OP_NOP:
		*op = (struct dmafd_op){ .flags = op->flags };
		return;
	default:
		op->args = 0;
		op->value = 0;
	}
	if (op->opcode == DMAFD_OP_TO_DEVICE || (op->opcode == DMAFD_OP_CYCLIC && !rx)) {
		op->dst_buf = 0;
		op->dst_offset = 0;
	}
	if (op->opcode == DMAFD_OP_FROM_DEVICE || (op->opcode == DMAFD_OP_CYCLIC && rx)) {
		op->src_buf = 0;
		op->src_offset = 0;
	}
}

static void get_op(struct bytes *bytes, struct dmafd_op *op, struct arguments *args)
{
	*op = (struct dmafd_op){
		.opcode = get(bytes) % 9, .flags = get(bytes) % 32 < 8 ? get(bytes) & 7 : 0,
		.src_buf = 1 + (get(bytes) & 3), .dst_buf = 1 + (get(bytes) & 3),
		.src_offset = get_size(bytes), .dst_offset = get_size(bytes),
		.length = get_size(bytes), .timeout_ms = 1 + get(bytes) % 30, .value = get(bytes),
	};
	get_args(bytes, op, args);
	spoil(bytes, op, sizeof(*op));
}

static void get_ops(struct bytes *bytes, struct call *call, bool simple)
{
	unsigned int i;

	call->value = 1 + get(bytes) % MAX_OPS;
	for (i = 0; i < call->value; i++)
		get_op(bytes, &call->ops[i], &call->args[i]);
	call->submit = (struct dmafd_submit){
		.size = sizeof(call->submit), .ops = (uintptr_t)call->ops, .nr_ops = call->value,
		.op_size = sizeof(*call->ops),
	};
	if (simple || !(get(bytes) & 1))
		return;
	call->submit.flags = DMAFD_SUBMIT_WAIT;
	call->submit.completions = (uintptr_t)out;
	call->submit.nr_completions = get(bytes) % 9;
}

/* ---- the rest ---- */

static void get_open(struct bytes *bytes, struct call *call, const struct bench *bench)
{
	static const char * const ports[] = { "loop:tx", "loop:rx", "source", "sink" };
	unsigned int name = get(bytes) % 10;

	call->open = (struct dmafd_chan_open){
		.size = sizeof(call->open), .flags = get(bytes) % 8 ? DMAFD_CHAN_NONBLOCK : 0,
		.depth = get(bytes) % 4 ? 0 : get(bytes), .timeout_ms = 1 + get(bytes) % 30,
	};
	if (name < 4)
		snprintf(call->open.name, sizeof(call->open.name), "%s", ports[name]);
	else if (name < 9)
		snprintf(call->open.name, sizeof(call->open.name), "%schan%u", bench->dma, name);
	spoil(bytes, &call->open, sizeof(call->open));
}

static void get_buffers(struct bytes *bytes, struct call *call, const struct world *world)
{
	switch (call->kind) {
	case REGISTER:
		call->reg = (struct dmafd_buf_register){
			.size = sizeof(call->reg), .flags = get(bytes) & 3 ?: 3,
			.addr = (uintptr_t)world->area + get_size(bytes) % AREA,
			.length = 4 * get_size(bytes),
		};
		spoil(bytes, &call->reg, sizeof(call->reg));
		break;
	case REMOVE:
		call->remove = (struct dmafd_buf_remove){
			.size = sizeof(call->remove), .buf = 1 + (get(bytes) & 3),
		};
		spoil(bytes, &call->remove, sizeof(call->remove));
		break;
	case ALLOC:
		call->alloc = (struct dmafd_buf_alloc){
			.size = sizeof(call->alloc), .flags = get(bytes) & 7 ?: 3,
			.length = 2 * get_size(bytes),
		};
		spoil(bytes, &call->alloc, sizeof(call->alloc));
		break;
	default:
		call->import = (struct dmafd_buf_import){
			.size = sizeof(call->import), .flags = get(bytes) & 3 ?: 3,
			.fd = world->fd[get(bytes) % 8 ? DMABUF : CHAN][call->other],
		};
		spoil(bytes, &call->import, sizeof(call->import));
	}
}

/* With nothing but a size, and all else 0 or spoiled. */
static void get_plain(struct bytes *bytes, struct call *call, size_t size)
{
	uint32_t first = size;

	memset(call->raw, 0, sizeof(call->raw));
	memcpy(call->raw, &first, sizeof(first));
	if (call->kind == PAUSE)
		call->pause.flags = get(bytes) & 1;
	if (call->kind == LIST) {
		call->list.entries = (uintptr_t)out;
		call->list.capacity = get(bytes) % 9;
		call->list.entry_size = sizeof(struct dmafd_chan_entry);
	}
	spoil(bytes, call->raw, size);
}

static void get_raw(struct bytes *bytes, struct call *call)
{
	uint32_t size = get(bytes) << 1;
	unsigned int i;

	memset(call->raw, 0, sizeof(call->raw));
	memcpy(call->raw, &size, sizeof(size));
	for (i = 4; i < size && bytes->at < bytes->end && i < 64; i++)
		call->raw[i] = get(bytes);
	call->value = get(bytes) % 8 ? get(bytes) & 0x7f : get32(bytes);
	call->other = get(bytes) % 3;
}

static void get_details(struct bytes *bytes, struct call *call, const struct world *world)
{
	switch (call->kind) {
	case REGISTER:
	case REMOVE:
	case ALLOC:
	case IMPORT:
		get_buffers(bytes, call, world);
		break;
	case OPEN:
		get_open(bytes, call, world->bench);
		break;
	case LIST:
		get_plain(bytes, call, sizeof(call->list));
		break;
	case INFO:
		get_plain(bytes, call, sizeof(call->info));
		break;
	case CHAN_INFO:
		get_plain(bytes, call, sizeof(call->chan_info));
		break;
	case CANCEL:
		get_plain(bytes, call, sizeof(call->cancel));
		break;
	case STATUS:
		get_plain(bytes, call, sizeof(call->status));
		break;
	case PAUSE:
		get_plain(bytes, call, sizeof(call->pause));
		break;
	case SUBMIT:
	case SUBMIT_MORE:
		get_ops(bytes, call, false);
		spoil(bytes, &call->submit, sizeof(call->submit));
		break;
	case RING:
		get_ops(bytes, call, true);
		call->at = get(bytes);
		break;
	case RAW:
		get_raw(bytes, call);
		break;
	default:
		call->at = get_size(bytes) % AREA & ~(PAGE - 1ULL);
		call->len = (1 + get(bytes) % 8) * PAGE;
		call->value = get(bytes);
	}
}

static void get_call(struct bytes *bytes, struct call *call, const struct world *world)
{
	call->kind = get(bytes) % KINDS;
	call->slot = get(bytes) % NR_SLOTS;
	/* Mostly the first one. */
	if (get(bytes) % 4)
		call->slot = 0;
	call->other = get(bytes) % NR_SLOTS;
	get_details(bytes, call, world);
}

/* ---- doing them ---- */

static void keep(struct world *world, int type, int slot, int fd)
{
	int *place = &world->fd[type][slot];

	if (fd < 0)
		return;
	if (*place >= 0)
		close(*place);
	*place = fd;
}

static void do_make(struct world *world, struct call *call)
{
	int ctx = world->fd[CTX][call->slot];

	if (call->kind == OPEN_CTX)
		keep(world, CTX, call->slot, ctx_open());
	else if (call->kind == REGISTER)
		ioctl(ctx, DMAFD_BUF_REGISTER, &call->reg);
	else if (call->kind == REMOVE)
		ioctl(ctx, DMAFD_BUF_REMOVE, &call->remove);
	else if (call->kind == IMPORT)
		ioctl(ctx, DMAFD_BUF_IMPORT, &call->import);
	else if (call->kind == ALLOC && !ioctl(ctx, DMAFD_BUF_ALLOC, &call->alloc))
		keep(world, DMABUF, call->other, call->alloc.out_fd);
	else if (call->kind == OPEN && !ioctl(ctx, DMAFD_CHAN_OPEN, &call->open))
		keep(world, CHAN, call->other, call->open.out_fd);
}

static void do_chan(struct world *world, struct call *call)
{
	int chan = world->fd[CHAN][call->slot];
	struct pollfd fd = { .fd = chan, .events = POLLIN | POLLOUT };

	switch (call->kind) {
	case SUBMIT:
	case SUBMIT_MORE:
		ioctl(chan, DMAFD_SUBMIT, &call->submit);
		break;
	case CHAN_INFO:
		ioctl(chan, DMAFD_CHAN_INFO, &call->chan_info);
		break;
	case CANCEL:
		ioctl(chan, DMAFD_CANCEL, &call->cancel);
		break;
	case STATUS:
		ioctl(chan, DMAFD_STATUS, &call->status);
		break;
	case PAUSE:
		ioctl(chan, DMAFD_PAUSE, &call->pause);
		break;
	case READ:
		if (read(chan, out, call->value) < 0 && call->value & 1)
			poll(&fd, 1, 1);
		break;
	default:
		poll(&fd, 1, call->value % 4);
	}
}

static void do_fd(struct world *world, struct call *call)
{
	int type = call->value % 3, *fd = &world->fd[type][call->slot];

	if (call->kind == DUP) {
		keep(world, type, call->other, dup(*fd));
	} else if (*fd >= 0) {
		close(*fd);
		*fd = -1;
	}
}

/* Only within the area, that nothing else of this program goes. */
static void do_memory(struct world *world, struct call *call)
{
	unsigned char *ptr = world->area + call->at;
	int prot = call->value & 4 ? PROT_READ : PROT_READ | PROT_WRITE;

	if (call->at + call->len > AREA)
		return;
	if (call->kind == UNMAP)
		munmap(ptr, call->len);
	else if (call->kind == MAP)
		mmap(ptr, call->len, prot, MAP_FIXED | MAP_ANONYMOUS |
		     (call->value & 1 ? MAP_SHARED : MAP_PRIVATE), -1, 0);
	else if (call->kind == DMABUF_MAP)
		mmap(ptr, call->len, prot, MAP_FIXED | MAP_SHARED,
		     world->fd[DMABUF][call->slot], call->value & 8 ? PAGE : 0);
	else
		madvise(ptr, call->len, call->value & 1 ? MADV_DONTNEED : MADV_DONTFORK);
}

static void do_sync(struct world *world, struct call *call)
{
	struct dma_buf_sync arg = { .flags = call->value & 7 };

	ioctl(world->fd[DMABUF][call->slot], DMA_BUF_IOCTL_SYNC, &arg);
}

static void do_ring(struct world *world, struct call *call)
{
	struct ring *ring = &world->ring;
	struct io_uring_sqe *sqe;
	struct reaped reaped;
	unsigned int tail;
	unsigned int i;

	if (!world->has_ring)
		ring_up(ring, 16, IORING_SETUP_SQE128 | IORING_SETUP_CQE32 |
			(call->at & 64 ? IORING_SETUP_IOPOLL : 0));
	world->has_ring = true;
	while (ring_ready(ring))
		ring_reap(ring, &reaped);
	for (i = 0; i < call->value; i++) {
		sqe = (call->at & 1 ? ring_op_at : ring_op)(ring, world->fd[CHAN][call->slot],
							    &call->ops[i], i);
		if (call->at & 2)
			sqe->flags |= IOSQE_ASYNC;
		if (call->at & 4)
			sqe->flags |= IOSQE_IO_LINK;
		if (call->at & 8)
			sqe->cmd_op ^= call->at >> 4;
	}
	/* The kernel stops at a bad one, and the rest stays. */
	tail = *ring->sq_tail + ring->queued;
	ring->queued = 0;
	__atomic_store_n(ring->sq_tail, tail, __ATOMIC_RELEASE);
	syscall(__NR_io_uring_enter, ring->fd, tail - *ring->sq_head, 0, IORING_ENTER_GETEVENTS,
		NULL, 0);
}

static void do_inject(struct call *call)
{
	static const char * const rules[] = {
		"off", "fail", "abort", "short", "hang", "late arg=2000", "spurious", "iommu",
		"refuse", "map", "fail nth=3 count=2", "map nth=2", "short arg=5", "refuse nth=2",
	};
	const char *rule = rules[call->value % (sizeof(rules) / sizeof(rules[0]))];
	int fd = open(BENCH "/inject", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, rule, strlen(rule)) < 0)
		perror(rule);
	close(fd);
}

static void do_look(struct world *world, struct call *call)
{
	char path[64] = "/sys/kernel/debug/dmafd/channels", text[2048];
	int fd;

	if (call->value & 1)
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d",
			 world->fd[call->value % 3][call->slot]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && read(fd, text, sizeof(text)) > 0)
		;
	if (fd >= 0)
		close(fd);
}

static void do_raw(struct world *world, struct call *call)
{
	unsigned int nr = call->value > 0x7f ? call->value : _IO(DMAFD_TYPE, call->value);

	/* Those of dma-bufs are others'. */
	ioctl(world->fd[call->other == DMABUF ? CTX : call->other][call->slot], nr, call->raw);
}

static void do_port(struct call *call)
{
	static const char * const names[] = { "loop:tx", "loop:rx", "source", "sink" };

	port_set(names[call->value % 4], "live", call->value & 4 ? "0" : "1");
}

static void do_call(struct world *world, struct call *call)
{
	switch (call->kind) {
	case OPEN_CTX:
	case REGISTER ... OPEN:
		do_make(world, call);
		break;
	case LIST:
		ioctl(world->fd[CTX][call->slot], DMAFD_CHAN_LIST, &call->list);
		break;
	case INFO:
		ioctl(world->fd[CTX][call->slot], DMAFD_INFO, &call->info);
		break;
	case CLOSE:
	case DUP:
		do_fd(world, call);
		break;
	case UNMAP ... DMABUF_MAP:
		do_memory(world, call);
		break;
	case DMABUF_SYNC:
		do_sync(world, call);
		break;
	case RING:
		do_ring(world, call);
		break;
	case RING_CLOSE:
		if (world->has_ring)
			ring_down(&world->ring);
		world->has_ring = false;
		break;
	case RAW:
		do_raw(world, call);
		break;
	case INJECT:
		do_inject(call);
		break;
	case LOOK:
		do_look(world, call);
		break;
	case PORT:
		do_port(call);
		break;
	case SLEEP:
		usleep(call->value * 10);
		break;
	default:
		do_chan(world, call);
	}
}

/* ---- many at once ---- */

struct racer {
	struct world *world;
	struct call *call;
};

static void *race(void *data)
{
	struct racer *racer = data;

	do_call(racer->world, racer->call);
	return NULL;
}

/* Ring and descriptors are the threads' own business: one of each is enough. */
static bool may_race(const struct call *call)
{
	return call->kind != RING && call->kind != RING_CLOSE && call->kind != RACE &&
	       call->kind != FORK;
}

static void join(pthread_t thread)
{
	struct timespec time;

	for (;;) {
		clock_gettime(CLOCK_REALTIME, &time);
		time.tv_nsec += PATIENCE_MS * 1000000;
		if (time.tv_nsec >= 1000000000) {
			time.tv_nsec -= 1000000000;
			time.tv_sec++;
		}
		if (!pthread_timedjoin_np(thread, NULL, &time))
			return;
		pthread_kill(thread, SIGALRM);
	}
}

static void do_race(struct world *world, struct bytes *bytes)
{
	static struct call calls[2];
	struct racer racer = { .world = world, .call = &calls[1] };
	pthread_t thread;

	get_call(bytes, &calls[0], world);
	get_call(bytes, &calls[1], world);
	if (!may_race(&calls[0]) || !may_race(&calls[1]))
		return;
	if (pthread_create(&thread, NULL, race, &racer))
		return;
	do_call(world, &calls[0]);
	join(thread);
}

/* The child does the next call, and dies; all that it shares goes on. */
static void do_fork(struct world *world, struct bytes *bytes)
{
	static struct call call;
	pid_t pid;

	get_call(bytes, &call, world);
	if (!may_race(&call) || world->child > 0)
		return;
	pid = fork();
	if (!pid) {
		do_call(world, &call);
		usleep(1000 * (call.value % 4));
		_exit(0);
	}
	world->child = pid;
}

/* ---- programs ---- */

static void world_make(struct world *world, const struct bench *bench)
{
	unsigned int i;

	*world = (struct world){ .bench = bench };
	for (i = 0; i < NR_SLOTS; i++) {
		world->fd[CTX][i] = -1;
		world->fd[CHAN][i] = -1;
		world->fd[DMABUF][i] = -1;
	}
	/* Nothing that begins there ends elsewhere. */
	ASSERT_OK(world->area = mmap(NULL, AREA + PAGE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	ASSERT_OK(mprotect(world->area + AREA, PAGE, PROT_NONE));
	ASSERT_OK(world->fd[CTX][0] = ctx_open());
	/* All have something to begin with. */
	reg(world->fd[CTX][0], world->area, 64 * 1024, DMAFD_BUF_READ);
	reg(world->fd[CTX][0], world->area + 64 * 1024 + 20, 64 * 1024, DMAFD_BUF_WRITE);
	reg(world->fd[CTX][0], world->area + 128 * 1024, 64 * 1024,
	    DMAFD_BUF_READ | DMAFD_BUF_WRITE);
}

static void world_end(struct world *world)
{
	struct call off = { .kind = INJECT };
	unsigned int i, type;

	do_inject(&off);
	if (world->child > 0) {
		kill(world->child, SIGKILL);
		while (waitpid(world->child, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (world->has_ring)
		ring_down(&world->ring);
	for (type = 0; type < 3; type++)
		for (i = 0; i < NR_SLOTS; i++)
			if (world->fd[type][i] >= 0)
				close(world->fd[type][i]);
	munmap(world->area, AREA + PAGE);
}

void program_run(const struct program *program, const struct bench *bench)
{
	struct bytes bytes = { program->byte, program->byte + program->len };
	static struct world world;
	static struct call call;

	world_make(&world, bench);
	while (bytes.at < bytes.end) {
		get_call(&bytes, &call, &world);
		if (call.kind == RACE)
			do_race(&world, &bytes);
		else if (call.kind == FORK)
			do_fork(&world, &bytes);
		else
			do_call(&world, &call);
	}
	world_end(&world);
}
