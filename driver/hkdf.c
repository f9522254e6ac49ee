// SPDX-License-Identifier: GPL-2.0-only
#include <crypto/hash.h>
#include <linux/err.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "hkdf.h"

/**
 * struct cvm_hkdf - one derivation
 * @hmac: keyed with the salt, then with the extracted key
 * @prk: the extracted key, while it is not yet @hmac's
 * @block: T(n - 1) || info || n, what a round hashes
 * @out: T(n)
 */
struct cvm_hkdf {
	struct crypto_shash *hmac;
	u8 prk[CVM_HKDF_HASH];
	u8 block[CVM_HKDF_HASH + CVM_HKDF_MAX_INFO + 1];
	u8 out[CVM_HKDF_HASH];
};

/*
 * Hash functions leave what they have expanded of a block, and HMAC's state, in
 * frames that they have left: so far down the stack that nobody need come there
 * for long. Called from as deep as they are.
 */
static noinline void wipe_stack(void)
{
	u8 frames[1536];

	memset(frames, 0, sizeof(frames));
	barrier_data(frames);
}

static int alloc_hmac(struct cvm_hkdf *hkdf)
{
	hkdf->hmac = crypto_alloc_shash("hmac(sha512)", 0, 0);
	if (!IS_ERR(hkdf->hmac))
		return 0;
	pr_err_once("this kernel has no hmac(sha512): modprobe sha512_generic, and try again\n");
	return PTR_ERR(hkdf->hmac);
}

struct cvm_hkdf *cvm_hkdf_alloc(const u8 salt[CVM_HKDF_HASH])
{
	struct cvm_hkdf *hkdf = kzalloc(sizeof(*hkdf), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!hkdf)
		return ERR_PTR(-ENOMEM);
	ret = alloc_hmac(hkdf);
	if (ret) {
		kfree(hkdf);
		return ERR_PTR(ret);
	}
	ret = crypto_shash_setkey(hkdf->hmac, salt, CVM_HKDF_HASH);
	wipe_stack();
	if (!ret)
		return hkdf;
	cvm_hkdf_free(hkdf);
	return ERR_PTR(ret);
}

void cvm_hkdf_free(struct cvm_hkdf *hkdf)
{
	/* the transform's context is wiped when it is freed */
	crypto_free_shash(hkdf->hmac);
	kfree_sensitive(hkdf);
}

int cvm_hkdf_extract(struct cvm_hkdf *hkdf, const u8 *secret, size_t len)
{
	int ret;

	ret = crypto_shash_tfm_digest(hkdf->hmac, secret, len, hkdf->prk);
	if (!ret)
		ret = crypto_shash_setkey(hkdf->hmac, hkdf->prk, sizeof(hkdf->prk));
	memzero_explicit(hkdf->prk, sizeof(hkdf->prk));
	wipe_stack();
	return ret;
}

/* T(@n) into @out, of which T(@n - 1) is the beginning of the block */
static int one_round(struct cvm_hkdf *hkdf, u8 n, const u8 *info, size_t info_len)
{
	size_t before = n > 1 ? CVM_HKDF_HASH : 0;

	memcpy(hkdf->block, hkdf->out, before);
	memcpy(hkdf->block + before, info, info_len);
	hkdf->block[before + info_len] = n;
	return crypto_shash_tfm_digest(hkdf->hmac, hkdf->block,
				       before + info_len + 1, hkdf->out);
}

int cvm_hkdf_expand(struct cvm_hkdf *hkdf, const u8 *info, size_t info_len,
		    u8 *key, size_t len)
{
	size_t done, some;
	int ret = 0;
	u8 n = 1;

	if (len > CVM_HKDF_MAX_KEY || info_len > CVM_HKDF_MAX_INFO)
		return -EINVAL;
	for (done = 0; !ret && done < len; done += some) {
		some = min_t(size_t, len - done, CVM_HKDF_HASH);
		ret = one_round(hkdf, n++, info, info_len);
		if (!ret)
			memcpy(key + done, hkdf->out, some);
	}
	memzero_explicit(hkdf->block, sizeof(hkdf->block));
	memzero_explicit(hkdf->out, sizeof(hkdf->out));
	wipe_stack();
	return ret;
}
