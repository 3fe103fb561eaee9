/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_DMA_H
#define SCULLPIN_DMA_H

#include <linux/device.h>
#include <linux/dmaengine.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "ranges.h"

struct iommu_domain;
struct scullpin_device;
struct scullpin_dma_channel;
struct scullpin_dma_job;
struct scullpin_dma_room;
struct scullpin_transfer;

/* What a job has mapped at once: bounds its memory, and the addresses it takes of an IOMMU. */
#define SCULLPIN_DMA_WINDOW		SZ_4M
/* Ranges of each side of a window, at most. */
#define SCULLPIN_DMA_WINDOW_RANGES	1024U
/* A window of which a channel does not reach all. */
#define SCULLPIN_DMA_BOUNCE_WINDOW	SZ_64K
/* Such windows at once, each with a buffer for either side. */
#define SCULLPIN_DMA_BOUNCE_BUFFERS	4
#define SCULLPIN_DMA_CHANNELS		16

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
 * struct scullpin_dma_side - one of the two page lists of a job
 * @ranges: all of it
 * @direction: to or from the controller
 * @index: of the range at which the window begins
 * @offset: bytes into that range
 * @table: the window's segments, mapped when @mapped
 * @pages: of the window, when @mapped
 * @mapped: the controller may reach them
 * @bounced: the window goes through @buffer instead, because the channel does
 *	not reach all of it
 * @buffer: which the channel reaches; of the bounce that the job has
 * @bus: its address
 */
struct scullpin_dma_side {
	const struct scullpin_ranges *ranges;
	enum dma_data_direction direction;
	unsigned int index;
	size_t offset;
	struct sg_table table;
	unsigned int pages;
	bool mapped;
	bool bounced;
	void *buffer;
	dma_addr_t bus;
};

/**
 * struct scullpin_dma_bounce - memory that a channel reaches, for one window
 * @node: in struct scullpin_dma_channel.bounces while nobody has it
 * @buffer: a bounce window for the caller's memory, then one for the medium
 * @bus: its address
 */
struct scullpin_dma_bounce {
	struct list_head node;
	void *buffer;
	dma_addr_t bus;
};

/**
 * struct scullpin_dma_job - a transfer, as a channel sees it: window by window
 * @xfer: the transfer
 * @channel: which moves it; NULL before
 * @node: in struct scullpin_dma_channel.jobs or .waiting, or in the queue for room
 * @work: ends a window, or begins one that has waited, in process context
 * @memory: the caller's side
 * @medium: the device's side
 * @bounce: held for the window, or NULL
 * @entered: the room's count of windows when this one was about to be mapped; 0 when
 *	it is not
 * @at: bytes moved by the windows before
 * @window: bytes of this one
 * @ended: the window has; set by who queues @work: the last callback, or under the
 *	channel's lock
 * @stopped: who stops the job ends it, too; under the channel's lock
 * @lost: the channel has it, and could not be stopped: nothing of it is unmapped or
 *	freed, ever
 * @error: why it is cut short
 * @given: pieces that the channel has, or that need not be given; 0 off the queue
 * @left: the fewest bytes of the window that the channel was seen to have left
 * @nr: pieces of the window
 * @pieces: in the order of the bytes
 */
struct scullpin_dma_job {
	struct scullpin_transfer *xfer;
	struct scullpin_dma_channel *channel;
	struct list_head node;
	struct work_struct work;
	struct scullpin_dma_side memory;
	struct scullpin_dma_side medium;
	struct scullpin_dma_bounce *bounce;
	s64 entered;
	size_t at;
	size_t window;
	bool ended;
	bool stopped;
	bool lost;
	int error;
	unsigned int given;
	size_t left;
	unsigned int nr;
	struct scullpin_dma_piece *pieces;
};

/**
 * struct scullpin_dma_channel - one of a device's channels
 * @sdev: the device
 * @chan: dmaengine's; NULL when its provider has left
 * @provider: whose driver moves the bytes; held
 * @dev: whose addresses it uses
 * @reach: the highest address that needs no bounce
 * @room: where its mappings find room
 * @bus: of the provider
 * @unbind: hears there of the provider's leaving
 * @stop: who stops the channel; outside @lock
 * @lock: protects what follows, and submission to @chan
 * @jobs: submitted, in order
 * @waiting: for a bounce, in order
 * @bounces: that nobody has
 * @stopping: submit nothing; who stops does it afterwards
 * @stops: that have begun
 * @gone: the provider leaves, or the channel is lost
 * @lost: it could not be stopped: it is never given back
 * @full: it took no more descriptors; @refill tries again
 * @last: cookie of the last one that it took since it was stopped
 * @refill: also when a descriptor has ended
 * @alive: jiffies of the last sign of life
 * @silences: deadlines in a row that have passed without a callback
 * @busy: jiffies when it last had something to do, as far as was seen
 * @users: transfers that are mapped or about to be
 * @idle: wakes when @users is 0
 * @bounce: all of them
 */
