// SPDX-License-Identifier: GPL-2.0-only
/*
 * CVM_ISSUE and CVM_SUBMIT: arrays of requests.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "batch.h"
#include "chardev.h"
#include "direct.h"
#include "platform.h"
#include "queue.h"
#include "session.h"
#include "worker.h"

/* Lengths of the structs when they were first published */
#define ISSUE_SIZE_V1	32
#define REQUEST_SIZE_V1	136

static_assert(sizeof(struct cvm_issue) == ISSUE_SIZE_V1);
static_assert(sizeof(struct cvm_evidence_req) == REQUEST_SIZE_V1);

/**
 * struct item - one request of an array
 * @req: what goes to the queue
 * @evidence: where the caller wants the evidence
 * @certs: where the caller wants the certificates
 * @proof: where the caller wants the proof
 * @evidence_len: in: bytes at @evidence; out: of the evidence
 * @certs_len: in: bytes at @certs; out: of the certificates
 * @proof_len: in: bytes at @proof; out: of the proof
 * @status: for the caller's platform_status
 * @result: for the caller's result
 * @queued: the queue has seen it
 */
struct item {
	struct cvm_req *req;
	void __user *evidence;
	void __user *certs;
	void __user *proof;
	u32 evidence_len;
	u32 certs_len;
	u32 proof_len;
	u64 status;
	int result;
	bool queued;
};

/**
 * struct call - one CVM_ISSUE or CVM_SUBMIT
 * @head: the caller's struct, checked
 * @items: @head.count of them
 * @session: the open file
 * @deadline: of all requests
 * @submit: CVM_SUBMIT
 */
struct call {
	struct cvm_issue head;
	struct item *items;
	struct cvm_session *session;
	ktime_t deadline;
	bool submit;
};

static bool of_batch(const struct call *call)
{
	return call->session->node == CVM_NODE_BATCH;
}

static int check_direct(const struct cvm_evidence_req *ureq)
{
	if (ureq->kind >= CVM_KINDS || !(BIT(ureq->kind) & CVM_DIRECT_KINDS))
		return -EINVAL;
	if (ureq->flags & ~CVM_REQ_ALL || ureq->key_sel > CVM_KEY_VLEK)
		return -EINVAL;
	if (!(ureq->flags & CVM_REQ_VMPL) && ureq->vmpl)
		return -EINVAL;
	return ureq->proof || ureq->proof_len ? -EINVAL : 0;
}

static int check_batch(const struct cvm_evidence_req *ureq)
{
	if (ureq->kind != CVM_KIND_BATCH || ureq->flags & ~CVM_REQ_CERTS)
		return -EINVAL;
	return ureq->key_sel || ureq->vmpl ? -EINVAL : 0;
}

/* what is wrong on every platform; the platform's own rules come later */
static int check_request(const struct call *call,
			 const struct cvm_evidence_req *ureq)
{
	if (!(ureq->flags & CVM_REQ_CERTS) && (ureq->certs || ureq->certs_len))
		return -EINVAL;
	if (call->submit && (ureq->evidence || ureq->evidence_len ||
			     ureq->certs || ureq->certs_len ||
			     ureq->proof || ureq->proof_len))
		return -EINVAL;
	if (!call->submit && ureq->cookie)
		return -EINVAL;
	return of_batch(call) ? check_batch(ureq) : check_direct(ureq);
}

static void fill_req(const struct call *call, struct cvm_req *req,
		     const struct cvm_evidence_req *ureq)
{
	req->kind = ureq->kind;
	req->flags = ureq->flags;
	req->key_sel = ureq->key_sel;
	req->vmpl = ureq->vmpl;
	req->cookie = ureq->cookie;
	req->deadline = call->deadline;
	if (!(ureq->flags & CVM_REQ_VMPL) && cvm_platform->vmpl)
		req->vmpl = cvm_platform->vmpl();
	if (of_batch(call))
		memcpy(req->leaf.user_data, ureq->user_data,
		       sizeof(req->leaf.user_data));
	else
		memcpy(req->report_data, ureq->report_data,
		       sizeof(req->report_data));
}

static void fill_item(struct call *call, struct item *item,
		      const struct cvm_evidence_req *ureq)
{
	fill_req(call, item->req, ureq);
	item->evidence = u64_to_user_ptr(ureq->evidence);
	item->certs = u64_to_user_ptr(ureq->certs);
	item->proof = u64_to_user_ptr(ureq->proof);
	item->evidence_len = ureq->evidence_len;
	item->certs_len = ureq->certs_len;
	item->proof_len = ureq->proof_len;
}

