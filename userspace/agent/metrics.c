// SPDX-License-Identifier: MIT
/* /metrics, in the text form of Prometheus, version 0.0.4 */
#include <stdio.h>
#include <stdlib.h>

#include "agent.h"

#define TYPE	"text/plain; version=0.0.4; charset=utf-8"

static const char *const modes[] = { "direct", "batch" };

void agent_metrics_time(struct agent_metrics *metrics, bool batch, uint64_t us)
{
	size_t bucket = 0;

	while (bucket < AGENT_BUCKETS && us > 1000ULL << bucket)
		bucket++;
	metrics->bucket[batch][bucket]++;
	metrics->sum_us[batch] += us;
}

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP cvm_agent_%s %s\n# TYPE cvm_agent_%s %s\n", name, help, name, type);
}

static void gauge(FILE *out, const char *name, const char *help, unsigned int value)
{
	head(out, name, "gauge", help);
	fprintf(out, "cvm_agent_%s %u\n", name, value);
}

static void write_counters(FILE *out, const struct agent_metrics *metrics)
{
	static const char *const reasons[AGENT_REFUSALS] = {
		"connections", "requests", "body", "stopping", "unread", "slow", "full",
		"arguments" };

	head(out, "answers_total", "counter", "Answers, by the first digit of their status.");
	for (int i = 2; i < 6; i++)
		fprintf(out, "cvm_agent_answers_total{status=\"%dxx\"} %llu\n", i,
			(unsigned long long)metrics->status[i]);
	head(out, "refused_total", "counter", "Requests that were refused for a limit.");
	for (int i = 0; i < AGENT_REFUSALS; i++)
		fprintf(out, "cvm_agent_refused_total{limit=\"%s\"} %llu\n", reasons[i],
			(unsigned long long)metrics->refused[i]);
	head(out, "connections_total", "counter", "Connections that have come.");
	fprintf(out, "cvm_agent_connections_total %llu\n",
		(unsigned long long)metrics->connections);
	head(out, "failed_total", "counter", "Requests that the source of evidence has not met.");
	for (int i = 0; i < 2; i++)
		fprintf(out, "cvm_agent_failed_total{mode=\"%s\"} %llu\n", modes[i],
			(unsigned long long)metrics->failed[i]);
}

static void write_times(FILE *out, const struct agent_metrics *metrics, int batch)
{
	unsigned long long count = 0;
	const char *mode = modes[batch];

	for (int i = 0; i < AGENT_BUCKETS; i++) {
		count += metrics->bucket[batch][i];
		fprintf(out, "cvm_agent_evidence_seconds_bucket{mode=\"%s\",le=\"%g\"} %llu\n", mode,
			(1 << i) / 1000.0, count);
	}
	count += metrics->bucket[batch][AGENT_BUCKETS];
	fprintf(out, "cvm_agent_evidence_seconds_bucket{mode=\"%s\",le=\"+Inf\"} %llu\n", mode, count);
	fprintf(out, "cvm_agent_evidence_seconds_sum{mode=\"%s\"} %.6f\n", mode,
		(double)metrics->sum_us[batch] / 1e6);
	fprintf(out, "cvm_agent_evidence_seconds_count{mode=\"%s\"} %llu\n", mode, count);
}

static void write_all(FILE *out, const struct agent *agent)
{
	gauge(out, "connections", "Connections now.", agent->peers.connections);
	gauge(out, "requests", "Requests that wait for evidence now.", agent->peers.requests);
	gauge(out, "source_up", "Whether there is a source of evidence.", agent->ctx ? 1 : 0);
	write_counters(out, &agent->metrics);
	head(out, "evidence_seconds", "histogram", "Time to evidence, from the request's headers on.");
	for (int i = 0; i < 2; i++)
		write_times(out, &agent->metrics, i);
}

void agent_metrics_run(struct agent_request *request)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out) {
		agent_reply_json(request, NULL);
		return;
	}
	write_all(out, request->agent);
	if (fclose(out)) {
		free(text);
		agent_reply_json(request, NULL);
		return;
	}
	agent_reply(request, TYPE, text, len);
}
