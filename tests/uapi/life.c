// SPDX-License-Identifier: GPL-2.0-only
/*
 * What goes wrong, and what ends early.
 */
#include "common/uapi.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

VIEWS("")

/* So slow that there is time to do something meanwhile. */
FIXTURE_OF(slow, "noncoherent", "bandwidth=1000000")

#define SIZE	(64 * 1024)
#define NOBODY	65534

static struct dmafd_op whole(struct rig *rig)
{
	int src, dst;

	ASSERT_OK(src = reg(rig->ctx, memory(SIZE, 1), SIZE, DMAFD_BUF_READ));
	ASSERT_OK(dst = reg(rig->ctx, memory(SIZE, 2), SIZE, DMAFD_BUF_WRITE));
	return copy_op(dst, 0, src, 0, SIZE);
}

/* ---- faults ---- */

static void with_fault(struct rig *rig, const char *rule, int status)
{
	struct dmafd_completion completion;
	struct dmafd_op op;

	need_sim(rig);
	op = whole(rig);
	sim_set("inject", rule);
	run(rig->chan, &op, &completion);
	EXPECT_EQ(status, completion.status);
	EXPECT_LE(completion.bytes, SIZE - 1);
	sim_set("inject", "off");
	/* The next one is as if nothing had been. */
	run_well(rig->chan, &op);
}

TEST_VIEWS(fail) { with_fault(rig, "fail", -EIO); }
TEST_VIEWS(abort) { with_fault(rig, "abort", -EIO); }
TEST_VIEWS(short_transfer) { with_fault(rig, "short", -EIO); }
TEST_VIEWS(refuse) { with_fault(rig, "refuse count=0", -EREMOTEIO); }

static void harmless_fault(struct rig *rig, const char *rule)
{
	struct dmafd_op op;
	unsigned int i;

	need_sim(rig);
	op = whole(rig);
	sim_set("inject", rule);
	for (i = 0; i < 20; i++)
		run_well(rig->chan, &op);
	sim_set("inject", "off");
}

TEST_VIEWS(spurious) { harmless_fault(rig, "spurious count=0"); }
TEST_VIEWS(late) { harmless_fault(rig, "late count=0"); }

TEST_F(iommu, mapping_fails)
{
	struct dmafd_op op;

	need_sim(&self->rig);
	op = whole(&self->rig);
	sim_set("inject", "map");
	EXPECT_ERRNO(ENOMEM, submit_error(self->rig.chan, &op));
	sim_set("inject", "off");
	run_well(self->rig.chan, &op);
}

/* ---- time ---- */

TEST_VIEWS(hang)
{
	struct dmafd_completion completions[3];
	struct dmafd_op ops[3];
	unsigned int i;

	need_sim(rig);
	for (i = 0; i < 3; i++) {
		ops[i] = whole(rig);
		ops[i].timeout_ms = 200;
	}
	sim_set("inject", "hang");
	ASSERT_EQ(3, submit(rig->chan, ops, 3));
	take(rig->chan, completions, 3);
	EXPECT_EQ(-ETIMEDOUT, completions[0].status);
	EXPECT_EQ(-ECANCELED, completions[1].status);
	EXPECT_EQ(-ECANCELED, completions[2].status);
	EXPECT_EQ(0, completions[2].bytes);
	/* The kernel's clock of ticks may have been behind when it began. */
	EXPECT_LE(100000000, completions[0].complete_ns - completions[0].submit_ns);
	run_well(rig->chan, &ops[0]);
}

/* A hang is noticed whatever is asked for, even if nobody waits. */
TEST_F(flat, cancel_hang)
{
	struct dmafd_completion completions[2];
	struct rig *rig = &self->rig;
	struct dmafd_op ops[2];
	unsigned int canceled;

	need_sim(rig);
	ops[0] = whole(rig);
	ops[1] = ops[0];
	sim_set("inject", "hang");
	ASSERT_EQ(2, submit(rig->chan, ops, 2));
	EXPECT_ERRNO(EBUSY, unreg(rig->ctx, ops[0].src_buf));
	EXPECT_ERRNO(EBUSY, unreg(rig->ctx, ops[0].dst_buf));
	ASSERT_OK(cancel(rig->chan, &canceled));
	EXPECT_EQ(2, canceled);
	/* If it was too early for the fault. */
	sim_set("inject", "off");
	EXPECT_OK(unreg(rig->ctx, ops[0].src_buf));
	take(rig->chan, completions, 2);
	EXPECT_EQ(-ECANCELED, completions[0].status);
	EXPECT_EQ(-ECANCELED, completions[1].status);
	ops[0] = whole(rig);
	run_well(rig->chan, &ops[0]);
}

