/* SPDX-License-Identifier: GPL-2.0 */
/* An SNP report and its chain, genuine or spoilt in any one way. */
#ifndef MAKE_SNP_H
#define MAKE_SNP_H

#include "cvmguest.h"
#include "formats/snp_report.h"
#include "make_certs.h"

/* Described, and made only by snp_verify(), so that a case can spoil any of it */
struct snp_world {
	struct cert_spec ark, ask, leaf;
	struct amd_extensions amd;
	uint8_t report[CVM_SNP_REPORT_SIZE];
	EVP_PKEY *signer;
	bool no_ark, no_ask, no_leaf, no_trust, other_trust, as_pem, reversed, duplicated;
	struct crl_spec crl;	/* by the ARK */
	bool no_crl;
	int64_t at;
	const char *report_data;
	const char *policy;
	void (*tamper)(struct snp_world *w);	/* after signing */
};

extern struct snp_keys {
	EVP_PKEY *ark, *ask, *leaf, *p256, *other, *rsa2048;
} snp_keys;

void snp_make_keys(void);
void snp_free_keys(void);

/* Version 3, Genoa, signed by its VCEK; others become of it */
struct snp_world snp_genuine(void);
void snp_make_milan(struct snp_world *w);	/* version 2 */
void snp_make_turin(struct snp_world *w);	/* version 5 */
void snp_make_vlek(struct snp_world *w);

void snp_put64(struct snp_world *w, size_t at, uint64_t v);
uint64_t snp_get64(const struct snp_world *w, size_t at);

void snp_sign(struct snp_world *w);
/* With what @w says about certificates and trust, and what is expected */
struct cvm_verifier *snp_verifier(struct snp_world *w);
struct cvm_verify_opts snp_opts(const struct snp_world *w);

int snp_verify(struct snp_world *w, struct cvm_verdict **verdict);

#endif /* MAKE_SNP_H */
