// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/sha.h>

#include "crowd.h"
#include "merkle.h"
#include "sha384.h"

#define GROUPS		"/sys/fs/cgroup"
#define SEAM		"/sys/kernel/cvm_platform_sim/seam"
#define KIND_BITS	8

/* what merkle.c of the driver is built on, here */
void cvm_sha384(const void *data, size_t len, __u8 *hash)
{
	SHA384(data, len, hash);
}

int crowd_open(bool batch)
{
	return open(batch ? CROWD_NODE : REPORT_NODE,
		    O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

bool crowd_info(struct cvm_info *info)
{
	int fd = crowd_open(true);
	bool there = fd >= 0 && !report_info(fd, info);

	if (fd >= 0)
		close(fd);
	return there;
}

__u64 crowd_cookie(__u32 kind)
{
	static atomic_ullong next;

	/* the process, too: children go on with their parent's counter */
	return (__u64)getpid() << 40 |
	       (atomic_fetch_add(&next, 1) & 0xffffffff) << KIND_BITS | kind;
}

__u32 crowd_kind(__u64 cookie)
{
	return cookie & ((1U << KIND_BITS) - 1);
}

void crowd_data(__u64 cookie, __u8 data[CVM_REPORT_DATA_SIZE])
{
	unsigned int i;

	for (i = 0; i < CVM_REPORT_DATA_SIZE; i++) {
		cookie = cookie * 6364136223846793005ULL + 1442695040888963407ULL;
		data[i] = cookie >> 56;
	}
	/* never the reserved tag */
	data[0] |= 0x80;
}

void crowd_request(struct cvm_evidence_req *req, __u64 cookie)
{
	memset(req, 0, sizeof(*req));
	req->kind = crowd_kind(cookie);
	req->cookie = cookie;
	crowd_data(cookie, req->report_data);
}

int crowd_submit(int fd, struct cvm_evidence_req *reqs, __u32 count,
		 __u32 timeout_ms, __u32 *accepted)
{
	struct cvm_issue issue = {
		.size = sizeof(issue),
		.request_size = sizeof(*reqs),
		.count = count,
		.timeout_ms = timeout_ms,
		.requests = (__u64)(unsigned long)reqs,
	};
	int ret = ioctl(fd, CVM_SUBMIT, &issue) ? -errno : 0;

	*accepted = ret ? 0 : issue.done;
	return ret;
}

int crowd_ask(int fd, __u64 cookie, __u32 timeout_ms)
{
	struct cvm_evidence_req req;
	__u32 accepted;
	int ret;

	crowd_request(&req, cookie);
	ret = crowd_submit(fd, &req, 1, timeout_ms, &accepted);
	return ret ? ret : req.result;
}

/* SNP or TDX: which evidence a batch has */
static __u32 batch_evidence(void)
{
	static __u32 kind;
	struct cvm_info info;

	if (!kind && crowd_info(&info))
		kind = report_slow_kind(&info);
	return kind;
}

bool crowd_verifies(const struct crowd_answer *a)
{
	__u8 data[CVM_REPORT_DATA_SIZE], r64[CVM_REPORT_DATA_SIZE];
	__u8 scope[CVM_SCOPE_SIZE];

	crowd_data(a->cookie, data);
	if (crowd_kind(a->cookie) != CVM_KIND_BATCH)
		return !a->proof_len &&
		       report_carries(crowd_kind(a->cookie), a->evidence,
				      a->evidence_len, data);
	return !cvm_merkle_expected(data, a->proof, a->proof_len, r64, NULL,
				    scope) &&
	       report_carries(batch_evidence(), a->evidence, a->evidence_len,
			      r64);
}

int crowd_scope(const struct crowd_answer *a)
{
	__u8 data[CVM_REPORT_DATA_SIZE], r64[CVM_REPORT_DATA_SIZE];
	__u8 scope[CVM_SCOPE_SIZE];

	crowd_data(a->cookie, data);
	if (cvm_merkle_expected(data, a->proof, a->proof_len, r64, NULL, scope))
		return -1;
	return scope[0];
}

bool crowd_record_verifies(const struct cvm_record *record)
{
	const unsigned char *data = (const unsigned char *)record +
				    record->data_offset;
	struct crowd_answer answer = {
		.cookie = record->cookie,
		.evidence = data,
		.evidence_len = record->evidence_len,
		.proof = data + record->evidence_len + record->certs_len,
		.proof_len = record->proof_len,
	};

	return record->kind == crowd_kind(record->cookie) &&
	       crowd_verifies(&answer);
}

bool crowd_clean(const void *p, size_t len)
{
	static const __u8 poison[8] = { 0x6b, 0x6b, 0x6b, 0x6b,
					0x6b, 0x6b, 0x6b, 0x6b };

	return !memmem(p, len, poison, sizeof(poison));
}

bool crowd_record(const void *p, size_t len, const struct cvm_record **record)
{
	const struct cvm_record *r = p;

	*record = NULL;
	if (!len)
		return true;
	if (len < sizeof(*r) || r->size > len || r->size % 8 || r->reserved ||
	    r->data_offset < sizeof(*r) ||
	    (__u64)r->data_offset + r->evidence_len + r->certs_len +
		    r->proof_len > r->size || !crowd_clean(p, r->size))
		return false;
	*record = r;
	return true;
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 &&
		    write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

bool crowd_group(const char *name)
{
	char path[128];

	if (access(GROUPS "/cgroup.procs", F_OK) &&
	    mount("none", GROUPS, "cgroup2", 0, NULL))
		return false;
	if (!write_file(GROUPS "/cgroup.subtree_control", "+memory"))
		return false;
	snprintf(path, sizeof(path), GROUPS "/%s", name);
	return !mkdir(path, 0755) || errno == EEXIST;
}

bool crowd_enter(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), GROUPS "/%s/cgroup.procs", name);
	return write_file(path, "0");
}

bool crowd_users(void)
{
	return access(GROUPS "/cgroup.procs", F_OK) || crowd_enter("");
}

/* the number after "@what" and @separator in a file of lines */
static long long figure(const char *path, const char *what, char separator)
{
	FILE *file = fopen(path, "re");
	size_t len = strlen(what);
	long long value = -1;
	char line[512];

	while (file && value < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, what, len) && line[len] == separator)
			value = strtoll(line + len + 1, NULL, 10);
	if (file)
		fclose(file);
	return value;
}

long long crowd_memory(const char *name, const char *what)
{
	char path[128];

	snprintf(path, sizeof(path), GROUPS "/%s/memory.stat", name);
	return figure(path, what, ' ');
}

long long crowd_seam(const char *what)
{
	return figure(SEAM, what, '=');
}

void crowd_seam_clear(void)
{
	write_file(SEAM, "0");
}
