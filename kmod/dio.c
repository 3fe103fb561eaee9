// SPDX-License-Identifier: GPL-2.0-only
/*
 * One direct I/O: from an iterator to a transfer between page ranges, then
 * wait for it, or leave with -EIOCBQUEUED and let complete.c tell the caller.
 *
 * Two ways. Batches: 32 pages at a time through the caller's stack,
 * nothing allocated, for requests that end before the call returns. Requests:
 * an object with all pages, for what ends later or cannot be cut.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/uio.h>

#include "cancel.h"
#include "device.h"
#include "dio.h"
#include "killed.h"
#include "pace.h"
#include "pin.h"
#include "request.h"
#include "store.h"
#include "trace.h"

/* Ranges of memory in a batch; with both lists about a kilobyte of stack. */
#define DIO_BATCH 32
/* Memory that is not page aligned touches one page more of the medium. */
#define DIO_BATCH_MEDIUM (DIO_BATCH + 1)

/* An asynchronous transfer up to this is cheaper moved at once than handed over. */
#define DIO_INLINE_MAX (64 * 1024)

static bool dio_nowait(const struct kiocb *iocb)
{
	return iocb->ki_flags & IOCB_NOWAIT;
}

/* Folios of the page cache on their way: such a caller has no file. */
static bool dio_is_own(const struct kiocb *iocb)
{
	return !iocb->ki_filp;
}

/*
 * How memory for a request may be had. Write-back must not fail for want of it,
 * whoever waits for it, and reclaim must not come back to the page cache.
 */
static gfp_t dio_gfp(const struct kiocb *iocb)
{
	if (dio_is_own(iocb))
		return GFP_NOFS | __GFP_NOFAIL;
	return dio_nowait(iocb) ? GFP_NOWAIT | __GFP_NOWARN : GFP_KERNEL;
}

/* Folios do not belong to the process that happens to move them. */
static bool dio_is_killed(const struct kiocb *iocb)
{
	return !dio_is_own(iocb) && scullpin_is_killed();
}

/*
 * Begin the trace of a request that ends on the stack: its number, or 0 when
 * nobody looks, at the cost of a jump that is not taken.
 */
