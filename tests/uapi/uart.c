// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text that the board's own controller writes to its UART. Whether it comes out of
 * that is for tests/uapi/console to see, which runs this one.
 */
#include "common/bench.h"

#include <stdio.h>
#include <unistd.h>

#define DATA	0x7e201000
#define LINES	64

FIXTURE(uart) { struct rig rig; };

FIXTURE_SETUP(uart)
{
	if (access("/proc/device-tree/soc/port-uart", F_OK))
		SKIP("no UART that is known here");
	rig_up(&self->rig, "flat", "");
}

FIXTURE_TEARDOWN(uart)
{
	if (!access(PORTS "/text", F_OK))
		EXPECT_OK(port_remove("text"));
	rig_down(&self->rig);
}

/* The controller knows only whole words: a letter is the lowest byte of one. */
static size_t make_words(uint32_t *words, const char *name)
{
	char line[80];
	size_t count = 0;

	for (unsigned int nr = 0; nr < LINES; nr++) {
		/* A line of its own, whatever the kernel was just writing. */
		snprintf(line, sizeof(line), "%sby %s: line %u of %u\r\n", nr ? "" : "\r\n", name,
			 nr + 1, LINES);
		for (const char *c = line; *c; c++)
			words[count++] = *c;
	}
	return count * sizeof(*words);
}

/* More than a page, and from the middle of one. */
static void write_lines(struct rig *rig, const char *port, const char *name)
{
	uint32_t *words = (uint32_t *)memory(4 * 4096, 1) + 700;
	struct dmafd_op op = { .opcode = DMAFD_OP_TO_DEVICE };
	int chan, buf;

	op.length = make_words(words, name);
	ASSERT_OK(chan = chan_open(rig->ctx, port, DMAFD_CAP_SLAVE, 0));
	ASSERT_OK(buf = reg(rig->ctx, words, op.length, DMAFD_BUF_READ));
	op.src_buf = buf;
	run_well(chan, &op);
	close(chan);
	ASSERT_OK(unreg(rig->ctx, buf));
}

TEST_F(uart, device_tree)
{
	struct dmafd_chan_info info;
	int chan;

	ASSERT_OK(chan = chan_open(self->rig.ctx, "uart:tx", DMAFD_CAP_SLAVE, 0));
	chan_info(chan, &info);
	EXPECT_EQ(4, info.out_width);
	EXPECT_EQ(DMAFD_INFO_TX, info.out_flags & (DMAFD_INFO_TX | DMAFD_INFO_RX));
	close(chan);
	write_lines(&self->rig, "uart:tx", "device tree");
}

/* By a channel's own name, which no request line leads to. */
static void port_by_name(struct rig *rig, unsigned int width)
{
	struct dmafd_chan_info info;

	chan_info(rig->chan, &info);
	close(rig->chan);
	rig->chan = -1;
	port_up("text", info.out_name, "tx", DATA, width, 1);
}

TEST_F(uart, configfs)
{
	port_by_name(&self->rig, 4);
	write_lines(&self->rig, "text", "configfs");
}

/* The controller knows no others. */
TEST_F(uart, other_widths)
{
	port_by_name(&self->rig, 1);
	EXPECT_ERRNO(EOPNOTSUPP, chan_open(self->rig.ctx, "text", DMAFD_CAP_SLAVE, 0));
}
