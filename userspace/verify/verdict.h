/* SPDX-License-Identifier: MIT */
/* A list of named checks in the making, and what was learnt on the way. */
#ifndef CVM_VERIFY_VERDICT_H
#define CVM_VERIFY_VERDICT_H

#include <cvmguest.h>

#include "../formats/quote.h"
#include "../formats/snp_report.h"
#include "boot_log.h"
#include "hcl_claims.h"

#define CVM_VERDICT_MAX		128	/* checks */
#define CVM_VERDICT_TEXT	32768	/* bytes for all reasons */
#define CVM_REASON_SIZE		640	/* of one */
#define CVM_ADVISORIES_SIZE	2048

enum cvm_outcome {
	CVM_PASS,
	CVM_FAIL,
	CVM_BREAK,	/* failed: a rule of the policy, which says nothing of authenticity */
	CVM_SKIP,	/* not checked, and nobody needs it */
	CVM_MISS,	/* not checked, and nothing is verified without it */
};

enum cvm_fact_kind { CVM_FACT_NONE, CVM_FACT_SNP, CVM_FACT_TDX };

/* enum cvm_tcb_status: tcb_status of TCB info and QE identity, by weight */
enum cvm_tcb_status {
	CVM_TCB_UNKNOWN = 0,
	CVM_TCB_UP_TO_DATE,
	CVM_TCB_SW_HARDENING_NEEDED,
	CVM_TCB_CONFIGURATION_NEEDED,
	CVM_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED,
	CVM_TCB_TD_RELAUNCH_ADVISED,
	CVM_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
	CVM_TCB_OUT_OF_DATE,
	CVM_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
	CVM_TCB_REVOKED,
	CVM_TCB_STATUSES,
};

/**
 * struct cvm_facts - what evidence says, for rules, proofs and new policies
 * @kind: which of the following mean something
 * @report_data: the 64 bytes that it is bound to, whatever the binding
 * @snp: SNP
 * @product: SNP: of the certificate
 * @csp_id: SNP, VLEK: whom it was issued to
 * @body: TDX
 * @shows_service_tds: TDX: the body is of TDX 1.5 and has MRSERVICETD
 * @fmspc: TDX: kind of platform, of the PCK certificate
 * @tcb_status: TDX, with collateral: of the level that the platform meets
 * @tcb_evaluation: TDX, with collateral: the lower tcbEvaluationDataNumber
 * @advisories: TDX: of that level, with blanks between
 * @issued: the oldest issue date of TCB info, QE identity and lists by a CA that were
 *	used; 0: none
 * @root_crl_issued: likewise, of lists by a root
 * @has_pcrs: Azure: the vTPM's quote holds, and is of these values
 * @pcrs: from PCR 0 on
 * @pcr_mask: Azure: bit i: PCR i is in the quote
 * @has_reset_count: Azure: the vTPM's quote holds
 * @reset_count: of it
 * @config: Azure: what claims that hold say of the VM
 * @boot_fault: Azure: why the event log cannot be read, or ""
 * @boot: Azure: what the event log leads to; nothing of it has happened but by
 * @boot_pcrs: by bits: PCRs of the quote, with events, whose values are those of @boot
 */
struct cvm_facts {
	enum cvm_fact_kind kind;
	uint8_t report_data[CVM_REPORT_DATA_LEN];
	struct cvm_snp_report snp;
	enum cvm_snp_product product;
	char csp_id[128];
	struct cvm_td_body body;
	bool shows_service_tds;
	uint8_t fmspc[6];
	enum cvm_tcb_status tcb_status;
	uint32_t tcb_evaluation;
	char advisories[CVM_ADVISORIES_SIZE];
	int64_t issued, root_crl_issued;
	bool has_pcrs;
	uint8_t pcrs[24][32];
	uint32_t pcr_mask;
	bool has_reset_count;
	uint32_t reset_count;
	struct cvm_hcl_config config;
	char boot_fault[256];
	struct cvm_boot_log boot;
	uint32_t boot_pcrs;
};

struct cvm_policy;

/**
 * struct cvm_verdict - the checks, and what cvm_verdict_proof() needs
 * @count: checks made
 * @signed_by_root: signature and chain hold
 * @failed: a check did that is not a rule of the policy
 * @broken: a rule of the policy is
 * @missing: a check was not made that is required
 * @policy: shared, or NULL
 * @batch: CVM_VERIFY_BATCH
 * @binding: enum cvm_binding
 * @manifest: CVM_BINDING_SVSM: a copy
 * @tpm_data: Azure: extraData of the vTPM's quote
 * @used: bytes of @text
 */
struct cvm_verdict {
	size_t count;
	bool signed_by_root;
	bool failed;
	bool broken;
	bool missing;
	struct cvm_facts facts;
	struct cvm_policy *policy;
	bool batch;
	uint32_t binding;
	void *manifest;
	size_t manifest_len;
	uint8_t tpm_data[64];
	size_t tpm_data_len;
	size_t used;
	struct cvm_check check[CVM_VERDICT_MAX];
	char text[CVM_VERDICT_TEXT];
};

struct cvm_verdict *cvm_verdict_new(void);

/*
 * @name must live as long as the verdict, as a literal does. Returns true for
 * CVM_PASS.
 */
__attribute__((format(printf, 4, 5)))
bool cvm_verdict_add(struct cvm_verdict *v, const char *name, enum cvm_outcome outcome,
		     const char *format, ...);

#define cvm_pass(v, name, ...)	cvm_verdict_add(v, name, CVM_PASS, __VA_ARGS__)
#define cvm_fail(v, name, ...)	cvm_verdict_add(v, name, CVM_FAIL, __VA_ARGS__)
#define cvm_skip(v, name, ...)	cvm_verdict_add(v, name, CVM_SKIP, __VA_ARGS__)
#define cvm_miss(v, name, ...)	cvm_verdict_add(v, name, CVM_MISS, __VA_ARGS__)

/* Ends a verdict at evidence that cannot be parsed; returns -EBADMSG. */
int cvm_fail_format(struct cvm_verdict *v, const struct cvm_format_error *err);

/* "UpToDate" and so on, as the vendor writes them; "unknown" */
const char *cvm_tcb_status_name(enum cvm_tcb_status status);
enum cvm_tcb_status cvm_tcb_status_of(const char *name);

#endif /* CVM_VERIFY_VERDICT_H */