static u64 dio_trace(struct scullpin_device *sdev, const struct kiocb *iocb, bool write,
		     size_t length)
{
	u64 id;

	if (!trace_scullpin_submit_enabled())
		return 0;
	id = scullpin_request_number(sdev);
	trace_scullpin_submit(sdev, id, write, iocb->ki_pos, length, iocb->ki_flags);
	return id;
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
 * only batch, when memory is contiguous, or when every segment is whole blocks
 * and these make a page.
 */
static bool dio_is_divisible(const struct scullpin_device *sdev, const struct iov_iter *iter)
{
	if (iter_is_ubuf(iter) || iter->nr_segs == 1)
		return true;
	if (iov_iter_npages(iter, DIO_BATCH + 1) <= DIO_BATCH)
		return true;
	return DIO_BATCH * sdev->config.logical_block_size >= PAGE_SIZE &&
		!(iov_iter_alignment(iter) & (sdev->config.logical_block_size - 1));
}

/* Who must not wait is asked to come again and wait; who is killed is not refused. */
static int dio_refuse_no_memory(struct scullpin_device *sdev, u64 id, const struct kiocb *iocb,
				size_t length)
{
	if (dio_is_killed(iocb))
		return -EINTR;
	scullpin_refuse(sdev, id, SCULLPIN_REFUSED_no_memory, length);
	return dio_nowait(iocb) ? -EAGAIN : -ENOMEM;
}

/* Say why memory ended before the request: @before bytes of it came before the list. */
static void dio_refuse_memory(const struct scullpin_transfer *xfer, size_t before,
			      const struct scullpin_pin_stop *stop)
{
	/* Who is killed is not refused. */
	if (stop->error != -EINTR)
		scullpin_refuse(xfer->sdev, xfer->id, stop->why, before + stop->at);
}

/* Pin one batch, move it from @pos + *@moved on, let it go, add to *@moved. */
static int dio_move_batch(struct scullpin_device *sdev, u64 id, const struct kiocb *iocb,
			  struct iov_iter *iter, size_t *moved)
{
	/* Each list says how much of it there is. */
	struct bio_vec memory[DIO_BATCH] __uninitialized;
	struct bio_vec medium[DIO_BATCH_MEDIUM] __uninitialized;
	/* What an engine that moves at once looks at is set below. */
	struct scullpin_transfer xfer __uninitialized;
	bool pinned = user_backed_iter(iter);
	struct scullpin_pin_stop stop __uninitialized;
	ssize_t bytes, wanted;
	size_t step = 0;
	int ret;

	xfer.id = id;
	xfer.sdev = sdev;
	xfer.write = iov_iter_rw(iter) == WRITE;
	xfer.memory = (struct scullpin_ranges)SCULLPIN_RANGES(memory, DIO_BATCH);
	xfer.medium = (struct scullpin_ranges)SCULLPIN_RANGES(medium, DIO_BATCH_MEDIUM);
	bytes = scullpin_pin_ranges(iter, &xfer.memory, iocb->ki_pos + *moved,
				    sdev->config.logical_block_size, &sdev->stats, &stop);
	ret = stop.error;
	if (ret)
		dio_refuse_memory(&xfer, *moved, &stop);
	if (bytes < 0)
		return bytes;
	trace_scullpin_pin(sdev, id, xfer.memory.nr, bytes);
	wanted = scullpin_store_get(&sdev->store, iocb->ki_pos + *moved, bytes, xfer.write,
				    dio_gfp(iocb), &xfer.medium);
	if (wanted < bytes)
		ret = dio_refuse_no_memory(sdev, id, iocb, bytes);
	trace_scullpin_issue(sdev, id, bytes);
	if (wanted > 0)
		step = sdev->engine->move(&xfer);
	if (wanted > 0 && step < wanted) {
		scullpin_refuse(sdev, id, SCULLPIN_REFUSED_engine_error, *moved + step);
		ret = -EIO;
	}
	trace_scullpin_release(sdev, id, xfer.memory.nr);
	if (pinned)
		scullpin_pin_release(&xfer.memory, xfer.write ? 0 : step, &sdev->stats);
	scullpin_store_put(&xfer.medium);
	*moved += step;
	return ret;
}

/* Take @bytes of the bound on pinned memory, or say why not. */
static int dio_get_budget(struct scullpin_device *sdev, u64 id, u64 bytes,
			  const struct kiocb *iocb)
{
	int ret = scullpin_budget_get(&sdev->budget, bytes, dio_nowait(iocb));

	if (ret == -EAGAIN)
		scullpin_refuse(sdev, id, SCULLPIN_REFUSED_over_max_pinned, bytes);
	return ret;
}

static ssize_t dio_batches(struct scullpin_device *sdev, struct kiocb *iocb, struct iov_iter *iter)
{
	bool write = iov_iter_rw(iter) == WRITE;
	u64 id = dio_trace(sdev, iocb, write, iov_iter_count(iter));
	size_t moved = 0;
	ssize_t result;
	u64 budget = 0;
	int ret = 0;

	if (user_backed_iter(iter))
		budget = iov_iter_npages(iter, DIO_BATCH) * PAGE_SIZE;
	if (budget)
		ret = dio_get_budget(sdev, id, budget, iocb);
	if (ret)
		goto out_account;
	/* Nobody retries the rest of a short NOWAIT write: have all its memory first. */
	if (write && dio_nowait(iocb) &&
	    scullpin_store_reserve(&sdev->store, iocb->ki_pos, iov_iter_count(iter),
				   dio_gfp(iocb))) {
		ret = dio_refuse_no_memory(sdev, id, iocb, iov_iter_count(iter));
		goto out_put_budget;
	}
	while (!ret && iov_iter_count(iter)) {
		ret = dio_move_batch(sdev, id, iocb, iter, &moved);
		if (!ret && dio_is_killed(iocb))
			ret = -EINTR;
	}
	scullpin_stats_inc(&sdev->stats, requests_inline);
out_put_budget:
	scullpin_budget_put(&sdev->budget, budget);
out_account:
	result = moved ?: ret;
	scullpin_account(sdev, write, result);
	trace_scullpin_complete(sdev, id, result);
	return result;
}

/* Take all pages of a request: the caller's, then the medium's for as many bytes. */
static int dio_hold(struct scullpin_request *req, struct kiocb *iocb, struct iov_iter *iter)
{
	struct scullpin_transfer *xfer = &req->xfer;
	struct scullpin_device *sdev = xfer->sdev;
	struct scullpin_pin_stop stop;
	ssize_t bytes;

	if (user_backed_iter(iter)) {
		u64 budget = xfer->memory.max * PAGE_SIZE;
		int ret = dio_get_budget(sdev, xfer->id, budget, iocb);

		if (ret)
			return ret;
		req->budget = budget;
		req->pinned = true;
	}
	bytes = scullpin_pin_ranges(iter, &xfer->memory, iocb->ki_pos,
				    sdev->config.logical_block_size, &sdev->stats, &stop);
	/* A short list is a short request. */
	if (stop.error)
		dio_refuse_memory(xfer, 0, &stop);
	if (bytes < 0)
		return bytes;
	trace_scullpin_pin(sdev, xfer->id, xfer->memory.nr, bytes);
	if (scullpin_store_get(&sdev->store, iocb->ki_pos, bytes, xfer->write,
			       dio_gfp(iocb), &xfer->medium) < bytes)
		return dio_refuse_no_memory(sdev, xfer->id, iocb, bytes);
	if (sdev->engine->prepare) {
		if (sdev->engine->prepare(xfer, dio_gfp(iocb)))
			return dio_refuse_no_memory(sdev, xfer->id, iocb, bytes);
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
	req->polled = !wait && (iocb->ki_flags & IOCB_HIPRI);
	refcount_set(&req->ref, 2);
	req->xfer.delay = scullpin_pace_delay(sdev, req->xfer.memory.bytes);
	scullpin_request_advance(req, SCULLPIN_REQUEST_PINNED, SCULLPIN_REQUEST_SUBMITTED);
	scullpin_stats_inc(&sdev->stats, requests_deferred);
	trace_scullpin_issue(sdev, req->xfer.id, req->xfer.memory.bytes);
	req->times.issued = ktime_get();
	req->xfer.alive = jiffies + nsecs_to_jiffies(req->xfer.delay);
	scullpin_pace_start(&req->xfer);
	/* From here on the engine can be stopped; our reference keeps the request. */
	scullpin_watch_add(&sdev->watch, req);
	if (!wait)
		scullpin_cancel_arm(req);
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
				     dio_gfp(iocb));
	if (!req) {
		ret = dio_refuse_no_memory(sdev, 0, iocb, length);
		scullpin_account(sdev, iov_iter_rw(iter) == WRITE, ret);
		return ret;
	}
	req->pos = iocb->ki_pos;
	req->length = length;
	req->xfer.write = iov_iter_rw(iter) == WRITE;
	req->xfer.must = req->xfer.write && dio_is_own(iocb);
	trace_scullpin_submit(sdev, req->xfer.id, req->xfer.write, iocb->ki_pos, length,
			      iocb->ki_flags);
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
	trace_scullpin_complete(sdev, req->xfer.id, ret);
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
	/* A later completion would have to be waited for. */
	if (!at_once && dio_nowait(iocb) && is_sync_kiocb(iocb)) {
		scullpin_refuse(sdev, 0, SCULLPIN_REFUSED_would_block, iov_iter_count(iter));
		scullpin_account(sdev, iov_iter_rw(iter) == WRITE, -EAGAIN);
		return -EAGAIN;
	}
	if (at_once && dio_is_divisible(sdev, iter))
		return dio_batches(sdev, iocb, iter);
	return dio_request(sdev, iocb, iter, at_once);
}

/**
 * scullpin_dio_reserve - have pages of the medium for what will be written
 * @sdev: the device
 * @pos: bytes from the start
 * @length: bytes, more than 0
 *
 * Context: process context of the caller whom the memory is accounted to; sleeps.
 * Return: 0, -ENOMEM, -EINTR when killed.
 */
int scullpin_dio_reserve(struct scullpin_device *sdev, u64 pos, size_t length)
{
	int ret = scullpin_store_reserve(&sdev->store, pos, length, GFP_KERNEL);

	if (ret == -ENOMEM)
		scullpin_refuse(sdev, 0, SCULLPIN_REFUSED_no_memory, length);
	return ret;
}

/**
 * scullpin_dio_discard - forget a part of the medium
 * @sdev: the device
 * @pos: bytes from the start
 * @length: bytes
 *
 * Context: process context; sleeps.
 */
void scullpin_dio_discard(struct scullpin_device *sdev, u64 pos, u64 length)
{
	scullpin_store_discard(&sdev->store, pos, length);
}
