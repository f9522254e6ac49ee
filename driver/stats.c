// SPDX-License-Identifier: GPL-2.0-only
/*
 * Statistics and the state of the channel, in sysfs under the misc device:
 * /sys/class/misc/cvm_report/{stats,channel}/
 */
#include <linux/device.h>
#include <linux/log2.h>
#include <linux/sysfs.h>

#include "abi/measurements.h"
#include "abi/tsm.h"
#include "platform.h"

struct cvm_stats cvm_stats;

/* bucket i counts times below 2^(CVM_LATENCY_FIRST + i) us, the last the rest */
static void count_latency(ktime_t took)
{
	u64 us = max_t(s64, ktime_to_us(took), 0);
	int bucket = us ? ilog2(us) + 1 - CVM_LATENCY_FIRST : 0;

	bucket = clamp(bucket, 0, CVM_LATENCY_BUCKETS - 1);
	atomic64_inc(&cvm_stats.latency[bucket]);
}

void cvm_stats_finish(const struct cvm_req *req, int result)
{
	if (result) {
		cvm_count(failed);
		return;
	}
	cvm_count(completed);
	count_latency(ktime_sub(ktime_get(), req->queued));
}

#define COUNTER(name)							\
static ssize_t name##_show(struct device *dev,				\
			   struct device_attribute *attr, char *buf)	\
{									\
	return sysfs_emit(buf, "%lld\n",				\
			  (s64)atomic64_read(&cvm_stats.name));		\
}									\
static DEVICE_ATTR_RO(name)

COUNTER(requests);
COUNTER(completed);
COUNTER(failed);
COUNTER(refused);
COUNTER(timeouts);
COUNTER(detached);
COUNTER(issued);
COUNTER(batches);
COUNTER(leaves);
COUNTER(throttled);
COUNTER(retries);
COUNTER(rejected);
COUNTER(late);

/* a line per bucket: its upper bound in microseconds, and the count */
static ssize_t latency_us_show(struct device *dev,
			       struct device_attribute *attr, char *buf)
{
	ssize_t len = 0;
	int i;

	for (i = 0; i < CVM_LATENCY_BUCKETS - 1; i++)
		len += sysfs_emit_at(buf, len, "%lu %lld\n",
				     BIT(CVM_LATENCY_FIRST + i),
				     (s64)atomic64_read(&cvm_stats.latency[i]));
	len += sysfs_emit_at(buf, len, "inf %lld\n",
			     (s64)atomic64_read(&cvm_stats.latency[i]));
	return len;
}
static DEVICE_ATTR_RO(latency_us);

static struct attribute *stats_attrs[] = {
	&dev_attr_requests.attr,
	&dev_attr_completed.attr,
	&dev_attr_failed.attr,
	&dev_attr_refused.attr,
	&dev_attr_timeouts.attr,
	&dev_attr_detached.attr,
	&dev_attr_issued.attr,
	&dev_attr_batches.attr,
	&dev_attr_leaves.attr,
	&dev_attr_throttled.attr,
	&dev_attr_retries.attr,
	&dev_attr_rejected.attr,
	&dev_attr_late.attr,
	&dev_attr_latency_us.attr,
	NULL,
};

static const struct attribute_group stats_group = {
	.name = "stats",
	.attrs = stats_attrs,
};

static ssize_t platform_show(struct device *dev,
			     struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", cvm_platform->name);
}
static DEVICE_ATTR_RO(platform);

static ssize_t state_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	static const char *const names[] = {
		[CVM_CHANNEL_READY] = "ready",
		[CVM_CHANNEL_PARKED] = "parked",
		[CVM_CHANNEL_DEAD] = "dead",
	};

	return sysfs_emit(buf, "%s\n", names[cvm_platform->channel()]);
}
static DEVICE_ATTR_RO(state);

static ssize_t max_inflight_show(struct device *dev,
				 struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", cvm_platform->max_inflight());
}
static DEVICE_ATTR_RO(max_inflight);

static ssize_t tsm_show(struct device *dev, struct device_attribute *attr,
			char *buf)
{
	return sysfs_emit(buf, "%s\n", cvm_tsm_state());
}
static DEVICE_ATTR_RO(tsm);

#define CHANNEL_COMMON	4
static struct attribute *channel_attrs[CHANNEL_COMMON + CVM_MAX_ATTRS + 1] = {
	&dev_attr_platform.attr,
	&dev_attr_state.attr,
	&dev_attr_max_inflight.attr,
	&dev_attr_tsm.attr,
};

static const struct attribute_group channel_group = {
	.name = "channel",
	.attrs = channel_attrs,
};

static const struct attribute_group *groups[] = {
	&stats_group,
	&channel_group,
	NULL,	/* measurements */
	NULL,
};

/* the groups of the misc device, with what platform @p adds to channel/ */
const struct attribute_group **cvm_stats_groups(const struct cvm_platform *p)
{
	int i;

	for (i = 0; i < CVM_MAX_ATTRS && p->attrs && p->attrs[i]; i++)
		channel_attrs[CHANNEL_COMMON + i] = p->attrs[i];
	if (p->kinds & BIT(CVM_KIND_RTMR))
		groups[2] = CVM_MEASUREMENTS;
	return groups;
}
