/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_DEVICE_H
#define SCULLPIN_DEVICE_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/llist.h>
#include <linux/spinlock.h>

#include "budget.h"
#include "config.h"
#include "engine.h"
#include "mapping.h"
#include "recent.h"
#include "stats.h"
#include "store.h"
#include "watch.h"

#define SCULLPIN_MINORS 256

/**
 * struct scullpin_device - one device
 * @dev: in sysfs; its release frees this structure
 * @cdev: the node; an open file holds it, and through it @dev and the module
 * @config: settings; see there who writes which
 * @gone: removal has begun: whoever asks is told -ENODEV
 * @engine: who moves the bytes; set once
 * @dma: engine_dma's own
 * @store: the medium
 * @mapping: its pages in the page cache
 * @budget: bound on pinned user memory
 * @pace: the modelled speed
 * @watch: requests that the engine has, and their deadlines
 * @cancel_lock: between io_cancel(2) and the end of a request; a leaf, taken with
 *	interrupts off
 * @polled: requests that have ended; ->iopoll tells their callers
 * @stats: counters
 * @recent: requests that have ended
 * @debugfs: its folder there
 * @last_id: number of the last request, for trace events
 */
struct scullpin_device {
	struct device dev;
	struct cdev cdev;
	struct scullpin_config config;
	bool gone;
	const struct scullpin_engine_ops *engine;
	struct scullpin_dma *dma;
	struct scullpin_store store;
	struct scullpin_mapping mapping;
	struct scullpin_budget budget;
	struct scullpin_pace pace;
	struct scullpin_watch watch;
	spinlock_t cancel_lock;
	struct llist_head polled;
	struct scullpin_stats stats;
	struct scullpin_recent recent;
	struct dentry *debugfs;
	atomic64_t last_id;
};

static inline struct scullpin_device *scullpin_device_of(struct device *dev)
{
	return container_of(dev, struct scullpin_device, dev);
}

/* Looked at by each call, before anything else; what has passed is aborted by removal. */
static inline bool scullpin_device_is_gone(const struct scullpin_device *sdev)
{
	return READ_ONCE(sdev->gone);
}

int scullpin_device_init(void);
void scullpin_device_exit(void);
struct scullpin_device *scullpin_device_create(unsigned int index,
					       const struct scullpin_config *config);
void scullpin_device_flush(struct scullpin_device *sdev);
void scullpin_device_remove(struct scullpin_device *sdev);
void scullpin_device_settings_changed(struct scullpin_device *sdev);

#endif /* SCULLPIN_DEVICE_H */
