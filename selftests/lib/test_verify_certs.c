// SPDX-License-Identifier: GPL-2.0
/*
 * Certificates that come with evidence, to a verifier that has none: taken, kept
 * and found again, and never anybody else's.
 */
#include <errno.h>

#include "given_certs.h"
#include "mutate_tdx.h"

#define CHAINS	300	/* more than are kept */

static void test_snp(void)
{
	struct snp_world w = snp_world_of(&snp_kinds[0]), other = w;
	struct cvm_verifier *v = snp_bare(&w);
	const struct cvm_verify_opts opts = snp_opts(&w);
	struct bytes chain = snp_chain(&w), of_other;
	struct cvm_verdict *verdict = NULL;
	int ret = cvm_verify(v, w.report, sizeof(w.report), &opts, &verdict, NULL);

	expect_by(ret, verdict, "chain", "SNP, no certificates");
	snp_with(v, &w, &chain, NULL, "certificates that came along");
	snp_with(v, &w, &chain, NULL, "the same again");
	w.report[0x90] ^= 1;
	snp_with(v, &w, &chain, "signature", "the same, another report");
	w.report[0x90] ^= 1;
	other.amd.hwid[63] ^= 1;
	of_other = snp_chain(&other);
	snp_with(v, &w, &of_other, "=hardware_id", "certificates of another chip");
	snp_with(v, &w, &chain, NULL, "those of the chip once more");
	ret = cvm_verify(v, w.report, sizeof(w.report), &opts, &verdict, NULL);
	expect_by(ret, verdict, "chain", "SNP, none again, whatever is kept");
	free(of_other.data);
	free(chain.data);
	cvm_verifier_free(v);
}

static bool accepts(struct cvm_verifier *v, struct snp_world *w, const char *certs, size_t len)
{
	struct cvm_verify_opts opts = snp_opts(w);
	struct cvm_verdict *verdict = NULL;
	bool verified;

	opts.certs = certs;
	opts.certs_len = len;
	cvm_verify(v, w->report, sizeof(w->report), &opts, &verdict, NULL);
	verified = verdict && cvm_verdict_verified(verdict);
	cvm_verdict_free(verdict);
	return verified;
}

/* What is kept is found by all of its bytes, not by some. */
static void test_similar(void)
{
	struct snp_world w = snp_world_of(&snp_kinds[0]);
	struct cvm_verifier *v = snp_bare(&w);
	struct bytes chain = snp_chain(&w);
	size_t tried = 0, accepted = 0;

	snp_with(v, &w, &chain, NULL, "before any is similar");
	/* within the VCEK, the last of them, but for the line that ends it */
	for (size_t at = chain.len - 1200; at < chain.len - 128; at += 41, tried++) {
		char old = chain.data[at];

		chain.data[at] = old == 'A' ? 'B' : 'A';
		accepted += accepts(v, &w, chain.data, chain.len);
		chain.data[at] = old;
	}
	check(!accepted && tried > 20, "each of %zu chains that are another in one character: refused",
	      tried);
	snp_with(v, &w, &chain, NULL, "and the genuine one afterwards");
	free(chain.data);
	cvm_verifier_free(v);
}

/* More than fit, twice over: none is mistaken for another, none is lost. */
static void test_many(void)
{
	struct snp_world w = snp_world_of(&snp_kinds[0]);
	struct cvm_verifier *v = snp_bare(&w);
	struct bytes chain = snp_chain(&w);
	char *text = need(malloc(chain.len + 32));
	size_t verified = 0;

	for (int i = 0; i < 2 * CHAINS; i++) {
		/* PEM passes over what is before it */
		int len = sprintf(text, "chain %d\n%.*s", i % CHAINS, (int)chain.len, chain.data);

		verified += accepts(v, &w, text, (size_t)len);
	}
	check(verified == 2 * CHAINS, "%d chains, twice: verified", CHAINS);
	free(text);
	free(chain.data);
	cvm_verifier_free(v);
}

/* What was trusted is not, once the verifier trusts somebody else. */
static void test_changed(void)
{
	struct snp_world w = snp_world_of(&snp_kinds[0]), other = w;
	struct cvm_verifier *v = snp_bare(&w);
	struct bytes chain = snp_chain(&w);
	struct crl_spec crl = w.crl;
	size_t len;
	uint8_t *der;

	snp_with(v, &w, &chain, NULL, "before the verifier changes");
	crl.revoked[0] = w.ask.serial;
	der = crl_der(&crl, &len);
	if (cvm_verifier_add_certs(v, der, len, NULL))
		need(NULL);
	free(der);
	snp_with(v, &w, &chain, "=revocation", "with a list that revokes the ASK");
	cvm_verifier_free(v);

	other.other_trust = true;
	v = snp_bare(&other);
	snp_with(v, &w, &chain, "=root", "another root");
	free(chain.data);
	cvm_verifier_free(v);
}

