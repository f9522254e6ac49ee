// SPDX-License-Identifier: GPL-2.0
/* The key vault: a key for whom the attestation service has given a token, wrapped and signed. */
#include <jansson.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service.h"

#define MAX_CIPHER	(256 + SERVICE_SECRET + 64)

static bool wrong(const struct service *s, const char *what)
{
	return service_is_wrong(s, what);
}

/* ---- the token */

static bool token_holds(const struct service *s, const char *token)
{
	const char *end = strrchr(token, '.');
	EVP_MD_CTX *ctx = service_need(EVP_MD_CTX_new());
	size_t len;
	uint8_t *signature = service_decode(end ? end + 1 : "", &len);
	bool good = end && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, s->token_key) == 1 &&
		    EVP_DigestVerify(ctx, signature, len, (const uint8_t *)token,
				     (size_t)(end - token)) == 1;

	free(signature);
	EVP_MD_CTX_free(ctx);
	return good;
}

static json_t *claims_of(const char *token)
{
	char *text = service_need(strdup(token)), *payload = strchr(text, '.') + 1;
	uint8_t *bytes;
	json_t *claims;
	size_t len;

	payload[strcspn(payload, ".")] = '\0';
	bytes = service_decode(payload, &len);
	claims = json_loadb((char *)bytes, len, 0, NULL);
	free(bytes);
	free(text);
	return claims;
}

static EVP_PKEY *key_of(const char *n)
{
	size_t len;
	uint8_t *bytes = service_decode(n, &len);
	EVP_PKEY *key = service_public_key(bytes, len);

	free(bytes);
	return key;
}

static EVP_PKEY *wrapping_key(json_t *claims, const char *public)
{
	json_t *keys = json_object_get(json_object_get(claims, "x-ms-runtime"), "keys"), *key;
	BIO *bio;
	EVP_PKEY *found;
	size_t i;

	if (public) {
		bio = BIO_new_mem_buf(public, -1);
		found = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
		BIO_free(bio);
		return found;
	}
	json_array_foreach(keys, i, key) {
		const char *kid = json_string_value(json_object_get(key, "kid"));

		if (kid && !strcmp(kid, "TpmEphemeralEncryptionKey"))
			return key_of(json_string_value(json_object_get(key, "n")));
	}
	return NULL;
}

/* ---- wrapping */

static const EVP_MD *hash_of(const struct service *s, const char *enc)
{
	if (wrong(s, "other-hash"))
		return !strcmp(enc, "RSA_AES_KEY_WRAP_384") ? EVP_sha256() : EVP_sha384();
	return !strcmp(enc, "RSA_AES_KEY_WRAP_256") ? EVP_sha256() :
	       !strcmp(enc, "RSA_AES_KEY_WRAP_384") ? EVP_sha384() : EVP_sha1();
}

static const char *another_enc(const char *enc)
{
	return strcmp(enc, "CKM_RSA_AES_KEY_WRAP") ? "CKM_RSA_AES_KEY_WRAP" : "RSA_AES_KEY_WRAP_256";
}

static void wrap_kek(const struct service *s, EVP_PKEY *key, const EVP_MD *md, const uint8_t *kek,
		     size_t len, uint8_t out[256])
{
	EVP_PKEY_CTX *ctx = service_need(EVP_PKEY_CTX_new(wrong(s, "rsa-other") ? s->key : key, NULL));
	int padding = wrong(s, "rsa-padding") ? RSA_PKCS1_PADDING : RSA_PKCS1_OAEP_PADDING;
	size_t size = 256;

	if (EVP_PKEY_encrypt_init(ctx) != 1 || EVP_PKEY_CTX_set_rsa_padding(ctx, padding) != 1 ||
	    (padding == RSA_PKCS1_OAEP_PADDING && EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) != 1))
		service_need(NULL);
	if (wrong(s, "rsa-label"))
		EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, service_need(OPENSSL_strdup("label")), 5);
	if (EVP_PKEY_encrypt(ctx, out, &size, kek, len) != 1)
		service_need(NULL);
	EVP_PKEY_CTX_free(ctx);
}

