// SPDX-License-Identifier: GPL-2.0
/*
 * Batches, labels and submitted requests by the backend cvm, against a driver
 * that lives in this program: its open(), ioctl() and read.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/cvm_guest.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../../driver/merkle.h"
#include "cvmguest.h"
#include "tap.h"

#define MAX_REQUESTS	8
#define MAX_RECORD	4096
#define REPORT_DATA	0x50

static struct {
	int report_errno, batch_errno, submit_errno, read_errno, scope_errno;
	int result;		/* of the last request of an array */
	bool bad_proof, long_proof, cut_record, stranger;
	uint64_t refused_status;
} fake;

static int report_fd = -1, batch_fd = -1;
static struct cvm_set_scope last_scope;
static struct cvm_evidence_req pending[64];
static int waiting;

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_ioctl(int fd, unsigned long command, void *arg);
ssize_t __wrap_preadv2(int fd, const struct iovec *iov, int count, off_t offset, int flags);

static int open_node(int *fd, int error)
{
	errno = error;
	*fd = error ? -1 : eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return *fd;
}

int __wrap_open(const char *path, int flags, ...)
{
	if (strstr(path, "/dev/cvm/report"))
		return open_node(&report_fd, fake.report_errno);
	if (strstr(path, "/dev/cvm/batch"))
		return open_node(&batch_fd, fake.batch_errno);
	return __real_open(path, flags, 0600);
}

static int info(struct cvm_info *info, bool batch)
{
	*info = (struct cvm_info) {
		.size = sizeof(*info), .abi_version = CVM_ABI_VERSION, .platform = CVM_PLATFORM_SNP,
		.kinds = 1U << (batch ? CVM_KIND_BATCH : CVM_KIND_SNP_REPORT),
		.max_requests = MAX_REQUESTS, .max_evidence = 1184, .max_certs = 64,
		.max_record = MAX_RECORD, .max_leaves = batch ? 1024 : 0,
		.scope = batch ? CVM_SCOPE_LABEL : 0,
	};
	return 0;
}

/* A report, and for a batch of two leaves the proof of the first. */
static uint32_t make(const struct cvm_evidence_req *req, uint8_t *report, uint8_t *proof)
{
	uint8_t nodes[CVM_TREE_NODES(2)][CVM_HASH_SIZE] = { 0 };
	struct cvm_merkle tree = { .nodes = nodes, .size = 2 };
	struct cvm_leaf leaf = { .salt = "salt" };
	uint32_t len;

	memset(report, 0, 1184);
	report[0] = 2;
	memcpy(report + REPORT_DATA, req->report_data, 64);
	if (req->kind != CVM_KIND_BATCH)
		return 0;
	memcpy(leaf.user_data, req->user_data, sizeof(leaf.user_data));
	cvm_merkle_leaf(nodes[0], &leaf);
	cvm_merkle_build(&tree);
	cvm_merkle_r64(&tree, report + REPORT_DATA);
	len = (uint32_t)cvm_merkle_proof(&tree, 0, &leaf, proof);
	proof[len - 1] ^= fake.bad_proof;
	return len;
}

static void answer(struct cvm_evidence_req *req)
{
	uint8_t report[1184], proof[CVM_PROOF_MAX];
	uint32_t len = make(req, report, proof);

	memcpy((void *)(uintptr_t)req->evidence, report, sizeof(report));
	req->evidence_len = sizeof(report);
	req->certs_len = 0;
	if (len)
		memcpy((void *)(uintptr_t)req->proof, proof, len);
	req->proof_len = fake.long_proof ? CVM_PROOF_MAX + 1 : len;
}

