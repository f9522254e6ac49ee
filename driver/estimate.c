// SPDX-License-Identifier: GPL-2.0-only
/*
 * When to look for an answer that the host writes into memory without telling
 * anybody. Sleeping to just before the learned time and then looking at
 * growing intervals costs a few looks per answer and a few percent of its
 * time. Pure arithmetic: a test in user space compiles this file.
 */
#include "estimate.h"

static __u64 bound(__u64 value, __u64 low, __u64 high)
{
	if (value < low)
		return low;
	return value > high ? high : value;
}

/* old + (new - old) / 2^shift, unsigned */
static __u64 moved(__u64 old, __u64 new, unsigned int shift)
{
	if (new > old)
		return old + ((new - old) >> shift);
	return old - ((old - new) >> shift);
}

/* a few percent of the mean, and of a CPU's time */
static __u64 spin(const struct cvm_estimate *est)
{
	return bound(est->mean >> 5, CVM_ESTIMATE_SPIN_MIN,
		     CVM_ESTIMATE_SPIN_MAX);
}

/* before the mean by what it usually deviates, and a bit */
static __u64 first_look(const struct cvm_estimate *est)
{
	__u64 margin = 2 * est->spread + spin(est);

	if (margin > est->mean)
		return CVM_ESTIMATE_MIN;
	return bound(est->mean - margin, CVM_ESTIMATE_MIN, CVM_ESTIMATE_MAX);
}

static __u64 step_min(const struct cvm_estimate *est)
{
	return bound(est->mean >> 7, CVM_ESTIMATE_STEP_MIN,
		     CVM_ESTIMATE_STEP_MAX);
}

/*
 * A step is a quarter of the time since the first look, so the answer is seen
 * at most that much after the host gave it, however long that took; and not
 * less than a fraction of the mean, which is as much as it matters.
 */
__u64 cvm_estimate_next(const struct cvm_estimate *est, __u64 elapsed)
{
	__u64 first = first_look(est);
	__u64 next, near;

	if (elapsed < first)
		return first;
	next = elapsed + bound((elapsed - first) >> 2, step_min(est),
			       CVM_ESTIMATE_STEP_MAX);
	/* no sleep over the beginning of what is not slept through */
	near = est->mean > spin(est) ? est->mean - spin(est) : 0;
	return elapsed < near && near < next ? near : next;
}

/*
 * Only where the answer has come close to the mean so far: looking all the
 * time at one that comes anywhere is a waste. A look of ours may be some
 * microseconds early.
 */
__u64 cvm_estimate_spin(const struct cvm_estimate *est, __u64 elapsed)
{
	__u64 half = spin(est);
	__u64 begin = est->mean > half ? est->mean - half : 0;
	__u64 end = est->mean + half;

	if (!est->mean || est->mean > CVM_ESTIMATE_MAX ||
	    est->spread > 2 * half)
		return 0;
	return elapsed >= begin && elapsed < end ? end - elapsed : 0;
}

__u64 cvm_estimate_late(const struct cvm_estimate *est)
{
	if (!est->mean)
		return CVM_ESTIMATE_LATE_MAX;
	return bound(est->mean << 5, CVM_ESTIMATE_LATE_MIN,
		     CVM_ESTIMATE_LATE_MAX);
}

/*
 * The first look in earnest found the answer: nobody knows for how long it had
 * been there. Once, the look itself may have come late; then the estimate is
 * too long, and falls quickly, or it would never learn that the host has become
 * faster.
 */
static void miss(struct cvm_estimate *est, __u64 after)
{
	if (est->mean && !est->missed++) {
		est->mean -= est->mean >> 6;
		return;
	}
	est->mean = after - (after >> 3);
}

/* The time lies between two looks. */
void cvm_estimate_learn(struct cvm_estimate *est, __u64 before, __u64 after)
{
	__u64 sample, off;

	after = bound(after, 1, CVM_ESTIMATE_SAMPLE_MAX);
	before = bound(before, 0, after);

	if (after - before > after >> 2) {
		miss(est, after);
		return;
	}
	est->missed = 0;
	sample = before + ((after - before) >> 1);
	if (!est->mean) {
		est->mean = sample;
		est->spread = (after - before) >> 1;
		return;
	}
	off = sample > est->mean ? sample - est->mean : est->mean - sample;
	est->spread = moved(est->spread, off, 2);
	est->mean = moved(est->mean, sample, 3);
}