/* RFC 5649; or RFC 3394, whose check value is another */
static size_t wrap_key(const struct service *s, const uint8_t *kek, uint8_t *out)
{
	const EVP_CIPHER *cipher = wrong(s, "wrap-3394") ? EVP_aes_256_wrap() :
				   wrong(s, "kek-16") ? EVP_aes_128_wrap_pad() : EVP_aes_256_wrap_pad();
	EVP_CIPHER_CTX *ctx = service_need(EVP_CIPHER_CTX_new());
	int len = 0;

	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	if (EVP_EncryptInit_ex(ctx, cipher, NULL, kek, NULL) != 1 ||
	    EVP_EncryptUpdate(ctx, out, &len, s->secret, (int)s->secret_len) != 1)
		service_need(NULL);
	EVP_CIPHER_CTX_free(ctx);
	return (size_t)len;
}

/* What is wrong with lengths and bits */
static size_t spoil(const struct service *s, uint8_t *cipher, size_t len)
{
	cipher[100] ^= wrong(s, "rsa-flip");
	cipher[256 + 3] ^= wrong(s, "key-flip-first");
	cipher[len - 1] ^= wrong(s, "key-flip-last");
	if (wrong(s, "rsa-big"))
		memset(cipher, 0xff, 256);
	if (wrong(s, "rsa-zero"))
		memset(cipher, 0, 256);
	if (wrong(s, "key-longer"))
		memset(cipher + len, 0, 8);
	return wrong(s, "key-longer") ? len + 8 : wrong(s, "key-odd-longer") ? len + 3 :
	       wrong(s, "key-shorter") ? len - 8 : wrong(s, "key-cut") ? len - 1 :
	       wrong(s, "key-block") ? 256 + 8 : wrong(s, "key-none") ? 256 :
	       wrong(s, "rsa-cut") ? 200 : wrong(s, "nothing") ? 0 : len;
}

static char *key_hsm(const struct service *s, EVP_PKEY *key, const char *enc)
{
	uint8_t cipher[MAX_CIPHER] = { 0 };
	char *text, *encoded, *out;
	json_t *json;
	size_t len;

	wrap_kek(s, key, hash_of(s, enc), s->kek, wrong(s, "kek-16") ? 16 : wrong(s, "kek-31") ? 31 : 32, cipher);
	len = spoil(s, cipher, 256 + wrap_key(s, s->kek, cipher + 256));
	encoded = service_encode(cipher, len, true);
	if (wrong(s, "cipher-form"))
		encoded[9] = '!';
	json = json_pack("{s:s, s:{s:s, s:s, s:s}, s:s}", "schema_version", "1.0.0", "header", "kid",
			 "TpmEphemeralEncryptionKey", "alg", "dir", "enc",
			 wrong(s, "said-otherwise") ? another_enc(enc) : enc, "ciphertext", encoded);
	text = service_need(json_dumps(json, JSON_COMPACT));
	out = service_encode(text, strlen(text), true);
	if (wrong(s, "hsm-form"))
		out[9] = '!';
	json_decref(json);
	free(encoded);
	free(text);
	return out;
}

/* ---- what is signed */

#define OTHER_KEY	"https://" SERVICE_HOST "/keys/other/0123456789abcdef"
#define LETTERS		"https://" SERVICE_HOST "/keys/Disk/0123456789abcdef"
#define OTHER_VERSION	"https://" SERVICE_HOST "/keys/disk/fedcba9876543210"
#define NO_VERSION	"https://" SERVICE_HOST "/keys/disk"

