// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mappings of a job. A window of both its page lists is mapped for the
 * channel's device, contiguous pages as one segment, and each run that is
 * contiguous on both sides becomes one piece. A side of which the channel does
 * not reach all goes through a bounce buffer: which, is decided before anything
 * is mapped.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/minmax.h>

#include "device.h"
#include "dma.h"
#include "fault.h"
#include "segments.h"
#include "trace.h"

/* Bytes of a side's first ranges from here on, @limit at most. */
static size_t side_bytes(const struct scullpin_dma_side *side, size_t limit)
{
	unsigned int end = min(side->ranges->nr, side->index + SCULLPIN_DMA_WINDOW_RANGES);
	size_t bytes = side->ranges->bv[side->index].bv_len - side->offset;
	unsigned int i;

	for (i = side->index + 1; i < end && bytes < limit; i++)
		bytes += side->ranges->bv[i].bv_len;
	return min(bytes, limit);
}

/* Is a byte of the ranges that the next @bytes touch where the channel does not get? */
static bool side_is_out_of_reach(const struct scullpin_dma_side *side, size_t bytes, u64 reach)
{
	const struct bio_vec *bv = &side->ranges->bv[side->index];
	size_t before;

	for (before = 0; before < bytes + side->offset; before += (bv++)->bv_len)
		if (scullpin_range_address(bv) + bv->bv_len - 1 > reach)
			return true;
	return false;
}

/**
 * scullpin_dma_choose_window - how much of a job comes next, and which way
 * @job: with its channel, and bytes left
 *
 * Context: any.
 * Return: whether the job needs a bounce before it can be mapped.
 */
bool scullpin_dma_choose_window(struct scullpin_dma_job *job)
{
	struct scullpin_dma_side *memory = &job->memory, *medium = &job->medium;
	u64 reach = job->channel->reach;
	size_t bytes;

	bytes = min_t(size_t, memory->ranges->bytes - job->at, SCULLPIN_DMA_WINDOW);
	bytes = side_bytes(medium, side_bytes(memory, bytes));
	if (side_is_out_of_reach(memory, bytes, reach) ||
	    side_is_out_of_reach(medium, bytes, reach))
		bytes = min_t(size_t, bytes, SCULLPIN_DMA_BOUNCE_WINDOW);
	job->window = bytes;
	memory->bounced = side_is_out_of_reach(memory, bytes, reach);
	medium->bounced = side_is_out_of_reach(medium, bytes, reach);
	return memory->bounced || medium->bounced;
}

/* Begin the next window behind the first @bytes of this one. */
static void side_advance(struct scullpin_dma_side *side, size_t bytes)
{
	const struct bio_vec *bv = side->ranges->bv;

	side->offset += bytes;
	while (side->index < side->ranges->nr && side->offset >= bv[side->index].bv_len)
		side->offset -= bv[side->index++].bv_len;
}

/* Copy the first @bytes of a window between its ranges and its buffer. */
static void side_copy(const struct scullpin_dma_side *side, size_t bytes, bool to_buffer)
{
	const struct bio_vec *bv = &side->ranges->bv[side->index];
	size_t at = 0, offset = side->offset, length;

	for (; at < bytes; at += length, offset = 0, bv++) {
		length = min(bytes - at, bv->bv_len - offset);
		if (to_buffer)
			memcpy_from_page(side->buffer + at, bv->bv_page, bv->bv_offset + offset,
					 length);
		else
			memcpy_to_page(bv->bv_page, bv->bv_offset + offset, side->buffer + at,
				       length);
	}
}

/* The window's ranges as segments. Returns how many ranges, each of one page, they were. */
static unsigned int side_fill(struct scullpin_dma_side *side, struct device *dev, size_t bytes)
{
	struct scullpin_segment_limits limits = {
		.length = min_t(size_t, dma_get_max_seg_size(dev), dma_max_mapping_size(dev)),
		.boundary = dma_get_seg_boundary(dev),
	};

	sg_init_table(side->table.sgl, min(side->ranges->nr, SCULLPIN_DMA_WINDOW_RANGES));
	return scullpin_segments_fill(&side->table, &side->ranges->bv[side->index], side->offset,
				      bytes, &limits);
}

static int side_map(struct scullpin_dma_side *side, struct scullpin_dma_job *job)
{
	struct device *dev = job->channel->dev;
	unsigned int pages;

	if (scullpin_fault_hits(SCULLPIN_FAULT_DMA_MAP))
		return -EIO;
	if (side->bounced) {
		if (side->direction == DMA_TO_DEVICE)
			side_copy(side, job->window, true);
		return 0;
	}
	pages = side_fill(side, dev, job->window);
	/* Whoever can fill swiotlb is not to fill the log. */
	if (dma_map_sgtable(dev, &side->table, side->direction, DMA_ATTR_NO_WARN))
		return -EIO;
	side->mapped = true;
	side->pages = pages;
	return 0;
}

static void side_unmap(struct scullpin_dma_side *side, struct scullpin_dma_job *job, size_t moved)
{
	/* What no controller has had may have been changed by others: swiotlb's copy is old. */
	unsigned long attrs = job->nr ? 0 : DMA_ATTR_SKIP_CPU_SYNC;

	if (side->mapped)
		dma_unmap_sgtable(job->channel->dev, &side->table, side->direction, attrs);
	else if (side->bounced && side->direction == DMA_FROM_DEVICE)
		side_copy(side, moved, false);
	side->mapped = false;
	side->bounced = false;
	side_advance(side, moved);
}

/**
 * struct dma_cursor - a place in a side, as the controller sees it
 * @sg: the segment; NULL in a buffer, whose parts are as long as segments may be
 * @bus: address of the segment, or of the part of the buffer
 * @length: of it
 * @at: bytes into it
 */
