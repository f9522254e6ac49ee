// SPDX-License-Identifier: GPL-2.0
/*
 * Whether SNP reports are authentic, on chains made here: every kind that is
 * genuine, and none with a bit changed in what is signed, nor one cut short. What
 * else is refused, and by which check, stands in test_mutations_snp*.c.
 */
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

static void milan(struct snp_world *w)
{
	w->amd.product = "Milan-B0";
	w->ark.name = w->ark.issuer_name = w->ask.issuer_name = w->crl.issuer = "ARK-Milan";
	w->ask.name = w->leaf.issuer_name = "SEV-Milan";
	w->report[0x189] = 0x01;
}

static void turin(struct snp_world *w)
{
	snp_make_turin(w);
	put32(w->report, 3);
}

static void vlek(struct snp_world *w) { snp_make_vlek(w); }

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

static void test_authentic(void)
{
	struct cvm_verdict *verdict;

	for (size_t i = 0; i < ARRAY_SIZE(authentic); i++) {
		struct snp_world w = snp_genuine();
		int ret;

		if (authentic[i].prepare)
			authentic[i].prepare(&w);
		ret = snp_verify(&w, &verdict);
		expect(ret, verdict, authentic[i].what);
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
	for (size_t i = 0; i < sizeof(w->report); i++) {
		w->report[i] ^= (uint8_t)(1 << i % 8);
		accepted += accepts(v, w->report, sizeof(w->report));
		w->report[i] ^= (uint8_t)(1 << i % 8);
	}
	check(accepted == 0, "a bit flipped in each of the report's 1,184 bytes: refused");
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
	test_authentic();
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
