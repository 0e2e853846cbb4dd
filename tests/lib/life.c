// SPDX-License-Identifier: GPL-2.0-only
/*
 * How things end: channels and buffers with jobs under way, controllers that go, time
 * that is over, processes that fork.
 */
#include "common/kit.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE	(64 * 1024)

KIT_OF(slow, "flat", "bandwidth=100000", BY_IOCTL)
KIT_OF(slow_uring, "flat", "bandwidth=100000", BY_URING)
KIT_OF(plain, "flat", "", BY_IOCTL)
KIT_OF(plain_uring, "flat", "", BY_URING)

#define TEST_BOTH(kind, test, ...)						\
	static void both_##test(struct kit *kit);				\
	TEST_F(kind, test, __VA_ARGS__) { both_##test(&self->kit); }		\
	TEST_F(kind##_uring, test, __VA_ARGS__) { both_##test(&self->kit); }	\
	static void both_##test(struct kit *kit)

/*
 * Jobs of which the first takes more than half a second. With io_uring, buffers are to be
 * known to the controller, so there is a short one before.
 */
static void start_long(struct kit *kit, struct dmafd_buf *dst, struct dmafd_buf *src,
		       unsigned int n)
{
	struct dmafd_job jobs[8];
	unsigned int i;

	need_sim(&kit->rig);
	ASSERT_OK(dmafd_copy(kit->chan, dst, 0, src, 0, 16));
	for (i = 0; i < n; i++) {
		dmafd_job_copy(&jobs[i], dst, 0, src, 0, SIZE);
		jobs[i].user_data = i;
		jobs[i].flags = DMAFD_FENCE;
	}
	submit_all(kit, jobs, n);
}

TEST_BOTH(slow, cancel)
{
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	struct dmafd_result results[8];
	unsigned int i;

	start_long(kit, dst, src, 8);
	EXPECT_ERRNO(EBUSY, dmafd_buf_remove(src));
	EXPECT_ERRNO(EBUSY, dmafd_calibrate(kit->chan, NULL));
	EXPECT_EQ(0, dmafd_reap(kit->chan, results, 8, 10));
	EXPECT_EQ(8, dmafd_chan_cancel(kit->chan));
	EXPECT_OK(dmafd_buf_remove(src));
	reap_all(kit, results, 8);
	for (i = 0; i < 8; i++) {
		EXPECT_EQ(-ECANCELED, results[i].status);
		EXPECT_EQ(i, results[i].user_data);
	}
	EXPECT_EQ(0, dmafd_chan_cancel(kit->chan));
}

/* Its time is over, and so is that of those behind it. */
TEST_BOTH(slow, timeout)
{
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	struct dmafd_result results[3];

	need_sim(&kit->rig);
	kit_reopen(kit, (struct dmafd_chan_options){ .timeout_ms = 100 });
	start_long(kit, dst, src, 3);
	reap_all(kit, results, 3);
	EXPECT_EQ(-ETIMEDOUT, results[0].status);
	EXPECT_EQ(-ECANCELED, results[1].status);
	EXPECT_EQ(-ECANCELED, results[2].status);
	EXPECT_ERRNO(ETIMEDOUT, dmafd_copy(kit->chan, dst, 0, src, 0, SIZE));
	EXPECT_OK(dmafd_copy(kit->chan, dst, 0, src, 0, 16));
}

/* The channel is free again, and nothing is pinned: rig_down() looks. */
TEST_BOTH(slow, close_with_jobs)
{
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	unsigned int i;

	for (i = 0; i < 3; i++) {
		start_long(kit, dst, src, 8);
		kit_reopen(kit, (struct dmafd_chan_options){});
	}
}

TEST_BOTH(slow, exit_with_jobs)
{
	pid_t child;
	int status;

	need_sim(&kit->rig);
	ASSERT_OK(child = fork());
	if (!child) {
		/* What the parent opened is not the child's: it has its own. */
		struct dmafd_ctx *ctx = dmafd_open();

		kit->ctx = ctx;
		kit->chan = dmafd_chan_open_auto(ctx, NULL, &(struct dmafd_chan_options){
						 .flags = kit->way == BY_URING ? 0 :
							  DMAFD_NO_URING });
		ASSERT_TRUE(kit->chan);
		dmafd_chan_set_threshold(kit->chan, 0);
		start_long(kit, kit_buf(kit, SIZE, 1, DMAFD_WRITE),
			   kit_buf(kit, SIZE, 2, DMAFD_READ), 8);
		kill(getpid(), SIGKILL);
	}
	ASSERT_OK(waitpid(child, &status, 0));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
	/* The parent's goes on. */
	start_long(kit, kit_buf(kit, SIZE, 1, DMAFD_WRITE), kit_buf(kit, SIZE, 2, DMAFD_READ), 1);
}

static volatile sig_atomic_t alarms;

static void on_alarm(int number)
{
	(void)number;
	alarms++;
}

/* A signal ends dmafd_reap(), and nothing else. */
TEST_BOTH(slow, signals)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	struct dmafd_result result;

	ASSERT_OK(sigaction(SIGALRM, &action, NULL));
	start_long(kit, dst, src, 1);
	ualarm(50000, 0);
	EXPECT_ERRNO(EINTR, dmafd_reap(kit->chan, &result, 1, -1));
	reap_all(kit, &result, 1);
	EXPECT_EQ(0, result.status);
	alarms = 0;
	ualarm(50000, 0);
	EXPECT_OK(dmafd_copy(kit->chan, dst, 0, src, 0, SIZE));
	EXPECT_EQ(1, alarms);
	EXPECT_MEMEQ(bytes_of(src), bytes_of(dst), SIZE);
}

/* The controller goes: what was done is told of, and there is an end of events. */
TEST_BOTH(plain, gone)
{
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	struct pollfd fd = { .fd = dmafd_chan_fd(kit->chan), .events = POLLIN };
	struct dmafd_result results[4];
	struct dmafd_job jobs[4];
	unsigned int i;

	need_real(kit);
	for (i = 0; i < 4; i++)
		dmafd_job_copy(&jobs[i], dst, 0, src, 0, SIZE);
	submit_all(kit, jobs, 4);
	unbind_controller(kit);
	reap_all(kit, results, 4);
	for (i = 0; i < 4; i++)
		EXPECT_TRUE(!results[i].status || results[i].status == -ENODEV);
	EXPECT_ERRNO(ENODEV, dmafd_reap(kit->chan, results, 1, 0));
	EXPECT_EQ(0, poll(&fd, 1, 0));
	EXPECT_ERRNO(ENODEV, dmafd_copy(kit->chan, dst, 0, src, 0, 64));
	EXPECT_ERRNO(ENODEV, dmafd_reap(kit->chan, results, 1, -1));
	bind_controller();
}

/* Nobody told of it until it was asked for. */
TEST_BOTH(plain, gone_while_idle)
{
	struct pollfd fd = { .fd = dmafd_chan_fd(kit->chan), .events = POLLIN };
	struct dmafd_result result;

	need_real(kit);
	unbind_controller(kit);
	EXPECT_EQ(1, poll(&fd, 1, slow_ms(1000)));
	EXPECT_ERRNO(ENODEV, dmafd_reap(kit->chan, &result, 1, 0));
	EXPECT_EQ(0, poll(&fd, 1, 0));
	bind_controller();
}

/* Whatever fails, and whatever succeeds, leaves nothing open. */
TEST_BOTH(plain, no_leaks)
{
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	unsigned int i, before = count_fds();
	struct dmafd_ctx *ctx;
	struct dmafd_buf *buf;

	for (i = 0; i < 50; i++) {
		ASSERT_TRUE(ctx = dmafd_open());
		EXPECT_ERRNO(EBUSY, dmafd_chan_open(ctx, kit->name, NULL) ? 0 : -1);
		ASSERT_TRUE(buf = dmafd_buf_register(ctx, bytes_of(src), SIZE, DMAFD_READ));
		ASSERT_TRUE(dmafd_buf_register(ctx, bytes_of(src), SIZE, DMAFD_READ));
		ASSERT_OK(dmafd_buf_remove(buf));
		dmafd_close(ctx);
		kit_reopen(kit, (struct dmafd_chan_options){});
		ASSERT_OK(dmafd_copy(kit->chan, kit_buf(kit, SIZE, 1, DMAFD_WRITE), 0, src, 0, 64));
	}
	EXPECT_EQ(before, count_fds());
	dmafd_close(NULL);
	dmafd_chan_close(NULL);
}

/* A channel keeps its context, and the buffers. */
TEST_BOTH(plain, context_first)
{
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);

	dmafd_close(kit->ctx);
	kit->ctx = NULL;
	EXPECT_OK(dmafd_copy(kit->chan, dst, 0, src, 0, SIZE));
	EXPECT_MEMEQ(bytes_of(src), bytes_of(dst), SIZE);
}

