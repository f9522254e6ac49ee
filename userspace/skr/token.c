// SPDX-License-Identifier: MIT
/* The answer of an attestation service: a token, or one that is encrypted for our key. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/api.h"
#include "common/base64url.h"
#include "common/cleanup.h"
#include "common/util.h"
#include "keys/tpm.h"
#include "skr.h"
#include "verify/json_in.h"

#define KID		"TpmEphemeralEncryptionKey"
#define EXPONENT	"AQAB"
#define MAX_KEYS	16

/* the service's additional authenticated data */
static const char label[] = "Transport Key";

static void cleanup_json(struct cvm_json *in)
{
	json_decref((json_t *)in->value);
}

static void cleanup_ctx(EVP_CIPHER_CTX **ctx)
{
	EVP_CIPHER_CTX_free(*ctx);
}

/* Text in base64url, as bytes with a zero byte behind them; for free() */
static int decode(const char *text, size_t len, uint8_t **out, size_t *out_len)
{
	uint8_t *bytes = malloc(len + 1);
	long got = bytes ? cvm_base64url_decode(text, len, bytes, len) : -ENOMEM;

	*out = NULL;
	if (got < 0) {
		free(bytes);
		return got == -ENOMEM ? -ENOMEM : -EBADMSG;
	}
	bytes[got] = '\0';
	*out = bytes;
	*out_len = (size_t)got;
	return 0;
}

/* ---- its parts */

/* "token", and how long it may be */
static int find_token(const struct cvm_json *in, const char **text)
{
	struct cvm_json member;
	int rc = cvm_json_member(in, "token", &member);

	if (!rc)
		rc = cvm_json_text(&member, text);
	if (!rc && (!**text || strlen(*text) > 2 * CVM_SKR_MAX_TOKEN))
		return cvm_json_wrong(&member, "a token");
	return rc;
}

static int get_bytes(const struct cvm_json *in, const char *key, uint8_t *out, size_t len)
{
	struct cvm_json member;
	const char *text;
	int rc = cvm_json_member(in, key, &member);

	if (!rc)
		rc = cvm_json_text(&member, &text);
	if (!rc && cvm_base64_decode(text, out, len) != (long)len)
		return cvm_json_wrong(&member, "base64 of the length that it always has");
	return rc;
}

/* Known before anything is decrypted, so that the length of that decides nothing */
static int get_key_len(const struct cvm_json *parameters, size_t *len)
{
	struct cvm_json member;
	uint64_t bits;
	int rc = cvm_json_member(parameters, "KeySizeInBits", &member);

	if (!rc)
		rc = cvm_json_number(&member, 256, &bits);
	if (!rc && bits != 128 && bits != 256)
		return cvm_json_wrong(&member, "128 or 256");
	*len = rc ? 0 : (size_t)bits / 8;
	return rc;
}

static int get_token(const struct cvm_json *in, struct cvm_skr_envelope *envelope)
{
	struct cvm_json member;
	const char *text;
	int rc = cvm_json_member(in, "Jwt", &member);
	long got;

	if (!rc)
		rc = cvm_json_text(&member, &text);
	if (rc)
		return rc;
	envelope->token = malloc(CVM_SKR_MAX_TOKEN);
	if (!envelope->token)
		return -ENOMEM;
	got = cvm_base64_decode(text, envelope->token, CVM_SKR_MAX_TOKEN);
	if (got <= 0)
		return cvm_json_wrong(&member, "a token in base64");
	envelope->len = (size_t)got;
	return 0;
}

static int parse_fields(const struct cvm_json *in, struct cvm_skr_envelope *envelope)
{
	struct cvm_json parameters;
	int rc = get_bytes(in, "EncryptedInnerKey", envelope->key, sizeof(envelope->key));

	if (!rc)
		rc = cvm_json_member(in, "EncryptionParams", &parameters);
	if (!rc)
		rc = cvm_json_object(&parameters);
	if (!rc)
		rc = get_bytes(&parameters, "Iv", envelope->iv, sizeof(envelope->iv));
	if (!rc)
		rc = get_key_len(&parameters, &envelope->key_len);
	if (!rc)
		rc = get_bytes(in, "AuthenticationData", envelope->tag, sizeof(envelope->tag));
	return rc ? rc : get_token(in, envelope);
}

int cvm_skr_envelope_parse(const char *answer, size_t len, struct cvm_skr_envelope *envelope,
			   struct cvm_error *error)
{
	struct cvm_json in __cleanup(cleanup_json) = { 0 }, inner __cleanup(cleanup_json) = { 0 };
	__cleanup_free uint8_t *json = NULL;
	const char *text;
	size_t json_len;
	int rc = cvm_json_load(answer, len, "answer", &in, error);

