// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls of /dev/cvm/report against callers that get them wrong. A call
 * that fails changes nothing: no request is made, no byte is written.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "report.h"

#define LONGER	40	/* bytes more than this ABI's structs have */

/* structs from a future with more fields than the driver knows */
struct long_issue {
	struct cvm_issue known;
	unsigned char rest[LONGER];
};

struct long_req {
	struct cvm_evidence_req known;
	unsigned char rest[LONGER];
};

FIXTURE(node) {
	int fd;
	struct cvm_info info;
	struct long_issue issue;
	struct long_req req;
	unsigned char *evidence;
};

FIXTURE_SETUP(node)
{
	self->fd = report_open();
	if (self->fd < 0 && errno == ENOENT)
		SKIP(return, "no " REPORT_NODE);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, report_info(self->fd, &self->info));
	self->evidence = malloc(REPORT_MAX);
	ASSERT_NE(NULL, self->evidence);
	report_request(&self->req.known, report_slow_kind(&self->info), 1,
		       self->evidence, REPORT_MAX);
	self->issue.known.size = sizeof(struct cvm_issue);
	self->issue.known.request_size = sizeof(struct cvm_evidence_req);
	self->issue.known.count = 1;
	self->issue.known.requests = (__u64)(unsigned long)&self->req;
}

FIXTURE_TEARDOWN(node)
{
	free(self->evidence);
	close(self->fd);
}

static int issue(int fd, struct long_issue *what)
{
	return ioctl(fd, CVM_ISSUE, what) ? -errno : 0;
}

TEST_F(node, good)
{
	ASSERT_EQ(0, issue(self->fd, &self->issue));
	EXPECT_EQ(1, self->issue.known.done);
	EXPECT_EQ(0, self->req.known.result);
	EXPECT_TRUE(report_matches(&self->req.known));
}

TEST_F(node, info)
{
	const struct cvm_info *info = &self->info;

	EXPECT_EQ(sizeof(*info), info->size);
	EXPECT_EQ(CVM_ABI_VERSION, info->abi_version);
	EXPECT_TRUE(info->platform == CVM_PLATFORM_SNP ||
		    info->platform == CVM_PLATFORM_TDX);
	EXPECT_EQ(CVM_CHANNEL_READY, info->channel);
	EXPECT_NE(0, info->kinds & (1U << report_slow_kind(info)));
	EXPECT_LE(1, info->max_requests);
	EXPECT_LE(1184, info->max_evidence);
	EXPECT_LE(1, info->default_timeout_ms);
	EXPECT_LE(info->default_timeout_ms, info->max_timeout_ms);
	EXPECT_LE(1, info->max_inflight);
	EXPECT_EQ(0, info->scope | info->max_leaves | info->reserved);
	EXPECT_LE(sizeof(struct cvm_record) + info->max_evidence +
		  info->max_certs, info->max_record);
}

TEST_F(node, info_sizes)
{
	struct {
		struct cvm_info info;
		unsigned char beyond[64];
	} longer;
	unsigned int i;

	memset(&longer, 0xcc, sizeof(longer));
	longer.info.size = sizeof(longer);
	ASSERT_EQ(0, ioctl(self->fd, CVM_INFO, &longer));
	EXPECT_EQ(sizeof(struct cvm_info), longer.info.size);
	for (i = 0; i < sizeof(longer.beyond); i++)
		ASSERT_EQ(0xcc, longer.beyond[i]);

	longer.info.size = sizeof(struct cvm_info) - 1;
	EXPECT_EQ(-1, ioctl(self->fd, CVM_INFO, &longer));
	EXPECT_EQ(EINVAL, errno);
	longer.info.size = getpagesize() + 1;
	EXPECT_EQ(-1, ioctl(self->fd, CVM_INFO, &longer));
	EXPECT_EQ(E2BIG, errno);
	EXPECT_EQ(-1, ioctl(self->fd, CVM_INFO, NULL));
	EXPECT_EQ(EFAULT, errno);
}

#define ISSUE(field, value)						\
	{ #field "=" #value, offsetof(struct long_issue, known.field),	\
	  sizeof(((struct cvm_issue *)0)->field), value, true }
