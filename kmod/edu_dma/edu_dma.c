// SPDX-License-Identifier: GPL-2.0-only
/*
 * edu_dma: a dmaengine provider for QEMU's `edu` PCI device, so that a client
 * of dmaengine can be tried on a machine that has no DMA controller.
 *
 * The device moves bytes between memory and a buffer of its own, one command at
 * a time, 100 ms each, and raises an interrupt. A copy is two moves, in and out
 * again, for each chunk. It tells no errors: what an IOMMU refuses is silently
 * wrong data.
 */
#include <linux/dmaengine.h>
#include <linux/interrupt.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/iopoll.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

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

static unsigned int dma_bits = 28;
module_param(dma_bits, uint, 0444);
MODULE_PARM_DESC(dma_bits, "address bits the device reaches, as its dma_mask property (default 28)");

/* What goes wrong on purpose, for tests: each counts down and acts at 1. */
static atomic_t edu_fail = ATOMIC_INIT(0);
static atomic_t edu_lose = ATOMIC_INIT(0);
module_param_named(fail, edu_fail.counter, int, 0644);
MODULE_PARM_DESC(fail, "the nth descriptor from now on ends with an error");
module_param_named(lose, edu_lose.counter, int, 0644);
MODULE_PARM_DESC(lose, "the nth interrupt from now on is lost");
static atomic_t edu_refuse = ATOMIC_INIT(0);
module_param_named(refuse, edu_refuse.counter, int, 0644);
MODULE_PARM_DESC(refuse, "so many descriptors from now on cannot be had");
static unsigned int limit;
module_param(limit, uint, 0644);
MODULE_PARM_DESC(limit, "descriptors that can be had at once (default 0, any number)");
static unsigned int late_ms;
module_param(late_ms, uint, 0644);
MODULE_PARM_DESC(late_ms, "every interrupt comes so many milliseconds late");

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
 * @chunk: bytes of the command that runs
 * @outward: that command moves from the device to memory
 * @running: the device has a command
 * @orphan: it belongs to a descriptor that was terminated
 * @paused: start nothing
 * @gone: the device has left; @regs are not touched any more
 * @callbacks: runs them
 * @late: deals with an interrupt that came late
 * @moves: commands that have ended
 * @interrupts: taken
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
	struct list_head buried;
};

static LIST_HEAD(edu_graveyard);
static DEFINE_MUTEX(edu_graveyard_lock);

static struct edu *edu_of(struct dma_chan *chan)
{
	return container_of(chan, struct edu, chan);
}

static struct edu_descriptor *edu_descriptor_of(struct dma_async_tx_descriptor *tx)
{
	return container_of(tx, struct edu_descriptor, tx);
}

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

/* The next command of the first issued descriptor, if the device is free. */
static void edu_start(struct edu *edu)
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
	edu->moves++;
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

static irqreturn_t edu_interrupt(int irq, void *data)
{
	struct edu *edu = data;
	u32 status = readl(edu->regs + EDU_IRQ_STATUS);
	unsigned long flags;

	if (!status)
		return IRQ_NONE;
	writel(status, edu->regs + EDU_IRQ_ACK);
	if (!(status & EDU_IRQ_DMA))
		return IRQ_HANDLED;
	spin_lock_irqsave(&edu->lock, flags);
	edu->interrupts++;
	if (edu->running && !edu->gone && !edu_hits(&edu_lose)) {
		if (READ_ONCE(late_ms))
			schedule_delayed_work(&edu->late, msecs_to_jiffies(READ_ONCE(late_ms)));
		else
			edu_advance(edu);
	}
	spin_unlock_irqrestore(&edu->lock, flags);
	return IRQ_HANDLED;
}