static void test_malformed(void)
{
	static const struct {
		const char *data, *error;
	} rows[] = {
		{ "", "offset 0x0: expected an X.509 certificate, PEM or DER" },
		{ "hello", "offset 0x0: expected an X.509 certificate, PEM or DER" },
		{ "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		  "offset 0x0: expected an X.509 certificate or revocation list" },
		{ "-----BEGIN CERTIFICATE-----\nAAAA\n", "offset 0x0: expected an X.509 certificate in PEM" },
		{ "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",
		  "offset 0x0: expected CERTIFICATE or X509 CRL in PEM, and nothing else" },
		{ "0\x82", "offset 0x0: expected an X.509 certificate or revocation list" },
	};
	struct snp_world w = snp_world_of(&snp_kinds[0]);
	struct cvm_verifier *v = snp_bare(&w);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cvm_verify_opts opts = snp_opts(&w);
		struct cvm_verdict *verdict = NULL;
		int ret;

		opts.certs = rows[i].data;
		opts.certs_len = strlen(rows[i].data);
		ret = cvm_verify(v, w.report, sizeof(w.report), &opts, &verdict, NULL);
		expect_because(ret, verdict, "chain", rows[i].error);
		check(!ERR_peek_error(), "and no error is left behind");
	}
	cvm_verifier_free(v);
}

/* 16 that came along are a chain and others, 17 are an attempt at something. */
static void test_limit(void)
{
	struct snp_world w = snp_world_of(&snp_kinds[0]);
	struct cvm_verifier *v = snp_bare(&w);
	struct cvm_verify_opts opts = snp_opts(&w);
	struct cvm_verdict *verdict = NULL;
	struct cvm_error error = { 0 };
	X509 *certs[17];
	size_t len;
	char *pem;
	int ret;

	w.leaf.arg = &w.amd;
	certs[0] = make_cert(&w.ark);
	certs[1] = make_cert(&w.ask);
	for (size_t i = 2; i < 17; i++) {
		w.leaf.serial = (long)(1000 - i);
		w.amd.hwid[0] = (uint8_t)(i == 15 ? 2 : 100 + i);
		certs[i] = make_cert(&w.leaf);
	}
	pem = certs_pem(certs, 16, &len);
	opts.certs = pem;
	opts.certs_len = len;
	ret = cvm_verify(v, w.report, sizeof(w.report), &opts, &verdict, &error);
	expect_by(ret, verdict, NULL, "16 certificates, the last of them the right one");
	free(pem);
	pem = certs_pem(certs, 17, &len);
	opts.certs = pem;
	opts.certs_len = len;
	ret = cvm_verify(v, w.report, sizeof(w.report), &opts, &verdict, &error);
	expect_because(ret, verdict, "chain", "more than 16 certificates");
	ret = cvm_verifier_add_certs(v, pem, len, &error);
	check_is(ret, 0, "to a verifier they can be given all");
	free(pem);
	for (int i = 0; i < 17; i++)
		X509_free(certs[i]);
	cvm_verifier_free(v);
}

/* ---- quotes */

/* PCK and CA of @w, with its root */
static struct bytes tdx_chain(struct tdx_world *w, bool pck)
{
	X509 *certs[3] = { make_cert(&w->ca), make_cert(&w->root), NULL };
	struct bytes out;

	w->pck.arg = &w->sgx;
	certs[2] = make_cert(&w->pck);
	out.data = certs_pem(certs, pck ? 3 : 2, &out.len);
	for (int i = 0; i < 3; i++)
		X509_free(certs[i]);
	return out;
}

static void tdx_with(struct cvm_verifier *v, const struct tdx_world *w, const struct bytes *certs,
		     const char *by, const char *name)
{
	struct cvm_verify_opts opts = tdx_opts(w);
	struct cvm_verdict *verdict = NULL;
	int ret;

	opts.certs = certs ? certs->data : NULL;
	opts.certs_len = certs ? certs->len : 0;
	ret = cvm_verify(v, w->quote, w->len, &opts, &verdict, NULL);
	expect_by(ret, verdict, by, "TDX, %s", name);
}

/* What is wrong is said of what was given, and not that it should be. */
static void test_tdx_malformed(const struct tdx_world *w, const struct cvm_verifier *v,
			       const char *name)
{
	struct cvm_verify_opts opts = tdx_opts(w);
	struct cvm_verdict *verdict = NULL;
	int ret;

	opts.certs = "hello";
	opts.certs_len = 5;
	ret = cvm_verify(v, w->quote, w->len, &opts, &verdict, NULL);
	printf("# TDX, %s, and malformed ones given\n", name);
	expect_because(ret, verdict, "chain", "the certificates that came along: offset 0x0: "
		       "expected an X.509 certificate, PEM or DER");
}

