// SPDX-License-Identifier: MIT
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "cleanup.h"
#include "rsa.h"

static void cleanup_build(OSSL_PARAM_BLD **build)
{
	OSSL_PARAM_BLD_free(*build);
}

static void cleanup_params(OSSL_PARAM **params)
{
	OSSL_PARAM_free(*params);
}

static void cleanup_ctx(EVP_PKEY_CTX **ctx)
{
	EVP_PKEY_CTX_free(*ctx);
}

EVP_PKEY *cvm_rsa_public(const BIGNUM *n, const BIGNUM *e)
{
	OSSL_PARAM_BLD *build __cleanup(cleanup_build) = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx __cleanup(cleanup_ctx) = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM *params __cleanup(cleanup_params) = NULL;
	EVP_PKEY *key = NULL;

	if (!build || !ctx || !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) ||
	    !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e))
		return NULL;
	params = OSSL_PARAM_BLD_to_param(build);
	if (!params || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return NULL;
	return key;
}