static int read_head(struct call *call, struct cvm_issue __user *uissue)
{
	struct cvm_issue *head = &call->head;
	u32 size, ms;
	int ret;

	if (get_user(size, &uissue->size))
		return -EFAULT;
	ret = cvm_check_size(size, ISSUE_SIZE_V1);
	if (ret)
		return ret;
	ret = copy_struct_from_user(head, sizeof(*head), uissue, size);
	if (ret)
		return ret;
	ret = cvm_check_size(head->request_size, REQUEST_SIZE_V1);
	if (ret)
		return ret;
	if (head->flags || !head->count)
		return -EINVAL;
	if (head->count > CVM_MAX_REQUESTS)
		return -E2BIG;

	ms = head->timeout_ms ?: CVM_DEFAULT_TIMEOUT_MS;
	head->timeout_ms = min_t(u32, ms, CVM_MAX_TIMEOUT_MS);
	call->deadline = ktime_add_ms(ktime_get(), head->timeout_ms);
	return 0;
}

/* count and stride are bounded by now: no product of them overflows */
static struct cvm_evidence_req __user *user_request(const struct call *call,
						  u32 i)
{
	return u64_to_user_ptr(call->head.requests) +
	       (size_t)i * call->head.request_size;
}

static int read_items(struct call *call)
{
	struct cvm_evidence_req ureq;
	struct cvm_req *req;
	u32 i;
	int ret;

	for (i = 0; i < call->head.count; i++) {
		ret = copy_struct_from_user(&ureq, sizeof(ureq),
					    user_request(call, i),
					    call->head.request_size);
		if (!ret)
			ret = check_request(call, &ureq);
		if (ret)
			return ret;
		req = cvm_req_alloc(call->session);
		if (IS_ERR(req))
			return PTR_ERR(req);
		call->items[i].req = req;
		fill_item(call, &call->items[i], &ureq);
	}
	return 0;
}

/* for whom the proofs will speak: the driver's word, not the caller's */
static void give_scope(struct call *call, bool privileged)
{
	u8 scope[CVM_SCOPE_SIZE];
	u32 i;

	cvm_session_scope(call->session, privileged, scope);
	for (i = 0; i < call->head.count; i++)
		memcpy(call->items[i].req->leaf.scope, scope, sizeof(scope));
}

/* the whole array is read and checked before anything is asked */
static int read_call(struct call *call, struct file *file,
		     struct cvm_issue __user *uissue)
{
	int ret;

	call->session = file->private_data;
	ret = read_head(call, uissue);
	if (ret)
		return ret;

	call->items = kvcalloc(call->head.count, sizeof(*call->items),
			       GFP_KERNEL_ACCOUNT);
	if (!call->items)
		return -ENOMEM;

	return read_items(call);
}

/*
 * Salts want random numbers, of which there are none for a while after boot,
 * and the array its scope, which the file keeps from then on. False: a signal
 * came before that, and is every request's result.
 */
static bool get_ready(struct call *call, const struct file *file)
{
	u32 i;

	if (!of_batch(call))
		return true;
	if (!cvm_batch_wait_random()) {
		give_scope(call, cvm_privileged(file));
		return true;
	}
	for (i = 0; i < call->head.count; i++)
		call->items[i].result = -EINTR;
	return false;
}

/* what has been submitted counts until its record has been read */
static void free_item(const struct call *call, struct item *item)
{
	if (call->submit && item->queued)
		cvm_req_put(item->req);
	else if (item->req)
		cvm_req_leave(item->req);
}

static void free_call(struct call *call)
{
	u32 i;

	for (i = 0; call->items && i < call->head.count; i++)
		free_item(call, &call->items[i]);
	kvfree(call->items);
}

static int admit_batch(const struct cvm_req *req)
{
	if (cvm_user_data_reserved(req->leaf.user_data))
		return -EINVAL;
	return req->flags & CVM_REQ_CERTS && !cvm_platform->max_certs ?
	       -EINVAL : 0;
}

/* may @req be asked at all? */
static int admit(const struct cvm_req *req)
{
	if (req->kind == CVM_KIND_BATCH)
		return admit_batch(req);
	return cvm_direct_admit(req);
}

