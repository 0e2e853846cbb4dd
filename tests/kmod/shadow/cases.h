/* SPDX-License-Identifier: GPL-2.0-only */
/* All tests; main.c says which file each is in. */
#ifndef CASES_H
#define CASES_H

struct kt;

void wrong_parameters(struct kt *t);
void taken_over_twice(struct kt *t);
void given_back(struct kt *t);
void left_behind(struct kt *t);
void refused(struct kt *t);
void statistics(struct kt *t);
void read_by_device(struct kt *t);
void written_by_device(struct kt *t);
void both_directions(struct kt *t);
void to_the_byte(struct kt *t);
void page_between_mappings(struct kt *t);
void address_not_used_again(struct kt *t);
void address_bits(struct kt *t);
void narrow_mask_filled(struct kt *t);
void mask_of_the_driver(struct kt *t);
void limits_of_mapping(struct kt *t);
void ten_thousand_mappings(struct kt *t);
void high_memory_pages(struct kt *t);
void registers(struct kt *t);
void interrupts_off(struct kt *t);
void list_merged(struct kt *t);
void list_not_merged(struct kt *t);
void list_longest_segment(struct kt *t);
void list_boundary(struct kt *t);
void list_empty_entries(struct kt *t);
void list_unwound(struct kt *t);
void list_cached(struct kt *t);
void list_scattered(struct kt *t);
void cached_to_device(struct kt *t);
void cached_from_device(struct kt *t);
void cached_both_directions(struct kt *t);
void cached_part(struct kt *t);
void cached_written_by_cpu(struct kt *t);
void cached_thrown_away(struct kt *t);
void cached_no_sync(struct kt *t);
void cached_faults(struct kt *t);
void cached_large(struct kt *t);
void cached_line_sizes(struct kt *t);
void edge_clean(struct kt *t);
void edge_dirty_outside(struct kt *t);
void edge_dirty_inside(struct kt *t);
void edge_one_line(struct kt *t);
void edge_synchronized(struct kt *t);
void edge_nothing_lost(struct kt *t);
void edge_no_sync(struct kt *t);
void edge_neighbours(struct kt *t);
void edge_small_allocation(struct kt *t);
void buffer_coherent(struct kt *t);
void buffer_cached_view(struct kt *t);
void buffer_odd_sizes(struct kt *t);
void buffer_large(struct kt *t);
void buffer_atomic(struct kt *t);
void buffer_table(struct kt *t);
void buffer_pages(struct kt *t);
void buffer_noncontiguous(struct kt *t);
void buffer_pool(struct kt *t);
void user_mapping(struct kt *t);
void user_mapping_bounds(struct kt *t);
void misuse_unknown(struct kt *t);
void misuse_twice(struct kt *t);
void misuse_size(struct kt *t);
void misuse_direction(struct kt *t);
void misuse_kind(struct kt *t);
void misuse_list(struct kt *t);
void misuse_sync(struct kt *t);
void misuse_free(struct kt *t);
void no_memory_single(struct kt *t);
void no_memory_large(struct kt *t);
void no_memory_list(struct kt *t);
void no_memory_pages(struct kt *t);
void threads_iommu(struct kt *t);
void threads_cached(struct kt *t);
void threads_one_mapping(struct kt *t);
void threads_neighbour(struct kt *t);

#endif
