// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be seen of channels and contexts from outside: fdinfo, debugfs, counters
 * and tracepoints.
 */
#include "common/uapi.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

VIEWS("")

#define SIZE	(64 * 1024)
#define TRACING	"/sys/kernel/tracing/"
#define EVENTS	TRACING "events/dmafd/"

static char text[1 << 18];

static const char *text_of(const char *path)
{
	FILE *file = fopen(path, "r");

	ASSERT_TRUE(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

static const char *told_of(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return text_of(path);
}

static void expect_line(const char *where, const char *line)
{
	if (strstr(where, line))
		return;
	printf("no \"%s\" in:\n%s\n", line, where);
	EXPECT_FALSE("the line is missing");
}

static struct dmafd_op copy(struct rig *rig)
{
	int src, dst;

	ASSERT_OK(src = reg(rig->ctx, memory(SIZE, 1), SIZE, DMAFD_BUF_READ));
	ASSERT_OK(dst = reg(rig->ctx, memory(SIZE, 2), SIZE, DMAFD_BUF_WRITE));
	return copy_op(dst, 0, src, 0, SIZE);
}

TEST_F(flat, context)
{
	struct rig *rig = &self->rig;
	unsigned char *ptr = memory(SIZE, 1);
	int buf;

	expect_line(told_of(rig->ctx), "\ndmafd-buffers:\t0\ndmafd-pages:\t0\n");
	ASSERT_OK(reg(rig->ctx, ptr, SIZE, DMAFD_BUF_READ));
	ASSERT_OK(buf = reg(rig->ctx, ptr + 100, 4096, DMAFD_BUF_READ));
	expect_line(told_of(rig->ctx), "\ndmafd-buffers:\t2\ndmafd-pages:\t18\n");
	ASSERT_OK(unreg(rig->ctx, buf));
	expect_line(told_of(rig->ctx), "\ndmafd-buffers:\t1\ndmafd-pages:\t16\n");
}

TEST_F(flat, channel)
{
	struct dmafd_chan_info info = { .size = sizeof(info) };
	struct dmafd_op op, nop = nop_op(0);
	struct rig *rig = &self->rig;
	char line[256];

	op = copy(rig);
	ASSERT_OK(ioctl(rig->chan, DMAFD_CHAN_INFO, &info));
	snprintf(line, sizeof(line), "\ndmafd-channel:\t%s\ndmafd-device:\t%s\n"
		 "dmafd-state:\tidle\ndmafd-depth:\t256\ndmafd-held:\t0\n", info.out_name,
		 info.out_device);
	expect_line(told_of(rig->chan), line);
	run_well(rig->chan, &op);
	ASSERT_EQ(1, submit(rig->chan, &nop, 1));
	snprintf(line, sizeof(line), "\ndmafd-held:\t1\ndmafd-submitted:\t2\n"
		 "dmafd-completed:\t2\ndmafd-failed:\t0\ndmafd-bytes:\t%d\n", SIZE);
	expect_line(told_of(rig->chan), line);
}

TEST_F(flat, busy_and_failed)
{
	struct dmafd_chan_info info = { .size = sizeof(info) };
	struct dmafd_completion completion;
	struct rig *rig = &self->rig;
	struct dmafd_op op;

	need_sim(rig);
	op = copy(rig);
	sim_set("inject", "hang");
	ASSERT_EQ(1, submit(rig->chan, &op, 1));
	expect_line(told_of(rig->chan), "\ndmafd-state:\tbusy\n");
	ASSERT_OK(cancel(rig->chan, &(unsigned int){0}));
	expect_line(told_of(rig->chan), "\ndmafd-state:\tidle\n");
	expect_line(told_of(rig->chan), "\ndmafd-failed:\t1\n");
	take(rig->chan, &completion, 1);
	ASSERT_OK(ioctl(rig->chan, DMAFD_CHAN_INFO, &info));
	EXPECT_EQ(1, info.out_failed);
	EXPECT_EQ(completion.bytes, info.out_bytes);
	sim_set("inject", "off");
	run_well(rig->chan, &op);
	ASSERT_OK(ioctl(rig->chan, DMAFD_CHAN_INFO, &info));
	EXPECT_EQ(1, info.out_failed);
	EXPECT_EQ(completion.bytes + SIZE, info.out_bytes);
}

TEST_F(flat, list_of_channels)
{
	struct dmafd_chan_info info = { .size = sizeof(info) };
	struct rig *rig = &self->rig;
	struct dmafd_op op;
	char line[256];
	int n;

	op = copy(rig);
	ASSERT_OK(ioctl(rig->chan, DMAFD_CHAN_INFO, &info));
	run_well(rig->chan, &op);
	n = snprintf(line, sizeof(line), "%s device=%s state=idle pid=%d depth=256 held=0 ",
		     info.out_name, info.out_device, getpid());
	snprintf(line + n, sizeof(line) - n, "submitted=1 completed=1 failed=0 bytes=%d comm=",
		 SIZE);
	expect_line(text_of("/sys/kernel/debug/dmafd/channels"), line);
	close(rig->chan);
	rig->chan = -1;
	EXPECT_STREQ("", text_of("/sys/kernel/debug/dmafd/channels"));
}

/* What the controller reaches, wherever on the board it is. */
TEST_F(flat, devices)
{
	struct dmafd_chan_info info = { .size = sizeof(info) };
	unsigned int mask = 0, coherent_mask = 0, coherent = 2, segment = 0;
	struct rig *rig = &self->rig;
	const char *line;
	char name[80];
	int count;

	ASSERT_OK(ioctl(rig->chan, DMAFD_CHAN_INFO, &info));
	snprintf(name, sizeof(name), "%s dma_mask=", info.out_device);
	line = strstr(text_of("/sys/kernel/debug/dmafd/devices"), name);
	ASSERT_TRUE(line);
	ASSERT_TRUE(line == text || line[-1] == '\n');
	count = sscanf(line + strlen(info.out_device),
		       " dma_mask=%u coherent_mask=%u coherent=%u max_segment=%u\n", &mask,
		       &coherent_mask, &coherent, &segment);
	ASSERT_EQ(4, count);
	EXPECT_TRUE(mask >= 24 && mask <= 64);
	EXPECT_TRUE(coherent_mask >= 24 && coherent_mask <= 64);
	EXPECT_TRUE(coherent <= 1);
	EXPECT_TRUE(segment >= info.out_max_segment);
}

/* ---- tracepoints ---- */

static void trace_on(void)
{
	/* Opened so, it is emptied. */
	close(open(TRACING "trace", O_WRONLY | O_TRUNC));
	put_text(EVENTS "enable", "1");
}

static const char *trace_off(void)
{
	put_text(EVENTS "enable", "0");
	return text_of(TRACING "trace");
}

static unsigned int count_of(const char *trace, const char *event)
{
	unsigned int count = 0;

	for (; (trace = strstr(trace, event)); trace++)
		count++;
	return count;
}

TEST_VIEWS(trace)
{
	struct dmafd_chan_info info = { .size = sizeof(info) };
	struct dmafd_completion completions[2];
	struct dmafd_op ops[2];
	const char *trace;
	char line[256];
	bool synced;

	ASSERT_OK(ioctl(rig->chan, DMAFD_CHAN_INFO, &info));
	trace_on();
	ops[0] = copy(rig);
	ops[1] = nop_op(0);
	ASSERT_EQ(2, submit(rig->chan, ops, 2));
	take(rig->chan, completions, 2);
	ASSERT_OK(unreg(rig->ctx, ops[0].src_buf));
	trace = trace_off();
	snprintf(line, sizeof(line), " dmafd_submit: %s sequence=0 opcode=1 bytes=%d\n",
		 info.out_name, SIZE);
	expect_line(trace, line);
	snprintf(line, sizeof(line), " dmafd_submit: %s sequence=1 opcode=0 bytes=0\n",
		 info.out_name);
	expect_line(trace, line);
	snprintf(line, sizeof(line), " dmafd_issue: %s sequence=0 opcode=1 bytes=",
		 info.out_name);
	expect_line(trace, line);
	snprintf(line, sizeof(line), " dmafd_kick: %s pieces=", info.out_name);
	expect_line(trace, line);
	snprintf(line, sizeof(line),
		 " dmafd_complete: %s sequence=0 opcode=1 bytes=%d status=0\n", info.out_name,
		 SIZE);
	expect_line(trace, line);
	EXPECT_EQ(2, count_of(trace, " dmafd_complete: "));
	snprintf(line, sizeof(line), " dmafd_map: %s bytes=%d segments=", info.out_device,
		 SIZE);
	EXPECT_EQ(2, count_of(trace, line));
	snprintf(line, sizeof(line), " dmafd_unmap: %s bytes=%d segments=", info.out_device,
		 SIZE);
	EXPECT_EQ(1, count_of(trace, line));
	synced = info.out_flags & DMAFD_INFO_SYNC;
	snprintf(line, sizeof(line), " dmafd_sync: %s bytes=%d for=device\n", info.out_device,
		 SIZE);
	EXPECT_EQ(synced, count_of(trace, line) > 0);
	snprintf(line, sizeof(line), " dmafd_sync: %s bytes=%d for=cpu\n", info.out_device, SIZE);
	EXPECT_EQ(synced, count_of(trace, line) > 0);
}
