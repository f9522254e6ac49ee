/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CVM_INFLIGHT_H
#define CVM_INFLIGHT_H

#include <linux/types.h>

/**
 * struct cvm_inflight - how many requests the host is given at a time
 * @most: never more than these
 * @level: how many are kept in flight, as learned
 * @trial: how many for the moment; @level when nothing is being tried
 * @now: in flight
 * @at: when @now last changed, nanoseconds
 * @busy: time with any in flight since the measurement began
 * @area: the same, times how many
 * @done: answers since then
 * @cost: @busy per answer at @level, measured before the trial; 0: unknown
 * @left: answers until the next trial
 * @pause: answers between two trials, the next time
 * @tries: answers since the trial began
 * @full: @trial was reached since it began
 * @measuring: the trial's measurement has begun
 * @down: the next trial is one with fewer
 *
 * A host that works on one request at a time takes twice as long for each of
 * two, and gives no more answers; only one that works in parallel gives more.
 * Time without anything in flight is not counted: what the host is not asked
 * says nothing about it.
 *
 * The host controls the times. What it can win is a number between 1 and
 * @most.
 */
struct cvm_inflight {
	__u32 most;
	__u32 level;
	__u32 trial;
	__u32 now;
	__u64 at;
	__u64 busy;
	__u64 area;
	__u32 done;
	__u64 cost;
	__u32 left;
	__u32 pause;
	__u32 tries;
	__u8 full;
	__u8 measuring;
	__u8 down;
};

enum {
	/* a measurement: so many answers of each that is in flight */
	CVM_INFLIGHT_ROUNDS	= 4,
	/*
	 * answers between two trials: doubled each time that one fails; and
	 * after one that brought nothing at all
	 */
	CVM_INFLIGHT_PAUSE_MIN	= 128,
	CVM_INFLIGHT_PAUSE_HOPELESS = 1024,
	CVM_INFLIGHT_PAUSE_MAX	= 2048,
};

void cvm_inflight_init(struct cvm_inflight *inflight, __u32 most);

/* may one more be asked? */
static inline __u32 cvm_inflight_room(const struct cvm_inflight *inflight)
{
	return inflight->now < inflight->trial ?
	       inflight->trial - inflight->now : 0;
}

/* the host took one; answered one; is late with one, or failed it */
void cvm_inflight_asked(struct cvm_inflight *inflight, __u64 now);
void cvm_inflight_answered(struct cvm_inflight *inflight, __u64 now);
void cvm_inflight_lost(struct cvm_inflight *inflight, __u64 now);

/* the host took none, with those that are in flight */
void cvm_inflight_refused(struct cvm_inflight *inflight, __u64 now);

#endif /* CVM_INFLIGHT_H */
