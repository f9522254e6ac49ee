// SPDX-License-Identifier: GPL-2.0
/* The backend cvm against a driver that lives in this program: its open() and ioctl(). */
#include <errno.h>
#include <fcntl.h>
#include <linux/cvm_guest.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cvmguest.h"
#include "tap.h"

#define NODE		"/dev/cvm/report"
#define MAX_REQUESTS	32
#define CERTS		"table"

static struct {
	int open_errno, info_errno, issue_errno, extend_errno;
	bool read_only;		/* nobody may write to the node */
	uint32_t platform, channel, kinds;
	uint32_t max_evidence;
	int result;		/* of every second request */
	int foreign;		/* the request that gets another one's REPORT_DATA, from 1 */
	bool overflow;		/* a certificate table beyond its buffer */
	bool truncated;
	uint64_t platform_status;
} fake;

static int node_fd = -1;
static unsigned int ioctls;
static struct cvm_evidence_req last;
static struct cvm_issue last_array;
static struct cvm_extend_rtmr last_extend;
static int opened_for;

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_ioctl(int fd, unsigned long command, void *arg);

int __wrap_open(const char *path, int flags, ...)
{
	if (!strstr(path, NODE))
		return __real_open(path, flags, 0600);
	if (fake.open_errno || (fake.read_only && flags & O_RDWR)) {
		errno = fake.open_errno ? fake.open_errno : EACCES;
		return -1;
	}
	opened_for = flags & O_ACCMODE;
	node_fd = __real_open(path, flags);
	return node_fd;
}

static int info(struct cvm_info *info)
{
	uint32_t size = info->size < sizeof(*info) ? info->size : sizeof(*info);

	*info = (struct cvm_info) {
		.size = size, .abi_version = CVM_ABI_VERSION, .platform = fake.platform,
		.channel = fake.channel, .kinds = fake.kinds, .vmpl = 1,
		.max_requests = MAX_REQUESTS, .max_evidence = fake.max_evidence,
		.max_certs = 4096, .default_timeout_ms = 30000, .max_timeout_ms = 600000,
		.max_inflight = 4,
	};
	return fake.info_errno;
}

static void answer(struct cvm_evidence_req *req, uint32_t index)
{
	uint8_t report[1184] = { 2 };

	last = *req;
	if (fake.result && index % 2) {
		req->result = fake.result;
		req->platform_status = fake.platform_status;
		return;
	}
	memcpy(report + 0x50, req->report_data, sizeof(req->report_data));
	report[0x50 + 63] ^= fake.foreign == (int)index + 1;
	req->evidence_len = sizeof(report) - fake.truncated;
	memcpy((void *)(uintptr_t)req->evidence, report, sizeof(report));
	if (req->flags & CVM_REQ_CERTS) {
		memcpy((void *)(uintptr_t)req->certs, CERTS, sizeof(CERTS));
		req->certs_len = fake.overflow ? req->certs_len + 1 : sizeof(CERTS);
	}
	req->result = 0;
}

static int issue(struct cvm_issue *array)
{
	struct cvm_evidence_req *reqs = (void *)(uintptr_t)array->requests;

	last_array = *array;
	if (array->count > MAX_REQUESTS || array->size != sizeof(*array) ||
	    array->request_size != sizeof(*reqs) || array->flags)
		return EINVAL;
	if (fake.issue_errno && fake.issue_errno != EINTR)
		return fake.issue_errno;
	for (uint32_t i = 0; i < array->count; i++)
		answer(&reqs[i], i);
	return fake.issue_errno;
}

static int extend(const struct cvm_extend_rtmr *arg)
{
	last_extend = *arg;
	return opened_for == O_RDONLY ? EBADF : fake.extend_errno;
}

int __wrap_ioctl(int fd, unsigned long command, void *arg)
{
	ioctls++;
	if (fd != node_fd)
		errno = EBADF;
	else if (command == CVM_INFO)
		errno = info(arg);
	else if (command == CVM_ISSUE)
		errno = issue(arg);
	else if (command == CVM_EXTEND_RTMR)
		errno = extend(arg);
	else
		errno = ENOTTY;
	return errno ? -1 : 0;
}

static struct cvm_error error;

static void reset(void)
{
	memset(&fake, 0, sizeof(fake));
	memset(&error, 0, sizeof(error));
	fake.platform = CVM_PLATFORM_SNP;
	fake.kinds = 1U << CVM_KIND_SNP_REPORT;
	fake.max_evidence = 8192;
	ioctls = 0;
}

