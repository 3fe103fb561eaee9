// SPDX-License-Identifier: GPL-2.0-only
/*
 * Room for mappings: in the address space of an IOMMU's domain, or in swiotlb,
 * which all channels without one share. A window that finds none waits until
 * others have given theirs back, in order: else a large one would never find
 * any beside a stream of small ones. Who finds none although nobody else of this
 * module has a window gives up.
 */
#include <linux/iommu.h>
#include <linux/slab.h>

#include "device.h"
#include "dma.h"
#include "engine.h"

/* Until what has been given back is free: an IOMMU's addresses are flushed in batches. */
#define ROOM_SETTLES	(HZ / 50 + 1)

/* One window more, in struct scullpin_dma_room.windows. */
#define ROOM_ENTERED	BIT_ULL(32)

/**
 * struct scullpin_dma_room - what some channels' mappings share
 * @node: in room_list
 * @domain: of the IOMMU, NULL for swiotlb
 * @users: channels; under room_list_lock
 * @lock: protects @waiting and @turn; a leaf, within a channel's
 * @waiting: jobs without room, in order
 * @turn: was the first of them, and tries again; nobody overtakes it
 * @retry: lets it, when nobody gives anything back
 * @windows: low half: that have room, or try; high half: how many ever did
 * @held: that have room
 * @alive: jiffies when one was last given back
 */
struct scullpin_dma_room {
	struct list_head node;
	struct iommu_domain *domain;
	unsigned int users;
	spinlock_t lock;
	struct list_head waiting;
	struct scullpin_dma_job *turn;
	struct delayed_work retry;
	atomic64_t windows;
	atomic_t held;
	unsigned long alive;
};

static LIST_HEAD(room_list);
static DEFINE_MUTEX(room_list_lock);

/* Let who has waited longest try: one at a time. */
static void room_next(struct scullpin_dma_room *room)
{
	struct scullpin_dma_job *job = list_first_entry_or_null(&room->waiting,
								struct scullpin_dma_job, node);

	lockdep_assert_held(&room->lock);
	if (!job || room->turn)
		return;
	list_del_init(&job->node);
	WRITE_ONCE(room->turn, job);
	queue_work(scullpin_engine_queue, &job->work);
}

static void room_retry_work(struct work_struct *work)
{
	struct scullpin_dma_room *room = container_of(to_delayed_work(work),
						      struct scullpin_dma_room, retry);

	spin_lock(&room->lock);
	room_next(room);
	spin_unlock(&room->lock);
}

static struct scullpin_dma_room *room_find(const struct iommu_domain *domain)
{
	struct scullpin_dma_room *room;

	list_for_each_entry(room, &room_list, node)
		if (room->domain == domain)
			return room;
	return NULL;
}

static struct scullpin_dma_room *room_make(struct iommu_domain *domain)
{
	struct scullpin_dma_room *room = kzalloc(sizeof(*room), GFP_KERNEL);

	if (!room)
		return NULL;
	room->domain = domain;
	spin_lock_init(&room->lock);
	INIT_LIST_HEAD(&room->waiting);
	INIT_DELAYED_WORK(&room->retry, room_retry_work);
	room->alive = jiffies;
	list_add(&room->node, &room_list);
	return room;
}

/**
 * scullpin_dma_room_get - where a channel's mappings find room
 * @domain: of the IOMMU that maps for it, NULL when none does
 *
 * Context: process context; sleeps.
 * Return: shared with others, or NULL without memory.
 */
struct scullpin_dma_room *scullpin_dma_room_get(struct iommu_domain *domain)
{
	struct scullpin_dma_room *room;

	mutex_lock(&room_list_lock);
	room = room_find(domain) ?: room_make(domain);
	if (room)
		room->users++;
	mutex_unlock(&room_list_lock);
	return room;
}

/**
 * scullpin_dma_room_put - undo get
 * @room: no transfer of the channel is in flight; or NULL
 *
 * Context: process context; sleeps.
 */
void scullpin_dma_room_put(struct scullpin_dma_room *room)
{
	if (!room)
		return;
	mutex_lock(&room_list_lock);
	if (!--room->users) {
		list_del(&room->node);
		cancel_delayed_work_sync(&room->retry);
		kfree(room);
	}
	mutex_unlock(&room_list_lock);
}

/**
 * scullpin_dma_room_enter - a window is about to be mapped
 * @job: its window chosen
 *
 * Context: any.
 */
void scullpin_dma_room_enter(struct scullpin_dma_job *job)
{
	job->entered = atomic64_add_return(ROOM_ENTERED + 1, &job->channel->room->windows);
}

