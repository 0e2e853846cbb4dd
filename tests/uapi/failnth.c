// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whatever is asked for, from open() to close(), with each allocation on the way
 * failing in turn, and each copy from and to the program's memory. Whatever fails
 * tells why, leaves nothing, and works when it is tried again. On kernels that can't
 * inject failures, it only has to work.
 */
#include "common/bench.h"
#include "common/ring.h"

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIZE	(16 * 1024)
#define PAGE	4096

#define BENCH_OF(fixture, _view)							\
	static const struct bench_plan fixture##_plan = {				\
		.view = _view, .options = "", .loop = "", .source = "kind=source",	\
		.sink = "kind=sink", .width = 4, .burst = 4,				\
	};										\
	FIXTURE(fixture) { struct bench bench; };					\
	FIXTURE_SETUP(fixture) { bench_up(&self->bench, &fixture##_plan); }		\
	FIXTURE_TEARDOWN(fixture) { bench_down(&self->bench); }

BENCH_OF(iommu, "iommu")
BENCH_OF(noncoherent, "noncoherent")

/* What a sequence of calls has, and what went wrong. */
struct attempt {
	const struct bench *bench;
	unsigned char *src_memory, *dst_memory;
	int ctx, chan, dmabuf, src, dst;
	struct ring ring;
	bool failed;
};

/* ---- failures ---- */

static int fail_fd;

static bool can_fail(void)
{
	static const char * const files[] = {
		"failslab/ignore-gfp-wait", "fail_page_alloc/ignore-gfp-wait",
		"fail_page_alloc/ignore-gfp-highmem",
	};
	char path[128];
	unsigned int i;

	if (access("/sys/kernel/debug/failslab/verbose", F_OK))
		return false;
	put_text("/sys/kernel/debug/failslab/verbose", "0");
	put_text("/sys/kernel/debug/fail_page_alloc/verbose", "0");
	put_text("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	put_text("/sys/kernel/debug/fail_usercopy/verbose", "0");
	put_text("/sys/kernel/debug/dmasim/fail_map/verbose", "0");
	put_text("/sys/kernel/debug/dmasim/fail_prep/verbose", "0");
	put_text("/sys/kernel/debug/dmasim/fail_transfer/verbose", "0");
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s", files[i]);
		put_text(path, "N");
	}
	ASSERT_OK(fail_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC));
	return true;
}

static void fail_at(unsigned int nth)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", nth);
	ASSERT_OK(pwrite(fail_fd, text, strlen(text), 0));
}

/* Whether it has failed. To ask is a copy to the program, which may fail itself. */
static bool has_failed(void)
{
	char text[16] = "1";
	bool none;

	none = pread(fail_fd, text, sizeof(text) - 1, 0) < 0;
	while (pwrite(fail_fd, "0", 1, 0) < 0)
		;
	return !none && *text == '0';
}

/* ---- steps ---- */

/* Whether the call went well; nothing goes on after one that did not. */
static bool is_well(struct attempt *attempt, const char *call, int result)
{
	int error = errno;

	if (result >= 0)
		return true;
	if (error != ENOMEM && error != EFAULT) {
		printf("%s: %s\n", call, strerror(error));
		EXPECT_FALSE("that has nothing to do with memory");
	}
	attempt->failed = true;
	return false;
}

#define well(attempt, call) is_well(attempt, #call, call)

static bool go(struct attempt *attempt, const char *name)
{
	return well(attempt, attempt->ctx = ctx_open()) &&
	       well(attempt, attempt->chan = chan_open(attempt->ctx, name, 0, 0));
}

static bool go_with_buffers(struct attempt *attempt)
{
	char name[64];

	snprintf(name, sizeof(name), "%schan5", attempt->bench->dma);
	return go(attempt, name) &&
	       well(attempt, attempt->src = reg(attempt->ctx, attempt->src_memory, SIZE,
						DMAFD_BUF_READ)) &&
	       well(attempt, attempt->dst = reg(attempt->ctx, attempt->dst_memory, SIZE,
						DMAFD_BUF_WRITE));
}

/* The controller's driver has no memory, or the job is done. */
static bool ended_well(struct attempt *attempt, const struct dmafd_completion *completion)
{
	if (!completion->status)
		return true;
	EXPECT_EQ(-EREMOTEIO, completion->status);
	attempt->failed = true;
	return false;
}

