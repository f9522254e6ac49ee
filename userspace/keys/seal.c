// SPDX-License-Identifier: MIT
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/random.h>
#include <tss2/tss2_mu.h>

#include "common/api.h"
#include "common/cleanup.h"
#include "secret.h"
#include "tpm.h"

/* no password, no policy but the PCRs', no other TPM, no other parent */
#define ATTRIBUTES	(TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_NODA)

/* the TPM vouches for it with the rest: nothing that was sealed for another use is taken */
static const char use[] = "cvm-guest secret 1";

/**
 * struct parts - what a struct cvm_sealed is made of
 * @public: of the sealed object
 * @private: of it, encrypted by its parent
 * @creation: under what it was made
 * @hash: of that
 * @ticket: that it was
 */
struct parts {
	TPM2B_PUBLIC public;
	TPM2B_PRIVATE private;
	TPM2B_CREATION_DATA creation;
	TPM2B_DIGEST hash;
	TPMT_TK_CREATION ticket;
};

static void wipe_sensitive(TPM2B_SENSITIVE_CREATE *sensitive)
{
	OPENSSL_cleanse(sensitive, sizeof(*sensitive));
}

#define __cleanup_sensitive	__cleanup(wipe_sensitive)

static void wipe_data(TPM2B_SENSITIVE_DATA **data)
{
	if (*data)
		OPENSSL_cleanse(*data, sizeof(**data));
	Esys_Free(*data);
}

#define __cleanup_data	__cleanup(wipe_data)

static int pack(struct cvm_sealed *sealed, const TPM2B_PUBLIC *public,
		const TPM2B_PRIVATE *private, const TPM2B_CREATION_DATA *creation,
		const TPMT_TK_CREATION *ticket, struct cvm_error *error)
{
	uint8_t *to = sealed->bytes;
	size_t at = 0;

	/* a record is compared as a whole */
	memset(sealed->bytes, 0, sizeof(sealed->bytes));
	if (Tss2_MU_TPM2B_PUBLIC_Marshal(public, to, sizeof(sealed->bytes), &at) ||
	    Tss2_MU_TPM2B_PRIVATE_Marshal(private, to, sizeof(sealed->bytes), &at) ||
	    Tss2_MU_TPM2B_CREATION_DATA_Marshal(creation, to, sizeof(sealed->bytes), &at) ||
	    Tss2_MU_TPMT_TK_CREATION_Marshal(ticket, to, sizeof(sealed->bytes), &at))
		return cvm_set_error(error, -EIO, "what the TPM has sealed is longer than a record may have");
	sealed->len = (uint32_t)at;
	return 0;
}

/* all of it, and nothing behind; @hashed: out: where TPMS_CREATION_DATA is */
static bool unmarshal(const struct cvm_sealed *sealed, struct parts *parts, size_t *hashed,
		      size_t *end)
{
	const uint8_t *from = sealed->bytes;
	size_t at = 0, len = sealed->len;

	if (Tss2_MU_TPM2B_PUBLIC_Unmarshal(from, len, &at, &parts->public) ||
	    Tss2_MU_TPM2B_PRIVATE_Unmarshal(from, len, &at, &parts->private))
		return false;
	*hashed = at + sizeof(UINT16);
	if (Tss2_MU_TPM2B_CREATION_DATA_Unmarshal(from, len, &at, &parts->creation))
		return false;
	*end = at;
	return !Tss2_MU_TPMT_TK_CREATION_Unmarshal(from, len, &at, &parts->ticket) &&
	       at == len && *hashed <= *end;
}

static int unpack(const struct cvm_sealed *sealed, struct parts *parts, struct cvm_error *error)
{
	struct cvm_sealed again;
	size_t hashed, end;

	memset(parts, 0, sizeof(*parts));
	/* lengths that say the same twice are not all looked at by who takes it apart */
	if (!unmarshal(sealed, parts, &hashed, &end) ||
	    pack(&again, &parts->public, &parts->private, &parts->creation, &parts->ticket, NULL) ||
	    again.len != sealed->len || memcmp(again.bytes, sealed->bytes, again.len))
		return cvm_set_error(error, -EBADMSG, "what is said to be sealed by a TPM is nothing of the kind");
	parts->hash.size = CVM_TPM_DIGEST;
	if (EVP_Digest(sealed->bytes + hashed, end - hashed, parts->hash.buffer, NULL,
		       EVP_sha256(), NULL) != 1)
		return cvm_set_error(error, -EIO, "SHA-256 cannot be computed");
	return 0;
}

