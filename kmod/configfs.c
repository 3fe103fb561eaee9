// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices made and removed while the module runs, as null_blk has it: a folder
 * below /sys/kernel/config/scullpin/ holds settings, and its power switch makes
 * the device and takes it away. The folder and the device have lives of their
 * own: files that are open keep a device that has no folder any more.
 */
#include <linux/bitmap.h>
#include <linux/configfs.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "config.h"
#include "configfs.h"
#include "device.h"
#include "fault.h"

/**
 * struct scullpin_item - a folder: a device that is there, or may come
 * @item: in configfs; its release frees this structure
 * @index: number of the device, while the folder is there
 * @lock: protects the members below
 * @sdev: the device, with the reference that making it gave; NULL while off
 * @config: settings while off; while on, the device has them
 */
struct scullpin_item {
	struct config_item item;
	unsigned int index;
	struct mutex lock;
	struct scullpin_device *sdev;
	struct scullpin_config config;
};

/* Numbers in use; mkdir and rmdir are called under the subsystem's su_mutex. */
static DECLARE_BITMAP(configfs_taken, SCULLPIN_MINORS);

static struct scullpin_item *item_of(struct config_item *item)
{
	return container_of(item, struct scullpin_item, item);
}

static struct scullpin_config *item_config(struct scullpin_item *it)
{
	lockdep_assert_held(&it->lock);
	return it->sdev ? &it->sdev->config : &it->config;
}

static ssize_t item_show_knob(struct config_item *item, const struct scullpin_knob *knob,
			      char *page)
{
	struct scullpin_item *it = item_of(item);
	ssize_t ret;

	mutex_lock(&it->lock);
	ret = scullpin_knob_print(knob, item_config(it), page);
	mutex_unlock(&it->lock);
	return ret;
}

static int item_set_knob(struct scullpin_item *it, const struct scullpin_knob *knob,
			 const char *text)
{
	int ret;

	lockdep_assert_held(&it->lock);
	if (it->sdev && !knob->live)
		return -EBUSY;
	ret = scullpin_knob_write(knob, item_config(it), text);
	if (!ret && it->sdev)
		scullpin_device_settings_changed(it->sdev);
	return ret;
}

static ssize_t item_store_knob(struct config_item *item, const struct scullpin_knob *knob,
			       const char *page, size_t count)
{
	struct scullpin_item *it = item_of(item);
	int ret;

	mutex_lock(&it->lock);
	ret = item_set_knob(it, knob, page);
	mutex_unlock(&it->lock);
	return ret ?: count;
}

/* configfs does not tell its functions which attribute they are called for. */
#define X(_name)									\
	static ssize_t item_##_name##_show(struct config_item *item, char *page)	\
	{										\
		return item_show_knob(item, &scullpin_knob_##_name, page);		\
	}										\
	static ssize_t item_##_name##_store(struct config_item *item, const char *page,	\
					    size_t count)				\
	{										\
		return item_store_knob(item, &scullpin_knob_##_name, page, count);	\
	}										\
	CONFIGFS_ATTR(item_, _name);
SCULLPIN_KNOBS(X)
#undef X

static ssize_t item_index_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%u\n", item_of(item)->index);
}
CONFIGFS_ATTR_RO(item_, index);

static int item_power_on(struct scullpin_item *it)
{
	struct scullpin_device *sdev;

	lockdep_assert_held(&it->lock);
	sdev = scullpin_device_create(it->index, &it->config);
	if (IS_ERR(sdev))
		return PTR_ERR(sdev);
	it->sdev = sdev;
	return 0;
}

static void item_power_off(struct scullpin_item *it)
{
	struct scullpin_device *sdev = it->sdev;

	lockdep_assert_held(&it->lock);
	get_device(&sdev->dev);
	scullpin_device_remove(sdev);
	/* Now sysfs writes no setting any more; what it wrote stays for the next time. */
	it->config = sdev->config;
	put_device(&sdev->dev);
	it->sdev = NULL;
}

static int item_set_power(struct scullpin_item *it, bool on)
{
	lockdep_assert_held(&it->lock);
	if (on && !it->sdev)
		return item_power_on(it);
	if (!on && it->sdev)
		item_power_off(it);
	return 0;
}

