// SPDX-License-Identifier: MIT
/* SEV-SNP: ARK, ASK or ASVK, VCEK or VLEK, report. */
#include "internal.h"

/* Everything about one report that the checks hand on */
struct snp {
	struct cvm_case *c;
	struct cvm_verdict *v;
	struct cvm_span raw;
	const struct cvm_snp_report *report;
	const struct cvm_cert *leaf;
	const struct cvm_cert *signer;	/* is known to have signed it, or NULL */
	const struct cvm_cert *tried;	/* is known not to have */
};

/* of fitness(), from which on a certificate is about the chip and the TCB */
#define FITS	3

static bool is_signed_by(const struct snp *s, X509 *leaf)
{
	const struct cvm_snp_report *r = s->report;
	const struct cvm_span part = { s->raw.data, CVM_SNP_REPORT_SIGNED };
	EVP_PKEY *key = X509_get0_pubkey(leaf);

	return cvm_key_is_ec(key, "secp384r1") &&
	       cvm_ecdsa_verify_le(key, EVP_sha384(), r->signature_r, r->signature_s,
				   sizeof(r->signature_r), part);
}

static bool same_chip(const struct snp *s, const struct cvm_amd_cert *cert)
{
	const uint8_t *chip_id = s->report->chip_id;

	return cvm_is_zero(chip_id, 64) || !memcmp(chip_id, cert->hwid, 64);
}

/* A key follows from chip and TCB, so the certificate of both is the one. */
static bool is_about(const struct snp *s, const struct cvm_cert *cert)
{
	struct cvm_snp_tcb tcb;

	return !cert->fault && (cert->leaf == CVM_LEAF_VLEK || same_chip(s, &cert->amd)) &&
	       !cvm_snp_tcb_parse(cert->amd.product, s->report->reported_tcb, &tcb) &&
	       cvm_snp_tcb_equal(&tcb, &cert->amd.tcb);
}

/* How well @cert fits, so that the verdict is about the best there is */
static unsigned int fitness(const struct snp *s, const struct cvm_cert *cert)
{
	enum cvm_leaf_kind wanted = s->report->signing_key == CVM_SNP_SIGNED_VLEK ? CVM_LEAF_VLEK :
									       CVM_LEAF_VCEK;

	if (cert->leaf != CVM_LEAF_VCEK && cert->leaf != CVM_LEAF_VLEK)
		return 0;
	if (cert->leaf != wanted)
		return 1;
	if (!is_about(s, cert))
		return 2;
	return cert->chain->holds && cert->chain->trusted ? FITS + 1 : FITS;
}

/* Nothing but the signature tells two certificates of one TCB apart. */
static bool signed_it(struct snp *s, const struct cvm_cert *cert)
{
	if (s->report->signature_algo != CVM_SNP_ECDSA_P384_SHA384 || !is_signed_by(s, cert->x509))
		return false;
	s->signer = cert;
	return true;
}

static bool is_valid(const struct snp *s, const struct cvm_cert *cert)
{
	int64_t at = s->c->opts.at;

	return at >= cert->chain->valid.from && at <= cert->chain->valid.until;
}

/* Of two that fit as well: the one that signed, and of two of its key one that is valid */
static void prefer(struct snp *s, const struct cvm_cert *cert)
{
	if (s->signer != s->leaf && s->tried != s->leaf && !signed_it(s, s->leaf))
		s->tried = s->leaf;
	if (s->signer != s->leaf) {
		if (signed_it(s, cert))
			s->leaf = cert;
		return;
	}
	if (!is_valid(s, s->leaf) && is_valid(s, cert) &&
	    EVP_PKEY_eq(X509_get0_pubkey(s->leaf->x509), X509_get0_pubkey(cert->x509)) == 1)
		s->leaf = s->signer = cert;
}

static void find_leaf_in(struct snp *s, const struct cvm_certs *certs, unsigned int *best)
{
	for (size_t i = 0; i < certs->count; i++) {
		unsigned int fits = fitness(s, &certs->cert[i]);

		if (fits > *best) {
			*best = fits;
			s->leaf = &certs->cert[i];
			s->signer = NULL;
		} else if (fits == *best && fits >= FITS) {
			prefer(s, &certs->cert[i]);
		}
	}
}

static bool find_leaf(struct snp *s)
{
	unsigned int best = 0;

	if (s->c->given)
		find_leaf_in(s, &s->c->given->certs, &best);
	find_leaf_in(s, &s->c->verifier->certs, &best);
	if (s->leaf)
		return true;
	if (*s->c->given_fault)
		return cvm_fail(s->v, "chain", "%s", s->c->given_fault);
	return cvm_fail(s->v, "chain", "no %s certificate was given",
			s->report->signing_key == CVM_SNP_SIGNED_VLEK ? "VLEK" : "VCEK");
}

