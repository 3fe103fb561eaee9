// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a job ends before its channel has ended it, and how long a channel may be
 * silent. A channel is stopped as a whole. What was not meant, goes on
 * afterwards from its first descriptor that has not ended.
 */
#include <linux/delay.h>
#include <linux/module.h>

#include "device.h"
#include "dma.h"
#include "engine.h"

/* A controller may refuse to stop for a moment. */
#define CHANNEL_REFUSES		HZ

/* So many deadlines in a row without a callback are a dead controller, not a lost interrupt. */
#define CHANNEL_SILENCES	3

/* A channel that was lost may call this module back. */
static bool dma_must_stay;

/* Note what the channel has ended, callback or not: the pieces from the start. */
static void channel_look(struct scullpin_dma_channel *channel, struct scullpin_dma_job *job)
{
	struct scullpin_dma_piece *piece;

	for (piece = job->pieces; piece < job->pieces + job->nr; piece++) {
		if (READ_ONCE(piece->done))
			continue;
		if (piece->cookie < DMA_MIN_COOKIE ||
		    dma_async_is_tx_complete(channel->chan, piece->cookie, NULL, NULL) !=
		    DMA_COMPLETE)
			return;
		WRITE_ONCE(piece->done, true);
	}
}

/* The channel has forgotten its descriptors; it may give their numbers again. */
static void channel_forget(struct scullpin_dma_job *job)
{
	struct scullpin_dma_piece *piece;

	job->given = 0;
	for (piece = job->pieces; piece < job->pieces + job->nr; piece++)
		if (!piece->done)
			piece->cookie = 0;
}

/* Nobody waits for a bounce or for room any longer. */
static void channel_send_waiters_home(struct scullpin_dma_channel *channel, int error)
{
	struct scullpin_dma_job *job, *next;

	lockdep_assert_held(&channel->lock);
	scullpin_dma_room_send_home(channel, error);
	list_for_each_entry_safe(job, next, &channel->waiting, node) {
		list_del_init(&job->node);
		scullpin_dma_channel_cut_short(job, error);
	}
}

/* From now on it is used no more. */
static void channel_give_up(struct scullpin_dma_channel *channel)
{
	WRITE_ONCE(channel->gone, true);
	channel_send_waiters_home(channel, -ENODEV);
}

/* Has it been silent so often that no lost interrupt explains it? */
static bool channel_is_dead(const struct scullpin_dma_channel *channel)
{
	return READ_ONCE(channel->silences) >= CHANNEL_SILENCES;
}

/* After a stop: what was not meant goes on. */
static void channel_go_on(struct scullpin_dma_channel *channel)
{
	bool dead = channel_is_dead(channel);
	struct scullpin_dma_job *job;

	if (dead) {
		WRITE_ONCE(channel->silences, 0);
		channel_send_waiters_home(channel, -ETIMEDOUT);
	}
	channel->last = 0;
	WRITE_ONCE(channel->full, false);
	list_for_each_entry(job, &channel->jobs, node) {
		if (READ_ONCE(job->ended))
			continue;
		channel_forget(job);
		if (channel->gone)
			scullpin_dma_channel_cut_short(job, -ENODEV);
		else if (dead)
			scullpin_dma_channel_cut_short(job, -ETIMEDOUT);
		else if (job->pieces[job->nr - 1].done)
			scullpin_dma_channel_cut_short(job, 0);
	}
	if (!channel->gone)
		scullpin_dma_channel_issue_all(channel);
}

/* Has the channel something of the job's that it could still move? */
static bool channel_has_some_of(const struct scullpin_dma_job *job)
{
	return job->given && !READ_ONCE(job->pieces[job->nr - 1].done);
}

/* Stop the channel, and wait for callbacks that run, also of a channel that refuses. */
static bool channel_terminate(struct scullpin_dma_channel *channel)
{
	unsigned long begin = jiffies;
	int ret;

	while (!channel->lost) {
		ret = dmaengine_terminate_async(channel->chan);
		dmaengine_synchronize(channel->chan);
		if (!ret)
			return true;
		if (time_after(jiffies, begin + CHANNEL_REFUSES))
			break;
		usleep_range(1000, 2000);
	}
	return false;
}

/* The channel may move for ever what it was given of a job. */
static void channel_lose_job(struct scullpin_dma_channel *channel, struct scullpin_dma_job *job)
{
	WRITE_ONCE(job->lost, true);
	/* A callback that runs may not have seen it. */
	dmaengine_synchronize(channel->chan);
}

