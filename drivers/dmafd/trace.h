/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: what channels and mappings do, in /sys/kernel/tracing/events/dmafd/.
 * No addresses: programs that may trace need not know them.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM dmafd

#if !defined(DMAFD_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define DMAFD_TRACE_H

#include <linux/string.h>
#include <linux/tracepoint.h>

#include "dmafd.h"

DECLARE_EVENT_CLASS(dmafd_job,
	TP_PROTO(const struct dmafd_chan *chan, const struct dmafd_job *job, size_t bytes),
	TP_ARGS(chan, job, bytes),
	TP_STRUCT__entry(
		__array(char, chan, DMAFD_NAME_MAX)
		__field(u64, sequence)
		__field(u32, opcode)
		__field(size_t, bytes)
	),
	TP_fast_assign(
		memcpy(__entry->chan, chan->name, DMAFD_NAME_MAX);
		__entry->sequence = job->sequence;
		__entry->opcode = job->opcode;
		__entry->bytes = bytes;
	),
	TP_printk("%s sequence=%llu opcode=%u bytes=%zu", __entry->chan, __entry->sequence,
		  __entry->opcode, __entry->bytes)
);

/* An operation has become a job of so many bytes, in the channel's queue. */
DEFINE_EVENT(dmafd_job, dmafd_submit,
	TP_PROTO(const struct dmafd_chan *chan, const struct dmafd_job *job, size_t bytes),
	TP_ARGS(chan, job, bytes)
);

/* A piece of the job, so long, was given to the controller. */
DEFINE_EVENT(dmafd_job, dmafd_issue,
	TP_PROTO(const struct dmafd_chan *chan, const struct dmafd_job *job, size_t bytes),
	TP_ARGS(chan, job, bytes)
);

/* The controller was told to begin; so many pieces are not known to be done. */
TRACE_EVENT(dmafd_kick,
	TP_PROTO(const struct dmafd_chan *chan, unsigned int pieces),
	TP_ARGS(chan, pieces),
	TP_STRUCT__entry(
		__array(char, chan, DMAFD_NAME_MAX)
		__field(unsigned int, pieces)
	),
	TP_fast_assign(
		memcpy(__entry->chan, chan->name, DMAFD_NAME_MAX);
		__entry->pieces = pieces;
	),
	TP_printk("%s pieces=%u", __entry->chan, __entry->pieces)
);

/* The job is over, with so many bytes moved. */
TRACE_EVENT(dmafd_complete,
	TP_PROTO(const struct dmafd_chan *chan, const struct dmafd_job *job),
	TP_ARGS(chan, job),
	TP_STRUCT__entry(
		__array(char, chan, DMAFD_NAME_MAX)
		__field(u64, sequence)
		__field(u32, opcode)
		__field(u64, bytes)
		__field(int, status)
	),
	TP_fast_assign(
		memcpy(__entry->chan, chan->name, DMAFD_NAME_MAX);
		__entry->sequence = job->sequence;
		__entry->opcode = job->opcode;
		__entry->bytes = job->bytes;
		__entry->status = job->status;
	),
	TP_printk("%s sequence=%llu opcode=%u bytes=%llu status=%d", __entry->chan,
		  __entry->sequence, __entry->opcode, __entry->bytes, __entry->status)
);

DECLARE_EVENT_CLASS(dmafd_mapping,
	TP_PROTO(const struct dmafd_map *map),
	TP_ARGS(map),
	TP_STRUCT__entry(
		__array(char, device, DMAFD_NAME_MAX)
		__field(size_t, bytes)
		__field(unsigned int, segments)
	),
	TP_fast_assign(
		strscpy(__entry->device, dev_name(map->ctrl->supplier), DMAFD_NAME_MAX);
		__entry->bytes = map->length;
		__entry->segments = map->sgt.nents;
	),
	TP_printk("%s bytes=%zu segments=%u", __entry->device, __entry->bytes,
		  __entry->segments)
);

/* A buffer was mapped for a controller, in so many segments. */
DEFINE_EVENT(dmafd_mapping, dmafd_map,
	TP_PROTO(const struct dmafd_map *map),
	TP_ARGS(map)
);

/* It is to be unmapped. */
DEFINE_EVENT(dmafd_mapping, dmafd_unmap,
	TP_PROTO(const struct dmafd_map *map),
	TP_ARGS(map)
);

/* A part of a mapping was handed over to the device, or to the CPU. */
TRACE_EVENT(dmafd_sync,
	TP_PROTO(const struct dmafd_map *map, size_t bytes, bool for_device),
	TP_ARGS(map, bytes, for_device),
	TP_STRUCT__entry(
		__array(char, device, DMAFD_NAME_MAX)
		__field(size_t, bytes)
		__field(bool, for_device)
	),
	TP_fast_assign(
		strscpy(__entry->device, dev_name(map->ctrl->supplier), DMAFD_NAME_MAX);
		__entry->bytes = bytes;
		__entry->for_device = for_device;
	),
	TP_printk("%s bytes=%zu for=%s", __entry->device, __entry->bytes,
		  __entry->for_device ? "device" : "cpu")
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
