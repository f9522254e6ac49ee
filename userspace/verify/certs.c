// SPDX-License-Identifier: MIT
/* Certificates and revocation lists from files of every form that there is. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "../common/api.h"
#include "../formats/cert_table.h"
#include "../formats/detect.h"
#include "certs.h"

static void cleanup_x509(X509 **cert)
{
	X509_free(*cert);
}

static void cleanup_crl(X509_CRL **crl)
{
	X509_CRL_free(*crl);
}

static void cleanup_bio(BIO **bio)
{
	BIO_free(*bio);
}

static void cleanup_openssl(void *pointer)
{
	OPENSSL_free(*(void **)pointer);
}

static int wrong(struct cvm_error *error, size_t offset, const char *expected)
{
	return cvm_set_error(error, -EBADMSG, "offset 0x%zx: expected %s", offset, expected);
}

static int too_many(const char *what, size_t limit, struct cvm_error *error)
{
	return cvm_set_error(error, -EBADMSG, "more than %zu %s", limit, what);
}

static size_t limit_of(const struct cvm_certs *certs)
{
	return certs->limit ? certs->limit : CVM_MAX_CERTS;
}

static bool has_cert(const struct cvm_certs *certs, const X509 *x509)
{
	for (size_t i = 0; i < certs->count; i++)
		if (!X509_cmp(certs->cert[i].x509, x509))
			return true;
	return false;
}

/* AMD says it by the name; Intel by name and extension, of which a forger may forget one. */
static void read_leaf(struct cvm_cert *cert)
{
	char name[CVM_NAME_SIZE];

	cvm_cert_name(cert->x509, name, sizeof(name));
	if (!strcmp(name, "SEV-VCEK")) {
		cert->leaf = CVM_LEAF_VCEK;
		cert->fault = cvm_amd_cert_parse(cert->x509, false, &cert->amd);
	} else if (!strcmp(name, "SEV-VLEK")) {
		cert->leaf = CVM_LEAF_VLEK;
		cert->fault = cvm_amd_cert_parse(cert->x509, true, &cert->amd);
	} else if (cvm_pck_is(name, cert->x509)) {
		cert->leaf = CVM_LEAF_PCK;
		cert->fault = cvm_pck_cert_parse(cert->x509, &cert->pck);
	}
}

/*
 * In a table the GUID says what a certificate is: that there are no two readings.
 * Which authority is the root is for the signatures to say: hosts confuse the two.
 */
static bool is_wanted(const struct cvm_certs *certs, const struct cvm_cert *cert)
{
	switch (certs->wanted) {
	case CVM_CERT_OTHER:
		return true;
	case CVM_CERT_VCEK:
		return cert->leaf == CVM_LEAF_VCEK;
	case CVM_CERT_VLEK:
		return cert->leaf == CVM_LEAF_VLEK;
	case CVM_CERT_ASK:
	case CVM_CERT_ARK:
		return cert->leaf == CVM_LEAF_NONE;
	default:
		return false;
	}
}

static int other_kind(const struct cvm_certs *certs, size_t base, const char *found,
		      struct cvm_error *error)
{
	return cvm_set_error(error, -EBADMSG, "offset 0x%zx: under the GUID of %s there is '%s'",
			     base, cvm_cert_kind_name(certs->wanted), found);
}

