// SPDX-License-Identifier: GPL-2.0-only
/*
 * Named points at which a test makes something fail that never fails by
 * itself. Only in a build with SCULLPIN_FAULT=1; without, no instruction of
 * this is left.
 *
 * /sys/kernel/debug/scullpin/fault/NAME: write n to make the nth unit from now
 * on fail, 0 to disarm; it reads 0 when it has failed one. What must fail while
 * the module is loaded is armed by a parameter: fault=NAME:n,...
 */
#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "debugfs.h"
#include "fault.h"

/**
 * struct fault_point - one point
 * @name: its file
 * @countdown: units until it fails one, that one included; 0 when off; cmpxchg
 */
struct fault_point {
	const char *name;
	atomic64_t countdown;
};

static struct fault_point fault_points[] = {
#define X(_id, _name) [SCULLPIN_FAULT_##_id] = { .name = #_name },
	SCULLPIN_FAULTS(X)
#undef X
};

/**
 * scullpin_fault_armed - will a point fail something?
 * @point: which
 *
 * Context: any.
 * Return: the number that it is armed with, 0 when it is off.
 */
u64 scullpin_fault_armed(enum scullpin_fault point)
{
	return atomic64_read(&fault_points[point].countdown);
}

/**
 * scullpin_fault_pass - how many of some units pass before the fault
 * @point: which
 * @units: more than 0
 *
 * Context: any.
 * Return: @units when the point is off; 0 when it fails here, and is off then.
 */
size_t scullpin_fault_pass(enum scullpin_fault point, size_t units)
{
	atomic64_t *countdown = &fault_points[point].countdown;
	s64 left = atomic64_read(countdown);
	s64 pass;

	do {
		if (!left)
			return units;
		pass = min_t(s64, left - 1, units);
	} while (!atomic64_try_cmpxchg(countdown, &left, pass ? left - pass : 0));
	return pass;
}

/**
 * scullpin_fault_take - the number that a point is armed with, once
 * @point: which
 *
 * Context: any.
 * Return: the number, and the point is off then; 0 when it is off.
 */
u64 scullpin_fault_take(enum scullpin_fault point)
{
	return atomic64_xchg(&fault_points[point].countdown, 0);
}

static int fault_get(void *data, u64 *value)
{
	struct fault_point *p = data;

	*value = atomic64_read(&p->countdown);
	return 0;
}

static int fault_set(void *data, u64 value)
{
	struct fault_point *p = data;

	if (value > S64_MAX)
		return -EINVAL;
	atomic64_set(&p->countdown, value);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(fault_fops, fault_get, fault_set, "%llu\n");

/* NAME:n */
static int fault_arm(char *word)
{
	char *number = strchr(word, ':');
	unsigned int i;
	u64 value;

	if (!number)
		return -EINVAL;
	*number++ = '\0';
	for (i = 0; i < SCULLPIN_FAULT_MAX; i++)
		if (!strcmp(word, fault_points[i].name))
			return kstrtou64(number, 10, &value) ?:
				fault_set(&fault_points[i], value);
	return -EINVAL;
}

static int fault_param_set(const char *text, const struct kernel_param *param)
{
	char *copy, *rest, *word;
	int ret = 0;

	copy = kstrdup(text, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	rest = copy;
	while (!ret && (word = strsep(&rest, ",")))
		ret = fault_arm(strim(word));
	kfree(copy);
	return ret;
}

static const struct kernel_param_ops fault_param_ops = { .set = fault_param_set };
module_param_cb(fault, &fault_param_ops, NULL, 0200);
MODULE_PARM_DESC(fault, "points armed at load time: NAME:n,...");

/**
 * scullpin_fault_init - the files in debugfs, which go with the folder they are in
 *
 * Context: module initialisation.
 */
void scullpin_fault_init(void)
{
	struct dentry *folder;
	unsigned int i;

	folder = debugfs_create_dir("fault", scullpin_debugfs_root);
	for (i = 0; i < SCULLPIN_FAULT_MAX; i++)
		debugfs_create_file_unsafe(fault_points[i].name, 0600, folder, &fault_points[i],
					   &fault_fops);
}
