// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ports: how they are made, listed, opened and lost.
 */
#include "common/bench.h"

#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct bench_plan plan = {
	.view = "flat", .options = "", .loop = "", .source = "kind=source", .sink = "kind=sink",
	.width = 4, .burst = 4,
};

FIXTURE(ports) { struct bench bench; };
FIXTURE_SETUP(ports) { bench_up(&self->bench, &plan); }
FIXTURE_TEARDOWN(ports)
{
	port_remove("t");
	port_remove("u");
	bench_down(&self->bench);
}

/* ---- configfs ---- */

TEST_F(ports, defaults)
{
	port_make("t");
	EXPECT_STREQ("0", port_get("t", "live"));
	EXPECT_STREQ("", port_get("t", "channel"));
	EXPECT_STREQ("tx", port_get("t", "direction"));
	EXPECT_STREQ("0x0", port_get("t", "address"));
	EXPECT_STREQ("4", port_get("t", "width"));
	EXPECT_STREQ("1", port_get("t", "burst"));
}

TEST_F(ports, attributes)
{
	static const char * const widths[] = { "1", "2", "3", "4", "8", "16", "32", "64", "128" };
	size_t i;

	port_make("t");
	EXPECT_OK(port_set("t", "channel", "dma7chan3\n"));
	EXPECT_STREQ("dma7chan3", port_get("t", "channel"));
	EXPECT_OK(port_set("t", "channel", "soc:adc@1:rx"));
	EXPECT_STREQ("soc:adc@1:rx", port_get("t", "channel"));
	EXPECT_OK(port_set("t", "direction", "rx"));
	EXPECT_STREQ("rx", port_get("t", "direction"));
	EXPECT_OK(port_set("t", "direction", "tx"));
	EXPECT_STREQ("tx", port_get("t", "direction"));
	EXPECT_OK(port_set("t", "address", "0x7e201000"));
	EXPECT_STREQ("0x7e201000", port_get("t", "address"));
	for (i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		EXPECT_OK(port_set("t", "width", widths[i]));
		EXPECT_STREQ(widths[i], port_get("t", "width"));
	}
	EXPECT_OK(port_set("t", "burst", "16"));
	EXPECT_STREQ("16", port_get("t", "burst"));
}

TEST_F(ports, bad_attributes)
{
	static const struct {
		const char *attribute, *value;
		int error;
	} bad[] = {
		{ "live", "maybe", EINVAL },
		{ "channel", "", EINVAL },
		{ "channel", "a/b:rx", EINVAL },
		{ "channel", ":rx", EINVAL },
		{ "channel", "adc:", EINVAL },
		{ "direction", "both", EINVAL },
		{ "address", "here", EINVAL },
		{ "address", "0", EINVAL },
		{ "address", "0x10000000000000000", ERANGE },
		{ "width", "0", EINVAL },
		{ "width", "5", EINVAL },
		{ "width", "256", EINVAL },
		{ "width", "wide", EINVAL },
		{ "width", "0x100000000", ERANGE },
		{ "burst", "0", EINVAL },
		{ "burst", "-1", EINVAL },
	};
	char name[300];
	size_t i;

	port_make("t");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		printf("%s=%s\n", bad[i].attribute, bad[i].value);
		EXPECT_ERRNO(bad[i].error, port_set("t", bad[i].attribute,
						    *bad[i].value ? bad[i].value : "\n"));
	}
	memset(name, 'x', sizeof(name));
	name[128] = '\0';
	EXPECT_ERRNO(ENAMETOOLONG, port_set("t", "channel", name));
	name[127] = '\0';
	EXPECT_OK(port_set("t", "channel", name));
}

TEST_F(ports, names)
{
	char path[128] = PORTS "/";
	size_t len = strlen(path);

	memset(path + len, 'x', DMAFD_NAME_MAX);
	EXPECT_ERRNO(ENAMETOOLONG, mkdir(path, 0755));
	path[len + DMAFD_NAME_MAX - 1] = '\0';
	EXPECT_OK(mkdir(path, 0755));
	EXPECT_OK(rmdir(path));
}

/* Each of them is needed; what is a channel's name is not a port's. */
TEST_F(ports, live)
{
	port_make("t");
	EXPECT_ERRNO(EINVAL, port_set("t", "live", "1"));
	ASSERT_OK(port_set("t", "channel", "dma0chan0"));
	EXPECT_ERRNO(EINVAL, port_set("t", "live", "1"));
	ASSERT_OK(port_set("t", "address", "0x1002"));
	EXPECT_ERRNO(EINVAL, port_set("t", "live", "1"));
	ASSERT_OK(port_set("t", "address", "0x1004"));
	EXPECT_OK(port_set("t", "live", "0"));
	EXPECT_OK(port_set("t", "live", "1"));
	EXPECT_STREQ("1", port_get("t", "live"));
	EXPECT_ERRNO(EBUSY, port_set("t", "live", "1"));
	EXPECT_ERRNO(EBUSY, port_set("t", "channel", "dma0chan1"));
	EXPECT_ERRNO(EBUSY, port_set("t", "direction", "rx"));
	EXPECT_ERRNO(EBUSY, port_set("t", "address", "4"));
	EXPECT_ERRNO(EBUSY, port_set("t", "width", "4"));
	EXPECT_ERRNO(EBUSY, port_set("t", "burst", "4"));
	EXPECT_OK(port_set("t", "live", "0"));
	EXPECT_STREQ("0", port_get("t", "live"));
	EXPECT_OK(port_set("t", "burst", "4"));
	port_make("dma0chan0");
	EXPECT_OK(port_set("dma0chan0", "channel", "dma0chan0"));
	EXPECT_OK(port_set("dma0chan0", "address", "0x1000"));
	EXPECT_ERRNO(EINVAL, port_set("dma0chan0", "live", "1"));
	EXPECT_OK(port_remove("dma0chan0"));
}

