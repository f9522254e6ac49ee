// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose turn it is. Parties take turns by virtual time, and so do the owners
 * in each: whoever is served is charged for the hardware's commands, or its
 * part of one, and the one that has had least is next. Of an owner's files,
 * each in turn. So neither more files nor other parameters buy more; and who
 * has asked for nothing for a while waits for one command, not for a round of
 * everybody's.
 */
#include <linux/bits.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>

#include "fair.h"
#include "owner.h"
#include "queue.h"
#include "request.h"
#include "session.h"

/*
 * Direct, batch and key requests get turns: of two that wait a key's is next,
 * unless the last one was; then direct and batch requests in turn.
 */
static bool key_had_its;
static bool batch_turn;

enum cvm_class cvm_class_of(const struct cvm_req *req)
{
	/* both are done by the TDX module at once: they take turns as one kind */
	if (req->kind == CVM_KIND_RTMR)
		return (enum cvm_class)CVM_KIND_TDREPORT;
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
	rb_add_cached(&share->node, &owner->parent->shares[class].owners,
		      earlier);
}

static void share_remove(struct cvm_owner *owner, int class)
{
	rb_erase_cached(&owner->shares[class].node,
			&owner->parent->shares[class].owners);
}

/* one that comes back has at most one command to its credit */
static void catch_up(struct cvm_owner *owner)
{
	u64 served = owner->parent->served;

	owner->vtime = max(owner->vtime,
			   served > CVM_COMMAND ? served - CVM_COMMAND : 0);
}

/* one more waits of @owner, and so of its party and of everybody */
static void count_in(struct cvm_owner *owner, int class)
{
	for (; owner->parent; owner = owner->parent) {
		if (!owner->queued++) {
			catch_up(owner);
			owner->parent->busy++;
		}
		if (!owner->shares[class].length++)
			share_add(owner, class);
	}
	owner->queued++;
}

static void count_out(struct cvm_owner *owner, int class)
{
	for (; owner->parent; owner = owner->parent) {
		if (!--owner->shares[class].length)
			share_remove(owner, class);
		if (!--owner->queued)
			owner->parent->busy--;
	}
	owner->queued--;
}

void cvm_fair_add(struct cvm_req *req)
{
	struct cvm_owner *owner = req->session->owner;
	struct cvm_flow *flow = &req->session->flows[req->class];

	lockdep_assert_held(&cvm_queue_lock);

	if (list_empty(&flow->requests))
		list_add_tail(&flow->node, &owner->shares[req->class].flows);
	list_add_tail(&req->node, &flow->requests);
	count_in(owner, req->class);
}

void cvm_fair_remove(struct cvm_req *req)
{
	struct cvm_owner *owner = req->session->owner;
	struct cvm_flow *flow = &req->session->flows[req->class];

	lockdep_assert_held(&cvm_queue_lock);

	list_del_init(&req->node);
	if (list_empty(&flow->requests))
		list_del(&flow->node);
	else
		list_move_tail(&flow->node, &owner->shares[req->class].flows);
	count_out(owner, req->class);
}

/* of those of whom @parent is the parent, the one that has had least */
static struct cvm_share *first(const struct cvm_share *parent)
{
	struct rb_node *node = rb_first_cached(&parent->owners);

	return node ? rb_entry(node, struct cvm_share, node) : NULL;
}

struct cvm_req *cvm_fair_first(enum cvm_class class)
{
	struct cvm_share *share = first(&cvm_everybody.shares[class]);
	struct cvm_flow *flow;

	lockdep_assert_held(&cvm_queue_lock);

	if (!share)
		return NULL;
	share = first(share);
	flow = list_first_entry(&share->flows, struct cvm_flow, node);
	return list_first_entry(&flow->requests, struct cvm_req, node);
}

