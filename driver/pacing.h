/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CVM_PACING_H
#define CVM_PACING_H

#include <linux/types.h>

/**
 * struct cvm_pacing - the rhythm of a host that lets so many requests through
 *	and refuses the others; times are nanoseconds of one clock, 0: never
 * @start: when the host let the first request of this window through
 * @refused: the last refusal since it let one through
 * @low: from @start to the last refusal before the next window, as last seen;
 *	0: nothing is known
 * @high: from @start to the first request of the next window
 * @count: requests let through in this window
 * @burst: requests that a window has, 0: not known
 * @agreed: windows in a row that were alike; the rhythm holds from 1 on
 * @unrefused: requests in a row that were aimed and met no refusal
 *
 * A window opens with the first request after a refusal. Both a bucket that
 * fills by a token at a time and a count that is reset now and then look like
 * that to somebody who always wants more.
 *
 * The host controls all of it. What it can win is that it is asked
 * CVM_PACING_MAX later than possible, a few times; it could as well refuse.
 */
struct cvm_pacing {
	__u64 start;
	__u64 refused;
	__u64 low;
	__u64 high;
	__u32 count;
	__u32 burst;
	__u32 agreed;
	__u32 unrefused;
};

#define CVM_PACING_MS		1000000ULL
/* longer windows are not learned */
#define CVM_PACING_MAX		(10000 * CVM_PACING_MS)
/* so early is the host asked, so that its refusal shows where the window opens */
#define CVM_PACING_MARGIN_MIN	(2 * CVM_PACING_MS)
#define CVM_PACING_MARGIN_MAX	(20 * CVM_PACING_MS)
/* between two tries around the expected time, at least */
#define CVM_PACING_STEP_MIN	(2 * CVM_PACING_MS)

/* a request asked at @now was refused; was let through */
void cvm_pacing_refused(struct cvm_pacing *pacing, __u64 now);
void cvm_pacing_granted(struct cvm_pacing *pacing, __u64 now);

/* from when on it is worth asking; 0: at once */
__u64 cvm_pacing_due(const struct cvm_pacing *pacing);

/* after a refusal at @now: when to try again, @backoff later at the latest */
__u64 cvm_pacing_retry(const struct cvm_pacing *pacing, __u64 now,
		       __u64 backoff);

#endif /* CVM_PACING_H */
