// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a request. Who waits for it and what became of it is decided
 * under the queue's lock: queue.c.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "request.h"
#include "session.h"

struct cvm_req *cvm_req_alloc(struct cvm_session *session)
{
	struct cvm_req *req;

	if (!cvm_session_charge(session))
		return ERR_PTR(-EBUSY);

	req = kzalloc(sizeof(*req), GFP_KERNEL_ACCOUNT);
	if (!req) {
		cvm_session_uncharge(session);
		return ERR_PTR(-ENOMEM);
	}

	kref_init(&req->ref);
	INIT_LIST_HEAD(&req->node);
	cvm_session_get(session);
	req->session = session;
	return req;
}

void cvm_req_get(struct cvm_req *req)
{
	kref_get(&req->ref);
}

static void req_release(struct kref *ref)
{
	struct cvm_req *req = container_of(ref, struct cvm_req, ref);

	kvfree(req->evidence);
	kvfree(req->certs);
	cvm_session_uncharge(req->session);
	cvm_session_put(req->session);
	kfree(req);
}

void cvm_req_put(struct cvm_req *req)
{
	kref_put(&req->ref, req_release);
}

bool cvm_req_wanted(const struct cvm_req *req)
{
	return READ_ONCE(req->waiter);
}
