// SPDX-License-Identifier: MIT
/*
 * The wrapping key: a primary key of the NULL hierarchy, whose seed is another after each
 * reset. The TPM makes it again whenever it is asked with the same template, so nothing of it
 * has to be kept but that; and who does not know the 32 random bytes in its unique field,
 * which the public area does not show, cannot ask.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_tctildr.h>

#include "common/api.h"
#include "keys/tpm.h"
#include "skr.h"

/* of the paravisor */
#define AK		0x81000003U
#define AK_CERT		0x01c101d0U

/* bytes of one command: every TPM takes as many */
#define CHUNK		512U

/* how often a certificate is read that is another one at the end than at the beginning */
#define MAX_TORN	8

int cvm_skr_tpm_open(const char *tcti, struct cvm_tpm **tpm, struct cvm_error *error)
{
	TSS2_TCTI_CONTEXT *context;

	if (!tcti)
		return cvm_tpm_open(tpm, error);
	*tpm = NULL;
	/* it reports by what it returns; and what it logs may be what it has decrypted */
	setenv("TSS2_LOG", "all+none", 1);
	unsetenv("TSS2_LOGFILE");
	if (Tss2_TctiLdr_Initialize(tcti, &context))
		return cvm_set_error(error, -ENODEV, "%.200s: no way to a TPM; tpm2-tss must know it, and the TPM be there",
				     tcti);
	return cvm_tpm_use(context, tpm, error);
}

static TSS2_RC create(struct cvm_tpm *tpm, const struct cvm_skr_state *state, ESYS_TR *key,
		      TPM2B_PUBLIC **public)
{
	TPM2B_PUBLIC template = {
		.publicArea = {
			.type = TPM2_ALG_RSA,
			.nameAlg = TPM2_ALG_SHA256,
			.objectAttributes = CVM_SKR_ATTRIBUTES,
			.authPolicy.size = CVM_SKR_DIGEST,
			.parameters.rsaDetail = {
				.symmetric.algorithm = TPM2_ALG_NULL,
				.scheme.scheme = TPM2_ALG_NULL,
				.keyBits = 8 * CVM_SKR_RSA,
			},
			.unique.rsa.size = CVM_SKR_UNIQUE,
		},
	};
	const TPM2B_SENSITIVE_CREATE sensitive = { 0 };
	const TPML_PCR_SELECTION none = { 0 };
	const TPM2B_DATA nothing = { 0 };
	TSS2_RC rc;

	memcpy(template.publicArea.authPolicy.buffer, state->policy, CVM_SKR_DIGEST);
	memcpy(template.publicArea.unique.rsa.buffer, state->unique, CVM_SKR_UNIQUE);
	/* the session's HMAC says that it is the TPM's answer, and to this */
	rc = Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_NULL, ESYS_TR_PASSWORD,
				cvm_tpm_session(tpm, TPMA_SESSION_ENCRYPT), ESYS_TR_NONE,
				&sensitive, &template, &nothing, &none, key, public, NULL, NULL,
				NULL);
	OPENSSL_cleanse(&template, sizeof(template));
	if (rc)
		*key = ESYS_TR_NONE;
	return rc;
}

/* ---- what the TPM says of it */

static bool keep(struct cvm_skr_bytes *to, const void *data, size_t len)
{
	if (len > sizeof(to->data))
		return false;
	memcpy(to->data, data, len);
	to->len = len;
	return true;
}

static bool keep_signed(struct cvm_skr_bytes *message, struct cvm_skr_bytes *signature,
			const TPM2B_ATTEST *attest, const TPMT_SIGNATURE *by)
{
	return by->sigAlg == TPM2_ALG_RSASSA &&
	       keep(message, attest->attestationData, attest->size) &&
	       keep(signature, by->signature.rsassa.sig.buffer, by->signature.rsassa.sig.size);
}

static bool pack_public(const TPM2B_PUBLIC *public, struct cvm_skr_bytes *to)
{
	to->len = 0;
	return !Tss2_MU_TPM2B_PUBLIC_Marshal(public, to->data, sizeof(to->data), &to->len);
}

static int not_rsassa(struct cvm_error *error)
{
	return cvm_set_error(error, -EBADMSG, "the TPM signs in another way than by RSASSA");
}

