// SPDX-License-Identifier: GPL-2.0-only
/* The engines there are, and the workers that they share. */
#include "device.h"
#include "engine.h"
#include "fault.h"

/* In the order of the words of the setting. */
static const struct scullpin_engine_ops * const engines[] = {
	&scullpin_engine_cpu,
	&scullpin_engine_dma,
};

struct workqueue_struct *scullpin_engine_queue;

/**
 * scullpin_engine_init - make the workers
 *
 * Context: module initialisation.
 * Return: 0 or -ENOMEM.
 */
int scullpin_engine_init(void)
{
	if (!scullpin_fault_hits(SCULLPIN_FAULT_ENGINE_QUEUE))
		scullpin_engine_queue = alloc_workqueue("scullpin", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return scullpin_engine_queue ? 0 : -ENOMEM;
}

/**
 * scullpin_engine_exit - wait for the last worker to leave, then undo init
 *
 * The file that a request belongs to may be closed, and rmmod begin, as soon
 * as the worker has called ki_complete(); this waits for its last instruction.
 *
 * Context: module exit; sleeps.
 */
void scullpin_engine_exit(void)
{
	scullpin_engine_cpu_exit();
	destroy_workqueue(scullpin_engine_queue);
}

/**
 * scullpin_engine_attach - give a device the engine of its settings
 * @sdev: with its settings
 *
 * Context: process context; sleeps.
 * Return: 0, -ENODEV when the engine has nothing to work with, or another errno.
 */
int scullpin_engine_attach(struct scullpin_device *sdev)
{
	const struct scullpin_engine_ops *engine = engines[sdev->config.engine];
	int ret = engine->attach ? engine->attach(sdev) : 0;

	if (!ret)
		sdev->engine = engine;
	return ret;
}

/**
 * scullpin_engine_detach - undo attach
 * @sdev: has no request in flight; may have no engine yet
 *
 * Context: process context; sleeps.
 */
void scullpin_engine_detach(struct scullpin_device *sdev)
{
	if (sdev->engine && sdev->engine->detach)
		sdev->engine->detach(sdev);
}
