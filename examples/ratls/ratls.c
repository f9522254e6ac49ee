// SPDX-License-Identifier: MIT
#include <openssl/asn1.h>
#include <openssl/objects.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cmw.h"
#include "ratls.h"

#define PROTOCOL	"cvm-guest ratls 1"

int ratls_user_data(const X509 *cert, uint8_t user_data[CVM_USER_DATA_LEN])
{
	unsigned char *from = NULL, *to = NULL, *key = NULL;
	int from_len = i2d_ASN1_TIME(X509_get0_notBefore(cert), &from);
	int to_len = i2d_ASN1_TIME(X509_get0_notAfter(cert), &to);
	int key_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &key);
	int rc = -1;

	if (from_len > 0 && to_len > 0 && key_len > 0) {
		const struct cvm_part parts[] = {
			{ PROTOCOL, strlen(PROTOCOL) }, { from, (size_t)from_len },
			{ to, (size_t)to_len }, { key, (size_t)key_len },
		};

		rc = cvm_user_data(parts, 4, user_data) ? -1 : 0;
	}
	OPENSSL_free(from);
	OPENSSL_free(to);
	OPENSSL_free(key);
	return rc;
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

/* NULL, or what is wrong with the times; clocks that differ are the usual cause */
static const char *wrong_times(const X509 *cert)
{
	const ASN1_TIME *from = X509_get0_notBefore(cert), *to = X509_get0_notAfter(cert);
	int days, seconds;

	if (!ASN1_TIME_diff(&days, &seconds, from, to) || !X509_cmp_current_time(from) ||
	    !X509_cmp_current_time(to))
		return "the certificate has no times";
	if (X509_cmp_current_time(from) > 0)
		return "the certificate does not hold yet";
	if (X509_cmp_current_time(to) < 0)
		return "the certificate has ended";
	return (long)days * 86400 + seconds > RATLS_MAX_LIFETIME ?
	       "the certificate holds for too long" : NULL;
}

int ratls_verify(const X509 *cert, const struct relying_party *rp, char *why, size_t size)
{
	const char *wrong = wrong_times(cert);
	uint8_t user_data[CVM_USER_DATA_LEN];
	struct cmw cmw;
	int rc;

	if (wrong) {
		snprintf(why, size, "%s", wrong);
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
