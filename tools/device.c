// SPDX-License-Identifier: GPL-2.0-only
/* Opens the device and channels, and says what to do where that does not work. */
#include "common.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the device ---- */

static const char *device_path(void)
{
	const char *path = getenv("DMAFD_DEVICE");

	return path && *path ? path : "/dev/dmafd";
}

static const char *user_name(void)
{
	const char *name = getenv("USER");

	return name && *name ? name : "NAME";
}

static void advise_permission(const char *path)
{
	struct stat st;

	if (!stat(path, &st) && !st.st_gid) {
		advise("only root may use it, as no udev rule gives it to the group dma:");
		advise("'make install' brings one along (packaging/udev/60-dmafd.rules)");
		return;
	}
	advise("add yourself to its group: usermod -aG dma %s, and log in again", user_name());
}

static int device_refused(void)
{
	const char *path = device_path();

	switch (errno) {
	case EACCES:
	case EPERM:
		complain("no permission on %s", path);
		advise_permission(path);
		return STATUS_NO_DEVICE;
	case ENOENT:
	case ENXIO:
	case ENODEV:
		complain("no %s", path);
		advise("load the module: modprobe dmafd");
		return STATUS_NO_DEVICE;
	default:
		return failed("%s", path);
	}
}

struct dmafd_ctx *open_device(int *status)
{
	struct dmafd_ctx *ctx = dmafd_open();

	if (!ctx)
		*status = device_refused();
	return ctx;
}

/* ---- channels ---- */

static const struct { uint32_t cap; const char *name; } cap_names[] = {
	{ DMAFD_CAP_COPY, "copy" }, { DMAFD_CAP_FILL, "fill" }, { DMAFD_CAP_XOR, "xor" },
	{ DMAFD_CAP_SLAVE, "slave" }, { DMAFD_CAP_CYCLIC, "cyclic" },
	{ DMAFD_CAP_INTERLEAVE, "interleave" },
};

const char *caps_text(uint32_t caps)
{
	static char text[128];
	size_t i, at = 0;

	text[0] = '\0';
	for (i = 0; i < ARRAY_SIZE(cap_names); i++)
		if (caps & cap_names[i].cap)
			at += snprintf(text + at, sizeof(text) - at, "%s%s", at ? "," : "",
				       cap_names[i].name);
	return text;
}

int channel_refused(const char *name, uint32_t caps)
{
	const char *wanted = caps_text(caps);

	switch (errno) {
	case EBUSY:
		if (name)
			complain("channel %s is taken", name);
		else
			complain("no DMA channel that can %s is free", wanted);
		advise("'dmafd list' shows who holds them");
		if (!name)
			advise("'modprobe dmasim' gives a simulated one");
		return STATUS_NO_DEVICE;
	case ENODEV:
		if (name) {
			complain("there is no channel %s", name);
			advise("'dmafd list' shows those that are there");
			return STATUS_NO_DEVICE;
		}
		complain("there is no DMA channel that can %s", wanted);
		advise("'modprobe dmasim' gives a simulated one");
		return STATUS_NO_DEVICE;
	case EOPNOTSUPP:
		complain("channel %s cannot %s", name ? name : "", wanted);
		advise("'dmafd list' shows which can");
		return STATUS_NO_DEVICE;
	default:
		return failed("channel %s", name ? name : "");
	}
}

struct dmafd_chan *open_channel_with(struct dmafd_ctx *ctx,
				     const struct dmafd_chan_options *options, int *status)
{
	struct dmafd_chan *chan = dmafd_chan_open(ctx, settings.channel, options);

	if (!chan)
		*status = channel_refused(settings.channel, options->caps);
	return chan;
}

struct dmafd_chan *open_channel(struct dmafd_ctx *ctx, uint32_t caps, int *status)
{
	return open_channel_with(ctx, &(struct dmafd_chan_options){ .caps = caps }, status);
}

void driver_of(const char *channel, char *driver, size_t size)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *base;
	ssize_t length;

	*driver = '\0';
	if (strchr(channel, '/'))
		return;
	snprintf(path, sizeof(path), "/sys/class/dma/%s/device/driver", channel);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return;
	target[length] = '\0';
	base = strrchr(target, '/');
	snprintf(driver, size, "%s", base ? base + 1 : target);
}

/* ---- memory ---- */

int memory_refused(size_t size)
{
	struct rlimit limit;

	if (errno != ENOMEM || getrlimit(RLIMIT_MEMLOCK, &limit) ||
	    limit.rlim_cur == RLIM_INFINITY)
		return failed("%s of memory for DMA", human(size));
	complain("%s of memory for DMA: over the limit of locked memory, which is %s",
		 human(size), human(limit.rlim_cur));
	advise("'ulimit -l' shows it in KiB; for good, it is raised in /etc/security/limits.conf:");
	advise("  @dma - memlock 1048576");
	return STATUS_FAILED;
}

int memory_get(struct memory *memory, struct dmafd_ctx *ctx, size_t size, unsigned int access)
{
	*memory = (struct memory){ .size = size };
	memory->ptr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory->ptr == MAP_FAILED) {
		memory->ptr = NULL;
		return failed("%s of memory", human(size));
	}
	memory->buf = dmafd_buf_register(ctx, memory->ptr, size, access);
	if (memory->buf)
		return STATUS_FINE;
	memory_refused(size);
	memory_put(memory);
	return STATUS_FAILED;
}

/* A buffer that a job still works on stays until its context is closed. */
void memory_put(struct memory *memory)
{
	if (memory->buf)
		dmafd_buf_remove(memory->buf);
	if (memory->ptr)
		munmap(memory->ptr, memory->size);
	*memory = (struct memory){};
}
