/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CVM_ESTIMATE_H
#define CVM_ESTIMATE_H

#include <linux/types.h>

/**
 * struct cvm_estimate - how long the host takes, as learned; nanoseconds
 * @mean: of the time from question to answer, moving; 0: nothing learned yet
 * @spread: mean deviation from it
 * @missed: answers in a row that were there at the first look
 *
 * The host controls every sample. All that a wrong estimate can do is to look
 * CVM_ESTIMATE_MAX too late, or a few times too often.
 */
struct cvm_estimate {
	__u64 mean;
	__u64 spread;
	__u32 missed;
};

#define CVM_ESTIMATE_US		1000ULL
#define CVM_ESTIMATE_MS		1000000ULL
/* the first look comes no earlier, and no later */
#define CVM_ESTIMATE_MIN	(50 * CVM_ESTIMATE_US)
#define CVM_ESTIMATE_MAX	(50 * CVM_ESTIMATE_MS)
/* between two looks */
#define CVM_ESTIMATE_STEP_MIN	(50 * CVM_ESTIMATE_US)
#define CVM_ESTIMATE_STEP_MAX	(5 * CVM_ESTIMATE_MS)
/* before and after the mean, where looking all the time pays */
#define CVM_ESTIMATE_SPIN_MIN	(50 * CVM_ESTIMATE_US)
#define CVM_ESTIMATE_SPIN_MAX	(150 * CVM_ESTIMATE_US)
/* longer times are not learned */
#define CVM_ESTIMATE_SAMPLE_MAX	(10000 * CVM_ESTIMATE_MS)
/* an answer is late after 32 times the mean, within these bounds */
#define CVM_ESTIMATE_LATE_MIN	(2000 * CVM_ESTIMATE_MS)
#define CVM_ESTIMATE_LATE_MAX	(10000 * CVM_ESTIMATE_MS)

/* when to look first, and after a look at @elapsed; from the question on */
__u64 cvm_estimate_next(const struct cvm_estimate *est, __u64 elapsed);

/*
 * For how long after a look at @elapsed it is worth not to sleep at all but to
 * look all the time: the answer is expected in less than a sleep takes.
 */
__u64 cvm_estimate_spin(const struct cvm_estimate *est, __u64 elapsed);

/* from when on the answer is late */
__u64 cvm_estimate_late(const struct cvm_estimate *est);

/* there was no answer yet at @before, but one at @after */
void cvm_estimate_learn(struct cvm_estimate *est, __u64 before, __u64 after);

#endif /* CVM_ESTIMATE_H */
