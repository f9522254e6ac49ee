/* SPDX-License-Identifier: MIT */
/*
 * Evidence and what came along with it, in one file. What agents of Azure's guests send
 * (confidential-containers, versions 0 to 2), what `cvmctl evidence` writes of any
 * platform, and conceptual message wrappers in JSON and CBOR. Nothing in it is believed:
 * it is taken apart for cvm_verify(), and what it must be bound to is not for it to say.
 * Members that are not known are passed over.
 */
#ifndef CVM_VERIFY_EVIDENCE_FILE_H
#define CVM_VERIFY_EVIDENCE_FILE_H

#include <stdbool.h>

#include "../formats/event_log.h"
#include "tpm_file.h"

/* the longest of each; what a driver or a host gives is shorter */
#define CVM_FILE_REPORT_MAX	(32U << 10)
#define CVM_FILE_CERTS_MAX	(128U << 10)
#define CVM_FILE_LOG_MAX	CVM_EVENT_LOG_MAX

/**
 * struct cvm_blob - bytes
 * @data: owned, or NULL
 * @len: how many
 */
struct cvm_blob {
	uint8_t *data;
	size_t len;
};

/**
 * struct cvm_evidence_file - evidence, for cvm_evidence_file_free()
 * @type: enum cvm_evidence_type
 * @report: SNP report, quote or HCL report
 * @certs: certificate table, or certificates as PEM or one as DER; or none
 * @td_quote: HCL report with a TDREPORT: the quote of that; or none
 * @has_tpm: HCL report: there is
 * @tpm: the quote of the vTPM
 * @proof: batch evidence: the proof; or none
 * @event_log: HCL report: what was measured into PCRs; or none
 */
struct cvm_evidence_file {
	uint32_t type;
	struct cvm_blob report, certs, td_quote, proof, event_log;
	bool has_tpm;
	struct cvm_tpm_file tpm;
};

/* 0; -EBADMSG: says where it is no such file; -ENOMEM. @file: stays where it is */
int cvm_evidence_file_parse(struct cvm_evidence_file *file, const void *data, size_t len,
			    struct cvm_error *error);
void cvm_evidence_file_free(struct cvm_evidence_file *file);

/* enum cvm_evidence_type of what is evidence by itself, by what is in it; 0: it is none */
uint32_t cvm_evidence_type_of(const void *data, size_t len);

/* "snp-report", "tdx-quote", "hcl-report", "tdreport"; "unknown" */
const char *cvm_evidence_type_name(uint32_t type);

#endif /* CVM_VERIFY_EVIDENCE_FILE_H */
