// SPDX-License-Identifier: GPL-2.0
/*
 * The attestation service. It looks at what a guest says as it would if it had to rely on it
 * (but for the hardware's own signature, which is not the guest's affair), and answers with a
 * token for the key that the TPM has certified.
 */
#include <jansson.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_mu.h>

#include "service.h"

#define REPORT_DATA	0x50
#define TD_REPORT_DATA	568	/* of a quote of version 4 */

struct bytes {
	uint8_t *data;
	size_t len;
};

/**
 * struct request - what is in one, decoded
 * @ok: nothing was missing
 */
struct request {
	bool ok, platform;
	struct bytes claims, proof, ak, quote, quote_sig, key, certify, certify_sig, nonce;
	json_t *pcrs;
};

static bool refuse(const char *why)
{
	fprintf(stderr, "skr_service: refused: %s\n", why);
	return false;
}

static struct bytes get(struct request *r, json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	struct bytes out = { NULL, 0 };

	if (text)
		out.data = service_decode(text, &out.len);
	else
		r->ok = refuse(key);
	return out;
}

static void done(struct request *r)
{
	struct bytes *all[] = { &r->claims, &r->proof, &r->ak, &r->quote, &r->quote_sig, &r->key,
				&r->certify, &r->certify_sig, &r->nonce };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free(all[i]->data);
	json_decref(r->pcrs);
}

/* ---- keys */

static EVP_PKEY *claimed_ak(json_t *claims)
{
	json_t *keys = json_object_get(claims, "keys"), *key;
	size_t i;

	json_array_foreach(keys, i, key) {
		const char *kid = json_string_value(json_object_get(key, "kid"));
		const char *n = json_string_value(json_object_get(key, "n"));
		uint8_t *modulus;
		EVP_PKEY *found;
		size_t len;

		if (!kid || !n || strcmp(kid, "HCLAkPub"))
			continue;
		modulus = service_decode(n, &len);
		found = service_public_key(modulus, len);
		free(modulus);
		return found;
	}
	return NULL;
}

static bool is_signed(EVP_PKEY *key, const struct bytes *message, const struct bytes *signature)
{
	EVP_MD_CTX *ctx = service_need(EVP_MD_CTX_new());
	bool good = EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
		    EVP_DigestVerify(ctx, signature->data, signature->len, message->data,
				     message->len) == 1;

	EVP_MD_CTX_free(ctx);
	return good;
}

/* ---- is it true */

static bool unpack(const struct bytes *from, TPMS_ATTEST *attest)
{
	size_t at = 0;

	return !Tss2_MU_TPMS_ATTEST_Unmarshal(from->data, from->len, &at, attest) &&
	       at == from->len;
}

/* SHA-256 of TPMT_PUBLIC, which is behind the length in TPM2B_PUBLIC */
static bool has_name(const TPM2B_NAME *name, const struct bytes *key)
{
	uint8_t digest[32];

	SHA256(key->data + 2, key->len - 2, digest);
	return name->size == 34 && name->name[1] == TPM2_ALG_SHA256 &&
	       !memcmp(name->name + 2, digest, 32);
}

static bool check_certified(const struct request *r, EVP_PKEY *ak)
{
	TPMS_ATTEST attest = { 0 };

	if (!is_signed(ak, &r->certify, &r->certify_sig) || !unpack(&r->certify, &attest))
		return refuse("the certification's signature");
	if (attest.magic != TPM2_GENERATED_VALUE || attest.type != TPM2_ST_ATTEST_CERTIFY ||
	    attest.extraData.size != 32)
		return refuse("no certification with a nonce");
	return has_name(&attest.attested.certify.name, &r->key) || refuse("another key is certified");
}

static bool check_quote(const struct request *r, EVP_PKEY *ak)
{
	EVP_MD_CTX *ctx = service_need(EVP_MD_CTX_new());
	TPMS_ATTEST attest = { 0 };
	uint8_t digest[32];
	json_t *pcr;
	size_t i;

	if (!is_signed(ak, &r->quote, &r->quote_sig) || !unpack(&r->quote, &attest) ||
	    attest.type != TPM2_ST_ATTEST_QUOTE)
		return refuse("the quote's signature");
	EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
	json_array_foreach(r->pcrs, i, pcr) {
		size_t len;
		uint8_t *value = service_decode(json_string_value(json_object_get(pcr, "Digest")), &len);

		EVP_DigestUpdate(ctx, value, len);
		free(value);
	}
	EVP_DigestFinal_ex(ctx, digest, NULL);
	EVP_MD_CTX_free(ctx);
	return !memcmp(attest.attested.quote.pcrDigest.buffer, digest, 32) || refuse("the PCRs");
}

