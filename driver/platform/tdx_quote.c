// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quotes: buffers shared with the host, each a state machine of its own.
 *
 * While the host has a buffer it may write to it at any time, and only its
 * status field says when it has done: a buffer that is not answered is never
 * reused, nor freed. Everything in it is read once and believed only after it
 * has been checked in memory of our own. All of this is the worker's, but for
 * the counts at the end.
 */
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/sched.h>

#include <asm/tdx.h>

#include "../estimate.h"
#include "../inflight.h"
#include "../pacing.h"
#include "../platform.h"
#include "tdx_abi.h"
#include "tdx_quote.h"

static unsigned int quote_buffers = CVM_TDX_BUFFERS;
module_param(quote_buffers, uint, 0444);
MODULE_PARM_DESC(quote_buffers, "TDX: quotes that the host may be asked for at a time, 1 to 16; how many are is learned (default 4)");

/**
 * enum slot_state - whose is the buffer
 * @SLOT_FREE: ours, and without a request
 * @SLOT_READY: ours, with a TDREPORT: the host is asked as soon as it has
 *	answered another one
 * @SLOT_REFUSED: ours: the host said RETRY, and is asked again later
 * @SLOT_ASKED: the host's
 * @SLOT_LATE: the host's, for so long that others no longer wait for it
 */
enum slot_state {
	SLOT_FREE,
	SLOT_READY,
	SLOT_REFUSED,
	SLOT_ASKED,
	SLOT_LATE,
};

/**
 * struct slot - one buffer
 * @buf: shared with the host from load to unload
 * @state: whose it is
 * @req: what it is for; NULL for nobody
 * @asked: when the host got it; SLOT_READY: when it was made ready
 * @looked: the last time it had no answer yet, 0: never looked
 * @next: when to look, or to ask, again
 * @pause_us: SLOT_REFUSED: the back-off
 */
struct slot {
	struct tdx_quote_buf *buf;
	enum slot_state state;
	struct cvm_req *req;
	ktime_t asked;
	ktime_t looked;
	ktime_t next;
	u32 pause_us;
};

static struct slot slots[CVM_TDX_BUFFERS_MAX + CVM_TDX_SPARES];
static struct cvm_estimate estimate;
static struct cvm_inflight inflight;
static struct cvm_pacing pacing;

/* those that there are */
#define for_each_slot(slot) \
	for ((slot) = slots; (slot) < slots + quote_buffers + CVM_TDX_SPARES; (slot)++)

static u32 count(enum slot_state state)
{
	const struct slot *slot;
	u32 n = 0;

	for_each_slot(slot)
		n += READ_ONCE(slot->state) == state;
	return n;
}

u32 cvm_tdx_quote_late(void)
{
	return count(SLOT_LATE);
}

bool cvm_tdx_quote_stuck(void)
{
	return count(SLOT_LATE) == quote_buffers + CVM_TDX_SPARES;
}

u32 cvm_tdx_quote_inflight(void)
{
	return READ_ONCE(inflight.level);
}

u64 cvm_tdx_quote_estimate(void)
{
	return READ_ONCE(estimate.mean);
}

/*
 * Late buffers do not count: a host that forgets one gets a spare. One that
 * was refused goes before all others.
 */
unsigned int cvm_tdx_quote_room(void)
{
	u32 room = cvm_inflight_room(&inflight);
	u32 ready = count(SLOT_READY);

	if (count(SLOT_REFUSED) || room <= ready)
		return 0;
	return min(room - ready, count(SLOT_FREE));
}

/*
 * While the host works on several, the next TDREPORTs are made, so that it
 * waits for none. Not for a host that works on one: what waits longer in the
 * queue is picked more fairly.
 */
unsigned int cvm_tdx_quote_early(void)
{
	if (inflight.trial < 2 || count(SLOT_REFUSED) ||
	    count(SLOT_READY) >= inflight.trial / 2)
		return 0;
	return count(SLOT_FREE) ? 1 : 0;
}

ktime_t cvm_tdx_quote_ready(void)
{
	return ns_to_ktime(cvm_pacing_due(&pacing));
}

static void set_state(struct slot *slot, enum slot_state state)
{
	WRITE_ONCE(slot->state, state);
}

/* the buffer is ours again; its request, if any, has its answer */
static void release(struct slot *slot, int result)
{
	struct cvm_req *req = slot->req;

	slot->req = NULL;
	set_state(slot, SLOT_FREE);
	if (req)
		cvm_req_finish(req, result);
}

static int read_answer(struct slot *slot, u64 status)
{
	int ret;

	if (!slot->req)
		return 0;

	slot->req->status = status;
	if (status != TDX_QUOTE_SUCCESS)
		return -EIO;
	if (!cvm_req_wanted(slot->req))
		return -ECANCELED;

	ret = cvm_tdx_quote_take(slot->req, slot->buf);
	if (ret == -EBADMSG) {
		cvm_count(rejected);
		pr_warn_ratelimited("the host answered with something that is not the quote asked for\n");
	}
	return ret;
}

