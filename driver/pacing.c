// SPDX-License-Identifier: GPL-2.0-only
/*
 * When a host that throttles lets the next request through, learned from when
 * it refused and when it did not. Asking just before that time, and not as
 * soon as there is something to ask, leaves a set of callers open for as long
 * as it can be, and wastes nothing of what the host permits. Pure arithmetic:
 * a test in user space compiles this file.
 */
#include "pacing.h"

static __u64 bound(__u64 value, __u64 low, __u64 high)
{
	if (value < low)
		return low;
	return value > high ? high : value;
}

static __u64 since(__u64 start, __u64 now)
{
	return now > start ? now - start : 0;
}

static __u64 margin(const struct cvm_pacing *pacing)
{
	return bound(pacing->low >> 7, CVM_PACING_MARGIN_MIN,
		     CVM_PACING_MARGIN_MAX);
}

/* when the first try is due in the window after this one */
static __u64 aim(const struct cvm_pacing *pacing)
{
	__u64 early = margin(pacing);

	return pacing->start + (pacing->low > early ? pacing->low - early : 0);
}

static void forget(struct cvm_pacing *pacing)
{
	pacing->low = 0;
	pacing->high = 0;
	pacing->burst = 0;
	pacing->agreed = 0;
	pacing->unrefused = 0;
}

static void open_window(struct cvm_pacing *pacing, __u64 now)
{
	pacing->start = now;
	pacing->count = 1;
}

void cvm_pacing_refused(struct cvm_pacing *pacing, __u64 now)
{
	/* the first request beyond what the window has */
	if (!pacing->refused && pacing->count)
		pacing->burst = pacing->count;
	pacing->refused = now;
}

/*
 * Two brackets that overlap, or nearly, may be of one and the same length. A
 * wide one overlaps with anything, and says nothing.
 */
static int alike(const struct cvm_pacing *pacing, __u64 low, __u64 high)
{
	__u64 slack = pacing->high >> 4;

	return pacing->low && low >= high / 3 &&
	       low <= pacing->high + slack && high + slack >= pacing->low;
}

/* the window after this one opened between the last refusal and @now */
static void learn(struct cvm_pacing *pacing, __u64 now)
{
	__u64 low = since(pacing->start, pacing->refused);
	__u64 high = since(pacing->start, now);

	if (!pacing->start || !low || high > CVM_PACING_MAX) {
		forget(pacing);
		return;
	}
	if (alike(pacing, low, high))
		pacing->agreed = pacing->agreed < 8 ? pacing->agreed + 1 : 8;
	else
		pacing->agreed = 0;
	pacing->low = low;
	pacing->high = high;
	pacing->unrefused = 0;
}

/*
 * It was due, and the host did not mind: either the window had opened earlier
 * already, then the next try comes earlier and finds its edge; or the host has
 * stopped, which the third time in a row says.
 */
static void doubt(struct cvm_pacing *pacing)
{
	switch (++pacing->unrefused) {
	case 1:
		pacing->low -= pacing->low >> 4;
		break;
	case 2:
		pacing->low -= pacing->low >> 2;
		break;
	default:
		forget(pacing);
	}
}

void cvm_pacing_granted(struct cvm_pacing *pacing, __u64 now)
{
	__u64 elapsed = since(pacing->start, now);

	if (pacing->refused) {
		learn(pacing, now);
		pacing->refused = 0;
		open_window(pacing, now);
	} else if (!pacing->count || elapsed > 2 * pacing->high) {
		/* nobody asked for long: the host may have saved up for it */
		pacing->burst = 0;
		open_window(pacing, now);
	} else if (!pacing->agreed || !pacing->burst ||
		   pacing->count < pacing->burst) {
		pacing->count++;
	} else {
		if (elapsed <= pacing->low + (pacing->low >> 4))
			doubt(pacing);
		open_window(pacing, now);
	}
}

__u64 cvm_pacing_due(const struct cvm_pacing *pacing)
{
	if (!pacing->agreed || !pacing->burst || pacing->refused ||
	    pacing->count < pacing->burst)
		return 0;
	return aim(pacing);
}

/*
 * Never later than without any knowledge of the rhythm. Around the expected
 * time in small steps that grow with the distance from it, so that a wrong
 * expectation costs a few tries.
 */
__u64 cvm_pacing_retry(const struct cvm_pacing *pacing, __u64 now,
		       __u64 backoff)
{
	__u64 at, step;

	if (!pacing->low)
		return now + backoff;

	at = aim(pacing);
	if (now < at)
		return at < now + backoff ? at : now + backoff;

	step = (now - at) >> 1;
	if (step < pacing->low >> 8)
		step = pacing->low >> 8;
	step = bound(step, CVM_PACING_STEP_MIN, CVM_PACING_MAX);
	return now + (step < backoff ? step : backoff);
}