/* Callbacks may submit and issue, so no lock is held. */
static void edu_call_back(struct tasklet_struct *tasklet)
{
	struct edu *edu = container_of(tasklet, struct edu, callbacks);
	struct dmaengine_result result = {};
	struct edu_descriptor *desc;

	spin_lock_irq(&edu->lock);
	while ((desc = list_first_entry_or_null(&edu->ended, struct edu_descriptor, node))) {
		list_del(&desc->node);
		edu->descriptors--;
		spin_unlock_irq(&edu->lock);
		result.result = desc->result;
		result.residue = desc->length - desc->done;
		if (desc->tx.callback_result)
			desc->tx.callback_result(desc->tx.callback_param, &result);
		else if (desc->tx.callback)
			desc->tx.callback(desc->tx.callback_param);
		dma_descriptor_unmap(&desc->tx);
		kfree(desc);
		spin_lock_irq(&edu->lock);
	}
	spin_unlock_irq(&edu->lock);
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
	if (edu->gone || (READ_ONCE(limit) && edu->descriptors >= READ_ONCE(limit))) {
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

/* Forget every descriptor. What runs cannot be stopped: edu_synchronize() waits for it. */
static int edu_terminate_all(struct dma_chan *chan)
{
	struct edu *edu = edu_of(chan);
	struct edu_descriptor *desc, *next;
	unsigned long flags;
	LIST_HEAD(dead);

	spin_lock_irqsave(&edu->lock, flags);
	list_splice_init(&edu->prepared, &dead);
	list_splice_init(&edu->submitted, &dead);
	list_splice_init(&edu->issued, &dead);
	list_splice_init(&edu->ended, &dead);
	list_for_each_entry(desc, &dead, node)
		edu->descriptors--;
	edu->orphan = edu->running;
	edu->outward = false;
	edu->paused = false;
	spin_unlock_irqrestore(&edu->lock, flags);
	list_for_each_entry_safe(desc, next, &dead, node) {
		dma_descriptor_unmap(&desc->tx);
		kfree(desc);
	}
	return 0;
}

/* Afterwards no terminated descriptor's memory is touched and no callback of one runs. */
static void edu_synchronize(struct dma_chan *chan)
{
	struct edu *edu = edu_of(chan);
	u32 command;

	tasklet_kill(&edu->callbacks);
	/* Its interrupt may be lost: ask the device itself. */
	if (!READ_ONCE(edu->gone) && READ_ONCE(edu->orphan) &&
	    readl_poll_timeout(edu->regs + EDU_DMA_COMMAND, command, !(command & EDU_COMMAND_RUN),
			       1000, USEC_PER_SEC))
		dev_err(edu->dma.dev, "the device does not end its command\n");
	cancel_delayed_work_sync(&edu->late);
	spin_lock_irq(&edu->lock);
	if (edu->orphan)
		edu_advance(edu);
	spin_unlock_irq(&edu->lock);
}

static int edu_alloc_chan_resources(struct dma_chan *chan)
{
	chan->cookie = DMA_MIN_COOKIE;
	chan->completed_cookie = DMA_MIN_COOKIE;
	return 1;
}

static void edu_free_chan_resources(struct dma_chan *chan)
{
	edu_terminate_all(chan);
	edu_synchronize(chan);
}

/*
 * The last reference, of a client or of the driver: clients may hold the channel
 * after remove. dma_release_channel() looks at the channel once more after it
 * has dropped that reference, so it is freed when the module goes, which clients
 * hold for as long.
 */
static void edu_release(struct dma_device *dma)
{
	struct edu *edu = container_of(dma, struct edu, dma);

	mutex_lock(&edu_graveyard_lock);
	list_add(&edu->buried, &edu_graveyard);
	mutex_unlock(&edu_graveyard_lock);
}

static void edu_init_dma(struct edu *edu, struct device *dev)
{
	struct dma_device *dma = &edu->dma;

	dma->dev = dev;
	dma_cap_set(DMA_MEMCPY, dma->cap_mask);
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
	dma->device_synchronize = edu_synchronize;
	dma->device_release = edu_release;
	INIT_LIST_HEAD(&dma->channels);
	edu->chan.device = dma;
	list_add_tail(&edu->chan.device_node, &dma->channels);
}

static struct edu *edu_alloc(struct device *dev)
{
	struct edu *edu = kzalloc(sizeof(*edu), GFP_KERNEL);

	if (!edu)
		return NULL;
	spin_lock_init(&edu->lock);
	INIT_LIST_HEAD(&edu->prepared);
	INIT_LIST_HEAD(&edu->submitted);
	INIT_LIST_HEAD(&edu->issued);
	INIT_LIST_HEAD(&edu->ended);
	tasklet_setup(&edu->callbacks, edu_call_back);
	INIT_DELAYED_WORK(&edu->late, edu_late_work);
	edu_init_dma(edu, dev);
	return edu;
}

static ssize_t moves_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct edu *edu = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%llu\n", READ_ONCE(edu->moves));
}
static DEVICE_ATTR_RO(moves);

static ssize_t interrupts_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct edu *edu = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%llu\n", READ_ONCE(edu->interrupts));
}
static DEVICE_ATTR_RO(interrupts);

