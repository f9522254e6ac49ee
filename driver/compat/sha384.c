// SPDX-License-Identifier: GPL-2.0-only
/*
 * SHA-384 on kernels that offer no function for it: by the crypto API's own
 * transform, which hashes what is in memory and so cannot fail.
 */
#include <crypto/hash.h>
#include <linux/bug.h>
#include <linux/err.h>
#include <linux/module.h>

#include "../sha384.h"

static struct crypto_shash *tfm;

void cvm_sha384(const void *data, size_t len, __u8 *hash)
{
	WARN_ON_ONCE(crypto_shash_tfm_digest(tfm, data, len, hash));
}

int cvm_sha384_init(void)
{
	tfm = crypto_alloc_shash("sha384", 0, 0);
	if (IS_ERR(tfm)) {
		pr_err("this kernel has no SHA-384 (CONFIG_CRYPTO_SHA512): %ld\n",
		       PTR_ERR(tfm));
		return PTR_ERR(tfm);
	}
	return 0;
}

void cvm_sha384_exit(void)
{
	crypto_free_shash(tfm);
}
