// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509_vfy.h>

#include "tdx_check.h"

#define SGX_OID "1.2.840.113741.1.13.1"

static unsigned int u16(const uint8_t *p)
{
	return p[0] | (unsigned int)p[1] << 8;
}

static uint32_t u32(const uint8_t *p)
{
	return u16(p) | (uint32_t)u16(p + 2) << 16;
}

const char *tdx_set_chain(struct tdx_view *view, const char *pem, size_t len)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	const char *why = NULL;
	int i;

	for (i = 0; i < CHAIN_LEN; i++) {
		X509_free(view->chain[i]);
		view->chain[i] = PEM_read_bio_X509(bio, NULL, NULL, NULL);
		if (!view->chain[i])
			why = "fewer than three certificates";
	}
	BIO_free(bio);
	ERR_clear_error();
	return why;
}

/* certification data: type 6 around type 5 */
static const char *open_certification(struct tdx_view *view, const uint8_t *at, const uint8_t *end)
{
	if (end - at < 6 + 450 || u16(at) != 6 || u32(at + 2) != (uint64_t)(end - at - 6))
		return "no QE report certification data of the length that is left";
	view->qe = at + 6;
	view->auth_len = u16(view->qe + 448);
	view->auth = view->qe + 450;
	if ((size_t)(end - view->auth) < view->auth_len + 6)
		return "QE authentication data leaves the quote";
	at = view->auth + view->auth_len;
	if (u16(at) != 5 || u32(at + 2) != (uint64_t)(end - at - 6))
		return "no PCK chain of the length that is left";
	view->pem = (const char *)at + 6;
	view->pem_len = u32(at + 2);
	return tdx_set_chain(view, view->pem, view->pem_len);
}

static const char *open_body(struct tdx_view *view, size_t len)
{
	const uint8_t *bytes = view->bytes;

	view->version = u16(bytes);
	if (u16(bytes + 2) != 2 || u32(bytes + 4) != 0x81)
		return "not ECDSA P-256, or not TDX";
	if (view->version == 4) {
		view->body_type = 2;
		view->body = bytes + 48;
		view->body_len = 584;
	} else if (view->version == 5) {
		view->body_type = u16(bytes + 48);
		view->body = bytes + 54;
		view->body_len = u32(bytes + 50);
		if (view->body_len != (view->body_type == 2 ? 584 : 648) || view->body_type < 2 ||
		    view->body_type > 3)
			return "a body of unknown type or wrong size";
	} else {
		return "an unknown version";
	}
	view->signed_len = (size_t)(view->body - bytes) + view->body_len;
	return view->signed_len + 4 + 128 > len ? "truncated" : NULL;
}

const char *tdx_open(struct tdx_view *view, const uint8_t *bytes, size_t len)
{
	const char *why;
	size_t rest;

	memset(view, 0, sizeof(*view));
	view->bytes = bytes;
	if (len < 54)
		return "truncated";
	why = open_body(view, len);
	if (why)
		return why;
	rest = u32(bytes + view->signed_len);
	view->end = view->signed_len + 4 + rest;
	if (rest < 128 || view->end > len)
		return "signature data leaves the quote";
	view->signature = bytes + view->signed_len + 4;
	return open_certification(view, view->signature + 128, bytes + view->end);
}

void tdx_close(struct tdx_view *view)
{
	int i;

	for (i = 0; i < CHAIN_LEN; i++)
		X509_free(view->chain[i]);
	memset(view, 0, sizeof(*view));
}

/* an uncompressed point in the SubjectPublicKeyInfo of P-256 */
static EVP_PKEY *raw_key(const uint8_t raw[64])
{
	static const uint8_t prefix[27] = {
		0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
		0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
	};
	uint8_t der[sizeof(prefix) + 64];
	const uint8_t *at = der;

	memcpy(der, prefix, sizeof(prefix));
	memcpy(der + sizeof(prefix), raw, 64);
	return d2i_PUBKEY(NULL, &at, sizeof(der));
}

