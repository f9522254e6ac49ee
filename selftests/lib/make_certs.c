// SPDX-License-Identifier: GPL-2.0
#include <openssl/bn.h>
#include <openssl/conf.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "make_certs.h"

#define KEPT_KEYS	"build/cache/test-keys"

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

static EVP_PKEY *read_rsa(const char *path, unsigned int bits)
{
	FILE *file = fopen(path, "r");
	EVP_PKEY *key = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;

	if (file)
		fclose(file);
	ERR_clear_error();
	if (key && EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) == (int)bits)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

/* Others may do the same: each writes a file of its own, and the last one stays. */
static void write_rsa(const char *path, EVP_PKEY *key)
{
	char temporary[96];
	FILE *file;
	bool done;

	snprintf(temporary, sizeof(temporary), "%s.%d", path, (int)getpid());
	file = fopen(temporary, "w");
	if (!file)
		return;
	done = PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1;
	if (fclose(file) || !done || rename(temporary, path))
		unlink(temporary);
}

/*
 * They take seconds to find: what was found once is kept, in the order in which
 * a program asks. Without build/cache, as on another machine, nothing is.
 */
EVP_PKEY *make_rsa(unsigned int bits)
{
	static unsigned int asked;
	char path[64];
	EVP_PKEY *key;

	mkdir(KEPT_KEYS, 0755);
	snprintf(path, sizeof(path), KEPT_KEYS "/rsa-%u-%u.pem", bits, ++asked);
	key = read_rsa(path, bits);
	if (key)
		return key;
	key = need(EVP_RSA_gen(bits));
	write_rsa(path, key);
	return key;
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

/* an OID below Intel's in text form, and a value, as ASN1_generate_nconf(3) reads them */
static void add_pair(BIO *conf, const char *oid, const char *value)
{
	BIO_printf(conf, "[p%s]\noid=OID:1.2.840.113741.1.13.1.%s\nvalue=%s\n", oid, oid, value);
}

static void add_octets(BIO *conf, const char *oid, const uint8_t *data, size_t len)
{
	char text[80] = "FORMAT:HEX,OCTETSTRING:";

	for (size_t i = 0; i < len; i++)
		sprintf(text + strlen(text), "%02x", data[i]);
	add_pair(conf, oid, text);
}

/* the pairs prefix + from to prefix + until, in a section of their own */
static void add_list(BIO *conf, const char *name, const char *prefix, int from, int until)
{
	BIO_printf(conf, "[%s]\n", name);
	for (int i = from; i <= until; i++)
		BIO_printf(conf, "i%d=SEQUENCE:p%s%d\n", i, prefix, i);
}

static void write_sgx(BIO *conf, const struct sgx_extension *e)
{
	char oid[16], value[32];

	add_list(conf, "sgx", "", e->no_ppid ? 2 : 1, 5 - e->missing);
	if (e->twice)
		BIO_printf(conf, "again=SEQUENCE:p4\n");
	add_octets(conf, "1", e->cpusvn, 16);
	for (int i = 1; i <= 17; i++) {
		snprintf(oid, sizeof(oid), "2.%d", i);
		snprintf(value, sizeof(value), "INTEGER:%d",
			 i == 17 ? e->pcesvn : i == 1 && e->big_svn ? 256 : e->tcb[i - 1]);
		add_pair(conf, oid, value);
	}
	add_octets(conf, "2.18", e->cpusvn, 16);
	add_list(conf, "tcb", "2.", 1, 18 - e->short_tcb);
	add_pair(conf, "2", "SEQUENCE:tcb");
	add_octets(conf, "3", e->pceid, 2);
	add_octets(conf, "4", e->fmspc, e->short_fmspc ? 5 : 6);
	add_pair(conf, "5", "ENUMERATED:1");
}

void add_sgx_extension(X509 *cert, const void *sgx_extension)
{
	BIO *text = need(BIO_new(BIO_s_mem()));
	CONF *conf = need(NCONF_new(NULL));
	uint8_t *der = NULL;
	ASN1_TYPE *tree;
	long line;
	int len;

	write_sgx(text, sgx_extension);
	need_true(NCONF_load_bio(conf, text, &line) > 0);
	tree = need(ASN1_generate_nconf("SEQUENCE:sgx", conf));
	len = i2d_ASN1_TYPE(tree, &der);
	add_extension(cert, "1.2.840.113741.1.13.1", der, (size_t)len);
	if (((const struct sgx_extension *)sgx_extension)->two)
		add_extension(cert, "1.2.840.113741.1.13.1", der, (size_t)len);
	OPENSSL_free(der);
	ASN1_TYPE_free(tree);
	NCONF_free(conf);
	BIO_free(text);
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

	/* AMD's leaves have 0. */
	need_true(ASN1_INTEGER_set(X509_get_serialNumber(cert), spec->serial));
	need_true(X509_set_version(cert, X509_VERSION_3));
	need_true(X509_set_subject_name(cert, subject));
	need_true(X509_set_issuer_name(cert, issuer));
	need_true(X509_set_pubkey(cert, spec->key));
	need(ASN1_TIME_set(X509_getm_notBefore(cert), spec->from));
	need(ASN1_TIME_set(X509_getm_notAfter(cert), spec->until));
	if (spec->ca) {
		add_conf(cert, NID_basic_constraints, "critical,CA:TRUE");
		add_conf(cert, NID_key_usage, spec->no_crl_sign ? "critical,keyCertSign" :
			 "critical,keyCertSign,cRLSign");
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

static void revoke_serial(X509_CRL *crl, long serial)
{
	ASN1_INTEGER *number = need(ASN1_INTEGER_new());
	X509_REVOKED *entry = need(X509_REVOKED_new());
	ASN1_TIME *when = need(ASN1_TIME_set(NULL, TEST_NOW - TEST_YEAR));

	need_true(ASN1_INTEGER_set(number, serial));
	need_true(X509_REVOKED_set_serialNumber(entry, number));
	need_true(X509_REVOKED_set_revocationDate(entry, when));
	need_true(X509_CRL_add0_revoked(crl, entry));
	ASN1_INTEGER_free(number);
	ASN1_TIME_free(when);
}

static void sign_crl(X509_CRL *crl, const struct crl_spec *spec)
{
	EVP_MD_CTX *ctx = need(EVP_MD_CTX_new());
	EVP_PKEY_CTX *key_ctx;

	need_true(EVP_DigestSignInit(ctx, &key_ctx, spec->md, NULL, spec->key) == 1);
	if (spec->pss)
		need_true(EVP_PKEY_CTX_set_rsa_padding(key_ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
			  EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx,
							   EVP_MD_get_size(spec->md)) == 1);
	need_true(X509_CRL_sign_ctx(crl, ctx) > 0);
	EVP_MD_CTX_free(ctx);
}

X509_CRL *make_crl(const struct crl_spec *spec)
{
	X509_NAME *issuer = make_name(spec->issuer);
	X509_CRL *crl = need(X509_CRL_new());
	ASN1_TIME *from = need(ASN1_TIME_set(NULL, spec->from));
	ASN1_TIME *until = need(ASN1_TIME_set(NULL, spec->until));

	need_true(X509_CRL_set_version(crl, X509_CRL_VERSION_2));
	need_true(X509_CRL_set_issuer_name(crl, issuer));
	need_true(X509_CRL_set1_lastUpdate(crl, from));
	if (!spec->no_end)
		need_true(X509_CRL_set1_nextUpdate(crl, until));
	for (size_t i = 0; i < spec->revoked_count; i++)
		revoke_serial(crl, spec->revoked[i]);
	if (spec->critical) {
		X509_EXTENSION *e = need(X509V3_EXT_conf_nid(NULL, NULL, NID_delta_crl,
							      "critical,DER:020101"));

		need_true(X509_CRL_add_ext(crl, e, -1));
		X509_EXTENSION_free(e);
	}
	sign_crl(crl, spec);
	X509_NAME_free(issuer);
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
	return crl;
}

uint8_t *crl_der(const struct crl_spec *spec, size_t *len)
{
	X509_CRL *crl = make_crl(spec);
	uint8_t *der = NULL, *copy;
	int n = i2d_X509_CRL(crl, &der);

	need_true(n > 0);
	copy = need(malloc((size_t)n));
	memcpy(copy, der, (size_t)n);
	OPENSSL_free(der);
	X509_CRL_free(crl);
	*len = (size_t)n;
	return copy;
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
