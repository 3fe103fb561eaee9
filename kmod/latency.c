// SPDX-License-Identifier: GPL-2.0-only
/* How long deferred requests take: a histogram per CPU, summed when sysfs reads it. */
#include <linux/device.h>
#include <linux/log2.h>

#include "device.h"
#include "latency.h"

/* Below 4 each has its own; above, an octave is cut in four. */
static unsigned int latency_bucket(u64 us)
{
	unsigned int shift;

	if (us < 4)
		return us;
	shift = ilog2(us) - 2;
	return min_t(u64, 4 * shift + (us >> shift), SCULLPIN_LATENCY_BUCKETS - 1);
}

/* The least that a bucket holds. */
static u64 latency_floor(unsigned int bucket)
{
	return bucket < 4 ? bucket : (4ULL + bucket % 4) << (bucket / 4 - 1);
}

/**
 * scullpin_latency_add - count a deferred request
 * @sdev: the device
 * @write: its direction
 * @time: from submission to completion
 *
 * Context: any.
 */
void scullpin_latency_add(struct scullpin_device *sdev, bool write, ktime_t time)
{
	this_cpu_inc(sdev->stats.counters->latency.count[write][latency_bucket(ktime_to_us(time))]);
}

/* A line for each bucket that holds anything: its floor in microseconds, and how many. */
static ssize_t latency_print(const struct scullpin_device *sdev, bool write, char *buf)
{
	const struct scullpin_latency *latency;
	unsigned int bucket;
	ssize_t length = 0;
	u64 sum;
	int cpu;

	for (bucket = 0; bucket < SCULLPIN_LATENCY_BUCKETS; bucket++) {
		sum = 0;
		for_each_possible_cpu(cpu) {
			latency = &per_cpu_ptr(sdev->stats.counters, cpu)->latency;
			sum += READ_ONCE(latency->count[write][bucket]);
		}
		if (sum)
			length += sysfs_emit_at(buf, length, "%llu %llu\n", latency_floor(bucket),
						sum);
	}
	return length;
}

static ssize_t read_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return latency_print(scullpin_device_of(dev), false, buf);
}
static DEVICE_ATTR_RO(read);

static ssize_t write_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return latency_print(scullpin_device_of(dev), true, buf);
}
static DEVICE_ATTR_RO(write);

static struct attribute *scullpin_latency_attributes[] = {
	&dev_attr_read.attr,
	&dev_attr_write.attr,
	NULL
};

const struct attribute_group scullpin_latency_group = {
	.name = "latency",
	.attrs = scullpin_latency_attributes,
};
