// SPDX-License-Identifier: MIT
/* The key vault's answer: what is signed in it, and the key in that. */
#include <errno.h>
#include <jansson.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "common/api.h"
#include "common/base64url.h"
#include "common/cleanup.h"
#include "keys/tpm.h"
#include "skr.h"
#include "verify/json_in.h"

#define KEK	32	/* AES-256 */

static void cleanup_json(struct cvm_json *in)
{
	json_decref((json_t *)in->value);
}

static void cleanup_ctx(EVP_CIPHER_CTX **ctx)
{
	EVP_CIPHER_CTX_free(*ctx);
}

int cvm_skr_refuse(struct cvm_error *error)
{
	return cvm_set_error(error, -EBADMSG, "what was sent cannot be decrypted with this request's wrapping key: begin again with cvmctl skr prepare");
}

/* ---- what is signed */

static int is_text(const struct cvm_json *in, const char *key, const char *want,
		   const char *expected)
{
	struct cvm_json member;
	const char *text;
	int rc = cvm_json_member(in, key, &member);

	if (!rc)
		rc = cvm_json_text(&member, &text);
	return rc || !strcmp(text, want) ? rc : cvm_json_wrong(&member, expected);
}

/* What was asked, as the vault has understood it: this key, version, nonce and wrapping */
static int check_request(const struct cvm_json *in, const struct cvm_skr_state *state)
{
	char nonce[CVM_SKR_NONCE_TEXT];
	struct cvm_json request;
	int rc = cvm_json_member(in, "request", &request);

	if (!rc)
		rc = cvm_json_object(&request);
	if (!rc)
		rc = is_text(&request, "kid", state->kid, "the key that was asked for, and its version");
	if (!rc)
		rc = is_text(&request, "nonce", cvm_skr_nonce_text(state, nonce),
			     "the nonce of this request");
	return rc ? rc : is_text(&request, "enc", cvm_skr_wrap_name(state->wrap),
				 "the wrapping that was asked for");
}

/* response.key.key */
static int find_key(const struct cvm_json *in, struct cvm_json *response, struct cvm_json *outer,
		    struct cvm_json *key)
{
	int rc = cvm_json_member(in, "response", response);

	if (!rc)
		rc = cvm_json_member(response, "key", outer);
	if (!rc)
		rc = cvm_json_member(outer, "key", key);
	return rc ? rc : cvm_json_object(key);
}

static int take_cipher(const struct cvm_json *in, struct cvm_skr_wrapped *out)
{
	uint8_t bytes[sizeof(out->kek) + sizeof(out->key)];
	struct cvm_json member;
	const char *text;
	long len;
	int rc = cvm_json_member(in, "ciphertext", &member);

	if (!rc)
		rc = cvm_json_text(&member, &text);
	if (rc)
		return rc;
	len = cvm_base64_decode(text, bytes, sizeof(bytes));
	if (len < 0)
		return cvm_json_wrong(&member, "a wrapped key in base64");
	/* what is too short, or no whole blocks, is not unwrapped, and nobody is told apart */
	memcpy(out->kek, bytes, (size_t)len < sizeof(out->kek) ? (size_t)len : sizeof(out->kek));
	if ((size_t)len <= sizeof(out->kek))
		return 0;
	out->len = (size_t)len - sizeof(out->kek);
	memcpy(out->key, bytes + sizeof(out->kek), out->len);
	return 0;
}

/* JSON in base64url. Its own header says how it is wrapped, too, and is not asked. */
static int read_cipher(const struct cvm_json *key, struct cvm_skr_wrapped *out)
{
	struct cvm_json in __cleanup(cleanup_json) = { 0 }, member;
	__cleanup_free uint8_t *json = NULL;
	const char *text;
	size_t size;
	long len;
	int rc = cvm_json_member(key, "key_hsm", &member);

	if (!rc)
		rc = cvm_json_text(&member, &text);
	if (rc)
		return rc;
	size = strlen(text);
	json = malloc(size + 1);
	len = json ? cvm_base64_decode(text, json, size) : -ENOMEM;
	if (len < 0)
		return json ? cvm_json_wrong(&member, "base64url") : -ENOMEM;
	rc = cvm_json_load(json, (size_t)len, "key_hsm", &in, key->error);
	return rc ? rc : take_cipher(&in, out);
}