/* ---- the list ---- */

/* The entry of that name; false if there is none. */
static bool find_entry(int ctx, const char *name, struct dmafd_chan_entry *entry)
{
	static struct dmafd_chan_entry entries[256];
	struct dmafd_chan_list list = {
		.size = sizeof(list), .entries = (uintptr_t)entries, .capacity = 256,
		.entry_size = sizeof(*entries),
	};
	unsigned int i, count = 0;

	ASSERT_OK(ioctl(ctx, DMAFD_CHAN_LIST, &list));
	for (i = 0; i < list.out_count; i++) {
		if (strcmp(entries[i].name, name))
			continue;
		*entry = entries[i];
		count++;
	}
	EXPECT_LE(count, 1);
	return count;
}

TEST_F(ports, list)
{
	struct dmafd_chan_entry entry;
	int chan;

	ASSERT_TRUE(find_entry(self->bench.ctx, "source", &entry));
	EXPECT_EQ(DMAFD_ENTRY_PORT | DMAFD_ENTRY_RX, entry.flags);
	EXPECT_TRUE(entry.caps & DMAFD_CAP_SLAVE);
	EXPECT_STREQ("", entry.device);
	ASSERT_TRUE(find_entry(self->bench.ctx, "sink", &entry));
	EXPECT_EQ(DMAFD_ENTRY_PORT | DMAFD_ENTRY_TX, entry.flags);
	ASSERT_OK(chan = chan_open(self->bench.ctx, "sink", 0, 0));
	ASSERT_TRUE(find_entry(self->bench.ctx, "sink", &entry));
	EXPECT_EQ(DMAFD_ENTRY_PORT | DMAFD_ENTRY_TX | DMAFD_ENTRY_BUSY, entry.flags);
	EXPECT_STREQ(self->bench.device, entry.device);
	EXPECT_TRUE(entry.caps & DMAFD_CAP_CYCLIC);
	close(chan);
	ASSERT_TRUE(find_entry(self->bench.ctx, "sink", &entry));
	EXPECT_EQ(DMAFD_ENTRY_PORT | DMAFD_ENTRY_TX, entry.flags);
	ASSERT_OK(port_set("sink", "live", "0"));
	EXPECT_FALSE(find_entry(self->bench.ctx, "sink", &entry));
}

/* ---- opening ---- */

TEST_F(ports, open)
{
	struct dmafd_chan_info info;
	int chan;

	ASSERT_OK(chan = chan_open(self->bench.ctx, "source", 0, 0));
	EXPECT_ERRNO(EBUSY, chan_open(self->bench.ctx, "source", 0, 0));
	chan_info(chan, &info);
	EXPECT_STREQ("source", info.out_name);
	EXPECT_STREQ(self->bench.device, info.out_device);
	EXPECT_EQ(DMAFD_INFO_RX | DMAFD_INFO_PAUSE, info.out_flags & ~DMAFD_INFO_SYNC);
	EXPECT_EQ(4, info.out_width);
	EXPECT_ERRNO(EBUSY, port_set("source", "live", "0"));
	close(chan);
	ASSERT_OK(chan = chan_open(self->bench.ctx, "source", DMAFD_CAP_SLAVE, 0));
	close(chan);
	EXPECT_OK(port_set("source", "live", "0"));
	EXPECT_ERRNO(ENODEV, chan_open(self->bench.ctx, "source", 0, 0));
	ASSERT_OK(chan = chan_open(self->bench.ctx, "sink", 0, 0));
	chan_info(chan, &info);
	EXPECT_EQ(DMAFD_INFO_TX | DMAFD_INFO_PAUSE, info.out_flags & ~DMAFD_INFO_SYNC);
	close(chan);
}

/* A channel is no port, and is not taken for one. */
TEST_F(ports, no_port)
{
	struct dmafd_chan_info info;
	char name[64];
	int chan;

	snprintf(name, sizeof(name), "%schan0", self->bench.dma);
	EXPECT_ERRNO(EINVAL, chan_open(self->bench.ctx, "", DMAFD_CAP_SLAVE, 0));
	EXPECT_ERRNO(EOPNOTSUPP, chan_open(self->bench.ctx, name, DMAFD_CAP_SLAVE, 0));
	EXPECT_ERRNO(ENODEV, chan_open(self->bench.ctx, "nothing", DMAFD_CAP_SLAVE, 0));
	EXPECT_ERRNO(EOPNOTSUPP, chan_open(self->bench.ctx, "source", 0x8000, 0));
	ASSERT_OK(chan = chan_open(self->bench.ctx, name, 0, 0));
	chan_info(chan, &info);
	EXPECT_EQ(DMAFD_INFO_PAUSE, info.out_flags & ~DMAFD_INFO_SYNC);
	EXPECT_EQ(0, info.out_width);
	close(chan);
}

