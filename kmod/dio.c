// SPDX-License-Identifier: GPL-2.0-only
/*
 * One direct I/O: from an iterator to a transfer between page ranges, then
 * wait for it, or leave with -EIOCBQUEUED and let complete.c tell the caller.
 *
 * Two ways. Batches: sixteen pages at a time through the caller's stack,
 * nothing allocated, for requests that end before the call returns. Requests:
 * an object with all pages, for what ends later or cannot be cut.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>

#include "device.h"
#include "dio.h"
#include "pace.h"
#include "pin.h"
#include "request.h"
#include "store.h"
#include "trace.h"

/* Ranges of memory in a batch; with both lists about half a kilobyte of stack. */
#define DIO_BATCH 16
/* Memory that is not page aligned touches one page more of the medium. */
#define DIO_BATCH_MEDIUM (DIO_BATCH + 1)

/* An asynchronous transfer up to this is cheaper moved at once than handed over. */
#define DIO_INLINE_MAX (64 * 1024)

static bool dio_nowait(const struct kiocb *iocb)
{
	return iocb->ki_flags & IOCB_NOWAIT;
}

/**
 * scullpin_dio_gfp - how memory for a request may be had
 * @iocb: its flags
 *
 * Context: any.
 * Return: GFP_KERNEL, or GFP_NOWAIT for callers that must not sleep.
 */
gfp_t scullpin_dio_gfp(const struct kiocb *iocb)
{
	return dio_nowait(iocb) ? GFP_NOWAIT | __GFP_NOWARN : GFP_KERNEL;
}

/**
 * scullpin_dio_no_memory - what a request without memory is answered
 * @iocb: its flags
 *
 * Context: any.
 * Return: -ENOMEM; who must not wait is asked to come again and wait: -EAGAIN.
 */
int scullpin_dio_no_memory(const struct kiocb *iocb)
{
	return dio_nowait(iocb) ? -EAGAIN : -ENOMEM;
}

/**
 * scullpin_dio_must_not_wait - would a later completion have to be waited for, and may not be?
 * @iocb: flags and whether anybody is told of a completion
 *
 * Context: any.
 * Return: whether a request that cannot end at once is -EAGAIN.
 */
bool scullpin_dio_must_not_wait(struct kiocb *iocb)
{
	return dio_nowait(iocb) && is_sync_kiocb(iocb);
}

/* May this end in the caller's context, before the call returns? */
static bool dio_is_inline(const struct scullpin_device *sdev, struct kiocb *iocb,
			  const struct iov_iter *iter)
{
	if (!sdev->engine->move || scullpin_pace_has_delay(sdev))
		return false;
	switch ((enum scullpin_completion)READ_ONCE(sdev->config.completion)) {
	case SCULLPIN_COMPLETION_INLINE:
		return true;
	case SCULLPIN_COMPLETION_DEFERRED:
		return false;
	case SCULLPIN_COMPLETION_AUTO:
		break;
	}
	return is_sync_kiocb(iocb) || iov_iter_count(iter) <= DIO_INLINE_MAX;
}

/*
 * May a request be moved batch by batch? Each but the last ends with a page of
 * the medium, so a full batch must hold more than a page: true when it is the
 * only batch, when memory is contiguous, or when every segment is whole blocks.
 */
static bool dio_is_divisible(const struct scullpin_device *sdev, const struct iov_iter *iter)
{
	if (iter_is_ubuf(iter) || iter->nr_segs == 1)
		return true;
	if (iov_iter_npages(iter, DIO_BATCH + 1) <= DIO_BATCH)
		return true;
	return !(iov_iter_alignment(iter) & (sdev->config.logical_block_size - 1));
}

/* Pin one batch, move it from @pos + *@moved on, let it go, add to *@moved. */
static int dio_move_batch(struct scullpin_device *sdev, const struct kiocb *iocb,
			  struct iov_iter *iter, size_t *moved)
{
	struct bio_vec memory[DIO_BATCH], medium[DIO_BATCH_MEDIUM];
	struct scullpin_transfer xfer;
	bool pinned = user_backed_iter(iter);
	ssize_t bytes, wanted;
	size_t step = 0;
	int ret = 0;

