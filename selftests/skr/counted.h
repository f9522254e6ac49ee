/* SPDX-License-Identifier: GPL-2.0 */
/* How often it is decrypted in this process: linked in the place of OpenSSL's. */
#ifndef SKR_COUNTED_H
#define SKR_COUNTED_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>

int __wrap_EVP_DecryptUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *len,
			     const unsigned char *in, int in_len);
int __real_EVP_DecryptUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *len,
			     const unsigned char *in, int in_len);
int __wrap_EVP_DecryptFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *len);
int __real_EVP_DecryptFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *len);

static size_t updated, finished;

int __wrap_EVP_DecryptUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *len,
			     const unsigned char *in, int in_len)
{
	updated++;
	return __real_EVP_DecryptUpdate(ctx, out, len, in, in_len);
}

int __wrap_EVP_DecryptFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *len)
{
	finished++;
	return __real_EVP_DecryptFinal_ex(ctx, out, len);
}

/* since it was last asked */
static bool is_decrypted(size_t updates, size_t finals)
{
	bool good = updated == updates && finished == finals;

	if (!good)
		printf("# %zu and %zu\n", updated, finished);
	updated = 0;
	finished = 0;
	return good;
}

#endif /* SKR_COUNTED_H */
