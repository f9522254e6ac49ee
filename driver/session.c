// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open files: what one of them may keep the driver busy with.
 */
#include <linux/slab.h>

#include "limits.h"
#include "session.h"

struct cvm_session *cvm_session_alloc(void)
{
	struct cvm_session *session;

	session = kzalloc(sizeof(*session), GFP_KERNEL_ACCOUNT);
	if (session)
		kref_init(&session->ref);
	return session;
}

void cvm_session_get(struct cvm_session *session)
{
	kref_get(&session->ref);
}

static void session_release(struct kref *ref)
{
	kfree(container_of(ref, struct cvm_session, ref));
}

void cvm_session_put(struct cvm_session *session)
{
	kref_put(&session->ref, session_release);
}

bool cvm_session_charge(struct cvm_session *session)
{
	return atomic_add_unless(&session->requests, 1, CVM_MAX_SESSION);
}

void cvm_session_uncharge(struct cvm_session *session)
{
	atomic_dec(&session->requests);
}