static bool do_op(struct attempt *attempt, const struct dmafd_op *op)
{
	struct dmafd_completion completion = {};
	struct dmafd_submit arg = {
		.size = sizeof(arg), .flags = DMAFD_SUBMIT_WAIT, .ops = (uintptr_t)op,
		.nr_ops = 1, .op_size = sizeof(*op), .completions = (uintptr_t)&completion,
		.nr_completions = 1,
	};

	if (!well(attempt, ioctl(attempt->chan, DMAFD_SUBMIT, &arg)))
		return false;
	EXPECT_EQ(1, arg.out_submitted);
	EXPECT_EQ(1, arg.out_completions);
	return ended_well(attempt, &completion);
}

static void finish(struct attempt *attempt)
{
	if (attempt->dmabuf >= 0)
		close(attempt->dmabuf);
	if (attempt->chan >= 0)
		close(attempt->chan);
	if (attempt->ctx >= 0)
		close(attempt->ctx);
}

/* ---- sequences ---- */

static void copy(struct attempt *attempt)
{
	struct dmafd_completion completion;
	struct dmafd_op op;

	if (!go_with_buffers(attempt))
		return;
	op = copy_op(attempt->dst, 70, attempt->src, 0, SIZE - 100);
	if (!well(attempt, submit(attempt->chan, &op, 1)))
		return;
	/* If it can't be read now, it can be later. */
	while (read(attempt->chan, &completion, sizeof(completion)) < 0) {
		if (errno != EFAULT)
			ASSERT_EQ(ENOMEM, errno);
		attempt->failed = true;
	}
	if (!ended_well(attempt, &completion))
		return;
	EXPECT_MEMEQ(attempt->src_memory, attempt->dst_memory + 70, SIZE - 100);
	well(attempt, unreg(attempt->ctx, attempt->src));
}

static void fill(struct attempt *attempt)
{
	struct dmafd_op op;

	if (!go_with_buffers(attempt))
		return;
	op = fill_op(attempt->dst, 3, 9000, 7);
	do_op(attempt, &op);
}

static void get_segments(struct dmafd_segment *segment, int buf, unsigned int count,
			 unsigned int stride)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		segment[i] = (struct dmafd_segment){ .buf = buf, .offset = i * stride,
						     .length = 1024 };
}

static void list(struct attempt *attempt)
{
	struct dmafd_segment src[8], dst[8];
	struct dmafd_sg_args args = {
		.size = sizeof(args), .src = (uintptr_t)src, .dst = (uintptr_t)dst,
		.nr_src = 8, .nr_dst = 8,
	};
	struct dmafd_op op = { .opcode = DMAFD_OP_COPY_SG, .length = 8 * 1024,
			       .args = (uintptr_t)&args };

	if (!go_with_buffers(attempt))
		return;
	get_segments(src, attempt->src, 8, 2000);
	get_segments(dst, attempt->dst, 8, 1500);
	do_op(attempt, &op);
}

static void rows(struct attempt *attempt)
{
	struct dmafd_2d_args args = { .size = sizeof(args), .rows = 6, .src_stride = 1024,
				      .dst_stride = 2048 };
	struct dmafd_op op;

	if (!go_with_buffers(attempt))
		return;
	op = copy_op(attempt->dst, 0, attempt->src, 0, 6 * 512);
	op.opcode = DMAFD_OP_COPY_2D;
	op.args = (uintptr_t)&args;
	do_op(attempt, &op);
}

static void sources(struct attempt *attempt)
{
	struct dmafd_segment src[4];
	struct dmafd_sg_args args = { .size = sizeof(args), .src = (uintptr_t)src, .nr_src = 4 };
	struct dmafd_op op = { .opcode = DMAFD_OP_XOR, .length = 1024,
			       .args = (uintptr_t)&args };

	if (!go_with_buffers(attempt))
		return;
	get_segments(src, attempt->src, 4, 2000);
	op.dst_buf = attempt->dst;
	do_op(attempt, &op);
}

static void allocated(struct attempt *attempt)
{
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW };
	struct dmafd_op op;
	void *ptr;
	int other;

	if (!go_with_buffers(attempt))
		return;
	other = alloc(attempt->ctx, SIZE, DMAFD_BUF_READ | DMAFD_BUF_WRITE, &attempt->dmabuf);
	if (!well(attempt, other))
		return;
	ptr = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, attempt->dmabuf, 0);
	if (!well(attempt, ptr == MAP_FAILED ? -1 : 0))
		return;
	op = copy_op(other, 0, attempt->src, 0, SIZE);
	if (do_op(attempt, &op))
		well(attempt, ioctl(attempt->dmabuf, DMA_BUF_IOCTL_SYNC, &sync));
	munmap(ptr, SIZE);
}

