/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_WATCH_H
#define SCULLPIN_WATCH_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

struct scullpin_request;

/**
 * struct scullpin_watch - the requests of a device that its engine has
 * @lock: protects @requests; a leaf
 * @requests: in order of submission
 * @work: looks for those whose deadline has passed, as long as there are any
 * @deadline_ms: where the live setting stands; how long an engine may be silent
 *	beyond the modelled delay
 */
struct scullpin_watch {
	spinlock_t lock;
	struct list_head requests;
	struct delayed_work work;
	const u64 *deadline_ms;
};

int scullpin_watch_start(void);
void scullpin_watch_stop(void);
void scullpin_watch_init(struct scullpin_watch *watch, const u64 *deadline_ms);
void scullpin_watch_exit(struct scullpin_watch *watch);
void scullpin_watch_add(struct scullpin_watch *watch, struct scullpin_request *req);
void scullpin_watch_del(struct scullpin_watch *watch, struct scullpin_request *req);
void scullpin_watch_look(struct scullpin_watch *watch);

#endif /* SCULLPIN_WATCH_H */
