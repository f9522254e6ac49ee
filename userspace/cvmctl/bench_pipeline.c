// SPDX-License-Identifier: MIT
/* cvmctl bench --pipeline: one thread, one open file, as many requests under way as clients. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "bench.h"
#include "evidence.h"

/* what an ended request may have waited for at most, before the end is looked at */
#define POLL_MS	1000

/* the one request of a client that is under way */
struct turn {
	double start;
	uint8_t nonce[NONCE_LEN];
};

struct pipeline {
	struct bench *bench;
	struct cvm_async *async;
	struct turn *turn;
	size_t under_way;
};

static void close_async(struct cvm_async **async)
{
	cvm_async_close(*async);
}

static uint32_t type_of(const struct bench *bench)
{
	if (bench->batch)
		return CVM_ASYNC_BATCH;
	return bench->tee == CVM_TEE_TDX ? CVM_EVIDENCE_TDX_QUOTE : CVM_EVIDENCE_SNP_REPORT;
}

/* The next requests of some clients by one call. */
static int submit(struct pipeline *pipeline, const size_t *clients, size_t count)
{
	__cleanup_free struct cvm_async_request *request = calloc(count, sizeof(*request));
	struct cvm_error error;
	long accepted;

	if (!request)
		return fail(EXIT_FAILED, "out of memory");
	for (size_t i = 0; i < count; i++) {
		struct turn *turn = &pipeline->turn[clients[i]];

		request[i].size = sizeof(*request);
		request[i].cookie = clients[i];
		request[i].type = type_of(pipeline->bench);
		memcpy(request[i].report_data, turn->nonce, sizeof(turn->nonce));
		bench_next_nonce(turn->nonce);
		turn->start = bench_now_ms();
	}
	accepted = cvm_async_submit(pipeline->async, request, count, 0, &error);
	if (accepted < 0)
		return fail_library((int)accepted, &error);
	pipeline->under_way += (size_t)accepted;
	for (size_t i = 0; i < count; i++)
		if (request[i].result)
			bench_record(&pipeline->bench->client[clients[i]], 0,
				     request[i].result, NULL, &error);
	return accepted ? 0 : fail_library(request[0].result, &error);
}

/* Fetch what there is; @ended: the clients that can ask again. */
static int fetch(struct pipeline *pipeline, size_t *ended, size_t *count)
{
	struct cvm_completion done = { .size = sizeof(done) };
	struct cvm_error error;
	int rc = 0;

	for (*count = 0; *count < pipeline->bench->clients; pipeline->under_way--) {
		rc = cvm_async_next(pipeline->async, &done, &error);
		if (rc <= 0)
			break;
		bench_record(&pipeline->bench->client[done.cookie],
			     bench_now_ms() - pipeline->turn[done.cookie].start, done.result,
			     done.evidence, &error);
		if (!bench_hopeless(&pipeline->bench->client[done.cookie]))
			ended[(*count)++] = done.cookie;
	}
	return rc < 0 ? fail_library(rc, &error) : 0;
}

static int go_round(struct pipeline *pipeline, size_t *ended, double end)
{
	struct pollfd ready = { .fd = cvm_async_fd(pipeline->async), .events = POLLIN };
	size_t count;
	int rc;

	if (poll(&ready, 1, POLL_MS) < 0)
		return fail(EXIT_FAILED, "poll: %s", strerror(errno));
	rc = fetch(pipeline, ended, &count);
	if (!rc && count && bench_now_ms() < end)
		rc = submit(pipeline, ended, count);
	return rc;
}

static int run_all(struct pipeline *pipeline, size_t *clients)
{
	struct bench *bench = pipeline->bench;
	double begin = bench_now_ms(), end = begin + bench->seconds * 1e3;
	int rc;

	for (size_t i = 0; i < bench->clients; i++)
		clients[i] = i;
	rc = submit(pipeline, clients, bench->clients);
	while (!rc && pipeline->under_way)
		rc = go_round(pipeline, clients, end);
	bench->took = (bench_now_ms() - begin) / 1e3;
	return rc;
}

int bench_pipeline(struct bench *bench)
{
	__cleanup_ctx struct cvm_ctx *ctx = NULL;
	__cleanup(close_async) struct cvm_async *async = NULL;
	__cleanup_free struct turn *turn = calloc(bench->clients, sizeof(*turn));
	__cleanup_free size_t *clients = calloc(bench->clients, sizeof(*clients));
	struct pipeline pipeline = { .bench = bench, .turn = turn };
	struct cvm_error error;
	int rc = turn && clients ? 0 : fail(EXIT_FAILED, "out of memory");

	for (size_t i = 0; !rc && i < bench->clients; i++)
		rc = bench_first_nonce(turn[i].nonce);
	if (!rc)
		rc = bench_open(bench, &ctx);
	if (rc)
		return rc;
	rc = cvm_async_open(&async, ctx, &error);
	if (rc)
		return fail_library(rc, &error);
	pipeline.async = async;
	return run_all(&pipeline, clients);
}