static int issue(int fd, struct cvm_issue *array, bool wait)
{
	struct cvm_evidence_req *reqs = (void *)(uintptr_t)array->requests;

	if (array->count > MAX_REQUESTS)
		return E2BIG;
	if (!wait && fake.submit_errno)
		return fake.submit_errno;
	for (uint32_t i = 0; i < array->count; i++) {
		if ((reqs[i].kind == CVM_KIND_BATCH) != (fd == batch_fd))
			return ENOTTY;
		reqs[i].result = i + 1 == array->count ? fake.result : 0;
		if (wait && !reqs[i].result)
			answer(&reqs[i]);
		else if (!reqs[i].result)
			pending[waiting++] = reqs[i], eventfd_write(fd, 1);
	}
	return 0;
}

static int cancel(struct cvm_cancel *cancel)
{
	for (int i = 0; i < waiting; i++) {
		if (pending[i].cookie == cancel->cookie && !pending[i].result) {
			pending[i].result = -ECANCELED;
			cancel->cancelled++;
		}
	}
	return 0;
}

int __wrap_ioctl(int fd, unsigned long command, void *arg)
{
	/* the library's duplicate of a file is that file */
	if (fd != report_fd && fd != batch_fd)
		batch_fd = fd;
	switch (command) {
	case CVM_INFO:
		errno = info(arg, fd == batch_fd);
		break;
	case CVM_ISSUE:
	case CVM_SUBMIT:
		errno = issue(fd, arg, command == CVM_ISSUE);
		break;
	case CVM_CANCEL:
		errno = cancel(arg);
		break;
	case CVM_SET_SCOPE:
		memcpy(&last_scope, arg, sizeof(last_scope));
		errno = fake.scope_errno;
		break;
	default:
		errno = ENOTTY;
	}
	return errno ? -1 : 0;
}

static size_t record(const struct cvm_evidence_req *req, uint8_t *to)
{
	struct cvm_record head = {
		.data_offset = sizeof(head), .result = req->result, .kind = req->kind,
		.cookie = req->cookie + ((uint64_t)fake.stranger << 32),
		.platform_status = fake.refused_status,
	};
	uint8_t report[1184], proof[CVM_PROOF_MAX];

	if (!req->result) {
		head.proof_len = make(req, report, proof);
		head.evidence_len = sizeof(report);
		memcpy(to + sizeof(head), report, sizeof(report));
		memcpy(to + sizeof(head) + sizeof(report), proof, head.proof_len);
	}
	head.size = (sizeof(head) + head.evidence_len + head.proof_len + 7) & ~7U;
	memcpy(to, &head, sizeof(head));
	return head.size - (fake.cut_record ? 8 : 0);
}

/* As many whole records as fit, of the file that is asked. */
ssize_t __wrap_preadv2(int fd, const struct iovec *iov, int count, off_t offset, int flags)
{
	uint8_t *to = iov->iov_base;
	size_t len = 0;
	eventfd_t old;

	errno = fake.read_errno ? fake.read_errno : EAGAIN;
	for (int i = 0; i < waiting && !fake.read_errno;) {
		if ((pending[i].kind == CVM_KIND_BATCH) != (fd == batch_fd)) {
			i++;
			continue;
		}
		if (len + 2048 > iov->iov_len)
			return (ssize_t)len;
		len += record(&pending[i], to + len);
		memmove(&pending[i], &pending[i + 1], sizeof(pending[0]) * (size_t)(--waiting - i));
	}
	eventfd_read(fd, &old);
	errno = fake.read_errno ? fake.read_errno : EAGAIN;
	return len && flags == RWF_NOWAIT && offset == -1 && count == 1 ? (ssize_t)len : -1;
}

static struct cvm_error error;

static void reset(void)
{
	memset(&fake, 0, sizeof(fake));
	memset(&error, 0, sizeof(error));
	waiting = 0;
}

static int open_by(struct cvm_ctx **ctx, const char *backend, int given)
{
	struct cvm_open_opts opts = { .size = sizeof(opts), .backend = backend, .batch_fd = given };

	return cvm_open(ctx, &opts, &error);
}

