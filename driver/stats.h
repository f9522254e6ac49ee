/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the driver counts; sysfs shows it under the misc device.
 */
#ifndef CVM_STATS_H
#define CVM_STATS_H

#include <linux/atomic.h>

#include "limits.h"

struct attribute_group;
struct cvm_platform;
struct cvm_req;

/**
 * struct cvm_stats - counters since the module was loaded
 * @requests: requests that passed the checks of CVM_ISSUE
 * @completed: finished by the platform with evidence
 * @failed: finished by the platform with an error
 * @refused: turned away, before the queue or out of it: there is no room, or
 *	not for this platform
 * @timeouts: deadlines that passed before the result
 * @detached: given up before the result: by a signal, CVM_CANCEL, or with the
 *	file
 * @issued: requests handed to the platform
 * @batches: sets that were frozen, each one of @issued
 * @leaves: requests in them
 * @throttled: the host said "later": VMM BUSY, GetQuote RETRY
 * @retries: a message or call given to the host once more
 * @rejected: answers of the host that failed a check
 * @late: requests that the host took far longer for than it used to
 * @latency: histogram of the time from queue to evidence
 */
struct cvm_stats {
	atomic64_t requests;
	atomic64_t completed;
	atomic64_t failed;
	atomic64_t refused;
	atomic64_t timeouts;
	atomic64_t detached;
	atomic64_t issued;
	atomic64_t batches;
	atomic64_t leaves;
	atomic64_t throttled;
	atomic64_t retries;
	atomic64_t rejected;
	atomic64_t late;
	atomic64_t latency[CVM_LATENCY_BUCKETS];
};

extern struct cvm_stats cvm_stats;

#define cvm_count(what)		atomic64_inc(&cvm_stats.what)
#define cvm_count_n(what, n)	atomic64_add(n, &cvm_stats.what)

void cvm_stats_finish(const struct cvm_req *req, int result);
const struct attribute_group **cvm_stats_groups(const struct cvm_platform *p);

#endif /* CVM_STATS_H */
