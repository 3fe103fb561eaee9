/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_WATCH_H
#define SCULLPIN_WATCH_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "recent.h"

struct scullpin_request;

/**
 * struct scullpin_in_flight - what is known of a request that the engine has
 * @id: as in trace events
 * @pos: bytes from the start of the device
 * @length: bytes asked for
 * @delay: of the modelled device
 * @times: of its steps; not yet answered
 * @owner: enum scullpin_request_owner
 * @write: its direction
 */
struct scullpin_in_flight {
	u64 id;
	u64 pos;
	size_t length;
	ktime_t delay;
	struct scullpin_times times;
	int owner;
	bool write;
};

/**
 * struct scullpin_watch - the requests of a device that its engine has
 * @lock: protects @requests and @closed; a leaf
 * @requests: in order of submission
 * @closed: the device goes: what comes is aborted at once
 * @work: looks for those whose deadline has passed, as long as there are any
 * @deadline_ms: where the live setting stands; how long an engine may be silent
 *	beyond the modelled delay
 */
struct scullpin_watch {
	spinlock_t lock;
	struct list_head requests;
	bool closed;
	struct delayed_work work;
	const u64 *deadline_ms;
};

int scullpin_watch_start(void);
void scullpin_watch_stop(void);
void scullpin_watch_init(struct scullpin_watch *watch, const u64 *deadline_ms);
void scullpin_watch_exit(struct scullpin_watch *watch);
void scullpin_watch_add(struct scullpin_watch *watch, struct scullpin_request *req);
void scullpin_watch_del(struct scullpin_watch *watch, struct scullpin_request *req);
void scullpin_watch_abort(struct scullpin_request *req, int error);
void scullpin_watch_close(struct scullpin_watch *watch);
void scullpin_watch_look(struct scullpin_watch *watch);
unsigned int scullpin_watch_copy(struct scullpin_watch *watch, struct scullpin_in_flight *copy,
				 unsigned int room);

#endif /* SCULLPIN_WATCH_H */
