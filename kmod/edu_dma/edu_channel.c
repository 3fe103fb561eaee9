// SPDX-License-Identifier: GPL-2.0-only
/*
 * The client's side: what dmaengine asks of a channel.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "edu.h"

static atomic_t edu_refuse = ATOMIC_INIT(0);
module_param_cb(refuse, &edu_number_ops, &edu_refuse, 0644);
MODULE_PARM_DESC(refuse, "so many descriptors from now on cannot be had");
static atomic_t edu_limit = ATOMIC_INIT(0);
module_param_cb(limit, &edu_number_ops, &edu_limit, 0644);
MODULE_PARM_DESC(limit, "descriptors that can be had at once (default 0, any number)");
static atomic_t edu_recycle_ms = ATOMIC_INIT(0);
module_param_cb(recycle_ms, &edu_number_ops, &edu_recycle_ms, 0644);
MODULE_PARM_DESC(recycle_ms, "after a callback none can be had for so long (default 0)");

static atomic_t edu_deaf = ATOMIC_INIT(0);
module_param_cb(deaf, &edu_number_ops, &edu_deaf, 0644);
MODULE_PARM_DESC(deaf, "the channel refuses so many times from now on to be terminated");
static bool synchronize = true;
module_param(synchronize, bool, 0444);
MODULE_PARM_DESC(synchronize, "offer clients to wait for what was terminated (default Y); without, they must not take the channel");

static struct edu_descriptor *edu_descriptor_of(struct dma_async_tx_descriptor *tx)
{
	return container_of(tx, struct edu_descriptor, tx);
}

static dma_cookie_t edu_submit(struct dma_async_tx_descriptor *tx)
{
	struct edu_descriptor *desc = edu_descriptor_of(tx);
	struct edu *edu = edu_of(tx->chan);
	unsigned long flags;

	spin_lock_irqsave(&edu->lock, flags);
	edu->chan.cookie = edu->chan.cookie == INT_MAX ? DMA_MIN_COOKIE : edu->chan.cookie + 1;
	tx->cookie = edu->chan.cookie;
	list_move_tail(&desc->node, &edu->submitted);
	spin_unlock_irqrestore(&edu->lock, flags);
	return tx->cookie;
}

static struct dma_async_tx_descriptor *edu_prepare(struct dma_chan *chan, dma_addr_t dst,
						   dma_addr_t src, size_t length,
						   unsigned long tx_flags)
{
	unsigned int limit = atomic_read(&edu_limit);
	struct edu *edu = edu_of(chan);
	struct edu_descriptor *desc;
	unsigned long flags;

	if (!length || atomic_dec_if_positive(&edu_refuse) >= 0)
		return NULL;
	desc = kzalloc(sizeof(*desc), GFP_NOWAIT);
	if (!desc)
		return NULL;
	dma_async_tx_descriptor_init(&desc->tx, chan);
	desc->tx.flags = tx_flags;
	desc->tx.tx_submit = edu_submit;
	desc->src = src;
	desc->dst = dst;
	desc->length = length;
	spin_lock_irqsave(&edu->lock, flags);
	if (edu->gone || (limit && edu->descriptors >= limit) ||
	    time_before(jiffies, edu->called + msecs_to_jiffies(atomic_read(&edu_recycle_ms)))) {
		spin_unlock_irqrestore(&edu->lock, flags);
		kfree(desc);
		return NULL;
	}
	edu->descriptors++;
	list_add_tail(&desc->node, &edu->prepared);
	spin_unlock_irqrestore(&edu->lock, flags);
	return &desc->tx;
}

static void edu_issue_pending(struct dma_chan *chan)
{
	struct edu *edu = edu_of(chan);
	unsigned long flags;

	spin_lock_irqsave(&edu->lock, flags);
	list_splice_tail_init(&edu->submitted, &edu->issued);
	edu_start(edu);
	spin_unlock_irqrestore(&edu->lock, flags);
}

static enum dma_status edu_tx_status(struct dma_chan *chan, dma_cookie_t cookie,
				     struct dma_tx_state *state)
{
	struct edu *edu = edu_of(chan);
	struct edu_descriptor *desc;
	enum dma_status status;
	unsigned long flags;

	spin_lock_irqsave(&edu->lock, flags);
	status = dma_async_is_complete(cookie, chan->completed_cookie, chan->cookie);
	dma_set_tx_state(state, chan->completed_cookie, chan->cookie, 0);
	list_for_each_entry(desc, &edu->ended, node)
		if (desc->tx.cookie == cookie && desc->result != DMA_TRANS_NOERROR)
			status = DMA_ERROR;
	if (status == DMA_IN_PROGRESS) {
		list_for_each_entry(desc, &edu->submitted, node)
			if (desc->tx.cookie == cookie && state)
				state->residue = desc->length;
		list_for_each_entry(desc, &edu->issued, node)
			if (desc->tx.cookie == cookie && state)
				state->residue = desc->length - desc->done;
		if (edu->paused)
			status = DMA_PAUSED;
	}
	spin_unlock_irqrestore(&edu->lock, flags);
	return status;
}

static int edu_pause(struct dma_chan *chan)
{
	struct edu *edu = edu_of(chan);
	unsigned long flags;

	spin_lock_irqsave(&edu->lock, flags);
	edu->paused = true;
	spin_unlock_irqrestore(&edu->lock, flags);
	return 0;
}

static int edu_resume(struct dma_chan *chan)
{
	struct edu *edu = edu_of(chan);
	unsigned long flags;

	spin_lock_irqsave(&edu->lock, flags);
	edu->paused = false;
	edu_start(edu);
	spin_unlock_irqrestore(&edu->lock, flags);
	return 0;
}

static void edu_free_descriptors(struct edu *edu, struct list_head *dead)
{
	struct edu_descriptor *desc, *next;

	list_for_each_entry_safe(desc, next, dead, node) {
		dma_descriptor_unmap(&desc->tx);
		kfree(desc);
	}
}

/*
 * Forget every descriptor that was submitted; what is only prepared is still its
 * client's. What runs cannot be stopped: edu_synchronize() waits for it.
 */
