// SPDX-License-Identifier: GPL-2.0-only
/* How slow the modelled device is: a latency for each request, a bandwidth for all. */
#include <linux/math64.h>

#include "device.h"
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
