// SPDX-License-Identifier: GPL-2.0-only
#include "kit.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static void note_name(struct kit *kit)
{
	struct dmafd_chan_attr attr;

	ASSERT_OK(dmafd_chan_info(kit->chan, &attr));
	snprintf(kit->name, sizeof(kit->name), "%s", attr.name);
}

static void open_chan(struct kit *kit, struct dmafd_chan_options options)
{
	if (kit->way == BY_IOCTL)
		options.flags |= DMAFD_NO_URING;
	if (kit->way == BY_CPU)
		kit->chan = dmafd_chan_open_auto(kit->ctx, NULL, &options);
	else
		kit->chan = dmafd_chan_open(kit->ctx, kit->rig.name, &options);
	ASSERT_TRUE(kit->chan);
	note_name(kit);
}

static bool module_has_uring(void)
{
	char line[512];
	bool has = false;
	FILE *file = fopen("/proc/kallsyms", "r");

	ASSERT_TRUE(file);
	while (!has && fgets(line, sizeof(line), file))
		has = strstr(line, "[dmafd]") && strstr(line, "uring");
	fclose(file);
	return has;
}

static bool kernel_has_uring(void)
{
	return syscall(__NR_io_uring_setup, 1, NULL) != -1 || errno != ENOSYS;
}

static void check_way(struct kit *kit)
{
	struct dmafd_chan_attr attr;

	ASSERT_OK(dmafd_chan_info(kit->chan, &attr));
	EXPECT_EQ(kit->way == BY_CPU, !!(attr.flags & DMAFD_ATTR_CPU));
	if (kit->way == BY_URING && (!kernel_has_uring() || !module_has_uring()))
		SKIP("kernel or module have no io_uring");
	EXPECT_EQ(kit->way == BY_URING, !!(attr.flags & DMAFD_ATTR_URING));
}

void kit_up(struct kit *kit, const char *view, const char *options, enum way way)
{
	kit->way = way;
	if (way == BY_CPU) {
		setenv("DMAFD_DEVICE", "/dev/none", 1);
		ASSERT_TRUE(kit->ctx = dmafd_open_auto());
		kit->step = 1;
	} else {
		rig_up(&kit->rig, view, options);
		close(kit->rig.chan);
		close(kit->rig.ctx);
		kit->rig.chan = -1;
		kit->rig.ctx = -1;
		ASSERT_TRUE(kit->ctx = dmafd_open());
		kit->step = kit->rig.step;
	}
	open_chan(kit, (struct dmafd_chan_options){});
	check_way(kit);
}

void kit_down(struct kit *kit)
{
	dmafd_chan_close(kit->chan);
	dmafd_close(kit->ctx);
	if (kit->way != BY_CPU)
		rig_down(&kit->rig);
}

void kit_reopen(struct kit *kit, struct dmafd_chan_options options)
{
	dmafd_chan_close(kit->chan);
	open_chan(kit, options);
}

void need_opcode(const struct kit *kit, unsigned int opcode)
{
	struct dmafd_info info = { .size = sizeof(info) };
	int fd;

	if (kit->way == BY_CPU)
		return;
	ASSERT_OK(fd = ctx_open());
	ASSERT_OK(ioctl(fd, DMAFD_INFO, &info));
	close(fd);
	if (!(info.out_opcodes >> opcode & 1))
		SKIP("the module does not know this opcode");
}

void need_caps(const struct kit *kit, unsigned int caps)
{
	struct dmafd_chan_attr attr;

	ASSERT_OK(dmafd_chan_info(kit->chan, &attr));
	if (kit->rig.real && (attr.caps & caps) != caps)
		SKIP("the board's controller cannot do that");
	ASSERT_EQ(caps, attr.caps & caps);
}

struct dmafd_buf *kit_buf(struct kit *kit, size_t len, unsigned int seed, unsigned int access)
{
	struct dmafd_buf *buf = dmafd_buf_register(kit->ctx, memory(len, seed), len, access);

	ASSERT_TRUE(buf);
	return buf;
}

unsigned char *bytes_of(struct dmafd_buf *buf)
{
	return dmafd_buf_addr(buf);
}

void submit_all(struct kit *kit, const struct dmafd_job *jobs, size_t n)
{
	int taken;

	while (n) {
		ASSERT_OK(taken = dmafd_submit(kit->chan, jobs, n));
		ASSERT_LT(0, taken);
		jobs += taken;
		n -= taken;
	}
}

void reap_all(struct kit *kit, struct dmafd_result *results, size_t n)
{
	int taken;

	while (n) {
		ASSERT_OK(taken = dmafd_reap(kit->chan, results, n, -1));
		ASSERT_LT(0, taken);
		ASSERT_GE(n, taken);
		results += taken;
		n -= taken;
	}
}

void need_real(const struct kit *kit)
{
	if (!kit->rig.real)
		SKIP("a simulated controller is not unbound");
}

static char driver[PATH_MAX], device[DMAFD_NAME_MAX];

static void write_to_driver(const char *file)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/%s", driver, file);
	put_text(path, device);
}

void unbind_controller(struct kit *kit)
{
	struct dmafd_chan_attr attr;
	char path[256];

	ASSERT_OK(dmafd_chan_info(kit->chan, &attr));
	snprintf(device, sizeof(device), "%s", attr.device);
	snprintf(path, sizeof(path), "/sys/bus/platform/devices/%s/driver", device);
	ASSERT_TRUE(realpath(path, driver));
	write_to_driver("unbind");
}

void bind_controller(void)
{
	write_to_driver("bind");
}

unsigned int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	ASSERT_TRUE(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}
