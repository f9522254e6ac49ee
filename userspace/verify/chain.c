// SPDX-License-Identifier: MIT
/*
 * The way from a root to the key that signed evidence. Checked certificate by
 * certificate and not by X509_verify_cert(): AMD's certificates have serial
 * number 0 and no key identifiers, and a generic path builder would accept
 * chains of other shapes than the two that exist.
 */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include "certs.h"

/* Publication 57230: RSASSA-PSS with SHA-384 throughout, a P-384 leaf */
const struct cvm_chain_rules cvm_amd_rules = {
	.vendor = CVM_VENDOR_AMD,
	.signature_nid = NID_rsassaPss,
	.digest_nid = NID_sha384,
	.ca_key = NULL,
	.leaf_key = "secp384r1",
	.algorithms = "has other algorithms than AMD's: RSA-4096 with PSS and SHA-384, P-384",
};

/* "Intel SGX PCK Certificate and CRL Profile Specification" */
const struct cvm_chain_rules cvm_intel_rules = {
	.vendor = CVM_VENDOR_INTEL,
	.signature_nid = NID_X9_62_id_ecPublicKey,
	.digest_nid = NID_sha256,
	.ca_key = "prime256v1",
	.leaf_key = "prime256v1",
	.algorithms = "has other algorithms than Intel's: ECDSA P-256 with SHA-256",
};

static bool is_rsa4096(EVP_PKEY *key)
{
	return key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
	       EVP_PKEY_get_bits(key) == 4096;
}

/*
 * No vendor has others, and others cost up to a hundred times as much: looked at
 * before any signature is, for whoever sends certificates could have each tried as
 * the issuer of each. Smaller RSA keys are among those: OpenSSL takes an exponent
 * as long as the modulus up to 3072 bits, and one of at most 64 bits above.
 */
bool cvm_key_is_affordable(EVP_PKEY *key)
{
	return is_rsa4096(key) || cvm_key_is_ec(key, "prime256v1") ||
	       cvm_key_is_ec(key, "secp384r1");
}

bool cvm_cert_issued_by(X509 *cert, X509 *issuer)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);

	return cvm_key_is_affordable(key) && !X509_NAME_cmp(X509_get_issuer_name(cert),
				     X509_get_subject_name(issuer)) &&
	       X509_verify(cert, key) == 1;
}

/* May sign certificates: an extension that is there must allow it. */
static bool is_ca(X509 *cert)
{
	return X509_get_extension_flags(cert) & EXFLAG_CA &&
	       X509_get_key_usage(cert) & KU_KEY_CERT_SIGN;
}

/*
 * The issuer of @cert by signature; if there is none, one of that name, so that
 * the caller can say what is wrong with it; else NULL.
 */
static X509 *find_issuer(X509 *cert, const struct cvm_sources *from)
{
	X509 *by_name = NULL;

	for (size_t s = 0; s < from->count; s++) {
		for (size_t i = 0; i < from->sets[s]->count; i++) {
			X509 *issuer = from->sets[s]->cert[i].x509;

			if (X509_NAME_cmp(X509_get_issuer_name(cert),
					  X509_get_subject_name(issuer)))
				continue;
			if (cvm_cert_issued_by(cert, issuer))
				return issuer;
			by_name = by_name ? by_name : issuer;
		}
	}
	return by_name;
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
	       !(X509_get_extension_flags(cert) & (EXFLAG_CRITICAL | EXFLAG_INVALID));
}

static const char *link_fault(X509 *cert, X509 *issuer, const char *key_group,
			      const struct cvm_chain_rules *rules)
{
	if (!cvm_key_is_affordable(X509_get0_pubkey(issuer)))
		return "is issued by a key of another kind or size than any vendor's, which was not tried";
	if (!cvm_cert_issued_by(cert, issuer))
		return "is not signed by the next certificate of the chain";
	if (!algorithms_hold(cert, key_group, rules))
		return rules->algorithms;
	if (!extensions_hold(cert))
		return "has an unknown critical extension, or broken ones";
	if (cert != issuer && !is_ca(issuer))
		return "is signed by a certificate that is not a CA's";
	return NULL;
}

