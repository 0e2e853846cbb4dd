// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmasim: errors on purpose, as the client sees them.
 */
#include "common/sim.h"

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

#define LEN	8192

static uint64_t source, destination;

static void start(const char *options)
{
	sim_start(SIM, options);
	ASSERT_OK(st_request(0, sim_channel(SIM, 0)));
	source = st_buffer(0, 0, LEN, TO_DEVICE, 1);
	ASSERT_OK(st_alloc(1, LEN));
	st_zero(1, 0, LEN);
	ASSERT_OK(st_map(1, 0, FROM_DEVICE, 0, LEN, &destination));
}

static void prepare(unsigned int tx, unsigned int chan)
{
	ASSERT_OK(st_prep_copy(tx, chan, destination, source, LEN));
}

/* How many bytes of the destination were written, from its beginning. */
static size_t moved(void)
{
	static uint8_t pattern[LEN], seen[LEN];
	size_t i, len = LEN;

	st_pattern(pattern, LEN, 1);
	st_read(1, 0, seen, LEN);
	while (len && !seen[len - 1])
		len--;
	/* The pattern may end in zeros there. */
	while (len < LEN && !pattern[len] && len % 64)
		len++;
	for (i = 0; i < len; i++)
		ASSERT_EQ(pattern[i], seen[i]);
	return len;
}

static void inject(const char *rule)
{
	ASSERT_OK(sim_set(SIM, "inject", rule));
}

TEST_F(dmasim, fail)
{
	start("");
	inject("fail");
	prepare(0, 0);
	st_run(0, 0, READ_FAILED, LEN);
	EXPECT_EQ(0, moved());
	prepare(1, 0);
	st_run(1, 0, NO_ERROR, 0);
	EXPECT_EQ(LEN, moved());
}

TEST_F(dmasim, abort)
{
	start("");
	inject("abort");
	prepare(0, 0);
	st_run(0, 0, ABORTED, LEN / 2);
	EXPECT_EQ(LEN / 2, moved());
}

static void cut_short(const char *rule, size_t len)
{
	struct simtest_tx end;

	start("");
	inject(rule);
	prepare(0, 0);
	ASSERT_OK(st_go(0, 0));
	ASSERT_OK(st_wait(0, 1, &end));
	EXPECT_EQ(NO_ERROR, end.result);
	EXPECT_EQ(LEN - len, end.left);
	EXPECT_EQ(IS_COMPLETE, end.status);
	EXPECT_EQ(LEN - len, end.residue);
	EXPECT_EQ(len, moved());
}

TEST_F(dmasim, short)
{
	cut_short("short", LEN / 2);
}

TEST_F(dmasim, short_by_argument)
{
	cut_short("short arg=128", 128);
}

TEST_F(dmasim, short_by_nothing)
{
	cut_short("short arg=100000", LEN);
}

/* It stands half-way until it is terminated; what comes after it waits. */
TEST_F(dmasim, hang)
{
	struct simtest_tx now;
	unsigned int i;
	char *state;

	start("");
	inject("hang");
	prepare(0, 0);
	prepare(1, 0);
	ASSERT_OK(st_go(0, 0));
	ASSERT_OK(st_go(1, 0));
	EXPECT_ERRNO(ETIME, st_wait_ms(0, 1, sim_ms(200), &now));
	for (i = 0; i < 2; i++) {
		st_status(i, &now);
		EXPECT_EQ(IN_PROGRESS, now.status);
		EXPECT_EQ(0, now.calls);
		EXPECT_EQ(i ? LEN : LEN / 2, now.residue);
	}
	state = sim_debug(SIM, "channel/0");
	EXPECT_TRUE(strstr(state, "state: hung\n"));
	free(state);
	ASSERT_OK(st_chan(0, SIMTEST_TERMINATE));
	EXPECT_EQ(LEN / 2, moved());
	EXPECT_EQ(2, sim_debug_number(SIM, "channel/0", "terminated: "));
	prepare(2, 0);
	st_run(2, 0, NO_ERROR, 0);
}

