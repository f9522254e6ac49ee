// SPDX-License-Identifier: GPL-2.0
/* Keys, certificates, signatures and texts of the two services. */
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "service.h"

void *service_need(void *pointer)
{
	if (pointer)
		return pointer;
	fprintf(stderr, "skr_service: it cannot be made\n");
	exit(1);
}

bool service_is_wrong(const struct service *s, const char *what)
{
	return s->wrong && !strcmp(s->wrong, what);
}

/* ---- texts */

uint8_t *service_decode(const char *text, size_t *len)
{
	size_t digits = strcspn(text, "="), padded = (digits + 3) / 4 * 4;
	char *copy = service_need(malloc(padded + 1));
	uint8_t *out = service_need(calloc(1, padded / 4 * 3 + 4));

	memset(copy, '=', padded);
	for (size_t i = 0; i < digits; i++)
		copy[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
	if (EVP_DecodeBlock(out, (unsigned char *)copy, (int)padded) < 0)
		service_need(NULL);
	free(copy);
	*len = digits / 4 * 3 + (digits % 4 ? digits % 4 - 1 : 0);
	out[*len] = '\0';
	return out;
}

char *service_encode(const void *data, size_t len, bool url)
{
	char *text = service_need(malloc((len + 2) / 3 * 4 + 1));

	EVP_EncodeBlock((unsigned char *)text, data, (int)len);
	for (char *p = text; url && *p; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p == '=' ? '\0' : *p;
	return text;
}

/* ---- keys and signatures */

EVP_PKEY *service_public_key(const uint8_t *n, size_t len)
{
	OSSL_PARAM_BLD *build = service_need(OSSL_PARAM_BLD_new());
	EVP_PKEY_CTX *ctx = service_need(EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL));
	BIGNUM *modulus = BN_bin2bn(n, (int)len, NULL), *exponent = BN_new();
	OSSL_PARAM *params;
	EVP_PKEY *key = NULL;

	BN_set_word(exponent, RSA_F4);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent);
	params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_fromdata_init(ctx);
	EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	BN_free(modulus);
	BN_free(exponent);
	return service_need(key);
}

char *service_modulus(EVP_PKEY *key)
{
	BIGNUM *n = NULL;
	uint8_t bytes[256];

	EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n);
	BN_bn2binpad(n, bytes, sizeof(bytes));
	BN_free(n);
	return service_encode(bytes, sizeof(bytes), true);
}

static uint8_t *sign(EVP_PKEY *key, int salt, const char *text, size_t *len)
{
	EVP_MD_CTX *ctx = service_need(EVP_MD_CTX_new());
	uint8_t *signature = service_need(malloc(1024));
	EVP_PKEY_CTX *pkey;

	*len = 1024;
	if (EVP_DigestSignInit(ctx, &pkey, EVP_sha256(), NULL, key) != 1 ||
	    (salt >= 0 && (EVP_PKEY_CTX_set_rsa_padding(pkey, RSA_PKCS1_PSS_PADDING) != 1 ||
			   EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey, salt) != 1)) ||
	    EVP_DigestSign(ctx, signature, len, (const uint8_t *)text, strlen(text)) != 1)
		service_need(NULL);
	EVP_MD_CTX_free(ctx);
	return signature;
}

char *service_sign(const char *header, const void *payload, size_t len, EVP_PKEY *key, int salt)
{
	char *head = service_encode(header, strlen(header), true);
	char *body = service_encode(payload, len, true), *input, *encoded, *jws;
	uint8_t *signature;
	size_t signature_len;

	if (asprintf(&input, "%s.%s", head, body) < 0)
		service_need(NULL);
	signature = sign(key, salt, input, &signature_len);
	encoded = service_encode(signature, signature_len, true);
	if (asprintf(&jws, "%s.%s", input, encoded) < 0)
		service_need(NULL);
	free(head);
	free(body);
	free(input);
	free(signature);
	free(encoded);
	return jws;
}

/* ---- certificates */

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	extension = service_need(X509V3_EXT_conf_nid(NULL, &ctx, nid, value));
	X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
}

X509 *service_issue(const struct service_cert *spec)
{
	X509 *cert = service_need(X509_new()), *issuer = spec->issuer ? spec->issuer : cert;
	X509_NAME *subject = X509_get_subject_name(cert);

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), spec->ca ? 1 : 2);
	X509_gmtime_adj(X509_getm_notBefore(cert), spec->from);
	X509_gmtime_adj(X509_getm_notAfter(cert), spec->until);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)spec->name,
				   -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(issuer));
	X509_set_pubkey(cert, spec->key);
	extend(cert, issuer, NID_basic_constraints, spec->ca ? "critical,CA:TRUE" : "CA:FALSE");
	extend(cert, issuer, NID_key_usage, spec->usage);
	if (spec->host)
		extend(cert, issuer, NID_subject_alt_name, spec->host);
	if (!X509_sign(cert, spec->by, spec->md))
		service_need(NULL);
	return cert;
}

