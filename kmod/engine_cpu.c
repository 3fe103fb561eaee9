// SPDX-License-Identifier: GPL-2.0-only
/* The engine that copies: at once in the caller, or later in a worker. */
#include <linux/blkdev.h>
#include <linux/delay.h>
#include <linux/highmem.h>
#include <linux/kcsan-checks.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/wait_bit.h>

#include "device.h"
#include "engine.h"
#include "fault.h"
#include "store.h"

/* Pages between two signs of life, and two looks for others who want the CPU. */
#define CPU_STRIDE 16

/* Most pieces are pages, which the compiler copies better when it knows. */
static __always_inline void copy_bytes(void *to, const void *from, unsigned int length)
{
	if (length == PAGE_SIZE)
		memcpy(to, from, PAGE_SIZE);
	else
		memcpy(to, from, length);
}

static void copy_piece(const struct bio_vec *medium, unsigned int at, const struct bio_vec *memory,
		       unsigned int from, unsigned int length, bool write)
{
	void *ours = kmap_local_page(medium->bv_page);
	void *theirs = kmap_local_page(memory->bv_page);

	/* memcpy() is not instrumented: say that a page of the medium has one user at a time. */
	if (write) {
		kcsan_check_write(ours + medium->bv_offset + at, length);
		copy_bytes(ours + medium->bv_offset + at, theirs + memory->bv_offset + from,
			   length);
	} else {
		kcsan_check_read(ours + medium->bv_offset + at, length);
		copy_bytes(theirs + memory->bv_offset + from, ours + medium->bv_offset + at,
			   length);
	}
	/* Where caches alias, user space sees what was written here only after this. */
	if (!write)
		flush_dcache_page(memory->bv_page);
	kunmap_local(theirs);
	kunmap_local(ours);
}

/* Keep others from a page of the medium. Return: the page to unlock; a hole needs no lock. */
static struct page *lock_medium(const struct bio_vec *medium)
{
	if (scullpin_store_is_hole(medium->bv_page))
		return NULL;
	scullpin_store_lock_page(medium->bv_page);
	return medium->bv_page;
}

static void unlock_medium(struct page *locked)
{
	if (locked)
		scullpin_store_unlock_page(locked);
}

/* A page has been moved, the @pages-th: for the watch, a long transfer is not a silent engine. */
static void cpu_breathe(struct scullpin_transfer *xfer, unsigned int pages)
{
	if (scullpin_fault_armed(SCULLPIN_FAULT_ENGINE_SLOW))
		msleep(scullpin_fault_armed(SCULLPIN_FAULT_ENGINE_SLOW));
	else if (pages % CPU_STRIDE)
		return;
	WRITE_ONCE(xfer->alive, jiffies);
	cond_resched();
}

/*
 * Copies piece by piece, as the ranges of both sides have it. A page of the medium
 * is locked from its first piece to its last, so that it is moved whole even when
 * several ranges of memory meet in it. Of the medium there may be less.
 */
