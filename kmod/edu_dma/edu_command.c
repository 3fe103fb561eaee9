// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's side: commands, the interrupt that ends each, and the callbacks
 * of descriptors that have ended.
 */
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/iopoll.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "edu.h"

#define EDU_IRQ_STATUS		0x24
#define EDU_IRQ_ACK		0x64
#define EDU_DMA_SRC		0x80
#define EDU_DMA_DST		0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_COMMAND		0x98

#define EDU_IRQ_DMA		0x100
#define EDU_COMMAND_RUN		BIT(0)
#define EDU_COMMAND_TO_MEMORY	BIT(1)
#define EDU_COMMAND_IRQ		BIT(2)

/* The device's buffer, as it sees it itself: 4 KiB, of which QEMU 7.2 aborts at the last byte. */
#define EDU_BUFFER		0x40000
#define EDU_CHUNK		2048

/* What goes wrong on purpose, for tests: each counts down and acts at 1. */
static atomic_t edu_fail = ATOMIC_INIT(0);
static atomic_t edu_lose = ATOMIC_INIT(0);
module_param_cb(fail, &edu_number_ops, &edu_fail, 0644);
MODULE_PARM_DESC(fail, "the nth descriptor from now on ends with an error");
module_param_cb(lose, &edu_number_ops, &edu_lose, 0644);
MODULE_PARM_DESC(lose, "the nth interrupt from now on is lost");
static atomic_t edu_stick = ATOMIC_INIT(0);
module_param_cb(stick, &edu_number_ops, &edu_stick, 0644);
MODULE_PARM_DESC(stick, "the nth command from now on that is waited for, because it was terminated, does not end");
static atomic_t edu_thrifty = ATOMIC_INIT(0);
module_param_cb(thrifty, &edu_number_ops, &edu_thrifty, 0644);
MODULE_PARM_DESC(thrifty, "1: call back only for descriptors with DMA_PREP_INTERRUPT (default 0, for each)");
static atomic_t edu_late_ms = ATOMIC_INIT(0);
module_param_cb(late_ms, &edu_number_ops, &edu_late_ms, 0644);
MODULE_PARM_DESC(late_ms, "every interrupt comes so many milliseconds late");

static int edu_number_set(const char *text, const struct kernel_param *param)
{
	int number, ret = kstrtoint(text, 0, &number);

	if (!ret)
		atomic_set(param->arg, number);
	return ret;
}

static int edu_number_get(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%d\n", atomic_read(param->arg));
}

/* An atomic_t: also interrupts look, while it is written. */
const struct kernel_param_ops edu_number_ops = {
	.set = edu_number_set,
	.get = edu_number_get,
};

/* Is this the nth time? */
static bool edu_hits(atomic_t *countdown)
{
	return atomic_dec_if_positive(countdown) == 0;
}

static void edu_command(struct edu *edu, u64 src, u64 dst, u64 command)
{
	edu->running = true;
	writeq(src, edu->regs + EDU_DMA_SRC);
	writeq(dst, edu->regs + EDU_DMA_DST);
	writeq(edu->chunk, edu->regs + EDU_DMA_COUNT);
	writeq(command | EDU_COMMAND_RUN | EDU_COMMAND_IRQ, edu->regs + EDU_DMA_COMMAND);
}

/**
 * edu_start - the next command of the first issued descriptor, if the device is free
 * @edu: its lock is held
 *
 * Context: any.
 */
void edu_start(struct edu *edu)
{
	struct edu_descriptor *desc;

	lockdep_assert_held(&edu->lock);
	desc = list_first_entry_or_null(&edu->issued, struct edu_descriptor, node);
	if (!desc || edu->running || edu->paused || edu->gone)
		return;
	if (edu->outward) {
		edu_command(edu, EDU_BUFFER, desc->dst + desc->done, EDU_COMMAND_TO_MEMORY);
		return;
	}
	edu->chunk = min_t(size_t, EDU_CHUNK, desc->length - desc->done);
	edu_command(edu, desc->src + desc->done, EDU_BUFFER, 0);
}

/* A descriptor has ended, well or not: its callback is due. */
static void edu_end(struct edu *edu, struct edu_descriptor *desc, enum dmaengine_tx_result result)
{
	desc->result = result;
	edu->chan.completed_cookie = desc->tx.cookie;
	list_move_tail(&desc->node, &edu->ended);
	tasklet_schedule(&edu->callbacks);
}

/* The device has ended a command. */
static void edu_advance(struct edu *edu)
{
	struct edu_descriptor *desc;

	lockdep_assert_held(&edu->lock);
	edu->running = false;
	WRITE_ONCE(edu->moves, edu->moves + 1);
	if (edu->orphan) {
		edu->orphan = false;
		edu->outward = false;
	} else {
		desc = list_first_entry(&edu->issued, struct edu_descriptor, node);
		if (edu->outward)
			desc->done += edu->chunk;
		edu->outward = !edu->outward;
		if (desc->done == desc->length) {
			edu_end(edu, desc, DMA_TRANS_NOERROR);
		} else if (edu->outward && edu_hits(&edu_fail)) {
			edu->outward = false;
			edu_end(edu, desc, DMA_TRANS_READ_FAILED);
		}
	}
	edu_start(edu);
}

