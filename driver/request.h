/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CVM_REQUEST_H
#define CVM_REQUEST_H

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/types.h>

#include <uapi/linux/cvm_guest.h>

#include "blob.h"
#include "merkle.h"

struct cvm_session;
struct cvm_set;

/**
 * struct cvm_key_ask - what a key is derived from, see struct cvm_derive
 * @root: enum cvm_root_key
 * @mix: CVM_MIX_*
 * @guest_svn: 0 where it is not in @mix
 * @tcb: likewise
 * @launch_mit_vector: likewise
 */
struct cvm_key_ask {
	u32 root;
	u32 mix;
	u32 guest_svn;
	u64 tcb;
	u64 launch_mit_vector;
};

#define CVM_GUID_SIZE	16

/* bytes of the longest message of struct cvm_raw: MSG_REPORT_REQ */
#define CVM_RAW_MAX	96

/**
 * struct cvm_raw - a message to the SNP firmware as the caller made it
 * @version: of the message
 * @certs: an extended request
 * @short_of_pages: out: the host wants more pages than @pages
 * @pages: in: of certificates, at most; out, with @short_of_pages: how many
 *	the host wants, in its own words
 * @len: bytes of @body
 * @body: the plaintext
 */
struct cvm_raw {
	u8 version;
	bool certs;
	bool short_of_pages;
	u32 pages;
	u32 len;
	u8 body[CVM_RAW_MAX];
};

/**
 * struct cvm_service_ask - what an SVSM is to vouch for, and what it says of it
 * @single: the service @guid; else all that there are
 * @guid: in the order of memory
 * @manifest_version: in which form
 * @manifest: out: cvm_req_memory(); the request's REPORT_DATA is the nonce, and
 *	the report's a hash of that and of this
 * @manifest_len: out: bytes
 */
struct cvm_service_ask {
	bool single;
	u8 guid[CVM_GUID_SIZE];
	u32 manifest_version;
	void *manifest;
	u32 manifest_len;
};

/**
 * struct cvm_rtmr_ask - which RTMR is extended, with what
 * @index: which
 * @digest: with what
 */
struct cvm_rtmr_ask {
	u32 index;
	u8 digest[CVM_RTMR_SIZE];
};

/**
 * struct cvm_waiter - somebody who waits for one or more requests
 * @pending: requests without a result, under the queue lock
 * @done: completed, under the queue lock, when @pending comes to 0
 *
 * It lives on the stack of the waiting task. That is sound because a request
 * refers to it only under the queue lock and only until cvm_req_detach() or
 * its result has cleared the pointer, both of which happen before the task
 * returns.
 */
struct cvm_waiter {
	unsigned int pending;
	struct completion done;
};

/**
 * struct cvm_req - one request on its way through queue and platform
 * @ref: the waiter holds one reference, the queue or platform the other
 * @node: link in the queue, under its lock; then the platform's own, or that of
 *	the leader's list of members
 * @own: link in the session's lists of submitted requests, under the lock
 * @session: the open file it came by, which it keeps alive; NULL: a leader
 * @class: enum cvm_class
 * @kind: enum cvm_kind
 * @flags: CVM_REQ_*
 * @key_sel: enum cvm_key_sel
 * @vmpl: the VMPL to ask for, already resolved
 * @report_data: REPORT_DATA
 * @deadline: CLOCK_MONOTONIC; after it nobody waits any more
 * @queued: when it came, for statistics
 * @issued: when the hardware was first asked
 * @evidence: cvm_req_memory(), by the platform before it finishes the request;
 *	of CVM_KIND_KEY the firmware's key, wiped with the request
 * @evidence_len: bytes
 * @certs: certificate table, which others may have too, or NULL
 * @status: platform_status of the ABI
 * @result: 0 or a negative errno, valid once @state is CVM_REQ_DONE
 * @state: enum cvm_req_state, written under the queue lock
 * @waiter: who waits, under the queue lock; NULL: drop the request unissued,
 *	or throw its answer away; a submitted request has none, see @async
 * @charged: it counts against the limits of its file and owner
 * @unread: bytes by which an unread record counts, too
 * @async: the request was submitted: its end becomes a record of @session
 * @cookie: of the record
 * @key: of CVM_KIND_KEY
 * @rtmr: of CVM_KIND_RTMR, which has no evidence
 * @raw: the message itself, goes with the request; its evidence is the answer's
 *	plaintext, whatever status is in it. NULL: the platform makes the message
 * @service: an SVSM is asked instead, goes with the request; NULL: the firmware is
 * @leaf: batch: what the leaf is made of; @leaf.user_data is the caller's
 * @hash: batch: the leaf, hashed before the request is queued
 * @leader: batch: the request that the hardware was asked with, of which this
 *	one keeps a reference: its evidence and certificates are everybody's;
 *	NULL: not frozen yet
 * @proof: batch: cvm_req_memory(), before the result stands
 * @proof_len: bytes
 * @set: of a leader: the tree
 * @members: of a leader: the frozen set, by @node; the worker's alone
 * @wanted: of a leader: members that somebody waits for, under the queue lock
 * @throttled: of a leader: the statistic when it was issued
 */