static bool broken(struct cvm_chain *c, X509 *cert, const char *fault)
{
	char name[CVM_NAME_SIZE];

	snprintf(c->chain_text, sizeof(c->chain_text), "certificate '%s' %s",
		 cvm_cert_name(cert, name, sizeof(name)), fault);
	return false;
}

static bool links_hold(struct cvm_chain *c, const struct cvm_chain_rules *rules)
{
	X509 *issuer = c->ca ? c->ca : c->root;
	const struct { X509 *cert, *issuer; const char *key; } links[] = {
		{ c->root, c->root, rules->ca_key },
		{ issuer, c->root, rules->ca_key },
		{ c->leaf, issuer, rules->leaf_key },
	};

	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		const char *fault = link_fault(links[i].cert, links[i].issuer, links[i].key, rules);

		if (fault)
			return broken(c, links[i].cert, fault);
	}
	/* A root that signs leaves itself would skip what revokes them. */
	if (c->ca && !X509_cmp(c->ca, c->root))
		return broken(c, c->leaf, "is signed by the root and not by an intermediate CA");
	if (X509_get_extension_flags(c->leaf) & EXFLAG_CA)
		return broken(c, c->leaf, "is a CA's");
	return true;
}

/* AMD keeps the keys apart: who may sign a provider's certificate signs no chip's. */
static bool kind_holds(struct cvm_chain *c, enum cvm_leaf_kind kind)
{
	char text[CVM_NAME_SIZE + 64], name[CVM_NAME_SIZE];

	if (kind == CVM_LEAF_PCK || cvm_amd_ca_issues(c->ca, kind == CVM_LEAF_VLEK))
		return true;
	snprintf(text, sizeof(text), "is issued by '%s', who issues no %s",
		 cvm_cert_name(c->ca, name, sizeof(name)),
		 kind == CVM_LEAF_VLEK ? "VLEK" : "VCEK");
	return broken(c, c->leaf, text);
}

static void name_links(struct cvm_chain *c)
{
	char root[CVM_NAME_SIZE], ca[CVM_NAME_SIZE] = "", leaf[CVM_NAME_SIZE];

	if (c->ca)
		cvm_cert_name(c->ca, ca, sizeof(ca));
	snprintf(c->chain_text, sizeof(c->chain_text), "%s%s%s, %s",
		 cvm_cert_name(c->root, root, sizeof(root)), *ca ? ", " : "", ca,
		 cvm_cert_name(c->leaf, leaf, sizeof(leaf)));
}

static bool is_given_root(const struct cvm_certs *roots, X509 *root)
{
	for (size_t i = 0; i < roots->count; i++)
		if (EVP_PKEY_eq(X509_get0_pubkey(roots->cert[i].x509),
				X509_get0_pubkey(root)) == 1)
			return true;
	return false;
}

/* The caller's roots take the place of the vendors': never both. */
static bool root_trusted(struct cvm_chain *c, const struct cvm_chain_rules *rules,
			 const struct cvm_certs *roots)
{
	char *text = c->root_text, name[CVM_NAME_SIZE];
	const size_t size = sizeof(c->root_text);

	cvm_cert_name(c->root, name, sizeof(name));
	if (roots->count) {
		bool given = is_given_root(roots, c->root);

		snprintf(text, size, given ?
			 "'%s', given as trust root: NOT one of AMD's or Intel's" :
			 "the key of '%s' is not that of a given trust root", name);
		return given;
	}
	c->pinned = cvm_root_find(rules->vendor, c->root);
	if (c->pinned)
		snprintf(text, size, "%s, by its public key", c->pinned->name);
	else
		snprintf(text, size, "the key of '%s' is not that of a root of %s", name,
			 rules->vendor == CVM_VENDOR_AMD ? "AMD's" : "Intel's");
	return c->pinned;
}

static void narrow(struct cvm_window *w, X509 *cert)
{
	char name[CVM_NAME_SIZE];
	int64_t from, until;

	/* A time that cannot be read is never now. */
	if (!cvm_time_of_asn1(X509_get0_notBefore(cert), &from) ||
	    !cvm_time_of_asn1(X509_get0_notAfter(cert), &until))
		from = until = INT64_MAX;
	cvm_window_narrow(w, from, until, cvm_cert_name(cert, name, sizeof(name)));
}

