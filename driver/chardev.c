// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/cvm/report, and the only file here that touches user memory: never with
 * a lock held, and before or after the hardware is asked, never during.
 * uapi/linux/cvm_guest.h is the manual.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "chardev.h"
#include "platform.h"
#include "queue.h"
#include "session.h"
#include "worker.h"

/* Lengths of the structs when they were first published */
#define INFO_SIZE_V1	64
#define ISSUE_SIZE_V1	32
#define REQUEST_SIZE_V1	136

static_assert(sizeof(struct cvm_info) == INFO_SIZE_V1);
static_assert(sizeof(struct cvm_issue) == ISSUE_SIZE_V1);
static_assert(sizeof(struct cvm_evidence_req) == REQUEST_SIZE_V1);

#define KNOWN_KINDS	(BIT(CVM_KIND_SNP_REPORT) | BIT(CVM_KIND_TDREPORT) | \
			 BIT(CVM_KIND_TDX_QUOTE))

/**
 * struct item - one request of an array
 * @req: what goes to the queue
 * @evidence: where the caller wants the evidence
 * @certs: where the caller wants the certificates
 * @evidence_len: in: bytes at @evidence; out: of the evidence
 * @certs_len: in: bytes at @certs; out: of the certificates
 * @status: for the caller's platform_status
 * @result: for the caller's result
 * @queued: the queue has seen it
 */
struct item {
	struct cvm_req *req;
	void __user *evidence;
	void __user *certs;
	u32 evidence_len;
	u32 certs_len;
	u64 status;
	int result;
	bool queued;
};

/**
 * struct call - one CVM_ISSUE
 * @head: the caller's struct, checked
 * @items: @head.count of them
 * @session: the open file
 * @deadline: of all requests
 */
struct call {
	struct cvm_issue head;
	struct item *items;
	struct cvm_session *session;
	ktime_t deadline;
};

static int check_size(u32 size, u32 first_published)
{
	if (size < first_published)
		return -EINVAL;
	return size > PAGE_SIZE ? -E2BIG : 0;
}

static long ioctl_info(struct cvm_info __user *uinfo)
{
	const struct cvm_platform *p = cvm_platform;
	struct cvm_info info = {
		.abi_version = CVM_ABI_VERSION,
		.platform = p->id,
		.channel = p->channel(),
		.kinds = p->kinds,
		.vmpl = p->vmpl ? p->vmpl() : 0,
		.max_requests = CVM_MAX_REQUESTS,
		.max_evidence = p->max_evidence,
		.max_certs = p->max_certs,
		.default_timeout_ms = CVM_DEFAULT_TIMEOUT_MS,
		.max_timeout_ms = CVM_MAX_TIMEOUT_MS,
		.max_inflight = p->max_inflight(),
	};
	u32 size;
	int ret;

	if (get_user(size, &uinfo->size))
		return -EFAULT;
	ret = check_size(size, INFO_SIZE_V1);
	if (ret)
		return ret;

	info.size = min_t(size_t, size, sizeof(info));
	return copy_to_user(uinfo, &info, info.size) ? -EFAULT : 0;
}

/* what is wrong on every platform; the platform's own rules come later */
static int check_request(const struct cvm_evidence_req *ureq)
{
	if (ureq->kind >= CVM_KINDS || !(BIT(ureq->kind) & KNOWN_KINDS))
		return -EINVAL;
	if (ureq->flags & ~CVM_REQ_ALL)
		return -EINVAL;
	if (ureq->proof || ureq->proof_len || ureq->cookie)
		return -EINVAL;
	if (ureq->key_sel > CVM_KEY_VLEK)
		return -EINVAL;
	if (!(ureq->flags & CVM_REQ_VMPL) && ureq->vmpl)
		return -EINVAL;
	if (!(ureq->flags & CVM_REQ_CERTS) && (ureq->certs || ureq->certs_len))
		return -EINVAL;
	return 0;
}

static void fill_item(struct call *call, struct item *item,
		      const struct cvm_evidence_req *ureq)
{
	struct cvm_req *req = item->req;

	req->kind = ureq->kind;
	req->flags = ureq->flags;
	req->key_sel = ureq->key_sel;
	req->vmpl = ureq->vmpl;
	if (!(ureq->flags & CVM_REQ_VMPL) && cvm_platform->vmpl)
		req->vmpl = cvm_platform->vmpl();
	memcpy(req->report_data, ureq->report_data, sizeof(req->report_data));
	req->deadline = call->deadline;

	item->evidence = u64_to_user_ptr(ureq->evidence);
	item->certs = u64_to_user_ptr(ureq->certs);
	item->evidence_len = ureq->evidence_len;
	item->certs_len = ureq->certs_len;
}

