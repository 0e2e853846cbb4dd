// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmasim: its tracepoints.
 */
#include "common/sim.h"

#include <stdio.h>

FIXTURE_SETUP(dmasim)
{
	sim_setup();
}

FIXTURE_TEARDOWN(dmasim)
{
	sim_teardown();
}

#define TRACING	"/sys/kernel/tracing/"
#define EVENTS	TRACING "events/dmasim/"
#define LEN	8192

static void watch(bool on)
{
	if (on)
		ASSERT_OK(sim_put(TRACING "trace", ""));
	ASSERT_OK(sim_put(EVENTS "enable", on ? "1" : "0"));
}

/*
 * The part behind "EVENT: CHANNEL " of the only record of its kind.
 */
static const char *find(const char *trace, const char *event, unsigned int *count)
{
	char key[128];
	const char *place = NULL, *next = trace;

	snprintf(key, sizeof(key), " %s: %s ", event, sim_channel(SIM, 2));
	for (*count = 0; (next = strstr(next, key)); (*count)++) {
		next += strlen(key);
		place = next;
	}
	return place;
}

static void expect_record(const char *trace, const char *event, const char *expected)
{
	unsigned int count;
	const char *seen = find(trace, event, &count);

	EXPECT_EQ(1, count);
	ASSERT_TRUE(seen);
	if (strncmp(seen, expected, strlen(expected)) ||
	    (seen[strlen(expected)] && seen[strlen(expected)] != '\n')) {
		printf("%s: expected %s, but it is %.80s\n", event, expected, seen);
		EXPECT_FALSE("the record is a different one");
	}
}

static unsigned long long burst_bytes(const char *trace)
{
	unsigned long long bytes = 0;
	const char *next = trace;

	while ((next = strstr(next, " dmasim_burst: "))) {
		next = strstr(next, " bytes=");
		ASSERT_TRUE(next);
		bytes += strtoull(next + 7, NULL, 10);
	}
	return bytes;
}

/* Runs a copy, and leaves what was traced of it. */
static char *traced_copy(unsigned int result, unsigned int left, uint64_t *dst)
{
	uint64_t src;
	char *trace;

	ASSERT_OK(st_request(0, sim_channel(SIM, 2)));
	src = st_buffer(0, 0, LEN, TO_DEVICE, 1);
	*dst = st_buffer(1, 0, LEN, FROM_DEVICE, 2);
	watch(true);
	ASSERT_OK(st_prep_copy(0, 0, *dst, src, LEN));
	st_run(0, 0, result, left);
	watch(false);
	trace = sim_read(TRACING "trace");
	ASSERT_TRUE(trace);
	return trace;
}

TEST_F(dmasim, good)
{
	struct simtest_tx end;
	char expected[128];
	unsigned int count;
	uint64_t dst;
	char *trace;

	sim_start(SIM, "");
	trace = traced_copy(NO_ERROR, 0, &dst);
	st_status(0, &end);
	snprintf(expected, sizeof(expected), "cookie=%d type=0 done=0 bytes=8192", end.cookie);
	expect_record(trace, "dmasim_start", expected);
	snprintf(expected, sizeof(expected), "cookie=%d result=0 residue=0", end.cookie);
	expect_record(trace, "dmasim_complete", expected);
	EXPECT_EQ(LEN, burst_bytes(trace));
	find(trace, "dmasim_fault", &count);
	EXPECT_EQ(0, count);
	free(trace);
}

TEST_F(dmasim, faulty)
{
	struct simtest_tx end;
	char expected[128];
	uint64_t dst;
	char *trace;

	sim_start(SIM, "");
	ASSERT_OK(sim_set(SIM, "inject", "iommu"));
	trace = traced_copy(WRITE_FAILED, LEN / 2, &dst);
	st_status(0, &end);
	snprintf(expected, sizeof(expected), "write %#llx: denied",
		 (unsigned long long)dst + LEN / 2);
	expect_record(trace, "dmasim_fault", expected);
	snprintf(expected, sizeof(expected), "cookie=%d result=2 residue=4096", end.cookie);
	expect_record(trace, "dmasim_complete", expected);
	EXPECT_EQ(LEN / 2, burst_bytes(trace));
	free(trace);
}
