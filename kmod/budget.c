// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much user memory a device may hold pinned. Bytes are taken before
 * anything is pinned, so that a waiter holds nothing others wait for.
 */
#include <linux/sched/signal.h>

#include "budget.h"

/**
 * scullpin_budget_init - nothing is held
 * @budget: the budget
 * @limit: where the live limit stands
 *
 * Context: any.
 */
void scullpin_budget_init(struct scullpin_budget *budget, const u64 *limit)
{
	budget->limit = limit;
	budget->closed = false;
	atomic64_set(&budget->used, 0);
	atomic_set(&budget->waiting, 0);
	mutex_init(&budget->turn);
	init_waitqueue_head(&budget->head);
}

static bool budget_try_get(struct scullpin_budget *budget, u64 bytes)
{
	s64 used = atomic64_read(&budget->used);

	do {
		/* Alone, a request may exceed the limit: it cannot wait for itself. */
		if (used && used + bytes > READ_ONCE(*budget->limit))
			return false;
	} while (!atomic64_try_cmpxchg(&budget->used, &used, used + bytes));
	return true;
}

/**
 * scullpin_budget_get - take bytes before pinning them
 * @budget: the budget
 * @bytes: how many, whole pages
 * @nowait: never sleep
 *
 * Context: process context; sleeps unless @nowait.
 * Return: 0, -EAGAIN under @nowait, -EINTR when killed while waiting, -ENODEV
 * when the budget was closed meanwhile.
 */
int scullpin_budget_get(struct scullpin_budget *budget, u64 bytes, bool nowait)
{
	bool got = false;
	int ret;

	if (!atomic_read(&budget->waiting) && budget_try_get(budget, bytes))
		return 0;
	if (nowait)
		return -EAGAIN;
	/* Until it has its bytes, so that nobody gets in between two turns. */
	atomic_inc(&budget->waiting);
	ret = mutex_lock_killable(&budget->turn);
	if (!ret) {
		ret = wait_event_killable(budget->head, READ_ONCE(budget->closed) ||
					  (got = budget_try_get(budget, bytes)));
		mutex_unlock(&budget->turn);
	}
	atomic_dec(&budget->waiting);
	if (ret)
		return -EINTR;
	return got ? 0 : -ENODEV;
}

/**
 * scullpin_budget_put - give bytes back after their pages were released
 * @budget: the budget
 * @bytes: as taken
 *
 * Context: any.
 */
void scullpin_budget_put(struct scullpin_budget *budget, u64 bytes)
{
	if (!bytes)
		return;
	atomic64_sub(bytes, &budget->used);
	scullpin_budget_wake(budget);
}

/**
 * scullpin_budget_wake - let the waiter look again: bytes came back or the limit moved
 * @budget: the budget
 *
 * Context: any.
 */
void scullpin_budget_wake(struct scullpin_budget *budget)
{
	/* The barrier pairs with the one of prepare_to_wait() before it looks at @used. */
	if (wq_has_sleeper(&budget->head))
		wake_up(&budget->head);
}

/**
 * scullpin_budget_close - nobody gets bytes any more: the device goes
 * @budget: the budget
 *
 * To be closed before bytes come back that who waits must not get.
 *
 * Context: any.
 */
void scullpin_budget_close(struct scullpin_budget *budget)
{
	/* Those who wait for the turn get it one after the other, and look first. */
	WRITE_ONCE(budget->closed, true);
	/* Newcomers find one who waits for ever, and look too. */
	smp_mb__before_atomic();
	atomic_inc(&budget->waiting);
	scullpin_budget_wake(budget);
}
