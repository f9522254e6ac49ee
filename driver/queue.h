/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CVM_QUEUE_H
#define CVM_QUEUE_H

#include <linux/ktime.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "limits.h"

struct cvm_req;
struct cvm_waiter;

/* Documentation/locking.rst says what it protects */
extern spinlock_t cvm_queue_lock;

/*
 * The callers' side. A waiter is prepared, requests are added under it, and
 * after cvm_waiter_wait() each is detached, which gives its result; only then
 * may the waiter go out of scope. A submitted request is added without one.
 */
void cvm_waiter_init(struct cvm_waiter *waiter);
int cvm_queue_add(struct cvm_req *req, struct cvm_waiter *waiter);
long cvm_waiter_wait(struct cvm_waiter *waiter, unsigned long jiffies);
long cvm_waiter_wait_killable(struct cvm_waiter *waiter, unsigned long jiffies);
int cvm_req_detach(struct cvm_req *req, int otherwise, bool *answered);
bool cvm_req_cancel(struct cvm_req *req, int result);
bool cvm_req_withdraw(struct cvm_req *req, int result);

/**
 * struct cvm_queue_state - what waits in one class
 * @length: requests
 * @first: when the first one came that found the class empty
 * @last: when the last one came
 */
struct cvm_queue_state {
	unsigned int length;
	ktime_t first;
	ktime_t last;
};

/*
 * The worker's side. cvm_queue_take() gives the next request of a class, which
 * is charged for @cost / CVM_COMMAND of a command; NULL: none is in time.
 */
struct cvm_req *cvm_queue_take(enum cvm_class class, u32 cost);
struct cvm_queue_state cvm_queue_state(enum cvm_class class);
/* of @classes, bits, that one whose next owner has had least; -1: all empty */
int cvm_queue_next(u32 classes);
/*
 * How long each class must be for the worker to be told; CVM_NEVER: whatever
 * comes changes nothing of what it does next. The worker tells before it
 * sleeps, and does not sleep when that returns true: it is already so. Callers
 * who have queued something wake it when cvm_queue_heard(); one of them will.
 */
#define CVM_NEVER	UINT_MAX
bool cvm_queue_listen(const unsigned int lengths[CVM_CLASSES]);
bool cvm_queue_heard(void);
void cvm_queue_open(void);
void cvm_queue_close(void);

#endif /* CVM_QUEUE_H */
