// SPDX-License-Identifier: GPL-2.0-only
/*
 * The settings of a device: one table, read and written as module parameters
 * (of device 0), as sysfs attributes of a device, and by configfs.c as
 * attributes of a device that need not be there yet.
 */
#include <linux/ctype.h>
#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/moduleparam.h>
#include <linux/overflow.h>
#include <linux/string.h>

#include "config.h"
#include "device.h"

static const char * const engine_words[] = { "cpu", "dma", NULL };
static const char * const completion_words[] = { "auto", "inline", "deferred", NULL };
static const char * const unaligned_words[] = { "refuse", "buffered", NULL };

#define CONFIG_DEFAULTS {				\
	.size = SZ_1G,					\
	.logical_block_size = 512,			\
	.dma_alignment = 4,				\
	.max_pinned = SZ_64M,				\
	.deadline_ms = 10 * MSEC_PER_SEC,		\
}

/* Of device 0; written by module parameters before init. */
static struct scullpin_config config_of_device0 = CONFIG_DEFAULTS;

static u64 *knob_field(const struct scullpin_knob *knob, struct scullpin_config *config)
{
	return (void *)config + knob->offset;
}

/* A decimal number with an optional suffix k, M, G or T; nothing after it. */
static int parse_size(const char *text, u64 *value)
{
	static const char suffixes[] = "kmgt";
	char digits[24];
	const char *suffix;
	size_t length;
	int ret;

	if (strscpy(digits, text, sizeof(digits)) < 0)
		return -EINVAL;
	length = strlen(strim(digits));
	if (!length || !isdigit(digits[0]))
		return -EINVAL;
	suffix = strchr(suffixes, tolower(digits[length - 1]));
	if (suffix)
		digits[length - 1] = '\0';
	ret = kstrtou64(digits, 10, value);
	if (ret || !suffix)
		return ret;
	return check_shl_overflow(*value, 10 * (suffix - suffixes + 1), value) ? -ERANGE : 0;
}

static int parse_word(const char * const *words, const char *text, u64 *value)
{
	for (*value = 0; words[*value]; (*value)++)
		if (sysfs_streq(text, words[*value]))
			return 0;
	return -EINVAL;
}

/**
 * scullpin_knob_write - set one setting
 * @knob: which
 * @config: whose
 * @text: a number with an optional suffix k, M, G or T, or a word
 *
 * Context: any.
 * Return: 0, or -EINVAL or -ERANGE, and nothing has changed.
 */
int scullpin_knob_write(const struct scullpin_knob *knob, struct scullpin_config *config,
			const char *text)
{
	u64 value;
	int ret;

	ret = knob->words ? parse_word(knob->words, text, &value) : parse_size(text, &value);
	if (ret)
		return ret;
	if (!knob->words && (value < knob->min || value > knob->max))
		return -EINVAL;
	if (knob->power_of_two && !is_power_of_2(value))
		return -EINVAL;
	/* Pairs with READ_ONCE() of live settings, once a request. */
	WRITE_ONCE(*knob_field(knob, config), value);
	return 0;
}

/**
 * scullpin_knob_print - write one setting as text
 * @knob: which
 * @config: whose
 * @text: a page of the kernel's own, page aligned
 *
 * Context: any.
 * Return: bytes.
 */
int scullpin_knob_print(const struct scullpin_knob *knob, struct scullpin_config *config,
			char *text)
{
	u64 value = READ_ONCE(*knob_field(knob, config));

	if (knob->words)
		return sysfs_emit(text, "%s\n", knob->words[value]);
	return sysfs_emit(text, "%llu\n", value);
}

static int knob_param_set(const char *text, const struct kernel_param *param)
{
	return scullpin_knob_write(param->arg, &config_of_device0, text);
}

static int knob_param_get(char *text, const struct kernel_param *param)
{
	return scullpin_knob_print(param->arg, &config_of_device0, text);
}

static const struct kernel_param_ops knob_param_ops = {
	.set = knob_param_set,
	.get = knob_param_get,
};

struct scullpin_knob_attribute {
	struct device_attribute attr;
	const struct scullpin_knob *knob;
};

static ssize_t knob_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct scullpin_knob_attribute *ka = container_of(attr, struct scullpin_knob_attribute,
							  attr);

	return scullpin_knob_print(ka->knob, &scullpin_device_of(dev)->config, buf);
}

