// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bound in time: an engine that does not answer by the deadline is
 * stopped, and its request ends with -ETIMEDOUT; when the device goes, each
 * request ends with -ENODEV. The end of a process waits for its requests without
 * limit, so this is correctness, not comfort.
 */
#include <linux/jiffies.h>

#include "device.h"
#include "fault.h"
#include "request.h"
#include "watch.h"

static struct workqueue_struct *watch_queue;

/* As it is set now. */
static unsigned long watch_patience(const struct scullpin_watch *watch)
{
	return msecs_to_jiffies(READ_ONCE(*watch->deadline_ms)) + 1;
}

/* When to look: a quarter late at most. */
static unsigned long watch_period(unsigned long patience)
{
	return patience / 4 + 1;
}

static void watch_abort_work(struct work_struct *work)
{
	struct scullpin_request *req = container_of(to_delayed_work(work), struct scullpin_request,
						    work);

	scullpin_request_abort(req, req->error);
}

/**
 * scullpin_watch_abort - have a worker stop a request's engine and end the request
 * @req: claimed by the caller, who does not touch it any more
 * @error: what the caller of the request is told
 *
 * Each is its own work: an engine may take its time to become quiet.
 *
 * Context: any.
 */
void scullpin_watch_abort(struct scullpin_request *req, int error)
{
	req->error = error;
	INIT_DELAYED_WORK(&req->work, watch_abort_work);
	queue_delayed_work(watch_queue, &req->work, 0);
}

/* Has the engine been silent for longer than a request bears? */
static bool watch_is_overdue(struct scullpin_request *req)
{
	struct scullpin_transfer *xfer = &req->xfer;
	unsigned long alive = READ_ONCE(xfer->alive);

	if (xfer->sdev->engine->alive && time_after(jiffies, alive))
		alive = xfer->sdev->engine->alive(xfer);
	return time_after(jiffies, alive + req->patience);
}

/* Whose deadline has passed, and who has no other owner yet, is aborted. */
static void watch_work(struct work_struct *work)
{
	struct scullpin_watch *watch = container_of(to_delayed_work(work), struct scullpin_watch,
						    work);
	struct scullpin_request *req;
	unsigned long patience;

	spin_lock(&watch->lock);
	patience = watch_patience(watch);
	list_for_each_entry(req, &watch->requests, watched) {
		if (watch_is_overdue(req) && scullpin_request_claim(req)) {
			req->xfer.silent = jiffies ?: 1;
			scullpin_watch_abort(req, -ETIMEDOUT);
		}
		patience = min(patience, req->patience);
	}
	if (!list_empty(&watch->requests))
		mod_delayed_work(watch_queue, &watch->work, watch_period(patience));
	spin_unlock(&watch->lock);
}

/**
 * scullpin_watch_start - make the workers, once for all devices
 *
 * Context: module initialisation.
 * Return: 0 or -ENOMEM.
 */
int scullpin_watch_start(void)
{
	if (!scullpin_fault_hits(SCULLPIN_FAULT_WATCH_QUEUE))
		watch_queue = alloc_workqueue("scullpin_watch", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return watch_queue ? 0 : -ENOMEM;
}

/**
 * scullpin_watch_stop - wait for the workers' last instruction, then undo start
 *
 * Context: module exit; sleeps.
 */
void scullpin_watch_stop(void)
{
	destroy_workqueue(watch_queue);
}

/**
 * scullpin_watch_init - nothing to watch yet
 * @watch: of a device
 * @deadline_ms: where the live setting stands
 *
 * Context: any.
 */
void scullpin_watch_init(struct scullpin_watch *watch, const u64 *deadline_ms)
{
	spin_lock_init(&watch->lock);
	INIT_LIST_HEAD(&watch->requests);
	watch->closed = false;
	INIT_DELAYED_WORK(&watch->work, watch_work);
	watch->deadline_ms = deadline_ms;
}

/**
 * scullpin_watch_exit - undo init; no request is in flight
 * @watch: of a device
 *
 * Context: process context; sleeps.
 */
void scullpin_watch_exit(struct scullpin_watch *watch)
{
	cancel_delayed_work_sync(&watch->work);
}

/**
 * scullpin_watch_add - the engine has a request
 * @watch: of its device
 * @req: submitted, with its delay; the caller holds a reference
 *
 * Context: process context.
 */
void scullpin_watch_add(struct scullpin_watch *watch, struct scullpin_request *req)
{
	spin_lock(&watch->lock);
	req->patience = watch_patience(watch);
	/* Else the worker sees that there are more, and comes back by itself. */
	if (list_empty(&watch->requests))
		queue_delayed_work(watch_queue, &watch->work, watch_period(req->patience));
	list_add_tail(&req->watched, &watch->requests);
	/* It was let in before the device began to go. */
	if (watch->closed && scullpin_request_claim(req))
		scullpin_watch_abort(req, -ENODEV);
	spin_unlock(&watch->lock);
}

/**
 * scullpin_watch_close - the device goes: abort what is in flight, and what comes
 * @watch: of a device
 *
 * Waits for nobody: each request ends by a worker, as after its deadline. Who
 * has passed the door and not yet submitted finds the watch closed, so that
 * no submitter has to be counted, nor waited for.
 *
 * Context: process context.
 */
void scullpin_watch_close(struct scullpin_watch *watch)
{
	struct scullpin_request *req;

	spin_lock(&watch->lock);
	watch->closed = true;
	list_for_each_entry(req, &watch->requests, watched) {
		if (scullpin_request_claim(req))
			scullpin_watch_abort(req, -ENODEV);
	}
	spin_unlock(&watch->lock);
}

/**
 * scullpin_watch_del - a request has ended
 * @watch: of its device
 * @req: as added
 *
 * Context: process context.
 */
void scullpin_watch_del(struct scullpin_watch *watch, struct scullpin_request *req)
{
	spin_lock(&watch->lock);
	list_del(&req->watched);
	spin_unlock(&watch->lock);
}

/**
 * scullpin_watch_look - look now: the setting has changed
 * @watch: of a device
 *
 * Requests in flight keep the deadline that they were submitted with.
 *
 * Context: process context.
 */
void scullpin_watch_look(struct scullpin_watch *watch)
{
	/* Whoever has read the setting before has set its timer, and this replaces it. */
	spin_lock(&watch->lock);
	mod_delayed_work(watch_queue, &watch->work, 0);
	spin_unlock(&watch->lock);
}

/**
 * scullpin_watch_copy - the requests that the engine has, in order of submission
 * @watch: of a device
 * @copy: where to
 * @room: for how many
 *
 * Context: process context.
 * Return: how many there are; those beyond @room are only counted.
 */
unsigned int scullpin_watch_copy(struct scullpin_watch *watch, struct scullpin_in_flight *copy,
				 unsigned int room)
{
	struct scullpin_request *req;
	unsigned int nr = 0;

	/* Who ends a request takes it off the list before it lets anything of it go. */
	spin_lock(&watch->lock);
	list_for_each_entry(req, &watch->requests, watched) {
		if (nr < room)
			copy[nr] = (struct scullpin_in_flight){
				.id = req->xfer.id,
				.pos = req->pos,
				.length = req->length,
				.delay = req->xfer.delay,
				.times.submitted = req->times.submitted,
				.times.issued = req->times.issued,
				.owner = READ_ONCE(req->owner),
				.write = req->xfer.write,
			};
		nr++;
	}
	spin_unlock(&watch->lock);
	return nr;
}