/* Which key the report says that it was signed with, and which it was */
static bool check_signing_key(struct snp *s)
{
	const struct cvm_snp_report *r = s->report;

	switch (r->signing_key) {
	case CVM_SNP_SIGNED_VCEK:
		if (r->mask_chip_key)
			return cvm_fail(s->v, "signing_key",
					"MASK_CHIP_KEY is set: the host had the report not signed by its VCEK");
		if (s->leaf->leaf != CVM_LEAF_VCEK)
			return cvm_fail(s->v, "signing_key",
					"SIGNING_KEY is the VCEK, the certificate is not a VCEK's");
		return cvm_pass(s->v, "signing_key", "VCEK");
	case CVM_SNP_SIGNED_VLEK:
		if (s->leaf->leaf != CVM_LEAF_VLEK)
			return cvm_fail(s->v, "signing_key",
					"SIGNING_KEY is the VLEK, the certificate is not a VLEK's");
		return cvm_pass(s->v, "signing_key", "VLEK");
	case CVM_SNP_SIGNED_NONE:
		return cvm_fail(s->v, "signing_key",
				"SIGNING_KEY is 7: the report is not signed");
	default:
		return cvm_fail(s->v, "signing_key",
				"SIGNING_KEY is %u, expected 0 (VCEK) or 1 (VLEK)",
				r->signing_key);
	}
}

static bool check_signature(struct snp *s)
{
	if (s->report->signature_algo != CVM_SNP_ECDSA_P384_SHA384)
		return cvm_fail(s->v, "signature",
				"SIGNATURE_ALGO is %u, expected 1 (ECDSA P-384 with SHA-384)",
				s->report->signature_algo);
	/* reserved, and not signed: what is there could be anybody's */
	if (!s->report->signature_end_zero)
		return cvm_fail(s->v, "signature",
				"the reserved end of SIGNATURE is not zero, and nobody signed it");
	if (s->signer != s->leaf && !is_signed_by(s, s->leaf->x509))
		return cvm_fail(s->v, "signature",
				"the signature is not by the key of the certificate");
	return cvm_pass(s->v, "signature", "ECDSA P-384 with SHA-384");
}

/* Root, certificate and CPUID must agree: layouts and floors differ by product. */
static bool check_product(struct snp *s)
{
	const struct cvm_chain *chain = s->leaf->chain;
	enum cvm_snp_product product = s->leaf->amd.product;
	const char *name = cvm_snp_product_name(product);

	if (s->leaf->fault)
		return cvm_fail(s->v, "product", "the certificate's extensions: %s", s->leaf->fault);
	if (chain->holds && (!cvm_amd_name_is_of(chain->ca, product) ||
			     !cvm_amd_name_is_of(chain->root, product)))
		return cvm_fail(s->v, "product", "the certificate is of %s, its issuers %s", name,
				chain->chain_text);
	if (chain->pinned && chain->pinned->product != product)
		return cvm_fail(s->v, "product", "the certificate is of %s, under the root of %s",
				name, chain->pinned->name);
	if (s->report->has_cpuid && s->report->product != product)
		return cvm_fail(s->v, "product",
				"CPUID family 0x%02x model 0x%02x is %s, the certificate is of %s",
				s->report->cpuid_fam_id, s->report->cpuid_mod_id,
				cvm_snp_product_name(s->report->product), name);
	s->v->facts.product = product;
	return cvm_pass(s->v, "product", "%s", name);
}

/* The key is derived from the TCB: a certificate of another one is another key's. */
static bool check_certificate_tcb(struct snp *s)
{
	const struct cvm_snp_tcb *t = &s->leaf->amd.tcb;
	struct cvm_snp_tcb tcb = { 0 };

	cvm_snp_tcb_parse(s->leaf->amd.product, s->report->reported_tcb, &tcb);
	if (cvm_snp_tcb_equal(&tcb, t))
		return cvm_pass(s->v, "certificate_tcb",
				"REPORTED_TCB is what the certificate is for");
	return cvm_fail(s->v, "certificate_tcb",
			"REPORTED_TCB is 0x%016llx, the certificate is for fmc %u boot_loader %u tee %u snp %u microcode %u",
			(unsigned long long)s->report->reported_tcb, t->fmc, t->boot_loader,
			t->tee, t->snp, t->microcode);
}

static bool check_hardware_id(struct snp *s)
{
	const uint8_t *chip_id = s->report->chip_id;

	if (s->leaf->leaf == CVM_LEAF_VLEK)
		cvm_skip(s->v, "hardware_id", "a VLEK is of no one chip; it was issued to '%s'",
			 s->leaf->amd.csp_id);
	else if (cvm_is_zero(chip_id, 64))
		cvm_skip(s->v, "hardware_id", "CHIP_ID is zero: the host masks it");
	else if (memcmp(chip_id, s->leaf->amd.hwid, 64))
		return cvm_fail(s->v, "hardware_id", "CHIP_ID is another than the certificate's");
	else
		cvm_pass(s->v, "hardware_id", "CHIP_ID is the certificate's");
	return true;
}

