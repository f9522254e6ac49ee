// SPDX-License-Identifier: MIT
/* Requests that nobody waits for: does each have one end, about itself? */
#include <openssl/rand.h>
#include <poll.h>
#include <string.h>

#include "selftest.h"

#define PATIENCE_MS	60000

static void cleanup_async(struct cvm_async **async)
{
	cvm_async_close(*async);
}

/* a completion that has come: true: it is right, and the first of its request */
static bool take(const struct cvm_async_request *requests, const struct cvm_completion *c,
		 bool *seen)
{
	bool right = c->cookie < MANY && !seen[c->cookie] && !c->result &&
		     selftest_carries(c->evidence, requests[c->cookie].report_data);

	if (right)
		seen[c->cookie] = true;
	cvm_evidence_free(c->evidence);
	return right;
}

/* how many of them end as they should */
static size_t gather(struct cvm_async *async, const struct cvm_async_request *requests,
		     size_t count, struct cvm_error *error)
{
	struct pollfd fd = { .fd = cvm_async_fd(async), .events = POLLIN };
	bool seen[MANY] = { false };
	size_t right = 0;

	for (size_t ended = 0; ended < count; ) {
		struct cvm_completion c = { .size = sizeof(c) };
		int rc = cvm_async_next(async, &c, error);

		if (rc < 0 || (!rc && poll(&fd, 1, PATIENCE_MS) <= 0))
			break;
		if (!rc)
			continue;
		ended++;
		right += take(requests, &c, seen);
	}
	return right;
}

enum outcome selftest_async(struct selftest *t)
{
	struct cvm_async *async __cleanup(cleanup_async) = NULL;
	struct cvm_async_request requests[MANY] = { 0 };
	struct cvm_error error = { 0 };
	const size_t count = selftest_count(t);
	size_t right;
	long accepted;

	for (size_t i = 0; i < count; i++) {
		requests[i].size = sizeof(requests[i]);
		requests[i].cookie = i;
		requests[i].type = selftest_type(t);
		RAND_bytes(requests[i].report_data, sizeof(requests[i].report_data));
	}
	if (cvm_async_open(&async, t->ctx, &error))
		return selftest_say(t, FAILED, "%s", error.text);
	accepted = cvm_async_submit(async, requests, count, 0, &error);
	if (accepted != (long)count)
		return selftest_say(t, FAILED, "%ld of %zu: %s", accepted, count, error.text);
	right = gather(async, requests, count, &error);
	if (right != count)
		return selftest_say(t, FAILED, "%zu of %zu end as they should%s%s", right, count,
				    *error.text ? ": " : "", error.text);
	return selftest_say(t, PASSED, "%zu submitted, each ends once and about itself", count);
}
