// SPDX-License-Identifier: GPL-2.0
/*
 * Whether TDX quotes are authentic, on chains made here: every kind that is
 * genuine, and none with a bit changed in what is signed, nor one cut short. What
 * else is refused, and by which check, stands in test_mutations_tdx.c.
 */
#include <stdlib.h>

#include "expect.h"
#include "make_tdx.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

static void v5_td10(struct tdx_world *w) { w->version = 5; }
static void padded(struct tdx_world *w) { w->padding = 100; }
static void no_root(struct tdx_world *w) { w->no_root = true; }

static void v5_td15(struct tdx_world *w)
{
	w->version = 5;
	w->body_type = 3;
}

static void chain_given(struct tdx_world *w)
{
	w->cert_type = 1;
	w->given_chain = true;
}

static void right_data(struct tdx_world *w)
{
	static char data[64];

	memset(data, 0xd5, sizeof(data));
	w->report_data = data;
}

static const struct {
	const char *what;
	void (*prepare)(struct tdx_world *w);
} authentic[] = {
	{ "version 4", NULL },
	{ "version 5, body of TDX 1.0", v5_td10 },
	{ "version 5, body of TDX 1.5", v5_td15 },
	{ "bytes after the quote", padded },
	{ "root from the trust roots", no_root },
	{ "no chain in the quote, but given", chain_given },
	{ "REPORT_DATA as expected", right_data },
};

static void test_authentic(void (*prepare)(struct tdx_world *w), const char *what)
{
	struct tdx_world w = tdx_genuine();
	struct cvm_verify_opts opts;
	struct cvm_verdict *verdict;
	struct cvm_verifier *v;
	int ret;

	if (prepare)
		prepare(&w);
	tdx_make(&w);
	v = tdx_verifier(&w);
	opts = tdx_opts(&w);
	ret = cvm_verify(v, w.quote, w.len, &opts, &verdict, NULL);
	expect(ret, verdict, what);
	cvm_verifier_free(v);
	tdx_done(&w);
}

static const struct cvm_verify_opts now = { .size = sizeof(now), .at = TEST_NOW };

static bool accepts(const struct cvm_verifier *v, const uint8_t *quote, size_t len)
{
	struct cvm_verdict *verdict = NULL;
	bool accepted;

	cvm_verify(v, quote, len, &now, &verdict, NULL);
	accepted = verdict && cvm_verdict_authentic(verdict);
	cvm_verdict_free(verdict);
	return accepted;
}

static void test_bytes(const char *name, struct tdx_world *w, size_t from, size_t to)
{
	struct cvm_verifier *v = tdx_verifier(w);
	size_t accepted = 0;

	for (size_t i = from; i < to; i++) {
		w->quote[i] ^= (uint8_t)(1 << i % 8);
		accepted += accepts(v, w->quote, w->len);
		w->quote[i] ^= (uint8_t)(1 << i % 8);
	}
	check(accepted == 0, "version %u: a bit flipped in each of %zu bytes of %s: refused",
	      w->version, to - from, name);
	cvm_verifier_free(v);
}

static void test_mutations(void (*prepare)(struct tdx_world *w))
{
	struct tdx_world w = tdx_genuine();
	size_t at;

	if (prepare)
		prepare(&w);
	tdx_make(&w);
	at = w.signed_len;
	test_bytes("header and body", &w, 0, at);
	test_bytes("the signature's length", &w, at, at + 4);
	test_bytes("the signature", &w, at + 4, at + 68);
	test_bytes("the attestation key", &w, at + 68, at + 132);
	test_bytes("the certification data's head", &w, at + 132, w.qe_at);
	test_bytes("the QE report", &w, w.qe_at, w.qe_at + 384);
	test_bytes("the QE report's signature", &w, w.qe_at + 384, w.qe_at + 448);
	test_bytes("the authentication data", &w, w.qe_at + 448, w.qe_at + 482);
	tdx_done(&w);
}

