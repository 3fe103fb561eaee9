// SPDX-License-Identifier: GPL-2.0-only
/*
 * For who looks for a request that does not end: scullpin/scullpinN/requests,
 * those that the engine has, and last, those that have ended. Both are copied
 * under a lock and written out without it.
 */
#include <linux/debugfs.h>
#include <linux/overflow.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "debugfs.h"
#include "device.h"
#include "recent.h"
#include "request.h"
#include "watch.h"

/* More are counted, not shown. */
#define DEBUGFS_REQUESTS 1024U

struct dentry *scullpin_debugfs_root;

static const char *debugfs_state(const struct scullpin_in_flight *request, ktime_t now)
{
	switch (request->owner) {
	case SCULLPIN_OWNER_ENGINE:
		return "answered";
	case SCULLPIN_OWNER_ABORT:
		return "aborted";
	case SCULLPIN_OWNER_NONE:
		break;
	}
	return ktime_before(now, ktime_add(request->times.issued, request->delay)) ?
		"delayed" : "submitted";
}

static void debugfs_print(struct seq_file *file, u64 id, bool write, u64 pos, size_t length)
{
	static const char *const kinds[] = { "read", "write" };

	seq_printf(file, "id=%llu %s pos=%llu bytes=%zu", id, kinds[write], pos, length);
}

static int requests_show(struct seq_file *file, void *unused)
{
	struct scullpin_device *sdev = file->private;
	struct scullpin_in_flight *requests;
	ktime_t now = ktime_get();
	unsigned int i, nr;

	requests = kvmalloc_array(DEBUGFS_REQUESTS, sizeof(*requests), GFP_KERNEL);
	if (!requests)
		return -ENOMEM;
	nr = scullpin_watch_copy(&sdev->watch, requests, DEBUGFS_REQUESTS);
	for (i = 0; i < min(nr, DEBUGFS_REQUESTS); i++) {
		debugfs_print(file, requests[i].id, requests[i].write, requests[i].pos,
			      requests[i].length);
		seq_printf(file, " state=%s age_us=%lld\n", debugfs_state(&requests[i], now),
			   max_t(s64, ktime_us_delta(now, requests[i].times.submitted), 0));
	}
	if (nr > DEBUGFS_REQUESTS)
		seq_printf(file, "more=%u\n", nr - DEBUGFS_REQUESTS);
	kvfree(requests);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(requests);

static int last_show(struct seq_file *file, void *unused)
{
	struct scullpin_device *sdev = file->private;
	const struct scullpin_ended *ended;
	struct scullpin_ended *copy;
	unsigned int i, nr;

	copy = kmalloc_array(SCULLPIN_RECENT, sizeof(*copy), GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	nr = scullpin_recent_copy(&sdev->recent, copy);
	for (i = 0; i < nr; i++) {
		ended = &copy[i];
		debugfs_print(file, ended->id, ended->write, ended->pos, ended->length);
		seq_printf(file, " result=%zd hold_ns=%lld engine_ns=%lld release_ns=%lld\n",
			   ended->result,
			   ktime_to_ns(ktime_sub(ended->times.issued, ended->times.submitted)),
			   ktime_to_ns(ktime_sub(ended->times.answered, ended->times.issued)),
			   ktime_to_ns(ktime_sub(ended->ended, ended->times.answered)));
	}
	kfree(copy);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(last);

/**
 * scullpin_debugfs_add - the files of a device; whether they can be made is nobody's concern
 * @sdev: the device, with its name
 *
 * Context: process context; sleeps.
 */
void scullpin_debugfs_add(struct scullpin_device *sdev)
{
	sdev->debugfs = debugfs_create_dir(dev_name(&sdev->dev), scullpin_debugfs_root);
	debugfs_create_file("requests", 0600, sdev->debugfs, sdev, &requests_fops);
	debugfs_create_file("last", 0600, sdev->debugfs, sdev, &last_fops);
}

/**
 * scullpin_debugfs_remove - undo add, and wait for those who read
 * @sdev: the device
 *
 * Context: process context; sleeps.
 */
void scullpin_debugfs_remove(struct scullpin_device *sdev)
{
	debugfs_remove(sdev->debugfs);
}

/**
 * scullpin_debugfs_init - the folder of all devices
 *
 * Context: module initialisation.
 */
void scullpin_debugfs_init(void)
{
	scullpin_debugfs_root = debugfs_create_dir("scullpin", NULL);
}

/**
 * scullpin_debugfs_exit - undo init
 *
 * Context: module exit; sleeps.
 */
void scullpin_debugfs_exit(void)
{
	debugfs_remove(scullpin_debugfs_root);
}