TEST_F(slow, cancel, .timeout = 60)
{
	struct dmafd_completion completions[8];
	unsigned int i, round, canceled, ended;
	struct rig *rig = &self->rig;
	struct dmafd_op ops[8];

	need_sim(rig);
	for (i = 0; i < 8; i++)
		ops[i] = whole(rig);
	for (round = 0; round < 20; round++) {
		ASSERT_EQ(8, submit(rig->chan, ops, 8));
		sleep_ms(round * 7);
		ASSERT_OK(cancel(rig->chan, &canceled));
		take(rig->chan, completions, 8);
		for (i = 0, ended = 0; i < 8; i++) {
			ended += completions[i].status == -ECANCELED;
			if (!completions[i].status)
				EXPECT_EQ(SIZE, completions[i].bytes);
		}
		EXPECT_EQ(canceled, ended);
	}
}

static void do_nothing(int signal)
{
	(void)signal;
}

TEST_F(slow, interrupted_wait)
{
	struct rig *rig = &self->rig;
	struct dmafd_op op;
	struct dmafd_submit arg = {
		.size = sizeof(arg), .flags = DMAFD_SUBMIT_WAIT, .ops = (uintptr_t)&op,
		.nr_ops = 1, .op_size = sizeof(op),
	};
	struct dmafd_completion completion;

	need_sim(rig);
	op = whole(rig);
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = do_nothing }, NULL);
	sim_set("inject", "hang");
	ualarm(50000, 0);
	EXPECT_ERRNO(EINTR, ioctl(rig->chan, DMAFD_SUBMIT, &arg));
	EXPECT_EQ(1, arg.out_submitted);
	ASSERT_OK(cancel(rig->chan, &(unsigned int){0}));
	take(rig->chan, &completion, 1);
	EXPECT_EQ(-ECANCELED, completion.status);
}

/* ---- ends of all kinds ---- */

TEST_F(slow, close_during_work, .timeout = 60)
{
	struct rig *rig = &self->rig;
	struct dmafd_op ops[4];
	unsigned int i;

	need_sim(rig);
	for (i = 0; i < 4; i++)
		ops[i] = whole(rig);
	for (i = 0; i < 30; i++) {
		ASSERT_EQ(4, submit(rig->chan, ops, 4));
		sleep_ms(i);
		close(rig->chan);
		/* Nothing keeps the memory any more. */
		if (i == 29)
			EXPECT_OK(unreg(rig->ctx, ops[0].src_buf));
		ASSERT_OK(rig->chan = chan_open(rig->ctx, rig->name, 0, 0));
	}
	/* The context first. */
	ASSERT_EQ(1, submit(rig->chan, &ops[1], 1));
	close(rig->ctx);
	rig->ctx = -1;
	sleep_ms(5);
}

static void work_for_ever(struct rig *rig, const struct dmafd_op *op)
{
	struct dmafd_completion completions[64];
	struct dmafd_op ops[16];
	unsigned int i;

	for (i = 0; i < 16; i++)
		ops[i] = *op;
	for (;;) {
		submit(rig->chan, ops, 16);
		if (read(rig->chan, completions, sizeof(completions)) < 0)
			_exit(1);
	}
}

static void killed_in_flight(struct rig *rig, unsigned int times)
{
	long before;
	unsigned int i;
	pid_t pid;

	close(rig->chan);
	close(rig->ctx);
	rig->chan = -1;
	rig->ctx = -1;
	before = pins();
	for (i = 0; i < times; i++) {
		ASSERT_OK(pid = fork());
		if (!pid) {
			struct dmafd_op op;

			ASSERT_OK(rig->ctx = ctx_open());
			ASSERT_OK(rig->chan = chan_open(rig->ctx, rig->name, 0, 0));
			op = whole(rig);
			work_for_ever(rig, &op);
		}
		sleep_ms(1 + i % 13);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	}
	for (i = 0; i < slow_ms(3000) && pins() != before; i += 10)
		sleep_ms(10);
	EXPECT_EQ(before, pins());
	ASSERT_OK(rig->ctx = ctx_open());
	ASSERT_OK(rig->chan = chan_open(rig->ctx, rig->name, 0, 0));
}

