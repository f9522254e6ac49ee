// SPDX-License-Identifier: GPL-2.0
/*
 * Verification of SNP reports, on chains made here: what is genuine passes, and
 * each way of not being genuine is refused by the check that is there for it.
 */
#include <openssl/objects.h>
#include <stdlib.h>

#include "expect.h"
#include "make_snp.h"

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static void version_2(struct snp_world *w)
{
	put32(w->report, 2);
	memset(w->report + 0x188, 0, 3);
}

static void version_4(struct snp_world *w) { put32(w->report, 4); }
static void version_5(struct snp_world *w) { put32(w->report, 5); }
static void as_pem(struct snp_world *w) { w->as_pem = true; }
static void reversed(struct snp_world *w) { w->reversed = true; }
static void no_ark(struct snp_world *w) { w->no_ark = true; }
static void bare_hwid(struct snp_world *w) { w->amd.bare_hwid = true; }
static void stepping(struct snp_world *w) { w->amd.product = "Genoa-B0"; }
static void masked_chip_id(struct snp_world *w) { memset(w->report + 0x1a0, 0, 64); }

static void turin(struct snp_world *w)
{
	w->amd.product = "Turin";
	w->amd.has_fmc = true;
	w->amd.fmc = 5;
	w->amd.hwid_len = 8;
	memset(w->report + 0x1a8, 0, 56);
	memcpy(w->report + 0x180, "\x05\x0a\x01\x17\0\0\0\x84", 8);
	w->report[0x188] = 0x1a;
	w->report[0x189] = 0x02;
}

static void milan(struct snp_world *w)
{
	w->amd.product = "Milan-B0";
	w->report[0x189] = 0x01;
}

static void vlek(struct snp_world *w)
{
	w->leaf.name = "SEV-VLEK";
	w->ask.name = w->leaf.issuer_name = "SEV-VLEK-Genoa";
	w->amd.hwid_len = 0;
	w->amd.csp_id = "CN=cloud.example";
	w->report[0x48] = 1 << 2;
	memset(w->report + 0x1a0, 0, 64);
}

static void vlek_masked(struct snp_world *w)
{
	vlek(w);
	w->report[0x48] |= 2;
}

static void right_data(struct snp_world *w)
{
	static char data[64];

	memset(data, 0xd5, sizeof(data));
	w->report_data = data;
}

static const struct {
	const char *what;
	void (*prepare)(struct snp_world *w);
} authentic[] = {
	{ "version 3, Genoa, VCEK", NULL },
	{ "version 2", version_2 },
	{ "version 4", version_4 },
	{ "version 5", version_5 },
	{ "Milan", milan },
	{ "Turin", turin },
	{ "VLEK", vlek },
	{ "VLEK on a host that masks its chip key", vlek_masked },
	{ "certificates in PEM", as_pem },
	{ "certificates in another order", reversed },
	{ "ARK from the trust roots", no_ark },
	{ "hardware id without an OCTET STRING around it", bare_hwid },
	{ "product with its stepping", stepping },
	{ "CHIP_ID masked by the host", masked_chip_id },
	{ "REPORT_DATA as expected", right_data },
};

static void wrong_data(struct snp_world *w)
{
	right_data(w);
	w->report[0x50] ^= 1;
}

