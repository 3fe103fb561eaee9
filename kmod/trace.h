/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: the steps of a request that has an object, under one id:
 * submit, pin, issue, map (a window, by DMA), complete, release. Requests that end on the stack of
 * the call are seen by counters only.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM scullpin

#if !defined(SCULLPIN_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define SCULLPIN_TRACE_H

#include <linux/tracepoint.h>
#include <linux/types.h>

TRACE_EVENT(scullpin_submit,
	TP_PROTO(u64 id, bool write, loff_t pos, size_t length, int flags),
	TP_ARGS(id, write, pos, length, flags),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(bool, write)
		__field(loff_t, pos)
		__field(size_t, length)
		__field(int, flags)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->write = write;
		__entry->pos = pos;
		__entry->length = length;
		__entry->flags = flags;
	),
	TP_printk("id=%llu %s pos=%lld length=%zu flags=%#x", __entry->id,
		  __entry->write ? "write" : "read", __entry->pos, __entry->length,
		  __entry->flags)
);

TRACE_EVENT(scullpin_pin,
	TP_PROTO(u64 id, unsigned int pages, size_t bytes),
	TP_ARGS(id, pages, bytes),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(unsigned int, pages)
		__field(size_t, bytes)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->pages = pages;
		__entry->bytes = bytes;
	),
	TP_printk("id=%llu pages=%u bytes=%zu", __entry->id, __entry->pages, __entry->bytes)
);

TRACE_EVENT(scullpin_issue,
	TP_PROTO(u64 id, size_t bytes),
	TP_ARGS(id, bytes),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(size_t, bytes)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->bytes = bytes;
	),
	TP_printk("id=%llu bytes=%zu", __entry->id, __entry->bytes)
);

TRACE_EVENT(scullpin_map,
	TP_PROTO(u64 id, size_t bytes, unsigned int segments, unsigned int descriptors,
		 size_t bounced),
	TP_ARGS(id, bytes, segments, descriptors, bounced),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(size_t, bytes)
		__field(unsigned int, segments)
		__field(unsigned int, descriptors)
		__field(size_t, bounced)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->bytes = bytes;
		__entry->segments = segments;
		__entry->descriptors = descriptors;
		__entry->bounced = bounced;
	),
	TP_printk("id=%llu bytes=%zu segments=%u descriptors=%u bounced=%zu", __entry->id,
		  __entry->bytes, __entry->segments, __entry->descriptors, __entry->bounced)
);

TRACE_EVENT(scullpin_complete,
	TP_PROTO(u64 id, ssize_t result),
	TP_ARGS(id, result),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(ssize_t, result)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->result = result;
	),
	TP_printk("id=%llu result=%zd", __entry->id, __entry->result)
);

TRACE_EVENT(scullpin_release,
	TP_PROTO(u64 id, unsigned int pages),
	TP_ARGS(id, pages),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(unsigned int, pages)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->pages = pages;
	),
	TP_printk("id=%llu pages=%u", __entry->id, __entry->pages)
);

#endif /* SCULLPIN_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
