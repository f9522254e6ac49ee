// SPDX-License-Identifier: MIT
/* Signatures and keys as raw numbers, the way hardware hands them out. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/params.h>

#include "certs.h"

static void cleanup_bn(BIGNUM **bn)
{
	BN_free(*bn);
}

static void cleanup_sig(ECDSA_SIG **sig)
{
	ECDSA_SIG_free(*sig);
}

static void cleanup_md_ctx(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

static void cleanup_pkey_ctx(EVP_PKEY_CTX **ctx)
{
	EVP_PKEY_CTX_free(*ctx);
}

static void cleanup_openssl(uint8_t **data)
{
	OPENSSL_free(*data);
}

EVP_MD_CTX *cvm_ecdsa_ready(EVP_PKEY *key, const EVP_MD *md)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx && EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1)
		return ctx;
	EVP_MD_CTX_free(ctx);
	return NULL;
}

/* Takes over r and s, and uses up @ctx. Zero and numbers out of range fail in OpenSSL. */
static bool verify_numbers(EVP_MD_CTX *ctx, BIGNUM *r, BIGNUM *s, struct cvm_span data)
{
	ECDSA_SIG *sig __cleanup(cleanup_sig) = ECDSA_SIG_new();
	BIGNUM *own_r __cleanup(cleanup_bn) = r;
	BIGNUM *own_s __cleanup(cleanup_bn) = s;
	uint8_t *der __cleanup(cleanup_openssl) = NULL;
	int len;

	if (!ctx || !sig || !r || !s || !ECDSA_SIG_set0(sig, r, s))
		return false;
	own_r = NULL;
	own_s = NULL;
	len = i2d_ECDSA_SIG(sig, &der);
	/* 0 and every negative value are a signature that does not hold. */
	return len > 0 && EVP_DigestVerify(ctx, der, (size_t)len, data.data, data.len) == 1;
}

bool cvm_ecdsa_verify_le(EVP_PKEY *key, const EVP_MD *md, const uint8_t *r,
			 const uint8_t *s, size_t size, struct cvm_span data)
{
	EVP_MD_CTX *ctx __cleanup(cleanup_md_ctx) = cvm_ecdsa_ready(key, md);

	return verify_numbers(ctx, BN_lebin2bn(r, (int)size, NULL),
			      BN_lebin2bn(s, (int)size, NULL), data);
}

bool cvm_ecdsa_verify_be(EVP_PKEY *key, const EVP_MD *md, const uint8_t *r,
			 const uint8_t *s, size_t size, struct cvm_span data)
{
	EVP_MD_CTX *ctx __cleanup(cleanup_md_ctx) = cvm_ecdsa_ready(key, md);

	return verify_numbers(ctx, BN_bin2bn(r, (int)size, NULL),
			      BN_bin2bn(s, (int)size, NULL), data);
}

bool cvm_ecdsa_verify_be_ready(const EVP_MD_CTX *ready, const uint8_t *r, const uint8_t *s,
			       size_t size, struct cvm_span data)
{
	EVP_MD_CTX *ctx __cleanup(cleanup_md_ctx) = EVP_MD_CTX_new();

	return ctx && EVP_MD_CTX_copy_ex(ctx, ready) == 1 &&
	       verify_numbers(ctx, BN_bin2bn(r, (int)size, NULL),
			      BN_bin2bn(s, (int)size, NULL), data);
}

EVP_PKEY *cvm_p256_key(const uint8_t xy[64])
{
	EVP_PKEY_CTX *ctx __cleanup(cleanup_pkey_ctx) =
		EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	char group[] = "prime256v1";
	uint8_t point[65] = { POINT_CONVERSION_UNCOMPRESSED };
	EVP_PKEY *key = NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
						 group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
						  point, sizeof(point)),
		OSSL_PARAM_construct_end(),
	};

	memcpy(point + 1, xy, 64);
	/* Refuses a point that is not on the curve. */
	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return NULL;
	return key;
}

bool cvm_key_is_ec(EVP_PKEY *key, const char *group)
{
	char name[64];

	return key && EVP_PKEY_is_a(key, "EC") &&
	       EVP_PKEY_get_group_name(key, name, sizeof(name), NULL) == 1 &&
	       !strcmp(name, group);
}
