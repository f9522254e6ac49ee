/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The HCL report of an Azure guest: a header, the hardware's report, and claims
 * in JSON, whose SHA-256 that report has as REPORT_DATA. One of the claims is
 * the 64 bytes that it was asked for with.
 */
#ifndef CVM_AZURE_REPORT_H
#define CVM_AZURE_REPORT_H

#include <linux/types.h>

#define CVM_HCL_HARDWARE	0x20	/* where the hardware's report is */
#define CVM_HCL_RUNTIME_DATA	0x4c0
#define CVM_HCL_CLAIMS		0x4d4
#define CVM_HCL_SNP_DATA	(CVM_HCL_HARDWARE + 0x50)	/* REPORT_DATA */
#define CVM_HCL_TDX_DATA	(CVM_HCL_HARDWARE + 0x80)
#define CVM_HCL_DATA_SIZE	64
#define CVM_HCL_HASH_SIZE	32

#define CVM_HCL_SNP		2	/* report_type */
#define CVM_HCL_TDX		4

/**
 * struct cvm_hcl - what of an HCL report tells whether it is the wanted one
 * @report_data: the hardware report's
 * @claims: the text, in the report
 * @claims_len: bytes
 */
struct cvm_hcl {
	const __u8 *report_data;
	const char *claims;
	__u32 claims_len;
};

/* 0, or -EBADMSG: @len bytes that are no HCL report of this @type */
int cvm_hcl_parse(const __u8 *report, __u32 len, __u32 type, struct cvm_hcl *hcl);

/* is @hash, of the claims, what the hardware's report has? */
int cvm_hcl_is_bound(const struct cvm_hcl *hcl, const __u8 hash[CVM_HCL_HASH_SIZE]);

/*
 * The claim "user-data", decoded: 0; -ENODATA: there is none; -EBADMSG: it is
 * there more than once or not 64 bytes in hexadecimal digits, or the claims are
 * not one JSON object.
 */
int cvm_hcl_user_data(const struct cvm_hcl *hcl, __u8 data[CVM_HCL_DATA_SIZE]);

#endif /* CVM_AZURE_REPORT_H */
