// SPDX-License-Identifier: MIT
/*
 * The way from a root to the key that signed evidence. Checked certificate by
 * certificate and not by X509_verify_cert(): AMD's certificates have serial
 * number 0 and no key identifiers, and a generic path builder would accept
 * chains of other shapes than the two that exist.
 */
#include <time.h>

#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include "internal.h"

#define NAME_SIZE	64

bool cvm_cert_issued_by(X509 *cert, X509 *issuer)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);

	return key && !X509_NAME_cmp(X509_get_issuer_name(cert),
				     X509_get_subject_name(issuer)) &&
	       X509_verify(cert, key) == 1;
}

/* May sign certificates: an extension that is there must allow it. */
bool cvm_cert_is_ca(X509 *cert)
{
	return X509_get_extension_flags(cert) & EXFLAG_CA &&
	       X509_get_key_usage(cert) & KU_KEY_CERT_SIGN;
}

X509 *cvm_find_issuer(X509 *cert, const struct cvm_cert_set *const *sets,
		      size_t count)
{
	X509 *by_name = NULL;

	for (size_t s = 0; s < count; s++) {
		for (size_t i = 0; i < sets[s]->count; i++) {
			X509 *issuer = sets[s]->cert[i];

			if (cvm_cert_issued_by(cert, issuer))
				return issuer;
			if (!by_name &&
			    !X509_NAME_cmp(X509_get_issuer_name(cert),
					   X509_get_subject_name(issuer)))
				by_name = issuer;
		}
	}
	return by_name;
}

static bool is_rsa4096(EVP_PKEY *key)
{
	return key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
	       EVP_PKEY_get_bits(key) == 4096;
}

/* Algorithms are fixed by the vendor: nothing weaker gets a say. */
static bool algorithms_hold(X509 *cert, const char *key_group,
			    const struct cvm_chain_rules *rules)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);
	int digest, signature;

	if (!X509_get_signature_info(cert, &digest, &signature, NULL, NULL))
		return false;
	if (digest != rules->digest_nid || signature != rules->signature_nid)
		return false;
	return key_group ? cvm_key_is_ec(key, key_group) : is_rsa4096(key);
}

/* An extension that must be understood and is not, or one that is broken */
static bool extensions_hold(X509 *cert)
{
	return X509_get_version(cert) == X509_VERSION_3 &&
	       !(X509_get_extension_flags(cert) &
		 (EXFLAG_CRITICAL | EXFLAG_INVALID));
}

static const char *link_fault(X509 *cert, X509 *issuer, const char *key_group,
			      const struct cvm_chain_rules *rules)
{
	if (!cvm_cert_issued_by(cert, issuer))
		return "is not signed by the next certificate of the chain";
	if (!algorithms_hold(cert, key_group, rules))
		return rules->algorithms;
	if (!extensions_hold(cert))
		return "has an unknown critical extension, or broken ones";
	if (cert != issuer && !cvm_cert_is_ca(issuer))
		return "is signed by a certificate that is not a CA's";
	return NULL;
}

static bool check_links(const struct cvm_chain *c,
			const struct cvm_chain_rules *rules,
			struct cvm_verdict *v)
{
	const struct { X509 *cert, *issuer; const char *key; } links[] = {
		{ c->root, c->root, rules->ca_key },
		{ c->ca, c->root, rules->ca_key },
		{ c->leaf, c->ca, rules->leaf_key },
	};
	char a[NAME_SIZE], b[NAME_SIZE], d[NAME_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		const char *fault = link_fault(links[i].cert, links[i].issuer,
					       links[i].key, rules);

		if (fault)
			return cvm_fail(v, "chain", "certificate '%s' %s",
					cvm_cert_name(links[i].cert, a,
						      sizeof(a)), fault);
	}
	/* A root that signs leaves itself would skip what revokes them. */
	if (!X509_cmp(c->ca, c->root))
		return cvm_fail(v, "chain",
				"certificate '%s' is signed by the root and not by an intermediate CA",
				cvm_cert_name(c->leaf, a, sizeof(a)));
	if (X509_get_extension_flags(c->leaf) & EXFLAG_CA)
		return cvm_fail(v, "chain", "certificate '%s' is a CA's",
				cvm_cert_name(c->leaf, a, sizeof(a)));
	return cvm_pass(v, "chain", "%s, %s, %s",
			cvm_cert_name(c->root, a, sizeof(a)),
			cvm_cert_name(c->ca, b, sizeof(b)),
			cvm_cert_name(c->leaf, d, sizeof(d)));
}

