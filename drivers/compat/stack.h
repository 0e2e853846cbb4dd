/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who called, and where on the stack that stands. Where a kernel unwinds its stack by
 * tables, which takes more than a thousand instructions for a frame, who has seen a
 * stack once can recognize it. Elsewhere the places are not known.
 */
#ifndef COMPAT_STACK_H
#define COMPAT_STACK_H

#include <linux/sched.h>
#include <linux/stacktrace.h>
#include <linux/types.h>

/* A return address, and where it lies: bytes above the stack pointer. */
struct compat_frame {
	unsigned long ip;
	unsigned short at;
};

#if defined(CONFIG_X86_64) && defined(CONFIG_UNWINDER_ORC)

#include <asm/unwind.h>

#define COMPAT_STACK_PLACES	true

/* Those above @sp, on the stack that this is, the innermost first. Returns how many. */
static inline unsigned int compat_stack_frames(unsigned long sp, struct compat_frame *frame,
					       unsigned int room)
{
	struct unwind_state state;
	unsigned int count = 0;
	enum stack_type type;

	unwind_start(&state, current, NULL, (unsigned long *)sp);
	for (type = state.stack_info.type; count < room; unwind_next_frame(&state)) {
		unsigned long at = state.sp - sizeof(long) - sp;

		/* Registers that an interrupt has saved are no return address. */
		if (unwind_done(&state) || state.stack_info.type != type || state.regs ||
		    state.error || (state.sp > sp && at > U16_MAX))
			break;
		if (state.sp <= sp)
			continue;
		frame[count].ip = state.ip;
		frame[count].at = at;
		count++;
	}
	return count;
}

static inline unsigned long compat_stack_pointer(void)
{
	return current_stack_pointer;
}

#else

#define COMPAT_STACK_PLACES	false

static inline unsigned int compat_stack_frames(unsigned long sp, struct compat_frame *frame,
					       unsigned int room)
{
	unsigned long ip[32];
	unsigned int count = stack_trace_save(ip, min_t(unsigned int, room, ARRAY_SIZE(ip)), 1);
	unsigned int i;

	for (i = 0; i < count; i++)
		frame[i] = (struct compat_frame){ .ip = ip[i] };
	return count;
}

static inline unsigned long compat_stack_pointer(void)
{
	return 0;
}

#endif

#endif
