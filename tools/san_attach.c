// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmafd san attach, detach. A device can be attached to only while it has no driver;
 * dmasan takes it from its driver for that, and so it does to detach.
 */
#include "san.h"
#include "sysfile.h"

#include <errno.h>
#include <string.h>

/* ---- attach ---- */

static bool is_possible_bus(const char *name)
{
	static const char *const buses[] = { "pci:", "platform:", "amba:" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(buses); i++)
		if (!strncmp(name, buses[i], strlen(buses[i])))
			return true;
	return false;
}

static int not_this_bus(const char *name)
{
	complain("%s does no DMA by itself, as far as dmasan knows", name);
	advise("attach to its controller, on the bus pci, platform or amba");
	return STATUS_FAILED;
}

static int not_there(const struct san_device *device)
{
	complain("there is no device %s", device->name);
	advise("'ls /sys/bus/%.*s/devices' shows those that are there;",
	       (int)strcspn(device->name, ":"), device->name);
	advise("'modprobe dmasan attach=%s' waits for it", device->name);
	return STATUS_FAILED;
}

static int not_attached(const struct san_device *device)
{
	int error = errno;

	failed("%s", device->name);
	switch (error) {
	case EEXIST:
		advise("it is attached already; 'dmafd san status' shows how it goes");
		break;
	case EIO:
		advise("it has no DMA mask: its parent may be the one that does DMA");
		break;
	case EOPNOTSUPP:
		advise("this kernel lacks CONFIG_ARCH_HAS_DMA_OPS, or has CONFIG_DMA_OPS_BYPASS;");
		advise("a stock Debian kernel on a PC can: 'boards/boot pc' is one");
		break;
	case EACCES:
	case EPERM:
		advise("that is for root: sudo dmafd san ...");
		return STATUS_NO_DEVICE;
	}
	return STATUS_FAILED;
}

/* What has become of it. */
static int tell_driver(const struct san_device *before, const char *what)
{
	struct san_device now;

	san_look_up(&now, before->name);
	if (*before->driver && !*now.driver) {
		complain("%s: %s, but %s has not taken it again", before->name, what,
			 before->driver);
		advise("dmesg tells why");
		return STATUS_FAILED;
	}
	if (!settings.quiet)
		printf("%s: %s, %s%s\n", before->name, what, *now.driver ? "driver " : "no driver",
		       now.driver);
	return STATUS_FINE;
}

static int check_driver(const struct san_device *device)
{
	if (san_is_known(device->name)) {
		errno = EEXIST;
		return not_attached(device);
	}
	if (san_config.rebind)
		return san_check_use(device);
	complain("%s belongs to its driver %s", device->name, device->driver);
	advise("--rebind takes it from there for a moment; who uses it is cut off");
	return STATUS_FAILED;
}

static int attach_one(const char *name)
{
	struct san_device device;
	int status = san_look_up(&device, name);

	if (status)
		return status;
	if (!is_possible_bus(name))
		return not_this_bus(name);
	if (!*device.folder)
		return not_there(&device);
	if (*device.driver)
		status = check_driver(&device);
	if (status)
		return status;
	if (write_text(SAN_ROOT "/attach", name))
		return not_attached(&device);
	return tell_driver(&device, "attached");
}

static int worse(int status, int worst)
{
	return status > worst ? status : worst;
}

int san_attach(int argc, char **argv)
{
	int i, worst = STATUS_FINE;

	for (i = 0; i < argc; i++)
		worst = worse(attach_one(argv[i]), worst);
	return worst;
}

/* ---- detach ---- */

static int detach_one(const char *name)
{
	struct san_device device;
	int status = san_look_up(&device, name);

	if (!status && *device.driver)
		status = san_check_use(&device);
	if (status)
		return status;
	if (!write_text(SAN_ROOT "/detach", name))
		return tell_driver(&device, "detached");
	if (errno != ENOENT)
		return not_attached(&device);
	complain("%s is not attached", name);
	advise("'dmafd san status' shows what is");
	return STATUS_FAILED;
}

static int detach_all(void)
{
	struct san_rows rows;
	int worst = san_load(&rows);
	size_t i;

	for (i = 0; i < rows.count; i++)
		worst = worse(detach_one(rows.row[i].words[0]), worst);
	san_unload(&rows);
	return worst;
}

int san_detach(int argc, char **argv)
{
	int i, worst = STATUS_FINE;

	if (san_config.all)
		return detach_all();
	for (i = 0; i < argc; i++)
		worst = worse(detach_one(argv[i]), worst);
	return worst;
}
