// SPDX-License-Identifier: GPL-2.0
/*
 * How many quotes the driver keeps in flight (driver/inflight.c): hosts that
 * work on one or on several at a time, change their mind, or have no room,
 * with a clock that is a variable.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../driver/inflight.h"

#define MS	1000000ULL

static unsigned int tests, failures;

static void ok(bool good, const char *what, double value)
{
	printf("%sok %u - %s (%.3f)\n", good ? "" : "not ", ++tests, what,
	       value);
	failures += !good;
}

enum { MOST = 16 };

/**
 * struct host - a host with @places that work at a time
 * @t: what one takes, and up to @noise more
 * @places: that work in parallel
 * @accepts: more than these in flight are refused
 * @free: when each place is free again
 * @ends: when each quote in flight is answered, 0: none
 */
struct host {
	__u64 t, noise;
	unsigned int places, accepts;
	__u64 free[MOST], ends[MOST];
	unsigned int seed;
};

static __u64 place(struct host *host, __u64 now)
{
	unsigned int i, best = 0;
	__u64 start;

	for (i = 1; i < host->places; i++)
		if (host->free[i] < host->free[best])
			best = i;
	start = host->free[best] > now ? host->free[best] : now;
	host->free[best] = start + host->t +
			   (host->noise ? rand_r(&host->seed) % host->noise : 0);
	return host->free[best];
}

/* the quote that ends first, or -1 */
static int first(const struct host *host)
{
	int i, best = -1;

	for (i = 0; i < MOST; i++)
		if (host->ends[i] &&
		    (best < 0 || host->ends[i] < host->ends[best]))
			best = i;
	return best;
}

static void ask(struct host *host, struct cvm_inflight *in, __u64 now)
{
	int i = 0;

	if (host->accepts && in->now >= host->accepts) {
		cvm_inflight_refused(in, now);
		return;
	}
	while (host->ends[i])
		i++;
	host->ends[i] = place(host, now);
	cvm_inflight_asked(in, now);
}

struct outcome {
	unsigned int answers;
	unsigned int above;	/* asked while there was one in flight already */
	__u64 took;
};

/*
 * @answers answers for as many as always want one, or, as sets of callers do,
 * for those @gather after the answer before them.
 */
static struct outcome drive(struct host *host, struct cvm_inflight *in,
			    __u64 *now, unsigned int answers, __u64 gather)
{
	struct outcome out = { 0 };
	__u64 start = *now, ready = *now;
	int next;

	while (out.answers < answers) {
		while (cvm_inflight_room(in) && *now >= ready) {
			out.above += in->now > 0;
			ask(host, in, *now);
			ready = *now + gather;
		}
		next = first(host);
		if (cvm_inflight_room(in) && (next < 0 || ready < host->ends[next])) {
			*now = ready;
			continue;
		}
		*now = host->ends[next];
		host->ends[next] = 0;
		cvm_inflight_answered(in, *now);
		out.answers++;
		ready = *now + gather;
	}
	out.took = *now - start;
	return out;
}

static void parallel(unsigned int places, unsigned int most, __u64 noise,
		     unsigned int warm)
{
	struct host host = { .t = 5 * MS, .noise = noise, .places = places,
			     .seed = 1 };
	struct cvm_inflight in;
	struct outcome out;
	__u64 now = MS;
	unsigned int best = places < most ? places : most;
	double ideal;

	printf("# %u at a time, %u buffers, %.1f ms of noise\n", places, most,
	       noise / 1e6);
	cvm_inflight_init(&in, most);
	drive(&host, &in, &now, warm, 0);
	out = drive(&host, &in, &now, 2000, 0);
	ideal = 2000.0 * (host.t + noise / 2.0) / best;
	ok(out.took <= 1.08 * ideal, "2000 answers, of the ideal time", out.took / ideal);
	ok(in.level >= best && in.level <= best + 1, "in flight", in.level);
}

/* each quote in flight beside another one halves a set of callers */
static void serial(const char *what, __u64 t, __u64 gather, __u64 noise)
{
	struct host host = { .t = t, .noise = noise, .places = 1, .seed = 1 };
	struct cvm_inflight in;
	struct outcome out;
	__u64 now = MS;

	printf("# one at a time, %s\n", what);
	cvm_inflight_init(&in, 4);
	out = drive(&host, &in, &now, 500, gather);
	ok(in.level == 1, "in flight", in.level);
	ok(out.above <= 5, "of 500 asked beside another one", out.above);
	out = drive(&host, &in, &now, 5000, gather);
	ok(in.level == 1, "in flight", in.level);
	ok(out.above <= 25, "of 5000 asked beside another one", out.above);
}

