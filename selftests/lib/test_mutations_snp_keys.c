// SPDX-License-Identifier: GPL-2.0
/*
 * SNP evidence that a policy verifies, spoilt: keys, certificates, revocation lists
 * and lengths. Each mutation names the check that catches it.
 */
#include <openssl/core_names.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>

#include "mutate_snp.h"
#include "userspace/verify/certs.h"

/* ---- one way each to spoil keys, certificates and lists */

static void masked(struct snp_world *w) { w->report[0x48] |= 2; }
static void key_none(struct snp_world *w) { w->report[0x48] = 7 << 2; }
static void key_reserved(struct snp_world *w) { w->report[0x48] = 3 << 2; }
static void key_vlek(struct snp_world *w) { w->report[0x48] = 1 << 2; }
static void other_signer(struct snp_world *w) { w->signer = snp_keys.p256; }
static void hwid_start(struct snp_world *w) { w->amd.hwid[0] ^= 1; }
static void hwid_end(struct snp_world *w) { w->amd.hwid[63] ^= 1; }
static void chip_id(struct snp_world *w) { w->report[0x1a0] ^= 1; }
static void short_hwid(struct snp_world *w) { w->amd.hwid_len = 8; }
static void no_hwid(struct snp_world *w) { w->amd.hwid_len = 0; }
static void odd_hwid(struct snp_world *w) { w->amd.hwid_len = 63; }
static void other_microcode(struct snp_world *w) { w->amd.microcode++; }
static void other_boot_loader(struct snp_world *w) { w->amd.boot_loader++; }
static void unknown_product(struct snp_world *w) { w->amd.product = "Genoas"; }
static void no_product(struct snp_world *w) { w->amd.product = NULL; }
static void two_products(struct snp_world *w) { w->amd.twice = true; }
static void milan_cert(struct snp_world *w) { w->amd.product = "Milan-B0"; }
static void turin_cpuid(struct snp_world *w) { w->report[0x188] = 0x1a; }
static void unknown_cpuid(struct snp_world *w) { w->report[0x189] = 0x50; }
static void csp(struct snp_world *w) { w->amd.csp_id = "CN=cloud.example"; }
static void no_trust(struct snp_world *w) { w->no_trust = true; }
static void other_trust(struct snp_world *w) { w->other_trust = true; }
static void no_ask(struct snp_world *w) { w->no_ask = true; }
static void no_leaf(struct snp_world *w) { w->no_leaf = true; }
static void ask_no_ca(struct snp_world *w) { w->ask.ca = false; }
static void ark_no_ca(struct snp_world *w) { w->ark.ca = false; }
static void leaf_ca(struct snp_world *w) { w->leaf.ca = true; }
static void leaf_forged(struct snp_world *w) { w->leaf.issuer_key = snp_keys.other; }
static void ask_forged(struct snp_world *w) { w->ask.issuer_key = snp_keys.other; }
static void leaf_issuer(struct snp_world *w) { w->leaf.issuer_name = "SEV-Milan"; }
static void leaf_sha256(struct snp_world *w) { w->leaf.md = EVP_sha256(); }
static void ask_sha256(struct snp_world *w) { w->ask.md = EVP_sha256(); }
static void leaf_pkcs1(struct snp_world *w) { w->leaf.pss = false; }
static void critical(struct snp_world *w) { w->leaf.critical_nid = NID_netscape_comment; }

static void p256_leaf(struct snp_world *w)
{
	w->leaf.key = w->signer = snp_keys.p256;
}

static void rsa2048_ask(struct snp_world *w)
{
	w->ask.key = w->leaf.issuer_key = snp_keys.rsa2048;
}

static void leaf_by_ark(struct snp_world *w)
{
	w->leaf.issuer_name = w->ark.name;
	w->leaf.issuer_key = w->ark.key;
}

/* a chain of one's own, with all the right names */
static void forged_chain(struct snp_world *w)
{
	w->ark.key = w->ark.issuer_key = w->ask.issuer_key = snp_keys.other;
	w->crl.key = snp_keys.other;
	w->no_trust = true;
}

/* version 2 has no CPUID that would say another product */
static void milan_no_product(struct snp_world *w)
{
	snp_make_milan(w);
	w->amd.product = NULL;
}

static void milan_unknown_product(struct snp_world *w)
{
	snp_make_milan(w);
	w->amd.product = "Milano";
}