static char *payload_of(const struct service *s, EVP_PKEY *key, const char *enc, const char *nonce)
{
	const char *kid = wrong(s, "kid") ? OTHER_KEY : wrong(s, "version") ? OTHER_VERSION :
			  wrong(s, "no-version") ? NO_VERSION :
			  wrong(s, "kid-letters") ? LETTERS : SERVICE_KID;
	const char *inner = wrong(s, "inner-kid") ? OTHER_KEY :
			    wrong(s, "inner-version") ? OTHER_VERSION : kid;
	char *hsm = key_hsm(s, key, enc), *text;
	json_t *json = json_pack("{s:{s:s, s:s, s:s, s:s}, s:{s:{s:{s:s, s:s, s:s}, s:{s:b}}}}",
		"request", "api-version", "7.3", "enc", wrong(s, "enc") ? "CKM_RSA_AES_KEY_WRAP" : enc,
		"kid", kid, "nonce", wrong(s, "nonce") ? "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" : nonce,
		"response", "key", "key", "kid", inner, "kty", "RSA-HSM", "key_hsm", hsm,
		"attributes", "enabled", 1);

	if (wrong(s, "no-nonce"))
		json_object_del(json_object_get(json, "request"), "nonce");
	if (wrong(s, "no-request"))
		json_object_del(json, "request");
	if (wrong(s, "request-form"))
		json_object_set_new(json, "request", json_string("nonce"));
	text = service_need(json_dumps(json, JSON_COMPACT));
	json_decref(json);
	free(hsm);
	return text;
}

/* ---- the signature */

/**
 * struct signer - who signs, and the certificates that he sends with it
 * @x5c: the signer's first; its end is the first that is none
 */
struct signer {
	EVP_PKEY *key;
	X509 *x5c[4];
};

static void add_cert(struct signer *signer, X509 *cert)
{
	size_t i = 0;

	while (signer->x5c[i])
		i++;
	signer->x5c[i] = cert;
}

static void free_signer(struct signer *signer)
{
	for (size_t i = 0; i < sizeof(signer->x5c) / sizeof(signer->x5c[0]); i++)
		X509_free(signer->x5c[i]);
	EVP_PKEY_free(signer->key);
}

static X509 *another(X509 *cert)
{
	X509_up_ref(cert);
	return cert;
}

/* The certificate of @key */
static X509 *issue_leaf(const struct service *s, const char *name, EVP_PKEY *key, X509 *issuer,
			EVP_PKEY *by)
{
	const struct service_cert spec = {
		.name = name, .key = key, .issuer = issuer, .by = by,
		.usage = wrong(s, "usage") ? "keyEncipherment" :
			 wrong(s, "no-ca") ? "digitalSignature,keyCertSign" : "digitalSignature",
		.host = wrong(s, "host") ? "DNS:other.simulated.example" :
			wrong(s, "host-name-only") ? NULL : "DNS:" SERVICE_HOST,
		.from = wrong(s, "early") ? 40000 : -86400,
		.until = wrong(s, "expired") ? -40000 : 86400,
		.md = wrong(s, "sha1") ? EVP_sha1() : EVP_sha256(),
	};

	return service_issue(&spec);
}

/* The attacker's root, which may call itself the vault's */
static X509 *own_root(const struct service *s)
{
	const struct service_cert spec = {
		.name = wrong(s, "own-root") ? "Other Root" : SERVICE_ROOT,
		.key = s->token_key, .by = s->token_key, .ca = true, .usage = "keyCertSign",
		.from = -86400, .until = 86400, .md = EVP_sha256(),
	};

	return service_issue(&spec);
}

/* Who is not the vault. His key is token_key. */
static bool sign_as_attacker(const struct service *s, struct signer *signer)
{
	X509 *issuer;

	if (wrong(s, "own-root") || wrong(s, "same-name")) {
		issuer = own_root(s);
		add_cert(signer, issue_leaf(s, SERVICE_HOST, s->token_key, issuer, s->token_key));
	} else if (wrong(s, "self-signed")) {
		add_cert(signer, issue_leaf(s, SERVICE_HOST, s->token_key, NULL, s->token_key));
		issuer = NULL;
	} else if (wrong(s, "no-ca")) {
		/* somebody's, whom the true one has given a certificate, but not that of a CA */
		issuer = issue_leaf(s, "Somebody", s->key, s->middle, s->middle_key);
		add_cert(signer, issue_leaf(s, SERVICE_HOST, s->token_key, issuer, s->key));
	} else {
		return false;
	}
	signer->key = s->token_key;
	if (issuer)
		add_cert(signer, issuer);
	if (wrong(s, "no-ca"))
		add_cert(signer, another(s->middle));
	return true;
}

