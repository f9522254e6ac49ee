// SPDX-License-Identifier: GPL-2.0
/*
 * How long the firmware takes, how many requests the host lets through, and
 * when it says that it is busy.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fwd.h"

#define NSEC_PER_SEC 1000000000ULL

static uint64_t cost_ns[MODEL_KINDS];
static uint32_t parallel = 4;
static bool hold_cpu;

/* when each place of the queue is free again; the PSP has one place */
static uint64_t free_at[MODEL_KINDS][FW_MAX_QUOTES];

static uint32_t busy_n;
static uint64_t busy_ms, busy_until;

/* a token bucket: rate_n requests at once, refilled over rate_ns */
static uint32_t rate_n;
static uint64_t rate_ns, refilled;
static double tokens;

static uint64_t busy_count, delayed_count;

uint64_t model_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

/* "2/2s"; "0" is no limit */
static int set_rate(const struct fw_option *opt, const char *value, char *err)
{
	char *slash, *end = NULL;
	unsigned long n = strtoul(value, &slash, 10);
	double seconds = 0;

	if (!strcmp(value, "0")) {
		rate_n = 0;
		return 0;
	}
	if (isdigit((unsigned char)*value) && *slash == '/' &&
	    isdigit((unsigned char)slash[1]))
		seconds = strtod(slash + 1, &end);
	if (!n || n > 1000000 || !(seconds > 0 && seconds <= 3600) || strcmp(end, "s"))
		return opt_fail(err, "'%.40s' is not N/SECONDSs", value);
	rate_n = (uint32_t)n;
	rate_ns = (uint64_t)(seconds * 1e9);
	tokens = (double)n;
	refilled = model_now();
	return 0;
}

static void start_busy(struct fwd *fwd)
{
	busy_until = model_now() + busy_ms;
}

const struct fw_option model_options[] = {
	{ "report_ms", "MS: the firmware's time for a report or a key",
	  opt_ms, &cost_ns[MODEL_REPORT] },
	{ "quote_ms", "MS: the host's time for a quote", opt_ms, &cost_ns[MODEL_QUOTE] },
	{ "parallel", "1..16: quotes that the host makes at once, the others queue",
	  opt_u32, &parallel, 1, FW_MAX_QUOTES },
	{ "rate", "N/Ts: the host lets N requests through in T seconds, e.g. 2/2s; 0: no limit",
	  set_rate },
	{ "hold_cpu", "0|1: the vCPU stands still for an SNP request", opt_bool, &hold_cpu },
	{ "busy_n", "N: the host is busy for the next N requests", opt_u32, &busy_n },
	{ "busy_ms", "MS: the host is busy for MS from now", opt_ms, &busy_ms,
	  .changed = start_busy },
	{ }
};

static void refill(uint64_t now)
{
	if (now > refilled)
		tokens += (double)(now - refilled) * rate_n / (double)rate_ns;
	if (tokens > rate_n)
		tokens = rate_n;
	refilled = now;
}

static bool rate_exceeded(uint64_t now)
{
	if (!rate_n)
		return false;
	refill(now);
	if (tokens < 1)
		return true;
	tokens -= 1;
	return false;
}

bool model_busy(uint64_t now_ns)
{
	/* in this order: a request that is refused anyway costs no token */
	bool busy = fault(&busy_n) || now_ns < busy_until || rate_exceeded(now_ns);

	busy_count += busy;
	return busy;
}

uint64_t model_delay(enum model_kind kind, uint64_t now_ns)
{
	uint32_t places = kind == MODEL_QUOTE ? parallel : 1, best = 0, i;
	uint64_t start;

	for (i = 1; i < places; i++)
		if (free_at[kind][i] < free_at[kind][best])
			best = i;
	start = free_at[kind][best] > now_ns ? free_at[kind][best] : now_ns;
	delayed_count += start > now_ns;
	free_at[kind][best] = start + cost_ns[kind];
	return free_at[kind][best] - now_ns;
}

uint32_t model_flags(void)
{
	return hold_cpu ? FW_HOLD_CPU : 0;
}

void model_status(FILE *out)
{
	fprintf(out, "busy_answers=%" PRIu64 "\nqueued=%" PRIu64 "\nreport_ns=%" PRIu64
		"\nquote_ns=%" PRIu64 "\nparallel=%u\nhold_cpu=%d\nbusy_n=%u\n",
		busy_count, delayed_count, cost_ns[MODEL_REPORT], cost_ns[MODEL_QUOTE], parallel,
		hold_cpu, busy_n);
}
