/* SPDX-License-Identifier: MIT */
/* Certificates, revocation lists, and the chains that they make. */
#ifndef CVM_VERIFY_CERTS_H
#define CVM_VERIFY_CERTS_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "../common/cleanup.h"
#include "../formats/cert_table.h"
#include "../formats/format.h"
#include "../formats/snp_report.h"
#include "verdict.h"

#define CVM_SPKI_HASH_SIZE	48	/* SHA-384 */
#define CVM_NAME_SIZE		64	/* of a common name that is shown */

/* ---- amd_cert.c: what AMD's extensions say of the key in a certificate */

struct cvm_amd_cert {
	enum cvm_snp_product product;
	struct cvm_snp_tcb tcb;
	uint8_t hwid[64];	/* VCEK: as CHIP_ID, filled up with zeros */
	char csp_id[128];	/* VLEK: whose it is */
};

/*
 * Does @ca, by its name, issue this kind of leaf: SEV-VLEK-Milan VLEKs and SEV-Milan
 * VCEKs, and neither the other's?
 */
bool cvm_amd_ca_issues(X509 *ca, bool vlek);

/* Is @cert, a CA or a root, one of this product by its name? */
bool cvm_amd_name_is_of(X509 *cert, enum cvm_snp_product product);

/* NULL, or what is wrong with the extensions of a VCEK, or a VLEK, certificate */
const char *cvm_amd_cert_parse(X509 *cert, bool vlek, struct cvm_amd_cert *out);

/* ---- pck_cert.c: what Intel's extension says of a platform */

#define CVM_PCK_NAME	"SGX PCK Certificate"	/* in the subject's common name */

struct cvm_pck_cert {
	uint8_t tcb[16];	/* SGX TCB components, by which levels are found */
	uint16_t pcesvn;
	uint8_t cpusvn[16];
	uint8_t pceid[2];
	uint8_t fmspc[6];
};

/* By its name, or by having the extension */
bool cvm_pck_is(const char *name, X509 *cert);
const char *cvm_pck_cert_parse(X509 *cert, struct cvm_pck_cert *out);

/* An extension's value, once; false where it is missing or there twice */
bool cvm_cert_extension(X509 *cert, const char *oid, struct cvm_span *out);

/* ---- certs.c: sets of certificates and lists, none twice, as they were given */

#define CVM_MAX_CERTS	256

enum cvm_leaf_kind { CVM_LEAF_NONE, CVM_LEAF_VCEK, CVM_LEAF_VLEK, CVM_LEAF_PCK };

/**
 * struct cvm_cert - a certificate of a set
 * @leaf: whether it is of a kind that signs evidence, by its name or extension
 * @fault: of a leaf: what is wrong with the vendor's extensions, or NULL
 * @chain: of a leaf: made by cvm_certs_make_chains()
 */
struct cvm_cert {
	X509 *x509;
	enum cvm_leaf_kind leaf;
	const char *fault;
	union {
		struct cvm_amd_cert amd;
		struct cvm_pck_cert pck;
	};
	struct cvm_chain *chain;
};

/**
 * struct cvm_certs - a set of certificates and lists
 * @limit: how many it takes of each; 0: CVM_MAX_CERTS
 * @unique: one that is there twice is an error, and not the same one
 * @blocks: while loading: how many came, those that are there already included
 * @wanted: while loading: of this kind; CVM_CERT_OTHER: of any
 */
struct cvm_certs {
	size_t limit, count, crl_count;
	bool unique;
	size_t blocks;
	enum cvm_cert_kind wanted;
	struct cvm_cert *cert;
	X509_CRL **crl;
};

/* PEM, DER or a GHCB table; all of it, or on an error nothing */
int cvm_certs_load(struct cvm_certs *certs, const void *data, size_t len,
		   struct cvm_error *error);

/* Keeps the first @count certificates and @crl_count lists */
void cvm_certs_truncate(struct cvm_certs *certs, size_t count, size_t crl_count);
void cvm_certs_free(struct cvm_certs *certs);

/* The subject's common name, "?" where it has none; returns @buf. */
const char *cvm_cert_name(X509 *cert, char *buf, size_t size);

/* ---- roots.c */

enum cvm_vendor { CVM_VENDOR_AMD, CVM_VENDOR_INTEL };

struct cvm_root {
	enum cvm_vendor vendor;
	enum cvm_snp_product product;	/* AMD */
	const char *name;
	uint8_t spki_hash[CVM_SPKI_HASH_SIZE];
};

/* The pinned root with this key, or NULL */
const struct cvm_root *cvm_root_find(enum cvm_vendor vendor, X509 *cert);

/* ---- time.c: seconds since 1970 */

/**
 * struct cvm_window - from when until when several things are all valid
 * @from: the latest beginning; @starts: whose
 * @until: the earliest end; @ends: whose
 */
struct cvm_window {
	int64_t from, until;
	char starts[CVM_NAME_SIZE], ends[CVM_NAME_SIZE];
};

extern const struct cvm_window cvm_window_always;

void cvm_window_narrow(struct cvm_window *w, int64_t from, int64_t until, const char *whose);

