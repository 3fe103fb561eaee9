/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_RECENT_H
#define SCULLPIN_RECENT_H

#include <linux/ktime.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#define SCULLPIN_RECENT 32U

/**
 * struct scullpin_times - when a request took its steps; written by who takes them
 * @submitted: it came
 * @issued: it held its pages, and was given to the engine
 * @answered: the engine had answered, or was stopped
 */
struct scullpin_times {
	ktime_t submitted;
	ktime_t issued;
	ktime_t answered;
};

/**
 * struct scullpin_ended - what is known of a request that has ended
 * @id: as in trace events
 * @pos: bytes from the start of the device
 * @length: bytes asked for
 * @result: bytes moved, or a negative errno
 * @times: of its steps
 * @ended: when all was released
 * @write: its direction
 */
struct scullpin_ended {
	u64 id;
	u64 pos;
	size_t length;
	ssize_t result;
	struct scullpin_times times;
	ktime_t ended;
	bool write;
};

/**
 * struct scullpin_recent - the last requests of a device that had an object
 * @lock: protects the others; a leaf
 * @nr: requests that ended so far; the next one's place is this, modulo the ring
 * @ended: the ring
 */
struct scullpin_recent {
	spinlock_t lock;
	u64 nr;
	struct scullpin_ended ended[SCULLPIN_RECENT];
};

void scullpin_recent_init(struct scullpin_recent *recent);
void scullpin_recent_add(struct scullpin_recent *recent, const struct scullpin_ended *ended);
unsigned int scullpin_recent_copy(struct scullpin_recent *recent, struct scullpin_ended *copy);

#endif /* SCULLPIN_RECENT_H */
