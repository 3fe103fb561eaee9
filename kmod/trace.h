/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: the steps of a request under one id, which is its device's own:
 * submit, pin, issue, map (a window, by DMA), release, complete; and why one is
 * refused or cut. A request that ends on the stack of the call gets an id only while
 * scullpin_submit is enabled, else its events have 0; it repeats pin, issue and
 * release for each batch.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM scullpin

#if !defined(SCULLPIN_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define SCULLPIN_TRACE_H

#include <linux/tracepoint.h>
#include <linux/types.h>

struct scullpin_device;

TRACE_EVENT(scullpin_submit,
	TP_PROTO(const struct scullpin_device *sdev, u64 id, bool write, loff_t pos, size_t length,
		 int flags),
	TP_ARGS(sdev, id, write, pos, length, flags),
	TP_STRUCT__entry(
		__field(u32, dev)
		__field(u64, id)
		__field(bool, write)
		__field(loff_t, pos)
		__field(size_t, length)
		__field(int, flags)
	),
	TP_fast_assign(
		__entry->dev = MINOR(sdev->dev.devt);
		__entry->id = id;
		__entry->write = write;
		__entry->pos = pos;
		__entry->length = length;
		__entry->flags = flags;
	),
	TP_printk("dev=%u id=%llu %s pos=%lld length=%zu flags=%#x", __entry->dev,
		  __entry->id, __entry->write ? "write" : "read", __entry->pos,
		  __entry->length, __entry->flags)
);

TRACE_EVENT(scullpin_pin,
	TP_PROTO(const struct scullpin_device *sdev, u64 id, unsigned int pages, size_t bytes),
	TP_ARGS(sdev, id, pages, bytes),
	TP_STRUCT__entry(
		__field(u32, dev)
		__field(u64, id)
		__field(unsigned int, pages)
		__field(size_t, bytes)
	),
	TP_fast_assign(
		__entry->dev = MINOR(sdev->dev.devt);
		__entry->id = id;
		__entry->pages = pages;
		__entry->bytes = bytes;
	),
	TP_printk("dev=%u id=%llu pages=%u bytes=%zu", __entry->dev, __entry->id,
		  __entry->pages, __entry->bytes)
);

TRACE_EVENT(scullpin_issue,
	TP_PROTO(const struct scullpin_device *sdev, u64 id, size_t bytes),
	TP_ARGS(sdev, id, bytes),
	TP_STRUCT__entry(
		__field(u32, dev)
		__field(u64, id)
		__field(size_t, bytes)
	),
	TP_fast_assign(
		__entry->dev = MINOR(sdev->dev.devt);
		__entry->id = id;
		__entry->bytes = bytes;
	),
	TP_printk("dev=%u id=%llu bytes=%zu", __entry->dev, __entry->id, __entry->bytes)
);

TRACE_EVENT(scullpin_map,
	TP_PROTO(const struct scullpin_device *sdev, u64 id, size_t bytes, unsigned int segments,
		 unsigned int descriptors, size_t bounced),
	TP_ARGS(sdev, id, bytes, segments, descriptors, bounced),
	TP_STRUCT__entry(
		__field(u32, dev)
		__field(u64, id)
		__field(size_t, bytes)
		__field(unsigned int, segments)
		__field(unsigned int, descriptors)
		__field(size_t, bounced)
	),
	TP_fast_assign(
		__entry->dev = MINOR(sdev->dev.devt);
		__entry->id = id;
		__entry->bytes = bytes;
		__entry->segments = segments;
		__entry->descriptors = descriptors;
		__entry->bounced = bounced;
	),
	TP_printk("dev=%u id=%llu bytes=%zu segments=%u descriptors=%u bounced=%zu", __entry->dev,
		  __entry->id, __entry->bytes, __entry->segments, __entry->descriptors,
		  __entry->bounced)
);

TRACE_EVENT(scullpin_complete,
	TP_PROTO(const struct scullpin_device *sdev, u64 id, ssize_t result),
	TP_ARGS(sdev, id, result),
	TP_STRUCT__entry(
		__field(u32, dev)
		__field(u64, id)
		__field(ssize_t, result)
	),
	TP_fast_assign(
		__entry->dev = MINOR(sdev->dev.devt);
		__entry->id = id;
		__entry->result = result;
	),
	TP_printk("dev=%u id=%llu result=%zd", __entry->dev, __entry->id, __entry->result)
);

TRACE_EVENT(scullpin_release,
	TP_PROTO(const struct scullpin_device *sdev, u64 id, unsigned int pages),
	TP_ARGS(sdev, id, pages),
	TP_STRUCT__entry(
		__field(u32, dev)
		__field(u64, id)
		__field(unsigned int, pages)
	),
	TP_fast_assign(
		__entry->dev = MINOR(sdev->dev.devt);
		__entry->id = id;
		__entry->pages = pages;
	),
	TP_printk("dev=%u id=%llu pages=%u", __entry->dev, __entry->id, __entry->pages)
);

TRACE_EVENT(scullpin_refuse,
	TP_PROTO(const struct scullpin_device *sdev, u64 id, const char *reason, u64 detail),
	TP_ARGS(sdev, id, reason, detail),
	TP_STRUCT__entry(
		__field(u32, dev)
		__field(u64, id)
		__array(char, reason, 24)
		__field(u64, detail)
	),
	TP_fast_assign(
		__entry->dev = MINOR(sdev->dev.devt);
		__entry->id = id;
		strscpy(__entry->reason, reason, sizeof(__entry->reason));
		__entry->detail = detail;
	),
	TP_printk("dev=%u id=%llu reason=%s detail=%llu", __entry->dev, __entry->id,
		  __entry->reason, __entry->detail)
);

#endif /* SCULLPIN_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
