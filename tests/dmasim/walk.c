// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmasim: a random walk. Several processes make controllers, set options (also
 * wrong ones), use channels, inject faults and take controllers away, all at
 * once and on the same few names. What each step returns doesn't matter; that
 * nothing breaks does, and that nothing is left in the end.
 *
 *	WALK_SECONDS=N		how long (20)
 *	WALK_SEED=N		to walk the same way again
 */
#include "common/sim.h"

#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WALKERS		4
#define CONTROLLERS	3
#define BUFS		6
#define CHANS		4
#define TXS		16

static uint64_t state;
static unsigned int walker;

static unsigned int any(unsigned int below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 16) % below;
}

static const char *name(void)
{
	static const char *const names[CONTROLLERS] = { "walk0", "walk1", "walk2" };

	return names[any(CONTROLLERS)];
}

#define PICK(words)	((words)[any(sizeof(words) / sizeof((words)[0]))])

static void set_option(void)
{
	static const char *const options[][2] = {
		{ "view", "flat" }, { "view", "iommu" }, { "view", "noncoherent" },
		{ "view", "none" }, { "physical", "1" }, { "physical", "8" },
		{ "physical", "0" }, { "channels", "2" }, { "channels", "20" },
		{ "bandwidth", "0" }, { "bandwidth", "1M" }, { "latency_ns", "0" },
		{ "latency_ns", "100000" }, { "descriptors", "2" }, { "descriptors", "100" },
		{ "align", "1" }, { "align", "64" }, { "line_size", "128" },
		{ "max_segment", "64" }, { "max_segment", "1M" }, { "types", "memcpy slave" },
		{ "types", "memcpy memset slave cyclic interrupt" }, { "types", "repeat" },
		{ "residue", "segment" }, { "residue", "burst" }, { "pause", "0" },
		{ "pause", "1" }, { "private", "0" }, { "private", "1" },
		{ "priority", "0-1:7" }, { "priority", "9:9" }, { "dma_bits", "64" },
		{ "dma_bits", "40" }, { "peripherals/p/rate", "100000" },
		{ "peripherals/p/rate", "0" }, { "peripherals/p/kind", "source" },
		{ "peripherals/p/kind", "sink" }, { "peripherals/p/kind", "loopback" },
		{ "peripherals/p/depth", "64" }, { "peripherals/p/depth", "4096" },
		{ "peripherals/p/pattern", "values" }, { "peripherals/p/values", "abc" },
		{ "peripherals/p/line", "1" }, { "peripherals/p/tx_client", "simtest:tx" },
	};
	const char *const *option = PICK(options);

	sim_set(name(), option[0], option[1]);
}

static void inject(void)
{
	static const char *const rules[] = {
		"fail", "abort nth=2", "short count=3", "hang", "late arg=3000", "spurious count=0",
		"iommu", "refuse nth=5", "map", "off", "off", "off", "bad",
	};

	sim_set(name(), "inject", PICK(rules));
}

static void make(void)
{
	char path[128];
	const char *one = name();

	sim_make(one);
	snprintf(path, sizeof(path), SIM_ROOT "/%s/peripherals/p", one);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), SIM_ROOT "/%s/peripherals/q", one);
	if (!any(8))
		rmdir(path);
	else if (!any(8))
		mkdir(path, 0755);
}

static void take(void)
{
	static const char *const names[] = { "tx", "rx" };
	char path[128], channel[64], *dma;
	unsigned int slave;

	/*
	 * A device asks for each of its names once at a time: the DMA engine can't
	 * bear more. So they are the first walker's, each with a place of its own.
	 */
	if (!walker && !any(4)) {
		slave = any(2);
		st_request_as(slave, "simtest", names[slave]);
		return;
	}
	snprintf(path, sizeof(path), SIM_ROOT "/%s/dma", name());
	dma = sim_read(path);
	if (dma && *dma) {
		snprintf(channel, sizeof(channel), "%schan%u", dma, any(4));
		st_request(any(CHANS), channel);
	}
	free(dma);
}

static uint64_t address[BUFS];
static unsigned long ended;	/* transactions, one way or other */

static void buffers(void)
{
	unsigned int buf = any(BUFS), chan = any(CHANS);

	switch (any(6)) {
	case 0:
		st_alloc(buf, 16384);
		break;
	case 1:
		st_coherent(buf, chan, 16384, &address[buf]);
		break;
	case 2:
		st_unmap(buf);
		break;
	case 3:
		st_sync(buf, SIMTEST_SYNC_CPU + any(2), any(8192), any(8192));
		break;
	default:
		st_map(buf, chan, any(3), any(64), 1 + any(16000), &address[buf]);
	}
}

