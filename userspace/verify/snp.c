// SPDX-License-Identifier: MIT
/* SEV-SNP: ARK, ASK or ASVK, VCEK or VLEK, report. */
#include <openssl/objects.h>

#include "internal.h"

/* Publication 57230: RSASSA-PSS with SHA-384 throughout, a P-384 leaf */
static const struct cvm_chain_rules rules = {
	.vendor = CVM_VENDOR_AMD,
	.signature_nid = NID_rsassaPss,
	.digest_nid = NID_sha384,
	.ca_key = NULL,
	.leaf_key = "secp384r1",
	.algorithms = "has other algorithms than AMD's: RSA-4096 with PSS and SHA-384, P-384",
};

/* Everything about one report that the checks hand on */
struct snp {
	const struct cvm_verifier *verifier;
	struct cvm_verdict *v;
	struct cvm_span raw;
	struct cvm_snp_report report;
	struct cvm_chain chain;
	struct cvm_amd_cert cert;
	const struct cvm_root *root;
};

static bool is_signed_by(const struct snp *s, X509 *leaf)
{
	const struct cvm_snp_report *r = &s->report;
	const struct cvm_span part = { s->raw.data, CVM_SNP_REPORT_SIGNED };
	EVP_PKEY *key = X509_get0_pubkey(leaf);

	return cvm_key_is_ec(key, "secp384r1") &&
	       cvm_ecdsa_verify_le(key, EVP_sha384(), r->signature_r,
				   r->signature_s, sizeof(r->signature_r),
				   part);
}

/* The leaf that signed; if none did, one of the right kind; else any. */
static X509 *find_leaf(const struct snp *s)
{
	const struct cvm_cert_set *certs = &s->verifier->certs;
	enum cvm_amd_key wanted = s->report.signing_key == CVM_SNP_SIGNED_VLEK ?
				  CVM_AMD_KEY_VLEK : CVM_AMD_KEY_VCEK;
	X509 *right = NULL, *any = NULL;

	for (size_t i = 0; i < certs->count; i++) {
		enum cvm_amd_key key = cvm_amd_cert_key(certs->cert[i]);

		if (key == CVM_AMD_KEY_NONE)
			continue;
		any = any ? any : certs->cert[i];
		if (key != wanted)
			continue;
		if (is_signed_by(s, certs->cert[i]))
			return certs->cert[i];
		right = right ? right : certs->cert[i];
	}
	return right ? right : any;
}

static bool find_chain(struct snp *s)
{
	const struct cvm_cert_set *sets[] = { &s->verifier->certs,
					      &s->verifier->trust_roots };
	bool vlek = s->report.signing_key == CVM_SNP_SIGNED_VLEK;

	s->chain.leaf = find_leaf(s);
	if (!s->chain.leaf)
		return cvm_fail(s->v, "chain", "no %s certificate was given",
				vlek ? "VLEK" : "VCEK");
	s->chain.ca = cvm_find_issuer(s->chain.leaf, sets, ARRAY_SIZE(sets));
	if (!s->chain.ca)
		return cvm_fail(s->v, "chain", "no %s certificate was given",
				vlek ? "ASVK" : "ASK");
	s->chain.root = cvm_find_issuer(s->chain.ca, sets, ARRAY_SIZE(sets));
	if (!s->chain.root)
		return cvm_fail(s->v, "chain", "no ARK certificate was given");
	return true;
}