static struct cvm_ctx *opened(void)
{
	struct cvm_ctx *ctx;

	if (open_by(&ctx, NULL, 0)) {
		printf("Bail out! %s\n", error.text);
		exit(1);
	}
	return ctx;
}

static int ask(struct cvm_ctx *ctx, size_t *proof_len)
{
	uint8_t data[CVM_USER_DATA_LEN] = "a nonce";
	struct cvm_evidence *evidence;
	int rc = cvm_batch_one(ctx, data, NULL, &evidence, &error);

	if (!rc)
		cvm_evidence_proof(evidence, proof_len);
	cvm_evidence_free(evidence);
	return rc;
}

static void test_doors(void)
{
	struct cvm_status status = { .size = sizeof(status) };
	uint8_t data[CVM_REPORT_DATA_LEN] = "a nonce";
	struct cvm_evidence *evidence;
	struct cvm_ctx *ctx;
	size_t len = 0;

	reset();
	fake.report_errno = EACCES;
	ctx = opened();
	check(!cvm_status(ctx, &status, &error) && status.max_leaves == 1024 && status.scope == 2 &&
	      !status.types, "who may use only the batch node has a context");
	check_is(ask(ctx, &len), 0, "and gets batch evidence");
	check_is((long)len, CVM_PROOF_SIZE(1), "with its proof");
	check_is(cvm_report(ctx, data, NULL, &evidence, &error), -EACCES, "but no report");
	check_says(error.text, "/dev/cvm/report", "and is told of which node");
	cvm_close(ctx);
	reset();
	fake.batch_errno = EACCES;
	ctx = opened();
	check_is(ask(ctx, &len), -EACCES, "the other way round");
	check_is(cvm_report(ctx, data, NULL, &evidence, &error), 0, "there are reports");
	cvm_evidence_free(evidence);
	cvm_close(ctx);
	fake.batch_errno = ENOENT;
	ctx = opened();
	check_is(ask(ctx, &len), -EOPNOTSUPP, "a driver without that node");
	cvm_close(ctx);
}

static void test_lies(void)
{
	struct cvm_ctx *ctx;
	size_t len;

	reset();
	ctx = opened();
	fake.bad_proof = true;
	check_is(ask(ctx, &len), -EBADMSG, "a proof that leads elsewhere");
	reset();
	fake.long_proof = true;
	check_is(ask(ctx, &len), -EBADMSG, "a proof longer than there can be");
	reset();
	fake.result = -ENOKEY;
	check_is(ask(ctx, &len), -ENOKEY, "an error");
	cvm_close(ctx);
}

static void test_label(void)
{
	struct cvm_ctx *ctx, *passed;
	size_t len;
	int fd;

	reset();
	ctx = opened();
	check_is(cvm_set_label(ctx, "web", 3, &error), 0, "a label");
	check(last_scope.label_len == 3 && !memcmp(last_scope.label, "web\0", 4), "reaches the driver");
	check_is(cvm_set_label(ctx, "", 0, &error), -EINVAL, "of no bytes");
	fake.scope_errno = EPERM;
	check_is(cvm_set_label(ctx, "web", 3, &error), -EPERM, "of whoever may not");
	check_says(error.text, "CAP_SYS_ADMIN", "says what it takes");
	fake.scope_errno = EBUSY;
	check_is(cvm_set_label(ctx, "web", 3, &error), -EBUSY, "a second time");
	fd = cvm_batch_fd(ctx);
	check(fd == batch_fd && fcntl(fd, F_GETFD) == FD_CLOEXEC, "there is a file to pass on");
	report_fd = -1;
	check_is(open_by(&passed, NULL, fd), 0, "a context by a file that was passed");
	check(batch_fd != fd && report_fd == -1, "has its own descriptor of it, and nothing else");
	check_is(ask(passed, &len), 0, "and evidence");
	cvm_close(passed);
	batch_fd = fd;
	check_is(open_by(&passed, "sim", fd), -EINVAL, "the file is for no other backend");
	check_is(open_by(&passed, NULL, 999), -EBADF, "a file that is not open");
	cvm_close(ctx);
}

