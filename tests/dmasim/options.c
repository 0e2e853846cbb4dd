// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmasim: each option of controllers and peripherals, good and bad, and what
 * the channels then say of themselves.
 */
#include "common/sim.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

FIXTURE_SETUP(dmasim)
{
	sim_setup();
}

FIXTURE_TEARDOWN(dmasim)
{
	sim_teardown();
}

#define PERIPHERAL	"peripherals/p/"

/* A value that is taken, and what is then read. */
struct good {
	const char *option, *value, *shown;
};

/* A value that is refused, and how. */
struct bad {
	const char *option, *value;
	int error;
};

static void take(const struct good *good, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		printf("%s=%s\n", good[i].option, good[i].value);
		EXPECT_OK(sim_set(SIM, good[i].option, good[i].value));
		EXPECT_STREQ(good[i].shown, sim_get(SIM, good[i].option));
	}
}

/* Whether the kernel's log says something of dmasim from here on. */
static bool has_said(int log)
{
	char record[2048];
	bool said = false;
	ssize_t n;

	while ((n = read(log, record, sizeof(record) - 1)) > 0) {
		record[n] = '\0';
		said |= !!strstr(record, "dmasim");
	}
	return said;
}

static void refuse(const struct bad *bad, size_t count)
{
	char before[4096];
	int log;

	ASSERT_OK(log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK));
	for (size_t i = 0; i < count; i++) {
		printf("%s=%.40s\n", bad[i].option, bad[i].value);
		snprintf(before, sizeof(before), "%s", sim_get(SIM, bad[i].option));
		lseek(log, 0, SEEK_END);
		EXPECT_ERRNO(bad[i].error, sim_set(SIM, bad[i].option, bad[i].value));
		EXPECT_STREQ(before, sim_get(SIM, bad[i].option));
		EXPECT_TRUE(has_said(log));
	}
	close(log);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct good good_values[] = {
	{ "physical", "1", "1" }, { "physical", "64", "64" }, { "physical", "0x10", "16" },
	{ "channels", "1", "1" }, { "channels", "1K", "1024" },
	{ "types", "memcpy", "memcpy" }, { "types", "cyclic, slave", "slave cyclic" },
	{ "types", "memcpy|memset|memset_sg|xor|slave|cyclic|interleave|interrupt|repeat",
	  "memcpy memset memset_sg xor slave cyclic interleave interrupt repeat" },
	{ "directions", "mem_to_mem", "mem_to_mem" },
	{ "directions", "dev_to_mem mem_to_dev", "mem_to_dev dev_to_mem" },
	{ "view", "iommu", "iommu" }, { "view", "noncoherent", "noncoherent" },
	{ "view", "flat", "flat" },
	{ "line_size", "4", "4" }, { "line_size", "4096", "4096" },
	{ "dma_bits", "24", "24" }, { "dma_bits", "64", "64" },
	{ "max_segment", "64", "64" }, { "max_segment", "4294967295", "4294967295" },
	{ "max_burst", "1", "1" }, { "max_burst", "65536", "65536" },
	{ "max_sg", "0", "0" }, { "max_sg", "65536", "65536" },
	{ "align", "1", "1" }, { "align", "256", "256" },
	{ "widths", "1", "1" }, { "widths", "16,8 4 3 2 1", "1 2 3 4 8 16" },
	{ "max_xor", "2", "2" }, { "max_xor", "32", "32" },
	{ "descriptors", "1", "1" }, { "descriptors", "1M", "1048576" },
	{ "residue", "descriptor", "descriptor" }, { "residue", "segment", "segment" },
	{ "residue", "burst", "burst" },
	{ "pause", "0", "0" }, { "pause", "1", "1" },
	{ "reuse", "0", "0" }, { "reuse", "1", "1" },
	{ "private", "0", "0" }, { "private", "1", "1" },
	{ "bandwidth", "0", "0" }, { "bandwidth", "100M", "104857600" },
	{ "bandwidth", "1024G", "1099511627776" },
	{ "latency_ns", "0", "0" }, { "latency_ns", "1000000000", "1000000000" },
	{ "translation", "channel", "channel" }, { "translation", "line", "line" },
	{ "priority", "0-3:7 12:1", "0-3:7 12-12:1" }, { "priority", "1023:7", "1023-1023:7" },
	{ "priority", "", "" },
};

TEST_F(dmasim, good_values)
{
	take(good_values, COUNT(good_values));
}

