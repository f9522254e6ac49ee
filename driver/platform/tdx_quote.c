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
#include <linux/gfp.h>
#include <linux/hrtimer.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/set_memory.h>
#include <linux/slab.h>

#include <asm/tdx.h>

#include "../estimate.h"
#include "../platform.h"
#include "tdx_abi.h"
#include "tdx_quote.h"

#define BUF_PAGES	(TDX_QUOTE_BUF_SIZE / PAGE_SIZE)

/**
 * enum slot_state - whose is the buffer
 * @SLOT_FREE: ours, and without a request
 * @SLOT_REFUSED: ours: the host said RETRY, and is asked again later
 * @SLOT_ASKED: the host's
 * @SLOT_LATE: the host's, for so long that others no longer wait for it
 */
enum slot_state {
	SLOT_FREE,
	SLOT_REFUSED,
	SLOT_ASKED,
	SLOT_LATE,
};

/**
 * struct slot - one buffer
 * @buf: shared with the host from load to unload
 * @state: whose it is
 * @req: what it is for; NULL for nobody
 * @asked: when the host got it
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

static struct slot slots[CVM_TDX_BUFFERS];
static struct cvm_estimate estimate;

static u32 count(enum slot_state state)
{
	u32 i, n = 0;

	for (i = 0; i < CVM_TDX_BUFFERS; i++)
		n += READ_ONCE(slots[i].state) == state;
	return n;
}

u32 cvm_tdx_quote_late(void)
{
	return count(SLOT_LATE);
}

bool cvm_tdx_quote_stuck(void)
{
	return count(SLOT_LATE) == CVM_TDX_BUFFERS;
}

u64 cvm_tdx_quote_estimate(void)
{
	return READ_ONCE(estimate.mean);
}

/* Late buffers do not count: a host that forgets one gets a spare. */
unsigned int cvm_tdx_quote_room(void)
{
	u32 busy = count(SLOT_REFUSED) + count(SLOT_ASKED);

	if (busy >= CVM_TDX_INFLIGHT)
		return 0;
	return min(CVM_TDX_INFLIGHT - busy, count(SLOT_FREE));
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

/* where REPORT_DATA is in a quote of @len bytes; 0 if that is no quote */
static size_t report_data_offset(const u8 *quote, size_t len)
{
	const struct tdx_quote_header *header = (const void *)quote;
	const struct tdx_quote_body_header *body = (const void *)(header + 1);
	size_t start = sizeof(*header);
	size_t size = TDX_BODY_TD10_SIZE;

	if (len < sizeof(*header) + sizeof(*body) ||
	    le32_to_cpu(header->tee_type) != TDX_TEE_TYPE)
		return 0;

	switch (le16_to_cpu(header->version)) {
	case 4:
		break;
	case 5:
		start += sizeof(*body);
		if (le16_to_cpu(body->type) == TDX_BODY_TD15)
			size = TDX_BODY_TD15_SIZE;
		else if (le16_to_cpu(body->type) != TDX_BODY_TD10)
			return 0;
		if (le32_to_cpu(body->size) != size)
			return 0;
		break;
	default:
		return 0;
	}
	return len >= start + size ? start + TDX_BODY_DATA : 0;
}

/* Whatever the host wrote, or writes next: a copy of ours is what is checked. */
static int take_quote(struct slot *slot, struct cvm_req *req)
{
	u32 len = le32_to_cpu(READ_ONCE(slot->buf->out_len));
	size_t offset;
	u8 *quote;

	if (!len || len > TDX_QUOTE_MAX)
		return -EBADMSG;

	quote = kvmalloc(len, GFP_KERNEL);
	if (!quote)
		return -ENOMEM;
	memcpy(quote, slot->buf->data, len);

	offset = report_data_offset(quote, len);
	if (!offset || memcmp(quote + offset, req->report_data,
			      sizeof(req->report_data))) {
		kvfree(quote);
		return -EBADMSG;
	}
	req->evidence = quote;
	req->evidence_len = len;
	return 0;
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

	ret = take_quote(slot, slot->req);
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
		cvm_count(late);
		pr_warn_ratelimited("the host is late with a quote: its buffer is set aside until it answers\n");
	}
	/* there is no hurry for an answer that nobody waits for */
	if (slot->state == SLOT_LATE &&
	    !(slot->req && cvm_req_wanted(slot->req)))
		slot->next = ktime_add_ms(now, CVM_TDX_IDLE_MS);
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
	if (status == TDX_QUOTE_SUCCESS && slot->state == SLOT_ASKED)
		learn(slot, now);
	release(slot, read_answer(slot, status));
}

