// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmasim: the module, and controllers that come and go, in each order.
 */
#include "common/sim.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

FIXTURE_SETUP(dmasim)
{
	sim_setup();
}

FIXTURE_TEARDOWN(dmasim)
{
	sim_teardown();
}

/* ---- the module ---- */

static unsigned int others;

static void unload(void)
{
	if (sim_has_module("simtest"))
		ASSERT_OK(sim_rmmod("simtest"));
	if (sim_has_module("dmasim"))
		ASSERT_OK(sim_rmmod("dmasim"));
	others = sim_count_channels();
}

/* So many channels are dmasim's. */
static void expect_channels(unsigned int count)
{
	EXPECT_EQ(others + count, sim_count_channels());
}

/* The same, but they may still be on their way. */
static void expect_channels_soon(unsigned int count)
{
	for (unsigned int i = 0; i < 100 && sim_count_channels() != others + count; i++)
		sim_sleep_ms(sim_ms(20));
	expect_channels(count);
}

/* The folder in debugfs of the only controller; overwritten by the next call. */
static const char *only_device(void)
{
	DIR *folder = opendir(SIM_DEBUG);
	static char name[256];
	struct dirent *entry;

	ASSERT_TRUE(folder);
	*name = '\0';
	while ((entry = readdir(folder)))
		if (!strncmp(entry->d_name, "dmasim.", 7))
			snprintf(name, sizeof(name), "%s", entry->d_name);
	closedir(folder);
	return name;
}

TEST(default_controller)
{
	char path[300], *text;

	unload();
	ASSERT_OK(sim_modprobe("dmasim"));
	expect_channels(16);
	snprintf(path, sizeof(path), SIM_DEBUG "/%s/peripherals", only_device());
	text = sim_read(path);
	ASSERT_TRUE(text);
	EXPECT_TRUE(strstr(text, "loopback: kind loopback line 1 "));
	EXPECT_TRUE(strstr(text, "source: kind source line 2 "));
	EXPECT_TRUE(strstr(text, "sink: kind sink line 3 "));
	free(text);
	ASSERT_OK(sim_rmmod("dmasim"));
	expect_channels(0);
	EXPECT_ERRNO(ENOENT, access(SIM_ROOT, F_OK));
	EXPECT_ERRNO(ENOENT, access(SIM_DEBUG, F_OK));
}

TEST(no_controller)
{
	unload();
	ASSERT_OK(sim_modprobe("dmasim controller=0"));
	expect_channels(0);
	EXPECT_STREQ("", only_device());
	EXPECT_OK(access(SIM_ROOT, F_OK));
	EXPECT_OK(sim_rmmod("dmasim"));
}

TEST(module_options)
{
	unload();
	ASSERT_OK(sim_modprobe("dmasim 'options=channels=3  physical=1 view=iommu'"));
	expect_channels(3);
	EXPECT_OK(sim_rmmod("dmasim"));
	expect_channels(0);
}

TEST(bad_module_options)
{
	static const char *const bad[] = {
		"channels=0", "channels", "chanels=1", "view=round", "types=repeat", "=1",
	};
	char arguments[128];

	unload();
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		printf("%s\n", bad[i]);
		snprintf(arguments, sizeof(arguments), "dmasim options=%s", bad[i]);
		EXPECT_EQ(-1, sim_modprobe(arguments));
		EXPECT_FALSE(sim_has_module("dmasim"));
		expect_channels(0);
		EXPECT_ERRNO(ENOENT, access(SIM_ROOT, F_OK));
		EXPECT_ERRNO(ENOENT, access(SIM_DEBUG, F_OK));
	}
	EXPECT_OK(sim_modprobe("dmasim"));
	EXPECT_OK(sim_rmmod("dmasim"));
}

/* ---- controllers and clients ---- */

static void start(const char *options)
{
	others = sim_count_channels();
	sim_start(SIM, options);
}

static void copy_once(unsigned int chan, unsigned int buf)
{
	uint64_t src = st_buffer(buf, chan, 4096, TO_DEVICE, 1);
	uint64_t dst = st_buffer(buf + 1, chan, 4096, FROM_DEVICE, 2);

	ASSERT_OK(st_prep_copy(0, chan, dst, src, 4096));
	st_run(0, chan, NO_ERROR, 0);
	ASSERT_OK(st_unmap(buf));
	ASSERT_OK(st_unmap(buf + 1));
	st_expect(buf + 1, 4096, 1);
}

