/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Direct requests, and those of callers who know the kernel's own drivers: the
 * nodes and files of those that we stand behind, in /dev, configfs and sysfs.
 */
#ifndef CVM_DIRECT_H
#define CVM_DIRECT_H

#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/types.h>

#include "request.h"

/*
 * May @req be asked for? 0, -EINVAL or -EOPNOTSUPP. Every direct door asks this:
 * a request that it lets through can pass for no batch's. Of a message that the
 * caller made (@req->raw) it asks no more than that.
 */
int cvm_direct_admit(const struct cvm_req *req);

/*
 * A request of the calling task, by no file; or ERR_PTR(): -EBUSY, -ENOMEM.
 * Whoever pays for the task's files pays for it.
 */
struct cvm_req *cvm_direct_alloc(u32 kind);

/*
 * Asks for @req and waits: its result, and with 0 the evidence is the caller's.
 * -ETIMEDOUT; -EINTR: the task is being killed; other signals wait. Who uses a
 * kernel's file does not expect to be sent away by his own timers. After these
 * two @req is not the caller's to look into.
 */
int cvm_direct_ask(struct cvm_req *req, u32 timeout_ms);

/*
 * Extends an RTMR with @req, of CVM_KIND_RTMR, and waits. With 0 it was extended,
 * with anything else, -EINTR and -ETIMEDOUT too, it was not.
 */
int cvm_rtmr_extend(struct cvm_req *req, u32 timeout_ms);

DEFINE_FREE(cvm_direct, struct cvm_req *, if (!IS_ERR_OR_NULL(_T)) cvm_req_leave(_T))

#endif /* CVM_DIRECT_H */
