/* SPDX-License-Identifier: MIT */
/* cvmctl status: the driver's own numbers, which it keeps in sysfs. */
#ifndef CVMCTL_STATUS_H
#define CVMCTL_STATUS_H

#include "cvmctl.h"

/* what each file in stats/ and channel/ means is written in the driver's documentation */
#define STATUS_SYSFS	"/sys/class/misc/cvm_report"

/**
 * struct watch - what is asked of a live view
 * @root: where /sys is looked for, usually ""
 * @interval_ms: between one look and the next
 * @count: intervals, or 0: until a signal ends it
 * @json: one object a line
 */
struct watch {
	const char *root;
	uint32_t interval_ms;
	uint32_t count;
	bool json;
};

/* status_watch.c: until SIGINT, SIGTERM or @count. Returns the exit status. */
int status_watch(const struct watch *watch);

/* status_sample.c */

enum status_counter {
	STATUS_COMPLETED, STATUS_FAILED, STATUS_REFUSED, STATUS_TIMEOUTS, STATUS_ISSUED,
	STATUS_BATCHES, STATUS_LEAVES, STATUS_THROTTLED, STATUS_RETRIES, STATUS_LATE,
	STATUS_COUNTERS,
};

extern const char *const status_counters[STATUS_COUNTERS];

#define STATUS_BUCKETS	64

/**
 * struct status_sample - one look at the driver
 * @loaded: it was there, and all of it could be read
 * @state: of the channel
 * @counter: since it was loaded
 * @bucket: requests that took less than @bound_us[], the last one all others
 * @buckets: how many
 */
struct status_sample {
	bool loaded;
	char state[16];
	uint64_t counter[STATUS_COUNTERS];
	uint64_t bucket[STATUS_BUCKETS], bound_us[STATUS_BUCKETS];
	size_t buckets;
};

void status_take(const char *root, struct status_sample *sample);

/*
 * What has happened between two looks, in @then; all zero where the driver was not there
 * in between, or is another one since.
 */
void status_since(const struct status_sample *before, const struct status_sample *now,
		  struct status_sample *then);

/*
 * A time that so many of a hundred requests did not take longer than, as exactly as the
 * driver's buckets are; 0: there were none, UINT64_MAX: longer than any bucket has
 */
uint64_t status_percentile_us(const struct status_sample *then, unsigned int percent);

#endif /* CVMCTL_STATUS_H */
