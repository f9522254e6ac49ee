// SPDX-License-Identifier: MIT
/* A wrapping key, evidence of this VM that names it, and whether all of it belongs together. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/api.h"
#include "common/cleanup.h"
#include "formats/hcl.h"
#include "skr.h"
#include "verify/hcl_claims.h"
#include "verify/internal.h"

static void cleanup_claims(struct cvm_hcl_claims *claims)
{
	EVP_PKEY_free(claims->ak);
}

static void cleanup_verdict(struct cvm_verdict **verdict)
{
	cvm_verdict_free(*verdict);
}

void cvm_skr_parts_free(struct cvm_skr_parts *parts)
{
	cvm_evidence_free(parts->evidence);
	OPENSSL_free(parts->spki);
	parts->evidence = NULL;
	parts->spki = NULL;
}

void cvm_skr_user_data(const uint8_t spki_hash[CVM_SKR_DIGEST],
		       const uint8_t nonce[CVM_SKR_NONCE], uint8_t user_data[CVM_REPORT_DATA_LEN])
{
	memcpy(user_data, spki_hash, CVM_SKR_DIGEST);
	memcpy(user_data + CVM_SKR_DIGEST, nonce, CVM_SKR_NONCE);
}

/* ---- does it belong together */

static int check_quote(const struct cvm_skr_parts *parts, const struct cvm_skr_state *state,
		       EVP_PKEY *ak, struct cvm_error *error)
{
	struct cvm_verdict *v __cleanup(cleanup_verdict) = cvm_verdict_new();
	const struct cvm_skr_wrapping *w = &parts->wrapping;
	const struct cvm_tpm_quote q = {
		.size = sizeof(q), .message = w->quote.data, .message_len = w->quote.len,
		.signature = w->quote_signature.data, .signature_len = w->quote_signature.len,
		.pcrs = parts->pcrs, .pcr_count = CVM_SKR_PCR_COUNT,
	};

	if (!v)
		return cvm_set_error(error, -ENOMEM, "out of memory");
	if (cvm_tpm_check(v, ak, &q, state->nonce, sizeof(state->nonce), true))
		return 0;
	for (size_t i = 0; i < cvm_verdict_count(v); i++) {
		const struct cvm_check *c = cvm_verdict_check(v, i);

		if (c->state == CVM_CHECK_FAILED)
			return cvm_set_error(error, strcmp(c->name, "tpm_pcrs") ? -EBADMSG : -EAGAIN,
					     "the TPM's quote: %s%s", c->reason,
					     strcmp(c->name, "tpm_pcrs") ? "" : ": they were extended meanwhile; ask again");
	}
	return -EBADMSG;
}

/*
 * All is signed by the key that the claims name. That the TPM's is this one was seen when the
 * evidence was gathered, so it is not compared once more.
 */
static int check(const struct cvm_skr_parts *parts, const struct cvm_skr_state *state,
		 struct cvm_error *error)
{
	struct cvm_hcl_claims claims __cleanup(cleanup_claims) = { 0 };
	int rc = cvm_hcl_claims_parse(parts->claims, &claims, error);

	if (!rc)
		rc = cvm_skr_certified(&parts->wrapping, state, claims.ak, error);
	return rc ? rc : check_quote(parts, state, claims.ak, error);
}

/* ---- evidence */

static int take(struct cvm_skr_parts *parts, struct cvm_error *error)
{
	struct cvm_tpm_quote quote = { .size = sizeof(quote) };
	struct cvm_hcl_report hcl;
	struct cvm_format_error err;
	size_t len;
	const void *data = cvm_evidence_data(parts->evidence, &len);

	if (cvm_evidence_type(parts->evidence) != CVM_EVIDENCE_HCL_REPORT ||
	    cvm_evidence_tpm_quote(parts->evidence, &quote))
		return cvm_set_error(error, -EOPNOTSUPP, "this is no confidential VM of Azure's: its evidence is of another kind");
	if (cvm_hcl_parse(data, len, &hcl, &err))
		return cvm_set_error(error, -EBADMSG, "the paravisor's report is malformed");
	if (quote.pcr_count != CVM_SKR_PCR_COUNT)
		return cvm_set_error(error, -EBADMSG, "the quote of the vTPM is not of all PCRs");
	parts->td = hcl.report_type != CVM_HCL_SNP;
	parts->hardware = hcl.hw_report;
	parts->claims = hcl.claims;
	parts->pcrs = quote.pcrs;
	parts->td_quote.data = cvm_evidence_td_quote(parts->evidence, &parts->td_quote.len);
	return 0;
}

static int attest(struct cvm_ctx *ctx, const struct cvm_skr_state *state,
		  struct cvm_skr_parts *parts, struct cvm_error *error)
{
	uint8_t hash[CVM_SKR_DIGEST], user_data[CVM_REPORT_DATA_LEN];
	int len = cvm_skr_spki(&parts->wrapping.public.publicArea, &parts->spki, hash), rc;

	if (len < 0)
		return cvm_set_error(error, len, "the TPM's wrapping key is no RSA key");
	parts->spki_len = (size_t)len;
	cvm_skr_user_data(hash, state->nonce, user_data);
	rc = cvm_attest(ctx, user_data, NULL, &parts->evidence, error);
	return rc ? rc : take(parts, error);
}

int cvm_skr_gather(struct cvm_ctx *ctx, struct cvm_tpm *tpm, struct cvm_skr_state *state,
		   struct cvm_skr_parts *parts, struct cvm_error *error)
{
	int rc;

	memset(parts, 0, sizeof(*parts));
	rc = cvm_skr_wrapping_make(tpm, state, &parts->wrapping, error);
	if (!rc)
		rc = attest(ctx, state, parts, error);
	return rc ? rc : check(parts, state, error);
}