static ssize_t item_power_show(struct config_item *item, char *page)
{
	struct scullpin_item *it = item_of(item);
	bool on;

	mutex_lock(&it->lock);
	on = it->sdev;
	mutex_unlock(&it->lock);
	return sysfs_emit(page, "%d\n", on);
}

static ssize_t item_power_store(struct config_item *item, const char *page, size_t count)
{
	struct scullpin_item *it = item_of(item);
	bool on;
	int ret;

	ret = kstrtobool(page, &on);
	if (ret)
		return ret;
	mutex_lock(&it->lock);
	ret = item_set_power(it, on);
	mutex_unlock(&it->lock);
	return ret ?: count;
}
CONFIGFS_ATTR(item_, power);

static struct configfs_attribute *item_attributes[] = {
#define X(_name) &item_attr_##_name,
	SCULLPIN_KNOBS(X)
#undef X
	&item_attr_index,
	&item_attr_power,
	NULL
};

static void item_release(struct config_item *item)
{
	struct scullpin_item *it = item_of(item);

	mutex_destroy(&it->lock);
	kfree(it);
}

static struct configfs_item_operations item_operations = {
	.release = item_release,
};

static const struct config_item_type item_type = {
	.ct_item_ops = &item_operations,
	.ct_attrs = item_attributes,
	.ct_owner = THIS_MODULE,
};

/* "scullpin7" asks for 7, spelt as the node's name is; others take what is free. */
static int item_take_index(const char *name)
{
	char node[sizeof("scullpin4294967295")];
	unsigned int index;

	if (!strstarts(name, "scullpin") || kstrtouint(name + strlen("scullpin"), 10, &index)) {
		index = find_first_zero_bit(configfs_taken, SCULLPIN_MINORS);
		if (index == SCULLPIN_MINORS)
			return -ENOSPC;
	} else {
		snprintf(node, sizeof(node), "scullpin%u", index);
		if (strcmp(node, name) || index >= SCULLPIN_MINORS)
			return -EINVAL;
		if (test_bit(index, configfs_taken))
			return -EEXIST;
	}
	__set_bit(index, configfs_taken);
	return index;
}

static struct config_item *root_make_item(struct config_group *group, const char *name)
{
	struct scullpin_item *it = NULL;
	int index;

	if (!scullpin_fault_hits(SCULLPIN_FAULT_CONFIGFS_ITEM))
		it = kzalloc(sizeof(*it), GFP_KERNEL);
	if (!it)
		return ERR_PTR(-ENOMEM);
	index = item_take_index(name);
	if (index < 0) {
		kfree(it);
		return ERR_PTR(index);
	}
	it->index = index;
	mutex_init(&it->lock);
	scullpin_config_init(&it->config);
	config_item_init_type_name(&it->item, name, &item_type);
	return &it->item;
}

/* No attribute is being written: configfs has shut them. */
static void root_drop_item(struct config_group *group, struct config_item *item)
{
	struct scullpin_item *it = item_of(item);

	mutex_lock(&it->lock);
	item_set_power(it, false);
	mutex_unlock(&it->lock);
	__clear_bit(it->index, configfs_taken);
	config_item_put(item);
}

static struct configfs_group_operations root_operations = {
	.make_item = root_make_item,
	.drop_item = root_drop_item,
};

static const struct config_item_type root_type = {
	.ct_group_ops = &root_operations,
	.ct_owner = THIS_MODULE,
};

static struct configfs_subsystem configfs_root = {
	.su_group = {
		.cg_item = {
			.ci_namebuf = "scullpin",
			.ci_type = &root_type,
		},
	},
};

/**
 * scullpin_configfs_init - the folder in which devices are made; device 0 is there already
 *
 * Context: module initialisation.
 * Return: 0 or a negative errno.
 */
int scullpin_configfs_init(void)
{
	__set_bit(0, configfs_taken);
	config_group_init(&configfs_root.su_group);
	mutex_init(&configfs_root.su_mutex);
	return scullpin_fault_hits(SCULLPIN_FAULT_CONFIGFS_ROOT) ? -ENOMEM :
		configfs_register_subsystem(&configfs_root);
}

/**
 * scullpin_configfs_exit - undo init; each folder holds the module, so there is none
 *
 * Context: module exit; sleeps.
 */
void scullpin_configfs_exit(void)
{
	configfs_unregister_subsystem(&configfs_root);
}