static struct attribute *edu_attrs[] = {
	&dev_attr_moves.attr,
	&dev_attr_interrupts.attr,
	NULL
};
ATTRIBUTE_GROUPS(edu);

static void edu_free_vectors(void *data)
{
	pci_free_irq_vectors(data);
}

/* Everything but the memory is the PCI device's, and goes with it in reverse order. */
static int edu_set_up(struct edu *edu, struct pci_dev *pdev)
{
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	ret = pcim_iomap_regions(pdev, BIT(0), "edu_dma");
	if (ret)
		return ret;
	edu->regs = pcim_iomap_table(pdev)[0];
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(dma_bits));
	if (ret)
		return ret;
	ret = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);
	if (ret < 0)
		return ret;
	ret = devm_add_action_or_reset(&pdev->dev, edu_free_vectors, pdev);
	if (ret)
		return ret;
	ret = devm_request_irq(&pdev->dev, pci_irq_vector(pdev, 0), edu_interrupt, IRQF_SHARED,
			       "edu_dma", edu);
	if (ret)
		return ret;
	pci_set_master(pdev);
	return dma_async_device_register(&edu->dma);
}

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu *edu;
	int ret;

	if (dma_bits < 1 || dma_bits > 64)
		return -EINVAL;
	edu = edu_alloc(&pdev->dev);
	if (!edu)
		return -ENOMEM;
	pci_set_drvdata(pdev, edu);
	ret = edu_set_up(edu, pdev);
	if (ret)
		edu_release(&edu->dma);
	return ret;
}

/* Clients may still hold the channel: what they ask of it afterwards touches no hardware. */
static void edu_remove(struct pci_dev *pdev)
{
	struct edu *edu = pci_get_drvdata(pdev);

	edu_terminate_all(&edu->chan);
	edu_synchronize(&edu->chan);
	spin_lock_irq(&edu->lock);
	edu->gone = true;
	spin_unlock_irq(&edu->lock);
	/* What came between the two; it may run, but moves nothing any more. */
	pci_clear_master(pdev);
	edu_terminate_all(&edu->chan);
	edu_synchronize(&edu->chan);
	dma_async_device_unregister(&edu->dma);
}

static const struct pci_device_id edu_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, edu_ids);

static struct pci_driver edu_driver = {
	.name = "edu_dma",
	.id_table = edu_ids,
	.probe = edu_probe,
	.remove = edu_remove,
	.dev_groups = edu_groups,
};

static int __init edu_init(void)
{
	return pci_register_driver(&edu_driver);
}

static void __exit edu_exit(void)
{
	struct edu *edu, *next;

	pci_unregister_driver(&edu_driver);
	list_for_each_entry_safe(edu, next, &edu_graveyard, buried)
		kfree(edu);
}

module_init(edu_init);
module_exit(edu_exit);

MODULE_DESCRIPTION("dmaengine provider for QEMU's edu device");
MODULE_AUTHOR("The scullpin authors");
MODULE_LICENSE("GPL");