static struct cvm_async *async;

static long submit(uint64_t cookie, uint32_t type, size_t count)
{
	struct cvm_async_request request[20];

	memset(request, 0, sizeof(request));
	for (size_t i = 0; i < count; i++) {
		request[i].size = sizeof(request[i]);
		request[i].cookie = cookie + i;
		request[i].type = type;
		request[i].report_data[1] = (uint8_t)(cookie + i);
	}
	return cvm_async_submit(async, request, count, 0, &error);
}

/* The sum of the cookies of all that ended well; how many in @good and @proofs. */
static uint64_t drain(int *good, int *proofs)
{
	struct cvm_completion done = { .size = sizeof(done) };
	uint64_t sum = 0;

	*good = *proofs = 0;
	while (cvm_async_next(async, &done, &error) == 1) {
		size_t len = 0;

		if (done.evidence)
			cvm_evidence_proof(done.evidence, &len);
		*good += !done.result;
		*proofs += len > 0;
		sum += done.result ? 0 : done.cookie;
		cvm_evidence_free(done.evidence);
	}
	return sum;
}

static void test_submit(void)
{
	struct cvm_completion done = { .size = sizeof(done) };
	int good, proofs;

	reset();
	check_is(submit(1, CVM_ASYNC_BATCH, 20), 20, "more than one ioctl takes");
	check_is(submit(100, CVM_EVIDENCE_SNP_REPORT, 2), 2, "beside direct ones");
	check_is(drain(&good, &proofs), 210 + 201, "all end, with their cookies");
	check(good == 22 && proofs == 20, "the batch's with proofs");
	check_is(cvm_async_next(async, &done, &error), 0, "and then there is nothing");
	fake.submit_errno = EBUSY;
	check_is(submit(1, CVM_ASYNC_BATCH, 3), 0, "as many as there may be");
	check_says(error.text, "later", "says so");
	reset();
	fake.result = -EINVAL;
	check_is(submit(1, CVM_ASYNC_BATCH, 3), 2, "one that is not accepted");
	check(drain(&good, &proofs) == 3 && good == 2, "ends by that; the others have evidence");
}

static void test_records(void)
{
	struct cvm_completion done = { .size = sizeof(done) };
	int good, proofs;

	reset();
	submit(5, CVM_ASYNC_BATCH, 2);
	check_is(cvm_async_cancel(async, 6), 1, "one is cancelled");
	check_is(cvm_async_cancel(async, 77), 0, "one that is not there is not");
	check(drain(&good, &proofs) == 5 && good == 1, "the other one ends well");
	fake.bad_proof = true;
	submit(5, CVM_ASYNC_BATCH, 1);
	check(cvm_async_next(async, &done, &error) == 1 &&
	      done.result == -EBADMSG && !done.evidence, "a proof that leads elsewhere");
	reset();
	fake.cut_record = true;
	submit(5, CVM_ASYNC_BATCH, 1);
	check_is(cvm_async_next(async, &done, &error), -EBADMSG, "half a record");
	reset();
	fake.stranger = true;
	submit(5, CVM_ASYNC_BATCH, 1);
	check_is(cvm_async_next(async, &done, &error), 0, "a record of somebody else");
	reset();
	fake.read_errno = EPERM;
	check_is(cvm_async_next(async, &done, &error), -EPERM, "records that are not for us");
}

int main(void)
{
	struct cvm_ctx *ctx;

	tap_make_dir();
	test_doors();
	test_lies();
	test_label();
	reset();
	ctx = opened();
	check_is(cvm_async_open(&async, ctx, &error), 0, "submitted requests");
	test_submit();
	test_records();
	cvm_async_close(async);
	cvm_close(ctx);
	return tap_end();
}
