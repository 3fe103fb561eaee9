// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything that is not direct: a copy through the store, nothing pinned.
 * scullp worked like this, its asynchronous requests too: they copy when they
 * are submitted and only complete later.
 */
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>

#include "compat/compat.h"
#include "device.h"
#include "dio.h"
#include "pace.h"
#include "plain.h"
#include "ranges.h"
#include "request.h"
#include "store.h"

/* Copy what lies in one page of the store; fewer bytes when memory has a hole. */
static ssize_t plain_copy_page(struct scullpin_device *sdev, struct kiocb *iocb, u64 pos,
			       struct iov_iter *iter)
{
	size_t length = min_t(size_t, iov_iter_count(iter), PAGE_SIZE - offset_in_page(pos));
	bool write = iov_iter_rw(iter) == WRITE;
	struct scullpin_ranges range;
	struct bio_vec bv;
	size_t copied;
	void *ours;

	range = (struct scullpin_ranges)SCULLPIN_RANGES(&bv, 1);
	if (scullpin_store_get(&sdev->store, pos, length, write, scullpin_dio_gfp(iocb),
			       &range) < 0)
		return scullpin_dio_no_memory(iocb);
	/* Not copy_page_to_iter(): it would put the store's own page into a pipe. */
	ours = kmap_local_page(bv.bv_page) + bv.bv_offset;
	copied = write ? copy_from_iter(ours, length, iter) : copy_to_iter(ours, length, iter);
	kunmap_local(ours);
	scullpin_store_put(&range);
	return copied ?: -EFAULT;
}

static ssize_t plain_copy(struct scullpin_device *sdev, struct kiocb *iocb, struct iov_iter *iter)
{
	size_t copied = 0;
	ssize_t step = 0;

	/* Nobody retries the rest of a short NOWAIT write: have all its memory first. */
	if (iov_iter_rw(iter) == WRITE && (iocb->ki_flags & IOCB_NOWAIT) &&
	    scullpin_store_reserve(&sdev->store, iocb->ki_pos, iov_iter_count(iter),
				   scullpin_dio_gfp(iocb)))
		return -EAGAIN;
	while (iov_iter_count(iter)) {
		step = plain_copy_page(sdev, iocb, iocb->ki_pos + copied, iter);
		if (step < 0)
			break;
		copied += step;
		if (fatal_signal_pending(current)) {
			step = -EINTR;
			break;
		}
		cond_resched();
	}
	return copied ?: step;
}

/* Does a request end later than its copy? Asynchronous ones when asked to, all with a delay. */
static bool plain_is_delayed(const struct scullpin_device *sdev, struct kiocb *iocb)
{
	if (scullpin_pace_has_delay(sdev))
		return true;
	return !is_sync_kiocb(iocb) &&
	       READ_ONCE(sdev->config.completion) == SCULLPIN_COMPLETION_DEFERRED;
}

/**
 * scullpin_plain_rw - copy bytes between an iterator and the medium
 * @sdev: the device
 * @iocb: position and flags; not touched after -EIOCBQUEUED
 * @iter: memory, within the device, longer than 0
 *
 * Context: process context of the memory's owner; sleeps unless IOCB_NOWAIT,
 * when only faults on the memory may.
 * Return: bytes moved, -EIOCBQUEUED, or a negative errno when nothing moved.
 */
ssize_t scullpin_plain_rw(struct scullpin_device *sdev, struct kiocb *iocb, struct iov_iter *iter)
{
	/* On old kernels splice brings a pipe: it cannot wait for a later completion. */
	bool pipe = scullpin_iter_is_pipe(iter);
	bool write = iov_iter_rw(iter) == WRITE;
	bool delayed = !pipe && plain_is_delayed(sdev, iocb);
	ssize_t ret;

	scullpin_stats_inc(&sdev->stats, requests_submitted);
	ret = delayed && scullpin_dio_must_not_wait(iocb) ? -EAGAIN : plain_copy(sdev, iocb, iter);
	if (ret > 0 && delayed)
		return scullpin_dio_delay(sdev, iocb, write, ret);
	scullpin_stats_inc(&sdev->stats, requests_inline);
	scullpin_account(sdev, write, ret);
	return ret;
}
