/* SPDX-License-Identifier: MIT */
/* The runtime claims of an HCL report: JSON that the paravisor wrote. */
#ifndef CVM_VERIFY_HCL_CLAIMS_H
#define CVM_VERIFY_HCL_CLAIMS_H

#include <openssl/evp.h>
#include <stdbool.h>

#include "../formats/format.h"

struct cvm_error;

/* what vm-configuration says yes or no to; hcl_claims.c has their names */
enum cvm_hcl_flag {
	CVM_HCL_SECURE_BOOT,
	CVM_HCL_TPM_ENABLED,
	CVM_HCL_TPM_PERSISTED,
	CVM_HCL_CONSOLE,
	CVM_HCL_INTERACTIVE_CONSOLE,
	CVM_HCL_FILTERED_VPCI,
	CVM_HCL_FLAGS,
};

/* "hash", and the base64 of a SHA-256, with room for another one */
#define CVM_HCL_WORD_SIZE	16
#define CVM_HCL_THUMBPRINT_SIZE	96

/**
 * struct cvm_hcl_config - how the paravisor says that the VM was configured
 * @has: bits by enum cvm_hcl_flag: it says so or not; old ones say less
 * @set: of @has: it does
 * @has_sealing, @has_root_cert: likewise
 * @sealing: hardware-sealing-policy; empty where it is no such word
 * @root_cert: root-cert-thumbprint, as it is written; empty where there is no such root
 *
 * Both texts are printable.
 */
struct cvm_hcl_config {
	uint32_t has, set;
	bool has_sealing, has_root_cert;
	char sealing[CVM_HCL_WORD_SIZE];
	char root_cert[CVM_HCL_THUMBPRINT_SIZE];
};

/**
 * struct cvm_hcl_claims - what verification needs of them
 * @ak: HCLAkPub, the vTPM's attestation key, for EVP_PKEY_free()
 * @has_user_data: old paravisors have none
 * @user_data: what the guest left in its NV index
 */
struct cvm_hcl_claims {
	EVP_PKEY *ak;
	bool has_user_data;
	uint8_t user_data[64];
};

/* Keys that are not known are passed over: there are others in each release. */
int cvm_hcl_claims_parse(struct cvm_span json, struct cvm_hcl_claims *claims,
			 struct cvm_error *error);

/*
 * vm-configuration of claims that cvm_hcl_claims_parse() has taken, for who relies on them; all
 * zero where there is none. What is not known in it is as if it were not there.
 */
void cvm_hcl_config_parse(struct cvm_span json, struct cvm_hcl_config *config);

#endif /* CVM_VERIFY_HCL_CLAIMS_H */