static const struct bad bad_values[] = {
	{ "physical", "0", ERANGE }, { "physical", "65", ERANGE },
	{ "physical", "", EINVAL }, { "physical", "four", EINVAL },
	{ "physical", "-1", EINVAL }, { "physical", "4x", EINVAL },
	{ "physical", "18446744073709551617", ERANGE },
	{ "channels", "0", ERANGE }, { "channels", "1025", ERANGE },
	{ "types", "", EINVAL }, { "types", "memcpy copy", EINVAL },
	{ "types", "mem", EINVAL }, { "types", "memcpyx", EINVAL },
	{ "directions", "dev_to_dev", EINVAL }, { "directions", " ", EINVAL },
	{ "view", "curved", EINVAL }, { "view", "", EINVAL },
	{ "line_size", "2", ERANGE }, { "line_size", "8192", ERANGE },
	{ "line_size", "48", EINVAL },
	{ "dma_bits", "23", ERANGE }, { "dma_bits", "65", ERANGE },
	{ "max_segment", "63", ERANGE }, { "max_segment", "4294967296", ERANGE },
	{ "max_burst", "0", ERANGE }, { "max_burst", "65537", ERANGE },
	{ "max_sg", "65537", ERANGE },
	{ "align", "0", ERANGE }, { "align", "3", EINVAL }, { "align", "512", ERANGE },
	{ "widths", "", EINVAL }, { "widths", "5", EINVAL }, { "widths", "32", EINVAL },
	{ "widths", "1 x", EINVAL },
	{ "max_xor", "1", ERANGE }, { "max_xor", "33", ERANGE },
	{ "descriptors", "0", ERANGE }, { "descriptors", "1048577", ERANGE },
	{ "residue", "byte", EINVAL },
	{ "pause", "2", EINVAL }, { "reuse", "", EINVAL }, { "private", "x", EINVAL },
	{ "bandwidth", "1025G", ERANGE }, { "bandwidth", "18014398509481985K", ERANGE },
	{ "bandwidth", "16E", EINVAL }, { "bandwidth", "K", EINVAL },
	{ "bandwidth", "fast", EINVAL },
	{ "latency_ns", "1000000001", ERANGE },
	{ "translation", "lines", EINVAL },
	{ "priority", "0:8", EINVAL }, { "priority", "1024:1", EINVAL },
	{ "priority", "3-2:1", EINVAL }, { "priority", "1", EINVAL },
	{ "priority", "1:1 x", EINVAL },
};

TEST_F(dmasim, bad_values)
{
	refuse(bad_values, COUNT(bad_values));
}

static const struct good good_peripheral[] = {
	{ PERIPHERAL "kind", "source", "source" }, { PERIPHERAL "kind", "sink", "sink" },
	{ PERIPHERAL "kind", "loopback", "loopback" },
	{ PERIPHERAL "line", "0", "0" }, { PERIPHERAL "line", "65535", "65535" },
	{ PERIPHERAL "address", "0xfe000000", "4261412864" },
	{ PERIPHERAL "depth", "1", "1" }, { PERIPHERAL "depth", "16M", "16777216" },
	{ PERIPHERAL "rate", "0", "0" }, { PERIPHERAL "rate", "96000", "96000" },
	{ PERIPHERAL "pattern", "counter16", "counter16" },
	{ PERIPHERAL "pattern", "counter32", "counter32" },
	{ PERIPHERAL "pattern", "values", "values" },
	{ PERIPHERAL "pattern", "counter8", "counter8" },
	{ PERIPHERAL "tx_client", "simtest:tx", "simtest:tx" },
	{ PERIPHERAL "tx_client", "0000:00:01.0:tx", "0000:00:01.0:tx" },
	{ PERIPHERAL "tx_client", "", "" }, { PERIPHERAL "rx_client", "simtest:rx", "simtest:rx" },
};

static const struct bad bad_peripheral[] = {
	{ PERIPHERAL "kind", "drain", EINVAL }, { PERIPHERAL "line", "65536", ERANGE },
	{ PERIPHERAL "line", "-1", EINVAL }, { PERIPHERAL "address", "here", EINVAL },
	{ PERIPHERAL "address", "0x8000000000000000", ERANGE },
	{ PERIPHERAL "depth", "0", ERANGE }, { PERIPHERAL "depth", "16777217", ERANGE },
	{ PERIPHERAL "rate", "1025G", ERANGE }, { PERIPHERAL "pattern", "noise", EINVAL },
	{ PERIPHERAL "tx_client", "simtest", EINVAL }, { PERIPHERAL "tx_client", ":tx", EINVAL },
	{ PERIPHERAL "rx_client", "simtest:", EINVAL },
	{ PERIPHERAL "rx_client",
	  "a-name-that-is-much-longer-than-any-name-of-a-device-has-ever-been:rx", ERANGE },
};