static bool not_given(struct cvm_chain *c, X509 *cert)
{
	char issuer[CVM_NAME_SIZE], name[CVM_NAME_SIZE];

	if (X509_NAME_get_text_by_NID(X509_get_issuer_name(cert), NID_commonName, issuer,
				      sizeof(issuer)) < 0)
		issuer[0] = '\0';
	for (char *p = issuer; *p; p++)
		*p = *p < ' ' || *p > '~' ? '?' : *p;
	snprintf(c->chain_text, sizeof(c->chain_text),
		 "no certificate of '%s' was given, who issued that of '%s'", issuer,
		 cvm_cert_name(cert, name, sizeof(name)));
	return false;
}

static bool find_links(struct cvm_chain *c, bool through_ca, const struct cvm_sources *from)
{
	X509 *below = c->leaf;

	if (through_ca) {
		c->ca = find_issuer(c->leaf, from);
		if (!c->ca)
			return not_given(c, c->leaf);
		below = c->ca;
	}
	c->root = find_issuer(below, from);
	return c->root || not_given(c, below);
}

static void make_chain(struct cvm_chain *c, X509 *leaf, bool through_ca,
		       const struct cvm_chain_rules *rules, const struct cvm_sources *from)
{
	*c = (struct cvm_chain){ .leaf = leaf, .valid = cvm_window_always };
	if (!find_links(c, through_ca, from))
		return;
	c->holds = links_hold(c, rules);
	if (c->holds)
		name_links(c);
	c->trusted = root_trusted(c, rules, from->roots);
	narrow(&c->valid, c->root);
	if (c->ca)
		narrow(&c->valid, c->ca);
	narrow(&c->valid, leaf);
	cvm_revocation_find(c->ca ? c->ca : leaf, c->root, rules, from->sets, from->count,
			    &c->ca_lists);
	/* AMD has no list of leaves: chips are refused by a policy. */
	if (c->ca && rules->vendor == CVM_VENDOR_INTEL)
		cvm_revocation_find(leaf, c->ca, rules, from->sets, from->count, &c->leaf_lists);
}

int cvm_certs_make_chains(struct cvm_certs *certs, const struct cvm_sources *from)
{
	for (size_t i = 0; i < certs->count; i++) {
		struct cvm_cert *cert = &certs->cert[i];

		if (cert->leaf == CVM_LEAF_NONE)
			continue;
		if (!cert->chain)
			cert->chain = malloc(sizeof(*cert->chain));
		if (!cert->chain)
			return -ENOMEM;
		make_chain(cert->chain, cert->x509, true, cert->leaf == CVM_LEAF_PCK ?
			   &cvm_intel_rules : &cvm_amd_rules, from);
		if (cert->chain->holds)
			cert->chain->holds = kind_holds(cert->chain, cert->leaf);
	}
	return 0;
}

void cvm_chain_make_signer(struct cvm_chain *chain, X509 *leaf, const struct cvm_sources *from)
{
	make_chain(chain, leaf, false, &cvm_intel_rules, from);
}

bool cvm_chain_check(const struct cvm_chain *chain, const char *fault, int64_t at,
		     struct cvm_verdict *v)
{
	char text[CVM_REASON_SIZE];

	if (*fault)
		cvm_fail(v, "chain", "%s", fault);
	else
		cvm_verdict_add(v, "chain", chain->holds ? CVM_PASS : CVM_FAIL, "%s",
				chain->chain_text);
	if (!chain->root)
		return false;
	cvm_verdict_add(v, "root", chain->trusted ? CVM_PASS : CVM_FAIL, "%s", chain->root_text);
	if (cvm_window_fault(&chain->valid, at, text, sizeof(text)))
		return cvm_fail(v, "validity", "%s", text);
	cvm_pass(v, "validity", "every certificate is valid at the given time");
	return chain->holds && chain->trusted && !*fault;
}
