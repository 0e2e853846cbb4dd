// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmasim: controllers and clients that the device tree describes
 * (boards/overlays/dmasim.dts).
 */
#include "common/sim.h"

#include <stdio.h>
#include <unistd.h>

#define NODES	"/proc/device-tree/soc/"
#define LINES	"soc:simtest-lines"
#define CHANNEL	"soc:simtest-channels"

FIXTURE(tree) { char unused; };

FIXTURE_SETUP(tree)
{
	if (access(NODES "dmasim-lines", F_OK))
		SKIP("the device tree has no dmasim");
	if (!sim_has_module("dmasim"))
		ASSERT_OK(sim_modprobe("dmasim controller=0"));
	if (!sim_has_module("simtest"))
		ASSERT_EQ(0, system("insmod tests/kmod/simtest.ko"));
	st_open();
}

FIXTURE_TEARDOWN(tree)
{
	st_close();
}

TEST_F(tree, options)
{
	struct simtest_caps caps;

	ASSERT_OK(st_request_as(0, LINES, "tx"));
	st_caps(0, &caps);
	EXPECT_EQ(BY_SEGMENT, caps.residue);
	EXPECT_EQ(65536, caps.max_segment);
}

TEST_F(tree, by_line)
{
	struct simtest_caps tx, rx;
	struct simtest_tx end;
	uint64_t src, dst;

	ASSERT_OK(st_request_as(0, LINES, "tx"));
	ASSERT_OK(st_request_as(1, LINES, "rx"));
	st_caps(0, &tx);
	st_caps(1, &rx);
	EXPECT_NE(tx.id, rx.id);
	EXPECT_ERRNO(EINVAL, st_fifo(0, 0xd0006000, 4, 4));
	ASSERT_OK(st_fifo(0, 0xd0005000, 4, 4));
	ASSERT_OK(st_fifo(1, 0xd0005000, 4, 4));
	src = st_buffer(0, 0, 16384, TO_DEVICE, 1);
	dst = st_buffer(1, 1, 16384, FROM_DEVICE, 2);
	ASSERT_OK(st_prep_slave(0, 0, MEM_TO_DEV, src, 16384));
	ASSERT_OK(st_prep_slave(1, 1, DEV_TO_MEM, dst, 16384));
	ASSERT_OK(st_go(0, 0));
	ASSERT_OK(st_go(1, 1));
	ASSERT_OK(st_wait(1, 1, &end));
	EXPECT_EQ(NO_ERROR, end.result);
	ASSERT_OK(st_unmap(1));
	st_expect(1, 16384, 1);
}

TEST_F(tree, source)
{
	uint16_t data[512];
	uint64_t dst;

	ASSERT_OK(st_request_as(0, LINES, "counter"));
	ASSERT_OK(st_fifo(0, 0xd0006000, 2, 8));
	dst = st_buffer(0, 0, sizeof(data), FROM_DEVICE, 1);
	ASSERT_OK(st_prep_slave(0, 0, DEV_TO_MEM, dst, sizeof(data)));
	st_run(0, 0, NO_ERROR, 0);
	ASSERT_OK(st_unmap(0));
	st_read(0, 0, data, sizeof(data));
	for (unsigned int i = 0; i < 512; i++)
		ASSERT_EQ(i, data[i]);
}

TEST_F(tree, by_channel)
{
	struct simtest_caps caps;

	ASSERT_OK(st_request_as(0, CHANNEL, "three"));
	st_caps(0, &caps);
	EXPECT_EQ(3, caps.id);
	EXPECT_NE(0, st_request_as(1, CHANNEL, "three"));
	EXPECT_NE(0, st_request_as(2, CHANNEL, "none"));
	EXPECT_NE(0, st_request_as(3, CHANNEL, "nothing"));
}

TEST_F(tree, module_is_held)
{
	ASSERT_OK(st_request_as(0, LINES, "rx"));
	EXPECT_EQ(-1, sim_rmmod("dmasim"));
	ASSERT_OK(st_chan(0, SIMTEST_RELEASE));
	EXPECT_OK(sim_rmmod("dmasim"));
	EXPECT_NE(0, st_request_as(0, LINES, "rx"));
	ASSERT_OK(sim_modprobe("dmasim controller=0"));
	EXPECT_OK(st_request_as(0, LINES, "rx"));
}