TEST_F(dmasim, peripheral)
{
	sim_peripheral(SIM, "p", "");
	EXPECT_STREQ("4096", sim_get(SIM, PERIPHERAL "depth"));
	take(good_peripheral, COUNT(good_peripheral));
	refuse(bad_peripheral, COUNT(bad_peripheral));
}

TEST_F(dmasim, names_of_peripherals)
{
	EXPECT_ERRNO(ENAMETOOLONG,
		     mkdir(SIM_ROOT "/" SIM "/peripherals/abcdefghijklmnopqrstuvwxyz-abcde", 0755));
	EXPECT_OK(mkdir(SIM_ROOT "/" SIM "/peripherals/abcdefghijklmnopqrstuvwxyz-abcd", 0755));
	EXPECT_ERRNO(EEXIST, mkdir(SIM_ROOT "/" SIM, 0755));
}

/* While the controller lives, nothing is changed. */
TEST_F(dmasim, busy_while_live)
{
	char before[4096];
	size_t i;

	sim_peripheral(SIM, "p", "");
	sim_start(SIM, "");
	for (i = 0; i < COUNT(good_values); i++) {
		snprintf(before, sizeof(before), "%s", sim_get(SIM, good_values[i].option));
		EXPECT_ERRNO(EBUSY, sim_set(SIM, good_values[i].option, good_values[i].value));
		EXPECT_STREQ(before, sim_get(SIM, good_values[i].option));
	}
	for (i = 0; i < COUNT(good_peripheral); i++)
		EXPECT_ERRNO(EBUSY, sim_set(SIM, good_peripheral[i].option,
					    good_peripheral[i].value));
	EXPECT_ERRNO(EBUSY, mkdir(SIM_ROOT "/" SIM "/peripherals/q", 0755));
	EXPECT_ERRNO(EBUSY, sim_set(SIM, "live", "1"));
	EXPECT_ERRNO(EINVAL, sim_set(SIM, "live", "maybe"));
	EXPECT_STREQ("1", sim_get(SIM, "live"));
	EXPECT_OK(sim_set(SIM, "live", "0"));
	EXPECT_OK(sim_set(SIM, "live", "0"));
	EXPECT_OK(sim_set(SIM, "physical", "2"));
}

TEST_F(dmasim, not_live)
{
	EXPECT_STREQ("0", sim_get(SIM, "live"));
	EXPECT_STREQ("", sim_get(SIM, "device"));
	EXPECT_STREQ("", sim_get(SIM, "dma"));
	EXPECT_STREQ("", sim_get(SIM, "inject"));
	EXPECT_ERRNO(ENODEV, sim_set(SIM, "inject", "fail"));
}

/* Options that are good alone, but not together: it does not live, and says why. */
static void refuse_together(const char *option, const char *value, const char *option2,
			    const char *value2)
{
	char was[4096], was2[4096];
	int log;

	snprintf(was, sizeof(was), "%s", sim_get(SIM, option));
	snprintf(was2, sizeof(was2), "%s", sim_get(SIM, option2));
	ASSERT_OK(sim_set(SIM, option, value));
	ASSERT_OK(sim_set(SIM, option2, value2));
	ASSERT_OK(log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK));
	lseek(log, 0, SEEK_END);
	printf("%s=%s %s=%s\n", option, value, option2, value2);
	EXPECT_ERRNO(EINVAL, sim_set(SIM, "live", "1"));
	EXPECT_TRUE(has_said(log));
	EXPECT_STREQ("0", sim_get(SIM, "live"));
	close(log);
	ASSERT_OK(sim_set(SIM, option, was));
	ASSERT_OK(sim_set(SIM, option2, was2));
}

TEST_F(dmasim, not_together)
{
	refuse_together("types", "slave", "directions", "mem_to_mem");
	refuse_together("types", "repeat", "view", "flat");
	refuse_together("max_segment", "64", "align", "128");
	sim_peripheral(SIM, "p", "line=4");
	sim_peripheral(SIM, "q", "line=5");
	refuse_together(PERIPHERAL "line", "5", "view", "flat");
	refuse_together(PERIPHERAL "address", "0x1000", "peripherals/q/address", "0x1000");
	refuse_together(PERIPHERAL "pattern", "values", PERIPHERAL "kind", "source");
	refuse_together(PERIPHERAL "kind", "source", PERIPHERAL "tx_client", "a:b");
	refuse_together(PERIPHERAL "kind", "sink", PERIPHERAL "rx_client", "a:b");
	EXPECT_OK(sim_set(SIM, "live", "1"));
}

