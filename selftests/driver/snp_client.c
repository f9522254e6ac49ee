// SPDX-License-Identifier: GPL-2.0
/*
 * Asks /dev/cvm/report, or the in-tree /dev/sev-guest, and prints what came of
 * it as KEY=VALUE: for the scripts beside it, which run in a VM.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <linux/cvm_guest.h>
#include <linux/sev-guest.h>

#define REPORT_LEN	1184
#define REPORT_DATA_AT	0x50
#define REPORT_VMPL_AT	0x30
#define CERTS_ROOM	(128 * 1024)
#define MAX_COUNT	128

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static int fail(const char *what)
{
	printf("error=%s errno=%d\n", what, errno);
	return 1;
}

static int info(void)
{
	struct cvm_info info = { .size = sizeof(info) };
	int fd = open("/dev/cvm/report", O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, CVM_INFO, &info))
		return fail("info");
	printf("channel=%u vmpl=%u kinds=%u max_certs=%u max_inflight=%u\n",
	       info.channel, info.vmpl, info.kinds, info.max_certs, info.max_inflight);
	return 0;
}

struct options {
	uint32_t count, timeout_ms, flags, vmpl, key_sel;
};

static int parse(int argc, char **argv, struct options *o)
{
	int c;

	*o = (struct options){ .count = 1, .timeout_ms = 10000 };
	while ((c = getopt(argc, argv, "n:t:cv:k:")) != -1) {
		switch (c) {
		case 'n': o->count = strtoul(optarg, NULL, 0); break;
		case 't': o->timeout_ms = strtoul(optarg, NULL, 0); break;
		case 'c': o->flags |= CVM_REQ_CERTS; break;
		case 'v':
			o->vmpl = strtoul(optarg, NULL, 0);
			o->flags |= CVM_REQ_VMPL;
			break;
		case 'k': o->key_sel = strtoul(optarg, NULL, 0); break;
		default: return 1;
		}
	}
	return o->count < 1 || o->count > MAX_COUNT;
}

static uint8_t evidence[MAX_COUNT][REPORT_LEN];
static uint8_t certs[CERTS_ROOM];
static struct cvm_evidence_req requests[MAX_COUNT];

static void fill(const struct options *o)
{
	uint32_t i;

	for (i = 0; i < o->count; i++) {
		struct cvm_evidence_req *r = &requests[i];

		r->kind = CVM_KIND_SNP_REPORT;
		r->flags = o->flags;
		r->vmpl = o->vmpl;
		r->key_sel = o->key_sel;
		r->result = 12345;
		r->evidence = (uintptr_t)evidence[i];
		r->evidence_len = REPORT_LEN;
		if (o->flags & CVM_REQ_CERTS) {
			r->certs = (uintptr_t)certs;
			r->certs_len = sizeof(certs);
		}
		if (getrandom(r->report_data, sizeof(r->report_data), 0) !=
		    sizeof(r->report_data))
			abort();
	}
}

static bool own(uint32_t i)
{
	uint32_t vmpl;

	memcpy(&vmpl, evidence[i] + REPORT_VMPL_AT, sizeof(vmpl));
	if ((requests[i].flags & CVM_REQ_VMPL) && vmpl != requests[i].vmpl)
		return false;
	return !memcmp(evidence[i] + REPORT_DATA_AT, requests[i].report_data,
		       sizeof(requests[i].report_data));
}

static int report(int argc, char **argv)
{
	struct cvm_issue issue = { .size = sizeof(issue), .request_size = sizeof(requests[0]) };
	struct options o;
	long long start;
	uint32_t i;
	int fd, ret;

	if (parse(argc, argv, &o))
		return 2;
	fd = open("/dev/cvm/report", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return fail("open");
	fill(&o);
	issue.count = o.count;
	issue.timeout_ms = o.timeout_ms;
	issue.requests = (uintptr_t)requests;
	start = now_ms();
	ret = ioctl(fd, CVM_ISSUE, &issue);
	if (ret)
		return fail("issue");
	for (i = 0; i < o.count; i++) {
		struct cvm_evidence_req *r = &requests[i];

		printf("result=%d status=%#llx evidence=%u certs=%u own=%d ms=%lld\n",
		       r->result, (unsigned long long)r->platform_status, r->evidence_len,
		       r->certs_len, r->result ? 0 : own(i), now_ms() - start);
	}
	return 0;
}

static int intree(void)
{
	/* VMPL 3: every VMPCK may ask for it */
	struct snp_report_req req = { .vmpl = 3 };
	struct snp_report_resp rsp = { 0 };
	struct snp_guest_request_ioctl arg = {
		.msg_version = 1,
		.req_data = (uintptr_t)&req,
		.resp_data = (uintptr_t)&rsp,
	};
	int fd = open("/dev/sev-guest", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return fail("open");
	if (getrandom(req.user_data, sizeof(req.user_data), 0) != sizeof(req.user_data))
		abort();
	if (ioctl(fd, SNP_GET_REPORT, &arg))
		return fail("report");
	printf("own=%d\n", !memcmp(rsp.data + 32 + REPORT_DATA_AT, req.user_data,
				   sizeof(req.user_data)));
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "info"))
		return info();
	if (!strcmp(what, "report"))
		return report(argc - 1, argv + 1);
	if (!strcmp(what, "intree"))
		return intree();
	fprintf(stderr, "usage: snp_client info | intree | report [-n COUNT] [-t MS] [-c] [-v VMPL] [-k KEY]\n");
	return 2;
}
