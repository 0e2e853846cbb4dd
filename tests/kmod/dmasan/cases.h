/* SPDX-License-Identifier: GPL-2.0-only */
/* All cases, by file. */
#ifndef CASES_H
#define CASES_H

struct kt;

/* owner.c */
void cpu_writes_to_device(struct kt *t);
void cpu_writes_from_device(struct kt *t);
void cpu_writes_each_byte(struct kt *t);
void cpu_writes_long_mapping(struct kt *t);
void cpu_writes_behind(struct kt *t);
void no_sync_for_cpu(struct kt *t);
void no_sync_for_device(struct kt *t);
void only_read(struct kt *t);
void not_written_back(struct kt *t);
void given_too_late(struct kt *t);
void device_writes(struct kt *t);
void device_writes_on(struct kt *t);

/* outside.c */
void overrun(struct kt *t);
void small_overrun(struct kt *t);
void underrun(struct kt *t);
void overrun_long_mapping(struct kt *t);
void every_byte_outside(struct kt *t);
void late_write(struct kt *t);

/* calls.c */
void double_unmap(struct kt *t);
void unmap_address(struct kt *t);
void unmap_size(struct kt *t);
void unmap_direction(struct kt *t);
void unmap_direction_of_two(struct kt *t);
void sync_direction(struct kt *t);
void sync_length(struct kt *t);
void sync_late(struct kt *t);
void error_unmapped(struct kt *t);
void list_nents(struct kt *t);
void list_copied(struct kt *t);
void list_as_single(struct kt *t);
void list_segment(struct kt *t);
void list_boundary(struct kt *t);
void list_unwound(struct kt *t);
void left_mapped(struct kt *t);
void left_allocated(struct kt *t);
void mask_narrowed(struct kt *t);

/* registers.c */
void registers_size(struct kt *t);
void registers_twice(struct kt *t);
void registers_sync(struct kt *t);

/* source.c */
void stack(struct kt *t);
void no_memory(struct kt *t);
void end_of_memory(struct kt *t);
void freed_memory(struct kt *t);
void free_already(struct kt *t);
void object_written(struct kt *t);
void page_of_file(struct kt *t);
void page_of_program(struct kt *t);
void shared_line(struct kt *t);
void neighbours(struct kt *t);

/* buffer.c */
void buffer_overrun(struct kt *t);
void buffer_underrun(struct kt *t);
void use_after_free(struct kt *t);
void double_free(struct kt *t);
void free_size(struct kt *t);
void free_pointer(struct kt *t);
void free_nothing(struct kt *t);
void free_mapping(struct kt *t);
void buffer_sync(struct kt *t);
void buffer_mmap_bounds(struct kt *t);
void buffer_mmap(struct kt *t);
void buffer_without_address(struct kt *t);
void buffer_alignment(struct kt *t);
void buffer_within_mask(struct kt *t);
void largest_buffer(struct kt *t);
void pool_blocks(struct kt *t);
void buffer_as_list(struct kt *t);
void allocated_pages(struct kt *t);

/* right.c */
void partly_written(struct kt *t);
void to_device(struct kt *t);
void halves_in_turn(struct kt *t);
void part_of_a_line(struct kt *t);
void not_wanted(struct kt *t);
void large(struct kt *t);
void mapped_twice(struct kt *t);
void mapped_within(struct kt *t);
void interrupts_off(struct kt *t);
void every_size(struct kt *t);
void page_without_address(struct kt *t);

/* told.c */
void told_bytes(struct kt *t);
void told_numbers(struct kt *t);
void told_place(struct kt *t);
void told_few_places(struct kt *t);
void told_many_places(struct kt *t);

/* parameters.c */
void strict_to_device(struct kt *t);
void strict_read_only(struct kt *t);
void redzone(struct kt *t);
void no_redzone(struct kt *t);
void no_quarantine(struct kt *t);
void map_max(struct kt *t);
void memory_full(struct kt *t);
void every_other_fails(struct kt *t);
void line_of_32(struct kt *t);
void no_line(struct kt *t);
void no_stacks(struct kt *t);

/* counters.c */
void counters(struct kt *t);
void all_given_back(struct kt *t);

/* load.c */
void threads(struct kt *t);
void threads_wrong(struct kt *t);

#endif