static int certify(struct cvm_tpm *tpm, ESYS_TR key, ESYS_TR ak, const TPM2B_DATA *nonce,
		   struct cvm_skr_wrapping *out, struct cvm_error *error)
{
	const TPMT_SIG_SCHEME scheme = { .scheme = TPM2_ALG_NULL };
	__cleanup_esys TPMT_SIGNATURE *signature = NULL;
	__cleanup_esys TPM2B_ATTEST *attest = NULL;
	TSS2_RC rc = Esys_Certify(tpm->esys, key, ak, ESYS_TR_PASSWORD, ESYS_TR_PASSWORD,
				  ESYS_TR_NONE, nonce, &scheme, &attest, &signature);

	if (rc)
		return cvm_tpm_error(error, rc, "certifying the wrapping key by the attestation key");
	return keep_signed(&out->certify, &out->certify_signature, attest, signature) ? 0 :
	       not_rsassa(error);
}

static int quote(struct cvm_tpm *tpm, ESYS_TR ak, uint32_t pcrs, const TPM2B_DATA *nonce,
		 struct cvm_skr_wrapping *out, struct cvm_error *error)
{
	const TPMT_SIG_SCHEME scheme = { .scheme = TPM2_ALG_NULL };
	__cleanup_esys TPMT_SIGNATURE *signature = NULL;
	__cleanup_esys TPM2B_ATTEST *attest = NULL;
	TPML_PCR_SELECTION selection;
	TSS2_RC rc;

	cvm_tpm_selection(pcrs, &selection);
	rc = Esys_Quote(tpm->esys, ak, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, nonce,
			&scheme, &selection, &attest, &signature);
	if (rc)
		return cvm_tpm_error(error, rc, "a quote by the attestation key");
	return keep_signed(&out->quote, &out->quote_signature, attest, signature) ? 0 :
	       not_rsassa(error);
}

static int find_ak(struct cvm_tpm *tpm, ESYS_TR *ak, struct cvm_skr_wrapping *out,
		   struct cvm_error *error)
{
	__cleanup_esys TPM2B_PUBLIC *public = NULL;
	TSS2_RC rc = Esys_TR_FromTPMPublic(tpm->esys, AK, ESYS_TR_NONE, ESYS_TR_NONE,
					   ESYS_TR_NONE, ak);

	if (!rc)
		rc = Esys_ReadPublic(tpm->esys, *ak, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				     &public, NULL, NULL);
	if (rc && cvm_tpm_code(rc) == TPM2_RC_HANDLE)
		return cvm_set_error(error, -EOPNOTSUPP, "the TPM has no attestation key 0x%x: this is no confidential VM of Azure's",
				     AK);
	if (rc)
		return cvm_tpm_error(error, rc, "its attestation key");
	if (public->publicArea.type != TPM2_ALG_RSA ||
	    !pack_public(public, &out->ak))
		return cvm_set_error(error, -EBADMSG, "the TPM's attestation key 0x%x is no RSA key", AK);
	return 0;
}

/* @size: out: of the index */
static TSS2_RC find_cert(struct cvm_tpm *tpm, ESYS_TR *index, size_t *size)
{
	__cleanup_esys TPM2B_NV_PUBLIC *public = NULL;
	TSS2_RC rc = Esys_TR_FromTPMPublic(tpm->esys, AK_CERT, ESYS_TR_NONE, ESYS_TR_NONE,
					   ESYS_TR_NONE, index);

	if (!rc)
		rc = Esys_NV_ReadPublic(tpm->esys, *index, ESYS_TR_NONE, ESYS_TR_NONE,
					ESYS_TR_NONE, &public, NULL);
	*size = rc ? 0 : public->nvPublic.dataSize;
	return rc;
}