static bool same_key(X509 *a, X509 *b)
{
	return EVP_PKEY_eq(X509_get0_pubkey(a), X509_get0_pubkey(b)) == 1;
}

static bool check_root(const struct cvm_verifier *verifier, X509 *root,
		       const struct cvm_chain_rules *rules,
		       const struct cvm_root **pinned, struct cvm_verdict *v)
{
	const struct cvm_cert_set *own = &verifier->trust_roots;
	char name[NAME_SIZE];

	cvm_cert_name(root, name, sizeof(name));
	*pinned = NULL;
	for (size_t i = 0; i < own->count; i++)
		if (same_key(own->cert[i], root))
			return cvm_pass(v, "root",
					"'%s', given as trust root: NOT one of AMD's or Intel's",
					name);
	if (own->count)
		return cvm_fail(v, "root",
				"the key of '%s' is not that of a given trust root",
				name);
	*pinned = cvm_root_find(rules->vendor, root);
	if (!*pinned)
		return cvm_fail(v, "root",
				"the key of '%s' is not that of a root of %s",
				name, rules->vendor == CVM_VENDOR_AMD ?
				"AMD's" : "Intel's");
	return cvm_pass(v, "root", "%s, by its public key", (*pinned)->name);
}

static void time_text(const ASN1_TIME *time, char buf[32])
{
	struct tm tm = { 0 };

	if (!ASN1_TIME_to_tm(time, &tm) ||
	    !strftime(buf, 32, "%Y-%m-%dT%H:%M:%SZ", &tm))
		memcpy(buf, "?", 2);
}

/* Returns what is wrong with @cert at @at, in @buf, or NULL */
static const char *validity_fault(X509 *cert, int64_t at, char *buf,
				  size_t size)
{
	const ASN1_TIME *from = X509_get0_notBefore(cert);
	const ASN1_TIME *until = X509_get0_notAfter(cert);
	int before = ASN1_TIME_cmp_time_t(from, at);
	int after = ASN1_TIME_cmp_time_t(until, at);
	char name[NAME_SIZE], when[32];

	if ((before == -1 || before == 0) && (after == 0 || after == 1))
		return NULL;
	cvm_cert_name(cert, name, sizeof(name));
	if (before == 1) {
		time_text(from, when);
		snprintf(buf, size, "'%s' is not valid before %s", name, when);
	} else {
		time_text(until, when);
		snprintf(buf, size, "'%s' expired at %s", name, when);
	}
	return buf;
}

static bool check_validity(const struct cvm_verifier *verifier,
			   const struct cvm_chain *c, struct cvm_verdict *v)
{
	X509 *const certs[] = { c->root, c->ca, c->leaf };
	char text[CVM_REASON_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(certs); i++)
		if (validity_fault(certs[i], verifier->at, text, sizeof(text)))
			return cvm_fail(v, "validity", "%s", text);
	return cvm_pass(v, "validity",
			"every certificate is valid at the given time");
}

bool cvm_chain_check(const struct cvm_verifier *verifier,
		     const struct cvm_chain *chain,
		     const struct cvm_chain_rules *rules,
		     const struct cvm_root **pinned, struct cvm_verdict *v)
{
	bool links = check_links(chain, rules, v);
	bool root = check_root(verifier, chain->root, rules, pinned, v);
	bool valid = check_validity(verifier, chain, v);

	return links && root && valid;
}