/* The library keeps what was to be sealed until it is given something else to seal. */
static void overwrite_sensitive(struct cvm_tpm *tpm, const TPM2B_PUBLIC *template)
{
	const TPM2B_SENSITIVE_CREATE zeros = { .sensitive.data.size = CVM_SEAL_SECRET };
	const TPML_PCR_SELECTION none = { 0 };
	const TPM2B_DATA nothing = { 0 };

	Esys_Create(tpm->esys, tpm->parent,
		    cvm_tpm_session(tpm, TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT),
		    ESYS_TR_NONE, ESYS_TR_NONE, &zeros, template, &nothing, &none,
		    NULL, NULL, NULL, NULL, NULL);
	cvm_tpm_overwrite(tpm);
}

static int create(struct cvm_tpm *tpm, struct cvm_sealed *sealed, const TPM2B_DIGEST *policy,
		  struct cvm_error *error)
{
	__cleanup_sensitive TPM2B_SENSITIVE_CREATE sensitive = {
		.sensitive.data.size = CVM_SEAL_SECRET,
	};
	__cleanup_esys TPM2B_PRIVATE *private = NULL;
	__cleanup_esys TPM2B_PUBLIC *public = NULL;
	__cleanup_esys TPM2B_CREATION_DATA *creation = NULL;
	__cleanup_esys TPMT_TK_CREATION *ticket = NULL;
	TPM2B_PUBLIC template = {
		.publicArea = {
			.type = TPM2_ALG_KEYEDHASH,
			.nameAlg = TPM2_ALG_SHA256,
			.objectAttributes = ATTRIBUTES,
			.authPolicy = *policy,
			.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL,
		},
	};
	TPM2B_DATA outside = { .size = sizeof(use) };
	TPML_PCR_SELECTION selection;
	TSS2_RC rc;

	if (getrandom(sensitive.sensitive.data.buffer, CVM_SEAL_SECRET, 0) != CVM_SEAL_SECRET)
		return cvm_set_error(error, -EIO, "no random numbers");
	memcpy(outside.buffer, use, sizeof(use));
	cvm_tpm_selection(sealed->pcrs, &selection);
	rc = Esys_Create(tpm->esys, tpm->parent,
			 cvm_tpm_session(tpm, TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT),
			 ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &template, &outside, &selection,
			 &private, &public, &creation, NULL, &ticket);
	overwrite_sensitive(tpm, &template);
	if (rc)
		return cvm_tpm_error(error, rc, "sealing");
	return pack(sealed, public, private, creation, ticket, error);
}

/* What is measured by nobody is not bound to: it only looks so. */
static int check_touched(const struct cvm_tpm_pcrs *now, struct cvm_error *error)
{
	char text[CVM_PCRS_TEXT];

	if (!now->untouched)
		return 0;
	return cvm_set_error(error, -EACCES, "nothing has been measured into the TPM's PCRs %s: they say nothing of what has booted",
			     cvm_pcrs_text(now->untouched, text));
}

int cvm_tpm_seal(struct cvm_tpm *tpm, struct cvm_sealed *sealed, struct cvm_error *error)
{
	__cleanup_secret_time struct cvm_secret_time time = { 0 };
	struct cvm_tpm_pcrs now;
	int rc = cvm_pcrs_check(sealed->pcrs, error);

	if (!rc)
		rc = cvm_tpm_parent(tpm, NULL, error);
	if (!rc)
		rc = cvm_tpm_pcrs(tpm, sealed->pcrs, &now, error);
	if (!rc)
		rc = check_touched(&now, error);
	if (rc)
		return rc;
	cvm_secret_begin(&time);
	return create(tpm, sealed, &now.policy, error);
}

static bool same(const TPM2B_DIGEST *a, const TPM2B_DIGEST *b)
{
	return a->size == b->size && !memcmp(a->buffer, b->buffer, a->size);
}

/* It is to be had under this policy only, by which it could be had all the time. */
static int check_public(const struct parts *parts, const TPM2B_DIGEST *policy, uint32_t pcrs,
			struct cvm_error *error)
{
	const TPMT_PUBLIC *public = &parts->public.publicArea;
	char text[CVM_PCRS_TEXT];

	if (public->type != TPM2_ALG_KEYEDHASH || public->nameAlg != TPM2_ALG_SHA256 ||
	    public->objectAttributes != ATTRIBUTES ||
	    public->parameters.keyedHashDetail.scheme.scheme != TPM2_ALG_NULL)
		return cvm_set_error(error, -EBADMSG, "what is sealed is not as cvmctl seals");
	if (same(&public->authPolicy, policy))
		return 0;
	return cvm_set_error(error, -ESTALE, "the TPM's PCRs %s are not what they were when the secret was sealed: something else has booted, or has been measured since",
			     cvm_pcrs_text(pcrs, text));
}

static int check_creation(const struct parts *parts, const TPM2B_DIGEST *digest, uint32_t pcrs,
			  struct cvm_error *error)
{
	const TPMS_CREATION_DATA *made = &parts->creation.creationData;
	const TPMS_PCR_SELECTION *have = &made->pcrSelect.pcrSelections[0], *want;
	TPML_PCR_SELECTION selection;

