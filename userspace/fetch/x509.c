// SPDX-License-Identifier: MIT
/* Certificates and lists that came: are they what was asked for, and until when? */
#include <errno.h>
#include <string.h>

#include <openssl/pem.h>

#include "../formats/detect.h"
#include "../verify/certs.h"
#include "internal.h"

static void cleanup_certs(struct cvm_certs *certs)
{
	cvm_certs_free(certs);
}

static void cleanup_bio(BIO **bio)
{
	BIO_free(*bio);
}

static int wrong(const struct cvm_item *item, struct cvm_error *error, const char *why)
{
	return cvm_set_error(error, -EBADMSG, "%.150s: %.100s", item->url, why);
}

/* A PCCS answers with lists in hexadecimal digits, everybody else with bytes. */
static int load(const struct cvm_item *item, const char *body, size_t len,
		struct cvm_certs *certs, struct cvm_error *error)
{
	__cleanup_free uint8_t *bytes = malloc(len + 1);
	struct cvm_error why;
	int ret;

	if (!bytes)
		return cvm_set_error(error, -ENOMEM, "out of memory");
	memcpy(bytes, body, len);
	if (cvm_format_is_hex(body, len)) {
		long count = cvm_format_from_hex(body, len, bytes);

		if (count < 0)
			return wrong(item, error, "hexadecimal text of an odd number of digits");
		len = (size_t)count;
	}
	ret = cvm_certs_load(certs, bytes, len, &why);
	return ret ? wrong(item, error, why.text) : 0;
}

static bool write_pem(BIO *bio, const struct cvm_certs *certs)
{
	for (size_t i = 0; i < certs->count; i++)
		if (PEM_write_bio_X509(bio, certs->cert[i].x509) != 1)
			return false;
	for (size_t i = 0; i < certs->crl_count; i++)
		if (PEM_write_bio_X509_CRL(bio, certs->crl[i]) != 1)
			return false;
	return true;
}

/* @out gets all of @certs in PEM, and when the first of them ends. */
static int give(const struct cvm_item *item, const struct cvm_certs *certs,
		struct cvm_fetched *out, struct cvm_error *error)
{
	BIO *bio __cleanup(cleanup_bio) = BIO_new(BIO_s_mem());
	int64_t until;
	char *text;
	long len;

	if (!bio || !write_pem(bio, certs))
		return cvm_set_error(error, -ENOMEM, "out of memory");
	out->expires = INT64_MAX;
	for (size_t i = 0; i < certs->count + certs->crl_count; i++) {
		const ASN1_TIME *end = i < certs->count ?
			X509_get0_notAfter(certs->cert[i].x509) :
			X509_CRL_get0_nextUpdate(certs->crl[i - certs->count]);

		if (!cvm_time_of_asn1(end, &until))
			return wrong(item, error, "it does not say until when it holds");
		out->expires = until < out->expires ? until : out->expires;
	}
	len = BIO_get_mem_data(bio, &text);
	out->text = strndup(text, (size_t)len);
	return out->text ? 0 : cvm_set_error(error, -ENOMEM, "out of memory");
}

/* Where issuers came along, one of them signed it. */
static bool fits_issuers(const struct cvm_certs *certs, const struct cvm_cert *vcek)
{
	for (size_t i = 0; i < certs->count; i++)
		if (&certs->cert[i] != vcek && cvm_cert_issued_by(vcek->x509, certs->cert[i].x509))
			return true;
	return certs->count == 1;
}

/* The key is of this chip and TCB, or it is not the one. */
static const char *vcek_fault(const struct cvm_item *item, const struct cvm_certs *certs)
{
	const struct cvm_cert *vcek = NULL;
	struct cvm_snp_tcb tcb;

	for (size_t i = 0; i < certs->count; i++)
		if (certs->cert[i].leaf == CVM_LEAF_VCEK)
			vcek = &certs->cert[i];
	if (!vcek)
		return "no VCEK certificate came";
	if (vcek->fault)
		return vcek->fault;
	if (vcek->amd.product != item->product)
		return "the certificate that came is of another product";
	if (memcmp(vcek->amd.hwid, item->chip_id, sizeof(vcek->amd.hwid)))
		return "the certificate that came is of another chip";
	if (cvm_snp_tcb_parse(item->product, item->tcb, &tcb) ||
	    !cvm_snp_tcb_equal(&tcb, &vcek->amd.tcb))
		return "the certificate that came is of another TCB than the report";
	if (!fits_issuers(certs, vcek))
		return "the certificate that came is signed by none of those that came along";
	return NULL;
}

int cvm_read_vcek(const struct cvm_item *item, const char *body, size_t len,
		  struct cvm_fetched *out, struct cvm_error *error)
{
	struct cvm_certs certs __cleanup(cleanup_certs) = { 0 };
	int ret = load(item, body, len, &certs, error);
	const char *fault;

	if (ret)
		return ret;
	fault = vcek_fault(item, &certs);
	return fault ? wrong(item, error, fault) : give(item, &certs, out, error);
}

int cvm_read_chain(const struct cvm_item *item, const char *body, size_t len,
		   struct cvm_fetched *out, struct cvm_error *error)
{
	struct cvm_certs certs __cleanup(cleanup_certs) = { 0 };
	int ret = load(item, body, len, &certs, error);

	if (ret)
		return ret;
	if (certs.count != 2 || certs.crl_count)
		return wrong(item, error, "expected two certificates: ASK or ASVK, and ARK");
	return give(item, &certs, out, error);
}

int cvm_read_crl(const struct cvm_item *item, const char *body, size_t len,
		 struct cvm_fetched *out, struct cvm_error *error)
{
	struct cvm_certs certs __cleanup(cleanup_certs) = { 0 };
	int ret = load(item, body, len, &certs, error);

	if (ret)
		return ret;
	if (certs.count || certs.crl_count != 1)
		return wrong(item, error, "expected one revocation list");
	return give(item, &certs, out, error);
}

int cvm_check_issuers(const struct cvm_item *item, const char *chain, struct cvm_error *error)
{
	struct cvm_certs certs __cleanup(cleanup_certs) = { 0 };
	struct cvm_error why;
	int ret = cvm_certs_load(&certs, chain, strlen(chain), &why);

	if (ret)
		return cvm_set_error(error, ret, "%.100s: header %s: %.100s", item->url,
				     item->chain_header, why.text);
	if (!certs.count || certs.crl_count)
		return cvm_set_error(error, -EBADMSG, "%.150s: header %s: expected certificates",
				     item->url, item->chain_header);
	return 0;
}
