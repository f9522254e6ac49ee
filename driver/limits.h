/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every number of the core: what bounds memory, time and the host's influence.
 */
#ifndef CVM_LIMITS_H
#define CVM_LIMITS_H

#include <linux/sizes.h>

enum {
	/* one array of CVM_ISSUE */
	CVM_MAX_REQUESTS	= 128,
	/* requests of one open file without a result, detached ones included */
	CVM_MAX_SESSION		= 1024,
	/* requests that wait for the hardware, of everybody */
	CVM_MAX_QUEUED		= 4096,

	/* deadlines of callers */
	CVM_DEFAULT_TIMEOUT_MS	= 30 * 1000,
	CVM_MAX_TIMEOUT_MS	= 600 * 1000,

	/* unload, reboot and kexec wait this long for what is in flight */
	CVM_DRAIN_MS		= 5 * 1000,

	/* latency buckets: below 2^6 us, 2^7 us, ... 2^25 us (34 s), above */
	CVM_LATENCY_FIRST	= 6,
	CVM_LATENCY_BUCKETS	= 21,
};

#endif /* CVM_LIMITS_H */
