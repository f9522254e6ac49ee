// SPDX-License-Identifier: GPL-2.0-only
/*
 * The queue, and the one lock that decides what becomes of a request: whether
 * it waits, is with the platform, or has its result, and who waits for it.
 * Documentation/locking.rst has the rules.
 */
#include <linux/cleanup.h>
#include <linux/spinlock.h>

#include "limits.h"
#include "queue.h"
#include "request.h"
#include "stats.h"
#include "worker.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/*
 * One FIFO per kind: kinds that the platform has no room for now must not
 * hold up those that it has.
 */
static struct {
	spinlock_t lock;
	struct list_head fifo[CVM_KINDS];
	unsigned int length;
	u32 turn;
	bool open;
} queue = {
	.lock = __SPIN_LOCK_UNLOCKED(queue.lock),
};

void cvm_waiter_init(struct cvm_waiter *waiter)
{
	/* one for whoever still adds requests, until it waits */
	waiter->pending = 1;
	init_completion(&waiter->done);
}

static void waiter_drop(struct cvm_waiter *waiter)
{
	lockdep_assert_held(&queue.lock);

	if (!--waiter->pending)
		complete(&waiter->done);
}

/* @req has its result; nothing refers to the waiter's stack after this */
static void settle(struct cvm_req *req, int result)
{
	struct cvm_waiter *waiter = req->waiter;

	lockdep_assert_held(&queue.lock);

	req->result = result;
	req->state = CVM_REQ_DONE;
	WRITE_ONCE(req->waiter, NULL);
	if (waiter)
		waiter_drop(waiter);
}

/* takes @req out of its FIFO; the queue's reference is the caller's now */
static void unlink_req(struct cvm_req *req)
{
	lockdep_assert_held(&queue.lock);

	list_del_init(&req->node);
	queue.length--;
}

static int add(struct cvm_req *req, struct cvm_waiter *waiter)
{
	if (!queue.open)
		return -ECANCELED;
	if (queue.length >= CVM_MAX_QUEUED)
		return -EBUSY;

	cvm_req_get(req);
	req->state = CVM_REQ_QUEUED;
	req->queued = ktime_get();
	req->waiter = waiter;
	waiter->pending++;
	list_add_tail(&req->node, &queue.fifo[req->kind]);
	queue.length++;
	trace_cvm_submit(req);
	return 0;
}

/**
 * cvm_queue_add - let @req wait for the hardware
 * @req: a request of the caller's alone
 * @waiter: who waits for it
 *
 * Returns 0, -EBUSY when the queue is full, or -ECANCELED when the driver is
 * going away.
 */
int cvm_queue_add(struct cvm_req *req, struct cvm_waiter *waiter)
{
	int ret = 0;

	scoped_guard(spinlock, &queue.lock)
		ret = add(req, waiter);
	return ret;
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
	scoped_guard(spinlock, &queue.lock)
		waiter_drop(waiter);

	return wait_for_completion_interruptible_timeout(&waiter->done,
							 jiffies);
}

static void detach(struct cvm_req *req, int result)
{
	if (result == -ETIMEDOUT)
		cvm_count(timeouts);
	else
		cvm_count(detached);

	if (req->state == CVM_REQ_QUEUED) {
		unlink_req(req);
		settle(req, result);
		/* never the last reference: the caller has its own */
		cvm_req_put(req);
	}
	WRITE_ONCE(req->waiter, NULL);
}

/**
 * cvm_req_detach - stop waiting for @req
 * @req: request that was added
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

	scoped_guard(spinlock, &queue.lock) {
		*answered = req->state == CVM_REQ_DONE;
		if (*answered)
			result = req->result;
		else
			detach(req, otherwise);
	}
	return result;
}

static struct cvm_req *first_of(u32 kind)
{
	return list_first_entry_or_null(&queue.fifo[kind], struct cvm_req,
					node);
}

/* the oldest request that is still in time */
static struct cvm_req *pick(u32 kind)
{
	ktime_t now = ktime_get();
	struct cvm_req *req;

	lockdep_assert_held(&queue.lock);

	while ((req = first_of(kind))) {
		unlink_req(req);
		if (ktime_before(now, req->deadline)) {
			req->state = CVM_REQ_ISSUED;
			req->issued = now;
			return req;
		}
		settle(req, -ETIMEDOUT);
		cvm_count(timeouts);
		/* never the last reference: a queued request has a waiter */
		cvm_req_put(req);
	}
	return NULL;
}

/* kinds get turns */
static struct cvm_req *next_of(u32 kinds)
{
	struct cvm_req *req;
	u32 i, kind;

	for (i = 1; i <= CVM_KINDS; i++) {
		kind = (queue.turn + i) % CVM_KINDS;
		if (!(kinds & BIT(kind)))
			continue;
		req = pick(kind);
		if (req) {
			queue.turn = kind;
			return req;
		}
	}
	return NULL;
}

struct cvm_req *cvm_queue_next(u32 kinds)
{
	struct cvm_req *req = NULL;

	scoped_guard(spinlock, &queue.lock)
		req = next_of(kinds);
	return req;
}

void cvm_req_finish(struct cvm_req *req, int result)
{
	trace_cvm_complete(req, result);

	scoped_guard(spinlock, &queue.lock) {
		/* a request that nobody waits for has been counted already */
		if (req->waiter)
			cvm_stats_finish(req, result);
		settle(req, result);
	}
	cvm_req_put(req);
}

void cvm_queue_open(void)
{
	u32 kind;

	scoped_guard(spinlock, &queue.lock) {
		for (kind = 0; kind < CVM_KINDS; kind++)
			INIT_LIST_HEAD(&queue.fifo[kind]);
		queue.open = true;
	}
}

static void cancel(u32 kind)
{
	struct cvm_req *req;

	while ((req = first_of(kind))) {
		unlink_req(req);
		settle(req, -ECANCELED);
		/* never the last reference: a queued request has a waiter */
		cvm_req_put(req);
	}
}

/* nothing is added any more, and what waits is cancelled */
void cvm_queue_close(void)
{
	u32 kind;

	scoped_guard(spinlock, &queue.lock) {
		queue.open = false;
		for (kind = 0; kind < CVM_KINDS; kind++)
			cancel(kind);
	}
}