TEST_F(dmasim, late)
{
	struct simtest_tx now;
	uint64_t begin;

	start("");
	inject("late arg=300000");
	prepare(0, 0);
	begin = sim_now_ns();
	ASSERT_OK(st_go(0, 0));
	ASSERT_OK(st_wait(0, 1, &now));
	EXPECT_GE(now.first_ns - begin, 300000000ULL);
	EXPECT_EQ(NO_ERROR, now.result);
	EXPECT_EQ(1, now.calls);
	EXPECT_EQ(LEN, moved());
}

/* The data is there long before the callback. */
TEST_F(dmasim, late_data)
{
	struct simtest_tx now;
	unsigned int i;

	start("");
	inject("late arg=60000000");
	prepare(0, 0);
	ASSERT_OK(st_go(0, 0));
	for (i = 0; i < 200 && moved() < LEN; i++)
		sim_sleep_ms(sim_ms(5));
	EXPECT_EQ(LEN, moved());
	st_status(0, &now);
	EXPECT_EQ(IN_PROGRESS, now.status);
	EXPECT_EQ(0, now.calls);
	ASSERT_OK(st_chan(0, SIMTEST_TERMINATE));
	st_status(0, &now);
	EXPECT_EQ(0, now.calls);
}

TEST_F(dmasim, spurious)
{
	struct simtest_tx now;

	start("");
	inject("spurious");
	prepare(0, 0);
	ASSERT_OK(st_go(0, 0));
	ASSERT_OK(st_wait(0, 2, &now));
	EXPECT_EQ(IN_PROGRESS, now.first_status);
	EXPECT_EQ(IS_COMPLETE, now.status);
	EXPECT_EQ(NO_ERROR, now.result);
	EXPECT_ERRNO(ETIME, st_wait_ms(0, 3, sim_ms(50), &now));
	EXPECT_EQ(LEN, moved());
}

TEST_F(dmasim, iommu)
{
	char *faults, expected[64];

	start("");
	inject("iommu");
	prepare(0, 0);
	st_run(0, 0, WRITE_FAILED, LEN / 2);
	EXPECT_EQ(LEN / 2, moved());
	faults = sim_debug(SIM, "faults");
	snprintf(expected, sizeof(expected), "channel 0 write %#llx denied",
		 (unsigned long long)destination + LEN / 2);
	EXPECT_TRUE(strstr(faults, expected));
	free(faults);
}

TEST_F(dmasim, refuse)
{
	start("");
	inject("refuse nth=2");
	prepare(0, 0);
	EXPECT_ERRNO(EREMOTEIO, st_prep_copy(1, 0, destination, source, LEN));
	prepare(2, 0);
	EXPECT_EQ(1, sim_debug_number(SIM, "refusals", "injected: "));
}

/* ---- which of them ---- */

static void expect_results(const char *results)
{
	for (unsigned int i = 0; results[i]; i++) {
		printf("number %u\n", i + 1);
		prepare(i, 0);
		if (results[i] == 'f')
			st_run(i, 0, READ_FAILED, LEN);
		else
			st_run(i, 0, NO_ERROR, 0);
	}
}

TEST_F(dmasim, nth_and_count)
{
	start("");
	inject("fail nth=3 count=2");
	EXPECT_STREQ("fail nth=3 count=2 arg=0 seen=0 hit=0", sim_get(SIM, "inject"));
	expect_results("..ff..");
	EXPECT_STREQ("fail nth=3 count=2 arg=0 seen=4 hit=2", sim_get(SIM, "inject"));
}

TEST_F(dmasim, for_ever)
{
	start("");
	inject("fail nth=2 count=0");
	expect_results(".ffffffff");
	inject("off");
	EXPECT_STREQ("", sim_get(SIM, "inject"));
	expect_results("...");
}

TEST_F(dmasim, one_channel)
{
	start("");
	ASSERT_OK(st_request(1, sim_channel(SIM, 1)));
	inject("fail chan=1");
	expect_results("...");
	prepare(0, 1);
	st_run(0, 1, READ_FAILED, LEN);
	prepare(0, 1);
	st_run(0, 1, NO_ERROR, 0);
}

