/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_LATENCY_H
#define SCULLPIN_LATENCY_H

#include <linux/ktime.h>
#include <linux/sysfs.h>
#include <linux/types.h>

struct scullpin_device;

/* Four buckets an octave, of microseconds; the last holds what takes more than 234 s. */
#define SCULLPIN_LATENCY_BUCKETS 108

/**
 * struct scullpin_latency - how long deferred requests took, from submission to completion
 * @count: of requests, reads and writes apart, in each bucket; only ever added to
 */
struct scullpin_latency {
	u64 count[2][SCULLPIN_LATENCY_BUCKETS];
};

extern const struct attribute_group scullpin_latency_group;

void scullpin_latency_add(struct scullpin_device *sdev, bool write, ktime_t time);

#endif /* SCULLPIN_LATENCY_H */
