// SPDX-License-Identifier: GPL-2.0
/*
 * When the driver looks for a quote (driver/estimate.c), with a clock that is
 * a variable: hosts of every speed, steady and not, and hostile ones.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../driver/estimate.h"

static unsigned int tests, failures;

static void ok(bool good, const char *what, double value)
{
	printf("%sok %u - %s (%.3f)\n", good ? "" : "not ", ++tests, what,
	       value);
	failures += !good;
}

struct outcome {
	__u64 seen;
	unsigned int looks;
	__u64 spun;	/* time that was not slept */
};

/* one quote that takes @t; each sleep ends @oversleep late */
static struct outcome wait_for(struct cvm_estimate *est, __u64 t,
			       __u64 oversleep)
{
	struct outcome out = { 0 };
	__u64 before = 0, spin;

	for (;;) {
		out.seen = cvm_estimate_next(est, out.seen) + oversleep;
		out.looks++;
		if (out.seen >= t)
			break;
		before = out.seen;
		spin = cvm_estimate_spin(est, out.seen);
		if (out.seen + spin >= t) {
			out.spun += t - out.seen;
			out.seen = t;
			before = t - 1;
			break;
		}
		out.spun += spin;
		out.seen += spin;
		before = out.seen;
	}
	cvm_estimate_learn(est, before, out.seen);
	return out;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* the median of seen / T over a run, after the first few */
static double median(__u64 t, __u64 jitter, __u64 oversleep, double *looks,
		     double *spun)
{
	enum { RUNS = 501, WARM = 20 };
	static double ratio[RUNS];
	struct cvm_estimate est = { 0 };
	unsigned int seed = 1;
	double sum = 0;
	int i;

	for (i = -WARM; i < RUNS; i++) {
		__u64 now = t + (jitter ? rand_r(&seed) % jitter : 0);
		struct outcome out = wait_for(&est, now, oversleep);

		if (i < 0)
			continue;
		ratio[i] = (double)out.seen / now;
		sum += out.looks;
		*spun += (double)out.spun / now / RUNS;
	}
	qsort(ratio, RUNS, sizeof(ratio[0]), by_value);
	*looks = sum / RUNS;
	return ratio[RUNS / 2];
}

static void steady(const char *what, __u64 t, __u64 jitter, __u64 oversleep,
		   double limit, double most_looks)
{
	double looks, spun = 0, m = median(t, jitter, oversleep, &looks, &spun);

	ok(m >= 1 && m <= limit, what, m);
	ok(looks <= most_looks, "  looks per quote", looks);
	/* where the time is shorter than the timers' error it is what helps */
	ok(spun <= 0.04 || t < CVM_ESTIMATE_MS, "  of the time without sleep",
	   spun);
}

static void hostile(void)
{
	struct cvm_estimate est = { 0 };
	__u64 next;
	int i;

	for (i = 0; i < 1000; i++)
		cvm_estimate_learn(&est, ~0ULL, ~0ULL);
	next = cvm_estimate_next(&est, 0);
	ok(next <= CVM_ESTIMATE_MAX, "endless answers delay the first look by 50 ms at most",
	   next / 1e6);
	next = cvm_estimate_late(&est);
	ok(next <= CVM_ESTIMATE_LATE_MAX, "and the end of patience by 10 s", next / 1e9);
	for (i = 0; i < 1000; i++)
		cvm_estimate_learn(&est, 0, 0);
	next = cvm_estimate_next(&est, 0);
	ok(next >= CVM_ESTIMATE_MIN, "instant answers do not make it look at once", next / 1e3);
	ok(cvm_estimate_next(&est, 1000000) >= 1000000 + CVM_ESTIMATE_STEP_MIN,
	   "nor without a pause", 0);
	next = cvm_estimate_late(&est);
	ok(next >= CVM_ESTIMATE_LATE_MIN, "nor lose patience early", next / 1e9);
	next = cvm_estimate_next(&est, 3600ULL * 1000000000) - 3600ULL * 1000000000;
	ok(next == CVM_ESTIMATE_STEP_MAX, "after an hour it looks every 5 ms", next / 1e6);
}

static void faster(void)
{
	struct cvm_estimate est = { 0 };
	struct outcome out;
	int i;

	for (i = 0; i < 50; i++)
		wait_for(&est, 39 * CVM_ESTIMATE_MS, 0);
	for (i = 0; i < 30; i++)
		out = wait_for(&est, 47 * CVM_ESTIMATE_MS / 10, 0);
	ok(out.seen <= 52 * CVM_ESTIMATE_MS / 10,
	   "39 ms become 4.7 ms: known after 30 quotes", out.seen / 1e6);
}

int main(void)
{
	printf("TAP version 13\n");
	steady("T = 4.7 ms", 4700 * CVM_ESTIMATE_US, 0, 0, 1.001, 4);
	steady("T = 4.7 ms, timers late by 100 us", 4700 * CVM_ESTIMATE_US, 0,
	       100 * CVM_ESTIMATE_US, 1.001, 4);
	steady("T = 4.7 to 5.7 ms", 4700 * CVM_ESTIMATE_US,
	       1000 * CVM_ESTIMATE_US, 0, 1.06, 16);
	steady("T = 39 ms", 39 * CVM_ESTIMATE_MS, 0, 0, 1.02, 12);
	steady("T = 39 to 49 ms", 39 * CVM_ESTIMATE_MS, 10 * CVM_ESTIMATE_MS, 0,
	       1.06, 24);
	steady("T = 120 ms, beyond the longest first sleep",
	       120 * CVM_ESTIMATE_MS, 0, 0, 1.05, 45);
	steady("T = 300 us", 300 * CVM_ESTIMATE_US, 0, 0, 1.35, 8);
	faster();
	hostile();
	printf("1..%u\n", tests);
	return failures ? 1 : 0;
}