/* A child's fork does not disturb: what the parent does with its memory is seen. */
TEST_BOTH(plain, fork)
{
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	pid_t child;
	int i;

	ASSERT_OK(dmafd_copy(kit->chan, dst, 0, src, 0, SIZE));
	child = fork();
	ASSERT_OK(child);
	if (!child) {
		pause();
		_exit(0);
	}
	for (i = 0; i < 10; i++) {
		pattern(bytes_of(src), SIZE, i);
		ASSERT_OK(dmafd_copy(kit->chan, dst, 0, src, 0, SIZE));
		ASSERT_MEMEQ(bytes_of(src), bytes_of(dst), SIZE);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

struct worker {
	struct kit *kit;
	unsigned int seed;
	bool ok;
};

/* Its own channel and buffers, of a context that all share. */
static void *work(void *data)
{
	struct worker *worker = data;
	struct dmafd_ctx *ctx = worker->kit->ctx;
	struct dmafd_chan *chan = dmafd_chan_open_auto(ctx, NULL, NULL);
	unsigned char *from = memory(SIZE, worker->seed), *to = memory(SIZE, 99);
	struct dmafd_buf *src, *dst;
	unsigned int i;

	worker->ok = !!chan;
	if (chan)
		dmafd_chan_set_threshold(chan, 0);
	for (i = 0; worker->ok && i < 100; i++) {
		pattern(from, SIZE, worker->seed + i);
		src = dmafd_buf_register(ctx, from, SIZE, DMAFD_READ);
		dst = dmafd_buf_register(ctx, to, SIZE, DMAFD_WRITE);
		worker->ok = src && dst && !dmafd_copy(chan, dst, 0, src, 0, SIZE) &&
			     !memcmp(from, to, SIZE) && !dmafd_buf_remove(src) &&
			     !dmafd_buf_remove(dst);
	}
	dmafd_chan_close(chan);
	return NULL;
}

TEST_BOTH(plain, threads, .timeout = 60)
{
	struct worker workers[4];
	pthread_t threads[4];
	unsigned int i;

	for (i = 0; i < 4; i++) {
		workers[i] = (struct worker){ .kit = kit, .seed = 1000 * i };
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, work, &workers[i]));
	}
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		EXPECT_TRUE(workers[i].ok);
	}
}

static void *cancel_soon(void *data)
{
	sleep_ms(100);
	return dmafd_chan_cancel(data) == 1 ? data : NULL;
}

/* By another thread, while this one waits. */
TEST_BOTH(slow, cancel_by_another_thread)
{
	struct dmafd_buf *src = kit_buf(kit, SIZE, 1, DMAFD_READ);
	struct dmafd_buf *dst = kit_buf(kit, SIZE, 2, DMAFD_WRITE);
	pthread_t thread;
	void *ok;

	need_sim(&kit->rig);
	ASSERT_EQ(0, pthread_create(&thread, NULL, cancel_soon, kit->chan));
	EXPECT_ERRNO(ECANCELED, dmafd_copy(kit->chan, dst, 0, src, 0, SIZE));
	pthread_join(thread, &ok);
	EXPECT_TRUE(ok);
}