struct cvm_req {
	struct kref ref;
	struct list_head node;
	struct list_head own;
	struct cvm_session *session;
	u32 class;
	u32 kind;
	u32 flags;
	u32 key_sel;
	u32 vmpl;
	u8 report_data[CVM_REPORT_DATA_SIZE];
	ktime_t deadline;
	ktime_t queued;
	ktime_t issued;
	void *evidence;
	u32 evidence_len;
	struct cvm_blob *certs;
	u64 status;
	int result;
	u32 state;
	struct cvm_waiter *waiter;
	bool charged;
	u32 unread;
	bool async;
	u64 cookie;
	struct cvm_key_ask key;
	struct cvm_rtmr_ask rtmr;
	struct cvm_raw *raw;
	struct cvm_service_ask *service;
	struct cvm_leaf leaf;
	u8 hash[CVM_HASH_SIZE];
	struct cvm_req *leader;
	void *proof;
	u32 proof_len;
	struct cvm_set *set;
	struct list_head members;
	unsigned int wanted;
	s64 throttled;
};

enum cvm_req_state {
	CVM_REQ_NEW,		/* the caller's alone */
	CVM_REQ_QUEUED,		/* in the queue */
	CVM_REQ_ISSUED,		/* the platform's */
	CVM_REQ_DONE,		/* the result stands */
};

/* -EBUSY: the file or its owner has as many as it may have, or -ENOMEM */
struct cvm_req *cvm_req_alloc(struct cvm_session *session);
/* one of the driver's own, that others share, @member first; NULL: no memory */
struct cvm_req *cvm_req_alloc_leader(const struct cvm_req *member);

/*
 * In the worker: kvmalloc()s what @req gets. It is charged to the memory cgroup
 * of whoever asked, if that is possible at once: reclaim in a cgroup that is at
 * its limit would let everybody wait. CVM_MAX_UNREAD bounds what is not charged.
 */
void *cvm_req_memory(const struct cvm_req *req, size_t size);
void cvm_req_get(struct cvm_req *req);
void cvm_req_put(struct cvm_req *req);

/*
 * Likewise, and it counts no more: its result or record has been seen, or
 * nobody will look for it. The platform may be at work on it all the same, for
 * as long as the host likes, which must not make a file unusable; what that can
 * amount to is bounded by what can be in flight.
 */
void cvm_req_leave(struct cvm_req *req);

static inline bool cvm_req_leads(const struct cvm_req *req)
{
	return !req->session;
}

/* where the evidence of @req, which has a result of 0, is */
static inline const struct cvm_req *cvm_req_evidence(const struct cvm_req *req)
{
	return req->leader ?: req;
}

static inline u32 cvm_req_certs_len(const struct cvm_req *req)
{
	return req->certs ? req->certs->len : 0;
}

static inline const void *cvm_req_certs(const struct cvm_req *req)
{
	return req->certs ? req->certs->data : NULL;
}

/* does anybody still wait for it? From any context, a hint by nature */
bool cvm_req_wanted(const struct cvm_req *req);

/*
 * The platform's last word on @req: takes over its reference, wakes the
 * waiter. With a result of 0 @req->evidence is set and has been checked, where
 * there is any.
 */
void cvm_req_finish(struct cvm_req *req, int result);

/* the worker's, for batches: see queue.c */
void cvm_req_settle(struct cvm_req *req, int result);
void cvm_req_join(struct cvm_req *member, struct cvm_req *leader);

#endif /* CVM_REQUEST_H */
