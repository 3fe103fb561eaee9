/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_PIN_H
#define SCULLPIN_PIN_H

#include <linux/types.h>

struct iov_iter;
struct scullpin_ranges;
struct scullpin_stats;

ssize_t scullpin_pin_ranges(struct iov_iter *iter, struct scullpin_ranges *ranges,
			    u64 pos, size_t granule, struct scullpin_stats *stats,
			    int *stop);
void scullpin_pin_release(struct scullpin_ranges *ranges, size_t dirty_bytes,
			  struct scullpin_stats *stats);

#endif /* SCULLPIN_PIN_H */
