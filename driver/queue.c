// SPDX-License-Identifier: GPL-2.0-only
/*
 * The queue, and the one lock that decides what becomes of a request: whether
 * it waits, is with the platform, or has its result, and who waits for it.
 * Documentation/locking.rst has the rules, fair.c the order.
 */
#include <linux/cleanup.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "batch.h"
#include "fair.h"
#include "limits.h"
#include "owner.h"
#include "queue.h"
#include "request.h"
#include "session.h"
#include "stats.h"
#include "worker.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

DEFINE_SPINLOCK(cvm_queue_lock);

static struct cvm_queue_state classes[CVM_CLASSES];
static unsigned int listening[CVM_CLASSES];
static bool queue_open;

void cvm_waiter_init(struct cvm_waiter *waiter)
{
	/* one for whoever still adds requests, until it waits */
	waiter->pending = 1;
	init_completion(&waiter->done);
}

static void waiter_drop(struct cvm_waiter *waiter)
{
	lockdep_assert_held(&cvm_queue_lock);

	if (!--waiter->pending)
		complete(&waiter->done);
}

/* somebody waits for its result, or for its record */
static bool wanted(const struct cvm_req *req)
{
	return req->waiter || req->async;
}

/* @req has its result; nothing refers to the waiter's stack after this */
static void settle(struct cvm_req *req, int result)
{
	struct cvm_waiter *waiter = req->waiter;

	lockdep_assert_held(&cvm_queue_lock);

	/* a submitted request that was cancelled while the platform had it */
	if (req->state == CVM_REQ_DONE)
		return;
	if (req->leader && req->state == CVM_REQ_ISSUED && wanted(req))
		req->leader->wanted--;
	req->result = result;
	req->state = CVM_REQ_DONE;
	WRITE_ONCE(req->waiter, NULL);
	if (waiter)
		waiter_drop(waiter);
	if (req->async)
		cvm_session_settled(req);
}

/* takes @req out of its class; the queue's reference is the caller's now */
static void unlink_req(struct cvm_req *req)
{
	lockdep_assert_held(&cvm_queue_lock);

	cvm_fair_remove(req);
	classes[req->class].length--;
}

static void count_leaver(int result)
{
	if (result == -ETIMEDOUT)
		cvm_count(timeouts);
	else if (result == -EBUSY)
		cvm_count(refused);
	else
		cvm_count(detached);
}

/* out of the queue with @result; never the last reference: whoever waits has one */
static void drop_queued(struct cvm_req *req, int result)
{
	unlink_req(req);
	settle(req, result);
	cvm_req_put(req);
}

/*
 * A queue that a few have filled takes what the others ask for all the same,
 * in place of what somebody with more than an equal part of it has asked for
 * last: whoever floods the queue turns away himself.
 */
static bool make_room(const struct cvm_owner *owner)
{
	struct cvm_req *victim = cvm_fair_victim(owner);

	if (!victim)
		return false;
	count_leaver(-EBUSY);
	drop_queued(victim, -EBUSY);
	return true;
}

static int add(struct cvm_req *req, struct cvm_waiter *waiter)
{
	struct cvm_queue_state *class = &classes[req->class];

	if (!queue_open)
		return -ECANCELED;
	if (cvm_everybody.queued >= CVM_MAX_QUEUED &&
	    !make_room(req->session->owner))
		return -EBUSY;

	cvm_req_get(req);
	req->state = CVM_REQ_QUEUED;
	req->queued = ktime_get();
	req->waiter = waiter;
	if (waiter)
		waiter->pending++;
	else
		list_add_tail(&req->own, &req->session->pending);
	cvm_fair_add(req);
	if (!class->length++)
		class->first = req->queued;
	class->last = req->queued;
	trace_cvm_submit(req);
	return 0;
}

/**
 * cvm_queue_add - let @req wait for the hardware
 * @req: a request of the caller's alone
 * @waiter: who waits for it; NULL: it is submitted
 *
 * Returns 0, -EBUSY when the queue is full, or -ECANCELED when the driver is
 * going away.
 */
int cvm_queue_add(struct cvm_req *req, struct cvm_waiter *waiter)
{
	int ret = 0;

	/* what is hashed is complete before anybody can freeze a set of it */
	if (req->kind == CVM_KIND_BATCH)
		cvm_batch_prepare(req);
	req->class = cvm_class_of(req);

	scoped_guard(spinlock, &cvm_queue_lock)
		ret = add(req, waiter);
	return ret;
}

/* no more requests will be added to @waiter */
static void waiter_complete(struct cvm_waiter *waiter)
{
	guard(spinlock)(&cvm_queue_lock);
	waiter_drop(waiter);
}

/**
 * cvm_waiter_wait - wait until every request has its result
 * @waiter: to which no more requests will be added
 * @jiffies: at most
 *
 * Returns a positive number, 0 after the time, or -ERESTARTSYS after a signal.
 */
long cvm_waiter_wait(struct cvm_waiter *waiter, unsigned long jiffies)
{
	waiter_complete(waiter);
	return wait_for_completion_interruptible_timeout(&waiter->done,
							 jiffies);
}

/* likewise, for callers who know no -EINTR: only a fatal signal ends it */
long cvm_waiter_wait_killable(struct cvm_waiter *waiter, unsigned long jiffies)
{
	waiter_complete(waiter);
	return wait_for_completion_killable_timeout(&waiter->done, jiffies);
}

static void detach(struct cvm_req *req, int result)
{
	count_leaver(result);
	if (req->state == CVM_REQ_QUEUED)
		drop_queued(req, result);
	else if (req->leader)
		req->leader->wanted--;
	WRITE_ONCE(req->waiter, NULL);
}

