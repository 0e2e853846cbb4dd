// SPDX-License-Identifier: GPL-2.0-only
#include "bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char * const devices[] = { "loop", "source", "sink" };
static const char * const ports[] = { "loop:tx", "loop:rx", "source", "sink" };

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* ---- files ---- */

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -1;
	if (write(fd, text, strlen(text)) < 0)
		err = errno;
	close(fd);
	errno = err;
	return err ? -1 : 0;
}

static void read_text(const char *path, char *text, size_t size)
{
	ssize_t n;
	int fd;

	ASSERT_OK(fd = open(path, O_RDONLY | O_CLOEXEC));
	ASSERT_OK(n = read(fd, text, size - 1));
	close(fd);
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

static void set_all(const char *folder, const char *options)
{
	char *copy = strdup(options), *rest = copy, *word, *value, path[256];

	while ((word = strsep(&rest, " "))) {
		if (!*word)
			continue;
		value = strchr(word, '=');
		ASSERT_TRUE(value);
		*value++ = '\0';
		snprintf(path, sizeof(path), "%s/%s", folder, word);
		put_text(path, value);
	}
	free(copy);
}

/* ---- ports ---- */

static void port_path(char *path, size_t size, const char *name, const char *attribute)
{
	snprintf(path, size, PORTS "/%s/%s", name, attribute);
}

void port_make(const char *name)
{
	char path[256];

	port_path(path, sizeof(path), name, "");
	ASSERT_OK(mkdir(path, 0755));
}

int port_remove(const char *name)
{
	char path[256];

	port_path(path, sizeof(path), name, "");
	return rmdir(path);
}

int port_set(const char *name, const char *attribute, const char *value)
{
	char path[256];

	port_path(path, sizeof(path), name, attribute);
	return write_text(path, value);
}

const char *port_get(const char *name, const char *attribute)
{
	static char text[256];
	char path[256];

	port_path(path, sizeof(path), name, attribute);
	read_text(path, text, sizeof(text));
	return text;
}

void port_up(const char *name, const char *channel, const char *direction, uint64_t address,
	     unsigned int width, unsigned int burst)
{
	char options[256], path[256];

	port_make(name);
	port_path(path, sizeof(path), name, "");
	snprintf(options, sizeof(options),
		 "channel=%s direction=%s address=%#llx width=%u burst=%u live=1", channel,
		 direction, (unsigned long long)address, width, burst);
	set_all(path, options);
}

/* ---- the bench ---- */

void bench_remove_controller(void)
{
	char path[256];
	size_t i;

	for (i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		snprintf(path, sizeof(path), BENCH "/peripherals/%s", devices[i]);
		rmdir(path);
	}
	rmdir(BENCH);
}

static void remove_all(void)
{
	size_t i;

	for (i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		port_remove(ports[i]);
	bench_remove_controller();
}

static void add_device(const char *name, unsigned int line, const char *clients,
		       const char *options)
{
	char path[256], more[256];

	if (!options)
		return;
	snprintf(path, sizeof(path), BENCH "/peripherals/%s", name);
	ASSERT_OK(mkdir(path, 0755));
	snprintf(more, sizeof(more), "line=%u %s", line, options);
	set_all(path, more);
	set_all(path, clients);
}

static void add_ports(const struct bench_plan *plan)
{
	if (plan->loop) {
		port_up("loop:tx", "bench-loop:tx", "tx", REGISTER(1), plan->width, plan->burst);
		port_up("loop:rx", "bench-loop:rx", "rx", REGISTER(1), plan->width, plan->burst);
	}
	if (plan->source)
		port_up("source", "bench-source:rx", "rx", REGISTER(2), plan->width, plan->burst);
	if (plan->sink)
		port_up("sink", "bench-sink:tx", "tx", REGISTER(3), plan->width, plan->burst);
}

static long pins_before;

void bench_up(struct bench *bench, const struct bench_plan *plan)
{
	bench->ctx = -1;
	bench->chans = 0;
	if (access("/dev/dmafd", F_OK))
		ASSERT_EQ(0, system("modprobe dmafd"));
	if (access("/sys/kernel/config/dmasim", F_OK))
		ASSERT_EQ(0, system("modprobe dmasim controller=0"));
	/* What a test left that crashed. */
	remove_all();
	ASSERT_OK(mkdir(BENCH, 0755));
	set_all(BENCH, plan->options);
	put_text(BENCH "/view", plan->view);
	add_device("loop", 1, "tx_client=bench-loop:tx rx_client=bench-loop:rx", plan->loop);
	add_device("source", 2, "rx_client=bench-source:rx", plan->source);
	add_device("sink", 3, "tx_client=bench-sink:tx", plan->sink);
	put_text(BENCH "/live", "1");
	read_text(BENCH "/dma", bench->dma, sizeof(bench->dma));
	read_text(BENCH "/device", bench->device, sizeof(bench->device));
	add_ports(plan);
	pins_before = pins();
	ASSERT_OK(bench->ctx = ctx_open());
}

int bench_open(struct bench *bench, const char *name)
{
	int chan;

	ASSERT_TRUE(bench->chans < sizeof(bench->chan) / sizeof(bench->chan[0]));
	ASSERT_OK(chan = chan_open(bench->ctx, name, 0, 0));
	bench->chan[bench->chans++] = chan;
	return chan;
}

void bench_close(struct bench *bench, int chan)
{
	unsigned int i;

	for (i = 0; i < bench->chans && bench->chan[i] != chan; i++)
		;
	ASSERT_TRUE(i < bench->chans);
	bench->chan[i] = bench->chan[--bench->chans];
	EXPECT_OK(close(chan));
}

void bench_down(struct bench *bench)
{
	unsigned int waited;

	while (bench->chans)
		close(bench->chan[--bench->chans]);
	if (bench->ctx >= 0)
		close(bench->ctx);
	remove_all();
	/* Files that another process had are closed a little later. */
	for (waited = 0; waited < slow_ms(2000) && pins() != pins_before; waited += 10)
		sleep_ms(10);
	EXPECT_EQ(pins_before, pins());
	EXPECT_ERRNO(ENOENT, access(BENCH, F_OK));
}

long long device_number(const struct bench *bench, const char *device, const char *key)
{
	char path[256], line[512], start[64], *place;
	long long number = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/kernel/debug/dmasim/%s/peripherals", bench->device);
	snprintf(start, sizeof(start), "%s: ", device);
	ASSERT_TRUE(file = fopen(path, "r"));
	while (fgets(line, sizeof(line), file)) {
		place = strncmp(line, start, strlen(start)) ? NULL : strstr(line, key);
		if (place)
			number = strtoll(place + strlen(key), NULL,
					 strcmp(key, " crc ") ? 0 : 16);
	}
	fclose(file);
	return number;
}

/* ---- what is asked of a channel ---- */

void chan_info(int chan, struct dmafd_chan_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	ASSERT_OK(ioctl(chan, DMAFD_CHAN_INFO, info));
}

void status_of(int chan, struct dmafd_status *status)
{
	memset(status, 0, sizeof(*status));
	status->size = sizeof(*status);
	ASSERT_OK(ioctl(chan, DMAFD_STATUS, status));
}

int pause_chan(int chan, unsigned int flags)
{
	struct dmafd_pause arg = { .size = sizeof(arg), .flags = flags };

	return ioctl(chan, DMAFD_PAUSE, &arg);
}