static ssize_t knob_store(struct device *dev, struct device_attribute *attr, const char *buf,
			  size_t count)
{
	struct scullpin_knob_attribute *ka = container_of(attr, struct scullpin_knob_attribute,
							  attr);
	int ret = scullpin_knob_write(ka->knob, &scullpin_device_of(dev)->config, buf);

	if (ret)
		return ret;
	scullpin_device_settings_changed(scullpin_device_of(dev));
	return count;
}

/* One setting: its row, its module parameter and its sysfs attribute. */
#define SCULLPIN_KNOB(_name, _mode, _help, ...)						\
	const struct scullpin_knob scullpin_knob_##_name = {				\
		.name = #_name,								\
		.offset = offsetof(struct scullpin_config, _name),			\
		.live = (_mode) & 0200,							\
		__VA_ARGS__								\
	};										\
	static struct scullpin_knob_attribute attribute_##_name = {			\
		.attr = __ATTR(_name, _mode, knob_show, (_mode) & 0200 ? knob_store : NULL),	\
		.knob = &scullpin_knob_##_name,						\
	};										\
	module_param_cb(_name, &knob_param_ops, (void *)&scullpin_knob_##_name, 0444);		\
	MODULE_PARM_DESC(_name, _help)

SCULLPIN_KNOB(size, 0444, "bytes on the device, sparse (default 1G)",
	      .min = 512, .max = SZ_1T * 16ULL);
SCULLPIN_KNOB(logical_block_size, 0444, "bytes, 512 to 4096, unit of direct I/O (default 512)",
	      .min = 512, .max = 4096, .power_of_two = true);
SCULLPIN_KNOB(dma_alignment, 0444, "bytes, 1 to 4096, of addresses and lengths (default 4)",
	      .min = 1, .max = 4096, .power_of_two = true);
SCULLPIN_KNOB(engine, 0444, "who moves the bytes: cpu or dma (default cpu)", .words = engine_words);
SCULLPIN_KNOB(completion, 0644, "auto, inline or deferred (default auto)",
	      .words = completion_words);
SCULLPIN_KNOB(latency_us, 0644, "microseconds before a request is moved (default 0)",
	      .max = SCULLPIN_MAX_DELAY_US);
SCULLPIN_KNOB(bandwidth, 0644, "bytes per second of the modelled device (default 0, unlimited)",
	      .max = U64_MAX);
SCULLPIN_KNOB(max_pinned, 0644, "bytes of user memory pinned at once (default 64M)",
	      .min = 1, .max = U64_MAX);
SCULLPIN_KNOB(unaligned, 0644, "unaligned direct I/O: refuse or buffered (default refuse)",
	      .words = unaligned_words);
SCULLPIN_KNOB(deadline_ms, 0644, "milliseconds an engine may be silent (default 10000)",
	      .min = 1, .max = 30 * MSEC_PER_SEC);

static struct attribute *scullpin_config_attributes[] = {
#define X(_name) &attribute_##_name.attr.attr,
	SCULLPIN_KNOBS(X)
#undef X
	NULL
};

const struct attribute_group scullpin_config_group = {
	.attrs = scullpin_config_attributes,
};

/**
 * scullpin_config_init - what is documented as default
 * @config: where to
 *
 * Context: any.
 */
void scullpin_config_init(struct scullpin_config *config)
{
	*config = (struct scullpin_config)CONFIG_DEFAULTS;
}

/**
 * scullpin_config_agrees - are the settings without contradiction?
 * @config: the settings
 *
 * Context: any.
 * Return: whether a device may have them.
 */
bool scullpin_config_agrees(const struct scullpin_config *config)
{
	return !(config->size & (config->logical_block_size - 1));
}

/**
 * scullpin_config_load - take the settings of device 0, if they agree
 * @config: where to
 *
 * Context: module initialisation.
 * Return: 0, or -EINVAL when settings contradict each other.
 */
int scullpin_config_load(struct scullpin_config *config)
{
	*config = config_of_device0;
	if (!scullpin_config_agrees(config)) {
		pr_err("scullpin: size %llu is not a multiple of logical_block_size %llu\n",
		       config->size, config->logical_block_size);
		return -EINVAL;
	}
	return 0;
}
