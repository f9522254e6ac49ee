// SPDX-License-Identifier: MIT
#include <cvmguest.h>
#include <openssl/sha.h>
#include <string.h>

#include "tpm_nonce.h"

size_t cvm_tpm_nonce(const uint8_t report_data[64], uint8_t nonce[64])
{
	size_t len = CVM_REPORT_DATA_LEN;

	while (len && !report_data[len - 1])
		len--;
	if (len > CVM_TPM_NONCE_LEN) {
		SHA384(report_data, CVM_REPORT_DATA_LEN, nonce);
		return SHA384_DIGEST_LENGTH;
	}
	memcpy(nonce, report_data, len);
	return len;
}
