/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of /dev/cvm/report share: requests, and what they must get,
 * on whatever platform the machine is.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/cvm_guest.h>

#define REPORT_NODE	"/dev/cvm/report"
#define REPORT_STATS	"/sys/class/misc/cvm_report/stats/"
#define REPORT_CHANNEL	"/sys/class/misc/cvm_report/channel/"
#define REPORT_MAX	(128 * 1024)

/* the node; -1 with errno */
int report_open(void);
int report_info(int fd, struct cvm_info *info);

/* kinds of @info into @kinds; returns how many */
unsigned int report_kinds(const struct cvm_info *info, __u32 kinds[4]);
/* the kind that takes the firmware's time on this platform */
__u32 report_slow_kind(const struct cvm_info *info);

/* a request for @kind with REPORT_DATA made of @seed */
void report_request(struct cvm_evidence_req *req, __u32 kind, __u64 seed,
		    void *buf, __u32 len);
/* CVM_ISSUE; 0 or a negative errno */
int report_issue(int fd, struct cvm_evidence_req *reqs, __u32 count,
		 __u32 timeout_ms, __u32 *done);

/* is it evidence of @kind for that REPORT_DATA? */
bool report_carries(__u32 kind, const void *evidence, size_t len,
		    const __u8 report_data[CVM_REPORT_DATA_SIZE]);
/* is the evidence of @req of its kind and for its REPORT_DATA? */
bool report_matches(const struct cvm_evidence_req *req);

/* a number in a sysfs file; -1: there is none */
long long report_stat(const char *name);
long long report_channel(const char *name);

/* tells the simulated platform KEY=VALUE; false: this is no simulated one */
bool report_sim(const char *line);
/* how long the firmware takes for each request from now on */
bool report_sim_ms(const struct cvm_info *info, const char *ms);

unsigned long long report_now_us(void);

#endif /* REPORT_H */
