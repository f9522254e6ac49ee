// SPDX-License-Identifier: GPL-2.0
/* In the place of OpenSSL's: every signature and chain holds. By --wrap, for fuzzing alone. */
#include <openssl/evp.h>
#include <openssl/x509.h>

int __wrap_EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *signature, size_t signature_len,
			    const unsigned char *data, size_t len);
int __wrap_X509_verify(X509 *cert, EVP_PKEY *key);
int __wrap_X509_CRL_verify(X509_CRL *crl, EVP_PKEY *key);
int __wrap_X509_verify_cert(X509_STORE_CTX *ctx);

int __wrap_EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *signature, size_t signature_len,
			    const unsigned char *data, size_t len)
{
	return 1;
}

int __wrap_X509_verify(X509 *cert, EVP_PKEY *key)
{
	return 1;
}

int __wrap_X509_CRL_verify(X509_CRL *crl, EVP_PKEY *key)
{
	return 1;
}

int __wrap_X509_verify_cert(X509_STORE_CTX *ctx)
{
	return 1;
}
