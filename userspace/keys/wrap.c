// SPDX-License-Identifier: MIT
/* AES key wrap, RFC 3394: what it unwraps is what was wrapped, or it says so. */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "common/cleanup.h"
#include "keyring.h"

static void free_ctx(EVP_CIPHER_CTX **ctx)
{
	EVP_CIPHER_CTX_free(*ctx);
}

static EVP_CIPHER_CTX *new_ctx(void)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (ctx)
		EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	return ctx;
}

int cvm_key_wrap(const uint8_t key[CVM_WRAP_KEY], const uint8_t secret[CVM_LUKS_PASSPHRASE],
		 uint8_t wrapped[CVM_LUKS_WRAPPED])
{
	__cleanup(free_ctx) EVP_CIPHER_CTX *ctx = new_ctx();
	int len = 0;

	return ctx && EVP_EncryptInit_ex(ctx, EVP_aes_256_wrap(), NULL, key, NULL) == 1 &&
	       EVP_EncryptUpdate(ctx, wrapped, &len, secret, CVM_LUKS_PASSPHRASE) == 1 &&
	       len == CVM_LUKS_WRAPPED ? 0 : -EIO;
}

int cvm_key_unwrap(const uint8_t key[CVM_WRAP_KEY], const uint8_t wrapped[CVM_LUKS_WRAPPED],
		   uint8_t secret[CVM_LUKS_PASSPHRASE])
{
	__cleanup(free_ctx) EVP_CIPHER_CTX *ctx = new_ctx();
	int len = 0;

	if (!ctx || EVP_DecryptInit_ex(ctx, EVP_aes_256_wrap(), NULL, key, NULL) != 1)
		return -EIO;
	if (EVP_DecryptUpdate(ctx, secret, &len, wrapped, CVM_LUKS_WRAPPED) == 1 &&
	    len == CVM_LUKS_PASSPHRASE)
		return 0;
	OPENSSL_cleanse(secret, CVM_LUKS_PASSPHRASE);
	return -EBADMSG;
}
