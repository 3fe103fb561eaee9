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
	SCULLPIN_UNALIGNED_BUFFERED,	/* done through the page cache */
};

/**
 * struct scullpin_config - how a device behaves
 *
 * Every member is a u64, so that one table in config.c describes them all for
 * module parameters, sysfs and configfs. Members marked live are written at any
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

/* Every setting, a member of struct scullpin_config each. */
#define SCULLPIN_KNOBS(X)	\
	X(size)			\
	X(logical_block_size)	\
	X(dma_alignment)	\
	X(engine)		\
	X(completion)		\
	X(latency_us)		\
	X(bandwidth)		\
	X(max_pinned)		\
	X(unaligned)		\
	X(deadline_ms)

/**
 * struct scullpin_knob - one setting
 * @name: as a parameter and as an attribute
 * @offset: of its u64 in struct scullpin_config
 * @live: whether it may change while the device is there
 * @min: smallest value
 * @max: largest value
 * @power_of_two: whether the value must be one
 * @words: names of the values 0, 1, ..., NULL-terminated; NULL for a number
 */
struct scullpin_knob {
	const char *name;
	size_t offset;
	bool live;
	u64 min;
	u64 max;
	bool power_of_two;
	const char * const *words;
};

#define X(_name) extern const struct scullpin_knob scullpin_knob_##_name;
SCULLPIN_KNOBS(X)
#undef X

extern const struct attribute_group scullpin_config_group;

void scullpin_config_init(struct scullpin_config *config);
int scullpin_config_load(struct scullpin_config *config);
bool scullpin_config_agrees(const struct scullpin_config *config);
int scullpin_knob_write(const struct scullpin_knob *knob, struct scullpin_config *config,
			const char *text);
int scullpin_knob_print(const struct scullpin_knob *knob, struct scullpin_config *config,
			char *text);

#endif /* SCULLPIN_CONFIG_H */
