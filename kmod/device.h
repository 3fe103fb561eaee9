/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_DEVICE_H
#define SCULLPIN_DEVICE_H

#include <linux/cdev.h>
#include <linux/device.h>

#include "budget.h"
#include "config.h"
#include "engine.h"
#include "stats.h"
#include "store.h"
#include "watch.h"

/**
 * struct scullpin_device - one device
 * @dev: in sysfs; its release frees this structure
 * @cdev: the node; an open file holds it, and through it @dev and the module
 * @config: settings; see there who writes which
 * @engine: who moves the bytes; set once
 * @dma: engine_dma's own
 * @store: the medium
 * @budget: bound on pinned user memory
 * @pace: the modelled speed
 * @watch: requests that the engine has, and their deadlines
 * @stats: counters
 * @last_id: number of the last request, for trace events
 */
struct scullpin_device {
	struct device dev;
	struct cdev cdev;
	struct scullpin_config config;
	const struct scullpin_engine_ops *engine;
	struct scullpin_dma *dma;
	struct scullpin_store store;
	struct scullpin_budget budget;
	struct scullpin_pace pace;
	struct scullpin_watch watch;
	struct scullpin_stats stats;
	atomic64_t last_id;
};

static inline struct scullpin_device *scullpin_device_of(struct device *dev)
{
	return container_of(dev, struct scullpin_device, dev);
}

int scullpin_device_init(void);
void scullpin_device_exit(void);
struct scullpin_device *scullpin_device_create(unsigned int index);
void scullpin_device_remove(struct scullpin_device *sdev);
void scullpin_device_settings_changed(struct scullpin_device *sdev);

#endif /* SCULLPIN_DEVICE_H */