static void refused(struct slot *slot, ktime_t now)
{
	cvm_count(throttled);
	set_state(slot, SLOT_REFUSED);
	slot->pause_us = clamp(2 * slot->pause_us, CVM_TDX_RETRY_MIN_US,
			       CVM_TDX_RETRY_MAX_US);
	slot->next = ktime_add_us(now, slot->pause_us);
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
		set_state(slot, SLOT_ASKED);
		look(slot, now);
	}
}

void cvm_tdx_quote_issue(struct cvm_req *req, const u8 *tdreport)
{
	struct slot *slot = slots;

	/* cvm_tdx_quote_room() said that there is one */
	while (slot->state != SLOT_FREE)
		slot++;

	slot->req = req;
	slot->pause_us = 0;
	memcpy(slot->buf->data, tdreport, TDX_TDREPORT_SIZE);
	ask(slot);
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

ktime_t cvm_tdx_quote_poll(void)
{
	ktime_t next = KTIME_MAX;
	ktime_t now = ktime_get();
	struct slot *slot;

	for (slot = slots; slot < slots + CVM_TDX_BUFFERS; slot++) {
		if (slot->state == SLOT_REFUSED)
			ask_again(slot, now);
		else if (slot->state != SLOT_FREE)
			look(slot, now);
		if (slot->state != SLOT_FREE)
			next = min(next, slot->next);
	}
	return next;
}

/* the host may still write to the buffer, but no longer for anybody */
static void abandon(struct slot *slot)
{
	struct cvm_req *req = slot->req;

	slot->req = NULL;
	if (req)
		cvm_req_finish(req, -ECANCELED);
}

void cvm_tdx_quote_drain(void)
{
	ktime_t end = ktime_add_ms(ktime_get(), CVM_DRAIN_MS);
	struct slot *slot;
	ktime_t next;

	/* the host has none of these, and is not to get them now */
	for (slot = slots; slot < slots + CVM_TDX_BUFFERS; slot++)
		if (slot->state == SLOT_REFUSED)
			release(slot, -ECANCELED);

	for (;;) {
		next = cvm_tdx_quote_poll();
		if (next == KTIME_MAX || !ktime_before(ktime_get(), end))
			break;
		set_current_state(TASK_IDLE);
		schedule_hrtimeout(&next, HRTIMER_MODE_ABS);
	}
	for (slot = slots; slot < slots + CVM_TDX_BUFFERS; slot++)
		abandon(slot);
}

/* Pages whose state is unknown stay away from the allocator for good. */
static int share(struct slot *slot)
{
	void *buf = alloc_pages_exact(TDX_QUOTE_BUF_SIZE,
				      GFP_KERNEL | __GFP_ZERO);

	if (!buf)
		return -ENOMEM;

	if (set_memory_decrypted((unsigned long)buf, BUF_PAGES)) {
		pr_err("a quote buffer could not be shared with the host: %d KiB are lost\n",
		       TDX_QUOTE_BUF_SIZE / SZ_1K);
		return -EIO;
	}
	slot->buf = buf;
	return 0;
}

/* false: leaked, because the host still writes there or may read there */
static bool unshare(struct slot *slot)
{
	void *buf = slot->buf;

	slot->buf = NULL;
	if (!buf)
		return true;
	if (slot->state != SLOT_FREE)
		return false;
	if (set_memory_encrypted((unsigned long)buf, BUF_PAGES))
		return false;
	free_pages_exact(buf, TDX_QUOTE_BUF_SIZE);
	return true;
}

int cvm_tdx_quote_start(void)
{
	int i, ret;

	for (i = 0; i < CVM_TDX_BUFFERS; i++) {
		ret = share(&slots[i]);
		if (ret) {
			cvm_tdx_quote_stop();
			return ret;
		}
	}
	return 0;
}

void cvm_tdx_quote_stop(void)
{
	int i, leaked = 0;

	for (i = 0; i < CVM_TDX_BUFFERS; i++)
		leaked += !unshare(&slots[i]);
	if (leaked)
		pr_warn("%d quote buffers of %d KiB are lost: the host has not given them back\n",
			leaked, TDX_QUOTE_BUF_SIZE / SZ_1K);
}
