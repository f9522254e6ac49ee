/* SPDX-License-Identifier: MIT */
/* What the files of this folder share. The public side is cvmguest.h. */
#ifndef CVM_VERIFY_INTERNAL_H
#define CVM_VERIFY_INTERNAL_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cvmguest.h>

#include "../common/cleanup.h"
#include "../formats/format.h"
#include "../formats/snp_report.h"

#define CVM_SPKI_HASH_SIZE	48	/* SHA-384 */
#define CVM_REASON_SIZE		640

/* verdict.c */
#define CVM_VERDICT_MAX		32

struct cvm_verdict {
	size_t count;
	bool signed_by_root;	/* set once, when signature and chain hold */
	bool failed;
	struct cvm_check check[CVM_VERDICT_MAX];
	char reason[CVM_VERDICT_MAX][CVM_REASON_SIZE];
};

/* @name must be a string literal. Returns true for CVM_CHECK_PASSED. */
__attribute__((format(printf, 4, 5)))
bool cvm_verdict_add(struct cvm_verdict *v, const char *name,
		     enum cvm_check_state state, const char *format, ...);

#define cvm_pass(v, name, ...) \
	cvm_verdict_add(v, name, CVM_CHECK_PASSED, __VA_ARGS__)
#define cvm_fail(v, name, ...) \
	cvm_verdict_add(v, name, CVM_CHECK_FAILED, __VA_ARGS__)
#define cvm_unchecked(v, name, ...) \
	cvm_verdict_add(v, name, CVM_CHECK_NOT_CHECKED, __VA_ARGS__)

/* certs.c: a set of certificates, none twice, in the order they were given */
struct cvm_cert_set {
	size_t count;
	X509 **cert;
};

/* PEM, DER or a GHCB table; all of it, or on an error nothing */
int cvm_cert_set_load(struct cvm_cert_set *set, const void *data, size_t len,
		      struct cvm_error *error);
/* Keeps the first @count */
void cvm_cert_set_truncate(struct cvm_cert_set *set, size_t count);
void cvm_cert_set_free(struct cvm_cert_set *set);

/* The subject's common name, "?" where it has none; returns @buf. */
const char *cvm_cert_name(X509 *cert, char *buf, size_t size);

/* roots.c */
enum cvm_vendor { CVM_VENDOR_AMD, CVM_VENDOR_INTEL };

struct cvm_root {
	enum cvm_vendor vendor;
	enum cvm_snp_product product;	/* AMD */
	const char *name;
	uint8_t spki_hash[CVM_SPKI_HASH_SIZE];
};

bool cvm_spki_hash(X509 *cert, uint8_t hash[CVM_SPKI_HASH_SIZE]);

/* The pinned root with this key, or NULL */
const struct cvm_root *cvm_root_find(enum cvm_vendor vendor, X509 *cert);

/* verifier.c */
struct cvm_verifier {
	bool has_time;
	int64_t at;
	bool has_report_data;
	uint8_t report_data[64];
	struct cvm_cert_set certs;
	struct cvm_cert_set trust_roots;
};

/* The same for every kind of evidence */
void cvm_check_report_data(const struct cvm_verifier *verifier,
			   const uint8_t report_data[64],
			   struct cvm_verdict *v);

/* What is not looked at, named, so that nobody takes silence for a pass */
void cvm_unchecked_without_policy(struct cvm_verdict *v);

/* chain.c: always root, intermediate, leaf */
struct cvm_chain {
	X509 *leaf;
	X509 *ca;
	X509 *root;
};

struct cvm_chain_rules {
	enum cvm_vendor vendor;
	int signature_nid;	/* of every certificate */
	int digest_nid;
	const char *ca_key;	/* an EC group, or NULL: RSA with 4096 bits */
	const char *leaf_key;	/* an EC group */
	const char *algorithms;	/* the four above, for people */
};

/*
 * Adds the checks "chain", "root" and "validity"; true if all passed. @pinned
 * is the root's entry, or NULL where the caller's own root was used.
 */
bool cvm_chain_check(const struct cvm_verifier *verifier,
		     const struct cvm_chain *chain,
		     const struct cvm_chain_rules *rules,
		     const struct cvm_root **pinned, struct cvm_verdict *v);

/* Names match and the signature holds */
bool cvm_cert_issued_by(X509 *cert, X509 *issuer);
bool cvm_cert_is_ca(X509 *cert);

/*
 * The issuer of @cert among @sets, by signature; if there is none, one of that
 * name, so that the caller can say what is wrong with it; else NULL.
 */
X509 *cvm_find_issuer(X509 *cert, const struct cvm_cert_set *const *sets,
		      size_t count);

/* ecdsa.c: each returns true only for a valid signature */
bool cvm_ecdsa_verify_le(EVP_PKEY *key, const EVP_MD *md, const uint8_t *r,
			 const uint8_t *s, size_t size, struct cvm_span data);
bool cvm_ecdsa_verify_be(EVP_PKEY *key, const EVP_MD *md, const uint8_t *r,
			 const uint8_t *s, size_t size, struct cvm_span data);

/* x and y, 32 bytes each; NULL where that is no point of P-256 */
EVP_PKEY *cvm_p256_key(const uint8_t xy[64]);
bool cvm_key_is_ec(EVP_PKEY *key, const char *group);

/* amd_cert.c: what AMD's extensions say of the key in a certificate */
enum cvm_amd_key { CVM_AMD_KEY_NONE, CVM_AMD_KEY_VCEK, CVM_AMD_KEY_VLEK };

struct cvm_amd_cert {
	enum cvm_amd_key key;
	enum cvm_snp_product product;
	struct cvm_snp_tcb tcb;
	uint8_t hwid[64];	/* VCEK: as CHIP_ID, filled up with zeros */
	char csp_id[128];	/* VLEK: whose it is */
};

enum cvm_amd_key cvm_amd_cert_key(X509 *cert);

/* NULL, or what is wrong with the extensions */
const char *cvm_amd_cert_parse(X509 *cert, struct cvm_amd_cert *out);

/* snp.c, tdx.c */
int cvm_verify_snp(const struct cvm_verifier *verifier, const void *data,
		   size_t len, struct cvm_verdict *v);
int cvm_verify_tdx(const struct cvm_verifier *verifier, const void *data,
		   size_t len, struct cvm_verdict *v);

/* Ends a verdict at evidence that cannot be parsed */
void cvm_fail_format(struct cvm_verdict *v, const struct cvm_format_error *err);

#endif /* CVM_VERIFY_INTERNAL_H */