/*
 * A channel that cannot be stopped may write for ever to what it was given. That
 * is never unmapped, unpinned or freed; and as it may call back, this module
 * stays, too.
 */
static void channel_lose(struct scullpin_dma_channel *channel)
{
	struct scullpin_dma_job *job;

	if (channel->lost)
		return;
	pr_err("scullpin: channel %s cannot be stopped; it and the pages that it has are lost\n",
	       dma_chan_name(channel->chan));
	WRITE_ONCE(dma_must_stay, true);
	__module_get(THIS_MODULE);
	spin_lock(&channel->lock);
	WRITE_ONCE(channel->lost, true);
	list_for_each_entry(job, &channel->jobs, node)
		if (channel_has_some_of(job))
			WRITE_ONCE(job->lost, true);
	spin_unlock(&channel->lock);
	/* A callback that runs may not have seen it. */
	dmaengine_synchronize(channel->chan);
}

/*
 * Wait until the channel is quiet, then let its jobs go on. Whose window is not
 * to go on is marked so, or taken off the queue, before; a stop that has begun
 * since, when there had been @stops, was one for it, too: many that go at once
 * do not stop the channel once each.
 */
static void channel_stop(struct scullpin_dma_channel *channel, unsigned int stops)
{
	struct scullpin_dma_job *job;

	mutex_lock(&channel->stop);
	spin_lock(&channel->lock);
	if (channel->stops != stops) {
		spin_unlock(&channel->lock);
		mutex_unlock(&channel->stop);
		return;
	}
	WRITE_ONCE(channel->stops, channel->stops + 1);
	channel->stopping = true;
	if (channel->chan)
		list_for_each_entry(job, &channel->jobs, node)
			channel_look(channel, job);
	spin_unlock(&channel->lock);
	if (channel->chan && !channel_terminate(channel))
		channel_lose(channel);
	spin_lock(&channel->lock);
	channel->stopping = false;
	if (channel->lost)
		channel_give_up(channel);
	channel_go_on(channel);
	spin_unlock(&channel->lock);
	mutex_unlock(&channel->stop);
}

/* Is it this job that the channel works for? */
static bool channel_works_for(struct scullpin_dma_channel *channel,
			      const struct scullpin_dma_job *job)
{
	lockdep_assert_held(&channel->lock);
	return job == list_first_entry_or_null(&channel->jobs, struct scullpin_dma_job, node);
}

/**
 * scullpin_dma_channel_withdraw - take a job off the channel, which is quiet for it afterwards
 * @job: has its channel; its window is not to go on
 *
 * Context: process context; sleeps.
 */
void scullpin_dma_channel_withdraw(struct scullpin_dma_job *job)
{
	struct scullpin_dma_channel *channel = job->channel;
	unsigned int stops;
	bool stop, has_some;

	spin_lock(&channel->lock);
	if (channel_works_for(channel, job)) {
		/* Not what has come to life since. */
		if (job->xfer->silent &&
		    time_after_eq(job->xfer->silent, READ_ONCE(channel->alive)))
			WRITE_ONCE(channel->silences, READ_ONCE(channel->silences) + 1);
		/* The next one has all its time. */
		WRITE_ONCE(channel->alive, jiffies);
	}
	job->stopped = true;
	/* Else who stops it has looked, and the numbers may be given again. */
	if (!channel->stopping && job->given)
		channel_look(channel, job);
	stop = job->given || channel_is_dead(channel);
	has_some = channel_has_some_of(job);
	stops = channel->stops;
	/* It may wait for room. */
	scullpin_dma_room_withdraw(job);
	job->given = 0;
	spin_unlock(&channel->lock);
	/* The others pay for a stop: what runs for them begins again. */
	if (stop)
		channel_stop(channel, stops);
	if (has_some && READ_ONCE(channel->lost))
		channel_lose_job(channel, job);
}

/**
 * scullpin_dma_channel_moved - what is known to have moved of a job's window
 * @job: off the queue; the channel is quiet for it
 *
 * Context: any.
 * Return: bytes of the pieces from the start that have ended well, and of the one
 * that has not.
 */
