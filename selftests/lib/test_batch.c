// SPDX-License-Identifier: GPL-2.0
/* Batches that the library gathers itself, and submitted requests, from a simulated firmware. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../platform/fw_proto.h"
#include "cvmguest.h"
#include "tap.h"

#define MANY		300
#define REPORT_DATA	0x50
#define ANSWER_MS	5000

static int listener;
/* of the peer: how many reports it made, whether it lies or refuses */
static _Atomic int reports;
static _Atomic int foreign, refuse;
/* a peer that holds its answers back until the test lets it go */
static pthread_mutex_t hold = PTHREAD_MUTEX_INITIALIZER;

static void respond(int fd, const struct fw_frame *asked, const uint8_t *report_data)
{
	struct {
		struct fw_frame head;
		uint8_t report[1184];
	} answer = {
		.head = { FW_MAGIC, asked->type, .id = asked->id, .len = sizeof(answer.report) },
	};

	reports++;
	pthread_mutex_lock(&hold);
	pthread_mutex_unlock(&hold);
	answer.report[0] = 2;
	memcpy(answer.report + REPORT_DATA, report_data, 64);
	answer.report[REPORT_DATA + 63] ^= foreign;
	if (refuse)
		answer.head.len = 0, answer.head.status = 0x16;
	send(fd, &answer, sizeof(answer.head) + answer.head.len, MSG_NOSIGNAL);
}

static void *serve(void *unused)
{
	static const char lines[] = "platform=snp\n";
	int fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		struct fw_frame head;
		uint8_t payload[4096];

		if (recv(fd, &head, sizeof(head), MSG_WAITALL) == sizeof(head) &&
		    (!head.len || recv(fd, payload, head.len, MSG_WAITALL) == (ssize_t)head.len)) {
			if (head.type == FW_STATUS) {
				head.len = sizeof(lines) - 1;
				send(fd, &head, sizeof(head), MSG_NOSIGNAL);
				send(fd, lines, head.len, MSG_NOSIGNAL);
			} else {
				respond(fd, &head, payload);
			}
		}
		close(fd);
	}
	return NULL;
}

static struct cvm_error error;

static struct cvm_ctx *opened(void)
{
	struct cvm_open_opts opts = {
		.size = sizeof(opts), .backend = "sim", .sim_socket = tap_path("/socket"),
	};
	struct cvm_ctx *ctx;

	if (cvm_open(&ctx, &opts, &error)) {
		printf("Bail out! %s\n", error.text);
		exit(1);
	}
	return ctx;
}

static void start_server(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	pthread_t thread;

	strcpy(address.sun_path, tap_path("/socket"));
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 8) ||
	    pthread_create(&thread, NULL, serve, NULL)) {
		printf("Bail out! no socket\n");
		exit(1);
	}
	pthread_detach(thread);
}

static struct cvm_batch_request many[MANY];

static void fill(void)
{
	memset(many, 0, sizeof(many));
	for (int i = 0; i < MANY; i++) {
		many[i].size = sizeof(many[i]);
		many[i].user_data[0] = 1;
		memcpy(many[i].user_data + 8, &i, sizeof(i));
	}
}

/* How many share the first one's report and have a proof that nobody else has. */
static int sharing(void)
{
	int count = 0;

	for (int i = 0; i < MANY; i++) {
		const void *first, *data, *proof, *before;
		size_t len, proof_len, before_len;

		if (many[i].result || !many[i].evidence || !many[0].evidence)
			continue;
		first = cvm_evidence_data(many[0].evidence, &len);
		data = cvm_evidence_data(many[i].evidence, &len);
		proof = cvm_evidence_proof(many[i].evidence, &proof_len);
		before = cvm_evidence_proof(many[i ? i - 1 : MANY - 1].evidence, &before_len);
		count += len == 1184 && !memcmp(first, data, len) && proof &&
			 (proof_len != before_len || memcmp(proof, before, proof_len));
	}
	return count;
}

static void free_many(void)
{
	for (int i = 0; i < MANY; i++)
		cvm_evidence_free(many[i].evidence);
}

