/* SPDX-License-Identifier: MIT */
/*
 * What was once parsed and verified of bytes that come with evidence, found again
 * by those very bytes. Only what led to a trusted root is kept, so that nobody
 * can fill it but who has genuine evidence; it is bounded all the same.
 */
#ifndef CVM_VERIFY_CACHE_H
#define CVM_VERIFY_CACHE_H

#include <stdatomic.h>

#include "certs.h"

#define CVM_BUNDLE_MAX	(64U << 10)	/* bytes that are kept with what they gave */

/*
 * Certificates that may come with evidence, where 3 to 5 do, and bytes of them.
 * Whoever sends them need not be trusted: each may be tried as the issuer of each.
 */
#define CVM_BUNDLE_BYTES	(256U << 10)
#define CVM_BUNDLE_CERTS	16

/**
 * struct cvm_bundle - certificates that came with evidence, taken apart
 * @refs: who uses it
 * @certs: with their chains
 * @attestation: quotes: ready to verify with the attestation key, or NULL where that is no
 *	point of P-256
 * @qe_signed: quotes: the QE report is signed by the key of @pck
 * @qe_bound: quotes: the QE report is about the attestation key
 * @pck: quotes: the PCK certificate, in @certs or in the verifier's; or NULL
 * @error: why @certs is empty, or ""
 * @key_len: bytes that it was made of, in two parts
 * @key: those bytes
 */
struct cvm_bundle {
	atomic_uint refs;
	struct cvm_certs certs;
	EVP_MD_CTX *attestation;
	bool qe_signed, qe_bound;
	const struct cvm_cert *pck;
	char error[256];
	size_t key_len[2];
	uint8_t *key;
};

struct cvm_cache;

struct cvm_cache *cvm_cache_new(void);
void cvm_cache_free(struct cvm_cache *cache);

/* Nobody may be using the cache. */
void cvm_cache_clear(struct cvm_cache *cache);

/* For the bytes @a and @b: with a reference for cvm_bundle_put(); or NULL */
struct cvm_bundle *cvm_cache_find(struct cvm_cache *cache, struct cvm_span a, struct cvm_span b);

/* Keeps a reference of its own, unless it is too long or memory is short. */
void cvm_cache_keep(struct cvm_cache *cache, struct cvm_bundle *bundle, struct cvm_span a,
		    struct cvm_span b);

struct cvm_bundle *cvm_bundle_new(void);
void cvm_bundle_put(struct cvm_bundle *bundle);

#endif /* CVM_VERIFY_CACHE_H */