static void transfers(void)
{
	unsigned int chan = any(CHANS), tx = any(TXS), a, b;
	struct simtest_tx now;
	uint64_t src = 0, dst = 0;

	/* Mapped here and now, so that nobody else's memory is hit. */
	for (a = 0; a < BUFS; a++)
		st_unmap(a);
	memset(address, 0, sizeof(address));
	a = any(BUFS);
	b = any(BUFS);
	st_alloc(a, 16384);
	st_alloc(b, 16384);
	if (a == b || st_map(a, chan, TO_DEVICE, 0, 16384, &src) ||
	    st_map(b, chan, FROM_DEVICE, 0, 16384, &dst))
		return;
	st_fifo(chan, 0xd0001000, 4, 4);
	switch (any(4)) {
	case 0:
		st_prep_slave(tx, chan, MEM_TO_DEV, src, 4 * (1 + any(1024)));
		break;
	case 1:
		st_prep_slave(tx, chan, DEV_TO_MEM, dst, 4 * (1 + any(1024)));
		break;
	case 2:
		st_prep_cyclic(tx, chan, DEV_TO_MEM, dst, 16384, 1024);
		break;
	default:
		st_prep_copy(tx, chan, dst, src, 1 + any(16384));
	}
	st_submit(tx);
	st_chan(chan, SIMTEST_ISSUE);
	ended += !st_wait_ms(tx, 1, any(10), &now);
	if (any(2))
		st_chan(chan, any(2) ? SIMTEST_PAUSE : SIMTEST_RESUME);
	/* What is unmapped must not be written any more. */
	st_chan(chan, SIMTEST_TERMINATE);
	st_unmap(a);
	st_unmap(b);
}

static void look(void)
{
	static const char *const files[] = {
		"channels", "refusals", "faults", "peripherals", "mappings", "channel/0",
	};
	char path[256], device[128], *text;

	snprintf(path, sizeof(path), SIM_ROOT "/%s/device", name());
	text = sim_read(path);
	snprintf(device, sizeof(device), "%s", text ? text : "");
	free(text);
	snprintf(path, sizeof(path), SIM_DEBUG "/%s/%s", device, PICK(files));
	if (*device)
		free(sim_read(path));
}

static void reopen(void)
{
	st_close();
	memset(address, 0, sizeof(address));
	st_open();
}

static void step(void)
{
	unsigned int what = any(100);

	if (what < 4)
		make();
	else if (what < 6)
		sim_drop(name());
	else if (what < 20)
		set_option();
	else if (what < 28)
		sim_set(name(), "live", any(4) ? "1" : "0");
	else if (what < 33)
		inject();
	else if (what < 48)
		take();
	else if (what < 56)
		buffers();
	else if (what < 60)
		st_chan(any(CHANS), SIMTEST_RELEASE);
	else if (what < 62)
		reopen();
	else if (what < 68)
		look();
	else
		transfers();
}

static unsigned long long number(const char *variable, unsigned long long otherwise)
{
	const char *text = getenv(variable);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

static void walk(unsigned long long seed, uint64_t end)
{
	unsigned long steps = 0;

	state = seed * 0x9e3779b97f4a7c15ULL + walker + 1;
	st_open();
	while (sim_now_ns() < end) {
		step();
		steps++;
	}
	st_close();
	printf("walker %u: %lu steps, %lu transactions\n", walker, steps, ended);
	EXPECT_GT(ended, 10);
	fflush(stdout);
}

TEST(random_walk, .timeout = 3600)
{
	unsigned long long seed = number("WALK_SEED", sim_now_ns() & 0xffffffff);
	uint64_t end = sim_now_ns() + number("WALK_SECONDS", 20) * 1000000000ULL;
	unsigned int before, i;
	char one[16];
	int status;

	printf("WALK_SEED=%llu\n", seed);
	fflush(stdout);
	sim_setup();
	sim_teardown();
	before = sim_count_channels();
	for (i = 0; i < WALKERS; i++) {
		pid_t child = fork();

		ASSERT_OK(child);
		if (!child) {
			walker = i;
			walk(seed, end);
			_exit(0);
		}
	}
	for (i = 0; i < WALKERS; i++) {
		ASSERT_OK(wait(&status));
		EXPECT_EQ(0, status);
	}
	for (i = 0; i < CONTROLLERS; i++) {
		snprintf(one, sizeof(one), "walk%u", i);
		sim_drop(one);
	}
	for (i = 0; i < 100 && sim_count_channels() != before; i++)
		sim_sleep_ms(sim_ms(50));
	EXPECT_EQ(before, sim_count_channels());
	EXPECT_OK(sim_rmmod("simtest"));
	EXPECT_OK(sim_rmmod("dmasim"));
	EXPECT_EQ(0, sim_count_channels() - before);
}