static int add_cert(struct cvm_certs *certs, X509 *x509, size_t base, struct cvm_error *error)
{
	struct cvm_cert cert = { .x509 = x509 }, *grown;
	char name[CVM_NAME_SIZE];

	/* Fills in what is cached lazily, so that verifying only reads. */
	X509_check_purpose(x509, -1, 0);
	read_leaf(&cert);
	if (!is_wanted(certs, &cert))
		return other_kind(certs, base, cvm_cert_name(x509, name, sizeof(name)), error);
	if (has_cert(certs, x509))
		return certs->unique ? cvm_set_error(error, -EBADMSG, "a certificate is there twice") :
				       0;
	if (certs->count == limit_of(certs))
		return too_many("certificates", certs->count, error);
	grown = realloc(certs->cert, (certs->count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	certs->cert = grown;
	X509_up_ref(x509);
	grown[certs->count++] = cert;
	return 0;
}

static int add_crl(struct cvm_certs *certs, X509_CRL *crl, size_t base, struct cvm_error *error)
{
	X509_CRL **grown;

	if (certs->wanted != CVM_CERT_OTHER && certs->wanted != CVM_CERT_CRL)
		return other_kind(certs, base, "a revocation list", error);
	for (size_t i = 0; i < certs->crl_count; i++)
		if (!X509_CRL_match(certs->crl[i], crl))
			return 0;
	if (certs->crl_count == limit_of(certs))
		return too_many("revocation lists", certs->crl_count, error);
	grown = realloc(certs->crl, (certs->crl_count + 1) * sizeof(X509_CRL *));
	if (!grown)
		return -ENOMEM;
	certs->crl = grown;
	X509_CRL_up_ref(crl);
	certs->crl[certs->crl_count++] = crl;
	return 0;
}

/* Either is a SEQUENCE of three; which, only taking it apart tells. */
static int load_der(struct cvm_certs *certs, const uint8_t *data, size_t len, size_t base,
		    struct cvm_error *error)
{
	X509 *cert __cleanup(cleanup_x509) = NULL;
	X509_CRL *crl __cleanup(cleanup_crl) = NULL;
	const uint8_t *p = data;

	/* before anything is done with it: the same one a thousand times is work, too */
	if (certs->blocks++ == 2 * limit_of(certs))
		return too_many("certificates and lists", 2 * limit_of(certs), error);
	if (len <= LONG_MAX)
		cert = d2i_X509(NULL, &p, (long)len);
	if (!cert && len <= LONG_MAX) {
		p = data;
		crl = d2i_X509_CRL(NULL, &p, (long)len);
	}
	if (!cert && !crl)
		return wrong(error, base, "an X.509 certificate or revocation list");
	if (p != data + len)
		return cvm_set_error(error, -EBADMSG,
				     "offset 0x%zx: expected the end of the certificate, found %zu more bytes",
				     base + (size_t)(p - data), (size_t)(data + len - p));
	return cert ? add_cert(certs, cert, base, error) : add_crl(certs, crl, base, error);
}

/* Without another BEGIN line the text is at its end; all else is an error. */
static bool no_more_pem(void)
{
	unsigned long code = ERR_peek_last_error();

	return ERR_GET_LIB(code) == ERR_LIB_PEM &&
	       ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

/* 1: one more block was taken; 0: there is none; or an error */
static int load_block(struct cvm_certs *certs, BIO *bio, size_t at, struct cvm_error *error)
{
	__cleanup(cleanup_openssl) char *name = NULL, *header = NULL;
	__cleanup(cleanup_openssl) uint8_t *der = NULL;
	long len;
	int ret;

	if (!PEM_read_bio(bio, &name, &header, &der, &len))
		return no_more_pem() ? 0 : wrong(error, at, "an X.509 certificate in PEM");
	if (strcmp(name, PEM_STRING_X509) && strcmp(name, PEM_STRING_X509_CRL))
		return wrong(error, at, "CERTIFICATE or X509 CRL in PEM, and nothing else");
	ret = load_der(certs, der, (size_t)len, at, error);
	return ret ? ret : 1;
}

static int load_pem(struct cvm_certs *certs, const uint8_t *data, size_t len, size_t base,
		    struct cvm_error *error)
{
	BIO *bio __cleanup(cleanup_bio) = NULL;
	size_t found = 0;
	int ret;

	if (len <= INT_MAX)
		bio = BIO_new_mem_buf(data, (int)len);
	if (!bio)
		return -ENOMEM;
	do {
		ret = load_block(certs, bio, base + len - BIO_ctrl_pending(bio), error);
		found += ret > 0;
	} while (ret > 0);
	if (!ret && !found)
		return wrong(error, base, "an X.509 certificate in PEM");
	return ret;
}

static int load_one(struct cvm_certs *certs, struct cvm_span in, size_t base,
		    struct cvm_error *error)
{
	static const char begin[] = "-----BEGIN ";

	/* Some hosts put PEM into their table where the document says DER. */
	if (in.len && in.data[0] == 0x30)
		return load_der(certs, in.data, in.len, base, error);
	if (memmem(in.data, in.len, begin, sizeof(begin) - 1))
		return load_pem(certs, in.data, in.len, base, error);
	return wrong(error, base, "an X.509 certificate, PEM or DER");
}

static int load_table(struct cvm_certs *certs, const void *data, size_t len,
		      struct cvm_error *error)
{
	struct cvm_format_error err;
	struct cvm_cert_table table;
	char text[256];
	int ret = 0;

	if (cvm_cert_table_parse(data, len, &table, &err))
		return cvm_set_error(error, -EBADMSG, "%s",
				     cvm_format_error_text(&err, text, sizeof(text)));
	for (size_t i = 0; !ret && i < table.count; i++) {
		certs->wanted = table.entry[i].kind;
		if (certs->wanted != CVM_CERT_OTHER)
			ret = load_one(certs, table.entry[i].cert, table.entry[i].offset, error);
	}
	certs->wanted = CVM_CERT_OTHER;
	return ret;
}

int cvm_certs_load(struct cvm_certs *certs, const void *data, size_t len,
		   struct cvm_error *error)
{
	size_t count = certs->count, crl_count = certs->crl_count;
	int ret;

	certs->blocks = 0;
	/* The caller's error queue is left as it was found. */
	ERR_set_mark();
	if (cvm_format_detect(data, len) == CVM_FORMAT_CERT_TABLE)
		ret = load_table(certs, data, len, error);
	else
		ret = load_one(certs, (struct cvm_span){ data, len }, 0, error);
	ERR_pop_to_mark();
	if (ret == -ENOMEM)
		cvm_set_error(error, ret, "out of memory");
	if (ret)
		cvm_certs_truncate(certs, count, crl_count);
	return ret;
}

void cvm_certs_truncate(struct cvm_certs *certs, size_t count, size_t crl_count)
{
	while (certs->count > count) {
		X509_free(certs->cert[--certs->count].x509);
		free(certs->cert[certs->count].chain);
	}
	while (certs->crl_count > crl_count)
		X509_CRL_free(certs->crl[--certs->crl_count]);
}

void cvm_certs_free(struct cvm_certs *certs)
{
	cvm_certs_truncate(certs, 0, 0);
	free(certs->cert);
	free(certs->crl);
	*certs = (struct cvm_certs){ 0 };
}

const char *cvm_cert_name(X509 *cert, char *buf, size_t size)
{
	if (X509_NAME_get_text_by_NID(X509_get_subject_name(cert),
				      NID_commonName, buf, (int)size) < 0)
		snprintf(buf, size, "?");
	/* It comes from the host and ends up on a terminal. */
	for (char *c = buf; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return buf;
}
