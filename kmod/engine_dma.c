// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine that lets a DMA controller copy: a client of the kernel's
 * dmaengine. Both page lists are mapped for the channel's device, contiguous
 * pages as one segment, and each run that is contiguous on both sides is one
 * descriptor. The last one interrupts.
 *
 * A channel is stopped as a whole. What was not meant, goes on afterwards from
 * its first descriptor that has not ended.
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/moduleparam.h>
#include <linux/overflow.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "device.h"
#include "engine.h"

static char *channel;
module_param(channel, charp, 0444);
MODULE_PARM_DESC(channel, "DMA channel for engine=dma, such as dma0chan0 (default: the first that is free)");

/**
 * struct scullpin_dma - the channel of a device
 * @sdev: the device
 * @chan: the channel; NULL when its provider has left
 * @dev: whose addresses the channel uses
 * @bus: of the provider
 * @unbind: hears there of the provider's leaving
 * @stop: who stops the channel; outside @lock
 * @lock: protects @jobs, @stopping, @gone and submission to @chan
 * @jobs: submitted, in order
 * @stopping: submit nothing; who stops does it afterwards
 * @gone: the provider leaves
 * @alive: jiffies of the last callback
 * @users: transfers that are mapped or about to be
 * @idle: wakes when @users is 0
 */
struct scullpin_dma {
	struct scullpin_device *sdev;
	struct dma_chan *chan;
	struct device *dev;
	/* const on some kernels only */
	typeof(((struct device *)NULL)->bus) bus;
	struct notifier_block unbind;
	struct mutex stop;
	spinlock_t lock;
	struct list_head jobs;
	bool stopping;
	bool gone;
	unsigned long alive;
	atomic_t users;
	wait_queue_head_t idle;
};

/**
 * struct scullpin_dma_piece - one descriptor: contiguous on both sides
 * @job: of which
 * @src: bus address
 * @dst: bus address
 * @length: bytes
 * @cookie: the channel's number for it
 * @done: it has ended; written by its callback, and by who stops the channel
 * @failed: not well
 * @moved: bytes of a failed one that the channel says are there
 */
struct scullpin_dma_piece {
	struct scullpin_dma_job *job;
	dma_addr_t src;
	dma_addr_t dst;
	size_t length;
	dma_cookie_t cookie;
	bool done;
	bool failed;
	size_t moved;
};

/**
 * struct scullpin_dma_job - a transfer, as the channel sees it
 * @xfer: the transfer
 * @node: in struct scullpin_dma.jobs
 * @work: ends it in process context
 * @memory: the caller's pages, mapped when @mapped
 * @medium: the device's pages, likewise
 * @using: counted in struct scullpin_dma.users
 * @mapped: both are
 * @ended: @work is queued, by who set this: the last callback, or under the lock
 * @error: why it is cut short
 * @residue: of the piece that the channel is at, when the watch last looked
 * @nr: pieces
 * @pieces: in the order of the bytes
 */
struct scullpin_dma_job {
	struct scullpin_transfer *xfer;
	struct list_head node;
	struct work_struct work;
	struct sg_table memory;
	struct sg_table medium;
	bool using;
	bool mapped;
	bool ended;
	int error;
	u32 residue;
	unsigned int nr;
	struct scullpin_dma_piece *pieces;
};

static enum dma_data_direction dma_memory_direction(const struct scullpin_transfer *xfer)
{
	return xfer->write ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
}

static enum dma_data_direction dma_medium_direction(const struct scullpin_transfer *xfer)
{
	return xfer->write ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
}

