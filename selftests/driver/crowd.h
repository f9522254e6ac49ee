/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Many clients in few threads: submitted requests, whose cookie says what they
 * are about, so that whoever reads a record can tell whether it is right.
 */
#ifndef CROWD_H
#define CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/cvm_guest.h>

#include "report.h"

#define CROWD_NODE	"/dev/cvm/batch"

/* non-blocking; -1 with errno */
int crowd_open(bool batch);
/* what the batch node says of itself; false: there is none */
bool crowd_info(struct cvm_info *info);

/* the kind of request in a cookie, and another of that kind every time */
__u64 crowd_cookie(__u32 kind);
__u32 crowd_kind(__u64 cookie);
/* the user data, or REPORT_DATA, of that cookie */
void crowd_data(__u64 cookie, __u8 data[CVM_REPORT_DATA_SIZE]);

/* a request about @cookie, without buffers */
void crowd_request(struct cvm_evidence_req *req, __u64 cookie);
/* CVM_SUBMIT of @count requests; 0 or a negative errno */
int crowd_submit(int fd, struct cvm_evidence_req *reqs, __u32 count,
		 __u32 timeout_ms, __u32 *accepted);
/* submits one about @cookie; 0 or a negative errno */
int crowd_ask(int fd, __u64 cookie, __u32 timeout_ms);

/**
 * struct crowd_answer - evidence, from wherever it came
 * @cookie: what it must be about
 * @evidence: and its length
 * @evidence_len: bytes
 * @proof: of a batch
 * @proof_len: bytes
 */
struct crowd_answer {
	__u64 cookie;
	const void *evidence;
	size_t evidence_len;
	const void *proof;
	size_t proof_len;
};

/* as a relying party does, but for the signature */
bool crowd_verifies(const struct crowd_answer *answer);
/* the same of a whole record with a result of 0 */
bool crowd_record_verifies(const struct cvm_record *record);
/* for whom its proof speaks, enum cvm_scope; -1: it has none, or a wrong one */
int crowd_scope(const struct crowd_answer *answer);

/* nothing of a kernel that fills the memory it frees (slub_debug=P) is in there */
bool crowd_clean(const void *p, size_t len);
/* the first record of @len bytes at @p, or NULL; false: it is malformed */
bool crowd_record(const void *p, size_t len, const struct cvm_record **record);

/* a group of its own for memory and fairness; false: not on this machine */
bool crowd_group(const char *name);
/* the process of the caller goes there; "": back to the root */
bool crowd_enter(const char *name);
/*
 * Goes to the root cgroup, where each user is an owner; elsewhere, as in a service, all users
 * are one. false: not allowed
 */
bool crowd_users(void);
/* a figure of the group's memory.stat in bytes; -1: there is none */
long long crowd_memory(const char *name, const char *what);

/* the simulated platform's seam since it was last cleared; -1: there is none */
long long crowd_seam(const char *what);
void crowd_seam_clear(void);

#endif /* CROWD_H */
