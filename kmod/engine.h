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
 * @error: which, a negative errno; 0 when all was moved
 *
 * Context: process context, once a submission.
 */
typedef void (*scullpin_done_fn)(struct scullpin_transfer *xfer, size_t bytes, int error);

/**
 * struct scullpin_transfer - what an engine is asked to move
 * @id: the same in every trace event of the request
 * @sdev: the device; the engine reads its settings and keeps its own state there
 * @memory: page ranges of the caller
 * @medium: page ranges of the device, of the same length
 * @delay: nanoseconds before it is moved, of the modelled device
 * @write: from memory to the medium, else the other way
 * @must: dirty folios: want of memory for a moment must not fail it
 * @silent: jiffies when the engine was found to have let the deadline pass, else 0; who
 *	finds that stops it
 * @kept: set by finish(): the engine may still reach the pages; nobody gives them back
 * @alive: jiffies of the engine's last sign of life; set at submission, by the
 *	engine while it moves
 * @done: called once after submit
 * @start: pace.c's own: the delay, and the worker that submits after it
 * @cpu: engine_cpu's own: the worker's item, and before it the submitter's plug
 * @dma: engine_dma's own
 *
 * An engine knows neither kiocb nor file.
 */
struct scullpin_transfer {
	u64 id;
	struct scullpin_device *sdev;
	struct scullpin_ranges memory;
	struct scullpin_ranges medium;
	ktime_t delay;
	bool write;
	bool must;
	bool kept;
	unsigned long alive;
	unsigned long silent;
	scullpin_done_fn done;
	struct {
		struct work_struct work;
		struct hrtimer timer;
	} start;
	union {
		struct {
			struct work_struct work;
			struct list_head plugged;
		} cpu;
		struct scullpin_dma_job *dma;
	};
};

/**
 * struct scullpin_engine_ops - who moves the bytes
 * @name: as in settings
 * @attach: get what a device needs of the engine. NULL: nothing
 * @detach: undo it; no transfer is in flight
 * @move: move it now, in the caller's context, without sleeping under locks;
 *	returns bytes, fewer than asked when the engine failed. NULL when only
 *	submit() can
 * @prepare: get memory for a transfer, as @gfp allows. NULL: none is needed
 * @submit: move it later; calls done() once, also before returning. Process
 *	context; does not sleep
 * @terminate: stop, and wait until quiet: afterwards nothing touches @xfer, nor its
 *	pages unless finish() says that they are kept, and done() is not called any
 *	more. Returns whether it may have begun to move. Sleeps; the caller guarantees
 *	that @xfer lives until it returns
 * @alive: jiffies of the last sign of life. NULL: @xfer->alive tells
 * @finish: undo prepare, after done() or terminate(); returns the bytes from the
 *	start that are known to have moved. Sleeps. NULL: nothing
 */
struct scullpin_engine_ops {
	const char *name;
	int (*attach)(struct scullpin_device *sdev);
	void (*detach)(struct scullpin_device *sdev);
	size_t (*move)(struct scullpin_transfer *xfer);
	int (*prepare)(struct scullpin_transfer *xfer, gfp_t gfp);
	void (*submit)(struct scullpin_transfer *xfer);
	bool (*terminate)(struct scullpin_transfer *xfer);
	unsigned long (*alive)(struct scullpin_transfer *xfer);
	size_t (*finish)(struct scullpin_transfer *xfer);
};

/* engine.c */
extern struct workqueue_struct *scullpin_engine_queue;

int scullpin_engine_init(void);
void scullpin_engine_exit(void);
int scullpin_engine_attach(struct scullpin_device *sdev);
void scullpin_engine_detach(struct scullpin_device *sdev);

/* engine_cpu.c */
extern const struct scullpin_engine_ops scullpin_engine_cpu;
void scullpin_engine_cpu_exit(void);

/* engine_dma.c */
extern const struct scullpin_engine_ops scullpin_engine_dma;

/* dma_stop.c */
void scullpin_dma_stay(void);

#endif /* SCULLPIN_ENGINE_H */
