// SPDX-License-Identifier: GPL-2.0
/*
 * The backend cvm on Azure: a driver that lives in this program gives the reports of a
 * simulated paravisor, each with a proof or without, and the library adds what belongs to
 * them: one quote for a batch, whoever its members are, and one for each direct report.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "driver_azure.h"

#define SHARED		"/cvm-guest.batch"

/* ---- the driver's clients */

static int open_driver(struct cvm_ctx **ctx, struct cvm_error *error)
{
	const struct cvm_open_opts opts = { .size = sizeof(opts), .tcti = tcti };

	return cvm_open(ctx, &opts, error);
}

static uint64_t quotes(void)
{
	return fw_status(fwd.fd, "tpm_quotes");
}

static bool is_member(const struct cvm_evidence *evidence, const uint8_t *user_data)
{
	struct cvm_verify_opts opts = { .scope = "any", .user_data = user_data };
	size_t len;

	opts.proof = cvm_evidence_proof(evidence, &len);
	opts.proof_len = len;
	return holds(evidence, &opts);
}

/* What it got is complete. */
static bool join_by(struct cvm_ctx *ctx, int member)
{
	const uint8_t *user_data = batch.leaf[member].user_data;
	struct cvm_evidence *evidence = NULL;
	struct cvm_error error = { 0 };
	bool good = !cvm_batch_one(ctx, user_data, NULL, &evidence, &error) &&
		    is_member(evidence, user_data);

	if (!good)
		printf("# %s\n", error.text);
	cvm_evidence_free(evidence);
	return good;
}

/* By a context of its own */
static bool join(int member)
{
	struct cvm_error error = { 0 };
	struct cvm_ctx *ctx;
	bool good;

	if (open_driver(&ctx, &error))
		return false;
	good = join_by(ctx, member);
	cvm_close(ctx);
	return good;
}

static void test_direct(void)
{
	struct cvm_status status = { .size = sizeof(status) };
	uint8_t data[64] = { 0x11, [63] = 1 };
	struct cvm_verify_opts opts = { .report_data = data };
	struct cvm_evidence *evidence;
	struct cvm_error error = { 0 };
	uint64_t before = quotes();
	struct cvm_ctx *ctx;

	check_is(open_driver(&ctx, &error), 0, "open");
	check(!cvm_status(ctx, &status, &error) && status.tee == CVM_TEE_SNP &&
	      status.types == 1U << CVM_EVIDENCE_HCL_REPORT && !strcmp(status.backend, "cvm") &&
	      status.max_leaves == 1024, "what it offers");
	check_is(cvm_attest(ctx, data, NULL, &evidence, &error), 0, "direct evidence");
	check(cvm_evidence_type(evidence) == CVM_EVIDENCE_HCL_REPORT && holds(evidence, &opts),
	      "is complete");
	cvm_evidence_free(evidence);
	check_is(cvm_report(ctx, data, NULL, &evidence, &error), -EOPNOTSUPP, "no bare report");
	cvm_close(ctx);
	check_is((long)(quotes() - before), 1, "one quote");
}

static void test_call(void)
{
	/* of which there are none here */
	const struct cvm_batch_opts opts = { .size = sizeof(opts), .flags = CVM_REQUEST_CERTS };
	static struct cvm_batch_request requests[MEMBERS];
	static __typeof__(batch) first, next;
	uint64_t before = quotes();
	struct cvm_error error = { 0 };
	struct cvm_ctx *ctx;
	long good = 0;

	new_batch();
	for (int i = 0; i < MEMBERS; i++) {
		requests[i].size = sizeof(requests[i]);
		memcpy(requests[i].user_data, batch.leaf[i].user_data, 64);
	}
	check_is(open_driver(&ctx, &error), 0, "open");
	check_is(cvm_batch(ctx, requests, MEMBERS, &opts, &error), MEMBERS, "a batch by one call");
	cvm_close(ctx);
	for (int i = 0; i < MEMBERS; i++) {
		good += is_member(requests[i].evidence, requests[i].user_data);
		cvm_evidence_free(requests[i].evidence);
	}
	check_is(good, MEMBERS, "each is complete");
	check_is((long)(quotes() - before), 1, "with one quote");
	check(join(3) && quotes() - before == 1, "and who comes late has it too");
	first = batch;
	new_batch();
	check(join(3) && quotes() - before == 2, "the next batch has another one");
	next = batch;
	batch = first;
	check(join(4) && quotes() - before == 2, "who comes later still has the first's");
	batch = next;
	check(join(4) && quotes() - before == 2, "which drives nobody out");
}

