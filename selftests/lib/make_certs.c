// SPDX-License-Identifier: GPL-2.0
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "make_certs.h"

void *need(void *pointer)
{
	if (!pointer) {
		printf("Bail out! a fixture cannot be made\n");
		exit(1);
	}
	return pointer;
}

static void need_true(bool good)
{
	need(good ? (void *)"" : NULL);
}

EVP_PKEY *make_rsa(unsigned int bits)
{
	return need(EVP_RSA_gen(bits));
}

EVP_PKEY *make_ec(const char *group)
{
	return need(EVP_EC_gen(group));
}

static X509_NAME *make_name(const char *text)
{
	X509_NAME *name = need(X509_NAME_new());

	need_true(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					     (const unsigned char *)text, -1, -1, 0));
	return name;
}

void add_extension(X509 *cert, const char *oid, const void *der, size_t len)
{
	ASN1_OBJECT *object = need(OBJ_txt2obj(oid, 1));
	ASN1_OCTET_STRING *value = need(ASN1_OCTET_STRING_new());
	X509_EXTENSION *extension;

	need_true(ASN1_OCTET_STRING_set(value, der, (int)len));
	extension = need(X509_EXTENSION_create_by_OBJ(NULL, object, 0, value));
	need_true(X509_add_ext(cert, extension, -1));
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(object);
}

static void add_number(X509 *cert, const char *oid, uint8_t number)
{
	const uint8_t small[] = { 2, 1, number }, big[] = { 2, 2, 0, number };

	if (number < 0x80)
		add_extension(cert, oid, small, sizeof(small));
	else
		add_extension(cert, oid, big, sizeof(big));
}

static void add_text(X509 *cert, const char *oid, const char *text)
{
	uint8_t der[128] = { V_ASN1_IA5STRING, (uint8_t)strlen(text) };

	memcpy(der + 2, text, strlen(text));
	add_extension(cert, oid, der, 2 + strlen(text));
}

static void add_hwid(X509 *cert, const struct amd_extensions *e)
{
	uint8_t der[66] = { V_ASN1_OCTET_STRING, (uint8_t)e->hwid_len };

	memcpy(der + 2, e->hwid, e->hwid_len);
	if (e->bare_hwid)
		add_extension(cert, "1.3.6.1.4.1.3704.1.4", e->hwid, e->hwid_len);
	else
		add_extension(cert, "1.3.6.1.4.1.3704.1.4", der, 2 + e->hwid_len);
}

void add_amd_extensions(X509 *cert, const void *amd_extensions)
{
	const struct amd_extensions *e = amd_extensions;

	if (e->product)
		add_text(cert, "1.3.6.1.4.1.3704.1.2", e->product);
	if (e->twice)
		add_text(cert, "1.3.6.1.4.1.3704.1.2", e->product);
	add_number(cert, "1.3.6.1.4.1.3704.1.3.1", e->boot_loader);
	add_number(cert, "1.3.6.1.4.1.3704.1.3.2", e->tee);
	add_number(cert, "1.3.6.1.4.1.3704.1.3.3", e->snp);
	add_number(cert, "1.3.6.1.4.1.3704.1.3.8", e->microcode);
	if (e->has_fmc)
		add_number(cert, "1.3.6.1.4.1.3704.1.3.9", e->fmc);
	if (e->hwid_len)
		add_hwid(cert, e);
	if (e->csp_id)
		add_text(cert, "1.3.6.1.4.1.3704.1.5", e->csp_id);
}

void add_sgx_extension(X509 *cert, const void *unused)
{
	add_extension(cert, "1.2.840.113741.1.13.1", "\x30\x00", 2);
}

static void add_conf(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *extension = need(X509V3_EXT_conf_nid(NULL, NULL, nid, value));

	need_true(X509_add_ext(cert, extension, -1));
	X509_EXTENSION_free(extension);
}

static void sign_cert(X509 *cert, const struct cert_spec *spec)
{
	EVP_MD_CTX *ctx = need(EVP_MD_CTX_new());
	EVP_PKEY_CTX *key_ctx;

	need_true(EVP_DigestSignInit(ctx, &key_ctx, spec->md, NULL, spec->issuer_key) == 1);
	if (spec->pss) {
		need_true(EVP_PKEY_CTX_set_rsa_padding(key_ctx, RSA_PKCS1_PSS_PADDING) == 1);
		need_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx,
							   EVP_MD_get_size(spec->md)) == 1);
	}
	need_true(X509_sign_ctx(cert, ctx) > 0);
	EVP_MD_CTX_free(ctx);
}

X509 *make_cert(const struct cert_spec *spec)
{
	X509_NAME *subject = make_name(spec->name), *issuer = make_name(spec->issuer_name);
	X509 *cert = need(X509_new());

	/* The serial number stays 0, as AMD's leaves have it. */
	need_true(X509_set_version(cert, X509_VERSION_3));
	need_true(X509_set_subject_name(cert, subject));
	need_true(X509_set_issuer_name(cert, issuer));
	need_true(X509_set_pubkey(cert, spec->key));
	need(ASN1_TIME_set(X509_getm_notBefore(cert), spec->from));
	need(ASN1_TIME_set(X509_getm_notAfter(cert), spec->until));
	if (spec->ca) {
		add_conf(cert, NID_basic_constraints, "critical,CA:TRUE");
		add_conf(cert, NID_key_usage, "critical,keyCertSign,cRLSign");
	}
	if (spec->critical_nid)
		add_conf(cert, spec->critical_nid, "critical,DER:0500");
	if (spec->extend)
		spec->extend(cert, spec->arg);
	sign_cert(cert, spec);
	X509_NAME_free(subject);
	X509_NAME_free(issuer);
	return cert;
}

void sign_ecdsa(EVP_PKEY *key, const EVP_MD *md, const void *data, size_t len,
		uint8_t *r, uint8_t *s, size_t size)
{
	EVP_MD_CTX *ctx = need(EVP_MD_CTX_new());
	uint8_t der[256];
	const uint8_t *p = der;
	size_t der_len = sizeof(der);
	ECDSA_SIG *sig;

	need_true(EVP_DigestSignInit(ctx, NULL, md, NULL, key) == 1);
	need_true(EVP_DigestSign(ctx, der, &der_len, data, len) == 1);
	sig = need(d2i_ECDSA_SIG(NULL, &p, (long)der_len));
	need_true(BN_bn2binpad(ECDSA_SIG_get0_r(sig), r, (int)size) == (int)size);
	need_true(BN_bn2binpad(ECDSA_SIG_get0_s(sig), s, (int)size) == (int)size);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
}

uint8_t *cert_der(X509 *cert, size_t *len)
{
	uint8_t *der = NULL, *copy;
	int n = i2d_X509(cert, &der);

	need_true(n > 0);
	copy = need(malloc((size_t)n));
	memcpy(copy, der, (size_t)n);
	OPENSSL_free(der);
	*len = (size_t)n;
	return copy;
}

char *certs_pem(X509 *const *certs, size_t count, size_t *len)
{
	BIO *bio = need(BIO_new(BIO_s_mem()));
	char *data, *copy;
	long n;

	for (size_t i = 0; i < count; i++)
		need_true(PEM_write_bio_X509(bio, certs[i]));
	n = BIO_get_mem_data(bio, &data);
	copy = need(malloc((size_t)n + 1));
	memcpy(copy, data, (size_t)n);
	BIO_free(bio);
	*len = (size_t)n;
	return copy;
}
