// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a request, on every path the same: dirty and release the pages,
 * count, then tell the caller, once. LDD3 called aio_complete() here.
 */
#include <linux/mm.h>

#include "cancel.h"
#include "device.h"
#include "fault.h"
#include "pace.h"
#include "pin.h"
#include "request.h"
#include "store.h"
#include "trace.h"

/* Where requests end that have to wait for a folio. */
static struct workqueue_struct *request_queue;

/**
 * scullpin_request_init - make the workers, once for all devices
 *
 * Context: module initialisation.
 * Return: 0 or -ENOMEM.
 */
int scullpin_request_init(void)
{
	if (!scullpin_fault_hits(SCULLPIN_FAULT_REQUEST_QUEUE))
		request_queue = alloc_workqueue("scullpin_end", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return request_queue ? 0 : -ENOMEM;
}

/**
 * scullpin_request_exit - wait for the workers' last instruction, then undo init
 *
 * Context: module exit, when no engine ends a request any more; sleeps.
 */
void scullpin_request_exit(void)
{
	destroy_workqueue(request_queue);
}

/*
 * The engine lets go of what it has mapped: then the bytes are where they belong.
 * Who was stopped before it answered is told now what had moved by then.
 */
static void request_leave_engine(struct scullpin_request *req)
{
	size_t moved;

	if (!req->prepared)
		return;
	req->prepared = false;
	moved = req->xfer.sdev->engine->finish(&req->xfer);
	if (READ_ONCE(req->owner) == SCULLPIN_OWNER_ABORT)
		req->moved = moved;
}

/* How many bytes of the caller's pages, from the start, are to be marked dirty. */
static size_t request_dirty_bytes(const struct scullpin_request *req)
{
	return req->pinned && !req->xfer.write ? req->touched : 0;
}

/*
 * An engine that cannot be stopped may reach the pages for ever: they are lost
 * on purpose. Those of a kernel caller have no reference of ours before.
 */
static void request_keep(const struct scullpin_request *req)
{
	const struct scullpin_ranges *memory = &req->xfer.memory;
	unsigned int i;

	for (i = 0; !req->pinned && i < memory->nr; i++)
		get_page(memory->bv[i].bv_page);
}

/**
 * scullpin_request_release - give back all that a request holds
 * @req: nobody moves its bytes any more
 *
 * Pages that the device wrote are dirtied with their lock held, which sleeps:
 * never call this from an interrupt.
 *
 * Context: process context; may sleep.
 */
void scullpin_request_release(struct scullpin_request *req)
{
	struct scullpin_transfer *xfer = &req->xfer;

	trace_scullpin_release(xfer->sdev, xfer->id, xfer->memory.nr);
	request_leave_engine(req);
	if (xfer->kept) {
		request_keep(req);
	} else {
		if (req->pinned)
			scullpin_pin_release(&xfer->memory, request_dirty_bytes(req),
					     &xfer->sdev->stats);
		scullpin_store_put(&xfer->medium);
	}
	/* Also of what is lost: others would wait for it for ever. */
	scullpin_budget_put(&xfer->sdev->budget, req->budget);
}

/**
 * scullpin_account - count a request that has ended
 * @sdev: the device
 * @write: its direction
 * @result: what the caller is told
 *
 * Context: any.
 */
void scullpin_account(struct scullpin_device *sdev, bool write, ssize_t result)
{
	if (result == -EAGAIN)
		scullpin_stats_inc(&sdev->stats, again);
	else if (result == -EINTR || result == -ECANCELED)
		scullpin_stats_inc(&sdev->stats, cancelled);
	else if (result == -ETIMEDOUT)
		scullpin_stats_inc(&sdev->stats, timed_out);
	else if (result < 0)
		scullpin_stats_inc(&sdev->stats, errors);
	else if (write)
		scullpin_stats_add(&sdev->stats, bytes_written, result);
	else
		scullpin_stats_add(&sdev->stats, bytes_read, result);
	scullpin_stats_inc(&sdev->stats, requests_completed);
}

/* Note what is known of a request at its end. */
static void request_note(const struct scullpin_request *req, ssize_t result)
{
	const struct scullpin_transfer *xfer = &req->xfer;
	const struct scullpin_ended ended = {
		.id = xfer->id,
		.pos = req->pos,
		.length = req->length,
		.result = result,
		.times = req->times,
		.ended = ktime_get(),
		.write = xfer->write,
	};

	scullpin_latency_add(xfer->sdev, xfer->write,
			     ktime_sub(ended.ended, ended.times.submitted));
	scullpin_recent_add(&xfer->sdev->recent, &ended);
}

/*
 * Tell whoever does not wait. ki_complete() may drop the last reference to the
 * file, so to device and module; the module's exit waits for our workers, and
 * nothing of request, kiocb or device is touched after the call.
 */
static void request_tell(struct scullpin_request *req)
{
	ssize_t result = scullpin_request_result(req);
	struct kiocb *iocb = req->iocb;

	scullpin_account(req->xfer.sdev, req->xfer.write, result);
	trace_scullpin_complete(req->xfer.sdev, req->xfer.id, result);
	scullpin_request_free(req);
	if (result > 0)
		iocb->ki_pos += result;
	iocb->ki_complete(iocb, result);
}

/* Let everything go, and tell. */
static void request_finish(struct scullpin_request *req)
{
	struct scullpin_device *sdev = req->xfer.sdev;
	ssize_t result = scullpin_request_result(req);

	scullpin_request_release(req);
	request_note(req, result);
	if (!req->iocb) {
		/* 1. A caller waits: it reads the result and frees the request. */
		scullpin_account(sdev, req->xfer.write, result);
		trace_scullpin_complete(sdev, req->xfer.id, result);
		complete(&req->ended);
	} else if (req->polled) {
		/* 2. A caller polls. Once in the list the request is the poller's. */
		llist_add(&req->reaped, &sdev->polled);
	} else {
		/* 3. Nobody waits. */
		request_tell(req);
	}
}

/* Mark dirty what the engine wrote. Return: false when a page is locked. */
static bool request_try_dirty(struct scullpin_request *req)
{
	struct scullpin_transfer *xfer = &req->xfer;

	if (!scullpin_pin_try_dirty(&xfer->memory, request_dirty_bytes(req), &xfer->sdev->stats))
		return false;
	req->touched = 0;
	return true;
}

/* Whoever has a page of the caller's locked may have it for ever: nobody waits for that. */
static void request_finish_work(struct work_struct *work)
{
	struct scullpin_request *req = container_of(to_delayed_work(work), struct scullpin_request,
						    work);

	if (!request_try_dirty(req)) {
		queue_delayed_work(request_queue, &req->work, 1);
		return;
	}
	if (req->stale)
		scullpin_mapping_drop(&req->xfer.sdev->mapping, req->pos, req->length);
	request_finish(req);
}

/*
 * Has a direct write made cached pages stale? Those that are read in from now
 * on have its bytes. Folios on their way to the medium make none.
 */
static bool request_is_stale(const struct scullpin_request *req)
{
	return req->xfer.write && req->iocb && req->iocb->ki_filp &&
		scullpin_mapping_is_stale(&req->xfer.sdev->mapping, req->pos, req->length);
}

/*
 * Who has a folio locked or under write-back may wait for a transfer of this
 * module, and so for a worker of an engine or of the watch. There are only so
 * many: none of them ever waits for a folio.
 */
static void request_end(struct scullpin_request *req)
{
	scullpin_request_advance(req, SCULLPIN_REQUEST_SUBMITTED, SCULLPIN_REQUEST_DONE);
	scullpin_watch_del(&req->xfer.sdev->watch, req);
	scullpin_cancel_disarm(req);
	request_leave_engine(req);
	req->stale = request_is_stale(req);
	if (!req->stale && request_try_dirty(req)) {
		request_finish(req);
		return;
	}
	INIT_DELAYED_WORK(&req->work, request_finish_work);
	queue_delayed_work(request_queue, &req->work, 0);
}

/**
 * scullpin_request_reap - tell the callers of polled requests that these have ended
 * @sdev: the device; the caller has it open
 *
 * All of the device's, whoever polls: none holds a page any more.
 *
 * Context: process context; may sleep.
 * Return: how many.
 */
int scullpin_request_reap(struct scullpin_device *sdev)
{
	struct scullpin_request *req, *next;
	int count = 0;

	if (llist_empty(&sdev->polled))
		return 0;
	llist_for_each_entry_safe(req, next, llist_reverse_order(llist_del_all(&sdev->polled)),
				  reaped) {
		request_tell(req);
		count++;
	}
	return count;
}

/**
 * scullpin_request_put - drop a reference; the last one ends the request
 * @req: not touched by the caller any more
 *
 * Context: process context; waits for no folio.
 */
void scullpin_request_put(struct scullpin_request *req)
{
	if (refcount_dec_and_test(&req->ref))
		request_end(req);
}

/* Become the owner, if nobody is. */
static bool request_own(struct scullpin_request *req, enum scullpin_request_owner owner)
{
	return cmpxchg(&req->owner, SCULLPIN_OWNER_NONE, owner) == SCULLPIN_OWNER_NONE;
}

/**
 * scullpin_request_answer - note what an engine that was asked to move has moved
 * @req: owned by the caller
 * @bytes: from the start
 * @error: why they are fewer than asked, or 0
 *
 * Context: any.
 */
void scullpin_request_answer(struct scullpin_request *req, size_t bytes, int error)
{
	req->moved = bytes;
	/* Who knows how far an engine that failed has come: all may be dirty. */
	req->touched = error ? req->xfer.memory.bytes : bytes;
	req->error = error;
	if (error)
		scullpin_refuse(req->xfer.sdev, req->xfer.id, SCULLPIN_REFUSED_engine_error, bytes);
}

/**
 * scullpin_request_done - the engine's answer
 * @xfer: of a request
 * @bytes: moved, counted from the start
 * @error: why they are fewer than asked, or 0
 *
 * An answer that comes after the deadline finds the request owned by who ends
 * it, and waiting for the engine to become quiet: it changes nothing.
 *
 * Context: process context; may sleep.
 */
void scullpin_request_done(struct scullpin_transfer *xfer, size_t bytes, int error)
{
	struct scullpin_request *req = container_of(xfer, struct scullpin_request, xfer);

	if (!request_own(req, SCULLPIN_OWNER_ENGINE)) {
		WARN_ONCE(READ_ONCE(req->owner) != SCULLPIN_OWNER_ABORT, "scullpin: answered twice\n");
		return;
	}
	scullpin_request_answer(req, bytes, error);
	req->times.answered = ktime_get();
	scullpin_request_put(req);
}

/**
 * scullpin_request_claim - take the end of a request away from its engine
 * @req: submitted; the caller knows that it has not ended
 *
 * Context: any.
 * Return: whether scullpin_request_abort() must follow; else the engine has
 * answered, and the end is near.
 */
bool scullpin_request_claim(struct scullpin_request *req)
{
	return request_own(req, SCULLPIN_OWNER_ABORT);
}

/**
 * scullpin_request_abort - stop the engine, wait until it is quiet, end the request
 * @req: claimed; not touched by the caller any more unless it waits for it
 * @error: what the caller of the request is told
 *
 * Context: process context; sleeps.
 */
void scullpin_request_abort(struct scullpin_request *req, int error)
{
	struct scullpin_transfer *xfer = &req->xfer;

	/* Who knows how far an engine that had begun has come: all may be dirty. */
	if (!scullpin_pace_stop(xfer) && xfer->sdev->engine->terminate(xfer))
		req->touched = xfer->memory.bytes;
	req->error = error;
	req->times.answered = ktime_get();
	scullpin_request_put(req);
}
