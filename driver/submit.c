// SPDX-License-Identifier: GPL-2.0-only
/*
 * Submitted requests: nobody sleeps for them; their end is a record of the
 * open file. A file's lists hold a reference to each of its requests.
 */
#include <linux/cleanup.h>
#include <linux/ktime.h>
#include <linux/sched.h>

#include "owner.h"
#include "queue.h"
#include "request.h"
#include "session.h"

void cvm_session_settled(struct cvm_req *req)
{
	struct cvm_session *session = req->session;

	lockdep_assert_held(&cvm_queue_lock);

	if (!req->result) {
		req->unread = cvm_req_evidence(req)->evidence_len +
			      req->proof_len;
		cvm_owner_charge_unread(session->owner, req->unread);
	}
	list_move_tail(&req->own, &session->ready);
	wake_up(&session->wait);
}

/*
 * Sets the work to @deadline where it is not due earlier. The lock keeps two
 * submitters apart, of whom the later one could put it off for the earlier.
 */
static void expire_at(struct cvm_session *session, ktime_t deadline)
{
	s64 ms = max(ktime_ms_delta(deadline, ktime_get()), 0LL);
	unsigned long delay = msecs_to_jiffies(ms) + 1;

	guard(spinlock)(&cvm_queue_lock);
	if (!delayed_work_pending(&session->expire) ||
	    time_before(jiffies + delay, session->expire.timer.expires))
		mod_delayed_work(system_percpu_wq, &session->expire, delay);
}

int cvm_session_submit(struct cvm_session *session, struct cvm_req *req)
{
	ktime_t deadline = req->deadline;
	int ret;

	if (cvm_owner_must_read(session->owner))
		return -EBUSY;
	/* the list's, which it is in before anybody can end it */
	cvm_req_get(req);
	req->async = true;
	ret = cvm_queue_add(req, NULL);
	if (ret)
		cvm_req_put(req);
	else
		expire_at(session, deadline);
	return ret;
}

/**
 * struct which - of a file's requests without a result
 * @cookie: those with this one
 * @at: that were there by this time, or over
 */
struct which {
	u64 cookie;
	ktime_t at;
};

typedef bool (*match_t)(const struct cvm_req *req, const struct which *which);

/* the first that matches, with a reference */
static struct cvm_req *find(struct cvm_session *session, match_t match,
			    const struct which *which)
{
	struct cvm_req *req;

	guard(spinlock)(&cvm_queue_lock);
	list_for_each_entry(req, &session->pending, own) {
		if (match(req, which)) {
			cvm_req_get(req);
			return req;
		}
	}
	return NULL;
}

/* ends at most what there was when it began, whatever is submitted meanwhile */
static u32 cancel(struct cvm_session *session, match_t match,
		  const struct which *which, int result)
{
	struct cvm_req *req;
	u32 count = 0;

	while ((req = find(session, match, which))) {
		count += cvm_req_cancel(req, result);
		cvm_req_put(req);
		cond_resched();
	}
	return count;
}

static bool has_cookie(const struct cvm_req *req, const struct which *which)
{
	return req->cookie == which->cookie &&
	       !ktime_after(req->queued, which->at);
}

static bool is_over(const struct cvm_req *req, const struct which *which)
{
	return !ktime_after(req->deadline, which->at);
}

static bool is_any(const struct cvm_req *req, const struct which *which)
{
	return true;
}

u32 cvm_session_cancel(struct cvm_session *session, u64 cookie)
{
	struct which which = { .cookie = cookie, .at = ktime_get() };

	return cancel(session, has_cookie, &which, -ECANCELED);
}

void cvm_session_expire(struct work_struct *work)
{
	struct cvm_session *session = container_of(work, struct cvm_session,
						   expire.work);
	struct which which = { .at = ktime_get() };
	ktime_t first = KTIME_MAX;
	struct cvm_req *req;

	cancel(session, is_over, &which, -ETIMEDOUT);
	scoped_guard(spinlock, &cvm_queue_lock)
		list_for_each_entry(req, &session->pending, own)
			first = min(first, req->deadline);
	if (first != KTIME_MAX)
		expire_at(session, first);
}

struct cvm_req *cvm_session_take(struct cvm_session *session)
{
	struct cvm_req *req;

	guard(spinlock)(&cvm_queue_lock);
	req = list_first_entry_or_null(&session->ready, struct cvm_req, own);
	if (req)
		list_del_init(&req->own);
	return req;
}

void cvm_session_put_back(struct cvm_session *session, struct cvm_req *req)
{
	guard(spinlock)(&cvm_queue_lock);
	list_add(&req->own, &session->ready);
	wake_up(&session->wait);
}

bool cvm_session_ready(struct cvm_session *session)
{
	guard(spinlock)(&cvm_queue_lock);
	return !list_empty(&session->ready);
}

/*
 * The file's last reference is gone: nobody submits or reads. What the platform
 * still has ends without a record, since it has its result now.
 */
void cvm_session_close(struct cvm_session *session)
{
	struct cvm_req *req;

	cancel(session, is_any, NULL, -ECANCELED);
	cancel_delayed_work_sync(&session->expire);
	while ((req = cvm_session_take(session)))
		cvm_req_leave(req);
	cvm_session_put(session);
}
