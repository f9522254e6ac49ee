/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CVM_REQUEST_H
#define CVM_REQUEST_H

#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/wait.h>

#include <uapi/linux/cvm_guest.h>

/**
 * struct cvm_req - one request on its way through queue and platform
 * @ref: the waiter holds one reference, the queue or platform the other
 * @node: link in the queue, under its lock; the platform's own once issued
 * @kind: enum cvm_kind
 * @flags: CVM_REQ_*
 * @key_sel: enum cvm_key_sel
 * @vmpl: the VMPL to ask for, already resolved
 * @report_data: REPORT_DATA
 * @deadline: CLOCK_MONOTONIC; after it nobody waits any more
 * @queued: when it came, for statistics
 * @issued: when the hardware was first asked
 * @evidence: kvmalloc()ed by the platform before it finishes the request
 * @evidence_len: bytes
 * @certs: kvmalloc()ed certificate table, or NULL
 * @certs_len: bytes
 * @status: platform_status of the ABI
 * @result: 0 or a negative errno; written before @done, under the queue lock
 * @done: the result stands
 * @detached: nobody waits: drop it unissued, or throw its answer away
 * @wait: the waiter's, woken when @done is set; NULL once detached
 */
struct cvm_req {
	struct kref ref;
	struct list_head node;
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
	void *certs;
	u32 certs_len;
	u64 status;
	int result;
	bool done;
	bool detached;
	wait_queue_head_t *wait;
};

struct cvm_req *cvm_req_alloc(void);
void cvm_req_get(struct cvm_req *req);
void cvm_req_put(struct cvm_req *req);

/* the platform's last word on @req: takes over its reference, wakes the waiter */
void cvm_req_finish(struct cvm_req *req, int result);

#endif /* CVM_REQUEST_H */