	xfer.sdev = sdev;
	xfer.write = iov_iter_rw(iter) == WRITE;
	xfer.memory = (struct scullpin_ranges)SCULLPIN_RANGES(memory, DIO_BATCH);
	xfer.medium = (struct scullpin_ranges)SCULLPIN_RANGES(medium, DIO_BATCH_MEDIUM);
	bytes = scullpin_pin_ranges(iter, &xfer.memory, iocb->ki_pos + *moved,
				    sdev->config.logical_block_size, &sdev->stats, &ret);
	if (bytes < 0)
		return bytes;
	wanted = scullpin_store_get(&sdev->store, iocb->ki_pos + *moved, bytes, xfer.write,
				    scullpin_dio_gfp(iocb), &xfer.medium);
	if (wanted < bytes)
		ret = scullpin_dio_no_memory(iocb);
	if (wanted > 0)
		step = sdev->engine->move(&xfer);
	if (wanted > 0 && step < wanted)
		ret = -EIO;
	if (pinned)
		scullpin_pin_release(&xfer.memory, xfer.write ? 0 : step, &sdev->stats);
	scullpin_store_put(&xfer.medium);
	*moved += step;
	return ret;
}

static ssize_t dio_batches(struct scullpin_device *sdev, struct kiocb *iocb, struct iov_iter *iter)
{
	bool write = iov_iter_rw(iter) == WRITE;
	size_t moved = 0;
	ssize_t result;
	u64 budget = 0;
	int ret = 0;

	if (user_backed_iter(iter))
		budget = iov_iter_npages(iter, DIO_BATCH) * PAGE_SIZE;
	if (budget)
		ret = scullpin_budget_get(&sdev->budget, budget, dio_nowait(iocb));
	if (ret)
		goto out_account;
	/* Nobody retries the rest of a short NOWAIT write: have all its memory first. */
	if (write && dio_nowait(iocb) &&
	    scullpin_store_reserve(&sdev->store, iocb->ki_pos, iov_iter_count(iter),
				   scullpin_dio_gfp(iocb))) {
		ret = -EAGAIN;
		goto out_put_budget;
	}
	while (!ret && iov_iter_count(iter)) {
		ret = dio_move_batch(sdev, iocb, iter, &moved);
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
	}
	scullpin_stats_inc(&sdev->stats, requests_inline);
out_put_budget:
	scullpin_budget_put(&sdev->budget, budget);
out_account:
	result = moved ?: ret;
	scullpin_account(sdev, write, result);
	return result;
}

/* Take all pages of a request: the caller's, then the medium's for as many bytes. */
static int dio_hold(struct scullpin_request *req, struct kiocb *iocb, struct iov_iter *iter)
{
	struct scullpin_transfer *xfer = &req->xfer;
	struct scullpin_device *sdev = xfer->sdev;
	ssize_t bytes;
	int stop;	/* a short list is a short request */

	if (user_backed_iter(iter)) {
		u64 budget = xfer->memory.max * PAGE_SIZE;
		int ret = scullpin_budget_get(&sdev->budget, budget, dio_nowait(iocb));

		if (ret)
			return ret;
		req->budget = budget;
		req->pinned = true;
	}
	bytes = scullpin_pin_ranges(iter, &xfer->memory, iocb->ki_pos,
				    sdev->config.logical_block_size, &sdev->stats, &stop);
	if (bytes < 0)
		return bytes;
	trace_scullpin_pin(req->xfer.id, xfer->memory.nr, bytes);
	if (scullpin_store_get(&sdev->store, iocb->ki_pos, bytes, xfer->write,
			       scullpin_dio_gfp(iocb), &xfer->medium) < bytes)
		return scullpin_dio_no_memory(iocb);
	if (sdev->engine->prepare) {
		if (sdev->engine->prepare(xfer, scullpin_dio_gfp(iocb)))
			return scullpin_dio_no_memory(iocb);
		req->prepared = true;
	}
	scullpin_request_advance(req, SCULLPIN_REQUEST_NEW, SCULLPIN_REQUEST_PINNED);
	return 0;
}

/*
 * Hand a request to the engine, and wait if the caller does. After an
 * asynchronous submission neither request, kiocb nor iterator is touched.
 */
static ssize_t dio_submit(struct scullpin_request *req, struct kiocb *iocb)
{
	struct scullpin_device *sdev = req->xfer.sdev;
	bool wait = is_sync_kiocb(iocb);
	ssize_t result;

	req->iocb = wait ? NULL : iocb;
	refcount_set(&req->ref, 2);
	req->xfer.delay = scullpin_pace_delay(sdev, req->copied + req->xfer.memory.bytes);
	scullpin_request_advance(req, SCULLPIN_REQUEST_PINNED, SCULLPIN_REQUEST_SUBMITTED);
	scullpin_stats_inc(&sdev->stats, requests_deferred);
	trace_scullpin_issue(req->xfer.id, req->xfer.memory.bytes);
	req->xfer.alive = jiffies + nsecs_to_jiffies(req->xfer.delay);
	scullpin_pace_start(&req->xfer);
	/* From here on the engine can be stopped; our reference keeps the request. */
	scullpin_watch_add(&sdev->watch, req);
	scullpin_request_put(req);
	if (!wait)
		return -EIOCBQUEUED;

	if (wait_for_completion_killable(&req->ended)) {
		if (scullpin_request_claim(req))
			scullpin_request_abort(req, -EINTR);
		wait_for_completion(&req->ended);
	}
	result = scullpin_request_result(req);
	scullpin_request_free(req);
	return result;
}