static void unknown_root(struct snp_world *w) { w->no_trust = true; }
static void other_root(struct snp_world *w) { w->other_trust = true; }
static void no_ask(struct snp_world *w) { w->no_ask = true; }
static void no_leaf(struct snp_world *w) { w->no_leaf = true; }
static void ask_no_ca(struct snp_world *w) { w->ask.ca = false; }
static void ark_no_ca(struct snp_world *w) { w->ark.ca = false; }
static void leaf_ca(struct snp_world *w) { w->leaf.ca = true; }
static void leaf_signer(struct snp_world *w) { w->leaf.issuer_key = snp_keys.other; }
static void ask_signer(struct snp_world *w) { w->ask.issuer_key = snp_keys.other; }
static void leaf_issuer_name(struct snp_world *w) { w->leaf.issuer_name = "SEV-Milan"; }
static void ask_sha256(struct snp_world *w) { w->ask.md = EVP_sha256(); }
static void leaf_sha256(struct snp_world *w) { w->leaf.md = EVP_sha256(); }
static void leaf_pkcs1(struct snp_world *w) { w->leaf.pss = false; }
static void critical(struct snp_world *w) { w->leaf.critical_nid = NID_netscape_comment; }
static void expired_leaf(struct snp_world *w) { w->leaf.until = TEST_NOW - 1; }
static void expired_ask(struct snp_world *w) { w->ask.until = TEST_NOW - 1; }
static void expired_ark(struct snp_world *w) { w->ark.until = TEST_NOW - 1; }
static void early(struct snp_world *w) { w->leaf.from = TEST_NOW + 1; }
static void before(struct snp_world *w) { w->at = 0; }
static void wrong_tcb(struct snp_world *w) { w->amd.microcode++; }
static void wrong_boot_loader(struct snp_world *w) { w->amd.boot_loader++; }
static void wrong_hwid(struct snp_world *w) { w->amd.hwid[63] ^= 1; }
static void wrong_product(struct snp_world *w) { w->amd.product = "Milan"; }
static void unknown_product(struct snp_world *w) { w->amd.product = "Genoas"; }
static void no_product(struct snp_world *w) { w->amd.product = NULL; }
static void two_products(struct snp_world *w) { w->amd.twice = true; }
static void unknown_cpuid(struct snp_world *w) { w->report[0x188] = 0x1b; }
static void no_hwid(struct snp_world *w) { w->amd.hwid_len = 0; }
static void odd_hwid(struct snp_world *w) { w->amd.hwid_len = 63; }
static void signing_key_none(struct snp_world *w) { w->report[0x48] = 7 << 2; }
static void signing_key_reserved(struct snp_world *w) { w->report[0x48] = 2 << 2; }
static void signing_key_vlek(struct snp_world *w) { w->report[0x48] = 1 << 2; }
static void chip_key_masked(struct snp_world *w) { w->report[0x48] = 2; }
static void host_asked(struct snp_world *w) { put32(w->report + 0x30, 0xffffffff); }
static void algorithm(struct snp_world *w) { put32(w->report + 0x34, 2); }
static void other_signer(struct snp_world *w) { w->signer = snp_keys.p256; }

static void vlek_with_chip(struct snp_world *w)
{
	vlek(w);
	w->amd.hwid_len = 64;
}

static void vlek_for_vcek(struct snp_world *w)
{
	vlek(w);
	w->report[0x48] = 0;
}

static void turin_no_fmc(struct snp_world *w)
{
	turin(w);
	w->amd.has_fmc = false;
}

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

static void zero_signature(struct snp_world *w)
{
	memset(w->report + 0x2a0, 0, 144);
}

static void tampered_zero(struct snp_world *w) { w->tamper = zero_signature; }

static void long_r(struct snp_world *w) { w->report[0x2a0 + 60] = 1; }
static void tampered_r(struct snp_world *w) { w->tamper = long_r; }