/* By the channel's own name; it is not to be had otherwise meanwhile. */
TEST_F(ports, named_channel)
{
	struct dmafd_chan_entry entry;
	char name[64];
	int chan;

	snprintf(name, sizeof(name), "%schan5", self->bench.dma);
	port_up("t", name, "rx", REGISTER(2), 2, 2);
	ASSERT_OK(chan = chan_open(self->bench.ctx, "t", 0, 0));
	EXPECT_ERRNO(EBUSY, chan_open(self->bench.ctx, name, 0, 0));
	EXPECT_FALSE(find_entry(self->bench.ctx, name, &entry));
	close(chan);
	ASSERT_OK(chan = chan_open(self->bench.ctx, name, 0, 0));
	EXPECT_ERRNO(EBUSY, chan_open(self->bench.ctx, "t", 0, 0));
	close(chan);
	EXPECT_OK(port_remove("t"));
	port_up("t", "dma999chan0", "rx", REGISTER(2), 2, 2);
	EXPECT_ERRNO(ENODEV, chan_open(self->bench.ctx, "t", 0, 0));
}

/* Two ports may be of the same client. */
TEST_F(ports, same_client)
{
	int one, other;

	port_up("t", "bench-source:rx", "rx", REGISTER(2), 4, 4);
	ASSERT_OK(one = chan_open(self->bench.ctx, "t", 0, 0));
	ASSERT_OK(other = chan_open(self->bench.ctx, "source", 0, 0));
	close(one);
	close(other);
}

/* What the controller cannot do, or has not got, shows when the port is opened. */
TEST_F(ports, unfit)
{
	static const struct {
		const char *channel, *direction;
		unsigned long long address;
		unsigned int width, burst;
		int error;
	} ports[] = {
		{ "bench-none:rx", "rx", REGISTER(2), 4, 4, ENODEV },
		{ "bench-source:none", "rx", REGISTER(2), 4, 4, ENODEV },
		{ "bench-source:rx", "rx", REGISTER(7), 4, 4, EOPNOTSUPP },
		{ "bench-source:rx", "rx", REGISTER(2), 16, 4, EOPNOTSUPP },
		{ "bench-source:rx", "rx", REGISTER(2), 128, 4, EOPNOTSUPP },
		{ "bench-source:rx", "rx", REGISTER(2), 4, 100000, EOPNOTSUPP },
	};
	size_t i;

	for (i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		port_up("t", ports[i].channel, ports[i].direction, ports[i].address,
			ports[i].width, ports[i].burst);
		EXPECT_ERRNO(ports[i].error, chan_open(self->bench.ctx, "t", 0, 0));
		EXPECT_OK(port_remove("t"));
	}
}

/* ---- the end ---- */

static void is_lost(int chan)
{
	struct dmafd_chan_info info = { .size = sizeof(info) };
	struct dmafd_completion completion;
	struct pollfd fd = { .fd = chan, .events = POLLIN };
	struct dmafd_op nop = nop_op(0);
	struct dmafd_status status;

	EXPECT_EQ(1, poll(&fd, 1, 0));
	EXPECT_EQ(POLLHUP | POLLERR, fd.revents);
	EXPECT_ERRNO(ENODEV, submit(chan, &nop, 1));
	EXPECT_ERRNO(ENODEV, read(chan, &completion, sizeof(completion)));
	EXPECT_ERRNO(ENODEV, ioctl(chan, DMAFD_CHAN_INFO, &info));
	EXPECT_ERRNO(ENODEV, pause_chan(chan, 0));
	status_of(chan, &status);
	EXPECT_EQ(DMAFD_STATE_GONE, status.out_state);
	EXPECT_EQ(0, status.out_queued);
}

TEST_F(ports, removed_while_open)
{
	int chan, again;

	ASSERT_OK(chan = chan_open(self->bench.ctx, "sink", 0, 0));
	ASSERT_OK(port_remove("sink"));
	is_lost(chan);
	port_up("sink", "bench-sink:tx", "tx", REGISTER(3), 4, 4);
	ASSERT_OK(again = chan_open(self->bench.ctx, "sink", 0, 0));
	is_lost(chan);
	close(chan);
	EXPECT_ERRNO(EBUSY, port_set("sink", "live", "0"));
	close(again);
	EXPECT_OK(port_set("sink", "live", "0"));
}

TEST_F(ports, modules_are_held)
{
	EXPECT_NE(0, system("rmmod dmafd 2>/dev/null"));
	EXPECT_OK(port_set("sink", "live", "0"));
	EXPECT_NE(0, system("rmmod dmafd 2>/dev/null"));
}