	cvm_tpm_selection(pcrs, &selection);
	want = &selection.pcrSelections[0];
	if (made->pcrSelect.count == 1 && have->hash == want->hash &&
	    have->sizeofSelect == want->sizeofSelect &&
	    !memcmp(have->pcrSelect, want->pcrSelect, want->sizeofSelect) &&
	    same(&made->pcrDigest, digest) && made->outsideInfo.size == sizeof(use) &&
	    !memcmp(made->outsideInfo.buffer, use, sizeof(use)))
		return 0;
	return cvm_set_error(error, -EBADMSG, "the secret was not sealed by a system that was measured as this one is: whoever sealed it knows it");
}

/* @object: out: for cvm_tpm_flush() */
static int load(struct cvm_tpm *tpm, const struct parts *parts, ESYS_TR *object,
		struct cvm_error *error)
{
	static const TPMT_SIG_SCHEME none = { .scheme = TPM2_ALG_NULL };
	__cleanup_esys TPMT_SIGNATURE *signature = NULL;
	__cleanup_esys TPM2B_ATTEST *attest = NULL;
	const TPM2B_DATA nothing = { 0 };
	TSS2_RC rc = Esys_Load(tpm->esys, tpm->parent,
			       cvm_tpm_session(tpm, TPMA_SESSION_DECRYPT), ESYS_TR_NONE,
			       ESYS_TR_NONE, &parts->private, &parts->public, object);

	if (rc)
		return cvm_tpm_error(error, rc, "what is sealed");
	/* nobody signs; the ticket is looked at all the same, and the session vouches for it */
	rc = Esys_CertifyCreation(tpm->esys, ESYS_TR_RH_NULL, *object, ESYS_TR_PASSWORD,
				  cvm_tpm_session(tpm, TPMA_SESSION_ENCRYPT), ESYS_TR_NONE,
				  &nothing, &parts->hash, &none, &parts->ticket, &attest,
				  &signature);
	if (!rc)
		return 0;
	cvm_tpm_flush(tpm, object);
	return cvm_tpm_error(error, rc, "who sealed it");
}

/* @object: out: loaded, and to be had */
static int check(struct cvm_tpm *tpm, const struct cvm_sealed *sealed, ESYS_TR *object,
		 struct cvm_error *error)
{
	struct cvm_tpm_pcrs now;
	struct parts parts;
	int rc = unpack(sealed, &parts, error);

	/* another TPM is said before other PCRs, which it has too */
	if (!rc)
		rc = cvm_tpm_parent(tpm, &parts.creation.creationData.parentName, error);
	if (!rc)
		rc = cvm_tpm_pcrs(tpm, sealed->pcrs, &now, error);
	if (!rc)
		rc = check_public(&parts, &now.policy, sealed->pcrs, error);
	if (!rc)
		rc = check_creation(&parts, &now.digest, sealed->pcrs, error);
	if (!rc)
		rc = check_touched(&now, error);
	return rc ? rc : load(tpm, &parts, object, error);
}

int cvm_sealed_check(struct cvm_tpm *tpm, const struct cvm_sealed *sealed, struct cvm_error *error)
{
	ESYS_TR object = ESYS_TR_NONE;
	int rc = check(tpm, sealed, &object, error);

	cvm_tpm_flush(tpm, &object);
	return rc;
}

static TSS2_RC unseal(struct cvm_tpm *tpm, ESYS_TR object, uint32_t pcrs,
		      TPM2B_SENSITIVE_DATA **data)
{
	ESYS_TR policy;
	TSS2_RC rc = cvm_tpm_policy(tpm, pcrs, &policy);

	if (!rc)
		rc = Esys_Unseal(tpm->esys, object, policy,
				 cvm_tpm_session(tpm, TPMA_SESSION_ENCRYPT), ESYS_TR_NONE, data);
	cvm_tpm_flush(tpm, &policy);
	return rc;
}

int cvm_tpm_unseal(struct cvm_tpm *tpm, const struct cvm_sealed *sealed,
		   uint8_t secret[CVM_SEAL_SECRET], struct cvm_error *error)
{
	__cleanup_secret_time struct cvm_secret_time time = { 0 };
	__cleanup_data TPM2B_SENSITIVE_DATA *data = NULL;
	ESYS_TR object = ESYS_TR_NONE;
	TSS2_RC answer;
	int rc = check(tpm, sealed, &object, error);

	if (rc)
		return rc;
	cvm_secret_begin(&time);
	answer = unseal(tpm, object, sealed->pcrs, &data);
	cvm_tpm_overwrite(tpm);
	cvm_tpm_flush(tpm, &object);
	if (answer)
		return cvm_tpm_error(error, answer, "what is sealed");
	if (data->size != CVM_SEAL_SECRET)
		return cvm_set_error(error, -EBADMSG, "what is sealed is not as cvmctl seals");
	memcpy(secret, data->buffer, CVM_SEAL_SECRET);
	return 0;
}