/* The hardware's report is of the claims. */
static bool check_claims(const struct request *r, bool td)
{
	size_t at = td ? TD_REPORT_DATA : REPORT_DATA, len = 0;
	uint8_t digest[32], *report = r->proof.data;
	json_t *proof = td ? NULL : json_loadb((char *)r->proof.data, r->proof.len, 0, NULL);
	bool good;

	if (proof) {
		report = service_decode(json_string_value(json_object_get(proof, "SnpReport")), &len);
		json_decref(proof);
	}
	SHA256(r->claims.data, r->claims.len, digest);
	good = (td ? r->proof.len : len) > at + 32 && !memcmp(report + at, digest, 32);
	if (!td)
		free(report);
	return good || refuse("the report is not of the claims");
}

/* user-data: the key, and the nonce */
static bool check_user_data(json_t *claims, EVP_PKEY *key, const struct bytes *nonce)
{
	const char *hex = json_string_value(json_object_get(claims, "user-data"));
	uint8_t want[64], *spki = NULL, *raw;
	char text[129];
	size_t len;
	int size = i2d_PUBKEY(key, &spki);

	SHA256(spki, (size_t)size, want);
	OPENSSL_free(spki);
	raw = service_decode((char *)nonce->data, &len);
	memcpy(want + 32, raw, 32);
	free(raw);
	for (int i = 0; i < 64; i++)
		sprintf(text + 2 * i, "%02x", want[i]);
	return (hex && !strcasecmp(hex, text)) || refuse("user-data is not of the key and nonce");
}

static EVP_PKEY *wrapping_key(const struct request *r)
{
	TPM2B_PUBLIC public = { 0 };
	size_t at = 0;

	if (Tss2_MU_TPM2B_PUBLIC_Unmarshal(r->key.data, r->key.len, &at, &public))
		return NULL;
	return service_public_key(public.publicArea.unique.rsa.buffer,
				  public.publicArea.unique.rsa.size);
}

static bool check(const struct request *r, bool td, EVP_PKEY **key)
{
	json_t *claims = json_loadb((char *)r->claims.data, r->claims.len, 0, NULL);
	EVP_PKEY *ak = claims ? claimed_ak(claims) : NULL;
	bool good;

	*key = wrapping_key(r);
	good = ak && *key && check_claims(r, td) && check_certified(r, ak) && check_quote(r, ak) &&
	       check_user_data(claims, *key, &r->nonce);
	EVP_PKEY_free(ak);
	json_decref(claims);
	return good;
}

/* ---- the token */

static char *make_token(const struct service *s, const char *kind, json_t *runtime)
{
	json_t *claims = json_pack("{s:s, s:o}", "x-ms-attestation-type", kind, "x-ms-runtime", runtime);
	char *payload = service_need(json_dumps(claims, JSON_COMPACT));
	char *token = service_sign("{\"alg\":\"RS256\",\"typ\":\"JWT\"}", payload, strlen(payload),
				   s->token_key, SERVICE_RS256);

	json_decref(claims);
	free(payload);
	return token;
}

static json_t *token_key(const struct service *s, EVP_PKEY *key)
{
	char *n = service_modulus(key);
	json_t *json = json_pack("{s:s, s:s, s:s, s:s++, s:[s]}", "kid",
		service_is_wrong(s, "token-kid") ? "AnotherKey" : "TpmEphemeralEncryptionKey", "kty",
		"RSA", "e", service_is_wrong(s, "token-exponent") ? "AQ" : "AQAB", "n", n,
		service_is_wrong(s, "token-modulus") ? "AA" : "", "", "key_ops", "encrypt");

	free(n);
	return json;
}

