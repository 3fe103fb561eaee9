/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_REFUSE_H
#define SCULLPIN_REFUSE_H

#include <linux/types.h>

struct scullpin_device;

/*
 * Why a request was refused, or ended before all that was asked: its name in
 * sysfs and in the trace event, and what the event's detail is.
 */
#define SCULLPIN_REFUSALS(X)							\
	X(unaligned_offset)	/* detail: the offset */			\
	X(unaligned_length)	/* detail: the length */			\
	X(unaligned_address)	/* detail: all segments' addresses and lengths, or-ed */ \
	X(bad_address)		/* detail: bytes of the buffer before the page */ \
	X(forbidden_memory)	/* detail: the same; there, but not to be pinned */ \
	X(unsupported_memory)	/* detail: the length */			\
	X(over_max_pinned)	/* detail: bytes that could not be pinned */	\
	X(would_block)		/* detail: the length */			\
	X(past_end)		/* detail: bytes beyond the end */		\
	X(no_memory)		/* detail: the length */			\
	X(engine_error)		/* detail: bytes moved before it */		\
	X(bad_ioctl)		/* detail: its number */

enum scullpin_refusal {
#define X(name) SCULLPIN_REFUSED_##name,
	SCULLPIN_REFUSALS(X)
#undef X
	SCULLPIN_REFUSED_MAX
};

void scullpin_refuse(struct scullpin_device *sdev, u64 id, enum scullpin_refusal why, u64 detail);

#endif /* SCULLPIN_REFUSE_H */