static void *join_thread(void *member)
{
	return (void *)(long)join((int)(intptr_t)member);
}

static void test_threads(void)
{
	uint64_t before = quotes();
	pthread_t id[MEMBERS];
	long good = 0;
	void *is;

	new_batch();
	for (intptr_t i = 0; i < MEMBERS; i++)
		pthread_create(&id[i], NULL, join_thread, (void *)i);
	for (int i = 0; i < MEMBERS; i++) {
		pthread_join(id[i], &is);
		good += (long)is;
	}
	check_is(good, MEMBERS, "threads with a context each");
	check_is((long)(quotes() - before), 1, "share one quote");
}

static pid_t join_process(int member)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	_exit(!join(member));
}

static long await_good(const pid_t *pid, int count)
{
	long good = 0;

	for (int i = 0; i < count; i++) {
		int status = -1;

		good += waitpid(pid[i], &status, 0) == pid[i] && !status;
	}
	return good;
}

#define PROCESSES	8

static void test_processes(void)
{
	uint64_t before = quotes();
	pid_t pid[PROCESSES];

	new_batch();
	for (int i = 0; i < PROCESSES; i++)
		pid[i] = join_process(i);
	check_is(await_good(pid, PROCESSES), PROCESSES, "processes");
	check_is((long)(quotes() - before), 1, "share one quote");
}

/* ---- submitted requests */

/* As an event loop does it: how many of @count are complete */
static long fetch(struct cvm_async *async, long count)
{
	struct pollfd ready = { .fd = cvm_async_fd(async), .events = POLLIN };
	struct cvm_completion done = { .size = sizeof(done) };
	long good = 0;

	while (count && poll(&ready, 1, 20000) == 1)
		for (; cvm_async_next(async, &done, NULL) == 1; count--) {
			good += !done.result &&
				is_member(done.evidence, batch.leaf[done.cookie].user_data);
			cvm_evidence_free(done.evidence);
		}
	return good;
}

static long submit_all(struct cvm_async *async, struct cvm_error *error)
{
	static struct cvm_async_request requests[MEMBERS];

	for (unsigned int i = 0; i < MEMBERS; i++) {
		requests[i] = (struct cvm_async_request){
			.size = sizeof(requests[i]), .cookie = i, .type = CVM_ASYNC_BATCH };
		memcpy(requests[i].report_data, batch.leaf[i].user_data, 64);
	}
	return cvm_async_submit(async, requests, MEMBERS, 0, error);
}

static void test_submitted(void)
{
	struct cvm_error error = { 0 };
	struct cvm_async *async;
	struct cvm_ctx *ctx;
	uint64_t before;

	check(!open_driver(&ctx, &error) && !cvm_async_open(&async, ctx, &error), "open");
	new_batch();
	before = quotes();
	check_is(submit_all(async, &error), MEMBERS, "submitted requests");
	check_is(fetch(async, MEMBERS), MEMBERS, "all are complete");
	check_is((long)(quotes() - before), 1, "with one quote");
	new_batch();
	before = quotes();
	check_is(submit_all(async, &error), MEMBERS, "some more, which nobody fetches");
	cvm_async_close(async);
	cvm_close(ctx);
	check(quotes() - before <= 1, "for which one quote is made, or none");
}

/* ---- what goes wrong */

static void test_no_tpm(void)
{
	struct cvm_open_opts opts = { .size = sizeof(opts), .root = tap_dir };
	struct cvm_evidence *evidence;
	const uint8_t data[64] = { 0x12 };
	struct cvm_error error = { 0 };
	struct cvm_async *async;
	struct cvm_ctx *ctx;

	asked = 0;
	check_is(cvm_open(&ctx, &opts, &error), 0, "who has the driver's nodes and no TPM");
	check_is(cvm_attest(ctx, data, NULL, &evidence, &error), -ENOENT, "has no evidence");
	check(!evidence && !asked, "and costs the others no window");
	check_says(error.text, "/dev/tpmrm0: ", "says what is missing");
	check_is(cvm_async_open(&async, ctx, &error), 0, "open");
	check_is(submit_all(async, &error), 0, "nor by requests that are submitted");
	check(!asked, "which the driver does not see");
	check_says(error.text, "takes the TPM as well", "and why");
	cvm_async_close(async);
	cvm_close(ctx);
}

