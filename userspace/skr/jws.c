// SPDX-License-Identifier: MIT
/*
 * RFC 7515, compact form, of which the header names the algorithm and brings the chain. So
 * neither is believed: there are six algorithms, all of one kind of key, and the chain ends in
 * a root that the caller has.
 */
#include <errno.h>
#include <jansson.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "common/api.h"
#include "common/base64url.h"
#include "common/cleanup.h"
#include "common/util.h"
#include "skr.h"
#include "verify/certs.h"
#include "verify/json_in.h"

#define MAX_CERT	(16U << 10)
#define MIN_BITS	2048
/* more than any vault has; what is signed by more takes a processor long */
#define MAX_BITS	4096
/* of signatures in the chain: no SHA-1, no RSA below 2048 bits */
#define AUTH_LEVEL	2

static const struct algorithm {
	const char *name;
	const char *digest;
	int padding;
} algorithms[] = {
	{ "RS256", "SHA256", RSA_PKCS1_PADDING }, { "PS256", "SHA256", RSA_PKCS1_PSS_PADDING },
	{ "RS384", "SHA384", RSA_PKCS1_PADDING }, { "PS384", "SHA384", RSA_PKCS1_PSS_PADDING },
	{ "RS512", "SHA512", RSA_PKCS1_PADDING }, { "PS512", "SHA512", RSA_PKCS1_PSS_PADDING },
};

/**
 * struct parts - a JWS, taken apart; nothing is believed yet
 * @signed_len: characters that are signed, from the beginning
 * @header: JSON
 * @payload: bytes
 * @signature: likewise
 */
struct parts {
	size_t signed_len;
	uint8_t *header, *payload, *signature;
	size_t header_len, payload_len, signature_len;
};

static void cleanup_parts(struct parts *parts)
{
	free(parts->header);
	free(parts->payload);
	free(parts->signature);
}

static void cleanup_json(struct cvm_json *in)
{
	json_decref((json_t *)in->value);
}

static void cleanup_stack(STACK_OF(X509) **stack)
{
	sk_X509_pop_free(*stack, X509_free);
}

static void cleanup_store(X509_STORE **store)
{
	X509_STORE_free(*store);
}

static void cleanup_store_ctx(X509_STORE_CTX **ctx)
{
	X509_STORE_CTX_free(*ctx);
}

