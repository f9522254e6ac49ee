/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CVM_SESSION_H
#define CVM_SESSION_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/types.h>

/**
 * struct cvm_session - an open file of ours
 * @ref: the file holds one reference, each of its requests another: a request
 *	that the hardware still works on can outlive the file
 * @requests: that exist, against CVM_MAX_SESSION
 */
struct cvm_session {
	struct kref ref;
	atomic_t requests;
};

struct cvm_session *cvm_session_alloc(void);
void cvm_session_get(struct cvm_session *session);
void cvm_session_put(struct cvm_session *session);

/* one more request, unless the file has as many as it may */
bool cvm_session_charge(struct cvm_session *session);
void cvm_session_uncharge(struct cvm_session *session);

#endif /* CVM_SESSION_H */