static void test_batch(struct cvm_ctx *ctx)
{
	struct cvm_batch_opts opts = { .size = sizeof(opts) };
	struct cvm_evidence *evidence;
	const uint8_t *report;
	size_t len;

	fill();
	reports = 0;
	check_is(cvm_batch(ctx, many, MANY, NULL, &error), MANY, "many at once");
	check_is(reports, 1, "by one report");
	check_is(sharing(), MANY, "which they share, each with a proof of its own");
	free_many();

	check_is(cvm_batch_one(ctx, many[7].user_data, &opts, &evidence, &error), 0, "one alone");
	report = cvm_evidence_data(evidence, &len);
	check(!memcmp(report + REPORT_DATA, "CVMGBAT1\1\0\0\0\1\0\0\0", 16), "is a batch of one");
	check(cvm_evidence_proof(evidence, &len) && len == 68, "with an empty path");
	cvm_evidence_free(evidence);

	foreign = 1;
	fill();
	check_is(cvm_batch(ctx, many, MANY, NULL, &error), 0, "a report of another batch");
	check_is(many[3].result, -EBADMSG, "is nobody's");
	check_says(error.text, "somebody else's REPORT_DATA", "and that is said");
	foreign = 0;
	refuse = 1;
	fill();
	check(!cvm_batch(ctx, many, MANY, NULL, &error) && many[0].result == -EIO &&
	      many[MANY - 1].result == -EIO && !many[1].evidence, "a refusal is everybody's");
	check(error.platform_status == 0x16, "with its status");
	refuse = 0;
}

static void test_refused(struct cvm_ctx *ctx)
{
	struct cvm_batch_opts opts = { .size = sizeof(opts), .flags = CVM_REQUEST_VMPL };
	struct cvm_evidence *evidence;

	fill();
	reports = 0;
	memcpy(many[9].user_data, "CVMGBAT", 7);
	check_is(cvm_batch(ctx, many, MANY, NULL, &error), -EINVAL, "one with the reserved tag");
	check_says(error.text, "CVMGBAT", "says so");
	check_is(cvm_batch(ctx, many, 0, NULL, &error), -EINVAL, "none");
	many[9].size--;
	check_is(cvm_batch(ctx, many, MANY, NULL, &error), -EINVAL, "elements of two sizes");
	fill();
	many[9].reserved = 1;
	check_is(cvm_batch(ctx, many, MANY, NULL, &error), -EINVAL, "one with a reserved field");
	check_says(error.text, "reserved", "says so");
	check_is(cvm_batch_one(ctx, many[0].user_data, &opts, &evidence, &error), -EINVAL,
		 "a choice of VMPL");
	opts.flags = 0;
	opts.size = 4;
	check_is(cvm_batch_one(ctx, many[0].user_data, &opts, &evidence, &error), -EINVAL,
		 "options cut short");
	check_is(reports, 0, "and nothing was asked for");
	check_is(cvm_set_label(ctx, "web", 3, &error), -EOPNOTSUPP, "no label without the driver");
	check_is(cvm_batch_fd(ctx), -EOPNOTSUPP, "nor a file to pass on");
}

static struct cvm_async *async;

static long submit(uint64_t cookie, uint32_t type, uint32_t timeout_ms)
{
	struct cvm_async_request request = {
		.size = sizeof(request), .cookie = cookie, .type = type, .report_data = { 1 },
	};

	memcpy(request.report_data + 8, &cookie, sizeof(cookie));
	return cvm_async_submit(async, &request, 1, timeout_ms, &error);
}

/* As an event loop does: the result of the next to end; its cookie in @cookie. */
static int next(uint64_t *cookie, size_t *proof_len)
{
	struct pollfd ready = { .fd = cvm_async_fd(async), .events = POLLIN };
	struct cvm_completion done = { .size = sizeof(done), .reserved = 1 };
	int rc;

	while (!(rc = cvm_async_next(async, &done, &error)))
		if (poll(&ready, 1, ANSWER_MS) != 1)
			return -ENODATA;
	if (rc < 0)
		return rc;
	if (done.reserved)
		return -EPROTO;
	*cookie = done.cookie;
	*proof_len = 0;
	if (done.evidence)
		cvm_evidence_proof(done.evidence, proof_len);
	cvm_evidence_free(done.evidence);
	return done.result;
}

