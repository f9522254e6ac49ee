// SPDX-License-Identifier: GPL-2.0
/* First inputs of fuzz_examples.c: good evidence as a CMW, and in a certificate. */
#include <jansson.h>
#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_hex.h"
#include "examples/ratls/ratls.h"
#include "mutate_azure.h"
#include "mutate_snp.h"
#include "seeds.h"

/* as fuzz_examples.c has it */
#define AT		1750000000
#define LIFETIME	3600

static json_t *part(const void *data, size_t len)
{
	return json_pack("[s, o, i]", "a/b", cvm_json_of_base64url(data, len, false), 4);
}

static void add_evidence(X509 *cert, const char *json)
{
	ASN1_UTF8STRING *text = need(ASN1_UTF8STRING_new());
	unsigned char *der = NULL;
	int len;

	ASN1_STRING_set(text, json, -1);
	len = i2d_ASN1_UTF8STRING(text, &der);
	add_extension(cert, RATLS_OID, need(der), (size_t)len);
	ASN1_UTF8STRING_free(text);
	OPENSSL_free(der);
}

static void seed_certificate(const char *json)
{
	EVP_PKEY *key = need(EVP_EC_gen("P-256"));
	X509 *cert = need(X509_new());
	unsigned char *der = NULL;
	int len;

	X509_set_version(cert, X509_VERSION_3);
	ASN1_TIME_set(X509_getm_notBefore(cert), AT - LIFETIME);
	ASN1_TIME_set(X509_getm_notAfter(cert), AT + LIFETIME);
	X509_set_pubkey(cert, key);
	add_evidence(cert, json);
	X509_sign(cert, key, EVP_sha256());
	len = i2d_X509(cert, &der);
	seed("example_ratls", "one", need(der), (size_t)len);
	OPENSSL_free(der);
	X509_free(cert);
	EVP_PKEY_free(key);
}

void seed_examples(void)
{
	struct snp_world w = snp_genuine();
	json_t *json;
	char *text;

	snp_sign(&w);
	json = json_pack("{s:o, s:o, s:o}", "evidence", part(w.report, sizeof(w.report)),
			 "certs", part("certs", 5), "proof",
			 part(azure_batch.proof[1], azure_batch.proof_len[1]));
	text = need(json_dumps(need(json), JSON_COMPACT));
	seed_text("example_cmw", "one", text);
	seed_certificate(text);
	free(text);
	json_decref(json);
}
