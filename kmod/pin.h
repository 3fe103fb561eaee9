/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_PIN_H
#define SCULLPIN_PIN_H

#include <linux/types.h>

#include "refuse.h"

struct iov_iter;
struct scullpin_ranges;
struct scullpin_stats;

/**
 * struct scullpin_pin_stop - why a list ends before its iterator and before it is full
 * @error: 0 when it does not; the others are set only when it does
 * @why: -EFAULT is two things
 * @at: bytes of the list before the page that could not be had
 */
struct scullpin_pin_stop {
	int error;
	enum scullpin_refusal why;
	size_t at;
};

ssize_t scullpin_pin_ranges(struct iov_iter *iter, struct scullpin_ranges *ranges,
			    u64 pos, size_t granule, struct scullpin_stats *stats,
			    struct scullpin_pin_stop *stop);
bool scullpin_pin_try_dirty(const struct scullpin_ranges *ranges, size_t dirty_bytes,
			    struct scullpin_stats *stats);
void scullpin_pin_release(struct scullpin_ranges *ranges, size_t dirty_bytes,
			  struct scullpin_stats *stats);

#endif /* SCULLPIN_PIN_H */
