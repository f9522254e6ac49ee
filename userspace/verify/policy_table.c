// SPDX-License-Identifier: MIT
/*
 * Every rule there is. Names of fields and bits are those of the specifications,
 * as cvmctl show prints them.
 */
#include "policy.h"

static const char *const bindings[] = { "report", "svsm", "azure", "azure-tpm", NULL };
static const char *const products[] = { "Milan", "Genoa", "Turin", NULL };
static const char *const signing_keys[] = { "vcek", "vlek", NULL };
/* in the order of enum cvm_tcb_status, from CVM_TCB_UP_TO_DATE; never Revoked */
static const char *const statuses[] = {
	"UpToDate", "SWHardeningNeeded", "ConfigurationNeeded",
	"ConfigurationAndSWHardeningNeeded", "TDRelaunchAdvised",
	"TDRelaunchAdvisedConfigurationNeeded", "OutOfDate", "OutOfDateConfigurationNeeded", NULL
};

/* claims about the VM, by the paravisor that a measurement vouches for */
static const char *const sealing[CVM_SEALING_WORDS + 1] = { "none", "hash", "signer", NULL };

#define DIGESTS(rule, path, len, absent, help) \
	[CVM_RULE_##rule] = { path, CVM_RULE_DIGESTS, CVM_ABSENT_##absent, len, NULL, help }
#define FLAG(rule, path, absent, help) \
	[CVM_RULE_##rule] = { path, CVM_RULE_FLAG, CVM_ABSENT_##absent, 0, NULL, help }
#define OTHER(rule, path, type, absent, words, help) \
	[CVM_RULE_##rule] = { path, CVM_RULE_##type, CVM_ABSENT_##absent, 0, words, help }

const struct cvm_rule_info cvm_rule_infos[CVM_RULES] = {
	OTHER(BINDING, "binding", WORD, ALLOWS, bindings,
	      "how evidence is bound to what was asked for; report where absent"),
	OTHER(BATCH_SCOPES, "batch.scopes", SCOPES, NONE, NULL,
	      "for whom proofs of batch evidence may speak; none, and so no batch, where absent"),
	OTHER(COLLATERAL_MAX_AGE, "collateral.max_age", MAX, ALLOWS, NULL,
	      "seconds since TCB info, QE identity and the list of PCK certificates were issued; SNP has none"),
	OTHER(COLLATERAL_MAX_ROOT_CRL_AGE, "collateral.max_root_crl_age", MAX, ALLOWS, NULL,
	      "seconds since lists by a root were issued, which Intel renews once a year; SNP has no other"),

	OTHER(SNP_PRODUCT, "snp.product", WORDS, REFUSES, products, "the processor"),
	OTHER(SNP_SIGNING_KEY, "snp.signing_key", WORDS, REFUSES, signing_keys,
	      "the chip's own key, or the cloud provider's"),
	OTHER(SNP_CSP_ID, "snp.csp_id", TEXTS, NONE, NULL,
	      "the cloud provider whose VLEK may sign"),
	DIGESTS(SNP_MEASUREMENT, "snp.measurement", 48, REFUSES, "the launch measurement"),
	DIGESTS(SNP_HOST_DATA, "snp.host_data", 32, ZERO, "what the host gave at launch"),
	DIGESTS(SNP_ID_KEY_DIGEST, "snp.id_key_digest", 48, ZERO, "who signed the ID block"),
	DIGESTS(SNP_AUTHOR_KEY_DIGEST, "snp.author_key_digest", 48, ZERO,
		"who certified the ID key"),
	DIGESTS(SNP_FAMILY_ID, "snp.family_id", 16, ZERO, "of the ID block"),
	DIGESTS(SNP_IMAGE_ID, "snp.image_id", 16, ZERO, "of the ID block"),
	OTHER(SNP_GUEST_SVN, "snp.guest_svn", MIN, ALLOWS, NULL, "of the ID block"),
	OTHER(SNP_VMPL, "snp.vmpl", NUMBERS, REFUSES, NULL, "at which the report was asked for"),
	OTHER(SNP_TCB_REPORTED, "snp.tcb.reported", TCB, REFUSES, products,
	      "firmware and microcode that the signing key stands for"),
	OTHER(SNP_TCB_CURRENT, "snp.tcb.current", TCB, REFUSES, products,
	      "firmware and microcode that run"),
	OTHER(SNP_TCB_COMMITTED, "snp.tcb.committed", TCB, REFUSES, products,
	      "firmware below which the host cannot go back"),
	OTHER(SNP_TCB_LAUNCH, "snp.tcb.launch", TCB, REFUSES, products,
	      "firmware when the VM was launched or imported"),
	OTHER(SNP_LAUNCH_MIT_VECTOR, "snp.launch_mit_vector", MASK, ALLOWS, NULL,
	      "mitigations in force at launch; reports before version 5 have none"),
	OTHER(SNP_CURRENT_MIT_VECTOR, "snp.current_mit_vector", MASK, ALLOWS, NULL,
	      "mitigations in force now; reports before version 5 have none"),
	DIGESTS(SNP_CHIP_ID, "snp.chip_id", 64, ALLOWS, "the chip"),
	[CVM_RULE_SNP_DENIED_CHIP_ID] = { "snp.denied_chip_id", CVM_RULE_DENIED, CVM_ABSENT_ALLOWS,
		64, NULL, "chips that are refused, since no list revokes a VCEK" },
	FLAG(SNP_POLICY_DEBUG, "snp.policy.debug", CLEAR, "the host may read the VM's memory"),
	FLAG(SNP_POLICY_MIGRATE_MA, "snp.policy.migrate_ma", CLEAR,
	     "a migration agent may move the VM"),
	FLAG(SNP_POLICY_SMT, "snp.policy.smt", CLEAR, "the VM may run beside another's thread"),
	FLAG(SNP_POLICY_SINGLE_SOCKET, "snp.policy.single_socket", ALLOWS,
	     "the VM runs on one socket only"),
	FLAG(SNP_POLICY_CXL_ALLOW, "snp.policy.cxl_allow", CLEAR,
	     "CXL may hold the VM's memory or devices"),
	FLAG(SNP_POLICY_MEM_AES_256_XTS, "snp.policy.mem_aes_256_xts", ALLOWS,
	     "memory is encrypted with AES-256-XTS"),
	FLAG(SNP_POLICY_RAPL_DIS, "snp.policy.rapl_dis", ALLOWS, "power must not be measured"),
	FLAG(SNP_POLICY_CIPHERTEXT_HIDING_DRAM, "snp.policy.ciphertext_hiding_dram", ALLOWS,
	     "ciphertext must be hidden"),
	FLAG(SNP_POLICY_PAGE_SWAP_DISABLE, "snp.policy.page_swap_disable", ALLOWS,
	     "pages must not be moved or swapped"),
	FLAG(SNP_POLICY_UNKNOWN, "snp.policy.unknown_bits", CLEAR,
	     "bits that have no meaning known here"),
	FLAG(SNP_PLATFORM_SMT_EN, "snp.platform_info.smt_en", CLEAR, "the host has threads"),
	FLAG(SNP_PLATFORM_TSME_EN, "snp.platform_info.tsme_en", ALLOWS,
	     "all of the host's memory is encrypted"),
	FLAG(SNP_PLATFORM_ECC_EN, "snp.platform_info.ecc_en", ALLOWS, "memory has ECC"),
	FLAG(SNP_PLATFORM_RAPL_DIS, "snp.platform_info.rapl_dis", ALLOWS,
	     "power is not measured"),
	FLAG(SNP_PLATFORM_CIPHERTEXT_HIDING, "snp.platform_info.ciphertext_hiding_dram_en",
	     ALLOWS, "ciphertext is hidden"),
	FLAG(SNP_PLATFORM_ALIAS_CHECK, "snp.platform_info.alias_check_complete", SET,
	     "memory was looked at for aliases"),
	FLAG(SNP_PLATFORM_TIO_EN, "snp.platform_info.tio_en", CLEAR,
	     "devices may be made trusted"),
	FLAG(SNP_PLATFORM_UNKNOWN, "snp.platform_info.unknown_bits", CLEAR,
	     "bits that have no meaning known here"),

	DIGESTS(TDX_MRTD, "tdx.mrtd", 48, REFUSES, "the launch measurement"),
	DIGESTS(TDX_RTMR0, "tdx.rtmr0", 48, REFUSES, "firmware's configuration"),
	DIGESTS(TDX_RTMR1, "tdx.rtmr1", 48, REFUSES, "boot loader and kernel"),
	DIGESTS(TDX_RTMR2, "tdx.rtmr2", 48, REFUSES, "what the kernel was told, and the system"),
	DIGESTS(TDX_RTMR3, "tdx.rtmr3", 48, REFUSES, "applications'"),
	DIGESTS(TDX_MRCONFIGID, "tdx.mrconfigid", 48, ZERO, "what the host gave at launch"),
	DIGESTS(TDX_MROWNER, "tdx.mrowner", 48, ZERO, "what the host gave at launch"),
	DIGESTS(TDX_MROWNERCONFIG, "tdx.mrownerconfig", 48, ZERO, "what the host gave at launch"),
	DIGESTS(TDX_MRSERVICETD, "tdx.mrservicetd", 48, ZERO,
		"service TDs, such as one that migrates; only quotes of TDX 1.5 have it"),
	DIGESTS(TDX_MRSEAM, "tdx.mrseam", 48, ALLOWS, "the TDX module; TCB info judges it"),
	DIGESTS(TDX_FMSPC, "tdx.fmspc", 6, ALLOWS, "the kind of platform"),
	OTHER(TDX_TCB_STATUS, "tdx.tcb_status", WORDS, REFUSES, statuses,
	      "what Intel says of the platform's TCB level"),
	OTHER(TDX_ADVISORIES, "tdx.advisories", TEXTS, NONE, NULL,
	      "security advisories that may apply to that level"),
	OTHER(TDX_TCB_EVALUATION, "tdx.tcb_evaluation_data_number", MIN, ALLOWS, NULL,
	      "the edition of TCB info and QE identity"),
	FLAG(TDX_ATTR_DEBUG, "tdx.tdattributes.debug", CLEAR, "the host may read the TD's memory"),
	FLAG(TDX_ATTR_ICSSD, "tdx.tdattributes.icssd", ALLOWS,
	     "single steps are counted in instructions"),
	FLAG(TDX_ATTR_LASS, "tdx.tdattributes.lass", ALLOWS, "LASS is required"),
	FLAG(TDX_ATTR_SEPT_VE_DISABLE, "tdx.tdattributes.sept_ve_disable", SET,
	     "pages that the host takes away are no exception that the TD could mistake"),
	FLAG(TDX_ATTR_MIGRATABLE, "tdx.tdattributes.migratable", CLEAR,
	     "a migration TD may move the TD"),
	FLAG(TDX_ATTR_PKS, "tdx.tdattributes.pks", ALLOWS, "supervisor protection keys"),
	FLAG(TDX_ATTR_KL, "tdx.tdattributes.kl", ALLOWS, "Key Locker"),
	FLAG(TDX_ATTR_TPA, "tdx.tdattributes.tpa", ALLOWS, "TSC is made exact"),
	FLAG(TDX_ATTR_PERFMON, "tdx.tdattributes.perfmon", ALLOWS, "performance counters"),
	FLAG(TDX_ATTR_UNKNOWN, "tdx.tdattributes.unknown_bits", CLEAR,
	     "bits that have no meaning known here, or are of a TD under debug"),

	OTHER(AZURE_PCRS, "azure.pcrs", PCRS, REFUSES, NULL,
	      "PCRs of the vTPM, which measure the guest's system; the HCL report does not"),
	FLAG(AZURE_SECURE_BOOT, "azure.claims.secure_boot", SET,
	     "UEFI boots only what is signed; PCR 7 has the keys"),
	FLAG(AZURE_TPM_ENABLED, "azure.claims.tpm_enabled", SET, "the VM has the vTPM"),
	FLAG(AZURE_TPM_PERSISTED, "azure.claims.tpm_persisted", ALLOWS,
	     "the vTPM's state outlives the VM's deallocation"),
	FLAG(AZURE_CONSOLE, "azure.claims.console_enabled", CLEAR,
	     "the host sees the VM's console"),
	FLAG(AZURE_INTERACTIVE_CONSOLE, "azure.claims.interactive_console_enabled", CLEAR,
	     "the host may type at the VM's console"),
	FLAG(AZURE_FILTERED_VPCI, "azure.claims.filtered_vpci_devices_allowed", ALLOWS,
	     "devices of a list may be the VM's"),
	OTHER(AZURE_SEALING, "azure.claims.hardware_sealing_policy", WORDS, ALLOWS, sealing,
	      "to what the paravisor seals the vTPM's state: its measurement or its signer"),
	OTHER(AZURE_ROOT_CERT, "azure.claims.root_cert_thumbprint", TEXTS, ALLOWS, NULL,
	      "the root that releases of keys to the paravisor are signed by, as the claims write it"),
};