/* "another's": beside the guest's, of the same name; "others": of other names, before it */
static json_t *token_keys(const struct service *s, EVP_PKEY *key)
{
	json_t *keys = json_array();

	if (service_is_wrong(s, "token-others"))
		json_array_append_new(keys, json_pack("{s:s, s:s}", "kid", "HCLAkPub", "n", "AQAB"));
	json_array_append_new(keys, token_key(s, service_is_wrong(s, "token-key") ? s->token_key : key));
	if (service_is_wrong(s, "token-anothers"))
		json_array_append_new(keys, token_key(s, s->token_key));
	if (service_is_wrong(s, "token-no-keys"))
		json_array_clear(keys);
	return keys;
}

static char *guest_token(const struct service *s, EVP_PKEY *key, const struct bytes *nonce)
{
	char *sent = service_encode(nonce->data, nonce->len, false), *token;

	if (service_is_wrong(s, "token-nonce-longer")) {
		/* with what is behind it: a zero byte */
		free(sent);
		sent = service_encode(nonce->data, nonce->len + 1, false);
	}
	if (service_is_wrong(s, "token-nonce"))
		sent[0] = sent[0] == 'A' ? 'B' : 'A';
	if (service_is_wrong(s, "token-nonce-cut"))
		strcpy(sent + 4, "=");
	token = make_token(s, "azurevm", json_pack("{s:{s:s}, s:o}", "client-payload", "nonce", sent,
						   "keys", token_keys(s, key)));
	free(sent);
	return token;
}

/* RSAES */
static void encrypt_key(EVP_PKEY *key, const uint8_t *inner, size_t len, uint8_t out[256])
{
	EVP_PKEY_CTX *ctx = service_need(EVP_PKEY_CTX_new(key, NULL));
	size_t size = 256;

	if (EVP_PKEY_encrypt_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1 ||
	    EVP_PKEY_encrypt(ctx, out, &size, inner, len) != 1)
		service_need(NULL);
	EVP_PKEY_CTX_free(ctx);
}

static void encrypt_token(const uint8_t *inner, const EVP_CIPHER *cipher, const uint8_t *iv,
			  const char *label, char *token, size_t size, uint8_t tag[16])
{
	EVP_CIPHER_CTX *ctx = service_need(EVP_CIPHER_CTX_new());
	uint8_t *text = (uint8_t *)token;
	int len;

	if (EVP_EncryptInit_ex(ctx, cipher, NULL, inner, iv) != 1 ||
	    EVP_EncryptUpdate(ctx, NULL, &len, (const uint8_t *)label, (int)strlen(label)) != 1 ||
	    EVP_EncryptUpdate(ctx, text, &len, text, (int)size) != 1 ||
	    EVP_EncryptFinal_ex(ctx, text + len, &len) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, tag) != 1)
		service_need(NULL);
	EVP_CIPHER_CTX_free(ctx);
}

static int announced_bits(const struct service *s)
{
	return service_is_wrong(s, "bits-128") || service_is_wrong(s, "inner-long") ? 128 :
	       service_is_wrong(s, "bits-192") ? 192 : service_is_wrong(s, "bits-0") ? 0 : 256;
}

/* Of the inner key: "inner-N" has N bytes of it, with good padding */
static size_t inner_len_of(const struct service *s)
{
	unsigned int len;

	if (s->wrong && sscanf(s->wrong, "inner-%u", &len) == 1)
		return len;
	return service_is_wrong(s, "bits-128") ? 16 : 32;
}

/* Takes over @text. */
static json_t *string_of(char *text)
{
	json_t *json = json_string(text);

	free(text);
	return json;
}

static char *answer_of(json_t *token)
{
	json_t *answer = json_pack("{s:o}", "token", token);
	char *text = service_need(json_dumps(answer, JSON_COMPACT));

	json_decref(answer);
	return text;
}