static void edu_late_work(struct work_struct *work)
{
	struct edu *edu = container_of(to_delayed_work(work), struct edu, late);

	spin_lock_irq(&edu->lock);
	if (edu->running)
		edu_advance(edu);
	spin_unlock_irq(&edu->lock);
}

/* What the device interrupts for, which it does not any more. */
static u32 edu_acknowledge(struct edu *edu)
{
	u32 status = readl(edu->regs + EDU_IRQ_STATUS);

	lockdep_assert_held(&edu->lock);
	if (status)
		writel(status, edu->regs + EDU_IRQ_ACK);
	return status;
}

static void edu_take_interrupt(struct edu *edu)
{
	unsigned int late_ms = atomic_read(&edu_late_ms);

	/* Nobody waits for what was terminated. */
	if (late_ms && !edu->orphan)
		schedule_delayed_work(&edu->late, msecs_to_jiffies(late_ms));
	else
		edu_advance(edu);
}

/**
 * edu_interrupt - the device has ended a command
 * @irq: its vector
 * @data: struct edu
 *
 * Context: interrupt.
 * Return: whether it was this device.
 */
irqreturn_t edu_interrupt(int irq, void *data)
{
	struct edu *edu = data;
	unsigned long flags;
	u32 status;

	/* Under the lock: else the end of one command could be taken for that of the next. */
	spin_lock_irqsave(&edu->lock, flags);
	status = edu_acknowledge(edu);
	if (status & EDU_IRQ_DMA) {
		WRITE_ONCE(edu->interrupts, edu->interrupts + 1);
		if (edu->running && !edu->gone && !edu_hits(&edu_lose))
			edu_take_interrupt(edu);
	}
	spin_unlock_irqrestore(&edu->lock, flags);
	return status ? IRQ_HANDLED : IRQ_NONE;
}

static bool edu_is_to_tell(const struct edu_descriptor *desc)
{
	return !atomic_read(&edu_thrifty) || desc->tx.flags & DMA_PREP_INTERRUPT;
}

static void edu_tell(struct edu *edu, struct edu_descriptor *desc)
{
	struct dmaengine_result result = {
		.result = desc->result,
		.residue = desc->length - desc->done,
	};

	/* Nobody else writes it. */
	WRITE_ONCE(edu->told, edu->told + 1);
	if (desc->tx.callback_result)
		desc->tx.callback_result(desc->tx.callback_param, &result);
	else if (desc->tx.callback)
		desc->tx.callback(desc->tx.callback_param);
}

/* Callbacks may submit and issue, so no lock is held. */
static void edu_call_back(struct tasklet_struct *tasklet)
{
	struct edu *edu = container_of(tasklet, struct edu, callbacks);
	struct edu_descriptor *desc;

	spin_lock_irq(&edu->lock);
	while ((desc = list_first_entry_or_null(&edu->ended, struct edu_descriptor, node))) {
		list_del(&desc->node);
		edu->descriptors--;
		edu->called = jiffies;
		spin_unlock_irq(&edu->lock);
		if (edu_is_to_tell(desc))
			edu_tell(edu, desc);
		dma_descriptor_unmap(&desc->tx);
		kfree(desc);
		spin_lock_irq(&edu->lock);
	}
	spin_unlock_irq(&edu->lock);
}

/* The memory of who was terminated is somebody else's from now on: the device must not reach it. */
static void edu_cut_off(struct edu *edu)
{
	dev_err(edu->dma.dev, "the device does not end its command; it is not used any more\n");
	pci_clear_master(to_pci_dev(edu->dma.dev));
	spin_lock_irq(&edu->lock);
	edu->gone = true;
	spin_unlock_irq(&edu->lock);
}

/* Wait for the command of who was terminated. Its interrupt may be lost: ask the device itself. */
static void edu_wait_for_orphan(struct edu *edu)
{
	u32 command;

	if (edu_hits(&edu_stick) ||
	    readl_poll_timeout(edu->regs + EDU_DMA_COMMAND, command, !(command & EDU_COMMAND_RUN),
			       1000, USEC_PER_SEC))
		edu_cut_off(edu);
}

/**
 * edu_command_synchronize - wait until nothing is done for who was terminated
 * @edu: the device; perhaps gone
 *
 * Context: process context; sleeps.
 */
void edu_command_synchronize(struct edu *edu)
{
	bool orphan, gone;

	tasklet_kill(&edu->callbacks);
	spin_lock_irq(&edu->lock);
	orphan = edu->orphan;
	gone = edu->gone;
	spin_unlock_irq(&edu->lock);
	/* Nobody was terminated: what runs goes on. */
	if (!orphan)
		return;
	if (!gone)
		edu_wait_for_orphan(edu);
	cancel_delayed_work_sync(&edu->late);
	spin_lock_irq(&edu->lock);
	if (edu->orphan) {
		/* Its interrupt may still be on its way. */
		if (!edu->gone && edu_acknowledge(edu) & EDU_IRQ_DMA)
			WRITE_ONCE(edu->interrupts, edu->interrupts + 1);
		edu_advance(edu);
	}
	spin_unlock_irq(&edu->lock);
}

/**
 * edu_command_init - ready to give commands
 * @edu: zeroed
 *
 * Context: any.
 */
void edu_command_init(struct edu *edu)
{
	spin_lock_init(&edu->lock);
	tasklet_setup(&edu->callbacks, edu_call_back);
	INIT_DELAYED_WORK(&edu->late, edu_late_work);
}