int cvm_skr_payload_parse(const void *payload, size_t len, const struct cvm_skr_state *state,
			  struct cvm_skr_wrapped *wrapped, struct cvm_error *error)
{
	struct cvm_json in __cleanup(cleanup_json) = { 0 }, response, outer, key;
	int rc = cvm_json_load(payload, len, "payload", &in, error);

	memset(wrapped, 0, sizeof(*wrapped));
	if (!rc)
		rc = cvm_skr_rejected(check_request(&in, state));
	if (!rc)
		rc = find_key(&in, &response, &outer, &key);
	if (!rc)
		rc = cvm_skr_rejected(is_text(&key, "kid", state->kid,
					      "the key that was asked for, and its version"));
	return rc ? rc : read_cipher(&key, wrapped);
}

int cvm_skr_release_read(const void *answer, size_t len, const struct cvm_skr_state *state,
			 const struct cvm_jws_trust *trust, struct cvm_skr_wrapped *wrapped,
			 struct cvm_error *error)
{
	struct cvm_json in __cleanup(cleanup_json) = { 0 };
	__cleanup_free uint8_t *payload = NULL;
	const char *value;
	size_t payload_len;
	int rc = cvm_json_load(answer, len, "answer", &in, error);

	if (!rc)
		rc = cvm_json_get_text(&in, "value", &value);
	if (!rc)
		rc = cvm_jws_open(value, strlen(value), trust, &payload, &payload_len, error);
	return rc ? rc : cvm_skr_payload_parse(payload, payload_len, state, wrapped, error);
}

/* ---- the key */

/* RFC 5649; false: it is not what was wrapped */
static bool unwrap(const uint8_t kek[KEK], const struct cvm_skr_wrapped *wrapped,
		   struct cvm_skr_secret *secret)
{
	EVP_CIPHER_CTX *ctx __cleanup(cleanup_ctx) = EVP_CIPHER_CTX_new();
	int len = 0;

	if (!ctx)
		return false;
	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	if (EVP_DecryptInit_ex(ctx, EVP_aes_256_wrap_pad(), NULL, kek, NULL) != 1 ||
	    EVP_DecryptUpdate(ctx, secret->bytes, &len, wrapped->key, (int)wrapped->len) != 1)
		return false;
	secret->len = (size_t)len;
	return len > 0 && len <= (int)CVM_SKR_MAX_KEY;
}

static bool decrypt(struct cvm_tpm *tpm, ESYS_TR key, const struct cvm_skr_state *state,
		    const struct cvm_skr_wrapped *wrapped, struct cvm_skr_secret *secret)
{
	const TPMT_RSA_DECRYPT scheme = {
		.scheme = TPM2_ALG_OAEP, .details.oaep.hashAlg = cvm_skr_wrap_hash(state->wrap),
	};
	__cleanup_secret struct cvm_secret kek;
	bool good = cvm_skr_decrypt_key(tpm, key, state->pcrs, &scheme, wrapped->kek, kek.bytes,
					KEK);

	/* unwrapped, good or not */
	return unwrap(kek.bytes, wrapped, secret) && good;
}

int cvm_skr_unwrap(struct cvm_tpm *tpm, const struct cvm_skr_state *state,
		   const struct cvm_skr_wrapped *wrapped, struct cvm_skr_secret *secret,
		   struct cvm_error *error)
{
	ESYS_TR key;
	bool good;
	int rc = cvm_skr_state_due(state, CVM_SKR_OPENED, error);

	if (!rc)
		rc = cvm_skr_key_load(tpm, state, &key, NULL, error);
	if (rc)
		return rc;
	good = decrypt(tpm, key, state, wrapped, secret);
	cvm_tpm_flush(tpm, &key);
	ERR_clear_error();
	if (good)
		return 0;
	cvm_cleanup_skr_secret(secret);
	return cvm_skr_refuse(error);
}