static char *envelope(const struct service *s, EVP_PKEY *key, char *token)
{
	const EVP_CIPHER *cipher = inner_len_of(s) == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm();
	uint8_t inner[256], iv[12], tag[16], wrapped[256];
	size_t len = strlen(token);
	json_t *json;
	char *text, *answer;

	RAND_bytes(inner, sizeof(inner));
	RAND_bytes(iv, sizeof(iv));
	if (service_is_wrong(s, "token-form"))
		token[0] = ' ';
	if (service_is_wrong(s, "token-zero"))
		token[3] = '\0';
	encrypt_token(inner, cipher, iv,
		      service_is_wrong(s, "label") ? "transport key" : "Transport Key", token, len, tag);
	encrypt_key(service_is_wrong(s, "inner-other") ? s->token_key : key, inner,
		    inner_len_of(s), wrapped);
	wrapped[17] ^= service_is_wrong(s, "inner-flip");
	tag[3] ^= service_is_wrong(s, "tag-flip");
	token[5] ^= service_is_wrong(s, "text-flip");
	json = json_pack("{s:o, s:{s:o, s:s, s:s, s:i}, s:o, s:o}",
			 "EncryptedInnerKey", string_of(service_encode(wrapped, 256, false)),
			 "EncryptionParams", "Iv", string_of(service_encode(iv, 12, false)),
			 "BlockMode", "ChainingModeGCM", "BlockPadding", "Null", "KeySizeInBits",
			 announced_bits(s),
			 "AuthenticationData", string_of(service_encode(tag, 16, false)),
			 "Jwt", string_of(service_encode(token, len, false)));
	text = service_need(json_dumps(json, JSON_COMPACT));
	json_decref(json);
	answer = answer_of(string_of(service_encode(text, strlen(text), true)));
	free(text);
	return answer;
}

/* ---- requests */

static void read_guest(struct request *r, json_t *info)
{
	json_t *tpm = json_object_get(info, "TpmInfo");
	json_t *evidence = json_object_get(json_object_get(info, "IsolationInfo"), "Evidence");

	r->nonce = get(r, json_object_get(info, "ClientPayload"), "nonce");
	r->claims = get(r, evidence, "RunTimeData");
	r->proof = get(r, evidence, "Proof");
	r->ak = get(r, tpm, "AikPub");
	r->quote = get(r, tpm, "PcrQuote");
	r->quote_sig = get(r, tpm, "PcrSignature");
	r->key = get(r, tpm, "EncKeyPub");
	r->certify = get(r, tpm, "EncKeyCertifyInfo");
	r->certify_sig = get(r, tpm, "EncKeyCertifyInfoSignature");
	r->pcrs = json_incref(json_object_get(tpm, "PCRs"));
}

static char *attest_guest(const struct service *s, const char *encoded)
{
	struct request r = { .ok = true };
	EVP_PKEY *key = NULL;
	char *answer = NULL, *token;
	const char *type;
	json_t *info;
	size_t len;
	uint8_t *text = service_decode(encoded, &len);

	info = json_loadb((char *)text, len, 0, NULL);
	type = json_string_value(json_object_get(json_object_get(info, "IsolationInfo"), "Type"));
	read_guest(&r, info);
	if (r.ok && type && check(&r, !strcmp(type, "Tdx"), &key)) {
		token = guest_token(s, key, &r.nonce);
		answer = envelope(s, key, token);
		free(token);
	}
	EVP_PKEY_free(key);
	json_decref(info);
	done(&r);
	free(text);
	return answer;
}

/* Of the platform alone: its claims are what the token has */
static char *attest_platform(const struct service *s, json_t *body, bool td)
{
	struct request r = { .ok = true };
	json_t *claims;
	char *answer = NULL;

	r.claims = get(&r, json_object_get(body, "runtimeData"), "data");
	r.proof = get(&r, body, td ? "quote" : "report");
	claims = r.ok && check_claims(&r, td) ?
		 json_loadb((char *)r.claims.data, r.claims.len, 0, NULL) : NULL;
	if (claims)
		answer = answer_of(string_of(make_token(s, td ? "tdxvm" : "sevsnpvm", claims)));
	done(&r);
	return answer;
}

char *service_attest(const struct service *s, const char *body)
{
	json_t *json = json_loads(body, 0, NULL);
	const char *info = json_string_value(json_object_get(json, "AttestationInfo"));
	char *answer = NULL;

	if (info)
		answer = attest_guest(s, info);
	else if (json)
		answer = attest_platform(s, json, json_object_get(json, "quote"));
	json_decref(json);
	return answer;
}