static void sign_as_vault(const struct service *s, struct signer *signer)
{
	EVP_PKEY *by = wrong(s, "other-root") ? s->token_key : s->middle_key;

	signer->key = s->key;
	add_cert(signer, issue_leaf(s, SERVICE_HOST, s->key, s->middle, by));
	if (!wrong(s, "no-middle"))
		add_cert(signer, another(s->middle));
	if (wrong(s, "with-root") || wrong(s, "no-middle"))
		add_cert(signer, another(s->root));
}

static void find_signer(const struct service *s, struct signer *signer)
{
	EVP_PKEY *key;

	memset(signer, 0, sizeof(*signer));
	/* of another kind or size, which the true one has given certificates */
	if (wrong(s, "ec") || wrong(s, "large") || wrong(s, "weak")) {
		key = service_need(wrong(s, "ec") ? EVP_EC_gen("P-256") :
				    EVP_RSA_gen(wrong(s, "weak") ? 1024 : 4104));
		signer->key = key;
		add_cert(signer, issue_leaf(s, SERVICE_HOST, key, s->middle, s->middle_key));
		add_cert(signer, another(s->middle));
		return;
	}
	if (wrong(s, "root-signs")) {
		signer->key = s->root_key;
		add_cert(signer, another(s->root));
	} else if (!sign_as_attacker(s, signer)) {
		sign_as_vault(s, signer);
	}
	/* who is named, and who signs */
	if (wrong(s, "jwk"))
		signer->key = s->token_key;
	EVP_PKEY_up_ref(signer->key);
}

/* @cut: bytes less of it */
static json_t *der_cut(X509 *cert, size_t cut)
{
	unsigned char *der = NULL;
	int len = i2d_X509(cert, &der);
	char *text = service_encode(der, (size_t)len - cut, false);
	json_t *json = json_string(text);

	OPENSSL_free(der);
	free(text);
	return json;
}

static json_t *der_text(X509 *cert)
{
	return der_cut(cert, 0);
}

/* And a byte behind it */
static json_t *der_longer(X509 *cert)
{
	unsigned char der[4096] = { 0 }, *end = der;
	char *text;
	json_t *json;

	if (i2d_X509(cert, NULL) >= (int)sizeof(der))
		service_need(NULL);
	i2d_X509(cert, &end);
	text = service_encode(der, (size_t)(end - der) + 1, false);
	json = json_string(text);
	free(text);
	return json;
}

/* RFC 7515, 4.1.3: the key itself, which says who signs as well as anybody may */
static json_t *jwk_of(EVP_PKEY *key)
{
	char *n = service_modulus(key);
	json_t *json = json_pack("{s:s, s:s, s:s}", "kty", "RSA", "e", "AQAB", "n", n);

	free(n);
	return json;
}

static char *header_of(const struct service *s, const struct signer *signer)
{
	const char *alg = wrong(s, "none") ? "none" : wrong(s, "hs256") ? "HS256" :
			  wrong(s, "es256") ? "ES256" :
			  wrong(s, "pss") || wrong(s, "pss-salt") || wrong(s, "rs-as-ps") ? "PS256" :
			  wrong(s, "other-alg") ? "RS384" : "RS256";
	json_t *x5c = json_array(), *json = json_pack("{s:s, s:s}", "alg", alg, "kid", "signer");
	char *text;

	for (size_t i = 0; signer->x5c[i] && !wrong(s, "empty-chain"); i++)
		json_array_append_new(x5c, der_text(signer->x5c[i]));
	if (wrong(s, "long-chain"))
		while (json_array_size(x5c) < 9)
			json_array_append_new(x5c, der_text(s->root));
	if (wrong(s, "chain-form"))
		json_array_append_new(x5c, der_cut(s->root, 1));
	if (wrong(s, "chain-behind"))
		json_array_append_new(x5c, der_longer(s->root));
	if (!wrong(s, "no-chain"))
		json_object_set(json, "x5c", x5c);
	if (wrong(s, "crit"))
		json_object_set_new(json, "crit", json_pack("[s]", "exp"));
	if (wrong(s, "jwk"))
		json_object_set_new(json, "jwk", jwk_of(signer->key));
	text = service_need(json_dumps(json, JSON_COMPACT));
	json_decref(x5c);
	json_decref(json);
	return text;
}

