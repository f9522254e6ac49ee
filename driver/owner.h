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
 * @node: in the parent's @owners, by @vtime, while @length is not 0
 * @vtime: the owner's when @node was put there
 * @length: requests
 * @owners: of the owners of which this one is the parent, their shares
 * @flows: struct cvm_flow of the owner's own files that have something waiting
 */
struct cvm_share {
	struct rb_node node;
	u64 vtime;
	unsigned int length;
	struct rb_root_cached owners;
	struct list_head flows;
};

/**
 * struct cvm_owner - who pays for what the hardware does
 * @ref: every open file holds one, and every owner one on its parent
 * @node: in the table of all owners
 * @key: cgroup or user, see owner.c
 * @parent: with whom this one shares; NULL: it is cvm_everybody
 * @requests: that exist, against CVM_MAX_OWNER; of those whose parent is
 *	cvm_everybody
 * @unread: bytes in unread records, against CVM_MAX_UNREAD; likewise
 * @vtime: hardware commands had so far, in 1 / CVM_COMMAND of one, and moved
 *	forward after a time without any; under the queue lock
 * @served: the highest @vtime of those of which this one is the parent and who
 *	have been served; only ever grows; likewise
 * @queued: requests that wait; likewise
 * @busy: those of which this one is the parent and of whom something waits;
 *	likewise
 * @shares: of each class; likewise
 */
struct cvm_owner {
	refcount_t ref;
	struct hlist_node node;
	u64 key;
	struct cvm_owner *parent;
	atomic_t requests;
	atomic64_t unread;
	u64 vtime;
	u64 served;
	unsigned int queued;
	unsigned int busy;
	struct cvm_share shares[CVM_CLASSES];
};

/* the parent of all parties, which are the parents of the owners of files */
extern struct cvm_owner cvm_everybody;

/* the owner of what the current task opens, or NULL: no memory */
struct cvm_owner *cvm_owner_get(void);
void cvm_owner_put(struct cvm_owner *owner);

/* one more request, unless its party has as many as it may */
bool cvm_owner_charge(struct cvm_owner *owner);
/* one that has ended, with @unread bytes that were charged */
void cvm_owner_uncharge(struct cvm_owner *owner, u32 unread);

/* there are @bytes more to read */
void cvm_owner_charge_unread(struct cvm_owner *owner, u32 bytes);
/* so many are unread that no more are to come */
bool cvm_owner_must_read(const struct cvm_owner *owner);

#endif /* CVM_OWNER_H */
