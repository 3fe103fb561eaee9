/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_KILLED_H
#define SCULLPIN_KILLED_H

#include <linux/compiler.h>
#include <linux/sched/signal.h>

/*
 * Has the caller been killed? Signals are added under a lock that is not taken
 * here: what was so a moment ago is good enough, and who goes on asks again.
 */
static inline bool scullpin_is_killed(void)
{
	/* See above. */
	return data_race(fatal_signal_pending(current));
}

#endif /* SCULLPIN_KILLED_H */
