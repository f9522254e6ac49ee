// SPDX-License-Identifier: GPL-2.0
/*
 * Submitted requests on Azure's TDX, where the host has to quote each batch's TDREPORT: who
 * fetches does not wait for it, and loses nothing by fetching late.
 */
#include <errno.h>
#include <poll.h>
#include <sys/wait.h>

#include "common/util.h"
#include "driver_azure.h"
#include "imds_host.h"
#include "lib/async.h"

static const char *url;

static void open_all(struct cvm_ctx **ctx, struct cvm_async **async)
{
	const struct cvm_open_opts opts = { .size = sizeof(opts), .tcti = tcti, .imds = url };
	struct cvm_error error = { 0 };

	check(!cvm_open(ctx, &opts, &error) && !cvm_async_open(async, *ctx, &error), "open");
}

/* Of the batch that there is, members from @first on, whose cookies are from @cookie on */
static void submit_some(struct cvm_async *async, uint64_t cookie, unsigned int first,
			unsigned int count, uint32_t timeout_ms)
{
	static struct cvm_async_request requests[MEMBERS];
	struct cvm_error error = { 0 };

	for (unsigned int i = 0; i < count; i++) {
		requests[i] = (struct cvm_async_request){
			.size = sizeof(requests[i]), .cookie = cookie + i,
			.type = CVM_ASYNC_BATCH };
		memcpy(requests[i].report_data, batch.leaf[first + i].user_data, 64);
	}
	check_is(cvm_async_submit(async, requests, count, timeout_ms, &error), count,
		 "submitted requests");
}

static void submit(struct cvm_async *async, uint32_t timeout_ms)
{
	new_batch();
	submit_some(async, 0, 0, MEMBERS, timeout_ms);
}

/* Where the next ones are to come behind them, or of another batch */
static void await_read(void)
{
	while (unread())
		usleep(1000);
}

/*
 * How many there are now with cookies from @first on that are @result, and have a quote of the
 * TDREPORT where that is 0
 */
static long fetch_some_now(struct cvm_async *async, uint64_t first, int result)
{
	struct cvm_completion done = { .size = sizeof(done) };
	long good = 0;
	size_t len;

	while (cvm_async_next(async, &done, NULL) == 1) {
		good += done.result == result && done.cookie - first < MEMBERS &&
			(result || cvm_evidence_td_quote(done.evidence, &len));
		cvm_evidence_free(done.evidence);
	}
	return good;
}

/* Until there are as many */
static long fetch_some(struct cvm_async *async, uint64_t first, int result, long count)
{
	struct pollfd ready = { .fd = cvm_async_fd(async), .events = POLLIN };
	long good = 0;

	while (good < count && poll(&ready, 1, 20000) == 1)
		good += fetch_some_now(async, first, result);
	return good;
}

static long fetch_now(struct cvm_async *async, int result)
{
	return fetch_some_now(async, 0, result);
}

/* Until all have ended */
static long fetch(struct cvm_async *async, int result)
{
	return fetch_some(async, 0, result, MEMBERS);
}

static void test_late(struct cvm_async *async)
{
	submit(async, 3000);
	usleep(3200000);
	check_is(fetch_now(async, 0), MEMBERS, "fetched behind their deadline, with the host's quote");
}

/* What the host does next */
static void wrong(const char *what)
{
	tap_write(tap_path("/wrong"), what, strlen(what));
}

/* For a second of the two that the requests have */
static void never_waits(struct cvm_async *async, const char *name)
{
	int64_t begun, longest = 0;

	submit(async, 2000);
	begun = cvm_vtpm_clock_ms();
	while (cvm_vtpm_clock_ms() - begun < 1000) {
		int64_t now = cvm_vtpm_clock_ms();

		fetch_now(async, 0);
		now = cvm_vtpm_clock_ms() - now;
		longest = now > longest ? now : longest;
		usleep(1000);
	}
	if (!check(longest < 500, "nobody who fetches waits for %s", name))
		printf("# %lld ms\n", (long long)longest);
	check_is(fetch(async, -ETIMEDOUT), MEMBERS, "each gets its end");
}

static void test_stalled(struct cvm_async *async)
{
	uint64_t before = fw_status(fwd.fd, "tpm_quotes");

	wrong("stall /acc\n");
	never_waits(async, "a host that does not answer");
	check_is((long)(fw_status(fwd.fd, "tpm_quotes") - before), 1,
		 "for which the TPM was asked once");
	submit(async, 0);
	check_is(fetch(async, 0), MEMBERS, "and the next batch is complete");
}

