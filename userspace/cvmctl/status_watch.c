// SPDX-License-Identifier: MIT
/* cvmctl status --watch: what the driver does, while it does it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "status.h"

/* a line on a terminal ends with: erase to its end; the view with: erase below */
#define HOME	"\033[H"
#define EOL	"\033[K\n"
#define BELOW	"\033[J"

static double per_second(const struct status_sample *s, enum status_counter which, double seconds)
{
	return (double)s->counter[which] / seconds;
}

static double leaves_per_batch(const struct status_sample *s)
{
	return s->counter[STATUS_BATCHES] ? (double)s->counter[STATUS_LEAVES] /
					    (double)s->counter[STATUS_BATCHES] : 0;
}

static uint64_t given_up(const struct status_sample *s)
{
	return s->counter[STATUS_FAILED] + s->counter[STATUS_REFUSED] + s->counter[STATUS_TIMEOUTS];
}

/* "<8.2", "-" where nothing was completed, ">" where it took longer than is counted */
static const char *percentile(const struct status_sample *s, unsigned int percent, char text[16])
{
	uint64_t us = status_percentile_us(s, percent);

	if (!us || us == UINT64_MAX)
		return us ? ">" : "-";
	snprintf(text, 16, us < 100000 ? "<%.3g" : "<%.0f", (double)us / 1000);
	return text;
}

/* ---- the three forms */

static void show_terminal(const struct status_sample *s, double seconds, bool first)
{
	char p50[16], p99[16];

	fputs(first ? "\033[2J" HOME : HOME, stdout);
	printf("channel    %s, for %.1f s; ^C ends" EOL, s->state, seconds);
	printf("completed  %.1f/s, issued to the hardware %.1f/s" EOL,
	       per_second(s, STATUS_COMPLETED, seconds), per_second(s, STATUS_ISSUED, seconds));
	printf("latency    p50 %s ms, p99 %s ms" EOL, percentile(s, 50, p50),
	       percentile(s, 99, p99));
	printf("batches    %.1f/s, %.1f requests in each" EOL,
	       per_second(s, STATUS_BATCHES, seconds), leaves_per_batch(s));
	printf("throttled  %.1f/s, retries %.1f/s, late %.1f/s" EOL,
	       per_second(s, STATUS_THROTTLED, seconds), per_second(s, STATUS_RETRIES, seconds),
	       per_second(s, STATUS_LATE, seconds));
	printf("failed     %.1f/s, refused %.1f/s, timeouts %.1f/s" EOL BELOW,
	       per_second(s, STATUS_FAILED, seconds), per_second(s, STATUS_REFUSED, seconds),
	       per_second(s, STATUS_TIMEOUTS, seconds));
}

static void show_line(const struct status_sample *s, double seconds, bool first)
{
	char p50[16], p99[16];

	if (first)
		printf("%-9s %10s %9s %9s %9s %9s %9s %9s\n", "channel", "done/s", "issued/s",
		       "p50_ms", "p99_ms", "per_batch", "throttled", "given_up");
	printf("%-9s %10.1f %9.1f %9s %9s %9.1f %9llu %9llu\n", s->state,
	       per_second(s, STATUS_COMPLETED, seconds), per_second(s, STATUS_ISSUED, seconds),
	       percentile(s, 50, p50), percentile(s, 99, p99), leaves_per_batch(s),
	       (unsigned long long)s->counter[STATUS_THROTTLED],
	       (unsigned long long)given_up(s));
}

/* null: nothing was completed, or it took longer than is counted */
static json_t *json_ms(uint64_t us)
{
	return us && us != UINT64_MAX ? json_real((double)us / 1000) : json_null();
}

static int show_json(const struct status_sample *s, double seconds)
{
	json_t *json = json_pack("{s:s, s:f, s:f, s:o, s:o, s:f}", "channel", s->state,
				 "seconds", seconds,
				 "rate", per_second(s, STATUS_COMPLETED, seconds),
				 "p50_ms", json_ms(status_percentile_us(s, 50)),
				 "p99_ms", json_ms(status_percentile_us(s, 99)),
				 "leaves_per_batch", leaves_per_batch(s));
	__cleanup_free char *text = NULL;

	for (size_t i = 0; json && i < STATUS_COUNTERS; i++)
		json_object_set_new(json, status_counters[i],
				    json_integer((json_int_t)s->counter[i]));
	text = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
	json_decref(json);
	if (!text)
		return fail(EXIT_FAILED, "out of memory");
	puts(text);
	return 0;
}

/* ---- time */

static void block_ends(sigset_t *ends)
{
	sigemptyset(ends);
	sigaddset(ends, SIGINT);
	sigaddset(ends, SIGTERM);
	sigprocmask(SIG_BLOCK, ends, NULL);
}

static double seconds_of(const struct timespec *t)
{
	return (double)t->tv_sec + (double)t->tv_nsec / 1e9;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return seconds_of(&t);
}

/* Sleeps until @when; true: a signal has ended that. They are blocked, so none is missed. */
static bool ended_before(double when, const sigset_t *ends)
{
	for (;;) {
		double left = when - now();
		struct timespec wait = { 0 };

		if (left > 0) {
			wait.tv_sec = (time_t)left;
			wait.tv_nsec = (long)((left - (double)wait.tv_sec) * 1e9);
		}
		if (sigtimedwait(ends, NULL, &wait) > 0)
			return true;
		if (errno == EAGAIN && left <= 0)
			return false;
	}
}

static int show(const struct watch *watch, const struct status_sample *then, double seconds,
		bool first, bool terminal)
{
	int status = 0;

	if (watch->json)
		status = show_json(then, seconds);
	else if (terminal)
		show_terminal(then, seconds, first);
	else
		show_line(then, seconds, first);
	return status ? status : flush_output();
}

int status_watch(const struct watch *watch)
{
	bool terminal = isatty(STDOUT_FILENO);
	double interval = watch->interval_ms / 1000.0, last = now(), next = last;
	struct status_sample before, after, then;
	sigset_t ends;
	int status = 0;

	status_take(watch->root, &before);
	if (!before.loaded)
		return fail(EXIT_NOT_SUPPORTED,
			    "the driver's statistics are not there: load cvm_guest (cvmctl module load)");
	block_ends(&ends);
	for (uint32_t i = 0; !status && (!watch->count || i < watch->count); i++) {
		double at;

		/* by the clock, not by how long showing takes; but no rush after a long stop */
		next = next + interval < now() ? now() + interval : next + interval;
		if (ended_before(next, &ends))
			break;
		status_take(watch->root, &after);
		at = now();
		status_since(&before, &after, &then);
		status = show(watch, &then, at - last, !i, terminal);
		before = after;
		last = at;
	}
	return status;
}
