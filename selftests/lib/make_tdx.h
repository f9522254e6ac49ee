/* SPDX-License-Identifier: GPL-2.0 */
/* A TDX quote and its chain, genuine or spoilt in any one way. */
#ifndef MAKE_TDX_H
#define MAKE_TDX_H

#include "cvmguest.h"
#include "make_certs.h"

#define TDX_MAX_QUOTE	16384

/* Described, and made only by tdx_make() */
struct tdx_world {
	struct cert_spec root, ca, pck;
	uint16_t version, body_type, cert_type;
	EVP_PKEY *qe_signer, *attestation, *signer;
	bool no_root, no_ca, no_pck, garbage_chain, reversed, no_qe;
	bool wrong_binding;	/* a hash of something else in the QE report */
	bool binding_tail;	/* not zeros after the hash */
	size_t padding;		/* bytes after the quote */
	bool no_trust, other_trust, given_chain;
	int64_t at;
	const char *report_data;

	uint8_t quote[TDX_MAX_QUOTE];
	size_t len, signed_len, qe_at;	/* where the QE report begins */
};

extern struct tdx_keys {
	EVP_PKEY *root, *ca, *pck, *attestation, *other, *p384;
} tdx_keys;

void tdx_make_keys(void);
void tdx_free_keys(void);

/* Version 4, signed through a platform CA */
struct tdx_world tdx_genuine(void);

void tdx_make(struct tdx_world *w);

/* With what @w says about trust and time; the quote must have been made. */
struct cvm_verifier *tdx_verifier(const struct tdx_world *w);

#endif /* MAKE_TDX_H */
