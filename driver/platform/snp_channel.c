// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps one message going until it is answered.
 *
 * AES-GCM breaks when one IV carries two plaintexts, and the IV of a guest
 * message is its sequence number, which the firmware advances only when it
 * answers. So a message, once sealed, is the only one there is: it is repeated
 * unchanged, however long that takes and whoever still waits for it, and
 * nothing else is sealed before it has been answered. Where that cannot end
 * well the key goes, never the rule.
 */
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/random.h>
#include <linux/string.h>

#include "../pacing.h"
#include "../platform.h"
#include "snp_channel.h"
#include "snp_pages.h"

/*
 * The worker's, and while it is inside cvm_snp_layer_issue() the layer's, which
 * may use it from a timer that has ended when that returns.
 */
static struct cvm_pacing pacing;

static struct {
	u32 state;
	struct cvm_snp_msg *msg;	/* in hand: sealed, not answered */
	struct cvm_snp_tally tally;
	bool extended;			/* the form it is sent in now */
	bool stalled;			/* the layer has blocked on it in vain */
	bool refused;			/* "busy" was said to the last message */
	ktime_t next;
	void *certs;			/* shared pages for the table */
	u32 pages;
} chan = { .state = CVM_CHANNEL_DEAD };

u32 cvm_snp_channel_state(void)
{
	return READ_ONCE(chan.state);
}

ktime_t cvm_snp_channel_next(void)
{
	return chan.msg ? chan.next : KTIME_MAX;
}

bool cvm_snp_channel_stalled(void)
{
	return chan.msg && chan.stalled;
}

ktime_t cvm_snp_channel_ready(void)
{
	if (cvm_snp_channel_state() == CVM_CHANNEL_DEAD)
		return 0;
	return ns_to_ktime(cvm_pacing_due(&pacing));
}

bool cvm_snp_channel_throttled(void)
{
	return chan.refused || ktime_after(cvm_snp_channel_ready(), ktime_get());
}

void cvm_snp_channel_spent(void)
{
	cvm_pacing_granted(&pacing, ktime_get_ns());
}

static void set_state(u32 state)
{
	if (chan.state != state)
		WRITE_ONCE(chan.state, state);
}

u64 cvm_snp_retry_in(u64 now, unsigned int pauses)
{
	u64 ms = cvm_snp_backoff(pauses, get_random_u32());

	return cvm_pacing_retry(&pacing, now, ms * NSEC_PER_MSEC) - now;
}

static void note_refusal(u64 asked)
{
	cvm_count(throttled);
	chan.refused = true;
	cvm_pacing_refused(&pacing, asked);
}

void cvm_snp_throttled(u64 asked)
{
	note_refusal(asked);
	cvm_count(retries);
	cmpxchg(&chan.state, CVM_CHANNEL_READY, CVM_CHANNEL_PARKED);
}

void cvm_snp_channel_kill(const char *why)
{
	if (chan.state == CVM_CHANNEL_DEAD)
		return;
	set_state(CVM_CHANNEL_DEAD);
	cvm_snp_layer_wipe();
	pr_err("snp: %s; the key was wiped, there is no evidence until the next boot\n", why);
	chan.msg = NULL;
}

/* the host named how many pages the table takes; it has been bounded */
static bool grow(u32 pages)
{
	void *certs;

	pages = roundup_pow_of_two(pages);
	certs = cvm_snp_share(pages);
	if (!certs)
		return false;
	cvm_snp_unshare(chan.certs, chan.pages);
	chan.certs = certs;
	chan.pages = pages;
	return true;
}

/*
 * The kernel's layer logs every failure as the loss of the key, unlimited,
 * and the host decides how often it fails: slower and slower.
 */
static unsigned int loud_backoff(unsigned int ms)
{
	if (chan.tally.pauses < CVM_SNP_LOUD_TRIES)
		return ms;
	pr_warn_ratelimited("snp: the host fails a message before the firmware sees it; the kernel reports a wiped copy, the key is kept\n");
	return min(ms << min(chan.tally.pauses - CVM_SNP_LOUD_TRIES, 8u),
		   CVM_SNP_LOUD_MAX_MS);
}

static int park_until(ktime_t next)
{
	chan.tally.pauses++;
	chan.next = next;
	set_state(CVM_CHANNEL_PARKED);
	return -EAGAIN;
}

/* the host did not carry it */
static int pause_message(bool loud)
{
	unsigned int ms = cvm_snp_backoff(chan.tally.pauses, get_random_u32());

	if (loud)
		ms = loud_backoff(ms);
	return park_until(ktime_add_ms(ktime_get(), ms));
}

/* the host throttles: again when it is expected to let it through, or sooner */
static int throttled(u64 asked)
{
	u64 now = ktime_get_ns();

	note_refusal(asked);
	return park_until(ns_to_ktime(now + cvm_snp_retry_in(now, chan.tally.pauses)));
}

static int retire(const char *why)
{
	cvm_count(rejected);
	cvm_snp_channel_kill(why);
	return -ENOKEY;
}

