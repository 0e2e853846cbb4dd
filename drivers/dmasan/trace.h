/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: what was found, in /sys/kernel/tracing/events/dmasan/. Every
 * finding is one, those as well that the log does not repeat.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM dmasan

#if !defined(DMASAN_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define DMASAN_TRACE_H

#include <linux/tracepoint.h>

/* @mapped and @detected: places in the driver. */
TRACE_EVENT(dmasan_report,
	TP_PROTO(const char *device, const char *kind, u64 addr, u64 size, u64 offset,
		 const char *mapped, const char *detected),
	TP_ARGS(device, kind, addr, size, offset, mapped, detected),
	TP_STRUCT__entry(
		__array(char, device, 64)
		__array(char, kind, 24)
		__field(u64, addr)
		__field(u64, size)
		__field(u64, offset)
		__array(char, mapped, 96)
		__array(char, detected, 96)
	),
	TP_fast_assign(
		strscpy(__entry->device, device, sizeof(__entry->device));
		strscpy(__entry->kind, kind, sizeof(__entry->kind));
		__entry->addr = addr;
		__entry->size = size;
		__entry->offset = offset;
		strscpy(__entry->mapped, mapped, sizeof(__entry->mapped));
		strscpy(__entry->detected, detected, sizeof(__entry->detected));
	),
	TP_printk("device=%s kind=%s addr=%#llx size=%llu offset=%llu mapped=%s detected=%s",
		  __entry->device, __entry->kind, __entry->addr, __entry->size,
		  __entry->offset, __entry->mapped, __entry->detected)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
