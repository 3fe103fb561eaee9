// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which channel of dmaengine a device gets, and what happens when the driver
 * that provides it leaves.
 */
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/slab.h>

#include "device.h"
#include "dma.h"
#include "fault.h"

/**
 * scullpin_dma_channel_use - count a transfer that may be mapped
 * @channel: the channel
 *
 * Who waits for the channel's end waits for scullpin_dma_channel_unuse().
 *
 * Context: process context; does not sleep.
 * Return: whether the channel is there.
 */
bool scullpin_dma_channel_use(struct scullpin_dma_channel *channel)
{
	bool there;

	spin_lock(&channel->lock);
	there = !channel->gone;
	if (there)
		atomic_inc(&channel->users);
	spin_unlock(&channel->lock);
	return there;
}

/**
 * scullpin_dma_channel_unuse - undo use
 * @channel: the caller has nothing mapped for it any more
 *
 * Context: process context; does not sleep.
 */
void scullpin_dma_channel_unuse(struct scullpin_dma_channel *channel)
{
	if (atomic_dec_and_test(&channel->users))
		wake_up(&channel->idle);
}

/* One that may still move something is not given back, nor is what it moves through. */
static void channel_release(struct scullpin_dma_channel *channel)
{
	if (channel->lost)
		return;
	scullpin_dma_bounce_exit(channel);
	dma_release_channel(channel->chan);
}

/* dmaengine does not tell its clients that a provider leaves; the bus does. */
static int channel_on_unbind(struct notifier_block *nb, unsigned long action, void *data)
{
	struct scullpin_dma_channel *channel = container_of(nb, struct scullpin_dma_channel,
							    unbind);

	/* Others may leave at the same time. */
	if (action != BUS_NOTIFY_UNBIND_DRIVER || data != channel->provider || !channel->chan)
		return NOTIFY_DONE;
	scullpin_dma_channel_leave(channel);
	wait_event(channel->idle, !atomic_read(&channel->users));
	cancel_delayed_work_sync(&channel->refill);
	mutex_lock(&channel->stop);
	channel_release(channel);
	channel->chan = NULL;
	mutex_unlock(&channel->stop);
	return NOTIFY_OK;
}

/* The IOMMU's that maps for a device, NULL when none does. */
static struct iommu_domain *channel_domain(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && domain->type != IOMMU_DOMAIN_IDENTITY ? domain : NULL;
}

/* The highest address that the channel's device gets to. */
static u64 channel_reach(struct device *dev)
{
	/* An IOMMU maps low. */
	if (channel_domain(dev) || !dma_addressing_limited(dev))
		return U64_MAX;
	return min_not_zero(dma_get_mask(dev), dev->bus_dma_limit);
}

/*
 * A request that is not answered must be stopped before its pages are released,
 * and a callback that runs meanwhile be waited for, which dmaengine leaves out
 * where a provider cannot; and what has ended is told by the last descriptor.
 */
static bool channel_suits(const struct dma_chan *chan)
{
	return chan->device->device_terminate_all && chan->device->device_synchronize &&
		!dma_has_cap(DMA_COMPLETION_NO_ORDER, chan->device->cap_mask);
}

static bool channel_is_wanted(struct dma_chan *chan, void *name)
{
	if (strcmp(name, "any"))
		return !strcmp(dma_chan_name(chan), name);
	return channel_suits(chan);
}

/* Find a channel that is free and suits the device's settings. */
static struct dma_chan *channel_request(const struct scullpin_device *sdev, const char *name)
{
	struct dma_chan *chan;
	dma_cap_mask_t mask;
	int alignment;

	dma_cap_zero(mask);
	dma_cap_set(DMA_MEMCPY, mask);
	chan = dma_request_channel(mask, channel_is_wanted, (void *)name);
	if (!chan) {
		pr_err("scullpin: no DMA channel is free that copies memory, of the name: %s\n",
		       name);
		return ERR_PTR(-ENODEV);
	}
	if (!channel_suits(chan)) {
		pr_err("scullpin: channel %s cannot be stopped and waited for, or ends copies out of order\n",
		       dma_chan_name(chan));
		dma_release_channel(chan);
		return ERR_PTR(-EINVAL);
	}
	/* What shares a cache line with a destination is not safe where caches are not coherent. */
	alignment = max(1 << chan->device->copy_align, dma_get_cache_alignment());
	if (!IS_ALIGNED(sdev->config.dma_alignment, alignment)) {
		pr_err("scullpin: channel %s needs dma_alignment %d\n", dma_chan_name(chan),
		       alignment);
		dma_release_channel(chan);
		return ERR_PTR(-EINVAL);
	}
	return chan;
}