TEST_F(flat, kill_in_flight, .timeout = 120) { killed_in_flight(&self->rig, 100); }
TEST_F(noncoherent, kill_in_flight, .timeout = 120) { killed_in_flight(&self->rig, 50); }
TEST_F(slow, kill_in_flight, .timeout = 120)
{
	need_sim(&self->rig);
	killed_in_flight(&self->rig, 50);
}

/* The controller goes while a job is under way: it ends, and so does the channel. */
TEST_F(slow, controller_removed)
{
	struct rig *rig = &self->rig;
	struct dmafd_completion completion;
	struct dmafd_op op;

	need_sim(rig);
	op = whole(rig);
	ASSERT_EQ(1, submit(rig->chan, &op, 1));
	ASSERT_OK(sim_remove());
	take(rig->chan, &completion, 1);
	EXPECT_NE(0, completion.status);
	EXPECT_LE(completion.bytes, SIZE - 1);
	/* It takes no work any more. */
	run(rig->chan, &op, &completion);
	EXPECT_EQ(-EREMOTEIO, completion.status);
}

/*
 * The controller's driver is unbound while we hold a channel: it is not ours any
 * more, and what waits for it wakes up. Another one can be had when it is back.
 */
TEST_F(flat, controller_unbound)
{
	struct dmafd_chan_info info = { .size = sizeof(info) };
	struct dmafd_completion completion;
	char *driver, path[4200];
	struct rig *rig = &self->rig;
	struct dmafd_op op, nop = nop_op(0);
	struct pollfd fd = { .events = POLLIN };

	driver = take_lone(rig);
	fd.fd = rig->chan;
	op = whole(rig);
	run_well(rig->chan, &op);
	ASSERT_EQ(1, submit(rig->chan, &nop, 1));
	ASSERT_OK(ioctl(rig->chan, DMAFD_CHAN_INFO, &info));
	snprintf(path, sizeof(path), "%s/unbind", driver);
	put_text(path, info.out_device);
	ASSERT_EQ(1, poll(&fd, 1, 0));
	EXPECT_EQ(POLLIN | POLLHUP | POLLERR, fd.revents);
	/* What was complete can still be read. */
	EXPECT_EQ(sizeof(completion), read(rig->chan, &completion, sizeof(completion)));
	EXPECT_ERRNO(ENODEV, read(rig->chan, &completion, sizeof(completion)));
	EXPECT_ERRNO(ENODEV, submit(rig->chan, &op, 1));
	EXPECT_ERRNO(ENODEV, ioctl(rig->chan, DMAFD_CHAN_INFO, &info));
	EXPECT_ERRNO(ENODEV, cancel(rig->chan, &(unsigned int){0}));
	EXPECT_ERRNO(ENODEV, chan_open(rig->ctx, info.out_name, 0, 0));
	close(rig->chan);
	rig->chan = -1;
	snprintf(path, sizeof(path), "%s/bind", driver);
	put_text(path, info.out_device);
	free(driver);
	/* The same buffers, mapped anew. */
	ASSERT_OK(rig->chan = chan_open(rig->ctx, "", 0, 0));
	run_well(rig->chan, &op);
}

/* A controller that only mappings are left of can go; the buffers stay. */
TEST_F(iommu, unused_controller_removed)
{
	struct rig *rig = &self->rig;
	struct dmafd_op op;

	need_sim(rig);
	op = whole(rig);
	run_well(rig->chan, &op);
	close(rig->chan);
	rig->chan = -1;
	ASSERT_OK(sim_remove());
	EXPECT_OK(unreg(rig->ctx, op.src_buf));
}

TEST_F(flat, modules_are_held)
{
	need_sim(&self->rig);
	EXPECT_NE(0, system("rmmod dmafd 2>/dev/null"));
	EXPECT_NE(0, system("rmmod dmasim 2>/dev/null"));
}

/* ---- processes and memory ---- */