/* the class of @which whose next party has had least */
static int least_served(u32 which)
{
	struct cvm_share *share, *least = NULL;
	int class, found = -1;

	for (class = 0; class < CVM_CLASSES; class++) {
		if (!(which & BIT(class)))
			continue;
		share = first(&cvm_everybody.shares[class]);
		if (!share || (least && least->vtime <= share->vtime))
			continue;
		least = share;
		found = class;
	}
	return found;
}

/* the class among @which; the first of @order that has something waiting */
static int first_of(u32 which, const u32 order[3])
{
	int i, class = -1;

	for (i = 0; i < 3 && class < 0; i++)
		class = least_served(which & order[i]);
	return class;
}

int cvm_fair_class(u32 which)
{
	u32 keys = CVM_KEY_CLASSES;
	u32 one = batch_turn ? CVM_BATCH_CLASSES : ~(CVM_BATCH_CLASSES | keys);
	u32 other = ~(one | keys);
	int class;

	lockdep_assert_held(&cvm_queue_lock);

	class = first_of(which, key_had_its ? (u32[]){ one, other, keys } :
					      (u32[]){ keys, one, other });
	if (class < 0)
		return class;
	key_had_its = BIT(class) & keys;
	if (!key_had_its)
		batch_turn = !(BIT(class) & CVM_BATCH_CLASSES);
	return class;
}

static void move(struct cvm_owner *owner)
{
	int class;

	for (class = 0; class < CVM_CLASSES; class++) {
		if (!owner->shares[class].length)
			continue;
		share_remove(owner, class);
		share_add(owner, class);
	}
}

void cvm_fair_charge(struct cvm_owner *owner, u32 cost)
{
	lockdep_assert_held(&cvm_queue_lock);

	for (; owner->parent; owner = owner->parent) {
		owner->parent->served = max(owner->parent->served,
					    owner->vtime);
		owner->vtime += cost;
		move(owner);
	}
}

/* ---- when the queue is full ---- */

/* what each would have if all had as much, @owner among them */
static unsigned int equal_part(const struct cvm_owner *owner)
{
	const struct cvm_owner *parent = owner->parent;

	return parent->queued / (parent->busy + !owner->queued);
}

static struct cvm_owner *owner_of(struct cvm_share *share, int class)
{
	return container_of(share - class, struct cvm_owner, shares[0]);
}

/*
 * One of those of whom @parent is the parent, of whom more than @part waits;
 * where that is less than an equal part there is one. The looks are bounded by
 * the requests in the queue.
 */
static struct cvm_owner *who_has_more(struct cvm_owner *parent,
				      unsigned int part)
{
	struct cvm_owner *owner;
	struct rb_node *node;
	int class;

	for (class = 0; class < CVM_CLASSES; class++) {
		node = rb_first_cached(&parent->shares[class].owners);
		for (; node; node = rb_next(node)) {
			owner = owner_of(rb_entry(node, struct cvm_share, node),
					 class);
			if (owner->queued > part)
				return owner;
		}
	}
	return NULL;
}

/* the one that would be served last, nearly */
static struct cvm_req *last_of(struct cvm_owner *owner)
{
	struct cvm_flow *flow;
	int class = 0;

	while (!owner->shares[class].length)
		class++;
	flow = list_last_entry(&owner->shares[class].flows, struct cvm_flow,
			       node);
	return list_last_entry(&flow->requests, struct cvm_req, node);
}

struct cvm_req *cvm_fair_victim(const struct cvm_owner *owner)
{
	struct cvm_owner *party = owner->parent, *other;

	lockdep_assert_held(&cvm_queue_lock);

	if (party->queued < equal_part(party)) {
		party = who_has_more(&cvm_everybody, equal_part(party));
		if (!party)
			return NULL;
		other = who_has_more(party, (party->queued - 1) / party->busy);
	} else if (owner->queued < equal_part(owner)) {
		other = who_has_more(party, equal_part(owner));
	} else {
		return NULL;
	}
	return other ? last_of(other) : NULL;
}