/**
 * scullpin_dma_room_hold - a window has been mapped as a whole
 * @job: has entered
 *
 * Context: any.
 */
void scullpin_dma_room_hold(struct scullpin_dma_job *job)
{
	atomic_inc(&job->channel->room->held);
}

/* Is all free that was given back? */
static bool room_has_settled(const struct scullpin_dma_room *room)
{
	return !room->domain || time_after(jiffies, READ_ONCE(room->alive) + ROOM_SETTLES);
}

/* Nobody was there when the job entered, or has come since. */
static bool room_is_alone(const struct scullpin_dma_job *job)
{
	struct scullpin_dma_room *room = job->channel->room;

	return (u32)job->entered == 1 && atomic64_read(&room->windows) == job->entered &&
		room_has_settled(room);
}

/**
 * scullpin_dma_room_leave - a window is not mapped any more, or lost
 * @job: has entered, or not
 * @held: it had room
 *
 * Context: any.
 */
void scullpin_dma_room_leave(struct scullpin_dma_job *job, bool held)
{
	struct scullpin_dma_room *room = job->channel->room;

	if (!job->entered)
		return;
	if (held)
		WRITE_ONCE(room->alive, jiffies);
	/* Who finds it gone finds its room free, and knows since when. */
	smp_mb__before_atomic();
	if (held)
		atomic_dec(&room->held);
	atomic64_dec(&room->windows);
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
	struct scullpin_dma_room *room = channel->room;
	bool waits;

	if (list_empty(&room->waiting) && !READ_ONCE(room->turn))
		return false;
	spin_lock(&channel->lock);
	spin_lock(&room->lock);
	waits = !job->stopped && !channel->gone && room->turn != job &&
		(room->turn || !list_empty(&room->waiting));
	if (waits) {
		job->ended = false;
		list_add_tail(&job->node, &room->waiting);
	}
	spin_unlock(&room->lock);
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
	struct scullpin_dma_channel *channel = job->channel;
	struct scullpin_dma_room *room = channel->room;
	bool alone = room_is_alone(job), waits;

	scullpin_dma_unmap_window(job, 0);
	spin_lock(&channel->lock);
	spin_lock(&room->lock);
	waits = !job->stopped && !channel->gone && (job->xfer->must || !alone);
	if (waits) {
		job->ended = false;
		/* Who has tried stays the first. */
		if (room->turn == job) {
			WRITE_ONCE(room->turn, NULL);
			list_add(&job->node, &room->waiting);
		} else {
			list_add_tail(&job->node, &room->waiting);
		}
		queue_delayed_work(scullpin_engine_queue, &room->retry, 1);
	}
	spin_unlock(&room->lock);
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
	struct scullpin_dma_room *room = job->channel->room;

	if (list_empty(&room->waiting) && READ_ONCE(room->turn) != job)
		return;
	spin_lock(&room->lock);
	if (room->turn == job)
		WRITE_ONCE(room->turn, NULL);
	room_next(room);
	spin_unlock(&room->lock);
}

/**
 * scullpin_dma_room_withdraw - a job does not wait any more
 * @job: in the queue for room, in one of the channel's, or in none; in none afterwards
 *
 * Context: process context, under the channel's lock.
 */
void scullpin_dma_room_withdraw(struct scullpin_dma_job *job)
{
	struct scullpin_dma_room *room = job->channel->room;

	lockdep_assert_held(&job->channel->lock);
	spin_lock(&room->lock);
	list_del_init(&job->node);
	spin_unlock(&room->lock);
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
	struct scullpin_dma_room *room = channel->room;
	struct scullpin_dma_job *job, *next;

	lockdep_assert_held(&channel->lock);
	spin_lock(&room->lock);
	list_for_each_entry_safe(job, next, &room->waiting, node) {
		if (job->channel != channel)
			continue;
		list_del_init(&job->node);
		scullpin_dma_channel_cut_short(job, error);
	}
	spin_unlock(&room->lock);
}

/**
 * scullpin_dma_room_alive - when has anybody last given room back?
 * @room: that is waited for
 *
 * The same for all who wait: where nothing moves they end together, and not one a
 * deadline.
 *
 * Context: any.
 * Return: jiffies; now, while there are windows that will be given back.
 */
unsigned long scullpin_dma_room_alive(const struct scullpin_dma_room *room)
{
	bool held = atomic_read(&room->held);

	smp_rmb();	/* pairs with scullpin_dma_room_leave() */
	return held ? jiffies : READ_ONCE(room->alive);
}
