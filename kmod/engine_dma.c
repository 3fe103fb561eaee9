// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine that lets DMA controllers copy: a client of the kernel's
 * dmaengine. A transfer is a job on the least busy of the device's channels,
 * which moves it window by window.
 */
#include <linux/moduleparam.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "device.h"
#include "dma.h"
#include "engine.h"
#include "fault.h"

static char *channel_names[SCULLPIN_DMA_CHANNELS] = { "any" };
static unsigned int channels = 1;
module_param_array_named(channel, channel_names, charp, &channels, 0444);
MODULE_PARM_DESC(channel, "DMA channels for engine=dma, such as dma0chan0,dma1chan0; any is the first that is free (default any)");

/**
 * struct scullpin_dma - a device's channels
 * @nr: of them
 * @turn: whose turn it is among those that are as busy
 * @channel: each
 */
struct scullpin_dma {
	unsigned int nr;
	unsigned int turn;
	struct scullpin_dma_channel *channel[SCULLPIN_DMA_CHANNELS];
};

static void dma_end(struct scullpin_dma_job *job, int error)
{
	job->xfer->done(job->xfer, job->at, error);
}

/*
 * Have the next window moved, as soon as there is a bounce for it if it needs
 * one, and room in the IOMMU or swiotlb.
 */
static void dma_begin_window(struct scullpin_dma_job *job)
{
	bool bounces;
	int ret;

	/* Else it has waited for its bounce: who waits for room now has come later. */
	if (!job->bounce) {
		/* First, so that who is sent home has a window that has not moved. */
		bounces = scullpin_dma_choose_window(job);
		if (job->memory.bounced && job->medium.bounced)
			scullpin_dma_room_pass(job);	/* it needs none */
		else if (scullpin_dma_room_queue_up(job))
			return;
		if (bounces && !scullpin_dma_bounce_get(job))
			return;
	}
	ret = scullpin_dma_map_window(job);
	if (!ret)
		scullpin_dma_channel_submit(job);
	else if (!scullpin_dma_room_wait(job))
		dma_end(job, READ_ONCE(job->channel->gone) ? -ENODEV : ret);
}

static void dma_work(struct work_struct *work)
{
	struct scullpin_dma_job *job = container_of(work, struct scullpin_dma_job, work);
	size_t moved, window = job->window;

	/* It has waited for a bounce, and has it. */
	if (!READ_ONCE(job->ended)) {
		dma_begin_window(job);
		return;
	}
	moved = scullpin_dma_channel_take(job);
	scullpin_dma_unmap_window(job, moved);
	scullpin_dma_room_pass(job);
	if (READ_ONCE(job->lost))
		dma_end(job, -ENODEV);
	else if (moved < window)
		dma_end(job, job->error ?: -EIO);
	else if (job->at == job->xfer->memory.bytes)
		dma_end(job, 0);
	else
		dma_begin_window(job);
}

static void dma_init_side(struct scullpin_dma_side *side, const struct scullpin_ranges *ranges,
			  struct scatterlist *sg, enum dma_data_direction direction)
{
	side->ranges = ranges;
	side->table.sgl = sg;
	side->direction = direction;
}

static int dma_prepare(struct scullpin_transfer *xfer, gfp_t gfp)
{
	size_t memory = min(xfer->memory.nr, SCULLPIN_DMA_WINDOW_RANGES);
	size_t medium = min(xfer->medium.nr, SCULLPIN_DMA_WINDOW_RANGES);
	struct scullpin_dma_job *job = NULL;
	struct scatterlist *sg;
	size_t size;

	size = size_add(sizeof(*job), array_size(memory + medium,
						 sizeof(*sg) + sizeof(*job->pieces)));
	if (!scullpin_fault_hits(SCULLPIN_FAULT_DMA_JOB))
		job = kvmalloc(size, gfp | __GFP_ACCOUNT | __GFP_NOWARN);
	if (!job)
		return -ENOMEM;
	memset(job, 0, sizeof(*job));
	sg = (struct scatterlist *)(job + 1);
	job->xfer = xfer;
	job->pieces = (struct scullpin_dma_piece *)(sg + memory + medium);
	dma_init_side(&job->memory, &xfer->memory, sg,
		      xfer->write ? DMA_TO_DEVICE : DMA_FROM_DEVICE);
	dma_init_side(&job->medium, &xfer->medium, sg + memory,
		      xfer->write ? DMA_FROM_DEVICE : DMA_TO_DEVICE);
	INIT_LIST_HEAD(&job->node);
	INIT_WORK(&job->work, dma_work);
	xfer->dma = job;
	return 0;
}

