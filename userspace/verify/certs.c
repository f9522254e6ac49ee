// SPDX-License-Identifier: MIT
/* Certificates from files of every form that hosts and vendors give. */
#include <limits.h>
#include <stdio.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "../formats/cert_table.h"
#include "internal.h"

#define MAX_CERTS	256
#define ERROR(error, ...) \
	(snprintf((error)->text, sizeof((error)->text), __VA_ARGS__), -EBADMSG)

static void cleanup_x509(X509 **cert)
{
	X509_free(*cert);
}

static void cleanup_bio(BIO **bio)
{
	BIO_free(*bio);
}

static bool has(const struct cvm_cert_set *set, const X509 *cert)
{
	for (size_t i = 0; i < set->count; i++)
		if (!X509_cmp(set->cert[i], cert))
			return true;
	return false;
}

static int add(struct cvm_cert_set *set, X509 *cert,
	       struct cvm_error *error)
{
	X509 **grown;

	/* Fills in what is cached lazily, so that verifying only reads. */
	X509_check_purpose(cert, -1, 0);
	if (has(set, cert))
		return 0;
	if (set->count == MAX_CERTS)
		return ERROR(error, "more than %d certificates", MAX_CERTS);
	grown = realloc(set->cert, (set->count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	set->cert = grown;
	X509_up_ref(cert);
	set->cert[set->count++] = cert;
	return 0;
}

/* One certificate and nothing after it */
static int load_der(struct cvm_cert_set *set, const uint8_t *data, size_t len,
		    size_t base, struct cvm_error *error)
{
	X509 *cert __cleanup(cleanup_x509) = NULL;
	const uint8_t *p = data;

	if (len <= LONG_MAX)
		cert = d2i_X509(NULL, &p, (long)len);
	if (!cert)
		return ERROR(error, "offset 0x%zx: expected an X.509 certificate",
			     base);
	if (p != data + len)
		return ERROR(error, "offset 0x%zx: expected the end of the certificate, found %zu more bytes",
			     base + (size_t)(p - data),
			     (size_t)(data + len - p));
	return add(set, cert, error);
}

/* Without another BEGIN line the text is at its end; all else is an error. */
static bool no_more_pem(void)
{
	unsigned long code = ERR_peek_last_error();

	return ERR_GET_LIB(code) == ERR_LIB_PEM &&
	       ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

static int load_pem(struct cvm_cert_set *set, const uint8_t *data, size_t len,
		    size_t base, struct cvm_error *error)
{
	BIO *bio __cleanup(cleanup_bio) = NULL;
	size_t found = 0;
	int ret;

	if (len <= INT_MAX)
		bio = BIO_new_mem_buf(data, (int)len);
	if (!bio)
		return -ENOMEM;
	for (;; found++) {
		size_t at = len - BIO_ctrl_pending(bio);
		X509 *cert __cleanup(cleanup_x509) =
			PEM_read_bio_X509(bio, NULL, NULL, (void *)"");

		if (!cert) {
			if (found && no_more_pem())
				return 0;
			return ERROR(error, "offset 0x%zx: expected an X.509 certificate in PEM",
				     base + at);
		}
		ret = add(set, cert, error);
		if (ret)
			return ret;
	}
}

static int load_one(struct cvm_cert_set *set, struct cvm_span cert,
		    size_t base, struct cvm_error *error)
{
	static const char begin[] = "-----BEGIN ";

	/* Some hosts put PEM into their table where the document says DER. */
	if (cert.len && cert.data[0] == 0x30)
		return load_der(set, cert.data, cert.len, base, error);
	if (memmem(cert.data, cert.len, begin, sizeof(begin) - 1))
		return load_pem(set, cert.data, cert.len, base, error);
	return ERROR(error, "offset 0x%zx: expected an X.509 certificate, PEM or DER",
		     base);
}

static int load_table(struct cvm_cert_set *set, const void *data, size_t len,
		      struct cvm_error *error)
{
	struct cvm_format_error err;
	struct cvm_cert_table table;

	if (cvm_cert_table_parse(data, len, &table, &err)) {
		cvm_format_error_text(&err, error->text, sizeof(error->text));
		return -EBADMSG;
	}
	for (size_t i = 0; i < table.count; i++) {
		const struct cvm_cert_entry *e = &table.entry[i];
		int ret;

		if (e->kind == CVM_CERT_OTHER || e->kind == CVM_CERT_CRL)
			continue;
		ret = load_one(set, e->cert, e->offset, error);
		if (ret)
			return ret;
	}
	return 0;
}

static bool is_table(const uint8_t *p, size_t len)
{
	return len >= CVM_CERT_ENTRY_SIZE &&
	       (cvm_cert_kind_of(p) != CVM_CERT_OTHER ||
		cvm_is_zero(p, CVM_CERT_ENTRY_SIZE));
}

int cvm_cert_set_load(struct cvm_cert_set *set, const void *data, size_t len,
		      struct cvm_error *error)
{
	size_t before = set->count;
	struct cvm_error unwanted;
	int ret;

	if (!error)
		error = &unwanted;
	error->platform_status = 0;
	ERR_set_mark();
	if (is_table(data, len))
		ret = load_table(set, data, len, error);
	else
		ret = load_one(set, (struct cvm_span){ data, len }, 0, error);
	ERR_pop_to_mark();
	if (ret == -ENOMEM)
		snprintf(error->text, sizeof(error->text), "out of memory");
	if (ret)
		cvm_cert_set_truncate(set, before);
	return ret;
}

void cvm_cert_set_truncate(struct cvm_cert_set *set, size_t count)
{
	while (set->count > count)
		X509_free(set->cert[--set->count]);
}

void cvm_cert_set_free(struct cvm_cert_set *set)
{
	cvm_cert_set_truncate(set, 0);
	free(set->cert);
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
