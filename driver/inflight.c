// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many requests to keep in flight, learned from what it brings. More than
 * the host works on at a time only makes each of them slower, and sets of
 * callers smaller. Pure arithmetic: a test in user space compiles this file.
 */
#include "inflight.h"

void cvm_inflight_init(struct cvm_inflight *inflight, __u32 most)
{
	*inflight = (struct cvm_inflight){
		.most = most,
		.level = 1,
		.trial = 1,
		.pause = CVM_INFLIGHT_PAUSE_MIN,
	};
}

static void measure_anew(struct cvm_inflight *inflight)
{
	inflight->busy = 0;
	inflight->area = 0;
	inflight->done = 0;
}

/* longer than a minute is no measurement, and would overflow sums */
#define LONGEST	60000000000ULL

static void account(struct cvm_inflight *inflight, __u64 now)
{
	__u64 took = now > inflight->at ? now - inflight->at : 0;

	if (took > LONGEST)
		measure_anew(inflight);
	else if (inflight->now) {
		inflight->busy += took;
		inflight->area += took * inflight->now;
	}
	inflight->at = now;
}

/* were there about @wanted in flight all the time? */
static int loaded(const struct cvm_inflight *inflight, __u32 wanted)
{
	return inflight->area >= inflight->busy * wanted - inflight->busy / 2;
}

static void begin_trial(struct cvm_inflight *inflight)
{
	int down = inflight->down || inflight->level == inflight->most;

	inflight->down = 0;
	if (down && inflight->level == 1)
		return;
	inflight->trial = inflight->level + (down ? -1 : 1);
	inflight->tries = 0;
	inflight->full = 0;
	inflight->measuring = 0;
	measure_anew(inflight);
}

/* back to the level, with @left answers until the next trial */
static void end_trial(struct cvm_inflight *inflight, __u32 left)
{
	inflight->trial = inflight->level;
	inflight->left = left;
	measure_anew(inflight);
}

static void rejected(struct cvm_inflight *inflight)
{
	/* fewer are tried too, now and then: the level may be one too many */
	inflight->down = inflight->trial > inflight->level && inflight->level > 1;
	end_trial(inflight, inflight->pause);
	if (inflight->pause < CVM_INFLIGHT_PAUSE_MAX)
		inflight->pause *= 2;
}

/* a trial that is worth it is followed by the next one at once */
static void accepted(struct cvm_inflight *inflight)
{
	__u32 up = inflight->trial > inflight->level;

	inflight->level = inflight->trial;
	inflight->pause = CVM_INFLIGHT_PAUSE_MIN;
	end_trial(inflight, up ? 0 : inflight->pause);
}

/*
 * One more is worth it when it brings half of what it would bring at best, and
 * so is one less when it costs no more than half of what it would at worst.
 */
static int worth_it(const struct cvm_inflight *inflight, __u64 cost)
{
	__u64 n = inflight->level;

	if (inflight->trial > inflight->level)
		return cost * (2 * n + 1) <= inflight->cost * 2 * n;
	return cost * (2 * n - 1) <= inflight->cost * 2 * n;
}

/*
 * A second one that brings nothing at all: most hosts with a single place, and
 * the trial that is repeated for ever. With more in flight the answers may
 * come in bunches, and the beginning says little.
 */
static int hopeless(const struct cvm_inflight *inflight, __u64 cost)
{
	return inflight->level == 1 && inflight->done >= 2 &&
	       cost > inflight->cost - (inflight->cost >> 4);
}

/* whole rounds, or answers in bunches would count for too few or too many */
static __u32 enough(__u32 n)
{
	return n > 2 ? CVM_INFLIGHT_ROUNDS * n : 2 * CVM_INFLIGHT_ROUNDS;
}

static void judge_trial(struct cvm_inflight *inflight)
{
	__u64 cost = inflight->busy / inflight->done;

	if (!loaded(inflight, inflight->trial)) {
		/* somebody paused: one in flight is all that can be said of it */
		if (inflight->done >= enough(inflight->trial))
			measure_anew(inflight);
		return;
	}
	if (hopeless(inflight, cost)) {
		/* it costs whoever asks meanwhile another round */
		inflight->pause = inflight->pause > CVM_INFLIGHT_PAUSE_HOPELESS ?
				  inflight->pause : CVM_INFLIGHT_PAUSE_HOPELESS;
		rejected(inflight);
	} else if (inflight->done < enough(inflight->trial))
		return;
	else if (worth_it(inflight, cost))
		accepted(inflight);
	else
		rejected(inflight);
}

/*
 * The measurement begins with the first answer after the trial's number was
 * reached: from there a host that works on one at a time takes its full time
 * for each.
 */
static void answered_in_trial(struct cvm_inflight *inflight)
{
	if (inflight->measuring)
		judge_trial(inflight);
	else if (inflight->full) {
		inflight->measuring = 1;
		measure_anew(inflight);
	}
	if (inflight->trial != inflight->level &&
	    ++inflight->tries >= 4 * enough(inflight->trial))
		end_trial(inflight, CVM_INFLIGHT_PAUSE_MIN);
}

static void answered_at_level(struct cvm_inflight *inflight)
{
	if (inflight->left)
		inflight->left--;
	if (inflight->done < enough(inflight->level))
		return;
	if (!loaded(inflight, inflight->level)) {
		measure_anew(inflight);
		return;
	}
	inflight->cost = inflight->busy / inflight->done;
	measure_anew(inflight);
	if (!inflight->left && inflight->most > 1)
		begin_trial(inflight);
}

void cvm_inflight_asked(struct cvm_inflight *inflight, __u64 now)
{
	account(inflight, now);
	inflight->now++;
	if (inflight->now >= inflight->trial)
		inflight->full = 1;
}

static void leave(struct cvm_inflight *inflight, __u64 now)
{
	account(inflight, now);
	if (inflight->now)
		inflight->now--;
}

void cvm_inflight_answered(struct cvm_inflight *inflight, __u64 now)
{
	leave(inflight, now);
	inflight->done++;
	if (inflight->trial != inflight->level)
		answered_in_trial(inflight);
	else
		answered_at_level(inflight);
}

void cvm_inflight_lost(struct cvm_inflight *inflight, __u64 now)
{
	leave(inflight, now);
	end_trial(inflight, inflight->left);
}

void cvm_inflight_refused(struct cvm_inflight *inflight, __u64 now)
{
	account(inflight, now);
	/* what it has taken is what it takes */
	if (inflight->now < inflight->level)
		inflight->level = inflight->now ? inflight->now : 1;
	rejected(inflight);
	inflight->down = 0;
}