static void test_other_key(void)
{
	struct cvm_evidence *evidence;
	struct cvm_error error = { 0 };
	struct cvm_ctx *ctx;

	usleep(310000);
	check(fw_set(fwd.fd, "other_ak_n=1"), "claims that name another key");
	new_batch();
	check_is(open_driver(&ctx, &error), 0, "open");
	check_is(cvm_batch_one(ctx, batch.leaf[0].user_data, NULL, &evidence, &error), -EBADMSG,
		 "than the vTPM has");
	check(!evidence, "nothing is served");
	check_says(error.text, "HCLAkPub", "says so");
	cvm_close(ctx);
	new_batch();
	check(join(0), "served when it is over");
}

/* Neither before anybody had its quote made nor after */
static void test_lies(void)
{
	static const char *const names[] = { "", "another proof", "another request's report" };
	uint64_t before;

	new_batch();
	before = quotes();
	for (int turn = 0; turn < 2; turn++) {
		for (lie = OTHER_PROOF; lie <= OTHER_REPORT; lie++) {
			struct cvm_evidence *evidence;
			struct cvm_error error = { 0 };
			struct cvm_ctx *ctx;

			check_is(open_driver(&ctx, &error), 0, "open");
			check_is(cvm_batch_one(ctx, batch.leaf[turn].user_data, NULL, &evidence,
					       &error), -EBADMSG, names[lie]);
			check(!evidence, "%s: nothing is served", names[lie]);
			cvm_close(ctx);
		}
		lie = NO_LIE;
		check(join(2) && quotes() - before == 1, "served when it is over");
	}
}

/* A file that is not this user's alone is nobody's: members of a context share in memory. */
static void test_file(void)
{
	const char *path = tap_path(SHARED), *other = tap_path("/other");
	uint64_t before;
	struct stat is;
	uint8_t byte;
	int fd;

	/* a new one, which this batch begins */
	unlink(path);
	new_batch();
	before = quotes();
	check(join(0) && !stat(path, &is) && (is.st_mode & 07777) == 0600, "a file for this user");
	fd = open(path, O_RDWR);
	byte = 0;
	check(pwrite(fd, &byte, 1, 0) == 1, "whose writer was killed in the middle");
	check(join(1) && quotes() - before == 2, "is not believed, and made anew");
	check(!ftruncate(fd, 100) && join(2) && quotes() - before == 3, "nor is one cut short");
	check(!ftruncate(fd, 0) && join(2) && quotes() - before == 4, "nor an empty one");
	fchmod(fd, 0620);
	check(join(3) && join(4) && quotes() - before == 6, "a file that others may write to");
	close(fd);
	unlink(path);
	tap_write(other, "", 0);
	check(!symlink(other, path) && join(5) && !stat(other, &is) && !is.st_size,
	      "a link to another one");
	unlink(path);
	check(!mkfifo(path, 0600) && join(6), "a pipe");
	unlink(path);
	check(!chmod(other, 0600) && !link(other, path) && join(7) && !stat(other, &is) &&
	      !is.st_size, "another name of one");
	unlink(path);
}

/* A byte of each of its eight places, the one in use among them */
static bool spoil(const char *path, off_t at)
{
	int fd = open(path, O_RDWR);
	bool good = fd >= 0;
	uint8_t byte;

	for (off_t place = 0; good && place < 8; place++) {
		off_t there = at + (place << 16);

		if (pread(fd, &byte, 1, there) != 1)
			break;
		byte ^= 1;
		good = pwrite(fd, &byte, 1, there) == 1;
	}
	close(fd);
	return good;
}

/* Members hold what the file says against what the driver gave, and know their own format. */
static void test_file_lies(void)
{
	/* behind a head of 20 bytes: the batch, the message, the signature, the PCRs */
	static const struct {
		const char *name;
		off_t at;
	} spoilt[] = {
		{ "another format", 2 }, { "another size of its head", 0 },
		{ "another message", 68 + 60 }, { "another signature", 68 + 1024 + 100 },
		{ "other PCRs", 68 + 1024 + 512 + 40 }, { "another batch", 24 },
		{ "the quote of a TDREPORT that there is none of", 16 },
	};
	const char *path = tap_path(SHARED);
	uint64_t before;

	new_batch();
	check(join(0), "a file");
	before = quotes();
	for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++)
		check(spoil(path, spoilt[i].at) && join(1) && quotes() - before == i + 1,
		      "%s: made anew", spoilt[i].name);
	check(join(2) && quotes() - before == sizeof(spoilt) / sizeof(spoilt[0]), "then shared again");
}