static void learn(const struct slot *slot, ktime_t now)
{
	struct cvm_estimate est = estimate;
	u64 before = 0;

	if (slot->looked)
		before = ktime_to_ns(ktime_sub(slot->looked, slot->asked));
	cvm_estimate_learn(&est, before,
			   ktime_to_ns(ktime_sub(now, slot->asked)));
	WRITE_ONCE(estimate.mean, est.mean);
	estimate.spread = est.spread;
	estimate.missed = est.missed;
}

/* the host may still write to the buffer, but no longer for anybody */
static void abandon(struct slot *slot)
{
	struct cvm_req *req = slot->req;

	slot->req = NULL;
	if (req)
		cvm_req_finish(req, -ECANCELED);
}

/* no answer yet */
static void look_later(struct slot *slot, ktime_t now)
{
	u64 elapsed = ktime_to_ns(ktime_sub(now, slot->asked));

	slot->looked = now;
	slot->next = ktime_add_ns(slot->asked,
				  cvm_estimate_next(&estimate, elapsed));
	if (slot->state == SLOT_ASKED &&
	    elapsed > cvm_estimate_late(&estimate)) {
		set_state(slot, SLOT_LATE);
		cvm_inflight_lost(&inflight, now);
		cvm_count(late);
		pr_warn_ratelimited("the host is late with a quote: its buffer is set aside until it answers\n");
	}
	if (slot->state != SLOT_LATE)
		return;
	/* whoever waited has left: the host keeps a buffer, and nothing else */
	if (slot->req && !cvm_req_wanted(slot->req))
		abandon(slot);
	/* there is no hurry for an answer that nobody waits for */
	if (!slot->req)
		slot->next = ktime_add_ms(now, CVM_TDX_IDLE_MS);
}

/* the host has a place again: for one that it refused, if there is one */
static void answered(struct slot *slot, ktime_t now, bool success)
{
	struct slot *other;

	if (success) {
		learn(slot, now);
		cvm_inflight_answered(&inflight, ktime_to_ns(now));
	} else {
		cvm_inflight_lost(&inflight, ktime_to_ns(now));
	}
	for_each_slot(other)
		if (other->state == SLOT_REFUSED)
			other->next = now;
}

static void ask(struct slot *slot);

static struct slot *first_ready(void)
{
	struct slot *slot, *first = NULL;

	for_each_slot(slot)
		if (slot->state == SLOT_READY &&
		    (!first || ktime_before(slot->asked, first->asked)))
			first = slot;
	return first;
}

/* calls itself again where the host answers at once, once for each slot at most */
static void ask_ready(void)
{
	struct slot *slot;

	while (cvm_inflight_room(&inflight) && !count(SLOT_REFUSED) &&
	       (slot = first_ready())) {
		if (cvm_req_wanted(slot->req))
			ask(slot);
		else
			release(slot, -ECANCELED);
	}
}

static void look(struct slot *slot, ktime_t now)
{
	u64 status = le64_to_cpu(READ_ONCE(slot->buf->status));

	if (status == TDX_QUOTE_IN_FLIGHT) {
		look_later(slot, now);
		return;
	}
	/* the host writes the quote before the status */
	smp_rmb();
	if (slot->state == SLOT_ASKED)
		answered(slot, now, status == TDX_QUOTE_SUCCESS);
	/* first what makes the host work, then what makes a caller happy */
	ask_ready();
	release(slot, read_answer(slot, status));
}

/*
 * A refusal while the host has others is about how many it takes; one while it
 * has none is about how often it may be asked.
 */
static void refused(struct slot *slot, ktime_t now)
{
	u64 asked = ktime_to_ns(slot->asked);

	cvm_count(throttled);
	set_state(slot, SLOT_REFUSED);
	slot->pause_us = clamp(2 * slot->pause_us, CVM_TDX_RETRY_MIN_US,
			       CVM_TDX_RETRY_MAX_US);
	slot->next = ktime_add_us(now, slot->pause_us);
	if (inflight.now) {
		cvm_inflight_refused(&inflight, asked);
		return;
	}
	cvm_pacing_refused(&pacing, asked);
	slot->next = ns_to_ktime(cvm_pacing_retry(&pacing, ktime_to_ns(now),
						  slot->pause_us * NSEC_PER_USEC));
}

static void taken(struct slot *slot, ktime_t now)
{
	set_state(slot, SLOT_ASKED);
	cvm_pacing_granted(&pacing, ktime_to_ns(slot->asked));
	cvm_inflight_asked(&inflight, ktime_to_ns(slot->asked));
	look(slot, now);
}

/*
 * The status is the host's to change from the call on. A host that answers
 * within the call is as good as any other.
 */
static void ask(struct slot *slot)
{
	struct tdx_quote_buf *buf = slot->buf;
	ktime_t now;
	u64 ret;

	WRITE_ONCE(buf->version, cpu_to_le64(TDX_QUOTE_BUF_VERSION));
	WRITE_ONCE(buf->status, 0);
	WRITE_ONCE(buf->in_len, cpu_to_le32(TDX_TDREPORT_SIZE));
	WRITE_ONCE(buf->out_len, 0);

	slot->asked = ktime_get();
	slot->looked = 0;
	ret = tdx_hcall_get_quote((u8 *)buf, TDX_QUOTE_BUF_SIZE);
	now = ktime_get();

	if (ret == TDX_VMCALL_RETRY) {
		refused(slot, now);
	} else if (ret != TDX_VMCALL_SUCCESS) {
		slot->req->status = ret;
		release(slot, -EIO);
	} else {
		taken(slot, now);
	}
}

