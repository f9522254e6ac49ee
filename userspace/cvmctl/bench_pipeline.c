// SPDX-License-Identifier: MIT
/* cvmctl bench --pipeline: one thread, one open file, as many requests under way as clients. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "bench.h"
#include "evidence.h"

/* how long to wait for an answer before the end is looked at, and before asking again */
#define POLL_MS		1000
#define AGAIN_MS	10

/* the one request of a client that is under way */
struct turn {
	double start;
	uint8_t nonce[NONCE_LEN];
};

/**
 * struct pipeline - all clients of one thread
 * @bench: what is measured
 * @async: their open file
 * @turn: of each client
 * @idle: clients with no request under way
 * @idle_count: of them
 * @under_way: requests
 */
struct pipeline {
	struct bench *bench;
	struct cvm_async *async;
	struct turn *turn;
	size_t *idle;
	size_t idle_count;
	size_t under_way;
};

static void close_async(struct cvm_async **async)
{
	cvm_async_close(*async);
}

static uint32_t type_of(const struct bench *bench)
{
	return bench->batch ? CVM_ASYNC_BATCH : bench->type;
}

static void next_request(const struct pipeline *pipeline, struct cvm_async_request *request,
			 size_t client)
{
	struct turn *turn = &pipeline->turn[client];

	*request = (struct cvm_async_request) {
		.size = sizeof(*request),
		.cookie = client,
		.type = type_of(pipeline->bench),
	};
	memcpy(request->report_data, turn->nonce, sizeof(turn->nonce));
	bench_next_nonce(turn->nonce);
	turn->start = bench_now_ms();
}

/* Those that were refused stay idle: for want of room, which is no error, or for good. */
static void keep_refused(struct pipeline *pipeline, const struct cvm_async_request *request,
			 const struct cvm_error *error)
{
	size_t count = pipeline->idle_count;

	pipeline->idle_count = 0;
	for (size_t i = 0; i < count; i++) {
		struct client *client = &pipeline->bench->client[request[i].cookie];

		if (!request[i].result)
			continue;
		if (request[i].result != -EBUSY)
			bench_record(client, 0, request[i].result, NULL, error);
		if (!bench_hopeless(client))
			pipeline->idle[pipeline->idle_count++] = request[i].cookie;
	}
}

/* The next requests of all who have none, by one call. */
static int submit(struct pipeline *pipeline)
{
	__cleanup_free struct cvm_async_request *request =
		calloc(pipeline->idle_count, sizeof(*request));
	struct cvm_error error;
	long accepted;

	if (!request)
		return fail(EXIT_FAILED, "out of memory");
	for (size_t i = 0; i < pipeline->idle_count; i++)
		next_request(pipeline, &request[i], pipeline->idle[i]);
	accepted = cvm_async_submit(pipeline->async, request, pipeline->idle_count, 0, &error);
	if (accepted < 0)
		return fail_library((int)accepted, &error);
	pipeline->under_way += (size_t)accepted;
	keep_refused(pipeline, request, &error);
	return 0;
}

/* Fetches what there is. */
static int fetch(struct pipeline *pipeline)
{
	struct cvm_completion done = { .size = sizeof(done) };
	struct cvm_error error;
	int rc;

	while ((rc = cvm_async_next(pipeline->async, &done, &error)) > 0) {
		struct client *client = &pipeline->bench->client[done.cookie];

		bench_record(client, bench_now_ms() - pipeline->turn[done.cookie].start,
			     done.result, done.evidence, &error);
		if (!bench_hopeless(client))
			pipeline->idle[pipeline->idle_count++] = done.cookie;
		pipeline->under_way--;
	}
	return rc < 0 ? fail_library(rc, &error) : 0;
}

static int go_round(struct pipeline *pipeline, double end)
{
	struct pollfd ready = { .fd = cvm_async_fd(pipeline->async), .events = POLLIN };
	int rc;

	if (poll(&ready, 1, pipeline->idle_count ? AGAIN_MS : POLL_MS) < 0 && errno != EINTR)
		return fail(EXIT_FAILED, "poll: %s", strerror(errno));
	rc = fetch(pipeline);
	if (!rc && pipeline->idle_count && bench_now_ms() < end)
		rc = submit(pipeline);
	return rc;
}

static int run_all(struct pipeline *pipeline)
{
	struct bench *bench = pipeline->bench;
	double begin = bench_now_ms(), end = begin + bench->seconds * 1e3;
	int rc;

	for (size_t i = 0; i < bench->clients; i++)
		pipeline->idle[pipeline->idle_count++] = i;
	rc = submit(pipeline);
	while (!rc && (pipeline->under_way || (pipeline->idle_count && bench_now_ms() < end)))
		rc = go_round(pipeline, end);
	bench->took = (bench_now_ms() - begin) / 1e3;
	return rc;
}

int bench_pipeline(struct bench *bench)
{
	__cleanup_ctx struct cvm_ctx *ctx = NULL;
	__cleanup(close_async) struct cvm_async *async = NULL;
	__cleanup_free struct turn *turn = calloc(bench->clients, sizeof(*turn));
	__cleanup_free size_t *idle = calloc(bench->clients, sizeof(*idle));
	struct pipeline pipeline = { .bench = bench, .turn = turn, .idle = idle };
	struct cvm_error error;
	int rc = turn && idle ? 0 : fail(EXIT_FAILED, "out of memory");

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
	return run_all(&pipeline);
}