	memset(envelope, 0, sizeof(*envelope));
	if (!rc)
		rc = find_token(&in, &text);
	if (rc)
		return rc;
	rc = decode(text, strlen(text), &json, &json_len);
	if (rc)
		return cvm_set_error(error, rc, "answer: token: expected base64url");
	rc = cvm_json_load(json, json_len, "token", &inner, error);
	if (!rc)
		rc = parse_fields(&inner, envelope);
	if (rc) {
		free(envelope->token);
		envelope->token = NULL;
	}
	return rc;
}

/* ---- what is in it */

/* The token in place of what was there; false: it is not what was encrypted */
static bool decrypt(struct cvm_skr_envelope *e, const uint8_t *key)
{
	EVP_CIPHER_CTX *ctx __cleanup(cleanup_ctx) = EVP_CIPHER_CTX_new();
	const EVP_CIPHER *cipher = e->key_len == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm();
	int len = 0, more = 0;

	return ctx && EVP_DecryptInit_ex(ctx, cipher, NULL, key, e->iv) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof(e->tag), e->tag) == 1 &&
	       EVP_DecryptUpdate(ctx, NULL, &len, (const uint8_t *)label, sizeof(label) - 1) == 1 &&
	       EVP_DecryptUpdate(ctx, e->token, &len, e->token, (int)e->len) == 1 &&
	       EVP_DecryptFinal_ex(ctx, e->token + len, &more) == 1 &&
	       (size_t)len + (size_t)more == e->len;
}

/* A token is text: two dots, and base64url between them */
static bool is_token(const char *text, size_t len)
{
	size_t dots = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '.')
			dots++;
		else if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
				 text[i]) || !text[i])
			return false;
	}
	return dots == 2 && len <= CVM_SKR_MAX_TOKEN;
}

static int open_envelope(struct cvm_tpm *tpm, ESYS_TR key, uint32_t pcrs,
			 struct cvm_skr_envelope *envelope, char **token, struct cvm_error *error)
{
	const TPMT_RSA_DECRYPT scheme = { .scheme = TPM2_ALG_RSAES };
	__cleanup_secret struct cvm_secret inner;
	bool good = cvm_skr_decrypt_key(tpm, key, pcrs, &scheme, envelope->key, inner.bytes,
					envelope->key_len);

	/*
	 * The padding of PKCS #1 v1.5 gives messages away to who learns when it is good, and the
	 * same key unwraps what the vault gives: so all of the text is decrypted, good or not.
	 */
	good &= decrypt(envelope, inner.bytes);
	if (!good || !is_token((const char *)envelope->token, envelope->len))
		return cvm_skr_refuse(error);
	*token = strndup((const char *)envelope->token, envelope->len);
	return *token ? 0 : cvm_set_error(error, -ENOMEM, "out of memory");
}

/* ---- is it about us */

static bool is_wrapping_key(const struct cvm_json *key)
{
	const char *kid = json_string_value(json_object_get(key->value, "kid"));

	return kid && !strcmp(kid, KID);
}

static bool is_our_key(const struct cvm_json *key, const TPM2B_PUBLIC_KEY_RSA *modulus)
{
	const char *n = json_string_value(json_object_get(key->value, "n"));
	const char *e = json_string_value(json_object_get(key->value, "e"));
	uint8_t bytes[CVM_SKR_RSA];

	/* under an exponent of 1 the vault would wrap nothing */
	return n && e && !strcmp(e, EXPONENT) &&
	       cvm_base64url_decode(n, strlen(n), bytes, sizeof(bytes)) == modulus->size &&
	       !memcmp(bytes, modulus->buffer, sizeof(bytes));
}

/* Of this name ours alone: which of two the vault would take is not ours to guess. */
static int check_key(const struct cvm_json *runtime, const TPM2B_PUBLIC_KEY_RSA *modulus)
{
	struct cvm_json keys, key;
	size_t count, ours = 0;
	int rc = cvm_json_member(runtime, "keys", &keys);

	if (!rc)
		rc = cvm_json_array(&keys, MAX_KEYS, &count);
	for (size_t i = 0; !rc && i < count; i++) {
		cvm_json_item(&keys, i, &key);
		if (!is_wrapping_key(&key))
			continue;
		if (!is_our_key(&key, modulus))
			return cvm_json_wrong(&key, "the wrapping key of this request");
		ours++;
	}
	return rc || ours ? rc : cvm_json_wrong(&keys, "the wrapping key of this request to be among them");
}

