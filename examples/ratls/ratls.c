// SPDX-License-Identifier: MIT
#include <openssl/asn1.h>
#include <openssl/objects.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cmw.h"
#include "ratls.h"

#define PROTOCOL	"cvm-guest ratls 1"

static struct cvm_part part_of(const ASN1_TIME *time)
{
	return (struct cvm_part){ ASN1_STRING_get0_data(time), (size_t)ASN1_STRING_length(time) };
}

int ratls_user_data(const X509 *cert, uint8_t user_data[CVM_USER_DATA_LEN])
{
	unsigned char *key = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &key);
	const struct cvm_part parts[] = {
		{ PROTOCOL, strlen(PROTOCOL) },
		part_of(X509_get0_notBefore(cert)), part_of(X509_get0_notAfter(cert)),
		{ key, len > 0 ? (size_t)len : 0 },
	};
	int rc = len > 0 ? cvm_user_data(parts, 4, user_data) : -1;

	OPENSSL_free(key);
	return rc ? -1 : 0;
}

/* ---- the extension */

static X509_EXTENSION *extension(const char *json)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(RATLS_OID, 1);
	ASN1_UTF8STRING *text = ASN1_UTF8STRING_new();
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *made = NULL;
	unsigned char *der = NULL;
	int len;

	if (oid && text && value && ASN1_STRING_set(text, json, -1)) {
		len = i2d_ASN1_UTF8STRING(text, &der);
		/* not critical: who does not know it trusts nothing that it says either */
		if (len > 0 && ASN1_OCTET_STRING_set(value, der, len))
			made = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, value);
	}
	OPENSSL_free(der);
	ASN1_OCTET_STRING_free(value);
	ASN1_UTF8STRING_free(text);
	ASN1_OBJECT_free(oid);
	return made;
}

int ratls_add_evidence(X509 *cert, const struct cvm_evidence *evidence)
{
	json_t *cmw = cmw_write(evidence);
	char *text = cmw ? json_dumps(cmw, JSON_COMPACT) : NULL;
	X509_EXTENSION *made = text ? extension(text) : NULL;
	int rc = made && X509_add_ext(cert, made, -1) ? 0 : -1;

	X509_EXTENSION_free(made);
	free(text);
	json_decref(cmw);
	return rc;
}

/* NULL unless there is one, exactly */
static const ASN1_OCTET_STRING *find(const X509 *cert)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(RATLS_OID, 1);
	int first = oid ? X509_get_ext_by_OBJ(cert, oid, -1) : -1;
	int second = first >= 0 ? X509_get_ext_by_OBJ(cert, oid, first) : -1;

	ASN1_OBJECT_free(oid);
	return first >= 0 && second < 0 ? X509_EXTENSION_get_data(X509_get_ext(cert, first)) : NULL;
}

static int read_evidence(const X509 *cert, struct cmw *cmw)
{
	const ASN1_OCTET_STRING *value = find(cert);
	const unsigned char *at = value ? ASN1_STRING_get0_data(value) : NULL;
	long len = value ? ASN1_STRING_length(value) : 0;
	ASN1_UTF8STRING *text = at && len <= CMW_MAX ? d2i_ASN1_UTF8STRING(NULL, &at, len) : NULL;
	json_t *json = NULL;
	int rc;

	if (text && at == ASN1_STRING_get0_data(value) + len)
		json = json_loadb((const char *)ASN1_STRING_get0_data(text),
				  (size_t)ASN1_STRING_length(text), JSON_REJECT_DUPLICATES, NULL);
	rc = cmw_read(json, cmw);
	json_decref(json);
	ASN1_UTF8STRING_free(text);
	return rc;
}

/* ---- verification */

static bool holds_now(const X509 *cert)
{
	const ASN1_TIME *from = X509_get0_notBefore(cert), *to = X509_get0_notAfter(cert);
	int days, seconds;

	return X509_cmp_current_time(from) < 0 && X509_cmp_current_time(to) > 0 &&
	       ASN1_TIME_diff(&days, &seconds, from, to) &&
	       (long)days * 86400 + seconds <= RATLS_MAX_LIFETIME;
}

int ratls_verify(const X509 *cert, const struct relying_party *rp, char *why, size_t size)
{
	uint8_t user_data[CVM_USER_DATA_LEN];
	struct cmw cmw;
	int rc;

	if (!holds_now(cert)) {
		snprintf(why, size, "the certificate has ended, or holds for too long");
		return -1;
	}
	if (ratls_user_data(cert, user_data) || read_evidence(cert, &cmw)) {
		snprintf(why, size, "no evidence in the certificate");
		return -1;
	}
	rc = rp_verify(rp, &cmw, user_data, why, size);
	cmw_free(&cmw);
	return rc;
}