static void cleanup_md_ctx(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

/* ---- the three parts */

static int decode(const char *text, size_t len, uint8_t **out, size_t *out_len)
{
	long got;

	*out = malloc(len + 1);
	if (!*out)
		return -ENOMEM;
	got = cvm_base64url_decode(text, len, *out, len);
	*out_len = got < 0 ? 0 : (size_t)got;
	return got < 0 ? -EBADMSG : 0;
}

static int split(const char *text, size_t len, struct parts *parts)
{
	const char *first = memchr(text, '.', len), *end = text + len, *second;
	int rc;

	second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
	if (!second || memchr(second + 1, '.', (size_t)(end - second - 1)))
		return -EBADMSG;
	parts->signed_len = (size_t)(second - text);
	rc = decode(text, (size_t)(first - text), &parts->header, &parts->header_len);
	if (!rc)
		rc = decode(first + 1, (size_t)(second - first - 1), &parts->payload,
			    &parts->payload_len);
	if (!rc)
		rc = decode(second + 1, (size_t)(end - second - 1), &parts->signature,
			    &parts->signature_len);
	return rc;
}

/* ---- the header */

static int find_algorithm(const struct cvm_json *header, const struct algorithm **out)
{
	struct cvm_json member;
	const char *name;
	int rc = cvm_json_member(header, "alg", &member);

	if (!rc)
		rc = cvm_json_text(&member, &name);
	for (size_t i = 0; !rc && i < ARRAY_SIZE(algorithms); i++)
		if (!strcmp(name, algorithms[i].name)) {
			*out = &algorithms[i];
			return 0;
		}
	/* "none" and those with a shared secret above all */
	return rc ? rc : cvm_json_wrong(&member, "an RSA signature with SHA-2");
}

static int add_cert(const struct cvm_json *item, STACK_OF(X509) *chain)
{
	__cleanup_free uint8_t *der = malloc(MAX_CERT);
	const unsigned char *at = der;
	const char *text;
	X509 *cert;
	long len;
	int rc = cvm_json_text(item, &text);

	if (rc || !der)
		return rc ? rc : -ENOMEM;
	len = cvm_base64_decode(text, der, MAX_CERT);
	cert = len > 0 ? d2i_X509(NULL, &at, len) : NULL;
	if (!cert || at != der + len) {
		X509_free(cert);
		return cvm_json_wrong(item, "a certificate in base64");
	}
	if (sk_X509_push(chain, cert))
		return 0;
	X509_free(cert);
	return -ENOMEM;
}

static int read_chain(const struct cvm_json *header, STACK_OF(X509) *chain)
{
	struct cvm_json list, item;
	size_t count = 0;
	int rc = cvm_skr_rejected(cvm_json_member(header, "x5c", &list));

	if (!rc)
		rc = cvm_json_array(&list, CVM_SKR_MAX_CHAIN, &count);
	if (!rc && !count)
		return cvm_skr_rejected(cvm_json_wrong(&list, "certificates"));
	for (size_t i = 0; !rc && i < count; i++) {
		cvm_json_item(&list, i, &item);
		rc = add_cert(&item, chain);
	}
	return rc;
}

/* ---- the signer */

static X509_STORE *store_of(const struct cvm_certs *roots)
{
	X509_STORE *store = X509_STORE_new();

	for (size_t i = 0; store && i < roots->count; i++)
		if (X509_STORE_add_cert(store, roots->cert[i].x509) != 1) {
			X509_STORE_free(store);
			return NULL;
		}
	return store;
}

/*
 * The roots are those of public services: that it is the vault which signs says the name alone.
 * An empty one would mean any to OpenSSL, and one with a dot in front all below it.
 */
static int set_rules(X509_STORE_CTX *ctx, const struct cvm_jws_trust *trust,
		     struct cvm_error *error)
{
	X509_VERIFY_PARAM *rules = X509_STORE_CTX_get0_param(ctx);

	if (!cvm_skr_is_host(trust->host))
		return cvm_set_error(error, -EINVAL, "the signer's host: '%.200s' is no host name",
				     trust->host);
	X509_VERIFY_PARAM_set_time(rules, (time_t)trust->at);
	X509_VERIFY_PARAM_set_auth_level(rules, AUTH_LEVEL);
	X509_VERIFY_PARAM_set_depth(rules, CVM_SKR_MAX_CHAIN);
	/* the name must be one that the issuer has looked at as a host's */
	X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
					X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_VERIFY_PARAM_set1_host(rules, trust->host, 0) == 1 ? 0 :
	       cvm_set_error(error, -ENOMEM, "out of memory");
}

static int check_chain(STACK_OF(X509) *chain, const struct cvm_jws_trust *trust,
		       struct cvm_error *error)
{
	X509_STORE *store __cleanup(cleanup_store) = store_of(trust->roots);
	X509_STORE_CTX *ctx __cleanup(cleanup_store_ctx) = X509_STORE_CTX_new();
	X509 *leaf = sk_X509_value(chain, 0);
	int rc;

	if (!store || !ctx || X509_STORE_CTX_init(ctx, store, leaf, chain) != 1)
		return cvm_set_error(error, -ENOMEM, "out of memory");
	rc = set_rules(ctx, trust, error);
	if (rc)
		return rc;
	if (X509_verify_cert(ctx) == 1)
		return 0;
	return cvm_set_error(error, -EKEYREJECTED, "the certificates of the signature do not hold: %s",
			     X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
}

static int check_leaf(X509 *leaf, struct cvm_error *error)
{
	EVP_PKEY *key = X509_get0_pubkey(leaf);

	if (!key || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA ||
	    EVP_PKEY_get_bits(key) < MIN_BITS ||
	    EVP_PKEY_get_bits(key) > MAX_BITS)
		return cvm_set_error(error, -EKEYREJECTED, "the signature is by another kind of key than RSA of %d to %d bits",
				     MIN_BITS, MAX_BITS);
	if (!(X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE))
		return cvm_set_error(error, -EKEYREJECTED, "the signature is by a key that may not sign");
	return 0;
}

static int check_signature(const char *text, const struct parts *parts, X509 *leaf,
			   const struct algorithm *a, struct cvm_error *error)
{
	EVP_MD_CTX *ctx __cleanup(cleanup_md_ctx) = EVP_MD_CTX_new();
	const EVP_MD *md = EVP_get_digestbyname(a->digest);
	EVP_PKEY_CTX *pkey;

	if (!ctx || !md ||
	    EVP_DigestVerifyInit(ctx, &pkey, md, NULL, X509_get0_pubkey(leaf)) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(pkey, a->padding) != 1)
		return cvm_set_error(error, -EIO, "RSA signatures cannot be verified");
	if (a->padding == RSA_PKCS1_PSS_PADDING &&
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey, RSA_PSS_SALTLEN_DIGEST) != 1)
		return cvm_set_error(error, -EIO, "RSA signatures cannot be verified");
	if (EVP_DigestVerify(ctx, parts->signature, parts->signature_len, (const uint8_t *)text,
			     parts->signed_len) == 1)
		return 0;
	return cvm_set_error(error, -EKEYREJECTED, "the signature does not hold");
}

static int check(const char *text, const struct parts *parts, const struct cvm_jws_trust *trust,
		 struct cvm_error *error)
{
	STACK_OF(X509) *chain __cleanup(cleanup_stack) = sk_X509_new_null();
	struct cvm_json header __cleanup(cleanup_json) = { 0 };
	const struct algorithm *algorithm = NULL;
	int rc = cvm_json_load(parts->header, parts->header_len, "header", &header, error);

	if (!rc && !chain)
		rc = cvm_set_error(error, -ENOMEM, "out of memory");
	/* what must be understood, and is not */
	if (!rc && cvm_json_has(&header, "crit"))
		rc = cvm_set_error(error, -EKEYREJECTED, "header: crit: expected not to be there");
	if (!rc)
		rc = cvm_skr_rejected(find_algorithm(&header, &algorithm));
	if (!rc)
		rc = read_chain(&header, chain);
	if (!rc)
		rc = check_chain(chain, trust, error);
	if (!rc)
		rc = check_leaf(sk_X509_value(chain, 0), error);
	return rc ? rc : check_signature(text, parts, sk_X509_value(chain, 0), algorithm, error);
}

int cvm_jws_open(const char *text, size_t len, const struct cvm_jws_trust *trust,
		 uint8_t **payload, size_t *payload_len, struct cvm_error *error)
{
	struct parts parts __cleanup(cleanup_parts) = { 0 };
	int rc = split(text, len, &parts);

	*payload = NULL;
	if (rc == -EBADMSG)
		return cvm_set_error(error, rc, "expected a signature in compact form: three parts in base64url");
	if (rc)
		return cvm_set_error(error, rc, "out of memory");
	rc = check(text, &parts, trust, error);
	if (rc)
		return rc;
	*payload = cvm_take_ptr(parts.payload);
	*payload_len = parts.payload_len;
	return 0;
}