/* cvm_tdx_quote_room() and _early() say that there is one */
static struct slot *first_free(void)
{
	struct slot *slot;

	for_each_slot(slot)
		if (slot->state == SLOT_FREE)
			return slot;
	return NULL;
}

void cvm_tdx_quote_issue(struct cvm_req *req, const u8 *tdreport)
{
	struct slot *slot = first_free();

	if (WARN_ON_ONCE(!slot)) {
		cvm_req_finish(req, -EBUSY);
		return;
	}
	slot->req = req;
	slot->pause_us = 0;
	memcpy(slot->buf->data, tdreport, TDX_TDREPORT_SIZE);
	slot->asked = ktime_get();
	set_state(slot, SLOT_READY);
	ask_ready();
}

static void ask_again(struct slot *slot, ktime_t now)
{
	if (!cvm_req_wanted(slot->req)) {
		release(slot, -ECANCELED);
	} else if (!ktime_before(now, slot->next)) {
		cvm_count(retries);
		ask(slot);
	}
}

/* until the answer is there, somebody else wants the CPU, or @end */
static void watch(struct slot *slot, ktime_t end)
{
	ktime_t now = ktime_get();

	while (ktime_before(now, end) && !need_resched() &&
	       le64_to_cpu(READ_ONCE(slot->buf->status)) == TDX_QUOTE_IN_FLIGHT) {
		slot->looked = now;
		cpu_relax();
		now = ktime_get();
	}
}

/*
 * The last moments before the expected answer are not slept: a sleep that
 * short ends late by as much. Only for the one that is in flight alone, whose
 * caller has nothing else to wait for, nor has the worker anything to do.
 */
static void look_closely(struct slot *slot, ktime_t now)
{
	u64 spin = 0;

	if (slot->state == SLOT_ASKED && inflight.now == 1 && cvm_req_wanted(slot->req))
		spin = cvm_estimate_spin(&estimate,
					 ktime_to_ns(ktime_sub(now, slot->asked)));
	if (spin)
		watch(slot, ktime_add_ns(now, spin));
	look(slot, spin ? ktime_get() : now);
}

ktime_t cvm_tdx_quote_poll(void)
{
	ktime_t next = KTIME_MAX;
	struct slot *slot;

	/* the time anew for each: one may have been asked since the last look */
	for_each_slot(slot) {
		if (slot->state == SLOT_REFUSED)
			ask_again(slot, ktime_get());
		else if (slot->state != SLOT_FREE && slot->state != SLOT_READY)
			look_closely(slot, ktime_get());
	}
	ask_ready();
	/* an answer to one may have been what another one waited for */
	for_each_slot(slot)
		if (slot->state != SLOT_FREE && slot->state != SLOT_READY)
			next = min(next, slot->next);
	return next;
}

void cvm_tdx_quote_drain(void)
{
	ktime_t end = ktime_add_ms(ktime_get(), CVM_DRAIN_MS);
	struct slot *slot;
	ktime_t next;

	/* the host has none of these, and is not to get them now */
	for_each_slot(slot)
		if (slot->state == SLOT_REFUSED || slot->state == SLOT_READY)
			release(slot, -ECANCELED);

	for (;;) {
		next = cvm_tdx_quote_poll();
		if (next == KTIME_MAX || !ktime_before(ktime_get(), end))
			break;
		set_current_state(TASK_IDLE);
		schedule_hrtimeout(&next, HRTIMER_MODE_ABS);
	}
	for_each_slot(slot)
		abandon(slot);
}

int cvm_tdx_quote_start(void)
{
	struct slot *slot;
	int ret;

	if (quote_buffers < 1 || quote_buffers > CVM_TDX_BUFFERS_MAX) {
		pr_err("tdx: quote_buffers=%u: 1 to %u are possible\n", quote_buffers,
		       CVM_TDX_BUFFERS_MAX);
		return -EINVAL;
	}
	cvm_inflight_init(&inflight, quote_buffers);
	for_each_slot(slot) {
		ret = cvm_tdx_buffer_share(&slot->buf);
		if (ret) {
			cvm_tdx_quote_stop();
			return ret;
		}
	}
	return 0;
}

void cvm_tdx_quote_stop(void)
{
	struct slot *slot;
	int leaked = 0;

	for_each_slot(slot) {
		/* the host still writes there, or may read there */
		if (slot->buf && (slot->state != SLOT_FREE ||
				  !cvm_tdx_buffer_unshare(slot->buf)))
			leaked++;
		slot->buf = NULL;
	}
	if (leaked)
		pr_warn("%d quote buffers of %d KiB are lost: the host has not given them back\n",
			leaked, TDX_QUOTE_BUF_SIZE / SZ_1K);
}