static TSS2_RC read_chunk(struct cvm_tpm *tpm, ESYS_TR index, size_t size, uint8_t *out,
			  size_t *done)
{
	size_t want = size - *done < CHUNK ? size - *done : CHUNK;
	__cleanup_esys TPM2B_MAX_NV_BUFFER *data = NULL;
	TSS2_RC rc = Esys_NV_Read(tpm->esys, ESYS_TR_RH_OWNER, index, ESYS_TR_PASSWORD,
				  ESYS_TR_NONE, ESYS_TR_NONE, (UINT16)want, (UINT16)*done, &data);

	if (rc)
		return rc;
	if (data->size != want)
		return TSS2_ESYS_RC_MALFORMED_RESPONSE;
	memcpy(out + *done, data->buffer, want);
	*done += want;
	return 0;
}

/*
 * All of it, and its beginning once more: the paravisor renews it when it likes, and the serial
 * number and the dates of another one are in its first bytes. @whole: they are the same.
 */
static TSS2_RC read_once(struct cvm_tpm *tpm, ESYS_TR index, size_t size,
			 struct cvm_skr_wrapping *out, bool *whole)
{
	size_t done = 0, first = size < CHUNK ? size : CHUNK, again = 0;
	uint8_t begin[CHUNK];
	TSS2_RC rc = 0;

	while (!rc && done < size)
		rc = read_chunk(tpm, index, size, out->ak_cert, &done);
	if (!rc && first)
		rc = read_chunk(tpm, index, first, begin, &again);
	*whole = !rc && !memcmp(begin, out->ak_cert, first);
	out->ak_cert_len = done;
	return rc;
}

/* As Azure's clients send it: all of the index. Nobody here believes it. */
static int read_cert(struct cvm_tpm *tpm, struct cvm_skr_wrapping *out, struct cvm_error *error)
{
	bool whole = false;
	ESYS_TR index;
	size_t size;
	TSS2_RC rc = find_cert(tpm, &index, &size);

	if (!rc && size > sizeof(out->ak_cert))
		return cvm_set_error(error, -EBADMSG, "the TPM's index 0x%x: %zu bytes, at most %zu are expected",
				     AK_CERT, size, sizeof(out->ak_cert));
	for (int i = 0; !rc && !whole && i < MAX_TORN; i++)
		rc = read_once(tpm, index, size, out, &whole);
	if (rc)
		return cvm_tpm_error(error, rc, "the attestation key's certificate, index 0x1c101d0");
	return whole ? 0 : cvm_set_error(error, -EAGAIN, "the TPM's index 0x%x is another one whenever it has been read: the attestation key's certificate is being renewed; ask again",
					 AK_CERT);
}

static int ask(struct cvm_tpm *tpm, ESYS_TR key, const struct cvm_skr_state *state,
	       struct cvm_skr_wrapping *out, struct cvm_error *error)
{
	TPM2B_DATA nonce = { .size = CVM_SKR_NONCE };
	ESYS_TR ak;
	int rc = find_ak(tpm, &ak, out, error);

	memcpy(nonce.buffer, state->nonce, CVM_SKR_NONCE);
	if (!rc)
		rc = certify(tpm, key, ak, &nonce, out, error);
	if (!rc)
		rc = quote(tpm, ak, state->pcrs, &nonce, out, error);
	if (!rc && state->form == CVM_SKR_AZURE_GUEST)
		rc = read_cert(tpm, out, error);
	return rc;
}

int cvm_skr_wrapping_make(struct cvm_tpm *tpm, struct cvm_skr_state *state,
			  struct cvm_skr_wrapping *out, struct cvm_error *error)
{
	__cleanup_esys TPM2B_PUBLIC *public = NULL;
	struct cvm_tpm_pcrs now;
	ESYS_TR key;
	TSS2_RC answer;
	int rc;

	if (getrandom(state->unique, sizeof(state->unique), 0) != sizeof(state->unique) ||
	    getrandom(state->nonce, sizeof(state->nonce), 0) != sizeof(state->nonce))
		return cvm_set_error(error, -EIO, "no random numbers");
	state->phase = CVM_SKR_PREPARED;
	state->since = cvm_skr_clock();
	rc = cvm_tpm_parent(tpm, NULL, error);
	if (!rc)
		rc = cvm_tpm_pcrs(tpm, state->pcrs, &now, error);
	if (rc)
		return rc;
	memcpy(state->policy, now.policy.buffer, CVM_SKR_DIGEST);
	answer = create(tpm, state, &key, &public);
	if (answer)
		return cvm_tpm_error(error, answer, "a wrapping key");
	out->public = *public;
	rc = ask(tpm, key, state, out, error);
	cvm_tpm_flush(tpm, &key);
	if (!rc && (!pack_public(public, &out->packed) ||
		    !cvm_skr_key_name(&public->publicArea, state->name)))
		rc = cvm_set_error(error, -EBADMSG, "the TPM's wrapping key has no name");
	return rc;
}

