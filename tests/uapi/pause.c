// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a channel is doing, and that it can be told to wait.
 */
#include "common/bench.h"

#include <poll.h>
#include <unistd.h>

/* So slow that there is time to look: a copy takes a third of a second. */
FIXTURE_OF(slow, "flat", "bandwidth=200000")
FIXTURE_OF(fast, "flat", "")
FIXTURE_OF(restless, "flat", "pause=0")

#define SIZE	(64 * 1024)

static struct dmafd_op whole(struct rig *rig)
{
	int src, dst;

	ASSERT_OK(src = reg(rig->ctx, memory(SIZE, 1), SIZE, DMAFD_BUF_READ));
	ASSERT_OK(dst = reg(rig->ctx, memory(SIZE, 2), SIZE, DMAFD_BUF_WRITE));
	return copy_op(dst, 0, src, 0, SIZE);
}

static bool can_read(int chan, unsigned int ms)
{
	struct pollfd fd = { .fd = chan, .events = POLLIN };

	return poll(&fd, 1, ms) == 1;
}

/* ---- status ---- */

TEST_F(fast, idle)
{
	struct dmafd_status status;
	struct dmafd_op op = whole(&self->rig);

	status_of(self->rig.chan, &status);
	EXPECT_EQ(DMAFD_STATE_IDLE, status.out_state);
	run_well(self->rig.chan, &op);
	status_of(self->rig.chan, &status);
	EXPECT_EQ(DMAFD_STATE_IDLE, status.out_state);
	EXPECT_EQ(0, status.out_opcode);
	EXPECT_EQ(0, status.out_bytes);
	EXPECT_EQ(0, status.out_since_ns);
	EXPECT_EQ(0, status.out_queued);
	EXPECT_EQ(0, status.out_overruns);
	status.flags = 1;
	EXPECT_ERRNO(EOPNOTSUPP, ioctl(self->rig.chan, DMAFD_STATUS, &status));
	status.flags = 0;
	status.size = sizeof(status) - 1;
	EXPECT_ERRNO(EINVAL, ioctl(self->rig.chan, DMAFD_STATUS, &status));
}

TEST_F(slow, busy)
{
	struct dmafd_completion completions[3];
	struct dmafd_status status, later;
	struct rig *rig = &self->rig;
	struct dmafd_op ops[3];
	uint64_t before;
	unsigned int i;

	need_sim(rig);
	for (i = 0; i < 3; i++) {
		ops[i] = whole(rig);
		ops[i].user_data = 100 + i;
	}
	before = now_ns();
	ASSERT_EQ(3, submit(rig->chan, ops, 3));
	do
		status_of(rig->chan, &status);
	while (!status.out_bytes && status.out_user_data == 100);
	EXPECT_EQ(DMAFD_STATE_BUSY, status.out_state);
	EXPECT_EQ(DMAFD_OP_COPY, status.out_opcode);
	EXPECT_EQ(100, status.out_user_data);
	EXPECT_EQ(3, status.out_queued);
	EXPECT_LE(status.out_bytes, SIZE);
	EXPECT_GE(status.out_since_ns, before);
	EXPECT_LE(status.out_since_ns, now_ns());
	do {
		status_of(rig->chan, &later);
		if (later.out_user_data == 100)
			EXPECT_GE(later.out_bytes, status.out_bytes);
	} while (later.out_user_data == 100);
	EXPECT_EQ(101, later.out_user_data);
	EXPECT_EQ(2, later.out_queued);
	take(rig->chan, completions, 3);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, completions[i].status);
	/* The second was the first when the first was complete. */
	EXPECT_EQ(completions[0].complete_ns, later.out_since_ns);
}

/* ---- pause ---- */

TEST_F(restless, cannot_pause)
{
	struct dmafd_chan_info info;

	chan_info(self->rig.chan, &info);
	EXPECT_FALSE(info.out_flags & DMAFD_INFO_PAUSE);
	EXPECT_ERRNO(EOPNOTSUPP, pause_chan(self->rig.chan, 0));
	EXPECT_ERRNO(EOPNOTSUPP, pause_chan(self->rig.chan, DMAFD_PAUSE_RESUME));
}

TEST_F(fast, arguments)
{
	struct dmafd_chan_info info;

	need_sim(&self->rig);
	chan_info(self->rig.chan, &info);
	EXPECT_TRUE(info.out_flags & DMAFD_INFO_PAUSE);
	EXPECT_ERRNO(EOPNOTSUPP, pause_chan(self->rig.chan, 2));
	EXPECT_OK(pause_chan(self->rig.chan, DMAFD_PAUSE_RESUME));
	EXPECT_OK(pause_chan(self->rig.chan, 0));
	EXPECT_OK(pause_chan(self->rig.chan, 0));
	EXPECT_OK(pause_chan(self->rig.chan, DMAFD_PAUSE_RESUME));
	EXPECT_OK(pause_chan(self->rig.chan, DMAFD_PAUSE_RESUME));
}

