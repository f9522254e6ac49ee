// SPDX-License-Identifier: MIT
/* The driver's HKDF: see linux/cvm_guest_key.h. */
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

#include "common/cleanup.h"
#include "derive.h"

#define MAX_LABEL	255

static const char context[] = "cvm-guest key 1";
static const char tpm_context[] = "cvm-guest tpm 1";

static void free_kdf(EVP_KDF **kdf)
{
	EVP_KDF_free(*kdf);
}

static void free_ctx(EVP_KDF_CTX **ctx)
{
	EVP_KDF_CTX_free(*ctx);
}

static size_t make_info(const struct cvm_key_set *set, uint32_t purpose, size_t length,
			uint8_t *info)
{
	uint8_t *p = info;

	memcpy(p, context, sizeof(context));
	p += sizeof(context);
	*p++ = (uint8_t)purpose;
	*p++ = (uint8_t)length;
	*p++ = (uint8_t)(length >> 8);
	*p++ = (uint8_t)set->label_len;
	*p++ = (uint8_t)(set->label_len >> 8);
	memcpy(p, set->label, set->label_len);
	return (size_t)(p - info) + set->label_len;
}

int cvm_key_hkdf(const uint8_t secret[CVM_KEY_SECRET], const struct cvm_key_set *set,
		 uint32_t purpose, void *out, size_t length)
{
	__cleanup(free_kdf) EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	__cleanup(free_ctx) EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	uint8_t info[sizeof(context) + 5 + MAX_LABEL];
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA512", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret,
						  CVM_KEY_SECRET),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, 0),
		OSSL_PARAM_construct_end(),
		OSSL_PARAM_construct_end(),
	};

	if (set->label_len > MAX_LABEL || !ctx)
		return -ENOMEM;
	params[2].data_size = make_info(set, purpose, length, info);
	/* no salt is the same as one of zeros, but OpenSSL takes no empty one */
	if (set->salt_len)
		params[3] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT,
							      (void *)set->salt, set->salt_len);
	if (EVP_KDF_derive(ctx, out, length, params) == 1)
		return 0;
	OPENSSL_cleanse(out, length);
	return -ENOMEM;
}

int cvm_key_mixed_salt(const struct cvm_key_set *set, uint8_t salt[CVM_MAX_KEY_SALT])
{
	uint8_t text[sizeof(tpm_context) + CVM_MAX_KEY_SALT];
	size_t len = 0;

	if (set->salt_len > CVM_MAX_KEY_SALT)
		return -EINVAL;
	memcpy(text, tpm_context, sizeof(tpm_context));
	if (set->salt_len)
		memcpy(text + sizeof(tpm_context), set->salt, set->salt_len);
	return EVP_Q_mac(NULL, "HMAC", NULL, "SHA512", NULL, set->tpm_secret, CVM_SEAL_SECRET,
			 text, sizeof(tpm_context) + set->salt_len, salt, CVM_MAX_KEY_SALT, &len) &&
	       len == CVM_MAX_KEY_SALT ? 0 : -ENOMEM;
}
