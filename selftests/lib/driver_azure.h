/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A driver on Azure that lives in the test's program: its open(), ioctl() and read. What it
 * gives are reports of a simulated paravisor, and of a batch, whose members may ask in any
 * order and number, the proofs.
 */
#ifndef LIB_DRIVER_AZURE_H
#define LIB_DRIVER_AZURE_H

#include <errno.h>
#include <fcntl.h>
#include <linux/cvm_guest.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "driver/merkle.h"
#include "lib/vtpm.h"
#include "vtpm_simulated.h"

#define MEMBERS		32

static int report_fd = -1, batch_fd = -1;
/* its other end: it has a byte for each record that may be read */
static int batch_end = -1;
static unsigned int asked;
static uint32_t driver_scope;
static enum { NO_LIE, OTHER_PROOF, OTHER_REPORT } lie;
static struct cvm_source paravisor;

/* the batch whose members may ask, in any order and number: its tree and its report */
static struct {
	struct cvm_leaf leaf[MEMBERS];
	uint8_t nodes[CVM_TREE_NODES(MEMBERS)][CVM_HASH_SIZE];
	struct cvm_merkle tree;
	uint8_t report[CVM_VTPM_REPORT_MAX];
	size_t len;
} batch;

/* submitted, and not read; the library has a thread that reads them */
static pthread_mutex_t pending_lock = PTHREAD_MUTEX_INITIALIZER;
static struct cvm_evidence_req pending[64 * MEMBERS];
static int waiting;
/* of what is submitted: how it ends */
static int32_t driver_result;
static uint32_t driver_platform = CVM_PLATFORM_AZURE_SNP;

static int64_t soon(void)
{
	return cvm_vtpm_clock_ms() + 10000;
}

static size_t ask_paravisor(const uint8_t data[64], uint8_t *report)
{
	struct cvm_hcl *hcl = calloc(1, sizeof(*hcl));
	struct cvm_error error = { 0 };
	struct cvm_vtpm vtpm;
	size_t len;

	if (cvm_vtpm_open(&vtpm, paravisor.vtpm, &error) ||
	    cvm_vtpm_report(&vtpm, data, true, soon(), hcl, &error)) {
		printf("Bail out! %s\n", error.text);
		exit(1);
	}
	cvm_vtpm_close(&vtpm);
	len = hcl->len;
	memcpy(report, hcl->data, len);
	cvm_hcl_done(hcl);
	free(hcl);
	return len;
}

static void new_batch(void)
{
	uint8_t r64[64];

	batch.tree = (struct cvm_merkle){ .nodes = batch.nodes, .size = MEMBERS };
	for (int i = 0; i < MEMBERS; i++) {
		struct cvm_leaf *leaf = &batch.leaf[i];

		if (getrandom(leaf, sizeof(*leaf), 0) != sizeof(*leaf))
			exit(1);
		/* never the reserved tag */
		leaf->user_data[0] = 0x80;
		cvm_scope_plain(leaf->scope, CVM_SCOPE_UNPRIVILEGED);
		cvm_merkle_leaf(batch.nodes[i], leaf);
	}
	cvm_merkle_build(&batch.tree);
	cvm_merkle_r64(&batch.tree, r64);
	batch.len = ask_paravisor(r64, batch.report);
}

static size_t prove(const uint8_t *user_data, uint8_t *proof)
{
	for (uint32_t i = 0; i < MEMBERS; i++)
		if (!memcmp(batch.leaf[i].user_data, user_data, 64))
			return cvm_merkle_proof(&batch.tree, i, &batch.leaf[i], proof);
	return 0;
}

static int info(struct cvm_info *info, bool is_batch)
{
	*info = (struct cvm_info) {
		.size = sizeof(*info), .abi_version = CVM_ABI_VERSION,
		.platform = driver_platform,
		.kinds = 1U << (is_batch ? CVM_KIND_BATCH : CVM_KIND_HCL_REPORT),
		.max_requests = MEMBERS, .max_evidence = 4096, .max_record = 8192,
		.default_timeout_ms = 10000, .max_leaves = is_batch ? 1024 : 0,
		.scope = is_batch ? driver_scope : 0,
	};
	return 0;
}

