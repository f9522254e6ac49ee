// SPDX-License-Identifier: GPL-2.0
/*
 * When the driver asks a host that throttles (driver/pacing.c), with a clock
 * that is a variable: buckets, windows and gaps of every length, hosts that
 * stop, and hosts that follow no rule.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../driver/pacing.h"

#define MS	CVM_PACING_MS

static unsigned int tests, failures;

static void ok(bool good, const char *what, double value)
{
	printf("%sok %u - %s (%.3f)\n", good ? "" : "not ", ++tests, what,
	       value);
	failures += !good;
}

enum limiter { BUCKET, WINDOW, GAP, OPEN, RANDOM };

/* n requests in a period; a gap is the period after each request */
struct host {
	enum limiter limiter;
	__u64 period;
	unsigned int n;
	__u64 start, last;
	unsigned int used;
	double tokens;
	unsigned int seed;
};

#define HOST(how, ms, count)						\
	((struct host){ .limiter = (how), .period = (ms) * MS, .n = (count) })

static bool bucket(struct host *host, __u64 now)
{
	host->tokens += (double)(now - host->last) * host->n / host->period;
	host->last = now;
	if (host->tokens > host->n)
		host->tokens = host->n;
	if (host->tokens < 1)
		return false;
	host->tokens -= 1;
	return true;
}

/* counted anew from the first request after the window's end */
static bool window(struct host *host, __u64 now)
{
	if (!host->start || now >= host->start + host->period) {
		host->start = now;
		host->used = 0;
	}
	return host->used++ < host->n;
}

static bool gap(struct host *host, __u64 now)
{
	if (host->last && now < host->last + host->period)
		return false;
	host->last = now;
	return true;
}

static bool lets_through(struct host *host, __u64 now)
{
	switch (host->limiter) {
	case BUCKET:
		return bucket(host, now);
	case WINDOW:
		return window(host, now);
	case GAP:
		return gap(host, now);
	case RANDOM:
		return rand_r(&host->seed) % 4 == 0;
	default:
		return true;
	}
}

struct outcome {
	unsigned int granted, refused;
	__u64 early;	/* longest time from the first try to the grant */
	__u64 held;	/* time that requests were held back, though granted at once */
};

/*
 * Somebody who always wants more, from *@now until @end: one report takes
 * @cost, each timer is up to @jitter late.
 */
static struct outcome drive(struct cvm_pacing *pacing, struct host *host,
			    __u64 *now, __u64 end, __u64 cost, __u64 jitter)
{
	struct outcome out = { 0 };
	unsigned int seed = 1, pauses;
	__u64 due, first, ms;

	while (*now < end) {
		due = cvm_pacing_due(pacing);
		if (due > *now) {
			out.held += due - *now;
			*now = due + (jitter ? rand_r(&seed) % jitter : 0);
		}
		first = *now;
		for (pauses = 0; !lets_through(host, *now); pauses++) {
			out.refused++;
			cvm_pacing_refused(pacing, *now);
			ms = 20 << (pauses < 4 ? pauses : 4);
			*now = cvm_pacing_retry(pacing, *now,
						(ms < 250 ? ms : 250) * MS);
			*now += jitter ? rand_r(&seed) % jitter : 0;
		}
		cvm_pacing_granted(pacing, *now);
		if (*now - first > out.early)
			out.early = *now - first;
		out.granted++;
		*now += cost;
	}
	return out;
}

/* after ten periods to learn in, fifty that count */
static void steady(const char *what, struct host host, __u64 jitter)
{
	struct cvm_pacing pacing = { 0 };
	struct outcome out;
	__u64 now = 1000 * MS, start;
	double want;

	printf("# %s, timers up to %llu ms late\n", what, jitter / MS);
	drive(&pacing, &host, &now, now + 10 * host.period, 8 * MS, jitter);
	start = now;
	out = drive(&pacing, &host, &now, now + 50 * host.period, 8 * MS,
		    jitter);
	want = (double)(now - start) / host.period * host.n;
	ok(out.granted >= 0.95 * want, "of what is permitted",
	   out.granted / want);
	ok(out.early <= host.period / 8 / host.n + 2 * jitter,
	   "first try before the grant, at most, ms",
	   (double)out.early / MS);
	ok(out.refused <= 8 * out.granted, "refusals per grant",
	   (double)out.refused / out.granted);
}

/* the host stops throttling: how long until nothing is held back any more */
static void stops(void)
{
	struct host host = HOST(BUCKET, 2000, 2);
	struct cvm_pacing pacing = { 0 };
	__u64 now = 1000 * MS, start;
	struct outcome out;

	drive(&pacing, &host, &now, now + 20000 * MS, 8 * MS, 0);
	ok(cvm_pacing_due(&pacing) > now, "throttled: requests are held back",
	   0);
	host.limiter = OPEN;
	start = now;
	while (now < start + 60000 * MS && cvm_pacing_due(&pacing))
		drive(&pacing, &host, &now, now + 1, 8 * MS, 0);
	ok(now - start <= 4000 * MS, "the host stops: seconds until it is known",
	   (double)(now - start) / 1e9);
	out = drive(&pacing, &host, &now, now + 10000 * MS, 8 * MS, 0);
	ok(!out.held, "and nothing is held back", out.held);
}