/* It stands for longer than the job may take, twice, and goes on where it was. */
TEST_F(slow, pause, .timeout = 60)
{
	struct dmafd_completion completion;
	struct dmafd_status status, later;
	struct rig *rig = &self->rig;
	struct dmafd_op op;
	unsigned int i;

	need_sim(rig);
	op = whole(rig);
	op.timeout_ms = slow_ms(900);
	ASSERT_EQ(1, submit(rig->chan, &op, 1));
	for (i = 0; i < 2; i++) {
		sleep_ms(50);
		ASSERT_OK(pause_chan(rig->chan, 0));
		sleep_ms(20);
		status_of(rig->chan, &status);
		EXPECT_EQ(DMAFD_STATE_PAUSED, status.out_state);
		EXPECT_EQ(1, status.out_queued);
		EXPECT_LE(status.out_bytes, SIZE - 1);
		EXPECT_FALSE(can_read(rig->chan, slow_ms(1200)));
		status_of(rig->chan, &later);
		EXPECT_EQ(status.out_bytes, later.out_bytes);
		ASSERT_OK(pause_chan(rig->chan, DMAFD_PAUSE_RESUME));
	}
	take(rig->chan, &completion, 1);
	EXPECT_EQ(0, completion.status);
	EXPECT_EQ(SIZE, completion.bytes);
	EXPECT_GE(completion.complete_ns - completion.submit_ns, slow_ms(2400) * 1000000ULL);
}

/* A job that hangs has its time, but for the pause. */
TEST_F(slow, deadline_moves)
{
	struct dmafd_completion completion;
	struct rig *rig = &self->rig;
	struct dmafd_op op;

	need_sim(rig);
	op = whole(rig);
	op.timeout_ms = slow_ms(600);
	sim_set("inject", "hang");
	ASSERT_EQ(1, submit(rig->chan, &op, 1));
	sleep_ms(slow_ms(100));
	ASSERT_OK(pause_chan(rig->chan, 0));
	EXPECT_FALSE(can_read(rig->chan, slow_ms(1000)));
	ASSERT_OK(pause_chan(rig->chan, DMAFD_PAUSE_RESUME));
	take(rig->chan, &completion, 1);
	EXPECT_EQ(-ETIMEDOUT, completion.status);
	EXPECT_GE(completion.complete_ns - completion.submit_ns, slow_ms(1550) * 1000000ULL);
	sim_set("inject", "off");
}

/* What is submitted meanwhile waits, and its time begins with the rest. */
TEST_F(fast, submitted_while_paused)
{
	struct dmafd_completion completions[2];
	struct rig *rig = &self->rig;
	struct dmafd_status status;
	struct dmafd_op ops[2];

	need_sim(rig);
	ops[0] = whole(rig);
	ops[1] = whole(rig);
	ops[0].timeout_ms = slow_ms(300);
	ops[1].timeout_ms = slow_ms(300);
	ASSERT_OK(pause_chan(rig->chan, 0));
	ASSERT_EQ(2, submit(rig->chan, ops, 2));
	EXPECT_FALSE(can_read(rig->chan, slow_ms(500)));
	status_of(rig->chan, &status);
	EXPECT_EQ(DMAFD_STATE_PAUSED, status.out_state);
	EXPECT_EQ(0, status.out_bytes);
	EXPECT_EQ(2, status.out_queued);
	ASSERT_OK(pause_chan(rig->chan, DMAFD_PAUSE_RESUME));
	take(rig->chan, completions, 2);
	EXPECT_EQ(0, completions[0].status);
	EXPECT_EQ(0, completions[1].status);
}

/* That is the end of the jobs, not of the pause. */
TEST_F(slow, cancel_while_paused)
{
	struct dmafd_completion completion;
	struct rig *rig = &self->rig;
	struct dmafd_status status;
	unsigned int canceled;
	struct dmafd_op op;

	need_sim(rig);
	op = whole(rig);
	ASSERT_EQ(1, submit(rig->chan, &op, 1));
	sleep_ms(50);
	ASSERT_OK(pause_chan(rig->chan, 0));
	ASSERT_OK(cancel(rig->chan, &canceled));
	EXPECT_EQ(1, canceled);
	take(rig->chan, &completion, 1);
	EXPECT_EQ(-ECANCELED, completion.status);
	EXPECT_LE(1, completion.bytes);
	status_of(rig->chan, &status);
	EXPECT_EQ(DMAFD_STATE_PAUSED, status.out_state);
	EXPECT_EQ(0, status.out_queued);
	ASSERT_EQ(1, submit(rig->chan, &op, 1));
	EXPECT_FALSE(can_read(rig->chan, slow_ms(600)));
	ASSERT_OK(pause_chan(rig->chan, DMAFD_PAUSE_RESUME));
	take(rig->chan, &completion, 1);
	EXPECT_EQ(0, completion.status);
}

/* Pauses at any moment, also just when the last piece is done. */
TEST_F(fast, restless_pauses, .timeout = 60)
{
	struct dmafd_completion completion;
	struct rig *rig = &self->rig;
	struct dmafd_op op;
	unsigned int i;

	need_sim(rig);
	op = whole(rig);
	for (i = 0; i < 500; i++) {
		ASSERT_EQ(1, submit(rig->chan, &op, 1));
		ASSERT_OK(pause_chan(rig->chan, 0));
		ASSERT_OK(pause_chan(rig->chan, DMAFD_PAUSE_RESUME));
		take(rig->chan, &completion, 1);
		ASSERT_EQ(0, completion.status);
	}
}

TEST_F(slow, closed_while_paused)
{
	struct dmafd_op op;

	need_sim(&self->rig);
	op = whole(&self->rig);
	ASSERT_EQ(1, submit(self->rig.chan, &op, 1));
	sleep_ms(20);
	ASSERT_OK(pause_chan(self->rig.chan, 0));
}
