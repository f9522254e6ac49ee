/* SPDX-License-Identifier: MIT */
#ifndef CVM_COMMON_TPM_NONCE_H
#define CVM_COMMON_TPM_NONCE_H

#include <stddef.h>
#include <stdint.h>

/*
 * What a vTPM's quote carries of direct evidence: the 64 bytes that were asked for
 * without the zeros at their end, as Azure's tools have it; or, where a vTPM does not
 * take as many, the SHA-384 of all of them. Returns how many bytes are at @nonce.
 */
size_t cvm_tpm_nonce(const uint8_t report_data[64], uint8_t nonce[64]);

#endif /* CVM_COMMON_TPM_NONCE_H */
