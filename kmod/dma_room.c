// SPDX-License-Identifier: GPL-2.0-only
/*
 * Room in an IOMMU's address space or in swiotlb, which all mappings share. A
 * window that finds none waits until others have given theirs back, in order:
 * else a large one would never find any beside a stream of small ones. Who
 * finds none although nobody else of this module has a window never will.
 */
#include "device.h"
#include "dma.h"
#include "engine.h"

/* A leaf, within a channel's. */
static DEFINE_SPINLOCK(room_lock);
/* Jobs without room, in order. */
static LIST_HEAD(room_waiting);
/* Was the first of them, and tries again; nobody overtakes it. */
static struct scullpin_dma_job *room_turn;
/* Low half: windows that have room, or try; high half: how many ever did. */
static atomic64_t room_windows = ATOMIC64_INIT(0);
/* Jiffies when one was last given back. */
static unsigned long room_alive;

#define ROOM_ENTERED	BIT_ULL(32)

static void room_retry_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(room_retry, room_retry_work);

/* Let who has waited longest try: one at a time. */
static void room_next(void)
{
	struct scullpin_dma_job *job = list_first_entry_or_null(&room_waiting,
								struct scullpin_dma_job, node);

	lockdep_assert_held(&room_lock);
	if (!job || room_turn)
		return;
	list_del_init(&job->node);
	WRITE_ONCE(room_turn, job);
	queue_work(scullpin_engine_queue, &job->work);
}

static void room_retry_work(struct work_struct *work)
{
	spin_lock(&room_lock);
	room_next();
	spin_unlock(&room_lock);
}

/**
 * scullpin_dma_room_exit - no worker looks for room any more
 *
 * Context: module exit, when no transfer is in flight; sleeps.
 */
void scullpin_dma_room_exit(void)
{
	cancel_delayed_work_sync(&room_retry);
}

/**
 * scullpin_dma_room_enter - a window is about to be mapped
 * @job: its window chosen
 *
 * Context: any.
 */
void scullpin_dma_room_enter(struct scullpin_dma_job *job)
{
	job->entered = atomic64_add_return(ROOM_ENTERED + 1, &room_windows);
}

/* Nobody was there when the job entered, and nobody has come since. */
static bool room_is_alone(const struct scullpin_dma_job *job)
{
	return (u32)job->entered == 1 && atomic64_read(&room_windows) == job->entered;
}

/**
 * scullpin_dma_room_leave - a window is not mapped any more, or lost
 * @job: has entered, or not
 * @mapped: it had room
 *
 * Context: any.
 */
void scullpin_dma_room_leave(struct scullpin_dma_job *job, bool mapped)
{
	if (!job->entered)
		return;
	if (mapped)
		WRITE_ONCE(room_alive, jiffies);
	atomic64_dec(&room_windows);
	job->entered = 0;
}

/**
 * scullpin_dma_room_queue_up - wait behind those who wait for room
 * @job: its window chosen, nothing mapped, and without a bounce
 *
 * Context: process context; does not sleep.
 * Return: whether it waits. Its work runs when it is its turn, unless it is
 * stopped before.
 */
bool scullpin_dma_room_queue_up(struct scullpin_dma_job *job)
{
	struct scullpin_dma_channel *channel = job->channel;
	bool waits;

	if (list_empty(&room_waiting) && !READ_ONCE(room_turn))
		return false;
	spin_lock(&channel->lock);
	spin_lock(&room_lock);
	waits = !job->stopped && !channel->gone && room_turn != job &&
		(room_turn || !list_empty(&room_waiting));
	if (waits) {
		job->ended = false;
		list_add_tail(&job->node, &room_waiting);
	}
	spin_unlock(&room_lock);
	spin_unlock(&channel->lock);
	return waits;
}

/**
 * scullpin_dma_room_wait - wait until a window may be had mapped
 * @job: could not be mapped; what was, and its bounce, is given back
 *
 * That an IOMMU or swiotlb is full for a moment is no error: others have it, and
 * give it back. Who is alone waits only with dirty folios, which must reach the
 * medium. Its work runs when a window has been given back, or a jiffy later,
 * unless it is stopped before.
 *
 * Context: process context; does not sleep.
 * Return: whether it waits; else it is alone, the channel is gone, or somebody
 * ends the job.
 */
bool scullpin_dma_room_wait(struct scullpin_dma_job *job)
{
	bool alone = room_is_alone(job), waits;
	struct scullpin_dma_channel *channel = job->channel;

	scullpin_dma_unmap_window(job, 0);
	spin_lock(&channel->lock);
	spin_lock(&room_lock);
	waits = !job->stopped && !channel->gone && (job->xfer->must || !alone);
	if (waits) {
		job->ended = false;
		/* Who has tried stays the first. */
		if (room_turn == job) {
			WRITE_ONCE(room_turn, NULL);
			list_add(&job->node, &room_waiting);
		} else {
			list_add_tail(&job->node, &room_waiting);
		}
		queue_delayed_work(scullpin_engine_queue, &room_retry, 1);
	}
	spin_unlock(&room_lock);
	spin_unlock(&channel->lock);
	return waits;
}

/**
 * scullpin_dma_room_pass - it is the next one's turn
 * @job: has room, has given it back, or needs none any more
 *
 * Context: process context; does not sleep.
 */
void scullpin_dma_room_pass(struct scullpin_dma_job *job)
{
	if (list_empty(&room_waiting) && READ_ONCE(room_turn) != job)
		return;
	spin_lock(&room_lock);
	if (room_turn == job)
		WRITE_ONCE(room_turn, NULL);
	room_next();
	spin_unlock(&room_lock);
}

/**
 * scullpin_dma_room_withdraw - a job does not wait any more
 * @job: perhaps it does; in no other list
 *
 * Context: process context, under the channel's lock.
 */
void scullpin_dma_room_withdraw(struct scullpin_dma_job *job)
{
	lockdep_assert_held(&job->channel->lock);
	spin_lock(&room_lock);
	list_del_init(&job->node);
	spin_unlock(&room_lock);
}

/**
 * scullpin_dma_room_send_home - nobody waits with a window for this channel any more
 * @channel: whose jobs are cut short
 * @error: why
 *
 * Context: process context, under the channel's lock.
 */
void scullpin_dma_room_send_home(struct scullpin_dma_channel *channel, int error)
{
	struct scullpin_dma_job *job, *next;

	lockdep_assert_held(&channel->lock);
	spin_lock(&room_lock);
	list_for_each_entry_safe(job, next, &room_waiting, node) {
		if (job->channel != channel)
			continue;
		list_del_init(&job->node);
		scullpin_dma_channel_cut_short(job, error);
	}
	spin_unlock(&room_lock);
}

/**
 * scullpin_dma_room_alive - when has anybody last given room back?
 *
 * All who wait have the same: where nothing moves they end together, and not one
 * a deadline.
 *
 * Context: any.
 * Return: jiffies; now, while there are windows that will be given back.
 */
unsigned long scullpin_dma_room_alive(void)
{
	return (u32)atomic64_read(&room_windows) ? jiffies : READ_ONCE(room_alive);
}
