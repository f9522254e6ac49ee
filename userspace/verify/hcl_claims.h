/* SPDX-License-Identifier: MIT */
/* The runtime claims of an HCL report: JSON that the paravisor wrote. */
#ifndef CVM_VERIFY_HCL_CLAIMS_H
#define CVM_VERIFY_HCL_CLAIMS_H

#include <openssl/evp.h>

#include "../formats/format.h"

struct cvm_error;

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

#endif /* CVM_VERIFY_HCL_CLAIMS_H */
