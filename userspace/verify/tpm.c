// SPDX-License-Identifier: MIT
/*
 * A quote of a TPM: "TPM 2.0 Library", part 2, TPMS_ATTEST and TPMS_QUOTE_INFO,
 * taken apart by tpm2-tss.
 */
#include <openssl/rsa.h>
#include <tss2/tss2_mu.h>

#include "driver/merkle.h"
#include "internal.h"

static void cleanup_md_ctx(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

bool cvm_tpm_is_signed(EVP_PKEY *key, const void *message, size_t message_len,
		       const void *signature, size_t signature_len)
{
	EVP_MD_CTX *ctx __cleanup(cleanup_md_ctx) = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pkey;

	return ctx && EVP_DigestVerifyInit(ctx, &pkey, EVP_sha256(), NULL, key) == 1 &&
	       EVP_PKEY_CTX_set_rsa_padding(pkey, RSA_PKCS1_PADDING) == 1 &&
	       EVP_DigestVerify(ctx, signature, signature_len, message, message_len) == 1;
}

/*
 * An attestation key signs nothing that begins with TPM_GENERATED but what the TPM
 * itself made; of that, quotes and certifications are told apart by their type.
 */
static bool parse(struct cvm_verdict *v, const struct cvm_tpm_quote *q, TPMS_ATTEST *attest)
{
	size_t offset = 0;

	if (Tss2_MU_TPMS_ATTEST_Unmarshal(q->message, q->message_len, &offset, attest) !=
	    TSS2_RC_SUCCESS || offset != q->message_len)
		return cvm_fail(v, "tpm_quote", "the message is no TPMS_ATTEST");
	if (attest->magic != TPM2_GENERATED_VALUE)
		return cvm_fail(v, "tpm_quote", "magic is 0x%08x: no TPM made this", attest->magic);
	if (attest->type != TPM2_ST_ATTEST_QUOTE)
		return cvm_fail(v, "tpm_quote", "type is 0x%04x, expected 0x8018 (a quote)",
				attest->type);
	return true;
}

static bool check_batch(struct cvm_verdict *v, bool reserved, size_t len)
{
	if (!reserved || len != CVM_TPM48_SIZE)
		return cvm_fail(v, "tpm_nonce", "this is no batch evidence");
	return cvm_skip(v, "tpm_nonce", "batch evidence, whose proofs are to be checked");
}

static bool check_nonce(struct cvm_verdict *v, const TPM2B_DATA *extra, const uint8_t *nonce,
			size_t len, bool batch)
{
	/* what is shorter has zeros behind it */
	bool reserved = cvm_user_data_reserved(extra->buffer);

	if (!nonce && v->batch)
		return check_batch(v, reserved, extra->size);
	if (!nonce)
		return cvm_miss(v, "tpm_nonce",
				"nothing to expect was given: nothing says that this is fresh");
	/* whatever the nonce is: there is no way from one kind to the other */
	if (reserved && !batch)
		return cvm_fail(v, "tpm_nonce",
				"this is batch evidence: what was asked for, and a proof of it, are needed");
	if (extra->size != len || (len && memcmp(extra->buffer, nonce, len)))
		return cvm_fail(v, "tpm_nonce", "extraData is another than the expected one");
	return cvm_pass(v, "tpm_nonce", "extraData is the expected one");
}

static bool is_selected(const TPMS_PCR_SELECTION *s, size_t pcr)
{
	return pcr / 8 < s->sizeofSelect && s->pcrSelect[pcr / 8] & 1U << pcr % 8;
}

/* The digest of those that are selected, in order; false where one was not given */
static bool hash_pcrs(const TPMS_PCR_SELECTION *s, const struct cvm_tpm_quote *q,
		      uint8_t digest[32])
{
	EVP_MD_CTX *ctx __cleanup(cleanup_md_ctx) = EVP_MD_CTX_new();

	if (!ctx || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
		return false;
	for (size_t i = 0; i < 8U * s->sizeofSelect; i++)
		if (is_selected(s, i) && (i >= q->pcr_count ||
					  EVP_DigestUpdate(ctx, q->pcrs + 32 * i, 32) != 1))
			return false;
	return EVP_DigestFinal_ex(ctx, digest, NULL) == 1;
}

static bool check_pcrs(struct cvm_verdict *v, const TPMS_QUOTE_INFO *info,
		       const struct cvm_tpm_quote *q)
{
	const TPMS_PCR_SELECTION *s = &info->pcrSelect.pcrSelections[0];
	uint8_t digest[32];

	if (info->pcrSelect.count != 1 || s->hash != TPM2_ALG_SHA256 ||
	    s->sizeofSelect > sizeof(s->pcrSelect))
		return cvm_fail(v, "tpm_pcrs", "the quote is not of the SHA-256 bank alone");
	if (!hash_pcrs(s, q, digest))
		return cvm_fail(v, "tpm_pcrs", "the quote is of PCRs whose values were not given");
	if (info->pcrDigest.size != sizeof(digest) ||
	    memcmp(info->pcrDigest.buffer, digest, sizeof(digest)))
		return cvm_fail(v, "tpm_pcrs", "the values are not those that the quote is of");
	v->facts.has_pcrs = true;
	for (uint32_t i = 0; i < q->pcr_count; i++)
		if (is_selected(s, i)) {
			v->facts.pcr_mask |= 1U << i;
			memcpy(v->facts.pcrs[i], q->pcrs + 32 * i, 32);
		}
	return cvm_pass(v, "tpm_pcrs", "the values are those that the quote is of");
}

bool cvm_tpm_check(struct cvm_verdict *v, EVP_PKEY *key, const struct cvm_tpm_quote *quote,
		   const uint8_t *nonce, size_t nonce_len, bool batch)
{
	TPMS_ATTEST attest = { 0 };
	bool fresh, pcrs;

	if (!parse(v, quote, &attest))
		return false;
	if (!cvm_tpm_is_signed(key, quote->message, quote->message_len, quote->signature,
			       quote->signature_len))
		return cvm_fail(v, "tpm_quote", "the signature is not by the attestation key");
	cvm_pass(v, "tpm_quote", "signed by the attestation key that the claims have");
	fresh = check_nonce(v, &attest.extraData, nonce, nonce_len, batch);
	pcrs = check_pcrs(v, &attest.attested.quote, quote);
	v->tpm_data_len = attest.extraData.size;
	memcpy(v->tpm_data, attest.extraData.buffer, attest.extraData.size);
	v->facts.has_reset_count = true;
	v->facts.reset_count = attest.clockInfo.resetCount;
	return fresh && pcrs;
}