/* ---- what a channel says of itself ---- */

TEST_F(dmasim, capabilities)
{
	struct simtest_caps caps;

	ASSERT_OK(sim_set(SIM, "widths", "2,4,16"));
	ASSERT_OK(sim_set(SIM, "directions", "dev_to_mem"));
	ASSERT_OK(sim_set(SIM, "residue", "segment"));
	ASSERT_OK(sim_set(SIM, "dma_bits", "40"));
	sim_start(SIM, "max_burst=77 max_sg=5 align=16 max_xor=3 max_segment=8K pause=0 reuse=0");
	ASSERT_OK(st_request(0, sim_channel(SIM, 3)));
	st_caps(0, &caps);
	EXPECT_STREQ(sim_channel(SIM, 3), caps.name);
	EXPECT_EQ(3, caps.id);
	EXPECT_EQ(1 << 2 | 1 << 4 | 1 << 16, caps.src_widths);
	EXPECT_EQ(1 << 2 | 1 << 4 | 1 << 16, caps.dst_widths);
	EXPECT_EQ(1 << DEV_TO_MEM, caps.directions);
	EXPECT_EQ(77, caps.max_burst);
	EXPECT_EQ(5, caps.max_sg_burst);
	EXPECT_EQ(4, caps.copy_align);
	EXPECT_EQ(3, caps.max_xor);
	EXPECT_EQ(8192, caps.max_segment);
	EXPECT_EQ(0, caps.pause);
	EXPECT_EQ(0, caps.resume);
	EXPECT_EQ(1, caps.terminate);
	EXPECT_EQ(0, caps.reuse);
	EXPECT_EQ(BY_SEGMENT, caps.residue);
	EXPECT_EQ((1ULL << 40) - 1, caps.mask);
}

TEST_F(dmasim, other_capabilities)
{
	struct simtest_caps caps;

	sim_start(SIM, "residue=descriptor");
	ASSERT_OK(st_request(0, sim_channel(SIM, 0)));
	st_caps(0, &caps);
	EXPECT_EQ(1, caps.pause);
	EXPECT_EQ(1, caps.resume);
	EXPECT_EQ(1, caps.reuse);
	EXPECT_EQ(BY_DESCRIPTOR, caps.residue);
	EXPECT_EQ(~0ULL, caps.mask);
}

/* One type at a time. */
TEST_F(dmasim, types)
{
	static const struct {
		const char *name;
		unsigned int cap;
	} types[] = {
		{ "memcpy", CAP_MEMCPY }, { "memset", CAP_MEMSET }, { "memset_sg", CAP_MEMSET_SG },
		{ "xor", CAP_XOR }, { "slave", CAP_SLAVE }, { "cyclic", CAP_CYCLIC },
		{ "interleave", CAP_INTERLEAVE }, { "interrupt", CAP_INTERRUPT },
	};
	struct simtest_caps caps;

	for (size_t i = 0; i < COUNT(types); i++) {
		printf("%s\n", types[i].name);
		sim_start(SIM, "");
		ASSERT_OK(sim_set(SIM, "live", "0"));
		ASSERT_OK(sim_set(SIM, "types", types[i].name));
		ASSERT_OK(sim_set(SIM, "live", "1"));
		ASSERT_OK(st_request(0, sim_channel(SIM, 0)));
		/* Without slaves, the DMA engine tells no capabilities. */
		if (types[i].cap == CAP_SLAVE || types[i].cap == CAP_CYCLIC) {
			st_caps(0, &caps);
			EXPECT_EQ(1 << types[i].cap | 1 << CAP_PRIVATE, caps.types);
		}
		if (strcmp(types[i].name, "memcpy"))
			EXPECT_ERRNO(EREMOTEIO, st_prep_copy(0, 0, 0x1000, 0x2000, 64));
		else
			EXPECT_OK(st_prep_copy(0, 0, 0x1000, 0x2000, 64));
		ASSERT_OK(st_chan(0, SIMTEST_RELEASE));
		ASSERT_OK(sim_set(SIM, "live", "0"));
	}
}
