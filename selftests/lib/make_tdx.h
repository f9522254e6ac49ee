/* SPDX-License-Identifier: GPL-2.0 */
/* A TDX quote and its chain, genuine or spoilt in any one way. */
#ifndef MAKE_TDX_H
#define MAKE_TDX_H

#include <jansson.h>

#include "cvmguest.h"
#include "make_certs.h"

#define TDX_MAX_QUOTE	16384

#define TDX_BODY_SIZE	648

/*
 * Described, and made only by tdx_make() and tdx_collateral(), so that a case can
 * spoil any of it: before it is signed, or after
 */
struct tdx_world {
	struct cert_spec root, ca, pck, tcb_signer;
	struct sgx_extension sgx;
	uint16_t version, body_type, cert_type;
	uint8_t body[TDX_BODY_SIZE], qe_report[384];
	EVP_PKEY *qe_signer, *attestation, *signer;
	bool no_root, no_ca, no_pck, garbage_chain, reversed, ca_last, duplicated, no_qe;
	const char *before_chain, *behind_chain;	/* text, or NULL */
	bool wrong_binding;	/* a hash of something else in the QE report */
	bool binding_tail;	/* not zeros after the hash */
	bool other_vendor;	/* of the quoting enclave */
	size_t padding;		/* bytes after the quote */
	bool no_trust, other_trust, given_chain;

	json_t *tcb_info, *qe_identity;
	struct crl_spec root_crl, pck_crl;
	bool no_collateral, no_tcb_info, no_qe_identity, no_root_crl, no_pck_crl;
	bool no_signer;		/* whose certificate is not there */
	bool signer_reversed;	/* its chain */
	bool signer_own_root;	/* of the right name, with tdx_keys.other */
	bool as_answer;		/* TCB info and QE identity as Intel's service answers */
	EVP_PKEY *tcb_info_key, *qe_identity_key;
	void (*tamper_text)(char *tcb_info, char *qe_identity);	/* after signing */

	int64_t at;
	const char *report_data;
	const char *policy;

	uint8_t quote[TDX_MAX_QUOTE];
	size_t len, signed_len, qe_at;	/* where the QE report begins */
};

extern struct tdx_keys {
	EVP_PKEY *root, *ca, *pck, *attestation, *tcb, *other, *p384;
} tdx_keys;

void tdx_make_keys(void);
void tdx_free_keys(void);

/* Version 4, signed through a platform CA, up to date; tdx_done() when done */
struct tdx_world tdx_genuine(void);
void tdx_done(struct tdx_world *w);

/* Fields of the body, by their offsets: appendix A of the quoting library's manual */
enum {
	TDX_TEE_TCB_SVN = 0, TDX_MRSEAM = 16, TDX_MRSIGNERSEAM = 64, TDX_SEAMATTRIBUTES = 112,
	TDX_TDATTRIBUTES = 120, TDX_XFAM = 128, TDX_MRTD = 136, TDX_MRCONFIGID = 184,
	TDX_MROWNER = 232, TDX_MROWNERCONFIG = 280, TDX_RTMR0 = 328, TDX_RTMR1 = 376,
	TDX_RTMR2 = 424, TDX_RTMR3 = 472, TDX_REPORTDATA = 520, TDX_TEE_TCB_SVN_2 = 584,
	TDX_MRSERVICETD = 600,
};

void tdx_make(struct tdx_world *w);

/* The file of cvm-collateral(5), for free() */
char *tdx_collateral(const struct tdx_world *w);

/* With what @w says about trust, and what is expected; the quote must have been made. */
struct cvm_verifier *tdx_verifier(const struct tdx_world *w);
struct cvm_verify_opts tdx_opts(const struct tdx_world *w);

#endif /* MAKE_TDX_H */