static void turin_no_fmc(struct snp_world *w)
{
	snp_make_turin(w);
	w->amd.has_fmc = false;
}

static void vlek_for_vcek(struct snp_world *w)
{
	snp_make_vlek(w);
	w->report[0x48] = 0;
}

static void vcek_for_vlek(struct snp_world *w)
{
	w->report[0x48] = 1 << 2;
	memset(w->report + 0x1a0, 0, 64);
}

static void other_csp(struct snp_world *w)
{
	snp_make_vlek(w);
	w->amd.csp_id = "CN=other.example";
}

static void vlek_with_chip(struct snp_world *w)
{
	snp_make_vlek(w);
	w->amd.hwid_len = 64;
}

static void vlek_without_csp(struct snp_world *w)
{
	snp_make_vlek(w);
	w->amd.csp_id = NULL;
}

/* whoever has the one key and not the other */
static void vcek_by_asvk(struct snp_world *w)
{
	w->ask.name = w->leaf.issuer_name = "SEV-VLEK-Genoa";
}

static void vlek_by_ask(struct snp_world *w)
{
	snp_make_vlek(w);
	w->ask.name = w->leaf.issuer_name = "SEV-Genoa";
}

static void ask_of_milan(struct snp_world *w) { w->ask.name = w->leaf.issuer_name = "SEV-Milan"; }

static void ark_of_turin(struct snp_world *w)
{
	w->ark.name = w->ark.issuer_name = w->ask.issuer_name = w->crl.issuer = "ARK-Turin";
}

static void ask_of_no_name(struct snp_world *w) { w->ask.name = w->leaf.issuer_name = "Genoa"; }

static void ark_longer(struct snp_world *w)
{
	w->ark.name = w->ark.issuer_name = w->ask.issuer_name = w->crl.issuer = "ARK-Genoa-X";
}

static void zeros(struct snp_world *w) { memset(w->report + 0x2a0, 0, 144); }
static void zero_signature(struct snp_world *w) { w->tamper = zeros; }
static void long_r(struct snp_world *w) { w->report[0x2a0 + 48] = 1; }
static void r_too_long(struct snp_world *w) { w->tamper = long_r; }

static void end_first(struct snp_world *w) { w->report[0x330] = 1; }
static void end_last(struct snp_world *w) { w->report[0x49f] = 0x80; }
static void signature_end(struct snp_world *w) { w->tamper = end_first; }
static void signature_last(struct snp_world *w) { w->tamper = end_last; }

static void swapped(struct snp_world *w)
{
	uint8_t r[72];

	memcpy(r, w->report + 0x2a0, 72);
	memcpy(w->report + 0x2a0, w->report + 0x2e8, 72);
	memcpy(w->report + 0x2e8, r, 72);
}

static void r_s_swapped(struct snp_world *w) { w->tamper = swapped; }

static void ark_expired(struct snp_world *w) { w->ark.until = w->at - 1; }
static void ask_expired(struct snp_world *w) { w->ask.until = w->at - 1; }
static void leaf_expired(struct snp_world *w) { w->leaf.until = w->at - 1; }
static void ark_early(struct snp_world *w) { w->ark.from = w->at + 1; }
static void ask_early(struct snp_world *w) { w->ask.from = w->at + 1; }
static void leaf_early(struct snp_world *w) { w->leaf.from = w->at + 1; }
static void long_ago(struct snp_world *w) { w->at = 0; }
static void long_hence(struct snp_world *w) { w->at = 253402300799; }

static void crl_none(struct snp_world *w) { w->no_crl = true; }
static void crl_expired(struct snp_world *w) { w->crl.until = w->at - 1; }
static void crl_early(struct snp_world *w) { w->crl.from = w->at + 1; }
static void crl_no_end(struct snp_world *w) { w->crl.no_end = true; }
static void crl_forged(struct snp_world *w) { w->crl.key = snp_keys.other; }
static void crl_by_ask(struct snp_world *w) { w->crl.key = snp_keys.ask; }
static void crl_other_name(struct snp_world *w) { w->crl.issuer = "ARK-Turin"; }
static void crl_delta(struct snp_world *w) { w->crl.critical = true; }
static void crl_sha256(struct snp_world *w) { w->crl.md = EVP_sha256(); }
static void crl_pkcs1(struct snp_world *w) { w->crl.pss = false; }
static void crl_not_allowed(struct snp_world *w) { w->ark.no_crl_sign = true; }
static void ask_revoked(struct snp_world *w) { w->crl.revoked[1] = 101; }