static bool is_exact(const struct cvm_snp_msg *msg)
{
	return msg->certs && msg->exact;
}

/* pages of certificates that the message in hand may bring */
static u32 offered(void)
{
	return is_exact(chan.msg) ? chan.msg->pages : chan.pages;
}

static void tell_wish(struct cvm_snp_msg *msg, u32 pages)
{
	msg->wants_pages = true;
	msg->wish = pages;
}

/* the layer sent the plain form by itself, and that was answered */
static void note_wish(struct cvm_snp_msg *msg, const struct cvm_snp_call *call)
{
	if (call->extended || !chan.extended)
		return;
	if (is_exact(msg))
		tell_wish(msg, call->pages);
	else if (call->pages > chan.pages && call->pages <= CVM_SNP_CERT_PAGES_MAX)
		msg->wants_pages = grow(call->pages);
}

static int answered(const struct cvm_snp_call *call)
{
	struct cvm_snp_msg *msg = chan.msg;

	/* the firmware answers once: a response that is not right has no second try */
	msg->spoilt = cvm_snp_layer_open(msg);
	if (msg->spoilt)
		return retire("the host delivered a response that is not the firmware's");
	note_wish(msg, call);
	if (call->extended) {
		msg->table = chan.certs;
		msg->table_len = offered() * PAGE_SIZE;
	}
	chan.msg = NULL;
	set_state(CVM_CHANNEL_READY);
	return 0;
}

static void hand_over(struct cvm_snp_call *call)
{
	call->extended = chan.extended;
	call->certs = chan.certs;
	call->pages = offered();
	call->blocked = false;
	call->asked = ktime_get_ns();
	/* no earlier table may pass for this answer's */
	if (call->extended)
		memset(chan.certs, 0, chan.pages * PAGE_SIZE);
	cvm_snp_layer_issue(chan.msg, call);
	chan.msg->info = call->info;
}

/* the host would not answer the extended form: why is for whoever asked for it */
static void note_plain(const struct cvm_snp_call *call)
{
	if (is_exact(chan.msg) && CVM_SNP_VMM(call->info) == CVM_SNP_VMM_INVALID_LEN)
		tell_wish(chan.msg, call->pages);
	chan.extended = false;
	cvm_count(retries);
}

int cvm_snp_channel_try(void)
{
	struct cvm_snp_call call;

	if (!chan.msg)
		return -ENOKEY;
	if (chan.tally.pauses)
		cvm_count(retries);
again:
	hand_over(&call);
	chan.stalled = call.blocked;
	switch (cvm_snp_judge(&chan.tally, &call, offered())) {
	case CVM_SNP_ANSWERED:
		cvm_pacing_granted(&pacing, call.asked);
		return answered(&call);
	case CVM_SNP_LATER:
		return throttled(call.asked);
	case CVM_SNP_AGAIN:
		return pause_message(cvm_snp_layer_loud);
	case CVM_SNP_GROW:
		chan.extended = grow(call.pages);
		cvm_count(retries);
		goto again;
	case CVM_SNP_PLAIN:
		note_plain(&call);
		goto again;
	case CVM_SNP_HOPELESS:
		break;
	}
	return retire("the host keeps failing a message");
}

int cvm_snp_channel_send(struct cvm_snp_msg *msg)
{
	int err;

	msg->table = NULL;
	msg->table_len = 0;
	msg->wants_pages = false;
	msg->spoilt = false;
	msg->info = 0;
	if (chan.state == CVM_CHANNEL_DEAD)
		return -ENOKEY;
	if (WARN_ON_ONCE(chan.msg))
		return -EBUSY;
	if (is_exact(msg) && msg->pages > chan.pages)
		return -ENOMEM;
	err = cvm_snp_layer_seal(msg);
	if (err == -EOVERFLOW) {
		cvm_snp_channel_kill("the message counter is used up");
		return -ENOKEY;
	}
	/* the cipher failed: nothing has left, and the counter stands */
	if (err)
		return -EIO;
	chan.msg = msg;
	/* whoever says how many pages there are does not want more */
	chan.tally = (struct cvm_snp_tally){ .grown = is_exact(msg) };
	chan.refused = false;
	chan.extended = msg->certs && chan.certs;
	return cvm_snp_channel_try();
}

int cvm_snp_channel_open(struct platform_device *pdev, unsigned int vmpck)
{
	int err = cvm_snp_layer_start(pdev, vmpck);

	if (err)
		return err;
	/* without these there are reports, and no certificates */
	chan.certs = cvm_snp_share(CVM_SNP_CERT_PAGES);
	chan.pages = chan.certs ? CVM_SNP_CERT_PAGES : 0;
	chan.msg = NULL;
	pacing = (struct cvm_pacing){};
	set_state(CVM_CHANNEL_READY);
	return 0;
}

void cvm_snp_channel_close(void)
{
	set_state(CVM_CHANNEL_DEAD);
	cvm_snp_unshare(chan.certs, chan.pages);
	chan.certs = NULL;
	chan.pages = 0;
	cvm_snp_layer_stop();
}
