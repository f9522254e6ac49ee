/* SPDX-License-Identifier: MIT */
/*
 * The report that Azure's paravisor (HCL, OpenHCL) keeps in the vTPM: a header,
 * an SNP report or TDREPORT, and runtime claims as JSON, whose hash the hardware
 * report carries. Header and padding are signed by nobody. Fields are named as
 * in openvmm's igvm_attest protocol.
 */
#ifndef CVM_HCL_H
#define CVM_HCL_H

#include "format.h"

#define CVM_HCL_SIGNATURE	"HCLA"
#define CVM_HCL_HEADER_SIZE	0x20
#define CVM_HCL_HW_SIZE		0x4a0	/* room for the hardware report */
#define CVM_HCL_TYPE		0x4c8	/* where report_type is */
#define CVM_HCL_CLAIMS		0x4d4	/* where the claims begin */

/* report_type */
enum cvm_hcl_report_type {
	CVM_HCL_INVALID = 0,
	CVM_HCL_VBS = 1,
	CVM_HCL_SNP = 2,
	CVM_HCL_TVM = 3,
	CVM_HCL_TDX = 4,
	CVM_HCL_CCA = 5,
};

/* hash_type */
enum cvm_hcl_hash_type {
	CVM_HCL_SHA256 = 1,
	CVM_HCL_SHA384 = 2,
	CVM_HCL_SHA512 = 3,
};

/**
 * struct cvm_hcl_report - an HCL report taken apart
 * @version: 1 or 2; both are in use
 * @report_size: as the header says; what it counts has changed, so that it is
 *	shown and not used
 * @hw_report: the SNP report or the TDREPORT; empty for other types
 * @claims: the JSON text, the very bytes that are hashed
 */
struct cvm_hcl_report {
	uint32_t version;
	uint32_t report_size;
	uint32_t request_type;
	uint32_t status;
	uint32_t data_size;
	uint32_t data_version;
	uint32_t report_type;		/* enum cvm_hcl_report_type */
	uint32_t hash_type;		/* enum cvm_hcl_hash_type */
	struct cvm_span hw_report;
	struct cvm_span claims;
};

int cvm_hcl_parse(const void *data, size_t len, struct cvm_hcl_report *r,
		  struct cvm_format_error *err);

/* "snp", "tdx" and so on; "unknown" */
const char *cvm_hcl_type_name(uint32_t report_type);

#endif /* CVM_HCL_H */
