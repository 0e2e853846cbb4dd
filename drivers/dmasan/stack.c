// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stack traces. Most are one of a few that were taken before: each processor keeps
 * the last ones, with the places on the stack where their return addresses lie. If all
 * of these are there again, so are the callers.
 */
#include <linux/compiler.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/sched/task_stack.h>

#include <compat/stack.h>

#include "dmasan.h"

#define FRAMES	20U	/* with our own */
#define SETS	8
#define WAYS	4

/* @stack tells where on which stack it was taken; 0 of those that are empty. */
struct memo {
	unsigned long stack;
	unsigned int count;
	struct compat_frame frame[FRAMES];
	struct san_trace trace;
};

/* Used by its processor alone, with interrupts off. */
struct memos {
	unsigned int next;
	struct memo memo[SETS][WAYS];
};

static struct memos __percpu *memos;

/* Stacks of tasks look alike; others are their processor's, and stay. */
static unsigned long name_stack(unsigned long sp)
{
	unsigned long at = sp - (unsigned long)task_stack_page(current);

	return at < THREAD_SIZE ? at + 1 : sp;
}

/* What lies on the stack is read without regard to whose it is. */
static __no_sanitize_address bool is_there(unsigned long sp, const struct memo *memo)
{
	unsigned int i;

	for (i = 0; i < memo->count; i++)
		if (READ_ONCE_NOCHECK(*(unsigned long *)(sp + memo->frame[i].at)) !=
		    memo->frame[i].ip)
			return false;
	return true;
}

static struct memo *recall(struct memo *set, unsigned long stack, unsigned long sp)
{
	int i;

	for (i = 0; i < WAYS; i++)
		if (set[i].stack == stack && is_there(sp, &set[i]))
			return &set[i];
	return NULL;
}

/* Only those outside of this module, and no more than are shown. */
static void choose(struct memo *memo)
{
	struct san_trace *trace = &memo->trace;
	unsigned int i;

	trace->count = 0;
	for (i = 0; i < memo->count && trace->count < SAN_FRAMES; i++)
		if (!within_module(memo->frame[i].ip, THIS_MODULE))
			trace->frame[trace->count++] = memo->frame[i].ip;
	memo->count = i;
}

static void take(struct memo *memo, unsigned long stack, unsigned long sp)
{
	memo->stack = 0;
	memo->count = compat_stack_frames(sp, memo->frame, FRAMES);
	choose(memo);
	/* An empty one would fit everywhere. */
	if (memo->count)
		memo->stack = stack;
}

static void trace_anew(struct san_trace *trace)
{
	struct memo memo;

	take(&memo, 0, 0);
	*trace = memo.trace;
}

noinline void san_trace_here(struct san_trace *trace)
{
	unsigned long sp = compat_stack_pointer(), stack = name_stack(sp), flags;
	struct memos *mine;
	struct memo *set, *memo;

	if (!COMPAT_STACK_PLACES) {
		trace_anew(trace);
		return;
	}
	local_irq_save(flags);
	mine = this_cpu_ptr(memos);
	set = mine->memo[(stack >> 3) % SETS];
	memo = recall(set, stack, sp);
	if (!memo) {
		memo = &set[mine->next++ % WAYS];
		take(memo, stack, sp);
	}
	*trace = memo->trace;
	local_irq_restore(flags);
}

int san_stack_init(void)
{
	if (!COMPAT_STACK_PLACES)
		return 0;
	memos = alloc_percpu(struct memos);
	return memos ? 0 : -ENOMEM;
}

void san_stack_exit(void)
{
	free_percpu(memos);
}