static void changes(void)
{
	struct host host = { .t = 5 * MS, .places = 1, .seed = 1 };
	struct cvm_inflight in;
	__u64 now = MS;

	puts("# a host that changes");
	cvm_inflight_init(&in, 4);
	drive(&host, &in, &now, 5000, 0);
	host.places = 4;
	drive(&host, &in, &now, CVM_INFLIGHT_PAUSE_MAX + 200, 0);
	ok(in.level == 4, "from one to four at a time", in.level);
	host.places = 1;
	drive(&host, &in, &now, 3 * 4 * CVM_INFLIGHT_PAUSE_MAX, 0);
	ok(in.level == 1, "and back", in.level);
	host.t = 50 * MS;
	drive(&host, &in, &now, 1000, 0);
	ok(in.level == 1, "slower, one at a time", in.level);
}

static void refusals(void)
{
	struct host host = { .t = 5 * MS, .places = 16, .accepts = 3,
			     .seed = 1 };
	struct cvm_inflight in;
	__u64 now = MS;

	puts("# a host that refuses a fourth");
	cvm_inflight_init(&in, 8);
	drive(&host, &in, &now, 300, 0);
	ok(in.level == 3, "in flight", in.level);
	host.accepts = 1;
	drive(&host, &in, &now, 10, 0);
	ok(in.level == 1, "then a second", in.level);
	cvm_inflight_lost(&in, now);
	cvm_inflight_lost(&in, now);
	ok(in.now == 0, "more are not lost than there were", in.now);
}

/* one caller: there is never a second one to ask for */
static void alone(void)
{
	struct cvm_inflight in;
	__u64 now = MS;
	int i;

	puts("# one caller");
	cvm_inflight_init(&in, 4);
	for (i = 0; i < 5000; i++) {
		cvm_inflight_asked(&in, now);
		cvm_inflight_answered(&in, now += 5 * MS);
		now += MS;
	}
	ok(in.level == 1, "in flight", in.level);
}

static void hostile(void)
{
	struct cvm_inflight in;
	unsigned int seed = 5;
	bool sound = true;
	__u64 now = 0;
	int i;

	puts("# a host, and a clock, without sense");
	cvm_inflight_init(&in, MOST);
	for (i = 0; i < 1000000; i++) {
		now = rand_r(&seed) % 8 ? now + rand_r(&seed) % (20 * MS) :
		      (__u64)rand_r(&seed) * rand_r(&seed) * 4;
		switch (rand_r(&seed) % 8) {
		case 0:
			cvm_inflight_lost(&in, now);
			break;
		case 1:
			cvm_inflight_refused(&in, now);
			break;
		case 2:
		case 3:
		case 4:
			cvm_inflight_answered(&in, now);
			break;
		default:
			if (cvm_inflight_room(&in))
				cvm_inflight_asked(&in, now);
		}
		sound &= in.level >= 1 && in.level <= MOST && in.trial >= 1 &&
			 in.trial <= MOST && in.now <= MOST;
	}
	ok(sound, "1 to 16 in flight", in.level);
	cvm_inflight_init(&in, 1);
	drive(&(struct host){ .t = MS, .places = 4, .seed = 1 }, &in, &now,
	      1000, 0);
	ok(in.level == 1 && in.trial == 1, "one buffer is one in flight", 1);
}

int main(void)
{
	puts("TAP version 13");
	parallel(4, 4, 0, 100);
	parallel(4, 4, MS, 100);
	parallel(4, 16, MS, 100);
	parallel(2, 16, 2 * MS, 100);
	parallel(16, 16, MS, 1200);
	serial("direct", 39 * MS, 0, 0);
	serial("sets of callers", 39 * MS, 10 * MS, 0);
	serial("with noise", 5 * MS, MS, 2 * MS);
	changes();
	refusals();
	alone();
	hostile();
	printf("1..%u\n", tests);
	return failures ? 1 : 0;
}
