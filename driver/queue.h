/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CVM_QUEUE_H
#define CVM_QUEUE_H

#include <linux/types.h>

struct cvm_req;
struct cvm_waiter;

/*
 * The callers' side. A waiter is prepared, requests are added under it, and
 * after cvm_waiter_wait() each is detached, which gives its result; only then
 * may the waiter go out of scope.
 */
void cvm_waiter_init(struct cvm_waiter *waiter);
int cvm_queue_add(struct cvm_req *req, struct cvm_waiter *waiter);
long cvm_waiter_wait(struct cvm_waiter *waiter, unsigned long jiffies);
int cvm_req_detach(struct cvm_req *req, int otherwise, bool *answered);

/* The worker's side: the next request among @kinds, bits (1 << kind) */
struct cvm_req *cvm_queue_next(u32 kinds);
void cvm_queue_open(void);
void cvm_queue_close(void);

#endif /* CVM_QUEUE_H */
