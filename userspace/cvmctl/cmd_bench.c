// SPDX-License-Identifier: MIT
/* cvmctl bench: how fast this machine's source gives evidence, and how evenly. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "common/cleanup.h"
#include "cvmctl.h"

#define MAX_CLIENTS	4096
#define MAX_SECONDS	3600

enum { OPT_CLIENTS, OPT_SECONDS, OPT_MODE, OPT_BACKEND, OPT_JSON };

static const struct option_spec options[] = {
	[OPT_CLIENTS] = { "clients", "N", "how many ask at the same time (1)" },
	[OPT_SECONDS] = { "seconds", "S", "how long they go on asking (5)" },
	[OPT_MODE] = { "mode", "MODE", "direct: each request is its own piece of evidence" },
	[OPT_BACKEND] = { "backend", "BACKEND", "cvm, tsm, native or sim[:SOCKET]; default: the first there is" },
	[OPT_JSON] = { "json", NULL, "one JSON object" },
	{ 0 }
};

/**
 * struct client - one of those who ask
 * @thread: that does
 * @bench: what all of them share
 * @ms: how long each answer took
 * @count: answers
 * @room: of @ms
 * @errors: requests that failed
 * @rc: of the first that failed
 * @error: likewise
 */
struct client {
	pthread_t thread;
	const struct bench *bench;
	double *ms;
	size_t count, room;
	uint64_t errors;
	int rc;
	struct cvm_error error;
};

struct bench {
	struct cvm_ctx *ctx;
	uint32_t tee;
	double end;
	size_t clients;
	struct client *client;
};