/*
 * Have what lasts until the provider leaves, and hear of that: its lock keeps it
 * from leaving in between. Who unbinds it holds that lock, too, when it calls the
 * notifiers. One that left and came back before is not told apart: its channel
 * stays valid only when the provider counts references, by device_release.
 */
static int channel_bind(struct scullpin_dma_channel *channel)
{
	int ret;

	device_lock_assert(channel->provider);
	if (!channel->provider->driver) {
		pr_err("scullpin: the driver of channel %s has left\n",
		       dma_chan_name(channel->chan));
		return -ENODEV;
	}
	channel->dev = dmaengine_get_dma_device(channel->chan);
	channel->reach = channel_reach(channel->dev);
	channel->bus = channel->provider->bus;
	channel->room = scullpin_dma_room_get(channel_domain(channel->dev));
	ret = channel->room ? scullpin_dma_bounce_init(channel) : -ENOMEM;
	if (ret)
		pr_err("scullpin: no memory that channel %s reaches\n",
		       dma_chan_name(channel->chan));
	else
		ret = bus_register_notifier(channel->bus, &channel->unbind);
	if (ret) {
		scullpin_dma_bounce_exit(channel);
		scullpin_dma_room_put(channel->room);
	}
	return ret;
}

static struct scullpin_dma_channel *channel_alloc(struct scullpin_device *sdev)
{
	struct scullpin_dma_channel *channel = NULL;

	if (!scullpin_fault_hits(SCULLPIN_FAULT_DMA_CHANNEL))
		channel = kzalloc(sizeof(*channel), GFP_KERNEL);
	if (!channel)
		return NULL;
	channel->sdev = sdev;
	scullpin_dma_channel_init(channel);
	init_waitqueue_head(&channel->idle);
	channel->unbind.notifier_call = channel_on_unbind;
	return channel;
}

/**
 * scullpin_dma_channel_get - take a channel of dmaengine
 * @sdev: for which
 * @name: of the channel, such as dma0chan0, or "any": the first that is free
 *
 * Context: process context; sleeps.
 * Return: the channel, or -ENODEV, -EINVAL or -ENOMEM, with a message that says why.
 */
struct scullpin_dma_channel *scullpin_dma_channel_get(struct scullpin_device *sdev,
						      const char *name)
{
	struct scullpin_dma_channel *channel = channel_alloc(sdev);
	bool counted;
	int ret;

	if (!channel)
		return ERR_PTR(-ENOMEM);
	channel->chan = channel_request(sdev, name);
	if (IS_ERR(channel->chan)) {
		ret = PTR_ERR(channel->chan);
		goto err_free;
	}
	counted = channel->chan->device->device_release;
	channel->provider = get_device(channel->chan->device->dev);
	device_lock(channel->provider);
	ret = channel_bind(channel);
	/* When the provider has left, the channel is there only if it counts. */
	if (ret && (channel->provider->driver || counted))
		dma_release_channel(channel->chan);
	device_unlock(channel->provider);
	if (!ret)
		return channel;
	put_device(channel->provider);
err_free:
	kfree(channel);
	return ERR_PTR(ret);
}

/**
 * scullpin_dma_channel_put - give a channel back
 * @channel: has no job
 *
 * Context: process context; sleeps.
 */
void scullpin_dma_channel_put(struct scullpin_dma_channel *channel)
{
	/* Waits for a call that runs. */
	bus_unregister_notifier(channel->bus, &channel->unbind);
	cancel_delayed_work_sync(&channel->refill);
	if (channel->chan)
		channel_release(channel);
	scullpin_dma_room_put(channel->room);
	put_device(channel->provider);
	kfree(channel);
}
