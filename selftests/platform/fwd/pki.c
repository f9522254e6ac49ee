// SPDX-License-Identifier: GPL-2.0
/* Keys and certificates of the simulated vendors. */
#include <errno.h>
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "cleanup.h"
#include "pki.h"

/* what failed, and the newest of OpenSSL's reasons */
static int complain(const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	fprintf(stderr, "cvm-fwd: cannot %s: %s\n", what, reason ? reason : "OpenSSL failed");
	ERR_clear_error();
	return -1;
}

EVP_PKEY *pki_key_new(enum pki_key kind)
{
	EVP_PKEY *key;

	if (kind == PKI_RSA_4096)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)4096);
	else
		key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind == PKI_P384 ? "P-384" : "P-256");
	if (!key)
		complain("generate a key");
	return key;
}

/* HKDF with SHA-384: len bytes that depend on the secret and info only */
static int expand(const void *secret, size_t secret_len, const void *info, size_t info_len,
		  unsigned char *out, size_t len)
{
	EVP_KDF *kdf __clean(kdf) = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx __clean(kdf_ctx) = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA384", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret, secret_len),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info, info_len),
		OSSL_PARAM_construct_end(),
	};

	return ctx && EVP_KDF_derive(ctx, out, len, params) > 0 ? 0 : -1;
}

/* a scalar in [1, order): 16 bytes more than the order, so the bias is nil */
static BIGNUM *scalar(const EC_GROUP *group, const void *secret, size_t secret_len,
		      const void *info, size_t info_len)
{
	unsigned char wide[48 + 16];
	BN_CTX *bn = BN_CTX_new();
	BIGNUM *d = NULL, *order = BN_dup(EC_GROUP_get0_order(group));

	if (bn && order && !expand(secret, secret_len, info, info_len, wide, sizeof(wide)))
		d = BN_bin2bn(wide, sizeof(wide), NULL);
	if (d && (!BN_sub_word(order, 1) || !BN_mod(d, d, order, bn) || !BN_add_word(d, 1))) {
		BN_clear_free(d);
		d = NULL;
	}
	BN_CTX_free(bn);
	BN_free(order);
	OPENSSL_cleanse(wide, sizeof(wide));
	return d;
}

static EVP_PKEY *key_from_scalar(const EC_GROUP *group, const char *curve, const BIGNUM *d)
{
	EC_POINT *point __clean(point) = EC_POINT_new(group);
	OSSL_PARAM_BLD *bld __clean(bld) = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx __clean(pkey_ctx) = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM *params __clean(params) = NULL;
	unsigned char pub[1 + 2 * 48];
	EVP_PKEY *key = NULL;
	size_t len;

	if (!point || !bld || !ctx || !EC_POINT_mul(group, point, d, NULL, NULL, NULL))
		return NULL;
	len = EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, pub, sizeof(pub),
				 NULL);
	if (!len || !OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) ||
	    !OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, pub, len) ||
	    !OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, d))
		return NULL;
	params = OSSL_PARAM_BLD_to_param(bld);
	if (!params || EVP_PKEY_fromdata_init(ctx) <= 0 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) <= 0)
		return NULL;
	return key;
}

EVP_PKEY *pki_key_derive(enum pki_key kind, const void *secret, size_t secret_len,
			 const void *info, size_t info_len)
{
	bool p384 = kind == PKI_P384;
	EC_GROUP *group __clean(group) =
		EC_GROUP_new_by_curve_name(p384 ? NID_secp384r1 : NID_X9_62_prime256v1);
	BIGNUM *d __clean(bn) = group ? scalar(group, secret, secret_len, info, info_len) : NULL;
	EVP_PKEY *key = d ? key_from_scalar(group, p384 ? "P-384" : "P-256", d) : NULL;

	if (!key)
		complain("derive a key");
	return key;
}

static int set_subject(X509 *cert, const struct pki_name *attr)
{
	X509_NAME *name = X509_get_subject_name(cert);

	for (; attr->field; attr++)
		if (!X509_NAME_add_entry_by_txt(name, attr->field, MBSTRING_UTF8,
						(const unsigned char *)attr->value, -1, -1, 0))
			return complain(attr->field);
	return 0;
}

static X509_EXTENSION *raw_ext(const struct pki_ext *ext)
{
	ASN1_OCTET_STRING *octets __clean(octets) = ASN1_OCTET_STRING_new();
	ASN1_OBJECT *oid __clean(object) = OBJ_txt2obj(ext->oid, 0);

	if (!octets || !oid || !ASN1_OCTET_STRING_set(octets, ext->der, (int)ext->len))
		return NULL;
	return X509_EXTENSION_create_by_OBJ(NULL, oid, ext->critical, octets);
}

static X509_EXTENSION *known_ext(X509 *cert, X509 *issuer, const struct pki_ext *ext)
{
	char conf[300];
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509V3_set_ctx_nodb(&ctx);
	snprintf(conf, sizeof(conf), "%s%s", ext->critical ? "critical," : "", ext->conf);
	return X509V3_EXT_conf(NULL, &ctx, ext->oid, conf);
}