static void ask_revoked_later(struct snp_world *w)
{
	ask_revoked(w);
	w->crl.from = w->at + 1;
}

static const struct {
	const char *name;
	void (*spoil)(struct snp_world *w);
	const char *by;
} spoilt[] = {
	{ "chip key masked", masked, "=signing_key" },
	{ "SIGNING_KEY none", key_none, "=signing_key" },
	{ "SIGNING_KEY reserved", key_reserved, "=signing_key" },
	{ "SIGNING_KEY VLEK, signed by the VCEK", key_vlek, "=signing_key" },
	{ "signed by another key", other_signer, "=signature" },
	{ "signature of zeros", zero_signature, "=signature" },
	{ "signature with a number too long", r_too_long, "=signature" },
	{ "signature with something behind it", signature_end, "=signature" },
	{ "signature with something at its end", signature_last, "=signature" },
	{ "signature with its numbers swapped", r_s_swapped, "=signature" },
	{ "certificate of another chip, from its first byte", hwid_start, "=hardware_id" },
	{ "certificate of another chip, by its last byte", hwid_end, "=hardware_id" },
	{ "report of another chip", chip_id, "=hardware_id" },
	{ "certificate with a chip id of 8 bytes", short_hwid, "=hardware_id" },
	{ "certificate without a chip id", no_hwid, "=product,?snp" },
	{ "certificate with a chip id of 63 bytes", odd_hwid, "=product,?snp" },
	{ "certificate of another microcode", other_microcode, "=certificate_tcb" },
	{ "certificate of another boot loader", other_boot_loader, "=certificate_tcb" },
	{ "certificate of Turin without its FMC", turin_no_fmc, "product" },
	{ "certificate of an unknown product", unknown_product, "=product,?snp" },
	{ "certificate without a product", no_product, "=product,?snp" },
	{ "certificate without a product, version 2", milan_no_product, "product" },
	{ "certificate of an unknown product, version 2", milan_unknown_product, "product" },
	{ "certificate of two products", two_products, "=product,?snp" },
	{ "certificate of Milan", milan_cert, "=product,?snp" },
	{ "CPUID of Turin", turin_cpuid, "=product,?snp" },
	{ "CPUID of no product", unknown_cpuid, "=product,?snp" },
	{ "VCEK that names a cloud", csp, NULL },
	{ "VLEK's certificate for a VCEK's report", vlek_for_vcek, "signing_key" },
	{ "VCEK's certificate for a VLEK's report", vcek_for_vlek, "signing_key" },
	{ "VLEK of a cloud, where the policy wants the chip's", snp_make_vlek,
	  "=snp.signing_key,snp.csp_id" },
	{ "VLEK of another cloud", other_csp, "snp.csp_id" },
	{ "VLEK that names a chip", vlek_with_chip, "product" },
	{ "VLEK that names no cloud", vlek_without_csp, "product" },
	{ "forged chain", forged_chain, "=root" },
	{ "AMD's roots alone trusted", no_trust, "=root" },
	{ "another root of that name trusted", other_trust, "=root" },
	{ "no ASK", no_ask, "=chain,?revocation" },
	{ "no VCEK", no_leaf, "=chain,?revocation,?snp" },
	{ "ASK that is no CA", ask_no_ca, "=chain" },
	{ "ARK that is no CA", ark_no_ca, "chain" },
	{ "VCEK that is a CA", leaf_ca, "=chain" },
	{ "VCEK issued by the ASVK", vcek_by_asvk, "=chain" },
	{ "VLEK issued by the ASK", vlek_by_ask, "chain" },
	{ "VCEK issued by somebody of another name", ask_of_no_name, "=chain" },
	{ "VCEK of Genoa issued by the ASK of Milan", ask_of_milan, "=product,?snp" },
	{ "VCEK of Genoa under the ARK of Turin", ark_of_turin, "=product,?snp" },
	{ "VCEK of Genoa under another ARK", ark_longer, "=product,?snp" },
	{ "VCEK issued by another key", leaf_forged, "=chain" },
	{ "VCEK of another issuer", leaf_issuer, "chain" },
	{ "ASK issued by another key", ask_forged, "=chain" },
	{ "VCEK issued by the ARK", leaf_by_ark, "chain" },
	{ "VCEK signed with SHA-256", leaf_sha256, "=chain" },
	{ "ASK signed with SHA-256", ask_sha256, "=chain" },
	{ "VCEK signed with PKCS #1 1.5", leaf_pkcs1, "=chain" },
	{ "VCEK of P-256", p256_leaf, "chain" },
	{ "ASK of RSA-2048", rsa2048_ask, "=chain" },
	{ "VCEK with an unknown critical extension", critical, "=chain" },
	{ "ARK expired", ark_expired, "=validity" },
	{ "ASK expired", ask_expired, "=validity" },
	{ "VCEK expired", leaf_expired, "=validity" },
	{ "ARK not valid yet", ark_early, "=validity" },
	{ "ASK not valid yet", ask_early, "=validity" },
	{ "VCEK not valid yet", leaf_early, "=validity" },
	{ "in 1970", long_ago, "=validity,revocation" },
	{ "in 9999", long_hence, "=validity,revocation" },
	{ "no list", crl_none, "=?revocation" },
	{ "list expired", crl_expired, "=revocation" },
	{ "list not valid yet", crl_early, "=revocation" },
	{ "list without an end", crl_no_end, "=?revocation" },
	{ "list signed by another key", crl_forged, "=?revocation" },
	{ "list signed by the ASK", crl_by_ask, "=?revocation" },
	{ "list of another root", crl_other_name, "=?revocation" },
	{ "list of changes only", crl_delta, "=?revocation" },
	{ "list signed with SHA-256", crl_sha256, "=?revocation" },
	{ "list signed with PKCS #1 1.5", crl_pkcs1, "=?revocation" },
	{ "list by a root that may not sign any", crl_not_allowed, "=?revocation" },
	{ "ASK revoked", ask_revoked, "=revocation" },
	{ "ASK revoked by a list of tomorrow", ask_revoked_later, "=revocation" },
};

