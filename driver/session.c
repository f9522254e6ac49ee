// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open files: what one of them may keep the driver busy with.
 */
#include <linux/cleanup.h>
#include <linux/memcontrol.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "limits.h"
#include "owner.h"
#include "session.h"

struct cvm_session *cvm_session_alloc(enum cvm_node node)
{
	struct cvm_session *session;
	int i;

	session = kzalloc(sizeof(*session), GFP_KERNEL_ACCOUNT);
	if (!session)
		return NULL;
	session->owner = cvm_owner_get();
	if (!session->owner) {
		kfree(session);
		return NULL;
	}
	kref_init(&session->ref);
	session->memcg = get_mem_cgroup_from_mm(current->mm);
	session->node = node;
	mutex_init(&session->scope_lock);
	INIT_LIST_HEAD(&session->pending);
	INIT_LIST_HEAD(&session->ready);
	init_waitqueue_head(&session->wait);
	INIT_DELAYED_WORK(&session->expire, cvm_session_expire);
	for (i = 0; i < CVM_CLASSES; i++)
		INIT_LIST_HEAD(&session->flows[i].requests);
	return session;
}

void cvm_session_get(struct cvm_session *session)
{
	kref_get(&session->ref);
}

static void session_release(struct kref *ref)
{
	struct cvm_session *session = container_of(ref, struct cvm_session, ref);

	mem_cgroup_put(session->memcg);
	cvm_owner_put(session->owner);
	kfree(session);
}

void cvm_session_put(struct cvm_session *session)
{
	kref_put(&session->ref, session_release);
}

void cvm_session_scope(struct cvm_session *session, bool privileged,
		       u8 scope[CVM_SCOPE_SIZE])
{
	guard(mutex)(&session->scope_lock);
	session->used = true;
	if (session->labelled)
		memcpy(scope, session->label, CVM_SCOPE_SIZE);
	else
		cvm_scope_plain(scope, privileged ? CVM_SCOPE_PRIVILEGED :
						    CVM_SCOPE_UNPRIVILEGED);
}

int cvm_session_set_label(struct cvm_session *session, const void *label,
			  size_t len)
{
	int ret;

	guard(mutex)(&session->scope_lock);
	if (session->used || session->labelled)
		return -EBUSY;
	ret = cvm_scope_label(session->label, label, len);
	session->labelled = !ret;
	return ret;
}

static void drop_request(struct cvm_session *session)
{
	/* whoever polls to submit: the file was full until now */
	if (atomic_dec_return(&session->requests) == CVM_MAX_SESSION - 1)
		wake_up(&session->wait);
}

bool cvm_session_charge(struct cvm_session *session)
{
	if (!atomic_add_unless(&session->requests, 1, CVM_MAX_SESSION))
		return false;
	if (cvm_owner_charge(session->owner))
		return true;
	drop_request(session);
	return false;
}

void cvm_session_uncharge(struct cvm_session *session, u32 unread)
{
	cvm_owner_uncharge(session->owner, unread);
	drop_request(session);
}