struct scullpin_dma_channel {
	struct scullpin_device *sdev;
	struct dma_chan *chan;
	struct device *provider;
	struct device *dev;
	u64 reach;
	struct scullpin_dma_room *room;
	/* const on some kernels only */
	typeof(((struct device *)NULL)->bus) bus;
	struct notifier_block unbind;
	struct mutex stop;
	spinlock_t lock;
	struct list_head jobs;
	struct list_head waiting;
	struct list_head bounces;
	bool stopping;
	unsigned int stops;
	bool gone;
	bool lost;
	bool full;
	dma_cookie_t last;
	struct delayed_work refill;
	unsigned long alive;
	unsigned int silences;
	unsigned long busy;
	atomic_t users;
	wait_queue_head_t idle;
	struct scullpin_dma_bounce bounce[SCULLPIN_DMA_BOUNCE_BUFFERS];
};

/* dma_provider.c */
struct scullpin_dma_channel *scullpin_dma_channel_get(struct scullpin_device *sdev,
						      const char *name);
void scullpin_dma_channel_put(struct scullpin_dma_channel *channel);
bool scullpin_dma_channel_use(struct scullpin_dma_channel *channel);
void scullpin_dma_channel_unuse(struct scullpin_dma_channel *channel);

/* Does the channel know how far it has come within a descriptor? */
static inline bool scullpin_dma_tells_residue(const struct scullpin_dma_channel *channel)
{
	return channel->chan->device->residue_granularity > DMA_RESIDUE_GRANULARITY_DESCRIPTOR;
}

/* dma_channel.c */
void scullpin_dma_channel_init(struct scullpin_dma_channel *channel);
void scullpin_dma_channel_submit(struct scullpin_dma_job *job);
void scullpin_dma_channel_cut_short(struct scullpin_dma_job *job, int error);
void scullpin_dma_channel_issue_all(struct scullpin_dma_channel *channel);

/* dma_stop.c */
void scullpin_dma_channel_leave(struct scullpin_dma_channel *channel);
void scullpin_dma_channel_withdraw(struct scullpin_dma_job *job);
size_t scullpin_dma_channel_moved(const struct scullpin_dma_job *job);
size_t scullpin_dma_channel_take(struct scullpin_dma_job *job);
unsigned long scullpin_dma_channel_alive(struct scullpin_dma_job *job);

/* dma_bounce.c */
int scullpin_dma_bounce_init(struct scullpin_dma_channel *channel);
void scullpin_dma_bounce_exit(struct scullpin_dma_channel *channel);
bool scullpin_dma_bounce_get(struct scullpin_dma_job *job);
void scullpin_dma_bounce_put(struct scullpin_dma_job *job);

/* dma_room.c */
struct scullpin_dma_room *scullpin_dma_room_get(struct iommu_domain *domain);
void scullpin_dma_room_put(struct scullpin_dma_room *room);
void scullpin_dma_room_enter(struct scullpin_dma_job *job);
void scullpin_dma_room_hold(struct scullpin_dma_job *job);
void scullpin_dma_room_leave(struct scullpin_dma_job *job, bool held);
bool scullpin_dma_room_queue_up(struct scullpin_dma_job *job);
bool scullpin_dma_room_wait(struct scullpin_dma_job *job);
void scullpin_dma_room_pass(struct scullpin_dma_job *job);
void scullpin_dma_room_withdraw(struct scullpin_dma_job *job);
void scullpin_dma_room_send_home(struct scullpin_dma_channel *channel, int error);
unsigned long scullpin_dma_room_alive(const struct scullpin_dma_room *room);

/* dma_map.c */
bool scullpin_dma_choose_window(struct scullpin_dma_job *job);
int scullpin_dma_map_window(struct scullpin_dma_job *job);
void scullpin_dma_unmap_window(struct scullpin_dma_job *job, size_t moved);

#endif /* SCULLPIN_DMA_H */
