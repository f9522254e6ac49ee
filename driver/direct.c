// SPDX-License-Identifier: GPL-2.0-only
#include <linux/jiffies.h>
#include <linux/string.h>

#include "direct.h"
#include "platform.h"
#include "queue.h"
#include "session.h"
#include "worker.h"

int cvm_direct_admit(const struct cvm_req *req)
{
	if (!memcmp(req->report_data, CVM_RESERVED_TAG, CVM_RESERVED_TAG_SIZE))
		return -EINVAL;
	if (!(cvm_platform->kinds & BIT(req->kind)))
		return -EOPNOTSUPP;
	return cvm_platform->check(req);
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
	req->deadline = ktime_add_ms(ktime_get(), CVM_DEFAULT_TIMEOUT_MS);
	return req;
}

static int queue_up(struct cvm_req *req, struct cvm_waiter *waiter)
{
	int ret = cvm_direct_admit(req);

	cvm_count(requests);
	if (!ret)
		ret = cvm_queue_add(req, waiter);
	if (ret)
		cvm_count(refused);
	else if (cvm_queue_heard())
		cvm_worker_kick();
	return ret;
}

int cvm_direct_ask(struct cvm_req *req)
{
	struct cvm_waiter waiter;
	bool answered;
	long left;
	int ret;

	cvm_waiter_init(&waiter);
	ret = queue_up(req, &waiter);
	if (ret)
		return ret;
	left = cvm_waiter_wait_killable(&waiter,
					msecs_to_jiffies(CVM_DEFAULT_TIMEOUT_MS));
	return cvm_req_detach(req, left < 0 ? -EINTR : -ETIMEDOUT, &answered);
}

int cvm_rtmr_extend(struct cvm_req *req, u32 timeout_ms)
{
	struct cvm_waiter waiter;
	bool answered;
	long left;
	int ret;

	cvm_waiter_init(&waiter);
	ret = queue_up(req, &waiter);
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
