// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dmasan.h"

unsigned int san_redzone = 128;
module_param_named(redzone, san_redzone, uint, 0644);
MODULE_PARM_DESC(redzone, "bytes before and after each mapping that are watched, up to 4096 (128)");

unsigned int san_quarantine_kb = 1024;
module_param_named(quarantine_kb, san_quarantine_kb, uint, 0644);
MODULE_PARM_DESC(quarantine_kb, "memory of each device that is watched after it was unmapped (1024)");

unsigned int san_memory_kb = 65536;
module_param_named(memory_kb, san_memory_kb, uint, 0644);
MODULE_PARM_DESC(memory_kb, "most memory for one device's mappings; more is not watched (65536)");

unsigned int san_map_max_kb = 256;
module_param_named(map_max_kb, san_map_max_kb, uint, 0644);
MODULE_PARM_DESC(map_max_kb, "longest mapping whose bytes are watched (256)");

unsigned int san_fail_every;
module_param_named(fail_every, san_fail_every, uint, 0644);
MODULE_PARM_DESC(fail_every, "make one of so many mappings fail (0: none)");

unsigned int san_line;
module_param_named(line, san_line, uint, 0644);
MODULE_PARM_DESC(line, "report data that shares a cache line of 32 or 64 bytes with a mapping (0: don't)");

unsigned int san_panic;
module_param_named(panic_on_report, san_panic, uint, 0644);
MODULE_PARM_DESC(panic_on_report, "stop the kernel at the first report (0)");

bool san_strict;
module_param_named(strict, san_strict, bool, 0644);
MODULE_PARM_DESC(strict, "report a missing sync that does no harm, too (N)");

bool san_stacks = true;
module_param_named(stacks, san_stacks, bool, 0644);
MODULE_PARM_DESC(stacks, "note where each mapping was made; costs time (Y)");

char san_driver[64];
module_param_string(driver, san_driver, sizeof(san_driver), 0644);
MODULE_PARM_DESC(driver, "report only what the driver of this name does");

static char *attach;
module_param(attach, charp, 0444);
MODULE_PARM_DESC(attach, "BUS:NAME,... of the devices to attach to, which need not be there yet");

static int __init attach_all(void)
{
	char *names, *rest, *name;
	int err = 0;

	if (!attach)
		return 0;
	names = kstrdup(attach, GFP_KERNEL);
	if (!names)
		return -ENOMEM;
	for (rest = names; !err && (name = strsep(&rest, ","));)
		if (*name)
			err = san_attach(name, true);
	kfree(names);
	return err;
}

static int __init dmasan_init(void)
{
	int err = san_stack_init();

	if (err)
		return err;
	err = san_gone_init();
	if (err)
		goto exit_stack;
	err = san_attach_init();
	if (err)
		goto exit_gone;
	err = attach_all();
	if (err)
		goto exit_attach;
	san_debugfs_init();
	return 0;

exit_attach:
	san_attach_exit();
exit_gone:
	san_gone_exit();
exit_stack:
	san_stack_exit();
	return err;
}

static void __exit dmasan_exit(void)
{
	san_debugfs_exit();
	san_attach_exit();
	san_gone_exit();
	san_stack_exit();
}

module_init(dmasan_init);
module_exit(dmasan_exit);
MODULE_DESCRIPTION("Finds what drivers do wrong with the DMA API");
MODULE_LICENSE("GPL");
