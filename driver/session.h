/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CVM_SESSION_H
#define CVM_SESSION_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "limits.h"
#include "merkle.h"

struct cvm_owner;
struct cvm_req;
struct mem_cgroup;

/**
 * struct cvm_flow - what waits of one file in one class; under the queue lock
 * @node: in the owner's list, while @requests is not empty
 * @requests: by cvm_req.node
 */
struct cvm_flow {
	struct list_head node;
	struct list_head requests;
};

/* which node a file was opened by */
enum cvm_node {
	CVM_NODE_REPORT,
	CVM_NODE_BATCH,
	CVM_NODE_KEY,
	/* that of the kernel's own driver, see abi/ */
	CVM_NODE_DROP_IN,
};

/**
 * struct cvm_session - an open file of ours
 * @ref: the file holds one reference, each of its requests another: a request
 *	that the hardware still works on can outlive the file
 * @requests: that exist, against CVM_MAX_SESSION
 * @owner: who pays
 * @memcg: of whoever opened the file, or NULL
 * @node: of which one
 * @scope_lock: of the next three
 * @used: there was a request: too late for a label
 * @labelled: @label is that of all requests
 * @label: scope of kind CVM_SCOPE_LABEL
 * @flows: what waits, by class
 * @pending: submitted requests without a result, by cvm_req.own; each list
 *	holds a reference to what is in it; under the queue lock
 * @ready: those with one, whose records wait to be read; likewise
 * @wait: for @ready, and for room in @requests
 * @expire: ends what is in @pending and has come to its deadline
 */
struct cvm_session {
	struct kref ref;
	atomic_t requests;
	struct cvm_owner *owner;
	struct mem_cgroup *memcg;
	enum cvm_node node;
	struct mutex scope_lock;
	bool used;
	bool labelled;
	u8 label[CVM_SCOPE_SIZE];
	struct cvm_flow flows[CVM_CLASSES];
	struct list_head pending;
	struct list_head ready;
	wait_queue_head_t wait;
	struct delayed_work expire;
};

struct cvm_session *cvm_session_alloc(enum cvm_node node);
void cvm_session_get(struct cvm_session *session);
void cvm_session_put(struct cvm_session *session);

/* the file is closed: nobody waits for what it asked for any more */
void cvm_session_close(struct cvm_session *session);

/* the scope of a caller's requests from now on; @privileged: see cvm_scope */
void cvm_session_scope(struct cvm_session *session, bool privileged,
		       u8 scope[CVM_SCOPE_SIZE]);
/* 0, -EINVAL: its length, or -EBUSY: too late */
int cvm_session_set_label(struct cvm_session *session, const void *label,
			  size_t len);

/* queues @req, whose end will be a record; 0, -EBUSY or -ECANCELED */
int cvm_session_submit(struct cvm_session *session, struct cvm_req *req);
/* ends what was submitted with @cookie and has no result; how many */
u32 cvm_session_cancel(struct cvm_session *session, u64 cookie);
/* the first that has its result, now the caller's, or NULL; or back with it */
struct cvm_req *cvm_session_take(struct cvm_session *session);
void cvm_session_put_back(struct cvm_session *session, struct cvm_req *req);
bool cvm_session_ready(struct cvm_session *session);

/* under the queue lock: the submitted request @req has its result */
void cvm_session_settled(struct cvm_req *req);

/* one more request, unless the file has as many as it may */
bool cvm_session_charge(struct cvm_session *session);
/* @unread: bytes of its record */
void cvm_session_uncharge(struct cvm_session *session, u32 unread);

/* submit.c: the work of cvm_session.expire */
void cvm_session_expire(struct work_struct *work);

#endif /* CVM_SESSION_H */
