// SPDX-License-Identifier: MIT
/*
 * What the TPM says of a wrapping key, as whoever relies on it would look at it: "TPM 2.0
 * Library", part 2, TPMS_ATTEST and TPMS_CERTIFY_INFO, taken apart by tpm2-tss.
 */
#include <errno.h>
#include <openssl/bn.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <string.h>
#include <tss2/tss2_mu.h>

#include "common/api.h"
#include "common/cleanup.h"
#include "common/rsa.h"
#include "skr.h"
#include "verify/internal.h"

/* A TPM's 0 is the exponent that everybody takes. */
#define EXPONENT	65537U

static void cleanup_bn(BIGNUM **bn)
{
	BN_free(*bn);
}

static void cleanup_key(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

bool cvm_skr_key_name(const TPMT_PUBLIC *public, uint8_t name[CVM_SKR_NAME])
{
	uint8_t text[CVM_SKR_MAX_TPM];
	size_t len = 0;

	name[0] = TPM2_ALG_SHA256 >> 8;
	name[1] = TPM2_ALG_SHA256 & 0xff;
	return public->nameAlg == TPM2_ALG_SHA256 &&
	       !Tss2_MU_TPMT_PUBLIC_Marshal(public, text, sizeof(text), &len) &&
	       EVP_Digest(text, len, name + 2, NULL, EVP_sha256(), NULL) == 1;
}

const char *cvm_skr_key_fault(const TPMT_PUBLIC *public, const uint8_t policy[CVM_SKR_DIGEST])
{
	const TPMS_RSA_PARMS *rsa = &public->parameters.rsaDetail;

	if (public->type != TPM2_ALG_RSA || public->nameAlg != TPM2_ALG_SHA256 ||
	    rsa->keyBits != 8 * CVM_SKR_RSA || public->unique.rsa.size != CVM_SKR_RSA)
		return "it is no RSA key of 2048 bits";
	/* any other, and somebody else could use it, or have made it, or have it */
	if (public->objectAttributes != CVM_SKR_ATTRIBUTES)
		return "it has other attributes than were asked for";
	if (rsa->symmetric.algorithm != TPM2_ALG_NULL || rsa->scheme.scheme != TPM2_ALG_NULL ||
	    (rsa->exponent && rsa->exponent != EXPONENT))
		return "it is of another scheme than was asked for";
	if (public->authPolicy.size != CVM_SKR_DIGEST ||
	    memcmp(public->authPolicy.buffer, policy, CVM_SKR_DIGEST))
		return "it is bound to other PCRs than was asked for";
	return NULL;
}

static const char *fault(const TPMS_ATTEST *attest, const uint8_t name[CVM_SKR_NAME],
			 const uint8_t nonce[CVM_SKR_NONCE])
{
	const TPM2B_NAME *certified = &attest->attested.certify.name;

	if (attest->magic != TPM2_GENERATED_VALUE)
		return "no TPM has made it";
	/* the attestation key signs quotes and times, too */
	if (attest->type != TPM2_ST_ATTEST_CERTIFY)
		return "it certifies nothing";
	if (attest->extraData.size != CVM_SKR_NONCE ||
	    memcmp(attest->extraData.buffer, nonce, CVM_SKR_NONCE))
		return "it has another nonce";
	if (certified->size != CVM_SKR_NAME || memcmp(certified->name, name, CVM_SKR_NAME))
		return "it is of another key";
	return NULL;
}

static bool parse(const struct cvm_skr_bytes *from, TPMS_ATTEST *attest)
{
	size_t offset = 0;

	memset(attest, 0, sizeof(*attest));
	return !Tss2_MU_TPMS_ATTEST_Unmarshal(from->data, from->len, &offset, attest) &&
	       offset == from->len;
}

int cvm_skr_certified(const struct cvm_skr_wrapping *w, const struct cvm_skr_state *state,
		      EVP_PKEY *ak, struct cvm_error *error)
{
	const char *why = cvm_skr_key_fault(&w->public.publicArea, state->policy);
	uint8_t name[CVM_SKR_NAME];
	TPMS_ATTEST attest;

	if (why)
		return cvm_set_error(error, -EBADMSG, "the TPM's wrapping key: %s", why);
	if (!parse(&w->certify, &attest) || !cvm_skr_key_name(&w->public.publicArea, name))
		return cvm_set_error(error, -EBADMSG, "what the TPM says of the wrapping key is malformed");
	if (!cvm_tpm_is_signed(ak, w->certify.data, w->certify.len, w->certify_signature.data,
			       w->certify_signature.len))
		return cvm_set_error(error, -EBADMSG, "what the TPM says of the wrapping key is not signed by the attestation key that the claims name (HCLAkPub)");
	why = fault(&attest, name, state->nonce);
	return why ? cvm_set_error(error, -EBADMSG, "what the TPM says of the wrapping key: %s", why) : 0;
}

int cvm_skr_spki(const TPMT_PUBLIC *public, uint8_t **spki, uint8_t hash[CVM_SKR_DIGEST])
{
	const TPM2B_PUBLIC_KEY_RSA *modulus = &public->unique.rsa;
	BIGNUM *n __cleanup(cleanup_bn) = BN_bin2bn(modulus->buffer, modulus->size, NULL);
	BIGNUM *e __cleanup(cleanup_bn) = BN_new();
	EVP_PKEY *key __cleanup(cleanup_key) = NULL;
	int len;

	*spki = NULL;
	if (!n || !e || !BN_set_word(e, EXPONENT))
		return -ENOMEM;
	key = cvm_rsa_public(n, e);
	len = key ? i2d_PUBKEY(key, spki) : -1;
	if (len <= 0)
		return -EBADMSG;
	SHA256(*spki, (size_t)len, hash);
	return len;
}