TEST_F(dmasim, again_and_again)
{
	for (unsigned int i = 0; i < 20; i++) {
		start(i % 2 ? "view=iommu channels=5" : "view=flat channels=7");
		expect_channels(i % 2 ? 5 : 7);
		ASSERT_OK(st_request(0, sim_channel(SIM, 4)));
		copy_once(0, 2 * i);
		ASSERT_OK(st_chan(0, SIMTEST_RELEASE));
		ASSERT_OK(sim_set(SIM, "live", "0"));
		expect_channels(0);
		EXPECT_STREQ("", sim_get(SIM, "device"));
	}
}

TEST_F(dmasim, client_goes_first)
{
	start("");
	ASSERT_OK(st_request(0, sim_channel(SIM, 0)));
	EXPECT_NE(0, st_request(1, sim_channel(SIM, 0)));
	ASSERT_OK(st_chan(0, SIMTEST_RELEASE));
	ASSERT_OK(sim_drop(SIM));
	expect_channels(0);
	ASSERT_OK(sim_make(SIM));
}

TEST_F(dmasim, live_is_refused_while_held)
{
	start("");
	ASSERT_OK(st_request(0, sim_channel(SIM, 3)));
	EXPECT_ERRNO(EBUSY, sim_set(SIM, "live", "0"));
	EXPECT_STREQ("1", sim_get(SIM, "live"));
	copy_once(0, 0);
	ASSERT_OK(st_request(1, sim_channel(SIM, 4)));
	ASSERT_OK(st_chan(0, SIMTEST_RELEASE));
	EXPECT_ERRNO(EBUSY, sim_set(SIM, "live", "0"));
	ASSERT_OK(st_chan(1, SIMTEST_RELEASE));
	EXPECT_OK(sim_set(SIM, "live", "0"));
	expect_channels(0);
}

/* What is running, and what only waits: both end, and the client can go on. */
static void lose_controller(const char *options, const char *fault)
{
	static char second[64];
	struct simtest_tx end;
	uint64_t src, dst;
	unsigned int i;

	start(options);
	ASSERT_OK(st_request(0, sim_channel(SIM, 0)));
	ASSERT_OK(st_request(1, sim_channel(SIM, 1)));
	snprintf(second, sizeof(second), "%s", sim_channel(SIM, 2));
	src = st_buffer(0, 0, 65536, TO_DEVICE, 1);
	dst = st_buffer(1, 0, 65536, FROM_DEVICE, 2);
	ASSERT_OK(sim_set(SIM, "inject", fault));
	for (i = 0; i < 3; i++)
		ASSERT_OK(st_prep_copy(i, 0, dst, src, 65536));
	ASSERT_OK(st_go(0, 0));
	ASSERT_OK(st_go(1, 0));
	ASSERT_OK(st_submit(2));
	ASSERT_OK(sim_drop(SIM));
	for (i = 0; i < 3; i++) {
		ASSERT_OK(st_wait(i, 1, &end));
		EXPECT_EQ(ABORTED, end.result);
		EXPECT_EQ(HAS_ERROR, end.status);
	}
	EXPECT_ERRNO(EREMOTEIO, st_prep_copy(3, 0, dst, src, 64));
	EXPECT_NE(0, st_request(2, second));
	EXPECT_OK(st_unmap(0));
	EXPECT_OK(st_unmap(1));
	expect_channels(16);
	ASSERT_OK(st_chan(0, SIMTEST_RELEASE));
	expect_channels(16);
	ASSERT_OK(st_chan(1, SIMTEST_RELEASE));
	expect_channels_soon(0);
	ASSERT_OK(sim_make(SIM));
	sim_start(SIM, "");
	expect_channels(16);
}

TEST_F(dmasim, controller_goes_first)
{
	lose_controller("view=flat", "hang");
}

TEST_F(dmasim, iommu_controller_goes_first)
{
	lose_controller("view=iommu", "late arg=60000000");
}

TEST_F(dmasim, slow_controller_goes_first)
{
	lose_controller("view=noncoherent bandwidth=4096", "spurious nth=1000");
}

