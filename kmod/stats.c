// SPDX-License-Identifier: GPL-2.0-only
/* Counters of a device: per CPU, summed when sysfs reads them. */
#include <linux/device.h>

#include "device.h"
#include "fault.h"
#include "stats.h"

/**
 * scullpin_stats_init - counters at zero
 * @stats: the counters
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int scullpin_stats_init(struct scullpin_stats *stats)
{
	if (!scullpin_fault_hits(SCULLPIN_FAULT_DEVICE_STATS))
		stats->counters = alloc_percpu(struct scullpin_counters);
	return stats->counters ? 0 : -ENOMEM;
}

/**
 * scullpin_stats_exit - undo scullpin_stats_init()
 * @stats: the counters
 *
 * Context: process context, may sleep.
 */
void scullpin_stats_exit(struct scullpin_stats *stats)
{
	free_percpu(stats->counters);
}

static u64 stats_sum(const struct scullpin_stats *stats, enum scullpin_counter counter)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(stats->counters, cpu)->value[counter]);
	return sum;
}

struct scullpin_stats_attribute {
	struct device_attribute attr;
	enum scullpin_counter counter;
};

static ssize_t counter_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct scullpin_stats_attribute *sa = container_of(attr, struct scullpin_stats_attribute,
							   attr);

	return sysfs_emit(buf, "%llu\n", stats_sum(&scullpin_device_of(dev)->stats, sa->counter));
}

static ssize_t in_flight_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	const struct scullpin_stats *stats = &scullpin_device_of(dev)->stats;
	/* Completions first: a request that ends in between is never counted as negative. */
	u64 completed = stats_sum(stats, SCULLPIN_COUNT_requests_completed), submitted;

	smp_rmb();	/* who counts a completion has counted the submission before */
	submitted = stats_sum(stats, SCULLPIN_COUNT_requests_submitted);
	return sysfs_emit(buf, "%llu\n", submitted - min(completed, submitted));
}
static DEVICE_ATTR_RO(in_flight);

#define X(_name)									\
	static struct scullpin_stats_attribute counter_attribute_##_name = {		\
		.attr = __ATTR(_name, 0444, counter_show, NULL),			\
		.counter = SCULLPIN_COUNT_##_name,					\
	};
SCULLPIN_COUNTERS(X)
#undef X

#define X(_name)									\
	static struct scullpin_stats_attribute refusal_attribute_##_name = {		\
		.attr = __ATTR(_name, 0444, counter_show, NULL),			\
		.counter = SCULLPIN_COUNT_REFUSED + SCULLPIN_REFUSED_##_name,		\
	};
SCULLPIN_REFUSALS(X)
#undef X

static struct attribute *scullpin_stats_attributes[] = {
#define X(_name) &counter_attribute_##_name.attr.attr,
	SCULLPIN_COUNTERS(X)
#undef X
	&dev_attr_in_flight.attr,
	NULL
};

const struct attribute_group scullpin_stats_group = {
	.name = "stats",
	.attrs = scullpin_stats_attributes,
};

static struct attribute *scullpin_refused_attributes[] = {
#define X(_name) &refusal_attribute_##_name.attr.attr,
	SCULLPIN_REFUSALS(X)
#undef X
	NULL
};

const struct attribute_group scullpin_refused_group = {
	.name = "refused",
	.attrs = scullpin_refused_attributes,
};
