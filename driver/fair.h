/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CVM_FAIR_H
#define CVM_FAIR_H

#include <linux/types.h>

#include "limits.h"

struct cvm_owner;
struct cvm_req;

/* All of these under the queue lock. */

/* what @req is fairly queued among: requests that differ in it never mix */
enum cvm_class cvm_class_of(const struct cvm_req *req);

void cvm_fair_add(struct cvm_req *req);
void cvm_fair_remove(struct cvm_req *req);
/* the request of @class whose turn it is; it stays queued */
struct cvm_req *cvm_fair_first(enum cvm_class class);
/* the class among bits @which whose turn it is, -1: nothing waits in any */
int cvm_fair_class(u32 which);
/* @owner has had @cost / CVM_COMMAND of a hardware command */
void cvm_fair_charge(struct cvm_owner *owner, u32 cost);

/*
 * The queue is full: the request that has to leave it for one of @owner's, the
 * last one of somebody who has more than an equal part of the queue; NULL: it
 * is @owner, or its party, that has an equal part already.
 */
struct cvm_req *cvm_fair_victim(const struct cvm_owner *owner);

#endif /* CVM_FAIR_H */
