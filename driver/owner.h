/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CVM_OWNER_H
#define CVM_OWNER_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/types.h>

#include "limits.h"

/**
 * struct cvm_share - what waits of one owner in one class; under the queue lock
 * @node: in the class's tree, by @vtime, while @flows is not empty
 * @vtime: the owner's when @node was put there
 * @flows: struct cvm_flow of the owner's files that have something waiting
 */
struct cvm_share {
	struct rb_node node;
	u64 vtime;
	struct list_head flows;
};

/**
 * struct cvm_owner - who pays for what the hardware does
 * @ref: every open file holds one
 * @node: in the list of all owners
 * @key: cgroup or user, see cvm_owner_get()
 * @requests: that exist, against CVM_MAX_OWNER
 * @vtime: hardware commands had so far, in 1 / CVM_COMMAND of one, and moved
 *	forward after a time without any; under the queue lock
 * @shares: of each class; under the queue lock
 */
struct cvm_owner {
	refcount_t ref;
	struct list_head node;
	u64 key;
	atomic_t requests;
	u64 vtime;
	struct cvm_share shares[CVM_CLASSES];
};

/* the owner of what the current task opens, or NULL: no memory */
struct cvm_owner *cvm_owner_get(void);
void cvm_owner_put(struct cvm_owner *owner);

/* one more request, unless the owner has as many as it may */
bool cvm_owner_charge(struct cvm_owner *owner);
void cvm_owner_uncharge(struct cvm_owner *owner);

#endif /* CVM_OWNER_H */
