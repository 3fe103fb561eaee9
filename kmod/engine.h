/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_ENGINE_H
#define SCULLPIN_ENGINE_H

#include <linux/hrtimer.h>
#include <linux/workqueue.h>

#include "pace.h"
#include "ranges.h"

struct scullpin_device;
struct scullpin_transfer;

/**
 * typedef scullpin_done_fn - a transfer has ended
 * @xfer: as submitted; not touched by the engine any more
 * @bytes: moved, counted from the start; fewer than asked is an error
 *
 * Context: process context, once a submission.
 */
typedef void (*scullpin_done_fn)(struct scullpin_transfer *xfer, size_t bytes);

/**
 * struct scullpin_transfer - what an engine is asked to move
 * @sdev: the device; the engine reads its settings, nothing else
 * @memory: page ranges of the caller
 * @medium: page ranges of the device, of the same length
 * @delay: nanoseconds before it is moved, of the modelled device
 * @write: from memory to the medium, else the other way
 * @alive: jiffies of the engine's last sign of life; set at submission, by the
 *	engine while it moves
 * @done: called once after submit
 * @cpu: engine_cpu's own: the worker's item and the delay before it
 *
 * An engine knows neither kiocb nor file.
 */
struct scullpin_transfer {
	struct scullpin_device *sdev;
	struct scullpin_ranges memory;
	struct scullpin_ranges medium;
	ktime_t delay;
	bool write;
	unsigned long alive;
	scullpin_done_fn done;
	struct {
		struct work_struct work;
		struct hrtimer timer;
	} cpu;
};

/**
 * struct scullpin_engine_ops - who moves the bytes
 * @name: as in settings
 * @move: move it now, in the caller's context, without sleeping under locks;
 *	returns bytes, fewer than asked when the engine failed. NULL when only
 *	submit() can
 * @submit: move it later; calls done() once, also before returning
 * @terminate: stop, and wait until quiet: afterwards nothing touches @xfer or its
 *	pages, and done() is not called any more. Returns whether it may have begun
 *	to move. Sleeps; the caller guarantees that @xfer lives until it returns
 */
struct scullpin_engine_ops {
	const char *name;
	size_t (*move)(struct scullpin_transfer *xfer);
	void (*submit)(struct scullpin_transfer *xfer);
	bool (*terminate)(struct scullpin_transfer *xfer);
};

extern const struct scullpin_engine_ops scullpin_engine_cpu;

int scullpin_engine_cpu_init(void);
void scullpin_engine_cpu_exit(void);

#endif /* SCULLPIN_ENGINE_H */
