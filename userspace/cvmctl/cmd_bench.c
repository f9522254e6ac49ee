// SPDX-License-Identifier: MIT
/* cvmctl bench: how fast this machine's source gives evidence, and how evenly. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "evidence.h"

#define MAX_CLIENTS	4096
#define MAX_SECONDS	3600

enum { CLIENTS, SECONDS, MODE, PIPELINE, BACKEND, JSON };

static const struct option_spec options[] = {
	[CLIENTS]	= { "clients", "N", "how many ask at the same time (1)" },
	[SECONDS]	= { "seconds", "S", "how long they go on asking (5)" },
	[MODE]		= { "mode", "direct|batch|key", "each request is its own piece of evidence (default), or\nthose that ask at the same time share one; or derived\nkeys, to memory" },
	[PIPELINE]	= { "pipeline", NULL, "not a thread and an open file for each client, but one for\nall, with as many requests under way" },
	[BACKEND]	= { "backend", ARG_BACKEND, HELP_BACKEND },
	[JSON]		= { "json", NULL, "one JSON object, for programs" },
	{ 0 }
};

/**
 * struct summary - of all clients together
 * @ms: of each answer, sorted
 * @evidence: hash of each one's evidence, sorted
 * @count: answers
 * @errors: requests that failed
 * @distinct: pieces of evidence
 */
struct summary {
	double *ms;
	uint64_t *evidence;
	size_t count, distinct;
	uint64_t errors;
};

