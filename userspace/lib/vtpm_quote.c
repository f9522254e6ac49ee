// SPDX-License-Identifier: MIT
/* A quote of the vTPM: which system the guest runs, which its report does not say. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <string.h>

#include "common/tpm_error.h"
#include "verify/internal.h"
#include "vtpm.h"

/* as often, if PCRs are extended between reading and quoting them */
#define MAX_TRIES	16

/* A TPM's 0 is the exponent that everybody takes. */
#define DEFAULT_EXPONENT	65537U

static const TPML_PCR_SELECTION all_pcrs = {
	.count = 1,
	.pcrSelections[0] = { .hash = TPM2_ALG_SHA256, .sizeofSelect = 3,
			      .pcrSelect = { 0xff, 0xff, 0xff } },
};

static void cleanup_bn(BIGNUM **bn)
{
	BN_free(*bn);
}

static void cleanup_verdict(struct cvm_verdict **verdict)
{
	cvm_verdict_free(*verdict);
}

static bool is_number(EVP_PKEY *key, const char *name, const uint8_t *bytes, size_t len)
{
	BIGNUM *has __cleanup(cleanup_bn) = NULL;
	BIGNUM *is __cleanup(cleanup_bn) = BN_bin2bn(bytes, (int)len, NULL);

	return is && EVP_PKEY_get_bn_param(key, name, &has) == 1 && !BN_cmp(has, is);
}