#define REQ(field, value)						\
	{ "request." #field "=" #value,					\
	  offsetof(struct long_req, known.field),			\
	  sizeof(((struct cvm_evidence_req *)0)->field), value, false }

static const struct malformed {
	struct {
		const char *name;
		size_t at;
		size_t len;
		unsigned long long value;
		bool head;
	} field;
	int error;
} malformed[] = {
	{ ISSUE(size, 0), EINVAL },
	{ ISSUE(size, sizeof(struct cvm_issue) - 1), EINVAL },
	{ ISSUE(size, 4097), E2BIG },
	{ ISSUE(size, 0xffffffff), E2BIG },
	{ ISSUE(request_size, 0), EINVAL },
	{ ISSUE(request_size, sizeof(struct cvm_evidence_req) - 1), EINVAL },
	{ ISSUE(request_size, 4097), E2BIG },
	{ ISSUE(request_size, 0xffffffff), E2BIG },
	{ ISSUE(count, 0), EINVAL },
	{ ISSUE(count, 4096), E2BIG },
	{ ISSUE(count, 0x80000000), E2BIG },
	{ ISSUE(count, 0xffffffff), E2BIG },
	{ ISSUE(flags, 1), EINVAL },
	{ ISSUE(flags, 0x80000000), EINVAL },
	{ ISSUE(requests, 0), EFAULT },
	{ ISSUE(requests, 1), EFAULT },
	{ ISSUE(requests, 0x7ffffffff000ULL), EFAULT },
	{ ISSUE(requests, 0xffff888000000000ULL), EFAULT },
	{ ISSUE(requests, 0xfffffffffffffff8ULL), EFAULT },
	{ REQ(kind, 0), EINVAL },
	{ REQ(kind, CVM_KIND_TDX_QUOTE + 1), EINVAL },
	{ REQ(kind, 32), EINVAL },
	{ REQ(kind, 0xffffffff), EINVAL },
	{ REQ(flags, CVM_REQ_ALL + 1), EINVAL },
	{ REQ(flags, 0x80000000), EINVAL },
	{ REQ(key_sel, CVM_KEY_VLEK + 1), EINVAL },
	{ REQ(key_sel, 0xffffffff), EINVAL },
	{ REQ(vmpl, 1), EINVAL },
	{ REQ(proof_len, 1), EINVAL },
	{ REQ(cookie, 0x80000000), EINVAL },
	{ REQ(certs_len, 4096), EINVAL },
	{ REQ(certs, 4096), EINVAL },
};

TEST_F(node, malformed)
{
	const struct long_issue good_issue = self->issue;
	const struct long_req good_req = self->req;
	long long requests = report_stat("requests");
	long long issued = report_stat("issued");
	struct long_issue bad_issue;
	struct long_req bad_req;
	unsigned int i;
	char *target;

	ASSERT_LE(0, requests);
	for (i = 0; i < ARRAY_SIZE(malformed); i++) {
		const struct malformed *bad = &malformed[i];

		self->issue = good_issue;
		self->req = good_req;
		target = bad->field.head ? (char *)&self->issue :
					   (char *)&self->req;
		memcpy(target + bad->field.at, &bad->field.value,
		       bad->field.len);
		bad_issue = self->issue;
		bad_req = self->req;
		EXPECT_EQ(-bad->error, issue(self->fd, &self->issue)) {
			TH_LOG("%s", bad->field.name);
		}
		EXPECT_EQ(0, memcmp(&bad_issue, &self->issue,
				    sizeof(bad_issue)));
		EXPECT_EQ(0, memcmp(&bad_req, &self->req, sizeof(bad_req)));
	}
	EXPECT_EQ(requests, report_stat("requests"));
	EXPECT_EQ(issued, report_stat("issued"));
}

TEST_F(node, unknown_ioctl)
{
	EXPECT_EQ(-1, ioctl(self->fd, _IO(CVM_IOC_MAGIC, 0x7f), &self->issue));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_EQ(-1, ioctl(self->fd, CVM_ISSUE, NULL));
	EXPECT_EQ(EFAULT, errno);
}

