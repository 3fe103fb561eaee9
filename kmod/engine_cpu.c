// SPDX-License-Identifier: GPL-2.0-only
/* The engine that copies: at once in the caller, or later in a worker. */
#include <linux/delay.h>
#include <linux/highmem.h>
#include <linux/sched.h>

#include "device.h"
#include "engine.h"
#include "fault.h"
#include "store.h"

static void copy_piece(struct bio_vec *medium, unsigned int at, struct bio_vec *memory,
		       unsigned int from, unsigned int length, bool write)
{
	void *ours = kmap_local_page(medium->bv_page);
	void *theirs = kmap_local_page(memory->bv_page);

	if (write)
		memcpy(ours + medium->bv_offset + at, theirs + memory->bv_offset + from, length);
	else
		memcpy(theirs + memory->bv_offset + from, ours + medium->bv_offset + at, length);
	/* Where caches alias, user space sees what was written here only after this. */
	if (!write)
		flush_dcache_page(memory->bv_page);
	kunmap_local(theirs);
	kunmap_local(ours);
}

/*
 * Copies page by page of the medium, each under its lock, so that a page is
 * moved whole even when several ranges of memory meet in it.
 */
static size_t cpu_move(struct scullpin_transfer *xfer)
{
	struct scullpin_ranges *memory = &xfer->memory, *medium = &xfer->medium;
	unsigned int i, at, from = 0, length = 1;
	struct bio_vec *bv = memory->bv;
	size_t moved = 0;

	for (i = 0; i < medium->nr && moved < memory->bytes; i++) {
		scullpin_store_lock_page(medium->bv[i].bv_page);
		for (at = 0; at < medium->bv[i].bv_len && moved < memory->bytes; at += length) {
			length = min(medium->bv[i].bv_len - at, bv->bv_len - from);
			length = scullpin_fault_pass(SCULLPIN_FAULT_ENGINE_BYTES, length);
			if (!length)
				break;
			copy_piece(&medium->bv[i], at, bv, from, length, xfer->write);
			moved += length;
			from += length;
			if (from == bv->bv_len) {
				from = 0;
				bv++;
			}
		}
		scullpin_store_unlock_page(medium->bv[i].bv_page);
		if (!length)
			break;
		if (scullpin_fault_armed(SCULLPIN_FAULT_ENGINE_SLOW))
			msleep(scullpin_fault_armed(SCULLPIN_FAULT_ENGINE_SLOW));
		/* For the watch: a long transfer is not a silent engine. */
		WRITE_ONCE(xfer->alive, jiffies);
		cond_resched();
	}
	return moved;
}

static void cpu_work(struct work_struct *work)
{
	struct scullpin_transfer *xfer = container_of(work, struct scullpin_transfer, cpu.work);
	unsigned int late_ms;
	size_t moved;

	WRITE_ONCE(xfer->alive, jiffies);
	late_ms = scullpin_fault_take(SCULLPIN_FAULT_ENGINE_LATE);
	if (late_ms)
		msleep(late_ms);
	moved = cpu_move(xfer);
	xfer->done(xfer, moved, moved < xfer->memory.bytes ? -EIO : 0);
}

static void cpu_submit(struct scullpin_transfer *xfer)
{
	INIT_WORK(&xfer->cpu.work, cpu_work);
	if (scullpin_fault_hits(SCULLPIN_FAULT_ENGINE_SUBMIT))
		xfer->done(xfer, 0, -EIO);
	else if (!scullpin_fault_hits(SCULLPIN_FAULT_ENGINE_LOST))
		queue_work(scullpin_engine_queue, &xfer->cpu.work);
}

static bool cpu_terminate(struct scullpin_transfer *xfer)
{
	return !cancel_work_sync(&xfer->cpu.work);
}

const struct scullpin_engine_ops scullpin_engine_cpu = {
	.name = "cpu",
	.move = cpu_move,
	.submit = cpu_submit,
	.terminate = cpu_terminate,
};