/* two now and then from a bucket of two: neither waits */
static void polite(void)
{
	struct host host = HOST(BUCKET, 2000, 2);
	struct cvm_pacing pacing = { 0 };
	struct outcome out;
	__u64 now = 1000 * MS, held = 0;
	int i;

	drive(&pacing, &host, &now, now + 20000 * MS, 8 * MS, 0);
	for (i = 0; i < 10; i++) {
		now += 10000 * MS;
		out = drive(&pacing, &host, &now, now + 9 * MS, 8 * MS, 0);
		held += out.held;
	}
	ok(!held, "two requests every ten seconds wait for nothing",
	   (double)held / MS);
}

static void busy_once(void)
{
	struct cvm_pacing pacing = { 0 };
	__u64 now = 5000 * MS;

	cvm_pacing_granted(&pacing, 1000 * MS);
	cvm_pacing_refused(&pacing, now);
	ok(cvm_pacing_retry(&pacing, now, 20 * MS) == now + 20 * MS,
	   "the first refusal: the back-off alone", 0);
	cvm_pacing_granted(&pacing, now + 20 * MS);
	ok(!cvm_pacing_due(&pacing), "and no rhythm of it", 0);
}

/* what comes of it, against trying again and again at random: 1 in 4 works */
static void irregular(void)
{
	struct host host = { .limiter = RANDOM, .seed = 7 };
	struct cvm_pacing pacing = { 0 };
	__u64 now = 1000 * MS;
	unsigned int seed = 7, pauses, blind = 0;
	struct outcome out = drive(&pacing, &host, &now, now + 600000 * MS,
				   8 * MS, 0);

	for (now = pauses = 0; now < 600000 * MS;) {
		if (rand_r(&seed) % 4) {
			now += (pauses < 4 ? 20 << pauses : 250) * MS;
			pauses++;
		} else {
			now += 8 * MS;
			pauses = 0;
			blind++;
		}
	}
	ok(out.granted >= blind / 2, "a host without a rhythm: of what is possible",
	   (double)out.granted / blind);
}

static void hostile(void)
{
	struct cvm_pacing pacing = { 0 };
	__u64 now = 1000 * MS, due, most = 0;
	unsigned int seed = 3;
	int i;

	for (i = 0; i < 100000; i++) {
		now += rand_r(&seed) % 4 ? rand_r(&seed) % (50 * MS) :
		       rand_r(&seed) % 1000 * 100 * MS;
		if (rand_r(&seed) % 2)
			cvm_pacing_refused(&pacing, now);
		else
			cvm_pacing_granted(&pacing, now);
		due = cvm_pacing_due(&pacing);
		if (due > now && due - now > most)
			most = due - now;
		if (cvm_pacing_retry(&pacing, now, 20 * MS) > now + 20 * MS ||
		    cvm_pacing_retry(&pacing, now, 20 * MS) <= now)
			most = ~0ULL;
	}
	ok(most <= CVM_PACING_MAX, "no host holds a request back for longer, s",
	   (double)most / 1e9);

	pacing = (struct cvm_pacing){ 0 };
	cvm_pacing_granted(&pacing, 1);
	cvm_pacing_refused(&pacing, 3600000 * MS);
	cvm_pacing_granted(&pacing, 3600001 * MS);
	ok(!pacing.low, "an hour is no rhythm", pacing.low);
	/* a clock that stands still or goes back is none either */
	for (i = 0; i < 10; i++) {
		cvm_pacing_refused(&pacing, 5 * MS);
		cvm_pacing_granted(&pacing, 5 * MS);
	}
	ok(!cvm_pacing_due(&pacing), "nor is nothing", 0);
}

int main(void)
{
	printf("TAP version 13\n");
	steady("2/2s, a bucket", HOST(BUCKET, 2000, 2), 0);
	steady("2/2s, a bucket", HOST(BUCKET, 2000, 2), 10 * MS);
	steady("10/1s, a bucket", HOST(BUCKET, 1000, 10), MS);
	steady("2/2s, a window", HOST(WINDOW, 2000, 2), 0);
	steady("2/2s, a window", HOST(WINDOW, 2000, 2), 10 * MS);
	steady("5/3s, a window", HOST(WINDOW, 3000, 5), 10 * MS);
	steady("1/1s, a gap", HOST(GAP, 1000, 1), 0);
	steady("1/8s, a gap", HOST(GAP, 8000, 1), 10 * MS);
	stops();
	polite();
	busy_once();
	irregular();
	hostile();
	printf("1..%u\n", tests);
	return failures ? 1 : 0;
}
