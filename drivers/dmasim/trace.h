/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: what a controller does, in /sys/kernel/tracing/events/dmasim/.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM dmasim

#if !defined(DMASIM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define DMASIM_TRACE_H

#include <linux/tracepoint.h>

#include "dmasim.h"

DECLARE_EVENT_CLASS(dmasim_desc,
	TP_PROTO(const struct dmasim_chan *chan, const struct dmasim_desc *desc, size_t bytes),
	TP_ARGS(chan, desc, bytes),
	TP_STRUCT__entry(
		__field(int, dma)
		__field(unsigned int, chan)
		__field(int, cookie)
		__field(unsigned int, type)
		__field(size_t, done)
		__field(size_t, bytes)
	),
	TP_fast_assign(
		__entry->dma = chan->sim->dma.dev_id;
		__entry->chan = chan->id;
		__entry->cookie = desc->tx.cookie;
		__entry->type = desc->type;
		__entry->done = desc->done;
		__entry->bytes = bytes;
	),
	TP_printk("dma%dchan%u cookie=%d type=%u done=%zu bytes=%zu", __entry->dma,
		  __entry->chan, __entry->cookie, __entry->type, __entry->done, __entry->bytes)
);

/* A transaction begins; bytes: how long it is. */
DEFINE_EVENT(dmasim_desc, dmasim_start,
	TP_PROTO(const struct dmasim_chan *chan, const struct dmasim_desc *desc, size_t bytes),
	TP_ARGS(chan, desc, bytes)
);

/* That many bytes move in one go. */
DEFINE_EVENT(dmasim_desc, dmasim_burst,
	TP_PROTO(const struct dmasim_chan *chan, const struct dmasim_desc *desc, size_t bytes),
	TP_ARGS(chan, desc, bytes)
);

TRACE_EVENT(dmasim_complete,
	TP_PROTO(const struct dmasim_chan *chan, const struct dmasim_desc *desc),
	TP_ARGS(chan, desc),
	TP_STRUCT__entry(
		__field(int, dma)
		__field(unsigned int, chan)
		__field(int, cookie)
		__field(int, result)
		__field(u32, residue)
	),
	TP_fast_assign(
		__entry->dma = chan->sim->dma.dev_id;
		__entry->chan = chan->id;
		__entry->cookie = desc->tx.cookie;
		__entry->result = desc->result.result;
		__entry->residue = desc->result.residue;
	),
	TP_printk("dma%dchan%u cookie=%d result=%d residue=%u", __entry->dma, __entry->chan,
		  __entry->cookie, __entry->result, __entry->residue)
);

/* The controller could not reach an address. */
TRACE_EVENT(dmasim_fault,
	TP_PROTO(const struct dmasim_chan *chan, u64 addr, bool write, int reach),
	TP_ARGS(chan, addr, write, reach),
	TP_STRUCT__entry(
		__field(int, dma)
		__field(unsigned int, chan)
		__field(u64, addr)
		__field(bool, write)
		__field(int, reach)
	),
	TP_fast_assign(
		__entry->dma = chan->sim->dma.dev_id;
		__entry->chan = chan->id;
		__entry->addr = addr;
		__entry->write = write;
		__entry->reach = reach;
	),
	TP_printk("dma%dchan%u %s %#llx: %s", __entry->dma, __entry->chan,
		  __entry->write ? "write" : "read", __entry->addr,
		  __print_symbolic(__entry->reach, { DMASIM_UNMAPPED, "unmapped" },
				   { DMASIM_DENIED, "denied" },
				   { DMASIM_NO_MEMORY_THERE, "no-memory" }))
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
