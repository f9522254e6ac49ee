// SPDX-License-Identifier: MIT
/* Certificates and certificate tables as JSON. Nothing is verified here. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "show.h"

static json_t *show_name(const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	json_t *text = NULL;
	char *data;
	long len;

	if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0) {
		len = BIO_get_mem_data(bio, &data);
		text = json_stringn(data, (size_t)len);
	}
	BIO_free(bio);
	return text ? text : json_string("?");
}

static json_t *show_time(const ASN1_TIME *time)
{
	char text[32] = "?";
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(text);
}

static json_t *show_cert(X509 *cert)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	X509_digest(cert, EVP_sha256(), hash, &len);
	return json_pack("{s:o, s:o, s:o, s:o, s:o}",
			 "subject", show_name(X509_get_subject_name(cert)),
			 "issuer", show_name(X509_get_issuer_name(cert)),
			 "not_before", show_time(X509_get0_notBefore(cert)),
			 "not_after", show_time(X509_get0_notAfter(cert)),
			 "sha256", cvm_json_of_hex(hash, len));
}

static X509 *next_cert(BIO *bio, bool der)
{
	return der ? d2i_X509_bio(bio, NULL) : PEM_read_bio_X509(bio, NULL, NULL, (void *)"");
}

json_t *show_certs(struct cvm_span data)
{
	bool der = data.len && data.data[0] == 0x30;
	json_t *list = json_array();
	BIO *bio = NULL;
	X509 *cert;

	if (data.len && data.len <= INT_MAX)
		bio = BIO_new_mem_buf(data.data, (int)data.len);
	while (bio && (cert = next_cert(bio, der))) {
		json_array_append_new(list, show_cert(cert));
		X509_free(cert);
	}
	BIO_free(bio);
	ERR_clear_error();
	return list;
}

static void show_revoked(json_t *object, X509_CRL *crl)
{
	STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl);
	json_t *list = json_array();

	for (int i = 0; i < sk_X509_REVOKED_num(revoked); i++) {
		const X509_REVOKED *entry = sk_X509_REVOKED_value(revoked, i);
		const ASN1_INTEGER *serial = X509_REVOKED_get0_serialNumber(entry);

		json_array_append_new(list, cvm_json_of_hex(ASN1_STRING_get0_data(serial),
						     (size_t)ASN1_STRING_length(serial)));
	}
	json_object_set_new(object, "revoked", list);
}

static json_t *show_crl(X509_CRL *crl)
{
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
	json_t *object = json_pack("{s:o, s:o}",
				   "issuer", show_name(X509_CRL_get_issuer(crl)),
				   "last_update", show_time(X509_CRL_get0_lastUpdate(crl)));

	if (next)
		json_object_set_new(object, "next_update", show_time(next));
	show_revoked(object, crl);
	return object;
}

static X509_CRL *next_crl(BIO *bio, bool der)
{
	return der ? d2i_X509_CRL_bio(bio, NULL) :
		     PEM_read_bio_X509_CRL(bio, NULL, NULL, (void *)"");
}

json_t *show_crls(struct cvm_span data)
{
	bool der = data.len && data.data[0] == 0x30;
	json_t *list = json_array();
	BIO *bio = NULL;
	X509_CRL *crl;

	if (data.len && data.len <= INT_MAX)
		bio = BIO_new_mem_buf(data.data, (int)data.len);
	while (bio && (crl = next_crl(bio, der))) {
		json_array_append_new(list, show_crl(crl));
		X509_CRL_free(crl);
	}
	BIO_free(bio);
	ERR_clear_error();
	return list;
}

json_t *show_x509(struct cvm_span data)
{
	json_t *certs = show_certs(data), *crls = show_crls(data), *object;

	if (!json_array_size(certs) && !json_array_size(crls)) {
		json_decref(certs);
		json_decref(crls);
		return NULL;
	}
	object = json_pack("{s:s}", "type", "certificates");
	if (json_array_size(certs))
		json_object_set(object, "certificate", certs);
	if (json_array_size(crls))
		json_object_set(object, "crl", crls);
	json_decref(certs);
	json_decref(crls);
	return object;
}

static json_t *show_guid(const uint8_t g[16])
{
	return json_sprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
			    g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7], g[8], g[9], g[10],
			    g[11], g[12], g[13], g[14], g[15]);
}

static json_t *show_entry(const struct cvm_cert_entry *e)
{
	json_t *object = json_pack("{s:s, s:o, s:I, s:I}", "kind", cvm_cert_kind_name(e->kind),
				   "guid", show_guid(e->guid),
				   "offset", (json_int_t)e->offset,
				   "length", (json_int_t)e->length);

	if (e->kind == CVM_CERT_CRL)
		json_object_set_new(object, "crl", show_crls(e->cert));
	else if (e->kind != CVM_CERT_OTHER)
		json_object_set_new(object, "certificate", show_certs(e->cert));
	return object;
}

json_t *show_cert_table(const struct cvm_cert_table *table)
{
	json_t *list = json_array();

	for (size_t i = 0; i < table->count; i++)
		json_array_append_new(list, show_entry(&table->entry[i]));
	return json_pack("{s:s, s:I, s:o}", "type", "cert-table",
			 "count", (json_int_t)table->count, "entry", list);
}
