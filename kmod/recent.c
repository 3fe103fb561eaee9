// SPDX-License-Identifier: GPL-2.0-only
/* The last requests that have ended, for who asks what happened just now. */
#include "recent.h"

/**
 * scullpin_recent_init - nothing has ended yet
 * @recent: of a device
 *
 * Context: any.
 */
void scullpin_recent_init(struct scullpin_recent *recent)
{
	spin_lock_init(&recent->lock);
}

/**
 * scullpin_recent_add - a request has ended; the oldest is forgotten
 * @recent: of its device
 * @ended: what is known of it
 *
 * Context: process context.
 */
void scullpin_recent_add(struct scullpin_recent *recent, const struct scullpin_ended *ended)
{
	spin_lock(&recent->lock);
	recent->ended[recent->nr++ % SCULLPIN_RECENT] = *ended;
	spin_unlock(&recent->lock);
}

/**
 * scullpin_recent_copy - the last requests, the oldest first
 * @recent: of a device
 * @copy: room for SCULLPIN_RECENT
 *
 * Context: process context.
 * Return: how many.
 */
unsigned int scullpin_recent_copy(struct scullpin_recent *recent, struct scullpin_ended *copy)
{
	unsigned int i, nr;

	spin_lock(&recent->lock);
	nr = min_t(u64, recent->nr, SCULLPIN_RECENT);
	for (i = 0; i < nr; i++)
		copy[i] = recent->ended[(recent->nr - nr + i) % SCULLPIN_RECENT];
	spin_unlock(&recent->lock);
	return nr;
}
