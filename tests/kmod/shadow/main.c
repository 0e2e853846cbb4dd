// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of dmashadow: each sentence of shadow.h that promises something.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "cases.h"
#include "rig.h"

static const struct kt_case cases[] = {
	/* space.c */
	KT_CASE(wrong_parameters),
	KT_CASE(taken_over_twice),
	KT_CASE(given_back),
	KT_CASE(left_behind),
	KT_CASE(refused),
	KT_CASE(statistics),

	/* iommu.c */
	KT_CASE(read_by_device),
	KT_CASE(written_by_device),
	KT_CASE(both_directions),
	KT_CASE(to_the_byte),
	KT_CASE(page_between_mappings),
	KT_CASE(address_not_used_again),
	KT_CASE(address_bits),
	KT_CASE(narrow_mask_filled),
	KT_CASE(mask_of_the_driver),
	KT_CASE(limits_of_mapping),
	KT_CASE(ten_thousand_mappings),
	KT_CASE(high_memory_pages),
	KT_CASE(registers),
	KT_CASE(interrupts_off),

	/* list.c */
	KT_CASE(list_merged),
	KT_CASE(list_not_merged),
	KT_CASE(list_longest_segment),
	KT_CASE(list_boundary),
	KT_CASE(list_empty_entries),
	KT_CASE(list_unwound),
	KT_CASE(list_cached),
	KT_CASE(list_scattered),

	/* cache.c */
	KT_CASE(cached_to_device),
	KT_CASE(cached_from_device),
	KT_CASE(cached_both_directions),
	KT_CASE(cached_part),
	KT_CASE(cached_written_by_cpu),
	KT_CASE(cached_thrown_away),
	KT_CASE(cached_no_sync),
	KT_CASE(cached_faults),
	KT_CASE(cached_large),
	KT_CASE(cached_line_sizes),

	/* edge.c */
	KT_CASE(edge_clean),
	KT_CASE(edge_dirty_outside),
	KT_CASE(edge_dirty_inside),
	KT_CASE(edge_one_line),
	KT_CASE(edge_synchronized),
	KT_CASE(edge_nothing_lost),
	KT_CASE(edge_no_sync),
	KT_CASE(edge_neighbours),
	KT_CASE(edge_small_allocation),

	/* buffer.c */
	KT_CASE(buffer_coherent),
	KT_CASE(buffer_cached_view),
	KT_CASE(buffer_odd_sizes),
	KT_CASE(buffer_large),
	KT_CASE(buffer_atomic),
	KT_CASE(buffer_table),
	KT_CASE(buffer_pages),
	KT_CASE(buffer_noncontiguous),
	KT_CASE(buffer_pool),

	/* user.c */
	KT_CASE(user_mapping),
	KT_CASE(user_mapping_bounds),

	/* misuse.c */
	KT_CASE(misuse_unknown),
	KT_CASE(misuse_twice),
	KT_CASE(misuse_size),
	KT_CASE(misuse_direction),
	KT_CASE(misuse_kind),
	KT_CASE(misuse_list),
	KT_CASE(misuse_sync),
	KT_CASE(misuse_free),

	/* memory.c */
	KT_CASE(no_memory_single),
	KT_CASE(no_memory_large),
	KT_CASE(no_memory_list),
	KT_CASE(no_memory_pages),

	/* threads.c */
	KT_CASE(threads_iommu),
	KT_CASE(threads_cached),
	KT_CASE(threads_one_mapping),
	KT_CASE(threads_neighbour),
};

static const struct kt_suite suite = {
	.name = KBUILD_MODNAME,
	.cases = cases,
	.count = ARRAY_SIZE(cases),
	.before = rig_make,
	.after = rig_unmake,
};

static struct kt kt;

static int __init shadow_test_init(void)
{
	if (!shadow_supported())
		return -EOPNOTSUPP;
	return kt_register(&kt, &suite);
}
module_init(shadow_test_init);

static void __exit shadow_test_exit(void)
{
	kt_unregister(&kt);
}
module_exit(shadow_test_exit);

MODULE_DESCRIPTION("Tests of dmashadow");
MODULE_LICENSE("GPL");
