/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_STATS_H
#define SCULLPIN_STATS_H

#include <linux/percpu.h>
#include <linux/sysfs.h>
#include <linux/types.h>

#include "latency.h"
#include "refuse.h"

/* Every counter, under its name in sysfs. Only ever added to. */
#define SCULLPIN_COUNTERS(X)							\
	X(requests_submitted)	/* accepted: length above 0, aligned */		\
	X(requests_completed)	/* ended, well or not */			\
	X(requests_inline)	/* completed before the submission returned */	\
	X(requests_deferred)	/* handed to the engine's worker */		\
	X(bytes_read)		/* from the device to memory */			\
	X(bytes_written)	/* from memory to the device */			\
	X(pages_pinned)		/* user pages taken */				\
	X(pages_released)	/* user pages given back */			\
	X(pages_dirtied)	/* of those, marked dirty */			\
	X(short_pins)		/* fewer pages than asked for */		\
	X(again)		/* -EAGAIN under NOWAIT */			\
	X(cancelled)		/* taken back, or the caller was killed */	\
	X(timed_out)		/* the engine missed the deadline */		\
	X(errors)		/* ended with another error */			\
	X(cache_read)		/* folios read in to the page cache */		\
	X(cache_written)	/* folios written back from it */		\
	X(cache_fallbacks)	/* direct writes through it: pages could not be dropped */ \
	X(cache_overtaken)	/* direct writes that left a page dirtied meanwhile */ \
	X(cache_lost)		/* dirty ones that could not be written back */	\
	X(dma_pages)		/* mapped for a DMA channel */			\
	X(dma_segments)		/* that they made */				\
	X(dma_descriptors)	/* that a window was cut into */		\
	X(dma_bounced_bytes)	/* windows through memory that it reaches */

enum scullpin_counter {
#define X(name) SCULLPIN_COUNT_##name,
	SCULLPIN_COUNTERS(X)
#undef X
	SCULLPIN_COUNT_REFUSED,		/* the first of enum scullpin_refusal */
	SCULLPIN_COUNT_MAX = SCULLPIN_COUNT_REFUSED + SCULLPIN_REFUSED_MAX
};

struct scullpin_counters {
	u64 value[SCULLPIN_COUNT_MAX];
	struct scullpin_latency latency;
};

/**
 * struct scullpin_stats - counters of one device
 * @counters: per CPU, so that counting costs one instruction and shares no line
 */
struct scullpin_stats {
	struct scullpin_counters __percpu *counters;
};

#define scullpin_stats_add(stats, name, n)						\
	this_cpu_add((stats)->counters->value[SCULLPIN_COUNT_##name], (n))

#define scullpin_stats_inc(stats, name) scullpin_stats_add(stats, name, 1)

extern const struct attribute_group scullpin_stats_group;
extern const struct attribute_group scullpin_refused_group;

int scullpin_stats_init(struct scullpin_stats *stats);
void scullpin_stats_exit(struct scullpin_stats *stats);

#endif /* SCULLPIN_STATS_H */
