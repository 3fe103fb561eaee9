/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_CONFIG_H
#define SCULLPIN_CONFIG_H

#include <linux/sysfs.h>
#include <linux/types.h>

enum scullpin_completion {
	SCULLPIN_COMPLETION_AUTO,	/* inline when cheap, else deferred */
	SCULLPIN_COMPLETION_INLINE,	/* in the submitter, unless there is latency */
	SCULLPIN_COMPLETION_DEFERRED,	/* always by the engine's worker */
};

enum scullpin_unaligned {
	SCULLPIN_UNALIGNED_REFUSE,	/* -EINVAL */
	SCULLPIN_UNALIGNED_BUFFERED,	/* done as a plain copy */
};

/**
 * struct scullpin_config - how a device behaves
 *
 * Every member is a u64, so that one table in config.c describes them all for
 * module parameters and sysfs. Members marked live are written by sysfs at any
 * time (WRITE_ONCE in config.c) and read once a request (READ_ONCE).
 *
 * @size: bytes on the device
 * @logical_block_size: bytes; unit of offset and length of direct transfers
 * @dma_alignment: bytes; unit of address and length of each segment
 * @engine: index into the table of engines
 * @completion: enum scullpin_completion; live
 * @latency_us: microseconds from submission to movement; live
 * @bandwidth: bytes per second, 0 for unlimited; live
 * @max_pinned: bytes of user memory pinned at once, at most; live
 * @unaligned: enum scullpin_unaligned; live
 * @deadline_ms: milliseconds that an engine may be silent beyond the modelled
 *	delay; live
 */
struct scullpin_config {
	u64 size;
	u64 logical_block_size;
	u64 dma_alignment;
	u64 engine;
	u64 completion;
	u64 latency_us;
	u64 bandwidth;
	u64 max_pinned;
	u64 unaligned;
	u64 deadline_ms;
};

extern const struct attribute_group scullpin_config_group;

int scullpin_config_load(struct scullpin_config *config);

#endif /* SCULLPIN_CONFIG_H */
