/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_ENGINE_H
#define SCULLPIN_ENGINE_H

#include <linux/hrtimer.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "ranges.h"

struct scullpin_device;
struct scullpin_transfer;

/* The longest that a modelled delay lasts: a request always ends. */
#define SCULLPIN_MAX_DELAY_US (60ULL * USEC_PER_SEC)

/**
 * typedef scullpin_done_fn - a transfer has ended
 * @xfer: as submitted; not touched by the engine any more
 * @bytes: moved, counted from the start
 * @error: 0 or a negative errno that stopped it
 *
 * Context: process context, once a submission.
 */
typedef void (*scullpin_done_fn)(struct scullpin_transfer *xfer, size_t bytes, int error);

/**
 * struct scullpin_transfer - what an engine is asked to move
 * @sdev: the device; the engine reads its settings, nothing else
 * @memory: page ranges of the caller
 * @medium: page ranges of the device, of the same length
 * @delay_bytes: bytes that the modelled bandwidth counts; @memory may be empty
 * @write: from memory to the medium, else the other way
 * @done: called once after submit
 * @cpu: engine_cpu's own: the worker's item, the delay before it, whether the
 *	delay was cut short
 *
 * An engine knows neither kiocb nor file.
 */
struct scullpin_transfer {
	struct scullpin_device *sdev;
	struct scullpin_ranges memory;
	struct scullpin_ranges medium;
	size_t delay_bytes;
	bool write;
	scullpin_done_fn done;
	struct {
		struct work_struct work;
		struct hrtimer timer;
		bool delayed;
		bool cancelled;
	} cpu;
};

/**
 * struct scullpin_engine_ops - who moves the bytes
 * @name: as in settings
 * @move: move it now, in the caller's context, without sleeping under locks;
 *	returns bytes. NULL when only submit() can
 * @submit: move it later; calls done() once, also before returning
 * @cancel: end it early if it has not begun; done() is still called once. The
 *	caller guarantees that @xfer lives until then
 */
struct scullpin_engine_ops {
	const char *name;
	size_t (*move)(struct scullpin_transfer *xfer);
	void (*submit)(struct scullpin_transfer *xfer);
	void (*cancel)(struct scullpin_transfer *xfer);
};

/**
 * struct scullpin_pace - the modelled speed of a device
 * @lock: protects @busy_until; a leaf, taken with nothing inside
 * @busy_until: when the modelled bus is free again
 */
struct scullpin_pace {
	spinlock_t lock;
	ktime_t busy_until;
};

extern const struct scullpin_engine_ops scullpin_engine_cpu;

int scullpin_engine_cpu_init(void);
void scullpin_engine_cpu_exit(void);

#endif /* SCULLPIN_ENGINE_H */