static int add_exts(X509 *cert, X509 *issuer, const struct pki_ext *ext)
{
	for (; ext && ext->oid; ext++) {
		X509_EXTENSION *made __clean(ext) = ext->conf ? known_ext(cert, issuer, ext) :
						    raw_ext(ext);

		if (!made || !X509_add_ext(cert, made, -1))
			return complain(ext->oid);
	}
	return 0;
}

/* a context that signs as the vendor does; NULL: it cannot be made */
static EVP_MD_CTX *sign_context(EVP_PKEY *key, enum pki_sign how)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	const EVP_MD *digest = how == PKI_PSS_SHA384 ? EVP_sha384() : EVP_sha256();
	EVP_PKEY_CTX *ctx;

	if (md && EVP_DigestSignInit(md, &ctx, digest, NULL, key) == 1 &&
	    (how != PKI_PSS_SHA384 ||
	     (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
	      EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, 48) > 0 &&
	      EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, digest) > 0)))
		return md;
	EVP_MD_CTX_free(md);
	return NULL;
}

static int sign(X509 *cert, EVP_PKEY *key, enum pki_sign how)
{
	EVP_MD_CTX *md __clean(md_ctx) = sign_context(key, how);

	return md && X509_sign_ctx(cert, md) > 0 ? 0 : complain("sign a certificate");
}

static char *crl_text(X509_CRL *crl)
{
	BIO *pem = BIO_new(BIO_s_mem());
	char *data, *text = NULL;
	long len;

	if (pem && PEM_write_bio_X509_CRL(pem, crl)) {
		len = BIO_get_mem_data(pem, &data);
		text = len > 0 ? strndup(data, (size_t)len) : NULL;
	}
	BIO_free(pem);
	return text;
}

char *pki_crl(const struct pki_cert *issuer, enum pki_sign how)
{
	const long day = 24 * 60 * 60;
	EVP_MD_CTX *md __clean(md_ctx) = sign_context(issuer->key, how);
	ASN1_TIME *from = X509_gmtime_adj(NULL, -day), *until = X509_gmtime_adj(NULL, 30 * day);
	X509_CRL *crl = X509_CRL_new();
	char *text = NULL;

	if (md && crl && from && until && X509_CRL_set_version(crl, X509_CRL_VERSION_2) &&
	    X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->x509)) &&
	    X509_CRL_set1_lastUpdate(crl, from) && X509_CRL_set1_nextUpdate(crl, until) &&
	    X509_CRL_sign_ctx(crl, md) > 0)
		text = crl_text(crl);
	X509_CRL_free(crl);
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
	if (!text)
		complain("make a revocation list");
	return text;
}

static int fill(X509 *cert, EVP_PKEY *key, X509 *issuer, const struct pki_spec *spec)
{
	const long day = 24 * 60 * 60;

	if (!X509_set_version(cert, X509_VERSION_3) ||
	    !ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), spec->serial) ||
	    !X509_gmtime_adj(X509_getm_notBefore(cert), -30 * day) ||
	    !X509_time_adj_ex(X509_getm_notAfter(cert), spec->days, 0, NULL) ||
	    !X509_set_pubkey(cert, key) || set_subject(cert, spec->subject) ||
	    !X509_set_issuer_name(cert, X509_get_subject_name(issuer)))
		return complain("fill in a certificate");
	return add_exts(cert, issuer, spec->exts);
}

int pki_issue(struct pki_cert *out, EVP_PKEY *key, const struct pki_cert *issuer,
	      const struct pki_spec *spec)
{
	memset(out, 0, sizeof(*out));
	out->key = key;
	out->x509 = X509_new();
	if (!key || !out->x509 ||
	    fill(out->x509, key, issuer ? issuer->x509 : out->x509, spec) ||
	    sign(out->x509, issuer ? issuer->key : key, spec->sign))
		goto fail;
	out->der_len = i2d_X509(out->x509, &out->der);
	if (out->der_len > 0)
		return 0;
fail:
	pki_free(out);
	return -1;
}

void pki_free(struct pki_cert *cert)
{
	X509_free(cert->x509);
	EVP_PKEY_free(cert->key);
	OPENSSL_free(cert->der);
	memset(cert, 0, sizeof(*cert));
}

static bool still_good(const struct pki_cert *cert, const struct pki_cert *issuer)
{
	EVP_PKEY *by = issuer ? issuer->key : cert->key;
	bool good = cert->key && X509_verify(cert->x509, by) == 1 &&
		    X509_cmp_current_time(X509_get0_notAfter(cert->x509)) > 0;

	ERR_clear_error();
	return good;
}

int pki_get(struct pki_cert *out, const char *dir, const char *name, enum pki_key kind,
	    const struct pki_cert *issuer, const struct pki_spec *spec)
{
	if (!pki_load(out, dir, name)) {
		if (still_good(out, issuer))
			return 0;
		pki_free(out);
	}
	if (pki_issue(out, pki_key_new(kind), issuer, spec))
		return -1;
	if (!pki_save(out, dir, name))
		return 0;
	pki_free(out);
	return -1;
}
