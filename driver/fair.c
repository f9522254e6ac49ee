// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose turn it is. Owners take turns by virtual time: each is charged for the
 * hardware's commands, or its part of one, and the one that has had least is
 * next. Of an owner's files, each in turn. So neither more files nor other
 * parameters buy more; and who has asked for nothing for a while waits for one
 * command, not for a round of everybody's.
 */
#include <linux/bits.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>

#include "fair.h"
#include "owner.h"
#include "queue.h"
#include "request.h"
#include "session.h"

static struct rb_root_cached trees[CVM_CLASSES] = {
	[0 ... CVM_CLASSES - 1] = RB_ROOT_CACHED,
};

/* that of the owner who was served last; only ever grows */
static u64 now_vtime;

/* direct and batch requests get turns */
static bool batch_turn;

enum cvm_class cvm_class_of(const struct cvm_req *req)
{
	if (req->kind != CVM_KIND_BATCH)
		return (enum cvm_class)req->kind;
	return req->flags & CVM_REQ_CERTS ? CVM_CLASS_BATCH_CERTS :
					    CVM_CLASS_BATCH;
}

static bool earlier(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct cvm_share, node)->vtime <
	       rb_entry(b, struct cvm_share, node)->vtime;
}

static void share_add(struct cvm_owner *owner, int class)
{
	struct cvm_share *share = &owner->shares[class];

	share->vtime = owner->vtime;
	rb_add_cached(&share->node, &trees[class], earlier);
}

static void share_remove(struct cvm_owner *owner, int class)
{
	rb_erase_cached(&owner->shares[class].node, &trees[class]);
}

/* an owner that comes back has at most one command to its credit */
static void catch_up(struct cvm_owner *owner)
{
	u64 oldest = now_vtime > CVM_COMMAND ? now_vtime - CVM_COMMAND : 0;
	int class;

	for (class = 0; class < CVM_CLASSES; class++)
		if (!list_empty(&owner->shares[class].flows))
			return;
	owner->vtime = max(owner->vtime, oldest);
}

void cvm_fair_add(struct cvm_req *req)
{
	struct cvm_owner *owner = req->session->owner;
	struct cvm_share *share = &owner->shares[req->class];
	struct cvm_flow *flow = &req->session->flows[req->class];

	lockdep_assert_held(&cvm_queue_lock);

	if (list_empty(&flow->requests)) {
		if (list_empty(&share->flows)) {
			catch_up(owner);
			share_add(owner, req->class);
		}
		list_add_tail(&flow->node, &share->flows);
	}
	list_add_tail(&req->node, &flow->requests);
}

void cvm_fair_remove(struct cvm_req *req)
{
	struct cvm_owner *owner = req->session->owner;
	struct cvm_share *share = &owner->shares[req->class];
	struct cvm_flow *flow = &req->session->flows[req->class];

	lockdep_assert_held(&cvm_queue_lock);

	list_del_init(&req->node);
	if (list_empty(&flow->requests)) {
		list_del(&flow->node);
		if (list_empty(&share->flows))
			share_remove(owner, req->class);
	} else {
		list_move_tail(&flow->node, &share->flows);
	}
}

static struct cvm_share *first_share(int class)
{
	struct rb_node *node = rb_first_cached(&trees[class]);

	return node ? rb_entry(node, struct cvm_share, node) : NULL;
}

struct cvm_req *cvm_fair_first(enum cvm_class class)
{
	struct cvm_share *share = first_share(class);
	struct cvm_flow *flow;

	lockdep_assert_held(&cvm_queue_lock);

	if (!share)
		return NULL;
	flow = list_first_entry(&share->flows, struct cvm_flow, node);
	return list_first_entry(&flow->requests, struct cvm_req, node);
}

/* the class of @which whose next owner has had least */
static int least_served(u32 which)
{
	struct cvm_share *share, *least = NULL;
	int class, found = -1;

	for (class = 0; class < CVM_CLASSES; class++) {
		share = which & BIT(class) ? first_share(class) : NULL;
		if (!share || (least && least->vtime <= share->vtime))
			continue;
		least = share;
		found = class;
	}
	return found;
}

int cvm_fair_class(u32 which)
{
	u32 batch = which & CVM_BATCH_CLASSES;
	u32 direct = which & ~CVM_BATCH_CLASSES;
	int class;

	lockdep_assert_held(&cvm_queue_lock);

	class = least_served(batch_turn ? batch : direct);
	if (class < 0)
		class = least_served(batch_turn ? direct : batch);
	if (class >= 0)
		batch_turn = !(BIT(class) & CVM_BATCH_CLASSES);
	return class;
}

void cvm_fair_charge(struct cvm_owner *owner, u32 cost)
{
	int class;

	lockdep_assert_held(&cvm_queue_lock);

	now_vtime = max(now_vtime, owner->vtime);
	owner->vtime += cost;
	for (class = 0; class < CVM_CLASSES; class++) {
		if (list_empty(&owner->shares[class].flows))
			continue;
		share_remove(owner, class);
		share_add(owner, class);
	}
}