/* One request that the host loses costs some seconds, and not all the time that there is. */
static void test_lost(struct cvm_async *async)
{
	int64_t begun = cvm_vtpm_clock_ms();

	wrong("stall /acc\n");
	submit(async, 60000);
	check_is(fetch(async, 0), MEMBERS, "a host that loses a request is asked again");
	begun = cvm_vtpm_clock_ms() - begun;
	if (!check(begun < 20000, "well before the deadline"))
		printf("# %lld ms\n", (long long)begun);
	/* each time, and the second time it has more than that */
	wrong("late-4 /acc\nlate-4 /acc\nlate-4 /acc\nlate-4 /acc\n"
	      "late-4 /acc\nlate-4 /acc\nlate-4 /acc\nlate-4 /acc\n");
	submit(async, 60000);
	check_is(fetch(async, 0), MEMBERS, "one that is slow has more time then");
	wrong("late-4 /acc\n");
	submit(async, 8000);
	check_is(fetch(async, 0), MEMBERS, "and all that there is where there is no more");
}

/* Of whatever batch, behind the data: somebody is at it, and never done. Closed, it is over. */
static int lock_all(void)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)1 << 40 };
	int fd = open(tap_path("/cvm-guest.batch"), O_RDWR | O_CREAT, 0600);

	check(fd >= 0 && !fcntl(fd, F_OFD_SETLK, &all), "somebody else is at all batches");
	return fd;
}

static void test_locked(struct cvm_async *async)
{
	uint64_t before = fw_status(fwd.fd, "tpm_quotes");
	int fd = lock_all();

	never_waits(async, "another member");
	check_is((long)(fw_status(fwd.fd, "tpm_quotes") - before), 0, "the TPM was not asked");
	close(fd);
	submit(async, 0);
	check_is(fetch(async, 0), MEMBERS, "and the next batch is complete");
}

/* ---- who waits for a host, or for another member, and who does not */

/* Of the batch that there is: somebody else is at it. Closed, he has given it up. */
static int lock_batch(void)
{
	struct flock one = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
	int fd = open(tap_path("/cvm-guest.batch"), O_RDWR | O_CREAT, 0600);
	uint8_t tpm48[CVM_TPM48_SIZE];

	cvm_merkle_tpm48(&batch.tree, tpm48);
	one.l_start = ((off_t)2 << 40) + cvm_le32(tpm48 + sizeof(tpm48) - 4);
	check(fd >= 0 && !fcntl(fd, F_OFD_SETLK, &one), "somebody else is at a batch");
	return fd;
}

/* With its first member waiting */
static int begin_locked(struct cvm_async *async, uint64_t cookie, unsigned int count)
{
	int fd;

	new_batch();
	fd = lock_batch();
	submit_some(async, cookie, 0, count, 60000);
	await_read();
	return fd;
}

#define OTHERS	1000

/* What somebody else has had made, for a member of another batch, is there. */
static void test_found(struct cvm_async *async, struct cvm_ctx *other)
{
	struct cvm_evidence *evidence;
	struct cvm_error error = { 0 };
	int fd = begin_locked(async, 0, MEMBERS);

	new_batch();
	check_is(cvm_batch_one(other, batch.leaf[0].user_data, NULL, &evidence, &error), 0,
		 "another batch, which another process has completed");
	cvm_evidence_free(evidence);
	submit_some(async, OTHERS, 0, MEMBERS, 60000);
	check_is(fetch_some(async, OTHERS, 0, MEMBERS), MEMBERS, "does not wait for it");
	check_is(fetch_now(async, 0), 0, "which waits");
	close(fd);
	check_is(fetch(async, 0), MEMBERS, "and is complete when it is given up");
}

/* Nor is it waited for by those whose batch has been completed meanwhile. */
static void test_forward(struct cvm_async *async)
{
	static __typeof__(batch) first;
	int before = begin_locked(async, 2 * OTHERS, 1), between;

	new_batch();
	first = batch;
	submit_some(async, 0, 0, 1, 60000);
	await_read();
	between = begin_locked(async, OTHERS, 1);
	batch = first;
	submit_some(async, 1, 1, MEMBERS - 1, 60000);
	await_read();
	close(before);
	check_is(fetch(async, 0), MEMBERS, "of a batch, those behind another one");
	check_is(fetch_some_now(async, OTHERS, 0), 0, "which waits");
	close(between);
	check_is(fetch_some(async, OTHERS, 0, 1), 1, "and is complete when it is given up");
}

static long cancel_all(struct cvm_async *async)
{
	long cancelled = 0;

	for (unsigned int i = 0; i < MEMBERS; i++)
		cancelled += cvm_async_cancel(async, i);
	return cancelled;
}