TEST_F(node, longer_structs)
{
	self->issue.known.size = sizeof(self->issue);
	self->issue.known.request_size = sizeof(self->req);
	EXPECT_EQ(0, issue(self->fd, &self->issue));
	EXPECT_EQ(0, self->req.known.result);

	self->issue.rest[LONGER - 1] = 1;
	EXPECT_EQ(-E2BIG, issue(self->fd, &self->issue));
	self->issue.rest[LONGER - 1] = 0;
	self->req.rest[0] = 1;
	EXPECT_EQ(-E2BIG, issue(self->fd, &self->issue));
}

/* the second request lies where nothing is: nor is the first one asked */
TEST_F(node, array_half_there)
{
	long long issued = report_stat("issued");
	size_t page = getpagesize();
	struct cvm_evidence_req *reqs;
	char *map;

	map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, munmap(map + page, page));
	reqs = (void *)(map + page - sizeof(*reqs));
	*reqs = self->req.known;
	self->issue.known.count = 2;
	self->issue.known.requests = (__u64)(unsigned long)reqs;
	EXPECT_EQ(-EFAULT, issue(self->fd, &self->issue));
	EXPECT_EQ(0, memcmp(reqs, &self->req.known, sizeof(*reqs)));
	EXPECT_EQ(issued, report_stat("issued"));
	munmap(map, page);
}

TEST_F(node, array_read_only)
{
	size_t page = getpagesize();
	struct cvm_evidence_req *req;

	req = mmap(NULL, page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)req);
	*req = self->req.known;
	ASSERT_EQ(0, mprotect(req, page, PROT_READ));
	self->issue.known.requests = (__u64)(unsigned long)req;
	EXPECT_EQ(-EFAULT, issue(self->fd, &self->issue));
	munmap(req, page);
}

TEST_F(node, buffers)
{
	struct cvm_evidence_req *req = &self->req.known;
	__u32 need;

	memset(self->evidence, 0xcc, REPORT_MAX);
	req->evidence_len = 0;
	ASSERT_EQ(0, issue(self->fd, &self->issue));
	EXPECT_EQ(0, self->issue.known.done);
	EXPECT_EQ(-ENOBUFS, req->result);
	need = req->evidence_len;
	EXPECT_LT(0, need);
	EXPECT_LE(need, self->info.max_evidence);
	EXPECT_EQ(0xcc, self->evidence[0]);

	req->evidence = 8;
	req->evidence_len = REPORT_MAX;
	ASSERT_EQ(0, issue(self->fd, &self->issue));
	EXPECT_EQ(-EFAULT, req->result);

	req->evidence = (__u64)(unsigned long)self->evidence;
	req->evidence_len = REPORT_MAX;
	ASSERT_EQ(0, issue(self->fd, &self->issue));
	EXPECT_EQ(0, req->result);
	EXPECT_TRUE(report_matches(req));
	EXPECT_EQ(0xcc, self->evidence[req->evidence_len]);
}

/* what is wrong with one request alone is that request's result */
TEST_F(node, refused_requests)
{
	struct cvm_evidence_req reqs[4];
	__u32 other = self->info.platform == CVM_PLATFORM_SNP ?
			CVM_KIND_TDX_QUOTE : CVM_KIND_SNP_REPORT;
	__u32 done;

	reqs[0] = self->req.known;
	memcpy(reqs[0].report_data, CVM_RESERVED_TAG, CVM_RESERVED_TAG_SIZE);
	reqs[1] = self->req.known;
	reqs[2] = self->req.known;
	reqs[2].kind = other;
	reqs[3] = self->req.known;
	reqs[3].flags = CVM_REQ_VMPL;
	reqs[3].vmpl = 4;
	ASSERT_EQ(0, report_issue(self->fd, reqs, 4, 0, &done));
	EXPECT_EQ(1, done);
	EXPECT_EQ(-EINVAL, reqs[0].result);
	EXPECT_EQ(0, reqs[0].evidence_len);
	EXPECT_EQ(0, reqs[1].result);
	EXPECT_TRUE(report_matches(&reqs[1]));
	EXPECT_EQ(-EOPNOTSUPP, reqs[2].result);
	EXPECT_EQ(-EINVAL, reqs[3].result);
}

TEST_F(node, mode)
{
	struct stat st;

	ASSERT_EQ(0, stat(REPORT_NODE, &st));
	EXPECT_EQ(S_IFCHR | 0600, st.st_mode);
	EXPECT_EQ(0, st.st_uid);
}

TEST_HARNESS_MAIN