/* ---- its use */

static int is_bound(struct cvm_tpm *tpm, const struct cvm_skr_state *state,
		    struct cvm_error *error)
{
	char text[CVM_PCRS_TEXT];
	struct cvm_tpm_pcrs now;
	int rc = cvm_tpm_pcrs(tpm, state->pcrs, &now, error);

	if (rc || !memcmp(now.policy.buffer, state->policy, CVM_SKR_DIGEST))
		return rc;
	return cvm_set_error(error, -ESTALE, "the TPM's PCRs %s are not what they were when this began: something has been measured since; begin again with cvmctl skr prepare",
			     cvm_pcrs_text(state->pcrs, text));
}

int cvm_skr_key_load(struct cvm_tpm *tpm, const struct cvm_skr_state *state, ESYS_TR *key,
		     TPM2B_PUBLIC *public, struct cvm_error *error)
{
	__cleanup_esys TPM2B_PUBLIC *made = NULL;
	uint8_t name[CVM_SKR_NAME];
	TSS2_RC answer;
	int rc = cvm_tpm_parent(tpm, NULL, error);

	*key = ESYS_TR_NONE;
	if (!rc)
		rc = is_bound(tpm, state, error);
	if (rc)
		return rc;
	answer = create(tpm, state, key, &made);
	if (answer)
		return cvm_tpm_error(error, answer, "the wrapping key");
	if (public)
		*public = *made;
	if (cvm_skr_key_name(&made->publicArea, name) &&
	    !memcmp(name, state->name, sizeof(name)))
		return 0;
	cvm_tpm_flush(tpm, key);
	return cvm_set_error(error, -ESTALE, "the TPM makes another wrapping key than it did when this began: it has been reset since, or is another one; begin again with cvmctl skr prepare");
}

bool cvm_skr_decrypt(struct cvm_tpm *tpm, ESYS_TR key, uint32_t pcrs,
		     const TPMT_RSA_DECRYPT *scheme, const uint8_t cipher[CVM_SKR_RSA],
		     uint8_t *out, size_t size, size_t *len)
{
	__cleanup_esys TPM2B_PUBLIC_KEY_RSA *message = NULL;
	TPM2B_PUBLIC_KEY_RSA in = { .size = CVM_SKR_RSA };
	ESYS_TR policy;
	bool good = !cvm_tpm_policy(tpm, pcrs, &policy);

	memcpy(in.buffer, cipher, CVM_SKR_RSA);
	if (good)
		good = !Esys_RSA_Decrypt(tpm->esys, key, policy,
					 cvm_tpm_session(tpm, TPMA_SESSION_ENCRYPT), ESYS_TR_NONE,
					 &in, scheme, NULL, &message);
	cvm_tpm_flush(tpm, &policy);
	/* what was decrypted is in the library's buffers too */
	cvm_tpm_overwrite(tpm);
	good = good && message->size <= size;
	if (good) {
		memcpy(out, message->buffer, message->size);
		*len = message->size;
	}
	if (message)
		OPENSSL_cleanse(message, sizeof(*message));
	return good;
}

bool cvm_skr_decrypt_key(struct cvm_tpm *tpm, ESYS_TR key, uint32_t pcrs,
			 const TPMT_RSA_DECRYPT *scheme, const uint8_t cipher[CVM_SKR_RSA],
			 uint8_t *out, size_t len)
{
	__cleanup_secret struct cvm_secret got;
	bool good = getrandom(out, len, 0) == (ssize_t)len;
	size_t got_len = 0;

	if (cvm_skr_decrypt(tpm, key, pcrs, scheme, cipher, got.bytes, sizeof(got.bytes),
			    &got_len) && got_len == len)
		memcpy(out, got.bytes, len);
	else
		good = false;
	return good;
}