/* The key can be made anew by who owns the TPM; the claims, which the hardware signed, say. */
static bool is_ak(EVP_PKEY *ak, const TPMT_PUBLIC *public)
{
	uint32_t exponent = public->parameters.rsaDetail.exponent;
	const TPM2B_PUBLIC_KEY_RSA *modulus = &public->unique.rsa;
	uint8_t bytes[4];

	if (public->type != TPM2_ALG_RSA)
		return false;
	exponent = exponent ? exponent : DEFAULT_EXPONENT;
	for (int i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(exponent >> 8 * (3 - i));
	return is_number(ak, OSSL_PKEY_PARAM_RSA_N, modulus->buffer, modulus->size) &&
	       is_number(ak, OSSL_PKEY_PARAM_RSA_E, bytes, sizeof(bytes));
}

static int find_ak(struct cvm_vtpm *vtpm, EVP_PKEY *ak, ESYS_TR *key, struct cvm_error *error)
{
	__cleanup_esys TPM2B_PUBLIC *public = NULL;
	TSS2_RC rc = Esys_TR_FromTPMPublic(vtpm->esys, CVM_VTPM_AK, ESYS_TR_NONE, ESYS_TR_NONE,
					   ESYS_TR_NONE, key);

	if (!rc)
		rc = Esys_ReadPublic(vtpm->esys, *key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				     &public, NULL, NULL);
	if (rc && cvm_tpm_code(rc) == TPM2_RC_HANDLE)
		return cvm_set_error(error, -EIO, "the vTPM: there is no attestation key 0x%x, which the paravisor has put there: restart this VM",
				     CVM_VTPM_AK);
	if (rc)
		return cvm_tpm_error(error, rc, "its attestation key");
	if (!is_ak(ak, &public->publicArea))
		return cvm_set_error(error, -EBADMSG, "the vTPM: key 0x%x is not the attestation key that the claims name (HCLAkPub): somebody has put another one there",
				     CVM_VTPM_AK);
	return 0;
}

/* At most eight come at a time; @mask: those that are wanted yet. */
static int read_some(struct cvm_vtpm *vtpm, uint8_t *pcrs, uint32_t *mask,
		     struct cvm_error *error)
{
	__cleanup_esys TPML_PCR_SELECTION *out = NULL;
	__cleanup_esys TPML_DIGEST *digests = NULL;
	TPML_PCR_SELECTION in = all_pcrs;
	uint32_t came = 0, next = 0;
	TSS2_RC rc;

	for (int i = 0; i < 3; i++)
		in.pcrSelections[0].pcrSelect[i] = (BYTE)(*mask >> 8 * i);
	rc = Esys_PCR_Read(vtpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &in, NULL, &out,
			   &digests);
	if (rc)
		return cvm_tpm_error(error, rc, "its PCRs");
	for (int i = 0; out->count == 1 && i < 3 && i < out->pcrSelections[0].sizeofSelect; i++)
		came |= (uint32_t)out->pcrSelections[0].pcrSelect[i] << 8 * i;
	came &= *mask;
	if (!came || digests->count != (UINT32)__builtin_popcount(came))
		return cvm_set_error(error, -EOPNOTSUPP, "the vTPM: it has no SHA-256 PCRs: nothing says which system the guest runs");
	for (uint32_t pcr = 0; pcr < CVM_PCR_COUNT; pcr++) {
		if (!(came & 1U << pcr))
			continue;
		if (digests->digests[next].size != CVM_PCR_LEN)
			return cvm_set_error(error, -EBADMSG, "the vTPM: PCR %u has another length", pcr);
		memcpy(pcrs + CVM_PCR_LEN * pcr, digests->digests[next++].buffer, CVM_PCR_LEN);
	}
	*mask &= ~came;
	return 0;
}

static int read_pcrs(struct cvm_vtpm *vtpm, uint8_t *pcrs, struct cvm_error *error)
{
	uint32_t mask = (1U << CVM_PCR_COUNT) - 1;
	int rc = 0;

	while (!rc && mask)
		rc = read_some(vtpm, pcrs, &mask, error);
	return rc;
}

static int quote(struct cvm_vtpm *vtpm, ESYS_TR key, const TPM2B_DATA *nonce,
		 struct cvm_azure *azure, struct cvm_error *error)
{
	const TPMT_SIG_SCHEME scheme = { .scheme = TPM2_ALG_NULL };
	__cleanup_esys TPMT_SIGNATURE *signature = NULL;
	__cleanup_esys TPM2B_ATTEST *message = NULL;
	const TPM2B_PUBLIC_KEY_RSA *rsa;
	TSS2_RC rc = Esys_Quote(vtpm->esys, key, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
				nonce, &scheme, &all_pcrs, &message, &signature);

	if (rc)
		return cvm_tpm_error(error, rc, "a quote by its attestation key");
	rsa = &signature->signature.rsassa.sig;
	if (signature->sigAlg != TPM2_ALG_RSASSA || message->size > sizeof(azure->message) ||
	    rsa->size > sizeof(azure->signature))
		return cvm_set_error(error, -EBADMSG, "the vTPM: its quote is of another form than RSASSA");
	memcpy(azure->message, message->attestationData, message->size);
	azure->message_len = message->size;
	memcpy(azure->signature, rsa->buffer, rsa->size);
	azure->signature_len = rsa->size;
	return 0;
}

/* As the relying party will: signed by the claims' key, about this, of these PCRs */
int cvm_vtpm_check(const struct cvm_azure *azure, EVP_PKEY *ak, const uint8_t *nonce, size_t len,
		   struct cvm_error *error)
{
	struct cvm_verdict *v __cleanup(cleanup_verdict) = cvm_verdict_new();
	const struct cvm_tpm_quote q = {
		.size = sizeof(q), .message = azure->message, .message_len = azure->message_len,
		.signature = azure->signature, .signature_len = azure->signature_len,
		.pcrs = azure->pcrs, .pcr_count = CVM_PCR_COUNT,
	};

	if (!v)
		return cvm_set_error(error, -ENOMEM, "out of memory");
	/* whose part it is to refuse one kind for the other is not ours */
	if (cvm_tpm_check(v, ak, &q, nonce, len, true))
		return 0;
	for (size_t i = 0; i < cvm_verdict_count(v); i++) {
		const struct cvm_check *c = cvm_verdict_check(v, i);

		if (c->state == CVM_CHECK_FAILED)
			return cvm_set_error(error, strcmp(c->name, "tpm_pcrs") ? -EBADMSG : -EAGAIN,
					     "the vTPM: its quote: %s", c->reason);
	}
	return cvm_set_error(error, -EBADMSG, "the vTPM: its quote does not hold");
}

int cvm_vtpm_quote(struct cvm_vtpm *vtpm, EVP_PKEY *ak, const uint8_t *nonce, size_t len,
		   struct cvm_azure *azure, struct cvm_error *error)
{
	TPM2B_DATA data = { .size = (UINT16)len };
	ESYS_TR key;
	int rc = find_ak(vtpm, ak, &key, error);

	if (rc)
		return rc;
	memcpy(data.buffer, nonce, len);
	rc = -EAGAIN;
	for (int i = 0; rc == -EAGAIN && i < MAX_TRIES; i++) {
		rc = read_pcrs(vtpm, azure->pcrs, error);
		if (!rc)
			rc = quote(vtpm, key, &data, azure, error);
		if (!rc)
			rc = cvm_vtpm_check(azure, ak, nonce, len, error);
	}
	return rc == -EAGAIN ? cvm_set_error(error, -EBUSY, "the vTPM: others extend PCRs faster than they can be quoted; ask again later") : rc;
}