static int read_head(struct call *call, struct cvm_issue __user *uissue)
{
	struct cvm_issue *head = &call->head;
	u32 size, ms;
	int ret;

	if (get_user(size, &uissue->size))
		return -EFAULT;
	ret = check_size(size, ISSUE_SIZE_V1);
	if (ret)
		return ret;
	ret = copy_struct_from_user(head, sizeof(*head), uissue, size);
	if (ret)
		return ret;
	ret = check_size(head->request_size, REQUEST_SIZE_V1);
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
			ret = check_request(&ureq);
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

/* the whole array is read and checked before anything is asked */
static int read_call(struct call *call, struct cvm_issue __user *uissue)
{
	int ret = read_head(call, uissue);

	if (ret)
		return ret;

	call->items = kvcalloc(call->head.count, sizeof(*call->items),
			       GFP_KERNEL_ACCOUNT);
	if (!call->items)
		return -ENOMEM;

	return read_items(call);
}

static void free_call(struct call *call)
{
	u32 i;

	for (i = 0; call->items && i < call->head.count; i++)
		if (call->items[i].req)
			cvm_req_put(call->items[i].req);
	kvfree(call->items);
}

/* may @req be asked at all? A direct request never passes for a batch's. */
static int admit(const struct cvm_req *req)
{
	if (!memcmp(req->report_data, CVM_RESERVED_TAG, CVM_RESERVED_TAG_SIZE))
		return -EINVAL;
	if (!(cvm_platform->kinds & BIT(req->kind)))
		return -EOPNOTSUPP;
	return cvm_platform->check(req);
}

static void submit(struct call *call, struct cvm_waiter *waiter)
{
	struct item *item;
	u32 i;

	for (i = 0; i < call->head.count; i++) {
		item = &call->items[i];
		cvm_count(requests);
		item->result = admit(item->req);
		if (!item->result)
			item->result = cvm_queue_add(item->req, waiter);
		item->queued = !item->result;
		if (!item->queued)
			cvm_count(refused);
	}
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

/* the evidence, or how long it is */
static int copy_evidence(struct item *item)
{
	const struct cvm_req *req = item->req;
	bool fits = req->evidence_len <= item->evidence_len &&
		    req->certs_len <= item->certs_len;

	item->evidence_len = req->evidence_len;
	item->certs_len = req->certs_len;
	if (!fits)
		return -ENOBUFS;
	if (copy_to_user(item->evidence, req->evidence, req->evidence_len))
		return -EFAULT;
	if (req->certs_len &&
	    copy_to_user(item->certs, req->certs, req->certs_len))
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
	}

	if (put_user(item->evidence_len, &ureq->evidence_len) ||
	    put_user(item->certs_len, &ureq->certs_len) ||
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
	submit(call, &waiter);
	left = cvm_waiter_wait(&waiter,
			       msecs_to_jiffies(call->head.timeout_ms));
	for (i = 0; i < call->head.count; i++)
		if (call->items[i].queued)
			collect(&call->items[i],
				left < 0 ? -EINTR : -ETIMEDOUT);
	return left < 0 ? -EINTR : 0;
}

static long ioctl_issue(struct cvm_session *session,
			struct cvm_issue __user *uissue)
{
	struct call call = { .session = session };
	int ret, written;

	ret = read_call(&call, uissue);
	if (!ret) {
		ret = run_call(&call);
		written = write_call(&call, uissue);
		ret = written ?: ret;
	}
	free_call(&call);
	return ret;
}

static long report_ioctl(struct file *file, unsigned int cmd,
			 unsigned long arg)
{
	switch (cmd) {
	case CVM_INFO:
		return ioctl_info((struct cvm_info __user *)arg);
	case CVM_ISSUE:
		return ioctl_issue(file->private_data,
				   (struct cvm_issue __user *)arg);
	default:
		return -ENOTTY;
	}
}

static int report_open(struct inode *inode, struct file *file)
{
	struct cvm_session *session = cvm_session_alloc();

	if (!session)
		return -ENOMEM;

	file->private_data = session;
	return nonseekable_open(inode, file);
}

static int report_release(struct inode *inode, struct file *file)
{
	cvm_session_put(file->private_data);
	return 0;
}

static const struct file_operations report_fops = {
	.owner = THIS_MODULE,
	.open = report_open,
	.release = report_release,
	.unlocked_ioctl = report_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice report_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "cvm_report",
	.nodename = "cvm/report",
	.mode = 0600,
	.fops = &report_fops,
};

int cvm_chardev_register(void)
{
	report_device.groups = cvm_stats_groups(cvm_platform);
	return misc_register(&report_device);
}

void cvm_chardev_unregister(void)
{
	misc_deregister(&report_device);
}