static ssize_t dio_request(struct scullpin_device *sdev, struct kiocb *iocb, struct iov_iter *iter,
			   bool at_once)
{
	size_t length = iov_iter_count(iter);
	struct scullpin_request *req;
	size_t moved;
	ssize_t ret;

	req = scullpin_request_alloc(sdev, iov_iter_npages(iter, INT_MAX),
				     scullpin_ranges_span(iocb->ki_pos, length),
				     scullpin_dio_gfp(iocb));
	if (!req) {
		scullpin_account(sdev, iov_iter_rw(iter) == WRITE, scullpin_dio_no_memory(iocb));
		return scullpin_dio_no_memory(iocb);
	}
	req->xfer.write = iov_iter_rw(iter) == WRITE;
	trace_scullpin_submit(req->xfer.id, req->xfer.write, iocb->ki_pos, length, iocb->ki_flags);
	ret = dio_hold(req, iocb, iter);
	if (ret)
		goto err_release;
	if (!at_once)
		return dio_submit(req, iocb);
	moved = sdev->engine->move(&req->xfer);
	scullpin_request_answer(req, moved, moved < req->xfer.memory.bytes ? -EIO : 0);
	ret = scullpin_request_result(req);
	scullpin_stats_inc(&sdev->stats, requests_inline);
err_release:
	scullpin_request_release(req);
	scullpin_account(sdev, req->xfer.write, ret);
	trace_scullpin_complete(req->xfer.id, ret);
	scullpin_request_free(req);
	return ret;
}

/**
 * scullpin_dio_rw - move bytes between an iterator's pages and the medium
 * @sdev: the device
 * @iocb: position and flags; not touched after -EIOCBQUEUED
 * @iter: memory, aligned, within the device, longer than 0; not a pipe. Advanced by
 *	what was looked at, which may be more than what moved
 *
 * A hole in the memory ends the transfer there, at a whole logical block.
 *
 * Context: process context of the memory's owner; sleeps unless IOCB_NOWAIT,
 * when only faults on the memory may.
 * Return: bytes moved, -EIOCBQUEUED, or a negative errno when nothing moved.
 */
ssize_t scullpin_dio_rw(struct scullpin_device *sdev, struct kiocb *iocb, struct iov_iter *iter)
{
	bool at_once = dio_is_inline(sdev, iocb, iter);

	scullpin_stats_inc(&sdev->stats, requests_submitted);
	if (!at_once && scullpin_dio_must_not_wait(iocb)) {
		scullpin_account(sdev, iov_iter_rw(iter) == WRITE, -EAGAIN);
		return -EAGAIN;
	}
	if (at_once && dio_is_divisible(sdev, iter))
		return dio_batches(sdev, iocb, iter);
	return dio_request(sdev, iocb, iter, at_once);
}

/**
 * scullpin_dio_delay - end a plain request, whose bytes have moved, later
 * @sdev: the device
 * @iocb: its kiocb; not touched after -EIOCBQUEUED
 * @write: its direction
 * @copied: bytes moved, more than 0
 *
 * scullp's own form of asynchronous I/O: the copy at submission, the
 * completion later. Without memory for that it ends at once.
 *
 * Context: process context; sleeps unless IOCB_NOWAIT.
 * Return: @copied or -EIOCBQUEUED.
 */
ssize_t scullpin_dio_delay(struct scullpin_device *sdev, struct kiocb *iocb, bool write,
			   size_t copied)
{
	struct scullpin_request *req = scullpin_request_alloc(sdev, 0, 0, scullpin_dio_gfp(iocb));

	if (!req) {
		scullpin_account(sdev, write, copied);
		return copied;
	}
	req->copied = copied;
	req->xfer.write = write;
	trace_scullpin_submit(req->xfer.id, write, iocb->ki_pos, copied, iocb->ki_flags);
	scullpin_request_advance(req, SCULLPIN_REQUEST_NEW, SCULLPIN_REQUEST_PINNED);
	return dio_submit(req, iocb);
}
