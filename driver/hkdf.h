/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HKDF-SHA512 (RFC 5869), which the kernel exports from nowhere, over the hash
 * that it has.
 */
#ifndef CVM_HKDF_H
#define CVM_HKDF_H

#include <linux/types.h>

#define CVM_HKDF_HASH		64
/* two rounds: the longest key, and the longest info */
#define CVM_HKDF_MAX_KEY	(2 * CVM_HKDF_HASH)
#define CVM_HKDF_MAX_INFO	320

struct cvm_hkdf;

/*
 * Keyed with @salt, zero bytes to its end; all zero: none, which HMAC takes for the
 * same. An ERR_PTR() where the kernel has no hmac(sha512).
 */
struct cvm_hkdf *cvm_hkdf_alloc(const u8 salt[CVM_HKDF_HASH]);
/* wipes everything */
void cvm_hkdf_free(struct cvm_hkdf *hkdf);

/* once */
int cvm_hkdf_extract(struct cvm_hkdf *hkdf, const u8 *secret, size_t len);
/* @key: @len bytes, at most CVM_HKDF_MAX_KEY; @info_len: at most CVM_HKDF_MAX_INFO */
int cvm_hkdf_expand(struct cvm_hkdf *hkdf, const u8 *info, size_t info_len,
		    u8 *key, size_t len);

#endif /* CVM_HKDF_H */