/* of all clients together; @ms is sorted */
struct summary {
	double *ms;
	size_t count;
	uint64_t errors;
	double seconds, jain;
};

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static int record(struct client *client, double ms)
{
	if (client->count == client->room) {
		size_t room = client->room ? 2 * client->room : 256;
		double *more = realloc(client->ms, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		client->ms = more;
		client->room = room;
	}
	client->ms[client->count++] = ms;
	return 0;
}

static int ask(struct client *client, struct cvm_error *error)
{
	const struct bench *bench = client->bench;
	uint8_t report_data[CVM_REPORT_DATA_LEN];
	struct cvm_evidence *evidence = NULL;
	double start;
	int rc;

	if (getrandom(report_data, sizeof(report_data), 0) != sizeof(report_data))
		return -EIO;
	/* never the reserved tag, which begins with a letter */
	report_data[0] |= 0x80;
	start = now_ms();
	if (bench->tee == CVM_TEE_TDX)
		rc = cvm_quote(bench->ctx, report_data, NULL, &evidence, error);
	else
		rc = cvm_report(bench->ctx, report_data, NULL, &evidence, error);
	if (!rc)
		rc = record(client, now_ms() - start);
	cvm_evidence_free(evidence);
	return rc;
}

static void *client_main(void *arg)
{
	struct client *client = arg;
	struct cvm_error error;

	do {
		int rc = ask(client, &error);

		if (rc && !client->errors++) {
			client->rc = rc;
			client->error = error;
		}
		/* a source that refuses everything at once is not to be flooded */
		if (client->errors > 100 && !client->count)
			break;
	} while (now_ms() < client->bench->end);
	return NULL;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

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

static int summarise(const struct bench *bench, struct summary *s)
{
	size_t at = 0;

	for (size_t i = 0; i < bench->clients; i++) {
		s->count += bench->client[i].count;
		s->errors += bench->client[i].errors;
	}
	s->jain = jain(bench);
	s->ms = calloc(s->count ? s->count : 1, sizeof(*s->ms));
	if (!s->ms)
		return fail(EXIT_FAILED, "out of memory");
	for (size_t i = 0; i < bench->clients; i++) {
		if (bench->client[i].count)
			memcpy(s->ms + at, bench->client[i].ms,
			       bench->client[i].count * sizeof(*s->ms));
		at += bench->client[i].count;
	}
	qsort(s->ms, s->count, sizeof(*s->ms), by_value);
	return 0;
}

static int start_clients(struct bench *bench, size_t *started)
{
	for (*started = 0; *started < bench->clients; ++*started) {
		struct client *client = &bench->client[*started];

		client->bench = bench;
		if (pthread_create(&client->thread, NULL, client_main, client))
			return fail(EXIT_FAILED, "only %zu of %zu threads could be started", *started,
				    bench->clients);
	}
	return 0;
}

static int measure(struct bench *bench, uint32_t seconds, double *took)
{
	double start = now_ms();
	size_t started;
	int rc;

	bench->end = start + seconds * 1e3;
	rc = start_clients(bench, &started);
	while (started--)
		pthread_join(bench->client[started].thread, NULL);
	*took = (now_ms() - start) / 1e3;
	return rc;
}

static int print_json(const struct bench *bench, const struct summary *s)
{
	/* what the vCPUs lost only the platform knows */
	return output_json(NULL, json_pack(
		"{s:s, s:s, s:I, s:f, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:n}",
		"platform", tee_name(bench->tee), "mode", "direct",
		"clients", (json_int_t)bench->clients, "seconds", s->seconds,
		"count", (json_int_t)s->count, "errors", (json_int_t)s->errors,
		"rate", (double)s->count / s->seconds, "p50_ms", percentile(s, 50),
		"p90_ms", percentile(s, 90), "p99_ms", percentile(s, 99),
		"max_ms", percentile(s, 100), "attestations_per_report", s->count ? 1.0 : 0.0,
		"jain", s->jain, "vcpu_ms_per_attestation"));
}

static int print_text(const struct bench *bench, const struct summary *s)
{
	__cleanup_free char *text = NULL;

	if (asprintf(&text, "%s, direct, %zu clients, %.1f s: %zu answers, %llu errors, %.1f/s\n"
		     "p50 %.2f ms, p90 %.2f ms, p99 %.2f ms, max %.2f ms, Jain's index %.3f\n",
		     tee_name(bench->tee), bench->clients, s->seconds, s->count,
		     (unsigned long long)s->errors, (double)s->count / s->seconds,
		     percentile(s, 50), percentile(s, 90), percentile(s, 99), percentile(s, 100),
		     s->jain) < 0)
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

static int bench_run(struct bench *bench, uint32_t seconds, bool json)
{
	struct summary s = { 0 };
	__cleanup_free double *ms = NULL;
	int rc;

	rc = measure(bench, seconds, &s.seconds);
	if (rc)
		return rc;
	rc = summarise(bench, &s);
	if (rc)
		return rc;
	ms = s.ms;
	rc = json ? print_json(bench, &s) : print_text(bench, &s);
	return rc || s.count ? rc : report_failure(bench);
}

static int find_tee(struct bench *bench)
{
	struct cvm_status status = { .size = sizeof(status) };
	struct cvm_error error;
	int rc = cvm_status(bench->ctx, &status, &error);

	if (rc)
		return fail_library(rc, &error);
	bench->tee = status.tee;
	return 0;
}

static int run(const struct arguments *args)
{
	struct bench bench = { 0 };
	uint32_t clients = 1, seconds = 5;
	int rc = 0;

	if (args->option[OPT_MODE] && strcmp(args->option[OPT_MODE], "direct"))
		return usage_error("--mode: '%s' is not direct", args->option[OPT_MODE]);
	if (args->option[OPT_CLIENTS])
		rc = parse_number("clients", args->option[OPT_CLIENTS], MAX_CLIENTS, &clients);
	if (!rc && args->option[OPT_SECONDS])
		rc = parse_number("seconds", args->option[OPT_SECONDS], MAX_SECONDS, &seconds);
	if (rc)
		return rc;
	if (!clients || !seconds)
		return usage_error("--clients and --seconds are at least 1");

	rc = open_source(args->option[OPT_BACKEND], &bench.ctx);
	if (rc)
		return rc;
	bench.clients = clients;
	bench.client = calloc(clients, sizeof(*bench.client));
	rc = bench.client ? find_tee(&bench) : fail(EXIT_FAILED, "out of memory");
	if (!rc)
		rc = bench_run(&bench, seconds, args->option[OPT_JSON]);
	for (size_t i = 0; bench.client && i < bench.clients; i++)
		free(bench.client[i].ms);
	free(bench.client);
	cvm_close(bench.ctx);
	return rc;
}

const struct command cmd_bench = {
	.name = "bench",
	.summary = "Measure how fast evidence comes, for how many clients",
	.options = options,
	.run = run,
};
