/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a platform does for the core, and the locking rules between them.
 */
#ifndef CVM_PLATFORM_H
#define CVM_PLATFORM_H

#include <linux/ktime.h>
#include <linux/types.h>

#include "limits.h"
#include "request.h"
#include "stats.h"

struct attribute;

/**
 * struct cvm_platform - one kind of confidential VM
 * @name: for messages and sysfs: "snp", "tdx", "azure-snp", "azure-tdx"
 * @id: enum cvm_platform_id
 * @kinds: bit (1 << kind), see struct cvm_info
 * @batch_kind: what a batch shares
 * @max_evidence: bytes; no evidence of this platform is longer
 * @max_certs: bytes; no certificate table is longer, 0: it has none
 * @attrs: NULL-terminated device attributes of the platform's own, at most
 *	CVM_MAX_ATTRS, which appear in the sysfs directory channel/
 * @detect: is this the platform? Called once, at load, without side effects.
 * @start: take the hardware: bind, allocate, share. May sleep. 0, or a
 *	negative errno after one message that says what to do (-EBUSY: another
 *	driver owns the hardware).
 * @stop: give it back; the worker is gone. Never frees a page whose
 *	encryption state is unknown or that the host may still write.
 * @check: may this request be asked at all? 0, -EINVAL or -EOPNOTSUPP. In the
 *	caller's context, without locks; touches nothing but @req. Not asked about a
 *	message that the caller made (@req->raw): the firmware says what is wrong
 *	with it
 * @room: how many more requests of @kind the platform takes now. A platform
 *	whose channel is dead has room: it refuses each with -ENOKEY at once.
 * @early: how many requests of @kind, more than @room, the platform takes now
 *	to prepare them for when it has room. Not for a set of callers, which
 *	would be frozen too early, nor while one waits, which they would
 *	overtake. NULL: none
 * @ready: from when on (CLOCK_MONOTONIC) the host is expected to let a request
 *	of @kind through; a time that is past, 0 for one: at once. The request
 *	is then best issued, and a set of callers frozen, at that time and not
 *	before. It changes with every @issue and @poll. At most some seconds
 *	ahead, whatever the host does. NULL: always at once.
 * @issue: ask the hardware. The platform owns one reference to @req until it
 *	hands it to cvm_req_finish(), here or in a later @poll; until then
 *	@req->node is the platform's. May block for the time of the firmware.
 * @poll: advance whatever is in flight or parked; returns when to be called
 *	again at the latest (CLOCK_MONOTONIC), KTIME_MAX for "not before the
 *	next @issue". May be called earlier and at any time.
 * @leave: the worker will be told to stop: what @issue waits for now may take
 *	CVM_DRAIN_MS more. From any context that may sleep; may be NULL
 * @drain: the module leaves: finish what is in flight within
 *	CVM_DRAIN_MS; after it no message of ours may be answered under a live
 *	key. Every request the platform still owns is finished.
 * @channel: enum cvm_channel_state, from any context, without locks.
 * @vmpl: see struct cvm_info; NULL: 0
 * @services: is there somebody to ask for what requests say in @req->service?
 *	Constant while the platform is started. NULL: nobody
 * @max_inflight: see struct cvm_info
 *
 * One kthread, the worker, calls @issue, @poll, @drain, @room, @early and
 * @ready, so a platform needs no lock for what only these touch. No lock of
 * the core is held over any of them. Fields read by others (@attrs, @channel)
 * are written with WRITE_ONCE() or are atomic. The worker is woken through its
 * own wait queue: a platform that sleeps inside @issue or @drain is never
 * woken by a new request; only the module's end wakes it.
 */
struct cvm_platform {
	const char *name;
	u32 id;
	u32 kinds;
	u32 batch_kind;
	u32 max_evidence;
	u32 max_certs;
	struct attribute *const *attrs;
	bool (*detect)(void);
	int (*start)(void);
	void (*stop)(void);
	int (*check)(const struct cvm_req *req);
	unsigned int (*room)(u32 kind);
	unsigned int (*early)(u32 kind);
	ktime_t (*ready)(u32 kind);
	void (*issue)(struct cvm_req *req);
	ktime_t (*poll)(void);
	void (*leave)(void);
	void (*drain)(void);
	u32 (*channel)(void);
	u32 (*vmpl)(void);
	bool (*services)(void);
	u32 (*max_inflight)(void);
};

/* the platform found at load; constant while any file can be open */
extern const struct cvm_platform *cvm_platform;

extern const struct cvm_platform cvm_snp;
extern const struct cvm_platform cvm_tdx;
extern const struct cvm_platform cvm_azure_snp;
extern const struct cvm_platform cvm_azure_tdx;

#endif /* CVM_PLATFORM_H */