/* The channel with the fewest transfers, in turn, counted in; NULL when all have gone. */
static struct scullpin_dma_channel *dma_choose_channel(struct scullpin_dma *dma)
{
	struct scullpin_dma_channel *best, *channel;
	/* Two at once may take the same turn: that is not unfair. */
	unsigned int i, turn = READ_ONCE(dma->turn);

	WRITE_ONCE(dma->turn, (turn + 1) % dma->nr);
	do {
		best = NULL;
		for (i = 0; i < dma->nr; i++) {
			channel = dma->channel[(turn + i) % dma->nr];
			if (!READ_ONCE(channel->gone) &&
			    (!best || atomic_read(&channel->users) < atomic_read(&best->users)))
				best = channel;
		}
	} while (best && !scullpin_dma_channel_use(best));
	return best;
}

static void dma_submit(struct scullpin_transfer *xfer)
{
	struct scullpin_dma_job *job = xfer->dma;

	/* Pairs with dma_alive(), which may look meanwhile. */
	WRITE_ONCE(job->channel, dma_choose_channel(xfer->sdev->dma));
	if (job->channel)
		dma_begin_window(job);
	else
		dma_end(job, -ENODEV);
}

static bool dma_terminate(struct scullpin_transfer *xfer)
{
	struct scullpin_dma_job *job = xfer->dma;

	if (!job->channel)
		return false;
	scullpin_dma_channel_withdraw(job);
	cancel_work_sync(&job->work);
	return true;
}

static unsigned long dma_alive(struct scullpin_transfer *xfer)
{
	if (!READ_ONCE(xfer->dma->channel))
		return xfer->alive;
	return scullpin_dma_channel_alive(xfer->dma);
}

static size_t dma_finish(struct scullpin_transfer *xfer)
{
	struct scullpin_dma_job *job = xfer->dma;
	size_t moved;

	if (job->channel) {
		scullpin_dma_unmap_window(job, scullpin_dma_channel_moved(job));
		scullpin_dma_room_pass(job);
		scullpin_dma_channel_unuse(job->channel);
	}
	moved = job->at;
	xfer->kept = job->lost;
	if (!job->lost)
		kvfree(job);
	xfer->dma = NULL;
	return moved;
}

static void dma_detach(struct scullpin_device *sdev)
{
	struct scullpin_dma *dma = sdev->dma;

	while (dma->nr)
		scullpin_dma_channel_put(dma->channel[--dma->nr]);
	kfree(dma);
}

static int dma_attach(struct scullpin_device *sdev)
{
	struct scullpin_dma *dma = kzalloc(sizeof(*dma), GFP_KERNEL);
	struct scullpin_dma_channel *channel;

	if (!dma)
		return -ENOMEM;
	sdev->dma = dma;
	for (; dma->nr < channels; dma->nr++) {
		channel = scullpin_dma_channel_get(sdev, channel_names[dma->nr]);
		if (IS_ERR(channel)) {
			dma_detach(sdev);
			return PTR_ERR(channel);
		}
		dma->channel[dma->nr] = channel;
	}
	return 0;
}

const struct scullpin_engine_ops scullpin_engine_dma = {
	.name = "dma",
	.attach = dma_attach,
	.detach = dma_detach,
	.prepare = dma_prepare,
	.submit = dma_submit,
	.terminate = dma_terminate,
	.alive = dma_alive,
	.finish = dma_finish,
};