static int signed_by(EVP_PKEY *key, const uint8_t raw[64], const uint8_t *data, size_t len)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t *der = NULL;
	int der_len, good;

	ECDSA_SIG_set0(sig, BN_bin2bn(raw, 32, NULL), BN_bin2bn(raw + 32, 32, NULL));
	der_len = i2d_ECDSA_SIG(sig, &der);
	good = key && EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, key) > 0 &&
	       EVP_DigestVerify(md, der, (size_t)der_len, data, len) == 1;
	OPENSSL_free(der);
	EVP_MD_CTX_free(md);
	ECDSA_SIG_free(sig);
	ERR_clear_error();
	return good;
}

static int bound(const struct tdx_view *view)
{
	static const uint8_t zero[32];
	uint8_t both[64 + 64], digest[32];

	if (view->auth_len > 64)
		return 0;
	memcpy(both, view->signature + 64, 64);
	memcpy(both + 64, view->auth, view->auth_len);
	SHA256(both, 64 + view->auth_len, digest);
	return !memcmp(view->qe + 320, digest, 32) && !memcmp(view->qe + 352, zero, 32);
}

static int chain_good(const struct tdx_view *view, time_t at)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *others = sk_X509_new_null();
	int good;

	X509_STORE_add_cert(store, view->chain[CHAIN_ROOT]);
	sk_X509_push(others, view->chain[CHAIN_CA]);
	X509_STORE_CTX_init(ctx, store, view->chain[CHAIN_LEAF], others);
	X509_STORE_CTX_set_time(ctx, 0, at);
	X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(ctx), X509_V_FLAG_X509_STRICT);
	good = X509_verify_cert(ctx) == 1 && sk_X509_num(X509_STORE_CTX_get0_chain(ctx)) == 3;
	sk_X509_free(others);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	ERR_clear_error();
	return good;
}

const char *tdx_verify(const struct tdx_view *view, time_t at)
{
	EVP_PKEY *key = raw_key(view->signature + 64);
	int good = signed_by(key, view->signature, view->bytes, view->signed_len);

	EVP_PKEY_free(key);
	if (!good)
		return "quote signature";
	if (!signed_by(X509_get0_pubkey(view->chain[CHAIN_LEAF]), view->qe + 384, view->qe, 384))
		return "QE report signature";
	if (!bound(view))
		return "attestation key";
	return chain_good(view, at) ? NULL : "chain";
}

time_t tdx_issued(const struct tdx_view *view)
{
	struct tm tm;

	ASN1_TIME_to_tm(X509_get0_notBefore(view->chain[CHAIN_LEAF]), &tm);
	return timegm(&tm);
}

char *tdx_sgx_dump(const struct tdx_view *view)
{
	X509 *leaf = view->chain[CHAIN_LEAF];
	ASN1_OBJECT *oid = OBJ_txt2obj(SGX_OID, 1);
	int at = X509_get_ext_by_OBJ(leaf, oid, -1);
	BIO *bio = BIO_new(BIO_s_mem());
	const ASN1_OCTET_STRING *value;
	char *text, *copy;
	long len;

	ASN1_OBJECT_free(oid);
	if (at >= 0) {
		value = X509_EXTENSION_get_data(X509_get_ext(leaf, at));
		ASN1_parse_dump(bio, ASN1_STRING_get0_data(value), ASN1_STRING_length(value), 1,
				0);
	}
	len = BIO_get_mem_data(bio, &text);
	copy = strndup(text ? text : "", (size_t)len);
	BIO_free(bio);
	return copy;
}

void tdx_sgx_value(const char *dump, const char *oid, char hex[64])
{
	char key[80];
	const char *at;

	*hex = 0;
	snprintf(key, sizeof(key), ":" SGX_OID ".%s\n", oid);
	at = strstr(dump, key);
	if (!at)
		return;
	/* "OFFSET:d=DEPTH ... prim: TYPE [HEX DUMP]:VALUE" */
	at = strstr(at + strlen(key), "prim:");
	if (!at)
		return;
	at += strlen("prim:");
	at += strcspn(at, "\n:");
	if (*at == ':')
		snprintf(hex, 64, "%.*s", (int)strcspn(at + 1, "\n"), at + 1);
}
