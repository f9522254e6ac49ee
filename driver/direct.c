// SPDX-License-Identifier: GPL-2.0-only
#include <linux/jiffies.h>
#include <linux/string.h>

#include "direct.h"
#include "platform.h"
#include "queue.h"
#include "session.h"
#include "worker.h"

static bool tagged(const u8 *report_data)
{
	return !memcmp(report_data, CVM_RESERVED_TAG, CVM_RESERVED_TAG_SIZE);
}

/* of a message that the caller made the firmware says what else is wrong with it */
static int admit_raw(const struct cvm_req *req)
{
	return req->kind != CVM_KIND_KEY && tagged(req->raw->body) ? -EINVAL : 0;
}

int cvm_direct_admit(const struct cvm_req *req)
{
	if (tagged(req->report_data))
		return -EINVAL;
	if (!(cvm_platform->kinds & BIT(req->kind)))
		return -EOPNOTSUPP;
	return req->raw ? admit_raw(req) : cvm_platform->check(req);
}

struct cvm_req *cvm_direct_alloc(u32 kind)
{
	struct cvm_session *session = cvm_session_alloc(CVM_NODE_REPORT);
	struct cvm_req *req;

	if (!session)
		return ERR_PTR(-ENOMEM);
	req = cvm_req_alloc(session);
	/* the request, if there is one, keeps it from now on */
	cvm_session_put(session);
	if (IS_ERR(req))
		return req;
	req->kind = kind;
	return req;
}

static int queue_up(struct cvm_req *req, struct cvm_waiter *waiter, u32 timeout_ms)
{
	int ret = cvm_direct_admit(req);

	req->deadline = ktime_add_ms(ktime_get(), timeout_ms);
	cvm_count(requests);
	if (!ret)
		ret = cvm_queue_add(req, waiter);
	if (ret)
		cvm_count(refused);
	else if (cvm_queue_heard())
		cvm_worker_kick();
	return ret;
}

int cvm_direct_ask(struct cvm_req *req, u32 timeout_ms)
{
	struct cvm_waiter waiter;
	bool answered;
	long left;
	int ret;

	cvm_waiter_init(&waiter);
	ret = queue_up(req, &waiter, timeout_ms);
	if (ret)
		return ret;
	left = cvm_waiter_wait_killable(&waiter, msecs_to_jiffies(timeout_ms));
	return cvm_req_detach(req, left < 0 ? -EINTR : -ETIMEDOUT, &answered);
}

int cvm_rtmr_extend(struct cvm_req *req, u32 timeout_ms)
{
	struct cvm_waiter waiter;
	bool answered;
	long left;
	int ret;

	cvm_waiter_init(&waiter);
	ret = queue_up(req, &waiter, timeout_ms);
	if (ret)
		return ret;
	left = cvm_waiter_wait(&waiter, msecs_to_jiffies(timeout_ms));
	/*
	 * The platform has it: a matter of microseconds, and only the result
	 * says whether the register is another now.
	 */
	if (left <= 0 && !cvm_req_withdraw(req, left < 0 ? -EINTR : -ETIMEDOUT))
		wait_for_completion(&waiter.done);
	return cvm_req_detach(req, -EIO, &answered);
}
