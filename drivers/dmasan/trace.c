// SPDX-License-Identifier: GPL-2.0-only
#include "dmasan.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* For who wants to count reports inside of the kernel. */
EXPORT_TRACEPOINT_SYMBOL_GPL(dmasan_report);
