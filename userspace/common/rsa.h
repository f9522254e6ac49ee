/* SPDX-License-Identifier: MIT */
#ifndef CVM_COMMON_RSA_H
#define CVM_COMMON_RSA_H

#include <openssl/bn.h>
#include <openssl/evp.h>

/* The public key of these numbers, for EVP_PKEY_free(); NULL: no memory, or no key */
EVP_PKEY *cvm_rsa_public(const BIGNUM *n, const BIGNUM *e);

#endif /* CVM_COMMON_RSA_H */