/**
 * cvm_req_detach - stop waiting for @req
 * @req: request that was added with a waiter
 * @otherwise: the result of a request that has none yet: -ETIMEDOUT, -EINTR
 * @answered: whether it had one
 *
 * Returns the result. A request without one is dropped when it still waits;
 * when the hardware has been asked, the platform goes on with it, and the
 * caller must not look into it any more.
 */
int cvm_req_detach(struct cvm_req *req, int otherwise, bool *answered)
{
	int result = otherwise;

	scoped_guard(spinlock, &cvm_queue_lock) {
		*answered = req->state == CVM_REQ_DONE;
		if (*answered)
			result = req->result;
		else
			detach(req, otherwise);
	}
	return result;
}

/**
 * cvm_req_cancel - end a submitted request with @result
 * @req: request that was added without a waiter, of which the caller has a
 *	reference
 * @result: -ETIMEDOUT, -ECANCELED
 *
 * Returns whether it had no result yet. The platform may still have it, and
 * will find that it has come to its end.
 */
bool cvm_req_cancel(struct cvm_req *req, int result)
{
	guard(spinlock)(&cvm_queue_lock);
	if (req->state == CVM_REQ_DONE)
		return false;
	count_leaver(result);
	if (req->state == CVM_REQ_QUEUED)
		drop_queued(req, result);
	else
		settle(req, result);
	return true;
}

/**
 * cvm_req_withdraw - take a request back, if it still waits
 * @req: request that was added with a waiter
 * @result: which it has then: -ETIMEDOUT, -EINTR
 *
 * Returns false when the platform has it, or has finished it. Whoever has to
 * know what became of it goes on waiting.
 */
bool cvm_req_withdraw(struct cvm_req *req, int result)
{
	guard(spinlock)(&cvm_queue_lock);
	if (req->state != CVM_REQ_QUEUED)
		return false;
	count_leaver(result);
	drop_queued(req, result);
	return true;
}

/* why @req is not to be asked for any more; 0: it is */
static int overtaken(const struct cvm_req *req, ktime_t now)
{
	if (!ktime_before(now, req->deadline))
		return -ETIMEDOUT;
	if (req->async && cvm_owner_must_read(req->session->owner))
		return -EBUSY;
	return 0;
}

/* the next request of @class that is still to be asked for */
static struct cvm_req *take(enum cvm_class class, u32 cost)
{
	ktime_t now = ktime_get();
	struct cvm_req *req;
	int ret;

	lockdep_assert_held(&cvm_queue_lock);

	while ((req = cvm_fair_first(class))) {
		ret = overtaken(req, now);
		if (ret) {
			count_leaver(ret);
			drop_queued(req, ret);
			continue;
		}
		unlink_req(req);
		cvm_fair_charge(req->session->owner, cost);
		req->state = CVM_REQ_ISSUED;
		req->issued = now;
		return req;
	}
	return NULL;
}

struct cvm_req *cvm_queue_take(enum cvm_class class, u32 cost)
{
	guard(spinlock)(&cvm_queue_lock);
	return take(class, cost);
}

struct cvm_queue_state cvm_queue_state(enum cvm_class class)
{
	guard(spinlock)(&cvm_queue_lock);
	return classes[class];
}

int cvm_queue_next(u32 which)
{
	guard(spinlock)(&cvm_queue_lock);
	return cvm_fair_class(which);
}

static bool reached(void)
{
	int class;

	lockdep_assert_held(&cvm_queue_lock);

	for (class = 0; class < CVM_CLASSES; class++)
		if (classes[class].length >= listening[class])
			return true;
	return false;
}

bool cvm_queue_listen(const unsigned int lengths[CVM_CLASSES])
{
	guard(spinlock)(&cvm_queue_lock);
	memcpy(listening, lengths, sizeof(listening));
	return reached();
}

bool cvm_queue_heard(void)
{
	guard(spinlock)(&cvm_queue_lock);
	if (!reached())
		return false;
	/* once is enough: it looks at the whole queue before it sleeps again */
	memset(listening, 0xff, sizeof(listening));
	return true;
}

void cvm_req_finish(struct cvm_req *req, int result)
{
	trace_cvm_complete(req, result);

	if (cvm_req_leads(req)) {
		cvm_batch_finish(req, result);
		return;
	}
	cvm_req_settle(req, result);
	cvm_req_put(req);
}

/* gives @req its result, unless it has one */
void cvm_req_settle(struct cvm_req *req, int result)
{
	guard(spinlock)(&cvm_queue_lock);
	/* a request that nobody waits for has been counted already */
	if (wanted(req) && req->state != CVM_REQ_DONE)
		cvm_stats_finish(req, result);
	settle(req, result);
}

/* @member is part of what @leader asks the hardware, who keeps a reference */
void cvm_req_join(struct cvm_req *member, struct cvm_req *leader)
{
	guard(spinlock)(&cvm_queue_lock);
	cvm_req_get(leader);
	member->leader = leader;
	list_add_tail(&member->node, &leader->members);
	if (wanted(member) && member->state != CVM_REQ_DONE)
		leader->wanted++;
}

void cvm_queue_open(void)
{
	guard(spinlock)(&cvm_queue_lock);
	queue_open = true;
}

/* nothing is added any more, and what waits is cancelled */
void cvm_queue_close(void)
{
	struct cvm_req *req;
	int class;

	guard(spinlock)(&cvm_queue_lock);
	queue_open = false;
	for (class = 0; class < CVM_CLASSES; class++)
		while ((req = cvm_fair_first(class)))
			drop_queued(req, -ECANCELED);
}
