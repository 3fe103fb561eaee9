/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_REQUEST_H
#define SCULLPIN_REQUEST_H

#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/refcount.h>

#include "engine.h"
#include "recent.h"

enum scullpin_request_state {
	SCULLPIN_REQUEST_NEW,		/* nothing held */
	SCULLPIN_REQUEST_PINNED,	/* memory and medium held */
	SCULLPIN_REQUEST_SUBMITTED,	/* the engine has it */
	SCULLPIN_REQUEST_DONE,		/* everything released, the caller is told */
};

/* Who ends a request. The first to claim it does; the other leaves it alone. */
enum scullpin_request_owner {
	SCULLPIN_OWNER_NONE,
	SCULLPIN_OWNER_ENGINE,		/* it has answered */
	SCULLPIN_OWNER_ABORT,		/* too late, taken back, or the caller was killed */
};

/**
 * struct scullpin_request - one I/O that outlives the call that brought it
 * @xfer: what the engine sees; holds the page ranges
 * @iocb: whom ki_complete() tells; NULL when a caller waits in @ended
 * @pos: bytes from the start of the device
 * @length: bytes asked for
 * @times: of its steps
 * @budget: bytes of user memory accounted to it; 0 for kernel memory
 * @moved: bytes moved, counted from the start; written by the owner
 * @touched: bytes from the start that the device may have written to @xfer.memory;
 *	written by the owner
 * @error: what ended it; written by the owner
 * @owner: enum scullpin_request_owner; cmpxchg from NONE
 * @patience: jiffies that the engine may be silent
 * @watched: among the device's requests in flight
 * @work: the worker that ends it: after its deadline, when it was taken back, or
 *	when a folio is in the way of its end
 * @ref: the submitter's own and the engine's; the last put ends the request
 * @state: where in its life it is; checked at each step
 * @pinned: @xfer.memory holds pins of user pages
 * @prepared: the engine holds something for it
 * @stale: cached pages are older than what it has written
 * @cancellable: io_cancel(2) finds it by @iocb->private, under the device's cancel_lock
 * @polled: whoever polls its device is to tell the caller, in @reaped
 * @reaped: among the device's requests that have ended, and whose callers have not been told
 * @ended: a waiting caller sleeps here, and frees the request
 *
 * Written by the submitter until submission, by the owner after it.
 */
struct scullpin_request {
	struct scullpin_transfer xfer;
	struct kiocb *iocb;
	u64 pos;
	size_t length;
	struct scullpin_times times;
	u64 budget;
	size_t moved;
	size_t touched;
	int error;
	int owner;
	unsigned long patience;
	struct list_head watched;
	struct delayed_work work;
	refcount_t ref;
	enum scullpin_request_state state;
	bool pinned;
	bool prepared;
	bool stale;
	bool cancellable;
	bool polled;
	struct llist_node reaped;
	struct completion ended;
};

/* request.c */
struct scullpin_request *scullpin_request_alloc(struct scullpin_device *sdev, size_t memory_ranges,
						size_t medium_ranges, gfp_t gfp);
void scullpin_request_free(struct scullpin_request *req);
void scullpin_request_advance(struct scullpin_request *req, enum scullpin_request_state from,
			      enum scullpin_request_state to);
ssize_t scullpin_request_result(const struct scullpin_request *req);
u64 scullpin_request_number(struct scullpin_device *sdev);

/* complete.c */
int scullpin_request_init(void);
void scullpin_request_exit(void);
void scullpin_request_release(struct scullpin_request *req);
bool scullpin_request_claim(struct scullpin_request *req);
void scullpin_request_abort(struct scullpin_request *req, int error);
void scullpin_request_answer(struct scullpin_request *req, size_t bytes, int error);
void scullpin_request_done(struct scullpin_transfer *xfer, size_t bytes, int error);
int scullpin_request_reap(struct scullpin_device *sdev);
void scullpin_request_put(struct scullpin_request *req);
void scullpin_account(struct scullpin_device *sdev, bool write, ssize_t result);

#endif /* SCULLPIN_REQUEST_H */
