// SPDX-License-Identifier: MIT
/*
 * driver/sha384.h by OpenSSL. By its low-level calls: they allocate nothing,
 * so they cannot fail, and a proof of eleven hashes costs no eleven look-ups
 * of an algorithm.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "driver/sha384.h"

void cvm_sha384(const void *data, size_t len, __u8 *hash)
{
	SHA512_CTX ctx;

	SHA384_Init(&ctx);
	SHA384_Update(&ctx, data, len);
	SHA384_Final(hash, &ctx);
}