static void test_lengths(void)
{
	struct tdx_world w = tdx_genuine();
	struct cvm_verifier *v;
	size_t wrong = 0;

	tdx_make(&w);
	v = tdx_verifier(&w);
	for (size_t len = 0; len < w.len; len++) {
		struct cvm_verdict *verdict = NULL;
		uint8_t *copy = need(malloc(len + 1));

		memcpy(copy, w.quote, len);
		wrong += cvm_verify(v, copy, len, &now, &verdict, NULL) != -EBADMSG || !verdict ||
			 cvm_verdict_authentic(verdict) ||
			 state_of(verdict, "format") != CVM_CHECK_FAILED;
		cvm_verdict_free(verdict);
		free(copy);
	}
	check(wrong == 0, "cut short at each of %zu lengths: malformed", w.len);
	cvm_verifier_free(v);
	tdx_done(&w);
}

static bool accepts_with(struct tdx_world *w, const uint8_t *spoilt, size_t len,
			 const uint8_t *other, size_t other_len)
{
	struct cvm_verifier *v = tdx_verifier(w);
	bool accepted = !cvm_verifier_add_certs(v, spoilt, len, NULL) &&
			!cvm_verifier_add_certs(v, other, other_len, NULL) &&
			accepts(v, w->quote, w->len);

	cvm_verifier_free(v);
	return accepted;
}

/* Of two certificates that are given in place of the quote's, one is spoilt. */
static void test_certificate_bytes(const char *name, bool pck_spoilt)
{
	struct tdx_world w = tdx_genuine();
	X509 *certs[] = { make_cert(pck_spoilt ? &w.pck : &w.ca),
			  make_cert(pck_spoilt ? &w.ca : &w.pck) };
	size_t len, other_len, accepted = 0;
	uint8_t *spoilt = cert_der(certs[0], &len), *other = cert_der(certs[1], &other_len);

	w.no_collateral = true;	/* which has the CA's, too */
	tdx_make(&w);
	check(accepts_with(&w, spoilt, len, other, other_len), "a given %s: authentic", name);
	for (size_t i = 0; i < len; i++) {
		spoilt[i] ^= (uint8_t)(1 << i % 8);
		accepted += accepts_with(&w, spoilt, len, other, other_len);
		spoilt[i] ^= (uint8_t)(1 << i % 8);
	}
	check(accepted == 0, "a bit flipped in each of %zu bytes of the %s: refused", len, name);
	free(spoilt);
	free(other);
	X509_free(certs[0]);
	X509_free(certs[1]);
	tdx_done(&w);
}

/* What is neither a report nor a quote */
static void test_other_kinds(void)
{
	static const uint8_t tdreport[1024] = { 0x81 }, table[24], sgx[600] = { 3, 0, 2 };
	struct tdx_world w = tdx_genuine();
	struct cvm_verifier *v = tdx_verifier(&w);
	const struct { const char *what; const void *data; size_t len; } cases[] = {
		{ "a TDREPORT", tdreport, sizeof(tdreport) },
		{ "a certificate table", table, sizeof(table) },
		{ "a quote of version 3", sgx, sizeof(sgx) },
		{ "text", "hello, world", 12 },
		{ "nothing", "", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cvm_verdict *verdict = NULL;
		int ret = cvm_verify(v, cases[i].data, cases[i].len, &now, &verdict, NULL);

		check(ret == -EBADMSG && verdict && cvm_verdict_count(verdict) == 1 &&
		      !cvm_verdict_authentic(verdict) && !cvm_verdict_check(verdict, 1) &&
		      state_of(verdict, "format") == CVM_CHECK_FAILED,
		      "%s: cannot be verified", cases[i].what);
		cvm_verdict_free(verdict);
	}
	cvm_verifier_free(v);
	tdx_done(&w);
}

int main(void)
{
	tdx_make_keys();
	for (size_t i = 0; i < ARRAY_SIZE(authentic); i++)
		test_authentic(authentic[i].prepare, authentic[i].what);
	test_mutations(NULL);
	test_mutations(v5_td15);
	test_lengths();
	test_certificate_bytes("PCK certificate", true);
	test_certificate_bytes("PCK CA's certificate", false);
	test_other_kinds();
	tdx_free_keys();
	return tap_end();
}
