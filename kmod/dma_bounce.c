// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that a channel reaches, for windows of which it does not reach all.
 * There is little of it below 256 MiB, so a few windows share it, in turn.
 */
#include <linux/dma-mapping.h>

#include "device.h"
#include "dma.h"
#include "engine.h"
#include "fault.h"

#define BOUNCE_BYTES (2 * SCULLPIN_DMA_BOUNCE_WINDOW)

/**
 * scullpin_dma_bounce_init - get a channel's bounces, if it needs any
 * @channel: its device and reach are known
 *
 * Context: process context; sleeps.
 * Return: 0 or -ENOMEM; scullpin_dma_bounce_exit() undoes both.
 */
int scullpin_dma_bounce_init(struct scullpin_dma_channel *channel)
{
	struct scullpin_dma_bounce *bounce = channel->bounce;

	for (; channel->reach != U64_MAX && bounce < channel->bounce + SCULLPIN_DMA_BOUNCE_BUFFERS;
	     bounce++) {
		if (!scullpin_fault_hits(SCULLPIN_FAULT_DMA_BOUNCE))
			bounce->buffer = dma_alloc_coherent(channel->dev, BOUNCE_BYTES,
							    &bounce->bus,
							    GFP_KERNEL | __GFP_NOWARN);
		if (!bounce->buffer)
			return -ENOMEM;
		list_add_tail(&bounce->node, &channel->bounces);
	}
	return 0;
}

/**
 * scullpin_dma_bounce_exit - undo init
 * @channel: nobody has one of its bounces
 *
 * Context: process context; sleeps. Before the provider has left.
 */
void scullpin_dma_bounce_exit(struct scullpin_dma_channel *channel)
{
	struct scullpin_dma_bounce *bounce = channel->bounce;

	for (; bounce < channel->bounce + SCULLPIN_DMA_BOUNCE_BUFFERS; bounce++)
		if (bounce->buffer)
			dma_free_coherent(channel->dev, BOUNCE_BYTES, bounce->buffer, bounce->bus);
}

/**
 * scullpin_dma_bounce_get - have a bounce, or wait in the channel's queue for one
 * @job: has none
 *
 * Context: process context; does not sleep.
 * Return: whether the job has one. Else its work is queued when it has, or when
 * the channel is gone, unless it is stopped before.
 */
bool scullpin_dma_bounce_get(struct scullpin_dma_job *job)
{
	struct scullpin_dma_channel *channel = job->channel;
	struct scullpin_dma_bounce *bounce;

	spin_lock(&channel->lock);
	bounce = list_first_entry_or_null(&channel->bounces, struct scullpin_dma_bounce, node);
	job->bounce = bounce;
	if (bounce) {
		list_del(&bounce->node);
	} else if (!job->stopped && channel->gone) {
		/* Who has them may keep them. */
		scullpin_dma_channel_cut_short(job, -ENODEV);
	} else if (!job->stopped) {
		/* Its work will begin this window, not end the one before. */
		job->ended = false;
		list_add_tail(&job->node, &channel->waiting);
	}
	spin_unlock(&channel->lock);
	/* The work of who waits may run by now, or have ended the transfer. */
	return bounce;
}

/**
 * scullpin_dma_bounce_put - let a bounce go, to who has waited longest
 * @job: may have none
 *
 * Context: process context; does not sleep.
 */
void scullpin_dma_bounce_put(struct scullpin_dma_job *job)
{
	struct scullpin_dma_channel *channel = job->channel;
	struct scullpin_dma_job *next;

	if (!job->bounce)
		return;
	spin_lock(&channel->lock);
	next = list_first_entry_or_null(&channel->waiting, struct scullpin_dma_job, node);
	if (next) {
		list_del_init(&next->node);
		next->bounce = job->bounce;
		queue_work(scullpin_engine_queue, &next->work);
	} else {
		list_add(&job->bounce->node, &channel->bounces);
	}
	job->bounce = NULL;
	spin_unlock(&channel->lock);
}
