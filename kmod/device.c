// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device's life. Everything it owns is freed in one place, the release of
 * its struct device, which runs when sysfs and the last open file let go.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "cache.h"
#include "compat/compat.h"
#include "debugfs.h"
#include "device.h"
#include "fault.h"
#include "file.h"

static dev_t scullpin_first;
/* Devices not yet released; the module's text must stay until it is 0. */
static atomic_t scullpin_alive;

/*
 * Not in the module's memory: the class may be released when the module has gone
 * (DEBUG_KOBJECT_RELEASE makes it so on purpose), and its release looks at it. No
 * devnode: devtmpfs makes nodes root's, mode 0600, unless told otherwise.
 */
static struct class *scullpin_class;

static const struct attribute_group *scullpin_device_groups[] = {
	&scullpin_config_group,
	&scullpin_stats_group,
	&scullpin_refused_group,
	&scullpin_latency_group,
	NULL
};

static void scullpin_device_release(struct device *dev)
{
	struct scullpin_device *sdev = scullpin_device_of(dev);

	/* Writes back what is dirty: needs all that follows. */
	scullpin_mapping_exit(&sdev->mapping);
	scullpin_watch_exit(&sdev->watch);
	scullpin_engine_detach(sdev);
	scullpin_store_exit(&sdev->store);
	scullpin_stats_exit(&sdev->stats);
	kfree(sdev);
	atomic_dec_and_wake_up(&scullpin_alive);
}

/**
 * scullpin_device_create - make a device
 * @index: its number, in the name and as minor; of no other device
 * @config: its settings, copied; -EINVAL when they contradict each other
 *
 * Context: process context; may sleep.
 * Return: the device, live, or an ERR_PTR.
 */
struct scullpin_device *scullpin_device_create(unsigned int index,
					       const struct scullpin_config *config)
{
	struct scullpin_device *sdev = NULL;
	int ret;

	if (!scullpin_config_agrees(config))
		return ERR_PTR(-EINVAL);
	if (!scullpin_fault_hits(SCULLPIN_FAULT_DEVICE_ALLOC))
		sdev = kzalloc(sizeof(*sdev), GFP_KERNEL);
	if (!sdev)
		return ERR_PTR(-ENOMEM);
	sdev->config = *config;
	ret = scullpin_stats_init(&sdev->stats);
	if (ret)
		goto err_free;
	scullpin_store_init(&sdev->store);
	scullpin_budget_init(&sdev->budget, &sdev->config.max_pinned);
	scullpin_pace_init(&sdev->pace);
	scullpin_watch_init(&sdev->watch, &sdev->config.deadline_ms);
	scullpin_recent_init(&sdev->recent);
	spin_lock_init(&sdev->cancel_lock);
	init_llist_head(&sdev->polled);

	device_initialize(&sdev->dev);
	atomic_inc(&scullpin_alive);
	sdev->dev.class = scullpin_class;
	sdev->dev.groups = scullpin_device_groups;
	sdev->dev.release = scullpin_device_release;
	sdev->dev.devt = MKDEV(MAJOR(scullpin_first), MINOR(scullpin_first) + index);
	cdev_init(&sdev->cdev, &scullpin_file_ops);
	sdev->cdev.owner = THIS_MODULE;
	ret = scullpin_engine_attach(sdev);
	if (ret)
		goto err_put;
	ret = scullpin_mapping_init(&sdev->mapping, sdev->config.size, &scullpin_cache_ops, sdev,
				    &sdev->stats);
	if (ret)
		goto err_put;
	ret = scullpin_fault_hits(SCULLPIN_FAULT_DEVICE_NAME) ? -ENOMEM :
		dev_set_name(&sdev->dev, "scullpin%u", index);
	if (ret)
		goto err_put;
	ret = scullpin_fault_hits(SCULLPIN_FAULT_DEVICE_ADD) ? -ENOMEM :
		cdev_device_add(&sdev->cdev, &sdev->dev);
	if (ret)
		goto err_put;
	scullpin_debugfs_add(sdev);
	return sdev;

err_put:
	put_device(&sdev->dev);
	return ERR_PTR(ret);
err_free:
	kfree(sdev);
	return ERR_PTR(ret);
}

/**
 * scullpin_device_flush - write back what is cached
 * @sdev: the device
 *
 * What fails is counted, and told by scullpin_device_remove().
 *
 * Context: process context; sleeps, at most for the modelled delay and the deadline.
 */
void scullpin_device_flush(struct scullpin_device *sdev)
{
	filemap_fdatawrite(sdev->mapping.pages);
	filemap_fdatawait_keep_errors(sdev->mapping.pages);
}

/**
 * scullpin_device_remove - take the node away and drop the first reference
 * @sdev: as made; open files keep it, and are told -ENODEV
 *
 * Requests in flight are aborted, not waited for: they hold their file, and so
 * the device. The door is shut first, so that who opens the node while it goes
 * finds a device that is gone.
 *
 * The medium goes with the last reference, and what is cached goes before it.
 * Write-back that takes time is aborted like all that is in flight; what
 * was dirty and is not on the medium is counted, and said once.
 *
 * Context: process context; may sleep.
 */
void scullpin_device_remove(struct scullpin_device *sdev)
{
	WRITE_ONCE(sdev->gone, true);
	scullpin_budget_close(&sdev->budget);
	scullpin_watch_close(&sdev->watch);
	scullpin_debugfs_remove(sdev);
	cdev_device_del(&sdev->cdev, &sdev->dev);
	if (scullpin_mapping_revoke(&sdev->mapping))
		pr_warn("scullpin: %s: what was cached could not all be written back, and is lost\n",
			dev_name(&sdev->dev));
	put_device(&sdev->dev);
}

/**
 * scullpin_device_settings_changed - let those who wait by a live setting look again
 * @sdev: the device
 *
 * Context: process context.
 */
void scullpin_device_settings_changed(struct scullpin_device *sdev)
{
	scullpin_budget_wake(&sdev->budget);
	scullpin_watch_look(&sdev->watch);
}

/**
 * scullpin_device_init - the class and the numbers of the nodes
 *
 * Context: module initialisation.
 * Return: 0 or a negative errno.
 */
int scullpin_device_init(void)
{
	int ret;

	ret = scullpin_fault_hits(SCULLPIN_FAULT_NODE_NUMBERS) ? -EBUSY :
		alloc_chrdev_region(&scullpin_first, 0, SCULLPIN_MINORS, "scullpin");
	if (ret)
		return ret;
	scullpin_class = scullpin_fault_hits(SCULLPIN_FAULT_NODE_CLASS) ? ERR_PTR(-ENOMEM) :
		class_create("scullpin");
	if (!IS_ERR(scullpin_class))
		return 0;
	unregister_chrdev_region(scullpin_first, SCULLPIN_MINORS);
	return PTR_ERR(scullpin_class);
}

/**
 * scullpin_device_exit - wait for the last release, then undo init
 *
 * A release may come late (DEBUG_KOBJECT_RELEASE makes it so on purpose).
 *
 * Context: module exit; sleeps.
 */
void scullpin_device_exit(void)
{
	wait_var_event(&scullpin_alive, !atomic_read(&scullpin_alive));
	scullpin_mapping_drain();
	class_destroy(scullpin_class);
	unregister_chrdev_region(scullpin_first, SCULLPIN_MINORS);
}