static int open_cvm(struct cvm_ctx **ctx, const char *backend)
{
	struct cvm_open_opts opts = { .size = sizeof(opts), .backend = backend, .root = tap_dir };

	return cvm_open(ctx, &opts, &error);
}

static struct cvm_ctx *opened(void)
{
	struct cvm_ctx *ctx;

	if (open_cvm(&ctx, NULL)) {
		printf("Bail out! %s\n", error.text);
		exit(1);
	}
	return ctx;
}

static int ask(struct cvm_report_opts *opts)
{
	uint8_t data[CVM_REPORT_DATA_LEN] = "a nonce";
	struct cvm_evidence *evidence;
	struct cvm_ctx *ctx = opened();
	int rc = cvm_report(ctx, data, opts, &evidence, &error);

	cvm_evidence_free(evidence);
	cvm_close(ctx);
	return rc;
}

static void test_open(void)
{
	struct cvm_status status = { .size = sizeof(status) };
	struct cvm_ctx *ctx;

	reset();
	fake.channel = CVM_CHANNEL_PARKED;
	fake.kinds |= 1U << 30;
	ctx = opened();
	check(!cvm_status(ctx, &status, &error) && status.tee == CVM_TEE_SNP &&
	      status.health == CVM_HEALTH_PARKED && status.max_requests == MAX_REQUESTS &&
	      status.types == 1U << CVM_EVIDENCE_SNP_REPORT && !strcmp(status.backend, "cvm"),
	      "what the driver says, without a kind that is newer than we are");
	fake.channel = CVM_CHANNEL_DEAD;
	check(!cvm_status(ctx, &status, &error) && status.health == CVM_HEALTH_DEAD,
	      "the channel's state is that of this moment");
	status.size = 8;
	check_is(cvm_status(ctx, &status, &error), -EINVAL, "a status struct that is too short");
	cvm_close(ctx);
	fake.open_errno = EACCES;
	check_is(open_cvm(&ctx, NULL), -EACCES, "a node that is not for us is an error");
	check(!ctx, "and there is no context then");
	check_says(error.text, NODE, "says which");
	fake.open_errno = ENXIO;
	check_is(open_cvm(&ctx, "cvm"), -ENODEV, "a node without a driver is no source");
	reset();
	fake.info_errno = ENOTTY;
	check_is(open_cvm(&ctx, NULL), -ENOTTY, "a node that is not the driver's");
}

static void test_options(void)
{
	struct cvm_report_opts opts = { .size = sizeof(opts) };
	struct cvm_evidence *evidence;
	uint8_t data[CVM_REPORT_DATA_LEN] = "a nonce";
	struct cvm_ctx *ctx;
	const char *certs;
	size_t len;

	reset();
	check(!ask(NULL) && !last.flags && !last.certs && !last_array.timeout_ms,
	      "nothing that was not asked for");
	opts.flags = CVM_REQUEST_CERTS | CVM_REQUEST_VMPL;
	opts.vmpl = 3;
	opts.signing_key = CVM_SIGNING_KEY_VLEK;
	opts.timeout_ms = 1234;
	ctx = opened();
	check_is(cvm_report(ctx, data, &opts, &evidence, &error), 0, "everything asked for");
	check(last.flags == (CVM_REQ_CERTS | CVM_REQ_VMPL) && last.vmpl == 3 &&
	      last.key_sel == CVM_KEY_VLEK, "arrives at the driver");
	check(last_array.timeout_ms > 1000 && last_array.timeout_ms <= 1234, "with the deadline");
	cvm_close(ctx);
	certs = cvm_evidence_certs(evidence, &len);
	check(certs && len == sizeof(CERTS) && !strcmp(certs, CERTS) &&
	      cvm_evidence_type(evidence) == CVM_EVIDENCE_SNP_REPORT,
	      "the certificates come back, and outlive the context");
	cvm_evidence_free(evidence);
}

