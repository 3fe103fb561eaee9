// SPDX-License-Identifier: GPL-2.0-only
/*
 * A request: one block of memory from submission to its end. The states that
 * it goes through are in request.h, its end is in complete.c.
 */
#include <linux/overflow.h>
#include <linux/slab.h>

#include "device.h"
#include "fault.h"
#include "request.h"

/**
 * scullpin_request_number - what the next request is called in trace events
 * @sdev: the device
 *
 * Context: any.
 * Return: more than 0.
 */
u64 scullpin_request_number(struct scullpin_device *sdev)
{
	return atomic64_inc_return_relaxed(&sdev->last_id);
}

/**
 * scullpin_request_alloc - a request with room for its page ranges
 * @sdev: the device
 * @memory_ranges: of the caller's memory
 * @medium_ranges: of the medium
 * @gfp: whether it may sleep, and whether it may fail
 *
 * Context: process context of the caller whom the memory is accounted to.
 * Return: the request in state NEW, or NULL.
 */
struct scullpin_request *scullpin_request_alloc(struct scullpin_device *sdev, size_t memory_ranges,
						size_t medium_ranges, gfp_t gfp)
{
	struct scullpin_request *req;
	struct bio_vec *bv;
	size_t size;

	if (scullpin_fault_hits(SCULLPIN_FAULT_REQUEST_ALLOC))
		return NULL;
	/* One block: the request, then both lists. */
	size = size_add(sizeof(*req),
			array_size(size_add(memory_ranges, medium_ranges), sizeof(*bv)));
	req = kvmalloc(size, gfp | __GFP_ACCOUNT | __GFP_NOWARN);
	if (!req)
		return NULL;
	memset(req, 0, sizeof(*req));
	bv = (struct bio_vec *)(req + 1);
	req->xfer.sdev = sdev;
	req->xfer.done = scullpin_request_done;
	req->xfer.memory = (struct scullpin_ranges)SCULLPIN_RANGES(bv, memory_ranges);
	req->xfer.medium = (struct scullpin_ranges)SCULLPIN_RANGES(bv + memory_ranges,
								   medium_ranges);
	req->xfer.id = scullpin_request_number(sdev);
	req->times.submitted = ktime_get();
	req->state = SCULLPIN_REQUEST_NEW;
	init_completion(&req->ended);
	return req;
}

/**
 * scullpin_request_free - undo scullpin_request_alloc()
 * @req: holds no page
 *
 * Context: process context; may sleep.
 */
void scullpin_request_free(struct scullpin_request *req)
{
	kvfree(req);
}

/**
 * scullpin_request_advance - one step of a request's life
 * @req: the request
 * @from: where it must be
 * @to: where it is afterwards
 *
 * Context: any.
 */
void scullpin_request_advance(struct scullpin_request *req, enum scullpin_request_state from,
			      enum scullpin_request_state to)
{
	WARN_ONCE(req->state != from, "scullpin: request %llu in state %d, not %d\n", req->xfer.id,
		  req->state, from);
	req->state = to;
}

/**
 * scullpin_request_result - what the caller is told
 * @req: nobody moves its bytes any more
 *
 * Context: any.
 * Return: bytes moved when there are any, else the first error.
 */
ssize_t scullpin_request_result(const struct scullpin_request *req)
{
	return req->moved ? (ssize_t)req->moved : req->error;
}