/* Ranges as segments; what is contiguous, and within the channel's limits, is one. */
static void dma_fill(const struct scullpin_dma *dma, struct sg_table *table,
		     const struct scullpin_ranges *ranges)
{
	size_t most = min_t(size_t, dma_get_max_seg_size(dma->dev), dma_max_mapping_size(dma->dev));
	unsigned long boundary = dma_get_seg_boundary(dma->dev);
	struct scatterlist *sg = table->sgl;
	phys_addr_t start = 0, next = 0, here;
	const struct bio_vec *bv;

	sg_init_table(table->sgl, ranges->nr);
	table->nents = 0;
	for (bv = ranges->bv; bv < ranges->bv + ranges->nr; bv++) {
		here = page_to_phys(bv->bv_page) + bv->bv_offset;
		if (table->nents && here == next && sg->length + bv->bv_len <= most &&
		    !((start ^ (here + bv->bv_len - 1)) & ~(phys_addr_t)boundary)) {
			sg->length += bv->bv_len;
		} else {
			sg = &table->sgl[table->nents++];
			sg_set_page(sg, bv->bv_page, bv->bv_len, bv->bv_offset);
			start = here;
		}
		next = here + bv->bv_len;
	}
	sg_mark_end(sg);
	table->orig_nents = table->nents;
}

/* Walk both mapped lists: each run of addresses on both sides is a piece. */
static void dma_cut(struct scullpin_dma_job *job)
{
	bool write = job->xfer->write;
	struct scatterlist *src = (write ? &job->memory : &job->medium)->sgl;
	struct scatterlist *dst = (write ? &job->medium : &job->memory)->sgl;
	size_t left = job->xfer->memory.bytes, src_at = 0, dst_at = 0, length;

	for (job->nr = 0; left; left -= length) {
		length = min3(left, sg_dma_len(src) - src_at, sg_dma_len(dst) - dst_at);
		job->pieces[job->nr++] = (struct scullpin_dma_piece){
			.job = job,
			.src = sg_dma_address(src) + src_at,
			.dst = sg_dma_address(dst) + dst_at,
			.length = length,
		};
		src_at += length;
		dst_at += length;
		if (src_at == sg_dma_len(src)) {
			src = sg_next(src);
			src_at = 0;
		}
		if (dst_at == sg_dma_len(dst)) {
			dst = sg_next(dst);
			dst_at = 0;
		}
	}
}

static int dma_map(struct scullpin_dma *dma, struct scullpin_dma_job *job)
{
	struct scullpin_transfer *xfer = job->xfer;
	int ret;

	dma_fill(dma, &job->memory, &xfer->memory);
	dma_fill(dma, &job->medium, &xfer->medium);
	ret = dma_map_sgtable(dma->dev, &job->memory, dma_memory_direction(xfer), 0);
	if (ret)
		return ret;
	ret = dma_map_sgtable(dma->dev, &job->medium, dma_medium_direction(xfer), 0);
	if (ret) {
		dma_unmap_sgtable(dma->dev, &job->memory, dma_memory_direction(xfer), 0);
		return ret;
	}
	job->mapped = true;
	dma_cut(job);
	job->residue = job->pieces[0].length;
	scullpin_stats_add(&dma->sdev->stats, dma_segments, job->memory.nents + job->medium.nents);
	scullpin_stats_add(&dma->sdev->stats, dma_descriptors, job->nr);
	return 0;
}

/* Does the channel know how far it has come within a descriptor? */
static bool dma_tells_residue(const struct scullpin_dma *dma)
{
	return dma->chan->device->residue_granularity > DMA_RESIDUE_GRANULARITY_DESCRIPTOR;
}

/* A piece has ended: in an interrupt, or near one. */
static void dma_piece_done(void *data, const struct dmaengine_result *result)
{
	struct scullpin_dma_piece *piece = data;
	struct scullpin_dma_job *job = piece->job;
	struct scullpin_dma *dma = job->xfer->sdev->dma;

	WRITE_ONCE(dma->alive, jiffies);
	piece->failed = result && result->result != DMA_TRANS_NOERROR;
	if (piece->failed && dma_tells_residue(dma) && result->residue <= piece->length)
		piece->moved = piece->length - result->residue;
	WRITE_ONCE(piece->done, true);
	if (piece == &job->pieces[job->nr - 1]) {
		WRITE_ONCE(job->ended, true);
		queue_work(scullpin_engine_queue, &job->work);
	}
}

