// SPDX-License-Identifier: GPL-2.0-only
/*
 * io_cancel(2): the caller takes a request back. libaio does so itself with all
 * that is in flight when a context is destroyed or its process ends. io_uring
 * has no such call for reads and writes.
 */
#include <linux/aio.h>
#include <linux/fs.h>

#include "cancel.h"
#include "compat/compat.h"
#include "device.h"
#include "request.h"

/*
 * Called under the lock of libaio's context, which the completion takes as
 * well, with interrupts off: the end is left to a worker. The kiocb lives as
 * long as that lock is held, its request only as long as the kiocb knows it.
 */
static int cancel_aio(struct kiocb *iocb)
{
	struct scullpin_device *sdev = iocb->ki_filp->private_data;
	struct scullpin_request *req;
	bool claimed;

	spin_lock(&sdev->cancel_lock);
	req = iocb->private;
	claimed = req && scullpin_request_claim(req);
	spin_unlock(&sdev->cancel_lock);
	if (!claimed)
		return -EAGAIN;
	/* Nobody but the worker ends it now. */
	scullpin_watch_abort(req, -ECANCELED);
	return 0;
}

/**
 * scullpin_cancel_arm - from now on io_cancel(2) finds a request
 * @req: submitted and stoppable; the caller holds a reference, so that it cannot
 *	complete meanwhile
 *
 * For requests of libaio only: others have no context to be found in.
 *
 * Context: process context; does not sleep.
 */
void scullpin_cancel_arm(struct scullpin_request *req)
{
	if (!scullpin_iocb_is_aio(req->iocb))
		return;
	req->cancellable = true;
	req->iocb->private = req;
	kiocb_set_cancel_fn(req->iocb, cancel_aio);
}

/**
 * scullpin_cancel_disarm - io_cancel(2) finds a request no more
 * @req: has ended, its kiocb has not been completed
 *
 * Context: process context; does not sleep.
 */
void scullpin_cancel_disarm(struct scullpin_request *req)
{
	if (!req->cancellable)
		return;
	spin_lock_irq(&req->xfer.sdev->cancel_lock);
	req->iocb->private = NULL;
	spin_unlock_irq(&req->xfer.sdev->cancel_lock);
}