/* As a vault's are: a root, one between, and its own */
static void issue_all(struct service *s)
{
	struct service_cert spec = {
		.name = SERVICE_ROOT, .key = s->root_key, .by = s->root_key, .ca = true,
		.usage = "keyCertSign", .from = -86400, .until = 86400, .md = EVP_sha256(),
	};

	s->root = service_issue(&spec);
	spec.name = "Simulated Vault CA";
	spec.key = s->middle_key;
	spec.issuer = s->root;
	s->middle = service_issue(&spec);
	spec.name = SERVICE_HOST;
	spec.key = s->key;
	spec.issuer = s->middle;
	spec.by = s->middle_key;
	spec.ca = false;
	spec.usage = "digitalSignature";
	spec.host = "DNS:" SERVICE_HOST;
	s->cert = service_issue(&spec);
}

void service_make(struct service *s)
{
	memset(s, 0, sizeof(*s));
	s->token_key = service_need(EVP_RSA_gen(2048));
	s->root_key = service_need(EVP_RSA_gen(2048));
	s->middle_key = service_need(EVP_RSA_gen(2048));
	s->key = service_need(EVP_RSA_gen(2048));
	s->secret_len = 32;
	RAND_bytes(s->secret, 32);
	RAND_bytes(s->kek, sizeof(s->kek));
	issue_all(s);
}

void service_free(struct service *s)
{
	EVP_PKEY_free(s->token_key);
	EVP_PKEY_free(s->root_key);
	EVP_PKEY_free(s->middle_key);
	EVP_PKEY_free(s->key);
	X509_free(s->root);
	X509_free(s->middle);
	X509_free(s->cert);
}

char *service_roots(const struct service *s)
{
	BIO *bio = service_need(BIO_new(BIO_s_mem()));
	char *at, *text;
	long len;

	PEM_write_bio_X509(bio, s->root);
	len = BIO_get_mem_data(bio, &at);
	text = service_need(strndup(at, (size_t)len));
	BIO_free(bio);
	return text;
}

/* ---- a directory */

static FILE *open_in(const char *dir, const char *name, const char *mode)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return fopen(path, mode);
}

static EVP_PKEY *key_at(const char *dir, const char *name)
{
	FILE *file = open_in(dir, name, "r");
	EVP_PKEY *key;

	if (file) {
		key = service_need(PEM_read_PrivateKey(file, NULL, NULL, NULL));
		fclose(file);
		return key;
	}
	key = service_need(EVP_RSA_gen(2048));
	file = service_need(open_in(dir, name, "w"));
	PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
	return key;
}

/* The released key, as a vault has it: PKCS #8 */
static void secret_of(struct service *s, EVP_PKEY *key)
{
	PKCS8_PRIV_KEY_INFO *info = service_need(EVP_PKEY2PKCS8(key));
	unsigned char *der = NULL;
	int len = i2d_PKCS8_PRIV_KEY_INFO(info, &der);

	if (len <= 0 || (size_t)len > sizeof(s->secret))
		service_need(NULL);
	memcpy(s->secret, der, (size_t)len);
	s->secret_len = (size_t)len;
	OPENSSL_free(der);
	PKCS8_PRIV_KEY_INFO_free(info);
}

void service_at(struct service *s, const char *dir)
{
	EVP_PKEY *released;
	FILE *file;

	mkdir(dir, 0700);
	memset(s, 0, sizeof(*s));
	s->token_key = key_at(dir, "token.key");
	s->root_key = key_at(dir, "root.key");
	s->middle_key = key_at(dir, "middle.key");
	s->key = key_at(dir, "release.key");
	released = key_at(dir, "released.key");
	secret_of(s, released);
	EVP_PKEY_free(released);
	RAND_bytes(s->kek, sizeof(s->kek));
	issue_all(s);
	file = service_need(open_in(dir, "root.pem", "w"));
	PEM_write_X509(file, s->root);
	fclose(file);
	file = service_need(open_in(dir, "released.der", "w"));
	if (fwrite(s->secret, 1, s->secret_len, file) != s->secret_len || fclose(file))
		service_need(NULL);
}