/* End a job early, from where the lock is held. */
static void dma_cut_short(struct scullpin_dma_job *job, int error)
{
	job->error = error;
	WRITE_ONCE(job->ended, true);
	queue_work(scullpin_engine_queue, &job->work);
}

/* Give the channel what of a job has not ended. */
static void dma_issue(struct scullpin_dma *dma, struct scullpin_dma_job *job)
{
	struct dma_async_tx_descriptor *desc;
	struct scullpin_dma_piece *piece;
	unsigned int i;

	lockdep_assert_held(&dma->lock);
	for (i = 0; i < job->nr; i++) {
		piece = &job->pieces[i];
		if (piece->done)
			continue;
		desc = dmaengine_prep_dma_memcpy(dma->chan, piece->dst, piece->src, piece->length,
						 DMA_CTRL_ACK |
						 (i == job->nr - 1 ? DMA_PREP_INTERRUPT : 0));
		if (!desc) {
			/* The pieces before it run: the worker stops them. */
			dma_cut_short(job, -ENOMEM);
			break;
		}
		desc->callback_result = dma_piece_done;
		desc->callback_param = piece;
		piece->cookie = dmaengine_submit(desc);
	}
	dma_async_issue_pending(dma->chan);
}

/* Note what the channel has ended, callback or not: the pieces from the start. */
static void dma_look(struct scullpin_dma *dma, struct scullpin_dma_job *job)
{
	struct scullpin_dma_piece *piece;

	for (piece = job->pieces; piece < job->pieces + job->nr; piece++) {
		if (piece->done)
			continue;
		if (piece->cookie < DMA_MIN_COOKIE ||
		    dma_async_is_tx_complete(dma->chan, piece->cookie, NULL, NULL) != DMA_COMPLETE)
			return;
		piece->done = true;
	}
}

/* After a stop: what was not meant goes on. */
static void dma_go_on(struct scullpin_dma *dma, struct scullpin_dma_job *job)
{
	if (READ_ONCE(job->ended))
		return;
	if (dma->gone)
		dma_cut_short(job, -ENODEV);
	else if (job->pieces[job->nr - 1].done)
		dma_cut_short(job, 0);
	else
		dma_issue(dma, job);
}

/* Stop the channel, wait until it is quiet, let all but one job go on. */
static void dma_stop(struct scullpin_dma *dma, const struct scullpin_dma_job *victim)
{
	struct scullpin_dma_job *job;

	mutex_lock(&dma->stop);
	spin_lock(&dma->lock);
	dma->stopping = true;
	if (dma->chan)
		list_for_each_entry(job, &dma->jobs, node)
			dma_look(dma, job);
	spin_unlock(&dma->lock);
	if (dma->chan)
		dmaengine_terminate_sync(dma->chan);
	spin_lock(&dma->lock);
	dma->stopping = false;
	WRITE_ONCE(dma->alive, jiffies);
	list_for_each_entry(job, &dma->jobs, node)
		if (job != victim)
			dma_go_on(dma, job);
	spin_unlock(&dma->lock);
	mutex_unlock(&dma->stop);
}

static void dma_forget(struct scullpin_dma *dma, struct scullpin_dma_job *job)
{
	spin_lock(&dma->lock);
	list_del_init(&job->node);
	spin_unlock(&dma->lock);
}

