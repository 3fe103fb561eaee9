/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_BUDGET_H
#define SCULLPIN_BUDGET_H

#include <linux/atomic.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>

/**
 * struct scullpin_budget - the bound on pinned user memory of one device
 * @limit: bytes, live; points into the device's configuration
 * @used: bytes that requests hold; a request larger than the limit may hold
 *	them when it is alone
 * @closed: nobody gets bytes any more: the device goes
 * @waiting: callers that wait, and newcomers behind them; never 0 again once closed
 * @turn: held by the one caller that waits for bytes; the others wait for it, so
 *	that a large request is not starved by small ones
 * @head: where that caller sleeps, killably, with nothing pinned
 */
struct scullpin_budget {
	const u64 *limit;
	atomic64_t used;
	bool closed;
	atomic_t waiting;
	struct mutex turn;
	wait_queue_head_t head;
};

void scullpin_budget_init(struct scullpin_budget *budget, const u64 *limit);
int scullpin_budget_get(struct scullpin_budget *budget, u64 bytes, bool nowait);
void scullpin_budget_put(struct scullpin_budget *budget, u64 bytes);
void scullpin_budget_wake(struct scullpin_budget *budget);
void scullpin_budget_close(struct scullpin_budget *budget);

#endif /* SCULLPIN_BUDGET_H */
