// SPDX-License-Identifier: GPL-2.0-only
/*
 * A channel of dmaengine and the queue of its jobs. Each piece of a job is a
 * descriptor; the last one interrupts.
 */
#include "device.h"
#include "dma.h"
#include "engine.h"

/* From the end of a descriptor until it can be had again: a soft interrupt, at most put off. */
#define CHANNEL_RECYCLES	(HZ / 10)

/* A piece has ended: in an interrupt, or near one. */
static void channel_piece_done(void *data, const struct dmaengine_result *result)
{
	struct scullpin_dma_piece *piece = data;
	struct scullpin_dma_job *job = piece->job;
	struct scullpin_dma_channel *channel;

	/* Nobody waits for it any more, and only the job itself is still there. */
	if (READ_ONCE(job->lost))
		return;
	channel = job->channel;
	WRITE_ONCE(channel->alive, jiffies);
	WRITE_ONCE(channel->busy, jiffies);
	WRITE_ONCE(channel->silences, 0);
	piece->failed = result && result->result != DMA_TRANS_NOERROR;
	if (piece->failed && scullpin_dma_tells_residue(channel) &&
	    result->residue <= piece->length)
		piece->moved = piece->length - result->residue;
	WRITE_ONCE(piece->done, true);
	if (READ_ONCE(channel->full))
		mod_delayed_work(scullpin_engine_queue, &channel->refill, 0);
	if (piece == &job->pieces[job->nr - 1]) {
		WRITE_ONCE(job->ended, true);
		queue_work(scullpin_engine_queue, &job->work);
	}
}

/**
 * scullpin_dma_channel_cut_short - end a window early
 * @job: submitted or waiting
 * @error: why; 0 when all of it has moved
 *
 * Context: process context, under the channel's lock.
 */
void scullpin_dma_channel_cut_short(struct scullpin_dma_job *job, int error)
{
	lockdep_assert_held(&job->channel->lock);
	job->error = error;
	WRITE_ONCE(job->ended, true);
	queue_work(scullpin_engine_queue, &job->work);
}

/* Give the channel what it does not have of a job's window; false: it takes no more. */
static bool channel_give(struct scullpin_dma_channel *channel, struct scullpin_dma_job *job)
{
	struct dma_async_tx_descriptor *desc;
	struct scullpin_dma_piece *piece;
	unsigned long flags;

	for (; job->given < job->nr; job->given++) {
		piece = &job->pieces[job->given];
		if (piece->done)
			continue;
		flags = DMA_CTRL_ACK;
		if (job->given == job->nr - 1)
			flags |= DMA_PREP_INTERRUPT;
		desc = dmaengine_prep_dma_memcpy(channel->chan, piece->dst, piece->src,
						 piece->length, flags);
		if (!desc)
			return false;
		desc->callback_result = channel_piece_done;
		desc->callback_param = piece;
		piece->cookie = dmaengine_submit(desc);
		if (dma_submit_error(piece->cookie)) {
			piece->cookie = 0;
			return false;
		}
		channel->last = piece->cookie;
		WRITE_ONCE(channel->busy, jiffies);
	}
	return true;
}

static bool channel_has_work(struct scullpin_dma_channel *channel)
{
	return channel->last >= DMA_MIN_COOKIE &&
		dma_async_is_tx_complete(channel->chan, channel->last, NULL, NULL) ==
		DMA_IN_PROGRESS;
}

/*
 * Nothing that the channel had could still give it a descriptor: providers
 * complete a cookie first, call back then, and have the descriptor again last.
 */
static bool channel_is_idle(struct scullpin_dma_channel *channel)
{
	if (channel_has_work(channel))
		WRITE_ONCE(channel->busy, jiffies);
	return time_after(jiffies, READ_ONCE(channel->busy) + CHANNEL_RECYCLES);
}

/*
 * Give the channel what it does not have of @job and those behind. One that
 * takes no more gets the rest when something has ended, or a jiffy later; one
 * that is idle and twice takes nothing has no memory. Folios, which must reach
 * the medium, wait for it until the deadline.
 */
static void channel_issue(struct scullpin_dma_channel *channel, struct scullpin_dma_job *job)
{
	bool was_full = channel->full;

	lockdep_assert_held(&channel->lock);
	WRITE_ONCE(channel->full, false);
	list_for_each_entry_from(job, &channel->jobs, node) {
		if (READ_ONCE(job->ended) || channel_give(channel, job))
			continue;
		if (!was_full || job->xfer->must || !channel_is_idle(channel)) {
			WRITE_ONCE(channel->full, true);
			mod_delayed_work(scullpin_engine_queue, &channel->refill, 1);
			break;
		}
		/* The channel may have a part of it: the worker stops that. */
		scullpin_dma_channel_cut_short(job, -ENOMEM);
	}
	dma_async_issue_pending(channel->chan);
}

/**
 * scullpin_dma_channel_issue_all - give the channel what it does not have of its jobs
 * @channel: is not being stopped
 *
 * Context: process context, under the channel's lock.
 */
void scullpin_dma_channel_issue_all(struct scullpin_dma_channel *channel)
{
	if (!list_empty(&channel->jobs))
		channel_issue(channel, list_first_entry(&channel->jobs, struct scullpin_dma_job,
							node));
}

static void channel_refill_work(struct work_struct *work)
{
	struct scullpin_dma_channel *channel =
		container_of(to_delayed_work(work), struct scullpin_dma_channel, refill);

	spin_lock(&channel->lock);
	if (channel->full && !channel->stopping && !channel->gone)
		scullpin_dma_channel_issue_all(channel);
	spin_unlock(&channel->lock);
}

/**
 * scullpin_dma_channel_submit - queue a job's window
 * @job: mapped
 *
 * Its work runs when the window has ended, well or not, unless the job has been
 * stopped.
 *
 * Context: process context; does not sleep.
 */
void scullpin_dma_channel_submit(struct scullpin_dma_job *job)
{
	struct scullpin_dma_channel *channel = job->channel;

	spin_lock(&channel->lock);
	job->ended = false;
	job->error = 0;
	if (!job->stopped) {
		/* Its time begins now. */
		if (list_empty(&channel->jobs))
			WRITE_ONCE(channel->alive, jiffies);
		list_add_tail(&job->node, &channel->jobs);
		if (channel->gone)
			scullpin_dma_channel_cut_short(job, -ENODEV);
		else if (!channel->stopping && !channel->full)
			channel_issue(channel, job);
	}
	/* Only now: the next one is submitted behind it. */
	scullpin_dma_room_pass(job);
	spin_unlock(&channel->lock);
}

/**
 * scullpin_dma_channel_init - an empty queue
 * @channel: zeroed
 *
 * Context: process context; does not sleep.
 */
void scullpin_dma_channel_init(struct scullpin_dma_channel *channel)
{
	channel->busy = jiffies;
	mutex_init(&channel->stop);
	spin_lock_init(&channel->lock);
	INIT_LIST_HEAD(&channel->jobs);
	INIT_LIST_HEAD(&channel->waiting);
	INIT_LIST_HEAD(&channel->bounces);
	INIT_DELAYED_WORK(&channel->refill, channel_refill_work);
}