/* AUTHOR_KEY_EN says whether the digest means anything. */
static void check_author_key(struct snp *s)
{
	const struct cvm_snp_report *r = s->report;
	bool zero = cvm_is_zero(r->author_key_digest, sizeof(r->author_key_digest));

	if (!r->author_key_en && !zero)
		cvm_fail(s->v, "author_key",
			 "AUTHOR_KEY_DIGEST is not zero, although AUTHOR_KEY_EN is clear");
	else
		cvm_pass(s->v, "author_key", r->author_key_en ? "the ID key is certified" :
			 "there is none");
}

/* The host may ask for reports too; what they carry is not from the guest. */
static void check_requester(struct snp *s)
{
	uint32_t vmpl = s->report->vmpl;

	if (vmpl == CVM_SNP_VMPL_HOST)
		cvm_fail(s->v, "requester",
			 "VMPL is 0xffffffff: the host asked for this report, not the guest");
	else if (vmpl > 3)
		cvm_fail(s->v, "requester", "VMPL is %u, expected 0 to 3", vmpl);
	/* at its own VMPL a guest has any REPORT_DATA signed, the hash of its own manifest too */
	else if (s->c->opts.binding == CVM_BINDING_SVSM && vmpl)
		cvm_fail(s->v, "requester", "VMPL is %u: an SVSM's report is of VMPL 0", vmpl);
	else
		cvm_pass(s->v, "requester", "the guest, at VMPL %u", vmpl);
}

static void check_revocation(struct snp *s)
{
	const struct cvm_chain *chain = s->leaf->chain;
	char name[CVM_NAME_SIZE], reason[CVM_REASON_SIZE] = "";
	enum cvm_outcome outcome;

	if (!chain->root) {
		cvm_miss(s->v, "revocation", "there is no chain");
		return;
	}
	outcome = cvm_revocation_check(&chain->ca_lists,
				       cvm_cert_name(chain->ca, name, sizeof(name)),
				       s->c->opts.at, &s->v->facts.root_crl_issued, reason,
				       sizeof(reason));
	cvm_verdict_add(s->v, "revocation", outcome, "%s", outcome != CVM_PASS ? reason :
			"the intermediate CA is not revoked; of chips there is no list");
}

static void check_key(struct snp *s)
{
	bool chain = cvm_chain_check(s->leaf->chain, s->c->given_fault, s->c->opts.at,
				     s->v);
	bool key = check_signing_key(s), signature = check_signature(s);
	bool product = check_product(s);

	/* Both are always made: a verdict names everything that is wrong. */
	product = product && (check_certificate_tcb(s) & check_hardware_id(s));
	check_revocation(s);
	s->v->signed_by_root = chain && key && product && signature;
}

static void judge(struct snp *s)
{
	struct cvm_verdict *v = s->v;

	if (!v->policy)
		return;
	if (!cvm_policy_speaks_of(v->policy, "snp.")) {
		cvm_miss(v, "snp", "the policy says nothing of SNP reports");
		return;
	}
	if (!v->facts.product) {
		cvm_miss(v, "snp", "the product is not known, and so not what the policy says of it");
		return;
	}
	/* zero where the host masks it, and the certificate names no chip either */
	cvm_judge_snp(v, s->leaf->leaf == CVM_LEAF_VCEK ? s->leaf->amd.hwid : s->report->chip_id,
		      s->leaf->leaf == CVM_LEAF_VLEK);
	cvm_judge_age(v, s->c->opts.at);
}

int cvm_check_snp(struct cvm_case *c, struct cvm_span report)
{
	struct cvm_verdict *v = c->v;
	struct snp s = { .c = c, .v = v, .raw = report, .report = &v->facts.snp };
	struct cvm_format_error err;

	if (cvm_snp_report_parse(report.data, report.len, &v->facts.snp, &err))
		return cvm_fail_format(v, &err);
	cvm_pass(v, "format", "SNP attestation report, version %u", s.report->version);
	v->facts.kind = CVM_FACT_SNP;
	if (find_leaf(&s)) {
		check_key(&s);
		if (s.leaf->leaf == CVM_LEAF_VLEK)
			memcpy(v->facts.csp_id, s.leaf->amd.csp_id, sizeof(v->facts.csp_id));
	} else {
		cvm_skip(v, "signature", "there is no chain");
		cvm_miss(v, "revocation", "there is no chain");
	}
	check_author_key(&s);
	check_requester(&s);
	judge(&s);
	return 0;
}