size_t scullpin_dma_channel_moved(const struct scullpin_dma_job *job)
{
	/* A channel may tell only of the last, which ends after all others. */
	bool all = job->nr && job->pieces[job->nr - 1].done;
	const struct scullpin_dma_piece *piece;
	size_t bytes = 0;

	for (piece = job->pieces; piece < job->pieces + job->nr; piece++) {
		if (piece->failed)
			return bytes + piece->moved;
		if (!piece->done && !all)
			break;
		bytes += piece->length;
	}
	return bytes;
}

/**
 * scullpin_dma_channel_take - take a job whose window has ended off the queue
 * @job: its work runs
 *
 * Context: process context; sleeps.
 * Return: bytes of the window that have moved, from its start.
 */
size_t scullpin_dma_channel_take(struct scullpin_dma_job *job)
{
	struct scullpin_dma_channel *channel = job->channel;

	/* Not whole with the channel, but perhaps in part. */
	if (job->error == -ENOMEM)
		channel_stop(channel, READ_ONCE(channel->stops));
	spin_lock(&channel->lock);
	if (channel_works_for(channel, job))
		WRITE_ONCE(channel->alive, jiffies);
	list_del_init(&job->node);
	job->given = 0;
	spin_unlock(&channel->lock);
	return scullpin_dma_channel_moved(job);
}

/* Bytes of a job's window that the channel has not moved yet, as far as it tells. */
static size_t channel_left(const struct scullpin_dma_channel *channel,
			   const struct scullpin_dma_job *job)
{
	const struct scullpin_dma_piece *piece = job->pieces;
	struct dma_tx_state state = {};
	size_t left = job->window;

	for (; piece < job->pieces + job->nr; left -= (piece++)->length) {
		if (READ_ONCE(piece->done))
			continue;
		if (piece->cookie < DMA_MIN_COOKIE)
			break;
		/* A channel may call back only for the last. */
		if (dmaengine_tx_status(channel->chan, piece->cookie, &state) == DMA_COMPLETE)
			continue;
		if (scullpin_dma_tells_residue(channel) && state.residue < piece->length)
			left -= piece->length - state.residue;
		break;
	}
	return left;
}

/*
 * A descriptor may be long: what the channel says that is left of it is a sign
 * of life, too, when it has never been as little. One that had to begin again,
 * because the channel was stopped, is none until it is further than before.
 */
static void channel_look_for_progress(struct scullpin_dma_channel *channel,
				      struct scullpin_dma_job *job)
{
	size_t left;

	if (channel->stopping || channel->gone || !job->given)
		return;
	left = channel_left(channel, job);
	if (left >= job->left)
		return;
	job->left = left;
	WRITE_ONCE(channel->alive, jiffies);
	WRITE_ONCE(channel->silences, 0);
}

/**
 * scullpin_dma_channel_alive - when has the channel last done something for a job?
 * @job: with its channel
 *
 * Only who is first in the queue can be kept waiting by the channel. The others
 * wait for who has a window.
 *
 * Context: process context; does not sleep.
 * Return: jiffies; now, for who waits for others.
 */
unsigned long scullpin_dma_channel_alive(struct scullpin_dma_job *job)
{
	struct scullpin_dma_channel *channel = job->channel;
	unsigned long alive;

	spin_lock(&channel->lock);
	if (channel_works_for(channel, job)) {
		channel_look_for_progress(channel, job);
		alive = READ_ONCE(channel->alive);
	} else {
		alive = scullpin_dma_room_alive(channel->room);
	}
	spin_unlock(&channel->lock);
	return time_after(job->xfer->alive, alive) ? job->xfer->alive : alive;
}

/**
 * scullpin_dma_channel_leave - the channel takes no more, and is quiet afterwards
 * @channel: its provider leaves; its jobs end with -ENODEV
 *
 * Context: process context; sleeps.
 */
void scullpin_dma_channel_leave(struct scullpin_dma_channel *channel)
{
	unsigned int stops;

	spin_lock(&channel->lock);
	channel_give_up(channel);
	stops = channel->stops;
	spin_unlock(&channel->lock);
	channel_stop(channel, stops);
}

/**
 * scullpin_dma_stay - do not return if a channel was lost while the module went
 *
 * Then a reference does not keep the module any more.
 *
 * Context: module exit, last of all; sleeps, perhaps for ever.
 */
void scullpin_dma_stay(void)
{
	if (!READ_ONCE(dma_must_stay))
		return;
	pr_err("scullpin: a channel was lost that may call back; the module cannot go, nor can who removes it\n");
	for (;;) {
		set_current_state(TASK_IDLE | TASK_FREEZABLE);
		schedule();
	}
}
