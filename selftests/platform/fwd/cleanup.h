/* SPDX-License-Identifier: GPL-2.0 */
/* Scope-based cleanup for the OpenSSL and libc types of cvm-fwd. */
#ifndef CVM_FWD_CLEANUP_H
#define CVM_FWD_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#define DEFINE_CLEANUP(name, type, put)					\
	static inline void cleanup_##name(type *var) { if (*var) put(*var); }

DEFINE_CLEANUP(file, FILE *, fclose)
DEFINE_CLEANUP(pkey, EVP_PKEY *, EVP_PKEY_free)
DEFINE_CLEANUP(pkey_ctx, EVP_PKEY_CTX *, EVP_PKEY_CTX_free)
DEFINE_CLEANUP(md_ctx, EVP_MD_CTX *, EVP_MD_CTX_free)
DEFINE_CLEANUP(kdf, EVP_KDF *, EVP_KDF_free)
DEFINE_CLEANUP(kdf_ctx, EVP_KDF_CTX *, EVP_KDF_CTX_free)
DEFINE_CLEANUP(cipher_ctx, EVP_CIPHER_CTX *, EVP_CIPHER_CTX_free)
DEFINE_CLEANUP(x509, X509 *, X509_free)
DEFINE_CLEANUP(ext, X509_EXTENSION *, X509_EXTENSION_free)
DEFINE_CLEANUP(octets, ASN1_OCTET_STRING *, ASN1_OCTET_STRING_free)
DEFINE_CLEANUP(object, ASN1_OBJECT *, ASN1_OBJECT_free)
DEFINE_CLEANUP(bn, BIGNUM *, BN_clear_free)
DEFINE_CLEANUP(group, EC_GROUP *, EC_GROUP_free)
DEFINE_CLEANUP(point, EC_POINT *, EC_POINT_free)
DEFINE_CLEANUP(bld, OSSL_PARAM_BLD *, OSSL_PARAM_BLD_free)
DEFINE_CLEANUP(params, OSSL_PARAM *, OSSL_PARAM_free)
DEFINE_CLEANUP(ecdsa, ECDSA_SIG *, ECDSA_SIG_free)

static inline void cleanup_mem(void *mem)
{
	free(*(void **)mem);
}

static inline void cleanup_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define __clean(name)	__attribute__((cleanup(cleanup_##name)))

#endif /* CVM_FWD_CLEANUP_H */