static void free_summary(struct summary *s)
{
	free(s->ms);
	free(s->evidence);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* the smallest value that @percent of all values do not exceed */
static double percentile(const struct summary *s, double percent)
{
	size_t rank = (size_t)ceil(percent / 100 * (double)s->count);

	return s->count ? s->ms[rank ? rank - 1 : 0] : 0;
}

/* Jain's index over the clients' counts: 1 is even, 1/n is all for one */
static double jain(const struct bench *bench)
{
	double sum = 0, squares = 0;

	for (size_t i = 0; i < bench->clients; i++) {
		double count = (double)bench->client[i].count;

		sum += count;
		squares += count * count;
	}
	return squares > 0 ? sum * sum / ((double)bench->clients * squares) : 0;
}

/* The longest that a client waited for its first answer */
static double first_ms(const struct bench *bench)
{
	double longest = 0;

	for (size_t i = 0; i < bench->clients; i++)
		if (bench->client[i].count && bench->client[i].sample[0].ms > longest)
			longest = bench->client[i].sample[0].ms;
	return longest;
}

/* Answers of the client that has had the fewest */
static size_t fewest(const struct bench *bench)
{
	size_t least = SIZE_MAX;

	for (size_t i = 0; i < bench->clients; i++)
		if (bench->client[i].count < least)
			least = bench->client[i].count;
	return least;
}

static void collect(const struct bench *bench, struct summary *s)
{
	size_t at = 0;

	for (size_t i = 0; i < bench->clients; i++) {
		for (size_t j = 0; j < bench->client[i].count; j++, at++) {
			s->ms[at] = bench->client[i].sample[j].ms;
			s->evidence[at] = bench->client[i].sample[j].evidence;
		}
	}
	qsort(s->ms, s->count, sizeof(*s->ms), by_value);
	qsort(s->evidence, s->count, sizeof(*s->evidence), by_number);
	for (size_t i = 0; i < s->count; i++)
		s->distinct += !i || s->evidence[i] != s->evidence[i - 1];
}

static int summarise(const struct bench *bench, struct summary *s)
{
	for (size_t i = 0; i < bench->clients; i++) {
		s->count += bench->client[i].count;
		s->errors += bench->client[i].errors;
	}
	s->ms = calloc(s->count + 1, sizeof(*s->ms));
	s->evidence = calloc(s->count + 1, sizeof(*s->evidence));
	if (!s->ms || !s->evidence)
		return fail(EXIT_FAILED, "out of memory");
	collect(bench, s);
	return 0;
}

static double per_report(const struct summary *s)
{
	return s->distinct ? (double)s->count / (double)s->distinct : 0;
}

/* 0 to 100 %, for a plot of how the times are distributed */
static json_t *percentiles(const struct summary *s)
{
	json_t *array = json_array();

	for (int i = 0; i <= 100; i++)
		json_array_append_new(array, json_real(percentile(s, i)));
	return array;
}

static const char *mode_name(const struct bench *bench)
{
	return bench->key ? "key" : bench->batch ? "batch" : "direct";
}

static int print_json(const struct bench *bench, const struct summary *s)
{
	/* what the vCPUs lost only the platform knows */
	return output_json(NULL, json_pack(
		"{s:s, s:s, s:I, s:f, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:f, s:f, s:n, s:o}",
		"platform", tee_name(bench->tee), "mode", mode_name(bench),
		"clients", (json_int_t)bench->clients, "seconds", bench->took,
		"count", (json_int_t)s->count, "errors", (json_int_t)s->errors,
		"rate", (double)s->count / bench->took, "p50_ms", percentile(s, 50),
		"p90_ms", percentile(s, 90), "p99_ms", percentile(s, 99),
		"max_ms", percentile(s, 100), "first_ms", first_ms(bench),
		"fewest", (json_int_t)fewest(bench), "attestations_per_report", per_report(s),
		"jain", jain(bench), "vcpu_ms_per_attestation",
		"percentiles_ms", percentiles(s)));
}

static int print_text(const struct bench *bench, const struct summary *s)
{
	__cleanup_free char *text = NULL;

	if (asprintf(&text, "%s, %s, %zu clients, %.1f s: %zu answers, %llu errors, %.1f/s\n"
		     "p50 %.2f ms, p90 %.2f ms, p99 %.2f ms, max %.2f ms, Jain's index %.3f, %.1f answers per report\n",
		     tee_name(bench->tee), mode_name(bench), bench->clients,
		     bench->took, s->count, (unsigned long long)s->errors,
		     (double)s->count / bench->took, percentile(s, 50), percentile(s, 90),
		     percentile(s, 99), percentile(s, 100), jain(bench), per_report(s)) < 0)
		return fail(EXIT_FAILED, "out of memory");
	return output_text(NULL, text);
}

/* a run in which nothing succeeded says why */
static int report_failure(const struct bench *bench)
{
	for (size_t i = 0; i < bench->clients; i++)
		if (bench->client[i].errors)
			return fail_library(bench->client[i].rc, &bench->client[i].error);
	return fail(EXIT_FAILED, "no answer");
}

static int measure(struct bench *bench, bool json)
{
	__cleanup(free_summary) struct summary s = { 0 };
	int rc = bench->pipeline ? bench_pipeline(bench) : bench_threads(bench);

	if (!rc)
		rc = summarise(bench, &s);
	if (rc)
		return rc;
	if (!s.count)
		return report_failure(bench);
	return json ? print_json(bench, &s) : print_text(bench, &s);
}

static int find_tee(struct bench *bench)
{
	__cleanup_ctx struct cvm_ctx *ctx = NULL;
	struct cvm_status status = { .size = sizeof(status) };
	struct cvm_error error;
	int rc = bench_open(bench, &ctx);

	if (rc)
		return rc;
	rc = cvm_status(ctx, &status, &error);
	if (rc)
		return fail_library(rc, &error);
	bench->tee = status.tee;
	bench->type = status.tee == CVM_TEE_TDX ? CVM_EVIDENCE_TDX_QUOTE : CVM_EVIDENCE_SNP_REPORT;
	if (status.types & 1U << CVM_EVIDENCE_HCL_REPORT)
		bench->type = CVM_EVIDENCE_HCL_REPORT;
	return 0;
}

static int parse_mode(const char *value, struct bench *bench)
{
	bench->batch = value && !strcmp(value, "batch");
	bench->key = value && !strcmp(value, "key");
	if (!value || bench->batch || bench->key || !strcmp(value, "direct"))
		return 0;
	return usage_error("--mode: '%s' is neither direct nor batch nor key", value);
}

static int parse_options(const struct arguments *args, struct bench *bench)
{
	uint32_t clients = 1;
	int rc = parse_mode(args->option[MODE], bench);

	if (!rc && args->option[CLIENTS])
		rc = parse_number("clients", args->option[CLIENTS], MAX_CLIENTS, &clients);
	if (!rc && args->option[SECONDS])
		rc = parse_number("seconds", args->option[SECONDS], MAX_SECONDS, &bench->seconds);
	if (!rc && (!clients || !bench->seconds))
		rc = usage_error("--clients and --seconds are at least 1");
	bench->clients = clients;
	bench->pipeline = args->option[PIPELINE];
	if (!rc && bench->key && bench->pipeline)
		rc = usage_error("--pipeline: a request for a key is waited for");
	bench->backend = args->option[BACKEND];
	return rc;
}

static int run(const struct arguments *args)
{
	struct bench bench = { .seconds = 5 };
	int rc = parse_options(args, &bench);

	if (rc)
		return rc;
	rc = find_tee(&bench);
	if (rc)
		return rc;
	bench.client = calloc(bench.clients, sizeof(*bench.client));
	rc = bench.client ? measure(&bench, args->option[JSON]) :
			    fail(EXIT_FAILED, "out of memory");
	for (size_t i = 0; bench.client && i < bench.clients; i++)
		free(bench.client[i].sample);
	free(bench.client);
	return rc;
}

const struct command cmd_bench = {
	.name = "bench",
	.summary = "measure how fast evidence comes, for how many clients",
	.options = options,
	.run = run,
};