/* What has failed ends; and what the driver has answered, and is not complete, has no answer. */
static void test_cancel(struct cvm_async *async)
{
	int fd = begin_locked(async, 0, MEMBERS);

	driver_result = -EIO;
	submit_some(async, OTHERS, 0, MEMBERS, 60000);
	check_is(fetch_some(async, OTHERS, -EIO, MEMBERS), MEMBERS, "what has failed ends at once");
	driver_result = 0;
	check_is(cancel_all(async), MEMBERS, "what waits can be given up");
	check_is(fetch(async, -ECANCELED), MEMBERS, "and has its end");
	check_is(cancel_all(async), 0, "once");
	submit(async, 0);
	check_is(fetch(async, 0), MEMBERS, "the next batch does not wait for it");
	check_is(cancel_all(async), 0, "nor has more to give up");
	close(fd);
}

/* Who gives up what is his takes from the driver what is others': they have their end as well. */
static void test_cancel_beside(struct cvm_async *async)
{
	long ended = MEMBERS;

	for (int i = 0; i < 10 && ended == MEMBERS; i++) {
		submit(async, 0);
		cvm_async_cancel(async, OTHERS);
		ended = fetch(async, 0);
	}
	check_is(ended, MEMBERS, "who gives up nothing of them strands none");
}

/* As many as nobody fetches are taken from the driver, and no more. */
static void test_bound(struct cvm_async *async)
{
	const int all = CVM_ASYNC_MAX + 8 * MEMBERS;

	new_batch();
	for (int i = 0; i < all; i += MEMBERS)
		submit_some(async, 0, 0, MEMBERS, 60000);
	while (unread() > 8 * MEMBERS)
		usleep(1000);
	usleep(300000);
	check_is(unread(), 8 * MEMBERS, "what nobody fetches stays with the driver");
	check_is(fetch_some(async, 0, 0, all), all, "and comes when somebody does");
}

/* Which has not the thread to wait for, nor requests to give up */
static void test_fork(struct cvm_async *async)
{
	int status = -1;
	pid_t child;

	submit(async, 0);
	child = fork();
	if (!child) {
		alarm(20);
		cvm_async_close(async);
		_exit(0);
	}
	check(waitpid(child, &status, 0) == child && !status, "a child may close it");
	check_is(fetch(async, 0), MEMBERS, "which its parent does not notice");
}

/* Not before its deadline does a request end; but it is not waited for. */
static void close_soon(struct cvm_async *async, const char *name)
{
	int64_t begun;

	submit(async, 60000);
	usleep(300000);
	check_is(fetch_now(async, 0), 0, name);
	begun = cvm_vtpm_clock_ms();
	cvm_async_close(async);
	begun = cvm_vtpm_clock_ms() - begun;
	if (!check(begun < 10000, "who closes does not wait for it"))
		printf("# %lld ms\n", (long long)begun);
}

static void test_close(struct cvm_ctx *ctx)
{
	static const char *const wrongs[] = { "stall /acc\n", "after-30 /acc\n" };
	struct cvm_error error = { 0 };
	struct cvm_async *async;
	int fd;

	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		wrong(wrongs[i]);
		check_is(cvm_async_open(&async, ctx, &error), 0, "open");
		close_soon(async, i ? "a host that is busy" : "a host that does not answer");
	}
	fd = lock_all();
	check_is(cvm_async_open(&async, ctx, &error), 0, "open");
	close_soon(async, "and is waited for");
	close(fd);
	check_is(cvm_async_open(&async, ctx, &error), 0, "open");
	submit(async, 0);
	check_is(fetch(async, 0), MEMBERS, "and then all is as before");
	cvm_async_close(async);
}

int main(void)
{
	const struct cvm_open_opts opts = { .size = sizeof(opts), .tcti = tcti };
	struct cvm_ctx *ctx, *other;
	struct cvm_error error = { 0 };
	struct cvm_async *async;

	setup();
	start("platform=azure-tdx");
	url = start_imds();
	driver_platform = CVM_PLATFORM_AZURE_TDX;
	make_nodes();
	paravisor.root = tap_dir;
	check_is(cvm_vtpm_place(&paravisor, &opts, NULL), 0, "a paravisor");
	open_all(&ctx, &async);
	check_is(cvm_open(&other, &(struct cvm_open_opts){ .size = sizeof(opts), .tcti = tcti,
							   .imds = url }, &error), 0, "open");
	submit(async, 0);
	check_is(fetch(async, 0), MEMBERS, "each has the host's quote");
	test_late(async);
	test_stalled(async);
	test_lost(async);
	test_locked(async);
	test_found(async, other);
	test_forward(async);
	test_cancel(async);
	test_cancel_beside(async);
	test_bound(async);
	test_fork(async);
	cvm_async_close(async);
	test_close(ctx);
	cvm_close(other);
	cvm_close(ctx);
	cvm_vtpm_unplace(&paravisor);
	stop_imds();
	stop();
	return tap_end();
}
