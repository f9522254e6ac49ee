/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an answer of the host means: pure functions of bytes that are already
 * in private memory, so that a test in user space compiles the same file.
 */
#ifndef CVM_SNP_ANSWER_H
#define CVM_SNP_ANSWER_H

#include "snp_wire.h"

enum {
	/* answers before a message is given up; see cvm_snp_judge() */
	CVM_SNP_MAX_FW_ERRORS	= 8,
	CVM_SNP_MAX_GHCB_ERRORS	= 8,

	CVM_SNP_BACKOFF_MIN_MS	= 20,
	CVM_SNP_BACKOFF_MAX_MS	= 250,
	/* where each try that fails makes the kernel log it */
	CVM_SNP_LOUD_TRIES	= 4,
	CVM_SNP_LOUD_MAX_MS	= 8000,
};

/**
 * enum cvm_snp_verdict - what to do with the message in hand
 * @CVM_SNP_ANSWERED: a response is there; open it
 * @CVM_SNP_LATER: the host throttles: the same message again after a pause
 * @CVM_SNP_AGAIN: it did not get through: the same message after a pause
 * @CVM_SNP_PLAIN: the same message now, as a plain request
 * @CVM_SNP_GROW: the same message now, with the pages that the host named
 * @CVM_SNP_HOPELESS: no honest platform answers so: retire the key
 */
enum cvm_snp_verdict {
	CVM_SNP_ANSWERED,
	CVM_SNP_LATER,
	CVM_SNP_AGAIN,
	CVM_SNP_PLAIN,
	CVM_SNP_GROW,
	CVM_SNP_HOPELESS,
};

/**
 * struct cvm_snp_call - one message handed to the host once
 * @extended: in: a certificate table is asked for; out: by the form that was
 *	answered
 * @certs: in: shared pages for it, linear mapping
 * @pages: in: how many; out, where they were too few: how many the host wants
 * @result: out: 0, a negative errno, or a positive GHCB failure
 * @info: out: SW_EXITINFO2
 * @asked: out: when the host was asked, the last time; ktime_get_ns()
 * @blocked: out: the host was busy for as long as the layer itself repeats
 */
struct cvm_snp_call {
	bool extended;
	void *certs;
	__u32 pages;
	int result;
	__u64 info;
	__u64 asked;
	bool blocked;
};

/**
 * struct cvm_snp_tally - what has been tried with one message
 * @fw_errors: firmware-level errors so far
 * @ghcb_errors: failures of the exit itself so far
 * @pauses: pauses so far
 * @grown: the host has had its wish for pages
 */
struct cvm_snp_tally {
	unsigned int fw_errors;
	unsigned int ghcb_errors;
	unsigned int pauses;
	bool grown;
};

/* @offered: pages that the call offered, before the host overwrote them */
enum cvm_snp_verdict cvm_snp_judge(struct cvm_snp_tally *tally,
				   const struct cvm_snp_call *call, __u32 offered);

/* milliseconds to wait before try number @pauses + 1; @random: any number */
unsigned int cvm_snp_backoff(unsigned int pauses, __u32 random);

void cvm_snp_hdr_make(struct cvm_snp_hdr *hdr, __u64 seqno, unsigned int vmpck,
		      __u8 type, __u8 version, __u16 size);

/* 0 or -EBADMSG: is this, before decryption, the answer to @req? */
int cvm_snp_hdr_check(const struct cvm_snp_hdr *req, const struct cvm_snp_hdr *rsp,
		      size_t room);

/*
 * 0: *@report points into @rsp and is what @req asked for. -EIO: the firmware
 * refused, *@status says why. -EBADMSG: neither.
 */
int cvm_snp_report_check(const struct cvm_snp_report_req *req, const void *rsp,
			 size_t len, const struct cvm_snp_report **report,
			 __u32 *status);

/* likewise: *@key points into @rsp */
int cvm_snp_key_check(const void *rsp, size_t len, const __u8 **key,
		      __u32 *status);

/* bytes of the certificate table in @table, 0 if there is none */
size_t cvm_snp_certs_len(const void *table, size_t size);

#endif /* CVM_SNP_ANSWER_H */
