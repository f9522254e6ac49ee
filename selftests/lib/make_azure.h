/* SPDX-License-Identifier: GPL-2.0 */
/* Evidence of an Azure guest, genuine or spoilt in any one way. */
#ifndef MAKE_AZURE_H
#define MAKE_AZURE_H

#include <jansson.h>
#include <tss2/tss2_tpm2_types.h>

#include "make_log.h"
#include "make_snp.h"
#include "make_tdx.h"

#define AZURE_MAX_HCL	4096

/* Described, and made only by azure_make(), so that a case can spoil any of it */
struct azure_world {
	bool is_td;
	struct snp_world snp;		/* or */
	struct tdx_world tdx;		/* whose quote comes beside */

	json_t *claims;
	uint32_t version, report_type, hash_type;
	size_t padding;			/* bytes after the claims */
	void (*tamper)(struct azure_world *w);	/* with what was made */
	void (*misform)(struct azure_world *w);	/* the quote, before it is signed */

	EVP_PKEY *quote_signer;
	TPMS_ATTEST attest;		/* pcrDigest is filled in, unless it has a size */
	uint8_t pcrs[24 * 32];
	size_t pcr_count;
	struct made_log log;		/* comes along if it is not empty; its PCRs are not ours */
	bool no_td_quote, no_tpm_quote;
	bool other_td;			/* the quote's TD measures otherwise than the TDREPORT's */

	uint8_t hcl[AZURE_MAX_HCL];
	size_t len;
	uint8_t message[sizeof(TPMS_ATTEST)], signature[512];
	size_t message_len, signature_len;
};

extern struct azure_keys {
	EVP_PKEY *ak, *other, *small, *ec;
} azure_keys;

/* After those of snp and tdx */
void azure_make_keys(void);
void azure_free_keys(void);

/* user-data of 64 bytes 0xd5, a quote of 16 PCRs; azure_done() when done */
struct azure_world azure_genuine(bool is_td);
void azure_done(struct azure_world *w);
void azure_set_user_data(struct azure_world *w, const uint8_t user_data[64]);
json_t *azure_make_key(const char *kid, EVP_PKEY *key);

void azure_make(struct azure_world *w);
struct cvm_verifier *azure_verifier(struct azure_world *w);

/* @quote: filled in, and lives as long as the answer; binding azure, nothing expected */
struct cvm_verify_opts azure_opts(const struct azure_world *w, struct cvm_tpm_quote *quote);

#endif /* MAKE_AZURE_H */