static void test_errors(void)
{
	static const struct {
		int rc;
		const char *says;
	} results[] = {
		{ -ENOKEY, "restart" }, { -ETIMEDOUT, "deadline" }, { -EBUSY, "later" },
		{ -EBADMSG, "malformed" }, { -EOPNOTSUPP, "no such" },
	};
	struct cvm_report_opts certs = { .size = sizeof(certs), .flags = CVM_REQUEST_CERTS };

	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		reset();
		fake.issue_errno = -results[i].rc;
		check_is(ask(NULL), results[i].rc, strerror(-results[i].rc));
		check_says(error.text, results[i].says, "says what to do");
	}
	reset();
	fake.overflow = true;
	check_is(ask(&certs), -EBADMSG, "a length that is more than the buffer");
	reset();
	fake.truncated = true;
	check_is(ask(NULL), -EBADMSG, "a report that is one byte short");
	reset();
	fake.foreign = 1;
	check_is(ask(NULL), -EBADMSG, "a report with other REPORT_DATA");
}

#define MANY	100

static struct cvm_request many[MANY];

static long ask_many(void)
{
	struct cvm_ctx *ctx = opened();
	long rc;

	memset(many, 0, sizeof(many));
	for (int i = 0; i < MANY; i++) {
		many[i].size = sizeof(many[i]);
		many[i].type = CVM_EVIDENCE_SNP_REPORT;
		many[i].report_data[0] = (uint8_t)i;
	}
	ioctls = 0;
	rc = cvm_issue(ctx, many, MANY, 0, &error);
	cvm_close(ctx);
	return rc;
}

/* How many have the evidence that they asked for; all of it is freed. */
static int own(void)
{
	int count = 0;

	for (int i = 0; i < MANY; i++) {
		const uint8_t *data = NULL;
		size_t len;

		if (many[i].evidence)
			data = cvm_evidence_data(many[i].evidence, &len);
		count += data && !many[i].result && data[0x50] == i;
		cvm_evidence_free(many[i].evidence);
	}
	return count;
}

static void test_many(void)
{
	reset();
	check_is(ask_many(), MANY, "many requests at once");
	check_is(ioctls, (MANY + MAX_REQUESTS - 1) / MAX_REQUESTS, "in as few ioctls as there can be");
	check_is(own(), MANY, "each has its own");
	reset();
	fake.result = -EIO;
	fake.platform_status = 0x16;
	check_is(ask_many(), MANY / 2, "half of them fail");
	check(many[1].result == -EIO && !many[1].evidence, "those have their error and no evidence");
	check_is(own(), MANY / 2, "the others have theirs");
	check(error.platform_status == 0x16, "the first failure's status");
	check_says(error.text, "invalid parameter", "and what it means");
	reset();
	fake.issue_errno = EINTR;
	fake.result = -EINTR;
	check_is(ask_many(), MANY / 2, "a signal costs only what was not answered");
	check_is(own(), MANY / 2, "the others have theirs");
}

static int ask_to_extend(uint32_t index)
{
	uint8_t digest[CVM_RTMR_LEN] = "a digest";
	struct cvm_ctx *ctx = opened();
	int rc = cvm_rtmr_extend(ctx, index, digest, &error);

	cvm_close(ctx);
	return rc;
}

static void test_rtmrs(void)
{
	static const struct {
		int err, rc;
		const char *says;
	} results[] = {
		{ ENOTTY, -EOPNOTSUPP, "no RTMRs" }, { EOPNOTSUPP, -EOPNOTSUPP, "no RTMRs" },
		{ EBUSY, -EBUSY, "later" }, { EIO, -EIO, "refused" },
	};

	reset();
	check(!ask_to_extend(2) && last_extend.size == sizeof(last_extend) &&
	      last_extend.index == 2 && !last_extend.flags && !last_extend.timeout_ms &&
	      !memcmp(last_extend.digest, "a digest", 9), "an RTMR is extended");
	ioctls = 0;
	check(ask_to_extend(4) == -EINVAL && ioctls == 2, "one that there is not: not asked for");
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		fake.extend_errno = results[i].err;
		check_is(ask_to_extend(0), results[i].rc, strerror(results[i].err));
		check_says(error.text, results[i].says, "says what it means");
	}
	reset();
	fake.read_only = true;
	check_is(ask(NULL), 0, "a node that is ours to read alone: evidence");
	check_is(ask_to_extend(0), -EACCES, "and no more");
	check_says(error.text, "not open for writing", "says why");
}

int main(void)
{
	tap_make_dir();
	tap_write(tap_path(NODE), "", 0);
	test_open();
	test_options();
	test_errors();
	test_many();
	test_rtmrs();
	return tap_end();
}