/* The signer's public key, as everybody has it, taken for a shared secret */
static char *with_hmac(const char *jws, EVP_PKEY *key)
{
	const char *end = strrchr(jws, '.');
	BIO *bio = service_need(BIO_new(BIO_s_mem()));
	uint8_t mac[32];
	unsigned int len = sizeof(mac);
	char *pem, *encoded, *out;
	long pem_len;

	PEM_write_bio_PUBKEY(bio, key);
	pem_len = BIO_get_mem_data(bio, &pem);
	HMAC(EVP_sha256(), pem, (int)pem_len, (const uint8_t *)jws, (size_t)(end - jws), mac, &len);
	encoded = service_encode(mac, len, true);
	if (asprintf(&out, "%.*s.%s", (int)(end - jws), jws, encoded) < 0)
		service_need(NULL);
	free(encoded);
	BIO_free(bio);
	return out;
}

static char *changed(const struct service *s, char *jws, EVP_PKEY *key)
{
	char *dot = strchr(jws, '.'), *end = strrchr(jws, '.'), *out = NULL;

	if (wrong(s, "hs256"))
		out = with_hmac(jws, key);
	else if (wrong(s, "none") || wrong(s, "no-signature"))
		end[1] = '\0';
	else if (wrong(s, "signature"))
		end[20] = end[20] == 'A' ? 'B' : 'A';
	else if (wrong(s, "signature-form"))
		end[20] = '!';
	else if (wrong(s, "payload"))
		dot[40] = dot[40] == 'A' ? 'B' : 'A';
	else if (wrong(s, "two-parts"))
		*end = '\0';
	else if (wrong(s, "four-parts") && asprintf(&out, "%s.AAAA", jws) < 0)
		service_need(NULL);
	if (!out)
		return jws;
	free(jws);
	return out;
}

static char *sign_payload(const struct service *s, const char *payload)
{
	struct signer signer;
	char *header, *jws, *text;
	json_t *answer;

	find_signer(s, &signer);
	header = header_of(s, &signer);
	jws = service_sign(header, payload, strlen(payload), signer.key,
			   wrong(s, "pss") || wrong(s, "ps-as-rs") ? SERVICE_PS256 :
			   wrong(s, "pss-salt") ? 20 : SERVICE_RS256);
	jws = changed(s, jws, signer.key);
	answer = json_pack("{s:s}", "value", jws);
	text = service_need(json_dumps(answer, JSON_COMPACT));
	json_decref(answer);
	free(jws);
	free(header);
	free_signer(&signer);
	return text;
}

char *service_release(const struct service *s, const char *body, const char *public)
{
	json_t *json = json_loads(body, 0, NULL), *claims = NULL;
	const char *token = json_string_value(json_object_get(json, "target"));
	const char *nonce = json_string_value(json_object_get(json, "nonce"));
	const char *enc = json_string_value(json_object_get(json, "enc"));
	char *answer = NULL, *payload;
	EVP_PKEY *key = NULL;

	if (token && nonce && enc && token_holds(s, token)) {
		claims = claims_of(token);
		key = wrapping_key(claims, public);
	}
	if (key) {
		payload = payload_of(s, key, enc, nonce);
		answer = sign_payload(s, payload);
		free(payload);
	} else {
		fprintf(stderr, "skr_service: refused: no token, or no key in it\n");
	}
	EVP_PKEY_free(key);
	json_decref(claims);
	json_decref(json);
	return answer;
}
