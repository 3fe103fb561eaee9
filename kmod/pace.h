/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_PACE_H
#define SCULLPIN_PACE_H

#include <linux/ktime.h>
#include <linux/spinlock.h>

struct scullpin_device;
struct scullpin_transfer;

/* The longest that a modelled delay lasts: a request always ends. */
#define SCULLPIN_MAX_DELAY_US (60ULL * USEC_PER_SEC)

/**
 * struct scullpin_pace - the modelled speed of a device
 * @lock: protects @busy_until; a leaf, taken with nothing inside
 * @busy_until: when the modelled bus is free again
 */
struct scullpin_pace {
	spinlock_t lock;
	ktime_t busy_until;
};

void scullpin_pace_init(struct scullpin_pace *pace);
void scullpin_pace_start(struct scullpin_transfer *xfer);
bool scullpin_pace_stop(struct scullpin_transfer *xfer);
bool scullpin_pace_has_delay(const struct scullpin_device *sdev);
ktime_t scullpin_pace_delay(struct scullpin_device *sdev, size_t bytes);

#endif /* SCULLPIN_PACE_H */