static const struct {
	const char *what;
	void (*prepare)(struct snp_world *w);
	const char *refused_by;
} refused[] = {
	{ "another REPORT_DATA", wrong_data, "report_data" },
	{ "a chain of our own without a trust root", unknown_root, "root" },
	{ "a root of the same name", other_root, "root" },
	{ "no ASK", no_ask, "chain" },
	{ "no VCEK", no_leaf, "chain" },
	{ "ASK that is not a CA", ask_no_ca, "chain" },
	{ "ARK that is not a CA", ark_no_ca, "chain" },
	{ "VCEK that is a CA", leaf_ca, "chain" },
	{ "VCEK signed by another key", leaf_signer, "chain" },
	{ "ASK signed by another key", ask_signer, "chain" },
	{ "VCEK of another issuer", leaf_issuer_name, "chain" },
	{ "VCEK signed by the ARK", leaf_by_ark, "chain" },
	{ "ASK signed with SHA-256", ask_sha256, "chain" },
	{ "VCEK signed with SHA-256", leaf_sha256, "chain" },
	{ "VCEK signed with PKCS#1 v1.5", leaf_pkcs1, "chain" },
	{ "VCEK of P-256", p256_leaf, "chain" },
	{ "ASK of RSA-2048", rsa2048_ask, "chain" },
	{ "an unknown critical extension", critical, "chain" },
	{ "expired VCEK", expired_leaf, "validity" },
	{ "expired ASK", expired_ask, "validity" },
	{ "expired ARK", expired_ark, "validity" },
	{ "VCEK that is not valid yet", early, "validity" },
	{ "a time before every certificate", before, "validity" },
	{ "certificate of another microcode", wrong_tcb, "certificate_tcb" },
	{ "certificate of another boot loader", wrong_boot_loader, "certificate_tcb" },
	{ "certificate of another chip", wrong_hwid, "hardware_id" },
	{ "certificate of another product", wrong_product, "product" },
	{ "certificate of an unknown product", unknown_product, "product" },
	{ "certificate of no product", no_product, "product" },
	{ "certificate of two products", two_products, "product" },
	{ "report of an unknown product", unknown_cpuid, "product" },
	{ "VCEK without hardware id", no_hwid, "product" },
	{ "hardware id of 63 bytes", odd_hwid, "product" },
	{ "Turin without FMC", turin_no_fmc, "product" },
	{ "VLEK that names a chip", vlek_with_chip, "product" },
	{ "SIGNING_KEY none", signing_key_none, "signing_key" },
	{ "SIGNING_KEY reserved", signing_key_reserved, "signing_key" },
	{ "SIGNING_KEY VLEK with a VCEK", signing_key_vlek, "signing_key" },
	{ "SIGNING_KEY VCEK with a VLEK", vlek_for_vcek, "signing_key" },
	{ "MASK_CHIP_KEY", chip_key_masked, "signing_key" },
	{ "asked for by the host", host_asked, "requester" },
	{ "SIGNATURE_ALGO 2", algorithm, "signature" },
	{ "signed by another key", other_signer, "signature" },
	{ "a signature of zeros", tampered_zero, "signature" },
	{ "a signature longer than the curve", tampered_r, "signature" },
};

static void test_tables(void)
{
	struct cvm_verdict *verdict;

	for (size_t i = 0; i < ARRAY_SIZE(authentic); i++) {
		struct snp_world w = snp_genuine();
		int ret;

		if (authentic[i].prepare)
			authentic[i].prepare(&w);
		ret = snp_verify(&w, &verdict);
		expect(ret, verdict, NULL, authentic[i].what);
	}
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct snp_world w = snp_genuine();
		int ret;

		refused[i].prepare(&w);
		ret = snp_verify(&w, &verdict);
		expect(ret, verdict, refused[i].refused_by, refused[i].what);
	}
}

/* The genuine chain as files, to be given with a bit flipped */
static struct {
	uint8_t *ark, *ask, *leaf;
	size_t ark_len, ask_len, leaf_len;
} der;

static const struct cvm_verify_opts now = { .size = sizeof(now), .at = TEST_NOW };

static struct cvm_verifier *verifier_without_certs(void)
{
	struct cvm_verifier *v;

	if (cvm_verifier_new(&v) || cvm_verifier_add_trust_root(v, der.ark, der.ark_len, NULL))
		need(NULL);
	return v;
}

static bool accepts(const struct cvm_verifier *v, const uint8_t *report, size_t len)
{
	struct cvm_verdict *verdict = NULL;
	bool accepted;

	cvm_verify(v, report, len, &now, &verdict, NULL);
	accepted = verdict && cvm_verdict_authentic(verdict);
	cvm_verdict_free(verdict);
	return accepted;
}

static void test_report_bytes(struct snp_world *w)
{
	struct cvm_verifier *v = verifier_without_certs();
	size_t accepted = 0;

	cvm_verifier_add_certs(v, der.ask, der.ask_len, NULL);
	cvm_verifier_add_certs(v, der.leaf, der.leaf_len, NULL);
	check(accepts(v, w->report, sizeof(w->report)), "whole: authentic");
	for (size_t i = 0; i < 0x2a0 + 144; i++) {
		w->report[i] ^= (uint8_t)(1 << i % 8);
		accepted += accepts(v, w->report, sizeof(w->report));
		w->report[i] ^= (uint8_t)(1 << i % 8);
	}
	check(accepted == 0, "a bit flipped in each of the 816 bytes of report and signature: refused");
	cvm_verifier_free(v);
}