static void edu_forget(struct edu *edu)
{
	struct edu_descriptor *desc;
	unsigned long flags;
	LIST_HEAD(dead);

	spin_lock_irqsave(&edu->lock, flags);
	list_splice_init(&edu->submitted, &dead);
	list_splice_init(&edu->issued, &dead);
	list_splice_init(&edu->ended, &dead);
	list_for_each_entry(desc, &dead, node)
		edu->descriptors--;
	edu->orphan = edu->running;
	edu->outward = false;
	edu->paused = false;
	spin_unlock_irqrestore(&edu->lock, flags);
	edu_free_descriptors(edu, &dead);
}

static int edu_terminate_all(struct dma_chan *chan)
{
	if (atomic_dec_if_positive(&edu_deaf) >= 0)
		return -EBUSY;
	edu_forget(edu_of(chan));
	return 0;
}

/* Afterwards no terminated descriptor's memory is touched and no callback of one runs. */
static void edu_synchronize(struct dma_chan *chan)
{
	edu_command_synchronize(edu_of(chan));
}

/**
 * edu_channel_stop - forget every descriptor, and wait until the device does
 * @edu: the device
 *
 * Context: process context; sleeps.
 */
void edu_channel_stop(struct edu *edu)
{
	edu_forget(edu);
	edu_synchronize(&edu->chan);
}

static int edu_alloc_chan_resources(struct dma_chan *chan)
{
	chan->cookie = DMA_MIN_COOKIE;
	chan->completed_cookie = DMA_MIN_COOKIE;
	return 1;
}

static void edu_free_chan_resources(struct dma_chan *chan)
{
	struct edu *edu = edu_of(chan);
	LIST_HEAD(dead);

	edu_channel_stop(edu);
	/* Nobody holds the channel, so nobody submits what was prepared. */
	spin_lock_irq(&edu->lock);
	list_splice_init(&edu->prepared, &dead);
	edu->descriptors = 0;
	spin_unlock_irq(&edu->lock);
	edu_free_descriptors(edu, &dead);
}

/**
 * edu_channel_init - what dmaengine has to know
 * @edu: zeroed
 * @dev: the device that moves bytes
 *
 * Context: process context.
 */
void edu_channel_init(struct edu *edu, struct device *dev)
{
	struct dma_device *dma = &edu->dma;

	INIT_LIST_HEAD(&edu->prepared);
	INIT_LIST_HEAD(&edu->submitted);
	INIT_LIST_HEAD(&edu->issued);
	INIT_LIST_HEAD(&edu->ended);
	edu->called = jiffies;
	dma->dev = dev;
	dma_cap_set(DMA_MEMCPY, dma->cap_mask);
	/* For who asks for it: the kernel's own copies would wait for it, 200 ms for each 2 KiB. */
	dma_cap_set(DMA_PRIVATE, dma->cap_mask);
	dma->directions = BIT(DMA_MEM_TO_MEM);
	dma->residue_granularity = DMA_RESIDUE_GRANULARITY_BURST;
	dma->copy_align = DMAENGINE_ALIGN_1_BYTE;
	dma->device_alloc_chan_resources = edu_alloc_chan_resources;
	dma->device_free_chan_resources = edu_free_chan_resources;
	dma->device_prep_dma_memcpy = edu_prepare;
	dma->device_issue_pending = edu_issue_pending;
	dma->device_tx_status = edu_tx_status;
	dma->device_pause = edu_pause;
	dma->device_resume = edu_resume;
	dma->device_terminate_all = edu_terminate_all;
	if (synchronize)
		dma->device_synchronize = edu_synchronize;
	INIT_LIST_HEAD(&dma->channels);
	edu->chan.device = dma;
	list_add_tail(&edu->chan.device_node, &dma->channels);
}
