/* SPDX-License-Identifier: MIT */
/*
 * The SEV-SNP attestation report: "SEV Secure Nested Paging Firmware ABI
 * Specification" (AMD publication 56860), ATTESTATION_REPORT in the section on
 * MSG_REPORT_REQ. Fields are named as there.
 */
#ifndef CVM_SNP_REPORT_H
#define CVM_SNP_REPORT_H

#include "format.h"

#define CVM_SNP_REPORT_SIZE		0x4a0
#define CVM_SNP_REPORT_SIGNED		0x2a0	/* the signature covers what is before it */
#define CVM_SNP_REPORT_VERSION_MIN	2
#define CVM_SNP_REPORT_VERSION_MAX	5

#define CVM_SNP_ECDSA_P384_SHA384	1	/* SIGNATURE_ALGO */

/* VMPL of a report that the host asked for, not the guest (MSG_REPORT_REQ) */
#define CVM_SNP_VMPL_HOST		0xffffffff

enum cvm_snp_product {
	CVM_SNP_PRODUCT_UNKNOWN = 0,
	CVM_SNP_MILAN,
	CVM_SNP_GENOA,
	CVM_SNP_TURIN,
};

enum cvm_snp_signing_key {
	CVM_SNP_SIGNED_VCEK = 0,
	CVM_SNP_SIGNED_VLEK = 1,
	CVM_SNP_SIGNED_NONE = 7,
};

/* POLICY, section on the guest policy; bit 17 is always set */
#define CVM_SNP_POLICY_ABI_MINOR(policy)	((uint8_t)(policy))
#define CVM_SNP_POLICY_ABI_MAJOR(policy)	((uint8_t)((policy) >> 8))
#define CVM_SNP_POLICY_SMT			(1ULL << 16)
#define CVM_SNP_POLICY_MIGRATE_MA		(1ULL << 18)
#define CVM_SNP_POLICY_DEBUG			(1ULL << 19)
#define CVM_SNP_POLICY_SINGLE_SOCKET		(1ULL << 20)
#define CVM_SNP_POLICY_CXL_ALLOW		(1ULL << 21)
#define CVM_SNP_POLICY_MEM_AES_256_XTS		(1ULL << 22)
#define CVM_SNP_POLICY_RAPL_DIS			(1ULL << 23)
#define CVM_SNP_POLICY_CIPHERTEXT_HIDING_DRAM	(1ULL << 24)
#define CVM_SNP_POLICY_PAGE_SWAP_DISABLE	(1ULL << 25)
#define CVM_SNP_POLICY_KNOWN			0x3ffffffULL	/* bits 25:0 */

/* PLATFORM_INFO */
#define CVM_SNP_PLATFORM_SMT_EN				(1ULL << 0)
#define CVM_SNP_PLATFORM_TSME_EN			(1ULL << 1)
#define CVM_SNP_PLATFORM_ECC_EN				(1ULL << 2)
#define CVM_SNP_PLATFORM_RAPL_DIS			(1ULL << 3)
#define CVM_SNP_PLATFORM_CIPHERTEXT_HIDING_DRAM_EN	(1ULL << 4)
#define CVM_SNP_PLATFORM_ALIAS_CHECK_COMPLETE		(1ULL << 5)
#define CVM_SNP_PLATFORM_TIO_EN				(1ULL << 7)
#define CVM_SNP_PLATFORM_KNOWN				0xbfULL	/* bits 7, 5:0 */

/* A TCB_VERSION taken apart; has_fmc is false where the product has no FMC. */
struct cvm_snp_tcb {
	bool has_fmc;
	uint8_t fmc;
	uint8_t boot_loader;
	uint8_t tee;
	uint8_t snp;
	uint8_t microcode;
};

struct cvm_snp_fw_version {
	uint8_t major;
	uint8_t minor;
	uint8_t build;
};

/**
 * struct cvm_snp_report - ATTESTATION_REPORT
 * @product: from the CPUID fields; unknown before version 3
 * @author_key_en: bit 0 of the word at 0x48
 * @mask_chip_key: bit 1: CHIP_ID is zero and the signature field too, where
 *	the VCEK would have signed
 * @signing_key: bits 4:2, enum cvm_snp_signing_key
 * @has_cpuid: version 3 and later: the cpuid fields mean something
 * @has_mit_vectors: version 5 and later: the mitigation vectors do
 * @signature_r: little-endian, as all of it
 * @signature_end_zero: the reserved end of SIGNATURE, which nobody signs, is zero
 *
 * Reserved fields are not looked at: each new version gave some of them a
 * meaning, and they are signed. Not so the end of SIGNATURE.
 */
struct cvm_snp_report {
	uint32_t version;
	enum cvm_snp_product product;
	uint32_t guest_svn;
	uint64_t policy;
	uint8_t family_id[16];
	uint8_t image_id[16];
	uint32_t vmpl;
	uint32_t signature_algo;
	uint64_t current_tcb;
	uint64_t platform_info;
	bool author_key_en;
	bool mask_chip_key;
	uint8_t signing_key;
	uint8_t report_data[64];
	uint8_t measurement[48];
	uint8_t host_data[32];
	uint8_t id_key_digest[48];
	uint8_t author_key_digest[48];
	uint8_t report_id[32];
	uint8_t report_id_ma[32];
	uint64_t reported_tcb;
	bool has_cpuid;
	uint8_t cpuid_fam_id;
	uint8_t cpuid_mod_id;
	uint8_t cpuid_step;
	uint8_t chip_id[64];
	uint64_t committed_tcb;
	struct cvm_snp_fw_version current;
	struct cvm_snp_fw_version committed;
	uint64_t launch_tcb;
	bool has_mit_vectors;
	uint64_t launch_mit_vector;
	uint64_t current_mit_vector;
	uint8_t signature_r[72];
	uint8_t signature_s[72];
	bool signature_end_zero;
};

/* @data must be the report and nothing else. */
int cvm_snp_report_parse(const void *data, size_t len,
			 struct cvm_snp_report *r, struct cvm_format_error *err);

/* CPUID's combined family and model to the product line whose keys sign */
enum cvm_snp_product cvm_snp_product_from_cpuid(uint8_t family, uint8_t model);

/* "Milan", "Genoa", "Turin", or "unknown" */
const char *cvm_snp_product_name(enum cvm_snp_product product);

/* -EPROTONOSUPPORT where the product, and so the layout, is not known */
int cvm_snp_tcb_parse(enum cvm_snp_product product, uint64_t raw,
		      struct cvm_snp_tcb *tcb);

/* Every component of @a is that of @b */
bool cvm_snp_tcb_equal(const struct cvm_snp_tcb *a, const struct cvm_snp_tcb *b);

#endif /* CVM_SNP_REPORT_H */