static void test_spoilt(const struct snp_kind *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(spoilt); i++) {
		struct snp_world w = snp_world_of(kind);

		spoilt[i].spoil(&w);
		snp_refuse(&w, spoilt[i].by, kind->name, spoilt[i].name);
	}
}

/* ---- keys that no vendor has: none is tried, for the largest are a lot of work */

/* Public and private exponent change places: an RSA key as slow as any to verify with */
static EVP_PKEY *slow_rsa(EVP_PKEY *rsa)
{
	EVP_PKEY_CTX *ctx = need(EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL));
	OSSL_PARAM_BLD *builder = need(OSSL_PARAM_BLD_new());
	BIGNUM *n = NULL, *e = NULL, *d = NULL;
	EVP_PKEY *slow = NULL;
	OSSL_PARAM *params;

	if (!EVP_PKEY_get_bn_param(rsa, OSSL_PKEY_PARAM_RSA_N, &n) ||
	    !EVP_PKEY_get_bn_param(rsa, OSSL_PKEY_PARAM_RSA_E, &e) ||
	    !EVP_PKEY_get_bn_param(rsa, OSSL_PKEY_PARAM_RSA_D, &d) ||
	    !OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) ||
	    !OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, d) ||
	    !OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_D, e))
		need(NULL);
	params = need(OSSL_PARAM_BLD_to_param(builder));
	if (EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &slow, EVP_PKEY_KEYPAIR, params) != 1)
		need(NULL);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	EVP_PKEY_CTX_free(ctx);
	BN_free(n);
	BN_free(e);
	BN_free(d);
	return slow;
}

