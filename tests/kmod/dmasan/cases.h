/* SPDX-License-Identifier: GPL-2.0-only */
/* All cases, by file. */
#ifndef CASES_H
#define CASES_H

struct kt;

/* owner.c */
void cpu_writes_to_device(struct kt *t);
void cpu_writes_from_device(struct kt *t);
void cpu_writes_long_mapping(struct kt *t);
void cpu_writes_behind(struct kt *t);
void no_sync_for_cpu(struct kt *t);
void no_sync_for_device(struct kt *t);
void only_read(struct kt *t);
void not_written_back(struct kt *t);
void device_writes(struct kt *t);

/* outside.c */
void overrun(struct kt *t);
void small_overrun(struct kt *t);
void underrun(struct kt *t);
void overrun_long_mapping(struct kt *t);
void late_write(struct kt *t);

/* calls.c */
void double_unmap(struct kt *t);
void unmap_address(struct kt *t);
void unmap_size(struct kt *t);
void unmap_direction(struct kt *t);
void sync_direction(struct kt *t);
void sync_length(struct kt *t);
void sync_late(struct kt *t);
void error_unmapped(struct kt *t);
void list_nents(struct kt *t);
void list_as_single(struct kt *t);
void list_segment(struct kt *t);
void left_mapped(struct kt *t);
void mask_narrowed(struct kt *t);

/* source.c */
void stack(struct kt *t);
void no_memory(struct kt *t);
void freed_memory(struct kt *t);
void shared_line(struct kt *t);

/* buffer.c */
void buffer_overrun(struct kt *t);
void buffer_underrun(struct kt *t);
void use_after_free(struct kt *t);
void double_free(struct kt *t);
void free_size(struct kt *t);
void buffer_alignment(struct kt *t);
void pool_blocks(struct kt *t);
void buffer_as_list(struct kt *t);
void allocated_pages(struct kt *t);

/* right.c */
void partly_written(struct kt *t);
void to_device(struct kt *t);
void halves_in_turn(struct kt *t);
void large(struct kt *t);
void mapped_twice(struct kt *t);
void interrupts_off(struct kt *t);
void every_size(struct kt *t);
void page_without_address(struct kt *t);

/* load.c */
void threads(struct kt *t);
void threads_wrong(struct kt *t);

#endif
