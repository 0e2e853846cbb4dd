/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A timer and its function are set at once, on all kernels.
 */
#ifndef COMPAT_HRTIMER_H
#define COMPAT_HRTIMER_H

#include <linux/hrtimer.h>

#ifdef COMPAT_HAS_HRTIMER_SETUP
#define compat_hrtimer_setup	hrtimer_setup
#else
static inline void compat_hrtimer_setup(struct hrtimer *timer,
					enum hrtimer_restart (*function)(struct hrtimer *),
					clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

#endif