struct dma_cursor {
	struct scatterlist *sg;
	dma_addr_t bus;
	size_t length;
	size_t at;
};

/*
 * A part of a buffer that the channel takes as a segment, but no less than a
 * page, as of the ranges. Buffers are as aligned as they are long.
 */
static size_t buffer_part(struct device *dev)
{
	unsigned long most = min_t(unsigned long, dma_get_max_seg_size(dev),
				   SCULLPIN_DMA_BOUNCE_WINDOW);

	most = rounddown_pow_of_two(min(most - 1, dma_get_seg_boundary(dev)) + 1);
	return max(most, PAGE_SIZE);
}

static struct dma_cursor cursor_begin(const struct scullpin_dma_side *side, struct device *dev)
{
	struct scatterlist *sg = side->table.sgl;

	if (side->bounced)
		return (struct dma_cursor){ .bus = side->bus, .length = buffer_part(dev) };
	return (struct dma_cursor){
		.sg = sg,
		.bus = sg_dma_address(sg),
		.length = sg_dma_len(sg),
	};
}

static void cursor_advance(struct dma_cursor *cursor, size_t bytes)
{
	cursor->at += bytes;
	if (cursor->at < cursor->length)
		return;
	if (!cursor->sg) {
		cursor->bus += cursor->length;
		cursor->at = 0;
		return;
	}
	cursor->sg = sg_next(cursor->sg);
	if (!cursor->sg)
		return;
	cursor->bus = sg_dma_address(cursor->sg);
	cursor->length = sg_dma_len(cursor->sg);
	cursor->at = 0;
}

/* Walk both sides: each run of addresses on both is a piece. */
static void job_cut(struct scullpin_dma_job *job)
{
	bool write = job->memory.direction == DMA_TO_DEVICE;
	struct dma_cursor memory = cursor_begin(&job->memory, job->channel->dev);
	struct dma_cursor medium = cursor_begin(&job->medium, job->channel->dev);
	struct dma_cursor *src = write ? &memory : &medium;
	struct dma_cursor *dst = write ? &medium : &memory;
	size_t left = job->window, length;

	for (job->nr = 0; left; left -= length) {
		length = min3(left, src->length - src->at, dst->length - dst->at);
		job->pieces[job->nr++] = (struct scullpin_dma_piece){
			.job = job,
			.src = src->bus + src->at,
			.dst = dst->bus + dst->at,
			.length = length,
		};
		cursor_advance(src, length);
		cursor_advance(dst, length);
	}
	job->left = job->window;
	scullpin_stats_add(&job->channel->sdev->stats, dma_descriptors, job->nr);
}

/* Only of a window whose sides are both mapped: who waits for the second tries both again. */
static void side_count(const struct scullpin_dma_side *side, const struct scullpin_dma_job *job)
{
	struct scullpin_stats *stats = &job->channel->sdev->stats;

	if (side->bounced) {
		scullpin_stats_add(stats, dma_bounced_bytes, job->window);
	} else {
		scullpin_stats_add(stats, dma_pages, side->pages);
		scullpin_stats_add(stats, dma_segments, side->table.nents);
	}
}

static unsigned int side_segments(const struct scullpin_dma_side *side)
{
	return side->mapped ? side->table.nents : 0;
}

/**
 * scullpin_dma_map_window - give a job's window to the controller
 * @job: its window chosen, with a bounce if it needs one
 *
 * Context: process context; does not sleep.
 * Return: 0, with the pieces cut, or -EIO when the window cannot be mapped.
 */
int scullpin_dma_map_window(struct scullpin_dma_job *job)
{
	unsigned int late_ms;
	int ret;

	if (job->bounce) {
		job->memory.buffer = job->bounce->buffer;
		job->memory.bus = job->bounce->bus;
		job->medium.buffer = job->bounce->buffer + SCULLPIN_DMA_BOUNCE_WINDOW;
		job->medium.bus = job->bounce->bus + SCULLPIN_DMA_BOUNCE_WINDOW;
	}
	scullpin_dma_room_enter(job);
	late_ms = scullpin_fault_take(SCULLPIN_FAULT_DMA_ROOM);
	if (late_ms) {
		msleep(late_ms);
		return -EIO;
	}
	ret = side_map(&job->memory, job);
	if (ret)
		return ret;
	/* Who cannot have the second has the first until unmap. */
	ret = side_map(&job->medium, job);
	if (ret)
		return ret;
	job_cut(job);
	scullpin_dma_room_hold(job);
	side_count(&job->memory, job);
	side_count(&job->medium, job);
	trace_scullpin_map(job->xfer->sdev, job->xfer->id, job->window,
			   side_segments(&job->memory) + side_segments(&job->medium), job->nr,
			   job->window * (job->memory.bounced + job->medium.bounced));
	return 0;
}

/**
 * scullpin_dma_unmap_window - take a job's window back from the controller
 * @job: the channel does not move it any more, or is lost with it; perhaps nothing
 *	is mapped
 * @moved: bytes from the window's start; the next window begins there
 *
 * Context: process context; does not sleep.
 */
void scullpin_dma_unmap_window(struct scullpin_dma_job *job, size_t moved)
{
	/* A window has pieces when it has been mapped as a whole. */
	bool held = job->nr;

	if (READ_ONCE(job->lost)) {
		scullpin_dma_room_leave(job, held);
		return;
	}
	side_unmap(&job->memory, job, moved);
	side_unmap(&job->medium, job, moved);
	job->at += moved;
	job->nr = 0;
	scullpin_dma_room_leave(job, held);
	scullpin_dma_bounce_put(job);
}
