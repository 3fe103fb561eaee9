// SPDX-License-Identifier: GPL-2.0-only
/*
 * scullpin: direct, asynchronous I/O in a character driver, done right.
 *
 * The layers, the life of a request and the order of teardown are in DESIGN.md.
 */
#include <linux/err.h>
#include <linux/module.h>

#include "configfs.h"
#include "debugfs.h"
#include "device.h"
#include "engine.h"
#include "fault.h"
#include "request.h"
#include "watch.h"

static struct scullpin_device *scullpin_device0;

static int __init scullpin_init(void)
{
	struct scullpin_config config;
	int ret;

	ret = scullpin_config_load(&config);
	if (ret)
		return ret;
	scullpin_debugfs_init();
	scullpin_fault_init();
	ret = scullpin_request_init();
	if (ret)
		goto err_exit_debugfs;
	ret = scullpin_engine_init();
	if (ret)
		goto err_exit_request;
	ret = scullpin_watch_start();
	if (ret)
		goto err_exit_engine;
	ret = scullpin_device_init();
	if (ret)
		goto err_stop_watch;
	scullpin_device0 = scullpin_device_create(0, &config);
	if (IS_ERR(scullpin_device0)) {
		ret = PTR_ERR(scullpin_device0);
		goto err_exit_device;
	}
	ret = scullpin_configfs_init();
	if (ret)
		goto err_remove_device;
	return 0;

err_remove_device:
	scullpin_device_remove(scullpin_device0);
err_exit_device:
	scullpin_device_exit();
err_stop_watch:
	scullpin_watch_stop();
err_exit_engine:
	scullpin_engine_exit();
err_exit_request:
	scullpin_request_exit();
err_exit_debugfs:
	scullpin_debugfs_exit();
	scullpin_dma_stay();
	return ret;
}

static void __exit scullpin_exit(void)
{
	/* No folder is there, so device 0 is the last. */
	scullpin_configfs_exit();
	/* No file is open: nothing is in flight but write-back, which is waited for. */
	scullpin_device_flush(scullpin_device0);
	scullpin_device_remove(scullpin_device0);
	scullpin_device_exit();
	scullpin_watch_stop();
	/* Waits for workers that are still on their way out. */
	scullpin_engine_exit();
	scullpin_request_exit();
	scullpin_debugfs_exit();
	scullpin_dma_stay();
}

module_init(scullpin_init);
module_exit(scullpin_exit);

MODULE_DESCRIPTION("Reference character device for direct, asynchronous I/O");
MODULE_AUTHOR("The scullpin authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(SCULLPIN_VERSION);