static void imported(struct attempt *attempt)
{
	struct dmafd_op op;
	int other, same;

	if (!go_with_buffers(attempt))
		return;
	other = alloc(attempt->ctx, SIZE, DMAFD_BUF_READ | DMAFD_BUF_CONTIGUOUS, &attempt->dmabuf);
	if (!well(attempt, other))
		return;
	same = import(attempt->ctx, attempt->dmabuf, DMAFD_BUF_READ);
	if (!well(attempt, same))
		return;
	op = copy_op(attempt->dst, 0, same, 0, SIZE);
	if (do_op(attempt, &op))
		well(attempt, unreg(attempt->ctx, other));
}

static void questions(struct attempt *attempt)
{
	static struct dmafd_chan_entry entries[64];
	struct dmafd_chan_list list = { .size = sizeof(list), .entries = (uintptr_t)entries,
					.capacity = 64, .entry_size = sizeof(*entries) };
	struct dmafd_info info = { .size = sizeof(info) };
	struct dmafd_chan_info chan = { .size = sizeof(chan) };
	struct dmafd_status status = { .size = sizeof(status) };
	struct dmafd_pause pause = { .size = sizeof(pause) };
	struct dmafd_cancel cancel = { .size = sizeof(cancel) };
	struct dmafd_op op = nop_op(0);

	if (!go_with_buffers(attempt) ||
	    !well(attempt, ioctl(attempt->ctx, DMAFD_INFO, &info)) ||
	    !well(attempt, ioctl(attempt->ctx, DMAFD_CHAN_LIST, &list)) ||
	    !well(attempt, ioctl(attempt->chan, DMAFD_CHAN_INFO, &chan)) ||
	    !well(attempt, ioctl(attempt->chan, DMAFD_PAUSE, &pause)) ||
	    !well(attempt, submit(attempt->chan, &op, 1)) ||
	    !well(attempt, ioctl(attempt->chan, DMAFD_STATUS, &status)) ||
	    !well(attempt, ioctl(attempt->chan, DMAFD_CANCEL, &cancel)))
		return;
	EXPECT_LT(0, list.out_count);
}

static void to_device(struct attempt *attempt)
{
	struct dmafd_op op = { .opcode = DMAFD_OP_TO_DEVICE, .length = PAGE };

	if (!go(attempt, "sink"))
		return;
	attempt->src = reg(attempt->ctx, attempt->src_memory, SIZE, DMAFD_BUF_READ);
	if (!well(attempt, attempt->src))
		return;
	op.src_buf = attempt->src;
	do_op(attempt, &op);
}

static void from_device(struct attempt *attempt)
{
	struct dmafd_op op = { .opcode = DMAFD_OP_FROM_DEVICE, .length = PAGE };

	if (!go(attempt, "source"))
		return;
	attempt->dst = reg(attempt->ctx, attempt->dst_memory, SIZE, DMAFD_BUF_WRITE);
	if (!well(attempt, attempt->dst))
		return;
	op.dst_buf = attempt->dst;
	do_op(attempt, &op);
}

static void cyclic(struct attempt *attempt)
{
	struct dmafd_cyclic_args args = { .size = sizeof(args), .period = 1024 };
	struct dmafd_op op = { .opcode = DMAFD_OP_CYCLIC, .length = PAGE,
			       .args = (uintptr_t)&args };
	struct dmafd_cancel cancel = { .size = sizeof(cancel) };
	struct dmafd_completion completion;

	if (!go(attempt, "source"))
		return;
	attempt->dst = reg(attempt->ctx, attempt->dst_memory, SIZE, DMAFD_BUF_WRITE);
	if (!well(attempt, attempt->dst))
		return;
	op.dst_buf = attempt->dst;
	if (well(attempt, submit(attempt->chan, &op, 1)) &&
	    well(attempt, read(attempt->chan, &completion, sizeof(completion))) &&
	    ended_well(attempt, &completion))
		well(attempt, ioctl(attempt->chan, DMAFD_CANCEL, &cancel));
}

