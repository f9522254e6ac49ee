/* SPDX-License-Identifier: GPL-2.0 */
/* Certificates of any shape, right and wrong, for the tests of verification. */
#ifndef MAKE_CERTS_H
#define MAKE_CERTS_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#define TEST_NOW	1750000000	/* 2025-06-15T15:06:40Z */
#define TEST_YEAR	(365 * 86400)

struct cert_spec {
	const char *name;		/* common name of the subject */
	EVP_PKEY *key;
	const char *issuer_name;
	EVP_PKEY *issuer_key;
	bool ca;
	bool pss;			/* RSASSA-PSS; else what fits the key */
	const EVP_MD *md;
	int64_t from;
	int64_t until;
	long serial;
	bool no_crl_sign;		/* a CA that may not sign lists */
	int critical_nid;		/* an extension that nobody knows */
	void (*extend)(X509 *cert, const void *arg);
	const void *arg;
};

struct amd_extensions {
	const char *product;
	uint8_t boot_loader, tee, snp, microcode, fmc;
	bool has_fmc;
	bool bare_hwid;			/* not in an OCTET STRING */
	size_t hwid_len;		/* 0: none */
	uint8_t hwid[64];
	const char *csp_id;		/* NULL: none */
	bool twice;			/* the product's name once more */
};

/* Of a PCK certificate; the flags spoil it */
struct sgx_extension {
	uint8_t tcb[16], cpusvn[16], pceid[2], fmspc[6];
	uint16_t pcesvn;
	bool no_ppid;			/* which nobody needs */
	bool twice, two;		/* FMSPC, or the whole extension */
	bool short_fmspc, short_tcb, big_svn;
	int missing;			/* pairs at its end that are not there */
};

struct crl_spec {
	const char *issuer;
	EVP_PKEY *key;
	const EVP_MD *md;
	bool pss;
	int64_t from, until;
	bool no_end;			/* without nextUpdate */
	bool critical;			/* a list of changes only */
	size_t revoked_count;
	long revoked[4];
};

X509 *make_cert(const struct cert_spec *spec);
X509_CRL *make_crl(const struct crl_spec *spec);
uint8_t *crl_der(const struct crl_spec *spec, size_t *len);
void add_extension(X509 *cert, const char *oid, const void *der, size_t len);
void add_amd_extensions(X509 *cert, const void *amd_extensions);
void add_sgx_extension(X509 *cert, const void *sgx_extension);

/* As in earlier runs, but never one that this program has already */
EVP_PKEY *make_rsa(unsigned int bits);
EVP_PKEY *make_ec(const char *group);

/* r and s of @size bytes each, big-endian; they end the program on failure */
void sign_ecdsa(EVP_PKEY *key, const EVP_MD *md, const void *data, size_t len,
		uint8_t *r, uint8_t *s, size_t size);

/* To be freed with free() */
uint8_t *cert_der(X509 *cert, size_t *len);
char *certs_pem(X509 *const *certs, size_t count, size_t *len);

void *need(void *pointer);

#endif /* MAKE_CERTS_H */