/* All that was open is in common then, and nothing keeps them apart but what they open anew. */
static void test_fork(void)
{
	struct cvm_error error = { 0 };
	pid_t pid[PROCESSES];
	struct cvm_ctx *ctx;
	uint64_t before;
	long good;

	for (int in_memory = 0; in_memory < 2; in_memory++) {
		if (in_memory)
			check(!unlink(tap_path(SHARED)) && !mkdir(tap_path(SHARED), 0700), "no file");
		new_batch();
		before = quotes();
		check_is(open_driver(&ctx, &error), 0, "open");
		for (int i = 0; i < PROCESSES; i++) {
			pid[i] = fork();
			if (pid[i])
				continue;
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			_exit(!join_by(ctx, i));
		}
		good = join_by(ctx, PROCESSES);
		good += await_good(pid, PROCESSES);
		check_is(good, PROCESSES + 1, "a context and forks of it");
		check_is((long)(quotes() - before), 1, "share one quote");
		cvm_close(ctx);
	}
	rmdir(tap_path(SHARED));
}

static bool quote_alone(struct cvm_ctx *ctx, struct cvm_error *error)
{
	const struct cvm_batch_opts opts = { .size = sizeof(opts),
					     .flags = CVM_REQUEST_QUOTE_ALONE };
	const uint8_t data[64] = { 0x77 };
	struct cvm_evidence *evidence;
	int rc = cvm_batch_one(ctx, data, &opts, &evidence, error);

	cvm_evidence_free(evidence);
	return rc ? (errno = -rc, false) : true;
}

/* Of a batch that this process makes, the proofs speak for this process. */
static void test_scope(void)
{
	struct cvm_error error = { 0 };
	struct cvm_ctx *ctx;

	check_is(open_driver(&ctx, &error), 0, "open");
	driver_scope = cvm_gather_scope();
	check(quote_alone(ctx, &error), "a quote alone for a batch, of a file of one's own");
	driver_scope = CVM_SCOPE_LABEL;
	check(!quote_alone(ctx, &error) && errno == EOPNOTSUPP, "not by a file that has a label");
	check_says(error.text, "cannot have the scope", "says so");
	driver_scope = !cvm_gather_scope();
	check(!quote_alone(ctx, &error) && errno == EOPNOTSUPP, "nor by one of others");
	driver_scope = 0;
	cvm_close(ctx);
}

static void test_lock(void)
{
	const struct cvm_batch_opts opts = { .size = sizeof(opts), .timeout_ms = 600 };
	/* behind the data: whatever batch it is */
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)1 << 40 };
	struct cvm_evidence *evidence;
	struct cvm_error error = { 0 };
	struct cvm_ctx *ctx;
	int64_t begun;
	int fd;

	new_batch();
	check_is(open_driver(&ctx, &error), 0, "open");
	fd = open(tap_path(SHARED), O_RDWR | O_CREAT, 0600);
	check(fd >= 0 && !fcntl(fd, F_OFD_SETLK, &all), "somebody is at it");
	begun = cvm_vtpm_clock_ms();
	check_is(cvm_batch_one(ctx, batch.leaf[0].user_data, &opts, &evidence, &error),
		 -ETIMEDOUT, "and never done");
	check(!evidence && cvm_vtpm_clock_ms() - begun < 5000, "not for longer than the deadline");
	check_says(error.text, "another member", "says so");
	cvm_close(ctx);
	close(fd);
	check(join(1), "gone, he is in nobody's way");
}

int main(void)
{
	const struct cvm_open_opts opts = { .size = sizeof(opts), .tcti = tcti };

	setup();
	start("nv_size=2600");
	make_nodes();
	paravisor.root = tap_dir;
	check_is(cvm_vtpm_place(&paravisor, &opts, NULL), 0, "a paravisor");
	test_direct();
	test_call();
	test_threads();
	test_processes();
	test_submitted();
	test_no_tpm();
	test_other_key();
	test_lies();
	test_file();
	test_file_lies();
	test_fork();
	test_scope();
	test_lock();
	cvm_vtpm_unplace(&paravisor);
	stop();
	return tap_end();
}