/* Bytes of the pieces from the start that have ended well, and of the one that has not. */
static size_t dma_moved(const struct scullpin_dma_job *job)
{
	const struct scullpin_dma_piece *piece;
	/* A channel may tell only of the last, which ends after all others. */
	bool all = job->pieces[job->nr - 1].done;
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

static void dma_work(struct work_struct *work)
{
	struct scullpin_dma_job *job = container_of(work, struct scullpin_dma_job, work);
	struct scullpin_transfer *xfer = job->xfer;
	struct scullpin_dma *dma = xfer->sdev->dma;
	size_t bytes;

	/* Not whole with the channel, but perhaps in part. */
	if (job->error == -ENOMEM)
		dma_stop(dma, job);
	dma_forget(dma, job);
	bytes = dma_moved(job);
	xfer->done(xfer, bytes, bytes < xfer->memory.bytes ? job->error ?: -EIO : 0);
}

static int dma_prepare(struct scullpin_transfer *xfer, gfp_t gfp)
{
	size_t nr = (size_t)xfer->memory.nr + xfer->medium.nr;
	struct scullpin_dma_job *job;
	struct scatterlist *sg;
	size_t size;

	size = size_add(sizeof(*job), array_size(nr, sizeof(*sg) + sizeof(*job->pieces)));
	job = kvmalloc(size, gfp | __GFP_ACCOUNT | __GFP_NOWARN);
	if (!job)
		return -ENOMEM;
	memset(job, 0, sizeof(*job));
	sg = (struct scatterlist *)(job + 1);
	job->memory.sgl = sg;
	job->medium.sgl = sg + xfer->memory.nr;
	job->pieces = (struct scullpin_dma_piece *)(sg + nr);
	job->xfer = xfer;
	INIT_LIST_HEAD(&job->node);
	INIT_WORK(&job->work, dma_work);
	xfer->dma = job;
	return 0;
}

/* Count a transfer that may be mapped: who waits for the channel's end waits for it. */
static bool dma_use(struct scullpin_dma *dma, struct scullpin_dma_job *job)
{
	spin_lock(&dma->lock);
	job->using = !dma->gone;
	if (job->using)
		atomic_inc(&dma->users);
	spin_unlock(&dma->lock);
	return job->using;
}

static void dma_submit(struct scullpin_transfer *xfer)
{
	struct scullpin_dma *dma = xfer->sdev->dma;
	struct scullpin_dma_job *job = xfer->dma;
	int ret;

	/* What was copied already only ends later. */
	if (!xfer->memory.nr) {
		xfer->done(xfer, 0, 0);
		return;
	}
	ret = dma_use(dma, job) ? dma_map(dma, job) : -ENODEV;
	if (ret) {
		xfer->done(xfer, 0, ret);
		return;
	}
	spin_lock(&dma->lock);
	list_add_tail(&job->node, &dma->jobs);
	if (dma->gone)
		dma_cut_short(job, -ENODEV);
	else if (!dma->stopping)
		dma_issue(dma, job);
	spin_unlock(&dma->lock);
}

static bool dma_terminate(struct scullpin_transfer *xfer)
{
	struct scullpin_dma *dma = xfer->sdev->dma;
	struct scullpin_dma_job *job = xfer->dma;

	if (!xfer->memory.nr)
		return false;
	dma_stop(dma, job);
	cancel_work_sync(&job->work);
	dma_forget(dma, job);
	return true;
}

/* A descriptor may be long: what the channel says that is left of it is a sign of life, too. */
static void dma_look_for_progress(struct scullpin_dma *dma, struct scullpin_dma_job *job)
{
	struct scullpin_dma_piece *piece = job->pieces;
	struct dma_tx_state state = {};

	while (piece < job->pieces + job->nr - 1 && READ_ONCE(piece->done))
		piece++;
	if (dma->stopping || dma->gone || piece->cookie < DMA_MIN_COOKIE)
		return;
	dmaengine_tx_status(dma->chan, piece->cookie, &state);
	if (state.residue != job->residue)
		WRITE_ONCE(dma->alive, jiffies);
	job->residue = state.residue;
}

/* Only who is first in the queue can be kept waiting by the channel. */
static unsigned long dma_alive(struct scullpin_transfer *xfer)
{
	struct scullpin_dma *dma = xfer->sdev->dma;
	unsigned long alive = jiffies;

	spin_lock(&dma->lock);
	if (!list_empty(&dma->jobs) && dma->jobs.next == &xfer->dma->node) {
		dma_look_for_progress(dma, xfer->dma);
		alive = READ_ONCE(dma->alive);
		if (time_after(xfer->alive, alive))
			alive = xfer->alive;
	}
	spin_unlock(&dma->lock);
	return alive;
}

static void dma_finish(struct scullpin_transfer *xfer)
{
	struct scullpin_dma *dma = xfer->sdev->dma;
	struct scullpin_dma_job *job = xfer->dma;

	if (job->mapped) {
		dma_unmap_sgtable(dma->dev, &job->memory, dma_memory_direction(xfer), 0);
		dma_unmap_sgtable(dma->dev, &job->medium, dma_medium_direction(xfer), 0);
	}
	if (job->using && atomic_dec_and_test(&dma->users))
		wake_up(&dma->idle);
	kvfree(job);
	xfer->dma = NULL;
}

/* dmaengine does not tell its clients that a provider leaves; the bus does. */
static int dma_on_unbind(struct notifier_block *nb, unsigned long action, void *data)
{
	struct scullpin_dma *dma = container_of(nb, struct scullpin_dma, unbind);

	if (action != BUS_NOTIFY_UNBIND_DRIVER || !dma->chan || data != dma->chan->device->dev)
		return NOTIFY_DONE;
	spin_lock(&dma->lock);
	dma->gone = true;
	spin_unlock(&dma->lock);
	dma_stop(dma, NULL);
	wait_event(dma->idle, !atomic_read(&dma->users));
	mutex_lock(&dma->stop);
	dma_release_channel(dma->chan);
	dma->chan = NULL;
	mutex_unlock(&dma->stop);
	return NOTIFY_OK;
}

static bool dma_is_wanted(struct dma_chan *chan, void *name)
{
	return !name || !*(char *)name || !strcmp(dma_chan_name(chan), name);
}

/* Can the channel work for a device with these settings? */
static int dma_check(struct dma_chan *chan, const struct scullpin_config *config)
{
	struct device *dev = dmaengine_get_dma_device(chan);
	unsigned int alignment = 1 << chan->device->copy_align;

	if (config->dma_alignment & (alignment - 1)) {
		pr_err("scullpin: channel %s needs dma_alignment %u\n", dma_chan_name(chan),
		       alignment);
		return -EINVAL;
	}
	/* An IOMMU maps low; the kernel's bounce buffers lie below 4 GiB, no lower. */
	if (!device_iommu_mapped(dev) && dma_addressing_limited(dev) &&
	    dma_get_mask(dev) < DMA_BIT_MASK(32)) {
		pr_err("scullpin: channel %s does not reach all of the memory\n",
		       dma_chan_name(chan));
		return -EIO;
	}
	return 0;
}

static int dma_attach(struct scullpin_device *sdev)
{
	struct scullpin_dma *dma = kzalloc(sizeof(*dma), GFP_KERNEL);
	dma_cap_mask_t mask;
	int ret;

	if (!dma)
		return -ENOMEM;
	dma_cap_zero(mask);
	dma_cap_set(DMA_MEMCPY, mask);
	dma->chan = dma_request_channel(mask, dma_is_wanted, channel);
	if (!dma->chan) {
		pr_err("scullpin: no DMA channel %s that copies memory is free\n", channel ?: "");
		kfree(dma);
		return -ENODEV;
	}
	ret = dma_check(dma->chan, &sdev->config);
	if (ret) {
		dma_release_channel(dma->chan);
		kfree(dma);
		return ret;
	}
	dma->sdev = sdev;
	dma->dev = dmaengine_get_dma_device(dma->chan);
	mutex_init(&dma->stop);
	spin_lock_init(&dma->lock);
	INIT_LIST_HEAD(&dma->jobs);
	init_waitqueue_head(&dma->idle);
	sdev->dma = dma;
	dma->unbind.notifier_call = dma_on_unbind;
	dma->bus = dma->chan->device->dev->bus;
	bus_register_notifier(dma->bus, &dma->unbind);
	return 0;
}

static void dma_detach(struct scullpin_device *sdev)
{
	struct scullpin_dma *dma = sdev->dma;

	/* Waits for a call that runs. */
	bus_unregister_notifier(dma->bus, &dma->unbind);
	if (dma->chan)
		dma_release_channel(dma->chan);
	kfree(dma);
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
