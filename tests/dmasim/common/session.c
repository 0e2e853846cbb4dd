// SPDX-License-Identifier: GPL-2.0-only
/*
 * The client's side: /dev/simtest.
 */
#include "sim.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TIMEOUT_MS	8000

int st_fd = -1;

void st_open(void)
{
	ASSERT_OK(st_fd = open("/dev/simtest", O_RDWR | O_CLOEXEC));
}

void st_close(void)
{
	if (st_fd >= 0)
		EXPECT_OK(close(st_fd));
	st_fd = -1;
}

static int request(unsigned int chan, const char *device, const char *name)
{
	struct simtest_request arg = { .chan = chan, .type = SIMTEST_NONE };

	snprintf(arg.device, sizeof(arg.device), "%s", device);
	snprintf(arg.name, sizeof(arg.name), "%s", name);
	return ioctl(st_fd, SIMTEST_REQUEST, &arg);
}

int st_request(unsigned int chan, const char *name)
{
	return request(chan, "", name);
}

int st_request_as(unsigned int chan, const char *device, const char *name)
{
	return request(chan, device, name);
}

int st_chan(unsigned int chan, enum simtest_chan_op op)
{
	struct simtest_chan arg = { .chan = chan, .op = op };

	return ioctl(st_fd, SIMTEST_CHAN, &arg);
}

void st_caps(unsigned int chan, struct simtest_caps *caps)
{
	memset(caps, 0, sizeof(*caps));
	caps->chan = chan;
	ASSERT_OK(ioctl(st_fd, SIMTEST_CAPS, caps));
}

int st_config(const struct simtest_config *config)
{
	return ioctl(st_fd, SIMTEST_CONFIG, config);
}

int st_fifo(unsigned int chan, uint64_t addr, unsigned int width, unsigned int burst)
{
	struct simtest_config config = {
		.chan = chan, .src_addr = addr, .dst_addr = addr, .src_width = width,
		.dst_width = width, .src_burst = burst, .dst_burst = burst,
	};

	return st_config(&config);
}

/* ---- buffers ---- */

int st_alloc(unsigned int buf, size_t size)
{
	struct simtest_alloc arg = { .buf = buf, .size = size };

	return ioctl(st_fd, SIMTEST_ALLOC, &arg);
}

int st_coherent(unsigned int buf, unsigned int chan, size_t size, uint64_t *addr)
{
	struct simtest_alloc arg = { .buf = buf, .coherent = 1, .chan = chan, .size = size };
	int err = ioctl(st_fd, SIMTEST_ALLOC, &arg);

	*addr = arg.addr;
	return err;
}

int st_map(unsigned int buf, unsigned int chan, unsigned int dir, size_t off, size_t len,
	   uint64_t *addr)
{
	struct simtest_map arg = {
		.buf = buf, .op = SIMTEST_MAP, .chan = chan, .dir = dir, .off = off, .len = len,
	};
	int err = ioctl(st_fd, SIMTEST_MAPPING, &arg);

	*addr = arg.addr;
	return err;
}

int st_unmap(unsigned int buf)
{
	struct simtest_map arg = { .buf = buf, .op = SIMTEST_UNMAP };

	return ioctl(st_fd, SIMTEST_MAPPING, &arg);
}

int st_sync(unsigned int buf, enum simtest_map_op op, size_t off, size_t len)
{
	struct simtest_map arg = { .buf = buf, .op = op, .off = off, .len = len };

	return ioctl(st_fd, SIMTEST_MAPPING, &arg);
}

static void move(unsigned int buf, bool write, size_t off, const void *data, size_t len)
{
	struct simtest_data arg = {
		.buf = buf, .write = write, .off = off, .len = len, .data = (uintptr_t)data,
	};

	ASSERT_OK(ioctl(st_fd, SIMTEST_DATA, &arg));
}

void st_write(unsigned int buf, size_t off, const void *data, size_t len)
{
	move(buf, true, off, data, len);
}

void st_read(unsigned int buf, size_t off, void *data, size_t len)
{
	move(buf, false, off, data, len);
}

void st_pattern(void *data, size_t len, unsigned int seed)
{
	uint32_t state = seed * 2654435761u + 12345;
	uint8_t *bytes = data;

	while (len--) {
		state = state * 1664525 + 1013904223;
		*bytes++ = state >> 24;
	}
}