static size_t cpu_move(struct scullpin_transfer *xfer)
{
	const struct bio_vec *medium = xfer->medium.bv, *memory = xfer->memory.bv;
	unsigned int at = 0, from = 0, length;
	size_t left = xfer->medium.bytes;
	struct page *locked = NULL;

	for (; left; left -= length) {
		length = min(medium->bv_len - at, memory->bv_len - from);
		length = scullpin_fault_pass(SCULLPIN_FAULT_ENGINE_BYTES, length);
		if (!length)
			break;
		if (!at)
			locked = lock_medium(medium);
		copy_piece(medium, at, memory, from, length, xfer->write);
		from += length;
		if (from == memory->bv_len) {
			from = 0;
			memory++;
		}
		at += length;
		if (at == medium->bv_len) {
			at = 0;
			unlock_medium(locked);
			medium++;
			cpu_breathe(xfer, medium - xfer->medium.bv);
		}
	}
	if (at)
		unlock_medium(locked);
	return xfer->medium.bytes - left;
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

/**
 * struct cpu_plug - what a caller that submits several requests has submitted
 * @cb: called when it is through, or before it sleeps
 * @transfers: by cpu.plugged, under cpu_plug_lock
 *
 * A worker that is woken for the first of them takes the CPU from who is about
 * to submit the next: two switches a request. So all are handed over at once.
 */
struct cpu_plug {
	struct blk_plug_cb cb;
	struct list_head transfers;
};

/* Whether a transfer is still on somebody's plug. */
static DEFINE_SPINLOCK(cpu_plug_lock);

/* Plugs that will call cpu_unplug(). */
static atomic_t cpu_plugs = ATOMIC_INIT(0);

static void cpu_unplug(struct blk_plug_cb *cb, bool from_schedule)
{
	struct cpu_plug *plug = container_of(cb, struct cpu_plug, cb);
	struct scullpin_transfer *xfer, *next;

	spin_lock(&cpu_plug_lock);
	list_for_each_entry_safe(xfer, next, &plug->transfers, cpu.plugged) {
		list_del_init(&xfer->cpu.plugged);
		queue_work(scullpin_engine_queue, &xfer->cpu.work);
	}
	spin_unlock(&cpu_plug_lock);
	kfree(plug);
	if (atomic_dec_and_test(&cpu_plugs))
		wake_up_var(&cpu_plugs);
}

/**
 * scullpin_engine_cpu_exit - wait until nobody's plug comes back here
 *
 * A request may be taken back, its file closed and rmmod begin while the
 * submitter has still not come to its unplugging. Then for the last instructions
 * of who was counted down.
 *
 * Context: module exit; sleeps.
 */
void scullpin_engine_cpu_exit(void)
{
	wait_var_event(&cpu_plugs, !atomic_read(&cpu_plugs));
	synchronize_rcu_tasks();
}

/* Leave a transfer on the caller's plug. Return: false when it has none. */
static bool cpu_plug(struct scullpin_transfer *xfer)
{
	struct blk_plug_cb *cb = blk_check_plugged(cpu_unplug, NULL, sizeof(struct cpu_plug));
	struct cpu_plug *plug;

	if (!cb)
		return false;
	plug = container_of(cb, struct cpu_plug, cb);
	/* Fresh, so zeroed; else another CPU may be taking one off. */
	if (!READ_ONCE(plug->transfers.next)) {
		INIT_LIST_HEAD(&plug->transfers);
		atomic_inc(&cpu_plugs);
	}
	spin_lock(&cpu_plug_lock);
	list_add_tail(&xfer->cpu.plugged, &plug->transfers);
	spin_unlock(&cpu_plug_lock);
	return true;
}

static void cpu_submit(struct scullpin_transfer *xfer)
{
	INIT_WORK(&xfer->cpu.work, cpu_work);
	INIT_LIST_HEAD(&xfer->cpu.plugged);
	if (scullpin_fault_hits(SCULLPIN_FAULT_ENGINE_SUBMIT))
		xfer->done(xfer, 0, -EIO);
	else if (!scullpin_fault_hits(SCULLPIN_FAULT_ENGINE_LOST) && !cpu_plug(xfer))
		queue_work(scullpin_engine_queue, &xfer->cpu.work);
}

static bool cpu_terminate(struct scullpin_transfer *xfer)
{
	bool plugged;

	spin_lock(&cpu_plug_lock);
	plugged = !list_empty(&xfer->cpu.plugged);
	if (plugged)
		list_del_init(&xfer->cpu.plugged);
	spin_unlock(&cpu_plug_lock);
	return !plugged && !cancel_work_sync(&xfer->cpu.work);
}

const struct scullpin_engine_ops scullpin_engine_cpu = {
	.name = "cpu",
	.move = cpu_move,
	.submit = cpu_submit,
	.terminate = cpu_terminate,
};