/* @waiter: NULL: to be submitted */
static void queue_call(struct call *call, struct cvm_waiter *waiter)
{
	struct item *item;
	u32 i;

	for (i = 0; i < call->head.count; i++) {
		item = &call->items[i];
		cvm_count(requests);
		item->result = admit(item->req);
		if (!item->result)
			item->result = waiter ?
				cvm_queue_add(item->req, waiter) :
				cvm_session_submit(call->session, item->req);
		item->queued = !item->result;
		if (!item->queued)
			cvm_count(refused);
	}
	if (cvm_queue_heard())
		cvm_worker_kick();
}

/* @item's request has its result, whatever it is: nobody waits any more */
static void collect(struct item *item, int otherwise)
{
	struct cvm_req *req = item->req;
	bool answered;

	item->result = cvm_req_detach(req, otherwise, &answered);
	if (answered)
		item->status = req->status;
}

static bool fits(const struct item *item, const struct cvm_req *from)
{
	return from->evidence_len <= item->evidence_len &&
	       cvm_req_certs_len(from) <= item->certs_len &&
	       item->req->proof_len <= item->proof_len;
}

/* the evidence, or how long it is */
static int copy_evidence(struct item *item)
{
	const struct cvm_req *from = cvm_req_evidence(item->req);
	bool room = fits(item, from);

	item->evidence_len = from->evidence_len;
	item->certs_len = cvm_req_certs_len(from);
	item->proof_len = item->req->proof_len;
	if (!room)
		return -ENOBUFS;
	if (copy_to_user(item->evidence, from->evidence, item->evidence_len) ||
	    copy_to_user(item->certs, cvm_req_certs(from), item->certs_len) ||
	    copy_to_user(item->proof, item->req->proof, item->proof_len))
		return -EFAULT;
	return 0;
}

static int write_item(struct item *item, struct cvm_evidence_req __user *ureq)
{
	if (!item->result) {
		item->result = copy_evidence(item);
	} else {
		item->evidence_len = 0;
		item->certs_len = 0;
		item->proof_len = 0;
	}

	if (put_user(item->evidence_len, &ureq->evidence_len) ||
	    put_user(item->certs_len, &ureq->certs_len) ||
	    put_user(item->proof_len, &ureq->proof_len) ||
	    put_user(item->status, &ureq->platform_status) ||
	    put_user(item->result, &ureq->result))
		return -EFAULT;
	return 0;
}

/* every result is tried, even when an earlier one could not be written */
static int write_call(struct call *call, struct cvm_issue __user *uissue)
{
	u32 i, done = 0;
	int ret = 0;

	for (i = 0; i < call->head.count; i++) {
		if (write_item(&call->items[i], user_request(call, i)))
			ret = -EFAULT;
		else if (!call->items[i].result)
			done++;
	}
	return put_user(done, &uissue->done) ? -EFAULT : ret;
}

/* 0, or -EINTR when a signal came before every request had its result */
static int run_call(struct call *call)
{
	struct cvm_waiter waiter;
	long left;
	u32 i;

	cvm_waiter_init(&waiter);
	queue_call(call, &waiter);
	left = cvm_waiter_wait(&waiter,
			       msecs_to_jiffies(call->head.timeout_ms));
	for (i = 0; i < call->head.count; i++)
		if (call->items[i].queued)
			collect(&call->items[i],
				left < 0 ? -EINTR : -ETIMEDOUT);
	return left < 0 ? -EINTR : 0;
}

long cvm_ioctl_issue(struct file *file, struct cvm_issue __user *uissue)
{
	struct call call = {};
	int ret, written;

	ret = read_call(&call, file, uissue);
	if (!ret) {
		ret = get_ready(&call, file) ? run_call(&call) : -EINTR;
		written = write_call(&call, uissue);
		ret = written ?: ret;
	}
	free_call(&call);
	return ret;
}

/* the results alone: the rest comes with the record */
static int write_accepted(struct call *call, struct cvm_issue __user *uissue)
{
	u32 i, accepted = 0;
	int ret = 0;

	for (i = 0; i < call->head.count; i++) {
		accepted += call->items[i].queued;
		if (put_user(call->items[i].result,
			     &user_request(call, i)->result))
			ret = -EFAULT;
	}
	return put_user(accepted, &uissue->done) ? -EFAULT : ret;
}

long cvm_ioctl_submit(struct file *file, struct cvm_issue __user *uissue)
{
	struct call call = { .submit = true };
	int ret, written;

	ret = read_call(&call, file, uissue);
	if (!ret) {
		if (get_ready(&call, file))
			queue_call(&call, NULL);
		else
			ret = -EINTR;
		written = write_accepted(&call, uissue);
		ret = written ?: ret;
	}
	free_call(&call);
	return ret;
}