/* As it was sent: the text, in base64 */
static int check_nonce(const struct cvm_json *runtime, const struct cvm_skr_state *state)
{
	uint8_t got[CVM_SKR_NONCE_TEXT];
	char nonce[CVM_SKR_NONCE_TEXT];
	struct cvm_json payload, member;
	const char *text;
	int rc = cvm_json_member(runtime, "client-payload", &payload);

	if (!rc)
		rc = cvm_json_member(&payload, "nonce", &member);
	if (!rc)
		rc = cvm_json_text(&member, &text);
	if (rc)
		return rc;
	cvm_skr_nonce_text(state, nonce);
	return cvm_base64_decode(text, got, sizeof(got)) == CVM_SKR_NONCE_TEXT - 1 &&
	       !memcmp(got, nonce, CVM_SKR_NONCE_TEXT - 1) ? 0 :
	       cvm_json_wrong(&member, "the nonce of this request");
}

/* Of the paravisor's claims, which such services pass on */
static int check_user_data(const struct cvm_json *runtime, const struct cvm_skr_state *state,
			   const TPMT_PUBLIC *public)
{
	uint8_t hash[CVM_SKR_DIGEST], want[CVM_REPORT_DATA_LEN], got[CVM_REPORT_DATA_LEN];
	uint8_t *spki;
	int rc = cvm_skr_spki(public, &spki, hash);

	OPENSSL_free(spki);
	if (rc < 0)
		return rc;
	cvm_skr_user_data(hash, state->nonce, want);
	rc = cvm_json_get_hex(runtime, "user-data", got, sizeof(got));
	return rc || !memcmp(got, want, sizeof(got)) ? rc :
	       cvm_json_wrong(runtime, "user-data of this request's wrapping key and nonce");
}

int cvm_skr_token_check(const char *token, const struct cvm_skr_state *state,
			const TPMT_PUBLIC *public, struct cvm_error *error)
{
	struct cvm_json in __cleanup(cleanup_json) = { 0 }, runtime;
	__cleanup_free uint8_t *claims = NULL;
	const char *payload = strchr(token, '.') + 1;
	size_t len;
	int rc = decode(payload, strcspn(payload, "."), &claims, &len);

	if (rc)
		return cvm_set_error(error, rc, "token: expected base64url");
	rc = cvm_json_load(claims, len, "token", &in, error);
	if (!rc)
		rc = cvm_json_member(&in, "x-ms-runtime", &runtime);
	if (!rc)
		rc = cvm_json_object(&runtime);
	if (rc)
		return rc;
	if (state->form != CVM_SKR_AZURE_GUEST)
		return check_user_data(&runtime, state, public);
	rc = check_key(&runtime, &public->unique.rsa);
	return rc ? rc : check_nonce(&runtime, state);
}

static int read_plain(const char *answer, size_t len, char **token, struct cvm_error *error)
{
	struct cvm_json in __cleanup(cleanup_json) = { 0 };
	const char *text;
	int rc = cvm_json_load(answer, len, "answer", &in, error);

	if (!rc)
		rc = find_token(&in, &text);
	if (rc)
		return rc;
	if (!is_token(text, strlen(text)))
		return cvm_set_error(error, -EBADMSG, "answer: token: expected a token");
	*token = strdup(text);
	return *token ? 0 : cvm_set_error(error, -ENOMEM, "out of memory");
}

/* Written first, whatever comes of it: what is refused would else be asked again and again. */
static int read_sealed(struct cvm_tpm *tpm, struct cvm_skr_state *state, int fd, ESYS_TR key,
		       const char *answer, size_t len, char **token, struct cvm_error *error)
{
	struct cvm_skr_envelope envelope;
	int rc = cvm_skr_envelope_parse(answer, len, &envelope, error);

	if (!rc)
		rc = cvm_skr_state_opened(fd, state, error);
	if (!rc)
		rc = open_envelope(tpm, key, state->pcrs, &envelope, token, error);
	free(envelope.token);
	return rc;
}

int cvm_skr_token_open(struct cvm_tpm *tpm, struct cvm_skr_state *state, int fd,
		       const char *answer, size_t len, char **token, struct cvm_error *error)
{
	__cleanup_free char *found = NULL;
	TPM2B_PUBLIC public;
	ESYS_TR key;
	int rc = cvm_skr_state_due(state, CVM_SKR_PREPARED, error);

	*token = NULL;
	if (!rc)
		rc = cvm_skr_key_load(tpm, state, &key, &public, error);
	if (rc)
		return rc;
	rc = state->form == CVM_SKR_AZURE_GUEST ?
		read_sealed(tpm, state, fd, key, answer, len, &found, error) :
		read_plain(answer, len, &found, error);
	cvm_tpm_flush(tpm, &key);
	if (!rc)
		rc = cvm_skr_token_check(found, state, &public.publicArea, error);
	/* before anybody can have the token: from then on there may be an answer */
	if (!rc)
		rc = cvm_skr_state_opened(fd, state, error);
	if (!rc)
		*token = cvm_take_ptr(found);
	return rc;
}