/* Which key the report says that it was signed with, and which it was */
static bool check_signing_key(struct snp *s)
{
	const struct cvm_snp_report *r = &s->report;
	enum cvm_amd_key key = cvm_amd_cert_key(s->chain.leaf);

	switch (r->signing_key) {
	case CVM_SNP_SIGNED_VCEK:
		if (r->mask_chip_key)
			return cvm_fail(s->v, "signing_key",
					"MASK_CHIP_KEY is set: the host had the report not signed by its VCEK");
		if (key != CVM_AMD_KEY_VCEK)
			return cvm_fail(s->v, "signing_key",
					"SIGNING_KEY is the VCEK, the certificate is not a VCEK's");
		return cvm_pass(s->v, "signing_key", "VCEK");
	case CVM_SNP_SIGNED_VLEK:
		if (key != CVM_AMD_KEY_VLEK)
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
	if (s->report.signature_algo != CVM_SNP_ECDSA_P384_SHA384)
		return cvm_fail(s->v, "signature",
				"SIGNATURE_ALGO is %u, expected 1 (ECDSA P-384 with SHA-384)",
				s->report.signature_algo);
	if (!is_signed_by(s, s->chain.leaf))
		return cvm_fail(s->v, "signature",
				"the report's signature is not by the key of the certificate");
	return cvm_pass(s->v, "signature", "ECDSA P-384 with SHA-384");
}

/* Root, certificate and report are of one product line, as far as they say. */
static bool check_product(struct snp *s)
{
	const char *fault = cvm_amd_cert_parse(s->chain.leaf, &s->cert);
	enum cvm_snp_product product = s->cert.product;

	if (fault)
		return cvm_fail(s->v, "product", "in the certificate: %s",
				fault);
	if (s->report.has_cpuid && s->report.product != product)
		return cvm_fail(s->v, "product",
				"the report's CPUID (family 0x%x, model 0x%x) is %s, the certificate is for %s",
				s->report.cpuid_fam_id, s->report.cpuid_mod_id,
				cvm_snp_product_name(s->report.product),
				cvm_snp_product_name(product));
	if (s->root && s->root->product != product)
		return cvm_fail(s->v, "product",
				"the certificate is for %s, the root is %s",
				cvm_snp_product_name(product), s->root->name);
	return cvm_pass(s->v, "product", "%s", cvm_snp_product_name(product));
}

/* The key is derived from the TCB: a certificate of another one is another key's. */
static void check_certificate_tcb(struct snp *s)
{
	struct cvm_snp_tcb tcb = { 0 };
	const struct cvm_snp_tcb *c = &s->cert.tcb;

	cvm_snp_tcb_parse(s->cert.product, s->report.reported_tcb, &tcb);
	if (tcb.fmc != c->fmc || tcb.boot_loader != c->boot_loader ||
	    tcb.tee != c->tee || tcb.snp != c->snp ||
	    tcb.microcode != c->microcode)
		cvm_fail(s->v, "certificate_tcb",
			 "REPORTED_TCB is 0x%016llx, the certificate is for fmc %u boot_loader %u tee %u snp %u microcode %u",
			 (unsigned long long)s->report.reported_tcb, c->fmc,
			 c->boot_loader, c->tee, c->snp, c->microcode);
	else
		cvm_pass(s->v, "certificate_tcb",
			 "REPORTED_TCB is what the certificate is for");
}

static void check_hardware_id(struct snp *s)
{
	const struct cvm_snp_report *r = &s->report;

	if (s->cert.key == CVM_AMD_KEY_VLEK)
		cvm_unchecked(s->v, "hardware_id",
			      "a VLEK is of no one chip; it was issued to '%s'",
			      s->cert.csp_id);
	else if (cvm_is_zero(r->chip_id, sizeof(r->chip_id)))
		cvm_unchecked(s->v, "hardware_id",
			      "CHIP_ID is zero: the host masks it");
	else if (memcmp(r->chip_id, s->cert.hwid, sizeof(r->chip_id)))
		cvm_fail(s->v, "hardware_id",
			 "CHIP_ID is another than the certificate's");
	else
		cvm_pass(s->v, "hardware_id", "CHIP_ID is the certificate's");
}

/* The host may ask for reports too; what they carry is not from the guest. */
static void check_requester(struct snp *s)
{
	if (s->report.vmpl == CVM_SNP_VMPL_HOST)
		cvm_fail(s->v, "requester",
			 "VMPL is 0xffffffff: the host asked for this report, not the guest");
	else
		cvm_pass(s->v, "requester", "the guest, at VMPL %u",
			 s->report.vmpl);
}

static void check_chain_and_signature(struct snp *s)
{
	bool chain, key, product, signature;

	if (!find_chain(s)) {
		cvm_unchecked(s->v, "signature", "there is no chain");
		return;
	}
	chain = cvm_chain_check(s->verifier, &s->chain, &rules, &s->root, s->v);
	key = check_signing_key(s);
	signature = check_signature(s);
	product = check_product(s);
	if (product) {
		check_certificate_tcb(s);
		check_hardware_id(s);
	}
	s->v->signed_by_root = chain && key && product && signature;
}

int cvm_verify_snp(const struct cvm_verifier *verifier, const void *data,
		   size_t len, struct cvm_verdict *v)
{
	struct snp s = { .verifier = verifier, .v = v, .raw = { data, len } };
	struct cvm_format_error err;
	int ret = cvm_snp_report_parse(data, len, &s.report, &err);

	if (ret) {
		cvm_fail_format(v, &err);
		return -EBADMSG;
	}
	cvm_pass(v, "format", "SNP attestation report, version %u",
		 s.report.version);
	check_chain_and_signature(&s);
	check_requester(&s);
	cvm_check_report_data(verifier, s.report.report_data, v);
	cvm_unchecked(v, "vmpl", "no VMPL to expect was given: any is accepted");
	cvm_unchecked_without_policy(v);
	return 0;
}
