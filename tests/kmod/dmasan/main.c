// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of dmasan: each bug that it finds, committed on purpose, beside a driver
 * that does the same and does it right.
 */
#include <linux/module.h>

#include "cases.h"
#include "rig.h"

static const struct kt_case cases[] = {
	/* owner.c */
	KT_CASE(cpu_writes_to_device),
	KT_CASE(cpu_writes_from_device),
	KT_CASE(cpu_writes_each_byte),
	KT_CASE(cpu_writes_long_mapping),
	KT_CASE(cpu_writes_behind),
	KT_CASE(no_sync_for_cpu),
	KT_CASE(no_sync_for_device),
	KT_CASE(only_read),
	KT_CASE(not_written_back),
	KT_CASE(given_too_late),
	KT_CASE(device_writes),
	KT_CASE(device_writes_on),
	/* outside.c */
	KT_CASE(overrun),
	KT_CASE(small_overrun),
	KT_CASE(underrun),
	KT_CASE(overrun_long_mapping),
	KT_CASE(every_byte_outside),
	KT_CASE(late_write),
	/* calls.c */
	KT_CASE(double_unmap),
	KT_CASE(unmap_address),
	KT_CASE(unmap_size),
	KT_CASE(unmap_direction),
	KT_CASE(unmap_direction_of_two),
	KT_CASE(sync_direction),
	KT_CASE(sync_length),
	KT_CASE(sync_late),
	KT_CASE(error_unmapped),
	KT_CASE(list_nents),
	KT_CASE(list_copied),
	KT_CASE(list_as_single),
	KT_CASE(list_segment),
	KT_CASE(list_boundary),
	KT_CASE(list_unwound),
	KT_CASE(left_mapped),
	KT_CASE(left_allocated),
	KT_CASE(mask_narrowed),
	/* registers.c */
	KT_CASE(registers_size),
	KT_CASE(registers_twice),
	KT_CASE(registers_sync),
	/* source.c */
	KT_CASE(stack),
	KT_CASE(no_memory),
	KT_CASE(end_of_memory),
	KT_CASE(freed_memory),
	KT_CASE(free_already),
	KT_CASE(object_written),
	KT_CASE(page_of_file),
	KT_CASE(page_of_program),
	KT_CASE(shared_line),
	KT_CASE(neighbours),
	/* buffer.c */
	KT_CASE(buffer_overrun),
	KT_CASE(buffer_underrun),
	KT_CASE(use_after_free),
	KT_CASE(double_free),
	KT_CASE(free_size),
	KT_CASE(free_pointer),
	KT_CASE(free_nothing),
	KT_CASE(free_mapping),
	KT_CASE(buffer_sync),
	KT_CASE(buffer_mmap_bounds),
	KT_CASE(buffer_mmap),
	KT_CASE(buffer_without_address),
	KT_CASE(buffer_alignment),
	KT_CASE(buffer_within_mask),
	KT_CASE(largest_buffer),
	KT_CASE(pool_blocks),
	KT_CASE(buffer_as_list),
	KT_CASE(allocated_pages),
	/* right.c */
	KT_CASE(partly_written),
	KT_CASE(to_device),
	KT_CASE(halves_in_turn),
	KT_CASE(part_of_a_line),
	KT_CASE(not_wanted),
	KT_CASE(large),
	KT_CASE(mapped_twice),
	KT_CASE(mapped_within),
	KT_CASE(interrupts_off),
	KT_CASE(every_size),
	KT_CASE(page_without_address),
	/* told.c */
	KT_CASE(told_bytes),
	KT_CASE(told_numbers),
	KT_CASE(told_place),
	KT_CASE(told_few_places),
	KT_CASE(told_many_places),
	/* parameters.c */
	KT_CASE(strict_to_device),
	KT_CASE(strict_read_only),
	KT_CASE(redzone),
	KT_CASE(no_redzone),
	KT_CASE(no_quarantine),
	KT_CASE(map_max),
	KT_CASE(memory_full),
	KT_CASE(every_other_fails),
	KT_CASE(line_of_32),
	KT_CASE(no_line),
	KT_CASE(no_stacks),
	/* counters.c */
	KT_CASE(counters),
	KT_CASE(all_given_back),
	/* load.c */
	KT_CASE(threads),
	KT_CASE(threads_wrong),
};

static const struct kt_suite suite = {
	.name = KBUILD_MODNAME,
	.cases = cases,
	.count = ARRAY_SIZE(cases),
	.before = rig_before,
	.after = rig_after,
};

static struct kt kt;

static int __init test_init(void)
{
	int err = rig_init(&kt);

	if (err)
		return err;
	err = kt_register(&kt, &suite);
	if (err)
		rig_exit(&kt);
	return err;
}

static void __exit test_exit(void)
{
	kt_unregister(&kt);
	rig_exit(&kt);
}

module_init(test_init);
module_exit(test_exit);
MODULE_DESCRIPTION("Tests of dmasan");
MODULE_LICENSE("GPL");