/* Who is given a channel works with the buffers of who opened it, who may be gone. */
TEST_F(flat, passed_channel)
{
	struct rig *rig = &self->rig;
	unsigned char *shared;
	int sockets[2], status;
	struct dmafd_op op;
	pid_t pid;

	ASSERT_OK(shared = mmap(NULL, 2 * SIZE, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	close(rig->chan);
	close(rig->ctx);
	rig->ctx = -1;
	ASSERT_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets));
	ASSERT_OK(pid = fork());
	if (!pid) {
		int ctx, chan, src, dst;

		pattern(shared, SIZE, 9);
		ASSERT_OK(ctx = ctx_open());
		ASSERT_OK(chan = chan_open(ctx, rig->name, 0, 0));
		ASSERT_OK(src = reg(ctx, shared, SIZE, DMAFD_BUF_READ));
		ASSERT_OK(dst = reg(ctx, shared + SIZE, SIZE, DMAFD_BUF_WRITE));
		EXPECT_EQ(1, src);
		EXPECT_EQ(2, dst);
		send_fd(sockets[0], chan);
		_exit(0);
	}
	rig->chan = receive_fd(sockets[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	op = copy_op(2, 0, 1, 0, SIZE);
	run_well(rig->chan, &op);
	EXPECT_MEMEQ(shared, shared + SIZE, SIZE);
}

TEST_F(flat, fork_keeps_the_pages)
{
	unsigned char *src = memory(SIZE, 1), *dst = memory(SIZE, 2);
	struct rig *rig = &self->rig;
	struct dmafd_op op;
	int from, to;
	pid_t pid;

	ASSERT_OK(from = reg(rig->ctx, src, SIZE, DMAFD_BUF_READ));
	ASSERT_OK(to = reg(rig->ctx, dst, SIZE, DMAFD_BUF_WRITE));
	ASSERT_OK(pid = fork());
	if (!pid) {
		sleep(60);
		_exit(0);
	}
	/* Written after the fork: were the pages shared, these would be new ones. */
	pattern(src, SIZE, 5);
	memset(dst, 0, SIZE);
	op = copy_op(to, 0, from, 0, SIZE);
	run_well(rig->chan, &op);
	EXPECT_MEMEQ(src, dst, SIZE);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

TEST_F(flat, moved_and_unmapped)
{
	unsigned char *src = memory(SIZE, 1), *dst = memory(SIZE, 2), *moved, *model;
	struct rig *rig = &self->rig;
	struct dmafd_op op;
	int from, to;

	model = memory(SIZE, 1);
	ASSERT_OK(from = reg(rig->ctx, src, SIZE, DMAFD_BUF_READ));
	ASSERT_OK(to = reg(rig->ctx, dst, SIZE, DMAFD_BUF_WRITE));
	ASSERT_OK(munmap(src, SIZE));
	ASSERT_OK(moved = mremap(dst, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
				 memory(SIZE, 0)));
	op = copy_op(to, 0, from, 0, SIZE);
	run_well(rig->chan, &op);
	EXPECT_MEMEQ(model, moved, SIZE);
}

/* Zeros that were never touched are read, and then what was written there. */
TEST_F(flat, untouched_memory)
{
	struct rig *rig = &self->rig;
	unsigned char *src, *dst = memory(SIZE, 2), *model = calloc(1, SIZE);
	struct dmafd_op op;
	int from, to;

	ASSERT_OK(src = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0));
	ASSERT_OK(from = reg(rig->ctx, src, SIZE, DMAFD_BUF_READ));
	ASSERT_OK(to = reg(rig->ctx, dst, SIZE, DMAFD_BUF_WRITE));
	op = copy_op(to, 0, from, 0, SIZE);
	run_well(rig->chan, &op);
	EXPECT_MEMEQ(model, dst, SIZE);
	pattern(src, SIZE, 4);
	run_well(rig->chan, &op);
	EXPECT_MEMEQ(src, dst, SIZE);
}

TEST_F(flat, pins_and_accounts)
{
	struct rig *rig = &self->rig;
	long before = pins(), pinned = number_in("/proc/self/status", "VmPin:");
	unsigned char *src = memory(SIZE, 1);
	int buf;

	ASSERT_OK(buf = reg(rig->ctx, src + 100, SIZE - 200, DMAFD_BUF_READ));
	EXPECT_EQ(before + SIZE / 4096, pins());
	EXPECT_EQ(pinned + SIZE / 1024, number_in("/proc/self/status", "VmPin:"));
	ASSERT_OK(unreg(rig->ctx, buf));
	EXPECT_EQ(before, pins());
	EXPECT_EQ(pinned, number_in("/proc/self/status", "VmPin:"));
}

static void as_nobody(struct rig *rig)
{
	const struct rlimit limit = { .rlim_cur = 2 * SIZE, .rlim_max = 2 * SIZE };
	unsigned char *src = memory(4 * SIZE, 1);
	int other, first;
	long before;

	ASSERT_OK(setrlimit(RLIMIT_MEMLOCK, &limit));
	/* Above the limit while we may. */
	ASSERT_OK(first = reg(rig->ctx, src, 4 * SIZE, DMAFD_BUF_READ));
	ASSERT_OK(unreg(rig->ctx, first));
	ASSERT_OK(other = ctx_open());
	ASSERT_OK(setresuid(NOBODY, NOBODY, NOBODY));
	before = number_in("/proc/self/status", "VmPin:");
	EXPECT_ERRNO(ENOMEM, reg(rig->ctx, src, 2 * SIZE + 1, DMAFD_BUF_READ));
	EXPECT_EQ(before, number_in("/proc/self/status", "VmPin:"));
	ASSERT_OK(first = reg(rig->ctx, src, 2 * SIZE, DMAFD_BUF_READ));
	/* It is the user's, not the context's. */
	EXPECT_ERRNO(ENOMEM, reg(other, src, 1, DMAFD_BUF_READ));
	ASSERT_OK(unreg(rig->ctx, first));
	ASSERT_OK(reg(other, src, 2 * SIZE, DMAFD_BUF_READ));
	EXPECT_ERRNO(ENOMEM, reg(rig->ctx, src, 1, DMAFD_BUF_READ));
	close(other);
	EXPECT_OK(reg(rig->ctx, src, 2 * SIZE, DMAFD_BUF_READ));
}

TEST_F(flat, limit_of_locked_memory)
{
	int status;
	pid_t pid;

	ASSERT_OK(pid = fork());
	if (!pid) {
		as_nobody(&self->rig);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* ---- memory that a program serves itself, as slowly as it likes ---- */

struct late {
	int chan, faults;
	void *page;
	int result;
};

/* A page that is missing until serve() brings it, full of zeros. */
static bool late_page(struct late *late)
{
	struct uffdio_register area = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };

	late->faults = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (late->faults < 0)
		return false;
	late->page = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(late->page != MAP_FAILED);
	ASSERT_OK(ioctl(late->faults, UFFDIO_API, &api));
	area.range.start = (uintptr_t)late->page;
	area.range.len = getpagesize();
	ASSERT_OK(ioctl(late->faults, UFFDIO_REGISTER, &area));
	return true;
}

static void serve(struct late *late)
{
	struct uffdio_zeropage zero = {
		.range = { .start = (uintptr_t)late->page, .len = getpagesize() },
	};

	ASSERT_OK(ioctl(late->faults, UFFDIO_ZEROPAGE, &zero));
}

/* What comes is an operation that does nothing. */
static void *submit_late(void *data)
{
	struct late *late = data;

	late->result = submit(late->chan, late->page, 1);
	return NULL;
}

TEST_F(flat, memory_that_is_late)
{
	struct rig *rig = &self->rig;
	struct late late = { .chan = rig->chan };
	unsigned int canceled;
	struct pollfd asked;
	struct dmafd_op op;
	pthread_t thread;

	if (!late_page(&late))
		SKIP("this kernel has no userfaultfd");
	op = whole(rig);
	ASSERT_EQ(0, pthread_create(&thread, NULL, submit_late, &late));
	asked = (struct pollfd){ .fd = late.faults, .events = POLLIN };
	ASSERT_EQ(1, poll(&asked, 1, slow_ms(5000)));
	/* Nobody else waits for it. */
	run_well(rig->chan, &op);
	ASSERT_OK(cancel(rig->chan, &canceled));
	serve(&late);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(1, late.result);
	close(late.faults);
}
