// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a request. Who waits for it and what became of it is decided
 * under the queue's lock: queue.c.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "request.h"
#include "session.h"

static void init(struct cvm_req *req)
{
	kref_init(&req->ref);
	INIT_LIST_HEAD(&req->node);
	INIT_LIST_HEAD(&req->own);
	INIT_LIST_HEAD(&req->members);
}

struct cvm_req *cvm_req_alloc(struct cvm_session *session)
{
	struct cvm_req *req;

	if (!cvm_session_charge(session))
		return ERR_PTR(-EBUSY);

	req = kzalloc(sizeof(*req), GFP_KERNEL_ACCOUNT);
	if (!req) {
		cvm_session_uncharge(session, 0);
		return ERR_PTR(-ENOMEM);
	}

	init(req);
	cvm_session_get(session);
	req->session = session;
	req->charged = true;
	return req;
}

/* somebody who waits for the set, or anybody in it */
static const struct cvm_req *payer(const struct cvm_req *req)
{
	const struct cvm_req *member;

	if (!cvm_req_leads(req))
		return req;
	list_for_each_entry(member, &req->members, node)
		if (cvm_req_wanted(member))
			return member;
	return list_first_entry(&req->members, struct cvm_req, node);
}

void *cvm_req_memory(const struct cvm_req *req, size_t size)
{
	struct mem_cgroup *before;
	void *memory;

	before = set_active_memcg(payer(req)->session->memcg);
	memory = kvmalloc(size, GFP_NOWAIT | __GFP_NOWARN | __GFP_ACCOUNT);
	set_active_memcg(before);
	return memory ?: kvmalloc(size, GFP_KERNEL);
}

struct cvm_req *cvm_req_alloc_leader(const struct cvm_req *member)
{
	struct cvm_req *req = cvm_req_memory(member, sizeof(*req));

	if (!req)
		return NULL;
	memset(req, 0, sizeof(*req));
	init(req);
	return req;
}

void cvm_req_get(struct cvm_req *req)
{
	kref_get(&req->ref);
}

static void uncharge(struct cvm_req *req)
{
	if (req->charged)
		cvm_session_uncharge(req->session, req->unread);
	req->charged = false;
}

static void req_release(struct kref *ref)
{
	struct cvm_req *req = container_of(ref, struct cvm_req, ref);

	if (req->kind == CVM_KIND_KEY)
		kvfree_sensitive(req->evidence, req->evidence_len);
	else
		kvfree(req->evidence);
	kfree(req->raw);
	if (req->service)
		kvfree(req->service->manifest);
	kfree(req->service);
	cvm_blob_put(req->certs);
	kvfree(req->set);
	/* the salts are this caller's alone */
	kvfree_sensitive(req->proof, req->proof_len);
	if (req->leader)
		cvm_req_put(req->leader);
	if (req->session) {
		uncharge(req);
		cvm_session_put(req->session);
	}
	kvfree_sensitive(req, sizeof(*req));
}

void cvm_req_put(struct cvm_req *req)
{
	kref_put(&req->ref, req_release);
}

void cvm_req_leave(struct cvm_req *req)
{
	uncharge(req);
	cvm_req_put(req);
}

bool cvm_req_wanted(const struct cvm_req *req)
{
	if (cvm_req_leads(req))
		return READ_ONCE(req->wanted);
	if (req->async)
		return READ_ONCE(req->state) != CVM_REQ_DONE;
	return READ_ONCE(req->waiter);
}