/* The peer has one request in its hands: what is submitted now must wait. */
static void occupy(uint64_t cookie)
{
	pthread_mutex_lock(&hold);
	reports = 0;
	submit(cookie, CVM_EVIDENCE_SNP_REPORT, 0);
	while (!reports)
		sched_yield();
}

static void test_gathered(void)
{
	uint64_t cookie, sum = 0;
	size_t len;
	int good = 0, proofs = 0;

	occupy(1000);
	for (uint64_t i = 0; i < 5; i++)
		submit(i, CVM_ASYNC_BATCH, 0);
	pthread_mutex_unlock(&hold);
	check(!next(&cookie, &len) && cookie == 1000 && !len, "a direct request ends without a proof");
	for (int i = 0; i < 5; i++) {
		good += !next(&cookie, &len);
		sum += 1ULL << (8 * cookie);
		proofs += len >= 68;
	}
	check(good == 5 && proofs == 5 && sum == 0x0101010101, "those that waited end once each, with proofs");
	check_is(reports, 2, "and shared a report");
}

static void test_cancelled(void)
{
	struct cvm_completion done = { .size = sizeof(done) };
	uint64_t cookie = 0;
	size_t len;

	occupy(1);
	submit(2, CVM_ASYNC_BATCH, 0);
	submit(3, CVM_ASYNC_BATCH, 1);
	check_is(cvm_async_cancel(async, 2), 1, "one that waits is cancelled");
	check(next(&cookie, &len) == -ECANCELED && cookie == 2, "and ends so");
	check_is(cvm_async_cancel(async, 2), 0, "once");
	check_is(cvm_async_cancel(async, 1), 1, "one that is being asked for is cancelled");
	check(next(&cookie, &len) == -ECANCELED && cookie == 1, "and ends so at once");
	usleep(2000);	/* a deadline can only be waited for */
	pthread_mutex_unlock(&hold);
	check(next(&cookie, &len) == -ETIMEDOUT && cookie == 3, "a deadline while waiting");
	check_is(cvm_async_next(async, &done, &error), 0, "and nothing ends twice");
}

static void test_reserved(void)
{
	struct cvm_async_request request = {
		.size = sizeof(request), .type = CVM_ASYNC_BATCH, .reserved = 1,
	};
	struct cvm_completion done = { .size = sizeof(done) };

	check_is(cvm_async_submit(async, &request, 1, 0, &error), -EINVAL, "a reserved field");
	check_says(error.text, "reserved", "is refused");
	check_is(cvm_async_next(async, &done, &error), 0, "and nothing was submitted");
}

static void test_async(struct cvm_ctx *ctx)
{
	struct cvm_async *other;
	long full = 0;

	check_is(cvm_async_open(&async, ctx, &error), 0, "submitted requests");
	check_is(cvm_async_open(&other, ctx, &error), -EBUSY, "one owner for a context");
	test_gathered();
	test_cancelled();
	test_reserved();
	check_is(submit(1, CVM_EVIDENCE_TDX_QUOTE, 0), 0, "a quote on SNP is not accepted");
	check_is(submit(1, 77, 0), -EINVAL, "nor what does not exist");
	occupy(1);
	for (int i = 0; i < 1100; i++)
		full += submit(i, CVM_ASYNC_BATCH, 0);
	check_is(full, 1023, "there is an end to how many");
	check_says(error.text, "later", "which is said");
	pthread_mutex_unlock(&hold);
	cvm_async_close(async);
	check_is(cvm_async_open(&async, ctx, &error), 0, "closed with many under way, and open again");
	cvm_async_close(async);
}

int main(void)
{
	struct cvm_ctx *ctx;

	tap_make_dir();
	start_server();
	ctx = opened();
	test_batch(ctx);
	test_refused(ctx);
	test_async(ctx);
	cvm_close(ctx);
	return tap_end();
}
