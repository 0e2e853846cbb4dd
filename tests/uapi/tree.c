// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ports that the device tree describes (boards/overlays/dmasim.dts).
 */
#include "common/bench.h"

#include <stdio.h>
#include <unistd.h>

#define NODES	"/proc/device-tree/soc/"
#define DRIVER	"/sys/bus/platform/drivers/dmafd-port"
#define SIZE	16384

FIXTURE(tree) { int ctx, tx, rx; };

FIXTURE_SETUP(tree)
{
	if (access(NODES "port-loop", F_OK))
		SKIP("the device tree has no ports");
	ASSERT_EQ(0, system("modprobe dmasim controller=0 && modprobe dmafd"));
	self->tx = -1;
	self->rx = -1;
	ASSERT_OK(self->ctx = ctx_open());
}

FIXTURE_TEARDOWN(tree)
{
	if (self->tx >= 0)
		close(self->tx);
	if (self->rx >= 0)
		close(self->rx);
	close(self->ctx);
}

/* All ports by name: true if there is one, which is then in *entry. */
static bool find(int ctx, const char *name, struct dmafd_chan_entry *entry)
{
	static struct dmafd_chan_entry all[256];
	struct dmafd_chan_list list = {
		.size = sizeof(list), .entries = (uintptr_t)all, .capacity = 256,
		.entry_size = sizeof(*all),
	};

	ASSERT_OK(ioctl(ctx, DMAFD_CHAN_LIST, &list));
	for (unsigned int i = 0; i < list.out_count; i++) {
		*entry = all[i];
		if (entry->flags & DMAFD_ENTRY_PORT && !strcmp(entry->name, name))
			return true;
	}
	return false;
}

TEST_F(tree, list)
{
	struct dmafd_chan_entry entry;

	ASSERT_TRUE(find(self->ctx, "loop:tx", &entry));
	EXPECT_EQ(DMAFD_ENTRY_PORT | DMAFD_ENTRY_TX, entry.flags);
	ASSERT_TRUE(find(self->ctx, "loop:rx", &entry));
	EXPECT_EQ(DMAFD_ENTRY_PORT | DMAFD_ENTRY_RX, entry.flags);
	/* Without a label it is called by its node. */
	ASSERT_TRUE(find(self->ctx, "port-counter:rx", &entry));
	EXPECT_FALSE(find(self->ctx, "port-counter:tx", &entry));
	/* One without an address is none. */
	EXPECT_FALSE(find(self->ctx, "port-nowhere:rx", &entry));
}

TEST_F(tree, open)
{
	struct dmafd_chan_info info;

	ASSERT_OK(self->rx = chan_open(self->ctx, "port-counter:rx", DMAFD_CAP_SLAVE, 0));
	EXPECT_ERRNO(EBUSY, chan_open(self->ctx, "port-counter:rx", DMAFD_CAP_SLAVE, 0));
	chan_info(self->rx, &info);
	EXPECT_EQ(2, info.out_width);
	EXPECT_TRUE(info.out_flags & DMAFD_INFO_RX);
	EXPECT_ERRNO(ENODEV, chan_open(self->ctx, "port-nowhere:rx", DMAFD_CAP_SLAVE, 0));
}

TEST_F(tree, data)
{
	unsigned char *out = memory(SIZE, 1), *in = memory(SIZE, 2);
	struct dmafd_op to = { .opcode = DMAFD_OP_TO_DEVICE, .length = SIZE };
	struct dmafd_op from = { .opcode = DMAFD_OP_FROM_DEVICE, .length = SIZE };
	struct dmafd_completion completion;
	int src, dst;

	ASSERT_OK(self->tx = chan_open(self->ctx, "loop:tx", DMAFD_CAP_SLAVE, 0));
	ASSERT_OK(self->rx = chan_open(self->ctx, "loop:rx", DMAFD_CAP_SLAVE, 0));
	ASSERT_OK(src = reg(self->ctx, out, SIZE, DMAFD_BUF_READ));
	ASSERT_OK(dst = reg(self->ctx, in, SIZE, DMAFD_BUF_WRITE));
	to.src_buf = src;
	from.dst_buf = dst;
	ASSERT_EQ(1, submit(self->rx, &from, 1));
	run_well(self->tx, &to);
	take(self->rx, &completion, 1);
	EXPECT_EQ(0, completion.status);
	EXPECT_EQ(SIZE, completion.bytes);
	EXPECT_EQ(0, memcmp(out, in, SIZE));
}

/* Who has it open loses it with its driver, and gets it back with that. */
TEST_F(tree, unbind)
{
	struct dmafd_op from = { .opcode = DMAFD_OP_FROM_DEVICE, .length = SIZE };
	struct dmafd_completion completion;
	struct dmafd_chan_entry entry;
	int dst;

	ASSERT_OK(self->rx = chan_open(self->ctx, "loop:rx", DMAFD_CAP_SLAVE, 0));
	ASSERT_OK(dst = reg(self->ctx, memory(SIZE, 1), SIZE, DMAFD_BUF_WRITE));
	from.dst_buf = dst;
	ASSERT_EQ(1, submit(self->rx, &from, 1));
	put_text(DRIVER "/unbind", "soc:port-loop");
	take(self->rx, &completion, 1);
	EXPECT_EQ(-ENODEV, completion.status);
	EXPECT_ERRNO(ENODEV, submit_error(self->rx, &from));
	EXPECT_FALSE(find(self->ctx, "loop:rx", &entry));
	close(self->rx);
	put_text(DRIVER "/bind", "soc:port-loop");
	ASSERT_OK(self->rx = chan_open(self->ctx, "loop:rx", DMAFD_CAP_SLAVE, 0));
}