/* An entry that has no memory has a completion that says so, or is not taken at all. */
static void by_ring(struct attempt *attempt, struct io_uring_sqe *(*entry)
		    (struct ring *, int, const struct dmafd_op *, uint64_t))
{
	struct ring *ring = &attempt->ring;
	struct reaped reaped;
	struct dmafd_op op;
	int n;

	if (!go_with_buffers(attempt))
		return;
	op = copy_op(attempt->dst, 0, attempt->src, 0, SIZE);
	entry(ring, attempt->chan, &op, 0);
	__atomic_store_n(ring->sq_tail, *ring->sq_tail + 1, __ATOMIC_RELEASE);
	ring->queued = 0;
	n = syscall(__NR_io_uring_enter, ring->fd, 1, 0, 0, NULL, 0);
	if (n < 1) {
		/* That is io_uring's own word for it. */
		EXPECT_TRUE(errno == ENOMEM || errno == EAGAIN || errno == EFAULT);
		attempt->failed = true;
		return;
	}
	ring_reap(ring, &reaped);
	if (!reaped.res)
		return;
	EXPECT_TRUE(reaped.res == -ENOMEM || reaped.res == -EFAULT || reaped.res == -EREMOTEIO);
	attempt->failed = true;
}

static void in_entry(struct attempt *attempt)
{
	by_ring(attempt, ring_op);
}

static void at_pointer(struct attempt *attempt)
{
	by_ring(attempt, ring_op_at);
}

/* ---- all of it ---- */

static void attempt_make(struct attempt *attempt, const struct bench *bench)
{
	*attempt = (struct attempt){ .bench = bench, .ctx = -1, .chan = -1, .dmabuf = -1 };
	attempt->src_memory = memory(SIZE, 1);
	attempt->dst_memory = memory(SIZE, 2);
	ring_up(&attempt->ring, 4, IORING_SETUP_SQE128 | IORING_SETUP_CQE32);
}

static void attempt_end(struct attempt *attempt)
{
	finish(attempt);
	ring_down(&attempt->ring);
	munmap(attempt->src_memory, SIZE);
	munmap(attempt->dst_memory, SIZE);
}

/* Once, with that failure, or with none; true if there was one. */
static bool once(struct bench *bench, void (*sequence)(struct attempt *), unsigned int nth)
{
	struct attempt attempt;
	bool failed = false;
	unsigned int waited;
	long before = pins();

	attempt_make(&attempt, bench);
	if (nth)
		fail_at(nth);
	sequence(&attempt);
	if (nth)
		failed = has_failed();
	attempt_end(&attempt);
	if (!failed)
		EXPECT_FALSE(attempt.failed);
	for (waited = 0; waited < slow_ms(2000) && pins() != before; waited += 10)
		sleep_ms(10);
	ASSERT_EQ(before, pins());
	return failed;
}

static void sweep(struct bench *bench, void (*sequence)(struct attempt *))
{
	unsigned int nth = 1;
	char name[64];

	once(bench, sequence, 0);
	if (!can_fail())
		return;
	/* Only one of them makes what a controller's first channel needs. */
	snprintf(name, sizeof(name), "%schan6", bench->dma);
	if (sequence != copy)
		bench_open(bench, name);
	for (; once(bench, sequence, nth); nth++) {
		ASSERT_LT(nth, 1000);
		once(bench, sequence, 0);
	}
	EXPECT_LE(20, nth);
	printf("%u failures\n", nth - 1);
}

TEST_F(iommu, copy, .timeout = 60) { sweep(&self->bench, copy); }
TEST_F(noncoherent, copy, .timeout = 60) { sweep(&self->bench, copy); }
TEST_F(iommu, fill, .timeout = 60) { sweep(&self->bench, fill); }
TEST_F(iommu, list, .timeout = 60) { sweep(&self->bench, list); }
TEST_F(noncoherent, list, .timeout = 60) { sweep(&self->bench, list); }
TEST_F(iommu, rows, .timeout = 60) { sweep(&self->bench, rows); }
TEST_F(iommu, sources, .timeout = 60) { sweep(&self->bench, sources); }
TEST_F(iommu, allocated, .timeout = 60) { sweep(&self->bench, allocated); }
TEST_F(iommu, imported, .timeout = 60) { sweep(&self->bench, imported); }
TEST_F(iommu, questions, .timeout = 60) { sweep(&self->bench, questions); }
TEST_F(iommu, to_device, .timeout = 60) { sweep(&self->bench, to_device); }
TEST_F(iommu, from_device, .timeout = 60) { sweep(&self->bench, from_device); }
TEST_F(noncoherent, from_device, .timeout = 60) { sweep(&self->bench, from_device); }
TEST_F(iommu, cyclic, .timeout = 60) { sweep(&self->bench, cyclic); }
TEST_F(iommu, in_entry, .timeout = 60) { sweep(&self->bench, in_entry); }
TEST_F(iommu, at_pointer, .timeout = 60) { sweep(&self->bench, at_pointer); }