static void test_lengths(struct snp_world *w)
{
	struct cvm_verifier *v = verifier_without_certs();
	size_t wrong = 0;

	for (size_t len = 0; len < CVM_SNP_REPORT_SIZE; len++) {
		struct cvm_verdict *verdict = NULL;
		uint8_t *copy = need(malloc(len + 1));

		memcpy(copy, w->report, len);
		wrong += cvm_verify(v, copy, len, &now, &verdict, NULL) != -EBADMSG || !verdict ||
			 cvm_verdict_authentic(verdict) ||
			 state_of(verdict, "format") != CVM_CHECK_FAILED;
		cvm_verdict_free(verdict);
		free(copy);
	}
	check(wrong == 0, "cut short at each length: malformed");
	cvm_verifier_free(v);
}

/* @other_len bytes at @other: the certificate that is left as it is */
static void test_certificate_bytes(const char *name, struct snp_world *w, uint8_t *spoilt,
				   size_t len, const uint8_t *other, size_t other_len)
{
	size_t accepted = 0;

	for (size_t i = 0; i < len; i++) {
		struct cvm_verifier *v = verifier_without_certs();

		spoilt[i] ^= (uint8_t)(1 << i % 8);
		cvm_verifier_add_certs(v, spoilt, len, NULL);
		cvm_verifier_add_certs(v, other, other_len, NULL);
		accepted += accepts(v, w->report, sizeof(w->report));
		spoilt[i] ^= (uint8_t)(1 << i % 8);
		cvm_verifier_free(v);
	}
	check(accepted == 0, "a bit flipped in each of %zu bytes of the %s: refused", len, name);
}

static void test_trust_root_bytes(void)
{
	struct cvm_verifier *v;
	size_t accepted = 0;

	if (cvm_verifier_new(&v))
		need(NULL);
	for (size_t i = 0; i < der.ark_len; i++) {
		der.ark[i] ^= (uint8_t)(1 << i % 8);
		accepted += !cvm_verifier_add_trust_root(v, der.ark, der.ark_len, NULL);
		der.ark[i] ^= (uint8_t)(1 << i % 8);
	}
	check(accepted == 0, "a bit flipped in each of %zu bytes of a trust root: not taken",
	      der.ark_len);
	check(cvm_verifier_add_trust_root(v, der.ask, der.ask_len, NULL) == -EBADMSG,
	      "a trust root that is not self-signed: not taken");
	check(cvm_verifier_add_trust_root(v, "", 0, NULL) == -EBADMSG &&
	      cvm_verifier_add_trust_root(v, (uint8_t[24]){ 0 }, 24, NULL) == -EBADMSG,
	      "no trust root at all: not taken");
	cvm_verifier_free(v);
}

static void make_der(struct snp_world *w)
{
	X509 *ark, *ask, *leaf;

	w->leaf.arg = &w->amd;
	ark = make_cert(&w->ark);
	ask = make_cert(&w->ask);
	leaf = make_cert(&w->leaf);
	der.ark = cert_der(ark, &der.ark_len);
	der.ask = cert_der(ask, &der.ask_len);
	der.leaf = cert_der(leaf, &der.leaf_len);
	X509_free(ark);
	X509_free(ask);
	X509_free(leaf);
}

int main(void)
{
	struct snp_world w;

	snp_make_keys();
	test_tables();
	w = snp_genuine();
	snp_sign(&w);
	make_der(&w);
	test_report_bytes(&w);
	test_lengths(&w);
	test_certificate_bytes("VCEK", &w, der.leaf, der.leaf_len, der.ask, der.ask_len);
	test_certificate_bytes("ASK", &w, der.ask, der.ask_len, der.leaf, der.leaf_len);
	test_trust_root_bytes();
	snp_free_keys();
	free(der.ark);
	free(der.ask);
	free(der.leaf);
	return tap_end();
}