void st_fill(unsigned int buf, size_t len, unsigned int seed)
{
	void *data = malloc(len);

	ASSERT_TRUE(data);
	st_pattern(data, len, seed);
	st_write(buf, 0, data, len);
	free(data);
}

void st_expect(unsigned int buf, size_t len, unsigned int seed)
{
	uint8_t *expected = malloc(len), *seen = malloc(len);

	ASSERT_TRUE(expected && seen);
	st_pattern(expected, len, seed);
	st_read(buf, 0, seen, len);
	EXPECT_MEMEQ(expected, seen, len);
	free(expected);
	free(seen);
}

void st_zero(unsigned int buf, size_t off, size_t len)
{
	void *data = calloc(1, len);

	ASSERT_TRUE(data);
	st_write(buf, off, data, len);
	free(data);
}

uint64_t st_buffer(unsigned int buf, unsigned int chan, size_t size, unsigned int dir,
		   unsigned int seed)
{
	uint64_t addr;

	ASSERT_OK(st_alloc(buf, size));
	st_fill(buf, size, seed);
	ASSERT_OK(st_map(buf, chan, dir, 0, size, &addr));
	return addr;
}

/* ---- transactions ---- */

int st_prep(const struct simtest_prep *prep)
{
	return ioctl(st_fd, SIMTEST_PREP, prep);
}

int st_prep_copy(unsigned int tx, unsigned int chan, uint64_t dst, uint64_t src, size_t len)
{
	struct simtest_prep prep = {
		.tx = tx, .chan = chan, .kind = SIMTEST_MEMCPY, .dst = dst, .src = src,
		.len = len, .flags = PREP_FLAGS, .log = SIMTEST_NONE,
	};

	return st_prep(&prep);
}

int st_prep_slave(unsigned int tx, unsigned int chan, unsigned int dir, uint64_t mem,
		  size_t len)
{
	struct simtest_prep prep = {
		.tx = tx, .chan = chan, .kind = SIMTEST_SLAVE, .dir = dir, .dst = mem, .src = mem,
		.len = len, .count = 1, .flags = PREP_FLAGS, .log = SIMTEST_NONE,
	};

	return st_prep(&prep);
}

int st_prep_cyclic(unsigned int tx, unsigned int chan, unsigned int dir, uint64_t mem,
		   size_t len, size_t period)
{
	struct simtest_prep prep = {
		.tx = tx, .chan = chan, .kind = SIMTEST_CYCLIC, .dir = dir, .dst = mem,
		.src = mem, .len = len, .period = period, .flags = PREP_FLAGS,
		.log = SIMTEST_NONE,
	};

	return st_prep(&prep);
}

int st_submit(unsigned int tx)
{
	struct simtest_tx arg = { .tx = tx, .op = SIMTEST_SUBMIT };

	return ioctl(st_fd, SIMTEST_TX, &arg);
}

int st_go(unsigned int tx, unsigned int chan)
{
	return st_submit(tx) ? -1 : st_chan(chan, SIMTEST_ISSUE);
}

int st_wait_ms(unsigned int tx, unsigned int calls, unsigned int ms, struct simtest_tx *out)
{
	memset(out, 0, sizeof(*out));
	out->tx = tx;
	out->op = SIMTEST_WAIT;
	out->timeout_ms = ms;
	out->calls = calls;
	return ioctl(st_fd, SIMTEST_TX, out);
}

int st_wait(unsigned int tx, unsigned int calls, struct simtest_tx *out)
{
	return st_wait_ms(tx, calls, sim_ms(TIMEOUT_MS), out);
}

void st_status(unsigned int tx, struct simtest_tx *out)
{
	memset(out, 0, sizeof(*out));
	out->tx = tx;
	out->op = SIMTEST_STATUS;
	ASSERT_OK(ioctl(st_fd, SIMTEST_TX, out));
}

void st_run(unsigned int tx, unsigned int chan, unsigned int result, unsigned int left)
{
	struct simtest_tx end;

	ASSERT_OK(st_go(tx, chan));
	ASSERT_OK(st_wait(tx, 1, &end));
	EXPECT_EQ(1, end.calls);
	EXPECT_EQ(result, end.result);
	EXPECT_EQ(left, end.left);
	EXPECT_EQ(result == NO_ERROR ? IS_COMPLETE : HAS_ERROR, end.status);
	EXPECT_EQ(left, end.residue);
}