/* NULL, or in @buf why @at is outside */
const char *cvm_window_fault(const struct cvm_window *w, int64_t at, char *buf, size_t size);

/* False where the time cannot be expressed */
bool cvm_time_of_asn1(const ASN1_TIME *time, int64_t *seconds);

/* RFC 3339 in UTC, as in 2025-06-19T10:16:03Z */
bool cvm_time_of_text(const char *text, int64_t *seconds);
const char *cvm_time_text(int64_t seconds, char buf[32]);

/* ---- crl.c */

#define CVM_MAX_LISTS	8	/* of one issuer that are kept, the newest */

/**
 * struct cvm_revocation - what lists say of one certificate
 * @issuer: whose lists
 * @revoked: one of them has it, whatever its date
 * @count: lists by that issuer whose signature holds
 */
struct cvm_revocation {
	char issuer[CVM_NAME_SIZE];
	bool revoked;
	size_t count;
	struct {
		int64_t from, until;
	} list[CVM_MAX_LISTS];
};

struct cvm_chain_rules;

/* What the lists of @sets say of @cert, which @issuer issued */
void cvm_revocation_find(X509 *cert, X509 *issuer, const struct cvm_chain_rules *rules,
			 const struct cvm_certs *const *sets, size_t count,
			 struct cvm_revocation *out);

/*
 * CVM_PASS, with @issued made earlier where the list is older; else @reason says
 * what is wrong, or missing, with @name being the certificate's.
 */
enum cvm_outcome cvm_revocation_check(const struct cvm_revocation *r, const char *name,
				      int64_t at, int64_t *issued, char *reason, size_t size);

/* ---- chain.c: root, intermediate, leaf; or for those who sign collateral root, leaf */

struct cvm_chain_rules {
	enum cvm_vendor vendor;
	int signature_nid;	/* of every certificate and list */
	int digest_nid;
	const char *ca_key;	/* an EC group, or NULL: RSA with 4096 bits */
	const char *leaf_key;	/* an EC group */
	const char *algorithms;	/* the four above, for people */
};

extern const struct cvm_chain_rules cvm_amd_rules, cvm_intel_rules;

/**
 * struct cvm_chain - the way from a root to one key, looked at once
 * @leaf: the certificate; @ca: NULL where the root issued it; @root: or NULL
 * @holds: links and algorithms
 * @trusted: the root is
 * @pinned: the root's entry, or NULL where the caller's own root was used
 * @valid: when all certificates are
 * @ca_lists: about @ca, by @root; about @leaf where there is no @ca
 * @leaf_lists: about @leaf, by @ca
 *
 * All in it belongs to the sets that it was made from.
 */
struct cvm_chain {
	X509 *leaf, *ca, *root;
	bool holds, trusted;
	const struct cvm_root *pinned;
	struct cvm_window valid;
	struct cvm_revocation ca_lists, leaf_lists;
	char chain_text[320], root_text[160];
};

/* Where the certificates and lists of a chain may come from; @roots are trusted. */
struct cvm_sources {
	const struct cvm_certs *sets[5];
	size_t count;
	const struct cvm_certs *roots;
};

/* For each leaf in @certs; 0 or -ENOMEM */
int cvm_certs_make_chains(struct cvm_certs *certs, const struct cvm_sources *from);

/* For somebody who signs collateral: issued by the root itself */
void cvm_chain_make_signer(struct cvm_chain *chain, X509 *leaf, const struct cvm_sources *from);

/*
 * Adds the checks "chain", "root" and "validity"; true if all passed. @fault: what is
 * wrong with certificates that came along, and with the chain for that reason; or ""
 */
bool cvm_chain_check(const struct cvm_chain *chain, const char *fault, int64_t at,
		     struct cvm_verdict *v);

/* RSA-4096, P-256 or P-384 */
bool cvm_key_is_affordable(EVP_PKEY *key);

/* Names match, the issuer's key is affordable, and the signature holds */
bool cvm_cert_issued_by(X509 *cert, X509 *issuer);

/* ---- ecdsa.c: each returns true only for a valid signature */

bool cvm_ecdsa_verify_le(EVP_PKEY *key, const EVP_MD *md, const uint8_t *r,
			 const uint8_t *s, size_t size, struct cvm_span data);
bool cvm_ecdsa_verify_be(EVP_PKEY *key, const EVP_MD *md, const uint8_t *r,
			 const uint8_t *s, size_t size, struct cvm_span data);

/* For one key's many signatures: what is looked up for it, once; NULL: out of memory */
EVP_MD_CTX *cvm_ecdsa_ready(EVP_PKEY *key, const EVP_MD *md);
bool cvm_ecdsa_verify_be_ready(const EVP_MD_CTX *ready, const uint8_t *r, const uint8_t *s,
			       size_t size, struct cvm_span data);

/* x and y, 32 bytes each; NULL where that is no point of P-256 */
EVP_PKEY *cvm_p256_key(const uint8_t xy[64]);
bool cvm_key_is_ec(EVP_PKEY *key, const char *group);

#endif /* CVM_VERIFY_CERTS_H */
