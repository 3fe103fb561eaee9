/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EDU_H
#define EDU_H

#include <linux/dmaengine.h>
#include <linux/interrupt.h>
#include <linux/moduleparam.h>
#include <linux/workqueue.h>

/**
 * struct edu_descriptor - one copy
 * @tx: what the client sees
 * @node: in one of the lists of struct edu
 * @src: bus address
 * @dst: bus address
 * @length: bytes
 * @done: bytes moved
 * @result: how it ended
 */
struct edu_descriptor {
	struct dma_async_tx_descriptor tx;
	struct list_head node;
	dma_addr_t src;
	dma_addr_t dst;
	size_t length;
	size_t done;
	enum dmaengine_tx_result result;
};

/**
 * struct edu - a device, with its one channel
 * @dma: as dmaengine sees it; its last reference frees this
 * @chan: the channel
 * @regs: BAR 0
 * @lock: protects everything below; taken in interrupts
 * @prepared: descriptors that the client has not submitted
 * @submitted: waiting for issue_pending
 * @issued: waiting for the device, which has the first
 * @ended: waiting for their callbacks
 * @descriptors: in these lists
 * @called: jiffies of the last callback
 * @chunk: bytes of the command that runs
 * @outward: that command moves from the device to memory
 * @running: the device has a command
 * @orphan: it belongs to a descriptor that was terminated
 * @paused: start nothing
 * @gone: the device has left, or reaches no memory any more; only its interrupt, until
 *	it is freed, touches @regs
 * @callbacks: runs them
 * @late: deals with an interrupt that came late
 * @moves: commands that have ended
 * @interrupts: taken
 * @told: callbacks called
 * @buried: in edu_graveyard, after the last reference
 */
struct edu {
	struct dma_device dma;
	struct dma_chan chan;
	void __iomem *regs;
	spinlock_t lock;
	struct list_head prepared;
	struct list_head submitted;
	struct list_head issued;
	struct list_head ended;
	unsigned int descriptors;
	unsigned long called;
	size_t chunk;
	bool outward;
	bool running;
	bool orphan;
	bool paused;
	bool gone;
	struct tasklet_struct callbacks;
	struct delayed_work late;
	u64 moves;
	u64 interrupts;
	u64 told;
	struct list_head buried;
};

static inline struct edu *edu_of(struct dma_chan *chan)
{
	return container_of(chan, struct edu, chan);
}

/* edu_channel.c */
void edu_channel_init(struct edu *edu, struct device *dev);
void edu_channel_stop(struct edu *edu);

/* edu_command.c */
extern const struct kernel_param_ops edu_number_ops;

void edu_command_init(struct edu *edu);
void edu_start(struct edu *edu);
void edu_command_synchronize(struct edu *edu);
irqreturn_t edu_interrupt(int irq, void *data);

#endif /* EDU_H */