static void test_tried(const struct snp_kind *kind, EVP_PKEY *key, bool tried,
		       const char *name)
{
	struct snp_world w = snp_world_of(kind);
	const struct cvm_certs none = { 0 };
	const struct cvm_certs *sets[] = { &none };
	struct cvm_revocation lists;
	struct cvm_certs certs = { 0 };
	X509 *root, *ca;
	uint8_t *crl;
	size_t len;

	w.ark.key = w.ark.issuer_key = w.ask.issuer_key = w.crl.key = key;
	w.ark.pss = w.ask.pss = w.crl.pss = EVP_PKEY_is_a(key, "RSA");
	root = make_cert(&w.ark);
	ca = make_cert(&w.ask);
	crl = crl_der(&w.crl, &len);
	check(X509_verify(ca, key) == 1 && cvm_cert_issued_by(ca, root) == tried,
	      "a certificate by %s: %stried", name, tried ? "" : "not ");
	if (cvm_certs_load(&certs, crl, len, NULL))
		need(NULL);
	sets[0] = &certs;
	cvm_revocation_find(ca, root, EVP_PKEY_is_a(key, "RSA") ? &cvm_amd_rules :
			    &cvm_intel_rules, sets, 1, &lists);
	check(lists.count == tried, "a list by %s: %stried", name, tried ? "" : "not ");
	cvm_certs_free(&certs);
	X509_free(root);
	X509_free(ca);
	free(crl);
}

static void test_other_keys(const struct snp_kind *kind)
{
	EVP_PKEY *rsa = make_rsa(4104), *p521 = make_ec("P-521");
	EVP_PKEY *rsa3072 = make_rsa(3072), *slow = slow_rsa(rsa3072);
	struct snp_world w = snp_world_of(kind);
	struct cvm_verdict *verdict = NULL;
	bool said = false;
	int ret;

	test_tried(kind, snp_keys.ark, true, "RSA-4096");
	test_tried(kind, rsa, false, "RSA-4104");
	test_tried(kind, snp_keys.rsa2048, false, "RSA-2048");
	test_tried(kind, rsa3072, false, "RSA-3072");
	test_tried(kind, slow, false, "RSA-3072 with an exponent as long");
	test_tried(kind, p521, false, "P-521");
	w.no_trust = true;
	w.ark.key = w.ark.issuer_key = w.ask.issuer_key = w.crl.key = rsa;
	ret = snp_verify(&w, &verdict);
	for (size_t i = 0; !ret && i < cvm_verdict_count(verdict); i++)
		said |= !!strstr(cvm_verdict_check(verdict, i)->reason, "which was not tried");
	check(said, "a root of RSA-4104: the verdict says that it was not tried");
	expect_by(ret, verdict, "chain", "a root of RSA-4104");
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(rsa3072);
	EVP_PKEY_free(slow);
	EVP_PKEY_free(p521);
}

/* ---- the same certificates in other forms, which do not matter */

static void reversed(struct snp_world *w) { w->reversed = true; }
static void duplicated(struct snp_world *w) { w->duplicated = true; }
static void pem(struct snp_world *w) { w->as_pem = true; }
static void no_ark(struct snp_world *w) { w->no_ark = true; }
static void bare(struct snp_world *w) { w->amd.bare_hwid = true; }

static const struct {
	const char *name;
	void (*change)(struct snp_world *w);
} harmless[] = {
	{ "certificates in another order", reversed }, { "certificates twice", duplicated },
	{ "certificates in PEM", pem }, { "ARK from the trust roots", no_ark },
	{ "chip id without an OCTET STRING around it", bare },
};

static void test_harmless(const struct snp_kind *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++) {
		struct snp_world w = snp_world_of(kind);

		harmless[i].change(&w);
		snp_refuse(&w, NULL, kind->name, harmless[i].name);
	}
}

/* ---- lengths */

static void test_lengths(const struct snp_kind *kind)
{
	static const size_t lengths[] = { 0, 1, 3, 4, 0x29f, 0x2a0, 1183, 1185, 2048 };
	struct snp_world w = snp_world_of(kind);
	const struct cvm_verify_opts opts = snp_opts(&w);
	struct cvm_verifier *v = snp_verifier(&w);
	uint8_t long_report[2048] = { 0 };

	snp_sign(&w);
	memcpy(long_report, w.report, sizeof(w.report));
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct cvm_verdict *verdict = NULL;
		int ret = cvm_verify(v, long_report, lengths[i], &opts, &verdict, NULL);

		expect_by(ret, verdict, "=format", "%s, %zu bytes", kind->name, lengths[i]);
	}
	cvm_verifier_free(v);
}

int main(void)
{
	snp_make_kinds();
	snp_verify_kinds();
	test_spoilt(&snp_kinds[0]);
	test_other_keys(&snp_kinds[0]);
	for (size_t i = 0; i < SNP_KINDS; i++)
		test_harmless(&snp_kinds[i]);
	test_lengths(&snp_kinds[0]);
	snp_free_kinds();
	return tap_end();
}