static void answer(struct cvm_evidence_req *req)
{
	void *report = (void *)(uintptr_t)req->evidence;

	if (req->kind == CVM_KIND_BATCH) {
		memcpy(report, batch.report, batch.len);
		req->evidence_len = (uint32_t)batch.len;
		req->proof_len = (uint32_t)prove(req->user_data, (void *)(uintptr_t)req->proof);
		((uint8_t *)(uintptr_t)req->proof)[req->proof_len - 1] ^= lie == OTHER_PROOF;
		if (lie == OTHER_REPORT)
			req->evidence_len = (uint32_t)ask_paravisor(req->user_data, report);
	} else {
		req->evidence_len = (uint32_t)ask_paravisor(req->report_data, report);
	}
	req->result = 0;
}

static int issue(struct cvm_issue *array, bool wait)
{
	struct cvm_evidence_req *reqs = (void *)(uintptr_t)array->requests;

	asked += array->count;
	for (uint32_t i = 0; wait && i < array->count; i++)
		answer(&reqs[i]);
	pthread_mutex_lock(&pending_lock);
	for (uint32_t i = 0; !wait && i < array->count; i++) {
		pending[waiting] = reqs[i];
		pending[waiting++].result = driver_result;
		if (write(batch_end, "", 1) != 1)
			exit(1);
	}
	pthread_mutex_unlock(&pending_lock);
	return 0;
}

static int cancel(struct cvm_cancel *cancel)
{
	pthread_mutex_lock(&pending_lock);
	cancel->cancelled = 0;
	for (int i = 0; i < waiting; i++)
		if (pending[i].cookie == cancel->cookie) {
			pending[i].result = -ECANCELED;
			cancel->cancelled++;
		}
	pthread_mutex_unlock(&pending_lock);
	return 0;
}

/* Submitted, and not read yet */
__attribute__((unused))
static int unread(void)
{
	int count;

	pthread_mutex_lock(&pending_lock);
	count = waiting;
	pthread_mutex_unlock(&pending_lock);
	return count;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_ioctl(int fd, unsigned long command, void *arg);
int __wrap_ioctl(int fd, unsigned long command, void *arg);
ssize_t __wrap_preadv2(int fd, const struct iovec *iov, int count, off_t offset, int flags);

/* any of its files is as good as another one */
int __wrap_open(const char *path, int flags, ...)
{
	bool is_batch = strstr(path, "/dev/cvm/batch");

	if (is_batch)
		return dup(batch_fd);
	return strstr(path, "/dev/cvm/report") ? dup(report_fd) : __real_open(path, flags, 0600);
}

static bool is_of(int fd, int node)
{
	struct stat a, b;

	return !fstat(fd, &a) && !fstat(node, &b) && a.st_ino == b.st_ino;
}

int __wrap_ioctl(int fd, unsigned long command, void *arg)
{
	errno = ENOTTY;
	if (command == CVM_INFO)
		errno = info(arg, is_of(fd, batch_fd));
	else if (command == CVM_ISSUE || command == CVM_SUBMIT)
		errno = issue(arg, command == CVM_ISSUE);
	else if (command == CVM_CANCEL)
		errno = cancel(arg);
	return errno ? -1 : 0;
}

static size_t record(const struct cvm_evidence_req *req, uint8_t *to)
{
	struct cvm_record head = {
		.data_offset = sizeof(head), .kind = req->kind, .cookie = req->cookie,
		.result = req->result,
	};

	if (!req->result) {
		head.evidence_len = (uint32_t)batch.len;
		memcpy(to + sizeof(head), batch.report, batch.len);
		head.proof_len = (uint32_t)prove(req->user_data, to + sizeof(head) + batch.len);
	}
	head.size = (uint32_t)(sizeof(head) + head.evidence_len + head.proof_len + 7) & ~7U;
	memcpy(to, &head, sizeof(head));
	return head.size;
}

ssize_t __wrap_preadv2(int fd, const struct iovec *iov, int count, off_t offset, int flags)
{
	ssize_t len = -1;
	char byte;

	if (is_of(fd, batch_fd)) {
		pthread_mutex_lock(&pending_lock);
		if (waiting && read(batch_fd, &byte, 1) == 1)
			len = (ssize_t)record(&pending[--waiting], iov->iov_base);
		pthread_mutex_unlock(&pending_lock);
	}
	errno = EAGAIN;
	return len;
}

/* two files that can be waited for, and told apart */
static void make_nodes(void)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		exit(1);
	report_fd = ends[0];
	if (pipe2(ends, O_CLOEXEC))
		exit(1);
	batch_fd = ends[0];
	batch_end = ends[1];
}

#endif /* LIB_DRIVER_AZURE_H */
