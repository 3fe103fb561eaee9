// SPDX-License-Identifier: GPL-2.0-only
/*
 * How slow the modelled device is: a latency for each request, a bandwidth for
 * all. scullp deferred its completions by a delayed work item; an hrtimer gives
 * microseconds instead of jiffies.
 */
#include <linux/math64.h>

#include "compat/compat.h"
#include "device.h"
#include "engine.h"
#include "pace.h"

#define PACE_MAX_NS ((s64)(SCULLPIN_MAX_DELAY_US * NSEC_PER_USEC))

/**
 * scullpin_pace_init - a bus that is free
 * @pace: the pace
 *
 * Context: any.
 */
void scullpin_pace_init(struct scullpin_pace *pace)
{
	spin_lock_init(&pace->lock);
	pace->busy_until = 0;
}

/**
 * scullpin_pace_has_delay - does the modelled device take time?
 * @sdev: the device
 *
 * Context: any.
 * Return: whether scullpin_pace_delay() may be more than 0.
 */
bool scullpin_pace_has_delay(const struct scullpin_device *sdev)
{
	return READ_ONCE(sdev->config.latency_us) || READ_ONCE(sdev->config.bandwidth);
}

/**
 * scullpin_pace_delay - how long a request takes from now: queueing, movement, latency
 * @sdev: the device
 * @bytes: of the request; they take the modelled bus from now on
 *
 * Context: any but hard interrupt.
 * Return: nanoseconds, at most a minute.
 */
ktime_t scullpin_pace_delay(struct scullpin_device *sdev, size_t bytes)
{
	u64 bandwidth = READ_ONCE(sdev->config.bandwidth);
	s64 ns = READ_ONCE(sdev->config.latency_us) * NSEC_PER_USEC;
	struct scullpin_pace *pace = &sdev->pace;
	ktime_t now;

	if (bandwidth) {
		now = ktime_get();
		spin_lock(&pace->lock);
		pace->busy_until = max(pace->busy_until, now) +
			mul_u64_u64_div_u64(bytes, NSEC_PER_SEC, bandwidth);
		pace->busy_until = min(pace->busy_until, now + PACE_MAX_NS);
		ns += pace->busy_until - now;
		spin_unlock(&pace->lock);
	}
	return min(ns, PACE_MAX_NS);
}

static void pace_work(struct work_struct *work)
{
	struct scullpin_transfer *xfer = container_of(work, struct scullpin_transfer, start.work);

	/*
	 * The timer's callback queued this item and may still be on its way out
	 * on another CPU, touching the timer: wait for it before the end of the
	 * request frees that memory.
	 */
	hrtimer_cancel(&xfer->start.timer);
	xfer->sdev->engine->submit(xfer);
}

static enum hrtimer_restart pace_timer(struct hrtimer *timer)
{
	struct scullpin_transfer *xfer = container_of(timer, struct scullpin_transfer, start.timer);

	queue_work(scullpin_engine_queue, &xfer->start.work);
	return HRTIMER_NORESTART;
}

/**
 * scullpin_pace_start - hand a transfer to the engine when its delay is over
 * @xfer: prepared, with its delay
 *
 * Context: process context; does not sleep.
 */
void scullpin_pace_start(struct scullpin_transfer *xfer)
{
	if (!xfer->delay) {
		xfer->sdev->engine->submit(xfer);
		return;
	}
	INIT_WORK(&xfer->start.work, pace_work);
	hrtimer_setup(&xfer->start.timer, pace_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	hrtimer_start(&xfer->start.timer, xfer->delay, HRTIMER_MODE_REL);
}

/**
 * scullpin_pace_stop - keep a transfer from the engine, if it is not there yet
 * @xfer: as started
 *
 * Context: process context; sleeps.
 * Return: whether the engine never gets it.
 */
bool scullpin_pace_stop(struct scullpin_transfer *xfer)
{
	/* The timer first: it queues the work. */
	return xfer->delay &&
		(hrtimer_cancel(&xfer->start.timer) || cancel_work_sync(&xfer->start.work));
}
