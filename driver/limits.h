/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every number of the core: what bounds memory, time and the host's influence.
 */
#ifndef CVM_LIMITS_H
#define CVM_LIMITS_H

#include <uapi/linux/cvm_guest.h>

enum {
	/* one array of CVM_ISSUE or CVM_SUBMIT */
	CVM_MAX_REQUESTS	= 1024,
	/* requests of one open file without a result, or whose record is unread */
	CVM_MAX_SESSION		= 1024,
	/* the same of one party, over all its files */
	CVM_MAX_OWNER		= 8192,
	/*
	 * bytes of evidence in unread records of one party, after which nothing
	 * more is asked for it until it reads; what the hardware works on then
	 * comes on top. With quotes of the usual size CVM_MAX_OWNER is less.
	 */
	CVM_MAX_UNREAD		= 64 * 1024 * 1024,
	/* how far below the root the cgroups are that are parties, see owner.c */
	CVM_PARTY_LEVEL		= 2,
	/* requests that share one report */
	CVM_MAX_LEAVES		= 1024,
	/*
	 * how long a set gathers for those who are on their way, at most: twice
	 * this while they keep coming, half of it for the next of them
	 */
	CVM_GATHER_MAX_US	= 10 * 1000,
	/* a hardware command, as its owners are charged for their parts of it */
	CVM_COMMAND		= 1024,
	/* requests that wait for the hardware, of everybody */
	CVM_MAX_QUEUED		= 4096,

	/* kinds of requests: one more than the highest enum cvm_kind */
	CVM_KINDS		= CVM_KIND_HCL_REPORT + 1,

	/* deadlines of callers */
	CVM_DEFAULT_TIMEOUT_MS	= 30 * 1000,
	CVM_MAX_TIMEOUT_MS	= 600 * 1000,

	/*
	 * of whoever uses the nodes of the kernel's own drivers, which have none
	 * to give: as long as those repeat a message
	 */
	CVM_DROP_IN_TIMEOUT_MS	= 60 * 1000,

	/* unload, reboot and kexec wait this long for what is in flight */
	CVM_DRAIN_MS		= 5 * 1000,

	/* a certificate table is asked for anew after this time */
	CVM_CERTS_AGE_MS	= 10 * 60 * 1000,

	/* latency buckets: below 2^6 us, 2^7 us, ... 2^25 us (34 s), above */
	CVM_LATENCY_FIRST	= 6,
	CVM_LATENCY_BUCKETS	= 21,

	/*
	 * TDX: buffers that the host may be asked with at a time, by default
	 * and at most; and those that stand in for buffers it is late with.
	 */
	CVM_TDX_BUFFERS		= 4,
	CVM_TDX_BUFFERS_MAX	= 16,
	CVM_TDX_SPARES		= 4,
	/* the back-off after RETRY */
	CVM_TDX_RETRY_MIN_US	= 1000,
	CVM_TDX_RETRY_MAX_US	= 64 * 1000,
	/* how often to look at a late buffer that nobody waits for */
	CVM_TDX_IDLE_MS		= 100,

	/*
	 * Azure: of two reports the second can be had so much later; it is more
	 * where the paravisor turns out to take longer, up to the second number
	 */
	CVM_AZURE_WINDOW_MS	= 2000,
	CVM_AZURE_WINDOW_MAX_MS	= 8 * 1000,
	/* between two looks at whether it has one */
	CVM_AZURE_PAUSE_MIN_MS	= 3,
	CVM_AZURE_PAUSE_MAX_MS	= 100,
	/* after this time without one, something hinders it */
	CVM_AZURE_PATIENCE_MS	= 9 * 1000,
	/* reports that are not one whole, in a row, a window apart */
	CVM_AZURE_TRIES		= 3,

	/*
	 * SVSM: pages of a manifest, at first and at most, and how often it is
	 * called for one request, with more room each time
	 */
	CVM_SVSM_PAGES		= 1,
	CVM_SVSM_PAGES_MAX	= 64,
	CVM_SVSM_CALLS		= 4,

	/* files that a platform adds to channel/ in sysfs */
	CVM_MAX_ATTRS		= 8,
};

/* what waits together: the kinds, and batches with and without certificates */
enum cvm_class {
	CVM_CLASS_BATCH		= CVM_KIND_BATCH,
	CVM_CLASS_KEY		= CVM_KIND_KEY,
	CVM_CLASS_BATCH_CERTS	= CVM_KINDS,
	CVM_CLASSES,
};

/* bits of those that are frozen in sets */
#define CVM_BATCH_CLASSES	(1U << CVM_CLASS_BATCH | 1U << CVM_CLASS_BATCH_CERTS)
#define CVM_KEY_CLASSES		(1U << CVM_CLASS_KEY)

#endif /* CVM_LIMITS_H */