/* The client that waits for a FIFO, in a ring that never ends. */
TEST_F(dmasim, ring_ends_with_controller)
{
	struct simtest_tx end;
	uint64_t dst;

	sim_peripheral(SIM, "p", "line=1");
	start("");
	ASSERT_OK(st_request(0, sim_channel(SIM, 0)));
	ASSERT_OK(st_fifo(0, 0xd0001000, 4, 4));
	dst = st_buffer(0, 0, 4096, FROM_DEVICE, 1);
	ASSERT_OK(st_prep_cyclic(0, 0, DEV_TO_MEM, dst, 4096, 1024));
	ASSERT_OK(st_go(0, 0));
	sim_sleep_ms(20);
	ASSERT_OK(sim_drop(SIM));
	ASSERT_OK(st_wait(0, 1, &end));
	EXPECT_EQ(ABORTED, end.result);
	EXPECT_EQ(1, end.calls);
	st_close();
	expect_channels_soon(0);
	st_open();
	ASSERT_OK(sim_make(SIM));
}

/* A killed client is one that closes its file. */
TEST_F(dmasim, client_is_closed_in_the_middle)
{
	uint64_t src, dst;

	start("bandwidth=4096");
	ASSERT_OK(st_request(0, sim_channel(SIM, 0)));
	src = st_buffer(0, 0, 65536, TO_DEVICE, 1);
	dst = st_buffer(1, 0, 65536, FROM_DEVICE, 2);
	ASSERT_OK(st_prep_copy(0, 0, dst, src, 65536));
	ASSERT_OK(st_go(0, 0));
	ASSERT_OK(st_prep_copy(1, 0, dst, src, 65536));
	st_close();
	st_open();
	EXPECT_OK(sim_set(SIM, "live", "0"));
	expect_channels(0);
}

TEST_F(dmasim, module_is_held)
{
	start("");
	ASSERT_OK(st_request(0, sim_channel(SIM, 0)));
	EXPECT_EQ(-1, sim_rmmod("dmasim"));
	copy_once(0, 0);
	ASSERT_OK(sim_drop(SIM));
	EXPECT_EQ(-1, sim_rmmod("dmasim"));
	ASSERT_OK(st_chan(0, SIMTEST_RELEASE));
	EXPECT_OK(sim_rmmod("dmasim"));
	expect_channels(0);
	ASSERT_OK(sim_modprobe("dmasim controller=0"));
	ASSERT_OK(sim_make(SIM));
}

/* As many of each as there can be, all in use at once. */
TEST_F(dmasim, many, .timeout = 100)
{
	enum { CHANNELS = 1024 };
	struct simtest_tx end;
	uint64_t src, dst;
	unsigned int i;

	start("physical=64 channels=1024");
	expect_channels(CHANNELS);
	for (i = 0; i < CHANNELS; i++)
		ASSERT_OK(st_request(i, sim_channel(SIM, i)));
	src = st_buffer(0, 0, CHANNELS * 64, TO_DEVICE, 1);
	dst = st_buffer(1, 0, CHANNELS * 64, FROM_DEVICE, 2);
	for (i = 0; i < CHANNELS; i++)
		ASSERT_OK(st_prep_copy(i, i, dst + i * 64, src + i * 64, 64));
	for (i = 0; i < CHANNELS; i++)
		ASSERT_OK(st_go(i, i));
	for (i = 0; i < CHANNELS; i++) {
		ASSERT_OK(st_wait(i, 1, &end));
		ASSERT_EQ(NO_ERROR, end.result);
	}
	ASSERT_OK(st_unmap(1));
	st_expect(1, CHANNELS * 64, 1);
	st_close();
	st_open();
	EXPECT_OK(sim_set(SIM, "live", "0"));
	expect_channels(0);
}

TEST_F(dmasim, several)
{
	char name[16];
	unsigned int i;

	start("");
	for (i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "other%u", i);
		ASSERT_OK(sim_make(name));
		sim_start(name, "channels=2");
		ASSERT_OK(st_request(i, sim_channel(name, 1)));
		copy_once(i, 2 * i);
	}
	expect_channels(16 + 8 * 2);
	for (i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "other%u", i);
		ASSERT_OK(sim_drop(name));
	}
	st_close();
	expect_channels_soon(16);
	st_open();
}