static void test_tdx(void)
{
	struct tdx_world w = tdx_world_of(&tdx_kinds[0]), forged = w, without = w, no_ca = w;
	struct bytes good, bad, issuers;
	struct cvm_verifier *v;

	tdx_make(&w);
	v = tdx_verifier(&w);
	good = tdx_chain(&w, true);
	issuers = tdx_chain(&w, false);
	forged.pck.key = tdx_keys.other;
	bad = tdx_chain(&forged, true);
	tdx_with(v, &w, NULL, NULL, "its own certificates");
	tdx_with(v, &w, &good, NULL, "the same, given as well");
	tdx_with(v, &w, &bad, "=qe_signature", "others given in the place of its own");
	tdx_with(v, &w, NULL, NULL, "its own once more");
	test_tdx_malformed(&w, v, "its own certificates");
	without.cert_type = 7;
	tdx_make(&without);
	tdx_with(v, &without, NULL, "chain", "none in the quote");
	tdx_with(v, &without, &good, NULL, "none in the quote, and given");
	test_tdx_malformed(&without, v, "none in the quote");
	tdx_with(v, &without, &issuers, "chain", "none in the quote, and issuers given alone");
	no_ca.no_ca = no_ca.no_root = true;
	tdx_make(&no_ca);
	tdx_with(v, &no_ca, &issuers, NULL, "no issuers in the quote, and given");
	cvm_verifier_free(v);
	free(good.data);
	free(bad.data);
	free(issuers.data);
	tdx_done(&w);
}

static void reversed(struct tdx_world *w) { w->reversed = true; }
static void ca_last(struct tdx_world *w) { w->ca_last = true; }
static void duplicated(struct tdx_world *w) { w->duplicated = true; }
static void text_before(struct tdx_world *w) { w->before_chain = "PCK:\n"; }
static void text_behind(struct tdx_world *w) { w->behind_chain = "the end"; }
static void white_space(struct tdx_world *w) { w->before_chain = w->behind_chain = "\t \r\n"; }

static void hidden_block(struct tdx_world *w)
{
	w->before_chain = " -----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";
}

static void half_a_block(struct tdx_world *w)
{
	w->behind_chain = "-----BEGIN CERTIFICATE-----\n";
}

static const struct {
	void (*spoil)(struct tdx_world *w);
	const char *reason;
} forms[] = {
	{ reversed, "expected the PCK certificate, its CA's, the root's, and nothing else" },
	{ ca_last, "expected the PCK certificate, its CA's, the root's, and nothing else" },
	{ duplicated, "a certificate is there twice" },
	{ text_before, "expected certificates in PEM and nothing around them" },
	{ text_behind, "expected certificates in PEM and nothing around them" },
	{ hidden_block, "expected certificates in PEM and nothing around them" },
	{ half_a_block, "expected certificates in PEM and nothing around them" },
	{ white_space, NULL },
};

/* A quote's own chain has one form; whose is another, it is said what is wrong. */
static void test_tdx_forms(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct tdx_world w = tdx_world_of(&tdx_kinds[0]);
		struct cvm_verdict *verdict = NULL;
		struct cvm_verify_opts opts;
		struct cvm_verifier *v;
		int ret;

		forms[i].spoil(&w);
		tdx_make(&w);
		v = tdx_verifier(&w);
		opts = tdx_opts(&w);
		ret = cvm_verify(v, w.quote, w.len, &opts, &verdict, NULL);
		if (forms[i].reason)
			expect_because(ret, verdict, "chain", forms[i].reason);
		else
			expect_by(ret, verdict, NULL, "TDX, white space around the chain");
		cvm_verifier_free(v);
		tdx_done(&w);
	}
}

/* A verifier for every platform: certificates of one are in nobody's way. */
static void test_shared(void)
{
	struct tdx_world w = tdx_world_of(&tdx_kinds[0]), second = w;
	struct snp_world snp = snp_world_of(&snp_kinds[0]);
	struct bytes amd = snp_chain(&snp), first_chain, second_chain;
	struct cvm_verifier *v;

	tdx_make(&w);
	v = tdx_verifier(&w);
	if (cvm_verifier_add_certs(v, amd.data, amd.len, NULL))
		need(NULL);
	tdx_with(v, &w, NULL, NULL, "a verifier that has AMD's certificates");
	second.pck.key = second.qe_signer = tdx_keys.other;
	second.pck.serial = 200;
	tdx_make(&second);
	first_chain = tdx_chain(&w, true);
	second_chain = tdx_chain(&second, true);
	if (cvm_verifier_add_certs(v, first_chain.data, first_chain.len, NULL) ||
	    cvm_verifier_add_certs(v, second_chain.data, second_chain.len, NULL))
		need(NULL);
	tdx_with(v, &w, NULL, NULL, "a verifier that has the chains of two platforms");
	tdx_with(v, &second, NULL, NULL, "and the other platform");
	cvm_verifier_free(v);
	free(amd.data);
	free(first_chain.data);
	free(second_chain.data);
	tdx_done(&w);
}

int main(void)
{
	snp_make_kinds();
	tdx_make_kinds();
	test_snp();
	test_similar();
	test_many();
	test_changed();
	test_malformed();
	test_limit();
	test_tdx();
	test_tdx_forms();
	test_shared();
	snp_free_kinds();
	tdx_free_kinds();
	return tap_end();
}
