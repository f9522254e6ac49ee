/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CVM_BATCH_H
#define CVM_BATCH_H

#include <linux/ktime.h>
#include <linux/types.h>

#include "limits.h"

struct cvm_req;

/* In the caller's context: waits until a salt may be drawn; 0, or a signal came */
int cvm_batch_wait_random(void);
/* likewise: draws the salt of @req and hashes its leaf */
void cvm_batch_prepare(struct cvm_req *req);

/* does anybody wait to be in a set? A hint, to whoever does not hold the lock */
bool cvm_batch_waits(void);

/*
 * The worker's side, while the hardware can be asked: bits of the classes that
 * may be frozen now. For the others *@next is lowered to when it is to ask
 * again, and @lengths are how many must wait for it to ask before that.
 */
u32 cvm_batch_due(ktime_t *next, unsigned int lengths[CVM_CLASSES]);
/* freezes a set of one of the batch classes; NULL: nobody is left */
struct cvm_req *cvm_batch_freeze(int class);

/* the platform's last word on a leader, for everybody who shares it */
void cvm_batch_finish(struct cvm_req *leader, int result);

#endif /* CVM_BATCH_H */