/* Each rule counts what it would hit, but the first that hits has its way. */
TEST_F(dmasim, several_rules)
{
	start("");
	inject("fail");
	inject("abort nth=2");
	prepare(0, 0);
	st_run(0, 0, READ_FAILED, LEN);
	prepare(0, 0);
	st_run(0, 0, ABORTED, LEN / 2);
	prepare(0, 0);
	st_run(0, 0, NO_ERROR, 0);
}

TEST_F(dmasim, bad_rules)
{
	static const char *const bad[] = {
		"", "none", "failed", "FAIL", "fail nth", "fail nth=", "fail nth=0",
		"fail nth=x", "fail nth=-1", "fail often=1", "fail chan=1024",
		"fail arg=4294967296", "fail count=1 off", "offf", "fail,nth=1",
	};
	unsigned int i;

	start("");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		printf("\"%s\"\n", bad[i]);
		EXPECT_ERRNO(EINVAL, sim_set(SIM, "inject", bad[i]));
	}
	EXPECT_STREQ("", sim_get(SIM, "inject"));
	expect_results("..");
}

TEST_F(dmasim, too_many_rules)
{
	start("");
	for (unsigned int i = 0; i < 64; i++)
		inject("fail nth=1000 chan=1023 arg=4294967295");
	EXPECT_ERRNO(ENOSPC, sim_set(SIM, "inject", "fail"));
	expect_results("..");
	inject("off");
	inject("fail");
	expect_results("f.");
}

/* Rules go with the controller. */
TEST_F(dmasim, forgotten)
{
	start("");
	inject("fail");
	st_close();
	ASSERT_OK(sim_set(SIM, "live", "0"));
	st_open();
	start("");
	EXPECT_STREQ("", sim_get(SIM, "inject"));
	expect_results(".");
}

/* ---- the kernel's own attributes ---- */

#define ATTRIBUTE(name, file)	SIM_DEBUG "/" name "/" file

static void always(const char *on)
{
	if (access(ATTRIBUTE("fail_prep", "probability"), W_OK))
		SKIP("this kernel has no fault injection");
	ASSERT_OK(sim_put(ATTRIBUTE("fail_prep", "verbose"), "0"));
	ASSERT_OK(sim_put(ATTRIBUTE("fail_transfer", "verbose"), "0"));
	ASSERT_OK(sim_put(ATTRIBUTE("fail_map", "verbose"), "0"));
	ASSERT_OK(sim_put(ATTRIBUTE("fail_prep", "times"), "1"));
	ASSERT_OK(sim_put(ATTRIBUTE("fail_transfer", "times"), "1"));
	ASSERT_OK(sim_put(ATTRIBUTE("fail_map", "times"), "1"));
	ASSERT_OK(sim_put(on, "100"));
}

TEST_F(dmasim, attribute_fail_prep)
{
	start("");
	always(ATTRIBUTE("fail_prep", "probability"));
	EXPECT_ERRNO(EREMOTEIO, st_prep_copy(0, 0, destination, source, LEN));
	expect_results("..");
	ASSERT_OK(sim_put(ATTRIBUTE("fail_prep", "probability"), "0"));
}

TEST_F(dmasim, attribute_fail_transfer)
{
	start("");
	always(ATTRIBUTE("fail_transfer", "probability"));
	expect_results("f..");
	ASSERT_OK(sim_put(ATTRIBUTE("fail_transfer", "probability"), "0"));
}

TEST_F(dmasim, attribute_fail_map)
{
	uint64_t addr;

	start("view=iommu");
	ASSERT_OK(st_unmap(0));
	always(ATTRIBUTE("fail_map", "probability"));
	EXPECT_ERRNO(ENOMEM, st_map(0, 0, TO_DEVICE, 0, LEN, &addr));
	EXPECT_OK(st_map(0, 0, TO_DEVICE, 0, LEN, &addr));
	ASSERT_OK(sim_put(ATTRIBUTE("fail_map", "probability"), "0"));
}
