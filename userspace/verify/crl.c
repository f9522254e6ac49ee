// SPDX-License-Identifier: MIT
/*
 * Certificate revocation lists: RFC 5280, section 5, reduced to what AMD and
 * Intel issue. A list of any other shape (of changes only, of part of the
 * certificates, by somebody else) has a critical extension, and is none.
 */
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "certs.h"

static void cleanup_pss(RSA_PSS_PARAMS **pss)
{
	RSA_PSS_PARAMS_free(*pss);
}

/* X509_get_signature_info() has no sister for lists: PSS hides its digest. */
static bool is_pss_sha384(const X509_ALGOR *algorithm)
{
	RSA_PSS_PARAMS *pss __cleanup(cleanup_pss) = NULL;
	const ASN1_OBJECT *hash;
	const void *value;
	int type;

	X509_ALGOR_get0(NULL, &type, &value, algorithm);
	if (type != V_ASN1_SEQUENCE)
		return false;
	pss = ASN1_item_unpack(value, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
	if (!pss || !pss->hashAlgorithm)
		return false;
	X509_ALGOR_get0(&hash, NULL, NULL, pss->hashAlgorithm);
	return OBJ_obj2nid(hash) == NID_sha384;
}

static bool algorithm_holds(const X509_CRL *crl, const struct cvm_chain_rules *rules)
{
	const X509_ALGOR *algorithm;
	int nid = X509_CRL_get_signature_nid(crl);

	if (rules->signature_nid != NID_rsassaPss)
		return nid == NID_ecdsa_with_SHA256;
	X509_CRL_get0_signature(crl, NULL, &algorithm);
	return nid == NID_rsassaPss && is_pss_sha384(algorithm);
}

static bool has_critical(const STACK_OF(X509_EXTENSION) *extensions)
{
	for (int i = 0; i < sk_X509_EXTENSION_num(extensions); i++)
		if (X509_EXTENSION_get_critical(sk_X509_EXTENSION_value(extensions, i)))
			return true;
	return false;
}

/* Is this a list of all that @issuer has revoked? */
static bool is_list_of(X509_CRL *crl, X509 *issuer, const struct cvm_chain_rules *rules)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);

	return cvm_key_is_affordable(key) &&
	       !X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer)) &&
	       X509_get_key_usage(issuer) & KU_CRL_SIGN &&
	       !has_critical(X509_CRL_get0_extensions(crl)) && algorithm_holds(crl, rules) &&
	       X509_CRL_verify(crl, key) == 1;
}

/* The newest are kept, the newest first. */
static void keep_dates(struct cvm_revocation *r, int64_t from, int64_t until)
{
	size_t at = 0;

	while (at < r->count && r->list[at].from >= from)
		at++;
	if (at == CVM_MAX_LISTS)
		return;
	if (r->count < CVM_MAX_LISTS)
		r->count++;
	for (size_t i = r->count - 1; i > at; i--)
		r->list[i] = r->list[i - 1];
	r->list[at].from = from;
	r->list[at].until = until;
}

static void look_into(X509_CRL *crl, X509 *cert, struct cvm_revocation *r)
{
	X509_REVOKED *entry;
	int64_t from, until;

	/* A list that does not say until when it holds would hold for ever. */
	if (!cvm_time_of_asn1(X509_CRL_get0_lastUpdate(crl), &from) ||
	    !cvm_time_of_asn1(X509_CRL_get0_nextUpdate(crl), &until))
		return;
	/* Whatever the entry's date and reason: nothing is ever un-revoked. */
	if (X509_CRL_get0_by_serial(crl, &entry, X509_get_serialNumber(cert)))
		r->revoked = true;
	keep_dates(r, from, until);
}

void cvm_revocation_find(X509 *cert, X509 *issuer, const struct cvm_chain_rules *rules,
			 const struct cvm_certs *const *sets, size_t count,
			 struct cvm_revocation *out)
{
	*out = (struct cvm_revocation){ 0 };
	cvm_cert_name(issuer, out->issuer, sizeof(out->issuer));
	for (size_t s = 0; s < count; s++)
		for (size_t i = 0; i < sets[s]->crl_count; i++)
			if (is_list_of(sets[s]->crl[i], issuer, rules))
				look_into(sets[s]->crl[i], cert, out);
}

enum cvm_outcome cvm_revocation_check(const struct cvm_revocation *r, const char *name,
				      int64_t at, int64_t *issued, char *reason, size_t size)
{
	char from[32], until[32];

	if (r->revoked) {
		snprintf(reason, size, "'%s' is revoked by '%s'", name, r->issuer);
		return CVM_FAIL;
	}
	if (!r->count) {
		snprintf(reason, size, "no revocation list by '%s' was given, or none that it signed",
			 r->issuer);
		return CVM_MISS;
	}
	for (size_t i = 0; i < r->count; i++) {
		if (r->list[i].from > at || r->list[i].until < at)
			continue;
		if (!*issued || r->list[i].from < *issued)
			*issued = r->list[i].from;
		return CVM_PASS;
	}
	snprintf(reason, size, "the newest revocation list by '%s' holds from %s to %s", r->issuer,
		 cvm_time_text(r->list[0].from, from), cvm_time_text(r->list[0].until, until));
	return CVM_FAIL;
}
