// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "report.h"

#define SIM_CONTROL	"/sys/kernel/cvm_platform_sim/control"

int report_open(void)
{
	return open(REPORT_NODE, O_RDWR | O_CLOEXEC);
}

int report_info(int fd, struct cvm_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return ioctl(fd, CVM_INFO, info) ? -errno : 0;
}

unsigned int report_kinds(const struct cvm_info *info, __u32 kinds[4])
{
	unsigned int n = 0;
	__u32 kind;

	for (kind = 1; kind <= CVM_KIND_TDX_QUOTE; kind++)
		if (info->kinds & (1U << kind))
			kinds[n++] = kind;
	if (info->kinds & (1U << CVM_KIND_HCL_REPORT))
		kinds[n++] = CVM_KIND_HCL_REPORT;
	return n;
}

__u32 report_slow_kind(const struct cvm_info *info)
{
	switch (info->platform) {
	case CVM_PLATFORM_TDX:
		return CVM_KIND_TDX_QUOTE;
	case CVM_PLATFORM_AZURE_SNP:
	case CVM_PLATFORM_AZURE_TDX:
		return CVM_KIND_HCL_REPORT;
	default:
		return CVM_KIND_SNP_REPORT;
	}
}

void report_request(struct cvm_evidence_req *req, __u32 kind, __u64 seed,
		    void *buf, __u32 len)
{
	unsigned int i;

	memset(req, 0, sizeof(*req));
	req->kind = kind;
	req->evidence = (__u64)(unsigned long)buf;
	req->evidence_len = len;
	req->result = 1;
	for (i = 0; i < CVM_REPORT_DATA_SIZE; i++) {
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		req->report_data[i] = seed >> 56;
	}
}

int report_issue(int fd, struct cvm_evidence_req *reqs, __u32 count,
		 __u32 timeout_ms, __u32 *done)
{
	struct cvm_issue issue = {
		.size = sizeof(issue),
		.request_size = sizeof(*reqs),
		.count = count,
		.timeout_ms = timeout_ms,
		.requests = (__u64)(unsigned long)reqs,
	};
	int ret = ioctl(fd, CVM_ISSUE, &issue) ? -errno : 0;

	if (done)
		*done = issue.done;
	return ret;
}

static unsigned int u16(const unsigned char *p)
{
	return p[0] | p[1] << 8;
}

/* where REPORT_DATA is; 0: this is no evidence of that kind */
static size_t report_data_at(__u32 kind, const unsigned char *p, size_t len)
{
	switch (kind) {
	case CVM_KIND_SNP_REPORT:
		return len == 1184 && p[0] >= 2 && p[0] <= 5 ? 0x50 : 0;
	case CVM_KIND_TDREPORT:
		return len == 1024 && p[0] == 0x81 ? 128 : 0;
	case CVM_KIND_TDX_QUOTE:
		if (len < 48 + 6 + 648 || p[4] != 0x81)
			return 0;
		return u16(p) == 4 ? 48 + 520 : u16(p) == 5 ? 54 + 520 : 0;
	}
	return 0;
}

/* in the claims of an HCL report, in digits of either case */
static bool hcl_carries(const char *p, size_t len, const __u8 report_data[CVM_REPORT_DATA_SIZE])
{
	static const char name[] = "\"user-data\":\"";
	char hex[2 * CVM_REPORT_DATA_SIZE + 1];
	const char *at;
	int i;

	for (i = 0; i < CVM_REPORT_DATA_SIZE; i++)
		sprintf(hex + 2 * i, "%02x", report_data[i]);
	if (len < 2048 || memcmp(p, "HCLA", 4))
		return false;
	at = memmem(p, len, name, sizeof(name) - 1);
	return at && !strncasecmp(at + sizeof(name) - 1, hex, sizeof(hex) - 1);
}

bool report_carries(__u32 kind, const void *evidence, size_t len,
		    const __u8 report_data[CVM_REPORT_DATA_SIZE])
{
	size_t at = report_data_at(kind, evidence, len);

	if (kind == CVM_KIND_HCL_REPORT)
		return hcl_carries(evidence, len, report_data);
	return at && !memcmp((const unsigned char *)evidence + at, report_data,
			     CVM_REPORT_DATA_SIZE);
}

bool report_matches(const struct cvm_evidence_req *req)
{
	return report_carries(req->kind, (void *)(unsigned long)req->evidence,
			      req->evidence_len, req->report_data);
}

/* the number in a file of that directory of sysfs; -1: there is none */
static long long number(const char *directory, const char *name)
{
	char path[128];
	long long value = -1;
	FILE *file;

	snprintf(path, sizeof(path), "%s%s", directory, name);
	file = fopen(path, "re");
	if (!file)
		return -1;
	if (fscanf(file, "%lld", &value) != 1)
		value = -1;
	fclose(file);
	return value;
}

long long report_stat(const char *name)
{
	return number(REPORT_STATS, name);
}

long long report_channel(const char *name)
{
	return number(REPORT_CHANNEL, name);
}

bool report_sim(const char *line)
{
	int fd = open(SIM_CONTROL, O_WRONLY | O_CLOEXEC);
	bool good;

	if (fd < 0)
		return false;
	good = write(fd, line, strlen(line)) == (ssize_t)strlen(line);
	close(fd);
	if (!good) {
		printf("# the simulated platform refused %s\n", line);
		exit(1);
	}
	return true;
}

bool report_sim_ms(const struct cvm_info *info, const char *ms)
{
	char line[64];

	snprintf(line, sizeof(line), "%s_ms=%s",
		 info->platform == CVM_PLATFORM_TDX ? "quote" : "report", ms);
	return report_sim(line);
}

unsigned long long report_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}
