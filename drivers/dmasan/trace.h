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

struct san_finding;

/* @mapped and @detected: places in the driver. The words are those of the file "reports". */
TRACE_EVENT(dmasan_report,
	TP_PROTO(const char *device, const char *kind, const struct san_finding *finding,
		 const char *mapped, const char *detected),
	TP_ARGS(device, kind, finding, mapped, detected),
	TP_STRUCT__entry(
		__array(char, device, 64)
		__array(char, kind, 24)
		__array(char, direction, 16)
		__field(u64, addr)
		__field(u64, size)
		__field(u64, expected)
		__field(u64, seen)
		__field(s64, offset)
		__field(unsigned int, bytes)
		__array(u8, was, SAN_BYTES)
		__array(u8, is, SAN_BYTES)
		__array(char, mapped, 96)
		__array(char, detected, 96)
	),
	TP_fast_assign(
		strscpy(__entry->device, device, sizeof(__entry->device));
		strscpy(__entry->kind, kind, sizeof(__entry->kind));
		strscpy(__entry->direction, san_direction_name(finding->dir),
			sizeof(__entry->direction));
		__entry->addr = finding->addr;
		__entry->size = finding->size;
		__entry->expected = finding->expected;
		__entry->seen = finding->seen;
		__entry->offset = (ssize_t)finding->offset;
		__entry->bytes = finding->bytes;
		memcpy(__entry->was, finding->was, SAN_BYTES);
		memcpy(__entry->is, finding->is, SAN_BYTES);
		strscpy(__entry->mapped, mapped, sizeof(__entry->mapped));
		strscpy(__entry->detected, detected, sizeof(__entry->detected));
	),
	TP_printk("device=%s kind=%s addr=%#llx size=%llu direction=%s expected=%#llx seen=%#llx offset=%lld was=%s is=%s mapped=%s detected=%s",
		  __entry->device, __entry->kind, __entry->addr, __entry->size,
		  __entry->direction, __entry->expected, __entry->seen, __entry->offset,
		  __print_hex_str(__entry->was, __entry->bytes),
		  __print_hex_str(__entry->is, __entry->bytes),
		  __entry->mapped, __entry->detected)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
